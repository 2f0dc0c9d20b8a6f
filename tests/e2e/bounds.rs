//! Numbers and names that are out of bounds, through the real wire: refused with what would be allowed, and without a
//! trace.
//!
//! # Not here
//! - Which check comes before which: `tests/spec`.

use stockade::base::limits::{
    DETAILS_BYTES_MAX, HOLD_MS_MAX, LINE_QUANTITY_MAX, LINES_MAX, ORDER_TOTAL_MAX, STOCK_COMMAND_UNITS_MAX,
    UNIT_PRICE_MAX,
};
use stockade::base::{ChangeId, MarketId, OrderId, OrderNumber, RequestId, SiteId, SkuId};
use stockade::client::{Client, ClientError, QueryReply, Response};
use stockade::engine::choices::AdjustReason;
use stockade::engine::refusal::Field;
use stockade::engine::{Answer, Command, Line, LineQuantity, Place, Query, Refusal};
use stockade::wire::Refused;

use crate::harness::{Running, World, line, place, stocked};

const UNITS: u64 = 10;

struct Shop {
    _world: World,
    server: Running,
    client: Client,
    market: MarketId,
    sku: SkuId,
}

impl Shop {
    async fn open() -> Self {
        let world = World::new(2);
        let server = world.start().await;
        let client = server.client(&world).await;
        let (market, sku) = stocked(&client, "default", UNITS).await;
        Self { _world: world, server, client, market, sku }
    }

    fn order(&self) -> OrderId {
        self.client.new_order_id(self.market)
    }

    async fn refusal(&self, command: &Command<'_>) -> Refusal {
        match self.client.submit(command).await.expect("an answer") {
            Response::Refused(Refused::Engine(why)) => why,
            other => panic!("{command:?}: {other:?}"),
        }
    }

