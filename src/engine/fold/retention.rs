//! Folding what is kept no longer: orders become tombstones, tombstones leave, their identifiers are refused.
//!
//! # Always true
//! - The books do not move: what leaves goes on to be counted in `Market::gone`.

use super::super::Engine;
use super::super::orders::Phase;
use super::super::retention::Retention;
use super::market_of;
use crate::base::{MarketId, OrderId, Timestamp};

impl Engine {
    pub(super) fn fold_retention_set(&mut self, market: MarketId, retention: Retention) {
        self.market_mut(market).retention = retention;
    }

    pub(super) fn fold_retired(&mut self, market: MarketId, before: Timestamp) {
        let market = self.market_mut(market);
        assert!(before > market.retired_before, "law: what was refused once stays refused");
        market.retired_before = before;
    }

    pub(super) fn fold_closed(&mut self, orders: &[OrderId]) {
        for order in orders {
            let position = self.position_of(*order);
            let record = self.orders.record(position);
            assert!(record.phase == Phase::Whole && record.closes_at != Timestamp::ZERO, "law: {order} has ended");
            let (state, hash) = self.state_and_hash(position);
            let market = market_of(&mut self.markets, order.market());
            let lines = self.orders.lines(record);
            let with_customer = self.orders.draws(record).iter().map(|draw| {
                let units = u64::from(draw.units.shipped - draw.units.returned);
                units * market.kits.units_of(lines[usize::from(draw.line)].sku)
            });
            let with_customer = with_customer.sum();
            market.gone.add(state, hash, with_customer);
            assert!(!self.wants.is_open(position), "law: {order} is closed when nothing is wanted of it");
            assert!(!self.returns.is_open(position), "law: {order} is closed when nothing is to come back");
            self.returns.forget(position);
            self.drop_tasks(position);
            self.close_account(position);
            self.wants.forget(position);
            self.leave_key(position);
            self.drop_holds(position);
            self.orders.close(position);
            let market = market_of(&mut self.markets, order.market());
            if order.made_at() < market.retired_before {
                market.numbers.leave(self.orders.record(position).number);
                self.orders.remove(position);
            } else {
                let leaves_at = market.retention.leaves_at(order.made_at());
                self.keep_until(leaves_at, position);
            }
        }
    }

    pub(super) fn fold_left(&mut self, orders: &[OrderId]) {
        for order in orders {
            let position = self.position_of(*order);
            let record = self.orders.record(position);
            let market = market_of(&mut self.markets, order.market());
            let may_leave = record.phase == Phase::Tombstone && order.made_at() < market.retired_before;
            assert!(may_leave, "law: only a tombstone whose identifier is refused leaves, {order} does not");
            if record.number.0 == 0 {
                market.gone.add(record.state, self.orders.hash(record), 0);
            } else {
                market.numbers.leave(record.number);
            }
            self.orders.remove(position);
        }
    }

    /// Enters when a tombstone may leave.
    pub(in crate::engine) fn keep_until(&mut self, leaves_at: Timestamp, position: u32) {
        self.orders.set_closes_at(position, leaves_at);
        self.leavings.insert(leaves_at, position);
    }
}
