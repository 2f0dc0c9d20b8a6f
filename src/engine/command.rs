//! Commands: everything a client may ask the engine to decide. One of the three lists that are the whole product.
//!
//! A command borrows its lines, codes and blobs from whoever decoded it. Nothing here has been checked against the
//! state; `decide` does that and answers with a fact or a [`Refusal`](super::Refusal).
//!
//! # Not here
//! - Questions, which never change anything: `query`.

mod edit;
mod place;

use super::choices::{AdjustReason, HoldReason, PaymentMethod};
use super::effect::{Effect, Effects, Report};
use super::kits::Component;
use super::ledger::Account;
use super::payment::PaymentReport;
use super::policy::Policy;
use super::reservation::{ExtendReason, Reservations};
use super::retention::Retention;
use super::return_::ReturnCommand;
use super::velocity::Velocity;
use crate::base::{
    ChangeId, Currency, CustomerKey, MarketId, OrderId, Price, RequestId, Sequence, ShardId, SiteId, SkuId, Timestamp,
};

pub use edit::{Edit, LinePrice};
pub use place::{IdentityHashes, Line, LineQuantity, Place};

/// What is asked. Commands on an order or on stock find their market in the identifier they carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command<'a> {
    /// Give a market a number and a shard. Decided by the shard that keeps the directory (shard 0) and by nobody else.
    /// The same code again answers with the same number.
    AssignMarket {
        /// Name of the market.
        code: &'a str,
    },
    /// Let the shard that was assigned a market take commands for it. Sent by the node, never by a client.
    OpenMarket {
        /// Its number in the directory.
        market: MarketId,
        /// Its name in the directory.
        code: &'a str,
    },
    /// Take note of how far a sink has taken the facts of this shard, and keep the log for it from there on. Never
    /// moves a cursor back. Sent by the node, never by a client.
    MoveCursor {
        /// Name of the sink.
        sink: &'a str,
        /// The last entry of the shard's stream of which it has taken every fact.
        upto: Sequence,
    },
    /// Keep the log no longer for a sink that got no further than this; of one that did, nothing changes. Sent by the
    /// node, never by a client.
    DetachCursor {
        /// Name of the sink.
        sink: &'a str,
        /// Where it was seen to stand.
        upto: Sequence,
    },
    /// Create a site. The same code again answers with the same number and changes nothing, not even the rank.
    CreateSite {
        /// Where.
        market: MarketId,
        /// Lower ranks give their units first; equal ranks in order of their numbers.
        rank: u16,
        /// Code of the site.
        code: &'a str,
    },
    /// Create a SKU. The same code again answers with the same number.
    CreateSku {
        /// Where.
        market: MarketId,
        /// Code of the SKU, case-sensitive.
        code: &'a str,
    },
    /// Create a SKU that is a kit: so many units of each of its components, taken together. The same code with the same
    /// components, in any order, answers with the same number.
    DefineKit {
        /// Where.
        market: MarketId,
        /// Code of the SKU, case-sensitive. Refused when it is a plain SKU's, or a kit's of other components.
        code: &'a str,
        /// 1 to [`KIT_COMPONENTS_MAX`](crate::base::limits::KIT_COMPONENTS_MAX) plain SKUs of the market, each once.
        components: &'a [Component],
    },
    /// Set how long a market keeps what is over. The same again changes nothing.
    SetRetention {
        /// Which.
        market: MarketId,
        /// From now on.
        retention: Retention,
    },
    /// Set what may be sold of a SKU. The same again changes nothing; a policy of nothing takes it away.
    SetPolicy {
        /// Where.
        market: MarketId,
        /// Of what.
        sku: SkuId,
        /// From now on.
        policy: Policy,
    },
    /// Set which effects of a market's orders go on the wanted list. Holds for orders placed from now on; the same
    /// again changes nothing.
    SetEffects {
        /// Which.
        market: MarketId,
        /// From now on.
        effects: Effects,
    },
    /// Set how long reservations of a market last. The same again changes nothing.
    SetReservations {
        /// Which.
        market: MarketId,
        /// From now on.
        reservations: Reservations,
    },
    /// Set how many units of a SKU are sold through one channel. The same again changes nothing.
    SetChannelCap {
        /// Where.
        market: MarketId,
        /// Of what.
        sku: SkuId,
        /// Through which, from 1.
        channel: u16,
        /// Units held or sold at most, of orders accepted from now on; `None` for any number.
        units_max: Option<u32>,
    },
    /// Set what a market counts of whoever places orders. The same again changes nothing; another window counts anew,
    /// and fewer keys forget who was quiet longest.
    SetVelocity {
        /// Which.
        market: MarketId,
        /// From now on.
        velocity: Velocity,
    },
    /// Let a reservation last longer, as far as [`Reservations`] allow for this reason. It is never made shorter, and
    /// ends [`HOLD_MS_MAX`](crate::base::limits::HOLD_MS_MAX) after the acceptance at the latest.
    Extend {
        /// Which; its reservation must be alive.
        order: OrderId,
        /// Log time until which the units are to stay reserved; as much of it as is allowed.
        until: Timestamp,
        /// Why. A payment starts once: again changes nothing.
        reason: ExtendReason,
    },
    /// Tell what became of an effect that was wanted. A report: never refused for the state of the order, and of an
    /// effect that is not wanted (any more) it changes nothing.
    ReportEffect {
        /// The order.
        order: OrderId,
        /// Which effect of it.
        effect: Effect,
        /// The attempt that the wanted list named.
        attempt: u32,
        /// What became of it.
        report: Report,
    },
    /// Goods came in: supplier to available.
    Receive {
        /// Names the receipt; a repeat changes nothing.
        request: RequestId,
        /// What came in.
        sku: SkuId,
        /// Where it lies.
        site: SiteId,
        /// Units, 1 to [`STOCK_COMMAND_UNITS_MAX`](crate::base::limits::STOCK_COMMAND_UNITS_MAX).
        quantity: u64,
    },
    /// Correct what is available: against write-off, either way. Refused when it would take more than is available.
    Adjust {
        /// Names the adjustment; a repeat changes nothing.
        request: RequestId,
        /// What is corrected.
        sku: SkuId,
        /// Where it lies.
        site: SiteId,
        /// Units found (positive) or lost (negative); not zero.
        delta: i64,
        /// Why.
        reason: AdjustReason,
    },
    /// Units lie elsewhere, or are for something else: between sites, set aside for a look, damaged, disposed of, sent
    /// back. What orders hold is not moved so.
    MoveStock {
        /// Names the movement; a repeat changes nothing.
        request: RequestId,
        /// What is moved.
        sku: SkuId,
        /// From where: [`Bucket::may_be_emptied`](super::ledger::Bucket::may_be_emptied). Refused when fewer lie there.
        from: Account,
        /// To where: [`Bucket::may_be_filled`](super::ledger::Bucket::may_be_filled).
        to: Account,
        /// Units, 1 to [`STOCK_COMMAND_UNITS_MAX`](crate::base::limits::STOCK_COMMAND_UNITS_MAX).
        quantity: u64,
    },
    /// Somebody counted what lies at a site: all of it, also what is reserved, sold or set aside. The difference goes
    /// from what is available to write-off, or the other way.
    CountStock {
        /// Names the count; a repeat changes nothing.
        request: RequestId,
        /// What was counted.
        sku: SkuId,
        /// Where.
        site: SiteId,
        /// Units that the caller believes to be on hand. Refused when there are others: something happened since.
        expected: u64,
        /// Units that were found, at most [`STOCK_UNITS_MAX`](crate::base::limits::STOCK_UNITS_MAX).
        counted: u64,
    },
    /// Somebody told what lay at a site at a moment that has passed: when every entry of the shard's stream up to one
    /// had happened, and none behind it. What has come and gone since is added and taken away. A report: never refused
    /// for the state of the orders. When units are missing that orders hold, those of the newest are owed again.
    ReportCount {
        /// Names the count; a repeat changes nothing.
        request: RequestId,
        /// What was counted.
        sku: SkuId,
        /// Where.
        site: SiteId,
        /// The last entry whose facts the counter knew. Refused when it is to come, or too long ago to be remembered.
        as_of: Sequence,
        /// Units that were found, at most [`STOCK_UNITS_MAX`](crate::base::limits::STOCK_UNITS_MAX).
        counted: u64,
    },
    /// Place an order.
    Place(Place<'a>),
    /// Payment accepted the order: reserved units become committed. After expiry the lapsed units are taken again, all
    /// of them or none.
    Confirm {
        /// The order.
        order: OrderId,
        /// Names this attempt: a repeat of an attempt whose late take failed answers the same.
        attempt: ChangeId,
    },
    /// Cancel whatever of the order has not been handed over.
    Cancel {
        /// The order.
        order: OrderId,
        /// Also refuse a placement of this identifier that arrives later. The order need not exist.
        block: bool,
    },
    /// Cancel some units of some lines.
    CancelLines {
        /// The order.
        order: OrderId,
        /// Names this change.
        change: ChangeId,
        /// Which lines, and how many units of each. A line may be named once.
        lines: &'a [LineQuantity],
    },
    /// Change an order as a whole: see `docs/EDITS.md`.
    EditOrder {
        /// The order.
        order: OrderId,
        /// Names this change.
        change: ChangeId,
        /// What is to be different.
        edit: Edit<'a>,
    },
    /// Goods left the building: committed to customer. A report: never refused for the state of the order; the answer
    /// says how many units it could not account for.
    HandOver {
        /// The order.
        order: OrderId,
        /// Names this change.
        change: ChangeId,
        /// Which lines, and how many units of each; empty for every committed unit of the order. A line may be named
        /// once.
        lines: &'a [LineQuantity],
    },
    /// Goods came back and can be sold again: customer to available.
    ReturnToStock {
        /// The order.
        order: OrderId,
        /// Names this change.
        change: ChangeId,
        /// Where they lie now.
        site: SiteId,
        /// Which lines, and how many units of each. A line may be named once.
        lines: &'a [LineQuantity],
    },
    /// Keep what an order has left to hand over from a warehouse, until the hold is lifted. Stops nothing else: neither
    /// payment, cancellation, expiry nor a hand-over that happens all the same. A hold is known by its owner and its
    /// reason: the same again changes nothing.
    HoldOrder {
        /// The order.
        order: OrderId,
        /// Who says so: a code.
        owner: &'a str,
        /// Why.
        reason: HoldReason,
        /// For people; may be empty, up to [`HOLD_NOTE_BYTES_MAX`](crate::base::limits::HOLD_NOTE_BYTES_MAX) bytes. It
        /// is in the log in plain text and no place for what is known of a customer.
        note: &'a str,
    },
    /// Lift a hold. One that is not there changes nothing.
    LiftHold {
        /// The order.
        order: OrderId,
        /// Whose.
        owner: &'a str,
        /// Of its holds, the one for this reason.
        reason: HoldReason,
    },
    /// Begin an attempt to pay an order. Its reservation goes on as it is; attempts that failed are in nobody's way.
    StartPayment {
        /// The order; it must wait for its payment.
        order: OrderId,
        /// Names the attempt: the same again changes nothing.
        attempt: ChangeId,
        /// How the customer pays now, whatever the placement said; before the goods are there.
        method: PaymentMethod,
    },
    /// Tell what an attempt to pay came to: what a provider said, or what somebody saw. A report: never refused for the
    /// state of the order, and one that tells nothing new changes nothing. An order that its attempts pay for is
    /// confirmed; one whose reservation expired takes its units again, all or none; what is paid too much is to go
    /// back. A failure for good cancels an order that waits for its payment.
    ReportPayment {
        /// The order.
        order: OrderId,
        /// Which attempt; one that nobody began is begun by this.
        attempt: ChangeId,
        /// How it was to be paid, of an attempt that nobody began.
        method: PaymentMethod,
        /// Of what is told; must be the order's.
        currency: Currency,
        /// What.
        report: PaymentReport,
    },
    /// Give money back: what was taken for the order, as far as it does not go back already. Not of an order that waits
    /// for its payment: cancel it, and everything goes back.
    RequestRefund {
        /// The order.
        order: OrderId,
        /// Names this change.
        change: ChangeId,
        /// So much, in minor units, at least 1.
        amount: Price,
    },
    /// Units that were handed over reached the customer. A report: whatever the state of the order. Refused when more
    /// would be delivered than was handed over and is not on its way back.
    ReportDelivered {
        /// The order.
        order: OrderId,
        /// Names this change.
        change: ChangeId,
        /// Which lines, and how many units more of each. A line may be named once.
        lines: &'a [LineQuantity],
    },
    /// Something about goods that come back: see [`ReturnCommand`].
    Return {
        /// The order.
        order: OrderId,
        /// Which return of it; chosen by whoever begins it.
        id: ChangeId,
        /// What.
        what: ReturnCommand<'a>,
    },
    /// See to it that nobody can read the details of somebody's orders any more. The orders stay. Again changes
    /// nothing; orders placed later have another key.
    Erase {
        /// Whose.
        whose: Whose,
    },
}

