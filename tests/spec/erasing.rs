//! Details of orders: who can read them, until when, and what of an order stays when nobody can.

use stockade::base::{CustomerKey, KeyName, OrderId};
use stockade::engine::{Capacity, Command, Line, Place};

use crate::replaying::place;
use crate::rig::{Rig, START, room_for};
use crate::script::{check, check_within};

#[test]
fn details_come_back_as_they_were_given() {
    check(
        "
        receive  mug 9
        place    o1 mug*1 note=Ada customer=7   -> #1 pending_payment
        place    o2 mug*1 note=Bob              -> #2 pending_payment
        place    o3 mug*1                       -> #3 pending_payment
        details  o1                             -> Ada
        details  o2                             -> Bob
        details  o3                             -> nothing
    ",
    );
}

#[test]
fn erasing_a_customer_takes_the_details_of_all_their_orders_and_leaves_the_orders() {
    check(
        "
        receive  mug 9
        place    o1 mug*1 note=Ada customer=7   -> #1 pending_payment
        place    o2 mug*2 note=Ada customer=7   -> #2 pending_payment
        place    o3 mug*1 customer=7            -> #3 pending_payment
        place    o4 mug*1 note=Bob customer=8   -> #4 pending_payment
        place    o5 mug*1 note=Eve              -> #5 pending_payment
        erase    customer=7                     -> erased orders=2
        erase    customer=7                     -> erased orders=0 again
        details  o1                             -> erased
        details  o2                             -> erased
        details  o3                             -> nothing
        details  o4                             -> Bob
        details  o5                             -> Eve
        confirm  o2                             -> confirmed moved=2
        cancel   o1                             -> cancelled moved=1
        orders_of 7                             -> o3 pending_payment | o2 confirmed | o1 cancelled
    ",
    );
}

#[test]
fn who_was_erased_may_buy_again_and_be_erased_again() {
    check(
        "
        receive  mug 9
        place    o1 mug*1 note=Ada customer=7   -> #1 pending_payment
        erase    customer=7                     -> erased orders=1
        place    o2 mug*1 note=Ada customer=7   -> #2 pending_payment
        details  o1                             -> erased
        details  o2                             -> Ada
        erase    customer=7                     -> erased orders=1
        details  o2                             -> erased
    ",
    );
}

#[test]
fn a_guest_is_erased_by_the_order_and_a_customer_is_not() {
    check(
        "
        receive  mug 9
        place    o1 mug*1 note=Eve              -> #1 pending_payment
        place    o2 mug*1 note=Eve              -> #2 pending_payment
        place    o3 mug*1 note=Ada customer=7   -> #3 pending_payment
        erase    o1                             -> erased orders=1
        erase    o1                             -> erased orders=0 again
        details  o1                             -> erased
        details  o2                             -> Eve
        erase    o3                             -> no: out_of_bounds Customer
        erase    o9                             -> no: unknown_order
        erase    customer=0                     -> no: out_of_bounds Customer
        erase    customer=99                    -> erased orders=0 again
        block    o8
        erase    o8                             -> no: unknown_order
    ",
    );
}

#[test]
fn a_repeat_of_what_was_erased_cannot_be_compared_and_one_without_details_is_another_order() {
    check(
        "
        receive  mug 9
        place    o1 mug*1 note=Ada customer=7   -> #1 pending_payment
        place    o1 mug*1 customer=7            -> no: conflict
        place    o1 mug*1 note=Bob customer=7   -> no: conflict
        erase    customer=7                     -> erased orders=1
        place    o1 mug*1 note=Ada customer=7   -> no: erased
        place    o1 mug*1 note=Bob customer=7   -> no: erased
        place    o1 mug*2 note=Ada customer=7   -> no: conflict
        place    o1 mug*1 customer=7            -> no: conflict
        place    o2 mug*1 customer=7            -> #2 pending_payment
        place    o2 mug*1 note=Ada customer=7   -> no: conflict
    ",
    );
}

