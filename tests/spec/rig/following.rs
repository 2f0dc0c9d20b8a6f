//! What follows a step by itself, compared with the twin's.

use stockade::base::OrderId;
use stockade::base::limits::PAGE_SCAN_MAX;
use stockade::engine::{Draw, Fact};

use super::Rig;

impl Rig {
    /// What follows a step by itself: who waits gets what arrived, and whoever wants to know is told what is left.
    pub(super) fn follow_up(&mut self) {
        self.engine.handle_time(self.now);
        if self.is_unswept() {
            return;
        }
        if !self.fills_late {
            self.put_back();
            self.fill();
        }
        self.tell_levels();
    }

    /// Puts back whoever holds what was not found.
    pub(crate) fn put_back(&mut self) {
        self.put_back_some(usize::MAX);
        assert!(!self.twin.has_put_backs(), "the engine puts nobody back, and somebody holds what was not found");
    }

    /// The same of so many orders at most; says of how many. The engine chooses which place comes first, the twin says
    /// who.
    pub(crate) fn put_back_some(&mut self, most: usize) -> usize {
        let (mut draws, mut put_back) = (Vec::new(), 0);
        while put_back < most
            && let Some(fact) = self.engine.next_put_back(&mut { PAGE_SCAN_MAX }, &mut draws)
        {
            self.engine.fold(&fact, self.now);
            self.replica.fold(&fact, self.now);
            let Fact::OrderPutBack { order, sku, draws } = fact else { panic!("nobody put back: {fact:?}") };
            let expected = self.twin.put_back(order.market(), (sku, draws[0].site), self.now);
            let told = (order, draws.to_vec());
            assert_eq!(told, expected, "put back by the engine (left) and by the twin (right) at {:?}", self.now);
            self.put_back.push(order);
            put_back += 1;
        }
        put_back
    }

    /// Gives all that arrived to those who wait for it. The engine chooses which SKU comes first, the twin says who.
    pub(crate) fn fill(&mut self) {
        assert!(!self.twin.has_fills() || self.engine.has_fills(), "something arrived, and nobody is to be filled");
        let mut draws = Vec::new();
        while let Some(fact) = self.engine.next_fill(&mut draws) {
            self.engine.fold(&fact, self.now);
            self.replica.fold(&fact, self.now);
            let Fact::Filled { order, draws } = fact else { panic!("not a fill: {fact:?}") };
            let skus = self.twin.skus_of(order, draws.iter().map(|draw| draw.line));
            let mut expected = self.twin.fill(order.market(), &skus, self.now);
            expected.sort_by_key(|(_, draw)| draw.line);
            let filled: Vec<(OrderId, Draw)> = draws.iter().map(|draw| (order, *draw)).collect();
            assert_eq!(filled, expected, "filled by the engine (left) and by the twin (right) at {:?}", self.now);
        }
        assert!(!self.twin.has_fills(), "the engine fills nobody more, and something is left");
    }

    /// The same without the twin; says how many were given something.
    pub(crate) fn fill_engine_alone(&mut self) -> usize {
        let (mut draws, mut filled) = (Vec::new(), 0);
        while let Some(fact) = self.engine.next_fill(&mut draws) {
            self.engine.fold(&fact, self.now);
            self.replica.fold(&fact, self.now);
            filled += 1;
        }
        filled
    }

    /// Takes a look at what is for sale, as a shard does at the end of a turn.
    pub(crate) fn tell_levels(&mut self) {
        let for_sale = &mut self.for_sale;
        self.engine.take_for_sale(&mut |told| {
            for_sale.insert((told.market, told.sku), told.units);
        });
        let mut told = Vec::new();
        while let Some(fact) = self.engine.next_stock_level() {
            self.engine.fold(&fact, self.now);
            self.replica.fold(&fact, self.now);
            let Fact::StockLevelChanged { market, sku, level, for_sale } = fact else { panic!("no level: {fact:?}") };
            told.push((market, sku, level, for_sale));
        }
        told.sort_by_key(|&(market, sku, ..)| (market, sku));
        let expected = self.twin.tell_levels();
        assert_eq!(told, expected, "stock levels told by the engine (left) and by the twin (right) at {:?}", self.now);
        self.levels.extend(told);
    }
}
