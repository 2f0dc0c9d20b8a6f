//! The log's thread: carries entries from the queue to the writer, and marks and wakers back. Decides nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_utils::sync::Parker;

use super::disk::Disk;
use super::handle::Shared;
use super::keeper::Port;
use super::writer::{Outcome, Writer};
use super::{Durability, Fault};
use crate::base::limits::{LOG_QUEUE_ENTRIES_MAX, LOG_SPACE_CHECK_MS};

pub(super) struct LogThread<D: Disk> {
    pub(super) writer: Writer<D>,
    pub(super) shared: Arc<Shared>,
    pub(super) port: Arc<Port<D::File>>,
    pub(super) parker: Parker,
    pub(super) begun: Instant,
}

/// Whether the thread goes on.
#[derive(PartialEq, Eq)]
enum Turn {
    On,
    Over,
}

impl<D: Disk> LogThread<D> {
    pub(super) fn run(mut self, on_failure: Box<dyn FnOnce(Fault) + Send>) {
        let fault = loop {
            match self.turn() {
                Ok(Turn::On) => {}
                Ok(Turn::Over) => break None,
                Err(fault) => break Some(fault),
            }
        };
        self.port.stop();
        if let Some(fault) = fault {
            self.shared.fail();
            tracing::error!(%fault, "the log has failed: nothing more is acknowledged");
            on_failure(fault);
        }
    }

    fn turn(&mut self) -> Result<Turn, Fault> {
        // Read before the queue: what was appended before the end began is still taken.
        let closing = self.shared.is_closed();
        self.take_segments();
        self.take_entries();
        let seal = self.shared.seal_wanted();
        if seal.is_some() {
            self.writer.handle_seal();
        }
        let begun = Instant::now();
        let outcome = self.writer.commit(self.now_ms())?;
        // Also while it waits for room: what was written before may have been synced meanwhile.
        if outcome != Outcome::Idle {
            self.deliver(begun);
        }
        if let Some(ticket) = seal.filter(|_| !self.writer.is_sealing()) {
            self.shared.mark_sealed(ticket);
        }
        self.recycle();
        match outcome {
            Outcome::Done => Ok(Turn::On),
            Outcome::Idle if closing => self.finish(),
            Outcome::Starved if closing && self.shared.is_disk_low() => {
                tracing::error!("stopped without room for what was last appended; none of it was acknowledged");
                Ok(Turn::Over)
            }
            Outcome::Idle => {
                let span =
                    self.writer.poll_deadline().map(|at| Duration::from_millis(at.saturating_sub(self.now_ms())));
                self.shared.sleep(&self.parker, span);
                Ok(Turn::On)
            }
            Outcome::Starved => {
                self.port.hurry();
                self.parker.park_timeout(Duration::from_millis(LOG_SPACE_CHECK_MS));
                Ok(Turn::On)
            }
        }
    }

    fn take_segments(&mut self) {
        while let Some(prepared) = self.port.ready.pop() {
            self.writer.handle_prepared(prepared);
        }
        if let Some((_, upto)) = self.writer.poll_wanted() {
            self.port.want(upto);
        }
    }

    /// Bounded: entries without bytes never fill a frame.
    fn take_entries(&mut self) {
        for _ in 0..LOG_QUEUE_ENTRIES_MAX {
            let wanted = self.writer.wants_entry();
            let Some(entry) = wanted.then(|| self.shared.take_entry()).flatten() else { break };
            self.writer.handle_entry(entry);
        }
    }

    /// Marks first, then wakers: who is woken must see its mark.
    fn deliver(&mut self, begun: Instant) {
        let took_us = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        let committed = self.writer.committed();
        self.shared.counters.add(committed.counts, took_us);
        for mark in committed.marks.drain(..) {
            self.shared.mark_durable(mark.stream, mark.sequence, mark.bytes);
        }
        for waiting in committed.notify.drain(..) {
            waiting.durable();
        }
    }

    fn recycle(&mut self) {
        while let Some(emptied) = self.writer.poll_emptied() {
            self.shared.recycle(emptied.bytes);
            self.shared.recycle_notify(emptied.notify);
        }
    }

    fn finish(&mut self) -> Result<Turn, Fault> {
        self.writer.finish(self.now_ms())?;
        Ok(Turn::Over)
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// Says loudly what a weaker mode than `sync` gives up.
pub(super) fn announce(durability: Durability) {
    match durability {
        Durability::Sync => {}
        Durability::Interval { ms } => {
            tracing::warn!(ms, "durability is interval: a power cut loses what was acknowledged in the last interval");
        }
        Durability::Memory => {
            tracing::warn!("durability is memory: there is no log, and every stop loses everything");
        }
    }
}
