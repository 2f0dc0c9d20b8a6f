//! Hostile: numbers at the end of their range, orders of the largest size, more changes than anybody makes.

use stockade::base::limits::{
    CHANGES_MAX, DETAILS_BYTES_MAX, DRAWS_MAX, HOLD_NOTE_BYTES_MAX, LINE_QUANTITY_MAX, LINES_MAX, ORDER_DRAWS_MAX,
    SITES_MAX, STOCK_UNITS_MAX,
};
use stockade::base::{
    ChangeId, Currency, CustomerKey, MarketId, OrderId, OrderNumber, RequestId, Sequence, SiteId, SkuId, Timestamp,
};
use stockade::engine::choices::{AdjustReason, PaymentMethod, Take};
use stockade::engine::command::IdentityHashes;
use stockade::engine::ledger::{Account, Bucket};
use stockade::engine::order::State;
use stockade::engine::{
    Answer, AsideReason, Command, Component, Effect, Effects, ExtendReason, HoldReason, Line, LineQuantity, Place,
    Policy, Refusal, Report, Reservations, Velocity, Whose,
};

use crate::dice::Dice;
use crate::replaying::place;
use crate::rig::{MARKET, Rig, START, room_for};

mod editing;
mod paying;
mod returning;

/// Numbers at which programs break.
const EDGES: [u64; 18] = [
    0,
    1,
    2,
    3,
    0x7F,
    0xFF,
    0x7FFF,
    0xFFFF,
    10_000_000,
    0x7FFF_FFFF,
    0xFFFF_FFFE,
    0xFFFF_FFFF,
    1 << 48,
    1_000_000_000_000,
    1_000_000_000_001,
    (1 << 63) - 1,
    1 << 63,
    u64::MAX,
];

/// A small world: one market, two sites, two SKUs, ten units of each.
fn small_world(now: Timestamp) -> Rig {
    let mut rig = Rig::new(room_for(1_000));
    rig.now = now;
    let market = rig.open("default");
    rig.submit(&Command::CreateSite { market, rank: u16::MAX, code: "north" }).expect("created");
    for (number, code) in ["mug", "cup"].into_iter().enumerate() {
        rig.submit(&Command::CreateSku { market, code }).expect("created");
        let request = RequestId::new(now, market, number as u64);
        let sku = SkuId(number as u32 + 1);
        rig.submit(&Command::Receive { request, sku, site: SiteId(1), quantity: 10 }).expect("received");
    }
    rig
}

#[test]
fn no_number_in_any_field_panics() {
    for seed in 0..40 {
        let now = [START, Timestamp::ZERO, Timestamp::MAX, Timestamp::from_ms(1)][seed as usize % 4];
        let mut rig = small_world(now);
        let mut dice = Dice(seed);
        if seed % 3 > 0 {
            let components =
                [Component { sku: SkuId(1), units: 1 + seed as u32 % 2 }, Component { sku: SkuId(2), units: 1 }];
            rig.submit(&Command::DefineKit { market: MARKET, code: "set", components: &components }).expect("defined");
        }
        for _ in 0..250 {
            extreme(&mut rig, &mut dice);
            rig.check_books();
        }
        rig.check_everything();
        rig.check_replica();
    }
}

