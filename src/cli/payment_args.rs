//! The command line of payments: `order pay`, `order payment`, `order refund`, and how their words are read.

use clap::Args;

use super::args::ClientArgs;
use super::fault::CliFault;
use super::price;
use super::units;
use crate::base::{ChangeId, Currency, Price, Timestamp};
use crate::engine::choices::PaymentMethod;
use crate::engine::{FailureReason, PaymentReport, RetryClass};

/// What the attempt that adapters make is called, which no one else names.
pub(super) const ADAPTERS: &str = "adapters";

/// What is told of an attempt that did not fail.
const NO_FAILURES: [&str; 11] = [
    "requires_action",
    "processing",
    "authorised",
    "captured",
    "voided",
    "expired",
    "refunded",
    "refund_failed",
    "disputed",
    "dispute_won",
    "charged_back",
];

/// What is told of what is not set aside.
const NOT_SET_ASIDE: [&str; 11] = [
    "requires_action",
    "processing",
    "captured",
    "failed",
    "voided",
    "expired",
    "refunded",
    "refund_failed",
    "disputed",
    "dispute_won",
    "charged_back",
];

#[derive(Debug, Args)]
pub(super) struct PayArgs {
    /// Its number, or its identifier (32 hexadecimal digits).
    #[arg(value_name = "ID|NUMBER")]
    pub(super) order: String,
    /// How the customer pays now, whatever the order was placed with: card, wallet, bank_transfer, invoice or
    /// unspecified.
    #[arg(long, value_parser = prepaid_method)]
    pub(super) method: PaymentMethod,
    /// Name of this attempt (a number); a repeat of it changes nothing. Drawn unless given.
    #[arg(long)]
    pub(super) attempt: Option<u64>,
    #[command(flatten)]
    pub(super) client: ClientArgs,
}

#[derive(Debug, Args)]
pub(super) struct ToldArgs {
    /// Its number, or its identifier (32 hexadecimal digits).
    #[arg(value_name = "ID|NUMBER")]
    pub(super) order: String,
    /// Which attempt: its name (a number), or `adapters` for the one that adapters make. One that nobody began is begun
    /// by this.
    #[arg(long, value_parser = attempt, value_name = "ATTEMPT|adapters")]
    pub(super) attempt: ChangeId,
    #[command(flatten)]
    pub(super) report: ReportArgs,
    /// What may be tried after a failure: now, other_method, or never.
    #[arg(long, value_parser = retry_class, value_name = "CLASS", conflicts_with_all = NO_FAILURES)]
    retry: Option<RetryClass>,
    /// Until when it is set aside, of what is authorised: a moment (2026-11-22T13:45:00Z), or a length of time from now
    /// (7d). Left out when nobody said.
    #[arg(long, value_parser = end, value_name = "WHEN", conflicts_with_all = NOT_SET_ASIDE)]
    until: Option<End>,
    /// How it was to be paid, of an attempt that nobody began. [default: as the order was placed]
    #[arg(long, value_parser = method)]
    pub(super) method: Option<PaymentMethod>,
    /// Currency of the amount (ISO 4217). [default: the order's]
    #[arg(long)]
    currency: Option<String>,
    #[command(flatten)]
    pub(super) client: ClientArgs,
}

/// When something ends, as people say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    At(Timestamp),
    /// So many milliseconds from now.
    In(u64),
}

fn end(text: &str) -> Result<End, String> {
    let span = || units::span_ms(text).map(End::In);
    let end = Timestamp::from_utc(text).map(End::At).or_else(span);
    end.ok_or_else(|| format!("must be a moment such as 2026-11-22T13:45:00Z, or {}", units::SPAN))
}

