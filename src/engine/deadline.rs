//! Deadlines: which reservation ends next. Ten million of them cost nothing while they wait.
//!
//! ```text
//! days   span 131 s  │ span │ span │ …   entries in no order, appended; 35 minutes before their time they trickle down
//!          │ a few at a time
//!          ▼
//! hour   span 1.024 s │ span │ span │ …  the same, untouched until their span begins or is swept
//!          │ begins
//!          ▼
//! near   a heap by (deadline, position)     popped when due
//! ```
//!
//! # Always true
//! - Every order that waits for its deadline has an entry with it. An entry whose order waits for another one, or for
//!   none, is stale and is dropped when its time comes: confirming, cancelling or extending an order never searches for
//!   its entry.
//! - What is due is given out by deadline, then by position: in the same order wherever the same facts were folded.
//! # Why so
//! A hierarchical wheel (Varghese and Lauck, 1987) moves each entry once per level and ticks; two levels of spans over
//! a heap of the current one move it once or twice, and need no tick while nothing is due. With one level of seconds,
//! a shop of one order a second would have a span of its own, of a hundred bytes, for every order of a month.
//!
//! An entry is counted with its order. Where orders leave long before their entry is due (a reservation of days in a
//! market that forgets within minutes), [`Deadlines::sweep`] drops stale ones before their time.

use core::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use super::huge_pages::touched_array;
use crate::base::Timestamp;

/// Milliseconds of a span of each level, as a power of two.
const SPAN_BITS: [u32; 2] = [10, 17];
/// Entries of one piece of a span.
const PIECE: usize = 4_096;
/// Milliseconds from which on an entry is of the upper level: 70 minutes.
const UPPER_MS: u64 = 1 << 22;
/// Less than this before its time an entry may trickle down.
const TRICKLE_MS: u64 = UPPER_MS / 2;
/// Entries that trickle down whenever one is added.
const TRICKLE_ENTRIES: usize = 64;
/// Entries that one sweep looks at.
const SWEPT_ENTRIES: usize = 4;
/// Empty pieces that are kept, unless more were asked for ahead. More would pile up: a span that begins leaves one more
/// than the next one takes, for its last piece grows as it needs.
const SPARES_KEPT: usize = 64;

/// Deadlines of orders, by the position of the order.
#[derive(Debug)]
pub(super) struct Deadlines {
    near: BinaryHeap<Reverse<(u64, u32)>>,
    /// Spans of each level, by their begin.
    levels: [BTreeMap<u64, Span>; 2],
    /// Moments before this one are in `near`.
    begun: u64,
    /// Nothing is due before that of what is not near.
    far_begin: u64,
    /// Before that there is nothing to be done with it.
    far_next: u64,
    spares: Spares,
    len: usize,
    /// The level and the begin of the span that is swept.
    swept: (usize, u64),
    /// Its entries that were looked at and stay.
    kept: Span,
}

/// Milliseconds into the span, and position.
type Entry = (u32, u32);
type Piece = Vec<Entry>;

/// Empty pieces, to be used again.
#[derive(Debug)]
struct Spares {
    pieces: Vec<Piece>,
    max: usize,
}

/// The entries of one span.
#[derive(Debug, Default)]
struct Span {
    full: Vec<Piece>,
    open: Piece,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            near: BinaryHeap::new(),
            levels: Default::default(),
            begun: 0,
            far_begin: u64::MAX,
            far_next: u64::MAX,
            spares: Spares { pieces: Vec::new(), max: SPARES_KEPT },
            len: 0,
            swept: (0, 0),
            kept: Span::default(),
        }
    }
}

impl Deadlines {
    /// Takes the memory for so many more entries now.
    pub(super) fn reserve(&mut self, entries: usize) {
        self.spares.max = SPARES_KEPT.max(entries.div_ceil(PIECE));
        self.spares.pieces.resize_with(entries.div_ceil(PIECE), || touched_array(PIECE));
    }

    /// How many entries there are, stale ones included.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Adds an entry.
    pub(super) fn insert(&mut self, deadline: Timestamp, position: u32) {
        self.len += 1;
        self.enter(deadline.ms(), position);
        self.trickle(TRICKLE_ENTRIES);
    }

    /// The first entry that is due at `now`. It stays the first until [`Deadlines::drop_first`].
    pub(super) fn first_due(&mut self, now: Timestamp) -> Option<(Timestamp, u32)> {
        self.begin_spans(now.ms());
        let Reverse((deadline, position)) = *self.near.peek()?;
        (deadline <= now.ms()).then_some((Timestamp::from_ms(deadline), position))
    }

    /// Drops the first entry.
    pub(super) fn drop_first(&mut self) {
        self.len -= usize::from(self.near.pop().is_some());
    }

