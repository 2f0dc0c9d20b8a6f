//! The keys of one shard in memory: one array, as large as it may ever be from the start on.
//!
//! # Always true
//! - It never grows, so no key is left behind in memory that was given back.
//! - A slot is *there* or it holds no key; one that is destroyed or dropped is wiped.

use zeroize::Zeroize;

use super::layout::Key;
use crate::base::KeyName;
use crate::base::limits::{KEY_BYTES, KEY_TABLE_MEMORY_BYTES};

struct Slot {
    key: [u8; KEY_BYTES],
    generation: u32,
    is_there: bool,
}

const _: () = assert!(size_of::<Slot>() as u64 == KEY_TABLE_MEMORY_BYTES);

pub(super) struct Table {
    slots: Box<[Slot]>,
}

impl Table {
    /// Every slot in its first generation, none of the keys there.
    pub(super) fn new(slots: u32) -> Self {
        let blank = || Slot { key: [0; KEY_BYTES], generation: 0, is_there: false };
        Self { slots: (0..slots).map(|_| blank()).collect() }
    }

    pub(super) fn slots(&self) -> u32 {
        // It was made of a 32-bit number.
        self.slots.len() as u32
    }

    /// The name of the key that is in the slot, or is to be.
    pub(super) fn name(&self, slot: u32) -> KeyName {
        KeyName { slot, generation: self.slots[slot as usize].generation }
    }

    pub(super) fn key(&self, name: KeyName) -> Option<&[u8; KEY_BYTES]> {
        let slot = self.slots.get(name.slot as usize)?;
        (slot.is_there && slot.generation == name.generation).then_some(&slot.key)
    }

    pub(super) fn put(&mut self, name: KeyName, key: &Key) {
        self.slots[name.slot as usize] = Slot { key: **key, generation: name.generation, is_there: true };
    }

    /// Wipes the key there is; the one of this name is to come.
    pub(super) fn expect(&mut self, name: KeyName) {
        let slot = &mut self.slots[name.slot as usize];
        slot.key.zeroize();
        (slot.generation, slot.is_there) = (name.generation, false);
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        self.slots.iter_mut().for_each(|slot| slot.key.zeroize());
    }
}
