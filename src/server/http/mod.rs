//! The door for machines that watch: metrics and health over plain HTTP, on an address of its own.
//!
//! ```text
//! GET /metrics   Prometheus text format 0.0.4     GET /livez    200: the process turns
//! GET /healthz   every check, as JSON             GET /readyz   200: orders are answered; 503: why not
//! ```
//!
//! # Always true
//! - One thread with a runtime of its own: a scrape never waits for a session, nor a session for a scrape, and no
//!   shard's thread is asked anything.
//! - Bounded in connections, in bytes of a request's head and in time; a body is never read.
//! # Not here
//! - What is told: `HttpSource`, which the node is.
//! # Why so
//! It has neither TLS nor names: it listens on loopback unless told otherwise, and tells numbers only.

mod door;
mod exposition;

pub use door::{Health, HttpDoor, HttpSource};
pub use exposition::Exposition;
