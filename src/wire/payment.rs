//! Payments in records: asked and told for, as facts of the log, as orders tell of them, and as money of books.
//!
//! # Always true
//! - A report is a number, a total and an end where it tells them, and a reason with its class where it is a failure;
//!   what a report does not use is zero.

use super::fact_decode::read_draws;
use super::fact_records::ArchivedConfirmedV2;
use super::layout::{Body, Malformed, RecordHead, fixed, put, put_all};
use super::refused::Part;
use super::request_decode::time;
use crate::base::{ChangeId, Currency, OrderId, Price, SkuId};
use crate::engine::choices::PaymentMethod;
use crate::engine::fact::Change;
use crate::engine::query::PaymentView;
use crate::engine::{Command, Dispute, Draw, Fact, FailureReason, MoneySums, PaymentReport, RetryClass, Stage, Step};

fixed! {
    /// An attempt to pay is to begin, or has.
    StartPaymentV1 as ArchivedStartPaymentV1, 29 {
        head: RecordHead,
        order: u128,
        attempt: u64,
        method: u8,
    }
    /// What is told of an attempt.
    ReportedPart as ArchivedReportedPart, 19 {
        total: u64,
        until: u64,
        report: u8,
        reason: u8,
        class: u8,
    }
    /// An attempt to pay is told of.
    ReportPaymentV2 as ArchivedReportPaymentV2, 51 {
        head: RecordHead,
        order: u128,
        attempt: u64,
        reported: ReportedPart,
        method: u8,
        currency: [u8; 3],
    }
    /// An attempt to pay was told of. Then: draws.
    PaymentReportedV2 as ArchivedPaymentReportedV2, 54 {
        head: RecordHead,
        short: u32,
        order: u128,
        attempt: u64,
        reported: ReportedPart,
        method: u8,
        draws: u16,
    }
    /// Money is to go back.
    RequestRefundV1 as ArchivedRequestRefundV1, 36 {
        head: RecordHead,
        order: u128,
        change: u64,
        amount: u64,
    }
    /// Money is to go back, as a fact.
    RefundRequestedV1 as ArchivedRefundRequestedV1, 44 {
        head: RecordHead,
        order: u128,
        change: u64,
        content: u64,
        amount: u64,
    }
    /// An attempt to pay of an order that is told of.
    PaymentPart as ArchivedPaymentPart, 78 {
        attempt: u64,
        authorised: u64,
        captured: u64,
        refunded: u64,
        refund_asked: u64,
        refund_failed: u64,
        charged_back: u64,
        until: u64,
        step_amount: u64,
        method: u8,
        stage: u8,
        reason: u8,
        class: u8,
        dispute: u8,
        step: u8,
    }
    /// Money of one currency.
    MoneyPart as ArchivedMoneyPart, 67 {
        currency: [u8; 3],
        sums: [u128; 4],
    }
}

impl From<PaymentReport> for ReportedPart {
    fn from(report: PaymentReport) -> Self {
        let (reason, class) = match report {
            PaymentReport::Failed { reason, class } => (reason as u8, class as u8),
            _ => (0, 0),
        };
        let (total, until) = (report.total().unwrap_or_default(), report.until().ms());
        Self { total, until, report: number(report), reason, class }
    }
}

const fn number(report: PaymentReport) -> u8 {
    match report {
        PaymentReport::RequiresAction => 1,
        PaymentReport::Processing => 2,
        PaymentReport::Authorised { .. } => 3,
        PaymentReport::Captured { .. } => 4,
        PaymentReport::Failed { .. } => 5,
        PaymentReport::Voided => 6,
        PaymentReport::Expired => 7,
        PaymentReport::Refunded { .. } => 8,
        PaymentReport::RefundFailed { .. } => 9,
        PaymentReport::Disputed => 10,
        PaymentReport::DisputeWon => 11,
        PaymentReport::ChargedBack { .. } => 12,
    }
}

