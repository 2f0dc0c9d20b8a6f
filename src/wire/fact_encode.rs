//! Facts to records of the log.

use super::edit::{edited_bytes, put_edited};
use super::effects::ReportPart;
use super::fact_records::{
    AdjustedV1, ChangeFactV1, ChannelCapSetV1, ConfirmedV2, CountReportedV1, CursorMovedV1, DrawV1, EffectReportedV2,
    EffectsSetV2, ErasedV1, ExtendedV2, FactComponentV1, FactHashesV1, FactKind, FactLineV1, FilledV1, KeyNameV1,
    KitDefinedV1, MarketAssignedV1, MarketOpenedV1, OrderFactV1, OrderPutBackV1, OrdersFactV1, PLACED_CONFIRMED,
    PLACED_HAS_HASHES, PlacedV2, PolicySetV2, ReceivedV1, ReservationsSetV2, RetakeFailedV1, RetentionSetV1, RetiredV1,
    ReturnedV1, SiteCreatedV1, SkuCreatedV1, StockCountedV1, StockLevelChangedV1, StockMovedV1,
};
use super::hold::{hold_bytes, lift_bytes, put_hold, put_lift};
use super::layout::{RecordHead, pad, padded, put, put_all};
use super::payment::{PaymentReportedV2, RefundRequestedV1, put_start};
use super::returns::{put_asked, put_delivered, put_inspected, put_received, put_told, with_lines};
use super::velocity::{VELOCITY_SET, put_velocity_set};
use crate::base::limits::RECORD_BYTES_MAX;
use crate::base::{ChangeId, KeyName, OrderId};
use crate::engine::fact::Change;
use crate::engine::{Draw, Fact, Placed, Reservations, Retention, ReturnFact};

