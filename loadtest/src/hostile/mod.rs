//! Hostile: honest clients beside those that mean harm.
//!
//! ```text
//! alone ─► beside never-reads ─► half-frames ─► streams ─► handshakes ─► gaps ─► idle ─► alone again ─► books
//!            │    orders at a rate, open loop (`drive`)  ·  memory, newcomers (`watch`)
//!            └─── attackers, a process of their own (`company`, `attack`); between two kinds all of them leave
//! ```
//!
//! # Always true
//! - Every honest order is answered and verified, and stands in the books.
//! - A phase beside attackers begins when all of them have connected; its memory is watched from before they come.

mod company;
mod figures;
mod watch;

use std::time::{Duration, Instant};

use stockade::client::Client;

use crate::arguments::{Hostile, Kind};
use crate::attack::Counts;
use crate::audit::{Known, audit};
use crate::chance::mix;
use crate::drive::{Drive, Driven, Fate, Goods, Pace, Plan, Sums, Tally};
use crate::exchange::Exchange;
use crate::failure::Failure;
use crate::flash::precise;
use crate::host::Room;
use crate::latency::{self, LatencyUs};
use crate::progress::rounded;
use crate::report::Report;
use crate::session::Session;

use company::Company;
pub(crate) use figures::HostileFigures;
use figures::{Memory, Phase, Ratio, Verdict};
use watch::Seen;

const HOLD_MS: u32 = 24 * 3_600_000;
/// Connections that are neither attackers nor those of honest orders: whoever watches, knocks, or has just left.
const OTHERS: u32 = 100;
/// After attackers have left, their connections are gone within so long: whoever vanished is missed for 30 s.
const LEFT_WITHIN: Duration = Duration::from_secs(45);

/// What our own server must have room for: all orders, and all attackers of the most numerous kind.
pub(crate) fn room(hostile: &Hostile) -> Room {
    let phases = precise(hostile.kinds.len() as u64 + 2);
    let orders = rounded(f64::from(hostile.rate) * hostile.duration * phases * 1.1) + 10_000;
    let attackers = hostile.kinds.iter().map(|kind| match kind {
        Kind::Handshakes => hostile.handshakes,
        _ => company::connections(*kind, hostile),
    });
    let connections = attackers.max().unwrap_or(0) + u32::from(hostile.connections) + OTHERS;
    Room {
        orders,
        lines: orders,
        reserved: orders,
        connections_max: Some(connections),
        orders_per_second_max: None,
        payments: None,
        simulated: None,
    }
}

/// Runs it.
pub(crate) async fn run(hostile: &Hostile, session: &mut Session) -> Result<Report, Failure> {
    let client = session.host.connect(usize::from(hostile.connections)).await?;
    // Of its own, so that nothing here waits behind orders.
    let watcher = session.host.connect(1).await?;
    let mut exchange = Exchange::open(&watcher).await?;
    let mut honest = Honest::prepare(hostile, session, &mut exchange, client).await?;
    honest.phase(None, session, &mut exchange).await?;
    honest.at_rest_bytes = exchange.status().await?.rss_bytes;
    for kind in &hostile.kinds {
        honest.phase(Some(*kind), session, &mut exchange).await?;
        honest.wait_until_left(session, &mut exchange).await?;
    }
    honest.phase(None, session, &mut exchange).await?;
    honest.finish(session, &mut exchange).await
}

/// The market of the honest clients, and all that has come of it.
struct Honest<'h> {
    hostile: &'h Hostile,
    client: Client,
    goods: Goods,
    name: String,
    units: u64,
    /// Orders sent so far: the number of the next one.
    sent: u64,
    /// Of all phases together.
    sums: Sums,
    answered: u64,
    reserved: u64,
    sold_out: u64,
    errors: u64,
    error_list: Vec<String>,
    elapsed_s: f64,
    /// Before the first attackers came.
    at_rest_bytes: u64,
    figures: HostileFigures,
}

impl<'h> Honest<'h> {
    async fn prepare(
        hostile: &'h Hostile,
        session: &Session,
        exchange: &mut Exchange,
        client: Client,
    ) -> Result<Self, Failure> {
        let name = session.market_name("honest");
        let market = exchange.create_market(&name).await?;
        let skus = exchange.create_skus(market, ["wanted"].into_iter()).await?;
        let units = room(hostile).orders;
        exchange.receive_stock(market, skus.iter().map(|sku| (*sku, units))).await?;
        let goods = Goods::one(market, skus[0], HOLD_MS, Fate::Reserved, mix(session.seed));
        Ok(Self {
            hostile,
            client,
            goods,
            name,
            units,
            sent: 0,
            sums: Sums::default(),
            answered: 0,
            reserved: 0,
            sold_out: 0,
            errors: 0,
            error_list: Vec::new(),
            elapsed_s: 0.0,
            at_rest_bytes: 0,
            figures: HostileFigures { formula: session.host.formula(), ..HostileFigures::default() },
        })
    }

