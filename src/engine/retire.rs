//! Retiring: which orders are closed next, and which leave.
//!
//! ```text
//! closings  (end + return window, position) ─► Closed: becomes a tombstone, or leaves at once when it is old enough
//! returns   (last told of + 30 days, position) ─► expired, lost or closed
//! leavings  (identifier + time kept, position) ─► Retired: identifiers before … are refused ─► Left
//! ```
//!
//! # Always true
//! - One fact takes a bounded number of orders and lines.
//! - An order is never closed early. It may be closed a little late, and until then it is whole: unlike the end of a
//!   reservation nobody else waits for it, so no command asks whether a closing is due.
//! - An order of which an effect is still wanted, or with an open return, is not closed.
//! - An entry whose order has other plans by now is stale and is dropped when its time comes.

use super::Engine;
use super::deadline::Deadlines;
use super::fact::Fact;
use super::orders::{Phase, Record};
use super::return_::ReturnFact;
use super::returns::Return;
use crate::base::limits::{RETIREMENT_LINES_MAX, RETIREMENT_ORDERS_MAX};
use crate::base::{OrderId, Timestamp};

impl Engine {
    /// Whether [`Engine::next_retirement`] may give something at `now`. Says yes too often rather than too rarely.
    #[must_use]
    pub fn has_retirements(&self, now: Timestamp) -> bool {
        self.next_retirement_at().is_some_and(|at| at <= now)
    }

    /// A moment before which nothing is closed and nothing leaves; `None` when nothing waits for it.
    #[must_use]
    pub fn next_retirement_at(&self) -> Option<Timestamp> {
        [self.closings.next(), self.leavings.next(), self.returns.next_end()].into_iter().flatten().min()
    }

    /// The next fact of retiring that is due at `now`. Fold it, then ask again. `orders` is memory for its orders.
    pub fn next_retirement<'s>(&mut self, now: Timestamp, orders: &'s mut Vec<OrderId>) -> Option<Fact<'s>> {
        orders.clear();
        if let Some((position, Return { id, stage, .. })) = self.returns.ended(now) {
            let (order, report) = (self.orders.record(position).order, stage.left_alone());
            let what = ReturnFact::Told(report.expect("law: only what is open ends by itself"));
            return Some(Fact::Return { order, id: *id, what });
        }
        if let Some(fact) = self.collect_closings(now, orders) {
            return Some(fact);
        }
        if !orders.is_empty() {
            return Some(Fact::Closed { orders });
        }
        if let Some(fact) = self.collect_leavings(now, orders) {
            return Some(fact);
        }
        if orders.is_empty() { None } else { Some(Fact::Left { orders }) }
    }

    /// Collects orders to be closed; or tells what has to happen before the first of them is.
    fn collect_closings(&mut self, now: Timestamp, orders: &mut Vec<OrderId>) -> Option<Fact<'static>> {
        let mut lines = 0;
        while let Some((position, record)) = next(&mut self.closings, &self.orders, now, Phase::Whole) {
            // Something is still wanted of it, or to come back, or its money disputed: entered again when that is done.
            if self.wants.is_open(position) || self.is_disputed(position) || self.returns.is_open(position) {
                self.closings.drop_first();
                continue;
            }
            // The same moment can be entered twice for one order; its entries are neighbours.
            if orders.last() != Some(&record.order) {
                lines += usize::from(record.lines.len);
                if orders.len() == RETIREMENT_ORDERS_MAX || (lines > RETIREMENT_LINES_MAX && !orders.is_empty()) {
                    break;
                }
                if let Some(fact) = self.retired_first(position, now) {
                    return orders.is_empty().then_some(fact);
                }
                orders.push(self.orders.record(position).order);
            }
            self.closings.drop_first();
        }
        None
    }

    /// Collects tombstones that leave; or tells what has to happen before the first of them does.
    fn collect_leavings(&mut self, now: Timestamp, orders: &mut Vec<OrderId>) -> Option<Fact<'static>> {
        while let Some((position, record)) = next(&mut self.leavings, &self.orders, now, Phase::Tombstone) {
            let order = record.order;
            if orders.len() == RETIREMENT_ORDERS_MAX {
                break;
            }
            if let Some(fact) = self.retired_first(position, now) {
                return orders.is_empty().then_some(fact);
            }
            self.leavings.drop_first();
            if orders.last() == Some(&order) {
                continue;
            }
            let market = self.market(order.market()).expect("law: a tombstone's market is open");
            if order.made_at() < market.retired_before {
                orders.push(order);
                continue;
            }
            // Identifiers are kept longer than when it was entered. At the end of time itself there is no later.
            let leaves_at = market.retention.leaves_at(order.made_at());
            if leaves_at > now {
                self.keep_until(leaves_at, position);
            }
        }
        None
    }

    /// An identifier that need not be kept any more is refused before it is forgotten.
    fn retired_first(&self, position: u32, now: Timestamp) -> Option<Fact<'static>> {
        let order = self.orders.record(position).order;
        let market = self.market(order.market()).expect("law: an order's market is open");
        let floor = market.retention.floor(now);
        let is_first = order.made_at() < floor && order.made_at() >= market.retired_before;
        is_first.then_some(Fact::Retired { market: order.market(), before: floor })
    }
}

