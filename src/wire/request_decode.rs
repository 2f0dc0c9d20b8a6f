//! Records to requests: what a server reads. The other direction is `request_encode`.
//!
//! # Always true
//! - Whatever the bytes, the outcome is a request or a refusal.
//! - What is checked here is bytes: lengths, UTF-8, enumerations, zeroes. What a value may be is the engine's to say.

use rkyv::rend::unaligned::u32_ule;

use super::edit::{EditScratch, decode_edit};
use super::effects::{effect, flag};
use super::hold::{read_hold, read_lift};
use super::layout::{ArchivedRecordHead, Body, Malformed, kind_and_version};
use super::payment::{read_start, report_payment, request_refund};
use super::refused::{Part, Refused};
use super::request_records::{
    ArchivedAdjustV1, ArchivedAssignMarketV1, ArchivedCancelV1, ArchivedChangeLinesV1, ArchivedChannelCapsQueryV1,
    ArchivedComponentV1, ArchivedConfirmV1, ArchivedCountStockV1, ArchivedCreateSiteV1, ArchivedCreateSkuV1,
    ArchivedCustomerOrdersV1, ArchivedDefineKitV1, ArchivedEraseV1, ArchivedExtendV2, ArchivedHashesV1,
    ArchivedHoldersQueryV1, ArchivedLineQuantityV1, ArchivedLineV1, ArchivedMarketQueryV1, ArchivedMoveStockV1,
    ArchivedOpenOrdersV1, ArchivedOrderByNumberV1, ArchivedOrderHistoryQueryV1, ArchivedOrderQueryV1, ArchivedPlaceV1,
    ArchivedPolicyQueryV1, ArchivedReceiveV1, ArchivedReportCountV1, ArchivedReportEffectV2, ArchivedResolveSkusV1,
    ArchivedReturnToStockV1, ArchivedSetChannelCapV1, ArchivedSetEffectsV2, ArchivedSetPolicyV2,
    ArchivedSetReservationsV2, ArchivedSetRetentionV1, ArchivedSkusQueryV1, ArchivedStockQueryV1,
    ArchivedWantedQueryV1, PLACE_HAS_HASHES, RequestKind,
};
use super::returns::decode_return;
use super::task::read_tasks_query;
use super::velocity::{read_velocity_query, set_velocity};
use crate::base::{
    ChangeId, Codes, Currency, CustomerKey, MarketId, OrderId, OrderNumber, RequestId, Sequence, SiteId, SkuId,
    Timestamp,
};
use crate::engine::choices::{AdjustReason, PaymentMethod, Take};
use crate::engine::command::IdentityHashes;
use crate::engine::{Command, Component, ExtendReason, Line, LineQuantity, Place, Query, Reservations, Retention};

/// A request as it came off the wire, borrowing from its record and from [`Scratch`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decoded<'a> {
    Command(Command<'a>),
    Query(Query<'a>),
    Status,
}

/// Arrays of the record being decoded.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    lines: Vec<Line>,
    quantities: Vec<LineQuantity>,
    edit: EditScratch,
    skus: Vec<SkuId>,
    components: Vec<Component>,
    ends: Vec<u32>,
}

type Read<T> = Result<T, Malformed>;

/// Decodes one record whose length was already found to be inside its frame.
pub(super) fn decode_request<'a>(record: &'a [u8], scratch: &'a mut Scratch) -> Result<Decoded<'a>, Refused> {
    let (kind, version) = kind_and_version(record);
    let known = RequestKind::from_byte(kind).ok_or(Refused::UnknownKind { kind })?;
    if version != known.version() {
        return Err(Refused::UnknownVersion { kind, version });
    }
    Ok(decode_kind(known, record, scratch)?)
}

