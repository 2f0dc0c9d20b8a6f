//! What a shop lets be sold of one SKU: safety stock, units of an order, units of a customer.

use stockade::engine::Capacity;

use crate::script::{check, check_within};

#[test]
fn safety_stock_is_never_sold_and_what_was_sold_is_still_handed_over() {
    check(
        "
        receive  mug 5
        place    o1 mug*2                  -> #1 pending_payment
        policy   mug safety=3              -> set
        place    o2 mug*1                  -> no: sold_out mug asked=1 available=0
        confirm  o1                        -> confirmed moved=2
        ship     o1 id=1                   -> completed moved=2
        receive  mug 2                     -> available=5
        place    o3 mug*3                  -> no: sold_out mug asked=3 available=2
        place    o4 mug*3 exists           -> #2 pending_payment taken=2
        policy   mug                       -> set
        place    o5 mug*3                  -> #3 pending_payment
    ",
    );
}

#[test]
fn safety_stock_is_not_multiplied_by_the_sites() {
    check(
        "
        site     north rank=1
        receive  mug 2
        receive  mug 2 at=north
        policy   mug safety=1
        place    o1 mug*4                  -> no: sold_out mug asked=4 available=3
        place    o2 mug*3                  -> #1 pending_payment
        draws    o2                        -> 0@main reserved=2 | 0@north reserved=1
    ",
    );
}

#[test]
fn an_order_asks_as_many_units_as_the_shop_sells_at_once_all_its_lines_together() {
    check(
        "
        receive  mug 100
        policy   mug min=2 max=5           -> set
        place    o1 mug*1                  -> no: order_limit mug min=2 max=5
        place    o1 mug*1 mug*1            -> #1 pending_payment
        place    o2 mug*3 mug*3            -> no: order_limit mug min=2 max=5
        place    o2 mug*5                  -> #2 pending_payment
        place    o2 mug*5                  -> #2 pending_payment again
        policy   mug min=2 max=1           -> no: out_of_bounds OrderMax
    ",
    );
}

#[test]
fn a_customer_may_have_so_many_units_whatever_became_of_them_but_cancelled_or_lapsed() {
    check(
        "
        receive  mug 100
        policy   mug customer=3            -> set
        place    o1 mug*2 customer=7 hold=60s -> #1 pending_payment
        place    o2 mug*2 customer=7       -> no: customer_limit mug max=3 left=1
        place    o2 mug*2 customer=8       -> #2 pending_payment
        place    o3 mug*1 customer=7       -> #3 pending_payment
        confirm  o3                        -> confirmed moved=1
        ship     o3 id=1                   -> completed moved=1
        place    o4 mug*1 customer=7       -> no: customer_limit mug max=3 left=0
        cancel   o1                        -> cancelled moved=2
        place    o4 mug*2 customer=7 hold=5s -> #4 pending_payment
        wait     5s                        -> o4 expired
        place    o5 mug*2 customer=7       -> #5 pending_payment
        return   o3 0*1 id=2               -> completed moved=1
        place    o6 mug*1 customer=7       -> no: customer_limit mug max=3 left=0
        drop     o5 0*1 id=3               -> pending_payment moved=1
        place    o6 mug*1 customer=7       -> #6 pending_payment
    ",
    );
}

#[test]
fn a_dead_reservation_counts_no_more_although_no_sweep_came_by() {
    check(
        "
        late
        receive  mug 100
        policy   mug customer=2
        place    o1 mug*2 customer=7 hold=1s
        wait     1s
        place    o2 mug*2 customer=7       -> #2 pending_payment
    ",
    );
}

#[test]
fn a_late_payment_takes_nothing_again_that_the_customer_may_not_have() {
    check(
        "
        receive  mug 100
        policy   mug customer=2
        place    o1 mug*2 customer=7 hold=1s
        wait     1s                        -> o1 expired
        place    o2 mug*1 customer=7       -> #2 pending_payment
        confirm  o1 try=1                  -> not_taken_again mug
        cancel   o2
        confirm  o1 try=1                  -> not_taken_again mug again
        confirm  o1 try=2                  -> confirmed moved=2
        place    o3 mug*1 customer=7       -> no: customer_limit mug max=2 left=0
    ",
    );
}

#[test]
fn what_comes_back_counts_no_more_where_the_shop_says_so() {
    check(
        "
        receive  mug 9
        policy   mug customer=2 day=3 returns=give_back
        place    o1 mug*2 customer=7 cod
        ship     o1 id=1                   -> completed moved=2
        place    o2 mug*1 customer=7       -> no: customer_limit mug max=2 left=0
        return   o1 0*1 id=2               -> completed moved=1
        place    o2 mug*2 customer=7       -> no: customer_limit mug max=2 left=1
        place    o2 mug*1 customer=7       -> #2 pending_payment
        place    o3 mug*1 customer=7       -> no: customer_limit mug max=2 left=0
        return   o1 0*1 id=3               -> completed moved=1
        place    o3 mug*1 customer=7       -> #3 pending_payment
        policy   mug customer=2 day=3      -> set
        place    o4 mug*2 customer=7       -> #4 pending_payment
        policy   mug customer=2 day=3 returns=give_back -> set
        place    o5 mug*2 customer=7       -> #5 pending_payment
    ",
    );
}

