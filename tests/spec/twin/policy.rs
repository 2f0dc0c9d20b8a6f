//! Policies in the twin: what a customer has is counted over all orders there ever were, each time anew.

use std::collections::BTreeSet;

use stockade::base::limits::{LINE_QUANTITY_MAX, STOCK_UNITS_MAX};
use stockade::base::{MarketId, OrderNumber, SkuId, Timestamp};
use stockade::engine::refusal::Field;
use stockade::engine::{Answer, Place, Policy, Refusal, StockLevel};

use super::order::{Asked, Fate, Order};
use super::{Market, Twin, out_of_bounds};

/// A policy, and from which order on each of its limits counts.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Rule {
    pub(super) policy: Policy,
    held_from: OrderNumber,
    day_from: OrderNumber,
    /// What was told of its stock last.
    told: StockLevel,
}

/// Which of the four, and its value.
type Key = (usize, u128);

impl Twin {
    pub(super) fn set_policy(&mut self, market: MarketId, sku: SkuId, policy: Policy) -> Result<Answer, Refusal> {
        out_of_bounds_policy(policy).into_iter().next().map_or(Ok(()), Err)?;
        let kept: u64 = self.markets.values().map(|market| market.policies.len() as u64).sum();
        let max = self.capacity.policies_max;
        let market = self.market_mut(market)?;
        if !market.has_sku(sku) {
            return Err(Refusal::UnknownSku { sku });
        }
        if market.recipes.contains_key(&sku) && (policy.safety_stock > 0 || policy.oversell_max > 0) {
            return Err(Refusal::IsKit { sku });
        }
        let next = OrderNumber(market.placed().count() as u64 + 1);
        let before = market.rule(sku);
        if before.policy == policy {
            return Ok(Answer::Set { repeated: true });
        }
        if !market.policies.contains_key(&sku) && kept >= max {
            return Err(out_of_bounds(Field::Policies, 0, max));
        }
        let mut rule = Rule { policy, ..before };
        let was = before.policy;
        if policy.low_stock == 0 {
            rule.told = StockLevel::Enough;
        }
        let counts_other = was.by_hashes != policy.by_hashes || was.returns_give_back != policy.returns_give_back;
        if counts_other || (was.customer_max > 0) != (policy.customer_max > 0) {
            rule.held_from = next;
        }
        let other_days = was.day_begins_min != policy.day_begins_min;
        if counts_other || other_days || (was.customer_day_max > 0) != (policy.customer_day_max > 0) {
            rule.day_from = next;
        }
        if policy == Policy::default() {
            market.policies.remove(&sku);
        } else {
            market.policies.insert(sku, rule);
        }
        market.give_up_shelf(sku);
        Ok(Answer::Set { repeated: false })
    }

    /// Every SKU of which another level has to be told than was told last, with its units for sale; they are told now.
    pub(crate) fn tell_levels(&mut self) -> Vec<(MarketId, SkuId, StockLevel, u64)> {
        let mut told = Vec::new();
        for (id, market) in &mut self.markets {
            let telling = market.policies.iter().filter(|(_, rule)| rule.policy.low_stock > 0);
            let telling: Vec<SkuId> = telling.map(|(sku, _)| *sku).collect();
            for sku in telling {
                let for_sale = market.for_sale(sku);
                let rule = market.policies.get_mut(&sku).expect("it was just found");
                let level = match for_sale {
                    0 => StockLevel::Out,
                    units if units <= rule.policy.low_stock => StockLevel::Low,
                    _ => StockLevel::Enough,
                };
                if std::mem::replace(&mut rule.told, level) != level {
                    told.push((*id, sku, level, for_sale));
                }
            }
        }
        told
    }

    pub(crate) fn policy(&self, market: MarketId, sku: SkuId) -> Policy {
        self.markets[&market].rule(sku).policy
    }

