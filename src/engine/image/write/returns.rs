//! What of an order reached its customer and what comes back, written behind the order.

use super::super::super::orders::{Orders, Record};
use super::super::super::returns::{Return, Returns, Row};
use super::super::Item;
use super::{Writer, count16};

pub(super) fn write_returns<E>(
    to: &mut Writer<'_, E>,
    (orders, returns): (&Orders, &Returns),
    (position, record): (u32, &Record),
) -> Result<(), E> {
    let (heads, rows) = (returns.of(position), returns.rows(position));
    let delivered = || (0_u16..).zip(orders.lines(record)).filter(|(_, line)| line.delivered > 0);
    let count = delivered().count();
    if count == 0 && heads.is_empty() {
        return Ok(());
    }
    to.item(Item::Returns, |item| {
        item.u128(record.order.bits()).u16(count16(count));
        delivered().for_each(|(line, known)| {
            item.u16(line).u32(known.delivered);
        });
        item.u16(count16(heads.len()));
        for Return { id, content, until, kind, reason, stage, declined } in heads {
            item.u64(id.0).u64(*content).u64(until.ms()).byte(*kind as u8).byte(*reason as u8).byte(*stage as u8);
            item.byte(u8::from(declined.is_some())).byte(declined.map_or(0, |reason| reason as u8));
        }
        item.u16(count16(rows.len()));
        for Row { of, line, site, units, became } in rows {
            item.byte(*of).u16(*line).u16(site.0).u32(*units);
            became.iter().for_each(|units| {
                item.u32(*units);
            });
        }
    })
}
