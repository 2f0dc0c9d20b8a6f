//! Checks: an order is held until somebody says that it is to be trusted, and cancelled when somebody says that it is
//! not.

use crate::script::check;

#[test]
fn silence_is_never_trust() {
    check(
        "
        receive  mug 5
        effects  release check             -> set
        place    o1 mug*2 cod              -> #1 in_review
        check    o1                        -> pending
        wanted   check                     -> o1 check 1 amount=200
        wait     48h                       -> nothing expired
        check    o1                        -> pending
        report   o1 check 1 tries_used_up  -> in_review moved=0
        check    o1                        -> in_review
        wanted   check                     -> nothing
        wanted   check aside               -> o1 check 1 amount=200 tries_used_up
        wait     48h                       -> nothing expired
        report   o1 check 1 refused        -> in_review moved=0 again
        report   o1 check 1 review         -> in_review moved=0 again
        wanted   check aside               -> o1 check 1 amount=200 tries_used_up
        report   o1 check 1 resumed        -> in_review moved=0
        report   o1 check 1 resumed        -> in_review moved=0 again
        check    o1                        -> pending
        wanted   check                     -> o1 check 1 amount=200
        report   o1 check 1 refused        -> in_review moved=0
        wanted   check aside               -> o1 check 1 amount=200 refused
        report   o1 check 1 resumed        -> in_review moved=0
        report   o1 check 1 review         -> in_review moved=0
        wanted   check aside               -> o1 check 1 amount=200 review
        wait     48h                       -> nothing expired
        order    o1                        -> in_review mug committed=2
        to_hand_over o1                    -> nothing
        wanted   release                   -> nothing
        report   o1 check 1 done           -> confirmed moved=0
        check    o1                        -> over
        wanted   check aside               -> nothing
        wanted   release                   -> o1 release 1 amount=200
        history  o1                        -> placed_confirmed 0 n=2 | check_in_review attempt=1 \
                                              | check_resumed attempt=1 | check_in_review attempt=1 \
                                              | check_resumed attempt=1 | check_in_review attempt=1 \
                                              | check_accepted attempt=1 | release_wanted attempt=1
    ",
    );
}

#[test]
fn only_a_verdict_or_the_end_of_its_order_ends_a_check() {
    for aside in ["", "report o1 check 1 review", "report o1 check 1 tries_used_up", "report o1 check 1 refused"] {
        let is_open = if aside.is_empty() { "pending" } else { "in_review" };
        for verdict in ["report o1 check 1 done", "report o1 check 1 rejected", "cancel o1"] {
            check(&format!(
                "
                policy   mug oversell=5
                receive  mug 3
                effects  payment release check     -> set
                place    o1 mug*4                  -> #1 pending_payment owed n=1
                {aside}
                start    o1 try=1 pays=wallet      -> pending_payment moved=0
                extend   o1 90s payment_start      -> reserved for 90000 ms
                hold     o1 desk:fraud             -> pending_payment moved=0
                told     o1 try=1 captured=400     -> in_review moved=4
                report   o1 payment 2 done
                lift     o1 desk:fraud             -> in_review moved=0
                confirm  o1                        -> in_review moved=4 again
                drop     o1 0*1 id=2               -> in_review moved=1
                receive  mug 1
                refund   o1 50 id=3
                effects                            -> set
                check    o1                        -> {is_open}
                ship     o1 0*1 id=4               -> fulfilling moved=1
                return   o1 0*1 id=5               -> fulfilling moved=1
                told     o1 try=1 disputed
                check    o1                        -> {is_open}
                {verdict}
                check    o1                        -> over
                wanted   check                     -> nothing
                wanted   check aside               -> nothing
            "
            ));
        }
    }
}

