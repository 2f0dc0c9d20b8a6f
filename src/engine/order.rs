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
//! CONFIRMED ─ hold ─► IN_REVIEW ─ last hold lifted ─► CONFIRMED     and else as from CONFIRMED
//! PENDING ─ its payments failed ─► PAYMENT_FAILED ─ another begins ─► PENDING     and else as from PENDING
//! ```
//!
//! # Always true
//! - `taken = owed + reserved + lapsed + committed + shipped + cancelled` per line; `returned` is part of shipped.
//! - What is owed lies at no site: it is a draw on [`SiteId::NOWHERE`](crate::base::SiteId::NOWHERE), whose units count
//!   as reserved until the order is paid for and as committed from then on, so that the state says the same of them.
//! - The state is a function of the counters ([`State::of`]), of whether the order is held ([`State::with_holds`]) and
//!   whether its payments were in vain ([`State::with_failed`]); nothing stores one that disagrees.
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
    /// Confirmed and held: nothing of it goes to a warehouse.
    InReview = 8,
    /// Units are reserved until the deadline; every payment that was tried came to nothing.
    PaymentFailed = 9,
}

/// Length of an array indexed by [`State`]; index 0 is never used.
pub const STATES: usize = 10;

/// Units that a warehouse hands over in all, with those that have left it; of an order that is held no others.
pub(super) const fn to_hand_over(committed: u32, shipped: u32, is_stopped: bool) -> u32 {
    if is_stopped { shipped } else { committed + shipped }
}

/// Units of one line of an order, by what became of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LineUnits {
    /// Sold, and not there yet.
    pub owed: u32,
    /// Set aside until the deadline.
    pub reserved: u32,
    /// Set aside, or owed, once; the deadline passed.
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

impl LineUnits {
    /// What was taken, wherever it is now.
    #[must_use]
    pub const fn taken(&self) -> u64 {
        self.owed as u64
            + self.reserved as u64
            + self.lapsed as u64
            + self.committed as u64
            + self.shipped as u64
            + self.cancelled as u64
    }

    /// What is held, owed or handed over: whatever was not cancelled and has not lapsed.
    pub(super) fn sold(&self) -> u64 {
        [self.owed, self.reserved, self.committed, self.shipped].into_iter().map(u64::from).sum()
    }

    /// Adds the units of one draw of the line; `is_owed` says that they lie nowhere yet.
    pub(super) const fn add(&mut self, units: &Counters, is_owed: bool) {
        if is_owed {
            self.owed += units.held();
        } else {
            self.reserved += units.reserved;
            self.committed += units.committed;
        }
        self.lapsed += units.lapsed;
        self.shipped += units.shipped;
        self.cancelled += units.cancelled;
        self.returned += units.returned;
    }
}

/// Units of one draw of an order, by what became of them.
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

    /// Units that a cancellation can still reach.
    #[must_use]
    pub const fn cancellable(&self) -> u32 {
        self.reserved + self.lapsed + self.committed
    }

    /// Whether it tells of no unit at all.
    pub(super) const fn is_nothing(&self) -> bool {
        self.taken() == 0
    }

    /// Units that the order has a claim on now.
    pub(super) const fn held(&self) -> u32 {
        self.reserved + self.committed
    }

    /// Gives so many of the units held here to another draw of the line, as what they are.
    pub(super) const fn give(&mut self, quantity: u32, to: &mut Self) {
        if self.reserved > 0 {
            self.reserved -= quantity;
            to.reserved += quantity;
        } else {
            self.committed -= quantity;
            to.committed += quantity;
        }
    }

    /// Reserved to committed: payment accepted the order.
    pub(super) const fn confirm(&mut self) {
        self.committed += self.reserved;
        self.reserved = 0;
    }

    /// Reserved to lapsed: the deadline passed.
    pub(super) const fn lapse(&mut self) {
        self.lapsed += self.reserved;
        self.reserved = 0;
    }

    /// Units to cancelled. Of reserved, committed and lapsed only one is ever not zero.
    pub(super) fn cancel(&mut self, quantity: u32) {
        let from = [&mut self.reserved, &mut self.committed, &mut self.lapsed];
        let held = from.into_iter().find(|units| **units >= quantity);
        *held.expect("law: cancelled units are held in one state") -= quantity;
        self.cancelled += quantity;
    }

    /// Committed to shipped.
    pub(super) const fn hand_over(&mut self, quantity: u32) {
        self.committed -= quantity;
        self.shipped += quantity;
    }
}

/// Units of a whole order, by what became of them. Sums of [`Counters`]; of an order's reserved, lapsed and committed
/// units only one is ever not zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Totals {
    pub(super) reserved: u64,
    pub(super) lapsed: u64,
    pub(super) committed: u64,
    pub(super) shipped: u64,
    pub(super) cancelled: u64,
}

