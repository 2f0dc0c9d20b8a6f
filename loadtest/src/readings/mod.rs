//! Readings: checkouts without readings and beside them, in turn.
//!
//! ```text
//! book of orders ─► alone ─ beside ─ beside ─ alone ─ alone ─ beside … ─► books
//!                              │ checkouts at a rate, open loop (`checkout`): place, then confirm
//!                              └ readings at a rate, on a thread and a connection of their own (`reader`)
//! ```
//!
//! # Always true
//! - Every answer is held against what is known: those of checkouts at once, those of readings by the book, whose
//!   orders change no more (`book`).
//! - A phase ends when its last checkout is over; the next one begins after that.
//! # Why so
//! Two runs would compare two states of the machine. Phases of one run follow each other, on the same server with the
//! same orders in it.

mod book;
mod checkout;
mod figures;
mod reader;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use hdrhistogram::Histogram;
use stockade::base::SkuId;
use stockade::client::Client;
use stockade::engine::order::{Counters, State};

use crate::arguments::Readings;
use crate::audit::{Known, audit};
use crate::books::Ledger;
use crate::chance::mix;
use crate::drive::{Fate, Goods};
use crate::exchange::Exchange;
use crate::failure::Failure;
use crate::flash::precise;
use crate::host::Room;
use crate::latency::{self, LatencyUs};
use crate::progress::rounded;
use crate::report::Report;
use crate::session::Session;

use book::{Book, KINDS, Seen};
use checkout::{Came, Checkouts};
pub(crate) use figures::ReadingsFigures;
use figures::{Beside, Phase, Verdict};
use reader::{Read, Reader};

const HOLD_MS: u32 = 24 * 3_600_000;
/// Checkouts before the first phase, not counted in any figure: caches, connections and the disk have settled then.
const WARM_UP_S: f64 = 2.0;

/// Checkouts of the whole run, and some to spare.
fn checkouts(readings: &Readings) -> u64 {
    let spans = readings.duration * 2.0 * f64::from(readings.pairs) + WARM_UP_S;
    rounded(f64::from(readings.rate) * spans * 1.3) + 10_000
}

/// What our own server must have room for.
pub(crate) fn room(readings: &Readings) -> Room {
    let orders = u64::from(readings.book) + checkouts(readings);
    Room {
        orders,
        lines: orders,
        reserved: orders,
        connections_max: None,
        orders_per_second_max: None,
        payments: None,
        simulated: None,
    }
}

/// Runs it.
pub(crate) async fn run(readings: &Readings, session: &mut Session) -> Result<Report, Failure> {
    let client = session.host.connect(usize::from(readings.connections)).await?;
    let mut exchange = Exchange::open(&client).await?;
    session.progress.begin("a book of orders");
    let mut counter = Counter::open(readings, session, &mut exchange, client).await?;
    session.progress.begin("warm-up");
    counter.warm_up(session).await?;
    for pair in 0..readings.pairs {
        let alone_first = pair.is_multiple_of(2);
        for with in [!alone_first, alone_first] {
            counter.phase(with, session).await?;
        }
    }
    counter.finish(session, &mut exchange).await
}

/// The market, and all that has come of it.
struct Counter<'r> {
    readings: &'r Readings,
    client: Client,
    goods: Goods,
    name: String,
    units: u64,
    book: Arc<Book>,
    seen: Arc<Seen>,
    ledger: Ledger,
    /// Number of the next order.
    next: u64,
    phases: Vec<Phase>,
    accepted: u64,
    confirmed: u64,
    refusals: BTreeMap<String, u64>,
    errors: u64,
    error_list: Vec<String>,
    elapsed: Duration,
    latencies: Histogram<u64>,
}

impl<'r> Counter<'r> {
    async fn open(
        readings: &'r Readings,
        session: &Session,
        exchange: &mut Exchange,
        client: Client,
    ) -> Result<Self, Failure> {
        let name = session.market_name("readings");
        let market = exchange.create_market(&name).await?;
        let codes: Vec<String> = (0..=readings.skus).map(|sku| format!("sku-{sku}")).collect();
        let skus = exchange.create_skus(market, codes.iter().map(String::as_str)).await?;
        // The last one is what checkouts ask.
        let of_book = u64::from(readings.book.div_ceil(readings.skus));
        let (of_checkouts, wanted) = (checkouts(readings), skus[readings.skus as usize]);
        let units = |sku: &SkuId| (*sku, if *sku == wanted { of_checkouts } else { of_book });
        exchange.receive_stock(market, skus.iter().map(units)).await?;
        let goods = Goods::one(market, skus[0], HOLD_MS, Fate::Reserved, mix(session.seed));
        let of = (readings.customers, readings.skus);
        let book = Book::place(exchange, goods, readings.book as usize, of).await?;
        let mut ledger = Ledger::default();
        for known in &book.orders {
            let none = Counters { reserved: 0, lapsed: 0, committed: 0, shipped: 0, cancelled: 0, returned: 0 };
            match known.is_confirmed {
                true => ledger.add(known.order, State::Confirmed, &[Counters { committed: 1, ..none }]),
                false => ledger.add(known.order, State::PendingPayment, &[Counters { reserved: 1, ..none }]),
            }
        }
        Ok(Self {
            readings,
            client,
            goods: Goods { sku: wanted, ..goods },
            name,
            units: of_checkouts + of_book * u64::from(readings.skus),
            book: Arc::new(book),
            seen: Arc::default(),
            ledger,
            next: u64::from(readings.book),
            phases: Vec::new(),
            accepted: 0,
            confirmed: 0,
            refusals: BTreeMap::new(),
            errors: 0,
            error_list: Vec::new(),
            elapsed: Duration::ZERO,
            latencies: latency::histogram(),
        })
    }

