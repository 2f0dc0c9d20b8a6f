//! Filling: units that arrived go to the orders that wait for them, first in line first.
//!
//! ```text
//! markets with something to give ─► next SKU ─► first order that can take of it ─► Filled: one order, where from
//!         ▲───────────── both go to the end of their lines: one SKU's crowd does not hold up another's
//! ```
//!
//! # Always true
//! - One fact fills one order, from sites in rank order; whoever bounds a turn bounds how many it asks for.
//! - Filling makes no more draws than a shard may keep, and than an order may have. What cannot be given for that
//!   reason stays arriving.
//! - Kits that were put back are given whole and from the shelf, site by site.
//! # Not here
//! - Who waits: `waiting`. What a fill does to an order: `fold::fill`.

use super::Engine;
use super::fact::{Draw, Fact};
use super::orders::Record;
use crate::base::limits::{ORDER_DRAWS_MAX, SITES_MAX};
use crate::base::{MarketId, OrderNumber, SiteId, SkuId};

impl Engine {
    /// Whether [`Engine::next_fill`] may give something. Says yes too often rather than too rarely.
    #[must_use]
    pub fn has_fills(&self) -> bool {
        !self.filling.is_empty() && self.orders.draw_count() < self.capacity.draws_max
    }

    /// The next order that gets what it was owed, or some of it. Fold it, then ask again. `draws` is memory for its
    /// draws.
    pub fn next_fill<'s>(&mut self, draws: &'s mut Vec<Draw>) -> Option<Fact<'s>> {
        if !self.has_fills() {
            return None;
        }
        while let Some(id) = self.filling.pop_front() {
            let market = self.markets[id.number() as usize].as_deref_mut().expect("law: who waits does so in a market");
            let Some(sku) = market.waiting.take_ready() else {
                market.waiting.is_listed = false;
                continue;
            };
            self.filling.push_back(id);
            if let Some(position) = self.plan_fill(id, sku, draws) {
                // There may be more of it, and somebody else who waits.
                self.market_mut(id).waiting.note_arrival(sku);
                return Some(Fact::Filled { order: self.orders.record(position).order, draws });
            }
        }
        None
    }

    /// Tells the shard that a market has something to give.
    pub(super) fn list_fills(&mut self, id: MarketId) {
        let waiting = &mut self.market_mut(id).waiting;
        if waiting.has_ready() && !waiting.is_listed {
            waiting.is_listed = true;
            self.filling.push_back(id);
        }
    }

    /// Draws for the first order in line that can take any of what arrived of a SKU: where it lies among the orders.
    fn plan_fill(&self, id: MarketId, sku: SkuId, draws: &mut Vec<Draw>) -> Option<u32> {
        let market = self.market(id).ok()?;
        let mut arrived = [0; SITES_MAX];
        match market.kits.recipe(sku) {
            Some(recipe) => market.whole_kits(recipe, &mut arrived),
            None => {
                for (arrived, site) in arrived.iter_mut().zip(&market.ranked) {
                    *arrived = market.ledger.arriving(sku, *site);
                }
            }
        }
        // Most often nothing is left, and nobody in a long line need be asked.
        if arrived.iter().all(|units| *units == 0) {
            return None;
        }
        let kept = usize::try_from(self.capacity.draws_max - self.orders.draw_count()).unwrap_or(usize::MAX);
        // Who cannot take any has thousands of draws, and all of them together no more than a shard keeps.
        market.waiting.behind(sku, OrderNumber(0)).find_map(|(number, _)| {
            let position = market.numbers.get(number).expect("law: who waits is kept");
            let record = self.orders.record(position);
            let room = kept.min(ORDER_DRAWS_MAX.saturating_sub(self.orders.draws(record).len()));
            self.draw_arrived(&market.ranked, sku, record, (arrived, room), draws);
            (!draws.is_empty()).then_some(position)
        })
    }

    /// Gives what arrived of a SKU, by rank of its site, to the lines of an order that are owed it, with so many new
    /// draws at most.
    fn draw_arrived(
        &self,
        ranked: &[SiteId],
        sku: SkuId,
        record: &Record,
        (mut arrived, mut room): ([u64; SITES_MAX], usize),
        draws: &mut Vec<Draw>,
    ) {
        draws.clear();
        let lines = self.orders.lines(record);
        let owed = self.orders.draws(record).iter().filter(|draw| draw.is_owed());
        for draw in owed.filter(|draw| lines[usize::from(draw.line)].sku == sku) {
            let of_line = self.orders.draws_of_line(record, draw.line);
            let mut missing = draw.units.held();
            for (site, left) in ranked.iter().zip(&mut arrived) {
                let quantity = u32::try_from(*left).unwrap_or(u32::MAX).min(missing);
                let is_new = quantity > 0 && !of_line.iter().any(|known| known.site == *site);
                if quantity == 0 || (is_new && room == 0) {
                    continue;
                }
                room -= usize::from(is_new);
                draws.push(Draw { line: draw.line, site: *site, quantity });
                *left -= u64::from(quantity);
                missing -= quantity;
            }
        }
    }
}
