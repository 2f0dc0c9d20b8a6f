//! Refusals: every "no" the engine can give. Business answers, not errors: data, numbered, append-only.
//!
//! A refusal writes nothing and is not remembered: the same command may be tried again and may then succeed.
//!
//! # Not here
//! - Refusals of the doors (malformed records, overload): `wire::Refused` numbers those and carries these.

use super::order::State;
use super::return_::Stage;
use crate::base::{Currency, Sequence, SkuId, Timestamp};

/// Why a command was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// No market of this number is open here.
    UnknownMarket,
    /// The market has no site of this number.
    UnknownSite,
    /// The market has no SKU of this number.
    UnknownSku {
        /// As asked.
        sku: SkuId,
    },
    /// No order of this identifier.
    UnknownOrder,
    /// The order has no such line.
    UnknownLine {
        /// As asked.
        line: u16,
    },
    /// Stock does not cover the order (all or nothing), or there is nothing at all (take what exists).
    SoldOut {
        /// The first SKU that came up short.
        sku: SkuId,
        /// Units of it asked, all lines together.
        asked: u64,
        /// Units of it available, all sites together.
        available: u64,
    },
    /// The identifier names an order (or request, or change) with other content.
    Conflict,
    /// The identifier was blocked before its placement arrived.
    Blocked,
    /// The order's state does not allow it.
    IllegalState {
        /// Its state.
        state: State,
        /// What would be legal now.
        legal: Legal,
    },
    /// The identifier was made too far ahead of log time.
    IdFromFuture {
        /// Log time.
        now: Timestamp,
    },
    /// The identifier is older than what is remembered: whether it was applied, or accepted, cannot be told, so it is
    /// not.
    IdTooOld,
    /// The shard keeps as much of something that this needs as it may: see [`Kept`](super::Kept).
    AtCapacity,
    /// The order remembers as many changes as it may.
    TooManyChanges,
    /// A field is outside its bounds.
    OutOfBounds {
        /// Which.
        field: Field,
        /// The least it may be.
        min: u64,
        /// The most it may be.
        max: u64,
    },
    /// An adjustment, a movement or a count would take more than is there to be taken.
    NotAvailable {
        /// Units available at the site; of a movement, those in the bucket it would take from.
        available: u64,
    },
    /// A count was made of other units than there are now.
    NotAsExpected {
        /// Units on hand at the site.
        on_hand: u64,
    },
    /// Stock is not moved so: not out of, or into, that bucket; to where it lies; or out of the building elsewhere.
    UnknownMovement,
    /// A line has fewer units to cancel, to deliver or to return than asked, or than are told in all.
    NotEnoughUnits {
        /// Which line.
        line: u16,
        /// How many it has.
        units: u64,
    },
    /// The plan would take units from more places than one order may.
    TooManyDraws,
    /// The shop does not sell so few, or so many, units of this SKU in one order.
    OrderLimit {
        /// Of what.
        sku: SkuId,
        /// Units of one order, at least.
        min: u64,
        /// At most; zero for any.
        max: u64,
    },
    /// The customer would have more units of this SKU than one customer may.
    CustomerLimit {
        /// Of what.
        sku: SkuId,
        /// Units one customer may have.
        max: u64,
        /// Units this customer may still have.
        left: u64,
        /// In one day, and not altogether.
        daily: bool,
    },
    /// The SKU is a kit: it has no units of its own, so none come in, are moved, counted, owed or kept back, and it is
    /// no component.
    IsKit {
        /// Which.
        sku: SkuId,
    },
    /// The code is that of a SKU that is no kit, and no SKU becomes one.
    NotAKit {
        /// Which.
        sku: SkuId,
    },
    /// The channel would have sold more units of this SKU than are sold through it. There may be more, for others.
    ChannelCap {
        /// Of what.
        sku: SkuId,
        /// Units sold through the channel.
        max: u64,
        /// Units that may still be.
        left: u64,
    },
    /// A count is of an event so old that what was there after it is not known any more, or of one before the last
    /// count.
    EventForgotten {
        /// The oldest event one may name of this SKU at this site: an entry of the shard's stream.
        oldest: Sequence,
    },
    /// A count is of an event that has not happened.
    EventFromFuture {
        /// The newest event one may name.
        newest: Sequence,
    },
    /// The order is over and its return window too: what is left repeats the answer of its placement and no other.
    Closed {
        /// Its last state.
        state: State,
    },
    /// The details that the order was given cannot be read any more, so they cannot be compared with these.
    Erased,
    /// More is asked to go back than was taken for the order and does not go back already.
    RefundTooMuch {
        /// What may still be asked for, in minor units.
        left: u64,
    },
    /// The order is paid in one currency, and not in this one.
    OtherCurrency {
        /// The order's.
        currency: Currency,
    },
    /// The order has no return of this number.
    UnknownReturn,
    /// The return's stage does not allow it.
    IllegalReturn {
        /// Its stage.
        stage: Stage,
    },
}

