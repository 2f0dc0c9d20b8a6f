//! What a walk tells of payments: what a provider would say that carries out what is to be done, and anything else.

use std::collections::BTreeSet;

use stockade::base::limits::{AUTHORISATION_MS_MAX, ORDER_TOTAL_MAX};
use stockade::base::{ChangeId, Currency, OrderId, Price, Timestamp};
use stockade::engine::choices::PaymentMethod;
use stockade::engine::order::State;
use stockade::engine::query::{LineView, OrderView, PaymentView};
use stockade::engine::refusal::Field;
use stockade::engine::{
    Answer, Command, Dispute, FailureReason, PaymentReport, Refusal, RetryClass, Stage, Step, TaskKind, Wait,
};

use super::Walk;
use crate::rig::is_repeated;

/// What is told of an attempt, but for its total.
const REPORTS: [fn(Price) -> PaymentReport; 16] = [
    |_| PaymentReport::RequiresAction,
    |_| PaymentReport::Processing,
    |total| PaymentReport::authorised(total),
    |total| PaymentReport::authorised(total),
    |total| PaymentReport::Captured { total },
    |total| PaymentReport::Captured { total },
    |_| PaymentReport::Failed { reason: FailureReason::Declined, class: RetryClass::OtherMethod },
    |_| PaymentReport::Failed { reason: FailureReason::TimedOut, class: RetryClass::Now },
    |_| PaymentReport::Failed { reason: FailureReason::SuspectedFraud, class: RetryClass::Never },
    |_| PaymentReport::Voided,
    |_| PaymentReport::Expired,
    |total| PaymentReport::Refunded { total },
    |total| PaymentReport::RefundFailed { total },
    |_| PaymentReport::Disputed,
    |_| PaymentReport::DisputeWon,
    |total| PaymentReport::ChargedBack { total },
];

impl Walk {
    pub(super) fn pay(&mut self) {
        match self.dice.below(24) {
            0..4 => self.start_payment(),
            4..14 => self.report_payment(),
            14 => self.carry_out_a_step(),
            15..19 => self.request_refund(),
            19..21 => self.pay_late(),
            21 => self.lose_what_paid(),
            _ => self.pay_again(),
        }
    }

    /// An order that is kept, of which this is so.
    fn one_that(&mut self, is_so: impl Fn(&OrderView) -> bool) -> Option<OrderView> {
        let market = self.dice.pick(&self.markets.clone());
        let views = self.rig.twin.order_ids(market).into_iter().filter_map(|order| self.rig.engine.order(order).ok());
        let mut views: Vec<OrderView> = views.filter(|view| !view.closed && is_so(view)).collect();
        (!views.is_empty()).then(|| views.swap_remove(self.dice.below(views.len() as u64) as usize))
    }

    /// Pays an order of which nobody expects it any more, most often with what nobody knew of: what others have of an
    /// expired one is on its way back.
    fn pay_late(&mut self) {
        let state = self.dice.pick(&[State::Expired, State::PaymentFailed]);
        let Some(view) = self.one_that(|view| view.state == state) else { return };
        let attempt = if self.dice.once_in(3) { self.payment_of(view.order) } else { ChangeId(self.dice.below(24)) };
        let total = cost(&view);
        let (set_aside, taken) = (PaymentReport::authorised(total), PaymentReport::Captured { total });
        let back = PaymentReport::Refunded { total };
        let report = self.dice.pick(&[set_aside, set_aside, taken, taken, back, back]);
        self.submit_report(view.order, attempt, report);
    }

    /// Tells that what paid for an order is not there any more.
    fn lose_what_paid(&mut self) {
        let counts = |payment: &PaymentView| payment.authorised > 0 && payment.stage == Stage::Authorised;
        let is_paid = |view: &OrderView| !is_unpaid(view.state) && view.payments.iter().any(counts);
        let Some(view) = self.one_that(is_paid) else { return };
        let payment = self.dice.pick(&view.payments.iter().filter(|payment| counts(payment)).collect::<Vec<_>>());
        let report = match self.dice.below(4) {
            0 => PaymentReport::Voided,
            1 => PaymentReport::Disputed,
            2 if payment.captured > 0 => PaymentReport::ChargedBack { total: payment.captured },
            _ => PaymentReport::Expired,
        };
        self.submit_report(view.order, payment.attempt, report);
    }

    /// Begins another attempt of an order that was paid and is so no longer, or tells that it brought what is missing.
    fn pay_again(&mut self) {
        let Some(view) = self.one_that(|view| !is_unpaid(view.state) && view.missing > 0) else { return };
        let (order, total) = (view.order, view.missing);
        let attempt = if self.dice.once_in(2) { self.payment_of(order) } else { ChangeId(self.dice.below(24)) };
        if self.dice.once_in(2) {
            self.submit_payment(&Command::StartPayment { order, attempt, method: PaymentMethod::Card });
        } else {
            let report = self.dice.pick(&[PaymentReport::authorised(total), PaymentReport::Captured { total }]);
            self.submit_report(order, attempt, report);
        }
    }

