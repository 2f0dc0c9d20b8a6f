//! The states of an order, found by trying everything on it: what `docs/STATES.md` draws is what happens, and all that
//! does.
//!
//! ```text
//! every way an order may begin ─► every command, and the deadline ─► orders of another shape ─► … until none is new
//! ```
//!
//! `STATES=write cargo test --test spec states` draws anew.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write;
use std::sync::{LazyLock, Mutex};

use stockade::base::{ChangeId, Currency, OrderId, RequestId, SiteId, SkuId};
use stockade::engine::choices::PaymentMethod;
use stockade::engine::order::State;
use stockade::engine::query::LineView;
use stockade::engine::refusal::Legal;
use stockade::engine::{
    Answer, Command, Edit, FailureReason, HoldReason, Line, LineQuantity, PaymentReport, Policy, RetryClass,
};

use crate::replaying::place;
use crate::rig::{MARKET, Rig, START, room_for};

/// Whose the holds are.
const OWNER: &str = "desk";
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/STATES.md");
/// Units of the line that the order is placed with: one more than what one step takes.
const UNITS: u32 = 2;
/// The generated part of the page stands between lines that begin with these.
const DRAWN: [&str; 2] = ["<!-- drawn by a test", "<!-- to here"];
/// Holds of the order: one more than what is lifted at once.
const HOLDS: usize = 2;
/// Attempts to pay it: one more than what has to fail.
const PAYMENTS: u64 = 2;
const NONE: &str = "(none)";

/// How an order comes to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Begin {
    /// Units are there; payment comes later.
    Paying,
    /// Units are there; paid at the door.
    AtTheDoor,
    /// One unit is there, the other is owed; payment comes later.
    Owing,
    /// The same, paid at the door.
    OwingAtTheDoor,
    /// A cancellation was first.
    Blocked,
}

impl Begin {
    const ALL: [Self; 5] = [Self::Paying, Self::AtTheDoor, Self::Owing, Self::OwingAtTheDoor, Self::Blocked];

    const fn word(self) -> &'static str {
        match self {
            Self::Paying | Self::Owing => "place",
            Self::AtTheDoor | Self::OwingAtTheDoor => "place, paid at the door",
            Self::Blocked => "cancel, block",
        }
    }
}

/// What may happen to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Confirm,
    CancelOne,
    Cancel,
    HandOverOne,
    ReturnOne,
    RemoveOne,
    RemoveAll,
    /// In a line of its own, if no edit added one before.
    AddOne,
    /// For a reason more, up to [`HOLDS`].
    Hold,
    /// The reason that came last.
    Lift,
    /// Of an attempt more, up to [`PAYMENTS`].
    BeginPayment,
    /// The newest attempt, and so the three below.
    FailPayment,
    FailPaymentForGood,
    VoidPayment,
    /// What one unit costs, and what two cost when it is told again.
    PayOne,
    /// What is owed comes in.
    Receive,
    Deadline,
}

impl Step {
    const ALL: [Self; 17] = [
        Self::Confirm,
        Self::CancelOne,
        Self::Cancel,
        Self::HandOverOne,
        Self::ReturnOne,
        Self::RemoveOne,
        Self::RemoveAll,
        Self::AddOne,
        Self::Hold,
        Self::Lift,
        Self::BeginPayment,
        Self::FailPayment,
        Self::FailPaymentForGood,
        Self::VoidPayment,
        Self::PayOne,
        Self::Receive,
        Self::Deadline,
    ];

    const fn word(self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::CancelOne => "cancel a unit",
            Self::Cancel => "cancel",
            Self::HandOverOne => "hand over a unit",
            Self::ReturnOne => "return a unit",
            Self::RemoveOne => "edit: remove a unit",
            Self::RemoveAll => "edit: remove all",
            Self::AddOne => "edit: add a unit",
            Self::Hold => "hold",
            Self::Lift => "lift its last hold",
            Self::BeginPayment => "begin a payment",
            Self::FailPayment => "a payment fails",
            Self::FailPaymentForGood => "a payment fails for good",
            Self::VoidPayment => "a payment is voided",
            Self::PayOne => "a unit is paid for",
            Self::Receive => "receive what is owed",
            Self::Deadline => "deadline",
        }
    }

    /// What an illegal one would be refused for.
    const fn legal(self) -> Option<Legal> {
        match self {
            Self::Confirm => Some(Legal::CONFIRM),
            Self::CancelOne | Self::Cancel => Some(Legal::CANCEL),
            Self::HandOverOne => Some(Legal::HAND_OVER),
            Self::ReturnOne => Some(Legal::RETURN),
            Self::RemoveOne | Self::RemoveAll | Self::AddOne => Some(Legal::EDIT),
            Self::Hold => Some(Legal::HOLD),
            Self::BeginPayment => Some(Legal::PAY),
            // Lifting what is not there is no error, and what is told of a payment is never refused.
            Self::Lift
            | Self::FailPayment
            | Self::FailPaymentForGood
            | Self::VoidPayment
            | Self::PayOne
            | Self::Receive
            | Self::Deadline => None,
        }
    }
}