    /// A moment before which nothing is due: exact for what is near, the begin of its span for what is not.
    pub(super) fn next(&self) -> Option<Timestamp> {
        let near = self.near.peek().map_or(u64::MAX, |Reverse((deadline, _))| *deadline);
        let next = near.min(self.far_begin);
        (next < u64::MAX).then(|| Timestamp::from_ms(next))
    }

    /// Looks at a few entries that are not near, one span after the other and then from the start again, and drops
    /// those that are stale: of which `is_alive` says no.
    pub(super) fn sweep(&mut self, is_alive: impl Fn(Timestamp, u32) -> bool) {
        for _ in 0..SWEPT_ENTRIES {
            let (level, begin) = self.swept;
            let entry = self.levels[level].get_mut(&begin).and_then(|span| span.pop(&mut self.spares));
            let Some((offset, position)) = entry else {
                self.sweep_next();
                continue;
            };
            if is_alive(Timestamp::from_ms(begin + u64::from(offset)), position) {
                self.kept.push((offset, position), &mut self.spares);
            } else {
                self.len -= 1;
            }
        }
    }

    /// Ends the sweep of a span, and turns to the next one.
    #[cold]
    fn sweep_next(&mut self) {
        let (level, begin) = self.swept;
        let kept = core::mem::take(&mut self.kept);
        if kept.is_empty() {
            self.levels[level].remove(&begin);
        } else {
            self.levels[level].insert(begin, kept);
        }
        let same = self.levels[level].range(begin + 1..).next().map(|(begin, _)| (level, *begin));
        let other = || self.levels[1 - level].first_key_value().map(|(begin, _)| (1 - level, *begin));
        self.swept = same.or_else(other).unwrap_or((1 - level, 0));
    }

    /// Puts an entry where it belongs by its time.
    fn enter(&mut self, deadline: u64, position: u32) {
        if deadline < self.begun {
            self.near.push(Reverse((deadline, position)));
        } else {
            self.enter_level(usize::from(deadline - self.begun >= UPPER_MS), deadline, position);
        }
    }

    fn enter_level(&mut self, level: usize, deadline: u64, position: u32) {
        let begin = deadline >> SPAN_BITS[level] << SPAN_BITS[level];
        self.levels[level].entry(begin).or_default().push(((deadline - begin) as u32, position), &mut self.spares);
        self.note_span(level, begin);
    }

    fn note_span(&mut self, level: usize, begin: u64) {
        self.far_begin = self.far_begin.min(begin);
        self.far_next = self.far_next.min(if level == 0 { begin } else { begin.saturating_sub(TRICKLE_MS) });
    }

    /// Moves so many entries of the upper level down, while there are some whose time has come near enough.
    fn trickle(&mut self, entries: usize) {
        for _ in 0..entries {
            let Some(mut first) = self.levels[1].first_entry() else { return };
            let begin = *first.key();
            if begin >= self.begun + TRICKLE_MS {
                return;
            }
            match first.get_mut().pop(&mut self.spares) {
                Some((offset, position)) => self.enter_level(0, begin + u64::from(offset), position),
                None => drop(first.remove()),
            }
        }
    }

    fn begin_spans(&mut self, now: u64) {
        let (before, bits) = (self.begun, SPAN_BITS[0]);
        self.begun = self.begun.max(((now >> bits) + 1) << bits);
        if self.far_next > now {
            return;
        }
        let (level, begin) = self.swept;
        if begin <= now || level == 1 && begin < self.begun + TRICKLE_MS {
            let kept = core::mem::take(&mut self.kept);
            self.enter_all(self.swept.1, kept);
        }
        for level in [1, 0] {
            while let Some(first) = self.levels[level].first_entry().filter(|first| *first.key() <= now) {
                let (begin, span) = first.remove_entry();
                self.enter_all(begin, span);
            }
        }
        // Once a second, and not with every entry that is due.
        self.trickle(if self.begun > before { PIECE } else { TRICKLE_ENTRIES });
        (self.far_begin, self.far_next) = (u64::MAX, u64::MAX);
        for level in [0, 1] {
            if let Some(begin) = self.levels[level].first_key_value().map(|(begin, _)| *begin) {
                self.note_span(level, begin);
            }
        }
        if !self.kept.is_empty() {
            self.note_span(self.swept.0, self.swept.1);
        }
    }

    fn enter_all(&mut self, begin: u64, span: Span) {
        for mut piece in span.full.into_iter().chain([span.open]) {
            piece.drain(..).for_each(|(offset, position)| self.enter(begin + u64::from(offset), position));
            self.spares.give_back(piece);
        }
    }
}

impl Span {
    const fn is_empty(&self) -> bool {
        self.full.is_empty() && self.open.is_empty()
    }

    /// Short spans grow as they need; whole pieces come from `spares`.
    fn push(&mut self, entry: Entry, spares: &mut Spares) {
        if self.open.len() == PIECE {
            let next = spares.pieces.pop().unwrap_or_else(|| Vec::with_capacity(PIECE));
            self.full.push(core::mem::replace(&mut self.open, next));
        }
        self.open.push(entry);
    }

