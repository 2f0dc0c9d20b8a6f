//! Frames of orders without encoding each order: one frame is encoded once, and copied with other identifiers in it.
//!
//! Where the identifiers stand is not assumed but found: the frame is encoded with values that occur nowhere else, and
//! the bytes are searched for them.

use bytes::{BufMut, BytesMut};
use stockade::adapters::Opinion;
use stockade::adapters::simulated::Behaviour;
use stockade::base::{Currency, CustomerKey, MarketId, OrderId, SkuId, Timestamp};
use stockade::engine::choices::{PaymentMethod, Take};
use stockade::engine::command::{Command, Line, Place};
use stockade::engine::order::{Counters, State};
use stockade::wire::{FrameWriter, PushError};

use super::spread::Spread;
use crate::chance::mix;

/// Lines an order of a drive may have.
pub(crate) const CART_LINES_MAX: usize = 10;

/// What every order of a drive has in common: one unit of each of some SKUs, mostly of one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Goods {
    /// The first market.
    pub(crate) market: MarketId,
    /// How many there are; their numbers follow one another, and orders take them in turn.
    pub(crate) markets: u32,
    /// The first SKU.
    pub(crate) sku: SkuId,
    /// How many there are, one line each; their numbers follow one another. 1 to [`CART_LINES_MAX`].
    pub(crate) lines: u8,
    /// One line of one of so many instead; their numbers follow one another.
    pub(crate) spread: Option<Spread>,
    pub(crate) hold_ms: u32,
    /// What an accepted order is when the books are compared.
    pub(crate) fate: Fate,
    /// Customers taking turns; `None`: one customer places ten orders in a row, then the next comes.
    pub(crate) customers: Option<u64>,
    /// Keeps the identifiers of two runs apart.
    pub(crate) seed: u64,
}

/// What becomes of every accepted order of a drive by the end of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Nothing more: its reservation outlives the run.
    Reserved,
    /// Its reservation ends, and the run waits for that.
    Expires,
    /// Adapters check it and see to its payment and its hand-over. The provider declines so many orders of a thousand,
    /// and the checker rejects so many, drawn by their seed.
    HandedOff { seed: u64, declined: u16, rejected: u16 },
}

const PRICE: u64 = 1_999;
const CURRENCY: Currency = match Currency::new(*b"GBP") {
    Ok(currency) => currency,
    Err(_) => panic!("three upper-case letters"),
};
const ORDERS_PER_CUSTOMER: u64 = 10;

impl Goods {
    /// One unit of one SKU of one market; a customer places ten orders in a row.
    pub(crate) const fn one(market: MarketId, sku: SkuId, hold_ms: u32, fate: Fate, seed: u64) -> Self {
        Self { market, markets: 1, sku, lines: 1, spread: None, hold_ms, fate, customers: None, seed }
    }

    /// The identifier of order `n`, made at that log time.
    pub(crate) fn order_id(&self, n: u64, made_at: Timestamp) -> OrderId {
        OrderId::new(made_at, self.market_at(self.turn_of(n)), mix(n.wrapping_add(self.seed)))
    }

    /// In which market order `n` is placed, counted from the first.
    pub(crate) fn turn_of(&self, n: u64) -> u32 {
        (n % u64::from(self.markets)) as u32
    }

    /// One of the markets, counted from the first.
    pub(crate) fn market_at(&self, turn: u32) -> MarketId {
        MarketId::new(self.market.number() + turn).expect("law: the markets of a drive exist")
    }

    /// The state and the counters of an accepted order when the books are compared.
    pub(crate) const fn fate(&self, order: OrderId) -> (State, Counters) {
        let none = Counters { reserved: 0, lapsed: 0, committed: 0, shipped: 0, cancelled: 0, returned: 0 };
        match self.fate {
            Fate::Reserved => (State::PendingPayment, Counters { reserved: 1, ..none }),
            Fate::Expires => (State::Expired, Counters { lapsed: 1, ..none }),
            Fate::HandedOff { seed, declined, rejected }
                if Behaviour::declines(seed, declined, order)
                    || matches!(Behaviour::opinion(seed, [rejected, 0], order), Opinion::Rejected) =>
            {
                (State::Cancelled, Counters { cancelled: 1, ..none })
            }
            Fate::HandedOff { .. } => (State::Completed, Counters { shipped: 1, ..none }),
        }
    }

    /// Who places order `n`.
    pub(crate) const fn customer(&self, n: u64) -> CustomerKey {
        let customer = match self.customers {
            Some(customers) => n % customers,
            None => n / ORDERS_PER_CUSTOMER,
        };
        CustomerKey((mix(customer) as u128) << 64 | (customer + 1) as u128)
    }

    /// SKUs of each market that orders spread over.
    pub(crate) fn skus(&self) -> usize {
        self.spread.map_or(1, |spread| spread.skus as usize)
    }

    /// The first SKU that order `n` asks.
    pub(crate) fn sku_of(&self, n: u64) -> SkuId {
        SkuId(self.sku.0 + self.spread.map_or(0, |spread| spread.sku_of(n, self.seed)))
    }

    /// The lines of every order; of one that is spread, those of the first SKU.
    pub(crate) fn cart(&self) -> Vec<Line> {
        (0..u32::from(self.lines)).map(|at| Line { sku: SkuId(self.sku.0 + at), quantity: 1, price: PRICE }).collect()
    }