/// What tells one order from another, as far as any step cares.
type Shape = (State, usize, Vec<[u32; 7]>, Vec<(u8, u64)>);

/// An order on the bench.
struct Bench {
    rig: Rig,
    order: OrderId,
    changes: u64,
}

impl Bench {
    fn new(begin: Begin) -> Self {
        let mut rig = Rig::new(room_for(10));
        rig.open("default");
        let (sku, order) = (SkuId(1), OrderId::new(START, MARKET, 1));
        rig.submit(&Command::CreateSku { market: MARKET, code: "mug" }).expect("created");
        let owes = matches!(begin, Begin::Owing | Begin::OwingAtTheDoor);
        let policy = Policy { oversell_max: u64::from(owes), ..Policy::default() };
        rig.submit(&Command::SetPolicy { market: MARKET, sku, policy }).expect("set");
        let mut bench = Self { rig, order, changes: 0 };
        bench.receive(u64::from(UNITS) - u64::from(owes));
        let lines = [Line { sku, quantity: UNITS, price: 1 }];
        let payment = match begin {
            Begin::Paying | Begin::Owing => PaymentMethod::Card,
            Begin::AtTheDoor | Begin::OwingAtTheDoor => PaymentMethod::CashOnDelivery,
            Begin::Blocked => {
                bench.rig.submit(&Command::Cancel { order, block: true }).expect("blocked");
                return bench;
            }
        };
        bench.rig.submit(&Command::Place(stockade::engine::Place { payment, ..place(order, &lines) })).expect("placed");
        // To be added.
        bench.receive(u64::from(!owes));
        bench
    }

    fn receive(&mut self, quantity: u64) {
        if quantity == 0 {
            return;
        }
        self.changes += 1;
        let request = RequestId::new(self.rig.now, MARKET, self.changes);
        let (sku, site) = (SkuId(1), SiteId(1));
        self.rig.submit(&Command::Receive { request, sku, site, quantity }).expect("received");
    }

    /// One with a line more is held and paid once: what twice does, other orders tell.
    fn is_larger(&self) -> bool {
        self.rig.engine.order(self.order).is_ok_and(|view| view.lines.len() > 1)
    }

    fn holds(&self) -> usize {
        self.rig.engine.order(self.order).map_or(0, |view| view.holds.len())
    }

    /// Stage of every attempt to pay it, and what is set aside.
    fn payments(&self) -> Vec<(u8, u64)> {
        let view = self.rig.engine.order(self.order).expect("it is kept");
        view.payments.iter().map(|payment| (payment.stage as u8, payment.authorised)).collect()
    }

    /// Every line with so many units of it as count; if none does, a unit of the first.
    fn lines(&self, counts: impl Fn(&LineView) -> u32) -> Vec<LineQuantity> {
        let lines = self.rig.engine.order(self.order).map(|view| view.lines).unwrap_or_default();
        let of_line = |(line, view)| LineQuantity { line, quantity: counts(view) };
        let mut counted: Vec<LineQuantity> = (0..).zip(&lines).map(of_line).collect();
        counted.retain(|line| line.quantity > 0);
        if counted.is_empty() { vec![LineQuantity { line: 0, quantity: 1 }] } else { counted }
    }

    /// What takes units out of its lines, or puts one into a new one.
    fn edit(&mut self, step: Step, held: &[LineQuantity], one: &[LineQuantity]) -> bool {
        if step == Step::AddOne && (self.is_larger() || self.holds() > 1 || self.payments().len() > 1) {
            return false;
        }
        let add: &[Line] = &[Line { sku: SkuId(1), quantity: 1, price: 1 }];
        let (remove, add) = match step {
            Step::RemoveAll => (held, &add[..0]),
            Step::AddOne => (&one[..0], add),
            _ => (one, &add[..0]),
        };
        let edit = Edit { zone: None, prices: &[], remove, add };
        let told = self.rig.submit(&Command::EditOrder { order: self.order, change: ChangeId(self.changes), edit });
        matches!(told.map(|told| told.answer), Ok(Answer::Done { moved: 1.., .. }))
    }

