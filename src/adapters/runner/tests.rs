//! The runner turn by turn, against a shard that says what the test says.

use super::*;
use crate::adapters::samples::{order, payment, row, view, view_of_payments};
use crate::base::limits::ADAPTER_FAILURES_MAX;
use crate::base::{ChangeId, CustomerKey};
use crate::engine::command::IdentityHashes;
use crate::engine::order::State;
use crate::engine::query::{CheckState, VelocityView};
use crate::engine::{Action, Answer, PaymentReport, Refusal, Step as PaymentStep};

const DONE: Told = Told::Answer(Answer::Done { state: State::Confirmed, moved: 1, excess: 0, repeated: false });

struct Bench {
    runner: Runner,
    now_ms: u64,
    jobs: Vec<WantRow>,
    asked: Vec<(u64, Ask)>,
}

impl Bench {
    fn new() -> Self {
        Self::of(Effect::Payment)
    }

    fn of(effect: Effect) -> Self {
        let mut bench = Self { runner: Runner::new(effect, 1, 7), now_ms: 0, jobs: Vec::new(), asked: Vec::new() };
        bench.turn();
        bench
    }

    fn turn(&mut self) {
        while let Some(next) = self.runner.poll_do(self.now_ms) {
            match next {
                Do::Ask { correlation, ask, .. } => self.asked.push((correlation, ask)),
                Do::CarryOut(job) => self.jobs.push(job.want),
                Do::Acknowledge(_) | Do::Refuse(..) => {}
            }
        }
    }

    /// Answers the page that is asked for; the list goes no further.
    fn list(&mut self, rows: Vec<WantRow>) {
        self.wait(ADAPTER_LOOK_MS_MAX);
        let at = self.asked.iter().position(|(_, ask)| matches!(ask, Ask::Wanted { .. })).expect("a page is asked for");
        let (correlation, _) = self.asked.remove(at);
        self.runner.handle_told(correlation, Told::Wanted(WantPage { rows, next: None }), self.now_ms);
        self.turn();
    }

    fn wait(&mut self, ms: u64) {
        self.now_ms += ms;
        self.turn();
    }

    /// Tells what was asked of an order that is looked up; the first of them.
    fn look(&mut self, told: Told) {
        let at = self.asked.iter().position(|(_, ask)| matches!(ask, Ask::Order(_))).expect("an order is looked up");
        let (correlation, _) = self.asked.remove(at);
        self.runner.handle_told(correlation, told, self.now_ms);
        self.turn();
    }

    /// The order that is looked up is to be charged.
    fn charge(&mut self, number: u64) {
        let charge = payment(ChangeId::HANDED_OFF, PaymentStep::Charge { amount: 5 });
        self.look(Told::Order(view_of_payments(number, &[charge])));
    }

    fn verdict(&mut self, number: u64, verdict: Verdict) {
        self.runner.handle_verdict(order(number), verdict, self.now_ms);
        self.turn();
    }

    /// What was said and not answered yet.
    fn said(&mut self) -> Vec<(u64, Say)> {
        let said = self.asked.iter().filter_map(|(correlation, ask)| match ask {
            Ask::Say { say, .. } => Some((*correlation, *say)),
            _ => None,
        });
        said.collect()
    }

    fn tell(&mut self, told: Told) {
        let said = self.said();
        let (correlation, _) = said.first().expect("something was said");
        self.asked.retain(|(other, _)| other != correlation);
        self.runner.handle_told(*correlation, told, self.now_ms);
        self.turn();
    }
}

/// So much of the money of an attempt was taken.
fn taken(attempt: ChangeId, total: u64) -> Payment {
    let view = view(1, 1);
    Payment { attempt, method: view.payment, currency: view.currency, report: PaymentReport::Captured { total } }
}

