//! What no payment may exceed: amounts, attempts, currencies, and the room there is.

use stockade::base::limits::{CURRENCIES_MAX, ORDER_TOTAL_MAX};
use stockade::engine::Capacity;

use crate::rig::{MARKET, Rig, room_for};
use crate::script::{Script, check, check_within};

#[test]
fn what_is_told_in_another_currency_is_refused_and_changes_nothing() {
    check(
        "
        receive  mug 2
        place    o1 mug*2 in=SEK
        told     o1 try=1 captured=200             -> no: other_currency SEK
        payments o1                                -> nothing
        money                                      -> nothing
        told     o1 try=1 captured=200 in=SEK      -> confirmed moved=2
        told     o1 try=1 captured=200             -> no: other_currency SEK
        told     o1 try=1 failed=other:never in=EUR -> no: other_currency SEK
        money                                      -> SEK authorised=200 captured=200 refunded=0 charged_back=0
    ",
    );
}

#[test]
fn a_payment_of_nothing_or_of_more_than_an_order_may_cost_is_refused() {
    let (most, more) = (ORDER_TOTAL_MAX, ORDER_TOTAL_MAX + 1);
    check(&format!(
        "
        receive  mug 2
        told     o9 try=1 captured=0        -> no: out_of_bounds Amount
        told     o9 try=1 captured=1        -> no: unknown_order
        start    o9 try=1                   -> no: unknown_order
        start    o9 try=1 pays=cash_on_delivery -> no: out_of_bounds Method
        place    o1 mug*2
        start    o1 try=1 pays=cash_on_delivery -> no: out_of_bounds Method
        told     o1 try=1 authorised={more} -> no: out_of_bounds Amount
        told     o1 try=1 refunded=0        -> no: out_of_bounds Amount
        told     o1 try=1 refund_failed=0   -> no: out_of_bounds Amount
        told     o1 try=1 charged_back={more} -> no: out_of_bounds Amount
        told     o1 try=1 refunded={most}   -> pending_payment moved=0
        confirm  o1 try=1                   -> confirmed moved=2
        payments o1                         -> 1 card authorised authorised={most} captured={most} refunded={most} \
                                               next=nothing
        block    o2                         -> blocked moved=0
        start    o2 try=1                   -> no: unknown_order
        told     o2 try=1 captured=1        -> no: unknown_order
        refund   o2 1                       -> no: unknown_order
    "
    ));
}

#[test]
fn an_order_begins_eight_attempts_and_is_told_of_sixteen() {
    let begun: String = (1..=8).map(|id| format!("start o1 try={id} -> pending_payment moved=0\n")).collect();
    let told: String = (9..=16).map(|id| format!("told o1 try={id} failed=declined:now\n")).collect();
    check(&format!(
        "
        receive  mug 9
        place    o1 mug*2
        {begun}
        start    o1 try=9                   -> no: out_of_bounds Attempts
        start    o1 try=8                   -> pending_payment moved=0 again
        {told}
        told     o1 try=17 captured=200     -> no: out_of_bounds Attempts
        confirm  o1 try=17                  -> no: out_of_bounds Attempts
        confirm  o1 try=16                  -> confirmed moved=2
    "
    ));
}

#[test]
fn adapters_tell_of_their_charge_however_many_attempts_a_storefront_told_of() {
    let told: String = (1..=16).map(|id| format!("told o1 try={id} failed=declined:now\n")).collect();
    let mut script = Script::new(Rig::new(room_for(10)));
    script.run("receive mug 9\neffects payment\nplace o1 mug*2");
    told.lines().for_each(|line| drop(script.try_line(line)));
    script.run("told o1 adapter captured=200 -> confirmed moved=2");
}

#[test]
fn attempts_have_room_in_a_shard_and_that_of_the_adapters_has_it_from_the_placement_on() {
    check_within(
        Capacity { payments_max: 2, ..Capacity::default() },
        "
        retention window=1s ids=24h
        receive  mug 9
        place    o1 mug*2
        start    o1 try=1                   -> pending_payment moved=0
        effects  payment
        place    o2 mug*1                   -> #2 pending_payment
        place    o3 mug*1                   -> no: at_capacity
        place    o3 mug*1 cod               -> #3 confirmed
        start    o1 try=2                   -> no: at_capacity
        told     o1 try=2 captured=200      -> no: at_capacity
        confirm  o1 try=2                   -> no: at_capacity
        told     o2 try=2 captured=100      -> no: at_capacity
        told     o2 adapter captured=100    -> confirmed moved=1
        confirm  o1 try=1                   -> confirmed moved=2
        ship     o2                         -> completed moved=1
        wait     2s
        order    o2                         -> completed closed
        payments o2                         -> nothing
        told     o2 adapter refunded=100    -> no: closed
        told     o1 try=2 captured=200      -> confirmed moved=0
        money                               -> GBP authorised=500 captured=500 refunded=0 charged_back=0
    ",
    );
}

#[test]
fn a_market_is_paid_in_so_many_currencies_and_no_more() {
    let mut script = Script::new(Rig::new(room_for(100)));
    script.run("receive mug 99");
    let name = |at: usize| format!("{}{}A", char::from(b'A' + (at / 26) as u8), char::from(b'A' + (at % 26) as u8));
    for at in 0..CURRENCIES_MAX {
        let code = name(at);
        script.try_line(&format!("place o{at} mug*1 in={code}"));
        assert_eq!(script.try_line(&format!("told o{at} try=1 captured=100 in={code}")), "confirmed moved=1");
    }
    script.run(
        "
        place    p1 mug*1 in=ZZZ
        start    p1 try=1                           -> no: out_of_bounds Currencies
        told     p1 try=1 captured=100 in=ZZZ       -> no: out_of_bounds Currencies
        confirm  p1 try=1                           -> confirmed moved=1
        place    p2 mug*1 in=AAA
        told     p2 try=1 captured=100 in=AAA       -> confirmed moved=1
        effects  payment
        place    p3 mug*1 in=ZZZ                    -> no: out_of_bounds Currencies
        place    p3 mug*1 in=AAA                    -> #67 pending_payment
        told     p3 adapter captured=100 in=AAA     -> confirmed moved=1
    ",
    );
    assert_eq!(script.rig.engine.books(MARKET).expect("open").money.len(), CURRENCIES_MAX);
}
