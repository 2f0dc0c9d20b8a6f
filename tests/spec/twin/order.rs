//! What the twin keeps of an order: what was asked, and every unit with its site and its fate.

use std::collections::BTreeMap;

use stockade::base::{ChangeId, Currency, CustomerKey, OrderNumber, SiteId, SkuId, Timestamp};
use stockade::engine::command::{IdentityHashes, PaymentMethod, Take};
use stockade::engine::order::State;
use stockade::engine::{Answer, Line, LineQuantity, Place};

use super::Told;
use super::wanted::{Seen, Want};

/// What an identifier of an order stands for.
#[derive(Debug, Clone)]
pub(super) enum Record {
    Order(Box<Order>),
    Blocked,
}

#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) number: OrderNumber,
    pub(super) accepted_at: Timestamp,
    /// Zero when the order needed no payment.
    pub(super) deadline: Timestamp,
    pub(super) asked: Asked,
    /// The units of each line, in the order in which they were drawn.
    pub(super) lines: Vec<Vec<Unit>>,
    pub(super) changes: BTreeMap<ChangeId, Remembered>,
    /// By effect.
    pub(super) handed_off: [Option<Want>; 2],
    pub(super) seen: Seen,
}

/// The content of a placement: everything but its identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) customer: CustomerKey,
    pub(super) take: Take,
    pub(super) hold_ms: u32,
    pub(super) currency: Currency,
    pub(super) payment: PaymentMethod,
    pub(super) channel: u16,
    pub(super) zone: u16,
    pub(super) hashes: Option<IdentityHashes>,
    pub(super) lines: Vec<Line>,
    pub(super) details: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unit {
    pub(super) site: SiteId,
    pub(super) fate: Fate,
    /// Where a shipped unit came back to.
    pub(super) returned_to: Option<SiteId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fate {
    Reserved,
    Lapsed,
    Committed,
    Shipped,
    Cancelled,
}

/// A change that is remembered, with what was asked and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Remembered {
    Done { asked: Wanted, moved: u64, excess: u64 },
    RetakeFailed { sku: SkuId },
}

/// The content of a change: its kind, its site and its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) kind: Kind,
    pub(super) site: Option<SiteId>,
    pub(super) lines: Vec<LineQuantity>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    CancelLines,
    HandOver,
    ReturnToStock,
}

impl Asked {
    pub(super) fn of(place: &Place<'_>) -> Self {
        let Place { order: _, customer, take, hold_ms, currency, payment, channel, zone, hashes, lines, details } =
            *place;
        let (lines, details) = (lines.to_vec(), details.to_vec());
        Self { customer, take, hold_ms, currency, payment, channel, zone, hashes, lines, details }
    }
}

impl Order {
    pub(super) fn units(&self) -> impl Iterator<Item = &Unit> {
        self.lines.iter().flatten()
    }

    pub(super) fn count(&self, fate: Fate) -> u64 {
        self.units().filter(|unit| unit.fate == fate).count() as u64
    }

    pub(super) fn state(&self) -> State {
        let any = |fate| self.count(fate) > 0;
        State::of(any(Fate::Reserved), any(Fate::Lapsed), any(Fate::Committed), any(Fate::Shipped))
    }

    /// Gives every unit of one fate another; says how many.
    pub(super) fn turn(&mut self, from: Fate, to: Fate) -> u64 {
        let mut turned = 0;
        for unit in self.lines.iter_mut().flatten().filter(|unit| unit.fate == from) {
            unit.fate = to;
            turned += 1;
        }
        turned
    }

    pub(super) fn accepted(&self, repeated: bool) -> Told {
        let taken: Vec<u32> = self.lines.iter().map(|units| units.len() as u32).collect();
        let short = self.asked.lines.iter().zip(&taken).any(|(line, &taken)| taken < line.quantity);
        let answer = Answer::Placed {
            number: self.number,
            accepted_at: self.accepted_at,
            deadline: self.deadline,
            state: self.state(),
            short,
            repeated,
        };
        Told { answer, taken: if short { taken } else { Vec::new() } }
    }

    pub(super) fn done(&self, moved: u64, excess: u64, repeated: bool) -> Answer {
        Answer::Done { state: self.state(), moved, excess, repeated }
    }
}
