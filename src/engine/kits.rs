//! Kits: SKUs that are sold and never stocked. A kit is so many units of each of its components, taken together.
//!
//! ```text
//! kit ─ recipe ─► component x units …      what an order of n kits takes at a site: n x units of each, there
//! component ─ kits of it ─► kit …          what to tell again when units of a component moved
//! ```
//!
//! # Always true
//! - A kit is born with its recipe, which never changes: what was sold before is what is handed over and comes back.
//! - A component is a plain SKU, and a kit is no component: recipes never lead to further recipes.
//! - A kit has no units in any bucket and neither safety stock nor oversell allowance. It is owed only to orders that
//!   were put back.
//! # Not here
//! - Which site gives whole kits: `routing::kits`. Whether a recipe may be one: `decide::kit`.
//! # Why so
//! Every order asks of every line whether its SKU is a kit, so that is one bit; whatever else there is to know is
//! looked up for kits alone.

use std::collections::BTreeSet;
use std::sync::Arc;

use hashbrown::HashMap;

use crate::base::SkuId;
use crate::base::limits::{KIT_UNITS_MAX, KITS_OF_COMPONENT_MAX};

/// So many units of a SKU in one kit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Component {
    /// What.
    pub sku: SkuId,
    /// Units, 1 to [`KIT_UNITS_MAX`](crate::base::limits::KIT_UNITS_MAX).
    pub units: u32,
}

/// The kits of a market.
#[derive(Debug, Default)]
pub(super) struct Kits {
    /// One bit a SKU number; as long as the highest kit needs.
    bits: Vec<u64>,
    recipes: HashMap<SkuId, Arc<[Component]>, foldhash::fast::RandomState>,
    /// Every component with every kit of it.
    of_component: BTreeSet<(SkuId, SkuId)>,
}

impl Kits {
    /// Whether there is none.
    #[inline]
    pub(super) const fn is_empty(&self) -> bool {
        self.bits.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.recipes.len()
    }

    /// Whether a SKU is a kit.
    #[inline]
    pub(super) fn is_kit(&self, sku: SkuId) -> bool {
        self.bits.get(sku.0 as usize / 64).is_some_and(|word| word >> (sku.0 % 64) & 1 == 1)
    }

    /// What a kit is made of, by number of the component; `None` of a plain SKU.
    pub(super) fn recipe(&self, sku: SkuId) -> Option<&Arc<[Component]>> {
        if self.is_kit(sku) { self.recipes.get(&sku) } else { None }
    }

    /// Every kit with its recipe, by number.
    pub(super) fn iter(&self) -> impl Iterator<Item = (SkuId, &[Component])> {
        let kits = (0..).map(SkuId).take(64 * self.bits.len());
        kits.filter_map(|sku| Some((sku, self.recipe(sku)?.as_ref())))
    }

    /// The kits that a SKU is a component of, by number.
    pub(super) fn of_component(&self, sku: SkuId) -> impl Iterator<Item = SkuId> {
        self.of_component.range((sku, SkuId(0))..=(sku, SkuId(u32::MAX))).map(|(_, kit)| *kit)
    }

    /// Units of a component in one unit of what a line names: 1 of the SKU itself, zero of what is not in it.
    pub(super) fn units_in(&self, line: SkuId, component: SkuId) -> u32 {
        match self.recipe(line) {
            None => u32::from(line == component),
            Some(recipe) => {
                let at = recipe.binary_search_by_key(&component, |part| part.sku);
                at.map_or(0, |at| recipe[at].units)
            }
        }
    }

    /// Units in one unit of what a line names, all components together.
    pub(super) fn units_of(&self, line: SkuId) -> u64 {
        self.recipe(line).map_or(1, |recipe| recipe.iter().map(|part| u64::from(part.units)).sum())
    }

    /// Whether a kit that an image names may be one, beside those that are there. Its SKUs were looked at before.
    pub(super) fn may_add(&self, kit: SkuId, recipe: &[Component]) -> bool {
        let may_be = |part: &Component| {
            let has_room = self.of_component(part.sku).count() < KITS_OF_COMPONENT_MAX;
            part.sku != kit && has_room && (1..=KIT_UNITS_MAX).contains(&part.units)
        };
        let is_sorted = recipe.is_sorted_by(|one, other| one.sku < other.sku);
        let is_component = self.of_component(kit).next().is_some();
        !is_component && !recipe.is_empty() && is_sorted && recipe.iter().all(may_be)
    }

    /// Adds a kit. `recipe` is sorted by component.
    pub(super) fn insert(&mut self, kit: SkuId, recipe: &[Component]) {
        let word = kit.0 as usize / 64;
        if self.bits.len() <= word {
            self.bits.resize(word + 1, 0);
        }
        self.bits[word] |= 1 << (kit.0 % 64);
        self.of_component.extend(recipe.iter().map(|part| (part.sku, kit)));
        self.recipes.insert(kit, recipe.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recipe_is_found_from_both_ends() {
        let part = |sku, units| Component { sku: SkuId(sku), units };
        let mut kits = Kits::default();
        assert!(kits.is_empty() && !kits.is_kit(SkuId(70)) && kits.of_component(SkuId(1)).next().is_none());
        kits.insert(SkuId(70), &[part(1, 2), part(5, 1)]);
        kits.insert(SkuId(64), &[part(5, 3)]);
        assert_eq!(
            (kits.len(), kits.is_kit(SkuId(70)), kits.is_kit(SkuId(6)), kits.is_kit(SkuId(500))),
            (2, true, false, false)
        );
        assert!(kits.of_component(SkuId(5)).eq([SkuId(64), SkuId(70)]));
        let all: Vec<_> = kits.iter().collect();
        assert_eq!(all, [(SkuId(64), &[part(5, 3)][..]), (SkuId(70), &[part(1, 2), part(5, 1)])]);
        assert_eq!(kits.recipe(SkuId(5)), None);
        let units = |line, component| kits.units_in(SkuId(line), SkuId(component));
        assert_eq!(
            [units(70, 1), units(70, 5), units(70, 70), units(70, 2), units(5, 5), units(5, 1)],
            [2, 1, 0, 0, 1, 0]
        );
        assert_eq!((kits.units_of(SkuId(70)), kits.units_of(SkuId(5))), (3, 1));
    }
}
