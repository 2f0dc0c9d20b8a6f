//! Deliveries and returns in records: asked and told for, as facts of the log, and as orders tell of them.
//!
//! # Always true
//! - A report is the number of the stage that it tells of, and a reason where that is a decline; else the reason is
//!   zero.
//! # Not here
//! - `ReportDelivered` and `ReceiveReturn`, which look like other changes of lines: `request_records`.

use super::fact_decode::read_draws;
use super::layout::{Body, Malformed, RecordHead, fixed, put, put_all};
use super::refused::Part;
use super::request_records::{ArchivedLineQuantityV1, ArchivedReturnToStockV1, LineQuantityV1, RequestKind};
use crate::base::{ChangeId, OrderId, SiteId, Timestamp};
use crate::engine::fact::Change;
use crate::engine::query::{ReturnLineView, ReturnPieceView, ReturnView};
use crate::engine::{
    Command, DISPOSITIONS, DeclineReason, Disposition, Draw, Fact, LineQuantity, ReturnCommand, ReturnFact, ReturnKind,
    ReturnReason, ReturnReport, ReturnStage,
};

fixed! {
    /// Goods are to come back, or will. Then: line quantities.
    RequestReturnV1 as ArchivedRequestReturnV1, 32 {
        head: RecordHead,
        order: u128,
        id: u64,
        kind: u8,
        reason: u8,
        lines: u16,
    }
    /// Something is told of a return that moves no goods, or was.
    ReportReturnV1 as ArchivedReportReturnV1, 30 {
        head: RecordHead,
        order: u128,
        id: u64,
        report: u8,
        declined: u8,
    }
    /// Somebody says what becomes of goods that came in. Then: line quantities.
    InspectReturnV1 as ArchivedInspectReturnV1, 33 {
        head: RecordHead,
        order: u128,
        id: u64,
        site: u16,
        lines: u16,
        disposition: u8,
    }
    /// Units reached the customer, as a fact. Then: line quantities.
    DeliveredV1 as ArchivedDeliveredV1, 38 {
        head: RecordHead,
        order: u128,
        change: u64,
        content: u64,
        lines: u16,
    }
    /// Goods came in. Then: draws.
    ReturnReceivedV1 as ArchivedReturnReceivedV1, 32 {
        head: RecordHead,
        order: u128,
        id: u64,
        site: u16,
        draws: u16,
    }
    /// Something became of goods that came in. Then: draws.
    ReturnInspectedV1 as ArchivedReturnInspectedV1, 33 {
        head: RecordHead,
        order: u128,
        id: u64,
        site: u16,
        draws: u16,
        disposition: u8,
    }
    /// A return of an order that is told of.
    ReturnPart as ArchivedReturnPart, 24 {
        id: u64,
        until: u64,
        kind: u8,
        reason: u8,
        stage: u8,
        declined: u8,
        lines: u16,
        pieces: u16,
    }
    /// What it asked of a line.
    ReturnLinePart as ArchivedReturnLinePart, 6 {
        line: u16,
        asked: u32,
    }
    /// What came in of a line at a site.
    ReturnPiecePart as ArchivedReturnPiecePart, 32 {
        line: u16,
        site: u16,
        received: u32,
        became: [u32; DISPOSITIONS],
    }
}

type Read<T> = Result<T, Malformed>;

const WRONG: Malformed = Malformed(Part::Return);

/// What a request of a return asks for, but for its lines.
pub(super) type Asked = ((OrderId, ChangeId), ReturnKind, ReturnReason);

/// Bytes of a record with so many line quantities behind `fixed` bytes.
pub(super) const fn with_lines(fixed: usize, lines: &[LineQuantity]) -> usize {
    fixed + size_of::<ArchivedLineQuantityV1>() * lines.len()
}

pub(super) fn put_lines(lines: &[LineQuantity], out: &mut Vec<u8>) {
    put_all(out, lines.iter().map(|line| LineQuantityV1 { line: line.line, quantity: line.quantity }));
}

pub(super) fn read_lines(count: u16, body: &mut Body<'_>, out: &mut Vec<LineQuantity>) -> Read<()> {
    out.clear();
    body.array::<ArchivedLineQuantityV1, _>(usize::from(count), out, |line| {
        Ok(LineQuantity { line: line.line.to_native(), quantity: line.quantity.to_native() })
    })
}

