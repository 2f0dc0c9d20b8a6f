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

    /// What may have been taken by now: what left the house.
    fn due_by_now(&self) -> u128 {
        self.cost(|unit| unit.fate == Fate::Shipped)
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
                    let at = attempts.iter().position(|known| known.attempt == attempt).expect("it is there now");
                    let (to_refund, refunded) = (to_go_back(&attempts, at, bill), attempts[at].refunded);
                    hear(&mut attempts[at], report);
                    // What went back before the order was paid is to come once more.
                    if attempts[at].refunded > refunded && !was_unpaid {
                        gave_back(&mut attempts[at], to_refund);
                    }
                }
                Said::RefundAsked { amount, bill } => ask_back(&mut attempts, amount.into(), bill),
            }
        }
        attempts
    }

    /// Whether adapters have been asked to charge it, and nobody has told what came of that.
    pub(super) fn has_implicit_attempt(&self) -> bool {
        let was_unpaid = self.deadline.ms() > 0;
        let is_told = |said: &Said| match said {
            Said::Begun(attempt, _) | Said::Reported { attempt, .. } => *attempt == ChangeId::HANDED_OFF,
            Said::RefundAsked { .. } => false,
        };
        was_unpaid && self.handed_off[0].is_some() && !self.said.iter().any(is_told)
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
        let earned = sum(all, earned);
        let missing = |of: u128| of.saturating_sub(earned);
        let (need, now) = (missing(self.due()), missing(self.due_by_now()));
        // Older attempts keep what they have, as far as it is needed, and of that as much as may be is taken.
        let keep = room(it).min(need.saturating_sub(rooms));
        let take = keep.min(now.saturating_sub(rooms));
        let to_refund = to_go_back(all, at, self.bill());
        let not_kept = need.saturating_sub(sum(all, room));
        let is_begun = matches!(it.stage, Stage::Created | Stage::RequiresAction | Stage::Processing);
        let is_newest = all[at + 1..].iter().all(|newer| newer.stage != Stage::Created);
        if take > 0 {
            Step::Capture { total: it.captured + price(take) }
        } else if to_refund > it.refunded.into() && it.dispute != Dispute::Open {
            Step::Refund { total: price(to_refund) }
        } else if room(it) > 0 && keep == 0 || is_begun && (not_kept == 0 || !self.is_unpaid()) {
            Step::End
        } else if it.stage == Stage::Created && is_newest && self.handed_off[0].is_some() {
            Step::Charge { amount: price(not_kept) }
        } else {
            Step::Nothing
        }
    }

    /// What its attempts pay for, what may still be taken of them included.
    pub(super) fn covered(&self) -> u128 {
        let there = |it: &PaymentView| u128::from(it.captured) + room(it);
        sum(&self.attempts(), |it| there(it).saturating_sub(u128::from(it.refunded) + u128::from(it.charged_back)))
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

    /// What may still be asked to go back.
    pub(super) fn refundable(&self) -> u128 {
        let (all, bill) = (self.attempts(), self.bill());
        (0..all.len()).map(|at| left(&all, at, bill)).sum()
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
        PaymentReport::RefundFailed { total } => it.refund_failed = it.refund_failed.max(total.min(it.refund_asked)),
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

/// So much more is to go back, of the newest attempt first; what goes back anyway is asked for as well from now on.
fn ask_back(attempts: &mut [PaymentView], amount: u128, bill: Bill) {
    let before = attempts.to_vec();
    for (at, attempt) in attempts.iter_mut().enumerate() {
        let newer: u128 = (at + 1..before.len()).map(|at| left(&before, at, bill)).sum();
        let more = left(&before, at, bill).min(amount.saturating_sub(newer));
        ask(attempt, to_go_back(&before, at, bill) + more);
    }
}

/// So much of an attempt was asked for, or more; what failed was asked for in vain and is asked for on top of it.
fn ask(it: &mut PaymentView, to_refund: u128) {
    if to_refund > asked(it) {
        it.refund_asked = (to_refund + u128::from(it.refund_failed)).try_into().unwrap_or(Price::MAX);
    }
}

/// It went back. What went back beyond what was to, somebody gave: that is as good as asked for, up to what went back.
fn gave_back(it: &mut PaymentView, to_refund: u128) {
    let refunded = u128::from(it.refunded);
    ask(it, (asked(it) + refunded.saturating_sub(to_refund)).min(refunded));
}

/// What goes back of an attempt in all: what was asked for, and its part of what was taken and does not stay.
fn to_go_back(all: &[PaymentView], at: usize, bill: Bill) -> u128 {
    // Of what was paid once, whatever was paid twice beside it, as much stays as is due and nobody wants back.
    let once = bill.cost.min(sum(all, |it| earned(it).saturating_sub(it.charged_back.into())));
    let stays = bill.due.min(once.saturating_sub(sum(all, asked)));
    let extra = sum(all, unasked).saturating_sub(stays);
    let newer = sum(&all[at + 1..], unasked);
    given(&all[at]) + unasked(&all[at]).min(extra.saturating_sub(newer))
}

/// What is kept of an attempt.
fn left(all: &[PaymentView], at: usize, bill: Bill) -> u128 {
    kept(&all[at]) - to_go_back(all, at, bill)
}

/// What may still be taken of an attempt.
fn room(it: &PaymentView) -> u128 {
    if it.stage == Stage::Authorised { (it.authorised - it.captured).into() } else { 0 }
}

/// What was taken, and no bank has taken it back.
fn kept(it: &PaymentView) -> u128 {
    (it.captured - it.charged_back).into()
}

/// What somebody asked to go back, and it has not failed.
fn asked(it: &PaymentView) -> u128 {
    (it.refund_asked - it.refund_failed).into()
}

/// What goes back because somebody asked, or went.
fn given(it: &PaymentView) -> u128 {
    asked(it).max(it.refunded.into()).min(kept(it))
}

/// What was taken for the order: what went back and nobody asked for was too much, and never for it.
fn earned(it: &PaymentView) -> u128 {
    u128::from(it.captured) - u128::from(it.refunded).saturating_sub(asked(it))
}

fn unasked(it: &PaymentView) -> u128 {
    kept(it) - given(it)
}

fn sum(all: &[PaymentView], amount: impl Fn(&PaymentView) -> u128) -> u128 {
    all.iter().map(amount).sum()
}

pub(super) fn price(amount: u128) -> Price {
    amount.try_into().expect("no attempt comes to more than an order may cost")
}
