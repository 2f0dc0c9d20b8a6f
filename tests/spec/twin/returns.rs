//! What comes back, in the twin: units that reached the customer, returns that are asked for, told of, received and
//! looked at, and those that end because nobody moves them.

use std::collections::BTreeSet;

use stockade::base::limits::{LINES_MAX, RETURN_LINES_MAX, RETURN_ROWS_MAX, RETURNS_PER_ORDER_MAX};
use stockade::base::{ChangeId, OrderId, SiteId, SkuId, Timestamp};
use stockade::engine::ledger::{Account, Bucket};
use stockade::engine::refusal::Field;
use stockade::engine::{
    Answer, Disposition, Happening, LineQuantity, Refusal, ReturnCommand, ReturnKind, ReturnReason, ReturnReport,
    ReturnStage,
};

use super::changes::out_of_bounds_lines;
use super::claims::{Heard, Return};
use super::history::only;
use super::order::{Fate, Kind, Order, Record, Remembered, Unit, Wanted};
use super::{Market, Twin, out_of_bounds};

/// A return of which somebody has to know that it ended by itself.
type Ended = (OrderId, ChangeId, ReturnStage);

impl Twin {
    pub(super) fn report_delivered(
        &mut self,
        id: OrderId,
        change: ChangeId,
        lines: &[LineQuantity],
    ) -> Result<Answer, Refusal> {
        check_lines(lines, LINES_MAX)?;
        let asked = Wanted { kind: Kind::Deliver, site: None, lines: lines.to_vec() };
        let order = self.order_mut(id)?;
        if let Some(first) = order.remembered(change, &asked)? {
            return Ok(first);
        }
        order.check_lines(lines)?;
        check_each(lines, |line| order.may_be_delivered(line))?;
        Ok(order.remember(change, asked, sum(lines), 0))
    }

    pub(super) fn do_return(
        &mut self,
        id: OrderId,
        which: ChangeId,
        what: ReturnCommand<'_>,
        now: Timestamp,
    ) -> Result<Answer, Refusal> {
        match what {
            ReturnCommand::Request { kind, reason, lines } => {
                self.request_return(id, which, (kind, reason), lines, now)
            }
            ReturnCommand::Report(report) => self.report_return(id, which, report, now),
            ReturnCommand::Receive { site, lines } => self.receive_return(id, which, (site, lines), now),
            ReturnCommand::Inspect { site, disposition, lines } => {
                self.inspect_return(id, which, (site, disposition, lines), now)
            }
        }
    }

    fn request_return(
        &mut self,
        id: OrderId,
        which: ChangeId,
        (kind, reason): (ReturnKind, ReturnReason),
        lines: &[LineQuantity],
        now: Timestamp,
    ) -> Result<Answer, Refusal> {
        check_lines(lines, RETURN_LINES_MAX)?;
        let order = self.order(id)?;
        if let Some(known) = order.returns.iter().find(|known| known.id == which) {
            let is_same = (known.kind, known.reason, known.lines.as_slice()) == (kind, reason, lines);
            return if is_same { Ok(order.answer(which, sum(lines), true)) } else { Err(Refusal::Conflict) };
        }
        order.check_lines(lines)?;
        if kind == ReturnKind::CustomerReturn
            && let Some(&(state, closes_at)) = self.market(id.market())?.ends.get(&id)
            && closes_at <= now
        {
            return Err(Refusal::Closed { state });
        }
        let new = Return::new(which, (kind, reason), lines, now);
        check_each(lines, |line| order.may_be_asked(new.is_by_carrier(), line))?;
        if order.returns.len() == RETURNS_PER_ORDER_MAX {
            return Err(out_of_bounds(Field::Returns, 0, RETURNS_PER_ORDER_MAX as u64));
        }
        order.check_rows(new.rows())?;
        self.check_kept(1 + new.rows())?;
        let order = self.order_mut(id)?;
        order.returns.push(new);
        Ok(order.answer(which, sum(lines), false))
    }

    fn report_return(
        &mut self,
        id: OrderId,
        which: ChangeId,
        report: ReturnReport,
        now: Timestamp,
    ) -> Result<Answer, Refusal> {
        let order = self.order_mut(id)?;
        let known = order.return_mut(which)?;
        match known.hears(report) {
            Heard::No(refusal) => Err(refusal),
            Heard::Repeats => Ok(order.answer(which, 0, true)),
            Heard::Moves => {
                known.report(report, now);
                Ok(order.answer(which, 0, false))
            }
        }
    }

