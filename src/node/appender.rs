//! What a node decides by itself between recovery and its first request.
//!
//! # Always true
//! - What is decided here is appended before any shard runs, so nothing can be answered ahead of it.

use crate::base::{Sequence, ShardId, Timestamp};
use crate::engine::{Command, Engine, Scratch};
use crate::wal::{Entry, Handle};
use crate::wire::encode_fact;

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
        let index = usize::from(shard.0);
        let mut bytes = Vec::new();
        let outcome = self.engines[index].submit(command, self.now, &mut Scratch::default(), &mut |fact| {
            encode_fact(fact, &mut bytes);
        });
        assert!(outcome.is_ok(), "law: what the node itself commands is never refused: {outcome:?}");
        if bytes.is_empty() {
            return;
        }
        let sequence = self.last[index].next();
        let entry = Entry { stream: shard, sequence, log_time: self.now, bytes, notify: Vec::new() };
        assert!(self.log.append(entry).is_ok(), "law: an idle log takes a few small entries");
        self.last[index] = sequence;
    }
}
