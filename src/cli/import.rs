//! `stock import`: every line of a file received, once.
//!
//! ```text
//! read ─► check lines and sites ─► decide the time ─► receipt ─► create SKUs ─► first line ─► all others at once
//! ```
//!
//! # Always true
//! - Nothing is sent while a line is wrong, unless the caller skips wrong lines.
//! - The first line is answered before any other is sent: it is the mark by which the file is recognised again.
//! # Not here
//! - How a file is recognised: `import_time`, `import_receipt`.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use serde::Serialize;
use tokio::task::JoinSet;

use super::args::ImportArgs;
use super::catalog;
use super::connection::MarketConnection;
use super::fault::{CliFault, file};
use super::import_file::{self, BadLine, ImportFile, ImportLine};
use super::import_receipt::{self, Receipt};
use super::import_time::{self, Decided};
use super::output::remark;
use super::settings::ClientSettings;
use crate::base::limits::{IMPORT_IN_FLIGHT_MAX, IMPORT_LINES_SHOWN_MAX};
use crate::base::{RequestId, SiteId, SkuId, Timestamp};
use crate::client::{Client, ClientError, Response};
use crate::engine::{Answer, Command, Refusal};
use crate::wire::Refused;

/// What an import did.
#[derive(Debug, Default, Serialize)]
pub(super) struct ImportReport {
    file: String,
    market: String,
    /// Lines received now.
    received: u64,
    /// Their units.
    units: u64,
    /// Lines that had been received before and changed nothing.
    repeated: u64,
    skus_created: u64,
    /// Wrong lines, which were skipped.
    skipped: Vec<BadLine>,
    /// Lines the server refused.
    refused: Vec<BadLine>,
    /// When the file was imported, if that was before.
    imported_at: Option<String>,
}

impl ImportReport {
    /// Whether some line of the file was not received.
    pub(super) fn is_complete(&self) -> bool {
        self.refused.is_empty()
    }

    fn changed_nothing(&self) -> bool {
        self.received == 0 && self.refused.is_empty()
    }
}

impl fmt::Display for ImportReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, market, received, units, repeated, skus_created, .. } = self;
        if self.changed_nothing() {
            let at = self.imported_at.as_ref().map(|at| format!(" ({at})")).unwrap_or_default();
            writeln!(f, "{file} was imported into market {market} before{at}; nothing changed")?;
            writeln!(f, "Is it another delivery with the same content? Then add --again.")?;
        } else {
            writeln!(
                f,
                "{} received into market {market}, {}; {} created",
                counted(*received, "line"),
                counted(*units, "unit"),
                counted(*skus_created, "SKU")
            )?;
        }
        if *repeated > 0 && !self.changed_nothing() {
            writeln!(f, "{} had been received before and changed nothing", counted(*repeated, "line"))?;
        }
        write!(f, "{}{}", Listed("skipped", &self.skipped), Listed("refused", &self.refused))
    }
}

/// A count of things with its plural.
fn counted(count: u64, thing: &str) -> String {
    if count == 1 { format!("1 {thing}") } else { format!("{count} {thing}s") }
}

/// Wrong lines for people.
struct Listed<'a>(&'a str, &'a [BadLine]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(what, lines) = self;
        if lines.is_empty() {
            return Ok(());
        }
        writeln!(f, "{} {what}:", counted(lines.len() as u64, "line"))?;
        for BadLine { line, reason } in lines.iter().take(IMPORT_LINES_SHOWN_MAX) {
            writeln!(f, "  line {line}: {reason}")?;
        }
        match lines.len().saturating_sub(IMPORT_LINES_SHOWN_MAX) {
            0 => Ok(()),
            more => writeln!(f, "  … and {more} more"),
        }
    }
}

