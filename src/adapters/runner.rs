//! The adapter's machine: pages of the wanted list in, jobs and commands out. No clock, no thread, no network.
//!
//! ```text
//! handle_page ─► due ─► look ─► running ─► verdict ─► said, one after the other ─► told: gone, or the newer attempt
//!                 ▲                │ again               │ no room
//!                 └──── backoff ───┴─────────────────────┘
//! ```
//!
//! # Always true
//! - Of one order at most one job runs; a newer attempt waits for it and replaces whatever else waits.
//! - It holds a bounded number of effects, asks for a bounded number at a time, and reads no further on the list while
//!   it is full.
//! - An effect leaves it when a shard has durably answered what it said of it, and not before.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::ask::{Ask, Do, Say};
use super::backoff::{Chance, retry_ms};
use super::breaker::Breaker;
use super::counterparty::{Job, News, Payment, Verdict};
use super::desk::Told;
use crate::base::limits::{
    ADAPTER_HELD_MAX, ADAPTER_LOOK_MS, ADAPTER_LOOK_MS_MAX, ADAPTER_NEWS_MAX, ADAPTER_PAGE_ROWS, ADAPTER_RUNNING_MAX,
    ADAPTER_TRIES_MAX,
};
use crate::base::{CustomerKey, OrderId, Timestamp};
use crate::engine::command::IdentityHashes;
use crate::engine::query::{CheckState, OrderView, VelocityView, WantPage, WantRow};
use crate::engine::{AsideReason, Effect, Report};
use crate::wire::Refused;

/// An effect that is held.
#[derive(Debug)]
struct Work {
    shard: usize,
    row: WantRow,
    /// What is wanted since.
    newer: Option<WantRow>,
    failed: u32,
    /// What a shard is still to be told of attempts to pay.
    payments: VecDeque<Payment>,
    /// A shard refused some of that for ever.
    is_refused: bool,
    /// The order, looked up, while somebody looks what else was placed by whoever placed it.
    order: Option<Box<OrderView>>,
    step: Step,
}

impl Work {
    const fn new(shard: usize, row: WantRow, now_ms: u64) -> Self {
        let payments = VecDeque::new();
        Self { shard, row, newer: None, failed: 0, payments, is_refused: false, order: None, step: Step::Due(now_ms) }
    }

    /// What to say next of what came of it.
    fn next_to_say(&mut self) -> Say {
        let report = if self.is_refused { Report::SetAside(AsideReason::Refused) } else { Report::Done };
        self.payments.pop_front().map_or(Say::Report(report), Say::Payment)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// To be begun at this moment.
    Due(u64),
    /// Its order is being looked up.
    Looking,
    /// With the counterparty.
    Running,
    /// To be said at this moment.
    ToSay(Say, u64),
    /// Said; nobody knows yet whether it is durable.
    Said(Say),
}

/// How far a shard's list has been read.
#[derive(Debug, Clone, Copy, Default)]
struct Reading {
    after: u64,
    /// When to look again; `None` while a page is on its way.
    look_at_ms: Option<u64>,
    /// How long to wait at the end of the list.
    span_ms: u64,
}

/// What a correlation stands for.
#[derive(Debug)]
enum Asked {
    Page(usize),
    Order(OrderId),
    News(usize, News),
}

/// The machine of one adapter.
pub struct Runner {
    effect: Effect,
    readings: Vec<Reading>,
    work: BTreeMap<OrderId, Work>,
    /// Orders to be begun, and those of which something is to be said, by the moment.
    due: BTreeSet<(u64, OrderId)>,
    to_say: BTreeSet<(u64, OrderId)>,
    running: usize,
    breaker: Breaker,
    chance: Chance,
    asked: BTreeMap<u64, Asked>,
    next: u64,
    out: VecDeque<Do>,
    /// News on its way to a shard, and news to be tried again then.
    news: usize,
    news_later: VecDeque<(u64, usize, News)>,
    pub(super) counts: Counts,
}

/// What it has done, ever.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Counts {
    pub(super) tries: u64,
    pub(super) failures: u64,
    pub(super) set_aside: u64,
    pub(super) news: u64,
    pub(super) news_refused: u64,
}

