//! Who waits for which SKU: units that were sold and are not there yet, or not any more, and the turn in which they are
//! given.
//!
//! ```text
//! placed beyond the shelf ─► owed, in the SKU's line by order number ── cancelled, expired ─► dropped
//!                                     ▲ first in line
//! receipt, return, expiry, cancel ─► arriving ─► a fill gives them, one order a fact ── nobody waits ─► available
//! ```
//!
//! # Always true
//! - What a SKU's line holds is what its orders are owed (`invariants`).
//! - While a SKU is waited for, no unit of it is for sale from the shelf: whatever is available is safety stock.
//! - Units arrive only while somebody waits.
//! - A kit is waited for only by orders that were put back. Its components never arrive for it: whole kits are given
//!   from the shelf, and none is for sale meanwhile.
//! # Not here
//! - Whether an order may be owed anything: `routing`. What is asked of this list: `fill`.
//! # Why so
//! Numbers are given in the order of acceptance, so they are the order of waiting; an identifier's tail is its client's
//! choice, and nobody shall get to the front by choosing it.

use core::ops::Bound::{Excluded, Included};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::base::{OrderNumber, SkuId};

/// Who waits in one market.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// What each order is owed of a SKU, all its lines together.
    pairs: BTreeMap<(SkuId, OrderNumber), u64>,
    /// The sums by SKU.
    owed: BTreeMap<SkuId, u64>,
    units: u64,
    /// Of these, kits.
    kits: u64,
    /// SKUs of which something arrived that may be given, each once. No part of the state: it follows from what is
    /// arriving.
    ready: VecDeque<SkuId>,
    is_ready: BTreeSet<SkuId>,
    /// Whether the shard knows that `ready` is not empty.
    pub(super) is_listed: bool,
}

impl Waiting {
    /// Pairs of an order and a SKU that it waits for.
    pub(super) fn pairs(&self) -> u64 {
        self.pairs.len() as u64
    }

    /// Units owed of all SKUs.
    pub(super) const fn units(&self) -> u64 {
        self.units
    }

    /// Units owed of one SKU.
    #[inline]
    pub(super) fn owed(&self, sku: SkuId) -> u64 {
        // Most markets have none, and most placements are of those.
        if self.owed.is_empty() { 0 } else { self.owed.get(&sku).copied().unwrap_or_default() }
    }

    /// Every SKU that is waited for, by number.
    pub(super) fn skus(&self) -> Vec<SkuId> {
        self.owed.keys().copied().collect()
    }

    pub(super) fn is_waited_for(&self, sku: SkuId) -> bool {
        self.owed(sku) > 0
    }

    /// Who waits for a SKU, and for how many units, first in line first, from behind `after`.
    pub(super) fn behind(&self, sku: SkuId, after: OrderNumber) -> impl Iterator<Item = (OrderNumber, u64)> {
        let behind = (Excluded((sku, after)), Included((sku, OrderNumber(u64::MAX))));
        let pairs = (after.0 < u64::MAX).then(|| self.pairs.range(behind));
        pairs.into_iter().flatten().map(|((_, number), units)| (*number, *units))
    }

    /// Whether somebody waits for a kit.
    #[inline]
    pub(super) const fn has_kits(&self) -> bool {
        self.kits > 0
    }

    /// An order is owed so many units more, of a kit or not.
    pub(super) fn join(&mut self, sku: SkuId, number: OrderNumber, units: u64, is_kit: bool) {
        self.kits += if is_kit { units } else { 0 };
        *self.pairs.entry((sku, number)).or_default() += units;
        *self.owed.entry(sku).or_default() += units;
        self.units += units;
    }

    /// An order is owed so many units less.
    pub(super) fn leave(&mut self, sku: SkuId, number: OrderNumber, units: u64, is_kit: bool) {
        const LAW: &str = "law: what an order is owed no more it was owed";
        let pair = self.pairs.get_mut(&(sku, number)).expect(LAW);
        *pair = pair.checked_sub(units).expect(LAW);
        if *pair == 0 {
            self.pairs.remove(&(sku, number));
        }
        let owed = self.owed.get_mut(&sku).expect(LAW);
        *owed -= units;
        if *owed == 0 {
            self.owed.remove(&sku);
        }
        self.units -= units;
        self.kits -= if is_kit { units } else { 0 };
    }

    /// Something arrived for those who wait.
    #[cold]
    pub(super) fn note_arrival(&mut self, sku: SkuId) {
        if self.is_waited_for(sku) && self.is_ready.insert(sku) {
            self.ready.push_back(sku);
        }
    }

    pub(super) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// The next SKU of which something arrived; nothing is noted of it any more.
    pub(super) fn take_ready(&mut self) -> Option<SkuId> {
        let sku = self.ready.pop_front()?;
        self.is_ready.remove(&sku);
        Some(sku)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_goes_by_number_and_ends_with_its_last_unit() {
        let (sku, mut waiting) = (SkuId(1), Waiting::default());
        for (number, units) in [(7, 2), (3, 1), (7, 1)] {
            waiting.join(sku, OrderNumber(number), units, false);
        }
        waiting.join(SkuId(2), OrderNumber(5), 8, true);
        let all: Vec<_> = waiting.behind(sku, OrderNumber(0)).collect();
        assert_eq!(all, [(OrderNumber(3), 1), (OrderNumber(7), 3)]);
        assert_eq!(waiting.behind(sku, OrderNumber(3)).count(), 1);
        assert_eq!(waiting.behind(sku, OrderNumber(u64::MAX)).count(), 0);
        assert_eq!((waiting.owed(sku), waiting.units(), waiting.pairs()), (4, 12, 3));
        for sku in [sku, sku, SkuId(9)] {
            waiting.note_arrival(sku);
        }
        assert_eq!((waiting.take_ready(), waiting.take_ready()), (Some(sku), None), "once, and only who is waited for");
        waiting.leave(sku, OrderNumber(3), 1, false);
        waiting.leave(sku, OrderNumber(7), 3, false);
        assert_eq!((waiting.owed(sku), waiting.units(), waiting.pairs()), (0, 8, 1));
        assert!(waiting.has_kits());
    }
}
