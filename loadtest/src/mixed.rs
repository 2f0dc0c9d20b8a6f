//! Mixed: a sale in a real one's proportions, handed off to adapters while it goes on.
//!
//! ```text
//! of 100 orders   70 ─► market "sale": adapters check, charge, hand over, capture; some are
//!                      rejected, some declined                                                     (`drive`)
//!                  5 ─► market "sale" too, and cancelled a moment later, wherever they are by then (`Others`)
//!                  2 ─► market "sale" too, and held at once; let go a moment later                 (`Others`)
//!                  8 ─► market "tills": the storefront takes the money and tells what comes of it  (`tills`)
//!                 15 ─► market "carts": nobody pays, the reservation ends                          (`drive`)
//! ```
//!
//! # Always true
//! - What becomes of every order is known beforehand, but for those that were cancelled: they are looked at one by one.
//! - So is all money: what was taken and did not go back is what was handed over costs.
//! - The run ends when nothing is wanted any more, and fails when something was set aside.

mod tills;

use std::cell::RefCell;
use std::time::{Duration, Instant};

use stockade::base::{MarketId, OrderId};
use stockade::client::Client;
use stockade::engine::order::{Counters, State};
use stockade::engine::query::{LineView, Query};
use stockade::engine::{Answer, Command, Effect, Effects, HoldReason, Refusal};
use stockade::wire::{Refused, Reply};

use crate::arguments::{Mixed, Simulated};
use crate::audit::{Known, audit};
use crate::books::{Ledger, Money};
use crate::chance::mix;
use crate::drive::{Drive, Driven, Fate, Goods, Pace, Plan, Tally};
use crate::errors::Errors;
use crate::exchange::{Ask, Exchange, describe};
use crate::failure::Failure;
use crate::flash::{precise, wait_for_expiry};
use crate::host::Room;
use crate::latency::LatencyUs;
use crate::progress::{Progress, rounded};
use crate::report::{Audit, MixedFigures, Report, ServerFigures};
use crate::session::Session;

use tills::Tills;

/// Shares of the orders.
const CARTS: f64 = 0.15;
const REGRETS: f64 = 0.05;
const REVIEWS: f64 = 0.02;
const TILLS: f64 = 0.08;
const CARTS_HOLD_MS: u32 = 1_000;
const HOLD_MS: u32 = 24 * 3_600_000;
/// How often in a second some customers place orders together that are then cancelled, or held.
const OTHERS_PER_S: f64 = 10.0;
/// How long they wait before that is done, or undone, at most.
const PATIENCE_MS: u64 = 100;
/// Orders looked at together: a server counts the largest answer for each, and has room for some of those.
const LOOKS_TOGETHER: usize = 8;
/// Without an effect less for so long, a run gives up.
const STUCK_AFTER: Duration = Duration::from_secs(60);

/// What our own server must have room for.
pub(crate) fn room(mixed: &Mixed) -> Room {
    let orders = rounded(f64::from(mixed.rate) * mixed.duration * 1.3) + 10_000;
    Room {
        orders,
        lines: orders,
        reserved: orders,
        connections_max: None,
        orders_per_second_max: None,
        // The adapters make one of each order; of some orders a storefront tells of two.
        payments: Some(2 * orders),
        simulated: Some(mixed.simulated),
    }
}