impl Runner {
    /// At the front of the lists of so many shards. The seed is that of its jitter.
    #[must_use]
    pub fn new(effect: Effect, shards: usize, seed: u64) -> Self {
        let reading = Reading { look_at_ms: Some(0), span_ms: ADAPTER_LOOK_MS, ..Reading::default() };
        Self {
            effect,
            readings: vec![reading; shards],
            work: BTreeMap::new(),
            due: BTreeSet::new(),
            to_say: BTreeSet::new(),
            running: 0,
            breaker: Breaker::default(),
            chance: Chance::new(seed),
            asked: BTreeMap::new(),
            next: 0,
            out: VecDeque::new(),
            news: 0,
            news_later: VecDeque::new(),
            counts: Counts::default(),
        }
    }

    /// Wanted effects it has taken from the lists.
    #[must_use]
    pub fn held(&self) -> usize {
        self.work.len()
    }

    /// Of them, those that are being carried out.
    #[must_use]
    pub const fn running(&self) -> usize {
        self.running
    }

    /// Whether the counterparty is left alone for a while.
    #[must_use]
    pub const fn is_breaker_open(&self) -> bool {
        self.breaker.is_open()
    }

    /// Since when the oldest effect it holds is wanted.
    pub(super) fn oldest(&self) -> Option<Timestamp> {
        self.work.values().map(|work| work.row.since).min()
    }

    /// Whether more news may be handed in.
    #[must_use]
    pub const fn has_room_for_news(&self) -> bool {
        self.news < ADAPTER_NEWS_MAX
    }

    /// A counterparty told something by itself. Only while there is room.
    pub fn handle_news(&mut self, shard: usize, news: News) {
        self.news += 1;
        self.ask(shard, Asked::News(shard, news.clone()), Ask::News(news));
    }

    /// A shard told what it was asked under this correlation.
    pub fn handle_told(&mut self, correlation: u64, told: Told, now_ms: u64) {
        match (self.asked.remove(&correlation), told) {
            (Some(Asked::Page(shard)), Told::Wanted(page)) => self.handle_page(shard, page, now_ms),
            (Some(Asked::Page(shard)), _) => self.look_again(shard, now_ms),
            (Some(Asked::Order(order)), told) => self.handle_told_of(order, told, now_ms),
            (Some(Asked::News(shard, news)), told) => match retry_after(&told) {
                Some(ms) => self.news_later.push_back((now_ms + ms, shard, news)),
                None => {
                    self.news -= 1;
                    self.handle_heard(news, &told);
                }
            },
            (None, _) => unreachable!("law: a shard answers what it was asked, once"),
        }
    }

    fn handle_heard(&mut self, news: News, told: &Told) {
        if let Told::Refused(why) = told {
            self.counts.news_refused += 1;
            self.out.push_back(Do::Refuse(news, *why));
        } else {
            self.counts.news += 1;
            self.out.push_back(Do::Acknowledge(news));
        }
    }

    fn look_again(&mut self, shard: usize, now_ms: u64) {
        let reading = &mut self.readings[shard];
        reading.look_at_ms = Some(now_ms + reading.span_ms);
        reading.span_ms = (reading.span_ms * 2).min(ADAPTER_LOOK_MS_MAX);
    }

    fn handle_page(&mut self, shard: usize, page: WantPage, now_ms: u64) {
        let is_empty = page.rows.is_empty();
        if let Some(last) = page.next.or(page.rows.last().map(|row| row.place)) {
            self.readings[shard].after = last;
        }
        for row in page.rows {
            self.hold(shard, row, now_ms);
        }
        if page.next.is_some() || !is_empty {
            self.readings[shard].span_ms = ADAPTER_LOOK_MS;
        }
        match page.next {
            Some(_) => self.readings[shard].look_at_ms = Some(now_ms),
            None => self.look_again(shard, now_ms),
        }
    }

