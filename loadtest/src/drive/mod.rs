//! A drive: orders of one unit of one SKU, as fast as asked, over many connections, from one thread.
//!
//! ```text
//!            credits / arrivals                    whole frames
//! sender ◄──────────────────────── receiver ◄──────────────────── server
//!   │  copies a template, patches      │ matches, checks, sums (`tally`)
//!   └── identifiers, one write ────────┴──────────────────────────► server
//! ```
//!
//! Each connection has one stream, a sender and a receiver, so that waiting for room to send never stops receiving.
//!
//! # Always true
//! - Nothing is allocated and nothing is kept per order.
//! - When [`Drive::run`] returns without a failure, every order sent has been answered.

mod pace;
mod spread;
mod sums;
mod tally;
mod template;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use stockade::base::limits::FIRST_FRAME_BYTES_MAX;
use stockade::client::{Client, FrameReceiver, FrameSender, frames};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::failure::Failure;
use crate::progress::Progress;

pub(crate) use pace::{Arrivals, Lateness, Pace, Ticker};
pub(crate) use spread::Spread;
pub(crate) use sums::Sums;
pub(crate) use tally::{Accepted, Tally};
use template::Template;
pub(crate) use template::{CART_LINES_MAX, Fate, Goods};

/// Without an answer for so long, a run gives up.
const STUCK_AFTER: Duration = Duration::from_secs(30);
const SUPERVISE_EVERY: Duration = Duration::from_millis(100);
/// Bytes gathered before a write.
const WRITE_BYTES: usize = 128 * 1_024;
/// Orders that surely fit the first frame of a connection.
const FIRST_ORDERS_MAX: u16 = (FIRST_FRAME_BYTES_MAX / 128) as u16;

/// What to drive.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) goods: Goods,
    /// Number of the first order.
    pub(crate) first: u64,
    /// Stop after so many orders …
    pub(crate) orders_max: u64,
    /// … or so many nanoseconds, whichever comes first.
    pub(crate) span_ns: u64,
    pub(crate) batch: u16,
    pub(crate) pace: Pace,
    pub(crate) seed: u64,
}

/// A drive under way.
pub(crate) struct Drive {
    plan: Plan,
    begin: Instant,
    whole: Template,
    connections: usize,
    /// Orders given to senders so far.
    given: Cell<u64>,
    lateness: Cell<Lateness>,
    lanes: Vec<Lane>,
    tally: RefCell<Tally>,
}

/// One connection of a drive.
#[derive(Default)]
struct Lane {
    /// Orders sent and not answered.
    in_flight: Cell<u64>,
    /// When it wants to be woken, in nanoseconds of the drive.
    due_ns: Cell<u64>,
    wake: Notify,
}

/// What a drive came to.
pub(crate) struct Driven {
    pub(crate) sums: Sums,
    pub(crate) sent: u64,
    pub(crate) lateness: Lateness,
    /// From the first send to the last answer.
    pub(crate) elapsed: Duration,
    pub(crate) unanswered: Vec<(u64, stockade::base::Timestamp)>,
    pub(crate) sample: Vec<Accepted>,
}

impl Drive {
    /// Makes ready.
    pub(crate) fn new(plan: Plan, connections: usize, tally: Tally) -> Result<Rc<Self>, Failure> {
        let whole = Template::new(plan.goods, plan.batch)?;
        Ok(Rc::new(Self {
            plan,
            begin: Instant::now(),
            whole,
            connections,
            given: Cell::new(0),
            lateness: Cell::new(Lateness::default()),
            lanes: (0..connections).map(|_| Lane { due_ns: Cell::new(u64::MAX), ..Lane::default() }).collect(),
            tally: RefCell::new(tally),
        }))
    }

    /// Sends and receives until the plan is fulfilled and everything is answered. Must run inside a `LocalSet`.
    pub(crate) async fn run(self: &Rc<Self>, client: &Client, progress: &mut Progress) -> Result<(), Failure> {
        let mut lanes = JoinSet::new();
        for at in 0..self.connections {
            let (sender, receiver) = client.open_stream(at).await?.split();
            let (drive, client) = (Rc::clone(self), client.clone());
            lanes.spawn_local(async move { drive.send(at, sender, &client).await });
            let drive = Rc::clone(self);
            lanes.spawn_local(async move { drive.receive(at, receiver).await });
        }
        // Ends with this function, however it ends: what a set spawned dies with it.
        let mut conductor = JoinSet::new();
        if let Pace::Open { .. } = self.plan.pace {
            let drive = Rc::clone(self);
            conductor.spawn_local(async move { drive.conduct().await });
        }
        self.supervise(&mut lanes, progress).await
    }

    /// Takes the result out, whether the drive ended by itself or was left.
    pub(crate) fn finish(self: Rc<Self>) -> Driven {
        let tally = self.tally.replace(Tally::new(self.plan.goods, 0));
        Driven {
            sent: self.given.get(),
            lateness: self.lateness.get(),
            elapsed: Duration::from_nanos(tally.sums.last_answer_ns),
            unanswered: tally.unanswered(),
            sample: tally.accepted_sample,
            sums: tally.sums,
        }
    }

