//! Orders as `order get` and `order list` show them, for people and as JSON.

use std::collections::HashMap;
use std::fmt;

use serde::Serialize;

use super::hold::{self, HoldReport};
use super::payment_report::{self, AttemptReport};
use super::price;
use super::returning::{self, ReturnReportRow};
use super::table::Table;
use super::tasks::{self, WaitReport};
use crate::base::SkuId;
use crate::engine::Label;
use crate::engine::query::{CheckState, LineView, OrderRow, OrderView};

/// One order.
#[derive(Debug, Serialize)]
pub(super) struct OrderReport {
    number: u64,
    id: String,
    state: &'static str,
    /// Its return window is over: lines and details are gone.
    closed: bool,
    accepted_at: Option<String>,
    reserved_until: Option<String>,
    take: &'static str,
    payment: &'static str,
    currency: String,
    customer: Option<String>,
    channel: u16,
    zone: u16,
    lines: Vec<LineReport>,
    details: String,
    /// Details were given, and cannot be read any more.
    details_erased: bool,
    /// Why nothing of it goes to a warehouse, if anything keeps it back.
    holds: Vec<HoldReport>,
    /// Whether it is to be trusted, in one word.
    check: &'static str,
    /// What is to be paid of it yet.
    missing: String,
    missing_minor: u64,
    /// What was paid of it, in one word; nobody knows it of one that is closed.
    payment_label: Option<&'static str>,
    /// Attempts to pay it, oldest first.
    payments: Vec<AttemptReport>,
    /// What of it is to come back, or came; oldest first.
    returns: Vec<ReturnReportRow>,
    /// Why it goes no further.
    waits: Vec<WaitReport>,
}

/// One line of it.
#[derive(Debug, Serialize)]
struct LineReport {
    line: usize,
    sku: String,
    price: String,
    price_minor: u64,
    asked: u32,
    taken: u32,
    owed: u32,
    reserved: u32,
    lapsed: u32,
    committed: u32,
    shipped: u32,
    cancelled: u32,
    returned: u32,
    delivered: u32,
}

impl OrderReport {
    pub(super) fn new(view: &OrderView, codes: &HashMap<SkuId, String>, waits: Vec<WaitReport>) -> Self {
        let lines = view.lines.iter().enumerate();
        Self {
            number: view.number.0,
            id: view.order.to_string(),
            state: view.state.name(),
            closed: view.closed,
            accepted_at: view.accepted_at.utc_or_none(),
            reserved_until: view.deadline.utc_or_none(),
            take: view.take.name(),
            payment: view.payment.name(),
            currency: view.currency.to_string(),
            customer: (view.customer.0 != 0).then(|| format!("{:032x}", view.customer.0)),
            channel: view.channel,
            zone: view.zone,
            lines: lines.map(|(index, line)| line_report(index, line, view, codes)).collect(),
            details: String::from_utf8_lossy(&view.details).into_owned(),
            details_erased: view.erased,
            holds: view.holds.iter().map(HoldReport::from).collect(),
            check: view.check.name(),
            missing: price::text(view.missing, view.currency),
            missing_minor: view.missing,
            payment_label: view.payment_label().map(Label::name),
            payments: view.payments.iter().map(|payment| AttemptReport::new(payment, view.currency)).collect(),
            returns: view.returns.iter().map(ReturnReportRow::from).collect(),
            waits,
        }
    }
}

fn line_report(index: usize, line: &LineView, view: &OrderView, codes: &HashMap<SkuId, String>) -> LineReport {
    LineReport {
        line: index,
        sku: codes.get(&line.sku).cloned().unwrap_or_else(|| format!("number {}", line.sku)),
        price: price::text(line.price, view.currency),
        price_minor: line.price,
        asked: line.asked,
        taken: line.taken,
        owed: line.owed,
        reserved: line.reserved,
        lapsed: line.lapsed,
        committed: line.committed,
        shipped: line.shipped,
        cancelled: line.cancelled,
        returned: line.returned,
        delivered: line.delivered,
    }
}

impl fmt::Display for OrderReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "order     {}", self.number)?;
        writeln!(f, "id        {}", self.id)?;
        writeln!(f, "state     {}{}", self.state, if self.closed { ", closed: its lines are gone" } else { "" })?;
        if let Some(accepted) = &self.accepted_at {
            writeln!(f, "accepted  {accepted}")?;
        }
        if let Some(until) = &self.reserved_until {
            writeln!(f, "reserved  until {until}")?;
        }
        if let Some(label) = self.payment_label.filter(|_| !self.payments.is_empty()) {
            writeln!(f, "payment   {label}")?;
        }
        if self.missing_minor > 0 {
            writeln!(f, "missing   {}", self.missing)?;
        }
        if self.check != CheckState::NotNeeded.name() {
            writeln!(f, "check     {}", self.check)?;
        }
        if self.details_erased {
            writeln!(f, "details   erased: nobody can read them any more")?;
        }
        writeln!(f, "currency  {}\n", self.currency)?;
        let headings = [
            "line",
            "sku",
            "price",
            "asked",
            "taken",
            "owed",
            "reserved",
            "lapsed",
            "committed",
            "shipped",
            "cancelled",
            "returned",
            "delivered",
        ];
        let mut table = Table::new(&headings);
        for line in &self.lines {
            let mut cells = vec![line.line.to_string(), line.sku.clone(), line.price.clone()];
            let counters = [line.asked, line.taken, line.owed, line.reserved, line.lapsed, line.committed];
            let others = [line.shipped, line.cancelled, line.returned, line.delivered];
            cells.extend(counters.iter().chain(&others).map(ToString::to_string));
            table.row(cells);
        }
        table.fmt(f)?;
        if !self.payments.is_empty() {
            write!(f, "\n{}", payment_report::table(&self.payments))?;
        }
        if !self.returns.is_empty() {
            write!(f, "\n{}", returning::table(&self.returns))?;
        }
        if !self.holds.is_empty() {
            write!(f, "\n{}", hold::table(&self.holds))?;
        }
        if !self.waits.is_empty() {
            write!(f, "\n{}", tasks::table(&self.waits))?;
        }
        Ok(())
    }
}

