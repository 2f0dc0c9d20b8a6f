//! Which site gives which units when a line names a kit: a site gives whole kits only, and lines share components.
//!
//! ```text
//! plan: lines that name kits ─► the other lines        in line order, each from the first site that has what it needs
//!          ▲       │ one comes up short
//!          └───────┘ it goes first, a few times ─► nobody is short: done
//!                                               └► lines in line order, as they are; what is missing is missing
//! ```
//!
//! # Always true
//! - What one line takes no other line counts: components are looked up once for the whole order.
//! - Where no two kits of the order share a component, or where the market has one site, an order is whole whenever it
//!   can be.
//! # Why so
//! A plain line takes its units from any site and may be owed them, a kit needs all of its components at one: so kits
//! choose first, and what is left does for the others or does not, whichever way the kits were spread. To spread
//! several kits that share components over several sites is packing in many dimensions, and nobody knows a way to do
//! that exactly and soon. Letting whoever came up short choose first is squeaky wheel optimisation (Joslin, Clements:
//! "Squeaky Wheel" Optimization, 1999); its number of turns is bounded.

use super::super::fact::Draw;
use super::super::kits::Component;
use super::super::market::Market;
use super::{Beyond, Plan, Shortfall, Want};
use crate::base::limits::KIT_PLANS_MAX;
use crate::base::{SiteId, SkuId};

/// What is left of everything that the lines of one order take; kept between commands for its memory.
#[derive(Debug, Default)]
pub(super) struct Left {
    /// SKUs with units of their own, by number.
    skus: Vec<SkuId>,
    /// Of each: units on the shelf that may be sold, all sites together.
    for_sale: Vec<u64>,
    /// Of each: units that may be sold without being there.
    beyond: Vec<u64>,
    /// Of each, units available at each site, by rank.
    at_sites: Vec<u64>,
    /// Wants in the order in which they choose.
    turns: Vec<usize>,
}

/// What one unit of a line takes: the components of a kit, or one of the SKU itself.
fn parts<'m>(market: &'m Market, sku: SkuId, alone: &'m mut [Component; 1]) -> &'m [Component] {
    alone[0] = Component { sku, units: 1 };
    market.kits.recipe(sku).map_or(&*alone, |recipe| recipe)
}

impl Left {
    /// Looks up what there is of whatever the wants take.
    fn look_up(&mut self, market: &Market, wants: &[Want], beyond: Beyond) {
        self.skus.clear();
        for want in wants {
            self.skus.extend(parts(market, want.sku, &mut NONE.clone()).iter().map(|part| part.sku));
        }
        self.skus.sort_unstable();
        self.skus.dedup();
        let Self { skus, for_sale, beyond: allowed, at_sites, .. } = self;
        for_sale.clear();
        for_sale.extend(skus.iter().map(|sku| market.on_the_shelf(*sku)));
        allowed.clear();
        let allowance = |sku: &SkuId| if beyond == Beyond::Allowance { market.oversell_left(*sku) } else { 0 };
        allowed.extend(skus.iter().map(allowance));
        at_sites.clear();
        let available = |sku: SkuId| market.ranked.iter().map(move |site| market.ledger.available(sku, *site));
        at_sites.extend(skus.iter().flat_map(|sku| available(*sku)));
    }

    fn position(&self, sku: SkuId) -> usize {
        self.skus.binary_search(&sku).expect("law: everything that the wants take was looked up")
    }

    /// Draws for one want, as far as there is something; tells whether it got all.
    fn draw(&mut self, market: &Market, want: Want, draws: &mut Vec<Draw>) -> bool {
        // Whoever was put back comes before whoever asks now.
        if market.kits.is_kit(want.sku) && market.waiting.is_waited_for(want.sku) {
            return want.quantity == 0;
        }
        let (sites, mut missing) = (market.ranked.len(), want.quantity);
        let mut alone = NONE;
        let parts = parts(market, want.sku, &mut alone);
        for (rank, site) in market.ranked.iter().enumerate() {
            let least = parts.iter().map(|part| {
                let at = self.position(part.sku);
                self.for_sale[at].min(self.at_sites[at * sites + rank]) / u64::from(part.units)
            });
            let quantity = u32::try_from(least.min().unwrap_or_default()).unwrap_or(u32::MAX).min(missing);
            if quantity == 0 {
                continue;
            }
            for part in parts {
                let (at, units) = (self.position(part.sku), u64::from(quantity) * u64::from(part.units));
                self.for_sale[at] -= units;
                self.at_sites[at * sites + rank] -= units;
            }
            draws.push(Draw { line: want.line, site: *site, quantity });
            missing -= quantity;
            if missing == 0 {
                return true;
            }
        }
        if market.kits.is_kit(want.sku) {
            return false;
        }
        let at = self.position(want.sku);
        let quantity = u32::try_from(self.beyond[at]).unwrap_or(u32::MAX).min(missing);
        if quantity > 0 {
            self.beyond[at] -= u64::from(quantity);
            draws.push(Draw { line: want.line, site: SiteId::NOWHERE, quantity });
        }
        quantity == missing
    }
}