    fn now_ns(&self) -> u64 {
        u64::try_from(self.begin.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// Waits for the lanes; gives up when answers stop coming.
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
                    let tally = self.tally.borrow();
                    progress.show(tally.sums.answered, &tally.sums.latencies);
                    if tally.sums.answered != seen || tally.open_orders() == 0 {
                        (seen, since) = (tally.sums.answered, Instant::now());
                    } else if since.elapsed() > STUCK_AFTER {
                        return Err(Failure::Stuck { waited: STUCK_AFTER, open: tally.open_orders() });
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
        let mut turn = Turn { drive: self, lane: &self.lanes[at], client, buffer: BytesMut::new(), is_first: true };
        let mut arrivals = self.arrivals(at);
        loop {
            let goes_on = match &mut arrivals {
                None => turn.fill_window()?,
                Some(arrivals) => turn.fill_due(arrivals)?,
            };
            if !turn.buffer.is_empty() {
                sender.send_all(&mut [turn.buffer.split().freeze()]).await?;
            } else if goes_on {
                turn.lane.wake.notified().await;
            }
            if !goes_on {
                sender.finish();
                return Ok(());
            }
        }
    }

    fn arrivals(&self, at: usize) -> Option<Arrivals> {
        let Pace::Open { orders_per_s, burst_from_ns } = self.plan.pace else { return None };
        let frames_per_s = orders_per_s / f64::from(self.plan.batch) / self.connections as f64;
        let seed = crate::chance::mix(self.plan.seed ^ at as u64);
        Some(Arrivals::new(seed, frames_per_s, burst_from_ns))
    }

    async fn receive(&self, at: usize, mut receiver: FrameReceiver) -> Result<(), Failure> {
        let lane = &self.lanes[at];
        while let Some(whole) = receiver.recv().await? {
            let now_ns = self.now_ns();
            let mut tally = self.tally.borrow_mut();
            let mut completed = 0;
            for frame in frames(whole) {
                completed += tally.take_frame(frame, now_ns)?;
            }
            lane.in_flight.set(lane.in_flight.get().saturating_sub(completed));
            if completed > 0 && matches!(self.plan.pace, Pace::Closed { .. }) {
                lane.wake.notify_one();
            }
        }
        match lane.in_flight.get() {
            0 => Ok(()),
            open => Err(Failure::Unanswered { open }),
        }
    }

    /// Orders for one more frame, which should leave at `intended_ns`; `None` when the plan is fulfilled. A frame that
    /// was due before the end is sent and counted however late it is: leaving it out would hide the delay.
    fn give(&self, intended_ns: u64, at_most: u16) -> Option<(u64, u16)> {
        let given = self.given.get();
        let left = self.plan.orders_max - given;
        if left == 0 || intended_ns >= self.plan.span_ns {
            return None;
        }
        let orders = u16::try_from(left).map_or(at_most, |left| left.min(at_most));
        self.given.set(given + u64::from(orders));
        Some((self.plan.first + given, orders))
    }
}

/// A sender filling its buffer.
struct Turn<'a> {
    drive: &'a Drive,
    lane: &'a Lane,
    client: &'a Client,
    buffer: BytesMut,
    is_first: bool,
}

impl Turn<'_> {
    /// Closed loop: frames until the window is full; false when there is nothing more to send, ever.
    fn fill_window(&mut self) -> Result<bool, Failure> {
        let Pace::Closed { orders_in_flight } = self.drive.plan.pace else { return Ok(false) };
        let now_ns = self.drive.now_ns();
        while self.buffer.len() < WRITE_BYTES {
            let in_flight = self.lane.in_flight.get();
            if in_flight > 0 && in_flight + u64::from(self.drive.plan.batch) > orders_in_flight {
                return Ok(true);
            }
            if !self.put_frame(now_ns)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Open loop: every frame that should have left by now; false when there is nothing more to send, ever.
    fn fill_due(&mut self, arrivals: &mut Arrivals) -> Result<bool, Failure> {
        let now_ns = self.drive.now_ns();
        while arrivals.next_ns() <= now_ns && self.buffer.len() < WRITE_BYTES {
            let intended_ns = arrivals.next_ns();
            if !self.put_frame(intended_ns)? {
                return Ok(false);
            }
            let mut lateness = self.drive.lateness.get();
            lateness.count(now_ns - intended_ns);
            self.drive.lateness.set(lateness);
            arrivals.advance();
        }
        if arrivals.next_ns() >= self.drive.plan.span_ns {
            return Ok(false);
        }
        self.lane.due_ns.set(arrivals.next_ns());
        Ok(true)
    }

    fn put_frame(&mut self, intended_ns: u64) -> Result<bool, Failure> {
        let at_most = if self.is_first { self.drive.plan.batch.min(FIRST_ORDERS_MAX) } else { self.drive.plan.batch };
        let Some((first, orders)) = self.drive.give(intended_ns, at_most) else { return Ok(false) };
        self.is_first = false;
        let made_at = self.client.log_time();
        let correlation = self.drive.tally.borrow_mut().open(first, orders, made_at, intended_ns);
        if orders == self.drive.whole.orders() {
            self.drive.whole.write(correlation, first, made_at, &mut self.buffer);
        } else {
            Template::new(self.drive.plan.goods, orders)?.write(correlation, first, made_at, &mut self.buffer);
        }
        self.lane.in_flight.set(self.lane.in_flight.get() + u64::from(orders));
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::sums::tests::goods;
    use super::*;

    #[test]
    fn what_was_due_before_the_end_is_given_after_it_too() {
        let pace = Pace::Open { orders_per_s: 1.0, burst_from_ns: None };
        let plan = Plan { goods: goods(), first: 0, orders_max: 100, span_ns: 1, batch: 10, pace, seed: 1 };
        let drive = Drive::new(plan, 1, Tally::new(goods(), 0)).expect("fits");
        while drive.now_ns() <= plan.span_ns {
            std::hint::spin_loop();
        }
        assert_eq!(drive.give(0, 10), Some((0, 10)), "late");
        assert_eq!(drive.give(1, 10), None, "due after the end");
    }
}
