//! The machine of one sink's feed: entries in, batches and moves of its cursor out. No clock, no thread, no disk.
//!
//! ```text
//!            taken          out            waiting               read
//! stream ────┤ cursor ──────┤ one batch ───┤ facts, gaps ────────┤ …
//! ```
//!
//! # Always true
//! - The cursor says no more than was taken: the batch that is out, and whatever waits behind it, lie after it.
//! - Facts about cursors are not told, and move no cursor by themselves: an idle node falls silent.

use std::collections::VecDeque;

use super::batch::{Batch, Item, Position, put};
use crate::base::limits::{CURSOR_MOVE_MS, FEED_BATCH_BYTES_MAX, FEED_BATCH_FACTS_MAX, FEED_BYTES_MAX};
use crate::base::{Sequence, ShardId, Timestamp};
use crate::engine::Fact;
use crate::wal::{ReplayedEntry, StreamTail};
use crate::wire::{FactReader, FactScratch, RecordError};

/// The feed of one sink.
pub struct Feed {
    streams: Vec<Stream>,
    /// Cursors are moved without waiting, for there is no later.
    is_ending: bool,
    scratch: FactScratch,
}

/// What is known of one shard.
#[derive(Debug, Default)]
struct Stream {
    /// The last entry that was read from the log.
    read: Sequence,
    waiting: VecDeque<Item>,
    /// Facts that wait, one behind the other.
    bytes: VecDeque<u8>,
    /// A batch is with the sink.
    is_out: bool,
    /// Everything up to this entry was taken.
    taken: Sequence,
    cursor: Durable,
}

/// The cursor as the shard knows it.
#[derive(Debug, Default)]
struct Durable {
    upto: Sequence,
    /// On its way to the shard.
    asked: Option<Sequence>,
    /// Something worth telling has happened since.
    is_due: bool,
    /// Not before this moment.
    next_ms: u64,
}

impl Stream {
    fn settle(&mut self) {
        if !self.is_out {
            self.taken = self.waiting.front().map_or(self.read, Item::taken_before);
        }
    }
}

impl Feed {
    /// With the cursors of its sink, by shard.
    #[must_use]
    pub fn new(cursors: &[Sequence]) -> Self {
        let stream = |cursor: &Sequence| Stream {
            read: *cursor,
            taken: *cursor,
            cursor: Durable { upto: *cursor, ..Durable::default() },
            ..Stream::default()
        };
        Self { streams: cursors.iter().map(stream).collect(), is_ending: false, scratch: FactScratch::default() }
    }

    /// Where to read on, by shard.
    #[must_use]
    pub fn read(&self) -> Vec<Sequence> {
        self.streams.iter().map(|stream| stream.read).collect()
    }

