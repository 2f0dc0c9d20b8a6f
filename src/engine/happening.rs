//! The words of a history: what can have happened to one order.
//!
//! # Always true
//! - Numbers never change their meaning, and none is given twice: they are in images and answers.
//! # Not here
//! - Which entries an order has: `history`. Which fact says what: `fold`.
//! # Why so
//! A fact is for a machine that follows the log and folds. Who asks what became of an order wants one word, one line
//! and one number, of the same size whatever happened.

mod value;

pub use value::Value;

use super::effect::{AsideReason, Effect, Report};
use super::payment::PaymentReport;
use super::return_::{Disposition, ReturnReport};

/// What happened to an order, in one word. [`Happening::value`] says what the number beside it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Happening {
    /// It was accepted and waits for its payment.
    Placed = 1,
    /// It was accepted and needed no payment.
    PlacedConfirmed = 2,
    /// No placement of this identifier will be accepted.
    Blocked = 3,
    /// Its reservation lasts longer, because its customer was still there.
    Extended = 4,
    /// A payment has started; its reservation lasts until then.
    PaymentStarted = 5,
    /// Payment accepted it in time.
    Confirmed = 6,
    /// What was told of its payments covers it, which confirmed it in time.
    Charged = 7,
    /// Payment accepted it after its reservation had ended, and its units were taken again.
    ConfirmedLate = 8,
    /// The same, by what was told of its payments.
    ChargedLate = 9,
    /// Payment accepted it after its reservation had ended, and its units were gone.
    RetakeFailed = 10,
    /// Its reservation ended before payment accepted it.
    Expired = 11,
    /// Everything that was not handed over was cancelled.
    Cancelled = 12,
    /// Some units were cancelled.
    LinesCancelled = 13,
    /// Units were handed over.
    HandedOver = 14,
    /// More units were reported handed over than it had to be handed over; these are the ones beyond.
    HandedOverInExcess = 15,
    /// Units came back.
    Returned = 16,
    /// Units that it was owed arrived.
    Filled = 17,
    /// It is wanted that no money is taken any more.
    CloseWanted = 18,
    /// It is wanted that what was taken for it goes back.
    GiveBackWanted = 19,
    /// It is wanted that a warehouse is told what to hand over.
    ReleaseWanted = 20,
    /// What was wanted of its payment was brought about.
    PaymentDone = 21,
    /// A warehouse was told.
    ReleaseDone = 22,
    /// What is wanted of its payment was tried in vain as often as it is tried.
    PaymentTriesUsedUp = 23,
    /// What is wanted of its payment was refused by the other side.
    PaymentRefused = 24,
    /// A warehouse could not be told, as often as it was tried.
    ReleaseTriesUsedUp = 25,
    /// A warehouse refused to be told.
    ReleaseRefused = 26,
    /// What is wanted of its payment is tried again.
    PaymentResumed = 27,
    /// It is tried again to tell a warehouse.
    ReleaseResumed = 28,
    /// Units that it held were not found; it is owed them.
    PutBack = 29,
    /// It must not go to a warehouse, for a reason.
    Held = 30,
    /// That reason is gone.
    HoldLifted = 31,
    /// An attempt to pay it began.
    AttemptBegun = 32,
    /// The customer has to do something for a payment.
    PaymentAction = 33,
    /// The provider has a payment.
    PaymentProcessing = 34,
    /// Money for it is set aside.
    Authorised = 35,
    /// Money for it was taken.
    Captured = 36,
    /// An attempt to pay it failed.
    PaymentFailed = 37,
    /// What was set aside for it is let go.
    Voided = 38,
    /// What was set aside for it was so for too long.
    AuthorisationExpired = 39,
    /// Money of it went back.
    Refunded = 40,
    /// Money of it was to go back, and will not.
    RefundFailed = 41,
    /// Its customer disputes a payment.
    Disputed = 42,
    /// A dispute ended, and nothing was taken back.
    DisputeWon = 43,
    /// The customer's bank took money back.
    ChargedBack = 44,
    /// Somebody asked to give money back.
    RefundRequested = 45,
    /// It is wanted that money is set aside, or taken.
    ChargeWanted = 46,
    /// It is wanted that more is taken of what is set aside.
    CaptureWanted = 47,
    /// It is wanted that somebody looks what became of what was wanted of its payment before.
    LookWanted = 48,
    /// It is to be trusted.
    CheckAccepted = 49,
    /// It is not to be trusted.
    CheckRejected = 50,
    /// Whether it is to be trusted, a person is to decide.
    CheckInReview = 51,
    /// Whether it is to be trusted, is to be asked once more.
    CheckResumed = 52,
    /// Units reached the customer.
    Delivered = 53,
    /// Units are to come back.
    ReturnRequested = 54,
    /// The shop agrees to a return.
    ReturnApproved = 55,
    /// The shop does not agree to a return.
    ReturnDeclined = 56,
    /// The customer has what a return is sent with.
    ReturnLabelSent = 57,
    /// A return is on its way.
    ReturnInTransit = 58,
    /// A return did not arrive.
    ReturnLost = 59,
    /// Whoever asked for a return wants it no more.
    ReturnCancelled = 60,
    /// A return was not sent in time.
    ReturnExpired = 61,
    /// Nothing more is to come of a return.
    ReturnClosed = 62,
    /// Units of a return came in and lie set aside for a look.
    ReturnReceived = 63,
    /// Units that came back are for sale again.
    Restocked = 64,
    /// Units that came back stay set aside.
    LeftSetAside = 65,
    /// Units that came back are damaged.
    FoundDamaged = 66,
    /// Units that came back are thrown away.
    DisposedOf = 67,
    /// Units that came back go to the customer again.
    SentToCustomer = 68,
    /// Units that came back go to the supplier.
    SentToSupplier = 69,
    /// Lines were added.
    LinesAdded = 70,
    /// Lines have other prices.
    Repriced = 71,
    /// It goes elsewhere.
    Rezoned = 72,
}

