//! What an operator may choose about the log.

use std::fmt;
use std::path::PathBuf;

use super::Fault;
use crate::base::limits::{
    ENTRY_BYTES_MAX, LOG_BLOCK_BYTES, LOG_FRAME_BYTES_MAX, LOG_INTERVAL_MS_MAX, LOG_LOW_WATER_BYTES_DEFAULT,
    LOG_SEGMENT_BYTES_DEFAULT, LOG_SEGMENT_BYTES_MAX, LOG_SEGMENT_BYTES_MIN, LOG_SEGMENT_BYTES_NODE_MIN, SHARDS_MAX,
};

/// When an answer may be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// After its facts are on the disk. Nothing acknowledged is ever lost.
    #[default]
    Sync,
    /// After its facts are written; the disk is synced every so often. A power cut loses at most the interval.
    Interval {
        /// Milliseconds between two syncs.
        ms: u32,
    },
    /// At once. There is no log: every stop loses everything.
    Memory,
}

impl fmt::Display for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sync => f.write_str("sync"),
            Self::Interval { ms } => write!(f, "interval({ms} ms)"),
            Self::Memory => f.write_str("memory"),
        }
    }
}

/// How a frame is made durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncMethod {
    /// Written through the page cache, then `fdatasync`.
    Fdatasync,
    /// Written past the page cache, durable when the write returns (`O_DIRECT | O_DSYNC`).
    DirectDsync,
}

impl fmt::Display for SyncMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fdatasync => "fdatasync",
            Self::DirectDsync => "direct-dsync",
        })
    }
}

/// Where the log lies and how it is kept.
#[derive(Debug, Clone)]
pub struct Options {
    /// The directory; made when it does not exist.
    pub dir: PathBuf,
    /// Streams of the log, one for each shard; fixed at first start.
    pub shards: u16,
    /// When an answer may be given.
    pub durability: Durability,
    /// Bytes of one segment, a multiple of 4 KiB.
    pub segment_bytes: u64,
    /// `None`: both are measured at start and the cheaper one is taken.
    pub sync_method: Option<SyncMethod>,
    /// Free bytes on the disk below which `Handle::disk_low` is true.
    pub low_water_bytes: u64,
}

impl Options {
    /// The defaults for a node of `shards` shards.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>, shards: u16) -> Self {
        Self {
            dir: dir.into(),
            shards,
            durability: Durability::Sync,
            segment_bytes: LOG_SEGMENT_BYTES_DEFAULT,
            sync_method: None,
            low_water_bytes: LOG_LOW_WATER_BYTES_DEFAULT,
        }
    }

    /// The largest frame these segments take.
    pub(super) fn frame_bytes_max(&self) -> usize {
        let room = self.segment_bytes.saturating_sub(LOG_BLOCK_BYTES as u64);
        usize::try_from(room).unwrap_or(usize::MAX).min(LOG_FRAME_BYTES_MAX)
    }

    /// The largest entry these segments take: [`ENTRY_BYTES_MAX`] unless segments are tiny.
    #[must_use]
    pub fn entry_bytes_max(&self) -> usize {
        (self.frame_bytes_max() - LOG_BLOCK_BYTES).min(ENTRY_BYTES_MAX)
    }

    /// What a node's log must keep to: as [`Options::check`], and segments that take the largest fact a shard can make.
    ///
    /// # Errors
    /// [`Fault::Option`] names the first option out of its range.
    pub fn check_for_node(&self) -> Result<(), Fault> {
        self.check()?;
        if self.segment_bytes < LOG_SEGMENT_BYTES_NODE_MIN {
            let range = "1 MiB to 4 GiB, in steps of 4 KiB";
            return Err(Fault::Option { option: "segment_bytes", given: self.segment_bytes, range });
        }
        Ok(())
    }

    /// # Errors
    /// [`Fault::Option`] names the first option out of its range.
    pub fn check(&self) -> Result<(), Fault> {
        if self.shards == 0 || self.shards > SHARDS_MAX {
            return Err(Fault::Option { option: "shards", given: self.shards.into(), range: "1 to 64" });
        }
        let segment = self.segment_bytes;
        let in_range = (LOG_SEGMENT_BYTES_MIN..=LOG_SEGMENT_BYTES_MAX).contains(&segment);
        if !in_range || !segment.is_multiple_of(LOG_BLOCK_BYTES as u64) {
            let range = "32 KiB to 4 GiB, in steps of 4 KiB";
            return Err(Fault::Option { option: "segment_bytes", given: segment, range });
        }
        match self.durability {
            Durability::Interval { ms } if ms == 0 || ms > LOG_INTERVAL_MS_MAX => {
                Err(Fault::Option { option: "interval", given: ms.into(), range: "1 to 60000 ms" })
            }
            Durability::Sync | Durability::Interval { .. } | Durability::Memory => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::limits::RECORD_BYTES_MAX;

    #[test]
    fn the_smallest_segment_of_a_node_takes_the_largest_record() {
        let least = Options { segment_bytes: LOG_SEGMENT_BYTES_NODE_MIN, ..Options::new("x", 1) };
        assert!(least.check_for_node().is_ok() && least.entry_bytes_max() >= RECORD_BYTES_MAX);
        let smaller = Options { segment_bytes: LOG_SEGMENT_BYTES_NODE_MIN - LOG_BLOCK_BYTES as u64, ..least };
        assert!(smaller.check().is_ok(), "tests of the log may");
        let text = smaller.check_for_node().expect_err("too small").to_string();
        assert_eq!(text, "segment_bytes is 1044480; it must be 1 MiB to 4 GiB, in steps of 4 KiB");
    }

    #[test]
    fn an_option_out_of_range_is_refused_by_name() {
        let good = Options::new("x", 4);
        assert!(good.check().is_ok());
        let refused = |options: Options| match options.check() {
            Err(Fault::Option { option, .. }) => option,
            other => panic!("{other:?}"),
        };
        assert_eq!(refused(Options { shards: 0, ..good.clone() }), "shards");
        assert_eq!(refused(Options { shards: 65, ..good.clone() }), "shards");
        assert_eq!(refused(Options { segment_bytes: 4096, ..good.clone() }), "segment_bytes");
        assert_eq!(refused(Options { segment_bytes: (1 << 20) + 1, ..good.clone() }), "segment_bytes");
        assert_eq!(refused(Options { durability: Durability::Interval { ms: 0 }, ..good }), "interval");
    }
}
