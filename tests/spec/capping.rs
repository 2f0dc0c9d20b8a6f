//! How many units of a SKU are sold through one channel.

use stockade::base::limits::CHANNEL_CAPS_MAX;
use stockade::base::{RequestId, SiteId, SkuId};
use stockade::engine::query::{ChannelPage, ChannelRow};
use stockade::engine::refusal::Field;
use stockade::engine::{Capacity, Command, Refusal};

use crate::rig::{Rig, START};
use crate::script::{check, check_within};

#[test]
fn a_channel_sells_as_many_units_as_its_cap_and_others_sell_the_rest() {
    check(
        "
        receive  mug 10
        cap      mug channel=3 units=4     -> set
        cap      mug channel=3 units=4     -> set again
        place    o1 mug*3 channel=3        -> #1 pending_payment
        place    o2 mug*2 channel=3        -> no: channel_cap mug max=4 left=1
        place    o2 mug*2 channel=4        -> #2 pending_payment
        place    o3 mug*2                  -> #3 pending_payment
        place    o4 mug*1 channel=3        -> #4 pending_payment
        place    o5 mug*1 channel=3        -> no: channel_cap mug max=4 left=0
        place    o5 mug*2 exists channel=3 -> no: channel_cap mug max=4 left=0
        place    o5 mug*3 channel=4        -> no: sold_out mug asked=3 available=2
        place    o5 mug*2 channel=4        -> #5 pending_payment
        place    o1 mug*3 channel=3        -> #1 pending_payment again
    ",
    );
}

#[test]
fn what_is_cancelled_or_lapses_is_given_back_and_what_was_handed_over_is_not() {
    check(
        "
        receive  mug 20
        cap      mug channel=3 units=6
        place    o1 mug*2 channel=3 hold=5s
        place    o2 mug*2 channel=3 cod    -> #2 confirmed
        place    o3 mug*2 channel=3        -> #3 pending_payment
        place    o4 mug*1 channel=3        -> no: channel_cap mug max=6 left=0
        cancel   o3
        place    o4 mug*3 channel=3        -> no: channel_cap mug max=6 left=2
        ship     o2 id=1                   -> completed moved=2
        place    o4 mug*3 channel=3        -> no: channel_cap mug max=6 left=2
        return   o2 id=2 0*2               -> completed moved=2
        place    o4 mug*3 channel=3        -> no: channel_cap mug max=6 left=2
        wait     5s                        -> o1 expired
        place    o4 mug*5 channel=3        -> no: channel_cap mug max=6 left=4
        place    o4 mug*4 channel=3        -> #4 pending_payment
        drop     o4 0*3 id=9               -> pending_payment moved=3
        place    o5 mug*4 channel=3        -> no: channel_cap mug max=6 left=3
    ",
    );
}

#[test]
fn a_dead_reservation_gives_its_units_back_to_the_cap_before_a_sweep_comes_by() {
    check(
        "
        receive  mug 9
        cap      mug channel=1 units=2
        place    o1 mug*2 channel=1 hold=5s
        late
        wait     5s
        place    o2 mug*2 channel=1        -> #2 pending_payment
    ",
    );
}

#[test]
fn a_late_payment_takes_nothing_that_its_channel_may_not_sell() {
    check(
        "
        receive  mug 9
        cap      mug channel=1 units=3
        place    o1 mug*2 channel=1 hold=5s
        place    o2 mug*1 channel=1 hold=5s
        wait     5s                        -> o1 o2 expired
        place    o3 mug*2 channel=1        -> #3 pending_payment
        confirm  o1 try=1              -> not_taken_again mug
        confirm  o2 try=1              -> confirmed moved=1
        cancel   o3
        confirm  o1 try=1              -> not_taken_again mug again
        confirm  o1 try=2              -> confirmed moved=2
    ",
    );
}

#[test]
fn a_cap_counts_from_when_it_was_set_and_goes_on_under_another_number() {
    check(
        "
        receive  mug 20
        place    o1 mug*5 channel=2
        cap      mug channel=2 units=3
        place    o2 mug*3 channel=2        -> #2 pending_payment
        cancel   o1
        place    o3 mug*1 channel=2        -> no: channel_cap mug max=3 left=0
        cap      mug channel=2 units=5     -> set
        place    o3 mug*3 channel=2        -> no: channel_cap mug max=5 left=2
        cap      mug channel=2 units=1     -> set
        place    o3 mug*1 channel=2        -> no: channel_cap mug max=1 left=0
        cap      mug channel=2             -> set
        cap      mug channel=2             -> set again
        place    o3 mug*9 channel=2        -> #3 pending_payment
        cap      mug channel=2 units=0     -> set
        place    o4 mug*1 channel=2        -> no: channel_cap mug max=0 left=0
        cancel   o2
        cancel   o3
        place    o4 mug*1                  -> #4 pending_payment
    ",
    );
}