/// The first entry that is due and means an order in this phase; drops stale ones before it.
fn next<'o>(
    queue: &mut Deadlines,
    orders: &'o super::orders::Orders,
    now: Timestamp,
    phase: Phase,
) -> Option<(u32, &'o Record)> {
    while let Some((at, position)) = queue.first_due(now) {
        let record = orders.record(position);
        if record.phase == phase && record.closes_at == at {
            return Some((position, record));
        }
        queue.drop_first();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::choices::{PaymentMethod, Take};
    use super::super::{Capacity, Command, Line, Place, Retention, Scratch};
    use super::*;
    use crate::base::limits::{DEADLINES_STALE_MAX, HOLD_MS_MAX, IDS_KEPT_MS_MIN};
    use crate::base::{Currency, CustomerKey, MarketId, RequestId, ShardId, SiteId, SkuId};

    /// A month is asked for every order, and each is cancelled at once and has left within two minutes.
    #[test]
    fn deadlines_of_orders_that_have_left_do_not_pile_up() {
        let market = MarketId::new(1).expect("fits");
        let (begin, sku, site) = (Timestamp::from_ms(1_700_000_000_000), SkuId(1), SiteId(1));
        let mut engine = Engine::new(ShardId(0), 1, Capacity::UNBOUNDED);
        let mut scratch = Scratch::default();
        let retention = Retention { return_window_ms: 0, ids_kept_ms: IDS_KEPT_MS_MIN };
        let request = RequestId::new(begin, market, 0);
        for command in [
            Command::OpenMarket { market, code: "m" },
            Command::CreateSku { market, code: "s" },
            Command::Receive { request, sku, site, quantity: 10 },
            Command::SetRetention { market, retention },
        ] {
            engine.submit(&command, begin, &mut scratch, &mut |_| {}).expect("fits");
        }
        let lines = [Line { sku, quantity: 1, price: 1 }];
        let (mut orders, mut now, mut most) = (Vec::new(), begin, 0);
        for number in 0..400_000_u64 {
            now = begin.after_ms(number * 10);
            let order = OrderId::new(now, market, number);
            let place = Place {
                order,
                customer: CustomerKey(0),
                take: Take::AllOrNothing,
                // Of every distance, so that both levels are swept.
                hold_ms: HOLD_MS_MAX >> (number % 16),
                currency: Currency::new(*b"EUR").expect("three letters"),
                payment: PaymentMethod::Card,
                channel: 0,
                zone: 0,
                hashes: None,
                lines: &lines,
                details: &[],
                key: None,
            };
            for command in [Command::Place(place), Command::Cancel { order, block: false }] {
                engine.submit(&command, now, &mut scratch, &mut |_| {}).expect("there is one");
            }
            while let Some(fact) = engine.next_retirement(now, &mut orders) {
                engine.fold(&fact, now);
            }
            most = most.max(engine.deadlines.len());
        }
        assert!(engine.orders.len() < 10_000, "{} orders are kept", engine.orders.len());
        assert!(most < 2 * DEADLINES_STALE_MAX, "{most} deadlines of {} orders", engine.orders.len());
        assert!(most > DEADLINES_STALE_MAX, "{most}: nothing was swept");
        assert!(engine.next_due(now).is_none());
    }
}
