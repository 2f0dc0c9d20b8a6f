//! Stock as double entry: units never appear or vanish, they move between named buckets.
//!
//! ```text
//! supplier ─receive─► available ─place─► reserved ─confirm─► committed ─hand over─► customer
//! write_off ◄─adjust─►    ▲ └────────── place, no payment ──────►┘  │                  │
//!                         └── expire, cancel ── reserved            │                  │
//!                         └── cancel ───────────────────────────────┘                  │
//!                         └── return to stock ─────────────────────────────────────────┘
//!
//!              while orders wait for the SKU: what would come to be available is
//! (from where it comes) ─► arriving ─fill─► reserved, committed ── nobody waits any more ─► available
//!
//! available ◄─move─► quality_hold, damaged, quarantine, available elsewhere ─move─► write_off, supplier
//! ```
//!
//! # Always true
//! - Per SKU the balances of all buckets at all sites sum to zero (`invariants`).
//! - Only the outside accounts `supplier` and `write_off` are ever negative; `supplier` is what came in, negated.
//! - Only `Ledger::transfer` changes a balance.
//! - Units move only where their SKU has a place. Places are counted and bounded, and stay once they are made.

use super::for_sale::Moved;
use super::pool::Table;
use crate::base::limits::MARKET_UNITS_MAX;
use crate::base::{SiteId, SkuId};

/// A named account of units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Bucket {
    /// Outside: where units come from. Its balance is minus what came in.
    Supplier = 0,
    /// On the shelf, for sale.
    Available = 1,
    /// On the shelf, set aside until a deadline.
    Reserved = 2,
    /// On the shelf, sold.
    Committed = 3,
    /// Outside: handed over and not come back.
    Customer = 4,
    /// Outside: what adjustments took out (positive) or found (negative).
    WriteOff = 5,
    /// On the shelf, not for sale until somebody has looked at it.
    QualityHold = 6,
    /// On the shelf, not for sale.
    Damaged = 7,
    /// On the shelf, apart from everything else: nobody knows yet what becomes of it.
    Quarantine = 8,
    /// On the shelf, come in while orders wait for it, and not for sale: a turn or a few later it is theirs.
    Arriving = 9,
}

/// How many buckets there are.
pub const BUCKETS: usize = 10;

impl Bucket {
    /// Every bucket, in the order of their numbers.
    pub const ALL: [Self; BUCKETS] = [
        Self::Supplier,
        Self::Available,
        Self::Reserved,
        Self::Committed,
        Self::Customer,
        Self::WriteOff,
        Self::QualityHold,
        Self::Damaged,
        Self::Quarantine,
        Self::Arriving,
    ];

    /// The bucket of this number; `None` for a number that names nothing.
    #[must_use]
    pub fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.get(usize::from(byte)).copied()
    }

    /// The word for people and for JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Supplier => "supplier",
            Self::Available => "available",
            Self::Reserved => "reserved",
            Self::Committed => "committed",
            Self::Customer => "customer",
            Self::WriteOff => "write_off",
            Self::QualityHold => "quality_hold",
            Self::Damaged => "damaged",
            Self::Quarantine => "quarantine",
            Self::Arriving => "arriving",
        }
    }

    /// Whether somebody may say that units go from here to another place. What orders hold, orders move.
    #[must_use]
    pub const fn may_be_emptied(self) -> bool {
        matches!(self, Self::Available | Self::QualityHold | Self::Damaged | Self::Quarantine)
    }

    /// Whether somebody may say that units go there.
    #[must_use]
    pub const fn may_be_filled(self) -> bool {
        self.may_be_emptied() || matches!(self, Self::WriteOff | Self::Supplier)
    }

    /// Whether its units lie in the building.
    #[must_use]
    pub const fn is_on_hand(self) -> bool {
        !matches!(self, Self::Supplier | Self::Customer | Self::WriteOff)
    }

    /// Whether a negative balance is a bug.
    const fn is_never_negative(self) -> bool {
        !matches!(self, Self::Supplier | Self::WriteOff)
    }
}

/// Balances of one SKU at one site, indexed by [`Bucket`].
pub type Balances = [i64; BUCKETS];

/// One account: a bucket at a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// Where.
    pub site: SiteId,
    /// Which bucket.
    pub bucket: Bucket,
}

/// Elements of one chunk of the table of a market's SKUs: small, because there are thousands of small markets.
const SKUS_CHUNK: usize = 128;

/// What one SKU has at one site.
#[derive(Debug, Clone, Copy)]
struct Place {
    site: SiteId,
    balances: Balances,
}

/// The balances of a market.
#[derive(Debug, Default)]
pub struct Ledger {
    /// By SKU number less one: its places, by site. Most SKUs have one.
    skus: Table<Vec<Place>, SKUS_CHUNK>,
    /// Sums over all SKUs and sites.
    totals: Balances,
    /// SKUs whose units for sale moved since somebody asked; nothing is noted until somebody does.
    pub(super) moved: Moved,
}

impl Ledger {
    /// Whether anything was ever said of a SKU's stock at a site.
    pub(super) fn has_place(&self, sku: SkuId, site: SiteId) -> bool {
        self.place(sku, site).is_some()
    }

