//! The sealed part of a log: every segment but the one being written. Read while the log goes on.
//!
//! ```text
//! segment 3 │ segment 4 │ segment 5 (being written)
//! └─ begin              └─ end: its header says where every stream stood
//! ```
//!
//! # Always true
//! - What is read here is durable and never changes: the header of the next segment vouches for it.
//! - The directory is not locked: whoever reads here is the process that holds it, or knows that nobody does.

use std::ops::ControlFlow;

use super::disk::Disk;
use super::recovery::{Used, check_joint, open_segments, split, walk};
use super::window::Meter;
use super::{Fault, Progress, ReplayedEntry, StreamTail, directory};
use crate::base::{Sequence, ShardId};

/// A place between two segments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joint {
    /// The segment that begins here.
    pub segment: u64,
    /// Where every stream stood when it was begun.
    pub tails: Vec<StreamTail>,
}

/// The sealed part of a log as it was when it was opened.
pub struct Sealed<D: Disk> {
    disk: D,
    identity: directory::Identity,
    used: Vec<Used>,
}

impl<D: Disk> Sealed<D> {
    /// Looks at the headers of all segments. `None` when no segment has been begun.
    ///
    /// # Errors
    /// Any [`Fault`].
    pub fn open_on(disk: &D) -> Result<Option<Self>, Fault> {
        let identity = directory::read(disk)?;
        let (used, _unused) = split(identity, open_segments(disk)?)?;
        Ok((!used.is_empty()).then(|| Self { disk: disk.clone(), identity, used }))
    }

    /// Streams of the log.
    #[must_use]
    pub const fn shards(&self) -> u16 {
        self.identity.shards
    }

    /// What every file of this log has in common.
    pub(super) const fn identity(&self) -> directory::Identity {
        self.identity
    }

    /// Where the oldest segment begins.
    #[must_use]
    pub fn begin(&self) -> Joint {
        joint(&self.used[0])
    }

    /// Where the segment that was being written begins.
    #[must_use]
    pub fn end(&self) -> Joint {
        joint(self.used.last().expect("law: there is a segment"))
    }

    /// The newest segment in which everything of this stream behind an entry can be found; the oldest there is when
    /// some of it is gone.
    #[must_use]
    pub fn segment_behind(&self, stream: ShardId, entry: Sequence) -> u64 {
        let holds = |used: &&Used| used.header.tails[usize::from(stream.0)].sequence <= entry;
        let found = self.used.iter().rev().find(holds).unwrap_or(&self.used[0]);
        found.header.number
    }

    /// Hands out every entry between the beginning of a segment and the end, in order. `pace` is told every number of
    /// bytes read, may sleep, and ends the reading after the segment under way with [`ControlFlow::Break`].
    ///
    /// # Errors
    /// Any [`Fault`]; [`Fault::Damage`] also where a segment is missing.
    pub fn read(
        &self,
        from: u64,
        replay: &mut dyn FnMut(ReplayedEntry<'_>),
        pace: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, Fault> {
        let at = self.used.iter().position(|used| used.header.number == from).ok_or_else(|| Fault::Damage {
            file: super::segment::name(from),
            offset: 0,
            frame: 0,
            what: "the segment is missing, and what it held is wanted".to_owned(),
        })?;
        for pair in self.used[at..].windows(2) {
            let (mut flow, mut before) = (ControlFlow::Continue(()), 0);
            let mut report = |progress: Progress| {
                if flow.is_continue() {
                    flow = pace(progress.read_bytes - before);
                }
                before = progress.read_bytes;
            };
            let progress = Progress { read_bytes: 0, total_bytes: pair[0].header.segment_bytes };
            let mut meter = Meter { progress, report: &mut report };
            let read = walk(&self.disk, self.identity, (pair, 1), replay, &mut meter)?;
            check_joint(&pair[1], &read.position)?;
            if flow.is_break() {
                return Ok(flow);
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

fn joint(used: &Used) -> Joint {
    Joint { segment: used.header.number, tails: used.header.tails.clone() }
}
