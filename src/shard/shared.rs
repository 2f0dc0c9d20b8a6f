//! What a shard's thread shares with everybody else: with its sessions' outboxes and with the log. No lock in it.
//!
//! # Not here
//! - What is submitted: `inbox`. A submission holds its outbox, an outbox holds this; were the lanes in here too,
//!   nothing in that circle would ever be freed.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use crossbeam_queue::ArrayQueue;
use crossbeam_utils::sync::Parker;

use super::ahead::{Ahead, OnTheWay};
use super::clock::LogClock;
use super::facts::Sealed;
use super::log::Log;
use super::parking::{Parking, Rest};
use super::stages::Stages;
use crate::base::limits::{REPLY_SPARE_BUFFERS_MAX, REPLY_SPARE_BYTES_MAX};
use crate::base::{Sequence, ShardId};
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
}

/// What the engine holds, told at the end of every turn.
#[derive(Debug, Default)]
pub(super) struct UsageCounters {
    pub(super) orders: AtomicU64,
    pub(super) details_bytes: AtomicU64,
}

impl Shared {
    pub(super) fn new(stream: ShardId, log: Arc<dyn Log>, clock: LogClock) -> (Self, Parker) {
        let (parking, parker) = Parking::new();
        let shared = Self {
            stream,
            log,
            clock,
            spare_replies: ArrayQueue::new(REPLY_SPARE_BUFFERS_MAX),
            parking,
            ahead: Ahead::new(),
            stages: Stages::default(),
            usage: UsageCounters::default(),
        };
        (shared, parker)
    }

    pub(super) fn durable(&self) -> Sequence {
        self.log.durable(self.stream)
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
    pub(super) fn append(&self, Sealed { entry, replies, decided_ns }: Sealed) -> Result<(), Entry> {
        let bytes = entry.bytes.len();
        self.stages.entry_bytes.record(bytes as u64);
        self.ahead.handle_append(OnTheWay { position: entry.sequence, bytes, replies, decided_ns });
        self.log.append(entry)
    }
}

/// The oldest entry on its way has arrived. Called before the sessions that wait for it are.
impl Notify for Shared {
    fn durable(&self) {
        let now_ns = self.clock.monotonic_ns();
        if let Some(entry) = self.ahead.handle_durable(now_ns) {
            let took_us = now_ns.saturating_sub(entry.decided_ns) / 1_000;
            self.stages.durable_us.record_n(took_us, entry.replies.into());
        }
        self.parking.wake(Rest::Stalled);
    }
}
