//! Payments as `order get`, `order pay`, `order payment` and `order refund` show them, for people and as JSON.
//!
//! # Always true
//! - In JSON the name of an attempt is text: it has 64 bits, and not every reader of JSON has.

use std::fmt;

use serde::Serialize;

use super::payment_args::ADAPTERS;
use super::price;
use super::table::Table;
use crate::base::{ChangeId, Currency, Price};
use crate::engine::PaymentReport;
use crate::engine::query::PaymentView;

/// How many amounts an attempt has.
const AMOUNTS: usize = 6;

/// One attempt to pay an order. Amounts are totals.
#[derive(Debug, Serialize)]
pub(super) struct AttemptReport {
    attempt: String,
    /// It is the one that adapters make.
    by_adapters: bool,
    method: &'static str,
    stage: &'static str,
    failure_reason: Option<&'static str>,
    /// What may be tried after the failure.
    retry: Option<&'static str>,
    dispute: &'static str,
    authorised: String,
    authorised_minor: Price,
    captured: String,
    captured_minor: Price,
    refunded: String,
    refunded_minor: Price,
    /// By somebody; what goes back because it is too much is not in it.
    refund_asked: String,
    refund_asked_minor: Price,
    /// Of what was asked, so much will not go back.
    refund_failed: String,
    refund_failed_minor: Price,
    charged_back: String,
    charged_back_minor: Price,
    /// Until when what is authorised is set aside, where somebody said.
    until: Option<String>,
    /// What is to be done with it.
    next: &'static str,
    /// Of a charge so much; else the total that is to be reached.
    next_amount: Option<String>,
    next_amount_minor: Option<Price>,
}

impl AttemptReport {
    pub(super) fn new(view: &PaymentView, currency: Currency) -> Self {
        let PaymentView { authorised, captured, refunded, refund_asked, refund_failed, charged_back, step, .. } = *view;
        let text = |minor: Price| price::text(minor, currency);
        Self {
            attempt: view.attempt.to_string(),
            by_adapters: view.attempt == ChangeId::HANDED_OFF,
            method: view.method.name(),
            stage: view.stage.name(),
            failure_reason: view.failure.map(|(reason, _)| reason.name()),
            retry: view.failure.map(|(_, class)| class.name()),
            dispute: view.dispute.name(),
            authorised: text(authorised),
            authorised_minor: authorised,
            captured: text(captured),
            captured_minor: captured,
            refunded: text(refunded),
            refunded_minor: refunded,
            refund_asked: text(refund_asked),
            refund_asked_minor: refund_asked,
            refund_failed: text(refund_failed),
            refund_failed_minor: refund_failed,
            charged_back: text(charged_back),
            charged_back_minor: charged_back,
            until: view.until.utc_or_none(),
            next: step.name(),
            next_amount: step.amount().map(text),
            next_amount_minor: step.amount(),
        }
    }

    fn name(&self) -> &str {
        if self.by_adapters { ADAPTERS } else { &self.attempt }
    }

    fn stage(&self) -> String {
        let failure = self.failure_reason.zip(self.retry).map(|(reason, retry)| format!(": {reason}, retry {retry}"));
        let dispute = if self.dispute == "open" { ", in dispute" } else { "" };
        format!("{}{}{dispute}", self.stage, failure.unwrap_or_default())
    }

    fn next(&self) -> String {
        match (self.next, &self.next_amount) {
            ("nothing", _) => "-".to_owned(),
            ("charge", Some(amount)) => format!("charge {amount}"),
            (step, Some(total)) => format!("{step} {total} in all"),
            (step, None) => step.to_owned(),
        }
    }

    /// Its amounts with their headings.
    fn amounts(&self) -> [(&'static str, Price, &str); AMOUNTS] {
        [
            ("authorised", self.authorised_minor, &self.authorised),
            ("captured", self.captured_minor, &self.captured),
            ("refund asked", self.refund_asked_minor, &self.refund_asked),
            ("refund failed", self.refund_failed_minor, &self.refund_failed),
            ("refunded", self.refunded_minor, &self.refunded),
            ("charged back", self.charged_back_minor, &self.charged_back),
        ]
    }
}

/// The attempts of one order, under what else is told of it. Of amounts only those that some attempt has.
pub(super) fn table(attempts: &[AttemptReport]) -> Table {
    let is_shown = |amount: usize| attempts.iter().any(|attempt| attempt.amounts()[amount].1 > 0);
    let shown: Vec<usize> = (0..AMOUNTS).filter(|amount| is_shown(*amount)).collect();
    let Some(first) = attempts.first() else { return Table::default() };
    let headings = shown.iter().map(|amount| first.amounts()[*amount].0);
    let until = attempts.iter().any(|attempt| attempt.until.is_some()).then_some("until");
    let last = until.into_iter().chain(["next"]);
    let mut table =
        Table::new(&["attempt", "method", "stage"].into_iter().chain(headings).chain(last).collect::<Vec<_>>());
    for attempt in attempts {
        let cell = |amount: &usize| match attempt.amounts()[*amount] {
            (_, 0, _) => "-".to_owned(),
            (_, _, text) => text.to_owned(),
        };
        let words = [attempt.name().to_owned(), attempt.method.to_owned(), attempt.stage()];
        let end = until.map(|_| attempt.until.clone().unwrap_or_else(|| "-".to_owned()));
        table.row(words.into_iter().chain(shown.iter().map(cell)).chain(end).chain([attempt.next()]).collect());
    }
    table
}

/// An attempt that has begun.
#[derive(Debug, Serialize)]
pub(super) struct BegunReport {
    pub(super) id: String,
    pub(super) state: &'static str,
    pub(super) attempt: String,
    pub(super) method: &'static str,
    pub(super) repeated: bool,
}

impl fmt::Display for BegunReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, state, attempt, method, repeated } = self;
        let before = if *repeated { "had begun before, nothing changed" } else { "begins" };
        writeln!(f, "order {id} is {state}: attempt {attempt} to pay it by {method} {before}")
    }
}

