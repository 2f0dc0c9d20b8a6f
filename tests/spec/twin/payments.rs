//! Payments in the twin: attempts that begin, what is told of them, money that is to go back, and what all that means
//! for the order in the same step.

use std::collections::BTreeMap;

use stockade::base::limits::{CHANGES_MAX, CURRENCIES_MAX, ORDER_TOTAL_MAX, PAYMENT_ATTEMPTS_MAX, PAYMENT_STARTS_MAX};
use stockade::base::{ChangeId, Currency, MarketId, OrderId, Price, Timestamp};
use stockade::engine::choices::PaymentMethod;
use stockade::engine::order::State;
use stockade::engine::refusal::Field;
use stockade::engine::{Answer, Command, MoneySums, PaymentReport, Refusal, RetryClass};

use super::account::{Said, price, room};
use super::order::{Fate, Order, Remembered};
use super::retake::illegal;
use super::{Market, Twin, out_of_bounds};

impl Twin {
    pub(super) fn start_payment(
        &mut self,
        id: OrderId,
        attempt: ChangeId,
        method: PaymentMethod,
    ) -> Result<Answer, Refusal> {
        check_method(method)?;
        let order = self.order(id)?;
        if let Some(known) = order.payments().iter().find(|known| known.attempt == attempt) {
            return if known.method == method { Ok(order.done(0, 0, true)) } else { Err(Refusal::Conflict) };
        }
        if !order.is_unpaid() && order.missing() == 0 {
            return Err(illegal(order.state()));
        }
        self.check_one_more_attempt(id, attempt, PAYMENT_STARTS_MAX)?;
        let order = self.order_mut(id)?;
        order.said.push(Said::Begun(attempt, method));
        Ok(order.done(0, 0, false))
    }

    pub(super) fn report_payment(
        &mut self,
        id: OrderId,
        (attempt, method): (ChangeId, PaymentMethod),
        currency: Currency,
        report: PaymentReport,
    ) -> Result<Answer, Refusal> {
        check_total(report)?;
        check_end(report, self.now)?;
        let order = self.order(id)?;
        if currency != order.asked.currency {
            return Err(Refusal::OtherCurrency { currency: order.asked.currency });
        }
        let mut told = order.clone();
        told.say((attempt, method), report, self.now);
        if told.attempts() == order.attempts() {
            return Ok(order.done(0, 0, true));
        }
        if told.attempts().len() > order.attempts().len() {
            self.check_one_more_attempt(id, attempt, PAYMENT_ATTEMPTS_MAX)?;
        }
        let (before, covered) = (order.state(), order.covered_by(attempt));
        // What was only set aside, adapters were asked to let go when the order expired, if they knew of it.
        let is_set_aside = matches!(report, PaymentReport::Authorised { .. });
        let is_known = order.payments().iter().any(|known| known.attempt == attempt);
        let may_be_let_go = is_set_aside && is_known && order.handed_off[0].is_some();
        let order = self.order_mut(id)?;
        *order = told;
        match before {
            State::PendingPayment | State::PaymentFailed => {
                let moved = order.settle_payment(report);
                Ok(order.done(moved, 0, false))
            }
            State::Expired if covered == 0 && !may_be_let_go && order.is_paid_late(attempt, report) => {
                match self.take_again(id)? {
                    Ok(moved) => {
                        let order = self.order_mut(id)?;
                        order.said.push(Said::PaidLate(attempt));
                        Ok(order.done(moved, 0, false))
                    }
                    Err(sku) => Ok(Answer::RetakeFailed { sku, repeated: false }),
                }
            }
            _ => Ok(order.done(0, 0, false)),
        }
    }

