//! Recovery: the entries of the log, folded into the engines they belong to.
//!
//! # Always true
//! - Runs the same `fold` as the live path, at the log time of the entry: the state after it is the state that was.
//! - A record that cannot be read stops everything. The log has already vouched for every byte of it, so it was written
//!   by another version or by a bug, and neither may be guessed at.

use crate::base::limits::LOOK_AHEAD_COMMANDS_MAX;
use crate::base::{Sequence, ShardId, Timestamp};
use crate::engine::{Capacity, Engine};
use crate::wal::ReplayedEntry;
use crate::wire::{FactReader, FactScratch, RecordError};

/// A log that is sound in itself and cannot be folded.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// A sound entry holds something that is no fact.
    #[error("entry {sequence} of stream {stream} of the log holds a record that is no fact: {source}")]
    Record {
        /// The stream.
        stream: ShardId,
        /// The entry.
        sequence: Sequence,
        /// What is wrong with the record.
        source: RecordError,
    },
    /// The beginning is not there, and until there are snapshots nothing else holds it.
    #[error(
        "stream {stream} of the log begins with entry {first} and nothing holds what came before: put the missing \
         segments back, or start from a backup"
    )]
    Beginning {
        /// The stream.
        stream: ShardId,
        /// The first entry there is.
        first: Sequence,
    },
}

/// Engines while the log is being read.
#[derive(Debug)]
pub struct Recovery {
    engines: Vec<Engine>,
    /// The last entry folded, by stream.
    folded: Vec<Sequence>,
    last: Timestamp,
    facts: u64,
    failed: Option<RecoverError>,
    scratch: [FactScratch; 2],
}

impl Recovery {
    /// Empty engines, one for each shard. `capacity` is of one shard.
    #[must_use]
    pub fn new(shards: u16, capacity: Capacity) -> Self {
        let engines = (0..shards).map(|shard| Engine::new(ShardId(shard), shards, capacity)).collect();
        let folded = vec![Sequence::default(); usize::from(shards)];
        Self { engines, folded, last: Timestamp::ZERO, facts: 0, failed: None, scratch: Default::default() }
    }

    /// Folds one entry. After the first that cannot be read, none.
    pub fn handle_entry(&mut self, entry: ReplayedEntry<'_>) {
        if self.failed.is_none() {
            self.last = self.last.max(entry.log_time);
            self.failed = self.fold(entry).err();
        }
    }

    /// Reads a group of facts twice: first to touch what folding will look up, so that cache misses overlap.
    fn fold(&mut self, entry: ReplayedEntry<'_>) -> Result<(), RecoverError> {
        let ReplayedEntry { stream, sequence, log_time, bytes } = entry;
        let folded = &mut self.folded[usize::from(stream.0)];
        if sequence != folded.next() {
            return Err(RecoverError::Beginning { stream, first: sequence });
        }
        *folded = sequence;
        let engine = self.engines.get_mut(usize::from(stream.0)).expect("law: a log has one stream for each shard");
        let [ahead, behind] = &mut self.scratch;
        let (mut scout, mut facts) = (FactReader::new(bytes, ahead), FactReader::new(bytes, behind));
        loop {
            for _ in 0..LOOK_AHEAD_COMMANDS_MAX {
                // What cannot be read is met again below.
                let Some(Ok(fact)) = scout.next() else { break };
                engine.touch_fact(&fact);
            }
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
    /// [`RecoverError`] of the first entry that could not be read.
    pub fn finish(self) -> Result<(Vec<Engine>, Timestamp), RecoverError> {
        match self.failed {
            Some(error) => Err(error),
            None => Ok((self.engines, self.last)),
        }
    }
}
