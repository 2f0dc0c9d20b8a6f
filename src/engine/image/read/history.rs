//! What happened to orders, read back.

use super::super::super::Engine;
use super::super::super::happening::Happening;
use super::super::super::history::{Newest, Past};
use super::super::super::orders::Phase;
use super::super::ImageError;
use super::{Fields, Read, ReadOrders};
use crate::base::limits::HISTORY_ENTRIES_MAX;
use crate::base::{OrderId, Sequence};

impl Engine {
    /// Of an order that was read before, in this part or in an earlier one.
    pub(super) fn read_position(&self, item: &mut Fields<'_>, read: &ReadOrders) -> Read<u32> {
        let order = OrderId::from_bits(item.u128()?);
        let just_read = read.restored.last().filter(|(last, _)| *last == order).map(|(_, position)| *position);
        let position = just_read.or_else(|| self.orders.find(order));
        position.ok_or(ImageError::new("something is told of an order that is not there"))
    }

    /// The history of an order that was read before it.
    pub(super) fn read_history(&mut self, item: &mut Fields<'_>, read: &ReadOrders) -> Read<()> {
        let position = self.read_position(item, read)?;
        let mut entries = Vec::new();
        for _ in 0..item.count(HISTORY_ENTRIES_MAX)? {
            let what = Happening::from_byte(item.byte()?).ok_or(ImageError::new("something happened that cannot"))?;
            let (position, at) = (Sequence(item.u64()?), item.time()?);
            let (line, value) = (item.u16()?, item.u64()?);
            entries.push(Past { what, position, at, line, value, ordinal: item.u16()?, age: item.u32()? });
        }
        let record = self.orders.record(position);
        let may_have = record.phase == Phase::Whole && record.history == Newest::NONE;
        let newest = if may_have { self.histories.restore(position, &entries) } else { None };
        *self.orders.history_mut(position) =
            newest.ok_or(ImageError::new("a history is in disorder, or comes twice"))?;
        Ok(())
    }
}