    async fn placed(&self, change: impl FnOnce(&mut Place<'_>), lines: &[Line]) -> Refusal {
        let Command::Place(mut order) = place(self.order(), lines) else { unreachable!() };
        change(&mut order);
        self.refusal(&Command::Place(order)).await
    }

    /// Nothing has changed: the stock is what was received, and no order is there.
    async fn close(self) {
        let QueryReply::Books(books) = self.client.query(&Query::Books { market: self.market }).await.expect("books")
        else {
            panic!("no books")
        };
        let units = UNITS.cast_signed();
        assert_eq!(books.books.units, [-units, units, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert!(books.books.orders.iter().all(|count| *count == 0), "{:?}", books.books.orders);
        self.server.stop().await;
    }
}

const fn bounds(field: Field, min: u64, max: u64) -> Refusal {
    Refusal::OutOfBounds { field, min, max }
}

#[tokio::test]
async fn a_placement_with_a_number_out_of_bounds_is_refused_with_the_bounds() {
    let shop = Shop::open().await;
    let lines_bound = bounds(Field::Lines, 1, LINES_MAX as u64);
    assert_eq!(shop.placed(|_| {}, &[]).await, lines_bound, "no lines");
    assert_eq!(shop.placed(|_| {}, &vec![line(shop.sku, 1); LINES_MAX + 1]).await, lines_bound, "too many lines");
    for quantity in [0, LINE_QUANTITY_MAX + 1, u32::MAX] {
        let refusal = shop.placed(|_| {}, &[line(shop.sku, 1), line(shop.sku, quantity)]).await;
        assert_eq!(refusal, bounds(Field::Quantity, 1, LINE_QUANTITY_MAX.into()), "{quantity}");
    }
    for price in [UNIT_PRICE_MAX + 1, u64::MAX] {
        let refusal = shop.placed(|_| {}, &[Line { price, ..line(shop.sku, 1) }]).await;
        assert_eq!(refusal, bounds(Field::Price, 0, UNIT_PRICE_MAX), "{price}");
    }
    let dear = Line { price: UNIT_PRICE_MAX, ..line(shop.sku, LINE_QUANTITY_MAX) };
    assert_eq!(shop.placed(|_| {}, &[dear]).await, bounds(Field::Total, 0, ORDER_TOTAL_MAX));
    assert_eq!(shop.placed(|_| {}, &[dear; LINES_MAX]).await, bounds(Field::Total, 0, ORDER_TOTAL_MAX));
    for hold_ms in [HOLD_MS_MAX + 1, u32::MAX] {
        let refusal = shop.placed(|order| order.hold_ms = hold_ms, &[line(shop.sku, 1)]).await;
        assert_eq!(refusal, bounds(Field::Reservation, 0, HOLD_MS_MAX.into()), "{hold_ms}");
    }
    let refusal = shop.placed(|order| order.details = &[7; DETAILS_BYTES_MAX + 1], &[line(shop.sku, 1)]).await;
    assert_eq!(refusal, bounds(Field::Details, 0, DETAILS_BYTES_MAX as u64));
    shop.close().await;
}

#[tokio::test]
async fn more_lines_than_a_frame_can_count_are_an_error_of_the_client_and_nothing_is_sent() {
    let shop = Shop::open().await;
    let lines = vec![line(shop.sku, 1); 70_000];
    let fault = shop.client.submit(&place(shop.order(), &lines)).await.expect_err("it fits no frame");
    assert!(matches!(fault, ClientError::TooLarge { .. }), "{fault:?}");
    shop.close().await;
}

#[tokio::test]
async fn a_stock_command_with_a_number_out_of_bounds_is_refused_with_the_bounds() {
    let shop = Shop::open().await;
    let (sku, site) = (shop.sku, SiteId(1));
    let allowed = bounds(Field::Quantity, 1, STOCK_COMMAND_UNITS_MAX);
    for quantity in [0, STOCK_COMMAND_UNITS_MAX + 1, u64::MAX] {
        let request = shop.client.new_request_id(shop.market);
        assert_eq!(shop.refusal(&Command::Receive { request, sku, site, quantity }).await, allowed, "{quantity}");
    }
    for delta in [0, i64::MIN, i64::MAX, -STOCK_COMMAND_UNITS_MAX.cast_signed() - 1] {
        let request = shop.client.new_request_id(shop.market);
        let adjust = Command::Adjust { request, sku, site, delta, reason: AdjustReason::Count };
        assert_eq!(shop.refusal(&adjust).await, allowed, "{delta}");
    }
    let request = shop.client.new_request_id(shop.market);
    let reason = AdjustReason::Lost;
    let too_much = Command::Adjust { request, sku, site, delta: -UNITS.cast_signed() - 1, reason };
    assert_eq!(shop.refusal(&too_much).await, Refusal::NotAvailable { available: UNITS });
    shop.close().await;
}

#[tokio::test]
async fn what_is_unknown_is_refused_by_every_command_and_every_question() {
    let shop = Shop::open().await;
    let (client, market, sku) = (&shop.client, shop.market, shop.sku);
    let nowhere = MarketId::new(4_000).expect("fits");
    let (order, lost) = (shop.order(), client.new_order_id(nowhere));
    let (change, site) = (ChangeId(1), SiteId(1));
    let lines = &[LineQuantity { line: 0, quantity: 1 }];
    for (order, refusal) in [(order, Refusal::UnknownOrder), (lost, Refusal::UnknownMarket)] {
        for command in [
            Command::Confirm { order, attempt: change },
            Command::Cancel { order, block: false },
            Command::CancelLines { order, change, lines },
            Command::HandOver { order, change, lines },
            Command::ReturnToStock { order, change, site, lines },
        ] {
            assert_eq!(shop.refusal(&command).await, refusal, "{command:?}");
        }
        let asked = client.query(&Query::Order { order }).await.expect("an answer");
        assert_eq!(asked, QueryReply::Refused(Refused::Engine(refusal)));
    }
    let receive = |market, sku, site| {
        let request: RequestId = client.new_request_id(market);
        Command::Receive { request, sku, site, quantity: 1 }
    };
    for sku in [SkuId(0), SkuId(2), SkuId(u32::MAX)] {
        assert_eq!(shop.refusal(&receive(market, sku, site)).await, Refusal::UnknownSku { sku });
        assert_eq!(shop.placed(|_| {}, &[line(sku, 1)]).await, Refusal::UnknownSku { sku });
        let asked = client.query(&Query::Stock { market, skus: &[sku] }).await.expect("an answer");
        assert_eq!(asked, QueryReply::Refused(Refused::Engine(Refusal::UnknownSku { sku })));
    }
    for site in [SiteId(0), SiteId(2), SiteId(u16::MAX)] {
        assert_eq!(shop.refusal(&receive(market, sku, site)).await, Refusal::UnknownSite, "{site}");
    }
    assert_eq!(shop.refusal(&receive(nowhere, sku, site)).await, Refusal::UnknownMarket);
    for number in [0, 1, u64::MAX].map(OrderNumber) {
        let asked = client.query(&Query::OrderByNumber { market, number }).await.expect("an answer");
        assert_eq!(asked, QueryReply::Refused(Refused::Engine(Refusal::UnknownOrder)), "{number}");
    }
    let code = "new";
    assert_eq!(shop.refusal(&Command::CreateSku { market: nowhere, code }).await, Refusal::UnknownMarket);
    assert_eq!(shop.refusal(&Command::CreateSite { market: nowhere, rank: 0, code }).await, Refusal::UnknownMarket);
    let asked = client.query(&Query::Books { market: nowhere }).await.expect("an answer");
    assert_eq!(asked, QueryReply::Refused(Refused::Engine(Refusal::UnknownMarket)));
    shop.close().await;
}

#[tokio::test]
async fn an_identifier_from_the_future_is_refused_with_log_time_and_one_from_the_past_is_not() {
    let shop = Shop::open().await;
    let lines = [line(shop.sku, 1)];
    for ahead_ms in [60_000, 3_600_000, u64::MAX >> 20] {
        let before = shop.client.log_time();
        let order = OrderId::new(before.after_ms(ahead_ms), shop.market, 7);
        let refusal = shop.refusal(&place(order, &lines)).await;
        let Refusal::IdFromFuture { now } = refusal else { panic!("{refusal:?}") };
        assert!(now >= before, "{now:?} is what log time is");
        let said = Refused::Engine(refusal).to_string();
        assert!(said.contains(&now.ms().to_string()), "{said}");
    }
    let old = OrderId::new(stockade::base::Timestamp::from_ms(1), shop.market, 7);
    let placed = shop.client.submit(&place(old, &lines)).await.expect("an answer");
    assert!(matches!(placed, Response::Answered { answer: Answer::Placed { .. }, .. }), "{placed:?}");
    let cancelled = shop.client.submit(&Command::Cancel { order: old, block: false }).await.expect("an answer");
    assert!(matches!(cancelled, Response::Answered { answer: Answer::Done { .. }, .. }), "{cancelled:?}");
    shop.server.stop().await;
}

#[tokio::test]
async fn every_refusal_of_a_bound_says_the_field_and_what_it_may_be() {
    let shop = Shop::open().await;
    let refusal = shop.placed(|_| {}, &[line(shop.sku, 0)]).await;
    let said = Refused::Engine(refusal).to_string();
    for part in ["quantity", "1", &LINE_QUANTITY_MAX.to_string()] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let refusal = shop.placed(|_| {}, &[line(SkuId(42), 1)]).await;
    let said = Refused::Engine(refusal).to_string();
    assert!(said.contains("SKU") && said.contains("42"), "{said}");
    shop.close().await;
}
