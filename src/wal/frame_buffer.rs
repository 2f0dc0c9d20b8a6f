//! The frame being gathered: the only copy of an entry's bytes between the shard and the disk.

use super::aligned::{AlignedBuffer, whole_blocks};
use super::frame::{ENTRY_HEADER_BYTES, EntryHeader, FrameHeader, HEADER_BYTES, body_hash, entry_span};

/// Header, entries, zeroes to the end of the last block.
#[derive(Debug)]
pub(super) struct FrameBuffer {
    buffer: AlignedBuffer,
    filled: usize,
    entries: u32,
}

/// Where in the log a frame stands; the buffer adds what it holds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) epoch: u64,
    pub(super) number: u64,
    pub(super) previous_hash: u128,
    pub(super) durable_upto: u64,
}

impl FrameBuffer {
    pub(super) fn new(frame_bytes_max: usize) -> Self {
        Self { buffer: AlignedBuffer::new(frame_bytes_max), filled: HEADER_BYTES, entries: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries == 0
    }

    pub(super) fn entries(&self) -> u32 {
        self.entries
    }

    /// Whether an entry of `length` bytes still fits.
    pub(super) fn fits(&self, length: usize) -> bool {
        self.filled + entry_span(length) <= self.buffer.size()
    }

    /// Adds an entry that fits.
    pub(super) fn push(&mut self, header: EntryHeader, bytes: &[u8]) {
        assert!(self.fits(bytes.len()), "an entry is gathered only into a frame that has room for it");
        let end = self.filled + entry_span(bytes.len());
        let span = &mut self.buffer.all_mut()[self.filled..end];
        let (head, rest) = span.split_at_mut(ENTRY_HEADER_BYTES);
        let (body, padding) = rest.split_at_mut(bytes.len());
        head.copy_from_slice(&header.encode());
        body.copy_from_slice(bytes);
        padding.fill(0);
        self.filled = end;
        self.entries += 1;
    }

    /// Bytes the frame takes on the disk.
    pub(super) fn span(&self) -> usize {
        whole_blocks(self.filled)
    }

    /// Writes the header and the padding; afterwards [`FrameBuffer::bytes`] may go to the disk.
    pub(super) fn seal(&mut self, place: Place) -> FrameHeader {
        let (filled, span) = (self.filled, self.span());
        let bytes = self.buffer.all_mut();
        bytes[filled..span].fill(0);
        let header = FrameHeader {
            epoch: place.epoch,
            number: place.number,
            previous_hash: place.previous_hash,
            durable_upto: place.durable_upto,
            body_bytes: u32::try_from(filled - HEADER_BYTES).expect("a frame is at most 4 MiB"),
            entries: self.entries,
            body_hash: body_hash(&bytes[HEADER_BYTES..filled]),
        };
        bytes[..HEADER_BYTES].copy_from_slice(&header.encode());
        header
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.buffer.bytes(self.span())
    }

    /// Makes room for the next frame.
    pub(super) fn clear(&mut self) {
        self.filled = HEADER_BYTES;
        self.entries = 0;
    }
}
