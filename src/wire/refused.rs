//! Every "no" a client can get, in one number space: the engine's refusals and those of the doors before it.
//!
//! Numbers are never reused and never change their meaning; new ones are appended.
//!
//! ```text
//!  1..=63   the engine decided: data about the order, the stock, the field   (`engine::Refusal`)
//! 64..      a door refused before anything was decided: bytes, time, load     (this file)
//! ```
//!
//! # Always true
//! - A refused request changed nothing and may be sent again.

use core::fmt;

use super::layout::RECORD_VERSION;
use super::request_records::RequestKind;
use crate::engine::Refusal;
use crate::engine::refusal::{Field, Legal};

/// Why a request was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// The engine decided so.
    Engine(Refusal),
    /// Some part of the record is not as the protocol says.
    Malformed {
        /// Which: the number of a [`Part`].
        field: u8,
    },
    /// No request has this kind.
    UnknownKind {
        /// As sent.
        kind: u8,
    },
    /// This kind does not exist in this version.
    UnknownVersion {
        /// As sent.
        kind: u8,
        /// As sent.
        version: u8,
    },
    /// The server has more to do than it may queue.
    Overloaded {
        /// When to come back, in milliseconds from now.
        retry_after_ms: u32,
    },
    /// The request's deadline passed before it was decided.
    DeadlinePassed,
    /// The disk is nearly full: placements wait, what completes or undoes orders goes on.
    DiskLow,
    /// The server is stopping.
    ShuttingDown,
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self::Engine(refusal)
    }
}

