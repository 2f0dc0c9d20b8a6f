//! The program as people use it: the real binary, a real server on a free port, real files.
//!
//! Nothing here waits by the clock: a server is ready when it says so, a command is over when it ends.

mod harness;

mod backing_up;
mod checking;
mod configuration;
mod handing_off;
mod import;
mod offline;
mod orders;
mod payments;
mod readme;
mod serving;
mod tasks;
