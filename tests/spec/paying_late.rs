//! Money that comes late, twice, or not enough: the order has its units or the customer his money, and never both.

use stockade::base::ChangeId;
use stockade::engine::order::State;
use stockade::engine::query::PaymentView;
use stockade::engine::{Stage, Step};

use crate::attempting::{ordered, say_all};
use crate::paying::permutations;
use crate::script::{Script, check};

#[test]
fn a_second_success_of_a_paid_order_goes_back_by_itself() {
    check(
        "
        receive  mug 2
        effects  payment
        place    o1 mug*2
        told     o1 try=1 processing        -> pending_payment moved=0
        told     o1 try=2 captured=200      -> confirmed moved=2
        payments o1                         -> adapter card created next=close | 1 card processing next=close \
                                               | 2 card authorised authorised=200 captured=200 next=nothing
        told     o1 adapter voided          -> confirmed moved=0
        told     o1 try=1 captured=200      -> confirmed moved=0
        wanted   payment                    -> o1 give_back 4 amount=200
        payments o1                         -> adapter card voided next=nothing \
                                               | 2 card authorised authorised=200 captured=200 next=nothing \
                                               | 1 card authorised authorised=200 captured=200 next=give_back:200
        told     o1 try=1 refunded=200      -> confirmed moved=0
        wanted   payment                    -> o1 look 5 amount=0
        report   o1 payment 5 done          -> confirmed moved=0
        ship     o1                         -> completed moved=2
        wanted   payment                    -> nothing
        told     o1 try=3 authorised=200    -> completed moved=0
        wanted   payment                    -> o1 close 6 amount=0
        money                               -> GBP authorised=600 captured=400 refunded=200 charged_back=0
    ",
    );
}

#[test]
fn a_late_success_takes_the_units_again_or_goes_back_and_says_which() {
    check(
        "
        receive  mug 2
        place    o1 mug*2 hold=1s
        start    o1 try=1
        wait     1s                         -> o1 expired
        payments o1                         -> 1 card created next=close
        told     o1 try=1 captured=199      -> expired moved=0
        payments o1                         -> 1 card authorised authorised=199 captured=199 next=give_back:199
        told     o1 try=1 captured=200      -> expired moved=0
        payments o1                         -> 1 card authorised authorised=200 captured=200 next=give_back:200
        told     o1 try=1 refunded=200      -> expired moved=0
        told     o1 try=2 captured=200      -> confirmed moved=2
        told     o1 try=2 captured=200      -> confirmed moved=0 again
        payments o1                         -> 1 card authorised authorised=200 captured=200 refunded=200 \
                                               next=nothing \
                                               | 2 card authorised authorised=200 captured=200 next=nothing
        history  o1                         -> placed 0 n=2 | attempt_begun card | expired n=2 | captured amount=199 \
                                               | captured amount=200 | refunded amount=200 | captured amount=200 \
                                               | charged_late n=2
    ",
    );
    check(
        "
        receive  mug 2
        effects  payment
        place    o1 mug*2 hold=1s
        wait     1s                         -> o1 expired
        place    o2 mug*1
        told     o1 adapter captured=200    -> not_taken_again mug
        told     o1 adapter captured=200    -> expired moved=0 again
        payments o1                         -> adapter card authorised authorised=200 captured=200 next=give_back:200
        wanted   payment                    -> o2 charge 1 amount=100 | o1 give_back 3 amount=200
        history  o1                         -> placed 0 n=2 | expired n=2 | close_wanted attempt=2 \
                                               | captured amount=200 | retake_failed mug | give_back_wanted attempt=3
        told     o1 adapter refunded=200    -> expired moved=0
        wanted   payment                    -> o2 charge 1 amount=100 | o1 look 4 amount=0
        label    o1                         -> refunded
    ",
    );
}

