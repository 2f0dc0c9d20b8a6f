//! What is to be done with the money of an order: it follows from its attempts and from what is due.
//!
//! ```text
//! what is due ─┬─ more was taken, and is kept ──► goes back, the newest attempt's first
//!              ├─ less was taken ───────────────► is taken of what is set aside, the oldest first, as goods leave
//!              └─ nothing more is needed ───────► what is set aside is let go, what has begun is ended
//! ```
//!
//! # Always true
//! - Nothing stores it, and doing it comes to an end: then what is due is there, or all there was.
//! # Not here
//! - What a report makes of an attempt: `attempt`. Who is told what is to be done: `wanted`.
//! # Why so
//! What has to happen is said as a total ("captured in all: so much"), so whoever carries it out may be told twice, and
//! whatever changes meanwhile makes one new instruction instead of a queue of old ones. It is reckoned from one balance
//! of the order: asked attempt by attempt, what goes back by itself and what somebody gave back would count twice.

use super::attempt::Attempt;
use super::effect::Action;
use super::payment::{Dispute, Stage, Step};
use crate::base::limits::PAYMENT_ATTEMPTS_MAX;
use crate::base::{ChangeId, Price};

/// What an order may count on of all its attempts.
pub(super) fn covered(attempts: &[Attempt]) -> u128 {
    attempts.iter().map(|attempt| u128::from(attempt.covers())).sum()
}

/// What an order costs, as far as it says what is to be done with its money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Due {
    /// What all its units cost, whatever became of them: more than that is nobody's wish.
    pub(super) cost: Price,
    /// What its units cost that are neither cancelled nor lapsed.
    pub(super) due: Price,
    /// Of that, what may be taken now: what was handed over costs, or everything when nothing is left to hand over.
    pub(super) now: Price,
    /// Whether it waits for its payment.
    pub(super) is_unpaid: bool,
    /// Whether it is to be paid before anything of it is handed over, by what its attempts cover.
    pub(super) is_prepaid: bool,
    /// Whether adapters begin what is to be paid.
    pub(super) is_handed_off: bool,
}

/// What is to be done with each attempt of an order, in their order.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Steps {
    /// That of the adapters included while nobody told of it.
    steps: [OfAttempt; PAYMENT_ATTEMPTS_MAX + 1],
    len: usize,
}

/// What is to be done with one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct OfAttempt {
    id: ChangeId,
    step: Step,
    /// Of one that is to be closed, what was taken of it: when that turns out to be more, closing it was no use.
    taken: Price,
}

impl Steps {
    pub(super) fn iter(&self) -> impl Iterator<Item = Step> {
        self.steps[..self.len].iter().map(|of| of.step)
    }

    pub(super) fn any(&self) -> bool {
        self.wanted().next().is_some()
    }

    /// All of them in one word: the first of charge, give back, capture, close; look when nothing is to be done.
    pub(super) fn action(&self) -> Action {
        let is_any = |action: &Action| self.wanted().any(|of| Action::of_step(of.step) == Some(*action));
        let first = [Action::Charge, Action::GiveBack, Action::Capture, Action::Close].into_iter().find(is_any);
        first.unwrap_or(Action::Look)
    }

    /// Whether the same is to be done with the same attempts, in whatever order they stand.
    pub(super) fn are_those(&self, others: &Self) -> bool {
        self.wanted().count() == others.wanted().count()
            && self.wanted().all(|it| others.wanted().any(|other| it == other))
    }

    /// Whether of some attempt something was to be done before these, nobody told that it was done, and nobody will who
    /// carries these out: it may be carried out all the same, and nobody hear of it.
    pub(super) fn leave_untold(&self, before: &Self, attempts: &[Attempt]) -> bool {
        let is_asked = |before: OfAttempt| self.wanted().any(|of| of.id == before.id && of.step.answers(before.step));
        let is_done =
            |before: OfAttempt| attempts.iter().any(|attempt| attempt.id == before.id && attempt.has_done(before.step));
        before.wanted().any(|before| !is_asked(before) && !is_done(before))
    }

    fn wanted(&self) -> impl Iterator<Item = OfAttempt> {
        self.steps[..self.len].iter().copied().filter(|of| of.step != Step::Nothing)
    }
}

/// What one attempt is to come to.
struct Aim {
    captured: Price,
    refunded: Price,
    /// What of what is set aside is still needed.
    kept: Price,
}

