//! Stockade: an in-memory order matching and reservation server.
//!
//! The map of the house. Imports point backwards along this line only:
//!
//! ```text
//! base → engine, wal → wire, keys → shard → feed, quic → adapters, server, client → node → cli
//! ```

pub mod base;

pub mod engine;
pub mod wal;

pub mod wire;

pub mod keys;

pub mod shard;

pub mod feed;

#[cfg(feature = "net")]
pub mod adapters;

#[cfg(feature = "net")]
pub mod quic;

#[cfg(feature = "net")]
pub mod server;

#[cfg(feature = "net")]
pub mod client;

#[cfg(feature = "net")]
pub mod node;

#[cfg(feature = "net")]
pub mod cli;
