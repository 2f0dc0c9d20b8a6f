//! The account of an order in the twin: all that was ever said of its payments, and what follows from that, worked out
//! anew whenever somebody asks.
//!
//! ```text
//! said: begun, reported, asked to go back ─► attempts ─┬─► what covers the order, and whether all was in vain
//!                                units ─► what is due ─┴─► the next step of each attempt
//! ```
//!
//! # Always true
//! - Nothing is kept but what was said. No amount, stage or step is counted along.

use stockade::base::{ChangeId, Price};
use stockade::engine::choices::PaymentMethod;
use stockade::engine::order::State;
use stockade::engine::query::PaymentView;
use stockade::engine::{Dispute, PaymentReport, Stage, Step};

use super::order::{Fate, Order, Unit};

/// What was said of the payments of an order.
#[derive(Debug, Clone, Copy)]
pub(super) enum Said {
    Begun(ChangeId, PaymentMethod),
    /// A report, told when this was the bill, and money was waited for or not.
    Reported {
        attempt: ChangeId,
        method: PaymentMethod,
        report: PaymentReport,
        bill: Bill,
        was_unpaid: bool,
    },
    /// This attempt paid for the order after it had expired.
    PaidLate(ChangeId),
    /// So much is to go back, asked when this was the bill.
    RefundAsked {
        amount: Price,
        bill: Bill,
    },
}

/// What decides how much of an order's money stays.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bill {
    /// What all its units cost, whatever became of them.
    cost: u128,
    /// What those cost that are neither cancelled nor lapsed.
    due: u128,
}

impl Order {
    /// What these units cost.
    pub(super) fn cost(&self, counts: impl Fn(&Unit) -> bool) -> u128 {
        let lines = self.asked.lines.iter().zip(&self.lines);
        let units = lines.flat_map(|(line, units)| units.iter().map(move |unit| (line.price, unit)));
        units.filter(|(_, unit)| counts(unit)).map(|(price, _)| u128::from(price)).sum()
    }

    /// What has to be paid: units that came back stay due, for giving money back is asked for.
    pub(super) fn due(&self) -> u128 {
        self.cost(|unit| matches!(unit.fate, Fate::Reserved | Fate::Committed | Fate::Shipped))
    }

    pub(super) fn bill(&self) -> Bill {
        Bill { cost: self.cost(|_| true), due: self.due() }
    }

    /// Whether money is what it waits for.
    pub(super) fn is_unpaid(&self) -> bool {
        matches!(self.state(), State::PendingPayment | State::PaymentFailed)
    }

    /// Attempts that somebody told of, in the order in which they came, but that of the adapters before the others.
    pub(super) fn attempts(&self) -> Vec<PaymentView> {
        let mut attempts: Vec<PaymentView> = Vec::new();
        for said in &self.said {
            match *said {
                Said::Begun(id, method) => attempts.insert(place(&attempts, id), begun(id, method)),
                Said::Reported { attempt, method, report, bill, was_unpaid } => {
                    if attempts.iter().all(|known| known.attempt != attempt) {
                        attempts.insert(place(&attempts, attempt), begun(attempt, method));
                    }
                    let refunded_before = sum(&attempts, |it| it.refunded.into());
                    attempts.iter_mut().filter(|known| known.attempt == attempt).for_each(|known| hear(known, report));
                    // Whoever gave back what was to stay wanted it back. What went back before the order was paid is to
                    // come once more.
                    let has_gone_back = sum(&attempts, |it| it.refunded.into()) > refunded_before;
                    if has_gone_back && !was_unpaid && net(&attempts) < stays(&attempts, bill) {
                        let wanted_back = once(&attempts, bill) - net(&attempts);
                        ask(&mut attempts, wanted_back);
                    }
                }
                // What is on its way back of the others stays so: this one is kept first.
                Said::PaidLate(id) => attempts.sort_by_key(|known| known.attempt != id),
                Said::RefundAsked { amount, bill } => {
                    let wanted_back = once(&attempts, bill) - (left(&attempts, bill) - u128::from(amount));
                    ask(&mut attempts, wanted_back);
                }
            }
        }
        attempts
    }

    /// Whether adapters were asked to charge it.
    pub(super) fn was_handed_off_unpaid(&self) -> bool {
        self.deadline.ms() > 0 && self.handed_off[0].is_some()
    }

    /// The same, and nobody has told what came of that.
    pub(super) fn has_implicit_attempt(&self) -> bool {
        let is_told = |said: &Said| match said {
            Said::Begun(attempt, _) | Said::Reported { attempt, .. } => *attempt == ChangeId::HANDED_OFF,
            Said::PaidLate(_) | Said::RefundAsked { .. } => false,
        };
        self.was_handed_off_unpaid() && !self.said.iter().any(is_told)
    }