/// What there is of an order's money, and what is to stay. What is let go is not the order's any more.
struct Balance {
    /// Taken, whatever a bank took back since; what was paid twice counts once.
    ever: u128,
    /// Taken, and not taken back; what was paid twice counts once.
    once: u128,
    /// Somebody asked to give it back.
    asked: u128,
    /// Taken, and neither given nor taken back.
    net: u128,
    /// To be kept of what was taken: what is due, and no more than what was paid less what was asked back.
    stays: u128,
}

impl Balance {
    fn of(attempts: &[Attempt], due: Due) -> Self {
        let own = || attempts.iter().filter(|attempt| !attempt.is_let_go);
        let sum = |amount: fn(&Attempt) -> Price| own().map(|attempt| u128::from(amount(attempt))).sum();
        let (captured, refunded, asked): (u128, u128, u128) =
            (sum(|attempt| attempt.captured), sum(|attempt| attempt.refunded), sum(Attempt::asked));
        let taken = captured - sum(|attempt| attempt.charged_back);
        let (ever, once) = (captured.min(due.cost.into()), taken.min(due.cost.into()));
        let stays = once.saturating_sub(asked).min(due.due.into());
        Self { ever, once, asked, net: taken.saturating_sub(refunded), stays }
    }

    /// What is left once everything has gone back that is to.
    fn after(&self) -> u128 {
        self.net.min(self.stays)
    }
}

/// Goes over attempts, oldest first, and says what each is to come to.
///
/// What is not to stay goes back: what somebody asked, of the attempt of which they did, for it may be on its way; and
/// the rest of the newest first. One gives back what those behind it cannot. What is due and not taken is taken of what
/// was set aside, the oldest first.
struct Aims {
    /// To go back: what somebody asked of each attempt, and of the newest what else.
    back: [u128; 2],
    /// Of the attempts that are still to come: what they can give back of either.
    behind: [u128; 2],
    /// Due, and neither taken nor set aside so far.
    need: u128,
    /// Of that, what may be taken now.
    now: u128,
}

impl Aims {
    fn new(attempts: &[Attempt], due: Due) -> Self {
        let balance = Balance::of(attempts, due);
        let (after, asked) = (balance.after(), balance.asked);
        // Of what is due, or was taken and is not any more, what somebody asked back is not taken again, unless a bank
        // took it back as well.
        let most = balance.ever.max(due.due.into()) - asked.min(balance.once);
        let need = most.min(due.due.into()).saturating_sub(after);
        // What was given back is not taken again before everything has left.
        let left = u128::from(due.now).saturating_sub(after + asked);
        let now = if due.now == due.due { need } else { left.min(need) };
        let own = attempts.iter().filter(|attempt| !attempt.is_let_go);
        let mut behind = [0, 0];
        own.for_each(|attempt| {
            for (sum, part) in behind.iter_mut().zip(Self::parts(attempt)) {
                *sum += part;
            }
        });
        let back = balance.net - after;
        let of_asked = back.min(behind[0]);
        Self { back: [of_asked, back - of_asked], behind, need, now }
    }

    /// What an attempt can give back: asked of it, and what else.
    fn parts(attempt: &Attempt) -> [u128; 2] {
        let asked = attempt.asked().saturating_sub(attempt.refunded).min(attempt.left());
        [asked.into(), (attempt.left() - asked).into()]
    }

    fn next(&mut self, attempt: &Attempt) -> Aim {
        if attempt.is_let_go {
            let refunded = attempt.refunded + attempt.left();
            return Aim { captured: attempt.captured, refunded, kept: 0 };
        }
        let mut more = 0;
        for ((back, behind), part) in self.back.iter().zip(&mut self.behind).zip(Self::parts(attempt)) {
            *behind -= part;
            more += back.saturating_sub(*behind).min(part);
        }
        let more = to_price(more);
        let kept = attempt.room().min(to_price(self.need));
        let taken = kept.min(to_price(self.now));
        (self.need, self.now) = (self.need - u128::from(kept), self.now - u128::from(taken));
        Aim { captured: attempt.captured + taken, refunded: attempt.refunded + more, kept }
    }
}

pub(super) fn to_price(sum: u128) -> Price {
    u64::try_from(sum).unwrap_or(u64::MAX)
}

/// What is to become of an order's money.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Outlook {
    pub(super) steps: Steps,
    /// What is due of an order that is to be paid before it leaves, and is neither there nor set aside.
    pub(super) missing: Price,
}

/// What is to be done with each attempt, and what is missing.
pub(super) fn outlook(attempts: &[Attempt], due: Due) -> Outlook {
    let aims = Aims::new(attempts, due);
    Outlook { missing: missing_of(attempts, due, &aims), steps: steps_of(attempts, due, aims) }
}

