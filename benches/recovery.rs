//! How fast does a node come back: a log of ten million orders of one line, read, checked and folded.
//!
//! Expected: reading and checking the log runs at gigabytes a second out of the page cache, so folding decides. An
//! order writes some two hundred bytes of state and one slot of the index, and reads one row of balances; looking a
//! group of facts up before it is folded lets those misses overlap, as it does for a running shard. Fold without decide
//! should be cheaper than both, so expect about what `benches/engine.rs` shows, less the time to take fresh memory from
//! the system where none was reserved.
//!
//! Run it on the disk in question: `TMPDIR=/the/disk cargo bench --bench recovery`. The last segments are read from the
//! disk itself, the others from the page cache as long as it holds them.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use stockade::base::{
    Currency, CustomerKey, MarketId, OrderId, RequestId, Sequence, ShardId, SiteId, SkuId, Timestamp,
};
use stockade::engine::choices::{PaymentMethod, Take};
use stockade::engine::{Capacity, Command, Engine, Line, Place, Scratch};
use stockade::shard::{Recovery, make_snapshot_on, recover_on};
use stockade::wal::{Durability, Entry, FileDisk, Handle, Log, Options, Reader, SyncMethod};
use stockade::wire::encode_fact;

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Orders in the log. `cargo test --bench recovery` measures nothing; it only sees that all of it runs.
fn orders() -> u64 {
    let measured = std::env::args().any(|argument| argument == "--bench");
    if measured { 10_000_000 } else { 10_000 }
}

/// Placements of one entry.
const BATCH: u64 = 1_024;
const SKUS: u32 = 10_000;
const HOUR_MS: u32 = 3_600_000;
fn options(dir: &Path) -> Options {
    Options {
        // How the log was written makes no difference to how it is read.
        durability: Durability::Interval { ms: 1_000 },
        sync_method: Some(SyncMethod::Fdatasync),
        low_water_bytes: 0,
        segment_bytes: if orders() > 1_000_000 { 256 << 20 } else { 256 << 10 },
        ..Options::new(dir, 1)
    }
}

/// Decides commands and appends what happened, as a shard does.
struct Author {
    engine: Engine,
    scratch: Scratch,
    log: Handle,
    sequence: Sequence,
    bytes: Vec<u8>,
    market: MarketId,
    now: Timestamp,
}

impl Author {
    fn submit(&mut self, command: &Command<'_>) {
        let bytes = &mut self.bytes;
        let decided = self.engine.submit(command, self.now, &mut self.scratch, &mut |fact| {
            encode_fact(fact, bytes);
        });
        decided.expect("accepted");
    }

    fn append(&mut self) {
        self.sequence = self.sequence.next();
        let bytes = std::mem::replace(&mut self.bytes, self.log.take_spare());
        let (stream, sequence, log_time) = (ShardId(0), self.sequence, self.now);
        let mut entry = Entry { stream, sequence, log_time, bytes, notify: Vec::new() };
        while let Err(back) = self.log.append(entry) {
            entry = back;
            std::thread::yield_now();
        }
        self.engine.stand_at(self.sequence.next());
    }

    fn stock_up(&mut self) {
        let market = self.market;
        self.submit(&Command::OpenMarket { market, code: "bench" });
        for number in 1..=SKUS {
            self.submit(&Command::CreateSku { market, code: &format!("sku-{number}") });
            let request = RequestId::new(self.now, market, number.into());
            let (sku, site) = (SkuId(number), SiteId(1));
            self.submit(&Command::Receive { request, sku, site, quantity: 1_000_000_000 });
            if number % 1_000 == 0 {
                self.append();
            }
        }
    }

    fn place(&mut self, number: u64) {
        let mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let sku = SkuId(1 + ((mixed >> 32) % u64::from(SKUS)) as u32);
        self.submit(&Command::Place(Place {
            order: OrderId::new(self.now, self.market, mixed),
            customer: CustomerKey(u128::from(number / 10)),
            take: Take::AllOrNothing,
            hold_ms: HOUR_MS,
            currency: Currency::new(*b"GBP").expect("a code"),
            payment: PaymentMethod::Card,
            channel: 1,
            zone: 44,
            hashes: None,
            lines: &[Line { sku, quantity: 1, price: 1_999 }],
            details: &[],
            key: None,
        }));
    }
}

