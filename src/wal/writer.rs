//! The writer: a machine without a clock and without a thread that turns entries into durable frames.
//!
//! ```text
//! handle_entry ─► gathered ── commit ──► written ── sync ──► committed: marks, then wakers
//!                    ▲ held: one entry that did not fit the frame
//! ```
//!
//! # Always true
//! - A mark comes out of `commit` only after the sync of the frame that holds the entry (`Durability::Sync`).
//! - After the first fault every call answers [`Fault::Failed`]; no mark comes out again.
//! - Wakers of an entry without bytes come out together with the marks of what was gathered before it.
//!
//! # Why so
//! What arrives during one sync is the next frame. The batch adapts by itself and an idle log adds no wait.

use std::sync::Arc;

use super::disk::Disk;
use super::frame::EntryHeader;
use super::frame_buffer::FrameBuffer;
use super::prepare::Prepared;
use super::tail::{Room, Tail};
use super::{Counts, Durability, Entry, Fault, Notify, StreamTail};
use crate::base::limits::LOG_QUIET_MS;
use crate::base::{Sequence, ShardId};

/// How far a stream has become durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// The stream.
    pub stream: ShardId,
    /// Its last durable entry.
    pub sequence: Sequence,
    /// Bytes that became durable.
    pub bytes: usize,
}

/// What one commit made durable. Take the marks first, then call the wakers.
#[derive(Default)]
pub struct Committed {
    /// One for each stream that moved.
    pub marks: Vec<Mark>,
    /// Who waits. Drain it.
    pub notify: Vec<Arc<dyn Notify>>,
    /// For the statistics.
    pub counts: Counts,
}

/// What a commit did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing waits.
    Idle,
    /// Look at [`Writer::committed`].
    Done,
    /// The frame is full and no segment is prepared: hand one in and commit again.
    Starved,
}

/// The buffers of an entry that was gathered, for the shard to use again.
#[derive(Default)]
pub struct Emptied {
    /// Empty, with its capacity.
    pub bytes: Vec<u8>,
    /// Empty, with its capacity.
    pub notify: Vec<Arc<dyn Notify>>,
}

/// One stream, as far as it was handed in and as far as it was written.
#[derive(Debug, Clone, Copy, Default)]
struct Stream {
    gathered: StreamTail,
    gathered_bytes: usize,
}

/// See the module.
pub struct Writer<D: Disk> {
    /// `None`: `Durability::Memory`.
    tail: Option<Tail<D::File>>,
    durability: Durability,
    frame: FrameBuffer,
    held: Option<Entry>,
    streams: Vec<Stream>,
    /// Where each stream stands in the frames written so far.
    written: Vec<StreamTail>,
    gathered_notify: Vec<Arc<dyn Notify>>,
    committed: Committed,
    emptied: Vec<Emptied>,
    care: Care,
    failed: bool,
}

/// What remains to be done about frames already written.
#[derive(Debug, Clone, Copy, Default)]
struct Care {
    /// When the first frame was written that is not synced yet (`Durability::Interval`).
    unsynced_since: Option<u64>,
    /// When the last frame was written that nothing vouches for yet.
    unvouched_since: Option<u64>,
    /// The segment being written is to end as soon as nothing is gathered.
    seal_wanted: bool,
}

impl<D: Disk> Writer<D> {
    pub(super) fn new(
        tail: Option<Tail<D::File>>,
        durability: Durability,
        frame_bytes_max: usize,
        tails: Vec<StreamTail>,
        vouched: bool,
    ) -> Self {
        let stream = |tail: &StreamTail| Stream { gathered: *tail, gathered_bytes: 0 };
        Self {
            tail,
            durability,
            frame: FrameBuffer::new(frame_bytes_max),
            held: None,
            streams: tails.iter().map(stream).collect(),
            written: tails,
            gathered_notify: Vec::new(),
            committed: Committed::default(),
            emptied: Vec::new(),
            care: Care { unsynced_since: None, unvouched_since: (!vouched).then_some(0), seal_wanted: false },
            failed: false,
        }
    }

    /// Whether another entry may be handed in.
    #[must_use]
    pub fn wants_entry(&self) -> bool {
        self.held.is_none() && !self.failed
    }

    /// Takes an entry while [`Writer::wants_entry`].
    pub fn handle_entry(&mut self, entry: Entry) {
        assert!(self.held.is_none(), "the writer is asked before it is handed an entry");
        let fits = self.tail.is_none() || self.frame.fits(entry.bytes.len());
        if entry.bytes.is_empty() || fits { self.gather(entry) } else { self.held = Some(entry) }
    }