    fn receive_return(
        &mut self,
        id: OrderId,
        which: ChangeId,
        (site, lines): (SiteId, &[LineQuantity]),
        now: Timestamp,
    ) -> Result<Answer, Refusal> {
        check_lines(lines, RETURN_LINES_MAX)?;
        self.check_place(id, which, site, lines)?;
        let order = self.order(id)?;
        let known = order.return_(which)?;
        let news = news(lines, |line| known.received_at(line, site));
        if news.is_empty() {
            return Ok(order.answer(which, 0, true));
        }
        let stage = known.stage();
        if [ReturnStage::Declined, ReturnStage::Cancelled, ReturnStage::Expired, ReturnStage::Closed].contains(&stage) {
            return Err(Refusal::IllegalReturn { stage });
        }
        // Those of another site count, and of this one only what is told now.
        let elsewhere = |line| known.received(line) - known.received_at(line, site);
        check_each(lines, |line| known.asked(line) - elsewhere(line))?;
        let new_places = lines.iter().filter(|line| !known.places().contains(&(line.line, site))).count() as u64;
        order.check_rows(new_places)?;
        self.check_kept(new_places)?;
        let skus: Vec<SkuId> = news.iter().map(|line| order.asked.lines[usize::from(line.line)].sku).collect();
        let room = self.place_room();
        self.market_mut(id.market())?.open_places(room, site, &skus)?;
        let order = self.order_mut(id)?;
        let is_away = |unit: &Unit| unit.fate == Fate::Shipped && unit.returned_to.is_none();
        for line in &news {
            let at = usize::from(line.line);
            let away = order.first_drawn(at, is_away);
            assert!(away.len() >= line.quantity as usize, "more came back than ever left");
            for unit in away.into_iter().take(line.quantity as usize) {
                order.lines[at][unit].returned_to = Some(set_aside(site));
            }
        }
        order.return_mut(which)?.came_in(site, lines, now);
        Ok(order.answer(which, sum(&news), false))
    }

    fn inspect_return(
        &mut self,
        id: OrderId,
        which: ChangeId,
        (site, disposition, lines): (SiteId, Disposition, &[LineQuantity]),
        now: Timestamp,
    ) -> Result<Answer, Refusal> {
        check_lines(lines, RETURN_LINES_MAX)?;
        self.check_place(id, which, site, lines)?;
        let order = self.order(id)?;
        let known = order.return_(which)?;
        let news = news(lines, |line| known.became_at(line, site, disposition));
        if news.is_empty() {
            return Ok(order.answer(which, 0, true));
        }
        check_each(lines, |line| known.lying_at(line, site) + known.became_at(line, site, disposition))?;
        if disposition == Disposition::BackToCustomer {
            self.send_back(id, site, &news)?;
        } else if let Some(to) = goes_to(disposition, site) {
            let parts: Vec<(SkuId, u64)> = self.parts_of(id, &news);
            let market = self.market_mut(id.market())?;
            parts.into_iter().for_each(|(sku, units)| market.transfer(sku, units, set_aside(site), to));
        }
        let order = self.order_mut(id)?;
        order.return_mut(which)?.became(site, disposition, lines, now);
        Ok(order.answer(which, sum(&news), false))
    }

    /// The return, the site, the lines: the first that nobody knows.
    fn check_place(&self, id: OrderId, which: ChangeId, site: SiteId, lines: &[LineQuantity]) -> Result<(), Refusal> {
        let order = self.order(id)?;
        order.return_(which)?;
        if !self.market(id.market())?.has_site(site) {
            return Err(Refusal::UnknownSite);
        }
        order.check_lines(lines)
    }

    /// Units that the customer gets back count against what he may buy. Where there is no room to count them, nothing
    /// happens.
    fn send_back(&mut self, id: OrderId, site: SiteId, news: &[LineQuantity]) -> Result<(), Refusal> {
        let (counts, before) = (self.customer_counts(), self.order(id)?.lines.clone());
        let order = self.order_mut(id)?;
        for line in news {
            order.leave_again(usize::from(line.line), site, line.quantity);
        }
        let after = self.customer_counts();
        if after > counts && after > self.capacity.customers_max {
            self.order_mut(id)?.lines = before;
            return Err(Refusal::AtCapacity);
        }
        Ok(())
    }

    /// What these lines of an order are, in units that have places.
    fn parts_of(&self, id: OrderId, lines: &[LineQuantity]) -> Vec<(SkuId, u64)> {
        let (order, market) = (self.order(id).expect("it is kept"), &self.markets[&id.market()]);
        let parts = |line: &LineQuantity| {
            let each = market.parts(order.asked.lines[usize::from(line.line)].sku).into_iter();
            each.map(|(sku, units)| (sku, units * u64::from(line.quantity))).collect::<Vec<_>>()
        };
        lines.iter().flat_map(parts).collect()
    }

