//! A whole node and its client in one process: QUIC over loopback with TLS, a log on a real disk, synced.
//!
//! ```text
//! client thread ── QUIC ──► network thread ──► shard thread ──► log thread ──► disk
//!        ◄───────────────────────────────────────────────────────────┘
//! ```
//!
//! # Expected
//! - Frames of 1,024, several in flight: a bare echo of such frames over TLS moves some nine million orders a second on
//!   two cores; deciding, folding, encoding and hashing each order for the log costs the shard a few hundred
//!   nanoseconds more.
//!   While one frame is synced the next is decided, so the disk's latency is not paid per frame: expect a third of the
//!   echo, well over a million a second, and the network thread to be the busiest.
//! - One request at a time: nothing overlaps. Four hand-overs between threads, two packets and one sync: expect the
//!   disk's sync (see `benches/wal.rs`) and some hundred microseconds.
//!
//! Run it on the disk in question: `TMPDIR=/the/disk cargo bench --bench end_to_end`.

use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use stockade::base::{Currency, CustomerKey, MarketId, OrderId, ShardId, SiteId, SkuId, Timestamp};
use stockade::client::{Client, ClientOptions, FrameReceiver, FrameSender, Response, frames};
use stockade::engine::choices::{PaymentMethod, Take};
use stockade::engine::{Answer, Capacity, Command, Line, Place};
use stockade::server::{NodeParts, Registry, Server, ServerOptions, StatusSource};
use stockade::shard::{FakeKeys, LogClock, Recovery, Shard};
use stockade::wal::{Log, Options};
use stockade::wire::{FrameWriter, Reply, Status, decode_replies};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Whether anything is measured. `cargo test --bench end_to_end` only sees that all of it runs, in a small world.
fn measured() -> bool {
    std::env::args().any(|argument| argument == "--bench")
}

/// Placements of a frame.
const BATCH: u64 = 1_024;
/// Frames under way at once.
const IN_FLIGHT: usize = 16;
const HOUR_MS: u32 = 3_600_000;

/// Frames of one timed round.
fn frames_per_round() -> usize {
    if measured() { 256 } else { 2 * IN_FLIGHT }
}

