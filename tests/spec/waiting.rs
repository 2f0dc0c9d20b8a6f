//! Waiting: what arrives for those who are owed something, who gets it, and what becomes of the rest.

use stockade::base::{RequestId, SiteId, SkuId, Timestamp};
use stockade::engine::{Command, Scratch};

use crate::rig::{Rig, room_for};
use crate::script::{Script, check};

#[test]
fn a_receipt_fills_those_who_wait_by_order_number() {
    check(
        "
        policy   mug oversell=9
        place    o1 mug*2
        place    o2 mug*2 mug*1
        place    o3 mug*1
        receive  mug 1                     -> available=0
        order    o1                        -> pending_payment mug owed=1 reserved=1
        receive  mug 3                     -> available=0
        order    o1                        -> pending_payment mug reserved=2
        order    o2                        -> pending_payment mug reserved=2 | mug owed=1
        order    o3                        -> pending_payment mug owed=1
        receive  mug 5                     -> available=0
        order    o2                        -> pending_payment mug reserved=2 | mug reserved=1
        order    o3                        -> pending_payment mug reserved=1
        stock    mug                       -> available=3 reserved=6
    ",
    );
}

#[test]
fn a_unit_for_the_first_of_many_asks_nobody_behind_it() {
    // Were everybody asked, this would take a hundred thousand times a hundred thousand looks.
    let (mut engine, market) = crate::finding::crowd(100_000, 200_000);
    let (now, mut scratch, mut draws) = (Timestamp::from_ms(1_000_000), Scratch::default(), Vec::new());
    for number in 1..=100_000 {
        let (request, site) = (RequestId::new(now, market, number), SiteId(1));
        let receive = Command::Receive { request, sku: SkuId(1), site, quantity: 1 };
        engine.submit(&receive, now, &mut scratch, &mut |_| {}).expect("accepted");
        let mut filled = 0;
        while let Some(fact) = engine.next_fill(&mut draws) {
            engine.fold(&fact, now);
            filled += 1;
        }
        assert_eq!((filled, engine.has_fills()), (1, false));
    }
    assert_eq!(engine.books(market).expect("it is open").owed, 0);
}

#[test]
fn a_paid_order_is_filled_as_paid_for() {
    check(
        "
        policy   mug oversell=9
        place    o1 mug*2
        confirm  o1                        -> confirmed moved=2
        receive  mug 1
        order    o1                        -> confirmed mug owed=1 committed=1
        stock    mug                       -> committed=1 owed=1
    ",
    );
}

#[test]
fn what_arrives_at_several_sites_is_given_in_rank_order_and_stays_where_it_lies() {
    check(
        "
        site     north rank=2
        site     south rank=1
        policy   mug oversell=9
        place    o1 mug*5
        unfilled
        receive  mug 2 at=north            -> available=0
        receive  mug 2 at=south            -> available=0
        stock    mug                       -> arriving=4 owed=5
        for_sale mug                       -> for_sale=4
        fill
        draws    o1                        -> 0@south reserved=2 | 0@north reserved=2
        receive  mug 1                     -> available=0
        fill
        draws    o1                        -> 0@south reserved=2 | 0@north reserved=2 | 0@main reserved=1
        drop     o1 0*2                    -> pending_payment moved=2
        draws    o1                        -> 0@south reserved=2 | 0@north reserved=1
    ",
    );
}

#[test]
fn nobody_jumps_the_queue_while_somebody_waits() {
    check(
        "
        policy   mug oversell=3
        place    o1 mug*2                  -> #1 pending_payment owed n=2
        unfilled
        receive  mug 5                     -> available=0
        stock    mug                       -> arriving=5 owed=2
        place    o2 mug*2                  -> no: sold_out mug asked=2 available=1
        place    o2 mug*1                  -> #2 pending_payment owed n=1
        fill
        stock    mug                       -> available=2 reserved=3
        for_sale mug                       -> for_sale=5
    ",
    );
}

