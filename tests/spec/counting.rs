//! Counting as of an event: what lay there when the counter had heard of so much, whatever has happened since; and what
//! becomes of orders whose units were not found.

use stockade::base::{RequestId, Sequence, SiteId, SkuId};
use stockade::engine::{Capacity, Command};

use crate::rig::{MARKET, Rig, room_for};
use crate::script::{Script, check, check_within};

/// Domain item 17: a count gives the right availability whether it comes before or after a shipment notice.
#[test]
fn a_count_says_the_same_before_and_after_the_notice_of_a_shipment() {
    let story = |lines: [&str; 2]| {
        let mut script = Script::new(Rig::new(room_for(10)));
        script.run("receive mug 10\n place o1 mug*3 cod\n event told");
        lines.iter().for_each(|line| _ = script.try_line(line));
        (script.try_line("stock mug"), script.try_line("order o1"))
    };
    let (count, notice) = ("count mug 9 as_of=told", "ship o1");
    let right = ("available=6 customer=3 write_off=1".to_owned(), "completed mug shipped=3".to_owned());
    assert_eq!(story([count, notice]), right);
    assert_eq!(story([notice, count]), right);
}

#[test]
fn every_movement_since_the_event_is_added_and_taken_away() {
    check(
        "
        site     north rank=5
        receive  mug 10
        event    told
        receive  mug 5
        adjust   mug -2
        move     mug 1 from=main:available to=north:available
        place    o1 mug*4 cod
        ship     o1 0*3 id=1
        return   o1 0*1 id=2 at=main
        move     mug 2 from=main:available to=main:damaged
        stock    mug at=main             -> available=7 committed=1 customer=2 write_off=2 damaged=2
        count    mug 8 as_of=told        -> available=5
        stock    mug at=main             -> available=5 committed=1 customer=2 write_off=4 damaged=2
        count    mug 11 as_of=told id=a  -> available=8
        count    mug 11 as_of=told id=a  -> available=8 again
        count    mug 12 as_of=told id=a  -> no: conflict
    ",
    );
}

#[test]
fn the_same_difference_is_not_corrected_twice() {
    check(
        "
        receive  mug 10
        event    first
        adjust   mug 1
        event    second
        count    mug 7 as_of=first       -> available=8
        count    mug 7 as_of=first id=b  -> available=8
        count    mug 8 as_of=second      -> available=8
        count    mug 9 as_of=first id=c  -> no: event_forgotten oldest=second
        count    mug 9 expected=8        -> available=9
        count    mug 3 as_of=second id=d -> no: event_forgotten oldest=#10
        stock    mug                     -> available=9 write_off=1
    ",
    );
}

#[test]
fn nobody_counts_as_of_an_event_that_is_to_come() {
    check(
        "
        receive  mug 10
        count    mug 9 as_of=next               -> no: event_from_future
        count    mug 9 as_of=#18446744073709551615 -> no: event_from_future
        count    mug 0 as_of=#0                 -> available=10
        event    now
        count    mug 9 as_of=now                -> available=9
        count    #7 9 as_of=now                 -> no: unknown_sku #7
        count    mug 9 as_of=now at=#9          -> no: unknown_site
        count    mug 1000000000000001 as_of=now -> no: out_of_bounds Quantity
        count    mug 1000000000000000 as_of=now id=z -> available=1000000000000000
    ",
    );
}

/// Named in the domain, item 22: lower than committed is not an error; the newest affected orders are named and their
/// units are owed again.
#[test]
fn units_that_orders_hold_and_nobody_found_are_owed_to_the_newest() {
    check(
        "
        receive  mug 10
        place    o1 mug*4 cod
        place    o2 mug*3
        place    o3 mug*2 cod
        event    told
        count    mug 5 as_of=told        -> available=0
        put_back                         -> o3 o2
        order    o1                      -> confirmed mug committed=4
        order    o2                      -> pending_payment mug owed=2 reserved=1
        order    o3                      -> confirmed mug owed=2
        stock    mug                     -> reserved=1 committed=4 write_off=5 owed=4
        for_sale mug                     -> for_sale=0
        receive  mug 3                   -> available=0
        order    o2                      -> pending_payment mug reserved=3
        order    o3                      -> confirmed mug owed=1 committed=1
        cancel   o1
        order    o3                      -> confirmed mug committed=2
        stock    mug                     -> available=3 reserved=3 committed=2 write_off=5
    ",
    );
}