impl Totals {
    /// Sums the draws of an order.
    pub(super) fn of(draws: impl Iterator<Item = Counters>) -> Self {
        draws.fold(Self::default(), |sum, units| Self {
            reserved: sum.reserved + u64::from(units.reserved),
            lapsed: sum.lapsed + u64::from(units.lapsed),
            committed: sum.committed + u64::from(units.committed),
            shipped: sum.shipped + u64::from(units.shipped),
            cancelled: sum.cancelled + u64::from(units.cancelled),
        })
    }

    /// Units that a cancellation can still reach.
    pub(super) const fn cancellable(&self) -> u64 {
        self.reserved + self.lapsed + self.committed
    }

    /// The state once `moved` units are cancelled.
    pub(super) const fn state_after_cancelling(&self, moved: u64) -> State {
        State::of(self.reserved > moved, self.lapsed > moved, self.committed > moved, self.shipped > 0)
    }

    /// The state once `moved` committed units are handed over.
    pub(super) const fn state_after_handing_over(&self, moved: u64) -> State {
        State::of(self.reserved > 0, self.lapsed > 0, self.committed > moved, self.shipped + moved > 0)
    }

    /// The state of an order with these units.
    pub(super) const fn state(&self) -> State {
        State::of(self.reserved > 0, self.lapsed > 0, self.committed > 0, self.shipped > 0)
    }
}

impl State {
    /// Every state, in the order of their numbers.
    pub const ALL: [Self; 9] = [
        Self::PendingPayment,
        Self::Confirmed,
        Self::Fulfilling,
        Self::Completed,
        Self::Cancelled,
        Self::Expired,
        Self::Blocked,
        Self::InReview,
        Self::PaymentFailed,
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
            8 => Some(Self::InReview),
            9 => Some(Self::PaymentFailed),
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
            Self::InReview => "in_review",
            Self::PaymentFailed => "payment_failed",
        }
    }

    /// What the counters of all lines together say of an order that is not held and whose payments did not fail.
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

    /// The same of an order that is held, or not.
    #[must_use]
    pub const fn with_holds(self, is_held: bool) -> Self {
        match (self, is_held) {
            (Self::Confirmed, true) => Self::InReview,
            (state, _) => state,
        }
    }

    /// The same of an order of which every payment that was tried came to nothing, or not.
    #[must_use]
    pub const fn with_failed(self, has_failed: bool) -> Self {
        match (self, has_failed) {
            (Self::PendingPayment, true) => Self::PaymentFailed,
            (state, _) => state,
        }
    }

    /// What the counters alone say.
    #[must_use]
    pub const fn plain(self) -> Self {
        if matches!(self, Self::InReview) {
            Self::Confirmed
        } else if self.awaits_payment() {
            Self::PendingPayment
        } else {
            self
        }
    }

    /// Whether units are reserved until a payment is there, or the deadline.
    #[must_use]
    pub const fn awaits_payment(self) -> bool {
        matches!(self, Self::PendingPayment | Self::PaymentFailed)
    }

    /// Whether an order in this state may be held: it has something to hand over, or may come to have.
    #[must_use]
    pub const fn may_be_held(self) -> bool {
        match self {
            Self::PendingPayment
            | Self::PaymentFailed
            | Self::Confirmed
            | Self::InReview
            | Self::Fulfilling
            | Self::Expired => true,
            Self::Completed | Self::Cancelled | Self::Blocked => false,
        }
    }

    /// Whether the order still holds units.
    #[must_use]
    pub const fn is_open(self) -> bool {
        match self {
            Self::PendingPayment | Self::PaymentFailed | Self::Confirmed | Self::InReview | Self::Fulfilling => true,
            Self::Completed | Self::Cancelled | Self::Expired | Self::Blocked => false,
        }
    }

    /// The commands that would do something now; repeats of what happened are always answered.
    #[must_use]
    pub const fn legal(self) -> Legal {
        match self {
            Self::PendingPayment | Self::PaymentFailed => {
                Legal::CONFIRM.and(Legal::CANCEL).and(Legal::HOLD).and(Legal::PAY).and(Legal::EDIT)
            }
            Self::Expired => Legal::CONFIRM.and(Legal::CANCEL).and(Legal::HOLD),
            Self::Confirmed | Self::InReview => Legal::CANCEL.and(Legal::HAND_OVER).and(Legal::HOLD).and(Legal::EDIT),
            Self::Fulfilling => {
                Legal::CANCEL.and(Legal::HAND_OVER).and(Legal::RETURN).and(Legal::HOLD).and(Legal::EDIT)
            }
            Self::Completed => Legal::RETURN,
            Self::Cancelled | Self::Blocked => Legal::NONE,
        }
    }
}
