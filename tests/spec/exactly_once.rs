//! Exactly once: the same identifier with the same content is answered again, with other content it is a conflict.

use crate::rig::{Rig, room_for};
use crate::script::{Script, check, check_within};

#[test]
fn fifty_identical_placements_are_one_order_and_fifty_equal_answers() {
    let again = "place o1 mug*2 -> #1 pending_payment again\n".repeat(49);
    check(&format!(
        "receive mug 5\n place o1 mug*2 -> #1 pending_payment\n {again} stock mug -> available=3 reserved=2"
    ));
}

#[test]
fn a_repeated_placement_tells_the_first_answer_and_the_present_state() {
    check(
        "
        receive  mug 5
        place    o1 mug*2 hold=5s    -> #1 pending_payment
        wait     1s
        place    o1 mug*2 hold=5s    -> #1 pending_payment again
        confirm  o1                  -> confirmed moved=2
        place    o1 mug*2 hold=5s    -> #1 confirmed again
        cancel   o1                  -> cancelled moved=2
        place    o1 mug*2 hold=5s    -> #1 cancelled again
        stock    mug                 -> available=5
    ",
    );
}

#[test]
fn a_placement_with_other_content_is_a_conflict() {
    check(
        "
        receive  mug 9
        receive  cup 9
        place    o1 mug*2 cup*1 hold=5s details=3   -> #1 pending_payment
        place    o1 mug*3 cup*1 hold=5s details=3   -> no: conflict
        place    o1 cup*1 mug*2 hold=5s details=3   -> no: conflict
        place    o1 mug*2 hold=5s details=3         -> no: conflict
        place    o1 mug*2@99 cup*1 hold=5s details=3   -> no: conflict
        place    o1 mug*2 cup*1 hold=6s details=3   -> no: conflict
        place    o1 mug*2 cup*1 hold=5s details=2   -> no: conflict
        place    o1 mug*2 cup*1 hold=5s note=xxx    -> #1 pending_payment again
        place    o1 mug*2 cup*1 hold=5s note=xxy    -> no: conflict
        place    o1 mug*2 cup*1 hold=5s details=3 cod   -> no: conflict
        place    o1 mug*2 cup*1 hold=5s details=3 exists   -> no: conflict
        place    o1 mug*2 cup*1 hold=5s details=3 channel=1   -> no: conflict
        place    o1 mug*2 cup*1 hold=5s details=3 customer=1   -> no: conflict
        place    o1 mug*2 #9*1 hold=5s details=3    -> no: conflict
        place    o1 mug*2 cup*1 hold=5s details=3   -> #1 pending_payment again
    ",
    );
}

#[test]
fn a_blocked_identifier_refuses_its_placement_for_ever() {
    check(
        "
        receive  mug 5
        block    o1                  -> blocked moved=0
        block    o1                  -> blocked moved=0 again
        cancel   o1                  -> blocked moved=0 again
        place    o1 mug*1            -> no: blocked
        place    o1 #9*1             -> no: blocked
        place    o1 mug*0            -> no: out_of_bounds Quantity
        confirm  o1                  -> no: unknown_order
        ship     o1                  -> no: unknown_order
        drop     o1 0*1              -> no: unknown_order
        return   o1 0*1              -> no: unknown_order
        stock    mug                 -> available=5
    ",
    );
}

#[test]
fn blocking_an_order_that_exists_cancels_it() {
    check(
        "
        receive  mug 5
        place    o1 mug*1
        block    o1                  -> cancelled moved=1
        place    o1 mug*1            -> #1 cancelled again
        place    o1 mug*2            -> no: conflict
    ",
    );
}

#[test]
fn a_blocked_identifier_needs_the_room_of_an_order() {
    check_within(
        room_for(2),
        "
        receive  mug 5
        place    o1 mug*1            -> #1 pending_payment
        block    o2                  -> blocked moved=0
        block    o3                  -> no: at_capacity
        block    o2                  -> blocked moved=0 again
        block    o1                  -> cancelled moved=1
        place    o2 mug*1            -> no: blocked
        place    o3 mug*1            -> no: at_capacity
    ",
    );
}

#[test]
fn a_change_is_made_once() {
    check(
        "
        receive  mug 9
        place    o1 mug*5
        drop     o1 0*1 id=1         -> pending_payment moved=1
        drop     o1 0*1 id=1         -> pending_payment moved=1 again
        drop     o1 0*2 id=1         -> no: conflict
        confirm  o1                  -> confirmed moved=4
        drop     o1 0*1 id=1         -> confirmed moved=1 again
        ship     o1 0*2 id=2         -> fulfilling moved=2
        ship     o1 0*2 id=2         -> fulfilling moved=2 again
        ship     o1 id=2             -> no: conflict
        return   o1 0*1 id=3         -> fulfilling moved=1
        return   o1 0*1 id=3         -> fulfilling moved=1 again
        return   o1 0*1 id=3 at=#2   -> no: conflict
        stock    mug                 -> available=6 committed=2 customer=1
    ",
    );
}