pub(super) async fn import(settings: &ClientSettings, args: &ImportArgs) -> Result<ImportReport, CliFault> {
    let path = &args.file;
    let bytes = std::fs::read(path).map_err(file("read", path))?;
    let parsed = import_file::parse(&bytes);
    let mut parsed =
        parsed.map_err(|why| CliFault::Partly(format!("{}: {why}; nothing was received", path.display())))?;
    let connection = MarketConnection::open(settings).await?;
    let sites = check_sites(&connection, &mut parsed).await?;
    if !parsed.bad.is_empty() && !args.skip_bad {
        return Err(bad_lines(path, &parsed.bad));
    }
    let Some(first) = parsed.lines.first() else {
        return Err(CliFault::Partly(format!("{} has no line to receive", path.display())));
    };
    let receipt_path = import_receipt::path(path);
    let known = import_receipt::find(&receipt_path, parsed.hash, &connection.market_name);
    let known = known.map_err(file("read the receipt", &receipt_path))?;
    let mut report = ImportReport {
        file: path.display().to_string(),
        market: connection.market_name.clone(),
        skipped: std::mem::take(&mut parsed.bad),
        imported_at: known.as_ref().map(|receipt| receipt.begun_at.clone()),
        ..ImportReport::default()
    };
    match import_time::decide(&connection, (parsed.hash, first), known.as_ref(), args.again).await? {
        Decided::Finished(_) => Ok(report),
        Decided::Untold(at) => Err(untold(path, at)),
        Decided::Receive(made_at) => {
            let mut receipt = Receipt::new(
                parsed.hash,
                &connection.market_name,
                (made_at, connection.client.log_time()),
                parsed.lines.len() as u64,
            );
            if let Some(known) = known.filter(|known| known.at() == made_at) {
                receipt = known;
            }
            keep(&receipt_path, &receipt);
            receive_all(&connection, &parsed, (made_at, &sites), &mut report).await?;
            receipt.finished = report.is_complete();
            keep(&receipt_path, &receipt);
            Ok(report)
        }
    }
}

fn bad_lines(path: &Path, bad: &[BadLine]) -> CliFault {
    CliFault::Partly(format!(
        "{}: {}nothing was received; correct the file, or add --skip-bad to receive the other lines",
        path.display(),
        Listed("wrong", bad)
    ))
}

fn untold(path: &Path, at: Timestamp) -> CliFault {
    CliFault::Partly(format!(
        "an import of {} was begun at {} and broken off. That is more than 24 hours ago: the server no longer \
         remembers which of its lines were received, so nothing was sent. Compare with `stockade stock get`, put the \
         missing lines into a file of their own, or receive all of them with --again",
        path.display(),
        at.utc()
    ))
}

/// Without a receipt only the server remembers, for a day. That is worth a warning and no reason to stop.
fn keep(path: &Path, receipt: &Receipt) {
    if let Err(error) = import_receipt::keep(path, receipt) {
        remark(&format!(
            "warning: cannot write {}: {error}. The server recognises this file for 24 hours; imported again after \
             that, it would be received again",
            path.display()
        ));
    }
}

/// Numbers of the sites; lines of sites that do not exist become wrong lines.
async fn check_sites(
    connection: &MarketConnection,
    file: &mut ImportFile,
) -> Result<HashMap<String, SiteId>, CliFault> {
    let sites: HashMap<String, SiteId> =
        connection.sites().await?.into_iter().map(|row| (row.code, row.site)).collect();
    let (good, unknown): (Vec<_>, Vec<_>) = file.lines.drain(..).partition(|line| sites.contains_key(&line.site));
    file.lines = good;
    file.bad.extend(unknown.into_iter().map(|ImportLine { number, site, .. }| BadLine {
        line: number,
        reason: format!(
            "market {} has no site {site}; create it with: {}",
            connection.market_name,
            connection.suggestion.command("site create", &[&site])
        ),
    }));
    file.bad.sort_by_key(|bad| bad.line);
    Ok(sites)
}