    /// Whether more entries may be handed in.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.bytes_held() < FEED_BYTES_MAX
    }

    fn bytes_held(&self) -> usize {
        self.streams.iter().map(|stream| stream.bytes.len() + size_of::<Item>() * stream.waiting.len()).sum()
    }

    /// Facts that wait or are with the sink.
    #[must_use]
    pub fn held(&self) -> usize {
        self.streams.iter().map(|stream| stream.waiting.len()).sum()
    }

    /// Whether something of this shard waits for the sink.
    #[must_use]
    pub fn has_waiting(&self, shard: ShardId) -> bool {
        !self.streams[usize::from(shard.0)].waiting.is_empty()
    }

    /// When the oldest of the facts that wait happened.
    #[must_use]
    pub fn oldest(&self) -> Option<Timestamp> {
        let first = |stream: &Stream| {
            stream.waiting.iter().find_map(|item| match item {
                Item::Fact { at, .. } => Some(*at),
                Item::Gap { .. } => None,
            })
        };
        self.streams.iter().filter_map(first).min()
    }

    /// The log is read from here on. What it lacks of what comes next is told as a gap.
    pub fn handle_begun(&mut self, tails: &[StreamTail]) {
        for (stream, tail) in self.streams.iter_mut().zip(tails) {
            if tail.sequence > stream.read {
                stream.waiting.push_back(Item::Gap { after: stream.read, upto: tail.sequence });
                stream.read = tail.sequence;
                stream.settle();
            }
        }
    }

    /// The next segment of the log was begun: cursors that stand in an older one hold it, although nothing of them may
    /// have been worth telling.
    pub fn handle_segment(&mut self) {
        self.streams.iter_mut().for_each(|stream| stream.cursor.is_due = true);
    }

    /// Takes what is new to it of an entry.
    ///
    /// # Errors
    /// [`RecordError`] when the entry holds what is no fact; nothing of it is taken then.
    pub fn handle_entry(&mut self, entry: &ReplayedEntry<'_>) -> Result<(), RecordError> {
        let stream = &mut self.streams[usize::from(entry.stream.0)];
        if entry.sequence <= stream.read {
            return Ok(());
        }
        let before = (stream.waiting.len(), stream.bytes.len());
        let mut facts = FactReader::new(entry.bytes, &mut self.scratch);
        let (mut record, mut index) = (Vec::new(), 0);
        while let Some(fact) = facts.next() {
            let fact = fact.inspect_err(|_| {
                stream.waiting.truncate(before.0);
                stream.bytes.truncate(before.1);
            })?;
            if !matches!(fact, Fact::CursorMoved { .. }) {
                record.clear();
                let (position, bytes) = (Position { sequence: entry.sequence, index }, put(&fact, &mut record));
                stream.bytes.extend(&record);
                stream.waiting.push_back(Item::Fact { position, at: entry.log_time, bytes });
            }
            index += 1;
        }
        stream.read = entry.sequence;
        stream.settle();
        Ok(())
    }

    /// The next events of a shard for the sink, unless it has some already.
    pub fn poll_batch(&mut self, shard: ShardId) -> Option<Batch> {
        let stream = &mut self.streams[usize::from(shard.0)];
        if stream.is_out || stream.waiting.is_empty() {
            return None;
        }
        let (mut count, mut bytes) = (0, 0);
        for item in &stream.waiting {
            if count > 0 && (count == FEED_BATCH_FACTS_MAX || bytes + item.bytes() > FEED_BATCH_BYTES_MAX) {
                break;
            }
            count += 1;
            bytes += item.bytes();
        }
        stream.is_out = true;
        let batch = Batch::new(shard, stream.waiting.drain(..count).collect(), stream.bytes.drain(..bytes).collect());
        Some(batch)
    }

    /// The sink has taken the batch of this shard.
    pub fn handle_taken(&mut self, shard: ShardId) {
        let stream = &mut self.streams[usize::from(shard.0)];
        stream.is_out = false;
        stream.cursor.is_due = true;
        stream.settle();
    }

    /// Where the sink's cursor in this shard is to be moved now. [`Feed::handle_moved`] or [`Feed::handle_not_moved`]
    /// follows.
    pub fn poll_move(&mut self, shard: ShardId, now_ms: u64) -> Option<Sequence> {
        let Stream { taken, cursor, .. } = &mut self.streams[usize::from(shard.0)];
        let is_due = cursor.asked.is_none() && cursor.is_due && *taken > cursor.upto && now_ms >= cursor.next_ms;
        if !is_due {
            return None;
        }
        (cursor.asked, cursor.is_due) = (Some(*taken), false);
        cursor.asked
    }

    /// When a cursor is to be moved although nothing comes in.
    #[must_use]
    pub fn poll_deadline(&self) -> Option<u64> {
        let is_due = |stream: &&Stream| {
            stream.cursor.asked.is_none() && stream.cursor.is_due && stream.taken > stream.cursor.upto
        };
        self.streams.iter().filter(is_due).map(|stream| stream.cursor.next_ms).min()
    }

    /// The cursor stands durably where it was asked to.
    pub fn handle_moved(&mut self, shard: ShardId, now_ms: u64) {
        let cursor = &mut self.streams[usize::from(shard.0)].cursor;
        cursor.upto = cursor.asked.take().expect("law: a cursor moves because it was asked to");
        cursor.next_ms = if self.is_ending { now_ms } else { now_ms + CURSOR_MOVE_MS };
    }

    /// The node stops: cursors that lag behind what was taken move as soon as a shard lets them.
    pub fn handle_ending(&mut self, now_ms: u64) {
        self.is_ending = true;
        self.streams.iter_mut().for_each(|stream| stream.cursor.next_ms = now_ms);
    }

    /// The shard had no room for it; to be asked again after so long.
    pub fn handle_not_moved(&mut self, shard: ShardId, now_ms: u64, after_ms: u64) {
        let cursor = &mut self.streams[usize::from(shard.0)].cursor;
        cursor.asked = None;
        (cursor.is_due, cursor.next_ms) = (true, now_ms + after_ms);
    }
}
