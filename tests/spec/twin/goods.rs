//! Goods in the twin: receipts, adjustments, movements and counts by request, and what lies where because of them.

use stockade::base::limits::{ID_AHEAD_MS_MAX, REQUESTS_REMEMBERED_MS, STOCK_COMMAND_UNITS_MAX, STOCK_UNITS_MAX};
use stockade::base::{RequestId, Sequence, SiteId, SkuId, Timestamp};
use stockade::engine::choices::AdjustReason;
use stockade::engine::ledger::{Account, Bucket};
use stockade::engine::refusal::Field;
use stockade::engine::{Answer, Refusal};

use super::order::{Fate, Order, Record, Unit};
use super::{Goods, Market, Twin, out_of_bounds};

/// A stock request that is remembered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request {
    asked: Asked,
    available: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    Receive { sku: SkuId, site: SiteId, quantity: u64 },
    Adjust { sku: SkuId, site: SiteId, delta: i64, reason: AdjustReason },
    Move { sku: SkuId, from: Account, to: Account, quantity: u64 },
    Count { sku: SkuId, site: SiteId, expected: u64, counted: u64 },
    Report { sku: SkuId, site: SiteId, as_of: Sequence, counted: u64 },
}

impl Twin {
    pub(super) fn receive(
        &mut self,
        request: RequestId,
        sku: SkuId,
        site: SiteId,
        quantity: u64,
        now: Timestamp,
    ) -> Result<Answer, Refusal> {
        check_units(quantity)?;
        let supplier = Account { site, bucket: Bucket::Supplier };
        let room = self.place_room();
        let market = self.market_mut(request.market())?;
        market.carry_out(request, Asked::Receive { sku, site, quantity }, (now, room), |market| {
            market.check_places(sku, &[site])?;
            Ok((supplier, shelf(site), quantity))
        })
    }

    pub(super) fn adjust(
        &mut self,
        request: RequestId,
        sku: SkuId,
        site: SiteId,
        delta: i64,
        reason: AdjustReason,
        now: Timestamp,
    ) -> Result<Answer, Refusal> {
        check_units(delta.unsigned_abs())?;
        let room = self.place_room();
        let market = self.market_mut(request.market())?;
        market.carry_out(request, Asked::Adjust { sku, site, delta, reason }, (now, room), |market| {
            market.check_places(sku, &[site])?;
            Ok(corrected(site, delta))
        })
    }

    pub(super) fn move_stock(
        &mut self,
        request: RequestId,
        sku: SkuId,
        (from, to): (Account, Account),
        quantity: u64,
        now: Timestamp,
    ) -> Result<Answer, Refusal> {
        check_units(quantity)?;
        let room = self.place_room();
        let market = self.market_mut(request.market())?;
        market.carry_out(request, Asked::Move { sku, from, to, quantity }, (now, room), |market| {
            market.check_places(sku, &[from.site, to.site])?;
            let on_the_shelf = [Bucket::Available, Bucket::QualityHold, Bucket::Damaged, Bucket::Quarantine];
            let out_of_the_house = [Bucket::WriteOff, Bucket::Supplier];
            let stays = on_the_shelf.contains(&to.bucket);
            let leaves = out_of_the_house.contains(&to.bucket) && from.site == to.site;
            if !on_the_shelf.contains(&from.bucket) || from == to || !stays && !leaves {
                return Err(Refusal::UnknownMovement);
            }
            Ok((from, to, quantity))
        })
    }

    pub(super) fn count_stock(
        &mut self,
        request: RequestId,
        (sku, site): (SkuId, SiteId),
        (expected, counted): (u64, u64),
        now: Timestamp,
    ) -> Result<Answer, Refusal> {
        if counted > STOCK_UNITS_MAX {
            return Err(out_of_bounds(Field::Quantity, 0, STOCK_UNITS_MAX));
        }
        let room = self.place_room();
        let market = self.market_mut(request.market())?;
        let told = market.carry_out(request, Asked::Count { sku, site, expected, counted }, (now, room), |market| {
            market.check_places(sku, &[site])?;
            let on_hand = market.on_hand(sku, site);
            if on_hand != expected {
                return Err(Refusal::NotAsExpected { on_hand });
            }
            Ok(corrected(site, counted.cast_signed() - on_hand.cast_signed()))
        })?;
        if matches!(told, Answer::Stock { repeated: false, .. }) {
            self.note_counted(request.market(), (sku, site));
        }
        Ok(told)
    }
}

