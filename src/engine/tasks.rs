//! Tasks: which orders somebody has to look at, why, and since when.
//!
//! ```text
//! order changes ──► causes of every kind, asked of its state ──┬─ a new one ──► listed since now
//!                                                              ├─ still there ► stays where it stands
//!                                                              └─ gone ───────► off the list
//! ```
//!
//! # Always true
//! - A task is there exactly while its cause is: nothing makes one but the order's state, and nothing else ends one.
//! - An order without a task costs a look at its marks. One is looked at closer while it is held, was put back or has a
//!   task, and whenever something is told of its money or an effect of it is set aside.
//! - Where a task stands follows from its order and from since when it is there, so it is the same after a restart.
//! - A task whose time is still to come is listed, and nobody is told of it before: log time alone makes it show.
//! # Not here
//! - The kinds and their words: `task`. What else an order waits for: `waits`.
//! # Why so
//! A list of its own would have to be ticked off, and would differ from the orders sooner or later. Only what the state
//! does not say is kept beside it: since when, that units were put back, and what of a refund that failed is open.

use std::collections::{BTreeMap, BTreeSet};
use std::iter::Peekable;

use super::Engine;
use super::attempt::Attempt;
use super::effect::Effect;
use super::ends::Ending;
use super::marks::Marks;
use super::orders::{DrawRecord, Record};
use super::payment::Dispute;
use super::query::{OrderRow, TaskPage, TaskRow};
use super::read::check_page;
use super::refusal::Refusal;
use super::steps::{refundable, to_price};
use super::task::{TASKS, TaskKind, TaskPlace};
use crate::base::limits::{LINES_PER_LOOK, PAGE_SCAN_MAX, TASK_WORDS_BYTES_MAX};
use crate::base::{ChangeId, MarketId, OrderNumber, Price, Timestamp};

/// What a task is found by among those of its kind.
type Key = (MarketId, Timestamp, OrderNumber);

/// Of a task of which the state does not say since when it is there.
const UNSAID: Timestamp = Timestamp::ZERO;

/// The tasks of all orders.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    /// By kind; with the position of the order.
    lists: [BTreeMap<Key, u32>; TASKS],
    /// By position of the order.
    since: BTreeMap<(u32, TaskKind), Timestamp>,
    /// Refunds that failed, by position of the order.
    refunds: BTreeMap<u32, FailedRefunds>,
    /// Of the authorisations that end, those whose time is still to come: when, and the position of the order.
    coming: BTreeSet<(Timestamp, u32)>,
    /// Log time that has come, as far as anybody told it here.
    come: Timestamp,
}

/// What became of what was asked back of an order, once something of it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FailedRefunds {
    /// Failed, and nobody has asked for it again.
    open: u128,
    /// What had been asked, and what had failed, when this was reckoned.
    asked: u128,
    failed: u128,
}

impl FailedRefunds {
    fn sums(attempts: &[Attempt]) -> (u128, u128) {
        let sum = |amount: fn(&Attempt) -> Price| attempts.iter().map(|attempt| u128::from(amount(attempt))).sum();
        (sum(|attempt| attempt.refund_asked), sum(|attempt| attempt.refund_failed))
    }
}

const fn key(record: &Record, since: Timestamp) -> Key {
    (record.order.market(), since, record.number)
}

impl Tasks {
    /// Tasks of each kind that show, all markets together.
    pub(super) fn counts(&self) -> [u64; TASKS] {
        let mut counts = self.listed();
        counts[TaskKind::AuthorisationEnds.index()] -= self.coming.len() as u64;
        counts
    }

    /// Tasks of each kind, those included that are still to come.
    fn listed(&self) -> [u64; TASKS] {
        std::array::from_fn(|index| self.lists[index].len() as u64)
    }

    /// Log time has come to this.
    pub(super) fn handle_time(&mut self, now: Timestamp) {
        self.come = self.come.max(now);
        while self.next().is_some_and(|since| since <= self.come) {
            self.coming.pop_first();
        }
    }

