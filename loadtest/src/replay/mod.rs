//! Replay: a real shop's orders, every line accounted for.
//!
//! The file is CSV with the columns
//! `InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country`, gzipped when its name ends in
//! `.gz`. Its dates order nothing and set no clock: the order of the lines does.
//!
//! # What a line does
//! - **An order** is all lines of one InvoiceNo that are goods at a possible price. It is placed (take what exists) and
//!   paid where the first line of that InvoiceNo stands, by the customer of that line.
//! - **A day** ends where a line of another day stands: everything that was ordered and not cancelled leaves the
//!   building. Lines that cannot be read have no day; of InvoiceDate what stands before its first blank is the day.
//! - **A cancellation** (InvoiceNo begins with `C`) takes units from the latest earlier order of the same customer and
//!   SKU, then from the one before, and so on; within an order from its last line. Only what was taken and not yet
//!   given back can be given back. They go back on sale. Of an order that has left the building they are returned, and
//!   their money is asked back; before that they are cancelled, and it goes back by itself. Either way it is what the
//!   order's line says they cost.
//! - **A write-off** is a negative quantity outside a cancellation.
//! - **Stock**: before the first line, each SKU receives floor(demand x (100 - p) / 100) units, its demand being every
//!   unit asked in orders. So `--short 0` serves every order line.
//!
//! # Precedence
//! Every line ends in exactly one class, the first of these that fits:
//!
//! ```text
//! malformed                     not eight fields; invoice or code missing; quantity no whole number, zero or too
//!                               large; price no decimal number; a cancellation of a positive quantity
//! no_goods                      an adjustment (InvoiceNo begins with A), or a code that names no goods
//! cancellation_guest            a cancellation without a customer
//! cancellation_matched          all units found, cancellation_unmatched: none, cancellation_partly_matched: some
//! write_off                     a negative quantity
//! bad_price                     a negative price, or one with a fraction of a penny; the rest of the order goes on
//! reserved                      all units taken, sold_out: none, partly_reserved: some
//! ```
//!
//! # Price difference
//! A cancellation has a price of its own, and it is not always that of the order. `price_difference` is what went back
//! for the units that were found, less those units at the cancellation's own price; of cancellations whose price can be
//! paid, all together, in pennies.
//!
//! # Write-offs
//! The shop filled its orders although it had thrown those units away, so they never were among the units that filled
//! orders, and those are all we know of its stock. A write-off line therefore receives its units and writes the same
//! units off: the books show them, and nothing for sale changes.

pub(crate) mod class;
mod line;
mod model;
mod price;
mod shop;

mod given_back;
mod purchase;
mod run;
mod sums;

use crate::arguments::Replay;
use crate::audit::{Known, audit};
use crate::exchange::Exchange;
use crate::failure::Failure;
use crate::host::Room;
use crate::latency::LatencyUs;
use crate::report::{ReplayFigures, Report};
use crate::session::Session;

use run::Replaying;
pub(crate) use shop::{FileError, Shop};

/// What our own server must have room for.
pub(crate) fn room(shop: &Shop) -> Room {
    Room {
        orders: shop.steps.len() as u64 + 1_000,
        lines: shop.lines + 1_000,
        reserved: 0,
        connections_max: None,
        orders_per_second_max: None,
        payments: Some(shop.steps.len() as u64 + 1_000),
        simulated: None,
    }
}

/// Runs it.
pub(crate) async fn run(replay: &Replay, shop: &Shop, session: &mut Session) -> Result<Report, Failure> {
    let client = session.host.connect(1).await?;
    let mut exchange = Exchange::open(&client).await?;
    session.progress.begin("receiving stock");
    let name = session.market_name("shop");
    let market = exchange.create_market(&name).await?;
    let mut replaying = Replaying::prepare(shop, replay.short, market, &mut exchange).await?;
    session.progress.begin("replay");
    replaying.run(&mut session.progress).await?;
    let (ledger, mut sums) = (replaying.ledger(), replaying.sums);

    session.progress.begin("audit");
    if sums.by_reason.lines() != shop.lines {
        let (classed, lines) = (sums.by_reason.lines(), shop.lines);
        sums.errors.add(|| format!("{classed} lines have a class, the file has {lines}"));
    }
    let (audit, server) = audit(&mut session.host, &mut exchange, &[Known { market, name, ledger }]).await?;
    session.set_short_run(sums.elapsed_s);
    let orders = sums.reserved + sums.sold_out + sums.other_refusals;
    let malformed = shop.malformed.iter().map(|(line, why)| format!("line {line}: {why}")).collect();
    let report = Report {
        scenario: "replay",
        orders,
        reserved: sums.reserved,
        sold_out: sums.sold_out,
        other_refusals: sums.other_refusals,
        refusals: sums.refusals,
        errors: sums.errors.count(),
        error_list: sums.errors.kept().to_vec(),
        elapsed_s: sums.elapsed_s,
        orders_per_s: crate::flash::precise(orders) / sums.elapsed_s.max(1e-9),
        latency_us: LatencyUs::from(&sums.latencies),
        audit,
        server,
        settings: session.settings.clone(),
        replay: Some(ReplayFigures {
            lines: shop.lines,
            orders,
            by_reason: sums.by_reason,
            units: sums.units,
            money: sums.money,
            malformed,
        }),
        ..Report::default()
    };
    session.latencies = Some(sums.latencies);
    Ok(report)
}
