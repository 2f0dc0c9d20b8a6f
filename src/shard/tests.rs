//! A shard turn by turn, over a log whose mark moves when the test says so.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use super::fake_log::FakeLog;
use super::{FakeKeys, Inbox, LogClock, Next, Outbox, Readings, Replies, Sealer, Shard, Submission};
use crate::base::limits::{
    AHEAD_ENTRIES_MAX, ENTRY_BYTES_MAX, EXPIRIES_PER_TURN_MAX, LANE_SUBMISSIONS_MAX, RETIREMENT_ORDERS_MAX,
    RETIREMENTS_PER_TURN_MAX, RETURN_WINDOW_MS_DEFAULT, TURN_COMMANDS_MAX,
};
use crate::base::{ChangeId, Currency, CustomerKey, MarketId, OrderId, RequestId, ShardId, SiteId, SkuId, Timestamp};
use crate::engine::choices::{PaymentMethod, Take};
use crate::engine::order::State;
use crate::engine::{Answer, Capacity, Command, Kept, Line, Place, Query, Refusal, Retention, Scratch};
use crate::shard::{Lane, Log};
use crate::wire::{Refused, Reply, ReplyHeader, Request, Tag, decode_replies};

mod board;
mod details;
mod lanes;
mod tasks;

const BEGIN_MS: u64 = 1_700_000_000_000;
const ONE_UNIT: &[Line] = &[Line { sku: SkuId(1), quantity: 1, price: 5 }];

/// Both clocks, moved together by the test.
#[derive(Clone, Default)]
struct SetReadings(Arc<AtomicU64>);

impl Readings for SetReadings {
    fn monotonic_ns(&self) -> u64 {
        self.0.load(Ordering::Relaxed) * 1_000_000
    }

    fn wall_ms(&self) -> u64 {
        BEGIN_MS + self.0.load(Ordering::Relaxed)
    }
}

/// A reply, as far as the tests look at it.
#[derive(Debug, PartialEq)]
enum Told {
    Answer(Answer),
    Refused(Refused),
    Other,
}

struct Bench {
    shard: Shard,
    inbox: Inbox,
    log: Arc<FakeLog>,
    time: SetReadings,
    outbox: Arc<Outbox>,
    replies: Replies,
}

impl Bench {
    /// A shard with one market, one SKU and so many units of it.
    fn new(units: u64) -> Self {
        let mut bench = Self::start(Arc::new(FakeLog::default()), SetReadings::default());
        bench.set_up(units);
        bench
    }

    fn set_up(&mut self, units: u64) {
        let request = RequestId::new(Timestamp::from_ms(BEGIN_MS), market(), 1);
        self.submit(&[
            Request::Command(Command::OpenMarket { market: market(), code: "m" }),
            Request::Command(Command::CreateSku { market: market(), code: "s" }),
            Request::Command(Command::Receive { request, sku: SkuId(1), site: SiteId(1), quantity: units }),
        ]);
        self.run();
        assert_eq!(self.told().len(), 3);
    }

    /// A shard with everything that is durable.
    fn start(log: Arc<FakeLog>, time: SetReadings) -> Self {
        Self::start_with(log, time, Capacity::default(), Box::new(FakeKeys::new(1)))
    }

    fn start_with(log: Arc<FakeLog>, time: SetReadings, capacity: Capacity, keys: Box<dyn Sealer>) -> Self {
        let clock = LogClock::with_readings(Timestamp::ZERO, time.clone());
        let (engine, last) = (log.durable_engine(capacity), log.durable(ShardId(0)));
        let shard = Shard::new(engine, ShardId(0), last, ENTRY_BYTES_MAX, Arc::clone(&log) as _, clock, keys);
        let inbox = shard.inbox();
        let (outbox, replies) = inbox.open_outbox();
        Self { shard, inbox, log, time, outbox, replies }
    }

