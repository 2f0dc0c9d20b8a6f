//! Deliveries and returns: what is told of goods that reached the customer, and of those that come back.
//!
//! # Always true
//! - A unit is never claimed twice, whatever is asked at the same time: see `returns::Standing`.
//! - Totals that tell nothing new change nothing, in whatever stage.

use std::collections::BTreeSet;

use super::super::Engine;
use super::super::answer::Answer;
use super::super::command::LineQuantity;
use super::super::content::{self, ChangeKind};
use super::super::fact::{Draw, Fact};
use super::super::ledger::Bucket;
use super::super::market::Market;
use super::super::order::Counters;
use super::super::orders::{DrawRecord, Record};
use super::super::refusal::{Field, Refusal};
use super::super::return_::{Disposition, Heard, Kind, Reason, ReturnCommand, ReturnFact, ReturnReport, Stage};
use super::super::returns::Return;
use super::change::{check_lines, check_lines_exist, units};
use super::stock::check_outside;
use super::{Decision, Outcome, Scratch, Wanted, check_bounds, done_before};
use crate::base::limits::{RETURN_LINES_MAX, RETURN_ROWS_MAX, RETURNS_PER_ORDER_MAX};
use crate::base::{ChangeId, OrderId, SiteId, SkuId, Timestamp};

/// A return that is there, as those see it who decide on it.
#[derive(Clone, Copy)]
struct Known<'e> {
    order: OrderId,
    position: u32,
    record: &'e Record,
    /// Which return of the order.
    of: u8,
    head: &'e Return,
}

