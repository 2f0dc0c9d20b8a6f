//! Folding deliveries and returns.
//!
//! # Always true
//! - What came in lies in `quality_hold` and is the return's until something becomes of it.
//! - Everything that is new of an open return puts off the moment at which it ends by itself.

use super::super::Engine;
use super::super::command::LineQuantity;
use super::super::content::{self, ChangeKind};
use super::super::fact::{Change, Draw};
use super::super::happening::Happening;
use super::super::history::NO_LINE;
use super::super::ledger::{Account, Bucket};
use super::super::order::Counters;
use super::super::orders::{DrawRecord, KeptChange};
use super::super::return_::{Disposition, ReturnFact, ReturnReport, Stage};
use super::super::returns::{Return, Row};
use super::change::{line_of, units};
use super::{market_of, note_on_hand};
use crate::base::limits::RETURN_QUIET_MS_MAX;
use crate::base::{ChangeId, OrderId, SiteId, Timestamp};

impl Engine {
    pub(super) fn fold_delivered(&mut self, order: OrderId, change: Change, lines: &[LineQuantity], at: Timestamp) {
        let position = self.position_of(order);
        lines.iter().for_each(|told| self.orders.deliver(position, told.line, told.quantity));
        let moved = quantity(lines);
        self.orders.keep_change(position, KeptChange { kind: ChangeKind::Delivered, change, moved });
        self.note(position, Happening::Delivered, at, (only_line(lines), moved));
    }

    pub(super) fn fold_return(&mut self, order: OrderId, id: ChangeId, what: ReturnFact<'_>, at: Timestamp) {
        let position = self.position_of(order);
        match what {
            ReturnFact::Requested { kind, reason, lines } => {
                let content = content::change(ChangeKind::Asked, SiteId(0), lines);
                let (until, stage) = (at.after_ms(RETURN_QUIET_MS_MAX), kind.first_stage());
                let new = Return { id, content, until, kind, reason, stage, declined: None };
                self.returns.add(position, new, lines.iter().map(|asked| (asked.line, asked.quantity)));
                self.note(position, Happening::ReturnRequested, at, (only_line(lines), quantity(lines)));
            }
            ReturnFact::Told(report) => self.fold_return_told(position, id, report, at),
            ReturnFact::Received { site, draws } => self.fold_return_received(order, id, (site, draws), at),
            ReturnFact::Inspected { site, disposition, draws } => {
                self.fold_return_inspected(order, id, (site, disposition), draws, at);
            }
        }
        self.note_settled(position, at);
    }

    /// Which of its returns this is.
    fn which(&self, position: u32, id: ChangeId) -> u8 {
        self.returns.find(position, id).expect("law: a fact about a return follows its beginning").0
    }

    fn fold_return_told(&mut self, position: u32, id: ChangeId, report: ReturnReport, at: Timestamp) {
        let of = self.which(position, id);
        self.returns.set_stage(position, of, report.stage(), at.after_ms(RETURN_QUIET_MS_MAX));
        if let Some(reason) = report.declined() {
            self.returns.set_declined(position, of, reason);
        }
        if report == ReturnReport::Closed {
            self.leave_lying(position, of);
        }
        self.note_whole(position, Happening::of_return(report), at, u64::from(of) + 1);
    }

    /// What lies with a return stays set aside, and is not its any more.
    fn leave_lying(&mut self, position: u32, of: u8) {
        let Self { markets, orders, returns, .. } = self;
        let record = orders.record(position);
        let (market, lines) = (market_of(markets, record.order.market()), orders.lines(record));
        returns.change_rows(position, of, |row| {
            let lying = row.lying();
            if lying > 0 {
                market.lie_no_more(lines[usize::from(row.line)].sku, row.site, lying);
                *row.became_mut(Disposition::QualityHold) += u32::try_from(lying).expect("law: it came in");
            }
        });
    }

