//! The inbox: where sessions leave work for a shard. Bounded; full means shed; nobody waits.
//!
//! ```text
//! session ─┐            ┌► urgent ─┐   ┌──────────┐
//! session ─┼─ submit ─► ┼► orders ─┼─► │ shard's  │── emptied batches ─► take_spare_batch ─► sessions
//! session ─┘   │ full?  └► reads  ─┘   │ thread   │
//!              └─► turned away         └──────────┘
//! ```
//!
//! One submission is everything that one read of one stream brought for one lane of this shard, so that the price of
//! handing over is paid once per read and not once per order.
//!
//! # Not here
//! - What is drained how much: `batcher`. Which request waits where: `lane`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_queue::ArrayQueue;
use crossbeam_utils::sync::Parker;

use super::board::Board;
use super::clock::LogClock;
use super::lane::{Admitted, LANES, Lane, Queue, TurnedAway};
use super::log::Log;
use super::outbox::{Outbox, Replies};
use super::parking::Rest;
use super::shared::Shared;
use super::stages::StageStats;
use crate::base::ShardId;
use crate::base::limits::{INBOX_SPARE_BATCH_BYTES_MAX, INBOX_SPARE_BATCHES_MAX, RETRY_AFTER_MS};
use crate::engine::{Effect, KEPT, TASKS};
use crate::wire::Batch;

/// Work for a shard, and where its replies go.
pub struct Submission {
    /// Where it waits: [`Lane::of`] each of its requests.
    pub lane: Lane,
    /// What one read brought for that lane.
    pub batch: Batch,
    /// Of the stream it came from.
    pub outbox: Arc<Outbox>,
}

/// The door of a shard. Clones are the same door.
#[derive(Clone)]
pub struct Inbox {
    pub(super) shared: Arc<Shared>,
    lanes: Arc<Lanes>,
}

struct Lanes {
    /// By lane.
    queues: [Queue; LANES],
    spare: ArrayQueue<Batch>,
    /// Nothing more is taken in.
    closed: AtomicBool,
}

/// What is waiting and what is held, for people who watch.
#[derive(Debug, Clone)]
pub struct ShardStats {
    /// The shard.
    pub shard: ShardId,
    /// How much it keeps of every kind, by number of the [`Kept`](crate::engine::Kept).
    pub kept: [u64; KEPT],
    /// By effect: how many are wanted, and how many are set aside.
    pub wanted: [[u64; 2]; Effect::ALL.len()],
    /// Tasks, by kind.
    pub tasks: [u64; TASKS],
    /// By lane.
    pub lanes: [LaneStats; LANES],
    /// How long commands take, and how large turns are.
    pub stages: StageStats,
}

/// What waits in one lane.
#[derive(Debug, Clone, Copy)]
pub struct LaneStats {
    /// Which.
    pub lane: Lane,
    /// Submissions waiting.
    pub waiting_submissions: usize,
    /// Their bytes.
    pub waiting_bytes: usize,
    /// Requests turned away since the start.
    pub turned_away: u64,
}

impl Inbox {
    pub(super) fn new(stream: ShardId, log: Arc<dyn Log>, clock: LogClock) -> (Self, Parker) {
        let (shared, parker) = Shared::new(stream, log, clock);
        let lanes = Lanes {
            queues: Lane::ALL.map(Queue::new),
            spare: ArrayQueue::new(INBOX_SPARE_BATCHES_MAX),
            closed: AtomicBool::new(false),
        };
        (Self { shared: Arc::new(shared), lanes: Arc::new(lanes) }, parker)
    }

    /// The shard behind this door.
    #[must_use]
    pub fn shard(&self) -> ShardId {
        self.shared.stream
    }

    /// Leaves work for the shard.
    ///
    /// # Errors
    /// The submission itself, when its lane is full (the session answers `Overloaded`) or the shard is stopping
    /// ([`Inbox::is_closed`]).
    #[expect(clippy::result_large_err, reason = "it goes back as it came; a box would cost an allocation when full")]
    pub fn submit(&self, submission: Submission) -> Result<(), TurnedAway> {
        let outbox = &submission.outbox;
        assert!(outbox.is_of(&self.shared), "law: replies wait for the stream of the shard that decides them");
        if self.is_closed() {
            return Err(TurnedAway { submission, retry_after_ms: RETRY_AFTER_MS });
        }
        let lane = submission.lane;
        let admitted = Admitted { submission, at_ns: self.shared.clock.monotonic_ns() };
        self.queue(lane).push(admitted)?;
        self.shared.parking.wake(Rest::Idle);
        Ok(())
    }

    /// Whether the shard takes nothing more in.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.lanes.closed.load(Ordering::Acquire)
    }

    /// A queue for the replies to one stream of one connection: the first half goes with every submission, the second
    /// stays with the session.
    #[must_use]
    pub fn open_outbox(&self) -> (Arc<Outbox>, Replies) {
        Outbox::open(Arc::clone(&self.shared))
    }

    /// An empty batch, used before if there is one.
    #[must_use]
    pub fn take_spare_batch(&self) -> Batch {
        self.lanes.spare.pop().unwrap_or_default()
    }

    /// What is for sale in the shard's markets.
    #[must_use]
    pub fn board(&self) -> Board {
        self.shared.board.clone()
    }

    /// A moment's numbers.
    #[must_use]
    pub fn stats(&self) -> ShardStats {
        let shared = &self.shared;
        ShardStats {
            shard: shared.stream,
            kept: shared.usage.kept.each_ref().map(|count| count.load(Ordering::Relaxed)),
            tasks: shared.usage.tasks.each_ref().map(|it| it.load(Ordering::Relaxed)),
            wanted: shared.usage.wanted.each_ref().map(|both| both.each_ref().map(|it| it.load(Ordering::Relaxed))),
            lanes: Lane::ALL.map(|lane| {
                let queue = self.queue(lane);
                LaneStats {
                    lane,
                    waiting_submissions: queue.len(),
                    waiting_bytes: queue.bytes(),
                    turned_away: queue.turned_away(),
                }
            }),
            stages: shared.stages.snapshot(),
        }
    }

    fn queue(&self, lane: Lane) -> &Queue {
        &self.lanes.queues[lane as usize]
    }

    /// The shard's side: what has waited longest in a lane.
    pub(super) fn take(&self, lane: Lane) -> Option<Admitted> {
        self.queue(lane).pop()
    }

    /// The shard's side: submissions a lane has taken in, ever.
    pub(super) fn pushed(&self, lane: Lane) -> u64 {
        self.queue(lane).pushed()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lanes.queues.iter().all(Queue::is_empty)
    }

    /// The shard's side: a batch it is done with.
    pub(super) fn give_back_batch(&self, mut batch: Batch) {
        if batch.bytes() <= INBOX_SPARE_BATCH_BYTES_MAX {
            batch.clear();
            // A full shelf lets the batch go.
            let _dropped = self.lanes.spare.push(batch);
        }
    }

    /// From now on everything is given back.
    pub(super) fn close(&self) {
        self.lanes.closed.store(true, Ordering::SeqCst);
        self.shared.parking.wake_always();
    }
}
