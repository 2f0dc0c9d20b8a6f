//! Units of a return that the customer gets again: they may be returned again, and count against what he may buy.

use stockade::engine::Capacity;

use crate::rig::{Rig, room_for};
use crate::script::{Script, check, check_within};

#[test]
fn a_unit_is_with_the_customer_again_of_the_site_that_handed_over_first() {
    check(
        "
        site     north rank=1
        receive  mug 1
        receive  mug 2 at=north
        place    o1 mug*3 cod
        ship     o1
        deliver  o1 0*3 id=2
        request  o1 r1 0*3
        arrive   o1 r1 0*3
        inspect  o1 r1 back_to_customer 0*2 -> completed received moved=2
        stock    mug at=main             -> customer=1 quality_hold=1
        stock    mug at=north            -> customer=1
        inspect  o1 r1 back_to_customer 0*3 -> completed inspected moved=1
        draws    o1                      -> 0@main shipped=1 | 0@north shipped=2
        stock    mug at=north            -> customer=2
    ",
    );
}

#[test]
fn units_that_the_customer_gets_again_may_be_returned_again() {
    check(
        "
        site     north rank=1
        receive  mug 6
        place    o1 mug*6 cod
        ship     o1
        deliver  o1 0*6 id=2
        request  o1 r1 0*5
        arrive   o1 r1 0*5
        request  o1 r2 0*2               -> no: not_enough_units line=0 units=1
        inspect  o1 r1 back_to_customer 0*2 -> completed received moved=2
        order    o1                      -> completed mug shipped=6 returned=3 delivered=6
        stock    mug                     -> customer=3 quality_hold=3
        request  o1 r2 0*4               -> no: not_enough_units line=0 units=3
        request  o1 r2 0*3               -> completed requested moved=3
        arrive   o1 r2 0*3 at=north      -> completed received moved=3
        arrive   o1 r1 0*6               -> no: not_enough_units line=0 units=5
        stock    mug                     -> quality_hold=6
        inspect  o1 r2 back_to_customer 0*3 at=north -> completed inspected moved=3
        return   o1 0*3 id=9             -> completed moved=3
        return   o1 0*1 id=10            -> no: not_enough_units line=0 units=0
        deliver  o1 0*1 id=11            -> no: not_enough_units line=0 units=0
    ",
    );
}

#[test]
fn a_refused_parcel_that_is_sent_again_may_be_delivered_then() {
    check(
        "
        receive  mug 2
        place    o1 mug*2 cod
        ship     o1
        request  o1 r1 0*2 kind=refused
        arrive   o1 r1 0*2
        deliver  o1 0*1 id=2             -> no: not_enough_units line=0 units=0
        inspect  o1 r1 back_to_customer 0*2 -> completed inspected moved=2
        deliver  o1 0*2 id=2             -> completed moved=2
        request  o1 r2 0*2               -> completed requested moved=2
        arrive   o1 r2 0*1               -> completed received moved=1
    ",
    );
}

/// Named in the domain: what a customer gave back, he may buy again, if the policy says so.
#[test]
fn what_comes_in_may_be_bought_again_and_what_goes_back_to_the_customer_may_not() {
    let story = |policy: &str| {
        let mut script = Script::new(Rig::new(room_for(20)));
        script.run(&format!("receive mug 20\n policy mug {policy}\n place o1 mug*3 cod customer=7\n ship o1"));
        script.run("deliver o1 0*3 id=2\n request o1 r1 0*3");
        let left = |script: &mut Script| script.try_line("place o2 mug*9 cod customer=7");
        let mut told = vec![left(&mut script)];
        for line in ["arrive o1 r1 0*2", "inspect o1 r1 dispose 0*1", "inspect o1 r1 back_to_customer 0*1"] {
            script.try_line(line);
            told.push(left(&mut script));
        }
        told
    };
    let limit = |left: u32| format!("no: customer_limit mug max=3 left={left}");
    assert_eq!(story("customer=3 returns=give_back"), [limit(0), limit(2), limit(2), limit(1)]);
    assert_eq!(story("customer=3"), [limit(0), limit(0), limit(0), limit(0)]);
}

/// Where as many customers are counted as may be, nobody is counted anew: the units stay where they lie.
#[test]
fn what_goes_back_to_a_customer_needs_room_to_count_it() {
    check_within(
        Capacity { customers_max: 1, ..room_for(20) },
        "
        receive  mug 20
        policy   mug customer=3 returns=give_back
        place    o1 mug*1 cod customer=7
        ship     o1
        deliver  o1 0*1 id=2
        request  o1 r1 0*1
        place    o2 mug*1 cod customer=8 -> no: at_capacity
        arrive   o1 r1 0*1
        place    o2 mug*1 cod customer=8 -> #2 confirmed
        inspect  o1 r1 back_to_customer 0*1 -> no: at_capacity
        order    o1                      -> completed mug shipped=1 returned=1 delivered=1
        stock    mug                     -> available=18 committed=1 quality_hold=1
        cancel   o2
        inspect  o1 r1 back_to_customer 0*1 -> completed inspected moved=1
        place    o3 mug*1 cod customer=8 -> no: at_capacity
    ",
    );
}

#[test]
fn what_goes_back_to_a_customer_needs_the_room_of_one_count_however_many_lines_it_was() {
    check_within(
        Capacity { customers_max: 1, ..room_for(20) },
        "
        site     north rank=1
        receive  mug 3
        receive  mug 3 at=north
        policy   mug customer=6 returns=give_back
        place    o1 mug*4 mug*2 cod customer=7
        ship     o1
        deliver  o1 0*4 1*2 id=2
        request  o1 r1 0*4 1*2
        arrive   o1 r1 0*4 1*2
        inspect  o1 r1 back_to_customer 0*4 1*2 -> completed inspected moved=6
        place    o2 mug*1 cod customer=8 -> no: at_capacity
    ",
    );
}

/// Whoever bought before there was a rule is not counted by it, and needs no room.
#[test]
fn what_goes_back_to_a_customer_who_is_not_counted_needs_no_room() {
    check_within(
        Capacity { customers_max: 1, ..room_for(20) },
        "
        receive  mug 20
        place    o1 mug*1 cod customer=7
        ship     o1
        deliver  o1 0*1 id=2
        request  o1 r1 0*1
        arrive   o1 r1 0*1
        policy   mug customer=6 returns=give_back
        place    o2 mug*1 cod customer=8 -> #2 confirmed
        inspect  o1 r1 back_to_customer 0*1 -> completed inspected moved=1
        place    o3 mug*7 cod customer=7 -> no: customer_limit mug max=6 left=6
    ",
    );
}
