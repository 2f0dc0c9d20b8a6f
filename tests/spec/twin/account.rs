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

use stockade::base::{ChangeId, Price, Timestamp};
use stockade::engine::choices::PaymentMethod;
use stockade::engine::order::State;
use stockade::engine::query::PaymentView;
use stockade::engine::{Dispute, PaymentReport, Stage, Step};

use super::order::{Fate, Order, Unit};

/// Somebody is to look at an order so long before what is set aside for it is so no longer.
const DAY_MS: u64 = 24 * 3_600 * 1_000;

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
        at: Timestamp,
    },
    /// This attempt paid for the order after it had expired: every other one is let go.
    PaidLate(ChangeId),
    /// Somebody confirmed it of which nobody had told any attempt: what was paid stands elsewhere.
    PaidElsewhere,
    /// So much is to go back, asked when this was the bill.
    RefundAsked {
        amount: Price,
        bill: Bill,
    },
}

/// An attempt that somebody told of.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Attempt {
    pub(super) view: PaymentView,
    /// Whether all of it is to go back, whatever is told of it.
    is_let_go: bool,
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

    /// Attempts that somebody told of: that of the adapters before those that came later, and whatever came to cover
    /// something behind all others.
    pub(super) fn attempts(&self) -> Vec<Attempt> {
        let mut attempts: Vec<Attempt> = Vec::new();
        for said in &self.said {
            match *said {
                Said::Begun(id, method) => begin(&mut attempts, id, method),
                Said::Reported { attempt, method, report, bill, was_unpaid, at } => {
                    begin(&mut attempts, attempt, method);
                    let short = |all: &[PaymentView]| stays(all, bill).saturating_sub(net(all));
                    let short_before = short(&counted(&attempts));
                    hear_of(&mut attempts, (attempt, report), at);
                    // Whoever gave back what was to stay wanted it back. What went back before the order was paid is to
                    // come once more.
                    let all = counted(&attempts);
                    let more = short(&all).saturating_sub(short_before);
                    if matches!(report, PaymentReport::Refunded { .. }) && !was_unpaid && more > 0 {
                        ask(&mut attempts, once(&all, bill) - (stays(&all, bill) - more));
                    }
                }
                Said::PaidLate(id) => {
                    // Adapters may have taken something by now that nobody told of.
                    if self.was_handed_off_unpaid() && id != ChangeId::HANDED_OFF {
                        begin(&mut attempts, ChangeId::HANDED_OFF, self.asked.payment);
                    }
                    attempts.iter_mut().filter(|known| known.view.attempt != id).for_each(|it| it.is_let_go = true);
                }
                Said::PaidElsewhere => {}
                Said::RefundAsked { amount, bill } => {
                    let all = counted(&attempts);
                    ask(&mut attempts, once(&all, bill) - (left(&all, bill) - u128::from(amount)));
                }
            }
        }
        attempts
    }

    /// Whether adapters were asked to charge it.
    pub(super) fn was_handed_off_unpaid(&self) -> bool {
        self.deadline.ms() > 0 && self.handed_off[0].is_some()
    }

    /// The same, and the order has no attempt of theirs to show yet.
    pub(super) fn has_implicit_attempt(&self) -> bool {
        self.was_handed_off_unpaid() && self.attempts().iter().all(|it| it.view.attempt != ChangeId::HANDED_OFF)
    }

    /// Every attempt with what is to be done with it next, that of the adapters first while nobody told of it.
    pub(super) fn payments(&self) -> Vec<PaymentView> {
        let mut attempts = self.attempts();
        if self.has_implicit_attempt() {
            begin(&mut attempts, ChangeId::HANDED_OFF, self.asked.payment);
        }
        let all = counted(&attempts);
        let step = |it: &Attempt| match all.iter().position(|known| known.attempt == it.view.attempt) {
            Some(at) => self.step(&all, at),
            None => step_of_let_go(&it.view),
        };
        attempts.iter().map(|it| PaymentView { step: step(it), ..it.view }).collect()
    }

    /// What is to be done next with one of these attempts, none of which is let go: the first that holds.
    fn step(&self, all: &[PaymentView], at: usize) -> Step {
        let (it, rooms) = (&all[at], sum(&all[..at], room));
        let (need, now) = (self.need(all), self.need_now(all));
        // Older attempts keep what they have, as far as it is needed, and of that as much as may be is taken.
        let keep = room(it).min(need.saturating_sub(rooms));
        let take = keep.min(now.saturating_sub(rooms));
        let goes_back = goes_back(all, net(all) - left(all, self.bill()))[at];
        let missing = self.missing();
        let is_newest = all[at + 1..].iter().all(|newer| newer.stage != Stage::Created);
        if take > 0 {
            Step::Capture { total: it.captured + price(take) }
        } else if goes_back > 0 && it.dispute != Dispute::Open {
            Step::GiveBack { total: it.refunded + price(goes_back) }
        } else if room(it) > 0 && keep == 0 || is_begun(it) && missing == 0 {
            Step::Close
        } else if it.stage == Stage::Created && is_newest && self.handed_off[0].is_some() {
            Step::Charge { amount: price(missing) }
        } else {
            Step::Nothing
        }
    }

    /// What is set aside until some moment and still needed, of an open order: until when, since when somebody has to
    /// look at it, and how much it is; the first to end is the first.
    pub(super) fn endings(&self) -> Vec<(Timestamp, Timestamp, u128)> {
        let all = counted(&self.attempts());
        let kept = |at: usize| room(&all[at]).min(self.need(&all).saturating_sub(sum(&all[..at], room)));
        let ends = (0..all.len()).filter(|at| self.state().is_open() && all[*at].until.ms() > 0 && kept(*at) > 0);
        let notice = |until: Timestamp| self.accepted_at.max(until.before_ms(DAY_MS));
        let mut endings: Vec<_> = ends.map(|at| (all[at].until, notice(all[at].until), kept(at))).collect();
        endings.sort_unstable();
        endings
    }

    /// What has to be paid yet, where that is known here and matters.
    pub(super) fn missing(&self) -> u128 {
        let is_paid_before_it_leaves = self.deadline.ms() > 0;
        let is_paid_elsewhere = self.said.iter().any(|said| matches!(said, Said::PaidElsewhere));
        if !is_paid_before_it_leaves || is_paid_elsewhere {
            return 0;
        }
        let all = counted(&self.attempts());
        self.need(&all).saturating_sub(sum(&all, room))
    }

    /// What is due, as far as nobody wants it back, and is not there.
    fn need(&self, all: &[PaymentView]) -> u128 {
        let (once, asked) = (once(all, self.bill()), sum(all, asked));
        let ever = self.bill().cost.min(sum(all, |it| it.captured.into()));
        let most = self.due().max(ever) - asked.min(once);
        self.due().min(most).saturating_sub(left(all, self.bill()))
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
        sum(&counted(&self.attempts()), covers)
    }

    /// What one attempt pays for, if anybody told of it.
    pub(super) fn covered_by(&self, attempt: ChangeId) -> u128 {
        sum(&counted(&self.attempts()), |it| if it.attempt == attempt { covers(it) } else { 0 })
    }

    pub(super) fn is_covered(&self) -> bool {
        self.due() > 0 && self.covered() >= self.due()
    }

    /// Whether everything that was tried is over and brought nothing.
    pub(super) fn has_failed(&self) -> bool {
        let attempts = self.attempts();
        let is_over = |it: &PaymentView| matches!(it.stage, Stage::Failed | Stage::Voided | Stage::Expired);
        !attempts.is_empty()
            && attempts.iter().all(|it| is_over(&it.view) && it.view.captured == 0)
            && !self.has_implicit_attempt()
    }

    /// Whether its customer disputes a payment.
    pub(super) fn is_disputed(&self) -> bool {
        self.attempts().iter().any(|it| it.view.dispute == Dispute::Open)
    }

    /// What may still go back of what its customer disputes.
    pub(super) fn in_dispute(&self) -> u128 {
        self.attempts().iter().filter(|it| it.view.dispute == Dispute::Open).map(|it| can_go_back(&it.view)).sum()
    }

    /// What may still be asked to go back.
    pub(super) fn refundable(&self) -> u128 {
        left(&counted(&self.attempts()), self.bill())
    }
}