impl Happening {
    /// Every happening, in the order of their numbers.
    pub const ALL: [Self; 72] = [
        Self::Placed,
        Self::PlacedConfirmed,
        Self::Blocked,
        Self::Extended,
        Self::PaymentStarted,
        Self::Confirmed,
        Self::Charged,
        Self::ConfirmedLate,
        Self::ChargedLate,
        Self::RetakeFailed,
        Self::Expired,
        Self::Cancelled,
        Self::LinesCancelled,
        Self::HandedOver,
        Self::HandedOverInExcess,
        Self::Returned,
        Self::Filled,
        Self::CloseWanted,
        Self::GiveBackWanted,
        Self::ReleaseWanted,
        Self::PaymentDone,
        Self::ReleaseDone,
        Self::PaymentTriesUsedUp,
        Self::PaymentRefused,
        Self::ReleaseTriesUsedUp,
        Self::ReleaseRefused,
        Self::PaymentResumed,
        Self::ReleaseResumed,
        Self::PutBack,
        Self::Held,
        Self::HoldLifted,
        Self::AttemptBegun,
        Self::PaymentAction,
        Self::PaymentProcessing,
        Self::Authorised,
        Self::Captured,
        Self::PaymentFailed,
        Self::Voided,
        Self::AuthorisationExpired,
        Self::Refunded,
        Self::RefundFailed,
        Self::Disputed,
        Self::DisputeWon,
        Self::ChargedBack,
        Self::RefundRequested,
        Self::ChargeWanted,
        Self::CaptureWanted,
        Self::LookWanted,
        Self::CheckAccepted,
        Self::CheckRejected,
        Self::CheckInReview,
        Self::CheckResumed,
        Self::Delivered,
        Self::ReturnRequested,
        Self::ReturnApproved,
        Self::ReturnDeclined,
        Self::ReturnLabelSent,
        Self::ReturnInTransit,
        Self::ReturnLost,
        Self::ReturnCancelled,
        Self::ReturnExpired,
        Self::ReturnClosed,
        Self::ReturnReceived,
        Self::Restocked,
        Self::LeftSetAside,
        Self::FoundDamaged,
        Self::DisposedOf,
        Self::SentToCustomer,
        Self::SentToSupplier,
        Self::LinesAdded,
        Self::Repriced,
        Self::Rezoned,
    ];

