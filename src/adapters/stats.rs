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

/// Counters of one sink, kept by its courier's thread and read by anybody.
#[derive(Debug, Default)]
pub struct SinkStats {
    pub(super) held: AtomicU64,
    pub(super) facts: AtomicU64,
    pub(super) gaps: AtomicU64,
    pub(super) deliveries: AtomicU64,
    pub(super) failures: AtomicU64,
    pub(super) moves: AtomicU64,
    pub(super) is_open: AtomicU64,
    pub(super) lag_ms: AtomicU64,
}

impl SinkStats {
    /// Facts that were read from the log and that the sink has not taken yet.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.held.load(Ordering::Relaxed)
    }

    /// Facts that it has taken, since the start.
    #[must_use]
    pub fn facts(&self) -> u64 {
        self.facts.load(Ordering::Relaxed)
    }

    /// Gaps that it was told of.
    #[must_use]
    pub fn gaps(&self) -> u64 {
        self.gaps.load(Ordering::Relaxed)
    }

    /// Messages sent to it, those that failed included.
    #[must_use]
    pub fn deliveries(&self) -> u64 {
        self.deliveries.load(Ordering::Relaxed)
    }

    /// Those that it did not take.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// Moves of its cursors that are durable.
    #[must_use]
    pub fn moves(&self) -> u64 {
        self.moves.load(Ordering::Relaxed)
    }

    /// Whether the breaker is open: the sink is left alone for a while.
    #[must_use]
    pub fn is_breaker_open(&self) -> bool {
        self.is_open.load(Ordering::Relaxed) != 0
    }

    /// Milliseconds since the oldest fact happened that it has not taken; 0 when it has all of them.
    #[must_use]
    pub fn lag_ms(&self) -> u64 {
        self.lag_ms.load(Ordering::Relaxed)
    }
}