    fn hold(&mut self, shard: usize, row: WantRow, now_ms: u64) {
        let order = row.order;
        match self.work.get_mut(&order) {
            Some(work) if matches!(work.step, Step::Due(_)) => {
                (work.row, work.failed) = (row, 0);
                self.set_step(order, Step::Due(now_ms));
            }
            Some(work) => work.newer = Some(row),
            None => {
                self.work.insert(order, Work::new(shard, row, now_ms));
                self.due.insert((now_ms, order));
            }
        }
    }

    /// Something came of a job.
    pub fn handle_verdict(&mut self, order: OrderId, verdict: Verdict, now_ms: u64) {
        match verdict {
            Verdict::Again => {
                self.breaker.handle_failure(now_ms);
                self.counts.failures += 1;
            }
            Verdict::Payments(_) | Verdict::Done | Verdict::Rejected | Verdict::Review | Verdict::Refused => {
                self.breaker.handle_success();
            }
        }
        let work = self.work.get_mut(&order).expect("law: a job is held until it was said what came of it");
        let say = match verdict {
            Verdict::Payments(payments) => {
                work.payments = payments.into();
                work.next_to_say()
            }
            Verdict::Done => Say::Report(Report::Done),
            Verdict::Rejected => Say::Report(Report::Rejected),
            Verdict::Review => Say::Report(Report::SetAside(AsideReason::Review)),
            Verdict::Refused => Say::Report(Report::SetAside(AsideReason::Refused)),
            Verdict::Again if work.newer.is_some() => return self.finish(order, now_ms),
            Verdict::Again => {
                work.failed += 1;
                if work.failed < ADAPTER_TRIES_MAX {
                    let at_ms = now_ms + retry_ms(work.failed, &mut self.chance);
                    return self.set_step(order, Step::Due(at_ms));
                }
                Say::Report(Report::SetAside(AsideReason::TriesUsedUp))
            }
        };
        let is_its_own = matches!(say, Say::Payment(_)) || matches!(say, Say::Report(it) if it.is_of(self.effect));
        assert!(is_its_own, "law: only a check is rejected, or left to a person: {say:?} of {}", self.effect.name());
        self.set_step(order, Step::ToSay(say, now_ms));
    }

    fn handle_told_of(&mut self, order: OrderId, told: Told, now_ms: u64) {
        let work = self.work.get(&order).expect("law: what a shard is asked about is held");
        if work.step == Step::Looking && !matches!(told, Told::Order(_) | Told::Velocity(_)) {
            self.breaker.handle_not_asked();
        }
        match (work.step, retry_after(&told), told) {
            (Step::Looking, None, Told::Order(view)) => self.look_further(order, view, now_ms),
            (Step::Looking, None, Told::Velocity(velocity)) => {
                let work = self.work.get_mut(&order).expect("law: what a shard is asked about is held");
                let view = work.order.take().expect("law: an order is looked up before whoever placed it");
                self.carry_out(order, view, Some(velocity), now_ms);
            }
            (Step::Looking, Some(ms), _) => self.set_step(order, Step::Due(now_ms + ms)),
            (Step::Said(say), Some(ms), _) => self.set_step(order, Step::ToSay(say, now_ms + ms)),
            (Step::Said(Say::Payment(_)), None, told) => self.handle_payment_told(order, &told, now_ms),
            (Step::Said(say), None, told) => {
                let is_aside = matches!(say, Say::Report(Report::SetAside(_))) && !matches!(told, Told::Refused(_));
                self.counts.set_aside += u64::from(is_aside);
                self.finish(order, now_ms);
            }
            // It is closed, or gone: nothing is wanted of it any more.
            (Step::Looking | Step::Due(_) | Step::Running | Step::ToSay(..), ..) => self.finish(order, now_ms),
        }
    }