#[test]
fn two_accounts_with_one_card_are_one_customer_where_the_shop_says_so() {
    check(
        "
        receive  mug 100
        policy   mug customer=2
        place    o1 mug*2 customer=7 instrument=5 -> #1 pending_payment
        place    o2 mug*2 customer=8 instrument=5 -> #2 pending_payment
        policy   mug customer=2 hashes     -> set
        place    o3 mug*2 customer=9 instrument=5 -> #3 pending_payment
        place    o4 mug*1 customer=4 instrument=5 -> no: customer_limit mug max=2 left=0
        place    o5 mug*1 account=3 address=5     -> #4 pending_payment
        place    o6 mug*2 customer=2 address=5    -> no: customer_limit mug max=2 left=1
        cancel   o1                        -> cancelled moved=2
        place    o6 mug*2 customer=2 address=5    -> no: customer_limit mug max=2 left=1
    ",
    );
}

#[test]
fn a_guest_whom_nothing_tells_from_others_has_the_limit_with_each_order() {
    check(
        "
        receive  mug 100
        policy   mug customer=2
        place    o1 mug*2                  -> #1 pending_payment
        place    o2 mug*2                  -> #2 pending_payment
        place    o3 mug*3                  -> no: customer_limit mug max=2 left=2
    ",
    );
}

#[test]
fn a_days_limit_begins_anew_when_the_shops_day_does() {
    // The world begins at 08:53:20 UTC.
    check(
        "
        receive  mug 100
        policy   mug day=2 begins=540      -> set
        place    o1 mug*2 customer=7 hold=1h -> #1 pending_payment
        place    o2 mug*1 customer=7       -> no: customer_limit mug max=2 left=0 daily
        wait     399s
        place    o2 mug*1 customer=7       -> no: customer_limit mug max=2 left=0 daily
        wait     1s
        place    o2 mug*2 customer=7       -> #2 pending_payment
        cancel   o1                        -> cancelled moved=2
        place    o3 mug*1 customer=7       -> no: customer_limit mug max=2 left=0 daily
        cancel   o2                        -> cancelled moved=2
        place    o3 mug*1 customer=7       -> #3 pending_payment
    ",
    );
}

#[test]
fn a_limit_counts_from_the_moment_it_was_set_and_goes_on_when_its_number_changes() {
    check(
        "
        receive  mug 100
        place    o1 mug*5 customer=7       -> #1 pending_payment
        policy   mug customer=2
        place    o2 mug*2 customer=7       -> #2 pending_payment
        cancel   o1                        -> cancelled moved=5
        place    o3 mug*1 customer=7       -> no: customer_limit mug max=2 left=0
        policy   mug customer=3            -> set
        place    o3 mug*1 customer=7       -> #3 pending_payment
        policy   mug                       -> set
        cancel   o2                        -> cancelled moved=2
        policy   mug customer=1            -> set
        place    o4 mug*1 customer=7       -> #4 pending_payment
    ",
    );
}

#[test]
fn an_order_that_left_is_still_counted() {
    check(
        "
        retention window=0ms ids=60s
        receive  mug 100
        policy   mug customer=2
        place    o1 mug*2 customer=7
        confirm  o1
        ship     o1 id=1
        wait     70s
        order    o1                        -> no: unknown_order
        place    o2 mug*1 customer=7       -> no: customer_limit mug max=2 left=0
    ",
    );
}

#[test]
fn no_more_customers_are_counted_than_there_is_room_for() {
    check_within(
        Capacity { customers_max: 2, ..Capacity::default() },
        "
        receive  mug 100
        receive  cup 100
        policy   mug customer=2
        place    o1 mug*1 customer=7
        place    o2 mug*1 customer=8
        place    o3 mug*1 customer=9       -> no: at_capacity
        place    o3 cup*1 customer=9       -> #3 pending_payment
        place    o4 mug*1 customer=8       -> #4 pending_payment
        cancel   o1
        place    o5 mug*1 customer=9       -> #5 pending_payment
    ",
    );
}

#[test]
fn a_policy_is_of_a_sku_there_is_and_within_its_bounds() {
    check(
        "
        policy   #9 max=2                  -> no: unknown_sku #9
        sku      mug
        policy   mug begins=1440           -> no: out_of_bounds DayBegins
        policy   mug max=10000001          -> no: out_of_bounds OrderMax
        policy   mug safety=1000000000000001 -> no: out_of_bounds SafetyStock
        policy   mug                       -> set again
        policy   mug max=2                 -> set
        policy   mug max=2                 -> set again
    ",
    );
}