/// Orders that still hold units, or those of a customer.
#[derive(Debug, Serialize)]
pub(super) struct OrderListReport {
    pub(super) orders: Vec<OrderRowReport>,
    /// Go on with `--after` (of a customer: `--before`) this number; none at the end.
    pub(super) next: Option<u64>,
    /// The command that does.
    #[serde(skip)]
    pub(super) more: Option<String>,
    /// What is said when there are none.
    #[serde(skip)]
    pub(super) nobody: &'static str,
}

/// One of them.
#[derive(Debug, Serialize)]
pub(super) struct OrderRowReport {
    number: u64,
    id: String,
    state: &'static str,
    reserved_until: Option<String>,
}

impl From<&OrderRow> for OrderRowReport {
    fn from(row: &OrderRow) -> Self {
        let reserved_until = row.deadline.utc_or_none();
        Self { number: row.number.0, id: row.order.to_string(), state: row.state.name(), reserved_until }
    }
}

impl fmt::Display for OrderListReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.orders.is_empty() && self.next.is_none() {
            return writeln!(f, "{}", self.nobody);
        }
        let mut table = Table::new(&["number", "id", "state", "reserved until"]);
        for row in &self.orders {
            let until = row.reserved_until.clone().unwrap_or_else(|| "-".to_owned());
            table.row(vec![row.number.to_string(), row.id.clone(), row.state.to_owned(), until]);
        }
        table.fmt(f)?;
        match &self.more {
            Some(more) => writeln!(f, "\nmore: {more}"),
            None => Ok(()),
        }
    }
}

/// What became of a placement.
#[derive(Debug, Serialize)]
pub(super) struct PlacedReport {
    pub(super) number: u64,
    pub(super) id: String,
    pub(super) state: &'static str,
    pub(super) accepted_at: String,
    pub(super) reserved_until: Option<String>,
    pub(super) short: bool,
    pub(super) owed: bool,
    pub(super) repeated: bool,
    pub(super) lines: Vec<TakenReport>,
    /// The command that confirms it.
    #[serde(skip)]
    pub(super) confirm: String,
}

/// One line of it.
#[derive(Debug, Serialize)]
pub(super) struct TakenReport {
    pub(super) sku: String,
    pub(super) asked: u32,
    pub(super) taken: u32,
    /// Of these: not there yet.
    pub(super) owed: u32,
}

impl fmt::Display for PlacedReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, id, state, .. } = self;
        let before = if self.repeated { " (it had been placed before)" } else { "" };
        writeln!(f, "order {number} is {state}{before}\nid {id}")?;
        for line in &self.lines {
            write!(f, "  {} of {} {}", line.taken, line.asked, line.sku)?;
            match line.owed {
                0 => writeln!(f)?,
                owed => writeln!(f, ", {owed} of them as soon as they come in")?,
            }
        }
        match &self.reserved_until {
            Some(until) => writeln!(f, "reserved until {until}; to keep it: {}", self.confirm),
            None => Ok(()),
        }
    }
}

/// What became of a command on an order.
#[derive(Debug, Serialize)]
pub(super) struct DoneReport {
    pub(super) id: String,
    pub(super) state: &'static str,
    pub(super) moved: u64,
    /// Units that were told and that the order does not account for.
    pub(super) excess: u64,
    pub(super) repeated: bool,
}

impl fmt::Display for DoneReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, state, moved, excess, repeated } = self;
        let what = if *repeated { "this had happened before, nothing changed" } else { "done" };
        writeln!(f, "order {id} is {state}: {what}, {moved} units moved")?;
        match excess {
            0 => Ok(()),
            _ => writeln!(f, "{excess} units more were told than the order accounts for: somebody has to look at them"),
        }
    }
}

/// Until when an order's units are reserved.
#[derive(Debug, Serialize)]
pub(super) struct ExtendedReport {
    pub(super) id: String,
    pub(super) reserved_until: String,
    pub(super) repeated: bool,
}

impl fmt::Display for ExtendedReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, reserved_until, repeated } = self;
        let what = if *repeated { ", as before" } else { "" };
        writeln!(f, "the units of order {id} are reserved until {reserved_until}{what}")
    }
}
