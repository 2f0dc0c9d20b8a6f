//! Keys are honoured: asked twice, in any order, across a restart, each thing is done once.

use std::path::Path;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::sync::mpsc;
use tokio::task::LocalSet;
use tokio::time::timeout;

use super::{Behaviour, SimulatedCheck, SimulatedPayment, SimulatedWarehouse};
use crate::adapters::samples::{order, payment, row, view, view_of_payments};
use crate::adapters::{Counterparty, Job, News, Opinion, Verdict};
use crate::base::ChangeId;
use crate::base::limits::SIMULATED_AUTHORISATION_MS;
use crate::engine::choices::PaymentMethod;
use crate::engine::query::{PaymentView, VelocityCount, VelocityView};
use crate::engine::{Action, FailureReason, PaymentReport, RetryClass, Stage, Step};

fn behaviour(dir: &Path) -> Behaviour {
    let file = dir.join("books");
    Behaviour {
        file,
        delay_ms: 4,
        declined: 0,
        rejected: 0,
        doubted: 0,
        doubted_above: 0,
        lost: 0,
        repeated: 0,
        seed: 7,
    }
}

fn job(number: u64, attempt: u32, action: Action, units: u32) -> Job {
    Job { want: row(number, number, action, attempt), order: view(number, units), velocity: None }
}

/// What was done to an order, oldest first.
fn done(dir: &Path, number: u64) -> Vec<String> {
    let text = std::fs::read_to_string(dir.join("books")).expect("books");
    let id = order(number).to_string();
    let lines = text.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    lines.filter(|words| words[1] == id).map(|words| words[0].to_owned()).collect()
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().copied().map(str::to_owned).collect()
}

fn on_its_thread<T>(what: impl Future<Output = T>) -> T {
    let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
    LocalSet::new().block_on(&runtime, what)
}

/// The next news; `None` when there is none for longer than a hand-over takes.
async fn heard(news: &mut mpsc::Receiver<News>) -> Option<News> {
    timeout(Duration::from_millis(100), news.recv()).await.ok().flatten()
}

const CARD: ChangeId = ChangeId::HANDED_OFF;
const TRANSFER: ChangeId = ChangeId(7);

/// What is to be done with an attempt of which so much was authorised, captured and refunded as far as anybody told.
fn seen(attempt: ChangeId, step: Step, [authorised, captured, refunded]: [u64; 3]) -> PaymentView {
    let method = if attempt == TRANSFER { PaymentMethod::BankTransfer } else { PaymentMethod::Card };
    PaymentView { method, authorised, captured, refunded, ..payment(attempt, step) }
}

fn paying(number: u64, payments: &[PaymentView]) -> Job {
    Job { want: row(number, number, Action::Charge, 1), order: view_of_payments(number, payments), velocity: None }
}

async fn asked(provider: &SimulatedPayment, number: u64, payments: &[PaymentView]) -> Vec<PaymentReport> {
    match provider.carry_out(paying(number, payments)).await {
        Verdict::Payments(told) => told.iter().map(|payment| payment.report).collect(),
        other => panic!("{other:?}"),
    }
}

/// All of it, for as long as it sets money aside for the order of this number.
fn set_aside(number: u64) -> PaymentReport {
    PaymentReport::Authorised { total: 9, until: order(number).made_at().after_ms(SIMULATED_AUTHORISATION_MS) }
}

const DECLINED: PaymentReport = PaymentReport::Failed { reason: FailureReason::Declined, class: RetryClass::Never };

