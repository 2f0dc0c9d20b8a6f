//! Folding policies, and what customers hold of SKUs whose policy counts them.

use super::super::Engine;
use super::super::policy::{Counted, Policy};
use super::market_of;
use crate::base::{MarketId, OrderId, SkuId};

/// Units of an order by line, as far as they are counted; see [`Engine::held_units`].
pub(in crate::engine) type Held = Vec<(SkuId, u64)>;

impl Engine {
    pub(super) fn fold_policy_set(&mut self, id: MarketId, sku: SkuId, policy: Policy) {
        let market = market_of(&mut self.markets, id);
        let next = market.next_number();
        let more = market.policies.change(sku, |rule| rule.set(policy, next));
        self.customer_counts = self.customer_counts.wrapping_add_signed(more);
        // What is for sale of it may have changed although no unit moved.
        market.ledger.moved.note(sku);
        market.gather(sku);
        self.list_fills(id);
    }

    /// Counts what a new order holds.
    #[inline(never)]
    pub(super) fn count_placed(&mut self, order: OrderId, position: u32) {
        let [before, mut after] = std::mem::take(&mut self.held);
        self.held_units(order, position, &mut after);
        self.count_units(order, position, &Held::new(), &after);
        self.held = [before, after];
    }

    /// Units of each line whose SKU's policy counts customers, and of what is in the kits of a line: owed, reserved,
    /// committed or handed over, and what came back only if the policy says so.
    pub(super) fn held_units(&self, order: OrderId, position: u32, held: &mut Held) {
        held.clear();
        let Ok(market) = self.market(order.market()) else { return };
        let record = self.orders.record(position);
        for (line, units) in self.orders.lines(record).iter().zip(self.orders.line_units(record)) {
            if let Some(rule) = market.policies.rule(line.sku).filter(|rule| rule.policy.counts()) {
                held.push((line.sku, rule.policy.counted(&units)));
            }
            for part in market.kits.recipe(line.sku).into_iter().flat_map(|recipe| recipe.iter()) {
                if let Some(rule) = market.policies.rule(part.sku).filter(|rule| rule.policy.counts()) {
                    held.push((part.sku, rule.policy.counted(&units) * u64::from(part.units)));
                }
            }
        }
    }

    /// Counts what changed since `before`, line by line; `before` of a new order is empty.
    pub(super) fn count_units(&mut self, order: OrderId, position: u32, before: &Held, after: &Held) {
        let record = self.orders.record(position);
        let hashes = self.orders.extra(record).and_then(|extra| extra.hashes);
        let (customer, number, accepted_at) = (record.customer, record.number, record.accepted_at);
        let market = market_of(&mut self.markets, order.market());
        for (at, (sku, after)) in after.iter().enumerate() {
            let before = before.get(at).map_or(0, |(_, before)| *before);
            if before != *after {
                let counted = Counted { number, accepted_at, before, after: *after };
                let more = market.policies.change(*sku, |rule| {
                    let keys = rule.policy.keys(customer, hashes);
                    rule.move_units(keys, &counted);
                });
                self.customer_counts = self.customer_counts.wrapping_add_signed(more);
            }
        }
    }
}
