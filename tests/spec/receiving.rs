//! Goods of a return that came in: told in totals, set aside until somebody has looked, and nobody else's until then.

use stockade::engine::Capacity;

use crate::rig::{Rig, room_for};
use crate::script::{Script, check, check_within};

/// An order of six mugs, all handed over and delivered, and a return of five of them.
const ASKED: &str = "
    site     north rank=1
    receive  mug 6
    place    o1 mug*6 cod
    ship     o1
    deliver  o1 0*6 id=2
    request  o1 r1 0*5
";

fn asked() -> Script {
    let mut script = Script::new(Rig::new(room_for(20)));
    script.run(ASKED);
    script
}

#[test]
fn what_comes_in_is_set_aside_and_counts_as_returned() {
    asked().run(
        "
        arrive   o1 r1 0*2 at=north      -> completed received moved=2
        stock    mug at=north            -> quality_hold=2
        stock    mug at=main             -> customer=4
        for_sale mug                     -> for_sale=0
        order    o1                      -> completed mug shipped=6 returned=2 delivered=6
        returns  o1 -> r1 customer_return unspecified received until=2592000000 0*5 0@north=2
    ",
    );
}

#[test]
fn totals_may_be_told_twice_late_and_per_site() {
    asked().run(
        "
        arrive   o1 r1 0*2 at=north      -> completed received moved=2
        arrive   o1 r1 0*2 at=north      -> completed received moved=0 again
        arrive   o1 r1 0*1 at=north      -> completed received moved=0 again
        arrive   o1 r1 0*4               -> no: not_enough_units line=0 units=3
        arrive   o1 r1 0*1               -> completed received moved=1
        arrive   o1 r1 0*5 at=north      -> no: not_enough_units line=0 units=4
        arrive   o1 r1 0*4 at=north      -> completed received moved=2
        arrive   o1 r1 0*2               -> no: not_enough_units line=0 units=1
        arrive   o1 r1 0*1 at=#3         -> no: unknown_site
        arrive   o1 r1 0*1 at=#0         -> no: unknown_site
        arrive   o1 r1 1*1               -> no: unknown_line 1
        inspect  o1 r1 damaged 0*2 at=north -> completed received moved=2
        inspect  o1 r1 damaged 0*2 at=north -> completed received moved=0 again
        inspect  o1 r1 damaged 0*1 at=north -> completed received moved=0 again
        inspect  o1 r1 damaged 0*1       -> completed received moved=1
        inspect  o1 r1 damaged 0*1       -> completed received moved=0 again
        inspect  o1 r1 damaged 0*5 at=north -> no: not_enough_units line=0 units=4
        inspect  o1 r1 damaged 0*3 at=north -> completed received moved=1
        stock    mug at=north            -> quality_hold=1 damaged=3
        stock    mug at=main             -> customer=1 damaged=1
    ",
    );
}

#[test]
fn of_several_lines_those_that_are_news_come_in_and_a_refusal_leaves_them_all() {
    check(
        "
        receive  mug 5
        place    o1 mug*2 mug*2 cod
        ship     o1
        deliver  o1 0*2 1*2 id=2
        request  o1 r1 0*2 1*1
        arrive   o1 r1 0*1               -> completed received moved=1
        arrive   o1 r1 0*1 1*2           -> no: not_enough_units line=1 units=1
        arrive   o1 r1 0*2 1*2           -> no: not_enough_units line=1 units=1
        arrive   o1 r1 0*3 1*2           -> no: not_enough_units line=0 units=2
        returns  o1 -> r1 customer_return unspecified received until=2592000000 0*2 1*1 0@main=1
        arrive   o1 r1 1*1 0*1           -> completed received moved=1
        history  o1 after=4              -> return_received 0 n=1 | return_received 1 n=1
        inspect  o1 r1 restock 0*1 1*2   -> no: not_enough_units line=1 units=1
        inspect  o1 r1 restock 0*1       -> completed received moved=1
        inspect  o1 r1 restock 0*1 1*1   -> completed received moved=1
        arrive   o1 r1 0*2 1*1           -> completed received moved=1
        inspect  o1 r1 restock 0*2       -> completed inspected moved=1
        stock    mug                     -> available=4 customer=1
    ",
    );
}

