//! Overload: more placements than the operator allows, and whatever must not suffer from it.
//!
//! ```text
//! calm ─► twice the limit ─► ten times ─► the second after ─► calm again      placements, open loop (`drive`)
//!  │      confirmations and cancellations, 5,000 a second   ◄┐                 of orders accepted in calm (`urgent`)
//!  └───────────── accepted orders ───────────────────────────┘
//! ```
//!
//! # Always true
//! - Every placement is answered and every accepted one stands in the books, however great the flood.
//! - Latencies are counted from the moment a command should have been sent.

mod urgent;

use stockade::base::MarketId;
use stockade::client::Client;

use crate::arguments::Overload;
use crate::audit::{Known, audit};
use crate::chance::mix;
use crate::drive::{Accepted, Drive, Fate, Goods, Pace, Plan, Sums, Tally};
use crate::exchange::Exchange;
use crate::failure::Failure;
use crate::flash::precise;
use crate::host::Room;
use crate::latency::LatencyUs;
use crate::progress::rounded;
use crate::report::{OverloadFigures, OverloadStep, Report};
use crate::session::Session;

use urgent::{Urgent, UrgentPlan};

/// What is offered in calm, as a share of the limit.
const CALM: f64 = 0.8;
/// Seconds of the calm steps, at least.
const CALM_S: f64 = 5.0;
/// Of the orders offered in calm, at least so many are surely accepted.
const SURELY: f64 = 0.9;
/// Seconds within which everything must be as before.
const AFTER_S: f64 = 1.0;
const HOLD_MS: u32 = 24 * 3_600_000;

/// What our own server must have room for: all that it admits.
pub(crate) fn room(overload: &Overload) -> Room {
    let seconds = 2.0 * calm_s(overload) + AFTER_S + overload.duration * precise(overload.times.len() as u64);
    let orders = rounded(seconds * f64::from(overload.limit) * 1.1) + 100_000;
    Room {
        orders,
        lines: orders,
        reserved: orders,
        connections_max: None,
        orders_per_second_max: Some(overload.limit),
        payments: None,
        simulated: None,
    }
}

/// Orders confirmed and cancelled in one step: two commands each.
fn urgent_orders(overload: &Overload) -> usize {
    rounded(f64::from(overload.urgent) * overload.duration / 2.0) as usize
}

/// Long enough for the orders that the floods confirm and cancel.
fn calm_s(overload: &Overload) -> f64 {
    let orders = precise((urgent_orders(overload) * overload.times.len()) as u64);
    (orders / (f64::from(overload.limit) * CALM * SURELY)).max(CALM_S)
}

/// Runs it.
pub(crate) async fn run(overload: &Overload, session: &mut Session) -> Result<Report, Failure> {
    let connections = usize::from(overload.connections);
    // The last one is for urgent commands.
    let client = session.host.connect(connections + 1).await?;
    let mut exchange = Exchange::open(&client).await?;
    let mut flood = Flood::prepare(overload, session, &mut exchange, client).await?;

    let wanted = urgent_orders(overload);
    let calm =
        Step { name: "calm".into(), offered: CALM, span_s: calm_s(overload), sample: wanted * overload.times.len() };
    let mut targets = flood.step(overload, session, calm, &[]).await?;
    for times in &overload.times {
        let mine = targets.split_off(targets.len().saturating_sub(wanted));
        let step = Step {
            name: format!("{times} times the limit"),
            offered: f64::from(*times),
            span_s: overload.duration,
            sample: 0,
        };
        flood.step(overload, session, step, &mine).await?;
    }
    let after = Step { name: "the second after".into(), offered: CALM, span_s: AFTER_S, sample: 0 };
    flood.step(overload, session, after, &[]).await?;
    let again = Step { name: "calm again".into(), offered: CALM, span_s: CALM_S, sample: 0 };
    flood.step(overload, session, again, &[]).await?;
    flood.finish(overload, session, &mut exchange).await
}

/// What is offered for how long.
struct Step {
    name: String,
    /// As a multiple of the limit.
    offered: f64,
    span_s: f64,
    /// Accepted orders to keep for later.
    sample: usize,
}

/// The market of the flood, and all that has come of it.
struct Flood {
    client: Client,
    goods: Goods,
    name: String,
    units: u64,
    /// Orders offered so far: the number of the next one.
    offered: u64,
    /// Of all steps together.
    reserved: u64,
    answered: u64,
    sums: Sums,
    error_list: Vec<String>,
    errors: u64,
    elapsed_s: f64,
    steps: Vec<OverloadStep>,
}

