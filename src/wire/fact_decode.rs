//! Records of the log back to facts: what recovery, audit and dump read.
//!
//! # Always true
//! - Whatever the bytes, the outcome is facts and at most one error, after which nothing follows.
//! - Nothing is allocated per fact: arrays land in a [`FactScratch`] that is used again.
//! # Not here
//! - Whether an entry's checksum is right: `wal`. Records are checked all the same.

use rkyv::rend::unaligned::u32_ule;

use super::edit::{EditScratch, edited};
use super::fact_records::{
    ArchivedAdjustedV1, ArchivedChangeFactV1, ArchivedChannelCapSetV1, ArchivedCountReportedV1, ArchivedCursorMovedV1,
    ArchivedDrawV1, ArchivedEffectReportedV2, ArchivedEffectsSetV2, ArchivedErasedFactV1, ArchivedExtendedFactV2,
    ArchivedFactComponentV1, ArchivedFactHashesV1, ArchivedFactLineV1, ArchivedFilledV1, ArchivedKeyNameV1,
    ArchivedKitDefinedV1, ArchivedMarketAssignedV1, ArchivedMarketOpenedV1, ArchivedOrderFactV1,
    ArchivedOrderPutBackV1, ArchivedOrdersFactV1, ArchivedPlacedFactV2, ArchivedPolicySetV2, ArchivedReceivedV1,
    ArchivedReservationsSetV2, ArchivedRetakeFailedV1, ArchivedRetentionSetV1, ArchivedRetiredV1, ArchivedReturnedV1,
    ArchivedSiteCreatedV1, ArchivedSkuCreatedV1, ArchivedStockCountedV1, ArchivedStockLevelChangedV1,
    ArchivedStockMovedV1, FactKind, PLACED_CONFIRMED, PLACED_HAS_HASHES,
};
use super::hold::{read_hold, read_lift};
use super::layout::{Body, Malformed, kind_and_version, split_record};
use super::payment::{confirmed, payment_reported, payment_started, refund_requested};
use super::record_error::RecordError;
use super::refused::Part;
use super::request_decode::{cap, time};
use super::returns::{delivered, return_inspected, return_received, return_requested, return_told};
use super::velocity::velocity_set;
use crate::base::{
    ChangeId, Currency, CustomerKey, KeyName, MarketId, OrderId, RequestId, Sequence, ShardId, SiteId, SkuId,
};
use crate::engine::choices::{AdjustReason, PaymentMethod, Take};
use crate::engine::command::IdentityHashes;
use crate::engine::fact::Change;
use crate::engine::{
    Component, Draw, ExtendReason, Fact, Line, LineQuantity, Placed, Reservations, Retention, StockLevel,
};

/// Arrays of the fact being read. Keep one for all entries.
#[derive(Debug, Default)]
pub struct FactScratch {
    lines: Vec<Line>,
    quantities: Vec<LineQuantity>,
    draws: Vec<Draw>,
    edit: EditScratch,
    orders: Vec<OrderId>,
    components: Vec<Component>,
}

/// Reads the facts of one entry, one after the other.
#[derive(Debug)]
pub struct FactReader<'b> {
    bytes: &'b [u8],
    at: usize,
    scratch: &'b mut FactScratch,
}

type Read<T> = Result<T, Malformed>;

impl<'b> FactReader<'b> {
    /// Reads `bytes`, the payload of one entry.
    pub const fn new(bytes: &'b [u8], scratch: &'b mut FactScratch) -> Self {
        Self { bytes, at: 0, scratch }
    }

    /// The next fact; it lives until the next call. After an error nothing follows.
    ///
    /// Not an [`Iterator`]: a fact borrows the reader.
    #[expect(clippy::should_implement_trait, reason = "an iterator cannot lend what it yields")]
    pub fn next(&mut self) -> Option<Result<Fact<'_>, RecordError>> {
        let at = self.at;
        let rest = self.bytes.get(at..).filter(|rest| !rest.is_empty())?;
        let Some((record, _)) = split_record(rest) else {
            self.at = self.bytes.len();
            return Some(Err(RecordError::Length { at }));
        };
        self.at = at + record.len();
        let end = self.bytes.len();
        let fact = decode_fact(record, at, self.scratch);
        if fact.is_err() {
            self.at = end;
        }
        Some(fact)
    }

    /// Where the next record begins.
    #[must_use]
    pub const fn position(&self) -> usize {
        self.at
    }
}

