//! Returns that are asked for: what was delivered, what a return claims of it, and what no other return, and nobody
//! else, may have then.

use stockade::base::{ChangeId, OrderId, RequestId, SiteId, SkuId};
use stockade::engine::{Command, Line, LineQuantity, ReturnCommand, ReturnKind, ReturnReason, ReturnReport};

use crate::dice::Dice;
use crate::replaying::place;
use crate::rig::{MARKET, Rig, START, room_for};
use crate::script::{Script, check};

#[test]
fn no_more_is_delivered_than_was_handed_over_and_the_same_is_told_once() {
    check(
        "
        receive  mug 5
        place    o1 mug*3 mug*1 cod
        deliver  o1 0*1 id=2             -> no: not_enough_units line=0 units=0
        ship     o1 0*2 id=1
        deliver  o1 0*3 id=2             -> no: not_enough_units line=0 units=2
        deliver  o1 0*1 id=2             -> fulfilling moved=1
        deliver  o1 0*1 id=2             -> fulfilling moved=1 again
        deliver  o1 0*2 id=2             -> no: conflict
        ship     o1 0*1 id=2             -> no: conflict
        deliver  o1 0*1 id=1             -> no: conflict
        deliver  o1 0*2 id=3             -> no: not_enough_units line=0 units=1
        deliver  o1 0*1 1*1 id=3         -> no: not_enough_units line=1 units=0
        deliver  o1 0*1 2*1 id=3         -> no: unknown_line 2
        order    o1                      -> fulfilling mug committed=1 shipped=2 delivered=1 | mug committed=1
        deliver  o1 0*1 id=3             -> fulfilling moved=1
        stock    mug                     -> available=1 committed=2 customer=2
    ",
    );
}

#[test]
fn a_delivery_is_told_in_any_state_and_changes_none() {
    check(
        "
        receive  mug 5
        place    o1 mug*3 cod
        ship     o1 0*1 id=1
        cancel   o1                      -> completed moved=2
        deliver  o1 0*1 id=2             -> completed moved=1
        place    o2 mug*1 hold=1s
        deliver  o2 0*1 id=1             -> no: not_enough_units line=0 units=0
        wait     1s                      -> o2 expired
        deliver  o2 0*1 id=1             -> no: not_enough_units line=0 units=0
        cancel   o2
        deliver  o2 0*1 id=1             -> no: not_enough_units line=0 units=0
        order    o1                      -> completed mug shipped=1 cancelled=2 delivered=1
    ",
    );
}

#[test]
fn a_customer_returns_what_was_delivered_and_no_more() {
    check(
        "
        receive  mug 5
        place    o1 mug*3 cup*1 exists cod
        ship     o1
        request  o1 r1 0*1               -> no: not_enough_units line=0 units=0
        request  o1 r1 0*1 kind=wrong_item -> no: not_enough_units line=0 units=0
        deliver  o1 0*2 id=2
        request  o1 r1 0*3               -> no: not_enough_units line=0 units=2
        request  o1 r1 0*2 1*1           -> no: not_enough_units line=1 units=0
        request  o1 r1 0*2               -> completed requested moved=2
        request  o1 r2 0*1               -> no: not_enough_units line=0 units=0
        deliver  o1 0*1 id=3
        request  o1 r2 0*1 kind=wrong_item -> completed requested moved=1
        returns  o1                      -> r1 customer_return unspecified requested until=2592000000 0*2 | \
                                            r2 wrong_item unspecified requested until=2592000000 0*1
        stock    mug                     -> available=2 customer=3
        order    o1                      -> completed mug shipped=3 delivered=3 | cup nothing
    ",
    );
}

/// Named in the domain: at no time is more on its way back than ever reached the customer.
#[test]
fn of_a_thousand_who_want_the_last_unit_back_one_gets_it() {
    let mut script = Script::new(Rig::new(room_for(10)));
    script.run("receive mug 9\n place o1 mug*9 cod\n ship o1\n deliver o1 0*7 id=2\n request o1 r1 0*6");
    let said: Vec<String> = (2..1_002).map(|id| script.try_line(&format!("request o1 r{id} 0*1"))).collect();
    assert_eq!(said[0], "completed requested moved=1");
    assert!(said[1..].iter().all(|said| said == "no: not_enough_units line=0 units=0"), "{said:?}");
    assert_eq!(script.try_line("request o1 r2 0*1"), "completed requested moved=1 again");
    script.rig.check_replica();
}

