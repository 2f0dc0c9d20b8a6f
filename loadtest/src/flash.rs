//! A flash sale: everybody wants one SKU.
//!
//! A warm-up in a market of its own, then the sale, then the books of both.

use std::time::Duration;

use stockade::base::SkuId;

use crate::arguments::Flash;
use crate::audit::{Known, audit};
use crate::books::Ledger;
use crate::chance::mix;
use crate::drive::{CART_LINES_MAX, Drive, Driven, Fate, Goods, Pace, Plan, Spread, Tally};
use crate::exchange::Exchange;
use crate::failure::Failure;
use crate::host::Room;
use crate::latency::LatencyUs;
use crate::report::{OpenLoop, Report};
use crate::session::Session;
use crate::shelves;

/// Seconds when nobody says when to stop.
const DURATION_DEFAULT_S: f64 = 10.0;
/// Warm-up, late answers and the audit of a run take less, in seconds.
const AROUND_S: f64 = 600.0;
/// Lines of orders a second that a server of our own must have room for.
const LINES_PER_S_MAX: f64 = 2_500_000.0;
const HOT_SKUS: [&str; CART_LINES_MAX] =
    ["hot", "hot 2", "hot 3", "hot 4", "hot 5", "hot 6", "hot 7", "hot 8", "hot 9", "hot 10"];

/// What our own server must have room for.
pub(crate) fn room(flash: &Flash) -> Room {
    let per_s = flash.rate.map_or(LINES_PER_S_MAX / f64::from(flash.lines), |rate| precise(rate) * 1.5);
    let orders = flash.orders.unwrap_or_else(|| crate::progress::rounded(duration_s(flash) * per_s));
    let orders = orders.min(flash.units) + flash.warm_up + 1_000;
    let lines = orders * u64::from(flash.lines);
    Room {
        orders,
        lines,
        reserved: orders,
        connections_max: None,
        orders_per_second_max: None,
        payments: None,
        simulated: None,
    }
}

fn duration_s(flash: &Flash) -> f64 {
    flash.duration.unwrap_or(DURATION_DEFAULT_S)
}

/// Whether reservations may end before the run does. How long a closed loop takes for so many orders is not known
/// before; [`AROUND_S`] is ample for it.
fn expires(flash: &Flash) -> bool {
    let sale_s = match (flash.orders, flash.rate) {
        (Some(orders), Some(rate)) => precise(orders) / precise(rate),
        (Some(_), None) => 0.0,
        (None, _) => duration_s(flash),
    };
    f64::from(flash.hold) < sale_s + AROUND_S
}

pub(crate) const fn precise(number: u64) -> f64 {
    number as f64
}

/// Runs it.
pub(crate) async fn run(flash: &Flash, session: &mut Session) -> Result<Report, Failure> {
    run_sale("flash", flash, None, session).await
}

/// Markets and SKUs that orders spread over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Many {
    pub(crate) markets: u32,
    pub(crate) spread: Spread,
}

/// A sale of one SKU, or of many.
pub(crate) async fn run_sale(
    scenario: &'static str,
    flash: &Flash,
    many: Option<Many>,
    session: &mut Session,
) -> Result<Report, Failure> {
    let connections = usize::from(flash.connections);
    let client = session.host.connect(connections).await?;
    let mut exchange = Exchange::open(&client).await?;

    if flash.rate.is_none() && flash.in_flight < u32::from(flash.connections) {
        return Err(Failure::Usage("every connection has an order in flight: --in-flight is at least --connections"));
    }
    session.progress.begin("warm-up");
    let warm_up = market(&mut exchange, session, flash, ("warm-up", flash.warm_up, None)).await?;
    let (span_ns, batch) = (u64::MAX, closed_batch(flash));
    let plan = Plan { orders_max: flash.warm_up, span_ns, batch, pace: closed(flash), ..warm_up.plan(flash) };
    let warmed = drive(plan, &client, session, connections).await?;

    session.progress.begin("making SKUs");
    let sale = market(&mut exchange, session, flash, ("sale", flash.units, many)).await?;
    session.progress.begin(if many.is_some() { "sale" } else { "flash sale" });
    let span_ns = match flash.orders {
        Some(_) => u64::MAX,
        None => crate::progress::rounded(duration_s(flash) * 1e9),
    };
    let (pace, batch) = match flash.rate {
        Some(rate) => (Pace::Open { orders_per_s: precise(rate), burst_from_ns: None }, flash.batch),
        None => (closed(flash), closed_batch(flash)),
    };
    let plan = Plan { orders_max: flash.orders.unwrap_or(u64::MAX), span_ns, pace, batch, ..sale.plan(flash) };
    let mut driven = drive(plan, &client, session, connections).await?;
    if many.is_some() {
        session.progress.begin("looking at what is left");
        shelves::check_shelves(&mut exchange, sale.goods, flash.units, &mut driven).await?;
    } else if sale.goods.fate == Fate::Expires {
        session.progress.begin("waiting until every reservation has expired");
        wait_for_expiry(&mut exchange, sale.goods).await?;
    } else {
        driven.sums.check_sale(flash.units);
    }

    session.progress.begin("audit");
    let sold = std::iter::once(&driven.sums.ledger).chain(&driven.sums.others);
    let mut markets: Vec<Known> = (0..).zip(sold).map(|(turn, ledger)| sale.known(turn, ledger.clone())).collect();
    markets.push(warm_up.known(0, warmed.sums.ledger));
    let (audit, server) = audit(&mut session.host, &mut exchange, &markets).await?;
    let elapsed_s = driven.elapsed.as_secs_f64();
    session.set_short_run(elapsed_s);
    let sums = &driven.sums;
    let open_loop = flash.rate.map(|rate| OpenLoop::new(rate, driven.lateness));
    let report = Report {
        scenario,
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
        ..Report::default()
    };
    session.latencies = Some(driven.sums.latencies);
    Ok(report)
}