/// One command with something extreme in it, about one of a few orders.
fn extreme(rig: &mut Rig, dice: &mut Dice) {
    let now = rig.now;
    let mut edge = || EDGES[dice.below(EDGES.len() as u64) as usize];
    let market = if edge() > 2 { MARKET } else { MarketId::new(edge() as u32 & 0xF_FFFF).expect("20 bits") };
    let made_at = if edge() > 3 { now } else { Timestamp::from_ms(edge()) };
    let order = if edge() > 0 { OrderId::new(made_at, market, edge() & 7) } else { OrderId::from_bits(u128::MAX) };
    let request = RequestId::new(made_at, market, edge());
    let (sku, site, change) = (SkuId(edge() as u32), SiteId(edge() as u16), ChangeId(edge()));
    let quantities = [edge(), edge(), edge()].map(|quantity| LineQuantity { line: 0, quantity: quantity as u32 });
    let mut quantities = quantities.to_vec();
    quantities.iter_mut().for_each(|line| line.line = edge() as u16);
    quantities.truncate(edge() as usize & 3);
    let lines = [edge(), edge(), edge()].map(|price| Line { sku: SkuId(1), quantity: 1, price });
    let mut lines = lines.to_vec();
    lines.iter_mut().for_each(|line| line.quantity = edge() as u32);
    lines.iter_mut().for_each(|line| line.sku = SkuId(edge() as u32));
    lines.truncate(1 + (edge() as usize & 1));
    let details = vec![0xFF; [0, 0, 1, DETAILS_BYTES_MAX, DETAILS_BYTES_MAX + 1][edge() as usize % 5]];
    let (attempt, until, upto) = (edge() as u32, Timestamp::from_ms(edge()), Sequence(edge()));
    let counts = [edge(), edge()];
    let other = Account { site: SiteId(edge() as u16), bucket: Bucket::Available };
    let buckets = [(); 2].map(|()| Bucket::ALL[dice.below(Bucket::ALL.len() as u64) as usize]);
    let to = Account { bucket: buckets[1], ..if dice.below(2) == 0 { other } else { Account { site, ..other } } };
    let sink = ["", " ", "erp", "\u{7f}"][dice.below(4) as usize];
    let components = counts.map(|units| Component { sku, units: units as u32 });
    let reason = HoldReason::ALL[dice.below(8) as usize];
    let notes = [0, 1, HOLD_NOTE_BYTES_MAX, HOLD_NOTE_BYTES_MAX + 1]
        .map(|bytes| if dice.below(3) > 0 { "n" } else { "\u{7f}" }.repeat(bytes));
    let prices = editing::prices(dice);
    let command = match dice.below(42) {
        0 => Command::Receive { request, sku, site, quantity: small(dice) },
        1 => {
            let delta = EDGES[dice.below(EDGES.len() as u64) as usize].cast_signed();
            Command::Adjust {
                request,
                sku,
                site,
                delta: if delta > 99 { delta | 1 << 60 } else { delta },
                reason: AdjustReason::Other,
            }
        }
        2 | 3 => Command::Place(Place {
            take: if dice.below(2) == 0 { Take::WhatExists } else { Take::AllOrNothing },
            hold_ms: EDGES[dice.below(EDGES.len() as u64) as usize] as u32,
            customer: CustomerKey(u128::MAX),
            channel: u16::MAX,
            zone: u16::MAX,
            payment: PaymentMethod::Invoice,
            currency: Currency::new(*b"ZZZ").expect("three letters"),
            hashes: Some(IdentityHashes { account: u64::MAX, address: u64::MAX, instrument: u64::MAX }),
            details: &details,
            key: None,
            ..place(order, &lines)
        }),
        4 => Command::Confirm { order, attempt: change },
        5 => Command::Cancel { order, block: dice.below(8) == 0 },
        6 => Command::CancelLines { order, change, lines: &quantities },
        7 => Command::HandOver { order, change, lines: &quantities },
        8 => Command::Extend { order, until, reason: ExtendReason::ALL[dice.below(2) as usize] },
        18 => {
            let [activity_ms_max, payment_ms_max] = counts.map(|edge| edge as u32);
            let mut unpaid_ms = [1; 5];
            unpaid_ms[dice.below(5) as usize] = EDGES[dice.below(EDGES.len() as u64) as usize] as u32;
            let reservations = Reservations { activity_ms_max, payment_ms_max, unpaid_ms };
            Command::SetReservations { market, reservations }
        }
        19 => {
            let channel = [0, 1, u16::MAX][dice.below(3) as usize];
            let units_max = if dice.below(4) == 0 { None } else { Some(attempt) };
            Command::SetChannelCap { market, sku, channel, units_max }
        }
        41 => {
            let [window_ms, keys_max] = counts.map(|edge| edge as u32);
            Command::SetVelocity { market, velocity: Velocity { window_ms, keys_max } }
        }
        20 => {
            let customer = CustomerKey([0, u128::MAX][dice.below(2) as usize]);
            let whose = if dice.below(2) == 0 { Whose::Guest { order } } else { Whose::Customer { market, customer } };
            Command::Erase { whose }
        }
        9 => {
            let effects = Effects { payment: change.0 > 1, release: attempt > 1, check: upto.0 > 1 };
            Command::SetEffects { market, effects }
        }
        10 => {
            let [refused, review] = [AsideReason::Refused, AsideReason::Review].map(Report::SetAside);
            let report = [Report::Done, refused, review, Report::Resumed, Report::Rejected];
            let (effect, report) = (Effect::ALL[dice.below(3) as usize], report[dice.below(5) as usize]);
            Command::ReportEffect { order, effect, attempt, report }
        }
        11 => Command::MoveCursor { sink, upto },
        13 => {
            Command::MoveStock { request, sku, from: Account { site, bucket: buckets[0] }, to, quantity: small(dice) }
        }
        21 => {
            let (as_of, counted) = (Sequence(rig.position.0.saturating_sub(upto.0 & 7)), small(dice));
            let as_of = if upto.0 > 1 << 40 { upto } else { as_of };
            Command::ReportCount { request, sku, site, as_of, counted }
        }
        14 => Command::CountStock { request, sku, site, expected: counts[0], counted: counts[1] },
        12 => Command::DetachCursor { sink, upto },
        17 => {
            let components = &components[..dice.below(3) as usize];
            Command::DefineKit { market, code: ["a", "mug", "set"][dice.below(3) as usize], components }
        }
        25..30 => paying::extreme(dice, order, change),
        37..41 => editing::extreme(dice, (order, change), (&prices, &quantities, &lines)),
        30..37 => returning::extreme(dice, (order, change), site, &quantities),
        22 => {
            let note = notes[dice.below(4) as usize].as_str();
            Command::HoldOrder { order, owner: sink, reason, note }
        }
        23 => Command::LiftHold { order, owner: sink, reason },
        15 | 16 => Command::SetPolicy { market, sku, policy: extreme_policy(dice) },
        _ => Command::ReturnToStock { order, change, site, lines: &quantities },
    };
    // The outcome is compared with the twin's inside.
    let _ = rig.submit(&command);
}

