//! One stream of one connection: moves bytes between quinn, its session and the shards. Decides nothing.
//!
//! ```text
//! every turn:  take all replies that may leave ─► write them at once ─► read all that is there ─► submit
//! ```
//!
//! # Always true
//! - While replies cannot be written nothing more is read, so a client that does not read its replies is owed a bounded
//!   amount; when nothing moves for `waits.reply` its connection ends.
//! - An answer is owed until quinn has taken all of it (`outgoing`).
//! - Everything released is written before the task rests: the connection's task then packs it all together.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use quinn::{Connection, RecvStream, SendStream};
use tokio::time::{Instant, Sleep};

use super::budget::Share;
use super::gaps::Gaps;
use super::local::encode_local;
use super::market::Mailbox;
use super::outgoing::{Answers, Gone, Outgoing};
use super::router::{Bounds, Now};
use super::session::{Closing, Session};
use super::transport::window;
use super::wiring::Wiring;
use crate::base::ShardId;
use crate::base::limits::STREAM_TURNS_MAX;
use crate::shard::{Outbox, Replies, Submission, TurnedAway};
use crate::wire::{CloseCode, Refused};

/// Why a stream has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// Everything was answered and written.
    Over,
    /// The client broke the protocol: its connection ends with this.
    Closing(Closing),
    /// The client gave it up.
    Lost,
}

pub(super) struct Stream {
    session: Session,
    wiring: Arc<Wiring>,
    connection: Connection,
    gaps: Arc<Gaps>,
    receive: RecvStream,
    send: SendStream,
    /// By shard; opened with the first submission.
    links: Vec<Option<Link>>,
    mailbox: Arc<Mailbox>,
    outgoing: Outgoing,
    /// Since when nothing could be written.
    blocked_since_ms: Option<u64>,
    timer: Pin<Box<Sleep>>,
    /// When the timer fires.
    timer_ms: Option<u64>,
}

/// The way to a shard and back.
struct Link {
    outbox: Arc<Outbox>,
    replies: Replies,
}

impl Stream {
    pub(super) fn new(
        wiring: Arc<Wiring>,
        (share, gaps): (Arc<Share>, Arc<Gaps>),
        connection: Connection,
        halves: (SendStream, RecvStream),
    ) -> Self {
        let shards = wiring.inboxes.len();
        let (send, receive) = halves;
        let inboxes = Arc::clone(&wiring.inboxes);
        let spares = Box::new(move |shard: ShardId| inboxes[usize::from(shard.0)].take_spare_batch());
        let bounds = Bounds { boards: Arc::clone(&wiring.boards), rate: Arc::clone(&wiring.rate) };
        Self {
            session: Session::new(wiring.registry.clone(), share, bounds, spares, wiring.waits.frame),
            wiring,
            connection,
            gaps,
            receive,
            send,
            links: (0..shards).map(|_| None).collect(),
            mailbox: Arc::default(),
            outgoing: Outgoing::default(),
            blocked_since_ms: None,
            timer: Box::pin(tokio::time::sleep(Duration::ZERO)),
            timer_ms: None,
        }
    }

    /// The server is stopping.
    pub(super) fn handle_drain(&mut self) {
        self.session.handle_drain();
    }

    /// The half that sends, to see it off.
    pub(super) fn into_sender(self) -> SendStream {
        self.send
    }

