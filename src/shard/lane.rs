//! Lanes: which requests wait together, and the queue of each, bounded in number, in bytes and in waiting time.
//!
//! ```text
//! urgent   what concerns orders and goods that exist     drained by share, four parts of eight
//! orders   placements, and what makes them possible      three parts
//! reads    whatever changes nothing                      one part; what a lane leaves is the others'
//! ```
//!
//! # Always true
//! - The lane is set by the request and by nothing a client can choose.
//! - A lane that is full, or whose first has waited too long, turns everybody away, and says after how long it is worth
//!   coming back.
//! # Why so
//! How long the first has waited is how long the shard needs for a whole lane: what a newcomer would have to wait, and
//! after which there will be room. No rate has to be guessed.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crossbeam_queue::ArrayQueue;

use super::inbox::Submission;
use crate::base::limits::{
    LANE_BYTES_MAX, LANE_SUBMISSIONS_MAX, LANE_WAIT_MS_MAX, RETRY_AFTER_MS, RETRY_AFTER_MS_MAX, TURN_COMMANDS_MAX,
};
use crate::engine::Command;
use crate::wire::Request;

/// How many lanes there are.
pub const LANES: usize = 3;

/// Where a request waits for its shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Lane {
    /// Anything about an order or goods that exist: payment results, cancellations, receipts, reports.
    Urgent = 0,
    /// Placements, and the catalogue.
    Orders = 1,
    /// Questions.
    Reads = 2,
}

impl Lane {
    /// Every lane, by number: the order in which a turn visits them.
    pub const ALL: [Self; LANES] = [Self::Urgent, Self::Orders, Self::Reads];

    /// The lane of a request.
    #[must_use]
    pub const fn of(request: &Request<'_>) -> Self {
        match request {
            Request::Query(_) => Self::Reads,
            Request::Command(command) => match command {
                Command::Receive { .. }
                | Command::Adjust { .. }
                | Command::MoveStock { .. }
                | Command::CountStock { .. }
                | Command::ReportCount { .. }
                | Command::Confirm { .. }
                | Command::Cancel { .. }
                | Command::CancelLines { .. }
                | Command::HandOver { .. }
                | Command::Extend { .. }
                | Command::HoldOrder { .. }
                | Command::LiftHold { .. }
                | Command::StartPayment { .. }
                | Command::ReportPayment { .. }
                | Command::RequestRefund { .. }
                | Command::ReportDelivered { .. }
                | Command::Return { .. }
                | Command::ReportEffect { .. }
                | Command::MoveCursor { .. }
                | Command::DetachCursor { .. }
                | Command::ReturnToStock { .. } => Self::Urgent,
                Command::AssignMarket { .. }
                | Command::OpenMarket { .. }
                | Command::CreateSite { .. }
                | Command::CreateSku { .. }
                | Command::DefineKit { .. }
                | Command::SetPolicy { .. }
                | Command::SetRetention { .. }
                | Command::SetEffects { .. }
                | Command::SetReservations { .. }
                | Command::SetChannelCap { .. }
                | Command::SetVelocity { .. }
                // Behind the placements that it is about.
                | Command::Erase { .. }
                // It takes units as they do.
                | Command::EditOrder { .. }
                | Command::Place(_) => Self::Orders,
            },
        }
    }

    /// For people and for labels.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Urgent => "urgent",
            Self::Orders => "orders",
            Self::Reads => "reads",
        }
    }

    /// What a turn does of this lane before it looks whether others left something.
    pub(super) const fn share(self) -> usize {
        let eighths = match self {
            Self::Urgent => 4,
            Self::Orders => 3,
            Self::Reads => 1,
        };
        TURN_COMMANDS_MAX * eighths / 8
    }
}

/// A submission and when it came.
pub(super) struct Admitted {
    pub(super) submission: Submission,
    pub(super) at_ns: u64,
}

/// A submission that was not taken.
pub struct TurnedAway {
    /// As it came.
    pub submission: Submission,
    /// After how long it is worth coming back.
    pub retry_after_ms: u32,
}

pub(super) struct Queue {
    queue: ArrayQueue<Admitted>,
    bytes: AtomicUsize,
    bytes_max: usize,
    wait_ns_max: u64,
    /// When the first came, or one before it; [`EMPTY`] when there is none.
    first_at_ns: AtomicU64,
    /// Taken in, ever.
    pushed: AtomicU64,
    /// Requests turned away, ever.
    turned_away: AtomicU64,
}

const EMPTY: u64 = u64::MAX;

impl Queue {
    pub(super) fn new(lane: Lane) -> Self {
        Self {
            queue: ArrayQueue::new(LANE_SUBMISSIONS_MAX),
            bytes: AtomicUsize::new(0),
            bytes_max: LANE_BYTES_MAX[lane as usize],
            wait_ns_max: LANE_WAIT_MS_MAX[lane as usize] * 1_000_000,
            first_at_ns: AtomicU64::new(EMPTY),
            pushed: AtomicU64::new(0),
            turned_away: AtomicU64::new(0),
        }
    }

    /// Takes it, or turns it away. An empty lane takes anything.
    #[expect(clippy::result_large_err, reason = "it goes back as it came; a box would cost an allocation when full")]
    pub(super) fn push(&self, admitted: Admitted) -> Result<(), TurnedAway> {
        if self.queue.is_empty() {
            self.first_at_ns.store(admitted.at_ns, Ordering::Relaxed);
        }
        // Of `EMPTY` nothing is left: nobody has waited.
        let waited_ns = admitted.at_ns.saturating_sub(self.first_at_ns.load(Ordering::Relaxed));
        let bytes = admitted.submission.batch.bytes();
        let before = self.bytes.fetch_add(bytes, Ordering::Relaxed);
        let is_full = before > 0 && (before.saturating_add(bytes) > self.bytes_max || waited_ns > self.wait_ns_max);
        let refused = if is_full { Err(admitted) } else { self.queue.push(admitted) };
        refused
            .inspect(|()| _ = self.pushed.fetch_add(1, Ordering::Release))
            .map_err(|Admitted { submission, .. }| self.turn_away(submission, bytes, waited_ns))
    }

    fn turn_away(&self, submission: Submission, bytes: usize, waited_ns: u64) -> TurnedAway {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.turned_away.fetch_add(submission.batch.len() as u64, Ordering::Relaxed);
        let waited_ms = u32::try_from(waited_ns / 1_000_000).unwrap_or(u32::MAX);
        TurnedAway { submission, retry_after_ms: waited_ms.clamp(RETRY_AFTER_MS, RETRY_AFTER_MS_MAX) }
    }

    pub(super) fn pop(&self) -> Option<Admitted> {
        let admitted = self.queue.pop()?;
        // The one behind it came no earlier. Whoever pushes just now may see the lane emptier than it is, once.
        let first = if self.queue.is_empty() { EMPTY } else { admitted.at_ns };
        self.first_at_ns.store(first, Ordering::Relaxed);
        self.bytes.fetch_sub(admitted.submission.batch.bytes(), Ordering::Relaxed);
        Some(admitted)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(super) fn pushed(&self) -> u64 {
        self.pushed.load(Ordering::Acquire)
    }

    pub(super) fn turned_away(&self) -> u64 {
        self.turned_away.load(Ordering::Relaxed)
    }
}