    /// Every attempt with what is to be done with it next, that of the adapters first while nobody told of it.
    pub(super) fn payments(&self) -> Vec<PaymentView> {
        let mut payments = self.attempts();
        if self.has_implicit_attempt() {
            payments.insert(0, begun(ChangeId::HANDED_OFF, self.asked.payment));
        }
        let steps: Vec<Step> = (0..payments.len()).map(|at| self.step(&payments, at)).collect();
        payments.iter_mut().zip(steps).for_each(|(payment, step)| payment.step = step);
        payments
    }

    /// What is to be done next with one of these attempts: the first that holds.
    fn step(&self, all: &[PaymentView], at: usize) -> Step {
        let (it, rooms) = (&all[at], sum(&all[..at], room));
        let (need, now) = (self.need(all), self.need_now(all));
        // Older attempts keep what they have, as far as it is needed, and of that as much as may be is taken.
        let keep = room(it).min(need.saturating_sub(rooms));
        let take = keep.min(now.saturating_sub(rooms));
        // Newer attempts give back first.
        let newer = sum(&all[at + 1..], can_go_back);
        let goes_back = can_go_back(it).min((net(all) - left(all, self.bill())).saturating_sub(newer));
        let not_kept = need.saturating_sub(sum(all, room));
        let is_begun = matches!(it.stage, Stage::Created | Stage::RequiresAction | Stage::Processing);
        let is_newest = all[at + 1..].iter().all(|newer| newer.stage != Stage::Created);
        if take > 0 {
            Step::Capture { total: it.captured + price(take) }
        } else if goes_back > 0 && it.dispute != Dispute::Open {
            Step::GiveBack { total: it.refunded + price(goes_back) }
        } else if room(it) > 0 && keep == 0 || is_begun && (not_kept == 0 || !self.is_unpaid()) {
            Step::Close
        } else if it.stage == Stage::Created && is_newest && self.handed_off[0].is_some() {
            Step::Charge { amount: price(not_kept) }
        } else {
            Step::Nothing
        }
    }

    /// What is due, as far as nobody wants it back, and is not there.
    fn need(&self, all: &[PaymentView]) -> u128 {
        let Bill { cost, due } = self.bill();
        due.min(cost.saturating_sub(sum(all, asked))).saturating_sub(left(all, self.bill()))
    }

    /// Of that, what may be taken now: what left the house, less what was taken for it, whatever went back of that.
    fn need_now(&self, all: &[PaymentView]) -> u128 {
        let handed_over = self.cost(|unit| unit.fate == Fate::Shipped);
        if handed_over == self.due() {
            return self.need(all);
        }
        self.need(all).min(handed_over.saturating_sub(left(all, self.bill()) + sum(all, asked)))
    }

    /// What its attempts pay for, what may still be taken of them included.
    pub(super) fn covered(&self) -> u128 {
        sum(&self.attempts(), covers)
    }

    /// What one attempt pays for, if anybody told of it.
    pub(super) fn covered_by(&self, attempt: ChangeId) -> u128 {
        sum(&self.attempts(), |it| if it.attempt == attempt { covers(it) } else { 0 })
    }

    pub(super) fn is_covered(&self) -> bool {
        self.due() > 0 && self.covered() >= self.due()
    }

    /// Whether everything that was tried is over and brought nothing.
    pub(super) fn has_failed(&self) -> bool {
        let attempts = self.attempts();
        let is_over = |it: &PaymentView| matches!(it.stage, Stage::Failed | Stage::Voided | Stage::Expired);
        !attempts.is_empty()
            && attempts.iter().all(|it| is_over(it) && it.captured == 0)
            && !self.has_implicit_attempt()
    }

    /// Whether its customer disputes a payment.
    pub(super) fn is_disputed(&self) -> bool {
        self.attempts().iter().any(|it| it.dispute == Dispute::Open)
    }

    /// What may still be asked to go back.
    pub(super) fn refundable(&self) -> u128 {
        left(&self.attempts(), self.bill())
    }
}

/// Where an attempt stands that comes now.
fn place(attempts: &[PaymentView], id: ChangeId) -> usize {
    if id == ChangeId::HANDED_OFF { 0 } else { attempts.len() }
}

fn begun(attempt: ChangeId, method: PaymentMethod) -> PaymentView {
    PaymentView {
        attempt,
        method,
        stage: Stage::Created,
        failure: None,
        dispute: Dispute::None,
        authorised: 0,
        captured: 0,
        refunded: 0,
        refund_asked: 0,
        refund_failed: 0,
        charged_back: 0,
        step: Step::Nothing,
    }
}

