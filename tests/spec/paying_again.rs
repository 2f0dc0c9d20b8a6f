//! Orders that were paid and are so no longer: what is missing, what is kept back until it is there again, and what is
//! let go for good.

use crate::script::check;

#[test]
fn an_authorisation_that_ran_out_stops_the_release_until_another_payment_covers_what_it_did() {
    check(
        "
        receive  mug 3
        effects  payment release
        place    o1 mug*3                   -> #1 pending_payment
        missing  o1                         -> 300
        told     o1 adapter authorised=300  -> confirmed moved=3
        missing  o1                         -> 0
        start    o1 try=2                   -> no: illegal confirmed
        wanted   release                    -> o1 release 1 amount=300
        ship     o1 0*1 id=1                -> fulfilling moved=1
        report   o1 release 1 done
        told     o1 adapter captured=100    -> fulfilling moved=0
        told     o1 adapter expired         -> fulfilling moved=0
        missing  o1                         -> 200
        order    o1                         -> fulfilling mug committed=2 shipped=1
        stock    mug                        -> committed=2 customer=1
        wanted   release                    -> o1 release 2 amount=100
        wanted   payment                    -> nothing
        start    o1 try=2 pays=wallet       -> fulfilling moved=0
        wanted   payment                    -> o1 charge 3 amount=200
        told     o1 try=2 authorised=150    -> fulfilling moved=0
        missing  o1                         -> 50
        wanted   payment                    -> o1 look 4 amount=0
        report   o1 payment 4 done          -> fulfilling moved=0
        start    o1 try=3                   -> fulfilling moved=0
        wanted   payment                    -> o1 charge 5 amount=50
        told     o1 try=2 authorised=200    -> fulfilling moved=0
        wanted   payment                    -> o1 close 6 amount=0
        wanted   release                    -> o1 release 3 amount=300
        start    o1 try=4                   -> no: illegal fulfilling
        told     o1 try=3 voided            -> fulfilling moved=0
        ship     o1 id=2                    -> completed moved=2
        payments o1                         -> adapter card expired authorised=300 captured=100 next=nothing \
                                               | 2 wallet authorised authorised=200 next=capture:200 \
                                               | 3 card voided next=nothing
    ",
    );
}

#[test]
fn an_authorisation_that_ran_out_keeps_the_order_and_another_one_takes_its_place() {
    check(
        "
        policy   mug oversell=5
        place    o1 mug*2                   -> #1 pending_payment owed n=2
        told     o1 try=1 authorised=200    -> confirmed moved=2
        wait     999h
        told     o1 try=1 expired           -> confirmed moved=0
        told     o1 try=1 expired           -> confirmed moved=0 again
        told     o1 try=1 authorised=200    -> confirmed moved=0 again
        order    o1                         -> confirmed mug owed=2
        payments o1                         -> 1 card expired authorised=200 next=nothing
        label    o1                         -> voided
        told     o1 try=2 authorised=200    -> confirmed moved=0
        receive  mug 2
        ship     o1                         -> completed moved=2
        payments o1                         -> 1 card expired authorised=200 next=nothing \
                                               | 2 card authorised authorised=200 next=capture:200
    ",
    );
}

#[test]
fn what_arrives_or_is_lifted_while_money_is_missing_stays_where_it_is_and_what_is_cancelled_is_missed_no_more() {
    check(
        "
        policy   mug oversell=9
        effects  release
        place    o1 mug*2                   -> #1 pending_payment owed n=2
        told     o1 try=1 authorised=200    -> confirmed moved=2
        told     o1 try=1 voided            -> confirmed moved=0
        hold     o1 desk:fraud              -> in_review moved=0
        receive  mug 1
        lift     o1 desk:fraud              -> confirmed moved=0
        wanted   release                    -> nothing
        drop     o1 0*1 id=1                -> confirmed moved=1
        missing  o1                         -> 100
        hold     o1 desk:fraud              -> in_review moved=0
        start    o1 try=2                   -> in_review moved=0
        told     o1 try=2 captured=100      -> in_review moved=0
        missing  o1                         -> 0
        wanted   release                    -> nothing
        lift     o1 desk:fraud              -> confirmed moved=0
        wanted   release                    -> o1 release 1 amount=100
        told     o1 try=2 charged_back=100  -> confirmed moved=0
        wanted   release                    -> o1 release 2 amount=0
        cancel   o1                         -> cancelled moved=2
        missing  o1                         -> 0
        wanted   release                    -> o1 release 2 amount=0
        start    o1 try=3                   -> no: illegal cancelled
    ",
    );
}

