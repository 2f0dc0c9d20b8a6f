//! Commands on a data directory of this machine: `serve` and `audit`. The only file here that calls the node.

use std::fmt;
use std::fs;
use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use super::books;
use super::fault::CliFault;
use super::next_steps;
use super::output::{Form, remark, say, show};
use super::settings::{ServeSettings, WebhookSettings};
use super::table::Table;
use crate::node::{self, Audit, Config, NodeFault, TlsConfig, Watch};
use crate::wal::{Durability, Progress};

/// Where the log of a data directory lies.
pub(super) fn log_directory(data: &Path) -> PathBuf {
    Config { data: data.to_path_buf(), ..Config::default() }.log(1).dir
}

/// Where its keys lie.
pub(super) fn keys_directory(data: &Path) -> PathBuf {
    Config { data: data.to_path_buf(), ..Config::default() }.keys_dir()
}

/// Runs a server until it is told to stop. A second signal ends the process at once; the node sees to that.
pub(super) fn serve(settings: ServeSettings) -> Result<(), CliFault> {
    let config = config(settings);
    refuse_to_forget(&config)?;
    let (asks_for_certificate, durability) = (config.tls.client_ca.is_some(), config.durability);
    let mut watcher = Watcher { data: config.data.clone(), asks_for_certificate, durability, bar: bar("recovering") };
    let served = node::serve(&config, &mut watcher);
    watcher.bar.finish_and_clear();
    served.map_err(|fault| node_fault(&fault))?;
    remark(&format!("stopped; {}", next_steps::kept(durability)));
    Ok(())
}

/// In memory a log is neither read nor written: whoever starts that where one lies would seem to have lost everything.
fn refuse_to_forget(config: &Config) -> Result<(), CliFault> {
    let log = log_directory(&config.data);
    let holds = fs::read_dir(&log).is_ok_and(|mut entries| entries.next().is_some());
    if config.durability != Durability::Memory || !holds {
        return Ok(());
    }
    Err(CliFault::usage(format!(
        "{} holds a log, which a server with durability memory neither reads nor writes; give it another directory \
         with --data DIR, or choose durability sync or interval:TIME",
        log.display()
    )))
}

/// Tells whoever looks at the terminal how far the node is.
struct Watcher {
    data: PathBuf,
    asks_for_certificate: bool,
    durability: Durability,
    bar: ProgressBar,
}

impl Watch for Watcher {
    fn recovering(&mut self, progress: Progress) {
        follow(&self.bar, progress);
    }

    fn recovered(&mut self, facts: u64) {
        self.bar.finish_and_clear();
        tracing::info!(facts, "recovered");
    }

    fn ready(&mut self, address: SocketAddr) {
        if self.asks_for_certificate {
            tracing::warn!("there are no roles yet: every certificate that tls.client_ca signed may do everything");
        }
        say(&next_steps::text(address, &self.data, self.asks_for_certificate, self.durability));
    }
}

fn config(settings: ServeSettings) -> Config {
    let [simulated_payment, simulated_warehouse, simulated_check] = settings.simulated.behaviours(&settings.data);
    Config {
        data: settings.data,
        address: settings.address,
        shards: settings.shards,
        orders_max: settings.orders_max,
        lines_max: settings.lines_max,
        details_bytes_max: settings.details_bytes_max,
        keys_max: settings.keys_max,
        skus_max: settings.skus_max,
        kits_max: settings.kits_max,
        places_max: settings.places_max,
        customers_max: settings.customers_max,
        policies_max: settings.policies_max,
        waiting_max: settings.waiting_max,
        holds_max: settings.holds_max,
        payments_max: settings.payments_max,
        returns_max: settings.returns_max,
        velocity_max: settings.velocity_max,
        connections_max: settings.connections_max,
        orders_per_second_max: settings.orders_per_second_max,
        reserve_orders: settings.reserve_orders,
        durability: settings.durability,
        segment_bytes: settings.segment_bytes,
        low_water_bytes: settings.low_water_bytes,
        http_address: settings.http_address,
        snapshot_log_bytes: settings.snapshot_log_bytes,
        snapshot_bytes_per_second: settings.snapshot_bytes_per_second,
        sync_method: settings.sync_method,
        simulated_payment,
        simulated_warehouse,
        simulated_check,
        feed_behind_bytes: settings.feed_behind_bytes,
        webhook: settings.webhook.map(WebhookSettings::options),
        tls: TlsConfig { cert: settings.tls_cert, key: settings.tls_key, client_ca: settings.tls_client_ca },
    }
}

fn node_fault(fault: &NodeFault) -> CliFault {
    CliFault::Node { message: fault.to_string(), exit_code: fault.exit_code() }
}

/// A bar on standard error when that is a terminal, nothing otherwise.
fn bar(what: &'static str) -> ProgressBar {
    let target =
        if std::io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let style =
        ProgressStyle::with_template("{msg} [{wide_bar}] {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left");
    let style = style.expect("law: the template of the bar is sound");
    ProgressBar::with_draw_target(Some(0), target).with_style(style).with_message(what)
}

fn follow(bar: &ProgressBar, progress: Progress) {
    bar.set_length(progress.total_bytes);
    bar.set_position(progress.read_bytes);
}

/// Folds the log of a stopped server and compares every counter.
pub(super) fn audit(data: &Path, form: Form) -> Result<(), CliFault> {
    let bar = bar("auditing");
    let audited = node::audit(data, &mut |progress| follow(&bar, progress));
    bar.finish_and_clear();
    let report = AuditReport(audited.map_err(|fault| node_fault(&fault))?);
    show(form, &report);
    match report.0.drift.len() {
        0 => Ok(()),
        differences => Err(CliFault::Drift(differences)),
    }
}

/// The node's audit; its JSON is the node's.
#[derive(Serialize)]
#[serde(transparent)]
struct AuditReport(Audit);

impl fmt::Display for AuditReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Audit { facts, orders, shards, torn, drift, markets, digests, .. } = &self.0;
        writeln!(f, "{facts} facts folded, {orders} orders, {shards} shards")?;
        for (shard, digest) in digests.iter().enumerate() {
            writeln!(f, "digest of shard {shard}: {digest}")?;
        }
        if let Some(torn) = torn {
            writeln!(f, "the tail is torn and will be cut at the next start: {torn}")?;
        }
        for market in markets {
            writeln!(
                f,
                "\nmarket {} {}, stream {} entry {}",
                market.market, market.name, market.stream, market.sequence
            )?;
            let mut table = Table::new(&["units in", "", "orders", ""]);
            for row in 0..market.units.len().max(market.orders.len()) {
                let unit = market.units.get(row).map_or_else(Default::default, |(name, count)| cells(name, count));
                let order = market.orders.get(row).map_or_else(Default::default, |(name, count)| cells(name, count));
                table.row(unit.into_iter().chain(order).collect());
            }
            let money = books::money_table(market.money.iter().map(|(currency, sums)| (currency, sums)));
            writeln!(f, "{table}orders hash {}", market.orders_hash)?;
            f.write_str(&money)?;
        }
        for drift in drift {
            writeln!(f, "DRIFT in shard {}: {}", drift.shard, drift.broken)?;
        }
        if drift.is_empty() { writeln!(f, "\nevery counter agrees with the facts") } else { Ok(()) }
    }
}

fn cells(name: &str, count: &impl ToString) -> [String; 2] {
    [name.to_owned(), count.to_string()]
}