fn decode_kind<'a>(kind: RequestKind, record: &'a [u8], scratch: &'a mut Scratch) -> Read<Decoded<'a>> {
    let command = match kind {
        RequestKind::Place => place(record, scratch)?,
        RequestKind::AssignMarket => Command::AssignMarket { code: market_code(record)? },
        RequestKind::CreateSite => create_site(record)?,
        RequestKind::CreateSku => create_sku(record)?,
        RequestKind::DefineKit => define_kit(record, scratch)?,
        RequestKind::SetPolicy => set_policy(record)?,
        RequestKind::SetRetention => set_retention(record)?,
        RequestKind::SetEffects => set_effects(record)?,
        RequestKind::Extend => extend(record)?,
        RequestKind::SetReservations => set_reservations(record)?,
        RequestKind::SetChannelCap => set_channel_cap(record)?,
        RequestKind::SetVelocity => set_velocity(record)?,
        RequestKind::ReportEffect => report_effect(record)?,
        RequestKind::Receive => receive(record)?,
        RequestKind::Adjust => adjust(record)?,
        RequestKind::MoveStock => move_stock(record)?,
        RequestKind::CountStock => count_stock(record)?,
        RequestKind::ReportCount => report_count(record)?,
        RequestKind::Confirm => confirm(record)?,
        RequestKind::Cancel => cancel(record)?,
        RequestKind::Erase => Command::Erase { whose: Body::alone::<ArchivedEraseV1>(record)?.whose.read()? },
        RequestKind::HoldOrder => {
            let (order, owner, reason, note) = read_hold(record)?;
            Command::HoldOrder { order, owner, reason, note }
        }
        RequestKind::LiftHold => {
            let (order, owner, reason) = read_lift(record)?;
            Command::LiftHold { order, owner, reason }
        }
        RequestKind::StartPayment => {
            let (order, attempt, method) = read_start(record)?;
            Command::StartPayment { order, attempt, method }
        }
        RequestKind::ReportPayment => report_payment(record)?,
        RequestKind::RequestRefund => request_refund(record)?,
        RequestKind::CancelLines => {
            let (order, change, lines) = change_lines(record, scratch)?;
            Command::CancelLines { order, change, lines }
        }
        RequestKind::HandOver => {
            let (order, change, lines) = change_lines(record, scratch)?;
            Command::HandOver { order, change, lines }
        }
        RequestKind::EditOrder => {
            decode_edit(record, &mut scratch.edit, (&mut scratch.quantities, &mut scratch.lines))?
        }
        RequestKind::ReturnToStock => return_to_stock(record, scratch)?,
        RequestKind::ReportDelivered => {
            let (order, change, lines) = change_lines(record, scratch)?;
            Command::ReportDelivered { order, change, lines }
        }
        RequestKind::RequestReturn
        | RequestKind::ReportReturn
        | RequestKind::ReceiveReturn
        | RequestKind::InspectReturn => decode_return(kind, record, &mut scratch.quantities)?,
        RequestKind::Status => {
            Body::alone::<ArchivedRecordHead>(record)?;
            return Ok(Decoded::Status);
        }
        RequestKind::Stock
        | RequestKind::Availability
        | RequestKind::ResolveSkus
        | RequestKind::Sites
        | RequestKind::Skus
        | RequestKind::Recipe
        | RequestKind::Order
        | RequestKind::OrderByNumber
        | RequestKind::OpenOrders
        | RequestKind::HeldOrders
        | RequestKind::Tasks
        | RequestKind::Velocity
        | RequestKind::Waits
        | RequestKind::CustomerOrders
        | RequestKind::Holders
        | RequestKind::OrderHistory
        | RequestKind::Books
        | RequestKind::Policy
        | RequestKind::Retention
        | RequestKind::Effects
        | RequestKind::Reservations
        | RequestKind::ChannelCaps
        | RequestKind::Wanted
        | RequestKind::Market => return decode_query(kind, record, scratch).map(Decoded::Query),
    };
    Ok(Decoded::Command(command))
}

fn place<'a>(record: &'a [u8], scratch: &'a mut Scratch) -> Read<Command<'a>> {
    let (fixed, mut body) = Body::of::<ArchivedPlaceV1>(record)?;
    if fixed.flags & !PLACE_HAS_HASHES != 0 {
        return Err(Malformed(Part::Flags));
    }
    scratch.lines.clear();
    body.array(usize::from(fixed.lines.to_native()), &mut scratch.lines, |line: &ArchivedLineV1| Ok(line.read()))?;
    let hashes = read_hashes(fixed.flags & PLACE_HAS_HASHES != 0, &mut body)?;
    let details = body.blob(usize::from(fixed.details_len.to_native()))?;
    body.end()?;
    Ok(Command::Place(Place {
        order: OrderId::from_bits(fixed.order.to_native()),
        customer: CustomerKey(fixed.customer.to_native()),
        take: Take::from_byte(fixed.take).ok_or(Malformed(Part::Take))?,
        hold_ms: fixed.hold_ms.to_native(),
        currency: Currency::new(fixed.currency).map_err(|_| Malformed(Part::Currency))?,
        payment: PaymentMethod::from_byte(fixed.payment).ok_or(Malformed(Part::Payment))?,
        channel: fixed.channel.to_native(),
        zone: fixed.zone.to_native(),
        hashes,
        lines: &scratch.lines,
        details,
        key: None,
    }))
}

