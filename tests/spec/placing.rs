//! Placing: what is taken, from where, in which order, and why not.

use crate::script::check;

#[test]
fn a_placement_sets_units_aside_until_the_deadline() {
    check(
        "
        receive  mug 5               -> available=5
        place    o1 mug*2 hold=60s   -> #1 pending_payment
        stock    mug                 -> available=3 reserved=2
        order    o1                  -> pending_payment mug reserved=2
        wait     59s                 -> nothing expired
        wait     999ms               -> nothing expired
        wait     1ms                 -> o1 expired
        stock    mug                 -> available=5
        order    o1                  -> expired mug lapsed=2
    ",
    );
}

#[test]
fn a_unit_can_be_taken_in_the_same_tick_as_the_deadline_of_whoever_had_it() {
    check(
        "
        receive  mug 1
        place    o1 mug*1 hold=1s    -> #1 pending_payment
        wait     999ms               -> nothing expired
        place    o2 mug*1            -> no: sold_out mug asked=1 available=0
        late
        wait     1ms
        place    o1 mug*1 hold=1s    -> #1 expired again
    ",
    );
    check(
        "
        receive  mug 1
        place    o1 mug*1 hold=1s    -> #1 pending_payment
        wait     1s                  -> o1 expired
        place    o2 mug*1            -> #2 pending_payment
        stock    mug                 -> reserved=1
    ",
    );
}

#[test]
fn lines_that_name_the_same_sku_are_summed_before_anything_is_taken() {
    check(
        "
        receive  mug 6
        place    o1 mug*3 mug*2 mug*2   -> no: sold_out mug asked=7 available=6
        stock    mug                    -> available=6
        place    o1 mug*3 mug*2 mug*1   -> #1 pending_payment
        stock    mug                    -> reserved=6
        order    o1                     -> pending_payment mug reserved=3 | mug reserved=2 | mug reserved=1
    ",
    );
}

#[test]
fn lines_that_name_the_same_sku_are_summed_across_sites_too() {
    check(
        "
        site     north rank=1
        receive  mug 2
        receive  mug 2 at=north
        place    o1 mug*1 cup*1 mug*4   -> no: sold_out mug asked=5 available=4
        receive  cup 1
        place    o1 mug*1 cup*1 mug*3   -> #1 pending_payment
        draws    o1   -> 0@main reserved=1 | 1@main reserved=1 | 2@main reserved=1 | 2@north reserved=2
    ",
    );
}

#[test]
fn sold_out_names_the_first_sku_in_line_order_that_is_short() {
    check(
        "
        receive  mug 1
        receive  cup 1
        receive  tea 9
        place    o1 tea*1 cup*2 mug*2   -> no: sold_out cup asked=2 available=1
        place    o1 tea*1 mug*2 cup*2   -> no: sold_out mug asked=2 available=1
        place    o1 mug*1 cup*2 mug*1   -> no: sold_out mug asked=2 available=1
        stock    tea                    -> available=9
    ",
    );
}

#[test]
fn a_refused_placement_is_not_remembered_and_may_succeed_later() {
    check(
        "
        sku      mug
        place    o1 mug*1            -> no: sold_out mug asked=1 available=0
        receive  mug 1
        place    o1 mug*1            -> #1 pending_payment
        place    o1 mug*1            -> #1 pending_payment again
    ",
    );
}

#[test]
fn take_what_exists_fills_lines_in_order() {
    check(
        "
        receive  mug 3
        place    o1 mug*2 cup*1 mug*2 exists   -> #1 pending_payment taken=2,0,1
        order    o1   -> pending_payment mug reserved=2 | cup nothing | mug reserved=1
        stock    mug                           -> reserved=3
        place    o1 mug*2 cup*1 mug*2 exists   -> #1 pending_payment taken=2,0,1 again
    ",
    );
}

#[test]
fn take_what_exists_that_finds_everything_is_not_short() {
    check(
        "
        receive  mug 3
        place    o1 mug*3 exists     -> #1 pending_payment
    ",
    );
}

