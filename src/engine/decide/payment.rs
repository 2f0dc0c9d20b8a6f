//! Attempts to pay an order: beginning one, hearing of one, and money that is to go back.
//!
//! A report is decided by totals alone: what tells nothing new happened before. What it means for the order follows
//! from what its attempts cover then.

use super::super::Engine;
use super::super::answer::Answer;
use super::super::attempt::Attempt;
use super::super::choices::PaymentMethod;
use super::super::content::{self, ChangeKind};
use super::super::fact::{Draw, Fact};
use super::super::market::Market;
use super::super::order::State;
use super::super::orders::Record;
use super::super::payment::PaymentReport;
use super::super::refusal::{Field, Refusal};
use super::super::steps::{covered, refundable};
use super::confirm::Retaken;
use super::{Decision, Outcome, Scratch, Wanted, check_bounds, illegal};
use crate::base::limits::{
    AUTHORISATION_MS_MAX, CURRENCIES_MAX, ORDER_TOTAL_MAX, PAYMENT_ATTEMPTS_MAX, PAYMENT_STARTS_MAX,
};
use crate::base::{ChangeId, Currency, OrderId, Price, Timestamp};

impl Engine {
    pub(super) fn start_payment<'s>(&self, order: OrderId, attempt: ChangeId, method: PaymentMethod) -> Outcome<'s> {
        let prepaid = PaymentMethod::Invoice as u64;
        check_bounds(Field::Method, method as u64, 0, prepaid)?;
        let (position, record) = self.placed_order(order)?;
        let known = |attempts: &[Attempt]| attempts.iter().find(|known| known.id == attempt).copied();
        if let Some(known) = self.with_attempts(position, record, known) {
            let is_same = known.method == method;
            return if is_same { Ok(Decision::Repeated(done(record.state, 0, true))) } else { Err(Refusal::Conflict) };
        }
        if !record.state.awaits_payment() && self.missing(position, record) == 0 {
            return Err(illegal(record.state));
        }
        self.check_attempt(position, record, attempt, PAYMENT_STARTS_MAX)?;
        let is_awaited = record.state.awaits_payment();
        let state = if is_awaited { record.state.plain() } else { record.state };
        let fact = Fact::PaymentStarted { order, attempt, method };
        Ok(Decision::Happened { fact, answer: done(state, 0, false) })
    }