impl Flood {
    async fn prepare(
        overload: &Overload,
        session: &Session,
        exchange: &mut Exchange,
        client: Client,
    ) -> Result<Self, Failure> {
        let name = session.market_name("flood");
        let market: MarketId = exchange.create_market(&name).await?;
        let skus = exchange.create_skus(market, ["wanted"].into_iter()).await?;
        let units = room(overload).orders;
        exchange.receive_stock(market, skus.iter().map(|sku| (*sku, units))).await?;
        let seed = mix(session.seed);
        let goods = Goods::one(market, skus[0], HOLD_MS, Fate::Reserved, seed);
        Ok(Self {
            client,
            goods,
            name,
            units,
            offered: 0,
            reserved: 0,
            answered: 0,
            sums: Sums::default(),
            error_list: Vec::new(),
            errors: 0,
            elapsed_s: 0.0,
            steps: Vec::new(),
        })
    }

    /// Offers, confirms and cancels beside it, and keeps the figures; some of the orders that were accepted.
    async fn step(
        &mut self,
        overload: &Overload,
        session: &mut Session,
        step: Step,
        targets: &[Accepted],
    ) -> Result<Vec<Accepted>, Failure> {
        session.progress.begin(step.name.clone());
        let limit = f64::from(overload.limit);
        let plan = Plan {
            goods: self.goods,
            first: self.offered,
            orders_max: u64::MAX,
            span_ns: rounded(step.span_s * 1e9),
            batch: overload.batch,
            pace: Pace::Open { orders_per_s: limit * step.offered, burst_from_ns: None },
            seed: mix(self.goods.seed ^ self.offered),
        };
        let (ledger, numbers_sum) = (std::mem::take(&mut self.sums.ledger), self.sums.numbers_sum);
        let tally = Tally::new(self.goods, step.sample).resume(Sums { ledger, numbers_sum, ..Sums::default() });
        let drive = Drive::new(plan, usize::from(overload.connections), tally)?;
        let beside = UrgentPlan {
            goods: self.goods,
            connection: usize::from(overload.connections),
            commands_per_s: overload.urgent,
            in_time_ms: overload.in_time,
        };
        let urgent = Urgent::new(beside, targets);
        let (driven, urgent) = tokio::join!(drive.run(&self.client, &mut session.progress), urgent.run(&self.client));
        driven?;
        let mut urgent = urgent?;
        let driven = drive.finish();
        let accepted_per_s = precise(driven.sums.reserved) / step.span_s;
        self.steps.push(OverloadStep {
            name: step.name,
            offered_per_s: precise(driven.sent) / step.span_s,
            accepted_per_s,
            goodput: accepted_per_s / (limit * step.offered.min(1.0)),
            overloaded: driven.sums.overloaded,
            accepted_us: LatencyUs::from(&driven.sums.accepted_latencies),
            generator_was_the_limit: driven.lateness.is_limit(),
            urgent: urgent.figures(),
        });
        self.offered += driven.sent;
        self.reserved += driven.sums.reserved;
        self.answered += driven.sums.answered;
        self.elapsed_s += driven.elapsed.as_secs_f64();
        self.errors += driven.sums.errors.count() + urgent.errors.count();
        self.error_list.extend(driven.sums.errors.kept().iter().chain(urgent.errors.kept()).cloned());
        self.sums = driven.sums;
        urgent.enter(&mut self.sums.ledger);
        Ok(driven.sample)
    }

    /// The books, and the report.
    async fn finish(
        mut self,
        overload: &Overload,
        session: &mut Session,
        exchange: &mut Exchange,
    ) -> Result<Report, Failure> {
        session.progress.begin("audit");
        self.sums.reserved = self.reserved;
        let before = self.sums.errors.count();
        self.sums.check_numbers();
        self.errors += self.sums.errors.count() - before;
        let mut ledger = std::mem::take(&mut self.sums.ledger);
        ledger.receive(self.units);
        let known = [Known { market: self.goods.market, name: self.name, ledger }];
        let (audit, server) = audit(&mut session.host, exchange, &known).await?;
        session.set_short_run(overload.duration);
        let report = Report {
            scenario: "overload",
            orders: self.answered,
            reserved: self.reserved,
            sold_out: self.sums.sold_out,
            other_refusals: self.answered - self.reserved - self.sums.sold_out,
            refusals: self.sums.refusals.clone(),
            errors: self.errors,
            error_list: self.error_list,
            elapsed_s: self.elapsed_s,
            orders_per_s: precise(self.answered) / self.elapsed_s.max(1e-9),
            latency_us: LatencyUs::from(&self.sums.latencies),
            audit,
            server,
            settings: session.settings.clone(),
            overload: Some(OverloadFigures { limit: overload.limit, steps: self.steps }),
            ..Report::default()
        };
        session.latencies = Some(self.sums.latencies);
        Ok(report)
    }
}
