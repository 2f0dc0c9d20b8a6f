//! Overselling: what is sold without being there, and how an order behaves that is owed something.

use stockade::engine::Capacity;

use crate::script::{check, check_within};

#[test]
fn an_oversell_allowance_is_a_number_and_not_a_switch() {
    check(
        "
        receive  mug 2
        policy   mug oversell=3            -> set
        for_sale mug                       -> for_sale=5
        place    o1 mug*6                  -> no: sold_out mug asked=6 available=5
        place    o1 mug*4                  -> #1 pending_payment owed n=2
        order    o1                        -> pending_payment mug owed=2 reserved=2
        draws    o1                        -> 0@main reserved=2
        stock    mug                       -> reserved=2 owed=2
        for_sale mug                       -> for_sale=1
        place    o2 mug*2                  -> no: sold_out mug asked=2 available=1
        place    o2 mug*2 exists           -> #2 pending_payment taken=1 owed n=1
        place    o3 mug*1 exists           -> no: sold_out mug asked=1 available=0
    ",
    );
}

#[test]
fn lines_share_the_shelf_first_and_the_allowance_after_it() {
    check(
        "
        receive  mug 4
        receive  cup 1
        policy   mug oversell=3 safety=1
        place    o1 mug*2 cup*1 mug*3      -> #1 pending_payment owed n=2
        order    o1                        -> pending_payment mug reserved=2 | cup reserved=1 | mug owed=2 reserved=1
        place    o2 mug*2 mug*2            -> no: sold_out mug asked=4 available=1
        place    o2 mug*2 mug*2 exists     -> #2 pending_payment taken=1,0 owed n=1
        order    o2                        -> pending_payment mug owed=1 | mug nothing
        stock    mug                       -> available=1 reserved=3 owed=3
    ",
    );
}

#[test]
fn an_order_of_which_nothing_is_there_is_an_order_like_any_other() {
    check(
        "
        policy   mug oversell=9
        place    o1 mug*2 hold=60s         -> #1 pending_payment owed n=2
        place    o2 mug*2 cod              -> #2 confirmed owed n=2
        confirm  o1                        -> confirmed moved=2
        wait     60s                       -> nothing expired
        order    o1                        -> confirmed mug owed=2
        draws    o1                        -> nothing
        open                               -> o1#1 o2#2
    ",
    );
}

#[test]
fn the_same_placement_again_is_told_what_is_owed_now() {
    check(
        "
        receive  mug 1
        policy   mug oversell=5
        place    o1 mug*3                  -> #1 pending_payment owed n=2
        receive  mug 1                     -> available=0
        place    o1 mug*3                  -> #1 pending_payment owed n=1 again
        receive  mug 1
        place    o1 mug*3                  -> #1 pending_payment again
        place    o2 mug*7 exists           -> #2 pending_payment taken=5 owed n=5
        cancel   o2
        place    o2 mug*7 exists           -> #2 cancelled taken=5 again
    ",
    );
}

#[test]
fn the_expiry_of_an_order_that_is_owed_units_frees_the_allowance() {
    check(
        "
        receive  mug 1
        policy   mug oversell=2
        place    o1 mug*3 hold=60s         -> #1 pending_payment owed n=2
        place    o2 mug*1                  -> no: sold_out mug asked=1 available=0
        wait     60s                       -> o1 expired
        order    o1                        -> expired mug lapsed=3
        stock    mug                       -> available=1
        place    o2 mug*3                  -> #2 pending_payment owed n=2
    ",
    );
}

#[test]
fn an_allowance_held_by_the_dead_is_free_although_no_sweep_came_by() {
    check(
        "
        late
        policy   mug oversell=2
        place    o1 mug*2 hold=1s
        wait     1s
        place    o2 mug*2                  -> #2 pending_payment owed n=2
        receive  mug 1
        order    o2                        -> pending_payment mug owed=1 reserved=1
    ",
    );
}

#[test]
fn cancelling_takes_what_is_owed_first_and_then_from_the_site_drawn_on_last() {
    check(
        "
        site     north rank=1
        receive  mug 1
        receive  mug 1 at=north
        policy   mug oversell=5
        place    o1 mug*4                  -> #1 pending_payment owed n=2
        drop     o1 0*1 id=1               -> pending_payment moved=1
        order    o1                        -> pending_payment mug owed=1 reserved=2 cancelled=1
        drop     o1 0*2 id=2               -> pending_payment moved=2
        order    o1                        -> pending_payment mug reserved=1 cancelled=3
        draws    o1                        -> 0@main reserved=1
        drop     o1 0*1 id=3               -> cancelled moved=1
    ",
    );
}

#[test]
fn cancelling_whole_gives_up_what_is_owed() {
    check(
        "
        receive  mug 1
        policy   mug oversell=2
        place    o1 mug*3 cod              -> #1 confirmed owed n=2
        cancel   o1                        -> cancelled moved=3
        order    o1                        -> cancelled mug cancelled=3
        stock    mug                       -> available=1
        for_sale mug                       -> for_sale=3
    ",
    );
}

#[test]
fn late_payment_never_takes_from_the_allowance() {
    check(
        "
        receive  mug 1
        policy   mug oversell=5
        place    o1 mug*2 hold=1s          -> #1 pending_payment owed n=1
        wait     1s                        -> o1 expired
        for_sale mug                       -> for_sale=6
        confirm  o1 try=1                  -> not_taken_again mug
        receive  mug 1
        confirm  o1 try=2                  -> confirmed moved=2
        order    o1                        -> confirmed mug committed=2
    ",
    );
}