/// Appends a fact's record.
///
/// # Panics
/// When the fact has more lines, draws or bytes than a record holds: `decide` makes no such fact (`base::limits`).
pub fn encode_fact(fact: &Fact<'_>, out: &mut Vec<u8>) {
    let start = out.len();
    match *fact {
        Fact::Placed(ref placed) => encode_placed(placed, out),
        Fact::Confirmed { order, attempt, entered, draws } => {
            let head = head(FactKind::Confirmed, 38 + 8 * draws.len());
            let (order, attempt, draws_len) = (order.bits(), attempt.0, count16(draws.len()));
            put(out, &ConfirmedV2 { head, order, attempt, entered, draws: draws_len });
            put_draws(draws, out);
        }
        Fact::Cancelled { order } => order_fact(FactKind::Cancelled, order, out),
        Fact::Blocked { order } => order_fact(FactKind::Blocked, order, out),
        Fact::Expired { order } => order_fact(FactKind::Expired, order, out),
        Fact::RetakeFailed { order, attempt, sku } => {
            let head = head(FactKind::RetakeFailed, 32);
            put(out, &RetakeFailedV1 { head, sku: sku.0, order: order.bits(), attempt: attempt.0 });
        }
        Fact::LinesCancelled { order, change, draws } => {
            change_fact(FactKind::LinesCancelled, order, change, draws, out);
        }
        Fact::Edited { order, change, ref what } => {
            put_edited(head(FactKind::Edited, edited_bytes(what)), (order, change), what, out);
        }
        Fact::HandedOver { order, change, draws } => change_fact(FactKind::HandedOver, order, change, draws, out),
        Fact::Returned { order, change, site, draws } => {
            let head = head(FactKind::Returned, 48 + 8 * draws.len());
            let (order, draws_len) = (order.bits(), count16(draws.len()));
            let Change { id, content, excess } = change;
            put(out, &ReturnedV1 { head, order, change: id.0, content, excess, site: site.0, draws: draws_len });
            put_draws(draws, out);
        }
        Fact::Received { request, sku, site, quantity } => {
            let head = head(FactKind::Received, 34);
            put(out, &ReceivedV1 { head, sku: sku.0, request: request.bits(), quantity, site: site.0 });
        }
        Fact::Adjusted { request, sku, site, delta, reason } => {
            let (head, request) = (head(FactKind::Adjusted, 35), request.bits());
            put(out, &AdjustedV1 { head, sku: sku.0, request, delta, site: site.0, reason: reason as u8 });
        }
        Fact::StockMoved { request, sku, from, to, quantity } => {
            let (head, request) = (head(FactKind::StockMoved, 38), request.bits());
            put(out, &StockMovedV1 { head, sku: sku.0, request, quantity, from: from.into(), to: to.into() });
        }
        Fact::StockCounted { request, sku, site, expected, counted } => {
            let (head, request) = (head(FactKind::StockCounted, 42), request.bits());
            put(out, &StockCountedV1 { head, sku: sku.0, request, expected, counted, site: site.0 });
        }
        Fact::CountReported { request, sku, site, as_of, on_hand, counted, short, excess } => {
            let (head, request) = (head(FactKind::CountReported, 66), request.bits());
            let (sku, site, as_of) = (sku.0, site.0, as_of.0);
            put(out, &CountReportedV1 { head, sku, request, as_of, on_hand, counted, short, excess, site });
        }
        Fact::OrderPutBack { order, sku, draws } => {
            let head = head(FactKind::OrderPutBack, 26 + 8 * draws.len());
            put(out, &OrderPutBackV1 { head, sku: sku.0, order: order.bits(), draws: count16(draws.len()) });
            put_draws(draws, out);
        }
        Fact::RetentionSet { market, retention } => {
            let Retention { return_window_ms, ids_kept_ms } = retention;
            let (head, market) = (head(FactKind::RetentionSet, 24), market.number());
            put(out, &RetentionSetV1 { head, market, return_window_ms, ids_kept_ms });
        }
        Fact::PolicySet { market, sku, policy } => {
            let (head, market) = (head(FactKind::PolicySet, 56), market.number());
            put(out, &PolicySetV2 { head, market, sku: sku.0, policy: (&policy).into() });
        }
        Fact::EffectsSet { market, effects } => {
            let (head, market) = (head(FactKind::EffectsSet, 11), market.number());
            put(out, &EffectsSetV2 { head, market, effects: effects.into() });
        }
        Fact::Extended { order, deadline, reason } => {
            let head = head(FactKind::Extended, 29);
            put(out, &ExtendedV2 { head, order: order.bits(), deadline: deadline.ms(), reason: reason as u8 });
        }
        Fact::ReservationsSet { market, reservations } => {
            let Reservations { activity_ms_max, payment_ms_max, unpaid_ms } = reservations;
            let (head, market) = (head(FactKind::ReservationsSet, 36), market.number());
            put(out, &ReservationsSetV2 { head, market, activity_ms_max, payment_ms_max, unpaid_ms });
        }
        Fact::ChannelCapSet { market, sku, channel, units_max } => {
            let (head, market, sku) = (head(FactKind::ChannelCapSet, 19), market.number(), sku.0);
            let (units_max, capped) = (units_max.unwrap_or_default(), u8::from(units_max.is_some()));
            put(out, &ChannelCapSetV1 { head, market, sku, units_max, channel, capped });
        }
        Fact::VelocitySet { market, velocity } => {
            put_velocity_set(head(FactKind::VelocitySet, VELOCITY_SET), market, velocity, out);
        }
        Fact::EffectReported { order, effect, attempt, report } => {
            let (head, report) = (head(FactKind::EffectReported, 27), ReportPart::new(effect, report));
            put(out, &EffectReportedV2 { head, order: order.bits(), attempt, report });
        }
        Fact::CursorMoved { sink, upto, attached } => {
            let head = head(FactKind::CursorMoved, 15 + sink.len());
            put(out, &CursorMovedV1 { head, upto: upto.0, attached: attached.into(), sink_len: count16(sink.len()) });
            out.extend_from_slice(sink.as_bytes());
        }
        Fact::Filled { order, draws } => {
            let head = head(FactKind::Filled, 22 + 8 * draws.len());
            put(out, &FilledV1 { head, order: order.bits(), draws: count16(draws.len()) });
            put_draws(draws, out);
        }
        Fact::StockLevelChanged { market, sku, level, for_sale } => {
            let (head, market) = (head(FactKind::StockLevelChanged, 21), market.number());
            put(out, &StockLevelChangedV1 { head, market, sku: sku.0, for_sale, level: level as u8 });
        }
        Fact::PaymentStarted { order, attempt, method } => {
            put_start(head(FactKind::PaymentStarted, 29), order, attempt, method, out);
        }
        Fact::PaymentReported { order, attempt, method, report, draws, short } => {
            let head = head(FactKind::PaymentReported, 54 + 8 * draws.len());
            let (order, attempt, reported, method) = (order.bits(), attempt.0, report.into(), method as u8);
            let (short, draws_len) = (short.unwrap_or_default().0, count16(draws.len()));
            put(out, &PaymentReportedV2 { head, short, order, attempt, reported, method, draws: draws_len });
            put_draws(draws, out);
        }
        Fact::RefundRequested { order, change: Change { id, content, excess: _ }, amount } => {
            let (head, order) = (head(FactKind::RefundRequested, 44), order.bits());
            put(out, &RefundRequestedV1 { head, order, change: id.0, content, amount });
        }
        Fact::Held { order, owner, reason, note } => {
            let head = head(FactKind::Held, hold_bytes(owner, note));
            put_hold(head, (order, reason), (owner, note), out);
        }
        Fact::HoldLifted { order, owner, reason } => {
            put_lift(head(FactKind::HoldLifted, lift_bytes(owner)), (order, reason), owner, out);
        }
        Fact::Delivered { order, change, lines } => {
            put_delivered(head(FactKind::Delivered, with_lines(38, lines)), (order, change), lines, out);
        }
        Fact::Return { order, id, what } => encode_return((order, id), what, out),
        Fact::Retired { market, before } => {
            put(out, &RetiredV1 { head: head(FactKind::Retired, 16), market: market.number(), before: before.ms() });
        }
        Fact::Erased { whose } => put(out, &ErasedV1 { head: head(FactKind::Erased, 25), whose: whose.into() }),
        Fact::Closed { orders } => orders_fact(FactKind::Closed, orders, out),
        Fact::Left { orders } => orders_fact(FactKind::Left, orders, out),
        Fact::MarketAssigned { .. }
        | Fact::MarketOpened { .. }
        | Fact::SiteCreated { .. }
        | Fact::SkuCreated { .. }
        | Fact::KitDefined { .. } => {
            encode_creation(fact, out);
        }
    }
    pad(out, start);
}

