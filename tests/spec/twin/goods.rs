//! Goods in the twin: receipts and adjustments by request, and what is on the shelf because of them.

use stockade::base::limits::{ID_AHEAD_MS_MAX, REQUESTS_REMEMBERED_MS, STOCK_COMMAND_UNITS_MAX, STOCK_UNITS_MAX};
use stockade::base::{RequestId, SiteId, SkuId, Timestamp};
use stockade::engine::command::AdjustReason;
use stockade::engine::refusal::Field;
use stockade::engine::{Answer, Refusal};

use super::order::{Fate, Order, Record};
use super::{Goods, Market, Twin, out_of_bounds};

/// A stock request that is remembered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request {
    asked: Asked,
    available: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Asked {
    sku: SkuId,
    site: SiteId,
    units: i64,
    /// `None` for a receipt.
    reason: Option<AdjustReason>,
}

impl Twin {
    pub(super) fn receive(
        &mut self,
        request: RequestId,
        sku: SkuId,
        site: SiteId,
        quantity: u64,
        now: Timestamp,
    ) -> Result<Answer, Refusal> {
        if !(1..=STOCK_COMMAND_UNITS_MAX).contains(&quantity) {
            return Err(out_of_bounds(Field::Quantity, 1, STOCK_COMMAND_UNITS_MAX));
        }
        let asked = Asked { sku, site, units: quantity.cast_signed(), reason: None };
        self.market_mut(request.market())?.bring(request, asked, now)
    }

    pub(super) fn adjust(
        &mut self,
        request: RequestId,
        sku: SkuId,
        site: SiteId,
        delta: i64,
        reason: AdjustReason,
        now: Timestamp,
    ) -> Result<Answer, Refusal> {
        if !(1..=STOCK_COMMAND_UNITS_MAX).contains(&delta.unsigned_abs()) {
            return Err(out_of_bounds(Field::Quantity, 1, STOCK_COMMAND_UNITS_MAX));
        }
        let asked = Asked { sku, site, units: delta, reason: Some(reason) };
        self.market_mut(request.market())?.bring(request, asked, now)
    }
}

impl Market {
    fn bring(&mut self, id: RequestId, asked: Asked, now: Timestamp) -> Result<Answer, Refusal> {
        if let Some(known) = self.requests.get(&id) {
            let first = Answer::Stock { available: known.available, repeated: true };
            return if known.asked == asked { Ok(first) } else { Err(Refusal::Conflict) };
        }
        if id.made_at() > now.after_ms(ID_AHEAD_MS_MAX) {
            return Err(Refusal::IdFromFuture { now });
        }
        if id.made_at() < now.before_ms(REQUESTS_REMEMBERED_MS) {
            return Err(Refusal::IdTooOld);
        }
        let Asked { sku, site, units, reason } = asked;
        if !self.has_sku(sku) {
            return Err(Refusal::UnknownSku { sku });
        }
        if !self.has_site(site) {
            return Err(Refusal::UnknownSite);
        }
        let before = self.available(sku, site);
        let after = before.checked_add_signed(units).ok_or(Refusal::NotAvailable { available: before })?;
        if after > STOCK_UNITS_MAX {
            return Err(out_of_bounds(Field::Stock, 0, STOCK_UNITS_MAX));
        }
        self.goods.push(Goods { sku, site, units, received: reason.is_none() });
        self.requests.insert(id, Request { asked, available: after });
        Ok(Answer::Stock { available: after, repeated: false })
    }

    pub(super) fn placed(&self) -> impl Iterator<Item = &Order> {
        self.orders.values().filter_map(|record| match record {
            Record::Order(order) => Some(&**order),
            Record::Blocked => None,
        })
    }

    /// Units for sale of one SKU at one site.
    pub(super) fn available(&self, sku: SkuId, site: SiteId) -> u64 {
        let mut units: i64 =
            self.goods.iter().filter(|goods| goods.sku == sku && goods.site == site).map(|goods| goods.units).sum();
        for order in self.placed() {
            let lines = order.asked.lines.iter().zip(&order.lines).filter(|(line, _)| line.sku == sku);
            for unit in lines.flat_map(|(_, units)| units) {
                let gone = unit.site == site && matches!(unit.fate, Fate::Reserved | Fate::Committed | Fate::Shipped);
                units -= i64::from(gone);
                units += i64::from(unit.returned_to == Some(site));
            }
        }
        u64::try_from(units).expect("nothing is sold twice")
    }

    /// Units for sale of one SKU, all sites together.
    pub(super) fn available_anywhere(&self, sku: SkuId) -> u64 {
        self.ranked_sites().into_iter().map(|site| self.available(sku, site)).sum()
    }
}
