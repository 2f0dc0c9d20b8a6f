//! `wanted list | retry | done`: what adapters are asked for, and what they tried in vain.

use std::fmt;

use clap::{Subcommand, ValueEnum};
use serde::Serialize;

use super::args::ClientArgs;
use super::connection::{MarketConnection, unexpected};
use super::fault::CliFault;
use super::order_report::DoneReport;
use super::settings::ClientSettings;
use super::table::Table;
use super::{order, price};
use crate::base::limits::PAGE_ROWS_MAX;
use crate::client::QueryReply;
use crate::engine::query::{WantPage, WantRow};
use crate::engine::{AsideReason, Command, Effect, Query, Report};

#[derive(Debug, Subcommand)]
pub(super) enum WantedCommand {
    /// List effects that are wanted, oldest first; or those that were set aside.
    List {
        /// Which effect.
        effect: EffectName,
        /// Those that adapters tried in vain: dead letters.
        #[arg(long)]
        aside: bool,
        /// Begin after this place.
        #[arg(long, default_value_t = 0)]
        after: u64,
        /// At most so many.
        #[arg(long, default_value_t = 20)]
        limit: u16,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// Let adapters try again what was set aside: of one order, or of all.
    Retry {
        /// Which effect.
        effect: EffectName,
        /// Number or identifier of the order; without one, every order whose effect is set aside.
        order: Option<String>,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// Say that somebody has seen to an effect by hand: it is wanted no more.
    Done {
        /// Which effect.
        effect: EffectName,
        /// Number or identifier of the order.
        order: String,
        /// The attempt, as the list shows it.
        #[arg(long)]
        attempt: u32,
        #[command(flatten)]
        client: ClientArgs,
    },
}

/// An effect on the command line.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum EffectName {
    /// Money is taken, or given back.
    Payment,
    /// A warehouse knows what to hand over.
    Release,
    /// Somebody says whether an order is to be trusted.
    Check,
}

impl From<EffectName> for Effect {
    fn from(name: EffectName) -> Self {
        match name {
            EffectName::Payment => Self::Payment,
            EffectName::Release => Self::Release,
            EffectName::Check => Self::Check,
        }
    }
}

/// Effects that are wanted, or set aside.
#[derive(Debug, Serialize)]
pub(super) struct ListReport {
    effect: &'static str,
    aside: bool,
    rows: Vec<RowReport>,
    /// Go on after this place; absent at the end.
    next: Option<u64>,
}

#[derive(Debug, Serialize)]
struct RowReport {
    place: u64,
    order: u64,
    id: String,
    action: &'static str,
    attempt: u32,
    amount_minor: u64,
    amount: String,
    currency: String,
    state: &'static str,
    since: String,
    reason: Option<&'static str>,
}

impl From<&WantRow> for RowReport {
    fn from(row: &WantRow) -> Self {
        Self {
            place: row.place,
            order: row.number.0,
            id: row.order.to_string(),
            action: row.action.name(),
            attempt: row.attempt,
            amount_minor: row.amount,
            amount: price::text(row.amount, row.currency),
            currency: row.currency.to_string(),
            state: row.state.name(),
            since: row.since.utc(),
            reason: row.aside.map(AsideReason::name),
        }
    }
}

impl fmt::Display for ListReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let which = if self.aside { "set aside" } else { "wanted" };
        if self.rows.is_empty() && self.next.is_none() {
            return writeln!(f, "no {} is {which}", self.effect);
        }
        let mut table = Table::new(&["order", "action", "attempt", "amount", "", "state", "since", "reason"]);
        for row in &self.rows {
            let reason = row.reason.unwrap_or_default().to_owned();
            let numbers = [row.order.to_string(), row.action.to_owned(), row.attempt.to_string(), row.amount.clone()];
            let words = [row.currency.clone(), row.state.to_owned(), row.since.clone(), reason];
            table.row(numbers.into_iter().chain(words).collect());
        }
        write!(f, "{table}")?;
        self.next.map_or(Ok(()), |next| writeln!(f, "there may be more: --after {next}"))
    }
}

/// How many effects adapters will try again.
#[derive(Debug, Serialize)]
pub(super) struct RetryReport {
    effect: &'static str,
    resumed: u64,
}

impl fmt::Display for RetryReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} of effect {} will be tried again", self.resumed, self.effect)
    }
}

pub(super) async fn list(
    settings: &ClientSettings,
    (effect, aside): (Effect, bool),
    after: u64,
    limit: u16,
) -> Result<ListReport, CliFault> {
    if limit == 0 || usize::from(limit) > PAGE_ROWS_MAX {
        return Err(CliFault::usage(format!("--limit {limit}: it must be 1 to {PAGE_ROWS_MAX}")));
    }
    let connection = MarketConnection::open(settings).await?;
    let page = page(&connection, (effect, aside), after, limit).await?;
    let rows = page.rows.iter().map(RowReport::from).collect();
    Ok(ListReport { effect: effect.name(), aside, rows, next: page.next })
}

async fn page(
    connection: &MarketConnection,
    (effect, aside): (Effect, bool),
    after: u64,
    rows_max: u16,
) -> Result<WantPage, CliFault> {
    let market = Some(connection.market);
    match connection.query("wanted effects", &Query::Wanted { market, effect, aside, after, rows_max }).await? {
        QueryReply::Wanted(page) => Ok(page),
        other => Err(unexpected("wanted effects", &other)),
    }
}

/// Resumes one order's effect, or all that were set aside before this began.
pub(super) async fn retry(
    settings: &ClientSettings,
    effect: Effect,
    order: Option<&str>,
) -> Result<RetryReport, CliFault> {
    let connection = MarketConnection::open(settings).await?;
    let wanted = match order {
        Some(text) => Some(order::find(&connection, text).await?),
        None => None,
    };
    let (mut resumed, mut after) = (0, Some(0));
    while let Some(place) = after {
        let page = page(&connection, (effect, true), place, PAGE_ROWS_MAX as u16).await?;
        for row in page.rows.iter().filter(|row| wanted.is_none_or(|order| order == row.order)) {
            let (order, attempt) = (row.order, row.attempt);
            let command = Command::ReportEffect { order, effect, attempt, report: Report::Resumed };
            connection.submit("the retry", &command).await?;
            resumed += 1;
        }
        after = page.next;
    }
    Ok(RetryReport { effect: effect.name(), resumed })
}

pub(super) async fn done(
    settings: &ClientSettings,
    effect: Effect,
    order: &str,
    attempt: u32,
) -> Result<DoneReport, CliFault> {
    let connection = MarketConnection::open(settings).await?;
    let order = order::find(&connection, order).await?;
    let command = Command::ReportEffect { order, effect, attempt, report: Report::Done };
    order::done(order, &connection.submit("the report", &command).await?)
}