fn extreme_policy(dice: &mut Dice) -> Policy {
    let mut edge = |odds| if dice.once_in(odds) { EDGES[dice.below(EDGES.len() as u64) as usize] } else { 0 };
    let [safety_stock, low_stock, oversell] = [edge(3), edge(2), edge(2)];
    let [order_min, order_max, customer_max, customer_day_max] = [(); 4].map(|()| edge(12) as u32);
    Policy {
        safety_stock,
        order_min,
        order_max,
        customer_max,
        customer_day_max,
        by_hashes: edge(3) > 0,
        day_begins_min: edge(12) as u16,
        // What is owed stays small, as stock does.
        oversell_max: if (0x100..=STOCK_UNITS_MAX).contains(&oversell) { 7 } else { oversell },
        low_stock,
        returns_give_back: edge(3) > 0,
    }
}

/// Stock stays small, so that the twin can keep it unit by unit; beyond it only what is out of bounds.
fn small(dice: &mut Dice) -> u64 {
    [0, 1, 2, 3, u64::MAX, 1 << 63, 1_000_000_000_001][dice.below(7) as usize]
}

#[test]
fn no_number_in_any_question_panics() {
    let rig = small_world(START);
    for edge in EDGES {
        let market = MarketId::new(edge as u32 & 0xF_FFFF).expect("20 bits");
        for market in [market, MARKET, MarketId::MAX] {
            let _ = rig.engine.stock(market, &[SkuId(edge as u32)]);
            let _ = rig.engine.recipe(market, SkuId(edge as u32));
            let _ = rig.engine.order_by_number(market, OrderNumber(edge));
            let _ = rig.engine.open_orders(market, OrderNumber(edge), edge as u16);
            let _ = rig.engine.held_orders(market, OrderNumber(edge), edge as u16);
            let _ = rig.engine.skus(market, SkuId(edge as u32), edge as u16);
            let _ = rig.engine.sites(market);
            let _ = rig.engine.books(market);
            let _ = rig.engine.wanted(Some(market), (Effect::Payment, edge > 2), edge, 10);
        }
        let _ = rig.engine.order(OrderId::from_bits(u128::from(edge) << 64 | u128::from(edge)));
    }
    assert_eq!(rig.engine.stock(MARKET, &[SkuId(3)]), Err(Refusal::UnknownSku { sku: SkuId(3) }));
}

