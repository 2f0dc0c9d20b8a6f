//! What of an order reached its customer and what comes back, read behind the order.

use super::super::super::Engine;
use super::super::super::orders::Phase;
use super::super::super::return_::{DISPOSITIONS, DeclineReason, Kind, Reason, Stage};
use super::super::super::returns::{Return, Row};
use super::super::ImageError;
use super::{Fields, Read, ReadOrders};
use crate::base::limits::{LINES_MAX, RETURN_ROWS_MAX, RETURNS_PER_ORDER_MAX};
use crate::base::{ChangeId, OrderId, OrderNumber, SiteId};

const WRONG: ImageError = ImageError::new("something of an order was delivered, or comes back, that cannot");

impl Engine {
    pub(super) fn read_returns(&mut self, item: &mut Fields<'_>, read: &ReadOrders) -> Read<()> {
        let order = OrderId::from_bits(item.u128()?);
        let just_read = read.restored.last().filter(|(last, _)| *last == order).map(|(_, position)| *position);
        let position = just_read.or_else(|| self.orders.find(order)).ok_or(WRONG)?;
        let record = self.orders.record(position);
        let lines = record.lines.len;
        let is_whole = record.phase == Phase::Whole && record.number != OrderNumber(0);
        if !is_whole || !self.returns.of(position).is_empty() {
            return Err(WRONG);
        }
        for _ in 0..item.count(LINES_MAX)? {
            let (line, units) = (item.u16()?, item.u32()?);
            let known = self.orders.lines(self.orders.record(position)).get(usize::from(line));
            if units == 0 || known.is_none_or(|known| known.delivered > 0 || units > known.taken) {
                return Err(WRONG);
            }
            self.orders.deliver(position, line, units);
        }
        let mut heads = Vec::<Return>::new();
        for _ in 0..item.count(RETURNS_PER_ORDER_MAX)? {
            let head = read_head(item)?;
            if heads.iter().any(|other| other.id == head.id) {
                return Err(WRONG);
            }
            heads.push(head);
        }
        let mut rows = Vec::<Row>::new();
        for _ in 0..item.count(RETURN_ROWS_MAX)? {
            let (of, line, site, units) = (item.byte()?, item.u16()?, SiteId(item.u16()?), item.u32()?);
            let mut became = [0; DISPOSITIONS];
            for units in &mut became {
                *units = item.u32()?;
            }
            let row = Row { of, line, site, units, became };
            let is_sound = if row.is_asked() { row.inspected() == 0 } else { row.inspected() <= u64::from(units) };
            if usize::from(of) >= heads.len() || line >= lines || units == 0 || !is_sound {
                return Err(WRONG);
            }
            rows.push(row);
        }
        self.returns.restore(position, heads.into(), rows.into());
        self.check_restored_returns(position)
    }

    /// What an order's returns say fits its units, and what lies with them lies there.
    fn check_restored_returns(&mut self, position: u32) -> Read<()> {
        let record = self.orders.record(position);
        let order = record.order;
        // Sums of what was returned have to be there before anything is taken from them.
        let returned: Vec<u64> = self.orders.line_units(record).map(|units| units.returned.into()).collect();
        let mut came = vec![0; returned.len()];
        for row in self.returns.rows(position).iter().filter(|row| !row.is_asked()) {
            came[usize::from(row.line)] += u64::from(row.units);
        }
        let again = |row: &&Row| !row.is_asked();
        for row in self.returns.rows(position).iter().filter(again) {
            let back = row.became(super::super::super::return_::Disposition::BackToCustomer);
            came[usize::from(row.line)] -= u64::from(back);
        }
        let fits = came.iter().zip(&returned).all(|(came, returned)| came <= returned);
        if !fits || self.check_returns(position, self.orders.record(position)).is_err() {
            return Err(WRONG);
        }
        let lying: Vec<_> = self.returns.rows(position).iter().filter(|row| row.lying() > 0).copied().collect();
        let skus: Vec<_> = self.orders.lines(self.orders.record(position)).iter().map(|line| line.sku).collect();
        let market = self.open_market_mut(order.market())?;
        for row in lying {
            let sku = skus[usize::from(row.line)];
            if market.check_sku(sku).is_err() || market.check_site(row.site).is_err() {
                return Err(WRONG);
            }
            market.lie(sku, row.site, row.lying());
            if !market.lies_set_aside(sku, row.site) {
                return Err(WRONG);
            }
        }
        Ok(())
    }
}

fn read_head(item: &mut Fields<'_>) -> Read<Return> {
    let (id, content, until) = (ChangeId(item.u64()?), item.u64()?, item.time()?);
    let (kind, reason) = (Kind::from_byte(item.byte()?), Reason::from_byte(item.byte()?));
    let (stage, is_declined) = (Stage::from_byte(item.byte()?), item.flag()?);
    let declined = DeclineReason::from_byte(item.byte()?).ok_or(WRONG)?;
    let (Some(kind), Some(reason), Some(stage)) = (kind, reason, stage) else { return Err(WRONG) };
    let declined = is_declined.then_some(declined);
    Ok(Return { id, content, until, kind, reason, stage, declined })
}
