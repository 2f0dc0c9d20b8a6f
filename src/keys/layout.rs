//! The bytes of a key file. `docs/LOG-FORMAT.md` draws them.
//!
//! # Always true
//! - A copy of a slot lies inside one sector, and says which shard's and which slot's it is: one in a wrong place is
//!   none.
//! - The two copies of a slot, and of the header, never share a block.

use zeroize::Zeroizing;

use super::Fault;
use crate::base::limits::{KEY_BYTES, LOG_BLOCK_BYTES};
use crate::base::{KeyName, ShardId};

/// Bytes of one copy of one slot.
pub(super) const COPY_BYTES: usize = 64;
/// Slots of one block.
pub(super) const BLOCK_SLOTS: u32 = (LOG_BLOCK_BYTES / COPY_BYTES) as u32;
/// Bytes of the two blocks that hold the same slots.
pub(super) const PAIR_BYTES: usize = 2 * LOG_BLOCK_BYTES;

const MAGIC: [u8; 8] = *b"STKKEYS\0";
const VERSION: u16 = 0;
const HEADER_CHECKSUM_AT: usize = LOG_BLOCK_BYTES - 4;
const COPY_CHECKSUM_AT: usize = COPY_BYTES - 4;
const KEY_AT: usize = 16;

/// A key that is wiped when it is dropped.
pub(super) type Key = Zeroizing<[u8; KEY_BYTES]>;

/// Which of the two copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    First,
    Second,
}

impl Side {
    pub(super) const BOTH: [Self; 2] = [Self::First, Self::Second];

    const fn offset(self) -> usize {
        match self {
            Self::First => 0,
            Self::Second => LOG_BLOCK_BYTES,
        }
    }

    /// Where this copy of the header begins.
    pub(super) const fn header_at(self) -> u64 {
        self.offset() as u64
    }

    /// Where this copy of a block of slots begins.
    pub(super) const fn block_at(self, pair: u32) -> u64 {
        PAIR_BYTES as u64 * (1 + pair as u64) + self.offset() as u64
    }

    /// Where this copy of a slot begins.
    pub(super) const fn slot_at(self, slot: u32) -> u64 {
        self.block_at(slot / BLOCK_SLOTS) + COPY_BYTES as u64 * (slot % BLOCK_SLOTS) as u64
    }
}

/// How many pairs of blocks so many slots take.
pub(super) const fn pairs(slots: u32) -> u32 {
    slots.div_ceil(BLOCK_SLOTS)
}

/// Bytes of a file of so many slots.
pub(super) const fn file_bytes(slots: u32) -> u64 {
    Side::First.block_at(pairs(slots))
}

/// What a header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    /// The log whose keys these are.
    pub(super) node: u128,
    pub(super) shard: ShardId,
    /// How often the header was written: of two sound copies the later one counts.
    pub(super) edition: u32,
    pub(super) slots: u32,
}

impl Header {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut block = vec![0; LOG_BLOCK_BYTES];
        put(&mut block, 0, &MAGIC);
        put(&mut block, 8, &VERSION.to_le_bytes());
        put(&mut block, 10, &self.shard.0.to_le_bytes());
        put(&mut block, 12, &self.edition.to_le_bytes());
        put(&mut block, 16, &self.node.to_le_bytes());
        put(&mut block, 32, &self.slots.to_le_bytes());
        let checksum = crc32c::crc32c(&block[..HEADER_CHECKSUM_AT]);
        put(&mut block, HEADER_CHECKSUM_AT, &checksum.to_le_bytes());
        block
    }

    /// `None` when this is no header.
    ///
    /// # Errors
    /// [`Fault::OtherVersion`] under a sound checksum.
    pub(super) fn decode(file: &str, block: &[u8]) -> Result<Option<Self>, Fault> {
        let is_whole = block.len() == LOG_BLOCK_BYTES && block[..8] == MAGIC;
        if !is_whole || u32_at(block, HEADER_CHECKSUM_AT) != crc32c::crc32c(&block[..HEADER_CHECKSUM_AT]) {
            return Ok(None);
        }
        let found = u16::from_le_bytes(array(block, 8));
        if found != VERSION {
            return Err(Fault::OtherVersion { file: file.to_owned(), found, known: VERSION });
        }
        Ok(Some(Self {
            node: u128::from_le_bytes(array(block, 16)),
            shard: ShardId(u16::from_le_bytes(array(block, 10))),
            edition: u32_at(block, 12),
            slots: u32_at(block, 32),
        }))
    }
}

/// Writes one copy of a slot.
pub(super) fn encode_slot(into: &mut [u8], shard: ShardId, name: KeyName, key: &[u8; KEY_BYTES]) {
    into.fill(0);
    put(into, 0, &name.generation.to_le_bytes());
    put(into, 4, &name.slot.to_le_bytes());
    put(into, 8, &shard.0.to_le_bytes());
    put(into, KEY_AT, key);
    let checksum = crc32c::crc32c(&into[..COPY_CHECKSUM_AT]);
    put(into, COPY_CHECKSUM_AT, &checksum.to_le_bytes());
}

/// The generation and the key in one copy of `slot`; `None` when it is torn, blank, or another's.
pub(super) fn decode_slot(bytes: &[u8], shard: ShardId, slot: u32) -> Option<(u32, Key)> {
    let is_sound = u32_at(bytes, COPY_CHECKSUM_AT) == crc32c::crc32c(&bytes[..COPY_CHECKSUM_AT]);
    let is_its_own = u32_at(bytes, 4) == slot && bytes[8..10] == shard.0.to_le_bytes();
    (is_sound && is_its_own).then(|| (u32_at(bytes, 0), Key::new(array(bytes, KEY_AT))))
}

fn put(into: &mut [u8], at: usize, field: &[u8]) {
    into[at..at + field.len()].copy_from_slice(field);
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut field = [0; N];
    field.copy_from_slice(&bytes[at..at + N]);
    field
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(array(bytes, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_lies_in_one_sector_and_apart_from_the_other() {
        for slot in [0, 1, 63, 64, 65, 1_000, u32::MAX] {
            let [first, second] = Side::BOTH.map(|side| side.slot_at(slot));
            assert_eq!(first / 512, (first + COPY_BYTES as u64 - 1) / 512);
            assert_ne!(first / LOG_BLOCK_BYTES as u64, second / LOG_BLOCK_BYTES as u64);
            assert!(second + COPY_BYTES as u64 <= file_bytes(slot.saturating_add(1)) || slot == u32::MAX);
        }
        assert_eq!((file_bytes(0), file_bytes(1), file_bytes(65)), (8_192, 16_384, 24_576));
    }

    #[test]
    fn a_copy_in_the_place_of_another_is_none() {
        let (shard, name, mut bytes) = (ShardId(3), KeyName { slot: 9, generation: 5 }, [0; COPY_BYTES]);
        assert_eq!(decode_slot(&bytes, ShardId(0), 0), None, "blank");
        encode_slot(&mut bytes, shard, name, &[7; KEY_BYTES]);
        assert_eq!(decode_slot(&bytes, shard, 9), Some((5, Key::new([7; KEY_BYTES]))));
        assert_eq!(decode_slot(&bytes, shard, 8), None);
        assert_eq!(decode_slot(&bytes, ShardId(2), 9), None);
        for at in 0..COPY_BYTES {
            bytes[at] ^= 4;
            assert_eq!(decode_slot(&bytes, shard, 9), None, "byte {at}");
            bytes[at] ^= 4;
        }
    }
}
