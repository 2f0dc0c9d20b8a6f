//! From an order's identifier to its position: open addressing over flat slots of eight bytes.
//!
//! ```text
//! slot: │ tag, 32 bits of the hash │ position + 1, 32 bits │    zero is empty; collisions probe the next slot
//!
//! removing  what was pushed aside by the removed key moves back by one, so no probe ever stops too early
//!
//! growing   old ███████░░░░░░░  every insert moves a few slots of the old table into the new one, twice as large;
//!           new █ █ ██          until the old one is empty, lookups look into both
//! ```
//!
//! # Always true
//! - The table is at most half full, and the old one is empty before the new one is.
//! - Growing reads no order: the tag holds enough of the hash to find the new home.
//! - A removed key leaves nothing behind in the table, so a table that is filled and emptied for years stays as fast.
//!   In the old one it leaves a mark, which goes with the old table.
//! # Not here
//! - The identifiers: the caller compares the candidate's own.
//! # Why so
//! A lookup is one read of one cache line, and reads of many lookups overlap (`Index::touch`). Doubling ten million
//! slots at once would stop the shard for a tenth of a second; moving a few slots an insert is never noticed. Fuller
//! tables were slower: at three quarters a miss probes eight slots on average, at one half two or three (Knuth, The Art
//! of Computer Programming 3, 6.4).

use core::hash::BuildHasher;

use super::huge_pages::array_with_capacity;

/// Slots a table starts with; a power of two.
const SLOTS_FIRST: usize = 1_024;
/// Slots of the old table an insert empties. The old table has N slots and the new one takes N / 2 more keys before it
/// is full, so two would just do.
const MOVED_PER_INSERT: usize = 4;

/// What stands in the old table where a key was removed. No position is that large.
const REMOVED: u64 = u64::MAX;

/// Positions by identifier. The hash is seeded per process, so that nobody can choose identifiers that collide.
#[derive(Debug)]
pub(super) struct Index {
    hasher: foldhash::fast::RandomState,
    slots: Vec<u64>,
    used: usize,
    /// The table before this one, while it is being emptied from its front.
    old: Vec<u64>,
    moved: usize,
}

impl Default for Index {
    fn default() -> Self {
        let hasher = foldhash::fast::RandomState::default();
        Self { hasher, slots: vec![0; SLOTS_FIRST], used: 0, old: Vec::new(), moved: 0 }
    }
}

impl Index {
    /// The first candidate for which `is_it` says yes.
    pub(super) fn find(&self, key: u128, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let tag = self.tag(key);
        probe(&self.slots, tag, &is_it).or_else(|| {
            // What has been moved is found above; the old copy of it is the same slot again.
            if self.old.is_empty() { None } else { probe(&self.old, tag, &is_it) }
        })
    }

    /// Reads the home slots, so that they are in the cache when they are needed.
    pub(super) fn touch(&self, key: u128) -> u64 {
        let tag = self.tag(key);
        let old = if self.old.is_empty() { 0 } else { self.old[home(tag, self.old.len())] };
        self.slots[home(tag, self.slots.len())] ^ old
    }

    /// Adds a key that is not in it.
    pub(super) fn insert(&mut self, key: u128, position: u32) {
        self.move_some();
        if (self.used + 1) * 2 > self.slots.len() {
            self.grow_to(self.slots.len() * 2);
        }
        let tag = self.tag(key);
        put(&mut self.slots, u64::from(tag) << 32 | u64::from(position + 1));
        self.used += 1;
    }

    /// Removes a key that is in it at this position.
    pub(super) fn remove(&mut self, key: u128, position: u32) {
        let slot = u64::from(self.tag(key)) << 32 | u64::from(position + 1);
        if let Some(at) = find_slot(&self.old, slot) {
            self.old[at] = REMOVED;
        }
        if let Some(at) = find_slot(&self.slots, slot) {
            close_gap(&mut self.slots, at);
        }
        self.used -= 1;
    }

    /// Takes the memory for so many more keys now, and moves every key there.
    pub(super) fn reserve(&mut self, keys: usize) {
        let len = ((self.used + keys + 1) * 2).next_power_of_two();
        if len <= self.slots.len() {
            return;
        }
        while !self.old.is_empty() {
            self.move_some();
        }
        self.grow_to(len);
    }

    /// How many keys it has memory for, twice over.
    pub(super) const fn slots(&self) -> usize {
        self.slots.len()
    }

    fn tag(&self, key: u128) -> u32 {
        (self.hasher.hash_one(key) >> 32) as u32
    }

    fn grow_to(&mut self, len: usize) {
        assert!(self.old.is_empty(), "law: the old table is empty before the new one is full");
        let mut slots = array_with_capacity(len);
        slots.resize(len, 0);
        self.old = core::mem::replace(&mut self.slots, slots);
        self.moved = 0;
    }

