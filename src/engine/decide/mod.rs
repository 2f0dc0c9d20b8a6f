//! Decide: look at the state, say what happens or why not. Changes nothing.
//!
//! # Always true
//! - Bounds are checked before anything is looked up, and nothing a client sends can panic here.
//! - A command that already happened answers what it answered first.
//! # Not here
//! - Reservations whose deadline passed unswept: `turn` folds their expiry before it asks here.

mod change;
mod confirm;
mod count;
mod cursor;
mod edit;
mod erase;
mod hold;
mod kit;
mod payment;
mod place;
mod policy;
mod reservation;
mod retention;
mod returns;
mod stock;
mod velocity;
mod wanted;

use super::answer::{Answer, Granted};
use super::catalog::check_code;
use super::command::{Command, LineQuantity};
use super::content::{self, ChangeKind};
use super::fact::{Change, Draw, Fact};
use super::kits::Component;
use super::market::Market;
use super::order::State;
use super::orders::{KeptChange, Phase, Record};
use super::refusal::{Field, Refusal};
use super::routing::Plan;
use super::{DIRECTORY_SHARD, Engine};
use crate::base::limits::{CHANGES_MAX, ID_AHEAD_MS_MAX, MARKETS_MAX, SITES_MAX, SKUS_MAX};
use crate::base::{ChangeId, MarketId, OrderId, SiteId, SkuId, TimedId, Timestamp};

/// What a command comes to when it is not refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision<'s> {
    /// Something happens. The answer is true once the fact is folded.
    Happened {
        /// To be folded, and logged, before the answer leaves.
        fact: Fact<'s>,
        /// For the client.
        answer: Answer,
    },
    /// It had happened before, or changes nothing.
    Repeated(Answer),
}

/// Memory that decisions use and keep between commands.
#[derive(Debug, Default)]
pub struct Scratch {
    plan: Plan,
    draws: Vec<Draw>,
    /// Of lines that an edit adds.
    added: Vec<Draw>,
    granted: Vec<Granted>,
    /// Units of each SKU with a policy.
    sums: policy::Sums,
    /// Of the kit being defined, by number of the component.
    recipe: Vec<Component>,
}

impl Scratch {
    /// What each line of the placement decided last got; filled when its answer says `short` or `owed`.
    #[must_use]
    pub fn granted(&self) -> &[Granted] {
        &self.granted
    }
}

type Outcome<'s> = Result<Decision<'s>, Refusal>;

/// A change that is asked for.
#[derive(Clone, Copy)]
struct Wanted {
    kind: ChangeKind,
    id: ChangeId,
    content: u64,
}

impl Wanted {
    fn new(kind: ChangeKind, id: ChangeId, site: SiteId, lines: &[LineQuantity]) -> Self {
        Self { kind, id, content: content::change(kind, site, lines) }
    }

    const fn with_excess(self, excess: u64) -> Change {
        Change { id: self.id, content: self.content, excess }
    }
}

