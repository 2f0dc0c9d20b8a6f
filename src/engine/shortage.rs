//! Shortages: units that orders hold and that a count did not find. The newest orders that hold them are put back.
//!
//! ```text
//! count ─► short of n at a place ─► newest order that holds units there ─► OrderPutBack: what it held is owed to it
//!                 ▲ n less                                                   written off │
//!                 └──────────────────────────────────────────────────────────────────────┘ until n is 0
//!
//! whatever comes to be free at a place that is short (a cancellation, an expiry, a receipt, a return) makes good first
//! ```
//!
//! # Always true
//! - A place is short of no more than what orders hold there, and while it is short nothing of the SKU is available
//!   or arriving there: what is missing is nobody's to sell.
//! - One fact puts one order back, and keeps its place in line: its number. Whoever bounds a turn bounds how many it
//!   asks for and how far it looks.
//! - A shortage is seen to until it is made good, whatever a turn, or the shard, has room for. Left alone is only one
//!   of whose holders each has as many draws as an order may: until it is counted again, or the shard starts.
//! - A kit is all or nothing: whole kits are put back, and what else is in them is free.
//! # Not here
//! - How a count finds that something is missing: `decide::count`. What putting back does to an order:
//!   `fold::shortage`.
//! # Why so
//! Orders hold units by number and not by name, so somebody has to be told that there is none for them. Who came last
//! is told first, as if those before had taken theirs. Whether a warehouse was told to hand them over changes nothing:
//! it will not find them, and is told anew.

use core::ops::Bound::{Excluded, Unbounded};
use std::collections::BTreeMap;

use super::Engine;
use super::fact::{Draw, Fact};
use super::market::Market;
use super::orders::{DrawRecord, Record};
use super::sieve::Subject;
use crate::base::limits::{LINES_PER_LOOK, ORDER_DRAWS_MAX};
use crate::base::{MarketId, OrderId, OrderNumber, SiteId, SkuId};

/// What the places of one market are short of.
#[derive(Debug, Default)]
pub(super) struct Shortages {
    by_place: BTreeMap<(SkuId, SiteId), Short>,
    /// The place that was seen to last. No part of the state.
    last: (SkuId, SiteId),
    /// Whether the shard knows that there is one to be seen to. No part of the state.
    is_listed: bool,
}

/// What one place is short of.
#[derive(Debug, Clone, Copy)]
struct Short {
    units: u64,
    /// No order with this number or a later one holds units there any more. No part of the state.
    below: OrderNumber,
    /// Whoever holds units there cannot be put back. No part of the state.
    is_stuck: bool,
}

impl Shortages {
    /// Whether nothing is missing anywhere.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.by_place.is_empty()
    }

    /// Units that a place is short of.
    #[inline]
    pub(super) fn units(&self, sku: SkuId, site: SiteId) -> u64 {
        if self.is_empty() { 0 } else { self.by_place.get(&(sku, site)).map_or(0, |short| short.units) }
    }

    /// Every place that is short, with what it is short of.
    pub(super) fn iter(&self) -> impl Iterator<Item = (SkuId, SiteId, u64)> {
        self.by_place.iter().map(|((sku, site), short)| (*sku, *site, short.units))
    }

    /// A place is short of so many units more.
    pub(super) fn open(&mut self, sku: SkuId, site: SiteId, units: u64) {
        let before = self.units(sku, site);
        let short = Short { units: before + units, below: OrderNumber(u64::MAX), is_stuck: false };
        self.by_place.insert((sku, site), short);
    }

    /// The next place to see to: behind the last one, so that nobody's shortage holds up another's.
    fn next(&self) -> Option<(SkuId, SiteId)> {
        let behind = self.by_place.range((Excluded(self.last), Unbounded));
        let mut all = behind.chain(self.by_place.range(..=self.last));
        all.find(|(_, short)| !short.is_stuck).map(|(place, _)| *place)
    }

    /// Whether the shard knows of whatever can be seen to.
    pub(super) fn is_seen_to(&self) -> bool {
        self.is_listed || self.next().is_none()
    }

    /// A place is short of at most so many units any more.
    pub(super) fn limit(&mut self, sku: SkuId, site: SiteId, units_max: u64) {
        if let Some(short) = self.by_place.get_mut(&(sku, site)) {
            short.units = short.units.min(units_max);
            if short.units == 0 {
                self.by_place.remove(&(sku, site));
            }
        }
    }
}

