//! Reply records to replies: what a client reads. The other direction is `reply_encode`.
//!
//! # Always true
//! - Whatever the bytes, the outcome is replies or a [`FrameError`]; a client closes the connection on one.

use rkyv::rend::unaligned::{i64_ule, u16_ule, u32_ule, u64_ule};

use super::frame::{FrameError, REPLY_HEADER_BYTES, ReplyFrameKind, ReplyHeader, check_records};
use super::layout::{Body, Malformed, RECORD_VERSION, get, split_record};
use super::refused::{Part, Refused};
use super::refused_numbers::{Parts, from_parts};
use super::reply_records::{
    ArchivedAnswerHead, ArchivedBooksV1, ArchivedDoneV1, ArchivedDrawViewV1, ArchivedHelloV1, ArchivedLineViewV1,
    ArchivedNumberedV1, ArchivedOpenOrdersReplyV1, ArchivedOrderRowV1, ArchivedOrderV1, ArchivedPlacedReplyV1,
    ArchivedPlacedShortV1, ArchivedRefusedV1, ArchivedReplyHashesV1, ArchivedRetakeFailedReplyV1, ArchivedSiteRowV1,
    ArchivedSitesV1, ArchivedSkuNumbersV1, ArchivedSkuRowV1, ArchivedSkusV1, ArchivedStatusV1, ArchivedStockChangedV1,
    ArchivedStockRowV1, ArchivedStockV1, ArchivedSummaryV1, HAS_HASHES, MORE, REPEATED, ReplyKind,
};
use super::status::{DurabilityMode, Hello, ServerVersion, Status, Summary, SyncMethodCode};
use crate::base::{Currency, CustomerKey, OrderId, OrderNumber, Sequence, ShardId, SiteId, SkuId, Timestamp};
use crate::engine::command::{IdentityHashes, PaymentMethod, Take};
use crate::engine::order::State;
use crate::engine::query::{DrawView, LineView, OrderPage, OrderRow, OrderView, SiteRow, StockRow};
use crate::engine::{Answer, Books};

/// One reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply<'a> {
    /// A command was carried out. The units taken per line are empty unless the answer says `short`.
    Answer(Answer, Taken<'a>),
    /// A request was refused.
    Refused(Refused),
    /// Stock rows; with `more`, another reply of the same correlation and index goes on.
    Stock {
        /// In the order asked.
        rows: Vec<StockRow>,
        /// Not the last part.
        more: bool,
    },
    /// Numbers of SKU codes, in the order asked.
    SkuNumbers(Vec<Option<SkuId>>),
    /// The sites of a market.
    Sites(Vec<SiteRow>),
    /// A page of SKUs.
    Skus(Vec<SkuRow>),
    /// An order.
    Order(Box<OrderView>),
    /// A page of open orders.
    OpenOrders(OrderPage),
    /// The books of a market.
    Books(Box<BooksAt>),
    /// The server's status.
    Status(Box<Status>),
}

/// A SKU and its code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkuRow {
    /// Its number.
    pub sku: SkuId,
    /// Its code.
    pub code: String,
}

/// The books of a market and the position of the log at which they are true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BooksAt {
    /// The stream that carries the market's facts.
    pub stream: ShardId,
    /// The last entry that counts.
    pub sequence: Sequence,
    /// The books.
    pub books: Books,
}

/// Units taken per line, as they lie in the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Taken<'a> {
    bytes: &'a [u8],
}

impl<'a> Taken<'a> {
    /// How many lines.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.bytes.len() / 4
    }

    /// Whether nothing was told: every line got what it asked.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Units per line, lines in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = u32> + use<'a> {
        self.bytes.chunks_exact(4).map(|line| get::<u32_ule>(line).map_or(0, |units| units.to_native()))
    }
}

type Read<T> = Result<T, Malformed>;

