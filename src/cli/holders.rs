//! `stock holders`: who holds units of a SKU, or waits for them, and until when.

use std::fmt;

use serde::Serialize;

use super::connection::{MarketConnection, unexpected};
use super::fault::CliFault;
use super::settings::ClientSettings;
use super::table::Table;
use crate::base::OrderNumber;
use crate::base::limits::PAGE_ROWS_MAX;
use crate::client::QueryReply;
use crate::engine::Query;
use crate::engine::query::HolderRow;

/// Open orders that hold units of a SKU.
#[derive(Debug, Serialize)]
pub(super) struct Holders {
    market: String,
    sku: String,
    orders: Vec<Holder>,
    /// Go on with `--after` this number; none at the end.
    next: Option<u64>,
    /// The command that does.
    #[serde(skip)]
    more: Option<String>,
}

/// One of them.
#[derive(Debug, Serialize)]
struct Holder {
    number: u64,
    id: String,
    state: &'static str,
    owed: u64,
    reserved: u64,
    committed: u64,
    reserved_until: Option<String>,
}

impl From<&HolderRow> for Holder {
    fn from(row: &HolderRow) -> Self {
        Self {
            number: row.order.number.0,
            id: row.order.order.to_string(),
            state: row.order.state.name(),
            owed: row.owed,
            reserved: row.reserved,
            committed: row.committed,
            reserved_until: row.order.deadline.utc_or_none(),
        }
    }
}

impl fmt::Display for Holders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.orders.is_empty() && self.next.is_none() {
            return writeln!(f, "no open order holds {}", self.sku);
        }
        let mut table = Table::new(&["number", "id", "state", "owed", "reserved", "committed", "reserved until"]);
        for holder in &self.orders {
            let units = [holder.owed, holder.reserved, holder.committed].map(|units| units.to_string());
            let until = holder.reserved_until.clone().unwrap_or_else(|| "-".to_owned());
            let order = [holder.number.to_string(), holder.id.clone(), holder.state.to_owned()];
            table.row(order.into_iter().chain(units).chain([until]).collect());
        }
        table.fmt(f)?;
        match &self.more {
            Some(more) => writeln!(f, "\nmore: {more}"),
            None => Ok(()),
        }
    }
}

pub(super) async fn holders(
    settings: &ClientSettings,
    code: &str,
    after: u64,
    limit: u64,
) -> Result<Holders, CliFault> {
    let connection = MarketConnection::open(settings).await?;
    let (market, sku) = (connection.market, connection.resolve_all(&[code]).await?[0]);
    let (mut orders, mut next) = (Vec::new(), Some(after));
    while let Some(after) = next
        && (orders.len() as u64) < limit
    {
        let left = (limit - orders.len() as u64).min(PAGE_ROWS_MAX as u64);
        let rows_max = u16::try_from(left).expect("law: a page's rows fit 16 bits");
        let query = Query::Holders { market, sku, after: OrderNumber(after), rows_max };
        let QueryReply::Holders(page) = connection.query("who holds it", &query).await? else {
            return Err(unexpected("who holds it", &"something else"));
        };
        orders.extend(page.rows.iter().map(Holder::from));
        next = page.next.map(|number| number.0);
    }
    let more = next.map(|next| {
        let (next, limit) = (next.to_string(), limit.to_string());
        connection.suggestion.command("stock holders", &[code, "--after", &next, "--limit", &limit])
    });
    Ok(Holders { market: connection.market_name, sku: code.to_owned(), orders, next, more })
}