/// The tail of hashes, if it is there.
pub(super) fn read_hashes(there: bool, body: &mut Body<'_>) -> Read<Option<IdentityHashes>> {
    if !there {
        return Ok(None);
    }
    let hashes = body.one::<ArchivedHashesV1>()?;
    let (account, address) = (hashes.account.to_native(), hashes.address.to_native());
    Ok(Some(IdentityHashes { account, address, instrument: hashes.instrument.to_native() }))
}

/// A market's number, when it is one.
pub(super) fn market(number: u32) -> Read<MarketId> {
    MarketId::new(number).ok_or(Malformed(Part::Market))
}

/// A log time, when it is one.
pub(super) fn time(ms: u64) -> Read<Timestamp> {
    if ms <= Timestamp::MAX.ms() { Ok(Timestamp::from_ms(ms)) } else { Err(Malformed(Part::Value)) }
}

fn market_code(record: &[u8]) -> Read<&str> {
    let (fixed, mut body) = Body::of::<ArchivedAssignMarketV1>(record)?;
    let code = body.text(usize::from(fixed.code_len.to_native()))?;
    body.end()?;
    Ok(code)
}

fn create_site(record: &[u8]) -> Read<Command<'_>> {
    let (fixed, mut body) = Body::of::<ArchivedCreateSiteV1>(record)?;
    let code = body.text(usize::from(fixed.code_len.to_native()))?;
    body.end()?;
    Ok(Command::CreateSite { market: market(fixed.market.to_native())?, rank: fixed.rank.to_native(), code })
}

fn create_sku(record: &[u8]) -> Read<Command<'_>> {
    let (fixed, mut body) = Body::of::<ArchivedCreateSkuV1>(record)?;
    let code = body.text(usize::from(fixed.code_len.to_native()))?;
    body.end()?;
    Ok(Command::CreateSku { market: market(fixed.market.to_native())?, code })
}

fn define_kit<'a>(record: &'a [u8], scratch: &'a mut Scratch) -> Read<Command<'a>> {
    let (fixed, mut body) = Body::of::<ArchivedDefineKitV1>(record)?;
    scratch.components.clear();
    body.array::<ArchivedComponentV1, _>(usize::from(fixed.components.to_native()), &mut scratch.components, |part| {
        Ok(Component { sku: SkuId(part.sku.to_native()), units: part.units.to_native() })
    })?;
    let code = body.text(usize::from(fixed.code_len.to_native()))?;
    body.end()?;
    Ok(Command::DefineKit { market: market(fixed.market.to_native())?, code, components: &scratch.components })
}

fn set_retention(record: &[u8]) -> Read<Command<'_>> {
    let fixed = Body::alone::<ArchivedSetRetentionV1>(record)?;
    let (return_window_ms, ids_kept_ms) = (fixed.return_window_ms.to_native(), fixed.ids_kept_ms.to_native());
    let market = market(fixed.market.to_native())?;
    Ok(Command::SetRetention { market, retention: Retention { return_window_ms, ids_kept_ms } })
}

fn set_policy(record: &[u8]) -> Read<Command<'_>> {
    let fixed = Body::alone::<ArchivedSetPolicyV2>(record)?;
    let (market, sku) = (market(fixed.market.to_native())?, SkuId(fixed.sku.to_native()));
    Ok(Command::SetPolicy { market, sku, policy: fixed.policy.read()? })
}

fn set_effects(record: &[u8]) -> Read<Command<'_>> {
    let fixed = Body::alone::<ArchivedSetEffectsV2>(record)?;
    Ok(Command::SetEffects { market: market(fixed.market.to_native())?, effects: fixed.effects.read()? })
}