#[test]
fn a_change_is_known_by_its_kind_too() {
    check(
        "
        receive  mug 9
        place    o1 mug*5 cod
        ship     o1 0*1 id=1         -> fulfilling moved=1
        drop     o1 0*1 id=1         -> no: conflict
        return   o1 0*1 id=1         -> no: conflict
        confirm  o1 try=1            -> no: conflict
        place    o2 mug*4 hold=1s
        wait     1s                  -> o2 expired
        adjust   mug -4
        confirm  o2 try=7            -> not_taken_again mug
        drop     o2 0*1 id=7         -> no: conflict
        ship     o2 0*1 id=7         -> no: conflict
        return   o2 0*1 id=7         -> no: conflict
    ",
    );
}

#[test]
fn the_order_of_lines_is_part_of_a_change() {
    check(
        "
        receive  mug 9
        place    o1 mug*2 mug*2
        drop     o1 0*1 1*1 id=1     -> pending_payment moved=2
        drop     o1 1*1 0*1 id=1     -> no: conflict
        drop     o1 0*1 1*1 id=1     -> pending_payment moved=2 again
    ",
    );
}

#[test]
fn changes_of_one_order_are_not_known_to_another() {
    check(
        "
        receive  mug 9
        place    o1 mug*2
        place    o2 mug*2
        drop     o1 0*1 id=1         -> pending_payment moved=1
        drop     o2 0*2 id=1         -> cancelled moved=2
    ",
    );
}

#[test]
fn a_refused_change_is_not_remembered() {
    check(
        "
        receive  mug 9
        place    o1 mug*2
        drop     o1 0*3 id=1         -> no: not_enough_units line=0 units=2
        drop     o1 0*2 id=1         -> cancelled moved=2
    ",
    );
}

#[test]
fn an_order_remembers_256_changes_and_no_more() {
    let changes: String = (0..256).map(|id| format!("ship o1 0*1 id={id}\n")).collect();
    check(&format!(
        "
        receive  mug 300
        place    o1 mug*300 cod
        {changes}
        ship     o1 0*1 id=256       -> no: too_many_changes
        drop     o1 0*1 id=256       -> no: too_many_changes
        return   o1 0*1 id=256       -> no: too_many_changes
        ship     o1 0*1 id=255       -> fulfilling moved=1 again
        ship     o1 0*2 id=255       -> no: conflict
        confirm  o1 try=999          -> fulfilling moved=300 again
        cancel   o1                  -> completed moved=44
    "
    ));
}

#[test]
fn failed_attempts_count_as_changes_and_success_needs_no_room() {
    let attempts: String = (0..256).map(|id| format!("confirm o1 try={id} -> not_taken_again mug\n")).collect();
    check(&format!(
        "
        receive  mug 1
        place    o1 mug*1 hold=1s
        wait     1s                  -> o1 expired
        place    o2 mug*1
        {attempts}
        confirm  o1 try=256          -> no: too_many_changes
        confirm  o1 try=0            -> not_taken_again mug again
        drop     o1 0*1 id=256       -> no: too_many_changes
        cancel   o2
        confirm  o1 try=256          -> confirmed moved=1
        cancel   o1                  -> cancelled moved=1
    "
    ));
}

#[test]
fn a_stock_request_is_applied_once() {
    check(
        "
        receive  mug 5 id=a          -> available=5
        receive  mug 2 id=b          -> available=7
        receive  mug 5 id=a          -> available=5 again
        receive  mug 6 id=a          -> no: conflict
        receive  cup 5 id=a          -> no: conflict
        adjust   mug 5 id=a          -> no: conflict
        adjust   mug -2 id=c         -> available=5
        adjust   mug -2 id=c         -> available=5 again
        adjust   mug -2 id=c lost    -> no: conflict
        adjust   mug 2 id=c          -> no: conflict
        stock    mug                 -> available=5 write_off=2
    ",
    );
}

#[test]
fn a_stock_request_older_than_a_day_is_refused() {
    check(
        "
        receive  mug 5 made=-24h          -> available=5
        receive  mug 5 made=-86400001ms   -> no: id_too_old
        adjust   mug 5 made=-25h          -> no: id_too_old
        receive  mug 5 made=+2s           -> available=10
        receive  mug 5 made=+2001ms       -> no: id_from_future
        receive  #9 5 made=+2001ms        -> no: id_from_future
    ",
    );
}

#[test]
fn a_stock_request_is_never_applied_twice_however_late_it_is_repeated() {
    let mut script = Script::new(Rig::new(room_for(10)));
    script.run("receive  mug 5 id=a  -> available=5");
    for _ in 0..60 {
        script.run("wait 1h\n receive mug 1 id=b");
        script.rig.wait(3_600_000);
        let said = script.try_line("receive  mug 5 id=a");
        assert!(said == "available=5 again" || said == "no: id_too_old", "{said}");
    }
}

#[test]
fn a_refused_stock_request_is_not_remembered() {
    check(
        "
        adjust   mug -5 id=a         -> no: not_available available=0
        receive  mug 9 id=b          -> available=9
        adjust   mug -5 id=a         -> available=4
    ",
    );
}

#[test]
fn the_same_request_number_in_another_market_is_another_request() {
    check(
        "
        receive  mug 5               -> available=5
        market   second
        receive  mug 7               -> available=7
        market   default
        stock    mug                 -> available=5
    ",
    );
}
