//! The webhook's thread: the log is read into the courier's feed, what it hands out is posted. It decides nothing.

use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use super::super::courier::{Courier, Delivery, Errand};
use super::super::desk::Desk;
use super::super::stats::SinkStats;
use super::post::{Post, PostFault};
use super::signature::{Secret, sign};
use super::{Source, event};
use crate::base::limits::{ADAPTER_ANSWER_MS_MAX, FEED_FRAMES_AT_ONCE, FEED_LOOK_MS, FEED_RETRY_MS, SINK_END_MS_MAX};
use crate::base::{Sequence, ShardId};
use crate::engine::Command;
use crate::feed::Batch;
use crate::shard::LogClock;
use crate::wal::{FileDisk, Followed, Follower, Handle};
use crate::wire::{FactScratch, Request};

pub(super) struct Drive {
    sink: Rc<str>,
    post: Rc<Post>,
    secrets: Rc<[Secret]>,
    disk: FileDisk,
    log: Handle,
    follower: Option<Follower<FileDisk>>,
    /// After something went wrong: when to read the log again.
    read_at_ms: u64,
    courier: Courier,
    desk: Desk,
    jobs: JoinSet<(ShardId, Delivery)>,
    scratch: FactScratch,
    begun: Instant,
    /// When everything durable had been read.
    read_all_ms: u64,
    clock: LogClock,
    stats: Arc<SinkStats>,
}

/// What reading came to.
#[derive(PartialEq, Eq)]
enum Reading {
    /// There is more, and room for it.
    More,
    /// All of it was read, or there is no room.
    Enough,
}

impl Drive {
    pub(super) fn new(
        sink: String,
        (post, secrets): (Post, Vec<Secret>),
        source: Source,
        stats: Arc<SinkStats>,
    ) -> Self {
        let Source { disk, log, inboxes, cursors, clock } = source;
        Self {
            sink: sink.into(),
            post: Rc::new(post),
            secrets: secrets.into(),
            disk,
            log,
            follower: None,
            read_at_ms: 0,
            courier: Courier::new(&cursors, clock.now().ms()),
            desk: Desk::new(inboxes),
            jobs: JoinSet::new(),
            scratch: FactScratch::default(),
            begun: Instant::now(),
            read_all_ms: 0,
            clock,
            stats,
        }
    }

    fn now_ms(&self) -> u64 {
        self.begun.elapsed().as_millis() as u64
    }

    pub(super) async fn run(mut self, stop: &Notify) {
        let mut ends_at = None;
        loop {
            let reading = if ends_at.is_none() { self.read_log() } else { Reading::Enough };
            while let Some(errand) = self.courier.poll_errand(self.now_ms()) {
                self.carry_out(errand);
            }
            self.tell_stats();
            if self.courier.has_ended() || ends_at.is_some_and(|at| Instant::now() >= at) {
                return;
            }
            let now_ms = self.now_ms();
            let look_ms = if reading == Reading::More { now_ms } else { now_ms + FEED_LOOK_MS };
            let deadline = self.courier.poll_deadline(now_ms).unwrap_or(u64::MAX).min(look_ms);
            let wake_at = self.begun + Duration::from_millis(deadline.max(now_ms));
            let wake_at = ends_at.map_or(wake_at, |at| wake_at.min(at));
            tokio::select! {
                biased;
                () = stop.notified(), if ends_at.is_none() => {
                    self.courier.handle_ending(self.now_ms());
                    ends_at = Some(Instant::now() + Duration::from_millis(SINK_END_MS_MAX));
                }
                (correlation, told) = poll_fn(|cx| self.desk.poll_told(cx)) => {
                    let now_ms = self.now_ms();
                    self.courier.handle_told(correlation, &told, now_ms);
                }
                Some(done) = self.jobs.join_next() => {
                    let (shard, delivery) = done.expect("law: a message is taken or not");
                    let now_ms = self.now_ms();
                    self.courier.handle_delivery(shard, delivery, now_ms);
                }
                () = sleep_until(wake_at) => {}
            }
        }
    }

    /// Reads what is durable and not read yet, as far as there is room.
    fn read_log(&mut self) -> Reading {
        if self.now_ms() < self.read_at_ms {
            return Reading::Enough;
        }
        match self.try_read() {
            Ok(reading) => reading,
            Err(why) => {
                let (sink, retry_ms) = (&*self.sink, FEED_RETRY_MS);
                tracing::error!(sink, %why, retry_ms, "a sink's feed cannot read the log; it is tried again");
                (self.follower, self.read_at_ms) = (None, self.now_ms() + FEED_RETRY_MS);
                Reading::Enough
            }
        }
    }

