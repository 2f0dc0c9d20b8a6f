//! Creating a market: two shards, one after the other, and only then may anybody use it.
//!
//! ```text
//! AssignMarket ─► shard 0: number and shard ─ durable ─► OpenMarket ─► its shard ─ durable ─► registry ─► answer
//! ```
//!
//! # Always true
//! - One market is created at a time, so the rule that chooses its shard sees what the directory saw.
//! - A market in the registry is durable in both places. One that was assigned and not opened when the process ended is
//!   opened by the node at its next start.
//! # Why so
//! Markets are created a few times in a shop's life; a queue of one is simple, and nothing else waits in it.

use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use atomic_waker::AtomicWaker;
use crossbeam_queue::SegQueue;
use tokio::sync::mpsc;

use super::Registry;
use super::session::Wish;
use crate::base::limits::{MARKET_CREATIONS_MAX, RETRY_AFTER_MS};
use crate::base::{MarketId, ShardId};
use crate::engine::{Answer, Command, DIRECTORY_SHARD, fewest_markets};
use crate::shard::{Inbox, Lane, Submission, TurnedAway};
use crate::wire::{Refused, Reply, Request, Tag, decode_replies};

type Outcome = Result<Answer, Refused>;

/// Where a session finds what became of its wishes.
#[derive(Debug, Default)]
pub(super) struct Mailbox {
    outcomes: SegQueue<(Tag, Outcome)>,
    waker: AtomicWaker,
}

impl Mailbox {
    fn put(&self, tag: Tag, outcome: Outcome) {
        self.outcomes.push((tag, outcome));
        self.waker.wake();
    }

    /// The next outcome; otherwise the task is woken when there is one.
    pub(super) fn poll_take(&self, cx: &mut Context<'_>) -> Poll<(Tag, Outcome)> {
        if let Some(outcome) = self.outcomes.pop() {
            return Poll::Ready(outcome);
        }
        self.waker.register(cx.waker());
        self.outcomes.pop().map_or(Poll::Pending, Poll::Ready)
    }
}

struct Order {
    wish: Wish,
    mailbox: Arc<Mailbox>,
}

/// The sessions' side.
#[derive(Clone)]
pub(super) struct Creations {
    orders: mpsc::Sender<Order>,
}

impl Creations {
    /// The queue, and the task that works it off.
    pub(super) fn new(registry: Registry, inboxes: Arc<[Inbox]>) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (orders, mut waiting) = mpsc::channel::<Order>(MARKET_CREATIONS_MAX);
        let task = async move {
            let mut creator = Creator { registry, inboxes, assigned: HashMap::new() };
            while let Some(Order { wish, mailbox }) = waiting.recv().await {
                let outcome = creator.create(&wish.code).await;
                mailbox.put(wish.tag, outcome);
            }
        };
        (Self { orders }, task)
    }

    /// Queues a wish; when too many wait already it is answered `Overloaded` at once.
    pub(super) fn submit(&self, wish: Wish, mailbox: &Arc<Mailbox>) {
        let tag = wish.tag;
        if self.orders.try_send(Order { wish, mailbox: Arc::clone(mailbox) }).is_err() {
            mailbox.put(tag, Err(Refused::Overloaded { retry_after_ms: RETRY_AFTER_MS }));
        }
    }
}

struct Creator {
    registry: Registry,
    inboxes: Arc<[Inbox]>,
    /// Assigned in this run and not yet open.
    assigned: HashMap<MarketId, ShardId>,
}

impl Creator {
    async fn create(&mut self, code: &str) -> Outcome {
        let answer = self.ask(DIRECTORY_SHARD, &Command::AssignMarket { code }).await?;
        let Answer::Numbered { number, repeated } = answer else {
            unreachable!("law: a market that is assigned is numbered")
        };
        let market = MarketId::new(number).expect("law: the directory numbers below 2^20");
        if self.registry.shard(market).is_some() {
            return Ok(answer);
        }
        let shard = self.shard_of(market, repeated);
        self.open(shard, &Command::OpenMarket { market, code }).await?;
        self.assigned.remove(&market);
        self.registry.insert(market, shard);
        Ok(answer)
    }

    /// The shard the directory chose: by the same rule, from the same markets.
    fn shard_of(&mut self, market: MarketId, repeated: bool) -> ShardId {
        if repeated {
            let shard = self.assigned.get(&market);
            return *shard.expect("law: the node opens every market of its directory before it listens");
        }
        let mut load = vec![0; self.inboxes.len()];
        self.registry.count_into(&mut load);
        for shard in self.assigned.values() {
            load[usize::from(shard.0)] += 1;
        }
        let shard = fewest_markets(&load);
        self.assigned.insert(market, shard);
        shard
    }

    /// A market that has been assigned is opened, however busy its shard is.
    async fn open(&self, shard: ShardId, command: &Command<'_>) -> Outcome {
        loop {
            match self.ask(shard, command).await {
                Err(Refused::Overloaded { retry_after_ms }) => {
                    tokio::time::sleep(Duration::from_millis(retry_after_ms.into())).await;
                }
                outcome => return outcome,
            }
        }
    }

    /// One command to one shard, answered once it is durable.
    async fn ask(&self, shard: ShardId, command: &Command<'_>) -> Outcome {
        let inbox = &self.inboxes[usize::from(shard.0)];
        let (outbox, mut replies) = inbox.open_outbox();
        let mut batch = inbox.take_spare_batch();
        batch.push(Tag::default(), &Request::Command(*command));
        if let Err(TurnedAway { retry_after_ms, .. }) = inbox.submit(Submission { lane: Lane::Orders, batch, outbox }) {
            let busy = Refused::Overloaded { retry_after_ms };
            return Err(if inbox.is_closed() { Refused::ShuttingDown } else { busy });
        }
        let frame = poll_fn(|cx| replies.poll_take(cx)).await;
        let mut outcome = None;
        decode_replies(&frame, |_, _, reply| outcome = Some(reply_outcome(&reply)))
            .expect("law: what a shard writes can be read");
        outcome.expect("law: a shard answers what it is asked")
    }
}

fn reply_outcome(reply: &Reply<'_>) -> Outcome {
    match reply {
        Reply::Answer(answer, _) => Ok(*answer),
        Reply::Refused(refused) => Err(*refused),
        other => unreachable!("law: a command is answered or refused, and not with {other:?}"),
    }
}