fn decode_fact<'a>(record: &'a [u8], at: usize, scratch: &'a mut FactScratch) -> Result<Fact<'a>, RecordError> {
    let (kind, version) = kind_and_version(record);
    let known = FactKind::from_byte(kind).ok_or(RecordError::UnknownKind { at, kind })?;
    if version != known.version() {
        return Err(RecordError::UnknownVersion { at, kind, version, reads: known.version() });
    }
    decode_kind(known, record, scratch).map_err(|Malformed(part)| RecordError::Malformed { at, kind, part })
}

fn decode_kind<'a>(kind: FactKind, record: &'a [u8], scratch: &'a mut FactScratch) -> Read<Fact<'a>> {
    match kind {
        FactKind::Placed => placed(record, scratch),
        FactKind::Confirmed => confirmed(record, &mut scratch.draws),
        FactKind::Cancelled => Ok(Fact::Cancelled { order: order(record)? }),
        FactKind::Blocked => Ok(Fact::Blocked { order: order(record)? }),
        FactKind::Expired => Ok(Fact::Expired { order: order(record)? }),
        FactKind::RetakeFailed => retake_failed(record),
        FactKind::LinesCancelled => {
            let (order, change, draws) = change(record, scratch)?;
            Ok(Fact::LinesCancelled { order, change, draws })
        }
        FactKind::HandedOver => {
            let (order, change, draws) = change(record, scratch)?;
            Ok(Fact::HandedOver { order, change, draws })
        }
        FactKind::Edited => edited(record, &mut scratch.edit, (&mut scratch.lines, &mut scratch.draws)),
        FactKind::Returned => returned(record, scratch),
        FactKind::RetentionSet => retention_set(record),
        FactKind::PolicySet => policy_set(record),
        FactKind::EffectsSet => effects_set(record),
        FactKind::EffectReported => effect_reported(record),
        FactKind::Extended => extended(record),
        FactKind::ReservationsSet => reservations_set(record),
        FactKind::ChannelCapSet => channel_cap_set(record),
        FactKind::VelocitySet => velocity_set(record),
        FactKind::Filled => filled(record, scratch),
        FactKind::StockLevelChanged => stock_level_changed(record),
        FactKind::CursorMoved => cursor_moved(record),
        FactKind::Held => {
            let (order, owner, reason, note) = read_hold(record)?;
            Ok(Fact::Held { order, owner, reason, note })
        }
        FactKind::HoldLifted => {
            let (order, owner, reason) = read_lift(record)?;
            Ok(Fact::HoldLifted { order, owner, reason })
        }
        FactKind::PaymentStarted => payment_started(record),
        FactKind::PaymentReported => payment_reported(record, &mut scratch.draws),
        FactKind::RefundRequested => refund_requested(record),
        FactKind::Delivered => delivered(record, &mut scratch.quantities),
        FactKind::ReturnRequested => return_requested(record, &mut scratch.quantities),
        FactKind::ReturnTold => return_told(record),
        FactKind::ReturnReceived => return_received(record, &mut scratch.draws),
        FactKind::ReturnInspected => return_inspected(record, &mut scratch.draws),
        FactKind::Retired => retired(record),
        FactKind::Erased => Ok(Fact::Erased { whose: Body::alone::<ArchivedErasedFactV1>(record)?.whose.read()? }),
        FactKind::Closed => Ok(Fact::Closed { orders: orders(record, scratch)? }),
        FactKind::Left => Ok(Fact::Left { orders: orders(record, scratch)? }),
        FactKind::Received => received(record),
        FactKind::Adjusted => adjusted(record),
        FactKind::StockMoved => stock_moved(record),
        FactKind::StockCounted => stock_counted(record),
        FactKind::CountReported => count_reported(record),
        FactKind::OrderPutBack => order_put_back(record, scratch),
        FactKind::MarketAssigned => market_assigned(record),
        FactKind::MarketOpened => market_opened(record),
        FactKind::SiteCreated => site_created(record),
        FactKind::SkuCreated => sku_created(record),
        FactKind::KitDefined => kit_defined(record, scratch),
    }
}