    fn move_some(&mut self) {
        if self.old.is_empty() {
            return;
        }
        let upto = (self.moved + MOVED_PER_INSERT).min(self.old.len());
        for slot in &self.old[self.moved..upto] {
            if *slot != 0 && *slot != REMOVED {
                put(&mut self.slots, *slot);
            }
        }
        self.moved = upto;
        if upto == self.old.len() {
            self.old = Vec::new();
        }
    }
}

fn probe(slots: &[u64], tag: u32, is_it: impl Fn(u32) -> bool) -> Option<u32> {
    let mut at = home(tag, slots.len());
    loop {
        let slot = slots[at];
        if slot == 0 {
            return None;
        }
        if (slot >> 32) as u32 == tag && slot != REMOVED && is_it(slot as u32 - 1) {
            return Some(slot as u32 - 1);
        }
        at = (at + 1) & (slots.len() - 1);
    }
}

/// Where exactly this slot lies.
fn find_slot(slots: &[u64], slot: u64) -> Option<usize> {
    if slots.is_empty() {
        return None;
    }
    let mut at = home((slot >> 32) as u32, slots.len());
    while slots[at] != 0 {
        if slots[at] == slot {
            return Some(at);
        }
        at = (at + 1) & (slots.len() - 1);
    }
    None
}

/// Empties a slot and moves back what a probe would no longer reach over it (Knuth, 6.4, algorithm R).
fn close_gap(slots: &mut [u64], mut gap: usize) {
    let mask = slots.len() - 1;
    let mut at = gap;
    loop {
        at = (at + 1) & mask;
        if slots[at] == 0 {
            break;
        }
        let home = home((slots[at] >> 32) as u32, slots.len());
        if (at.wrapping_sub(home) & mask) >= (at.wrapping_sub(gap) & mask) {
            slots[gap] = slots[at];
            gap = at;
        }
    }
    slots[gap] = 0;
}

fn put(slots: &mut [u64], slot: u64) {
    let mut at = home((slot >> 32) as u32, slots.len());
    while slots[at] != 0 {
        at = (at + 1) & (slots.len() - 1);
    }
    slots[at] = slot;
}

/// The top bits of the tag; `slots` is a power of two up to 2^32.
const fn home(tag: u32, slots: usize) -> usize {
    ((tag as u64 * slots as u64) >> 32) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_found_and_no_other_while_tables_grow() {
        let mut index = Index::default();
        let key = |number: u32| u128::from(number) << 80 | 7;
        for number in 0..100_000 {
            assert_eq!(index.find(key(number), |found| found == number), None);
            index.insert(key(number), number);
            for probed in [0, number / 2, number] {
                assert_eq!(index.find(key(probed), |found| found == probed), Some(probed), "after {number}");
            }
        }
        assert!((0..100_000).all(|number| index.find(key(number), |found| found == number) == Some(number)));
    }

    #[test]
    fn keys_with_equal_hashes_are_told_apart_by_the_caller() {
        let mut index = Index::default();
        index.insert(1, 10);
        index.insert(1, 11);
        assert_eq!(index.find(1, |found| found == 11), Some(11));
    }

    /// A model, through several growths: what is in it is found, what was removed is not, and the table stays small.
    #[test]
    fn removed_keys_are_gone_and_all_others_stay_while_tables_grow() {
        let mut index = Index::default();
        let mut living = Vec::new();
        let mut dice = 3_u64;
        let key = |number: u32| u128::from(number) << 64 | 9;
        for number in 0..200_000_u32 {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            index.insert(key(number), number);
            living.push(number);
            let keep = if number < 60_000 { 30_000 } else { 10_000 };
            while living.len() > keep {
                let gone = living.swap_remove((dice >> 20) as usize % living.len());
                index.remove(key(gone), gone);
                assert_eq!(index.find(key(gone), |found| found == gone), None, "{gone} was removed");
            }
            let some = living[(dice >> 40) as usize % living.len()];
            assert_eq!(index.find(key(some), |found| found == some), Some(some), "{some} is in it");
        }
        assert!(living.iter().all(|some| index.find(key(*some), |found| found == *some).is_some()));
        assert!(
            (0..200_000).filter(|number| index.find(key(*number), |found| found == *number).is_some()).count()
                == 10_000
        );
        assert!(index.slots.len() <= 1 << 17, "{} slots for 30,000 keys", index.slots.len());
        living.iter().for_each(|gone| index.remove(key(*gone), *gone));
        assert!(index.slots.iter().all(|slot| *slot == 0), "an emptied table holds nothing");
    }

    #[test]
    fn a_key_that_comes_again_while_the_table_grows_is_found_at_its_new_position() {
        let mut index = Index::default();
        (0..513).for_each(|number| index.insert(number, number as u32));
        assert!(!index.old.is_empty(), "the test wants a table that is growing");
        index.remove(500, 500);
        assert_eq!(index.find(500, |_| true), None);
        index.insert(500, 900);
        assert_eq!(index.find(500, |found| found == 900), Some(900));
        (1_000..2_000).for_each(|number| index.insert(number, number as u32));
        assert_eq!(index.find(500, |found| found == 500), None);
        index.remove(500, 900);
        assert_eq!(index.find(500, |found| found == 900), None);
    }
}
