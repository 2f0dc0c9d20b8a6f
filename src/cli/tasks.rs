//! `tasks`: orders that somebody has to look at; and what one order waits for, as `order get` shows it.

use std::fmt;

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::args::ClientArgs;
use super::connection::{MarketConnection, unexpected};
use super::fault::CliFault;
use super::price;
use super::settings::ClientSettings;
use super::table::Table;
use crate::base::limits::PAGE_ROWS_MAX;
use crate::base::{Currency, OrderId, OrderNumber, Price, Timestamp};
use crate::client::QueryReply;
use crate::engine::query::{OrderWaits, TaskRow, WaitRow};
use crate::engine::{Query, Remedy, TaskKind, TaskPlace};

#[derive(Debug, Default, Args)]
pub(super) struct TasksArgs {
    /// Only those of this kind.
    #[arg(long)]
    pub(super) kind: Option<KindName>,
    /// Begin after this place, as the page before told it.
    #[arg(long, value_name = "PLACE")]
    pub(super) after: Option<String>,
    /// At most so many.
    #[arg(long, default_value_t = 20)]
    pub(super) limit: u64,
    #[command(flatten)]
    pub(super) client: ClientArgs,
}

/// A kind of task on the command line.
#[derive(Debug, Clone, Copy)]
pub(super) struct KindName(TaskKind);

const KINDS: [KindName; crate::engine::TASKS] = {
    let mut kinds = [KindName(TaskKind::ALL[0]); crate::engine::TASKS];
    let mut at = 0;
    while at < kinds.len() {
        kinds[at] = KindName(TaskKind::ALL[at]);
        at += 1;
    }
    kinds
};

impl ValueEnum for KindName {
    fn value_variants<'a>() -> &'a [Self] {
        &KINDS
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(clap::builder::PossibleValue::new(self.0.name()))
    }
}

/// Tasks of a market.
#[derive(Debug, Serialize)]
pub(super) struct TasksReport {
    market: String,
    tasks: Vec<TaskReport>,
    /// Go on with `--after` this place; none at the end.
    next: Option<String>,
    /// The command that does.
    #[serde(skip)]
    more: Option<String>,
}

#[derive(Debug, Serialize)]
struct TaskReport {
    number: u64,
    id: String,
    state: &'static str,
    kind: &'static str,
    since: String,
    amount_minor: Option<Price>,
    amount: Option<String>,
    currency: String,
    words: String,
    /// What may be done about it.
    commands: Vec<&'static str>,
    /// The same on the command line.
    #[serde(skip)]
    hints: String,
}

impl From<&TaskRow> for TaskReport {
    fn from(row: &TaskRow) -> Self {
        let remedies = row.kind.remedies();
        Self {
            number: row.order.number.0,
            id: row.order.order.to_string(),
            state: row.order.state.name(),
            kind: row.kind.name(),
            since: row.since.utc(),
            amount_minor: Some(row.amount).filter(|amount| *amount > 0),
            amount: amount(row.amount, row.currency),
            currency: row.currency.to_string(),
            words: row.words.clone(),
            commands: remedies.iter().map(|remedy| remedy.name()).collect(),
            hints: remedies.iter().map(|remedy| hint(*remedy, row.kind)).collect::<Vec<_>>().join(" | "),
        }
    }
}

fn amount(minor: Price, currency: Currency) -> Option<String> {
    (minor > 0).then(|| price::text(minor, currency))
}

/// What somebody would type.
const fn hint(remedy: Remedy, kind: TaskKind) -> &'static str {
    match (remedy, kind) {
        (Remedy::LiftHold, _) => "order lift",
        (Remedy::Cancel, _) => "order cancel",
        (Remedy::CancelLines, _) => "order cancel --line",
        (Remedy::ReportEffect, TaskKind::ReleaseAside) => "wanted retry release",
        (Remedy::ReportEffect, TaskKind::CheckAside) => "order accept",
        (Remedy::ReportEffect, _) => "wanted retry payment",
        (Remedy::StartPayment, _) => "order pay",
        (Remedy::ReportPayment, TaskKind::AuthorisationEnds) => "order payment --authorised --until",
        (Remedy::ReportPayment, _) => "order payment",
        (Remedy::RequestRefund, _) => "order refund",
    }
}