#[test]
fn goods_come_in_before_anybody_agreed_and_after_they_were_lost() {
    let mut script = asked();
    script.run(
        "
        arrive   o1 r1 0*1               -> completed received moved=1
        tell     o1 r1 approved          -> completed received moved=0 again
        tell     o1 r1 declined          -> no: illegal_return received
        tell     o1 r1 cancelled         -> no: illegal_return received
        tell     o1 r1 in_transit        -> completed received moved=0 again
        tell     o1 r1 lost              -> completed received moved=0 again
        tell     o1 r1 expired           -> completed received moved=0 again
    ",
    );
    asked().run(
        "
        tell     o1 r1 in_transit        -> completed in_transit moved=0
        tell     o1 r1 lost              -> completed lost moved=0
        arrive   o1 r1 0*5               -> completed received moved=5
        inspect  o1 r1 restock 0*5       -> completed inspected moved=5
    ",
    );
}

#[test]
fn nothing_new_comes_in_with_a_return_that_is_over_and_what_is_known_is_no_news() {
    for (end, stage) in [("tell o1 r1 declined", "declined"), ("tell o1 r1 cancelled", "cancelled")] {
        let mut script = asked();
        script.try_line(end);
        assert_eq!(script.try_line("arrive o1 r1 0*1"), format!("no: illegal_return {stage}"));
        assert_eq!(script.try_line("arrive o1 r1 0*9"), format!("no: illegal_return {stage}"));
        assert_eq!(script.try_line("inspect o1 r1 restock 0*1"), "no: not_enough_units line=0 units=0");
        script.run("request o1 r2 0*5 kind=wrong_item\n arrive o1 r2 0*5 -> completed received moved=5");
    }
    asked().run(
        "
        arrive   o1 r1 0*2               -> completed received moved=2
        inspect  o1 r1 restock 0*1       -> completed received moved=1
        tell     o1 r1 closed            -> no: illegal_return received
        inspect  o1 r1 quality_hold 0*1  -> completed received moved=1
        tell     o1 r1 closed            -> completed closed moved=0
        tell     o1 r1 closed            -> completed closed moved=0 again
        arrive   o1 r1 0*2               -> completed closed moved=0 again
        arrive   o1 r1 0*3               -> no: illegal_return closed
        inspect  o1 r1 restock 0*1       -> completed closed moved=0 again
        inspect  o1 r1 restock 0*2       -> no: not_enough_units line=0 units=1
        tell     o1 r1 approved          -> completed closed moved=0 again
        request  o1 r2 0*5               -> no: not_enough_units line=0 units=4
        request  o1 r2 0*4               -> completed requested moved=4
    ",
    );
    asked().run(
        "
        tell     o1 r1 expired           -> completed expired moved=0
        arrive   o1 r1 0*1               -> no: illegal_return expired
    ",
    );
}

#[test]
fn every_unit_becomes_one_thing_once() {
    asked().run(
        "
        request  o1 r2 0*1
        arrive   o1 r2 0*1               -> completed received moved=1
        arrive   o1 r1 0*5               -> completed received moved=5
        inspect  o1 r1 restock 0*1       -> completed received moved=1
        inspect  o1 r1 quality_hold 0*1  -> completed received moved=1
        inspect  o1 r1 damaged 0*1       -> completed received moved=1
        inspect  o1 r1 dispose 0*1       -> completed received moved=1
        stock    mug                     -> available=1 write_off=1 quality_hold=3 damaged=1
        inspect  o1 r1 back_to_supplier 0*2 -> no: not_enough_units line=0 units=1
        inspect  o1 r1 restock 0*3       -> no: not_enough_units line=0 units=2
        inspect  o1 r1 back_to_supplier 0*1 -> completed inspected moved=1
        stock    mug                     -> available=1 write_off=1 quality_hold=2 damaged=1
        inspect  o1 r1 restock 0*2       -> no: not_enough_units line=0 units=1
        inspect  o1 r1 back_to_customer 0*1 -> no: not_enough_units line=0 units=0
        inspect  o1 r1 restock 0*1       -> completed inspected moved=0 again
        inspect  o1 r1 restock 0*1 at=north -> no: not_enough_units line=0 units=0
        inspect  o1 r2 back_to_customer 0*1 -> completed inspected moved=1
        stock    mug                     -> available=1 customer=1 write_off=1 quality_hold=1 damaged=1
        returns  o1 -> r1 customer_return unspecified inspected 0*5 \
                       0@main=5,restock=1,quality_hold=1,damaged=1,dispose=1,back_to_supplier=1 \
                       | r2 customer_return unspecified inspected 0*1 0@main=1,back_to_customer=1
        order    o1                      -> completed mug shipped=6 returned=5 delivered=6
    ",
    );
}