/// Those that the order counts on.
fn counted(attempts: &[Attempt]) -> Vec<PaymentView> {
    attempts.iter().filter(|it| !it.is_let_go).map(|it| it.view).collect()
}

/// Begins an attempt that is not known: behind all others, but that of the adapters before them.
fn begin(attempts: &mut Vec<Attempt>, id: ChangeId, method: PaymentMethod) {
    if attempts.iter().all(|known| known.view.attempt != id) {
        let place = if id == ChangeId::HANDED_OFF { 0 } else { attempts.len() };
        attempts.insert(place, Attempt { view: begun(id, method), is_let_go: false });
    }
}

/// Whatever comes to cover something by that, and covered nothing before, goes behind all others.
/// Those that are about to end, before it does, stay behind it.
fn hear_of(attempts: &mut Vec<Attempt>, (id, report): (ChangeId, PaymentReport), now: Timestamp) {
    let at = attempts.iter().position(|known| known.view.attempt == id).expect("it has begun");
    let covered = covers(&attempts[at].view);
    hear(&mut attempts[at].view, report);
    if covered == 0 && covers(&attempts[at].view) > 0 && !attempts[at].is_let_go {
        let new = attempts.remove(at);
        let ends_sooner =
            |it: &PaymentView| it.until.ms() > 0 && (new.view.until.ms() == 0 || it.until < new.view.until);
        let is_replaced = |it: &PaymentView| ends_sooner(it) && room(it) > 0 && it.until <= now.after_ms(DAY_MS);
        let (replaced, others): (Vec<Attempt>, Vec<Attempt>) =
            attempts.drain(..).partition(|other| is_replaced(&other.view));
        attempts.extend(others.into_iter().chain([new]).chain(replaced));
    }
}

