//! Requests to records: what a client writes. The other direction is `request_decode`.
//!
//! # Not here
//! - Bounds that the engine checks. A request is only refused here when the record cannot carry it.

use super::edit::{edit_bytes, put_edit};
use super::effects::ReportPart;
use super::hold::{hold_bytes, lift_bytes, put_hold, put_lift};
use super::layout::{RecordHead, pad, padded, put, put_all};
use super::payment::{ReportPaymentV2, RequestRefundV1, put_start};
use super::request_records::{
    AdjustV1, AssignMarketV1, CancelV1, ChangeLinesV1, ChannelCapsQueryV1, ComponentV1, ConfirmV1, CountStockV1,
    CreateSiteV1, CreateSkuV1, CustomerOrdersV1, DefineKitV1, EraseV1, ExtendV2, HashesV1, HoldersQueryV1,
    LineQuantityV1, LineV1, MarketQueryV1, MoveStockV1, OpenOrdersV1, OrderByNumberV1, OrderHistoryQueryV1,
    OrderQueryV1, PLACE_HAS_HASHES, PlaceV1, PolicyQueryV1, ReceiveV1, ReportCountV1, ReportEffectV2, RequestKind,
    ResolveSkusV1, ReturnToStockV1, SetChannelCapV1, SetEffectsV2, SetPolicyV2, SetReservationsV2, SetRetentionV1,
    SkusQueryV1, StockQueryV1, WantedQueryV1,
};
use super::returns::{put_asked, put_looked, put_told, with_lines};
use super::task::{TASKS_QUERY, put_tasks_query};
use super::velocity::{VELOCITY_QUERY, VELOCITY_SET, put_velocity_query, put_velocity_set};
use crate::base::limits::RECORD_BYTES_MAX;
use crate::base::{ChangeId, Codes, MarketId, OrderId, SiteId, SkuId};
use crate::engine::choices::AdjustReason;
use crate::engine::command::IdentityHashes;
use crate::engine::{Command, Component, Line, LineQuantity, Place, Query, Reservations, Retention, ReturnCommand};

/// Why a request cannot be a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PushError {
    /// The frame is full; finish it and begin another.
    #[error("the frame is full")]
    FrameFull,
    /// More lines, codes or bytes than the record's fields can count, or than a record can hold.
    #[error("the request has more lines, codes or bytes than one record can carry")]
    TooLarge,
    /// Opening a market is the server's own business.
    #[error("only the server itself opens a market")]
    NotForClients,
}

type Encoded = Result<(), PushError>;

fn count16(count: usize) -> Result<u16, PushError> {
    u16::try_from(count).map_err(|_| PushError::TooLarge)
}

/// The head of a record with `bytes` bytes before padding, when one can be that long.
fn head(kind: RequestKind, bytes: usize) -> Result<RecordHead, PushError> {
    if bytes > RECORD_BYTES_MAX {
        return Err(PushError::TooLarge);
    }
    Ok(RecordHead { version: kind.version(), ..RecordHead::new(kind as u8, padded(bytes)) })
}