/// A count of lines or draws: the head of its record said that they fit.
fn count16(count: usize) -> u16 {
    u16::try_from(count).expect("law: what a record holds is counted in 16 bits")
}

/// Appends what is asked, or was; `head` counts 32 bytes and the lines.
pub(super) fn put_asked(
    head: RecordHead,
    ((order, id), kind, reason): Asked,
    lines: &[LineQuantity],
    out: &mut Vec<u8>,
) {
    let (order, id, kind, reason) = (order.bits(), id.0, kind as u8, reason as u8);
    put(out, &RequestReturnV1 { head, order, id, kind, reason, lines: count16(lines.len()) });
    put_lines(lines, out);
}

pub(super) fn read_asked(record: &[u8], lines: &mut Vec<LineQuantity>) -> Read<Asked> {
    let (fixed, mut body) = Body::of::<ArchivedRequestReturnV1>(record)?;
    read_lines(fixed.lines.to_native(), &mut body, lines)?;
    body.end()?;
    let kind = ReturnKind::from_byte(fixed.kind).ok_or(WRONG)?;
    let reason = ReturnReason::from_byte(fixed.reason).ok_or(WRONG)?;
    Ok(((OrderId::from_bits(fixed.order.to_native()), ChangeId(fixed.id.to_native())), kind, reason))
}

/// Appends what is told, or was; `head` counts 30 bytes.
pub(super) fn put_told(head: RecordHead, (order, id): (OrderId, ChangeId), report: ReturnReport, out: &mut Vec<u8>) {
    let declined = report.declined().map_or(0, |reason| reason as u8);
    put(out, &ReportReturnV1 { head, order: order.bits(), id: id.0, report: report.stage() as u8, declined });
}

pub(super) fn read_told(record: &[u8]) -> Read<(OrderId, ChangeId, ReturnReport)> {
    let fixed = Body::alone::<ArchivedReportReturnV1>(record)?;
    let stage = ReturnStage::from_byte(fixed.report).ok_or(WRONG)?;
    let reason = DeclineReason::from_byte(fixed.declined).ok_or(WRONG)?;
    let is_unused = stage != ReturnStage::Declined;
    if is_unused && fixed.declined != 0 {
        return Err(WRONG);
    }
    let report = ReturnReport::of(stage, (!is_unused).then_some(reason)).ok_or(WRONG)?;
    Ok((OrderId::from_bits(fixed.order.to_native()), ChangeId(fixed.id.to_native()), report))
}

/// A command on a return.
pub(super) fn decode_return<'a>(
    kind: RequestKind,
    record: &[u8],
    lines: &'a mut Vec<LineQuantity>,
) -> Read<Command<'a>> {
    let ((order, id), what) = match kind {
        RequestKind::RequestReturn => {
            let (of, kind, reason) = read_asked(record, lines)?;
            (of, ReturnCommand::Request { kind, reason, lines })
        }
        RequestKind::ReportReturn => {
            let (order, id, report) = read_told(record)?;
            ((order, id), ReturnCommand::Report(report))
        }
        RequestKind::ReceiveReturn => {
            let (fixed, mut body) = Body::of::<ArchivedReturnToStockV1>(record)?;
            read_lines(fixed.lines.to_native(), &mut body, lines)?;
            body.end()?;
            let of = (OrderId::from_bits(fixed.order.to_native()), ChangeId(fixed.change.to_native()));
            (of, ReturnCommand::Receive { site: SiteId(fixed.site.to_native()), lines })
        }
        _ => {
            let (of, site, disposition) = read_looked(record, lines)?;
            (of, ReturnCommand::Inspect { site, disposition, lines })
        }
    };
    Ok(Command::Return { order, id, what })
}

/// Where units lay, and what becomes of them.
pub(super) type Looked = ((OrderId, ChangeId), SiteId, Disposition);

