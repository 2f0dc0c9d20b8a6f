//! The markets of a node that has just been recovered: the first one is made, and every assigned one is open.
//!
//! # Always true
//! - After [`settle`] every market of the directory is open in its shard, whenever the node died before.
//! - What is decided here is appended before any shard runs, so nothing can be answered ahead of it.

use crate::base::{Sequence, ShardId, Timestamp};
use crate::engine::{Command, DIRECTORY_SHARD, Engine, Scratch};
use crate::server::Registry;
use crate::wal::{Entry, Handle};
use crate::wire::encode_fact;

/// The market every node begins with.
pub(super) const FIRST_MARKET: &str = "default";

/// Makes the first market, opens what is assigned and not open, and gives the registry of all of them. `last` is the
/// last entry of each stream and is kept up.
pub(super) fn settle(engines: &mut [Engine], last: &mut [Sequence], log: &Handle, now: Timestamp) -> Registry {
    let mut appender = Appender { engines, last, log, now };
    appender.submit(DIRECTORY_SHARD, &Command::AssignMarket { code: FIRST_MARKET });
    let directory = appender.engines[usize::from(DIRECTORY_SHARD.0)].directory();
    let markets: Vec<_> = directory.iter().map(|(market, shard, name)| (market, shard, name.to_owned())).collect();
    let registry = Registry::new();
    for (market, shard, name) in markets {
        appender.submit(shard, &Command::OpenMarket { market, code: &name });
        registry.insert(market, shard);
    }
    registry
}

struct Appender<'a> {
    engines: &'a mut [Engine],
    last: &'a mut [Sequence],
    log: &'a Handle,
    now: Timestamp,
}

impl Appender<'_> {
    /// Decides a command and appends what happened. One that had happened before appends nothing.
    fn submit(&mut self, shard: ShardId, command: &Command<'_>) {
        let index = usize::from(shard.0);
        let mut bytes = Vec::new();
        let outcome = self.engines[index].submit(command, self.now, &mut Scratch::default(), &mut |fact| {
            encode_fact(fact, &mut bytes);
        });
        assert!(outcome.is_ok(), "law: the node's own markets are never refused: {outcome:?}");
        if bytes.is_empty() {
            return;
        }
        let sequence = self.last[index].next();
        let entry = Entry { stream: shard, sequence, log_time: self.now, bytes, notify: Vec::new() };
        assert!(self.log.append(entry).is_ok(), "law: an idle log takes a few small entries");
        self.last[index] = sequence;
    }
}
