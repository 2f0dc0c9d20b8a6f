//! Attempts to pay an order: what each came to, and what is to be done next with its money.
//!
//! ```text
//! what is due ─┬─ more was taken, and is kept ──► goes back, the newest attempt's first
//!              ├─ less was taken ───────────────► is taken of what is set aside, the oldest first, as goods leave
//!              └─ nothing more is needed ───────► what is set aside is let go, what has begun is ended
//! ```
//!
//! # Always true
//! - `captured <= authorised`; `refunded`, `charged_back` and `refund_asked - refund_failed` are each no more than
//!   `captured`, and none is negative.
//! - What is to be done follows from the attempts and from what is due ([`steps`]); nothing stores it.
//! # Not here
//! - Where attempts are kept: `account`. Which report is a fact, and what follows for the order: `decide` and `fold`.
//! # Why so
//! What has to happen is said as a total ("captured in all: so much"), so whoever carries it out may be told twice, and
//! whatever changes meanwhile makes one new instruction instead of a queue of old ones.

use super::choices::{FailureReason, PaymentMethod, RetryClass};
use super::payment::{Dispute, PaymentReport, Stage, Step};
use crate::base::limits::{ORDER_TOTAL_MAX, PAYMENT_ATTEMPTS_MAX};
use crate::base::{ChangeId, Price};

/// One attempt to pay an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Attempt {
    pub(super) id: ChangeId,
    /// Set aside in all, what was taken of it included.
    pub(super) authorised: Price,
    pub(super) captured: Price,
    pub(super) refunded: Price,
    /// Asked to go back in all; what goes back because it is too much, nobody asked for.
    pub(super) refund_asked: Price,
    /// Of that, what will not.
    pub(super) refund_failed: Price,
    pub(super) charged_back: Price,
    pub(super) method: PaymentMethod,
    pub(super) stage: Stage,
    pub(super) failure: Option<(FailureReason, RetryClass)>,
    pub(super) dispute: Dispute,
}

/// An attempt is one cache line: an order that adapters charge has one.
const _: () = assert!(size_of::<Attempt>() == 64);

impl Attempt {
    pub(super) const fn new(id: ChangeId, method: PaymentMethod) -> Self {
        Self {
            id,
            authorised: 0,
            captured: 0,
            refunded: 0,
            refund_asked: 0,
            refund_failed: 0,
            charged_back: 0,
            method,
            stage: Stage::Created,
            failure: None,
            dispute: Dispute::None,
        }
    }

    /// The attempt once this was told of it; the same when it tells nothing new.
    pub(super) fn told(mut self, report: PaymentReport) -> Self {
        match report {
            PaymentReport::RequiresAction if self.stage.is_begun() => self.stage = Stage::RequiresAction,
            PaymentReport::Processing if self.stage.is_begun() => self.stage = Stage::Processing,
            PaymentReport::Failed { reason, class } if self.stage.is_begun() => {
                (self.stage, self.failure) = (Stage::Failed, Some((reason, class)));
            }
            PaymentReport::Voided if self.may_end() => self.stage = Stage::Voided,
            PaymentReport::Expired if self.may_end() => self.stage = Stage::Expired,
            PaymentReport::Authorised { total } if !self.has_ended() => {
                self.authorised = self.authorised.max(total);
                (self.stage, self.failure) = (Stage::Authorised, None);
            }
            PaymentReport::Captured { total } => self.take(total),
            PaymentReport::Refunded { total } => {
                self.take(total);
                self.refunded = self.refunded.max(total);
            }
            PaymentReport::RefundFailed { total } => {
                self.refund_failed = self.refund_failed.max(total.min(self.refund_asked));
            }
            PaymentReport::Disputed if self.dispute == Dispute::None => self.dispute = Dispute::Open,
            PaymentReport::DisputeWon => self.dispute = Dispute::Over,
            PaymentReport::ChargedBack { total } if total > self.charged_back => {
                self.take(total);
                (self.charged_back, self.dispute) = (total, Dispute::Over);
            }
            PaymentReport::RequiresAction
            | PaymentReport::Processing
            | PaymentReport::Failed { .. }
            | PaymentReport::Voided
            | PaymentReport::Expired
            | PaymentReport::Authorised { .. }
            | PaymentReport::Disputed
            | PaymentReport::ChargedBack { .. } => {}
        }
        self
    }

