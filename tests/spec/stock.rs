//! Stock: goods come in, are corrected, and are never made up.

use stockade::base::{RequestId, SiteId, SkuId};
use stockade::engine::choices::AdjustReason;
use stockade::engine::{Answer, Capacity, Command};

use crate::rig::{MARKET, Rig, START, room_for};
use crate::script::{Script, check, check_within};

#[test]
fn received_goods_are_available_where_they_lie() {
    check(
        "
        site     north rank=1
        receive  mug 5               -> available=5
        receive  mug 3 at=north      -> available=3
        receive  mug 1               -> available=6
        stock    mug                 -> available=9
        stock    mug at=north        -> available=3
    ",
    );
}

/// A SKU at a site takes memory from when something is said of it there, and for ever.
#[test]
fn places_are_counted_and_past_their_number_nothing_comes_to_lie_at_another() {
    check_within(
        Capacity { places_max: 3, ..Capacity::default() },
        "
        site     north rank=1
        receive  mug 5
        receive  mug 5 at=north      -> available=5
        receive  cup 5               -> available=5
        receive  cup 1 at=north      -> no: at_capacity
        adjust   cup 1 at=north      -> no: at_capacity
        move     cup 1 from=main:available to=north:available -> no: at_capacity
        count    cup 0 expected=0 at=north -> no: at_capacity
        receive  tea 1               -> no: at_capacity
        adjust   mug -5 at=north     -> available=0
        receive  cup 1 at=north      -> no: at_capacity
        receive  mug 1 at=north      -> available=1
        place    o1 cup*2 cod
        ship     o1
        return   o1 0*1 at=north id=7 -> no: at_capacity
        return   o1 0*1 id=8         -> completed moved=1
        stock    cup                 -> available=4 customer=1
    ",
    );
}

#[test]
fn a_kit_comes_back_to_as_many_places_as_it_has_components() {
    for (places_max, told) in [(3, "no: at_capacity"), (4, "completed moved=1")] {
        check_within(
            Capacity { places_max, ..Capacity::default() },
            &format!(
                "
                site     north rank=1
                receive  mug 5
                receive  cup 5
                kit      gift mug*2 cup*1
                place    o1 gift*1 cod
                ship     o1
                return   o1 0*1 at=north id=7 -> {told}
                "
            ),
        );
    }
}

#[test]
fn a_correction_goes_either_way_but_not_below_what_is_available() {
    check(
        "
        receive  mug 5
        place    o1 mug*3
        adjust   mug -3              -> no: not_available available=2
        adjust   mug -2              -> available=0
        adjust   mug 4               -> available=4
        stock    mug                 -> available=4 reserved=3 write_off=-2
    ",
    );
}

#[test]
fn a_correction_counts_units_whose_reservation_is_dead_but_not_swept() {
    let mut script = Script::new(Rig::new(room_for(10)));
    script.run("receive mug 2\n place o1 mug*2 hold=1s");
    script.rig.wait(1_000);
    let request = RequestId::new(START, MARKET, 9);
    let lost = Command::Adjust { request, sku: SkuId(1), site: SiteId(1), delta: -1, reason: AdjustReason::Lost };
    let outcome = script.rig.engine_alone(&lost).map(|told| told.answer);
    assert_eq!(outcome, Ok(Answer::Stock { available: 1, repeated: false }));
    script.rig.check_laws();
}

#[test]
fn units_elsewhere_do_not_cover_a_correction_here() {
    check(
        "
        site     north rank=1
        receive  mug 5 at=north
        adjust   mug -1              -> no: not_available available=0
        adjust   mug -5 at=north     -> available=0
    ",
    );
}

#[test]
fn quantities_of_stock_commands_have_bounds() {
    check(
        "
        sku      mug
        receive  mug 0                    -> no: out_of_bounds Quantity
        receive  mug 1000000000001        -> no: out_of_bounds Quantity
        receive  mug 18446744073709551615 -> no: out_of_bounds Quantity
        adjust   mug 0                    -> no: out_of_bounds Quantity
        adjust   mug 1000000000001        -> no: out_of_bounds Quantity
        adjust   mug -1000000000001       -> no: out_of_bounds Quantity
        adjust   mug -9223372036854775808 -> no: out_of_bounds Quantity
        adjust   mug 9223372036854775807  -> no: out_of_bounds Quantity
        receive  mug 1000000000000        -> available=1000000000000
        adjust   mug -1000000000000       -> available=0
    ",
    );
}

