//! Cancelling: units go back by what became of them, not by the order's label. Twice is once.

use crate::script::check;

#[test]
fn cancelling_an_unpaid_order_frees_what_was_reserved() {
    check(
        "
        receive  mug 5
        place    o1 mug*3
        cancel   o1                  -> cancelled moved=3
        stock    mug                 -> available=5
        order    o1                  -> cancelled mug cancelled=3
        wait     24h                 -> nothing expired
    ",
    );
}

#[test]
fn cancelling_a_paid_order_frees_what_was_committed_at_the_same_site() {
    check(
        "
        site     north rank=1
        receive  mug 1
        receive  mug 5 at=north
        place    o1 mug*3
        confirm  o1
        cancel   o1                  -> cancelled moved=3
        stock    mug at=main         -> available=1
        stock    mug at=north        -> available=5
    ",
    );
}

#[test]
fn cancelling_an_expired_order_moves_no_stock() {
    check(
        "
        receive  mug 5
        place    o1 mug*3 hold=1s
        wait     1s                  -> o1 expired
        place    o2 mug*5
        cancel   o1                  -> cancelled moved=3
        stock    mug                 -> reserved=5
        order    o1                  -> cancelled mug cancelled=3
    ",
    );
}

#[test]
fn cancelling_never_touches_what_was_handed_over() {
    check(
        "
        receive  mug 5
        place    o1 mug*3 mug*1 cod
        ship     o1 0*2              -> fulfilling moved=2
        cancel   o1                  -> completed moved=2
        cancel   o1                  -> completed moved=2 again
        stock    mug                 -> available=3 customer=2
        order    o1                  -> completed mug shipped=2 cancelled=1 | mug cancelled=1
    ",
    );
}

#[test]
fn cancelling_twice_answers_the_same() {
    check(
        "
        receive  mug 5
        place    o1 mug*3
        cancel   o1                  -> cancelled moved=3
        cancel   o1                  -> cancelled moved=3 again
        block    o1                  -> cancelled moved=3 again
        stock    mug                 -> available=5
    ",
    );
}

#[test]
fn a_completed_order_cannot_be_cancelled() {
    check(
        "
        receive  mug 5
        place    o1 mug*3 cod
        ship     o1                  -> completed moved=3
        cancel   o1                  -> no: illegal completed
        block    o1                  -> no: illegal completed
        drop     o1 0*1 id=2         -> no: illegal completed
        stock    mug                 -> available=2 customer=3
    ",
    );
}

#[test]
fn cancelling_needs_no_stock_to_exist() {
    check(
        "
        receive  mug 3
        place    o1 mug*3
        cancel   o1                  -> cancelled moved=3
        adjust   mug -3              -> available=0
        cancel   o1                  -> cancelled moved=3 again
        stock    mug                 -> write_off=3
    ",
    );
}

#[test]
fn some_units_of_some_lines_can_be_cancelled() {
    check(
        "
        receive  mug 5
        receive  cup 5
        place    o1 mug*3 cup*2
        drop     o1 1*1 0*2 id=1     -> pending_payment moved=3
        order    o1                  -> pending_payment mug reserved=1 cancelled=2 | cup reserved=1 cancelled=1
        stock    mug                 -> available=4 reserved=1
        confirm  o1                  -> confirmed moved=2
        drop     o1 0*1 id=2         -> confirmed moved=1
        drop     o1 1*1 id=3         -> cancelled moved=1
        drop     o1 1*1 id=4         -> no: illegal cancelled
        cancel   o1                  -> cancelled moved=5 again
        stock    mug                 -> available=5
        stock    cup                 -> available=5
    ",
    );
}

#[test]
fn cancelled_units_leave_the_last_site_of_the_line_first() {
    check(
        "
        site     north rank=1
        site     south rank=2
        receive  mug 2
        receive  mug 2 at=north
        receive  mug 2 at=south
        place    o1 mug*5
        drop     o1 0*2 id=1         -> pending_payment moved=2
        draws    o1                  -> 0@main reserved=2 | 0@north reserved=1
        confirm  o1
        drop     o1 0*2 id=2         -> confirmed moved=2
        draws    o1                  -> 0@main committed=1
        stock    mug at=main         -> available=1 committed=1
        stock    mug at=south        -> available=2
    ",
    );
}

#[test]
fn cancelling_lines_passes_over_what_was_handed_over() {
    check(
        "
        site     north rank=1
        receive  mug 2
        receive  mug 2 at=north
        place    o1 mug*4 cod
        ship     o1 0*3              -> fulfilling moved=3
        drop     o1 0*2 id=2         -> no: not_enough_units line=0 units=1
        drop     o1 0*1 id=2         -> completed moved=1
        draws    o1                  -> 0@main shipped=2 | 0@north shipped=1
        stock    mug at=north        -> available=1 customer=1
    ",
    );
}

#[test]
fn more_units_than_a_line_has_are_not_cancelled_at_all() {
    check(
        "
        receive  mug 5
        place    o1 mug*3 mug*1
        drop     o1 1*1 0*4          -> no: not_enough_units line=0 units=3
        drop     o1 0*3 1*2          -> no: not_enough_units line=1 units=1
        stock    mug                 -> available=1 reserved=4
        drop     o1 0*1 2*1          -> no: unknown_line 2
        drop     o1 0*1 0*1          -> no: out_of_bounds Line
        drop     o1 0*0              -> no: out_of_bounds Quantity
        drop     o1                  -> no: out_of_bounds Lines
        drop     o1 0*3 1*1          -> cancelled moved=4
    ",
    );
}

#[test]
fn a_short_order_is_cancelled_by_what_it_took() {
    check(
        "
        receive  mug 1
        place    o1 mug*3 exists     -> #1 pending_payment taken=1
        drop     o1 0*2              -> no: not_enough_units line=0 units=1
        cancel   o1                  -> cancelled moved=1
        stock    mug                 -> available=1
    ",
    );
}

#[test]
fn cancelling_what_is_left_tells_every_cancelled_unit_and_so_does_its_repeat() {
    check(
        "
        receive  mug 5
        place    o1 mug*3 cod
        drop     o1 0*2 id=2         -> confirmed moved=2
        cancel   o1                  -> cancelled moved=3
        cancel   o1                  -> cancelled moved=3 again
        stock    mug                 -> available=5
    ",
    );
}