impl fmt::Display for TasksReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.tasks.is_empty() && self.next.is_none() {
            return writeln!(f, "no order of {} has to be looked at", self.market);
        }
        let mut table = Table::new(&["number", "state", "task", "since", "amount", "", "what", "try"]);
        for task in &self.tasks {
            let (amount, currency) = match &task.amount {
                Some(amount) => (amount.clone(), task.currency.clone()),
                None => ("-".to_owned(), String::new()),
            };
            let order = [task.number.to_string(), task.state.to_owned(), task.kind.to_owned(), task.since.clone()];
            let rest = [amount, currency, task.words.clone(), task.hints.clone()];
            table.row(order.into_iter().chain(rest).collect());
        }
        table.fmt(f)?;
        match &self.more {
            Some(more) => writeln!(f, "\nmore: {more}"),
            None => Ok(()),
        }
    }
}

/// Something that an order waits for.
#[derive(Debug, Serialize)]
pub(super) struct WaitReport {
    what: &'static str,
    since: Option<String>,
    until: Option<String>,
    amount_minor: Option<Price>,
    amount: Option<String>,
    words: String,
}

impl WaitReport {
    fn new(row: &WaitRow, currency: Currency) -> Self {
        Self {
            what: row.what.name(),
            since: row.since.utc_or_none(),
            until: row.until.utc_or_none(),
            amount_minor: Some(row.amount).filter(|amount| *amount > 0),
            amount: amount(row.amount, currency),
            words: row.words.clone(),
        }
    }
}

/// What an order waits for, under what else is told of it.
pub(super) fn table(waits: &[WaitReport]) -> Table {
    let mut table = Table::new(&["waits for", "what", "amount", "since", "until"]);
    let cell = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    for WaitReport { what, since, until, amount, words, .. } in waits {
        table.row(vec![(*what).to_owned(), words.clone(), cell(amount), cell(since), cell(until)]);
    }
    table
}

pub(super) async fn waits(connection: &MarketConnection, order: OrderId) -> Result<Vec<WaitReport>, CliFault> {
    match connection.query("what the order waits for", &Query::Waits { order }).await? {
        QueryReply::Waits(OrderWaits { currency, rows }) => {
            Ok(rows.iter().map(|row| WaitReport::new(row, currency)).collect())
        }
        other => Err(unexpected("what the order waits for", &other)),
    }
}

pub(super) async fn tasks(settings: &ClientSettings, args: &TasksArgs) -> Result<TasksReport, CliFault> {
    let kind = args.kind.map(|kind| kind.0);
    let mut after = args.after.as_deref().map(place).transpose()?;
    let connection = MarketConnection::open(settings).await?;
    let (market, mut tasks) = (connection.market, Vec::new());
    let next = loop {
        let left = (args.limit - tasks.len() as u64).min(PAGE_ROWS_MAX as u64);
        let Some(rows_max) = u16::try_from(left).ok().filter(|left| *left > 0) else { break after };
        let query = Query::Tasks { market, kind, after, rows_max };
        let QueryReply::Tasks(page) = connection.query("tasks", &query).await? else {
            return Err(unexpected("tasks", &"something else"));
        };
        tasks.extend(page.rows.iter().map(TaskReport::from));
        after = page.next;
        if after.is_none() {
            break None;
        }
    };
    let next = next.map(place_text);
    let more = next.as_ref().map(|next| {
        let limit = args.limit.to_string();
        let mut words = vec!["--after", next.as_str(), "--limit", limit.as_str()];
        words.extend(kind.iter().flat_map(|kind| ["--kind", kind.name()]));
        connection.suggestion.command("tasks", &words)
    });
    Ok(TasksReport { market: connection.market_name, tasks, next, more })
}

/// A place as people pass it on: since when in milliseconds, number of the order, kind.
fn place_text(place: TaskPlace) -> String {
    format!("{}-{}-{}", place.since.ms(), place.number.0, place.kind.name())
}

fn place(text: &str) -> Result<TaskPlace, CliFault> {
    let read = || {
        let (since, rest) = text.split_once('-')?;
        let (number, kind) = rest.split_once('-')?;
        let kind = TaskKind::ALL.into_iter().find(|known| known.name() == kind)?;
        let since = since.parse().ok().filter(|since| *since <= Timestamp::MAX.ms())?;
        Some(TaskPlace { since: Timestamp::from_ms(since), number: OrderNumber(number.parse().ok()?), kind })
    };
    read().ok_or_else(|| CliFault::usage(format!("--after {text}: it must be the place that the page before told")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_passed_on_as_one_word() {
        for kind in TaskKind::ALL {
            let there = TaskPlace { since: Timestamp::from_ms(1_760_000_000_000), number: OrderNumber(7), kind };
            assert_eq!(place(&place_text(there)).ok(), Some(there));
        }
        for wrong in ["", "1-2", "1-2-nothing", "x-2-held", "1-x-held", "281474976710656-1-held", "1-2-held-"] {
            assert!(place(wrong).is_err(), "{wrong}");
        }
    }
}
