//! The feed: durable facts in the order in which they happened in each shard, for whoever wants to know, from wherever
//! it has got.
//!
//! ```text
//! log ─► follower ─► Feed ─► batch a shard ─► sink (took it) ─► Feed ─► cursor moved ─► shard ─► log
//!                    bounded                                     at most once a second
//! ```
//!
//! # Always true
//! - Facts of a shard come in order, and each at least once: after a crash those behind the durable cursor come again,
//!   under the same positions.
//! - A fact is never left out silently: where the log was trimmed, the feed tells a gap.
//! - A feed holds a bounded number of bytes; while it is full, the log is read no further.
//! # Not here
//! - Retries, the network: `adapters::courier`, `adapters::webhook`.

mod batch;
mod machine;
#[cfg(test)]
mod tests;

pub use batch::{Batch, Event, Position};
pub use machine::Feed;