    fn gather(&mut self, mut entry: Entry) {
        let length = entry.bytes.len();
        if length > 0 {
            let stream = self.streams.get_mut(usize::from(entry.stream.0));
            let stream = stream.expect("a stream is one of the shards the log was opened with");
            let expected = stream.gathered.sequence.next();
            assert!(entry.sequence == expected, "a stream's entries are appended in order, without a gap");
            stream.gathered = StreamTail { sequence: entry.sequence, log_time: entry.log_time };
            stream.gathered_bytes += length;
            if self.tail.is_some() {
                self.frame.push(header_of(&entry), &entry.bytes);
            }
        }
        self.gathered_notify.append(&mut entry.notify);
        entry.bytes.clear();
        self.emptied.push(Emptied { bytes: entry.bytes, notify: entry.notify });
    }

    /// Takes a prepared segment, in the order of their numbers.
    pub fn handle_prepared(&mut self, prepared: Prepared<D::File>) {
        if let Some(tail) = &mut self.tail {
            tail.handle_prepared(prepared);
        }
    }

    /// Asks for the segment being written to end, so that everything in it is in the sealed part of the log. Done by
    /// the next commit that leaves nothing gathered behind and has a segment to go on in.
    pub fn handle_seal(&mut self) {
        self.care.seal_wanted = true;
    }

    /// Whether that is still to be done.
    #[must_use]
    pub const fn is_sealing(&self) -> bool {
        self.care.seal_wanted
    }

    /// The segments there ought to be: the first that is not handed in yet, and the last. Nothing is missing when the
    /// first is past the last. `None` without a log.
    #[must_use]
    pub fn poll_wanted(&self) -> Option<(u64, u64)> {
        self.tail.as_ref().map(|tail| (tail.next_to_prepare(), tail.wanted_upto()))
    }

    /// Buffers to give back.
    pub fn poll_emptied(&mut self) -> Option<Emptied> {
        self.emptied.pop()
    }

    /// Writes and syncs what was gathered as one frame. With nothing gathered, does what has become due: the sync of
    /// an interval, the frame that vouches for the last one.
    ///
    /// # Errors
    /// [`Fault::Write`] the first time, then [`Fault::Failed`] for ever.
    pub fn commit(&mut self, now_ms: u64) -> Result<Outcome, Fault> {
        if self.failed {
            return Err(Fault::Failed);
        }
        let outcome = self.try_commit(now_ms);
        self.failed = outcome.is_err();
        outcome
    }

    /// What the last commit did; it made nothing durable unless it was `Done`.
    pub fn committed(&mut self) -> &mut Committed {
        &mut self.committed
    }

    /// When `commit` has something to do although no entry comes.
    #[must_use]
    pub fn poll_deadline(&self) -> Option<u64> {
        // A frame is vouched for only once it is synced.
        match self.care.unsynced_since {
            Some(since) => Some(since + self.interval_ms()),
            None => self.care.unvouched_since.map(|since| since + LOG_QUIET_MS),
        }
    }

    /// A clean end: commits what was handed in, syncs, vouches.
    ///
    /// # Errors
    /// As [`Writer::commit`].
    pub fn finish(&mut self, now_ms: u64) -> Result<Outcome, Fault> {
        let outcome = self.commit(now_ms)?;
        if outcome != Outcome::Starved && self.held.is_none() && self.frame.is_empty() {
            let finished = self.sync_written().and_then(|()| self.vouch(now_ms));
            self.failed = finished.is_err();
            finished?;
        }
        Ok(outcome)
    }

    fn interval_ms(&self) -> u64 {
        match self.durability {
            Durability::Interval { ms } => ms.into(),
            Durability::Sync | Durability::Memory => 0,
        }
    }

    fn try_commit(&mut self, now_ms: u64) -> Result<Outcome, Fault> {
        self.committed.counts = Counts::default();
        self.committed.marks.clear();
        let nothing_gathered = self.gathered_notify.is_empty() && self.streams.iter().all(|s| s.gathered_bytes == 0);
        if nothing_gathered {
            self.attend(now_ms)?;
            self.seal()?;
            return Ok(if self.committed.counts == Counts::default() { Outcome::Idle } else { Outcome::Done });
        }
        if !self.frame.is_empty() && self.put(now_ms)? == Room::Starved {
            // What was acknowledged before is not to wait for room.
            self.sync_overdue(now_ms)?;
            return Ok(Outcome::Starved);
        }
        self.release();
        self.sync_overdue(now_ms)?;
        self.seal()?;
        if let Some(entry) = self.held.take() {
            self.gather(entry);
        }
        Ok(Outcome::Done)
    }

