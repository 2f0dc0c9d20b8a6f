//! What an adapter is doing, for people who watch.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters of one adapter, kept by its thread and read by anybody.
#[derive(Debug, Default)]
pub struct AdapterStats {
    pub(super) held: AtomicU64,
    pub(super) running: AtomicU64,
    pub(super) tries: AtomicU64,
    pub(super) failures: AtomicU64,
    pub(super) set_aside: AtomicU64,
    pub(super) news: AtomicU64,
    pub(super) news_refused: AtomicU64,
    pub(super) is_open: AtomicU64,
    pub(super) lag_ms: AtomicU64,
}

impl AdapterStats {
    /// Wanted effects it has taken from the list.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.held.load(Ordering::Relaxed)
    }

    /// Of them, those that the counterparty is being asked for.
    #[must_use]
    pub fn running(&self) -> u64 {
        self.running.load(Ordering::Relaxed)
    }

    /// How often the counterparty was asked, ever.
    #[must_use]
    pub fn tries(&self) -> u64 {
        self.tries.load(Ordering::Relaxed)
    }

    /// How often it gave no answer in time, or none of use.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// Effects set aside.
    #[must_use]
    pub fn set_aside(&self) -> u64 {
        self.set_aside.load(Ordering::Relaxed)
    }

    /// What the counterparty told by itself and is durable.
    #[must_use]
    pub fn news(&self) -> u64 {
        self.news.load(Ordering::Relaxed)
    }

    /// What the counterparty told by itself and no shard could take note of: its order is over, or has no room for
    /// another change.
    #[must_use]
    pub fn news_refused(&self) -> u64 {
        self.news_refused.load(Ordering::Relaxed)
    }

    /// Whether the breaker is open: the counterparty is left alone for a while.
    #[must_use]
    pub fn is_breaker_open(&self) -> bool {
        self.is_open.load(Ordering::Relaxed) != 0
    }

    /// Milliseconds since the oldest effect it holds came to be wanted; 0 when it holds none.
    #[must_use]
    pub fn lag_ms(&self) -> u64 {
        self.lag_ms.load(Ordering::Relaxed)
    }
}
