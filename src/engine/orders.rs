//! Where orders are kept: a record each, its lines and draws as runs beside it, and what few orders have apart from
//! them.
//!
//! ```text
//! index: id ─► position ─► Record ─┬─ lines ─► │ LineRecord │ LineRecord │ …
//!                                  ├─ draws ─► │ DrawRecord │ …            units by (line, site)
//!                                  └─ extra ─► hashes, details             only where given
//! changes: position ─► what was changed before                            only where something was
//!
//! open ─► ended ─► closed: a tombstone, without most of this ─► gone: its position is used again
//! ```
//!
//! # Always true
//! - Draws of an order are in line order.
//! - A blocked identifier is a tombstone from the beginning, in no market's numbers.
//! - A tombstone keeps what repeats the placement's answer: content, number, times, state, and the lines of an order
//!   that got less than it asked. It has no draws, extra, changes and history.
//! # Why so
//! The three arrays are written in step, so a placement writes three places that are already in the cache.

mod editing;
mod leaving;
mod restoring;

use core::hash::BuildHasherDefault;

use hashbrown::HashMap;

use super::books::order_hash;
use super::choices::{PaymentMethod, Take};
use super::command::IdentityHashes;
use super::content::ChangeKind;
use super::fact::{Change, Draw, Placed};
use super::history::Newest;
use super::index::Index;
use super::marks::Marks;
use super::order::{Counters, LineUnits, State, Totals};
use super::pool::{LARGE, Pool, Run, Runs, SMALL};
use super::reservation::ExtendReason;
use crate::base::{ChangeId, Currency, CustomerKey, KeyName, OrderId, OrderNumber, Price, SiteId, SkuId, Timestamp};

pub(super) use restoring::Parts;

/// What every order has.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) order: OrderId,
    pub(super) customer: CustomerKey,
    /// Hash of the content it was placed with.
    pub(super) content: u128,
    pub(super) accepted_at: Timestamp,
    /// Zero when it needed no payment.
    pub(super) deadline: Timestamp,
    /// When it is closed; zero while it is open. Of a tombstone, when it may leave: what its entry in the queue says.
    pub(super) closes_at: Timestamp,
    pub(super) number: OrderNumber,
    pub(super) lines: Run,
    pub(super) draws: Run,
    /// Position in `extras` plus one; zero for none.
    pub(super) extra: u32,
    /// What happened to it last.
    pub(super) history: Newest,
    pub(super) currency: Currency,
    pub(super) take: Take,
    pub(super) payment: PaymentMethod,
    pub(super) channel: u16,
    pub(super) zone: u16,
    /// Always [`State::of`] the counters of its draws, as its marks tell it ([`Record::told`]).
    pub(super) state: State,
    pub(super) phase: Phase,
    pub(super) marks: Marks,
}

impl Record {
    /// When its reservation ends, while it has one.
    pub(super) fn waits_until(&self) -> Option<Timestamp> {
        self.state.awaits_payment().then_some(self.deadline)
    }

    /// Whether it has holds.
    pub(super) const fn has_holds(&self) -> bool {
        self.marks.has(Marks::HELD)
    }

    /// Whether it is to be kept from a warehouse: it has holds, or nobody said yet that it is to be trusted.
    pub(super) const fn is_held(&self) -> bool {
        self.marks.has(Marks::HELD | Marks::UNCHECKED)
    }

    /// What is told of it, of a state that its counters say.
    pub(super) const fn told(&self, state: State) -> State {
        state.with_holds(self.is_held()).with_failed(self.marks.has(Marks::PAYMENT_FAILED))
    }

    /// Whether it was placed to be paid before anything leaves.
    pub(super) fn needed_payment(&self) -> bool {
        self.deadline != Timestamp::ZERO
    }
}

/// How much of an order is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Phase {
    /// Everything.
    Whole = 1,
    /// What repeats its first answer.
    Tombstone = 2,
    /// Nothing: the position is free.
    Vacant = 3,
}

impl Phase {
    /// The phase of something that is kept, with this number.
    pub(super) const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Whole),
            2 => Some(Self::Tombstone),
            _ => None,
        }
    }
}