    /// Most often an order that is there, and then most often the same.
    fn payer(&mut self) -> OrderId {
        let market = self.dice.pick(&self.markets.clone());
        let mut known = self.rig.twin.order_ids(market);
        known.retain(|order| !self.rig.twin.is_blocked(*order));
        match known.first() {
            None => self.order(),
            Some(_) if self.dice.once_in(12) => self.order(),
            Some(first) if self.dice.once_in(2) => *first,
            Some(_) => self.dice.pick(&known),
        }
    }

    fn payment_of(&mut self, order: OrderId) -> ChangeId {
        let known: Vec<ChangeId> = self.payments(order).iter().map(|payment| payment.attempt).collect();
        // An order of which many are known soon has as many as it may have.
        let is_crowded = known.len() >= 5;
        match known.is_empty() || is_crowded && !self.dice.once_in(3) || self.dice.once_in(2) {
            true if self.dice.once_in(6) => ChangeId::HANDED_OFF,
            true => ChangeId(self.dice.below(if is_crowded { 200 } else { 24 })),
            false => self.dice.pick(&known),
        }
    }

    fn start_payment(&mut self) {
        let order = self.payer();
        let attempt = if self.dice.once_in(3) { self.payment_of(order) } else { ChangeId(self.dice.below(24)) };
        let method = self.dice.pick(&[PaymentMethod::Card, PaymentMethod::Card, PaymentMethod::Wallet]);
        let method = if self.dice.once_in(30) { PaymentMethod::CashOnDelivery } else { method };
        self.submit_payment(&Command::StartPayment { order, attempt, method });
    }

    /// Now and then the report before once more, as providers do.
    fn report_payment(&mut self) {
        if let Some((order, attempt, report)) = self.reported
            && self.dice.once_in(6)
        {
            self.submit_report(order, attempt, report);
            return;
        }
        let order = self.payer();
        let attempt = self.payment_of(order);
        let total = self.total(order, attempt);
        let report = self.dice.pick(&REPORTS)(total);
        self.submit_report(order, attempt, report);
    }

    /// A total that somebody may name of an attempt, or nobody.
    fn total(&mut self, order: OrderId, attempt: ChangeId) -> Price {
        let (due, payments) = (self.rig.engine.order(order).map_or(0, |view| cost(&view)), self.payments(order));
        let known = payments.iter().find(|payment| payment.attempt == attempt);
        let (authorised, captured, asked) =
            known.map_or((0, 0, 0), |known| (known.authorised, known.captured, known.refund_asked));
        let wild = [0, 1, ORDER_TOTAL_MAX, ORDER_TOTAL_MAX + 1, Price::MAX];
        let likely =
            [due, due, due, due / 2, due.saturating_sub(1), due + 1, authorised, captured, captured + 50, asked, 100];
        if self.dice.once_in(25) { self.dice.pick(&wild) } else { self.dice.pick(&likely) }
    }

    /// Does what is to be done with one attempt of an order, as an adapter would, and tells it.
    fn carry_out_a_step(&mut self) {
        let order = self.payer();
        let steps = self.payments(order).into_iter().filter_map(|payment| Some((payment.attempt, done(&payment)?)));
        let steps: Vec<(ChangeId, PaymentReport)> = steps.collect();
        if !steps.is_empty() {
            let (attempt, report) = self.dice.pick(&steps);
            self.submit_report(order, attempt, report);
        }
    }

    fn request_refund(&mut self) {
        let order = self.payer();
        let left = self.rig.twin.refundable(order).unwrap_or(0);
        let amount = self.dice.pick(&[left, left, left / 2, left.saturating_add(1), 1, 50, 0, ORDER_TOTAL_MAX + 1]);
        // Who asks for as much twice often means the same.
        let change = if self.dice.once_in(2) { ChangeId(100 + amount % 8) } else { self.change() };
        self.submit_payment(&Command::RequestRefund { order, change, amount });
    }

    /// Now and then what is set aside has an end.
    fn with_end(&mut self, report: PaymentReport) -> PaymentReport {
        let PaymentReport::Authorised { total, until: Timestamp::ZERO } = report else { return report };
        if self.ends.once_in(2) {
            return report;
        }
        let now = self.rig.now;
        let hours = self.ends.pick(&[1, 12, 24, 24, 25, 25, 26, 40, 240]);
        let until = now.after_ms(hours * 3_600_000 + self.ends.below(61_000));
        let wild =
            [now.before_ms(1_000), Timestamp::from_ms(1), now.after_ms(AUTHORISATION_MS_MAX + 1), Timestamp::MAX];
        PaymentReport::Authorised { total, until: if self.ends.once_in(25) { self.ends.pick(&wild) } else { until } }
    }