    /// Checkouts for so many seconds.
    async fn checkouts(&mut self, seconds: f64, session: &mut Session) -> Result<Came, Failure> {
        let plan = checkout::Plan {
            goods: self.goods,
            first: self.next,
            per_s: f64::from(self.readings.rate),
            span_ns: rounded(seconds * 1e9),
            connections: usize::from(self.readings.connections),
        };
        let checkouts = Checkouts::new(plan, Arc::clone(&self.seen));
        checkouts.run(&self.client, &mut session.progress).await?;
        let came = checkouts.finish(&mut self.ledger);
        self.next += came.begun;
        self.accepted += came.accepted;
        self.confirmed += came.confirmed;
        for (why, count) in &came.refusals {
            *self.refusals.entry(why.clone()).or_default() += count;
        }
        self.errors += came.errors.count();
        self.error_list.extend_from_slice(came.errors.kept());
        Ok(came)
    }

    async fn warm_up(&mut self, session: &mut Session) -> Result<(), Failure> {
        let plan = self.reading_plan();
        let reader = Reader::start(session.host.options(), Arc::clone(&self.book), Arc::clone(&self.seen), plan);
        let reader = reader.await?;
        let came = self.checkouts(WARM_UP_S.min(self.readings.duration), session).await?;
        let read = reader.stop()?;
        self.keep_errors(&read);
        (self.accepted, self.confirmed) = (self.accepted - came.accepted, self.confirmed - came.confirmed);
        Ok(())
    }

    fn reading_plan(&self) -> reader::Plan {
        let Readings { readings, rows, .. } = *self.readings;
        reader::Plan { per_s: readings, rows_max: rows, seed: mix(self.goods.seed ^ self.next) }
    }

    fn keep_errors(&mut self, read: &Read) {
        self.errors += read.errors.count();
        self.error_list.extend_from_slice(read.errors.kept());
    }

    async fn phase(&mut self, with: bool, session: &mut Session) -> Result<(), Failure> {
        session.progress.begin(if with { "beside" } else { "alone" });
        let reader = if with {
            let (book, seen) = (Arc::clone(&self.book), Arc::clone(&self.seen));
            Some(Reader::start(session.host.options(), book, seen, self.reading_plan()).await?)
        } else {
            None
        };
        let came = self.checkouts(self.readings.duration, session).await?;
        let read = reader.map(Reader::stop).transpose()?;
        if let Some(read) = &read {
            self.keep_errors(read);
        }
        self.elapsed += came.elapsed;
        self.latencies.add(&came.done).expect("law: all latencies are kept with the same bounds");
        self.phases.push(Phase {
            checkouts: came.confirmed,
            refused: came.begun - came.confirmed,
            placed_us: LatencyUs::from(&came.placed),
            checkout_us: LatencyUs::from(&came.done),
            generator_was_the_limit: came.lateness.is_limit(),
            readings: read.map(|read| beside(&read, came.elapsed)),
        });
        Ok(())
    }

    /// The books, and the report.
    async fn finish(self, session: &mut Session, exchange: &mut Exchange) -> Result<Report, Failure> {
        session.progress.begin("audit");
        let Self { mut ledger, units, goods, name, phases, .. } = self;
        ledger.receive(units);
        let known = [Known { market: goods.market, name, ledger }];
        let (audit, server) = audit(&mut session.host, exchange, &known).await?;
        session.set_short_run(self.readings.duration);
        let verdict = Verdict::of(&phases, self.readings.p99_ratio_max);
        let elapsed_s = self.elapsed.as_secs_f64();
        let refused = self.refusals.values().sum();
        let report = Report {
            scenario: "readings",
            orders: self.accepted + refused,
            reserved: self.accepted,
            sold_out: 0,
            other_refusals: refused,
            refusals: self.refusals,
            errors: self.errors,
            error_list: self.error_list,
            elapsed_s,
            orders_per_s: precise(self.accepted) / elapsed_s.max(1e-9),
            latency_us: LatencyUs::from(&self.latencies),
            audit,
            server,
            settings: session.settings.clone(),
            readings: Some(ReadingsFigures { phases, verdict }),
            ..Report::default()
        };
        session.latencies = Some(self.latencies);
        Ok(report)
    }
}

fn beside(read: &Read, elapsed: Duration) -> Beside {
    let latencies = KINDS.iter().zip(&read.latencies);
    Beside {
        answered: read.answered,
        per_s: precise(read.answered) / elapsed.as_secs_f64().max(1e-9),
        rows: read.rows,
        overloaded: read.overloaded,
        errors: read.errors.count(),
        latency_us: latencies.map(|(kind, latencies)| (*kind, LatencyUs::from(latencies))).collect(),
    }
}
