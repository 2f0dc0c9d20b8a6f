//! Checkouts: an order placed at its moment, and confirmed as soon as that is answered.
//!
//! ```text
//! moment ─► place ──answer──► confirm ──answer──► done          latency: from the moment to either answer
//! ```
//!
//! # Always true
//! - Placements leave at their moments, whether or not answers come; no confirmation waits for one.
//! - Each command is answered once and as it must be, or refused and counted, or there is an error.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hdrhistogram::Histogram;
use stockade::base::{ChangeId, OrderId};
use stockade::client::{Client, FrameReceiver, FrameSender, frames};
use stockade::engine::order::{Counters, State};
use stockade::engine::{Answer, Command};
use stockade::wire::{FrameWriter, Reply, decode_replies};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::book::Seen;
use crate::books::Ledger;
use crate::chance::mix;
use crate::drive::{Arrivals, Goods, Lateness, Ticker};
use crate::errors::Errors;
use crate::failure::Failure;
use crate::latency;
use crate::progress::Progress;

/// Without an answer for so long, a run gives up.
const STUCK_AFTER: Duration = Duration::from_secs(30);
const SUPERVISE_EVERY: Duration = Duration::from_millis(100);

/// What to do in one phase.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) goods: Goods,
    /// Number of the first order.
    pub(super) first: u64,
    pub(super) per_s: f64,
    pub(super) span_ns: u64,
    pub(super) connections: usize,
}

/// A phase under way.
pub(super) struct Checkouts {
    plan: Plan,
    begin: Instant,
    seen: Arc<Seen>,
    lanes: Vec<Lane>,
    /// Orders begun so far.
    begun: Cell<u64>,
    came: RefCell<Came>,
}

/// One connection of it.
struct Lane {
    wake: Notify,
    /// When it wants to be woken, in nanoseconds of the phase.
    due_ns: Cell<u64>,
    checkouts: RefCell<Vec<Checkout>>,
    to_confirm: RefCell<Vec<usize>>,
    /// Checkouts that are not over.
    open: Cell<u64>,
}

/// One order on its way.
#[derive(Debug, Clone, Copy)]
struct Checkout {
    order: OrderId,
    intended_ns: u64,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Placing,
    Confirming,
    Confirmed,
    /// Accepted, and its confirmation was refused.
    Left,
    /// Never accepted.
    Refused,
}

/// What has come of a phase.
pub(super) struct Came {
    pub(super) accepted: u64,
    pub(super) confirmed: u64,
    /// From the moment of a checkout until its order was accepted.
    pub(super) placed: Histogram<u64>,
    /// Until it was confirmed.
    pub(super) done: Histogram<u64>,
    pub(super) refusals: BTreeMap<String, u64>,
    pub(super) errors: Errors,
    pub(super) lateness: Lateness,
    pub(super) begun: u64,
    pub(super) elapsed: Duration,
}

impl Checkouts {
    pub(super) fn new(plan: Plan, seen: Arc<Seen>) -> Rc<Self> {
        let lane = |_| Lane {
            wake: Notify::new(),
            due_ns: Cell::new(0),
            checkouts: RefCell::default(),
            to_confirm: RefCell::default(),
            open: Cell::new(0),
        };
        let came = Came {
            accepted: 0,
            confirmed: 0,
            placed: latency::histogram(),
            done: latency::histogram(),
            refusals: BTreeMap::new(),
            errors: Errors::default(),
            lateness: Lateness::default(),
            begun: 0,
            elapsed: Duration::ZERO,
        };
        let lanes = (0..plan.connections).map(lane).collect();
        Rc::new(Self { plan, begin: Instant::now(), seen, lanes, begun: Cell::new(0), came: RefCell::new(came) })
    }

