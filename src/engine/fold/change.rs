//! Folding what happens to an order after it was placed.

use super::super::Engine;
use super::super::content::{self, ChangeKind};
use super::super::fact::{Change, Draw};
use super::super::happening::Happening;
use super::super::history::NO_LINE;
use super::super::ledger::{Account, Bucket};
use super::super::market::Market;
use super::super::marks::Marks;
use super::super::order::{Counters, State};
use super::super::orders::{DrawRecord, KeptChange, LineRecord, Record};
use super::{market_of, note_on_hand};
use crate::base::{ChangeId, MarketId, OrderId, OrderNumber, Price, SiteId, SkuId, Timestamp};

impl Engine {
    pub(super) fn fold_confirmed(
        &mut self,
        order: OrderId,
        (attempt, entered): (ChangeId, Price),
        draws: &[Draw],
        at: Timestamp,
    ) {
        self.change_order(order, at, |engine, position| {
            let (what, units) = if draws.is_empty() {
                (Happening::Confirmed, engine.confirm_every_draw(position))
            } else {
                engine.pin_again(position, draws);
                (Happening::ConfirmedLate, units(draws))
            };
            engine.note_whole(position, what, at, units);
            if entered == 0 && engine.accounts.of(position).is_empty() {
                engine.orders.set_mark(position, Marks::SAID_PAID, true);
            } else if entered > 0 {
                engine.enter_paid_elsewhere(position, (attempt, entered), at);
            }
            if !draws.is_empty() {
                engine.let_go_of_others(position, attempt, at);
            }
        });
        self.review_account(self.position_of(order), at);
    }

    pub(super) fn fold_retake_failed(&mut self, order: OrderId, attempt: ChangeId, sku: SkuId, at: Timestamp) {
        let change = Change { id: attempt, content: content::CONFIRM, excess: 0 };
        let position = self.position_of(order);
        self.orders.keep_change(position, KeptChange { kind: ChangeKind::Confirm, change, moved: sku.0.into() });
        self.note_whole(position, Happening::RetakeFailed, at, sku.0.into());
    }

    pub(super) fn fold_cancelled(&mut self, order: OrderId, at: Timestamp) {
        self.change_order(order, at, |engine, position| {
            let cancelled = engine.cancel_every_draw(position);
            engine.note_whole(position, Happening::Cancelled, at, cancelled);
        });
    }

    /// Everything not handed over to cancelled.
    pub(super) fn cancel_every_draw(&mut self, position: u32) -> u64 {
        self.move_every_draw(position, |units| {
            let from = if units.reserved > 0 { Bucket::Reserved } else { Bucket::Committed };
            let (moved, cancelled) = (units.held(), units.cancellable());
            units.cancel(cancelled);
            (cancelled, moved, from, Bucket::Available)
        })
    }

    /// The order ended at its deadline, whenever somebody noticed.
    pub(super) fn fold_expired(&mut self, order: OrderId) {
        let deadline = self.orders.record(self.position_of(order)).deadline;
        self.change_order(order, deadline, |engine, position| {
            let lapsed = engine.move_every_draw(position, |units| {
                let moved = units.reserved;
                units.lapse();
                (moved, moved, Bucket::Reserved, Bucket::Available)
            });
            engine.note_whole(position, Happening::Expired, deadline, lapsed);
        });
    }

    pub(super) fn fold_lines_cancelled(&mut self, order: OrderId, change: Change, draws: &[Draw], at: Timestamp) {
        let what = (ChangeKind::CancelLines, change, at);
        self.change_draws(order, what, (draws, |_| None), |market, number, sku, draw, units| {
            let from = match (units.reserved > 0, units.committed > 0) {
                (true, _) => Some(Bucket::Reserved),
                (false, true) => Some(Bucket::Committed),
                (false, false) => None,
            };
            units.cancel(draw.quantity);
            if let Some(bucket) = from {
                release(market, number, sku, (draw.site, bucket), draw.quantity.into());
            }
        });
    }

    pub(super) fn fold_handed_over(&mut self, order: OrderId, change: Change, draws: &[Draw], at: Timestamp) {
        let what = (ChangeKind::HandOver, change, at);
        self.change_draws(order, what, (draws, |draw| Some(draw.site)), |market, _, sku, draw, units| {
            units.hand_over(draw.quantity);
            let at_site = |bucket| Account { site: draw.site, bucket };
            market.transfer(sku, at_site(Bucket::Committed), at_site(Bucket::Customer), draw.quantity.into());
            if !market.shortages.is_empty() {
                market.limit_shortages(sku, draw.site);
            }
        });
    }

