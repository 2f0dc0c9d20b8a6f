//! Payments, in the words of a script.

use stockade::base::{ChangeId, Currency};
use stockade::engine::choices::PaymentMethod;
use stockade::engine::query::{OrderView, PaymentView};
use stockade::engine::{Command, Dispute, FailureReason, Label, MoneySums, PaymentReport, RetryClass};

use super::ask::{ATTEMPT, number, option};
use super::{Script, span_ms};
use crate::rig::{Outcome, START};

impl Script {
    /// `start o1 try=2 pays=wallet`, `told o1 try=2 captured=200 in=EUR`, `told o1 try=2 authorised=200 until=48h`,
    /// `refund o1 50 id=7`, `told o1 adapter failed=declined:other_method`.
    pub(super) fn ask_about_payment(&mut self, words: &[&str]) -> Outcome {
        let (order, attempt) = (self.order_id(words[1], None), attempt(words));
        let method = option(words, "pays").map_or(PaymentMethod::Card, method);
        let command = match words[0] {
            "start" => Command::StartPayment { order, attempt, method },
            "told" => {
                let report = words[2..].iter().find_map(|word| report(word)).expect("what is told of it");
                let report = self.with_end(report, words);
                Command::ReportPayment { order, attempt, method, currency: currency(words), report }
            }
            _ => {
                let change = ChangeId(option(words, "id").map_or(1, number));
                Command::RequestRefund { order, change, amount: number(words[2]) }
            }
        };
        self.rig.submit(&command)
    }

    /// With when it ends: `until=48h` from now, or `until=ago:1h`.
    fn with_end(&self, report: PaymentReport, words: &[&str]) -> PaymentReport {
        let until = option(words, "until").map(|span| match span.strip_prefix("ago:") {
            Some(span) => self.rig.now.before_ms(span_ms(span)),
            None => self.rig.now.after_ms(span_ms(span)),
        });
        match (report, until) {
            (PaymentReport::Authorised { total, .. }, Some(until)) => PaymentReport::Authorised { total, until },
            (report, until) => until.map_or(report, |_| panic!("only what is set aside ends: {report:?}")),
        }
    }

    /// Everything known of an order.
    pub(crate) fn view(&mut self, name: &str) -> OrderView {
        let id = self.order_id(name, None);
        self.rig.engine.order(id).expect("the order is known")
    }

    /// Every attempt: `adapter card authorised authorised=200 captured=100 next=capture:200`.
    pub(super) fn look_at_payments(&mut self, name: &str) -> String {
        let id = self.order_id(name, None);
        let Ok(view) = self.rig.engine.order(id) else { return "no: unknown_order".to_owned() };
        let payments: Vec<String> = view.payments.iter().map(say_payment).collect();
        if payments.is_empty() { "nothing".to_owned() } else { payments.join(" | ") }
    }

    /// What is to be paid of an order yet.
    pub(super) fn look_at_what_is_missing(&mut self, name: &str) -> String {
        let id = self.order_id(name, None);
        self.rig.engine.order(id).map_or_else(|_| "no: unknown_order".to_owned(), |view| view.missing.to_string())
    }

    /// What was paid of an order, in one word.
    pub(super) fn look_at_label(&mut self, name: &str) -> String {
        let id = self.order_id(name, None);
        let view = self.rig.engine.order(id);
        view.map_or_else(
            |_| "no: unknown_order".to_owned(),
            |view| view.payment_label().map_or("forgotten", Label::name).to_owned(),
        )
    }

    /// The market's money: `EUR authorised=0 captured=0 refunded=0 charged_back=0 | …`.
    pub(super) fn look_at_money(&self) -> String {
        let books = self.rig.engine.books(self.market).expect("the market is open");
        let say = |(currency, MoneySums { authorised, captured, refunded, charged_back }): &(Currency, MoneySums)| {
            format!(
                "{currency} authorised={authorised} captured={captured} refunded={refunded} charged_back={charged_back}"
            )
        };
        let rows: Vec<String> = books.money.iter().map(say).collect();
        if rows.is_empty() { "nothing".to_owned() } else { rows.join(" | ") }
    }
}

fn say_payment(payment: &PaymentView) -> String {
    let id = payment.attempt;
    let name = if id == ChangeId::HANDED_OFF { "adapter".to_owned() } else { id.0.to_string() };
    let mut words = vec![name, payment.method.name().to_owned(), payment.stage.name().to_owned()];
    words.extend(payment.failure.map(|(reason, class)| format!("{}:{}", reason.name(), class.name())));
    words.extend((payment.dispute != Dispute::None).then(|| format!("dispute={}", payment.dispute.name())));
    let amounts = [
        ("authorised", payment.authorised),
        ("captured", payment.captured),
        ("refunded", payment.refunded),
        ("refund_asked", payment.refund_asked),
        ("refund_failed", payment.refund_failed),
        ("charged_back", payment.charged_back),
    ];
    words.extend(amounts.iter().filter(|(_, amount)| *amount > 0).map(|(name, amount)| format!("{name}={amount}")));
    words.extend((payment.until.ms() > 0).then(|| format!("until={}", payment.until.since_ms(START))));
    let step = payment.step.name();
    words.push(payment.step.amount().map_or_else(|| format!("next={step}"), |amount| format!("next={step}:{amount}")));
    words.join(" ")
}

/// Which attempt: that of the adapters, or the one that a number names.
pub(super) fn attempt(words: &[&str]) -> ChangeId {
    let own = ChangeId(option(words, "try").map_or(ATTEMPT, number));
    if words.contains(&"adapter") { ChangeId::HANDED_OFF } else { own }
}

/// Pounds, unless `in=` says otherwise.
pub(super) fn currency(words: &[&str]) -> Currency {
    let code = option(words, "in").unwrap_or("GBP");
    Currency::new(code.as_bytes().try_into().expect("three letters")).expect("a currency")
}

pub(super) fn method(name: &str) -> PaymentMethod {
    let known = (0..).map_while(PaymentMethod::from_byte).find(|method| method.name() == name);
    known.unwrap_or_else(|| panic!("no such payment method: {name}"))
}

fn report(word: &str) -> Option<PaymentReport> {
    let (name, value) = word.split_once('=').unwrap_or((word, ""));
    Some(match name {
        "requires_action" => PaymentReport::RequiresAction,
        "processing" => PaymentReport::Processing,
        "authorised" => PaymentReport::authorised(number(value)),
        "captured" => PaymentReport::Captured { total: number(value) },
        "failed" => {
            let (reason, class) = value.split_once(':').expect("failed=REASON:CLASS");
            let reason = (0..).map_while(FailureReason::from_byte).find(|known| known.name() == reason);
            let class = [RetryClass::Now, RetryClass::OtherMethod, RetryClass::Never]
                .into_iter()
                .find(|known| known.name() == class);
            let (reason, class) = reason.zip(class).unwrap_or_else(|| panic!("no such failure: {value}"));
            PaymentReport::Failed { reason, class }
        }
        "voided" => PaymentReport::Voided,
        "expired" => PaymentReport::Expired,
        "refunded" => PaymentReport::Refunded { total: number(value) },
        "refund_failed" => PaymentReport::RefundFailed { total: number(value) },
        "disputed" => PaymentReport::Disputed,
        "dispute_won" => PaymentReport::DisputeWon,
        "charged_back" => PaymentReport::ChargedBack { total: number(value) },
        _ => return None,
    })
}