    /// Order `n` as a command.
    pub(crate) fn place<'a>(&self, n: u64, made_at: Timestamp, lines: &'a [Line]) -> Place<'a> {
        self.place_with(self.order_id(n, made_at), self.customer(n), lines)
    }

    const fn place_with<'a>(&self, order: OrderId, customer: CustomerKey, lines: &'a [Line]) -> Place<'a> {
        Place {
            order,
            customer,
            take: Take::AllOrNothing,
            hold_ms: self.hold_ms,
            currency: CURRENCY,
            payment: PaymentMethod::Card,
            channel: 0,
            zone: 0,
            hashes: None,
            lines,
            details: &[],
            key: None,
        }
    }
}

/// An encoded frame of so many orders.
#[derive(Debug)]
pub(crate) struct Template {
    goods: Goods,
    frame: Vec<u8>,
    correlation_at: usize,
    places: Vec<Places>,
}

/// Where the identifier, the customer and the SKU of an order stand.
#[derive(Debug)]
struct Places {
    order: usize,
    customer: usize,
    /// Only of one that is spread.
    sku: Option<usize>,
}

const MARK_CORRELATION: u64 = 0xC0FF_EE11_5EED_F00D;

impl Template {
    /// Encodes a frame of `orders` orders.
    pub(crate) fn new(goods: Goods, orders: u16) -> Result<Self, PushError> {
        let mut lines = goods.cart();
        let sku_mark = |order: u128| (order >> 40) as u32;
        let marks: Vec<(u128, u128)> = (0..u64::from(orders)).map(|n| (mark(2 * n), mark(2 * n + 1))).collect();
        let mut writer = FrameWriter::default();
        writer.begin(MARK_CORRELATION, 0);
        for (order, customer) in &marks {
            if goods.spread.is_some() {
                lines[0].sku = SkuId(sku_mark(*order));
            }
            let place = goods.place_with(OrderId::from_bits(*order), CustomerKey(*customer), &lines);
            writer.push(&Command::Place(place))?;
        }
        let frame = writer.into_frame();
        let correlation_at = find(&frame, 0, &MARK_CORRELATION.to_le_bytes());
        let mut from = 0;
        let places = marks
            .iter()
            .map(|(order, customer)| {
                let (order_at, customer_at) =
                    (find(&frame, from, &order.to_le_bytes()), find(&frame, from, &customer.to_le_bytes()));
                from = order_at.max(customer_at) + 16;
                let sku = goods.spread.map(|_| find(&frame, from, &sku_mark(*order).to_le_bytes()));
                Places { order: order_at, customer: customer_at, sku }
            })
            .collect();
        Ok(Self { goods, frame, correlation_at, places })
    }

    /// Orders of a frame.
    pub(crate) fn orders(&self) -> u16 {
        u16::try_from(self.places.len()).expect("law: made from a 16-bit count")
    }

    /// Appends a frame of the orders from `first` on.
    pub(crate) fn write(&self, correlation: u64, first: u64, made_at: Timestamp, out: &mut BytesMut) {
        let start = out.len();
        out.put_slice(&self.frame);
        let frame = &mut out[start..];
        frame[self.correlation_at..][..8].copy_from_slice(&correlation.to_le_bytes());
        for (n, Places { order, customer, sku }) in (first..).zip(&self.places) {
            frame[*order..][..16].copy_from_slice(&self.goods.order_id(n, made_at).bits().to_le_bytes());
            frame[*customer..][..16].copy_from_slice(&self.goods.customer(n).0.to_le_bytes());
            if let Some(at) = sku {
                frame[*at..][..4].copy_from_slice(&self.goods.sku_of(n).0.to_le_bytes());
            }
        }
    }
}

/// 128 bits that nothing else in a frame looks like.
const fn mark(n: u64) -> u128 {
    (mix(n ^ 0xA5A5_A5A5) as u128) << 64 | mix(!n) as u128
}

fn find(frame: &[u8], from: usize, mark: &[u8]) -> usize {
    let at = frame[from..].windows(mark.len()).position(|window| window == mark);
    from + at.expect("law: an encoded frame holds what was pushed, little-endian")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copied_frame_is_the_frame_that_encoding_would_give() {
        let market = MarketId::new(3).expect("fits");
        let goods = Goods::one(market, SkuId(7), 3_600_000, Fate::Reserved, 99);
        let made_at = Timestamp::from_ms(1_234_567);
        for (orders, spread) in [(1_u16, None), (2, None), (1_024, None), (1_024, Some(Spread::new(90, 1.0)))] {
            let goods = Goods { spread, markets: spread.map_or(1, |_| 7), ..goods };
            let mut copied = BytesMut::new();
            let template = Template::new(goods, orders).expect("fits");
            template.write(5, 1_000, made_at, &mut copied);
            template.write(6, 2_000, made_at, &mut copied);
            let mut encoded = Vec::new();
            for (correlation, first) in [(5, 1_000), (6, 2_000)] {
                let mut writer = FrameWriter::default();
                writer.begin(correlation, 0);
                for n in first..first + u64::from(orders) {
                    let mut lines = goods.cart();
                    lines[0].sku = goods.sku_of(n);
                    writer.push(&Command::Place(goods.place(n, made_at, &lines))).expect("fits");
                }
                encoded.extend_from_slice(writer.finish());
            }
            assert_eq!(copied, encoded, "{orders} orders");
        }
    }

    #[test]
    fn customers_take_turns_or_order_ten_times_in_a_row() {
        let market = MarketId::new(3).expect("fits");
        let goods = Goods::one(market, SkuId(7), 1, Fate::Expires, 0);
        assert_eq!(goods.customer(0), goods.customer(9));
        assert_ne!(goods.customer(9), goods.customer(10));
        let goods = Goods { customers: Some(2), ..goods };
        assert_eq!(goods.customer(0), goods.customer(2));
        assert_ne!(goods.customer(0), goods.customer(1));
        assert_ne!(goods.customer(0), CustomerKey(0), "nobody is a guest");
    }
}
