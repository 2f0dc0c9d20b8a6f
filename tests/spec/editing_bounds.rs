//! Bounds of edits: what is refused, and in which order; limits, in which an order's own units count once.

use stockade::base::limits::{CHANGES_MAX, KIT_LINES_MAX, LINES_MAX};
use stockade::engine::Capacity;

use crate::rig::{Rig, room_for};
use crate::script::{Script, check, check_within};

/// Each step takes one reason away; the next one stands behind it.
#[test]
fn refusals_come_in_the_order_of_the_page() {
    let mut script = Script::new(Rig::new(Capacity { lines_max: 4, ..Capacity::default() }));
    script.run(
        "
        receive  mug 5
        receive  cup 3
        policy   cup max=3 oversell=5
        policy   tea customer=2
        place    o1 mug*2@100 customer=7         -> #1 pending_payment
        place    o2 mug*1@0 customer=7           -> #2 confirmed
        block    o8
        edit     o8 id=2                         -> no: out_of_bounds Lines
        edit     o8 remove 0*0 id=2              -> no: out_of_bounds Quantity
        edit     o8 add mug*0 id=2               -> no: out_of_bounds Quantity
        edit     o8 add mug*10000001 id=2        -> no: out_of_bounds Quantity
        edit     o8 price 0=1000000000001 id=2   -> no: out_of_bounds Price
        edit     o8 add mug*1@1000000000001 id=2 -> no: out_of_bounds Price
        edit     o8 price 0=1 0=2 id=2           -> no: out_of_bounds Line
        edit     o8 remove 0*1 0*2 id=2          -> no: out_of_bounds Line
        edit     o7 remove 7*9 id=2              -> no: unknown_order
        edit     o8 remove 7*9 id=2              -> no: unknown_order
        edit     o1 zone 3 id=1                  -> pending_payment moved=0
        edit     o1 remove 7*9 id=1              -> no: conflict
        edit     o1 remove 7*9 add #99*1 id=2    -> no: unknown_line 7
        edit     o1 price 7=9 add #99*1 id=2     -> no: unknown_line 7
        edit     o2 remove 0*9 add #99*1@5 id=2  -> no: unknown_sku #99
        edit     o2 remove 0*9 add mug*1@5 id=2  -> no: out_of_bounds Price
        edit     o1 remove 0*9 add mug*9999999@1000000000000 id=2 -> no: out_of_bounds Total
        edit     o1 remove 0*9 add mug*9 mug*9 mug*9 id=2 -> no: not_enough_units line=0 units=2
        edit     o1 remove 0*2 add cup*9 mug*9 mug*9 id=2 -> no: at_capacity
        edit     o1 remove 0*2 add cup*4 mug*9 id=2 -> no: order_limit cup min=0 max=3
        edit     o1 remove 0*2 add tea*3 mug*9 id=2 -> no: customer_limit tea max=2 left=2
        edit     o1 remove 0*2 add tea*2 mug*9 id=2 -> no: sold_out tea asked=2 available=0
        edit     o1 remove 0*2 add mug*9 cup*3 id=2 -> no: sold_out mug asked=7 available=2
        place    o3 cup*2@0                      -> #3 confirmed
        edit     o1 remove 0*2 add mug*4 id=2    -> pending_payment moved=2
        order    o1                              -> pending_payment mug cancelled=2 | mug reserved=4
    ",
    );
}

#[test]
fn nothing_that_is_over_is_edited() {
    check(
        "
        retention window=1h ids=24h
        receive  mug 9
        place    o1 mug*1 cod                    -> #1 confirmed
        place    o2 mug*1 cod                    -> #2 confirmed
        place    o3 mug*1 hold=1s                -> #3 pending_payment
        ship     o1                              -> completed moved=1
        cancel   o2                              -> cancelled moved=1
        wait     1s                              -> o3 expired
        block    o4                              -> blocked moved=0
        edit     o1 zone 3 id=2                  -> no: illegal completed
        edit     o1 price 0=3 id=2               -> no: illegal completed
        edit     o1 add mug*1 id=2               -> no: illegal completed
        edit     o1 remove 0*1 id=2              -> no: illegal completed
        edit     o2 zone 3 id=2                  -> no: illegal cancelled
        edit     o2 add mug*1 id=2               -> no: illegal cancelled
        edit     o3 zone 3 id=2                  -> no: illegal expired
        edit     o3 remove 0*1 id=2              -> no: illegal expired
        edit     o3 add mug*1 id=2               -> no: illegal expired
        edit     o4 zone 3 id=2                  -> no: unknown_order
        edit     o9 zone 3 id=2                  -> no: unknown_order
        wait     1h
        edit     o1 zone 3 id=2                  -> no: closed
        edit     o2 zone 3 id=2                  -> no: closed
    ",
    );
}