#[test]
fn an_order_may_have_2048_lines() {
    let mut rig = Rig::new(room_for(10));
    let market = rig.open("default");
    for number in 1..=8_u32 {
        rig.submit(&Command::CreateSku { market, code: &format!("sku {number}") }).expect("created");
        let request = RequestId::new(START, market, number.into());
        let receipt = Command::Receive { request, sku: SkuId(number), site: SiteId(1), quantity: 512 };
        rig.submit(&receipt).expect("received");
    }
    let lines: Vec<Line> =
        (0..LINES_MAX as u32).map(|at| Line { sku: SkuId(at % 8 + 1), quantity: 1 + at % 2, price: 1 }).collect();
    let order = OrderId::new(START, market, 1);
    let told = rig.submit(&Command::Place(place(order, &lines))).expect("placed");
    assert!(matches!(told.answer, Answer::Placed { state: State::PendingPayment, .. }), "{told:?}");
    rig.check_everything();
    rig.wait(60_000);
    rig.sweep();
    rig.submit(&Command::Confirm { order, attempt: ChangeId(1) }).expect("taken again");
    rig.check_everything();
    let all: Vec<LineQuantity> = (0..LINES_MAX as u16).map(|line| LineQuantity { line, quantity: 1 }).collect();
    for command in [
        Command::HandOver { order, change: ChangeId(2), lines: &all },
        Command::CancelLines { order, change: ChangeId(3), lines: &all[1..2] },
        Command::ReturnToStock { order, change: ChangeId(4), site: SiteId(1), lines: &all },
        Command::Cancel { order, block: false },
    ] {
        rig.submit(&command).expect("legal");
        rig.check_everything();
    }
    rig.check_replica();
}

#[test]
fn an_order_draws_on_at_most_8192_places() {
    const SITES: u16 = 5;
    let mut rig = Rig::new(room_for(10));
    let market = rig.open("default");
    for number in 2..=SITES {
        rig.submit(&Command::CreateSite { market, rank: 0, code: &format!("site {number}") }).expect("created");
    }
    for sku in 1..=LINES_MAX as u32 {
        rig.submit(&Command::CreateSku { market, code: &format!("sku {sku}") }).expect("created");
        for site in 1..=SITES {
            let request = RequestId::new(START, market, u64::from(sku) * 100 + u64::from(site));
            let receipt = Command::Receive { request, sku: SkuId(sku), site: SiteId(site), quantity: 1 };
            // Without the twin: it adds all receipts up for every single one.
            rig.engine_alone(&receipt).expect("received");
        }
    }
    let lines = |quantity| -> Vec<Line> {
        (1..=LINES_MAX as u32).map(|sku| Line { sku: SkuId(sku), quantity, price: 1 }).collect()
    };
    let (too_wide, wide) = (OrderId::new(START, market, 1), OrderId::new(START, market, 2));
    let refused = rig.engine_alone(&Command::Place(place(too_wide, &lines(5))));
    assert_eq!(refused.map(|told| told.answer), Err(Refusal::TooManyDraws));
    rig.engine_alone(&Command::Place(place(wide, &lines(4)))).expect("as many draws as there may be");
    let view = rig.engine.order(wide).expect("placed");
    assert_eq!(view.draws.len(), DRAWS_MAX);
    rig.check_laws();
    rig.engine_alone(&Command::Cancel { order: wide, block: false }).expect("cancelled");
    rig.check_laws();
}

/// The money has come: it is told as a fact that the order cannot be had for it, and told the same when asked again.
#[test]
fn a_late_payment_that_would_draw_on_more_places_has_failed() {
    const SITES: u16 = 5;
    let mut rig = Rig::new(room_for(10));
    let market = rig.open("default");
    for number in 2..=SITES {
        rig.submit(&Command::CreateSite { market, rank: 0, code: &format!("site {number}") }).expect("created");
    }
    let skus = (1..=LINES_MAX as u32).map(SkuId);
    let mut requests = (1..).map(|number| RequestId::new(START, market, number));
    let mut request = || requests.next().expect("as many as it takes");
    for sku in skus.clone() {
        rig.submit(&Command::CreateSku { market, code: &format!("sku {sku}") }).expect("created");
        let receipt = Command::Receive { request: request(), sku, site: SiteId(1), quantity: u64::from(SITES) };
        rig.engine_alone(&receipt).expect("received");
    }
    let lines: Vec<Line> = skus.clone().map(|sku| Line { sku, quantity: SITES.into(), price: 1 }).collect();
    let order = OrderId::new(START, market, 1);
    rig.engine_alone(&Command::Place(place(order, &lines))).expect("one place for each line");
    rig.wait(60_000);
    let shelf = |site| Account { site: SiteId(site), bucket: Bucket::Available };
    let places: Vec<_> = skus.flat_map(|sku| (2..=SITES).map(move |site| (sku, site))).collect();
    for (sku, site) in places.iter().copied() {
        let spread = Command::MoveStock { request: request(), sku, from: shelf(1), to: shelf(site), quantity: 1 };
        rig.engine_alone(&spread).expect("moved");
    }
    let last = SkuId(LINES_MAX as u32);
    rig.sweep();
    let paid = |attempt| Command::Confirm { order, attempt: ChangeId(attempt) };
    for repeated in [false, true] {
        let told = rig.engine_alone(&paid(1)).map(|told| told.answer);
        assert_eq!(told, Ok(Answer::RetakeFailed { sku: last, repeated }));
    }
    // Back where they were: another attempt finds them.
    for (sku, site) in places {
        let back = Command::MoveStock { request: request(), sku, from: shelf(site), to: shelf(1), quantity: 1 };
        rig.engine_alone(&back).expect("moved back");
    }
    let told = rig.engine_alone(&paid(2)).map(|told| told.answer);
    assert!(matches!(told, Ok(Answer::Done { state: State::Confirmed, .. })), "{told:?}");
    rig.check_laws();
}