/// Runs it.
pub(crate) async fn run(mixed: &Mixed, session: &mut Session) -> Result<Report, Failure> {
    let connections = usize::from(mixed.connections);
    let client = session.host.connect(connections).await?;
    let mut exchange = Exchange::open(&client).await?;
    let Simulated { declined, rejected, simulated_seed: seed, .. } = mixed.simulated;
    let units = room(mixed).orders;
    let fate = Fate::HandedOff { seed, declined, rejected };
    let sale = Stand::open(session, &mut exchange, "sale", fate, units).await?;
    let carts = Stand::open(session, &mut exchange, "carts", Fate::Expires, units).await?;
    let tills = Stand::open(session, &mut exchange, "tills", Fate::Reserved, units).await?;
    leave_to_adapters(&mut exchange, sale.goods.market).await?;

    session.progress.begin("sale");
    let begin = Instant::now();
    let drive = |goods: Goods, share: f64| {
        let pace = Pace::Open { orders_per_s: f64::from(mixed.rate) * share, burst_from_ns: None };
        let span_ns = rounded(mixed.duration * 1e9);
        let plan =
            Plan { goods, first: 0, orders_max: u64::MAX, span_ns, batch: mixed.batch, pace, seed: mix(goods.seed) };
        Drive::new(plan, connections, Tally::new(goods, 0))
    };
    let (selling, abandoning) =
        (drive(sale.goods, 1.0 - CARTS - REGRETS - REVIEWS - TILLS)?, drive(carts.goods, CARTS)?);
    let mut regrets = Others::new(mixed, sale.goods, REGRETS, Then::Cancel);
    let mut reviews = Others::new(mixed, sale.goods, REVIEWS, Then::Review);
    let mut paid = Tills::new(tills.goods, f64::from(mixed.rate) * TILLS, mixed.duration);
    let mut quiet = Progress::hidden();
    let (sold, abandoned, regretted, reviewed, served) = tokio::join!(
        selling.run(&client, &mut session.progress),
        abandoning.run(&client, &mut quiet),
        regrets.run(&client, begin),
        reviews.run(&client, begin),
        paid.run(&client, begin)
    );
    sold.and(abandoned).and(regretted).and(reviewed).and(served)?;
    let (sold, abandoned) = (selling.finish(), abandoning.finish());

    session.progress.begin("waiting until nothing is wanted any more");
    let mut figures = drain(&mut exchange, sale.goods.market).await?;
    let took_s = begin.elapsed().as_secs_f64();
    wait_for_expiry(&mut exchange, carts.goods).await?;

    session.progress.begin("audit");
    let mut errors = regrets.errors.take();
    let fates = regrets.look(&mut exchange, &mut errors).await?;
    let mut of_reviews = reviews.errors.take();
    let reviewed = reviews.look(&mut exchange, &mut of_reviews).await?;
    for (order, state, _) in reviewed.iter().filter(|(order, state, _)| reviews.goods.fate(*order).0 != *state) {
        of_reviews.add(|| format!("order {order} was held and let go, and is {}", state.name()));
    }
    let mut in_sale = sold.sums.ledger.clone();
    for (order, state, line) in fates.iter().chain(&reviewed) {
        in_sale.add(*order, *state, &[*line]);
    }
    // Not those that would have been declined or rejected anyway.
    let in_time = |(order, state, _): &&(OrderId, State, Counters)| {
        *state == State::Cancelled && regrets.goods.fate(*order).0 != State::Cancelled
    };
    let regretted_in_time = fates.iter().filter(in_time).count() as u64;
    let price = sale.goods.cart()[0].price;
    in_sale.money = Money::Kept(u128::from(in_sale.orders(State::Completed)) * u128::from(price));
    [figures.reported, figures.paid_otherwise, figures.partly_refunded] = paid.counts();
    figures.completed = in_sale.orders(State::Completed) + figures.reported;
    figures.cancelled = in_sale.orders(State::Cancelled);
    figures.expired = abandoned.sums.reserved;
    (figures.regretted, figures.regretted_in_time) = (fates.len() as u64, regretted_in_time);
    figures.reviewed = reviewed.len() as u64;
    figures.handed_over_per_s = precise(figures.completed) / took_s;
    let Tills { ledger, errors: at_tills, .. } = paid;
    let markets = [sale.known(in_sale), carts.known(abandoned.sums.ledger.clone()), tills.known(ledger)];
    let (audit, server) = audit(&mut session.host, &mut exchange, &markets).await?;
    session.set_short_run(mixed.duration);
    Ok(report(session, [sold, abandoned], ([errors, of_reviews, at_tills], figures), (audit, server)))
}

fn report(
    session: &mut Session,
    [sold, abandoned]: [Driven; 2],
    (errors, figures): ([Errors; 3], MixedFigures),
    (audit, server): (Audit, ServerFigures),
) -> Report {
    let both = |pick: fn(&Driven) -> u64| pick(&sold) + pick(&abandoned);
    let others = figures.regretted + figures.reviewed + figures.reported;
    let orders = both(|driven| driven.sums.answered) + others;
    let elapsed_s = sold.elapsed.max(abandoned.elapsed).as_secs_f64();
    let mut latencies = sold.sums.latencies;
    latencies.add(&abandoned.sums.latencies).expect("law: all latencies are kept with the same bounds");
    let mut refusals = sold.sums.refusals;
    for (why, count) in abandoned.sums.refusals {
        *refusals.entry(why).or_default() += count;
    }
    let all: Vec<_> = [&sold.sums.errors, &abandoned.sums.errors].into_iter().chain(&errors).collect();
    let report = Report {
        scenario: "mixed",
        orders,
        reserved: sold.sums.reserved + abandoned.sums.reserved + others,
        sold_out: sold.sums.sold_out + abandoned.sums.sold_out,
        other_refusals: sold.sums.other_refusals + abandoned.sums.other_refusals,
        refusals,
        errors: all.iter().map(|errors| errors.count()).sum(),
        error_list: all.iter().flat_map(|errors| errors.kept()).cloned().collect(),
        elapsed_s,
        orders_per_s: precise(orders) / elapsed_s.max(1e-9),
        latency_us: LatencyUs::from(&latencies),
        audit,
        server,
        settings: session.settings.clone(),
        mixed: Some(figures),
        ..Report::default()
    };
    session.latencies = Some(latencies);
    report
}