macro_rules! fields {
    ($($(#[$doc:meta])* $name:ident = $number:literal,)*) => {
        /// A field that can be outside its bounds.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Field {
            $($(#[$doc])* $name = $number,)*
        }

        impl Field {
            /// Every field.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];
        }
    };
}
fields! {
    /// How many lines.
    Lines = 1,
    /// Units of a line, a receipt or a change.
    Quantity = 2,
    /// Price of a unit.
    Price = 3,
    /// Sum of price x quantity.
    Total = 4,
    /// Bytes of details.
    Details = 5,
    /// Milliseconds of a reservation.
    Reservation = 6,
    /// A code: its bytes.
    Code = 7,
    /// How many markets.
    Markets = 8,
    /// How many sites.
    Sites = 9,
    /// How many SKUs.
    Skus = 10,
    /// Units of one SKU at one site.
    Stock = 11,
    /// Rows asked of a query.
    Rows = 12,
    /// The same line, or component, named twice.
    Line = 13,
    /// Units that are never for sale.
    SafetyStock = 14,
    /// Units that one order asks at least.
    OrderMin = 15,
    /// Units that one order asks at most.
    OrderMax = 16,
    /// Minutes after midnight UTC.
    DayBegins = 17,
    /// How many policies of SKUs.
    Policies = 18,
    /// The attempt of an effect that was wanted.
    Attempt = 19,
    /// Units that may be sold without being there.
    OversellMax = 20,
    /// Units for sale that are little.
    LowStock = 21,
    /// The key of a customer.
    Customer = 22,
    /// How many components.
    Components = 23,
    /// Units of a component in one kit.
    KitUnits = 24,
    /// How many kits a SKU is a component of.
    KitsOfComponent = 25,
    /// How many lines of an order name kits.
    KitLines = 26,
    /// How many attempts to pay an order.
    Attempts = 27,
    /// Minor units of a payment, or of a refund.
    Amount = 28,
    /// How many currencies a market was paid in.
    Currencies = 29,
    /// Milliseconds for which goods may come back.
    ReturnWindow = 30,
    /// Milliseconds for which identifiers are kept.
    IdsKept = 31,
    /// Milliseconds for which activity may keep a reservation alive.
    ActivityMax = 32,
    /// Milliseconds that a payment may take.
    PaymentMax = 33,
    /// The note of a hold: its bytes.
    Note = 34,
    /// How many holds an order has.
    Holds = 35,
    /// A channel that has a cap.
    Channel = 36,
    /// How many caps of channels.
    ChannelCaps = 37,
    /// Milliseconds until a payment has to be there.
    Unpaid = 38,
    /// A payment method that begins before the goods are there.
    Method = 39,
    /// How many returns an order has.
    Returns = 40,
    /// How many lines the returns of an order have, each once more for each site at which it came in.
    ReturnRows = 41,
    /// Log time at which an authorisation ends, in milliseconds.
    AuthorisationEnd = 42,
    /// Milliseconds of a window in which a market counts, or how many keys it counts.
    Velocity = 43,
}

/// A set of commands that are legal in a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Legal(pub u8);

impl Legal {
    /// Nothing but repeats.
    pub const NONE: Self = Self(0);
    /// `Confirm`.
    pub const CONFIRM: Self = Self(1);
    /// `Cancel`, `CancelLines`.
    pub const CANCEL: Self = Self(2);
    /// `HandOver` of at least one unit.
    pub const HAND_OVER: Self = Self(4);
    /// `ReturnToStock`.
    pub const RETURN: Self = Self(8);
    /// `HoldOrder`.
    pub const HOLD: Self = Self(16);
    /// `StartPayment`.
    pub const PAY: Self = Self(32);

    /// `EditOrder`.
    pub const EDIT: Self = Self(64);

    /// Both sets together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether every command of `other` is in this set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}
