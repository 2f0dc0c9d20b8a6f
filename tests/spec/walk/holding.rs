//! What a walk holds orders for, and what it lifts.

use stockade::base::limits::{CODE_BYTES_MAX, HOLD_NOTE_BYTES_MAX};
use stockade::base::{OrderId, OrderNumber};
use stockade::engine::{Command, HoldReason};

use super::Walk;

/// Three owners and three reasons are one hold more than an order may have.
const OWNERS: [&str; 3] = ["desk", "risk", "erp"];
const REASONS: [HoldReason; 3] = [HoldReason::Fraud, HoldReason::Address, HoldReason::Other];

impl Walk {
    /// More holds come than go, and where one is others gather.
    pub(super) fn hold_or_lift(&mut self) {
        let (mut order, mut owner, mut reason) = (self.order(), self.dice.pick(&OWNERS), self.dice.pick(&REASONS));
        let (known, held) = (self.a_known_order(), self.a_hold());
        match (known, held) {
            _ if self.dice.once_in(8) => {}
            (_, Some((held, ..))) if self.dice.once_in(2) => order = held,
            (known, _) => order = known.unwrap_or(order),
        }
        if self.dice.once_in(3) {
            if let Some(known) = held
                && !self.dice.once_in(4)
            {
                (order, owner, reason) = known;
            }
            return self.submit(&Command::LiftHold { order, owner, reason });
        }
        let (too_long, long) = ("x".repeat(HOLD_NOTE_BYTES_MAX + 1), "é".repeat(HOLD_NOTE_BYTES_MAX / 2));
        let note = match self.dice.below(30) {
            0 => too_long.as_str(),
            1 => long.as_str(),
            2..6 => "look again",
            _ => "",
        };
        let bad = "x".repeat(CODE_BYTES_MAX + 1);
        let owner = if self.dice.once_in(30) { self.dice.pick(&["", " desk", "de\nsk", &bad]) } else { owner };
        self.submit(&Command::HoldOrder { order, owner, reason, note });
    }

    /// One of the orders that are kept, and not of those that were blocked.
    pub(super) fn a_known_order(&mut self) -> Option<OrderId> {
        let market = self.dice.pick(&self.markets.clone());
        let mut known = self.rig.twin.order_ids(market);
        known.retain(|order| !self.rig.twin.is_blocked(*order));
        (!known.is_empty()).then(|| self.dice.pick(&known))
    }

    /// One of the holds there are.
    fn a_hold(&mut self) -> Option<(OrderId, &'static str, HoldReason)> {
        let market = self.dice.pick(&self.markets.clone());
        let page = self.rig.twin.held_orders(market, OrderNumber(0), 100).expect("the market is open");
        if page.rows.is_empty() {
            return None;
        }
        let row = &page.rows[self.dice.below(page.rows.len() as u64) as usize];
        let owner = OWNERS.into_iter().find(|owner| *owner == row.hold.owner).expect("the walk has named it");
        Some((row.order.order, owner, row.hold.reason))
    }
}
