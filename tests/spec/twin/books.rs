//! What the twin knows, in the words of the engine's queries: balances, books, orders and pages of them.

use std::collections::{BTreeMap, BTreeSet};

use stockade::base::{CustomerKey, MarketId, OrderId, SiteId, SkuId, Timestamp};
use stockade::engine::Books;
use stockade::engine::command::IdentityHashes;
use stockade::engine::ledger::{BUCKETS, Bucket};
use stockade::engine::order::{STATES, State};
use stockade::engine::query::{CheckState, DrawView, HolderRow, LineView, OrderRow, OrderView};
use xxhash_rust::xxh3::xxh3_128;

use super::account::price;
use super::claims::Return;
use super::order::{Fate, Order, Record, Unit};
use super::{Market, Twin};

type Balances = [i64; BUCKETS];

impl Twin {
    /// Balances of every (SKU, site) that ever held a unit.
    pub(crate) fn balances(&self, market: MarketId) -> BTreeMap<(SkuId, SiteId), Balances> {
        let market = &self.markets[&market];
        let mut all: BTreeMap<(SkuId, SiteId), Balances> = BTreeMap::new();
        let mut post = |sku, site, bucket: Bucket, units: i64| {
            all.entry((sku, site)).or_default()[bucket as usize] += units;
        };
        for goods in &market.goods {
            post(goods.sku, goods.from.site, goods.from.bucket, -goods.units);
            post(goods.sku, goods.to.site, goods.to.bucket, goods.units);
        }
        for order in market.placed() {
            for (line, units) in order.asked.lines.iter().zip(&order.lines) {
                let parts = market.parts(line.sku);
                for (unit, (&sku, &each)) in units.iter().flat_map(|unit| parts.iter().map(move |part| (unit, part))) {
                    let (Some(bucket), each) = (bucket_of(unit), each.cast_signed()) else { continue };
                    post(sku, unit.site, Bucket::Available, -each);
                    post(sku, unit.site, bucket, each);
                    if let Some(to) = unit.returned_to {
                        post(sku, unit.site, Bucket::Customer, -each);
                        post(sku, to.site, to.bucket, each);
                    }
                }
            }
        }
        all
    }

    pub(crate) fn books(&self, market: MarketId) -> Books {
        let mut units = [0; BUCKETS];
        for balances in self.balances(market).into_values() {
            for (sum, balance) in units.iter_mut().zip(balances) {
                *sum += balance;
            }
        }
        let mut orders = [0; STATES];
        let mut orders_hash = 0_u128;
        for (&id, record) in &self.markets[&market].orders {
            orders[state_of(record) as usize] += 1;
            orders_hash = orders_hash.wrapping_add(hash_of(id, record));
        }
        let (owed, money) = (self.markets[&market].owed_anywhere(), self.money(market));
        Books { units, owed, orders, orders_hash, money }
    }

    pub(crate) fn view(&self, id: OrderId) -> Option<OrderView> {
        let market = self.markets.get(&id.market())?;
        match market.known(id)? {
            Record::Order(order) if market.closed.contains(&id) => {
                let view = order.view(id);
                let (lines, draws, details, payments) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
                let view = OrderView { lines, draws, details, payments, returns: Vec::new(), ..view };
                let view = OrderView { closed: true, hashes: None, erased: false, ..view };
                Some(OrderView { missing: 0, check: CheckState::NotNeeded, ..view })
            }
            Record::Order(order) => Some(order.view(id)),
            Record::Blocked => None,
        }
    }

    pub(crate) fn is_blocked(&self, id: OrderId) -> bool {
        let record = self.markets.get(&id.market()).and_then(|market| market.orders.get(&id));
        matches!(record, Some(Record::Blocked))
    }

    /// Every open order, in order of their numbers.
    pub(crate) fn open_orders(&self, market: MarketId) -> Vec<OrderRow> {
        let mut rows: Vec<OrderRow> = self.markets[&market].open_orders().collect();
        rows.sort_by_key(|row| row.number);
        rows
    }

    /// Every order of a customer that is not gone, newest first.
    pub(crate) fn customer_orders(&self, market: MarketId, customer: CustomerKey) -> Vec<OrderRow> {
        let market = &self.markets[&market];
        let of_customer = market.orders.iter().filter_map(|(&id, record)| match record {
            Record::Order(order) if order.asked.customer == customer && !market.gone.contains(&id) => {
                Some(order.row(id))
            }
            Record::Order(_) | Record::Blocked => None,
        });
        let mut rows: Vec<OrderRow> = of_customer.collect();
        rows.sort_by_key(|row| std::cmp::Reverse(row.number));
        rows
    }

    /// What every open order holds of a SKU, in order of their numbers.
    pub(crate) fn holders(&self, market: MarketId, sku: SkuId) -> Vec<HolderRow> {
        let holds = |row: &OrderRow| {
            let Some(Record::Order(order)) = self.markets[&market].orders.get(&row.order) else { return None };
            let mut held = HolderRow { order: *row, owed: 0, reserved: 0, committed: 0 };
            for (at, line) in order.asked.lines.iter().enumerate() {
                let (each, line) = (self.markets[&market].counts_as(line.sku, sku), order.line_view(at));
                held.owed += each * u64::from(line.owed);
                held.reserved += each * u64::from(line.reserved);
                held.committed += each * u64::from(line.committed);
            }
            (held.owed + held.reserved + held.committed > 0).then_some(held)
        };
        self.open_orders(market).iter().filter_map(holds).collect()
    }

