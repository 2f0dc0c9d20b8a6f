//! Replies to queries: rows, orders and books out of their records.

use rkyv::rend::unaligned::{i64_ule, u32_ule, u64_ule};

use super::hold::ArchivedHoldPart;
use super::layout::{Body, Malformed};
use super::payment::{ArchivedMoneyPart, ArchivedPaymentPart};
use super::refused::Part;
use super::reply::{BooksAt, Reply, SkuRow};
use super::reply_decode::{Read, flags, state, stateless};
use super::reply_records::{
    ArchivedAnswerHead, ArchivedAvailabilityV1, ArchivedBooksV5, ArchivedChannelCapsV1, ArchivedChannelRowV1,
    ArchivedDrawViewV1, ArchivedEffectsV2, ArchivedHeldOrdersV1, ArchivedHeldRowV1, ArchivedHistoryRowV1,
    ArchivedHolderRowV1, ArchivedHoldersV1, ArchivedLineViewV3, ArchivedOpenOrdersReplyV1, ArchivedOrderHistoryV1,
    ArchivedOrderRowV1, ArchivedOrderV7, ArchivedPolicyV2, ArchivedRecipeRowV1, ArchivedRecipeV1,
    ArchivedReplyHashesV1, ArchivedReservationsV2, ArchivedRetentionV1, ArchivedSiteRowV1, ArchivedSitesV1,
    ArchivedSkuNumbersV1, ArchivedSkuRowV1, ArchivedSkusV1, ArchivedStockRowV3, ArchivedStockV3, ArchivedWantRowV2,
    ArchivedWantedV2, CLOSED, ERASED, HAS_HASHES, MORE, NO_LINE,
};
use super::returns::read_returns;
use crate::base::{Currency, CustomerKey, OrderId, OrderNumber, Sequence, ShardId, SiteId, SkuId, Timestamp};
use crate::engine::choices::{PaymentMethod, Take};
use crate::engine::command::IdentityHashes;
use crate::engine::query::{
    ChannelPage, ChannelRow, CheckState, DrawView, HeldPage, HeldRow, HistoryPage, HistoryRow, HolderPage, HolderRow,
    LineView, OrderPage, OrderRow, OrderView, RetentionView, SiteRow, StockRow, WantPage, WantRow,
};
use crate::engine::{Action, AsideReason, Books, Component, Happening, Reservations, Retention};

pub(super) fn stock<'a>(head: &ArchivedAnswerHead, record: &'a [u8]) -> Read<Reply<'a>> {
    stateless(head)?;
    let more = flags(head, MORE)? == MORE;
    let (fixed, mut body) = Body::of::<ArchivedStockV3>(record)?;
    let mut rows = Vec::new();
    body.array::<ArchivedStockRowV3, _>(usize::from(fixed.rows.to_native()), &mut rows, |row| {
        let balances = row.balances.map(i64_ule::to_native);
        Ok(StockRow {
            sku: SkuId(row.sku.to_native()),
            site: SiteId(row.site.to_native()),
            balances,
            owed: row.owed.to_native(),
        })
    })?;
    body.end()?;
    Ok(Reply::Stock { rows, more })
}

pub(super) fn availability<'a>(head: &ArchivedAnswerHead, record: &'a [u8]) -> Read<Reply<'a>> {
    stateless(head)?;
    flags(head, 0)?;
    let (fixed, mut body) = Body::of::<ArchivedAvailabilityV1>(record)?;
    let mut units = Vec::new();
    body.array::<u64_ule, _>(usize::from(fixed.rows.to_native()), &mut units, |units| Ok(units.to_native()))?;
    body.end()?;
    Ok(Reply::Availability(units))
}

