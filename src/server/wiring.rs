//! What every connection needs of the node, in one place.

use std::sync::Arc;

use super::budget::Pool;
use super::market::Creations;
use super::options::Waits;
use super::rate::Rate;
use super::registry::Registry;
use super::status::{Counters, StatusSource};
use crate::shard::{Board, Inbox, LogClock};

pub(super) struct Wiring {
    pub(super) registry: Registry,
    /// By shard.
    pub(super) inboxes: Arc<[Inbox]>,
    /// By shard.
    pub(super) boards: Arc<[Board]>,
    pub(super) clock: LogClock,
    pub(super) status: Arc<dyn StatusSource>,
    pub(super) counters: Counters,
    pub(super) creations: Creations,
    pub(super) pool: Arc<Pool>,
    pub(super) rate: Arc<Rate>,
    pub(super) waits: Waits,
}