fn extend(record: &[u8]) -> Read<Command<'_>> {
    let fixed = Body::alone::<ArchivedExtendV2>(record)?;
    let (order, until) = (OrderId::from_bits(fixed.order.to_native()), time(fixed.until.to_native())?);
    let reason = ExtendReason::from_byte(fixed.reason).ok_or(Malformed(Part::ExtendReason))?;
    Ok(Command::Extend { order, until, reason })
}

fn set_reservations(record: &[u8]) -> Read<Command<'_>> {
    let fixed = Body::alone::<ArchivedSetReservationsV2>(record)?;
    let (activity_ms_max, payment_ms_max) = (fixed.activity_ms_max.to_native(), fixed.payment_ms_max.to_native());
    let unpaid_ms = fixed.unpaid_ms.map(u32_ule::to_native);
    let market = market(fixed.market.to_native())?;
    Ok(Command::SetReservations { market, reservations: Reservations { activity_ms_max, payment_ms_max, unpaid_ms } })
}

fn set_channel_cap(record: &[u8]) -> Read<Command<'_>> {
    let fixed = Body::alone::<ArchivedSetChannelCapV1>(record)?;
    let (market, sku) = (market(fixed.market.to_native())?, SkuId(fixed.sku.to_native()));
    let units_max = cap(fixed.capped, fixed.units_max.to_native())?;
    Ok(Command::SetChannelCap { market, sku, channel: fixed.channel.to_native(), units_max })
}

/// A cap, or that there is none.
pub(super) const fn cap(capped: u8, units_max: u32) -> Read<Option<u32>> {
    match (capped, units_max) {
        (0, 0) => Ok(None),
        (1, units_max) => Ok(Some(units_max)),
        _ => Err(Malformed(Part::Capped)),
    }
}

fn report_effect(record: &[u8]) -> Read<Command<'_>> {
    let fixed = Body::alone::<ArchivedReportEffectV2>(record)?;
    let (order, attempt) = (OrderId::from_bits(fixed.order.to_native()), fixed.attempt.to_native());
    let (effect, report) = fixed.report.read()?;
    Ok(Command::ReportEffect { order, effect, attempt, report })
}

fn receive(record: &[u8]) -> Read<Command<'_>> {
    let fixed = Body::alone::<ArchivedReceiveV1>(record)?;
    Ok(Command::Receive {
        request: RequestId::from_bits(fixed.request.to_native()),
        sku: SkuId(fixed.sku.to_native()),
        site: SiteId(fixed.site.to_native()),
        quantity: fixed.quantity.to_native(),
    })
}

fn adjust(record: &[u8]) -> Read<Command<'_>> {
    let fixed = Body::alone::<ArchivedAdjustV1>(record)?;
    Ok(Command::Adjust {
        request: RequestId::from_bits(fixed.request.to_native()),
        sku: SkuId(fixed.sku.to_native()),
        site: SiteId(fixed.site.to_native()),
        delta: fixed.delta.to_native(),
        reason: AdjustReason::from_byte(fixed.reason).ok_or(Malformed(Part::Reason))?,
    })
}

fn move_stock(record: &[u8]) -> Read<Command<'_>> {
    let fixed = Body::alone::<ArchivedMoveStockV1>(record)?;
    Ok(Command::MoveStock {
        request: RequestId::from_bits(fixed.request.to_native()),
        sku: SkuId(fixed.sku.to_native()),
        from: fixed.from.read()?,
        to: fixed.to.read()?,
        quantity: fixed.quantity.to_native(),
    })
}

fn count_stock(record: &[u8]) -> Read<Command<'_>> {
    let fixed = Body::alone::<ArchivedCountStockV1>(record)?;
    Ok(Command::CountStock {
        request: RequestId::from_bits(fixed.request.to_native()),
        sku: SkuId(fixed.sku.to_native()),
        site: SiteId(fixed.site.to_native()),
        expected: fixed.expected.to_native(),
        counted: fixed.counted.to_native(),
    })
}

fn report_count(record: &[u8]) -> Read<Command<'_>> {
    let fixed = Body::alone::<ArchivedReportCountV1>(record)?;
    Ok(Command::ReportCount {
        request: RequestId::from_bits(fixed.request.to_native()),
        sku: SkuId(fixed.sku.to_native()),
        site: SiteId(fixed.site.to_native()),
        as_of: Sequence(fixed.as_of.to_native()),
        counted: fixed.counted.to_native(),
    })
}