    /// Moves bytes until nothing moves.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        for _ in 0..STREAM_TURNS_MAX {
            match self.poll_turn(cx) {
                Ok(true) => {}
                Ok(false) => return Poll::Pending,
                Err(end) => return Poll::Ready(end),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// One turn; `true` when another may find more.
    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Result<bool, End> {
        let now_ms = self.wiring.clock.monotonic_ms();
        self.poll_replies(cx);
        let clock = &self.wiring.clock;
        self.session.handle_now(Now { log_time: clock.now(), monotonic_ns: clock.monotonic_ns() });
        self.session.handle_room(now_ms).map_err(End::Closing)?;
        // Whoever was just asked for the first time does not know this task's waker yet: another turn tells it.
        let asked = self.submit();
        let settled = self.poll_write(cx, now_ms)?;
        self.widen();
        self.session.handle_blocked(!self.outgoing.is_empty(), now_ms);
        if self.outgoing.is_empty() && self.session.is_over() {
            return Err(End::Over);
        }
        let read = self.outgoing.is_empty() && self.poll_read(cx, now_ms)?;
        let again = asked || read || (settled && self.session.is_held());
        Ok(again || self.poll_timer(cx, now_ms)?)
    }

    /// Everything that may leave.
    fn poll_replies(&mut self, cx: &mut Context<'_>) {
        for (shard, link) in (0..).map(ShardId).zip(&mut self.links) {
            let Some(link) = link else { continue };
            let mut before = link.replies.taken_requests();
            while let Poll::Ready(frames) = link.replies.poll_take(cx) {
                let taken = link.replies.taken_requests();
                let answered = std::array::from_fn(|lane| taken[lane] - before[lane]);
                self.outgoing.push(Answers::Shard(shard, answered), frames);
                before = taken;
            }
        }
        if self.session.has_wishes() {
            while let Poll::Ready((tag, outcome)) = self.mailbox.poll_take(cx) {
                self.session.handle_market(tag, outcome);
            }
        }
    }

    /// Hands every shard what is for it; whether there was anything.
    fn submit(&mut self) -> bool {
        let mut asked = false;
        while let Some((shard, lane, batch)) = self.session.poll_submission() {
            let inbox = &self.wiring.inboxes[usize::from(shard.0)];
            let link = self.links[usize::from(shard.0)].get_or_insert_with(|| {
                let (outbox, replies) = inbox.open_outbox();
                Link { outbox, replies }
            });
            asked = true;
            let requests = batch.len() as u64;
            match inbox.submit(Submission { lane, batch, outbox: Arc::clone(&link.outbox) }) {
                Ok(()) => {
                    self.wiring.counters.requests.fetch_add(requests, Ordering::Relaxed);
                }
                Err(TurnedAway { submission: Submission { batch, .. }, retry_after_ms }) => {
                    let overloaded = Refused::Overloaded { retry_after_ms };
                    let why = if inbox.is_closed() { Refused::ShuttingDown } else { overloaded };
                    self.session.handle_turned_away((shard, lane), &batch, why);
                }
            }
        }
        let sold_out = self.session.take_sold_out();
        if sold_out > 0 {
            self.wiring.counters.sold_out.fetch_add(sold_out, Ordering::Relaxed);
        }
        while let Some(wish) = self.session.poll_wish() {
            asked = true;
            self.wiring.creations.submit(wish, &self.mailbox);
        }
        asked
    }

    /// Lets quinn take in and send out what the connection has earned.
    fn widen(&mut self) {
        if let Some(windows) = self.session.poll_windows() {
            self.connection.set_receive_window(window(windows.receive_bytes));
            self.connection.set_send_window(windows.send_bytes as u64);
        }
    }

    fn write_local(&mut self) {
        let local = self.session.poll_local();
        if local.is_empty() {
            return;
        }
        let answer_bytes = local.iter().map(|(_, local)| local.answer_bytes()).sum();
        let status = || self.wiring.counters.complete(self.wiring.status.status());
        self.outgoing.push(Answers::Local(answer_bytes), encode_local(&local, self.wiring.clock.now(), status));
    }

    /// Writes what waits; whether any of it is settled now.
    fn poll_write(&mut self, cx: &mut Context<'_>, now_ms: u64) -> Result<bool, End> {
        self.write_local();
        let mut settled = false;
        while let Some(rest) = self.outgoing.rest() {
            match Pin::new(&mut self.send).poll_write(cx, rest) {
                Poll::Pending => {
                    let since_ms = *self.blocked_since_ms.get_or_insert(now_ms);
                    self.check_reader(now_ms - since_ms)?;
                    break;
                }
                Poll::Ready(Err(_)) => return Err(End::Lost),
                Poll::Ready(Ok(bytes)) => {
                    self.blocked_since_ms = None;
                    if let Some(gone) = self.outgoing.handle_written(bytes) {
                        self.settle(gone);
                        settled = true;
                    }
                }
            }
        }
        Ok(settled)
    }

    /// What the buffer answers is owed no longer; its memory goes back to the shard it came from.
    fn settle(&mut self, gone: Gone) {
        self.session.handle_written(gone.buffer.len());
        match gone.answers {
            Answers::Shard(shard, requests) => {
                self.session.handle_replies(shard, requests);
                if let Some(link) = &self.links[usize::from(shard.0)] {
                    link.replies.give_back(gone.buffer);
                }
            }
            Answers::Local(answer_bytes) => self.session.handle_local_written(answer_bytes),
        }
    }

    fn check_reader(&self, blocked_ms: u64) -> Result<(), End> {
        let wait = self.wiring.waits.reply;
        if Duration::from_millis(blocked_ms) < wait {
            return Ok(());
        }
        let reason = format!("replies were not read for {} ms", wait.as_millis());
        Err(End::Closing(Closing { code: CloseCode::ReplyTimeout, reason }))
    }

    /// Nothing can be read: looks now and then whether too much came that cannot.
    fn check_gaps(&self) -> Result<(), End> {
        if !self.gaps.handle_nothing() || !self.gaps.are_too_many(self.connection.stats().frame_rx.stream) {
            return Ok(());
        }
        let reason = "too many pieces of streams whose beginning is missing".to_owned();
        Err(End::Closing(Closing { code: CloseCode::TooManyGaps, reason }))
    }

    /// Reads all that is there, once; whether something was.
    fn poll_read(&mut self, cx: &mut Context<'_>, now_ms: u64) -> Result<bool, End> {
        let room = self.session.room();
        if room.is_empty() {
            return Ok(false);
        }
        let outcome = match self.receive.poll_read(cx, room) {
            Poll::Pending => return self.check_gaps().map(|()| false),
            Poll::Ready(Ok(0)) => self.session.handle_end(),
            Poll::Ready(Ok(bytes)) => {
                self.gaps.handle_read(bytes);
                self.session.handle_read(bytes, now_ms)
            }
            // Reset by the client, or the whole connection is gone.
            Poll::Ready(Err(_)) => return Err(End::Lost),
        };
        outcome.map_err(End::Closing)?;
        self.submit();
        Ok(true)
    }

    /// Sets the timer for what is due first, if nothing else happens; whether it was due already.
    fn poll_timer(&mut self, cx: &mut Context<'_>, now_ms: u64) -> Result<bool, End> {
        let reply_wait_ms = u64::try_from(self.wiring.waits.reply.as_millis()).unwrap_or(u64::MAX);
        let reader = self.blocked_since_ms.map(|since| since.saturating_add(reply_wait_ms));
        let Some(due_ms) = [self.session.poll_deadline(now_ms), reader].into_iter().flatten().min() else {
            return Ok(false);
        };
        // A timer that fires too early finds nothing due and is set again: cheaper than moving it with every read.
        if self.timer_ms.is_none_or(|at| at > due_ms) {
            self.timer_ms = Some(due_ms);
            self.timer.as_mut().reset(Instant::now() + Duration::from_millis(due_ms.saturating_sub(now_ms)));
        }
        if self.timer.as_mut().poll(cx).is_pending() {
            return Ok(false);
        }
        self.timer_ms = None;
        self.session.handle_timeout(self.wiring.clock.monotonic_ms()).map_err(End::Closing)?;
        Ok(true)
    }
}