    pub(super) fn fold_returned(
        &mut self,
        order: OrderId,
        (change, to): (Change, SiteId),
        draws: &[Draw],
        at: Timestamp,
    ) {
        let what = (ChangeKind::Return, change, at);
        let position = self.position_of(order);
        for draw in draws {
            let sku = self.orders.lines(self.orders.record(position))[usize::from(draw.line)].sku;
            self.add_places(order.market(), sku, to);
        }
        self.change_draws(order, what, (draws, |_| Some(to)), |market, _, sku, draw, units| {
            units.returned += draw.quantity;
            assert!(units.returned <= units.shipped, "law: nothing comes back that was not handed over");
            let from = Account { site: draw.site, bucket: Bucket::Customer };
            market.land(sku, from, to, draw.quantity.into());
        });
    }

    /// Changes the units of every draw of an order, and gives their sum; `change` says of how many that is told, and
    /// how many moved between which buckets.
    #[inline]
    pub(super) fn move_every_draw(
        &mut self,
        position: u32,
        change: impl Fn(&mut Counters) -> (u32, u32, Bucket, Bucket),
    ) -> u64 {
        let mut all = 0;
        let Record { order, number, .. } = *self.orders.record(position);
        let market = market_of(&mut self.markets, order.market());
        let (draws, lines) = self.orders.draws_mut(position);
        for DrawRecord { line, site, units } in draws {
            let (told, moved, from, to) = change(units);
            all += u64::from(told);
            let sku = lines[usize::from(*line)].sku;
            if moved == 0 {
                continue;
            }
            if to == Bucket::Available {
                release(market, number, sku, (*site, from), moved.into());
            } else if *site != SiteId::NOWHERE {
                let at_site = |bucket| Account { site: *site, bucket };
                market.transfer(sku, at_site(from), at_site(to), moved.into());
            }
        }
        all
    }

    /// Changes the units of some draws of an order, and remembers the change with what it moved. Where goods leave or
    /// arrive, `ground` says at which site.
    fn change_draws(
        &mut self,
        order: OrderId,
        (kind, change, at): (ChangeKind, Change, Timestamp),
        (moved, ground): (&[Draw], impl Fn(&Draw) -> Option<SiteId>),
        move_units: impl Fn(&mut Market, OrderNumber, SkuId, &Draw, &mut Counters),
    ) {
        let what = match kind {
            ChangeKind::CancelLines => Happening::LinesCancelled,
            ChangeKind::Return => Happening::Returned,
            ChangeKind::HandOver
            | ChangeKind::Confirm
            | ChangeKind::Refund
            | ChangeKind::Delivered
            | ChangeKind::Asked
            | ChangeKind::Edit => Happening::HandedOver,
        };
        self.change_order(order, at, |engine, position| {
            let Self { markets, orders, on_hand, histories, .. } = &mut *engine;
            let number = orders.record(position).number;
            let market = market_of(markets, order.market());
            let (draws, lines) = orders.draws_mut(position);
            for draw in moved {
                let line: &LineRecord = &lines[usize::from(draw.line)];
                if let Some(site) = ground(draw) {
                    note_on_hand(on_hand, histories.position(), market, (order.market(), line.sku, site));
                }
                let start = draws.partition_point(|held| held.line < draw.line);
                let held = draws[start..].iter_mut().find(|held| (held.line, held.site) == (draw.line, draw.site));
                let held = held.expect("law: a change names draws of its order");
                move_units(market, number, line.sku, draw, &mut held.units);
            }
            let (line, moved) = (line_of(moved), units(moved));
            engine.orders.keep_change(position, KeptChange { kind, change, moved });
            engine.note(position, what, at, (line, moved));
            if change.excess > 0 {
                engine.note_whole(position, Happening::HandedOverInExcess, at, change.excess);
            }
            if kind == ChangeKind::CancelLines && engine.orders.record(position).state.awaits_payment() {
                engine.confirm_if_paid(position, at);
            }
        });
    }

