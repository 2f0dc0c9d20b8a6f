//! Confirming an order, in time or after its reservation expired.

use super::super::Engine;
use super::super::answer::Answer;
use super::super::content::{self, ChangeKind};
use super::super::fact::{Draw, Fact};
use super::super::order::State;
use super::super::orders::Record;
use super::super::refusal::Refusal;
use super::super::routing::{Beyond, Want};
use super::super::steps::covered;
use super::{Decision, Outcome, Scratch, Wanted, illegal};
use crate::base::limits::{DRAWS_MAX, ORDER_DRAWS_MAX, ORDER_TOTAL_MAX, PAYMENT_ATTEMPTS_MAX};
use crate::base::{ChangeId, OrderId, Price, SkuId};

impl Engine {
    pub(super) fn confirm<'s>(&self, order: OrderId, attempt: ChangeId, scratch: &'s mut Scratch) -> Outcome<'s> {
        let (position, record) = self.placed_order(order)?;
        // An attempt that failed stays failed, whatever another attempt did since: its payment was to be given back.
        let wanted = Wanted { kind: ChangeKind::Confirm, id: attempt, content: content::CONFIRM };
        if let Some(kept) = self.known_change(position, wanted)? {
            let sku = SkuId(u32::try_from(kept.moved).expect("law: a failed attempt keeps the number of a SKU"));
            return Ok(Decision::Repeated(Answer::RetakeFailed { sku, repeated: true }));
        }
        let totals = self.orders.totals(record);
        match record.state {
            State::PendingPayment | State::PaymentFailed => {
                let entered = self.entered((position, record), attempt)?;
                let answer = confirmed(record, totals.reserved);
                Ok(Decision::Happened { fact: Fact::Confirmed { order, attempt, entered, draws: &[] }, answer })
            }
            // What was told of this attempt is on its way back.
            State::Expired if self.covers_something(position, attempt) => Err(Refusal::Conflict),
            State::Expired => match self.take_again(record, scratch)? {
                Retaken::Short(sku) => {
                    self.check_changes(position)?;
                    let fact = Fact::RetakeFailed { order, attempt, sku };
                    Ok(Decision::Happened { fact, answer: Answer::RetakeFailed { sku, repeated: false } })
                }
                Retaken::All(draws) => {
                    let entered = self.entered_late((position, record), attempt)?;
                    let fact = Fact::Confirmed { order, attempt, entered, draws };
                    Ok(Decision::Happened { fact, answer: confirmed(record, totals.lapsed) })
                }
            },
            State::Confirmed | State::InReview | State::Fulfilling | State::Completed => {
                Ok(Decision::Repeated(Answer::Done {
                    state: record.state,
                    moved: totals.committed + totals.shipped,
                    excess: 0,
                    repeated: true,
                }))
            }
            State::Cancelled | State::Blocked => Err(illegal(record.state)),
        }
    }

    /// What an attempt has taken in all once it is said to pay for an order in time: what was paid elsewhere is entered
    /// where somebody counts what is paid, so that nothing is taken for it twice. What adapters are asked for, they
    /// tell of.
    #[inline]
    fn entered(&self, (position, record): (u32, &Record), id: ChangeId) -> Result<Price, Refusal> {
        let told = self.accounts.of(position);
        if told.is_empty() && !self.is_payment_handed_off(position) {
            return Ok(0);
        }
        let missing = u128::from(self.due(position, record).due).saturating_sub(covered(told));
        self.enter((position, record), id, missing)
    }

    /// The same late. What others have taken goes back since the order expired, so all of it was paid elsewhere.
    fn entered_late(&self, (position, record): (u32, &Record), id: ChangeId) -> Result<Price, Refusal> {
        let told = self.accounts.of(position);
        if told.is_empty() && !self.is_payment_handed_off(position) {
            return Ok(0);
        }
        self.enter((position, record), id, self.lapsed_cost(record).into())
    }

    fn covers_something(&self, position: u32, id: ChangeId) -> bool {
        self.accounts.of(position).iter().any(|known| known.id == id && known.covers() > 0)
    }

    fn enter(&self, (position, record): (u32, &Record), id: ChangeId, missing: u128) -> Result<Price, Refusal> {
        let told = self.accounts.of(position);
        let known = told.iter().find(|known| known.id == id);
        // Of what adapters are asked for they tell; as long as nobody told of anything, nobody counts.
        let is_asked = told.is_empty() && self.has_implicit_attempt(position, record);
        if missing == 0 || (id == ChangeId::HANDED_OFF && is_asked) {
            return Ok(0);
        }
        if known.is_none() {
            self.check_attempt(position, record, id, PAYMENT_ATTEMPTS_MAX)?;
        }
        let taken = known.map_or(0, |known| known.captured + known.room());
        Ok(u64::try_from(missing + u128::from(taken)).unwrap_or(u64::MAX).min(ORDER_TOTAL_MAX))
    }

    /// Takes every lapsed unit of an order again, wherever it is now, or none. What is not there is not taken.
    pub(super) fn take_again<'s>(&self, record: &Record, scratch: &'s mut Scratch) -> Result<Retaken<'s>, Refusal> {
        let market = self.market(record.order.market())?;
        let lines = (0..).zip(self.orders.lines(record)).zip(self.orders.line_units(record));
        let wants = lines.map(|((line, record), units)| Want { line, sku: record.sku, quantity: units.lapsed });
        let short = scratch.plan.make(market, wants.filter(|want| want.quantity > 0), Beyond::Nothing);
        let over_limit = || {
            let lines = self.orders.lines(record).iter().zip(self.orders.line_units(record));
            let lapsed_lines = lines.map(|(line, units)| (line.sku, units.lapsed));
            let who = (record.customer, self.orders.extra(record).and_then(|extra| extra.hashes));
            let who = (who, record.channel);
            self.over_limit(market, lapsed_lines, who, record.accepted_at, &mut scratch.sums)
        };
        let draws = scratch.plan.draws();
        // Units in too many places are as good as gone: whoever paid has to hear of it, and a refusal is forgotten.
        let too_wide = || {
            let is_wide = draws.len() > DRAWS_MAX || self.orders.draws(record).len() + draws.len() > ORDER_DRAWS_MAX;
            let last = draws.last().filter(|_| is_wide)?;
            Some(self.orders.lines(record)[usize::from(last.line)].sku)
        };
        let short = short.map(|short| short.sku).or_else(over_limit).or_else(too_wide);
        Ok(short.map_or(Retaken::All(draws), Retaken::Short))
    }
}

/// What came of taking lapsed units again.
pub(super) enum Retaken<'s> {
    /// All of them are there, and lie here.
    All(&'s [Draw]),
    /// This SKU is the first that came up short.
    Short(SkuId),
}

const fn confirmed(record: &Record, moved: u64) -> Answer {
    Answer::Done { state: record.told(State::Confirmed), moved, excess: 0, repeated: false }
}