    fn try_read(&mut self) -> Result<Reading, Box<dyn std::error::Error>> {
        let log = &self.log;
        let durable = |stream: ShardId| -> Sequence { log.durable(stream) };
        let feed = self.courier.feed();
        let mut follower = match self.follower.take() {
            Some(follower) => follower,
            None => {
                let follower = Follower::open_on(&self.disk, &feed.read())?;
                feed.handle_begun(follower.tails());
                follower
            }
        };
        let mut reading = Reading::More;
        for _ in 0..FEED_FRAMES_AT_ONCE {
            if !feed.has_room() {
                reading = Reading::Enough;
                break;
            }
            let (segment, mut broken) = (follower.segment(), None);
            let followed = follower.step(&durable, &mut |entry| {
                if let Err(why) = feed.handle_entry(&entry) {
                    broken.get_or_insert(why);
                }
            })?;
            if let Some(why) = broken {
                return Err(why.into());
            }
            if follower.segment() != segment {
                feed.handle_segment();
            }
            match followed {
                Followed::Read => {}
                Followed::UpToDate => {
                    let tails = (0..).map(ShardId).zip(follower.tails());
                    if tails.into_iter().all(|(stream, tail)| tail.sequence >= durable(stream)) {
                        self.read_all_ms = self.begun.elapsed().as_millis() as u64;
                    }
                    reading = Reading::Enough;
                    break;
                }
                // Opened again the next time, behind the gap.
                Followed::Trimmed => return Ok(Reading::More),
            }
        }
        self.follower = Some(follower);
        Ok(reading)
    }

    fn carry_out(&mut self, errand: Errand) {
        match errand {
            Errand::Deliver(batch) => self.deliver(&batch),
            Errand::Move { shard, correlation, upto } => {
                let request = Request::Command(Command::MoveCursor { sink: &self.sink, upto });
                self.desk.submit(usize::from(shard.0), correlation, &request);
            }
        }
    }

    fn deliver(&mut self, batch: &Batch) {
        let (shard, events, id) = (batch.shard(), batch.len(), event::id(&self.sink, batch));
        let body = Bytes::from(event::body(&self.sink, batch, &mut self.scratch));
        let (sink, post, secrets) = (Rc::clone(&self.sink), Rc::clone(&self.post), Rc::clone(&self.secrets));
        self.jobs.spawn_local(async move {
            let sent = timeout(Duration::from_millis(ADAPTER_ANSWER_MS_MAX), send(&post, &secrets, &id, body)).await;
            match sent.unwrap_or(Err(PostFault::Late)) {
                Ok(()) => (shard, Delivery::Taken),
                Err(why) => {
                    tracing::warn!(sink = &*sink, id, events, %why, "a webhook did not take a message");
                    (shard, Delivery::Again)
                }
            }
        });
    }

    fn tell_stats(&self) {
        let (stats, counts, now_ms) = (&*self.stats, &self.courier.counts, self.now_ms());
        let oldest = self.courier.oldest().map_or(0, |since| self.clock.now().since_ms(since));
        // What was not read yet is as old as the last look at which everything had been.
        let unread = now_ms - self.read_all_ms;
        let unread = if unread > 2 * FEED_LOOK_MS { unread } else { 0 };
        for (counter, value) in [
            (&stats.held, self.courier.held() as u64),
            (&stats.facts, counts.facts),
            (&stats.gaps, counts.gaps),
            (&stats.deliveries, counts.deliveries),
            (&stats.failures, counts.failures),
            (&stats.moves, counts.moves),
            (&stats.is_open, u64::from(self.courier.is_breaker_open())),
            (&stats.lag_ms, oldest.max(unread)),
        ] {
            counter.store(value, Ordering::Relaxed);
        }
    }
}

/// Signs a message anew and sends it: its time is that of the try.
async fn send(post: &Post, secrets: &[Secret], id: &str, body: Bytes) -> Result<(), PostFault> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let headers = [
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", now.to_string()),
        ("webhook-signature", sign(secrets, id, now, &body)),
    ];
    post.send(&headers, body).await
}
