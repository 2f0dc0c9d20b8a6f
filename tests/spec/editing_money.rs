//! What an edit means for the money of an order: what is missing, what goes back, and when it is accepted.

use crate::script::check;

#[test]
fn what_was_added_to_a_paid_order_is_missing_until_it_is_paid_and_nothing_leaves() {
    check(
        "
        effects  release                   -> set
        receive  mug 5
        place    o1 mug*2@100              -> #1 pending_payment
        told     o1 try=1 captured=200     -> confirmed moved=2
        to_hand_over o1                    -> 0*2
        edit     o1 add mug*1@50 id=2      -> confirmed moved=1
        order    o1                        -> confirmed mug committed=2 | mug committed=1
        missing  o1                        -> 50
        to_hand_over o1                    -> nothing
        wanted   release                   -> o1 release 2 amount=0
        start    o1 try=2                  -> confirmed moved=0
        told     o1 try=2 authorised=49    -> confirmed moved=0
        missing  o1                        -> 1
        to_hand_over o1                    -> nothing
        told     o1 try=2 authorised=50    -> confirmed moved=0
        missing  o1                        -> 0
        tasks                              -> nothing
        to_hand_over o1                    -> 0*2 1*1
        ship     o1                        -> completed moved=3
        payments o1                        -> 1 card authorised authorised=200 captured=200 next=nothing \
                                              | 2 card authorised authorised=50 next=capture:50
    ",
    );
}

#[test]
fn somebody_is_told_of_what_is_missing_after_an_edit() {
    check(
        "
        receive  mug 5
        place    o1 mug*2@100              -> #1 pending_payment
        told     o1 try=1 captured=200     -> confirmed moved=2
        wait     1s
        edit     o1 price 0=130 id=2       -> confirmed moved=0
        tasks    kind=unpaid               -> o1 unpaid since=1000 amount=60 (neither taken nor set aside)
        edit     o1 price 0=100 id=3       -> confirmed moved=0
        tasks                              -> nothing
    ",
    );
}

#[test]
fn more_that_is_set_aside_already_is_not_missing() {
    check(
        "
        receive  mug 5
        place    o1 mug*2@100              -> #1 pending_payment
        told     o1 try=1 authorised=300   -> confirmed moved=2
        edit     o1 add mug*1@100 id=2     -> confirmed moved=1
        missing  o1                        -> 0
        ship     o1                        -> completed moved=3
        payments o1                        -> 1 card authorised authorised=300 next=capture:300
    ",
    );
}

#[test]
fn a_cheaper_order_gives_back_what_was_taken() {
    check(
        "
        receive  mug 5
        place    o1 mug*2@100              -> #1 pending_payment
        told     o1 try=1 captured=200     -> confirmed moved=2
        edit     o1 price 0=80 id=2        -> confirmed moved=0
        payments o1                        -> 1 card authorised authorised=200 captured=200 next=give_back:40
        edit     o1 remove 0*1 id=3        -> confirmed moved=1
        payments o1                        -> 1 card authorised authorised=200 captured=200 next=give_back:120
        told     o1 try=1 refunded=120     -> confirmed moved=0
        payments o1                        -> 1 card authorised authorised=200 captured=200 refunded=120 next=nothing
        edit     o1 price 0=90 id=4        -> confirmed moved=0
        missing  o1                        -> 10
    ",
    );
}

#[test]
fn what_is_set_aside_is_taken_less_of() {
    check(
        "
        receive  mug 5
        place    o1 mug*2@100              -> #1 pending_payment
        told     o1 try=1 authorised=200   -> confirmed moved=2
        edit     o1 price 0=80 id=2        -> confirmed moved=0
        payments o1                        -> 1 card authorised authorised=200 next=nothing
        ship     o1                        -> completed moved=2
        payments o1                        -> 1 card authorised authorised=200 next=capture:160
    ",
    );
}

#[test]
fn units_that_were_handed_over_have_the_new_price_too() {
    check(
        "
        receive  mug 5
        place    o1 mug*2@100              -> #1 pending_payment
        told     o1 try=1 authorised=200   -> confirmed moved=2
        ship     o1 0*1 id=2               -> fulfilling moved=1
        payments o1                        -> 1 card authorised authorised=200 next=capture:100
        told     o1 try=1 captured=100     -> fulfilling moved=0
        edit     o1 price 0=70 id=3        -> fulfilling moved=0
        payments o1                        -> 1 card authorised authorised=200 captured=100 next=nothing
        ship     o1                        -> completed moved=1
        payments o1                        -> 1 card authorised authorised=200 captured=100 next=capture:140
    ",
    );
}

#[test]
fn what_was_asked_back_goes_back_beside_what_a_lower_price_gives_back() {
    check(
        "
        receive  mug 5
        place    o1 mug*2@100              -> #1 pending_payment
        told     o1 try=1 captured=200     -> confirmed moved=2
        refund   o1 30 id=2                -> confirmed moved=30
        payments o1 -> 1 card authorised authorised=200 captured=200 refund_asked=30 next=give_back:30
        edit     o1 price 0=80 id=3        -> confirmed moved=0
        payments o1 -> 1 card authorised authorised=200 captured=200 refund_asked=30 next=give_back:70
        refund   o1 131 id=4               -> no: refund_too_much left=130
        missing  o1                        -> 0
    ",
    );
}

#[test]
fn a_swap_at_the_same_price_asks_for_no_money_and_gives_none_back() {
    check(
        "
        effects  release                   -> set
        receive  small 1
        receive  large 1
        place    o1 small*1@100            -> #1 pending_payment
        told     o1 try=1 captured=100     -> confirmed moved=1
        edit     o1 remove 0*1 add large*1@100 id=2 -> confirmed moved=2
        missing  o1                        -> 0
        to_hand_over o1                    -> 1*1
        payments o1                        -> 1 card authorised authorised=100 captured=100 next=nothing
    ",
    );
}