    /// Says whether there was room for it.
    fn submit_report(&mut self, order: OrderId, attempt: ChangeId, report: PaymentReport) -> bool {
        let report = self.with_end(report);
        self.reported = Some((order, attempt, report));
        let other = Currency::new(*b"SEK").expect("crowns exist");
        let known = self.rig.engine.order(order).map_or(other, |view| view.currency);
        let currency = if self.dice.once_in(20) { other } else { known };
        let method = self.dice.pick(&[PaymentMethod::Card, PaymentMethod::BankTransfer, PaymentMethod::CashOnDelivery]);
        self.submit_payment(&Command::ReportPayment { order, attempt, method, currency, report })
    }

    /// Asks, and notes in words what came of it; says whether there was room for it.
    fn submit_payment(&mut self, command: &Command<'_>) -> bool {
        let view = |walk: &Self| command.order().and_then(|order| walk.rig.engine.order(order).ok());
        let view_before = view(self);
        let before = view_before.as_ref().map(|view| view.state);
        let outcome = self.ask(command);
        if let Some((before, after)) = view_before.zip(view(self)) {
            self.reached.extend(turn(&before, &after).map(str::to_owned));
            self.reached.extend(is_replaced(&before, &after).then(|| "ends: another took its place".to_owned()));
            let ends = Wait::Task(TaskKind::AuthorisationEnds);
            let waits = self.rig.engine.waits(after.order, self.rig.now).expect("it was there just now");
            self.reached.extend(waits.rows.iter().any(|row| row.what == ends).then(|| "ends: a task".to_owned()));
        }
        let asked = match command {
            Command::ReportPayment { report, .. } => report.name(),
            Command::StartPayment { .. } => "start",
            _ => "refund",
        };
        let came = match outcome.as_ref().map(|told| told.answer) {
            Err(&Refusal::OutOfBounds { field, .. }) => format!("no {field:?}"),
            Err(refusal) => format!("{refusal:?}").split(' ').next().unwrap_or_default().to_owned(),
            Ok(answer) if is_repeated(answer) => "again".to_owned(),
            Ok(Answer::RetakeFailed { .. }) => "not taken again".to_owned(),
            Ok(Answer::Done { state, .. }) => match before.filter(|before| *before != state) {
                Some(before) => format!("{} to {}", before.name(), state.name()),
                None => "done".to_owned(),
            },
            Ok(other) => panic!("nothing that a payment comes to: {other:?}"),
        };
        self.reached.insert(format!("{asked}: {came}"));
        !matches!(outcome, Err(Refusal::AtCapacity | Refusal::OutOfBounds { field: Field::Attempts, .. }))
    }

    fn payments(&self, order: OrderId) -> Vec<PaymentView> {
        self.rig.engine.order(order).map_or_else(|_| Vec::new(), |view| view.payments)
    }

    /// Carries out everything that is to be done with the money of every order, until nothing is: whoever does as he is
    /// told comes to rest, and then nobody has paid more than is due and nothing is set aside for nothing.
    pub(super) fn bring_money_to_rest(&mut self) {
        for market in self.markets.clone() {
            'orders: for order in self.rig.twin.order_ids(market) {
                for round in 0.. {
                    let payments = self.payments(order);
                    let next = payments.iter().find_map(|payment| Some((payment.attempt, done(payment)?)));
                    let Some((attempt, report)) = next else { break };
                    assert!(round < 100, "{order} does not come to rest: {payments:?}");
                    // Where no attempt more is kept, nothing can be told of one.
                    if !self.submit_report(order, attempt, report) {
                        continue 'orders;
                    }
                }
                if let Ok(view) = self.rig.engine.order(order) {
                    check_rest(&view);
                }
            }
        }
    }
}

