//! Tasks of orders, read back: what the orders themselves do not say of them, and when their authorisations end.

use super::super::super::Engine;
use super::super::super::effect::Effect;
use super::super::super::order::LineUnits;
use super::super::super::orders::{LineRecord, Phase};
use super::super::super::task::{TASKS, TaskKind};
use super::super::ImageError;
use super::{Fields, Read, ReadOrders};
use crate::base::limits::{ORDER_TOTAL_MAX, PAYMENT_ATTEMPTS_MAX};
use crate::base::{ChangeId, Timestamp};

impl Engine {
    /// Lists an order for what it says itself. What it does not say is there since it was accepted, until the item
    /// behind it tells otherwise: images of before there were tasks have none.
    pub(super) fn restore_said_tasks(&mut self, position: u32) -> Read<()> {
        let record = self.orders.record(position);
        let is_aside = |effect| self.wants.get(position, effect).is_some_and(|want| want.aside.is_some());
        let may_have = record.is_held() || !self.accounts.of(position).is_empty();
        if may_have || Effect::ALL.into_iter().any(is_aside) {
            let accepted_at = record.accepted_at;
            self.check_cost(position)?;
            self.settle_tasks(position, accepted_at);
        }
        Ok(())
    }

    /// What an order costs, and what is due of it, can be reckoned: whether money is missing hangs on that.
    fn check_cost(&self, position: u32) -> Read<()> {
        let record = self.orders.record(position);
        let lines = self.orders.lines(record).iter().zip(self.orders.line_units(record));
        let cost = |(line, units): (&LineRecord, LineUnits)| {
            u128::from(line.price) * u128::from(u64::from(line.taken).max(units.sold()))
        };
        let is_sound = lines.map(cost).sum::<u128>() <= ORDER_TOTAL_MAX.into();
        if is_sound { Ok(()) } else { Err(ImageError::new("an order costs more than one may")) }
    }

    /// When authorisations of the order that was read before it end.
    pub(super) fn read_ends(&mut self, item: &mut Fields<'_>, read: &ReadOrders) -> Read<()> {
        let position = self.read_position(item, read)?;
        for _ in 0..item.count(PAYMENT_ATTEMPTS_MAX)? {
            let (key, end) = ((position, ChangeId(item.u64()?)), item.time()?);
            let is_there = self.accounts.of(position).iter().any(|attempt| attempt.id == key.1);
            if !is_there || end == Timestamp::ZERO || self.accounts.ends.get(key) != Timestamp::ZERO {
                return Err(ImageError::new("an authorisation ends that there is not, or twice"));
            }
            self.accounts.ends.set(key, end);
        }
        self.restore_said_tasks(position)
    }

    /// Since when the order that was read before it has tasks, and what of a refund is open.
    pub(super) fn read_tasks(&mut self, item: &mut Fields<'_>, read: &ReadOrders) -> Read<()> {
        let position = self.read_position(item, read)?;
        let mut since = Vec::new();
        for _ in 0..item.count(TASKS)? {
            let kind = TaskKind::from_byte(item.byte()?).ok_or(ImageError::new("a task has an unknown kind"))?;
            since.push((kind, item.time()?));
        }
        if self.orders.record(position).phase != Phase::Whole {
            return Err(ImageError::new("an order that is over has tasks"));
        }
        let open_refund = item.u128()?;
        self.check_cost(position)?;
        self.restore_tasks(position, &since, open_refund).map_err(ImageError::new)
    }
}
