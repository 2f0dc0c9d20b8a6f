//! Rounds of a soak: so many orders placed together, then confirmed or cancelled, then handed over, each step when the
//! one before has been answered.
//!
//! ```text
//! due ─► place all ─► confirm 80 %, cancel 5 % ─► hand over 70 % ─► hand over what an old round left (10 %)
//! ```
//!
//! # Always true
//! - A round leaves at its moment or, when every lane is busy, as soon as one is free; latency counts from the moment.
//! - Nothing is kept per order: what becomes of it follows from its number, and its identifier from number and moment.
//! - When the last lane has ended, nothing is left to be handed over.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::ops::Range;
use std::rc::Rc;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use stockade::base::{ChangeId, OrderId, Timestamp};
use stockade::client::Client;
use stockade::engine::order::{Counters, State};
use stockade::engine::{Answer, Command};
use stockade::wire::Reply;

use crate::arguments::Soak;
use crate::books::Ledger;
use crate::drive::Goods;
use crate::errors::Errors;
use crate::exchange::{Ask, Exchange, describe};
use crate::failure::Failure;
use crate::latency;

/// Rounds that may wait for their late orders to be handed over.
const LATE_ROUNDS: usize = 64;
/// So many orders of a hundred …
const AT_ONCE: u64 = 70;
const LATER: u64 = 10;
const CANCELLED: u64 = 5;
/// Neighbours differ in what becomes of them: a step that has no divisor in common with a hundred.
const STEP: u64 = 37;

/// What becomes of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    HandedOver,
    HandedOverLater,
    Cancelled,
    Expires,
}

impl Class {
    const fn of(n: u64) -> Self {
        match n % 100 * STEP % 100 {
            0..AT_ONCE => Self::HandedOver,
            share if share < AT_ONCE + LATER => Self::HandedOverLater,
            share if share < AT_ONCE + LATER + CANCELLED => Self::Cancelled,
            _ => Self::Expires,
        }
    }

    /// The state and the counters at the end.
    const fn fate(self) -> (State, Counters) {
        let none = Counters { reserved: 0, lapsed: 0, committed: 0, shipped: 0, cancelled: 0, returned: 0 };
        match self {
            Self::HandedOver | Self::HandedOverLater => (State::Completed, Counters { shipped: 1, ..none }),
            Self::Cancelled => (State::Cancelled, Counters { cancelled: 1, ..none }),
            Self::Expires => (State::Expired, Counters { lapsed: 1, ..none }),
        }
    }
}

/// Orders that were placed together.
#[derive(Debug, Clone)]
struct Round {
    orders: Range<u64>,
    made_at: Timestamp,
}

/// What all lanes share.
pub(super) struct Rounds {
    goods: Goods,
    orders: u64,
    of_round: u64,
    rate: f64,
    begin: Instant,
    next: Cell<u64>,
    late: RefCell<VecDeque<Round>>,
    pub(super) done: RefCell<Done>,
}

/// What has come of it so far.
pub(super) struct Done {
    /// Placements.
    pub(super) answered: u64,
    pub(super) accepted: u64,
    /// Everything that was answered: placements and what came after them.
    pub(super) commands: u64,
    pub(super) handed_over: u64,
    pub(super) cancelled: u64,
    pub(super) ledger: Ledger,
    /// Of placements.
    pub(super) latencies: Histogram<u64>,
    pub(super) errors: Errors,
}

impl Default for Done {
    fn default() -> Self {
        Self {
            answered: 0,
            accepted: 0,
            commands: 0,
            handed_over: 0,
            cancelled: 0,
            ledger: Ledger::default(),
            latencies: latency::histogram(),
            errors: Errors::default(),
        }
    }
}

impl Rounds {
    pub(super) fn new(soak: &Soak, goods: Goods, begin: Instant) -> Self {
        Self {
            goods,
            orders: soak.orders,
            of_round: u64::from(soak.batch),
            rate: f64::from(soak.rate),
            begin,
            next: Cell::new(0),
            late: RefCell::default(),
            done: RefCell::default(),
        }
    }

    /// Orders of the next round, and when it is due.
    fn take(&self) -> Option<(Range<u64>, Instant)> {
        let first = self.next.get();
        if first == self.orders {
            return None;
        }
        let end = self.orders.min(first + self.of_round);
        self.next.set(end);
        Some((first..end, self.begin + Duration::from_secs_f64(first as f64 / self.rate)))
    }

    /// A round that has waited long enough for its late orders; any round when all are placed.
    fn take_late(&self) -> Option<Round> {
        let mut late = self.late.borrow_mut();
        let waits = if self.next.get() == self.orders { 0 } else { LATE_ROUNDS };
        if late.len() > waits { late.pop_front() } else { None }
    }
}

/// One stream that works off rounds.
pub(super) struct Lane {
    rounds: Rc<Rounds>,
    exchange: Exchange,
}

