//! Waiting in the twin: what is owed and to whom, what arrives for those who wait, and who gets it.

use std::collections::BTreeSet;

use stockade::base::{MarketId, OrderId, SiteId, SkuId, Timestamp};
use stockade::engine::Draw;
use stockade::engine::ledger::{Account, Bucket};

use super::goods::{arriving, shelf};
use super::order::{Order, Record};
use super::{Goods, Market, Twin};

/// Units on one shelf of a SKU that somebody waits for.
pub(super) struct Shelf {
    market: MarketId,
    sku: SkuId,
    site: SiteId,
    units: u64,
}

impl Twin {
    /// Every shelf of what is waited for; asked before something that may put units there.
    pub(super) fn shelves(&self) -> Vec<Shelf> {
        let mut shelves = Vec::new();
        for (&id, market) in &self.markets {
            for sku in market.waited_for() {
                let shelf = |site| Shelf { market: id, sku, site, units: market.available(sku, site) };
                shelves.extend(market.ranked_sites().into_iter().map(shelf));
            }
        }
        shelves
    }

    /// What orders put on these shelves since then arrived for those who wait; of what nobody waits for any more it
    /// stays there.
    pub(super) fn set_apart(&mut self, before: &[Shelf]) {
        for &Shelf { market, sku, site, units } in before {
            let market = self.markets.get_mut(&market).expect("markets stay open");
            let more = market.available(sku, site).saturating_sub(units);
            market.transfer(sku, more, shelf(site), arriving(site));
        }
        self.give_back_to_shelves();
    }

    /// What arrived and nobody waits for is for sale.
    pub(super) fn give_back_to_shelves(&mut self) {
        for market in self.markets.values_mut() {
            let waited_for = market.waited_for();
            for (sku, site) in market.arrived() {
                if !waited_for.contains(&sku) {
                    let units = market.lying(sku, arriving(site));
                    market.transfer(sku, units, arriving(site), shelf(site));
                }
            }
        }
    }

    /// Whether something that arrived has not been given to those who wait for it.
    pub(crate) fn has_fills(&self) -> bool {
        self.markets.values().any(|market| !market.arrived().is_empty() || market.has_kits_to_give())
    }

    /// Gives what arrived of some SKUs to the first order in line for each; says to which orders, and where it lies.
    pub(crate) fn fill(&mut self, market: MarketId, skus: &BTreeSet<SkuId>, now: Timestamp) -> Vec<(OrderId, Draw)> {
        let mut draws = Vec::new();
        let filled = self.markets.get_mut(&market).expect("markets stay open");
        for &sku in skus {
            if let Some(order) = filled.first_in_line(sku) {
                draws.extend(filled.fill(order, sku).into_iter().map(|draw| (order, draw)));
            }
        }
        self.give_back_to_shelves();
        self.note_filled(&draws, now);
        self.settle();
        self.note_ends(now);
        draws
    }

    /// The SKUs of some lines of an order.
    pub(crate) fn skus_of(&self, id: OrderId, lines: impl Iterator<Item = u16>) -> BTreeSet<SkuId> {
        let order = self.order(id).expect("the order is known");
        lines.map(|line| order.asked.lines[usize::from(line)].sku).collect()
    }

    pub(crate) fn owed(&self, market: MarketId, sku: SkuId) -> u64 {
        self.markets[&market].owed(sku)
    }

    /// Pairs of an order and a SKU that it waits for, in the whole shard.
    pub(super) fn waiting_pairs(&self) -> u64 {
        self.markets.values().flat_map(Market::placed).map(|order| order.waits_for().len() as u64).sum()
    }
}

impl Market {
    /// Units of one SKU that orders are owed.
    pub(super) fn owed(&self, sku: SkuId) -> u64 {
        self.placed().map(|order| order.owed(Some(sku))).sum()
    }

    pub(super) fn owed_anywhere(&self) -> u64 {
        self.placed().map(|order| order.owed(None)).sum()
    }

