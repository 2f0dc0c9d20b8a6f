//! The run-ahead: entries of a shard that are on their way to the disk, and when the last ones arrived.
//!
//! A shard goes on deciding while the disk syncs, but not without end: past [`AHEAD_ENTRIES_MAX`] entries or
//! [`AHEAD_BYTES_MAX`] bytes it stops draining, and its inbox fills and sheds.
//!
//! # Always true
//! - Entries become durable in the order in which they were appended, each once; so a queue is enough to know which.
//! - Only the shard's thread appends, only the log's thread tells of durability; no bound is ever exceeded by more than
//!   the entry that met it.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crossbeam_queue::ArrayQueue;

use super::board::{Change, Posting};
use crate::base::Sequence;
use crate::base::limits::{AHEAD_BYTES_MAX, AHEAD_ENTRIES_MAX};

/// Moments kept: a position older than these reads as long durable, which it is.
const MOMENTS: usize = 4 * AHEAD_ENTRIES_MAX;

/// An entry on its way.
#[derive(Debug)]
pub(super) struct OnTheWay {
    /// Its place; the last place appended when it has no bytes.
    pub(super) position: Sequence,
    pub(super) bytes: usize,
    /// For the board, when it has arrived; none for an entry that does not end its turn.
    pub(super) posting: Option<Posting>,
    /// Replies that wait for it.
    pub(super) replies: u32,
    pub(super) decided_ns: u64,
}

impl OnTheWay {
    /// What it counts against the bound.
    const fn weight(&self) -> usize {
        let changes = match &self.posting {
            Some(posting) => posting.changes.len(),
            None => 0,
        };
        self.bytes + changes * size_of::<Change>()
    }
}

#[derive(Debug)]
pub(super) struct Ahead {
    entries: ArrayQueue<OnTheWay>,
    bytes: AtomicUsize,
    /// Monotonic time at which a position became durable, by position modulo their number.
    durable_at: Box<[AtomicU64]>,
}

impl Ahead {
    pub(super) fn new() -> Self {
        Self {
            entries: ArrayQueue::new(AHEAD_ENTRIES_MAX),
            bytes: AtomicUsize::new(0),
            durable_at: (0..MOMENTS).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// Whether one more entry may go.
    pub(super) fn has_room(&self) -> bool {
        !self.entries.is_full() && self.bytes.load(Ordering::Acquire) < AHEAD_BYTES_MAX
    }

    /// The shard is about to append an entry.
    pub(super) fn handle_append(&self, entry: OnTheWay) {
        self.bytes.fetch_add(entry.weight(), Ordering::AcqRel);
        let pushed = self.entries.push(entry);
        assert!(pushed.is_ok(), "law: a shard appends only while there is room for one more entry");
    }

    /// The log says that the oldest entry is durable.
    pub(super) fn handle_durable(&self, now_ns: u64) -> Option<OnTheWay> {
        let entry = self.entries.pop()?;
        self.bytes.fetch_sub(entry.weight(), Ordering::AcqRel);
        if entry.bytes > 0 {
            self.moment(entry.position).store(now_ns, Ordering::Release);
        }
        Some(entry)
    }

    /// When `position` became durable; a later moment, or zero, where that has been forgotten.
    pub(super) fn durable_at(&self, position: Sequence) -> u64 {
        self.moment(position).load(Ordering::Acquire)
    }

    fn moment(&self, position: Sequence) -> &AtomicU64 {
        &self.durable_at[position.0 as usize % MOMENTS]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(position: u64, bytes: usize) -> OnTheWay {
        OnTheWay { position: Sequence(position), bytes, posting: None, replies: 1, decided_ns: 0 }
    }

    #[test]
    fn a_shard_runs_ahead_by_so_many_entries_and_so_many_bytes() {
        let ahead = Ahead::new();
        for position in 1..=AHEAD_ENTRIES_MAX as u64 {
            assert!(ahead.has_room());
            ahead.handle_append(entry(position, 1));
        }
        assert!(!ahead.has_room());
        assert_eq!(ahead.handle_durable(7).map(|entry| entry.position), Some(Sequence(1)));
        assert!(ahead.has_room());
        ahead.handle_append(entry(65, AHEAD_BYTES_MAX));
        while ahead.handle_durable(8).is_some_and(|entry| entry.position.0 < 64) {}
        assert!(!ahead.has_room(), "one large entry is enough");
        assert_eq!((ahead.durable_at(Sequence(1)), ahead.durable_at(Sequence(64))), (7, 8));
    }

    #[test]
    fn an_entry_without_bytes_leaves_no_moment() {
        let ahead = Ahead::new();
        ahead.handle_append(entry(3, 0));
        assert!(ahead.handle_durable(9).is_some());
        assert_eq!(ahead.durable_at(Sequence(3)), 0);
        assert!(ahead.handle_durable(9).is_none(), "nothing was on its way");
    }
}