impl Lane {
    pub(super) async fn open(client: &Client, connection: usize, rounds: Rc<Rounds>) -> Result<Self, Failure> {
        Ok(Self { rounds, exchange: Exchange::open_on(client, connection).await? })
    }

    /// Works until every order has come to its end.
    pub(super) async fn run(&mut self) -> Result<(), Failure> {
        let rounds = Rc::clone(&self.rounds);
        while let Some((orders, due)) = rounds.take() {
            tokio::time::sleep_until(due.into()).await;
            let round = self.place(orders, due).await?;
            self.settle(&round).await?;
            self.hand_over(&round, Class::HandedOver).await?;
            rounds.late.borrow_mut().push_back(round);
            self.hand_over_late().await?;
        }
        self.hand_over_late().await
    }

    async fn hand_over_late(&mut self) -> Result<(), Failure> {
        while let Some(late) = self.rounds.take_late() {
            self.hand_over(&late, Class::HandedOverLater).await?;
        }
        Ok(())
    }

    async fn place(&mut self, orders: Range<u64>, due: Instant) -> Result<Round, Failure> {
        let Rounds { goods, done, .. } = &*self.rounds;
        let made_at = self.exchange.client().log_time();
        let lines = goods.cart();
        let place = |n| Ask::Command(Command::Place(goods.place(n, made_at, &lines)));
        let asks: Vec<_> = orders.clone().map(place).collect();
        let take = |at: usize, reply: &Reply<'_>, _: u64| {
            let mut done = done.borrow_mut();
            let n = orders.start + at as u64;
            done.answered += 1;
            done.commands += 1;
            let took_ns = u64::try_from(due.elapsed().as_nanos()).unwrap_or(u64::MAX);
            latency::record(&mut done.latencies, took_ns, 1);
            match reply {
                Reply::Answer(
                    Answer::Placed { state: State::PendingPayment, short: false, owed: false, repeated: false, .. },
                    _,
                ) => {
                    let (state, line) = Class::of(n).fate();
                    done.accepted += 1;
                    done.ledger.add(goods.order_id(n, made_at), state, &[line]);
                }
                other => done.errors.add(|| format!("order {n}: {}", describe(other))),
            }
        };
        self.exchange.ask(&asks, take).await?;
        Ok(Round { orders, made_at })
    }

    /// Confirms those that are paid, cancels those that are regretted.
    async fn settle(&mut self, round: &Round) -> Result<(), Failure> {
        let command = |class, order| match class {
            Class::HandedOver | Class::HandedOverLater => Some(Command::Confirm { order, attempt: ChangeId(1) }),
            Class::Cancelled => Some(Command::Cancel { order, block: false }),
            Class::Expires => None,
        };
        self.command(round, command).await
    }

    async fn hand_over(&mut self, round: &Round, which: Class) -> Result<(), Failure> {
        let command =
            |class, order| (class == which).then_some(Command::HandOver { order, change: ChangeId(2), lines: &[] });
        self.command(round, command).await
    }

    /// Asks what `command` says for each order, and verifies that it moved the one unit there is.
    async fn command(
        &mut self,
        round: &Round,
        command: impl Fn(Class, OrderId) -> Option<Command<'static>>,
    ) -> Result<(), Failure> {
        let Rounds { goods, done, .. } = &*self.rounds;
        let of = |n| command(Class::of(n), goods.order_id(n, round.made_at)).map(Ask::Command);
        let asks: Vec<_> = round.orders.clone().filter_map(of).collect();
        let take = |at: usize, reply: &Reply<'_>, _: u64| {
            let mut done = done.borrow_mut();
            let done = &mut *done;
            done.commands += 1;
            let (expected, count) = match &asks[at] {
                Ask::Command(Command::Cancel { .. }) => (State::Cancelled, Some(&mut done.cancelled)),
                Ask::Command(Command::HandOver { .. }) => (State::Completed, Some(&mut done.handed_over)),
                _ => (State::Confirmed, None),
            };
            match reply {
                Reply::Answer(Answer::Done { state, moved: 1, excess: 0, repeated: false }, _)
                    if *state == expected =>
                {
                    count.into_iter().for_each(|count| *count += 1);
                }
                other => done.errors.add(|| format!("{:?}: {}", asks[at], describe(other))),
            }
        };
        self.exchange.ask(&asks, take).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_orders_come_to_a_sales_proportions_and_neighbours_differ() {
        let count = |class| (0..100).filter(|n| Class::of(*n) == class).count();
        let counts = [Class::HandedOver, Class::HandedOverLater, Class::Cancelled, Class::Expires].map(count);
        assert_eq!(counts, [70, 10, 5, 15]);
        let longest = (0..200_u64).collect::<Vec<_>>();
        let longest = longest.chunk_by(|a, b| Class::of(*a) == Class::of(*b)).map(<[u64]>::len).max();
        assert!(longest < Some(8), "{longest:?}");
    }
}