    /// Of the newest attempt.
    fn report(&self, report: PaymentReport) -> Command<'static> {
        let attempt = ChangeId((self.payments().len() as u64).saturating_sub(1));
        let currency = Currency::new(*b"GBP").expect("pounds exist");
        Command::ReportPayment { order: self.order, attempt, method: PaymentMethod::Card, currency, report }
    }

    /// Whether a command did something: moved units, held or let go, or began a payment. Not when it was refused, or
    /// had happened before.
    fn take(&mut self, step: Step) -> bool {
        self.changes += 1;
        let (order, change, site) = (self.order, ChangeId(self.changes), SiteId(1));
        let held = self.lines(|line| line.owed + line.reserved + line.lapsed + line.committed);
        let lines = &[LineQuantity { quantity: 1, ..held[0] }];
        let there = &[LineQuantity { quantity: 1, ..self.lines(|line| line.committed)[0] }];
        let away = &[LineQuantity { quantity: 1, ..self.lines(|line| line.shipped - line.returned)[0] }];
        let command = match step {
            Step::Confirm => Command::Confirm { order, attempt: change },
            Step::CancelOne => Command::CancelLines { order, change, lines },
            Step::Cancel => Command::Cancel { order, block: false },
            Step::HandOverOne => Command::HandOver { order, change, lines: there },
            Step::ReturnOne => Command::ReturnToStock { order, change, site, lines: away },
            Step::RemoveOne | Step::RemoveAll | Step::AddOne => return self.edit(step, &held, lines),
            Step::Hold => {
                let reason = HoldReason::ALL[if self.is_larger() { 0 } else { self.holds().min(HOLDS - 1) }];
                Command::HoldOrder { order, owner: OWNER, reason, note: "" }
            }
            Step::Lift => {
                let reason = HoldReason::ALL[self.holds().saturating_sub(1)];
                Command::LiftHold { order, owner: OWNER, reason }
            }
            Step::BeginPayment => {
                let most = if self.is_larger() { 0 } else { PAYMENTS - 1 };
                let attempt = ChangeId((self.payments().len() as u64).min(most));
                Command::StartPayment { order, attempt, method: PaymentMethod::Card }
            }
            Step::FailPayment => self.report(failed(RetryClass::OtherMethod)),
            Step::FailPaymentForGood => self.report(failed(RetryClass::Never)),
            Step::VoidPayment => self.report(PaymentReport::Voided),
            Step::PayOne => {
                let paid = self.payments().last().map_or(0, |(_, authorised)| *authorised);
                self.report(PaymentReport::authorised(u64::from(UNITS).min(paid + 1)))
            }
            Step::Receive => {
                self.receive(1);
                return false;
            }
            Step::Deadline => {
                self.rig.wait(60_000);
                self.rig.sweep();
                return false;
            }
        };
        let holds = self.holds();
        match self.rig.submit(&command).map(|told| told.answer) {
            Ok(Answer::Done { moved, repeated: false, .. }) => {
                let is_about_holds = matches!(step, Step::Hold | Step::Lift);
                moved > 0 || is_about_holds && self.holds() != holds || step == Step::BeginPayment
            }
            _ => false,
        }
    }

    fn shape(&self) -> Shape {
        let view = self.rig.engine.order(self.order).expect("it is kept");
        let counters = view.lines.iter().map(|line| {
            [line.owed, line.reserved, line.lapsed, line.committed, line.shipped, line.cancelled, line.returned]
        });
        (view.state, view.holds.len(), counters.collect(), self.payments())
    }
}

/// The same, as it can be sorted.
type Key = (u8, usize, Vec<[u32; 7]>, Vec<(u8, u64)>);

