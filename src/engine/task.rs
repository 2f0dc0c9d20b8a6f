//! The words of tasks: why somebody has to look at an order, and which commands may help.
//!
//! # Always true
//! - Numbers never change their meaning.
//! - A command that is suggested is one that the state of the order does not refuse.
//! # Not here
//! - Which orders have tasks: `tasks`. What else an order waits for: `waits`.

use super::effect::Effect;
use crate::base::{OrderNumber, Timestamp};

/// A command that may take the cause of a task away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// `LiftHold`.
    LiftHold,
    /// `Cancel`.
    Cancel,
    /// `CancelLines`.
    CancelLines,
    /// `ReportEffect`: to be tried again, or done by hand.
    ReportEffect,
    /// `StartPayment`.
    StartPayment,
    /// `ReportPayment`.
    ReportPayment,
    /// `RequestRefund`.
    RequestRefund,
}

impl Remedy {
    /// The word for people and for JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::LiftHold => "lift_hold",
            Self::Cancel => "cancel",
            Self::CancelLines => "cancel_lines",
            Self::ReportEffect => "report_effect",
            Self::StartPayment => "start_payment",
            Self::ReportPayment => "report_payment",
            Self::RequestRefund => "request_refund",
        }
    }
}

macro_rules! tasks {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $text:literal, [$($remedy:ident),+];)+) => {
        /// Why somebody has to look at an order. What makes one is said beside it in `tasks`, and nowhere else.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum TaskKind {
            $($(#[$doc])* $name = $number,)+
        }

        impl TaskKind {
            /// Every kind, in the order of their numbers.
            pub const ALL: [Self; TASKS] = [$(Self::$name),+];

            /// The word for people, for labels and for JSON.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// What may be done about it.
            #[must_use]
            pub const fn remedies(self) -> &'static [Remedy] {
                match self { $(Self::$name => &[$(Remedy::$remedy),+],)+ }
            }
        }

        /// How many kinds of tasks there are.
        pub const TASKS: usize = [$($number),+].len();
    };
}

tasks! {
    /// It is held: once an order, however many holds it has.
    Held = 1, "held", [LiftHold, Cancel];
    /// What is to be done with its money was tried in vain.
    PaymentAside = 2, "payment_aside", [ReportEffect];
    /// Its warehouse was told in vain.
    ReleaseAside = 3, "release_aside", [ReportEffect];
    /// Its customer disputes a payment.
    Disputed = 4, "disputed", [ReportPayment];
    /// Money that somebody asked back did not go, and nobody asked for it again.
    RefundFailed = 5, "refund_failed", [RequestRefund, ReportPayment];
    /// It was paid, and is so no longer.
    Unpaid = 6, "unpaid", [StartPayment, ReportPayment, Cancel];
    /// Units that it held were not found, and it is owed them since.
    PutBack = 7, "put_back", [CancelLines, Cancel];
    /// Whether it is to be trusted, a person is to decide.
    CheckAside = 8, "check_aside", [ReportEffect, Cancel];
    /// What is set aside for it is so no longer soon, and it is still needed: it is to be set aside again.
    AuthorisationEnds = 9, "authorisation_ends", [ReportPayment, Cancel];
}

impl TaskKind {
    /// The kind with this number; `None` for a number that names nothing.
    #[must_use]
    pub fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == byte)
    }

    pub(super) const fn index(self) -> usize {
        self as usize - 1
    }
}

/// Where a task stands among those of its market: the oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TaskPlace {
    /// Log time since when.
    pub since: Timestamp,
    /// Which order.
    pub number: OrderNumber,
    /// Why.
    pub kind: TaskKind,
}

/// What an order waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// For somebody who looks at it.
    Task(TaskKind),
    /// For its payment.
    Payment,
    /// For what an attempt to pay it comes to, or for what is to be done with that.
    Attempt,
    /// For an adapter.
    Effect(Effect),
    /// For units that it is owed.
    Owed,
    /// For its warehouse, which may hand it over.
    Warehouse,
}

/// Numbers from here on are no tasks.
const NO_TASK: u8 = 128;

impl Wait {
    /// Its number; those below 128 are numbers of tasks.
    #[must_use]
    pub const fn byte(self) -> u8 {
        match self {
            Self::Task(kind) => kind as u8,
            Self::Payment => NO_TASK,
            Self::Attempt => NO_TASK + 1,
            Self::Effect(Effect::Payment) => NO_TASK + 2,
            Self::Effect(Effect::Release) => NO_TASK + 3,
            Self::Owed => NO_TASK + 4,
            Self::Warehouse => NO_TASK + 5,
            Self::Effect(Effect::Check) => NO_TASK + 6,
        }
    }

    /// What has this number; `None` for a number that names nothing.
    #[must_use]
    pub fn from_byte(byte: u8) -> Option<Self> {
        let others = [
            Self::Payment,
            Self::Attempt,
            Self::Effect(Effect::Payment),
            Self::Effect(Effect::Release),
            Self::Owed,
            Self::Warehouse,
            Self::Effect(Effect::Check),
        ];
        let other = others.into_iter().find(|wait| wait.byte() == byte);
        other.or_else(|| TaskKind::from_byte(byte).map(Self::Task))
    }

    /// The word for people and for JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Task(kind) => kind.name(),
            Self::Payment => "payment",
            Self::Attempt => "attempt",
            Self::Effect(Effect::Payment) => "payment_wanted",
            Self::Effect(Effect::Release) => "release_wanted",
            Self::Owed => "owed",
            Self::Warehouse => "warehouse",
            Self::Effect(Effect::Check) => "check_wanted",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_tasks_and_of_what_is_waited_for_name_them() {
        let numbers: Vec<u8> = TaskKind::ALL.iter().map(|kind| *kind as u8).collect();
        assert_eq!(numbers, (1..=TASKS as u8).collect::<Vec<_>>(), "an index follows from the number");
        let named = (0..=u8::MAX).filter_map(|byte| Wait::from_byte(byte).map(|wait| (byte, wait)));
        let named: Vec<_> = named.inspect(|(byte, wait)| assert_eq!(wait.byte(), *byte)).collect();
        assert_eq!(named.len(), TASKS + 7);
        let mut names: Vec<_> = named.iter().map(|(_, wait)| wait.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), named.len(), "no two have one word");
    }
}