    /// At least so much was taken. What was let go before is taken no more, but what was taken counts.
    fn take(&mut self, total: Price) {
        self.captured = self.captured.max(total);
        self.authorised = self.authorised.max(self.captured);
        if !self.has_ended() {
            (self.stage, self.failure) = (Stage::Authorised, None);
        }
    }

    const fn has_ended(&self) -> bool {
        matches!(self.stage, Stage::Voided | Stage::Expired)
    }

    const fn may_end(&self) -> bool {
        self.stage.is_begun() || matches!(self.stage, Stage::Authorised)
    }

    /// What may still be taken.
    pub(super) const fn room(&self) -> Price {
        if matches!(self.stage, Stage::Authorised) { self.authorised - self.captured } else { 0 }
    }

    /// What was taken and not taken back.
    const fn kept(&self) -> Price {
        self.captured - self.charged_back
    }

    /// What somebody asked to go back, as far as it does.
    fn asked(&self) -> Price {
        self.refund_asked - self.refund_failed
    }

    /// What went back, or is asked to.
    fn given(&self) -> Price {
        self.asked().max(self.refunded).min(self.kept())
    }

    /// What was taken for the order; not what was too much, or too early, and went back.
    fn earned(&self) -> Price {
        self.captured - self.refunded.saturating_sub(self.asked())
    }

    /// Somebody asked for so much to go back in all.
    fn ask(&mut self, refunded: Price) {
        // What failed and is asked for again is asked for twice. No order comes to the end of 64 bits so.
        if refunded > self.asked() {
            self.refund_asked = refunded.saturating_add(self.refund_failed);
        }
    }

    /// What was taken and stays, as far as anybody asked.
    fn net(&self) -> Price {
        self.kept() - self.given()
    }

    /// What an order may count on.
    fn covers(&self) -> Price {
        (self.captured + self.room()).saturating_sub(self.refunded).saturating_sub(self.charged_back)
    }

    /// Looks whether its amounts fit together.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        if self.captured > self.authorised {
            return Err("more was taken than was set aside");
        }
        if self.refund_failed > self.refund_asked {
            return Err("more did not go back than was asked to");
        }
        if self.refunded > self.captured || self.asked() > self.captured || self.charged_back > self.captured {
            return Err("more went back, or is to go back, than was taken");
        }
        let is_told = (self.stage == Stage::Failed) == self.failure.is_some();
        if is_told && self.authorised <= ORDER_TOTAL_MAX { Ok(()) } else { Err("stage, failure and total differ") }
    }

    /// Whether it is over, and no money came of it.
    pub(super) const fn is_vain(&self) -> bool {
        self.captured == 0 && (self.has_ended() || matches!(self.stage, Stage::Failed))
    }
}

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
    /// Whether adapters begin what is to be paid.
    pub(super) is_handed_off: bool,
}

/// What is to be done with each attempt of an order, oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Steps {
    steps: [Step; STEPS_MAX],
    len: usize,
}

/// Attempts of one order, that of the adapters included while nobody told of it.
const STEPS_MAX: usize = PAYMENT_ATTEMPTS_MAX + 1;

impl Steps {
    pub(super) fn iter(&self) -> impl Iterator<Item = Step> {
        self.steps[..self.len].iter().copied()
    }

    pub(super) fn any(&self) -> bool {
        self.iter().any(|step| step != Step::Nothing)
    }
}

/// What one attempt is to come to.
struct Aim {
    captured: Price,
    refunded: Price,
    /// Whether what is set aside is still needed.
    is_needed: bool,
}

