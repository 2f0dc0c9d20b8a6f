//! Adapters: whoever carries out what the wanted list asks for, and tells the shards what became of it.
//!
//! ```text
//! wanted list ─► runner ─► counterparty ─► verdict ─► runner ─► payments, report ─► shard
//!   (a page)     budget,     (the world)                 retry, breaker,
//!                order by order                          set aside
//!                             └─► news: goods handed over, money taken, order checked ─► shard
//! ```
//!
//! The other half follows the feed: a courier hands batches of facts to a sink, such as a webhook.
//!
//! ```text
//! log ─► feed ─► courier ─► sink
//!                   └─► cursor moved ─► shard
//! ```
//!
//! # Always true
//! - Adapters run beside the shards and have their own thread each: a counterparty that is slow or dead makes the list
//!   longer and nothing else slower.
//! - An adapter keeps nothing that matters: after a crash it begins at the front of the list again. So whatever it asks
//!   of the world may be asked twice, under the same key; counterparties must honour keys.
//! - What an adapter learns from a shard is durable.
//! # Not here
//! - What is wanted when: `engine::wanted`. Counterparties other than the simulated ones. Which facts there are, and in
//!   which order: `feed`.

mod ask;
mod backoff;
mod breaker;
mod counterparty;
mod courier;
mod desk;
mod drive;
mod runner;
#[cfg(test)]
mod samples;
pub mod simulated;
mod stats;
pub mod webhook;

pub use ask::{Ask, Do, Say};
pub use counterparty::{Counterparty, Job, News, Opinion, Payment, Promise, Verdict};
pub use courier::{Courier, Delivery, Errand};
pub use desk::{Desk, Told};
pub use drive::Adapter;
pub use runner::Runner;
pub use stats::{AdapterStats, SinkStats};
