//! Keys are honoured: asked twice, in any order, across a restart, each thing is done once.

use std::path::Path;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::sync::mpsc;
use tokio::task::LocalSet;
use tokio::time::timeout;

use super::{Behaviour, SimulatedPayment, SimulatedWarehouse};
use crate::adapters::samples::{order, row, view};
use crate::adapters::{Counterparty, Job, News, Verdict};
use crate::engine::Action;

fn behaviour(dir: &Path) -> Behaviour {
    Behaviour { file: dir.join("books"), delay_ms: 4, declined: 0, lost: 0, repeated: 0, seed: 7 }
}

fn job(number: u64, attempt: u32, action: Action, units: u32) -> Job {
    Job { want: row(number, number, action, attempt), order: Some(view(number, units)) }
}

/// What was done to an order, oldest first.
fn done(dir: &Path, number: u64) -> Vec<String> {
    let text = std::fs::read_to_string(dir.join("books")).expect("books");
    let id = order(number).to_string();
    let lines = text.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    lines.filter(|words| words[1] == id).map(|words| words[0].to_owned()).collect()
}

fn on_its_thread<T>(what: impl Future<Output = T>) -> T {
    let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
    LocalSet::new().block_on(&runtime, what)
}

/// The next news; `None` when there is none for longer than a hand-over takes.
async fn heard(news: &mut mpsc::Receiver<News>) -> Option<News> {
    timeout(Duration::from_millis(100), news.recv()).await.ok().flatten()
}

#[test]
fn money_is_taken_once_and_given_back_once_and_never_taken_after_that() {
    let dir = tempfile::tempdir().expect("a directory");
    let dir = dir.path();
    on_its_thread(async {
        use Action::{Charge, Close, GiveBack};
        let mut provider = SimulatedPayment::open(behaviour(dir)).expect("books");
        for (number, attempt, action, verdict, restarts) in [
            (1, 1, Charge, Verdict::Paid, false),
            (1, 1, Charge, Verdict::Paid, true),
            (1, 2, Close, Verdict::Paid, false),
            (1, 3, GiveBack, Verdict::Done, false),
            (1, 3, GiveBack, Verdict::Done, true),
            // Late: it was overtaken by what came after it.
            (1, 1, Charge, Verdict::Declined, false),
            (2, 2, Close, Verdict::Done, true),
            (2, 1, Charge, Verdict::Declined, false),
            (3, 2, GiveBack, Verdict::Done, false),
            (3, 1, Charge, Verdict::Declined, true),
        ] {
            if restarts {
                provider = SimulatedPayment::open(behaviour(dir)).expect("books");
            }
            let told = provider.carry_out(job(number, attempt, action, 2)).await;
            assert_eq!(told, verdict, "{} of {number}", action.name());
        }
    });
    assert_eq!(done(dir, 1), ["charged", "given_back"]);
    assert_eq!((done(dir, 2), done(dir, 3)), (vec!["closed".to_owned()], vec!["closed".to_owned()]));
}

#[test]
fn money_that_is_not_to_be_had_stays_so() {
    let dir = tempfile::tempdir().expect("a directory");
    let dir = dir.path();
    on_its_thread(async {
        let provider = SimulatedPayment::open(Behaviour { declined: 1_000, ..behaviour(dir) }).expect("books");
        assert_eq!(provider.carry_out(job(1, 1, Action::Charge, 1)).await, Verdict::Declined);
        let provider = SimulatedPayment::open(behaviour(dir)).expect("books");
        assert_eq!(provider.carry_out(job(1, 1, Action::Charge, 1)).await, Verdict::Declined);
        assert_eq!(provider.carry_out(job(1, 2, Action::GiveBack, 1)).await, Verdict::Done);
    });
    assert_eq!(done(dir, 1), ["declined"]);
}