#[test]
fn who_is_trusted_and_paid_is_released_in_the_same_step() {
    check(
        "
        receive  mug 5
        effects  payment release check     -> set
        place    o1 mug*2                  -> #1 pending_payment
        wanted   payment                   -> o1 charge 1 amount=200
        wanted   check                     -> o1 check 1 amount=200
        told     o1 adapter authorised=200 -> in_review moved=2
        confirm  o1 try=1                  -> in_review moved=2 again
        wanted   payment                   -> nothing
        wanted   release                   -> nothing
        to_hand_over o1                    -> nothing
        report   o1 check 1 done           -> confirmed moved=0
        wanted   release                   -> o1 release 1 amount=200
        to_hand_over o1                    -> 0*2
        history  o1                        -> placed 0 n=2 | authorised amount=200 | charged n=2 \
                                              | check_accepted attempt=1 | release_wanted attempt=1
        place    o2 mug*1                  -> #2 pending_payment
        report   o2 check 1 done           -> pending_payment moved=0
        check    o2                        -> over
        wanted   release                   -> o1 release 1 amount=200
        told     o2 adapter authorised=100 -> confirmed moved=1
        wanted   release                   -> o1 release 1 amount=200 | o2 release 1 amount=100
    ",
    );
}

#[test]
fn an_order_whose_payment_failed_is_checked_like_any_other() {
    let failed = "failed=declined:other_method -> payment_failed moved=0";
    check(&format!(
        "
        receive  mug 5
        effects  release check             -> set
        place    o1 mug*1                  -> #1 pending_payment
        told     o1 try=1 {failed}
        check    o1                        -> pending
        report   o1 check 1 review         -> payment_failed moved=0
        report   o1 check 1 done           -> payment_failed moved=0
        wanted   release                   -> nothing
        told     o1 try=2 authorised=100   -> confirmed moved=1
        wanted   release                   -> o1 release 1 amount=100
        place    o2 mug*1                  -> #2 pending_payment
        told     o2 try=1 {failed}
        told     o2 try=2 authorised=100   -> in_review moved=1
        report   o2 check 1 rejected       -> cancelled moved=1
        place    o3 mug*1                  -> #3 pending_payment
        told     o3 try=1 {failed}
        report   o3 check 1 rejected       -> cancelled moved=1
        wanted   check                     -> nothing
        stock    mug                       -> available=4 committed=1
    "
    ));
}

#[test]
fn trust_alone_pays_for_nothing() {
    check(
        "
        receive  mug 5
        effects  payment release check     -> set
        place    o1 mug*2                  -> #1 pending_payment
        told     o1 adapter authorised=200 -> in_review moved=2
        told     o1 adapter expired        -> in_review moved=0
        missing  o1                        -> 200
        report   o1 check 1 done           -> confirmed moved=0
        wanted   release                   -> nothing
        to_hand_over o1                    -> nothing
        told     o1 try=2 authorised=200   -> confirmed moved=0
        wanted   release                   -> o1 release 1 amount=200
    ",
    );
}

#[test]
fn a_hold_and_a_check_both_have_to_go_whichever_is_last() {
    check(
        "
        receive  mug 5
        effects  release check             -> set
        place    o1 mug*1 cod              -> #1 in_review
        hold     o1 desk:fraud             -> in_review moved=0
        held                               -> o1 in_review desk:fraud
        report   o1 check 1 done           -> in_review moved=0
        check    o1                        -> over
        wanted   release                   -> nothing
        to_hand_over o1                    -> nothing
        lift     o1 desk:fraud             -> confirmed moved=0
        wanted   release                   -> o1 release 1 amount=100
        place    o2 mug*1 cod              -> #2 in_review
        held                               -> nothing
        hold     o2 desk:fraud             -> in_review moved=0
        hold     o2 desk:address           -> in_review moved=0
        lift     o2 desk:fraud             -> in_review moved=0
        lift     o2 desk:address           -> in_review moved=0
        wanted   release                   -> o1 release 1 amount=100
        to_hand_over o2                    -> nothing
        report   o2 check 1 review         -> in_review moved=0
        hold     o2 desk:other             -> in_review moved=0
        lift     o2 desk:other             -> in_review moved=0
        report   o2 check 1 done           -> confirmed moved=0
        wanted   release                   -> o1 release 1 amount=100 | o2 release 1 amount=100
        hold     o2 desk:fraud             -> in_review moved=0
        wanted   release                   -> o1 release 1 amount=100 | o2 release 2 amount=0
        lift     o2 desk:fraud             -> confirmed moved=0
    ",
    );
}

