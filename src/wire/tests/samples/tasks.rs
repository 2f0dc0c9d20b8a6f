//! Tasks, and what orders wait for.

use super::Ingredients;
use crate::base::OrderNumber;
use crate::engine::query::{OrderRow, OrderWaits, TaskPage, TaskRow, WaitRow};
use crate::engine::{Effect, TASKS, TaskKind, TaskPlace, Wait};

impl Ingredients {
    pub(super) fn task_kind(&self) -> TaskKind {
        TaskKind::ALL[usize::from(self.pick) % TASKS]
    }

    pub(super) fn task_place(&self) -> Option<TaskPlace> {
        let (since, number) = (self.time(2), OrderNumber(self.word(3)));
        self.yes(2).then_some(TaskPlace { since, number, kind: self.task_kind() })
    }

    /// As many as there are codes, which are their words.
    pub(super) fn task_page(&self, order: OrderRow) -> TaskPage {
        let (kind, since, amount, currency) = (self.task_kind(), self.time(5), self.word(6), self.currency());
        let row = |words: &str| TaskRow { kind, since, order, amount, currency, words: words.to_owned() };
        TaskPage { rows: self.codes.codes().iter().map(row).collect(), next: self.task_place() }
    }

    pub(super) fn order_waits(&self) -> OrderWaits {
        let others = [
            Wait::Payment,
            Wait::Attempt,
            Wait::Effect(Effect::Payment),
            Wait::Effect(Effect::Release),
            Wait::Owed,
            Wait::Warehouse,
        ];
        let all: Vec<Wait> = others.into_iter().chain(TaskKind::ALL.map(Wait::Task)).collect();
        let (since, until, amount) = (self.time(1), self.time(4), self.word(5));
        let row = |(at, words): (usize, &str)| WaitRow {
            what: all[(usize::from(self.pick) + at) % all.len()],
            since,
            until,
            amount,
            words: words.to_owned(),
        };
        OrderWaits { currency: self.currency(), rows: self.codes.codes().iter().enumerate().map(row).collect() }
    }
}