fn encode_creation(fact: &Fact<'_>, out: &mut Vec<u8>) {
    let code = match *fact {
        Fact::MarketAssigned { market, shard, code } => {
            let (head, code_len) = (head(FactKind::MarketAssigned, 12 + code.len()), count16(code.len()));
            put(out, &MarketAssignedV1 { head, market: market.number(), shard: shard.0, code_len });
            code
        }
        Fact::MarketOpened { market, code } => {
            let (head, code_len) = (head(FactKind::MarketOpened, 10 + code.len()), count16(code.len()));
            put(out, &MarketOpenedV1 { head, market: market.number(), code_len });
            code
        }
        Fact::SiteCreated { market, site, rank, code } => {
            let (head, code_len) = (head(FactKind::SiteCreated, 14 + code.len()), count16(code.len()));
            put(out, &SiteCreatedV1 { head, market: market.number(), site: site.0, rank, code_len });
            code
        }
        Fact::SkuCreated { market, sku, code } => {
            let (head, code_len) = (head(FactKind::SkuCreated, 14 + code.len()), count16(code.len()));
            put(out, &SkuCreatedV1 { head, market: market.number(), sku: sku.0, code_len });
            code
        }
        Fact::KitDefined { market, sku, code, components } => {
            let head = head(FactKind::KitDefined, 16 + 8 * components.len() + code.len());
            let (count, code_len) = (count16(components.len()), count16(code.len()));
            put(out, &KitDefinedV1 { head, market: market.number(), sku: sku.0, components: count, code_len });
            put_all(out, components.iter().map(|part| FactComponentV1 { sku: part.sku.0, units: part.units }));
            code
        }
        _ => return,
    };
    out.extend_from_slice(code.as_bytes());
}

