//! Wiring: real sockets, real TLS, a real log, in process. Few tests, each of something the layers cannot show alone.
//!
//! # Not here
//! - What an order means: `tests/spec`. Crashes: `tests/sim`.

mod harness;

mod certificates;
mod hostile;
mod lifecycle;
mod orders;
mod owed;
