//! Attempts to pay: whatever is told of them, in whatever order and however often, one order is paid for once.

use crate::paying::permutations;
use crate::rig::{Rig, room_for};
use crate::script::{Script, check};

/// An order of two mugs at 100 each that waits for its payment until a second has passed; more mugs than that are there
/// or are not.
pub(crate) fn ordered(mugs: u64, before: &str) -> Script {
    let mut script = Script::new(Rig::new(room_for(100)));
    script.run(&format!("receive mug {mugs}\n{before}\nplace o1 mug*2 hold=1s -> #1 pending_payment"));
    script
}

/// Says each and gives what came of it.
pub(crate) fn say_all(script: &mut Script, lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| script.try_line(line)).collect()
}

/// Answers that say that something happened that had not.
fn confirmations(said: &[String]) -> usize {
    said.iter().filter(|said| *said == "confirmed moved=2").count()
}

#[test]
fn every_order_of_browser_return_webhook_its_repeat_and_a_poll_takes_the_money_once() {
    let webhook = "told o1 try=1 captured=200";
    for (before, browser, poll) in [
        ("", "confirm o1 try=1", "told o1 try=1 authorised=200"),
        ("", "told o1 try=1 authorised=200", webhook),
        ("", "told o1 try=1 processing", "confirm o1 try=1"),
    ] {
        for lines in permutations(&[browser, webhook, webhook, poll]) {
            let mut script = ordered(5, before);
            script.run("start o1 try=1 -> pending_payment moved=0");
            let said = say_all(&mut script, &lines);
            assert_eq!(confirmations(&said), 1, "{lines:?} -> {said:?}");
            script.run(
                "
                order    o1    -> confirmed mug committed=2
                payments o1    -> 1 card authorised authorised=200 captured=200 next=nothing
                money          -> GBP authorised=200 captured=200 refunded=0 charged_back=0
            ",
            );
        }
    }
}

#[test]
fn every_order_of_what_an_adapter_and_a_storefront_tell_of_the_adapters_charge_takes_the_money_once() {
    let webhook = "told o1 adapter captured=200";
    let (confirm, poll) = ("confirm o1 adapter", "told o1 adapter authorised=200");
    for lines in permutations(&[confirm, webhook, webhook, poll]) {
        let mut script = ordered(5, "effects payment");
        let said = say_all(&mut script, &lines);
        assert_eq!(confirmations(&said), 1, "{lines:?} -> {said:?}");
        // Confirmed first, its attempt is to be closed: what is told then does not say that it was not.
        let (action, attempt) = if lines[0] == confirm { ("look", 3) } else { ("nothing", 0) };
        let wanted = script.try_line("wanted payment");
        assert!(wanted.contains(action), "{lines:?} -> {wanted}");
        if attempt > 0 {
            script.run(&format!("report o1 payment {attempt} done"));
        }
        script.run(
            "
            order    o1       -> confirmed mug committed=2
            payments o1       -> adapter card authorised authorised=200 captured=200 next=nothing
            wanted   payment  -> nothing
        ",
        );
    }
}

#[test]
fn notices_of_one_payment_come_to_the_same_in_whatever_order_they_arrive() {
    let notices = [
        "told o1 try=1 requires_action",
        "told o1 try=1 processing",
        "told o1 try=1 failed=timed_out:now",
        "told o1 try=1 authorised=200",
        "told o1 try=1 captured=200",
    ];
    for lines in permutations(&notices) {
        let mut script = ordered(2, "");
        let said = say_all(&mut script, &lines);
        assert_eq!(confirmations(&said), 1, "{lines:?} -> {said:?}");
        assert_eq!(
            script.try_line("payments o1"),
            "1 card authorised authorised=200 captured=200 next=nothing",
            "{lines:?}"
        );
    }
}

#[test]
fn another_method_after_a_failure_keeps_the_order_and_its_reservation() {
    check(
        "
        receive  mug 2
        place    o1 mug*2 hold=60s          -> #1 pending_payment
        start    o1 try=1                   -> pending_payment moved=0
        start    o1 try=1                   -> pending_payment moved=0 again
        start    o1 try=1 pays=wallet       -> no: conflict
        told     o1 try=1 requires_action   -> pending_payment moved=0
        told     o1 try=1 failed=declined:other_method -> payment_failed moved=0
        told     o1 try=1 failed=declined:other_method -> payment_failed moved=0 again
        label    o1                         -> failed
        payments o1                         -> 1 card failed declined:other_method next=nothing
        stock    mug                        -> reserved=2
        place    o2 mug*1                   -> no: sold_out mug asked=1 available=0
        place    o1 mug*2 hold=60s          -> #1 payment_failed again
        open                                -> o1#1
        wait     30s
        extend   o1 60s payment_start       -> reserved for 60000 ms
        start    o1 try=2 pays=wallet       -> pending_payment moved=0
        told     o1 try=1 voided            -> pending_payment moved=0 again
        told     o1 try=2 authorised=200    -> confirmed moved=2
        payments o1                         -> 1 card failed declined:other_method next=nothing \
                                               | 2 wallet authorised authorised=200 next=nothing
        history  o1                         -> placed 0 n=2 | attempt_begun card | payment_action \
                                               | payment_failed declined | payment_started until=90000 \
                                               | attempt_begun wallet | authorised amount=200 | charged n=2
    ",
    );
}