fn confirm(record: &[u8]) -> Read<Command<'_>> {
    let fixed = Body::alone::<ArchivedConfirmV1>(record)?;
    let order = OrderId::from_bits(fixed.order.to_native());
    Ok(Command::Confirm { order, attempt: ChangeId(fixed.attempt.to_native()) })
}

fn cancel(record: &[u8]) -> Read<Command<'_>> {
    let fixed = Body::alone::<ArchivedCancelV1>(record)?;
    let block = match fixed.block {
        0 => false,
        1 => true,
        _ => return Err(Malformed(Part::Block)),
    };
    Ok(Command::Cancel { order: OrderId::from_bits(fixed.order.to_native()), block })
}

fn quantities<'s>(count: u16, body: &mut Body<'_>, scratch: &'s mut Scratch) -> Read<&'s [LineQuantity]> {
    scratch.quantities.clear();
    body.array::<ArchivedLineQuantityV1, _>(usize::from(count), &mut scratch.quantities, |line| {
        Ok(LineQuantity { line: line.line.to_native(), quantity: line.quantity.to_native() })
    })?;
    Ok(&scratch.quantities)
}

fn change_lines<'s>(record: &[u8], scratch: &'s mut Scratch) -> Read<(OrderId, ChangeId, &'s [LineQuantity])> {
    let (fixed, mut body) = Body::of::<ArchivedChangeLinesV1>(record)?;
    let lines = quantities(fixed.lines.to_native(), &mut body, scratch)?;
    body.end()?;
    Ok((OrderId::from_bits(fixed.order.to_native()), ChangeId(fixed.change.to_native()), lines))
}

fn return_to_stock<'s>(record: &[u8], scratch: &'s mut Scratch) -> Read<Command<'s>> {
    let (fixed, mut body) = Body::of::<ArchivedReturnToStockV1>(record)?;
    let lines = quantities(fixed.lines.to_native(), &mut body, scratch)?;
    body.end()?;
    Ok(Command::ReturnToStock {
        order: OrderId::from_bits(fixed.order.to_native()),
        change: ChangeId(fixed.change.to_native()),
        site: SiteId(fixed.site.to_native()),
        lines,
    })
}

