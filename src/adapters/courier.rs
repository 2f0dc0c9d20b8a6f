//! The machine between a feed and its sink: one batch of each shard under way, tried until it is taken. No clock, no
//! thread, no network.
//!
//! ```text
//! feed ─► batch ─► (breaker) ─► deliver ─► taken ─► feed, cursor
//!                     ▲                      │ again
//!                     └────── backoff ───────┘
//! ```
//!
//! # Always true
//! - A batch is followed by the next of its shard only once it was taken: the order of a shard's facts holds at the
//!   sink, however often something fails.
//! - Nothing is given up: what a sink does not take holds the log, until the node lets go of its cursor.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use super::backoff::{Chance, retry_ms};
use super::breaker::Breaker;
use super::desk::Told;
use super::runner::retry_after;
use crate::base::limits::ADAPTER_LOOK_MS_MAX;
use crate::base::{Sequence, ShardId, Timestamp};
use crate::feed::{Batch, Feed};

/// What the thread around it is to do.
#[derive(Debug)]
pub enum Errand {
    /// Let the sink take this; [`Courier::handle_delivery`] follows.
    Deliver(Rc<Batch>),
    /// Ask the shard to move the sink's cursor; what it tells comes back with this correlation.
    Move {
        /// Which.
        shard: ShardId,
        /// Comes back with what is told.
        correlation: u64,
        /// Where to.
        upto: Sequence,
    },
}

/// What came of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// The sink has it.
    Taken,
    /// Nobody knows. To be delivered again.
    Again,
}

/// The batch of one shard.
#[derive(Debug, Default)]
enum Parcel {
    #[default]
    None,
    Out {
        batch: Rc<Batch>,
        failed: u32,
    },
    /// To be delivered again at this moment.
    Later {
        batch: Rc<Batch>,
        failed: u32,
        at_ms: u64,
    },
}

/// The machine of one sink.
pub struct Courier {
    feed: Feed,
    parcels: Vec<Parcel>,
    breaker: Breaker,
    chance: Chance,
    asked: BTreeMap<u64, ShardId>,
    next: u64,
    out: VecDeque<Errand>,
    /// Nothing more is handed out.
    is_ending: bool,
    pub(super) counts: Counts,
}

/// What it has done, ever.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Counts {
    pub(super) facts: u64,
    pub(super) gaps: u64,
    pub(super) deliveries: u64,
    pub(super) failures: u64,
    pub(super) moves: u64,
}

impl Courier {
    /// With the cursors of its sink, by shard. The seed is that of its jitter.
    #[must_use]
    pub fn new(cursors: &[Sequence], seed: u64) -> Self {
        Self {
            feed: Feed::new(cursors),
            parcels: cursors.iter().map(|_| Parcel::None).collect(),
            breaker: Breaker::default(),
            chance: Chance::new(seed),
            asked: BTreeMap::new(),
            next: 0,
            out: VecDeque::new(),
            is_ending: false,
            counts: Counts::default(),
        }
    }

    /// The feed, for whoever reads the log into it.
    pub const fn feed(&mut self) -> &mut Feed {
        &mut self.feed
    }

    /// Facts that are not taken yet.
    #[must_use]
    pub fn held(&self) -> usize {
        let under_way = |parcel: &Parcel| parcel.batch().map_or(0, |batch| batch.facts());
        self.feed.held() + self.parcels.iter().map(under_way).sum::<usize>()
    }

    /// When the oldest of them happened.
    #[must_use]
    pub fn oldest(&self) -> Option<Timestamp> {
        let under_way = self.parcels.iter().filter_map(|parcel| parcel.batch()?.begun_at());
        under_way.chain(self.feed.oldest()).min()
    }