#[test]
fn what_came_of_money_is_told_and_held_until_that_is_durable() {
    let mut bench = Bench::new();
    bench.list(vec![row(1, 1, Action::Charge, 1)]);
    assert_eq!(bench.jobs.len(), 0, "not before the order was looked up");
    bench.charge(1);
    assert_eq!(bench.jobs.len(), 1);
    let [first, second] = [ChangeId::HANDED_OFF, ChangeId(3)].map(|attempt| taken(attempt, 5));
    bench.verdict(1, Verdict::Payments(vec![first, second]));
    assert!(matches!(bench.said()[..], [(_, Say::Payment(said))] if said == first));
    bench.tell(Told::Refused(Refused::Overloaded { retry_after_ms: 30 }));
    assert!(bench.said().is_empty(), "not before the shard has room");
    bench.wait(30);
    assert!(matches!(bench.said()[..], [(_, Say::Payment(said))] if said == first), "the same again");
    bench.tell(DONE);
    assert!(matches!(bench.said()[..], [(_, Say::Payment(said))] if said == second), "one after the other");
    bench.tell(DONE);
    assert!(matches!(bench.said()[..], [(_, Say::Report(Report::Done))]));
    assert_eq!(bench.runner.held(), 1);
    bench.tell(DONE);
    assert_eq!((bench.runner.held(), bench.runner.running()), (0, 0));
}

#[test]
fn money_with_which_nothing_is_left_to_be_done_bothers_no_provider() {
    let mut bench = Bench::new();
    bench.list(vec![row(1, 1, Action::Close, 2)]);
    bench.look(Told::Order(view_of_payments(1, &[payment(ChangeId(3), PaymentStep::Nothing)])));
    assert_eq!((bench.jobs.len(), bench.runner.counts.tries), (0, 0));
    assert!(matches!(bench.said()[..], [(_, Say::Report(Report::Done))]));
    bench.tell(DONE);
    assert_eq!((bench.runner.held(), bench.runner.running()), (0, 0));
}

/// It was carried out, and wanted no more before anybody told so.
#[test]
fn a_lost_answer_of_a_step_that_went_away_is_told_because_somebody_looks() {
    let mut bench = Bench::new();
    let give_back = payment(ChangeId(3), PaymentStep::GiveBack { total: 5 });
    let nothing = || Told::Order(view_of_payments(1, &[payment(ChangeId(3), PaymentStep::Nothing)]));
    bench.list(vec![row(1, 1, Action::GiveBack, 1)]);
    bench.look(Told::Order(view_of_payments(1, &[give_back])));
    bench.list(vec![row(2, 1, Action::Look, 2)]);
    bench.verdict(1, Verdict::Again);
    bench.look(nothing());
    let asked: Vec<_> = bench.jobs.iter().map(|job| (job.action, job.attempt)).collect();
    assert_eq!(asked, [(Action::GiveBack, 1), (Action::Look, 2)], "asked although nothing is to be done");
    let refunded = Payment { report: PaymentReport::Refunded { total: 5 }, ..taken(ChangeId(3), 5) };
    bench.verdict(1, Verdict::Again);
    bench.wait(60_000);
    bench.look(nothing());
    bench.verdict(1, Verdict::Payments(vec![refunded]));
    assert!(matches!(bench.said()[..], [(_, Say::Payment(said))] if said == refunded), "and again until it is heard");
    bench.tell(DONE);
    assert!(matches!(bench.said()[..], [(_, Say::Report(Report::Done))]));
    bench.tell(DONE);
    assert_eq!((bench.runner.held(), bench.runner.running()), (0, 0));
    // There was nothing to tell.
    bench.list(vec![row(3, 2, Action::Look, 4)]);
    bench.look(Told::Order(view_of_payments(2, &[payment(ChangeId(3), PaymentStep::Nothing)])));
    bench.verdict(2, Verdict::Payments(Vec::new()));
    assert!(matches!(bench.said()[..], [(_, Say::Report(Report::Done))]));
}

