//! Steps that went away before anybody told that they were done: somebody has to look what became of them.

use crate::rig::{Rig, room_for};
use crate::script::{Script, check};

#[test]
fn a_close_answers_for_what_was_to_be_taken_and_not_for_what_was_to_go_back() {
    check(
        "
        receive  mug 9
        effects  payment
        place    o1 mug*2
        told     o1 adapter authorised=200  -> confirmed moved=2
        ship     o1 0*1 id=1                -> fulfilling moved=1
        wanted   payment                    -> o1 capture 2 amount=100
        told     o1 try=2 captured=200      -> fulfilling moved=0
        wanted   payment                    -> o1 close 3 amount=0
        told     o1 adapter voided          -> fulfilling moved=0
        wanted   payment                    -> nothing
        place    o2 mug*2
        told     o2 adapter authorised=200  -> confirmed moved=2
        told     o2 adapter captured=100    -> confirmed moved=0
        cancel   o2                         -> cancelled moved=2
        wanted   payment                    -> o2 give_back 2 amount=100
        told     o2 adapter charged_back=100 -> cancelled moved=0
        wanted   payment                    -> o2 close 3 amount=0
        told     o2 adapter voided          -> cancelled moved=0
        wanted   payment                    -> o2 look 4 amount=0
        place    o3 mug*2
        start    o3 try=1
        told     o3 adapter processing
        told     o3 try=1 captured=90       -> pending_payment moved=0
        wanted   payment                    -> o2 look 4 amount=0 | o3 look 3 amount=0
        told     o3 try=1 authorised=200    -> confirmed moved=2
        wanted   payment                    -> o2 look 4 amount=0 | o3 close 4 amount=0
    ",
    );
}

#[test]
fn what_is_to_be_closed_is_so_anew_when_more_was_taken_of_it() {
    check(
        "
        receive  mug 2
        effects  payment
        place    o1 mug*2
        told     o1 adapter authorised=200  -> confirmed moved=2
        told     o1 try=2 authorised=200    -> confirmed moved=0
        wanted   payment                    -> o1 close 2 amount=0
        told     o1 try=2 disputed          -> confirmed moved=0
        wanted   payment                    -> o1 close 2 amount=0
        told     o1 try=2 captured=50       -> confirmed moved=0
        wanted   payment                    -> o1 close 3 amount=0
        report   o1 payment 3 done          -> confirmed moved=0
        wanted   payment                    -> nothing
        told     o1 try=2 captured=60       -> confirmed moved=0
        wanted   payment                    -> o1 close 4 amount=0
    ",
    );
}

/// An order of two units whose payment adapters see to, after these lines; each is what nobody refuses.
fn after(lines: &[&str]) -> Script {
    let mut script = Script::new(Rig::new(room_for(10)));
    script.run("receive mug 9\neffects payment\nplace o1 mug*2@100 hold=9s\n");
    script.run(&lines.join("\n"));
    script
}

#[test]
fn a_step_that_went_away_before_anybody_told_that_it_was_done_is_to_be_looked_at() {
    let paid = ["told o1 adapter captured=200"];
    let set_aside = ["told o1 adapter authorised=200"];
    let both = ["told o1 adapter processing", "told o1 try=2 captured=200"];
    for (before, wanted, event) in [
        (&set_aside[..], ["ship o1", "capture 2 amount=200"], "told o1 adapter voided"),
        (&set_aside, ["ship o1", "capture 2 amount=200"], "told o1 adapter expired"),
        (&paid, ["cancel o1", "give_back 2 amount=200"], "told o1 adapter disputed"),
        (&paid, ["cancel o1", "give_back 2 amount=200"], "told o1 adapter charged_back=200"),
        (&paid, ["refund o1 50", "give_back 2 amount=50"], "told o1 adapter refund_failed=50"),
        (&both, ["hold o1 desk:fraud", "close 2 amount=0"], "told o1 try=2 charged_back=200"),
    ] {
        let [change, wanted] = wanted;
        let mut script = after(before);
        script.run(change);
        assert_eq!(script.try_line("wanted payment"), format!("o1 {wanted}"), "{before:?} {change}");
        script.run(event);
        let look = "o1 look 3 amount=0";
        assert_eq!(script.try_line("wanted payment"), look, "{before:?} {change}: {event}");
        let history = script.try_line("history o1");
        assert!(history.ends_with(" | look_wanted attempt=3"), "{history}");
        script.run("report o1 payment 3 done\nwanted payment -> nothing");
    }
}

#[test]
fn a_step_that_somebody_told_was_done_is_not_looked_at() {
    let both = ["told o1 try=2 captured=200"];
    for (before, change, told) in [
        (&[][..], "", "told o1 adapter processing"),
        (&[], "", "told o1 adapter failed=declined:other_method"),
        (&[], "", "told o1 adapter captured=200"),
        (&[], "", "told o1 adapter failed=suspected_fraud:never"),
        (&["told o1 adapter authorised=200"], "ship o1", "told o1 adapter captured=200"),
        (&["told o1 adapter captured=200"], "cancel o1", "told o1 adapter refunded=200"),
        (&["told o1 adapter captured=200"], "refund o1 50", "told o1 adapter refunded=50"),
        (&["told o1 adapter authorised=200"], "cancel o1", "told o1 adapter voided"),
        (&["told o1 adapter authorised=200"], "cancel o1", "told o1 adapter expired"),
        (&both, "", "told o1 adapter voided"),
        (&both, "", "told o1 adapter failed=declined:now"),
        (&[], "wait 9s", "told o1 adapter voided"),
    ] {
        let mut script = after(before);
        if !change.is_empty() {
            script.run(change);
        }
        assert_ne!(script.try_line("wanted payment"), "nothing", "{before:?} {change}");
        script.run(told);
        assert_eq!(script.try_line("wanted payment"), "nothing", "{before:?} {change}: {told}");
        assert!(!script.try_line("history o1").contains("look_wanted"), "{before:?} {change}: {told}");
    }
}

#[test]
fn somebody_is_to_look_until_he_has_whatever_else_happens_to_the_order() {
    check(
        "
        retention window=1s ids=24h
        receive  mug 2
        effects  payment
        place    o1 mug*2
        told     o1 adapter captured=200    -> confirmed moved=2
        cancel   o1                         -> cancelled moved=2
        told     o1 adapter charged_back=200 -> cancelled moved=0
        wanted   payment                    -> o1 look 3 amount=0
        told     o1 adapter refund_failed=1 -> cancelled moved=0 again
        told     o1 try=2 failed=other:now  -> cancelled moved=0
        told     o1 try=2 captured=50       -> cancelled moved=0
        wanted   payment                    -> o1 give_back 4 amount=50
        told     o1 try=2 charged_back=50   -> cancelled moved=0
        wanted   payment                    -> o1 look 5 amount=0
        report   o1 payment 4 done          -> cancelled moved=0
        told     o1 try=3 expired           -> cancelled moved=0
        wanted   payment                    -> o1 look 5 amount=0
        report   o1 payment 5 tries_used_up -> cancelled moved=0
        told     o1 try=4 failed=other:now  -> cancelled moved=0
        wanted   payment                    -> nothing
        wanted   payment aside              -> o1 look 5 amount=0 tries_used_up
        report   o1 payment 5 resumed       -> cancelled moved=0
        wait     10s                        -> nothing expired
        order    o1                         -> cancelled mug cancelled=2
        report   o1 payment 5 done          -> cancelled moved=0
        wanted   payment                    -> nothing
        wait     1ms                        -> nothing expired
        order    o1                         -> cancelled closed
    ",
    );
}
