//! Recovery: the entries of the log, folded into the engines they belong to.
//!
//! # Always true
//! - Runs the same `fold` as the live path, at the log time of the entry: the state after it is the state that was.
//! - A record that cannot be read stops everything. The log has already vouched for every byte of it, so it was written
//!   by another version or by a bug, and neither may be guessed at.
//! - Nothing is folded of a stream whose beginning is missing: its facts are about a state that is not there.
//! - Entries that an image holds already are passed over.

use crate::base::limits::LOOK_AHEAD_COMMANDS_MAX;
use crate::base::{OrderId, Sequence, ShardId, Timestamp};
use crate::engine::{Capacity, Engine, ImageError};
use crate::wal::{ReplayedEntry, StreamTail};
use crate::wire::{FactReader, FactScratch, RecordError};

/// Why the entries of a sound log make no state.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// An entry holds something that is no fact.
    #[error("entry {sequence} of stream {stream} of the log holds a record that is no fact: {source}")]
    Record {
        /// The stream.
        stream: ShardId,
        /// The entry.
        sequence: Sequence,
        /// What is wrong with the record.
        source: RecordError,
    },
    /// What came before an entry is not there.
    #[error(
        "stream {stream} of the log goes on with entry {sequence} after entry {after}: what came between is not there"
    )]
    Gap {
        /// The stream.
        stream: ShardId,
        /// The entry.
        sequence: Sequence,
        /// The one folded before it; 0 for none.
        after: Sequence,
    },
}

const ONE_STREAM_EACH: &str = "law: a log has one stream for each shard";

/// Engines while the log is being read.
#[derive(Debug)]
pub struct Recovery {
    engines: Vec<Engine>,
    /// The last entry folded, of each stream.
    folded: Vec<Sequence>,
    /// The last entry that the image holds, of each stream.
    in_image: Vec<Sequence>,
    /// Fold this stream only.
    only: Option<ShardId>,
    /// Orders of each shard to take memory for before the first is folded.
    reserve: Option<u64>,
    last: Timestamp,
    facts: u64,
    failed: Option<RecoverError>,
    scratch: [FactScratch; 2],
    /// Orders about to be looked up.
    ahead: Vec<OrderId>,
}

impl Recovery {
    /// Empty engines, one for each shard. `capacity` is of one shard.
    #[must_use]
    pub fn new(shards: u16, capacity: Capacity) -> Self {
        let engines = (0..shards).map(|shard| Engine::new(ShardId(shard), shards, capacity)).collect();
        Self {
            engines,
            folded: vec![Sequence(0); usize::from(shards)],
            in_image: vec![Sequence(0); usize::from(shards)],
            only: None,
            reserve: None,
            last: Timestamp::ZERO,
            facts: 0,
            failed: None,
            scratch: Default::default(),
            ahead: Vec::new(),
        }
    }

    /// The same for one stream alone; entries of others are passed over. Nothing is too much for it: the shard that
    /// accepted what it folds had its own limits.
    #[must_use]
    pub fn of_stream(shards: u16, stream: ShardId) -> Self {
        Self { only: Some(stream), ..Self::new(shards, Capacity::UNBOUNDED) }
    }

    /// Takes a part of the image of a shard. Parts come before entries, in the order they were written.
    ///
    /// # Errors
    /// [`ImageError`]; the recovery is of no use then.
    pub fn handle_image_part(&mut self, stream: ShardId, part: &[u8]) -> Result<(), ImageError> {
        self.take_reserve();
        self.engines.get_mut(usize::from(stream.0)).expect(ONE_STREAM_EACH).read_image_part(part)
    }

    /// The image has been read: it holds every entry up to these places.
    ///
    /// # Errors
    /// [`ImageError`]; the recovery is of no use then.
    pub fn finish_image(&mut self, tails: &[StreamTail]) -> Result<(), ImageError> {
        self.engines.iter_mut().try_for_each(Engine::finish_image)?;
        for (stream, tail) in tails.iter().enumerate() {
            self.folded[stream] = tail.sequence;
            self.in_image[stream] = tail.sequence;
            self.last = self.last.max(tail.log_time);
        }
        Ok(())
    }

    /// Lets each shard take the memory for so many orders, those of the log and those to come, before it folds the
    /// first. Not at once: the log may turn out to be somebody else's, who needs the memory.
    pub const fn reserve(&mut self, orders: u64) {
        self.reserve = Some(orders);
    }