    /// Places orders, alone or beside attackers, and keeps the figures.
    async fn phase(
        &mut self,
        kind: Option<Kind>,
        session: &mut Session,
        exchange: &mut Exchange,
    ) -> Result<(), Failure> {
        let name = match (kind, self.figures.phases.is_empty()) {
            (Some(kind), _) => kind.name(),
            (None, true) => "alone",
            (None, false) => "alone again",
        };
        session.progress.begin(name);
        let options = session.host.options();
        let seen = Seen::default();
        let mut company = match kind {
            None => None,
            Some(kind) => {
                let mut company = Company::start(kind, self.hostile, &options, self.goods)?;
                tokio::select! {
                    stood = company.stand() => stood?,
                    failure = seen.watch(exchange) => return Err(failure),
                }
                Some(company)
            }
        };
        let drive = self.drive()?;
        tokio::select! {
            driven = drive.run(&self.client, &mut session.progress) => driven?,
            failure = seen.watch(exchange) => return Err(failure),
            failure = seen.knock(&options) => return Err(failure),
        }
        let attackers = match company.take() {
            None => None,
            Some(company) => Some(company.end().await?),
        };
        self.keep(name, drive.finish(), &seen, attackers);
        Ok(())
    }

    fn drive(&mut self) -> Result<std::rc::Rc<Drive>, Failure> {
        let Hostile { rate, duration, batch, connections, .. } = *self.hostile;
        let plan = Plan {
            goods: self.goods,
            first: self.sent,
            orders_max: u64::MAX,
            span_ns: rounded(duration * 1e9),
            batch,
            pace: Pace::Open { orders_per_s: f64::from(rate), burst_from_ns: None },
            seed: mix(self.goods.seed ^ self.sent),
        };
        let (ledger, numbers_sum) = (std::mem::take(&mut self.sums.ledger), self.sums.numbers_sum);
        let tally = Tally::new(self.goods, 0).resume(Sums { ledger, numbers_sum, ..Sums::default() });
        Drive::new(plan, usize::from(connections), tally)
    }

    fn keep(&mut self, name: &'static str, driven: Driven, seen: &Seen, attackers: Option<Counts>) {
        let Driven { sums, sent, lateness, elapsed, .. } = driven;
        let honest_us = LatencyUs::from(&sums.latencies);
        let peak = *seen.peak.borrow();
        let at_rest_bytes = if self.at_rest_bytes == 0 { peak.rss_bytes } else { self.at_rest_bytes };
        let alone = self.figures.phases.first();
        self.figures.phases.push(Phase {
            name,
            orders: sums.answered,
            refused: sums.other_refusals + sums.sold_out,
            errors: sums.errors.count(),
            honest_us,
            ratio: alone.map(|alone| Ratio::new(&honest_us, &alone.honest_us)),
            generator_was_the_limit: lateness.is_limit(),
            newcomers: *seen.newcomers.borrow(),
            attackers,
            memory: Memory::new(peak, at_rest_bytes, self.figures.formula.as_ref()),
        });
        self.sent += sent;
        self.answered += sums.answered;
        self.reserved += sums.reserved;
        self.sold_out += sums.sold_out;
        self.errors += sums.errors.count();
        self.error_list.extend_from_slice(sums.errors.kept());
        self.elapsed_s += elapsed.as_secs_f64();
        let Sums { mut latencies, mut refusals, .. } = std::mem::take(&mut self.sums);
        latencies.add(&sums.latencies).expect("law: all latencies are kept with the same bounds");
        for (why, count) in &sums.refusals {
            *refusals.entry(why.clone()).or_default() += count;
        }
        self.sums = Sums { latencies, refusals, ..sums };
    }

    /// Until the server has noticed that the attackers are gone.
    async fn wait_until_left(&self, session: &mut Session, exchange: &mut Exchange) -> Result<(), Failure> {
        session.progress.begin("waiting until the attackers are gone");
        // Ours, and the watcher's.
        let expected = self.client.connections() as u64 + 1;
        let begin = Instant::now();
        while exchange.status().await?.connections > expected {
            if begin.elapsed() > LEFT_WITHIN {
                let (attempt, answer) = ("attackers that left".to_owned(), "are still counted".to_owned());
                return Err(Failure::Unexpected { attempt, answer });
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// The books, and the report.
    async fn finish(mut self, session: &mut Session, exchange: &mut Exchange) -> Result<Report, Failure> {
        session.progress.begin("audit");
        let before = self.sums.errors.count();
        (self.sums.reserved, self.sums.sold_out) = (self.reserved, self.sold_out);
        self.sums.check_sale(self.units);
        self.errors += self.sums.errors.count() - before;
        self.error_list.extend_from_slice(&self.sums.errors.kept()[before as usize..]);
        let mut ledger = std::mem::take(&mut self.sums.ledger);
        ledger.receive(self.units);
        let known = [Known { market: self.goods.market, name: self.name, ledger }];
        let (audit, server) = audit(&mut session.host, exchange, &known).await?;
        session.set_short_run(self.hostile.duration);
        self.figures.verdict = Verdict::of(&self.figures.phases, self.hostile.p99_ratio_max);
        let report = Report {
            scenario: "hostile",
            orders: self.answered,
            reserved: self.reserved,
            sold_out: self.sold_out,
            other_refusals: self.answered - self.reserved - self.sold_out,
            refusals: std::mem::take(&mut self.sums.refusals),
            errors: self.errors,
            error_list: self.error_list,
            elapsed_s: self.elapsed_s,
            orders_per_s: precise(self.answered) / self.elapsed_s.max(1e-9),
            latency_us: LatencyUs::from(&self.sums.latencies),
            audit,
            server,
            settings: session.settings.clone(),
            hostile: Some(self.figures),
            ..Report::default()
        };
        session.latencies = Some(std::mem::replace(&mut self.sums.latencies, latency::histogram()));
        Ok(report)
    }
}
