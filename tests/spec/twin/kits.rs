//! Kits in the twin: recipes, and what is in a kit wherever units are counted.

use std::collections::{BTreeMap, BTreeSet};

use stockade::base::limits::{KIT_COMPONENTS_MAX, KIT_LINES_MAX, KIT_PLANS_MAX, KIT_UNITS_MAX, KITS_OF_COMPONENT_MAX};
use stockade::base::{MarketId, SiteId, SkuId};
use stockade::engine::refusal::Field;
use stockade::engine::{Answer, Component, Line, Refusal};

use super::order::{Order, Unit};
use super::{Market, Twin, check_code, numbered, out_of_bounds};

impl Twin {
    pub(super) fn define_kit(
        &mut self,
        market: MarketId,
        code: &str,
        components: &[Component],
    ) -> Result<Answer, Refusal> {
        check_code(code)?;
        out_of_bounds_recipe(components).into_iter().next().map_or(Ok(()), Err)?;
        let recipes: usize = self.markets.values().map(|market| market.recipes.len()).sum();
        let has_room = self.sku_total() < self.capacity.skus_max && (recipes as u64) < self.capacity.kits_max;
        let market = self.market_mut(market)?;
        let recipe: BTreeMap<SkuId, u64> = components.iter().map(|part| (part.sku, part.units.into())).collect();
        if let Some(at) = market.skus.iter().position(|sku| sku == code) {
            let sku = SkuId(at as u32 + 1);
            return match market.recipes.get(&sku) {
                Some(known) if *known == recipe => Ok(numbered(at + 1, true)),
                Some(_) => Err(Refusal::Conflict),
                None => Err(Refusal::NotAKit { sku }),
            };
        }
        for sku in recipe.keys() {
            market.check_plain(*sku)?;
            let kits = market.recipes.values().filter(|recipe| recipe.contains_key(sku)).count();
            if kits == KITS_OF_COMPONENT_MAX {
                return Err(out_of_bounds(Field::KitsOfComponent, 0, KITS_OF_COMPONENT_MAX as u64));
            }
        }
        if !has_room {
            return Err(Refusal::AtCapacity);
        }
        market.skus.push(code.to_owned());
        market.recipes.insert(SkuId(market.skus.len() as u32), recipe);
        Ok(numbered(market.skus.len(), false))
    }

    /// What one of a SKU takes, if it is a kit.
    pub(crate) fn recipe(&self, market: MarketId, sku: SkuId) -> Vec<Component> {
        let recipe = self.markets[&market].recipes.get(&sku);
        let part = |(sku, units): (&SkuId, &u64)| Component { sku: *sku, units: *units as u32 };
        recipe.into_iter().flatten().map(part).collect()
    }

    /// Units for sale of a SKU, or how many of a kit.
    pub(crate) fn for_sale(&self, market: MarketId, sku: SkuId) -> u64 {
        self.markets[&market].for_sale(sku)
    }
}

impl Market {
    pub(super) fn check_plain(&self, sku: SkuId) -> Result<(), Refusal> {
        match self.has_sku(sku) {
            false => Err(Refusal::UnknownSku { sku }),
            true if self.recipes.contains_key(&sku) => Err(Refusal::IsKit { sku }),
            true => Ok(()),
        }
    }

    /// What one of a SKU takes: itself, unless it is a kit.
    pub(super) fn parts(&self, sku: SkuId) -> BTreeMap<SkuId, u64> {
        self.recipes.get(&sku).cloned().unwrap_or_else(|| BTreeMap::from([(sku, 1)]))
    }

    /// Units of a SKU in one of what a line names.
    pub(super) fn units_in(&self, line: SkuId, sku: SkuId) -> u64 {
        self.parts(line).get(&sku).copied().unwrap_or_default()
    }

    /// How often one of what a line names counts when somebody asks about a SKU: of a kit that is asked about, once.
    pub(super) fn counts_as(&self, line: SkuId, sku: SkuId) -> u64 {
        if line == sku { 1 } else { self.units_in(line, sku) }
    }

