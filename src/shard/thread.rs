//! The shard's thread: drain, decide, append, rest. It decides nothing itself.
//!
//! ```text
//!        ┌──────────────── Next::Again ─────────────────┐
//!        ▼                                              │
//!      turn ── Next::Idle(deadline) ──► rest ───────────┤   work, or the deadline
//!        │ ─── Next::Stalled ─────────► rest ───────────┘   an entry is durable
//!        └──── Next::Stopped ─────────► the end
//! ```
//!
//! [`Shard::turn`] is all of it but the resting, so that a simulation can drive a shard without a thread.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Waker;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use crossbeam_utils::sync::Parker;

use super::batcher::{Batcher, Moment};
use super::clock::LogClock;
use super::facts::Facts;
use super::inbox::Inbox;
use super::lane::{Admitted, Lane};
use super::log::Log;
use super::parking::Rest;
use super::sealer::Sealer;
use super::sealing::Sealing;
use super::shared::Shared;
use crate::base::limits::DEADLINE_SLEEP_MS_MAX;
use crate::base::{Sequence, ShardId, Timestamp};
use crate::engine::{Effect, Engine, Kept};
use crate::wal::{Entry, Notify};

/// A shard that is not running on a thread of its own.
pub struct Shard {
    batcher: Batcher,
    inbox: Inbox,
    parker: Parker,
    /// An entry that the log gave back.
    held: Option<Entry>,
}

/// What a turn came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// There is more to do.
    Again,
    /// Nothing to do until somebody submits, or until this moment.
    Idle(Option<Timestamp>),
    /// As far ahead of the disk as it may be.
    Stalled,
    /// Closed, and everything submitted before that has been decided and appended.
    Stopped,
}

impl Shard {
    /// `engine` holds what the entries of `stream` up to `last` say; `entry_bytes_max` is the largest entry the log
    /// takes. `sealer` holds the keys that `engine` names.
    #[must_use]
    pub fn new(
        engine: Engine,
        stream: ShardId,
        last: Sequence,
        entry_bytes_max: usize,
        log: Arc<dyn Log>,
        clock: LogClock,
        sealer: Box<dyn Sealer>,
    ) -> Self {
        let (inbox, parker) = Inbox::new(stream, log, clock);
        let shard: Arc<dyn Notify> = Arc::clone(&inbox.shared) as Arc<dyn Notify>;
        let facts = Facts::new(stream, last, entry_bytes_max, shard);
        let sealing = Sealing::new(sealer, Waker::from(Arc::clone(&inbox.shared)));
        let mut batcher = Batcher::new(engine, facts, sealing);
        batcher.fill_board(&inbox.shared.board, inbox.shared.clock.now());
        let shard = Self { batcher, inbox, parker, held: None };
        shard.tell_usage();
        shard
    }

    /// Its door.
    #[must_use]
    pub fn inbox(&self) -> Inbox {
        self.inbox.clone()
    }

    /// What it owns.
    #[must_use]
    pub const fn engine(&self) -> &Engine {
        self.batcher.engine()
    }