impl Engine {
    /// Decides a command at log time `now`.
    ///
    /// # Errors
    /// A [`Refusal`] is a business answer: nothing happened, and the same command may be tried again.
    pub fn decide<'s>(&self, command: &Command<'s>, now: Timestamp, scratch: &'s mut Scratch) -> Outcome<'s> {
        match *command {
            Command::AssignMarket { code } => self.assign_market(code),
            Command::OpenMarket { market, code } => self.open_market(market, code),
            Command::MoveCursor { sink, upto } => self.move_cursor(sink, upto),
            Command::DetachCursor { sink, upto } => self.detach_cursor(sink, upto),
            Command::CreateSite { market, rank, code } => self.create_site(market, rank, code),
            Command::CreateSku { market, code } => self.create_sku(market, code),
            Command::DefineKit { market, code, components } => {
                self.define_kit(market, code, components, &mut scratch.recipe)
            }
            Command::Receive { request, sku, site, quantity } => self.receive(request, sku, site, quantity, now),
            Command::Adjust { request, sku, site, delta, reason } => {
                self.adjust(request, (sku, site), delta, reason, now)
            }
            Command::MoveStock { request, sku, from, to, quantity } => {
                self.move_stock(request, sku, (from, to), quantity, now)
            }
            Command::CountStock { request, sku, site, expected, counted } => {
                self.count_stock(request, (sku, site), (expected, counted), now)
            }
            Command::ReportCount { request, sku, site, as_of, counted } => {
                self.report_count(request, (sku, site), (as_of, counted), now)
            }
            Command::SetPolicy { market, sku, policy } => self.set_policy(market, sku, policy),
            Command::SetEffects { market, effects } => self.set_effects(market, effects),
            Command::SetReservations { market, reservations } => self.set_reservations(market, reservations),
            Command::SetChannelCap { market, sku, channel, units_max } => {
                self.set_channel_cap(market, sku, channel, units_max)
            }
            Command::SetVelocity { market, velocity } => self.set_velocity(market, velocity),
            Command::Extend { order, until, reason } => self.extend(order, until, reason, now),
            Command::ReportEffect { order, effect, attempt, report } => {
                self.report_effect(order, effect, attempt, report)
            }
            Command::SetRetention { market, retention } => self.set_retention(market, retention),
            Command::HoldOrder { order, owner, reason, note } => self.hold_order(order, (owner, reason), note),
            Command::LiftHold { order, owner, reason } => self.lift_hold(order, owner, reason),
            Command::StartPayment { order, attempt, method } => self.start_payment(order, attempt, method),
            Command::ReportPayment { order, attempt, method, currency, report } => {
                self.report_payment(order, (attempt, method), (currency, report), now, scratch)
            }
            Command::RequestRefund { order, change, amount } => self.request_refund(order, change, amount),
            Command::ReportDelivered { order, change, lines } => self.report_delivered(order, change, lines),
            Command::Return { order, id, what } => self.decide_return((order, id), what, now, scratch),
            Command::Erase { whose } => self.erase(whose),
            Command::Place(ref place) => self.place(place, now, scratch),
            Command::Confirm { order, attempt } => self.confirm(order, attempt, scratch),
            Command::Cancel { order, block } => self.cancel(order, block, now),
            Command::CancelLines { order, change, lines } => self.cancel_lines(order, change, lines, scratch),
            Command::EditOrder { order, change, edit } => self.edit_order(order, change, edit, scratch),
            Command::HandOver { order, change, lines } => self.hand_over(order, change, lines, scratch),
            Command::ReturnToStock { order, change, site, lines } => {
                self.return_to_stock(order, change, site, lines, scratch)
            }
        }
    }