#[test]
fn take_what_exists_that_finds_nothing_is_sold_out_for_the_first_line() {
    check(
        "
        receive  tea 1
        place    o1 mug*2 cup*1 mug*2 exists   -> no: sold_out mug asked=4 available=0
        place    o1 mug*2 tea*1 exists         -> #1 pending_payment taken=0,1
    ",
    );
}

#[test]
fn a_line_draws_on_sites_by_rank_and_then_by_number() {
    check(
        "
        site     far rank=7          -> number=2
        site     twin rank=3         -> number=3
        site     near rank=3         -> number=4
        receive  mug 1 at=far
        receive  mug 1 at=twin
        receive  mug 1 at=near
        place    o1 mug*1            -> #1 pending_payment
        draws    o1                  -> 0@twin reserved=1
        place    o2 mug*2            -> #2 pending_payment
        draws    o2                  -> 0@near reserved=1 | 0@far reserved=1
    ",
    );
}

#[test]
fn lines_draw_one_after_the_other() {
    check(
        "
        site     north rank=1
        receive  mug 3
        receive  mug 3 at=north
        place    o1 mug*2 mug*2 mug*2   -> #1 pending_payment
        draws    o1   -> 0@main reserved=2 | 1@main reserved=1 | 1@north reserved=1 | 2@north reserved=2
    ",
    );
}

#[test]
fn an_order_of_which_every_price_is_zero_is_confirmed_at_once() {
    check(
        "
        receive  mug 5
        place    o1 mug*2@0 mug*1@0   -> #1 confirmed
        stock    mug                  -> available=2 committed=3
        wait     24h                  -> nothing expired
        place    o2 mug*1@0 mug*1@1   -> #2 pending_payment
    ",
    );
}

#[test]
fn what_was_asked_decides_whether_payment_is_needed_not_what_was_taken() {
    check(
        "
        receive  mug 1
        place    o1 mug*1@0 cup*1@5 exists   -> #1 pending_payment taken=1,0
    ",
    );
}

#[test]
fn cash_on_delivery_is_confirmed_at_once() {
    check(
        "
        receive  mug 5
        place    o1 mug*2 cod        -> #1 confirmed
        stock    mug                 -> available=3 committed=2
        confirm  o1                  -> confirmed moved=2 again
        cancel   o1                  -> cancelled moved=2
        stock    mug                 -> available=5
    ",
    );
}

#[test]
fn order_numbers_count_the_accepted_orders_of_each_market() {
    check(
        "
        receive  mug 5
        place    o1 mug*1            -> #1 pending_payment
        place    o2 mug*9            -> no: sold_out mug asked=9 available=4
        block    o3                  -> blocked moved=0
        place    o4 mug*1            -> #2 pending_payment
        market   second              -> number=2
        receive  mug 5
        place    p1 mug*1            -> #1 pending_payment
        market   default             -> number=1
        place    o2 mug*1            -> #3 pending_payment
    ",
    );
}

#[test]
fn a_pool_never_spans_markets() {
    check(
        "
        receive  mug 5
        market   second              -> number=2
        receive  mug 1               -> available=1
        place    p1 mug*2            -> no: sold_out mug asked=2 available=1
        place    p1 mug*1            -> #1 pending_payment
        stock    mug                 -> reserved=1
        market   default             -> number=1
        stock    mug                 -> available=5
    ",
    );
}

#[test]
fn open_orders_come_in_pages_in_order_of_their_numbers() {
    check(
        "
        receive  mug 9
        open                         -> nothing
        place    o1 mug*1 hold=1s
        place    o2 mug*1 cod
        place    o3 mug*1
        place    o4 mug*1 cod
        place    o5 mug*1 cod
        ship     o5                  -> completed moved=1
        cancel   o3                  -> cancelled moved=1
        open                         -> o1#1 o2#2 o4#4
        open     after=1             -> o2#2 o4#4
        open     after=4             -> nothing
        open     after=99            -> nothing
        wait     1s                  -> o1 expired
        open                         -> o2#2 o4#4
        confirm  o1                  -> confirmed moved=1
        open                         -> o1#1 o2#2 o4#4
        open     rows=0              -> no: out_of_bounds Rows
        open     rows=1025           -> no: out_of_bounds Rows
    ",
    );
}
