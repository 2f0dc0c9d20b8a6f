//! Facts: everything that can have happened. The log is a sequence of these, and `fold` is all that is done with them.
//!
//! A fact says what became of a command, not what was asked: a later version may decide differently and still folds
//! every old fact to the same state. Log time is not part of a fact: all facts of one entry of the log happened at the
//! entry's time.
//!
//! # Always true
//! - A fact in the log was legal when it was decided; `fold` asserts that and never refuses.
//! - One placement is one fact; the movements of units follow from its draws.

mod placed;

use super::choices::{AdjustReason, HoldReason, PaymentMethod};
use super::command::{LineQuantity, Whose};
use super::effect::{Effect, Effects, Report};
use super::kits::Component;
use super::ledger::Account;
use super::payment::PaymentReport;
use super::policy::{Policy, StockLevel};
use super::reservation::{ExtendReason, Reservations};
use super::retention::Retention;
use super::return_::ReturnFact;
use super::velocity::Velocity;
use crate::base::{ChangeId, MarketId, OrderId, Price, RequestId, Sequence, ShardId, SiteId, SkuId, Timestamp};

pub use placed::{Change, Draw, Edited, Placed};

/// Something that happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact<'a> {
    /// The directory gave a market its number and its shard.
    MarketAssigned {
        /// The number.
        market: MarketId,
        /// Where the market lives.
        shard: ShardId,
        /// Its name.
        code: &'a str,
    },
    /// The market's shard takes commands for it. Site 1, `main`, exists from here on.
    MarketOpened {
        /// The number.
        market: MarketId,
        /// Its name.
        code: &'a str,
    },
    /// A site was created.
    SiteCreated {
        /// Where.
        market: MarketId,
        /// Its number.
        site: SiteId,
        /// Its rank.
        rank: u16,
        /// Its code.
        code: &'a str,
    },
    /// A SKU was created.
    SkuCreated {
        /// Where.
        market: MarketId,
        /// Its number.
        sku: SkuId,
        /// Its code.
        code: &'a str,
    },
    /// A kit was created. What it is made of never changes.
    KitDefined {
        /// Where.
        market: MarketId,
        /// Its number as a SKU.
        sku: SkuId,
        /// Its code.
        code: &'a str,
        /// What one of it takes, by number of the component.
        components: &'a [Component],
    },
    /// Supplier to available.
    Received {
        /// Which request.
        request: RequestId,
        /// What.
        sku: SkuId,
        /// Where.
        site: SiteId,
        /// How many.
        quantity: u64,
    },
    /// Write-off to available, or back.
    Adjusted {
        /// Which request.
        request: RequestId,
        /// What.
        sku: SkuId,
        /// Where.
        site: SiteId,
        /// How many, signed.
        delta: i64,
        /// Why.
        reason: AdjustReason,
    },
    /// Units lie elsewhere, or are for something else.
    StockMoved {
        /// Which request.
        request: RequestId,
        /// What.
        sku: SkuId,
        /// From where.
        from: Account,
        /// To where.
        to: Account,
        /// How many.
        quantity: u64,
    },
    /// What lies at a site was counted: the difference went to or came from available, against write-off.
    StockCounted {
        /// Which request.
        request: RequestId,
        /// What.
        sku: SkuId,
        /// Where.
        site: SiteId,
        /// Units on hand before.
        expected: u64,
        /// Units on hand since.
        counted: u64,
    },
    /// What had lain at a site after an earlier entry was told. The difference to what was known goes to write-off, or
    /// comes from there; units that orders hold stay theirs until the order is put back.
    CountReported {
        /// Which request.
        request: RequestId,
        /// What.
        sku: SkuId,
        /// Where.
        site: SiteId,
        /// The entry after which it was so.
        as_of: Sequence,
        /// Units known to be on hand after that entry, until now.
        on_hand: u64,
        /// Units counted.
        counted: u64,
        /// Of the missing ones: held by orders that are to be put back.
        short: u64,
        /// Of the missing ones: have left since, so they were there.
        excess: u64,
    },
    /// Units that an order held are not there: reserved or committed to owed, where it waits by its number. What was
    /// missing goes to write-off; what else was in its kits comes to be free.
    OrderPutBack {
        /// The order.
        order: OrderId,
        /// What was missing: what its lines name, or a component of it.
        sku: SkuId,
        /// From which draws, how many of what their lines name; all at the site that is short.
        draws: &'a [Draw],
    },
    /// An order was accepted: available to reserved, or to committed when it needs no payment. What is not there is
    /// owed.
    Placed(Placed<'a>),
    /// Payment accepted: reserved to committed; or, after expiry, available to committed as the draws say.
    Confirmed {
        /// The order.
        order: OrderId,
        /// Which attempt.
        attempt: ChangeId,
        /// What this attempt has taken in all by that, in minor units; zero where nobody counts what is paid of the
        /// order, and where its attempts covered it.
        entered: Price,
        /// Empty when the reservation was alive; else where the lapsed units were taken again.
        draws: &'a [Draw],
    },
    /// Payment accepted after expiry, and the lapsed units could not be taken again.
    RetakeFailed {
        /// The order.
        order: OrderId,
        /// Which attempt.
        attempt: ChangeId,
        /// The first SKU that came up short.
        sku: SkuId,
    },
    /// A reservation lasts longer than it did, or its payment has started.
    Extended {
        /// The order.
        order: OrderId,
        /// When it ends now.
        deadline: Timestamp,
        /// Why. Of a payment's start there is one an order, and it may leave the end where it was.
        reason: ExtendReason,
    },
    /// How long reservations of a market last.
    ReservationsSet {
        /// Which.
        market: MarketId,
        /// From now on.
        reservations: Reservations,
    },
    /// How many units of a SKU are sold through one channel.
    ChannelCapSet {
        /// Where.
        market: MarketId,
        /// Of what.
        sku: SkuId,
        /// Through which.
        channel: u16,
        /// From now on; `None` for any number.
        units_max: Option<u32>,
    },
    /// What a market counts of whoever places orders.
    VelocitySet {
        /// Of which market.
        market: MarketId,
        /// From now on.
        velocity: Velocity,
    },
    /// Everything not handed over was cancelled: reserved and committed to available, lapsed to nowhere.
    Cancelled {
        /// The order.
        order: OrderId,
    },
    /// No placement of this identifier will be accepted. No order of it exists.
    Blocked {
        /// The identifier.
        order: OrderId,
    },
    /// Some units were cancelled.
    LinesCancelled {
        /// The order.
        order: OrderId,
        /// Which change.
        change: Change,
        /// From which draws, how many.
        draws: &'a [Draw],
    },
    /// An order was changed as a whole.
    Edited {
        /// The order.
        order: OrderId,
        /// Which change.
        change: Change,
        /// What is different.
        what: Edited<'a>,
    },
    /// The deadline passed: reserved to available, remembered as lapsed.
    Expired {
        /// The order.
        order: OrderId,
    },
    /// Committed to customer.
    HandedOver {
        /// The order.
        order: OrderId,
        /// Which change; its `excess` are reported units that no committed unit accounts for.
        change: Change,
        /// From which draws, how many.
        draws: &'a [Draw],
    },
    /// Customer to available at `site`.
    Returned {
        /// The order.
        order: OrderId,
        /// Which change.
        change: Change,
        /// Where the goods lie now.
        site: SiteId,
        /// From which draws they had been handed over, how many.
        draws: &'a [Draw],
    },
    /// Units that were handed over reached the customer.
    Delivered {
        /// The order.
        order: OrderId,
        /// Which change.
        change: Change,
        /// Of which lines, how many more.
        lines: &'a [LineQuantity],
    },
    /// Something happened to goods that come back.
    Return {
        /// The order.
        order: OrderId,
        /// Which return of it.
        id: ChangeId,
        /// What.
        what: ReturnFact<'a>,
    },
    /// How long a market keeps what is over.
    RetentionSet {
        /// Which.
        market: MarketId,
        /// From now on.
        retention: Retention,
    },
    /// Identifiers made before this moment and not kept are refused from here on.
    Retired {
        /// Of which market.
        market: MarketId,
        /// In whole steps; later than any before it.
        before: Timestamp,
    },
    /// Return windows are over: tombstones are left, or nothing of those whose identifiers are refused already.
    Closed {
        /// Which, at most [`RETIREMENT_ORDERS_MAX`](crate::base::limits::RETIREMENT_ORDERS_MAX).
        orders: &'a [OrderId],
    },
    /// What may be sold of a SKU was set.
    PolicySet {
        /// Where.
        market: MarketId,
        /// Of what.
        sku: SkuId,
        /// From now on.
        policy: Policy,
    },
    /// Which effects of orders placed from now on go on the wanted list.
    EffectsSet {
        /// Of which market.
        market: MarketId,
        /// From now on.
        effects: Effects,
    },
    /// Something became of an effect that was wanted.
    EffectReported {
        /// The order.
        order: OrderId,
        /// Which effect of it.
        effect: Effect,
        /// Which attempt.
        attempt: u32,
        /// What became of it.
        report: Report,
    },
    /// A sink has taken so much, or the log is kept for it no longer. Not told to sinks.
    CursorMoved {
        /// Name of the sink.
        sink: &'a str,
        /// The last entry of the shard's stream of which it has taken every fact.
        upto: Sequence,
        /// Whether the log is kept for it from there on.
        attached: bool,
    },
    /// An order got what it was owed, or some of it: arriving to reserved, or to committed when it is paid for.
    Filled {
        /// The order.
        order: OrderId,
        /// To which lines, where it lies, how many.
        draws: &'a [Draw],
    },
    /// What is for sale of a SKU came to be little, or nothing, or enough again. Once per crossing.
    StockLevelChanged {
        /// Where.
        market: MarketId,
        /// Of what.
        sku: SkuId,
        /// How it is called now.
        level: StockLevel,
        /// Units for sale.
        for_sale: u64,
    },
    /// An order must not go to a warehouse, for a reason it was not held for by this owner before.
    Held {
        /// The order.
        order: OrderId,
        /// Who says so.
        owner: &'a str,
        /// Why.
        reason: HoldReason,
        /// For people.
        note: &'a str,
    },
    /// A hold was lifted. When an order is over, those that are left go with it and no such fact tells of them.
    HoldLifted {
        /// The order.
        order: OrderId,
        /// Whose.
        owner: &'a str,
        /// Which of theirs.
        reason: HoldReason,
    },
    /// An attempt to pay began.
    PaymentStarted {
        /// The order.
        order: OrderId,
        /// Which attempt.
        attempt: ChangeId,
        /// How the customer pays now.
        method: PaymentMethod,
    },
    /// Something new was told of an attempt to pay. What follows for the order follows from its state: see
    /// `fold::payment`.
    PaymentReported {
        /// The order.
        order: OrderId,
        /// Which attempt.
        attempt: ChangeId,
        /// As told; of an attempt that is new.
        method: PaymentMethod,
        /// What was told.
        report: PaymentReport,
        /// Where lapsed units were taken again because the order is paid late; else empty.
        draws: &'a [Draw],
        /// The first SKU that came up short when it was tried to take lapsed units again.
        short: Option<SkuId>,
    },
    /// Money of an order is to go back.
    RefundRequested {
        /// The order.
        order: OrderId,
        /// Which change.
        change: Change,
        /// In minor units.
        amount: Price,
    },
    /// Tombstones left. Their identifiers are refused.
    Left {
        /// Which, at most [`RETIREMENT_ORDERS_MAX`](crate::base::limits::RETIREMENT_ORDERS_MAX).
        orders: &'a [OrderId],
    },
    /// The key of somebody's details is destroyed: nobody can read them any more.
    Erased {
        /// Whose.
        whose: Whose,
    },
}