#[test]
fn money_is_taken_once_and_given_back_once_and_never_taken_after_that() {
    use PaymentReport::{Captured, Refunded, Voided};
    use Step::{Capture, Charge, Close, GiveBack};
    let dir = tempfile::tempdir().expect("a directory");
    let dir = dir.path();
    let (charge, end) = (Charge { amount: 9 }, Close);
    on_its_thread(async {
        let mut provider = SimulatedPayment::open(behaviour(dir)).expect("books");
        for (number, attempt, step, told, report, restarts) in [
            (1, CARD, charge, [0, 0, 0], set_aside(1), false),
            (1, CARD, charge, [0, 0, 0], set_aside(1), true),
            (1, CARD, Capture { total: 4 }, [9, 0, 0], Captured { total: 4 }, false),
            (1, CARD, Capture { total: 9 }, [9, 4, 0], Captured { total: 9 }, true),
            (1, CARD, Capture { total: 9 }, [9, 4, 0], Captured { total: 9 }, true),
            // Late: it was overtaken.
            (1, CARD, Capture { total: 4 }, [9, 0, 0], Captured { total: 9 }, false),
            (1, CARD, GiveBack { total: 3 }, [9, 9, 0], Refunded { total: 3 }, false),
            (1, CARD, GiveBack { total: 9 }, [9, 9, 3], Refunded { total: 9 }, true),
            (1, CARD, GiveBack { total: 3 }, [9, 9, 0], Refunded { total: 9 }, true),
            (1, CARD, charge, [0, 0, 0], Captured { total: 9 }, false),
            // Set aside and let go.
            (2, CARD, charge, [0, 0, 0], set_aside(2), false),
            (2, CARD, end, [0, 0, 0], Voided, true),
            (2, CARD, charge, [0, 0, 0], Voided, true),
            (2, CARD, Capture { total: 9 }, [9, 0, 0], Voided, false),
            // Never heard of before it was over.
            (3, CARD, end, [0, 0, 0], Voided, false),
            (3, CARD, charge, [0, 0, 0], Voided, true),
            // Taken at once, and too late.
            (4, TRANSFER, charge, [0, 0, 0], Captured { total: 9 }, false),
            (4, TRANSFER, end, [0, 0, 0], Captured { total: 9 }, true),
            (4, TRANSFER, GiveBack { total: 9 }, [9, 9, 0], Refunded { total: 9 }, false),
        ] {
            if restarts {
                provider = SimulatedPayment::open(behaviour(dir)).expect("books");
            }
            let said = asked(&provider, number, &[seen(attempt, step, told)]).await;
            assert_eq!(said, [report], "{step:?} of {number}");
        }
    });
    assert_eq!(done(dir, 1), ["authorised", "captured", "captured", "refunded", "refunded"]);
    assert_eq!((done(dir, 2), done(dir, 3)), (words(&["authorised", "closed"]), words(&["closed"])));
    assert_eq!(done(dir, 4), ["captured", "refunded"]);
}

#[test]
fn what_somebody_else_took_is_captured_and_given_back_all_the_same() {
    let dir = tempfile::tempdir().expect("a directory");
    let dir = dir.path();
    on_its_thread(async {
        let provider = SimulatedPayment::open(behaviour(dir)).expect("books");
        let both =
            [seen(CARD, Step::Capture { total: 6 }, [9, 0, 0]), seen(TRANSFER, Step::GiveBack { total: 5 }, [5, 5, 0])];
        let said = asked(&provider, 1, &both).await;
        assert_eq!(said, [PaymentReport::Captured { total: 6 }, PaymentReport::Refunded { total: 5 }]);
        let provider = SimulatedPayment::open(behaviour(dir)).expect("books");
        let said = asked(&provider, 1, &[seen(CARD, Step::Capture { total: 9 }, [9, 6, 0])]).await;
        assert_eq!(said, [PaymentReport::Captured { total: 9 }]);
        let said = asked(&provider, 1, &both).await;
        assert_eq!(said, [PaymentReport::Captured { total: 9 }, PaymentReport::Refunded { total: 5 }]);
    });
    assert_eq!(done(dir, 1), ["captured", "refunded", "captured"]);
}

#[test]
fn money_that_is_not_to_be_had_stays_so() {
    let dir = tempfile::tempdir().expect("a directory");
    let dir = dir.path();
    let [charge, end] = [Step::Charge { amount: 9 }, Step::Close].map(|step| [seen(CARD, step, [0, 0, 0])]);
    on_its_thread(async {
        let provider = SimulatedPayment::open(Behaviour { declined: 1_000, ..behaviour(dir) }).expect("books");
        assert_eq!(asked(&provider, 1, &charge).await, [DECLINED]);
        let provider = SimulatedPayment::open(behaviour(dir)).expect("books");
        assert_eq!(asked(&provider, 1, &charge).await, [DECLINED]);
        assert_eq!(asked(&provider, 1, &end).await, [DECLINED]);
    });
    assert_eq!(done(dir, 1), ["declined"]);
}