#[test]
fn a_newer_attempt_waits_for_the_one_under_way_and_replaces_one_that_waits() {
    let mut bench = Bench::new();
    bench.list(vec![row(1, 1, Action::Charge, 1)]);
    bench.charge(1);
    bench.list(vec![row(2, 1, Action::Close, 2)]);
    bench.list(vec![row(3, 1, Action::GiveBack, 3)]);
    assert_eq!(bench.jobs.len(), 1, "one job of an order at a time");
    bench.verdict(1, Verdict::Again);
    bench.charge(1);
    let attempts: Vec<u32> = bench.jobs.iter().map(|job| job.attempt).collect();
    assert_eq!(attempts, [1, 3], "nobody asks for what is wanted no more");
    bench.list(vec![row(4, 1, Action::GiveBack, 4)]);
    bench.verdict(1, Verdict::Payments(vec![taken(ChangeId::HANDED_OFF, 5)]));
    bench.tell(DONE);
    assert!(bench.said().is_empty(), "nobody waits to hear that it is done");
    bench.look(Told::Order(view_of_payments(1, &[])));
    assert!(matches!(bench.said()[..], [(_, Say::Report(Report::Done))]));
    bench.tell(DONE);
    assert_eq!(bench.runner.held(), 0);
}

#[test]
fn what_is_tried_in_vain_is_set_aside_after_so_many_tries_and_the_breaker_spaces_them() {
    let mut bench = Bench::new();
    bench.list(vec![row(1, 1, Action::Charge, 1)]);
    for tries in 1..=ADAPTER_TRIES_MAX {
        bench.charge(1);
        assert_eq!(bench.jobs.len() as u32, tries);
        bench.verdict(1, Verdict::Again);
        if tries < ADAPTER_TRIES_MAX {
            assert!(!bench.asked.iter().any(|(_, ask)| matches!(ask, Ask::Order(_))), "not at once");
            let deadline = bench.runner.poll_deadline(bench.now_ms).expect("it will be tried again");
            assert!(deadline > bench.now_ms);
            bench.wait(60_000);
        }
    }
    assert!(bench.runner.is_breaker_open());
    assert!(matches!(bench.said()[..], [(_, Say::Report(Report::SetAside(AsideReason::TriesUsedUp)))]));
    bench.tell(DONE);
    assert_eq!((bench.runner.held(), bench.runner.counts.set_aside), (0, 1));
}

#[test]
fn it_holds_asks_and_reads_a_bounded_number() {
    let mut bench = Bench::new();
    let mut number = 0;
    for _ in 0..20 {
        bench.wait(ADAPTER_LOOK_MS_MAX);
        let Some(at) = bench.asked.iter().position(|(_, ask)| matches!(ask, Ask::Wanted { .. })) else { break };
        let (correlation, ask) = bench.asked.remove(at);
        let Ask::Wanted { rows_max, after, .. } = ask else { unreachable!("it was looked for") };
        assert_eq!(after, number, "where the page before ended");
        let rows = (0..rows_max).map(|_| {
            number += 1;
            row(number, number, Action::Charge, 1)
        });
        let page = WantPage { rows: rows.collect(), next: Some(number) };
        bench.runner.handle_told(correlation, Told::Wanted(page), bench.now_ms);
        bench.turn();
    }
    let looks = bench.asked.iter().filter(|(_, ask)| matches!(ask, Ask::Order(_))).count();
    assert_eq!((bench.runner.held(), looks), (ADAPTER_HELD_MAX, ADAPTER_RUNNING_MAX));
    bench.charge(1);
    let looks = bench.asked.iter().filter(|(_, ask)| matches!(ask, Ask::Order(_))).count();
    assert_eq!((bench.jobs.len(), looks), (1, ADAPTER_RUNNING_MAX - 1), "looked up and carried out together");
    assert_eq!(number as usize, ADAPTER_HELD_MAX, "the list is read no further");
}

#[test]
fn news_is_acknowledged_once_a_shard_has_answered_and_told_again_while_it_has_no_room() {
    let mut bench = Bench::new();
    let news = News::HandedOver { order: order(1), change: ChangeId(9), lines: Vec::new() };
    bench.runner.handle_news(0, news.clone());
    bench.turn();
    let take = |bench: &mut Bench| {
        let at = bench.asked.iter().position(|(_, ask)| matches!(ask, Ask::News(_)));
        at.map(|at| bench.asked.remove(at).0)
    };
    let first = take(&mut bench).expect("it is told");
    bench.runner.handle_told(first, Told::Refused(Refused::DiskLow), bench.now_ms);
    bench.turn();
    assert_eq!(take(&mut bench), None);
    bench.wait(ADAPTER_LOOK_MS_MAX);
    let second = take(&mut bench).expect("it is told again");
    bench.runner.handle_told(second, DONE, bench.now_ms);
    let done = bench.runner.poll_do(bench.now_ms);
    assert!(matches!(&done, Some(Do::Acknowledge(known)) if *known == news), "{done:?}");
    assert_eq!(bench.runner.counts.news, 1);
}

