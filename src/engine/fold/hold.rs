//! Folding holds: the order's state, and what its warehouse is to know, follow from whether there is one.

use super::super::Engine;
use super::super::choices::HoldReason;
use super::super::happening::Happening;
use super::super::hold::Hold;
use super::super::marks::Marks;
use crate::base::{OrderId, Timestamp};

impl Engine {
    pub(super) fn fold_held(&mut self, order: OrderId, (owner, reason, note): (&str, HoldReason, &str), at: Timestamp) {
        self.change_order(order, at, |engine, position| {
            let hold = Hold { owner: owner.into(), reason, note: note.into(), since: at };
            engine.holds.add((position, engine.orders.record(position)), hold);
            engine.orders.set_mark(position, Marks::HELD, true);
            engine.note_whole(position, Happening::Held, at, reason as u64);
        });
    }

    pub(super) fn fold_hold_lifted(&mut self, order: OrderId, (owner, reason): (&str, HoldReason), at: Timestamp) {
        self.change_order(order, at, |engine, position| {
            let is_held = engine.holds.lift(engine.orders.record(position), owner, reason);
            engine.orders.set_mark(position, Marks::HELD, is_held);
            engine.note_whole(position, Happening::HoldLifted, at, reason as u64);
        });
    }

    /// Forgets what an order was held for: it is over.
    #[inline]
    pub(super) fn drop_holds(&mut self, position: u32) {
        let record = self.orders.record(position);
        if record.has_holds() {
            self.holds.drop_all(record);
            self.orders.set_mark(position, Marks::HELD, false);
        }
    }
}
