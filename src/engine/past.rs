//! What happened to an order, as it is noted and as it is told.
//!
//! # Always true
//! - The first thing told of an order is its placement, read off its record; what is told of it after that was noted
//!   when it was folded.
//! # Not here
//! - Where it is kept, and what gives way: `history`.

use super::Engine;
use super::happening::Happening;
use super::history::{NO_LINE, Past};
use super::order::State;
use super::orders::{Phase, Record};
use super::query::{HistoryPage, HistoryRow};
use super::read::check_page;
use super::refusal::Refusal;
use crate::base::{OrderId, Sequence, Timestamp};

impl Engine {
    /// What is decided and folded from here on is told in this entry of the shard's stream, until another is named.
    /// Whoever does not say so has histories whose positions are zero, and remembers nothing of what was on hand.
    pub const fn stand_at(&mut self, position: Sequence) {
        self.histories.stand_at(position);
    }

    /// Notes what happened to an order.
    #[inline]
    pub(super) fn note(&mut self, position: u32, what: Happening, at: Timestamp, line_and_value: (u16, u64)) {
        self.histories.add((self.orders.history_mut(position), position), what, at, line_and_value);
    }

    /// The same of the order as a whole.
    #[inline]
    pub(super) fn note_whole(&mut self, position: u32, what: Happening, at: Timestamp, value: u64) {
        self.note(position, what, at, (NO_LINE, value));
    }

    /// What happened to an order, oldest first, behind the place `after`; zero to begin.
    ///
    /// # Errors
    /// Unknown market or order; more rows asked than a page has.
    pub fn order_history(&self, order: OrderId, after: u32, rows_max: u16) -> Result<HistoryPage, Refusal> {
        check_page(rows_max)?;
        self.market(order.market())?;
        let position = self.orders.find(order).ok_or(Refusal::UnknownOrder)?;
        let record = self.orders.record(position);
        let mut noted: Vec<HistoryRow> = self.histories.back(record.history, position).map(row).collect();
        // Ordinals that have come to their end are told apart by how far from the last they are.
        let last = noted.first().map_or(0, |row| row.place);
        noted.iter_mut().zip((0..=last).rev()).for_each(|(row, place)| row.place = row.place.min(place));
        noted.push(self.first_of(position, record));
        noted.reverse();
        // Of what gave way altogether it is only known that there was something.
        let happened = if noted.len() > 1 { last } else { 1 + u32::from(!record.history.is_none()) };
        let not_shown = happened - noted.len() as u32;
        let mut rest = noted.into_iter().filter(|row| row.place > after);
        let rows: Vec<_> = rest.by_ref().take(rows_max.into()).collect();
        let next = if rest.next().is_some() { rows.last().map(|row| row.place) } else { None };
        Ok(HistoryPage { shard: self.shard, closed: is_closed(record), not_shown, rows, next })
    }

    /// How an order, or an identifier that is blocked, came to be known.
    fn first_of(&self, position: u32, record: &Record) -> HistoryRow {
        let lines = if is_closed(record) { &[] } else { self.orders.placed_lines(position, record) };
        let what = match (record.state == State::Blocked, record.deadline == Timestamp::ZERO) {
            (true, _) => Happening::Blocked,
            (false, true) => Happening::PlacedConfirmed,
            (false, false) => Happening::Placed,
        };
        HistoryRow {
            place: 1,
            position: Sequence(0),
            at: record.accepted_at,
            what,
            line: if lines.len() == 1 { Some(0) } else { None },
            value: lines.iter().map(|line| u64::from(line.taken)).sum(),
        }
    }
}

fn is_closed(record: &Record) -> bool {
    record.phase != Phase::Whole && record.state != State::Blocked
}

fn row(past: Past) -> HistoryRow {
    let Past { what, position, at, line, value, ordinal, age: _ } = past;
    HistoryRow { place: 1 + u32::from(ordinal), position, at, what, line: (line != NO_LINE).then_some(line), value }
}
