//! The outbox: replies of one shard to one stream, each held back until every fact behind it is durable.
//!
//! ```text
//!   shard ──put──► (position 41, bytes) (position 42, bytes) ──► session
//!                            │                  │
//!                   mark ≥ 41: taken    mark < 42: stays, and the log wakes the session when it moves
//! ```
//!
//! # Always true
//! - A reply leaves only when the durable mark has reached its position.
//! - Putting never fails and never waits: admission has counted the largest answer against the connection already.
//! - No wake-up is lost: the session registers its waker first and reads the mark again after that; the log moves the
//!   mark first and calls the waker after that.
//!
//! # Why so
//! The shard is not told when its entries are durable; the log wakes the sessions itself. That saves a hop between
//! threads for every reply, and the shard has better things to do.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use atomic_waker::AtomicWaker;
use crossbeam_queue::SegQueue;

use super::lane::LANES;
use super::shared::Shared;
use crate::base::Sequence;
use crate::wal::Notify;

/// Replies of one turn.
pub(super) struct Chunk {
    /// Every fact behind these replies is in the log at or before it.
    pub(super) position: Sequence,
    pub(super) bytes: Vec<u8>,
    /// By lane.
    pub(super) replies: [u32; LANES],
    pub(super) decided_ns: u64,
}

/// The shard's half.
pub struct Outbox {
    shared: Arc<Shared>,
    chunks: SegQueue<Chunk>,
    waker: AtomicWaker,
    /// Which turn last wrote here and at which place among its writers; only the shard's thread looks.
    visit: AtomicU64,
}

/// The session's half.
pub struct Replies {
    outbox: Arc<Outbox>,
    /// Taken from the queue and not yet durable.
    head: Option<Chunk>,
    /// Requests answered by everything that was taken, by lane.
    taken_requests: [u64; LANES],
}

impl Outbox {
    pub(super) fn open(shared: Arc<Shared>) -> (Arc<Self>, Replies) {
        let outbox = Self { shared, chunks: SegQueue::new(), waker: AtomicWaker::new(), visit: AtomicU64::new(0) };
        let outbox = Arc::new(outbox);
        (Arc::clone(&outbox), Replies { outbox, head: None, taken_requests: [0; LANES] })
    }

    pub(super) fn put(&self, chunk: Chunk) {
        self.chunks.push(chunk);
    }

    /// To be called after the mark has moved, or when the reply just put need not wait for it.
    pub(super) fn wake(&self) {
        self.waker.wake();
    }

    /// An empty buffer for replies, used before if there is one.
    pub(super) fn take_buffer(&self) -> Vec<u8> {
        self.shared.take_reply_buffer()
    }

    pub(super) fn visit(&self) -> u64 {
        self.visit.load(Ordering::Relaxed)
    }

    pub(super) fn set_visit(&self, visit: u64) {
        self.visit.store(visit, Ordering::Relaxed);
    }

    /// Whether it belongs to the shard that shares this.
    pub(super) fn is_of(&self, shared: &Arc<Shared>) -> bool {
        Arc::ptr_eq(&self.shared, shared)
    }
}

impl Notify for Outbox {
    fn durable(&self) {
        self.wake();
    }
}

impl Replies {
    /// The next reply frames, once every fact behind them is durable. Otherwise the task is woken when one may be.
    ///
    /// One task at a time waits here; the last one that asked is woken.
    pub fn poll_take(&mut self, cx: &mut Context<'_>) -> Poll<Vec<u8>> {
        if let Some(bytes) = self.take() {
            return Poll::Ready(bytes);
        }
        self.outbox.waker.register(cx.waker());
        // Again: what became durable before the waker was registered woke nobody.
        self.take().map_or(Poll::Pending, Poll::Ready)
    }

    /// The next reply frames, if they may leave now.
    pub fn take(&mut self) -> Option<Vec<u8>> {
        let shared = &self.outbox.shared;
        let chunk = self.head.take().or_else(|| self.outbox.chunks.pop())?;
        if chunk.position > shared.mark() {
            self.head = Some(chunk);
            return None;
        }
        let durable_ns = shared.ahead.durable_at(chunk.position).max(chunk.decided_ns);
        let waited_us = shared.clock.monotonic_ns().saturating_sub(durable_ns) / 1_000;
        let replies = chunk.replies.map(u64::from);
        shared.stages.answered_us.record_n(waited_us, replies.iter().sum());
        self.taken_requests.iter_mut().zip(replies).for_each(|(taken, replies)| *taken += replies);
        Some(chunk.bytes)
    }