#[test]
fn whatever_would_come_to_be_available_goes_to_those_who_wait() {
    check(
        "
        site     north rank=1
        receive  mug 9
        move     mug 1 from=main:available to=main:damaged
        place    o1 mug*1 hold=60s
        place    o2 mug*1
        place    o3 mug*1 cod
        place    o4 mug*5 cod
        ship     o4 id=1                   -> completed moved=5
        policy   mug oversell=20
        place    o5 mug*20                 -> #5 pending_payment owed n=20
        unfilled
        receive  mug 1                     -> available=0
        adjust   mug 1                     -> available=0
        stock    mug at=main      -> reserved=2 committed=1 customer=5 write_off=-1 damaged=1 arriving=2 owed=20
        count    mug 7 expected=6          -> available=0
        move     mug 1 from=main:damaged to=north:available -> available=0
        stock    mug at=north              -> arriving=1 owed=20
        return   o4 0*1 id=2 at=north      -> completed moved=1
        cancel   o2                        -> cancelled moved=1
        drop     o3 0*1 id=3               -> cancelled moved=1
        stock    mug                       -> reserved=1 customer=4 write_off=-2 arriving=7 owed=20
        wait     60s                       -> o1 o5 expired
        stock    mug                       -> available=8 customer=4 write_off=-2
    ",
    );
}

#[test]
fn units_that_were_available_and_lie_elsewhere_are_still_available() {
    check(
        "
        site     north rank=1
        receive  mug 3
        policy   mug oversell=5 safety=3
        place    o1 mug*1                  -> #1 pending_payment owed n=1
        move     mug 2 from=main:available to=north:available -> available=2
        stock    mug at=north              -> available=2 owed=1
        adjust   mug -1                    -> available=0
        order    o1                        -> pending_payment mug owed=1
        adjust   mug 1                     -> available=0
        order    o1                        -> pending_payment mug reserved=1
    ",
    );
}

#[test]
fn what_is_counted_and_moved_is_what_lies_there_arriving_units_included() {
    check(
        "
        policy   mug oversell=5
        place    o1 mug*3
        unfilled
        receive  mug 2                     -> available=0
        count    mug 1 expected=2          -> no: not_available available=0
        adjust   mug -1                    -> no: not_available available=0
        move     mug 1 from=main:available to=main:damaged -> no: not_available available=0
        move     mug 1 from=main:arriving to=main:damaged  -> no: unknown_movement
        count    mug 2 expected=0          -> no: not_as_expected on_hand=2
        count    mug 3 expected=2          -> available=0
        stock    mug                       -> write_off=-1 arriving=3 owed=3
    ",
    );
}

#[test]
fn a_site_takes_in_at_most_a_quadrillion_units_for_those_who_wait() {
    check(
        "
        receive  mug 5
        policy   mug oversell=5 safety=5
        place    o1 mug*1
        unfilled
        receive  mug 1000000000000         -> available=5
        for_sale mug                       -> for_sale=4
        fill
        stock    mug                       -> available=1000000000004 reserved=1
    ",
    );
    let nearly = "receive mug 1000000000000\n".repeat(999);
    check(&format!(
        "
        receive  mug 5
        policy   mug oversell=5 safety=5
        place    o1 mug*1
        unfilled
        {nearly}
        receive  mug 1000000000000         -> no: out_of_bounds Stock
        receive  mug 999999999995
        receive  mug 1                     -> no: out_of_bounds Stock
        stock    mug                       -> available=5 arriving=999999999999995 owed=1
    "
    ));
}

#[test]
fn arriving_units_become_available_once_nobody_waits() {
    check(
        "
        policy   mug oversell=5
        place    o1 mug*1
        place    o2 mug*1
        unfilled
        receive  mug 1
        cancel   o1                        -> cancelled moved=1
        stock    mug                       -> arriving=1 owed=1
        drop     o2 0*1                    -> cancelled moved=1
        stock    mug                       -> available=1
        place    o3 mug*1                  -> #3 pending_payment
    ",
    );
}

