//! Readers: questions at even moments, on a thread and a connection of their own, so that reading pages delays no
//! checkout of the generator.
//!
//! # Always true
//! - Questions leave when they are due, whether or not answers come; latency is counted from that moment.
//! - Every answer is held against the book.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hdrhistogram::Histogram;
use stockade::client::{Client, ClientOptions, FrameReceiver, FrameSender, frames};
use stockade::wire::{FrameWriter, Refused, Reply, decode_replies};

use super::book::{Asked, Book, KINDS, Seen};
use crate::chance::Chance;
use crate::errors::Errors;
use crate::failure::Failure;
use crate::latency;

/// The grain of the timer: questions due within one go out together.
const TICK: Duration = Duration::from_millis(1);
/// Without an answer for so long, a run gives up.
const STUCK_AFTER: Duration = Duration::from_secs(30);

/// What to ask.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) per_s: u32,
    pub(super) rows_max: u16,
    pub(super) seed: u64,
}

/// A thread that asks until it is stopped.
pub(super) struct Reader {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<Read, Failure>>,
}

/// What came of it.
pub(super) struct Read {
    pub(super) answered: u64,
    /// Rows of all answers.
    pub(super) rows: u64,
    /// By kind.
    pub(super) latencies: [Histogram<u64>; KINDS.len()],
    /// Questions that the server had no room for.
    pub(super) overloaded: u64,
    pub(super) errors: Errors,
}

impl Reader {
    /// Connects, and begins.
    pub(super) async fn start(
        options: ClientOptions,
        book: Arc<Book>,
        seen: Arc<Seen>,
        plan: Plan,
    ) -> Result<Self, Failure> {
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, (ready, began)) = (Arc::clone(&stop), tokio::sync::oneshot::channel());
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(Failure::io("starting a runtime in", "this process"))?;
            runtime.block_on(async {
                let client = Client::connect(ClientOptions { connections: 1, ..options }).await?;
                let (sender, receiver) = client.open_stream(0).await?.split();
                // Nobody waits any more when the run has failed elsewhere.
                let _unheard = ready.send(());
                let reading = Reading::new(plan, &book, &seen);
                tokio::try_join!(reading.send(sender, &stopped), reading.receive(receiver))?;
                Ok(reading.came.into_inner())
            })
        });
        let reader = Self { stop, thread };
        // Without a word it has failed, and says why.
        if began.await.is_err() {
            reader.stop()?;
        } else {
            return Ok(reader);
        }
        Err(Failure::Unexpected { attempt: "beginning to read".into(), answer: "the reader ended".into() })
    }

    /// Asks no more, and waits for the last answer.
    pub(super) fn stop(self) -> Result<Read, Failure> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

struct Reading<'b> {
    plan: Plan,
    book: &'b Book,
    seen: &'b Seen,
    begin: Instant,
    /// By number.
    open: RefCell<BTreeMap<u64, Asked>>,
    all_sent: Cell<bool>,
    came: RefCell<Read>,
}

impl<'b> Reading<'b> {
    fn new(plan: Plan, book: &'b Book, seen: &'b Seen) -> Self {
        let latencies = KINDS.map(|_| latency::histogram());
        let came = Read { answered: 0, rows: 0, latencies, overloaded: 0, errors: Errors::default() };
        let (open, all_sent) = (RefCell::default(), Cell::new(false));
        Self { plan, book, seen, begin: Instant::now(), open, all_sent, came: RefCell::new(came) }
    }

    fn now_ns(&self) -> u64 {
        u64::try_from(self.begin.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// When a question should leave.
    fn due_ns(&self, number: u64) -> u64 {
        number * 1_000_000_000 / u64::from(self.plan.per_s)
    }

    async fn send(&self, mut sender: FrameSender, stop: &AtomicBool) -> Result<(), Failure> {
        let mut ticks = tokio::time::interval(TICK);
        let (mut writer, mut chance) = (FrameWriter::default(), Chance::new(self.plan.seed));
        let mut next = 0;
        while !stop.load(Ordering::Relaxed) {
            ticks.tick().await;
            let mut out = Vec::new();
            while self.due_ns(next) <= self.now_ns() {
                let asked = self.book.ask(next as usize % KINDS.len(), &mut chance, self.seen);
                writer.begin(next, 0);
                writer.push_query(&self.book.query(asked, self.plan.rows_max))?;
                out.push(Bytes::copy_from_slice(writer.finish()));
                self.open.borrow_mut().insert(next, asked);
                next += 1;
            }
            if !out.is_empty() {
                sender.send_all(&mut out).await?;
            }
        }
        self.all_sent.set(true);
        sender.finish();
        Ok(())
    }

    async fn receive(&self, mut receiver: FrameReceiver) -> Result<(), Failure> {
        loop {
            let open = self.open.borrow().len() as u64;
            let received = tokio::time::timeout(STUCK_AFTER, receiver.recv());
            let Some(whole) = received.await.map_err(|_| Failure::Stuck { waited: STUCK_AFTER, open })?? else {
                let open = self.open.borrow().len() as u64;
                return if open == 0 && self.all_sent.get() { Ok(()) } else { Err(Failure::Unanswered { open }) };
            };
            let now_ns = self.now_ns();
            for frame in frames(whole) {
                decode_replies(frame, |number, _, reply| self.take(number, now_ns, &reply))?;
            }
        }
    }

    fn take(&self, number: u64, now_ns: u64, reply: &Reply<'_>) {
        let came = &mut *self.came.borrow_mut();
        let Some(asked) = self.open.borrow_mut().remove(&number) else {
            return came.errors.add(|| format!("a reading that nobody waits for: {reply:?}"));
        };
        came.answered += 1;
        if let Reply::Refused(Refused::Overloaded { .. }) = reply {
            came.overloaded += 1;
            return;
        }
        let kind = number as usize % KINDS.len();
        latency::record(&mut came.latencies[kind], now_ns.saturating_sub(self.due_ns(number)), 1);
        match self.book.check(asked, reply, self.plan.rows_max, self.seen) {
            Ok(rows) => came.rows += rows,
            Err(wrong) => came.errors.add(|| format!("{}: {wrong}", KINDS[kind])),
        }
    }
}