impl Engine {
    /// Whether [`Engine::next_put_back`] may give something. Says yes too often rather than too rarely.
    #[must_use]
    pub fn has_put_backs(&self) -> bool {
        !self.short_markets.is_empty()
            && self.orders.draw_count() < self.capacity.draws_max
            && self.waiting_pairs < self.capacity.waiting_max
    }

    /// The next order of which units are put back. Fold it, then ask again. Looks at so many places at most; `draws` is
    /// memory for its draws.
    pub fn next_put_back<'s>(&mut self, looks: &mut usize, draws: &'s mut Vec<Draw>) -> Option<Fact<'s>> {
        while self.has_put_backs() && *looks > 0 {
            let id = self.short_markets[0];
            let Some((sku, site)) = self.market_mut(id).shortages.next() else {
                self.market_mut(id).shortages.is_listed = false;
                self.short_markets.pop_front();
                continue;
            };
            let found = self.find_holder(id, (sku, site), looks, draws);
            let shortages = &mut self.market_mut(id).shortages;
            shortages.last = (sku, site);
            let short = shortages.by_place.get_mut(&(sku, site)).expect("law: what is seen to is missing");
            match found {
                Holder::PutBack(number, order) => {
                    // It may hold more than there was room for: it is asked again.
                    short.below = OrderNumber(number.0 + 1);
                    self.short_markets.rotate_left(1);
                    return Some(Fact::OrderPutBack { order, sku, draws });
                }
                Holder::Passed(number) => short.below = number,
                Holder::NoneLeft => short.is_stuck = true,
            }
        }
        None
    }

    /// Tells the shard that a market is short of something.
    pub(super) fn list_shortages(&mut self, id: MarketId) {
        let shortages = &mut self.market_mut(id).shortages;
        if !shortages.is_seen_to() {
            shortages.is_listed = true;
            self.short_markets.push_back(id);
        }
    }

    /// The newest order that holds units at a place, and what of it is put back.
    fn find_holder(
        &self,
        id: MarketId,
        (sku, site): (SkuId, SiteId),
        looks: &mut usize,
        draws: &mut Vec<Draw>,
    ) -> Holder {
        let market = self.market(id).expect("law: a shortage is one of an open market");
        let Some(short) = market.shortages.by_place.get(&(sku, site)) else { return Holder::NoneLeft };
        let subjects = |position| self.subjects(market, position);
        let Some((number, position)) = market.numbers.before_about(short.below, Subject::sku(sku), looks, subjects)
        else {
            return Holder::NoneLeft;
        };
        let record = position.map(|position| self.orders.record(position)).filter(|record| record.state.is_open());
        let Some(record) = record else { return Holder::Passed(number) };
        *looks = looks.saturating_sub((usize::from(record.lines.len) + record.draws.len as usize) / LINES_PER_LOOK);
        let in_shard =
            (self.capacity.draws_max - self.orders.draw_count()).min(self.capacity.waiting_max - self.waiting_pairs);
        let of_order = ORDER_DRAWS_MAX.saturating_sub(self.orders.draws(record).len());
        let room = usize::try_from(in_shard).unwrap_or(usize::MAX).min(of_order);
        self.plan_put_back(market, record, (sku, site, short.units), room, draws);
        if draws.is_empty() { Holder::Passed(number) } else { Holder::PutBack(number, record.order) }
    }

    /// What an order gives up of what it holds at a place: of its last lines first, as much as is missing; with so many
    /// new draws at most.
    fn plan_put_back(
        &self,
        market: &Market,
        record: &Record,
        (sku, site, mut missing): (SkuId, SiteId, u64),
        mut room: usize,
        draws: &mut Vec<Draw>,
    ) {
        draws.clear();
        let lines = self.orders.lines(record);
        for held in self.orders.draws(record).iter().rev().filter(|held| held.site == site) {
            let each = u64::from(market.kits.units_in(lines[usize::from(held.line)].sku, sku));
            if missing == 0 || each == 0 || held.units.held() == 0 {
                continue;
            }
            let is_owed = self.orders.draws_of_line(record, held.line).iter().any(DrawRecord::is_owed);
            if !is_owed && room == 0 {
                continue;
            }
            room -= usize::from(!is_owed);
            let quantity = u32::try_from(missing.div_ceil(each)).unwrap_or(u32::MAX).min(held.units.held());
            draws.push(held.of(quantity));
            missing = missing.saturating_sub(each * u64::from(quantity));
        }
        draws.reverse();
    }
}

/// What a look at one order came to.
enum Holder {
    /// This order holds something.
    PutBack(OrderNumber, OrderId),
    /// Nothing holds anything there from this number on.
    Passed(OrderNumber),
    /// Nobody does.
    NoneLeft,
}
