//! How long reservations last: setting it, and giving one more time.

use super::super::Engine;
use super::super::answer::Answer;
use super::super::fact::Fact;
use super::super::marks::Marks;
use super::super::refusal::Field;
use super::super::reservation::{ExtendReason, Reservations};
use super::{Decision, Outcome, check_bounds, illegal};
use crate::base::limits::HOLD_MS_MAX;
use crate::base::{MarketId, OrderId, Timestamp};

impl Engine {
    pub(super) fn set_reservations<'s>(&self, market: MarketId, reservations: Reservations) -> Outcome<'s> {
        let Reservations { activity_ms_max, payment_ms_max, unpaid_ms } = reservations;
        check_bounds(Field::ActivityMax, activity_ms_max.into(), 0, HOLD_MS_MAX.into())?;
        check_bounds(Field::PaymentMax, payment_ms_max.into(), 0, HOLD_MS_MAX.into())?;
        for unpaid_ms in unpaid_ms {
            check_bounds(Field::Unpaid, unpaid_ms.into(), 1, HOLD_MS_MAX.into())?;
        }
        if self.market(market)?.reservations == reservations {
            return Ok(Decision::Repeated(Answer::Set { repeated: true }));
        }
        let fact = Fact::ReservationsSet { market, reservations };
        Ok(Decision::Happened { fact, answer: Answer::Set { repeated: false } })
    }

    /// More time for a reservation that is alive; as much as there is when too much is asked.
    ///
    /// A payment that starts is a fact although the deadline may stay where it was: it started, and does not again. Of
    /// an order that is over whoever starts a payment has to know, so a repeat is answered only while it is alive.
    pub(super) fn extend<'s>(
        &self,
        order: OrderId,
        until: Timestamp,
        reason: ExtendReason,
        now: Timestamp,
    ) -> Outcome<'s> {
        let (_, record) = self.placed_order(order)?;
        if !record.state.awaits_payment() {
            return Err(illegal(record.state));
        }
        let latest = self.market(order.market())?.reservations.latest(reason, record.accepted_at, now);
        let deadline = until.min(latest).max(record.deadline);
        let is_news = match reason {
            ExtendReason::Activity => deadline > record.deadline,
            ExtendReason::PaymentStart => !record.marks.has(Marks::PAYMENT_STARTED),
        };
        if !is_news {
            return Ok(Decision::Repeated(Answer::Extended { deadline: record.deadline, repeated: true }));
        }
        let answer = Answer::Extended { deadline, repeated: false };
        Ok(Decision::Happened { fact: Fact::Extended { order, deadline, reason }, answer })
    }
}
