//! A flash sale: everybody wants one SKU.
//!
//! A warm-up in a market of its own, then the sale, then the books of both.

use std::time::Duration;

use stockade::base::MarketId;

use crate::arguments::Flash;
use crate::audit::{Known, audit};
use crate::books::Ledger;
use crate::chance::mix;
use crate::drive::{Drive, Driven, Goods, Pace, Plan, Tally};
use crate::exchange::Exchange;
use crate::failure::Failure;
use crate::host::Room;
use crate::latency::LatencyUs;
use crate::report::{OpenLoop, Report};
use crate::session::Session;

/// Seconds when nobody says when to stop.
const DURATION_DEFAULT_S: f64 = 10.0;
/// Orders a second that a server of our own must have room for.
const ORDERS_PER_S_MAX: f64 = 2_500_000.0;
const HOT_SKU: &str = "hot";

/// What our own server must have room for.
pub(crate) fn room(flash: &Flash) -> Room {
    let per_s = flash.rate.map_or(ORDERS_PER_S_MAX, |rate| precise(rate) * 1.5);
    let orders = flash.orders.unwrap_or_else(|| crate::progress::rounded(duration_s(flash) * per_s));
    let orders = orders.min(flash.units) + flash.warm_up + 1_000;
    Room { orders, lines: orders, reserved: orders }
}

fn duration_s(flash: &Flash) -> f64 {
    flash.duration.unwrap_or(DURATION_DEFAULT_S)
}

pub(crate) const fn precise(number: u64) -> f64 {
    number as f64
}

/// Runs it.
pub(crate) async fn run(flash: &Flash, session: &mut Session) -> Result<Report, Failure> {
    let connections = usize::from(flash.connections);
    let client = session.host.connect(connections).await?;
    let mut exchange = Exchange::open(&client).await?;

    session.progress.begin("warm-up");
    let warm_up = market(&mut exchange, session, flash, "warm-up", flash.warm_up).await?;
    let plan = Plan { orders_max: flash.warm_up, span_ns: u64::MAX, pace: closed(flash), ..warm_up.plan(flash) };
    let warmed = drive(plan, &client, session, connections).await?;

    session.progress.begin("flash sale");
    let sale = market(&mut exchange, session, flash, "sale", flash.units).await?;
    let span_ns = match flash.orders {
        Some(_) => u64::MAX,
        None => crate::progress::rounded(duration_s(flash) * 1e9),
    };
    let pace = match flash.rate {
        Some(rate) => Pace::Open { orders_per_s: precise(rate), burst_from_ns: None },
        None => closed(flash),
    };
    let plan = Plan { orders_max: flash.orders.unwrap_or(u64::MAX), span_ns, pace, ..sale.plan(flash) };
    let mut driven = drive(plan, &client, session, connections).await?;
    if sale.goods.expires() {
        session.progress.begin("waiting until every reservation has expired");
        wait_for_expiry(&mut exchange, &sale).await?;
    } else {
        driven.sums.check_sale(flash.units);
    }

    session.progress.begin("audit");
    let markets = [warm_up.known(warmed.sums.ledger), sale.known(driven.sums.ledger.clone())];
    let (audit, server) = audit(&mut session.host, &mut exchange, &markets).await?;
    let elapsed_s = driven.elapsed.as_secs_f64();
    session.set_short_run(elapsed_s);
    let sums = &driven.sums;
    let open_loop = flash.rate.map(|rate| OpenLoop::new(rate, driven.lateness));
    let report = Report {
        scenario: "flash",
        orders: sums.answered,
        reserved: sums.reserved,
        sold_out: sums.sold_out,
        other_refusals: sums.other_refusals,
        refusals: sums.refusals.clone(),
        errors: sums.errors.count() + warmed.sums.errors.count(),
        error_list: sums.errors.kept().iter().chain(warmed.sums.errors.kept()).cloned().collect(),
        elapsed_s,
        orders_per_s: precise(sums.answered) / elapsed_s.max(1e-9),
        latency_us: LatencyUs::from(&sums.latencies),
        audit,
        server,
        settings: session.settings.clone(),
        open_loop,
        replay: None,
        crash: None,
    };
    session.latencies = Some(driven.sums.latencies);
    Ok(report)
}

fn closed(flash: &Flash) -> Pace {
    Pace::Closed { orders_in_flight: u64::from(flash.in_flight) / u64::from(flash.connections) }
}

/// A market with one SKU.
struct Shelf {
    name: String,
    market: MarketId,
    goods: Goods,
    units: u64,
}

async fn market(
    exchange: &mut Exchange,
    session: &Session,
    flash: &Flash,
    part: &str,
    units: u64,
) -> Result<Shelf, Failure> {
    let name = session.market_name(part);
    let market = exchange.create_market(&name).await?;
    let skus = exchange.create_skus(market, [HOT_SKU].into_iter()).await?;
    exchange.receive_stock(market, skus.iter().map(|sku| (*sku, units))).await?;
    let (hold_ms, customers, seed) = (flash.hold.saturating_mul(1_000), flash.customers, mix(session.seed));
    Ok(Shelf { name, market, goods: Goods { market, sku: skus[0], hold_ms, customers, seed }, units })
}

impl Shelf {
    const fn plan(&self, flash: &Flash) -> Plan {
        let pace = Pace::Closed { orders_in_flight: 0 };
        Plan { goods: self.goods, first: 0, orders_max: 0, span_ns: 0, batch: flash.batch, pace, seed: self.goods.seed }
    }

    fn known(&self, orders: Ledger) -> Known {
        let mut ledger = orders;
        ledger.receive(self.units);
        Known { market: self.market, name: self.name.clone(), ledger }
    }
}

async fn drive(
    plan: Plan,
    client: &stockade::client::Client,
    session: &mut Session,
    connections: usize,
) -> Result<Driven, Failure> {
    let drive = Drive::new(plan, connections, Tally::new(plan.goods, 0))?;
    drive.run(client, &mut session.progress).await?;
    Ok(drive.finish())
}

/// The last reservation was made at the latest now; after its length, log time says that it is over.
async fn wait_for_expiry(exchange: &mut Exchange, sale: &Shelf) -> Result<(), Failure> {
    let over = exchange.status().await?.log_time.after_ms(u64::from(sale.goods.hold_ms));
    loop {
        let now = exchange.status().await?.log_time;
        if now > over {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(over.since_ms(now) + 1)).await;
    }
}