#[test]
fn rejected_gives_back_money_and_units_in_the_same_step() {
    check(
        "
        receive  mug 3
        effects  payment release check     -> set
        place    o1 mug*3                  -> #1 pending_payment
        hold     o1 desk:fraud             -> pending_payment moved=0
        told     o1 adapter captured=300   -> in_review moved=3
        place    o2 mug*1                  -> no: sold_out mug asked=1 available=0
        report   o1 check 1 rejected       -> cancelled moved=3
        check    o1                        -> over
        holds    o1                        -> nothing
        wanted   check                     -> nothing
        wanted   release                   -> nothing
        wanted   payment                   -> o1 give_back 2 amount=300
        stock    mug                       -> available=3
        order    o1                        -> cancelled mug cancelled=3
        history  o1                        -> placed 0 n=3 | held fraud | captured amount=300 | charged n=3 \
                                              | check_rejected attempt=1 | cancelled n=3 | give_back_wanted attempt=2
        told     o1 adapter refunded=300   -> cancelled moved=0
        place    o2 mug*3                  -> #2 pending_payment
        report   o2 check 1 review         -> pending_payment moved=0
        report   o2 check 1 rejected       -> cancelled moved=3
        wanted   payment                   -> o2 close 2 amount=0
        told     o2 adapter voided         -> cancelled moved=0
        wanted   payment                   -> nothing
        place    o3 mug*2                  -> #3 pending_payment
        told     o3 adapter failed=declined:other_method -> payment_failed moved=0
        report   o3 check 1 rejected       -> cancelled moved=2
        confirm  o3                        -> no: illegal cancelled
        stock    mug                       -> available=3
    ",
    );
}

#[test]
fn units_of_a_rejected_order_go_to_who_waits_for_them() {
    check(
        "
        policy   mug oversell=2
        receive  mug 2
        effects  check                     -> set
        place    o1 mug*2 cod              -> #1 in_review
        effects                            -> set
        place    o2 mug*2 cod              -> #2 confirmed owed n=2
        report   o1 check 1 rejected       -> cancelled moved=2
        order    o2                        -> confirmed mug committed=2
        history  o2                        -> placed_confirmed 0 n=2 | filled 0 n=2
    ",
    );
}

#[test]
fn what_was_handed_over_before_a_rejection_stays_sold() {
    check(
        "
        receive  mug 5
        effects  payment release check     -> set
        place    o1 mug*4                  -> #1 pending_payment
        told     o1 adapter captured=400   -> in_review moved=4
        drop     o1 0*1 id=1               -> in_review moved=1
        ship     o1 0*1 id=2               -> fulfilling moved=1
        report   o1 check 1 rejected       -> completed moved=2
        check    o1                        -> over
        order    o1                        -> completed mug shipped=1 cancelled=3
        stock    mug                       -> available=4 customer=1
        wanted   payment                   -> o1 give_back 3 amount=300
        wanted   release                   -> o1 release 1 amount=100
        to_hand_over o1                    -> 0*1
        history  o1 after=7                -> check_rejected attempt=1 | cancelled n=2 | give_back_wanted attempt=3
        return   o1 0*1 id=3               -> completed moved=1
    ",
    );
}

