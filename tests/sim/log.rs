//! The log of the simulation: the shards' side is a queue, the disk's side is the real `Writer`, and the world decides
//! when it commits.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard};

use stockade::base::{Sequence, ShardId, Timestamp};
use stockade::shard::Log;
use stockade::wal::{Entry, Fault, Notify, Options, Order, Outcome, SyncMethod, Writer, prepare};

use crate::disk::SimDisk;

/// What a shard appended: the log time and the facts.
pub(crate) type Appended = (Timestamp, Vec<u8>);

/// Where shards append.
pub(crate) struct SimLog {
    state: Mutex<State>,
}

pub(crate) struct State {
    queue: VecDeque<Entry>,
    /// Where each stream is durable.
    pub(crate) marks: Vec<Sequence>,
    /// Everything appended since the beginning of the world, by stream, less what crashes took.
    pub(crate) history: Vec<Vec<Appended>>,
    pub(crate) disk_low: bool,
}

impl SimLog {
    pub(crate) fn new(history: Vec<Vec<Appended>>) -> Self {
        let marks = history.iter().map(|entries| Sequence(entries.len() as u64)).collect();
        Self { state: Mutex::new(State { queue: VecDeque::new(), marks, history, disk_low: false }) }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("the simulation has one thread")
    }
}

impl State {
    /// What was appended and never written.
    pub(crate) fn forget_queue(&mut self) {
        self.queue.clear();
    }
}

impl Log for SimLog {
    fn append(&self, entry: Entry) -> Result<(), Entry> {
        let mut state = self.state();
        if !entry.bytes.is_empty() {
            let history = &mut state.history[usize::from(entry.stream.0)];
            assert_eq!(entry.sequence.0, history.len() as u64 + 1, "entries leave a shard in order, without a gap");
            history.push((entry.log_time, entry.bytes.clone()));
        }
        state.queue.push_back(entry);
        Ok(())
    }

    fn durable(&self, stream: ShardId) -> Sequence {
        self.state().marks[usize::from(stream.0)]
    }

    fn disk_low(&self) -> bool {
        self.state().disk_low
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

/// The other side: what the log's threads do, one step at a time.
pub(crate) struct Committer {
    pub(crate) disk: SimDisk,
    pub(crate) log: Arc<SimLog>,
    pub(crate) writer: Writer<SimDisk>,
    pub(crate) options: Options,
}

impl Committer {
    /// Writes and syncs what waits. Tells whether there was anything.
    pub(crate) fn commit(&mut self, now_ms: u64) -> Result<bool, Fault> {
        while self.writer.wants_entry() {
            let Some(entry) = self.log.state().queue.pop_front() else { break };
            self.writer.handle_entry(entry);
        }
        let outcome = self.writer.commit(now_ms)?;
        while self.writer.poll_emptied().is_some() {}
        match outcome {
            Outcome::Idle => Ok(false),
            Outcome::Done => Ok(true),
            Outcome::Starved => self.prepare_one().map(|()| true),
        }
    }

    /// Tells what the last commit made durable: the marks first, then the wakers.
    pub(crate) fn publish(&mut self) {
        let committed = self.writer.committed();
        for mark in committed.marks.drain(..) {
            self.log.state().marks[usize::from(mark.stream.0)] = mark.sequence;
        }
        for waiting in std::mem::take(&mut committed.notify) {
            waiting.durable();
        }
    }

    /// Prepares the next segment there ought to be.
    pub(crate) fn prepare_one(&mut self) -> Result<(), Fault> {
        let Some((number, upto)) = self.writer.poll_wanted() else { return Ok(()) };
        if number <= upto {
            let method = self.options.sync_method.unwrap_or(SyncMethod::Fdatasync);
            let order = Order { number, segment_bytes: self.options.segment_bytes, method, low_water_bytes: 0 };
            let prepared = prepare(&self.disk, order, &mut || ControlFlow::Continue(()))?;
            self.writer.handle_prepared(prepared.expect("nobody breaks the preparation off"));
        }
        Ok(())
    }
}
