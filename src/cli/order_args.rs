//! The command line of `order`: every command, every flag and what the help says about them.

use clap::{Args, Subcommand, ValueEnum};

use super::args::ClientArgs;
use super::edit::EditArgs;
use super::payment_args::{PayArgs, RefundArgs, ToldArgs};
use super::return_args::{DeliveredArgs, ReturnArgs};
use crate::engine::{ExtendReason, HoldReason};

#[derive(Debug, Subcommand)]
pub(super) enum OrderCommand {
    /// Place an order: its units are reserved until it is confirmed, cancelled or the hold is over.
    Place(Box<PlaceArgs>),
    /// Show an order.
    Get {
        /// Its number, or its identifier (32 hexadecimal digits).
        #[arg(value_name = "ID|NUMBER")]
        order: String,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// List orders that still hold units; or every order of a customer that is kept, newest first.
    List {
        /// Orders with numbers after this one.
        #[arg(long, default_value_t = 0, value_name = "NUMBER", conflicts_with = "customer")]
        after: u64,
        /// Whose: 32 hexadecimal digits.
        #[arg(long, value_name = "KEY")]
        customer: Option<String>,
        /// Orders of the customer with numbers before this one.
        #[arg(long, default_value_t = 0, value_name = "NUMBER", requires = "customer")]
        before: u64,
        /// At most so many, from 1.
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
        limit: u64,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// Show what happened to an order, oldest first.
    History {
        /// Its number, or its identifier (32 hexadecimal digits).
        #[arg(value_name = "ID|NUMBER")]
        order: String,
        /// What happened after this place.
        #[arg(long, default_value_t = 0, value_name = "PLACE")]
        after: u32,
        /// At most so much, from 1.
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
        limit: u64,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// Let an order's units stay reserved for longer, counted from now.
    Extend {
        /// Its number, or its identifier (32 hexadecimal digits).
        #[arg(value_name = "ID|NUMBER")]
        order: String,
        /// For how long from now: 30s, 15m, 2h. Never shorter than it was, and no longer than the market allows for the
        /// reason (see market reservations).
        #[arg(value_name = "TIME")]
        time: String,
        /// Why: the customer is still there, or begins to pay. A payment starts once: again changes nothing.
        #[arg(long, value_enum, default_value_t = ReasonArg::Activity)]
        reason: ReasonArg,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// Confirm an order: payment accepted it, whatever was told of attempts to pay it.
    Confirm {
        /// Its number, or its identifier (32 hexadecimal digits).
        #[arg(value_name = "ID|NUMBER")]
        order: String,
        /// Name of this payment attempt (a number); a repeat of it gets the same answer. Drawn unless given.
        #[arg(long)]
        attempt: Option<u64>,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// Begin an attempt to pay an order. Its reservation goes on as it is.
    Pay(PayArgs),
    /// Tell what an attempt to pay came to. An order that is paid for is confirmed by it.
    ///
    /// Amounts are totals of the attempt so far, so what is told twice, or after something later, changes nothing.
    Payment(Box<ToldArgs>),
    /// Have money given back: what was taken for the order, as far as it does not go back already.
    Refund(RefundArgs),
    /// Keep an order from the warehouse until the hold is lifted; nothing else is stopped.
    Hold {
        /// Its number, or its identifier (32 hexadecimal digits).
        #[arg(value_name = "ID|NUMBER")]
        order: String,
        /// Why: fraud, payment, address, stock, delivery_date, returned_goods, customer or other.
        #[arg(long = "for", value_parser = hold_reason, value_name = "REASON")]
        reason: HoldReason,
        /// Who says so, up to 64 bytes. An owner holds an order once for each reason.
        #[arg(long = "by", default_value = "staff", value_name = "OWNER")]
        owner: String,
        /// For people, up to 200 bytes. Kept in the log in plain text: nothing of the customer belongs here.
        #[arg(long, default_value = "", hide_default_value = true, value_name = "TEXT")]
        note: String,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// Lift a hold. With the last one the order goes to the warehouse, if it is paid for.
    Lift {
        /// Its number, or its identifier (32 hexadecimal digits).
        #[arg(value_name = "ID|NUMBER")]
        order: String,
        /// Which of the owner's holds.
        #[arg(long = "for", value_parser = hold_reason, value_name = "REASON")]
        reason: HoldReason,
        /// Whose hold.
        #[arg(long = "by", default_value = "staff", value_name = "OWNER")]
        owner: String,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// List what is held, why and since when.
    Held {
        /// Orders with numbers after this one.
        #[arg(long, default_value_t = 0, value_name = "NUMBER")]
        after: u64,
        /// At most so many holds, and those of the last order to the end.
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
        limit: u64,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// Say that an order that is being checked is to be trusted: without holds it goes to the warehouse, once it is
    /// paid.
    Accept {
        /// Its number, or its identifier (32 hexadecimal digits).
        #[arg(value_name = "ID|NUMBER")]
        order: String,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// Say that an order that is being checked is not to be trusted: all of it that has not left is cancelled.
    Reject {
        /// Its number, or its identifier (32 hexadecimal digits).
        #[arg(value_name = "ID|NUMBER")]
        order: String,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// Say that units of an order left the building.
    HandOver {
        /// Its number, or its identifier (32 hexadecimal digits).
        #[arg(value_name = "ID|NUMBER")]
        order: String,
        /// Only so many units of this line; lines count from 0. May be repeated. [default: everything confirmed]
        #[arg(long = "line", value_name = "LINE=QTY")]
        lines: Vec<String>,
        /// Name of this parcel (a number); a repeat of it changes nothing. Drawn unless given.
        #[arg(long)]
        change: Option<u64>,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// Say that units reached the customer.
    Delivered(DeliveredArgs),
    /// Say that units came back from the customer and are for sale again; or take them back step by step.
    Return(Box<ReturnArgs>),
    /// Change an order as a whole: add lines, remove units, set prices and the zone.
    Edit(Box<EditArgs>),
    /// Cancel an order, or some units of it.
    Cancel {
        /// Its number, or its identifier (32 hexadecimal digits).
        #[arg(value_name = "ID|NUMBER")]
        order: String,
        /// Also refuse a placement of this identifier that arrives later; the order need not exist.
        #[arg(long, conflicts_with = "lines")]
        block: bool,
        /// Cancel only so many units of this line; lines count from 0. May be repeated.
        #[arg(long = "line", value_name = "LINE=QTY")]
        lines: Vec<String>,
        /// Name of this change (a number); a repeat of it changes nothing. Drawn unless given.
        #[arg(long, requires = "lines")]
        change: Option<u64>,
        #[command(flatten)]
        client: ClientArgs,
    },
}

#[derive(Debug, Args)]
pub(super) struct PlaceArgs {
    /// A line: SKU, units, and the price of one unit (12.50; 0 when it is free). May be repeated.
    #[arg(long = "line", required = true, value_name = "SKU=QTY@PRICE")]
    pub(super) lines: Vec<String>,
    /// Currency of every price (ISO 4217).
    #[arg(long, default_value = "EUR")]
    pub(super) currency: String,
    /// Take what exists when stock does not cover every line, instead of nothing.
    #[arg(long)]
    pub(super) take_what_exists: bool,
    /// How long the units stay reserved: 30s, 15m, 2h, at most 31d. [default: the market's for the payment method]
    #[arg(long, value_name = "TIME")]
    pub(super) hold: Option<String>,
    /// How the customer pays. Cash on delivery is confirmed at once, and so is an order that costs nothing.
    #[arg(long, value_enum, default_value_t = Payment::Unspecified)]
    pub(super) payment: Payment,
    /// The customer: 32 hexadecimal digits; a guest unless given.
    #[arg(long, value_name = "KEY")]
    pub(super) customer: Option<String>,
    /// Number of the sales channel.
    #[arg(long, default_value_t = 0)]
    pub(super) channel: u16,
    /// Number of the destination zone.
    #[arg(long, default_value_t = 0)]
    pub(super) zone: u16,
    /// Text kept with the order, up to 4 KiB, sealed under a key of its customer.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub(super) details: String,
    /// Identifier of the order (32 hexadecimal digits); the same order under it is placed once. Drawn unless given.
    #[arg(long, value_name = "ID")]
    pub(super) id: Option<String>,
    #[command(flatten)]
    pub(super) client: ClientArgs,
}

/// How a customer pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Payment {
    Unspecified,
    Card,
    Wallet,
    BankTransfer,
    Invoice,
    CashOnDelivery,
}

/// Why a reservation is to last longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ReasonArg {
    Activity,
    PaymentStart,
}

impl From<ReasonArg> for ExtendReason {
    fn from(reason: ReasonArg) -> Self {
        match reason {
            ReasonArg::Activity => Self::Activity,
            ReasonArg::PaymentStart => Self::PaymentStart,
        }
    }
}

/// The reasons why an order may be held, as they are told.
fn hold_reason(text: &str) -> Result<HoldReason, String> {
    let known = HoldReason::ALL.into_iter().find(|reason| reason.name() == text.replace('-', "_"));
    known.ok_or_else(|| format!("must be one of {}", HoldReason::ALL.map(HoldReason::name).join(", ")))
}