#[test]
fn handing_over_leaves_what_is_owed() {
    check(
        "
        receive  mug 1
        policy   mug oversell=5
        place    o1 mug*3 cod              -> #1 confirmed owed n=2
        ship     o1 id=1                   -> fulfilling moved=1
        order    o1                        -> fulfilling mug owed=2 shipped=1
        ship     o1 0*1 id=2               -> fulfilling moved=0 excess=1
        ship     o1 id=3                   -> fulfilling moved=0
        receive  mug 1
        ship     o1 0*2 id=4               -> fulfilling moved=1 excess=1
        drop     o1 0*1 id=5               -> completed moved=1
        order    o1                        -> completed mug shipped=2 cancelled=1
    ",
    );
}

#[test]
fn what_a_customer_may_have_counts_what_is_owed() {
    check(
        "
        policy   mug customer=3 oversell=9
        place    o1 mug*2 customer=7 hold=60s -> #1 pending_payment owed n=2
        place    o2 mug*2 customer=7       -> no: customer_limit mug max=3 left=1
        receive  mug 1
        place    o2 mug*2 customer=7       -> no: customer_limit mug max=3 left=1
        drop     o1 0*1                    -> pending_payment moved=1
        place    o2 mug*2 customer=7       -> #2 pending_payment owed n=2
        wait     60s                       -> o1 o2 expired
        place    o3 mug*3 customer=7       -> #3 pending_payment owed n=2
    ",
    );
}

#[test]
fn no_more_waits_than_there_is_room_for() {
    check_within(
        Capacity { waiting_max: 2, ..Capacity::default() },
        "
        receive  pot 1
        policy   mug oversell=9
        policy   cup oversell=9
        place    o1 mug*1 mug*1 cup*1      -> no: at_capacity
        place    o1 mug*1 mug*1            -> #1 pending_payment owed n=2
        place    o2 mug*1 mug*1            -> no: at_capacity
        place    o2 mug*2                  -> #2 pending_payment owed n=2
        place    o3 cup*1                  -> no: at_capacity
        place    o3 pot*1                  -> #3 pending_payment
        receive  mug 2
        place    o4 cup*1                  -> #4 pending_payment owed n=1
        market   second
        policy   tea oversell=9
        place    p1 tea*1                  -> no: at_capacity
        market   third
    ",
    );
}

#[test]
fn room_that_the_dead_take_is_there_although_no_sweep_came_by() {
    check_within(
        Capacity { waiting_max: 1, customers_max: 1, ..Capacity::default() },
        "
        late
        policy   mug oversell=5
        place    o1 mug*1 hold=1s          -> #1 pending_payment owed n=1
        place    o2 mug*1                  -> no: at_capacity
        wait     1s
        place    o2 mug*1                  -> #2 pending_payment owed n=1
        receive  cup 5
        policy   cup customer=5
        place    o3 cup*1 hold=1s customer=1    -> #3 pending_payment
        place    o4 cup*1 customer=2       -> no: at_capacity
        wait     1s
        place    o4 cup*1 customer=2       -> #4 pending_payment
    ",
    );
}

#[test]
fn a_charge_is_for_what_is_owed_too_and_a_release_only_for_what_is_there() {
    check(
        "
        receive  mug 1
        policy   mug oversell=5
        effects  payment release
        place    o1 mug*3@100              -> #1 pending_payment owed n=2
        wanted   payment                   -> o1 charge 1 amount=300
        told     o1 adapter captured=300   -> confirmed moved=3
        wanted   release                   -> o1 release 1 amount=100
        report   o1 release 1 done         -> confirmed moved=0
        wanted   release                   -> nothing
        receive  mug 1
        wanted   release                   -> o1 release 2 amount=200
        cancel   o1                        -> cancelled moved=3
        wanted   payment                   -> o1 give_back 2 amount=300
        wanted   release                   -> o1 release 3 amount=0
    ",
    );
}

#[test]
fn a_warehouse_hears_of_an_order_when_the_first_of_it_is_there() {
    check(
        "
        policy   mug oversell=5
        effects  payment release
        place    o1 mug*2@100 cod          -> #1 confirmed owed n=2
        wanted   release                   -> nothing
        drop     o1 0*1                    -> confirmed moved=1
        wanted   release                   -> nothing
        receive  mug 1
        wanted   release                   -> o1 release 1 amount=100
        place    o2 mug*1@100 hold=5s
        wait     5s                        -> o2 expired
        wanted   payment                   -> o2 close 2 amount=0
    ",
    );
}

#[test]
fn the_new_numbers_of_a_policy_have_bounds() {
    check(
        "
        sku      mug
        policy   mug oversell=1000000000000001         -> no: out_of_bounds OversellMax
        policy   mug low=1000000000000001              -> no: out_of_bounds LowStock
        policy   mug oversell=1000000000000000 low=1000000000000000 -> set
        for_sale mug                       -> for_sale=1000000000000000
        levels                             -> mug low for_sale=1000000000000000
        policy   mug oversell=1000000000000000 low=1000000000000000 -> set again
    ",
    );
}
