//! Urgent commands beside a flood: each target is confirmed and then cancelled, at even moments, on a connection of its
//! own.
//!
//! # Always true
//! - Commands leave when they are due, whether or not answers come; latency is counted from that moment.
//! - Each command is answered once and as it must be, or there is an error.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hdrhistogram::Histogram;
use stockade::base::ChangeId;
use stockade::client::{Client, FrameReceiver, FrameSender, frames};
use stockade::engine::order::{Counters, State};
use stockade::engine::{Answer, Command};
use stockade::wire::{FrameWriter, Reply, decode_replies};

use crate::books::Ledger;
use crate::drive::{Accepted, Goods};
use crate::errors::Errors;
use crate::failure::Failure;
use crate::flash::precise;
use crate::latency::{self, LatencyUs};
use crate::report::UrgentFigures;

/// The grain of the timer: commands due within one go out together.
const TICK: Duration = Duration::from_millis(1);
/// Without an answer for so long, a run gives up.
const STUCK_AFTER: Duration = Duration::from_secs(30);

/// What to send beside a flood.
#[derive(Debug, Clone, Copy)]
pub(super) struct UrgentPlan {
    pub(super) goods: Goods,
    pub(super) connection: usize,
    pub(super) commands_per_s: u32,
    pub(super) in_time_ms: u32,
}

/// What is sent, and what came of it.
pub(super) struct Urgent<'t> {
    plan: UrgentPlan,
    targets: &'t [Accepted],
    begin: Instant,
    came: RefCell<Came>,
}

/// What has come so far.
struct Came {
    /// By command.
    answered: Vec<bool>,
    missing: usize,
    in_time: u64,
    latencies: Histogram<u64>,
    errors: Errors,
}

/// What came of all of them.
pub(super) struct Outcome<'t> {
    plan: UrgentPlan,
    targets: &'t [Accepted],
    in_time: u64,
    latencies: Histogram<u64>,
    pub(super) errors: Errors,
}

impl<'t> Urgent<'t> {
    pub(super) fn new(plan: UrgentPlan, targets: &'t [Accepted]) -> Self {
        let commands = 2 * targets.len();
        let came = Came {
            answered: vec![false; commands],
            missing: commands,
            in_time: 0,
            latencies: latency::histogram(),
            errors: Errors::default(),
        };
        Self { plan, targets, begin: Instant::now(), came: RefCell::new(came) }
    }

    /// Sends everything and waits for every answer.
    pub(super) async fn run(self, client: &Client) -> Result<Outcome<'t>, Failure> {
        if !self.targets.is_empty() {
            let (sender, receiver) = client.open_stream(self.plan.connection).await?.split();
            tokio::try_join!(self.send(sender), self.receive(receiver))?;
        }
        let Came { in_time, latencies, errors, .. } = self.came.into_inner();
        Ok(Outcome { plan: self.plan, targets: self.targets, in_time, latencies, errors })
    }

    fn now_ns(&self) -> u64 {
        u64::try_from(self.begin.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// When a command should leave.
    fn due_ns(&self, command: usize) -> u64 {
        command as u64 * 1_000_000_000 / u64::from(self.plan.commands_per_s)
    }

    /// Even ones confirm, odd ones cancel.
    fn command(&self, at: usize) -> Command<'static> {
        let Accepted { n, made_at, .. } = self.targets[at / 2];
        let order = self.plan.goods.order_id(n, made_at);
        if at.is_multiple_of(2) {
            Command::Confirm { order, attempt: ChangeId(1) }
        } else {
            Command::Cancel { order, block: false }
        }
    }

    async fn send(&self, mut sender: FrameSender) -> Result<(), Failure> {
        let mut ticks = tokio::time::interval(TICK);
        let mut writer = FrameWriter::default();
        let (mut next, commands) = (0, 2 * self.targets.len());
        while next < commands {
            ticks.tick().await;
            let (first, now_ns) = (next, self.now_ns());
            // The first of a frame names it: index and correlation are the number of a command.
            writer.begin(first as u64, 0);
            while next < commands && self.due_ns(next) <= now_ns && next - first < 1_024 {
                writer.push(&self.command(next))?;
                next += 1;
            }
            if next > first {
                sender.send_all(&mut [Bytes::copy_from_slice(writer.finish())]).await?;
            }
        }
        sender.finish();
        Ok(())
    }

    async fn receive(&self, mut receiver: FrameReceiver) -> Result<(), Failure> {
        loop {
            let open = self.came.borrow().missing as u64;
            let received = tokio::time::timeout(STUCK_AFTER, receiver.recv());
            let Some(whole) = received.await.map_err(|_| Failure::Stuck { waited: STUCK_AFTER, open })?? else {
                return if open == 0 { Ok(()) } else { Err(Failure::Unanswered { open }) };
            };
            let now_ns = self.now_ns();
            let mut came = self.came.borrow_mut();
            for frame in frames(whole) {
                decode_replies(frame, |correlation, index, reply| {
                    let at = (correlation as usize).saturating_add(usize::from(index));
                    self.take(&mut came, at, now_ns, &reply);
                })?;
            }
        }
    }

    fn take(&self, came: &mut Came, at: usize, now_ns: u64, reply: &Reply<'_>) {
        if at >= came.answered.len() || std::mem::replace(&mut came.answered[at], true) {
            return came.errors.add(|| format!("an urgent reply that nobody waits for: {reply:?}"));
        }
        came.missing -= 1;
        let took_ns = now_ns.saturating_sub(self.due_ns(at));
        latency::record(&mut came.latencies, took_ns, 1);
        let expected = if at.is_multiple_of(2) { State::Confirmed } else { State::Cancelled };
        match reply {
            Reply::Answer(Answer::Done { state, moved: 1, excess: 0, repeated: false }, _) if *state == expected => {
                came.in_time += u64::from(took_ns <= u64::from(self.plan.in_time_ms) * 1_000_000);
            }
            other => came.errors.add(|| format!("{:?} was answered {other:?}", self.command(at))),
        }
    }
}

impl Outcome<'_> {
    /// `None` when there was nothing to send.
    pub(super) fn figures(&mut self) -> Option<UrgentFigures> {
        let commands = 2 * self.targets.len() as u64;
        (commands > 0).then(|| UrgentFigures {
            commands,
            in_time: precise(self.in_time) / precise(commands),
            latency_us: LatencyUs::from(&self.latencies),
        })
    }

    /// The targets were reserved; now they are cancelled.
    pub(super) fn enter(&self, ledger: &mut Ledger) {
        let none = Counters { reserved: 0, lapsed: 0, committed: 0, shipped: 0, cancelled: 0, returned: 0 };
        for Accepted { n, made_at, .. } in self.targets {
            let order = self.plan.goods.order_id(*n, *made_at);
            let (state, unit) = self.plan.goods.fate(order);
            ledger.remove(order, state, &[unit]);
            ledger.add(order, State::Cancelled, &[Counters { cancelled: 1, ..none }]);
        }
    }
}
