//! A buffer whose first byte lies on a 4 KiB boundary, as `O_DIRECT` wants it, without `unsafe`: one block more than
//! needed is allocated and the start is moved up.

use crate::base::limits::{LOG_BLOCK_BYTES, MIB};

/// Zeroes at first.
#[derive(Debug)]
pub(super) struct AlignedBuffer {
    bytes: Vec<u8>,
    start: usize,
    size: usize,
}

impl AlignedBuffer {
    pub(super) fn new(size: usize) -> Self {
        let bytes = vec![0; size + LOG_BLOCK_BYTES];
        // The Vec never grows, so the heap block, and with it the alignment, stays where it is.
        let start = bytes.as_ptr().align_offset(LOG_BLOCK_BYTES);
        assert!(start < LOG_BLOCK_BYTES, "an address is at most one block away from a boundary");
        Self { bytes, start, size }
    }

    /// For work on so many bytes, a mebibyte at a time: no larger than the longest step.
    pub(super) fn for_steps(bytes: u64) -> Self {
        Self::new(whole_blocks(usize::try_from(bytes).unwrap_or(MIB).min(MIB)))
    }

    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// The first `length` bytes.
    pub(super) fn bytes(&self, length: usize) -> &[u8] {
        &self.bytes[self.start..self.start + length]
    }

    pub(super) fn all_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[self.start..self.start + self.size]
    }
}

/// `length` rounded up to whole blocks.
pub(super) const fn whole_blocks(length: usize) -> usize {
    length.next_multiple_of(LOG_BLOCK_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_byte_lies_on_a_block_boundary() {
        for size in [LOG_BLOCK_BYTES, 3 * LOG_BLOCK_BYTES, 1 << 20] {
            let mut buffer = AlignedBuffer::new(size);
            assert_eq!(buffer.bytes(1).as_ptr() as usize % LOG_BLOCK_BYTES, 0);
            assert_eq!(buffer.all_mut().len(), size);
        }
    }
}
