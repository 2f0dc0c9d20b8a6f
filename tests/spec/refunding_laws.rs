//! Laws of money that goes back: whoever carries out everything that is to be done comes to what the order costs, less
//! what was asked back, and to nothing else.
//!
//! Here are histories of two payments, of money paid too much, and of banks that take money back; each says what is
//! kept when nothing is left to be done.

use crate::attempting::say_all;
use crate::paying_late::bring_to_rest;
use crate::rig::{Rig, room_for};
use crate::script::Script;

/// What is kept of an order of two units, 50 each, after all this and everything that is to be done with its money.
fn kept_after(lines: &[&str]) -> u64 {
    let mut script = Script::new(Rig::new(room_for(10)));
    script.run("receive mug 2\nplace o1 mug*2@50");
    for (line, said) in lines.iter().zip(say_all(&mut script, lines)) {
        assert!(!said.starts_with("no:"), "{line} -> {said}");
    }
    let payments = bring_to_rest(&mut script, "o1");
    payments.iter().map(|it| (it.captured - it.charged_back).saturating_sub(it.refunded)).sum()
}

#[test]
fn a_refund_leaves_exactly_so_much_less_whatever_goes_back_beside_it() {
    for paid in [
        &["told o1 try=1 captured=100"][..],
        &["told o1 try=1 captured=140"],
        &["told o1 try=1 captured=100", "told o1 try=2 captured=100"],
        &["told o1 try=1 captured=100", "told o1 try=2 captured=100", "told o1 try=2 refunded=100"],
    ] {
        let asked = [paid, &["refund o1 30 id=1"]].concat();
        assert_eq!(kept_after(&asked), 70, "{asked:?}");
    }
}

#[test]
fn of_two_payments_either_may_be_the_one_that_staff_give_back() {
    for given_back in ["told o1 try=1 refunded=100", "told o1 try=2 refunded=100"] {
        let lines = ["told o1 try=1 captured=100", "told o1 try=2 captured=100", given_back];
        assert_eq!(kept_after(&lines), 100, "{lines:?}");
    }
}

#[test]
fn what_was_asked_back_of_money_that_a_bank_took_is_not_taken_from_the_other_payment() {
    let lines = [
        "told o1 try=1 captured=50",
        "told o1 try=2 captured=50",
        "refund o1 30 id=1",
        "told o1 try=2 refunded=30",
        "told o1 try=2 charged_back=50",
    ];
    assert_eq!(kept_after(&lines), 50, "{lines:?}");
    let lines = [
        "told o1 try=1 captured=100",
        "refund o1 10 id=1",
        "told o1 try=1 refunded=10",
        "told o1 try=1 charged_back=100",
        "told o1 try=2 captured=100",
    ];
    assert_eq!(kept_after(&lines), 100, "{lines:?}");
}

#[test]
fn a_refund_counts_for_what_is_cancelled_afterwards_and_nothing_is_given_back_twice() {
    for (lines, kept) in [
        (&["told o1 try=1 captured=100", "refund o1 30 id=1", "drop o1 0*1 id=2"][..], 50),
        (&["told o1 try=1 captured=100", "drop o1 0*1 id=2", "refund o1 30 id=1"], 20),
        (&["told o1 try=1 captured=100", "told o1 try=2 captured=100", "drop o1 0*1 id=2"], 50),
        (&["told o1 try=1 captured=100", "refund o1 30 id=1", "cancel o1"], 0),
        (&["told o1 try=1 captured=60", "told o1 try=2 captured=40", "refund o1 45 id=1", "drop o1 0*1 id=2"], 50),
    ] {
        assert_eq!(kept_after(lines), kept, "{lines:?}");
    }
}
