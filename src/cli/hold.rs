//! `order hold`, `order lift` and `order held`: keeping orders from the warehouse, letting them go, and what is held.

use std::fmt;

use serde::Serialize;

use super::connection::{MarketConnection, unexpected};
use super::fault::CliFault;
use super::order::{check_name, find};
use super::settings::ClientSettings;
use super::table::Table;
use crate::base::OrderNumber;
use crate::base::limits::PAGE_ROWS_MAX;
use crate::client::QueryReply;
use crate::engine::query::{HeldRow, HoldView};
use crate::engine::{Answer, Command, HoldReason, Query};

/// Why an order is held.
#[derive(Debug, Serialize)]
pub(super) struct HoldReport {
    owner: String,
    reason: &'static str,
    note: String,
    since: String,
}

impl From<&HoldView> for HoldReport {
    fn from(hold: &HoldView) -> Self {
        let HoldView { owner, reason, note, since } = hold;
        Self { owner: owner.clone(), reason: reason.name(), note: note.clone(), since: since.utc() }
    }
}

impl HoldReport {
    fn cells(&self) -> [String; 4] {
        [self.owner.clone(), self.reason.to_owned(), self.since.clone(), self.note.clone()]
    }
}

const HEADINGS: [&str; 4] = ["held by", "for", "since", "note"];

/// The holds of one order, under what else is told of it.
pub(super) fn table(holds: &[HoldReport]) -> Table {
    let mut table = Table::new(&HEADINGS);
    holds.iter().for_each(|hold| table.row(hold.cells().into()));
    table
}

/// Orders that are held.
#[derive(Debug, Serialize)]
pub(super) struct HeldReport {
    market: String,
    holds: Vec<HeldRowReport>,
    /// Go on with `--after` this number; none at the end.
    next: Option<u64>,
    /// The command that does.
    #[serde(skip)]
    more: Option<String>,
}

/// One hold of one of them.
#[derive(Debug, Serialize)]
struct HeldRowReport {
    number: u64,
    id: String,
    state: &'static str,
    #[serde(flatten)]
    hold: HoldReport,
}

impl From<&HeldRow> for HeldRowReport {
    fn from(row: &HeldRow) -> Self {
        let HeldRow { order, hold } = row;
        Self {
            number: order.number.0,
            id: order.order.to_string(),
            state: order.state.name(),
            hold: HoldReport::from(hold),
        }
    }
}

impl fmt::Display for HeldReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.holds.is_empty() && self.next.is_none() {
            return writeln!(f, "no order of {} is held", self.market);
        }
        let headings: Vec<_> = ["number", "id", "state"].into_iter().chain(HEADINGS).collect();
        let mut table = Table::new(&headings);
        for row in &self.holds {
            let order = [row.number.to_string(), row.id.clone(), row.state.to_owned()];
            table.row(order.into_iter().chain(row.hold.cells()).collect());
        }
        table.fmt(f)?;
        match &self.more {
            Some(more) => writeln!(f, "\nmore: {more}"),
            None => Ok(()),
        }
    }
}

/// What became of a hold.
#[derive(Debug, Serialize)]
pub(super) struct HoldDoneReport {
    id: String,
    state: &'static str,
    owner: String,
    reason: &'static str,
    /// Whether it keeps the order back now.
    held: bool,
    repeated: bool,
}

impl fmt::Display for HoldDoneReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, state, owner, reason, held, repeated } = self;
        let what = match (held, repeated) {
            (true, false) => "held",
            (true, true) => "held, as before",
            (false, false) => "not held any more",
            (false, true) => "not held, as before",
        };
        writeln!(f, "order {id} is {state}: {what} by {owner} for {reason}")
    }
}

/// Sends a command about one hold.
async fn change(
    settings: &ClientSettings,
    text: &str,
    (owner, reason): (&str, HoldReason),
    note: Option<&str>,
) -> Result<HoldDoneReport, CliFault> {
    check_name(text)?;
    let connection = MarketConnection::open(settings).await?;
    let order = find(&connection, text).await?;
    let (what, command) = match note {
        Some(note) => ("holding", Command::HoldOrder { order, owner, reason, note }),
        None => ("lifting a hold of", Command::LiftHold { order, owner, reason }),
    };
    let (answer, _) = connection.submit(&format!("{what} order {text}"), &command).await?;
    let Answer::Done { state, repeated, .. } = answer else {
        return Err(unexpected("what became of the hold", &answer));
    };
    let (id, owner, reason) = (order.to_string(), owner.to_owned(), reason.name());
    Ok(HoldDoneReport { id, state: state.name(), owner, reason, held: note.is_some(), repeated })
}

pub(super) async fn hold(
    settings: &ClientSettings,
    text: &str,
    hold: (&str, HoldReason),
    note: &str,
) -> Result<HoldDoneReport, CliFault> {
    change(settings, text, hold, Some(note)).await
}

pub(super) async fn lift(
    settings: &ClientSettings,
    text: &str,
    hold: (&str, HoldReason),
) -> Result<HoldDoneReport, CliFault> {
    change(settings, text, hold, None).await
}

pub(super) async fn held(settings: &ClientSettings, after: u64, limit: u64) -> Result<HeldReport, CliFault> {
    let connection = MarketConnection::open(settings).await?;
    let market = connection.market;
    let (mut holds, mut next) = (Vec::new(), Some(after));
    while let Some(after) = next
        && (holds.len() as u64) < limit
    {
        let left = (limit - holds.len() as u64).min(PAGE_ROWS_MAX as u64);
        let rows_max = u16::try_from(left).expect("law: a page's rows fit 16 bits");
        let query = Query::HeldOrders { market, after: OrderNumber(after), rows_max };
        let QueryReply::HeldOrders(page) = connection.query("what is held", &query).await? else {
            return Err(unexpected("what is held", &"something else"));
        };
        holds.extend(page.rows.iter().map(HeldRowReport::from));
        next = page.next.map(|number| number.0);
    }
    let more = next.map(|next| {
        let (next, limit) = (next.to_string(), limit.to_string());
        connection.suggestion.command("order held", &["--after", &next, "--limit", &limit])
    });
    Ok(HeldReport { market: connection.market_name, holds, next, more })
}
