//! Returns with numbers at the end of their range, and units where there is no room for one more.

use stockade::base::limits::{LINE_QUANTITY_MAX, LINES_MAX, STOCK_UNITS_MAX};
use stockade::base::{ChangeId, OrderId, RequestId, ShardId, SiteId, SkuId};
use stockade::engine::choices::AdjustReason;
use stockade::engine::ledger::{Account, Bucket};
use stockade::engine::refusal::Field;
use stockade::engine::{
    Answer, Capacity, Command, DeclineReason, Disposition, Engine, Fact, Line, LineQuantity, Refusal, ReturnCommand,
    ReturnKind, ReturnReason, ReturnReport, ReturnStage, Scratch,
};

use super::small_world;
use crate::dice::Dice;
use crate::replaying::place;
use crate::rig::{MARKET, Rig, START, room_for};

/// One command about what comes back with something extreme in it.
pub(super) fn extreme<'l>(
    dice: &mut Dice,
    (order, change): (OrderId, ChangeId),
    site: SiteId,
    lines: &'l [LineQuantity],
) -> Command<'l> {
    const LIKELY: [LineQuantity; 1] = [LineQuantity { line: 0, quantity: 1 }];
    let lines = if dice.below(2) == 0 { &LIKELY } else { lines };
    let site = if dice.below(2) == 0 { SiteId(1) } else { site };
    let id = [ChangeId(1), ChangeId(u64::MAX), change][dice.below(3) as usize];
    let (kind, reason) = (dice.pick(ReturnKind::ALL), dice.pick(ReturnReason::ALL));
    let disposition = dice.pick(Disposition::ALL);
    let report = dice.pick(&[
        ReturnReport::Approved,
        ReturnReport::Declined { reason: DeclineReason::Other },
        ReturnReport::InTransit,
        ReturnReport::Lost,
        ReturnReport::Closed,
    ]);
    let what = match dice.below(6) {
        0 => return Command::ReportDelivered { order, change, lines },
        1 => ReturnCommand::Report(report),
        2 | 3 => ReturnCommand::Request { kind, reason, lines },
        4 => ReturnCommand::Receive { site, lines },
        _ => ReturnCommand::Inspect { site, disposition, lines },
    };
    Command::Return { order, id, what }
}

fn ask(rig: &mut Rig, order: OrderId, what: ReturnCommand<'_>) -> Result<Answer, Refusal> {
    rig.engine_alone(&Command::Return { order, id: ChangeId(1), what }).map(|told| told.answer)
}

/// Without the twin, which keeps ten million units one by one.
#[test]
fn a_return_of_the_largest_line_comes_in_and_goes_its_ways_to_the_last_unit() {
    let mut rig = small_world(START);
    let (sku, site, request) = (SkuId(1), SiteId(1), RequestId::new(START, MARKET, 99));
    let most = LINE_QUANTITY_MAX;
    rig.submit(&Command::Receive { request, sku, site, quantity: most.into() }).expect("received");
    let order = OrderId::new(START, MARKET, 1);
    let lines = [Line { sku, quantity: most, price: 0 }];
    rig.engine_alone(&Command::Place(place(order, &lines))).expect("placed");
    rig.engine_alone(&Command::HandOver { order, change: ChangeId(1), lines: &[] }).expect("handed over");
    let units = |quantity| [LineQuantity { line: 0, quantity }];
    let not_enough = |units: u32| Err(Refusal::NotEnoughUnits { line: 0, units: units.into() });
    let deliver = |rig: &mut Rig, quantity| {
        let delivered = Command::ReportDelivered { order, change: ChangeId(2), lines: &units(quantity) };
        rig.engine_alone(&delivered).map(|told| told.answer)
    };
    assert_eq!(deliver(&mut rig, u32::MAX), not_enough(most));
    deliver(&mut rig, most).expect("all of it");
    let (kind, reason) = (ReturnKind::CustomerReturn, ReturnReason::Other);
    let asked = ask(&mut rig, order, ReturnCommand::Request { kind, reason, lines: &units(u32::MAX) });
    assert_eq!(asked, not_enough(most));
    ask(&mut rig, order, ReturnCommand::Request { kind, reason, lines: &units(most) }).expect("all of it");
    for (at, total, left) in [(1, most - 1, most), (2, 1, 1)] {
        let told = ReturnCommand::Receive { site: SiteId(at), lines: &units(u32::MAX) };
        assert_eq!(ask(&mut rig, order, told), not_enough(left));
        ask(&mut rig, order, ReturnCommand::Receive { site: SiteId(at), lines: &units(total) }).expect("it came in");
        rig.check_laws();
    }
    let mut left = most - 1;
    for (disposition, total) in Disposition::ALL.iter().copied().zip([1, 2, 3, 4, 5, most - 16]) {
        let inspect = |rig: &mut Rig, quantity| {
            let what = ReturnCommand::Inspect { site, disposition, lines: &units(quantity) };
            ask(rig, order, what)
        };
        assert_eq!(inspect(&mut rig, u32::MAX), not_enough(left));
        inspect(&mut rig, total).expect("somebody looked");
        left -= total;
        rig.check_laws();
    }
    let looked = ReturnCommand::Inspect { site: SiteId(2), disposition: Disposition::Restock, lines: &units(1) };
    let told = ask(&mut rig, order, looked);
    assert!(matches!(told, Ok(Answer::Return { stage: ReturnStage::Inspected, moved: 1, .. })), "{told:?}");
    assert_eq!(left, 0);
    rig.go_through_image();
    rig.check_laws();
}

