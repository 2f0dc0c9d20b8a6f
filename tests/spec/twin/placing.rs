//! Placing in the twin: check everything, then take one unit after the other.

use std::collections::BTreeMap;

use stockade::base::limits::{
    DETAILS_BYTES_MAX, DRAWS_MAX, HOLD_MS_MAX, ID_AHEAD_MS_MAX, LINE_QUANTITY_MAX, LINES_MAX, ORDER_TOTAL_MAX,
    UNIT_PRICE_MAX,
};
use stockade::base::{MarketId, OrderId, OrderNumber, SiteId, SkuId, Timestamp};
use stockade::engine::choices::{PaymentMethod, Take};
use stockade::engine::refusal::Field;
use stockade::engine::{Line, Place, Refusal};

use super::details::sealed_bytes;
use super::order::{Asked, Fate, Order, Record, Unit};
use super::wanted::{Seen, Want};
use super::{Market, Told, Twin, out_of_bounds};

impl Twin {
    pub(super) fn place(&mut self, place: &Place<'_>, now: Timestamp) -> Result<Told, Refusal> {
        check_bounds(place)?;
        let market = self.market(place.order.market())?;
        match market.known(place.order) {
            Some(Record::Blocked) => return Err(Refusal::Blocked),
            Some(Record::Order(order)) => return Self::repeat(order, place, market.closed.contains(&place.order)),
            None => {}
        }
        if place.order.made_at() > now.after_ms(ID_AHEAD_MS_MAX) {
            return Err(Refusal::IdFromFuture { now });
        }
        market.check_not_retired(place.order)?;
        if let Some(line) = place.lines.iter().find(|line| !market.has_sku(line.sku)) {
            return Err(Refusal::UnknownSku { sku: line.sku });
        }
        market.check_kit_lines(place.lines)?;
        self.check_room(place.lines.len() as u64, sealed_bytes(place.details))?;
        self.check_keys(place)?;
        self.check_policies(market, place, now)?;
        let sites = market.choose(place)?;
        self.check_waiting(&sites)?;
        let order = market.accept(place, &sites, now);
        if order.has_implicit_attempt() {
            self.check_payment(market, place.currency)?;
        }
        let told = order.accepted(false);
        self.count_placed(place, &order, now);
        self.market_mut(place.order.market())?.orders.insert(place.order, Record::Order(Box::new(order)));
        Ok(told)
    }

    /// Whether one more order fits, of so many lines and bytes of details.
    pub(super) fn check_room(&self, lines: u64, details_bytes: u64) -> Result<(), Refusal> {
        let fits = self.orders() < self.capacity.orders_max
            && self.lines() + lines <= self.capacity.lines_max
            && self.details_bytes() + details_bytes <= self.capacity.details_bytes_max;
        if fits { Ok(()) } else { Err(Refusal::AtCapacity) }
    }

    /// Whether so many more lines may wait for what they are owed.
    fn check_waiting(&self, sites: &[Vec<SiteId>]) -> Result<(), Refusal> {
        let owed = sites.iter().filter(|line| line.contains(&SiteId::NOWHERE)).count() as u64;
        let fits = owed == 0 || self.waiting_pairs() + owed <= self.capacity.waiting_max;
        if fits { Ok(()) } else { Err(Refusal::AtCapacity) }
    }

    /// Lets every reservation lapse whose deadline is reached; says which orders.
    pub(crate) fn sweep(&mut self, now: Timestamp) -> Vec<OrderId> {
        let due = self.due(now);
        let before = self.shelves();
        for &order in &due {
            let lapsed = self.order_mut(order).expect("it is due").turn(Fate::Reserved, Fate::Lapsed);
            self.note_expired(order, lapsed);
        }
        if !due.is_empty() {
            self.settle();
        }
        self.set_apart(&before);
        self.note_ends(now);
        due
    }

    /// The orders whose deadline is reached and which have not been swept.
    pub(crate) fn due(&self, now: Timestamp) -> Vec<OrderId> {
        let all = self.markets.values().flat_map(|market| &market.orders);
        let is_due = |record: &Record| match record {
            Record::Order(order) => order.deadline <= now && order.count(Fate::Reserved) > 0,
            Record::Blocked => false,
        };
        all.filter(|(_, record)| is_due(record)).map(|(&id, _)| id).collect()
    }

    /// Every identifier of an order that is kept, blocked ones too.
    pub(crate) fn orders(&self) -> u64 {
        self.markets.keys().map(|market| self.order_ids(*market).len() as u64).sum()
    }

    /// Lines of orders that are whole, and of closed ones that have to tell what they got.
    pub(super) fn lines(&self) -> u64 {
        let kept = |market: &Market, id: &OrderId, order: &Order| {
            !market.gone.contains(id) && (!market.closed.contains(id) || !order.accepted(true).granted.is_empty())
        };
        self.count_orders(kept, |order| order.lines.len() as u64)
    }

    pub(crate) fn details_bytes(&self) -> u64 {
        self.count_orders(|market, id, _| !market.closed.contains(id), Order::sealed_bytes)
    }