    /// Customers and SKUs of a market that somebody may ask about.
    pub(crate) fn subjects(&self, market: MarketId) -> (BTreeSet<CustomerKey>, BTreeSet<SkuId>) {
        let orders = || self.markets[&market].placed();
        let customers = orders().map(|order| order.asked.customer).filter(|customer| customer.0 != 0).collect();
        let named = orders().flat_map(|order| order.asked.lines.iter().map(|line| line.sku));
        let parts = |sku: SkuId| self.markets[&market].parts(sku).into_keys().chain([sku]);
        (customers, named.flat_map(parts).collect())
    }

    /// Everybody who ever placed an order, by key and hashes.
    pub(crate) fn whoever_placed(&self, market: MarketId) -> BTreeSet<(CustomerKey, [u64; 3])> {
        let of = |order: &Order| {
            let IdentityHashes { account, address, instrument } = order.asked.hashes.unwrap_or_default();
            (order.asked.customer, [account, address, instrument])
        };
        self.markets[&market].placed().map(of).collect()
    }

    /// When the next reservation ends.
    pub(crate) fn next_deadline(&self) -> Option<Timestamp> {
        let placed = self.markets.values().flat_map(Market::placed);
        placed.filter(|order| order.count(Fate::Reserved) > 0).map(|order| order.deadline).min()
    }
}

impl Market {
    fn open_orders(&self) -> impl Iterator<Item = OrderRow> {
        self.orders.iter().filter_map(|(&id, record)| match record {
            Record::Order(order) if order.state().is_open() => Some(order.row(id)),
            Record::Order(_) | Record::Blocked => None,
        })
    }
}

impl Order {
    pub(super) fn row(&self, order: OrderId) -> OrderRow {
        OrderRow { order, number: self.number, state: self.state(), deadline: self.deadline }
    }

    fn view(&self, order: OrderId) -> OrderView {
        let asked = &self.asked;
        OrderView {
            order,
            number: self.number,
            state: self.state(),
            closed: false,
            customer: asked.customer,
            accepted_at: self.accepted_at,
            deadline: self.deadline,
            take: asked.take,
            currency: asked.currency,
            payment: asked.payment,
            channel: asked.channel,
            zone: asked.zone,
            hashes: asked.hashes,
            lines: (0..self.lines.len()).map(|at| self.line_view(at)).collect(),
            draws: (0..self.lines.len()).flat_map(|at| self.draw_views(at)).collect(),
            details: if self.erased { Vec::new() } else { asked.details.clone() },
            key: None,
            erased: self.erased,
            holds: self.holds.clone(),
            missing: price(self.missing()),
            check: self.check_state(),
            payments: self.payments(),
            returns: self.returns.iter().map(Return::view).collect(),
        }
    }

    fn line_view(&self, at: usize) -> LineView {
        let (line, units) = (&self.asked.lines[at], &self.lines[at]);
        LineView {
            sku: line.sku,
            asked: line.quantity,
            price: line.price,
            taken: units.len() as u32,
            owed: units.iter().filter(|unit| unit.is_owed()).count() as u32,
            reserved: count(units, Fate::Reserved),
            lapsed: count(units, Fate::Lapsed),
            committed: count(units, Fate::Committed),
            shipped: count(units, Fate::Shipped),
            cancelled: count(units, Fate::Cancelled),
            returned: units.iter().filter(|unit| unit.returned_to.is_some()).count() as u32,
            delivered: self.delivered(at as u16) as u32,
        }
    }

    /// Sites in the order in which the line drew on them; those that hold nothing any more are left out.
    fn draw_views(&self, at: usize) -> Vec<DrawView> {
        let at_site = |site: &SiteId| {
            let units: Vec<Unit> = self.lines[at].iter().filter(|unit| unit.site == *site).copied().collect();
            let [reserved, committed, shipped] =
                [Fate::Reserved, Fate::Committed, Fate::Shipped].map(|fate| count(&units, fate));
            DrawView { line: at as u16, site: *site, reserved, committed, shipped }
        };
        let draws = self.drew_on[at].iter().map(at_site);
        draws.filter(|draw| draw.reserved + draw.committed + draw.shipped > 0).collect()
    }
}

/// Which bucket holds a unit of an order; `None` when it is back on the shelf, or has never lain anywhere.
fn bucket_of(unit: &Unit) -> Option<Bucket> {
    match unit.fate {
        _ if unit.is_owed() => None,
        Fate::Reserved => Some(Bucket::Reserved),
        Fate::Committed => Some(Bucket::Committed),
        Fate::Shipped => Some(Bucket::Customer),
        Fate::Lapsed | Fate::Cancelled => None,
    }
}

/// Units of one fate that are not owed.
fn count(units: &[Unit], fate: Fate) -> u32 {
    units.iter().filter(|unit| unit.fate == fate && !unit.is_owed()).count() as u32
}

fn state_of(record: &Record) -> State {
    match record {
        Record::Order(order) => order.state(),
        Record::Blocked => State::Blocked,
    }
}

/// `docs/WIRE-PROTOCOL.md`, "Books".
fn hash_of(id: OrderId, record: &Record) -> u128 {
    let mut bytes = id.bits().to_le_bytes().to_vec();
    bytes.push(state_of(record) as u8);
    if let Record::Order(order) = record {
        for units in &order.lines {
            bytes.extend_from_slice(&(units.len() as u32).to_le_bytes());
            for fate in [Fate::Reserved, Fate::Lapsed, Fate::Committed, Fate::Shipped, Fate::Cancelled] {
                bytes.extend_from_slice(&count(units, fate).to_le_bytes());
            }
        }
    }
    xxh3_128(&bytes)
}
