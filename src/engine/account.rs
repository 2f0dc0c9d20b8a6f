//! Accounts: what was paid of each order, attempt by attempt. Most orders have none.
//!
//! # Always true
//! - The money of a market is the sum over the accounts of its orders, those of closed ones included (`money`).
//! - An order whose payment is handed off has an attempt of the adapters even before anybody told of it; it takes no
//!   memory then.
//! # Not here
//! - What an attempt is and what is to be done with it: `attempt`, `steps`. When what is set aside ends: `ends`.

use std::collections::BTreeMap;

use super::Engine;
use super::attempt::Attempt;
use super::effect::Effect;
use super::ends::Ends;
use super::marks::Marks;
use super::money::Money;
use super::order::LineUnits;
use super::orders::{LineRecord, Record};
use super::payment::Dispute;
use super::pool::{Run, Runs, Table};
use super::query::PaymentView;
use super::steps::{Due, Outlook, Steps, missing, outlook, steps};
use crate::base::limits::PAYMENT_ATTEMPTS_MAX;
use crate::base::{ChangeId, MarketId, Price, Timestamp};

/// The attempts of all orders.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    /// By position of the order.
    runs: Table<Run>,
    attempts: Runs<Attempt>,
    count: u64,
    /// Attempts of adapters that nobody told of. They take no memory, and are counted so that it is there for them.
    implicit: u64,
    /// When what is set aside ends, of those of which somebody said.
    pub(super) ends: Ends,
}

impl Accounts {
    /// Attempts of all orders together, those of the adapters included.
    pub(super) const fn len(&self) -> u64 {
        self.count + self.implicit
    }

    /// One more order whose adapters are asked to charge it.
    pub(super) const fn add_implicit(&mut self) {
        self.implicit += 1;
    }

    /// Somebody told of an adapters' attempt, or its order is over.
    pub(super) const fn remove_implicit(&mut self) {
        self.implicit -= 1;
    }

    /// The attempts of an order that somebody told of, in the order in which they began, that of the adapters before
    /// the others; but one that comes to cover something stands behind all from then on, and behind it those whose
    /// authorisation is about to end.
    pub(super) fn of(&self, position: u32) -> &[Attempt] {
        if self.count == 0 {
            return &[];
        }
        self.runs.get(position as usize).map_or(&[], |run| self.attempts.get(*run))
    }

    pub(super) fn of_mut(&mut self, position: u32) -> &mut [Attempt] {
        let Self { runs, attempts, .. } = self;
        runs.get(position as usize).map_or(&mut [], |run| attempts.get_mut(*run))
    }

    /// An attempt as it is at this log time, in its place among the others of its order.
    pub(super) fn set(&mut self, position: u32, attempt: Attempt, at: Timestamp) {
        let covered = self.put(position, attempt) > 0;
        if attempt.covers() > 0 && !covered {
            self.queue(position, attempt.id, at);
        }
    }

    /// One that has come to cover something goes behind all others; but those of which what is set aside is about to
    /// end, and ends before its own, go behind it: it takes their place.
    fn queue(&mut self, position: u32, id: ChangeId, at: Timestamp) {
        let Self { runs, attempts, ends, .. } = self;
        let known = runs.get(position as usize).map_or(&mut [][..], |run| attempts.get_mut(*run));
        known.sort_by_key(|other| match other.id == id {
            true => 1,
            false if other.room() > 0 && ends.is_due_before((position, other.id), (position, id), at) => 2,
            false => 0,
        });
    }

    /// Puts an attempt where it was, or where one that covers nothing begins, and gives what it covered.
    fn put(&mut self, position: u32, attempt: Attempt) -> Price {
        let covers = attempt.covers() > 0;
        let known = self.of_mut(position);
        if let Some(place) = known.iter().position(|known| known.id == attempt.id) {
            return std::mem::replace(&mut known[place], attempt).covers();
        }
        let known = self.of(position);
        if known.is_empty() {
            self.replace(position, &[attempt]);
            return 0;
        }
        let all = if attempt.id == ChangeId::HANDED_OFF && !covers {
            [&[attempt], known].concat()
        } else {
            [known, &[attempt]].concat()
        };
        assert!(all.len() <= PAYMENT_ATTEMPTS_MAX, "law: an order has a bounded number of attempts");
        self.replace(position, &all);
        0
    }

