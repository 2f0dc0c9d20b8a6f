//! Bounds of returns: lines, returns and rows of one order, and how many a shard keeps.

use stockade::base::limits::{CHANGES_MAX, RETURN_LINES_MAX, RETURNS_PER_ORDER_MAX};
use stockade::base::{ChangeId, MarketId, OrderId, RequestId, SiteId, SkuId};
use stockade::engine::refusal::Field;
use stockade::engine::{
    Answer, Capacity, Command, Disposition, Line, LineQuantity, Refusal, ReturnCommand, ReturnKind, ReturnReason,
    ReturnReport,
};

use crate::replaying::place;
use crate::rig::{MARKET, Rig, START, room_for};
use crate::script::{Script, check, check_within};

#[test]
fn the_bounds_of_lines_come_before_everything_else() {
    let many: String = (0..=RETURN_LINES_MAX).map(|line| format!("{line}*1 ")).collect();
    check(&format!(
        "
        receive  mug 9
        request  o9 r1                   -> no: out_of_bounds Lines
        request  o9 r1 {many}            -> no: out_of_bounds Lines
        request  o9 r1 0*0               -> no: out_of_bounds Quantity
        request  o9 r1 0*1 0*2           -> no: out_of_bounds Line
        request  o9 r1 2048*1            -> no: unknown_line 2048
        request  o9 r1 65535*1           -> no: unknown_line 65535
        request  o9 r1 2047*4294967295   -> no: unknown_order
        arrive   o9 r1                   -> no: out_of_bounds Lines
        arrive   o9 r1 {many}            -> no: out_of_bounds Lines
        arrive   o9 r1 0*0               -> no: out_of_bounds Quantity
        arrive   o9 r1 0*1 0*1           -> no: out_of_bounds Line
        arrive   o9 r1 2048*1            -> no: unknown_line 2048
        inspect  o9 r1 restock           -> no: out_of_bounds Lines
        inspect  o9 r1 restock {many}    -> no: out_of_bounds Lines
        inspect  o9 r1 restock 0*0       -> no: out_of_bounds Quantity
        inspect  o9 r1 restock 0*1 0*1   -> no: out_of_bounds Line
        inspect  o9 r1 restock 2048*1    -> no: unknown_line 2048
        deliver  o9                      -> no: out_of_bounds Lines
        deliver  o9 {many}               -> no: unknown_order
        deliver  o9 0*0                  -> no: out_of_bounds Quantity
        deliver  o9 0*1 0*1              -> no: out_of_bounds Line
        deliver  o9 2048*1               -> no: unknown_line 2048
        place    o1 mug*9 cod
        ship     o1
        deliver  o1 0*4294967295 id=2    -> no: not_enough_units line=0 units=9
        request  o1 r1 0*4294967295 kind=refused -> no: not_enough_units line=0 units=9
    "
    ));
}

#[test]
fn an_order_has_sixteen_returns_and_no_seventeenth() {
    let mut script = Script::new(Rig::new(room_for(10)));
    script.run("receive mug 20\n place o1 mug*20 cod\n ship o1\n deliver o1 0*20 id=2");
    for id in 0..RETURNS_PER_ORDER_MAX {
        script.try_line(&format!("request o1 r{id} 0*1"));
    }
    script.run(
        "
        request  o1 r99 0*5              -> no: not_enough_units line=0 units=4
        request  o1 r99 0*1              -> no: out_of_bounds Returns
        tell     o1 r3 declined
        request  o1 r99 0*1              -> no: out_of_bounds Returns
        request  o1 r15 0*1              -> completed requested moved=1 again
    ",
    );
}

#[test]
fn a_shard_keeps_so_many_returns_with_their_lines_and_sites() {
    check_within(
        Capacity { returns_max: 6, ..Capacity::default() },
        "
        site     north
        receive  mug 9
        place    o1 mug*2 mug*2 cod
        place    o2 mug*2 cod
        ship     o1
        ship     o2
        deliver  o1 0*2 1*2 id=2
        deliver  o2 0*2 id=2
        request  o1 r1 0*2 1*2           -> completed requested moved=4
        request  o2 r1 0*1               -> completed requested moved=1
        request  o2 r2 0*1               -> no: at_capacity
        request  o2 r2 0*9               -> no: not_enough_units line=0 units=1
        arrive   o1 r1 0*1 1*1           -> no: at_capacity
        arrive   o1 r1 0*1               -> completed received moved=1
        arrive   o1 r1 0*2               -> completed received moved=1
        arrive   o1 r1 0*2               -> completed received moved=0 again
        arrive   o1 r1 1*1               -> no: at_capacity
        arrive   o2 r1 0*1 at=north      -> no: at_capacity
        tell     o2 r1 approved          -> completed approved moved=0
        stock    mug                     -> available=3 customer=4 quality_hold=2
    ",
    );
}

