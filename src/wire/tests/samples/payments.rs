//! Payments of orders, of the ingredients: every report there is, and attempts in every stage with every step.

use super::Ingredients;
use crate::base::{ChangeId, Currency, SkuId};
use crate::engine::choices::PaymentMethod;
use crate::engine::fact::Change;
use crate::engine::query::PaymentView;
use crate::engine::{
    Action, Command, Dispute, Fact, FailureReason, MoneySums, PaymentReport, Refusal, RetryClass, Stage, Step,
};

impl Ingredients {
    fn failure(&self, at: usize) -> (FailureReason, RetryClass) {
        let at = self.pick.wrapping_add((at % 33) as u8);
        let reason = FailureReason::from_byte(at % 11).expect("eleven reasons");
        (reason, RetryClass::from_byte(1 + at % 3).expect("three classes"))
    }

    /// Every report.
    fn reports(&self) -> [PaymentReport; 12] {
        let (total, (reason, class)) = (self.word(6), self.failure(0));
        [
            PaymentReport::RequiresAction,
            PaymentReport::Processing,
            PaymentReport::Authorised { total, until: self.time(7) },
            PaymentReport::Captured { total },
            PaymentReport::Failed { reason, class },
            PaymentReport::Voided,
            PaymentReport::Expired,
            PaymentReport::Refunded { total },
            PaymentReport::RefundFailed { total },
            PaymentReport::Disputed,
            PaymentReport::DisputeWon,
            PaymentReport::ChargedBack { total },
        ]
    }

    /// What a client says of payments: with every report.
    pub(super) fn payment_commands(&self) -> impl Iterator<Item = Command<'_>> {
        let (order, attempt, method) = (self.order(), ChangeId(self.word(5)), self.payment());
        let currency = self.currency();
        let report = move |report| Command::ReportPayment { order, attempt, method, currency, report };
        let refund = Command::RequestRefund { order, change: attempt, amount: self.word(7) };
        let reports = self.reports().into_iter().map(report);
        [Command::StartPayment { order, attempt, method }, refund].into_iter().chain(reports)
    }

    /// What is kept of them: with every report, in time, late, and in vain.
    pub(super) fn payment_facts(&self) -> impl Iterator<Item = Fact<'_>> {
        let (order, attempt, method) = (self.order(), ChangeId(self.word(5)), self.payment());
        let report = move |(at, report)| {
            let draws = if at % 3 == 0 { self.draws.as_slice() } else { &[] };
            let short = (at % 3 == 1).then(|| SkuId(1 + self.medium(1) / 2));
            Fact::PaymentReported { order, attempt, method, report, draws, short }
        };
        let change = Change { id: attempt, content: self.word(6), excess: 0 };
        let refund = Fact::RefundRequested { order, change, amount: self.word(7) };
        let reports = (0..).zip(self.reports()).map(report);
        [Fact::PaymentStarted { order, attempt, method }, refund].into_iter().chain(reports)
    }

    /// What is refused of them alone.
    pub(super) fn payment_refusals(&self) -> [Refusal; 2] {
        [Refusal::RefundTooMuch { left: self.word(3) }, Refusal::OtherCurrency { currency: self.currency() }]
    }

    /// As many attempts as there are SKUs.
    pub(super) fn payments(&self) -> Vec<PaymentView> {
        (0..self.skus.len()).map(|at| self.payment_view(usize::from(self.pick) + at)).collect()
    }

    fn payment_view(&self, at: usize) -> PaymentView {
        let stage = Stage::ALL[at % Stage::ALL.len()];
        PaymentView {
            attempt: ChangeId(self.word(at)),
            method: PaymentMethod::from_byte((at % 6) as u8).expect("six methods"),
            stage,
            failure: (stage == Stage::Failed).then(|| self.failure(at)),
            dispute: Dispute::from_byte((at % 3) as u8).expect("three of them"),
            authorised: self.word(at + 1),
            captured: self.word(at + 2),
            refunded: self.word(at + 3),
            refund_asked: self.word(at + 4),
            refund_failed: self.word(at + 7),
            charged_back: self.word(at + 5),
            until: self.time(at + 8),
            step: match at % 5 {
                0 => Step::Nothing,
                1 => Step::Charge { amount: self.word(at + 6) },
                2 => Step::Capture { total: self.word(at + 6) },
                3 => Step::GiveBack { total: self.word(at + 6) },
                _ => Step::Close,
            },
        }
    }

    pub(super) fn action(&self) -> Action {
        Action::from_byte(1 + self.pick % 5).expect("five actions")
    }

    /// The money of as many currencies as there are SKUs.
    pub(super) fn money(&self) -> Vec<(Currency, MoneySums)> {
        let sums = |at: usize| MoneySums::from_parts(core::array::from_fn(|part| self.wide(at + part)));
        let currency = |at: usize| Currency::new([b'A', b'A' + (at / 26 % 26) as u8, b'A' + (at % 26) as u8]);
        (0..self.skus.len()).map(|at| (currency(at).expect("three letters"), sums(at))).collect()
    }
}
