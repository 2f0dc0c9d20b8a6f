//! Sweeping: reads past damage, frame by sound frame, and says which regions hold none.
//!
//! # Always true
//! - A frame counts only if it carries the epoch of its segment; in a segment without a sound header, that of the
//!   first sound frame.
//! - After a place without a frame the search goes on at the next block: frames begin nowhere else.

use super::disk::{Access, Disk, DiskFile};
use super::fault::Attempt;
use super::reader::Region;
use super::recovery::segments;
use super::segment::{self, FirstBlock, SegmentHeader};
use super::verdict::Later;
use super::walk::{Sound, frame_at, look_further};
use super::window::{Meter, Window};
use super::{Fault, Progress};
use crate::base::limits::LOG_BLOCK_BYTES;

const BLOCK: u64 = LOG_BLOCK_BYTES as u64;

/// What a sweep comes across.
pub(super) enum Seen<'a> {
    Segment { file: &'a str, header: Option<&'a SegmentHeader> },
    Frame { file: &'a str, offset: u64, frame: Sound<'a> },
    Unreadable(Region),
}

/// Visits everything there is.
pub(super) fn sweep<D: Disk>(disk: &D, visit: &mut dyn FnMut(Seen<'_>)) -> Result<(), Fault> {
    for number in segments(disk)? {
        sweep_segment(disk, &segment::name(number), visit)?;
    }
    Ok(())
}

fn sweep_segment<D: Disk>(disk: &D, name: &str, visit: &mut dyn FnMut(Seen<'_>)) -> Result<(), Fault> {
    let mut silent = |_| {};
    let mut meter = Meter { progress: Progress { read_bytes: 0, total_bytes: 0 }, report: &mut silent };
    let file = disk.open(name, Access::Read).attempt("open", name)?;
    let size = file.size().attempt("measure", name)?;
    let mut window = Window::new(file, name, size);
    let first = SegmentHeader::decode(name, window.get(0, LOG_BLOCK_BYTES, &mut meter)?)?;
    let header = match &first {
        FirstBlock::Header(header) => Some(header),
        FirstBlock::Blank | FirstBlock::Broken => None,
    };
    if header.is_none() && look_further(&mut window, BLOCK, 0, u64::MAX, &mut meter)? == Later::Zeroes {
        // Prepared, or torn before its first frame.
        return Ok(());
    }
    visit(Seen::Segment { file: name, header });
    let epoch = header.map(|header| header.epoch);
    let mut sweep = SegmentSweep { window, name, epoch, bad_from: header.is_none().then_some(0) };
    sweep.run(visit, &mut meter)
}

struct SegmentSweep<'a, F> {
    window: Window<F>,
    name: &'a str,
    epoch: Option<u64>,
    /// Where the region without a frame began in which the sweep is.
    bad_from: Option<u64>,
}

impl<F: DiskFile> SegmentSweep<'_, F> {
    fn run(&mut self, visit: &mut dyn FnMut(Seen<'_>), meter: &mut Meter<'_>) -> Result<(), Fault> {
        let mut offset = BLOCK;
        while offset < self.window.size() {
            let frame = match frame_at(&mut self.window, offset, meter)? {
                Ok(frame) if self.epoch.is_none_or(|epoch| epoch == frame.header.epoch) => frame,
                Ok(_) | Err(_) => {
                    self.bad_from.get_or_insert(offset);
                    offset += BLOCK;
                    continue;
                }
            };
            self.epoch = Some(frame.header.epoch);
            if let Some(from) = self.bad_from.take() {
                visit(Seen::Unreadable(Region { file: self.name.to_owned(), offset: from, bytes: offset - from }));
            }
            let (at, span) = (offset, frame.span);
            visit(Seen::Frame { file: self.name, offset: at, frame });
            offset += span;
        }
        self.end(visit, meter)
    }

    /// Zeroes up to the end are the empty end of the segment.
    fn end(&mut self, visit: &mut dyn FnMut(Seen<'_>), meter: &mut Meter<'_>) -> Result<(), Fault> {
        let Some(from) = self.bad_from.take() else { return Ok(()) };
        if look_further(&mut self.window, from, 0, u64::MAX, meter)? != Later::Zeroes {
            let bytes = self.window.size() - from;
            visit(Seen::Unreadable(Region { file: self.name.to_owned(), offset: from, bytes }));
        }
        Ok(())
    }
}