#[test]
fn room_for_returns_is_there_again_when_their_order_is_closed() {
    check_within(
        Capacity { returns_max: 2, ..Capacity::default() },
        "
        retention window=1s ids=3600s
        receive  mug 9
        place    o1 mug*1 cod
        place    o2 mug*1 cod
        ship     o1
        ship     o2
        deliver  o1 0*1 id=2
        request  o1 r1 0*1               -> completed requested moved=1
        request  o2 r1 0*1 kind=refused  -> no: at_capacity
        tell     o1 r1 declined=not_returnable
        request  o2 r1 0*1 kind=refused  -> no: at_capacity
        wait     1s
        order    o1                      -> completed closed
        place    o3 mug*1 cod
        ship     o3
        request  o3 r1 0*1 kind=refused  -> completed approved moved=1
    ",
    );
}

/// 16 returns of 64 lines are as many rows as an order has: what comes in of them has no room for its place.
#[test]
fn an_order_has_a_thousand_rows_of_returns() {
    let mut rig = Rig::new(room_for(10));
    rig.open("default");
    let (order, sku, request) = (OrderId::new(START, MARKET, 1), SkuId(1), RequestId::new(START, MARKET, 1));
    rig.submit(&Command::CreateSku { market: MARKET, code: "mug" }).expect("created");
    rig.submit(&Command::Receive { request, sku, site: SiteId(1), quantity: 2_000 }).expect("received");
    let lines = [Line { sku, quantity: 16, price: 0 }; RETURN_LINES_MAX];
    rig.submit(&Command::Place(place(order, &lines))).expect("placed");
    rig.submit(&Command::HandOver { order, change: ChangeId(1), lines: &[] }).expect("handed over");
    let of_each: Vec<LineQuantity> =
        (0..RETURN_LINES_MAX as u16).map(|line| LineQuantity { line, quantity: 1 }).collect();
    let ask = |rig: &mut Rig, id: usize, lines: &[LineQuantity]| {
        let (kind, reason) = (ReturnKind::Refused, ReturnReason::Other);
        let what = ReturnCommand::Request { kind, reason, lines };
        rig.engine_alone(&Command::Return { order, id: ChangeId(id as u64), what }).map(|told| told.answer)
    };
    let receive = |rig: &mut Rig, lines: &[LineQuantity]| {
        let what = ReturnCommand::Receive { site: SiteId(1), lines };
        rig.engine_alone(&Command::Return { order, id: ChangeId(0), what }).map(|told| told.answer)
    };
    let rows = Refusal::OutOfBounds { field: Field::ReturnRows, min: 0, max: 1_024 };
    for id in 0..RETURNS_PER_ORDER_MAX - 1 {
        ask(&mut rig, id, &of_each).expect("there is room");
    }
    receive(&mut rig, &of_each[..1]).expect("there is room");
    assert_eq!(ask(&mut rig, 15, &of_each), Err(rows), "one line too many");
    ask(&mut rig, 15, &of_each[..63]).expect("there is room");
    assert_eq!(receive(&mut rig, &of_each[1..2]), Err(rows));
    assert_eq!(receive(&mut rig, &of_each[..2]), Err(rows));
    let again = receive(&mut rig, &of_each[..1]);
    assert!(matches!(again, Ok(Answer::Return { moved: 0, repeated: true, .. })), "{again:?}");
    rig.check_laws();
    rig.go_through_image();
    rig.check_laws();
}

/// A delivery is a change and is remembered like one; a return is none.
#[test]
fn an_order_remembers_so_many_deliveries_and_may_be_returned_all_the_same() {
    let mut script = Script::new(Rig::new(room_for(10)));
    script.run("receive mug 300\n place o1 mug*300 cod\n ship o1 id=0");
    for id in 1..CHANGES_MAX {
        assert_eq!(script.try_line(&format!("deliver o1 0*1 id={id}")), "completed moved=1");
    }
    script.run(
        "
        deliver  o1 0*1 id=999           -> no: too_many_changes
        deliver  o1 0*900 id=999         -> no: too_many_changes
        deliver  o1 0*1 id=7             -> completed moved=1 again
        deliver  o1 0*2 id=7             -> no: conflict
        return   o1 0*1 id=999           -> no: too_many_changes
        request  o1 r1 0*255             -> completed requested moved=255
        request  o1 r2 0*45 kind=refused -> completed approved moved=45
        arrive   o1 r1 0*255             -> completed received moved=255
        inspect  o1 r1 restock 0*255     -> completed inspected moved=255
    ",
    );
}

#[test]
fn a_market_that_is_not_there_has_no_returns() {
    let mut rig = Rig::new(room_for(10));
    rig.open("default");
    let order = OrderId::new(START, MarketId::new(9).expect("fits"), 1);
    let (id, site, lines) = (ChangeId(1), SiteId(1), &[LineQuantity { line: 0, quantity: 1 }]);
    let (kind, reason, disposition) = (ReturnKind::Refused, ReturnReason::Other, Disposition::Restock);
    let whats = [
        ReturnCommand::Request { kind, reason, lines },
        ReturnCommand::Report(ReturnReport::Lost),
        ReturnCommand::Receive { site, lines },
        ReturnCommand::Inspect { site, disposition, lines },
    ];
    let commands = whats.map(|what| Command::Return { order, id, what });
    for command in commands.into_iter().chain([Command::ReportDelivered { order, change: id, lines }]) {
        assert_eq!(rig.submit(&command), Err(Refusal::UnknownMarket), "{command:?}");
    }
}