fn placed<'a>(record: &'a [u8], scratch: &'a mut FactScratch) -> Read<Fact<'a>> {
    let (fixed, mut body) = Body::of::<ArchivedPlacedFactV2>(record)?;
    if fixed.flags & !(PLACED_HAS_HASHES | PLACED_CONFIRMED) != 0 {
        return Err(Malformed(Part::Flags));
    }
    scratch.lines.clear();
    body.array(usize::from(fixed.lines.to_native()), &mut scratch.lines, |line| Ok(read_line(line)))?;
    read_draws(fixed.draws.to_native(), &mut body, &mut scratch.draws)?;
    let hashes = read_hashes(fixed.flags & PLACED_HAS_HASHES != 0, &mut body)?;
    let (key, details) = read_sealed(usize::from(fixed.sealed_len.to_native()), &mut body)?;
    body.end()?;
    Ok(Fact::Placed(Placed {
        order: OrderId::from_bits(fixed.order.to_native()),
        customer: CustomerKey(fixed.customer.to_native()),
        take: Take::from_byte(fixed.take).ok_or(Malformed(Part::Take))?,
        hold_ms: fixed.hold_ms.to_native(),
        currency: Currency::new(fixed.currency).map_err(|_| Malformed(Part::Currency))?,
        payment: PaymentMethod::from_byte(fixed.payment).ok_or(Malformed(Part::Payment))?,
        channel: fixed.channel.to_native(),
        zone: fixed.zone.to_native(),
        confirmed: fixed.flags & PLACED_CONFIRMED != 0,
        hashes,
        lines: &scratch.lines,
        draws: &scratch.draws,
        details,
        key,
    }))
}

fn read_sealed<'a>(len: usize, body: &mut Body<'a>) -> Read<(Option<KeyName>, &'a [u8])> {
    if len == 0 {
        return Ok((None, &[]));
    }
    let name = body.one::<ArchivedKeyNameV1>()?;
    let key = KeyName { slot: name.slot.to_native(), generation: name.generation.to_native() };
    Ok((Some(key), body.blob(len)?))
}

const fn read_line(line: &ArchivedFactLineV1) -> Line {
    Line { sku: SkuId(line.sku.to_native()), quantity: line.quantity.to_native(), price: line.price.to_native() }
}

fn read_hashes(there: bool, body: &mut Body<'_>) -> Read<Option<IdentityHashes>> {
    if !there {
        return Ok(None);
    }
    let hashes = body.one::<ArchivedFactHashesV1>()?;
    let (account, address) = (hashes.account.to_native(), hashes.address.to_native());
    Ok(Some(IdentityHashes { account, address, instrument: hashes.instrument.to_native() }))
}

pub(super) fn read_draws(count: u16, body: &mut Body<'_>, out: &mut Vec<Draw>) -> Read<()> {
    out.clear();
    body.array::<ArchivedDrawV1, _>(usize::from(count), out, |draw| {
        let (line, site) = (draw.line.to_native(), SiteId(draw.site.to_native()));
        Ok(Draw { line, site, quantity: draw.quantity.to_native() })
    })
}

fn filled<'a>(record: &'a [u8], scratch: &'a mut FactScratch) -> Read<Fact<'a>> {
    let (fixed, mut body) = Body::of::<ArchivedFilledV1>(record)?;
    read_draws(fixed.draws.to_native(), &mut body, &mut scratch.draws)?;
    body.end()?;
    Ok(Fact::Filled { order: OrderId::from_bits(fixed.order.to_native()), draws: &scratch.draws })
}

