//! Deciding an edit: what becomes of the lines, units, prices and zone of an order, all of it or nothing.
//!
//! ```text
//! removed units ─┬─ of a SKU that is added too: they come to be of the new line, and do not move
//!                └─ the others: free
//! added units ───┬─ those
//!                └─ the others: taken as a placement takes them
//! ```
//!
//! # Always true
//! - Checks come in the order of `docs/EDITS.md`; it is part of the contract.

use std::collections::{BTreeMap, VecDeque};

use super::super::Engine;
use super::super::answer::Answer;
use super::super::choices::PaymentMethod;
use super::super::command::{Edit, Line};
use super::super::content::{self, ChangeKind};
use super::super::fact::{Change, Draw, Edited, Fact};
use super::super::market::Market;
use super::super::order::{Counters, State};
use super::super::orders::{KeptChange, Record};
use super::super::refusal::{Field, Refusal};
use super::super::routing::{Beyond, Want};
use super::super::steps::covered;
use super::change::{check_lines, check_lines_exist, refuse_missing, take_from, units};
use super::place::{check_kit_lines, sold_out};
use super::{Decision, Outcome, Scratch, Wanted, check_bounds, done_before, illegal};
use crate::base::limits::{DRAWS_MAX, LINE_QUANTITY_MAX, LINES_MAX, ORDER_DRAWS_MAX, ORDER_TOTAL_MAX, UNIT_PRICE_MAX};
use crate::base::{ChangeId, OrderId, Price, SiteId, SkuId};

impl Engine {
    pub(super) fn edit_order<'s>(
        &self,
        order: OrderId,
        id: ChangeId,
        edit: Edit<'s>,
        scratch: &'s mut Scratch,
    ) -> Outcome<'s> {
        edit.check()?;
        let wanted = Wanted { kind: ChangeKind::Edit, id, content: content::edit(edit) };
        let (position, record) = self.placed_order(order)?;
        if let Some(kept) = self.check_change(position, wanted)? {
            let change = Change { excess: 0, ..kept.change };
            return Ok(done_before(record, KeptChange { change, ..kept }));
        }
        check_lines_exist(record, edit.remove)?;
        if let Some(priced) = edit.prices.iter().find(|priced| priced.line >= record.lines.len) {
            return Err(Refusal::UnknownLine { line: priced.line });
        }
        if !record.state.is_open() {
            return Err(illegal(record.state));
        }
        let market = self.market(order.market())?;
        edit.add.iter().try_for_each(|line| market.check_sku(line.sku))?;
        self.check_edited_lines(market, record, edit)?;
        let (prices, due) = self.check_prices(record, edit)?;
        scratch.draws.clear();
        for asked in edit.remove {
            let last_first = self.orders.draws_of_line(record, asked.line).iter().rev();
            refuse_missing(asked, take_from(last_first, asked, Counters::cancellable, &mut scratch.draws))?;
        }
        if self.orders.line_count() + edit.add.len() as u64 > self.capacity.lines_max {
            return Err(Refusal::AtCapacity);
        }
        if !market.policies.is_empty() {
            self.check_edit_policies(market, record, edit, &mut scratch.sums)?;
        }
        let moved = self.plan_edit(market, record, edit, scratch)?;
        let (removed, draws) = (&*scratch.draws, &*scratch.added);
        let due = due - cost(&prices, removed);
        let state = self.state_once_edited((position, record), (units(removed), units(draws)), due);
        let what = Edited { zone: edit.zone, prices: edit.prices, removed, lines: edit.add, draws };
        let fact = Fact::Edited { order, change: wanted.with_excess(0), what };
        Ok(Decision::Happened { fact, answer: Answer::Done { state, moved, excess: 0, repeated: false } })
    }

    /// Looks whether the order may have so many lines, and lines of kits.
    fn check_edited_lines(&self, market: &Market, record: &Record, edit: Edit<'_>) -> Result<(), Refusal> {
        let lines = usize::from(record.lines.len) + edit.add.len();
        check_bounds(Field::Lines, lines as u64, 0, LINES_MAX as u64)?;
        let known = self.orders.lines(record).iter().map(|line| line.sku);
        check_kit_lines(market, known.chain(edit.add.iter().map(|line| line.sku)))
    }

    /// Looks whether the order may cost what it is to, and gives the price of each line that it has, and what is due of
    /// it then, units to be removed included.
    fn check_prices(&self, record: &Record, edit: Edit<'_>) -> Result<(Vec<Price>, Price), Refusal> {
        let is_free = !record.needed_payment() && record.payment != PaymentMethod::CashOnDelivery;
        let has_price = || {
            let prices = edit.prices.iter().map(|priced| priced.price);
            prices.chain(edit.add.iter().map(|line| line.price)).any(|price| price > 0)
        };
        if is_free && has_price() {
            return Err(Refusal::OutOfBounds { field: Field::Price, min: 0, max: 0 });
        }
        let mut prices: Vec<_> = self.orders.lines(record).iter().map(|line| line.price).collect();
        edit.prices.iter().for_each(|priced| prices[usize::from(priced.line)] = priced.price);
        let (mut total, mut due) = (0_u128, 0_u128);
        let units = self.orders.lines(record).iter().zip(self.orders.line_units(record));
        for ((line, units), price) in units.zip(prices.iter().copied()) {
            total += u128::from(price) * u128::from(line.asked);
            due += u128::from(price) * u128::from(units.sold());
        }
        let added: u128 = edit.add.iter().map(|line| u128::from(line.price) * u128::from(line.quantity)).sum();
        if total + added > ORDER_TOTAL_MAX.into() {
            return Err(Refusal::OutOfBounds { field: Field::Total, min: 0, max: ORDER_TOTAL_MAX });
        }
        Ok((prices, (due + added) as Price))
    }

    /// Finds the units that are added, and gives how many units of the order move.
    fn plan_edit(
        &self,
        market: &Market,
        record: &Record,
        edit: Edit<'_>,
        scratch: &mut Scratch,
    ) -> Result<u64, Refusal> {
        let lines = self.orders.lines(record);
        let mut own: BTreeMap<SkuId, VecDeque<Draw>> = BTreeMap::new();
        if !edit.add.is_empty() {
            for draw in &scratch.draws {
                own.entry(lines[usize::from(draw.line)].sku).or_default().push_back(*draw);
            }
            let by_rank = |draws: &mut VecDeque<Draw>| {
                draws.make_contiguous().sort_by_cached_key(|draw| rank(market, draw.site));
            };
            own.values_mut().for_each(by_rank);
        }
        scratch.draws.sort_by_key(|draw| draw.line);
        scratch.added.clear();
        let (mut missing, mut kept) = (Vec::with_capacity(edit.add.len()), 0);
        for (line, &Line { sku, quantity, .. }) in (record.lines.len..).zip(edit.add) {
            let (mut quantity, mut own) = (quantity, own.get_mut(&sku));
            while let Some(draw) = own.as_mut().and_then(|own| own.front_mut()).filter(|_| quantity > 0) {
                let some = draw.quantity.min(quantity);
                scratch.added.push(Draw { line, site: draw.site, quantity: some });
                (draw.quantity, quantity, kept) = (draw.quantity - some, quantity - some, kept + u64::from(some));
                if draw.quantity == 0 {
                    own.as_mut().map(|own| own.pop_front());
                }
            }
            if quantity > 0 {
                missing.push(Want { line, sku, quantity });
            }
        }
        if let Some(short) = scratch.plan.make(market, missing.into_iter(), Beyond::Allowance) {
            return Err(sold_out(short));
        }
        scratch.added.extend_from_slice(scratch.plan.draws());
        join(market, &mut scratch.added);
        let more = scratch.added.len();
        if scratch.plan.draws().len() > DRAWS_MAX || self.orders.draws(record).len() + more > ORDER_DRAWS_MAX {
            return Err(Refusal::TooManyDraws);
        }
        if self.orders.draw_count() + more as u64 > self.capacity.draws_max || !self.may_wait(scratch.plan.draws()) {
            return Err(Refusal::AtCapacity);
        }
        Ok(units(&scratch.draws) + units(&scratch.added) - 2 * kept)
    }

    fn state_once_edited(&self, (position, record): (u32, &Record), (removed, added): (u64, u64), due: Price) -> State {
        let mut totals = self.orders.totals(record);
        if record.state.awaits_payment() {
            let is_paid = due > 0 && covered(self.accounts.of(position)) >= due.into();
            totals.reserved = totals.reserved + added - removed;
            if is_paid {
                totals.committed = core::mem::take(&mut totals.reserved);
            }
        } else {
            totals.committed = totals.committed + added - removed;
        }
        record.told(totals.state())
    }
}

