//! Counts as of an event in the twin: what was on hand after every entry there ever was, and who holds what was not
//! found.

use std::collections::BTreeMap;

use stockade::base::limits::STOCK_UNITS_MAX;
use stockade::base::{MarketId, OrderId, RequestId, Sequence, SiteId, SkuId, Timestamp};
use stockade::engine::ledger::{Account, Bucket};
use stockade::engine::refusal::Field;
use stockade::engine::{Answer, Command, Draw, Refusal};

use super::goods::{Asked, arriving, shelf};
use super::order::{Fate, Record, Unit};
use super::{Market, Twin, out_of_bounds};

type Place = (SkuId, SiteId);

/// What is known of the past of one market.
#[derive(Debug, Clone, Default)]
pub(super) struct Past {
    /// Units on hand after each entry that changed them, oldest first.
    on_hand: BTreeMap<Place, Vec<(u64, u64)>>,
    /// Nobody may tell what lay there before.
    counted: BTreeMap<Place, u64>,
}

impl Past {
    fn after(&self, place: Place, entry: u64) -> u64 {
        let mut all = self.on_hand.get(&place).into_iter().flatten();
        all.rfind(|(at, _)| *at <= entry).map_or(0, |(_, units)| *units)
    }

    fn note(&mut self, place: Place, entry: u64, units: u64) {
        if self.after(place, u64::MAX) != units {
            let all = self.on_hand.entry(place).or_default();
            all.retain(|(at, _)| *at != entry);
            all.push((entry, units));
        }
    }
}

impl Twin {
    pub(super) fn report_count(
        &mut self,
        request: RequestId,
        place: Place,
        (as_of, counted): (Sequence, u64),
        now: Timestamp,
    ) -> Result<Answer, Refusal> {
        if counted > STOCK_UNITS_MAX {
            return Err(out_of_bounds(Field::Quantity, 0, STOCK_UNITS_MAX));
        }
        let (entry, (sku, site), room) = (self.position.0, place, self.place_room());
        let market = self.market_mut(request.market())?;
        let asked = Asked::Report { sku, site, as_of, counted };
        if let Some(first) = market.asked_before(request, asked, now)? {
            return Ok(first);
        }
        market.check_places(sku, &[site])?;
        if as_of.0 >= entry {
            return Err(Refusal::EventFromFuture { newest: Sequence(entry.saturating_sub(1)) });
        }
        if let Some(oldest) = market.past.counted.get(&place).filter(|oldest| as_of.0 < **oldest) {
            return Err(Refusal::EventForgotten { oldest: Sequence(*oldest) });
        }
        let known = market.past.after(place, as_of.0);
        let written_off = Account { site, bucket: Bucket::WriteOff };
        let found = counted.saturating_sub(known);
        let beside = market.lying(sku, arriving(site)) + market.available(sku, site);
        if found > 0 && beside + found > STOCK_UNITS_MAX {
            return Err(out_of_bounds(Field::Stock, 0, STOCK_UNITS_MAX));
        }
        market.open_places(room, site, &[sku])?;
        if found > 0 {
            let to = if market.is_waited_for(sku) { arriving(site) } else { shelf(site) };
            market.transfer(sku, found, written_off, to);
            market.make_good();
        }
        let mut missing = known.saturating_sub(counted);
        for bucket in [Bucket::Available, Bucket::Arriving] {
            missing -= market.lose(sku, Account { site, bucket }, missing);
        }
        let short = missing.min(market.promised(sku, site) - market.short(place));
        if short > 0 {
            *market.shortages.entry(place).or_default() += short;
        }
        missing -= short;
        for bucket in [Bucket::QualityHold, Bucket::Damaged, Bucket::Quarantine] {
            missing -= market.lose(sku, Account { site, bucket }, missing);
        }
        let all = market.past.on_hand.entry(place).or_default();
        all.retain(|(at, _)| *at > as_of.0);
        for (_, units) in all.iter_mut() {
            *units = (*units + counted).saturating_sub(known);
        }
        all.insert(0, (as_of.0, counted));
        if as_of.0 > 0 {
            market.past.counted.insert(place, as_of.0);
        }
        Ok(market.remember(request, asked, (sku, site)))
    }

    /// Somebody counted what lies at a place now: nothing older is news any more.
    pub(super) fn note_counted(&mut self, market: MarketId, place: Place) {
        let entry = self.position.0;
        self.markets.get_mut(&market).expect("it was just counted there").past.counted.insert(place, entry);
    }

    /// The same after a command, unless it is none that moves goods and nothing is missing anywhere.
    pub(super) fn settle_after(&mut self, command: &Command<'_>) {
        let moves_goods = matches!(
            command,
            Command::Receive { .. }
                | Command::Adjust { .. }
                | Command::MoveStock { .. }
                | Command::CountStock { .. }
                | Command::ReportCount { .. }
                | Command::HandOver { .. }
                | Command::ReturnToStock { .. }
                | Command::Return { .. }
        );
        if moves_goods || self.markets.values().any(|market| !market.shortages.is_empty()) {
            self.settle();
        }
    }

