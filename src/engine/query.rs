//! Questions about the state, and their answers. They change nothing and write nothing.

mod order;
mod task;
mod velocity;

use super::choices::PaymentMethod;
use super::command::IdentityHashes;
use super::effect::{Action, AsideReason, Effect};
use super::happening::Happening;
use super::ledger::{BUCKETS, Bucket};
use super::money::MoneySums;
use super::order::{STATES, State};
use super::retention::Retention;
use super::task::{TaskKind, TaskPlace};
use crate::base::{
    Codes, Currency, CustomerKey, MarketId, OrderId, OrderNumber, Price, Sequence, ShardId, SiteId, SkuId, Timestamp,
};

pub use order::{
    CheckState, DrawView, HoldView, LineView, OrderView, PaymentView, ReturnLineView, ReturnPieceView, ReturnView,
};
pub use task::{OrderWaits, TaskPage, TaskRow, WaitRow};
pub use velocity::{VelocityCount, VelocityView};

/// What is asked. At most [`PAGE_ROWS_MAX`](crate::base::limits::PAGE_ROWS_MAX) rows each, unless it says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Query<'a> {
    /// The number of a market, answered with `Answer::Numbered`. Asked of the directory (shard 0).
    Market {
        /// Its name.
        code: &'a str,
    },
    /// Stock of SKUs: one [`StockRow`] per (SKU, site) that ever held a unit, SKUs in the order asked.
    Stock {
        /// Where.
        market: MarketId,
        /// Which.
        skus: &'a [SkuId],
    },
    /// Units for sale of SKUs, all sites together, in the order asked. At most
    /// [`AVAILABILITY_SKUS_MAX`](crate::base::limits::AVAILABILITY_SKUS_MAX) of them; a server answers it without
    /// asking the shard.
    Availability {
        /// Where.
        market: MarketId,
        /// Which.
        skus: &'a [SkuId],
    },
    /// Numbers of SKU codes, `None` for a code that does not exist.
    ResolveSkus {
        /// Where.
        market: MarketId,
        /// Which.
        codes: Codes<'a>,
    },
    /// The sites of a market, in rank order.
    Sites {
        /// Where.
        market: MarketId,
    },
    /// SKUs with numbers after `after`, in order of their numbers.
    Skus {
        /// Where.
        market: MarketId,
        /// Zero to begin.
        after: SkuId,
        /// At most so many.
        rows_max: u16,
    },
    /// What a kit is made of; nothing of a SKU that is none.
    Recipe {
        /// Where.
        market: MarketId,
        /// Of what.
        sku: SkuId,
    },
    /// One order.
    Order {
        /// Which.
        order: OrderId,
    },
    /// One order by the number people use.
    OrderByNumber {
        /// Where.
        market: MarketId,
        /// Which.
        number: OrderNumber,
    },
    /// What happened to an order, oldest first.
    OrderHistory {
        /// Which.
        order: OrderId,
        /// The place of the last row of the page before; zero to begin.
        after: u32,
        /// At most so many.
        rows_max: u16,
    },
    /// Orders that still hold units (none that is cancelled, completed or expired), in order of their numbers.
    OpenOrders {
        /// Where.
        market: MarketId,
        /// Zero to begin.
        after: OrderNumber,
        /// At most so many.
        rows_max: u16,
    },
    /// Orders of a customer that are kept, newest first. Answered as open orders are.
    CustomerOrders {
        /// Where.
        market: MarketId,
        /// Whose; not the key of guests.
        customer: CustomerKey,
        /// Zero to begin; then the number the page before told.
        before: OrderNumber,
        /// At most so many.
        rows_max: u16,
    },
    /// Open orders that hold units of a SKU or are owed them, in order of their numbers.
    Holders {
        /// Where.
        market: MarketId,
        /// Of what.
        sku: SkuId,
        /// Zero to begin; then the number the page before told.
        after: OrderNumber,
        /// At most so many.
        rows_max: u16,
    },
    /// What somebody placed lately: how many orders, for how much, by each key.
    Velocity {
        /// Where.
        market: MarketId,
        /// Whose; zero for nobody's.
        customer: CustomerKey,
        /// Whose too; each that is not zero.
        hashes: IdentityHashes,
    },
    /// Orders that are held, in order of their numbers, a row for each hold.
    HeldOrders {
        /// Where.
        market: MarketId,
        /// Zero to begin; then the number the page before told.
        after: OrderNumber,
        /// At most so many holds, and those of the last order to the end.
        rows_max: u16,
    },
    /// Orders that somebody has to look at, the oldest first, a row for each reason.
    Tasks {
        /// Where.
        market: MarketId,
        /// Of this kind; `None` for all.
        kind: Option<TaskKind>,
        /// `None` to begin; then the place the page before told.
        after: Option<TaskPlace>,
        /// At most so many.
        rows_max: u16,
    },
    /// Everything that an order waits for.
    Waits {
        /// Which.
        order: OrderId,
    },
    /// The books of a market.
    Books {
        /// Which.
        market: MarketId,
    },
    /// What may be sold of a SKU.
    Policy {
        /// Where.
        market: MarketId,
        /// Of what.
        sku: SkuId,
    },
    /// Which effects of orders placed from now on go on the wanted list.
    Effects {
        /// Of which market.
        market: MarketId,
    },
    /// Effects that are wanted, in the order they came to be wanted; or those that were set aside.
    Wanted {
        /// Of which market's orders; `None` for all of the shard, which only the node itself asks.
        market: Option<MarketId>,
        /// Which.
        effect: Effect,
        /// Those that were set aside, and not those that are wanted.
        aside: bool,
        /// The place of the last row of the page before; zero to begin.
        after: u64,
        /// At most so many.
        rows_max: u16,
    },
    /// Caps of a SKU, in order of their channels.
    ChannelCaps {
        /// Where.
        market: MarketId,
        /// Of what.
        sku: SkuId,
        /// Zero to begin; then the channel the page before told.
        after: u16,
        /// At most so many.
        rows_max: u16,
    },
    /// How long reservations of a market last.
    Reservations {
        /// Which.
        market: MarketId,
    },
    /// How long a market keeps what is over, and what it has retired.
    Retention {
        /// Which.
        market: MarketId,
    },
}