fn order_put_back<'a>(record: &'a [u8], scratch: &'a mut FactScratch) -> Read<Fact<'a>> {
    let (fixed, mut body) = Body::of::<ArchivedOrderPutBackV1>(record)?;
    read_draws(fixed.draws.to_native(), &mut body, &mut scratch.draws)?;
    body.end()?;
    let (order, sku) = (OrderId::from_bits(fixed.order.to_native()), SkuId(fixed.sku.to_native()));
    Ok(Fact::OrderPutBack { order, sku, draws: &scratch.draws })
}

fn stock_level_changed(record: &[u8]) -> Read<Fact<'_>> {
    let fixed = Body::alone::<ArchivedStockLevelChangedV1>(record)?;
    Ok(Fact::StockLevelChanged {
        market: market(fixed.market.to_native())?,
        sku: SkuId(fixed.sku.to_native()),
        level: StockLevel::from_byte(fixed.level).ok_or(Malformed(Part::Level))?,
        for_sale: fixed.for_sale.to_native(),
    })
}

fn extended(record: &[u8]) -> Read<Fact<'_>> {
    let fixed = Body::alone::<ArchivedExtendedFactV2>(record)?;
    let deadline = time(fixed.deadline.to_native())?;
    let reason = ExtendReason::from_byte(fixed.reason).ok_or(Malformed(Part::ExtendReason))?;
    Ok(Fact::Extended { order: OrderId::from_bits(fixed.order.to_native()), deadline, reason })
}

fn reservations_set(record: &[u8]) -> Read<Fact<'_>> {
    let fixed = Body::alone::<ArchivedReservationsSetV2>(record)?;
    let (activity_ms_max, payment_ms_max) = (fixed.activity_ms_max.to_native(), fixed.payment_ms_max.to_native());
    let (unpaid_ms, market) = (fixed.unpaid_ms.map(u32_ule::to_native), market(fixed.market.to_native())?);
    Ok(Fact::ReservationsSet { market, reservations: Reservations { activity_ms_max, payment_ms_max, unpaid_ms } })
}

fn channel_cap_set(record: &[u8]) -> Read<Fact<'_>> {
    let fixed = Body::alone::<ArchivedChannelCapSetV1>(record)?;
    let (market, sku) = (market(fixed.market.to_native())?, SkuId(fixed.sku.to_native()));
    let units_max = cap(fixed.capped, fixed.units_max.to_native())?;
    Ok(Fact::ChannelCapSet { market, sku, channel: fixed.channel.to_native(), units_max })
}

fn order(record: &[u8]) -> Read<OrderId> {
    Ok(OrderId::from_bits(Body::alone::<ArchivedOrderFactV1>(record)?.order.to_native()))
}

fn retake_failed(record: &[u8]) -> Read<Fact<'_>> {
    let fixed = Body::alone::<ArchivedRetakeFailedV1>(record)?;
    let order = OrderId::from_bits(fixed.order.to_native());
    Ok(Fact::RetakeFailed { order, attempt: ChangeId(fixed.attempt.to_native()), sku: SkuId(fixed.sku.to_native()) })
}

fn change<'s>(record: &[u8], scratch: &'s mut FactScratch) -> Read<(OrderId, Change, &'s [Draw])> {
    let (fixed, mut body) = Body::of::<ArchivedChangeFactV1>(record)?;
    read_draws(fixed.draws.to_native(), &mut body, &mut scratch.draws)?;
    body.end()?;
    let (content, excess) = (fixed.content.to_native(), fixed.excess.to_native());
    let change = Change { id: ChangeId(fixed.change.to_native()), content, excess };
    Ok((OrderId::from_bits(fixed.order.to_native()), change, &scratch.draws))
}

fn returned<'a>(record: &'a [u8], scratch: &'a mut FactScratch) -> Read<Fact<'a>> {
    let (fixed, mut body) = Body::of::<ArchivedReturnedV1>(record)?;
    read_draws(fixed.draws.to_native(), &mut body, &mut scratch.draws)?;
    body.end()?;
    let (content, excess) = (fixed.content.to_native(), fixed.excess.to_native());
    Ok(Fact::Returned {
        order: OrderId::from_bits(fixed.order.to_native()),
        change: Change { id: ChangeId(fixed.change.to_native()), content, excess },
        site: SiteId(fixed.site.to_native()),
        draws: &scratch.draws,
    })
}

