//! A payment provider that is not there.
//!
//! ```text
//! (nothing) ─ charge ─► charged ─ give back ─► given back
//!     │    └─ charge ─► declined
//!     └ close, give back ─► closed: a charge that comes later is declined
//! ```
//!
//! The key is the order: there is one charge for each, whatever the attempt.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::sleep;

use super::super::backoff::Chance;
use super::super::counterparty::{Counterparty, Job, News, Promise, Verdict};
use super::ledger::Ledger;
use super::{Behaviour, fate};
use crate::base::OrderId;
use crate::base::limits::{ADAPTER_ANSWER_MS_MAX, ADAPTER_NEWS_MAX, SIMULATED_ORDERS_MAX};
use crate::engine::query::WantRow;
use crate::engine::{Action, Effect};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Money {
    Charged,
    Declined,
    Closed,
    GivenBack,
}

impl Money {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Charged, "charged"),
        (Self::Declined, "declined"),
        (Self::Closed, "closed"),
        (Self::GivenBack, "given_back"),
    ];

    fn word(self) -> &'static str {
        Self::ALL.iter().find(|(money, _)| *money == self).map_or("", |(_, word)| word)
    }
}

/// A payment provider that is not there.
pub struct SimulatedPayment {
    behaviour: Behaviour,
    ledger: RefCell<Ledger>,
    money: RefCell<BTreeMap<OrderId, Money>>,
    chance: RefCell<Chance>,
    tell: mpsc::Sender<News>,
    news: Cell<Option<mpsc::Receiver<News>>>,
}

impl SimulatedPayment {
    /// With what it did before.
    ///
    /// # Errors
    /// Its file cannot be made, read or written.
    pub fn open(behaviour: Behaviour) -> io::Result<Self> {
        let mut money = BTreeMap::new();
        let ledger = Ledger::open(&behaviour.file, |words| {
            let (word, order) = (words.first()?, words.get(1)?.parse().ok()?);
            let (known, _) = Money::ALL.into_iter().find(|(_, known)| known == word)?;
            money.insert(order, known);
            Some(())
        })?;
        let (tell, news) = mpsc::channel(ADAPTER_NEWS_MAX);
        Ok(Self {
            chance: RefCell::new(Chance::new(behaviour.seed)),
            behaviour,
            ledger: RefCell::new(ledger),
            money: RefCell::new(money),
            tell,
            news: Cell::new(Some(news)),
        })
    }

    fn happens(&self, per_mille: u16) -> bool {
        fate::now(&mut self.chance.borrow_mut(), per_mille)
    }

    /// What is asked, done at the provider.
    fn act(&self, want: &WantRow) -> Verdict {
        let known = self.money.borrow().get(&want.order).copied();
        let declines = Behaviour::declines(self.behaviour.seed, self.behaviour.declined, want.order);
        let (next, verdict) = match (want.action, known) {
            (Action::Charge, None) if declines => (Some(Money::Declined), Verdict::Declined),
            (Action::Charge, None) => (Some(Money::Charged), Verdict::Paid),
            (Action::Charge | Action::Close, Some(Money::Charged)) => (None, Verdict::Paid),
            (Action::Charge, Some(Money::Declined | Money::Closed | Money::GivenBack)) => (None, Verdict::Declined),
            (Action::GiveBack, Some(Money::Charged)) => (Some(Money::GivenBack), Verdict::Done),
            (Action::Close | Action::GiveBack, None) => (Some(Money::Closed), Verdict::Done),
            (Action::Close | Action::GiveBack, Some(_)) => (None, Verdict::Done),
            (Action::Release, _) => return Verdict::Refused,
        };
        match next {
            Some(next) if self.write(want, next).is_err() => Verdict::Again,
            Some(_) | None => verdict,
        }
    }

    fn write(&self, want: &WantRow, next: Money) -> io::Result<()> {
        let mut money = self.money.borrow_mut();
        if money.len() >= SIMULATED_ORDERS_MAX && !money.contains_key(&want.order) {
            tracing::error!(orders = SIMULATED_ORDERS_MAX, "the books of the simulated payment provider are full");
            return Err(io::ErrorKind::StorageFull.into());
        }
        let line = format!("{} {} {} {}", next.word(), want.order, want.amount, want.currency);
        self.ledger.borrow_mut().add(&line).inspect_err(|why| tracing::error!(%why, "simulated payment provider"))?;
        money.insert(want.order, next);
        Ok(())
    }

    async fn answer(&self, want: WantRow) -> Verdict {
        let half = self.behaviour.delay_ms / 2;
        let half = half + self.chance.borrow_mut().below(half + 1);
        sleep(Duration::from_millis(half / 2)).await;
        if self.happens(self.behaviour.lost) {
            sleep(Duration::from_millis(LOST_MS)).await;
            return Verdict::Again;
        }
        let verdict = self.act(&want);
        sleep(Duration::from_millis(half - half / 2)).await;
        if verdict == Verdict::Paid && self.happens(self.behaviour.repeated) {
            // The other way is full: it is only a repetition.
            let _told = self.tell.try_send(News::Paid { order: want.order });
        }
        if self.happens(self.behaviour.lost) {
            sleep(Duration::from_millis(LOST_MS)).await;
            return Verdict::Again;
        }
        verdict
    }
}

/// How long somebody waits for what was lost: long enough to be late, not so long that nothing else happens.
const LOST_MS: u64 = ADAPTER_ANSWER_MS_MAX / 20;

impl Counterparty for SimulatedPayment {
    fn name(&self) -> &'static str {
        "simulated-payment"
    }

    fn effect(&self) -> Effect {
        Effect::Payment
    }

    fn carry_out(&self, job: Job) -> Promise<'_> {
        Box::pin(self.answer(job.want))
    }

    fn news(&self) -> mpsc::Receiver<News> {
        self.news.take().expect("law: news is asked for once")
    }

    fn handle_acknowledged(&self, _news: &News) {}

    /// The order was cancelled meanwhile: to give the money back is wanted already.
    fn handle_refused(&self, _news: &News) {}
}
