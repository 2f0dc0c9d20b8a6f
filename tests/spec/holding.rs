//! Holding: a reason why nothing of an order goes to a warehouse, and what it leaves alone.

use stockade::base::limits::{HELD_ROWS_MAX, HOLDS_PER_ORDER_MAX};
use stockade::base::{MarketId, OrderNumber};
use stockade::engine::{Capacity, Kept, Refusal};

use crate::rig::{MARKET, Rig};
use crate::script::{Script, check, check_within};

#[test]
fn an_order_that_is_held_is_not_released_until_its_last_hold_is_lifted() {
    check(
        "
        receive  mug 5
        effects  release                   -> set
        place    o1 mug*2@150 cod          -> #1 confirmed
        wanted   release                   -> o1 release 1 amount=300
        hold     o1 desk:fraud             -> in_review moved=0
        wanted   release                   -> o1 release 2 amount=0
        report   o1 release 2 done         -> in_review moved=0
        hold     o1 desk:address           -> in_review moved=0
        wanted   release                   -> nothing
        lift     o1 desk:fraud             -> in_review moved=0
        wanted   release                   -> nothing
        lift     o1 desk:address           -> confirmed moved=0
        wanted   release                   -> o1 release 3 amount=300
        report   o1 release 3 done         -> confirmed moved=0
        lift     o1 desk:address           -> confirmed moved=0 again
        wanted   release                   -> nothing
        history  o1                        -> placed_confirmed 0 n=2 | held fraud | release_wanted attempt=2 \
                                              | release_done attempt=2 | held address | hold_lifted fraud \
                                              | hold_lifted address | release_wanted attempt=3 \
                                              | release_done attempt=3
    ",
    );
}

#[test]
fn an_order_that_is_paid_while_it_is_held_is_in_review() {
    check(
        "
        receive  mug 5
        effects  payment release           -> set
        place    o1 mug*2                  -> #1 pending_payment
        hold     o1 desk:fraud             -> pending_payment moved=0
        wanted   payment                   -> o1 charge 1 amount=200
        told     o1 adapter authorised=200 -> in_review moved=2
        confirm  o1 try=1                  -> in_review moved=2 again
        order    o1                        -> in_review mug committed=2
        open                               -> o1#1
        wanted   payment                   -> nothing
        wanted   release                   -> nothing
        drop     o1 0*1                    -> in_review moved=1
        wanted   release                   -> nothing
        lift     o1 desk:fraud             -> confirmed moved=0
        wanted   release                   -> o1 release 1 amount=100
        history  o1                        -> placed 0 n=2 | held fraud | authorised amount=200 | charged n=2 \
                                              | lines_cancelled 0 n=1 | hold_lifted fraud | release_wanted attempt=1
    ",
    );
}

#[test]
fn what_an_adapter_was_to_charge_is_closed_when_a_held_order_was_paid_otherwise() {
    check(
        "
        receive  mug 5
        effects  payment release           -> set
        place    o1 mug*2                  -> #1 pending_payment
        hold     o1 desk:fraud             -> pending_payment moved=0
        confirm  o1 try=1                  -> in_review moved=2
        wanted   payment                   -> o1 close 2 amount=0
        lift     o1 desk:fraud             -> confirmed moved=0
        wanted   payment                   -> o1 close 2 amount=0
        hold     o1 desk:fraud             -> in_review moved=0
        wanted   payment                   -> o1 close 2 amount=0
    ",
    );
}

#[test]
fn a_late_payment_of_a_held_order_is_held_too() {
    check(
        "
        receive  mug 3
        effects  release                   -> set
        place    o1 mug*2 hold=5s          -> #1 pending_payment
        place    o2 mug*1 hold=5s          -> #2 pending_payment
        hold     o1 desk:fraud             -> pending_payment moved=0
        wait     5s                        -> o1 o2 expired
        holds    o1                        -> desk:fraud since=0
        hold     o2 desk:payment           -> expired moved=0
        confirm  o1                        -> in_review moved=2
        confirm  o2                        -> in_review moved=1
        wanted   release                   -> nothing
        lift     o2 desk:payment           -> confirmed moved=0
        wanted   release                   -> o2 release 1 amount=100
    ",
    );
}