    /// Puts it on a thread of its own.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub fn start(self) -> io::Result<ShardHandle> {
        let inbox = self.inbox();
        let name = format!("shard-{}", inbox.shard());
        let thread = Builder::new().name(name).spawn(move || self.run())?;
        Ok(ShardHandle { inbox, thread })
    }

    fn run(mut self) -> Engine {
        loop {
            match self.turn() {
                Next::Again => {}
                Next::Idle(deadline) => self.rest_idle(deadline),
                Next::Stalled => self.rest_stalled(),
                Next::Stopped => return self.batcher.into_engine(),
            }
        }
    }

    /// Drains the inbox, decides one turn of it and hands what happened to the log. Never waits.
    pub fn turn(&mut self) -> Next {
        if !self.flush() {
            return if self.shared().log.failed() && self.inbox.is_closed() { Next::Stopped } else { Next::Stalled };
        }
        // Read before draining: what was submitted before the door closed is still decided.
        let closed = self.inbox.is_closed();
        self.drain();
        self.take_buffers();
        let now = self.shared().clock.now();
        let moment = Moment {
            now,
            monotonic_ms: self.shared().clock.monotonic_ms(),
            disk_low: self.shared().log.disk_low(),
            durable: self.shared().mark(),
            orders_pushed: self.inbox.pushed(Lane::Orders),
        };
        self.batcher.handle_turn(moment);
        self.end_turn();
        self.flush();
        self.next(now, closed)
    }

    fn next(&self, now: Timestamp, closed: bool) -> Next {
        if self.held.is_some() || self.batcher.has_work(now, self.shared().mark()) || !self.inbox.is_empty() {
            return Next::Again;
        }
        if closed { Next::Stopped } else { Next::Idle(self.batcher.poll_deadline()) }
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.inbox.shared
    }

    fn drain(&mut self) {
        for lane in Lane::ALL {
            while !self.batcher.is_full(lane)
                && let Some(admitted) = self.inbox.take(lane)
            {
                self.batcher.handle_submission(admitted);
            }
        }
    }

    fn take_buffers(&mut self) {
        if self.batcher.facts().wants_buffers() {
            let shared = &self.inbox.shared;
            let (log, changes) = (&shared.log, shared.take_changes_buffer());
            self.batcher.facts().handle_buffers(log.take_spare(), log.take_spare_notify(), changes);
        }
    }

    fn end_turn(&mut self) {
        let shared = Arc::clone(self.shared());
        let decided_ns = shared.clock.monotonic_ns();
        let requests = self.batcher.handle_turn_end(decided_ns, shared.mark());
        if requests > 0 {
            shared.stages.turn_commands.record(requests as u64);
        }
        // A turn that appends nothing may still have found out that nothing is due.
        if self.batcher.is_durable(shared.mark()) {
            shared.board.set_due_at(self.engine().next_deadline());
        }
        while let Some((Admitted { submission, at_ns }, answered)) = self.batcher.poll_done() {
            let waited_us = decided_ns.saturating_sub(at_ns) / 1_000;
            shared.stages.decided_us[submission.lane as usize].record_n(waited_us, answered as u64);
            self.inbox.give_back_batch(submission.batch);
        }
        self.tell_usage();
    }

    fn tell_usage(&self) {
        let usage = &self.shared().usage;
        for (counter, kept) in usage.kept.iter().zip(Kept::ALL) {
            counter.store(self.engine().kept(kept), Ordering::Relaxed);
        }
        for (counters, effect) in usage.wanted.iter().zip(Effect::ALL) {
            for (counter, count) in counters.iter().zip(self.engine().want_counts(effect)) {
                counter.store(count, Ordering::Relaxed);
            }
        }
        for (counter, count) in usage.tasks.iter().zip(self.engine().task_counts()) {
            counter.store(count, Ordering::Relaxed);
        }
    }

    /// Appends what is sealed, as far ahead of the disk as it may. `false` when something is left.
    fn flush(&mut self) -> bool {
        if let Some(entry) = self.held.take()
            && let Err(entry) = self.shared().log.append(entry)
        {
            self.held = Some(entry);
            return false;
        }
        while self.shared().ahead.has_room() {
            let Some(sealed) = self.batcher.poll_append() else { return true };
            if let Err(entry) = self.shared().append(sealed) {
                self.held = Some(entry);
                return false;
            }
        }
        !self.batcher.facts().has_sealed()
    }

    fn rest_idle(&self, deadline: Option<Timestamp>) {
        let clock = &self.shared().clock;
        let span = deadline.map(|deadline| {
            let until = clock.sleep_until(deadline, clock.now());
            until.clamp(Duration::from_millis(1), Duration::from_millis(DEADLINE_SLEEP_MS_MAX))
        });
        let waits = self.batcher.waits_for_mark();
        let is_durable = || waits && self.batcher.has_durable(self.shared().mark());
        let reason = || !self.inbox.is_empty() || self.inbox.is_closed() || is_durable();
        let how = if waits { Rest::Either } else { Rest::Idle };
        self.shared().parking.rest(&self.parker, how, span, reason);
    }

    fn rest_stalled(&self) {
        let shared = self.shared();
        let reason = || shared.ahead.has_room() && self.held.is_none();
        // An entry that was given back while the log is stopping gives no sign when there is room again.
        let span = Duration::from_millis(DEADLINE_SLEEP_MS_MAX);
        shared.parking.rest(&self.parker, Rest::Stalled, Some(span), reason);
    }
}

/// A shard on its thread. Dropping it lets the shard run on.
pub struct ShardHandle {
    inbox: Inbox,
    thread: JoinHandle<Engine>,
}

impl ShardHandle {
    /// Its door.
    #[must_use]
    pub fn inbox(&self) -> Inbox {
        self.inbox.clone()
    }

    /// Closes the door, waits until everything submitted before has been decided and appended, and gives the engine
    /// back. Stop the log after this: what was appended is then made durable and answered.
    ///
    /// # Panics
    /// When the shard's thread has panicked.
    #[must_use]
    pub fn stop(self) -> Engine {
        self.inbox.close();
        self.thread.join().expect("the shard's thread found a law broken")
    }
}