#[test]
fn money_that_went_back_too_late_is_taken_again_when_the_units_are_there_for_another_payment() {
    check(
        "
        receive  mug 2
        effects  payment
        place    o1 mug*2 hold=1s
        wait     1s                         -> o1 expired
        place    o2 mug*1
        told     o1 adapter captured=200    -> not_taken_again mug
        told     o1 adapter refunded=200    -> expired moved=0
        cancel   o2
        told     o1 try=2 authorised=200    -> confirmed moved=2
        ship     o1                         -> completed moved=2
        payments o1                         -> adapter card authorised authorised=200 captured=200 refunded=200 \
                                               next=nothing \
                                               | 2 card authorised authorised=200 next=capture:200
    ",
    );
}

#[test]
fn a_success_in_the_millisecond_of_the_deadline_is_late_whoever_noticed_it_first() {
    for (swept, expired) in [("", "o1 expired"), ("late", "nothing swept")] {
        let mut script = ordered(2, "");
        script.run(&format!("{swept}\nwait 999ms -> {}", if swept.is_empty() { "nothing expired" } else { expired }));
        assert_eq!(script.try_line("told o1 try=2 authorised=100"), "pending_payment moved=0");
        assert_eq!(script.try_line("wait 1ms"), expired);
        assert_eq!(script.try_line("told o1 try=1 captured=200"), "confirmed moved=2", "{swept}");
        let history = script.try_line("history o1");
        assert!(history.ends_with("| expired n=2 | captured amount=200 | charged_late n=2"), "{history}");
        let mut script = ordered(2, "");
        script.run(&format!("{swept}\nwait 1s\nplace o2 mug*1"));
        assert_eq!(script.try_line("told o1 try=1 captured=200"), "not_taken_again mug", "{swept}");
    }
}

/// Does what is to be done with the money of an order, as an adapter would, until nothing is.
pub(crate) fn bring_to_rest(script: &mut Script, name: &str) -> Vec<PaymentView> {
    for _ in 0..20 {
        let payments = script.view(name).payments;
        let to_do = |payment: &&PaymentView| payment.step != Step::Nothing;
        let Some(next) = payments.iter().find(to_do) else { return payments };
        let what = match next.step {
            Step::Charge { amount } => format!("authorised={amount}"),
            Step::Capture { total } => format!("captured={total}"),
            Step::GiveBack { total } => format!("refunded={total}"),
            Step::Close | Step::Nothing => "voided".to_owned(),
        };
        let who =
            if next.attempt == ChangeId::HANDED_OFF { "adapter".to_owned() } else { format!("try={}", next.attempt.0) };
        script.try_line(&format!("told {name} {who} {what}"));
    }
    panic!("{name} does not come to rest: {:?}", script.view(name).payments)
}

#[test]
fn every_order_of_paying_expiring_cancelling_and_reselling_ends_with_units_or_with_money_and_never_with_both() {
    for (before, who) in [("", "try=1"), ("effects payment", "adapter"), ("late", "try=1")] {
        let (paid, set_aside) = (format!("told o1 {who} captured=200"), "told o1 try=2 authorised=200");
        for lines in permutations(&[&paid, "wait 1s", "cancel o1", "place o2 mug*2 cod", set_aside]) {
            let mut script = ordered(2, before);
            say_all(&mut script, &lines);
            // Whatever else: when the other order is in the way, this one cannot be confirmed.
            script.try_line("wait 1s");
            let payments = bring_to_rest(&mut script, "o1");
            let (state, resold) = (script.view("o1").state, !script.try_line("order o2").starts_with("no:"));
            let net: u64 = payments.iter().map(|payment| payment.captured - payment.refunded).sum();
            let (expected, open) = match state {
                State::Confirmed => (200, true),
                State::Cancelled | State::Expired => (0, false),
                other => panic!("{lines:?} ends {}", other.name()),
            };
            let is_live = |it: &PaymentView| it.stage == Stage::Authorised && it.authorised > it.captured;
            let kept: u64 = payments.iter().filter(|it| is_live(it)).map(|it| it.authorised - it.captured).sum();
            assert_eq!(net + kept, expected, "{lines:?} ends {}: {payments:?}", state.name());
            assert!(!(open && resold), "{lines:?}: two mugs, and two orders for two each");
        }
    }
}

