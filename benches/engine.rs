//! How many placements a second one core decides, folds and encodes, with ten million orders open and with some
//! thousand; and to how many waiting orders a second it gives what came in.
//!
//! Expected: millions a second. A placement reads one slot of the index of orders and one row of balances, both of
//! which miss every cache when there are ten million of them; touching a batch first lets those misses overlap, so the
//! hot SKU (its row stays cached) should cost the least, ten million SKUs perhaps half as much again. The memory of all
//! orders is taken beforehand, as a node does with `reserve_orders`: what is measured is not the system finding pages.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use stockade::base::limits::STOCK_UNITS_MAX;
use stockade::base::{Currency, CustomerKey, MarketId, OrderId, RequestId, ShardId, SiteId, SkuId, Timestamp};
use stockade::engine::choices::{AdjustReason, PaymentMethod, Take};
use stockade::engine::ledger::Bucket;
use stockade::engine::{Capacity, Command, Engine, Fact, Line, Place, Policy, Scratch};
use stockade::wire::encode_fact;

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Orders that are open before anything is timed, and SKUs when there are many. `cargo test --bench engine` measures
/// nothing; it only sees that all of it runs, in a small world.
fn ten_million() -> u32 {
    let measured = std::env::args().any(|argument| argument == "--bench");
    if measured { 10_000_000 } else { 10_000 }
}

/// Placements decided together, as a shard does.
const BATCH: usize = 1_024;
/// Orders that are open at most where few are.
const FEW_MAX: u64 = 8 * BATCH as u64;
const HOUR_MS: u32 = 3_600_000;

/// A cheap source of distinct 64-bit numbers (Steele, Lea, Flood: SplitMix64, 2014).
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

struct World {
    engine: Engine,
    scratch: Scratch,
    random: SplitMix,
    market: MarketId,
    skus: u32,
    now: Timestamp,
    placed: u64,
    /// Facts of one batch, as the log would get them.
    entry: Vec<u8>,
}

impl World {
    fn new(skus: u32, open_orders: u64) -> Self {
        let market = MarketId::new(1).expect("fits");
        let mut world = Self {
            engine: Engine::new(ShardId(0), 1, Capacity::UNBOUNDED),
            scratch: Scratch::default(),
            random: SplitMix(1),
            market,
            skus,
            now: Timestamp::from_ms(1_800_000_000_000),
            placed: 0,
            entry: Vec::new(),
        };
        world.engine.reserve(3 * open_orders);
        world.submit(&Command::OpenMarket { market, code: "bench" });
        for number in 1..=skus {
            world.submit(&Command::CreateSku { market, code: &format!("sku-{number}") });
            // Every receipt is made a day later than the last, so that requests do not pile up.
            let request = RequestId::new(world.now, market, number.into());
            let stock = if skus == 1 { 1_000_000_000_000 } else { 1_000_000 };
            world.submit(&Command::Receive { request, sku: SkuId(number), site: SiteId(1), quantity: stock });
        }
        while world.placed < open_orders {
            world.place_batch();
        }
        world
    }

    /// Nothing more is on the shelf, and any number may be sold all the same.
    fn overselling(mut self) -> Self {
        let (market, sku, site) = (self.market, SkuId(1), SiteId(1));
        let policy = Policy { oversell_max: STOCK_UNITS_MAX, ..Policy::default() };
        self.submit(&Command::SetPolicy { market, sku, policy });
        let rows = self.engine.stock(market, &[sku]).expect("it is there");
        let delta = -rows[0].balance(Bucket::Available);
        let request = RequestId::new(self.now, market, self.random.next());
        self.submit(&Command::Adjust { request, sku, site, delta, reason: AdjustReason::Lost });
        self
    }