/// Appends a command's record. Nothing is appended when it fails.
pub(super) fn encode_command(command: &Command<'_>, out: &mut Vec<u8>) -> Encoded {
    let start = out.len();
    match *command {
        Command::AssignMarket { code } => market_code(RequestKind::AssignMarket, code, out),
        Command::OpenMarket { .. } | Command::MoveCursor { .. } | Command::DetachCursor { .. } => {
            Err(PushError::NotForClients)
        }
        Command::CreateSite { market, rank, code } => create_site(market, rank, code, out),
        Command::CreateSku { market, code } => create_sku(market, code, out),
        Command::DefineKit { market, code, components } => define_kit(market, code, components, out),
        Command::SetPolicy { market, sku, policy } => {
            let head = head(RequestKind::SetPolicy, 56)?;
            put(out, &SetPolicyV2 { head, market: market.number(), sku: sku.0, policy: (&policy).into() });
            Ok(())
        }
        Command::SetEffects { market, effects } => {
            let head = head(RequestKind::SetEffects, 10)?;
            put(out, &SetEffectsV2 { head, market: market.number(), effects: effects.into() });
            Ok(())
        }
        Command::SetReservations { market, reservations } => {
            let Reservations { activity_ms_max, payment_ms_max, unpaid_ms } = reservations;
            let (head, market) = (head(RequestKind::SetReservations, 36)?, market.number());
            put(out, &SetReservationsV2 { head, market, activity_ms_max, payment_ms_max, unpaid_ms });
            Ok(())
        }
        Command::SetChannelCap { market, sku, channel, units_max } => {
            let (head, market, sku) = (head(RequestKind::SetChannelCap, 19)?, market.number(), sku.0);
            let (units_max, capped) = (units_max.unwrap_or_default(), u8::from(units_max.is_some()));
            put(out, &SetChannelCapV1 { head, market, sku, units_max, channel, capped });
            Ok(())
        }
        Command::SetVelocity { market, velocity } => {
            put_velocity_set(head(RequestKind::SetVelocity, VELOCITY_SET)?, market, velocity, out);
            Ok(())
        }
        Command::Extend { order, until, reason } => {
            let (head, order) = (head(RequestKind::Extend, 29)?, order.bits());
            put(out, &ExtendV2 { head, order, until: until.ms(), reason: reason as u8 });
            Ok(())
        }
        Command::ReportEffect { order, effect, attempt, report } => {
            let (head, report) = (head(RequestKind::ReportEffect, 27)?, ReportPart::new(effect, report));
            put(out, &ReportEffectV2 { head, order: order.bits(), attempt, report });
            Ok(())
        }
        Command::SetRetention { market, retention } => {
            let (head, Retention { return_window_ms, ids_kept_ms }) = (head(RequestKind::SetRetention, 24)?, retention);
            put(out, &SetRetentionV1 { head, market: market.number(), return_window_ms, ids_kept_ms });
            Ok(())
        }
        Command::Receive { request, sku, site, quantity } => {
            let head = head(RequestKind::Receive, 34)?;
            put(out, &ReceiveV1 { head, sku: sku.0, request: request.bits(), quantity, site: site.0 });
            Ok(())
        }
        Command::Adjust { request, sku, site, delta, reason } => {
            adjust(request.bits(), (sku, site), delta, reason, out)
        }
        Command::MoveStock { request, sku, from, to, quantity } => {
            let (head, request) = (head(RequestKind::MoveStock, 38)?, request.bits());
            put(out, &MoveStockV1 { head, sku: sku.0, request, quantity, from: from.into(), to: to.into() });
            Ok(())
        }
        Command::CountStock { request, sku, site, expected, counted } => {
            let (head, request) = (head(RequestKind::CountStock, 42)?, request.bits());
            put(out, &CountStockV1 { head, sku: sku.0, request, expected, counted, site: site.0 });
            Ok(())
        }
        Command::ReportCount { request, sku, site, as_of, counted } => {
            let (head, request) = (head(RequestKind::ReportCount, 42)?, request.bits());
            put(out, &ReportCountV1 { head, sku: sku.0, request, as_of: as_of.0, counted, site: site.0 });
            Ok(())
        }
        Command::Erase { whose } => {
            put(out, &EraseV1 { head: head(RequestKind::Erase, 25)?, whose: whose.into() });
            Ok(())
        }
        Command::StartPayment { order, attempt, method } => {
            put_start(head(RequestKind::StartPayment, 29)?, order, attempt, method, out);
            Ok(())
        }
        Command::ReportPayment { order, attempt, method, currency, report } => {
            let (head, order, attempt) = (head(RequestKind::ReportPayment, 51)?, order.bits(), attempt.0);
            let (reported, method, currency) = (report.into(), method as u8, currency.code());
            put(out, &ReportPaymentV2 { head, order, attempt, reported, method, currency });
            Ok(())
        }
        Command::RequestRefund { order, change, amount } => {
            let head = head(RequestKind::RequestRefund, 36)?;
            put(out, &RequestRefundV1 { head, order: order.bits(), change: change.0, amount });
            Ok(())
        }
        Command::HoldOrder { order, owner, reason, note } => {
            let head = head(RequestKind::HoldOrder, hold_bytes(owner, note))?;
            count16(owner.len().max(note.len()))?;
            put_hold(head, (order, reason), (owner, note), out);
            Ok(())
        }
        Command::LiftHold { order, owner, reason } => {
            let head = head(RequestKind::LiftHold, lift_bytes(owner))?;
            count16(owner.len())?;
            put_lift(head, (order, reason), owner, out);
            Ok(())
        }
        Command::Place(ref place) => encode_place(place, out),
        Command::Confirm { order, attempt } => {
            let head = head(RequestKind::Confirm, 28)?;
            put(out, &ConfirmV1 { head, order: order.bits(), attempt: attempt.0 });
            Ok(())
        }
        Command::Cancel { order, block } => {
            let head = head(RequestKind::Cancel, 21)?;
            put(out, &CancelV1 { head, order: order.bits(), block: u8::from(block) });
            Ok(())
        }
        Command::CancelLines { order, change, lines } => {
            change_lines(RequestKind::CancelLines, order, change, lines, out)
        }
        Command::EditOrder { order, change, ref edit } => {
            count16(edit.prices.len().max(edit.remove.len()).max(edit.add.len()))?;
            put_edit(head(RequestKind::EditOrder, edit_bytes(edit))?, (order, change), edit, out);
            Ok(())
        }
        Command::HandOver { order, change, lines } => change_lines(RequestKind::HandOver, order, change, lines, out),
        Command::ReturnToStock { order, change, site, lines } => {
            return_to_stock(RequestKind::ReturnToStock, (order, change), site, lines, out)
        }
        Command::ReportDelivered { order, change, lines } => {
            change_lines(RequestKind::ReportDelivered, order, change, lines, out)
        }
        Command::Return { order, id, what } => encode_return((order, id), what, out),
    }?;
    pad(out, start);
    Ok(())
}