/// Money was taken, and the order has no room for one attempt more: it must not wait for a restart to be seen.
#[test]
fn what_a_shard_refuses_of_an_effect_sets_it_aside_unless_something_else_is_wanted_by_then() {
    let refused = || Told::Refused(Refused::Engine(Refusal::AtCapacity));
    let both = || Verdict::Payments([ChangeId(1), ChangeId(2)].map(|attempt| taken(attempt, 5)).into());
    let mut bench = Bench::new();
    bench.list(vec![row(1, 1, Action::Charge, 1)]);
    bench.charge(1);
    bench.verdict(1, both());
    bench.tell(refused());
    assert!(matches!(bench.said()[..], [(_, Say::Payment(Payment { attempt: ChangeId(2), .. }))]), "the rest is told");
    bench.tell(DONE);
    assert!(matches!(bench.said()[..], [(_, Say::Report(Report::SetAside(AsideReason::Refused)))]));
    bench.tell(DONE);
    assert_eq!((bench.runner.held(), bench.runner.counts.set_aside), (0, 1));
    bench.list(vec![row(2, 2, Action::Charge, 1)]);
    bench.charge(2);
    bench.verdict(2, Verdict::Payments(vec![taken(ChangeId(1), 5)]));
    bench.tell(refused());
    bench.tell(Told::Refused(Refused::Engine(Refusal::UnknownOrder)));
    assert_eq!((bench.runner.held(), bench.runner.counts.set_aside), (0, 1), "nothing is wanted of it");
    bench.list(vec![row(3, 3, Action::Charge, 1)]);
    bench.charge(3);
    bench.verdict(3, both());
    bench.list(vec![row(4, 3, Action::GiveBack, 2)]);
    bench.tell(refused());
    bench.tell(refused());
    bench.charge(3);
    assert_eq!(bench.jobs.last().map(|job| job.attempt), Some(2), "what is wanted now is carried out");
    bench.verdict(3, Verdict::Done);
    assert!(matches!(bench.said()[..], [(_, Say::Report(Report::Done))]), "of what was refused before nothing is left");
}

#[test]
fn news_that_a_shard_refuses_is_not_acknowledged() {
    let mut bench = Bench::of(Effect::Release);
    let news = News::HandedOver { order: order(1), change: ChangeId(9), lines: Vec::new() };
    bench.runner.handle_news(0, news.clone());
    bench.turn();
    let at = bench.asked.iter().position(|(_, ask)| matches!(ask, Ask::News(_))).expect("it is told");
    let (correlation, _) = bench.asked.remove(at);
    bench.runner.handle_told(correlation, Told::Refused(Refused::Engine(Refusal::TooManyChanges)), 0);
    let done = bench.runner.poll_do(bench.now_ms);
    let is_refused = matches!(
        &done,
        Some(Do::Refuse(known, Refused::Engine(Refusal::TooManyChanges))) if *known == news
    );
    assert!(is_refused, "{done:?}");
    let counts = bench.runner.counts;
    assert_eq!((counts.news, counts.news_refused, bench.runner.has_room_for_news()), (0, 1, true));
}

/// A probe that never goes out must not keep the others waiting for what it learns.
#[test]
fn the_breaker_waits_for_no_probe_whose_order_was_gone_before_it_was_asked() {
    let mut bench = Bench::of(Effect::Release);
    bench.list((1..=u64::from(ADAPTER_FAILURES_MAX)).map(|number| row(number, number, Action::Release, 1)).collect());
    for number in 1..=u64::from(ADAPTER_FAILURES_MAX) {
        bench.look(Told::Order(view(number, 1)));
        bench.verdict(number, Verdict::Again);
    }
    assert!(bench.runner.is_breaker_open());
    bench.wait(60_000);
    bench.look(Told::Refused(Refused::Engine(Refusal::UnknownOrder)));
    bench.look(Told::Refused(Refused::Overloaded { retry_after_ms: 1 }));
    let tries = bench.jobs.len();
    bench.look(Told::Order(view(3, 1)));
    assert_eq!(bench.jobs.len(), tries + 1, "the next one is the probe");
}

