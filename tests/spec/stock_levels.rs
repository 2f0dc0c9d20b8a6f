//! Stock levels: somebody is told when little is left, and nothing, and enough again.

use crate::script::check;

#[test]
fn a_stock_level_is_told_once_for_each_crossing() {
    check(
        "
        receive  mug 5
        policy   mug low=2                 -> set
        levels                             -> nothing
        place    o1 mug*2
        levels                             -> nothing
        place    o2 mug*1
        levels                             -> mug low for_sale=2
        place    o3 mug*1
        levels                             -> nothing
        place    o4 mug*1 hold=60s
        levels                             -> mug out for_sale=0
        wait     60s                       -> o1 o2 o3 o4 expired
        levels                             -> mug enough for_sale=5
    ",
    );
}

#[test]
fn a_stock_level_is_about_what_is_for_sale_the_allowance_included() {
    check(
        "
        receive  mug 2
        policy   mug low=1 safety=1 oversell=2
        levels                             -> nothing
        place    o1 mug*2                  -> #1 pending_payment owed n=1
        levels                             -> mug low for_sale=1
        place    o2 mug*1                  -> #2 pending_payment owed n=1
        levels                             -> mug out for_sale=0
        policy   mug low=1 safety=1 oversell=3
        levels                             -> mug low for_sale=1
        unfilled
        receive  mug 9
        levels                             -> nothing
        fill
        stock    mug                       -> available=8 reserved=3
        levels                             -> mug enough for_sale=10
    ",
    );
}

#[test]
fn a_policy_that_comes_to_tell_begins_with_enough_and_one_that_stops_forgets() {
    check(
        "
        receive  mug 1
        policy   mug low=3                 -> set
        levels                             -> mug low for_sale=1
        policy   mug low=3 safety=1        -> set
        levels                             -> mug out for_sale=0
        policy   mug safety=1              -> set
        levels                             -> nothing
        policy   mug low=1 safety=1        -> set
        levels                             -> mug out for_sale=0
        policy   mug                       -> set
        receive  mug 9
        policy   mug low=3                 -> set
        levels                             -> nothing
        policy   cup low=3                 -> set
        levels                             -> cup out for_sale=0
    ",
    );
}