/// Where a site stands among those that give; what is owed stands behind all.
fn rank(market: &Market, site: SiteId) -> usize {
    market.ranked.iter().position(|ranked| *ranked == site).unwrap_or(usize::MAX)
}

/// Draws of one line and site are one; those of a line stand by rank, what is owed last.
fn join(market: &Market, draws: &mut Vec<Draw>) {
    draws.sort_by_cached_key(|draw| (draw.line, rank(market, draw.site)));
    draws.dedup_by(|next, kept| {
        let same = (next.line, next.site) == (kept.line, kept.site);
        if same {
            kept.quantity += next.quantity;
        }
        same
    });
}

fn cost(prices: &[Price], draws: &[Draw]) -> Price {
    draws.iter().map(|draw| prices[usize::from(draw.line)] * u64::from(draw.quantity)).sum()
}

impl Edit<'_> {
    /// Checks every bound that needs no state.
    fn check(&self) -> Result<(), Refusal> {
        let all = self.prices.len() + self.remove.len() + self.add.len() + usize::from(self.zone.is_some());
        check_bounds(Field::Lines, all as u64, 1, u64::MAX).map_err(|_| NOTHING)?;
        check_bounds(Field::Lines, self.prices.len().max(self.add.len()) as u64, 0, LINES_MAX as u64)?;
        check_lines(self.remove, 0)?;
        let mut named = [false; LINES_MAX];
        for priced in self.prices {
            check_bounds(Field::Price, priced.price, 0, UNIT_PRICE_MAX)?;
            match named.get_mut(usize::from(priced.line)) {
                Some(named) if !*named => *named = true,
                Some(_) => return Err(Refusal::OutOfBounds { field: Field::Line, min: 0, max: 1 }),
                None => return Err(Refusal::UnknownLine { line: priced.line }),
            }
        }
        for line in self.add {
            check_bounds(Field::Quantity, line.quantity.into(), 1, LINE_QUANTITY_MAX.into())?;
            check_bounds(Field::Price, line.price, 0, UNIT_PRICE_MAX)?;
        }
        Ok(())
    }
}

/// An edit of nothing.
const NOTHING: Refusal = Refusal::OutOfBounds { field: Field::Lines, min: 1, max: LINES_MAX as u64 };