/// What is told; exactly one of them.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct ReportArgs {
    /// The customer has to do something.
    #[arg(long)]
    requires_action: bool,
    /// The provider has it.
    #[arg(long)]
    processing: bool,
    /// So much is set aside, in all.
    #[arg(long, value_name = "AMOUNT", alias = "authorized")]
    authorised: Option<String>,
    /// So much was taken, in all.
    #[arg(long, value_name = "AMOUNT")]
    captured: Option<String>,
    /// It came to nothing: declined, insufficient_funds, expired_instrument, invalid_instrument, authentication_failed,
    /// suspected_fraud, limit_exceeded, cancelled, timed_out, provider_error or other.
    #[arg(long, value_parser = failure_reason, value_name = "REASON", requires = "retry")]
    failed: Option<FailureReason>,
    /// What was set aside and not taken is let go.
    #[arg(long)]
    voided: bool,
    /// What was set aside and not taken was so for too long.
    #[arg(long)]
    expired: bool,
    /// So much went back, in all.
    #[arg(long, value_name = "AMOUNT")]
    refunded: Option<String>,
    /// What was to go back and did not, will not.
    #[arg(long, value_name = "AMOUNT")]
    refund_failed: Option<String>,
    /// The customer disputes it.
    #[arg(long)]
    disputed: bool,
    /// The dispute ended, and nothing was taken back.
    #[arg(long)]
    dispute_won: bool,
    /// So much was taken back by the customer's bank, in all.
    #[arg(long, value_name = "AMOUNT")]
    charged_back: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct RefundArgs {
    /// Its number, or its identifier (32 hexadecimal digits).
    #[arg(value_name = "ID|NUMBER")]
    pub(super) order: String,
    /// So much, in the order's currency: 12.50.
    pub(super) amount: String,
    /// Name of this refund (a number); a repeat of it changes nothing. Drawn unless given.
    #[arg(long)]
    pub(super) change: Option<u64>,
    #[command(flatten)]
    pub(super) client: ClientArgs,
}

impl ToldArgs {
    /// The currency that was given, if one was.
    pub(super) fn currency(&self) -> Result<Option<Currency>, CliFault> {
        let read = |text: &String| text.parse().map_err(|why| CliFault::usage(format!("--currency {text}: {why}")));
        self.currency.as_ref().map(read).transpose()
    }

    /// What is told, with its amount in this currency, at this log time.
    pub(super) fn report(&self, currency: Currency, now: Timestamp) -> Result<PaymentReport, CliFault> {
        let ReportArgs { authorised, captured, refunded, refund_failed, charged_back, failed, .. } = &self.report;
        let total = |flag, text: &Option<String>| text.as_ref().map(|text| amount(flag, text, currency)).transpose();
        if let Some(total) = total("--authorised", authorised)? {
            let until = match self.until {
                None => Timestamp::ZERO,
                Some(End::At(until)) => until,
                Some(End::In(span_ms)) => now.after_ms(span_ms),
            };
            return Ok(PaymentReport::Authorised { total, until });
        }
        if let Some(total) = total("--captured", captured)? {
            return Ok(PaymentReport::Captured { total });
        }
        if let Some(total) = total("--refunded", refunded)? {
            return Ok(PaymentReport::Refunded { total });
        }
        if let Some(total) = total("--refund-failed", refund_failed)? {
            return Ok(PaymentReport::RefundFailed { total });
        }
        if let Some(total) = total("--charged-back", charged_back)? {
            return Ok(PaymentReport::ChargedBack { total });
        }
        if let (Some(reason), Some(class)) = (*failed, self.retry) {
            return Ok(PaymentReport::Failed { reason, class });
        }
        let ReportArgs { requires_action, processing, voided, expired, disputed, .. } = self.report;
        let plain = [
            (requires_action, PaymentReport::RequiresAction),
            (processing, PaymentReport::Processing),
            (voided, PaymentReport::Voided),
            (expired, PaymentReport::Expired),
            (disputed, PaymentReport::Disputed),
        ];
        let told = plain.into_iter().find(|(is_told, _)| *is_told);
        Ok(told.map_or(PaymentReport::DisputeWon, |(_, report)| report))
    }
}

/// An amount of money that stands at this place of the command line.
pub(super) fn amount(place: &str, text: &str, currency: Currency) -> Result<Price, CliFault> {
    price::parse(text, currency).map_err(|why| CliFault::usage(format!("{place} {text}: {why}")))
}

/// An attempt by the name it has on the command line.
fn attempt(text: &str) -> Result<ChangeId, String> {
    match text {
        ADAPTERS => Ok(ChangeId::HANDED_OFF),
        _ => text.parse().map(ChangeId).map_err(|_| format!("must be a number, or {ADAPTERS}")),
    }
}