#[test]
fn an_expired_order_that_was_rejected_is_not_paid_late() {
    check(
        "
        receive  mug 3
        effects  payment release check     -> set
        place    o1 mug*1 hold=5s          -> #1 pending_payment
        place    o2 mug*1 hold=5s          -> #2 pending_payment
        place    o3 mug*1 hold=5s          -> #3 pending_payment
        wait     5s                        -> o1 o2 o3 expired
        check    o1                        -> pending
        wanted   check                     -> o1 check 1 amount=100 | o2 check 1 amount=100 | o3 check 1 amount=100
        report   o1 check 1 rejected       -> cancelled moved=1
        order    o1                        -> cancelled mug cancelled=1
        stock    mug                       -> available=3
        confirm  o1                        -> no: illegal cancelled
        told     o1 adapter captured=100   -> cancelled moved=0
        payments o1                        -> adapter card authorised authorised=100 captured=100 next=give_back:100
        stock    mug                       -> available=3
        told     o2 adapter captured=100   -> in_review moved=1
        wanted   release                   -> nothing
        report   o2 check 1 rejected       -> cancelled moved=1
        report   o3 check 1 done           -> expired moved=0
        told     o3 adapter captured=100   -> confirmed moved=1
        wanted   release                   -> o3 release 1 amount=100
    ",
    );
}

#[test]
fn a_second_verdict_changes_nothing() {
    for second in ["done", "rejected", "review", "tries_used_up", "refused", "resumed"] {
        check(&format!(
            "
            receive  mug 9
            effects  release check             -> set
            place    o1 mug*2 cod              -> #1 in_review
            report   o1 check 1 done           -> confirmed moved=0
            report   o1 check 1 {second}       -> confirmed moved=0 again
            check    o1                        -> over
            wanted   release                   -> o1 release 1 amount=200
            history  o1                        -> placed_confirmed 0 n=2 | check_accepted attempt=1 \
                                                  | release_wanted attempt=1
            ship     o1
            report   o1 check 1 {second}       -> completed moved=0 again
            place    o2 mug*2 cod              -> #2 in_review
            report   o2 check 1 rejected       -> cancelled moved=2
            report   o2 check 1 {second}       -> cancelled moved=0 again
            check    o2                        -> over
            order    o2                        -> cancelled mug cancelled=2
            history  o2                        -> placed_confirmed 0 n=2 | check_rejected attempt=1 | cancelled n=2
        "
        ));
    }
}

#[test]
fn of_an_order_that_ended_before_nobody_is_asked() {
    check(
        "
        retention window=1s ids=24h        -> set
        receive  mug 9
        effects  check                     -> set
        place    o1 mug*1 cod              -> #1 in_review
        cancel   o1                        -> cancelled moved=1
        check    o1                        -> over
        wanted   check                     -> nothing
        report   o1 check 1 done           -> cancelled moved=0 again
        place    o2 mug*1 cod              -> #2 in_review
        report   o2 check 1 review         -> in_review moved=0
        drop     o2 0*1                    -> cancelled moved=1
        check    o2                        -> over
        wanted   check aside               -> nothing
        report   o2 check 1 resumed        -> cancelled moved=0 again
        place    o3 mug*2 cod              -> #3 in_review
        ship     o3 0*1 id=1               -> fulfilling moved=1
        check    o3                        -> pending
        ship     o3 0*1 id=2               -> completed moved=1
        check    o3                        -> over
        report   o3 check 1 rejected       -> completed moved=0 again
        order    o3                        -> completed mug shipped=2
        place    o4 mug*1                  -> #4 pending_payment
        told     o4 try=1 failed=declined:never -> cancelled moved=1
        check    o4                        -> over
        place    o5 mug*1 hold=500ms       -> #5 pending_payment
        wait     500ms                     -> o5 expired
        check    o5                        -> pending
        cancel   o5                        -> cancelled moved=1
        check    o5                        -> over
        history  o1                        -> placed_confirmed 0 n=1 | cancelled n=1
        wait     1500ms                    -> nothing expired
        order    o1                        -> cancelled closed
        order    o3                        -> completed closed
        order    o5                        -> cancelled closed
        check    o1                        -> not_needed
        report   o1 check 1 done           -> no: closed
    ",
    );
}