/// What a thousand walks must have come by, or they prove less than they say.
pub(super) fn check_reached(reached: &BTreeSet<String>) {
    let of_each = ["again", "done", "UnknownOrder", "OtherCurrency", "Closed", "AtCapacity"];
    let each = REPORTS.iter().flat_map(|report| of_each.map(|came| format!("{}: {came}", report(1).name())));
    let others = [
        "start: no Attempts",
        "start: no Method",
        "start: AtCapacity",
        "start: Conflict",
        "start: IllegalState",
        "start: again",
        "start: payment_failed to pending_payment",
        "refund: Conflict",
        "refund: IllegalState",
        "refund: RefundTooMuch",
        "refund: again",
        "refund: done",
        "refund: no Amount",
        "authorised: pending_payment to confirmed",
        "authorised: pending_payment to in_review",
        "authorised: expired to confirmed",
        "authorised: not taken again",
        "authorised: no Amount",
        "authorised: no AuthorisationEnd",
        "ends: a task",
        "ends: another took its place",
        "captured: payment_failed to confirmed",
        "captured: expired to confirmed",
        "captured: not taken again",
        "failed: pending_payment to payment_failed",
        "failed: pending_payment to cancelled",
        "voided: pending_payment to payment_failed",
        "expired: pending_payment to payment_failed",
        "refunded: payment_failed to pending_payment",
        "lost: something is missing",
        "lost: another attempt begins",
        "lost: paid again",
        "late: let go of what others had",
        "look: Done",
        "look: SetAside(TriesUsedUp)",
    ];
    let expected: BTreeSet<String> = each.chain(others.map(str::to_owned)).collect();
    let missed: Vec<&String> = expected.difference(reached).collect();
    let too_many = REPORTS.iter().filter(|report| reached.contains(&format!("{}: no Attempts", report(1).name())));
    assert!(too_many.count() > 0, "no walk told of more attempts than an order may have");
    assert!(missed.is_empty(), "no walk came by {missed:?}");
}

const fn is_unpaid(state: State) -> bool {
    matches!(state, State::PendingPayment | State::PaymentFailed)
}

/// Whether an attempt that was needed is to be closed because another came.
fn is_replaced(before: &OrderView, after: &OrderView) -> bool {
    let closes = |view: &OrderView, attempt| {
        view.payments.iter().any(|it| it.attempt == attempt && it.stage == Stage::Authorised && it.step == Step::Close)
    };
    let newly = |it: &&PaymentView| it.until.ms() > 0 && it.stage == Stage::Authorised && it.step == Step::Nothing;
    let due = |view: &OrderView| view.lines.iter().map(|line| line.taken - line.cancelled).sum::<u32>();
    due(before) == due(after) && before.payments.iter().filter(newly).any(|it| closes(after, it.attempt))
}

/// What became of an order, where it matters to others than its customer.
fn turn(before: &OrderView, after: &OrderView) -> Option<&'static str> {
    let has = |view: &OrderView| view.payments.iter().filter(|payment| payment.captured > payment.refunded).count();
    match (before.missing, after.missing) {
        _ if is_unpaid(before.state) || is_unpaid(after.state) => None,
        _ if before.state == State::Expired && after.state == State::Confirmed => {
            (has(before) > 0).then_some("late: let go of what others had")
        }
        (0, 0) => None,
        (0, _) => Some("lost: something is missing"),
        (_, 0) => Some("lost: paid again"),
        _ => (after.payments.len() > before.payments.len()).then_some("lost: another attempt begins"),
    }
}

/// What a provider tells when it has done what is to be done with an attempt.
fn done(payment: &PaymentView) -> Option<PaymentReport> {
    match payment.step {
        Step::Nothing => None,
        Step::Charge { amount } => Some(PaymentReport::authorised(amount)),
        Step::Capture { total } => Some(PaymentReport::Captured { total }),
        Step::GiveBack { total } => Some(PaymentReport::Refunded { total }),
        Step::Close => Some(PaymentReport::Voided),
    }
}

/// What its units cost that are neither cancelled nor lapsed; of an expired order, what lapsed.
fn cost(view: &OrderView) -> Price {
    let units = |line: &LineView| u64::from(line.owed + line.reserved + line.committed + line.shipped + line.lapsed);
    view.lines.iter().map(|line| line.price * units(line)).sum()
}

/// An order of whose money nothing is to be done, but for what a dispute holds up.
fn check_rest(view: &OrderView) {
    if view.closed || view.payments.iter().any(|payment| payment.dispute == Dispute::Open) {
        return;
    }
    let due: u128 = {
        let units = |line: &LineView| u128::from(line.taken - line.cancelled - line.lapsed);
        view.lines.iter().map(|line| u128::from(line.price) * units(line)).sum()
    };
    let sum = |amount: fn(&PaymentView) -> Price| view.payments.iter().map(|it| u128::from(amount(it))).sum::<u128>();
    let (taken, went_back) = (sum(|it| it.captured - it.charged_back), sum(|it| it.refunded));
    let net = taken.saturating_sub(went_back);
    assert!(net <= due, "{} is paid {net} and costs {due}: {:?}", view.order, view.payments);
    let is_live = |it: &&PaymentView| it.stage == Stage::Authorised && it.authorised > it.captured;
    let live = view.payments.iter().filter(is_live).count();
    assert!(live == 0 || net < due, "{} costs {due}, is paid {net}, and more is set aside", view.order);
}