/// How long a market keeps what is over, and what it has retired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetentionView {
    /// In force.
    pub retention: Retention,
    /// Identifiers made before this moment and not kept are refused; zero while nothing was retired.
    pub retired_before: Timestamp,
}

/// What there is of one SKU at one site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StockRow {
    /// Of what.
    pub sku: SkuId,
    /// Where.
    pub site: SiteId,
    /// Balance of each bucket, indexed by [`Bucket`].
    pub balances: [i64; BUCKETS],
    /// Units of the SKU that orders are owed, which lie at no site: the same in every row of the SKU.
    pub owed: u64,
}

impl StockRow {
    /// The balance of one bucket.
    #[must_use]
    pub const fn balance(&self, bucket: Bucket) -> i64 {
        self.balances[bucket as usize]
    }
}

/// A site of a market.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteRow {
    /// Its number.
    pub site: SiteId,
    /// Its rank.
    pub rank: u16,
    /// Its code.
    pub code: String,
}

/// A hold, and of which order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldRow {
    /// Which order.
    pub order: OrderRow,
    /// One of its holds.
    pub hold: HoldView,
}

/// A page of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldPage {
    /// In order of their numbers; those of one order stay together.
    pub rows: Vec<HeldRow>,
    /// Ask again after this number; `None` at the end.
    pub next: Option<OrderNumber>,
}

/// One order of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderRow {
    /// Identifier.
    pub order: OrderId,
    /// For people.
    pub number: OrderNumber,
    /// Its state.
    pub state: State,
    /// Its deadline; zero when it has none.
    pub deadline: Timestamp,
}

