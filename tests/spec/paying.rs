//! Paying: success before the deadline wins; after it, all units are taken again or none.

use crate::rig::{Rig, room_for};
use crate::script::{Script, check};

#[test]
fn payment_before_the_deadline_commits_the_units() {
    check(
        "
        receive  mug 5
        place    o1 mug*2 mug*1 hold=60s   -> #1 pending_payment
        wait     59999ms                   -> nothing expired
        confirm  o1                        -> confirmed moved=3
        stock    mug                       -> available=2 committed=3
        wait     24h                       -> nothing expired
    ",
    );
}

#[test]
fn confirming_again_answers_with_what_is_confirmed() {
    check(
        "
        receive  mug 5
        place    o1 mug*3
        confirm  o1 try=1            -> confirmed moved=3
        confirm  o1 try=1            -> confirmed moved=3 again
        confirm  o1 try=2            -> confirmed moved=3 again
        ship     o1 0*1 id=5         -> fulfilling moved=1
        confirm  o1 try=1            -> fulfilling moved=3 again
        ship     o1 id=6             -> completed moved=2
        confirm  o1 try=3            -> completed moved=3 again
    ",
    );
}

#[test]
fn payment_at_the_deadline_is_late() {
    check(
        "
        receive  mug 1
        place    o1 mug*1 hold=1s
        wait     1s                  -> o1 expired
        place    o2 mug*1            -> #2 pending_payment
        confirm  o1                  -> not_taken_again mug
    ",
    );
}

#[test]
fn late_payment_takes_the_units_again_when_they_are_still_there() {
    check(
        "
        receive  mug 5
        place    o1 mug*3 hold=60s
        wait     60s                 -> o1 expired
        stock    mug                 -> available=5
        confirm  o1                  -> confirmed moved=3
        stock    mug                 -> available=2 committed=3
        order    o1                  -> confirmed mug committed=3
        confirm  o1                  -> confirmed moved=3 again
    ",
    );
}

#[test]
fn late_payment_that_finds_too_little_takes_nothing() {
    check(
        "
        receive  mug 3
        receive  cup 3
        place    o1 cup*2 mug*2 hold=1s
        wait     1s                  -> o1 expired
        place    o2 mug*2            -> #2 pending_payment
        confirm  o1 try=7            -> not_taken_again mug
        stock    cup                 -> available=3
        stock    mug                 -> available=1 reserved=2
        order    o1                  -> expired cup lapsed=2 | mug lapsed=2
    ",
    );
}

#[test]
fn a_failed_attempt_answers_the_same_for_ever_and_another_one_tries_again() {
    check(
        "
        receive  mug 1
        place    o1 mug*1 hold=1s
        wait     1s                  -> o1 expired
        place    o2 mug*1
        confirm  o1 try=1            -> not_taken_again mug
        confirm  o1 try=1            -> not_taken_again mug again
        cancel   o2                  -> cancelled moved=1
        confirm  o1 try=1            -> not_taken_again mug again
        confirm  o1 try=2            -> confirmed moved=1
        confirm  o1 try=1            -> not_taken_again mug again
        confirm  o1 try=2            -> confirmed moved=1 again
    ",
    );
}

#[test]
fn late_payment_sums_lines_that_name_the_same_sku() {
    check(
        "
        receive  mug 4
        place    o1 mug*2 mug*2 hold=1s
        wait     1s                  -> o1 expired
        place    o2 mug*1
        confirm  o1 try=1            -> not_taken_again mug
        stock    mug                 -> available=3 reserved=1
        receive  mug 1
        confirm  o1 try=2            -> confirmed moved=4
        stock    mug                 -> reserved=1 committed=4
    ",
    );
}

#[test]
fn late_payment_may_find_the_units_at_other_sites() {
    check(
        "
        site     north rank=1
        receive  mug 2
        place    o1 mug*2 hold=1s
        draws    o1                  -> 0@main reserved=2
        wait     1s                  -> o1 expired
        place    o2 mug*1
        receive  mug 3 at=north
        confirm  o1                  -> confirmed moved=2
        draws    o1                  -> 0@main committed=1 | 0@north committed=1
        stock    mug at=north        -> available=2 committed=1
        cancel   o1                  -> cancelled moved=2
        stock    mug at=main         -> available=1 reserved=1
        stock    mug at=north        -> available=3
    ",
    );
}

#[test]
fn a_site_that_a_line_drew_on_before_keeps_its_place_when_units_are_taken_again() {
    check(
        "
        site     old rank=5
        receive  mug 2 at=old
        place    o1 mug*2 hold=1s
        drop     o1 0*1              -> pending_payment moved=1
        drop     o1 0*1 id=9         -> cancelled moved=1
        place    o2 mug*2 hold=1s
        wait     1s                  -> o2 expired
        place    o3 mug*1
        site     new rank=1
        receive  mug 1 at=new
        confirm  o2                  -> confirmed moved=2
        draws    o2                  -> 0@old committed=1 | 0@new committed=1
        ship     o2 0*1 id=2         -> fulfilling moved=1
        draws    o2                  -> 0@old shipped=1 | 0@new committed=1
        drop     o2 0*1 id=3         -> completed moved=1
        stock    mug at=new          -> available=1
    ",
    );
}

