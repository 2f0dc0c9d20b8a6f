//! Shards on their threads over the real log on a real disk: 16 markets on 1, 2 and 8 shards, stopped and started
//! again.
//!
//! # Not here
//! - Crashes: `tests/sim`. Sockets: `tests/e2e`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use stockade::base::{
    ChangeId, Currency, CustomerKey, MarketId, OrderId, OrderNumber, RequestId, Sequence, ShardId, SiteId, SkuId,
    Timestamp,
};
use stockade::engine::choices::{PaymentMethod, Take};
use stockade::engine::{Answer, Capacity, Command, DIRECTORY_SHARD, Engine, Line, Place, Query};
use stockade::shard::{FakeKeys, Inbox, Lane, LogClock, Outbox, Recovery, Replies, Shard, ShardHandle, Submission};
use stockade::wal::{Handle, Log, Options, Running, SyncMethod};
use stockade::wire::{BooksAt, Reply, ReplyHeader, Request, Tag, decode_replies};

const MARKETS: u32 = 16;
const ORDERS: u64 = 300;

struct Node {
    shards: Vec<ShardHandle>,
    desks: Vec<Desk>,
    clock: LogClock,
    handle: Handle,
    running: Running,
    last: Vec<Sequence>,
}

impl Node {
    fn start(dir: &std::path::Path, shards: u16) -> Self {
        let mut options = Options::new(dir, shards);
        options.segment_bytes = 1 << 20;
        options.low_water_bytes = 0;
        options.sync_method = Some(SyncMethod::Fdatasync);
        let mut recovery = Recovery::new(shards, Capacity::default());
        let opened = Log::open(&options, &mut |entry| recovery.handle_entry(entry), &mut |_| {}).expect("a sound log");
        let (engines, last) = recovery.finish().expect("the log holds facts");
        let tails: Vec<Sequence> = opened.tails.iter().map(|tail| tail.sequence).collect();
        let (handle, running) = opened.start(Box::new(|fault| panic!("{fault}"))).expect("threads");
        let clock = LogClock::new(last);
        let start = |(stream, engine): (u16, Engine)| {
            let (log, clock) = (Arc::new(handle.clone()), clock.clone());
            let keys = Box::new(FakeKeys::new(stream.into()));
            let _lost = keys.recover(engine.key_names());
            let tail = tails[usize::from(stream)];
            Shard::new(engine, ShardId(stream), tail, options.entry_bytes_max(), log, clock, keys)
                .start()
                .expect("a thread")
        };
        let shards: Vec<ShardHandle> = (0..).zip(engines).map(start).collect();
        let desks = shards.iter().map(|shard| Desk::open(shard.inbox())).collect();
        Self { shards, desks, clock, handle, running, last: tails }
    }

    fn stop(self) -> Vec<Engine> {
        let engines = self.shards.into_iter().map(ShardHandle::stop).collect();
        self.running.stop();
        assert!(!self.handle.failed());
        engines
    }
}

/// Somebody who asks one shard and waits for the answers.
struct Desk {
    inbox: Inbox,
    outbox: Arc<Outbox>,
    replies: Replies,
}

struct Sleeper(Thread);

impl Wake for Sleeper {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

impl Desk {
    fn open(inbox: Inbox) -> Self {
        let (outbox, replies) = inbox.open_outbox();
        Self { inbox, outbox, replies }
    }

    /// Asks everything in one batch; the replies by their place in it.
    fn ask<T>(&mut self, requests: &[Request<'_>], mut read: impl FnMut(Reply<'_>) -> T) -> Vec<T> {
        let mut batch = self.inbox.take_spare_batch();
        for (index, request) in (0..).zip(requests) {
            batch.push(Tag { correlation: index, index: 0, expires_at_ms: 0 }, request);
        }
        let submitted = self.inbox.submit(Submission { lane: Lane::Orders, batch, outbox: Arc::clone(&self.outbox) });
        assert!(submitted.is_ok(), "nobody else asks");
        let mut answers = BTreeMap::new();
        while answers.len() < requests.len() {
            let chunk = self.wait();
            let mut rest = chunk.as_slice();
            while !rest.is_empty() {
                let header = ReplyHeader::parse(rest).expect("sound").expect("whole");
                let (frame, behind) = rest.split_at(header.length);
                decode_replies(frame, |correlation, _, reply| {
                    assert!(answers.insert(correlation, read(reply)).is_none(), "answered twice");
                })
                .expect("sound");
                rest = behind;
            }
            self.replies.give_back(chunk);
        }
        answers.into_values().collect()
    }

