//! What the server says about itself: the node knows most of it, the door adds its own counts.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::wire::Status;

/// Whoever knows the whole node. Asked at most once for everything a stream answers together: it should be quick.
pub trait StatusSource: Send + Sync + 'static {
    /// A moment's status. `connections` and `requests` are filled in by the server.
    fn status(&self) -> Status;
}

/// What the door counts.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) connections: AtomicU64,
    pub(super) requests: AtomicU64,
    /// Placements refused from a board.
    pub(super) sold_out: AtomicU64,
}

impl Counters {
    pub(super) fn complete(&self, mut status: Status) -> Status {
        status.connections = self.connections.load(Ordering::Relaxed);
        status.requests = self.requests.load(Ordering::Relaxed);
        status
    }
}
