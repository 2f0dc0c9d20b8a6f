//! Reply records to replies: what a client reads. The other direction is `reply_encode`.
//!
//! # Always true
//! - Whatever the bytes, the outcome is replies or a [`FrameError`]; a client closes the connection on one.
//! # Not here
//! - Rows, orders, books: `reply_decode_queries`. Status and greeting: `status_decode`.

use super::frame::{FrameError, REPLY_HEADER_BYTES, ReplyFrameKind, ReplyHeader, check_records};
use super::layout::{Body, Malformed, get, split_record};
use super::refused::{Part, Refused};
use super::refused_numbers::{Parts, from_parts};
use super::reply::{GRANT_BYTES, Grants, Reply};
use super::reply_decode_queries::{
    availability, books, channel_caps, effects, held_orders, holders, open_orders, order, order_history, policy,
    recipe, reservations, retention, sites, sku_numbers, skus, stock, wanted,
};
use super::reply_records::{
    ArchivedAnswerHead, ArchivedDoneV1, ArchivedErasedReplyV1, ArchivedExtendedReplyV1, ArchivedNumberedV1,
    ArchivedPlacedLinesV2, ArchivedPlacedReplyV1, ArchivedRefusedV1, ArchivedRetakeFailedReplyV1, ArchivedReturnV1,
    ArchivedStockChangedV1, OWED, REPEATED, ReplyKind, SHORT,
};
use super::status::Hello;
use super::status_decode::{hello, status};
use super::task::{tasks, waits};
use super::velocity::velocity;
use crate::base::{OrderNumber, SkuId, Timestamp};
use crate::engine::order::State;
use crate::engine::{Answer, ReturnStage};

pub(super) type Read<T> = Result<T, Malformed>;

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
    if head.record.version != kind.version() {
        return Err(Malformed(Part::Version));
    }
    let reply = match kind {
        ReplyKind::Placed | ReplyKind::PlacedLines | ReplyKind::Done | ReplyKind::Return => {
            order_answer(kind, head, record)?
        }
        ReplyKind::Numbered
        | ReplyKind::StockChanged
        | ReplyKind::Extended
        | ReplyKind::RetakeFailed
        | ReplyKind::Erased
        | ReplyKind::Set => plain_answer(kind, head, record)?,
        ReplyKind::Refused => Reply::Refused(refused(head, record)?),
        ReplyKind::Stock => stock(head, record)?,
        ReplyKind::Availability => availability(head, record)?,
        ReplyKind::SkuNumbers => sku_numbers(head, record)?,
        ReplyKind::Recipe => recipe(head, record)?,
        ReplyKind::Sites => sites(head, record)?,
        ReplyKind::Skus => skus(head, record)?,
        ReplyKind::Order => Reply::Order(Box::new(order(head, record)?)),
        ReplyKind::OpenOrders => open_orders(head, record)?,
        ReplyKind::HeldOrders => held_orders(head, record)?,
        ReplyKind::Tasks => tasks(head, record)?,
        ReplyKind::Waits => waits(head, record)?,
        ReplyKind::Velocity => velocity(head, record)?,
        ReplyKind::Holders => holders(head, record)?,
        ReplyKind::OrderHistory => order_history(head, record)?,
        ReplyKind::Books => books(head, record)?,
        ReplyKind::Policy => policy(head, record)?,
        ReplyKind::Retention => retention(head, record)?,
        ReplyKind::Reservations => reservations(head, record)?,
        ReplyKind::ChannelCaps => channel_caps(head, record)?,
        ReplyKind::Effects => effects(head, record)?,
        ReplyKind::Wanted => wanted(head, record)?,
        ReplyKind::Status => Reply::Status(Box::new(status(head, record)?)),
        ReplyKind::Hello => return Err(Malformed(Part::Kind)),
    };
    Ok((head, reply))
}

/// The flags, when no other than `allowed` are set.
pub(super) const fn flags(head: &ArchivedAnswerHead, allowed: u8) -> Read<u8> {
    if head.flags & !allowed == 0 { Ok(head.flags) } else { Err(Malformed(Part::Flags)) }
}

/// A state, when it is one.
pub(super) fn state(byte: u8) -> Read<State> {
    State::from_byte(byte).ok_or(Malformed(Part::State))
}

/// For kinds that are not about an order's state.
pub(super) const fn stateless(head: &ArchivedAnswerHead) -> Read<()> {
    if head.state == 0 { Ok(()) } else { Err(Malformed(Part::State)) }
}

fn order_answer<'a>(kind: ReplyKind, head: &ArchivedAnswerHead, record: &'a [u8]) -> Read<Reply<'a>> {
    let has_lines = kind == ReplyKind::PlacedLines;
    let flags = flags(head, if has_lines { REPEATED | SHORT | OWED } else { REPEATED })?;
    let (repeated, short, owed) = (flags & REPEATED != 0, flags & SHORT != 0, flags & OWED != 0);
    let state = state(head.state)?;
    if kind == ReplyKind::Done {
        let fixed = Body::alone::<ArchivedDoneV1>(record)?;
        let (moved, excess) = (fixed.moved.to_native(), fixed.excess.to_native());
        return Ok(Reply::Answer(Answer::Done { state, moved, excess, repeated }, Grants::default()));
    }
    if kind == ReplyKind::Return {
        let fixed = Body::alone::<ArchivedReturnV1>(record)?;
        let stage = ReturnStage::from_byte(fixed.stage).ok_or(Malformed(Part::Return))?;
        let answer = Answer::Return { state, stage, moved: fixed.moved.to_native(), repeated };
        return Ok(Reply::Answer(answer, Grants::default()));
    }
    let (fixed, mut body) = Body::of::<ArchivedPlacedReplyV1>(record)?;
    let mut grants = Grants::default();
    if has_lines {
        // Without a reason to tell of lines it would be the other kind.
        if !short && !owed {
            return Err(Malformed(Part::Flags));
        }
        let (fixed, lines_body) = Body::of::<ArchivedPlacedLinesV2>(record)?;
        body = lines_body;
        grants.bytes = body.blob(GRANT_BYTES * usize::from(fixed.lines.to_native()))?;
    }
    body.end()?;
    let answer = Answer::Placed {
        number: OrderNumber(fixed.number.to_native()),
        accepted_at: Timestamp::from_ms(fixed.accepted_at.to_native()),
        deadline: Timestamp::from_ms(fixed.deadline.to_native()),
        state,
        short,
        owed,
        repeated,
    };
    Ok(Reply::Answer(answer, grants))
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
        ReplyKind::Extended => {
            let deadline = Body::alone::<ArchivedExtendedReplyV1>(record)?.deadline.to_native();
            Answer::Extended { deadline: Timestamp::from_ms(deadline), repeated }
        }
        ReplyKind::Erased => {
            Answer::Erased { orders: Body::alone::<ArchivedErasedReplyV1>(record)?.orders.to_native(), repeated }
        }
        ReplyKind::Set => {
            Body::alone::<ArchivedAnswerHead>(record)?;
            Answer::Set { repeated }
        }
        _ => {
            let sku = SkuId(Body::alone::<ArchivedRetakeFailedReplyV1>(record)?.sku.to_native());
            Answer::RetakeFailed { sku, repeated }
        }
    };
    Ok(Reply::Answer(answer, Grants::default()))
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
