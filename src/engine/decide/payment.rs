//! Confirming an order, in time or after its reservation expired.

use super::super::Engine;
use super::super::answer::Answer;
use super::super::content::{self, ChangeKind};
use super::super::fact::Fact;
use super::super::order::State;
use super::super::orders::Record;
use super::super::routing::{Beyond, Want};
use super::{Decision, Outcome, Scratch, Wanted, illegal};
use crate::base::limits::{DRAWS_MAX, ORDER_DRAWS_MAX};
use crate::base::{ChangeId, OrderId, SkuId};

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
            State::PendingPayment => {
                let answer = confirmed(record, totals.reserved);
                Ok(Decision::Happened { fact: Fact::Confirmed { order, attempt, draws: &[] }, answer })
            }
            State::Expired => self.retake((position, record), attempt, totals.lapsed, scratch),
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

    /// Takes every lapsed unit again, wherever it is now, or none. What is not there is not taken.
    fn retake<'s>(
        &self,
        (position, record): (u32, &Record),
        attempt: ChangeId,
        lapsed: u64,
        scratch: &'s mut Scratch,
    ) -> Outcome<'s> {
        let order = record.order;
        let market = self.market(order.market())?;
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
        if let Some(sku) = short.map(|short| short.sku).or_else(over_limit).or_else(too_wide) {
            self.check_changes(position)?;
            let fact = Fact::RetakeFailed { order, attempt, sku };
            return Ok(Decision::Happened { fact, answer: Answer::RetakeFailed { sku, repeated: false } });
        }
        Ok(Decision::Happened { fact: Fact::Confirmed { order, attempt, draws }, answer: confirmed(record, lapsed) })
    }
}

const fn confirmed(record: &Record, moved: u64) -> Answer {
    Answer::Done { state: State::Confirmed.with_holds(record.is_held()), moved, excess: 0, repeated: false }
}