/// Reads every reply of a whole frame and tells its header.
///
/// # Errors
/// A frame that no server of this version writes. Replies before the bad one have been handed out.
pub fn decode_replies(frame: &[u8], mut deliver: impl FnMut(u64, u16, Reply<'_>)) -> Result<ReplyHeader, FrameError> {
    let header = whole_frame(frame, ReplyFrameKind::Replies)?;
    let mut rest = check_records(frame, header.length, REPLY_HEADER_BYTES, header.count)?;
    let mut index = 0;
    while let Some((record, behind)) = split_record(rest) {
        let (head, reply) = decode_reply(record).map_err(|Malformed(part)| unreadable(record, index, part))?;
        deliver(head.correlation.to_native(), head.index.to_native(), reply);
        index += 1;
        rest = behind;
    }
    Ok(header)
}

/// Reads the frame that greets a new connection.
///
/// # Errors
/// A frame that is no greeting of this version.
pub fn decode_hello(frame: &[u8]) -> Result<Hello, FrameError> {
    let header = whole_frame(frame, ReplyFrameKind::Hello)?;
    let records = check_records(frame, header.length, REPLY_HEADER_BYTES, 1)?;
    hello(records, header.log_time).map_err(|Malformed(part)| unreadable(records, 0, part))
}

fn whole_frame(frame: &[u8], kind: ReplyFrameKind) -> Result<ReplyHeader, FrameError> {
    let held = u32::try_from(frame.len()).unwrap_or(u32::MAX);
    let short = FrameError::TooShort { length: held, held, header: REPLY_HEADER_BYTES as u32 };
    let header = ReplyHeader::parse(frame)?.ok_or(short)?;
    if header.kind == kind {
        Ok(header)
    } else {
        Err(FrameError::UnknownKind { found: header.kind as u8, expected: kind as u8 })
    }
}

fn unreadable(record: &[u8], index: u32, part: Part) -> FrameError {
    FrameError::UnreadableReply { index, kind: record.first().copied().unwrap_or_default(), part: part as u8 }
}

fn decode_reply(record: &[u8]) -> Read<(&ArchivedAnswerHead, Reply<'_>)> {
    let head = get::<ArchivedAnswerHead>(record).ok_or(Malformed(Part::Length))?;
    let kind = ReplyKind::from_byte(head.record.kind).ok_or(Malformed(Part::Kind))?;
    if head.record.version != RECORD_VERSION {
        return Err(Malformed(Part::Version));
    }
    let reply = match kind {
        ReplyKind::Placed | ReplyKind::PlacedShort | ReplyKind::Done => order_answer(kind, head, record)?,
        ReplyKind::Numbered | ReplyKind::StockChanged | ReplyKind::RetakeFailed => plain_answer(kind, head, record)?,
        ReplyKind::Refused => Reply::Refused(refused(head, record)?),
        ReplyKind::Stock => stock(head, record)?,
        ReplyKind::SkuNumbers => sku_numbers(head, record)?,
        ReplyKind::Sites => sites(head, record)?,
        ReplyKind::Skus => skus(head, record)?,
        ReplyKind::Order => Reply::Order(Box::new(order(head, record)?)),
        ReplyKind::OpenOrders => open_orders(head, record)?,
        ReplyKind::Books => books(head, record)?,
        ReplyKind::Status => Reply::Status(Box::new(status(head, record)?)),
        ReplyKind::Hello => return Err(Malformed(Part::Kind)),
    };
    Ok((head, reply))
}

/// The flags, when no other than `allowed` are set.
const fn flags(head: &ArchivedAnswerHead, allowed: u8) -> Read<u8> {
    if head.flags & !allowed == 0 { Ok(head.flags) } else { Err(Malformed(Part::Flags)) }
}

fn state(byte: u8) -> Read<State> {
    State::from_byte(byte).ok_or(Malformed(Part::State))
}

/// For kinds that are not about an order's state.
const fn stateless(head: &ArchivedAnswerHead) -> Read<()> {
    if head.state == 0 { Ok(()) } else { Err(Malformed(Part::State)) }
}

fn order_answer<'a>(kind: ReplyKind, head: &ArchivedAnswerHead, record: &'a [u8]) -> Read<Reply<'a>> {
    let repeated = flags(head, REPEATED)? == REPEATED;
    let state = state(head.state)?;
    if kind == ReplyKind::Done {
        let fixed = Body::alone::<ArchivedDoneV1>(record)?;
        let (moved, excess) = (fixed.moved.to_native(), fixed.excess.to_native());
        return Ok(Reply::Answer(Answer::Done { state, moved, excess, repeated }, Taken::default()));
    }
    let short = kind == ReplyKind::PlacedShort;
    let (fixed, mut body) = Body::of::<ArchivedPlacedReplyV1>(record)?;
    let mut taken = Taken::default();
    if short {
        let (fixed, short_body) = Body::of::<ArchivedPlacedShortV1>(record)?;
        body = short_body;
        taken.bytes = body.blob(4 * usize::from(fixed.lines.to_native()))?;
    }
    body.end()?;
    let answer = Answer::Placed {
        number: OrderNumber(fixed.number.to_native()),
        accepted_at: Timestamp::from_ms(fixed.accepted_at.to_native()),
        deadline: Timestamp::from_ms(fixed.deadline.to_native()),
        state,
        short,
        repeated,
    };
    Ok(Reply::Answer(answer, taken))
}