    /// Whether everything that was read has been taken, and the cursors stand there or are on their way.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.held() == 0 && self.asked.is_empty() && self.feed.poll_deadline().is_none()
    }

    /// The node stops: nothing more is handed out, and the cursors are moved to what was taken.
    pub fn handle_ending(&mut self, now_ms: u64) {
        self.is_ending = true;
        self.feed.handle_ending(now_ms);
    }

    /// Whether nothing is under way any more after [`Courier::handle_ending`].
    #[must_use]
    pub fn has_ended(&self) -> bool {
        let is_out = |parcel: &Parcel| matches!(parcel, Parcel::Out { .. });
        self.is_ending
            && !self.parcels.iter().any(is_out)
            && self.asked.is_empty()
            && self.feed.poll_deadline().is_none()
    }

    /// Whether the sink is left alone for a while.
    #[must_use]
    pub const fn is_breaker_open(&self) -> bool {
        self.breaker.is_open()
    }

    /// Something came of the batch of a shard.
    pub fn handle_delivery(&mut self, shard: ShardId, delivery: Delivery, now_ms: u64) {
        let parcel = &mut self.parcels[usize::from(shard.0)];
        let Parcel::Out { batch, failed } = std::mem::take(parcel) else {
            unreachable!("law: only what is out is delivered");
        };
        match delivery {
            Delivery::Taken => {
                let facts = batch.facts();
                self.counts.facts += facts as u64;
                self.counts.gaps += (batch.len() - facts) as u64;
                self.breaker.handle_success();
                self.feed.handle_taken(shard);
            }
            Delivery::Again => {
                let failed = failed + 1;
                *parcel = Parcel::Later { batch, failed, at_ms: now_ms + retry_ms(failed, &mut self.chance) };
                self.counts.failures += 1;
                self.breaker.handle_failure(now_ms);
            }
        }
    }

    /// A shard told what it was asked under this correlation.
    pub fn handle_told(&mut self, correlation: u64, told: &Told, now_ms: u64) {
        let shard = self.asked.remove(&correlation).expect("law: a shard answers what it was asked, once");
        if let Told::Refused(why) = told {
            // Besides having no room, a shard has no reason.
            let after_ms = retry_after(told).unwrap_or(ADAPTER_LOOK_MS_MAX);
            tracing::debug!(shard = shard.0, %why, "a cursor is not moved yet");
            self.feed.handle_not_moved(shard, now_ms, after_ms);
        } else {
            self.counts.moves += 1;
            self.feed.handle_moved(shard, now_ms);
        }
    }

    /// The next thing to do. Ask until there is none.
    pub fn poll_errand(&mut self, now_ms: u64) -> Option<Errand> {
        for shard in 0..self.parcels.len() {
            self.deliver_next(ShardId(shard as u16), now_ms);
            self.move_next(ShardId(shard as u16), now_ms);
            if !self.out.is_empty() {
                break;
            }
        }
        self.out.pop_front()
    }

    fn deliver_next(&mut self, shard: ShardId, now_ms: u64) {
        if self.is_ending || !self.breaker.allows(now_ms) {
            return;
        }
        let parcel = &mut self.parcels[usize::from(shard.0)];
        let next = match std::mem::take(parcel) {
            Parcel::None => self.feed.poll_batch(shard).map(|batch| (Rc::new(batch), 0)),
            Parcel::Later { batch, failed, at_ms } if at_ms <= now_ms => Some((batch, failed)),
            waits => {
                *parcel = waits;
                return;
            }
        };
        if let Some((batch, failed)) = next {
            self.breaker.handle_asked();
            self.counts.deliveries += 1;
            self.out.push_back(Errand::Deliver(Rc::clone(&batch)));
            *parcel = Parcel::Out { batch, failed };
        }
    }

    fn move_next(&mut self, shard: ShardId, now_ms: u64) {
        if let Some(upto) = self.feed.poll_move(shard, now_ms) {
            self.next += 1;
            self.asked.insert(self.next, shard);
            self.out.push_back(Errand::Move { shard, correlation: self.next, upto });
        }
    }

    /// When there is something to do although nothing comes in.
    #[must_use]
    pub fn poll_deadline(&self, now_ms: u64) -> Option<u64> {
        let next = |(shard, parcel): (ShardId, &Parcel)| match parcel {
            Parcel::Later { at_ms, .. } => Some(*at_ms),
            Parcel::None => self.feed.has_waiting(shard).then_some(now_ms),
            Parcel::Out { .. } => None,
        };
        let deliver = (0..).map(ShardId).zip(&self.parcels).filter_map(next).min().and_then(|at| {
            match self.breaker.allows(now_ms) {
                true => Some(at),
                false => self.breaker.poll_deadline().map(|probe| probe.max(at)),
            }
        });
        deliver.filter(|_| !self.is_ending).into_iter().chain(self.feed.poll_deadline()).min()
    }
}

impl Parcel {
    const fn batch(&self) -> Option<&Rc<Batch>> {
        match self {
            Self::Out { batch, .. } | Self::Later { batch, .. } => Some(batch),
            Self::None => None,
        }
    }
}

#[cfg(test)]
mod tests;
