//! The stages of a return: what each report does in each of them, what ends by itself, and every way from one to
//! another as `docs/STATES.md` draws it.

use std::collections::{BTreeSet, VecDeque};
use std::fmt::Write;

use stockade::base::{ChangeId, OrderId, RequestId, SiteId, SkuId};
use stockade::engine::query::ReturnView;
use stockade::engine::{
    Command, DeclineReason, Disposition, Line, LineQuantity, Retention, ReturnCommand, ReturnKind, ReturnReason,
    ReturnReport, ReturnStage,
};

use crate::replaying::place;
use crate::rig::{MARKET, Rig, START, is_repeated, room_for};
use crate::script::{Script, check};
use crate::states::check_page;

/// How a return of two units, of which no other return has one, comes to each stage.
const WAYS: [(&str, &[&str]); 12] = [
    ("requested", &[]),
    ("approved", &["tell o1 r1 approved"]),
    ("label_sent", &["tell o1 r1 label_sent"]),
    ("in_transit", &["tell o1 r1 in_transit"]),
    ("received", &["arrive o1 r1 0*1"]),
    ("received", &["arrive o1 r1 0*1", "inspect o1 r1 restock 0*1"]),
    ("inspected", &["arrive o1 r1 0*2", "inspect o1 r1 restock 0*2"]),
    ("closed", &["arrive o1 r1 0*2", "inspect o1 r1 restock 0*2", "tell o1 r1 closed"]),
    ("declined", &["tell o1 r1 declined=used"]),
    ("cancelled", &["tell o1 r1 cancelled"]),
    ("expired", &["tell o1 r1 expired"]),
    ("lost", &["tell o1 r1 lost"]),
];

/// The tables of `docs/RETURNS.md`, a column for each of [`WAYS`]: M moves, r repeats, - is refused with the stage, C
/// is a conflict.
const TABLE: [(&str, &str); 9] = [
    ("approved", "Mrrrrrrr---r"),
    ("declined=used", "M-------r---"),
    ("declined=too_late", "M-------C---"),
    ("cancelled", "MMM------r--"),
    ("closed", "-----MMr----"),
    ("label_sent", "MMrrrrrrrrrr"),
    ("in_transit", "MMMrrrrrrrrr"),
    ("lost", "MMMMrrrrrrrr"),
    ("expired", "MMMrrrrrrrrr"),
];

/// An order of two units that were delivered, and a return of both. Its own return window is long.
fn requested() -> Script {
    let mut script = Script::new(Rig::new(room_for(10)));
    script.run("retention window=8000h ids=8000h\n receive mug 2\n place o1 mug*2 cod\n ship o1");
    script.run("deliver o1 0*2 id=2\n request o1 r1 0*2");
    script
}

#[test]
fn a_decision_that_does_not_hold_is_refused_and_a_notice_that_tells_nothing_is_a_repeat() {
    for (report, row) in TABLE {
        for ((stage, way), means) in WAYS.iter().zip(row.chars()) {
            let mut script = requested();
            way.iter().for_each(|line| _ = script.try_line(line));
            let said = script.try_line(&format!("tell o1 r1 {report}"));
            let to = report.split('=').next().unwrap_or(report);
            let expected = match means {
                'M' => format!("completed {to} moved=0"),
                'r' => format!("completed {stage} moved=0 again"),
                'C' => "no: conflict".to_owned(),
                _ => format!("no: illegal_return {stage}"),
            };
            assert_eq!(said, expected, "{report} in {stage} after {way:?}");
            script.rig.check_replica();
        }
    }
}

#[test]
fn somebody_who_decided_hears_the_same_again_and_nothing_else() {
    check(
        "
        receive  mug 3
        place    o1 mug*3 cod
        ship     o1
        deliver  o1 0*3 id=2
        request  o1 r1 0*1
        tell     o1 r1 approved          -> completed approved moved=0
        tell     o1 r1 approved          -> completed approved moved=0 again
        tell     o1 r1 declined          -> no: illegal_return approved
        tell     o1 r1 cancelled         -> completed cancelled moved=0
        tell     o1 r1 approved          -> no: illegal_return cancelled
        request  o1 r2 0*1
        tell     o1 r2 declined=incomplete -> completed declined moved=0
        tell     o1 r2 declined=incomplete -> completed declined moved=0 again
        tell     o1 r2 declined=not_ours -> no: conflict
        tell     o1 r2 approved          -> no: illegal_return declined
        tell     o1 r2 cancelled         -> no: illegal_return declined
        tell     o1 r2 closed            -> no: illegal_return declined
        tell     o1 r2 in_transit        -> completed declined moved=0 again
        returns  o1 -> r1 customer_return unspecified cancelled 0*1 \
                       | r2 customer_return unspecified declined=incomplete 0*1
    ",
    );
}

