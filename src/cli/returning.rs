//! `order delivered` and `order return`: goods that reached the customer, goods that come back, what becomes of them.

use std::fmt;

use serde::Serialize;

use super::connection::{MarketConnection, unexpected};
use super::fault::CliFault;
use super::order::{self, Goods, check_name, find};
use super::order_line;
use super::order_report::DoneReport;
use super::return_args::{DeliveredArgs, ReturnArgs, ReturnStep};
use super::settings::ClientSettings;
use super::table::Table;
use crate::base::ChangeId;
use crate::engine::query::{ReturnPieceView, ReturnView};
use crate::engine::{Answer, Command, Disposition, LineQuantity, ReturnCommand, ReturnReport};

/// What became of a step of a return.
#[derive(Debug, Serialize)]
pub(super) struct StepReport {
    id: String,
    state: &'static str,
    #[serde(rename = "return")]
    number: String,
    stage: &'static str,
    /// Units asked; or that are new: came in, or were looked at.
    moved: u64,
    repeated: bool,
}

impl fmt::Display for StepReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, number, stage, moved, repeated, .. } = self;
        let what = if *repeated { "this tells nothing new, nothing changed" } else { "done" };
        writeln!(f, "return {number} of order {id} is {stage}: {what}, {moved} units")
    }
}

/// A return of an order.
#[derive(Debug, Serialize)]
pub(super) struct ReturnReportRow {
    #[serde(rename = "return")]
    number: String,
    kind: &'static str,
    reason: &'static str,
    stage: &'static str,
    declined: Option<&'static str>,
    /// When it ends by itself, while something is to come of it.
    until: Option<String>,
    lines: Vec<LineReport>,
}

/// One line of it.
#[derive(Debug, Serialize)]
struct LineReport {
    line: u16,
    asked: u32,
    sites: Vec<PieceReport>,
}

/// What came in of a line at a site, and became of it.
#[derive(Debug, Serialize)]
struct PieceReport {
    site: u16,
    received: u32,
    restock: u32,
    quality_hold: u32,
    damaged: u32,
    dispose: u32,
    back_to_customer: u32,
    back_to_supplier: u32,
}

impl From<&ReturnPieceView> for PieceReport {
    fn from(piece: &ReturnPieceView) -> Self {
        let became = |what: Disposition| piece.became[what as usize - 1];
        Self {
            site: piece.site.0,
            received: piece.received,
            restock: became(Disposition::Restock),
            quality_hold: became(Disposition::QualityHold),
            damaged: became(Disposition::Damaged),
            dispose: became(Disposition::Dispose),
            back_to_customer: became(Disposition::BackToCustomer),
            back_to_supplier: became(Disposition::BackToSupplier),
        }
    }
}

impl From<&ReturnView> for ReturnReportRow {
    fn from(view: &ReturnView) -> Self {
        let pieces = |line: u16| view.pieces.iter().filter(move |piece| piece.line == line);
        let lines = view.lines.iter().map(|line| LineReport {
            line: line.line,
            asked: line.asked,
            sites: pieces(line.line).map(PieceReport::from).collect(),
        });
        Self {
            number: view.id.to_string(),
            kind: view.kind.name(),
            reason: view.reason.name(),
            stage: view.stage.name(),
            declined: view.declined.map(crate::engine::DeclineReason::name),
            until: view.until.utc_or_none(),
            lines: lines.collect(),
        }
    }
}

/// The returns of one order, under what else is told of it: a row for each line.
pub(super) fn table(returns: &[ReturnReportRow]) -> Table {
    let mut table = Table::new(&["return", "kind", "stage", "line", "asked", "received", "inspected"]);
    for row in returns {
        for line in &row.lines {
            let received: u32 = line.sites.iter().map(|piece| piece.received).sum();
            let inspected = |piece: &PieceReport| {
                let PieceReport { restock, quality_hold, damaged, dispose, back_to_customer, back_to_supplier, .. } =
                    piece;
                restock + quality_hold + damaged + dispose + back_to_customer + back_to_supplier
            };
            let inspected: u32 = line.sites.iter().map(inspected).sum();
            let mut cells = vec![row.number.clone(), row.kind.to_owned(), row.stage.to_owned()];
            cells.extend([u32::from(line.line), line.asked, received, inspected].map(|units| units.to_string()));
            table.row(cells);
        }
    }
    table
}