fn encode_return(of: (OrderId, ChangeId), what: ReturnFact<'_>, out: &mut Vec<u8>) {
    match what {
        ReturnFact::Requested { kind, reason, lines } => {
            put_asked(head(FactKind::ReturnRequested, with_lines(32, lines)), (of, kind, reason), lines, out);
        }
        ReturnFact::Told(report) => put_told(head(FactKind::ReturnTold, 30), of, report, out),
        ReturnFact::Received { site, draws } => {
            put_received(head(FactKind::ReturnReceived, 32 + 8 * draws.len()), of, (site, draws), out);
            put_draws(draws, out);
        }
        ReturnFact::Inspected { site, disposition, draws } => {
            put_inspected(head(FactKind::ReturnInspected, 33 + 8 * draws.len()), (of, site, disposition), draws, out);
            put_draws(draws, out);
        }
    }
}

fn head(kind: FactKind, bytes: usize) -> RecordHead {
    assert!(bytes <= RECORD_BYTES_MAX, "law: the largest fact fits a record");
    RecordHead { version: kind.version(), ..RecordHead::new(kind as u8, padded(bytes)) }
}

fn count16(count: usize) -> u16 {
    u16::try_from(count).expect("law: the arrays of a fact are counted in 16 bits")
}

/// The name of a key, as it stands before what is sealed under it.
const KEY_NAME_BYTES: usize = 8;

fn encode_placed(placed: &Placed<'_>, out: &mut Vec<u8>) {
    let (hashes_flag, hashes_len) = if placed.hashes.is_some() { (PLACED_HAS_HASHES, 24) } else { (0, 0) };
    let sealed_len = if placed.details.is_empty() { 0 } else { KEY_NAME_BYTES + placed.details.len() };
    let bytes = 56 + 16 * placed.lines.len() + 8 * placed.draws.len() + hashes_len + sealed_len;
    let fixed = PlacedV2 {
        head: head(FactKind::Placed, bytes),
        hold_ms: placed.hold_ms,
        order: placed.order.bits(),
        customer: placed.customer.0,
        currency: placed.currency.code(),
        take: placed.take as u8,
        payment: placed.payment as u8,
        flags: hashes_flag | if placed.confirmed { PLACED_CONFIRMED } else { 0 },
        channel: placed.channel,
        zone: placed.zone,
        lines: count16(placed.lines.len()),
        draws: count16(placed.draws.len()),
        sealed_len: count16(placed.details.len()),
    };
    out.reserve(padded(bytes));
    put(out, &fixed);
    let line = |line: &crate::engine::Line| FactLineV1 { sku: line.sku.0, quantity: line.quantity, price: line.price };
    put_all(out, placed.lines.iter().map(line));
    put_draws(placed.draws, out);
    if let Some(hashes) = placed.hashes {
        let (account, address, instrument) = (hashes.account, hashes.address, hashes.instrument);
        put(out, &FactHashesV1 { account, address, instrument });
    }
    if let Some(KeyName { slot, generation }) = placed.key {
        put(out, &KeyNameV1 { slot, generation });
        out.extend_from_slice(placed.details);
    }
}

fn put_draws(draws: &[Draw], out: &mut Vec<u8>) {
    put_all(out, draws.iter().map(DrawV1::from));
}

fn order_fact(kind: FactKind, order: OrderId, out: &mut Vec<u8>) {
    put(out, &OrderFactV1 { head: head(kind, 20), order: order.bits() });
}

fn orders_fact(kind: FactKind, orders: &[OrderId], out: &mut Vec<u8>) {
    put(out, &OrdersFactV1 { head: head(kind, 6 + 16 * orders.len()), orders: count16(orders.len()) });
    put_all(out, orders.iter().map(|order| order.bits()));
}

fn change_fact(kind: FactKind, order: OrderId, change: Change, draws: &[Draw], out: &mut Vec<u8>) {
    let head = head(kind, 46 + 8 * draws.len());
    let Change { id, content, excess } = change;
    let draws_len = count16(draws.len());
    put(out, &ChangeFactV1 { head, order: order.bits(), change: id.0, content, excess, draws: draws_len });
    put_draws(draws, out);
}