    /// Puts attempts in the place of those an order had.
    pub(super) fn replace(&mut self, position: u32, attempts: &[Attempt]) {
        let run = self.runs.get_or_grow(position as usize);
        let old = std::mem::replace(run, Run::EMPTY);
        self.count = self.count + attempts.len() as u64 - u64::from(old.len);
        self.attempts.give_back(old);
        *run = self.attempts.put(attempts.iter().copied());
    }

    /// Of an order that was paid late nothing else counts: what is on its way back, or let go, stays so.
    pub(super) fn let_go_of_others(&mut self, position: u32, id: ChangeId) {
        let others = self.of_mut(position).iter_mut().filter(|attempt| attempt.id != id);
        others.for_each(|attempt| attempt.is_let_go = true);
    }

    /// Forgets what was paid of an order.
    pub(super) fn forget(&mut self, position: u32) {
        if !self.of(position).is_empty() {
            self.replace(position, &[]);
            self.ends.forget(position);
        }
    }
}

impl Engine {
    /// Hands on the attempts of an order, with that of the adapters before the others while nobody told of it.
    pub(super) fn with_attempts<T>(&self, position: u32, record: &Record, with: impl FnOnce(&[Attempt]) -> T) -> T {
        let told = self.accounts.of(position);
        if !self.has_implicit_attempt(position, record) {
            return with(told);
        }
        let implicit = Attempt::new(ChangeId::HANDED_OFF, record.payment);
        if told.is_empty() { with(&[implicit]) } else { with(&[&[implicit], told].concat()) }
    }

    /// Whether adapters were asked to charge this order, and nobody told yet what came of it.
    pub(super) fn has_implicit_attempt(&self, position: u32, record: &Record) -> bool {
        record.needed_payment()
            && self.wants.is_handed_off(position, Effect::Payment)
            && !self.accounts.of(position).iter().any(|attempt| attempt.id == ChangeId::HANDED_OFF)
    }

    /// Whether a customer disputes a payment of this order.
    pub(super) fn is_disputed(&self, position: u32) -> bool {
        self.accounts.of(position).iter().any(|attempt| attempt.dispute == Dispute::Open)
    }

    /// What is due of an order, and what of it may be taken by now.
    pub(super) fn due(&self, position: u32, record: &Record) -> Due {
        let (mut cost, mut due, mut left, mut is_all_left) = (0, 0, 0, true);
        for (LineRecord { price, taken, .. }, units) in
            self.orders.lines(record).iter().zip(self.orders.line_units(record))
        {
            cost += price * u64::from(*taken);
            due += price * units.sold();
            left += price * u64::from(units.shipped);
            is_all_left &= units.sold() == u64::from(units.shipped);
        }
        Due {
            cost,
            due,
            now: if is_all_left { due } else { left },
            is_unpaid: record.state.awaits_payment(),
            is_prepaid: record.needed_payment() && !record.marks.has(Marks::SAID_PAID),
            is_handed_off: self.wants.is_handed_off(position, Effect::Payment),
        }
    }

    /// What the lapsed units of an order cost.
    pub(super) fn lapsed_cost(&self, record: &Record) -> Price {
        let cost = |(line, units): (&LineRecord, LineUnits)| line.price * u64::from(units.lapsed);
        self.orders.lines(record).iter().zip(self.orders.line_units(record)).map(cost).sum()
    }

    /// What is to become of the money of an order.
    pub(super) fn outlook(&self, position: u32, record: &Record) -> Outlook {
        self.with_attempts(position, record, |attempts| outlook(attempts, self.due(position, record)))
    }

    /// What is to be done with the money of an order.
    pub(super) fn payment_steps(&self, position: u32, record: &Record) -> Steps {
        self.with_attempts(position, record, |attempts| steps(attempts, self.due(position, record)))
    }