    pub(super) fn is_waited_for(&self, sku: SkuId) -> bool {
        self.owed(sku) > 0
    }

    fn waited_for(&self) -> BTreeSet<SkuId> {
        self.placed().flat_map(Order::waits_for).collect()
    }

    /// Where something lies that arrived.
    fn arrived(&self) -> BTreeSet<(SkuId, SiteId)> {
        let came = self.goods.iter().filter(|goods| goods.to.bucket == Bucket::Arriving);
        let places: BTreeSet<(SkuId, SiteId)> = came.map(|goods| (goods.sku, goods.to.site)).collect();
        places.into_iter().filter(|&(sku, site)| self.lying(sku, arriving(site)) > 0).collect()
    }

    /// Nothing of a SKU that somebody waits for stays for sale, whatever the policy says now.
    pub(super) fn give_up_shelf(&mut self, sku: SkuId) {
        if !self.is_waited_for(sku) {
            return;
        }
        let mut above = self.on_the_shelf(sku);
        for site in self.ranked_sites() {
            let units = above.min(self.available(sku, site));
            above -= units;
            self.transfer(sku, units, shelf(site), arriving(site));
        }
    }

    fn first_in_line(&self, sku: SkuId) -> Option<OrderId> {
        let orders = self.orders.iter().filter_map(|(id, record)| match record {
            Record::Order(order) if order.owed(Some(sku)) > 0 => Some((order.number, *id)),
            Record::Order(_) | Record::Blocked => None,
        });
        orders.min().map(|(_, id)| id)
    }

    /// Gives one order what arrived of one SKU: its lines in order, sites in rank order.
    fn fill(&mut self, id: OrderId, sku: SkuId) -> Vec<Draw> {
        let mut draws = Vec::new();
        for line in 0..self.order_mut(id).lines.len() {
            if self.order_mut(id).asked.lines[line].sku != sku {
                continue;
            }
            for site in self.ranked_sites() {
                let is_kit = self.recipes.contains_key(&sku);
                let there = if is_kit { self.whole_kits(sku, site) } else { self.lying(sku, arriving(site)) } as usize;
                let order = self.order_mut(id);
                let mut units = 0;
                for unit in order.lines[line].iter_mut().filter(|unit| unit.is_owed()).take(there) {
                    unit.site = site;
                    units += 1;
                }
                if units > 0 {
                    order.draw_on(line, &[site]);
                    draws.push(Draw { line: line as u16, site, quantity: units });
                    // A unit of an order is on the shelf less, wherever it came from; those of a kit were there.
                    if !is_kit {
                        self.transfer(sku, units.into(), arriving(site), shelf(site));
                    }
                }
            }
        }
        draws
    }

    /// Whole kits that a site has on its shelves, no more than are for sale of each component.
    fn whole_kits(&self, kit: SkuId, site: SiteId) -> u64 {
        let parts = self.parts(kit).into_iter();
        let least = parts.map(|(sku, units)| self.available(sku, site).min(self.on_the_shelf(sku)) / units);
        least.min().unwrap_or_default()
    }

    /// Whether somebody waits for a kit that some site has.
    fn has_kits_to_give(&self) -> bool {
        let kits = self.waited_for().into_iter().filter(|sku| self.recipes.contains_key(sku));
        kits.into_iter().any(|kit| self.ranked_sites().into_iter().any(|site| self.whole_kits(kit, site) > 0))
    }

    fn order_mut(&mut self, id: OrderId) -> &mut Order {
        match self.orders.get_mut(&id) {
            Some(Record::Order(order)) => order,
            Some(Record::Blocked) | None => unreachable!("it waits for something"),
        }
    }

    pub(super) fn transfer(&mut self, sku: SkuId, units: u64, from: Account, to: Account) {
        if units > 0 {
            self.goods.push(Goods { sku, units: units.cast_signed(), from, to });
        }
    }
}
