//! What simulated clients ask, owned, so that it can be asked again word for word.

use stockade::base::{
    ChangeId, Currency, CustomerKey, MarketId, OrderId, Price, RequestId, Sequence, SiteId, SkuId, Timestamp,
};
use stockade::engine::choices::{AdjustReason, PaymentMethod, Take};
use stockade::engine::ledger::Account;
use stockade::engine::{
    Answer, Command, Component, Edit, Effect, Effects, ExtendReason, HoldReason, Line, LinePrice, LineQuantity,
    PaymentReport, Place, Policy, Query, Report, Reservations, Retention, Whose,
};
use stockade::wire::{Refused, Request};

use crate::provider::pounds;
use crate::returning::Step;

#[derive(Debug, Clone)]
pub(crate) enum Ask {
    OpenMarket {
        market: MarketId,
    },
    CreateSite {
        market: MarketId,
    },
    CreateSku {
        market: MarketId,
        code: String,
    },
    DefineKit {
        market: MarketId,
        code: String,
        components: Vec<Component>,
    },
    SetRetention {
        market: MarketId,
        retention: Retention,
    },
    SetPolicy {
        market: MarketId,
        sku: SkuId,
        policy: Policy,
    },
    SetEffects {
        market: MarketId,
        effects: Effects,
    },
    Receive {
        request: RequestId,
        sku: SkuId,
        site: SiteId,
        quantity: u64,
    },
    Adjust {
        request: RequestId,
        sku: SkuId,
        site: SiteId,
        delta: i64,
    },
    Move {
        request: RequestId,
        sku: SkuId,
        from: Account,
        to: Account,
        quantity: u64,
    },
    Count {
        request: RequestId,
        sku: SkuId,
        site: SiteId,
        as_of: Sequence,
        counted: u64,
    },
    Place(Placement),
    Confirm {
        order: OrderId,
        attempt: ChangeId,
    },
    Extend {
        order: OrderId,
        until: Timestamp,
        reason: ExtendReason,
    },
    SetReservations {
        market: MarketId,
        reservations: Reservations,
    },
    SetChannelCap {
        market: MarketId,
        sku: SkuId,
        channel: u16,
        units_max: Option<u32>,
    },
    Hold {
        order: OrderId,
        owner: &'static str,
        reason: HoldReason,
    },
    Lift {
        order: OrderId,
        owner: &'static str,
        reason: HoldReason,
    },
    Cancel {
        order: OrderId,
        block: bool,
    },
    CancelLines {
        order: OrderId,
        change: ChangeId,
        lines: Vec<LineQuantity>,
    },
    Edit {
        order: OrderId,
        change: ChangeId,
        zone: Option<u16>,
        prices: Vec<LinePrice>,
        remove: Vec<LineQuantity>,
        add: Vec<Line>,
    },
    HandOver {
        order: OrderId,
        change: ChangeId,
        lines: Vec<LineQuantity>,
    },
    Return {
        order: OrderId,
        change: ChangeId,
        lines: Vec<LineQuantity>,
    },
    Delivered {
        order: OrderId,
        change: ChangeId,
        lines: Vec<LineQuantity>,
    },
    ComeBack {
        order: OrderId,
        id: ChangeId,
        step: Step,
    },
    ReportEffect {
        order: OrderId,
        effect: Effect,
        attempt: u32,
        report: Report,
    },
    StartPayment {
        order: OrderId,
        attempt: ChangeId,
        method: PaymentMethod,
    },
    ReportPayment {
        order: OrderId,
        attempt: ChangeId,
        method: PaymentMethod,
        currency: Currency,
        report: PaymentReport,
    },
    RequestRefund {
        order: OrderId,
        change: ChangeId,
        amount: Price,
    },
    /// With the orders of theirs that were known when it was first asked.
    Erase {
        whose: Whose,
        known: Vec<OrderId>,
    },
    Look {
        order: OrderId,
    },
}

#[derive(Debug, Clone)]
pub(crate) struct Placement {
    pub(crate) order: OrderId,
    pub(crate) take: Take,
    pub(crate) hold_ms: u32,
    pub(crate) payment: PaymentMethod,
    pub(crate) lines: Vec<Line>,
    pub(crate) details: Vec<u8>,
}

/// What became of it, as a client was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Answered(Answer, Vec<u32>),
    Seen,
    Refused(Refused),
}