    /// The power fails: what was not durable is gone, and so is every connection.
    fn start_again(self) -> Self {
        while self.log.entries.pop().is_some() {}
        Self::start(self.log, self.time)
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_ms(self.time.wall_ms())
    }

    /// Leaves one request in its lane; after how long to come back, if it is turned away.
    fn submit_as(&self, correlation: u64, request: &Request<'_>) -> Option<u32> {
        let mut batch = self.inbox.take_spare_batch();
        batch.push(Tag { correlation, index: 0, expires_at_ms: 0 }, request);
        let submission = Submission { lane: Lane::of(request), batch, outbox: Arc::clone(&self.outbox) };
        self.inbox.submit(submission).err().map(|away| away.retry_after_ms)
    }

    fn submit(&self, requests: &[Request<'_>]) {
        self.submit_until(requests, 0);
    }

    fn submit_until(&self, requests: &[Request<'_>], expires_at_ms: u64) {
        self.submit_in(Lane::Orders, requests, expires_at_ms);
    }

    fn submit_in(&self, lane: Lane, requests: &[Request<'_>], expires_at_ms: u64) {
        let mut batch = self.inbox.take_spare_batch();
        for (index, request) in (0..).zip(requests) {
            batch.push(Tag { correlation: 1, index, expires_at_ms }, request);
        }
        let submitted = self.inbox.submit(Submission { lane, batch, outbox: Arc::clone(&self.outbox) });
        assert!(submitted.is_ok(), "there is room");
    }

    /// Turns until nothing is left, settling everything.
    fn run(&mut self) {
        while !matches!(self.shard.turn(), Next::Idle(_)) {
            while self.log.settle_one() {}
        }
        while self.log.settle_one() {}
    }

    /// What may leave now.
    fn told(&mut self) -> Vec<Told> {
        self.told_with_correlation().into_iter().map(|(_, told)| told).collect()
    }

    fn told_with_correlation(&mut self) -> Vec<(u64, Told)> {
        let mut told = Vec::new();
        while let Some(chunk) = self.replies.take() {
            read(&chunk, &mut told);
        }
        told
    }

    fn pass(&self, ms: u64) {
        self.time.0.fetch_add(ms, Ordering::Relaxed);
    }

    fn entries(&self) -> usize {
        self.log.entries.len()
    }
}

fn read(chunk: &[u8], told: &mut Vec<(u64, Told)>) {
    let mut rest = chunk;
    while !rest.is_empty() {
        let header = ReplyHeader::parse(rest).expect("sound").expect("whole");
        let (frame, behind) = rest.split_at(header.length);
        decode_replies(frame, |correlation, _, reply| {
            let reply = match reply {
                Reply::Answer(answer, _) => Told::Answer(answer),
                Reply::Refused(why) => Told::Refused(why),
                _ => Told::Other,
            };
            told.push((correlation, reply));
        })
        .expect("sound");
        rest = behind;
    }
}

fn market() -> MarketId {
    MarketId::new(1).expect("small")
}

fn order(number: u64) -> OrderId {
    OrderId::new(Timestamp::from_ms(BEGIN_MS), market(), number)
}

fn place(number: u64, hold_ms: u32) -> Request<'static> {
    Request::Command(Command::Place(Place {
        order: order(number),
        customer: CustomerKey(0),
        take: Take::AllOrNothing,
        hold_ms,
        currency: Currency::new(*b"EUR").expect("three letters"),
        payment: PaymentMethod::Card,
        channel: 0,
        zone: 0,
        hashes: None,
        lines: ONE_UNIT,
        details: b"",
        key: None,
    }))
}

fn look(number: u64) -> Request<'static> {
    Request::Query(Query::Order { order: order(number) })
}

fn is_placed(told: &Told) -> bool {
    matches!(told, Told::Answer(Answer::Placed { .. }))
}

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn an_answer_leaves_when_its_fact_is_durable_and_not_before() {
    let mut bench = Bench::new(5);
    bench.submit(&[place(1, 1_000)]);
    bench.shard.turn();
    assert_eq!((bench.entries(), bench.told()), (1, vec![]));
    bench.log.settle_one();
    assert!(matches!(bench.told().as_slice(), [told] if is_placed(told)));
}

#[test]
fn a_refusal_and_a_reading_wait_for_what_they_saw() {
    let mut bench = Bench::new(1);
    bench.submit(&[place(1, 1_000)]);
    bench.shard.turn();
    bench.submit(&[place(2, 1_000), look(1)]);
    bench.shard.turn();
    assert_eq!(bench.entries(), 2, "the second has no bytes and passes the wakers behind the first");
    assert_eq!(bench.told(), []);
    bench.log.settle_one();
    let told = bench.told();
    assert!(matches!(told.as_slice(), [_, Told::Refused(Refused::Engine(Refusal::SoldOut { .. })), Told::Other]));
    let empty = bench.log.entries.pop().expect("it is still there");
    assert!(empty.bytes.is_empty() && empty.notify.len() == 2, "the shard and one connection");
}

#[test]
fn what_need_not_wait_wakes_its_connection_at_once_and_appends_nothing() {
    let mut bench = Bench::new(0);
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    assert_eq!(bench.replies.poll_take(&mut Context::from_waker(&waker)), Poll::Pending);
    bench.submit(&[place(1, 1_000)]);
    bench.submit(&[look(1)]);
    assert!(matches!(bench.shard.turn(), Next::Idle(_)));
    assert_eq!((bench.entries(), woken.0.load(Ordering::SeqCst)), (0, 1));
    assert_eq!(bench.told().len(), 2);
}

#[test]
fn a_turn_is_one_entry_one_chunk_and_one_wake_up_a_connection() {
    let mut bench = Bench::new(10);
    bench.submit(&[place(1, 1_000), place(2, 1_000)]);
    bench.submit(&[place(3, 1_000)]);
    bench.shard.turn();
    let entry = bench.log.entries.pop().expect("three facts");
    assert_eq!((bench.entries(), entry.notify.len()), (0, 2), "the shard and one connection");
    entry.notify[0].durable();
    assert_eq!((bench.replies.take().is_some(), bench.replies.is_empty()), (true, true));
}

#[test]
fn a_shard_that_nobody_asks_expires_what_is_due_and_says_when_to_come_back() {
    let mut bench = Bench::new(1);
    bench.submit(&[place(1, 1_000)]);
    bench.run();
    let Next::Idle(Some(deadline)) = bench.shard.turn() else { panic!("a reservation waits") };
    assert!(deadline <= Timestamp::from_ms(BEGIN_MS + 1_000));
    bench.pass(1_000);
    bench.shard.turn();
    assert_eq!(bench.entries(), 1, "the expiry");
    assert_eq!(bench.shard.engine().order(order(1)).map(|view| view.state), Ok(State::Expired));
    let closing = bench.shard.engine().next_retirement_at();
    assert_eq!(bench.shard.turn(), Next::Idle(closing), "next it is closed, in thirty days");
    assert!(closing >= Some(Timestamp::from_ms(BEGIN_MS + 1_000 + RETURN_WINDOW_MS_DEFAULT - 131_072)));
}

#[test]
fn a_shard_that_nobody_asks_retires_what_is_over_in_bounded_turns() {
    let units = 3 * (RETIREMENTS_PER_TURN_MAX * RETIREMENT_ORDERS_MAX) as u64;
    let mut bench = Bench::new(units);
    let all: Vec<Request<'_>> = (0..units).map(|number| place(number, 1_000)).collect();
    let retention = Retention { return_window_ms: 1_000, ids_kept_ms: 60_000 };
    bench.submit(&[Request::Command(Command::SetRetention { market: market(), retention })]);
    bench.submit(&all);
    bench.run();
    bench.pass(1_000);
    bench.run();
    assert_eq!(bench.shard.engine().orders(), units);
    bench.pass(100_000);
    assert_eq!(bench.shard.turn(), Next::Again, "some are closed, most are left");
    let left = bench.shard.engine().orders();
    assert!(left < units && left >= units / 2, "{left} of {units} orders are left after one turn");
    bench.run();
    assert_eq!(bench.shard.engine().orders(), 0);
    assert!(matches!(bench.shard.turn(), Next::Idle(None)), "nothing is waited for any more");
}

#[test]
fn a_turn_expires_only_its_share_and_whoever_would_see_the_rest_waits() {
    let units = 3 * EXPIRIES_PER_TURN_MAX as u64;
    let mut bench = Bench::new(units);
    let all: Vec<Request<'_>> = (0..units).map(|number| place(number, 1_000)).collect();
    bench.submit(&all);
    bench.run();
    bench.pass(2_000);
    let expired = |bench: &Bench| {
        let books = bench.shard.engine().books(market()).expect("open");
        books.orders[State::Expired as usize] / EXPIRIES_PER_TURN_MAX as u64
    };
    assert_eq!((bench.shard.turn(), expired(&bench)), (Next::Again, 1), "two thirds are left");
    // Takes more than what has been swept so far.
    let lines = [Line { sku: SkuId(1), quantity: units as u32, price: 1 }];
    let Request::Command(Command::Place(like)) = place(units, 1_000) else { unreachable!() };
    bench.told();
    let books = Request::Query(Query::Books { market: market() });
    bench.submit(&[books, Request::Command(Command::Place(Place { lines: &lines, ..like }))]);
    assert_eq!((bench.shard.turn(), expired(&bench)), (Next::Again, 2), "one third is left");
    assert!(bench.told().is_empty(), "nobody sees what is dead and not swept");
    bench.run();
    assert!(matches!(bench.told().as_slice(), [_, told] if is_placed(told)), "every due unit is for sale");
}

#[test]
fn a_request_whose_deadline_passed_is_not_decided() {
    let mut bench = Bench::new(5);
    bench.submit_until(&[place(1, 1_000)], 10);
    bench.pass(10);
    bench.shard.turn();
    assert_eq!((bench.entries(), bench.told()), (0, vec![Told::Refused(Refused::DeadlinePassed)]));
    assert_eq!(bench.shard.engine().orders(), 0);
}

#[test]
fn with_the_disk_low_nothing_is_placed_and_everything_else_goes_on() {
    let mut bench = Bench::new(5);
    bench.submit(&[place(1, 1_000)]);
    bench.run();
    bench.told();
    bench.log.disk_low.store(true, Ordering::Relaxed);
    let confirm = Request::Command(Command::Confirm { order: order(1), attempt: ChangeId(1) });
    bench.submit(&[place(2, 1_000), place(1, 1_000), confirm]);
    bench.run();
    let told = bench.told();
    assert_eq!(told[0], Told::Refused(Refused::DiskLow));
    assert!(matches!(told[1], Told::Answer(Answer::Placed { repeated: true, .. })), "an acceptance stays accepted");
    assert!(matches!(told[2], Told::Answer(Answer::Done { state: State::Confirmed, .. })));
}

#[test]
fn a_large_submission_takes_several_turns_and_is_answered_once() {
    let count = 2 * TURN_COMMANDS_MAX + 5;
    let mut bench = Bench::new(count as u64);
    let all: Vec<Request<'_>> = (0..count as u64).map(|number| place(number, 60_000)).collect();
    bench.submit(&all);
    let turns = std::iter::from_fn(|| (bench.shard.turn() == Next::Again).then_some(())).count();
    assert_eq!((turns, bench.entries()), (2, 3));
    while bench.log.settle_one() {}
    assert!(bench.told().iter().filter(|told| is_placed(told)).count() == count);
}

#[test]
fn a_shard_runs_ahead_of_the_disk_only_so_far() {
    let mut bench = Bench::new(1_000);
    for number in 0..AHEAD_ENTRIES_MAX as u64 + 2 {
        bench.submit(&[place(number, 60_000)]);
        bench.shard.turn();
    }
    assert_eq!((bench.entries(), bench.shard.turn()), (AHEAD_ENTRIES_MAX, Next::Stalled));
    assert!(!bench.inbox.is_empty(), "what comes now waits in the inbox");
    bench.log.settle_one();
    assert_eq!(bench.told().len(), 1);
    bench.run();
    assert_eq!(bench.told().len(), AHEAD_ENTRIES_MAX + 1);
}

#[test]
fn an_entry_that_the_log_gives_back_is_appended_later() {
    let mut bench = Bench::new(5);
    bench.log.full.store(true, Ordering::Relaxed);
    bench.submit(&[place(1, 60_000)]);
    assert_eq!((bench.shard.turn(), bench.shard.turn()), (Next::Again, Next::Stalled));
    bench.log.full.store(false, Ordering::Relaxed);
    bench.run();
    assert!(matches!(bench.told().as_slice(), [told] if is_placed(told)));
}

#[test]
fn a_full_inbox_gives_back_what_it_cannot_take() {
    let bench = Bench::new(5);
    for _ in 0..LANE_SUBMISSIONS_MAX {
        bench.submit(&[look(1)]);
    }
    let submission =
        Submission { lane: Lane::Orders, batch: bench.inbox.take_spare_batch(), outbox: Arc::clone(&bench.outbox) };
    assert!(bench.inbox.submit(submission).is_err());
}

#[test]
fn books_name_the_entry_they_are_true_at() {
    let mut bench = Bench::new(5);
    bench.submit(&[place(1, 60_000), Request::Query(Query::Books { market: market() }), place(2, 60_000)]);
    assert_eq!(bench.shard.turn(), Next::Again, "nothing follows books in their entry");
    assert_eq!(bench.shard.engine().orders(), 1);
    bench.run();
    assert_eq!(bench.told().len(), 3);
}

#[test]
fn a_closed_shard_decides_what_was_submitted_before_and_gives_its_engine_back() {
    let bench = Bench::new(5);
    bench.submit(&[place(1, 60_000)]);
    let handle = bench.shard.start().expect("a thread");
    let inbox = handle.inbox();
    let engine = handle.stop();
    assert_eq!((engine.orders(), bench.log.entries.len()), (1, 1));
    let submission = Submission { lane: Lane::Orders, batch: inbox.take_spare_batch(), outbox: bench.outbox };
    assert!(inbox.is_closed() && inbox.submit(submission).is_err());
}

#[test]
fn a_sleeping_shard_is_woken_by_work_and_every_stage_is_counted() {
    let Bench { shard, log, outbox, mut replies, inbox, .. } = Bench::new(100_000);
    let handle = shard.start().expect("a thread");
    for number in 0..2_000 {
        let mut batch = inbox.take_spare_batch();
        batch.push(Tag::default(), &place(number, 60_000));
        assert!(
            inbox.submit(Submission { lane: Lane::Orders, batch, outbox: Arc::clone(&outbox) }).is_ok(),
            "the shard keeps up"
        );
        // The shard goes to sleep between any two of these; a lost wake-up hangs here.
        while replies.take().is_none() {
            log.settle_one();
            std::thread::yield_now();
        }
    }
    let stats = inbox.stats();
    assert_eq!((stats.kept[Kept::Orders as usize], handle.stop().orders()), (2_000, 2_000));
    for stage in [&stats.stages.decided_us[Lane::Orders as usize], &stats.stages.durable_us, &stats.stages.answered_us]
    {
        assert!(stage.len() >= 2_000, "{}", stage.len());
    }
}
