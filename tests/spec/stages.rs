//! The stages of an attempt to pay, found by telling everything of it: what `docs/STATES.md` draws is what happens.
//!
//! The order waits for more than any report brings, so what its attempt comes to is all that changes.

use std::collections::{BTreeSet, VecDeque};
use std::fmt::Write;

use stockade::base::{ChangeId, Currency, OrderId, RequestId, SiteId, SkuId};
use stockade::engine::choices::PaymentMethod;
use stockade::engine::query::PaymentView;
use stockade::engine::{Command, FailureReason, Line, PaymentReport, RetryClass, Stage};

use crate::replaying::place;
use crate::rig::{MARKET, Rig, START, is_repeated, room_for};
use crate::states::check_page;

/// The generated part of the page stands between lines that begin with these.
const DRAWN: [&str; 2] = ["<!-- stages drawn by a test", "<!-- stages to here"];
const NONE: &str = "(none)";

/// Everything that is told, each total as one unit of money and as two.
const REPORTS: [PaymentReport; 17] = [
    PaymentReport::RequiresAction,
    PaymentReport::Processing,
    PaymentReport::authorised(1),
    PaymentReport::authorised(2),
    PaymentReport::Captured { total: 1 },
    PaymentReport::Captured { total: 2 },
    PaymentReport::Failed { reason: FailureReason::Declined, class: RetryClass::OtherMethod },
    PaymentReport::Voided,
    PaymentReport::Expired,
    PaymentReport::Refunded { total: 1 },
    PaymentReport::Refunded { total: 2 },
    PaymentReport::RefundFailed { total: 1 },
    PaymentReport::RefundFailed { total: 2 },
    PaymentReport::Disputed,
    PaymentReport::DisputeWon,
    PaymentReport::ChargedBack { total: 1 },
    PaymentReport::ChargedBack { total: 2 },
];

const ORDER: OrderId = OrderId::new(START, MARKET, 1);
const ATTEMPT: ChangeId = ChangeId(1);

/// What came of telling all this of one attempt, one after the other; whether the last was news.
fn tell(reports: &[PaymentReport]) -> (Option<PaymentView>, bool) {
    let mut rig = Rig::new(room_for(10));
    rig.open("default");
    let (sku, site, request) = (SkuId(1), SiteId(1), RequestId::new(START, MARKET, 1));
    rig.submit(&Command::CreateSku { market: MARKET, code: "mug" }).expect("created");
    rig.submit(&Command::Receive { request, sku, site, quantity: 1 }).expect("received");
    let lines = [Line { sku, quantity: 1, price: 100 }];
    rig.submit(&Command::Place(place(ORDER, &lines))).expect("placed");
    let mut is_news = false;
    for report in reports.iter().copied() {
        let currency = Currency::new(*b"GBP").expect("pounds exist");
        let method = PaymentMethod::Card;
        let command = Command::ReportPayment { order: ORDER, attempt: ATTEMPT, method, currency, report };
        is_news = !is_repeated(rig.submit(&command).expect("a report is not refused").answer);
    }
    let view = rig.engine.order(ORDER).expect("it is kept");
    (view.payments.first().copied(), is_news)
}

/// By which report an attempt comes from which stage to which.
fn explore() -> BTreeSet<(u8, &'static str, u8)> {
    let mut edges = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut paths = VecDeque::from([Vec::new()]);
    while let Some(path) = paths.pop_front() {
        let (before, _) = tell(&path);
        for report in REPORTS {
            let longer: Vec<PaymentReport> = path.iter().copied().chain([report]).collect();
            let (after, is_news) = tell(&longer);
            let after = after.expect("whatever is told first begins it");
            assert_eq!(is_news, before != Some(after), "news is what changes something: {longer:?}");
            let (_, is_again) = tell(&longer.iter().copied().chain([report]).collect::<Vec<_>>());
            assert!(!is_again, "told twice it says nothing new: {longer:?}");
            let (from, to) = (before.map_or(0, |it| it.stage as u8), after.stage as u8);
            if from != to {
                edges.insert((from, report.name(), to));
            }
            if seen.insert(format!("{after:?}")) {
                paths.push_back(longer);
            }
        }
        assert!(seen.len() < 1_000, "{} attempts: they do not come to an end", seen.len());
    }
    edges
}

fn name(stage: u8) -> &'static str {
    Stage::from_byte(stage).map_or(NONE, Stage::name)
}

#[test]
fn the_page_of_states_draws_what_is_told_of_an_attempt_to_pay() {
    let edges = explore();
    let mut page = String::from("```text\n");
    let width = edges.iter().map(|(_, by, _)| by.len()).max().unwrap_or(0);
    for (from, by, to) in edges {
        writeln!(page, "{:<15} ─ {by} {} {}", name(from), "─".repeat(width - by.len()) + "─►", name(to))
            .expect("a string");
    }
    page.push_str("```\n");
    check_page(DRAWN, &page);
}