    /// Every unit of a SKU that an order names, alone or in a kit, as often as it is in there.
    pub(super) fn units_of<'o>(&self, order: &'o Order, sku: SkuId) -> impl Iterator<Item = &'o Unit> {
        let lines = order.asked.lines.iter().zip(&order.lines);
        let times = move |(line, units): (&Line, &'o Vec<Unit>)| (self.units_in(line.sku, sku), units);
        let lines: Vec<(u64, &Vec<Unit>)> = lines.map(times).collect();
        lines.into_iter().flat_map(|(times, units)| (0..times).flat_map(move |_| units))
    }

    /// How many of a kit could be taken now, one after the other.
    pub(super) fn kits_for_sale(&self, kit: SkuId) -> u64 {
        let mut left = self.left(&[kit]);
        let mut kits = 0;
        if self.is_waited_for(kit) {
            return 0;
        }
        while left.take(self, kit).is_some() {
            kits += 1;
        }
        kits
    }

    pub(super) fn check_kit_lines(&self, lines: &[Line]) -> Result<(), Refusal> {
        let kits = lines.iter().filter(|line| self.recipes.contains_key(&line.sku)).count();
        let most = KIT_LINES_MAX;
        if kits > most { Err(out_of_bounds(Field::KitLines, 0, most as u64)) } else { Ok(()) }
    }

    /// The site of every unit of every line: kits first, and first of all whoever was short of one; or, when somebody
    /// is short all the same, one line after the other. `owes` says whether what is missing may be owed.
    pub(super) fn choose_sites(&self, wanted: &[(SkuId, u32)], owes: bool) -> Vec<Vec<SiteId>> {
        let is_kit = |at: &usize| self.recipes.contains_key(&wanted[*at].0);
        let mut turns: Vec<usize> = (0..wanted.len()).filter(is_kit).collect();
        turns.extend((0..wanted.len()).filter(|at| !is_kit(at)));
        for _ in 0..KIT_PLANS_MAX {
            let sites = self.take_in_turn(wanted, &turns, owes);
            let is_short = |at: &usize| sites[*at].len() < wanted[*at].1 as usize;
            match turns.iter().position(is_short) {
                None => return sites,
                Some(turn) if turn > 0 && is_kit(&turns[turn]) => {
                    let first = turns.remove(turn);
                    turns.insert(0, first);
                }
                Some(_) => break,
            }
        }
        let in_order: Vec<usize> = (0..wanted.len()).collect();
        self.take_in_turn(wanted, &in_order, owes)
    }

    fn take_in_turn(&self, wanted: &[(SkuId, u32)], turns: &[usize], owes: bool) -> Vec<Vec<SiteId>> {
        let mut left = self.left(&wanted.iter().map(|(sku, _)| *sku).collect::<Vec<_>>());
        let mut owing: BTreeMap<SkuId, u64> = wanted.iter().map(|(sku, _)| (*sku, self.oversell_left(*sku))).collect();
        let mut sites = vec![Vec::new(); wanted.len()];
        for &at in turns {
            let (sku, quantity) = wanted[at];
            for _ in 0..quantity {
                let allowed = owing.get_mut(&sku).expect("entered above");
                // A kit that was put back is given to nobody else.
                let is_taken = self.recipes.contains_key(&sku) && self.is_waited_for(sku);
                match left.take(self, sku).filter(|_| !is_taken) {
                    Some(site) => sites[at].push(site),
                    None if owes && *allowed > 0 => {
                        *allowed -= 1;
                        sites[at].push(SiteId::NOWHERE);
                    }
                    None => break,
                }
            }
        }
        sites
    }

    fn left(&self, skus: &[SkuId]) -> Left {
        let parts: BTreeSet<SkuId> = skus.iter().flat_map(|sku| self.parts(*sku).into_keys()).collect();
        let mut left = Left { for_sale: BTreeMap::new(), at_sites: BTreeMap::new() };
        for sku in parts {
            left.for_sale.insert(sku, self.on_the_shelf(sku));
            for site in self.ranked_sites() {
                left.at_sites.insert((sku, site), self.available(sku, site));
            }
        }
        left
    }
}

/// Units that nobody has taken yet.
struct Left {
    for_sale: BTreeMap<SkuId, u64>,
    at_sites: BTreeMap<(SkuId, SiteId), u64>,
}

impl Left {
    /// Takes one of what is named from the first site that has all it takes.
    fn take(&mut self, market: &Market, sku: SkuId) -> Option<SiteId> {
        let parts = market.parts(sku);
        let has_all = |site: &SiteId| {
            parts.iter().all(|(part, units)| self.at_sites[&(*part, *site)] >= *units && self.for_sale[part] >= *units)
        };
        let site = market.ranked_sites().into_iter().find(has_all)?;
        for (part, units) in parts {
            *self.for_sale.get_mut(&part).expect("it was just there") -= units;
            *self.at_sites.get_mut(&(part, site)).expect("it was just there") -= units;
        }
        Some(site)
    }
}

/// Everything about a recipe that is outside its bounds.
pub(super) fn out_of_bounds_recipe(components: &[Component]) -> Vec<Refusal> {
    let mut wrong = Vec::new();
    let mut check = |is_wrong: bool, field, min, max| {
        if is_wrong {
            wrong.push(out_of_bounds(field, min, max));
        }
    };
    let most = KIT_COMPONENTS_MAX;
    check(!(1..=most).contains(&components.len()), Field::Components, 1, most as u64);
    let units = 1..=KIT_UNITS_MAX;
    check(components.iter().any(|part| !units.contains(&part.units)), Field::KitUnits, 1, KIT_UNITS_MAX.into());
    let mut named = BTreeSet::new();
    check(components.iter().any(|part| !named.insert(part.sku)), Field::Line, 0, 1);
    wrong
}
