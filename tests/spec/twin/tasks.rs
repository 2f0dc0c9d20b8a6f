//! Tasks in the twin: after every step every order is asked for every reason why somebody has to look at it.

use stockade::base::limits::{ORDER_WAITS_MAX, PAGE_ROWS_MAX};
use stockade::base::{Currency, MarketId, OrderId, Timestamp};
use stockade::engine::order::State;
use stockade::engine::query::OrderRow;
use stockade::engine::refusal::Field;
use stockade::engine::{Effect, Refusal, TaskKind, TaskPlace, Wait};

use super::account::{Said, is_begun, price};
use super::order::{Order, Record, Unit};
use super::{Twin, out_of_bounds};

/// A row of the list, for comparison: kind, since when, which order, how much money.
pub(crate) type Task = (TaskKind, Timestamp, OrderRow, u64, Currency);

/// Something that an order waits for: what, since and until when, how much money.
pub(crate) type Waited = (Wait, Timestamp, Timestamp, u64);

impl Twin {
    /// Notes who has to be looked at now; called after everything that may change an order.
    pub(super) fn note_tasks(&mut self, now: Timestamp) {
        for record in self.markets.values_mut().flat_map(|market| market.orders.values_mut()) {
            if let Record::Order(order) = record {
                order.note_tasks(now);
            }
        }
    }

    /// Every task of a market whose time has come, the oldest first.
    pub(crate) fn tasks(&self, market: MarketId, now: Timestamp) -> Vec<Task> {
        let market = &self.markets[&market];
        let mut tasks: Vec<Task> = Vec::new();
        for (id, record) in market.orders.iter().filter(|(id, _)| !market.closed.contains(id)) {
            let Record::Order(order) = record else { continue };
            let task = |(kind, since): (&TaskKind, &Timestamp)| {
                (*kind, *since, order.row(*id), order.amount(*kind, now), order.asked.currency)
            };
            tasks.extend(order.tasks.iter().filter(|(_, since)| **since <= now).map(task));
        }
        tasks.sort_by_key(|(kind, since, order, ..)| (*since, order.number, *kind));
        tasks
    }

    /// One page of them: the rows, and where it goes on.
    pub(crate) fn task_page(
        &self,
        market: MarketId,
        kind: Option<TaskKind>,
        after: Option<TaskPlace>,
        (rows_max, now): (u16, Timestamp),
    ) -> Result<(Vec<Task>, Option<TaskPlace>), Refusal> {
        if rows_max == 0 || usize::from(rows_max) > PAGE_ROWS_MAX {
            return Err(out_of_bounds(Field::Rows, 1, PAGE_ROWS_MAX as u64));
        }
        self.market(market)?;
        let mut tasks = self.tasks(market, now);
        tasks.retain(|task| kind.is_none_or(|kind| kind == task.0) && after.is_none_or(|after| place(task) > after));
        let is_last = tasks.len() <= usize::from(rows_max);
        tasks.truncate(usize::from(rows_max));
        let next = tasks.last().map(place).filter(|_| !is_last);
        Ok((tasks, next))
    }

    /// What an order waits for, in the order in which it is told.
    pub(crate) fn waits(&self, id: OrderId, now: Timestamp) -> Result<Vec<Waited>, Refusal> {
        let market = self.market(id.market())?;
        match market.known(id) {
            None => Err(Refusal::UnknownOrder),
            Some(Record::Order(order)) if !market.closed.contains(&id) => Ok(order.waits(now)),
            Some(_) => Ok(Vec::new()),
        }
    }
}

fn place(task: &Task) -> TaskPlace {
    TaskPlace { since: task.1, number: task.2.number, kind: task.0 }
}

impl Order {
    fn note_tasks(&mut self, now: Timestamp) {
        let is_owed_some = self.units().any(Unit::is_owed);
        self.was_put_back &= is_owed_some;
        let before = std::mem::take(&mut self.tasks);
        for kind in TaskKind::ALL {
            if !self.has_task(kind) {
                continue;
            }
            let said = match kind {
                TaskKind::Held => self.holds.iter().map(|hold| hold.since).min(),
                TaskKind::PaymentAside => self.aside_since(Effect::Payment),
                TaskKind::ReleaseAside => self.aside_since(Effect::Release),
                TaskKind::CheckAside => self.aside_since(Effect::Check),
                TaskKind::AuthorisationEnds => self.endings().first().map(|(_, since, _)| *since),
                TaskKind::Disputed | TaskKind::RefundFailed | TaskKind::Unpaid | TaskKind::PutBack => None,
            };
            let since = said.or_else(|| before.get(&kind).copied()).unwrap_or(now);
            self.tasks.insert(kind, since);
        }
    }