    pub(super) fn count_orders(
        &self,
        counts: impl Fn(&Market, &OrderId, &Order) -> bool,
        what: impl Fn(&Order) -> u64,
    ) -> u64 {
        let mut sum = 0;
        for market in self.markets.values() {
            for (id, record) in &market.orders {
                if let Record::Order(order) = record
                    && counts(market, id, order)
                {
                    sum += what(order);
                }
            }
        }
        sum
    }

    /// Every identifier that is kept.
    pub(crate) fn order_ids(&self, market: MarketId) -> Vec<OrderId> {
        let market = &self.markets[&market];
        market.orders.keys().filter(|id| !market.gone.contains(id)).copied().collect()
    }
}

impl Market {
    /// The site of every unit, line by line, nowhere for one that is owed; or why not.
    fn choose(&self, place: &Place<'_>) -> Result<Vec<Vec<SiteId>>, Refusal> {
        let wanted: Vec<(SkuId, u32)> = place.lines.iter().map(|line| (line.sku, line.quantity)).collect();
        let sites = self.choose_sites(&wanted, true);
        let of_sku = |sku| wanted.iter().zip(&sites).filter(move |((its, _), _)| *its == sku);
        let asked = |sku| of_sku(sku).map(|((_, units), _)| u64::from(*units)).sum::<u64>();
        let given = |sku| of_sku(sku).map(|(_, sites)| sites.len() as u64).sum::<u64>();
        let short = wanted.iter().map(|(sku, _)| *sku).find(|sku| given(*sku) < asked(*sku));
        if let Some(sku) = short
            && (place.take == Take::AllOrNothing || sites.iter().all(Vec::is_empty))
        {
            return Err(Refusal::SoldOut { sku, asked: asked(sku), available: given(sku) });
        }
        check_draws(&sites)?;
        Ok(sites)
    }

    fn accept(&self, place: &Place<'_>, sites: &[Vec<SiteId>], now: Timestamp) -> Order {
        let free = place.lines.iter().all(|line| line.price == 0);
        let confirmed = free || place.payment == PaymentMethod::CashOnDelivery;
        let fate = if confirmed { Fate::Committed } else { Fate::Reserved };
        let unit = |site| Unit { site, fate, returned_to: None };
        let accepted = self.orders.values().filter(|record| matches!(record, Record::Order(_))).count();
        let mut order = Order {
            number: OrderNumber(accepted as u64 + 1),
            accepted_at: now,
            payment_started: false,
            deadline: if confirmed { Timestamp::ZERO } else { now.after_ms(self.unpaid_ms(place)) },
            placed: Asked::of(place),
            asked: Asked::of(place),
            erased: false,
            lines: sites.iter().map(|line| line.iter().copied().map(unit).collect()).collect(),
            drew_on: vec![Vec::new(); sites.len()],
            changes: BTreeMap::new(),
            said: Vec::new(),
            returns: Vec::new(),
            holds: Vec::new(),
            handed_off: Want::handed_off(self.effects, now),
            seen: Seen::default(),
            tasks: BTreeMap::new(),
            was_put_back: false,
            history: Vec::new(),
        };
        sites.iter().enumerate().for_each(|(line, sites)| order.draw_on(line, sites));
        order
    }
}

/// One draw is one (line, site) pair that gave units; what a line is owed is one more.
pub(super) fn check_draws(sites: &[Vec<SiteId>]) -> Result<(), Refusal> {
    let places = |line: &Vec<SiteId>| line.iter().collect::<std::collections::BTreeSet<_>>().len();
    if sites.iter().map(places).sum::<usize>() > DRAWS_MAX { Err(Refusal::TooManyDraws) } else { Ok(()) }
}

fn check_bounds(place: &Place<'_>) -> Result<(), Refusal> {
    out_of_bounds_fields(place).into_iter().next().map_or(Ok(()), Err)
}

/// Every field of a placement that is outside its bounds.
pub(super) fn out_of_bounds_fields(place: &Place<'_>) -> Vec<Refusal> {
    let mut wrong = Vec::new();
    let mut check = |is_wrong: bool, field, min, max| {
        if is_wrong {
            wrong.push(out_of_bounds(field, min, max));
        }
    };
    check(!(1..=LINES_MAX).contains(&place.lines.len()), Field::Lines, 1, LINES_MAX as u64);
    for line in place.lines {
        let wrong = !(1..=LINE_QUANTITY_MAX).contains(&line.quantity);
        check(wrong, Field::Quantity, 1, u64::from(LINE_QUANTITY_MAX));
        check(line.price > UNIT_PRICE_MAX, Field::Price, 0, UNIT_PRICE_MAX);
    }
    let price = |line: &Line| u128::from(line.price) * u128::from(line.quantity);
    let total = place.lines.iter().map(price).sum::<u128>();
    check(total > u128::from(ORDER_TOTAL_MAX), Field::Total, 0, ORDER_TOTAL_MAX);
    check(place.details.len() > DETAILS_BYTES_MAX, Field::Details, 0, DETAILS_BYTES_MAX as u64);
    check(place.hold_ms > HOLD_MS_MAX, Field::Reservation, 0, u64::from(HOLD_MS_MAX));
    wrong
}
