//! More time for a reservation: through activity, and once when a payment starts.
//!
//! The market of most tests gives activity ten seconds from the acceptance and a payment thirty from its start.

use stockade::base::{ChangeId, Currency, CustomerKey, OrderId, RequestId, SiteId, SkuId, Timestamp};
use stockade::engine::choices::{PaymentMethod, Take};
use stockade::engine::order::State;
use stockade::engine::{Answer, Capacity, Command, ExtendReason, Line, Place, Refusal, Reservations};

use crate::rig::{MARKET, Rig, START};
use crate::script::check;

#[test]
fn activity_keeps_a_reservation_alive_up_to_a_moment_after_the_acceptance() {
    check(
        "
        receive  mug 5
        reservations activity=10s payment=30s -> set
        reservations activity=10s payment=30s -> set again
        place    o1 mug*2 hold=2s          -> #1 pending_payment
        extend   o1 4s                     -> reserved for 4000 ms
        wait     3s
        extend   o1 5s                     -> reserved for 5000 ms
        extend   o1 60s                    -> reserved for 7000 ms
        extend   o1 60s                    -> reserved for 7000 ms again
        wait     7s                        -> o1 expired
        extend   o1 60s                    -> no: illegal expired
    ",
    );
}

#[test]
fn a_payment_that_starts_gives_its_own_time_once_beyond_what_activity_may() {
    check(
        "
        receive  mug 5
        reservations activity=10s payment=30s
        place    o1 mug*2 hold=2s
        wait     1s
        extend   o1 60s payment_start      -> reserved for 30000 ms
        wait     5s
        extend   o1 60s payment_start      -> reserved for 25000 ms again
        extend   o1 60s                    -> reserved for 25000 ms again
        wait     24999ms
        extend   o1 60s payment_start      -> reserved for 1 ms again
        wait     1ms                       -> o1 expired
        extend   o1 60s payment_start      -> no: illegal expired
    ",
    );
}

#[test]
fn a_payment_that_starts_and_asks_little_has_started_all_the_same() {
    check(
        "
        receive  mug 5
        reservations activity=10s payment=30s
        place    o1 mug*2 hold=5s
        extend   o1 1s payment_start       -> reserved for 5000 ms
        extend   o1 20s payment_start      -> reserved for 5000 ms again
        extend   o1 20s                    -> reserved for 10000 ms
        extend   o1 20s payment_start      -> reserved for 10000 ms again
    ",
    );
}

#[test]
fn what_the_placement_asked_itself_is_never_cut_and_31_days_never_passed() {
    check(
        "
        receive  mug 5
        reservations activity=10s payment=744h
        place    o1 mug*1 hold=60s
        extend   o1 1s                     -> reserved for 60000 ms again
        wait     59s
        extend   o1 1000h payment_start    -> reserved for 2678341000 ms
        reservations activity=0ms payment=0ms -> set
        place    o2 mug*1 hold=60s
        extend   o2 70s                    -> reserved for 60000 ms again
        extend   o2 70s payment_start      -> reserved for 60000 ms
    ",
    );
}

#[test]
fn who_starts_a_payment_of_what_is_over_is_told_so() {
    check(
        "
        receive  mug 5
        place    o1 mug*1 hold=60s
        extend   o1 70s payment_start      -> reserved for 70000 ms
        confirm  o1
        extend   o1 70s payment_start      -> no: illegal confirmed
        place    o2 mug*1
        cancel   o2
        extend   o2 70s payment_start      -> no: illegal cancelled
        place    o3 mug*1 cod
        extend   o3 70s payment_start      -> no: illegal confirmed
    ",
    );
}

#[test]
fn spans_have_bounds_and_every_market_its_own() {
    check(
        "
        reservations activity=2678400001ms payment=1s -> no: out_of_bounds ActivityMax
        reservations activity=1s payment=2678400001ms -> no: out_of_bounds PaymentMax
        reservations activity=744h payment=744h -> set again
    ",
    );
    let mut rig = Rig::new(Capacity::default());
    let (one, other) = (rig.open("one"), rig.open("other"));
    let reservations = Reservations { activity_ms_max: 1, payment_ms_max: 2, unpaid_ms: [3, 4, 5, 6, 7] };
    rig.submit(&Command::SetReservations { market: one, reservations }).expect("set");
    assert_eq!(rig.engine.reservations(other), Ok(Reservations::default()));
    rig.check_everything();
    rig.go_through_image();
    assert_eq!(rig.engine.reservations(one), Ok(reservations));
    rig.check_replica();
}

/// What may happen to the one order there is, and to the two units of which it holds both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Activity,
    PaymentStart,
    Pay,
    Cancel,
    /// Somebody else wants both units.
    Resell,
    /// To the last moment at which the reservation lives.
    ToTheEnd,
    /// A millisecond.
    Tick,
}

const STEPS: [Step; 7] =
    [Step::Activity, Step::PaymentStart, Step::Pay, Step::Cancel, Step::Resell, Step::ToTheEnd, Step::Tick];
const HOLD_MS: u32 = 20;
const RESERVATIONS: Reservations = Reservations { activity_ms_max: 50, payment_ms_max: 100, unpaid_ms: [1_000; 5] };
/// More than anybody is given.
const LONG_MS: u64 = 500;

/// The order as these sentences say it is, beside the engine and the twin.
struct Story {
    rig: Rig,
    order: OrderId,
    deadline: Timestamp,
    started: bool,
    state: State,
    /// Whether the two units are sold to somebody else.
    resold: bool,
    others: u64,
}