/// A market with one SKU.
struct Stand {
    name: String,
    goods: Goods,
    units: u64,
}

impl Stand {
    async fn open(
        session: &Session,
        exchange: &mut Exchange,
        part: &str,
        fate: Fate,
        units: u64,
    ) -> Result<Self, Failure> {
        let name = session.market_name(part);
        let market = exchange.create_market(&name).await?;
        let skus = exchange.create_skus(market, ["wanted"].into_iter()).await?;
        exchange.receive_stock(market, skus.iter().map(|sku| (*sku, units))).await?;
        let hold_ms = if fate == Fate::Expires { CARTS_HOLD_MS } else { HOLD_MS };
        let goods = Goods::one(market, skus[0], hold_ms, fate, mix(session.seed));
        Ok(Self { name, goods, units })
    }

    fn known(self, mut ledger: Ledger) -> Known {
        ledger.receive(self.units);
        Known { market: self.goods.market, name: self.name, ledger }
    }
}

async fn leave_to_adapters(exchange: &mut Exchange, market: MarketId) -> Result<(), Failure> {
    let effects = Effects { payment: true, release: true, check: true };
    let set = |reply: &Reply<'_>| matches!(reply, Reply::Answer(..)).then_some(());
    exchange.ask_one("leaving effects to adapters", Ask::Command(Command::SetEffects { market, effects }), set).await
}

/// Waits until nothing of the market is wanted and no order of it is open.
async fn drain(exchange: &mut Exchange, market: MarketId) -> Result<MixedFigures, Failure> {
    let begin = Instant::now();
    let (mut figures, mut since, mut before) = (MixedFigures::default(), Instant::now(), u64::MAX);
    for look in 0_u64.. {
        let mut oldest = None;
        for effect in Effect::ALL {
            for aside in [false, true] {
                let query = Query::Wanted { market: Some(market), effect, aside, after: 0, rows_max: 1 };
                let first = |reply: &Reply<'_>| match reply {
                    Reply::Wanted(page) => Some(page.rows.first().map(|row| row.since)),
                    _ => None,
                };
                let found = exchange.ask_one("asking what is wanted", Ask::Query(query), first).await?;
                if aside && found.is_some() {
                    let (attempt, answer) = ("a hand-off".to_owned(), format!("{} set aside", effect.name()));
                    return Err(Failure::Unexpected { attempt, answer });
                }
                oldest = oldest.into_iter().chain(found).min();
            }
        }
        let status = exchange.status().await?;
        if look == 0 {
            figures.lag_s = oldest.map_or(0.0, |since| status.log_time.since_ms(since) as f64 / 1e3);
        }
        let books = exchange.books(market).await?;
        let open = State::ALL.into_iter().filter(|state| state.is_open());
        let open: u64 = open.map(|state| books.orders[state as usize]).sum();
        if oldest.is_none() && open == 0 {
            figures.drained_after_s = begin.elapsed().as_secs_f64();
            return Ok(figures);
        }
        if open != before {
            (before, since) = (open, Instant::now());
        } else if since.elapsed() > STUCK_AFTER {
            return Err(Failure::Stuck { waited: STUCK_AFTER, open });
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    unreachable!("law: looks have no end")
}

/// What is done with orders a moment after they were placed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    /// Their customers change their minds.
    Cancel,
    /// Somebody holds them at once, looks, and lets them go.
    Review,
}

/// Orders with which something is done beside the sale.
struct Others {
    goods: Goods,
    then: Then,
    count: usize,
    /// Orders that are placed together.
    together: u64,
    span: Duration,
    orders: Vec<OrderId>,
    errors: RefCell<Errors>,
}

impl Others {
    fn new(mixed: &Mixed, goods: Goods, share: f64, then: Then) -> Self {
        let count = rounded(f64::from(mixed.rate) * mixed.duration * share) as usize;
        // Its identifiers are not those of the drive.
        let goods = Goods { seed: mix(goods.seed ^ (1 + then as u64)), ..goods };
        let span = Duration::from_secs_f64(mixed.duration);
        let together = rounded(f64::from(mixed.rate) * share / OTHERS_PER_S).max(1);
        Self { goods, then, count, together, span, orders: Vec::new(), errors: RefCell::default() }
    }