pub(super) const fn shelf(site: SiteId) -> Account {
    Account { site, bucket: Bucket::Available }
}

pub(super) const fn arriving(site: SiteId) -> Account {
    Account { site, bucket: Bucket::Arriving }
}

/// Units found, or gone.
const fn corrected(site: SiteId, delta: i64) -> (Account, Account, u64) {
    let written_off = Account { site, bucket: Bucket::WriteOff };
    let (from, to) = if delta < 0 { (shelf(site), written_off) } else { (written_off, shelf(site)) };
    (from, to, delta.unsigned_abs())
}

fn check_units(units: u64) -> Result<(), Refusal> {
    let bounds = 1..=STOCK_COMMAND_UNITS_MAX;
    if bounds.contains(&units) { Ok(()) } else { Err(out_of_bounds(Field::Quantity, 1, STOCK_COMMAND_UNITS_MAX)) }
}

impl Twin {
    /// Where units of what ever lay, all markets together.
    pub(crate) fn places(&self) -> u64 {
        self.markets.values().map(|market| market.places.len() as u64).sum()
    }

    /// How many places more may come to have units.
    pub(super) fn place_room(&self) -> u64 {
        self.capacity.places_max.saturating_sub(self.places())
    }
}

impl Market {
    /// Carries a stock request out once; `decide` says what it moves, from where to where.
    fn carry_out(
        &mut self,
        id: RequestId,
        asked: Asked,
        (now, room): (Timestamp, u64),
        decide: impl FnOnce(&Self) -> Result<(Account, Account, u64), Refusal>,
    ) -> Result<Answer, Refusal> {
        if let Some(first) = self.asked_before(id, asked, now)? {
            return Ok(first);
        }
        let (from, to, units) = decide(self)?;
        let sku = match asked {
            Asked::Receive { sku, .. }
            | Asked::Adjust { sku, .. }
            | Asked::Move { sku, .. }
            | Asked::Count { sku, .. }
            | Asked::Report { sku, .. } => sku,
        };
        // What comes in while somebody waits for it is not for sale.
        let to = if from.bucket != Bucket::Available && to.bucket == Bucket::Available && self.is_waited_for(sku) {
            arriving(to.site)
        } else {
            to
        };
        let is_inside = |account: Account| !matches!(account.bucket, Bucket::Supplier | Bucket::WriteOff);
        if is_inside(from) && units > self.loose(sku, from) {
            return Err(Refusal::NotAvailable { available: self.loose(sku, from) });
        }
        // What arrives may be available a moment later: both count together.
        let beside = match to.bucket {
            Bucket::Arriving => self.lying(sku, Account { bucket: Bucket::Available, ..to }),
            Bucket::Available => self.lying(sku, Account { bucket: Bucket::Arriving, ..to }),
            _ => 0,
        };
        if is_inside(to) && units > 0 && self.lying(sku, to) + beside + units > STOCK_UNITS_MAX {
            return Err(out_of_bounds(Field::Stock, 0, STOCK_UNITS_MAX));
        }
        self.open_places(room, to.site, &[sku])?;
        self.goods.push(Goods { sku, units: units.cast_signed(), from, to });
        self.make_good();
        let site = if is_inside(to) { to.site } else { from.site };
        Ok(self.remember(id, asked, (sku, site)))
    }

    /// Units of these SKUs come to lie at a site, if there is room for all the places that are new.
    pub(super) fn open_places(&mut self, room: u64, site: SiteId, skus: &[SkuId]) -> Result<(), Refusal> {
        let mut new = Vec::new();
        for sku in skus {
            let parts = self.recipes.get(sku).map_or_else(|| vec![*sku], |recipe| recipe.keys().copied().collect());
            new.extend(parts.into_iter().map(|part| (part, site)).filter(|place| !self.places.contains(place)));
        }
        if new.is_empty() || new.len() as u64 <= room {
            self.places.extend(new);
            return Ok(());
        }
        Err(Refusal::AtCapacity)
    }

