//! `order history`: what happened to an order, for people and as JSON.

use std::collections::HashMap;
use std::fmt;

use serde::Serialize;

use super::connection::{MarketConnection, unexpected};
use super::fault::CliFault;
use super::order::{check_name, find};
use super::settings::ClientSettings;
use super::table::Table;
use crate::base::limits::PAGE_ROWS_MAX;
use crate::base::{ShardId, SkuId, Timestamp};
use crate::client::QueryReply;
use crate::engine::choices::PaymentMethod;
use crate::engine::query::HistoryRow;
use crate::engine::{FailureReason, Happening, HoldReason, Query, Value};

/// What happened to one order.
#[derive(Debug, Serialize)]
pub(super) struct History {
    id: String,
    /// Its return window is over: what happened after its placement is kept no longer.
    closed: bool,
    /// At least so much happened that is not kept.
    not_shown: u32,
    happened: Vec<Happened>,
    /// Go on with `--after` this place; none at the end.
    next: Option<u32>,
    /// The command that does.
    #[serde(skip)]
    more: Option<String>,
}

/// One thing of it.
#[derive(Debug, Serialize)]
struct Happened {
    place: u32,
    at: String,
    what: &'static str,
    line: Option<u16>,
    units: Option<u64>,
    reserved_until: Option<String>,
    attempt: Option<u64>,
    reason: Option<&'static str>,
    sku: Option<String>,
    method: Option<&'static str>,
    failure_reason: Option<&'static str>,
    /// Of a refund that was requested its amount, else the total of its attempt.
    amount_minor: Option<u64>,
    /// How many lines have other prices.
    lines: Option<u64>,
    zone: Option<u64>,
    /// Whose entry of the log says so; not kept of a placement.
    shard: Option<u16>,
    sequence: Option<u64>,
}

impl Happened {
    fn new(row: &HistoryRow, shard: ShardId, codes: &HashMap<SkuId, String>) -> Self {
        let HistoryRow { place, position, at, what, line, value } = *row;
        let of = |kind| (what.value() == kind).then_some(value);
        let is_kept = position.0 != 0;
        Self {
            place,
            at: at.utc(),
            what: what.name(),
            line,
            units: of(Value::Units),
            reserved_until: of(Value::Deadline).map(|ms| Timestamp::from_ms(ms).utc()),
            attempt: of(Value::Attempt),
            reason: of(Value::HoldReason).and_then(|number| word(number, HoldReason::from_byte, HoldReason::name)),
            sku: short_of(row).map(|sku| codes.get(&sku).cloned().unwrap_or_else(|| format!("number {sku}"))),
            method: of(Value::Method).and_then(|number| word(number, PaymentMethod::from_byte, PaymentMethod::name)),
            failure_reason: of(Value::FailureReason)
                .and_then(|number| word(number, FailureReason::from_byte, FailureReason::name)),
            amount_minor: of(Value::Amount),
            lines: of(Value::Lines),
            zone: of(Value::Zone),
            shard: is_kept.then_some(shard.0),
            sequence: is_kept.then_some(position.0),
        }
    }

    /// What is beside units, in words.
    fn note(&self) -> String {
        let until = self.reserved_until.as_ref().map(|until| format!("reserved until {until}"));
        let attempt = self.attempt.map(|attempt| format!("attempt {attempt}"));
        let short = self.sku.as_ref().map(|sku| format!("{sku} was short"));
        let reason = self.reason.map(|reason| format!("for {reason}"));
        let method = self.method.map(|method| format!("by {method}"));
        let failure = self.failure_reason.map(str::to_owned);
        let is_total = self.what != Happening::RefundRequested.name();
        let in_all = if is_total { " in all" } else { "" };
        let amount = self.amount_minor.map(|amount| format!("{amount} minor units{in_all}"));
        let lines = self.lines.map(|lines| format!("{lines} {}", if lines == 1 { "line" } else { "lines" }));
        let zone = self.zone.map(|zone| format!("zone {zone}"));
        let notes = [until, attempt, reason, short, method, failure, amount, lines, zone];
        notes.into_iter().flatten().next().unwrap_or_else(|| "-".to_owned())
    }
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.closed {
            writeln!(f, "closed: what happened after its placement is kept no longer\n")?;
        }
        let mut table = Table::new(&["place", "time", "what", "line", "units", "note", "log entry"]);
        for happened in &self.happened {
            let or_dash = |cell: Option<String>| cell.unwrap_or_else(|| "-".to_owned());
            let entry = happened.shard.zip(happened.sequence).map(|(shard, sequence)| format!("{shard}:{sequence}"));
            let (line, units) = (happened.line.map(|line| line.to_string()), happened.units);
            let units = units.map(|units| units.to_string());
            let mut cells = vec![happened.place.to_string(), happened.at.clone(), happened.what.to_owned()];
            cells.extend([or_dash(line), or_dash(units), happened.note(), or_dash(entry)]);
            table.row(cells);
        }
        table.fmt(f)?;
        if self.not_shown > 0 {
            writeln!(f, "\nat least {} more happened and is not shown: the places say where", self.not_shown)?;
        }
        match &self.more {
            Some(more) => writeln!(f, "\nmore: {more}"),
            None => Ok(()),
        }
    }
}

/// The word that a number stands for.
fn word<T>(number: u64, of: fn(u8) -> Option<T>, name: fn(T) -> &'static str) -> Option<&'static str> {
    of(u8::try_from(number).ok()?).map(name)
}

/// The SKU that came up short, where that is what happened.
fn short_of(row: &HistoryRow) -> Option<SkuId> {
    let number = u32::try_from(row.value).ok().filter(|_| row.what.value() == Value::Sku)?;
    Some(SkuId(number))
}

/// Shows what happened to an order behind the place `after`.
pub(super) async fn show(settings: &ClientSettings, text: &str, after: u32, limit: u64) -> Result<History, CliFault> {
    check_name(text)?;
    let connection = MarketConnection::open(settings).await?;
    let order = find(&connection, text).await?;
    let what = format!("the history of order {text}");
    let (mut rows, mut next, mut about) = (Vec::new(), Some(after), None);
    while let Some(after) = next
        && (rows.len() as u64) < limit
    {
        let left = (limit - rows.len() as u64).min(PAGE_ROWS_MAX as u64);
        let rows_max = u16::try_from(left).expect("law: a page's rows fit 16 bits");
        let query = Query::OrderHistory { order, after, rows_max };
        let QueryReply::OrderHistory(page) = connection.query(&what, &query).await? else {
            return Err(unexpected(&what, &"something else"));
        };
        rows.extend(page.rows);
        (next, about) = (page.next, Some((page.shard, page.closed, page.not_shown)));
    }
    let (shard, closed, not_shown) = about.unwrap_or_default();
    let codes = connection.codes(rows.iter().filter_map(short_of)).await?;
    let more = next.map(|next| {
        let (next, limit) = (next.to_string(), limit.to_string());
        connection.suggestion.command("order history", &[text, "--after", &next, "--limit", &limit])
    });
    let happened = rows.iter().map(|row| Happened::new(row, shard, &codes)).collect();
    Ok(History { id: order.to_string(), closed, not_shown, happened, next, more })
}
