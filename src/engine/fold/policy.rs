//! Folding policies and caps of channels, and what is held of SKUs where customers or channels are counted.

use super::super::Engine;
use super::super::policy::{Counted, Policy};
use super::market_of;
use crate::base::{MarketId, OrderId, SkuId};

/// Units of an order by line, as far as they are counted; see [`Engine::held_units`].
pub(in crate::engine) type Held = Vec<HeldLine>;

/// What is counted of a line; nothing where nobody counts it.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::engine) struct HeldLine {
    sku: SkuId,
    of_customer: u64,
    of_channel: u64,
}

impl Engine {
    pub(super) fn fold_policy_set(&mut self, id: MarketId, sku: SkuId, policy: Policy) {
        let market = market_of(&mut self.markets, id);
        let (next, policies) = (market.next_number(), market.policies.len());
        let more = market.policies.change(sku, |rule| rule.set(policy, next));
        self.customer_counts = self.customer_counts.wrapping_add_signed(more);
        self.policy_count = self.policy_count + market.policies.len() as u64 - policies as u64;
        // What is for sale of it may have changed although no unit moved.
        market.ledger.moved.note(sku);
        market.gather(sku);
        self.list_fills(id);
    }

    pub(super) fn fold_channel_cap_set(&mut self, id: MarketId, key: (SkuId, u16), units_max: Option<u32>) {
        let market = market_of(&mut self.markets, id);
        let next = market.next_number();
        let more = market.policies.change_caps(|caps| caps.set(key, units_max, next));
        self.channel_cap_count = self.channel_cap_count.wrapping_add_signed(more);
    }

    /// Counts what a new order holds.
    #[inline(never)]
    pub(super) fn count_placed(&mut self, order: OrderId, position: u32) {
        let [before, mut after] = std::mem::take(&mut self.held);
        self.held_units(order, position, &mut after);
        self.count_units(order, position, &Held::new(), &after);
        self.held = [before, after];
    }

    /// Units of each line of whose SKU customers or the order's channel are counted, and of what is in the kits of a
    /// line: owed, reserved, committed or handed over. What came back is counted no more only of customers, and only
    /// if the policy says so.
    pub(super) fn held_units(&self, order: OrderId, position: u32, held: &mut Held) {
        held.clear();
        let Ok(market) = self.market(order.market()) else { return };
        let record = self.orders.record(position);
        for (line, units) in self.orders.lines(record).iter().zip(self.orders.line_units(record)) {
            let parts = market.kits.recipe(line.sku).into_iter().flat_map(|recipe| recipe.iter());
            let parts = parts.map(|part| (part.sku, u64::from(part.units)));
            for (sku, each) in core::iter::once((line.sku, 1)).chain(parts) {
                let rule = market.policies.rule(sku).filter(|rule| rule.policy.counts());
                let cap = market.policies.caps().get(sku, record.channel);
                if rule.is_some() || cap.is_some() {
                    let of_customer = rule.map_or(0, |rule| each * rule.policy.counted(&units));
                    held.push(HeldLine { sku, of_customer, of_channel: cap.map_or(0, |_| each * units.sold()) });
                }
            }
        }
    }

    /// Counts what changed since `before`, line by line; `before` of a new order is empty.
    pub(super) fn count_units(&mut self, order: OrderId, position: u32, before: &Held, after: &Held) {
        let record = self.orders.record(position);
        let hashes = self.orders.extra(record).and_then(|extra| extra.hashes);
        let (customer, number, accepted_at, channel) =
            (record.customer, record.number, record.accepted_at, record.channel);
        let market = market_of(&mut self.markets, order.market());
        for (at, after) in after.iter().enumerate() {
            let before = before.get(at).copied().unwrap_or_default();
            if before.of_channel != after.of_channel {
                let units = (before.of_channel, after.of_channel);
                market.policies.caps_mut().move_units(after.sku, channel, number, units);
            }
            if before.of_customer != after.of_customer {
                let (before, held) = (before.of_customer, after.of_customer);
                let counted = Counted { number, accepted_at, before, after: held };
                let more = market.policies.change(after.sku, |rule| {
                    let keys = rule.policy.keys(customer, hashes);
                    rule.move_units(keys, &counted);
                });
                self.customer_counts = self.customer_counts.wrapping_add_signed(more);
            }
        }
    }
}