/// A page of orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderPage {
    /// In the order asked.
    pub rows: Vec<OrderRow>,
    /// Ask again from this number on; `None` at the end. A page may be short, even empty, and still go on.
    pub next: Option<OrderNumber>,
}

/// What an open order holds of a SKU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HolderRow {
    /// Which, and until when.
    pub order: OrderRow,
    /// Units sold and not there yet.
    pub owed: u64,
    /// Units set aside until the deadline.
    pub reserved: u64,
    /// Units paid for.
    pub committed: u64,
}

/// A page of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HolderPage {
    /// In order of their numbers.
    pub rows: Vec<HolderRow>,
    /// Ask again after this number; `None` at the end. A page may be short, even empty, and still go on.
    pub next: Option<OrderNumber>,
}

/// Something that happened to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryRow {
    /// The how-manieth thing that happened to it: 1 is its placement. What is not shown leaves gaps.
    pub place: u32,
    /// The entry of the stream that says so; zero for the placement, of which it is not kept.
    pub position: Sequence,
    /// Log time at which it happened.
    pub at: Timestamp,
    /// What.
    pub what: Happening,
    /// Position of the line it is about; `None` when it is about the order, or about several of its lines.
    pub line: Option<u16>,
    /// What [`Happening::value`] says.
    pub value: u64,
}

/// A page of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryPage {
    /// Whose stream the positions are of.
    pub shard: ShardId,
    /// Its return window is over: what happened after the placement is kept no longer, nor how many units it got.
    pub closed: bool,
    /// At least so many things happened that are not kept, or more than an order shows.
    pub not_shown: u32,
    /// Oldest first.
    pub rows: Vec<HistoryRow>,
    /// Ask again after this place; `None` at the end.
    pub next: Option<u32>,
}

/// How many units of a SKU are sold through one channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChannelRow {
    /// Which.
    pub channel: u16,
    /// Units held or sold at most.
    pub units_max: u32,
    /// Units held or sold now, of orders accepted since the cap was set.
    pub held: u64,
}

/// A page of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelPage {
    /// In order of the channels.
    pub rows: Vec<ChannelRow>,
    /// Ask again after this channel; `None` at the end.
    pub next: Option<u16>,
}

/// An effect that is wanted of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WantRow {
    /// Its place on its list.
    pub place: u64,
    /// The order.
    pub order: OrderId,
    /// For people.
    pub number: OrderNumber,
    /// What is wanted now.
    pub action: Action,
    /// To be named by the report. With the order it makes a key for the other side.
    pub attempt: u32,
    /// Log time since when it is wanted, or set aside.
    pub since: Timestamp,
    /// Why it is set aside, if it is.
    pub aside: Option<AsideReason>,
    /// The order's state.
    pub state: State,
    /// What the units that it is about cost, in minor units.
    pub amount: Price,
    /// Of the amount.
    pub currency: Currency,
    /// How the customer wants to pay.
    pub payment: PaymentMethod,
}

/// A page of wanted effects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantPage {
    /// In the order of their places.
    pub rows: Vec<WantRow>,
    /// Ask again after this place; `None` at the end. A page may be short, even empty, and still go on.
    pub next: Option<u64>,
}

/// The books of a market: what must agree between the server, its log and whoever kept count outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Books {
    /// Units per bucket, all SKUs and sites together.
    pub units: [i64; BUCKETS],
    /// Units that orders are owed; in no bucket.
    pub owed: u64,
    /// Orders per state, indexed by [`State`].
    pub orders: [u64; STATES],
    /// Sum modulo 2^128 of the hash of every order (`docs/WIRE-PROTOCOL.md`, "Books").
    pub orders_hash: u128,
    /// Money of all orders ever, by currency.
    pub money: Vec<(Currency, MoneySums)>,
}
