//! Orders as they come out of an image.

use super::{DrawRecord, Extra, KeptChange, LineRecord, NO_ORDER, Orders, Record};
use crate::base::OrderId;

/// What belongs to a record and lies elsewhere.
#[derive(Debug, Default)]
pub(in crate::engine) struct Parts {
    pub(in crate::engine) lines: Vec<LineRecord>,
    pub(in crate::engine) draws: Vec<DrawRecord>,
    pub(in crate::engine) extra: Option<Extra>,
    pub(in crate::engine) changes: Vec<KeptChange>,
}

impl Record {
    /// A record that says nothing but whose it is.
    pub(in crate::engine) const fn empty(order: OrderId) -> Self {
        Self { order, ..NO_ORDER }
    }
}

impl Orders {
    /// Takes the memory of the index for so many more orders now.
    pub(in crate::engine) fn reserve_index(&mut self, orders: usize) {
        self.index.reserve(orders);
    }

    /// Adds an order as it was when its image was written. It is found once [`Orders::index_restored`] was called.
    pub(in crate::engine) fn restore(&mut self, mut record: Record, parts: &mut Parts) -> u32 {
        self.line_count += parts.lines.len() as u64;
        self.draw_count += parts.draws.len() as u64;
        self.change_count += parts.changes.len() as u64;
        record.lines = self.lines.put(parts.lines.iter().copied());
        record.draws = self.draws.put(parts.draws.iter().copied());
        if let Some(extra) = parts.extra.take() {
            self.details_bytes += extra.details.len() as u64;
            record.extra = self.extras.put(Some(extra)) + 1;
        }
        let position = self.records.put(record);
        if !parts.changes.is_empty() {
            self.changes.insert(position, core::mem::take(&mut parts.changes));
        }
        position
    }

    /// Enters orders that were restored into the index, many at once: looked up together first, so that their cache
    /// misses overlap.
    pub(in crate::engine) fn index_restored(&mut self, restored: &[(OrderId, u32)]) {
        core::hint::black_box(restored.iter().fold(0, |sum, (order, _)| sum ^ self.index.touch(order.bits())));
        restored.iter().for_each(|(order, position)| self.index.insert(order.bits(), *position));
    }
}
