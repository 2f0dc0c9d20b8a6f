//! What the node says about itself when a client asks for its status.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use hdrhistogram::Histogram;

use super::images::{Images, images};
use super::memory;
use crate::adapters::SinkStats;
use crate::base::limits::STATUS_SIGNIFICANT_DIGITS;
use crate::engine::{Capacity, Kept};
use crate::server::StatusSource;
use crate::shard::{Inbox, LogClock, StageStats};
use crate::wal::{Durability, Handle, SyncMethod};
use crate::wire::{DurabilityMode, STAGES, ServerVersion, Stage, Status, Summary, SyncMethodCode};

/// Everything a status is read from.
pub(super) struct NodeStatus {
    pub(super) begun: Instant,
    pub(super) inboxes: Vec<Inbox>,
    pub(super) log: Handle,
    pub(super) clock: LogClock,
    /// Of all shards together.
    pub(super) capacity: Capacity,
    pub(super) log_dir: PathBuf,
    pub(super) sinks: Vec<Arc<SinkStats>>,
}

impl StatusSource for NodeStatus {
    fn status(&self) -> Status {
        let log = self.log.stats();
        let shards: Vec<_> = self.inboxes.iter().map(Inbox::stats).collect();
        let (durability, interval_ms) = match log.mode {
            Durability::Sync => (DurabilityMode::Sync, 0),
            Durability::Interval { ms } => (DurabilityMode::Interval, ms),
            Durability::Memory => (DurabilityMode::Memory, 0),
        };
        let of_stage =
            |pick: fn(&StageStats) -> &Histogram<u64>| summary(shards.iter().map(|shard| pick(&shard.stages)));
        let mut stages = [Summary::default(); STAGES];
        let decided = shards.iter().flat_map(|shard| &shard.stages.decided_us);
        stages[Stage::Decided as usize] = summary(decided);
        stages[Stage::Durable as usize] = of_stage(|stages| &stages.durable_us);
        stages[Stage::Answered as usize] = of_stage(|stages| &stages.answered_us);
        stages[Stage::TurnRequests as usize] = of_stage(|stages| &stages.turn_commands);
        stages[Stage::WriteBytes as usize] = of_stage(|stages| &stages.entry_bytes);
        stages[Stage::Sync as usize] = summary([&log.sync_us].into_iter());
        let kept = |kind: Kept| shards.iter().map(|shard| shard.kept[kind as usize]).sum();
        let Images { count, newest_age } = images(&self.log_dir);
        Status {
            version: ServerVersion::of_this_build(),
            shards: u16::try_from(self.inboxes.len()).unwrap_or(u16::MAX),
            log_time: self.clock.now(),
            uptime_ms: u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX),
            orders: kept(Kept::Orders),
            orders_max: self.capacity.max(Kept::Orders),
            details_bytes: kept(Kept::DetailsBytes),
            details_bytes_max: self.capacity.max(Kept::DetailsBytes),
            rss_bytes: memory::resident(),
            log_bytes: log.written_bytes,
            syncs: log.syncs,
            log_frames: log.frames,
            connections: 0,
            requests: 0,
            durability,
            interval_ms,
            sync_method: match log.method {
                None => SyncMethodCode::None,
                Some(SyncMethod::Fdatasync) => SyncMethodCode::Fdatasync,
                Some(SyncMethod::DirectDsync) => SyncMethodCode::DirectDsync,
            },
            stages,
            images: u16::try_from(count).unwrap_or(u16::MAX),
            image_age_ms: u64::try_from(newest_age.as_millis()).unwrap_or(u64::MAX),
            sinks: u16::try_from(self.sinks.len()).unwrap_or(u16::MAX),
            sink_lag_ms: self.sinks.iter().map(|sink| sink.lag_ms()).max().unwrap_or(0),
        }
    }
}

/// All histograms of one stage in five numbers.
fn summary<'h>(histograms: impl Iterator<Item = &'h Histogram<u64>>) -> Summary {
    let mut all = Histogram::<u64>::new(STATUS_SIGNIFICANT_DIGITS).expect("law: one to five significant digits");
    for histogram in histograms {
        // An auto-resizing histogram takes every value.
        let _resized = all.add(histogram);
    }
    Summary {
        count: all.len(),
        p50: all.value_at_quantile(0.5),
        p99: all.value_at_quantile(0.99),
        p999: all.value_at_quantile(0.999),
        max: all.max(),
    }
}
