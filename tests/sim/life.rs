//! One life of the node: from a recovery to the next crash.
//!
//! Recovery is also where most is checked: what is on the disk must be a beginning of what the shards appended, no
//! shorter than the marks that were told; and the engines must be what a fresh fold of it gives.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use stockade::base::{Sequence, ShardId};
use stockade::engine::{Capacity, Engine};
use stockade::shard::{FakeKeys, Inbox, LogClock, Outbox, Readings, Replies, Shard, missing_beginning, recover_on};
use stockade::wal::{Fault, Log as Wal, Options, StreamTail};
use stockade::wire::{FactReader, FactScratch};

use crate::disk::{SimDisk, SimLock};
use crate::log::{Appended, Committer, SimLog};
use crate::promises::Promises;

/// The clocks of the machine, which only the world moves.
#[derive(Clone, Default)]
pub(crate) struct SimReadings {
    pub(crate) monotonic_ns: Arc<AtomicU64>,
    pub(crate) wall_ms: Arc<AtomicU64>,
}

impl Readings for SimReadings {
    fn monotonic_ns(&self) -> u64 {
        self.monotonic_ns.load(Ordering::Relaxed)
    }

    fn wall_ms(&self) -> u64 {
        self.wall_ms.load(Ordering::Relaxed)
    }
}

pub(crate) struct Life {
    pub(crate) committer: Committer,
    pub(crate) clock: LogClock,
    pub(crate) shards: Vec<Shard>,
    pub(crate) inboxes: Vec<Inbox>,
    /// By client, then by shard.
    pub(crate) connections: Vec<Vec<Connection>>,
    _lock: Option<SimLock>,
}

/// What a session holds. It looks for replies only when it was woken, so that a lost wake-up is a lost answer.
pub(crate) struct Connection {
    pub(crate) outbox: Arc<Outbox>,
    replies: Replies,
    woken: Arc<Woken>,
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Connection {
    fn open(inbox: &Inbox) -> Self {
        let (outbox, replies) = inbox.open_outbox();
        Self { outbox, replies, woken: Arc::new(Woken(AtomicBool::new(true))) }
    }

    /// The next chunk of replies, if the session has been woken since there was none.
    pub(crate) fn take(&mut self) -> Option<Vec<u8>> {
        if !self.woken.0.load(Ordering::Relaxed) {
            return None;
        }
        let waker = Waker::from(Arc::clone(&self.woken));
        match self.replies.poll_take(&mut Context::from_waker(&waker)) {
            Poll::Ready(chunk) => Some(chunk),
            Poll::Pending => {
                self.woken.0.store(false, Ordering::Relaxed);
                None
            }
        }
    }
}

/// What the world knows about the log when a life begins.
pub(crate) struct Before {
    /// Everything appended, by stream.
    pub(crate) history: Vec<Vec<Appended>>,
    /// The marks that anybody may have acted upon.
    pub(crate) marks: Vec<Sequence>,
    /// Also fold everything afresh: what is certain of the simplest of recoveries must be true of the real one. Costs
    /// as much as the rest of a life.
    pub(crate) fold_afresh: bool,
}

impl Life {
    pub(crate) fn begin(
        disk: &SimDisk,
        options: &Options,
        readings: &SimReadings,
        clients: usize,
        before: &Before,
        promises: &Promises,
        keys: &[FakeKeys],
    ) -> Result<Self, Fault> {
        let (mut recovery, image) = recover_on(disk, options.shards, Capacity::default(), 0)?;
        let mut behind: Vec<Vec<(u64, Appended)>> = vec![Vec::new(); usize::from(options.shards)];
        let mut replay = |entry: stockade::wal::ReplayedEntry<'_>| {
            recovery.handle_entry(entry);
            let appended = (entry.log_time, entry.bytes.to_vec());
            behind[usize::from(entry.stream.0)].push((entry.sequence.0, appended));
        };
        let opened = Wal::open_on(disk.clone(), options, &mut replay, &mut |_| {})?;
        let missing = missing_beginning(&opened.trimmed, image.as_ref());
        assert_eq!(missing, None, "the log was trimmed, and no image that can be read holds what came before");
        let found = with_what_was_trimmed(&opened.trimmed, behind, before);
        check_recovered(&found, before);
        let (engines, last) = recovery.finish().expect("the log holds facts");
        if before.fold_afresh {
            check_engines(&engines, &found);
        }
        promises.check_kept(&engines);
        let (writer, lock) = opened.into_writer();
        let log = Arc::new(SimLog::new(found));
        let clock = LogClock::with_readings(last, readings.clone());
        let shard = |(stream, engine): (u16, Engine)| {
            let last = log.state().marks[usize::from(stream)];
            let log = Arc::clone(&log) as Arc<dyn stockade::shard::Log>;
            let keys = keys[usize::from(stream)].clone();
            assert_eq!(
                keys.recover(engine.key_names()),
                0,
                "what was answered is lost: a key is destroyed, and the log says it lives"
            );
            Shard::new(engine, ShardId(stream), last, options.entry_bytes_max(), log, clock.clone(), Box::new(keys))
        };
        let shards: Vec<Shard> = (0..).zip(engines).map(shard).collect();
        let inboxes: Vec<Inbox> = shards.iter().map(Shard::inbox).collect();
        let connect = |_| inboxes.iter().map(Connection::open).collect();
        let connections = (0..clients).map(connect).collect();
        let committer = Committer { disk: disk.clone(), log, writer, options: options.clone() };
        Ok(Self { committer, clock, shards, inboxes, connections, _lock: lock })
    }