#[test]
fn an_edit_of_an_unpaid_order_is_covered_or_not() {
    check(
        "
        receive  mug 9
        place    o1 mug*2@100              -> #1 pending_payment
        told     o1 try=1 authorised=150   -> pending_payment moved=0
        edit     o1 price 0=90 id=2        -> pending_payment moved=0
        missing  o1                        -> 30
        edit     o1 price 0=75 id=3        -> confirmed moved=0
        order    o1                        -> confirmed mug committed=2
        history  o1 after=3                -> repriced lines=1 | charged n=2
        place    o2 mug*2@100              -> #2 pending_payment
        told     o2 try=1 authorised=100   -> pending_payment moved=0
        edit     o2 add mug*1@10 id=2      -> pending_payment moved=1
        told     o2 try=1 authorised=200   -> pending_payment moved=0
        missing  o2                        -> 10
        told     o2 try=1 authorised=210   -> confirmed moved=3
        place    o3 mug*2@100              -> #3 pending_payment
        told     o3 try=1 authorised=100   -> pending_payment moved=0
        edit     o3 remove 0*1 id=2        -> confirmed moved=1
        place    o4 mug*2@100              -> #4 pending_payment
        told     o4 try=1 authorised=70    -> pending_payment moved=0
        edit     o4 remove 0*2 add mug*1@70 id=2 -> confirmed moved=1
        order    o4                        -> confirmed mug cancelled=2 | mug committed=1
        history  o4 after=2                -> lines_cancelled 0 n=2 | lines_added 1 n=1 | charged n=1
    ",
    );
}

#[test]
fn an_unpaid_order_that_costs_nothing_any_more_waits_for_its_confirmation() {
    check(
        "
        receive  mug 9
        place    o1 mug*2@100 hold=60s     -> #1 pending_payment
        edit     o1 price 0=0 id=2         -> pending_payment moved=0
        missing  o1                        -> 0
        edit     o1 price 0=5 id=3         -> pending_payment moved=0
        missing  o1                        -> 10
        edit     o1 price 0=0 id=4         -> pending_payment moved=0
        confirm  o1                        -> confirmed moved=2
    ",
    );
}

#[test]
fn an_order_whose_payment_failed_is_edited_and_waits_on() {
    check(
        "
        receive  mug 9
        place    o1 mug*2@100              -> #1 pending_payment
        told     o1 try=1 failed=declined:other_method -> payment_failed moved=0
        edit     o1 remove 0*1 add cup*1 id=2 -> no: sold_out cup asked=1 available=0
        edit     o1 remove 0*1 price 0=30 id=2 -> payment_failed moved=1
        told     o1 try=2 captured=30      -> confirmed moved=1
    ",
    );
}

#[test]
fn what_is_paid_at_the_door_is_taken_there_whatever_it_comes_to() {
    check(
        "
        effects  release                   -> set
        receive  mug 9
        place    o1 mug*2@100 cod          -> #1 confirmed
        edit     o1 price 0=300 add mug*1@900 id=2 -> confirmed moved=1
        missing  o1                        -> 0
        tasks                              -> nothing
        to_hand_over o1                    -> 0*2 1*1
        payments o1                        -> nothing
        edit     o1 price 0=0 1=0 id=3     -> confirmed moved=0
        edit     o1 price 0=1 id=4         -> confirmed moved=0
    ",
    );
}

#[test]
fn an_order_that_was_confirmed_by_confirm_alone_misses_nothing() {
    check(
        "
        effects  release                   -> set
        receive  mug 9
        place    o1 mug*2@100              -> #1 pending_payment
        confirm  o1                        -> confirmed moved=2
        edit     o1 price 0=300 add mug*1@900 id=2 -> confirmed moved=1
        missing  o1                        -> 0
        tasks                              -> nothing
        to_hand_over o1                    -> 0*2 1*1
    ",
    );
}

#[test]
fn an_order_that_cost_nothing_goes_on_costing_nothing() {
    check(
        "
        receive  mug 9
        place    o1 mug*2@0                -> #1 confirmed
        edit     o1 price 0=1 id=2         -> no: out_of_bounds Price
        edit     o1 add mug*1@1 id=2       -> no: out_of_bounds Price
        edit     o1 add mug*1@0 mug*1@1 id=2 -> no: out_of_bounds Price
        edit     o1 add mug*1@0 price 0=0 zone 3 remove 0*1 id=2 -> confirmed moved=0
        edit     o1 add mug*2@0 id=3       -> confirmed moved=2
        ship     o1                        -> completed moved=4
    ",
    );
}

#[test]
fn the_attempt_of_adapters_charges_what_an_edit_makes_due() {
    check(
        "
        effects  payment release           -> set
        receive  mug 9
        place    o1 mug*2@100              -> #1 pending_payment
        wanted   payment                   -> o1 charge 1 amount=200
        edit     o1 add mug*1@50 id=2      -> pending_payment moved=1
        wanted   payment                   -> o1 charge 2 amount=250
        told     o1 adapter authorised=250 -> confirmed moved=3
        edit     o1 price 0=120 id=3       -> confirmed moved=0
        missing  o1                        -> 40
        start    o1 try=7                  -> confirmed moved=0
        wanted   payment                   -> o1 charge 3 amount=40
        told     o1 try=7 captured=40      -> confirmed moved=0
        to_hand_over o1                    -> 0*2 1*1
    ",
    );
}