#[test]
fn a_charge_back_stops_what_has_not_left() {
    check(
        "
        receive  mug 3
        effects  release
        place    o1 mug*3
        told     o1 try=1 captured=300      -> confirmed moved=3
        wanted   release                    -> o1 release 1 amount=300
        ship     o1 0*1 id=1                -> fulfilling moved=1
        wanted   release                    -> o1 release 1 amount=300
        told     o1 try=1 disputed          -> fulfilling moved=0
        missing  o1                         -> 0
        told     o1 try=1 charged_back=120  -> fulfilling moved=0
        missing  o1                         -> 120
        wanted   release                    -> o1 release 2 amount=100
        drop     o1 0*1 id=2                -> fulfilling moved=1
        missing  o1                         -> 20
        wanted   release                    -> o1 release 2 amount=100
        told     o1 try=2 captured=20       -> fulfilling moved=0
        wanted   release                    -> o1 release 3 amount=200
        ship     o1 id=3                    -> completed moved=1
        told     o1 try=1 charged_back=300  -> completed moved=0
        missing  o1                         -> 180
        start    o1 try=3                   -> completed moved=0
        told     o1 try=3 authorised=180    -> completed moved=0
        payments o1                         -> 1 card authorised dispute=over authorised=300 captured=300 \
                                               charged_back=300 next=nothing \
                                               | 2 card authorised authorised=20 captured=20 next=nothing \
                                               | 3 card authorised authorised=180 next=capture:180
        wanted   release                    -> o1 release 3 amount=200
    ",
    );
}

#[test]
fn what_somebody_asked_back_is_not_missing() {
    check(
        "
        receive  mug 2
        effects  release
        place    o1 mug*2
        told     o1 try=1 captured=200      -> confirmed moved=2
        refund   o1 60 id=1                 -> confirmed moved=60
        missing  o1                         -> 0
        told     o1 try=1 refunded=90       -> confirmed moved=0
        missing  o1                         -> 0
        wanted   release                    -> o1 release 1 amount=200
        told     o1 try=1 charged_back=100  -> confirmed moved=0
        missing  o1                         -> 100
        wanted   release                    -> o1 release 2 amount=0
    ",
    );
}

#[test]
fn what_went_back_for_cancelled_units_and_was_asked_for_too_is_missing_once_a_bank_takes_the_rest() {
    check(
        "
        receive  mug 2
        effects  release
        place    o1 mug*2
        told     o1 try=1 captured=200      -> confirmed moved=2
        refund   o1 30 id=1                 -> confirmed moved=30
        drop     o1 0*1 id=2                -> confirmed moved=1
        told     o1 try=1 refunded=100      -> confirmed moved=0
        missing  o1                         -> 0
        told     o1 try=1 charged_back=100  -> confirmed moved=0
        missing  o1                         -> 100
    ",
    );
}

#[test]
fn an_order_that_was_confirmed_by_hand_or_needed_no_payment_misses_nothing() {
    check(
        "
        receive  mug 9
        effects  release
        place    o1 mug*1                   -> #1 pending_payment
        missing  o1                         -> 100
        confirm  o1                         -> confirmed moved=1
        missing  o1                         -> 0
        start    o1 try=2                   -> no: illegal confirmed
        wanted   release                    -> o1 release 1 amount=100
        told     o1 try=3 failed=declined:now -> confirmed moved=0
        told     o1 try=4 authorised=40     -> confirmed moved=0
        told     o1 try=5 processing        -> confirmed moved=0
        missing  o1                         -> 0
        start    o1 try=2                   -> no: illegal confirmed
        payments o1                         -> 3 card failed declined:now next=nothing \
                                               | 4 card authorised authorised=40 next=nothing \
                                               | 5 card processing next=close
        place    o2 mug*1 cod               -> #2 confirmed
        told     o2 try=1 processing        -> confirmed moved=0
        missing  o2                         -> 0
        payments o2                         -> 1 card processing next=close
        start    o2 try=2                   -> no: illegal confirmed
        place    o3 mug*1@0                 -> #3 confirmed
        missing  o3                         -> 0
        place    o4 mug*1 hold=1s
        wait     1s                         -> o4 expired
        confirm  o4 try=1                   -> confirmed moved=1
        told     o4 try=2 voided            -> confirmed moved=0
        missing  o4                         -> 0
        wanted   release                    -> o1 release 1 amount=100 | o2 release 1 amount=100 \
                                               | o3 release 1 amount=0 | o4 release 1 amount=100
    ",
    );
}