    /// From now on units of a SKU may lie at a site. Tells whether they could not before.
    pub(super) fn add_place(&mut self, sku: SkuId, site: SiteId) -> bool {
        let places = self.skus.get_or_grow(sku_index(sku));
        let Err(at) = index_of(places, site) else { return false };
        // Exactly one more: a place is counted when it is made, and most SKUs never get a second.
        places.reserve_exact(1);
        places.insert(at, Place { site, balances: Balances::default() });
        true
    }

    /// How many places there are, all SKUs together.
    pub(super) fn place_count(&self) -> usize {
        self.skus.iter().map(|(_, places)| places.len()).sum()
    }

    /// The places of a SKU by site, with what is there.
    pub(super) fn places(&self, sku: SkuId) -> impl Iterator<Item = (SiteId, &Balances)> {
        self.places_of(sku).iter().map(|place| (place.site, &place.balances))
    }

    /// Moves `units` of one SKU between two accounts. The only function that changes a balance.
    pub(super) fn transfer(&mut self, sku: SkuId, from: Account, to: Account, units: u64) {
        if from.bucket == Bucket::Available || to.bucket == Bucket::Available {
            self.moved.note(sku);
        }
        let units = i64::try_from(units).expect("law: a movement fits a balance");
        let places = self.skus.get_mut(sku_index(sku)).map(Vec::as_mut_slice).unwrap_or_default();
        for (account, units) in [(from, -units), (to, units)] {
            let at = index_of(places, account.site).expect("law: units move where their SKU has a place");
            let balance = &mut places[at].balances[account.bucket as usize];
            *balance += units;
            assert!(
                *balance >= 0 || !account.bucket.is_never_negative(),
                "law: {} of SKU {sku} at site {} is never negative",
                account.bucket.name(),
                account.site,
            );
            self.totals[account.bucket as usize] += units;
        }
    }

    /// Puts balances back where there are none yet; `None` when they break a law or something is there.
    pub(super) fn restore(&mut self, sku: SkuId, site: SiteId, balances: Balances) -> Option<()> {
        let is_sound = Bucket::ALL.iter().all(|bucket| {
            let units = balances[*bucket as usize];
            (units >= 0 || !bucket.is_never_negative()) && units.unsigned_abs() <= MARKET_UNITS_MAX
        });
        if !is_sound || !self.add_place(sku, site) {
            return None;
        }
        let places = self.skus.get_or_grow(sku_index(sku));
        let at = index_of(places, site).ok()?;
        places[at].balances = balances;
        for (total, units) in self.totals.iter_mut().zip(balances) {
            *total = total.checked_add(units)?;
        }
        Some(())
    }

    /// Balances of one SKU at one site; zeroes where nothing ever moved.
    #[must_use]
    pub fn balances(&self, sku: SkuId, site: SiteId) -> Balances {
        self.place(sku, site).map(|place| place.balances).unwrap_or_default()
    }

    /// Units for sale of one SKU at one site.
    #[must_use]
    pub fn available(&self, sku: SkuId, site: SiteId) -> u64 {
        self.place(sku, site).map_or(0, |place| place.balances[Bucket::Available as usize].cast_unsigned())
    }

    /// Units for sale of one SKU at all sites.
    pub(super) fn available_everywhere(&self, sku: SkuId) -> u64 {
        self.places_of(sku).iter().map(|place| place.balances[Bucket::Available as usize].cast_unsigned()).sum()
    }

    /// Units of one SKU at one site that wait to be given to orders.
    pub(super) fn arriving(&self, sku: SkuId, site: SiteId) -> u64 {
        self.balances(sku, site)[Bucket::Arriving as usize].cast_unsigned()
    }

    /// Units of one SKU that lie at one site, whatever they are for.
    #[must_use]
    pub fn on_hand(&self, sku: SkuId, site: SiteId) -> u64 {
        on_hand(&self.balances(sku, site))
    }

    /// Sums over all SKUs and sites.
    #[must_use]
    pub const fn totals(&self) -> Balances {
        self.totals
    }

    fn places_of(&self, sku: SkuId) -> &[Place] {
        self.skus.get(sku_index(sku)).map(Vec::as_slice).unwrap_or_default()
    }

    #[inline]
    fn place(&self, sku: SkuId, site: SiteId) -> Option<&Place> {
        let places = self.places_of(sku);
        places.get(index_of(places, site).ok()?)
    }
}

/// Where the place at a site is, or would be.
#[inline]
fn index_of(places: &[Place], site: SiteId) -> Result<usize, usize> {
    match places {
        [only] if only.site == site => Ok(0),
        _ => places.binary_search_by_key(&site, |place| place.site),
    }
}

/// Units that lie in the building.
#[must_use]
pub fn on_hand(balances: &Balances) -> u64 {
    let inside = Bucket::ALL.into_iter().filter(|bucket| bucket.is_on_hand());
    inside.map(|bucket| balances[bucket as usize].cast_unsigned()).sum()
}

fn sku_index(sku: SkuId) -> usize {
    sku.0 as usize - 1
}
