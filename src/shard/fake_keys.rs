//! Keys for tests and simulations: the same seed gives the same keys, and they are overwritten when the test says so.
//!
//! What it makes of details looks sealed, comes back only under the same name and order, and is no secret from anybody:
//! no file, no randomness, no cipher worth the name. A crash forgets what was handed over and not overwritten.
//!
//! # Not here
//! - Keys that are secret.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Waker;

use xxhash_rust::xxh3::{xxh3_64_with_seed, xxh3_128_with_seed};

use super::sealer::Sealer;
use crate::base::limits::SEAL_BYTES;
use crate::base::{KeyName, OrderId};

/// The keys of one shard, in memory. Copies are of the same keys.
#[derive(Debug, Clone, Default)]
pub struct FakeKeys {
    world: Arc<Mutex<World>>,
}

#[derive(Debug, Default)]
struct World {
    seed: u64,
    /// Generations of slots that are not in their first.
    slots: BTreeMap<u32, u32>,
    /// Handed over and not overwritten.
    waiting: VecDeque<KeyName>,
    destroyed: u64,
    /// Nothing is overwritten until the test says so.
    held: bool,
    waker: Option<Waker>,
}

impl FakeKeys {
    /// Keys that follow from `seed`. Those that are destroyed are overwritten at once.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { world: Arc::new(Mutex::new(World { seed, ..World::default() })) }
    }

    /// From here on nothing is overwritten before [`FakeKeys::overwrite`] says so.
    pub fn hold(&self) {
        self.world().held = true;
    }

    /// Overwrites what was handed over so far. Tells how many keys that were.
    pub fn overwrite(&self) -> usize {
        let mut world = self.world();
        let keys = world.waiting.len();
        while let Some(key) = world.waiting.pop_front() {
            world.overwrite(key);
        }
        if let Some(waker) = world.waker.as_ref().filter(|_| keys > 0) {
            waker.wake_by_ref();
        }
        keys
    }

    /// What a start does after a crash: forgets what was only handed over, and brings every slot to the name it has.
    /// Tells how many slots had been overwritten too early: a file of keys could not give back what was there.
    pub fn recover(&self, names: impl Iterator<Item = KeyName>) -> usize {
        let mut world = self.world();
        (world.destroyed, world.waker) = (0, None);
        world.waiting.clear();
        let named: BTreeMap<u32, u32> = names.map(|name| (name.slot, name.generation)).collect();
        let is_ahead = |(slot, generation): &(&u32, &u32)| named.get(slot).is_none_or(|named| named < generation);
        let lost = world.slots.iter().filter(is_ahead).count();
        world.slots = named;
        lost
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().expect("no test panics while it holds the keys")
    }
}

impl World {
    fn overwrite(&mut self, key: KeyName) {
        self.slots.insert(key.slot, key.generation.saturating_add(1));
        self.destroyed += 1;
    }

    /// What stands for the key of this name and order; `None` when its slot holds another, or will.
    fn key(&self, key: KeyName, order: OrderId) -> Option<u64> {
        let is_there = self.slots.get(&key.slot).copied().unwrap_or_default() == key.generation;
        let name = [key.slot.to_le_bytes(), key.generation.to_le_bytes()].concat();
        let key_seed = xxh3_64_with_seed(&name, self.seed);
        (is_there && !self.waiting.contains(&key)).then(|| xxh3_64_with_seed(&order.bits().to_le_bytes(), key_seed))
    }
}

/// The bytes with a stream over them; done twice, as they were.
fn veil(key: u64, bytes: &[u8]) -> impl Iterator<Item = u8> {
    bytes.chunks(8).zip(0_u64..).flat_map(move |(bytes, number)| {
        let block = xxh3_64_with_seed(&number.to_le_bytes(), key).to_le_bytes();
        bytes.iter().zip(block).map(|(byte, veil)| byte ^ veil)
    })
}

impl Sealer for FakeKeys {
    fn seal(&mut self, key: KeyName, order: OrderId, details: &[u8], out: &mut Vec<u8>) -> bool {
        let Some(key) = self.world().key(key, order) else { return false };
        out.extend(veil(key, details));
        out.extend(xxh3_128_with_seed(details, key).to_le_bytes());
        true
    }

