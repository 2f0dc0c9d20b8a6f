//! The log as a whole, on a disk in memory: a small world that appends, crashes and opens again.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::fake_disk::FakeDisk;
use super::*;
use crate::base::{Sequence, ShardId, Timestamp};

mod backup;
mod corruption;
mod follow;
mod life;
mod misfits;
mod space;
mod threads;

/// The segments of these tests: 8 blocks.
pub(super) const SEGMENT: u64 = 32 << 10;

pub(super) type Owned = (u16, u64, u64, Vec<u8>);

pub(super) struct World {
    pub(super) disk: FakeDisk,
    pub(super) writer: Writer<FakeDisk>,
    pub(super) next: Vec<u64>,
    pub(super) cut: Option<Cut>,
    pub(super) replayed: Vec<Owned>,
    _lock: Option<<FakeDisk as Disk>::Lock>,
}

pub(super) fn options() -> Options {
    let method = Some(SyncMethod::Fdatasync);
    Options { segment_bytes: SEGMENT, sync_method: method, low_water_bytes: 0, ..Options::new("fake", 3) }
}

pub(super) fn try_open(disk: &FakeDisk, options: &Options) -> Result<World, Fault> {
    let mut replayed = Vec::new();
    let mut replay = |entry: ReplayedEntry<'_>| {
        replayed.push((entry.stream.0, entry.sequence.0, entry.log_time.ms(), entry.bytes.to_vec()));
    };
    let opened = Log::open_on(disk.clone(), options, &mut replay, &mut |_| {})?;
    let next = opened.tails.iter().map(|tail| tail.sequence.0 + 1).collect();
    let cut = opened.cut.clone();
    let (writer, lock) = opened.into_writer();
    Ok(World { disk: disk.clone(), writer, next, cut, replayed, _lock: lock })
}

pub(super) fn open(disk: &FakeDisk) -> World {
    try_open(disk, &options()).expect("the log opens")
}

/// Bytes that tell entries apart.
pub(super) fn bytes_of(stream: u16, sequence: u64, length: usize) -> Vec<u8> {
    (0..length).map(|at| (usize::from(stream) * 31 + sequence as usize * 7 + at * 13 + 1) as u8).collect()
}

#[derive(Default)]
pub(super) struct Bell(pub(super) AtomicUsize);

impl Notify for Bell {
    fn durable(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Bell {
    pub(super) fn rung(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl World {
    pub(super) fn entry(&mut self, stream: u16, length: usize) -> Entry {
        let sequence = self.next[usize::from(stream)];
        self.next[usize::from(stream)] += 1;
        let (stream_id, sequence_id) = (ShardId(stream), Sequence(sequence));
        let (log_time, bytes) = (Timestamp::from_ms(1_000 + sequence), bytes_of(stream, sequence, length));
        Entry { stream: stream_id, sequence: sequence_id, log_time, bytes, notify: Vec::new() }
    }

    pub(super) fn put(&mut self, stream: u16, length: usize) {
        let entry = self.entry(stream, length);
        self.writer.handle_entry(entry);
    }

    /// Prepares what is wanted, then commits.
    pub(super) fn try_commit(&mut self, now_ms: u64) -> Result<Vec<Mark>, Fault> {
        self.supply();
        match self.writer.commit(now_ms)? {
            Outcome::Done => Ok(self.writer.committed().marks.clone()),
            Outcome::Idle | Outcome::Starved => Ok(Vec::new()),
        }
    }

    pub(super) fn commit(&mut self, now_ms: u64) -> Vec<Mark> {
        self.try_commit(now_ms).expect("the disk is sound")
    }

    pub(super) fn supply(&mut self) {
        let Some((next, upto)) = self.writer.poll_wanted() else { return };
        for number in next..=upto {
            let order = Order { number, segment_bytes: SEGMENT, method: SyncMethod::Fdatasync, low_water_bytes: 0 };
            match prepare(&self.disk, order, &mut || ControlFlow::Continue(())) {
                Ok(Some(prepared)) => self.writer.handle_prepared(prepared),
                other => panic!("a segment cannot be prepared: {:?}", other.err()),
            }
        }
    }

    /// One entry, one frame.
    pub(super) fn frame(&mut self, stream: u16, length: usize) {
        self.put(stream, length);
        self.commit(0);
    }
}

/// What these calls of `frame` leave behind.
pub(super) fn expected(frames: &[(u16, usize)]) -> Vec<Owned> {
    let mut next = [1_u64; 3];
    let mut owned = Vec::new();
    for (stream, length) in frames.iter().copied() {
        let sequence = next[usize::from(stream)];
        next[usize::from(stream)] += 1;
        owned.push((stream, sequence, 1_000 + sequence, bytes_of(stream, sequence, length)));
    }
    owned
}

pub(super) fn bell() -> (Arc<Bell>, Vec<Arc<dyn Notify>>) {
    let bell = Arc::new(Bell::default());
    let notify: Vec<Arc<dyn Notify>> = vec![Arc::<Bell>::clone(&bell)];
    (bell, notify)
}

pub(super) fn segment_name(number: u64) -> String {
    segment::name(number)
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").field("replayed", &self.replayed.len()).field("cut", &self.cut).finish()
    }
}