#[test]
fn a_return_is_inspected_when_all_of_it_came_in_and_was_looked_at() {
    asked().run(
        "
        arrive   o1 r1 0*2
        inspect  o1 r1 restock 0*2       -> completed received moved=2
        arrive   o1 r1 0*3 at=north      -> completed received moved=3
        inspect  o1 r1 restock 0*3 at=north -> completed inspected moved=3
        tell     o1 r1 closed            -> completed closed moved=0
    ",
    );
    asked().run(
        "
        arrive   o1 r1 0*5
        inspect  o1 r1 restock 0*2       -> completed received moved=2
        inspect  o1 r1 damaged 0*3       -> completed inspected moved=3
        arrive   o1 r1 0*5               -> completed inspected moved=0 again
        arrive   o1 r1 0*1 at=north      -> no: not_enough_units line=0 units=0
        tell     o1 r1 lost              -> completed inspected moved=0 again
        tell     o1 r1 declined          -> no: illegal_return inspected
    ",
    );
}

#[test]
fn what_is_restocked_goes_to_who_waits_first_and_the_rest_is_for_sale() {
    asked().run(
        "
        policy   mug oversell=9
        place    o2 mug*1 cod            -> #2 confirmed owed n=1
        place    o3 mug*2 cod            -> #3 confirmed owed n=2
        arrive   o1 r1 0*5
        order    o2                      -> confirmed mug owed=1
        inspect  o1 r1 damaged 0*1
        order    o2                      -> confirmed mug owed=1
        inspect  o1 r1 restock 0*2
        order    o2                      -> confirmed mug committed=1
        order    o3                      -> confirmed mug owed=1 committed=1
        inspect  o1 r1 restock 0*4       -> completed inspected moved=2
        order    o3                      -> confirmed mug committed=2
        stock    mug                     -> available=1 committed=3 customer=1 damaged=1
    ",
    );
}

#[test]
fn what_is_restocked_makes_good_what_its_site_is_short_of() {
    asked().run(
        "
        receive  mug 2
        place    o2 mug*2 cod
        event    told
        unfilled
        arrive   o1 r1 0*3
        count    mug 0 as_of=told        -> available=0
        inspect  o1 r1 restock 0*1
        inspect  o1 r1 restock 0*3
        put_back                         -> nobody
        order    o2                      -> confirmed mug committed=2
        stock    mug                     -> available=1 committed=2 customer=3 write_off=2
    ",
    );
}

/// What lies with a return belongs to it until somebody says what it is.
#[test]
fn what_lies_with_a_return_cannot_be_moved_out() {
    asked().run(
        "
        receive  mug 1
        move     mug 1 from=main:available to=main:quality_hold
        arrive   o1 r1 0*2
        arrive   o1 r1 0*1 at=north
        stock    mug                     -> customer=3 quality_hold=4
        move     mug 2 from=main:quality_hold to=main:available -> no: not_available available=1
        move     mug 1 from=north:quality_hold to=main:available -> no: not_available available=0
        move     mug 2 from=main:quality_hold to=main:write_off -> no: not_available available=1
        move     mug 1 from=main:quality_hold to=main:damaged
        move     mug 1 from=main:quality_hold to=main:damaged -> no: not_available available=0
        adjust   mug -1                  -> no: not_available available=0
        inspect  o1 r1 quality_hold 0*1
        move     mug 2 from=main:quality_hold to=main:damaged -> no: not_available available=1
        move     mug 1 from=main:quality_hold to=main:available
        inspect  o1 r1 restock 0*1       -> completed received moved=1
        stock    mug                     -> available=2 customer=3 quality_hold=1 damaged=1
    ",
    );
}

/// What a count misses beyond everything else is as if it had left since; the next count says so again.
#[test]
fn what_lies_with_a_return_is_not_counted_away() {
    asked().run(
        "
        receive  mug 3
        move     mug 1 from=main:available to=main:damaged
        move     mug 1 from=main:available to=main:quality_hold
        arrive   o1 r1 0*2
        event    told
        stock    mug                     -> available=1 customer=4 quality_hold=3 damaged=1
        count    mug 0 as_of=told        -> available=0
        stock    mug                     -> customer=4 write_off=3 quality_hold=2
        event    then
        count    mug 1 as_of=then        -> available=0
        stock    mug                     -> customer=4 write_off=3 quality_hold=2
        count    mug 2 expected=2        -> available=0
        count    mug 1 expected=2        -> no: not_available available=0
        inspect  o1 r1 restock 0*2       -> completed received moved=2
        stock    mug                     -> available=2 customer=4 write_off=3
        event    last
        count    mug 1 as_of=last        -> available=1
        stock    mug                     -> available=1 customer=4 write_off=4
    ",
    );
}

