//! Authorisations that end: what is told of that, the task a day before, and what an end that has passed changes.

use stockade::base::{ChangeId, Timestamp};
use stockade::engine::choices::PaymentMethod;
use stockade::engine::{Capacity, Command, PaymentReport, Refusal};

use crate::rig::{Rig, START};
use crate::script::{Script, check};

#[test]
fn an_authorisation_that_is_about_to_end_is_a_task_from_a_day_before() {
    check(
        "
        receive  mug 9
        place    o1 mug*2@100              -> #1 pending_payment
        told     o1 try=7 authorised=200 until=48h -> confirmed moved=2
        payments o1                        -> 7 card authorised authorised=200 until=172800000 next=nothing
        tasks                              -> nothing
        waits    o1                        -> warehouse (2 units to be handed over)
        wait     23h
        wait     3599s
        wait     999ms
        tasks                              -> nothing
        wait     1ms
        tasks                              -> o1 authorisation_ends since=86400000 amount=200 \
                                              (attempt 7 until 2025-10-11T08:53:20.000Z)
        tasks    kind=authorisation_ends   -> o1 authorisation_ends since=86400000 amount=200 \
                                              (attempt 7 until 2025-10-11T08:53:20.000Z)
        waits    o1                        -> authorisation_ends since=86400000 until=172800000 amount=200 \
                                              (attempt 7 until 2025-10-11T08:53:20.000Z) \
                                              | warehouse (2 units to be handed over)
        ship     o1 0*1 id=1
        told     o1 try=7 captured=100
        tasks                              -> o1 authorisation_ends since=86400000 amount=100 \
                                              (attempt 7 until 2025-10-11T08:53:20.000Z)
        ship     o1 id=2                   -> completed moved=1
        tasks                              -> nothing
    ",
    );
}

/// The bug that `authorisation runs out before the back-order ships` is elsewhere.
#[test]
fn a_clock_that_jumps_past_the_end_makes_one_task_and_changes_neither_stock_nor_money() {
    check(
        "
        receive  mug 3
        place    o1 mug*3@100              -> #1 pending_payment
        told     o1 try=7 authorised=300 until=72h -> confirmed moved=3
        history  o1                        -> placed 0 n=3 | authorised amount=300 | charged n=3
        wait     2000h
        tasks                              -> o1 authorisation_ends since=172800000 amount=300 \
                                              (attempt 7 until 2025-10-12T08:53:20.000Z)
        order    o1                        -> confirmed mug committed=3
        stock    mug                       -> committed=3
        missing  o1                        -> 0
        payments o1                        -> 7 card authorised authorised=300 until=259200000 next=nothing
        history  o1                        -> placed 0 n=3 | authorised amount=300 | charged n=3
        wait     2000h
        tasks                              -> o1 authorisation_ends since=172800000 amount=300 \
                                              (attempt 7 until 2025-10-12T08:53:20.000Z)
        told     o1 try=7 expired          -> confirmed moved=0
        tasks                              -> o1 unpaid since=14400000000 amount=300 \
                                              (neither taken nor set aside)
        order    o1                        -> confirmed mug committed=3
        stock    mug                       -> committed=3
    ",
    );
}

#[test]
fn of_the_ends_that_are_told_of_an_attempt_the_latest_counts() {
    check(
        "
        receive  mug 9
        place    o1 mug*2@100              -> #1 pending_payment
        told     o1 try=7 authorised=200 until=48h -> confirmed moved=2
        told     o1 try=7 authorised=200 until=48h -> confirmed moved=0 again
        told     o1 try=7 authorised=200 until=47h -> confirmed moved=0 again
        told     o1 try=7 authorised=100   -> confirmed moved=0 again
        payments o1                        -> 7 card authorised authorised=200 until=172800000 next=nothing
        wait     30h
        tasks                              -> o1 authorisation_ends since=86400000 amount=200 \
                                              (attempt 7 until 2025-10-11T08:53:20.000Z)
        told     o1 try=7 authorised=200 until=24h -> confirmed moved=0
        tasks                              -> o1 authorisation_ends since=108000000 amount=200 \
                                              (attempt 7 until 2025-10-11T14:53:20.000Z)
        told     o1 try=7 authorised=200 until=168h -> confirmed moved=0
        tasks                              -> nothing
        wait     168h
        tasks                              -> o1 authorisation_ends since=626400000 amount=200 \
                                              (attempt 7 until 2025-10-17T14:53:20.000Z)
        told     o1 try=7 voided           -> confirmed moved=0
        told     o1 try=7 authorised=200 until=168h -> confirmed moved=0 again
        payments o1                        -> 7 card voided authorised=200 until=712800000 next=nothing
    ",
    );
}

