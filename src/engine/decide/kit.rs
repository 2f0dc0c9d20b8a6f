//! Defining a kit. It is born as one: a code that is a plain SKU's stays a plain SKU's.

use super::super::Engine;
use super::super::catalog::check_code;
use super::super::fact::Fact;
use super::super::kits::Component;
use super::super::refusal::{Field, Refusal};
use super::{Outcome, check_bounds, check_count, numbered, numbered_before};
use crate::base::limits::{KIT_COMPONENTS_MAX, KIT_UNITS_MAX, KITS_OF_COMPONENT_MAX, SKUS_MAX};
use crate::base::{MarketId, SkuId};

impl Engine {
    pub(super) fn define_kit<'s>(
        &self,
        id: MarketId,
        code: &'s str,
        components: &[Component],
        recipe: &'s mut Vec<Component>,
    ) -> Outcome<'s> {
        check_code(code)?;
        check_recipe(components, recipe)?;
        let market = self.market(id)?;
        if let Some(number) = market.skus.number(code) {
            let sku = SkuId(number);
            return match market.kits.recipe(sku) {
                Some(known) if **known == **recipe => Ok(numbered_before(number)),
                Some(_) => Err(Refusal::Conflict),
                None => Err(Refusal::NotAKit { sku }),
            };
        }
        for Component { sku, .. } in &*recipe {
            market.check_plain(*sku)?;
            let kits = market.kits.of_component(*sku).count();
            check_bounds(Field::KitsOfComponent, kits as u64 + 1, 0, KITS_OF_COMPONENT_MAX as u64)?;
        }
        check_count(market.skus.len(), SKUS_MAX, Field::Skus)?;
        if self.sku_count >= self.capacity.skus_max || self.kit_count >= self.capacity.kits_max {
            return Err(Refusal::AtCapacity);
        }
        let number = market.skus.next_number();
        Ok(numbered(number, Fact::KitDefined { market: id, sku: SkuId(number), code, components: recipe }))
    }
}

/// Looks whether this may be a recipe; fills `recipe` with it, by number of the component.
fn check_recipe(components: &[Component], recipe: &mut Vec<Component>) -> Result<(), Refusal> {
    check_bounds(Field::Components, components.len() as u64, 1, KIT_COMPONENTS_MAX as u64)?;
    for component in components {
        check_bounds(Field::KitUnits, component.units.into(), 1, KIT_UNITS_MAX.into())?;
    }
    recipe.clear();
    recipe.extend_from_slice(components);
    recipe.sort_unstable();
    let is_named_twice = recipe.windows(2).any(|pair| pair[0].sku == pair[1].sku);
    if is_named_twice { Err(Refusal::OutOfBounds { field: Field::Line, min: 0, max: 1 }) } else { Ok(()) }
}
