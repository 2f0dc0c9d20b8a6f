//! Holds: why an order must not go to a warehouse. A set for each order, known by owner and reason.
//!
//! # Always true
//! - Any hold keeps what is left to hand over from a warehouse; none stops anything else, and none outlives what it
//!   could keep back: with the order's end they are gone.
//! - An order is marked as held exactly while it has a hold.
//! # Not here
//! - What a hold changes of the state and of what is wanted: `order`, `fold::hold`.
//! # Why so
//! Few orders are ever held, so holds lie apart from them: one bit of a record says whether to look.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::Engine;
use super::choices::HoldReason;
use super::orders::Record;
use super::query::{HeldPage, HeldRow, HoldView, OrderRow};
use super::read::check_page;
use super::refusal::{Field, Refusal};
use crate::base::limits::{HELD_ROWS_MAX, HOLD_NOTE_BYTES_MAX};
use crate::base::{MarketId, OrderNumber, Timestamp};

/// One reason why an order is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hold {
    pub(super) owner: Box<str>,
    pub(super) reason: HoldReason,
    pub(super) note: Box<str>,
    /// Log time since when.
    pub(super) since: Timestamp,
}

impl Hold {
    pub(super) fn is(&self, owner: &str, reason: HoldReason) -> bool {
        self.reason == reason && *self.owner == *owner
    }

    fn view(&self) -> HoldView {
        let Self { owner, reason, note, since } = self;
        HoldView { owner: owner.to_string(), reason: *reason, note: note.to_string(), since: *since }
    }
}

/// Looks whether a note is one line of words for people.
///
/// # Errors
/// [`Refusal::OutOfBounds`] when it has more than [`HOLD_NOTE_BYTES_MAX`] bytes, or a control character.
pub(super) fn check_note(note: &str) -> Result<(), Refusal> {
    let sound = note.len() <= HOLD_NOTE_BYTES_MAX && !note.chars().any(char::is_control);
    if sound {
        Ok(())
    } else {
        Err(Refusal::OutOfBounds { field: Field::Note, min: 0, max: HOLD_NOTE_BYTES_MAX as u64 })
    }
}

/// What an order is found by among those that are held.
type Key = (MarketId, OrderNumber);

/// The holds of all orders.
#[derive(Debug, Default)]
pub(super) struct Holds {
    /// With the position of the order.
    orders: BTreeMap<Key, (u32, Vec<Hold>)>,
    count: u64,
}

const fn key(record: &Record) -> Key {
    (record.order.market(), record.number)
}

impl Holds {
    pub(super) const fn len(&self) -> u64 {
        self.count
    }

    /// The holds of an order, in the order in which they came.
    pub(super) fn of(&self, record: &Record) -> &[Hold] {
        // Most orders are not held, and need no search.
        if record.has_holds() { self.orders.get(&key(record)).map_or(&[], |(_, holds)| holds) } else { &[] }
    }

    pub(super) fn add(&mut self, (position, record): (u32, &Record), hold: Hold) {
        let (_, holds) = self.orders.entry(key(record)).or_insert((position, Vec::new()));
        assert!(!holds.iter().any(|held| held.is(&hold.owner, hold.reason)), "law: a hold is new when it happens");
        // One at a time: most have one, and none has many.
        holds.reserve_exact(1);
        holds.push(hold);
        self.count += 1;
    }

    /// Takes a hold away; says whether others are left.
    pub(super) fn lift(&mut self, record: &Record, owner: &str, reason: HoldReason) -> bool {
        let (_, holds) = self.orders.get_mut(&key(record)).expect("law: what is lifted is held");
        let index = holds.iter().position(|hold| hold.is(owner, reason));
        holds.remove(index.expect("law: a hold that is lifted was there"));
        holds.shrink_to_fit();
        self.count -= 1;
        let is_held = !holds.is_empty();
        if !is_held {
            self.orders.remove(&key(record));
        }
        is_held
    }

    /// Takes all holds of an order away.
    #[cold]
    pub(super) fn drop_all(&mut self, record: &Record) {
        self.count -= self.orders.remove(&key(record)).map_or(0, |(_, holds)| holds.len() as u64);
    }

    /// Orders that are held, in order of market and number.
    pub(super) fn iter(&self) -> impl Iterator<Item = (MarketId, OrderNumber, u32, &[Hold])> {
        self.orders.iter().map(|((market, number), (position, holds))| (*market, *number, *position, holds.as_slice()))
    }

    fn behind(&self, market: MarketId, after: OrderNumber) -> impl Iterator<Item = (u32, &[Hold])> {
        let last = (market, OrderNumber(u64::MAX));
        let range = (Bound::Excluded((market, after)), Bound::Included(last));
        // A range that excludes its own end is none, and the tree would say so by a panic.
        let range = (after != OrderNumber(u64::MAX)).then(|| self.orders.range(range));
        range.into_iter().flatten().map(|(_, (position, holds))| (*position, holds.as_slice()))
    }
}

impl Engine {
    /// What an order is held for, in the order in which it came to be.
    pub(super) fn hold_views(&self, record: &Record) -> Vec<HoldView> {
        self.holds.of(record).iter().map(Hold::view).collect()
    }

    /// Holds of orders with numbers after `after`. Those of one order stay together, so a page may be longer than asked
    /// by the holds of one; it may also be shorter, with more behind it.
    ///
    /// # Errors
    /// Unknown market; more rows asked than a page has.
    pub fn held_orders(&self, market: MarketId, after: OrderNumber, rows_max: u16) -> Result<HeldPage, Refusal> {
        check_page(rows_max)?;
        self.market(market)?;
        let rows_max = HELD_ROWS_MAX.min(usize::from(rows_max));
        let mut page = HeldPage { rows: Vec::new(), next: None };
        for (position, holds) in self.holds.behind(market, after) {
            if page.rows.len() >= rows_max {
                page.next = page.rows.last().map(|row| row.order.number);
                break;
            }
            let Record { order, number, state, deadline, .. } = *self.orders.record(position);
            let order = OrderRow { order, number, state, deadline };
            page.rows.extend(holds.iter().map(|hold| HeldRow { order, hold: hold.view() }));
        }
        Ok(page)
    }
}