    /// When the next of those shows that are still to come.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.coming.first().map(|(since, _)| *since)
    }

    /// Since when an order has a task of a kind, or from when on it will.
    pub(super) fn since(&self, position: u32, kind: TaskKind) -> Option<Timestamp> {
        self.since.get(&(position, kind)).copied()
    }

    /// What of refunds that failed nobody has asked for again; `None` of an order of which none failed.
    pub(super) fn open_refund(&self, position: u32) -> Option<u128> {
        self.refunds.get(&position).map(|refunds| refunds.open)
    }

    /// An order has a task of a kind since then, or has none.
    fn set(&mut self, (position, record): (u32, &Record), kind: TaskKind, since: Option<Timestamp>) {
        let before = match since {
            Some(since) => self.since.insert((position, kind), since),
            None => self.since.remove(&(position, kind)),
        };
        if before == since {
            return;
        }
        let list = &mut self.lists[kind.index()];
        if let Some(before) = before {
            list.remove(&key(record, before));
            if kind == TaskKind::AuthorisationEnds {
                self.coming.remove(&(before, position));
            }
        }
        if let Some(since) = since {
            list.insert(key(record, since), position);
            if kind == TaskKind::AuthorisationEnds && since > self.come {
                self.coming.insert((since, position));
            }
        }
    }

    /// Keeps up with what is asked back, and what of it fails.
    fn follow_refunds(&mut self, position: u32, attempts: &[Attempt]) {
        let (asked, failed) = FailedRefunds::sums(attempts);
        if failed == 0 {
            return;
        }
        let new = FailedRefunds { open: 0, asked, failed: 0 };
        let refunds = self.refunds.entry(position).or_insert(new);
        let open = refunds.open + failed.saturating_sub(refunds.failed);
        *refunds = FailedRefunds { open: open.saturating_sub(asked.saturating_sub(refunds.asked)), asked, failed };
    }

    /// Tasks of one kind in a market that show by now, the oldest first, from this one on.
    fn from(
        &self,
        market: MarketId,
        kind: TaskKind,
        (first, now): (TaskPlace, Timestamp),
    ) -> impl Iterator<Item = (TaskPlace, u32)> {
        let range = self.lists[kind.index()].range((market, first.since, first.number)..);
        let shown = range.take_while(move |((of, since, _), _)| *of == market && *since <= now);
        shown.map(move |((_, since, number), position)| (TaskPlace { since: *since, number: *number, kind }, *position))
    }
}

impl Engine {
    /// Looks whether an order that changed has something to do with tasks at all.
    #[inline]
    pub(super) fn review_tasks(&mut self, position: u32, at: Timestamp) {
        if self.orders.record(position).marks.has(Marks::HELD | Marks::PUT_BACK | Marks::HAS_TASKS) {
            self.settle_tasks(position, at);
        }
    }

    /// The same of an order of which something was told that may make a task of its money.
    pub(super) fn review_account(&mut self, position: u32, at: Timestamp) {
        if !self.accounts.of(position).is_empty() {
            self.settle_tasks(position, at);
        }
    }

    /// Brings the tasks of an order in line with its state.
    #[cold]
    pub(super) fn settle_tasks(&mut self, position: u32, at: Timestamp) {
        self.tasks.follow_refunds(position, self.accounts.of(position));
        let mut has_any = false;
        for kind in TaskKind::ALL {
            let record = self.orders.record(position);
            let since = self.cause(position, record, kind).map(|since| match since {
                UNSAID => self.tasks.since(position, kind).unwrap_or(at),
                said => said,
            });
            has_any |= since.is_some();
            self.tasks.set((position, record), kind, since);
        }
        let is_put_back = self.tasks.since(position, TaskKind::PutBack).is_some();
        self.orders.set_mark(position, Marks::PUT_BACK, is_put_back);
        self.orders.set_mark(position, Marks::HAS_TASKS, has_any);
    }

    /// Forgets the tasks of an order that is closed.
    pub(super) fn drop_tasks(&mut self, position: u32) {
        if self.orders.record(position).marks.has(Marks::HAS_TASKS) {
            let record = self.orders.record(position);
            TaskKind::ALL.into_iter().for_each(|kind| self.tasks.set((position, record), kind, None));
            self.orders.set_mark(position, Marks::HAS_TASKS, false);
        }
        self.tasks.refunds.remove(&position);
    }

