//! A market: a pool of stock and its orders. Everything of it lives in one shard.
//!
//! # Always true
//! - Site 1 is `main`, rank 0, from the first moment.
//! - Order numbers are 1, 2, 3, … and `numbers` says where each order lies that is kept.
//! - The books are of all orders ever: `tally` counts what is kept and what `gone` counts.

use super::books::Tally;
use super::catalog::Catalog;
use super::effect::Effects;
use super::kits::{Component, Kits};
use super::ledger::{Account, Bucket, Ledger};
use super::money::Money;
use super::numbers::Numbers;
use super::policy::{Policies, Policy};
use super::refusal::Refusal;
use super::requests::Requests;
use super::reservation::Reservations;
use super::retention::{Gone, Retention};
use super::returns::Lying;
use super::shortage::Shortages;
use super::velocity::{Velocities, Velocity};
use super::waiting::Waiting;
use crate::base::limits::SITES_MAX;
use crate::base::{OrderNumber, SiteId, SkuId, Timestamp};

/// Code of the site every market begins with.
pub const FIRST_SITE: &str = "main";

/// State of one market, orders excepted.
#[derive(Debug)]
pub(super) struct Market {
    pub(super) code: Box<str>,
    pub(super) sites: Catalog,
    /// By site number less one.
    pub(super) ranks: Vec<u16>,
    /// Sites by (rank, number): the order in which they give their units.
    pub(super) ranked: Vec<SiteId>,
    pub(super) skus: Catalog,
    pub(super) kits: Kits,
    pub(super) ledger: Ledger,
    pub(super) requests: Requests,
    pub(super) numbers: Numbers,
    pub(super) tally: Tally,
    pub(super) retention: Retention,
    /// Identifiers made before this moment and not kept are refused: they may have left.
    pub(super) retired_before: Timestamp,
    pub(super) gone: Gone,
    /// Of all orders ever, and of those that were closed.
    pub(super) money: Money,
    pub(super) gone_money: Money,
    pub(super) policies: Policies,
    pub(super) waiting: Waiting,
    pub(super) shortages: Shortages,
    pub(super) lying: Lying,
    /// Of orders placed from now on.
    pub(super) effects: Effects,
    pub(super) reservations: Reservations,
    /// What is counted of whoever places orders; most markets count nothing.
    pub(super) velocities: Option<Box<Velocities>>,
    /// No order accepted since `Engine::watch_for_sale` has an identifier made later. No part of the state.
    pub(super) newest_accepted: Timestamp,
}

impl Market {
    pub(super) fn new(code: &str) -> Self {
        let mut market = Self {
            code: code.into(),
            sites: Catalog::default(),
            ranks: Vec::new(),
            ranked: Vec::new(),
            skus: Catalog::default(),
            kits: Kits::default(),
            ledger: Ledger::default(),
            requests: Requests::default(),
            numbers: Numbers::default(),
            tally: Tally::default(),
            retention: Retention::default(),
            retired_before: Timestamp::ZERO,
            gone: Gone::default(),
            money: Money::default(),
            gone_money: Money::default(),
            policies: Policies::default(),
            waiting: Waiting::default(),
            shortages: Shortages::default(),
            lying: Lying::default(),
            effects: Effects::default(),
            reservations: Reservations::default(),
            velocities: None,
            newest_accepted: Timestamp::ZERO,
        };
        market.add_site(FIRST_SITE, 0);
        market
    }

    pub(super) fn add_site(&mut self, code: &str, rank: u16) {
        let site = SiteId(u16::try_from(self.sites.insert(code)).expect("law: SITES_MAX fits 16 bits"));
        self.ranks.push(rank);
        let at = self.ranked.partition_point(|other| self.ranks[usize::from(other.0) - 1] <= rank);
        self.ranked.insert(at, site);
    }

    pub(super) fn check_site(&self, site: SiteId) -> Result<(), Refusal> {
        self.sites.code(site.0.into()).map(|_| ()).ok_or(Refusal::UnknownSite)
    }

    pub(super) const fn check_sku(&self, sku: SkuId) -> Result<(), Refusal> {
        if sku.0 != 0 && sku.0 as usize <= self.skus.len() { Ok(()) } else { Err(Refusal::UnknownSku { sku }) }
    }

    /// The same for a SKU that shall have units of its own.
    pub(super) fn check_plain(&self, sku: SkuId) -> Result<(), Refusal> {
        self.check_sku(sku)?;
        if self.kits.is_kit(sku) { Err(Refusal::IsKit { sku }) } else { Ok(()) }
    }