fn hear(it: &mut PaymentView, report: PaymentReport) {
    // What is known decides whether a report says anything; which of them do, the stage says.
    let (begins, lives) = match it.stage {
        Stage::Created | Stage::RequiresAction | Stage::Processing => (true, true),
        Stage::Authorised | Stage::Failed => (false, true),
        Stage::Voided | Stage::Expired => (false, false),
    };
    let may_end = begins || it.stage == Stage::Authorised;
    match report {
        PaymentReport::RequiresAction if begins => it.stage = Stage::RequiresAction,
        PaymentReport::Processing if begins => it.stage = Stage::Processing,
        PaymentReport::Failed { reason, class } if begins => {
            it.stage = Stage::Failed;
            it.failure = Some((reason, class));
        }
        PaymentReport::Voided if may_end => it.stage = Stage::Voided,
        PaymentReport::Expired if may_end => it.stage = Stage::Expired,
        PaymentReport::Authorised { total } if lives => {
            it.stage = Stage::Authorised;
            it.authorised = it.authorised.max(total);
        }
        PaymentReport::Captured { total } => it.captured = it.captured.max(total),
        PaymentReport::Refunded { total } => it.refunded = it.refunded.max(total),
        // What went back cannot have failed.
        PaymentReport::RefundFailed { total } => {
            it.refund_failed = it.refund_failed.max(total.min(it.refund_asked.saturating_sub(it.refunded)));
        }
        PaymentReport::Disputed if it.dispute == Dispute::None => it.dispute = Dispute::Open,
        PaymentReport::DisputeWon => it.dispute = Dispute::Over,
        PaymentReport::ChargedBack { total } if total > it.charged_back => {
            it.charged_back = total;
            it.dispute = Dispute::Over;
        }
        _ => {}
    }
    // Money that moved was there: nobody gives back what was not taken, or takes what was not set aside.
    it.captured = it.captured.max(it.refunded).max(it.charged_back);
    it.authorised = it.authorised.max(it.captured);
    if it.captured > 0 && !matches!(it.stage, Stage::Voided | Stage::Expired) {
        it.stage = Stage::Authorised;
    }
    if it.stage != Stage::Failed {
        it.failure = None;
    }
}

/// So much is asked to go back of all together. What is more than before, the newest attempts are asked for first, each
/// for what was ever taken of it at most.
fn ask(attempts: &mut [PaymentView], all: u128) {
    let before = attempts.to_vec();
    let more = all.saturating_sub(sum(&before, asked));
    let askable = |it: &PaymentView| u128::from(it.captured).saturating_sub(asked(it));
    for (at, attempt) in attempts.iter_mut().enumerate() {
        let of_this = askable(&before[at]).min(more.saturating_sub(sum(&before[at + 1..], askable)));
        attempt.refund_asked = attempt.refund_asked.saturating_add(price(of_this));
    }
}

/// What no bank has taken back of what was taken, as far as the order can have cost it.
fn once(all: &[PaymentView], bill: Bill) -> u128 {
    bill.cost.min(sum(all, |it| (it.captured - it.charged_back).into()))
}

/// Of that, what is due and nobody wants back.
fn stays(all: &[PaymentView], bill: Bill) -> u128 {
    bill.due.min(once(all, bill).saturating_sub(sum(all, asked)))
}

/// What is there.
fn net(all: &[PaymentView]) -> u128 {
    sum(all, |it| (it.captured - it.charged_back).into()).saturating_sub(sum(all, |it| it.refunded.into()))
}

/// What is there once all has gone back that is to.
fn left(all: &[PaymentView], bill: Bill) -> u128 {
    net(all).min(stays(all, bill))
}

/// What one attempt can give back.
fn can_go_back(it: &PaymentView) -> u128 {
    u128::from(it.captured).saturating_sub(u128::from(it.charged_back) + u128::from(it.refunded))
}

fn covers(it: &PaymentView) -> u128 {
    (u128::from(it.captured) + room(it)).saturating_sub(u128::from(it.refunded) + u128::from(it.charged_back))
}

/// What may still be taken of an attempt.
pub(super) fn room(it: &PaymentView) -> u128 {
    if it.stage == Stage::Authorised { (it.authorised - it.captured).into() } else { 0 }
}

/// What somebody asked to go back, and it has not failed.
fn asked(it: &PaymentView) -> u128 {
    (it.refund_asked - it.refund_failed).into()
}

fn sum(all: &[PaymentView], amount: impl Fn(&PaymentView) -> u128) -> u128 {
    all.iter().map(amount).sum()
}

pub(super) fn price(amount: u128) -> Price {
    amount.try_into().expect("no attempt comes to more than an order may cost")
}
