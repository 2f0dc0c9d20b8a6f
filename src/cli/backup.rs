//! `backup` and `restore`: a copy of a server's data, also while it runs, and the way back.
//!
//! # Always true
//! - A copy is a data directory: `audit` and `log dump` take it as it is, and so does `serve` where its keys are there.
//! - Nothing is written over: the copy goes where no log is.
//! - Keys of details are copied when somebody says so, after the log, and what that means is said.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::fault::CliFault;
use super::local::{keys_directory, log_directory};
use super::output::{Form, show};
use super::suggestion::quoted;
use super::units;
use crate::keys::{self, Copied};
use crate::wal::{self, BackedUp, FileDisk};

/// Where a restore takes the keys of details from.
#[derive(Debug)]
pub(super) enum KeysFrom {
    /// The backup, if it was made with them.
    Backup,
    /// Where the server kept them.
    Directory(PathBuf),
    /// Details stay closed.
    Nowhere,
}

/// What became of the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum KeysReport {
    /// They were copied.
    Copied,
    /// There were none, and nothing was made of that.
    NotCopied,
    /// Files without keys were made.
    LeftOut,
}

/// What was copied.
#[derive(Debug, Serialize)]
struct Report {
    /// `backup` or `restore`.
    did: &'static str,
    into: String,
    image_before_segment: Option<u64>,
    segments: u64,
    bytes: u64,
    keys: KeysReport,
    streams: Vec<StreamReport>,
}

#[derive(Debug, Serialize)]
struct StreamReport {
    entry: u64,
    log_time_ms: u64,
    log_time: String,
}

impl Report {
    fn of(did: &'static str, into: &Path, copied: &BackedUp, keys: KeysReport) -> Self {
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
            keys,
            streams: copied.tails.iter().map(stream).collect(),
        }
    }
}

impl Report {
    fn keys_text(&self) -> String {
        let keys = quoted(&keys_directory(Path::new(&self.into)).display().to_string());
        match (self.keys, self.did) {
            (KeysReport::Copied, "backup") => {
                "keys of customers' details are in it: whoever has it can read them, also those erased later".to_owned()
            }
            (KeysReport::NotCopied, "backup") => {
                "no details of customers can be read from it: it holds no keys".to_owned()
            }
            (KeysReport::Copied, _) => "with the keys of customers' details".to_owned(),
            (KeysReport::NotCopied, _) => format!(
                "without keys of customers' details: put those of the server into {keys} before it starts, or restore \
                 again with --keys or --without-keys"
            ),
            (KeysReport::LeftOut, _) => "without the details of every order in it, for good".to_owned(),
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
        writeln!(f, "{}", self.keys_text())?;
        match self.did {
            "backup" => writeln!(f, "check it with `stockade audit {directory}`"),
            _ => writeln!(f, "start it with `stockade serve --data {directory}`"),
        }
    }
}

/// Copies the data of a server that may be running.
pub(super) fn backup(
    data: &Path,
    into: &Path,
    (bytes_per_second, with_keys): (&str, bool),
    form: Form,
) -> Result<(), CliFault> {
    let mut pace = pace(bytes_per_second)?;
    let copied = wal::backup(&log_directory(data), &log_directory(into), &mut pace)?;
    let keys = if with_keys {
        copy_keys(&keys_directory(data), &keys_directory(into), log(data)?, &mut pace)?
    } else {
        KeysReport::NotCopied
    };
    show(form, &Report::of("backup", into, &copied, keys));
    Ok(())
}

/// Copies a backup to where a server is to go on from it.
pub(super) fn restore(backup: &Path, data: &Path, from: &KeysFrom, form: Form) -> Result<(), CliFault> {
    let log = log(backup)?;
    let keys = match from {
        KeysFrom::Nowhere => None,
        KeysFrom::Backup => Some(keys_directory(backup)),
        KeysFrom::Directory(dir) => Some(dir.clone()),
    };
    // Looked at before anything is copied.
    let files = keys.as_ref().map_or(Ok(0), |dir| keys::check_on(&FileDisk::new(dir), log))?;
    if let (KeysFrom::Directory(dir), 0) = (from, files) {
        return Err(CliFault::usage(format!("{} holds no keys of this log", dir.display())));
    }
    let copied = wal::restore(&log_directory(backup), &log_directory(data), &mut |_| {})?;
    let into = keys_directory(data);
    let keys = match keys {
        Some(dir) => copy_keys(&dir, &into, log, &mut |_| {})?,
        None => {
            keys::leave_out_on(&FileDisk::new(&into), log)?;
            KeysReport::LeftOut
        }
    };
    show(form, &Report::of("restore", data, &copied, keys));
    Ok(())
}

/// Brings the keys of a log along that was copied past damage. Tells whether there were any.
pub(super) fn bring_keys(data: &Path, new: &Path) -> Result<bool, CliFault> {
    let copied = copy_keys(&keys_directory(data), &keys_directory(new), log(new)?, &mut |_| {})?;
    Ok(copied == KeysReport::Copied)
}

/// What a log calls itself, and its shards.
fn log(data: &Path) -> Result<(u128, u16), CliFault> {
    let dir = log_directory(data);
    let none = || wal::Fault::NoLog { directory: dir.display().to_string() };
    Ok((wal::node_of(&dir)?.ok_or_else(none)?, wal::shards_of(&dir)?.ok_or_else(none)?))
}

fn copy_keys(from: &Path, into: &Path, log: (u128, u16), pace: &mut dyn FnMut(u64)) -> Result<KeysReport, CliFault> {
    let Copied { files, .. } = keys::copy_on(&FileDisk::new(from), &FileDisk::new(into), log, pace)?;
    Ok(if files > 0 { KeysReport::Copied } else { KeysReport::NotCopied })
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