    /// Units for sale at all sites together: those on the shelf, and those that may be sold although they are not. Of a
    /// kit, how many of it.
    pub(super) fn for_sale(&self, sku: SkuId) -> u64 {
        match self.kits.recipe(sku) {
            // Whoever was put back comes before whoever asks now.
            Some(_) if self.waiting.is_waited_for(sku) => 0,
            Some(recipe) => self.kits_for_sale(recipe),
            None => self.on_the_shelf(sku) + self.oversell_left(sku),
        }
    }

    /// From now on units of what a line names may lie at a site. Tells at how many places they could not before.
    pub(super) fn add_places(&mut self, sku: SkuId, site: SiteId) -> u64 {
        let Self { kits, ledger, .. } = self;
        let mut add = |sku| u64::from(ledger.add_place(sku, site));
        match kits.recipe(sku) {
            None => add(sku),
            Some(recipe) => recipe.iter().map(|part| add(part.sku)).sum(),
        }
    }

    /// How many of these places there are not yet.
    pub(super) fn places_missing(&self, sku: SkuId, site: SiteId) -> u64 {
        let missing = |sku| u64::from(!self.ledger.has_place(sku, site));
        match self.kits.recipe(sku) {
            None => missing(sku),
            Some(recipe) => recipe.iter().map(|part| missing(part.sku)).sum(),
        }
    }

    /// Whole kits that the sites have, each by itself, and no more than the safety stocks leave of any component.
    #[cold]
    fn kits_for_sale(&self, recipe: &[Component]) -> u64 {
        let mut at_sites = [0; SITES_MAX];
        self.whole_kits(recipe, &mut at_sites);
        at_sites.iter().sum()
    }

    /// Whole kits that each site has, by rank, all sites together no more than the safety stocks leave of a component.
    #[cold]
    pub(super) fn whole_kits(&self, recipe: &[Component], at_sites: &mut [u64]) {
        let least =
            |units: &dyn Fn(&Component) -> u64| recipe.iter().map(|part| units(part) / u64::from(part.units)).min();
        let mut left = least(&|part| self.on_the_shelf(part.sku)).unwrap_or_default();
        for (kits, site) in at_sites.iter_mut().zip(&self.ranked) {
            *kits = least(&|part| self.ledger.available(part.sku, *site)).unwrap_or_default().min(left);
            left -= *kits;
        }
    }

    /// Units of a SKU that lie at a site, as far as anybody knows: those that were not found lie there no more.
    pub(super) fn on_hand(&self, sku: SkuId, site: SiteId) -> u64 {
        self.ledger.on_hand(sku, site) - self.shortages.units(sku, site)
    }

    /// Units at a site that are set aside for a look, those that lie with returns included.
    pub(super) fn set_aside(&self, sku: SkuId, site: SiteId) -> u64 {
        self.ledger.balances(sku, site)[Bucket::QualityHold as usize].cast_unsigned()
    }

    /// Units in a bucket at a site that somebody may say something else of: those that lie with returns stay.
    pub(super) fn may_take(&self, sku: SkuId, Account { site, bucket }: Account) -> u64 {
        let held = self.ledger.balances(sku, site)[bucket as usize].cast_unsigned();
        if bucket == Bucket::QualityHold { held - self.lying.units(sku, site) } else { held }
    }

    /// Units for sale that are there: what is available at all sites less the safety stock.
    pub(super) fn on_the_shelf(&self, sku: SkuId) -> u64 {
        self.ledger.available_everywhere(sku).saturating_sub(self.policies.safety_stock(sku))
    }

    /// Units that may still be sold without being there.
    pub(super) fn oversell_left(&self, sku: SkuId) -> u64 {
        self.policies.oversell_max(sku).saturating_sub(self.waiting.owed(sku))
    }

    /// Where units of a SKU go that come to be free: to whoever waits for them, if somebody does.
    #[inline]
    pub(super) fn landing(&self, sku: SkuId) -> Bucket {
        if self.waiting.is_waited_for(sku) { Bucket::Arriving } else { Bucket::Available }
    }

    /// Moves units of what a line names between two accounts: of a kit, those of its components.
    #[inline]
    pub(super) fn transfer(&mut self, sku: SkuId, from: Account, to: Account, units: u64) {
        if self.kits.is_kit(sku) {
            return self.each_component(sku, units, |market, sku, units| market.ledger.transfer(sku, from, to, units));
        }
        self.ledger.transfer(sku, from, to, units);
    }

    /// Units of what a line names come to be free at a site.
    #[inline]
    pub(super) fn land(&mut self, sku: SkuId, from: Account, site: SiteId, units: u64) {
        if self.kits.is_kit(sku) {
            return self.each_component(sku, units, |market, sku, units| market.land_units(sku, from, site, units));
        }
        self.land_units(sku, from, site, units);
    }

    /// Does something with the units of each component of so many kits.
    #[cold]
    fn each_component(&mut self, kit: SkuId, kits: u64, mut act: impl FnMut(&mut Self, SkuId, u64)) {
        let recipe = self.kits.recipe(kit).cloned();
        for part in recipe.iter().flat_map(|recipe| recipe.iter()) {
            act(self, part.sku, kits * u64::from(part.units));
        }
    }