fn plain_answer<'a>(kind: ReplyKind, head: &ArchivedAnswerHead, record: &'a [u8]) -> Read<Reply<'a>> {
    stateless(head)?;
    let repeated = flags(head, REPEATED)? == REPEATED;
    let answer = match kind {
        ReplyKind::Numbered => {
            Answer::Numbered { number: Body::alone::<ArchivedNumberedV1>(record)?.number.to_native(), repeated }
        }
        ReplyKind::StockChanged => {
            Answer::Stock { available: Body::alone::<ArchivedStockChangedV1>(record)?.available.to_native(), repeated }
        }
        _ => {
            let sku = SkuId(Body::alone::<ArchivedRetakeFailedReplyV1>(record)?.sku.to_native());
            Answer::RetakeFailed { sku, repeated }
        }
    };
    Ok(Reply::Answer(answer, Taken::default()))
}

fn refused(head: &ArchivedAnswerHead, record: &[u8]) -> Read<Refused> {
    flags(head, 0)?;
    let fixed = Body::alone::<ArchivedRefusedV1>(record)?;
    from_parts(&Parts {
        number: fixed.number.to_native(),
        state: head.state,
        small: fixed.small.to_native(),
        medium: fixed.medium.to_native(),
        first: fixed.first.to_native(),
        second: fixed.second.to_native(),
    })
}

fn stock<'a>(head: &ArchivedAnswerHead, record: &'a [u8]) -> Read<Reply<'a>> {
    stateless(head)?;
    let more = flags(head, MORE)? == MORE;
    let (fixed, mut body) = Body::of::<ArchivedStockV1>(record)?;
    let mut rows = Vec::new();
    body.array::<ArchivedStockRowV1, _>(usize::from(fixed.rows.to_native()), &mut rows, |row| {
        let balances = row.balances.map(i64_ule::to_native);
        Ok(StockRow { sku: SkuId(row.sku.to_native()), site: SiteId(row.site.to_native()), balances })
    })?;
    body.end()?;
    Ok(Reply::Stock { rows, more })
}

fn sku_numbers<'a>(head: &ArchivedAnswerHead, record: &'a [u8]) -> Read<Reply<'a>> {
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

fn sites<'a>(head: &ArchivedAnswerHead, record: &'a [u8]) -> Read<Reply<'a>> {
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

fn skus<'a>(head: &ArchivedAnswerHead, record: &'a [u8]) -> Read<Reply<'a>> {
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

fn order(head: &ArchivedAnswerHead, record: &[u8]) -> Read<OrderView> {
    let has_hashes = flags(head, HAS_HASHES)? == HAS_HASHES;
    let (fixed, mut body) = Body::of::<ArchivedOrderV1>(record)?;
    let mut lines = Vec::new();
    body.array::<ArchivedLineViewV1, _>(usize::from(fixed.lines.to_native()), &mut lines, |line| Ok(line_view(line)))?;
    let mut draws = Vec::new();
    body.array::<ArchivedDrawViewV1, _>(usize::from(fixed.draws.to_native()), &mut draws, |draw| Ok(draw_view(draw)))?;
    let hashes = if has_hashes { Some(hashes(body.one()?)) } else { None };
    let details = body.blob(usize::from(fixed.details_len.to_native()))?.to_vec();
    body.end()?;
    Ok(OrderView {
        order: OrderId::from_bits(fixed.order.to_native()),
        number: OrderNumber(fixed.number.to_native()),
        state: state(head.state)?,
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
    })
}

fn hashes(hashes: &ArchivedReplyHashesV1) -> IdentityHashes {
    let (account, address) = (hashes.account.to_native(), hashes.address.to_native());
    IdentityHashes { account, address, instrument: hashes.instrument.to_native() }
}

