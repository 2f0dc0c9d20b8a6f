//! Changes of quantities on an order: cancel, hand over, return to stock.
//!
//! Every one of them works on counters of units, never on the order's label alone; the label only says what is refused.

use super::super::Engine;
use super::super::answer::Answer;
use super::super::command::LineQuantity;
use super::super::content::ChangeKind;
use super::super::fact::{Draw, Fact};
use super::super::market::Market;
use super::super::order::{Counters, State};
use super::super::orders::{DrawRecord, KeptChange, Phase, Record};
use super::super::refusal::{Field, Refusal};
use super::{Decision, Outcome, Scratch, Wanted, check_bounds, check_made_at, check_not_retired, done_before, illegal};
use crate::base::limits::LINES_MAX;
use crate::base::{ChangeId, OrderId, SiteId, Timestamp};

impl Engine {
    pub(super) fn cancel<'s>(&self, order: OrderId, block: bool, now: Timestamp) -> Outcome<'s> {
        let market = self.market(order.market())?;
        let Some(position) = self.orders.find(order) else {
            return if block { self.block(order, market, now) } else { Err(Refusal::UnknownOrder) };
        };
        let record = self.orders.record(position);
        if record.phase != Phase::Whole && record.state != State::Blocked {
            return Err(Refusal::Closed { state: record.state });
        }
        match record.state {
            State::PendingPayment
            | State::PaymentFailed
            | State::Confirmed
            | State::InReview
            | State::Fulfilling
            | State::Expired => {
                let totals = self.orders.totals(record);
                let state = record.told(totals.state_after_cancelling(totals.cancellable()));
                let moved = totals.cancelled + totals.cancellable();
                let answer = Answer::Done { state, moved, excess: 0, repeated: false };
                Ok(Decision::Happened { fact: Fact::Cancelled { order }, answer })
            }
            State::Cancelled | State::Blocked | State::Completed => {
                let moved = self.orders.totals(record).cancelled;
                if record.state == State::Completed && moved == 0 {
                    return Err(illegal(record.state));
                }
                Ok(Decision::Repeated(Answer::Done { state: record.state, moved, excess: 0, repeated: true }))
            }
        }
    }

    fn block<'s>(&self, order: OrderId, market: &Market, now: Timestamp) -> Outcome<'s> {
        check_made_at(order.0, now)?;
        check_not_retired(order, market)?;
        self.check_orders()?;
        let answer = Answer::Done { state: State::Blocked, moved: 0, excess: 0, repeated: false };
        Ok(Decision::Happened { fact: Fact::Blocked { order }, answer })
    }