fn market_code(kind: RequestKind, code: &str, out: &mut Vec<u8>) -> Encoded {
    let head = head(kind, 6 + code.len())?;
    put(out, &AssignMarketV1 { head, code_len: count16(code.len())? });
    out.extend_from_slice(code.as_bytes());
    Ok(())
}

fn create_site(market: MarketId, rank: u16, code: &str, out: &mut Vec<u8>) -> Encoded {
    let head = head(RequestKind::CreateSite, 12 + code.len())?;
    put(out, &CreateSiteV1 { head, market: market.number(), rank, code_len: count16(code.len())? });
    out.extend_from_slice(code.as_bytes());
    Ok(())
}

fn create_sku(market: MarketId, code: &str, out: &mut Vec<u8>) -> Encoded {
    let head = head(RequestKind::CreateSku, 10 + code.len())?;
    put(out, &CreateSkuV1 { head, market: market.number(), code_len: count16(code.len())? });
    out.extend_from_slice(code.as_bytes());
    Ok(())
}

fn define_kit(market: MarketId, code: &str, components: &[Component], out: &mut Vec<u8>) -> Encoded {
    let head = head(RequestKind::DefineKit, 12 + 8 * components.len() + code.len())?;
    let (count, code_len) = (count16(components.len())?, count16(code.len())?);
    put(out, &DefineKitV1 { head, market: market.number(), components: count, code_len });
    put_all(out, components.iter().map(|part| ComponentV1 { sku: part.sku.0, units: part.units }));
    out.extend_from_slice(code.as_bytes());
    Ok(())
}

fn adjust(request: u128, (sku, site): (SkuId, SiteId), delta: i64, reason: AdjustReason, out: &mut Vec<u8>) -> Encoded {
    let head = head(RequestKind::Adjust, 35)?;
    put(out, &AdjustV1 { head, sku: sku.0, request, delta, site: site.0, reason: reason as u8 });
    Ok(())
}

fn encode_place(place: &Place<'_>, out: &mut Vec<u8>) -> Encoded {
    let hashes_len = if place.hashes.is_some() { 24 } else { 0 };
    let bytes = 54 + 16 * place.lines.len() + hashes_len + place.details.len();
    let fixed = PlaceV1 {
        head: head(RequestKind::Place, bytes)?,
        hold_ms: place.hold_ms,
        order: place.order.bits(),
        customer: place.customer.0,
        currency: place.currency.code(),
        take: place.take as u8,
        payment: place.payment as u8,
        flags: if place.hashes.is_some() { PLACE_HAS_HASHES } else { 0 },
        channel: place.channel,
        zone: place.zone,
        lines: count16(place.lines.len())?,
        details_len: count16(place.details.len())?,
    };
    out.reserve(padded(bytes));
    put(out, &fixed);
    put_all(out, place.lines.iter().map(line));
    put_all(out, place.hashes.iter().map(hashes));
    out.extend_from_slice(place.details);
    Ok(())
}

