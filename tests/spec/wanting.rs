//! What adapters are asked for: the wanted list, what is reported of it, and what is set aside.

use crate::script::check;

#[test]
fn an_order_wants_its_charge_until_somebody_tells_of_it_and_then_its_release() {
    check(
        "
        receive  mug 5
        effects  payment release           -> set
        place    o1 mug*2@150              -> #1 pending_payment
        wanted   payment                   -> o1 charge 1 amount=300
        wanted   release                   -> nothing
        told     o1 adapter processing     -> pending_payment moved=0
        wanted   payment                   -> nothing
        told     o1 adapter authorised=300 -> confirmed moved=2
        wanted   payment                   -> nothing
        wanted   release                   -> o1 release 1 amount=300
        report   o1 release 1 done         -> confirmed moved=0
        report   o1 release 1 done         -> confirmed moved=0 again
        wanted   release                   -> nothing
        ship     o1                        -> completed moved=2
        wanted   release                   -> nothing
        wanted   payment                   -> o1 capture 2 amount=300
        told     o1 adapter captured=300   -> completed moved=0
        wanted   payment                   -> nothing
    ",
    );
}

#[test]
fn orders_placed_before_adapters_were_asked_are_the_storefronts_own() {
    check(
        "
        receive  mug 5
        place    o1 mug*1                  -> #1 pending_payment
        effects  payment release           -> set
        place    o2 mug*1                  -> #2 pending_payment
        effects                            -> set
        place    o3 mug*1                  -> #3 pending_payment
        wanted   payment                   -> o2 charge 1 amount=100
        report   o1 payment 1 done         -> pending_payment moved=0 again
    ",
    );
}

#[test]
fn an_expired_order_wants_its_charge_closed_and_late_money_takes_the_units_again() {
    check(
        "
        receive  mug 1
        effects  payment                   -> set
        place    o1 mug*1 hold=5s          -> #1 pending_payment
        wait     5s                        -> o1 expired
        wanted   payment                   -> o1 close 2 amount=0
        told     o1 adapter captured=100   -> confirmed moved=1
        wanted   payment                   -> o1 look 3 amount=0
    ",
    );
}

#[test]
fn late_money_for_units_that_are_gone_is_given_back() {
    check(
        "
        receive  mug 1
        effects  payment                   -> set
        place    o1 mug*1 hold=5s          -> #1 pending_payment
        wait     5s                        -> o1 expired
        place    o2 mug*1                  -> #2 pending_payment
        told     o1 adapter captured=100   -> not_taken_again mug
        wanted   payment                   -> o2 charge 1 amount=100 | o1 give_back 3 amount=100
        report   o1 payment 2 done         -> expired moved=0
        wanted   payment                   -> o2 charge 1 amount=100 | o1 give_back 3 amount=100
        report   o1 payment 3 done         -> expired moved=0
        wanted   payment                   -> o2 charge 1 amount=100
    ",
    );
}

#[test]
fn money_taken_for_an_order_that_was_paid_otherwise_or_cancelled_is_given_back() {
    check(
        "
        receive  mug 5
        effects  payment                   -> set
        place    o1 mug*1                  -> #1 pending_payment
        confirm  o1                        -> confirmed moved=1
        wanted   payment                   -> o1 close 2 amount=0
        told     o1 adapter captured=100   -> confirmed moved=0
        wanted   payment                   -> o1 give_back 3 amount=100
        place    o2 mug*1                  -> #2 pending_payment
        told     o2 adapter captured=100   -> confirmed moved=1
        wanted   payment                   -> o1 give_back 3 amount=100
        cancel   o2                        -> cancelled moved=1
        wanted   payment                   -> o1 give_back 3 amount=100 | o2 give_back 2 amount=100
        place    o3 mug*1                  -> #3 pending_payment
        told     o3 adapter authorised=100 -> confirmed moved=1
        wanted   payment                   -> o1 give_back 3 amount=100 | o2 give_back 2 amount=100
    ",
    );
}

#[test]
fn a_warehouse_that_may_have_been_told_is_told_of_every_change() {
    check(
        "
        receive  mug 5
        effects  release                   -> set
        place    o1 mug*3 cod              -> #1 confirmed
        wanted   release                   -> o1 release 1 amount=300
        drop     o1 0*1                    -> confirmed moved=1
        wanted   release                   -> o1 release 2 amount=200
        report   o1 release 1 done         -> confirmed moved=0
        wanted   release                   -> o1 release 2 amount=200
        cancel   o1                        -> cancelled moved=3
        wanted   release                   -> o1 release 3 amount=0
        report   o1 release 3 done         -> cancelled moved=0
        wanted   release                   -> nothing
    ",
    );
}