    /// The happening with this number; `None` for a number that names nothing.
    #[must_use]
    pub fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.get(usize::from(byte).checked_sub(1)?).copied()
    }

    /// The word for people and for JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Placed => "placed",
            Self::PlacedConfirmed => "placed_confirmed",
            Self::Blocked => "blocked",
            Self::Extended => "extended",
            Self::PaymentStarted => "payment_started",
            Self::Confirmed => "confirmed",
            Self::Charged => "charged",
            Self::ConfirmedLate => "confirmed_late",
            Self::ChargedLate => "charged_late",
            Self::RetakeFailed => "retake_failed",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::LinesCancelled => "lines_cancelled",
            Self::HandedOver => "handed_over",
            Self::HandedOverInExcess => "handed_over_in_excess",
            Self::Returned => "returned",
            Self::Filled => "filled",
            Self::CloseWanted => "close_wanted",
            Self::GiveBackWanted => "give_back_wanted",
            Self::ReleaseWanted => "release_wanted",
            Self::PaymentDone => "payment_done",
            Self::ReleaseDone => "release_done",
            Self::PaymentTriesUsedUp => "payment_tries_used_up",
            Self::PaymentRefused => "payment_refused",
            Self::ReleaseTriesUsedUp => "release_tries_used_up",
            Self::ReleaseRefused => "release_refused",
            Self::PaymentResumed => "payment_resumed",
            Self::ReleaseResumed => "release_resumed",
            Self::PutBack => "put_back",
            Self::Held => "held",
            Self::HoldLifted => "hold_lifted",
            Self::AttemptBegun => "attempt_begun",
            Self::PaymentAction => "payment_action",
            Self::PaymentProcessing => "payment_processing",
            Self::Authorised => "authorised",
            Self::Captured => "captured",
            Self::PaymentFailed => "payment_failed",
            Self::Voided => "voided",
            Self::AuthorisationExpired => "authorisation_expired",
            Self::Refunded => "refunded",
            Self::RefundFailed => "refund_failed",
            Self::Disputed => "disputed",
            Self::DisputeWon => "dispute_won",
            Self::ChargedBack => "charged_back",
            Self::RefundRequested => "refund_requested",
            Self::ChargeWanted => "charge_wanted",
            Self::CaptureWanted => "capture_wanted",
            Self::LookWanted => "look_wanted",
            Self::CheckAccepted => "check_accepted",
            Self::CheckRejected => "check_rejected",
            Self::CheckInReview => "check_in_review",
            Self::CheckResumed => "check_resumed",
            Self::Delivered => "delivered",
            Self::ReturnRequested => "return_requested",
            Self::ReturnApproved => "return_approved",
            Self::ReturnDeclined => "return_declined",
            Self::ReturnLabelSent => "return_label_sent",
            Self::ReturnInTransit => "return_in_transit",
            Self::ReturnLost => "return_lost",
            Self::ReturnCancelled => "return_cancelled",
            Self::ReturnExpired => "return_expired",
            Self::ReturnClosed => "return_closed",
            Self::ReturnReceived => "return_received",
            Self::Restocked => "restocked",
            Self::LeftSetAside => "left_set_aside",
            Self::FoundDamaged => "found_damaged",
            Self::DisposedOf => "disposed_of",
            Self::SentToCustomer => "sent_to_customer",
            Self::SentToSupplier => "sent_to_supplier",
            Self::LinesAdded => "lines_added",
            Self::Repriced => "repriced",
            Self::Rezoned => "rezoned",
        }
    }

    /// What was told of a payment, and the number beside it.
    pub(super) fn of_payment(report: PaymentReport) -> (Self, u64) {
        let what = match report {
            PaymentReport::RequiresAction => Self::PaymentAction,
            PaymentReport::Processing => Self::PaymentProcessing,
            PaymentReport::Authorised { .. } => Self::Authorised,
            PaymentReport::Captured { .. } => Self::Captured,
            PaymentReport::Failed { reason, .. } => return (Self::PaymentFailed, reason as u64),
            PaymentReport::Voided => Self::Voided,
            PaymentReport::Expired => Self::AuthorisationExpired,
            PaymentReport::Refunded { .. } => Self::Refunded,
            PaymentReport::RefundFailed { .. } => Self::RefundFailed,
            PaymentReport::Disputed => Self::Disputed,
            PaymentReport::DisputeWon => Self::DisputeWon,
            PaymentReport::ChargedBack { .. } => Self::ChargedBack,
        };
        (what, report.total().unwrap_or_default())
    }

    pub(super) const fn of_return(report: ReturnReport) -> Self {
        match report {
            ReturnReport::Approved => Self::ReturnApproved,
            ReturnReport::Declined { .. } => Self::ReturnDeclined,
            ReturnReport::LabelSent => Self::ReturnLabelSent,
            ReturnReport::InTransit => Self::ReturnInTransit,
            ReturnReport::Lost => Self::ReturnLost,
            ReturnReport::Cancelled => Self::ReturnCancelled,
            ReturnReport::Expired => Self::ReturnExpired,
            ReturnReport::Closed => Self::ReturnClosed,
        }
    }

    pub(super) const fn of_disposition(disposition: Disposition) -> Self {
        match disposition {
            Disposition::Restock => Self::Restocked,
            Disposition::QualityHold => Self::LeftSetAside,
            Disposition::Damaged => Self::FoundDamaged,
            Disposition::Dispose => Self::DisposedOf,
            Disposition::BackToCustomer => Self::SentToCustomer,
            Disposition::BackToSupplier => Self::SentToSupplier,
        }
    }

    pub(super) const fn of_report(effect: Effect, report: Report) -> Self {
        match (effect, report) {
            (Effect::Payment, Report::Done) => Self::PaymentDone,
            (Effect::Payment, Report::SetAside(AsideReason::TriesUsedUp)) => Self::PaymentTriesUsedUp,
            (Effect::Payment, Report::SetAside(AsideReason::Refused | AsideReason::Review)) => Self::PaymentRefused,
            (Effect::Payment, Report::Resumed) => Self::PaymentResumed,
            (Effect::Release, Report::Done) => Self::ReleaseDone,
            (Effect::Release, Report::SetAside(AsideReason::TriesUsedUp)) => Self::ReleaseTriesUsedUp,
            (Effect::Release, Report::SetAside(AsideReason::Refused | AsideReason::Review)) => Self::ReleaseRefused,
            (Effect::Release, Report::Resumed) => Self::ReleaseResumed,
            (Effect::Check, Report::Done) => Self::CheckAccepted,
            (Effect::Check, Report::SetAside(_)) => Self::CheckInReview,
            (Effect::Check, Report::Resumed) => Self::CheckResumed,
            (Effect::Payment | Effect::Release | Effect::Check, Report::Rejected) => Self::CheckRejected,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_names_what_has_it() {
        for happening in Happening::ALL {
            assert_eq!(Happening::from_byte(happening as u8), Some(happening));
        }
        assert_eq!((Happening::from_byte(0), Happening::from_byte(Happening::ALL.len() as u8 + 1)), (None, None));
    }
}
