//! A shard with a disk that takes no time, and the orders it is asked for: what benches of the inner layers share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_queue::SegQueue;
use stockade::base::limits::ENTRY_BYTES_MAX;
use stockade::base::{
    Currency, CustomerKey, MarketId, OrderId, RequestId, Sequence, ShardId, SiteId, SkuId, Timestamp,
};
use stockade::engine::choices::{PaymentMethod, Take};
use stockade::engine::{Capacity, Command, Engine, Line, Place};
use stockade::shard::{FakeKeys, Lane, Log, LogClock, Next, Outbox, Replies, Shard, Submission};
use stockade::wal::{Entry, Notify};
use stockade::wire::{Request, Tag};

pub(crate) const CURRENCY: Currency = match Currency::new(*b"EUR") {
    Ok(currency) => currency,
    Err(_) => unreachable!(),
};

pub(crate) const LINES: &[Line] = &[Line { sku: SkuId(1), quantity: 1, price: 999 }];

/// A disk that takes no time.
#[derive(Default)]
pub(crate) struct InstantLog {
    mark: AtomicU64,
    spare: SegQueue<Vec<u8>>,
    spare_notify: SegQueue<Vec<Arc<dyn Notify>>>,
}

impl Log for InstantLog {
    fn append(&self, mut entry: Entry) -> Result<(), Entry> {
        self.mark.store(entry.sequence.0, Ordering::Release);
        entry.notify.drain(..).for_each(|waiting| waiting.durable());
        entry.bytes.clear();
        self.spare.push(entry.bytes);
        self.spare_notify.push(entry.notify);
        Ok(())
    }

    fn durable(&self, _stream: ShardId) -> Sequence {
        Sequence(self.mark.load(Ordering::Acquire))
    }

    fn disk_low(&self) -> bool {
        false
    }

    fn failed(&self) -> bool {
        false
    }

    fn take_spare(&self) -> Vec<u8> {
        self.spare.pop().unwrap_or_default()
    }

    fn take_spare_notify(&self) -> Vec<Arc<dyn Notify>> {
        self.spare_notify.pop().unwrap_or_default()
    }
}

/// Distinct orders, without end.
pub(crate) struct Orders {
    pub(crate) market: MarketId,
    pub(crate) made_at: Timestamp,
    pub(crate) next: u64,
}

impl Orders {
    pub(crate) fn new(made_at: Timestamp) -> Self {
        Self { market: MarketId::new(1).expect("small"), made_at, next: 0 }
    }

    /// The identifier of the order of this number.
    pub(crate) fn id(&self, number: u64) -> OrderId {
        OrderId::new(self.made_at, self.market, number.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    pub(crate) fn place(&mut self, lines: &'static [Line]) -> Command<'static> {
        self.next += 1;
        Command::Place(Place {
            order: self.id(self.next),
            customer: CustomerKey(u128::from(self.next / 10)),
            take: Take::AllOrNothing,
            hold_ms: 3_600_000,
            currency: CURRENCY,
            payment: PaymentMethod::Card,
            channel: 0,
            zone: 0,
            hashes: None,
            lines,
            details: b"",
            key: None,
        })
    }

    /// A market whose first SKU has stock without end.
    pub(crate) fn set_up(&self) -> [Command<'static>; 3] {
        let request = RequestId::new(self.made_at, self.market, 1);
        [
            Command::OpenMarket { market: self.market, code: "bench" },
            Command::CreateSku { market: self.market, code: "sku" },
            Command::Receive { request, sku: SkuId(1), site: SiteId(1), quantity: 1_000_000_000_000 },
        ]
    }
}

pub(crate) fn unbounded() -> Engine {
    Engine::new(ShardId(0), 1, Capacity::UNBOUNDED)
}

/// A shard, and a session at its door.
pub(crate) struct Desk {
    pub(crate) shard: Shard,
    outbox: Arc<Outbox>,
    replies: Replies,
    pub(crate) orders: Orders,
}

impl Desk {
    pub(crate) fn new() -> Self {
        let clock = LogClock::new(Timestamp::ZERO);
        let made_at = clock.now();
        let log = Arc::new(InstantLog::default());
        let shard =
            Shard::new(unbounded(), ShardId(0), Sequence(0), ENTRY_BYTES_MAX, log, clock, Box::new(FakeKeys::new(0)));
        let (outbox, replies) = shard.inbox().open_outbox();
        let mut desk = Self { shard, outbox, replies, orders: Orders::new(made_at) };
        let set_up = desk.orders.set_up();
        desk.carry_out(&set_up);
        desk
    }

    /// Commands of one lane, as one submission.
    pub(crate) fn submission(&self, commands: &[Command<'_>]) -> Submission {
        let mut batch = self.shard.inbox().take_spare_batch();
        for (index, command) in (0..).zip(commands) {
            batch.push(Tag { correlation: 1, index, expires_at_ms: 0 }, &Request::Command(*command));
        }
        let lane = commands.first().map_or(Lane::Orders, |first| Lane::of(&Request::Command(*first)));
        Submission { lane, batch, outbox: Arc::clone(&self.outbox) }
    }

    /// Submits, turns until nothing is left, and takes every reply.
    pub(crate) fn round(&mut self, submissions: Vec<Submission>) {
        let inbox = self.shard.inbox();
        for submission in submissions {
            assert!(inbox.submit(submission).is_ok(), "a round fits the inbox");
        }
        while self.shard.turn() == Next::Again {}
        while let Some(chunk) = self.replies.take() {
            self.replies.give_back(chunk);
        }
    }

    /// One submission each, because lanes differ.
    pub(crate) fn carry_out(&mut self, commands: &[Command<'_>]) {
        for command in commands {
            let submission = self.submission(std::slice::from_ref(command));
            self.round(vec![submission]);
        }
    }
}