/// Its answers got lost, and what was wanted is wanted no more: whoever looks hears all of it, and nothing is done.
#[test]
fn whoever_looks_hears_what_the_order_does_not_know_and_nothing_else() {
    use PaymentReport::{Captured, Refunded, Voided};
    use Stage::{Authorised as SetAside, Created, Failed, Processing};
    let dir = tempfile::tempdir().expect("a directory");
    let dir = dir.path();
    let (charge, none) = (Step::Charge { amount: 9 }, [0, 0, 0]);
    let look = |attempt, stage, told| PaymentView { stage, ..seen(attempt, Step::Nothing, told) };
    on_its_thread(async {
        let provider = SimulatedPayment::open(behaviour(dir)).expect("books");
        for (number, attempt, step, told) in [
            (1, CARD, charge, none),
            (2, TRANSFER, charge, none),
            (2, TRANSFER, Step::GiveBack { total: 4 }, [9, 9, 0]),
            (3, CARD, Step::Close, none),
            (4, CARD, charge, none),
            (4, CARD, Step::Capture { total: 5 }, [9, 0, 0]),
            (4, CARD, Step::Close, [9, 5, 0]),
        ] {
            asked(&provider, number, &[seen(attempt, step, told)]).await;
        }
        let strict = Behaviour { declined: 1_000, ..behaviour(dir) };
        asked(&SimulatedPayment::open(strict).expect("books"), 5, &[seen(CARD, charge, none)]).await;
        let books = std::fs::read_to_string(dir.join("books")).expect("books");
        let provider = SimulatedPayment::open(behaviour(dir)).expect("books");
        for (number, attempt, stage, told, news) in [
            (1, CARD, Created, none, vec![set_aside(1)]),
            (1, CARD, SetAside, [9, 0, 0], vec![]),
            (2, TRANSFER, Created, none, vec![Captured { total: 9 }, Refunded { total: 4 }]),
            (2, TRANSFER, SetAside, [9, 9, 0], vec![Refunded { total: 4 }]),
            (2, TRANSFER, SetAside, [9, 9, 4], vec![]),
            (3, CARD, Processing, none, vec![Voided]),
            (3, CARD, SetAside, [9, 0, 0], vec![Voided]),
            (3, CARD, Stage::Voided, none, vec![]),
            (3, CARD, Failed, none, vec![]),
            (4, CARD, SetAside, [9, 0, 0], vec![Captured { total: 5 }, Voided]),
            (4, CARD, SetAside, [9, 5, 0], vec![Voided]),
            (4, CARD, Stage::Expired, [9, 5, 0], vec![]),
            (5, CARD, Created, none, vec![DECLINED]),
            (5, CARD, Failed, none, vec![]),
            // Somebody else took it, and this provider never heard of it.
            (6, TRANSFER, SetAside, [9, 9, 0], vec![]),
            (6, TRANSFER, Created, none, vec![]),
        ] {
            let said = asked(&provider, number, &[look(attempt, stage, told)]).await;
            assert_eq!(said, news, "{number}, seen {stage:?} {told:?}");
        }
        let both = [seen(CARD, Step::GiveBack { total: 5 }, [9, 5, 0]), look(TRANSFER, SetAside, [5, 5, 0])];
        let said = asked(&provider, 4, &both).await;
        assert_eq!(said, [Refunded { total: 5 }], "of attempts with a step, and beside it what is new of the others");
        let after = std::fs::read_to_string(dir.join("books")).expect("books");
        assert_eq!(after.strip_prefix(&books).map(|more| more.lines().count()), Some(1), "looking does nothing");
    });
}