    pub(super) fn cancel_lines<'s>(
        &self,
        order: OrderId,
        id: ChangeId,
        lines: &[LineQuantity],
        scratch: &'s mut Scratch,
    ) -> Outcome<'s> {
        check_lines(lines, 1)?;
        let wanted = Wanted::new(ChangeKind::CancelLines, id, SiteId(0), lines);
        let (record, kept) = self.change_of(order, wanted)?;
        if let Some(kept) = kept {
            return Ok(done_before(record, kept));
        }
        check_lines_exist(record, lines)?;
        if !record.state.is_open() && record.state != State::Expired {
            return Err(illegal(record.state));
        }
        scratch.draws.clear();
        for asked in lines {
            let last_first = self.orders.draws_of_line(record, asked.line).iter().rev();
            refuse_missing(asked, take_from(last_first, asked, Counters::cancellable, &mut scratch.draws))?;
        }
        let draws = &*scratch.draws;
        let state = self.state_once_cancelled(record, draws);
        let fact = Fact::LinesCancelled { order, change: wanted.with_excess(0), draws };
        Ok(happened(state, fact, draws, 0))
    }

    pub(super) fn hand_over<'s>(
        &self,
        order: OrderId,
        id: ChangeId,
        lines: &[LineQuantity],
        scratch: &'s mut Scratch,
    ) -> Outcome<'s> {
        check_lines(lines, 0)?;
        let wanted = Wanted::new(ChangeKind::HandOver, id, SiteId(0), lines);
        let (record, kept) = self.change_of(order, wanted)?;
        if let Some(kept) = kept {
            return Ok(done_before(record, kept));
        }
        check_lines_exist(record, lines)?;
        scratch.draws.clear();
        let mut excess = 0;
        if lines.is_empty() {
            let committed = self.orders.draws(record).iter().filter(|draw| draw.units.committed > 0 && !draw.is_owed());
            scratch.draws.extend(committed.map(|draw| draw.of(draw.units.committed)));
        }
        for asked in lines {
            let first_first = self.orders.draws_of_line(record, asked.line).iter().filter(|draw| !draw.is_owed());
            excess += u64::from(take_from(first_first, asked, |units| units.committed, &mut scratch.draws));
        }
        let draws = &*scratch.draws;
        let state = record.told(self.orders.totals(record).state_after_handing_over(units(draws)));
        let fact = Fact::HandedOver { order, change: wanted.with_excess(excess), draws };
        Ok(happened(state, fact, draws, excess))
    }

    pub(super) fn return_to_stock<'s>(
        &self,
        order: OrderId,
        id: ChangeId,
        site: SiteId,
        lines: &[LineQuantity],
        scratch: &'s mut Scratch,
    ) -> Outcome<'s> {
        check_lines(lines, 1)?;
        let wanted = Wanted::new(ChangeKind::Return, id, site, lines);
        let (record, kept) = self.change_of(order, wanted)?;
        if let Some(kept) = kept {
            return Ok(done_before(record, kept));
        }
        let market = self.market(order.market())?;
        market.check_site(site)?;
        check_lines_exist(record, lines)?;
        self.check_unclaimed(order, record, lines)?;
        scratch.draws.clear();
        for asked in lines {
            let first_first = self.orders.draws_of_line(record, asked.line).iter();
            let missing = take_from(first_first, asked, |units| units.shipped - units.returned, &mut scratch.draws);
            refuse_missing(asked, missing)?;
        }
        let draws = &*scratch.draws;
        // A SKU of several lines counts as often: only where next to nothing fits any more does that refuse too much.
        let held = self.orders.lines(record);
        let missing = |asked: &LineQuantity| market.places_missing(held[usize::from(asked.line)].sku, site);
        self.check_places(lines.iter().map(missing).sum())?;
        let fact = Fact::Returned { order, change: wanted.with_excess(0), site, draws };
        Ok(happened(record.state, fact, draws, 0))
    }

    /// Looks whether so many units of each line may be put back: those that returns claim may not.
    fn check_unclaimed(&self, order: OrderId, record: &Record, lines: &[LineQuantity]) -> Result<(), Refusal> {
        let Some(position) = self.orders.find(order).filter(|position| !self.returns.of(*position).is_empty()) else {
            return Ok(());
        };
        let standings = self.standings(position, record);
        lines.iter().try_for_each(|asked| {
            let left = standings[usize::from(asked.line)].may_put_back();
            refuse_missing(asked, asked.quantity.saturating_sub(u32::try_from(left).unwrap_or(u32::MAX)))
        })
    }

    /// The order of a change, and the change itself if it already happened.
    fn change_of(&self, order: OrderId, wanted: Wanted) -> Result<(&Record, Option<KeptChange>), Refusal> {
        let (position, record) = self.placed_order(order)?;
        Ok((record, self.check_change(position, wanted)?))
    }
}

fn happened<'s>(state: State, fact: Fact<'s>, draws: &[Draw], excess: u64) -> Decision<'s> {
    Decision::Happened { fact, answer: Answer::Done { state, moved: units(draws), excess, repeated: false } }
}

pub(super) fn units(draws: &[Draw]) -> u64 {
    draws.iter().map(|draw| u64::from(draw.quantity)).sum()
}

/// Takes what is asked of a line from its draws, in the order given. Gives the units that are missing.
pub(super) fn take_from<'d>(
    draws: impl Iterator<Item = &'d DrawRecord>,
    asked: &LineQuantity,
    units: impl Fn(&Counters) -> u32,
    taken: &mut Vec<Draw>,
) -> u32 {
    let mut missing = asked.quantity;
    for draw in draws {
        let quantity = units(&draw.units).min(missing);
        if quantity > 0 {
            taken.push(draw.of(quantity));
            missing -= quantity;
        }
    }
    missing
}

pub(super) fn refuse_missing(asked: &LineQuantity, missing: u32) -> Result<(), Refusal> {
    if missing == 0 {
        return Ok(());
    }
    Err(Refusal::NotEnoughUnits { line: asked.line, units: u64::from(asked.quantity - missing) })
}

/// Looks whether a list of lines may be one: as many as a placement, each at least one unit, none twice.
pub(super) fn check_lines(lines: &[LineQuantity], least: u64) -> Result<(), Refusal> {
    check_bounds(Field::Lines, lines.len() as u64, least, LINES_MAX as u64)?;
    let mut named = [false; LINES_MAX];
    for LineQuantity { line, quantity } in lines {
        check_bounds(Field::Quantity, (*quantity).into(), 1, u32::MAX.into())?;
        match named.get_mut(usize::from(*line)) {
            Some(named) if !*named => *named = true,
            Some(_) => return Err(Refusal::OutOfBounds { field: Field::Line, min: 0, max: 1 }),
            None => return Err(Refusal::UnknownLine { line: *line }),
        }
    }
    Ok(())
}

pub(super) fn check_lines_exist(record: &Record, lines: &[LineQuantity]) -> Result<(), Refusal> {
    match lines.iter().find(|asked| asked.line >= record.lines.len) {
        Some(asked) => Err(Refusal::UnknownLine { line: asked.line }),
        None => Ok(()),
    }
}
