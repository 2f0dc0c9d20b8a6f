//! The door: QUIC connections in, frames checked, requests handed to their shards, replies out.
//!
//! ```text
//! Server ─ accept ─► connection ─ accept ─► Stream ◄─► Session ─► inboxes of the shards
//!   │ handshakes,      │ greeting,            │ moves      │ frames, admission,
//!   │ certificates     │ share of memory      │ bytes      │ refusals
//!   └ limits           └                      └            └ decides everything, knows no socket
//! ```
//!
//! # Always true
//! - No peer makes the server allocate more than `limits` says, and nothing a peer sends makes it panic.
//! - Answers of a shard leave only through its outbox, after what they tell is durable.
//! # Not here
//! - Deciding anything about stock or orders. Waiting for one request before looking at the next.

mod fault;
mod options;

mod dev_certificate;
mod tls;
mod transport;

mod http;
mod listener;

mod connection;
mod gaps;
mod local;
mod outgoing;
mod stream;
mod wiring;

mod router;
mod session;

mod admission;
mod budget;
mod input;
mod market;
mod rate;
mod registry;
mod status;

pub use dev_certificate::DevCertificate;
pub use fault::ServerFault;
pub use http::{Exposition, Health, HttpDoor, HttpSource};
pub use listener::{NodeParts, Server, Traffic};
pub use options::{ServerOptions, TlsOptions, Waits};
pub use registry::Registry;
pub use status::StatusSource;