impl Ask {
    pub(crate) fn market(&self) -> MarketId {
        match self {
            Self::OpenMarket { market }
            | Self::CreateSite { market }
            | Self::CreateSku { market, .. }
            | Self::DefineKit { market, .. }
            | Self::SetRetention { market, .. }
            | Self::SetEffects { market, .. }
            | Self::SetReservations { market, .. }
            | Self::SetChannelCap { market, .. }
            | Self::SetPolicy { market, .. } => *market,
            Self::Receive { request, .. }
            | Self::Adjust { request, .. }
            | Self::Move { request, .. }
            | Self::Count { request, .. } => request.market(),
            Self::Place(placement) => placement.order.market(),
            Self::Erase { whose, .. } => whose.market(),
            Self::Confirm { order, .. }
            | Self::Extend { order, .. }
            | Self::Hold { order, .. }
            | Self::Lift { order, .. }
            | Self::Cancel { order, .. }
            | Self::CancelLines { order, .. }
            | Self::Edit { order, .. }
            | Self::HandOver { order, .. }
            | Self::Return { order, .. }
            | Self::ReportEffect { order, .. }
            | Self::StartPayment { order, .. }
            | Self::ReportPayment { order, .. }
            | Self::RequestRefund { order, .. }
            | Self::Delivered { order, .. }
            | Self::ComeBack { order, .. }
            | Self::Look { order } => order.market(),
        }
    }

    pub(crate) fn request(&self) -> Request<'_> {
        Request::Command(match *self {
            Self::OpenMarket { market } => Command::OpenMarket { market, code: "a market" },
            Self::CreateSite { market } => Command::CreateSite { market, rank: 1, code: "second" },
            Self::CreateSku { market, ref code } => Command::CreateSku { market, code },
            Self::DefineKit { market, ref code, ref components } => Command::DefineKit { market, code, components },
            Self::SetRetention { market, retention } => Command::SetRetention { market, retention },
            Self::SetPolicy { market, sku, policy } => Command::SetPolicy { market, sku, policy },
            Self::SetEffects { market, effects } => Command::SetEffects { market, effects },
            Self::ReportEffect { order, effect, attempt, report } => {
                Command::ReportEffect { order, effect, attempt, report }
            }
            Self::Receive { request, sku, site, quantity } => Command::Receive { request, sku, site, quantity },
            Self::Adjust { request, sku, site, delta } => {
                Command::Adjust { request, sku, site, delta, reason: AdjustReason::Count }
            }
            Self::Move { request, sku, from, to, quantity } => Command::MoveStock { request, sku, from, to, quantity },
            Self::Count { request, sku, site, as_of, counted } => {
                Command::ReportCount { request, sku, site, as_of, counted }
            }
            Self::Place(ref placement) => Command::Place(placement.command()),
            Self::Confirm { order, attempt } => Command::Confirm { order, attempt },
            Self::Extend { order, until, reason } => Command::Extend { order, until, reason },
            Self::SetReservations { market, reservations } => Command::SetReservations { market, reservations },
            Self::SetChannelCap { market, sku, channel, units_max } => {
                Command::SetChannelCap { market, sku, channel, units_max }
            }
            Self::Hold { order, owner, reason } => Command::HoldOrder { order, owner, reason, note: NOTE },
            Self::Lift { order, owner, reason } => Command::LiftHold { order, owner, reason },
            Self::Cancel { order, block } => Command::Cancel { order, block },
            Self::CancelLines { order, change, ref lines } => Command::CancelLines { order, change, lines },
            Self::Edit { order, change, zone, ref prices, ref remove, ref add } => {
                Command::EditOrder { order, change, edit: Edit { zone, prices, remove, add } }
            }
            Self::HandOver { order, change, ref lines } => Command::HandOver { order, change, lines },
            Self::Return { order, change, ref lines } => {
                Command::ReturnToStock { order, change, site: SiteId(1), lines }
            }
            Self::Delivered { order, change, ref lines } => Command::ReportDelivered { order, change, lines },
            Self::ComeBack { order, id, ref step } => Command::Return { order, id, what: step.command() },
            Self::StartPayment { order, attempt, method } => Command::StartPayment { order, attempt, method },
            Self::ReportPayment { order, attempt, method, currency, report } => {
                Command::ReportPayment { order, attempt, method, currency, report }
            }
            Self::RequestRefund { order, change, amount } => Command::RequestRefund { order, change, amount },
            Self::Erase { whose, .. } => Command::Erase { whose },
            Self::Look { order } => return Request::Query(Query::Order { order }),
        })
    }
}

/// What every hold is noted with.
const NOTE: &str = "somebody has to look";

/// Whose order it is: one of seven is a guest's.
pub(crate) fn customer_of(order: OrderId) -> CustomerKey {
    CustomerKey(order.bits() % 7)
}

/// Every byte of the details of an order.
pub(crate) fn detail_of(order: OrderId) -> u8 {
    (order.bits() >> 8) as u8
}

impl Placement {
    fn command(&self) -> Place<'_> {
        Place {
            order: self.order,
            customer: customer_of(self.order),
            take: self.take,
            hold_ms: self.hold_ms,
            currency: pounds(),
            payment: self.payment,
            channel: (self.order.bits() % 3) as u16,
            zone: 2,
            hashes: None,
            lines: &self.lines,
            details: &self.details,
            key: None,
        }
    }
}