fn retention_set(record: &[u8]) -> Read<Fact<'_>> {
    let fixed = Body::alone::<ArchivedRetentionSetV1>(record)?;
    let (return_window_ms, ids_kept_ms) = (fixed.return_window_ms.to_native(), fixed.ids_kept_ms.to_native());
    let market = market(fixed.market.to_native())?;
    Ok(Fact::RetentionSet { market, retention: Retention { return_window_ms, ids_kept_ms } })
}

fn policy_set(record: &[u8]) -> Read<Fact<'_>> {
    let fixed = Body::alone::<ArchivedPolicySetV2>(record)?;
    let (market, sku) = (market(fixed.market.to_native())?, SkuId(fixed.sku.to_native()));
    Ok(Fact::PolicySet { market, sku, policy: fixed.policy.read()? })
}

fn effects_set(record: &[u8]) -> Read<Fact<'_>> {
    let fixed = Body::alone::<ArchivedEffectsSetV2>(record)?;
    Ok(Fact::EffectsSet { market: market(fixed.market.to_native())?, effects: fixed.effects.read()? })
}

fn effect_reported(record: &[u8]) -> Read<Fact<'_>> {
    let fixed = Body::alone::<ArchivedEffectReportedV2>(record)?;
    let (order, attempt) = (OrderId::from_bits(fixed.order.to_native()), fixed.attempt.to_native());
    let (effect, report) = fixed.report.read()?;
    Ok(Fact::EffectReported { order, effect, attempt, report })
}

fn retired(record: &[u8]) -> Read<Fact<'_>> {
    let fixed = Body::alone::<ArchivedRetiredV1>(record)?;
    let before = time(fixed.before.to_native())?;
    Ok(Fact::Retired { market: market(fixed.market.to_native())?, before })
}

fn orders<'s>(record: &[u8], scratch: &'s mut FactScratch) -> Read<&'s [OrderId]> {
    let (fixed, mut body) = Body::of::<ArchivedOrdersFactV1>(record)?;
    scratch.orders.clear();
    body.array::<rkyv::rend::unaligned::u128_ule, _>(
        usize::from(fixed.orders.to_native()),
        &mut scratch.orders,
        |bits| Ok(OrderId::from_bits(bits.to_native())),
    )?;
    body.end()?;
    Ok(&scratch.orders)
}

fn received(record: &[u8]) -> Read<Fact<'_>> {
    let fixed = Body::alone::<ArchivedReceivedV1>(record)?;
    Ok(Fact::Received {
        request: RequestId::from_bits(fixed.request.to_native()),
        sku: SkuId(fixed.sku.to_native()),
        site: SiteId(fixed.site.to_native()),
        quantity: fixed.quantity.to_native(),
    })
}

fn adjusted(record: &[u8]) -> Read<Fact<'_>> {
    let fixed = Body::alone::<ArchivedAdjustedV1>(record)?;
    Ok(Fact::Adjusted {
        request: RequestId::from_bits(fixed.request.to_native()),
        sku: SkuId(fixed.sku.to_native()),
        site: SiteId(fixed.site.to_native()),
        delta: fixed.delta.to_native(),
        reason: AdjustReason::from_byte(fixed.reason).ok_or(Malformed(Part::Reason))?,
    })
}

fn stock_moved(record: &[u8]) -> Read<Fact<'_>> {
    let fixed = Body::alone::<ArchivedStockMovedV1>(record)?;
    Ok(Fact::StockMoved {
        request: RequestId::from_bits(fixed.request.to_native()),
        sku: SkuId(fixed.sku.to_native()),
        from: fixed.from.read()?,
        to: fixed.to.read()?,
        quantity: fixed.quantity.to_native(),
    })
}