#[test]
fn returns_of_all_kinds_at_once_never_claim_a_unit_twice() {
    for seed in 0..10 {
        let mut rig = Rig::new(room_for(10));
        rig.open("default");
        let (order, sku, request) = (OrderId::new(START, MARKET, 1), SkuId(1), RequestId::new(START, MARKET, 1));
        rig.submit(&Command::CreateSku { market: MARKET, code: "mug" }).expect("created");
        rig.submit(&Command::Receive { request, sku, site: SiteId(1), quantity: 60 }).expect("received");
        let lines = [Line { sku, quantity: 20, price: 0 }, Line { sku, quantity: 30, price: 0 }];
        rig.submit(&Command::Place(place(order, &lines))).expect("placed");
        rig.submit(&Command::HandOver { order, change: ChangeId(1), lines: &[] }).expect("handed over");
        let delivered = [(0, 13), (1, 17)].map(|(line, quantity)| LineQuantity { line, quantity });
        let told = Command::ReportDelivered { order, change: ChangeId(2), lines: &delivered };
        rig.submit(&told).expect("delivered");
        let mut dice = Dice(seed);
        for id in 0..1_000 {
            let (kind, reason) = (dice.pick(ReturnKind::ALL), dice.pick(ReturnReason::ALL));
            let line = LineQuantity { line: dice.below(2) as u16, quantity: 1 + dice.below(4) as u32 };
            let what = ReturnCommand::Request { kind, reason, lines: &[line] };
            // What is claimed is held against the laws inside, and the outcome against the twin's.
            let _ = rig.submit(&Command::Return { order, id: ChangeId(id), what });
            if id % 3 == 0 {
                let cancelled = ReturnCommand::Report(ReturnReport::Cancelled);
                let _ = rig.submit(&Command::Return { order, id: ChangeId(dice.below(id + 1)), what: cancelled });
            }
            if id % 50 == 0 {
                rig.check_everything();
            }
        }
        rig.check_replica();
    }
}

/// What the customer never had needs no delivery, and cannot be delivered while it is on its way back.
#[test]
fn a_refused_parcel_is_no_return_of_a_customer_and_needs_no_delivery() {
    check(
        "
        receive  mug 5
        place    o1 mug*4 cod
        ship     o1
        request  o1 r1 0*2 kind=refused why=other -> completed approved moved=2
        deliver  o1 0*3 id=2                 -> no: not_enough_units line=0 units=2
        deliver  o1 0*1 id=2                 -> completed moved=1
        request  o1 r2 0*2 kind=not_collected -> no: not_enough_units line=0 units=1
        request  o1 r2 0*2                   -> no: not_enough_units line=0 units=1
        request  o1 r2 0*1                   -> completed requested moved=1
        request  o1 r3 0*1 kind=carrier_return -> completed approved moved=1
        deliver  o1 0*1 id=3                 -> no: not_enough_units line=0 units=0
        tell     o1 r1 cancelled             -> completed cancelled moved=0
        deliver  o1 0*3 id=3                 -> no: not_enough_units line=0 units=2
        deliver  o1 0*2 id=3                 -> completed moved=2
        request  o1 r4 0*1 kind=refused      -> no: not_enough_units line=0 units=0
    ",
    );
}

#[test]
fn a_carriers_return_begins_approved_and_a_customers_requested_whatever_the_reason() {
    for kind in ReturnKind::ALL {
        let stage = match kind {
            ReturnKind::CustomerReturn | ReturnKind::WrongItem => "requested",
            ReturnKind::Refused | ReturnKind::NotCollected | ReturnKind::CarrierReturn => "approved",
        };
        let mut script = Script::new(Rig::new(room_for(10)));
        script.run("receive mug 20\n place o1 mug*20 cod\n ship o1\n deliver o1 0*10 id=2");
        for (id, reason) in ReturnReason::ALL.iter().enumerate() {
            let asked = format!("request o1 r{id} 0*1 kind={} why={}", kind.name(), reason.name());
            assert_eq!(script.try_line(&asked), format!("completed {stage} moved=1"), "{asked}");
        }
        script.rig.check_replica();
    }
}

#[test]
fn a_unit_comes_back_once_whichever_way() {
    check(
        "
        receive  mug 5
        place    o1 mug*4 cod
        ship     o1
        deliver  o1 0*4 id=2
        return   o1 0*1 id=3             -> completed moved=1
        request  o1 r1 0*4               -> no: not_enough_units line=0 units=3
        request  o1 r1 0*2               -> completed requested moved=2
        return   o1 0*2 id=4             -> no: not_enough_units line=0 units=1
        return   o1 0*1 id=4             -> completed moved=1
        return   o1 0*1 id=5             -> no: not_enough_units line=0 units=0
        request  o1 r2 0*1               -> no: not_enough_units line=0 units=0
        arrive   o1 r1 0*1               -> completed received moved=1
        return   o1 0*1 id=5             -> no: not_enough_units line=0 units=0
        inspect  o1 r1 restock 0*1       -> completed received moved=1
        return   o1 0*1 id=5             -> no: not_enough_units line=0 units=0
        tell     o1 r1 closed            -> completed closed moved=0
        return   o1 0*2 id=5             -> no: not_enough_units line=0 units=1
        return   o1 0*1 id=5             -> completed moved=1
        request  o1 r2 0*1               -> no: not_enough_units line=0 units=0
        stock    mug                     -> available=5
        order    o1                      -> completed mug shipped=4 returned=4 delivered=4
    ",
    );
}