#[test]
fn late_payment_takes_only_what_was_not_cancelled_meanwhile() {
    check(
        "
        receive  mug 3
        place    o1 mug*2 mug*1 hold=1s
        wait     1s                  -> o1 expired
        drop     o1 0*1 id=3         -> expired moved=1
        stock    mug                 -> available=3
        place    o2 mug*1
        confirm  o1                  -> confirmed moved=2
        order    o1                  -> confirmed mug committed=1 cancelled=1 | mug committed=1
    ",
    );
}

#[test]
fn an_order_of_which_everything_lapsed_was_cancelled_cannot_be_paid() {
    check(
        "
        receive  mug 3
        place    o1 mug*2 hold=1s
        wait     1s                  -> o1 expired
        drop     o1 0*2 id=3         -> cancelled moved=2
        confirm  o1                  -> no: illegal cancelled
        stock    mug                 -> available=3
    ",
    );
}

#[test]
fn payment_of_a_cancelled_order_is_refused() {
    check(
        "
        receive  mug 3
        place    o1 mug*2
        cancel   o1                  -> cancelled moved=2
        confirm  o1                  -> no: illegal cancelled
    ",
    );
}

#[test]
fn my_own_reservation_does_not_stand_in_my_way() {
    check(
        "
        receive  mug 2
        place    o1 mug*2 hold=1s
        place    o1 mug*2 hold=1s    -> #1 pending_payment again
        wait     1s                  -> o1 expired
        confirm  o1                  -> confirmed moved=2
        stock    mug                 -> committed=2
    ",
    );
}

#[test]
fn a_reservation_is_dead_at_its_deadline_even_before_the_sweep() {
    check(
        "
        receive  mug 2
        receive  cup 1
        place    o1 mug*2 hold=1s
        late
        wait     1s
        confirm  o1                  -> confirmed moved=2
        order    o1                  -> confirmed mug committed=2
        stock    mug                 -> committed=2
    ",
    );
    check(
        "
        receive  mug 2
        place    o1 mug*2 hold=1s
        late
        wait     1s
        cancel   o1                  -> cancelled moved=2
        stock    mug                 -> available=2
    ",
    );
    check(
        "
        receive  mug 2
        place    o1 mug*2 hold=1s
        late
        wait     1s
        drop     o1 0*1              -> expired moved=1
        wait     1s
        confirm  o1 try=5            -> confirmed moved=1
        stock    mug                 -> available=1 committed=1
    ",
    );
}

#[test]
fn an_order_whose_deadline_came_before_the_sweep_may_find_a_better_site() {
    check(
        "
        site     old rank=5
        receive  mug 2 at=old
        place    o1 mug*2 hold=1s
        site     new rank=1
        receive  mug 1 at=new
        late
        wait     1s
        confirm  o1                  -> confirmed moved=2
        draws    o1                  -> 0@old committed=1 | 0@new committed=1
    ",
    );
}

#[test]
fn every_order_of_paying_expiring_cancelling_and_reselling_keeps_the_units() {
    let steps = ["confirm  o1 try=1", "wait     1s", "cancel   o1", "place    o2 mug*2", "confirm  o1 try=2"];
    for order in permutations(&steps) {
        let mut script = Script::new(Rig::new(room_for(100)));
        script.run("receive  mug 2\n place o1 mug*2 hold=1s");
        for step in order {
            script.try_line(step);
        }
    }
}

pub(crate) fn permutations<'s>(steps: &[&'s str]) -> Vec<Vec<&'s str>> {
    if steps.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (at, &first) in steps.iter().enumerate() {
        let rest = [&steps[..at], &steps[at + 1..]].concat();
        for mut tail in permutations(&rest) {
            tail.insert(0, first);
            all.push(tail);
        }
    }
    all
}

#[test]
fn a_reservation_that_is_extended_ends_at_its_new_deadline_and_not_before() {
    check(
        "
        receive  mug 1
        place    o1 mug*1 hold=10s
        wait     9s                  -> nothing expired
        extend   o1 20s              -> reserved for 20000 ms
        wait     1s                  -> nothing expired
        place    o2 mug*1            -> no: sold_out mug asked=1 available=0
        place    o1 mug*1 hold=10s   -> #1 pending_payment again
        wait     18999ms             -> nothing expired
        wait     1ms                 -> o1 expired
        place    o3 mug*1            -> #2 pending_payment
    ",
    );
}

#[test]
fn a_reservation_is_never_made_shorter_and_never_outlasts_the_longest_that_may_be_asked() {
    check(
        "
        receive  mug 1
        place    o1 mug*1 hold=60s
        extend   o1 10s              -> reserved for 60000 ms again
        extend   o1 60s              -> reserved for 60000 ms again
        extend   o1 90s              -> reserved for 90000 ms
        extend   o1 90s              -> reserved for 90000 ms again
        wait     60s                 -> nothing expired
        extend   o1 999h             -> reserved for 2678340000 ms
        wait     1h                  -> nothing expired
        extend   o1 999h             -> reserved for 2674740000 ms again
        confirm  o1                  -> confirmed moved=1
    ",
    );
}

#[test]
fn only_a_reservation_that_is_alive_is_extended() {
    check(
        "
        receive  mug 3
        extend   o1 60s              -> no: unknown_order
        place    o1 mug*1 hold=1s
        late
        wait     1s
        extend   o1 60s              -> no: illegal expired
        place    o2 mug*1 cod
        extend   o2 60s              -> no: illegal confirmed
        place    o3 mug*1
        cancel   o3
        extend   o3 60s              -> no: illegal cancelled
    ",
    );
}
