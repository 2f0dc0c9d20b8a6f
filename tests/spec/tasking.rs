//! Tasks: who has to be looked at and why, that nothing but the cause ends one, and what one order waits for.

use crate::script::check;

#[test]
fn an_order_that_is_held_is_a_task_since_its_oldest_hold() {
    check(
        "
        receive  mug 9
        tasks                              -> nothing
        place    o1 mug*2 cod              -> #1 confirmed
        tasks                              -> nothing
        waits    o1                        -> warehouse (2 units to be handed over)
        wait     1s
        hold     o1 desk:fraud
        tasks                              -> o1 held since=1000 (fraud by desk)
        wait     1s
        hold     o1 risk:address
        tasks                              -> o1 held since=1000 (fraud by desk, and 1 more)
        waits    o1                        -> held since=1000 (fraud by desk) | held since=2000 (address by risk)
        lift     o1 desk:fraud
        tasks                              -> o1 held since=2000 (address by risk)
        lift     o1 risk:address
        tasks                              -> nothing
        hold     o1 desk:fraud
        cancel   o1
        tasks                              -> nothing
        waits    o1                        -> nothing
    ",
    );
}

#[test]
fn an_order_that_has_expired_is_no_task_though_it_is_held() {
    check(
        "
        receive  mug 9
        place    o1 mug*2@100 hold=60s     -> #1 pending_payment
        hold     o1 desk:fraud
        tasks                              -> o1 held since=0 (fraud by desk)
        waits    o1                        -> held since=0 (fraud by desk) \
                                              | payment since=0 until=60000 amount=200 (card is to be paid)
        wait     60s                       -> o1 expired
        holds    o1                        -> desk:fraud since=0
        tasks                              -> nothing
        waits    o1                        -> nothing
        confirm  o1 try=1                  -> in_review moved=2
        tasks                              -> o1 held since=0 (fraud by desk)
    ",
    );
}

#[test]
fn what_adapters_tried_in_vain_is_a_task_until_it_is_tried_again_or_done() {
    check(
        "
        receive  mug 9
        effects  payment release           -> set
        place    o1 mug*2@100              -> #1 pending_payment
        waits    o1                        -> payment since=0 until=60000 amount=200 (card is to be paid) \
                                              | attempt amount=200 (attempt of the adapters is created, next: charge) \
                                              | payment_wanted since=0 amount=200 (charge 1)
        wait     1s
        report   o1 payment 1 refused
        tasks                              -> o1 payment_aside since=1000 amount=200 (charge 1: refused)
        waits    o1                        -> payment_aside since=1000 amount=200 (charge 1: refused) \
                                              | payment since=0 until=60000 amount=200 (card is to be paid) \
                                              | attempt amount=200 (attempt of the adapters is created, next: charge)
        wait     1s
        report   o1 payment 1 resumed
        tasks                              -> nothing
        told     o1 adapter authorised=200 -> confirmed moved=2
        waits    o1                        -> release_wanted since=2000 amount=200 (release 1)
        wait     1s
        report   o1 release 1 tries_used_up
        tasks                              -> o1 release_aside since=3000 amount=200 (release 1: tries_used_up)
        hold     o1 desk:fraud
        tasks                              -> o1 held since=3000 (fraud by desk)
        lift     o1 desk:fraud
        report   o1 release 3 refused
        report   o1 release 3 done
        tasks                              -> nothing
        waits    o1                        -> warehouse (2 units to be handed over)
    ",
    );
}

#[test]
fn a_dispute_is_a_task_until_it_is_over_also_of_an_order_that_is_over() {
    check(
        "
        receive  mug 9
        place    o1 mug*2@100              -> #1 pending_payment
        told     o1 try=7 captured=200     -> confirmed moved=2
        ship     o1 0*2
        tasks                              -> nothing
        wait     1s
        told     o1 try=7 disputed
        tasks                              -> o1 disputed since=1000 amount=200 (attempt 7)
        told     o1 try=7 dispute_won
        tasks                              -> nothing
        place    o2 mug*2@100              -> #2 pending_payment
        told     o2 try=7 captured=200     -> confirmed moved=2
        told     o2 try=7 disputed
        told     o2 try=8 captured=100
        told     o2 try=8 disputed
        tasks                              -> o2 disputed since=1000 amount=300 (attempt 7, and 1 more)
        told     o2 try=7 charged_back=200
        tasks                              -> o2 disputed since=1000 amount=100 (attempt 8) \
                                              | o2 unpaid since=1000 amount=100 (neither taken nor set aside)
    ",
    );
}

#[test]
fn a_refund_that_failed_is_a_task_until_it_is_asked_for_again_or_the_money_goes_otherwise() {
    check(
        "
        receive  mug 9
        place    o1 mug*2@100              -> #1 pending_payment
        told     o1 try=7 captured=200     -> confirmed moved=2
        refund   o1 50 id=1
        tasks                              -> nothing
        wait     1s
        told     o1 try=7 refund_failed=50
        tasks                              -> o1 refund_failed since=1000 amount=50 (asked back, and has not gone back)
        wait     1s
        refund   o1 20 id=2
        tasks                              -> o1 refund_failed since=1000 amount=30 (asked back, and has not gone back)
        told     o1 try=7 refunded=20
        tasks                              -> o1 refund_failed since=1000 amount=30 (asked back, and has not gone back)
        refund   o1 30 id=3
        tasks                              -> nothing
        told     o1 try=7 refund_failed=80
        tasks                              -> o1 refund_failed since=2000 amount=30 (asked back, and has not gone back)
        told     o1 try=7 refunded=50
        tasks                              -> nothing
        refund   o1 40 id=4
        told     o1 try=7 refund_failed=120
        tasks                              -> o1 refund_failed since=2000 amount=40 (asked back, and has not gone back)
        cancel   o1
        tasks                              -> nothing
    ",
    );
}