impl ArchivedReportedPart {
    pub(super) fn read(&self) -> Result<PaymentReport, Malformed> {
        let (total, until) = (self.total.to_native(), time(self.until.to_native())?);
        let report = match self.report {
            1 => PaymentReport::RequiresAction,
            2 => PaymentReport::Processing,
            3 => PaymentReport::Authorised { total, until },
            4 => PaymentReport::Captured { total },
            5 => {
                let (reason, class) = read_failure(self.reason, self.class)?.ok_or(Malformed(Part::PaymentReport))?;
                PaymentReport::Failed { reason, class }
            }
            6 => PaymentReport::Voided,
            7 => PaymentReport::Expired,
            8 => PaymentReport::Refunded { total },
            9 => PaymentReport::RefundFailed { total },
            10 => PaymentReport::Disputed,
            11 => PaymentReport::DisputeWon,
            12 => PaymentReport::ChargedBack { total },
            _ => return Err(Malformed(Part::PaymentReport)),
        };
        // What this report does not use must have been zero.
        let again = ReportedPart::from(report);
        let is_whole = (again.total, again.until) == (total, until.ms());
        let is_whole = is_whole && (again.reason, again.class) == (self.reason, self.class);
        if is_whole { Ok(report) } else { Err(Malformed(Part::PaymentReport)) }
    }
}

/// A failure's reason and class; both are 0 when there is none.
fn read_failure(reason: u8, class: u8) -> Result<Option<(FailureReason, RetryClass)>, Malformed> {
    if (reason, class) == (0, 0) {
        return Ok(None);
    }
    let failure = FailureReason::from_byte(reason).zip(RetryClass::from_byte(class));
    failure.map(Some).ok_or(Malformed(Part::PaymentReport))
}

pub(super) fn read_method(method: u8) -> Result<PaymentMethod, Malformed> {
    PaymentMethod::from_byte(method).ok_or(Malformed(Part::Payment))
}

pub(super) fn read_currency(letters: [u8; 3]) -> Result<Currency, Malformed> {
    Currency::new(letters).map_err(|_| Malformed(Part::Currency))
}

/// Appends the record of an attempt that begins, or began; `head` counts 29 bytes.
pub(super) fn put_start(head: RecordHead, order: OrderId, attempt: ChangeId, method: PaymentMethod, out: &mut Vec<u8>) {
    put(out, &StartPaymentV1 { head, order: order.bits(), attempt: attempt.0, method: method as u8 });
}

pub(super) fn read_start(record: &[u8]) -> Result<(OrderId, ChangeId, PaymentMethod), Malformed> {
    let fixed = Body::alone::<ArchivedStartPaymentV1>(record)?;
    let (order, attempt) = (OrderId::from_bits(fixed.order.to_native()), ChangeId(fixed.attempt.to_native()));
    Ok((order, attempt, read_method(fixed.method)?))
}

pub(super) fn report_payment(record: &[u8]) -> Result<Command<'_>, Malformed> {
    let fixed = Body::alone::<ArchivedReportPaymentV2>(record)?;
    Ok(Command::ReportPayment {
        order: OrderId::from_bits(fixed.order.to_native()),
        attempt: ChangeId(fixed.attempt.to_native()),
        method: read_method(fixed.method)?,
        currency: read_currency(fixed.currency)?,
        report: fixed.reported.read()?,
    })
}

pub(super) fn request_refund(record: &[u8]) -> Result<Command<'_>, Malformed> {
    let fixed = Body::alone::<ArchivedRequestRefundV1>(record)?;
    let (order, change) = (OrderId::from_bits(fixed.order.to_native()), ChangeId(fixed.change.to_native()));
    Ok(Command::RequestRefund { order, change, amount: fixed.amount.to_native() })
}

pub(super) fn confirmed<'a>(record: &'a [u8], draws: &'a mut Vec<Draw>) -> Result<Fact<'a>, Malformed> {
    let (fixed, mut body) = Body::of::<ArchivedConfirmedV2>(record)?;
    read_draws(fixed.draws.to_native(), &mut body, draws)?;
    body.end()?;
    let (order, attempt) = (OrderId::from_bits(fixed.order.to_native()), ChangeId(fixed.attempt.to_native()));
    Ok(Fact::Confirmed { order, attempt, entered: fixed.entered.to_native(), draws })
}

pub(super) fn payment_started(record: &[u8]) -> Result<Fact<'_>, Malformed> {
    let (order, attempt, method) = read_start(record)?;
    Ok(Fact::PaymentStarted { order, attempt, method })
}

