//! Facts of a turn on their way into entries of the log.
//!
//! # Always true
//! - One turn is one entry, unless its facts outgrow one: then it is cut between two steps of the turn, while there is
//!   still room for the facts of one step. So whoever folds a fact knows which entry will tell it.
//! - Entries leave in the order of their positions, without a gap.

use std::collections::VecDeque;
use std::sync::Arc;

use super::board::{Change, Posting};
use crate::base::limits::{LOG_BLOCK_BYTES, RECORD_BYTES_MAX};
use crate::base::{Sequence, ShardId, Timestamp};
use crate::engine::Fact;
use crate::wal::{Entry, Notify};
use crate::wire::encode_fact;

/// An entry that is complete.
#[derive(Debug)]
pub(super) struct Sealed {
    pub(super) entry: Entry,
    /// For the board; none when the turn goes on in the next entry.
    pub(super) posting: Option<Posting>,
    /// Replies that wait for it.
    pub(super) replies: u32,
    /// When the turn ended.
    pub(super) decided_ns: u64,
}

pub(super) struct Facts {
    stream: ShardId,
    /// Of the last entry sealed, ever.
    position: Sequence,
    /// Bytes from which on an entry takes no further step.
    full_bytes: usize,
    /// Told first of every entry that is durable.
    shard: Arc<dyn Notify>,
    /// Of the entry being filled.
    bytes: Vec<u8>,
    notify: Vec<Arc<dyn Notify>>,
    /// Of this turn.
    posting: Posting,
    turn_bytes: usize,
    sealed: VecDeque<Sealed>,
}

impl Facts {
    pub(super) fn new(stream: ShardId, last: Sequence, entry_bytes_max: usize, shard: Arc<dyn Notify>) -> Self {
        Self {
            stream,
            position: last,
            full_bytes: full_bytes(entry_bytes_max),
            shard,
            bytes: Vec::new(),
            notify: Vec::new(),
            posting: Posting::default(),
            turn_bytes: 0,
            sealed: VecDeque::new(),
        }
    }

    /// Appends a fact that has been folded.
    pub(super) fn add(&mut self, fact: &Fact<'_>) {
        let start = self.bytes.len();
        encode_fact(fact, &mut self.bytes);
        self.turn_bytes += self.bytes.len() - start;
    }

    /// Whether the entry being filled has to be sealed before the next step.
    pub(super) const fn is_full(&self) -> bool {
        self.bytes.len() >= self.full_bytes
    }

    /// Seals the entry being filled; the turn goes on in the next one.
    pub(super) fn cut(&mut self, now: Timestamp) {
        // What changed stands on the board before any answer of the turn leaves, and those wait for its last entry.
        self.seal(now, None, 0, 0);
    }

    /// The entry that tells what is added next.
    pub(super) const fn next_position(&self) -> Sequence {
        self.position.next()
    }

    /// Whether the entry being filled holds facts already.
    pub(super) const fn has_begun(&self) -> bool {
        !self.bytes.is_empty()
    }

    pub(super) const fn stream(&self) -> ShardId {
        self.stream
    }

    /// Bytes of this turn's facts.
    pub(super) const fn turn_bytes(&self) -> usize {
        self.turn_bytes
    }

    /// Where everything this turn decided will be found: of the entry being filled, or of the last one.
    pub(super) const fn position(&self) -> Sequence {
        if self.bytes.is_empty() { self.position } else { self.next_position() }
    }

    /// To be filled with whom to tell when the turn is durable.
    pub(super) const fn notify(&mut self) -> &mut Vec<Arc<dyn Notify>> {
        &mut self.notify
    }

    /// To be filled with what the board is told when the turn is durable.
    pub(super) const fn posting(&mut self) -> &mut Posting {
        &mut self.posting
    }

    /// Ends the turn. Its entry is sealed if there are facts in it or somebody waits for those before it.
    pub(super) fn finish(&mut self, now: Timestamp, replies: u32, decided_ns: u64) {
        self.turn_bytes = 0;
        if !self.bytes.is_empty() || !self.notify.is_empty() {
            let posting = std::mem::take(&mut self.posting);
            self.seal(now, Some(posting), replies, decided_ns);
        }
    }

    fn seal(&mut self, now: Timestamp, posting: Option<Posting>, replies: u32, decided_ns: u64) {
        self.position = self.position();
        let mut notify = std::mem::take(&mut self.notify);
        notify.push(Arc::clone(&self.shard));
        let last = notify.len() - 1;
        notify.swap(0, last);
        let bytes = std::mem::take(&mut self.bytes);
        let entry = Entry { stream: self.stream, sequence: self.position, log_time: now, bytes, notify };
        self.sealed.push_back(Sealed { entry, posting, replies, decided_ns });
    }

