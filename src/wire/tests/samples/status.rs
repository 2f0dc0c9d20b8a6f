//! A status of the samples.

use super::Ingredients;
use crate::wire::{DurabilityMode, STAGES, ServerVersion, Status, Summary, SyncMethodCode};

impl Ingredients {
    pub(super) fn status(&self) -> Status {
        let summary = |at: usize| Summary {
            count: self.word(at),
            p50: self.word(at + 1),
            p99: self.word(at + 2),
            p999: self.word(at + 3),
            max: self.word(at + 4),
        };
        Status {
            version: ServerVersion { major: 1, minor: 2, patch: self.small(0) },
            shards: self.small(1),
            log_time: self.time(0),
            uptime_ms: self.word(1),
            orders: self.word(2),
            orders_max: self.word(3),
            details_bytes: self.word(4),
            details_bytes_max: self.word(5),
            rss_bytes: self.word(6),
            log_bytes: self.word(7),
            syncs: self.word(0),
            log_frames: self.word(1),
            connections: self.word(2),
            requests: self.word(3),
            durability: DurabilityMode::from_byte(self.pick % 3).expect("three modes"),
            interval_ms: self.medium(4),
            sync_method: SyncMethodCode::from_byte(self.pick % 3).expect("three methods"),
            stages: core::array::from_fn::<_, STAGES, _>(summary),
            images: self.small(2),
            image_age_ms: self.word(5),
            sinks: self.small(3),
            sink_lag_ms: self.word(6),
        }
    }
}