#[test]
fn what_adapters_are_asked_for_is_closed_when_their_order_is_confirmed_by_hand_and_never_charged() {
    check(
        "
        receive  mug 9
        effects  payment release
        place    o1 mug*1                   -> #1 pending_payment
        confirm  o1 adapter                 -> confirmed moved=1
        missing  o1                         -> 0
        payments o1                         -> adapter card created next=close
        wanted   payment                    -> o1 close 2 amount=0
        told     o1 adapter voided          -> confirmed moved=0
        missing  o1                         -> 0
        wanted   release                    -> o1 release 1 amount=100
        place    o2 mug*1                   -> #2 pending_payment
        told     o2 try=1 authorised=40     -> pending_payment moved=0
        missing  o2                         -> 60
        confirm  o2 try=2                   -> confirmed moved=1
        missing  o2                         -> 0
        place    o3 mug*1                   -> #3 pending_payment
        start    o3 try=1                   -> pending_payment moved=0
        confirm  o3 adapter                 -> confirmed moved=1
        missing  o3                         -> 0
        payments o3                         -> 1 card created next=close \
                                               | adapter card authorised authorised=100 captured=100 next=nothing
        place    o4 mug*1 hold=1s
        start    o4 try=1                   -> pending_payment moved=0
        told     o4 adapter processing      -> pending_payment moved=0
        wait     1s                         -> o4 expired
        confirm  o4 adapter                 -> confirmed moved=1
        told     o4 try=1 captured=100      -> confirmed moved=0
        payments o4                         -> 1 card authorised authorised=100 captured=100 next=give_back:100 \
                                               | adapter card authorised authorised=100 captured=100 next=nothing
        wanted   release                    -> o1 release 1 amount=100 | o2 release 1 amount=100 \
                                               | o3 release 1 amount=100 | o4 release 1 amount=100
    ",
    );
}

#[test]
fn what_is_on_its_way_back_of_an_expired_order_is_let_go_for_good_when_another_payment_comes_late() {
    check(
        "
        receive  mug 2
        effects  payment release
        place    o1 mug*2 hold=1s
        told     o1 try=1 captured=150      -> pending_payment moved=0
        start    o1 try=2                   -> pending_payment moved=0
        wait     1s                         -> o1 expired
        missing  o1                         -> 0
        told     o1 try=3 authorised=200    -> confirmed moved=2
        missing  o1                         -> 0
        payments o1                         -> adapter card created next=close \
                                               | 1 card authorised authorised=150 captured=150 next=give_back:150 \
                                               | 2 card created next=close \
                                               | 3 card authorised authorised=200 next=nothing
        told     o1 try=3 voided            -> confirmed moved=0
        missing  o1                         -> 200
        wanted   release                    -> o1 release 2 amount=0
        told     o1 try=1 captured=200      -> confirmed moved=0
        missing  o1                         -> 200
        refund   o1 1                       -> no: refund_too_much left=0
        told     o1 try=1 disputed          -> confirmed moved=0
        told     o1 try=1 authorised=250    -> confirmed moved=0
        payments o1                         -> adapter card created next=close \
                                               | 1 card authorised dispute=open authorised=250 captured=200 \
                                               next=close \
                                               | 2 card created next=close | 3 card voided authorised=200 next=nothing
        told     o1 try=1 dispute_won       -> confirmed moved=0
        told     o1 adapter authorised=200  -> confirmed moved=0
        told     o1 try=2 captured=200      -> confirmed moved=0
        missing  o1                         -> 200
        payments o1                         -> adapter card authorised authorised=200 next=close \
                                               | 1 card authorised dispute=over authorised=250 captured=200 \
                                               next=give_back:200 \
                                               | 2 card authorised authorised=200 captured=200 next=give_back:200 \
                                               | 3 card voided authorised=200 next=nothing
        told     o1 try=1 refunded=200      -> confirmed moved=0
        start    o1 try=4                   -> confirmed moved=0
        payments o1                         -> adapter card authorised authorised=200 next=close \
                                               | 1 card authorised dispute=over authorised=250 captured=200 \
                                               refunded=200 next=close \
                                               | 2 card authorised authorised=200 captured=200 next=give_back:200 \
                                               | 3 card voided authorised=200 next=nothing \
                                               | 4 card created next=charge:200
        told     o1 try=4 authorised=200    -> confirmed moved=0
        wanted   release                    -> o1 release 3 amount=200
        ship     o1                         -> completed moved=2
        told     o1 try=4 captured=200      -> completed moved=0
        refund   o1 201 id=2                -> no: refund_too_much left=200
        told     o1 try=2 refunded=200      -> completed moved=0
        refund   o1 200 id=2                -> completed moved=200
    ",
    );
}

