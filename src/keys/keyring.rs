//! A shard's keys as the shard sees them: always there, never waited for.
//!
//! # Always true
//! - A key handed to [`Keyring::destroy`] neither seals nor opens any more, and is wiped from memory at once.
//! - Keys are overwritten in the order they were handed over, so that a count says which of them are.
//! - At most one overwriting of a slot is under way: the next name of a slot is not given out before.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender};
use std::task::Waker;

use super::cipher;
use super::layout::Key;
use super::overwriter::{Fresh, Job};
use super::table::Table;
use crate::base::{KeyName, OrderId};

/// The keys of one shard.
pub struct Keyring {
    table: Table,
    source: Source,
    destroyed: Arc<AtomicU64>,
}

/// Where the next key of a slot comes from.
pub(super) enum Source {
    /// From the thread that overwrites.
    Thread { jobs: Sender<Job>, fresh: Receiver<Fresh>, shard: usize },
    /// Nothing is kept on a disk.
    Memory,
}

impl Keyring {
    pub(super) fn new(table: Table, source: Source, destroyed: Arc<AtomicU64>) -> Self {
        Self { table, source, destroyed }
    }

    /// Keys of a node that keeps nothing.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn in_memory(slots: u32) -> std::io::Result<Self> {
        let mut keyring = Self::new(Table::new(slots), Source::Memory, Arc::default());
        (0..slots).try_for_each(|slot| keyring.draw(KeyName { slot, generation: 0 }))?;
        Ok(keyring)
    }

    fn draw(&mut self, name: KeyName) -> std::io::Result<()> {
        let mut key = Key::default();
        getrandom::fill(&mut *key).map_err(std::io::Error::other)?;
        self.table.put(name, &key);
        Ok(())
    }

    /// Appends the sealed details. `false`, and nothing appended, when there is no key of this name.
    pub fn seal(&mut self, name: KeyName, order: OrderId, details: &[u8], out: &mut Vec<u8>) -> bool {
        if self.table.key(name).is_none() {
            self.take_fresh();
        }
        let Some(key) = self.table.key(name) else { return false };
        cipher::seal(key, name, order, details, out);
        true
    }

    /// Appends the details. `false`, and nothing appended, when there is no key of this name, or when these bytes are
    /// not what was sealed for this order under it.
    pub fn open(&self, name: KeyName, order: OrderId, sealed: &[u8], out: &mut Vec<u8>) -> bool {
        self.table.key(name).is_some_and(|key| cipher::open(key, name, order, sealed, out))
    }

    /// The key is dead: it is wiped here, and soon on the disk. Never waits.
    pub fn destroy(&mut self, name: KeyName) {
        assert!(name.slot < self.table.slots(), "law: a key in use lies inside the table, or the start refuses");
        self.take_fresh();
        let next = name.next();
        self.table.expect(next);
        match &self.source {
            Source::Thread { jobs, shard, .. } => {
                // A thread that has failed counts nothing any more, and has said so.
                let _failed = jobs.send(Job::Overwrite { shard: *shard, name: next });
            }
            Source::Memory => {
                // Without a new key the slot stays empty, and nothing is sealed under it.
                let _empty = self.draw(next);
                self.destroyed.fetch_add(1, Ordering::Release);
            }
        }
    }

    /// How many of the keys handed to [`Keyring::destroy`] are overwritten on the disk: the first so many.
    #[must_use]
    pub fn destroyed(&self) -> u64 {
        self.destroyed.load(Ordering::Acquire)
    }

    /// Whom to wake whenever [`Keyring::destroyed`] has come to say more.
    pub fn watch(&mut self, waker: Waker) {
        if let Source::Thread { jobs, shard, .. } = &self.source {
            let _failed = jobs.send(Job::Watch { shard: *shard, waker });
        }
    }

    #[cfg(test)]
    pub(super) fn key(&self, name: KeyName) -> Key {
        Key::new(*self.table.key(name).expect("the test knows that it is there"))
    }

    fn take_fresh(&mut self) {
        let Source::Thread { fresh, .. } = &self.source else { return };
        for Fresh { name, key } in fresh.try_iter() {
            self.table.put(name, &key);
        }
    }
}