/// One line.
#[derive(Debug, Clone, Copy)]
pub(super) struct LineRecord {
    pub(super) price: Price,
    pub(super) sku: SkuId,
    pub(super) asked: u32,
    pub(super) taken: u32,
    /// Units that reached the customer. It lies where there was a gap.
    pub(super) delivered: u32,
}

const _: () = assert!(size_of::<LineRecord>() == 24, "what reached the customer takes no memory");

/// Units of one line at one site, or owed to it: at none.
#[derive(Debug, Clone, Copy)]
pub(super) struct DrawRecord {
    pub(super) line: u16,
    pub(super) site: SiteId,
    pub(super) units: Counters,
}

impl DrawRecord {
    /// Whether its units lie nowhere yet.
    pub(super) fn is_owed(&self) -> bool {
        self.site == SiteId::NOWHERE
    }

    /// Some units of this draw.
    pub(super) const fn of(&self, quantity: u32) -> Draw {
        Draw { line: self.line, site: self.site, quantity }
    }
}

/// What few orders have.
#[derive(Debug)]
pub(super) struct Extra {
    pub(super) hashes: Option<IdentityHashes>,
    pub(super) details: Details,
}

/// What an order says about people, as it was sealed.
#[derive(Debug)]
pub(super) enum Details {
    None,
    /// Readable as long as the key is there.
    Sealed {
        key: KeyName,
        bytes: Box<[u8]>,
    },
}

impl Details {
    pub(super) const fn len(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Sealed { bytes, .. } => bytes.len(),
        }
    }
}

/// A change of quantities that happened, with its first result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KeptChange {
    pub(super) kind: ChangeKind,
    /// As it was folded; of an edit, `excess` is how many lines the order had before it.
    pub(super) change: Change,
    /// Units moved; for a failed late confirm, the SKU that came up short.
    pub(super) moved: u64,
}

/// Hash of positions, which no client chooses: a multiplication is enough.
type PositionHasher = BuildHasherDefault<PositionHash>;

/// Fibonacci hashing (Knuth, The Art of Computer Programming 3, 6.4) of one 32-bit number.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct PositionHash(u64);

