//! For tests: a log whose mark moves when the test says so.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use crossbeam_queue::SegQueue;

use super::log::Log;
use crate::base::{Sequence, ShardId, Timestamp};
use crate::engine::{Capacity, Engine};
use crate::wal::{Entry, Notify};
use crate::wire::{FactReader, FactScratch};

#[derive(Default)]
pub(super) struct FakeLog {
    mark: AtomicU64,
    pub(super) entries: SegQueue<Entry>,
    pub(super) disk_low: AtomicBool,
    pub(super) full: AtomicBool,
    /// What is durable: position, log time and facts of each entry.
    history: Mutex<Vec<(Sequence, Timestamp, Vec<u8>)>>,
}

impl FakeLog {
    /// Makes the oldest entry durable: the mark first, then the wakers, as the real one does.
    pub(super) fn settle_one(&self) -> bool {
        let Some(entry) = self.entries.pop() else { return false };
        if !entry.bytes.is_empty() {
            self.history.lock().expect("no test panics in it").push((entry.sequence, entry.log_time, entry.bytes));
        }
        self.mark.store(entry.sequence.0, Ordering::Release);
        entry.notify.iter().for_each(|waiting| waiting.durable());
        true
    }
}

impl FakeLog {
    /// What a recovery would find.
    pub(super) fn durable_engine(&self, capacity: Capacity) -> Engine {
        let mut engine = Engine::new(ShardId(0), 1, capacity);
        let mut scratch = FactScratch::default();
        for (sequence, at, bytes) in self.history.lock().expect("no test panics in it").iter() {
            engine.stand_at(*sequence);
            let mut facts = FactReader::new(bytes, &mut scratch);
            while let Some(fact) = facts.next() {
                engine.fold(&fact.expect("a fact"), *at);
            }
        }
        engine
    }
}

impl Log for FakeLog {
    fn append(&self, entry: Entry) -> Result<(), Entry> {
        if self.full.load(Ordering::Relaxed) {
            return Err(entry);
        }
        self.entries.push(entry);
        Ok(())
    }

    fn durable(&self, _stream: ShardId) -> Sequence {
        Sequence(self.mark.load(Ordering::Acquire))
    }

    fn disk_low(&self) -> bool {
        self.disk_low.load(Ordering::Relaxed)
    }

    fn failed(&self) -> bool {
        false
    }

    fn take_spare(&self) -> Vec<u8> {
        Vec::new()
    }

    fn take_spare_notify(&self) -> Vec<Arc<dyn Notify>> {
        Vec::new()
    }
}