    /// Whether an order has a task of this kind, and since when, as far as its state says.
    fn cause(&self, position: u32, record: &Record, kind: TaskKind) -> Option<Timestamp> {
        let is_open = record.state.is_open();
        match kind {
            TaskKind::Held => self.holds.of(record).iter().map(|hold| hold.since).min().filter(|_| is_open),
            TaskKind::PaymentAside => self.aside_since(position, Effect::Payment),
            TaskKind::ReleaseAside => self.aside_since(position, Effect::Release),
            TaskKind::CheckAside => self.aside_since(position, Effect::Check),
            TaskKind::Disputed => self.is_disputed(position).then_some(UNSAID),
            TaskKind::RefundFailed => (self.failed_refund(position, record) > 0).then_some(UNSAID),
            TaskKind::Unpaid => {
                let is_paid_for = is_open && !record.state.awaits_payment();
                (is_paid_for && self.missing(position, record) > 0).then_some(UNSAID)
            }
            TaskKind::PutBack => (record.marks.has(Marks::PUT_BACK) && self.owed_units(record) > 0).then_some(UNSAID),
            TaskKind::AuthorisationEnds => {
                self.endings(position, record).first().map(|ending| Self::notice(record, ending))
            }
        }
    }

    /// What a task is about by now: how much money, and words for people.
    pub(super) fn tell_task(
        &self,
        (position, record): (u32, &Record),
        kind: TaskKind,
        now: Timestamp,
    ) -> (Price, String) {
        let (amount, words) = match kind {
            TaskKind::Held => {
                let holds = self.holds.of(record);
                let words = holds.first().map(|hold| format!("{} by {}", hold.reason.name(), hold.owner));
                (0, words.unwrap_or_default() + &and_more(holds.len()))
            }
            TaskKind::PaymentAside => self.tell_aside(position, Effect::Payment),
            TaskKind::ReleaseAside => self.tell_aside(position, Effect::Release),
            TaskKind::CheckAside => self.tell_aside(position, Effect::Check),
            TaskKind::Disputed => {
                let disputed = || self.accounts.of(position).iter().filter(|it| it.dispute == Dispute::Open);
                let amount = disputed().map(|attempt| u128::from(attempt.left())).sum();
                let words = disputed().next().map(|attempt| attempt_word(attempt.id)).unwrap_or_default();
                (to_price(amount), words + &and_more(disputed().count()))
            }
            TaskKind::RefundFailed => {
                (self.failed_refund(position, record), "asked back, and has not gone back".to_owned())
            }
            TaskKind::Unpaid => (self.missing(position, record), "neither taken nor set aside".to_owned()),
            TaskKind::PutBack => (0, format!("{} units owed, some were not found", self.owed_units(record))),
            TaskKind::AuthorisationEnds => {
                let mut endings = self.endings(position, record);
                endings.retain(|ending| Self::notice(record, ending) <= now);
                let amount = endings.iter().map(|ending| u128::from(ending.kept)).sum();
                let word = |Ending { end, id, .. }: &Ending| format!("{} until {}", attempt_word(*id), end.utc());
                (to_price(amount), endings.first().map(word).unwrap_or_default() + &and_more(endings.len()))
            }
        };
        assert!(words.len() <= TASK_WORDS_BYTES_MAX, "law: the words of a task have a most: {words}");
        (amount, words)
    }

    fn aside_since(&self, position: u32, effect: Effect) -> Option<Timestamp> {
        let want = self.wants.get(position, effect)?;
        want.aside.map(|_| want.since)
    }

    fn tell_aside(&self, position: u32, effect: Effect) -> (Price, String) {
        let (action, amount) = self.action(position, effect);
        let want = self.wants.get(position, effect);
        let reason = want.and_then(|want| want.aside).map_or("", |reason| reason.name());
        (amount, format!("{} {}: {reason}", action.name(), want.map_or(0, |want| want.wanted)))
    }