#[test]
fn a_return_that_comes_to_nothing_leaves_its_units_to_others() {
    for end in ["declined", "cancelled", "expired"] {
        let mut script = Script::new(Rig::new(room_for(10)));
        script.run("receive mug 2\n place o1 mug*2 cod\n ship o1\n deliver o1 0*2 id=2\n request o1 r1 0*2");
        assert_eq!(script.try_line("request o1 r2 0*1"), "no: not_enough_units line=0 units=0");
        assert_eq!(script.try_line(&format!("tell o1 r1 {end}")), format!("completed {end} moved=0"));
        script.run(
            "
            request  o1 r2 0*1               -> completed requested moved=1
            return   o1 0*1 id=3             -> completed moved=1
            request  o1 r3 0*1               -> no: not_enough_units line=0 units=0
        ",
        );
    }
}

#[test]
fn what_was_lost_on_its_way_stays_claimed_until_somebody_closes_what_was_found() {
    check(
        "
        receive  mug 3
        place    o1 mug*3 cod
        ship     o1
        deliver  o1 0*3 id=2
        request  o1 r1 0*2
        tell     o1 r1 lost              -> completed lost moved=0
        request  o1 r2 0*2               -> no: not_enough_units line=0 units=1
        return   o1 0*2 id=3             -> no: not_enough_units line=0 units=1
        arrive   o1 r1 0*1               -> completed received moved=1
        inspect  o1 r1 damaged 0*1       -> completed received moved=1
        request  o1 r2 0*2               -> no: not_enough_units line=0 units=1
        tell     o1 r1 closed            -> completed closed moved=0
        request  o1 r2 0*2               -> completed requested moved=2
    ",
    );
}

#[test]
fn a_return_that_is_known_is_the_same_again_or_a_conflict() {
    check(
        "
        receive  mug 9
        receive  cup 9
        place    o1 mug*2 cup*2 cod
        ship     o1
        deliver  o1 0*2 1*2 id=2
        request  o1 r2 0*1 1*2 why=defective  -> completed requested moved=3
        request  o1 r2 0*1 1*2 why=defective  -> completed requested moved=3 again
        request  o1 r2 0*1 1*2                -> no: conflict
        request  o1 r2 0*1 1*2 why=defective kind=wrong_item -> no: conflict
        request  o1 r2 1*2 0*1 why=defective  -> no: conflict
        request  o1 r2 0*1 why=defective      -> no: conflict
        request  o1 r2 0*1 1*1 why=defective  -> no: conflict
        request  o1 r2 0*1 9*1 why=defective  -> no: conflict
        tell     o1 r2 in_transit
        request  o1 r2 0*1 1*2 why=defective  -> completed in_transit moved=3 again
        arrive   o1 r2 0*1 1*2
        inspect  o1 r2 restock 0*1 1*2
        tell     o1 r2 closed
        request  o1 r2 0*1 1*2 why=defective  -> completed closed moved=3 again
        request  o1 r3 9*1                    -> no: unknown_line 9
        returns  o1 -> r2 customer_return defective closed 0*1 1*2 0@main=1,restock=1 1@main=2,restock=2
    ",
    );
}

#[test]
fn a_return_may_have_the_number_of_a_change_and_of_a_return_of_another_order() {
    check(
        "
        receive  mug 9
        place    o1 mug*1 cod
        place    o2 mug*1 cod
        ship     o1 id=1
        ship     o2 id=1
        deliver  o1 0*1 id=2
        deliver  o2 0*1 id=2
        request  o1 r2 0*1               -> completed requested moved=1
        request  o2 r2 0*1               -> completed requested moved=1
        tell     o2 r2 in_transit        -> completed in_transit moved=0
        tell     o1 r2 approved          -> completed approved moved=0
        deliver  o1 0*1 id=2             -> completed moved=1 again
    ",
    );
}

