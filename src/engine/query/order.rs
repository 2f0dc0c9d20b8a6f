//! One order as it is shown: its lines, where its units are, what it is held for, and what was paid of it.

use super::super::choices::{FailureReason, HoldReason, PaymentMethod, RetryClass, Take};
use super::super::command::IdentityHashes;
use super::super::order::{State, to_hand_over};
use super::super::payment::{Dispute, Label, Stage, Step};
use super::super::return_::{self, DISPOSITIONS, DeclineReason, Kind, Reason};
use crate::base::{ChangeId, Currency, CustomerKey, KeyName, OrderId, OrderNumber, Price, SiteId, SkuId, Timestamp};

/// Everything known of one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderView {
    /// Identifier.
    pub order: OrderId,
    /// For people; zero for an identifier that was blocked.
    pub number: OrderNumber,
    /// Its state.
    pub state: State,
    /// Its return window is over: lines, draws, hashes and details are gone.
    pub closed: bool,
    /// Zero for guests.
    pub customer: CustomerKey,
    /// Log time of acceptance.
    pub accepted_at: Timestamp,
    /// When the reservation ends or ended; zero when the order needed no payment.
    pub deadline: Timestamp,
    /// As asked.
    pub take: Take,
    /// Of every price.
    pub currency: Currency,
    /// As asked.
    pub payment: PaymentMethod,
    /// As asked.
    pub channel: u16,
    /// As asked.
    pub zone: u16,
    /// As asked.
    pub hashes: Option<IdentityHashes>,
    /// In order.
    pub lines: Vec<LineView>,
    /// Where the units are pinned.
    pub draws: Vec<DrawView>,
    /// As given; of a view that the engine gives, as sealed.
    pub details: Vec<u8>,
    /// What they are sealed under; only of a view that the engine gives.
    pub key: Option<KeyName>,
    /// Details were given, and cannot be read any more.
    pub erased: bool,
    /// What it is held for, in the order in which it came to be; nothing of it is to go to a warehouse while there is
    /// any.
    pub holds: Vec<HoldView>,
    /// What is to be paid of it yet: due, and neither there nor set aside. While there is any, nothing of it is to go
    /// to a warehouse.
    pub missing: Price,
    /// Whether it is to be trusted.
    pub check: CheckState,
    /// Attempts to pay it, in the order in which they began, but those that it counts on last.
    pub payments: Vec<PaymentView>,
    /// What of it is to come back, came back, and what became of it; oldest first.
    pub returns: Vec<ReturnView>,
}

impl OrderView {
    /// What a warehouse is to hand over in all, with what has left it: line and units, in line order.
    pub fn to_hand_over(&self) -> impl Iterator<Item = (u16, u32)> {
        let is_stopped = !self.holds.is_empty() || self.check.is_open() || self.missing > 0;
        let units = move |line: &LineView| to_hand_over(line.committed, line.shipped, is_stopped);
        (0..).zip(self.lines.iter().map(units)).filter(|(_, units)| *units > 0)
    }

    /// What was paid of it, in one word; of one whose return window is over, nobody knows any more.
    #[must_use]
    pub fn payment_label(&self) -> Option<Label> {
        (!self.closed).then(|| Label::of(&self.payments))
    }
}

/// How far the check of an order has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum CheckState {
    /// Nobody was to check it.
    #[default]
    NotNeeded = 0,
    /// Nobody said anything yet.
    Pending = 1,
    /// A person is to decide.
    InReview = 2,
    /// It was trusted, or cancelled because it was not; or it ended before anybody said anything.
    Over = 3,
}

impl CheckState {
    /// The state with this number; `None` for a number that names nothing.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::NotNeeded),
            1 => Some(Self::Pending),
            2 => Some(Self::InReview),
            3 => Some(Self::Over),
            _ => None,
        }
    }

    /// The word for people and for JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotNeeded => "not_needed",
            Self::Pending => "pending",
            Self::InReview => "in_review",
            Self::Over => "over",
        }
    }

    /// Whether the order is kept from a warehouse for it.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Pending | Self::InReview)
    }
}

/// An attempt to pay an order. Amounts are totals in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaymentView {
    /// Chosen by whoever began it; of the adapters [`ChangeId::HANDED_OFF`].
    pub attempt: ChangeId,
    /// How it is paid.
    pub method: PaymentMethod,
    /// How far it has come.
    pub stage: Stage,
    /// Why it failed, and what may be tried next.
    pub failure: Option<(FailureReason, RetryClass)>,
    /// Whether the customer disputes it.
    pub dispute: Dispute,
    /// Set aside, what was taken of it included.
    pub authorised: Price,
    /// Taken.
    pub captured: Price,
    /// Given back.
    pub refunded: Price,
    /// Asked to be given back; what goes back because it is too much, nobody asked for.
    pub refund_asked: Price,
    /// Of that, what will not go back.
    pub refund_failed: Price,
    /// Taken back by the customer's bank.
    pub charged_back: Price,
    /// Log time at which what is set aside is so no longer, the latest that was told; zero where nobody said.
    pub until: Timestamp,
    /// What is to be done with it next.
    pub step: Step,
}

/// A return of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnView {
    /// Chosen by whoever began it.
    pub id: ChangeId,
    /// How goods came to come back.
    pub kind: Kind,
    /// Why.
    pub reason: Reason,
    /// How far it has come.
    pub stage: return_::Stage,
    /// Why it was declined.
    pub declined: Option<DeclineReason>,
    /// When it ends by itself; zero of one that is not open.
    pub until: Timestamp,
    /// What was asked, by line.
    pub lines: Vec<ReturnLineView>,
    /// What came in, by line and site.
    pub pieces: Vec<ReturnPieceView>,
}

/// What a return asked of one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReturnLineView {
    /// Position of the line.
    pub line: u16,
    /// Units.
    pub asked: u32,
}

/// What came in of one line at one site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReturnPieceView {
    /// Position of the line.
    pub line: u16,
    /// Where.
    pub site: SiteId,
    /// Units.
    pub received: u32,
    /// What became of them, by number of the disposition less one; the others lie there.
    pub became: [u32; DISPOSITIONS],
}

/// Why an order is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldView {
    /// Who says so.
    pub owner: String,
    /// Why.
    pub reason: HoldReason,
    /// For people.
    pub note: String,
    /// Log time since when.
    pub since: Timestamp,
}

/// One line of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineView {
    /// What.
    pub sku: SkuId,
    /// Units asked.
    pub asked: u32,
    /// Of one unit.
    pub price: Price,
    /// Units first taken: `ordered` of the domain. Always the sum of the six counters below.
    pub taken: u32,
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
    /// Of the shipped ones: back in a building.
    pub returned: u32,
    /// Of the shipped ones: told to have reached the customer, whatever became of them since.
    pub delivered: u32,
}

/// Units of one line at one site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DrawView {
    /// Position of the line.
    pub line: u16,
    /// Where.
    pub site: SiteId,
    /// Reserved there.
    pub reserved: u32,
    /// Committed there.
    pub committed: u32,
    /// Handed over from there.
    pub shipped: u32,
}