/// A line as its record has it.
pub(super) const fn line(line: &Line) -> LineV1 {
    LineV1 { sku: line.sku.0, quantity: line.quantity, price: line.price }
}

/// Hashes as their record has them.
pub(super) const fn hashes(hashes: &IdentityHashes) -> HashesV1 {
    HashesV1 { account: hashes.account, address: hashes.address, instrument: hashes.instrument }
}

fn quantities(lines: &[LineQuantity], out: &mut Vec<u8>) {
    put_all(out, lines.iter().map(|line| LineQuantityV1 { line: line.line, quantity: line.quantity }));
}

fn change_lines(
    kind: RequestKind,
    order: OrderId,
    change: ChangeId,
    lines: &[LineQuantity],
    out: &mut Vec<u8>,
) -> Encoded {
    let head = head(kind, 30 + 6 * lines.len())?;
    put(out, &ChangeLinesV1 { head, order: order.bits(), change: change.0, lines: count16(lines.len())? });
    quantities(lines, out);
    Ok(())
}

fn encode_return(of: (OrderId, ChangeId), what: ReturnCommand<'_>, out: &mut Vec<u8>) -> Encoded {
    match what {
        ReturnCommand::Request { kind, reason, lines } => {
            count16(lines.len())?;
            put_asked(head(RequestKind::RequestReturn, with_lines(32, lines))?, (of, kind, reason), lines, out);
        }
        ReturnCommand::Report(report) => put_told(head(RequestKind::ReportReturn, 30)?, of, report, out),
        ReturnCommand::Receive { site, lines } => {
            return return_to_stock(RequestKind::ReceiveReturn, of, site, lines, out);
        }
        ReturnCommand::Inspect { site, disposition, lines } => {
            count16(lines.len())?;
            put_looked(head(RequestKind::InspectReturn, with_lines(33, lines))?, (of, site, disposition), lines, out);
        }
    }
    Ok(())
}

fn return_to_stock(
    kind: RequestKind,
    (order, change): (OrderId, ChangeId),
    site: SiteId,
    lines: &[LineQuantity],
    out: &mut Vec<u8>,
) -> Encoded {
    let head = head(kind, 32 + 6 * lines.len())?;
    let lines_len = count16(lines.len())?;
    put(out, &ReturnToStockV1 { head, order: order.bits(), change: change.0, site: site.0, lines: lines_len });
    quantities(lines, out);
    Ok(())
}