#[test]
fn what_an_order_has_of_a_limited_sku_counts_once() {
    check(
        "
        receive  mug 99
        policy   mug min=2 max=3                 -> set
        place    o1 mug*2                        -> #1 pending_payment
        edit     o1 add mug*2 id=2               -> no: order_limit mug min=2 max=3
        edit     o1 add mug*1 id=2               -> pending_payment moved=1
        edit     o1 add mug*1 id=3               -> no: order_limit mug min=2 max=3
        edit     o1 add mug*1 remove 0*1 id=3    -> pending_payment moved=0
        edit     o1 add mug*1 remove 0*1 1*1 2*1 id=4 -> no: order_limit mug min=2 max=3
        edit     o1 remove 0*1 1*1 id=4          -> pending_payment moved=2
        edit     o1 add cup*1 id=5               -> no: sold_out cup asked=1 available=0
        order    o1                              -> pending_payment mug cancelled=2 | mug cancelled=1 | mug reserved=1
    ",
    );
}

#[test]
fn what_a_customer_has_counts_once() {
    check(
        "
        receive  mug 99
        policy   mug customer=3 day=3            -> set
        place    o1 mug*2 customer=7             -> #1 pending_payment
        place    o2 mug*1 customer=7             -> #2 pending_payment
        edit     o1 add mug*1 id=2               -> no: customer_limit mug max=3 left=0
        edit     o1 add mug*2 remove 0*2 id=2    -> pending_payment moved=0
        edit     o1 add mug*3 remove 1*2 id=3    -> no: customer_limit mug max=3 left=0
        edit     o2 remove 0*1 add cup*1 id=2    -> no: sold_out cup asked=1 available=0
        edit     o2 remove 0*1 id=2              -> cancelled moved=1
        edit     o1 add mug*2 id=3               -> no: customer_limit mug max=3 left=1
        edit     o1 add mug*1 id=3               -> pending_payment moved=1
        place    o3 mug*1 customer=7             -> no: customer_limit mug max=3 left=0
        edit     o1 remove 1*2 id=4              -> pending_payment moved=2
        place    o3 mug*2 customer=7             -> #3 pending_payment
    ",
    );
}

#[test]
fn what_a_channel_sold_counts_once() {
    check(
        "
        receive  mug 99
        receive  tea 9
        kit      gift mug*2 tea*1
        cap      mug channel=3 units=4           -> set
        place    o1 mug*3 channel=3              -> #1 pending_payment
        edit     o1 add mug*2 id=2               -> no: channel_cap mug max=4 left=1
        edit     o1 add mug*2 remove 0*1 id=2    -> pending_payment moved=1
        edit     o1 add gift*1 remove 0*1 id=3   -> no: channel_cap mug max=4 left=0
        edit     o1 add gift*1 remove 0*2 id=3   -> pending_payment moved=3
        edit     o1 add mug*1 id=4               -> no: channel_cap mug max=4 left=0
        edit     o1 add gift*1 remove 2*1 id=4   -> pending_payment moved=0
        place    o2 mug*1 channel=3              -> no: channel_cap mug max=4 left=0
    ",
    );
}

#[test]
fn customers_are_counted_as_far_as_there_is_room() {
    check_within(
        Capacity { customers_max: 1, ..Capacity::default() },
        "
        receive  mug 9
        receive  cup 9
        policy   mug customer=5                  -> set
        policy   cup customer=5                  -> set
        place    o1 mug*1 customer=7             -> #1 pending_payment
        place    o2 tea*1 customer=8             -> no: sold_out tea asked=1 available=0
        receive  tea 9
        place    o2 tea*1 customer=8             -> #2 pending_payment
        edit     o2 add mug*1 id=2               -> no: at_capacity
        edit     o1 add cup*1 id=2               -> no: at_capacity
        edit     o1 add mug*1 id=2               -> pending_payment moved=1
        cancel   o1                              -> cancelled moved=2
        edit     o2 add mug*1 id=2               -> pending_payment moved=1
    ",
    );
}