#[test]
fn an_end_that_has_passed_or_is_near_when_it_is_told_is_a_task_at_once_and_never_before_the_order() {
    check(
        "
        receive  mug 9
        wait     1s
        place    o1 mug*2@100              -> #1 pending_payment
        wait     1s
        told     o1 try=7 authorised=200 until=ago:500ms -> confirmed moved=2
        tasks                              -> o1 authorisation_ends since=1000 amount=200 \
                                              (attempt 7 until 2025-10-09T08:53:21.500Z)
        place    o2 mug*2@100              -> #2 pending_payment
        told     o2 try=7 authorised=100 until=1h -> pending_payment moved=0
        tasks                              -> o1 authorisation_ends since=1000 amount=200 \
                                              (attempt 7 until 2025-10-09T08:53:21.500Z) \
                                              | o2 authorisation_ends since=2000 amount=100 \
                                              (attempt 7 until 2025-10-09T09:53:22.000Z)
        wait     60s                       -> o2 expired
        cancel   o1
        tasks                              -> nothing
    ",
    );
}

#[test]
fn an_end_that_no_authorisation_has_is_refused() {
    let mut script = Script::new(Rig::new(Capacity::default()));
    script.run(
        "
        receive  mug 9
        place    o1 mug*2@100
        told     o1 try=7 authorised=200 until=9600h -> confirmed moved=2
        told     o1 try=7 authorised=0 until=9601h -> no: out_of_bounds Amount
        told     o1 try=7 authorised=200 until=9601h -> no: out_of_bounds AuthorisationEnd
        told     o9 try=7 authorised=200 until=9601h -> no: out_of_bounds AuthorisationEnd
        payments o1                        -> 7 card authorised authorised=200 until=34560000000 next=nothing
    ",
    );
    let view = script.view("o1");
    let tell = |until| Command::ReportPayment {
        order: view.order,
        attempt: ChangeId(7),
        method: PaymentMethod::Card,
        currency: view.currency,
        report: PaymentReport::Authorised { total: 200, until },
    };
    let max = START.ms() + 9_600 * 3_600_000;
    let outcome = script.rig.submit(&tell(Timestamp::from_ms(max + 1)));
    assert!(matches!(outcome, Err(Refusal::OutOfBounds { min: 0, max: told, .. }) if told == max), "{outcome:?}");
}

#[test]
fn another_attempt_takes_the_place_of_one_that_is_about_to_end() {
    check(
        "
        receive  mug 9
        place    o1 mug*3@100              -> #1 pending_payment
        told     o1 try=7 authorised=300 until=30h -> confirmed moved=3
        told     o1 try=8 authorised=100 until=900h -> confirmed moved=0
        payments o1                        -> 7 card authorised authorised=300 until=108000000 next=nothing \
                                              | 8 card authorised authorised=100 until=3240000000 next=close
        told     o1 try=8 voided
        ship     o1 0*1 id=1
        told     o1 try=7 captured=100
        wait     10h
        start    o1 try=9                  -> no: illegal fulfilling
        told     o1 try=9 authorised=200 until=900h -> fulfilling moved=0
        payments o1                        -> 8 card voided authorised=100 until=3240000000 next=nothing \
                                              | 9 card authorised authorised=200 until=3276000000 next=nothing \
                                              | 7 card authorised authorised=300 captured=100 until=108000000 \
                                              next=close
        tasks                              -> nothing
        told     o1 try=7 voided
        told     o1 try=10 authorised=200  -> fulfilling moved=0
        payments o1                        -> 8 card voided authorised=100 until=3240000000 next=nothing \
                                              | 9 card authorised authorised=200 until=3276000000 next=nothing \
                                              | 7 card voided authorised=300 captured=100 until=108000000 next=nothing \
                                              | 10 card authorised authorised=200 next=close
        ship     o1 id=2                   -> completed moved=2
        payments o1                        -> 8 card voided authorised=100 until=3240000000 next=nothing \
                                              | 9 card authorised authorised=200 until=3276000000 next=capture:200 \
                                              | 7 card voided authorised=300 captured=100 until=108000000 next=nothing \
                                              | 10 card authorised authorised=200 next=close
    ",
    );
}