    /// Writes the gathered frame, and syncs it if answers wait for that.
    fn put(&mut self, now_ms: u64) -> Result<Room, Fault> {
        let Some(tail) = &mut self.tail else { return Ok(Room::Taken) };
        let segment = tail.segment();
        if tail.write(&mut self.frame, &self.written)? == Room::Starved {
            return Ok(Room::Starved);
        }
        // Where the frame found no room the segment has ended by itself.
        self.care.seal_wanted &= tail.segment() == segment;
        let counts = &mut self.committed.counts;
        counts.frames += 1;
        counts.entries += u64::from(self.frame.entries());
        counts.written_bytes += self.frame.span() as u64;
        self.frame.clear();
        self.care.unvouched_since = Some(now_ms);
        match self.durability {
            Durability::Sync => self.sync_tail()?,
            Durability::Interval { .. } | Durability::Memory => {
                self.care.unsynced_since.get_or_insert(now_ms);
            }
        }
        Ok(Room::Taken)
    }

    /// Turns what was gathered into marks and wakers.
    fn release(&mut self) {
        for (index, stream) in self.streams.iter_mut().enumerate() {
            if stream.gathered_bytes == 0 {
                continue;
            }
            self.written[index] = stream.gathered;
            let (sequence, bytes) = (stream.gathered.sequence, std::mem::take(&mut stream.gathered_bytes));
            self.committed.counts.entry_bytes += bytes as u64;
            self.committed.marks.push(Mark { stream: ShardId(index as u16), sequence, bytes });
        }
        self.committed.notify.append(&mut self.gathered_notify);
    }

    /// What is due while nothing comes.
    fn attend(&mut self, now_ms: u64) -> Result<(), Fault> {
        if self.care.unsynced_since.is_some_and(|since| now_ms >= since + self.interval_ms()) {
            self.sync_written()?;
        }
        let quiet = self.care.unvouched_since.is_some_and(|since| now_ms >= since + LOG_QUIET_MS);
        if quiet && self.care.unsynced_since.is_none() {
            self.vouch(now_ms)?;
        }
        Ok(())
    }

    /// Ends the segment if that is wanted. The next one's header vouches for all of it.
    fn seal(&mut self) -> Result<(), Fault> {
        if !self.care.seal_wanted || !self.frame.is_empty() {
            return Ok(());
        }
        self.sync_written()?;
        let room = self.tail.as_mut().map_or(Ok(Room::Taken), |tail| tail.seal(&self.written))?;
        if room == Room::Taken {
            (self.care.seal_wanted, self.care.unvouched_since) = (false, None);
        }
        Ok(())
    }

    /// Makes durable what was written so long ago.
    fn sync_overdue(&mut self, now_ms: u64) -> Result<(), Fault> {
        let is_overdue = self.care.unsynced_since.is_some_and(|since| now_ms >= since + self.interval_ms());
        if is_overdue { self.sync_written() } else { Ok(()) }
    }

    fn sync_written(&mut self) -> Result<(), Fault> {
        if self.care.unsynced_since.take().is_some() {
            self.sync_tail()?;
        }
        Ok(())
    }

    fn sync_tail(&mut self) -> Result<(), Fault> {
        if let Some(tail) = &mut self.tail {
            tail.sync()?;
            self.committed.counts.syncs += 1;
        }
        Ok(())
    }

    /// An empty frame whose `durable_upto` names the last one. Without room it is tried again later.
    fn vouch(&mut self, now_ms: u64) -> Result<(), Fault> {
        if self.care.unvouched_since.is_none() {
            return Ok(());
        }
        let Some(tail) = &mut self.tail else { return Ok(()) };
        assert!(tail.is_all_durable() && self.frame.is_empty(), "a frame vouches only for what is durable");
        if tail.write(&mut self.frame, &self.written)? == Room::Starved {
            self.care.unvouched_since = Some(now_ms);
            return Ok(());
        }
        self.care.unvouched_since = None;
        self.committed.counts.frames += 1;
        self.committed.counts.written_bytes += self.frame.span() as u64;
        self.sync_tail()
    }
}

fn header_of(entry: &Entry) -> EntryHeader {
    EntryHeader {
        sequence: entry.sequence,
        log_time: entry.log_time,
        length: u32::try_from(entry.bytes.len()).expect("an entry is at most 2 MiB"),
        stream: entry.stream,
    }
}
