//! Entries: what a shard hands to the log, and what the log hands back at recovery.

use std::fmt;
use std::sync::Arc;

use crate::base::{Sequence, ShardId, Timestamp};

/// Somebody who waits for the log.
pub trait Notify: Send + Sync {
    /// Called by the log's thread once everything appended to the stream up to this entry is durable. Must be short:
    /// every other stream waits meanwhile.
    fn durable(&self);
}

/// The facts of one turn of one shard.
///
/// An entry with empty `bytes` takes no sequence of its own (`sequence` is the last one appended, or zero): it only
/// passes its wakers behind what is pending.
pub struct Entry {
    /// The shard it belongs to.
    pub stream: ShardId,
    /// One more than the entry before it in this stream.
    pub sequence: Sequence,
    /// When the shard decided it.
    pub log_time: Timestamp,
    /// Opaque here.
    pub bytes: Vec<u8>,
    /// Called once the entry is durable.
    pub notify: Vec<Arc<dyn Notify>>,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("stream", &self.stream)
            .field("sequence", &self.sequence)
            .field("log_time", &self.log_time)
            .field("bytes", &self.bytes.len())
            .field("notify", &self.notify.len())
            .finish()
    }
}

/// An entry as recovery found it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplayedEntry<'a> {
    /// The shard it belongs to.
    pub stream: ShardId,
    /// Its place in the stream.
    pub sequence: Sequence,
    /// When the shard decided it.
    pub log_time: Timestamp,
    /// What the shard appended.
    pub bytes: &'a [u8],
}

/// The last entry of one stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StreamTail {
    /// Its place; zero when the stream is empty.
    pub sequence: Sequence,
    /// Its log time; zero when the stream is empty.
    pub log_time: Timestamp,
}

/// How far recovery has read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes read so far.
    pub read_bytes: u64,
    /// Bytes there are to read.
    pub total_bytes: u64,
}