#[test]
fn a_hold_stops_neither_payment_cancellation_expiry_nor_a_hand_over() {
    check(
        "
        receive  mug 9
        place    o1 mug*2 hold=5s          -> #1 pending_payment
        hold     o1 desk:fraud             -> pending_payment moved=0
        extend   o1 9s payment_start       -> reserved for 9000 ms
        place    o2 mug*2 hold=5s          -> #2 pending_payment
        hold     o2 desk:fraud             -> pending_payment moved=0
        confirm  o2                        -> in_review moved=2
        drop     o2 0*1                    -> in_review moved=1
        cancel   o2                        -> cancelled moved=2
        wait     8999ms                    -> nothing expired
        wait     1ms                       -> o1 expired
        stock    mug                       -> available=9
        place    o3 mug*3 cod              -> #3 confirmed
        hold     o3 desk:fraud             -> in_review moved=0
        ship     o3 0*1 id=2               -> fulfilling moved=1
        return   o3 0*1 id=3               -> fulfilling moved=1
        hold     o3 desk:address           -> fulfilling moved=0
        lift     o3 desk:address           -> fulfilling moved=0
        ship     o3 id=4                   -> completed moved=2
        stock    mug                       -> available=7 customer=2
    ",
    );
}

#[test]
fn a_warehouse_is_told_of_what_left_a_held_order_and_of_nothing_more() {
    check(
        "
        receive  mug 5
        effects  release                   -> set
        place    o1 mug*3 cod              -> #1 confirmed
        hold     o1 desk:fraud             -> in_review moved=0
        wanted   release                   -> o1 release 2 amount=0
        ship     o1 0*1 id=1               -> fulfilling moved=1
        wanted   release                   -> o1 release 3 amount=100
        drop     o1 0*1 id=2               -> fulfilling moved=1
        wanted   release                   -> o1 release 3 amount=100
        lift     o1 desk:fraud             -> fulfilling moved=0
        wanted   release                   -> o1 release 4 amount=200
    ",
    );
}

#[test]
fn what_comes_in_for_a_held_order_is_its_own_and_stays() {
    check(
        "
        policy   mug oversell=5
        receive  mug 1
        effects  release                   -> set
        place    o1 mug*3 cod              -> #1 confirmed owed n=2
        hold     o1 desk:fraud             -> in_review moved=0
        report   o1 release 2 done         -> in_review moved=0
        receive  mug 2
        order    o1                        -> in_review mug committed=3
        wanted   release                   -> nothing
        lift     o1 desk:fraud             -> confirmed moved=0
        wanted   release                   -> o1 release 3 amount=300
        place    o2 mug*1 cod              -> #2 confirmed owed n=1
        hold     o2 desk:stock             -> in_review moved=0
        lift     o2 desk:stock             -> confirmed moved=0
        wanted   release                   -> o1 release 3 amount=300
    ",
    );
}

#[test]
fn holds_are_known_by_owner_and_reason() {
    check(
        "
        receive  mug 5
        place    o1 mug*1 cod              -> #1 confirmed
        hold     o1 desk:fraud note=call   -> in_review moved=0
        hold     o1 desk:fraud note=call   -> in_review moved=0 again
        hold     o1 desk:fraud note=write  -> no: conflict
        hold     o1 desk:fraud             -> no: conflict
        wait     1s
        hold     o1 desk:address           -> in_review moved=0
        hold     o1 risk:fraud note=write  -> in_review moved=0
        holds    o1                        -> desk:fraud note=call since=0 | desk:address since=1000 \
                                              | risk:fraud note=write since=1000
        lift     o1 risk:address           -> in_review moved=0 again
        lift     o1 desk:fraud             -> in_review moved=0
        lift     o1 desk:fraud             -> in_review moved=0 again
        holds    o1                        -> desk:address since=1000 | risk:fraud note=write since=1000
        hold     o1 desk:fraud note=write  -> in_review moved=0
        holds    o1                        -> desk:address since=1000 | risk:fraud note=write since=1000 \
                                              | desk:fraud note=write since=1000
        history  o1                        -> placed_confirmed 0 n=1 | held fraud | held address | held fraud \
                                              | hold_lifted fraud | held fraud
    ",
    );
}

