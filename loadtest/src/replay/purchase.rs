//! The orders of a replay as they must be now: every unit of every line and every penny, kept from the answers.

use stockade::base::{OrderId, Price};
use stockade::engine::order::{Counters, State};

use crate::books::Ledger;

/// One order that was sent.
#[derive(Debug, Clone)]
pub(super) struct Purchase {
    pub(super) order: OrderId,
    /// Of a unit of each line.
    pub(super) prices: Vec<Price>,
    /// `None`: it was refused.
    pub(super) lines: Option<Vec<Counters>>,
    /// Money that went back.
    pub(super) refunded: Price,
}

impl Purchase {
    pub(super) const fn new(order: OrderId, prices: Vec<Price>) -> Self {
        Self { order, prices, lines: None, refunded: 0 }
    }

    /// It was accepted: these units are reserved, or committed when it needed no payment.
    pub(super) fn accept(&mut self, taken: &[u32], confirmed: bool) {
        let line = |&taken: &u32| match confirmed {
            true => Counters { committed: taken, ..Counters::default() },
            false => Counters { reserved: taken, ..Counters::default() },
        };
        self.lines = Some(taken.iter().map(line).collect());
    }

    /// Payment was accepted.
    pub(super) fn confirm(&mut self) {
        for line in self.lines.iter_mut().flatten() {
            line.committed += std::mem::take(&mut line.reserved);
        }
    }

    /// Everything left the building.
    pub(super) fn ship(&mut self) {
        for line in self.lines.iter_mut().flatten() {
            line.shipped += std::mem::take(&mut line.committed);
        }
    }

    /// Whether it has left the building.
    pub(super) fn is_shipped(&self) -> bool {
        self.lines.iter().flatten().any(|line| line.shipped > 0)
    }

    /// Units of a line are given back: cancelled, or returned when they have left. False when it does not have them.
    #[must_use]
    pub(super) fn give_back(&mut self, line: u16, quantity: u32) -> bool {
        let is_shipped = self.is_shipped();
        let Some(line) = self.lines.as_mut().and_then(|lines| lines.get_mut(usize::from(line))) else { return false };
        let left = if is_shipped { line.shipped - line.returned } else { line.committed };
        if left < quantity {
            return false;
        }
        if is_shipped {
            line.returned += quantity;
        } else {
            line.committed -= quantity;
            line.cancelled += quantity;
        }
        true
    }

    /// What units of a line cost.
    pub(super) fn cost(&self, line: u16, quantity: u32) -> Price {
        self.prices.get(usize::from(line)).map_or(0, |price| price * Price::from(quantity))
    }

    /// What everything that was taken costs.
    pub(super) fn paid(&self) -> Price {
        let lines = self.lines.iter().flatten().zip(&self.prices);
        lines.map(|(line, price)| line.taken() * price).sum()
    }

    /// Units that were taken.
    pub(super) fn taken(&self) -> u64 {
        self.lines.iter().flatten().map(Counters::taken).sum()
    }

    /// Units that are to leave the building.
    pub(super) fn committed(&self) -> u64 {
        self.lines.iter().flatten().map(|line| u64::from(line.committed)).sum()
    }

    pub(super) fn state(&self) -> Option<State> {
        let lines = self.lines.as_ref()?;
        let any = |units: fn(&Counters) -> u32| lines.iter().any(|line| units(line) > 0);
        Some(State::of(any(|it| it.reserved), any(|it| it.lapsed), any(|it| it.committed), any(|it| it.shipped)))
    }

    /// Enters the order into the books.
    pub(super) fn enter(&self, ledger: &mut Ledger) {
        if let (Some(lines), Some(state)) = (&self.lines, self.state()) {
            ledger.add(self.order, state, lines);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_goes_from_reserved_to_cancelled_unit_by_unit() {
        let mut purchase = Purchase::new(OrderId::from_bits(1), vec![250, 100]);
        assert_eq!(purchase.state(), None, "refused");
        purchase.accept(&[3, 0], false);
        assert_eq!((purchase.state(), purchase.paid()), (Some(State::PendingPayment), 750));
        assert!(!purchase.give_back(0, 1), "what is not confirmed is not cancelled here");
        purchase.confirm();
        assert_eq!(purchase.state(), Some(State::Confirmed));
        let given = [(0, 2), (0, 2), (1, 1), (2, 1)].map(|(line, units)| purchase.give_back(line, units));
        assert_eq!(given, [true, false, false, false]);
        assert!(purchase.give_back(0, 1));
        assert_eq!((purchase.state(), purchase.taken(), purchase.paid()), (Some(State::Cancelled), 3, 750));
        purchase.accept(&[1], true);
        assert_eq!(purchase.state(), Some(State::Confirmed), "an order of nothing to pay");
    }

    #[test]
    fn what_has_left_the_building_is_returned_and_no_more_than_that() {
        let mut purchase = Purchase::new(OrderId::from_bits(1), vec![250]);
        purchase.accept(&[3], false);
        purchase.confirm();
        assert!(purchase.give_back(0, 1));
        assert_eq!(purchase.committed(), 2);
        purchase.ship();
        assert_eq!((purchase.state(), purchase.committed()), (Some(State::Completed), 0));
        assert!(purchase.give_back(0, 2) && !purchase.give_back(0, 1));
        assert_eq!((purchase.state(), purchase.cost(0, 2)), (Some(State::Completed), 500));
    }
}
