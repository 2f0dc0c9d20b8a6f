//! Keys by name: who uses which, and which are used no more. Never the keys themselves, nor what they seal.
//!
//! ```text
//!                 first order with details             last such order is closed, or the customer is erased
//! slot, unused ──────────────────────────► used by n ────────────────────────────────► free, next generation
//!                                            │  ▲                                         │
//!                         more orders ───────┘  └───────── first order of somebody else ──┘
//! ```
//!
//! # Always true
//! - A customer of a market has one key at most, and a guest's order one of its own.
//! - An order names the key its details were sealed under. They can be read as long as that is what its slot is called:
//!   a slot that has gone on to its next generation has no way back, and neither has the key.
//! - A slot is used again only when no other is left that never was: whoever overwrites keys has time to.
//! # Not here
//! - Keys, sealing, opening, overwriting: `shard::Sealer` and whoever is behind it.
//! # Why so
//! An erasure changes one name, however many orders the customer has, and so takes no longer for who has many.

use std::collections::VecDeque;

use hashbrown::HashMap;

use crate::base::{CustomerKey, KeyName, MarketId};

/// Where a key is kept, as far as the state knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) generation: u32,
    pub(super) used: Used,
}

/// By whom a slot is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Used {
    /// By nobody: it stands in line.
    Free,
    /// Never again: its generations are used up.
    Worn,
    /// By so many orders.
    By(u32),
}

/// The keys of a shard.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// By number.
    slots: Vec<Slot>,
    /// Customers that have a key. Guests do not come here.
    customers: HashMap<(MarketId, CustomerKey), u32, foldhash::fast::RandomState>,
    /// Free slots, free the longest first.
    free: VecDeque<u32>,
    /// Slots that are used.
    live: u64,
    /// Keys that died since somebody asked. No part of the state.
    dead: Vec<KeyName>,
    /// Whether anybody asks.
    watched: bool,
}

impl Keys {
    /// Slots that are used.
    pub(super) const fn live(&self) -> u64 {
        self.live
    }

    pub(super) fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// Free slots, the next one first.
    pub(super) fn free(&self) -> impl ExactSizeIterator<Item = u32> {
        self.free.iter().copied()
    }

    /// How many customers have a key.
    pub(super) fn customers(&self) -> usize {
        self.customers.len()
    }

    /// Every slot ever used, by the name it has now: what is read under it, or will be sealed under it next.
    pub(super) fn names(&self) -> impl Iterator<Item = KeyName> {
        (0..).zip(&self.slots).map(|(slot, Slot { generation, .. })| KeyName { slot, generation: *generation })
    }

    /// Whether this is what a used slot is called now.
    pub(super) fn is_live(&self, key: KeyName) -> bool {
        let slot = self.slots.get(key.slot as usize);
        slot.is_some_and(|slot| slot.generation == key.generation && matches!(slot.used, Used::By(_)))
    }

    /// The key of a customer.
    pub(super) fn of(&self, market: MarketId, customer: CustomerKey) -> Option<KeyName> {
        if customer == CustomerKey::default() {
            return None;
        }
        self.customers.get(&(market, customer)).map(|slot| self.name(*slot))
    }

    /// The key that somebody without one gets; `None` when there are as many as there may be.
    pub(super) fn next(&self, keys_max: u64) -> Option<KeyName> {
        let unused = self.slots.len() as u32;
        if u64::from(unused) < keys_max {
            return Some(KeyName { slot: unused, generation: 0 });
        }
        let first = self.free.front().filter(|_| self.live < keys_max);
        first.map(|slot| self.name(*slot))
    }

    /// How many orders use the key.
    pub(super) fn users(&self, key: KeyName) -> u32 {
        match self.slots.get(key.slot as usize) {
            Some(Slot { generation, used: Used::By(users) }) if *generation == key.generation => *users,
            _ => 0,
        }
    }

    fn name(&self, slot: u32) -> KeyName {
        KeyName { slot, generation: self.slots[slot as usize].generation }
    }

    /// One more order uses the key: its customer's, or the next one.
    pub(super) fn use_key(&mut self, key: KeyName, market: MarketId, customer: CustomerKey) {
        if let Some(own) = self.of(market, customer) {
            assert_eq!(own, key, "law: a customer has one key");
            self.slots[key.slot as usize].used = Used::By(self.users(key) + 1);
            return;
        }
        if key.slot as usize == self.slots.len() {
            assert_eq!(key.generation, 0, "law: what was never used is in its first generation");
            self.slots.push(Slot { generation: 0, used: Used::Free });
        } else {
            let first = self.free.pop_front().map(|slot| self.name(slot));
            assert_eq!(first, Some(key), "law: slots are used again in the order in which they became free");
        }
        self.slots[key.slot as usize].used = Used::By(1);
        self.live += 1;
        if customer != CustomerKey::default() {
            self.customers.insert((market, customer), key.slot);
        }
    }

    /// An order that used the key is closed. The last one takes the key with it.
    pub(super) fn leave(&mut self, key: KeyName, market: MarketId, customer: CustomerKey) {
        match self.users(key) {
            // Erased before.
            0 => {}
            1 => self.kill(key, market, customer),
            users => self.slots[key.slot as usize].used = Used::By(users - 1),
        }
    }

