//! Finding orders by what they are about: those of a customer, and those that hold units of a SKU.
//!
//! # Always true
//! - A page looks at a bounded number of places, so it may be short, even empty, and still say where to go on.
//! - Whatever concerns whoever asks is found: the sieve lets through too much and never too little.
//! # Not here
//! - How most orders are passed over without looking at them: `sieve`.

use super::Engine;
use super::market::Market;
use super::orders::Record;
use super::query::{HolderPage, HolderRow, OrderPage, OrderRow};
use super::read::check_page;
use super::refusal::{Field, Refusal};
use super::sieve::Subject;
use crate::base::limits::{LINES_PER_LOOK, PAGE_SCAN_MAX};
use crate::base::{CustomerKey, MarketId, OrderNumber, SkuId};

impl Engine {
    /// Orders of a customer that are kept, newest first, with numbers before `before`; zero to begin.
    ///
    /// # Errors
    /// Unknown market; the key of guests, who cannot be told apart; more rows asked than a page has.
    pub fn customer_orders(
        &self,
        market: MarketId,
        customer: CustomerKey,
        before: OrderNumber,
        rows_max: u16,
    ) -> Result<OrderPage, Refusal> {
        check_page(rows_max)?;
        let market = self.market(market)?;
        if customer == CustomerKey::default() {
            return Err(Refusal::OutOfBounds { field: Field::Customer, min: 1, max: u64::MAX });
        }
        let about = Subject::customer(customer);
        let mut page = OrderPage { rows: Vec::new(), next: Some(before) };
        let mut from = if before.0 == 0 { OrderNumber(u64::MAX) } else { before };
        let mut looks = PAGE_SCAN_MAX;
        loop {
            let Some((downto, position)) =
                market.numbers.before_about(from, about, &mut looks, |position| self.subjects(market, position))
            else {
                page.next = None;
                return Ok(page);
            };
            let record = position.map(|position| self.orders.record(position));
            if let Some(record) = record.filter(|record| record.customer == customer) {
                if page.rows.len() == usize::from(rows_max) {
                    return Ok(page);
                }
                page.rows.push(row(record));
            }
            (from, page.next) = (downto, Some(downto));
            if looks == 0 {
                return Ok(page);
            }
        }
    }

    /// Open orders that hold units of a SKU or are owed them, numbers after `after`.
    ///
    /// # Errors
    /// Unknown market or SKU; more rows asked than a page has.
    pub fn holders(
        &self,
        market: MarketId,
        sku: SkuId,
        after: OrderNumber,
        rows_max: u16,
    ) -> Result<HolderPage, Refusal> {
        check_page(rows_max)?;
        let market = self.market(market)?;
        market.check_sku(sku)?;
        let about = Subject::sku(sku);
        let mut page = HolderPage { rows: Vec::new(), next: Some(after) };
        let (mut from, mut looks) = (after, PAGE_SCAN_MAX);
        loop {
            let Some((upto, position)) =
                market.numbers.after_about(from, about, &mut looks, |position| self.subjects(market, position))
            else {
                page.next = None;
                return Ok(page);
            };
            let record = position.map(|position| self.orders.record(position));
            if let Some(record) = record.filter(|record| record.state.is_open()) {
                looks =
                    looks.saturating_sub((usize::from(record.lines.len) + record.draws.len as usize) / LINES_PER_LOOK);
                if let Some(row) = self.holder(record, sku, market) {
                    if page.rows.len() == usize::from(rows_max) {
                        return Ok(page);
                    }
                    page.rows.push(row);
                }
            }
            (from, page.next) = (upto, Some(upto));
            if looks == 0 {
                return Ok(page);
            }
        }
    }

    /// What an order is about, for whoever looks for it: also what is in its kits.
    pub(super) fn subjects(&self, market: &Market, position: u32) -> impl Iterator<Item = Subject> {
        let record = self.orders.record(position);
        let skus = self.orders.lines(record).iter().flat_map(|line| {
            let parts = market.kits.recipe(line.sku).into_iter().flat_map(|recipe| recipe.iter());
            core::iter::once(line.sku).chain(parts.map(|part| part.sku))
        });
        core::iter::once(Subject::customer(record.customer)).chain(skus.map(Subject::sku))
    }

    /// What an order holds of a SKU, by itself and in kits; `None` for nothing.
    fn holder(&self, record: &Record, sku: SkuId, market: &Market) -> Option<HolderRow> {
        let mut held = HolderRow { order: row(record), owed: 0, reserved: 0, committed: 0 };
        for (line, units) in self.orders.lines(record).iter().zip(self.orders.line_units(record)) {
            let each = match line.sku == sku {
                true => 1,
                false => u64::from(market.kits.units_in(line.sku, sku)),
            };
            held.owed += each * u64::from(units.owed);
            held.reserved += each * u64::from(units.reserved);
            held.committed += each * u64::from(units.committed);
        }
        (held.owed + held.reserved + held.committed > 0).then_some(held)
    }
}

const fn row(record: &Record) -> OrderRow {
    let Record { order, number, state, deadline, .. } = *record;
    OrderRow { order, number, state, deadline }
}