    fn open(&mut self, key: KeyName, order: OrderId, sealed: &[u8], out: &mut Vec<u8>) -> bool {
        let Some(key) = self.world().key(key, order) else { return false };
        let Some((veiled, tag)) = sealed.split_last_chunk::<SEAL_BYTES>() else { return false };
        let start = out.len();
        out.extend(veil(key, veiled));
        let is_sound = xxh3_128_with_seed(&out[start..], key).to_le_bytes() == *tag;
        if !is_sound {
            out.truncate(start);
        }
        is_sound
    }

    fn destroy(&mut self, key: KeyName) {
        let mut world = self.world();
        if world.held {
            world.waiting.push_back(key);
        } else {
            world.overwrite(key);
        }
    }

    fn destroyed(&self) -> u64 {
        self.world().destroyed
    }

    fn watch(&mut self, waker: Waker) {
        self.world().waker = Some(waker);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{MarketId, Timestamp};

    const KEY: KeyName = KeyName { slot: 3, generation: 0 };

    fn order(number: u64) -> OrderId {
        OrderId::new(Timestamp::from_ms(1), MarketId::new(1).expect("1 fits"), number)
    }

    fn seal(keys: &mut FakeKeys, key: KeyName, details: &[u8]) -> Option<Vec<u8>> {
        let mut sealed = Vec::new();
        keys.seal(key, order(1), details, &mut sealed).then_some(sealed)
    }

    fn open(keys: &mut FakeKeys, (key, order): (KeyName, OrderId), sealed: &[u8]) -> Option<Vec<u8>> {
        let mut details = vec![b'>'];
        keys.open(key, order, sealed, &mut details).then_some(details)
    }

    #[test]
    fn what_was_sealed_is_opened_for_its_own_order_alone() {
        let mut keys = FakeKeys::new(7);
        let mut sealed = seal(&mut keys, KEY, b"Ada, 12 Mill Lane").expect("the first generation is there");
        assert_eq!(sealed.len(), 17 + SEAL_BYTES);
        assert_eq!(seal(&mut keys, KEY, b"Ada, 12 Mill Lane").as_ref(), Some(&sealed), "and always the same");
        assert_eq!(open(&mut keys, (KEY, order(1)), &sealed).as_deref(), Some(b">Ada, 12 Mill Lane".as_slice()));
        assert_eq!(open(&mut keys, (KEY, order(2)), &sealed), None);
        assert_eq!(open(&mut keys, (KeyName { slot: 4, ..KEY }, order(1)), &sealed), None);
        sealed[0] ^= 1;
        assert_eq!(open(&mut keys, (KEY, order(1)), &sealed), None);
    }

    #[test]
    fn a_key_that_was_handed_over_is_of_no_use_and_the_next_one_waits_for_the_disk() {
        let mut keys = FakeKeys::new(7);
        let sealed = seal(&mut keys, KEY, b"Ada").expect("there");
        keys.hold();
        keys.destroy(KEY);
        let next = KeyName { generation: 1, ..KEY };
        assert_eq!((open(&mut keys, (KEY, order(1)), &sealed), seal(&mut keys, next, b"Ada")), (None, None));
        assert_eq!((keys.destroyed(), keys.overwrite(), keys.destroyed()), (0, 1, 1));
        assert!(seal(&mut keys, next, b"Ada").is_some_and(|other| other != sealed));
    }

    #[test]
    fn a_crash_forgets_what_was_only_handed_over() {
        let mut keys = FakeKeys::new(7);
        let sealed = seal(&mut keys, KEY, b"Ada").expect("there");
        keys.hold();
        keys.destroy(KEY);
        assert_eq!(keys.recover([KEY].into_iter()), 0);
        assert!(open(&mut keys, (KEY, order(1)), &sealed).is_some(), "the fact was lost too");
        assert_eq!(keys.recover([KeyName { generation: 1, ..KEY }].into_iter()), 0);
        assert_eq!(open(&mut keys, (KEY, order(1)), &sealed), None, "the fact was not");
        assert_eq!(keys.recover([KEY].into_iter()), 1, "and what is overwritten does not come back");
    }
}