#[test]
fn an_order_that_is_paid_for_no_longer_is_a_task_until_it_is_paid_or_cancelled() {
    check(
        "
        receive  mug 9
        place    o1 mug*2@100              -> #1 pending_payment
        told     o1 try=7 authorised=200   -> confirmed moved=2
        waits    o1                        -> warehouse (2 units to be handed over)
        wait     1s
        told     o1 try=7 expired          -> confirmed moved=0
        tasks                              -> o1 unpaid since=1000 amount=200 (neither taken nor set aside)
        waits    o1                        -> unpaid since=1000 amount=200 (neither taken nor set aside)
        start    o1 try=8
        waits    o1                        -> unpaid since=1000 amount=200 (neither taken nor set aside) \
                                              | attempt (attempt 8 is created)
        wait     1s
        told     o1 try=8 captured=150
        tasks                              -> o1 unpaid since=1000 amount=50 (neither taken nor set aside)
        drop     o1 0*1
        tasks                              -> nothing
        waits    o1                        -> attempt amount=50 (attempt 8 is authorised, next: give_back) \
                                              | warehouse (1 units to be handed over)
        place    o2 mug*2 cod              -> #2 confirmed
        told     o2 try=7 captured=10
        tasks                              -> nothing
    ",
    );
}

#[test]
fn an_order_that_was_put_back_is_a_task_while_it_is_owed_something() {
    check(
        "
        policy   mug oversell=9
        receive  mug 3
        place    o1 mug*3 cod              -> #1 confirmed
        place    o2 mug*2 cod              -> #2 confirmed owed n=2
        tasks                              -> nothing
        waits    o2                        -> owed (2 units of line 0)
        event    e1                        -> event
        wait     1s
        count    mug 1 as_of=e1
        put_back                           -> o1
        tasks                              -> o1 put_back since=1000 (2 units owed, some were not found)
        waits    o1                        -> put_back since=1000 (2 units owed, some were not found) \
                                              | owed (2 units of line 0) | warehouse (1 units to be handed over)
        receive  mug 1
        tasks                              -> o1 put_back since=1000 (1 units owed, some were not found)
        receive  mug 3
        tasks                              -> nothing
        waits    o1                        -> warehouse (3 units to be handed over)
        waits    o2                        -> warehouse (2 units to be handed over)
    ",
    );
}

#[test]
fn tasks_are_listed_page_by_page_the_oldest_first() {
    check(
        "
        receive  mug 9
        tasks    rows=0                    -> no: out_of_bounds Rows
        tasks    rows=1025                 -> no: out_of_bounds Rows
        place    o1 mug*1@100              -> #1 pending_payment
        place    o2 mug*1@100              -> #2 pending_payment
        place    o3 mug*1@100              -> #3 pending_payment
        hold     o3 desk:fraud
        told     o2 try=7 captured=100
        wait     1s
        hold     o1 desk:fraud
        hold     o2 desk:address
        told     o2 try=7 disputed
        tasks    rows=2                    -> o3 held since=0 (fraud by desk) | o1 held since=1000 (fraud by desk) \
                                              | next
        lift     o1 desk:fraud
        tasks    rows=1 next               -> o2 held since=1000 (address by desk) | next
        tasks    rows=1 next               -> o2 disputed since=1000 amount=100 (attempt 7)
        tasks    kind=held rows=2          -> o3 held since=0 (fraud by desk) | o2 held since=1000 (address by desk)
        tasks    kind=disputed             -> o2 disputed since=1000 amount=100 (attempt 7)
        tasks    kind=unpaid               -> nothing
        market   second
        tasks                              -> nothing
    ",
    );
}

#[test]
fn what_one_order_waits_for_is_told_in_one_answer() {
    check(
        "
        policy   mug oversell=9
        receive  tea 5
        effects  payment release           -> set
        waits    o9                        -> no: unknown_order
        place    o1 tea*2@10 mug*3@100     -> #1 pending_payment owed n=3
        hold     o1 desk:fraud
        hold     o1 risk:payment
        waits    o1                        -> held since=0 (fraud by desk) | held since=0 (payment by risk) \
                                              | payment since=0 until=60000 amount=320 (card is to be paid) \
                                              | attempt amount=320 (attempt of the adapters is created, next: charge) \
                                              | payment_wanted since=0 amount=320 (charge 1) \
                                              | owed (3 units of line 1)
        told     o1 adapter authorised=320
        lift     o1 desk:fraud
        lift     o1 risk:payment
        waits    o1                        -> release_wanted since=0 amount=20 (release 1) | owed (3 units of line 1)
        report   o1 release 1 done
        waits    o1                        -> owed (3 units of line 1) | warehouse (2 units to be handed over)
        cancel   o1
        waits    o1                        -> attempt (attempt of the adapters is authorised, next: close) \
                                              | payment_wanted since=0 (close 2) | release_wanted since=0 (release 2)
        told     o1 adapter voided
        report   o1 release 2 done
        waits    o1                        -> nothing
    ",
    );
}
