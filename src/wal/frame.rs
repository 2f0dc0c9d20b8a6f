//! The header of a frame and of an entry: numbers to bytes and back. Drawn in `docs/LOG-FORMAT.md`.
//!
//! # Always true
//! - A header lies within one sector of the disk, so a torn write leaves it whole or untouched.
//! - The header's checksum covers the body's, so the hash of the header stands for the whole frame in the chain.
//! - Magic, version and checksum keep their places in every version: a version is believed only under a sound
//!   checksum.
//!
//! # Why so
//! CRC-32C for the header: 80 bytes, and it finds every burst of up to 32 bits. XXH3-128 for the body: up to 4 MiB,
//! where one miss in 2^32 would be thin, and as fast as memory in software on every target.

use xxhash_rust::xxh3::xxh3_128;

use super::fields::{put, u16_at, u32_at, u64_at, u128_at};
use crate::base::{Sequence, ShardId, Timestamp};

/// The only version of the format there is.
pub(super) const VERSION: u16 = 0;
pub(super) const HEADER_BYTES: usize = 80;
pub(super) const ENTRY_HEADER_BYTES: usize = 24;
const MAGIC: [u8; 4] = *b"SFRM";
const CHECKSUM_AT: usize = HEADER_BYTES - 4;

/// What the header of a frame says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FrameHeader {
    pub(super) epoch: u64,
    pub(super) number: u64,
    pub(super) previous_hash: u128,
    pub(super) durable_upto: u64,
    pub(super) body_bytes: u32,
    pub(super) entries: u32,
    pub(super) body_hash: u128,
}

/// Why bytes are not the header of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotAHeader {
    Broken,
    OtherVersion(u16),
}

impl FrameHeader {
    pub(super) fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        put(&mut bytes, 0, &MAGIC);
        put(&mut bytes, 4, &VERSION.to_le_bytes());
        put(&mut bytes, 8, &self.epoch.to_le_bytes());
        put(&mut bytes, 16, &self.number.to_le_bytes());
        put(&mut bytes, 24, &self.previous_hash.to_le_bytes());
        put(&mut bytes, 40, &self.durable_upto.to_le_bytes());
        put(&mut bytes, 48, &self.body_bytes.to_le_bytes());
        put(&mut bytes, 52, &self.entries.to_le_bytes());
        put(&mut bytes, 56, &self.body_hash.to_le_bytes());
        let checksum = crc32c::crc32c(&bytes[..CHECKSUM_AT]);
        put(&mut bytes, CHECKSUM_AT, &checksum.to_le_bytes());
        bytes
    }

    /// Reads the first [`HEADER_BYTES`] of `bytes`.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, NotAHeader> {
        // The magic first: looking for a later frame asks this of every block.
        if bytes.len() < HEADER_BYTES || bytes[..4] != MAGIC {
            return Err(NotAHeader::Broken);
        }
        if crc32c::crc32c(&bytes[..CHECKSUM_AT]) != u32_at(bytes, CHECKSUM_AT) {
            return Err(NotAHeader::Broken);
        }
        match u16_at(bytes, 4) {
            VERSION => Ok(Self {
                epoch: u64_at(bytes, 8),
                number: u64_at(bytes, 16),
                previous_hash: u128_at(bytes, 24),
                durable_upto: u64_at(bytes, 40),
                body_bytes: u32_at(bytes, 48),
                entries: u32_at(bytes, 52),
                body_hash: u128_at(bytes, 56),
            }),
            other => Err(NotAHeader::OtherVersion(other)),
        }
    }

    /// What the next frame carries as its `previous_hash`.
    pub(super) fn hash(&self) -> u128 {
        xxh3_128(&self.encode())
    }
}

/// The checksum of a frame's body.
pub(super) fn body_hash(body: &[u8]) -> u128 {
    xxh3_128(body)
}

/// What stands before the bytes of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EntryHeader {
    pub(super) sequence: Sequence,
    pub(super) log_time: Timestamp,
    pub(super) length: u32,
    pub(super) stream: ShardId,
}

impl EntryHeader {
    pub(super) fn encode(&self) -> [u8; ENTRY_HEADER_BYTES] {
        let mut bytes = [0; ENTRY_HEADER_BYTES];
        put(&mut bytes, 0, &self.sequence.0.to_le_bytes());
        put(&mut bytes, 8, &self.log_time.ms().to_le_bytes());
        put(&mut bytes, 16, &self.length.to_le_bytes());
        put(&mut bytes, 20, &self.stream.0.to_le_bytes());
        bytes
    }

    /// `None` when the bytes are too few or the spare ones are not zero.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        if bytes.len() < ENTRY_HEADER_BYTES || u16_at(bytes, 22) != 0 || u64_at(bytes, 8) > Timestamp::MAX.ms() {
            return None;
        }
        Some(Self {
            sequence: Sequence(u64_at(bytes, 0)),
            log_time: Timestamp::from_ms(u64_at(bytes, 8)),
            length: u32_at(bytes, 16),
            stream: ShardId(u16_at(bytes, 20)),
        })
    }
}

/// Bytes an entry takes in a body: header, bytes, zeroes up to a multiple of 8.
pub(super) const fn entry_span(length: usize) -> usize {
    ENTRY_HEADER_BYTES + length.next_multiple_of(8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> FrameHeader {
        FrameHeader {
            epoch: 0x1122_3344_5566_7788,
            number: 7,
            previous_hash: u128::MAX / 3,
            durable_upto: 6,
            body_bytes: 4096,
            entries: 2,
            body_hash: u128::MAX / 7,
        }
    }

    #[test]
    fn a_frame_header_gives_back_its_parts_and_no_flipped_bit_passes() {
        let bytes = header().encode();
        assert_eq!(FrameHeader::decode(&bytes), Ok(header()));
        for bit in 0..HEADER_BYTES * 8 {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(FrameHeader::decode(&flipped), Err(NotAHeader::Broken), "bit {bit}");
        }
    }

    #[test]
    fn another_version_is_believed_only_under_a_sound_checksum() {
        let mut bytes = header().encode();
        put(&mut bytes, 4, &9_u16.to_le_bytes());
        assert_eq!(FrameHeader::decode(&bytes), Err(NotAHeader::Broken));
        let checksum = crc32c::crc32c(&bytes[..CHECKSUM_AT]);
        put(&mut bytes, CHECKSUM_AT, &checksum.to_le_bytes());
        assert_eq!(FrameHeader::decode(&bytes), Err(NotAHeader::OtherVersion(9)));
    }

    #[test]
    fn an_entry_header_gives_back_its_parts() {
        let entry =
            EntryHeader { sequence: Sequence(9), log_time: Timestamp::from_ms(1_000), length: 13, stream: ShardId(3) };
        assert_eq!(EntryHeader::decode(&entry.encode()), Some(entry));
        assert_eq!(EntryHeader::decode(&entry.encode()[1..]), None);
        assert_eq!((entry_span(0), entry_span(1), entry_span(8), entry_span(13)), (24, 32, 32, 40));
    }
}
