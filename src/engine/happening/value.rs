//! What the number beside a happening is.

use super::Happening;

/// What the number beside a happening is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// There is none; it is zero.
    Nothing,
    /// Units of the line named, or of all lines together when none is.
    Units,
    /// Log time at which the reservation ends since then.
    Deadline,
    /// Number of the first SKU that came up short.
    Sku,
    /// The attempt, as instructions and reports name it.
    Attempt,
    /// Number of the [`HoldReason`](super::super::HoldReason).
    HoldReason,
    /// Minor units: of a refund that was requested its amount, else the total of its attempt.
    Amount,
    /// Number of the [`PaymentMethod`](super::super::choices::PaymentMethod).
    Method,
    /// Number of the [`FailureReason`](super::super::FailureReason).
    FailureReason,
    /// Which return of the order: the first is 1.
    Return,
    /// How many lines.
    Lines,
    /// The address zone.
    Zone,
}

impl Happening {
    /// What the number beside it is.
    #[must_use]
    pub const fn value(self) -> Value {
        match self {
            Self::Blocked
            | Self::PaymentAction
            | Self::PaymentProcessing
            | Self::Voided
            | Self::AuthorisationExpired
            | Self::Disputed
            | Self::DisputeWon => Value::Nothing,
            Self::AttemptBegun => Value::Method,
            Self::PaymentFailed => Value::FailureReason,
            Self::Authorised
            | Self::Captured
            | Self::Refunded
            | Self::RefundFailed
            | Self::ChargedBack
            | Self::RefundRequested => Value::Amount,
            Self::Extended | Self::PaymentStarted => Value::Deadline,
            Self::RetakeFailed => Value::Sku,
            Self::Held | Self::HoldLifted => Value::HoldReason,
            Self::Placed
            | Self::PlacedConfirmed
            | Self::Confirmed
            | Self::Charged
            | Self::ConfirmedLate
            | Self::ChargedLate
            | Self::Expired
            | Self::Cancelled
            | Self::LinesCancelled
            | Self::HandedOver
            | Self::HandedOverInExcess
            | Self::Returned
            | Self::Filled
            | Self::PutBack
            | Self::Delivered
            | Self::ReturnRequested
            | Self::ReturnReceived
            | Self::Restocked
            | Self::LeftSetAside
            | Self::FoundDamaged
            | Self::DisposedOf
            | Self::SentToCustomer
            | Self::SentToSupplier
            | Self::LinesAdded => Value::Units,
            Self::Repriced => Value::Lines,
            Self::Rezoned => Value::Zone,
            Self::ReturnApproved
            | Self::ReturnDeclined
            | Self::ReturnLabelSent
            | Self::ReturnInTransit
            | Self::ReturnLost
            | Self::ReturnCancelled
            | Self::ReturnExpired
            | Self::ReturnClosed => Value::Return,
            Self::CloseWanted
            | Self::GiveBackWanted
            | Self::ChargeWanted
            | Self::CaptureWanted
            | Self::LookWanted
            | Self::CheckAccepted
            | Self::CheckRejected
            | Self::CheckInReview
            | Self::CheckResumed
            | Self::ReleaseWanted
            | Self::PaymentDone
            | Self::ReleaseDone
            | Self::PaymentTriesUsedUp
            | Self::PaymentRefused
            | Self::ReleaseTriesUsedUp
            | Self::ReleaseRefused
            | Self::PaymentResumed
            | Self::ReleaseResumed => Value::Attempt,
        }
    }
}