/// Somebody whose details are sealed under one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// A customer: of every order of theirs in this market.
    Customer {
        /// Where.
        market: MarketId,
        /// Who; not the key of guests.
        customer: CustomerKey,
    },
    /// A guest, whom nothing but one order is known of.
    Guest {
        /// Which; not one of a customer.
        order: OrderId,
    },
}

impl Whose {
    /// The market that somebody bought in.
    #[must_use]
    pub const fn market(&self) -> MarketId {
        match self {
            Self::Customer { market, .. } => *market,
            Self::Guest { order } => order.market(),
        }
    }
}

impl Command<'_> {
    /// The market whose shard decides this; `None` for what the directory decides, and for what concerns a whole shard.
    #[must_use]
    pub const fn market(&self) -> Option<MarketId> {
        match self {
            Self::AssignMarket { .. } | Self::MoveCursor { .. } | Self::DetachCursor { .. } => None,
            Self::OpenMarket { market, .. }
            | Self::CreateSite { market, .. }
            | Self::CreateSku { market, .. }
            | Self::DefineKit { market, .. }
            | Self::SetPolicy { market, .. }
            | Self::SetEffects { market, .. }
            | Self::SetReservations { market, .. }
            | Self::SetChannelCap { market, .. }
            | Self::SetVelocity { market, .. }
            | Self::SetRetention { market, .. } => Some(*market),
            Self::Erase { whose } => Some(whose.market()),
            Self::Receive { request, .. }
            | Self::Adjust { request, .. }
            | Self::MoveStock { request, .. }
            | Self::CountStock { request, .. }
            | Self::ReportCount { request, .. } => Some(request.market()),
            Self::Place(place) => Some(place.order.market()),
            Self::Confirm { order, .. }
            | Self::Cancel { order, .. }
            | Self::CancelLines { order, .. }
            | Self::EditOrder { order, .. }
            | Self::HandOver { order, .. }
            | Self::Extend { order, .. }
            | Self::ReportEffect { order, .. }
            | Self::HoldOrder { order, .. }
            | Self::LiftHold { order, .. }
            | Self::StartPayment { order, .. }
            | Self::ReportPayment { order, .. }
            | Self::RequestRefund { order, .. }
            | Self::ReportDelivered { order, .. }
            | Self::Return { order, .. }
            | Self::ReturnToStock { order, .. } => Some(order.market()),
        }
    }

    /// The order this is about, if it is about one.
    #[must_use]
    pub const fn order(&self) -> Option<OrderId> {
        match self {
            Self::Place(place) => Some(place.order),
            Self::Confirm { order, .. }
            | Self::Cancel { order, .. }
            | Self::CancelLines { order, .. }
            | Self::EditOrder { order, .. }
            | Self::HandOver { order, .. }
            | Self::Extend { order, .. }
            | Self::ReportEffect { order, .. }
            | Self::HoldOrder { order, .. }
            | Self::LiftHold { order, .. }
            | Self::StartPayment { order, .. }
            | Self::ReportPayment { order, .. }
            | Self::RequestRefund { order, .. }
            | Self::ReportDelivered { order, .. }
            | Self::Return { order, .. }
            | Self::ReturnToStock { order, .. } => Some(*order),
            Self::AssignMarket { .. }
            | Self::Erase { .. }
            | Self::MoveCursor { .. }
            | Self::DetachCursor { .. }
            | Self::OpenMarket { .. }
            | Self::CreateSite { .. }
            | Self::CreateSku { .. }
            | Self::DefineKit { .. }
            | Self::SetPolicy { .. }
            | Self::SetEffects { .. }
            | Self::SetReservations { .. }
            | Self::SetChannelCap { .. }
            | Self::SetVelocity { .. }
            | Self::SetRetention { .. }
            | Self::Receive { .. }
            | Self::Adjust { .. }
            | Self::MoveStock { .. }
            | Self::CountStock { .. }
            | Self::ReportCount { .. } => None,
        }
    }
}

/// The shard that keeps the directory of markets.
pub const DIRECTORY_SHARD: ShardId = ShardId(0);