    /// What is to be paid of an order yet: what is due and neither there nor set aside. Nothing of one that was said to
    /// be paid and has no attempts.
    pub(super) fn missing(&self, position: u32, record: &Record) -> Price {
        missing(self.accounts.of(position), self.due(position, record))
    }

    /// Whether nothing more of an order is to leave: it is held, or was confirmed by money that is not there any more.
    pub(super) fn is_stopped(&self, position: u32, record: &Record) -> bool {
        record.is_held() || self.missing(position, record) > 0
    }

    /// Whether every attempt to pay an order was in vain.
    pub(super) fn has_failed(&self, position: u32) -> bool {
        let record = self.orders.record(position);
        let told = self.accounts.of(position);
        !told.is_empty() && told.iter().all(Attempt::is_vain) && !self.has_implicit_attempt(position, record)
    }

    /// What must be so of the attempts of an order, and of what is wanted of them.
    pub(super) fn check_account(&self, position: u32, record: &Record) -> Result<(), String> {
        let order = record.order;
        for attempt in self.accounts.of(position) {
            attempt.check().map_err(|what| format!("of an attempt to pay {order} {what}: {attempt:?}"))?;
        }
        let is_known = |id| self.accounts.of(position).iter().any(|attempt| attempt.id == id);
        if !self.accounts.ends.of(position).all(|(id, _)| is_known(id)) {
            return Err(format!("an authorisation of {order} ends that there is not"));
        }
        if record.marks.has(Marks::PAYMENT_FAILED) != self.has_failed(position) {
            return Err(format!("{order} is marked as one whose payments failed, or is not"));
        }
        let want = self.wants.get(position, Effect::Payment);
        if want.is_some_and(|want| want.is_open() && want.wanted == 1) && !self.payment_steps(position, record).any() {
            return Err(format!("something is wanted of the money of {order}, and nothing ever was to be done"));
        }
        Ok(())
    }

    /// Money of markets is that of their orders, and of those that were closed.
    pub(super) fn check_money(&self) -> Result<(), String> {
        let mut sums = BTreeMap::<MarketId, Money>::new();
        let mut count = 0;
        for (position, record) in self.orders.records() {
            let attempts = self.accounts.of(position);
            count += attempts.len() as u64 + u64::from(self.has_implicit_attempt(position, record));
            if !attempts.is_empty() || self.has_implicit_attempt(position, record) {
                sums.entry(record.order.market()).or_default().add(record.currency, attempts);
            }
        }
        if count != self.accounts.len() {
            return Err(format!("{} attempts to pay are {count}", self.accounts.len()));
        }
        for (number, _) in self.open_markets() {
            let Ok(market) = self.market(number) else { continue };
            let mut all = sums.remove(&number).unwrap_or_default();
            market.gone_money.iter().for_each(|(currency, gone)| all.add_sums(currency, gone));
            if all != market.money {
                return Err(format!("the money of {number} is {:?}, its orders say {all:?}", market.money));
            }
        }
        Ok(())
    }

    /// The attempts of an order, for whoever looks at it.
    pub(super) fn payment_views(&self, position: u32, record: &Record) -> Vec<PaymentView> {
        self.with_attempts(position, record, |attempts| {
            if attempts.is_empty() {
                return Vec::new();
            }
            let steps = steps(attempts, self.due(position, record));
            let view = |(attempt, step): (&Attempt, _)| PaymentView {
                attempt: attempt.id,
                method: attempt.method,
                stage: attempt.stage,
                failure: attempt.failure,
                dispute: attempt.dispute,
                authorised: attempt.authorised,
                captured: attempt.captured,
                refunded: attempt.refunded,
                refund_asked: attempt.refund_asked,
                refund_failed: attempt.refund_failed,
                charged_back: attempt.charged_back,
                until: self.accounts.ends.get((position, attempt.id)),
                step,
            };
            attempts.iter().zip(steps.iter()).map(view).collect()
        })
    }
}