#[test]
fn an_order_of_2048_lines_may_be_owed_all_of_them() {
    let mut rig = Rig::new(room_for(10));
    let market = rig.open("default");
    for number in 1..=8_u32 {
        rig.submit(&Command::CreateSku { market, code: &format!("sku {number}") }).expect("created");
        let policy = Policy { oversell_max: 512, low_stock: 1, ..Policy::default() };
        rig.submit(&Command::SetPolicy { market, sku: SkuId(number), policy }).expect("set");
    }
    let lines: Vec<Line> =
        (0..LINES_MAX as u32).map(|at| Line { sku: SkuId(at % 8 + 1), quantity: 2, price: 1 }).collect();
    let [first, second] = [1, 2].map(|number| OrderId::new(START, market, number));
    rig.submit(&Command::Place(place(first, &lines))).expect("placed");
    rig.check_everything();
    let refused = rig.submit(&Command::Place(place(second, &lines[..1]))).expect_err("the allowance is used up");
    assert_eq!(refused, Refusal::SoldOut { sku: SkuId(1), asked: 2, available: 0 });
    let receive = |rig: &mut Rig, sku: u32, quantity| {
        let request = RequestId::new(rig.now, market, u64::from(sku) << 32 | quantity);
        rig.submit(&Command::Receive { request, sku: SkuId(sku), site: SiteId(1), quantity }).expect("received");
        rig.check_everything();
    };
    receive(&mut rig, 1, 511);
    receive(&mut rig, 2, 513);
    rig.submit(&Command::Confirm { order: first, attempt: ChangeId(1) }).expect("paid for");
    rig.submit(&Command::HandOver { order: first, change: ChangeId(2), lines: &[] }).expect("what is there");
    rig.check_everything();
    receive(&mut rig, 3, 512);
    rig.submit(&Command::Cancel { order: first, block: false }).expect("cancelled");
    rig.check_everything();
    rig.check_replica();
}

#[test]
fn as_much_may_be_owed_as_orders_may_ask() {
    let mut rig = Rig::new(room_for(10));
    let market = rig.open("default");
    rig.submit(&Command::CreateSku { market, code: "mug" }).expect("created");
    let sku = SkuId(1);
    let policy =
        Policy { oversell_max: STOCK_UNITS_MAX, low_stock: STOCK_UNITS_MAX, safety_stock: 1, ..Policy::default() };
    rig.submit(&Command::SetPolicy { market, sku, policy }).expect("set");
    let lines = vec![Line { sku, quantity: LINE_QUANTITY_MAX, price: 0 }; LINES_MAX];
    let all = u64::from(LINE_QUANTITY_MAX) * LINES_MAX as u64;
    let orders = [1, 2].map(|number| OrderId::new(START, market, number));
    // From here without the twin, which keeps every unit by itself.
    for order in orders {
        rig.engine_alone(&Command::Place(place(order, &lines))).expect("placed");
        rig.check_laws();
    }
    assert_eq!(rig.engine.books(market).expect("open").owed, 2 * all);
    assert_eq!(rig.engine.availability(market, &[sku]), Ok(vec![STOCK_UNITS_MAX - 2 * all]));
    let request = RequestId::new(START, market, 1);
    let receipt = Command::Receive { request, sku, site: SiteId(1), quantity: all + 1 };
    rig.engine_alone(&receipt).expect("received");
    assert_eq!(rig.fill_engine_alone(), 2);
    rig.check_laws();
    assert_eq!(rig.engine.books(market).expect("open").owed, all - 1);
    for order in orders {
        rig.engine_alone(&Command::Cancel { order, block: false }).expect("cancelled");
        rig.check_laws();
    }
    assert_eq!(rig.engine.books(market).expect("open").owed, 0);
    assert_eq!(rig.engine.availability(market, &[sku]), Ok(vec![all + STOCK_UNITS_MAX]));
}