    /// Sleeps until the log wakes it; a lost wake-up hangs the test.
    fn wait(&mut self) -> Vec<u8> {
        let waker = Waker::from(Arc::new(Sleeper(std::thread::current())));
        loop {
            match self.replies.poll_take(&mut Context::from_waker(&waker)) {
                Poll::Ready(chunk) => return chunk,
                Poll::Pending => std::thread::park(),
            }
        }
    }
}

fn answer(reply: Reply<'_>) -> Answer {
    match reply {
        Reply::Answer(answer, _) => answer,
        other => panic!("{other:?}"),
    }
}

fn numbered(answer: Answer) -> u32 {
    match answer {
        Answer::Numbered { number, .. } => number,
        other => panic!("{other:?}"),
    }
}

/// Creates the markets as a node does: the directory gives the number and the shard, the shard opens it.
fn create_markets(node: &mut Node, shards: u16) -> Vec<(MarketId, usize)> {
    let mut markets = Vec::new();
    for number in 0..MARKETS {
        let code = format!("market-{number}");
        let assign = [Request::Command(Command::AssignMarket { code: &code })];
        let assigned = node.desks[usize::from(DIRECTORY_SHARD.0)].ask(&assign, answer);
        let market = MarketId::new(numbered(assigned[0])).expect("small");
        let shard = (number % u32::from(shards)) as usize;
        let open = [Request::Command(Command::OpenMarket { market, code: &code })];
        node.desks[shard].ask(&open, answer);
        markets.push((market, shard));
    }
    markets
}

fn stock_up(node: &mut Node, market: MarketId, shard: usize) {
    let request = RequestId::new(node.clock.now(), market, 1);
    let requests = [
        Request::Command(Command::CreateSku { market, code: "thing" }),
        Request::Command(Command::Receive { request, sku: SkuId(1), site: SiteId(1), quantity: 2 * ORDERS }),
    ];
    node.desks[shard].ask(&requests, answer);
}

fn place(order: OrderId, lines: &[Line]) -> Request<'_> {
    Request::Command(Command::Place(Place {
        order,
        customer: CustomerKey(9),
        take: Take::AllOrNothing,
        hold_ms: 3_600_000,
        currency: Currency::new(*b"EUR").expect("three letters"),
        payment: PaymentMethod::Card,
        channel: 0,
        zone: 0,
        hashes: None,
        lines,
        details: b"",
        key: None,
    }))
}

fn books(reply: Reply<'_>) -> BooksAt {
    match reply {
        Reply::Books(books) => *books,
        other => panic!("{other:?}"),
    }
}

/// Places, confirms every other order, and tells what was answered.
fn trade(node: &mut Node, market: MarketId, shard: usize, at: Timestamp) -> Vec<Answer> {
    let lines = [Line { sku: SkuId(1), quantity: 1, price: 100 }];
    let orders: Vec<OrderId> = (0..ORDERS).map(|random| OrderId::new(at, market, random)).collect();
    let placements: Vec<Request<'_>> = orders.iter().map(|order| place(*order, &lines)).collect();
    let answers = node.desks[shard].ask(&placements, answer);
    let confirm = |order: &OrderId| Request::Command(Command::Confirm { order: *order, attempt: ChangeId(1) });
    let confirms: Vec<Request<'_>> = orders.iter().step_by(2).map(confirm).collect();
    node.desks[shard].ask(&confirms, answer);
    answers
}

fn first_of(answer: &Answer) -> (OrderNumber, Timestamp, Timestamp) {
    match *answer {
        Answer::Placed { number, accepted_at, deadline, .. } => (number, accepted_at, deadline),
        ref other => panic!("{other:?}"),
    }
}

fn check(shards: u16) {
    let dir = tempfile::tempdir().expect("a directory");
    let mut node = Node::start(dir.path(), shards);
    let markets = create_markets(&mut node, shards);
    let at = node.clock.now();
    let mut answered = Vec::new();
    for (market, shard) in &markets {
        stock_up(&mut node, *market, *shard);
        answered.push(trade(&mut node, *market, *shard, at));
    }
    let ask_books = |node: &mut Node| -> Vec<BooksAt> {
        let ask = |(market, shard): &(MarketId, usize)| {
            node.desks[*shard].ask(&[Request::Query(Query::Books { market: *market })], books).remove(0)
        };
        markets.iter().map(ask).collect()
    };
    let books_before = ask_books(&mut node);
    let digests: Vec<u128> = node.stop().iter().map(Engine::digest).collect();

    let mut node = Node::start(dir.path(), shards);
    assert!(node.last.iter().all(|last| last.0 > 0), "every shard had markets");
    for (books, (_, shard)) in books_before.iter().zip(&markets) {
        assert!(books.sequence <= node.last[*shard] && usize::from(books.stream.0) == *shard);
    }
    for ((market, shard), answered) in markets.iter().zip(&answered) {
        let lines = [Line { sku: SkuId(1), quantity: 1, price: 100 }];
        let again: Vec<OrderId> = (0..ORDERS).map(|random| OrderId::new(at, *market, random)).collect();
        let again: Vec<Request<'_>> = again.iter().map(|order| place(*order, &lines)).collect();
        let repeats = node.desks[*shard].ask(&again, answer);
        assert!(repeats.iter().map(first_of).eq(answered.iter().map(first_of)), "answered otherwise after a restart");
    }
    let books_after = ask_books(&mut node);
    assert!(books_before.iter().zip(&books_after).all(|(before, after)| before.books == after.books));
    let engines = node.stop();
    assert!(engines.iter().map(Engine::digest).eq(digests), "a restart changed the state");
    for engine in &engines {
        engine.check_invariants().expect("sound");
    }
}

#[test]
fn sixteen_markets_on_one_shard_survive_a_restart() {
    check(1);
}

#[test]
fn sixteen_markets_on_two_shards_survive_a_restart() {
    check(2);
}

#[test]
fn sixteen_markets_on_eight_shards_survive_a_restart() {
    check(8);
}
