//! Soak: a sale in a real one's proportions that does not end, its orders closing and leaving behind it.
//!
//! ```text
//! of 100 orders   70 ─► confirmed, handed over at once            ─┐
//!                 10 ─► confirmed, handed over a few rounds later  ├─► closed after the return window, gone when their
//!                  5 ─► cancelled                                  │   identifiers are old enough (`IdTooOld`)
//!                 15 ─► nobody pays, the reservation ends         ─┘
//! ```
//!
//! Rounds of orders leave at even moments (`rounds`); beside them memory and disk are looked at (`samples`). When as
//! many orders leave as come, both must stay as they are.
//!
//! # Always true
//! - Every answer is verified, and every order stands in the books at the end, long after it has left.
//! - Memory never exceeds the server's formula; from when as much leaves as comes, it does not grow.
//! # Why so
//! Ten of a hundred confirmed orders are still with the warehouse when a sale is over. Were they never handed over, a
//! soak could not be flat, and rightly: an open order is never forgotten.

mod rounds;
mod samples;

use std::rc::Rc;
use std::time::{Duration, Instant};

use stockade::base::MarketId;
use stockade::base::limits::RETIRED_STEP_MS;
use stockade::engine::{Command, Retention};
use stockade::wire::Reply;
use tokio::task::JoinSet;

use crate::arguments::Soak;
use crate::audit::{Known, audit};
use crate::chance::mix;
use crate::drive::{Fate, Goods};
use crate::exchange::{Ask, Exchange};
use crate::failure::Failure;
use crate::flash::{precise, wait_for_expiry};
use crate::host::Room;
use crate::latency::LatencyUs;
use crate::progress::rounded;
use crate::report::Report;
use crate::session::Session;

use rounds::{Done, Lane, Rounds};
use samples::Samples;
pub(crate) use samples::{Sample, SoakFigures};

/// Seconds that nobody takes to pay.
const HOLD_S: u32 = 3;
/// Between two looks at memory and disk.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// What a server must be able to keep beyond what it keeps when all goes evenly: stalls, and the steps of closing.
const SLACK_S: f64 = 20.0;

impl Soak {
    /// Seconds from an order's placement until it leaves, at most, when nothing lags.
    fn life_s(&self) -> f64 {
        let step_s = RETIRED_STEP_MS as f64 / 1e3;
        (f64::from(self.kept) + 2.0 * step_s).max(f64::from(HOLD_S + self.window))
    }

    fn retention(&self) -> Retention {
        Retention { return_window_ms: u64::from(self.window) * 1_000, ids_kept_ms: u64::from(self.kept) * 1_000 }
    }
}

/// What our own server must have room for: what comes in the life of an order, and not one order more than that.
pub(crate) fn room(soak: &Soak) -> Room {
    let kept = rounded(f64::from(soak.rate) * (soak.life_s() + SLACK_S)) + 10_000;
    Room {
        orders: kept,
        lines: kept,
        // What is taken beforehand could not be seen to grow.
        reserved: 0,
        connections_max: None,
        orders_per_second_max: None,
        payments: None,
        simulated: None,
    }
}

/// Runs it.
pub(crate) async fn run(soak: &Soak, session: &mut Session) -> Result<Report, Failure> {
    let client = session.host.connect(usize::from(soak.connections)).await?;
    let watcher = session.host.connect(1).await?;
    let mut exchange = Exchange::open(&watcher).await?;
    let (name, goods) = open_market(soak, session, &mut exchange).await?;
    let mut samples = Samples::default();
    samples.add(sample(session, &mut exchange, Instant::now()).await?);

    session.progress.begin("soak");
    let begin = Instant::now();
    let rounds = Rc::new(Rounds::new(soak, goods, begin));
    let mut lanes = JoinSet::new();
    for at in 0..usize::from(soak.connections) {
        let mut lane = Lane::open(&client, at, Rc::clone(&rounds)).await?;
        lanes.spawn_local(async move { lane.run().await });
    }
    let mut looks = tokio::time::interval(LOOK_EVERY);
    loop {
        tokio::select! {
            joined = lanes.join_next() => match joined {
                None => break,
                Some(Ok(outcome)) => outcome?,
                Some(Err(panic)) => std::panic::resume_unwind(panic.into_panic()),
            },
            _ = looks.tick() => {
                samples.add(sample(session, &mut exchange, begin).await?);
                let done = rounds.done.borrow();
                session.progress.show(done.answered, &done.latencies);
            }
        }
    }
    let elapsed = begin.elapsed();
    drop(lanes);
    let done = Rc::into_inner(rounds).expect("law: every lane has ended").done.into_inner();
    wait_for_expiry(&mut exchange, goods).await?;

    session.progress.begin("audit");
    let formula = session.host.formula();
    let figures = samples.figures(soak.life_s(), elapsed.as_secs_f64(), &done, formula.as_ref());
    let mut ledger = done.ledger.clone();
    ledger.receive(soak.orders);
    let markets = [Known { market: goods.market, name, ledger }];
    let (audit, server) = audit(&mut session.host, &mut exchange, &markets).await?;
    session.set_short_run(elapsed.as_secs_f64());
    Ok(report(session, done, figures, elapsed, (audit, server)))
}

async fn open_market(soak: &Soak, session: &Session, exchange: &mut Exchange) -> Result<(String, Goods), Failure> {
    let name = session.market_name("soak");
    let market = exchange.create_market(&name).await?;
    let skus = exchange.create_skus(market, ["wanted"].into_iter()).await?;
    exchange.receive_stock(market, skus.iter().map(|sku| (*sku, soak.orders))).await?;
    set_retention(exchange, market, soak.retention()).await?;
    // What becomes of an order is not the same for all: `rounds` knows.
    Ok((name, Goods::one(market, skus[0], HOLD_S * 1_000, Fate::Expires, mix(session.seed))))
}

async fn set_retention(exchange: &mut Exchange, market: MarketId, retention: Retention) -> Result<(), Failure> {
    let set = |reply: &Reply<'_>| matches!(reply, Reply::Answer(..)).then_some(());
    exchange
        .ask_one("setting a short return window", Ask::Command(Command::SetRetention { market, retention }), set)
        .await
}

async fn sample(session: &Session, exchange: &mut Exchange, begin: Instant) -> Result<Sample, Failure> {
    let status = exchange.status().await?;
    Ok(Sample {
        at_s: begin.elapsed().as_secs_f64(),
        orders: status.orders,
        rss_bytes: status.rss_bytes,
        data_bytes: session.host.data_bytes()?,
    })
}

fn report(
    session: &mut Session,
    done: Done,
    figures: SoakFigures,
    elapsed: Duration,
    (audit, server): (crate::report::Audit, crate::report::ServerFigures),
) -> Report {
    let elapsed_s = elapsed.as_secs_f64();
    let report = Report {
        scenario: "soak",
        orders: done.answered,
        reserved: done.accepted,
        sold_out: 0,
        other_refusals: 0,
        refusals: std::collections::BTreeMap::new(),
        errors: done.errors.count(),
        error_list: done.errors.kept().to_vec(),
        elapsed_s,
        orders_per_s: precise(done.answered) / elapsed_s.max(1e-9),
        latency_us: LatencyUs::from(&done.latencies),
        audit,
        server,
        settings: session.settings.clone(),
        soak: Some(figures),
        ..Report::default()
    };
    session.latencies = Some(done.latencies);
    report
}
