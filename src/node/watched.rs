//! What the node tells machines that watch it: every number it counts, and whether it answers orders.
//!
//! # Always true
//! - Telling reads what is counted anyway; no shard's thread and no session is asked.
//! - `docs/METRICS.md` names every family, and a test compares the page with what a node tells.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use hdrhistogram::Histogram;

use super::images::{Images, images};
use super::memory;
use crate::adapters::{AdapterStats, SinkStats};
use crate::engine::{Capacity, Effect, Kept, TaskKind};
use crate::server::{Exposition, Health, HttpSource, Traffic};
use crate::shard::{Inbox, Lane, LaneStats, ShardStats, StageStats};
use crate::wal::{Disk, FileDisk, Handle};
use crate::wire::ServerVersion;

/// How far the node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Phase {
    Recovering = 0,
    Serving = 1,
    Stopping = 2,
}

/// What is told, and from what.
pub(super) struct Watched {
    begun: Instant,
    phase: AtomicU8,
    recovery_us: AtomicU64,
    parts: OnceLock<Parts>,
}

/// Where the numbers are.
pub(super) struct Parts {
    pub(super) inboxes: Vec<Inbox>,
    pub(super) log: Handle,
    pub(super) traffic: Traffic,
    pub(super) adapters: Vec<(&'static str, Arc<AdapterStats>)>,
    pub(super) sinks: Vec<(String, Arc<SinkStats>)>,
    pub(super) log_dir: PathBuf,
    /// Of all shards together.
    pub(super) capacity: Capacity,
}

impl Watched {
    pub(super) fn new() -> Self {
        Self {
            begun: Instant::now(),
            phase: AtomicU8::new(Phase::Recovering as u8),
            recovery_us: AtomicU64::new(0),
            parts: OnceLock::new(),
        }
    }

    /// The log is folded.
    pub(super) fn recovered(&self) {
        let took = u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.recovery_us.store(took, Ordering::Relaxed);
    }

    /// Orders are answered from here on.
    pub(super) fn serve(&self, parts: Parts) {
        let _once = self.parts.set(parts);
        self.phase.store(Phase::Serving as u8, Ordering::Relaxed);
    }

    /// Nothing new is taken in.
    pub(super) fn stop(&self) {
        self.phase.store(Phase::Stopping as u8, Ordering::Relaxed);
    }

    fn is_in(&self, phase: Phase) -> bool {
        self.phase.load(Ordering::Relaxed) == phase as u8
    }
}

impl HttpSource for Watched {
    fn health(&self) -> Health {
        let failed = self.parts.get().is_some_and(|parts| parts.log.failed());
        let (live, ready, reason) = if failed {
            (false, false, "the log failed: nothing is acknowledged any more")
        } else if self.is_in(Phase::Recovering) {
            (true, false, "the log is being read")
        } else if self.is_in(Phase::Stopping) {
            (true, false, "the node is stopping")
        } else {
            (true, true, "orders are answered")
        };
        Health { live, ready, reason }
    }