    /// What was asked back, failed, was not asked for again, and is there: as much as may be asked for now.
    fn failed_refund(&self, position: u32, record: &Record) -> Price {
        let open = self.tasks.open_refund(position).map_or(0, to_price);
        if open == 0 { 0 } else { open.min(refundable(self.accounts.of(position), self.due(position, record))) }
    }

    /// Units that an order is owed.
    pub(super) fn owed_units(&self, record: &Record) -> u64 {
        let owed = self.orders.draws(record).iter().filter(|draw: &&DrawRecord| draw.is_owed());
        owed.map(|draw| u64::from(draw.units.held())).sum()
    }

    /// Tasks of a market that show by now, of one kind or of all, the oldest first, behind a place. Looks at a bounded
    /// number of lines, so a page may be short and still go on.
    ///
    /// # Errors
    /// Unknown market; more rows asked than a page has.
    pub fn tasks(
        &self,
        market: MarketId,
        kind: Option<TaskKind>,
        after: Option<TaskPlace>,
        rows_max: u16,
        now: Timestamp,
    ) -> Result<TaskPage, Refusal> {
        check_page(rows_max)?;
        self.market(market)?;
        let begin = TaskPlace { since: Timestamp::ZERO, number: OrderNumber(0), kind: TaskKind::Held };
        let first = after.unwrap_or(begin);
        let kinds = TaskKind::ALL.into_iter().filter(|it| kind.is_none_or(|kind| kind == *it));
        let mut lists: Vec<_> = kinds
            .map(|kind| {
                let behind = self.tasks.from(market, kind, (first, now));
                behind.filter(move |(place, _)| after.is_none_or(|after| *place > after)).peekable()
            })
            .collect();
        let (mut page, mut looks) = (TaskPage { rows: Vec::new(), next: None }, PAGE_SCAN_MAX);
        while let Some((place, position)) = take_first(&mut lists) {
            if looks == 0 || page.rows.len() == usize::from(rows_max) {
                page.next = page.rows.last().map(TaskRow::place);
                break;
            }
            let record = self.orders.record(position);
            looks =
                looks.saturating_sub(1 + (usize::from(record.lines.len) + record.draws.len as usize) / LINES_PER_LOOK);
            let Record { order, number, state, deadline, currency, .. } = *record;
            let (amount, words) = self.tell_task((position, record), place.kind, now);
            let order = OrderRow { order, number, state, deadline };
            page.rows.push(TaskRow { kind: place.kind, since: place.since, order, amount, currency, words });
        }
        Ok(page)
    }

    /// Log time has come to this: tasks show that were still to come, and are counted.
    pub fn handle_time(&mut self, now: Timestamp) {
        self.tasks.handle_time(now);
    }

    /// When log time alone makes the next task show.
    #[must_use]
    pub fn next_task(&self) -> Option<Timestamp> {
        self.tasks.next()
    }

    /// Tasks of each kind of all orders of the shard, in the order of the kinds: those that show.
    #[must_use]
    pub fn task_counts(&self) -> [u64; TASKS] {
        self.tasks.counts()
    }

