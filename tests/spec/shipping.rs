//! Handing over and taking back: reports of the world, and how far they are believed.

use crate::script::check;

#[test]
fn handing_over_moves_committed_units_to_the_customer() {
    check(
        "
        receive  mug 5
        place    o1 mug*2 mug*1 cod
        ship     o1                  -> completed moved=3
        stock    mug                 -> available=2 customer=3
        order    o1                  -> completed mug shipped=2 | mug shipped=1
    ",
    );
}

#[test]
fn handing_over_some_lines_begins_fulfilment() {
    check(
        "
        receive  mug 5
        place    o1 mug*2 mug*1 cod
        ship     o1 1*1 id=1         -> fulfilling moved=1
        ship     o1 0*1 id=2         -> fulfilling moved=1
        ship     o1 0*1 id=3         -> completed moved=1
    ",
    );
}

#[test]
fn units_leave_the_first_site_of_a_line_first() {
    check(
        "
        site     north rank=1
        receive  mug 2
        receive  mug 2 at=north
        place    o1 mug*4 cod
        ship     o1 0*1 id=1         -> fulfilling moved=1
        ship     o1 0*2 id=2         -> fulfilling moved=2
        draws    o1                  -> 0@main shipped=2 | 0@north committed=1 shipped=1
        stock    mug at=main         -> customer=2
    ",
    );
}

#[test]
fn a_report_of_more_than_is_committed_is_believed_as_far_as_units_go() {
    check(
        "
        receive  mug 5
        place    o1 mug*2 mug*1 cod
        ship     o1 0*9 1*1 id=1     -> completed moved=3 excess=7
        ship     o1 0*1 id=2         -> completed moved=0 excess=1
        stock    mug                 -> available=2 customer=3
    ",
    );
}

#[test]
fn a_hand_over_is_never_refused_for_the_state_of_the_order() {
    check(
        "
        receive  mug 9
        place    o1 mug*2 hold=1s
        ship     o1 id=1             -> pending_payment moved=0
        ship     o1 0*2 id=2         -> pending_payment moved=0 excess=2
        wait     1s                  -> o1 expired
        ship     o1 0*2 id=3         -> expired moved=0 excess=2
        cancel   o1                  -> cancelled moved=2
        ship     o1 0*1 id=4         -> cancelled moved=0 excess=1
        ship     o1 id=5             -> cancelled moved=0
        stock    mug                 -> available=9
        ship     o1 0*1 id=4         -> cancelled moved=0 excess=1 again
    ",
    );
}

#[test]
fn a_hand_over_of_a_line_that_does_not_exist_is_refused() {
    check(
        "
        receive  mug 9
        place    o1 mug*2 cod
        ship     o1 1*1              -> no: unknown_line 1
        ship     o1 0*0              -> no: out_of_bounds Quantity
        stock    mug                 -> available=7 committed=2
    ",
    );
}

#[test]
fn goods_come_back_to_the_site_that_is_named() {
    check(
        "
        site     north rank=1
        receive  mug 2
        receive  mug 2 at=north
        place    o1 mug*3 cod
        ship     o1                      -> completed moved=3
        return   o1 0*3 id=2 at=north    -> completed moved=3
        stock    mug at=main             -> nothing
        stock    mug at=north            -> available=4
        order    o1                      -> completed mug shipped=3 returned=3
    ",
    );
}

#[test]
fn no_more_comes_back_than_was_handed_over() {
    check(
        "
        receive  mug 5
        place    o1 mug*3 mug*1 cod
        ship     o1 0*2 id=1         -> fulfilling moved=2
        return   o1 0*3 id=2         -> no: not_enough_units line=0 units=2
        return   o1 0*1 id=2         -> fulfilling moved=1
        return   o1 0*2 id=3         -> no: not_enough_units line=0 units=1
        return   o1 1*1 id=3         -> no: not_enough_units line=1 units=0
        return   o1 0*1 id=3         -> fulfilling moved=1
        stock    mug                 -> available=3 committed=2
        ship     o1 id=4             -> completed moved=2
        return   o1 0*1 1*1 id=5     -> completed moved=2
        stock    mug                 -> available=5
    ",
    );
}

#[test]
fn a_return_of_nothing_or_to_nowhere_is_refused() {
    check(
        "
        receive  mug 5
        place    o1 mug*3 cod
        return   o1 0*1 id=2         -> no: not_enough_units line=0 units=0
        ship     o1
        return   o1 id=2             -> no: out_of_bounds Lines
        return   o1 0*0 id=2         -> no: out_of_bounds Quantity
        return   o1 0*1 0*1 id=2     -> no: out_of_bounds Line
        return   o1 0*1 id=2 at=#2   -> no: unknown_site
        return   o1 0*1 id=2 at=#0   -> no: unknown_site
        return   o1 1*1 id=2         -> no: unknown_line 1
        stock    mug                 -> available=2 customer=3
    ",
    );
}

#[test]
fn returned_units_can_be_sold_again() {
    check(
        "
        receive  mug 1
        place    o1 mug*1 cod
        ship     o1                  -> completed moved=1
        place    o2 mug*1            -> no: sold_out mug asked=1 available=0
        return   o1 0*1 id=2         -> completed moved=1
        place    o2 mug*1            -> #2 pending_payment
        cancel   o1                  -> no: illegal completed
    ",
    );
}
