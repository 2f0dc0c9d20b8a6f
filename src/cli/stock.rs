//! `stock receive`, `stock adjust` and `stock get`.

use std::fmt;

use serde::Serialize;

use super::args::Reason;
use super::connection::{MarketConnection, unexpected};
use super::fault::CliFault;
use super::settings::ClientSettings;
use super::table::Table;
use crate::base::limits::PAGE_ROWS_MAX;
use crate::base::{RequestId, SiteId, SkuId};
use crate::client::QueryReply;
use crate::engine::choices::AdjustReason;
use crate::engine::ledger::{Bucket, on_hand};
use crate::engine::query::StockRow;
use crate::engine::{Answer, Command, Query};

/// What `stock receive` or `stock adjust` did.
#[derive(Debug, Serialize)]
pub(super) struct Changed {
    sku: String,
    site: String,
    /// Units more; negative for units fewer.
    change: i128,
    /// Right after it happened first.
    available: u64,
    request: String,
    /// It had happened before and nothing changed.
    repeated: bool,
}

impl fmt::Display for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sku, site, change, available, request, repeated } = self;
        match repeated {
            false => writeln!(f, "{change:+} of {sku} at {site}: {available} available (request {request})"),
            true => {
                writeln!(f, "request {request} was carried out before; nothing changed ({available} available then)")
            }
        }
    }
}

/// How stock is to change.
#[derive(Debug, Clone, Copy)]
pub(super) enum Change {
    /// So many units came in.
    Receive(u64),
    /// So many were found, or are gone.
    Adjust(i64, Reason),
}

/// A connection, and the identifier of what is about to be asked: the one that was given, or a new one.
pub(super) async fn open(
    settings: &ClientSettings,
    request: Option<&str>,
) -> Result<(MarketConnection, RequestId), CliFault> {
    let given =
        request.map(|text| text.parse::<RequestId>().map_err(|why| CliFault::usage(format!("--request: {why}"))));
    let given = given.transpose()?;
    let connection = MarketConnection::open(settings).await?;
    given.map_or(Ok(()), |request| connection.check_market("--request", request.market()))?;
    let request = given.unwrap_or_else(|| connection.client.new_request_id(connection.market));
    Ok((connection, request))
}

pub(super) async fn change(
    settings: &ClientSettings,
    (sku, site): (&str, &str),
    change: Change,
    request: Option<&str>,
) -> Result<Changed, CliFault> {
    let (connection, request) = open(settings, request).await?;
    let number = connection.resolve_all(&[sku]).await?[0];
    let site_number = connection.site(site).await?;
    let (what, units, command) = match change {
        Change::Receive(quantity) => {
            let command = Command::Receive { request, sku: number, site: site_number, quantity };
            (format!("receiving {quantity} of {sku}"), i128::from(quantity), command)
        }
        Change::Adjust(delta, reason) => {
            let reason = adjust_reason(reason);
            let command = Command::Adjust { request, sku: number, site: site_number, delta, reason };
            (format!("adjusting {sku} by {delta:+}"), i128::from(delta), command)
        }
    };
    match connection.submit(&what, &command).await? {
        (Answer::Stock { available, repeated }, _) => Ok(Changed {
            sku: sku.to_owned(),
            site: site.to_owned(),
            change: units,
            available,
            request: request.to_string(),
            repeated,
        }),
        (other, _) => Err(unexpected("stock", &other)),
    }
}

const fn adjust_reason(reason: Reason) -> AdjustReason {
    match reason {
        Reason::Count => AdjustReason::Count,
        Reason::Damaged => AdjustReason::Damaged,
        Reason::Lost => AdjustReason::Lost,
        Reason::Found => AdjustReason::Found,
        Reason::Other => AdjustReason::Other,
    }
}

/// Stock of one SKU at one site.
#[derive(Debug, Serialize)]
struct StockLine {
    sku: String,
    site: String,
    available: i64,
    reserved: i64,
    committed: i64,
    customer: i64,
    supplier: i64,
    write_off: i64,
    quality_hold: i64,
    damaged: i64,
    quarantine: i64,
    arriving: i64,
    on_hand: u64,
    /// Of the SKU, at no site: the same in each of its lines.
    owed: u64,
}

/// What `stock get` shows.
#[derive(Debug, Serialize)]
pub(super) struct Stock {
    market: String,
    stock: Vec<StockLine>,
}

impl fmt::Display for Stock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new(&[
            "sku",
            "site",
            "available",
            "reserved",
            "committed",
            "set aside",
            "on hand",
            "handed over",
            "owed",
        ]);
        for line in &self.stock {
            let set_aside = line.quality_hold + line.damaged + line.quarantine + line.arriving;
            let on_hand = line.on_hand.cast_signed();
            let units = [line.available, line.reserved, line.committed, set_aside, on_hand, line.customer];
            let units = units.map(|units| units.to_string()).into_iter().chain([line.owed.to_string()]);
            table.row([line.sku.clone(), line.site.clone()].into_iter().chain(units).collect());
        }
        table.fmt(f)
    }
}

pub(super) async fn get(settings: &ClientSettings, codes: &[String]) -> Result<Stock, CliFault> {
    let connection = MarketConnection::open(settings).await?;
    let mut wanted: Vec<&str> = codes.iter().map(String::as_str).collect();
    wanted.dedup();
    let skus = connection.resolve_all(&wanted).await?;
    let sites = connection.sites().await?;
    let site_code = |site: SiteId| sites.iter().find(|row| row.site == site).map(|row| row.code.clone());
    let sku_code = |sku: SkuId| skus.iter().position(|known| *known == sku).map(|at| wanted[at].to_owned());
    let mut stock = Vec::new();
    for page in skus.chunks(PAGE_ROWS_MAX) {
        let query = Query::Stock { market: connection.market, skus: page };
        let QueryReply::Stock(rows) = connection.query("stock", &query).await? else {
            return Err(unexpected("stock", &"something else"));
        };
        for row in rows {
            let (Some(sku), Some(site)) = (sku_code(row.sku), site_code(row.site)) else {
                return Err(unexpected("stock", &row));
            };
            stock.push(line(sku, site, &row));
        }
    }
    Ok(Stock { market: connection.market_name, stock })
}

fn line(sku: String, site: String, row: &StockRow) -> StockLine {
    StockLine {
        sku,
        site,
        available: row.balance(Bucket::Available),
        reserved: row.balance(Bucket::Reserved),
        committed: row.balance(Bucket::Committed),
        customer: row.balance(Bucket::Customer),
        supplier: row.balance(Bucket::Supplier),
        write_off: row.balance(Bucket::WriteOff),
        quality_hold: row.balance(Bucket::QualityHold),
        damaged: row.balance(Bucket::Damaged),
        quarantine: row.balance(Bucket::Quarantine),
        arriving: row.balance(Bucket::Arriving),
        owed: row.owed,
        on_hand: on_hand(&row.balances),
    }
}
