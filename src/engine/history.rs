//! Histories: what happened to each order after its placement, of all orders of a shard together.
//!
//! ```text
//! record ─► the newest entry ─► the one before ─► … ─► the first of the order
//!
//! places, a ring:  │ … │ o7 │ o3 │ o7 │ next ▸ │ the oldest of all │ … │
//! ```
//!
//! # Always true
//! - An order to which nothing happened has none of it; its placement is read off its record and stored nowhere.
//! - An order has at most [`HISTORY_ENTRIES_MAX`] entries, the first that there were and the last; a shard has at most
//!   [`HISTORY_PLACES_MAX`], the newest. Entries of an order carry ordinals, so what is missing is counted.
//! - Nothing is refused for it, and nothing waits for it: what has no room gives way.
//! - What is kept follows from the facts alone, and from no setting.
//! # Not here
//! - Which fact notes what: `fold`. How a page of it is made: `past`.
//! # Why so
//! Every confirmation writes one of these, so writing is one place in a row that is in the cache, and no list is kept
//! of whose they are: a place knows its order, and an order that finds another's entry where its own was knows that it
//! gave way. Closing an order forgets where its entries are; their places are used again when the ring comes round.

use super::happening::Happening;
use super::pool::Table;
use crate::base::limits::{
    HISTORY_ENTRIES_MAX, HISTORY_LAST_ENTRIES_MAX, HISTORY_PLACE_MEMORY_BYTES, HISTORY_PLACES_MAX, LINE_QUANTITY_MAX,
    LINES_MAX,
};
use crate::base::{Sequence, Timestamp};

/// Where the newest entry of an order lies: its place and one; zero for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Newest(u32);

impl Newest {
    pub(super) const NONE: Self = Self(0);
    /// There were entries, and all of them gave way.
    pub(super) const GONE: Self = Self(u32::MAX);

    pub(super) fn is_none(self) -> bool {
        self == Self::NONE
    }
}

/// The line of an entry that is about no single one.
pub(super) const NO_LINE: u16 = u16::MAX;

/// Something that happened to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Past {
    pub(super) what: Happening,
    /// Which entry of the stream says so.
    pub(super) position: Sequence,
    pub(super) at: Timestamp,
    pub(super) line: u16,
    pub(super) value: u64,
    /// The how-manieth thing that happened to the order, its placement not counted. Stays at the largest.
    pub(super) ordinal: u16,
    /// How many things happened to any order since then.
    pub(super) age: u32,
}

/// What happened, packed: it is written with every confirmation.
#[derive(Debug, Clone, Copy, Default)]
struct Content {
    /// Position, and what happened in the lowest byte.
    what: u64,
    /// Log time, and the line in the lowest 16 bits.
    at: u64,
    /// The value, and the ordinal in the lowest 16 bits.
    value: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Place {
    content: Content,
    /// Position of the order among the orders.
    owner: u32,
    before: Newest,
}

const _: () = assert!(size_of::<Place>() as u64 == HISTORY_PLACE_MEMORY_BYTES);

/// Values up to here are kept exactly: every log time, and more units than an order can have. Larger amounts of money
/// are told as this.
const EXACT_UPTO: u64 = (1 << 48) - 1;
const _: () = assert!(EXACT_UPTO >= LINES_MAX as u64 * LINE_QUANTITY_MAX as u64 && EXACT_UPTO >= Timestamp::MAX.ms());

impl Content {
    fn new(what: Happening, position: Sequence, at: Timestamp, (line, value): (u16, u64)) -> Self {
        Self {
            what: position.0 << 8 | what as u64,
            at: at.ms() << 16 | u64::from(line),
            value: value.min(EXACT_UPTO) << 16,
        }
    }

    const fn ordinal(&self) -> u16 {
        self.value as u16
    }

    const fn numbered(mut self, ordinal: u16) -> Self {
        self.value |= ordinal as u64;
        self
    }

    fn past(&self, age: u32) -> Option<Past> {
        Some(Past {
            what: Happening::from_byte(self.what as u8)?,
            position: Sequence(self.what >> 8),
            at: Timestamp::from_ms(self.at >> 16),
            line: self.at as u16,
            value: self.value >> 16,
            ordinal: self.ordinal(),
            age,
        })
    }
}

/// Entries of all orders of a shard.
#[derive(Debug)]
pub(super) struct Histories {
    places: Table<Place>,
    /// One less than there are places.
    mask: u32,
    /// The place that is taken next.
    next: u32,
    /// The entry of the stream that is being filled. No part of the state.
    position: Sequence,
}

impl Default for Histories {
    fn default() -> Self {
        Self::of(HISTORY_PLACES_MAX)
    }
}

impl Histories {
    /// With so many places, a power of two.
    fn of(places: usize) -> Self {
        let mask = u32::try_from(places - 1).expect("law: places are numbered with 32 bits");
        Self { places: Table::default(), mask, next: 0, position: Sequence(0) }
    }

