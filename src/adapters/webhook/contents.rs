//! What an event tells of the contents of an order: as it was placed, and what an edit made of it.

use serde_json::{Value, json};

use super::event::units;
use crate::base::CustomerKey;
use crate::base::limits::SEAL_BYTES;
use crate::engine::fact::{Change, Edited};
use crate::engine::{Line, LinePrice, Placed};

pub(super) fn describe_placed(placed: &Placed<'_>) -> Value {
    let is_guest = placed.customer == CustomerKey::default();
    json!({
        "customer": (!is_guest).then(|| format!("{:032x}", placed.customer.0)),
        "take": placed.take.name(),
        "hold_ms": placed.hold_ms,
        "currency": placed.currency.to_string(),
        "payment": placed.payment.name(),
        "channel": placed.channel,
        "zone": placed.zone,
        "confirmed": placed.confirmed,
        "lines": lines(placed.lines),
        "units": units(placed.draws),
        "details_bytes": placed.details.len().saturating_sub(SEAL_BYTES),
    })
}

pub(super) fn describe_edited(change: &Change, what: &Edited<'_>) -> Value {
    let price = |priced: &LinePrice| json!({ "line": priced.line, "price": priced.price });
    json!({
        "change": change.id.to_string(),
        "zone": what.zone,
        "prices": what.prices.iter().map(price).collect::<Vec<_>>(),
        "removed": units(what.removed),
        "lines": lines(what.lines),
        "units": units(what.draws),
    })
}

fn lines(lines: &[Line]) -> Vec<Value> {
    let line = |line: &Line| json!({ "sku": line.sku.0, "quantity": line.quantity, "price": line.price });
    lines.iter().map(line).collect()
}