#[test]
fn a_closed_order_has_no_details_and_repeats_its_answer_whatever_they_were() {
    check(
        "
        retention window=1s ids=3600s
        receive  mug 9
        place    o1 mug*1 note=Ada customer=7   -> #1 pending_payment
        cancel   o1                             -> cancelled moved=1
        wait     1s
        details  o1                             -> nothing
        place    o1 mug*1 note=Ada customer=7   -> #1 cancelled again
        place    o1 mug*1 note=Bob customer=7   -> #1 cancelled again
        place    o1 mug*1 customer=7            -> no: conflict
        erase    customer=7                     -> erased orders=0 again
    ",
    );
}

#[test]
fn as_many_people_have_details_as_there_are_keys_and_everybody_else_buys_without() {
    check_within(
        Capacity { keys_max: 2, ..Capacity::default() },
        "
        retention window=1s ids=3600s
        receive  mug 20
        place    o1 mug*1 note=Ada customer=7   -> #1 pending_payment
        place    o2 mug*1 note=Eve              -> #2 pending_payment
        place    o3 mug*1 note=Bob customer=8   -> no: at_capacity
        place    o3 mug*1 note=Eve              -> no: at_capacity
        place    o3 mug*99 note=Eve             -> no: at_capacity
        place    o4 mug*1 note=Ada customer=7   -> #3 pending_payment
        place    o5 mug*1 customer=8            -> #4 pending_payment
        place    o1 mug*1 note=Ada customer=7   -> #1 pending_payment again
        cancel   o2                             -> cancelled moved=1
        place    o3 mug*1 note=Bob customer=8   -> no: at_capacity
        wait     1s
        place    o3 mug*1 note=Bob customer=8   -> #5 pending_payment
        place    o6 mug*1 note=Eve              -> no: at_capacity
        erase    customer=7                     -> erased orders=2
        place    o6 mug*1 note=Eve              -> #6 pending_payment
        details  o6                             -> Eve
    ",
    );
}

#[test]
fn a_customer_has_a_key_in_each_market() {
    check(
        "
        receive  mug 9
        place    o1 mug*1 note=Ada customer=7   -> #1 pending_payment
        market   second
        receive  mug 9
        place    p1 mug*1 note=Ada customer=7   -> #1 pending_payment
        erase    customer=7                     -> erased orders=1
        details  p1                             -> erased
        details  o1                             -> Ada
    ",
    );
}

#[test]
fn what_the_log_and_images_hold_of_details_is_not_what_was_given() {
    let mut rig = Rig::new(room_for(10));
    let market = rig.open("default");
    rig.submit(&Command::CreateSku { market, code: "mug" }).expect("created");
    let lines = [Line { sku: stockade::base::SkuId(1), quantity: 1, price: 0 }];
    let request = stockade::base::RequestId::new(START, market, 1);
    let (sku, site) = (stockade::base::SkuId(1), stockade::base::SiteId(1));
    rig.submit(&Command::Receive { request, sku, site, quantity: 9 }).expect("received");
    let secret = b"Ada Lovelace, 12 St James's Square";
    let order = OrderId::new(START, market, 1);
    let asked = Place { details: secret, customer: CustomerKey(7), ..place(order, &lines) };
    rig.submit(&Command::Place(asked)).expect("placed");
    let view = rig.engine.order(order).expect("placed");
    assert_eq!(view.key, Some(KeyName { slot: 0, generation: 0 }));
    assert!(view.details.windows(4).all(|window| !secret.windows(4).any(|other| other == window)));
    let mut image = Vec::new();
    let kept: Result<(), ()> = rig.engine.write_image(&mut |part| {
        image.extend_from_slice(part);
        Ok(())
    });
    kept.expect("a vector takes every part");
    assert!(!image.windows(secret.len()).any(|window| window == secret));
    assert_eq!(rig.opened(view).details, secret);
}