    /// Available to committed as `taken` says, for units that had lapsed. A site that had none of a line before gets a
    /// draw of its own behind the line's others; what was owed once is of no site and stands behind them all.
    pub(super) fn pin_again(&mut self, position: u32, taken: &[Draw]) {
        let record = self.orders.record(position);
        let mut draws = Vec::with_capacity(self.orders.draws(record).len() + taken.len());
        for line in 0..record.lines.len {
            let first = draws.len();
            draws.extend_from_slice(self.orders.draws_of_line(record, line));
            draws[first..].iter_mut().for_each(|held| held.units.lapsed = 0);
            let owed_once = draws.pop_if(|draw| draw.line == line && draw.is_owed());
            let start = taken.partition_point(|draw| draw.line < line);
            for draw in taken[start..].iter().take_while(|draw| draw.line == line) {
                match draws[first..].iter_mut().find(|held| held.site == draw.site) {
                    Some(held) => held.units.committed += draw.quantity,
                    None => draws.push(DrawRecord {
                        line,
                        site: draw.site,
                        units: Counters { committed: draw.quantity, ..Counters::default() },
                    }),
                }
            }
            draws.extend(owed_once.filter(|draw| !draw.units.is_nothing()));
        }
        let (market, lines) = (market_of(&mut self.markets, record.order.market()), self.orders.lines(record));
        for draw in taken {
            let at_site = |bucket| Account { site: draw.site, bucket };
            let sku = lines[usize::from(draw.line)].sku;
            market.transfer(sku, at_site(Bucket::Available), at_site(Bucket::Committed), draw.quantity.into());
        }
        self.orders.replace_draws(position, draws);
    }

    /// Changes an order and keeps its state, the books and its closing in step. The only way an order changes.
    pub(super) fn change_order(&mut self, order: OrderId, at: Timestamp, change: impl FnOnce(&mut Self, u32)) {
        let position = self.position_of(order);
        let (before, hash) = self.state_and_hash(position);
        let market = market_of(&mut self.markets, order.market());
        market.tally.remove(before, hash);
        let (counts, pairs) = (market.policies.counts(), market.waiting.pairs());
        let firm_before = if self.wants.is_empty() { None } else { self.look_at_wants(position) };
        if counts {
            let [mut held_before, mut held_after] = std::mem::take(&mut self.held);
            self.held_units(order, position, &mut held_before);
            change(self, position);
            self.held_units(order, position, &mut held_after);
            self.count_units(order, position, &held_before, &held_after);
            self.held = [held_before, held_after];
        } else {
            change(self, position);
        }
        self.orders.settle_state(position);
        let (state, hash) = self.state_and_hash(position);
        let market = market_of(&mut self.markets, order.market());
        market.tally.add(state, hash);
        let return_window_ms = market.retention.return_window_ms;
        if pairs > 0 || market.waiting.pairs() > 0 {
            self.settle_waiting(order.market(), pairs);
        }
        if state == before {
            self.want_changed(position, firm_before, at);
            return self.review_tasks(position, at);
        }
        if state.is_open() {
            self.orders.set_closes_at(position, Timestamp::ZERO);
        } else {
            if state != State::Expired {
                self.drop_holds(position);
                self.drop_check(position);
            }
            let closes_at = at.after_ms(return_window_ms);
            self.orders.set_closes_at(position, closes_at);
            self.closings.insert(closes_at, position);
        }
        self.want_changed(position, firm_before, at);
        self.review_tasks(position, at);
    }

    /// Orders of a market wait, or waited before it changed: `pairs` of them.
    #[cold]
    fn settle_waiting(&mut self, market: MarketId, pairs: u64) {
        let waiting = &market_of(&mut self.markets, market).waiting;
        self.waiting_pairs = self.waiting_pairs + waiting.pairs() - pairs;
        self.list_fills(market);
    }

    pub(super) fn state_and_hash(&self, position: u32) -> (State, u128) {
        let record = self.orders.record(position);
        (record.state, self.orders.hash(record))
    }

    pub(super) fn position_of(&self, order: OrderId) -> u32 {
        self.orders.find(order).expect("law: a fact about an order follows its placement")
    }
}

pub(super) fn units(draws: &[Draw]) -> u64 {
    draws.iter().map(|draw| u64::from(draw.quantity)).sum()
}

/// The one line that all of these are of, if it is one. They are in line order.
pub(super) fn line_of(draws: &[Draw]) -> u16 {
    match draws {
        [first, .., last] if first.line != last.line => NO_LINE,
        [first, ..] => first.line,
        [] => NO_LINE,
    }
}

/// Units of an order come to be free; what it is owed lies nowhere, and is waited for no more.
#[inline]
pub(super) fn release(
    market: &mut Market,
    number: OrderNumber,
    sku: SkuId,
    (site, from): (SiteId, Bucket),
    units: u64,
) {
    if site == SiteId::NOWHERE {
        market.stop_waiting(sku, number, units);
    } else {
        market.land(sku, Account { site, bucket: from }, site, units);
    }
}
