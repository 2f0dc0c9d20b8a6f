//! How long commands take from stage to stage, and how large turns are. Counted where it happens, read by anyone.
//!
//! ```text
//! submitted ──► decided ──► durable ──► answered      (the session took the reply)
//! ```

use hdrhistogram::Histogram;

use super::lane::LANES;
use crate::base::Distribution;

/// The counters of one shard. Every command counts once in each of the three stages.
#[derive(Debug, Default)]
pub(super) struct Stages {
    /// By lane.
    pub(super) decided_us: [Distribution; LANES],
    pub(super) durable_us: Distribution,
    pub(super) answered_us: Distribution,
    pub(super) turn_commands: Distribution,
    pub(super) entry_bytes: Distribution,
}

/// A moment's copy.
#[derive(Debug, Clone)]
pub struct StageStats {
    /// From submission to the end of the turn that decided it, in microseconds; by lane.
    pub decided_us: [Histogram<u64>; LANES],
    /// From there until every fact behind it was durable.
    pub durable_us: Histogram<u64>,
    /// From there until a session took the reply.
    pub answered_us: Histogram<u64>,
    /// Commands of one turn.
    pub turn_commands: Histogram<u64>,
    /// Bytes of facts of one entry.
    pub entry_bytes: Histogram<u64>,
}

impl Stages {
    pub(super) fn snapshot(&self) -> StageStats {
        StageStats {
            decided_us: self.decided_us.each_ref().map(Distribution::histogram),
            durable_us: self.durable_us.histogram(),
            answered_us: self.answered_us.histogram(),
            turn_commands: self.turn_commands.histogram(),
            entry_bytes: self.entry_bytes.histogram(),
        }
    }
}
