//! `stock count`: of what lies there now, or of what lay there at an event.

use std::fmt;

use serde::Serialize;

use super::connection::{MarketConnection, unexpected};
use super::fault::CliFault;
use super::settings::ClientSettings;
use super::stock::open;
use crate::base::{Sequence, SiteId, SkuId};
use crate::client::QueryReply;
use crate::engine::ledger::on_hand;
use crate::engine::{Answer, Command, Query};

/// What whoever counted knew of.
#[derive(Debug, Clone, Copy)]
pub(super) enum Known {
    /// So many units on hand; the server is asked unless it is given.
    OnHand(Option<u64>),
    /// Everything up to this entry of the shard's stream.
    Event(u64),
}

/// What `stock count` did.
#[derive(Debug, Serialize)]
pub(super) struct Counted {
    sku: String,
    site: String,
    /// Units on hand before, unless the count is of an event.
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<u64>,
    /// The event that the count is of.
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of: Option<u64>,
    counted: u64,
    /// Right after it happened first.
    available: u64,
    request: String,
    /// It had happened before and nothing changed.
    repeated: bool,
}

impl fmt::Display for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sku, site, expected, as_of, counted, available, request, repeated } = self;
        match repeated {
            false => {
                write!(f, "{counted} of {sku} on hand at {site}")?;
                if let Some(event) = as_of {
                    write!(f, " as of event {event}")?;
                }
                if let Some(before) = expected {
                    write!(f, ", {before} before")?;
                }
                writeln!(f, ": {available} available (request {request})")
            }
            true => {
                writeln!(f, "request {request} was carried out before; nothing changed ({available} available then)")
            }
        }
    }
}

pub(super) async fn count(
    settings: &ClientSettings,
    (sku, site): (&str, &str),
    (known, counted): (Known, u64),
    request: Option<&str>,
) -> Result<Counted, CliFault> {
    let (connection, request) = open(settings, request).await?;
    let number = connection.resolve_all(&[sku]).await?[0];
    let site_number = connection.site(site).await?;
    let (expected, as_of) = match known {
        Known::OnHand(Some(expected)) => (Some(expected), None),
        Known::OnHand(None) => (Some(on_hand_now(&connection, number, site_number).await?), None),
        Known::Event(event) => (None, Some(event)),
    };
    let command = match as_of {
        Some(event) => {
            Command::ReportCount { request, sku: number, site: site_number, as_of: Sequence(event), counted }
        }
        None => {
            let expected = expected.unwrap_or_default();
            Command::CountStock { request, sku: number, site: site_number, expected, counted }
        }
    };
    match connection.submit(&format!("counting {sku}"), &command).await? {
        (Answer::Stock { available, repeated }, _) => Ok(Counted {
            sku: sku.to_owned(),
            site: site.to_owned(),
            expected,
            as_of,
            counted,
            available,
            request: request.to_string(),
            repeated,
        }),
        (other, _) => Err(unexpected("stock", &other)),
    }
}

async fn on_hand_now(connection: &MarketConnection, sku: SkuId, site: SiteId) -> Result<u64, CliFault> {
    let query = Query::Stock { market: connection.market, skus: &[sku] };
    match connection.query("stock", &query).await? {
        QueryReply::Stock(rows) => Ok(rows.iter().find(|row| row.site == site).map_or(0, |row| on_hand(&row.balances))),
        other => Err(unexpected("stock", &other)),
    }
}
