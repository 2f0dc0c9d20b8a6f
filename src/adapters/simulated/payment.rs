//! A payment provider that is not there.
//!
//! ```text
//! (nothing) ─ charge ─► authorised ─ capture ─► captured ─ refund ─► refunded      capture and refund in part too
//!     │  │               │                       ▲
//!     │  └─ charge ──────┼── no card ────────────┘
//!     │  └─ charge ─► declined
//!     └─ end ─► closed ◄─┘ end                         closed: a charge or capture that comes later takes nothing
//! ```
//!
//! The key is the order and the attempt: there is one charge for each, and of captures and refunds the largest total
//! holds, whenever they come.
//!
//! # Always true
//! - Of each attempt `captured <= authorised` and `refunded <= captured`.
//! - What it did is a line of its file: the word above, order, attempt, so much in all, currency.
//! # Why so
//! A storefront may have taken money itself, at this provider and without this adapter. So what an order says was taken
//! of an attempt counts as taken here, and can be given back.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::sleep;

use super::super::backoff::Chance;
use super::super::counterparty::{Counterparty, Job, News, Payment, Promise, Verdict};
use super::ledger::Ledger;
use super::{Behaviour, fate};
use crate::base::limits::{ADAPTER_NEWS_MAX, SIMULATED_AUTHORISATION_MS, SIMULATED_ORDERS_MAX};
use crate::base::{ChangeId, OrderId, Price, Timestamp};
use crate::engine::choices::PaymentMethod;
use crate::engine::query::PaymentView;
use crate::engine::{Effect, FailureReason, PaymentReport, RetryClass, Stage, Step};

/// What it says of money that is not to be had.
const DECLINED: PaymentReport = PaymentReport::Failed { reason: FailureReason::Declined, class: RetryClass::Never };

/// What it may do to an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    Authorised,
    Captured,
    Refunded,
    Declined,
    Closed,
}

impl Deed {
    const ALL: [(Self, &'static str); 5] = [
        (Self::Authorised, "authorised"),
        (Self::Captured, "captured"),
        (Self::Refunded, "refunded"),
        (Self::Declined, "declined"),
        (Self::Closed, "closed"),
    ];

    fn word(self) -> &'static str {
        Self::ALL.iter().find(|(deed, _)| *deed == self).map_or("", |(_, word)| word)
    }
}

/// The money of one attempt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Account {
    /// In all, what was taken of it included.
    authorised: Price,
    captured: Price,
    refunded: Price,
    declined: bool,
    closed: bool,
    /// When what is set aside ends: it follows from the order.
    until: Timestamp,
}

impl Account {
    const fn is_untouched(self) -> bool {
        self.authorised == 0 && !self.declined && !self.closed
    }

    const fn set_aside(self, total: Price) -> PaymentReport {
        PaymentReport::Authorised { total, until: self.until }
    }

    /// With what somebody else took of it.
    fn with(mut self, seen: &PaymentView) -> Self {
        self.captured = self.captured.max(seen.captured);
        self.authorised = self.authorised.max(seen.authorised).max(self.captured);
        self
    }

    fn after(mut self, deed: Deed, total: Price) -> Self {
        match deed {
            Deed::Authorised => self.authorised = total,
            // What nobody authorised first is captured at once.
            Deed::Captured if self.authorised == 0 => (self.authorised, self.captured) = (total, total),
            Deed::Captured => self.captured = total,
            Deed::Refunded => self.refunded = total,
            Deed::Declined => self.declined = true,
            Deed::Closed => self.closed = true,
        }
        self
    }

    /// Carries out what is asked: what there is to do for that, if it was not done before, and what to say of it.
    fn carry_out(self, seen: &PaymentView, declines: bool) -> (Option<(Deed, Price)>, Vec<PaymentReport>) {
        let (deed, report) = match seen.step {
            Step::Charge { amount } if self.is_untouched() => match (declines, seen.method) {
                (true, _) => (Some((Deed::Declined, amount)), DECLINED),
                (false, PaymentMethod::Card) => (Some((Deed::Authorised, amount)), self.set_aside(amount)),
                (false, _) => (Some((Deed::Captured, amount)), PaymentReport::Captured { total: amount }),
            },
            Step::Capture { total } if total > self.captured && !self.closed => {
                let total = total.min(self.authorised);
                (Some((Deed::Captured, total)), PaymentReport::Captured { total })
            }
            Step::GiveBack { total } => {
                let total = total.min(self.captured);
                let deed = (total > self.refunded).then_some((Deed::Refunded, total));
                (deed, PaymentReport::Refunded { total: total.max(self.refunded) })
            }
            // What was taken meanwhile is news; whether it stays so is not for a provider to say.
            Step::Close if self.captured == seen.captured && !self.declined && !self.closed => {
                (Some((Deed::Closed, self.captured)), PaymentReport::Voided)
            }
            Step::Charge { .. } | Step::Capture { .. } | Step::Close => (None, self.report(seen)),
            Step::Nothing => return (None, self.news(seen)),
        };
        (deed, vec![report])
    }

    /// What an order does not know of it, in the order in which it came about.
    fn news(self, seen: &PaymentView) -> Vec<PaymentReport> {
        let is_begun = matches!(seen.stage, Stage::Created | Stage::RequiresAction | Stage::Processing);
        let has_room = seen.stage == Stage::Authorised && seen.authorised > self.captured;
        let all = [
            (self.declined && is_begun, DECLINED),
            (!self.closed && self.authorised > seen.authorised.max(self.captured), self.set_aside(self.authorised)),
            (self.captured > seen.captured, PaymentReport::Captured { total: self.captured }),
            (self.closed && (is_begun || has_room), PaymentReport::Voided),
            (self.refunded > seen.refunded, PaymentReport::Refunded { total: self.refunded }),
        ];
        all.into_iter().filter(|(is_news, _)| *is_news).map(|(_, report)| report).collect()
    }