    /// Spreads them over the sale.
    async fn run(&mut self, client: &Client, begin: Instant) -> Result<(), Failure> {
        let mut exchange = Exchange::open(client).await?;
        let lines = self.goods.cart();
        while self.orders.len() < self.count {
            let share = precise(self.orders.len() as u64) / precise(self.count as u64);
            tokio::time::sleep(self.span.mul_f64(share).saturating_sub(begin.elapsed())).await;
            let first = self.orders.len() as u64;
            let these = first..(first + self.together).min(self.count as u64);
            let made_at = client.log_time();
            let places: Vec<_> =
                these.clone().map(|n| Ask::Command(Command::Place(self.goods.place(n, made_at, &lines)))).collect();
            let orders: Vec<OrderId> = these.map(|n| self.goods.order_id(n, made_at)).collect();
            self.ask(&mut exchange, &places, "placing").await?;
            let patience = Duration::from_millis(mix(self.goods.seed ^ first) % PATIENCE_MS);
            match self.then {
                Then::Cancel => self.cancel(&mut exchange, &orders, patience).await?,
                Then::Review => self.review(&mut exchange, &orders, patience).await?,
            }
            self.orders.extend(orders);
        }
        Ok(())
    }

    /// Some before they are charged, some while they are, some after they are handed over.
    async fn cancel(&self, exchange: &mut Exchange, orders: &[OrderId], patience: Duration) -> Result<(), Failure> {
        tokio::time::sleep(patience).await;
        let cancel = |order: &OrderId| Ask::Command(Command::Cancel { order: *order, block: false });
        self.ask(exchange, &orders.iter().map(cancel).collect::<Vec<_>>(), "").await
    }

    /// What was held before its warehouse can have heard of it has not left when it is let go. What had left, or was
    /// declined or rejected, by the time of its hold is refused one.
    async fn review(&self, exchange: &mut Exchange, orders: &[OrderId], patience: Duration) -> Result<(), Failure> {
        let (owner, reason) = ("load test", HoldReason::Fraud);
        let hold = |order: &OrderId| Ask::Command(Command::HoldOrder { order: *order, owner, reason, note: "" });
        let mut in_time = Vec::new();
        let held = |at: usize, reply: &Reply<'_>, _| match reply {
            Reply::Answer(Answer::Done { state: State::PendingPayment, .. }, _) => in_time.push(orders[at]),
            Reply::Answer(..) | Reply::Refused(Refused::Engine(Refusal::IllegalState { .. })) => {}
            other => self.errors.borrow_mut().add(|| format!("holding an order: {}", describe(other))),
        };
        exchange.ask(&orders.iter().map(hold).collect::<Vec<_>>(), held).await?;
        tokio::time::sleep(patience).await;
        for orders in in_time.chunks(LOOKS_TOGETHER) {
            let asks: Vec<_> = orders.iter().map(|order| Ask::Query(Query::Order { order: *order })).collect();
            let look = |_, reply: &Reply<'_>, _| {
                let is_kept = |state| matches!(state, State::PendingPayment | State::InReview | State::Cancelled);
                if !matches!(reply, Reply::Order(view) if is_kept(view.state)) {
                    self.errors.borrow_mut().add(|| format!("an order that is held: {}", describe(reply)));
                }
            };
            exchange.ask(&asks, look).await?;
        }
        let lift = |order: &OrderId| Ask::Command(Command::LiftHold { order: *order, owner, reason });
        self.ask(exchange, &orders.iter().map(lift).collect::<Vec<_>>(), "lifting a hold").await
    }

    /// Asks; whatever is not answered by an acceptance is an error, if `attempt` says what it was.
    async fn ask(&self, exchange: &mut Exchange, asks: &[Ask<'_>], attempt: &str) -> Result<(), Failure> {
        let check = |_, reply: &Reply<'_>, _| {
            if !attempt.is_empty() && !matches!(reply, Reply::Answer(..)) {
                self.errors.borrow_mut().add(|| format!("{attempt}: {}", describe(reply)));
            }
        };
        exchange.ask(asks, check).await
    }

    /// What became of them: handed over, or cancelled in time.
    async fn look(
        &self,
        exchange: &mut Exchange,
        errors: &mut Errors,
    ) -> Result<Vec<(OrderId, State, Counters)>, Failure> {
        let mut fates = Vec::new();
        let mut look = |_: usize, reply: &Reply<'_>, _: u64| match reply {
            Reply::Order(view)
                if matches!(view.state, State::Completed | State::Cancelled) && view.lines.len() == 1 =>
            {
                let LineView { reserved, lapsed, committed, shipped, cancelled, returned, .. } = view.lines[0];
                let counters = Counters { reserved, lapsed, committed, shipped, cancelled, returned };
                fates.push((view.order, view.state, counters));
            }
            other => errors.add(|| format!("an order that was cancelled, or held and let go: {}", describe(other))),
        };
        for orders in self.orders.chunks(LOOKS_TOGETHER) {
            let asks: Vec<_> = orders.iter().map(|order| Ask::Query(Query::Order { order: *order })).collect();
            exchange.ask(&asks, &mut look).await?;
        }
        Ok(fates)
    }
}
