//! Folding an edit: lines are added, units removed, prices and the zone set.
//!
//! # Always true
//! - Units of a SKU and site that are removed and added do not move.

use std::collections::BTreeMap;

use super::super::Engine;
use super::super::content::ChangeKind;
use super::super::fact::{Change, Draw, Edited};
use super::super::happening::Happening;
use super::super::ledger::{Account, Bucket};
use super::super::order::Counters;
use super::super::orders::KeptChange;
use super::change::{line_of, release, units};
use super::market_of;
use crate::base::{OrderId, SiteId, SkuId, Timestamp};

/// Units of SKUs at sites, or owed, that are the order's no more.
type Freed = BTreeMap<(SkuId, SiteId), u64>;

impl Engine {
    pub(super) fn fold_edited(&mut self, order: OrderId, change: Change, what: Edited<'_>, at: Timestamp) {
        self.change_order(order, at, |engine, position| {
            let lines = engine.orders.record(position).lines.len;
            let mut freed = engine.remove_units(position, what.removed);
            let kept = engine.add_lines(position, what, &mut freed);
            engine.free(position, freed);
            if let Some(zone) = what.zone {
                engine.orders.set_zone(position, zone);
            }
            what.prices.iter().for_each(|priced| engine.orders.set_price(position, priced.line, priced.price));
            let moved = units(what.removed) + units(what.draws) - 2 * kept;
            let change = Change { excess: lines.into(), ..change };
            engine.orders.keep_change(position, KeptChange { kind: ChangeKind::Edit, change, moved });
            engine.note_edited(position, what, at);
            if engine.orders.record(position).state.awaits_payment() {
                engine.confirm_if_paid(position, at);
            }
        });
        self.settle_tasks(self.position_of(order), at);
    }

    /// Units to cancelled; what becomes of them elsewhere is said by whoever called.
    fn remove_units(&mut self, position: u32, removed: &[Draw]) -> Freed {
        let (draws, lines) = self.orders.draws_mut(position);
        let mut freed = Freed::new();
        for draw in removed {
            let start = draws.partition_point(|held| held.line < draw.line);
            let held = draws[start..].iter_mut().find(|held| (held.line, held.site) == (draw.line, draw.site));
            held.expect("law: an edit names draws of its order").units.cancel(draw.quantity);
            *freed.entry((lines[usize::from(draw.line)].sku, draw.site)).or_default() += u64::from(draw.quantity);
        }
        freed
    }

    /// Puts lines behind those there are, with units that were freed and others. Gives how many units were.
    fn add_lines(&mut self, position: u32, what: Edited<'_>, freed: &mut Freed) -> u64 {
        if what.lines.is_empty() {
            return 0;
        }
        let record = self.orders.record(position);
        let (number, first, id) = (record.number, record.lines.len, record.order.market());
        let is_unpaid = record.state.awaits_payment();
        let to = if is_unpaid { Bucket::Reserved } else { Bucket::Committed };
        let market = market_of(&mut self.markets, id);
        let mut all_kept = 0;
        for draw in what.draws {
            let sku = what.lines[usize::from(draw.line - first)].sku;
            let mut more = u64::from(draw.quantity);
            if let Some(freed) = freed.get_mut(&(sku, draw.site)) {
                let kept = more.min(*freed);
                (*freed, more, all_kept) = (*freed - kept, more - kept, all_kept + kept);
            }
            if more == 0 {
                continue;
            }
            if draw.site == SiteId::NOWHERE {
                market.begin_waiting(sku, number, more);
            } else {
                let at_site = |bucket| Account { site: draw.site, bucket };
                market.transfer(sku, at_site(Bucket::Available), at_site(to), more);
            }
        }
        let state = |quantity| {
            if is_unpaid {
                Counters { reserved: quantity, ..Counters::default() }
            } else {
                Counters { committed: quantity, ..Counters::default() }
            }
        };
        self.orders.append_lines(position, what.lines, what.draws, state);
        all_kept
    }

    /// What nothing was added for goes where everything goes that comes to be free.
    fn free(&mut self, position: u32, freed: Freed) {
        let record = self.orders.record(position);
        let from = if record.state.awaits_payment() { Bucket::Reserved } else { Bucket::Committed };
        let (number, id) = (record.number, record.order.market());
        let market = market_of(&mut self.markets, id);
        for ((sku, site), units) in freed.into_iter().filter(|(_, units)| *units > 0) {
            release(market, number, sku, (site, from), units);
        }
    }

    fn note_edited(&mut self, position: u32, what: Edited<'_>, at: Timestamp) {
        for (draws, happening) in [(what.removed, Happening::LinesCancelled), (what.draws, Happening::LinesAdded)] {
            if !draws.is_empty() {
                self.note(position, happening, at, (line_of(draws), units(draws)));
            }
        }
        if !what.prices.is_empty() {
            self.note_whole(position, Happening::Repriced, at, what.prices.len() as u64);
        }
        if let Some(zone) = what.zone {
            self.note_whole(position, Happening::Rezoned, at, zone.into());
        }
    }
}