fn parts(lines: &[String]) -> Result<Vec<LineQuantity>, CliFault> {
    lines.iter().map(|line| order_line::part(line)).collect()
}

/// Says that units reached the customer.
pub(super) async fn delivered(settings: &ClientSettings, args: &DeliveredArgs) -> Result<DoneReport, CliFault> {
    let DeliveredArgs { order: text, lines, change, .. } = args;
    check_name(text)?;
    let lines = &parts(lines)?;
    let connection = MarketConnection::open(settings).await?;
    let order = find(&connection, text).await?;
    let change = change.map_or_else(|| connection.client.new_change_id(), ChangeId);
    let command = Command::ReportDelivered { order, change, lines };
    order::done(order, &connection.submit(&format!("delivering units of order {text}"), &command).await?)
}

/// Puts units back for sale in one step.
pub(super) async fn at_once(settings: &ClientSettings, args: &ReturnArgs) -> Result<DoneReport, CliFault> {
    let text = args.order.as_deref().unwrap_or_default();
    order::goods(settings, text, Goods::Returned(&args.site), (&args.lines, args.change)).await
}

/// Carries out one step of a return.
pub(super) async fn step(settings: &ClientSettings, step: &ReturnStep) -> Result<StepReport, CliFault> {
    match step {
        ReturnStep::Request { order, kind, reason, lines, id } => {
            let (lines, kind, reason) = (&parts(lines)?, *kind, *reason);
            ask(settings, (&order.order, *id), None, |_| ReturnCommand::Request { kind, reason, lines }).await
        }
        ReturnStep::Approve { which } => tell(settings, which, ReturnReport::Approved).await,
        ReturnStep::Decline { which, reason } => {
            tell(settings, which, ReturnReport::Declined { reason: *reason }).await
        }
        ReturnStep::Report { which, stage } => tell(settings, which, *stage).await,
        ReturnStep::Receive { which, lines, site } => {
            let (lines, of) = (&parts(lines)?, (which.order.order.as_str(), Some(which.id)));
            ask(settings, of, Some(site), |site| ReturnCommand::Receive { site, lines }).await
        }
        ReturnStep::Inspect { which, disposition, lines, site } => {
            let (lines, of, disposition) = (&parts(lines)?, (which.order.order.as_str(), Some(which.id)), *disposition);
            ask(settings, of, Some(site), |site| ReturnCommand::Inspect { site, disposition, lines }).await
        }
    }
}

async fn tell(
    settings: &ClientSettings,
    which: &super::return_args::Which,
    report: ReturnReport,
) -> Result<StepReport, CliFault> {
    ask(settings, (&which.order.order, Some(which.id)), None, |_| ReturnCommand::Report(report)).await
}

/// Sends one command on a return; `what` makes it of the site, where one is named.
async fn ask<'a>(
    settings: &ClientSettings,
    (text, id): (&str, Option<u64>),
    site: Option<&str>,
    what: impl FnOnce(crate::base::SiteId) -> ReturnCommand<'a>,
) -> Result<StepReport, CliFault> {
    check_name(text)?;
    let connection = MarketConnection::open(settings).await?;
    let order = find(&connection, text).await?;
    let site = match site {
        Some(code) => connection.site(code).await?,
        None => crate::base::SiteId::NOWHERE,
    };
    let id = id.map_or_else(|| connection.client.new_change_id(), ChangeId);
    let command = Command::Return { order, id, what: what(site) };
    match connection.submit(&format!("return {id} of order {text}"), &command).await? {
        (Answer::Return { state, stage, moved, repeated }, _) => Ok(StepReport {
            id: order.to_string(),
            state: state.name(),
            number: id.to_string(),
            stage: stage.name(),
            moved,
            repeated,
        }),
        (other, _) => Err(unexpected("what became of the return", &other)),
    }
}
