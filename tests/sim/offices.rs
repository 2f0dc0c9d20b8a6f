//! The adapters of one life of the node: real desks and real runners, moved by the world instead of a thread.

use std::collections::BTreeMap;
use std::task::{Context, Poll, Waker};

use stockade::adapters::{Ask as Question, Desk, Do, Job, News, Payment, Runner, Say, Told};
use stockade::base::MarketId;
use stockade::engine::{Effect, Engine, Report};
use stockade::shard::Inbox;

use crate::ask::{Ask, Outcome};
use crate::life::shard_of;
use crate::outside::Outside;
use crate::promises::Promises;
use crate::rng::Rng;

/// The adapters of this life, and the counterparties of all.
pub(crate) struct Offices {
    /// Whether any work in this world.
    pub(crate) are_open: bool,
    offices: Vec<Office>,
    pub(crate) outside: Outside,
}

impl Offices {
    pub(crate) fn new(are_open: bool) -> Self {
        Self { are_open, offices: Vec::new(), outside: Outside::default() }
    }

    /// A life begins: adapters know nothing of the one before.
    pub(crate) fn begin_life(&mut self, inboxes: &[Inbox], rng: &mut Rng) {
        self.outside.handle_crash();
        if self.are_open {
            self.offices = Effect::ALL.map(|effect| Office::open(effect, inboxes, rng.next())).into();
        }
    }

    /// Lets adapters work. While it is calm, counterparties do what they are asked.
    pub(crate) fn step(&mut self, rng: &mut Rng, now_ms: u64, is_calm: bool, promises: &mut Promises) {
        for office in &mut self.offices {
            office.step(rng, (now_ms, is_calm), &mut self.outside, promises);
        }
    }

    /// Nothing is wanted, set aside, or on its way.
    pub(crate) fn are_done(&self, engines: &[&Engine]) -> bool {
        let wanted = engines.iter().flat_map(|engine| Effect::ALL.map(|effect| engine.want_counts(effect)));
        wanted.flatten().sum::<u64>() == 0 && self.outside.is_done() && self.offices.iter().all(Office::is_idle)
    }
}

/// What an operator asks, so that what was set aside is tried again.
pub(crate) fn resumed(engine: &Engine, market: MarketId) -> Vec<Ask> {
    let page = |effect| {
        let page = engine.wanted(Some(market), (effect, true), 0, 256).expect("the market is open");
        page.rows.into_iter().map(move |row| {
            let (order, attempt) = (row.order, row.attempt);
            Ask::ReportEffect { order, effect, attempt, report: Report::Resumed }
        })
    };
    Effect::ALL.into_iter().flat_map(page).collect()
}

struct Office {
    effect: Effect,
    runner: Runner,
    desk: Desk,
    jobs: Vec<Job>,
    /// Parcels and payments that shards are being told of, by correlation.
    news: BTreeMap<u64, Ask>,
}

impl Office {
    fn open(effect: Effect, inboxes: &[Inbox], seed: u64) -> Self {
        Self {
            effect,
            runner: Runner::new(effect, inboxes.len(), seed),
            desk: Desk::new(inboxes.to_vec()),
            jobs: Vec::new(),
            news: BTreeMap::new(),
        }
    }

    /// It holds nothing that is wanted.
    fn is_idle(&self) -> bool {
        self.runner.held() == 0 && self.news.is_empty()
    }

    /// Hears what it was told, lets the counterparty do something, and asks what is to be asked.
    fn step(&mut self, rng: &mut Rng, (now_ms, is_calm): (u64, bool), outside: &mut Outside, promises: &mut Promises) {
        while let Poll::Ready((correlation, told)) = self.desk.poll_told(&mut Context::from_waker(Waker::noop())) {
            if let (Some(ask), Told::Answer(answer)) = (self.news.remove(&correlation), &told) {
                promises.hear(&ask, &Outcome::Answered(*answer, Vec::new()), None);
            }
            self.runner.handle_told(correlation, told, now_ms);
        }
        let jobs = if is_calm { self.jobs.len() as u64 } else { rng.below(3).min(self.jobs.len() as u64) };
        for _ in 0..jobs {
            let job = self.jobs.swap_remove(rng.below(self.jobs.len() as u64) as usize);
            let verdict = outside.carry_out(rng, is_calm, self.effect, &job);
            self.runner.handle_verdict(job.want.order, verdict, now_ms);
        }
        while self.runner.has_room_for_news()
            && let Some(news) = outside.news(rng, is_calm, self.effect)
        {
            self.runner.handle_news(shard_of(news.order().market().number(), self.desk.shards() as u16), news);
        }
        while let Some(next) = self.runner.poll_do(now_ms) {
            match next {
                Do::Ask { shard, correlation, ask } => {
                    self.news.extend(told_of(&ask).map(|news| (correlation, news)));
                    ask.with_request(|request| self.desk.submit(shard, correlation, request));
                }
                Do::CarryOut(job) => self.jobs.push(job),
                Do::Acknowledge(news) | Do::Refuse(news, _) => outside.handle_settled(&news),
            }
        }
    }
}

/// What a question tells of the world, if it tells anything.
fn told_of(question: &Question) -> Option<Ask> {
    let payment = |order, Payment { attempt, method, currency, report }| Ask::ReportPayment {
        order,
        attempt,
        method,
        currency,
        report,
    };
    match question {
        Question::News(News::HandedOver { order, change, lines }) => {
            Some(Ask::HandOver { order: *order, change: *change, lines: lines.clone() })
        }
        Question::News(News::Payment { order, payment: it }) => Some(payment(*order, *it)),
        Question::Say { order, say: Say::Payment(it), .. } => Some(payment(*order, *it)),
        Question::Wanted { .. }
        | Question::Order(_)
        | Question::Velocity { .. }
        | Question::Say { .. }
        | Question::News(News::Checked { .. }) => None,
    }
}
