//! `market retention`: how long a market keeps what is over; shown, or set.

use std::fmt;

use serde::Serialize;

use super::connection::{MarketConnection, unexpected};
use super::fault::CliFault;
use super::settings::ClientSettings;
use super::units;
use crate::client::QueryReply;
use crate::engine::query::RetentionView;
use crate::engine::{Command, Query, Retention};

/// How long a market keeps what is over.
#[derive(Debug, Serialize)]
pub(super) struct Shown {
    market: String,
    return_window_ms: u64,
    ids_kept_ms: u64,
    /// UTC; absent while nothing was retired.
    retired_before: Option<String>,
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { market, return_window_ms, ids_kept_ms, retired_before } = self;
        writeln!(f, "market {market}")?;
        writeln!(f, "  orders are closed {} after their end", units::span_text(*return_window_ms))?;
        writeln!(f, "  identifiers are kept for {} at least", units::span_text(*ids_kept_ms))?;
        match retired_before {
            Some(moment) => writeln!(f, "  identifiers made before {moment} are refused unless they are kept"),
            None => writeln!(f, "  no identifier has been retired yet"),
        }
    }
}

/// Sets what is given, and shows what is in force then.
pub(super) async fn retention(
    settings: &ClientSettings,
    return_window: Option<&str>,
    ids_kept: Option<&str>,
) -> Result<Shown, CliFault> {
    let return_window_ms = return_window.map(|text| span("--return-window", text)).transpose()?;
    let ids_kept_ms = ids_kept.map(|text| span("--ids-kept", text)).transpose()?;
    let connection = MarketConnection::open(settings).await?;
    let market = connection.market;
    let mut view = look(&connection).await?;
    let wanted = Retention {
        return_window_ms: return_window_ms.unwrap_or(view.retention.return_window_ms),
        ids_kept_ms: ids_kept_ms.unwrap_or(view.retention.ids_kept_ms),
    };
    if wanted != view.retention {
        connection.submit("retention", &Command::SetRetention { market, retention: wanted }).await?;
        view = look(&connection).await?;
    }
    let Retention { return_window_ms, ids_kept_ms } = view.retention;
    let retired_before = view.retired_before.utc_or_none();
    Ok(Shown { market: connection.market_name.clone(), return_window_ms, ids_kept_ms, retired_before })
}

async fn look(connection: &MarketConnection) -> Result<RetentionView, CliFault> {
    match connection.query("retention", &Query::Retention { market: connection.market }).await? {
        QueryReply::Retention(view) => Ok(view),
        other => Err(unexpected("retention", &other)),
    }
}

fn span(option: &str, text: &str) -> Result<u64, CliFault> {
    units::span_ms(text).ok_or_else(|| CliFault::usage(format!("{option} {text}: must be {}", units::SPAN)))
}