#[test]
fn an_expired_order_is_still_checked_and_not_closed_before_there_is_a_verdict() {
    check(
        "
        retention window=1s ids=24h        -> set
        receive  mug 9
        effects  check                     -> set
        place    o1 mug*1 hold=5s          -> #1 pending_payment
        place    o2 mug*1 hold=5s          -> #2 pending_payment
        wait     5s                        -> o1 o2 expired
        wait     10s                       -> nothing expired
        order    o1                        -> expired mug lapsed=1
        wanted   check                     -> o1 check 1 amount=100 | o2 check 1 amount=100
        report   o1 check 1 review         -> expired moved=0
        wait     10s                       -> nothing expired
        order    o1                        -> expired mug lapsed=1
        report   o1 check 1 done           -> expired moved=0
        wait     1ms                       -> nothing expired
        order    o1                        -> expired closed
        report   o1 check 1 done           -> no: closed
        order    o2                        -> expired mug lapsed=1
        report   o2 check 1 rejected       -> cancelled moved=1
        wait     999ms                     -> nothing expired
        order    o2                        -> cancelled mug cancelled=1
        wait     1ms                       -> nothing expired
        order    o2                        -> cancelled closed
    ",
    );
}

#[test]
fn what_needs_no_payment_is_placed_in_review() {
    check(
        "
        policy   mug oversell=2
        receive  mug 5
        effects  check                     -> set
        place    o1 mug*2 cod              -> #1 in_review
        place    o1 mug*2 cod              -> #1 in_review again
        order    o1                        -> in_review mug committed=2
        place    o2 mug*2@0                -> #2 in_review
        place    o3 mug*2 cod              -> #3 in_review owed n=1
        wanted   check                     -> o1 check 1 amount=200 | o2 check 1 amount=0 | o3 check 1 amount=200
        history  o1                        -> placed_confirmed 0 n=2
        report   o1 check 1 done           -> confirmed moved=0
        place    o1 mug*2 cod              -> #1 confirmed again
        report   o2 check 1 done           -> confirmed moved=0
        report   o3 check 1 rejected       -> cancelled moved=2
    ",
    );
}

#[test]
fn a_release_never_tells_what_has_not_left_while_the_check_is_open() {
    check(
        "
        policy   mug oversell=2
        receive  mug 3
        effects  release check             -> set
        place    o1 mug*5 cod              -> #1 in_review owed n=2
        wanted   release                   -> nothing
        ship     o1 0*1 id=1               -> fulfilling moved=1
        wanted   release                   -> o1 release 1 amount=100
        to_hand_over o1                    -> 0*1
        report   o1 check 1 review         -> fulfilling moved=0
        receive  mug 1
        drop     o1 0*1 id=2               -> fulfilling moved=1
        wanted   release                   -> o1 release 1 amount=100
        to_hand_over o1                    -> 0*1
        report   o1 release 1 done         -> fulfilling moved=0
        ship     o1 0*1 id=3               -> fulfilling moved=1
        wanted   release                   -> o1 release 2 amount=200
        to_hand_over o1                    -> 0*2
        report   o1 check 1 resumed        -> fulfilling moved=0
        wanted   release                   -> o1 release 2 amount=200
        report   o1 check 1 done           -> fulfilling moved=0
        wanted   release                   -> o1 release 3 amount=400
        to_hand_over o1                    -> 0*4
        wanted   check                     -> nothing
    ",
    );
}

#[test]
fn of_what_is_owed_is_released_what_is_there_when_it_is_trusted() {
    check(
        "
        policy   mug oversell=2
        receive  mug 1
        effects  release check             -> set
        place    o1 mug*3 cod              -> #1 in_review owed n=2
        drop     o1 0*1                    -> in_review moved=1
        wanted   check                     -> o1 check 1 amount=300
        report   o1 check 1 done           -> confirmed moved=0
        wanted   release                   -> o1 release 1 amount=100
        receive  mug 1
        wanted   release                   -> o1 release 2 amount=200
    ",
    );
}
