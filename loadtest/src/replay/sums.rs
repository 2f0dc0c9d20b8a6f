//! What a replay came to: the class of every line, from the server's answers, each held against the rules.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use stockade::engine::command::LineQuantity;
use stockade::engine::order::State;
use stockade::engine::{Answer, Refusal};
use stockade::wire::{Refused, Reply};

use super::class::{ByReason, Class};
use super::purchase::Purchase;
use super::shop::Basket;
use crate::errors::Errors;
use crate::exchange::describe;
use crate::latency;
use crate::report::{ReplayMoney, ReplayUnits};

/// What a replay came to.
pub(super) struct ReplaySums {
    pub(super) by_reason: ByReason,
    pub(super) reserved: u64,
    pub(super) sold_out: u64,
    pub(super) other_refusals: u64,
    /// How often for which reason.
    pub(super) refusals: BTreeMap<String, u64>,
    pub(super) errors: Errors,
    pub(super) latencies: Histogram<u64>,
    pub(super) units: ReplayUnits,
    pub(super) money: ReplayMoney,
    pub(super) elapsed_s: f64,
}

impl ReplaySums {
    /// Before the first order; the classes that no stock decides are counted already.
    pub(super) fn new(by_reason: ByReason, units: ReplayUnits) -> Self {
        Self {
            by_reason,
            reserved: 0,
            sold_out: 0,
            other_refusals: 0,
            refusals: BTreeMap::new(),
            errors: Errors::default(),
            latencies: latency::histogram(),
            units,
            money: ReplayMoney::default(),
            elapsed_s: 0.0,
        }
    }

    /// The server's word on an order: the class of each line, and whether it is what the rules say.
    pub(super) fn take_placed(
        &mut self,
        basket: &Basket,
        expected: &[u32],
        purchase: &mut Purchase,
        reply: &Reply<'_>,
    ) {
        let asked: Vec<u32> = basket.lines.iter().map(|line| line.quantity).collect();
        let taken = match reply {
            Reply::Answer(Answer::Placed { state, short, owed: false, repeated: false, .. }, lines) => {
                let taken = if *short { lines.iter().map(|line| line.taken).collect() } else { asked.clone() };
                let free = basket.lines.iter().all(|line| line.price == 0);
                let state_expected = if free { State::Confirmed } else { State::PendingPayment };
                if *state != state_expected || taken.len() != asked.len() {
                    self.errors.add(|| format!("invoice {}: {}", basket.invoice, describe(reply)));
                }
                self.reserved += 1;
                purchase.accept(&taken, *state == State::Confirmed);
                taken
            }
            Reply::Refused(Refused::Engine(Refusal::SoldOut { .. })) => {
                self.sold_out += 1;
                vec![0; asked.len()]
            }
            other => {
                self.other_refusals += 1;
                if let Reply::Refused(why) = other {
                    *self.refusals.entry(why.to_string()).or_default() += 1;
                }
                self.errors.add(|| format!("invoice {}: {}", basket.invoice, describe(other)));
                vec![0; asked.len()]
            }
        };
        if taken != expected {
            let invoice = &basket.invoice;
            self.errors
                .add(|| format!("invoice {invoice}: the server took {taken:?}, by the rules it is {expected:?}"));
        }
        self.units.taken += taken.iter().map(|&units| u64::from(units)).sum::<u64>();
        for (asked, taken) in asked.iter().zip(&taken) {
            self.by_reason.count(Class::of_order_line(*asked, *taken));
        }
    }

    /// The server's word on units that were cancelled, or returned: how many it moved.
    pub(super) fn take_given_back(
        &mut self,
        purchase: &mut Purchase,
        lines: &[LineQuantity],
        reply: &Reply<'_>,
    ) -> u64 {
        let wanted: u64 = lines.iter().map(|line| u64::from(line.quantity)).sum();
        let is_shipped = purchase.is_shipped();
        let held = lines.iter().all(|line| purchase.give_back(line.line, line.quantity));
        match reply {
            Reply::Answer(Answer::Done { state, moved, excess: 0, repeated: false }, _)
                if held && *moved == wanted && purchase.state() == Some(*state) =>
            {
                let units = if is_shipped { &mut self.units.returned } else { &mut self.units.cancelled };
                *units += wanted;
                wanted
            }
            other => {
                self.errors.add(|| format!("giving back {wanted} units of {}: {}", purchase.order, describe(other)));
                0
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use stockade::base::{CustomerKey, OrderId};

    use super::*;

    #[test]
    fn a_replay_says_why_an_order_was_refused() {
        let units = ReplayUnits { asked: 0, received: 0, ..ReplayUnits::default() };
        let mut sums = ReplaySums::new(ByReason::default(), units);
        let basket = Basket { invoice: "1".into(), customer: CustomerKey(0), country: Vec::new(), lines: Vec::new() };
        let mut purchase = Purchase::new(OrderId::from_bits(1), Vec::new());
        for why in [Refused::DiskLow, Refused::DiskLow, Refusal::AtCapacity.into()] {
            sums.take_placed(&basket, &[], &mut purchase, &Reply::Refused(why));
        }
        let counts: Vec<_> = sums.refusals.values().collect();
        assert_eq!((sums.other_refusals, counts), (3, vec![&2, &1]), "{:?}", sums.refusals);
    }
}
