//! Numbers in blocks of bytes, little-endian, and the question whether bytes are all zero.

use crate::base::limits::LOG_BLOCK_BYTES;

const ZEROES: [u8; LOG_BLOCK_BYTES] = [0; LOG_BLOCK_BYTES];

/// Asked of every byte after the end of the log at each start: compared block by block, which the machine does fast.
pub(super) fn is_zero(bytes: &[u8]) -> bool {
    bytes.chunks(LOG_BLOCK_BYTES).all(|chunk| chunk == &ZEROES[..chunk.len()])
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut field = [0; N];
    field.copy_from_slice(&bytes[at..at + N]);
    field
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(array(bytes, at))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(array(bytes, at))
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(array(bytes, at))
}

pub(super) fn u128_at(bytes: &[u8], at: usize) -> u128 {
    u128::from_le_bytes(array(bytes, at))
}

/// Writes `field` at `at`.
pub(super) fn put(bytes: &mut [u8], at: usize, field: &[u8]) {
    bytes[at..at + field.len()].copy_from_slice(field);
}