fn decode_query<'a>(kind: RequestKind, record: &'a [u8], scratch: &'a mut Scratch) -> Read<Query<'a>> {
    Ok(match kind {
        RequestKind::Stock => {
            let (market, skus) = sku_list(record, scratch)?;
            Query::Stock { market, skus }
        }
        RequestKind::Availability => {
            let (market, skus) = sku_list(record, scratch)?;
            Query::Availability { market, skus }
        }
        RequestKind::ResolveSkus => resolve_skus(record, scratch)?,
        RequestKind::Skus => {
            let fixed = Body::alone::<ArchivedSkusQueryV1>(record)?;
            let after = SkuId(fixed.after.to_native());
            Query::Skus { market: market(fixed.market.to_native())?, after, rows_max: fixed.rows_max.to_native() }
        }
        RequestKind::Order | RequestKind::Waits => {
            let order = OrderId::from_bits(Body::alone::<ArchivedOrderQueryV1>(record)?.order.to_native());
            if kind == RequestKind::Order { Query::Order { order } } else { Query::Waits { order } }
        }
        RequestKind::OrderByNumber => {
            let fixed = Body::alone::<ArchivedOrderByNumberV1>(record)?;
            let number = OrderNumber(fixed.number.to_native());
            Query::OrderByNumber { market: market(fixed.market.to_native())?, number }
        }
        RequestKind::CustomerOrders => {
            let fixed = Body::alone::<ArchivedCustomerOrdersV1>(record)?;
            let (market, customer) = (market(fixed.market.to_native())?, CustomerKey(fixed.customer.to_native()));
            let before = OrderNumber(fixed.before.to_native());
            Query::CustomerOrders { market, customer, before, rows_max: fixed.rows_max.to_native() }
        }
        RequestKind::Holders => {
            let fixed = Body::alone::<ArchivedHoldersQueryV1>(record)?;
            let (market, sku) = (market(fixed.market.to_native())?, SkuId(fixed.sku.to_native()));
            let after = OrderNumber(fixed.after.to_native());
            Query::Holders { market, sku, after, rows_max: fixed.rows_max.to_native() }
        }
        RequestKind::OrderHistory => {
            let fixed = Body::alone::<ArchivedOrderHistoryQueryV1>(record)?;
            let (order, after) = (OrderId::from_bits(fixed.order.to_native()), fixed.after.to_native());
            Query::OrderHistory { order, after, rows_max: fixed.rows_max.to_native() }
        }
        RequestKind::ChannelCaps => {
            let fixed = Body::alone::<ArchivedChannelCapsQueryV1>(record)?;
            let (market, sku) = (market(fixed.market.to_native())?, SkuId(fixed.sku.to_native()));
            Query::ChannelCaps { market, sku, after: fixed.after.to_native(), rows_max: fixed.rows_max.to_native() }
        }
        RequestKind::OpenOrders | RequestKind::HeldOrders => {
            let fixed = Body::alone::<ArchivedOpenOrdersV1>(record)?;
            let (market, rows_max) = (market(fixed.market.to_native())?, fixed.rows_max.to_native());
            let (after, held) = (OrderNumber(fixed.after.to_native()), kind == RequestKind::HeldOrders);
            match held {
                true => Query::HeldOrders { market, after, rows_max },
                false => Query::OpenOrders { market, after, rows_max },
            }
        }
        RequestKind::Tasks => read_tasks_query(record)?,
        RequestKind::Velocity => read_velocity_query(record)?,
        RequestKind::Sites => Query::Sites { market: market_query(record)? },
        RequestKind::Policy | RequestKind::Recipe => {
            let fixed = Body::alone::<ArchivedPolicyQueryV1>(record)?;
            let (market, sku) = (market(fixed.market.to_native())?, SkuId(fixed.sku.to_native()));
            if kind == RequestKind::Policy { Query::Policy { market, sku } } else { Query::Recipe { market, sku } }
        }
        RequestKind::Retention => Query::Retention { market: market_query(record)? },
        RequestKind::Effects => Query::Effects { market: market_query(record)? },
        RequestKind::Reservations => Query::Reservations { market: market_query(record)? },
        RequestKind::Wanted => {
            let fixed = Body::alone::<ArchivedWantedQueryV1>(record)?;
            let market = market(fixed.market.to_native())?;
            Query::Wanted {
                market: (market != MarketId::default()).then_some(market),
                effect: effect(fixed.effect)?,
                aside: flag(fixed.aside)?,
                after: fixed.after.to_native(),
                rows_max: fixed.rows_max.to_native(),
            }
        }
        RequestKind::Market => Query::Market { code: market_code(record)? },
        _ => Query::Books { market: market_query(record)? },
    })
}

fn market_query(record: &[u8]) -> Read<MarketId> {
    market(Body::alone::<ArchivedMarketQueryV1>(record)?.market.to_native())
}

fn sku_list<'s>(record: &[u8], scratch: &'s mut Scratch) -> Read<(MarketId, &'s [SkuId])> {
    let (fixed, mut body) = Body::of::<ArchivedStockQueryV1>(record)?;
    scratch.skus.clear();
    body.array::<u32_ule, _>(usize::from(fixed.skus.to_native()), &mut scratch.skus, |sku| Ok(SkuId(sku.to_native())))?;
    body.end()?;
    Ok((market(fixed.market.to_native())?, &scratch.skus))
}

fn resolve_skus<'a>(record: &'a [u8], scratch: &'a mut Scratch) -> Read<Query<'a>> {
    let (fixed, mut body) = Body::of::<ArchivedResolveSkusV1>(record)?;
    let lengths = body.blob(usize::from(fixed.codes.to_native()))?;
    scratch.ends.clear();
    let mut end = 0;
    for length in lengths {
        end += u32::from(*length);
        scratch.ends.push(end);
    }
    let text = body.text(end as usize)?;
    body.end()?;
    let codes = Codes::new(text, &scratch.ends).ok_or(Malformed(Part::Code))?;
    Ok(Query::ResolveSkus { market: market(fixed.market.to_native())?, codes })
}
