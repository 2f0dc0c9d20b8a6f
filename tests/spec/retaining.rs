//! What is kept of an order that is over, for how long, and what is answered about it afterwards.

use stockade::engine::Capacity;

use crate::script::{check, check_within};

#[test]
fn an_order_is_closed_when_its_return_window_is_over_and_leaves_when_its_identifier_is_old_enough() {
    check(
        "
        retention window=10s ids=60s       -> set
        receive  mug 5
        place    o1 mug*2                  -> #1 pending_payment
        confirm  o1                        -> confirmed moved=2
        ship     o1 id=1                   -> completed moved=2
        wait     9999ms
        return   o1 0*1 id=2               -> completed moved=1
        order    o1                        -> completed mug shipped=2 returned=1
        wait     1ms
        order    o1                        -> completed closed
        return   o1 0*1 id=3               -> no: closed
        ship     o1 id=1                   -> no: closed
        confirm  o1                        -> no: closed
        cancel   o1                        -> no: closed
        place    o1 mug*2                  -> #1 completed again
        stock    mug                       -> available=4 customer=1
        wait     52s
        order    o1                        -> no: unknown_order
        place    o1 mug*2                  -> no: id_too_old
        confirm  o1                        -> no: unknown_order
        stock    mug                       -> available=4 customer=1
    ",
    );
}

#[test]
fn a_retired_identifier_is_never_accepted_whether_it_was_used_or_not() {
    check(
        "
        retention window=0ms ids=60s
        receive  mug 5
        place    o1 mug*1                  -> #1 pending_payment
        cancel   o1                        -> cancelled moved=1
        wait     62s
        place    o1 mug*1                  -> no: id_too_old
        place    o2 mug*1 made=-62s        -> no: id_too_old
        place    o3 mug*1 made=-10s        -> #2 pending_payment
    ",
    );
}

#[test]
fn a_retired_identifier_cannot_be_blocked() {
    check(
        "
        retention window=0ms ids=60s
        block    o1                        -> blocked moved=0
        wait     30s
        block    o1                        -> blocked moved=0 again
        place    o1 mug*1                  -> no: blocked
        wait     32s
        block    o1                        -> no: id_too_old
        place    o1 mug*1                  -> no: id_too_old
    ",
    );
}

#[test]
fn open_orders_stay_however_old_their_identifiers_are() {
    check(
        "
        retention window=0ms ids=60s
        receive  mug 5
        place    o1 mug*1 cod              -> #1 confirmed
        place    o2 mug*1                  -> #2 pending_payment
        cancel   o2                        -> cancelled moved=1
        wait     300s
        place    o2 mug*1                  -> no: id_too_old
        place    o1 mug*1 cod              -> #1 confirmed again
        ship     o1 id=1                   -> completed moved=1
        wait     1ms
        order    o1                        -> no: unknown_order
    ",
    );
}

#[test]
fn an_order_that_expired_is_closed_its_return_window_after_its_deadline() {
    check(
        "
        retention window=10s ids=3600s
        receive  mug 2
        place    o1 mug*1 hold=5s          -> #1 pending_payment
        place    o2 mug*1 hold=5s          -> #2 pending_payment
        wait     14999ms                   -> o1 o2 expired
        confirm  o1                        -> confirmed moved=1
        wait     1ms
        order    o2                        -> expired closed
        confirm  o2                        -> no: closed
        wait     100s
        order    o1                        -> confirmed mug committed=1
    ",
    );
}

#[test]
fn a_tombstone_repeats_its_first_answer_also_when_it_got_less_than_it_asked() {
    check(
        "
        retention window=1s ids=3600s
        receive  mug 3
        receive  cup 1
        place    o1 mug*2 cup*2 exists       -> #1 pending_payment taken=2,1
        cancel   o1                        -> cancelled moved=3
        wait     1s
        order    o1                        -> cancelled closed
        place    o1 mug*2 cup*2 exists       -> #1 cancelled taken=2,1 again
        place    o1 mug*2 cup*1 exists       -> no: conflict
    ",
    );
}

#[test]
fn details_are_gone_after_closing_and_room_is_there_again() {
    check_within(
        Capacity { orders_max: 3, lines_max: 3, details_bytes_max: 26, ..Capacity::default() },
        "
        retention window=1s ids=60s
        receive  mug 9
        place    o1 mug*1 mug*1 details=10 -> #1 pending_payment
        place    o2 mug*1 details=1        -> no: at_capacity
        place    o3 mug*1 mug*1            -> no: at_capacity
        cancel   o1                        -> cancelled moved=2
        wait     1s
        place    o2 mug*1 details=10 cod   -> #2 confirmed
        place    o3 mug*1 mug*1 cod        -> #3 confirmed
        place    o4 mug*1                  -> no: at_capacity
        wait     62s
        place    o4 mug*1                  -> no: id_too_old
        place    o5 mug*1                  -> no: at_capacity
        cancel   o2                        -> cancelled moved=1
        wait     1s
        place    o6 mug*1                  -> #4 pending_payment
    ",
    );
}

#[test]
fn another_return_window_holds_for_what_ends_from_then_on() {
    check(
        "
        retention window=10s ids=3600s     -> set
        retention window=10s ids=3600s     -> set again
        receive  mug 2
        place    o1 mug*1                  -> #1 pending_payment
        place    o2 mug*1                  -> #2 pending_payment
        cancel   o1                        -> cancelled moved=1
        retention window=100s ids=3600s    -> set
        cancel   o2                        -> cancelled moved=1
        wait     10s
        order    o1                        -> cancelled closed
        order    o2                        -> cancelled mug cancelled=1
        wait     90s
        order    o2                        -> cancelled closed
    ",
    );
}

#[test]
fn identifiers_that_were_refused_once_stay_refused_when_they_are_kept_longer() {
    check(
        "
        retention window=0ms ids=60s
        receive  mug 2
        place    o1 mug*1                  -> #1 pending_payment
        cancel   o1                        -> cancelled moved=1
        wait     62s
        place    o2 mug*1                  -> #2 pending_payment
        cancel   o2                        -> cancelled moved=1
        retention window=0ms ids=600s      -> set
        place    o1 mug*1                  -> no: id_too_old
        wait     100s
        place    o2 mug*1                  -> #2 cancelled again
        wait     502s
        place    o2 mug*1                  -> no: id_too_old
    ",
    );
}

#[test]
fn retention_has_bounds() {
    check(
        "
        retention window=315619200001ms ids=60s  -> no: out_of_bounds ReturnWindow
        retention window=0ms ids=59999ms         -> no: out_of_bounds IdsKept
        retention window=0ms ids=31622400001ms   -> no: out_of_bounds IdsKept
        retention window=315619200000ms ids=31622400s -> set
    ",
    );
}

#[test]
fn every_market_has_its_own_retention() {
    check(
        "
        retention window=0ms ids=60s
        receive  mug 1
        place    o1 mug*1
        cancel   o1
        market   berlin
        receive  mug 1
        place    b1 mug*1
        cancel   b1
        wait     62s
        place    b1 mug*1                  -> #1 cancelled again
        market   default
        place    o1 mug*1                  -> no: id_too_old
    ",
    );
}
