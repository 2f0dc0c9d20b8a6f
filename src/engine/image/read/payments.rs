//! What was paid of orders, read back.

use super::super::super::Engine;
use super::super::super::attempt::Attempt;
use super::super::super::choices::{FailureReason, PaymentMethod, RetryClass};
use super::super::super::market::Market;
use super::super::super::marks::Marks;
use super::super::super::money::MoneySums;
use super::super::super::orders::{Phase, Record};
use super::super::super::payment::{Dispute, Stage};
use super::super::{ImageError, LET_GO};
use super::{Fields, Read};
use crate::base::limits::{CURRENCIES_MAX, PAYMENT_ATTEMPTS_MAX};
use crate::base::{ChangeId, Currency, OrderNumber};

/// The attempts to pay an order. One that is over has none.
pub(super) fn read_attempts(item: &mut Fields<'_>, record: &Record) -> Read<Vec<Attempt>> {
    let wrong = ImageError::new("an order has an attempt to pay it that cannot be, or twice");
    let mut attempts = Vec::<Attempt>::new();
    for _ in 0..item.count(PAYMENT_ATTEMPTS_MAX)? {
        let id = ChangeId(item.u64()?);
        let [authorised, captured, refunded] = [item.u64()?, item.u64()?, item.u64()?];
        let [refund_asked, refund_failed, charged_back] = [item.u64()?, item.u64()?, item.u64()?];
        let method = PaymentMethod::from_byte(item.byte()?).ok_or(wrong)?;
        let stage = Stage::from_byte(item.byte()?).ok_or(wrong)?;
        let (reason, class) = (FailureReason::from_byte(item.byte()?), RetryClass::from_byte(item.byte()?));
        let dispute = item.byte()?;
        let attempt = Attempt {
            id,
            authorised,
            captured,
            refunded,
            refund_asked,
            refund_failed,
            charged_back,
            method,
            stage,
            failure: reason.zip(class),
            dispute: Dispute::from_byte(dispute & !LET_GO).ok_or(wrong)?,
            is_let_go: dispute & LET_GO != 0,
        };
        if attempt.check().is_err() || attempts.iter().any(|other| other.id == id) {
            return Err(wrong);
        }
        attempts.push(attempt);
    }
    let may_have = record.phase == Phase::Whole && record.number != OrderNumber(0);
    if attempts.is_empty() || may_have { Ok(attempts) } else { Err(wrong) }
}

/// The money of orders that were closed.
pub(super) fn read_gone_money(item: &mut Fields<'_>, market: &mut Market) -> Read<()> {
    for _ in 0..item.count(CURRENCIES_MAX)? {
        let letters = [item.byte()?, item.byte()?, item.byte()?];
        let currency = Currency::new(letters).map_err(|_| ImageError::new("a currency is not three letters"))?;
        let sums = MoneySums::from_parts([item.u128()?, item.u128()?, item.u128()?, item.u128()?]);
        let is_sound = sums.captured <= sums.authorised
            && sums.refunded <= sums.captured
            && sums.charged_back <= sums.captured
            && sums.authorised < u128::MAX / 2;
        if !is_sound || market.gone_money.knows(currency) {
            return Err(ImageError::new("the money of closed orders does not add up"));
        }
        market.gone_money.add_sums(currency, &sums);
        market.money.add_sums(currency, &sums);
    }
    Ok(())
}

impl Engine {
    /// Enters what was paid of an order. That it all was in vain, if it was, its state says already.
    pub(super) fn restore_attempts(&mut self, position: u32, attempts: &[Attempt]) -> Read<()> {
        if !attempts.is_empty() {
            let Record { order, currency, .. } = *self.orders.record(position);
            self.accounts.replace(position, attempts);
            self.open_market_mut(order.market())?.money.add(currency, attempts);
        }
        if self.has_implicit_attempt(position, self.orders.record(position)) {
            self.accounts.add_implicit();
            let Record { order, currency, .. } = *self.orders.record(position);
            self.open_market_mut(order.market())?.money.know(currency);
        }
        let has_failed = self.has_failed(position);
        self.orders.set_mark(position, Marks::PAYMENT_FAILED, has_failed);
        let record = self.orders.record(position);
        let is_told = record.phase != Phase::Whole || record.told(record.state.plain()) == record.state;
        if is_told { Ok(()) } else { Err(ImageError::new("an order's state and its payments tell different things")) }
    }
}