pub(super) fn sku_numbers<'a>(head: &ArchivedAnswerHead, record: &'a [u8]) -> Read<Reply<'a>> {
    stateless(head)?;
    flags(head, 0)?;
    let (fixed, mut body) = Body::of::<ArchivedSkuNumbersV1>(record)?;
    let mut numbers = Vec::new();
    body.array::<u32_ule, _>(usize::from(fixed.rows.to_native()), &mut numbers, |number| {
        let number = number.to_native();
        Ok((number != 0).then_some(SkuId(number)))
    })?;
    body.end()?;
    Ok(Reply::SkuNumbers(numbers))
}

pub(super) fn recipe<'a>(head: &ArchivedAnswerHead, record: &'a [u8]) -> Read<Reply<'a>> {
    stateless(head)?;
    flags(head, 0)?;
    let (fixed, mut body) = Body::of::<ArchivedRecipeV1>(record)?;
    let mut recipe = Vec::new();
    body.array::<ArchivedRecipeRowV1, _>(usize::from(fixed.rows.to_native()), &mut recipe, |part| {
        Ok(Component { sku: SkuId(part.sku.to_native()), units: part.units.to_native() })
    })?;
    body.end()?;
    Ok(Reply::Recipe(recipe))
}

pub(super) fn sites<'a>(head: &ArchivedAnswerHead, record: &'a [u8]) -> Read<Reply<'a>> {
    stateless(head)?;
    flags(head, 0)?;
    let (fixed, mut body) = Body::of::<ArchivedSitesV1>(record)?;
    let mut rows = Vec::new();
    body.array::<ArchivedSiteRowV1, _>(usize::from(fixed.rows.to_native()), &mut rows, Ok)?;
    let mut sites = Vec::with_capacity(rows.len());
    for row in rows {
        let code = body.text(usize::from(row.code_len.to_native()))?.to_owned();
        sites.push(SiteRow { site: SiteId(row.site.to_native()), rank: row.rank.to_native(), code });
    }
    body.end()?;
    Ok(Reply::Sites(sites))
}

pub(super) fn skus<'a>(head: &ArchivedAnswerHead, record: &'a [u8]) -> Read<Reply<'a>> {
    stateless(head)?;
    flags(head, 0)?;
    let (fixed, mut body) = Body::of::<ArchivedSkusV1>(record)?;
    let mut rows = Vec::new();
    body.array::<ArchivedSkuRowV1, _>(usize::from(fixed.rows.to_native()), &mut rows, Ok)?;
    let mut skus = Vec::with_capacity(rows.len());
    for row in rows {
        let code = body.text(usize::from(row.code_len.to_native()))?.to_owned();
        skus.push(SkuRow { sku: SkuId(row.sku.to_native()), code });
    }
    body.end()?;
    Ok(Reply::Skus(skus))
}

pub(super) fn order(head: &ArchivedAnswerHead, record: &[u8]) -> Read<OrderView> {
    let flags = flags(head, HAS_HASHES | CLOSED | ERASED)?;
    let (has_hashes, closed, erased) = (flags & HAS_HASHES != 0, flags & CLOSED != 0, flags & ERASED != 0);
    let (fixed, mut body) = Body::of::<ArchivedOrderV7>(record)?;
    let mut lines = Vec::new();
    body.array::<ArchivedLineViewV3, _>(usize::from(fixed.lines.to_native()), &mut lines, |line| Ok(line_view(line)))?;
    let mut draws = Vec::new();
    body.array::<ArchivedDrawViewV1, _>(usize::from(fixed.draws.to_native()), &mut draws, |draw| Ok(draw_view(draw)))?;
    let hashes = if has_hashes { Some(hashes(body.one()?)) } else { None };
    let details = body.blob(usize::from(fixed.details_len.to_native()))?.to_vec();
    let mut parts = Vec::new();
    body.array::<ArchivedHoldPart, _>(usize::from(fixed.holds.to_native()), &mut parts, Ok)?;
    let holds = parts.into_iter().map(|part| part.read(&mut body)).collect::<Read<Vec<_>>>()?;
    let mut payments = Vec::new();
    let count = usize::from(fixed.payments.to_native());
    body.array::<ArchivedPaymentPart, _>(count, &mut payments, ArchivedPaymentPart::read)?;
    let returns = read_returns(fixed.returns.to_native(), &mut body)?;
    body.end()?;
    if erased && (closed || !details.is_empty()) {
        return Err(Malformed(Part::Flags));
    }
    Ok(OrderView {
        order: OrderId::from_bits(fixed.order.to_native()),
        number: OrderNumber(fixed.number.to_native()),
        state: state(head.state)?,
        closed,
        customer: CustomerKey(fixed.customer.to_native()),
        accepted_at: Timestamp::from_ms(fixed.accepted_at.to_native()),
        deadline: Timestamp::from_ms(fixed.deadline.to_native()),
        take: Take::from_byte(fixed.take).ok_or(Malformed(Part::Take))?,
        currency: Currency::new(fixed.currency).map_err(|_| Malformed(Part::Currency))?,
        payment: PaymentMethod::from_byte(fixed.payment).ok_or(Malformed(Part::Payment))?,
        channel: fixed.channel.to_native(),
        zone: fixed.zone.to_native(),
        hashes,
        lines,
        draws,
        details,
        key: None,
        erased,
        holds,
        missing: fixed.missing.to_native(),
        check: CheckState::from_byte(fixed.check).ok_or(Malformed(Part::CheckState))?,
        payments,
        returns,
    })
}