    /// Tasks of an order as they were: since when, of those of which the state does not say so, and what of a refund is
    /// open. What they follow from has been restored.
    pub(super) fn restore_tasks(
        &mut self,
        position: u32,
        since: &[(TaskKind, Timestamp)],
        open_refund: u128,
    ) -> Result<(), &'static str> {
        let accepted_at = self.orders.record(position).accepted_at;
        if let Some(refunds) = self.tasks.refunds.get_mut(&position) {
            refunds.open = open_refund;
            if refunds.open > refunds.failed {
                return Err("more of a refund is open than failed");
            }
        }
        let is_put_back = since.iter().any(|(kind, _)| *kind == TaskKind::PutBack);
        self.orders.set_mark(position, Marks::PUT_BACK, is_put_back);
        for (kind, since) in since {
            let record = self.orders.record(position);
            if self.cause(position, record, *kind) != Some(UNSAID) {
                return Err("an order has a task without a cause");
            }
            self.tasks.set((position, record), *kind, Some(*since));
        }
        self.settle_tasks(position, accepted_at);
        Ok(())
    }

    /// Since when an order has tasks of which its state does not say so.
    pub(super) fn unsaid_tasks(&self, position: u32, record: &Record) -> Vec<(TaskKind, Timestamp)> {
        if !record.marks.has(Marks::HAS_TASKS) {
            return Vec::new();
        }
        let unsaid = TaskKind::ALL.into_iter().filter(|kind| self.cause(position, record, *kind) == Some(UNSAID));
        unsaid.filter_map(|kind| Some((kind, self.tasks.since(position, kind)?))).collect()
    }

    /// What must be so of the tasks of an order: they are those that its state has a cause for, and no others.
    pub(super) fn check_tasks(&self, position: u32, record: &Record) -> Result<(), String> {
        let (mut has_any, order) = (false, record.order);
        for kind in TaskKind::ALL {
            let (cause, since) = (self.cause(position, record, kind), self.tasks.since(position, kind));
            let is_told = match (cause, since) {
                (None, None) => true,
                (Some(cause), Some(since)) => {
                    let listed = self.tasks.lists[kind.index()].get(&key(record, since));
                    has_any = true;
                    (cause == UNSAID || cause == since) && listed == Some(&position)
                }
                (Some(_), None) | (None, Some(_)) => false,
            };
            if !is_told {
                return Err(format!("{order} has cause {cause:?} for {}, and has it since {since:?}", kind.name()));
            }
        }
        if record.marks.has(Marks::HAS_TASKS) != has_any {
            return Err(format!("{order} is marked as one that has tasks, or is not"));
        }
        if record.marks.has(Marks::PUT_BACK) != self.tasks.since(position, TaskKind::PutBack).is_some() {
            return Err(format!("{order} is marked as one that was put back, or is not"));
        }
        let (asked, failed) = FailedRefunds::sums(self.accounts.of(position));
        match self.tasks.refunds.get(&position) {
            None if failed == 0 => Ok(()),
            Some(it) if it.open <= failed && (it.asked, it.failed) == (asked, failed) => Ok(()),
            refunds => Err(format!("{failed} of what was asked back of {order} failed, and {refunds:?} is kept")),
        }
    }

    /// Tasks are listed once each, and are those of orders that there are.
    pub(super) fn check_task_lists(&self) -> Result<(), String> {
        let listed: u64 = self.tasks.listed().iter().sum();
        let of_orders = self.orders.records().map(|(position, _)| {
            TaskKind::ALL.into_iter().filter(|kind| self.tasks.since(position, *kind).is_some()).count() as u64
        });
        let (of_orders, kept) = (of_orders.sum::<u64>(), self.tasks.since.len() as u64);
        let lists = &self.tasks.lists[TaskKind::AuthorisationEnds.index()];
        let is_coming = |(since, position): &(Timestamp, u32)| {
            lists.get(&key(self.orders.record(*position), *since)) == Some(position) && *since > self.tasks.come
        };
        let to_come = lists.keys().filter(|(_, since, _)| *since > self.tasks.come).count();
        if self.tasks.coming.len() != to_come || !self.tasks.coming.iter().all(is_coming) {
            return Err(format!("{to_come} tasks are still to come, {:?} are kept", self.tasks.coming));
        }
        if listed == of_orders && kept == of_orders {
            Ok(())
        } else {
            Err(format!("orders have {of_orders} tasks, {listed} are listed, of {kept} is known since when"))
        }
    }
}

/// The oldest task of all lists, taken from its own.
fn take_first(lists: &mut [Peekable<impl Iterator<Item = (TaskPlace, u32)>>]) -> Option<(TaskPlace, u32)> {
    let firsts = lists.iter_mut().enumerate().filter_map(|(list, tasks)| Some((tasks.peek()?.0, list)));
    let (_, list) = firsts.min()?;
    lists[list].next()
}

fn and_more(count: usize) -> String {
    if count > 1 { format!(", and {} more", count - 1) } else { String::new() }
}

pub(super) fn attempt_word(id: ChangeId) -> String {
    if id == ChangeId::HANDED_OFF { "attempt of the adapters".to_owned() } else { format!("attempt {id}") }
}
