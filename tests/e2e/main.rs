//! Wiring: real sockets, real TLS, a real log, in process. Few tests, each of something the layers cannot show alone.
//!
//! # Not here
//! - What an order means: `tests/spec`. Crashes: `tests/sim`.

mod child;
mod harness;
mod room;

mod adapters;
mod backups;
mod bounds;
mod certificates;
mod clocks;
mod damage;
mod erasing;
mod full_disk;
mod hostile;
mod independent;
mod lifecycle;
mod orders;
mod owed;
mod snapshots;
mod starting;
mod watching;
mod webhooks;
