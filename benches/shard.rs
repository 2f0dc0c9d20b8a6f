//! What a shard adds to deciding: the same placements through the engine alone and through inbox, batch machine,
//! outbox.
//!
//! Expected: the whole turn costs little more than decide, fold and encode, well below 100 ns an order in large
//! batches, since queues, wakers and clocks are paid for once a submission or once a turn. One order a submission pays
//! them every time, and shows what a session that sends single orders costs its shard.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use crossbeam_queue::SegQueue;
use stockade::base::limits::ENTRY_BYTES_MAX;
use stockade::base::{
    Currency, CustomerKey, MarketId, OrderId, RequestId, Sequence, ShardId, SiteId, SkuId, Timestamp,
};
use stockade::engine::command::{PaymentMethod, Take};
use stockade::engine::{Capacity, Command, Engine, Line, Place, Scratch};
use stockade::shard::{Lane, Log, LogClock, Next, Outbox, Replies, Shard, Submission};
use stockade::wal::{Entry, Notify};
use stockade::wire::{Request, Tag, encode_fact};

const LINES: &[Line] = &[Line { sku: SkuId(1), quantity: 1, price: 999 }];
/// Orders of one timed round.
const ROUND: usize = 1_024;

/// A disk that takes no time.
#[derive(Default)]
struct InstantLog {
    mark: AtomicU64,
    spare: SegQueue<Vec<u8>>,
    spare_notify: SegQueue<Vec<Arc<dyn Notify>>>,
}

impl Log for InstantLog {
    fn append(&self, mut entry: Entry) -> Result<(), Entry> {
        self.mark.store(entry.sequence.0, Ordering::Release);
        entry.notify.drain(..).for_each(|waiting| waiting.durable());
        entry.bytes.clear();
        self.spare.push(entry.bytes);
        self.spare_notify.push(entry.notify);
        Ok(())
    }

    fn durable(&self, _stream: ShardId) -> Sequence {
        Sequence(self.mark.load(Ordering::Acquire))
    }

    fn disk_low(&self) -> bool {
        false
    }

    fn failed(&self) -> bool {
        false
    }

    fn take_spare(&self) -> Vec<u8> {
        self.spare.pop().unwrap_or_default()
    }

    fn take_spare_notify(&self) -> Vec<Arc<dyn Notify>> {
        self.spare_notify.pop().unwrap_or_default()
    }
}

/// Distinct orders, without end.
struct Orders {
    market: MarketId,
    made_at: Timestamp,
    next: u64,
}

impl Orders {
    fn place(&mut self) -> Command<'static> {
        self.next += 1;
        Command::Place(Place {
            order: OrderId::new(self.made_at, self.market, self.next.wrapping_mul(0x9E37_79B9_7F4A_7C15)),
            customer: CustomerKey(u128::from(self.next / 10)),
            take: Take::AllOrNothing,
            hold_ms: 3_600_000,
            currency: Currency::new(*b"EUR").expect("three letters"),
            payment: PaymentMethod::Card,
            channel: 0,
            zone: 0,
            hashes: None,
            lines: LINES,
            details: b"",
        })
    }

    fn set_up(&self) -> [Command<'static>; 3] {
        let request = RequestId::new(self.made_at, self.market, 1);
        [
            Command::OpenMarket { market: self.market, code: "bench" },
            Command::CreateSku { market: self.market, code: "sku" },
            Command::Receive { request, sku: SkuId(1), site: SiteId(1), quantity: 1_000_000_000_000 },
        ]
    }
}

fn unbounded() -> Engine {
    Engine::new(ShardId(0), 1, Capacity::UNBOUNDED)
}

struct Desk {
    shard: Shard,
    outbox: Arc<Outbox>,
    replies: Replies,
    orders: Orders,
}

impl Desk {
    fn new() -> Self {
        let clock = LogClock::new(Timestamp::ZERO);
        let made_at = clock.now();
        let log = Arc::new(InstantLog::default());
        let shard = Shard::new(unbounded(), ShardId(0), Sequence(0), ENTRY_BYTES_MAX, log, clock);
        let (outbox, replies) = shard.inbox().open_outbox();
        let orders = Orders { market: MarketId::new(1).expect("small"), made_at, next: 0 };
        let mut desk = Self { shard, outbox, replies, orders };
        let set_up = desk.submission(&desk.orders.set_up());
        desk.round(vec![set_up]);
        desk
    }

    fn submission(&self, commands: &[Command<'_>]) -> Submission {
        let mut batch = self.shard.inbox().take_spare_batch();
        for (index, command) in (0..).zip(commands) {
            batch.push(Tag { correlation: 1, index, expires_at_ms: 0 }, &Request::Command(*command));
        }
        Submission { lane: Lane::Orders, batch, outbox: Arc::clone(&self.outbox) }
    }

    /// A round of placements, so many of them a submission.
    fn prepare(&mut self, batch: usize) -> Vec<Submission> {
        let commands: Vec<Command<'static>> = (0..ROUND).map(|_| self.orders.place()).collect();
        commands.chunks(batch).map(|commands| self.submission(commands)).collect()
    }

    fn round(&mut self, submissions: Vec<Submission>) {
        let inbox = self.shard.inbox();
        for submission in submissions {
            assert!(inbox.submit(submission).is_ok(), "a round fits the inbox");
        }
        while self.shard.turn() == Next::Again {}
        while let Some(chunk) = self.replies.take() {
            self.replies.give_back(chunk);
        }
    }
}

/// Times only the rounds, not the making of what is submitted.
fn timed<T>(rounds: u64, mut prepare: impl FnMut() -> T, mut round: impl FnMut(T)) -> Duration {
    let mut spent = Duration::ZERO;
    for _ in 0..rounds {
        let prepared = prepare();
        let begin = Instant::now();
        round(prepared);
        spent += begin.elapsed();
    }
    spent
}

fn engine_alone(rounds: u64) -> Duration {
    let now = LogClock::new(Timestamp::ZERO).now();
    let mut orders = Orders { market: MarketId::new(1).expect("small"), made_at: now, next: 0 };
    let (mut engine, mut scratch, mut facts) = (unbounded(), Scratch::default(), Vec::new());
    for command in orders.set_up() {
        engine.submit(&command, now, &mut scratch, &mut |_| {}).expect("an empty engine takes it");
    }
    let prepare = || (0..ROUND).map(|_| orders.place()).collect::<Vec<_>>();
    timed(rounds, prepare, |commands| {
        facts.clear();
        commands.iter().for_each(|command| engine.touch(command));
        for command in &commands {
            let decided = engine.submit(command, now, &mut scratch, &mut |fact| {
                encode_fact(fact, &mut facts);
            });
            decided.expect("there is stock");
        }
    })
}

fn placements(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("shard");
    group.throughput(Throughput::Elements(ROUND as u64)).measurement_time(Duration::from_secs(3)).sample_size(20);
    group.bench_function("engine alone", |bencher| bencher.iter_custom(engine_alone));
    for batch in [1_024, 32, 1] {
        group.bench_function(format!("turns, {batch} orders a submission"), |bencher| {
            bencher.iter_custom(|rounds| {
                let desk = std::cell::RefCell::new(Desk::new());
                timed(rounds, || desk.borrow_mut().prepare(batch), |submissions| desk.borrow_mut().round(submissions))
            });
        });
    }
    group.finish();
}

criterion_group!(benches, placements);
criterion_main!(benches);
