//! What markets set, what is counted for it, and what counts of stock go by, read back.

use super::super::super::Engine;
use super::super::super::channel::Cap;
use super::super::super::ledger::{Balances, Bucket};
use super::super::super::on_hand::{Change, Kept};
use super::super::super::orders::{Details, Extra, Phase, Record};
use super::super::super::policy::{Count, CustomerId, Policy, StockLevel};
use super::super::super::reservation::{PREPAID_METHODS, Reservations};
use super::super::{ImageError, KEY_FREE, KEY_SLOT};
use super::{Fields, Read};
use crate::base::limits::{HOLD_MS_MAX, ON_HAND_PLACE_CHANGES_MAX, STOCK_UNITS_MAX};
use crate::base::{OrderNumber, Sequence, SiteId, SkuId};

impl Engine {
    pub(super) fn read_reservations(&mut self, item: &mut Fields<'_>) -> Read<()> {
        let market = self.open_market_mut(item.market()?)?;
        let (activity_ms_max, payment_ms_max, mut unpaid_ms) = (item.u32()?, item.u32()?, [0; PREPAID_METHODS]);
        for ms in &mut unpaid_ms {
            *ms = item.u32()?;
        }
        let reservations = Reservations { activity_ms_max, payment_ms_max, unpaid_ms };
        let is_bounded = activity_ms_max.max(payment_ms_max) <= HOLD_MS_MAX
            && unpaid_ms.iter().all(|ms| (1..=HOLD_MS_MAX).contains(ms));
        if !is_bounded || market.reservations != Reservations::default() || reservations == Reservations::default() {
            return Err(ImageError::new("reservations of a market last too long, or were set twice"));
        }
        market.reservations = reservations;
        Ok(())
    }

    pub(super) fn read_on_hand(&mut self, item: &mut Fields<'_>) -> Read<()> {
        let (of_shard, id) = (Sequence(item.u64()?), item.market()?);
        let (sku, site) = (SkuId(item.u32()?), SiteId(item.u16()?));
        let mut kept = Kept { floor: Sequence(item.u64()?), ..Kept::default() };
        for _ in 0..item.count(ON_HAND_PLACE_CHANGES_MAX)? {
            kept.changes.push_back(Change { entry: Sequence(item.u64()?), before: item.u64()? });
        }
        let market = self.open_market_mut(id)?;
        let is_place = market.check_plain(sku).is_ok() && market.check_site(site).is_ok();
        let restored = if is_place { self.on_hand.restore(of_shard, (id, sku, site), kept) } else { None };
        restored.ok_or(ImageError::new("what was on hand is of no place, or comes twice, or is in disorder"))
    }

    pub(super) fn read_short(&mut self, item: &mut Fields<'_>) -> Read<()> {
        let market = self.open_market_mut(item.market()?)?;
        let (sku, site, units) = (SkuId(item.u32()?), SiteId(item.u16()?), item.u64()?);
        let is_place = market.check_plain(sku).is_ok() && market.check_site(site).is_ok();
        let balances = if is_place { market.ledger.balances(sku, site) } else { Balances::default() };
        let held = balances[Bucket::Reserved as usize] + balances[Bucket::Committed as usize];
        if units == 0 || units > held.cast_unsigned() || market.shortages.units(sku, site) > 0 {
            return Err(ImageError::new("a place is short of nothing, or twice, or of more than orders hold there"));
        }
        market.shortages.open(sku, site, units);
        Ok(())
    }

    pub(super) fn read_key(&mut self, item: &mut Fields<'_>) -> Read<()> {
        let (what, number) = (item.byte()?, item.u32()?);
        let restored = match what {
            KEY_SLOT => {
                self.keys.restore_slot(number);
                Some(())
            }
            KEY_FREE => self.keys.restore_free(number),
            _ => None,
        };
        restored.ok_or(ImageError::new("a key is free that is not there, or twice"))
    }

