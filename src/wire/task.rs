//! Tasks in records, and what one order waits for: asked for, and as rows tell of them.
//!
//! # Always true
//! - The words of all rows follow the last row, in the order of the rows.

use super::layout::{Body, Malformed, RecordHead, fixed, put};
use super::refused::Part;
use super::reply::Reply;
use super::reply_decode::{Read, flags, state, stateless};
use super::reply_records::{AnswerHead, ArchivedAnswerHead};
use super::request_decode::{market, time};
use crate::base::{Currency, MarketId, OrderId, OrderNumber, Timestamp};
use crate::engine::query::{OrderRow, OrderWaits, TaskPage, TaskRow, WaitRow};
use crate::engine::{Query, TaskKind, TaskPlace, Wait};

fixed! {
    /// A page of tasks. The kind after which it goes on is 0 to begin, and the kind asked is 0 for all.
    TasksQueryV1 as ArchivedTasksQueryV1, 28 {
        head: RecordHead,
        market: u32,
        after_since: u64,
        after_number: u64,
        rows_max: u16,
        after_kind: u8,
        kind: u8,
    }
    /// Then: rows, then their words.
    TasksV1 as ArchivedTasksV1, 35 {
        head: AnswerHead,
        next_since: u64,
        next_number: u64,
        rows: u16,
        next_kind: u8,
    }
    /// A task.
    TaskRowV1 as ArchivedTaskRowV1, 55 {
        order: u128,
        number: u64,
        deadline: u64,
        since: u64,
        amount: u64,
        words_len: u16,
        currency: [u8; 3],
        kind: u8,
        state: u8,
    }
    /// Then: rows, then their words.
    WaitsV1 as ArchivedWaitsV1, 21 {
        head: AnswerHead,
        rows: u16,
        currency: [u8; 3],
    }
    /// Something that an order waits for.
    WaitRowV1 as ArchivedWaitRowV1, 27 {
        since: u64,
        until: u64,
        amount: u64,
        words_len: u16,
        what: u8,
    }
}

/// Bytes of the record that asks for a page.
pub(super) const TASKS_QUERY: usize = size_of::<ArchivedTasksQueryV1>();

/// Appends what asks for a page; `head` counts [`TASKS_QUERY`].
pub(super) fn put_tasks_query(
    head: RecordHead,
    (market, kind): (MarketId, Option<TaskKind>),
    after: Option<TaskPlace>,
    rows_max: u16,
    out: &mut Vec<u8>,
) {
    let (since, number, after_kind) = place_parts(after);
    let (market, kind) = (market.number(), kind.map_or(0, |kind| kind as u8));
    put(out, &TasksQueryV1 { head, market, after_since: since, after_number: number, rows_max, after_kind, kind });
}

/// A page that is asked for.
pub(super) fn read_tasks_query<'a>(record: &[u8]) -> Result<Query<'a>, Malformed> {
    let fixed = Body::alone::<ArchivedTasksQueryV1>(record)?;
    Ok(Query::Tasks {
        market: market(fixed.market.to_native())?,
        kind: if fixed.kind == 0 { None } else { Some(read_kind(fixed.kind)?) },
        after: read_place((fixed.after_since.to_native(), fixed.after_number.to_native(), fixed.after_kind))?,
        rows_max: fixed.rows_max.to_native(),
    })
}

/// Bytes of a page.
pub(super) fn page_bytes(page: &TaskPage) -> usize {
    let row = |row: &TaskRow| size_of::<ArchivedTaskRowV1>() + row.words.len();
    size_of::<ArchivedTasksV1>() + page.rows.iter().map(row).sum::<usize>()
}

/// Appends a page; `head` counts [`page_bytes`].
pub(super) fn put_page(head: AnswerHead, page: &TaskPage, out: &mut Vec<u8>) {
    let (next_since, next_number, next_kind) = place_parts(page.next);
    put(out, &TasksV1 { head, next_since, next_number, rows: count16(page.rows.len()), next_kind });
    for TaskRow { kind, since, order, amount, currency, words } in &page.rows {
        let OrderRow { order, number, state, deadline } = *order;
        put(
            out,
            &TaskRowV1 {
                order: order.bits(),
                number: number.0,
                deadline: deadline.ms(),
                since: since.ms(),
                amount: *amount,
                words_len: count16(words.len()),
                currency: currency.code(),
                kind: *kind as u8,
                state: state as u8,
            },
        );
    }
    page.rows.iter().for_each(|row| out.extend_from_slice(row.words.as_bytes()));
}