#[test]
fn a_return_that_nobody_moves_ends_by_itself_and_leaves_its_units() {
    for (stage, way, end, left) in [
        ("requested", None, "expired", 2),
        ("approved", Some("tell o1 r1 approved"), "expired", 2),
        ("label_sent", Some("tell o1 r1 label_sent"), "expired", 2),
        ("in_transit", Some("tell o1 r1 in_transit"), "lost", 0),
    ] {
        let mut script = requested();
        way.iter().for_each(|line| _ = script.try_line(line));
        script.run("wait 719h");
        let returns = script.try_line("returns o1");
        assert_eq!(returns, format!("r1 customer_return unspecified {stage} until=2592000000 0*2"));
        script.run("wait 3599999ms");
        assert_eq!(script.try_line("returns o1"), returns);
        script.run("wait 1ms");
        assert_eq!(script.try_line("returns o1"), format!("r1 customer_return unspecified {end} 0*2"));
        assert_eq!(
            script.try_line("return o1 0*3 id=9"),
            format!("no: not_enough_units line=0 units={left}"),
            "{stage}"
        );
    }
}

#[test]
fn what_still_lies_when_a_return_ends_stays_set_aside_and_is_anybodys() {
    check(
        "
        receive  mug 2
        place    o1 mug*2 cod
        ship     o1
        deliver  o1 0*2 id=2
        request  o1 r1 0*2
        arrive   o1 r1 0*1
        move     mug 1 from=main:quality_hold to=main:damaged -> no: not_available available=0
        wait     719h
        returns  o1 -> r1 customer_return unspecified received until=2592000000 0*2 0@main=1
        wait     1h
        order    o1                      -> no: unknown_order
        stock    mug                     -> customer=1 quality_hold=1
        move     mug 1 from=main:quality_hold to=main:damaged
    ",
    );
    check(
        "
        retention window=8000h ids=8000h
        receive  mug 9
        place    o1 mug*3 cod
        ship     o1
        deliver  o1 0*3 id=2
        request  o1 r1 0*3
        arrive   o1 r1 0*2
        inspect  o1 r1 quality_hold 0*1
        wait     720h
        returns  o1 -> r1 customer_return unspecified closed 0*3 0@main=2,quality_hold=2
        inspect  o1 r1 restock 0*1       -> no: not_enough_units line=0 units=0
        inspect  o1 r1 quality_hold 0*2  -> completed closed moved=0 again
        arrive   o1 r1 0*3               -> no: illegal_return closed
        request  o1 r2 0*1               -> completed requested moved=1
        stock    mug                     -> available=6 customer=1 quality_hold=2
        move     mug 2 from=main:quality_hold to=main:available
        history  o1 after=6              -> return_closed nth=1 | return_requested 0 n=1
    ",
    );
}

#[test]
fn whatever_is_new_puts_the_end_off_and_a_repeat_does_not() {
    check(
        "
        retention window=8000h ids=8000h
        receive  mug 9
        place    o1 mug*3 cod
        ship     o1
        deliver  o1 0*3 id=2
        request  o1 r1 0*3
        wait     1h
        request  o1 r1 0*3               -> completed requested moved=3 again
        returns  o1 -> r1 customer_return unspecified requested until=2592000000 0*3
        tell     o1 r1 approved
        returns  o1 -> r1 customer_return unspecified approved until=2595600000 0*3
        wait     1h
        tell     o1 r1 approved          -> completed approved moved=0 again
        returns  o1 -> r1 customer_return unspecified approved until=2595600000 0*3
        arrive   o1 r1 0*2
        returns  o1 -> r1 customer_return unspecified received until=2599200000 0*3 0@main=2
        wait     1h
        arrive   o1 r1 0*2               -> completed received moved=0 again
        tell     o1 r1 lost              -> completed received moved=0 again
        inspect  o1 r1 restock 0*1
        returns  o1 -> r1 customer_return unspecified received until=2602800000 0*3 0@main=2,restock=1
        wait     1h
        inspect  o1 r1 restock 0*1       -> completed received moved=0 again
        inspect  o1 r1 restock 0*3       -> no: not_enough_units line=0 units=2
        returns  o1 -> r1 customer_return unspecified received until=2602800000 0*3 0@main=2,restock=1
        arrive   o1 r1 0*3
        inspect  o1 r1 restock 0*3
        returns  o1 -> r1 customer_return unspecified inspected 0*3 0@main=3,restock=3
    ",
    );
}

