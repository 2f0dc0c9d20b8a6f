//! What the engine tells of an order, as the structs of a reply record.

use super::reply_records::{AnswerHead, LineViewV3, OrderV7, WantRowV2};
use crate::engine::query::{LineView, OrderView, WantRow};

/// How many rows follow, as a record says it.
pub(super) fn count16(count: usize) -> u16 {
    u16::try_from(count).expect("law: the rows of a reply are counted in 16 bits")
}

pub(super) fn order_fixed(head: AnswerHead, view: &OrderView) -> OrderV7 {
    OrderV7 {
        head,
        order: view.order.bits(),
        customer: view.customer.0,
        number: view.number.0,
        accepted_at: view.accepted_at.ms(),
        deadline: view.deadline.ms(),
        missing: view.missing,
        check: view.check as u8,
        currency: view.currency.code(),
        take: view.take as u8,
        payment: view.payment as u8,
        channel: view.channel,
        zone: view.zone,
        lines: count16(view.lines.len()),
        draws: count16(view.draws.len()),
        details_len: count16(view.details.len()),
        holds: count16(view.holds.len()),
        payments: count16(view.payments.len()),
        returns: count16(view.returns.len()),
    }
}

impl From<&LineView> for LineViewV3 {
    fn from(line: &LineView) -> Self {
        Self {
            sku: line.sku.0,
            asked: line.asked,
            price: line.price,
            taken: line.taken,
            owed: line.owed,
            reserved: line.reserved,
            lapsed: line.lapsed,
            committed: line.committed,
            shipped: line.shipped,
            cancelled: line.cancelled,
            returned: line.returned,
            delivered: line.delivered,
        }
    }
}

impl From<&WantRow> for WantRowV2 {
    fn from(row: &WantRow) -> Self {
        Self {
            place: row.place,
            order: row.order.bits(),
            number: row.number.0,
            since: row.since.ms(),
            amount: row.amount,
            attempt: row.attempt,
            currency: row.currency.code(),
            payment: row.payment as u8,
            action: row.action as u8,
            state: row.state as u8,
            aside: row.aside.map_or(0, |reason| reason as u8),
        }
    }
}