fn hashes(hashes: &ArchivedReplyHashesV1) -> IdentityHashes {
    let (account, address) = (hashes.account.to_native(), hashes.address.to_native());
    IdentityHashes { account, address, instrument: hashes.instrument.to_native() }
}

fn line_view(line: &ArchivedLineViewV3) -> LineView {
    LineView {
        sku: SkuId(line.sku.to_native()),
        asked: line.asked.to_native(),
        price: line.price.to_native(),
        taken: line.taken.to_native(),
        owed: line.owed.to_native(),
        reserved: line.reserved.to_native(),
        lapsed: line.lapsed.to_native(),
        committed: line.committed.to_native(),
        shipped: line.shipped.to_native(),
        cancelled: line.cancelled.to_native(),
        returned: line.returned.to_native(),
        delivered: line.delivered.to_native(),
    }
}

fn draw_view(draw: &ArchivedDrawViewV1) -> DrawView {
    DrawView {
        line: draw.line.to_native(),
        site: SiteId(draw.site.to_native()),
        reserved: draw.reserved.to_native(),
        committed: draw.committed.to_native(),
        shipped: draw.shipped.to_native(),
    }
}

pub(super) fn open_orders<'a>(head: &ArchivedAnswerHead, record: &'a [u8]) -> Read<Reply<'a>> {
    stateless(head)?;
    flags(head, 0)?;
    let (fixed, mut body) = Body::of::<ArchivedOpenOrdersReplyV1>(record)?;
    let mut rows = Vec::new();
    body.array::<ArchivedOrderRowV1, _>(usize::from(fixed.rows.to_native()), &mut rows, |row| {
        Ok(OrderRow {
            order: OrderId::from_bits(row.order.to_native()),
            number: OrderNumber(row.number.to_native()),
            state: state(row.state)?,
            deadline: Timestamp::from_ms(row.deadline.to_native()),
        })
    })?;
    body.end()?;
    let next = fixed.next.to_native();
    Ok(Reply::OpenOrders(OrderPage { rows, next: (next != 0).then_some(OrderNumber(next)) }))
}

pub(super) fn held_orders<'a>(head: &ArchivedAnswerHead, record: &'a [u8]) -> Read<Reply<'a>> {
    stateless(head)?;
    flags(head, 0)?;
    let (fixed, mut body) = Body::of::<ArchivedHeldOrdersV1>(record)?;
    let mut parts = Vec::new();
    body.array::<ArchivedHeldRowV1, _>(usize::from(fixed.rows.to_native()), &mut parts, Ok)?;
    let mut rows = Vec::with_capacity(parts.len());
    for row in parts {
        let order = OrderRow {
            order: OrderId::from_bits(row.order.to_native()),
            number: OrderNumber(row.number.to_native()),
            state: state(row.state)?,
            deadline: Timestamp::from_ms(row.deadline.to_native()),
        };
        rows.push(HeldRow { order, hold: row.hold.read(&mut body)? });
    }
    body.end()?;
    let next = fixed.next.to_native();
    Ok(Reply::HeldOrders(HeldPage { rows, next: (next != 0).then_some(OrderNumber(next)) }))
}

