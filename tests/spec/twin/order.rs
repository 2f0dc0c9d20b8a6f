//! What the twin keeps of an order: what was asked, and every unit with its site and its fate.

use std::collections::{BTreeMap, BTreeSet};

use stockade::base::{ChangeId, Currency, CustomerKey, OrderNumber, Price, SiteId, SkuId, Timestamp};
use stockade::engine::choices::{PaymentMethod, Take};
use stockade::engine::command::IdentityHashes;
use stockade::engine::ledger::Account;
use stockade::engine::order::State;
use stockade::engine::query::{HistoryRow, HoldView};
use stockade::engine::{Answer, Granted, Line, LineQuantity, Place, TaskKind};

use super::Told;
use super::account::Said;
use super::claims::Return;
use super::edits::Edited;
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
    pub(super) payment_started: bool,
    /// What its placement asked, which is what a repeat of that is held against.
    pub(super) placed: Asked,
    /// The same as edits made it: lines behind those of the placement, other prices, another zone.
    pub(super) asked: Asked,
    /// Nobody can read its details any more.
    pub(super) erased: bool,
    pub(super) lines: Vec<Vec<Unit>>,
    /// The sites of each line, in the order in which it first drew on them, whatever became of the units.
    pub(super) drew_on: Vec<Vec<SiteId>>,
    pub(super) changes: BTreeMap<ChangeId, Remembered>,
    /// All that was ever said of its payments.
    pub(super) said: Vec<Said>,
    /// In the order in which they came.
    pub(super) returns: Vec<Return>,
    /// In the order in which they came.
    pub(super) holds: Vec<HoldView>,
    /// By effect.
    pub(super) handed_off: [Option<Want>; 3],
    pub(super) seen: Seen,
    /// Why somebody has to look at it, and since when.
    pub(super) tasks: BTreeMap<TaskKind, Timestamp>,
    /// Units that it held were not found, and it was owed some ever since.
    pub(super) was_put_back: bool,
    /// All that happened after the placement.
    pub(super) history: Vec<HistoryRow>,
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
    /// Where it lies; nowhere while it is owed, and for ever when it was given up before it came.
    pub(super) site: SiteId,
    pub(super) fate: Fate,
    /// Where a shipped unit came back to: a shelf, or set aside with a return.
    pub(super) returned_to: Option<Account>,
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
    Edited { asked: Edited, moved: u64 },
    RetakeFailed { sku: SkuId },
    Refund { amount: Price },
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
    Deliver,
}

impl Asked {
    pub(super) fn of(place: &Place<'_>) -> Self {
        let Place { customer, take, hold_ms, currency, payment, channel, zone, hashes, lines, details, .. } = *place;
        let (lines, details) = (lines.to_vec(), details.to_vec());
        Self { customer, take, hold_ms, currency, payment, channel, zone, hashes, lines, details }
    }

    /// Whether a placement asks the same, whatever its details say; whether it gives any counts.
    pub(super) fn is_but_for_details(&self, place: &Place<'_>) -> bool {
        let with_own = Self { details: self.details.clone(), ..Self::of(place) };
        with_own == *self && self.details.is_empty() == place.details.is_empty()
    }
}

impl Unit {
    /// Sold, and not there yet.
    pub(super) fn is_owed(&self) -> bool {
        self.site == SiteId::NOWHERE && matches!(self.fate, Fate::Reserved | Fate::Committed)
    }

    /// Sold, paid for, and there to be handed over.
    pub(super) fn can_leave(&self) -> bool {
        self.fate == Fate::Committed && !self.is_owed()
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
        match State::of(any(Fate::Reserved), any(Fate::Lapsed), any(Fate::Committed), any(Fate::Shipped)) {
            State::Confirmed if self.is_held() => State::InReview,
            State::PendingPayment if self.has_failed() => State::PaymentFailed,
            state => state,
        }
    }

    /// Units that are owed, of one SKU or of all.
    pub(super) fn owed(&self, sku: Option<SkuId>) -> u64 {
        let lines = self.asked.lines.iter().zip(&self.lines).filter(|(line, _)| sku.is_none_or(|sku| sku == line.sku));
        lines.flat_map(|(_, units)| units).filter(|unit| unit.is_owed()).count() as u64
    }

    /// What it waits for.
    pub(super) fn waits_for(&self) -> BTreeSet<SkuId> {
        let lines = self.asked.lines.iter().zip(&self.lines);
        lines.filter(|(_, units)| units.iter().any(Unit::is_owed)).map(|(line, _)| line.sku).collect()
    }

    /// Positions of the units of a line that count: those of the site on which it drew first come first, and those that
    /// lie nowhere last.
    pub(super) fn first_drawn(&self, line: usize, counts: impl Fn(&Unit) -> bool) -> Vec<usize> {
        let units = &self.lines[line];
        let place = |site| self.drew_on[line].iter().position(|known| *known == site).unwrap_or(usize::MAX);
        let mut positions: Vec<usize> = (0..units.len()).filter(|&at| counts(&units[at])).collect();
        positions.sort_by_key(|&at| place(units[at].site));
        positions
    }

    /// A line has units at these sites from now on. One that it drew on before keeps its place.
    pub(super) fn draw_on(&mut self, line: usize, sites: &[SiteId]) {
        for site in sites.iter().filter(|site| **site != SiteId::NOWHERE) {
            if !self.drew_on[line].contains(site) {
                self.drew_on[line].push(*site);
            }
        }
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

    /// Cancels all that was not handed over; says how many units that were.
    pub(super) fn cancel_what_is_left(&mut self) -> u64 {
        [Fate::Lapsed, Fate::Reserved, Fate::Committed].into_iter().map(|fate| self.turn(fate, Fate::Cancelled)).sum()
    }

    /// What the lines of the placement got, whatever was added since.
    pub(super) fn accepted(&self, repeated: bool) -> Told {
        let of_line = |units: &Vec<Unit>| {
            let owed = units.iter().filter(|unit| unit.is_owed()).count();
            Granted { taken: units.len() as u32, owed: owed as u32 }
        };
        let granted: Vec<Granted> = self.lines[..self.placed.lines.len()].iter().map(of_line).collect();
        let short = self.placed.lines.iter().zip(&granted).any(|(line, granted)| granted.taken < line.quantity);
        let owed = granted.iter().any(|granted| granted.owed > 0);
        let answer = Answer::Placed {
            number: self.number,
            accepted_at: self.accepted_at,
            deadline: self.deadline,
            state: self.state(),
            short,
            owed,
            repeated,
        };
        Told { answer, granted: if short || owed { granted } else { Vec::new() } }
    }

    pub(super) fn done(&self, moved: u64, excess: u64, repeated: bool) -> Answer {
        Answer::Done { state: self.state(), moved, excess, repeated }
    }
}
