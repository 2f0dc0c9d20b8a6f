//! Finding orders: those of a customer, and those that hold units of a SKU.

use stockade::base::limits::PAGE_SCAN_MAX;
use stockade::base::{
    Currency, CustomerKey, MarketId, OrderId, OrderNumber, RequestId, ShardId, SiteId, SkuId, Timestamp,
};
use stockade::engine::choices::{PaymentMethod, Take};
use stockade::engine::{Capacity, Command, Component, Engine, Line, Place, Policy, Scratch};

use crate::script::check;

#[test]
fn the_orders_of_a_customer_come_newest_first_whatever_became_of_them() {
    check(
        "
        receive   mug 9
        orders_of 7                        -> nothing
        place     o1 mug*1 customer=7 hold=1s
        place     o2 mug*1 customer=8
        place     o3 mug*1 customer=7
        place     o4 mug*1
        place     o5 mug*1 customer=7 cod
        cancel    o3
        wait      1s                       -> o1 expired
        orders_of 7                        -> o5 confirmed | o3 cancelled | o1 expired
        orders_of 7 rows=2                 -> o5 confirmed | o3 cancelled | next=2
        orders_of 7 before=2               -> o1 expired
        orders_of 7 before=1               -> nothing
        orders_of 9                        -> nothing
        orders_of 0                        -> no: out_of_bounds Customer
        orders_of 7 rows=0                 -> no: out_of_bounds Rows
    ",
    );
}

#[test]
fn whoever_holds_a_sku_is_told_with_what_and_who_no_longer_does_is_not() {
    check(
        "
        receive  mug 4
        receive  cup 9
        policy   mug oversell=5
        place    o1 mug*2 cup*1 mug*1
        place    o2 cup*1
        place    o3 mug*3 cod
        holders  mug                       -> o1 reserved=3 | o3 owed=2 committed=1
        holders  cup                       -> o1 reserved=1 | o2 reserved=1
        confirm  o1
        ship     o1 0*2
        holders  mug                       -> o1 committed=1 | o3 owed=2 committed=1
        ship     o1 id=2
        holders  mug                       -> o3 owed=2 committed=1
        receive  mug 2
        holders  mug                       -> o3 committed=3
        holders  mug rows=1                -> o3 committed=3
        holders  mug after=3               -> nothing
        drop     o3 0*3
        holders  mug                       -> nothing
    ",
    );
}

/// A market with so many orders; one in `every` is of customer 7 and of SKU 2.
pub(crate) fn crowd(orders: u64, every: u64) -> (Engine, MarketId) {
    let (market, now) = (MarketId::new(1).expect("fits"), Timestamp::from_ms(1_000_000));
    let (mut engine, mut scratch) = (Engine::new(ShardId(0), 1, Capacity::UNBOUNDED), Scratch::default());
    let mut submit = |command: &Command<'_>| {
        engine.submit(command, now, &mut scratch, &mut |_| {}).expect("accepted");
    };
    submit(&Command::OpenMarket { market, code: "m" });
    for (sku, code) in [(SkuId(1), "mug"), (SkuId(2), "lamp")] {
        submit(&Command::CreateSku { market, code });
        let policy = Policy { oversell_max: orders, ..Policy::default() };
        submit(&Command::SetPolicy { market, sku, policy });
    }
    for number in 1..=orders {
        let is_wanted = number % every == 0;
        let lines = [Line { sku: SkuId(if is_wanted { 2 } else { 1 }), quantity: 1, price: 5 }];
        let customer = CustomerKey(if is_wanted { 7 } else { 1_000 + u128::from(number) });
        submit(&Command::Place(wish(OrderId::new(now, market, number), customer, &lines)));
    }
    (engine, market)
}

fn wish(order: OrderId, customer: CustomerKey, lines: &[Line]) -> Place<'_> {
    Place {
        order,
        customer,
        take: Take::AllOrNothing,
        hold_ms: 60_000,
        currency: Currency::new(*b"GBP").expect("pounds exist"),
        payment: PaymentMethod::Card,
        channel: 1,
        zone: 2,
        hashes: None,
        lines,
        details: &[],
        key: None,
    }
}

/// Numbers that pages bring, and how many pages that takes; `ask` gives a page's numbers and where to go on.
fn gather(ask: impl Fn(OrderNumber) -> (Vec<u64>, Option<OrderNumber>)) -> (Vec<u64>, usize) {
    let (mut found, mut pages, mut from) = (Vec::new(), 0, Some(OrderNumber(0)));
    while let Some(at) = from {
        let (rows, next) = ask(at);
        found.extend(rows);
        (pages, from) = (pages + 1, next);
    }
    (found, pages)
}

#[test]
fn a_customer_of_few_orders_is_found_among_many_in_few_bounded_pages() {
    let (orders, every) = (200_000, 90_000);
    let (engine, market) = crowd(orders, every);
    let all = (orders as usize).div_ceil(PAGE_SCAN_MAX);
    let of_customer = |before| {
        let page = engine.customer_orders(market, CustomerKey(7), before, 100).expect("a customer");
        (page.rows.iter().map(|row| row.number.0).collect(), page.next)
    };
    let of_sku = |after| {
        let page = engine.holders(market, SkuId(2), after, 100).expect("a SKU");
        assert!(page.rows.iter().all(|row| row.owed == 1));
        (page.rows.iter().map(|row| row.order.number.0).collect(), page.next)
    };
    let (found, pages) = gather(of_customer);
    assert_eq!(found, [180_000, 90_000]);
    assert!(pages <= all, "{pages} pages: whoever asks first looks at every order once");
    let (found, pages) = gather(of_customer);
    assert_eq!(found, [180_000, 90_000]);
    assert!(pages * 8 <= all, "{pages} pages; looking at every order takes {all}");
    let (found, pages) = gather(of_sku);
    assert_eq!(found, [90_000, 180_000]);
    assert!(pages * 8 <= all, "{pages} pages; looking at every order takes {all}");
}

#[test]
fn whoever_holds_a_component_in_a_kit_is_found_among_orders_that_are_passed_over() {
    let (mut engine, market) = crowd(1_000, 2_000);
    let (now, mut scratch) = (Timestamp::from_ms(1_000_000), Scratch::default());
    let mut submit = |command: &Command<'_>| {
        engine.submit(command, now, &mut scratch, &mut |_| {}).expect("accepted");
    };
    let request = RequestId::new(now, market, 1);
    submit(&Command::Receive { request, sku: SkuId(2), site: SiteId(1), quantity: 3 });
    submit(&Command::DefineKit { market, code: "lamps", components: &[Component { sku: SkuId(2), units: 3 }] });
    let policy = Policy { oversell_max: 9_000, ..Policy::default() };
    submit(&Command::SetPolicy { market, sku: SkuId(1), policy });
    for number in 1_001..=9_000 {
        let lines = [Line { sku: SkuId(if number == 1_001 { 3 } else { 1 }), quantity: 1, price: 5 }];
        submit(&Command::Place(wish(OrderId::new(now, market, number), CustomerKey(8), &lines)));
    }
    let of_sku = |after| {
        let page = engine.holders(market, SkuId(2), after, 100).expect("a SKU");
        (page.rows.iter().map(|row| row.order.number.0).collect(), page.next)
    };
    for _ in 0..2 {
        assert_eq!(gather(of_sku).0, [1_001], "the first looks at every order, the second passes most over");
    }
}
