//! Reading the state: every question of `query`, answered. Changes nothing.

use super::Engine;
use super::command::Whose;
use super::kits::Component;
use super::ledger::BUCKETS;
use super::order::State;
use super::orders::{Details, LineRecord, Phase, Record};
use super::policy::Policy;
use super::query::{Books, DrawView, LineView, OrderPage, OrderRow, OrderView, RetentionView, SiteRow, StockRow};
use super::refusal::{Field, Refusal};
use super::reservation::Reservations;
use crate::base::limits::{AVAILABILITY_SKUS_MAX, PAGE_ROWS_MAX, PAGE_SCAN_MAX, STOCK_ROWS_PER_RECORD_MAX};
use crate::base::{CustomerKey, KeyName, MarketId, OrderId, OrderNumber, SiteId, SkuId};

impl Engine {
    /// Stock of SKUs: a row per site that ever held a unit, or one row of zeroes at the first site.
    ///
    /// # Errors
    /// Unknown market or SKU; more SKUs than a page has rows, counted at every site of the market.
    pub fn stock(&self, market: MarketId, skus: &[SkuId]) -> Result<Vec<StockRow>, Refusal> {
        let market = self.market(market)?;
        check_rows(skus.len(), PAGE_ROWS_MAX.min(STOCK_ROWS_PER_RECORD_MAX / market.ranked.len()))?;
        let mut rows = Vec::with_capacity(skus.len());
        for sku in skus {
            market.check_sku(*sku)?;
            let (first, owed) = (rows.len(), market.waiting.owed(*sku));
            rows.extend(market.ranked.iter().filter_map(|site| {
                let balances = market.ledger.balances(*sku, *site);
                (balances != [0; BUCKETS]).then_some(StockRow { sku: *sku, site: *site, balances, owed })
            }));
            if rows.len() == first {
                rows.push(StockRow { sku: *sku, site: market.ranked[0], balances: [0; BUCKETS], owed });
            }
        }
        Ok(rows)
    }

    /// Units for sale of SKUs, all sites together, in the order asked.
    ///
    /// # Errors
    /// Unknown market or SKU; more SKUs than may be asked for at once.
    pub fn availability(&self, market: MarketId, skus: &[SkuId]) -> Result<Vec<u64>, Refusal> {
        let market = self.market(market)?;
        check_rows(skus.len(), AVAILABILITY_SKUS_MAX)?;
        skus.iter().map(|sku| market.check_sku(*sku).map(|()| market.for_sale(*sku))).collect()
    }

    /// What the shop lets be sold of a SKU.
    ///
    /// # Errors
    /// Unknown market or SKU.
    pub fn policy(&self, market: MarketId, sku: SkuId) -> Result<Policy, Refusal> {
        let market = self.market(market)?;
        market.check_sku(sku).map(|()| market.policy(sku))
    }

    /// What a kit is made of, by number of the component; nothing of a SKU that is none.
    ///
    /// # Errors
    /// Unknown market or SKU.
    pub fn recipe(&self, market: MarketId, sku: SkuId) -> Result<Vec<Component>, Refusal> {
        let market = self.market(market)?;
        market.check_sku(sku)?;
        Ok(market.kits.recipe(sku).map(|recipe| recipe.to_vec()).unwrap_or_default())
    }

    /// Numbers of SKU codes; `None` for a code that does not exist.
    ///
    /// # Errors
    /// Unknown market; more codes than a page has rows.
    pub fn resolve_skus(&self, market: MarketId, codes: &[&str]) -> Result<Vec<Option<SkuId>>, Refusal> {
        check_rows(codes.len(), PAGE_ROWS_MAX)?;
        let market = self.market(market)?;
        Ok(codes.iter().map(|code| market.skus.number(code).map(SkuId)).collect())
    }

    /// The sites of a market in rank order.
    ///
    /// # Errors
    /// Unknown market.
    pub fn sites(&self, market: MarketId) -> Result<Vec<SiteRow>, Refusal> {
        let market = self.market(market)?;
        let row = |site: &SiteId| SiteRow {
            site: *site,
            rank: market.ranks[usize::from(site.0) - 1],
            code: market.sites.code(site.0.into()).unwrap_or_default().to_owned(),
        };
        Ok(market.ranked.iter().map(row).collect())
    }

