//! Replies of a turn on their way into the outboxes: one writer for each outbox the turn has to do with.
//!
//! # Always true
//! - All replies of a turn to one outbox are one chunk and at most one wake-up.
//! - They wait for the position of the turn's last fact, also refusals and readings: what they saw was decided there or
//!   before.

use std::sync::Arc;

use super::lane::LANES;
use super::outbox::{Chunk, Outbox};
use crate::base::{Sequence, Timestamp};
use crate::wal::Notify;
use crate::wire::ReplyWriter;

/// What is being written for one outbox.
pub(super) struct Visit {
    outbox: Arc<Outbox>,
    pub(super) writer: ReplyWriter,
    /// By lane.
    pub(super) replies: [u32; LANES],
}

impl Visit {
    /// Where it is written for.
    pub(super) fn outbox(&self) -> Arc<Outbox> {
        Arc::clone(&self.outbox)
    }
}

#[derive(Default)]
pub(super) struct Answers {
    visits: Vec<Visit>,
    /// Counts turns, so that a mark on an outbox is known to be of this turn.
    turn: u64,
}

/// A mark on an outbox is the turn and the place among the visits.
const PLACE_BITS: u32 = 16;

impl Answers {
    pub(super) fn begin_turn(&mut self) {
        self.turn += 1;
    }

    /// The place of this outbox among the visits of this turn.
    pub(super) fn visit(&mut self, outbox: &Arc<Outbox>, now: Timestamp) -> usize {
        let mark = outbox.visit();
        if mark >> PLACE_BITS == self.turn {
            return (mark & ((1 << PLACE_BITS) - 1)) as usize;
        }
        let place = self.visits.len();
        assert!(place < 1 << PLACE_BITS, "law: a turn takes fewer submissions than a mark can tell apart");
        outbox.set_visit(self.turn << PLACE_BITS | place as u64);
        let mut writer = ReplyWriter::new(outbox.take_buffer());
        writer.begin(now);
        self.visits.push(Visit { outbox: Arc::clone(outbox), writer, replies: [0; LANES] });
        place
    }

    pub(super) fn at(&mut self, place: usize) -> &mut Visit {
        &mut self.visits[place]
    }

    /// Puts every chunk. Whoever need not wait is woken; the others are added to `notify`. Tells how many replies wait.
    pub(super) fn finish(&mut self, end: &End, notify: &mut Vec<Arc<dyn Notify>>) -> u32 {
        let waits = end.position > end.durable;
        let mut replies = 0;
        for Visit { outbox, writer, replies: count } in self.visits.drain(..) {
            let all: u32 = count.iter().sum();
            if all == 0 {
                // Whatever it asked was put off, or is answered later.
                continue;
            }
            replies += all;
            let bytes = writer.finish();
            outbox.put(Chunk { position: end.position, bytes, replies: count, decided_ns: end.decided_ns });
            if waits {
                notify.push(outbox);
            } else {
                outbox.wake();
            }
        }
        if waits { replies } else { 0 }
    }
}

/// How a turn ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct End {
    /// Where its last fact, or the last one before it, will be found.
    pub(super) position: Sequence,
    /// The mark as it was read at the end of the turn.
    pub(super) durable: Sequence,
    pub(super) decided_ns: u64,
}
