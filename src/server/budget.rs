//! How much memory connections may use: a little each, more out of one pool, and never beyond.
//!
//! ```text
//! connection opens ──► what everybody has ──first sound frame──► as much of a full grant as the pool has left
//!                      64 KiB windows                            (all, a half, a quarter, … or nothing more)
//! ```
//!
//! # Always true
//! - What was taken from the pool goes back when its holder is dropped.
//! - A connection is owed at most `in_flight_max` bytes of answers, counted at their largest. A single answer that may
//!   be larger is let in when nothing else is owed and the pool has the rest.
//! # Why so
//! The largest answer is counted when a request is let in, so that a shard can put its reply without asking anybody.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::base::limits::{
    GRANT_HALVINGS_MAX, IN_FLIGHT_BYTES, IN_FLIGHT_FIRST_BYTES, SEND_WINDOW_BYTES, SEND_WINDOW_FIRST_BYTES,
    WINDOW_BYTES, WINDOW_FIRST_BYTES,
};

const GRANT_BYTES: usize = WINDOW_BYTES + SEND_WINDOW_BYTES + IN_FLIGHT_BYTES;

/// Bytes that all connections share.
#[derive(Debug)]
pub(super) struct Pool {
    free: AtomicUsize,
}

impl Pool {
    pub(super) fn new(bytes: usize) -> Arc<Self> {
        Arc::new(Self { free: AtomicUsize::new(bytes) })
    }

    /// Takes bytes if that many are left.
    pub(super) fn take(&self, bytes: usize) -> bool {
        let less = |free: usize| free.checked_sub(bytes);
        self.free.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }

    pub(super) fn give_back(&self, bytes: usize) {
        self.free.fetch_add(bytes, Ordering::Relaxed);
    }

    #[cfg(test)]
    pub(super) fn free(&self) -> usize {
        self.free.load(Ordering::Relaxed)
    }
}

/// The flow-control windows of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Windows {
    pub(super) receive_bytes: usize,
    pub(super) send_bytes: usize,
}

/// What one connection may use; its streams share it.
#[derive(Debug)]
pub(super) struct Share {
    pool: Arc<Pool>,
    granted: AtomicUsize,
    in_flight: AtomicUsize,
    in_flight_max: AtomicUsize,
    /// Taken from the pool for one answer larger than `in_flight_max`.
    overdraft: AtomicUsize,
    proven: AtomicBool,
}

impl Share {
    pub(super) fn new(pool: Arc<Pool>) -> Arc<Self> {
        Arc::new(Self {
            pool,
            granted: AtomicUsize::new(0),
            in_flight: AtomicUsize::new(0),
            in_flight_max: AtomicUsize::new(IN_FLIGHT_FIRST_BYTES),
            overdraft: AtomicUsize::new(0),
            proven: AtomicBool::new(false),
        })
    }

    pub(super) fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }

    /// Whether a sound frame has come.
    pub(super) fn is_proven(&self) -> bool {
        self.proven.load(Ordering::Relaxed)
    }

    /// A sound frame has come. The first time the connection is given what the pool can spare.
    pub(super) fn handle_sound_frame(&self) -> Option<Windows> {
        if self.proven.swap(true, Ordering::Relaxed) {
            return None;
        }
        let shift = (0..=GRANT_HALVINGS_MAX).find(|shift| self.pool.take(GRANT_BYTES >> shift))?;
        self.granted.store(GRANT_BYTES >> shift, Ordering::Relaxed);
        self.in_flight_max.store(IN_FLIGHT_FIRST_BYTES + (IN_FLIGHT_BYTES >> shift), Ordering::Relaxed);
        Some(Windows {
            receive_bytes: WINDOW_FIRST_BYTES.max(WINDOW_BYTES >> shift),
            send_bytes: SEND_WINDOW_FIRST_BYTES.max(SEND_WINDOW_BYTES >> shift),
        })
    }

    /// Whether another frame may be looked at: half of what may be owed is still free.
    pub(super) fn has_room(&self) -> bool {
        self.in_flight.load(Ordering::Relaxed) <= self.in_flight_max.load(Ordering::Relaxed) / 2
    }

    /// Lets in a request whose answer has at most so many bytes, or does not.
    pub(super) fn admit(&self, answer_bytes: usize) -> bool {
        let max = self.in_flight_max.load(Ordering::Relaxed);
        let before = self.in_flight.fetch_add(answer_bytes, Ordering::Relaxed);
        let admitted = before + answer_bytes <= max || (before == 0 && self.overdraw(answer_bytes - max));
        if !admitted {
            self.in_flight.fetch_sub(answer_bytes, Ordering::Relaxed);
        }
        admitted
    }

    fn overdraw(&self, bytes: usize) -> bool {
        let taken = self.pool.take(bytes);
        if taken {
            self.overdraft.fetch_add(bytes, Ordering::Relaxed);
        }
        taken
    }

    /// Answers left, or their requests were refused.
    pub(super) fn settle(&self, answer_bytes: usize) {
        let before = self.in_flight.fetch_sub(answer_bytes, Ordering::Relaxed);
        if before == answer_bytes {
            self.pool.give_back(self.overdraft.swap(0, Ordering::Relaxed));
        }
    }

    #[cfg(test)]
    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.pool.give_back(*self.granted.get_mut() + *self.overdraft.get_mut());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_gets_its_windows_once_and_gives_them_back_when_it_goes() {
        let pool = Pool::new(GRANT_BYTES + GRANT_BYTES / 2);
        let first = Share::new(Arc::clone(&pool));
        let full = Windows { receive_bytes: WINDOW_BYTES, send_bytes: SEND_WINDOW_BYTES };
        assert_eq!(first.handle_sound_frame(), Some(full));
        assert_eq!(first.handle_sound_frame(), None, "only the first frame widens anything");
        let second = Share::new(Arc::clone(&pool));
        let half = Windows { receive_bytes: WINDOW_BYTES / 2, send_bytes: SEND_WINDOW_BYTES / 2 };
        assert_eq!(second.handle_sound_frame(), Some(half), "a half is left");
        assert_eq!(pool.free(), 0);
        assert_eq!(Share::new(Arc::clone(&pool)).handle_sound_frame(), None, "nothing is left; it works all the same");
        drop((first, second));
        assert_eq!(pool.free(), GRANT_BYTES + GRANT_BYTES / 2);
    }

    #[test]
    fn answers_owed_are_bounded_and_a_large_one_is_paid_for_by_the_pool() {
        let pool = Pool::new(9 * IN_FLIGHT_FIRST_BYTES);
        let share = Share::new(Arc::clone(&pool));
        assert!(share.admit(10 * IN_FLIGHT_FIRST_BYTES), "alone, and the pool has the rest");
        assert_eq!(pool.free(), 0);
        assert!(!share.admit(1) && !share.has_room());
        assert!(!Share::new(Arc::clone(&pool)).admit(IN_FLIGHT_FIRST_BYTES + 1), "the pool has nothing for another");
        share.settle(10 * IN_FLIGHT_FIRST_BYTES);
        assert_eq!(pool.free(), 9 * IN_FLIGHT_FIRST_BYTES);
        assert!(share.has_room() && share.admit(IN_FLIGHT_FIRST_BYTES));
        assert!(!share.admit(1));
        assert_eq!(share.in_flight(), IN_FLIGHT_FIRST_BYTES, "what was not let in is not counted");
    }
}
