//! One attempt to pay an order: what was told of it, and what that makes of it.
//!
//! # Always true
//! - `captured <= authorised`; `refunded`, `charged_back` and `refund_asked - refund_failed` are each no more than
//!   `captured`, and none is negative.
//! # Not here
//! - What is to be done with an order's attempts: `steps`. Where they are kept: `account`. When what is set aside ends:
//!   `ends`.

use super::choices::{FailureReason, PaymentMethod, RetryClass};
use super::payment::{Dispute, PaymentReport, Stage, Step};
use crate::base::limits::ORDER_TOTAL_MAX;
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
    /// Its order was paid late without it: nothing of it counts or is kept any more, whatever is told of it.
    pub(super) is_let_go: bool,
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
            is_let_go: false,
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
            PaymentReport::Authorised { total, until: _ } if !self.has_ended() => {
                self.authorised = self.authorised.max(total);
                (self.stage, self.failure) = (Stage::Authorised, None);
            }
            PaymentReport::Captured { total } => self.take(total),
            PaymentReport::Refunded { total } => {
                self.take(total);
                self.refunded = self.refunded.max(total);
            }
            PaymentReport::RefundFailed { total } => {
                let open = self.refund_asked - self.refunded.min(self.refund_asked);
                self.refund_failed = self.refund_failed.max(total.min(open));
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

    pub(super) const fn has_ended(&self) -> bool {
        matches!(self.stage, Stage::Voided | Stage::Expired)
    }

    const fn may_end(&self) -> bool {
        self.stage.is_begun() || matches!(self.stage, Stage::Authorised)
    }

    /// What may still be taken.
    pub(super) const fn room(&self) -> Price {
        if matches!(self.stage, Stage::Authorised) { self.authorised - self.captured } else { 0 }
    }

    /// What somebody asked to go back, and did not fail to.
    pub(super) const fn asked(&self) -> Price {
        self.refund_asked - self.refund_failed
    }

    /// What may still go back.
    pub(super) const fn left(&self) -> Price {
        self.captured.saturating_sub(self.charged_back).saturating_sub(self.refunded)
    }

    /// What an order may count on.
    pub(super) fn covers(&self) -> Price {
        if self.is_let_go {
            return 0;
        }
        (self.captured + self.room()).saturating_sub(self.refunded).saturating_sub(self.charged_back)
    }

    /// How much money a step moves that is to be done with it; 0 when nothing, or what is set aside, is let go.
    pub(super) fn amount_of(&self, step: Step) -> Price {
        match step {
            Step::Charge { amount } => amount,
            Step::Capture { total } => total - self.captured,
            Step::GiveBack { total } => total - self.refunded,
            Step::Nothing | Step::Close => 0,
        }
    }

    /// Whether somebody told that this was done.
    pub(super) const fn has_done(&self, step: Step) -> bool {
        match step {
            Step::Nothing => true,
            Step::Charge { amount } => {
                !matches!(self.stage, Stage::Created | Stage::Authorised) || self.authorised >= amount
            }
            Step::Capture { total } => self.captured >= total,
            Step::GiveBack { total } => self.refunded >= total,
            // What is told to have been taken, or to have gone back, does not say that nothing more will be taken.
            Step::Close => self.has_ended() || matches!(self.stage, Stage::Failed),
        }
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