/// What is to be done with an attempt of which everything is to go back.
fn step_of_let_go(it: &PaymentView) -> Step {
    if can_go_back(it) > 0 && it.dispute != Dispute::Open {
        Step::GiveBack { total: it.refunded + price(can_go_back(it)) }
    } else if room(it) > 0 || is_begun(it) {
        Step::Close
    } else {
        Step::Nothing
    }
}

/// Whether it may yet come to anything.
pub(super) const fn is_begun(it: &PaymentView) -> bool {
    matches!(it.stage, Stage::Created | Stage::RequiresAction | Stage::Processing)
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
        until: Timestamp::ZERO,
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
        PaymentReport::Authorised { total, until } if lives => {
            it.stage = Stage::Authorised;
            it.until = it.until.max(until);
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
fn ask(attempts: &mut [Attempt], wanted_back: u128) {
    let all = counted(attempts);
    let mut more = wanted_back.saturating_sub(sum(&all, asked));
    for attempt in attempts.iter_mut().rev().filter(|it| !it.is_let_go) {
        let it = &mut attempt.view;
        let of_this = more.min(u128::from(it.captured).saturating_sub(asked(it)));
        it.refund_asked = it.refund_asked.saturating_add(price(of_this));
        more -= of_this;
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

/// What each gives back of so much: first what was asked of it, then anything, and newer ones before older ones.
fn goes_back(all: &[PaymentView], mut more: u128) -> Vec<u128> {
    let mut gives = vec![0; all.len()];
    let was_asked = |it: &PaymentView| can_go_back(it).min(asked(it).saturating_sub(it.refunded.into()));
    for may_give in [&was_asked as &dyn Fn(&PaymentView) -> u128, &can_go_back] {
        for at in (0..all.len()).rev() {
            let of_this = more.min(may_give(&all[at]).saturating_sub(gives[at]));
            gives[at] += of_this;
            more -= of_this;
        }
    }
    gives
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
