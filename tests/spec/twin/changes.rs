//! Changes of quantities in the twin: cancelled lines, hand-overs, returns. Each is remembered with its content.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use stockade::base::limits::{CHANGES_MAX, LINES_MAX};
use stockade::base::{ChangeId, OrderId, SiteId, SkuId};
use stockade::engine::order::State;
use stockade::engine::refusal::Field;
use stockade::engine::{Answer, LineQuantity, Refusal};

use super::goods::shelf;
use super::order::{Fate, Kind, Order, Remembered, Unit, Wanted};
use super::retake::illegal;
use super::{Twin, out_of_bounds};

impl Twin {
    pub(super) fn cancel_lines(
        &mut self,
        id: OrderId,
        change: ChangeId,
        lines: &[LineQuantity],
    ) -> Result<Answer, Refusal> {
        check_bounds(lines, 1)?;
        let asked = Wanted { kind: Kind::CancelLines, site: None, lines: lines.to_vec() };
        let order = self.order_mut(id)?;
        if let Some(first) = order.remembered(change, &asked)? {
            return Ok(first);
        }
        order.check_lines(lines)?;
        if matches!(order.state(), State::Completed | State::Cancelled) {
            return Err(illegal(order.state()));
        }
        let can_be_cancelled = |unit: &Unit| matches!(unit.fate, Fate::Reserved | Fate::Committed | Fate::Lapsed);
        order.check_units(lines, can_be_cancelled)?;
        let mut moved = 0;
        for line in lines {
            let (at, quantity) = (usize::from(line.line), line.quantity as usize);
            for unit in order.first_drawn(at, can_be_cancelled).into_iter().rev().take(quantity) {
                order.lines[at][unit].fate = Fate::Cancelled;
                moved += 1;
            }
        }
        // What is left may be paid for already.
        if order.is_unpaid() && order.is_covered() {
            order.turn(Fate::Reserved, Fate::Committed);
        }
        Ok(order.remember(change, asked, moved, 0))
    }

    pub(super) fn hand_over(
        &mut self,
        id: OrderId,
        change: ChangeId,
        lines: &[LineQuantity],
    ) -> Result<Answer, Refusal> {
        check_bounds(lines, 0)?;
        let asked = Wanted { kind: Kind::HandOver, site: None, lines: lines.to_vec() };
        let order = self.order_mut(id)?;
        if let Some(first) = order.remembered(change, &asked)? {
            return Ok(first);
        }
        order.check_lines(lines)?;
        if lines.is_empty() {
            let mut moved = 0;
            for unit in order.lines.iter_mut().flatten().filter(|unit| unit.can_leave()) {
                unit.fate = Fate::Shipped;
                moved += 1;
            }
            return Ok(order.remember(change, asked, moved, 0));
        }
        let (mut moved, mut reported) = (0, 0);
        for line in lines {
            reported += u64::from(line.quantity);
            let (at, quantity) = (usize::from(line.line), line.quantity as usize);
            for unit in order.first_drawn(at, Unit::can_leave).into_iter().take(quantity) {
                order.lines[at][unit].fate = Fate::Shipped;
                moved += 1;
            }
        }
        Ok(order.remember(change, asked, moved, reported - moved))
    }

    pub(super) fn return_to_stock(
        &mut self,
        id: OrderId,
        change: ChangeId,
        site: SiteId,
        lines: &[LineQuantity],
    ) -> Result<Answer, Refusal> {
        check_bounds(lines, 1)?;
        let asked = Wanted { kind: Kind::ReturnToStock, site: Some(site), lines: lines.to_vec() };
        let (room, site_exists) = (self.place_room(), self.market(id.market())?.has_site(site));
        let order = self.order_mut(id)?;
        if let Some(first) = order.remembered(change, &asked)? {
            return Ok(first);
        }
        if !site_exists {
            return Err(Refusal::UnknownSite);
        }
        order.check_lines(lines)?;
        for line in lines {
            let units = order.unclaimed(line.line);
            if units < u64::from(line.quantity) {
                return Err(Refusal::NotEnoughUnits { line: line.line, units });
            }
        }
        let skus: Vec<SkuId> = lines.iter().map(|line| order.asked.lines[usize::from(line.line)].sku).collect();
        self.market_mut(id.market())?.open_places(room, site, &skus)?;
        let order = self.order_mut(id)?;
        let mut moved = 0;
        for line in lines {
            let (at, quantity) = (usize::from(line.line), line.quantity as usize);
            let can_return = |unit: &Unit| unit.fate == Fate::Shipped && unit.returned_to.is_none();
            for unit in order.first_drawn(at, can_return).into_iter().take(quantity) {
                order.lines[at][unit].returned_to = Some(shelf(site));
                moved += 1;
            }
        }
        Ok(order.remember(change, asked, moved, 0))
    }
}

impl Order {
    /// The first answer again when the change is known; a refusal when it is known with other content, or when no
    /// further change can be remembered.
    pub(super) fn remembered(&self, change: ChangeId, wanted: &Wanted) -> Result<Option<Answer>, Refusal> {
        match self.changes.get(&change) {
            Some(Remembered::Done { asked, moved, excess }) if asked == wanted => {
                Ok(Some(self.done(*moved, *excess, true)))
            }
            Some(_) => Err(Refusal::Conflict),
            None if self.changes.len() == CHANGES_MAX => Err(Refusal::TooManyChanges),
            None => Ok(None),
        }
    }

    pub(super) fn remember(&mut self, change: ChangeId, asked: Wanted, moved: u64, excess: u64) -> Answer {
        self.changes.insert(change, Remembered::Done { asked, moved, excess });
        self.done(moved, excess, false)
    }

    pub(super) fn check_lines(&self, lines: &[LineQuantity]) -> Result<(), Refusal> {
        match lines.iter().find(|line| usize::from(line.line) >= self.lines.len()) {
            Some(unknown) => Err(Refusal::UnknownLine { line: unknown.line }),
            None => Ok(()),
        }
    }

    pub(super) fn check_units(&self, lines: &[LineQuantity], counts: impl Fn(&Unit) -> bool) -> Result<(), Refusal> {
        for line in lines {
            let units = self.lines[usize::from(line.line)].iter().filter(|unit| counts(unit)).count() as u64;
            if units < u64::from(line.quantity) {
                return Err(Refusal::NotEnoughUnits { line: line.line, units });
            }
        }
        Ok(())
    }
}

fn check_bounds(lines: &[LineQuantity], lines_min: usize) -> Result<(), Refusal> {
    out_of_bounds_lines(lines, lines_min..=LINES_MAX).into_iter().next().map_or(Ok(()), Err)
}

/// Everything about the lines of a change that is outside its bounds.
pub(super) fn out_of_bounds_lines(lines: &[LineQuantity], count: RangeInclusive<usize>) -> Vec<Refusal> {
    let mut wrong = Vec::new();
    let mut check = |is_wrong: bool, field, min, max| {
        if is_wrong {
            wrong.push(out_of_bounds(field, min, max));
        }
    };
    check(!count.contains(&lines.len()), Field::Lines, *count.start() as u64, *count.end() as u64);
    check(lines.iter().any(|line| line.quantity == 0), Field::Quantity, 1, u64::from(u32::MAX));
    let mut named = BTreeSet::new();
    check(lines.iter().any(|line| !named.insert(line.line)), Field::Line, 0, 1);
    wrong
}