#[test]
fn what_is_over_or_unknown_is_not_held() {
    check(
        "
        retention window=1s ids=24h
        receive  mug 5
        block    o9
        hold     o9 desk:fraud             -> no: unknown_order
        lift     o9 desk:fraud             -> no: unknown_order
        hold     o1 desk:fraud             -> no: unknown_order
        place    o1 mug*1 cod              -> #1 confirmed
        place    o2 mug*1                  -> #2 pending_payment
        ship     o1                        -> completed moved=1
        cancel   o2                        -> cancelled moved=1
        hold     o1 desk:fraud             -> no: illegal completed
        hold     o2 desk:fraud             -> no: illegal cancelled
        lift     o1 desk:fraud             -> completed moved=0 again
        lift     o2 desk:fraud             -> cancelled moved=0 again
        wait     1s
        hold     o1 desk:fraud             -> no: closed
        lift     o1 desk:fraud             -> no: closed
    ",
    );
}

#[test]
fn holds_are_bounded_for_an_order_and_altogether() {
    check_within(
        Capacity { holds_max: 10, ..Capacity::default() },
        "
        receive  mug 5
        hold     o1 :fraud note_bytes=201  -> no: out_of_bounds Code
        hold     o1 desk:fraud note_bytes=201 -> no: out_of_bounds Note
        lift     o1 :fraud                 -> no: out_of_bounds Code
        place    o1 mug*1 cod              -> #1 confirmed
        place    o2 mug*1 cod              -> #2 confirmed
        hold     o1 desk:fraud note_bytes=200 -> in_review moved=0
        hold     o1 desk:payment           -> in_review moved=0
        hold     o1 desk:address           -> in_review moved=0
        hold     o1 desk:stock             -> in_review moved=0
        hold     o1 desk:delivery_date     -> in_review moved=0
        hold     o1 desk:returned_goods    -> in_review moved=0
        hold     o1 desk:customer          -> in_review moved=0
        hold     o1 desk:other             -> in_review moved=0
        hold     o1 risk:other             -> no: out_of_bounds Holds
        hold     o2 desk:fraud             -> in_review moved=0
        hold     o2 desk:payment           -> in_review moved=0
        hold     o1 risk:other             -> no: out_of_bounds Holds
        hold     o1 desk:other             -> in_review moved=0 again
        hold     o1 desk:other note=call   -> no: conflict
        hold     o2 desk:other             -> no: at_capacity
        hold     o2 desk:payment           -> in_review moved=0 again
        hold     o2 desk:payment note=call -> no: conflict
        lift     o1 desk:other             -> in_review moved=0
        hold     o2 desk:other             -> in_review moved=0
        hold     o1 desk:other             -> no: at_capacity
    ",
    );
}

#[test]
fn held_orders_are_listed_page_by_page() {
    check(
        "
        receive  mug 9
        held                               -> nothing
        place    o1 mug*1                  -> #1 pending_payment
        place    o2 mug*1 cod              -> #2 confirmed
        place    o3 mug*1 cod              -> #3 confirmed
        place    o4 mug*1                  -> #4 pending_payment
        hold     o3 desk:fraud
        hold     o1 risk:fraud
        hold     o3 desk:address
        hold     o4 desk:other
        held                               -> o1 pending_payment risk:fraud | o3 in_review desk:fraud \
                                              | o3 in_review desk:address | o4 pending_payment desk:other
        held     rows=1                    -> o1 pending_payment risk:fraud | next=1
        held     after=1 rows=1            -> o3 in_review desk:fraud | o3 in_review desk:address | next=3
        held     after=3 rows=1            -> o4 pending_payment desk:other
        held     after=4                   -> nothing
        held     after=18446744073709551615 -> nothing
        held     rows=2                    -> o1 pending_payment risk:fraud | o3 in_review desk:fraud \
                                              | o3 in_review desk:address | next=3
        held     rows=3                    -> o1 pending_payment risk:fraud | o3 in_review desk:fraud \
                                              | o3 in_review desk:address | next=3
        held     rows=0                    -> no: out_of_bounds Rows
        held     rows=1025                 -> no: out_of_bounds Rows
        lift     o3 desk:fraud
        lift     o3 desk:address
        held                               -> o1 pending_payment risk:fraud | o4 pending_payment desk:other
        market   second
        held                               -> nothing
    ",
    );
}

