//! Replaying: the digest is about the state and not about the way there, and the books are what the document says.

use stockade::base::{ChangeId, Currency, CustomerKey, MarketId, OrderId, RequestId, SiteId, SkuId};
use stockade::engine::choices::{PaymentMethod, Take};
use stockade::engine::order::State;
use stockade::engine::{Command, Line, Place};
use xxhash_rust::xxh3::xxh3_128;

use crate::rig::{MARKET, Rig, START, room_for};
use crate::script::Script;

/// A script of one market, one command a line. Without details: which key is next depends on everybody's orders.
const STEPS: [&str; 6] =
    ["receive mug 9", "place o1 mug*2", "place o2 mug*3 cod", "ship o2 0*1 id=4", "confirm o1", "drop o1 0*1 id=5"];

/// Runs the same steps in two markets; `second_after[i]` steps of the second market come after step i of the first.
fn interleaved(second_after: [usize; 6]) -> Script {
    let mut script = Script::new(Rig::new(room_for(100)));
    // Which entry tells what depends on the other market, and nothing else does.
    script.rig.one_entry = true;
    script.try_line("market second");
    let mut second = STEPS.iter().map(|step| step.replace(" o", " p"));
    for (step, count) in STEPS.iter().zip(second_after) {
        script.try_line("market default");
        script.try_line(step);
        script.try_line("market second");
        for step in second.by_ref().take(count) {
            script.try_line(&step);
        }
    }
    script
}

#[test]
fn two_markets_have_the_same_digest_however_their_commands_were_interleaved() {
    let ways = [[0, 0, 0, 0, 0, 6], [1, 1, 1, 1, 1, 1], [6, 0, 0, 0, 0, 0], [0, 3, 0, 2, 1, 0]];
    let digests = ways.map(|way| interleaved(way).rig.engine.digest());
    assert!(digests.iter().all(|digest| *digest == digests[0]), "{digests:x?}");
}

#[test]
fn one_step_more_is_another_digest() {
    let mut script = interleaved([1; 6]);
    let mut digests = vec![script.rig.engine.digest()];
    for step in [
        "sku rare",
        "site north rank=1",
        "receive mug 1",
        "place p9 mug*1 cod note=Eve",
        "erase p9",
        "block p10",
        "ship p9 id=1",
        "ship p9 id=2",
        "return p9 0*1 id=3",
        "place p8 mug*1",
        "start p8 try=1",
        "told p8 try=1 processing",
        "told p8 try=1 captured=100",
        "told p8 try=1 disputed",
        "refund p8 50 id=9",
        "cancel p1",
        "told p8 try=1 dispute_won",
        "market third",
    ] {
        script.try_line(step);
        digests.push(script.rig.engine.digest());
    }
    let count = digests.len();
    digests.sort_unstable();
    digests.dedup();
    assert_eq!(digests.len(), count, "every step changed the digest");
}

#[test]
fn what_changes_nothing_leaves_the_digest_alone() {
    let mut script = interleaved([1; 6]);
    let before = script.rig.engine.digest();
    for step in [
        "sku mug",
        "place p1 mug*2",
        "place p7 mug*99",
        "place p7 mug*0",
        "confirm p1",
        "ship p2 0*1 id=4",
        "ship p2 0*2 id=4",
        "return p2 0*9 id=9",
        "adjust mug -99",
        "start p1 try=1",
        "told p1 try=1 captured=200 in=EUR",
        "told p1 try=1 captured=0",
        "refund p1 1",
        "order p1",
        "stock mug",
    ] {
        script.try_line(step);
        assert_eq!(script.rig.engine.digest(), before, "{step}");
    }
}

#[test]
fn the_books_agree_whatever_order_the_orders_came_in() {
    let books = |names: [&str; 3]| {
        let mut script = Script::new(Rig::new(room_for(100)));
        script.run("receive mug 9\n sku cup");
        for name in names {
            script.try_line(&format!("place {name} mug*2"));
        }
        script.rig.engine.books(MARKET).expect("the market is open")
    };
    assert_eq!(books(["o1", "o2", "o3"]), books(["o3", "o1", "o2"]));
}

#[test]
fn the_hash_of_an_order_is_laid_out_as_the_protocol_says() {
    let mut rig = Rig::new(room_for(10));
    let market = rig.open("default");
    rig.submit(&Command::CreateSku { market, code: "mug" }).expect("created");
    let (sku, site) = (SkuId(1), SiteId(1));
    let request = RequestId::new(START, market, 1);
    rig.submit(&Command::Receive { request, sku, site, quantity: 9 }).expect("received");
    let order = OrderId::new(START, market, 0x0123_4567_89AB_CDEF);
    let lines = [Line { sku, quantity: 2, price: 1 }, Line { sku, quantity: 3, price: 1 }];
    rig.submit(&Command::Place(place(order, &lines))).expect("placed");
    assert_eq!(hash(&rig, market), expected(order, State::PendingPayment, &[[2, 2, 0, 0, 0, 0], [3, 3, 0, 0, 0, 0]]));
    rig.submit(&Command::Confirm { order, attempt: ChangeId(1) }).expect("confirmed");
    assert_eq!(hash(&rig, market), expected(order, State::Confirmed, &[[2, 0, 0, 2, 0, 0], [3, 0, 0, 3, 0, 0]]));
    rig.submit(&Command::HandOver { order, change: ChangeId(2), lines: &[] }).expect("handed over");
    assert_eq!(hash(&rig, market), expected(order, State::Completed, &[[2, 0, 0, 0, 2, 0], [3, 0, 0, 0, 3, 0]]));
}

fn hash(rig: &Rig, market: MarketId) -> u128 {
    rig.engine.books(market).expect("the market is open").orders_hash
}

/// Per line: taken, reserved, lapsed, committed, shipped, cancelled.
fn expected(order: OrderId, state: State, lines: &[[u32; 6]]) -> u128 {
    let mut bytes = order.bits().to_le_bytes().to_vec();
    bytes.push(state as u8);
    bytes.extend(lines.iter().flatten().flat_map(|counter| counter.to_le_bytes()));
    xxh3_128(&bytes)
}

pub(crate) fn place(order: OrderId, lines: &[Line]) -> Place<'_> {
    Place {
        order,
        customer: CustomerKey(0),
        take: Take::AllOrNothing,
        hold_ms: 60_000,
        currency: Currency::new(*b"GBP").expect("pounds exist"),
        payment: PaymentMethod::Card,
        channel: 0,
        zone: 0,
        hashes: None,
        lines,
        details: &[],
        key: None,
    }
}