#[test]
fn an_order_whose_payments_failed_ends_at_its_deadline_may_be_held_confirmed_and_cancelled() {
    check(
        "
        receive  mug 9
        place    o1 mug*1 hold=5s
        place    o2 mug*1 hold=5s
        place    o3 mug*1 hold=5s
        told     o1 try=1 failed=declined:now  -> payment_failed moved=0
        told     o2 try=1 voided               -> payment_failed moved=0
        told     o3 try=1 expired              -> payment_failed moved=0
        hold     o1 desk:fraud                 -> payment_failed moved=0
        confirm  o1 try=2                      -> in_review moved=1
        payments o1                            -> 1 card failed declined:now next=nothing \
                                                  | 2 card authorised authorised=100 captured=100 next=nothing
        cancel   o2                            -> cancelled moved=1
        wait     5s                            -> o3 expired
        start    o3 try=2                      -> no: illegal expired
        stock    mug                           -> available=8 committed=1
    ",
    );
}

#[test]
fn a_failed_payment_that_succeeds_after_all_pays() {
    check(
        "
        receive  mug 2
        place    o1 mug*2
        told     o1 try=1 failed=timed_out:now -> payment_failed moved=0
        told     o1 try=1 authorised=150       -> pending_payment moved=0
        payments o1                            -> 1 card authorised authorised=150 next=nothing
        told     o1 try=1 failed=declined:now  -> pending_payment moved=0 again
        told     o1 try=1 authorised=200       -> confirmed moved=2
        told     o1 try=1 authorised=150       -> confirmed moved=0 again
    ",
    );
}

#[test]
fn a_decline_for_good_frees_the_units_at_once() {
    check(
        "
        receive  mug 2
        place    o1 mug*2
        start    o1 try=1
        told     o1 try=1 failed=suspected_fraud:never -> cancelled moved=2
        told     o1 try=1 failed=suspected_fraud:never -> cancelled moved=0 again
        stock    mug                        -> available=2
        place    o2 mug*2                   -> #2 pending_payment
        start    o1 try=2                   -> no: illegal cancelled
        history  o1                         -> placed 0 n=2 | attempt_begun card | payment_failed suspected_fraud \
                                               | cancelled n=2
    ",
    );
}

#[test]
fn a_decline_for_good_cancels_nothing_while_another_payment_is_under_way_or_brought_money() {
    check(
        "
        receive  mug 9
        place    o1 mug*2
        start    o1 try=1
        start    o1 try=2
        told     o1 try=1 failed=suspected_fraud:never      -> pending_payment moved=0
        told     o1 try=2 failed=declined:other_method      -> payment_failed moved=0
        told     o1 try=3 failed=insufficient_funds:never   -> cancelled moved=2
        place    o2 mug*2
        told     o2 try=1 captured=50                       -> pending_payment moved=0
        told     o2 try=2 failed=suspected_fraud:never      -> pending_payment moved=0
        told     o2 try=1 captured=200                      -> confirmed moved=2
        told     o2 try=3 failed=suspected_fraud:never      -> confirmed moved=0
        effects  payment
        place    o3 mug*2
        told     o3 try=1 failed=suspected_fraud:never      -> pending_payment moved=0
        wanted   payment                                    -> o3 charge 1 amount=200
        told     o3 adapter failed=suspected_fraud:never    -> cancelled moved=2
        wanted   payment                                    -> nothing
        place    o4 mug*1 hold=1s
        told     o4 adapter failed=declined:other_method    -> payment_failed moved=0
        wait     1s                                         -> o4 expired
        told     o4 try=2 failed=suspected_fraud:never      -> expired moved=0
    ",
    );
}

#[test]
fn two_payments_accept_an_order_together_and_neither_does_alone() {
    check(
        "
        receive  mug 4
        place    o1 mug*3
        start    o1 try=1 pays=wallet       -> pending_payment moved=0
        told     o1 try=1 captured=120      -> pending_payment moved=0
        label    o1                         -> captured
        told     o1 try=2 authorised=179    -> pending_payment moved=0
        told     o1 try=2 authorised=180    -> confirmed moved=3
        label    o1                         -> partly_captured
        ship     o1 0*1 id=1                -> fulfilling moved=1
        payments o1                         -> 1 wallet authorised authorised=120 captured=120 next=nothing \
                                               | 2 card authorised authorised=180 next=nothing
        ship     o1 0*1 id=2                -> fulfilling moved=1
        payments o1                         -> 1 wallet authorised authorised=120 captured=120 next=nothing \
                                               | 2 card authorised authorised=180 next=capture:80
        ship     o1 0*1 id=3                -> completed moved=1
        payments o1                         -> 1 wallet authorised authorised=120 captured=120 next=nothing \
                                               | 2 card authorised authorised=180 next=capture:180
    ",
    );
}

