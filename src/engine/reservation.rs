//! How long reservations of a market last: what an extension may add, and for what reason.
//!
//! ```text
//! accepted        hold the placement asked        activity_ms_max              31 days
//!    ├──────────────────────┼───────────────────────────┼──────────────────────────┤
//!    activity               ├──────────────────────────►│   as often as it comes
//!    payment start          ├───── now + payment_ms_max ─────────────────►│   once
//! ```
//!
//! # Always true
//! - A reservation is never made shorter, and never ends later than
//!   [`HOLD_MS_MAX`](crate::base::limits::HOLD_MS_MAX) after the acceptance.
//! - A payment starts once in the life of a reservation. Saying so again changes nothing.
//! - What is dead is not extended: whoever comes late takes the units again, or gives the money back.
//! # Not here
//! - Whether an order may be extended: `decide::reservation`. When it lapses: `turn`.
//! # Why so
//! Who fills in an address is given time a little at a time, and a cap says when that ends, so that nobody parks
//! stock. Who is at the provider cannot be asked to hurry: that time is the provider's own maximum, given whole, and
//! only once.

use crate::base::Timestamp;
use crate::base::limits::HOLD_MS_MAX;

/// How long reservations of a market may be made to last. Holds for extensions from now on, also of orders that exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reservations {
    /// Milliseconds from the acceptance for which activity may keep a reservation alive. What a placement asked for
    /// itself may be longer, and stays as it is.
    pub activity_ms_max: u32,
    /// Milliseconds that a payment may take, from its start.
    pub payment_ms_max: u32,
}

impl Default for Reservations {
    fn default() -> Self {
        Self { activity_ms_max: HOLD_MS_MAX, payment_ms_max: HOLD_MS_MAX }
    }
}

impl Reservations {
    /// The latest end that an extension for this reason may ask for.
    pub(super) fn latest(&self, reason: ExtendReason, accepted_at: Timestamp, now: Timestamp) -> Timestamp {
        let latest = match reason {
            ExtendReason::Activity => accepted_at.after_ms(self.activity_ms_max.into()),
            ExtendReason::PaymentStart => now.after_ms(self.payment_ms_max.into()),
        };
        latest.min(accepted_at.after_ms(HOLD_MS_MAX.into()))
    }
}

/// Why a reservation is to last longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ExtendReason {
    /// The customer is still there.
    Activity = 1,
    /// The customer begins to pay.
    PaymentStart = 2,
}

impl ExtendReason {
    /// Every reason.
    pub const ALL: [Self; 2] = [Self::Activity, Self::PaymentStart];

    /// The reason with this number; `None` for a number that names nothing.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Activity),
            2 => Some(Self::PaymentStart),
            _ => None,
        }
    }

    /// For machines that read text.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Activity => "activity",
            Self::PaymentStart => "payment_start",
        }
    }
}