#[test]
fn what_lies_at_another_site_goes_to_who_was_put_back_and_not_to_who_asks_next() {
    check(
        "
        site     north rank=5
        receive  mug 5
        place    o1 mug*5 cod
        receive  mug 3 at=north
        event    told
        count    mug 2 as_of=told        -> available=0
        put_back                         -> o1
        draws    o1                      -> 0@main committed=2 | 0@north committed=3
        for_sale mug                     -> for_sale=0
        stock    mug                     -> committed=5 write_off=3
    ",
    );
}

#[test]
fn what_comes_to_be_free_where_something_is_missing_makes_good_before_anybody_is_put_back() {
    for freed in [
        "cancel o2",
        "wait 60s",
        "drop o2 0*3",
        "adjust mug 3",
        "receive mug 3",
        "move mug 3 from=main:damaged to=main:available",
    ] {
        let mut script = Script::new(Rig::new(room_for(10)));
        script.run(
            "
            receive  mug 8
            move     mug 3 from=main:available to=main:damaged
            place    o1 mug*2 cod
            place    o2 mug*3 hold=60s
            event    told
            unfilled
            count    mug 5 as_of=told    -> available=0
        ",
        );
        script.try_line(freed);
        assert_eq!(script.try_line("put_back"), "nobody", "{freed}");
        assert_eq!(script.try_line("for_sale mug"), "for_sale=0", "{freed}");
        assert_eq!(script.try_line("order o1"), "confirmed mug committed=2", "{freed}");
    }
}

#[test]
fn units_that_leave_although_they_were_missed_were_there() {
    check(
        "
        receive  mug 5
        place    o1 mug*5 cod
        event    told
        unfilled
        count    mug 2 as_of=told        -> available=0
        ship     o1
        put_back                         -> nobody
        order    o1                      -> completed mug shipped=5
        stock    mug                     -> customer=5
        receive  mug 2                   -> available=2
    ",
    );
    check(
        "
        receive  mug 5
        place    o1 mug*5 cod
        event    told
        ship     o1 0*4 id=1
        count    mug 2 as_of=told        -> available=0
        put_back                         -> o1
        order    o1                      -> fulfilling mug owed=1 shipped=4
        stock    mug                     -> customer=4 write_off=1 owed=1
    ",
    );
}

#[test]
fn whoever_was_put_back_keeps_its_place_in_line() {
    check(
        "
        policy   mug oversell=9
        receive  mug 4
        place    o1 mug*2 cod
        place    o2 mug*2 cod
        place    o3 mug*2 cod           -> #3 confirmed owed n=2
        event    told
        count    mug 2 as_of=told        -> available=0
        put_back                         -> o2
        receive  mug 2                   -> available=0
        order    o2                      -> confirmed mug committed=2
        order    o3                      -> confirmed mug owed=2
    ",
    );
}

#[test]
fn what_is_missing_is_lost_of_what_is_for_sale_first_and_of_what_was_set_aside_last() {
    check(
        "
        receive  mug 10
        move     mug 3 from=main:available to=main:damaged
        place    o1 mug*4 cod
        event    told
        count    mug 8 as_of=told        -> available=1
        put_back                         -> nobody
        event    then
        count    mug 4 as_of=then        -> available=0
        put_back                         -> o1
        stock    mug                     -> committed=1 write_off=6 damaged=3 owed=3
        event    last
        count    mug 0 as_of=last        -> available=0
        stock    mug                     -> write_off=10 owed=4
    ",
    );
}