impl core::hash::Hasher for PositionHash {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _bytes: &[u8]) {
        unreachable!("law: only positions are hashed here");
    }

    fn write_u32(&mut self, position: u32) {
        self.0 = u64::from(position).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

/// All orders of a shard.
#[derive(Debug, Default)]
pub(super) struct Orders {
    records: Pool<Record, LARGE>,
    lines: Runs<LineRecord>,
    draws: Runs<DrawRecord>,
    extras: Pool<Option<Extra>, SMALL>,
    changes: HashMap<u32, Vec<KeptChange>, PositionHasher>,
    index: Index,
    details_bytes: u64,
    line_count: u64,
    draw_count: u64,
    change_count: u64,
}

impl Orders {
    /// Takes the memory for so many more orders of one line now.
    pub(super) fn reserve(&mut self, orders: usize) {
        self.records.reserve(orders);
        self.lines.reserve(orders);
        self.draws.reserve(orders);
        self.index.reserve(orders);
    }

    pub(super) const fn len(&self) -> usize {
        self.records.len()
    }

    pub(super) const fn details_bytes(&self) -> u64 {
        self.details_bytes
    }

    pub(super) const fn line_count(&self) -> u64 {
        self.line_count
    }

    pub(super) const fn draw_count(&self) -> u64 {
        self.draw_count
    }

    pub(super) const fn change_count(&self) -> u64 {
        self.change_count
    }

    pub(super) fn find(&self, order: OrderId) -> Option<u32> {
        self.index.find(order.bits(), |position| self.records[position as usize].order == order)
    }

    pub(super) fn touch(&self, order: OrderId) -> u64 {
        self.index.touch(order.bits())
    }

    pub(super) fn record(&self, position: u32) -> &Record {
        &self.records[position as usize]
    }

    pub(super) fn records(&self) -> impl Iterator<Item = (u32, &Record)> {
        (0..).zip(self.records.iter()).filter(|(_, record)| record.phase != Phase::Vacant)
    }

    /// Records, lines, draws, extras and slots of the index for which memory is used, long runs excepted.
    pub(super) fn ends(&self) -> [usize; 5] {
        [self.records.end(), self.lines.end(), self.draws.end(), self.extras.end(), self.index.slots()]
    }

    pub(super) fn lines(&self, record: &Record) -> &[LineRecord] {
        self.lines.get(record.lines)
    }

    pub(super) fn draws(&self, record: &Record) -> &[DrawRecord] {
        self.draws.get(record.draws)
    }

    /// The draws of one line.
    pub(super) fn draws_of_line(&self, record: &Record, line: u16) -> &[DrawRecord] {
        let draws = self.draws(record);
        let start = draws.partition_point(|draw| draw.line < line);
        let len = draws[start..].partition_point(|draw| draw.line == line);
        &draws[start..start + len]
    }

    /// Units of the whole order, what it is owed included.
    pub(super) fn totals(&self, record: &Record) -> Totals {
        Totals::of(self.draws(record).iter().map(|draw| draw.units))
    }

    pub(super) fn extra(&self, record: &Record) -> Option<&Extra> {
        self.extras[(record.extra as usize).checked_sub(1)?].as_ref()
    }

    /// The key that details of an order were sealed under.
    pub(super) fn key(&self, record: &Record) -> Option<KeyName> {
        match self.extra(record)?.details {
            Details::Sealed { key, .. } => Some(key),
            Details::None => None,
        }
    }

    pub(super) fn changes(&self, position: u32) -> &[KeptChange] {
        self.changes.get(&position).map_or(&[], Vec::as_slice)
    }

    pub(super) fn change(&self, position: u32, id: ChangeId) -> Option<KeptChange> {
        self.changes(position).iter().find(|kept| kept.change.id == id).copied()
    }

    /// Units per line, in order.
    pub(super) fn line_units(&self, record: &Record) -> impl ExactSizeIterator<Item = LineUnits> {
        let mut draws = self.draws(record);
        (0..record.lines.len).map(move |line| {
            let mut sum = LineUnits::default();
            while let Some((draw, rest)) = draws.split_first().filter(|(draw, _)| draw.line == line) {
                sum.add(&draw.units, draw.is_owed());
                draws = rest;
            }
            sum
        })
    }

    /// What the books hold of this order.
    pub(super) fn hash(&self, record: &Record) -> u128 {
        order_hash(record.order, record.state, self.line_units(record))
    }

    /// Adds an accepted placement with every unit reserved, or committed when it is confirmed.
    pub(super) fn insert(
        &mut self,
        placed: &Placed<'_>,
        content: u128,
        number: OrderNumber,
        (at, hold_ms): (Timestamp, u32),
    ) -> u32 {
        let mut draws = placed.draws;
        let lines = self.lines.put(placed.lines.iter().enumerate().map(|(line, asked)| {
            let mut taken = 0;
            while let Some((draw, rest)) = draws.split_first().filter(|(draw, _)| usize::from(draw.line) == line) {
                taken += draw.quantity;
                draws = rest;
            }
            LineRecord { price: asked.price, sku: asked.sku, asked: asked.quantity, taken, delivered: 0 }
        }));
        let draws = self.draws.put(placed.draws.iter().map(|draw| DrawRecord {
            line: draw.line,
            site: draw.site,
            units: if placed.confirmed {
                Counters { committed: draw.quantity, ..Counters::default() }
            } else {
                Counters { reserved: draw.quantity, ..Counters::default() }
            },
        }));
        self.line_count += placed.lines.len() as u64;
        self.draw_count += placed.draws.len() as u64;
        let record = Record {
            order: placed.order,
            customer: placed.customer,
            content,
            accepted_at: at,
            deadline: if placed.confirmed { Timestamp::ZERO } else { at.after_ms(hold_ms.into()) },
            closes_at: Timestamp::ZERO,
            number,
            lines,
            draws,
            extra: self.insert_extra(placed),
            history: Newest::NONE,
            currency: placed.currency,
            take: placed.take,
            payment: placed.payment,
            channel: placed.channel,
            zone: placed.zone,
            state: if placed.confirmed { State::Confirmed } else { State::PendingPayment },
            phase: Phase::Whole,
            marks: Marks::NONE,
        };
        self.put(record)
    }

    /// Adds an identifier that no placement may use.
    pub(super) fn insert_blocked(&mut self, order: OrderId, at: Timestamp) -> u32 {
        self.put(Record { order, accepted_at: at, state: State::Blocked, phase: Phase::Tombstone, ..NO_ORDER })
    }

    /// The draws of an order, to be changed, and its lines.
    pub(super) fn draws_mut(&mut self, position: u32) -> (&mut [DrawRecord], &[LineRecord]) {
        let record = &self.records[position as usize];
        (self.draws.get_mut(record.draws), self.lines.get(record.lines))
    }

    /// So many units more of a line reached the customer.
    pub(super) fn deliver(&mut self, position: u32, line: u16, units: u32) {
        self.lines.get_mut(self.records[position as usize].lines)[usize::from(line)].delivered += units;
    }

    /// Brings the state of an order in line with its draws and its marks.
    pub(super) fn settle_state(&mut self, position: u32) {
        let state = self.totals(self.record(position)).state();
        let record = &mut self.records[position as usize];
        record.state = record.told(state);
    }

    pub(super) fn set_mark(&mut self, position: u32, mark: u8, is_so: bool) {
        self.records[position as usize].marks.set(mark, is_so);
    }

    pub(super) fn extend(&mut self, position: u32, deadline: Timestamp, reason: ExtendReason) {
        let record = &mut self.records[position as usize];
        record.deadline = deadline;
        if reason == ExtendReason::PaymentStart {
            record.marks.set(Marks::PAYMENT_STARTED, true);
        }
    }

    pub(super) fn history_mut(&mut self, position: u32) -> &mut Newest {
        &mut self.records[position as usize].history
    }

    pub(super) fn set_closes_at(&mut self, position: u32, closes_at: Timestamp) {
        self.records[position as usize].closes_at = closes_at;
    }

    /// Replaces the draws of an order.
    pub(super) fn replace_draws(&mut self, position: u32, draws: Vec<DrawRecord>) {
        let old = self.records[position as usize].draws;
        self.draw_count = self.draw_count + draws.len() as u64 - u64::from(old.len);
        self.draws.give_back(old);
        self.records[position as usize].draws = self.draws.put(draws.into_iter());
    }

    pub(super) fn keep_change(&mut self, position: u32, kept: KeptChange) {
        self.change_count += 1;
        self.changes.entry(position).or_default().push(kept);
    }

    fn insert_extra(&mut self, placed: &Placed<'_>) -> u32 {
        if placed.hashes.is_none() && placed.details.is_empty() {
            return 0;
        }
        self.details_bytes += placed.details.len() as u64;
        let details = match placed.key {
            Some(key) => Details::Sealed { key, bytes: placed.details.into() },
            None => Details::None,
        };
        self.extras.put(Some(Extra { hashes: placed.hashes, details })) + 1
    }

    fn put(&mut self, record: Record) -> u32 {
        let order = record.order;
        let position = self.records.put(record);
        self.index.insert(order.bits(), position);
        position
    }
}

/// What lies at a position that is free.
const NO_ORDER: Record = Record {
    order: OrderId::from_bits(0),
    customer: CustomerKey(0),
    content: 0,
    accepted_at: Timestamp::ZERO,
    deadline: Timestamp::ZERO,
    closes_at: Timestamp::ZERO,
    number: OrderNumber(0),
    lines: Run::EMPTY,
    draws: Run::EMPTY,
    extra: 0,
    history: Newest::NONE,
    currency: NO_CURRENCY,
    take: Take::AllOrNothing,
    payment: PaymentMethod::Unspecified,
    channel: 0,
    zone: 0,
    state: State::Blocked,
    phase: Phase::Vacant,
    marks: Marks::NONE,
};

/// A record is two cache lines at most: ten million of them are looked up at random.
const _: () = assert!(size_of::<Record>() <= 112);

/// ISO 4217 for "no currency".
const NO_CURRENCY: Currency = match Currency::new(*b"XXX") {
    Ok(currency) => currency,
    Err(_) => unreachable!(),
};