#[test]
fn a_site_holds_at_most_a_quadrillion_units_of_a_sku() {
    let thousand = "receive mug 1000000000000\n".repeat(1_000);
    check(&format!(
        "
        {thousand}
        receive  mug 1               -> no: out_of_bounds Stock
        adjust   mug 1               -> no: out_of_bounds Stock
        adjust   mug -1              -> available=999999999999999
        receive  mug 1               -> available=1000000000000000
        receive  cup 1               -> available=1
    "
    ));
}

#[test]
fn unknown_skus_and_sites_are_refused() {
    check(
        "
        sku      mug
        receive  #2 5                -> no: unknown_sku #2
        receive  #0 5                -> no: unknown_sku #0
        receive  #4294967295 5       -> no: unknown_sku #4294967295
        receive  mug 5 at=#2         -> no: unknown_site
        receive  mug 5 at=#0         -> no: unknown_site
        receive  mug 5 at=#65535     -> no: unknown_site
        receive  #2 5 at=#2          -> no: unknown_sku #2
        adjust   mug 5 at=#2         -> no: unknown_site
        stock    mug                 -> nothing
    ",
    );
}

#[test]
fn units_are_set_aside_looked_at_and_sold_or_not() {
    check(
        "
        site     north rank=1
        receive  mug 10
        move     mug 3 from=main:available to=main:quality_hold     -> available=7
        move     mug 1 from=main:quality_hold to=main:damaged       -> available=7
        move     mug 2 from=main:quality_hold to=main:available     -> available=9
        move     mug 4 from=main:available to=north:available       -> available=4
        move     mug 1 from=main:available to=north:quarantine      -> available=4
        place    o1 mug*9                                           -> no: sold_out mug asked=9 available=8
        place    o1 mug*8
        move     mug 1 from=north:quarantine to=north:available     -> available=1
        place    o2 mug*1
        move     mug 1 from=main:damaged to=main:write_off          -> available=0
        stock    mug                                                -> reserved=9 write_off=1
    ",
    );
}

#[test]
fn what_orders_hold_is_not_moved_and_nothing_is_moved_that_is_not_there() {
    check(
        "
        site     north rank=1
        receive  mug 5
        place    o1 mug*3
        move     mug 3 from=main:available to=north:available       -> no: not_available available=2
        move     mug 1 from=main:reserved to=main:available         -> no: unknown_movement
        move     mug 1 from=main:available to=main:committed        -> no: unknown_movement
        move     mug 1 from=main:available to=main:customer         -> no: unknown_movement
        move     mug 1 from=main:available to=main:available        -> no: unknown_movement
        move     mug 1 from=main:available to=north:write_off       -> no: unknown_movement
        move     mug 1 from=main:damaged to=main:available          -> no: not_available available=0
        move     mug 2 from=main:available to=main:supplier         -> available=0
        stock    mug                                                -> reserved=3
    ",
    );
}

#[test]
fn a_movement_is_carried_out_once() {
    check(
        "
        site     north rank=1
        receive  mug 5
        move     mug 2 from=main:available to=north:available id=7  -> available=2
        move     mug 2 from=main:available to=north:available id=7  -> available=2 again
        move     mug 2 from=north:available to=main:available id=7  -> no: conflict
        adjust   mug -2 id=7                                        -> no: conflict
        stock    mug at=north                                       -> available=2
    ",
    );
}

#[test]
fn a_count_is_of_everything_that_lies_there_and_of_nothing_that_happened_since() {
    check(
        "
        receive  mug 10
        place    o1 mug*4
        confirm  o1
        move     mug 1 from=main:available to=main:damaged          -> available=5
        count    mug 9 expected=9                                   -> no: not_as_expected on_hand=10
        count    mug 8 expected=10 id=7                             -> available=3
        stock    mug                                                -> available=3 committed=4 write_off=2 damaged=1
        ship     o1 0*4
        count    mug 5 expected=8                                   -> no: not_as_expected on_hand=4
        count    mug 5 expected=4                                   -> available=4
        count    mug 0 expected=5                                   -> no: not_available available=4
        count    mug 8 expected=10 id=7                             -> available=3 again
        count    mug 5 expected=5                                   -> available=4
    ",
    );
}