    /// What happens from here on is told in this entry of the stream.
    pub(super) const fn stand_at(&mut self, position: Sequence) {
        self.position = position;
    }

    /// The entry in which whatever happens now is told.
    pub(super) const fn position(&self) -> Sequence {
        self.position
    }

    /// Notes what happened to the order at the position `owner`, whose newest entry is `newest`.
    #[inline]
    pub(super) fn add(
        &mut self,
        (newest, owner): (&mut Newest, u32),
        what: Happening,
        at: Timestamp,
        line_and_value: (u16, u64),
    ) {
        let content = Content::new(what, self.position, at, line_and_value);
        let (before, ordinal) = match self.get(*newest, owner) {
            Some(last) => (*newest, last.content.ordinal().saturating_add(1)),
            // Whoever lost all that was noted of it goes on with the second, so that the loss shows.
            None => (Newest::NONE, 1 + u16::from(!newest.is_none())),
        };
        let content = content.numbered(ordinal);
        if usize::from(ordinal) > HISTORY_ENTRIES_MAX {
            return self.push_out(*newest, owner, content);
        }
        *self.places.get_or_grow(self.next as usize) = Place { content, owner, before };
        *newest = Newest(self.next + 1);
        self.next = (self.next + 1) & self.mask;
    }

    /// Moves the last entries of an order that has as many as it may one place on, so that one more is the last.
    #[cold]
    fn push_out(&mut self, newest: Newest, owner: u32, mut content: Content) {
        let mut link = newest;
        for _ in 0..HISTORY_LAST_ENTRIES_MAX {
            let Some(place) = self.get_mut(link, owner) else { return };
            content = core::mem::replace(&mut place.content, content);
            link = place.before;
            let is_next = self.get(link, owner).is_some_and(|before| is_before(before.content.ordinal(), &content));
            if !is_next {
                return;
            }
        }
    }

    /// Entries of an order, newest first.
    pub(super) fn back(&self, newest: Newest, owner: u32) -> impl Iterator<Item = Past> {
        let (mut link, mut behind) = (newest, None::<Content>);
        let back = core::iter::from_fn(move || {
            let place = self.get(link, owner)?;
            if behind.is_some_and(|behind| !is_before(place.content.ordinal(), &behind)) {
                return None;
            }
            let age = self.next.wrapping_sub(link.0) & self.mask;
            (link, behind) = (place.before, Some(place.content));
            place.content.past(age)
        });
        back.take(HISTORY_ENTRIES_MAX)
    }

    /// Puts the entries of an order where they were, oldest first. `None` when they cannot have been there.
    pub(super) fn restore(&mut self, owner: u32, entries: &[Past]) -> Option<Newest> {
        let mut newest = if entries.is_empty() { Newest::GONE } else { Newest::NONE };
        let mut last: Option<&Past> = None;
        for past in entries {
            let follows = last.is_none_or(|last| {
                let is_ordered = last.ordinal < past.ordinal || last.ordinal == u16::MAX;
                is_ordered && last.age > past.age && last.position <= past.position
            });
            let fits = past.age <= self.mask && past.ordinal > 0 && past.position.0 < 1 << 56;
            if !follows || !fits {
                return None;
            }
            let place = self.next.wrapping_sub(1 + past.age) & self.mask;
            let kept = self.places.get_or_grow(place as usize);
            if kept.content.what != 0 {
                return None;
            }
            let content = Content::new(past.what, past.position, past.at, (past.line, past.value));
            *kept = Place { content: content.numbered(past.ordinal), owner, before: newest };
            (newest, last) = (Newest(place + 1), Some(past));
        }
        Some(newest)
    }

    /// What lies at a place, if it is this order's.
    fn get(&self, link: Newest, owner: u32) -> Option<&Place> {
        let place = self.places.get((link.0 as usize).checked_sub(1)?)?;
        (place.owner == owner).then_some(place)
    }

    fn get_mut(&mut self, link: Newest, owner: u32) -> Option<&mut Place> {
        let place = self.places.get_mut((link.0 as usize).checked_sub(1)?)?;
        (place.owner == owner).then_some(place)
    }
}

/// Whether an entry with this ordinal can have been followed by that one. Where it cannot, the entry that was linked to
/// gave way to a later one of the same order.
const fn is_before(ordinal: u16, behind: &Content) -> bool {
    ordinal < behind.ordinal() || behind.ordinal() == u16::MAX
}

#[cfg(test)]
mod tests;
