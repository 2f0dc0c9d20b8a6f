//! When what is set aside of orders is so no longer, and who has to be told before.
//!
//! ```text
//! authorised, and until when ──► kept beside the attempt ──┬─ needed, of an open order ──► a task from a day before
//!                                                          └─ else ────────────────────► nothing
//! ```
//!
//! # Always true
//! - Of the ends that were told of an attempt the latest counts, so a report that comes twice or late changes nothing.
//! - An end that passes changes nothing: that the money is not set aside any more, whoever has it tells (`expired`).
//! # Not here
//! - The list of tasks, and that one shows only when its time has come: `tasks`.
//! # Why so
//! An attempt is one cache line, which an end would not fit; and of most methods nobody knows any.

use std::collections::BTreeMap;

use super::Engine;
use super::attempt::Attempt;
use super::orders::Record;
use super::payment::PaymentReport;
use super::steps::kept;
use crate::base::limits::AUTHORISATION_NOTICE_MS;
use crate::base::{ChangeId, Price, Timestamp};

/// By position of the order and name of the attempt.
type Key = (u32, ChangeId);

/// When authorisations end, of attempts of which somebody said.
#[derive(Debug, Default)]
pub(super) struct Ends {
    ends: BTreeMap<Key, Timestamp>,
}

impl Ends {
    /// When what is set aside of an attempt ends; zero where nobody said.
    pub(super) fn get(&self, key: Key) -> Timestamp {
        self.ends.get(&key).copied().unwrap_or_default()
    }

    /// The same once this was told of it, which made it that. Who hears nothing of the money hears nothing of its end.
    pub(super) fn after(&self, position: u32, after: &Attempt, report: PaymentReport) -> Timestamp {
        let told = if after.has_ended() { Timestamp::ZERO } else { report.until() };
        self.get((position, after.id)).max(told)
    }

    /// It ends then, unless that is zero.
    pub(super) fn set(&mut self, key: Key, end: Timestamp) {
        if end > Timestamp::ZERO {
            self.ends.insert(key, end);
        }
    }

    /// Whether an attempt is about to end at this log time, and ends before another.
    pub(super) fn is_due_before(&self, key: Key, other: Key, at: Timestamp) -> bool {
        let (end, other) = (self.get(key), self.get(other));
        let is_due = end > Timestamp::ZERO && end.before_ms(AUTHORISATION_NOTICE_MS) <= at;
        is_due && (other == Timestamp::ZERO || end < other)
    }

    /// Those of an order.
    pub(super) fn of(&self, position: u32) -> impl Iterator<Item = (ChangeId, Timestamp)> {
        let all = self.ends.range((position, ChangeId(0))..=(position, ChangeId(u64::MAX)));
        all.map(|((_, id), end)| (*id, *end))
    }

    /// Forgets those of an order.
    pub(super) fn forget(&mut self, position: u32) {
        let ids: Vec<ChangeId> = self.of(position).map(|(id, _)| id).collect();
        for id in ids {
            self.ends.remove(&(position, id));
        }
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }
}

/// An authorisation that ends, of which something is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ending {
    pub(super) end: Timestamp,
    pub(super) id: ChangeId,
    /// What is needed of it.
    pub(super) kept: Price,
}

impl Engine {
    /// Authorisations of an open order that end and are needed, the first first.
    pub(super) fn endings(&self, position: u32, record: &Record) -> Vec<Ending> {
        if !record.state.is_open() || self.accounts.ends.of(position).next().is_none() {
            return Vec::new();
        }
        let attempts = self.accounts.of(position);
        let kept = attempts.iter().zip(kept(attempts, self.due(position, record))).filter(|(_, kept)| *kept > 0);
        let end = |id| self.accounts.ends.get((position, id));
        let all = kept.map(|(attempt, kept)| Ending { end: end(attempt.id), id: attempt.id, kept });
        let mut endings: Vec<Ending> = all.filter(|ending| ending.end > Timestamp::ZERO).collect();
        endings.sort_unstable();
        endings
    }

    /// Since when somebody has to look at an order because of this one: never before the order was there.
    pub(super) fn notice(record: &Record, ending: &Ending) -> Timestamp {
        ending.end.before_ms(AUTHORISATION_NOTICE_MS).max(record.accepted_at)
    }

    /// Ends are those of attempts that there are.
    pub(super) fn check_ends(&self) -> Result<(), String> {
        let of_orders: usize = self.orders.records().map(|(position, _)| self.accounts.ends.of(position).count()).sum();
        let kept = self.accounts.ends.len();
        if of_orders == kept { Ok(()) } else { Err(format!("{kept} authorisations end, {of_orders} of orders")) }
    }
}