fn line_view(line: &ArchivedLineViewV1) -> LineView {
    LineView {
        sku: SkuId(line.sku.to_native()),
        asked: line.asked.to_native(),
        price: line.price.to_native(),
        taken: line.taken.to_native(),
        reserved: line.reserved.to_native(),
        lapsed: line.lapsed.to_native(),
        committed: line.committed.to_native(),
        shipped: line.shipped.to_native(),
        cancelled: line.cancelled.to_native(),
        returned: line.returned.to_native(),
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

fn open_orders<'a>(head: &ArchivedAnswerHead, record: &'a [u8]) -> Read<Reply<'a>> {
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

fn books<'a>(head: &ArchivedAnswerHead, record: &'a [u8]) -> Read<Reply<'a>> {
    stateless(head)?;
    flags(head, 0)?;
    let fixed = Body::alone::<ArchivedBooksV1>(record)?;
    let books = Books {
        units: fixed.units.map(i64_ule::to_native),
        orders: fixed.orders.map(u64_ule::to_native),
        orders_hash: fixed.orders_hash.to_native(),
    };
    let (stream, sequence) = (ShardId(fixed.stream.to_native()), Sequence(fixed.sequence.to_native()));
    Ok(Reply::Books(Box::new(BooksAt { stream, sequence, books })))
}

fn version(numbers: [u16; 3]) -> ServerVersion {
    let [major, minor, patch] = numbers;
    ServerVersion { major, minor, patch }
}

fn status(head: &ArchivedAnswerHead, record: &[u8]) -> Read<Status> {
    stateless(head)?;
    flags(head, 0)?;
    let fixed = Body::alone::<ArchivedStatusV1>(record)?;
    Ok(Status {
        version: version(fixed.version.map(u16_ule::to_native)),
        shards: fixed.shards.to_native(),
        log_time: Timestamp::from_ms(fixed.log_time.to_native()),
        uptime_ms: fixed.uptime_ms.to_native(),
        orders: fixed.orders.to_native(),
        orders_max: fixed.orders_max.to_native(),
        details_bytes: fixed.details_bytes.to_native(),
        details_bytes_max: fixed.details_bytes_max.to_native(),
        rss_bytes: fixed.rss_bytes.to_native(),
        log_bytes: fixed.log_bytes.to_native(),
        syncs: fixed.syncs.to_native(),
        log_frames: fixed.log_frames.to_native(),
        connections: fixed.connections.to_native(),
        requests: fixed.requests.to_native(),
        durability: DurabilityMode::from_byte(fixed.durability).ok_or(Malformed(Part::Value))?,
        interval_ms: fixed.interval_ms.to_native(),
        sync_method: SyncMethodCode::from_byte(fixed.sync_method).ok_or(Malformed(Part::Value))?,
        stages: core::array::from_fn(|stage| summary(&fixed.stages[stage])),
    })
}

fn summary(summary: &ArchivedSummaryV1) -> Summary {
    Summary {
        count: summary.count.to_native(),
        p50: summary.p50.to_native(),
        p99: summary.p99.to_native(),
        p999: summary.p999.to_native(),
        max: summary.max.to_native(),
    }
}

fn hello(record: &[u8], log_time: Timestamp) -> Read<Hello> {
    let fixed = Body::alone::<ArchivedHelloV1>(record)?;
    if fixed.head.record.kind != ReplyKind::Hello as u8 {
        return Err(Malformed(Part::Kind));
    }
    if fixed.head.record.version != RECORD_VERSION {
        return Err(Malformed(Part::Version));
    }
    if fixed.zero != 0 {
        return Err(Malformed(Part::Value));
    }
    Ok(Hello {
        version: version(fixed.version.map(u16_ule::to_native)),
        shards: fixed.shards.to_native(),
        log_time,
        frame_bytes_max: fixed.frame_bytes_max.to_native(),
        first_frame_bytes_max: fixed.first_frame_bytes_max.to_native(),
        frame_commands_max: fixed.frame_commands_max.to_native(),
        lines_max: fixed.lines_max.to_native(),
        details_bytes_max: fixed.details_bytes_max.to_native(),
        code_bytes_max: fixed.code_bytes_max.to_native(),
        page_rows_max: fixed.page_rows_max.to_native(),
        hold_ms_max: fixed.hold_ms_max.to_native(),
        id_ahead_ms_max: fixed.id_ahead_ms_max.to_native(),
    })
}