    #[inline]
    fn land_units(&mut self, sku: SkuId, from: Account, site: SiteId, units: u64) {
        let units = if self.shortages.is_empty() { units } else { self.make_good(sku, from, site, units) };
        let bucket = self.landing(sku);
        self.ledger.transfer(sku, from, Account { site, bucket }, units);
        if bucket == Bucket::Arriving {
            self.waiting.note_arrival(sku);
        } else if self.waiting.has_kits() {
            self.note_for_kits(sku);
        }
    }

    /// Units that come to be free at a site make good what it is short of: those that were not found are written off.
    /// Tells how many are left.
    #[cold]
    pub(super) fn make_good(&mut self, sku: SkuId, from: Account, site: SiteId, units: u64) -> u64 {
        let short = self.shortages.units(sku, site);
        let missing = short.min(units);
        if missing > 0 {
            self.ledger.transfer(sku, from, Account { site, bucket: Bucket::WriteOff }, missing);
            self.shortages.limit(sku, site, short - missing);
        }
        units - missing
    }

    /// Units of what a line names left a site: nobody is short of what orders do not hold there any more.
    #[cold]
    pub(super) fn limit_shortages(&mut self, sku: SkuId, site: SiteId) {
        let limit = |market: &mut Self, sku| {
            let balances = market.ledger.balances(sku, site);
            let held = balances[Bucket::Reserved as usize] + balances[Bucket::Committed as usize];
            market.shortages.limit(sku, site, held.cast_unsigned());
        };
        if self.kits.is_kit(sku) {
            self.each_component(sku, 1, |market, sku, _| limit(market, sku));
        } else {
            limit(self, sku);
        }
    }

    /// Units of a SKU came to be for sale: kits that somebody waits for may be whole now.
    #[cold]
    pub(super) fn note_for_kits(&mut self, sku: SkuId) {
        let Self { kits, waiting, .. } = self;
        kits.of_component(sku).for_each(|kit| waiting.note_arrival(kit));
    }

    /// An order waits for so many units. Tells whether it did not wait for the SKU before.
    #[cold]
    pub(super) fn begin_waiting(&mut self, sku: SkuId, number: OrderNumber, units: u64) -> bool {
        let pairs = self.waiting.pairs();
        self.waiting.join(sku, number, units, self.kits.is_kit(sku));
        self.ledger.moved.note(sku);
        // Somebody before who could take nothing of it may have left something lying.
        if self.ledger.places(sku).any(|(_, balances)| balances[Bucket::Arriving as usize] > 0) {
            self.waiting.note_arrival(sku);
        }
        self.waiting.pairs() > pairs
    }

    /// An order waits for so many units no more. When nobody does any more, what has arrived is for sale.
    #[cold]
    pub(super) fn stop_waiting(&mut self, sku: SkuId, number: OrderNumber, units: u64) {
        self.waiting.leave(sku, number, units, self.kits.is_kit(sku));
        self.ledger.moved.note(sku);
        if !self.waiting.is_waited_for(sku) {
            self.shift(sku, (Bucket::Arriving, Bucket::Available), u64::MAX);
            if self.waiting.has_kits() {
                self.note_for_kits(sku);
            }
        }
    }

    /// What is on the shelf although somebody waits for it is theirs: a lower safety stock has set it free, or it lies
    /// at another site than what was put back.
    pub(super) fn gather(&mut self, sku: SkuId) {
        if self.waiting.is_waited_for(sku) {
            self.shift(sku, (Bucket::Available, Bucket::Arriving), self.on_the_shelf(sku));
            self.waiting.note_arrival(sku);
        } else if self.waiting.has_kits() {
            self.note_for_kits(sku);
        }
    }

    /// Moves so many units at most from one bucket to another of the same site, sites in rank order.
    fn shift(&mut self, sku: SkuId, (from, to): (Bucket, Bucket), mut units: u64) {
        for site in &self.ranked {
            let account = |bucket| Account { site: *site, bucket };
            let held = self.ledger.balances(sku, *site)[from as usize].cast_unsigned();
            let moved = held.min(units);
            if moved > 0 {
                self.ledger.transfer(sku, account(from), account(to), moved);
                units -= moved;
            }
        }
    }

    pub(super) fn policy(&self, sku: SkuId) -> Policy {
        self.policies.rule(sku).map(|rule| rule.policy).unwrap_or_default()
    }

    pub(super) fn velocity(&self) -> Velocity {
        self.velocities.as_ref().map(|velocities| velocities.setting).unwrap_or_default()
    }

    pub(super) const fn next_number(&self) -> OrderNumber {
        self.numbers.next()
    }
}