/// What became of what was told of an attempt.
#[derive(Debug, Serialize)]
pub(super) struct ToldReport {
    id: String,
    state: &'static str,
    attempt: String,
    told: &'static str,
    total: Option<String>,
    total_minor: Option<Price>,
    until: Option<String>,
    currency: String,
    /// Units that it confirmed, or cancelled.
    moved: u64,
    /// It told nothing new.
    repeated: bool,
}

impl ToldReport {
    pub(super) fn new(
        (id, state): (String, &'static str),
        (attempt, report): (ChangeId, PaymentReport),
        currency: Currency,
        (moved, repeated): (u64, bool),
    ) -> Self {
        Self {
            id,
            state,
            attempt: attempt.to_string(),
            told: report.name(),
            total: report.total().map(|total| price::text(total, currency)),
            total_minor: report.total(),
            until: report.until().utc_or_none(),
            currency: currency.to_string(),
            moved,
            repeated,
        }
    }
}

impl fmt::Display for ToldReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, state, attempt, told, currency, moved, .. } = self;
        let total = self.total.as_ref().map(|total| format!(", {total} {currency} in all")).unwrap_or_default();
        let until = self.until.as_ref().map(|until| format!(", until {until}")).unwrap_or_default();
        write!(f, "order {id} is {state}: attempt {attempt} {}{total}{until}", told.replace('_', " "))?;
        match (self.repeated, moved) {
            (true, _) => writeln!(f, "; this is nothing new, nothing changed"),
            (false, 0) => writeln!(f),
            (false, moved) => writeln!(f, "; {moved} units moved"),
        }
    }
}

/// Money that is to go back.
#[derive(Debug, Serialize)]
pub(super) struct RefundReport {
    pub(super) id: String,
    pub(super) state: &'static str,
    pub(super) change: String,
    pub(super) amount: String,
    pub(super) amount_minor: Price,
    pub(super) currency: String,
    pub(super) repeated: bool,
}

impl fmt::Display for RefundReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, state, change, amount, currency, repeated, .. } = self;
        let before = if *repeated { ", as was asked before: nothing changed" } else { "" };
        writeln!(f, "order {id} is {state}: {amount} {currency} are to go back{before} (change {change})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Timestamp;
    use crate::engine::choices::PaymentMethod;
    use crate::engine::{Dispute, FailureReason, RetryClass, Stage, Step};

    #[test]
    fn attempts_are_shown_with_the_amounts_that_any_of_them_has() {
        let begun = PaymentView {
            attempt: ChangeId::HANDED_OFF,
            method: PaymentMethod::Card,
            stage: Stage::Failed,
            failure: Some((FailureReason::Other, RetryClass::Now)),
            dispute: Dispute::None,
            authorised: 0,
            captured: 0,
            refunded: 0,
            refund_asked: 0,
            refund_failed: 0,
            charged_back: 0,
            until: Timestamp::ZERO,
            step: Step::Nothing,
        };
        let paid = PaymentView {
            attempt: ChangeId(7),
            method: PaymentMethod::Wallet,
            stage: Stage::Authorised,
            failure: None,
            dispute: Dispute::Open,
            authorised: 2_500,
            captured: 1_250,
            step: Step::Capture { total: 2_500 },
            ..begun
        };
        let currency = "GBP".parse().expect("a currency");
        let attempts = [begun, paid].map(|view| AttemptReport::new(&view, currency));
        let rows = [
            "attempt   method  stage                     authorised  captured  next",
            "adapters  card    failed: other, retry now           -         -  -",
            "7         wallet  authorised, in dispute         25.00     12.50  capture 25.00 in all",
        ];
        assert_eq!(table(&attempts).to_string(), format!("{}\n", rows.join("\n")));
        let ends = PaymentView { until: Timestamp::from_ms(86_400_000), ..paid };
        let ends = table(&[begun, ends].map(|view| AttemptReport::new(&view, currency))).to_string();
        assert!(ends.contains("captured  until                     next"), "{ends}");
        assert!(ends.contains("12.50  1970-01-02T00:00:00.000Z  capture 25.00 in all"), "{ends}");
        let json = serde_json::to_value(&attempts[0]).expect("plain data");
        assert_eq!((&json["attempt"], &json["by_adapters"]), (&"9223372036854775808".into(), &true.into()));
    }
}