#[test]
fn a_confirmation_that_comes_late_lets_go_of_every_other_payment() {
    check(
        "
        receive  mug 2
        effects  payment
        place    o1 mug*2 hold=1s
        told     o1 try=1 authorised=150    -> pending_payment moved=0
        wait     1s                         -> o1 expired
        confirm  o1 try=2                   -> confirmed moved=2
        missing  o1                         -> 0
        told     o1 try=2 charged_back=200  -> confirmed moved=0
        missing  o1                         -> 200
        payments o1                         -> adapter card created next=close \
                                               | 1 card authorised authorised=150 next=close \
                                               | 2 card authorised dispute=over authorised=200 captured=200 \
                                               charged_back=200 next=nothing
        told     o1 adapter captured=200    -> confirmed moved=0
        missing  o1                         -> 200
        wanted   payment                    -> o1 give_back 4 amount=200
    ",
    );
    check(
        "
        receive  mug 2
        place    o1 mug*2 hold=1s
        wait     1s                         -> o1 expired
        confirm  o1 try=2                   -> confirmed moved=2
        told     o1 try=3 captured=200      -> confirmed moved=0
        payments o1                         -> 3 card authorised authorised=200 captured=200 next=nothing
    ",
    );
}

#[test]
fn what_an_order_counts_on_is_kept_when_an_older_payment_turns_out_well_after_it() {
    check(
        "
        receive  mug 3
        place    o1 mug*2
        start    o1 try=1
        start    o1 try=2
        told     o1 try=1 processing
        told     o1 try=2 authorised=200    -> confirmed moved=2
        payments o1                         -> 1 card processing next=close \
                                               | 2 card authorised authorised=200 next=nothing
        told     o1 try=1 authorised=200    -> confirmed moved=0
        payments o1                         -> 2 card authorised authorised=200 next=nothing \
                                               | 1 card authorised authorised=200 next=close
        ship     o1                         -> completed moved=2
        payments o1                         -> 2 card authorised authorised=200 next=capture:200 \
                                               | 1 card authorised authorised=200 next=close
        told     o1 try=1 captured=200      -> completed moved=0
        payments o1                         -> 2 card authorised authorised=200 next=close \
                                               | 1 card authorised authorised=200 captured=200 next=nothing
    ",
    );
    check(
        "
        receive  mug 3
        effects  payment
        place    o1 mug*2
        told     o1 adapter failed=timed_out:now -> payment_failed moved=0
        told     o1 try=2 captured=200      -> confirmed moved=2
        told     o1 adapter captured=200    -> confirmed moved=0
        payments o1                         -> 2 card authorised authorised=200 captured=200 next=nothing \
                                               | adapter card authorised authorised=200 captured=200 next=give_back:200
        told     o1 try=2 charged_back=200  -> confirmed moved=0
        told     o1 try=2 captured=400      -> confirmed moved=0
        payments o1                         -> adapter card authorised authorised=200 captured=200 next=nothing \
                                               | 2 card authorised dispute=over authorised=400 captured=400 \
                                               charged_back=200 next=give_back:200
    ",
    );
}

#[test]
fn what_goes_back_of_a_payment_that_was_let_go_was_not_asked_back_of_the_others() {
    check(
        "
        receive  mug 2
        place    o1 mug*2 hold=1s
        told     o1 try=1 captured=50       -> pending_payment moved=0
        wait     1s                         -> o1 expired
        told     o1 try=2 captured=100      -> expired moved=0
        told     o1 try=2 refunded=100      -> expired moved=0
        told     o1 try=2 captured=300      -> confirmed moved=2
        told     o1 try=2 charged_back=100  -> confirmed moved=0
        missing  o1                         -> 100
        told     o1 try=1 refunded=50       -> confirmed moved=0
        missing  o1                         -> 100
        payments o1                         -> 1 card authorised authorised=50 captured=50 refunded=50 next=nothing \
                                               | 2 card authorised dispute=over authorised=300 captured=300 \
                                               refunded=100 charged_back=100 next=nothing
        told     o1 try=2 refunded=101      -> confirmed moved=0
        missing  o1                         -> 100
        refund   o1 100                     -> no: refund_too_much left=99
    ",
    );
}