#[test]
fn a_kit_is_put_back_whole_and_given_whole() {
    check(
        "
        site     north rank=5
        receive  mug 4
        receive  tea 2
        kit      gift mug*2 tea*1
        place    o1 gift*2 cod
        event    told
        count    mug 3 as_of=told        -> available=0
        put_back                         -> o1
        order    o1                      -> confirmed gift owed=1 committed=1
        stock    mug                     -> available=1 committed=2 write_off=1
        stock    tea                     -> available=1 committed=1
        for_sale gift                    -> for_sale=0
        place    o2 gift*1               -> no: sold_out gift asked=1 available=0
        receive  mug 1 at=north
        order    o1                      -> confirmed gift owed=1 committed=1
        move     mug 1 from=north:available to=main:available
        order    o1                      -> confirmed gift committed=2
        stock    mug                     -> committed=4 write_off=1
        stock    tea                     -> committed=2
        receive  mug 2
        receive  tea 1
        for_sale gift                    -> for_sale=1
        place    o2 gift*1               -> #2 pending_payment
    ",
    );
}

#[test]
fn a_component_that_somebody_else_was_put_back_for_is_theirs_first() {
    check(
        "
        receive  mug 6
        receive  tea 1
        kit      gift mug*2 tea*1
        place    o1 mug*3 cod
        place    o2 gift*1 cod
        place    o3 mug*1 cod
        event    told
        count    mug 1 as_of=told        -> available=0
        put_back                         -> o3 o2 o1
        stock    mug                     -> committed=1 write_off=5 owed=3
        order    o2                      -> confirmed gift owed=1
        receive  mug 4                   -> available=0
        order    o1                      -> confirmed mug committed=3
        order    o3                      -> confirmed mug committed=1
        order    o2                      -> confirmed gift owed=1
        receive  mug 1                   -> available=2
        order    o2                      -> confirmed gift committed=1
    ",
    );
}

#[test]
fn a_warehouse_that_was_told_is_told_anew() {
    check(
        "
        effects  release
        receive  mug 3
        place    o1 mug*3 cod
        wanted   release                 -> o1 release 1 amount=300
        report   o1 release 1 done
        event    told
        count    mug 1 as_of=told        -> available=0
        put_back                         -> o1
        wanted   release                 -> o1 release 2 amount=100
        receive  mug 2
        wanted   release                 -> o1 release 3 amount=300
    ",
    );
}

#[test]
fn an_order_that_was_put_back_is_paid_expires_and_is_cancelled_like_any_other() {
    for (then, order) in [
        ("confirm o1", "confirmed mug owed=2"),
        ("cancel o1", "cancelled mug cancelled=2"),
        ("wait 60s", "expired mug lapsed=2"),
        ("drop o1 0*1 id=1", "pending_payment mug owed=1 cancelled=1"),
    ] {
        let mut script = Script::new(Rig::new(room_for(10)));
        script.run("receive mug 2\n place o1 mug*2 hold=60s\n event told\n count mug 0 as_of=told");
        script.try_line(then);
        assert_eq!(script.try_line("order o1"), order, "{then}");
        script.run("receive mug 9");
    }
}

/// A turn, and a shard, may have room for less than a shortage needs: the rest of it waits and is not forgotten.
#[test]
fn a_shortage_waits_for_room_and_goes_on() {
    check_within(
        Capacity { waiting_max: 2, ..room_for(20) },
        "
        receive  mug 6
        place    o1 mug*2 cod
        place    o2 mug*2 cod
        place    o3 mug*1 mug*1 cod
        event    told
        count    mug 0 as_of=told        -> available=0
        put_back                         -> o3 o2
        order    o1                      -> confirmed mug committed=2
        stock    mug                     -> committed=2 write_off=4 owed=4
        cancel   o2
        put_back                         -> o1
        order    o1                      -> confirmed mug owed=2
        stock    mug                     -> write_off=6 owed=4
    ",
    );
}

