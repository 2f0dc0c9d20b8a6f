//! A moving window over one segment: large reads, so that recovery runs at the speed of the disk.

use super::disk::DiskFile;
use super::fault::Attempt;
use super::{Fault, Progress};
use crate::base::limits::{FOLLOW_READ_BYTES, LOG_FRAME_BYTES_MAX, MIB};

/// Two of the largest frames: every frame is seen in one piece, and a read is several MiB.
const WINDOW_BYTES: usize = 8 * MIB;
const _: () = assert!(WINDOW_BYTES >= 2 * LOG_FRAME_BYTES_MAX);

/// Counts what was read, for the progress bar.
pub(super) struct Meter<'a> {
    pub(super) progress: Progress,
    pub(super) report: &'a mut dyn FnMut(Progress),
}

impl Meter<'_> {
    fn add(&mut self, read: usize) {
        self.progress.read_bytes += read as u64;
        (self.report)(self.progress);
    }
}

pub(super) struct Window<F> {
    file: F,
    name: String,
    size: u64,
    buffer: Vec<u8>,
    /// Read at once, at most, unless more is asked for.
    ahead: usize,
    start: u64,
    filled: usize,
}

impl<F: DiskFile> Window<F> {
    /// `size` bounds what is read, and the buffer with it.
    pub(super) fn new(file: F, name: &str, size: u64) -> Self {
        let length = usize::try_from(size).map_or(WINDOW_BYTES, |size| size.min(WINDOW_BYTES));
        Self { file, name: name.to_owned(), size, buffer: vec![0; length], ahead: length, start: 0, filled: 0 }
    }

    /// One that reads little ahead: for a file that is being written meanwhile.
    pub(super) fn narrow(file: F, name: &str, size: u64) -> Self {
        Self { ahead: FOLLOW_READ_BYTES, ..Self::new(file, name, size) }
    }

    /// Reads everything anew from now on.
    pub(super) const fn forget(&mut self) {
        self.filled = 0;
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// `length` bytes from `offset`; fewer at the end of the segment.
    pub(super) fn get(&mut self, offset: u64, length: usize, meter: &mut Meter<'_>) -> Result<&[u8], Fault> {
        let rest = usize::try_from(self.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let length = length.min(rest).min(self.buffer.len());
        if offset < self.start || offset + length as u64 > self.start + self.filled as u64 {
            self.fill(offset, length, meter)?;
        }
        let at = (offset - self.start) as usize;
        let end = (at + length).min(self.filled);
        Ok(&self.buffer[at.min(end)..end])
    }

    /// As much as there is from `offset`, at most one window: for looking at everything.
    pub(super) fn get_much(&mut self, offset: u64, meter: &mut Meter<'_>) -> Result<&[u8], Fault> {
        let buffered = (self.start + self.filled as u64).saturating_sub(offset);
        if offset < self.start || buffered == 0 {
            self.fill(offset, self.buffer.len(), meter)?;
        }
        let at = (offset - self.start) as usize;
        Ok(&self.buffer[at.min(self.filled)..self.filled])
    }

    /// Moves the window to `offset`, keeping what it already has of it, and reads on until it has `length` bytes.
    fn fill(&mut self, offset: u64, length: usize, meter: &mut Meter<'_>) -> Result<(), Fault> {
        let end = self.start + self.filled as u64;
        let kept = if (self.start..end).contains(&offset) { (end - offset) as usize } else { 0 };
        self.buffer.copy_within(self.filled - kept..self.filled, 0);
        self.start = offset;
        self.filled = kept;
        let rest = self.size.saturating_sub(offset + kept as u64);
        let wanted = usize::try_from(rest).unwrap_or(usize::MAX);
        let wanted = wanted.min(self.ahead.max(length).min(self.buffer.len()).saturating_sub(kept));
        let into = &mut self.buffer[kept..kept + wanted];
        let read = self.file.read_at(into, offset + kept as u64).attempt("read", &self.name)?;
        self.filled += read;
        meter.add(read);
        Ok(())
    }
}
