//! The shards' side of the log: append, look at the marks, take an emptied buffer.
//!
//! # Always true
//! - Nothing here waits. A full queue gives the entry back.
//! - No wake-up is lost: the thread says that it is going to sleep *before* it looks at the queue a last time, and
//!   `append` looks whether it sleeps *after* it has pushed; one of the two sees the other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, fence};
use std::time::Duration;

use crossbeam_queue::ArrayQueue;
use crossbeam_utils::CachePadded;
use crossbeam_utils::sync::{Parker, Unparker};

use super::stats::Counters;
use super::{Durability, Entry, Notify, ProbeReport, Stats, StreamTail, SyncMethod};
use crate::base::limits::{LOG_PENDING_BYTES_MAX, LOG_QUEUE_ENTRIES_MAX, LOG_SPARE_BUFFERS_MAX, LOG_SPARE_BYTES_MAX};
use crate::base::{Sequence, ShardId};

/// One for every shard and everybody who wants to look; all are the same log.
#[derive(Clone)]
pub struct Handle {
    shared: Arc<Shared>,
}

impl Handle {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Hands an entry to the log's thread. Of one stream, one thread at a time appends.
    ///
    /// # Errors
    /// The entry itself, when the queue or the stream's byte bound is full, or the log has failed or is stopping: the
    /// shard stops draining until the mark moves.
    pub fn append(&self, entry: Entry) -> Result<(), Entry> {
        let shared = &*self.shared;
        let length = entry.bytes.len();
        assert!(length <= shared.entry_bytes_max, "a shard cuts its turn before its facts outgrow one entry");
        let marks = shared.marks(entry.stream);
        if shared.closed.load(Ordering::Acquire) || !marks.reserve(length) {
            return Err(entry);
        }
        if let Err(entry) = shared.queue.push(entry) {
            marks.pending_bytes.fetch_sub(length, Ordering::Relaxed);
            return Err(entry);
        }
        shared.wake();
        Ok(())
    }

    /// The last entry of the stream that is durable.
    #[must_use]
    pub fn durable(&self, stream: ShardId) -> Sequence {
        Sequence(self.shared.marks(stream).durable.load(Ordering::Acquire))
    }

    /// Bytes appended to the stream and not yet durable.
    #[must_use]
    pub fn pending_bytes(&self, stream: ShardId) -> usize {
        self.shared.marks(stream).pending_bytes.load(Ordering::Relaxed)
    }

    /// Whether placements must be refused: the disk has no room for another segment. Urgent commands go on into the
    /// reserved one.
    #[must_use]
    pub fn disk_low(&self) -> bool {
        self.shared.is_disk_low()
    }

    /// Whether a write or a sync failed. Final.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.shared.failed.load(Ordering::Acquire)
    }

    /// Asks for the segment being written to end, however little it holds. Gives a ticket for [`Handle::is_sealed`].
    pub fn seal(&self) -> u64 {
        let ticket = self.shared.seals_asked.fetch_add(1, Ordering::AcqRel) + 1;
        self.shared.nudge();
        ticket
    }

    /// Whether everything durable when that ticket was given is in the sealed part of the log.
    #[must_use]
    pub fn is_sealed(&self, ticket: u64) -> bool {
        self.shared.seals_done.load(Ordering::Acquire) >= ticket
    }

    /// What the log counted so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let about = &self.shared.about;
        self.shared.counters.snapshot(about.method, about.mode, about.probe)
    }

    /// An empty buffer, used before if there is one.
    #[must_use]
    pub fn take_spare(&self) -> Vec<u8> {
        self.shared.spare.pop().unwrap_or_default()
    }

    /// An empty list of wakers, used before if there is one.
    #[must_use]
    pub fn take_spare_notify(&self) -> Vec<Arc<dyn Notify>> {
        self.shared.spare_notify.pop().unwrap_or_default()
    }
}

/// What does not change while the log runs.
#[derive(Debug, Clone, Copy)]
pub(super) struct About {
    pub(super) method: Option<SyncMethod>,
    pub(super) mode: Durability,
    pub(super) probe: Option<ProbeReport>,
}

/// Where the shards and the log's thread meet.
pub(super) struct Shared {
    queue: ArrayQueue<Entry>,
    spare: ArrayQueue<Vec<u8>>,
    spare_notify: ArrayQueue<Vec<Arc<dyn Notify>>>,
    marks: Box<[CachePadded<Marks>]>,
    sleeping: AtomicBool,
    unparker: Unparker,
    /// No entry is taken any more: failed, or stopping.
    closed: AtomicBool,
    failed: AtomicBool,
    disk_low: AtomicBool,
    seals_asked: AtomicU64,
    seals_done: AtomicU64,
    entry_bytes_max: usize,
    about: About,
    pub(super) counters: Counters,
}