impl Engine {
    pub(super) fn report_delivered<'s>(&self, order: OrderId, id: ChangeId, lines: &'s [LineQuantity]) -> Outcome<'s> {
        check_lines(lines, 1)?;
        let wanted = Wanted::new(ChangeKind::Delivered, id, SiteId(0), lines);
        let (position, record) = self.placed_order(order)?;
        if let Some(kept) = self.check_change(position, wanted)? {
            return Ok(done_before(record, kept));
        }
        check_lines_exist(record, lines)?;
        let standings = self.standings(position, record);
        for LineQuantity { line, quantity } in lines {
            check_units(*line, (*quantity).into(), standings[usize::from(*line)].may_deliver())?;
        }
        let moved = lines.iter().map(|asked| u64::from(asked.quantity)).sum();
        let fact = Fact::Delivered { order, change: wanted.with_excess(0), lines };
        let answer = Answer::Done { state: record.state, moved, excess: 0, repeated: false };
        Ok(Decision::Happened { fact, answer })
    }

    pub(super) fn decide_return<'s>(
        &self,
        (order, id): (OrderId, ChangeId),
        what: ReturnCommand<'s>,
        now: Timestamp,
        scratch: &'s mut Scratch,
    ) -> Outcome<'s> {
        match what {
            ReturnCommand::Request { kind, reason, lines } => {
                self.request_return((order, id), (kind, reason), lines, now)
            }
            ReturnCommand::Report(report) => self.report_return(self.known_return(order, id)?, report),
            ReturnCommand::Receive { site, lines } => {
                check_return_lines(lines)?;
                self.receive_return(self.known_return(order, id)?, site, lines, scratch)
            }
            ReturnCommand::Inspect { site, disposition, lines } => {
                check_return_lines(lines)?;
                self.inspect_return(self.known_return(order, id)?, (site, disposition), lines, scratch)
            }
        }
    }

    fn request_return<'s>(
        &self,
        (order, id): (OrderId, ChangeId),
        (kind, reason): (Kind, Reason),
        lines: &'s [LineQuantity],
        now: Timestamp,
    ) -> Outcome<'s> {
        check_return_lines(lines)?;
        let (position, record) = self.placed_order(order)?;
        let content = content::change(ChangeKind::Asked, SiteId(0), lines);
        let moved = lines.iter().map(|asked| u64::from(asked.quantity)).sum();
        if let Some((_, head)) = self.returns.find(position, id) {
            let is_same = (head.content, head.kind, head.reason) == (content, kind, reason);
            let again = Answer::Return { state: record.state, stage: head.stage, moved, repeated: true };
            return if is_same { Ok(Decision::Repeated(again)) } else { Err(Refusal::Conflict) };
        }
        check_lines_exist(record, lines)?;
        // Somebody may ask for as long as the window is open; what is there or on its way, may be told of longer.
        if kind == Kind::CustomerReturn && !record.state.is_open() && record.closes_at <= now {
            return Err(Refusal::Closed { state: record.state });
        }
        let standings = self.standings(position, record);
        for LineQuantity { line, quantity } in lines {
            check_units(*line, (*quantity).into(), standings[usize::from(*line)].may_return(kind))?;
        }
        let kept = self.returns.of(position).len() as u64;
        check_bounds(Field::Returns, kept + 1, 0, RETURNS_PER_ORDER_MAX as u64)?;
        self.check_rows(position, lines.len(), 1)?;
        let what = ReturnFact::Requested { kind, reason, lines };
        let answer = Answer::Return { state: record.state, stage: kind.first_stage(), moved, repeated: false };
        Ok(Decision::Happened { fact: Fact::Return { order, id, what }, answer })
    }

    fn report_return<'s>(&self, known: Known<'_>, report: ReturnReport) -> Outcome<'s> {
        let Known { order, position, record, of, head } = known;
        let lies = self.returns.rows_of(position, of).any(|row| row.lying() > 0);
        let answer = |stage, repeated| Answer::Return { state: record.state, stage, moved: 0, repeated };
        match head.stage.told(report, lies) {
            Heard::Repeats if report.declined().is_some() && report.declined() != head.declined => {
                Err(Refusal::Conflict)
            }
            Heard::Repeats => Ok(Decision::Repeated(answer(head.stage, true))),
            Heard::Refused => Err(Refusal::IllegalReturn { stage: head.stage }),
            Heard::Moves => {
                let fact = Fact::Return { order, id: head.id, what: ReturnFact::Told(report) };
                Ok(Decision::Happened { fact, answer: answer(report.stage(), false) })
            }
        }
    }

    fn receive_return<'s>(
        &self,
        known: Known<'_>,
        site: SiteId,
        lines: &[LineQuantity],
        scratch: &'s mut Scratch,
    ) -> Outcome<'s> {
        let Known { order, position, record, of, head } = known;
        let market = self.market(order.market())?;
        market.check_site(site)?;
        check_lines_exist(record, lines)?;
        let received = |line| self.returns.row(position, (of, line, site)).map_or(0, |row| row.units);
        if lines.iter().all(|told| told.quantity <= received(told.line)) {
            return Ok(repeated(record, head));
        }
        if !head.stage.may_receive() {
            return Err(Refusal::IllegalReturn { stage: head.stage });
        }
        let (mut rows, mut places) = (0, 0);
        scratch.draws.clear();
        for LineQuantity { line, quantity } in lines.iter().copied() {
            let of_line = || self.returns.rows_of(position, of).filter(move |row| row.line == line);
            let asked = of_line().find(|row| row.is_asked()).map_or(0, |row| u64::from(row.units));
            let elsewhere = of_line().filter(|row| !row.is_asked() && row.site != site);
            let elsewhere: u64 = elsewhere.map(|row| u64::from(row.units)).sum();
            check_units(line, quantity.into(), asked - elsewhere)?;
            let new = quantity.saturating_sub(received(line));
            let handed_over = |units: &Counters| units.shipped - units.returned;
            take(self.orders.draws_of_line(record, line), new, handed_over, &mut scratch.draws);
            rows += usize::from(new > 0 && received(line) == 0);
            places += market.places_missing(self.orders.lines(record)[usize::from(line)].sku, site);
        }
        self.check_rows(position, rows, 0)?;
        self.check_places(places)?;
        let draws = &*scratch.draws;
        let what = ReturnFact::Received { site, draws };
        let (state, moved) = (record.state, units(draws));
        let answer = Answer::Return { state, stage: Stage::Received, moved, repeated: false };
        Ok(Decision::Happened { fact: Fact::Return { order, id: head.id, what }, answer })
    }

    fn inspect_return<'s>(
        &self,
        known: Known<'_>,
        (site, disposition): (SiteId, Disposition),
        lines: &[LineQuantity],
        scratch: &'s mut Scratch,
    ) -> Outcome<'s> {
        let Known { order, position, record, of, head } = known;
        let market = self.market(order.market())?;
        market.check_site(site)?;
        check_lines_exist(record, lines)?;
        let row = |line| self.returns.row(position, (of, line, site));
        let became = |line| row(line).map_or(0, |row| row.became(disposition));
        if lines.iter().all(|told| told.quantity <= became(told.line)) {
            return Ok(repeated(record, head));
        }
        scratch.draws.clear();
        for LineQuantity { line, quantity } in lines.iter().copied() {
            let left = row(line).map_or(0, |row| row.lying() + u64::from(row.became(disposition)));
            check_units(line, quantity.into(), left)?;
            let new = quantity.saturating_sub(became(line));
            if disposition == Disposition::BackToCustomer {
                take(self.orders.draws_of_line(record, line), new, |units| units.returned, &mut scratch.draws);
            } else if new > 0 {
                scratch.draws.push(Draw { line, site, quantity: new });
            }
        }
        let draws = &*scratch.draws;
        self.check_room(market, record, (site, disposition), draws)?;
        let what = ReturnFact::Inspected { site, disposition, draws };
        let is_done = self.returns.is_done_without(position, of, units(draws));
        let stage = if is_done && head.stage == Stage::Received { Stage::Inspected } else { head.stage };
        let answer = Answer::Return { state: record.state, stage, moved: units(draws), repeated: false };
        Ok(Decision::Happened { fact: Fact::Return { order, id: head.id, what }, answer })
    }

    fn known_return(&self, order: OrderId, id: ChangeId) -> Result<Known<'_>, Refusal> {
        let (position, record) = self.placed_order(order)?;
        let (of, head) = self.returns.find(position, id).ok_or(Refusal::UnknownReturn)?;
        Ok(Known { order, position, record, of, head })
    }

    /// Looks whether an order, and the shard, may keep so many rows more, and returns.
    fn check_rows(&self, position: u32, rows: usize, returns: u64) -> Result<(), Refusal> {
        let of_order = (self.returns.rows(position).len() + rows) as u64;
        check_bounds(Field::ReturnRows, of_order, 0, RETURN_ROWS_MAX as u64)?;
        let more = rows as u64 + returns;
        let fits = more == 0 || self.returns.len() + more <= self.capacity.returns_max;
        if fits { Ok(()) } else { Err(Refusal::AtCapacity) }
    }

    /// Looks whether units may go where a disposition takes them: into the account outside, and among what a customer
    /// holds.
    fn check_room(
        &self,
        market: &Market,
        record: &Record,
        (site, disposition): (SiteId, Disposition),
        draws: &[Draw],
    ) -> Result<(), Refusal> {
        let lines = self.orders.lines(record);
        let outside = match disposition {
            Disposition::Dispose => Some(Bucket::WriteOff),
            Disposition::BackToSupplier => Some(Bucket::Supplier),
            Disposition::BackToCustomer => return self.check_counted(market, record, draws),
            Disposition::Restock | Disposition::QualityHold | Disposition::Damaged => None,
        };
        // All of them as if they were of each SKU: it is refused a little too early, near the end of 64 bits.
        let all = units(draws);
        let each = |sku: SkuId, per: u64| {
            let moved = i64::try_from(all * per).unwrap_or(i64::MAX);
            outside.map_or(Ok(()), |bucket| check_outside(market, (sku, site), bucket, moved))
        };
        draws.iter().try_for_each(|draw| {
            let sku = lines[usize::from(draw.line)].sku;
            match market.kits.recipe(sku) {
                None => each(sku, 1),
                Some(recipe) => recipe.iter().try_for_each(|part| each(part.sku, market.kits.units_of(sku))),
            }
        })
    }

    /// Looks whether what goes back to a customer may be counted again.
    fn check_counted(&self, market: &Market, record: &Record, draws: &[Draw]) -> Result<(), Refusal> {
        if !market.policies.counts() {
            return Ok(());
        }
        let lines = self.orders.lines(record);
        let hashes = self.orders.extra(record).and_then(|extra| extra.hashes);
        let mut missing = BTreeSet::new();
        let mut look = |sku: SkuId| {
            let Some(rule) = market.policies.rule(sku) else { return };
            let is_counted = rule.policy.returns_give_back && rule.counts_order(record.number, record.accepted_at);
            let keys = rule.policy.keys(record.customer, hashes).filter(|key| is_counted && !rule.is_counted(*key));
            missing.extend(keys.map(|key| (sku, key)));
        };
        for draw in draws {
            let sku = lines[usize::from(draw.line)].sku;
            look(sku);
            market.kits.recipe(sku).into_iter().flat_map(|recipe| recipe.iter()).for_each(|part| look(part.sku));
        }
        let more = missing.len() as u64;
        let fits = more == 0 || self.customer_counts + more <= self.capacity.customers_max;
        if fits { Ok(()) } else { Err(Refusal::AtCapacity) }
    }
}

fn repeated<'s>(record: &Record, head: &Return) -> Decision<'s> {
    Decision::Repeated(Answer::Return { state: record.state, stage: head.stage, moved: 0, repeated: true })
}

fn check_return_lines(lines: &[LineQuantity]) -> Result<(), Refusal> {
    check_bounds(Field::Lines, lines.len() as u64, 1, RETURN_LINES_MAX as u64)?;
    check_lines(lines, 1)
}

const fn check_units(line: u16, told: u64, max: u64) -> Result<(), Refusal> {
    if told <= max { Ok(()) } else { Err(Refusal::NotEnoughUnits { line, units: max }) }
}

/// Takes so many units of a line from its draws, first first. They are there: nobody asked for more.
fn take(draws: &[DrawRecord], quantity: u32, units: impl Fn(&Counters) -> u32, taken: &mut Vec<Draw>) {
    let mut missing = quantity;
    for draw in draws {
        let some = units(&draw.units).min(missing);
        if some > 0 {
            taken.push(draw.of(some));
            missing -= some;
        }
    }
    assert!(missing == 0, "law: what a return may move is there");
}

#[cfg(test)]
mod tests;