    /// Holds a placement against the policies of its SKUs.
    pub(super) fn check_policies(&self, market: &Market, place: &Place<'_>, now: Timestamp) -> Result<(), Refusal> {
        let asked = Asked::of(place);
        let skus = place.lines.iter().flat_map(|line| market.parts(line.sku).into_keys().chain([line.sku]));
        let skus: BTreeSet<SkuId> = skus.collect();
        let mut new = 0;
        for sku in skus {
            let policy = market.rule(sku).policy;
            let lines = place.lines.iter().filter(|line| line.sku == sku);
            let (named, units) = (lines.clone().count(), lines.map(|line| u64::from(line.quantity)).sum::<u64>());
            let (min, max) = (u64::from(policy.order_min), u64::from(policy.order_max));
            if named > 0 && (units < min || (max > 0 && units > max)) {
                return Err(Refusal::OrderLimit { sku, min, max });
            }
            let all = place.lines.iter().map(|line| market.counts_as(line.sku, sku) * u64::from(line.quantity));
            let units = all.sum();
            market.check_customer(sku, units, &asked, now)?;
            market.check_channel(place.channel, sku, units)?;
            if policy.customer_max > 0 || policy.customer_day_max > 0 {
                let known = market.counted(sku);
                new += keys(policy, &asked).into_iter().filter(|key| !known.contains(key)).count() as u64;
            }
        }
        let all = self.customer_counts();
        if new > 0 && all + new > self.capacity.customers_max { Err(Refusal::AtCapacity) } else { Ok(()) }
    }

    /// Counts of customers of all SKUs.
    pub(super) fn customer_counts(&self) -> u64 {
        let counted =
            |market: &Market| market.policies.keys().map(|sku| market.counted(*sku).len() as u64).sum::<u64>();
        self.markets.values().map(counted).sum()
    }
}

impl Market {
    pub(super) fn rule(&self, sku: SkuId) -> Rule {
        self.policies.get(&sku).copied().unwrap_or_default()
    }

    /// Units of one SKU that are there to be sold, all sites together.
    pub(super) fn on_the_shelf(&self, sku: SkuId) -> u64 {
        self.available_anywhere(sku).saturating_sub(self.rule(sku).policy.safety_stock)
    }

    /// Units of one SKU that may still be sold without being there.
    pub(super) fn oversell_left(&self, sku: SkuId) -> u64 {
        self.rule(sku).policy.oversell_max.saturating_sub(self.owed(sku))
    }

    pub(super) fn for_sale(&self, sku: SkuId) -> u64 {
        if self.recipes.contains_key(&sku) {
            return self.kits_for_sale(sku);
        }
        self.on_the_shelf(sku) + self.oversell_left(sku)
    }

    /// Whether a customer may have so many units more, in an order accepted at this moment.
    pub(super) fn check_customer(&self, sku: SkuId, units: u64, who: &Asked, at: Timestamp) -> Result<(), Refusal> {
        let rule = self.rule(sku);
        let keys = keys(rule.policy, who);
        let most = |count: &dyn Fn(Key) -> u64| keys.iter().map(|key| count(*key)).max().unwrap_or(0);
        let held = most(&|key| self.held(sku, key));
        // Of days before the newest nothing is known any more.
        let on = day(rule.policy, at);
        let today = if on == self.newest_day(sku) { most(&|key| self.bought_on(sku, key, on)) } else { 0 };
        for (max, has, daily) in [(rule.policy.customer_max, held, false), (rule.policy.customer_day_max, today, true)]
        {
            let left = u64::from(max).saturating_sub(has);
            if max > 0 && units > left {
                return Err(Refusal::CustomerLimit { sku, max: u64::from(max), left, daily });
            }
        }
        Ok(())
    }

    fn held(&self, sku: SkuId, key: Key) -> u64 {
        let rule = self.rule(sku);
        let has = |order| self.has(order, sku, rule.policy);
        let counts = |order: &&Order| order.number >= rule.held_from && keys(rule.policy, &order.asked).contains(&key);
        if rule.policy.customer_max == 0 { 0 } else { self.placed().filter(counts).map(has).sum() }
    }