    fn has_task(&self, kind: TaskKind) -> bool {
        let is_open = self.state().is_open();
        match kind {
            TaskKind::Held => is_open && !self.holds.is_empty(),
            TaskKind::PaymentAside => self.aside_since(Effect::Payment).is_some(),
            TaskKind::ReleaseAside => self.aside_since(Effect::Release).is_some(),
            TaskKind::CheckAside => self.aside_since(Effect::Check).is_some(),
            TaskKind::Disputed => self.is_disputed(),
            TaskKind::RefundFailed => self.failed_refund() > 0,
            TaskKind::Unpaid => is_open && !self.is_unpaid() && self.missing() > 0,
            TaskKind::PutBack => self.was_put_back,
            TaskKind::AuthorisationEnds => !self.endings().is_empty(),
        }
    }

    /// How much money a task is about.
    fn amount(&self, kind: TaskKind, now: Timestamp) -> u64 {
        match kind {
            TaskKind::Held | TaskKind::PutBack => 0,
            TaskKind::PaymentAside => self.action(Effect::Payment).1,
            TaskKind::ReleaseAside => self.action(Effect::Release).1,
            TaskKind::CheckAside => self.action(Effect::Check).1,
            TaskKind::Disputed => price(self.in_dispute()),
            TaskKind::RefundFailed => price(self.failed_refund()),
            TaskKind::Unpaid => price(self.missing()),
            TaskKind::AuthorisationEnds => {
                price(self.endings().iter().filter(|(_, since, _)| *since <= now).map(|(.., kept)| kept).sum())
            }
        }
    }

    /// What failed to go back and was not asked for again, as far as it may be asked for: gone through from the first
    /// word that was said of its payments.
    fn failed_refund(&self) -> u128 {
        let sums = |said: &[Said]| {
            let attempts = Self { said: said.to_vec(), ..self.clone() }.attempts();
            let sum =
                |amount: fn(&super::account::Attempt) -> u64| attempts.iter().map(|it| u128::from(amount(it))).sum();
            let sums: [u128; 2] = [sum(|it| it.view.refund_asked), sum(|it| it.view.refund_failed)];
            sums
        };
        if sums(&self.said)[1] == 0 {
            return 0;
        }
        let (mut open, mut before) = (0, [0, 0]);
        for said in 1..=self.said.len() {
            let now = sums(&self.said[..said]);
            open = (open + now[1] - before[1]).saturating_sub(now[0] - before[0]);
            before = now;
        }
        open.min(self.refundable())
    }

    fn waits(&self, now: Timestamp) -> Vec<Waited> {
        let mut waits: Vec<Waited> = Vec::new();
        let never = Timestamp::ZERO;
        for (kind, since) in self.tasks.iter().filter(|(_, since)| **since <= now) {
            match kind {
                TaskKind::Held => {
                    waits.extend(self.holds.iter().map(|hold| (Wait::Task(*kind), hold.since, never, 0)));
                }
                TaskKind::AuthorisationEnds => {
                    waits.push((Wait::Task(*kind), *since, self.endings()[0].0, self.amount(*kind, now)));
                }
                _ => waits.push((Wait::Task(*kind), *since, never, self.amount(*kind, now))),
            }
        }
        if self.is_unpaid() {
            waits.push((Wait::Payment, self.accepted_at, self.deadline, price(self.missing())));
        }
        for payment in self.payments() {
            let amount = payment.step.amount().unwrap_or_default();
            let amount = match payment.step.name() {
                "capture" => amount - payment.captured,
                "give_back" => amount - payment.refunded,
                _ => amount,
            };
            if is_begun(&payment) || payment.step.name() != "nothing" {
                waits.push((Wait::Attempt, never, never, amount));
            }
        }
        for effect in Effect::ALL {
            if let Some(since) = self.wanted_since(effect) {
                waits.push((Wait::Effect(effect), since, never, self.action(effect).1));
            }
        }
        let owing = self.lines.iter().filter(|units| units.iter().any(Unit::is_owed)).count();
        // As many as there is room for beside one for all others and one for the warehouse; then that for all others.
        let room = ORDER_WAITS_MAX - waits.len() - 2;
        let told = if owing > room { room + 1 } else { owing };
        waits.extend(std::iter::repeat_n((Wait::Owed, never, never, 0), told));
        let is_stopped = self.is_held() || self.missing() > 0;
        let is_there = self.units().any(Unit::can_leave) && self.state() != State::Expired;
        if is_there && !is_stopped && !self.is_open_effect(Effect::Release) {
            waits.push((Wait::Warehouse, never, never, 0));
        }
        waits
    }
}
