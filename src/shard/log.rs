//! The log as a shard sees it. The log of this node implements it; a simulation brings its own; a group of replicas
//! will.
//!
//! # Not here
//! - Opening and recovering a log: the shard is handed an engine that has been recovered.

use std::sync::Arc;

use crate::base::{Sequence, ShardId};
use crate::wal::{Entry, Handle, Notify};

/// Where a shard's facts become durable.
pub trait Log: Send + Sync + 'static {
    /// Takes an entry, or gives it back when there is no room for it now.
    ///
    /// # Errors
    /// The entry itself.
    fn append(&self, entry: Entry) -> Result<(), Entry>;
    /// The last durable entry of a stream.
    fn durable(&self, stream: ShardId) -> Sequence;
    /// Whether there is room only for what is urgent.
    fn disk_low(&self) -> bool;
    /// Whether nothing more will ever be kept.
    fn failed(&self) -> bool;
    /// An empty buffer for facts.
    fn take_spare(&self) -> Vec<u8>;
    /// An empty list of wakers.
    fn take_spare_notify(&self) -> Vec<Arc<dyn Notify>>;
}

impl Log for Handle {
    fn append(&self, entry: Entry) -> Result<(), Entry> {
        self.append(entry)
    }

    fn durable(&self, stream: ShardId) -> Sequence {
        self.durable(stream)
    }

    fn disk_low(&self) -> bool {
        self.disk_low()
    }

    fn failed(&self) -> bool {
        self.failed()
    }

    fn take_spare(&self) -> Vec<u8> {
        self.take_spare()
    }

    fn take_spare_notify(&self) -> Vec<Arc<dyn Notify>> {
        self.take_spare_notify()
    }
}