pub(super) fn tasks<'a>(head: &ArchivedAnswerHead, record: &'a [u8]) -> Read<Reply<'a>> {
    stateless(head)?;
    flags(head, 0)?;
    let (fixed, mut body) = Body::of::<ArchivedTasksV1>(record)?;
    let mut parts = Vec::new();
    body.array::<ArchivedTaskRowV1, _>(usize::from(fixed.rows.to_native()), &mut parts, Ok)?;
    let mut rows = Vec::with_capacity(parts.len());
    for row in parts {
        let order = OrderRow {
            order: OrderId::from_bits(row.order.to_native()),
            number: OrderNumber(row.number.to_native()),
            state: state(row.state)?,
            deadline: Timestamp::from_ms(row.deadline.to_native()),
        };
        rows.push(TaskRow {
            kind: read_kind(row.kind)?,
            since: Timestamp::from_ms(row.since.to_native()),
            order,
            amount: row.amount.to_native(),
            currency: read_currency(row.currency)?,
            words: body.text(usize::from(row.words_len.to_native()))?.to_owned(),
        });
    }
    body.end()?;
    let next = read_place((fixed.next_since.to_native(), fixed.next_number.to_native(), fixed.next_kind))?;
    Ok(Reply::Tasks(TaskPage { rows, next }))
}

/// Bytes of what an order waits for.
pub(super) fn waits_bytes(waits: &OrderWaits) -> usize {
    let row = |row: &WaitRow| size_of::<ArchivedWaitRowV1>() + row.words.len();
    size_of::<ArchivedWaitsV1>() + waits.rows.iter().map(row).sum::<usize>()
}

/// Appends what an order waits for; `head` counts [`waits_bytes`].
pub(super) fn put_waits(head: AnswerHead, waits: &OrderWaits, out: &mut Vec<u8>) {
    put(out, &WaitsV1 { head, rows: count16(waits.rows.len()), currency: waits.currency.code() });
    for WaitRow { what, since, until, amount, words } in &waits.rows {
        let (since, until, words_len) = (since.ms(), until.ms(), count16(words.len()));
        put(out, &WaitRowV1 { since, until, amount: *amount, words_len, what: what.byte() });
    }
    waits.rows.iter().for_each(|row| out.extend_from_slice(row.words.as_bytes()));
}

pub(super) fn waits<'a>(head: &ArchivedAnswerHead, record: &'a [u8]) -> Read<Reply<'a>> {
    stateless(head)?;
    flags(head, 0)?;
    let (fixed, mut body) = Body::of::<ArchivedWaitsV1>(record)?;
    let mut parts = Vec::new();
    body.array::<ArchivedWaitRowV1, _>(usize::from(fixed.rows.to_native()), &mut parts, Ok)?;
    let mut rows = Vec::with_capacity(parts.len());
    for row in parts {
        rows.push(WaitRow {
            what: Wait::from_byte(row.what).ok_or(Malformed(Part::Task))?,
            since: Timestamp::from_ms(row.since.to_native()),
            until: Timestamp::from_ms(row.until.to_native()),
            amount: row.amount.to_native(),
            words: body.text(usize::from(row.words_len.to_native()))?.to_owned(),
        });
    }
    body.end()?;
    Ok(Reply::Waits(OrderWaits { currency: read_currency(fixed.currency)?, rows }))
}

/// Since, number and kind of a place; all of them 0 where there is none.
fn place_parts(place: Option<TaskPlace>) -> (u64, u64, u8) {
    place.map_or((0, 0, 0), |TaskPlace { since, number, kind }| (since.ms(), number.0, kind as u8))
}

fn read_place((since, number, kind): (u64, u64, u8)) -> Result<Option<TaskPlace>, Malformed> {
    if kind == 0 {
        return if (since, number) == (0, 0) { Ok(None) } else { Err(Malformed(Part::Task)) };
    }
    Ok(Some(TaskPlace { since: time(since)?, number: OrderNumber(number), kind: read_kind(kind)? }))
}

fn read_kind(kind: u8) -> Result<TaskKind, Malformed> {
    TaskKind::from_byte(kind).ok_or(Malformed(Part::Task))
}

fn read_currency(currency: [u8; 3]) -> Result<Currency, Malformed> {
    Currency::new(currency).map_err(|_| Malformed(Part::Currency))
}

fn count16(count: usize) -> u16 {
    u16::try_from(count).expect("law: the rows of a reply and their words are counted in 16 bits")
}
