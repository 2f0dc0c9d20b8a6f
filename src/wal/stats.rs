//! What the log counts about itself. Written by the log's thread, read by anyone, without a lock.

use std::sync::atomic::{AtomicU64, Ordering};

use hdrhistogram::Histogram;

use crate::base::Distribution;

use super::{Durability, ProbeReport, SyncMethod};

/// A moment's copy of the counters.
#[derive(Debug, Clone)]
pub struct Stats {
    /// Entries made durable.
    pub entries: u64,
    /// Bytes of their facts.
    pub entry_bytes: u64,
    /// Bytes written to segments, headers and padding included.
    pub written_bytes: u64,
    /// Frames written, vouching ones included.
    pub frames: u64,
    /// Syncs made.
    pub syncs: u64,
    /// Time from handing a frame to the disk until it is durable, in microseconds.
    pub sync_us: Histogram<u64>,
    /// How frames are made durable; `None` without a log.
    pub method: Option<SyncMethod>,
    /// When an answer may be given.
    pub mode: Durability,
    /// What the probe at start measured; `None` when the method was forced.
    pub probe: Option<ProbeReport>,
}

/// What one frame adds to the counters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Entries in it.
    pub entries: u64,
    /// Bytes of their facts.
    pub entry_bytes: u64,
    /// Bytes written.
    pub written_bytes: u64,
    /// Frames written.
    pub frames: u64,
    /// Syncs made.
    pub syncs: u64,
}

/// The counters themselves.
#[derive(Debug)]
pub(super) struct Counters {
    entries: AtomicU64,
    entry_bytes: AtomicU64,
    written_bytes: AtomicU64,
    frames: AtomicU64,
    syncs: AtomicU64,
    times_us: Distribution,
}

impl Counters {
    pub(super) fn new() -> Self {
        let zero = || AtomicU64::new(0);
        Self {
            entries: zero(),
            entry_bytes: zero(),
            written_bytes: zero(),
            frames: zero(),
            syncs: zero(),
            times_us: Distribution::default(),
        }
    }

    pub(super) fn add(&self, counts: Counts, took_us: u64) {
        self.entries.fetch_add(counts.entries, Ordering::Relaxed);
        self.entry_bytes.fetch_add(counts.entry_bytes, Ordering::Relaxed);
        self.written_bytes.fetch_add(counts.written_bytes, Ordering::Relaxed);
        self.frames.fetch_add(counts.frames, Ordering::Relaxed);
        self.syncs.fetch_add(counts.syncs, Ordering::Relaxed);
        if counts.syncs > 0 {
            self.times_us.record(took_us);
        }
    }

    pub(super) fn snapshot(&self, method: Option<SyncMethod>, mode: Durability, probe: Option<ProbeReport>) -> Stats {
        Stats {
            entries: self.entries.load(Ordering::Relaxed),
            entry_bytes: self.entry_bytes.load(Ordering::Relaxed),
            written_bytes: self.written_bytes.load(Ordering::Relaxed),
            frames: self.frames.load(Ordering::Relaxed),
            syncs: self.syncs.load(Ordering::Relaxed),
            sync_us: self.times_us.histogram(),
            method,
            mode,
            probe,
        }
    }
}
