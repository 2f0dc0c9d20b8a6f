//! Stockade: an in-memory order matching and reservation server.
//!
//! The map of the house. Imports point backwards along this line only:
//!
//! ```text
//! base → engine, wal → wire → shard → server, client → node
//! ```

pub mod base;
pub mod engine;
pub mod wal;

pub mod wire;