const NONE: [Component; 1] = [Component { sku: SkuId(0), units: 1 }];

impl Plan {
    /// Draws for wants of which some name kits.
    #[cold]
    pub(super) fn make_with_kits(&mut self, market: &Market, beyond: Beyond) -> Option<Shortfall> {
        let Self { wants, draws, left } = self;
        let mut turns = std::mem::take(&mut left.turns);
        turns.clear();
        let is_kit = |at: &usize| market.kits.is_kit(wants[*at].sku);
        turns.extend((0..wants.len()).filter(is_kit));
        turns.extend((0..wants.len()).filter(|at| !is_kit(at)));
        let mut is_whole = false;
        for _ in 0..KIT_PLANS_MAX {
            left.look_up(market, wants, beyond);
            draws.clear();
            let short = turns.iter().position(|at| !left.draw(market, wants[*at], draws));
            is_whole = short.is_none();
            match short {
                // Of a plain line as much is left wherever the kits come from.
                Some(turn) if turn > 0 && is_kit(&turns[turn]) => turns[..=turn].rotate_right(1),
                _ => break,
            }
        }
        left.turns = turns;
        if is_whole {
            draws.sort_by_key(|draw| draw.line);
            return None;
        }
        left.look_up(market, wants, beyond);
        draws.clear();
        let mut short: Vec<SkuId> = Vec::new();
        for want in &*wants {
            if !left.draw(market, *want, draws) {
                short.push(want.sku);
            }
        }
        short.sort_unstable();
        let first = wants.iter().find(|want| short.binary_search(&want.sku).is_ok())?;
        let of_sku = || wants.iter().filter(|want| want.sku == first.sku);
        let given = |want: &Want| {
            let start = draws.partition_point(|draw| draw.line < want.line);
            draws[start..]
                .iter()
                .take_while(|draw| draw.line == want.line)
                .map(|draw| u64::from(draw.quantity))
                .sum::<u64>()
        };
        Some(Shortfall {
            line: first.line,
            sku: first.sku,
            asked: of_sku().map(|want| u64::from(want.quantity)).sum(),
            available: of_sku().map(given).sum(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::ledger::{Account, Bucket};
    use super::super::tests::plan;
    use super::*;

    const KIT: u32 = 10;
    const SET: u32 = 11;

    /// Kit 10 is two of SKU 1 and one of SKU 2; kit 11 is one of SKU 1 and one of SKU 3. Sites 1 and 2, in this order.
    fn market(stock: &[(u32, u16, u64)]) -> Market {
        let mut market = Market::new("m");
        market.add_site("far", 5);
        let part = |sku, units| Component { sku: SkuId(sku), units };
        market.kits.insert(SkuId(KIT), &[part(1, 2), part(2, 1)]);
        market.kits.insert(SkuId(SET), &[part(1, 1), part(3, 1)]);
        for (sku, site, units) in stock {
            let at = |bucket| Account { site: SiteId(*site), bucket };
            market.add_places(SkuId(*sku), SiteId(*site));
            market.ledger.transfer(SkuId(*sku), at(Bucket::Supplier), at(Bucket::Available), *units);
        }
        market
    }

    #[test]
    fn a_site_gives_whole_kits_only() {
        let market = market(&[(1, 1, 5), (2, 1, 9), (1, 2, 3), (2, 2, 1)]);
        assert_eq!(plan(&market, &[(KIT, 3)]), (vec![(0, 1, 2), (0, 2, 1)], None));
        assert_eq!(market.for_sale(SkuId(KIT)), 3);
        assert_eq!(plan(&market, &[(KIT, 4)]), (vec![(0, 1, 2), (0, 2, 1)], Some((KIT, 4, 3))));
    }

    #[test]
    fn a_component_alone_and_in_a_kit_is_one_unit() {
        let market = market(&[(1, 1, 5), (2, 1, 9)]);
        assert_eq!(plan(&market, &[(KIT, 2), (1, 1)]), (vec![(0, 1, 2), (1, 1, 1)], None));
        assert_eq!(plan(&market, &[(KIT, 2), (1, 2)]), (vec![(0, 1, 2), (1, 1, 1)], Some((1, 2, 1))));
        assert_eq!(plan(&market, &[(1, 2), (KIT, 2)]), (vec![(0, 1, 2), (1, 1, 1)], Some((KIT, 2, 1))));
    }

    #[test]
    fn a_plain_line_leaves_a_kit_the_site_that_only_the_kit_needs() {
        let market = market(&[(1, 1, 2), (2, 1, 1), (1, 2, 2)]);
        assert_eq!(plan(&market, &[(1, 2), (KIT, 1)]), (vec![(0, 2, 2), (1, 1, 1)], None));
    }

    #[test]
    fn a_kit_that_comes_up_short_chooses_first() {
        let market = market(&[(1, 1, 2), (2, 1, 1), (3, 1, 1), (1, 2, 2), (3, 2, 1)]);
        assert_eq!(plan(&market, &[(SET, 1), (KIT, 1)]), (vec![(0, 2, 1), (1, 1, 1)], None));
    }
}
