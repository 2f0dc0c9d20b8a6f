//! `backup` and `restore`: a copy of a server's data, also while it runs, and the way back.
//!
//! # Always true
//! - A copy is a data directory: `audit`, `log dump` and `serve` take it as it is.
//! - Nothing is written over: the copy goes where no log is.

use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::fault::CliFault;
use super::local::log_directory;
use super::output::{Form, show};
use super::suggestion::quoted;
use super::units;
use crate::wal::{self, BackedUp};

/// What was copied.
#[derive(Debug, Serialize)]
struct Report {
    /// `backup` or `restore`.
    did: &'static str,
    into: String,
    image_before_segment: Option<u64>,
    segments: u64,
    bytes: u64,
    streams: Vec<StreamReport>,
}

#[derive(Debug, Serialize)]
struct StreamReport {
    entry: u64,
    log_time_ms: u64,
    log_time: String,
}

impl Report {
    fn of(did: &'static str, into: &Path, copied: &BackedUp) -> Self {
        let stream = |tail: &wal::StreamTail| StreamReport {
            entry: tail.sequence.0,
            log_time_ms: tail.log_time.ms(),
            log_time: tail.log_time.utc(),
        };
        Self {
            did,
            into: into.display().to_string(),
            image_before_segment: copied.image,
            segments: copied.segments,
            bytes: copied.bytes,
            streams: copied.tails.iter().map(stream).collect(),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { into, segments, bytes, .. } = self;
        if let Some(segment) = self.image_before_segment {
            write!(f, "the image before segment {segment} and ")?;
        }
        writeln!(f, "{segments} segments, {} MiB, copied to {into} and read back", bytes >> 20)?;
        for (stream, StreamReport { entry, log_time, .. }) in self.streams.iter().enumerate() {
            match entry {
                0 => writeln!(f, "stream {stream}: nothing was ever written")?,
                _ => writeln!(f, "stream {stream}: up to entry {entry} of {log_time}")?,
            }
        }
        let directory = quoted(into);
        match self.did {
            "backup" => writeln!(f, "check it with `stockade audit {directory}`"),
            _ => writeln!(f, "start it with `stockade serve --data {directory}`"),
        }
    }
}

/// Copies the data of a server that may be running.
pub(super) fn backup(data: &Path, into: &Path, bytes_per_second: &str, form: Form) -> Result<(), CliFault> {
    let mut pace = pace(bytes_per_second)?;
    let copied = wal::backup(&log_directory(data), &log_directory(into), &mut pace)?;
    show(form, &Report::of("backup", into, &copied));
    Ok(())
}

/// Copies a backup to where a server is to go on from it.
pub(super) fn restore(backup: &Path, data: &Path, form: Form) -> Result<(), CliFault> {
    let copied = wal::restore(&log_directory(backup), &log_directory(data), &mut |_| {})?;
    show(form, &Report::of("restore", data, &copied));
    Ok(())
}

/// Waits so that no more than so many bytes are copied in a second.
fn pace(bytes_per_second: &str) -> Result<impl FnMut(u64), CliFault> {
    let rate = units::bytes(bytes_per_second).filter(|rate| *rate > 0);
    let rate = rate.ok_or_else(|| {
        CliFault::usage(format!("--bytes-per-second {bytes_per_second}: it must be {}, above 0", units::BYTES))
    })?;
    let (begun, mut done) = (Instant::now(), 0_u64);
    Ok(move |bytes: u64| {
        done += bytes;
        let due = Duration::from_secs_f64(done as f64 / rate as f64);
        // Woken early it is a little fast, once.
        std::thread::park_timeout(due.saturating_sub(begun.elapsed()));
    })
}