    /// Notes that an order uses the key it names.
    pub(super) fn restore_key(&mut self, record: &Record, extra: Option<&Extra>) -> Read<()> {
        let Some(Extra { details: Details::Sealed { key, .. }, .. }) = extra else { return Ok(()) };
        let used = self.keys.restore_user(*key, record.order.market(), record.customer);
        let is_kept = record.phase == Phase::Whole && record.number != OrderNumber(0);
        used.filter(|()| is_kept).ok_or(ImageError::new("an order names a key that cannot be its own"))
    }

    pub(super) fn read_policy(&mut self, item: &mut Fields<'_>) -> Read<()> {
        let market = self.open_market_mut(item.market()?)?;
        let sku = SkuId(item.u32()?);
        let (safety_stock, order_min, order_max) = (item.u64()?, item.u32()?, item.u32()?);
        let (customer_max, customer_day_max) = (item.u32()?, item.u32()?);
        let (by_hashes, day_begins_min) = (item.flag()?, item.u16()?);
        let (oversell_max, low_stock, returns_give_back) = (item.u64()?, item.u64()?, item.flag()?);
        let level = StockLevel::from_byte(item.byte()?).ok_or(ImageError::new("a level of stock there is not"))?;
        let policy = Policy {
            safety_stock,
            order_min,
            order_max,
            customer_max,
            customer_day_max,
            by_hashes,
            day_begins_min,
            oversell_max,
            low_stock,
            returns_give_back,
        };
        let (held_from, day_from, day) = (OrderNumber(item.u64()?), OrderNumber(item.u64()?), item.u64()?);
        let is_new = market.check_sku(sku).is_ok() && market.policies.rule(sku).is_none();
        let is_kept = market.kits.is_kit(sku) && (safety_stock > 0 || oversell_max > 0);
        let units = [safety_stock, oversell_max, low_stock];
        let is_bounded = units.iter().all(|units| *units <= STOCK_UNITS_MAX) && u64::from(day_begins_min) < 24 * 60;
        if !is_new || is_kept || policy == Policy::default() || !is_bounded {
            return Err(ImageError::new(
                "a policy is of no SKU, or comes twice, or says nothing, or too much of a kit",
            ));
        }
        market.policies.change(sku, |rule| {
            (rule.policy, rule.level) = (policy, level);
            (rule.held_from, rule.day_from, rule.day) = (held_from, day_from, day);
        });
        self.policy_count += 1;
        Ok(())
    }

    pub(super) fn read_customer(&mut self, item: &mut Fields<'_>) -> Read<()> {
        let market = self.open_market_mut(item.market()?)?;
        let sku = SkuId(item.u32()?);
        let (customer, count) =
            (CustomerId { kind: item.byte()?, key: item.u128()? }, Count { held: item.u64()?, today: item.u64()? });
        let (mut restored, mut more) = (None, 0);
        if market.policies.rule(sku).is_some_and(|rule| rule.policy.counts()) {
            more = market.policies.change(sku, |rule| restored = rule.restore(customer, count));
        }
        self.customer_counts = self.customer_counts.wrapping_add_signed(more);
        restored.ok_or(ImageError::new("a customer's count is of nothing that counts, or comes twice"))
    }

    pub(super) fn read_channel_cap(&mut self, item: &mut Fields<'_>) -> Read<()> {
        let market = self.open_market_mut(item.market()?)?;
        let (sku, channel) = (SkuId(item.u32()?), item.u16()?);
        let cap = Cap { units_max: item.u32()?, from: OrderNumber(item.u64()?), held: item.u64()? };
        let (mut restored, mut more) = (None, 0);
        if market.check_sku(sku).is_ok() && channel > 0 {
            more = market.policies.change_caps(|caps| restored = caps.restore(sku, channel, cap));
        }
        self.channel_cap_count = self.channel_cap_count.wrapping_add_signed(more);
        restored.ok_or(ImageError::new("a channel's cap is of no SKU or no channel, or comes twice"))
    }
}