impl Story {
    fn begin() -> Self {
        let mut rig = Rig::new(Capacity::default());
        let market = rig.open("default");
        rig.submit(&Command::CreateSku { market, code: "mug" }).expect("created");
        let request = RequestId::new(START, market, 1);
        rig.submit(&Command::Receive { request, sku: SkuId(1), site: SiteId(1), quantity: 2 }).expect("received");
        rig.submit(&Command::SetReservations { market, reservations: RESERVATIONS }).expect("set");
        let order = OrderId::new(rig.now, MARKET, 1);
        let deadline = rig.now.after_ms(HOLD_MS.into());
        let mut story =
            Self { rig, order, deadline, started: false, state: State::PendingPayment, resold: false, others: 1 };
        assert!(story.place(order, HOLD_MS), "there are two");
        story
    }

    fn place(&mut self, order: OrderId, hold_ms: u32) -> bool {
        let place = Place {
            order,
            customer: CustomerKey(0),
            take: Take::AllOrNothing,
            hold_ms,
            currency: Currency::new(*b"GBP").expect("pounds exist"),
            payment: PaymentMethod::Card,
            channel: 0,
            zone: 0,
            hashes: None,
            lines: &[Line { sku: SkuId(1), quantity: 2, price: 5 }],
            details: &[],
            key: None,
        };
        self.rig.submit(&Command::Place(place)).is_ok()
    }

    fn lives(&self) -> bool {
        self.state == State::PendingPayment
    }

    fn extend(&mut self, reason: ExtendReason) {
        let until = self.rig.now.after_ms(LONG_MS);
        let told = self.rig.submit(&Command::Extend { order: self.order, until, reason }).map(|told| told.answer);
        if !self.lives() {
            let refused = matches!(told, Err(Refusal::IllegalState { state, .. }) if state == self.state);
            return assert!(refused, "what is over was extended: {told:?}");
        }
        let latest = match reason {
            ExtendReason::Activity => START.after_ms(RESERVATIONS.activity_ms_max.into()),
            ExtendReason::PaymentStart if self.started => self.deadline,
            ExtendReason::PaymentStart => self.rig.now.after_ms(RESERVATIONS.payment_ms_max.into()),
        };
        let repeated = match reason {
            ExtendReason::Activity => latest <= self.deadline,
            ExtendReason::PaymentStart => self.started,
        };
        self.deadline = self.deadline.max(latest);
        self.started |= reason == ExtendReason::PaymentStart;
        assert_eq!(told, Ok(Answer::Extended { deadline: self.deadline, repeated }));
    }

    fn go(&mut self, step: Step) {
        match step {
            Step::Activity => self.extend(ExtendReason::Activity),
            Step::PaymentStart => self.extend(ExtendReason::PaymentStart),
            Step::Pay => {
                let command = Command::Confirm { order: self.order, attempt: ChangeId(self.rig.now.ms()) };
                let told = self.rig.submit(&command).map(|told| told.answer);
                match self.state {
                    State::PendingPayment | State::Confirmed => self.state = State::Confirmed,
                    State::Expired if !self.resold => self.state = State::Confirmed,
                    State::Expired => return assert!(matches!(told, Ok(Answer::RetakeFailed { .. })), "{told:?}"),
                    _ => return assert!(matches!(told, Err(Refusal::IllegalState { .. })), "{told:?}"),
                }
                assert!(matches!(told, Ok(Answer::Done { state: State::Confirmed, moved: 2, .. })), "{told:?}");
            }
            Step::Cancel => {
                self.rig.submit(&Command::Cancel { order: self.order, block: false }).expect("nothing was handed over");
                self.state = State::Cancelled;
            }
            Step::Resell => {
                self.others += 1;
                let other = OrderId::new(START, MARKET, self.others);
                let is_free = !self.resold && matches!(self.state, State::Cancelled | State::Expired);
                assert_eq!(self.place(other, 1_000_000), is_free, "two units, and the order is {:?}", self.state);
                self.resold |= is_free;
            }
            Step::ToTheEnd if self.lives() => self.rig.wait(self.deadline.since_ms(self.rig.now) - 1),
            Step::ToTheEnd | Step::Tick => self.rig.wait(1),
        }
        if self.lives() && self.rig.now >= self.deadline {
            self.state = State::Expired;
        }
        self.rig.sweep();
        let view = self.rig.engine.order(self.order).expect("kept");
        assert_eq!((view.state, view.deadline), (self.state, self.deadline));
        self.rig.check_laws();
    }
}

/// Late payment against expiry: whatever comes when, one of them is first and the other is told.
#[test]
fn every_order_of_extending_paying_expiring_cancelling_and_reselling_says_one_thing_of_every_unit() {
    const LENGTH: u32 = 5;
    for number in 0..STEPS.len().pow(LENGTH) {
        let steps: Vec<Step> = (0..LENGTH).map(|at| STEPS[number / STEPS.len().pow(at) % STEPS.len()]).collect();
        let told = std::panic::catch_unwind(|| {
            let mut story = Story::begin();
            steps.iter().for_each(|step| story.go(*step));
            if number % 97 == 0 {
                story.rig.check_everything();
                story.rig.check_replica();
            }
        });
        assert!(told.is_ok(), "{steps:?} went wrong as said above");
    }
}