/// Writes the log; its digest, so that nobody measures a recovery that is wrong.
fn write_log(dir: &Path) -> u128 {
    let opened = Log::open(&options(dir), &mut |_| {}, &mut |_| {}).expect("opens");
    let (log, running) = opened.start(Box::new(|fault| panic!("{fault}"))).expect("starts");
    let mut author = Author {
        engine: Engine::new(ShardId(0), 1, Capacity::UNBOUNDED),
        scratch: Scratch::default(),
        log,
        sequence: Sequence(0),
        bytes: Vec::new(),
        market: MarketId::new(1).expect("fits"),
        now: Timestamp::from_ms(1_800_000_000_000),
    };
    author.engine.stand_at(author.sequence.next());
    author.stock_up();
    for number in 0..orders() {
        author.place(number);
        if (number + 1) % BATCH == 0 {
            author.append();
            // A turn takes about as long.
            author.now = author.now.after_ms(1);
        }
    }
    author.append();
    running.stop();
    author.engine.digest()
}

/// Opens the log and folds it. The second duration begins when the first entry is folded, and with it all memory that
/// is reserved is taken.
fn recover(dir: &Path, reserve: u64) -> (Engine, Duration, Duration) {
    let begin = Instant::now();
    let mut reserved = None;
    let mut recovery = Recovery::new(1, Capacity::UNBOUNDED);
    recovery.reserve(reserve);
    let opened = Log::open(
        &options(dir),
        &mut |entry| {
            recovery.handle_entry(entry);
            reserved.get_or_insert_with(Instant::now);
        },
        &mut |_| {},
    );
    drop(opened.expect("sound"));
    let (mut engines, _) = recovery.finish().expect("facts");
    let end = Instant::now();
    (engines.swap_remove(0), end - begin, end - reserved.expect("entries"))
}

fn recovery(criterion: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a directory");
    let digest = write_log(dir.path());
    let (engine, ..) = recover(dir.path(), 0);
    assert!(engine.orders() == orders() && engine.digest() == digest, "what was written is what comes back");
    drop(engine);
    let mut group = criterion.benchmark_group("recovery of single-line orders");
    group.throughput(Throughput::Elements(orders())).sample_size(10).sampling_mode(SamplingMode::Flat);
    group.warm_up_time(Duration::from_millis(1)).measurement_time(Duration::from_secs(1));
    group.bench_function("log read and checked, nothing folded", |bencher| {
        let reader = Reader::open(dir.path()).expect("free");
        bencher.iter(|| {
            let mut bytes = 0;
            reader.read(&mut |entry| bytes += entry.bytes.len() as u64, &mut |_| {}).expect("sound");
            assert!(bytes > orders() * 64, "every order was read");
        });
    });
    group.bench_function("log opened, nothing folded", |bencher| {
        bencher.iter(|| drop(Log::open(&options(dir.path()), &mut |_| {}, &mut |_| {}).expect("sound")));
    });
    group.bench_function("nothing reserved", |bencher| {
        bencher.iter_custom(|times| (0..times).map(|_| recover(dir.path(), 0).1).sum());
    });
    group.bench_function("memory reserved, and the time to take it", |bencher| {
        bencher.iter_custom(|times| (0..times).map(|_| recover(dir.path(), orders()).1).sum());
    });
    group.bench_function("memory reserved before", |bencher| {
        bencher.iter_custom(|times| (0..times).map(|_| recover(dir.path(), orders()).2).sum());
    });
    let snapshot = make_snapshot_on(&disk(dir.path()), &mut |_| ControlFlow::Continue(())).expect("a sound log");
    assert!(snapshot.is_some_and(|made| made.bytes > orders() * 60), "most orders are in the image");
    group.bench_function("from an image and the last segment of the log", |bencher| {
        bencher.iter_custom(|times| (0..times).map(|_| recover_image(dir.path(), 0)).sum());
    });
    group.bench_function("from an image and the last segment of the log, memory reserved", |bencher| {
        bencher.iter_custom(|times| (0..times).map(|_| recover_image(dir.path(), orders())).sum());
    });
    group.finish();
}

fn disk(dir: &Path) -> FileDisk {
    FileDisk::new(dir)
}

/// Reads the image, opens the log and folds what is behind it, as a node does.
fn recover_image(dir: &Path, reserve: u64) -> Duration {
    let begin = Instant::now();
    let (mut recovery, image) = recover_on(&disk(dir), 1, Capacity::UNBOUNDED, reserve).expect("readable");
    assert!(image.is_some(), "there is an image");
    drop(Log::open(&options(dir), &mut |entry| recovery.handle_entry(entry), &mut |_| {}).expect("sound"));
    let (engines, _) = recovery.finish().expect("facts");
    let end = begin.elapsed();
    assert_eq!(engines[0].orders(), orders());
    end
}

criterion_group!(benches, recovery);
criterion_main!(benches);
