//! What a shard's thread shares with everybody else: with its sessions' outboxes and with the log. No lock in it.
//!
//! # Not here
//! - What is submitted: `inbox`. A submission holds its outbox, an outbox holds this; were the lanes in here too,
//!   nothing in that circle would ever be freed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Wake;

use crossbeam_queue::ArrayQueue;
use crossbeam_utils::sync::Parker;

use super::ahead::{Ahead, OnTheWay};
use super::board::{Board, Change};
use super::clock::LogClock;
use super::facts::Sealed;
use super::log::Log;
use super::parking::{Parking, Rest};
use super::stages::Stages;
use crate::base::limits::{AHEAD_ENTRIES_MAX, REPLY_SPARE_BUFFERS_MAX, REPLY_SPARE_BYTES_MAX};
use crate::base::{Sequence, ShardId};
use crate::engine::{Effect, KEPT, TASKS};
use crate::wal::{Entry, Notify};

pub(super) struct Shared {
    pub(super) stream: ShardId,
    pub(super) log: Arc<dyn Log>,
    pub(super) clock: LogClock,
    spare_replies: ArrayQueue<Vec<u8>>,
    pub(super) parking: Parking,
    pub(super) ahead: Ahead,
    pub(super) stages: Stages,
    pub(super) usage: UsageCounters,
    pub(super) board: Board,
    spare_changes: ArrayQueue<Vec<Change>>,
    /// The last entry that is durable and whose changes stand on the board.
    mark: AtomicU64,
    /// Run once, right after somebody has looked at the mark.
    #[cfg(test)]
    pub(super) after_look: std::sync::Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

/// What the engine holds, told at the end of every turn.
#[derive(Debug, Default)]
pub(super) struct UsageCounters {
    /// By [`Kept`](crate::engine::Kept).
    pub(super) kept: [AtomicU64; KEPT],
    /// By effect: wanted, set aside.
    pub(super) wanted: [[AtomicU64; 2]; Effect::ALL.len()],
    /// By kind of task.
    pub(super) tasks: [AtomicU64; TASKS],
}

impl Shared {
    pub(super) fn new(stream: ShardId, log: Arc<dyn Log>, clock: LogClock) -> (Self, Parker) {
        let (parking, parker) = Parking::new();
        let mark = log.durable(stream);
        let shared = Self {
            stream,
            log,
            clock,
            spare_replies: ArrayQueue::new(REPLY_SPARE_BUFFERS_MAX),
            parking,
            ahead: Ahead::new(),
            stages: Stages::default(),
            usage: UsageCounters::default(),
            board: Board::default(),
            spare_changes: ArrayQueue::new(AHEAD_ENTRIES_MAX),
            mark: AtomicU64::new(mark.0),
            #[cfg(test)]
            after_look: std::sync::Mutex::default(),
        };
        (shared, parker)
    }

    /// Everything up to here is durable and stands on the board: what was decided up to here may leave. It follows the
    /// log's own mark at once, and never passes an answer that the board does not know of.
    pub(super) fn mark(&self) -> Sequence {
        let seen = Sequence(self.mark.load(Ordering::Acquire));
        #[cfg(test)]
        if let Some(then) = self.after_look.lock().expect("no test panics in it").take() {
            then();
        }
        seen
    }

    pub(super) fn move_mark(&self, position: Sequence) {
        self.mark.fetch_max(position.0, Ordering::Release);
    }

    pub(super) fn take_changes_buffer(&self) -> Vec<Change> {
        self.spare_changes.pop().unwrap_or_default()
    }

    pub(super) fn take_reply_buffer(&self) -> Vec<u8> {
        self.spare_replies.pop().unwrap_or_default()
    }

    pub(super) fn give_back_reply_buffer(&self, mut buffer: Vec<u8>) {
        if buffer.capacity() > 0 && buffer.capacity() <= REPLY_SPARE_BYTES_MAX {
            buffer.clear();
            // A full shelf lets the buffer go.
            let _dropped = self.spare_replies.push(buffer);
        }
    }

    /// Hands an entry to the log, counted as on its way.
    pub(super) fn append(&self, Sealed { entry, posting, replies, decided_ns }: Sealed) -> Result<(), Entry> {
        let bytes = entry.bytes.len();
        self.stages.entry_bytes.record(bytes as u64);
        self.ahead.handle_append(OnTheWay { position: entry.sequence, bytes, posting, replies, decided_ns });
        self.log.append(entry)
    }
}

/// A key was overwritten, for which an erasure waits.
impl Wake for Shared {
    fn wake(self: Arc<Self>) {
        self.parking.wake_always();
    }
}

/// The oldest entry on its way has arrived. Called before the sessions that wait for it are.
impl Notify for Shared {
    fn durable(&self) {
        let now_ns = self.clock.monotonic_ns();
        if let Some(entry) = self.ahead.handle_durable(now_ns) {
            let took_us = now_ns.saturating_sub(entry.decided_ns) / 1_000;
            self.stages.durable_us.record_n(took_us, entry.replies.into());
            if let Some(mut posting) = entry.posting {
                self.board.publish(&posting);
                posting.changes.clear();
                // A full shelf lets the buffer go.
                let _dropped = self.spare_changes.push(posting.changes);
            }
            self.move_mark(entry.position);
        }
        self.parking.wake(Rest::Stalled);
    }
}