    fn assign_market<'s>(&self, code: &'s str) -> Outcome<'s> {
        check_code(code)?;
        if self.shard != DIRECTORY_SHARD {
            return Err(Refusal::UnknownMarket);
        }
        if let Some(market) = self.directory.market(code) {
            return Ok(numbered_before(market.number()));
        }
        check_count(self.directory.len(), MARKETS_MAX, Field::Markets)?;
        let (market, shard) = self.directory.next();
        Ok(numbered(market.number(), Fact::MarketAssigned { market, shard, code }))
    }

    fn open_market<'s>(&self, market: MarketId, code: &'s str) -> Outcome<'s> {
        check_code(code)?;
        if let Ok(open) = self.market(market) {
            let same = open.code.as_ref() == code;
            return if same { Ok(numbered_before(market.number())) } else { Err(Refusal::Conflict) };
        }
        let number = market.number();
        if number == 0 || number as usize > MARKETS_MAX {
            return Err(Refusal::OutOfBounds { field: Field::Markets, min: 1, max: MARKETS_MAX as u64 });
        }
        Ok(numbered(number, Fact::MarketOpened { market, code }))
    }

    fn create_site<'s>(&self, market: MarketId, rank: u16, code: &'s str) -> Outcome<'s> {
        check_code(code)?;
        let sites = &self.market(market)?.sites;
        if let Some(number) = sites.number(code) {
            return Ok(numbered_before(number));
        }
        check_count(sites.len(), SITES_MAX, Field::Sites)?;
        let number = sites.next_number();
        let site = SiteId(u16::try_from(number).expect("law: SITES_MAX fits 16 bits"));
        Ok(numbered(number, Fact::SiteCreated { market, site, rank, code }))
    }

    fn create_sku<'s>(&self, market: MarketId, code: &'s str) -> Outcome<'s> {
        check_code(code)?;
        let skus = &self.market(market)?.skus;
        if let Some(number) = skus.number(code) {
            return Ok(numbered_before(number));
        }
        check_count(skus.len(), SKUS_MAX, Field::Skus)?;
        if self.sku_count >= self.capacity.skus_max {
            return Err(Refusal::AtCapacity);
        }
        let number = skus.next_number();
        Ok(numbered(number, Fact::SkuCreated { market, sku: SkuId(number), code }))
    }

    /// Looks whether units may come to lie at so many more places.
    const fn check_places(&self, missing: u64) -> Result<(), Refusal> {
        let fit = missing == 0 || self.place_count + missing <= self.capacity.places_max;
        if fit { Ok(()) } else { Err(Refusal::AtCapacity) }
    }

    pub(super) fn market(&self, market: MarketId) -> Result<&Market, Refusal> {
        self.markets.get(market.number() as usize).and_then(Option::as_deref).ok_or(Refusal::UnknownMarket)
    }

    /// An order that was placed; a blocked identifier is none.
    fn placed_order(&self, order: OrderId) -> Result<(u32, &Record), Refusal> {
        self.market(order.market())?;
        let position = self.orders.find(order).ok_or(Refusal::UnknownOrder)?;
        let record = self.orders.record(position);
        match (record.state, record.phase) {
            (State::Blocked, _) => Err(Refusal::UnknownOrder),
            (state, Phase::Tombstone | Phase::Vacant) => Err(Refusal::Closed { state }),
            (_, Phase::Whole) => Ok((position, record)),
        }
    }

    /// Looks whether a change already happened, and whether one more can be remembered.
    fn check_change(&self, position: u32, wanted: Wanted) -> Result<Option<KeptChange>, Refusal> {
        let kept = self.known_change(position, wanted)?;
        if kept.is_none() {
            self.check_changes(position)?;
        }
        Ok(kept)
    }

    /// Looks whether a change already happened.
    fn known_change(&self, position: u32, wanted: Wanted) -> Result<Option<KeptChange>, Refusal> {
        match self.orders.change(position, wanted.id) {
            Some(kept) if kept.kind == wanted.kind && kept.change.content == wanted.content => Ok(Some(kept)),
            Some(_) => Err(Refusal::Conflict),
            None => Ok(None),
        }
    }

    /// Looks whether one more change can be remembered.
    fn check_changes(&self, position: u32) -> Result<(), Refusal> {
        if self.orders.changes(position).len() >= CHANGES_MAX {
            return Err(Refusal::TooManyChanges);
        }
        if self.orders.change_count() < self.capacity.changes_max { Ok(()) } else { Err(Refusal::AtCapacity) }
    }
}

const fn numbered(number: u32, fact: Fact<'_>) -> Decision<'_> {
    Decision::Happened { fact, answer: Answer::Numbered { number, repeated: false } }
}

const fn numbered_before<'s>(number: u32) -> Decision<'s> {
    Decision::Repeated(Answer::Numbered { number, repeated: true })
}

const fn check_count(count: usize, max: usize, field: Field) -> Result<(), Refusal> {
    if count < max { Ok(()) } else { Err(Refusal::OutOfBounds { field, min: 0, max: max as u64 }) }
}

const fn check_bounds(field: Field, value: u64, min: u64, max: u64) -> Result<(), Refusal> {
    if value >= min && value <= max { Ok(()) } else { Err(Refusal::OutOfBounds { field, min, max }) }
}

fn check_made_at(id: TimedId, now: Timestamp) -> Result<(), Refusal> {
    if id.made_at() > now.after_ms(ID_AHEAD_MS_MAX) { Err(Refusal::IdFromFuture { now }) } else { Ok(()) }
}

/// An unknown identifier may have been accepted and have left, if it is that old.
fn check_not_retired(order: OrderId, market: &Market) -> Result<(), Refusal> {
    if order.made_at() < market.retired_before { Err(Refusal::IdTooOld) } else { Ok(()) }
}

const fn illegal(state: State) -> Refusal {
    Refusal::IllegalState { state, legal: state.legal() }
}

const fn done_before<'s>(record: &Record, kept: KeptChange) -> Decision<'s> {
    Decision::Repeated(Answer::Done {
        state: record.state,
        moved: kept.moved,
        excess: kept.change.excess,
        repeated: true,
    })
}