    /// SKUs with numbers after `after`.
    ///
    /// # Errors
    /// Unknown market; more rows asked than a page has.
    pub fn skus(&self, market: MarketId, after: SkuId, rows_max: u16) -> Result<Vec<(SkuId, String)>, Refusal> {
        check_page(rows_max)?;
        let skus = &self.market(market)?.skus;
        let numbers = after.0.saturating_add(1)..=after.0.saturating_add(rows_max.into());
        Ok(numbers.map_while(|number| skus.code(number).map(|code| (SkuId(number), code.to_owned()))).collect())
    }

    /// One order.
    ///
    /// # Errors
    /// Unknown market or order. A blocked identifier is shown as an order without lines.
    pub fn order(&self, order: OrderId) -> Result<OrderView, Refusal> {
        self.market(order.market())?;
        self.orders.find(order).map(|position| self.view(position)).ok_or(Refusal::UnknownOrder)
    }

    /// One order by the number people use.
    ///
    /// # Errors
    /// Unknown market or order.
    pub fn order_by_number(&self, market: MarketId, number: OrderNumber) -> Result<OrderView, Refusal> {
        let position = self.market(market)?.numbers.get(number);
        position.map(|position| self.view(position)).ok_or(Refusal::UnknownOrder)
    }

    /// Orders that still hold units, numbers after `after`. Looks at a bounded number of orders, so a page may be short
    /// and still say where to go on.
    ///
    /// # Errors
    /// Unknown market; more rows asked than a page has.
    pub fn open_orders(&self, market: MarketId, after: OrderNumber, rows_max: u16) -> Result<OrderPage, Refusal> {
        check_page(rows_max)?;
        let market = self.market(market)?;
        let mut page = OrderPage { rows: Vec::new(), next: Some(after) };
        let mut looks = PAGE_SCAN_MAX;
        while let Some(from) = page.next.filter(|_| looks > 0) {
            let Some((upto, position)) = market.numbers.after(from, &mut looks) else {
                page.next = None;
                break;
            };
            if page.rows.len() == usize::from(rows_max) {
                break;
            }
            page.next = Some(upto);
            let Some(position) = position else { break };
            let Record { order, number, state, deadline, .. } = *self.orders.record(position);
            if state.is_open() {
                page.rows.push(OrderRow { order, number, state, deadline });
            }
        }
        Ok(page)
    }

    /// The books of a market.
    ///
    /// # Errors
    /// Unknown market.
    pub fn books(&self, market: MarketId) -> Result<Books, Refusal> {
        let market = self.market(market)?;
        let (orders, orders_hash) = (market.tally.orders, market.tally.hash);
        let money = market.money.iter().map(|(currency, sums)| (currency, *sums)).collect();
        Ok(Books { units: market.ledger.totals(), owed: market.waiting.units(), orders, orders_hash, money })
    }

    /// How long a market keeps what is over, and what it has retired.
    ///
    /// # Errors
    /// Unknown market.
    pub fn retention(&self, market: MarketId) -> Result<RetentionView, Refusal> {
        let market = self.market(market)?;
        Ok(RetentionView { retention: market.retention, retired_before: market.retired_before })
    }

    /// How long reservations of a market last.
    ///
    /// # Errors
    /// Unknown market.
    pub fn reservations(&self, market: MarketId) -> Result<Reservations, Refusal> {
        Ok(self.market(market)?.reservations)
    }

    /// Open markets of this shard with their names, in order of their numbers.
    pub fn open_markets(&self) -> impl Iterator<Item = (MarketId, &str)> {
        let numbered = (0..).zip(&self.markets);
        numbered.filter_map(|(number, market)| Some((MarketId::new(number)?, market.as_deref()?.code.as_ref())))
    }

    /// Markets of the node; only shard 0 knows them.
    #[must_use]
    pub const fn directory(&self) -> &super::Directory {
        &self.directory
    }

    /// How many orders are kept, tombstones and blocked identifiers included.
    #[must_use]
    pub const fn orders(&self) -> u64 {
        self.orders.len() as u64
    }

    /// Every slot of keys ever used, in order, by the name it has now: what is read under it, or will be sealed under
    /// it next.
    pub fn key_names(&self) -> impl Iterator<Item = KeyName> {
        self.keys.names()
    }

