//! What the log counts about itself. Written by the log's thread, read by anyone, without a lock.

use std::sync::atomic::{AtomicU64, Ordering};

use hdrhistogram::Histogram;

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
    times: Times,
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
            times: Times::new(),
        }
    }

    pub(super) fn add(&self, counts: Counts, took_us: u64) {
        self.entries.fetch_add(counts.entries, Ordering::Relaxed);
        self.entry_bytes.fetch_add(counts.entry_bytes, Ordering::Relaxed);
        self.written_bytes.fetch_add(counts.written_bytes, Ordering::Relaxed);
        self.frames.fetch_add(counts.frames, Ordering::Relaxed);
        self.syncs.fetch_add(counts.syncs, Ordering::Relaxed);
        if counts.syncs > 0 {
            self.times.record(took_us);
        }
    }

    pub(super) fn snapshot(&self, method: Option<SyncMethod>, mode: Durability, probe: Option<ProbeReport>) -> Stats {
        Stats {
            entries: self.entries.load(Ordering::Relaxed),
            entry_bytes: self.entry_bytes.load(Ordering::Relaxed),
            written_bytes: self.written_bytes.load(Ordering::Relaxed),
            frames: self.frames.load(Ordering::Relaxed),
            syncs: self.syncs.load(Ordering::Relaxed),
            sync_us: self.times.histogram(),
            method,
            mode,
            probe,
        }
    }
}

/// Microseconds in buckets that a reader may copy while the writer counts: 32 to each power of two, 3 % wide.
#[derive(Debug)]
struct Times {
    buckets: Box<[AtomicU64]>,
}

const STEP_BITS: u32 = 5;
const STEPS: u64 = 1 << STEP_BITS;
/// Covers more than an hour.
const BUCKETS: usize = 28 * STEPS as usize;

impl Times {
    fn new() -> Self {
        Self { buckets: (0..BUCKETS).map(|_| AtomicU64::new(0)).collect() }
    }

    fn record(&self, us: u64) {
        if let Some(bucket) = self.buckets.get(bucket_of(us).min(BUCKETS - 1)) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn histogram(&self) -> Histogram<u64> {
        let mut histogram = Histogram::new(2).expect("two significant digits are legal");
        for (index, bucket) in self.buckets.iter().enumerate() {
            let count = bucket.load(Ordering::Relaxed);
            if count > 0 {
                // Auto-resizing histograms refuse no value.
                let _resized = histogram.record_n(value_of(index), count);
            }
        }
        histogram
    }
}

fn bucket_of(us: u64) -> usize {
    if us < STEPS {
        return us as usize;
    }
    let power = us.ilog2() - STEP_BITS;
    ((u64::from(power) + 1) * STEPS + ((us >> power) - STEPS)) as usize
}

/// The largest value of a bucket: the histogram errs on the slow side.
fn value_of(index: usize) -> u64 {
    let index = index as u64;
    if index < STEPS {
        return index;
    }
    let power = index / STEPS - 1;
    ((STEPS + index % STEPS + 1) << power) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_kept_within_one_part_in_thirty_two() {
        for us in [0, 1, 31, 32, 33, 63, 64, 100, 1_000, 12_345, 1_000_000, 3_600_000_000] {
            let kept = value_of(bucket_of(us));
            assert!(kept >= us && kept - us <= us / 32, "{us} was kept as {kept}");
        }
        let times = Times::new();
        times.record(u64::MAX);
        assert_eq!(times.histogram().len(), 1, "a time past the end is still counted");
    }
}