    fn fold_return_received(&mut self, order: OrderId, id: ChangeId, (site, moved): (SiteId, &[Draw]), at: Timestamp) {
        let position = self.position_of(order);
        for draw in moved {
            let sku = self.orders.lines(self.orders.record(position))[usize::from(draw.line)].sku;
            self.add_places(order.market(), sku, site);
        }
        let of = self.which(position, id);
        self.change_order(order, at, |engine, position| {
            let Self { markets, orders, on_hand, histories, returns, .. } = &mut *engine;
            let market = market_of(markets, order.market());
            let (draws, lines) = orders.draws_mut(position);
            for draw in moved {
                let sku = lines[usize::from(draw.line)].sku;
                note_on_hand(on_hand, histories.position(), market, (order.market(), sku, site));
                let held = held_by(draws, draw);
                held.returned += draw.quantity;
                assert!(held.returned <= held.shipped, "law: nothing comes back that was not handed over");
                let from = Account { site: draw.site, bucket: Bucket::Customer };
                let aside = Account { site, bucket: Bucket::QualityHold };
                market.transfer(sku, from, aside, draw.quantity.into());
                market.lie(sku, site, draw.quantity.into());
                returns.change_row(position, (of, draw.line, site), |row| row.units += draw.quantity);
            }
            returns.set_stage(position, of, Stage::Received, at.after_ms(RETURN_QUIET_MS_MAX));
            engine.note(position, Happening::ReturnReceived, at, (line_of(moved), units(moved)));
        });
    }

    fn fold_return_inspected(
        &mut self,
        order: OrderId,
        id: ChangeId,
        (site, disposition): (SiteId, Disposition),
        moved: &[Draw],
        at: Timestamp,
    ) {
        let of = self.which(self.position_of(order), id);
        self.change_order(order, at, |engine, position| {
            let Self { markets, orders, on_hand, histories, returns, .. } = &mut *engine;
            let market = market_of(markets, order.market());
            let (draws, lines) = orders.draws_mut(position);
            let at_site = |bucket| Account { site, bucket };
            let aside = at_site(Bucket::QualityHold);
            for draw in moved {
                let (sku, some) = (lines[usize::from(draw.line)].sku, draw.quantity.into());
                let leaves = match disposition {
                    Disposition::Restock | Disposition::QualityHold | Disposition::Damaged => false,
                    Disposition::Dispose | Disposition::BackToCustomer | Disposition::BackToSupplier => true,
                };
                if leaves {
                    note_on_hand(on_hand, histories.position(), market, (order.market(), sku, site));
                }
                market.lie_no_more(sku, site, some);
                match disposition {
                    Disposition::Restock => market.land(sku, aside, site, some),
                    Disposition::QualityHold => {}
                    Disposition::Damaged => market.transfer(sku, aside, at_site(Bucket::Damaged), some),
                    Disposition::Dispose => market.transfer(sku, aside, at_site(Bucket::WriteOff), some),
                    Disposition::BackToSupplier => market.transfer(sku, aside, at_site(Bucket::Supplier), some),
                    Disposition::BackToCustomer => {
                        let held = held_by(draws, draw);
                        let left = held.returned.checked_sub(draw.quantity);
                        held.returned = left.expect("law: what goes back had come back");
                        let to = Account { site: draw.site, bucket: Bucket::Customer };
                        market.transfer(sku, aside, to, some);
                    }
                }
                let add = |row: &mut Row| *row.became_mut(disposition) += draw.quantity;
                returns.change_row(position, (of, draw.line, site), add);
            }
            let until = at.after_ms(RETURN_QUIET_MS_MAX);
            let stage = returns.of(position)[usize::from(of)].stage;
            let is_done = stage == Stage::Received && returns.is_done_without(position, of, 0);
            returns.set_stage(position, of, if is_done { Stage::Inspected } else { stage }, until);
            engine.note(position, Happening::of_disposition(disposition), at, (line_of(moved), units(moved)));
        });
    }
}

/// The units of an order that some of a draw are among.
fn held_by<'d>(draws: &'d mut [DrawRecord], some: &Draw) -> &'d mut Counters {
    let start = draws.partition_point(|held| held.line < some.line);
    let held = draws[start..].iter_mut().find(|held| (held.line, held.site) == (some.line, some.site));
    &mut held.expect("law: what comes back had been handed over").units
}

fn quantity(lines: &[LineQuantity]) -> u64 {
    lines.iter().map(|line| u64::from(line.quantity)).sum()
}

/// The one line that these are about, if it is one.
const fn only_line(lines: &[LineQuantity]) -> u16 {
    if let [only] = lines { only.line } else { NO_LINE }
}
