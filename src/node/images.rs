//! The images beside the log, as people who watch are told of them.

use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::wal::{FileDisk, images_on};

/// How many there are, and how old the newest is; zeroes where there is none, or no log.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Images {
    pub(super) count: usize,
    pub(super) newest_age: Duration,
}

/// Looks at a log's directory. A disk that does not answer has other alarms.
pub(super) fn images(log_dir: &Path) -> Images {
    let count = images_on(&FileDisk::new(log_dir)).map_or(0, |all| all.len());
    Images { count, newest_age: newest_age(log_dir).unwrap_or_default() }
}

fn newest_age(log_dir: &Path) -> Option<Duration> {
    let images = std::fs::read_dir(log_dir).ok()?.flatten();
    let images = images.filter(|entry| entry.file_name().to_string_lossy().ends_with(".image"));
    let newest = images.filter_map(|entry| entry.metadata().ok()?.modified().ok()).max()?;
    SystemTime::now().duration_since(newest).ok()
}
