//! The orders of a replay as they must be now: every unit of every line, kept from the answers.

use stockade::base::OrderId;
use stockade::engine::order::{Counters, State};

use crate::books::Ledger;

/// One order that was sent.
#[derive(Debug, Clone)]
pub(super) struct Purchase {
    pub(super) order: OrderId,
    /// `None`: it was refused.
    pub(super) lines: Option<Vec<Counters>>,
}

impl Purchase {
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

    /// Units of a line were cancelled; false when it does not have them.
    #[must_use]
    pub(super) fn cancel(&mut self, line: u16, quantity: u32) -> bool {
        let Some(line) = self.lines.as_mut().and_then(|lines| lines.get_mut(usize::from(line))) else { return false };
        let Some(left) = line.committed.checked_sub(quantity) else { return false };
        line.committed = left;
        line.cancelled += quantity;
        true
    }

    /// Units that were taken.
    pub(super) fn taken(&self) -> u64 {
        self.lines.iter().flatten().map(Counters::taken).sum()
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
        let mut purchase = Purchase { order: OrderId::from_bits(1), lines: None };
        assert_eq!(purchase.state(), None, "refused");
        purchase.accept(&[3, 0], false);
        assert_eq!(purchase.state(), Some(State::PendingPayment));
        assert!(!purchase.cancel(0, 1), "what is not confirmed is not cancelled here");
        purchase.confirm();
        assert_eq!(purchase.state(), Some(State::Confirmed));
        assert!(purchase.cancel(0, 2) && !purchase.cancel(0, 2) && !purchase.cancel(1, 1) && !purchase.cancel(2, 1));
        assert!(purchase.cancel(0, 1));
        assert_eq!((purchase.state(), purchase.taken()), (Some(State::Cancelled), 3));
        purchase.accept(&[1], true);
        assert_eq!(purchase.state(), Some(State::Confirmed), "an order of nothing to pay");
    }
}