    /// Runs the phase until every checkout is over. Must run inside a `LocalSet`.
    pub(super) async fn run(self: &Rc<Self>, client: &Client, progress: &mut Progress) -> Result<(), Failure> {
        let mut lanes = JoinSet::new();
        for at in 0..self.plan.connections {
            let (sender, receiver) = client.open_stream(at).await?.split();
            let (checkouts, client) = (Rc::clone(self), client.clone());
            lanes.spawn_local(async move { checkouts.send(at, sender, &client).await });
            let checkouts = Rc::clone(self);
            lanes.spawn_local(async move { checkouts.receive(at, receiver).await });
        }
        // Ends with this function, however it ends: what a set spawned dies with it.
        let mut conductor = JoinSet::new();
        let checkouts = Rc::clone(self);
        conductor.spawn_local(async move { checkouts.conduct().await });
        self.supervise(&mut lanes, progress).await
    }

    /// Takes the result out, and enters every order into the ledger as it is now.
    pub(super) fn finish(&self, ledger: &mut Ledger) -> Came {
        let none = Counters { reserved: 0, lapsed: 0, committed: 0, shipped: 0, cancelled: 0, returned: 0 };
        for lane in &self.lanes {
            for Checkout { order, stage, .. } in lane.checkouts.borrow().iter() {
                match stage {
                    Stage::Confirmed => ledger.add(*order, State::Confirmed, &[Counters { committed: 1, ..none }]),
                    Stage::Left => ledger.add(*order, State::PendingPayment, &[Counters { reserved: 1, ..none }]),
                    Stage::Placing | Stage::Confirming | Stage::Refused => {}
                }
            }
        }
        let empty = Self::new(self.plan, Arc::clone(&self.seen));
        let mut came = self.came.replace(Rc::into_inner(empty).expect("just made").came.into_inner());
        (came.begun, came.elapsed) = (self.begun.get(), self.begin.elapsed());
        came
    }