/// As long as something is to come of a return its order is kept whole, and no return keeps it for ever.
#[test]
fn an_open_return_keeps_its_order_and_one_that_is_over_lets_it_close() {
    let ends: [&[&str]; 6] = [
        &["tell o1 r1 declined"],
        &["tell o1 r1 cancelled"],
        &["tell o1 r1 expired"],
        &["tell o1 r1 lost"],
        &["arrive o1 r1 0*2", "inspect o1 r1 damaged 0*2"],
        &["arrive o1 r1 0*1", "inspect o1 r1 damaged 0*1", "tell o1 r1 closed"],
    ];
    for end in ends {
        let mut script = Script::new(Rig::new(room_for(10)));
        script.run(
            "
            retention window=10s ids=3600s
            receive  mug 2
            place    o1 mug*2 cod
            ship     o1
            deliver  o1 0*2 id=2
            request  o1 r1 0*2
            wait     60s
            order    o1                      -> completed mug shipped=2 delivered=2
        ",
        );
        for line in end {
            assert_eq!(script.try_line("wait 0ms"), "nothing expired");
            assert!(script.try_line("order o1").starts_with("completed mug shipped=2"), "before {line}");
            script.try_line(line);
        }
        script.run("wait 0ms\n order o1 -> completed closed\n returns o1 -> nothing");
    }
    check(
        "
        retention window=10s ids=3600s
        receive  mug 2
        place    o1 mug*2 cod
        ship     o1
        deliver  o1 0*2 id=2
        request  o1 r1 0*2
        wait     719h
        order    o1                      -> completed mug shipped=2 delivered=2
        wait     1h
        order    o1                      -> no: unknown_order
    ",
    );
}

/// The generated part of the page stands between lines that begin with these.
const DRAWN: [&str; 2] = ["<!-- returns drawn by a test", "<!-- returns to here"];
const NONE: &str = "(none)";
const ORDER: OrderId = OrderId::new(START, MARKET, 1);
const ID: ChangeId = ChangeId(1);

/// What may happen to a return of two units.
#[derive(Debug, Clone, Copy)]
enum Step {
    Request(ReturnKind),
    Report(ReturnReport),
    /// So many came in, in all.
    Receive(u32),
    /// So many are for sale again, in all.
    Inspect(u32),
    /// Nobody tells anything for thirty days.
    Silence,
}

impl Step {
    fn all() -> Vec<Self> {
        let reports = [
            ReturnReport::Approved,
            ReturnReport::Declined { reason: DeclineReason::Used },
            ReturnReport::LabelSent,
            ReturnReport::InTransit,
            ReturnReport::Lost,
            ReturnReport::Cancelled,
            ReturnReport::Expired,
            ReturnReport::Closed,
        ];
        let told = reports.map(Self::Report).into_iter();
        told.chain([Self::Receive(1), Self::Receive(2), Self::Inspect(1), Self::Inspect(2), Self::Silence]).collect()
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Request(ReturnKind::CustomerReturn | ReturnKind::WrongItem) => "asked by a customer",
            Self::Request(_) => "brought by a carrier",
            Self::Report(report) => report.stage().name(),
            Self::Receive(_) => "something came in",
            Self::Inspect(_) => "somebody looked",
            Self::Silence => "nobody told anything",
        }
    }
}

