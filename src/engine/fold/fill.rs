//! Folding what is owed: orders that begin to wait, and orders that get what they waited for.

use super::super::Engine;
use super::super::fact::Draw;
use super::super::happening::Happening;
use super::super::ledger::{Account, Bucket};
use super::super::orders::DrawRecord;
use super::change::{line_of, units};
use super::market_of;
use crate::base::{OrderId, Timestamp};

impl Engine {
    /// Arriving, or of a kit available, to what the order's other units are, at the sites that the draws say.
    pub(super) fn fold_filled(&mut self, order: OrderId, filled: &[Draw], at: Timestamp) {
        self.change_order(order, at, |engine, position| {
            let number = engine.orders.record(position).number;
            let market = market_of(&mut engine.markets, order.market());
            let (draws, lines) = engine.orders.draws_mut(position);
            let mut added = Vec::new();
            for Draw { line, site, quantity } in filled.iter().copied() {
                let sku = lines[usize::from(line)].sku;
                let start = draws.partition_point(|draw| draw.line < line);
                let of_line = &mut draws[start..];
                let len = of_line.partition_point(|draw| draw.line == line);
                let of_line = &mut of_line[..len];
                let owed = of_line.iter().position(DrawRecord::is_owed).expect("law: who is filled was owed");
                let mut units = of_line[owed].units;
                let to = if units.reserved > 0 { Bucket::Reserved } else { Bucket::Committed };
                match of_line.iter_mut().find(|draw| draw.site == site) {
                    Some(known) => units.give(quantity, &mut known.units),
                    None => {
                        let mut draw = DrawRecord { line, site, units: Default::default() };
                        units.give(quantity, &mut draw.units);
                        added.push(draw);
                    }
                }
                of_line[owed].units = units;
                let at_site = |bucket| Account { site, bucket };
                let from = if market.kits.is_kit(sku) { Bucket::Available } else { Bucket::Arriving };
                market.transfer(sku, at_site(from), at_site(to), quantity.into());
                market.stop_waiting(sku, number, quantity.into());
            }
            engine.add_draws(position, &added);
            engine.note(position, Happening::Filled, at, (line_of(filled), units(filled)));
        });
    }

    /// Adds draws to an order, in line order, behind those that their lines have at sites; what is owed nothing any
    /// more goes.
    pub(super) fn add_draws(&mut self, position: u32, added: &[DrawRecord]) {
        let is_spent = |draw: &DrawRecord| draw.is_owed() && draw.units.is_nothing();
        let (draws, _) = self.orders.draws_mut(position);
        let spent = draws.iter().filter(|draw| is_spent(draw)).count();
        match (added, draws.iter_mut().find(|draw| is_spent(draw))) {
            ([], None) => return,
            // The common case moves nothing: one line, filled from one site.
            ([only], Some(first)) if spent == 1 && first.line == only.line => {
                *first = *only;
                return;
            }
            _ => {}
        }
        let mut all: Vec<DrawRecord> = Vec::with_capacity(draws.len() + added.len());
        all.extend(draws.iter().filter(|draw| !is_spent(draw)));
        all.extend(added);
        // Stable: what is owed goes last, the sites of a line stay in the order in which it first drew on them.
        all.sort_by_key(|draw| (draw.line, draw.is_owed()));
        self.orders.replace_draws(position, all);
    }
}