    fn metrics(&self) -> String {
        let mut out = Exposition::default();
        self.tell_node(&mut out);
        if let Some(parts) = self.parts.get() {
            let shards: Vec<_> = parts.inboxes.iter().map(Inbox::stats).collect();
            tell_door(&mut out, parts);
            tell_shards(&mut out, parts, &shards);
            tell_stages(&mut out, &shards);
            tell_wanted(&mut out, parts, &shards);
            tell_sinks(&mut out, parts);
            tell_log(&mut out, parts);
        }
        out.into_text()
    }
}

impl Watched {
    fn tell_node(&self, out: &mut Exposition) {
        let ServerVersion { major, minor, patch } = ServerVersion::of_this_build();
        out.family("stockade_build_info", "gauge", "1, with the version of the program.");
        out.sample("stockade_build_info", &format!("version=\"{major}.{minor}.{patch}\""), 1);
        let uptime = self.begun.elapsed().as_secs_f64();
        out.single("stockade_uptime_seconds", "gauge", "Since the process was told to serve.", uptime);
        let ready = u8::from(self.health().ready);
        out.single("stockade_ready", "gauge", "1 while orders are answered.", ready);
        let recovery = self.recovery_us.load(Ordering::Relaxed) as f64 / 1e6;
        out.single("stockade_recovery_seconds", "gauge", "What the start took to read image and log.", recovery);
        out.single("stockade_resident_memory_bytes", "gauge", "Memory of the process.", memory::resident());
    }
}

fn tell_door(out: &mut Exposition, parts: &Parts) {
    out.single("stockade_connections", "gauge", "QUIC connections open now.", parts.traffic.connections());
    out.single("stockade_requests_total", "counter", "Requests admitted.", parts.traffic.requests());
    let help = "Placements beyond orders_per_second_max.";
    out.single("stockade_over_rate_total", "counter", help, parts.traffic.over_rate());
    let help = "Placements refused by the board, without their shard.";
    out.single("stockade_board_refusals_total", "counter", help, parts.traffic.sold_out());
}

fn tell_shards(out: &mut Exposition, parts: &Parts, shards: &[ShardStats]) {
    for kept in Kept::ALL {
        let (name, words) = (format!("stockade_{}", kept.name()), kept.name().replace('_', " "));
        out.family(&name, "gauge", &format!("How many {words} are kept."));
        for shard in shards {
            out.sample(&name, &format!("shard=\"{}\"", shard.shard), shard.kept[kept as usize]);
        }
        let help = format!("The most {words} that all shards together keep.");
        out.single(&format!("{name}_max"), "gauge", &help, parts.capacity.max(kept));
    }
    let mut each_lane = |name: &str, kind: &str, help: &str, pick: fn(&LaneStats) -> u64| {
        out.family(name, kind, help);
        for (shard, lane) in shards.iter().flat_map(|shard| shard.lanes.iter().map(move |lane| (shard.shard, lane))) {
            out.sample(name, &format!("shard=\"{shard}\",lane=\"{}\"", lane.lane.name()), pick(lane));
        }
    };
    each_lane("stockade_waiting_submissions", "gauge", "Submissions waiting for a shard.", |lane| {
        lane.waiting_submissions as u64
    });
    each_lane("stockade_waiting_bytes", "gauge", "Their bytes.", |lane| lane.waiting_bytes as u64);
    each_lane("stockade_turned_away_total", "counter", "Requests that a full lane did not take.", |lane| {
        lane.turned_away
    });
}

type Stage = fn(&StageStats) -> &Histogram<u64>;

fn tell_stages(out: &mut Exposition, shards: &[ShardStats]) {
    out.family("stockade_decided_seconds", "histogram", "From submission to the end of the turn that decided it.");
    for (shard, lane) in shards.iter().flat_map(|shard| Lane::ALL.map(move |lane| (shard, lane))) {
        let labels = format!("shard=\"{}\",lane=\"{}\"", shard.shard, lane.name());
        out.seconds("stockade_decided_seconds", &labels, &shard.stages.decided_us[lane as usize]);
    }
    let times: [(&str, &str, Stage); 2] = [
        ("stockade_durable_seconds", "From there until every fact behind it is durable.", |s| &s.durable_us),
        ("stockade_answered_seconds", "From there until a session took the reply.", |s| &s.answered_us),
    ];
    for (name, help, pick) in times {
        out.family(name, "histogram", help);
        for shard in shards {
            out.seconds(name, &format!("shard=\"{}\"", shard.shard), pick(&shard.stages));
        }
    }
    let sizes: [(&str, &str, Stage); 2] = [
        ("stockade_turn_requests", "Requests of one turn of a shard.", |s| &s.turn_commands),
        ("stockade_entry_bytes", "Bytes of facts of one entry of the log.", |s| &s.entry_bytes),
    ];
    for (name, help, pick) in sizes {
        out.family(name, "histogram", help);
        for shard in shards {
            out.counts(name, &format!("shard=\"{}\"", shard.shard), pick(&shard.stages));
        }
    }
}

fn tell_wanted(out: &mut Exposition, parts: &Parts, shards: &[ShardStats]) {
    let lists = [
        ("stockade_wanted", "Effects that adapters are asked for."),
        ("stockade_set_aside", "Effects that adapters tried in vain, until somebody lets them try again."),
    ];
    for (list, (name, help)) in lists.into_iter().enumerate() {
        out.family(name, "gauge", help);
        for (shard, effect) in shards.iter().flat_map(|shard| Effect::ALL.map(|effect| (shard, effect))) {
            let labels = format!("shard=\"{}\",effect=\"{}\"", shard.shard, effect.name());
            out.sample(name, &labels, shard.wanted[effect as usize - 1][list]);
        }
    }
    out.family("stockade_tasks", "gauge", "Reasons why somebody has to look at an order.");
    for (shard, kind) in shards.iter().flat_map(|shard| TaskKind::ALL.map(|kind| (shard, kind))) {
        let labels = format!("shard=\"{}\",kind=\"{}\"", shard.shard, kind.name());
        out.sample("stockade_tasks", &labels, shard.tasks[kind as usize - 1]);
    }
    type Pick = fn(&AdapterStats) -> f64;
    let families: [(&str, &str, &str, Pick); 9] = [
        ("stockade_adapter_held", "gauge", "Wanted effects an adapter has taken from the list.", |it| it.held() as f64),
        ("stockade_adapter_running", "gauge", "Of them, those its counterparty is asked for.", |it| {
            it.running() as f64
        }),
        ("stockade_adapter_tries_total", "counter", "Questions to the counterparty.", |it| it.tries() as f64),
        ("stockade_adapter_failures_total", "counter", "Those without an answer of use.", |it| it.failures() as f64),
        ("stockade_adapter_set_aside_total", "counter", "Effects it set aside.", |it| it.set_aside() as f64),
        ("stockade_adapter_news_total", "counter", "What the counterparty told by itself.", |it| it.news() as f64),
        ("stockade_adapter_news_refused_total", "counter", "What it told and no shard could take note of.", |it| {
            it.news_refused() as f64
        }),
        ("stockade_adapter_breaker_open", "gauge", "1 while the counterparty is left alone.", |it| {
            f64::from(u8::from(it.is_breaker_open()))
        }),
        ("stockade_adapter_lag_seconds", "gauge", "Since the oldest effect it holds is wanted.", |it| {
            it.lag_ms() as f64 / 1e3
        }),
    ];
    for (name, kind, help, pick) in families.into_iter().filter(|_| !parts.adapters.is_empty()) {
        out.family(name, kind, help);
        for (adapter, stats) in &parts.adapters {
            out.sample(name, &format!("adapter=\"{adapter}\""), pick(stats));
        }
    }
}

fn tell_log(out: &mut Exposition, parts: &Parts) {
    let log = parts.log.stats();
    let counters = [
        ("stockade_log_entries_total", "Entries made durable.", log.entries),
        ("stockade_log_entry_bytes_total", "Bytes of facts made durable.", log.entry_bytes),
        ("stockade_log_written_bytes_total", "Bytes written to segments, padding included.", log.written_bytes),
        ("stockade_log_frames_total", "Frames written.", log.frames),
        ("stockade_log_syncs_total", "Syncs made.", log.syncs),
    ];
    for (name, help, value) in counters {
        out.single(name, "counter", help, value);
    }
    out.family("stockade_log_sync_seconds", "histogram", "From handing a frame to the disk until it is durable.");
    out.seconds("stockade_log_sync_seconds", "", &log.sync_us);
    let failed = u8::from(parts.log.failed());
    out.single("stockade_log_failed", "gauge", "1 after a write or a sync failed.", failed);
    let low = u8::from(parts.log.disk_low());
    out.single("stockade_disk_low", "gauge", "1 while placements are refused for want of disk.", low);
    let disk = FileDisk::new(&parts.log_dir);
    // Without a log there is no directory; a disk that does not answer has other alarms.
    let segments = disk.list().map_or(0, |names| names.iter().filter(|name| name.ends_with(".segment")).count());
    out.single("stockade_log_segments", "gauge", "Segments on the disk, prepared ones included.", segments);
    out.single("stockade_disk_free_bytes", "gauge", "Free bytes on its disk.", disk.free_bytes().unwrap_or(0));
    let Images { count, newest_age } = images(&parts.log_dir);
    out.single("stockade_images", "gauge", "Images beside the log.", count);
    let age = newest_age.as_secs_f64();
    out.single("stockade_image_age_seconds", "gauge", "Since the newest image was made; 0 without one.", age);
}

fn tell_sinks(out: &mut Exposition, parts: &Parts) {
    type Pick = fn(&SinkStats) -> f64;
    let families: [(&str, &str, &str, Pick); 8] = [
        ("stockade_sink_held", "gauge", "Facts read for a sink that it has not taken.", |it| it.held() as f64),
        ("stockade_sink_facts_total", "counter", "Facts that it has taken.", |it| it.facts() as f64),
        ("stockade_sink_gaps_total", "counter", "Gaps that it was told of.", |it| it.gaps() as f64),
        ("stockade_sink_deliveries_total", "counter", "Messages sent to it.", |it| it.deliveries() as f64),
        ("stockade_sink_failures_total", "counter", "Those it did not take.", |it| it.failures() as f64),
        ("stockade_sink_cursor_moves_total", "counter", "Durable moves of its cursors.", |it| it.moves() as f64),
        ("stockade_sink_breaker_open", "gauge", "1 while it is left alone.", |it| {
            f64::from(u8::from(it.is_breaker_open()))
        }),
        ("stockade_sink_lag_seconds", "gauge", "Since the oldest fact happened that it has not taken.", |it| {
            it.lag_ms() as f64 / 1e3
        }),
    ];
    for (name, kind, help, pick) in families.into_iter().filter(|_| !parts.sinks.is_empty()) {
        out.family(name, kind, help);
        for (sink, stats) in &parts.sinks {
            out.sample(name, &format!("sink=\"{sink}\""), pick(stats));
        }
    }
}
