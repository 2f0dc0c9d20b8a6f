//! `market books`: where a market's units are, and in which states its orders.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

use super::connection::{MarketConnection, unexpected};
use super::fault::CliFault;
use super::price;
use super::settings::ClientSettings;
use super::table::Table;
use crate::client::QueryReply;
use crate::engine::Query;
use crate::engine::ledger::Bucket;
use crate::engine::order::State;
use crate::node::MoneyAudit;

/// The books of a market, spelled as `audit --json` spells them.
#[derive(Debug, Serialize)]
pub(super) struct Books {
    market: u32,
    name: String,
    stream: u16,
    sequence: u64,
    units: Map<String, Value>,
    orders: Map<String, Value>,
    orders_hash: String,
    money: BTreeMap<String, MoneyAudit>,
}

impl fmt::Display for Books {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { market, name, stream, sequence, units, orders, orders_hash, money } = self;
        writeln!(f, "market {market} {name}, stream {stream} entry {sequence}")?;
        let mut table = Table::new(&["units in", "", "orders", ""]);
        let cells = |of: &Map<String, Value>, row| {
            let cell = of.iter().nth(row).map(|(name, count)| [name.clone(), count.to_string()]);
            cell.unwrap_or_default()
        };
        for row in 0..units.len().max(orders.len()) {
            table.row(cells(units, row).into_iter().chain(cells(orders, row)).collect());
        }
        writeln!(f, "{table}orders hash {orders_hash}")?;
        f.write_str(&money_table(money.iter()))
    }
}

/// The money of a market, for people; nothing while none was told of.
pub(super) fn money_table<'m>(money: impl Iterator<Item = (&'m String, &'m MoneyAudit)>) -> String {
    let mut table = Table::new(&["money in", "authorised", "captured", "refunded", "charged back"]);
    let mut is_empty = true;
    for (code, MoneyAudit { authorised, captured, refunded, charged_back }) in money {
        let sum = |minor: &String| match (minor.parse::<u128>(), code.parse()) {
            (Ok(minor), Ok(currency)) => price::text(minor, currency),
            (_, _) => minor.clone(),
        };
        let sums = [authorised, captured, refunded, charged_back].map(sum);
        table.row(std::iter::once(code.clone()).chain(sums).collect());
        is_empty = false;
    }
    if is_empty { String::new() } else { format!("\n{table}") }
}

pub(super) async fn books(settings: &ClientSettings) -> Result<Books, CliFault> {
    let connection = MarketConnection::open(settings).await?;
    let at = match connection.query("books", &Query::Books { market: connection.market }).await? {
        QueryReply::Books(at) => at,
        other => return Err(unexpected("books", &other)),
    };
    let units = Bucket::ALL.map(|bucket| (bucket.name().to_owned(), at.books.units[bucket as usize].into()));
    let orders = State::ALL.map(|state| (state.name().to_owned(), at.books.orders[state as usize].into()));
    Ok(Books {
        market: connection.market.number(),
        name: connection.market_name.clone(),
        stream: at.stream.0,
        sequence: at.sequence.0,
        units: units.into_iter().collect(),
        orders: orders.into_iter().collect(),
        orders_hash: format!("{:032x}", at.books.orders_hash),
        money: at.books.money.iter().map(|(currency, sums)| (currency.to_string(), sums.into())).collect(),
    })
}
