//! What whoever places orders placed lately: every example of `docs/VELOCITY.md`, and what is too long for a page.

use stockade::base::limits::{VELOCITY_KEYS_MAX, VELOCITY_WINDOW_MS_MAX, VELOCITY_WINDOW_MS_MIN};
use stockade::base::{CustomerKey, MarketId};
use stockade::engine::command::IdentityHashes;
use stockade::engine::refusal::Field;
use stockade::engine::{Capacity, Command, Kept, Refusal, Velocity};

use crate::rig::{MARKET, Rig};
use crate::script::{Script, check, check_within};

const PAGE: &str = include_str!("../../docs/VELOCITY.md");

#[test]
fn every_example_of_the_page_is_what_happens() {
    let examples: Vec<&str> = PAGE.split("```script\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(examples.len() >= 5, "the page has examples");
    examples.into_iter().for_each(check);
}

#[test]
fn money_is_that_of_the_units_an_order_got_or_is_owed() {
    check(
        "
        receive  mug 3
        velocity window=60s keys=9
        place    o1 mug*5@10 customer=7 exists  -> #1 pending_payment taken=3
        velocity customer=7                     -> customer orders=1 money=30 GBP
        policy   mug oversell=9                 -> set
        place    o2 mug*4@10 customer=7         -> #2 pending_payment owed n=4
        velocity customer=7                     -> customer orders=2 money=70 GBP
    ",
    );
}

#[test]
fn every_hash_is_a_key_of_its_own_and_zero_is_none() {
    check(
        "
        receive  mug 99
        velocity window=60s keys=9
        place    o1 mug*1 account=5 address=5   -> #1 pending_payment
        place    o2 mug*1 customer=5 account=5  -> #2 pending_payment
        place    o3 mug*1                       -> #3 pending_payment
        velocity customer=5 account=5 address=5 instrument=5 -> customer orders=1 money=100 GBP | \
account orders=2 money=200 GBP | address orders=1 money=100 GBP | instrument orders=0
    ",
    );
}

#[test]
fn markets_count_for_themselves() {
    check(
        "
        receive  mug 99
        velocity window=60s keys=1
        market   second
        receive  mug 99
        velocity window=60s keys=1
        place    p1 mug*1 customer=7            -> #1 pending_payment
        market   default
        place    o1 mug*1 customer=8            -> #1 pending_payment
        place    o2 mug*1 customer=9            -> #2 pending_payment
        velocity customer=7                     -> customer orders=0 incomplete
        market   second
        velocity customer=7                     -> customer orders=1 money=100 GBP
    ",
    );
}

#[test]
fn fewer_keys_forget_whoever_was_quiet_longest_and_more_forget_nobody() {
    check(
        "
        receive  mug 99
        velocity window=60s keys=3
        place    o1 mug*1 customer=1
        place    o2 mug*1 customer=2
        place    o3 mug*1 customer=3
        velocity window=60s keys=2              -> set
        velocity customer=1                     -> customer orders=0 incomplete
        velocity customer=2                     -> customer orders=1 money=100 GBP
        velocity window=60s keys=9              -> set
        place    o4 mug*1 customer=1
        velocity customer=1                     -> customer orders=1 money=100 GBP incomplete
        velocity customer=3                     -> customer orders=1 money=100 GBP
    ",
    );
}

#[test]
fn whoever_names_more_keys_than_are_counted_is_counted_as_far_as_they_go() {
    check(
        "
        receive  mug 99
        velocity window=60s keys=2
        place    o1 mug*1 customer=1 account=1 address=1 instrument=1 -> #1 pending_payment
        velocity customer=1 account=1 address=1 instrument=1 -> customer orders=0 incomplete | \
account orders=0 incomplete | address orders=1 money=100 GBP | instrument orders=1 money=100 GBP incomplete
    ",
    );
}

#[test]
fn markets_count_as_many_keys_together_as_there_is_room_for() {
    check_within(
        Capacity { velocity_max: 10, ..Capacity::default() },
        "
        velocity window=60s keys=11             -> no: at_capacity
        velocity window=60s keys=6              -> set
        market   second
        velocity window=60s keys=5              -> no: at_capacity
        velocity window=60s keys=4              -> set
        market   default
        velocity window=60s keys=7              -> no: at_capacity
        velocity window=90s keys=6              -> set
        velocity window=0s keys=0               -> set
        market   second
        velocity window=60s keys=10             -> set
    ",
    );
}

#[test]
fn the_room_that_markets_set_is_counted_whether_it_is_used_or_not() {
    let mut script = Script::new(Rig::new(Capacity { velocity_max: 10, ..Capacity::default() }));
    script.run("velocity window=60s keys=10 -> set");
    assert_eq!(script.rig.engine.kept(Kept::Velocity), 10);
}

#[test]
fn a_window_and_its_keys_have_bounds() {
    let mut rig = Rig::new(Capacity::UNBOUNDED);
    rig.open("default");
    let mut set = |window_ms, keys_max| {
        let velocity = Velocity { window_ms, keys_max };
        rig.submit(&Command::SetVelocity { market: MARKET, velocity }).map(|_| ())
    };
    let (least, most) = (VELOCITY_WINDOW_MS_MIN, VELOCITY_WINDOW_MS_MAX);
    let wrong =
        |min: u32, max: u32| Err(Refusal::OutOfBounds { field: Field::Velocity, min: min.into(), max: max.into() });
    for window_ms in [least - 1, most + 1, 0] {
        assert_eq!(set(window_ms, 1), wrong(least, most), "{window_ms}");
    }
    for keys_max in [0, VELOCITY_KEYS_MAX + 1] {
        assert_eq!(set(least, keys_max), wrong(1, VELOCITY_KEYS_MAX), "{keys_max}");
    }
    for velocity in [(least, 1), (most, VELOCITY_KEYS_MAX), (0, 0)] {
        assert_eq!(set(velocity.0, velocity.1), Ok(()));
    }
    let nowhere = MarketId::new(9).expect("few");
    let asked = rig.engine.velocity(nowhere, CustomerKey(1), IdentityHashes::default(), rig.now);
    assert_eq!(asked, Err(Refusal::UnknownMarket));
}