#[test]
fn what_was_tried_in_vain_is_listed_and_tried_again_when_somebody_says_so_or_the_order_changes() {
    check(
        "
        receive  mug 5
        effects  payment                   -> set
        place    o1 mug*1                  -> #1 pending_payment
        report   o1 payment 1 tries_used_up -> pending_payment moved=0
        report   o1 payment 1 refused      -> pending_payment moved=0 again
        wanted   payment                   -> nothing
        wanted   payment aside             -> o1 charge 1 amount=100 tries_used_up
        report   o1 payment 1 resumed      -> pending_payment moved=0
        wanted   payment                   -> o1 charge 1 amount=100
        report   o1 payment 1 refused      -> pending_payment moved=0
        cancel   o1                        -> cancelled moved=1
        wanted   payment aside             -> nothing
        wanted   payment                   -> o1 close 2 amount=0
        report   o1 payment 3 done         -> no: out_of_bounds Attempt
        report   o1 payment 0 done         -> no: out_of_bounds Attempt
    ",
    );
}

#[test]
fn an_order_of_which_something_is_wanted_is_not_closed_and_is_as_soon_as_nothing_is() {
    check(
        "
        retention window=1s ids=24h        -> set
        receive  mug 5
        effects  payment                   -> set
        place    o1 mug*1                  -> #1 pending_payment
        cancel   o1                        -> cancelled moved=1
        wait     10s                       -> nothing expired
        order    o1                        -> cancelled mug cancelled=1
        report   o1 payment 2 done         -> cancelled moved=0
        wait     1ms                       -> nothing expired
        order    o1                        -> cancelled closed
        report   o1 payment 2 done         -> no: closed
    ",
    );
}

#[test]
fn what_was_tried_in_vain_is_wanted_no_more_once_somebody_tells_that_it_happened() {
    check(
        "
        receive  mug 5
        effects  payment                   -> set
        place    o1 mug*1                  -> #1 pending_payment
        report   o1 payment 1 tries_used_up -> pending_payment moved=0
        told     o1 adapter processing     -> pending_payment moved=0
        wanted   payment aside             -> nothing
        wanted   payment                   -> nothing
        told     o1 adapter authorised=40  -> pending_payment moved=0
        wanted   payment                   -> nothing
        payments o1                        -> adapter card authorised authorised=40 next=nothing
        told     o1 adapter authorised=100 -> confirmed moved=1
        wanted   payment                   -> nothing
    ",
    );
}

#[test]
fn a_row_names_what_matters_most_and_all_the_money_of_it() {
    check(
        "
        receive  mug 9
        effects  payment                   -> set
        place    o1 mug*4                  -> #1 pending_payment
        told     o1 adapter authorised=150 -> pending_payment moved=0
        wanted   payment                   -> o1 look 2 amount=0
        report   o1 payment 2 done         -> pending_payment moved=0
        told     o1 try=2 authorised=250   -> confirmed moved=4
        ship     o1 0*2 id=1               -> fulfilling moved=2
        payments o1                        -> adapter card authorised authorised=150 next=capture:150 \
                                              | 2 card authorised authorised=250 next=capture:50
        wanted   payment                   -> o1 capture 3 amount=200
        told     o1 adapter captured=150   -> fulfilling moved=0
        wanted   payment                   -> o1 capture 4 amount=50
        told     o1 try=2 captured=100     -> fulfilling moved=0
        wanted   payment                   -> nothing
        refund   o1 30 id=2                -> fulfilling moved=30
        ship     o1 0*1 id=3               -> fulfilling moved=1
        payments o1                        -> adapter card authorised authorised=150 captured=150 next=nothing \
                                              | 2 card authorised authorised=250 captured=100 refund_asked=30 \
                                                next=capture:150
        wanted   payment                   -> o1 capture 6 amount=50
        told     o1 try=3 captured=300     -> fulfilling moved=0
        wanted   payment                   -> o1 give_back 7 amount=180
        told     o1 try=3 refunded=150     -> fulfilling moved=0
        wanted   payment                   -> o1 give_back 8 amount=30
        told     o1 try=2 refunded=30      -> fulfilling moved=0
        wanted   payment                   -> o1 close 9 amount=0
        told     o1 try=2 voided           -> fulfilling moved=0
        wanted   payment                   -> o1 look 10 amount=0
    ",
    );
}
