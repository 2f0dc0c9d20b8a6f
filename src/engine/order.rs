//! An order: what was asked, where its units are, and the one word people use for that.
//!
//! ```text
//!                    confirm                  hand over            all gone
//! (none) ─► PENDING ─────────► CONFIRMED ─────────────► FULFILLING ────────► COMPLETED
//!              │  ▲ deadline       │ cancel                 │ cancel the rest
//!              │  └────┐           ▼                        ▼
//!              │     EXPIRED   CANCELLED ◄── cancel ──  COMPLETED
//!              └─ cancel ─► CANCELLED    ▲
//!                           EXPIRED ─────┘ cancel       EXPIRED ─ late confirm, taken again ─► CONFIRMED
//! ```
//!
//! # Always true
//! - `taken = reserved + lapsed + committed + shipped + cancelled`, per line and per draw; `returned` is part of shipped.
//! - The state is a function of the counters ([`State::of`]); nothing stores one that disagrees.
//! # Not here
//! - Where orders are kept: `orders`. Which command is legal when: [`State::legal`].
//! # Why so
//! Until parcels are tracked, an order is completed when every unit has been handed over or cancelled; delivery will
//! move that point, and only this table.

use super::refusal::Legal;

/// What became of an order, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum State {
    /// Units are reserved until the deadline; payment has not accepted the order.
    PendingPayment = 1,
    /// Payment accepted it, or it needed none. Nothing has been handed over.
    Confirmed = 2,
    /// Some units have been handed over, some are still committed.
    Fulfilling = 3,
    /// Every unit has been handed over or cancelled, and at least one was handed over.
    Completed = 4,
    /// Every unit was cancelled.
    Cancelled = 5,
    /// The deadline passed before payment did.
    Expired = 6,
    /// Not an order: an identifier whose placement will be refused.
    Blocked = 7,
}

/// Length of an array indexed by [`State`]; index 0 is never used.
pub const STATES: usize = 8;

/// Units of an order, by what became of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Set aside until the deadline.
    pub reserved: u32,
    /// Set aside once; the deadline passed.
    pub lapsed: u32,
    /// Paid for, waiting to be handed over.
    pub committed: u32,
    /// Handed over.
    pub shipped: u32,
    /// Cancelled.
    pub cancelled: u32,
    /// Of the shipped ones: back in stock.
    pub returned: u32,
}

impl Counters {
    /// What was taken, wherever it is now.
    #[must_use]
    pub const fn taken(&self) -> u64 {
        self.reserved as u64 + self.lapsed as u64 + self.committed as u64 + self.shipped as u64 + self.cancelled as u64
    }
}

impl State {
    /// Every state, in the order of their numbers.
    pub const ALL: [Self; 7] = [
        Self::PendingPayment,
        Self::Confirmed,
        Self::Fulfilling,
        Self::Completed,
        Self::Cancelled,
        Self::Expired,
        Self::Blocked,
    ];

    /// The state with this number; `None` for a number that names nothing.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::PendingPayment),
            2 => Some(Self::Confirmed),
            3 => Some(Self::Fulfilling),
            4 => Some(Self::Completed),
            5 => Some(Self::Cancelled),
            6 => Some(Self::Expired),
            7 => Some(Self::Blocked),
            _ => None,
        }
    }

    /// The word for people and for JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PendingPayment => "pending_payment",
            Self::Confirmed => "confirmed",
            Self::Fulfilling => "fulfilling",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Blocked => "blocked",
        }
    }

    /// What the counters of all lines together say.
    #[must_use]
    pub const fn of(reserved: bool, lapsed: bool, committed: bool, shipped: bool) -> Self {
        match (reserved, lapsed, committed, shipped) {
            (true, _, _, _) => Self::PendingPayment,
            (false, _, true, false) => Self::Confirmed,
            (false, _, true, true) => Self::Fulfilling,
            (false, true, false, false) => Self::Expired,
            (false, _, false, true) => Self::Completed,
            (false, false, false, false) => Self::Cancelled,
        }
    }

    /// Whether the order still holds units.
    #[must_use]
    pub const fn is_open(self) -> bool {
        match self {
            Self::PendingPayment | Self::Confirmed | Self::Fulfilling => true,
            Self::Completed | Self::Cancelled | Self::Expired | Self::Blocked => false,
        }
    }

    /// The commands that would do something now; repeats of what happened are always answered.
    #[must_use]
    pub const fn legal(self) -> Legal {
        match self {
            Self::PendingPayment | Self::Expired => Legal::CONFIRM.and(Legal::CANCEL),
            Self::Confirmed => Legal::CANCEL.and(Legal::HAND_OVER),
            Self::Fulfilling => Legal::CANCEL.and(Legal::HAND_OVER).and(Legal::RETURN),
            Self::Completed => Legal::RETURN,
            Self::Cancelled | Self::Blocked => Legal::NONE,
        }
    }
}