    /// Fills a batch of orders that wait for a unit each; gives the time it took to find, fold and encode them.
    fn fill_batch(&mut self) -> Duration {
        self.place_batch();
        let request = RequestId::new(self.now, self.market, self.random.next());
        self.submit(&Command::Receive { request, sku: SkuId(1), site: SiteId(1), quantity: BATCH as u64 });
        let (mut draws, mut filled) = (Vec::new(), 0);
        let begin = Instant::now();
        self.entry.clear();
        while let Some(fact) = self.engine.next_fill(&mut draws) {
            self.engine.fold(&fact, self.now);
            encode_fact(&fact, &mut self.entry);
            filled += 1;
        }
        let elapsed = begin.elapsed();
        assert_eq!(filled, BATCH, "everybody got a unit");
        black_box(&self.entry);
        elapsed
    }

    fn submit(&mut self, command: &Command<'_>) {
        self.engine.submit(command, self.now, &mut self.scratch, &mut |_| ()).expect("accepted");
    }

    /// Places a batch; gives the time it took to touch, decide, fold and encode it, and not the time to make it up.
    fn place_batch(&mut self) -> Duration {
        let mut lines = Vec::with_capacity(BATCH);
        let mut heads = Vec::with_capacity(BATCH);
        for _ in 0..BATCH {
            let sku = SkuId(1 + (self.random.next() % u64::from(self.skus)) as u32);
            lines.push([Line { sku, quantity: 1, price: 1_999 }]);
            self.placed += 1;
            heads.push((
                OrderId::new(self.now, self.market, self.random.next()),
                CustomerKey(u128::from(self.placed / 10)),
            ));
        }
        let place = |((order, customer), lines)| {
            let &(order, customer): &(OrderId, CustomerKey) = &(order, customer);
            Command::Place(Place {
                order,
                customer,
                take: Take::AllOrNothing,
                hold_ms: HOUR_MS,
                currency: Currency::new(*b"GBP").expect("a code"),
                payment: PaymentMethod::Card,
                channel: 1,
                zone: 44,
                hashes: None,
                lines,
                details: &[],
                key: None,
            })
        };
        let commands: Vec<_> = heads.into_iter().zip(lines.iter().map(|line| &line[..])).map(place).collect();
        let begin = Instant::now();
        self.entry.clear();
        for command in &commands {
            self.engine.touch(command);
        }
        for command in &commands {
            let log = &mut |fact: &Fact<'_>| encode_fact(fact, &mut self.entry);
            let answer = self.engine.submit(command, self.now, &mut self.scratch, log);
            black_box(answer).expect("accepted");
        }
        black_box(&self.entry);
        begin.elapsed()
    }
}

fn placements(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("engine");
    group.sample_size(10).measurement_time(Duration::from_secs(2)).warm_up_time(Duration::from_millis(500));
    group.throughput(Throughput::Elements(BATCH as u64));
    for (name, skus) in [("place, hot SKU", 1), ("place, ten million SKUs", ten_million())] {
        let mut built = None;
        group.bench_function(name, |bencher| {
            let world = built.get_or_insert_with(|| World::new(skus, ten_million().into()));
            bencher.iter_custom(|batches| (0..batches).map(|_| world.place_batch()).sum());
        });
    }
    let mut built = None;
    group.bench_function("place, hot SKU, a thousand open", |bencher| {
        let mut place = || {
            // Those that are timed are open too.
            let world = built.take().filter(|world: &World| world.placed < FEW_MAX);
            built.insert(world.unwrap_or_else(|| World::new(1, 1_000))).place_batch()
        };
        bencher.iter_custom(|batches| (0..batches).map(|_| place()).sum());
    });
    let mut built = None;
    group.bench_function("fill, hot SKU", |bencher| {
        let world = built.get_or_insert_with(|| World::new(1, BATCH as u64).overselling());
        bencher.iter_custom(|batches| (0..batches).map(|_| world.fill_batch()).sum());
    });
    group.finish();
}

criterion_group!(benches, placements);
criterion_main!(benches);
