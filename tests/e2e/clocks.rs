//! A wall clock that is stepped by an hour while customers order: log time is followed by the client, which makes the
//! identifiers, so nobody notices.
//!
//! Time passes here when the test says so: the server's clocks are the machine's, plus what the test has added.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use stockade::base::{MarketId, OrderId, SkuId, Timestamp};
use stockade::client::{Client, QueryReply, Response};
use stockade::engine::order::State;
use stockade::engine::query::OrderView;
use stockade::engine::{Answer, Command, Place, Query};
use stockade::shard::{LogClock, Readings};

use crate::harness::{Running, World, line, place, stocked};

const HOUR_MS: i64 = 3_600_000;
const MINUTE_MS: u32 = 60_000;
/// Time passes in pieces of this size, with an order after each.
const PIECE_MS: u64 = 500;
/// Log time is told in milliseconds, and so is each end of a span.
const ROUNDING_MS: u64 = 3;

/// The clocks of a machine whose operator turns them.
#[derive(Clone)]
struct Clocks {
    begin: Instant,
    passed_ms: Arc<AtomicU64>,
    stepped_ms: Arc<AtomicI64>,
}

impl Clocks {
    fn new() -> Self {
        Self { begin: Instant::now(), passed_ms: Arc::default(), stepped_ms: Arc::default() }
    }

    fn step(&self, by_ms: i64) {
        self.stepped_ms.fetch_add(by_ms, Ordering::SeqCst);
    }

    fn pass(&self, ms: u64) {
        self.passed_ms.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Readings for Clocks {
    fn monotonic_ns(&self) -> u64 {
        let real = u64::try_from(self.begin.elapsed().as_nanos()).expect("a short test");
        real + self.passed_ms.load(Ordering::SeqCst) * 1_000_000
    }

    fn wall_ms(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
        let real = u64::try_from(since.as_millis()).expect("fits");
        (real + self.passed_ms.load(Ordering::SeqCst)).saturating_add_signed(self.stepped_ms.load(Ordering::SeqCst))
    }
}

struct Shop {
    server: Running,
    client: Client,
    clocks: Clocks,
    market: MarketId,
    sku: SkuId,
}

impl Shop {
    async fn open(world: &World) -> Self {
        Self::open_with(world, Clocks::new()).await
    }

    async fn open_with(world: &World, clocks: Clocks) -> Self {
        let server = world.start_by(&world.options(0), |last| LogClock::with_readings(last, clocks.clone()));
        let client = server.client(world).await;
        let (market, sku) = stocked(&client, "default", 1_000_000).await;
        Self { server, client, clocks, market, sku }
    }

    /// Places an order, which must not be refused.
    async fn place(&self, hold_ms: u32) -> OrderId {
        let order = self.client.new_order_id(self.market);
        let lines = [line(self.sku, 1)];
        let Command::Place(placement) = place(order, &lines) else { unreachable!() };
        let response = self.client.submit(&Command::Place(Place { hold_ms, ..placement })).await.expect("an answer");
        match response {
            Response::Answered { answer: Answer::Placed { repeated: false, .. }, .. } => order,
            other => panic!("an order of our client was refused: {other:?}"),
        }
    }

    async fn state(&self, order: OrderId) -> State {
        self.look(order).await.state
    }

    async fn look(&self, order: OrderId) -> OrderView {
        match self.client.query(&Query::Order { order }).await.expect("an answer") {
            QueryReply::Order(view) => *view,
            other => panic!("{other:?}"),
        }
    }

    /// Lets a piece of time pass, and takes an order after it.
    async fn pass(&self) {
        let before = self.client.log_time();
        self.clocks.pass(PIECE_MS);
        self.place(3_600_000).await;
        assert!(self.client.log_time() >= before, "log time turned back");
    }

    /// Steps the wall clock while an order waits for a minute, and lets it wait until it expires: no sooner and no
    /// later than said, however long a request takes here.
    async fn check_life(&self, step_ms: i64, least_ms: u64, most_ms: u64) {
        let now_ms = || self.clocks.monotonic_ns() / 1_000_000;
        let before = now_ms();
        let order = self.place(MINUTE_MS).await;
        let after = now_ms();
        self.clocks.step(step_ms);
        loop {
            let asked = now_ms();
            if self.state(order).await == State::Expired {
                let lived = now_ms() - before;
                assert!(lived + ROUNDING_MS >= least_ms, "expired after {lived} ms");
                return;
            }
            let lives = asked - after;
            assert!(lives <= most_ms + ROUNDING_MS, "still waits after {lives} ms");
            self.pass().await;
        }
    }
}

#[tokio::test]
async fn a_wall_clock_stepped_forward_an_hour_refuses_nobody_and_expires_nothing_more_than_twice_early() {
    let world = World::new(1);
    let shop = Shop::open(&world).await;
    shop.check_life(HOUR_MS, u64::from(MINUTE_MS) / 2, MINUTE_MS.into()).await;
    shop.server.stop().await;
}

#[tokio::test]
async fn a_wall_clock_stepped_back_an_hour_refuses_nobody_and_keeps_nothing_longer_than_twice() {
    let world = World::new(1);
    let shop = Shop::open(&world).await;
    shop.check_life(-HOUR_MS, MINUTE_MS.into(), 2 * u64::from(MINUTE_MS)).await;
    shop.server.stop().await;
}

#[tokio::test]
async fn a_wall_clock_that_behaves_lets_a_minute_be_a_minute() {
    let world = World::new(1);
    let shop = Shop::open(&world).await;
    shop.check_life(0, MINUTE_MS.into(), MINUTE_MS.into()).await;
    shop.server.stop().await;
}

#[tokio::test]
async fn a_wall_clock_that_jumps_to_and_fro_between_restarts_refuses_no_order() {
    let world = World::new(2);
    let mut orders = Vec::new();
    let mut newest = Timestamp::ZERO;
    for step in [0, HOUR_MS, -HOUR_MS, 0, -24 * HOUR_MS, HOUR_MS] {
        let clocks = Clocks::new();
        clocks.step(step);
        let shop = Shop::open_with(&world, clocks).await;
        assert!(shop.client.log_time() >= newest, "log time goes on where the log ended");
        orders.push(shop.place(24 * 3_600_000).await);
        for by in [HOUR_MS, -2 * HOUR_MS, HOUR_MS] {
            shop.clocks.step(by);
            for _ in 0..5 {
                shop.pass().await;
            }
        }
        for order in &orders {
            assert_eq!(shop.state(*order).await, State::PendingPayment);
        }
        // What readings were told is in no log; what an order was accepted at is.
        newest = shop.look(shop.place(24 * 3_600_000).await).await.accepted_at;
        shop.server.stop().await;
    }
}