/// One of some words, in which `-` does for `_`.
fn one_of<T: Copy>(text: &str, all: impl Iterator<Item = T>, name: fn(T) -> &'static str) -> Result<T, String> {
    let all: Vec<T> = all.collect();
    let known = all.iter().find(|one| name(**one) == text.replace('-', "_")).copied();
    let names = || all.iter().map(|one| name(*one)).collect::<Vec<_>>().join(", ");
    known.ok_or_else(|| format!("must be one of {}", names()))
}

fn methods() -> impl Iterator<Item = PaymentMethod> {
    (0..=u8::MAX).map_while(PaymentMethod::from_byte)
}

fn method(text: &str) -> Result<PaymentMethod, String> {
    one_of(text, methods(), PaymentMethod::name)
}

/// Cash on delivery begins when the goods are there.
fn prepaid_method(text: &str) -> Result<PaymentMethod, String> {
    one_of(text, methods().filter(|method| *method != PaymentMethod::CashOnDelivery), PaymentMethod::name)
}

fn failure_reason(text: &str) -> Result<FailureReason, String> {
    one_of(text, (0..=u8::MAX).map_while(FailureReason::from_byte), FailureReason::name)
}

fn retry_class(text: &str) -> Result<RetryClass, String> {
    one_of(text, (1..=u8::MAX).map_while(RetryClass::from_byte), RetryClass::name)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Told {
        #[command(flatten)]
        args: ToldArgs,
    }

    fn told(line: &str) -> PaymentReport {
        let words = "stockade 17 --attempt 4".split(' ').chain(line.split(' '));
        let Told { args } = Told::try_parse_from(words).expect("sound");
        args.report("GBP".parse().expect("a currency"), Timestamp::from_ms(5)).expect("sound")
    }

    #[test]
    fn every_report_has_a_flag() {
        let failed = PaymentReport::Failed { reason: FailureReason::TimedOut, class: RetryClass::OtherMethod };
        for (line, report) in [
            ("--requires-action", PaymentReport::RequiresAction),
            ("--processing", PaymentReport::Processing),
            ("--authorised 25", PaymentReport::authorised(2_500)),
            (
                "--authorised 25 --until 7s",
                PaymentReport::Authorised { total: 2_500, until: Timestamp::from_ms(7_005) },
            ),
            (
                "--authorised 25 --until 1970-01-02T00:00:00Z",
                PaymentReport::Authorised { total: 2_500, until: Timestamp::from_ms(86_400_000) },
            ),
            ("--captured 0.07", PaymentReport::Captured { total: 7 }),
            ("--failed timed-out --retry other_method", failed),
            ("--voided", PaymentReport::Voided),
            ("--expired", PaymentReport::Expired),
            ("--refunded 1.5", PaymentReport::Refunded { total: 150 }),
            ("--refund-failed 1.25", PaymentReport::RefundFailed { total: 125 }),
            ("--disputed", PaymentReport::Disputed),
            ("--dispute-won", PaymentReport::DisputeWon),
            ("--charged-back 25.00", PaymentReport::ChargedBack { total: 2_500 }),
        ] {
            assert_eq!(told(line), report, "{line}");
        }
    }

    #[test]
    fn only_what_is_set_aside_has_an_end() {
        let words = ["stockade", "17", "--attempt", "4", "--captured", "25", "--until", "7d"];
        assert!(Told::try_parse_from(words).is_err());
        assert!(end("tomorrow").expect_err("no moment").contains("31d"));
    }

    #[test]
    fn words_are_told_with_all_that_would_do() {
        assert_eq!(attempt("adapters"), Ok(ChangeId::HANDED_OFF));
        assert!(attempt("-1").expect_err("no number").contains("adapters"));
        assert_eq!(method("bank-transfer"), Ok(PaymentMethod::BankTransfer));
        assert!(!prepaid_method("cash_on_delivery").expect_err("after the goods").contains("cash"));
        assert!(failure_reason("broke").expect_err("no reason").ends_with("timed_out, provider_error"));
        assert_eq!(retry_class("soon"), Err("must be one of now, other_method, never".to_owned()));
    }
}
