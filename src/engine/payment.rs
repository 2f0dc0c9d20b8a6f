//! The words of payments: how far an attempt has come, what is told of it, what is to be done with it.
//!
//! ```text
//! CREATED ─► REQUIRES_ACTION ─► PROCESSING ─► AUTHORISED ─► (captured, refunded, charged back: amounts, never less)
//!    └──────────────┴──────────────┴─► FAILED ──►┘   └─► VOIDED, EXPIRED: nothing more is taken
//! ```
//!
//! # Always true
//! - Amounts are totals of their attempt and only grow, so a report that comes twice, or after a later one, changes
//!   nothing. (Whether a customer has to act, whoever told last says; no money hangs on that.)
//! # Not here
//! - What a report makes of an attempt, and what is to be done then: `attempt`.
//! # Why so
//! A provider's webhooks come twice, late and in any order, beside the storefront's own word. Totals make all of them
//! say the same.

use super::choices::{FailureReason, RetryClass};
use super::query::PaymentView;
use crate::base::{Price, Timestamp};

/// How far an attempt has come. Whether it was captured or refunded, its amounts say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Stage {
    /// Begun; nothing is known of it.
    Created = 1,
    /// The customer has to do something.
    RequiresAction = 2,
    /// The provider has it.
    Processing = 3,
    /// The money is set aside, or taken.
    Authorised = 4,
    /// It came to nothing.
    Failed = 5,
    /// What was set aside is let go.
    Voided = 6,
    /// What was set aside was not taken in time.
    Expired = 7,
}

/// Whether a customer disputes an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum Dispute {
    /// It never was.
    #[default]
    None = 0,
    /// It is disputed.
    Open = 1,
    /// It was, and that is over.
    Over = 2,
}

impl Dispute {
    /// The dispute with this number; `None` for a number that names nothing.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::None),
            1 => Some(Self::Open),
            2 => Some(Self::Over),
            _ => None,
        }
    }

    /// The word for people and for JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Open => "open",
            Self::Over => "over",
        }
    }
}

impl Step {
    /// The word for people and for JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Charge { .. } => "charge",
            Self::Capture { .. } => "capture",
            Self::GiveBack { .. } => "give_back",
            Self::Close => "close",
        }
    }

    /// Whether whoever carries this out says what became of that as well.
    pub(super) const fn answers(self, before: Self) -> bool {
        match (self, before) {
            (Self::Charge { .. }, Self::Charge { .. })
            | (Self::Capture { .. }, Self::Capture { .. })
            | (Self::GiveBack { .. }, Self::GiveBack { .. })
            | (Self::Close, Self::Charge { .. } | Self::Capture { .. } | Self::Close) => true,
            (Self::Nothing | Self::Charge { .. } | Self::Capture { .. } | Self::GiveBack { .. } | Self::Close, _) => {
                false
            }
        }
    }

    /// The amount it is about, where it is about one: of a charge so much, of others the total that is to be reached.
    #[must_use]
    pub const fn amount(self) -> Option<Price> {
        match self {
            Self::Charge { amount } => Some(amount),
            Self::Capture { total } | Self::GiveBack { total } => Some(total),
            Self::Nothing | Self::Close => None,
        }
    }
}

impl Stage {
    /// Every stage, in the order of their numbers.
    pub const ALL: [Self; 7] = [
        Self::Created,
        Self::RequiresAction,
        Self::Processing,
        Self::Authorised,
        Self::Failed,
        Self::Voided,
        Self::Expired,
    ];

    /// The stage with this number; `None` for a number that names nothing.
    #[must_use]
    pub fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.get(usize::from(byte).checked_sub(1)?).copied()
    }

    /// The word for people and for JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::RequiresAction => "requires_action",
            Self::Processing => "processing",
            Self::Authorised => "authorised",
            Self::Failed => "failed",
            Self::Voided => "voided",
            Self::Expired => "expired",
        }
    }

    /// Whether nobody knows yet what it comes to.
    pub(super) const fn is_begun(self) -> bool {
        match self {
            Self::Created | Self::RequiresAction | Self::Processing => true,
            Self::Authorised | Self::Failed | Self::Voided | Self::Expired => false,
        }
    }
}

/// What was paid of an order, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    /// Nobody told of any payment.
    None,
    /// A payment is under way.
    Pending,
    /// Every payment came to nothing.
    Failed,
    /// Money is set aside.
    Authorised,
    /// Some was taken of what is set aside.
    PartlyCaptured,
    /// Money was taken.
    Captured,
    /// Some of it went back, or was taken back.
    PartlyRefunded,
    /// All of it did.
    Refunded,
    /// What was set aside was let go, or not taken in time.
    Voided,
    /// The customer disputes a payment.
    InDispute,
}