    /// What there is to say of it when nothing is done.
    const fn report(self, seen: &PaymentView) -> PaymentReport {
        if self.declined {
            DECLINED
        } else if self.captured > seen.captured {
            PaymentReport::Captured { total: self.captured }
        } else if self.closed {
            PaymentReport::Voided
        } else {
            self.set_aside(self.authorised)
        }
    }
}

type Accounts = BTreeMap<(OrderId, ChangeId), Account>;

/// A payment provider that is not there.
pub struct SimulatedPayment {
    behaviour: Behaviour,
    ledger: RefCell<Ledger>,
    accounts: RefCell<Accounts>,
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
        let mut accounts = Accounts::new();
        let ledger = Ledger::open(&behaviour.file, |words| read_line(&mut accounts, words))?;
        let (tell, news) = mpsc::channel(ADAPTER_NEWS_MAX);
        Ok(Self {
            chance: RefCell::new(Chance::new(behaviour.seed)),
            behaviour,
            ledger: RefCell::new(ledger),
            accounts: RefCell::new(accounts),
            tell,
            news: Cell::new(Some(news)),
        })
    }

    fn happens(&self, per_mille: u16) -> bool {
        fate::now(&mut self.chance.borrow_mut(), per_mille)
    }

    /// What is asked, done at the provider.
    ///
    /// # Errors
    /// Its file cannot be written, or its books are full.
    fn act(&self, job: &Job) -> io::Result<Vec<Payment>> {
        let mut told = Vec::new();
        for seen in &job.order.payments {
            let PaymentView { attempt, method, .. } = *seen;
            let reports = self.act_on(job.order.order, seen, &job.order.currency.to_string())?;
            let payment = |report| Payment { attempt, method, currency: job.order.currency, report };
            told.extend(reports.into_iter().map(payment));
        }
        Ok(told)
    }

    fn act_on(&self, order: OrderId, seen: &PaymentView, currency: &str) -> io::Result<Vec<PaymentReport>> {
        let mut accounts = self.accounts.borrow_mut();
        let known = accounts.get(&(order, seen.attempt)).copied();
        let declines = Behaviour::declines(self.behaviour.seed, self.behaviour.declined, order);
        let until = order.made_at().after_ms(SIMULATED_AUTHORISATION_MS);
        let account = Account { until, ..known.unwrap_or_default() }.with(seen);
        let (deed, reports) = account.carry_out(seen, declines);
        if deed.is_some() && known.is_none() && accounts.len() >= SIMULATED_ORDERS_MAX {
            tracing::error!(attempts = SIMULATED_ORDERS_MAX, "the books of the simulated payment provider are full");
            return Err(io::ErrorKind::StorageFull.into());
        }
        if let Some((deed, total)) = deed {
            let line = format!("{} {order} {} {total} {currency}", deed.word(), seen.attempt);
            let mut ledger = self.ledger.borrow_mut();
            ledger.add(&line).inspect_err(|why| tracing::error!(%why, "simulated payment provider"))?;
            enter(&mut accounts, (order, seen.attempt), account.after(deed, total));
        }
        Ok(reports)
    }

    async fn answer(&self, job: Job) -> Verdict {
        let half = self.behaviour.delay_ms / 2;
        let half = half + self.chance.borrow_mut().below(half + 1);
        sleep(Duration::from_millis(half / 2)).await;
        if self.happens(self.behaviour.lost) {
            sleep(Duration::from_millis(fate::LOST_MS)).await;
            return Verdict::Again;
        }
        let Ok(payments) = self.act(&job) else { return Verdict::Again };
        sleep(Duration::from_millis(half - half / 2)).await;
        for payment in &payments {
            if self.happens(self.behaviour.repeated) {
                // The other way is full: it is only a repetition.
                let _told = self.tell.try_send(News::Payment { order: job.order.order, payment: *payment });
            }
        }
        if self.happens(self.behaviour.lost) {
            sleep(Duration::from_millis(fate::LOST_MS)).await;
            return Verdict::Again;
        }
        Verdict::Payments(payments)
    }
}

/// Money is conserved, whatever was asked in which order.
fn enter(accounts: &mut Accounts, key: (OrderId, ChangeId), account: Account) {
    let Account { authorised, captured, refunded, .. } = account;
    assert!(captured <= authorised, "law: no more is captured than was authorised: {key:?} {account:?}");
    assert!(refunded <= captured, "law: no more goes back than was captured: {key:?} {account:?}");
    accounts.insert(key, account);
}

fn read_line(accounts: &mut Accounts, words: &[&str]) -> Option<()> {
    let [word, order, attempt, total, _currency] = *words else { return None };
    let (deed, _) = Deed::ALL.into_iter().find(|(_, known)| *known == word)?;
    let (key, total) = ((order.parse().ok()?, ChangeId(attempt.parse().ok()?)), total.parse().ok()?);
    let mut account = accounts.get(&key).copied().unwrap_or_default().after(deed, total);
    // What went back had been captured, and what was captured authorised, by somebody else if not here.
    account.captured = account.captured.max(account.refunded);
    account.authorised = account.authorised.max(account.captured);
    enter(accounts, key, account);
    Some(())
}

impl Counterparty for SimulatedPayment {
    fn name(&self) -> &'static str {
        "simulated-payment"
    }

    fn effect(&self) -> Effect {
        Effect::Payment
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