#[test]
fn an_order_is_filled_from_as_many_places_as_it_may_draw_on() {
    let mut rig = Rig::new(room_for(10));
    let market = rig.open("default");
    for number in 2..=SITES_MAX as u16 {
        rig.submit(&Command::CreateSite { market, rank: 0, code: &format!("site {number}") }).expect("created");
    }
    let sites = SITES_MAX as u32;
    let skus = ORDER_DRAWS_MAX as u32 / sites + 1;
    for sku in 1..=skus {
        rig.submit(&Command::CreateSku { market, code: &format!("sku {sku}") }).expect("created");
        let policy = Policy { oversell_max: u64::from(sites) + 1, ..Policy::default() };
        rig.submit(&Command::SetPolicy { market, sku: SkuId(sku), policy }).expect("set");
    }
    let lines: Vec<Line> = (1..=skus).map(|sku| Line { sku: SkuId(sku), quantity: sites, price: 1 }).collect();
    let order = OrderId::new(START, market, 1);
    let next = OrderId::new(START, market, 2);
    rig.engine_alone(&Command::Place(place(order, &lines))).expect("placed");
    let last = [Line { quantity: 1, ..lines[lines.len() - 1] }];
    rig.engine_alone(&Command::Place(place(next, &last))).expect("placed");
    for (sku, site) in (1..=skus).flat_map(|sku| (1..=SITES_MAX as u16).map(move |site| (sku, site))) {
        let request = RequestId::new(START, market, u64::from(sku) << 16 | u64::from(site));
        // Without the twin: it adds all receipts up for every single one.
        rig.engine_alone(&Command::Receive { request, sku: SkuId(sku), site: SiteId(site), quantity: 1 })
            .expect("received");
        if site % 100 == 0 {
            rig.fill_engine_alone();
        }
    }
    rig.fill_engine_alone();
    rig.check_laws();
    let view = rig.engine.order(order).expect("placed");
    let owed = u64::from(skus * sites) - view.draws.len() as u64;
    assert!(view.draws.len() <= ORDER_DRAWS_MAX && owed < 2 * u64::from(sites), "{} draws", view.draws.len());
    assert_eq!(rig.engine.books(market).expect("open").owed, owed);
    // It keeps nobody behind it waiting, and the shard does not try for ever.
    assert_eq!(rig.engine.order(next).expect("placed").lines[0].reserved, 1);
    assert!(!rig.engine.has_fills());
    // Who joins now gets what lies there and the first in line cannot take.
    let late = OrderId::new(START, market, 3);
    rig.engine_alone(&Command::Place(place(late, &last))).expect("placed");
    rig.fill_engine_alone();
    assert_eq!(rig.engine.order(late).expect("placed").lines[0].reserved, 1);
    rig.check_laws();
    rig.engine_alone(&Command::Cancel { order, block: false }).expect("cancelled");
    rig.check_laws();
    let units = rig.engine.books(market).expect("open").units;
    let all = i64::from(skus * sites);
    assert_eq!((units[Bucket::Available as usize], units[Bucket::Arriving as usize]), (all - 2, 0));
}

#[test]
fn ten_thousand_changes_are_remembered_where_they_belong() {
    let mut rig = Rig::new(room_for(100));
    let market = rig.open("default");
    rig.submit(&Command::CreateSku { market, code: "mug" }).expect("created");
    let request = RequestId::new(START, market, 1);
    rig.submit(&Command::Receive { request, sku: SkuId(1), site: SiteId(1), quantity: 40 }).expect("received");
    let lines = [Line { sku: SkuId(1), quantity: 1, price: 0 }];
    let orders: Vec<OrderId> = (0..40).map(|number| OrderId::new(START, market, number)).collect();
    for &order in &orders {
        rig.submit(&Command::Place(place(order, &lines))).expect("placed");
    }
    let excess = [LineQuantity { line: 0, quantity: 1 }];
    for change in 0..250 {
        for &order in &orders {
            rig.submit(&Command::HandOver { order, change: ChangeId(change), lines: &excess }).expect("a report");
        }
    }
    rig.check_everything();
    for change in 0..10_000 {
        let outcome = rig.submit(&Command::HandOver { order: orders[0], change: ChangeId(change), lines: &excess });
        assert_eq!(outcome.is_ok(), change < CHANGES_MAX as u64, "change {change}");
    }
    rig.check_everything();
    rig.check_replica();
}