/// Goes over attempts, oldest first, and says what each is to come to.
///
/// What is above what is due goes back, the newest attempt's first: one gives back what those behind it cannot. What is
/// due and not taken is taken of what was set aside, the oldest first.
struct Aims {
    /// Above what is due.
    extra: u128,
    /// Of the attempts that are still to come: what they can give back.
    behind: u128,
    /// Due, and neither taken nor set aside so far.
    need: Price,
    /// Of that, what may be taken now.
    now: Price,
}

impl Aims {
    fn new(attempts: &[Attempt], due: Due) -> Self {
        let sum = |amount: fn(&Attempt) -> Price| attempts.iter().map(|attempt| u128::from(amount(attempt))).sum();
        let (behind, earned, asked): (u128, _, _) = (sum(Attempt::net), sum(Attempt::earned), sum(Attempt::asked));
        // What was given back counts for what is cancelled, and not for what was paid twice.
        let once = sum(|attempt| attempt.earned().saturating_sub(attempt.charged_back)).min(due.cost.into());
        let stays = once.saturating_sub(asked).min(due.due.into());
        let missing = |of: Price| u64::try_from(u128::from(of).saturating_sub(earned)).unwrap_or_default();
        let (need, now) = (missing(due.due), missing(due.now.min(due.due)));
        Self { extra: behind.saturating_sub(stays), behind, need, now }
    }

    fn next(&mut self, attempt: &Attempt) -> Aim {
        self.behind -= u128::from(attempt.net());
        let more = u64::try_from(self.extra.saturating_sub(self.behind)).unwrap_or(u64::MAX).min(attempt.net());
        let kept = attempt.room().min(self.need);
        let taken = kept.min(self.now);
        (self.need, self.now) = (self.need - kept, self.now - taken);
        Aim { captured: attempt.captured + taken, refunded: attempt.given() + more, is_needed: kept > 0 }
    }
}

/// What is to be done with each attempt, oldest first.
pub(super) fn steps(attempts: &[Attempt], due: Due) -> Steps {
    let mut steps = Steps { len: attempts.len(), ..Steps::default() };
    let mut aims = Aims::new(attempts, due);
    for (step, attempt) in steps.steps.iter_mut().zip(attempts) {
        let aim = aims.next(attempt);
        if aim.captured > attempt.captured {
            *step = Step::Capture { total: aim.captured };
        } else if aim.refunded > attempt.refunded && attempt.dispute != Dispute::Open {
            *step = Step::Refund { total: aim.refunded };
        } else if attempt.room() > 0 && !aim.is_needed {
            *step = Step::End;
        }
    }
    // What has only begun is for what is missing once everything that is set aside is taken; the newest is charged.
    let mut is_charged = !due.is_handed_off;
    let begun = |(_, attempt): &(&mut Step, &Attempt)| attempt.stage.is_begun();
    for (step, attempt) in steps.steps.iter_mut().zip(attempts).filter(begun).rev() {
        if aims.need == 0 || !due.is_unpaid {
            *step = Step::End;
        } else if attempt.stage == Stage::Created && !is_charged {
            *step = Step::Charge { amount: aims.need };
            is_charged = true;
        }
    }
    steps
}

/// What may be asked to go back: what was taken, not taken back, and does not go back anyway.
pub(super) fn refundable(attempts: &[Attempt], due: Due) -> u64 {
    let mut aims = Aims::new(attempts, due);
    let left: u128 = attempts.iter().map(|attempt| u128::from(attempt.kept() - aims.next(attempt).refunded)).sum();
    u64::try_from(left).unwrap_or(u64::MAX)
}

/// Somebody asked for so much more to go back, at most what is [`refundable`]. The newest attempt gives first.
pub(super) fn ask_refund(attempts: &mut [Attempt], due: Due, mut amount: Price) {
    let mut aims = Aims::new(attempts, due);
    for attempt in &mut *attempts {
        attempt.ask(aims.next(attempt).refunded);
    }
    for attempt in attempts.iter_mut().rev() {
        let more = attempt.net().min(amount);
        attempt.ask(attempt.given() + more);
        amount -= more;
    }
    assert!(amount == 0, "law: no more is asked to go back than was taken");
}