    /// Ends every return of which nothing new was told for too long.
    pub(crate) fn end_returns(&mut self, now: Timestamp) -> BTreeSet<Ended> {
        let position = self.position;
        let mut ended = BTreeSet::new();
        for market in self.markets.values_mut() {
            let whole: Vec<OrderId> = market.orders.keys().copied().filter(|id| !market.closed.contains(id)).collect();
            for id in whole {
                let Some(Record::Order(order)) = market.orders.get_mut(&id) else { continue };
                for at in 0..order.returns.len() {
                    let known = &mut order.returns[at];
                    if known.is_open() && known.until() <= now {
                        let report = known.end();
                        known.give_up(now);
                        known.report(report, now);
                        ended.insert((id, known.id, known.stage()));
                        order.note(told(report), (position, now), None, at as u64 + 1);
                    }
                }
            }
        }
        ended
    }

    /// When the next return ends by itself.
    pub(crate) fn next_end(&self) -> Option<Timestamp> {
        let mut ends = Vec::new();
        for market in self.markets.values() {
            let whole = market.orders.iter().filter(|(id, _)| !market.closed.contains(id));
            let orders = whole.filter_map(|(_, record)| match record {
                Record::Order(order) => Some(order),
                Record::Blocked => None,
            });
            ends.extend(orders.flat_map(|order| &order.returns).filter(|it| it.is_open()).map(Return::until));
        }
        ends.into_iter().min()
    }

    /// Returns of all orders that are whole, and their rows.
    pub(crate) fn returns_kept(&self) -> u64 {
        let kept = |order: &Order| order.returns.len() as u64 + order.return_rows();
        self.count_orders(|market, id, _| !market.closed.contains(id), kept)
    }

    fn check_kept(&self, more: u64) -> Result<(), Refusal> {
        let fits = more == 0 || self.returns_kept() + more <= self.capacity.returns_max;
        if fits { Ok(()) } else { Err(Refusal::AtCapacity) }
    }
}

impl Order {
    fn answer(&self, which: ChangeId, moved: u64, repeated: bool) -> Answer {
        let stage = self.return_(which).expect("it is known").stage();
        Answer::Return { state: self.state(), stage, moved, repeated }
    }

    fn return_(&self, which: ChangeId) -> Result<&Return, Refusal> {
        self.returns.iter().find(|known| known.id == which).ok_or(Refusal::UnknownReturn)
    }

    fn return_mut(&mut self, which: ChangeId) -> Result<&mut Return, Refusal> {
        self.returns.iter_mut().find(|known| known.id == which).ok_or(Refusal::UnknownReturn)
    }

    fn check_rows(&self, more: u64) -> Result<(), Refusal> {
        let most = RETURN_ROWS_MAX as u64;
        if more == 0 || self.return_rows() + more <= most {
            Ok(())
        } else {
            Err(out_of_bounds(Field::ReturnRows, 0, most))
        }
    }

    /// Units of a line of all changes of one kind.
    pub(super) fn changed(&self, kind: Kind, line: u16) -> u64 {
        let changes = self.changes.values().filter_map(|change| match change {
            Remembered::Done { asked, .. } if asked.kind == kind => Some(&asked.lines),
            _ => None,
        });
        changes.flatten().filter(|told| told.line == line).map(|told| u64::from(told.quantity)).sum()
    }

    /// So many units of a line that lie set aside at a site go to the customer again: those of the site that handed
    /// over first, first.
    fn leave_again(&mut self, line: usize, site: SiteId, units: u32) {
        for _ in 0..units {
            let first = self.first_drawn(line, |unit| unit.returned_to.is_some())[0];
            let units = &mut self.lines[line];
            let lies = units.iter().position(|unit| unit.returned_to == Some(set_aside(site))).expect("it lies there");
            units[lies].returned_to = units[first].returned_to;
            units[first].returned_to = None;
        }
    }
}

impl Market {
    /// Units of a SKU at a site that lie with returns.
    pub(super) fn with_returns(&self, sku: SkuId, site: SiteId) -> u64 {
        let mut units = 0;
        for order in self.placed() {
            for (at, line) in (0_u16..).zip(&order.asked.lines) {
                let each = self.units_in(line.sku, sku);
                units += order.returns.iter().map(|known| each * known.lying_at(at, site)).sum::<u64>();
            }
        }
        units
    }

    /// Units in a place that nobody's return is waiting with.
    pub(super) fn loose(&self, sku: SkuId, account: Account) -> u64 {
        let bound = if account.bucket == Bucket::QualityHold { self.with_returns(sku, account.site) } else { 0 };
        self.lying(sku, account) - bound
    }
}