/// What a return is after all this, and whether the last of it was news.
fn take(steps: &[Step]) -> (Option<ReturnView>, bool) {
    let mut rig = Rig::new(room_for(10));
    rig.open("default");
    let (sku, site, request) = (SkuId(1), SiteId(1), RequestId::new(START, MARKET, 1));
    let retention = Retention { return_window_ms: 1 << 38, ids_kept_ms: 1 << 34 };
    rig.submit(&Command::SetRetention { market: MARKET, retention }).expect("set");
    rig.submit(&Command::CreateSku { market: MARKET, code: "mug" }).expect("created");
    rig.submit(&Command::Receive { request, sku, site, quantity: 4 }).expect("received");
    let lines = [Line { sku, quantity: 4, price: 0 }];
    rig.submit(&Command::Place(place(ORDER, &lines))).expect("placed");
    rig.submit(&Command::HandOver { order: ORDER, change: ChangeId(1), lines: &[] }).expect("handed over");
    let units = |quantity| [LineQuantity { line: 0, quantity }];
    let delivered = Command::ReportDelivered { order: ORDER, change: ChangeId(2), lines: &units(2) };
    rig.submit(&delivered).expect("delivered");
    let mut is_news = false;
    for step in steps.iter().copied() {
        let lines = match step {
            Step::Receive(total) | Step::Inspect(total) => units(total),
            Step::Request(_) | Step::Report(_) | Step::Silence => units(2),
        };
        let what = match step {
            Step::Silence => {
                let before = rig.engine.order(ORDER).expect("it is kept").returns;
                rig.wait(30 * 24 * 3_600_000);
                rig.sweep();
                is_news = before != rig.engine.order(ORDER).expect("it is kept").returns;
                continue;
            }
            Step::Request(kind) => ReturnCommand::Request { kind, reason: ReturnReason::Other, lines: &lines },
            Step::Report(report) => ReturnCommand::Report(report),
            Step::Receive(_) => ReturnCommand::Receive { site, lines: &lines },
            Step::Inspect(_) => ReturnCommand::Inspect { site, disposition: Disposition::Restock, lines: &lines },
        };
        let told = rig.submit(&Command::Return { order: ORDER, id: ID, what });
        is_news = told.is_ok_and(|told| !is_repeated(told.answer));
    }
    (rig.engine.order(ORDER).expect("it is kept").returns.first().cloned(), is_news)
}

/// By what a return comes from which stage to which.
fn explore() -> BTreeSet<(u8, &'static str, u8)> {
    let mut edges = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut paths = VecDeque::new();
    for kind in ReturnKind::ALL.iter().copied() {
        let first = vec![Step::Request(kind)];
        let (view, _) = take(&first);
        edges.insert((0, first[0].word(), view.expect("it began").stage as u8));
        paths.push_back(first);
    }
    while let Some(path) = paths.pop_front() {
        let (before, _) = take(&path);
        let before = before.expect("it began");
        for step in Step::all() {
            let longer: Vec<Step> = path.iter().copied().chain([step]).collect();
            let (after, is_news) = take(&longer);
            let after = after.expect("it began");
            let shape = |it: &ReturnView| format!("{:?} {:?} {:?} {:?}", it.stage, it.declined, it.lines, it.pieces);
            assert_eq!(is_news, shape(&before) != shape(&after), "news is what changes something: {longer:?}");
            if before.stage != after.stage {
                edges.insert((before.stage as u8, step.word(), after.stage as u8));
            }
            if seen.insert(shape(&after)) {
                paths.push_back(longer);
            }
        }
        assert!(seen.len() < 200, "{} returns: they do not come to an end", seen.len());
    }
    edges
}

fn name(stage: u8) -> &'static str {
    ReturnStage::from_byte(stage).map_or(NONE, ReturnStage::name)
}

#[test]
fn the_page_of_states_draws_what_becomes_of_a_return() {
    let edges = explore();
    let mut page = String::from("```text\n");
    let width = edges.iter().map(|(_, by, _)| by.len()).max().unwrap_or(0);
    for (from, by, to) in edges {
        writeln!(page, "{:<10} ─ {by} {} {}", name(from), "─".repeat(width - by.len()) + "─►", name(to))
            .expect("a string");
    }
    page.push_str("```\n");
    check_page(DRAWN, &page);
}
