//! Crash cycles: load, SIGKILL, restart, and a look at whatever was answered.
//!
//! ```text
//! receive stock ─► paced load, at the end a burst ─► SIGKILL ─► restart
//!       ▲                                                          │ books between what was answered and what was sent
//!       │                                                          ▼
//!  books agree ◄─ confirm some ◄─ repeat a sample ◄─ resend what nobody knows under the same ids
//! ```
//!
//! # Always true
//! - Whatever was answered before a kill is there after it: books hold the hash of every order, and a sample is sent
//!   again and must repeat its first answer.
//! - An order of unknown outcome is resent. Accepted before the kill or only now: both are legal, once.
//! # Why so
//! Stock covers nine tenths of each cycle's orders, so that some kills meet a sale and some the refusals after it.
//! The burst before the kill is there because paced load alone leaves too little in flight to lose.

mod check;

use std::time::{Duration, Instant};

use stockade::base::{MarketId, Timestamp};
use stockade::client::Client;

use crate::arguments::Crash;
use crate::audit::{Known, audit};
use crate::chance::{Chance, mix};
use crate::drive::{Accepted, Drive, Fate, Goods, Pace, Plan, Sums, Tally};
use crate::exchange::Exchange;
use crate::failure::Failure;
use crate::flash::precise;
use crate::host::Room;
use crate::latency::LatencyUs;
use crate::report::{CrashFigures, Report};
use crate::session::Session;

const KILL_AFTER_MS: (u64, u64) = (50, 500);
/// The burst begins so long before the kill.
const BURST_US_MAX: u64 = 5_000;
/// Of a cycle's orders, so many in ten are paced; the rest is the burst.
const PACED_IN_TEN: u64 = 7;
/// Of a cycle's orders, so many in ten find stock.
const STOCKED_IN_TEN: u64 = 9;
/// Accepted orders of each cycle that are remembered, and of these that are confirmed.
const SAMPLE_MAX: usize = 32;
const CONFIRMS: usize = 8;
/// Accepted orders remembered over all cycles.
const REMEMBERED_MAX: usize = 4_096;
const HOLD_MS: u32 = 24 * 3_600_000;

/// What our own server must have room for.
pub(crate) const fn room(crash: &Crash) -> Room {
    let orders = crash.orders + 1_000;
    Room {
        orders,
        lines: orders,
        reserved: 0,
        connections_max: None,
        orders_per_second_max: None,
        payments: None,
        simulated: None,
    }
}

/// Runs it.
pub(crate) async fn run(crash: &Crash, session: &mut Session) -> Result<Report, Failure> {
    if !session.host.is_own() {
        return Err(Failure::Usage("crash kills the server, so it starts its own: leave out --connect"));
    }
    let mut cycles = Cycles::prepare(crash, session).await?;
    for cycle in 0..crash.cycles {
        session.progress.begin(format!("cycle {} of {}", cycle + 1, crash.cycles));
        let orders = cycles.left() / u64::from(crash.cycles - cycle);
        cycles.load_and_kill(orders, session).await?;
        cycles.restart_and_check(session).await?;
        if cycles.has_failed() {
            break;
        }
    }
    cycles.send_the_rest(session).await?;
    cycles.report(session).await
}

/// Cycles under way.
struct Cycles<'a> {
    crash: &'a Crash,
    name: String,
    market: MarketId,
    goods: Goods,
    client: Client,
    exchange: Exchange,
    chance: Chance,
    /// Orders sent so far; also the number of the next one.
    sent: u64,
    received: u64,
    sums: Sums,
    unknown: Vec<(u64, Timestamp)>,
    remembered: Vec<Accepted>,
    to_confirm: Vec<Accepted>,
    differences: Vec<String>,
    load: Duration,
    figures: CrashFigures,
}

impl<'a> Cycles<'a> {
    async fn prepare(crash: &'a Crash, session: &Session) -> Result<Self, Failure> {
        let client = session.host.connect(usize::from(crash.connections)).await?;
        let mut exchange = Exchange::open(&client).await?;
        let name = session.market_name("crash");
        let market = exchange.create_market(&name).await?;
        let sku = exchange.create_skus(market, ["hot"].into_iter()).await?[0];
        let goods = Goods::one(market, sku, HOLD_MS, Fate::Reserved, mix(session.seed));
        Ok(Self {
            crash,
            name,
            market,
            goods,
            client,
            exchange,
            chance: Chance::new(session.seed),
            sent: 0,
            received: 0,
            sums: Sums::default(),
            unknown: Vec::new(),
            remembered: Vec::new(),
            to_confirm: Vec::new(),
            differences: Vec::new(),
            load: Duration::ZERO,
            figures: CrashFigures::default(),
        })
    }

    const fn left(&self) -> u64 {
        self.crash.orders - self.sent
    }