    fn now_ns(&self) -> u64 {
        u64::try_from(self.begin.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    async fn supervise(
        &self,
        lanes: &mut JoinSet<Result<(), Failure>>,
        progress: &mut Progress,
    ) -> Result<(), Failure> {
        let mut every = tokio::time::interval(SUPERVISE_EVERY);
        let (mut seen, mut since) = (u64::MAX, Instant::now());
        loop {
            tokio::select! {
                joined = lanes.join_next() => match joined {
                    None => return Ok(()),
                    Some(Ok(outcome)) => outcome?,
                    Some(Err(panic)) => std::panic::resume_unwind(panic.into_panic()),
                },
                _ = every.tick() => {
                    let came = self.came.borrow();
                    progress.show(came.confirmed, &came.done);
                    let open = self.lanes.iter().map(|lane| lane.open.get()).sum();
                    if came.confirmed + came.accepted != seen || open == 0 {
                        (seen, since) = (came.confirmed + came.accepted, Instant::now());
                    } else if since.elapsed() > STUCK_AFTER {
                        return Err(Failure::Stuck { waited: STUCK_AFTER, open });
                    }
                }
            }
        }
    }

    /// Wakes the lanes whose moment has come.
    async fn conduct(&self) {
        let ticker = Ticker::start();
        loop {
            ticker.tick.notified().await;
            let now_ns = self.now_ns();
            for lane in &self.lanes {
                if lane.due_ns.get() <= now_ns {
                    lane.due_ns.set(u64::MAX);
                    lane.wake.notify_one();
                }
            }
        }
    }

    async fn send(&self, at: usize, mut sender: FrameSender, client: &Client) -> Result<(), Failure> {
        let lane = &self.lanes[at];
        let seed = mix(self.plan.goods.seed ^ self.plan.first ^ mix(at as u64));
        let mut arrivals = Arrivals::new(seed, self.plan.per_s / self.plan.connections as f64, None);
        let mut writer = FrameWriter::default();
        loop {
            let mut out = Vec::new();
            for checkout in lane.to_confirm.take() {
                let order = lane.checkouts.borrow()[checkout].order;
                writer.begin(correlation(checkout, true), 0);
                writer.push(&Command::Confirm { order, attempt: ChangeId(1) })?;
                out.push(Bytes::copy_from_slice(writer.finish()));
            }
            let now_ns = self.now_ns();
            while arrivals.next_ns() <= now_ns && arrivals.next_ns() < self.plan.span_ns {
                out.push(self.place(lane, arrivals.next_ns(), client, &mut writer)?);
                self.came.borrow_mut().lateness.count(now_ns - arrivals.next_ns());
                arrivals.advance();
            }
            let is_over = arrivals.next_ns() >= self.plan.span_ns;
            if !out.is_empty() {
                sender.send_all(&mut out).await?;
            } else if is_over && lane.open.get() == 0 {
                sender.finish();
                return Ok(());
            } else {
                lane.due_ns.set(if is_over { u64::MAX } else { arrivals.next_ns() });
                lane.wake.notified().await;
            }
        }
    }

    /// A frame of one placement.
    fn place(
        &self,
        lane: &Lane,
        intended_ns: u64,
        client: &Client,
        writer: &mut FrameWriter,
    ) -> Result<Bytes, Failure> {
        let (n, made_at) = (self.plan.first + self.begun.get(), client.log_time());
        self.begun.set(self.begun.get() + 1);
        self.seen.sent.fetch_add(1, Ordering::SeqCst);
        let mut checkouts = lane.checkouts.borrow_mut();
        writer.begin(correlation(checkouts.len(), false), 0);
        writer.push(&Command::Place(self.plan.goods.place(n, made_at, &self.plan.goods.cart())))?;
        let order = self.plan.goods.order_id(n, made_at);
        checkouts.push(Checkout { order, intended_ns, stage: Stage::Placing });
        lane.open.set(lane.open.get() + 1);
        Ok(Bytes::copy_from_slice(writer.finish()))
    }

    async fn receive(&self, at: usize, mut receiver: FrameReceiver) -> Result<(), Failure> {
        let lane = &self.lanes[at];
        while let Some(whole) = receiver.recv().await? {
            let now_ns = self.now_ns();
            for frame in frames(whole) {
                decode_replies(frame, |correlation, _, reply| self.take(lane, correlation, now_ns, &reply))?;
            }
        }
        match lane.open.get() {
            0 => Ok(()),
            open => Err(Failure::Unanswered { open }),
        }
    }

    fn take(&self, lane: &Lane, correlation: u64, now_ns: u64, reply: &Reply<'_>) {
        let (at, confirms) = ((correlation / 2) as usize, correlation % 2 == 1);
        let mut checkouts = lane.checkouts.borrow_mut();
        let mut came = self.came.borrow_mut();
        let asked = if confirms { Stage::Confirming } else { Stage::Placing };
        let Some(checkout) = checkouts.get_mut(at).filter(|checkout| checkout.stage == asked) else {
            return came.errors.add(|| format!("a reply that nobody waits for: {reply:?}"));
        };
        let took_ns = now_ns.saturating_sub(checkout.intended_ns);
        checkout.stage = match (asked, reply) {
            (
                Stage::Placing,
                Reply::Answer(
                    Answer::Placed { state: State::PendingPayment, short: false, owed: false, repeated: false, .. },
                    _,
                ),
            ) => {
                came.accepted += 1;
                self.seen.accepted.fetch_add(1, Ordering::SeqCst);
                latency::record(&mut came.placed, took_ns, 1);
                lane.to_confirm.borrow_mut().push(at);
                Stage::Confirming
            }
            (
                Stage::Confirming,
                Reply::Answer(Answer::Done { state: State::Confirmed, moved: 1, excess: 0, repeated: false }, _),
            ) => {
                came.confirmed += 1;
                latency::record(&mut came.done, took_ns, 1);
                Stage::Confirmed
            }
            (_, Reply::Refused(why)) => {
                *came.refusals.entry(why.to_string()).or_default() += 1;
                if confirms { Stage::Left } else { Stage::Refused }
            }
            (_, other) => {
                came.errors.add(|| format!("{asked:?} {} was answered {other:?}", checkout.order));
                if confirms { Stage::Left } else { Stage::Refused }
            }
        };
        if checkout.stage != Stage::Confirming {
            lane.open.set(lane.open.get() - 1);
        }
        lane.wake.notify_one();
    }
}

/// Of the frame that places a checkout, or confirms it.
const fn correlation(checkout: usize, confirms: bool) -> u64 {
    2 * checkout as u64 + confirms as u64
}
