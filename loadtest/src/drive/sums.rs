//! What is left of answered orders: counts, books, latencies; and what every answer must be.
//!
//! # Always true
//! - An answer is an acceptance just as asked, an honest "sold out", another refusal, or an error.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use stockade::base::Timestamp;
use stockade::engine::order::State;
use stockade::engine::{Answer, Refusal};
use stockade::wire::{Refused, Reply};

use super::template::{CART_LINES_MAX, Goods};
use crate::books::Ledger;
use crate::errors::Errors;
use crate::latency;

/// Sums over answered orders.
pub(crate) struct Sums {
    pub(crate) answered: u64,
    pub(crate) reserved: u64,
    pub(crate) sold_out: u64,
    pub(crate) other_refusals: u64,
    /// Of those: told to come back later.
    pub(crate) overloaded: u64,
    /// Why, and how often.
    pub(crate) refusals: BTreeMap<String, u64>,
    pub(crate) errors: Errors,
    /// Of the first market.
    pub(crate) ledger: Ledger,
    /// Of the others, where there are several.
    pub(crate) others: Vec<Ledger>,
    pub(crate) latencies: Histogram<u64>,
    /// Of accepted orders alone.
    pub(crate) accepted_latencies: Histogram<u64>,
    pub(crate) last_answer_ns: u64,
    /// Sum of the numbers for people: a market counts them 1, 2, 3, …
    pub(crate) numbers_sum: u128,
}

impl Default for Sums {
    fn default() -> Self {
        Self {
            answered: 0,
            reserved: 0,
            sold_out: 0,
            other_refusals: 0,
            overloaded: 0,
            refusals: BTreeMap::new(),
            errors: Errors::default(),
            ledger: Ledger::default(),
            others: Vec::new(),
            latencies: latency::histogram(),
            accepted_latencies: latency::histogram(),
            last_answer_ns: 0,
            numbers_sum: 0,
        }
    }
}

impl Sums {
    /// Takes the answer to the first sending of order `n`. Its number for people when it was accepted.
    pub(super) fn take(&mut self, goods: &Goods, n: u64, made_at: Timestamp, reply: &Reply<'_>) -> Option<u64> {
        if let Reply::Answer(Answer::Placed { repeated: true, .. }, _) = reply {
            self.errors.add(|| format!("order {n} was sent once and answered as a repeat: {reply:?}"));
        }
        self.take_any(goods, n, made_at, reply)
    }

    /// Takes the answer to order `n`, which may have been sent before. Its number for people when it was accepted.
    pub(crate) fn take_any(&mut self, goods: &Goods, n: u64, made_at: Timestamp, reply: &Reply<'_>) -> Option<u64> {
        self.answered += 1;
        match reply {
            Reply::Answer(Answer::Placed { number, accepted_at, deadline, state, short, .. }, _) => {
                let expected = accepted_at.after_ms(u64::from(goods.hold_ms));
                if *short || *state != State::PendingPayment || *deadline != expected || number.0 == 0 {
                    self.errors.add(|| format!("order {n} was accepted, but not as asked: {reply:?}"));
                }
                self.reserved += 1;
                self.numbers_sum += u128::from(number.0);
                let order = goods.order_id(n, made_at);
                let (state, unit) = goods.fate(order);
                self.others.resize_with(goods.markets as usize - 1, Ledger::default);
                let ledger = match goods.turn_of(n) {
                    0 => &mut self.ledger,
                    turn => &mut self.others[turn as usize - 1],
                };
                ledger.add(order, state, &[unit; CART_LINES_MAX][..usize::from(goods.lines)]);
                return Some(number.0);
            }
            Reply::Refused(Refused::Engine(Refusal::SoldOut { sku, asked, available })) => {
                let first = goods.sku_of(n);
                if (*sku, *asked, *available) != (first, 1, 0) {
                    self.errors.add(|| format!("order {n} asked one unit of SKU {first}: {reply:?}"));
                }
                self.sold_out += 1;
            }
            // Too many in a flood to spell each out.
            Reply::Refused(Refused::Overloaded { .. }) => {
                self.other_refusals += 1;
                self.overloaded += 1;
            }
            Reply::Refused(refused) => {
                self.other_refusals += 1;
                *self.refusals.entry(refused.to_string()).or_default() += 1;
            }
            _ => self.errors.add(|| format!("order {n} was answered as something else: {reply:?}")),
        }
        None
    }