impl Label {
    /// The word for these attempts.
    #[must_use]
    pub fn of(payments: &[PaymentView]) -> Self {
        let sum = |amount: fn(&PaymentView) -> Price| payments.iter().map(|it| u128::from(amount(it))).sum::<u128>();
        let is_any = |stage: &dyn Fn(Stage) -> bool| payments.iter().any(|payment| stage(payment.stage));
        let (captured, gone) = (sum(|it| it.captured), sum(|it| it.refunded) + sum(|it| it.charged_back));
        let is_open = payments.iter().any(|it| it.stage == Stage::Authorised && it.authorised > it.captured);
        if payments.iter().any(|payment| payment.dispute == Dispute::Open) {
            Self::InDispute
        } else if captured > 0 {
            match (gone, is_open) {
                (0, true) => Self::PartlyCaptured,
                (0, false) => Self::Captured,
                (gone, _) if gone < captured => Self::PartlyRefunded,
                (_, _) => Self::Refunded,
            }
        } else if is_open {
            Self::Authorised
        } else if is_any(&Stage::is_begun) {
            Self::Pending
        } else if is_any(&|stage| matches!(stage, Stage::Voided | Stage::Expired)) {
            Self::Voided
        } else if payments.is_empty() {
            Self::None
        } else {
            Self::Failed
        }
    }

    /// The word for people and for JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Pending => "pending",
            Self::Failed => "failed",
            Self::Authorised => "authorised",
            Self::PartlyCaptured => "partly_captured",
            Self::Captured => "captured",
            Self::PartlyRefunded => "partly_refunded",
            Self::Refunded => "refunded",
            Self::Voided => "voided",
            Self::InDispute => "in_dispute",
        }
    }
}

/// What somebody tells of an attempt. Totals are of the whole attempt so far, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaymentReport {
    /// The customer has to do something.
    RequiresAction,
    /// The provider has it.
    Processing,
    /// So much is set aside for this order.
    Authorised {
        /// In all.
        total: Price,
        /// Log time at which it is set aside no longer, unless it is taken before; zero where nobody said.
        until: Timestamp,
    },
    /// So much was taken.
    Captured {
        /// In all.
        total: Price,
    },
    /// It came to nothing.
    Failed {
        /// Why.
        reason: FailureReason,
        /// What may be tried next.
        class: RetryClass,
    },
    /// What was set aside and not taken is let go.
    Voided,
    /// What was set aside and not taken was so for too long.
    Expired,
    /// So much went back.
    Refunded {
        /// In all.
        total: Price,
    },
    /// So much of what somebody asked to go back will not.
    RefundFailed {
        /// In all.
        total: Price,
    },
    /// The customer disputes it. Once: what is said so after the dispute is over was said before.
    Disputed,
    /// The dispute is over, and nothing was taken back.
    DisputeWon,
    /// So much was taken back by the customer's bank.
    ChargedBack {
        /// In all.
        total: Price,
    },
}

impl PaymentReport {
    /// So much is set aside, and nobody said until when.
    #[must_use]
    pub const fn authorised(total: Price) -> Self {
        Self::Authorised { total, until: Timestamp::ZERO }
    }

    /// When it says that what is set aside is so no longer; zero where it does not say.
    #[must_use]
    pub const fn until(self) -> Timestamp {
        match self {
            Self::Authorised { until, total: _ } => until,
            Self::RequiresAction
            | Self::Processing
            | Self::Captured { .. }
            | Self::Failed { .. }
            | Self::Voided
            | Self::Expired
            | Self::Refunded { .. }
            | Self::RefundFailed { .. }
            | Self::Disputed
            | Self::DisputeWon
            | Self::ChargedBack { .. } => Timestamp::ZERO,
        }
    }

    /// The total it tells, if it tells one.
    #[must_use]
    pub const fn total(self) -> Option<Price> {
        match self {
            Self::Authorised { total, until: _ }
            | Self::Captured { total }
            | Self::Refunded { total }
            | Self::RefundFailed { total }
            | Self::ChargedBack { total } => Some(total),
            Self::RequiresAction
            | Self::Processing
            | Self::Failed { .. }
            | Self::Voided
            | Self::Expired
            | Self::Disputed
            | Self::DisputeWon => None,
        }
    }

    /// The word for people and for JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RequiresAction => "requires_action",
            Self::Processing => "processing",
            Self::Authorised { .. } => "authorised",
            Self::Captured { .. } => "captured",
            Self::Failed { .. } => "failed",
            Self::Voided => "voided",
            Self::Expired => "expired",
            Self::Refunded { .. } => "refunded",
            Self::RefundFailed { .. } => "refund_failed",
            Self::Disputed => "disputed",
            Self::DisputeWon => "dispute_won",
            Self::ChargedBack { .. } => "charged_back",
        }
    }

    /// Whether it may be the success that an order waits for.
    pub(super) const fn is_success(self) -> bool {
        matches!(self, Self::Authorised { .. } | Self::Captured { .. })
    }

    /// Whether this order will not be paid by this customer.
    pub(super) const fn is_final(self) -> bool {
        matches!(self, Self::Failed { class: RetryClass::Never, .. })
    }
}

/// What is to be done next with an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Step {
    /// Nothing.
    #[default]
    Nothing,
    /// Set money aside, or take it where the method knows no setting aside.
    Charge {
        /// So much.
        amount: Price,
    },
    /// Take more of what is set aside.
    Capture {
        /// Until it is so much in all.
        total: Price,
    },
    /// Give back.
    GiveBack {
        /// Until it is so much in all.
        total: Price,
    },
    /// See to it that nothing more is taken, and let go what is set aside.
    Close,
}
