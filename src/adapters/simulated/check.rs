//! A service that checks orders, and is not there.
//!
//! ```text
//! asked ─┬─► trusted
//!        ├─► rejected
//!        └─► review      a person is to decide
//! ```
//!
//! The key is the order: whoever asks again hears the same.
//!
//! # Always true
//! - What it said is a line of its file: the word above, order, amount, currency; one line for an order.
//! # Not here
//! - What a person decides in the end: nobody tells it, and asked again it still has its doubts.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::sleep;

use super::super::backoff::Chance;
use super::super::counterparty::{Counterparty, Job, News, Opinion, Promise, Verdict};
use super::ledger::Ledger;
use super::{Behaviour, fate};
use crate::base::OrderId;
use crate::base::limits::{ADAPTER_NEWS_MAX, SIMULATED_ORDERS_MAX};
use crate::engine::Effect;
use crate::engine::query::VelocityView;

const WORDS: [(Opinion, &str); 3] =
    [(Opinion::Trusted, "trusted"), (Opinion::Rejected, "rejected"), (Opinion::Review, "review")];

fn word(opinion: Opinion) -> &'static str {
    WORDS.iter().find(|(known, _)| *known == opinion).map_or("", |(_, word)| word)
}

type Opinions = BTreeMap<OrderId, Opinion>;

/// A service that checks orders, and is not there.
pub struct SimulatedCheck {
    behaviour: Behaviour,
    ledger: RefCell<Ledger>,
    opinions: RefCell<Opinions>,
    chance: RefCell<Chance>,
    tell: mpsc::Sender<News>,
    news: Cell<Option<mpsc::Receiver<News>>>,
}

impl SimulatedCheck {
    /// With what it said before.
    ///
    /// # Errors
    /// Its file cannot be made, read or written.
    pub fn open(behaviour: Behaviour) -> io::Result<Self> {
        let mut opinions = Opinions::new();
        let ledger = Ledger::open(&behaviour.file, |words| read_line(&mut opinions, words))?;
        let (tell, news) = mpsc::channel(ADAPTER_NEWS_MAX);
        Ok(Self {
            chance: RefCell::new(Chance::new(behaviour.seed)),
            behaviour,
            ledger: RefCell::new(ledger),
            opinions: RefCell::new(opinions),
            tell,
            news: Cell::new(Some(news)),
        })
    }

    fn happens(&self, per_mille: u16) -> bool {
        fate::now(&mut self.chance.borrow_mut(), per_mille)
    }

    /// What it thinks of an order, now and whenever it is asked again.
    ///
    /// # Errors
    /// Its file cannot be written, or its books are full.
    fn judge(&self, job: &Job) -> io::Result<Opinion> {
        let (order, mut opinions) = (job.want.order, self.opinions.borrow_mut());
        if let Some(known) = opinions.get(&order) {
            return Ok(*known);
        }
        if opinions.len() >= SIMULATED_ORDERS_MAX {
            tracing::error!(orders = SIMULATED_ORDERS_MAX, "the books of the simulated checker are full");
            return Err(io::ErrorKind::StorageFull.into());
        }
        let Behaviour { seed, rejected, doubted, doubted_above, .. } = self.behaviour;
        let placed = job.velocity.as_ref().map_or(0, VelocityView::orders_most);
        let opinion = match Behaviour::opinion(seed, [rejected, doubted], order) {
            Opinion::Trusted if doubted_above > 0 && placed > doubted_above => Opinion::Review,
            opinion => opinion,
        };
        let line = format!("{} {order} {} {}", word(opinion), job.want.amount, job.want.currency);
        self.ledger.borrow_mut().add(&line).inspect_err(|why| tracing::error!(%why, "simulated checker"))?;
        opinions.insert(order, opinion);
        Ok(opinion)
    }

    async fn answer(&self, job: Job) -> Verdict {
        let half = Duration::from_millis(self.behaviour.delay_ms / 2);
        sleep(half).await;
        let is_lost = [(); 2].map(|()| self.happens(self.behaviour.lost));
        let opinion = if is_lost[0] { None } else { self.judge(&job).ok() };
        if let Some(opinion) = opinion
            && self.happens(self.behaviour.repeated)
        {
            // The other way is full: it is only a repetition.
            let _told = self.tell.try_send(News::Checked { order: job.want.order, opinion });
        }
        sleep(if is_lost.contains(&true) { Duration::from_millis(fate::LOST_MS) } else { half }).await;
        opinion.filter(|_| !is_lost[1]).map_or(Verdict::Again, Opinion::verdict)
    }
}

fn read_line(opinions: &mut Opinions, words: &[&str]) -> Option<()> {
    let [word, order, _amount, _currency] = *words else { return None };
    let (opinion, _) = WORDS.into_iter().find(|(_, known)| *known == word)?;
    // It says one thing of an order.
    opinions.insert(order.parse().ok()?, opinion).is_none().then_some(())
}

impl Counterparty for SimulatedCheck {
    fn name(&self) -> &'static str {
        "simulated-check"
    }

    fn effect(&self) -> Effect {
        Effect::Check
    }

    fn carry_out(&self, job: Job) -> Promise<'_> {
        Box::pin(self.answer(job))
    }

    fn news(&self) -> mpsc::Receiver<News> {
        self.news.take().expect("law: news is asked for once")
    }

    fn handle_acknowledged(&self, _news: &News) {}

    /// It was said another way already.
    fn handle_refused(&self, _news: &News) {}
}