/// Appends what somebody says of goods that came in; `head` counts 33 bytes and the lines.
pub(super) fn put_looked(
    head: RecordHead,
    ((order, id), site, disposition): Looked,
    lines: &[LineQuantity],
    out: &mut Vec<u8>,
) {
    let (order, lines_len, disposition) = (order.bits(), count16(lines.len()), disposition as u8);
    put(out, &InspectReturnV1 { head, order, id: id.0, site: site.0, lines: lines_len, disposition });
    put_lines(lines, out);
}

pub(super) fn read_looked(record: &[u8], lines: &mut Vec<LineQuantity>) -> Read<Looked> {
    let (fixed, mut body) = Body::of::<ArchivedInspectReturnV1>(record)?;
    read_lines(fixed.lines.to_native(), &mut body, lines)?;
    body.end()?;
    let order = (OrderId::from_bits(fixed.order.to_native()), ChangeId(fixed.id.to_native()));
    Ok((order, SiteId(fixed.site.to_native()), Disposition::from_byte(fixed.disposition).ok_or(WRONG)?))
}

/// Appends a delivery; `head` counts 38 bytes and the lines.
pub(super) fn put_delivered(
    head: RecordHead,
    (order, change): (OrderId, Change),
    lines: &[LineQuantity],
    out: &mut Vec<u8>,
) {
    let Change { id, content, excess: _ } = change;
    put(out, &DeliveredV1 { head, order: order.bits(), change: id.0, content, lines: count16(lines.len()) });
    put_lines(lines, out);
}

pub(super) fn delivered<'a>(record: &[u8], lines: &'a mut Vec<LineQuantity>) -> Read<Fact<'a>> {
    let (fixed, mut body) = Body::of::<ArchivedDeliveredV1>(record)?;
    read_lines(fixed.lines.to_native(), &mut body, lines)?;
    body.end()?;
    let (id, content) = (ChangeId(fixed.change.to_native()), fixed.content.to_native());
    let order = OrderId::from_bits(fixed.order.to_native());
    Ok(Fact::Delivered { order, change: Change { id, content, excess: 0 }, lines })
}

pub(super) fn return_requested<'a>(record: &[u8], lines: &'a mut Vec<LineQuantity>) -> Read<Fact<'a>> {
    let ((order, id), kind, reason) = read_asked(record, lines)?;
    Ok(Fact::Return { order, id, what: ReturnFact::Requested { kind, reason, lines } })
}

pub(super) fn return_told(record: &[u8]) -> Read<Fact<'_>> {
    let (order, id, report) = read_told(record)?;
    Ok(Fact::Return { order, id, what: ReturnFact::Told(report) })
}

/// Appends goods that came in; `head` counts 32 bytes and the draws, which come next.
pub(super) fn put_received(
    head: RecordHead,
    (order, id): (OrderId, ChangeId),
    (site, draws): (SiteId, &[Draw]),
    out: &mut Vec<u8>,
) {
    let draws = count16(draws.len());
    put(out, &ReturnReceivedV1 { head, order: order.bits(), id: id.0, site: site.0, draws });
}

pub(super) fn return_received<'a>(record: &[u8], draws: &'a mut Vec<Draw>) -> Read<Fact<'a>> {
    let (fixed, mut body) = Body::of::<ArchivedReturnReceivedV1>(record)?;
    read_draws(fixed.draws.to_native(), &mut body, draws)?;
    body.end()?;
    let (order, id) = (OrderId::from_bits(fixed.order.to_native()), ChangeId(fixed.id.to_native()));
    Ok(Fact::Return { order, id, what: ReturnFact::Received { site: SiteId(fixed.site.to_native()), draws } })
}

/// Appends what became of goods; `head` counts 33 bytes and the draws, which come next.
pub(super) fn put_inspected(
    head: RecordHead,
    ((order, id), site, disposition): Looked,
    draws: &[Draw],
    out: &mut Vec<u8>,
) {
    let (order, draws, disposition) = (order.bits(), count16(draws.len()), disposition as u8);
    put(out, &ReturnInspectedV1 { head, order, id: id.0, site: site.0, draws, disposition });
}