/// What was found.
#[derive(Default)]
struct Found {
    /// From which state (by number; 0 for none) by what to which.
    edges: BTreeSet<(u8, &'static str, u8)>,
    /// Commands that did something, by the state they found.
    did: BTreeMap<u8, BTreeSet<Step>>,
}

/// For all that ask: finding it takes a while.
static FOUND: LazyLock<Found> = LazyLock::new(explore);

fn explore() -> Found {
    let mut found = Found::default();
    for begin in Begin::ALL {
        let first = Bench::new(begin).shape();
        found.edges.insert((0, begin.word(), first.0 as u8));
        let mut seen = BTreeSet::from([key(&first)]);
        let mut paths = VecDeque::from([Vec::new()]);
        while let Some(path) = paths.pop_front() {
            for step in Step::ALL {
                let mut bench = Bench::new(begin);
                for earlier in &path {
                    bench.take(*earlier);
                }
                let from = bench.shape().0;
                let has_done = bench.take(step);
                let shape = bench.shape();
                if has_done {
                    found.did.entry(from as u8).or_default().insert(step);
                }
                if shape.0 != from {
                    found.edges.insert((from as u8, step.word(), shape.0 as u8));
                }
                if seen.insert(key(&shape)) {
                    paths.push_back(path.iter().copied().chain([step]).collect());
                }
            }
        }
        assert!(seen.len() < 2_000, "{} shapes: they do not come to an end", seen.len());
    }
    found
}

/// What was paid matters to an order that waits for it, and to one that may be paid late.
fn key((state, holds, counters, payments): &Shape) -> Key {
    let matters = matches!(state, State::PendingPayment | State::PaymentFailed | State::Expired);
    (*state as u8, *holds, counters.clone(), if matters { payments.clone() } else { Vec::new() })
}

fn failed(class: RetryClass) -> PaymentReport {
    PaymentReport::Failed { reason: FailureReason::Declined, class }
}

fn name(state: u8) -> &'static str {
    State::from_byte(state).map_or(NONE, State::name)
}

fn draw(found: &Found) -> String {
    let mut page = String::from("```text\n");
    let width = found.edges.iter().map(|(_, by, _)| by.len()).max().unwrap_or(0);
    for (from, by, to) in &found.edges {
        writeln!(page, "{:<15} ─ {by} {} {}", name(*from), "─".repeat(width - by.len()) + "─►", name(*to))
            .expect("a string");
    }
    page.push_str("```\n\n| state | what may be done, besides what was done before |\n|---|---|\n");
    let legal = [
        (Legal::CONFIRM, "confirm"),
        (Legal::CANCEL, "cancel"),
        (Legal::HAND_OVER, "hand over"),
        (Legal::RETURN, "return"),
        (Legal::HOLD, "hold"),
        (Legal::PAY, "begin a payment"),
        (Legal::EDIT, "edit"),
    ];
    for state in State::ALL {
        let words = legal.iter().filter(|(one, _)| state.legal().contains(*one)).map(|(_, word)| *word);
        let words = words.collect::<Vec<_>>().join(", ");
        writeln!(page, "| {} | {} |", state.name(), if words.is_empty() { "nothing" } else { &words })
            .expect("a string");
    }
    page
}

#[test]
fn the_page_of_states_draws_what_happens() {
    check_page(DRAWN, &draw(&FOUND));
}

/// Compares the part of the page between two marks with what was drawn, or writes it.
pub(crate) fn check_page(marks: [&str; 2], drawn: &str) {
    // Two parts are not written at once.
    static PART: Mutex<()> = Mutex::new(());
    let _held = PART.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let page = std::fs::read_to_string(PAGE).expect("docs/STATES.md is there");
    let lines: Vec<&str> = page.lines().collect();
    let [from, to] =
        marks.map(|mark| lines.iter().position(|line| line.starts_with(mark)).expect("its part is marked"));
    let (before, after) = (lines[..=from].join("\n"), lines[to..].join("\n"));
    let expected = format!("{before}\n\n{drawn}\n{after}\n");
    if std::env::var("STATES").is_ok_and(|what| what == "write") {
        return std::fs::write(PAGE, expected).expect("docs/STATES.md is written");
    }
    assert_eq!(page, expected, "docs/STATES.md (left) is not what happens (right): STATES=write draws it anew");
}

#[test]
fn what_a_state_says_may_be_done_does_something_and_nothing_else_does() {
    let found = &*FOUND;
    for state in State::ALL {
        let did = found.did.get(&(state as u8)).cloned().unwrap_or_default();
        assert!(!did.contains(&Step::Lift) || state.may_be_held(), "a hold of {} was lifted", state.name());
        for step in Step::ALL {
            let Some(legal) = step.legal() else { continue };
            assert_eq!(did.contains(&step), state.legal().contains(legal), "{} of {}", step.word(), state.name());
        }
    }
}
