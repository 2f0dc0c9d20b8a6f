//! From an order's identifier to its position: open addressing over flat slots of eight bytes.
//!
//! ```text
//! hash ─┬─ top 8 bits ─► one of 256 tables, each grows alone
//!       └─ low 32 bits ─► tag; its top bits are the home slot
//! slot: │ tag, 32 bits │ position + 1, 32 bits │   zero is empty; collisions probe the next slot
//! ```
//!
//! # Always true
//! - A table is at most three quarters full.
//! - Growing reads no order: the tag holds enough of the hash to find the new home.
//! # Not here
//! - The identifiers: the caller compares the candidate's own.
//! # Why so
//! A lookup is one read of one cache line, and reads of many lookups overlap (`Index::touch`). Two hundred and
//! fifty-six small tables make growth many short pauses instead of one long one.

use core::hash::BuildHasher;

const TABLES: usize = 256;
const TABLE_SHIFT: u32 = 56;
/// Slots a table starts with.
const SLOTS_FIRST: usize = 64;

/// Positions by identifier. The hash is seeded per process, so that nobody can choose identifiers that collide.
#[derive(Debug)]
pub(super) struct Index {
    hasher: foldhash::fast::RandomState,
    tables: Vec<Slots>,
}

#[derive(Debug, Default, Clone)]
struct Slots {
    slots: Vec<u64>,
    used: usize,
}

impl Default for Index {
    fn default() -> Self {
        Self { hasher: foldhash::fast::RandomState::default(), tables: vec![Slots::default(); TABLES] }
    }
}

impl Index {
    /// The first candidate for which `is_it` says yes.
    pub(super) fn find(&self, key: u128, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let hash = self.hasher.hash_one(key);
        let Slots { slots, .. } = &self.tables[(hash >> TABLE_SHIFT) as usize];
        let mut at = home(hash, slots.len())?;
        loop {
            let slot = slots[at];
            if slot == 0 {
                return None;
            }
            if tag(slot) == hash as u32 {
                let position = slot as u32 - 1;
                if is_it(position) {
                    return Some(position);
                }
            }
            at = (at + 1) & (slots.len() - 1);
        }
    }

    /// Reads the home slot, so that it is in the cache when it is needed.
    pub(super) fn touch(&self, key: u128) -> u64 {
        let hash = self.hasher.hash_one(key);
        let Slots { slots, .. } = &self.tables[(hash >> TABLE_SHIFT) as usize];
        home(hash, slots.len()).map_or(0, |at| slots[at])
    }

    /// Adds a key that is not in it.
    pub(super) fn insert(&mut self, key: u128, position: u32) {
        let hash = self.hasher.hash_one(key);
        let table = &mut self.tables[(hash >> TABLE_SHIFT) as usize];
        if (table.used + 1) * 4 > table.slots.len() * 3 {
            table.grow();
        }
        table.put(u64::from(hash as u32) << 32 | u64::from(position + 1));
        table.used += 1;
    }
}

impl Slots {
    fn grow(&mut self) {
        let len = (self.slots.len() * 2).max(SLOTS_FIRST);
        let old = core::mem::replace(&mut self.slots, vec![0; len]);
        for slot in old.into_iter().filter(|slot| *slot != 0) {
            self.put(slot);
        }
    }

    fn put(&mut self, slot: u64) {
        let mask = self.slots.len() - 1;
        let mut at = home(u64::from(tag(slot)), self.slots.len()).expect("law: a table has slots before it has keys");
        while self.slots[at] != 0 {
            at = (at + 1) & mask;
        }
        self.slots[at] = slot;
    }
}

const fn tag(slot: u64) -> u32 {
    (slot >> 32) as u32
}

/// The top bits of the low half of the hash; `None` for a table without slots. `slots` is a power of two.
const fn home(hash: u64, slots: usize) -> Option<usize> {
    if slots == 0 {
        return None;
    }
    Some(((hash as u32 as u64 * slots as u64) >> 32) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_found_and_no_other_while_tables_grow() {
        let mut index = Index::default();
        let key = |number: u32| u128::from(number) << 80 | 7;
        for number in 0..200_000 {
            assert_eq!(index.find(key(number), |found| found == number), None);
            index.insert(key(number), number);
        }
        for number in 0..200_000 {
            assert_eq!(index.find(key(number), |found| found == number), Some(number));
        }
        assert_eq!(index.find(key(200_000), |found| found == 200_000), None);
    }

    #[test]
    fn keys_with_equal_hashes_are_told_apart_by_the_caller() {
        let mut index = Index::default();
        index.insert(1, 10);
        index.insert(1, 11);
        assert_eq!(index.find(1, |found| found == 11), Some(11));
    }
}