    /// The key is used no more, by however many orders.
    pub(super) fn kill(&mut self, key: KeyName, market: MarketId, customer: CustomerKey) {
        assert!(self.is_live(key), "law: only a key that lives dies, {key} does not");
        self.customers.remove(&(market, customer));
        self.live -= 1;
        let slot = &mut self.slots[key.slot as usize];
        slot.generation += 1;
        if slot.generation == u32::MAX {
            slot.used = Used::Worn;
        } else {
            slot.used = Used::Free;
            self.free.push_back(key.slot);
        }
        if self.watched {
            self.dead.push(key);
        }
    }

    /// From here on keys that die are told.
    pub(super) const fn watch(&mut self) {
        self.watched = true;
    }

    /// Keys that died since the last time.
    pub(super) fn take_dead(&mut self, tell: impl FnMut(KeyName)) {
        self.dead.drain(..).for_each(tell);
    }

    /// Adds the next slot as it was when its image was written, used by nobody so far.
    pub(super) fn restore_slot(&mut self, generation: u32) {
        let used = if generation == u32::MAX { Used::Worn } else { Used::By(0) };
        self.slots.push(Slot { generation, used });
    }

    /// Puts a slot at the end of the line. `None` when it cannot stand there.
    pub(super) fn restore_free(&mut self, slot: u32) -> Option<()> {
        let restored = self.slots.get_mut(slot as usize).filter(|slot| slot.used == Used::By(0))?;
        restored.used = Used::Free;
        self.free.push_back(slot);
        Some(())
    }

    /// An order that was restored names this key. `None` when it cannot.
    pub(super) fn restore_user(&mut self, key: KeyName, market: MarketId, customer: CustomerKey) -> Option<()> {
        let slot = self.slots.get(key.slot as usize).filter(|slot| key.generation <= slot.generation)?;
        if key.generation < slot.generation {
            return Some(());
        }
        let Used::By(users) = slot.used else { return None };
        let own = self.of(market, customer);
        if own.map_or(users > 0, |own| own != key) {
            return None;
        }
        self.slots[key.slot as usize].used = Used::By(users.checked_add(1)?);
        if own.is_none() {
            self.live += 1;
            if customer != CustomerKey::default() {
                self.customers.insert((market, customer), key.slot);
            }
        }
        Some(())
    }

    /// Whether every slot is free, worn or used, now that all orders are restored.
    pub(super) fn are_restored(&self) -> bool {
        self.slots.iter().all(|slot| slot.used != Used::By(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARKET: MarketId = MarketId::new(1).expect("1 fits");
    const GUEST: CustomerKey = CustomerKey(0);
    const ADA: CustomerKey = CustomerKey(7);

    fn key(slot: u32, generation: u32) -> KeyName {
        KeyName { slot, generation }
    }

    #[test]
    fn a_slot_that_was_used_waits_until_none_is_left_that_never_was() {
        let mut keys = Keys::default();
        keys.watch();
        keys.use_key(key(0, 0), MARKET, ADA);
        keys.kill(key(0, 0), MARKET, ADA);
        assert_eq!((keys.next(2), keys.next(1)), (Some(key(1, 0)), Some(key(0, 1))));
        keys.use_key(key(1, 0), MARKET, GUEST);
        assert_eq!((keys.next(2), keys.next(1)), (Some(key(0, 1)), None), "as many live as there may be");
        let mut dead = Vec::new();
        keys.take_dead(|key| dead.push(key));
        assert_eq!(dead, [key(0, 0)]);
    }

    #[test]
    fn a_slot_whose_generations_are_used_up_is_never_used_again() {
        let mut keys = Keys::default();
        keys.restore_slot(u32::MAX - 1);
        keys.restore_free(0).expect("it is free");
        let last = key(0, u32::MAX - 1);
        keys.use_key(last, MARKET, ADA);
        keys.kill(last, MARKET, ADA);
        assert_eq!((keys.next(1), keys.slots()[0].used), (None, Used::Worn));
        assert_eq!(keys.next(2), Some(key(1, 0)));
    }

    #[test]
    fn who_was_erased_has_no_key_and_gets_another() {
        let mut keys = Keys::default();
        for _ in 0..3 {
            keys.use_key(key(0, 0), MARKET, ADA);
        }
        assert_eq!((keys.of(MARKET, ADA), keys.users(key(0, 0))), (Some(key(0, 0)), 3));
        keys.kill(key(0, 0), MARKET, ADA);
        assert_eq!((keys.of(MARKET, ADA), keys.users(key(0, 0)), keys.live()), (None, 0, 0));
        keys.use_key(key(1, 0), MARKET, ADA);
        keys.leave(key(0, 0), MARKET, ADA);
        assert_eq!(keys.of(MARKET, ADA), Some(key(1, 0)), "an old order leaves the new key alone");
        keys.leave(key(1, 0), MARKET, ADA);
        assert_eq!((keys.of(MARKET, ADA), keys.live()), (None, 0));
    }
}
