//! `sku channels` and `sku channel-cap`: how many units of a SKU are sold through which channel; shown, or set.

use std::fmt;

use serde::Serialize;

use super::connection::{MarketConnection, unexpected};
use super::fault::CliFault;
use super::settings::ClientSettings;
use super::table::Table;
use crate::base::SkuId;
use crate::base::limits::PAGE_ROWS_MAX;
use crate::client::QueryReply;
use crate::engine::query::ChannelRow;
use crate::engine::{Command, Query};

/// Caps of channels of one SKU.
#[derive(Debug, Serialize)]
pub(super) struct Channels {
    market: String,
    sku: String,
    channels: Vec<Channel>,
    /// Go on with `--after` this channel; none at the end.
    next: Option<u16>,
    /// The command that does.
    #[serde(skip)]
    more: Option<String>,
}

/// One of them.
#[derive(Debug, Serialize)]
struct Channel {
    channel: u16,
    units_max: u32,
    held: u64,
    left: u64,
}

impl From<ChannelRow> for Channel {
    fn from(ChannelRow { channel, units_max, held }: ChannelRow) -> Self {
        Self { channel, units_max, held, left: u64::from(units_max).saturating_sub(held) }
    }
}

impl fmt::Display for Channels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.channels.is_empty() && self.next.is_none() {
            return writeln!(f, "no channel has a cap of {}", self.sku);
        }
        let mut table = Table::new(&["channel", "units at most", "held or sold", "left"]);
        for Channel { channel, units_max, held, left } in &self.channels {
            table.row(vec![channel.to_string(), units_max.to_string(), held.to_string(), left.to_string()]);
        }
        table.fmt(f)?;
        match &self.more {
            Some(more) => writeln!(f, "\nmore: {more}"),
            None => Ok(()),
        }
    }
}

/// Lists caps of channels after `after`.
pub(super) async fn channels(
    settings: &ClientSettings,
    code: &str,
    after: u16,
    limit: u64,
) -> Result<Channels, CliFault> {
    let connection = MarketConnection::open(settings).await?;
    let sku = connection.resolve_all(&[code]).await?[0];
    list(connection, (code, sku), after, limit).await
}

/// Sets the cap of one channel, or takes it away, and shows it.
pub(super) async fn set(
    settings: &ClientSettings,
    code: &str,
    channel: u16,
    units_max: &str,
) -> Result<Channels, CliFault> {
    let units_max = match units_max {
        "none" => None,
        units => Some(units.parse().map_err(|_| {
            CliFault::usage(format!("{units}: it must be a number of units up to {}, or none", u32::MAX))
        })?),
    };
    let connection = MarketConnection::open(settings).await?;
    let (market, sku) = (connection.market, connection.resolve_all(&[code]).await?[0]);
    let command = Command::SetChannelCap { market, sku, channel, units_max };
    connection.submit(&format!("the cap of channel {channel}"), &command).await?;
    list(connection, (code, sku), channel.saturating_sub(1), 1).await.map(|mut listed| {
        listed.channels.retain(|listed| listed.channel == channel);
        (listed.next, listed.more) = (None, None);
        listed
    })
}

async fn list(
    connection: MarketConnection,
    (code, sku): (&str, SkuId),
    after: u16,
    limit: u64,
) -> Result<Channels, CliFault> {
    let market = connection.market;
    let (mut channels, mut next) = (Vec::new(), Some(after));
    while let Some(after) = next
        && (channels.len() as u64) < limit
    {
        let left = (limit - channels.len() as u64).min(PAGE_ROWS_MAX as u64);
        let rows_max = u16::try_from(left).expect("law: a page's rows fit 16 bits");
        let query = Query::ChannelCaps { market, sku, after, rows_max };
        let QueryReply::ChannelCaps(page) = connection.query("caps of channels", &query).await? else {
            return Err(unexpected("caps of channels", &"something else"));
        };
        channels.extend(page.rows.into_iter().map(Channel::from));
        next = page.next;
    }
    let more = next.map(|next| {
        let (next, limit) = (next.to_string(), limit.to_string());
        connection.suggestion.command("sku channels", &[code, "--after", &next, "--limit", &limit])
    });
    Ok(Channels { market: connection.market_name, sku: code.to_owned(), channels, next, more })
}
