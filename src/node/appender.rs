//! What a node decides by itself between recovery and its first request.
//!
//! # Always true
//! - What is decided here is appended before any shard runs, so nothing can be answered ahead of it.

use std::time::Duration;

use crate::base::limits::KIB;
use crate::base::{Sequence, ShardId, Timestamp};
use crate::engine::{Command, Engine, Scratch};
use crate::wal::{Entry, Handle};
use crate::wire::encode_fact;

/// An entry is appended once it has grown to so much.
const ENTRY_BYTES: usize = 64 * KIB;
/// How long a full log is left alone.
const FULL_LOG_PAUSE: Duration = Duration::from_millis(1);

/// Engines that nobody else uses yet, and their log.
pub(super) struct Appender<'a> {
    pub(super) engines: &'a mut [Engine],
    /// The last entry of each stream, kept up.
    pub(super) last: &'a mut [Sequence],
    pub(super) log: &'a Handle,
    pub(super) now: Timestamp,
}

impl Appender<'_> {
    /// Decides a command and appends what happened. One that had happened before appends nothing.
    pub(super) fn submit(&mut self, shard: ShardId, command: &Command<'_>) {
        self.submit_all(shard, std::iter::once(*command));
    }

    /// The same with many, in as few entries as hold what happened.
    pub(super) fn submit_all<'c>(&mut self, shard: ShardId, commands: impl Iterator<Item = Command<'c>>) {
        let (mut bytes, mut scratch) = (Vec::new(), Scratch::default());
        for command in commands {
            let engine = &mut self.engines[usize::from(shard.0)];
            let outcome = engine.submit(&command, self.now, &mut scratch, &mut |fact| encode_fact(fact, &mut bytes));
            assert!(outcome.is_ok(), "law: what the node itself commands is never refused: {outcome:?}");
            if bytes.len() >= ENTRY_BYTES {
                self.append(shard, std::mem::take(&mut bytes));
            }
        }
        if !bytes.is_empty() {
            self.append(shard, bytes);
        }
    }

    fn append(&mut self, shard: ShardId, bytes: Vec<u8>) {
        let last = &mut self.last[usize::from(shard.0)];
        let mut entry = Entry { stream: shard, sequence: last.next(), log_time: self.now, bytes, notify: Vec::new() };
        *last = entry.sequence;
        while let Err(back) = self.log.append(entry) {
            // Of a log that failed whoever runs the node is told.
            if self.log.failed() {
                return;
            }
            entry = back;
            std::thread::park_timeout(FULL_LOG_PAUSE);
        }
    }
}