#[test]
fn a_count_reckons_what_came_in_with_a_return_since_and_what_left_again() {
    let after = |then: &str| {
        let mut script = asked();
        script.run("receive mug 4\n event told");
        script.try_line("arrive o1 r1 0*3");
        script.try_line(then);
        script.try_line("count mug 3 as_of=told");
        script.try_line("stock mug")
    };
    assert_eq!(after("cancel o9"), "available=3 customer=3 write_off=1 quality_hold=3");
    assert_eq!(after("inspect o1 r1 restock 0*1"), "available=4 customer=3 write_off=1 quality_hold=2");
    assert_eq!(after("inspect o1 r1 dispose 0*1"), "available=3 customer=3 write_off=2 quality_hold=2");
    assert_eq!(after("inspect o1 r1 back_to_customer 0*1"), "available=3 customer=4 write_off=1 quality_hold=2");
}

#[test]
fn what_comes_in_where_nothing_ever_lay_needs_a_place() {
    check_within(
        Capacity { places_max: 1, ..Capacity::default() },
        "
        site     north
        receive  mug 2
        place    o1 mug*2 cod
        ship     o1
        deliver  o1 0*2 id=2
        request  o1 r1 0*2
        arrive   o1 r1 0*1 at=north      -> no: at_capacity
        arrive   o1 r1 0*1               -> completed received moved=1
        returns  o1 -> r1 customer_return unspecified received until=2592000000 0*2 0@main=1
    ",
    );
}

#[test]
fn a_kit_comes_back_whole() {
    check(
        "
        receive  mug 4
        receive  tea 2
        kit      gift mug*2 tea*1
        place    o1 gift*2 cod
        ship     o1
        deliver  o1 0*2 id=2
        request  o1 r1 0*2
        arrive   o1 r1 0*1
        stock    mug                     -> customer=2 quality_hold=2
        stock    tea                     -> customer=1 quality_hold=1
        move     tea 1 from=main:quality_hold to=main:available -> no: not_available available=0
        arrive   o1 r1 0*2
        inspect  o1 r1 restock 0*1
        inspect  o1 r1 damaged 0*1       -> completed inspected moved=1
        stock    mug                     -> available=2 damaged=2
        stock    tea                     -> available=1 damaged=1
        for_sale gift                    -> for_sale=1
    ",
    );
}

#[test]
fn units_come_from_the_site_that_handed_them_over_first() {
    check(
        "
        site     north rank=1
        receive  mug 2
        receive  mug 2 at=north
        place    o1 mug*4 cod
        ship     o1
        deliver  o1 0*4 id=2
        stock    mug at=main             -> customer=2
        request  o1 r1 0*4
        arrive   o1 r1 0*3 at=north
        stock    mug at=main             -> nothing
        stock    mug at=north            -> customer=1 quality_hold=3
        arrive   o1 r1 0*4 at=north
        stock    mug at=north            -> quality_hold=4
    ",
    );
}

#[test]
fn a_history_tells_what_came_of_a_return() {
    asked().run(
        "
        tell     o1 r1 approved
        tell     o1 r1 label_sent
        tell     o1 r1 in_transit
        arrive   o1 r1 0*4
        inspect  o1 r1 restock 0*1
        inspect  o1 r1 quality_hold 0*1
        inspect  o1 r1 damaged 0*1
        inspect  o1 r1 back_to_customer 0*1
        tell     o1 r1 closed
        request  o1 r2 0*1
        tell     o1 r2 cancelled
        request  o1 r3 0*1
        tell     o1 r3 declined
        history  o1 after=2 -> delivered 0 n=6 | return_requested 0 n=5 | return_approved nth=1 \
                             | return_label_sent nth=1 | return_in_transit nth=1 | return_received 0 n=4 \
                             | restocked 0 n=1 | left_set_aside 0 n=1 | found_damaged 0 n=1 | sent_to_customer 0 n=1 \
                             | return_closed nth=1 | return_requested 0 n=1 | return_cancelled nth=2 \
                             | return_requested 0 n=1 | return_declined nth=3
    ",
    );
}