#[test]
fn one_that_ends_no_later_takes_no_place() {
    check(
        "
        receive  mug 9
        place    o1 mug*2@100              -> #1 pending_payment
        told     o1 try=7 authorised=200 until=20h -> confirmed moved=2
        told     o1 try=8 authorised=200 until=20h -> confirmed moved=0
        told     o1 try=9 authorised=200 until=2h -> confirmed moved=0
        payments o1                        -> 7 card authorised authorised=200 until=72000000 next=nothing \
                                              | 8 card authorised authorised=200 until=72000000 next=close \
                                              | 9 card authorised authorised=200 until=7200000 next=close
        told     o1 try=10 authorised=200  -> confirmed moved=0
        payments o1                        -> 10 card authorised authorised=200 next=nothing \
                                              | 7 card authorised authorised=200 until=72000000 next=close \
                                              | 8 card authorised authorised=200 until=72000000 next=close \
                                              | 9 card authorised authorised=200 until=7200000 next=close
        tasks                              -> nothing
    ",
    );
}

#[test]
fn of_several_that_are_needed_the_task_tells_those_whose_day_has_come() {
    check(
        "
        receive  mug 9
        place    o1 mug*3@100              -> #1 pending_payment
        told     o1 try=7 authorised=100 until=60h
        told     o1 adapter authorised=100 until=48h
        told     o1 try=9 authorised=100   -> confirmed moved=3
        wait     24h
        tasks                              -> o1 authorisation_ends since=86400000 amount=100 \
                                              (attempt of the adapters until 2025-10-11T08:53:20.000Z)
        wait     12h
        tasks                              -> o1 authorisation_ends since=86400000 amount=200 \
                                              (attempt of the adapters until 2025-10-11T08:53:20.000Z, and 1 more)
        drop     o1 0*1
        tasks                              -> o1 authorisation_ends since=86400000 amount=200 \
                                              (attempt of the adapters until 2025-10-11T08:53:20.000Z, and 1 more)
        drop     o1 0*1 id=2
        tasks                              -> o1 authorisation_ends since=129600000 amount=100 \
                                              (attempt 7 until 2025-10-11T20:53:20.000Z)
        told     o1 try=7 captured=100
        tasks                              -> nothing
    ",
    );
}

#[test]
fn what_is_owed_is_kept_set_aside_and_the_task_tells_that_it_ends() {
    check(
        "
        policy   mug oversell=9
        place    o1 mug*2@100              -> #1 pending_payment owed n=2
        told     o1 try=7 authorised=200 until=168h -> confirmed moved=2
        payments o1                        -> 7 card authorised authorised=200 until=604800000 next=nothing
        wait     144h
        waits    o1                        -> authorisation_ends since=518400000 until=604800000 amount=200 \
                                              (attempt 7 until 2025-10-16T08:53:20.000Z) | owed (2 units of line 0)
        wait     100h
        payments o1                        -> 7 card authorised authorised=200 until=604800000 next=nothing
        order    o1                        -> confirmed mug owed=2
        told     o1 try=8 authorised=200 until=168h -> confirmed moved=0
        payments o1                        -> 8 card authorised authorised=200 until=1483200000 next=nothing \
                                              | 7 card authorised authorised=200 until=604800000 next=close
        waits    o1                        -> attempt (attempt 7 is authorised, next: close) | owed (2 units of line 0)
        told     o1 try=7 expired
        receive  mug 2
        ship     o1                        -> completed moved=2
        payments o1                        -> 8 card authorised authorised=200 until=1483200000 next=capture:200 \
                                              | 7 card expired authorised=200 until=604800000 next=nothing
    ",
    );
}