    pub(super) fn request_refund(&mut self, id: OrderId, change: ChangeId, amount: Price) -> Result<Answer, Refusal> {
        check_amount(amount)?;
        let order = self.order_mut(id)?;
        match order.changes.get(&change) {
            Some(Remembered::Refund { amount: first }) if *first == amount => return Ok(order.done(amount, 0, true)),
            Some(_) => return Err(Refusal::Conflict),
            None if order.is_unpaid() => return Err(illegal(order.state())),
            None if order.changes.len() == CHANGES_MAX => return Err(Refusal::TooManyChanges),
            None => {}
        }
        if u128::from(amount) > order.refundable() {
            return Err(Refusal::RefundTooMuch { left: order.refundable().try_into().unwrap_or(u64::MAX) });
        }
        let bill = order.bill();
        order.said.push(Said::RefundAsked { amount, bill });
        order.changes.insert(change, Remembered::Refund { amount });
        Ok(order.done(amount, 0, false))
    }

    /// Enters what an order that was just confirmed was paid elsewhere: whatever its attempts do not cover. What cannot
    /// be entered is not confirmed.
    pub(super) fn enter_paid_elsewhere(
        &mut self,
        id: OrderId,
        attempt: ChangeId,
        is_late: bool,
    ) -> Result<(), Refusal> {
        let order = self.order(id)?;
        let attempts = order.attempts();
        // Late, what others have is on its way back: all of it was paid elsewhere.
        let covered = if is_late { 0 } else { order.covered() };
        let missing = order.due().saturating_sub(covered);
        let has_account = !attempts.is_empty() || order.was_handed_off_unpaid() && attempt != ChangeId::HANDED_OFF;
        // Of one that costs nothing any more there is nothing to enter either.
        if !has_account || (attempts.is_empty() && missing == 0) {
            self.order_mut(id)?.said.push(Said::PaidElsewhere);
            return Ok(());
        }
        if missing == 0 {
            return Ok(());
        }
        let known = attempts.iter().map(|known| &known.view).find(|known| known.attempt == attempt);
        if known.is_none() {
            self.check_one_more_attempt(id, attempt, PAYMENT_ATTEMPTS_MAX)?;
        }
        let total = known.map_or(0, |known| u128::from(known.captured) + room(known)) + missing;
        let report = PaymentReport::Captured { total: price(total.min(ORDER_TOTAL_MAX.into())) };
        let now = self.now;
        let order = self.order_mut(id)?;
        order.say((attempt, order.asked.payment), report, now);
        Ok(())
    }

    /// Whether an order, its market and the shard may have one attempt more.
    fn check_one_more_attempt(&self, id: OrderId, attempt: ChangeId, attempts_max: usize) -> Result<(), Refusal> {
        let (order, market) = (self.order(id)?, self.market(id.market())?);
        // The one of the adapters was counted since the order was placed, in the order too.
        let is_implicit = order.has_implicit_attempt();
        if is_implicit && attempt == ChangeId::HANDED_OFF {
            return Ok(());
        }
        let attempts_max = attempts_max.min(PAYMENT_ATTEMPTS_MAX - usize::from(is_implicit));
        if order.attempts().len() >= attempts_max {
            return Err(out_of_bounds(Field::Attempts, 0, attempts_max as u64));
        }
        self.check_payment(market, order.asked.currency)
    }

    /// Whether there may be one attempt more in the shard, and in the market one in this currency.
    pub(super) fn check_payment(&self, market: &Market, currency: Currency) -> Result<(), Refusal> {
        let money = market.money();
        if !money.contains_key(&currency) && money.len() == CURRENCIES_MAX {
            return Err(out_of_bounds(Field::Currencies, 0, CURRENCIES_MAX as u64));
        }
        if self.payments() >= self.capacity.payments_max { Err(Refusal::AtCapacity) } else { Ok(()) }
    }

    /// Attempts of every order that is whole, those of the adapters included.
    pub(crate) fn payments(&self) -> u64 {
        self.count_orders(|market, id, _| !market.closed.contains(id), |order| order.payments().len() as u64)
    }

    /// What may still be asked to go back of an order.
    pub(crate) fn refundable(&self, id: OrderId) -> Option<Price> {
        self.order(id).ok().map(|order| order.refundable().try_into().unwrap_or(Price::MAX))
    }