/// What is to be done with each attempt.
pub(super) fn steps(attempts: &[Attempt], due: Due) -> Steps {
    steps_of(attempts, due, Aims::new(attempts, due))
}

/// How much of what each attempt has set aside is needed, in their order.
pub(super) fn kept(attempts: &[Attempt], due: Due) -> impl Iterator<Item = Price> {
    let mut aims = Aims::new(attempts, due);
    attempts.iter().map(move |attempt| aims.next(attempt).kept)
}

fn steps_of(attempts: &[Attempt], due: Due, mut aims: Aims) -> Steps {
    let mut steps = Steps { len: attempts.len(), ..Steps::default() };
    for (OfAttempt { id, step, .. }, attempt) in steps.steps.iter_mut().zip(attempts) {
        *id = attempt.id;
        let aim = aims.next(attempt);
        if aim.captured > attempt.captured {
            *step = Step::Capture { total: aim.captured };
        } else if aim.refunded > attempt.refunded && attempt.dispute != Dispute::Open {
            *step = Step::GiveBack { total: aim.refunded };
        } else if attempt.room() > 0 && aim.kept == 0 {
            *step = Step::Close;
        }
    }
    // What has only begun is for what is missing once everything that is set aside is taken; the newest is charged.
    let mut is_charged = !due.is_handed_off;
    let begun = |(_, attempt): &(&mut OfAttempt, &Attempt)| attempt.stage.is_begun();
    for (OfAttempt { step, .. }, attempt) in steps.steps.iter_mut().zip(attempts).filter(begun).rev() {
        if attempt.is_let_go || aims.need == 0 || !due.is_prepaid {
            *step = Step::Close;
        } else if attempt.stage == Stage::Created && !is_charged {
            *step = Step::Charge { amount: to_price(aims.need) };
            is_charged = true;
        }
    }
    for (of, attempt) in steps.steps.iter_mut().zip(attempts).filter(|(of, _)| of.step == Step::Close) {
        of.taken = attempt.captured;
    }
    steps
}

/// What is missing alone.
pub(super) fn missing(attempts: &[Attempt], due: Due) -> Price {
    missing_of(attempts, due, &Aims::new(attempts, due))
}

fn missing_of(attempts: &[Attempt], due: Due, aims: &Aims) -> Price {
    let own = attempts.iter().filter(|attempt| !attempt.is_let_go);
    let set_aside = own.map(|attempt| u128::from(attempt.room())).sum();
    if due.is_prepaid { to_price(aims.need.saturating_sub(set_aside)) } else { 0 }
}

/// What may be asked to go back: what was taken, not taken back, and does not go back anyway.
pub(super) fn refundable(attempts: &[Attempt], due: Due) -> Price {
    to_price(Balance::of(attempts, due).after())
}

/// Somebody asked for so much more to go back, at most what is [`refundable`]: exactly so much less is to stay,
/// whatever else goes back.
pub(super) fn ask_refund(attempts: &mut [Attempt], due: Due, amount: Price) {
    let balance = Balance::of(attempts, due);
    let stays = balance.after().checked_sub(amount.into()).expect("law: no more is asked to go back than there is");
    ask(attempts, balance.once - stays);
}

/// Money went back of an order that was paid. What is there now less of what was to stay than [before](shortfall),
/// somebody gave back elsewhere, and is taken to have asked for that.
pub(super) fn note_refund(attempts: &mut [Attempt], due: Due, before: u128) {
    let balance = Balance::of(attempts, due);
    if balance.net + before < balance.stays {
        ask(attempts, balance.once - balance.net - before);
    }
}

/// How much less is there than was to stay.
pub(super) fn shortfall(attempts: &[Attempt], due: Due) -> u128 {
    let balance = Balance::of(attempts, due);
    balance.stays.saturating_sub(balance.net)
}

/// So much is asked to go back of all attempts together. It is booked on the newest first, which give first.
fn ask(attempts: &mut [Attempt], asked: u128) {
    let own = attempts.iter().filter(|attempt| !attempt.is_let_go);
    let mut more = to_price(asked.saturating_sub(own.map(|attempt| u128::from(attempt.asked())).sum()));
    for attempt in attempts.iter_mut().rev().filter(|attempt| !attempt.is_let_go) {
        let of_this = more.min(attempt.captured.saturating_sub(attempt.asked()));
        attempt.refund_asked = attempt.refund_asked.saturating_add(of_this);
        more -= of_this;
    }
}

#[cfg(test)]
mod tests;