    /// The same names, each with whether it is used.
    pub fn key_uses(&self) -> impl Iterator<Item = (KeyName, bool)> {
        self.keys.names().map(|name| (name, self.keys.is_live(name)))
    }

    /// Whose keys these are, in the order of their first orders. `keys` are sorted, and no other than used ones count.
    #[must_use]
    pub fn whose_keys(&self, keys: &[KeyName]) -> Vec<Whose> {
        let mut wanted: Vec<_> = keys.iter().map(|key| self.keys.is_live(*key)).collect();
        let mut whose = Vec::new();
        for (_, record) in self.orders.records() {
            let place = self.orders.key(record).and_then(|key| keys.binary_search(&key).ok());
            let Some(wanted) = place.and_then(|place| wanted.get_mut(place)).filter(|wanted| **wanted) else {
                continue;
            };
            *wanted = false;
            whose.push(match record.customer {
                CustomerKey(0) => Whose::Guest { order: record.order },
                customer => Whose::Customer { market: record.order.market(), customer },
            });
        }
        whose
    }

    /// From here on, [`Engine::take_dead_keys`] tells of keys that are used no more.
    pub const fn watch_keys(&mut self) {
        self.keys.watch();
    }

    /// Keys that came to be used by nobody since the last time.
    pub fn take_dead_keys(&mut self, tell: impl FnMut(KeyName)) {
        self.keys.take_dead(tell);
    }

    /// Records of orders, lines, draws, records of what few orders have, and slots of the index, for which memory is
    /// used, those given back included; lines and draws of very long orders excepted.
    #[must_use]
    pub fn places_used(&self) -> [usize; 5] {
        self.orders.ends()
    }

    fn view(&self, position: u32) -> OrderView {
        let record = self.orders.record(position);
        let closed = record.phase != Phase::Whole && record.state != State::Blocked;
        let extra = self.orders.extra(record);
        let sealed = extra.and_then(|extra| match &extra.details {
            Details::Sealed { bytes, .. } => Some(bytes.as_ref()),
            Details::None => None,
        });
        let key = self.orders.key(record).filter(|key| self.keys.is_live(*key));
        let counters = self.orders.line_units(record);
        let lines = self.orders.lines(record).iter().zip(counters).map(|(line, units)| {
            let LineRecord { sku, asked, price, taken, delivered } = *line;
            LineView {
                sku,
                asked,
                price,
                taken,
                owed: units.owed,
                reserved: units.reserved,
                lapsed: units.lapsed,
                committed: units.committed,
                shipped: units.shipped,
                cancelled: units.cancelled,
                returned: units.returned,
                delivered,
            }
        });
        let draws = self.orders.draws(record).iter().filter(|draw| !draw.is_owed()).map(|draw| DrawView {
            line: draw.line,
            site: draw.site,
            reserved: draw.units.reserved,
            committed: draw.units.committed,
            shipped: draw.units.shipped,
        });
        OrderView {
            order: record.order,
            number: record.number,
            state: record.state,
            closed,
            customer: record.customer,
            accepted_at: record.accepted_at,
            deadline: record.deadline,
            take: record.take,
            currency: record.currency,
            payment: record.payment,
            channel: record.channel,
            zone: record.zone,
            hashes: extra.and_then(|extra| extra.hashes),
            lines: if closed { Vec::new() } else { lines.collect() },
            draws: draws.collect(),
            details: if key.is_some() { sealed.map(<[u8]>::to_vec).unwrap_or_default() } else { Vec::new() },
            key,
            erased: sealed.is_some() && key.is_none(),
            holds: self.hold_views(record),
            check: self.wants.check_state(position),
            missing: if closed { 0 } else { self.missing(position, record) },
            payments: if closed { Vec::new() } else { self.payment_views(position, record) },
            returns: self.return_views(position),
        }
    }
}

/// A page without rows would never come to an end.
pub(super) const fn check_page(rows_max: u16) -> Result<(), Refusal> {
    if rows_max == 0 {
        return Err(Refusal::OutOfBounds { field: Field::Rows, min: 1, max: PAGE_ROWS_MAX as u64 });
    }
    check_rows(rows_max as usize, PAGE_ROWS_MAX)
}

const fn check_rows(rows: usize, max: usize) -> Result<(), Refusal> {
    if rows <= max { Ok(()) } else { Err(Refusal::OutOfBounds { field: Field::Rows, min: 0, max: max as u64 }) }
}
