//! What queries answer in pages, compared with the twin's.

use stockade::base::{CustomerKey, MarketId, OrderNumber, SkuId};
use stockade::engine::TaskKind;
use stockade::engine::query::{HolderRow, OrderRow, TaskRow, WaitRow};

use super::Rig;
use crate::twin::Waited;

impl Rig {
    pub(super) fn check_pages(&self, market: MarketId) {
        assert_eq!(
            self.open_orders(market, 2),
            self.twin.open_orders(market),
            "open orders: engine (left), twin (right)"
        );
        self.check_held_orders(market);
        self.check_tasks(market);
        let (customers, skus) = self.twin.subjects(market);
        for customer in customers {
            let (found, expected) =
                (self.customer_orders(market, customer), self.twin.customer_orders(market, customer));
            assert_eq!(found, expected, "orders of {customer:?}: engine (left), twin (right)");
        }
        for sku in skus {
            let (found, expected) = (self.holders(market, sku), self.twin.holders(market, sku));
            assert_eq!(found, expected, "holders of {sku}: engine (left), twin (right)");
        }
    }

    /// All orders that are held, page by page.
    fn check_held_orders(&self, market: MarketId) {
        let mut after = Some(OrderNumber(0));
        while let Some(number) = after {
            let found = self.engine.held_orders(market, number, 2);
            assert_eq!(found, self.twin.held_orders(market, number, 2), "held orders: engine (left), twin (right)");
            after = found.expect("the market is open").next;
            assert!(after.is_none_or(|after| after > number), "the page after {number} goes on after {after:?}");
        }
    }

    /// All tasks, page by page: of each kind, and of all.
    fn check_tasks(&self, market: MarketId) {
        for kind in std::iter::once(None).chain(TaskKind::ALL.map(Some)) {
            let mut after = None;
            loop {
                let found = self.engine.tasks(market, kind, after, 2, self.now).map(|page| {
                    let row = |row: TaskRow| (row.kind, row.since, row.order, row.amount, row.currency);
                    (page.rows.into_iter().map(row).collect::<Vec<_>>(), page.next)
                });
                assert_eq!(
                    found,
                    self.twin.task_page(market, kind, after, (2, self.now)),
                    "tasks: engine (left), twin (right)"
                );
                let next = found.expect("the market is open").1;
                assert!(next.is_none() || next > after, "the page after {after:?} goes on after {next:?}");
                if next.is_none() {
                    break;
                }
                after = next;
            }
        }
        for order in self.twin.order_ids(market) {
            let found = self.engine.waits(order, self.now).map(|waits| {
                let row = |row: WaitRow| (row.what, row.since, row.until, row.amount);
                waits.rows.into_iter().map(row).collect::<Vec<Waited>>()
            });
            assert_eq!(found, self.twin.waits(order, self.now), "what {order} waits for: engine (left), twin (right)");
        }
    }

    /// All orders of a customer, page by page.
    fn customer_orders(&self, market: MarketId, customer: CustomerKey) -> Vec<OrderRow> {
        let (mut rows, mut before) = (Vec::new(), OrderNumber(0));
        loop {
            let page = self.engine.customer_orders(market, customer, before, 2).expect("the market is open");
            rows.extend(page.rows);
            match page.next {
                Some(next) if before.0 == 0 || next < before => before = next,
                Some(next) => panic!("the page before {before} goes on before {next}"),
                None => return rows,
            }
        }
    }

    /// All open orders that hold a SKU, page by page.
    fn holders(&self, market: MarketId, sku: SkuId) -> Vec<HolderRow> {
        let (mut rows, mut after) = (Vec::new(), OrderNumber(0));
        loop {
            let page = self.engine.holders(market, sku, after, 2).expect("the market is open");
            rows.extend(page.rows);
            match page.next {
                Some(next) if next > after => after = next,
                Some(next) => panic!("the page after {after} goes on after {next}"),
                None => return rows,
            }
        }
    }

    /// All open orders, page by page.
    pub(crate) fn open_orders(&self, market: MarketId, rows_max: u16) -> Vec<OrderRow> {
        let (mut rows, mut after) = (Vec::new(), OrderNumber(0));
        loop {
            let page = self.engine.open_orders(market, after, rows_max).expect("the market is open");
            assert!(page.rows.len() <= usize::from(rows_max), "a page is at most as long as asked");
            rows.extend(page.rows);
            match page.next {
                Some(next) if next > after => after = next,
                Some(next) => panic!("the page after {after} goes on after {next}"),
                None => return rows,
            }
        }
    }
}