#[test]
fn a_thousand_lines_are_delivered_at_once() {
    let mut rig = Rig::new(room_for(10));
    rig.open("default");
    let (sku, site, request) = (SkuId(1), SiteId(1), RequestId::new(START, MARKET, 1));
    rig.submit(&Command::CreateSku { market: MARKET, code: "mug" }).expect("created");
    rig.submit(&Command::Receive { request, sku, site, quantity: LINES_MAX as u64 }).expect("received");
    let order = OrderId::new(START, MARKET, 1);
    let lines = [Line { sku, quantity: 1, price: 0 }; LINES_MAX];
    rig.engine_alone(&Command::Place(place(order, &lines))).expect("placed");
    rig.engine_alone(&Command::HandOver { order, change: ChangeId(1), lines: &[] }).expect("handed over");
    let all: Vec<LineQuantity> = (0..LINES_MAX as u16).map(|line| LineQuantity { line, quantity: 1 }).collect();
    let told = |change| Command::ReportDelivered { order, change: ChangeId(change), lines: &all };
    rig.engine_alone(&told(2)).expect("delivered");
    rig.engine_alone(&told(2)).expect("a repeat");
    let refused = rig.engine_alone(&told(3)).map(|told| told.answer);
    assert_eq!(refused, Err(Refusal::NotEnoughUnits { line: 0, units: 0 }));
    let (kind, reason) = (ReturnKind::WrongItem, ReturnReason::WrongItemSent);
    let many = ask(&mut rig, order, ReturnCommand::Request { kind, reason, lines: &all[..65] });
    assert_eq!(many, Err(Refusal::OutOfBounds { field: Field::Lines, min: 1, max: 64 }));
    ask(&mut rig, order, ReturnCommand::Request { kind, reason, lines: &all[LINES_MAX - 64..] }).expect("the last 64");
    let view = rig.engine.order(order).expect("it is kept");
    assert!(view.lines.iter().all(|line| line.delivered == 1));
    rig.check_laws();
    rig.go_through_image();
    rig.check_laws();
}

/// A market whose books have room for not one unit more in an account outside, and a unit of a return that lies there.
fn full_market(outside: Bucket) -> (Engine, OrderId) {
    let mut engine = Engine::new(ShardId(0), 1, Capacity::default());
    let (site, sku, order) = (SiteId(1), SkuId(1), OrderId::new(START, MARKET, 1));
    engine.fold(&Fact::MarketOpened { market: MARKET, code: "m" }, START);
    let requests = &mut (1..).map(|number| RequestId::new(START, MARKET, number));
    for number in 1..=1_001 {
        engine.fold(&Fact::SkuCreated { market: MARKET, sku: SkuId(number), code: &format!("sku-{number}") }, START);
    }
    let one = [LineQuantity { line: 0, quantity: 1 }];
    let lines = [Line { sku, quantity: 1, price: 0 }];
    let (kind, reason, id) = (ReturnKind::Refused, ReturnReason::Other, ChangeId(1));
    let request = requests.next().expect("there are more");
    let bring = match outside {
        Bucket::Supplier => Command::Adjust { request, sku, site, delta: 1, reason: AdjustReason::Count },
        _ => Command::Receive { request, sku, site, quantity: 1 },
    };
    for command in [
        bring,
        Command::Place(place(order, &lines)),
        Command::HandOver { order, change: id, lines: &[] },
        Command::Return { order, id, what: ReturnCommand::Request { kind, reason, lines: &one } },
        Command::Return { order, id, what: ReturnCommand::Receive { site, lines: &one } },
    ] {
        engine.submit(&command, START, &mut Scratch::default(), &mut |_| {}).expect("nothing speaks against it");
    }
    for number in 2..=1_001 {
        let (sku, quantity) = (SkuId(number), STOCK_UNITS_MAX);
        let [came, went] = [(); 2].map(|()| requests.next().expect("there are more"));
        let brought = if outside == Bucket::WriteOff {
            Fact::Received { request: came, sku, site, quantity }
        } else {
            Fact::Adjusted { request: came, sku, site, delta: quantity.cast_signed(), reason: AdjustReason::Count }
        };
        engine.fold(&brought, START);
        let (from, to) = (Account { site, bucket: Bucket::Available }, Account { site, bucket: outside });
        engine.fold(&Fact::StockMoved { request: went, sku, from, to, quantity }, START);
    }
    (engine, order)
}

#[test]
fn what_leaves_the_market_for_good_is_refused_where_its_books_have_no_room() {
    for (outside, disposition) in
        [(Bucket::WriteOff, Disposition::Dispose), (Bucket::Supplier, Disposition::BackToSupplier)]
    {
        let (mut engine, order) = full_market(outside);
        let mut inspect = |disposition| {
            let lines = [LineQuantity { line: 0, quantity: 1 }];
            let what = ReturnCommand::Inspect { site: SiteId(1), disposition, lines: &lines };
            let command = Command::Return { order, id: ChangeId(1), what };
            engine.submit(&command, START, &mut Scratch::default(), &mut |_| {})
        };
        let room = Refusal::OutOfBounds { field: Field::Stock, min: 0, max: 1_000_000_000_000_000_000 };
        assert_eq!(inspect(disposition), Err(room), "{}", disposition.name());
        let other = if outside == Bucket::Supplier { Disposition::Dispose } else { Disposition::BackToSupplier };
        assert!(inspect(other).is_ok(), "{} goes the other way", other.name());
        engine.check_invariants().expect("the laws hold");
    }
}
