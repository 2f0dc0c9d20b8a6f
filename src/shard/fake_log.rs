//! For tests: a log whose mark moves when the test says so.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use crossbeam_queue::SegQueue;

use super::log::Log;
use crate::base::{Sequence, ShardId};
use crate::wal::{Entry, Notify};

#[derive(Default)]
pub(super) struct FakeLog {
    mark: AtomicU64,
    pub(super) entries: SegQueue<Entry>,
    pub(super) disk_low: AtomicBool,
    pub(super) full: AtomicBool,
    /// Run once, right after somebody has looked at the mark.
    after_look: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl FakeLog {
    /// Makes the oldest entry durable: the mark first, then the wakers, as the real one does.
    pub(super) fn settle_one(&self) -> bool {
        let Some(entry) = self.entries.pop() else { return false };
        self.mark.store(entry.sequence.0, Ordering::Release);
        entry.notify.iter().for_each(|waiting| waiting.durable());
        true
    }

    /// Has `then` happen right after the next look at the mark: before whoever looked can do anything about it.
    pub(super) fn after_look(&self, then: impl FnOnce() + Send + 'static) {
        *self.after_look.lock().expect("no test panics in it") = Some(Box::new(then));
    }

    /// Moves the mark and tells nobody.
    pub(super) fn mark(&self, position: u64) {
        self.mark.store(position, Ordering::Release);
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
        let seen = Sequence(self.mark.load(Ordering::Acquire));
        let then = self.after_look.lock().expect("no test panics in it").take();
        if let Some(then) = then {
            then();
        }
        seen
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
