//! Holds in the twin: a list with every order, looked through each time.

use stockade::base::limits::{HELD_ROWS_MAX, HOLD_NOTE_BYTES_MAX, HOLDS_PER_ORDER_MAX, PAGE_ROWS_MAX};
use stockade::base::{MarketId, OrderId, OrderNumber, Timestamp};
use stockade::engine::order::State;
use stockade::engine::query::{HeldPage, HeldRow, HoldView, OrderRow};
use stockade::engine::refusal::Field;
use stockade::engine::{Answer, HoldReason, Refusal};

use super::order::{Order, Record};
use super::retake::illegal;
use super::{Twin, check_code, out_of_bounds};

impl Twin {
    pub(super) fn hold_order(
        &mut self,
        id: OrderId,
        (owner, reason): (&str, HoldReason),
        note: &str,
        now: Timestamp,
    ) -> Result<Answer, Refusal> {
        check_code(owner)?;
        if note.len() > HOLD_NOTE_BYTES_MAX || note.contains(char::is_control) {
            return Err(out_of_bounds(Field::Note, 0, HOLD_NOTE_BYTES_MAX as u64));
        }
        let has_room = self.holds() < self.capacity.holds_max;
        let order = self.order_mut(id)?;
        order.check_may_be_held()?;
        match order.holds.iter().find(|hold| hold.owner == owner && hold.reason == reason) {
            Some(known) if known.note == note => return Ok(order.done(0, 0, true)),
            Some(_) => return Err(Refusal::Conflict),
            None => {}
        }
        if order.holds.len() == HOLDS_PER_ORDER_MAX {
            return Err(out_of_bounds(Field::Holds, 0, HOLDS_PER_ORDER_MAX as u64));
        }
        if !has_room {
            return Err(Refusal::AtCapacity);
        }
        order.holds.push(HoldView { owner: owner.to_owned(), reason, note: note.to_owned(), since: now });
        Ok(order.done(0, 0, false))
    }

    pub(super) fn lift_hold(&mut self, id: OrderId, owner: &str, reason: HoldReason) -> Result<Answer, Refusal> {
        check_code(owner)?;
        let order = self.order_mut(id)?;
        let before = order.holds.len();
        order.holds.retain(|hold| hold.owner != owner || hold.reason != reason);
        Ok(order.done(0, 0, order.holds.len() == before))
    }

    /// Whoever came to his end is held for nothing any more, and nobody is asked about him; called after everything
    /// that may end an order.
    pub(super) fn drop_holds(&mut self) {
        for record in self.markets.values_mut().flat_map(|market| market.orders.values_mut()) {
            if let Record::Order(order) = record
                && order.is_held()
                && matches!(order.state(), State::Cancelled | State::Completed)
            {
                order.holds.clear();
                order.drop_check();
            }
        }
    }

    /// Holds of all orders.
    pub(crate) fn holds(&self) -> u64 {
        self.markets.keys().flat_map(|market| self.held(*market)).map(|(_, holds)| holds.len() as u64).sum()
    }

    pub(crate) fn held_orders(&self, market: MarketId, after: OrderNumber, rows_max: u16) -> Result<HeldPage, Refusal> {
        if rows_max == 0 || usize::from(rows_max) > PAGE_ROWS_MAX {
            return Err(out_of_bounds(Field::Rows, 1, PAGE_ROWS_MAX as u64));
        }
        self.market(market)?;
        let mut page = HeldPage { rows: Vec::new(), next: None };
        for (order, holds) in self.held(market).into_iter().filter(|(order, _)| order.number > after) {
            match page.rows.last() {
                Some(HeldRow { order, .. }) if page.rows.len() >= HELD_ROWS_MAX.min(rows_max.into()) => {
                    page.next = Some(order.number);
                    break;
                }
                _ => page.rows.extend(holds.into_iter().map(|hold| HeldRow { order, hold })),
            }
        }
        Ok(page)
    }

    /// Every order that is held, by number, with what it is held for.
    fn held(&self, market: MarketId) -> Vec<(OrderRow, Vec<HoldView>)> {
        let held = self.markets[&market].orders.iter().filter_map(|(&id, record)| match record {
            Record::Order(order) if !order.holds.is_empty() => Some((order.row(id), order.holds.clone())),
            Record::Order(_) | Record::Blocked => None,
        });
        let mut held: Vec<_> = held.collect();
        held.sort_by_key(|(order, _)| order.number);
        held
    }
}

impl Order {
    /// For a reason that somebody named, or until it was checked.
    pub(super) fn is_held(&self) -> bool {
        !self.holds.is_empty() || self.check_state().is_open()
    }

    fn check_may_be_held(&self) -> Result<(), Refusal> {
        match self.state() {
            State::PendingPayment
            | State::PaymentFailed
            | State::Confirmed
            | State::InReview
            | State::Fulfilling
            | State::Expired => Ok(()),
            state @ (State::Completed | State::Cancelled | State::Blocked) => Err(illegal(state)),
        }
    }
}