    /// What has come to be free where something is missing makes good; and what is on hand now goes into the past.
    pub(super) fn settle(&mut self) {
        let entry = self.position.0;
        let ids: Vec<MarketId> = self.markets.keys().copied().collect();
        for id in ids {
            self.markets.get_mut(&id).expect("markets stay open").make_good();
            let balances = self.balances(id);
            let market = self.markets.get_mut(&id).expect("markets stay open");
            for (place, balances) in balances {
                let inside = Bucket::ALL.into_iter().filter(|bucket| bucket.is_on_hand());
                let lies: i64 = inside.map(|bucket| balances[bucket as usize]).sum();
                let believed = lies.cast_unsigned() - market.short(place);
                market.past.note(place, entry, believed);
            }
        }
    }

    /// Whether orders hold something that was not found.
    pub(crate) fn has_put_backs(&self) -> bool {
        let has_room = self.waiting_pairs() < self.capacity.waiting_max;
        has_room && self.markets.values().any(|market| !market.shortages.is_empty())
    }

    /// Puts back whoever holds units of a place that is short, and came last; says who it is, and what it held.
    pub(crate) fn put_back(&mut self, id: MarketId, (sku, site): Place, now: Timestamp) -> (OrderId, Vec<Draw>) {
        let room = self.capacity.waiting_max - self.waiting_pairs();
        let market = &self.markets[&id];
        let newest = market.orders.iter().filter_map(|(id, record)| match record {
            Record::Order(order) if market.units_of(order, sku).any(|unit| is_held_at(unit, site)) => {
                Some((order.number, *id))
            }
            Record::Order(_) | Record::Blocked => None,
        });
        let (_, order) = newest.max().expect("somebody holds what is missing");
        let draws = market.plan_put_back(order, (sku, site), room);
        for draw in &draws {
            let before = self.shelves();
            let line = usize::from(draw.line);
            let asked = self.order_mut(order).expect("it is open").asked.lines[line].sku;
            let units = self.order_mut(order).expect("it is open").lines[line].iter_mut();
            for unit in units.filter(|unit| is_held_at(unit, site)).take(draw.quantity as usize) {
                unit.site = SiteId::NOWHERE;
            }
            self.settle();
            self.set_apart(&before);
            self.market_mut(id).expect("it is open").give_up_shelf(asked);
        }
        self.note_put_back(order, &draws, now);
        self.order_mut(order).expect("it is open").was_put_back = true;
        self.note_ends(now);
        (order, draws)
    }
}

fn is_held_at(unit: &Unit, site: SiteId) -> bool {
    unit.site == site && matches!(unit.fate, Fate::Reserved | Fate::Committed)
}

impl Market {
    /// Units that a place is short of.
    pub(super) fn short(&self, place: Place) -> u64 {
        self.shortages.get(&place).copied().unwrap_or_default()
    }

    /// Units of a SKU that orders hold at a site, alone or in kits.
    fn promised(&self, sku: SkuId, site: SiteId) -> u64 {
        self.placed().flat_map(|order| self.units_of(order, sku)).filter(|unit| is_held_at(unit, site)).count() as u64
    }

    /// Takes as many units from a place as there are and may be taken, up to so many; says how many.
    fn lose(&mut self, sku: SkuId, from: Account, most: u64) -> u64 {
        let units = self.loose(sku, from).min(most);
        self.transfer(sku, units, from, Account { bucket: Bucket::WriteOff, ..from });
        units
    }

    /// Nothing is free where something is missing, and nobody misses what nobody holds.
    pub(super) fn make_good(&mut self) {
        for (place, short) in self.shortages.clone() {
            let (sku, site) = place;
            let mut left = short;
            for from in [shelf(site), arriving(site)] {
                left -= self.lose(sku, from, left);
            }
            left = left.min(self.promised(sku, site));
            self.shortages.insert(place, left);
        }
        self.shortages.retain(|_, short| *short > 0);
    }

    /// The last lines first, as much as is missing, whole kits only; so many lines more that wait at most.
    fn plan_put_back(&self, id: OrderId, (sku, site): Place, mut room: u64) -> Vec<Draw> {
        let Some(Record::Order(order)) = self.orders.get(&id) else { unreachable!("it holds something") };
        let (mut missing, mut draws) = (self.short((sku, site)), Vec::new());
        for (at, line) in order.asked.lines.iter().enumerate().rev() {
            let (each, units) = (self.units_in(line.sku, sku), &order.lines[at]);
            let held = units.iter().filter(|unit| is_held_at(unit, site)).count() as u64;
            let waits = units.iter().any(Unit::is_owed);
            if each == 0 || held == 0 || missing == 0 || (!waits && room == 0) {
                continue;
            }
            room -= u64::from(!waits);
            let quantity = (1..=held).find(|units| units * each >= missing).unwrap_or(held);
            missing = missing.saturating_sub(quantity * each);
            draws.insert(0, Draw { line: at as u16, site, quantity: quantity as u32 });
        }
        draws
    }
}
