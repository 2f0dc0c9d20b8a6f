//! How long reservations of a market last: until payment has to be there, and what an extension may add for what
//! reason.
//!
//! ```text
//! accepted    hold asked, or unpaid_ms of its method   activity_ms_max          31 days
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

use super::choices::PaymentMethod;
use crate::base::Timestamp;
use crate::base::limits::{HOLD_MS_MAX, UNPAID_MS_DEFAULT};

/// Payment methods that an order waits for; cash on delivery is confirmed when placed. By the number of the method.
pub const PREPAID_METHODS: usize = 5;

/// How long reservations of a market last. What is said of extensions holds from now on, also for orders that exist;
/// what is said of methods for orders placed from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reservations {
    /// Milliseconds from the acceptance for which activity may keep a reservation alive. What a placement asked for
    /// itself may be longer, and stays as it is.
    pub activity_ms_max: u32,
    /// Milliseconds that a payment may take, from its start.
    pub payment_ms_max: u32,
    /// Milliseconds until the payment of an order has to be there, by its method, when its placement does not say; 1 to
    /// [`HOLD_MS_MAX`](crate::base::limits::HOLD_MS_MAX) each.
    pub unpaid_ms: [u32; PREPAID_METHODS],
}

impl Default for Reservations {
    fn default() -> Self {
        Self { activity_ms_max: HOLD_MS_MAX, payment_ms_max: HOLD_MS_MAX, unpaid_ms: UNPAID_MS_DEFAULT }
    }
}

impl Reservations {
    /// How long units are reserved, as asked or, where nothing is (0), as the method has it.
    pub(super) fn hold_ms(&self, asked: u32, payment: PaymentMethod) -> u32 {
        if asked == 0 { self.unpaid_ms.get(payment as usize).copied().unwrap_or_default() } else { asked }
    }

    /// Every payment method that an order waits for, with how long it does.
    pub fn unpaid(&self) -> impl Iterator<Item = (PaymentMethod, u32)> {
        (0..).map_while(PaymentMethod::from_byte).zip(self.unpaid_ms)
    }

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
