//! How long reservations last, in the twin.

use stockade::base::limits::HOLD_MS_MAX;
use stockade::base::{MarketId, OrderId, Timestamp};
use stockade::engine::choices::PaymentMethod;
use stockade::engine::refusal::Field;
use stockade::engine::{Answer, ExtendReason, Place, Refusal, Reservations};

use super::retake::illegal;
use super::{Market, Twin, out_of_bounds};

impl Twin {
    pub(super) fn set_reservations(&mut self, market: MarketId, reservations: Reservations) -> Result<Answer, Refusal> {
        out_of_bounds_reservations(reservations).into_iter().next().map_or(Ok(()), Err)?;
        let market = self.market_mut(market)?;
        let before = std::mem::replace(&mut market.reservations, reservations);
        Ok(Answer::Set { repeated: before == reservations })
    }

    /// Only what is alive lasts longer: with activity up to a moment after the acceptance, and once, when a payment
    /// starts, up to a moment after that. Neither makes it last longer than a placement may ask.
    pub(super) fn extend(
        &mut self,
        id: OrderId,
        until: Timestamp,
        reason: ExtendReason,
        now: Timestamp,
    ) -> Result<Answer, Refusal> {
        self.order(id)?;
        let Reservations { activity_ms_max, payment_ms_max, .. } = self.market(id.market())?.reservations;
        let order = self.order_mut(id)?;
        if !order.is_unpaid() {
            return Err(illegal(order.state()));
        }
        let before = order.deadline;
        let starts = reason == ExtendReason::PaymentStart;
        if starts && order.payment_started {
            return Ok(Answer::Extended { deadline: before, repeated: true });
        }
        let allowed = if starts {
            now.after_ms(payment_ms_max.into())
        } else {
            order.accepted_at.after_ms(activity_ms_max.into())
        };
        let wished = until.min(allowed).min(order.accepted_at.after_ms(HOLD_MS_MAX.into()));
        order.payment_started |= starts;
        order.deadline = before.max(wished);
        Ok(Answer::Extended { deadline: order.deadline, repeated: !starts && order.deadline == before })
    }

    pub(crate) fn reservations(&self, market: MarketId) -> Reservations {
        self.markets[&market].reservations
    }
}

impl Market {
    /// How long a placement is waited for: as long as it says, or as its market says of its method.
    pub(super) fn unpaid_ms(&self, place: &Place<'_>) -> u64 {
        let methods = [
            PaymentMethod::Unspecified,
            PaymentMethod::Card,
            PaymentMethod::Wallet,
            PaymentMethod::BankTransfer,
            PaymentMethod::Invoice,
        ];
        let of_method =
            methods.iter().position(|method| *method == place.payment).map_or(0, |at| self.reservations.unpaid_ms[at]);
        if place.hold_ms > 0 { place.hold_ms.into() } else { of_method.into() }
    }
}

/// Every field that is outside its bounds.
pub(super) fn out_of_bounds_reservations(reservations: Reservations) -> Vec<Refusal> {
    let Reservations { activity_ms_max, payment_ms_max, unpaid_ms } = reservations;
    let fields = [(Field::ActivityMax, activity_ms_max), (Field::PaymentMax, payment_ms_max)];
    let wrong = fields.into_iter().filter(|(_, ms)| *ms > HOLD_MS_MAX);
    let wrong = wrong.map(|(field, _)| out_of_bounds(field, 0, HOLD_MS_MAX.into()));
    let unpaid = unpaid_ms.into_iter().filter(|ms| *ms == 0 || *ms > HOLD_MS_MAX);
    wrong.chain(unpaid.map(|_| out_of_bounds(Field::Unpaid, 1, HOLD_MS_MAX.into()))).collect()
}
