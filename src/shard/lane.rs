//! A lane: submissions waiting for a shard, bounded in number and in bytes.
//!
//! # Not here
//! - Which lane is drained when, and how long one may wait in it: `inbox` will share turns out among three of them.

use std::sync::atomic::{AtomicUsize, Ordering};

use crossbeam_queue::ArrayQueue;

use super::inbox::Submission;

/// A submission and when it came.
pub(super) struct Admitted {
    pub(super) submission: Submission,
    pub(super) at_ns: u64,
}

pub(super) struct Lane {
    queue: ArrayQueue<Admitted>,
    bytes: AtomicUsize,
    bytes_max: usize,
}

impl Lane {
    pub(super) fn new(submissions_max: usize, bytes_max: usize) -> Self {
        Self { queue: ArrayQueue::new(submissions_max), bytes: AtomicUsize::new(0), bytes_max }
    }

    /// Takes it, or gives it back when the lane is full. An empty lane takes anything.
    #[expect(clippy::result_large_err, reason = "it goes back as it came; a box would cost an allocation when full")]
    pub(super) fn push(&self, admitted: Admitted) -> Result<(), Admitted> {
        let bytes = admitted.submission.batch.bytes();
        let before = self.bytes.fetch_add(bytes, Ordering::Relaxed);
        if before > 0 && before.saturating_add(bytes) > self.bytes_max {
            self.bytes.fetch_sub(bytes, Ordering::Relaxed);
            return Err(admitted);
        }
        self.queue.push(admitted).inspect_err(|_| {
            self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        })
    }

    pub(super) fn pop(&self) -> Option<Admitted> {
        let admitted = self.queue.pop()?;
        self.bytes.fetch_sub(admitted.submission.batch.bytes(), Ordering::Relaxed);
        Some(admitted)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }
}