#[test]
fn a_parcel_leaves_once_and_is_told_until_it_is_heard() {
    let dir = tempfile::tempdir().expect("a directory");
    let dir = dir.path();
    on_its_thread(async {
        let warehouse = SimulatedWarehouse::open(behaviour(dir)).expect("books");
        let mut news = warehouse.news();
        for _ in 0..2 {
            assert_eq!(warehouse.carry_out(job(1, 1, Action::Release, 2)).await, Verdict::Done);
        }
        let first = heard(&mut news).await.expect("it left");
        assert!(matches!(&first, News::HandedOver { lines, .. } if lines[0].quantity == 2), "{first:?}");
        // The same instruction once more, after it left and before anybody knows.
        assert_eq!(warehouse.carry_out(job(1, 1, Action::Release, 2)).await, Verdict::Done);
        assert_eq!(heard(&mut news).await, None);
        let warehouse = SimulatedWarehouse::open(behaviour(dir)).expect("books");
        let mut news = warehouse.news();
        assert_eq!(heard(&mut news).await.as_ref(), Some(&first), "not heard, so told again");
        warehouse.handle_acknowledged(&first);
        let warehouse = SimulatedWarehouse::open(behaviour(dir)).expect("books");
        let mut news = warehouse.news();
        assert_eq!(heard(&mut news).await, None);
        assert_eq!(warehouse.carry_out(job(1, 2, Action::Release, 2)).await, Verdict::Done);
        assert_eq!(heard(&mut news).await, None);
    });
    assert_eq!(done(dir, 1), ["told", "handed_over", "heard", "told"]);
}

#[test]
fn what_comes_in_later_leaves_in_a_parcel_of_its_own() {
    let dir = tempfile::tempdir().expect("a directory");
    let dir = dir.path();
    let sent = |news: Option<News>| match news {
        Some(News::HandedOver { change, lines, .. }) => Some((change.0 & 0xFF, lines[0].quantity)),
        _ => None,
    };
    on_its_thread(async {
        let warehouse = SimulatedWarehouse::open(behaviour(dir)).expect("books");
        let mut news = warehouse.news();
        assert_eq!(warehouse.carry_out(job(1, 1, Action::Release, 2)).await, Verdict::Done);
        let first = heard(&mut news).await;
        assert_eq!(sent(first.clone()), Some((1, 2)));
        // Three more came in; whoever says so has not heard of the parcel yet.
        assert_eq!(warehouse.carry_out(job(1, 2, Action::Release, 5)).await, Verdict::Done);
        assert_eq!(heard(&mut news).await, first, "one parcel after the other");
        let warehouse = SimulatedWarehouse::open(behaviour(dir)).expect("books");
        let mut news = warehouse.news();
        assert_eq!(heard(&mut news).await, first);
        warehouse.handle_acknowledged(&first.expect("it left"));
        let second = heard(&mut news).await;
        assert_eq!(sent(second.clone()), Some((2, 3)), "what left before is taken off");
        warehouse.handle_acknowledged(&second.expect("it left too"));
        assert_eq!(heard(&mut news).await, None);
    });
    assert_eq!(done(dir, 1), ["told", "handed_over", "told", "heard", "handed_over", "heard"]);
}

#[test]
fn of_two_instructions_the_later_one_holds_in_whatever_order_they_come() {
    let dir = tempfile::tempdir().expect("a directory");
    let dir = dir.path();
    on_its_thread(async {
        let warehouse = SimulatedWarehouse::open(Behaviour { delay_ms: 40, ..behaviour(dir) }).expect("books");
        let mut news = warehouse.news();
        let told = tokio::join!(
            warehouse.carry_out(job(1, 2, Action::Release, 0)),
            warehouse.carry_out(job(1, 1, Action::Release, 2)),
            warehouse.carry_out(job(2, 1, Action::Release, 3)),
            warehouse.carry_out(job(2, 2, Action::Release, 1)),
        );
        assert_eq!(told, (Verdict::Done, Verdict::Done, Verdict::Done, Verdict::Done));
        let left = heard(&mut news).await;
        assert!(
            matches!(&left, Some(News::HandedOver { order: it, lines, .. })
            if *it == order(2) && lines[0].quantity == 1),
            "{left:?}"
        );
        let again = heard(&mut news).await;
        assert!(again.is_none() || again == left, "{again:?} instead");
    });
    assert!(!done(dir, 1).contains(&"handed_over".to_owned()), "taken back in time");
}