#[test]
fn lines_of_one_sku_count_together_and_owed_units_count() {
    check(
        "
        receive  mug 2
        policy   mug oversell=5
        cap      mug channel=7 units=4
        place    o1 mug*2 mug*3 channel=7  -> no: channel_cap mug max=4 left=4
        place    o1 mug*2 mug*2 channel=7  -> #1 pending_payment owed n=2
        place    o2 mug*1 channel=7        -> no: channel_cap mug max=4 left=0
        policy   mug                       -> set
        place    o2 mug*1 channel=7        -> no: channel_cap mug max=4 left=0
    ",
    );
}

#[test]
fn a_cap_is_of_a_known_sku_and_of_a_channel_that_is_one() {
    check(
        "
        receive  mug 2
        cap      mug channel=0 units=1     -> no: out_of_bounds Channel
        cap      mug channel=65535 units=1 -> set
        place    o1 mug*1 channel=65535    -> #1 pending_payment
        place    o2 mug*1 channel=65535    -> no: channel_cap mug max=1 left=0
    ",
    );
    let mut rig = Rig::new(Capacity::default());
    let market = rig.open("default");
    let unknown = Command::SetChannelCap { market, sku: SkuId(1), channel: 1, units_max: None };
    assert_eq!(rig.submit(&unknown).map(|told| told.answer), Err(Refusal::UnknownSku { sku: SkuId(1) }));
    assert_eq!(rig.engine.channel_caps(market, SkuId(1), 0, 1), Err(Refusal::UnknownSku { sku: SkuId(1) }));
    rig.submit(&Command::CreateSku { market, code: "mug" }).expect("created");
    let rows = Refusal::OutOfBounds { field: Field::Rows, min: 1, max: 1_024 };
    assert_eq!(rig.engine.channel_caps(market, SkuId(1), 0, 0), Err(rows));
}

#[test]
fn caps_are_listed_by_channel_page_by_page_and_survive_an_image_and_a_replay() {
    let mut rig = Rig::new(Capacity::default());
    let market = rig.open("default");
    rig.submit(&Command::CreateSku { market, code: "mug" }).expect("created");
    rig.submit(&Command::CreateSku { market, code: "cup" }).expect("created");
    let request = RequestId::new(START, market, 1);
    rig.submit(&Command::Receive { request, sku: SkuId(1), site: SiteId(1), quantity: 2 }).expect("received");
    for (sku, channel) in [(1, 9), (2, 4), (1, u16::MAX), (1, 2)] {
        let units_max = Some(u32::from(channel));
        rig.submit(&Command::SetChannelCap { market, sku: SkuId(sku), channel, units_max }).expect("set");
    }
    let row = |channel| ChannelRow { channel, units_max: u32::from(channel), held: 0 };
    let page = |rig: &Rig, after, rows_max| rig.engine.channel_caps(market, SkuId(1), after, rows_max).expect("a page");
    for _ in 0..2 {
        assert_eq!(page(&rig, 0, 2), ChannelPage { rows: vec![row(2), row(9)], next: Some(9) });
        assert_eq!(page(&rig, 9, 2), ChannelPage { rows: vec![row(u16::MAX)], next: None });
        assert_eq!(page(&rig, u16::MAX, 2), ChannelPage { rows: vec![], next: None });
        assert_eq!(page(&rig, 2, 1_024).rows.len(), 2);
        rig.check_everything();
        rig.go_through_image();
    }
    rig.check_replica();
}

#[test]
fn a_shard_has_so_many_caps_and_says_so() {
    let mut rig = Rig::new(Capacity::default());
    let market = rig.open("default");
    rig.submit(&Command::CreateSku { market, code: "mug" }).expect("created");
    rig.submit(&Command::CreateSku { market, code: "cup" }).expect("created");
    let set = |rig: &mut Rig, sku, channel, units_max| {
        rig.submit(&Command::SetChannelCap { market, sku: SkuId(sku), channel, units_max }).map(|told| told.answer)
    };
    for channel in 1..CHANNEL_CAPS_MAX as u16 {
        set(&mut rig, 1, channel, Some(1)).expect("there is room");
    }
    set(&mut rig, 2, 1, Some(1)).expect("the last one");
    let full = Refusal::OutOfBounds { field: Field::ChannelCaps, min: 0, max: CHANNEL_CAPS_MAX };
    assert_eq!(set(&mut rig, 2, 2, Some(1)), Err(full));
    set(&mut rig, 1, 1, Some(2)).expect("another number needs no room");
    set(&mut rig, 1, 1, None).expect("nor does none");
    set(&mut rig, 2, 2, Some(1)).expect("there is room again");
    rig.check_laws();
}

#[test]
fn a_cap_that_is_used_up_is_no_sold_out_sku_and_the_count_of_customers_stays_bounded() {
    check_within(
        Capacity { customers_max: 1, ..Capacity::default() },
        "
        receive  mug 9
        policy   mug customer=5
        cap      mug channel=1 units=1
        place    o1 mug*1 channel=1 customer=7   -> #1 pending_payment
        place    o2 mug*1 channel=1 customer=8   -> no: channel_cap mug max=1 left=0
        place    o2 mug*1 customer=8             -> no: at_capacity
        for_sale mug                       -> for_sale=8
    ",
    );
}