/// Every field of a command about what comes back that is outside its bounds.
pub(super) fn out_of_bounds_return(what: ReturnCommand<'_>) -> Vec<Refusal> {
    match what {
        ReturnCommand::Request { lines, .. }
        | ReturnCommand::Receive { lines, .. }
        | ReturnCommand::Inspect { lines, .. } => out_of_bounds_lines(lines, 1..=RETURN_LINES_MAX),
        ReturnCommand::Report(_) => Vec::new(),
    }
}

/// Looked at before anything that is kept.
fn check_lines(lines: &[LineQuantity], lines_max: usize) -> Result<(), Refusal> {
    out_of_bounds_lines(lines, 1..=lines_max).into_iter().next().map_or(Ok(()), Err)?;
    match lines.iter().find(|line| usize::from(line.line) >= LINES_MAX) {
        Some(unknown) => Err(Refusal::UnknownLine { line: unknown.line }),
        None => Ok(()),
    }
}

/// Refuses the first line that tells more units than it may.
fn check_each(lines: &[LineQuantity], most: impl Fn(u16) -> u64) -> Result<(), Refusal> {
    match lines.iter().find(|line| u64::from(line.quantity) > most(line.line)) {
        Some(line) => Err(Refusal::NotEnoughUnits { line: line.line, units: most(line.line) }),
        None => Ok(()),
    }
}

/// Lines of which more is told than was known, with what is new.
fn news(lines: &[LineQuantity], known: impl Fn(u16) -> u64) -> Vec<LineQuantity> {
    let new = |line: &LineQuantity| u64::from(line.quantity).saturating_sub(known(line.line)) as u32;
    let lines = lines.iter().map(|line| LineQuantity { line: line.line, quantity: new(line) });
    lines.filter(|line| line.quantity > 0).collect()
}

fn sum(lines: &[LineQuantity]) -> u64 {
    lines.iter().map(|line| u64::from(line.quantity)).sum()
}

const fn set_aside(site: SiteId) -> Account {
    Account { site, bucket: Bucket::QualityHold }
}

/// Where units go that became something and do not stay, nor go to the customer.
const fn goes_to(disposition: Disposition, site: SiteId) -> Option<Account> {
    let bucket = match disposition {
        Disposition::Restock => Bucket::Available,
        Disposition::Damaged => Bucket::Damaged,
        Disposition::Dispose => Bucket::WriteOff,
        Disposition::BackToSupplier => Bucket::Supplier,
        Disposition::QualityHold | Disposition::BackToCustomer => return None,
    };
    Some(Account { site, bucket })
}

/// What a history says of a command about one of these returns that was news, of which line, and the number beside it
/// where that is no number of units.
pub(super) fn told_of_return(
    before: &[Return],
    id: ChangeId,
    what: ReturnCommand<'_>,
) -> (Happening, Option<u16>, Option<u64>) {
    let at = before.iter().position(|known| known.id == id);
    let line = |lines: Vec<LineQuantity>| only(lines.into_iter().map(|line| line.line));
    match (what, at) {
        (ReturnCommand::Request { lines, .. }, _) => (Happening::ReturnRequested, line(lines.to_vec()), None),
        (ReturnCommand::Report(report), Some(at)) => (told(report), None, Some(at as u64 + 1)),
        (ReturnCommand::Receive { site, lines }, Some(at)) => {
            let news = news(lines, |line| before[at].received_at(line, site));
            (Happening::ReturnReceived, line(news), None)
        }
        (ReturnCommand::Inspect { site, disposition, lines }, Some(at)) => {
            let news = news(lines, |line| before[at].became_at(line, site, disposition));
            (found(disposition), line(news), None)
        }
        (_, None) => unreachable!("nobody hears of a return that is not known"),
    }
}

const fn told(report: ReturnReport) -> Happening {
    match report {
        ReturnReport::Approved => Happening::ReturnApproved,
        ReturnReport::Declined { .. } => Happening::ReturnDeclined,
        ReturnReport::LabelSent => Happening::ReturnLabelSent,
        ReturnReport::InTransit => Happening::ReturnInTransit,
        ReturnReport::Lost => Happening::ReturnLost,
        ReturnReport::Cancelled => Happening::ReturnCancelled,
        ReturnReport::Expired => Happening::ReturnExpired,
        ReturnReport::Closed => Happening::ReturnClosed,
    }
}

const fn found(disposition: Disposition) -> Happening {
    match disposition {
        Disposition::Restock => Happening::Restocked,
        Disposition::QualityHold => Happening::LeftSetAside,
        Disposition::Damaged => Happening::FoundDamaged,
        Disposition::Dispose => Happening::DisposedOf,
        Disposition::BackToCustomer => Happening::SentToCustomer,
        Disposition::BackToSupplier => Happening::SentToSupplier,
    }
}
