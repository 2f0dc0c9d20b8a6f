//! The adapter's thread: what the runner asks for is done, what comes of it is handed in. It decides nothing.

use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::task::{JoinSet, LocalSet};
use tokio::time::{Instant, sleep_until, timeout};

use super::ask::Do;
use super::counterparty::{Counterparty, Job, News, Verdict};
use super::desk::Desk;
use super::runner::Runner;
use super::stats::AdapterStats;
use crate::base::limits::ADAPTER_ANSWER_MS_MAX;
use crate::base::{MarketId, OrderId, ShardId};
use crate::shard::{Inbox, LogClock};

/// An adapter on its thread. Dropping it ends it: what is under way is left and will be wanted again.
pub struct Adapter {
    name: &'static str,
    stop: Arc<Notify>,
    stats: Arc<AdapterStats>,
    thread: Option<JoinHandle<()>>,
}

impl Adapter {
    /// Begins at the front of the wanted lists of these shards. `home` tells where a market lives; `make` is called on
    /// the adapter's thread.
    ///
    /// # Errors
    /// When the system has no thread to give, or `make` fails.
    pub fn start<C: Counterparty + 'static>(
        name: &'static str,
        inboxes: Vec<Inbox>,
        home: impl Fn(MarketId) -> Option<ShardId> + Send + 'static,
        clock: LogClock,
        make: impl FnOnce() -> io::Result<C> + Send + 'static,
    ) -> io::Result<Self> {
        let (stop, stats) = (Arc::<Notify>::default(), Arc::<AdapterStats>::default());
        let (told, outcome) = std::sync::mpsc::sync_channel(1);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let thread = {
            let (stop, stats) = (Arc::clone(&stop), Arc::clone(&stats));
            Builder::new().name(format!("adapter-{name}")).spawn(move || {
                let made = LocalSet::new().block_on(&runtime, async {
                    let made = make();
                    let counterparty = made?;
                    let _started = told.send(Ok(()));
                    Drive::new(counterparty, inboxes, Box::new(home), clock, stats).run(&stop).await;
                    Ok::<(), io::Error>(())
                });
                if let Err(why) = made {
                    let _started = told.send(Err(why));
                }
            })?
        };
        let adapter = Self { name, stop, stats, thread: Some(thread) };
        outcome.recv().unwrap_or_else(|_| Err(io::Error::other("it ended at once"))).map(|()| adapter)
    }

    /// For labels.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// What it is doing.
    #[must_use]
    pub fn stats(&self) -> Arc<AdapterStats> {
        Arc::clone(&self.stats)
    }
}

impl Drop for Adapter {
    fn drop(&mut self) {
        self.stop.notify_one();
        if let Some(thread) = self.thread.take() {
            // A thread that found a law broken has said so already.
            let _ended = thread.join();
        }
    }
}

struct Drive<C> {
    counterparty: Rc<C>,
    runner: Runner,
    desk: Desk,
    jobs: JoinSet<(OrderId, Verdict)>,
    news: mpsc::Receiver<News>,
    clock: LogClock,
    begun: Instant,
    stats: Arc<AdapterStats>,
    told_at: Option<Instant>,
    home: Home,
}

/// Where a market lives.
type Home = Box<dyn Fn(MarketId) -> Option<ShardId>>;

/// How often an adapter tells what it is doing.
const STATS_MS: u64 = 50;

impl<C: Counterparty + 'static> Drive<C> {
    fn new(counterparty: C, inboxes: Vec<Inbox>, home: Home, clock: LogClock, stats: Arc<AdapterStats>) -> Self {
        let (desk, seed) = (Desk::new(inboxes), clock.now().ms());
        Self {
            runner: Runner::new(counterparty.effect(), desk.shards(), seed),
            desk,
            jobs: JoinSet::new(),
            news: counterparty.news(),
            counterparty: Rc::new(counterparty),
            clock,
            begun: Instant::now(),
            stats,
            told_at: None,
            home,
        }
    }

    fn now_ms(&self) -> u64 {
        self.begun.elapsed().as_millis() as u64
    }

    async fn run(mut self, stop: &Notify) {
        loop {
            while let Some(next) = self.runner.poll_do(self.now_ms()) {
                self.carry_on(next);
            }
            self.tell_stats();
            let now_ms = self.now_ms();
            let deadline = self.runner.poll_deadline(now_ms).unwrap_or(u64::MAX).min(now_ms + 2 * STATS_MS);
            let wake_at = self.begun + Duration::from_millis(deadline.max(now_ms));
            tokio::select! {
                biased;
                () = stop.notified() => return,
                (correlation, told) = poll_fn(|cx| self.desk.poll_told(cx)) => {
                    let now_ms = self.now_ms();
                    self.runner.handle_told(correlation, told, now_ms);
                }
                Some(done) = self.jobs.join_next() => {
                    let (order, verdict) = done.expect("law: a counterparty gives a verdict");
                    let now_ms = self.now_ms();
                    self.runner.handle_verdict(order, verdict, now_ms);
                }
                Some(news) = self.news.recv(), if self.runner.has_room_for_news() => {
                    self.handle_news(news);
                }
                () = sleep_until(wake_at) => {}
            }
        }
    }

    /// News of a market that nobody has goes to some shard, which says so.
    fn handle_news(&mut self, news: News) {
        let shard = (self.home)(news.order().market()).unwrap_or_default();
        self.runner.handle_news(shard.0.into(), news);
    }

    fn carry_on(&mut self, next: Do) {
        match next {
            Do::Ask { shard, correlation, ask } => {
                ask.with_request(|request| self.desk.submit(shard, correlation, request));
            }
            Do::CarryOut(job) => self.carry_out(job),
            Do::Acknowledge(news) => self.counterparty.handle_acknowledged(&news),
            Do::Refuse(news, why) => {
                let (adapter, order) = (self.counterparty.name(), news.order());
                tracing::warn!(adapter, %order, ?news, %why, "nobody keeps what the counterparty told");
                self.counterparty.handle_refused(&news);
            }
        }
    }

    fn carry_out(&mut self, job: Job) {
        let (order, counterparty) = (job.want.order, Rc::clone(&self.counterparty));
        self.jobs.spawn_local(async move {
            let span = Duration::from_millis(ADAPTER_ANSWER_MS_MAX);
            (order, timeout(span, counterparty.carry_out(job)).await.unwrap_or(Verdict::Again))
        });
    }

    fn tell_stats(&mut self) {
        if self.told_at.is_some_and(|at| at.elapsed() < Duration::from_millis(STATS_MS)) {
            return;
        }
        self.told_at = Some(Instant::now());
        let (stats, counts) = (&*self.stats, &self.runner.counts);
        let lag_ms = self.runner.oldest().map_or(0, |since| self.clock.now().since_ms(since));
        for (counter, value) in [
            (&stats.held, self.runner.held() as u64),
            (&stats.running, self.runner.running() as u64),
            (&stats.tries, counts.tries),
            (&stats.failures, counts.failures),
            (&stats.set_aside, counts.set_aside),
            (&stats.news, counts.news),
            (&stats.news_refused, counts.news_refused),
            (&stats.is_open, u64::from(self.runner.is_breaker_open())),
            (&stats.lag_ms, lag_ms),
        ] {
            counter.store(value, Ordering::Relaxed);
        }
    }
}