    pub(super) fn poll_sealed(&mut self) -> Option<Sealed> {
        self.sealed.pop_front()
    }

    pub(super) fn has_sealed(&self) -> bool {
        !self.sealed.is_empty()
    }

    /// Whether it has no memory for the next turn's facts.
    pub(super) const fn wants_buffers(&self) -> bool {
        self.bytes.capacity() == 0
    }

    pub(super) fn handle_buffers(&mut self, bytes: Vec<u8>, notify: Vec<Arc<dyn Notify>>, changes: Vec<Change>) {
        assert!(self.bytes.is_empty() && self.notify.is_empty(), "law: buffers change hands between turns");
        assert!(self.posting.changes.is_empty(), "law: whatever changes the board is a fact of its turn");
        self.bytes = bytes;
        self.notify = notify;
        self.posting.changes = changes;
    }
}

/// Bytes from which on an entry is full: behind them there is room for the largest fact of a command, and for the small
/// ones of a step. Entries too small for that are those of tests, whose facts are small.
fn full_bytes(entry_bytes_max: usize) -> usize {
    entry_bytes_max.saturating_sub(RECORD_BYTES_MAX + LOG_BLOCK_BYTES).max(entry_bytes_max / 4)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::limits::{ENTRY_BYTES_MAX, LOG_SEGMENT_BYTES_NODE_MIN, TURN_BYTES_MAX};
    use crate::base::{MarketId, OrderId};

    struct Nobody;

    impl Notify for Nobody {
        fn durable(&self) {}
    }

    fn expired(number: u64) -> Fact<'static> {
        Fact::Expired { order: OrderId::new(Timestamp::ZERO, MarketId::MAX, number) }
    }

    fn one_fact_bytes() -> usize {
        let mut bytes = Vec::new();
        encode_fact(&expired(1), &mut bytes);
        bytes.len()
    }

    #[test]
    fn a_turn_that_outgrows_an_entry_is_cut_between_facts() {
        let size = one_fact_bytes();
        let mut facts = Facts::new(ShardId(3), Sequence(7), 8 * size, Arc::new(Nobody));
        for number in 0..5 {
            if facts.is_full() {
                facts.cut(Timestamp::from_ms(1));
            }
            assert_eq!(facts.next_position(), Sequence(8 + number / 2), "known before it is added");
            facts.add(&expired(number));
        }
        assert_eq!((facts.position(), facts.turn_bytes()), (Sequence(10), 5 * size));
        facts.finish(Timestamp::from_ms(1), 9, 0);
        let mut entries = Vec::new();
        while let Some(sealed) = facts.poll_sealed() {
            entries.push((sealed.entry.sequence.0, sealed.entry.bytes.len() / size, sealed.replies));
        }
        assert_eq!(entries, [(8, 2, 0), (9, 2, 0), (10, 1, 9)]);
    }

    #[test]
    fn an_entry_that_is_not_full_takes_the_largest_fact_and_an_expiry_before_it() {
        let options =
            crate::wal::Options { segment_bytes: LOG_SEGMENT_BYTES_NODE_MIN, ..crate::wal::Options::new("", 1) };
        let smallest = options.entry_bytes_max();
        for entry_bytes_max in [smallest, smallest + 4_096, ENTRY_BYTES_MAX] {
            assert!(full_bytes(entry_bytes_max) + RECORD_BYTES_MAX + one_fact_bytes() <= entry_bytes_max);
        }
        assert!(full_bytes(ENTRY_BYTES_MAX) > TURN_BYTES_MAX, "a turn of commands is one entry");
    }

    #[test]
    fn a_turn_without_facts_is_an_entry_only_if_somebody_waits_and_takes_no_position() {
        let mut facts = Facts::new(ShardId(0), Sequence(7), 1_000, Arc::new(Nobody));
        facts.finish(Timestamp::ZERO, 0, 0);
        assert!(!facts.has_sealed());
        facts.notify().push(Arc::new(Nobody));
        facts.finish(Timestamp::ZERO, 1, 0);
        let sealed = facts.poll_sealed().expect("somebody waits");
        assert_eq!((sealed.entry.sequence, sealed.entry.bytes.len(), sealed.entry.notify.len()), (Sequence(7), 0, 2));
        facts.add(&expired(1));
        assert_eq!(facts.position(), Sequence(8));
    }
}