#[test]
fn orders_wait_as_far_as_there_is_room() {
    check_within(
        Capacity { waiting_max: 1, ..Capacity::default() },
        "
        receive  mug 9
        policy   cup oversell=5                  -> set
        policy   tea oversell=5                  -> set
        place    o1 mug*1 cup*1                  -> #1 pending_payment owed n=1
        edit     o1 add tea*1 id=2               -> no: at_capacity
        edit     o1 remove 1*1 add cup*1 id=2    -> pending_payment moved=0
        order    o1                              -> pending_payment mug reserved=1 | cup cancelled=1 | cup owed=1
    ",
    );
}

#[test]
fn lines_are_kept_as_far_as_there_is_room() {
    check_within(
        Capacity { lines_max: 3, ..Capacity::default() },
        "
        receive  mug 9
        place    o1 mug*1 mug*1                  -> #1 pending_payment
        edit     o1 add mug*1 mug*1 id=2         -> no: at_capacity
        edit     o1 add mug*1 remove 0*1 id=2    -> pending_payment moved=0
        edit     o1 add mug*1 remove 1*1 id=3    -> no: at_capacity
        edit     o1 remove 1*1 zone 4 price 0=4 id=3 -> pending_payment moved=1
        place    o2 mug*1                        -> no: at_capacity
    ",
    );
}

#[test]
fn an_order_comes_to_have_2048_lines_and_no_more() {
    let mut script = Script::new(Rig::new(room_for(10)));
    let lines = |count: usize| "mug*1@0 ".repeat(count);
    script.run("receive mug 9999\n place o1 mug*1@0 mug*1@0 -> #1 confirmed");
    let all = LINES_MAX;
    script.run(&format!(
        "
        edit     o1 add {} id=2 -> no: out_of_bounds Lines
        edit     o1 add {} id=2 -> no: out_of_bounds Lines
        edit     o1 add {} id=2 -> confirmed moved={}
        edit     o1 add mug*1@0 remove 0*1 id=3 -> no: out_of_bounds Lines
        edit     o1 price 2047=0 remove 2047*1 id=3 -> confirmed moved=1
        edit     o1 price 2048=0 id=4 -> no: unknown_line 2048
        ",
        lines(all + 1),
        lines(all - 1),
        lines(all - 2),
        all - 2,
    ));
}

#[test]
fn an_order_comes_to_have_128_lines_of_kits_and_no_more() {
    let mut script = Script::new(Rig::new(room_for(10)));
    let kits = |count: usize| "gift*1@0 ".repeat(count);
    script.run("receive mug 999\n kit gift mug*1\n place o1 gift*1@0 mug*1@0 -> #1 confirmed");
    script.run(&format!(
        "
        edit     o1 add {} remove 0*1 id=2 -> no: out_of_bounds KitLines
        edit     o1 add {} id=2 -> confirmed moved={}
        edit     o1 add gift*1@0 remove 0*1 id=3 -> no: out_of_bounds KitLines
        edit     o1 add mug*1@0 remove 0*1 id=3 -> confirmed moved=2
        ",
        kits(KIT_LINES_MAX),
        kits(KIT_LINES_MAX - 1),
        KIT_LINES_MAX - 1,
    ));
}

#[test]
fn edits_are_remembered_as_often_as_changes_are() {
    let mut script = Script::new(Rig::new(room_for(10)));
    script.run("receive mug 9\n place o1 mug*1@0 -> #1 confirmed");
    for id in 0..CHANGES_MAX {
        assert_eq!(script.try_line(&format!("edit o1 zone 7 id={id}")), "confirmed moved=0");
    }
    script.run(
        "
        edit     o1 zone 8 id=999                -> no: too_many_changes
        edit     o1 zone 7 id=0                  -> confirmed moved=0 again
        edit     o1 zone 8 id=0                  -> no: conflict
    ",
    );
}

#[test]
fn the_total_is_that_of_all_lines_units_cancelled_included() {
    let price = 1_000_000_000_000_u64;
    check(&format!(
        "
        policy   mug oversell=16
        place    o1 mug*9@{price} cod            -> #1 confirmed owed n=9
        edit     o1 add mug*9223372@{price} id=2 -> no: out_of_bounds Total
        edit     o1 remove 0*9 add mug*9223364@{price} id=2 -> no: out_of_bounds Total
        edit     o1 remove 0*9 add mug*9223364@{price} price 0=0 id=2 -> no: sold_out mug asked=9223355 available=7
    "
    ));
}