#[test]
fn adapters_are_asked_to_charge_what_is_missing_and_the_newest_attempt_that_has_begun_is() {
    check(
        "
        receive  mug 4
        effects  payment
        place    o1 mug*3                   -> #1 pending_payment
        wanted   payment                    -> o1 charge 1 amount=300
        told     o1 try=1 captured=120      -> pending_payment moved=0
        wanted   payment                    -> o1 charge 2 amount=180
        start    o1 try=2 pays=wallet       -> pending_payment moved=0
        payments o1                         -> adapter card created next=nothing \
                                               | 1 card authorised authorised=120 captured=120 next=nothing \
                                               | 2 wallet created next=charge:180
        wanted   payment                    -> o1 charge 3 amount=180
        told     o1 try=2 failed=declined:other_method -> pending_payment moved=0
        wanted   payment                    -> o1 charge 4 amount=180
        told     o1 adapter authorised=180  -> confirmed moved=3
        wanted   payment                    -> o1 look 5 amount=0
    ",
    );
}

#[test]
fn an_order_that_costs_less_than_was_paid_when_a_unit_is_cancelled_is_confirmed_with_the_rest() {
    check(
        "
        receive  mug 3
        place    o1 mug*2@100 mug*1@0
        told     o1 try=1 authorised=100    -> pending_payment moved=0
        drop     o1 0*1 id=1                -> confirmed moved=1
        drop     o1 0*1 id=1                -> confirmed moved=1 again
        order    o1                         -> confirmed mug committed=1 cancelled=1 | mug committed=1
        history  o1                         -> placed n=3 | authorised amount=100 | lines_cancelled 0 n=1 | charged n=2
        place    o2 mug*1@100 mug*0@0       -> no: out_of_bounds Quantity
    ",
    );
    check(
        "
        receive  mug 3
        place    o1 mug*1@100 mug*1@0
        told     o1 try=1 processing        -> pending_payment moved=0
        drop     o1 0*1 id=1                -> pending_payment moved=1
        payments o1                         -> 1 card processing next=close
        confirm  o1                         -> confirmed moved=1
        payments o1                         -> 1 card processing next=close
    ",
    );
}

#[test]
fn what_was_paid_elsewhere_is_entered_with_the_confirmation_and_nothing_is_taken_twice() {
    check(
        "
        receive  mug 9
        place    o1 mug*2                   -> #1 pending_payment
        confirm  o1 try=1                   -> confirmed moved=2
        payments o1                         -> nothing
        place    o2 mug*2
        told     o2 try=1 authorised=80     -> pending_payment moved=0
        confirm  o2 try=1                   -> confirmed moved=2
        payments o2                         -> 1 card authorised authorised=200 captured=200 next=nothing
        place    o3 mug*2
        told     o3 try=1 authorised=80     -> pending_payment moved=0
        confirm  o3 try=2                   -> confirmed moved=2
        ship     o3                         -> completed moved=2
        payments o3                         -> 1 card authorised authorised=80 next=capture:80 \
                                               | 2 card authorised authorised=120 captured=120 next=nothing
        told     o1 try=1 captured=200      -> confirmed moved=0
        payments o1                         -> 1 card authorised authorised=200 captured=200 next=nothing
    ",
    );
}

#[test]
fn at_every_step_of_a_checkout_there_are_order_stock_and_money_or_nothing_of_them() {
    let steps = [
        ("place    o1 mug*2 hold=60s", "#1 pending_payment"),
        ("start    o1 try=1", "pending_payment moved=0"),
        ("told     o1 try=1 processing", "pending_payment moved=0"),
        ("told     o1 try=1 authorised=200", "confirmed moved=2"),
        ("ship     o1 0*1 id=1", "fulfilling moved=1"),
        ("told     o1 try=1 captured=100", "fulfilling moved=0"),
        ("drop     o1 0*1 id=2", "completed moved=1"),
        ("told     o1 try=1 voided", "completed moved=0"),
    ];
    let mut script = Script::new(Rig::new(room_for(100)));
    script.run("receive mug 5");
    for (step, came) in steps {
        assert_eq!(script.try_line(step), came, "{step}");
        // What is read from an image, and what was folded again, is the same order with the same money.
        script.rig.go_through_image();
        script.rig.check_everything();
        // Whoever was not answered asks again, and it has happened.
        let again = script.try_line(step);
        assert!(again.ends_with(" again"), "{step} -> {again}");
    }
    script.run(
        "
        payments o1    -> 1 card voided authorised=200 captured=100 next=nothing
        stock    mug   -> available=4 customer=1
        money          -> GBP authorised=200 captured=100 refunded=0 charged_back=0
    ",
    );
    script.rig.check_replica();
}