#[test]
fn a_page_of_held_orders_is_at_most_so_long_and_never_parts_the_holds_of_one() {
    let reasons = ["fraud", "payment", "address", "stock", "delivery_date", "returned_goods", "customer"];
    let orders = HELD_ROWS_MAX / reasons.len() + 2;
    let mut script = Script::new(Rig::new(Capacity::default()));
    script.run(&format!("receive mug {orders}"));
    for order in 1..=orders {
        let holds: Vec<String> = reasons.iter().map(|reason| format!("hold o{order} desk:{reason}")).collect();
        script.run(&format!("place o{order} mug*1 cod\n{}", holds.join("\n")));
    }
    let page = script.rig.engine.held_orders(MARKET, OrderNumber(0), 1_024).expect("the market is open");
    let last = HELD_ROWS_MAX.div_ceil(reasons.len());
    assert_eq!((page.rows.len(), page.next), (last * reasons.len(), Some(OrderNumber(last as u64))));
    assert!(page.rows.len() < HELD_ROWS_MAX + HOLDS_PER_ORDER_MAX);
    assert_eq!(Ok(page), script.rig.twin.held_orders(MARKET, OrderNumber(0), 1_024));
    let unknown = script.rig.engine.held_orders(MarketId::MAX, OrderNumber(0), 1);
    assert_eq!(unknown, Err(Refusal::UnknownMarket));
}

#[test]
fn holds_end_with_their_order() {
    check(
        "
        retention window=1s ids=24h
        receive  mug 9
        place    o1 mug*2 cod              -> #1 confirmed
        hold     o1 desk:fraud             -> in_review moved=0
        hold     o1 risk:fraud             -> in_review moved=0
        cancel   o1                        -> cancelled moved=2
        holds    o1                        -> nothing
        place    o2 mug*1 cod              -> #2 confirmed
        hold     o2 desk:fraud             -> in_review moved=0
        drop     o2 0*1                    -> cancelled moved=1
        holds    o2                        -> nothing
        place    o3 mug*2 cod              -> #3 confirmed
        hold     o3 desk:fraud             -> in_review moved=0
        ship     o3 0*1 id=1               -> fulfilling moved=1
        holds    o3                        -> desk:fraud since=0
        drop     o3 0*1 id=2               -> completed moved=1
        holds    o3                        -> nothing
        place    o4 mug*1 cod              -> #4 confirmed
        hold     o4 desk:fraud             -> in_review moved=0
        ship     o4                        -> completed moved=1
        holds    o4                        -> nothing
        history  o4                        -> placed_confirmed 0 n=1 | held fraud | handed_over 0 n=1
        place    o5 mug*1 hold=5s          -> #5 pending_payment
        hold     o5 desk:fraud             -> pending_payment moved=0
        wait     5s                        -> o5 expired
        held                               -> o5 expired desk:fraud
        wait     999ms
        held                               -> o5 expired desk:fraud
        wait     1ms
        order    o5                        -> expired closed
        held                               -> nothing
    ",
    );
}

#[test]
fn holds_that_ended_make_room_for_others() {
    let mut script = Script::new(Rig::new(Capacity { holds_max: 1, ..Capacity::default() }));
    script.run(
        "
        retention window=1s ids=24h
        receive  mug 9
        place    o1 mug*1 cod
        place    o2 mug*1 cod
        place    o3 mug*1 hold=5s
        place    o4 mug*1 cod
        hold     o1 desk:fraud
        hold     o2 desk:fraud             -> no: at_capacity
        cancel   o1
        hold     o2 desk:fraud             -> in_review moved=0
        ship     o2
        hold     o3 desk:fraud             -> pending_payment moved=0
        wait     5s                        -> o3 expired
        hold     o4 desk:fraud             -> no: at_capacity
        wait     1s
        hold     o4 desk:fraud             -> in_review moved=0
    ",
    );
    assert_eq!(script.rig.engine.kept(Kept::Holds), 1);
}