#[test]
fn a_shortage_goes_on_in_small_steps_through_images_and_restarts() {
    let mut script = Script::new(Rig::new(room_for(100)));
    script.run("receive mug 40\n sku cup\n unfilled");
    for number in 0..40 {
        script.try_line(&format!("place o{number} mug*1 cod"));
    }
    script.run("event told\n count mug 10 as_of=told -> available=0");
    let mut put_back = 0;
    for _ in 0..10 {
        script.rig.go_through_image();
        put_back += script.rig.put_back_some(4);
        script.rig.check_everything();
    }
    assert_eq!(put_back, 30);
    assert!(!script.rig.engine.has_put_backs(), "nothing is missing any more");
    script.run("order o9 -> confirmed mug committed=1\n order o10 -> confirmed mug owed=1");
}

#[test]
fn what_is_missing_in_one_place_does_not_hold_up_another() {
    let mut script = Script::new(Rig::new(room_for(100)));
    script.run("receive mug 9\n receive cup 9\n unfilled");
    for number in 0..9 {
        script.try_line(&format!("place m{number} mug*1 cod"));
        script.try_line(&format!("place c{number} cup*1 cod"));
    }
    script.run("event told\n count mug 0 as_of=told\n count cup 5 as_of=told");
    assert_eq!(script.rig.put_back_some(4), 4);
    script.run(
        "holders cup -> c0 committed=1 | c1 committed=1 | c2 committed=1 | c3 committed=1 | c4 committed=1 | \
                c5 committed=1 | c6 committed=1 | c7 owed=1 | c8 owed=1",
    );
}

#[test]
fn a_count_that_was_refused_wrote_nothing() {
    let mut script = Script::new(Rig::new(room_for(10)));
    script.run("receive mug 3");
    let before = script.rig.engine.digest();
    let request = RequestId::new(script.rig.now, MARKET, 99);
    let (sku, site) = (SkuId(1), SiteId(1));
    let count = Command::ReportCount { request, sku, site, as_of: Sequence(u64::MAX), counted: 0 };
    assert!(script.rig.submit(&count).is_err());
    assert_eq!(script.rig.engine.digest(), before);
}

#[test]
fn what_came_back_after_the_event_is_reckoned() {
    check(
        "
        receive  mug 5
        place    o1 mug*3 cod
        ship     o1
        event    told
        return   o1 0*2 id=2 at=main
        count    mug 2 as_of=told        -> available=4
    ",
    );
}

#[test]
fn an_order_for_which_there_was_half_the_room_is_put_back_further_before_any_older_one() {
    // All in one run: behind a run the state goes through an image, and whose turn it was is no part of the state.
    check_within(
        Capacity { waiting_max: 1, ..room_for(20) },
        "
        site     north rank=5
        receive  mug 4
        place    o1 mug*2 cod
        place    o2 mug*1 mug*1 cod
        event    told
        count    mug 0 as_of=told        -> available=0
        put_back                         -> o2
        order    o2                      -> confirmed mug committed=1 | mug owed=1
        receive  mug 1 at=north
        cancel   o9                      -> no: unknown_order
        put_back                         -> o2
        order    o1                      -> confirmed mug committed=2
    ",
    );
}

#[test]
fn a_kit_that_somebody_waits_for_is_sold_to_nobody_else() {
    check(
        "
        receive  mug 1
        receive  tea 1
        kit      gift mug*1 tea*1
        place    o1 gift*1 cod
        event    told
        count    mug 0 as_of=told        -> available=0
        put_back                         -> o1
        unfilled
        receive  mug 1                   -> available=1
        for_sale gift                    -> for_sale=0
        place    o2 gift*1               -> no: sold_out gift asked=1 available=0
        fill
        order    o1                      -> confirmed gift committed=1
    ",
    );
}
