//! Which site gives which units. Lines in order, sites in rank order, a line filled before the next of the same SKU;
//! what no site has any more is owed, as far as the SKU may be oversold.
//!
//! # Always true
//! - Lines of one SKU are summed before anything is said about it: two lines never count the same unit.
//! - Draws come out in line order, and for one line in rank order, what is owed last.
//! # Not here
//! - Orders that name kits: `routing::kits`.

mod kits;

use kits::Left;

use super::fact::Draw;
use super::market::Market;
use crate::base::{SiteId, SkuId};

/// Units wanted by one line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Want {
    pub(super) line: u16,
    pub(super) sku: SkuId,
    pub(super) quantity: u32,
}

/// What may be had of a SKU when the shelf is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beyond {
    /// Nothing: who comes back late does not stand in a line that others stand in.
    Nothing,
    /// What may be sold without being there.
    Allowance,
}

/// The first line whose SKU has fewer units than all its lines want.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shortfall {
    line: u16,
    pub(super) sku: SkuId,
    pub(super) asked: u64,
    pub(super) available: u64,
}

/// A plan in the making; kept between commands for its memory.
#[derive(Debug, Default)]
pub(super) struct Plan {
    wants: Vec<Want>,
    draws: Vec<Draw>,
    left: Left,
}

impl Plan {
    /// Draws as much of every want as there is. Says which SKU came up short first, in line order.
    pub(super) fn make(
        &mut self,
        market: &Market,
        wants: impl Iterator<Item = Want>,
        beyond: Beyond,
    ) -> Option<Shortfall> {
        self.wants.clear();
        self.wants.extend(wants);
        self.draws.clear();
        if !market.kits.is_empty() && self.wants.iter().any(|want| market.kits.is_kit(want.sku)) {
            return self.make_with_kits(market, beyond);
        }
        let in_line_order = self.wants.is_sorted_by(|a, b| a.sku < b.sku);
        if !in_line_order {
            self.wants.sort_unstable_by_key(|want| (want.sku, want.line));
        }
        let mut first = None;
        for group in self.wants.chunk_by(|a, b| a.sku == b.sku) {
            let short = draw_group(market, group, beyond, &mut self.draws);
            first = first.into_iter().chain(short).min_by_key(|short: &Shortfall| short.line);
        }
        if !in_line_order {
            self.draws.sort_by_key(|draw| draw.line);
        }
        first
    }

    pub(super) fn draws(&self) -> &[Draw] {
        &self.draws
    }
}

/// Draws for lines of one SKU.
fn draw_group(market: &Market, group: &[Want], beyond: Beyond, draws: &mut Vec<Draw>) -> Option<Shortfall> {
    let (Want { line, sku, .. }, begin) = (group[0], draws.len());
    let mut sites = market.ranked.iter().map(|site| (*site, market.ledger.available(sku, *site)));
    let mut source = sites.next();
    // The safety stock lies somewhere, and nobody says where.
    let mut sellable = if market.policies.safety_stock(sku) == 0 { u64::MAX } else { market.on_the_shelf(sku) };
    let mut short = false;
    for want in group {
        let mut missing = want.quantity;
        while missing > 0 {
            let Some((site, left)) = source.as_mut().filter(|_| sellable > 0) else { break };
            let quantity = u32::try_from(sellable.min(*left)).unwrap_or(u32::MAX).min(missing);
            if quantity > 0 {
                draws.push(Draw { line: want.line, site: *site, quantity });
            }
            missing -= quantity;
            *left -= u64::from(quantity);
            sellable -= u64::from(quantity);
            if *left == 0 {
                source = sites.next();
            }
        }
        short |= missing > 0;
    }
    if !short {
        return None;
    }
    let oversell = if beyond == Beyond::Allowance { market.oversell_left(sku) } else { 0 };
    let is_met = oversell > 0 && draw_owed(group, (begin, oversell), draws);
    (!is_met).then(|| Shortfall {
        line,
        sku,
        asked: group.iter().map(|want| u64::from(want.quantity)).sum(),
        available: market.on_the_shelf(sku) + oversell,
    })
}

/// Draws what lines of one SKU miss, whose draws on the shelf begin at `at`, on what is not there: `left` units at
/// most. Tells whether they miss nothing then.
#[cold]
fn draw_owed(group: &[Want], (mut at, mut left): (usize, u64), draws: &mut Vec<Draw>) -> bool {
    let (mut is_met, end) = (true, draws.len());
    for want in group {
        let mut missing = want.quantity;
        while at < end && draws[at].line == want.line {
            missing -= draws[at].quantity;
            at += 1;
        }
        let quantity = u32::try_from(left).unwrap_or(u32::MAX).min(missing);
        if quantity > 0 {
            draws.push(Draw { line: want.line, site: SiteId::NOWHERE, quantity });
        }
        left -= u64::from(quantity);
        is_met &= quantity == missing;
    }
    is_met
}

#[cfg(test)]
mod tests {
    use super::super::ledger::{Account, Bucket};
    use super::*;
    use crate::base::SiteId;

    fn market(stock: &[(u32, u16, u64)]) -> Market {
        let mut market = Market::new("m");
        market.add_site("far", 5);
        market.add_site("near", 1);
        for (sku, site, units) in stock {
            let at = |bucket| Account { site: SiteId(*site), bucket };
            market.add_places(SkuId(*sku), SiteId(*site));
            market.ledger.transfer(SkuId(*sku), at(Bucket::Supplier), at(Bucket::Available), *units);
        }
        market
    }

    /// Line, site and units of every draw; SKU, asked and available of the shortfall.
    pub(super) type Planned = (Vec<(u16, u16, u32)>, Option<(u32, u64, u64)>);

    pub(super) fn plan(market: &Market, wants: &[(u32, u32)]) -> Planned {
        let mut plan = Plan::default();
        let wants =
            (0..).zip(wants).map(|(line, (sku, quantity))| Want { line, sku: SkuId(*sku), quantity: *quantity });
        let short =
            plan.make(market, wants, Beyond::Allowance).map(|short| (short.sku.0, short.asked, short.available));
        (plan.draws().iter().map(|draw| (draw.line, draw.site.0, draw.quantity)).collect(), short)
    }

    #[test]
    fn sites_give_in_rank_order_and_lines_in_line_order() {
        let market = market(&[(1, 1, 1), (1, 2, 9), (1, 3, 2), (2, 2, 1)]);
        let (draws, short) = plan(&market, &[(2, 1), (1, 2), (1, 3)]);
        assert_eq!(draws, [(0, 2, 1), (1, 1, 1), (1, 3, 1), (2, 3, 1), (2, 2, 2)]);
        assert_eq!(short, None);
    }

    #[test]
    fn lines_of_one_sku_never_count_a_unit_twice() {
        let market = market(&[(1, 1, 5), (2, 1, 0)]);
        let (draws, short) = plan(&market, &[(1, 3), (2, 1), (1, 3)]);
        assert_eq!(draws, [(0, 1, 3), (2, 1, 2)]);
        assert_eq!(short, Some((1, 6, 5)), "the first line in order names the SKU, all its lines together the units");
    }
}
