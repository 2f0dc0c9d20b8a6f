//! Edits in records: asked for, and as facts of the log.
//!
//! # Always true
//! - Arrays stand in one order: prices, units that are removed, lines that are added, and of a fact where their units
//!   were taken.

use super::fact_decode::read_draws;
use super::fact_records::{ArchivedDrawV1, DrawV1};
use super::layout::{Body, Malformed, RecordHead, fixed, put, put_all};
use super::refused::Part;
use super::request_encode::line;
use super::request_records::{ArchivedLineQuantityV1, ArchivedLineV1};
use super::returns::{put_lines, read_lines};
use crate::base::{ChangeId, OrderId};
use crate::engine::fact::{Change, Edited};
use crate::engine::{Command, Draw, Edit, Fact, Line, LinePrice, LineQuantity};

fixed! {
    /// An order is to be changed as a whole. Then: prices, line quantities, lines.
    EditOrderV1 as ArchivedEditOrderV1, 37 {
        head: RecordHead,
        order: u128,
        change: u64,
        zone: u16,
        prices: u16,
        removed: u16,
        added: u16,
        has_zone: u8,
    }
    /// An order was changed as a whole. Then: prices, draws that are removed, lines, draws of those lines.
    EditedV1 as ArchivedEditedV1, 47 {
        head: RecordHead,
        order: u128,
        change: u64,
        content: u64,
        zone: u16,
        prices: u16,
        removed: u16,
        added: u16,
        draws: u16,
        has_zone: u8,
    }
    /// What a unit of a line costs from now on.
    LinePriceV1 as ArchivedLinePriceV1, 10 {
        line: u16,
        price: u64,
    }
}

type Read<T> = Result<T, Malformed>;

/// Memory for what an edit brings.
#[derive(Debug, Default)]
pub(super) struct EditScratch {
    prices: Vec<LinePrice>,
    removed: Vec<Draw>,
}

/// Bytes of the record that asks for an edit.
pub(super) const fn edit_bytes(edit: &Edit<'_>) -> usize {
    size_of::<ArchivedEditOrderV1>()
        + size_of::<ArchivedLinePriceV1>() * edit.prices.len()
        + size_of::<ArchivedLineQuantityV1>() * edit.remove.len()
        + size_of::<ArchivedLineV1>() * edit.add.len()
}

/// A count of rows: the head of their record said that they fit.
fn count16(count: usize) -> u16 {
    u16::try_from(count).expect("law: what a record holds is counted in 16 bits")
}

/// Appends what is asked; `head` counts [`edit_bytes`].
pub(super) fn put_edit(head: RecordHead, (order, change): (OrderId, ChangeId), edit: &Edit<'_>, out: &mut Vec<u8>) {
    put(
        out,
        &EditOrderV1 {
            head,
            order: order.bits(),
            change: change.0,
            zone: edit.zone.unwrap_or_default(),
            prices: count16(edit.prices.len()),
            removed: count16(edit.remove.len()),
            added: count16(edit.add.len()),
            has_zone: u8::from(edit.zone.is_some()),
        },
    );
    put_prices(edit.prices, out);
    put_lines(edit.remove, out);
    put_all(out, edit.add.iter().map(line));
}

fn put_prices(prices: &[LinePrice], out: &mut Vec<u8>) {
    put_all(out, prices.iter().map(|priced| LinePriceV1 { line: priced.line, price: priced.price }));
}

fn read_prices(count: u16, body: &mut Body<'_>, prices: &mut Vec<LinePrice>) -> Read<()> {
    prices.clear();
    body.array::<ArchivedLinePriceV1, _>(usize::from(count), prices, |priced| {
        Ok(LinePrice { line: priced.line.to_native(), price: priced.price.to_native() })
    })
}

const fn read_zone(has_zone: u8, zone: u16) -> Read<Option<u16>> {
    match (has_zone, zone) {
        (0, 0) => Ok(None),
        (0, _) => Err(Malformed(Part::Value)),
        (1, zone) => Ok(Some(zone)),
        _ => Err(Malformed(Part::Flags)),
    }
}

pub(super) fn decode_edit<'a>(
    record: &[u8],
    scratch: &'a mut EditScratch,
    (quantities, lines): (&'a mut Vec<LineQuantity>, &'a mut Vec<Line>),
) -> Read<Command<'a>> {
    let (fixed, mut body) = Body::of::<ArchivedEditOrderV1>(record)?;
    read_prices(fixed.prices.to_native(), &mut body, &mut scratch.prices)?;
    read_lines(fixed.removed.to_native(), &mut body, quantities)?;
    lines.clear();
    body.array(usize::from(fixed.added.to_native()), lines, |line: &ArchivedLineV1| Ok(line.read()))?;
    body.end()?;
    let zone = read_zone(fixed.has_zone, fixed.zone.to_native())?;
    let (order, change) = (OrderId::from_bits(fixed.order.to_native()), ChangeId(fixed.change.to_native()));
    let edit = Edit { zone, prices: &scratch.prices, remove: quantities, add: lines };
    Ok(Command::EditOrder { order, change, edit })
}

/// Bytes of the record that says that an order was edited.
pub(super) const fn edited_bytes(what: &Edited<'_>) -> usize {
    size_of::<ArchivedEditedV1>()
        + size_of::<ArchivedLinePriceV1>() * what.prices.len()
        + size_of::<ArchivedDrawV1>() * (what.removed.len() + what.draws.len())
        + size_of::<ArchivedLineV1>() * what.lines.len()
}

/// Appends an edit that happened; `head` counts [`edited_bytes`].
pub(super) fn put_edited(head: RecordHead, (order, change): (OrderId, Change), what: &Edited<'_>, out: &mut Vec<u8>) {
    let Change { id, content, excess: _ } = change;
    put(
        out,
        &EditedV1 {
            head,
            order: order.bits(),
            change: id.0,
            content,
            zone: what.zone.unwrap_or_default(),
            prices: count16(what.prices.len()),
            removed: count16(what.removed.len()),
            added: count16(what.lines.len()),
            draws: count16(what.draws.len()),
            has_zone: u8::from(what.zone.is_some()),
        },
    );
    put_prices(what.prices, out);
    put_all(out, what.removed.iter().map(DrawV1::from));
    put_all(out, what.lines.iter().map(line));
    put_all(out, what.draws.iter().map(DrawV1::from));
}

pub(super) fn edited<'a>(
    record: &[u8],
    scratch: &'a mut EditScratch,
    (lines, draws): (&'a mut Vec<Line>, &'a mut Vec<Draw>),
) -> Read<Fact<'a>> {
    let (fixed, mut body) = Body::of::<ArchivedEditedV1>(record)?;
    read_prices(fixed.prices.to_native(), &mut body, &mut scratch.prices)?;
    read_draws(fixed.removed.to_native(), &mut body, &mut scratch.removed)?;
    lines.clear();
    body.array(usize::from(fixed.added.to_native()), lines, |line: &ArchivedLineV1| Ok(line.read()))?;
    read_draws(fixed.draws.to_native(), &mut body, draws)?;
    body.end()?;
    let (id, content) = (ChangeId(fixed.change.to_native()), fixed.content.to_native());
    let zone = read_zone(fixed.has_zone, fixed.zone.to_native())?;
    let what = Edited { zone, prices: &scratch.prices, removed: &scratch.removed, lines, draws };
    let change = Change { id, content, excess: 0 };
    Ok(Fact::Edited { order: OrderId::from_bits(fixed.order.to_native()), change, what })
}
