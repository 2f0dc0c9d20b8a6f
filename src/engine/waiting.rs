//! Who waits for which SKU: units that were sold and are not there yet, and the turn in which they are given.
//!
//! ```text
//! placed beyond the shelf ─► owed, in the SKU's queue by order number ── cancelled, expired ─► dropped
//!                                      ▲ first in line
//! receipt, return, expiry, cancel ─► arriving ─► a fill gives them, one order a fact ── nobody waits ─► available
//! ```
//!
//! # Always true
//! - What a SKU's queue holds is what its orders are owed (`invariants`).
//! - While a SKU is waited for, no unit of it is for sale from the shelf: whatever is available is safety stock.
//! - Units arrive only while somebody waits.
//! # Not here
//! - Whether an order may be owed anything: `routing`. What is asked of this list: `fill`.
//! # Why so
//! Numbers are given in the order of acceptance, so they are the order of waiting; an identifier's tail is its client's
//! choice, and nobody shall get to the front by choosing it.

use std::collections::{BTreeMap, VecDeque};

use crate::base::{OrderNumber, SkuId};

/// Orders that wait for one SKU.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// What each is owed, all its lines together.
    orders: BTreeMap<OrderNumber, u64>,
    /// The sum.
    units: u64,
    /// Whether it stands in `ready`.
    is_ready: bool,
}

/// Who waits in one market.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    queues: BTreeMap<SkuId, Queue>,
    /// Pairs of order and SKU.
    pairs: u64,
    units: u64,
    /// SKUs of which something arrived that may be given. No part of the state: it follows from what is arriving.
    ready: VecDeque<SkuId>,
    /// Whether the shard knows that `ready` is not empty.
    pub(super) is_listed: bool,
}

impl Waiting {
    /// Pairs of an order and a SKU that it waits for.
    pub(super) const fn pairs(&self) -> u64 {
        self.pairs
    }

    /// Units owed of all SKUs.
    pub(super) const fn units(&self) -> u64 {
        self.units
    }

    /// Units owed of one SKU.
    #[inline]
    pub(super) fn owed(&self, sku: SkuId) -> u64 {
        // Most markets have none, and most placements are of those.
        if self.queues.is_empty() { 0 } else { self.queues.get(&sku).map_or(0, |queue| queue.units) }
    }

    /// Every SKU that is waited for, by number.
    pub(super) fn skus(&self) -> Vec<SkuId> {
        self.queues.keys().copied().collect()
    }

    pub(super) fn is_waited_for(&self, sku: SkuId) -> bool {
        self.owed(sku) > 0
    }

    /// Who waits for a SKU, and for how many units, first in line first, from behind `after`.
    pub(super) fn behind(&self, sku: SkuId, after: OrderNumber) -> impl Iterator<Item = (OrderNumber, u64)> {
        let queue = self.queues.get(&sku).into_iter();
        let behind = (core::ops::Bound::Excluded(after), core::ops::Bound::Unbounded);
        queue.flat_map(move |queue| queue.orders.range(behind)).map(|(number, units)| (*number, *units))
    }

    /// An order is owed so many units more.
    pub(super) fn join(&mut self, sku: SkuId, number: OrderNumber, units: u64) {
        let queue = self.queues.entry(sku).or_default();
        let owed = queue.orders.entry(number).or_default();
        self.pairs += u64::from(*owed == 0);
        *owed += units;
        queue.units += units;
        self.units += units;
    }

    /// An order is owed so many units less.
    pub(super) fn leave(&mut self, sku: SkuId, number: OrderNumber, units: u64) {
        const LAW: &str = "law: what an order is owed no more it was owed";
        let queue = self.queues.get_mut(&sku).expect(LAW);
        let owed = queue.orders.get_mut(&number).expect(LAW);
        *owed = owed.checked_sub(units).expect(LAW);
        if *owed == 0 {
            queue.orders.remove(&number);
            self.pairs -= 1;
        }
        queue.units -= units;
        self.units -= units;
        if queue.units == 0 {
            self.queues.remove(&sku);
        }
    }

    /// Something arrived for those who wait.
    #[cold]
    pub(super) fn note_arrival(&mut self, sku: SkuId) {
        if let Some(queue) = self.queues.get_mut(&sku).filter(|queue| !queue.is_ready) {
            queue.is_ready = true;
            self.ready.push_back(sku);
        }
    }

    pub(super) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// The next SKU of which something arrived; nothing is noted of it any more.
    pub(super) fn take_ready(&mut self) -> Option<SkuId> {
        let sku = self.ready.pop_front()?;
        if let Some(queue) = self.queues.get_mut(&sku) {
            queue.is_ready = false;
        }
        Some(sku)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_goes_by_number_and_ends_with_its_last_unit() {
        let (sku, mut waiting) = (SkuId(1), Waiting::default());
        for (number, units) in [(7, 2), (3, 1), (7, 1)] {
            waiting.join(sku, OrderNumber(number), units);
        }
        let all: Vec<_> = waiting.behind(sku, OrderNumber(0)).collect();
        assert_eq!(all, [(OrderNumber(3), 1), (OrderNumber(7), 3)]);
        assert_eq!(waiting.behind(sku, OrderNumber(3)).count(), 1);
        assert_eq!((waiting.owed(sku), waiting.units(), waiting.pairs()), (4, 4, 2));
        waiting.note_arrival(sku);
        waiting.note_arrival(sku);
        waiting.note_arrival(SkuId(2));
        assert_eq!((waiting.take_ready(), waiting.take_ready()), (Some(sku), None), "once, and only who is waited for");
        waiting.leave(sku, OrderNumber(3), 1);
        waiting.leave(sku, OrderNumber(7), 3);
        assert_eq!((waiting.owed(sku), waiting.units(), waiting.pairs()), (0, 0, 0));
        assert!(waiting.queues.is_empty());
    }
}