#[test]
fn what_a_payment_falls_short_of_can_be_seen_and_goes_back_when_the_order_expires() {
    check(
        "
        receive  mug 2
        place    o1 mug*2 hold=1s
        told     o1 try=1 captured=60       -> pending_payment moved=0
        told     o1 try=2 authorised=60     -> pending_payment moved=0
        order    o1                         -> pending_payment mug reserved=2
        payments o1                         -> 1 card authorised authorised=60 captured=60 next=nothing \
                                               | 2 card authorised authorised=60 next=nothing
        wait     1s                         -> o1 expired
        payments o1                         -> 1 card authorised authorised=60 captured=60 next=give_back:60 \
                                               | 2 card authorised authorised=60 next=close
    ",
    );
}

#[test]
fn what_was_told_of_an_expired_order_before_does_not_pay_for_it() {
    check(
        "
        receive  mug 2
        place    o1 mug*2 hold=1s
        wait     1s                         -> o1 expired
        place    o2 mug*1
        told     o1 try=1 authorised=200    -> not_taken_again mug
        payments o1                         -> 1 card authorised authorised=200 next=close
        cancel   o2
        told     o1 try=1 captured=200      -> expired moved=0
        payments o1                         -> 1 card authorised authorised=200 captured=200 next=give_back:200
        confirm  o1 try=1                   -> no: conflict
        told     o1 try=1 refunded=200      -> expired moved=0
        told     o1 try=2 captured=150      -> expired moved=0
        told     o1 try=3 captured=150      -> expired moved=0
        payments o1                         -> 1 card authorised authorised=200 captured=200 refunded=200 next=nothing \
                                               | 2 card authorised authorised=150 captured=150 next=give_back:150 \
                                               | 3 card authorised authorised=150 captured=150 next=give_back:150
        confirm  o1 try=4                   -> confirmed moved=2
        payments o1                         -> 1 card authorised authorised=200 captured=200 refunded=200 \
                                               next=nothing \
                                               | 2 card authorised authorised=150 captured=150 next=give_back:150 \
                                               | 3 card authorised authorised=150 captured=150 next=give_back:150 \
                                               | 4 card authorised authorised=200 captured=200 next=nothing
    ",
    );
}

#[test]
fn what_adapters_were_asked_to_let_go_pays_an_expired_order_only_when_it_was_taken() {
    check(
        "
        receive  mug 9
        effects  payment
        place    o1 mug*2 hold=1s
        start    o1 try=1
        place    o2 mug*2 hold=1s
        wait     1s                         -> o1 o2 expired
        wanted   payment                    -> o1 close 3 amount=0 | o2 close 2 amount=0
        told     o1 adapter authorised=200  -> expired moved=0
        told     o1 try=1 authorised=200    -> expired moved=0
        payments o1                         -> adapter card authorised authorised=200 next=close \
                                               | 1 card authorised authorised=200 next=close
        told     o1 try=2 authorised=200    -> confirmed moved=2
        told     o2 adapter captured=200    -> confirmed moved=2
    ",
    );
}

#[test]
fn an_order_is_not_closed_while_a_payment_is_disputed() {
    check(
        "
        retention window=1s ids=24h
        receive  mug 2
        place    o1 mug*1
        told     o1 try=1 captured=100      -> confirmed moved=1
        ship     o1                         -> completed moved=1
        told     o1 try=1 disputed          -> completed moved=0
        wait     10s                        -> nothing expired
        order    o1                         -> completed mug shipped=1
        told     o1 try=1 dispute_won       -> completed moved=0
        wait     1ms                        -> nothing expired
        order    o1                         -> completed closed
        told     o1 try=1 charged_back=100  -> no: closed
        money                               -> GBP authorised=100 captured=100 refunded=0 charged_back=0
    ",
    );
}