    /// Requests answered by everything that was taken so far, by lane. A long answer has several records and counts
    /// once.
    #[must_use]
    pub const fn taken_requests(&self) -> [u64; LANES] {
        self.taken_requests
    }

    /// Whether no reply waits here, durable or not.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.head.is_none() && self.outbox.chunks.is_empty()
    }

    /// An emptied buffer that came from here, for the shard to use again.
    pub fn give_back(&self, buffer: Vec<u8>) {
        self.outbox.shared.give_back_reply_buffer(buffer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{ShardId, Timestamp};
    use crate::shard::fake_log::FakeLog;
    use crate::shard::{Inbox, LogClock};
    use std::sync::atomic::AtomicUsize;
    use std::task::{Wake, Waker};

    /// A task that counts how often it was woken.
    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn open() -> (Arc<Shared>, Arc<Outbox>, Replies) {
        let (inbox, _parker) = Inbox::new(ShardId(0), Arc::new(FakeLog::default()), LogClock::new(Timestamp::ZERO));
        let (outbox, replies) = inbox.open_outbox();
        (inbox.shared, outbox, replies)
    }

    fn chunk(position: u64, byte: u8) -> Chunk {
        Chunk { position: Sequence(position), bytes: vec![byte], replies: [0, 1, 0], decided_ns: 0 }
    }

    #[test]
    fn a_reply_waits_for_the_mark_and_keeps_its_place() {
        let (shared, outbox, mut replies) = open();
        for (position, byte) in [(0, 1), (5, 2), (6, 3)] {
            outbox.put(chunk(position, byte));
        }
        assert_eq!((replies.take(), replies.take()), (Some(vec![1]), None));
        shared.move_mark(Sequence(5));
        assert_eq!((replies.take(), replies.take()), (Some(vec![2]), None));
        assert!(!replies.is_empty());
        shared.move_mark(Sequence(9));
        assert_eq!((replies.take(), replies.take()), (Some(vec![3]), None));
        assert!(replies.is_empty());
    }

    #[test]
    fn a_mark_that_moves_between_the_look_and_the_registration_is_seen() {
        let (shared, outbox, mut replies) = open();
        outbox.put(chunk(1, 7));
        let (mover, notified) = (Arc::clone(&shared), Arc::clone(&outbox));
        *shared.after_look.lock().expect("one thread") = Some(Box::new(move || {
            // The session has just seen that it must wait. Nobody is registered yet: this wakes nobody.
            mover.move_mark(Sequence(1));
            Notify::durable(&*notified);
        }));
        let waker = Waker::from(Arc::new(Woken::default()));
        assert_eq!(replies.poll_take(&mut Context::from_waker(&waker)), Poll::Ready(vec![7]));
    }

    #[test]
    fn whoever_registered_before_the_mark_moved_is_woken_once() {
        let (shared, outbox, mut replies) = open();
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        let mut cx = Context::from_waker(&waker);
        outbox.put(chunk(1, 7));
        assert_eq!(replies.poll_take(&mut cx), Poll::Pending);
        shared.move_mark(Sequence(1));
        Notify::durable(&*outbox);
        Notify::durable(&*outbox);
        assert_eq!(woken.0.load(Ordering::SeqCst), 1);
        assert_eq!(replies.poll_take(&mut cx), Poll::Ready(vec![7]));
    }

    /// A task on a thread of its own: sleeps until woken, without a timeout, so that a lost wake-up hangs the test.
    struct Sleeper(std::thread::Thread);

    impl Wake for Sleeper {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    #[test]
    fn no_wake_up_is_lost_between_a_shard_a_log_and_a_session() {
        const CHUNKS: u64 = 30_000;
        let (shared, outbox, mut replies) = open();
        let (to_log, appended) = std::sync::mpsc::sync_channel::<u64>(3);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let to_log = to_log;
                for position in 1..=CHUNKS {
                    outbox.put(chunk(position, position as u8));
                    to_log.send(position).expect("the log listens");
                }
            });
            scope.spawn(|| {
                for position in appended {
                    shared.move_mark(Sequence(position));
                    Notify::durable(&*outbox);
                }
            });
            let waker = Waker::from(Arc::new(Sleeper(std::thread::current())));
            for position in 1..=CHUNKS {
                let bytes = loop {
                    match replies.poll_take(&mut Context::from_waker(&waker)) {
                        Poll::Ready(bytes) => break bytes,
                        Poll::Pending => std::thread::park(),
                    }
                };
                assert_eq!(bytes, [position as u8], "replies keep their order");
            }
        });
    }
}