pub(super) fn holders<'a>(head: &ArchivedAnswerHead, record: &'a [u8]) -> Read<Reply<'a>> {
    stateless(head)?;
    flags(head, 0)?;
    let (fixed, mut body) = Body::of::<ArchivedHoldersV1>(record)?;
    let mut rows = Vec::new();
    body.array::<ArchivedHolderRowV1, _>(usize::from(fixed.rows.to_native()), &mut rows, |row| {
        let order = OrderRow {
            order: OrderId::from_bits(row.order.to_native()),
            number: OrderNumber(row.number.to_native()),
            state: state(row.state)?,
            deadline: Timestamp::from_ms(row.deadline.to_native()),
        };
        let (owed, reserved, committed) = (row.owed.to_native(), row.reserved.to_native(), row.committed.to_native());
        Ok(HolderRow { order, owed, reserved, committed })
    })?;
    body.end()?;
    let next = fixed.next.to_native();
    Ok(Reply::Holders(HolderPage { rows, next: (next != 0).then_some(OrderNumber(next)) }))
}

pub(super) fn books<'a>(head: &ArchivedAnswerHead, record: &'a [u8]) -> Read<Reply<'a>> {
    stateless(head)?;
    flags(head, 0)?;
    let (fixed, mut body) = Body::of::<ArchivedBooksV5>(record)?;
    let mut money = Vec::new();
    body.array::<ArchivedMoneyPart, _>(usize::from(fixed.currencies.to_native()), &mut money, ArchivedMoneyPart::read)?;
    body.end()?;
    let books = Books {
        units: fixed.units.map(i64_ule::to_native),
        owed: fixed.owed.to_native(),
        orders: fixed.orders.map(u64_ule::to_native),
        orders_hash: fixed.orders_hash.to_native(),
        money,
    };
    let (stream, sequence) = (ShardId(fixed.stream.to_native()), Sequence(fixed.sequence.to_native()));
    Ok(Reply::Books(Box::new(BooksAt { stream, sequence, books })))
}

pub(super) fn policy<'a>(head: &ArchivedAnswerHead, record: &'a [u8]) -> Read<Reply<'a>> {
    stateless(head)?;
    flags(head, 0)?;
    Ok(Reply::Policy(Body::alone::<ArchivedPolicyV2>(record)?.policy.read()?))
}

pub(super) fn effects<'a>(head: &ArchivedAnswerHead, record: &'a [u8]) -> Read<Reply<'a>> {
    stateless(head)?;
    flags(head, 0)?;
    Ok(Reply::Effects(Body::alone::<ArchivedEffectsV2>(record)?.effects.read()?))
}

pub(super) fn wanted<'a>(head: &ArchivedAnswerHead, record: &'a [u8]) -> Read<Reply<'a>> {
    stateless(head)?;
    flags(head, 0)?;
    let (fixed, mut body) = Body::of::<ArchivedWantedV2>(record)?;
    let mut rows = Vec::new();
    body.array::<ArchivedWantRowV2, _>(usize::from(fixed.rows.to_native()), &mut rows, want_row)?;
    body.end()?;
    let next = fixed.next.to_native();
    Ok(Reply::Wanted(WantPage { rows, next: (next != 0).then_some(next) }))
}

