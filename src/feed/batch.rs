//! A batch: facts of one shard that follow each other, as a sink takes them.

use crate::base::{Sequence, ShardId, Timestamp};
use crate::engine::Fact;
use crate::wire::{FactReader, FactScratch, encode_fact};

/// Where a fact stands in its shard's stream. Of two, the one that happened later has the greater position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The entry of the log.
    pub sequence: Sequence,
    /// Its position in the entry, from 0.
    pub index: u32,
}

/// Something that a sink is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// It happened.
    Fact {
        /// Where it stands.
        position: Position,
        /// Log time.
        at: Timestamp,
        /// What.
        fact: Fact<'a>,
    },
    /// Facts are missing: the log was trimmed before the sink took them.
    Gap {
        /// The last entry before them.
        after: Sequence,
        /// The last entry that is missing.
        upto: Sequence,
    },
}

impl Event<'_> {
    /// Where it stands. A gap stands where its last entry would.
    #[must_use]
    pub const fn position(&self) -> Position {
        match self {
            Self::Fact { position, .. } => *position,
            Self::Gap { upto, .. } => Position { sequence: *upto, index: 0 },
        }
    }
}

/// An event without what happened, which is in the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Item {
    Fact { position: Position, at: Timestamp, bytes: usize },
    Gap { after: Sequence, upto: Sequence },
}

impl Item {
    pub(super) const fn bytes(&self) -> usize {
        match self {
            Self::Fact { bytes, .. } => *bytes,
            Self::Gap { .. } => 0,
        }
    }

    /// Everything up to this entry has been taken when this is the next to be taken.
    pub(super) const fn taken_before(&self) -> Sequence {
        match self {
            Self::Fact { position, .. } => Sequence(position.sequence.0 - 1),
            Self::Gap { after, .. } => *after,
        }
    }

    const fn position(&self) -> Position {
        match self {
            Self::Fact { position, .. } => *position,
            Self::Gap { upto, .. } => Position { sequence: *upto, index: 0 },
        }
    }
}

/// Events of one shard in order; at least one.
#[derive(Debug)]
pub struct Batch {
    shard: ShardId,
    items: Vec<Item>,
    /// Facts, one behind the other.
    bytes: Vec<u8>,
}

impl Batch {
    pub(super) fn new(shard: ShardId, items: Vec<Item>, bytes: Vec<u8>) -> Self {
        assert!(!items.is_empty(), "law: a batch tells something");
        Self { shard, items, bytes }
    }

    /// Where it happened.
    #[must_use]
    pub const fn shard(&self) -> ShardId {
        self.shard
    }

    /// How many events.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a batch is never empty")]
    pub const fn len(&self) -> usize {
        self.items.len()
    }

    /// Of them, facts.
    #[must_use]
    pub fn facts(&self) -> usize {
        self.items.iter().filter(|item| matches!(item, Item::Fact { .. })).count()
    }

    /// The positions of the first and the last event.
    #[must_use]
    pub fn positions(&self) -> (Position, Position) {
        let (first, last) = (self.items.first(), self.items.last());
        first.zip(last).map(|(first, last)| (first.position(), last.position())).expect("law: a batch tells something")
    }

    /// Log time of the first fact; `None` when there are only gaps.
    #[must_use]
    pub fn begun_at(&self) -> Option<Timestamp> {
        self.items.iter().find_map(|item| match item {
            Item::Fact { at, .. } => Some(*at),
            Item::Gap { .. } => None,
        })
    }

    /// Hands out every event, in order.
    pub fn read(&self, scratch: &mut FactScratch, mut take: impl FnMut(Event<'_>)) {
        let mut facts = FactReader::new(&self.bytes, scratch);
        for item in &self.items {
            match *item {
                Item::Gap { after, upto } => take(Event::Gap { after, upto }),
                Item::Fact { position, at, .. } => {
                    let fact = facts.next().and_then(Result::ok).expect("law: a batch holds a fact for each item");
                    take(Event::Fact { position, at, fact });
                }
            }
        }
    }
}

/// Appends a fact's record; says how many bytes it took.
pub(super) fn put(fact: &Fact<'_>, into: &mut Vec<u8>) -> usize {
    let before = into.len();
    encode_fact(fact, into);
    into.len() - before
}