pub(super) fn return_inspected<'a>(record: &[u8], draws: &'a mut Vec<Draw>) -> Read<Fact<'a>> {
    let (fixed, mut body) = Body::of::<ArchivedReturnInspectedV1>(record)?;
    read_draws(fixed.draws.to_native(), &mut body, draws)?;
    body.end()?;
    let (order, id) = (OrderId::from_bits(fixed.order.to_native()), ChangeId(fixed.id.to_native()));
    let (site, disposition) = (SiteId(fixed.site.to_native()), Disposition::from_byte(fixed.disposition).ok_or(WRONG)?);
    Ok(Fact::Return { order, id, what: ReturnFact::Inspected { site, disposition, draws } })
}

/// Bytes that the returns of an order add to what tells of it.
pub(super) fn returns_bytes(returns: &[ReturnView]) -> usize {
    let bytes = |view: &ReturnView| RETURN_BYTES + ROW_BYTES[0] * view.lines.len() + ROW_BYTES[1] * view.pieces.len();
    returns.iter().map(bytes).sum()
}

/// Bytes that one return adds to an order that is told of, its rows not counted.
pub const RETURN_BYTES: usize = size_of::<ArchivedReturnPart>();
/// Bytes that one row of a return adds: what was asked of a line, and what came in of it at a site.
pub const ROW_BYTES: [usize; 2] = [size_of::<ArchivedReturnLinePart>(), size_of::<ArchivedReturnPiecePart>()];

/// Appends returns, then the lines of all of them, then the pieces of all of them.
pub(super) fn put_returns(returns: &[ReturnView], out: &mut Vec<u8>) {
    put_all(out, returns.iter().map(ReturnPart::from));
    let lines = returns.iter().flat_map(|view| &view.lines);
    put_all(out, lines.map(|line| ReturnLinePart { line: line.line, asked: line.asked }));
    let pieces = returns.iter().flat_map(|view| &view.pieces);
    put_all(
        out,
        pieces.map(|ReturnPieceView { line, site, received, became }| ReturnPiecePart {
            line: *line,
            site: site.0,
            received: *received,
            became: *became,
        }),
    );
}

impl From<&ReturnView> for ReturnPart {
    fn from(view: &ReturnView) -> Self {
        Self {
            id: view.id.0,
            until: view.until.ms(),
            kind: view.kind as u8,
            reason: view.reason as u8,
            stage: view.stage as u8,
            declined: view.declined.map_or(0, |reason| reason as u8 + 1),
            lines: count16(view.lines.len()),
            pieces: count16(view.pieces.len()),
        }
    }
}

/// So many returns, and their rows behind them.
pub(super) fn read_returns(count: u16, body: &mut Body<'_>) -> Read<Vec<ReturnView>> {
    let mut parts = Vec::new();
    body.array::<ArchivedReturnPart, _>(usize::from(count), &mut parts, Ok)?;
    let mut views = Vec::with_capacity(parts.len());
    for part in &parts {
        let mut lines = Vec::new();
        body.array::<ArchivedReturnLinePart, _>(usize::from(part.lines.to_native()), &mut lines, |line| {
            Ok(ReturnLineView { line: line.line.to_native(), asked: line.asked.to_native() })
        })?;
        views.push(read_view(part, lines)?);
    }
    for (part, view) in parts.iter().zip(&mut views) {
        body.array::<ArchivedReturnPiecePart, _>(usize::from(part.pieces.to_native()), &mut view.pieces, |piece| {
            Ok(ReturnPieceView {
                line: piece.line.to_native(),
                site: SiteId(piece.site.to_native()),
                received: piece.received.to_native(),
                became: piece.became.map(rkyv::rend::unaligned::u32_ule::to_native),
            })
        })?;
    }
    Ok(views)
}

fn read_view(part: &ArchivedReturnPart, lines: Vec<ReturnLineView>) -> Read<ReturnView> {
    let declined = match part.declined.checked_sub(1) {
        None => None,
        Some(reason) => Some(DeclineReason::from_byte(reason).ok_or(WRONG)?),
    };
    Ok(ReturnView {
        id: ChangeId(part.id.to_native()),
        kind: ReturnKind::from_byte(part.kind).ok_or(WRONG)?,
        reason: ReturnReason::from_byte(part.reason).ok_or(WRONG)?,
        stage: ReturnStage::from_byte(part.stage).ok_or(WRONG)?,
        declined,
        until: Timestamp::from_ms(part.until.to_native()),
        lines,
        pieces: Vec::new(),
    })
}