    /// The first answer again, when the request was carried out before; or why it cannot be any more.
    pub(super) fn asked_before(&self, id: RequestId, asked: Asked, now: Timestamp) -> Result<Option<Answer>, Refusal> {
        if let Some(known) = self.requests.get(&id) {
            let first = Answer::Stock { available: known.available, repeated: true };
            return if known.asked == asked { Ok(Some(first)) } else { Err(Refusal::Conflict) };
        }
        if id.made_at() > now.after_ms(ID_AHEAD_MS_MAX) {
            return Err(Refusal::IdFromFuture { now });
        }
        if id.made_at() < now.before_ms(REQUESTS_REMEMBERED_MS) {
            return Err(Refusal::IdTooOld);
        }
        Ok(None)
    }

    pub(super) fn remember(&mut self, id: RequestId, asked: Asked, (sku, site): (SkuId, SiteId)) -> Answer {
        let available = self.available(sku, site);
        self.requests.insert(id, Request { asked, available });
        Answer::Stock { available, repeated: false }
    }

    pub(super) fn check_places(&self, sku: SkuId, sites: &[SiteId]) -> Result<(), Refusal> {
        self.check_plain(sku)?;
        if sites.iter().any(|site| !self.has_site(*site)) {
            return Err(Refusal::UnknownSite);
        }
        Ok(())
    }

    /// Units of one SKU in a place, but for those that orders hold.
    pub(super) fn lying(&self, sku: SkuId, account: Account) -> u64 {
        if account.bucket == Bucket::Available {
            return self.available(sku, account.site);
        }
        let came_back = self.placed().flat_map(|order| self.units_of(order, sku));
        let came_back = came_back.filter(|unit| unit.returned_to == Some(account)).count() as i64;
        (self.said(sku, account) + came_back).try_into().expect("nothing is taken that is not there")
    }

    /// What was said to have gone to a place, less what was said to have left it.
    fn said(&self, sku: SkuId, account: Account) -> i64 {
        let of_sku = self.goods.iter().filter(|goods| goods.sku == sku);
        let signed = |goods: &Goods| {
            i64::from(goods.to == account) * goods.units - i64::from(goods.from == account) * goods.units
        };
        of_sku.map(signed).sum()
    }

    /// Units of one SKU that lie at a site, whatever they are for; those that were not found do not.
    fn on_hand(&self, sku: SkuId, site: SiteId) -> u64 {
        let set_aside = [Bucket::QualityHold, Bucket::Damaged, Bucket::Quarantine, Bucket::Arriving];
        let set_aside: u64 = set_aside.map(|bucket| self.lying(sku, Account { site, bucket })).into_iter().sum();
        let is_promised = |unit: &Unit| unit.site == site && matches!(unit.fate, Fate::Reserved | Fate::Committed);
        let promised = self.placed().flat_map(|order| self.units_of(order, sku));
        self.available(sku, site) + set_aside + promised.filter(|unit| is_promised(unit)).count() as u64
            - self.short((sku, site))
    }

    pub(super) fn placed(&self) -> impl Iterator<Item = &Order> {
        self.orders.values().filter_map(|record| match record {
            Record::Order(order) => Some(&**order),
            Record::Blocked => None,
        })
    }

    /// Units on the shelf of one SKU at one site.
    pub(super) fn available(&self, sku: SkuId, site: SiteId) -> u64 {
        let mut units = self.said(sku, shelf(site));
        for order in self.placed() {
            for unit in self.units_of(order, sku) {
                let gone = unit.site == site && matches!(unit.fate, Fate::Reserved | Fate::Committed | Fate::Shipped);
                units -= i64::from(gone);
                units += i64::from(unit.returned_to == Some(shelf(site)));
            }
        }
        u64::try_from(units).expect("nothing is sold twice")
    }

    /// Units on the shelf of one SKU, all sites together.
    pub(super) fn available_anywhere(&self, sku: SkuId) -> u64 {
        self.ranked_sites().into_iter().map(|site| self.available(sku, site)).sum()
    }
}