    pub(crate) fn money(&self, market: MarketId) -> Vec<(Currency, MoneySums)> {
        self.markets[&market].money().into_iter().collect()
    }
}

impl Market {
    /// Money of all orders there ever were, in each currency in which anybody tried to pay one.
    fn money(&self) -> BTreeMap<Currency, MoneySums> {
        let mut money: BTreeMap<Currency, MoneySums> = BTreeMap::new();
        for order in self.placed() {
            if order.was_handed_off_unpaid() {
                money.entry(order.asked.currency).or_default();
            }
            for attempt in order.attempts().into_iter().map(|attempt| attempt.view) {
                let sums = money.entry(order.asked.currency).or_default();
                sums.authorised += u128::from(attempt.authorised);
                sums.captured += u128::from(attempt.captured);
                sums.refunded += u128::from(attempt.refunded);
                sums.charged_back += u128::from(attempt.charged_back);
            }
        }
        money
    }
}

impl Order {
    fn say(&mut self, (attempt, method): (ChangeId, PaymentMethod), report: PaymentReport, at: Timestamp) {
        let (bill, was_unpaid) = (self.bill(), self.is_unpaid());
        self.said.push(Said::Reported { attempt, method, report, bill, was_unpaid, at });
    }

    /// What a report means for an order that waits for its payment: it is paid for, it will never be, or neither. Says
    /// how many units that moved.
    fn settle_payment(&mut self, report: PaymentReport) -> u64 {
        if self.is_covered() {
            return self.turn(Fate::Reserved, Fate::Committed);
        }
        let is_final = matches!(report, PaymentReport::Failed { class: RetryClass::Never, .. });
        if is_final && self.has_failed() { self.turn(Fate::Reserved, Fate::Cancelled) } else { 0 }
    }

    /// Whether an expired order is paid by what was just told of one attempt: as much as its lapsed units cost. All
    /// that was told before is on its way back.
    fn is_paid_late(&self, attempt: ChangeId, report: PaymentReport) -> bool {
        let lapsed = self.cost(|unit| unit.fate == Fate::Lapsed);
        let is_success = matches!(report, PaymentReport::Authorised { .. } | PaymentReport::Captured { .. });
        is_success && lapsed > 0 && self.covered_by(attempt) >= lapsed
    }
}

fn check_amount(amount: Price) -> Result<(), Refusal> {
    if (1..=ORDER_TOTAL_MAX).contains(&amount) { Ok(()) } else { Err(out_of_bounds(Field::Amount, 1, ORDER_TOTAL_MAX)) }
}

fn check_total(report: PaymentReport) -> Result<(), Refusal> {
    report.total().map_or(Ok(()), check_amount)
}

/// Nobody sets anything aside for longer than 400 days.
fn check_end(report: PaymentReport, now: Timestamp) -> Result<(), Refusal> {
    let max = now.ms() + 400 * 24 * 3_600 * 1_000;
    match report {
        PaymentReport::Authorised { until, .. } if until.ms() > max => {
            Err(out_of_bounds(Field::AuthorisationEnd, 0, max))
        }
        _ => Ok(()),
    }
}

/// What is paid at the door is paid when nothing has to begin any more.
fn check_method(method: PaymentMethod) -> Result<(), Refusal> {
    let before_the_door = PaymentMethod::Invoice as u64;
    if method as u64 <= before_the_door { Ok(()) } else { Err(out_of_bounds(Field::Method, 0, before_the_door)) }
}

/// The field of a command about payments that is outside its bounds.
pub(super) fn out_of_bounds_payment(command: &Command<'_>, now: Timestamp) -> Option<Refusal> {
    match *command {
        Command::StartPayment { method, .. } => check_method(method).err(),
        Command::ReportPayment { report, .. } => check_total(report).and_then(|()| check_end(report, now)).err(),
        Command::RequestRefund { amount, .. } => check_amount(amount).err(),
        _ => None,
    }
}