pub(super) fn payment_reported<'a>(record: &'a [u8], draws: &'a mut Vec<Draw>) -> Result<Fact<'a>, Malformed> {
    let (fixed, mut body) = Body::of::<ArchivedPaymentReportedV2>(record)?;
    read_draws(fixed.draws.to_native(), &mut body, draws)?;
    body.end()?;
    let short = fixed.short.to_native();
    Ok(Fact::PaymentReported {
        order: OrderId::from_bits(fixed.order.to_native()),
        attempt: ChangeId(fixed.attempt.to_native()),
        method: read_method(fixed.method)?,
        report: fixed.reported.read()?,
        draws,
        short: (short != 0).then_some(SkuId(short)),
    })
}

pub(super) fn refund_requested(record: &[u8]) -> Result<Fact<'_>, Malformed> {
    let fixed = Body::alone::<ArchivedRefundRequestedV1>(record)?;
    let (id, content) = (ChangeId(fixed.change.to_native()), fixed.content.to_native());
    let (order, change) = (OrderId::from_bits(fixed.order.to_native()), Change { id, content, excess: 0 });
    Ok(Fact::RefundRequested { order, change, amount: fixed.amount.to_native() })
}

impl From<&PaymentView> for PaymentPart {
    fn from(view: &PaymentView) -> Self {
        let (reason, class) = view.failure.map_or((0, 0), |(reason, class)| (reason as u8, class as u8));
        let (step, step_amount) = match view.step {
            Step::Nothing => (0, 0),
            Step::Charge { amount } => (1, amount),
            Step::Capture { total } => (2, total),
            Step::GiveBack { total } => (3, total),
            Step::Close => (4, 0),
        };
        Self {
            attempt: view.attempt.0,
            authorised: view.authorised,
            captured: view.captured,
            refunded: view.refunded,
            refund_asked: view.refund_asked,
            refund_failed: view.refund_failed,
            charged_back: view.charged_back,
            until: view.until.ms(),
            step_amount,
            method: view.method as u8,
            stage: view.stage as u8,
            reason,
            class,
            dispute: view.dispute as u8,
            step,
        }
    }
}

impl ArchivedPaymentPart {
    pub(super) fn read(&self) -> Result<PaymentView, Malformed> {
        let wrong = Malformed(Part::PaymentView);
        Ok(PaymentView {
            attempt: ChangeId(self.attempt.to_native()),
            method: read_method(self.method)?,
            stage: Stage::from_byte(self.stage).ok_or(wrong)?,
            failure: read_failure(self.reason, self.class)?,
            dispute: Dispute::from_byte(self.dispute).ok_or(wrong)?,
            authorised: self.authorised.to_native(),
            captured: self.captured.to_native(),
            refunded: self.refunded.to_native(),
            refund_asked: self.refund_asked.to_native(),
            refund_failed: self.refund_failed.to_native(),
            charged_back: self.charged_back.to_native(),
            until: time(self.until.to_native())?,
            step: read_step(self.step, self.step_amount.to_native()).ok_or(wrong)?,
        })
    }
}

const fn read_step(step: u8, amount: Price) -> Option<Step> {
    match (step, amount) {
        (0, 0) => Some(Step::Nothing),
        (1, amount) => Some(Step::Charge { amount }),
        (2, total) => Some(Step::Capture { total }),
        (3, total) => Some(Step::GiveBack { total }),
        (4, 0) => Some(Step::Close),
        _ => None,
    }
}

/// Bytes that the money of so many currencies adds to books.
pub(super) const fn money_bytes(currencies: usize) -> usize {
    currencies * MONEY_BYTES
}

/// Bytes that the money of one currency adds to books.
pub const MONEY_BYTES: usize = size_of::<ArchivedMoneyPart>();

/// Bytes that one attempt to pay adds to an order that is told of.
pub const PAYMENT_BYTES: usize = size_of::<ArchivedPaymentPart>();

pub(super) fn put_money(money: &[(Currency, MoneySums)], out: &mut Vec<u8>) {
    put_all(out, money.iter().map(|(currency, sums)| MoneyPart { currency: currency.code(), sums: sums.parts() }));
}

impl ArchivedMoneyPart {
    pub(super) fn read(&self) -> Result<(Currency, MoneySums), Malformed> {
        let sums = MoneySums::from_parts(self.sums.map(rkyv::rend::unaligned::u128_ule::to_native));
        Ok((read_currency(self.currency)?, sums))
    }
}