fn want_row(row: &ArchivedWantRowV2) -> Read<WantRow> {
    let aside = match row.aside {
        0 => None,
        reason => Some(AsideReason::from_byte(reason).ok_or(Malformed(Part::Report))?),
    };
    Ok(WantRow {
        place: row.place.to_native(),
        order: OrderId::from_bits(row.order.to_native()),
        number: OrderNumber(row.number.to_native()),
        action: Action::from_byte(row.action).ok_or(Malformed(Part::Effect))?,
        attempt: row.attempt.to_native(),
        since: Timestamp::from_ms(row.since.to_native()),
        aside,
        state: state(row.state)?,
        amount: row.amount.to_native(),
        currency: Currency::new(row.currency).map_err(|_| Malformed(Part::Currency))?,
        payment: PaymentMethod::from_byte(row.payment).ok_or(Malformed(Part::Payment))?,
    })
}

pub(super) fn order_history<'a>(head: &ArchivedAnswerHead, record: &'a [u8]) -> Read<Reply<'a>> {
    stateless(head)?;
    let closed = flags(head, CLOSED)? == CLOSED;
    let (fixed, mut body) = Body::of::<ArchivedOrderHistoryV1>(record)?;
    let mut rows = Vec::new();
    body.array::<ArchivedHistoryRowV1, _>(usize::from(fixed.rows.to_native()), &mut rows, |row| {
        let (line, what) = (row.line.to_native(), Happening::from_byte(row.what));
        Ok(HistoryRow {
            place: row.place.to_native(),
            position: Sequence(row.sequence.to_native()),
            at: Timestamp::from_ms(row.at.to_native()),
            what: what.ok_or(Malformed(Part::Happening))?,
            line: (line != NO_LINE).then_some(line),
            value: row.value.to_native(),
        })
    })?;
    body.end()?;
    let (shard, next) = (ShardId(fixed.stream.to_native()), fixed.next.to_native());
    let (next, not_shown) = ((next != 0).then_some(next), fixed.not_shown.to_native());
    Ok(Reply::OrderHistory(HistoryPage { shard, closed, not_shown, rows, next }))
}

pub(super) fn channel_caps<'a>(head: &ArchivedAnswerHead, record: &'a [u8]) -> Read<Reply<'a>> {
    stateless(head)?;
    flags(head, 0)?;
    let (fixed, mut body) = Body::of::<ArchivedChannelCapsV1>(record)?;
    let mut rows = Vec::new();
    body.array::<ArchivedChannelRowV1, _>(usize::from(fixed.rows.to_native()), &mut rows, |row| {
        let (channel, units_max, held) = (row.channel.to_native(), row.units_max.to_native(), row.held.to_native());
        Ok(ChannelRow { channel, units_max, held })
    })?;
    body.end()?;
    let next = fixed.next.to_native();
    Ok(Reply::ChannelCaps(ChannelPage { rows, next: (next != 0).then_some(next) }))
}

pub(super) fn reservations<'a>(head: &ArchivedAnswerHead, record: &'a [u8]) -> Read<Reply<'a>> {
    stateless(head)?;
    flags(head, 0)?;
    let fixed = Body::alone::<ArchivedReservationsV2>(record)?;
    let (activity_ms_max, payment_ms_max) = (fixed.activity_ms_max.to_native(), fixed.payment_ms_max.to_native());
    let unpaid_ms = fixed.unpaid_ms.map(u32_ule::to_native);
    Ok(Reply::Reservations(Reservations { activity_ms_max, payment_ms_max, unpaid_ms }))
}

pub(super) fn retention<'a>(head: &ArchivedAnswerHead, record: &'a [u8]) -> Read<Reply<'a>> {
    stateless(head)?;
    flags(head, 0)?;
    let fixed = Body::alone::<ArchivedRetentionV1>(record)?;
    let (return_window_ms, ids_kept_ms) = (fixed.return_window_ms.to_native(), fixed.ids_kept_ms.to_native());
    let retired_before = Timestamp::from_ms(fixed.retired_before.to_native());
    Ok(Reply::Retention(RetentionView { retention: Retention { return_window_ms, ids_kept_ms }, retired_before }))
}