impl Fact<'_> {
    /// The market it is about; `None` for one of the directory's, of a whole shard, and for those about orders that are
    /// over.
    pub(super) const fn market(&self) -> Option<MarketId> {
        match self {
            Self::MarketAssigned { .. } | Self::CursorMoved { .. } | Self::Closed { .. } | Self::Left { .. } => None,
            Self::MarketOpened { market, .. }
            | Self::SiteCreated { market, .. }
            | Self::SkuCreated { market, .. }
            | Self::KitDefined { market, .. }
            | Self::PolicySet { market, .. }
            | Self::StockLevelChanged { market, .. }
            | Self::EffectsSet { market, .. }
            | Self::ReservationsSet { market, .. }
            | Self::ChannelCapSet { market, .. }
            | Self::VelocitySet { market, .. }
            | Self::RetentionSet { market, .. }
            | Self::Retired { market, .. } => Some(*market),
            Self::Received { request, .. }
            | Self::Adjusted { request, .. }
            | Self::StockMoved { request, .. }
            | Self::StockCounted { request, .. }
            | Self::CountReported { request, .. } => Some(request.market()),
            Self::Erased { whose } => Some(whose.market()),
            Self::Placed(placed) => Some(placed.order.market()),
            Self::Confirmed { order, .. }
            | Self::RetakeFailed { order, .. }
            | Self::Cancelled { order }
            | Self::Blocked { order }
            | Self::LinesCancelled { order, .. }
            | Self::Edited { order, .. }
            | Self::Expired { order }
            | Self::Filled { order, .. }
            | Self::OrderPutBack { order, .. }
            | Self::HandedOver { order, .. }
            | Self::Extended { order, .. }
            | Self::EffectReported { order, .. }
            | Self::Held { order, .. }
            | Self::HoldLifted { order, .. }
            | Self::PaymentStarted { order, .. }
            | Self::PaymentReported { order, .. }
            | Self::RefundRequested { order, .. }
            | Self::Delivered { order, .. }
            | Self::Return { order, .. }
            | Self::Returned { order, .. } => Some(order.market()),
        }
    }
}
