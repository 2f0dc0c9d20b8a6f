//! The deterministic core: commands in, facts out, state folded from facts. No clock, no I/O, no threads, no floats.
//!
//! ```text
//! decide(&state, command, now) ─► fact + answer | refusal      may say no; changes nothing
//! fold(&mut state, fact, at)                                    total; the only way state changes
//! ```
//!
//! # Always true
//! - The engine never learns that there is a network, a disk, a wall clock or another shard.
//! - Folding the same facts at the same times gives the same state (`digest`), whoever decided them.
//!
//! # Reading order
//! `command`, `fact`, `refusal`: three lists that are the whole product. Then `decide` and `fold`.

pub mod answer;
pub mod command;
pub mod fact;
pub mod ledger;
pub mod order;
pub mod query;
pub mod refusal;

mod pool;

pub use answer::Answer;
pub use command::{Command, DIRECTORY_SHARD, Line, LineQuantity, Place};
pub use fact::{Draw, Fact, Placed};
pub use query::{Books, Query};
pub use refusal::Refusal;