struct Marks {
    durable: AtomicU64,
    pending_bytes: AtomicUsize,
}

impl Marks {
    /// One entry is always taken, however large; there is one producer, so looking first and adding then is sound.
    fn reserve(&self, length: usize) -> bool {
        let pending = self.pending_bytes.load(Ordering::Relaxed);
        if pending > 0 && pending + length > LOG_PENDING_BYTES_MAX {
            return false;
        }
        self.pending_bytes.fetch_add(length, Ordering::Relaxed);
        true
    }
}

impl Shared {
    pub(super) fn new(tails: &[StreamTail], entry_bytes_max: usize, about: About, unparker: Unparker) -> Self {
        let mark = |tail: &StreamTail| {
            let durable = AtomicU64::new(tail.sequence.0);
            CachePadded::new(Marks { durable, pending_bytes: AtomicUsize::new(0) })
        };
        Self {
            queue: ArrayQueue::new(LOG_QUEUE_ENTRIES_MAX),
            spare: ArrayQueue::new(LOG_SPARE_BUFFERS_MAX),
            spare_notify: ArrayQueue::new(LOG_SPARE_BUFFERS_MAX),
            marks: tails.iter().map(mark).collect(),
            sleeping: AtomicBool::new(false),
            unparker,
            closed: AtomicBool::new(false),
            failed: AtomicBool::new(false),
            disk_low: AtomicBool::new(false),
            seals_asked: AtomicU64::new(0),
            seals_done: AtomicU64::new(0),
            entry_bytes_max,
            about,
            counters: Counters::new(),
        }
    }

    fn marks(&self, stream: ShardId) -> &Marks {
        let marks = self.marks.get(usize::from(stream.0));
        marks.expect("a stream is one of the shards the log was opened with")
    }

    /// Wakes the thread if it sleeps.
    pub(super) fn wake(&self) {
        fence(Ordering::SeqCst);
        if self.sleeping.load(Ordering::Relaxed) {
            self.unparker.unpark();
        }
    }

    /// Sleeps until woken or until the span is over, unless something waits already.
    pub(super) fn sleep(&self, parker: &Parker, span: Option<Duration>) {
        self.sleeping.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        if self.queue.is_empty() && !self.closed.load(Ordering::Relaxed) {
            match span {
                Some(span) => parker.park_timeout(span),
                None => parker.park(),
            }
        }
        self.sleeping.store(false, Ordering::Relaxed);
    }

    pub(super) fn take_entry(&self) -> Option<Entry> {
        self.queue.pop()
    }

    /// Moves a stream's mark; the wakers come after.
    pub(super) fn mark_durable(&self, stream: ShardId, sequence: Sequence, bytes: usize) {
        let marks = self.marks(stream);
        marks.pending_bytes.fetch_sub(bytes, Ordering::Relaxed);
        marks.durable.store(sequence.0, Ordering::Release);
    }

    pub(super) fn recycle(&self, mut bytes: Vec<u8>) {
        if bytes.capacity() > 0 && bytes.capacity() <= LOG_SPARE_BYTES_MAX {
            bytes.clear();
            // A full shelf lets the buffer go.
            let _dropped = self.spare.push(bytes);
        }
    }

    pub(super) fn recycle_notify(&self, notify: Vec<Arc<dyn Notify>>) {
        if notify.capacity() > 0 {
            let _dropped = self.spare_notify.push(notify);
        }
    }

    pub(super) fn fail(&self) {
        self.failed.store(true, Ordering::Release);
        self.close();
    }

    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.unparker.unpark();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Tickets given for ends of segments; the newest, if it is not done.
    pub(super) fn seal_wanted(&self) -> Option<u64> {
        let asked = self.seals_asked.load(Ordering::Acquire);
        (asked > self.seals_done.load(Ordering::Relaxed)).then_some(asked)
    }

    /// Every ticket up to this one is done.
    pub(super) fn mark_sealed(&self, ticket: u64) {
        self.seals_done.store(ticket, Ordering::Release);
    }

    pub(super) fn set_disk_low(&self, low: bool) {
        self.disk_low.store(low, Ordering::Relaxed);
    }

    pub(super) fn is_disk_low(&self) -> bool {
        self.disk_low.load(Ordering::Relaxed)
    }

    /// Wakes the thread whether it says that it sleeps or not.
    pub(super) fn nudge(&self) {
        self.unparker.unpark();
    }
}