#[test]
fn what_had_arrived_is_given_out_after_an_image_and_after_a_replay() {
    let mut script = Script::new(Rig::new(room_for(10)));
    script.run("policy mug oversell=5\n place o1 mug*2\n unfilled\n receive mug 1\n stock mug -> arriving=1 owed=2");
    // At its end the run went on with what had only folded the facts.
    script.run("fill\n stock mug -> reserved=1 owed=1\n receive mug 3\n stock mug -> reserved=1 arriving=3 owed=1");
    script.rig.go_through_image();
    script.run("fill\n stock mug -> available=2 reserved=2");
}

#[test]
fn a_receipt_that_is_more_than_is_owed_leaves_the_rest_for_sale() {
    check(
        "
        policy   mug oversell=5
        place    o1 mug*2
        receive  mug 5                     -> available=0
        stock    mug                       -> available=3 reserved=2
        receive  mug 1                     -> available=4
    ",
    );
}

#[test]
fn units_above_a_smaller_safety_stock_go_to_those_who_wait() {
    check(
        "
        site     north rank=1
        receive  mug 2
        receive  mug 3 at=north
        policy   mug safety=5 oversell=4
        place    o1 mug*4                  -> #1 pending_payment owed n=4
        unfilled
        policy   mug safety=2 oversell=4   -> set
        stock    mug at=main               -> arriving=2 owed=4
        stock    mug at=north              -> available=2 arriving=1 owed=4
        policy   mug safety=9 oversell=1   -> set
        stock    mug at=north              -> available=2 arriving=1 owed=4
        for_sale mug                       -> for_sale=0
        policy   mug                       -> set
        stock    mug at=north              -> arriving=3 owed=4
        fill
        order    o1                        -> pending_payment mug reserved=4
        stock    mug                       -> available=1 reserved=4
    ",
    );
}

#[test]
fn what_an_expired_order_held_goes_to_the_next_one_that_waits() {
    check(
        "
        receive  mug 2
        policy   mug oversell=5
        place    o1 mug*3 hold=60s         -> #1 pending_payment owed n=1
        place    o2 mug*1 hold=90s         -> #2 pending_payment owed n=1
        wait     60s                       -> o1 expired
        order    o2                        -> pending_payment mug reserved=1
        stock    mug                       -> available=1 reserved=1
    ",
    );
}

#[test]
fn a_site_keeps_its_place_when_its_units_were_cancelled_and_it_fills_again() {
    check(
        "
        site     north rank=1
        receive  mug 1
        receive  mug 1 at=north
        policy   mug oversell=9
        place    o1 mug*2
        place    o2 mug*4                  -> #2 pending_payment owed n=4
        receive  mug 1 at=north
        receive  mug 1
        draws    o2                        -> 0@north reserved=1 | 0@main reserved=1
        drop     o2 0*3 id=1               -> pending_payment moved=3
        draws    o2                        -> 0@north reserved=1
        confirm  o2
        ship     o2 id=2                   -> completed moved=1
        place    o3 mug*3                  -> #3 pending_payment owed n=2
        receive  mug 1 at=north
        drop     o3 0*1 id=3               -> pending_payment moved=1
        drop     o3 0*1 id=4               -> pending_payment moved=1
        draws    o3                        -> 0@main reserved=1
    ",
    );
}

#[test]
fn late_payment_takes_nothing_from_those_who_wait() {
    check(
        "
        policy   mug oversell=5
        place    o1 mug*1 hold=1s
        wait     1s                        -> o1 expired
        place    o2 mug*2
        unfilled
        receive  mug 2
        confirm  o1 try=1                  -> not_taken_again mug
        fill
        receive  mug 1
        confirm  o1 try=2                  -> confirmed moved=1
    ",
    );
}

#[test]
fn hand_over_and_return_begin_with_the_site_drawn_on_first() {
    check(
        "
        site     north rank=1
        policy   mug oversell=9
        place    o1 mug*2 cod
        receive  mug 1 at=north
        receive  mug 1
        draws    o1                        -> 0@north committed=1 | 0@main committed=1
        ship     o1 0*1 id=1               -> fulfilling moved=1
        draws    o1                        -> 0@north shipped=1 | 0@main committed=1
        return   o1 0*1 id=2               -> fulfilling moved=1
        stock    mug                       -> available=1 committed=1
    ",
    );
}
