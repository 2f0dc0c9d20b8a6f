//! The node: everything put together. The only module that knows everyone.
//!
//! ```text
//! config ─► memory ─► log opened, folded into engines ─► keys ─► default market ─► shards ─► door ─► ready
//!                                                                                      │ SIGTERM, or the log failed
//! exit code ◄─ log stopped ◄─ shards stopped ◄─ door closed, what is under way answered ┘
//! ```
//!
//! # Always true
//! - What starts last stops first: nobody loses what it answers through.
//! # Not here
//! - Reading files, environment and arguments: `cli`. Deciding anything about orders: `engine`.

mod appender;
mod audit;
mod config;
mod fault;
mod images;
mod keys;
mod markets;
mod memory;
mod serve;
mod sinks;
mod snapshot_wish;
mod snapshots;
mod status;
mod watched;

pub use crate::adapters::simulated::Behaviour;
pub use crate::adapters::webhook::{Target, WebhookOptions};
pub use audit::{Audit, Drift, MarketAudit, MoneyAudit, audit};
pub use config::{Config, TlsConfig};
pub use fault::NodeFault;
pub use serve::{Watch, serve};
pub use snapshot_wish::{SnapshotWishes, WishFault};