/// Appends a query's record. Nothing is appended when it fails.
pub(super) fn encode_query(query: &Query<'_>, out: &mut Vec<u8>) -> Encoded {
    let start = out.len();
    match *query {
        Query::Market { code } => market_code(RequestKind::Market, code, out)?,
        Query::Stock { market, skus } => sku_list(RequestKind::Stock, market, skus, out)?,
        Query::Availability { market, skus } => sku_list(RequestKind::Availability, market, skus, out)?,
        Query::ResolveSkus { market, codes } => resolve_skus(market, codes, out)?,
        Query::Sites { market } => market_query(RequestKind::Sites, market, out)?,
        Query::Books { market } => market_query(RequestKind::Books, market, out)?,
        Query::Policy { market, sku } => {
            let head = head(RequestKind::Policy, 12)?;
            put(out, &PolicyQueryV1 { head, market: market.number(), sku: sku.0 });
        }
        Query::Recipe { market, sku } => {
            let head = head(RequestKind::Recipe, 12)?;
            put(out, &PolicyQueryV1 { head, market: market.number(), sku: sku.0 });
        }
        Query::Retention { market } => market_query(RequestKind::Retention, market, out)?,
        Query::Effects { market } => market_query(RequestKind::Effects, market, out)?,
        Query::Reservations { market } => market_query(RequestKind::Reservations, market, out)?,
        Query::Wanted { market, effect, aside, after, rows_max } => {
            let (head, market) = (head(RequestKind::Wanted, 20)?, market.unwrap_or_default().number());
            let (effect, aside) = (effect as u8, u8::from(aside));
            put(out, &WantedQueryV1 { head, market, after, rows_max, effect, aside });
        }
        Query::Skus { market, after, rows_max } => {
            let head = head(RequestKind::Skus, 14)?;
            put(out, &SkusQueryV1 { head, market: market.number(), after: after.0, rows_max });
        }
        Query::Order { order } => put(out, &OrderQueryV1 { head: head(RequestKind::Order, 20)?, order: order.bits() }),
        Query::Waits { order } => put(out, &OrderQueryV1 { head: head(RequestKind::Waits, 20)?, order: order.bits() }),
        Query::Velocity { market, customer, hashes } => {
            put_velocity_query(head(RequestKind::Velocity, VELOCITY_QUERY)?, market, (customer, hashes), out);
        }
        Query::Tasks { market, kind, after, rows_max } => {
            put_tasks_query(head(RequestKind::Tasks, TASKS_QUERY)?, (market, kind), after, rows_max, out);
        }
        Query::OrderByNumber { market, number } => {
            let head = head(RequestKind::OrderByNumber, 16)?;
            put(out, &OrderByNumberV1 { head, market: market.number(), number: number.0 });
        }
        Query::CustomerOrders { market, customer, before, rows_max } => {
            let (head, market) = (head(RequestKind::CustomerOrders, 34)?, market.number());
            put(out, &CustomerOrdersV1 { head, market, customer: customer.0, before: before.0, rows_max });
        }
        Query::Holders { market, sku, after, rows_max } => {
            let (head, market) = (head(RequestKind::Holders, 22)?, market.number());
            put(out, &HoldersQueryV1 { head, market, sku: sku.0, after: after.0, rows_max });
        }
        Query::OrderHistory { order, after, rows_max } => {
            let (head, order) = (head(RequestKind::OrderHistory, 26)?, order.bits());
            put(out, &OrderHistoryQueryV1 { head, order, after, rows_max });
        }
        Query::ChannelCaps { market, sku, after, rows_max } => {
            let (head, market) = (head(RequestKind::ChannelCaps, 16)?, market.number());
            put(out, &ChannelCapsQueryV1 { head, market, sku: sku.0, after, rows_max });
        }
        Query::OpenOrders { market, after, rows_max } => {
            let head = head(RequestKind::OpenOrders, 18)?;
            put(out, &OpenOrdersV1 { head, market: market.number(), after: after.0, rows_max });
        }
        Query::HeldOrders { market, after, rows_max } => {
            let head = head(RequestKind::HeldOrders, 18)?;
            put(out, &OpenOrdersV1 { head, market: market.number(), after: after.0, rows_max });
        }
    }
    pad(out, start);
    Ok(())
}

fn sku_list(kind: RequestKind, market: MarketId, skus: &[SkuId], out: &mut Vec<u8>) -> Encoded {
    let head = head(kind, 10 + 4 * skus.len())?;
    put(out, &StockQueryV1 { head, market: market.number(), skus: count16(skus.len())? });
    put_all(out, skus.iter().map(|sku| sku.0));
    Ok(())
}

fn market_query(kind: RequestKind, market: MarketId, out: &mut Vec<u8>) -> Encoded {
    put(out, &MarketQueryV1 { head: head(kind, 8)?, market: market.number() });
    Ok(())
}

fn resolve_skus(market: MarketId, codes: Codes<'_>, out: &mut Vec<u8>) -> Encoded {
    if codes.iter().any(|code| code.len() > usize::from(u8::MAX)) {
        return Err(PushError::TooLarge);
    }
    let head = head(RequestKind::ResolveSkus, 10 + codes.len() + codes.text().len())?;
    put(out, &ResolveSkusV1 { head, market: market.number(), codes: count16(codes.len())? });
    out.extend(codes.iter().map(|code| u8::try_from(code.len()).unwrap_or(u8::MAX)));
    out.extend_from_slice(codes.text().as_bytes());
    Ok(())
}

/// Appends the record that asks for the server's status.
pub(super) fn encode_status(out: &mut Vec<u8>) {
    let start = out.len();
    put(out, &RecordHead::new(RequestKind::Status as u8, 8));
    pad(out, start);
}
