//! What an edit changes of an order where it is kept: its zone, prices, and lines behind those it has.

use super::super::command::Line;
use super::super::content::ChangeKind;
use super::super::fact::Draw;
use super::super::order::Counters;
use super::{DrawRecord, LineRecord, Orders, Record};
use crate::base::Price;

impl Orders {
    /// The lines that an order was placed with: those before the first edit.
    pub(in crate::engine) fn placed_lines(&self, position: u32, record: &Record) -> &[LineRecord] {
        let edits = self.changes(position).iter().filter(|kept| kept.kind == ChangeKind::Edit);
        let placed = edits.map(|kept| kept.change.excess as usize).min();
        &self.lines(record)[..placed.unwrap_or(record.lines.len.into())]
    }

    pub(in crate::engine) fn set_zone(&mut self, position: u32, zone: u16) {
        self.records[position as usize].zone = zone;
    }

    pub(in crate::engine) fn set_price(&mut self, position: u32, line: u16, price: Price) {
        self.lines.get_mut(self.records[position as usize].lines)[usize::from(line)].price = price;
    }

    /// Puts lines behind those of an order, with what they draw on, each so many units in a `state`.
    pub(in crate::engine) fn append_lines(
        &mut self,
        position: u32,
        added: &[Line],
        draws: &[Draw],
        state: impl Fn(u32) -> Counters,
    ) {
        let old = self.records[position as usize].lines;
        let mut lines = self.lines.get(old).to_vec();
        lines.extend(added.iter().map(|line| LineRecord {
            price: line.price,
            sku: line.sku,
            asked: line.quantity,
            taken: line.quantity,
            delivered: 0,
        }));
        self.line_count += added.len() as u64;
        self.lines.give_back(old);
        self.records[position as usize].lines = self.lines.put(lines.into_iter());
        let mut all = self.draws.get(self.records[position as usize].draws).to_vec();
        all.extend(draws.iter().map(|draw| DrawRecord {
            line: draw.line,
            site: draw.site,
            units: state(draw.quantity),
        }));
        self.replace_draws(position, all);
    }
}