#[test]
fn an_answer_may_come_once_more_as_news() {
    let dir = tempfile::tempdir().expect("a directory");
    on_its_thread(async {
        let provider = SimulatedPayment::open(Behaviour { repeated: 1_000, ..behaviour(dir.path()) }).expect("books");
        let mut news = provider.news();
        let charge = seen(TRANSFER, Step::Charge { amount: 9 }, [0, 0, 0]);
        let Verdict::Payments(told) = provider.carry_out(paying(1, &[charge])).await else { panic!("it was charged") };
        let payment = told[0];
        assert_eq!((payment.attempt, payment.method), (TRANSFER, PaymentMethod::BankTransfer));
        assert_eq!(heard(&mut news).await, Some(News::Payment { order: order(1), payment }));
    });
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

fn check(number: u64) -> Job {
    job(number, 1, Action::Check, 1)
}

#[test]
fn a_checker_says_the_same_however_often_it_is_asked_and_writes_it_down_once() {
    let dir = tempfile::tempdir().expect("a directory");
    let dir = dir.path();
    on_its_thread(async {
        for (number, [rejected, doubted], told) in [
            (1, [1_000, 0], Verdict::Rejected),
            (2, [0, 1_000], Verdict::Review),
            (3, [0, 0], Verdict::Done),
            // Whoever it rejects it has no doubts about.
            (4, [1_000, 1_000], Verdict::Rejected),
        ] {
            let checker = SimulatedCheck::open(Behaviour { rejected, doubted, ..behaviour(dir) }).expect("books");
            assert_eq!(checker.carry_out(check(number)).await, told);
            assert_eq!(checker.carry_out(check(number)).await, told);
            // It thinks otherwise now, and remembers what it said.
            let checker = SimulatedCheck::open(Behaviour { rejected: 1_000 - rejected, ..behaviour(dir) });
            assert_eq!(checker.expect("books").carry_out(check(number)).await, told);
        }
    });
    let lines = ["rejected", "review", "trusted", "rejected"].iter().zip(1..);
    let lines: String = lines.map(|(word, number)| format!("{word} {} 5 GBP\n", order(number))).collect();
    assert_eq!(std::fs::read_to_string(dir.join("books")).expect("books"), lines);
    std::fs::write(dir.join("books"), lines.repeat(2)).expect("written");
    let why = SimulatedCheck::open(behaviour(dir)).err().expect("it says one thing of an order").to_string();
    assert!(why.contains("means nothing: rejected"), "{why}");
}

#[test]
fn a_checker_doubts_whoever_placed_more_than_so_many() {
    let dir = tempfile::tempdir().expect("a directory");
    let dir = dir.path();
    let placed = |number: u64, [customer, instrument]: [u32; 2]| {
        let of = |orders| VelocityCount { orders, ..VelocityCount::default() };
        let view = VelocityView { customer: of(customer), instrument: of(instrument), ..VelocityView::default() };
        Job { velocity: Some(view), ..check(number) }
    };
    on_its_thread(async {
        for (number, doubted_above, orders, told) in [
            (1, 2, [2, 1], Verdict::Done),
            (2, 2, [3, 1], Verdict::Review),
            (3, 2, [1, 3], Verdict::Review),
            (4, 0, [9, 9], Verdict::Done),
        ] {
            let checker = SimulatedCheck::open(Behaviour { doubted_above, ..behaviour(dir) }).expect("books");
            assert_eq!(checker.carry_out(placed(number, orders)).await, told, "order {number}");
        }
        let both = Behaviour { doubted_above: 1, rejected: 1_000, ..behaviour(dir) };
        let checker = SimulatedCheck::open(both).expect("books");
        assert_eq!(checker.carry_out(placed(5, [9, 9])).await, Verdict::Rejected, "no doubts about it");
    });
}

#[test]
fn a_checker_that_loses_what_it_is_asked_or_answers_says_nothing_and_may_say_it_another_way() {
    let dir = tempfile::tempdir().expect("a directory");
    let dir = dir.path();
    on_its_thread(async {
        let lossy = Behaviour { lost: 1_000, repeated: 1_000, ..behaviour(dir) };
        let checker = SimulatedCheck::open(lossy).expect("books");
        assert_eq!(checker.carry_out(check(1)).await, Verdict::Again);
        let repeating = Behaviour { repeated: 1_000, doubted: 1_000, ..behaviour(dir) };
        let checker = SimulatedCheck::open(repeating).expect("books");
        let mut news = checker.news();
        assert_eq!(checker.carry_out(check(2)).await, Verdict::Review);
        let told = News::Checked { order: order(2), opinion: Opinion::Review };
        assert_eq!(heard(&mut news).await, Some(told));
    });
    assert_eq!(done(dir, 1), Vec::<String>::new(), "a question that got lost was not asked");
    assert_eq!(done(dir, 2), ["review"]);
}

#[test]
fn what_a_checker_thinks_follows_from_seed_and_order_and_comes_to_its_shares() {
    let of =
        |seed, shares| (1..=10_000).map(|number| Behaviour::opinion(seed, shares, order(number))).collect::<Vec<_>>();
    let thought = of(7, [100, 50]);
    assert_eq!(thought, of(7, [100, 50]));
    assert_ne!(thought, of(8, [100, 50]));
    let count = |opinion| thought.iter().filter(|other| **other == opinion).count();
    assert!((900..1_100).contains(&count(Opinion::Rejected)), "{}", count(Opinion::Rejected));
    assert!((350..550).contains(&count(Opinion::Review)), "{}", count(Opinion::Review));
    // Of those that are declined it has its opinion all the same.
    let declined = (1..=10_000).filter(|number| Behaviour::declines(7, 100, order(*number)));
    let both = declined.filter(|number| thought[*number as usize - 1] == Opinion::Rejected).count();
    assert!((50..200).contains(&both), "{both}");
}
