//! Segments: files of one size, filled with zeroes before their first frame, written once from front to back.
//!
//! The first block is the header. It is durable before the first frame of its segment is written and after the last
//! frame of the segment before, for which it vouches.

use super::directory::Identity;
use super::fields::{put, u16_at, u32_at, u64_at, u128_at};
use super::frame::VERSION;
use super::{Fault, StreamTail};
use crate::base::limits::{LOG_BLOCK_BYTES, SHARDS_MAX};
use crate::base::{Sequence, Timestamp};

const MAGIC: [u8; 8] = *b"STKSEGMT";
const TAILS_AT: usize = 128;
pub(super) const BLOCK_CHECKSUM_AT: usize = LOG_BLOCK_BYTES - 4;

const PREFIX: &str = "log-";
const SUFFIX: &str = ".segment";
const PREPARING_SUFFIX: &str = ".preparing";

/// The name of segment `number`.
pub(super) fn name(number: u64) -> String {
    format!("{PREFIX}{number:010}{SUFFIX}")
}

/// Its name while it is being filled with zeroes.
pub(super) fn preparing_name(number: u64) -> String {
    format!("{PREFIX}{number:010}{PREPARING_SUFFIX}")
}

pub(super) fn is_preparing(name: &str) -> bool {
    name.starts_with(PREFIX) && name.ends_with(PREPARING_SUFFIX)
}

/// The number in a segment's name; `None` for any other file.
pub(super) fn number_in(file: &str) -> Option<u64> {
    let number = file.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?.parse().ok()?;
    (name(number) == file).then_some(number)
}

/// What the header of a segment says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SegmentHeader {
    pub(super) identity: Identity,
    pub(super) number: u64,
    pub(super) epoch: u64,
    pub(super) segment_bytes: u64,
    /// The last frame of the segment before; zero in the first segment.
    pub(super) previous_frame: u64,
    pub(super) previous_hash: u128,
    /// Where each stream stood when the segment was begun: what makes it possible to trim the segments before.
    pub(super) tails: Vec<StreamTail>,
}

/// What the first block of a segment is.
#[derive(Debug)]
pub(super) enum FirstBlock {
    Blank,
    Broken,
    Header(SegmentHeader),
}

impl SegmentHeader {
    pub(super) fn encode(&self, block: &mut [u8]) {
        block.fill(0);
        put(block, 0, &MAGIC);
        put(block, 8, &VERSION.to_le_bytes());
        put(block, 10, &self.identity.shards.to_le_bytes());
        put(block, 16, &self.identity.node.to_le_bytes());
        put(block, 32, &self.number.to_le_bytes());
        put(block, 40, &self.epoch.to_le_bytes());
        put(block, 48, &self.segment_bytes.to_le_bytes());
        put(block, 56, &self.previous_frame.to_le_bytes());
        put(block, 64, &self.previous_hash.to_le_bytes());
        for (stream, tail) in self.tails.iter().enumerate() {
            put(block, TAILS_AT + 16 * stream, &tail.sequence.0.to_le_bytes());
            put(block, TAILS_AT + 16 * stream + 8, &tail.log_time.ms().to_le_bytes());
        }
        seal_block(block);
    }

    /// Reads the first block of `file`.
    ///
    /// # Errors
    /// [`Fault::OtherVersion`] under a sound checksum.
    pub(super) fn decode(file: &str, block: &[u8]) -> Result<FirstBlock, Fault> {
        if super::fields::is_zero(block) {
            return Ok(FirstBlock::Blank);
        }
        if !is_sealed_block(block, MAGIC) {
            return Ok(FirstBlock::Broken);
        }
        check_version(file, block)?;
        let shards = u16_at(block, 10);
        if shards == 0 || shards > SHARDS_MAX {
            return Ok(FirstBlock::Broken);
        }
        let tail = |stream: u16| {
            let at = TAILS_AT + 16 * usize::from(stream);
            StreamTail { sequence: Sequence(u64_at(block, at)), log_time: Timestamp::from_ms(u64_at(block, at + 8)) }
        };
        Ok(FirstBlock::Header(Self {
            identity: Identity { node: u128_at(block, 16), shards },
            number: u64_at(block, 32),
            epoch: u64_at(block, 40),
            segment_bytes: u64_at(block, 48),
            previous_frame: u64_at(block, 56),
            previous_hash: u128_at(block, 64),
            tails: (0..shards).map(tail).collect(),
        }))
    }
}

/// Puts the checksum at the end of a block.
pub(super) fn seal_block(block: &mut [u8]) {
    let checksum = crc32c::crc32c(&block[..BLOCK_CHECKSUM_AT]);
    put(block, BLOCK_CHECKSUM_AT, &checksum.to_le_bytes());
}

/// Whether a whole block begins with `magic` and its checksum is sound.
pub(super) fn is_sealed_block(block: &[u8], magic: [u8; 8]) -> bool {
    block.len() == LOG_BLOCK_BYTES
        && block[..8] == magic
        && crc32c::crc32c(&block[..BLOCK_CHECKSUM_AT]) == u32_at(block, BLOCK_CHECKSUM_AT)
}

/// # Errors
/// [`Fault::OtherVersion`] unless the sealed block has ours.
pub(super) fn check_version(file: &str, block: &[u8]) -> Result<(), Fault> {
    match u16_at(block, 8) {
        VERSION => Ok(()),
        found => Err(Fault::OtherVersion { file: file.to_owned(), found, known: VERSION }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_header_gives_back_its_parts() {
        let header = SegmentHeader {
            identity: Identity { node: 77, shards: 2 },
            number: 3,
            epoch: 4,
            segment_bytes: 5 << 12,
            previous_frame: 6,
            previous_hash: 7,
            tails: vec![
                StreamTail { sequence: Sequence(8), log_time: Timestamp::from_ms(9) },
                StreamTail { sequence: Sequence(10), log_time: Timestamp::from_ms(11) },
            ],
        };
        let mut block = vec![0; LOG_BLOCK_BYTES];
        header.encode(&mut block);
        match SegmentHeader::decode("f", &block) {
            Ok(FirstBlock::Header(read)) => assert_eq!(read, header),
            other => panic!("{other:?}"),
        }
        block[100] ^= 1;
        assert!(matches!(SegmentHeader::decode("f", &block), Ok(FirstBlock::Broken)));
        block.fill(0);
        assert!(matches!(SegmentHeader::decode("f", &block), Ok(FirstBlock::Blank)));
    }

    #[test]
    fn only_the_exact_name_is_a_segment() {
        assert_eq!(number_in(&name(42)), Some(42));
        for other in ["log-42.segment", "log-0000000042.preparing", "log-00000000x2.segment", "LOCK"] {
            assert_eq!(number_in(other), None, "{other}");
        }
        assert!(is_preparing(&preparing_name(1)));
    }
}
