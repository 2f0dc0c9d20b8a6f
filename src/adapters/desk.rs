//! Where an adapter meets the shards: requests into their inboxes, durable answers out of its outboxes.
//!
//! # Not here
//! - Retrying what a shard has no room for: `runner`.

use std::sync::Arc;
use std::task::{Context, Poll};

use crate::engine::Answer;
use crate::engine::query::{OrderView, VelocityView, WantPage};
use crate::shard::{Inbox, Lane, Outbox, Replies, Submission};
use crate::wire::{Refused, Reply, ReplyHeader, Request, Tag, decode_replies};

/// What a shard said, as far as adapters ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// To a command that was carried out, now or before.
    Answer(Answer),
    /// To anything that was refused.
    Refused(Refused),
    /// A page of the wanted list.
    Wanted(WantPage),
    /// An order as it is.
    Order(Box<OrderView>),
    /// What somebody placed lately.
    Velocity(VelocityView),
}

struct Door {
    inbox: Inbox,
    outbox: Arc<Outbox>,
    replies: Replies,
}

/// One adapter's way to all shards.
pub struct Desk {
    doors: Vec<Door>,
    /// Told, and not taken yet.
    told: Vec<(u64, Told)>,
}

impl Desk {
    /// With an outbox of its own at each of these.
    #[must_use]
    pub fn new(inboxes: Vec<Inbox>) -> Self {
        let open = |inbox: Inbox| {
            let (outbox, replies) = inbox.open_outbox();
            Door { inbox, outbox, replies }
        };
        Self { doors: inboxes.into_iter().map(open).collect(), told: Vec::new() }
    }

    /// How many shards there are.
    #[must_use]
    pub const fn shards(&self) -> usize {
        self.doors.len()
    }

    /// Leaves a request; `correlation` comes back with what is told. A shard without room says so at once.
    pub fn submit(&mut self, shard: usize, correlation: u64, request: &Request<'_>) {
        let door = &self.doors[shard];
        let mut batch = door.inbox.take_spare_batch();
        batch.push(Tag { correlation, index: 0, expires_at_ms: 0 }, request);
        let submission = Submission { lane: Lane::of(request), batch, outbox: Arc::clone(&door.outbox) };
        if let Err(away) = door.inbox.submit(submission) {
            self.told.push((correlation, Told::Refused(Refused::Overloaded { retry_after_ms: away.retry_after_ms })));
        }
    }

    /// The next thing told; the task is woken when there is one.
    pub fn poll_told(&mut self, cx: &mut Context<'_>) -> Poll<(u64, Told)> {
        for door in &mut self.doors {
            while self.told.is_empty()
                && let Poll::Ready(chunk) = door.replies.poll_take(cx)
            {
                read(&chunk, &mut self.told);
                door.replies.give_back(chunk);
            }
        }
        self.told.pop().map_or(Poll::Pending, Poll::Ready)
    }
}

fn read(chunk: &[u8], told: &mut Vec<(u64, Told)>) {
    let mut rest = chunk;
    while !rest.is_empty() {
        let header = ReplyHeader::parse(rest).ok().flatten().expect("law: a shard writes whole frames");
        let (frame, behind) = rest.split_at(header.length);
        let read = decode_replies(frame, |correlation, _, reply| match reply {
            Reply::Answer(answer, _) => told.push((correlation, Told::Answer(answer))),
            Reply::Refused(why) => told.push((correlation, Told::Refused(why))),
            Reply::Wanted(page) => told.push((correlation, Told::Wanted(page))),
            Reply::Velocity(view) => told.push((correlation, Told::Velocity(view))),
            Reply::Order(view) => told.push((correlation, Told::Order(view))),
            _ => unreachable!("law: adapters ask for nothing else"),
        });
        read.expect("law: a shard writes what can be read");
        rest = behind;
    }
}
