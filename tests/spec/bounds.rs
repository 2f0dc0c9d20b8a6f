//! Bounds: what no placement may exceed, whatever is in stock.

use stockade::engine::Capacity;

use crate::script::{check, check_within};

#[test]
fn bounds_are_checked_before_anything_else() {
    let many = "mug*1 ".repeat(2_049);
    check(&format!(
        "
        receive  mug 5
        place    o1                                     -> no: out_of_bounds Lines
        place    o1 {many}                              -> no: out_of_bounds Lines
        place    o1 #99*0                               -> no: out_of_bounds Quantity
        place    o1 mug*10000001                        -> no: out_of_bounds Quantity
        place    o1 mug*1@1000000000001                 -> no: out_of_bounds Price
        place    o1 mug*1 details=4097                  -> no: out_of_bounds Details
        place    o1 mug*1 hold=2678400001ms             -> no: out_of_bounds Reservation
        place    o1 mug*1 hold=2678400s details=4096    -> #1 pending_payment
        place    o1 mug*0                               -> no: out_of_bounds Quantity
    "
    ));
}

#[test]
fn the_total_may_be_as_large_as_a_signed_64_bit_number_and_no_larger() {
    check(
        "
        sku      mug
        place    o1 mug*9223372@1000000000000 mug*1@36854775807 -> no: sold_out mug asked=9223373 available=0
        place    o1 mug*9223372@1000000000000 mug*1@36854775808 -> no: out_of_bounds Total
        place    o1 mug*10000000@1000000000000 mug*10000000@1000000000000 -> no: out_of_bounds Total
    ",
    );
}

#[test]
fn unknown_things_are_named() {
    check(
        "
        receive  mug 5
        place    o1 mug*9 #7*1 #8*1  -> no: unknown_sku #7
        place    o1 #0*1             -> no: unknown_sku #0
        confirm  o1                  -> no: unknown_order
        cancel   o1                  -> no: unknown_order
        drop     o1 0*1              -> no: unknown_order
        ship     o1                  -> no: unknown_order
        return   o1 0*1              -> no: unknown_order
    ",
    );
}

#[test]
fn a_placement_beyond_the_configured_number_of_orders_is_refused_and_repeats_are_not() {
    check_within(
        Capacity { orders_max: 2, ..Capacity::default() },
        "
        receive  mug 5
        place    o1 mug*1            -> #1 pending_payment
        place    o2 mug*1            -> #2 pending_payment
        place    o3 mug*1            -> no: at_capacity
        place    o3 #9*1             -> no: unknown_sku #9
        place    o1 mug*1            -> #1 pending_payment again
        confirm  o1                  -> confirmed moved=1
        cancel   o2                  -> cancelled moved=1
        place    o3 mug*1            -> no: at_capacity
    ",
    );
}

#[test]
fn a_placement_beyond_the_configured_bytes_of_details_is_refused() {
    check_within(
        Capacity { details_bytes_max: 42, ..Capacity::default() },
        "
        receive  mug 5
        place    o1 mug*1 details=6  -> #1 pending_payment
        place    o2 mug*1 details=5  -> no: at_capacity
        place    o2 mug*1 details=4  -> #2 pending_payment
        place    o3 mug*1            -> #3 pending_payment
        place    o4 mug*9 details=1  -> no: at_capacity
    ",
    );
}

#[test]
fn a_placement_beyond_the_configured_number_of_lines_is_refused() {
    check_within(
        Capacity { lines_max: 3, ..Capacity::default() },
        "
        receive  mug 5
        place    o1 mug*1 mug*1      -> #1 pending_payment
        place    o2 mug*1 mug*1      -> no: at_capacity
        place    o2 mug*1            -> #2 pending_payment
        place    o3 mug*1            -> no: at_capacity
        place    o1 mug*1 mug*1      -> #1 pending_payment again
    ",
    );
}

#[test]
fn an_identifier_may_be_two_seconds_ahead_and_no_more() {
    check(
        "
        receive  mug 5
        place    o1 mug*1 made=+2s       -> #1 pending_payment
        place    o2 mug*1 made=+2001ms   -> no: id_from_future
        place    o2 #9*1                 -> no: id_from_future
        wait     1ms
        place    o2 mug*1                -> #2 pending_payment
        place    o3 mug*1 made=-24h      -> #3 pending_payment
    ",
    );
}
