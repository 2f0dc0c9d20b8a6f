//! A shard that uses keys as the engine would, on a disk that tears; and what the log would say of it.

mod crashes;
mod disk;
mod files;
mod threads;

use disk::TornDisk;

use super::layout::Key;
use super::overwriter::Overwriter;
use super::*;
use crate::base::{KeyName, OrderId, ShardId};

const PLACE: Place = Place { node: 0x5EED, shard: ShardId(2) };
const FILE: &str = "shard-00002.keys";

/// One slot, as the log has it.
#[derive(Clone, Default)]
struct Slot {
    generation: u32,
    /// What was sealed under the key in use.
    sealed: Option<Vec<u8>>,
}

/// What is true whatever becomes of the disk.
#[derive(Clone, Default)]
struct Ledger {
    slots: Vec<Slot>,
    /// Keys that are dead by a durable fact; whether that was acknowledged.
    dead: Vec<(Key, bool)>,
}

impl Ledger {
    fn name(&self, slot: u32) -> KeyName {
        KeyName { slot, generation: self.slots[slot as usize].generation }
    }

    fn expected(&self) -> impl Iterator<Item = Expected> {
        let slots = (0..).zip(&self.slots);
        slots.map(|(slot, Slot { sealed, .. })| Expected { name: self.name(slot), in_use: sealed.is_some() })
    }

    fn in_use(&self) -> u64 {
        self.slots.iter().filter(|slot| slot.sealed.is_some()).count() as u64
    }
}

/// The node.
struct World {
    disk: TornDisk,
    ledger: Ledger,
    keyring: Keyring,
    overwriter: Overwriter<TornDisk>,
    found: Found,
    handed: Vec<usize>,
}

fn order(slot: u32) -> OrderId {
    OrderId::from_bits(0xABCD << 80 | u128::from(slot))
}

fn details(name: KeyName) -> Vec<u8> {
    format!("the address of whoever uses {name}").into_bytes()
}

impl World {
    fn open(disk: &TornDisk, ledger: Ledger, slots: u32) -> Result<Self, (Fault, Ledger)> {
        let opened = match open_on(disk, PLACE, slots, ledger.expected()) {
            Ok(opened) => opened,
            Err(fault) => return Err((fault, ledger)),
        };
        let found = opened.found;
        let (overwriter, mut keyrings) = Overwriter::new(vec![opened]);
        let keyring = keyrings.pop().expect("one shard");
        let mut world = Self { disk: disk.clone(), ledger, keyring, overwriter, found, handed: Vec::new() };
        world.ledger.slots.resize(slots as usize, Slot::default());
        Ok(world)
    }

    /// Seals something under the next key of a free slot.
    fn employ(&mut self, slot: u32) {
        let (name, mut sealed) = (self.ledger.name(slot), Vec::new());
        assert!(self.keyring.seal(name, order(slot), &details(name), &mut sealed), "the key {name} is there");
        self.ledger.slots[slot as usize].sealed = Some(sealed);
    }

    /// The fact that the key is dead is durable, and it is handed over.
    fn kill(&mut self, slot: u32) {
        let name = self.ledger.name(slot);
        self.handed.push(self.ledger.dead.len());
        self.ledger.dead.push((self.keyring.key(name), false));
        self.ledger.slots[slot as usize] = Slot { generation: name.next().generation, sealed: None };
        self.keyring.destroy(name);
    }

    /// Lets the overwriter do what it was asked for.
    fn overwrite(&mut self) -> Result<(), Fault> {
        while self.overwriter.turn_if_asked()? {}
        let count = self.keyring.destroyed() as usize;
        self.handed.iter().take(count).for_each(|at| self.ledger.dead[*at].1 = true);
        Ok(())
    }

    /// Every key in use opens what was sealed under it, every other slot can be used, and no dead key is anywhere.
    fn check(&mut self) {
        assert_eq!((self.found.in_use, self.found.lost), (self.ledger.in_use(), 0));
        for slot in 0..self.ledger.slots.len() as u32 {
            let (name, mut opened) = (self.ledger.name(slot), Vec::new());
            match &self.ledger.slots[slot as usize].sealed {
                Some(sealed) => {
                    assert!(self.keyring.open(name, order(slot), sealed, &mut opened), "the key {name} is lost");
                    assert_eq!(opened, details(name));
                }
                None => assert!(self.keyring.seal(name, order(slot), b"", &mut opened), "there is no key {name}"),
            }
        }
        for (key, _) in &self.ledger.dead {
            assert!(!self.disk.holds(&**key), "a dead key is on the disk after a start");
        }
    }
}