    /// The laws of a sale of so many units: none too many, and none left while somebody was refused.
    pub(crate) fn check_sale(&mut self, units: u64) {
        let (reserved, sold_out) = (self.reserved, self.sold_out);
        if reserved > units {
            self.errors.add(|| format!("oversold: {reserved} orders accepted for {units} units"));
        }
        if sold_out > 0 && reserved < units {
            self.errors.add(|| format!("undersold: {sold_out} orders refused with {} units left", units - reserved));
        }
        self.check_numbers();
    }

    /// The law of numbers for people, which every market counts by itself.
    pub(crate) fn check_numbers(&mut self) {
        let reserved = self.reserved;
        let elsewhere: Vec<u64> = self.others.iter().map(|ledger| ledger.orders(State::PendingPayment)).collect();
        let first = reserved - elsewhere.iter().sum::<u64>();
        let upto = |reserved: u64| u128::from(reserved) * (u128::from(reserved) + 1) / 2;
        let numbers = elsewhere.into_iter().chain([first]).map(upto).sum::<u128>();
        if self.numbers_sum != numbers {
            self.errors.add(|| format!("the numbers of {reserved} orders are not 1, 2, 3, … each once"));
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use stockade::base::{MarketId, OrderNumber, SkuId};
    use stockade::wire::Grants;

    use super::*;
    use crate::drive::Fate;

    pub(in super::super) fn goods() -> Goods {
        let market = MarketId::new(3).expect("fits");
        Goods::one(market, SkuId(7), 1_000_000, Fate::Reserved, 1)
    }

    pub(in super::super) fn accepted(number: u64) -> Answer {
        let accepted_at = Timestamp::from_ms(50);
        Answer::Placed {
            number: OrderNumber(number),
            accepted_at,
            deadline: accepted_at.after_ms(1_000_000),
            state: State::PendingPayment,
            short: false,
            owed: false,
            repeated: false,
        }
    }

    #[test]
    fn an_answer_that_is_not_as_asked_is_an_error() {
        let Answer::Placed { number, accepted_at, deadline, state, .. } = accepted(1) else { panic!("placed") };
        let placed = |deadline, state, repeated| {
            let answer = Answer::Placed { number, accepted_at, deadline, state, short: false, owed: false, repeated };
            Reply::Answer(answer, Grants::default())
        };
        let sold_out = |sku, asked, available| {
            Reply::Refused(Refused::Engine(Refusal::SoldOut { sku: SkuId(sku), asked, available }))
        };
        for (reply, errors) in [
            (placed(deadline, state, false), 0),
            (sold_out(7, 1, 0), 0),
            (Reply::Refused(Refused::ShuttingDown), 0),
            (placed(accepted_at, state, false), 1),
            (placed(deadline, State::Confirmed, false), 1),
            (placed(deadline, state, true), 1),
            (sold_out(8, 1, 0), 1),
            (sold_out(7, 2, 0), 1),
            (sold_out(7, 1, 1), 1),
            (Reply::Answer(Answer::Numbered { number: 1, repeated: false }, Grants::default()), 1),
        ] {
            let mut sums = Sums::default();
            sums.take(&goods(), 0, Timestamp::from_ms(5), &reply);
            assert_eq!((sums.answered, sums.errors.count()), (1, errors), "{reply:?}");
        }
    }

    #[test]
    fn overselling_and_underselling_are_found() {
        for (reserved, sold_out, units, errors) in
            [(3, 0, 3, 0), (3, 9, 3, 0), (4, 0, 3, 1), (2, 1, 3, 1), (2, 0, 3, 0)]
        {
            let numbers_sum = u128::from(reserved * (reserved + 1) / 2_u64);
            let mut sums = Sums { reserved, sold_out, numbers_sum, ..Sums::default() };
            sums.check_sale(units);
            assert_eq!(sums.errors.count(), errors, "{reserved} {sold_out} {units}");
        }
    }
}
