//! A shard: one thread that owns an engine, decides what sessions submit, and answers once that is durable.
//!
//! ```text
//!            submit                  turn: drain, look ahead, decide, fold              append
//! sessions ─────────► Inbox ───────► Batcher ─────────────────────────────► Entry ─────────► Log
//!    ▲                                  │ put (position, replies)                              │
//!    │                                  ▼                                                      │
//!    └─ take, at or below the mark ── Outbox ◄──────────────── wake: the mark has moved ───────┘
//! ```
//!
//! # Always true
//! - One writer: only the shard's thread touches its engine. No lock, and in the steady state no allocation per
//!   command.
//! - Nothing leaves before every fact behind it is durable: not an answer, not a refusal, not a reading.
//! - A shard never waits for a session. It waits for the disk only past the bound of its run-ahead.
//!
//! # Not here
//! - Deciding: `engine`. Bytes that survive: `wal`. Who may ask what: `server`.
//! - Shards do not know each other, nor how many there are.

mod clock;
mod fake_keys;
mod log;
mod sealer;
mod stages;

mod ahead;
mod board;
mod parking;

mod inbox;
mod lane;
mod outbox;
mod shared;

mod answers;
mod backlog;
mod batcher;
mod facts;
mod queries;
mod sealing;
mod second_chance;

mod recover;
mod snapshot;
mod thread;

#[cfg(test)]
mod fake_log;
#[cfg(test)]
mod tests;

pub use board::{Board, Offer};
pub use clock::{LogClock, LogTime, Reading, Readings};
pub use fake_keys::FakeKeys;
pub use inbox::{Inbox, LaneStats, ShardStats, Submission};
pub use lane::{LANES, Lane, TurnedAway};
pub use log::Log;
pub use outbox::{Outbox, Replies};
pub use recover::{RecoverError, Recovery};
pub use sealer::Sealer;
pub use snapshot::{HeldCursor, Snapshot, SnapshotFault, make_snapshot_on, missing_beginning, recover_on, tidy_up_on};
pub use stages::StageStats;
pub use thread::{Next, Shard, ShardHandle};
