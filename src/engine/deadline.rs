//! Deadlines: which reservation ends next. Ten million of them cost nothing while they wait.
//!
//! ```text
//! far   span 1,024 ms │ span │ span │ …   entries in no order, appended, untouched until their span begins
//!          │ begins
//!          ▼
//! near  a heap by (deadline, position)     popped when due
//! ```
//!
//! # Always true
//! - Every reserved order has one entry, with its deadline or, if that was moved since, an earlier one: when its time
//!   comes it is entered again. An entry without such an order is stale and is dropped then: confirming, cancelling or
//!   extending an order never searches for its entry, and the number of entries is that of placements.
//! - What is due is given out by deadline, then by position: in the same order wherever the same facts were folded.
//! # Why so
//! A hierarchical wheel (Varghese and Lauck, 1987) moves each entry once per level; one level of spans over a heap of
//! the current span moves it once, and needs no tick while nothing is due.

use core::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use super::huge_pages::touched_array;
use crate::base::Timestamp;

const SPAN_BITS: u32 = 10;
/// Entries of one piece of a span.
const PIECE: usize = 4_096;

/// Deadlines of orders, by the position of the order.
#[derive(Debug, Default)]
pub(super) struct Deadlines {
    near: BinaryHeap<Reverse<(u64, u32)>>,
    far: BTreeMap<u64, Span>,
    /// Spans below this one are in `near`.
    begun: u64,
    /// Empty pieces, to be used again.
    spare: Vec<Piece>,
}

/// Some entries of one span: milliseconds into the span, and position.
type Piece = Vec<(u32, u32)>;

/// The entries of one span.
#[derive(Debug, Default)]
struct Span {
    full: Vec<Piece>,
    open: Piece,
}

impl Deadlines {
    /// Takes the memory for so many more entries now.
    pub(super) fn reserve(&mut self, entries: usize) {
        self.spare.resize_with(entries.div_ceil(PIECE), || touched_array(PIECE));
    }

    /// Adds an entry.
    pub(super) fn insert(&mut self, deadline: Timestamp, position: u32) {
        let span = deadline.ms() >> SPAN_BITS;
        if span < self.begun {
            self.near.push(Reverse((deadline.ms(), position)));
        } else {
            let offset = deadline.ms() as u32 & ((1 << SPAN_BITS) - 1);
            self.far.entry(span).or_default().push((offset, position), &mut self.spare);
        }
    }

    /// The first entry that is due at `now`. It stays the first until [`Deadlines::drop_first`].
    pub(super) fn first_due(&mut self, now: Timestamp) -> Option<(Timestamp, u32)> {
        self.begin_spans(now.ms() >> SPAN_BITS);
        let Reverse((deadline, position)) = *self.near.peek()?;
        (deadline <= now.ms()).then_some((Timestamp::from_ms(deadline), position))
    }

    /// Drops the first entry.
    pub(super) fn drop_first(&mut self) {
        self.near.pop();
    }

    /// A moment before which nothing is due: exact for what is near, the begin of its span for what is far.
    pub(super) fn next(&self) -> Option<Timestamp> {
        let near = self.near.peek().map(|Reverse((deadline, _))| *deadline);
        let far = self.far.first_key_value().map(|(span, _)| span << SPAN_BITS);
        near.into_iter().chain(far).min().map(Timestamp::from_ms)
    }

    fn begin_spans(&mut self, upto: u64) {
        while let Some(first) = self.far.first_entry().filter(|first| *first.key() <= upto) {
            let (span, entries) = first.remove_entry();
            let begin = span << SPAN_BITS;
            for mut piece in entries.full.into_iter().chain([entries.open]) {
                let absolute = piece.drain(..);
                self.near.extend(absolute.map(|(offset, position)| Reverse((begin | u64::from(offset), position))));
                if piece.capacity() >= PIECE {
                    self.spare.push(piece);
                }
            }
        }
        self.begun = self.begun.max(upto + 1);
    }
}

impl Span {
    /// Short spans grow as they need; whole pieces come from `spare`.
    fn push(&mut self, entry: (u32, u32), spare: &mut Vec<Piece>) {
        if self.open.len() == PIECE {
            let next = spare.pop().unwrap_or_else(|| Vec::with_capacity(PIECE));
            self.full.push(core::mem::replace(&mut self.open, next));
        }
        self.open.push(entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(deadlines: &mut Deadlines, now: u64) -> Vec<(u64, u32)> {
        let mut due = Vec::new();
        while let Some((at, position)) = deadlines.first_due(Timestamp::from_ms(now)) {
            due.push((at.ms(), position));
            deadlines.drop_first();
        }
        due
    }

    #[test]
    fn entries_come_out_by_deadline_in_their_very_millisecond() {
        let mut deadlines = Deadlines::default();
        for (at, position) in [(5_000, 1), (1, 2), (1_023, 3), (1_024, 4), (5_000, 0), (4_999, 5)] {
            deadlines.insert(Timestamp::from_ms(at), position);
        }
        assert_eq!(drain(&mut deadlines, 0), []);
        assert_eq!(drain(&mut deadlines, 1_023), [(1, 2), (1_023, 3)]);
        deadlines.insert(Timestamp::from_ms(1_024), 6);
        assert_eq!(drain(&mut deadlines, 1_024), [(1_024, 4), (1_024, 6)]);
        assert_eq!(drain(&mut deadlines, 4_999), [(4_999, 5)]);
        assert_eq!(deadlines.next(), Some(Timestamp::from_ms(5_000)));
        assert_eq!(drain(&mut deadlines, u64::MAX >> 16), [(5_000, 0), (5_000, 1)]);
        assert_eq!(deadlines.next(), None);
    }

    #[test]
    fn the_next_moment_is_never_later_than_the_next_entry() {
        let mut deadlines = Deadlines::default();
        deadlines.insert(Timestamp::from_ms(10_500), 0);
        let next = deadlines.next().expect("there is one");
        assert!(next.ms() <= 10_500 && next.ms() > 0);
        assert_eq!(drain(&mut deadlines, next.ms()), []);
        assert_eq!(deadlines.next(), Some(Timestamp::from_ms(10_500)));
    }

    #[test]
    fn many_entries_of_one_span_all_come_out() {
        let mut deadlines = Deadlines::default();
        for position in 0..20_000 {
            deadlines.insert(Timestamp::from_ms(2_048 + u64::from(position % 1_024)), position);
        }
        assert_eq!(drain(&mut deadlines, 3_071).len(), 20_000);
    }
}
