//! Folding counts as of an event, and orders whose units were not found.

use super::super::Engine;
use super::super::fact::Draw;
use super::super::happening::Happening;
use super::super::ledger::{Account, Bucket};
use super::super::marks::Marks;
use super::super::on_hand::Place;
use super::super::orders::DrawRecord;
use super::change::{line_of, units};
use super::market_of;
use crate::base::{OrderId, Sequence, SiteId, Timestamp};

/// Where missing units are taken from that no order holds, in this order.
const UNPROMISED: [Bucket; 5] =
    [Bucket::Available, Bucket::Arriving, Bucket::QualityHold, Bucket::Damaged, Bucket::Quarantine];

impl Engine {
    /// Corrects what lies at a place by what a count of an earlier moment found.
    pub(super) fn fold_count_reported(
        &mut self,
        place: Place,
        as_of: Sequence,
        (on_hand, counted): (u64, u64),
        (short, excess): (u64, u64),
    ) {
        let (id, sku, site) = place;
        let market = self.market_mut(id);
        let account = |bucket| Account { site, bucket };
        let outside = account(Bucket::WriteOff);
        if counted > on_hand {
            market.land(sku, outside, site, counted - on_hand);
        }
        let mut missing = on_hand.saturating_sub(counted) - short - excess;
        for bucket in UNPROMISED {
            let there = market.may_take(sku, account(bucket));
            let taken = there.min(missing);
            if taken > 0 {
                market.ledger.transfer(sku, account(bucket), outside, taken);
                missing -= taken;
            }
        }
        assert!(missing == 0, "law: a count says of what was missing where it was missed");
        if short > 0 {
            market.shortages.open(sku, site, short);
            self.list_shortages(id);
        }
        self.on_hand.counted(as_of, place, counted.cast_signed() - on_hand.cast_signed());
    }

    /// What the draws say was held is owed from here on: reserved stays reserved, and committed stays committed.
    pub(super) fn fold_put_back(&mut self, order: OrderId, put_back: &[Draw], at: Timestamp) {
        self.change_order(order, at, |engine, position| {
            let number = engine.orders.record(position).number;
            let market = market_of(&mut engine.markets, order.market());
            let (draws, lines) = engine.orders.draws_mut(position);
            let mut added = Vec::new();
            for Draw { line, site, quantity } in put_back.iter().copied() {
                let sku = lines[usize::from(line)].sku;
                let start = draws.partition_point(|draw| draw.line < line);
                let len = draws[start..].partition_point(|draw| draw.line == line);
                let of_line = &mut draws[start..start + len];
                let held = of_line.iter().position(|draw| draw.site == site).expect("law: what is put back was held");
                let mut units = of_line[held].units;
                let from = if units.reserved > 0 { Bucket::Reserved } else { Bucket::Committed };
                match of_line.iter_mut().find(|draw| draw.is_owed()) {
                    Some(owed) => units.give(quantity, &mut owed.units),
                    None => {
                        let mut owed = DrawRecord { line, site: SiteId::NOWHERE, units: Default::default() };
                        units.give(quantity, &mut owed.units);
                        added.push(owed);
                    }
                }
                of_line[held].units = units;
                market.begin_waiting(sku, number, quantity.into());
                market.land(sku, Account { site, bucket: from }, site, quantity.into());
                market.gather(sku);
            }
            engine.add_draws(position, &added);
            engine.orders.set_mark(position, Marks::PUT_BACK, true);
            engine.note(position, Happening::PutBack, at, (line_of(put_back), units(put_back)));
        });
    }
}
