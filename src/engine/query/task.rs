//! Tasks as they are listed, and what one order waits for.

use super::super::task::{TaskKind, TaskPlace, Wait};
use super::OrderRow;
use crate::base::{Currency, Price, Timestamp};

/// A reason why somebody has to look at an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskRow {
    /// Why.
    pub kind: TaskKind,
    /// Log time since when.
    pub since: Timestamp,
    /// Which order.
    pub order: OrderRow,
    /// The money it is about, in minor units; 0 where it is about none.
    pub amount: Price,
    /// Of the amount.
    pub currency: Currency,
    /// For people.
    pub words: String,
}

impl TaskRow {
    /// Where it stands among those of its market.
    #[must_use]
    pub const fn place(&self) -> TaskPlace {
        TaskPlace { since: self.since, number: self.order.number, kind: self.kind }
    }
}

/// A page of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskPage {
    /// The oldest first.
    pub rows: Vec<TaskRow>,
    /// Ask again after this place; `None` at the end. A page may be short and still go on.
    pub next: Option<TaskPlace>,
}

/// Something that an order waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitRow {
    /// What.
    pub what: Wait,
    /// Log time since when; zero where nobody keeps that.
    pub since: Timestamp,
    /// Log time until when; zero where there is no end to it.
    pub until: Timestamp,
    /// The money it is about, in minor units; 0 where it is about none.
    pub amount: Price,
    /// For people.
    pub words: String,
}

/// Everything that an order waits for; nothing of one that waits for nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderWaits {
    /// Of the amounts.
    pub currency: Currency,
    /// Those that somebody has to see to first.
    pub rows: Vec<WaitRow>,
}
