//! How much memory connections may use: a little each, more out of one pool, and never beyond.
//!
//! ```text
//! connection opens ──► what everybody has ──first sound frame──► a small grant ──answers are taken──► twice as much ─┐
//!                      64 KiB windows                            out of the pool        ▲                            │
//!                                                                                       └── up to the full grant ◄───┘
//! ```
//!
//! # Always true
//! - What was taken from the pool goes back when its holder is dropped.
//! - A connection is owed at most `in_flight_max` bytes of answers, counted at their largest. A single answer that may
//!   be larger is let in when nothing else is owed and the pool has the rest.
//! - Whoever takes no answers has the smallest grant.
//! # Why so
//! The largest answer is counted when a request is let in, so that a shard can put its reply without asking anybody.
//!
//! A full grant for the first sound frame lets whoever asks for much and reads nothing fill megabytes at once: a few
//! dozen of them take the whole pool, and everybody waits while their memory is cleared. So a grant grows as TCP's
//! window does in slow start: it doubles with what was demonstrably taken.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};

use crossbeam_queue::ArrayQueue;

use crate::base::limits::{
    GRANT_LEVEL_MAX, IN_FLIGHT_BYTES, IN_FLIGHT_FIRST_BYTES, READ_BUFFER_BYTES_MAX, SEND_WINDOW_BYTES,
    SEND_WINDOW_FIRST_BYTES, SPARE_BUFFERS_MAX, WINDOW_BYTES, WINDOW_FIRST_BYTES,
};

const GRANT_BYTES: usize = WINDOW_BYTES + SEND_WINDOW_BYTES + IN_FLIGHT_BYTES;

/// Bytes that all connections share.
#[derive(Debug)]
pub(super) struct Pool {
    free: AtomicUsize,
    /// Read buffers of the largest size that nobody uses; their bytes count as taken.
    spares: ArrayQueue<Vec<u8>>,
}

impl Pool {
    pub(super) fn new(bytes: usize) -> Arc<Self> {
        Arc::new(Self { free: AtomicUsize::new(bytes), spares: ArrayQueue::new(SPARE_BUFFERS_MAX) })
    }

    /// Takes bytes if that many are left, or become free when spare buffers go.
    pub(super) fn take(&self, bytes: usize) -> bool {
        while !self.take_free(bytes) {
            let Some(spare) = self.spares.pop() else { return false };
            self.give_back(spare.len());
        }
        true
    }

    fn take_free(&self, bytes: usize) -> bool {
        let less = |free: usize| free.checked_sub(bytes);
        self.free.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }

    /// A buffer of [`READ_BUFFER_BYTES_MAX`] for somebody who has taken the bytes: best one that was used before, whose
    /// memory need not be cleared again. Holds anything.
    pub(super) fn take_spare(&self) -> Vec<u8> {
        let Some(spare) = self.spares.pop() else { return vec![0; READ_BUFFER_BYTES_MAX] };
        self.give_back(spare.len());
        spare
    }

    /// Keeps a buffer whose bytes were given back, for the next one, if there is room for it.
    pub(super) fn keep_spare(&self, buffer: Vec<u8>) {
        let bytes = buffer.len();
        if self.take_free(bytes) && self.spares.push(buffer).is_err() {
            self.give_back(bytes);
        }
    }

    pub(super) fn give_back(&self, bytes: usize) {
        self.free.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Bytes nobody uses.
    #[cfg(test)]
    pub(super) fn free(&self) -> usize {
        self.free.load(Ordering::Relaxed) + self.spares.len() * READ_BUFFER_BYTES_MAX
    }
}

/// The flow-control windows of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Windows {
    pub(super) receive_bytes: usize,
    pub(super) send_bytes: usize,
}

/// What is said to a request of so many bytes of answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    /// It is owed from now on.
    In,
    /// When less is owed.
    Later,
    /// Nothing is owed, and the pool has not enough for it.
    Never,
}

