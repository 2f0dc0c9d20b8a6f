//! Which way to sync is cheaper on this disk: measured at start, in well under a second.
//!
//! # Why so
//! Drives with power-loss protection are faster with `O_DIRECT | O_DSYNC`, many others with `fdatasync`; nothing but
//! measuring tells which one this is. Small frames weigh as much as large ones: a quiet node writes only small ones.

use std::io;
use std::time::{Duration, Instant};

use super::aligned::AlignedBuffer;
use super::disk::{Access, Disk, DiskFile};
use super::fault::Attempt;
use super::{Fault, SyncMethod};
use crate::base::limits::{KIB, LOG_BLOCK_BYTES, LOG_PROBE_MS_MAX, LOG_PROBE_WRITES_MAX};

const PROBE_NAME: &str = "probe.tmp";
const SIZES: [usize; 2] = [4 * KIB, 64 * KIB];
const FILE_BYTES: usize = LOG_PROBE_WRITES_MAX * 64 * KIB;

/// Median microseconds until a write is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProbeCost {
    /// For 4 KiB.
    pub small_us: u64,
    /// For 64 KiB.
    pub large_us: u64,
}

/// What the probe measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProbeReport {
    /// Through the page cache, then `fdatasync`.
    pub fdatasync: ProbeCost,
    /// Past the page cache; `None` where the file system cannot.
    pub direct_dsync: Option<ProbeCost>,
}

impl ProbeReport {
    /// The method whose two medians add up to less; `fdatasync` when equal.
    #[must_use]
    pub fn choice(&self) -> SyncMethod {
        let sum = |cost: ProbeCost| cost.small_us + cost.large_us;
        match self.direct_dsync {
            Some(direct) if sum(direct) < sum(self.fdatasync) => SyncMethod::DirectDsync,
            Some(_) | None => SyncMethod::Fdatasync,
        }
    }
}

/// Measures both methods on a file of its own, which is gone afterwards. `None` on a disk without room for that file: a
/// log that exists must open there all the same, for what is urgent.
pub(super) fn probe<D: Disk>(disk: &D) -> Result<Option<ProbeReport>, Fault> {
    let prefilled = prefill(disk).attempt("prefill", PROBE_NAME);
    let measured = prefilled.and_then(|()| measure_both(disk).attempt("probe", PROBE_NAME));
    let removed = disk.remove(PROBE_NAME).attempt("remove", PROBE_NAME);
    match measured {
        Ok(report) => {
            tracing::info!(method = %report.choice(), ?report, "measured what a sync costs");
            removed.map(|()| Some(report))
        }
        Err(fault) if fault.is_full_disk() => {
            tracing::warn!(%fault, "no room to measure what a sync costs; fdatasync is taken");
            Ok(None)
        }
        Err(fault) => Err(fault),
    }
}

fn prefill<D: Disk>(disk: &D) -> io::Result<()> {
    let file = disk.create(PROBE_NAME)?;
    file.allocate(FILE_BYTES as u64)?;
    file.write_at(AlignedBuffer::new(FILE_BYTES).bytes(FILE_BYTES), 0)?;
    file.sync()
}

fn measure_both<D: Disk>(disk: &D) -> io::Result<ProbeReport> {
    let fdatasync = measure(&disk.open(PROBE_NAME, Access::Write)?, true)?;
    let direct_dsync = match disk.open(PROBE_NAME, Access::Durable) {
        Ok(file) => measure(&file, false).ok(),
        Err(_) => None,
    };
    Ok(ProbeReport { fdatasync, direct_dsync })
}

fn measure<F: DiskFile>(file: &F, sync: bool) -> io::Result<ProbeCost> {
    let [small, large] = SIZES;
    Ok(ProbeCost { small_us: median_us(file, small, sync)?, large_us: median_us(file, large, sync)? })
}

fn median_us<F: DiskFile>(file: &F, size: usize, sync: bool) -> io::Result<u64> {
    let buffer = AlignedBuffer::new(size.max(LOG_BLOCK_BYTES));
    let mut times = Vec::with_capacity(LOG_PROBE_WRITES_MAX);
    let begin = Instant::now();
    for turn in 0..LOG_PROBE_WRITES_MAX {
        let start = Instant::now();
        file.write_at(buffer.bytes(size), (turn * size) as u64)?;
        if sync {
            file.sync()?;
        }
        times.push(u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX));
        if begin.elapsed() > Duration::from_millis(LOG_PROBE_MS_MAX) {
            break;
        }
    }
    times.sort_unstable();
    Ok(times[times.len() / 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cheaper_method_is_taken_and_fdatasync_when_in_doubt() {
        let cost = |small_us, large_us| ProbeCost { small_us, large_us };
        let report = |direct_dsync| ProbeReport { fdatasync: cost(100, 200), direct_dsync };
        assert_eq!(report(Some(cost(90, 200))).choice(), SyncMethod::DirectDsync);
        assert_eq!(report(Some(cost(100, 200))).choice(), SyncMethod::Fdatasync);
        assert_eq!(report(Some(cost(10, 400))).choice(), SyncMethod::Fdatasync);
        assert_eq!(report(None).choice(), SyncMethod::Fdatasync);
    }
}