/// Numbers of the SKUs of a file; those that do not exist are created.
async fn skus<'f>(
    connection: &MarketConnection,
    file: &'f ImportFile,
) -> Result<(HashMap<&'f str, SkuId>, u64), CliFault> {
    let mut codes: Vec<&str> = file.lines.iter().map(|line| line.sku.as_str()).collect();
    codes.sort_unstable();
    codes.dedup();
    let found = connection.resolve(&codes).await?;
    let known = codes.iter().zip(&found).filter_map(|(code, number)| Some((*code, (*number)?)));
    let mut numbers: HashMap<&str, SkuId> = known.collect();
    let missing: Vec<&str> = codes.into_iter().filter(|code| !numbers.contains_key(code)).collect();
    let created = catalog::create_many(connection, &missing).await?;
    let count = created.len() as u64;
    numbers.extend(missing.into_iter().zip(created));
    Ok((numbers, count))
}

async fn receive_all(
    connection: &MarketConnection,
    file: &ImportFile,
    (made_at, sites): (Timestamp, &HashMap<String, SiteId>),
    report: &mut ImportReport,
) -> Result<(), CliFault> {
    let (skus, created) = skus(connection, file).await?;
    report.skus_created = created;
    let wanted = |line: &ImportLine| Wanted {
        line: line.number,
        request: import_time::request_id(made_at, connection.market, file.hash, line),
        sku: skus[line.sku.as_str()],
        site: sites[&line.site],
        quantity: line.quantity,
    };
    let mut lines = file.lines.iter().map(wanted);
    if let Some(first) = lines.next() {
        report.take(receive(connection.client.clone(), first).await)?;
        if !report.is_complete() {
            return Ok(());
        }
    }
    let mut receiving = JoinSet::new();
    for line in lines {
        if receiving.len() == IMPORT_IN_FLIGHT_MAX {
            report.take_next(&mut receiving).await?;
        }
        receiving.spawn(receive(connection.client.clone(), line));
    }
    while !receiving.is_empty() {
        report.take_next(&mut receiving).await?;
    }
    report.refused.sort_by_key(|bad| bad.line);
    Ok(())
}

/// A line with everything a command needs.
struct Wanted {
    line: u64,
    request: RequestId,
    sku: SkuId,
    site: SiteId,
    quantity: u64,
}

type Outcome = (Wanted, Result<Response, ClientError>);

async fn receive(client: Client, line: Wanted) -> Outcome {
    let Wanted { request, sku, site, quantity, .. } = line;
    let outcome = client.submit(&Command::Receive { request, sku, site, quantity }).await;
    (line, outcome)
}

impl ImportReport {
    async fn take_next(&mut self, receiving: &mut JoinSet<Outcome>) -> Result<(), CliFault> {
        match receiving.join_next().await {
            Some(outcome) => self.take(outcome.expect("law: a receipt does not panic")),
            None => Ok(()),
        }
    }

    fn take(&mut self, (line, outcome): Outcome) -> Result<(), CliFault> {
        match outcome? {
            Response::Answered { answer: Answer::Stock { repeated: true, .. }, .. } => self.repeated += 1,
            Response::Answered { .. } => {
                self.received += 1;
                self.units += line.quantity;
            }
            Response::Refused(why) => self.refused.push(BadLine { line: line.line, reason: reason(&why) }),
        }
        Ok(())
    }
}

fn reason(why: &Refused) -> String {
    match why {
        Refused::Engine(Refusal::IdTooOld) => {
            "the server no longer remembers whether this line was received: a market \
             remembers 1,000,000 stock requests for at most 24 hours; nothing was changed"
                .to_owned()
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_imported_before_says_that_nothing_changed() {
        let report = ImportReport { file: "a.csv".into(), market: "default".into(), repeated: 3, ..Default::default() };
        let text = report.to_string();
        assert!(text.contains("nothing changed") && text.contains("--again"), "{text}");
    }

    #[test]
    fn wrong_lines_are_listed_with_their_numbers() {
        let bad = [BadLine { line: 4, reason: "too odd".into() }];
        let text = bad_lines(Path::new("a.csv"), &bad).to_string();
        assert!(text.contains("1 line wrong") && text.contains("line 4: too odd"), "{text}");
        assert!(text.contains("nothing was received") && text.contains("--skip-bad"), "{text}");
    }
}