#[test]
fn what_is_let_go_of_an_order_that_was_paid_late_is_no_task() {
    check(
        "
        receive  mug 9
        place    o1 mug*2@100 hold=60s     -> #1 pending_payment
        told     o1 try=7 authorised=50 until=1h -> pending_payment moved=0
        tasks                              -> o1 authorisation_ends since=0 amount=50 \
                                              (attempt 7 until 2025-10-09T09:53:20.000Z)
        wait     60s                       -> o1 expired
        tasks                              -> nothing
        told     o1 try=8 authorised=200 until=3h -> confirmed moved=2
        tasks                              -> o1 authorisation_ends since=0 amount=200 \
                                              (attempt 8 until 2025-10-09T11:54:20.000Z)
        told     o1 try=7 authorised=50 until=9h -> confirmed moved=0
        payments o1                        -> 8 card authorised authorised=200 until=10860000 next=nothing \
                                              | 7 card authorised authorised=50 until=32460000 next=close
        told     o1 try=8 voided
        tasks                              -> o1 unpaid since=60000 amount=200 (neither taken nor set aside)
    ",
    );
}

#[test]
fn tasks_that_are_still_to_come_end_no_page_and_are_in_none() {
    check(
        "
        receive  mug 9
        place    o1 mug*1@100              -> #1 pending_payment
        place    o2 mug*1@100              -> #2 pending_payment
        place    o3 mug*1@100              -> #3 pending_payment
        told     o1 try=7 authorised=100 until=30h
        told     o2 try=7 authorised=100 until=20h
        told     o3 try=7 authorised=100 until=25h
        hold     o3 desk:fraud
        tasks    rows=1                    -> o2 authorisation_ends since=0 amount=100 \
                                              (attempt 7 until 2025-10-10T04:53:20.000Z) | next
        tasks    rows=1 next               -> o3 held since=0 (fraud by desk)
        wait     1h
        tasks    rows=1 next               -> o2 authorisation_ends since=0 amount=100 \
                                              (attempt 7 until 2025-10-10T04:53:20.000Z) | next
        tasks    rows=1 next               -> o3 held since=0 (fraud by desk) | next
        tasks    rows=1 next               -> o3 authorisation_ends since=3600000 amount=100 \
                                              (attempt 7 until 2025-10-10T09:53:20.000Z)
    ",
    );
}

#[test]
fn tasks_of_one_order_since_the_same_moment_are_told_apart() {
    check(
        "
        receive  mug 9
        place    o1 mug*2@100              -> #1 pending_payment
        told     o1 try=7 authorised=200 until=48h -> confirmed moved=2
        wait     24h
        hold     o1 desk:fraud
        tasks                              -> o1 held since=86400000 (fraud by desk) \
                                              | o1 authorisation_ends since=86400000 amount=200 \
                                              (attempt 7 until 2025-10-11T08:53:20.000Z)
        lift     o1 desk:fraud
        tasks                              -> o1 authorisation_ends since=86400000 amount=200 \
                                              (attempt 7 until 2025-10-11T08:53:20.000Z)
    ",
    );
}

#[test]
fn when_an_authorisation_ends_is_forgotten_with_its_order() {
    check(
        "
        retention window=10s ids=60s       -> set
        receive  mug 9
        place    o1 mug*2@100              -> #1 pending_payment
        told     o1 try=7 authorised=200 until=48h -> confirmed moved=2
        ship     o1                        -> completed moved=2
        told     o1 try=7 captured=200     -> completed moved=0
        wait     10s
        order    o1                        -> completed closed
        wait     60s
        order    o1                        -> no: unknown_order
        place    o2 mug*1@100              -> #2 pending_payment
        told     o2 try=7 authorised=100   -> confirmed moved=1
        payments o2                        -> 7 card authorised authorised=100 next=nothing
        wait     48h
        tasks                              -> nothing
    ",
    );
}