#[test]
fn what_is_asked_of_no_return_or_no_order_is_refused() {
    check(
        "
        retention window=1s ids=3600s
        receive  mug 9
        place    o1 mug*1 cod
        block    o2
        tell     o1 r1 approved          -> no: unknown_return
        arrive   o1 r1 0*1 at=#9         -> no: unknown_return
        inspect  o1 r1 restock 5*1       -> no: unknown_return
        request  o2 r1 0*1               -> no: unknown_order
        request  o9 r1 0*1               -> no: unknown_order
        deliver  o9 0*1 id=1             -> no: unknown_order
        tell     o9 r1 lost              -> no: unknown_order
        cancel   o1
        wait     1s
        deliver  o1 0*1 id=1             -> no: closed
        request  o1 r1 0*1               -> no: closed
        tell     o1 r1 approved          -> no: closed
        arrive   o1 r1 0*1               -> no: closed
        inspect  o1 r1 restock 0*1       -> no: closed
    ",
    );
}

/// Goods that are on their way come back all the same; only nobody may ask any more.
#[test]
fn after_the_return_window_a_customer_asks_for_nothing_more_though_the_order_is_kept() {
    check(
        "
        retention window=10s ids=3600s
        receive  mug 9
        place    o1 mug*5 cod
        ship     o1
        deliver  o1 0*3 id=2
        request  o1 r1 0*1
        wait     9999ms
        request  o1 r2 0*1               -> completed requested moved=1
        wait     1ms
        request  o1 r3 0*1               -> no: closed
        request  o1 r3 0*9               -> no: closed
        request  o1 r3 7*1               -> no: unknown_line 7
        request  o1 r1 0*1               -> completed requested moved=1 again
        request  o1 r1 0*2               -> no: conflict
        request  o1 r3 0*1 kind=wrong_item -> completed requested moved=1
        request  o1 r4 0*1 kind=refused  -> completed approved moved=1
        deliver  o1 0*1 id=3             -> completed moved=1
        tell     o1 r1 cancelled
        tell     o1 r2 cancelled
        tell     o1 r3 cancelled
        order    o1                      -> completed mug shipped=5 delivered=4
        tell     o1 r4 cancelled
        wait     0ms
        order    o1                      -> completed closed
        returns  o1                      -> nothing
    ",
    );
}

#[test]
fn an_order_that_is_not_over_has_no_return_window_yet() {
    check(
        "
        retention window=0ms ids=3600s
        receive  mug 9
        place    o1 mug*5 cod
        ship     o1 0*2 id=1
        deliver  o1 0*2 id=2
        wait     720h
        request  o1 r1 0*1               -> fulfilling requested moved=1
    ",
    );
}

/// Named in the domain, items 48 and 55: the refund neither waits for a return nor follows from one.
#[test]
fn no_money_moves_by_a_return_and_no_return_waits_for_money() {
    let mut script = Script::new(Rig::new(room_for(10)));
    script.run(
        "
        effects  payment
        receive  mug 3
        place    o1 mug*3@100
        told     o1 adapter authorised=300
        ship     o1
        told     o1 adapter captured=300
        deliver  o1 0*3 id=2
        refund   o1 100 id=3                 -> completed moved=100
        request  o1 r1 0*2                   -> completed requested moved=2
    ",
    );
    let money = |script: &mut Script| (script.try_line("payments o1"), script.try_line("wanted payment"));
    let before = money(&mut script);
    for line in [
        "tell o1 r1 approved",
        "tell o1 r1 in_transit",
        "arrive o1 r1 0*1",
        "inspect o1 r1 restock 0*1",
        "arrive o1 r1 0*2",
        "inspect o1 r1 dispose 0*1",
        "tell o1 r1 closed",
        "request o1 r2 0*1",
        "tell o1 r2 declined",
    ] {
        assert!(!script.try_line(line).starts_with("no:"), "{line}");
        assert_eq!(money(&mut script), before, "{line}");
    }
    script.run(
        "
        refund   o1 200 id=4                 -> completed moved=200
        request  o1 r3 0*1                   -> completed requested moved=1
        told     o1 adapter refunded=300
        arrive   o1 r3 0*1                   -> completed received moved=1
        order    o1                          -> completed mug shipped=3 returned=3 delivered=3
    ",
    );
}

#[test]
fn a_return_of_one_line_leaves_the_others_alone() {
    check(
        "
        receive  mug 9
        place    o1 mug*2 mug*2 cod
        ship     o1
        deliver  o1 0*2 id=2
        request  o1 r1 0*1 1*1           -> no: not_enough_units line=1 units=0
        request  o1 r1 0*2
        request  o1 r2 1*2 kind=carrier_return -> completed approved moved=2
        arrive   o1 r1 1*1               -> no: not_enough_units line=1 units=0
        arrive   o1 r2 1*1
        inspect  o1 r1 restock 1*1       -> no: not_enough_units line=1 units=0
        order    o1                      -> completed mug shipped=2 delivered=2 | mug shipped=2 returned=1
    ",
    );
}