fn closed(flash: &Flash) -> Pace {
    Pace::Closed { orders_in_flight: in_flight(flash) }
}

/// Orders that one connection may have waiting, at least one.
fn in_flight(flash: &Flash) -> u64 {
    (u64::from(flash.in_flight) / u64::from(flash.connections)).max(1)
}

/// Orders of one frame of a closed loop: no more than may wait.
fn closed_batch(flash: &Flash) -> u16 {
    u16::try_from(in_flight(flash)).map_or(flash.batch, |most| most.min(flash.batch))
}

/// A market with its SKUs, or several alike.
struct Shelf {
    /// Of the first one.
    name: String,
    goods: Goods,
    /// Of all SKUs of one market together.
    units: u64,
}

async fn market(
    exchange: &mut Exchange,
    session: &Session,
    flash: &Flash,
    (part, units, many): (&str, u64, Option<Many>),
) -> Result<Shelf, Failure> {
    let (markets, spread) = (many.map_or(1, |many| many.markets), many.map(|many| many.spread));
    let codes: Vec<String> = match spread {
        Some(Spread { skus, .. }) => (1..=skus).map(|number| format!("sku {number}")).collect(),
        None => HOT_SKUS.into_iter().take(flash.lines.into()).map(str::to_owned).collect(),
    };
    let name =
        |turn: u32| if turn == 0 { session.market_name(part) } else { session.market_name(&format!("{part}-{turn}")) };
    let market = exchange.create_market(&name(0)).await?;
    let mut first = SkuId(0);
    for turn in 0..markets {
        let this = if turn == 0 { market } else { exchange.create_market(&name(turn)).await? };
        if this.number() != market.number() + turn {
            return Err(Failure::Usage(
                "somebody else makes markets on this server: their numbers must follow one another",
            ));
        }
        let skus = exchange.create_skus(this, codes.iter().map(String::as_str)).await?;
        exchange.receive_stock(this, skus.iter().map(|sku| (*sku, units))).await?;
        first = skus[0];
    }
    let (hold_ms, customers, seed) = (flash.hold.saturating_mul(1_000), flash.customers, mix(session.seed));
    let fate = if expires(flash) { Fate::Expires } else { Fate::Reserved };
    let goods = Goods { market, markets, sku: first, lines: flash.lines, spread, hold_ms, fate, customers, seed };
    Ok(Shelf { name: name(0), goods, units: units * codes.len() as u64 })
}

impl Shelf {
    const fn plan(&self, flash: &Flash) -> Plan {
        let pace = Pace::Closed { orders_in_flight: 0 };
        Plan { goods: self.goods, first: 0, orders_max: 0, span_ns: 0, batch: flash.batch, pace, seed: self.goods.seed }
    }

    /// What must be in one of its markets.
    fn known(&self, turn: u32, orders: Ledger) -> Known {
        let mut ledger = orders;
        ledger.receive(self.units);
        let name = if turn == 0 { self.name.clone() } else { format!("{}-{turn}", self.name) };
        Known { market: self.goods.market_at(turn), name, ledger }
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
pub(crate) async fn wait_for_expiry(exchange: &mut Exchange, goods: Goods) -> Result<(), Failure> {
    let over = exchange.status().await?.log_time.after_ms(u64::from(goods.hold_ms));
    loop {
        let now = exchange.status().await?.log_time;
        if now > over {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(over.since_ms(now) + 1)).await;
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::arguments::{Arguments, Scenario};

    fn flash(flags: &str) -> Flash {
        let line = ["loadtest", "flash"].into_iter().chain(flags.split_whitespace());
        match Arguments::try_parse_from(line).expect("sound").scenario {
            Scenario::Flash(flash) => flash,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_frame_is_no_larger_than_what_may_be_in_flight() {
        assert_eq!(closed_batch(&flash("")), 1_024);
        assert_eq!(closed_batch(&flash("--in-flight 100 --connections 8")), 12);
        assert_eq!(closed_batch(&flash("--in-flight 4000000 --connections 1")), 1_024);
    }

    #[test]
    fn a_reservation_outlives_a_run_only_when_it_outlives_all_of_it() {
        for (flags, does) in [
            ("", false),
            ("--hold 5", true),
            ("--duration 3600", true),
            ("--duration 3600 --hold 3601", true),
            ("--duration 3600 --hold 4200", false),
            ("--orders 360000 --rate 100", true),
            ("--orders 360000", false),
        ] {
            assert_eq!(expires(&flash(flags)), does, "{flags}");
        }
    }
}
