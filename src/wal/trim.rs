//! Trimming: removes the oldest segments once nobody needs their entries any more.
//!
//! # Always true
//! - Segments go from the oldest on, and only while a later one that is in use says where every stream stood: the
//!   log stays one gapless piece, and the segment being written is never touched.
//!
//! # Not here
//! - Who still needs what: snapshots and cursors know.

use super::Fault;
use super::disk::{Access, Disk, DiskFile};
use super::fault::Attempt;
use super::recovery::segments;
use super::segment::{self, FirstBlock, SegmentHeader};
use crate::base::Sequence;
use crate::base::limits::LOG_BLOCK_BYTES;

/// Removes every leading segment before segment `below` whose entries are all at or below `upto`, by stream. May be
/// called by the process that runs the log, from any one thread. Says how many segments went.
///
/// The segment behind an image stays although it may hold no entry: whoever goes on from the image begins there.
///
/// # Errors
/// [`Fault::Disk`].
pub fn trim_on<D: Disk>(disk: &D, below: u64, upto: &[Sequence]) -> Result<usize, Fault> {
    let numbers = segments(disk)?;
    let mut removed = 0;
    for pair in numbers.windows(2) {
        let &[oldest, next] = pair else { break };
        if oldest >= below {
            break;
        }
        let Some(header) = header(disk, next)? else { break };
        let covered =
            |(stream, tail): (usize, &super::StreamTail)| upto.get(stream).is_some_and(|s| tail.sequence <= *s);
        if !header.tails.iter().enumerate().all(covered) {
            break;
        }
        let name = segment::name(oldest);
        disk.remove(&name).attempt("remove", &name)?;
        // One by one: a crash between two removals never leaves a hole.
        disk.sync_dir().attempt("sync", &disk.describe())?;
        removed += 1;
    }
    Ok(removed)
}

fn header<D: Disk>(disk: &D, number: u64) -> Result<Option<SegmentHeader>, Fault> {
    let name = segment::name(number);
    let file = disk.open(&name, Access::Read).attempt("open", &name)?;
    let mut block = vec![0; LOG_BLOCK_BYTES];
    let read = file.read_at(&mut block, 0).attempt("read", &name)?;
    match SegmentHeader::decode(&name, &block[..read])? {
        FirstBlock::Header(header) => Ok(Some(header)),
        FirstBlock::Blank | FirstBlock::Broken => Ok(None),
    }
}