/// So much went back of an attempt, more than was to: whoever gave it is taken to have asked for the rest. Not before
/// the order is paid: what goes back then is to come once more.
pub(super) fn note_refund(attempts: &[Attempt], due: Due, after: &mut Attempt) {
    let mut aims = Aims::new(attempts, due);
    let known = attempts.iter().map(|attempt| (attempt.id, aims.next(attempt).refunded));
    let aim = known.into_iter().find(|(id, _)| *id == after.id).map_or(0, |(_, refunded)| refunded);
    let excess = after.refunded.saturating_sub(aim);
    if excess > 0 && !due.is_unpaid {
        after.ask(after.refunded.min(after.asked() + excess));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An attempt that came to this.
    fn attempt(id: u64, reports: &[PaymentReport]) -> Attempt {
        reports.iter().fold(Attempt::new(ChangeId(id), PaymentMethod::Card), |attempt, report| attempt.told(*report))
    }

    const fn due(due: Price, now: Price) -> Due {
        Due { cost: 100, due, now, is_unpaid: false, is_handed_off: true }
    }

    fn check(attempts: &[Attempt], due: Due, expected: &[Step]) {
        assert_eq!(steps(attempts, due).iter().collect::<Vec<_>>(), expected, "{attempts:?} {due:?}");
    }

    const AUTHORISED: PaymentReport = PaymentReport::Authorised { total: 100 };
    const CAPTURED: PaymentReport = PaymentReport::Captured { total: 100 };

    #[test]
    fn what_is_set_aside_is_taken_as_goods_leave_and_the_rest_let_go() {
        let paid = attempt(1, &[AUTHORISED]);
        check(&[paid], due(100, 0), &[Step::Nothing]);
        check(&[paid], due(100, 30), &[Step::Capture { total: 30 }]);
        let some = paid.told(PaymentReport::Captured { total: 30 });
        check(&[some], due(100, 30), &[Step::Nothing]);
        check(&[some], due(60, 60), &[Step::Capture { total: 60 }]);
        check(&[some.told(PaymentReport::Captured { total: 60 })], due(60, 60), &[Step::End]);
        check(&[paid], due(0, 0), &[Step::End]);
    }

    #[test]
    fn what_is_too_much_goes_back_the_newest_first() {
        let (first, second) = (attempt(1, &[CAPTURED]), attempt(2, &[CAPTURED]));
        check(&[first, second], due(100, 0), &[Step::Nothing, Step::Refund { total: 100 }]);
        check(&[first, second], due(30, 0), &[Step::Refund { total: 70 }, Step::Refund { total: 100 }]);
        check(&[attempt(1, &[AUTHORISED]), second], due(100, 0), &[Step::End, Step::Nothing]);
        let in_dispute = second.told(PaymentReport::Disputed);
        check(&[first, in_dispute], due(100, 0), &[Step::Nothing, Step::Nothing]);
    }

    #[test]
    fn what_was_given_back_counts_whatever_it_was_for() {
        let mut attempts = [attempt(1, &[CAPTURED])];
        ask_refund(&mut attempts, due(100, 100), 30);
        check(&attempts, due(100, 100), &[Step::Refund { total: 30 }]);
        check(&attempts, due(60, 60), &[Step::Refund { total: 40 }]);
        assert_eq!(refundable(&attempts, due(60, 60)), 60);
        let taken_back = [attempts[0].told(PaymentReport::ChargedBack { total: 80 })];
        check(&taken_back, due(100, 100), &[Step::Refund { total: 20 }]);
        assert_eq!(refundable(&taken_back, due(100, 100)), 0);
    }

    #[test]
    fn what_was_paid_twice_goes_back_whole_whatever_was_given_back_before() {
        let mut attempts = [attempt(1, &[CAPTURED]), Attempt::new(ChangeId(2), PaymentMethod::Card)];
        ask_refund(&mut attempts[..1], due(100, 100), 40);
        attempts[0] = attempts[0].told(PaymentReport::Refunded { total: 40 });
        attempts[1] = attempts[1].told(CAPTURED);
        check(&attempts, due(100, 100), &[Step::Nothing, Step::Refund { total: 100 }]);
    }

    #[test]
    fn an_attempt_that_nobody_needs_is_ended_and_one_that_waits_is_charged_with_what_is_missing() {
        let unpaid = Due { is_unpaid: true, ..due(100, 0) };
        let begun = Attempt::new(ChangeId(9), PaymentMethod::Wallet);
        let gift = attempt(1, &[PaymentReport::Captured { total: 20 }]);
        check(&[gift, begun], unpaid, &[Step::Nothing, Step::Charge { amount: 80 }]);
        check(&[begun, attempt(1, &[AUTHORISED])], unpaid, &[Step::End, Step::Nothing]);
        check(&[begun.told(PaymentReport::Processing)], unpaid, &[Step::Nothing]);
        check(&[begun.told(PaymentReport::Processing)], due(100, 0), &[Step::End]);
        check(&[begun], Due { is_handed_off: false, ..unpaid }, &[Step::Nothing]);
    }

    /// Whatever was told, in whatever order: doing what is said to be done comes to an end, and then the order has what
    /// is due, or all there is, and nothing is left set aside.
    #[test]
    fn steps_come_to_an_end_and_leave_what_is_due() {
        let mut state = 7_u64;
        let mut below = |bound: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % bound
        };
        for _ in 0..20_000 {
            let mut attempts = Vec::new();
            for id in 0..below(4) {
                let mut attempt = Attempt::new(ChangeId(id), PaymentMethod::Card);
                for _ in 0..below(4) {
                    let total = 1 + below(150);
                    attempt = attempt.told(match below(7) {
                        0 => PaymentReport::Authorised { total },
                        1 => PaymentReport::Captured { total },
                        2 => PaymentReport::Refunded { total },
                        3 => PaymentReport::Voided,
                        4 => PaymentReport::Expired,
                        5 => PaymentReport::Processing,
                        _ => PaymentReport::Authorised { total: 2 * total },
                    });
                }
                attempts.push(attempt);
            }
            let due = Due { cost: 200, due: below(200), now: below(200), is_unpaid: false, is_handed_off: true };
            let due = Due { now: due.now.min(due.due), ..due };
            let given: u64 = attempts.iter().map(Attempt::given).sum();
            let earned: u64 = attempts.iter().map(Attempt::earned).sum();
            let captured: u64 = attempts.iter().map(|attempt| attempt.captured).sum();
            let room: u64 = attempts.iter().map(Attempt::room).sum();
            let mut rounds = 0;
            while steps(&attempts, due).any() {
                for (index, step) in steps(&attempts, due).iter().enumerate() {
                    attempts[index] = match step {
                        Step::Nothing | Step::Charge { .. } => attempts[index],
                        Step::Capture { total } => attempts[index].told(PaymentReport::Captured { total }),
                        Step::Refund { total } => attempts[index].told(PaymentReport::Refunded { total }),
                        Step::End => attempts[index].told(PaymentReport::Voided),
                    };
                }
                rounds += 1;
                assert!(rounds < 5, "{attempts:?} {due:?}");
            }
            attempts.iter().try_for_each(Attempt::check).expect("sound");
            let net: u64 = attempts.iter().map(|attempt| attempt.kept() - attempt.refunded).sum();
            let more = due.now.saturating_sub(earned).min(room);
            assert_eq!(net, (captured + more - given).min(due.due), "{attempts:?} {due:?}");
            let left: u64 = attempts.iter().map(Attempt::room).sum();
            let missing = due.due.saturating_sub(attempts.iter().map(Attempt::earned).sum());
            assert!(missing == 0 || left > 0 || room <= more, "{missing} is let go: {attempts:?} {due:?}");
            assert!(missing > 0 || left == 0, "{left} is set aside for nothing: {attempts:?} {due:?}");
        }
    }
}