macro_rules! parts {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $text:literal;)*) => {
        /// A part of a record that can be malformed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Part {
            $($(#[$doc])* $name = $number,)*
        }

        impl Part {
            /// Every part.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The part with this number; `None` for a number that names nothing.
            #[must_use]
            pub const fn from_byte(byte: u8) -> Option<Self> {
                match byte {
                    $($number => Some(Self::$name),)*
                    _ => None,
                }
            }

            /// What the part must be.
            #[must_use]
            pub const fn rule(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}
parts! {
    /// The record's length.
    Length = 1, "the record's length must be that of its fields, arrays and blobs, rounded up to 8";
    /// The zeroes at its end.
    Padding = 2, "bytes behind the last field must be zero";
    /// Flags.
    Flags = 3, "flag bits that mean nothing must be zero";
    /// A market.
    Market = 4, "a market's number must be below 2^20";
    /// A code.
    Code = 5, "a code must be UTF-8";
    /// A currency.
    Currency = 6, "a currency must be three upper-case ASCII letters";
    /// All or nothing, or what exists.
    Take = 7, "take must be 0 (all or nothing) or 1 (what exists)";
    /// A payment method.
    Payment = 8, "payment must be 0 to 5";
    /// Why stock was corrected.
    Reason = 9, "reason must be 0 to 4";
    /// Whether a cancelled identifier is blocked.
    Block = 10, "block must be 0 or 1";
    /// An order's state.
    State = 11, "state must be that of an order (1 to 9), or 0 where there is none";
    /// A refusal's number.
    Number = 12, "the number of a refusal must be a known one";
    /// A value of a refusal, or a log time.
    Value = 13, "a value must be in its range (a log time is below 2^48 ms), and zero where nothing uses it";
    /// A kind of record (told of replies only).
    Kind = 14, "the kind must be one that this side knows";
    /// A version of a record (told of replies only).
    Version = 15, "the version must be one that this side knows";
    /// An effect, or what is wanted of it.
    Effect = 16, "effect must be 1 (payment), 2 (release) or 3 (check)";
    /// What became of an effect.
    Report = 17, "report must be 1 (done), 2 (set aside, for 1 or 2), 3 (resumed); of a check also 2 for 3, or 4";
    /// A bucket.
    Bucket = 18, "bucket must be 0 to 9";
    /// A level of stock.
    Level = 19, "level must be 0 (enough), 1 (low) or 2 (out)";
    /// Why an order is held.
    HoldReason = 22, "the reason of a hold must be 1 to 8";
    /// What is told of a payment.
    PaymentReport = 23, "a report of a payment must be 1 to 12, with the total, or reason and class, that it has";
    /// Whose details are erased.
    Guest = 24, "guest must be 0, or 1 and the market 0";
    /// Why a reservation is to last longer.
    ExtendReason = 25, "the reason of an extension must be 1 (activity) or 2 (payment start)";
    /// Whether a channel has a cap.
    Capped = 26, "capped must be 1, or 0 and the units 0";
    /// What happened to an order.
    Happening = 27, "what happened must be 1 to 69";
    /// An attempt to pay an order.
    PaymentView = 28, "the stage, the step and the dispute of a payment must be known ones";
    /// A word of a return.
    Return = 29, "the words of a return must be known ones, and a report that is no decline has no reason";
    /// A kind of task, or where a page of them goes on, or what an order waits for.
    Task = 30, "the kind of a task must be 1 to 8, or 0 for all; to begin, the place to go on from is 0 throughout";
    /// How far the check of an order has come.
    CheckState = 31, "the check of an order must be 0 to 3";
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Engine(refusal) => describe(refusal, f),
            Self::Malformed { field } => match Part::from_byte(*field) {
                Some(part) => write!(f, "malformed record: {}", part.rule()),
                None => write!(f, "malformed record: part {field}"),
            },
            Self::UnknownKind { kind } => write!(f, "no request has kind {kind}; see the list of records"),
            Self::UnknownVersion { kind, version } => {
                let known = RequestKind::from_byte(*kind);
                let reads = known.map_or(RECORD_VERSION, RequestKind::version);
                write!(f, "kind {kind} has no version {version}; this server reads version {reads}")
            }
            Self::Overloaded { retry_after_ms } => {
                write!(f, "the server is overloaded; try again in {retry_after_ms} ms")
            }
            Self::DeadlinePassed => f.write_str("the deadline passed before the request was decided; nothing happened"),
            Self::DiskLow => f.write_str(
                "the disk of the server is nearly full; no new orders until there is room, everything else goes on",
            ),
            Self::ShuttingDown => f.write_str("the server is stopping; send the request again after a reconnect"),
        }
    }
}

fn describe(refusal: &Refusal, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match refusal {
        Refusal::UnknownMarket => f.write_str("no such market; create it first"),
        Refusal::UnknownSite => f.write_str("the market has no such site; create it first"),
        Refusal::UnknownSku { sku } => write!(f, "the market has no SKU {sku}; create it first"),
        Refusal::UnknownOrder => f.write_str("no order has this identifier"),
        Refusal::UnknownLine { line } => write!(f, "the order has no line {line}; lines count from 0"),
        Refusal::SoldOut { sku, asked, available } => {
            write!(f, "sold out: SKU {sku} has {available} available, {asked} asked")
        }
        Refusal::Conflict => f.write_str("this identifier was used before with other content; use a new one"),
        Refusal::Blocked => f.write_str("this order identifier was cancelled and blocked before it arrived"),
        Refusal::IllegalState { state, legal } => {
            write!(f, "the order is {}; legal now: ", state.name())?;
            describe_legal(*legal, f)
        }
        Refusal::IdFromFuture { now } => write!(
            f,
            "the identifier was made in the future; log time is {} ms, at most {} ms ahead of it is allowed",
            now.ms(),
            crate::base::limits::ID_AHEAD_MS_MAX
        ),
        Refusal::IdTooOld => f.write_str("the identifier is older than what is remembered; nothing was changed"),
        Refusal::AtCapacity => {
            f.write_str("the server keeps as much of something that this needs as it may; its metrics tell of what")
        }
        Refusal::TooManyChanges => {
            write!(f, "the order was changed as often as it may be ({} times)", crate::base::limits::CHANGES_MAX)
        }
        Refusal::OutOfBounds { field, min, max } => {
            write!(f, "{} must be {min} to {max}", field_name(*field))
        }
        Refusal::NotAvailable { available } => write!(f, "only {available} units are available to take out"),
        Refusal::NotAsExpected { on_hand } => {
            write!(f, "{on_hand} units are on hand, not what the count expected: something happened since")
        }
        Refusal::EventForgotten { oldest } => write!(
            f,
            "what was on hand after that event is not known any more, or was counted since; the oldest event that a \
             count of this SKU at this site may name is {oldest}"
        ),
        Refusal::EventFromFuture { newest } => {
            write!(f, "no such event has happened; the newest one that a count may name is {newest}")
        }
        Refusal::UnknownMovement => f.write_str(
            "stock is not moved so: from available, quality_hold, damaged or quarantine to another of them, or at the \
             same site to write_off or supplier",
        ),
        Refusal::NotEnoughUnits { line, units } => write!(f, "line {line} has only {units} units for this"),
        Refusal::TooManyDraws => {
            write!(f, "the order would take units from more than {} places; split it", crate::base::limits::DRAWS_MAX)
        }
        Refusal::OrderLimit { sku, min, max: 0 } => {
            write!(f, "SKU {sku} is sold from {min} units an order on")
        }
        Refusal::OrderLimit { sku, min, max } => {
            write!(f, "SKU {sku} is sold in {min} to {max} units an order, all its lines together")
        }
        Refusal::ChannelCap { sku, max, left } => {
            write!(
                f,
                "{max} units of SKU {sku} are sold through this channel, and {left} are left of them; others may \
                       have more"
            )
        }
        Refusal::CustomerLimit { sku, max, left, daily } => {
            let span = if *daily { " a day" } else { "" };
            write!(f, "one customer may have {max} units of SKU {sku}{span}; this one may have {left} more")
        }
        Refusal::IsKit { sku } => write!(
            f,
            "SKU {sku} is a kit: it has no units of its own to come in, move, be counted, owed or kept back, and is no \
             component of another kit; name its components"
        ),
        Refusal::NotAKit { sku } => {
            write!(f, "the code is that of SKU {sku}, which is no kit and becomes none; give the kit a code of its own")
        }
        Refusal::Closed { state } => {
            write!(f, "the order was {} and its return window is over; nothing can change it any more", state.name())
        }
        Refusal::RefundTooMuch { left } => write!(
            f,
            "only {left} minor units of what was taken for the order can still go back; the rest does already, or was \
             never told of"
        ),
        Refusal::UnknownReturn => f.write_str("the order has no return of this number; request it first"),
        Refusal::IllegalReturn { stage } => {
            write!(f, "the return is {}, which does not allow this; see docs/RETURNS.md", stage.name())
        }
        Refusal::OtherCurrency { currency } => write!(f, "the order is paid in {currency} and in nothing else"),
        Refusal::Erased => f.write_str(
            "the order was accepted before, and the details it was given cannot be read any more: whether these are \
             the same cannot be told",
        ),
    }
}

fn describe_legal(legal: Legal, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let words = [
        (Legal::CONFIRM, "confirm"),
        (Legal::CANCEL, "cancel"),
        (Legal::HAND_OVER, "hand over"),
        (Legal::RETURN, "return to stock"),
        (Legal::HOLD, "hold"),
        (Legal::PAY, "start a payment"),
    ];
    let mut first = true;
    for (command, word) in words {
        if legal.contains(command) {
            write!(f, "{}{word}", if first { "" } else { ", " })?;
            first = false;
        }
    }
    if first { f.write_str("nothing") } else { Ok(()) }
}

/// The words for a field that is out of its bounds.
const fn field_name(field: Field) -> &'static str {
    match field {
        Field::Lines => "the number of lines",
        Field::Quantity => "a quantity",
        Field::Price => "a price in minor units",
        Field::Total => "the total in minor units",
        Field::Details => "the bytes of details",
        Field::Reservation => "the reservation's milliseconds",
        Field::Code => "the bytes of a code",
        Field::Markets => "the number of markets",
        Field::Sites => "the number of sites",
        Field::Skus => "the number of SKUs",
        Field::Stock => "the units of one SKU at one site",
        Field::Rows => "the rows asked",
        Field::Line => "how often a line or a component is named",
        Field::SafetyStock => "the safety stock",
        Field::OrderMin => "the least units of an order",
        Field::OrderMax => "the most units of an order",
        Field::DayBegins => "the minutes after midnight UTC at which a day begins",
        Field::Policies => "the number of policies",
        Field::Attempt => "the attempt of an effect",
        Field::OversellMax => "the oversell allowance",
        Field::LowStock => "the units that are called low",
        Field::Customer => "the key of a customer",
        Field::Components => "the number of components",
        Field::KitUnits => "the units of a component in one kit",
        Field::KitsOfComponent => "the number of kits that a SKU is a component of",
        Field::KitLines => "the number of lines that name kits",
        Field::ReturnWindow => "the return window's milliseconds",
        Field::IdsKept => "the milliseconds for which identifiers are kept",
        Field::ActivityMax => "the milliseconds for which activity keeps a reservation alive",
        Field::PaymentMax => "the milliseconds that a payment may take",
        Field::Note => "the bytes of a hold's note",
        Field::Holds => "the number of holds of an order",
        Field::Channel => "a channel with a cap",
        Field::ChannelCaps => "the number of caps of channels",
        Field::Unpaid => "the milliseconds until a payment has to be there",
        Field::Attempts => "the number of attempts to pay an order",
        Field::Amount => "an amount in minor units",
        Field::Currencies => "the number of currencies a market is paid in",
        Field::Returns => "the number of returns of an order",
        Field::Velocity => "the window of velocity (milliseconds), or its keys",
        Field::ReturnRows => "the rows of the returns of an order (a line each, and once more for each site)",
        Field::AuthorisationEnd => "the log time in milliseconds at which an authorisation ends",
        Field::Method => "the method of a payment that begins before the goods are there",
    }
}
