//! `status`: what the server says about itself.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::connection::Connection;
use super::fault::CliFault;
use super::settings::ClientSettings;
use super::table::Table;
use super::units::{bytes_text, span_text};
use crate::wire::{DurabilityMode, Stage, Status};

/// A server's status, as JSON; its names are stable.
#[derive(Debug, Serialize)]
pub(super) struct StatusReport {
    version: String,
    address: String,
    shards: u16,
    log_time: String,
    log_time_ms: u64,
    uptime_ms: u64,
    connections: u64,
    requests: u64,
    orders: u64,
    orders_max: u64,
    details_bytes: u64,
    details_bytes_max: u64,
    rss_bytes: u64,
    durability: &'static str,
    interval_ms: Option<u32>,
    sync_method: &'static str,
    log_bytes: u64,
    log_frames: u64,
    syncs: u64,
    images: u16,
    image_age_ms: u64,
    sinks: u16,
    sink_lag_ms: u64,
    stages: BTreeMap<&'static str, StageReport>,
}

/// A histogram in five numbers.
#[derive(Debug, Serialize)]
struct StageReport {
    count: u64,
    p50: u64,
    p99: u64,
    p999: u64,
    max: u64,
}

pub(super) async fn status(settings: &ClientSettings) -> Result<StatusReport, CliFault> {
    let server = Connection::open(settings).await?;
    Ok(report(&server.client.status().await?, settings.address.to_string()))
}

fn report(status: &Status, address: String) -> StatusReport {
    let stage = |stage: Stage| {
        let summary = status.stage(stage);
        let (count, max) = (summary.count, summary.max);
        (stage.name(), StageReport { count, p50: summary.p50, p99: summary.p99, p999: summary.p999, max })
    };
    StatusReport {
        version: status.version.to_string(),
        address,
        shards: status.shards,
        log_time: status.log_time.utc(),
        log_time_ms: status.log_time.ms(),
        uptime_ms: status.uptime_ms,
        connections: status.connections,
        requests: status.requests,
        orders: status.orders,
        orders_max: status.orders_max,
        details_bytes: status.details_bytes,
        details_bytes_max: status.details_bytes_max,
        rss_bytes: status.rss_bytes,
        durability: status.durability.name(),
        interval_ms: (status.durability == DurabilityMode::Interval).then_some(status.interval_ms),
        sync_method: status.sync_method.name(),
        log_bytes: status.log_bytes,
        log_frames: status.log_frames,
        syncs: status.syncs,
        images: status.images,
        image_age_ms: status.image_age_ms,
        sinks: status.sinks,
        sink_lag_ms: status.sink_lag_ms,
        stages: Stage::ALL.into_iter().map(stage).collect(),
    }
}

impl fmt::Display for StatusReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |used: u64, max: u64| format!("{used} of {max}");
        let interval = self.interval_ms.map(|ms| format!(" every {ms} ms")).unwrap_or_default();
        let log = format!("{} in {} frames, {} syncs", bytes_text(self.log_bytes), self.log_frames, self.syncs);
        let images = match self.images {
            0 => "none yet".to_owned(),
            images => format!("{images}, the newest {} old", span_text(self.image_age_ms)),
        };
        let sinks = match self.sinks {
            0 => "none".to_owned(),
            sinks => format!("{sinks}, {} behind", span_text(self.sink_lag_ms)),
        };
        for (name, value) in [
            ("server", format!("stockade {} at {}", self.version, self.address)),
            ("up", span_text(self.uptime_ms)),
            ("log time", self.log_time.clone()),
            ("shards", self.shards.to_string()),
            ("orders", of(self.orders, self.orders_max)),
            ("details", format!("{} of {}", bytes_text(self.details_bytes), bytes_text(self.details_bytes_max))),
            ("memory", bytes_text(self.rss_bytes)),
            ("durability", format!("{}{interval}, {}", self.durability, self.sync_method)),
            ("log", log),
            ("images", images),
            ("sinks", sinks),
            ("connections", self.connections.to_string()),
            ("requests", self.requests.to_string()),
        ] {
            writeln!(f, "{name:<12} {value}")?;
        }
        let mut table = Table::new(&["", "count", "p50", "p99", "p999", "max"]);
        for (name, stage) in &self.stages {
            let numbers = [stage.count, stage.p50, stage.p99, stage.p999, stage.max].map(|number| number.to_string());
            table.row(std::iter::once((*name).to_owned()).chain(numbers).collect());
        }
        write!(f, "\n{table}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_json_of_a_status_has_the_names_programs_rely_on() {
        let report = report(&Status::default(), "127.0.0.1:7733".into());
        let json = serde_json::to_value(&report).expect("plain data");
        let keys = ["version", "shards", "orders", "orders_max", "rss_bytes", "log_bytes", "syncs", "durability"];
        assert!(keys.iter().all(|key| json.get(key).is_some()), "{json}");
        assert!(Stage::ALL.iter().all(|stage| json["stages"][stage.name()]["p999"].is_u64()), "{json}");
        assert_eq!(json["interval_ms"], serde_json::Value::Null);
    }
}