/// A node on threads of its own, until it is dropped.
struct Node {
    data: TempDir,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct NoStatus;

impl StatusSource for NoStatus {
    fn status(&self) -> Status {
        Status::default()
    }
}

impl Node {
    fn start() -> Self {
        let data = tempfile::tempdir().expect("a directory");
        let mut log = Options::new(data.path().join("log"), 1);
        log.low_water_bytes = 0;
        if !measured() {
            log.segment_bytes = 8 << 20;
        }
        let door = ServerOptions::new(SocketAddr::from(([127, 0, 0, 1], 0)), data.path());
        let (stop, stopped) = oneshot::channel();
        let (tell, told) = mpsc::channel();
        let thread = std::thread::spawn(move || run(&log, &door, &tell, stopped));
        let address = told.recv().expect("it listens");
        Self { data, address, stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let (stop, thread) = (self.stop.take(), self.thread.take());
        stop.expect("dropped once").send(()).expect("it runs");
        thread.expect("dropped once").join().expect("it ended well");
    }
}

/// The node's network thread, and everything around it.
fn run(log: &Options, door: &ServerOptions, listening: &mpsc::Sender<SocketAddr>, stopped: oneshot::Receiver<()>) {
    let unbounded = Capacity::UNBOUNDED;
    let mut recovery = Recovery::new(1, unbounded);
    // So that no figure measures the system finding pages.
    recovery.reserve(if measured() { 10_000_000 } else { 0 });
    let opened = Log::open(log, &mut |entry| recovery.handle_entry(entry), &mut |_| {}).expect("opens");
    let (mut engines, last) = recovery.finish().expect("no facts yet");
    let tail = opened.tails[0].sequence;
    let (handle, running) = opened.start(Box::new(|fault| panic!("{fault}"))).expect("starts");
    let (clock, handle) = (LogClock::new(last), Arc::new(handle));
    let keys = Box::new(FakeKeys::new(0));
    let shard = Shard::new(engines.remove(0), ShardId(0), tail, log.entry_bytes_max(), handle, clock.clone(), keys);
    let shard = shard.start().expect("a thread");
    let parts =
        NodeParts { registry: Registry::new(), inboxes: vec![shard.inbox()], clock, status: Arc::new(NoStatus) };
    runtime().block_on(async {
        let server = Server::bind(door, parts).expect("a free port");
        listening.send(server.local_addr()).expect("somebody waits");
        server.run(async { stopped.await.expect("told to stop") }).await;
    });
    let _engine = shard.stop();
    running.stop();
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// A client with a market of its own and stock without end.
struct Customer {
    client: Client,
    market: MarketId,
    sku: SkuId,
    placed: u64,
}

impl Customer {
    async fn connect(node: &Node) -> Self {
        let client = Client::connect(ClientOptions::local(node.address, node.data.path())).await.expect("connects");
        let number = async |command: Command<'_>| match client.submit(&command).await.expect("an answer") {
            Response::Answered { answer: Answer::Numbered { number, .. }, .. } => number,
            other => panic!("{other:?}"),
        };
        let market = MarketId::new(number(Command::AssignMarket { code: "bench" }).await).expect("fits");
        let sku = SkuId(number(Command::CreateSku { market, code: "mug" }).await);
        let request = client.new_request_id(market);
        let receive = Command::Receive { request, sku, site: SiteId(1), quantity: 1_000_000_000_000 };
        let received = client.submit(&receive).await.expect("an answer");
        assert!(matches!(received, Response::Answered { .. }), "{received:?}");
        Self { client, market, sku, placed: 0 }
    }

    fn order(&mut self) -> (OrderId, CustomerKey) {
        self.placed += 1;
        (self.client.new_order_id(self.market), CustomerKey(u128::from(self.placed / 10)))
    }

    /// A round of frames, made before it is timed.
    fn prepare(&mut self) -> Vec<Bytes> {
        let lines = [Line { sku: self.sku, quantity: 1, price: 1_999 }];
        let frame = |correlation: usize| {
            let mut writer = FrameWriter::default();
            writer.begin(correlation as u64, 0);
            for _ in 0..BATCH {
                writer.push(&place(self.order(), &lines)).expect("fits");
            }
            Bytes::from(writer.into_frame())
        };
        (0..frames_per_round()).map(frame).collect()
    }
}

fn place((order, customer): (OrderId, CustomerKey), lines: &[Line]) -> Command<'_> {
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
}

/// Sends every frame, a bounded number ahead of the replies, and looks at every answer.
async fn round(sender: &mut FrameSender, receiver: &mut FrameReceiver, mut prepared: Vec<Bytes>) {
    let mut open = vec![BATCH; prepared.len()];
    let (mut sent, mut answered) = (0, 0);
    while answered < prepared.len() {
        let upto = (answered + IN_FLIGHT).min(prepared.len());
        if sent < upto {
            sender.send_all(&mut prepared[sent..upto]).await.expect("sent");
            sent = upto;
        }
        let whole = receiver.recv().await.expect("replies").expect("the stream goes on");
        for frame in frames(whole) {
            let read = decode_replies(frame, |correlation, _, reply| {
                assert!(matches!(reply, Reply::Answer(Answer::Placed { repeated: false, .. }, _)), "{reply:?}");
                let left = &mut open[correlation as usize];
                *left -= 1;
                answered += usize::from(*left == 0);
            });
            read.expect("sound frames");
        }
    }
}

fn placements(criterion: &mut Criterion) {
    let node = Node::start();
    let runtime = runtime();
    let mut customer = runtime.block_on(Customer::connect(&node));
    let mut group = criterion.benchmark_group("end to end");
    group.sample_size(10).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(5));

    group.throughput(Throughput::Elements(frames_per_round() as u64 * BATCH));
    group.bench_function("frames of 1,024 placements, 16 in flight", |bencher| {
        let stream = runtime.block_on(customer.client.open_stream(0)).expect("a stream");
        let (mut sender, mut receiver) = stream.split();
        bencher.iter_custom(|rounds| {
            let timed = |_| {
                let prepared = customer.prepare();
                let begin = Instant::now();
                runtime.block_on(round(&mut sender, &mut receiver, prepared));
                begin.elapsed()
            };
            (0..rounds).map(timed).sum()
        });
    });

    group.throughput(Throughput::Elements(1));
    group.bench_function("one placement at a time", |bencher| {
        let lines = [Line { sku: customer.sku, quantity: 1, price: 1_999 }];
        bencher.iter(|| {
            let command = place(customer.order(), &lines);
            let placed = runtime.block_on(customer.client.submit(&command)).expect("an answer");
            let accepted = matches!(placed, Response::Answered { answer: Answer::Placed { accepted_at, .. }, .. }
                if accepted_at > Timestamp::ZERO);
            assert!(accepted, "{placed:?}");
        });
    });
    group.finish();
    drop((customer, runtime));
}

criterion_group!(benches, placements);
criterion_main!(benches);
