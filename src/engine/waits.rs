//! What one order waits for: why it goes no further, in words.
//!
//! # Always true
//! - It is reckoned when somebody asks, from the order alone, and bounded by what one order may have.
//! - An order that waits for nothing has no rows: one that is over, with nothing left to be done or looked at.
//! # Not here
//! - Which of it is a task, and the list of all of them: `tasks`.

use super::Engine;
use super::effect::Effect;
use super::orders::{DrawRecord, Phase, Record};
use super::payment::Step;
use super::query::{OrderWaits, WaitRow};
use super::refusal::Refusal;
use super::task::{TaskKind, Wait};
use super::tasks::attempt_word;
use crate::base::limits::{HOLDS_PER_ORDER_MAX, ORDER_WAITS_MAX, PAYMENT_ATTEMPTS_MAX};
use crate::base::{OrderId, Price, Timestamp};

/// Whatever an order has, some lines that are owed something are told one by one.
const _: () = {
    let attempts = PAYMENT_ATTEMPTS_MAX + 1;
    let effects = super::effect::EFFECTS;
    assert!(HOLDS_PER_ORDER_MAX + super::task::TASKS + attempts + effects + 8 < ORDER_WAITS_MAX);
};

const fn row(what: Wait, since: Timestamp, amount: Price, words: String) -> WaitRow {
    WaitRow { what, since, until: Timestamp::ZERO, amount, words }
}

impl Engine {
    /// Everything that an order waits for by now.
    ///
    /// # Errors
    /// Unknown market or order.
    pub fn waits(&self, order: OrderId, now: Timestamp) -> Result<OrderWaits, Refusal> {
        self.market(order.market())?;
        let position = self.orders.find(order).ok_or(Refusal::UnknownOrder)?;
        let record = self.orders.record(position);
        let mut rows = Vec::new();
        if record.phase == Phase::Whole {
            self.wait_for_people((position, record), now, &mut rows);
            self.wait_for_money(position, record, &mut rows);
            self.wait_for_adapters(position, &mut rows);
            self.wait_for_goods(position, record, &mut rows);
        }
        Ok(OrderWaits { currency: record.currency, rows })
    }

    /// Its tasks; of its holds each by itself.
    fn wait_for_people(&self, (position, record): (u32, &Record), now: Timestamp, rows: &mut Vec<WaitRow>) {
        for kind in TaskKind::ALL {
            let Some(since) = self.tasks.since(position, kind).filter(|since| *since <= now) else { continue };
            if kind == TaskKind::Held {
                rows.extend(self.holds.of(record).iter().map(|hold| {
                    row(Wait::Task(kind), hold.since, 0, format!("{} by {}", hold.reason.name(), hold.owner))
                }));
            } else {
                let (amount, words) = self.tell_task((position, record), kind, now);
                let ends =
                    if kind == TaskKind::AuthorisationEnds { self.endings(position, record) } else { Vec::new() };
                let until = ends.first().map_or(Timestamp::ZERO, |ending| ending.end);
                rows.push(WaitRow { until, ..row(Wait::Task(kind), since, amount, words) });
            }
        }
    }

    /// Its payment, and attempts that have begun or are to be done something with.
    fn wait_for_money(&self, position: u32, record: &Record, rows: &mut Vec<WaitRow>) {
        if record.state.awaits_payment() {
            let words = format!("{} is to be paid", record.payment.name());
            let paid = row(Wait::Payment, record.accepted_at, self.missing(position, record), words);
            rows.push(WaitRow { until: record.deadline, ..paid });
        }
        for payment in self.payment_views(position, record) {
            let next = match payment.step {
                Step::Nothing if !payment.stage.is_begun() => continue,
                Step::Nothing => String::new(),
                Step::Charge { .. } | Step::Capture { .. } | Step::GiveBack { .. } | Step::Close => {
                    format!(", next: {}", payment.step.name())
                }
            };
            let words = format!("{} is {}{next}", attempt_word(payment.attempt), payment.stage.name());
            let amount = match payment.step {
                Step::Nothing | Step::Close => 0,
                Step::Charge { amount } => amount,
                Step::Capture { total } => total - payment.captured,
                Step::GiveBack { total } => total - payment.refunded,
            };
            rows.push(row(Wait::Attempt, Timestamp::ZERO, amount, words));
        }
    }

    /// Effects that are wanted; those set aside are tasks.
    fn wait_for_adapters(&self, position: u32, rows: &mut Vec<WaitRow>) {
        for effect in Effect::ALL {
            let want = self.wants.get(position, effect).filter(|want| want.is_open() && want.aside.is_none());
            let Some(want) = want else { continue };
            let (action, amount) = self.action(position, effect);
            let words = format!("{} {}", action.name(), want.wanted);
            rows.push(row(Wait::Effect(effect), want.since, amount, words));
        }
    }

    /// Units that it is owed, line by line as far as there is room, and those that its warehouse may hand over.
    fn wait_for_goods(&self, position: u32, record: &Record, rows: &mut Vec<WaitRow>) {
        let units = self.orders.line_units(record).map(|units| units.owed);
        let owed: Vec<(usize, u32)> = units.enumerate().filter(|(_, units)| *units > 0).collect();
        // The warehouse, and lines that are told together, need a row each.
        let room = ORDER_WAITS_MAX.saturating_sub(rows.len() + 2);
        let wait = |words| row(Wait::Owed, Timestamp::ZERO, 0, words);
        let (told, rest) = owed.split_at(owed.len().min(room));
        rows.extend(told.iter().map(|(line, units)| wait(format!("{units} units of line {line}"))));
        if !rest.is_empty() {
            let units: u64 = rest.iter().map(|(_, units)| u64::from(*units)).sum();
            rows.push(wait(format!("{units} units of {} lines more", rest.len())));
        }
        let there = self.orders.draws(record).iter().filter(|draw: &&DrawRecord| !draw.is_owed());
        let committed: u64 = there.map(|draw| u64::from(draw.units.committed)).sum();
        let is_told = self.wants.get(position, Effect::Release).is_none_or(|want| !want.is_open());
        if committed > 0 && is_told && !self.is_stopped(position, record) {
            let words = format!("{committed} units to be handed over");
            rows.push(row(Wait::Warehouse, Timestamp::ZERO, 0, words));
        }
    }
}