    fn pop(&mut self, spares: &mut Spares) -> Option<Entry> {
        if self.open.is_empty() {
            let full = self.full.pop()?;
            spares.give_back(core::mem::replace(&mut self.open, full));
        }
        self.open.pop()
    }
}

impl Spares {
    /// Keeps an emptied piece for the next span that needs one.
    fn give_back(&mut self, piece: Piece) {
        if piece.capacity() >= PIECE && self.pieces.len() < self.max {
            self.pieces.push(piece);
        }
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
        assert_eq!(deadlines.len(), 0);
    }

    /// A model: whatever is inserted comes out when it is due and in order, entries of days ahead included, and whoever
    /// sleeps until `next` is never late.
    #[test]
    fn entries_of_any_distance_come_out_in_order_and_in_time() {
        let mut deadlines = Deadlines::default();
        let mut model = std::collections::BTreeSet::new();
        let mut dice = 7_u64;
        let mut roll = |below: u64| {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (dice >> 33) % below
        };
        let mut now = 1_700_000_000_000;
        for position in 0..60_000_u32 {
            let distance = [5, 2_000, 900_000, UPPER_MS, 3 * UPPER_MS, 500 * UPPER_MS][roll(6) as usize];
            let at = now + roll(distance);
            deadlines.insert(Timestamp::from_ms(at), position);
            assert!(model.insert((at, position)));
            if roll(4) == 0 {
                now += [1, 50, 1_500, 100_000, UPPER_MS][(roll(100) / 24) as usize];
                let later = model.split_off(&(now + 1, 0));
                let due: Vec<_> = std::mem::replace(&mut model, later).into_iter().collect();
                if !due.is_empty() {
                    assert!(deadlines.next().is_some_and(|next| next.ms() <= now), "somebody slept past {now}");
                }
                assert_eq!(drain(&mut deadlines, now), due, "at {now}");
            }
            assert_eq!(deadlines.len(), model.len());
        }
        assert!(drain(&mut deadlines, u64::MAX >> 8).into_iter().eq(model));
    }

    /// A shard with deadlines looks every second, whether it is asked or not.
    #[test]
    fn what_is_days_ahead_has_trickled_down_before_its_time() {
        let mut deadlines = Deadlines::default();
        let (now, hour) = (1_700_000_000_000, 3_600_000);
        drain(&mut deadlines, now);
        for position in 0..50_000 {
            deadlines.insert(Timestamp::from_ms(now + 2 * hour + u64::from(position % 100)), position);
        }
        let upper = deadlines.levels[1].len();
        assert!(upper > 0 && deadlines.levels[0].is_empty());
        for second in 1..=7_000 {
            let now = now + second * 1_000;
            assert!(deadlines.next().is_some_and(|next| next.ms() > now), "nothing is due, nor said to be");
            assert_eq!(deadlines.first_due(Timestamp::from_ms(now)), None);
        }
        assert_eq!(deadlines.levels[1].len(), 0, "they are within the hour");
        assert_eq!(drain(&mut deadlines, now + 2 * hour + 100).len(), 50_000);
    }

    /// Weeks of seconds, each with more than one piece of entries.
    #[test]
    fn what_spans_leave_behind_does_not_pile_up() {
        let mut deadlines = Deadlines::default();
        for second in 1_700_000_000..1_700_001_000_u64 {
            (0..5_000).for_each(|position| deadlines.insert(Timestamp::from_ms(second * 1_024 + 900), position));
            assert_eq!(drain(&mut deadlines, second * 1_024 + 1_000).len(), 5_000);
        }
        assert!(deadlines.spares.pieces.len() <= SPARES_KEPT, "{} pieces", deadlines.spares.pieces.len());
    }

    #[test]
    fn sweeping_drops_what_is_stale_and_nothing_else() {
        let mut deadlines = Deadlines::default();
        let now = 1_700_000_000_000;
        drain(&mut deadlines, now);
        let at = |position: u32| Timestamp::from_ms(now + 3_000 + u64::from(position) * 977 % (3 * UPPER_MS));
        let is_alive = |position| position % 10 == 0;
        (0..40_000).for_each(|position| deadlines.insert(at(position), position));
        for _ in 0..40_000 {
            deadlines.sweep(|told, position| {
                assert_eq!(told, at(position));
                is_alive(position)
            });
        }
        assert_eq!(deadlines.len(), 4_000);
        assert!(deadlines.next() <= (0..40_000).filter(|position| is_alive(*position)).map(at).min());
        let told = drain(&mut deadlines, now + 4 * UPPER_MS);
        assert_eq!(told.len(), 4_000);
        assert!(told.iter().all(|(told, position)| is_alive(*position) && at(*position).ms() == *told));
    }
}
