//! Orders that are over: what is given back when one is closed, and when it leaves.

use super::super::history::Newest;
use super::{NO_ORDER, Orders, Phase, Record};

impl Orders {
    /// Makes an order a tombstone.
    pub(in crate::engine) fn close(&mut self, position: u32) {
        let record = &mut self.records[position as usize];
        record.phase = Phase::Tombstone;
        record.history = Newest::NONE;
        self.draw_count -= u64::from(record.draws.len);
        self.draws.give_back(core::mem::take(&mut record.draws));
        let is_short = self.lines.get(record.lines).iter().any(|line| line.taken < line.asked);
        if !is_short {
            self.line_count -= u64::from(record.lines.len);
            self.lines.give_back(core::mem::take(&mut record.lines));
        } else {
            self.lines.get_mut(record.lines).iter_mut().for_each(|line| line.delivered = 0);
        }
        if let Some(extra) = core::mem::take(&mut record.extra).checked_sub(1) {
            let held = self.extras[extra as usize].as_ref().map_or(0, |extra| extra.details.len() as u64);
            self.details_bytes -= held;
            self.extras.give_back(extra, None);
        }
        if let Some(changes) = self.changes.remove(&position) {
            self.change_count -= changes.len() as u64;
        }
    }

    /// Forgets a tombstone. Its identifier is unknown from here on.
    pub(in crate::engine) fn remove(&mut self, position: u32) {
        let Record { order, lines, .. } = self.records[position as usize];
        self.index.remove(order.bits(), position);
        self.line_count -= u64::from(lines.len);
        self.lines.give_back(lines);
        self.records.give_back(position, NO_ORDER);
    }
}