/// What one connection may use; its streams share it.
#[derive(Debug)]
pub(super) struct Share {
    pool: Arc<Pool>,
    granted: AtomicUsize,
    /// How often the grant was given or doubled.
    level: AtomicU32,
    /// Bytes of answers that went out since.
    written: AtomicUsize,
    in_flight: AtomicUsize,
    in_flight_max: AtomicUsize,
    /// Taken from the pool for one answer larger than `in_flight_max`.
    overdraft: AtomicUsize,
    proven: AtomicBool,
}

/// What level's part of the full amount is given.
const fn at_level(level: u32, full_bytes: usize) -> usize {
    if level == 0 { 0 } else { full_bytes >> (GRANT_LEVEL_MAX - level) }
}

const fn send_window(level: u32) -> usize {
    let granted = at_level(level, SEND_WINDOW_BYTES);
    if granted > SEND_WINDOW_FIRST_BYTES { granted } else { SEND_WINDOW_FIRST_BYTES }
}

impl Share {
    pub(super) fn new(pool: Arc<Pool>) -> Arc<Self> {
        Arc::new(Self {
            pool,
            granted: AtomicUsize::new(0),
            level: AtomicU32::new(0),
            written: AtomicUsize::new(0),
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

    /// A sound frame has come. The first time the connection is given the smallest grant, if the pool has it.
    pub(super) fn handle_sound_frame(&self) -> Option<Windows> {
        // Read first: a swap for every frame would take the line of memory away from other streams.
        if self.is_proven() || self.proven.swap(true, Ordering::Relaxed) {
            return None;
        }
        self.widen(0)
    }

    /// So many bytes of answers went out to the client. It is given more once that proves that it takes them: what it
    /// takes in beyond two send windows it must have acknowledged.
    pub(super) fn handle_written(&self, bytes: usize) -> Option<Windows> {
        let level = self.level.load(Ordering::Relaxed);
        if level == GRANT_LEVEL_MAX {
            return None;
        }
        let written = self.written.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if written < 2 * send_window(level) { None } else { self.widen(level) }
    }

    /// One level more, if the pool has it. Otherwise it is asked again when as much was written anew.
    fn widen(&self, level: u32) -> Option<Windows> {
        self.written.store(0, Ordering::Relaxed);
        let next = level + 1;
        let more = at_level(next, GRANT_BYTES) - at_level(level, GRANT_BYTES);
        if !self.pool.take(more) {
            return None;
        }
        if self.level.compare_exchange(level, next, Ordering::Relaxed, Ordering::Relaxed).is_err() {
            // Another stream was faster.
            self.pool.give_back(more);
            return None;
        }
        self.granted.fetch_add(more, Ordering::Relaxed);
        self.in_flight_max.fetch_max(IN_FLIGHT_FIRST_BYTES + at_level(next, IN_FLIGHT_BYTES), Ordering::Relaxed);
        Some(Windows {
            receive_bytes: WINDOW_FIRST_BYTES.max(at_level(next, WINDOW_BYTES)),
            send_bytes: send_window(next),
        })
    }

    /// Whether another frame may be looked at: half of what may be owed is still free.
    pub(super) fn has_room(&self) -> bool {
        self.in_flight.load(Ordering::Relaxed) <= self.in_flight_max.load(Ordering::Relaxed) / 2
    }

    /// Lets in a request whose answer has at most so many bytes, or does not.
    pub(super) fn admit(&self, answer_bytes: usize) -> Admission {
        let max = self.in_flight_max.load(Ordering::Relaxed);
        let before = self.in_flight.fetch_add(answer_bytes, Ordering::Relaxed);
        if before + answer_bytes <= max || (before == 0 && self.overdraw(answer_bytes - max)) {
            return Admission::In;
        }
        self.in_flight.fetch_sub(answer_bytes, Ordering::Relaxed);
        if before == 0 { Admission::Never } else { Admission::Later }
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

    /// Lets answers go out until the connection is given more, and says what.
    fn earn(share: &Share) -> Option<Windows> {
        (0..64).find_map(|_| share.handle_written(SEND_WINDOW_BYTES / 16))
    }

    #[test]
    fn a_connection_is_given_little_at_first_and_twice_as_much_whenever_it_took_what_it_got() {
        let pool = Pool::new(2 * GRANT_BYTES);
        let share = Share::new(Arc::clone(&pool));
        let first = share.handle_sound_frame().expect("the first one");
        assert_eq!(first.receive_bytes, at_level(1, WINDOW_BYTES));
        assert_eq!(first.send_bytes, SEND_WINDOW_FIRST_BYTES);
        assert_eq!(share.handle_sound_frame(), None, "only the first frame widens anything");
        assert_eq!(share.handle_written(2 * SEND_WINDOW_FIRST_BYTES - 1), None, "so much may lie unread");
        let mut last = first;
        for _ in 1..GRANT_LEVEL_MAX {
            let next = earn(&share).expect("it takes everything");
            assert_eq!(next.receive_bytes, 2 * last.receive_bytes);
            last = next;
        }
        assert_eq!(last, Windows { receive_bytes: WINDOW_BYTES, send_bytes: SEND_WINDOW_BYTES });
        assert_eq!(earn(&share), None, "there is an end to it");
        drop(share);
        assert_eq!(pool.free(), 2 * GRANT_BYTES);
    }

    #[test]
    fn whoever_finds_the_pool_empty_works_with_what_it_has_and_asks_again() {
        let pool = Pool::new(at_level(1, GRANT_BYTES));
        let (first, second) = (Share::new(Arc::clone(&pool)), Share::new(Arc::clone(&pool)));
        assert!(first.handle_sound_frame().is_some());
        assert_eq!((second.handle_sound_frame(), pool.free()), (None, 0), "nothing is left; it works all the same");
        assert_eq!(second.admit(IN_FLIGHT_FIRST_BYTES), Admission::In);
        assert_eq!(earn(&second), None);
        drop(first);
        assert!(earn(&second).is_some());
    }

    #[test]
    fn answers_owed_are_bounded_and_a_large_one_is_paid_for_by_the_pool() {
        let pool = Pool::new(9 * IN_FLIGHT_FIRST_BYTES);
        let share = Share::new(Arc::clone(&pool));
        assert_eq!(share.admit(10 * IN_FLIGHT_FIRST_BYTES), Admission::In, "alone, and the pool has the rest");
        assert_eq!(pool.free(), 0);
        assert!(share.admit(1) == Admission::Later && !share.has_room());
        let another = Share::new(Arc::clone(&pool));
        assert_eq!(another.admit(IN_FLIGHT_FIRST_BYTES + 1), Admission::Never, "waiting would not help it");
        share.settle(10 * IN_FLIGHT_FIRST_BYTES);
        assert_eq!(pool.free(), 9 * IN_FLIGHT_FIRST_BYTES);
        assert!(share.has_room() && share.admit(IN_FLIGHT_FIRST_BYTES) == Admission::In);
        assert_eq!(share.admit(1), Admission::Later);
        assert_eq!(share.in_flight(), IN_FLIGHT_FIRST_BYTES, "what was not let in is not counted");
    }

    #[test]
    fn a_buffer_nobody_uses_is_used_again_and_given_up_for_whoever_needs_its_bytes() {
        let pool = Pool::new(READ_BUFFER_BYTES_MAX + 10);
        let mut buffer = vec![0; READ_BUFFER_BYTES_MAX];
        buffer[0] = 7;
        pool.keep_spare(buffer);
        assert_eq!((pool.free(), pool.spares.len()), (READ_BUFFER_BYTES_MAX + 10, 1));
        assert!(pool.take(10));
        pool.keep_spare(vec![0; READ_BUFFER_BYTES_MAX]);
        assert_eq!(pool.take_spare()[0], 7, "not cleared, and there was no room for a second one");
        pool.give_back(10);
        pool.keep_spare(vec![0; READ_BUFFER_BYTES_MAX]);
        assert!(!pool.take(READ_BUFFER_BYTES_MAX + 11) && pool.take(READ_BUFFER_BYTES_MAX + 10));
        assert_eq!(pool.free(), 0);
    }
}