    fn take_reserve(&mut self) {
        if let Some(orders) = self.reserve.take() {
            self.engines.iter_mut().for_each(|engine| engine.reserve(orders));
        }
    }

    /// Folds one entry. After the first that cannot be read, none.
    pub fn handle_entry(&mut self, entry: ReplayedEntry<'_>) {
        self.take_reserve();
        let held = self.in_image.get(usize::from(entry.stream.0)).expect(ONE_STREAM_EACH);
        if entry.sequence <= *held || self.only.is_some_and(|only| only != entry.stream) {
            return;
        }
        if self.failed.is_none() {
            self.last = self.last.max(entry.log_time);
            self.failed = self.check_follows(&entry).and_then(|()| self.fold(entry)).err();
        }
    }

    fn check_follows(&mut self, entry: &ReplayedEntry<'_>) -> Result<(), RecoverError> {
        let folded = self.folded.get_mut(usize::from(entry.stream.0)).expect(ONE_STREAM_EACH);
        let (stream, sequence, after) = (entry.stream, entry.sequence, *folded);
        if sequence != after.next() {
            return Err(RecoverError::Gap { stream, sequence, after });
        }
        *folded = sequence;
        Ok(())
    }

    /// Reads a group of facts twice: first to touch what folding will look up, so that cache misses overlap.
    fn fold(&mut self, entry: ReplayedEntry<'_>) -> Result<(), RecoverError> {
        let ReplayedEntry { stream, sequence, log_time, bytes } = entry;
        let engine = self.engines.get_mut(usize::from(stream.0)).expect(ONE_STREAM_EACH);
        engine.stand_at(sequence);
        let [ahead, behind] = &mut self.scratch;
        let (mut scout, mut facts) = (FactReader::new(bytes, ahead), FactReader::new(bytes, behind));
        loop {
            self.ahead.clear();
            for _ in 0..LOOK_AHEAD_COMMANDS_MAX {
                // What cannot be read is met again below.
                let Some(Ok(fact)) = scout.next() else { break };
                self.ahead.extend(engine.touch_fact(&fact));
            }
            engine.touch_orders(&self.ahead);
            for _ in 0..LOOK_AHEAD_COMMANDS_MAX {
                let Some(fact) = facts.next() else { return Ok(()) };
                let fact = fact.map_err(|source| RecoverError::Record { stream, sequence, source })?;
                engine.fold(&fact, log_time);
                self.facts += 1;
            }
        }
    }

    /// Facts folded so far.
    #[must_use]
    pub const fn facts(&self) -> u64 {
        self.facts
    }

    /// The engines, by shard, and the last log time of all streams, for the clock to begin at.
    ///
    /// # Errors
    /// [`RecoverError`] of the first entry that could not be folded.
    pub fn finish(mut self) -> Result<(Vec<Engine>, Timestamp), RecoverError> {
        self.take_reserve();
        match self.failed {
            Some(error) => Err(error),
            None => Ok((self.engines, self.last)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(stream: u16, sequence: u64, bytes: &[u8]) -> ReplayedEntry<'_> {
        let (stream, sequence, log_time) = (ShardId(stream), Sequence(sequence), Timestamp::from_ms(sequence));
        ReplayedEntry { stream, sequence, log_time, bytes }
    }

    #[test]
    fn nothing_is_folded_of_a_stream_whose_beginning_is_missing() {
        let mut recovery = Recovery::new(2, Capacity::default());
        recovery.handle_entry(entry(0, 1, &[]));
        // No fact at all; it is never looked at.
        recovery.handle_entry(entry(1, 8, &[0xFF; 16]));
        recovery.handle_entry(entry(0, 2, &[]));
        let fault = recovery.finish().expect_err("entries 1 to 7 are missing");
        assert!(matches!(fault, RecoverError::Gap { sequence: Sequence(8), after: Sequence(0), .. }), "{fault}");
    }

    #[test]
    fn an_entry_that_holds_no_fact_is_named() {
        let mut recovery = Recovery::new(1, Capacity::default());
        recovery.handle_entry(entry(0, 1, &[0xFF; 16]));
        let fault = recovery.finish().expect_err("no fact");
        assert!(matches!(fault, RecoverError::Record { sequence: Sequence(1), .. }), "{fault}");
    }

    #[test]
    fn reserved_memory_is_taken_whether_there_is_a_log_or_not() {
        let mut recovery = Recovery::new(2, Capacity::default());
        recovery.reserve(100_000);
        let (engines, _) = recovery.finish().expect("an empty log");
        assert_eq!(engines.len(), 2);
    }
}