fn stock_counted(record: &[u8]) -> Read<Fact<'_>> {
    let fixed = Body::alone::<ArchivedStockCountedV1>(record)?;
    Ok(Fact::StockCounted {
        request: RequestId::from_bits(fixed.request.to_native()),
        sku: SkuId(fixed.sku.to_native()),
        site: SiteId(fixed.site.to_native()),
        expected: fixed.expected.to_native(),
        counted: fixed.counted.to_native(),
    })
}

fn count_reported(record: &[u8]) -> Read<Fact<'_>> {
    let fixed = Body::alone::<ArchivedCountReportedV1>(record)?;
    Ok(Fact::CountReported {
        request: RequestId::from_bits(fixed.request.to_native()),
        sku: SkuId(fixed.sku.to_native()),
        site: SiteId(fixed.site.to_native()),
        as_of: Sequence(fixed.as_of.to_native()),
        on_hand: fixed.on_hand.to_native(),
        counted: fixed.counted.to_native(),
        short: fixed.short.to_native(),
        excess: fixed.excess.to_native(),
    })
}

fn market(number: u32) -> Read<MarketId> {
    MarketId::new(number).ok_or(Malformed(Part::Market))
}

fn market_assigned(record: &[u8]) -> Read<Fact<'_>> {
    let (fixed, mut body) = Body::of::<ArchivedMarketAssignedV1>(record)?;
    let code = body.text(usize::from(fixed.code_len.to_native()))?;
    body.end()?;
    let market = market(fixed.market.to_native())?;
    Ok(Fact::MarketAssigned { market, shard: ShardId(fixed.shard.to_native()), code })
}

fn cursor_moved(record: &[u8]) -> Read<Fact<'_>> {
    let (fixed, mut body) = Body::of::<ArchivedCursorMovedV1>(record)?;
    let sink = body.text(usize::from(fixed.sink_len.to_native()))?;
    body.end()?;
    let attached = match fixed.attached {
        0 => false,
        1 => true,
        _ => return Err(Malformed(Part::Flags)),
    };
    Ok(Fact::CursorMoved { sink, upto: Sequence(fixed.upto.to_native()), attached })
}

fn market_opened(record: &[u8]) -> Read<Fact<'_>> {
    let (fixed, mut body) = Body::of::<ArchivedMarketOpenedV1>(record)?;
    let code = body.text(usize::from(fixed.code_len.to_native()))?;
    body.end()?;
    Ok(Fact::MarketOpened { market: market(fixed.market.to_native())?, code })
}

fn site_created(record: &[u8]) -> Read<Fact<'_>> {
    let (fixed, mut body) = Body::of::<ArchivedSiteCreatedV1>(record)?;
    let code = body.text(usize::from(fixed.code_len.to_native()))?;
    body.end()?;
    let (market, site) = (market(fixed.market.to_native())?, SiteId(fixed.site.to_native()));
    Ok(Fact::SiteCreated { market, site, rank: fixed.rank.to_native(), code })
}

fn sku_created(record: &[u8]) -> Read<Fact<'_>> {
    let (fixed, mut body) = Body::of::<ArchivedSkuCreatedV1>(record)?;
    let code = body.text(usize::from(fixed.code_len.to_native()))?;
    body.end()?;
    let (market, sku) = (market(fixed.market.to_native())?, SkuId(fixed.sku.to_native()));
    Ok(Fact::SkuCreated { market, sku, code })
}

fn kit_defined<'a>(record: &'a [u8], scratch: &'a mut FactScratch) -> Read<Fact<'a>> {
    let (fixed, mut body) = Body::of::<ArchivedKitDefinedV1>(record)?;
    scratch.components.clear();
    let count = usize::from(fixed.components.to_native());
    body.array::<ArchivedFactComponentV1, _>(count, &mut scratch.components, |part| {
        Ok(Component { sku: SkuId(part.sku.to_native()), units: part.units.to_native() })
    })?;
    let code = body.text(usize::from(fixed.code_len.to_native()))?;
    body.end()?;
    let (market, sku) = (market(fixed.market.to_native())?, SkuId(fixed.sku.to_native()));
    Ok(Fact::KitDefined { market, sku, code, components: &scratch.components })
}
