//! What a shop lets be sold: setting it, and holding a placement against it.

use super::super::Engine;
use super::super::answer::Answer;
use super::super::command::{Edit, IdentityHashes, Place};
use super::super::fact::Fact;
use super::super::market::Market;
use super::super::orders::Record;
use super::super::policy::{Policy, Rule};
use super::super::refusal::{Field, Refusal};
use super::{Decision, Outcome, check_bounds};
use crate::base::limits::{CHANNEL_CAPS_MAX, LINE_QUANTITY_MAX, STOCK_UNITS_MAX};
use crate::base::{CustomerKey, MarketId, SkuId, Timestamp};

/// Units that somebody wants of SKUs with a policy.
pub(super) type Sums = Vec<Sum>;

/// Units of one SKU that somebody wants, all lines together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sum {
    sku: SkuId,
    /// Of lines that name it; `None` when none does.
    named: Option<u64>,
    /// Those, and what is in kits that lines name.
    all: u64,
}

impl Sum {
    fn named(&self) -> u64 {
        self.named.unwrap_or_default()
    }
}

/// Whose order it is.
type Who = (CustomerKey, Option<IdentityHashes>);

impl Engine {
    pub(super) fn set_policy<'s>(&self, market: MarketId, sku: SkuId, policy: Policy) -> Outcome<'s> {
        let Policy { safety_stock, order_min, order_max, day_begins_min, oversell_max, low_stock, .. } = policy;
        let most = u64::from(LINE_QUANTITY_MAX);
        check_bounds(Field::SafetyStock, safety_stock, 0, STOCK_UNITS_MAX)?;
        check_bounds(Field::OversellMax, oversell_max, 0, STOCK_UNITS_MAX)?;
        check_bounds(Field::LowStock, low_stock, 0, STOCK_UNITS_MAX)?;
        check_bounds(Field::OrderMin, order_min.into(), 0, most)?;
        let least = if order_max == 0 { 0 } else { u64::from(order_min) };
        check_bounds(Field::OrderMax, order_max.into(), least, most)?;
        check_bounds(Field::DayBegins, day_begins_min.into(), 0, 24 * 60 - 1)?;
        let known = self.market(market)?;
        known.check_sku(sku)?;
        if known.kits.is_kit(sku) && (safety_stock > 0 || oversell_max > 0) {
            return Err(Refusal::IsKit { sku });
        }
        if known.policy(sku) == policy {
            return Ok(Decision::Repeated(Answer::Set { repeated: true }));
        }
        let max = self.capacity.policies_max;
        if known.policies.rule(sku).is_none() && self.policy_count >= max {
            return Err(Refusal::OutOfBounds { field: Field::Policies, min: 0, max });
        }
        let fact = Fact::PolicySet { market, sku, policy };
        Ok(Decision::Happened { fact, answer: Answer::Set { repeated: false } })
    }