/// An order whose check has come so far.
fn checked(number: u64, check: CheckState) -> Told {
    Told::Order(Box::new(OrderView { check, ..*view(number, 1) }))
}

#[test]
fn what_a_checker_says_is_told_as_it_is() {
    let mut bench = Bench::of(Effect::Check);
    for (number, verdict, report) in [
        (1, Verdict::Done, Report::Done),
        (2, Verdict::Rejected, Report::Rejected),
        (3, Verdict::Review, Report::SetAside(AsideReason::Review)),
        (4, Verdict::Refused, Report::SetAside(AsideReason::Refused)),
    ] {
        bench.list(vec![row(number, number, Action::Check, 1)]);
        bench.look(checked(number, CheckState::Pending));
        bench.verdict(number, verdict);
        assert!(matches!(bench.said()[..], [(_, Say::Report(said))] if said == report), "{:?}", bench.said());
        bench.tell(DONE);
    }
    assert_eq!((bench.runner.held(), bench.jobs.len(), bench.runner.counts.set_aside), (0, 4, 2));
    assert!(!bench.runner.is_breaker_open(), "whoever says no says something");
}

/// Done would say that the order is to be trusted.
#[test]
fn of_an_order_whose_check_is_over_or_with_a_person_nobody_is_asked_and_nothing_said() {
    let mut bench = Bench::of(Effect::Check);
    let states = [CheckState::NotNeeded, CheckState::InReview, CheckState::Over];
    for (number, check) in (1..).zip(states) {
        bench.list(vec![row(number, number, Action::Check, 1)]);
        bench.look(checked(number, check));
        assert!(bench.jobs.is_empty() && bench.said().is_empty(), "{check:?}");
        assert_eq!((bench.runner.held(), bench.runner.running()), (0, 0));
    }
}

#[test]
fn a_checker_is_given_what_whoever_placed_the_order_placed_lately() {
    let mut bench = Bench::of(Effect::Check);
    bench.list(vec![row(1, 1, Action::Check, 1)]);
    let Told::Order(mut placed) = checked(1, CheckState::Pending) else { panic!("an order") };
    let hashes = IdentityHashes { account: 0, address: 5, instrument: 0 };
    (placed.customer, placed.hashes) = (CustomerKey(7), Some(hashes));
    for told in [Told::Refused(Refused::Overloaded { retry_after_ms: 30 }), Told::Velocity(VelocityView::default())] {
        bench.look(Told::Order(placed.clone()));
        let (correlation, ask) = bench.asked.pop().expect("something is asked");
        assert_eq!(ask, Ask::Velocity { market: order(1).market(), customer: CustomerKey(7), hashes });
        assert_eq!((bench.jobs.len(), bench.runner.running()), (0, 1), "not before that is known");
        bench.runner.handle_told(correlation, told, bench.now_ms);
        bench.wait(30);
    }
    assert_eq!(bench.jobs.len(), 1);
    bench.verdict(1, Verdict::Done);
    bench.tell(DONE);
    assert_eq!((bench.runner.held(), bench.runner.running()), (0, 0));
}

#[test]
fn silence_is_never_trust() {
    let mut bench = Bench::of(Effect::Check);
    bench.list(vec![row(1, 1, Action::Check, 1)]);
    for _ in 0..ADAPTER_TRIES_MAX {
        assert!(bench.said().is_empty());
        bench.look(checked(1, CheckState::Pending));
        bench.verdict(1, Verdict::Again);
        bench.wait(60_000);
    }
    assert!(matches!(bench.said()[..], [(_, Say::Report(Report::SetAside(AsideReason::TriesUsedUp)))]));
}

#[test]
#[should_panic(expected = "law: only a check is rejected, or left to a person")]
fn nobody_but_a_checker_rejects_an_order() {
    let mut bench = Bench::of(Effect::Release);
    bench.list(vec![row(1, 1, Action::Release, 1)]);
    bench.look(Told::Order(view(1, 1)));
    bench.verdict(1, Verdict::Rejected);
}
