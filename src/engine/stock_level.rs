//! Stock levels: telling that what is for sale of a SKU came to be little, or nothing, or enough again.
//!
//! ```text
//! take_for_sale ─► level other than told last ─► crossed ─► still other? ─► StockLevelChanged
//! ```
//!
//! # Always true
//! - What was told last is part of the state, so a crossing is told once, whoever recovers: to begin with, everything
//!   counts as moved.
//! # Not here
//! - What is little: `policy`.
//! # Why so
//! Levels are compared at the end of a turn and told in a later one: what crossed and crossed back in between is news
//! to nobody, and a turn tells a bounded number.

use std::collections::BTreeSet;

use super::Engine;
use super::fact::Fact;
use crate::base::limits::STOCK_LEVELS_PER_TURN_MAX;
use crate::base::{MarketId, SkuId};

/// SKUs whose level was not what was told last when somebody looked, each once. No part of the state.
pub(super) type Crossed = BTreeSet<(MarketId, SkuId)>;

impl Engine {
    /// Whether [`Engine::next_stock_level`] may give something. Says yes too often rather than too rarely.
    #[must_use]
    pub fn has_stock_levels(&self) -> bool {
        !self.crossed.is_empty()
    }

    /// The next crossing to be told. Fold it, then ask again. Looks at a bounded number of SKUs, so there may be more
    /// to tell although it gives nothing.
    pub fn next_stock_level(&mut self) -> Option<Fact<'static>> {
        for _ in 0..STOCK_LEVELS_PER_TURN_MAX {
            let (id, sku) = self.crossed.pop_first()?;
            let market = self.market(id).expect("law: a SKU is of a market");
            let for_sale = market.for_sale(sku);
            let crossed = market.policies.rule(sku).filter(|rule| rule.policy.level(for_sale) != rule.level);
            if let Some(rule) = crossed {
                let level = rule.policy.level(for_sale);
                return Some(Fact::StockLevelChanged { market: id, sku, level, for_sale });
            }
        }
        None
    }
}