    pub(super) fn set_channel_cap<'s>(
        &self,
        market: MarketId,
        sku: SkuId,
        channel: u16,
        units_max: Option<u32>,
    ) -> Outcome<'s> {
        check_bounds(Field::Channel, channel.into(), 1, u16::MAX.into())?;
        let known = self.market(market)?;
        known.check_sku(sku)?;
        let cap = known.policies.caps().get(sku, channel);
        if cap.map(|cap| cap.units_max) == units_max {
            return Ok(Decision::Repeated(Answer::Set { repeated: true }));
        }
        if cap.is_none() && self.channel_cap_count >= CHANNEL_CAPS_MAX {
            return Err(Refusal::OutOfBounds { field: Field::ChannelCaps, min: 0, max: CHANNEL_CAPS_MAX });
        }
        let fact = Fact::ChannelCapSet { market, sku, channel, units_max };
        Ok(Decision::Happened { fact, answer: Answer::Set { repeated: false } })
    }

    /// Holds a placement against the policies of what it asks. Not to be called where there are none: it would be in
    /// the way of placements that have nothing to do with it.
    #[inline(never)]
    pub(super) fn check_policies(
        &self,
        market: &Market,
        place: &Place<'_>,
        now: Timestamp,
        sums: &mut Sums,
    ) -> Result<(), Refusal> {
        sum_up(market, place.lines.iter().map(|line| (line.sku, line.quantity)), place.channel, sums);
        let mut customers = 0;
        for Sum { sku, named, all } in sums.iter().copied() {
            if let Some(rule) = market.policies.rule(sku) {
                named.map_or(Ok(()), |asked| check_order(sku, asked, &rule.policy))?;
                check_customer((sku, all), rule, (place.customer, place.hashes), now)?;
                let keys = rule.policy.keys(place.customer, place.hashes);
                customers += if rule.policy.counts() { keys.filter(|key| !rule.is_counted(*key)).count() } else { 0 };
            }
            check_channel((sku, all), market, place.channel)?;
        }
        let fits = customers == 0 || self.customer_counts + customers as u64 <= self.capacity.customers_max;
        if fits { Ok(()) } else { Err(Refusal::AtCapacity) }
    }

    /// Holds what an edit adds against policies: of an order's limits what it has of a SKU then, of a customer's and a
    /// channel's what it has more of it.
    #[inline(never)]
    pub(super) fn check_edit_policies(
        &self,
        market: &Market,
        record: &Record,
        edit: Edit<'_>,
        sums: &mut Sums,
    ) -> Result<(), Refusal> {
        let (lines, channel) = (self.orders.lines(record), record.channel);
        let who = (record.customer, self.orders.extra(record).and_then(|extra| extra.hashes));
        let (mut had, mut removed) = (Sums::new(), Sums::new());
        let sold = lines.iter().zip(self.orders.line_units(record));
        sum_up(market, sold.map(|(line, units)| (line.sku, units.sold() as u32)), channel, &mut had);
        let less = edit.remove.iter().map(|asked| (lines[usize::from(asked.line)].sku, asked.quantity));
        sum_up(market, less, channel, &mut removed);
        sum_up(market, edit.add.iter().map(|line| (line.sku, line.quantity)), channel, sums);
        let mut customers = 0;
        for Sum { sku, named, all } in sums.iter().copied() {
            let of = |sums: &Sums| {
                let at = sums.binary_search_by_key(&sku, |sum| sum.sku);
                at.map_or((0, 0), |at| (sums[at].named(), sums[at].all))
            };
            let ((had, _), (named_less, less)) = (of(&had), of(&removed));
            let more = all.saturating_sub(less);
            if let Some(rule) = market.policies.rule(sku) {
                named.map_or(Ok(()), |asked| check_order(sku, had + asked - named_less, &rule.policy))?;
                if more > 0 {
                    check_customer((sku, more), rule, who, record.accepted_at)?;
                }
                let is_counted = rule.policy.counts() && rule.counts_order(record.number, record.accepted_at);
                let keys = rule.policy.keys(who.0, who.1).filter(|key| is_counted && !rule.is_counted(*key));
                customers += keys.count();
            }
            if more > 0 {
                check_channel((sku, more), market, channel)?;
            }
        }
        let fits = customers == 0 || self.customer_counts + customers as u64 <= self.capacity.customers_max;
        if fits { Ok(()) } else { Err(Refusal::AtCapacity) }
    }

    /// The first SKU of which a customer may not have so many units more, accepted at `accepted_at`, or a channel not
    /// sell them.
    pub(super) fn over_limit(
        &self,
        market: &Market,
        lines: impl Iterator<Item = (SkuId, u32)>,
        (who, channel): (Who, u16),
        accepted_at: Timestamp,
        sums: &mut Sums,
    ) -> Option<SkuId> {
        if !market.policies.counts() {
            return None;
        }
        sum_up(market, lines, channel, sums);
        let over = |sum: &&Sum| {
            let rule = market.policies.rule(sum.sku);
            rule.is_some_and(|rule| check_customer((sum.sku, sum.all), rule, who, accepted_at).is_err())
                || check_channel((sum.sku, sum.all), market, channel).is_err()
        };
        sums.iter().find(over).map(|sum| sum.sku)
    }
}

/// Units of every SKU with a policy, or a cap of this channel.
fn sum_up(market: &Market, lines: impl Iterator<Item = (SkuId, u32)>, channel: u16, sums: &mut Sums) {
    let has_rule = |sku| market.policies.rule(sku).is_some() || market.policies.caps().get(sku, channel).is_some();
    sums.clear();
    for (sku, units) in lines {
        let units = u64::from(units);
        if has_rule(sku) {
            sums.push(Sum { sku, named: Some(units), all: units });
        }
        let parts = market.kits.recipe(sku).into_iter().flat_map(|recipe| recipe.iter());
        sums.extend(parts.filter(|part| has_rule(part.sku)).map(|part| Sum {
            sku: part.sku,
            named: None,
            all: units * u64::from(part.units),
        }));
    }
    sums.sort_unstable_by_key(|sum| sum.sku);
    sums.dedup_by(|next, kept| {
        let same = next.sku == kept.sku;
        if same {
            kept.all += next.all;
            kept.named = kept.named.into_iter().chain(next.named).reduce(|one, other| one + other);
        }
        same
    });
}

fn check_order(sku: SkuId, asked: u64, policy: &Policy) -> Result<(), Refusal> {
    let (min, max) = (u64::from(policy.order_min), u64::from(policy.order_max));
    if asked < min || (max > 0 && asked > max) { Err(Refusal::OrderLimit { sku, min, max }) } else { Ok(()) }
}

fn check_channel((sku, asked): (SkuId, u64), market: &Market, channel: u16) -> Result<(), Refusal> {
    match market.policies.caps().get(sku, channel) {
        Some(cap) if asked > cap.left() => {
            Err(Refusal::ChannelCap { sku, max: cap.units_max.into(), left: cap.left() })
        }
        _ => Ok(()),
    }
}

/// A guest whom nothing tells from others is held against the limits with each order alone.
fn check_customer(
    (sku, asked): (SkuId, u64),
    rule: &Rule,
    (customer, hashes): Who,
    at: Timestamp,
) -> Result<(), Refusal> {
    let policy = &rule.policy;
    let is_today = policy.day(at) == rule.day;
    let counts = policy.keys(customer, hashes).map(|key| rule.count(key));
    let (held, today) = counts.fold((0, 0), |(held, today), count| (count.held.max(held), count.today.max(today)));
    for (max, has, daily) in
        [(policy.customer_max, held, false), (policy.customer_day_max, if is_today { today } else { 0 }, true)]
    {
        let left = u64::from(max).saturating_sub(has);
        if max > 0 && asked > left {
            return Err(Refusal::CustomerLimit { sku, max: max.into(), left, daily });
        }
    }
    Ok(())
}