    fn has_failed(&self) -> bool {
        !self.differences.is_empty() || self.sums.errors.count() > 0
    }

    async fn receive(&mut self, orders: u64) -> Result<(), Failure> {
        let units = orders * STOCKED_IN_TEN / 10;
        self.exchange.receive_stock(self.market, std::iter::once((self.goods.sku, units))).await?;
        self.received += units;
        self.sums.ledger.receive(units);
        Ok(())
    }

    /// Load until the server is killed in the middle of it.
    async fn load_and_kill(&mut self, orders: u64, session: &mut Session) -> Result<(), Failure> {
        self.receive(orders).await?;
        let delay_ms = self.chance.between(KILL_AFTER_MS.0, KILL_AFTER_MS.1);
        let burst_from_ns = delay_ms * 1_000_000 - self.chance.between(0, BURST_US_MAX) * 1_000;
        let orders_per_s = precise(orders * PACED_IN_TEN / 10).max(1.0) / precise(delay_ms) * 1e3;
        let pace = Pace::Open { orders_per_s, burst_from_ns: Some(burst_from_ns) };
        let drive = self.drive(orders, pace)?;
        let delay = Duration::from_millis(delay_ms);
        let mut killer = std::pin::pin!(tokio::time::sleep(delay));
        tokio::select! {
            outcome = drive.run(&self.client, &mut session.progress) => {
                outcome?;
                killer.await;
            }
            () = &mut killer => {}
        }
        session.host.kill()?;
        self.load += delay;
        self.figures.cycles += 1;
        self.take(drive);
        self.figures.unknown += self.unknown.len() as u64;
        Ok(())
    }

    fn drive(&mut self, orders: u64, pace: Pace) -> Result<std::rc::Rc<Drive>, Failure> {
        let plan = Plan {
            goods: self.goods,
            first: self.sent,
            orders_max: orders,
            span_ns: u64::MAX,
            batch: self.crash.batch,
            pace,
            seed: self.chance.draw(),
        };
        let sums = std::mem::take(&mut self.sums);
        Drive::new(plan, usize::from(self.crash.connections), Tally::new(self.goods, SAMPLE_MAX).resume(sums))
    }

    fn take(&mut self, drive: std::rc::Rc<Drive>) {
        let driven = drive.finish();
        self.sums = driven.sums;
        self.sent += driven.sent;
        self.unknown = driven.unanswered;
        self.to_confirm = driven.sample.iter().copied().take(CONFIRMS).collect();
        for accepted in driven.sample {
            if self.remembered.len() < REMEMBERED_MAX {
                self.remembered.push(accepted);
            } else {
                let at = self.chance.between(0, REMEMBERED_MAX as u64 - 1);
                self.remembered[usize::try_from(at).unwrap_or(0)] = accepted;
            }
        }
    }

    fn known(&self) -> Known {
        Known { market: self.market, name: self.name.clone(), ledger: self.sums.ledger.clone() }
    }

    /// What the kills left over of `--orders`.
    async fn send_the_rest(&mut self, session: &mut Session) -> Result<(), Failure> {
        let orders = self.left();
        if orders > 0 && !self.has_failed() {
            session.progress.begin("the rest");
            self.receive(orders).await?;
            let drive = self.drive(orders, Pace::Closed { orders_in_flight: 4_096 })?;
            let begin = Instant::now();
            drive.run(&self.client, &mut session.progress).await?;
            self.load += begin.elapsed();
            self.take(drive);
        }
        self.sums.check_numbers();
        let (reserved, received) = (self.sums.reserved, self.received);
        if reserved > received {
            self.sums.errors.add(|| format!("oversold: {reserved} orders accepted for {received} units"));
        }
        Ok(())
    }

    async fn report(mut self, session: &mut Session) -> Result<Report, Failure> {
        session.progress.begin("audit");
        let known = self.known();
        let (mut audit, server) = audit(&mut session.host, &mut self.exchange, &[known]).await?;
        audit.books &= self.differences.is_empty();
        audit.ok &= self.differences.is_empty();
        audit.differences.extend(self.differences);
        let elapsed_s = self.load.as_secs_f64();
        session.set_short_run(elapsed_s);
        let sums = self.sums;
        let report = Report {
            scenario: "crash",
            orders: sums.answered,
            reserved: sums.reserved,
            sold_out: sums.sold_out,
            other_refusals: sums.other_refusals,
            refusals: sums.refusals,
            errors: sums.errors.count(),
            error_list: sums.errors.kept().to_vec(),
            elapsed_s,
            orders_per_s: precise(sums.answered) / elapsed_s.max(1e-9),
            latency_us: LatencyUs::from(&sums.latencies),
            audit,
            server,
            settings: session.settings.clone(),
            crash: Some(self.figures),
            ..Report::default()
        };
        session.latencies = Some(sums.latencies);
        Ok(report)
    }
}