    pub(super) fn report_payment<'s>(
        &self,
        order: OrderId,
        (id, method): (ChangeId, PaymentMethod),
        (currency, report): (Currency, PaymentReport),
        now: Timestamp,
        scratch: &'s mut Scratch,
    ) -> Outcome<'s> {
        check_amount(report.total().unwrap_or(1))?;
        check_bounds(Field::AuthorisationEnd, report.until().ms(), 0, now.after_ms(AUTHORISATION_MS_MAX).ms())?;
        let (position, record) = self.placed_order(order)?;
        if currency != record.currency {
            return Err(Refusal::OtherCurrency { currency: record.currency });
        }
        let told = self.accounts.of(position);
        let known = told.iter().find(|known| known.id == id).copied();
        let after = known.unwrap_or(Attempt::new(id, method)).told(report);
        let ends = &self.accounts.ends;
        if known == Some(after) && ends.after(position, &after, report) == ends.get((position, id)) {
            return Ok(Decision::Repeated(done(record.state, 0, true)));
        }
        if known.is_none() {
            self.check_attempt(position, record, id, PAYMENT_ATTEMPTS_MAX)?;
        }
        let covered = covered(told) + covered(&[after]) - covered(known.as_slice());
        let fact = |draws, short| Fact::PaymentReported { order, attempt: id, method, report, draws, short };
        let totals = self.orders.totals(record);
        if record.state.awaits_payment() {
            let due = self.due(position, record).due;
            let (state, moved) = if due > 0 && covered >= due.into() {
                (record.told(State::Confirmed), totals.reserved)
            } else {
                let has_failed = self.would_have_failed(position, record, &after);
                if has_failed && report.is_final() {
                    (totals.state_after_cancelling(totals.cancellable()), totals.cancellable())
                } else {
                    (record.state.plain().with_failed(has_failed), 0)
                }
            };
            return Ok(Decision::Happened { fact: fact(&[], None), answer: done(state, moved, false) });
        }
        let lapsed = self.lapsed_cost(record);
        // What was told of before is on its way back since the order expired: only what is new counts.
        let is_new = after.covers() >= lapsed && known.is_none_or(|known| known.covers() == 0);
        // What is set aside, adapters that knew of it were asked to let go when the order expired.
        let is_let_go = matches!(report, PaymentReport::Authorised { .. })
            && self.is_payment_handed_off(position)
            && (known.is_some() || id == ChangeId::HANDED_OFF && self.has_implicit_attempt(position, record));
        let is_late = record.state == State::Expired && report.is_success() && is_new && !is_let_go;
        if !is_late || lapsed == 0 {
            return Ok(Decision::Happened { fact: fact(&[], None), answer: done(record.state, 0, false) });
        }
        match self.take_again(record, scratch)? {
            Retaken::Short(sku) => {
                let answer = Answer::RetakeFailed { sku, repeated: false };
                Ok(Decision::Happened { fact: fact(&[], Some(sku)), answer })
            }
            Retaken::All(draws) => {
                let answer = done(record.told(State::Confirmed), totals.lapsed, false);
                Ok(Decision::Happened { fact: fact(draws, None), answer })
            }
        }
    }

    pub(super) fn request_refund<'s>(&self, order: OrderId, id: ChangeId, amount: Price) -> Outcome<'s> {
        check_amount(amount)?;
        let (position, record) = self.placed_order(order)?;
        let wanted = Wanted { kind: ChangeKind::Refund, id, content: content::refund(amount) };
        if self.known_change(position, wanted)?.is_some() {
            return Ok(Decision::Repeated(done(record.state, amount, true)));
        }
        if record.state.awaits_payment() {
            return Err(illegal(record.state));
        }
        self.check_changes(position)?;
        let left = refundable(self.accounts.of(position), self.due(position, record));
        if amount > left {
            return Err(Refusal::RefundTooMuch { left });
        }
        let fact = Fact::RefundRequested { order, change: wanted.with_excess(0), amount };
        Ok(Decision::Happened { fact, answer: done(record.state, amount, false) })
    }

    /// Whether the order, and the shard, may keep one more attempt. For that of the adapters there is room.
    pub(super) fn check_attempt(
        &self,
        position: u32,
        record: &Record,
        id: ChangeId,
        max: usize,
    ) -> Result<(), Refusal> {
        let is_implicit = self.has_implicit_attempt(position, record);
        if is_implicit && id == ChangeId::HANDED_OFF {
            return Ok(());
        }
        let max = if is_implicit { max.min(PAYMENT_ATTEMPTS_MAX - 1) } else { max };
        if self.accounts.of(position).len() >= max {
            return Err(Refusal::OutOfBounds { field: Field::Attempts, min: 0, max: max as u64 });
        }
        self.check_payment(self.market(record.order.market())?, record.currency)
    }

    /// Whether the shard may keep one more attempt, and the market its money.
    pub(super) fn check_payment(&self, market: &Market, currency: Currency) -> Result<(), Refusal> {
        if !market.money.knows(currency) && market.money.len() >= CURRENCIES_MAX {
            return Err(Refusal::OutOfBounds { field: Field::Currencies, min: 0, max: CURRENCIES_MAX as u64 });
        }
        if self.accounts.len() < self.capacity.payments_max { Ok(()) } else { Err(Refusal::AtCapacity) }
    }

    /// Whether all its payments are in vain once one of them is this.
    fn would_have_failed(&self, position: u32, record: &Record, after: &Attempt) -> bool {
        let others = self.accounts.of(position).iter().filter(|other| other.id != after.id);
        let is_asked = self.has_implicit_attempt(position, record) && after.id != ChangeId::HANDED_OFF;
        after.is_vain() && others.into_iter().all(Attempt::is_vain) && !is_asked
    }

    /// The state of an order once these units are cancelled: what is left of one that waits for its payment may be paid
    /// already.
    pub(super) fn state_once_cancelled(&self, record: &Record, draws: &[Draw]) -> State {
        let cancelled = draws.iter().map(|draw| u64::from(draw.quantity)).sum();
        let state = record.told(self.orders.totals(record).state_after_cancelling(cancelled));
        if !state.awaits_payment() {
            return state;
        }
        let Some(position) = self.orders.find(record.order) else { return state };
        let lines = self.orders.lines(record);
        let cost = |draw: &Draw| lines[usize::from(draw.line)].price * u64::from(draw.quantity);
        let due = self.due(position, record).due - draws.iter().map(cost).sum::<u64>();
        let is_paid = due > 0 && covered(self.accounts.of(position)) >= due.into();
        if is_paid { record.told(State::Confirmed) } else { state }
    }
}

const fn check_amount(amount: Price) -> Result<(), Refusal> {
    check_bounds(Field::Amount, amount, 1, ORDER_TOTAL_MAX)
}

const fn done(state: State, moved: u64, repeated: bool) -> Answer {
    Answer::Done { state, moved, excess: 0, repeated }
}
