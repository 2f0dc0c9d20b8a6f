//! Until when a payment has to be there: as long as a placement says, or as its market gives the payment method.

use crate::script::check;

#[test]
fn an_order_that_is_not_paid_ends_at_the_deadline_of_its_payment_method() {
    check(
        "
        reservations activity=1h payment=1h card=10s wallet=20s bank_transfer=72h invoice=168h unspecified=5s -> set
        receive  mug 9                                 -> available=9
        place    o1 mug*1 hold=0ms                     -> #1 pending_payment
        place    o2 mug*1 hold=0ms pays=wallet         -> #2 pending_payment
        place    o3 mug*1 hold=0ms pays=bank_transfer  -> #3 pending_payment
        place    o4 mug*1 hold=0ms pays=invoice        -> #4 pending_payment
        place    o5 mug*1 hold=0ms pays=unspecified    -> #5 pending_payment
        place    o6 mug*1 hold=0ms cod                 -> #6 confirmed
        wait     4999ms                                -> nothing expired
        wait     1ms                                   -> o5 expired
        wait     4999ms                                -> nothing expired
        wait     1ms                                   -> o1 expired
        wait     10s                                   -> o2 expired
        wait     71h                                   -> nothing expired
        confirm  o3                                    -> confirmed moved=1
        wait     96h                                   -> nothing expired
        wait     1h                                    -> o4 expired
        order    o6                                    -> confirmed mug committed=1
    ",
    );
}

#[test]
fn a_market_gives_a_quarter_of_an_hour_three_days_or_a_week_unless_it_says_otherwise() {
    check(
        "
        receive  mug 9                                 -> available=9
        place    o1 mug*1 hold=0ms                     -> #1 pending_payment
        place    o2 mug*1 hold=0ms pays=bank_transfer  -> #2 pending_payment
        place    o3 mug*1 hold=0ms pays=invoice        -> #3 pending_payment
        wait     899s                                  -> nothing expired
        wait     1s                                    -> o1 expired
        wait     258299s                               -> nothing expired
        wait     1s                                    -> o2 expired
        wait     345599s                               -> nothing expired
        wait     1s                                    -> o3 expired
    ",
    );
}

#[test]
fn what_a_placement_says_goes_before_what_its_market_does() {
    check(
        "
        reservations activity=1h payment=1h card=10s  -> set
        receive  mug 9                                -> available=9
        place    o1 mug*1 hold=3s                     -> #1 pending_payment
        place    o2 mug*1 hold=30s                    -> #2 pending_payment
        place    o2 mug*1 hold=0ms                    -> no: conflict
        wait     3s                                   -> o1 expired
        wait     26999ms                              -> nothing expired
        wait     1ms                                  -> o2 expired
    ",
    );
}

#[test]
fn a_market_that_changes_its_deadlines_changes_none_of_orders_that_exist() {
    check(
        "
        reservations activity=1h payment=1h card=10s  -> set
        receive  mug 9                                -> available=9
        place    o1 mug*1 hold=0ms                    -> #1 pending_payment
        reservations activity=1h payment=1h card=1s   -> set
        place    o1 mug*1 hold=0ms                    -> #1 pending_payment again
        place    o2 mug*1 hold=0ms                    -> #2 pending_payment
        wait     1s                                   -> o2 expired
        wait     8999ms                               -> nothing expired
        wait     1ms                                  -> o1 expired
    ",
    );
}

#[test]
fn no_payment_is_waited_for_for_no_time_or_longer_than_a_month() {
    check(
        "
        reservations activity=1s payment=1s card=0ms              -> no: out_of_bounds Unpaid
        reservations activity=1s payment=1s invoice=2678400001ms  -> no: out_of_bounds Unpaid
        reservations activity=1s payment=1s invoice=2678400s      -> set
    ",
    );
}