    /// Whoever is to check an order is told what else was placed by whoever placed it.
    fn look_further(&mut self, order: OrderId, view: Box<OrderView>, now_ms: u64) {
        let (customer, hashes) = (view.customer, view.hashes.unwrap_or_default());
        let is_known = customer != CustomerKey::default() || hashes != IdentityHashes::default();
        if self.effect != Effect::Check || view.check != CheckState::Pending || !is_known {
            return self.carry_out(order, view, None, now_ms);
        }
        let work = self.work.get_mut(&order).expect("law: what is looked up is held");
        let shard = work.shard;
        work.order = Some(view);
        self.ask(shard, Asked::Order(order), Ask::Velocity { market: order.market(), customer, hashes });
    }

    /// Of money there may be nothing left to be done: what is wanted was seen before it was told, or changed since. Of
    /// an order whose check is over, or with a person, nothing is said: nobody was asked whether it is to be trusted.
    fn carry_out(&mut self, order: OrderId, view: Box<OrderView>, velocity: Option<VelocityView>, now_ms: u64) {
        let job = Job { want: self.work[&order].row, order: view, velocity };
        if self.effect == Effect::Payment && !job.is_of_money() {
            self.breaker.handle_not_asked();
            return self.set_step(order, Step::ToSay(Say::Report(Report::Done), now_ms));
        }
        if self.effect == Effect::Check && !job.is_to_be_checked() {
            self.breaker.handle_not_asked();
            return self.finish(order, now_ms);
        }
        self.set_step(order, Step::Running);
        self.counts.tries += 1;
        self.out.push_back(Do::CarryOut(job));
    }

    /// What a shard refuses for ever (the order is over, or has no room for what came of it) a person must see, unless
    /// something else is wanted by then. It is told the rest all the same.
    fn handle_payment_told(&mut self, order: OrderId, told: &Told, now_ms: u64) {
        let work = self.work.get_mut(&order).expect("law: what was said is of what is held");
        work.is_refused |= matches!(told, Told::Refused(_));
        if work.payments.is_empty() && work.newer.is_some() {
            return self.finish(order, now_ms);
        }
        let say = work.next_to_say();
        self.set_step(order, Step::ToSay(say, now_ms));
    }

    /// Goes on to what is wanted since, if anything is.
    fn finish(&mut self, order: OrderId, now_ms: u64) {
        self.set_step(order, Step::Due(now_ms));
        let work = self.work.get_mut(&order).expect("law: only what is held is finished");
        if let Some(row) = work.newer.take() {
            (work.row, work.failed, work.is_refused) = (row, 0, false);
        } else {
            self.due.remove(&(now_ms, order));
            self.work.remove(&order);
        }
    }

    fn set_step(&mut self, order: OrderId, step: Step) {
        let work = self.work.get_mut(&order).expect("law: what takes a step is held");
        for (step, is_next) in [(std::mem::replace(&mut work.step, step), false), (step, true)] {
            match step {
                Step::Due(at) if is_next => _ = self.due.insert((at, order)),
                Step::Due(at) => _ = self.due.remove(&(at, order)),
                Step::ToSay(_, at) if is_next => _ = self.to_say.insert((at, order)),
                Step::ToSay(_, at) => _ = self.to_say.remove(&(at, order)),
                Step::Looking | Step::Running if is_next => self.running += 1,
                Step::Looking | Step::Running => self.running -= 1,
                Step::Said(_) => {}
            }
        }
    }