    /// What is known about the log by now.
    pub(crate) fn so_far(&self, fold_afresh: bool) -> Before {
        let state = self.committer.log.state();
        Before { history: state.history.clone(), marks: state.marks.clone(), fold_afresh }
    }

    /// What will be known about the log after a crash now.
    pub(crate) fn end(self, fold_afresh: bool) -> Before {
        let mut state = self.committer.log.state();
        // Entries hold their shards, which hold the log.
        state.forget_queue();
        Before { history: std::mem::take(&mut state.history), marks: state.marks.clone(), fold_afresh }
    }
}

/// Where the market of this number lives, in every world.
pub(crate) fn shard_of(market: u32, shards: u16) -> usize {
    (market % u32::from(shards)) as usize
}

/// What was trimmed from the log, as it was appended, and what was found behind it.
fn with_what_was_trimmed(
    trimmed: &[StreamTail],
    behind: Vec<Vec<(u64, Appended)>>,
    before: &Before,
) -> Vec<Vec<Appended>> {
    let mut found = Vec::new();
    for (stream, behind) in behind.into_iter().enumerate() {
        let mut entries = before.history[stream][..trimmed[stream].sequence.0 as usize].to_vec();
        for (sequence, entry) in behind {
            entries.push(entry);
            assert_eq!(sequence, entries.len() as u64, "recovered entries have no gap");
        }
        found.push(entries);
    }
    found
}

fn check_recovered(found: &[Vec<Appended>], before: &Before) {
    for (stream, found) in found.iter().enumerate() {
        let (appended, mark) = (&before.history[stream], before.marks[stream].0 as usize);
        assert!(found.len() >= mark, "stream {stream}: {} entries answered for, {} left", mark, found.len());
        assert!(appended.starts_with(found), "stream {stream}: recovery found what no shard appended");
    }
}

/// The recovered engines are what folding the entries one by one gives, and sound.
fn check_engines(engines: &[Engine], history: &[Vec<Appended>]) {
    for (stream, engine) in engines.iter().enumerate() {
        let mut fresh = Engine::new(ShardId(stream as u16), engines.len() as u16, Capacity::default());
        let mut scratch = FactScratch::default();
        for (sequence, (log_time, bytes)) in (1..).map(Sequence).zip(&history[stream]) {
            fresh.stand_at(sequence);
            let mut facts = FactReader::new(bytes, &mut scratch);
            while let Some(fact) = facts.next() {
                fresh.fold(&fact.expect("a fact"), *log_time);
            }
        }
        assert_eq!(fresh.digest(), engine.digest(), "stream {stream}: a fresh fold gives another state");
        engine.check_invariants().unwrap_or_else(|broken| panic!("stream {stream}: {broken}"));
    }
}
