//! What is for sale, and where that changed: what a shard tells everybody who wants to know without asking it.
//!
//! ```text
//! fold ─► Moved of each market it touched ─► take_for_sale ─► (market, SKU, units, newest identifier) ─► board
//! ```
//!
//! # Always true
//! - Whatever changed the units for sale of a SKU since the last call, or made the SKU, is told by the next one; so is
//!   every kit of which it is a component.
//! - An order of the SKU that was ever accepted was made no later than the moment told with it.
//! # Not here
//! - What follows from it for an order that nobody has decided yet: `shard::board`.
//! # Why so
//! It is no part of the state: nothing of it is in the digest or in an image, and nothing is noted while a log is read.

use super::Engine;
use super::fact::Fact;
use super::market::Market;
use crate::base::{MarketId, SkuId, Timestamp};

/// SKUs of one market whose units for sale moved.
#[derive(Debug, Default)]
pub(super) struct Moved {
    watched: bool,
    skus: Vec<SkuId>,
}

impl Moved {
    pub(super) fn note(&mut self, sku: SkuId) {
        // One SKU is what a flood is about: it is noted once.
        if self.watched && self.skus.last() != Some(&sku) {
            self.skus.push(sku);
        }
    }
}

/// Markets that facts were about.
#[derive(Debug, Default)]
pub(super) struct Watched {
    pub(super) on: bool,
    markets: Vec<MarketId>,
}

/// Units for sale of a SKU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForSale {
    /// Of which market.
    pub market: MarketId,
    /// Of what.
    pub sku: SkuId,
    /// At all sites together.
    pub units: u64,
    /// No order of this market that was ever accepted has an identifier made later.
    pub newest_accepted: Timestamp,
}

/// What is for sale of a kit follows from its components. Kits of several share most of them, so each is told once.
#[cold]
fn add_kits(moved: &mut Vec<SkuId>, market: &Market) {
    moved.sort_unstable();
    moved.dedup();
    for at in 0..moved.len() {
        moved.extend(market.kits.of_component(moved[at]));
    }
    moved.sort_unstable();
    moved.dedup();
}

impl Engine {
    /// Notes from now on whatever [`Engine::take_for_sale`] tells. Its first call tells everything there is. `newest`
    /// is a moment after which no identifier accepted so far was made.
    pub fn watch_for_sale(&mut self, newest: Timestamp) {
        self.watched.on = true;
        for (number, market) in (0..).zip(&mut self.markets) {
            let (Some(market), Some(id)) = (market, MarketId::new(number)) else { continue };
            self.watched.markets.push(id);
            market.newest_accepted = newest;
            let skus = u32::try_from(market.skus.len()).expect("law: SKUs are numbered in 32 bits");
            market.ledger.moved = Moved { watched: true, skus: (1..=skus).map(SkuId).collect() };
        }
    }

    /// Tells every SKU that changed since the last call, some more than once, as it is now.
    pub fn take_for_sale(&mut self, tell: &mut impl FnMut(ForSale)) {
        for id in self.watched.markets.drain(..) {
            let Some(market) = self.markets.get_mut(id.number() as usize).and_then(Option::as_deref_mut) else {
                continue;
            };
            let (mut skus, tells) = (std::mem::take(&mut market.ledger.moved.skus), market.policies.tells());
            if !market.kits.is_empty() {
                add_kits(&mut skus, market);
            }
            for sku in skus.drain(..) {
                let (units, newest_accepted) = (market.for_sale(sku), market.newest_accepted);
                if tells && market.policies.rule(sku).is_some_and(|rule| rule.policy.level(units) != rule.level) {
                    self.crossed.insert((id, sku));
                }
                tell(ForSale { market: id, sku, units, newest_accepted });
            }
            // The memory goes back: the next turn needs it.
            market.ledger.moved.skus = skus;
        }
    }

    /// A fact was folded: its market may have something to tell.
    pub(super) fn note_market(&mut self, fact: &Fact<'_>) {
        let Some(market) = fact.market() else { return };
        if let Fact::MarketOpened { .. } = fact
            && let Some(Some(opened)) = self.markets.get_mut(market.number() as usize)
        {
            opened.ledger.moved.watched = true;
        }
        if self.watched.markets.last() != Some(&market) {
            self.watched.markets.push(market);
        }
    }
}