    fn bought_on(&self, sku: SkuId, key: Key, on: i64) -> u64 {
        let rule = self.rule(sku);
        let counts = |order: &&Order| {
            order.number >= rule.day_from
                && day(rule.policy, order.accepted_at) == on
                && keys(rule.policy, &order.asked).contains(&key)
        };
        let limited = rule.policy.customer_day_max > 0;
        let has = |order| self.has(order, sku, rule.policy);
        if limited { self.placed().filter(counts).map(has).sum() } else { 0 }
    }

    /// The newest day on which somebody placed an order of a SKU.
    fn newest_day(&self, sku: SkuId) -> i64 {
        let rule = self.rule(sku);
        let of_sku = |order: &&Order| order.asked.lines.iter().any(|line| self.counts_as(line.sku, sku) > 0);
        let by_day = self.placed().filter(of_sku).filter(|order| order.number >= rule.day_from);
        by_day.map(|order| day(rule.policy, order.accepted_at)).max().unwrap_or(0)
    }

    /// The customers of whom something is counted: what they hold, or what they bought on the newest day of all.
    pub(super) fn counted(&self, sku: SkuId) -> BTreeSet<Key> {
        let (rule, newest) = (self.rule(sku), self.newest_day(sku));
        let everybody: BTreeSet<Key> = self.placed().flat_map(|order| keys(rule.policy, &order.asked)).collect();
        let counts = |key: &Key| self.held(sku, *key) > 0 || self.bought_on(sku, *key, newest) > 0;
        everybody.into_iter().filter(counts).collect()
    }

    /// Units of a SKU that an order is owed, holds or has handed over, by themselves or in kits.
    fn has(&self, order: &Order, sku: SkuId, policy: Policy) -> u64 {
        let mut sum = 0;
        for (line, units) in order.asked.lines.iter().zip(&order.lines) {
            let counted =
                units.iter().filter(|unit| matches!(unit.fate, Fate::Reserved | Fate::Committed | Fate::Shipped));
            let counted = counted.filter(|unit| !policy.returns_give_back || unit.returned_to.is_none());
            sum += self.counts_as(line.sku, sku) * counted.count() as u64;
        }
        sum
    }
}

fn keys(policy: Policy, who: &Asked) -> Vec<Key> {
    let mut keys = vec![(0, who.customer.0)];
    if let Some(hashes) = who.hashes.filter(|_| policy.by_hashes) {
        keys.extend([(1, hashes.account.into()), (2, hashes.address.into()), (3, hashes.instrument.into())]);
    }
    keys.retain(|(_, key)| *key != 0);
    keys
}

fn day(policy: Policy, at: Timestamp) -> i64 {
    (at.ms().cast_signed() - i64::from(policy.day_begins_min) * 60_000).div_euclid(24 * 3_600_000)
}

/// Every field of a policy that is outside its bounds.
pub(super) fn out_of_bounds_policy(policy: Policy) -> Vec<Refusal> {
    let most = u64::from(LINE_QUANTITY_MAX);
    let least = if policy.order_max == 0 { 0 } else { u64::from(policy.order_min) };
    let fields = [
        (Field::SafetyStock, policy.safety_stock, 0, STOCK_UNITS_MAX),
        (Field::OversellMax, policy.oversell_max, 0, STOCK_UNITS_MAX),
        (Field::LowStock, policy.low_stock, 0, STOCK_UNITS_MAX),
        (Field::OrderMin, policy.order_min.into(), 0, most),
        (Field::OrderMax, policy.order_max.into(), least, most),
        (Field::DayBegins, policy.day_begins_min.into(), 0, 1_439),
    ];
    let wrong = fields.into_iter().filter(|(_, value, min, max)| value < min || value > max);
    wrong.map(|(field, _, min, max)| out_of_bounds(field, min, max)).collect()
}