    /// The next thing to do. Ask until there is none.
    pub fn poll_do(&mut self, now_ms: u64) -> Option<Do> {
        if let Some(next) = self.out.pop_front() {
            return Some(next);
        }
        if self.news_later.front().is_some_and(|(at, ..)| *at <= now_ms)
            && let Some((_, shard, news)) = self.news_later.pop_front()
        {
            self.ask(shard, Asked::News(shard, news.clone()), Ask::News(news));
        } else if let Some((_, order)) = self.to_say.first().copied().filter(|(at, _)| *at <= now_ms) {
            self.say(order);
        } else if let Some((_, order)) =
            self.due.first().copied().filter(|(at, _)| *at <= now_ms && self.may_begin(now_ms))
        {
            self.begin(order);
        } else if let Some(shard) =
            self.readings.iter().position(|reading| reading.look_at_ms.is_some_and(|at| at <= now_ms))
            && self.has_room_for_page()
        {
            let after = std::mem::take(&mut self.readings[shard].look_at_ms).map(|_| self.readings[shard].after);
            let ask =
                Ask::Wanted { effect: self.effect, after: after.unwrap_or_default(), rows_max: ADAPTER_PAGE_ROWS };
            self.ask(shard, Asked::Page(shard), ask);
        }
        self.out.pop_front()
    }

    /// When there is something to do although nothing comes in.
    #[must_use]
    pub fn poll_deadline(&self, now_ms: u64) -> Option<u64> {
        let begin = self.due.first().map(|(at, _)| *at).filter(|_| self.running < ADAPTER_RUNNING_MAX);
        let begin = begin.and_then(|at| match self.breaker.allows(now_ms) {
            true => Some(at),
            false => self.breaker.poll_deadline().map(|probe| probe.max(at)),
        });
        let look = self.readings.iter().filter_map(|reading| reading.look_at_ms).min();
        let look = look.filter(|_| self.has_room_for_page());
        let (say, news) = (self.to_say.first().map(|(at, _)| *at), self.news_later.front().map(|(at, ..)| *at));
        [begin, look, say, news].into_iter().flatten().min()
    }

    const fn may_begin(&self, now_ms: u64) -> bool {
        self.running < ADAPTER_RUNNING_MAX && self.breaker.allows(now_ms)
    }

    fn has_room_for_page(&self) -> bool {
        let coming = self.readings.iter().filter(|reading| reading.look_at_ms.is_none()).count();
        self.work.len() + (coming + 1) * usize::from(ADAPTER_PAGE_ROWS) <= ADAPTER_HELD_MAX
    }

    fn begin(&mut self, order: OrderId) {
        self.breaker.handle_asked();
        let work = &self.work[&order];
        let shard = work.shard;
        self.set_step(order, Step::Looking);
        self.ask(shard, Asked::Order(order), Ask::Order(order));
    }

    fn say(&mut self, order: OrderId) {
        let work = &self.work[&order];
        let Step::ToSay(say, _) = work.step else { unreachable!("law: who waits to say something has it to say") };
        let ask = Ask::Say { order, effect: self.effect, attempt: work.row.attempt, say };
        let shard = work.shard;
        self.set_step(order, Step::Said(say));
        self.ask(shard, Asked::Order(order), ask);
    }

    fn ask(&mut self, shard: usize, asked: Asked, ask: Ask) {
        self.next += 1;
        self.asked.insert(self.next, asked);
        self.out.push_back(Do::Ask { shard, correlation: self.next, ask });
    }
}

/// After how long to ask again, when a shard had no room or no disk. Everything else it says is an answer.
pub(super) const fn retry_after(told: &Told) -> Option<u64> {
    match told {
        Told::Refused(Refused::Overloaded { retry_after_ms }) => Some(*retry_after_ms as u64),
        Told::Refused(Refused::DiskLow | Refused::ShuttingDown | Refused::DeadlinePassed) => Some(ADAPTER_LOOK_MS_MAX),
        Told::Refused(_) | Told::Answer(_) | Told::Wanted(_) | Told::Order(_) | Told::Velocity(_) => None,
    }
}

#[cfg(test)]
mod tests;
