//! Fold: the only way state changes. Total: a fact was legal when it was decided, so folding it cannot fail.
//!
//! # Always true
//! - Every movement of units goes through `Ledger::transfer`; every change of an order goes through
//!   `Engine::change_order`, which keeps the books in step.
//! - Every fact about one order is noted in its history, but for its placement: that is in its record.
//! # Not here
//! - Any "no". An assertion here names a law that a decision, or the log, has broken.

mod change;
mod edit;
mod erase;
mod fill;
mod hold;
mod payment;
mod policy;
mod retention;
mod returns;
mod shortage;
mod wanted;

pub(super) use policy::Held;

use super::Engine;
use super::choices::AdjustReason;
use super::content::{self, Content};
use super::cursor::Cursor;
use super::deadline::Deadlines;
use super::fact::{Fact, Placed};
use super::happening::Happening;
use super::kits::Component;
use super::ledger::{Account, Bucket};
use super::market::Market;
use super::marks::Marks;
use super::on_hand::{OnHand, Place};
use super::order::State;
use super::orders::Orders;
use super::requests::Remembered;
use super::reservation::ExtendReason;
use crate::base::limits::DEADLINES_STALE_MAX;
use crate::base::{MarketId, OrderId, RequestId, Sequence, SiteId, SkuId, Timestamp};

impl Engine {
    /// Makes a fact part of the state. `at` is the log time it happened.
    ///
    /// # Panics
    /// When the fact could not have happened in this state: the log does not belong to it, or is damaged in a way its
    /// checksums cannot show.
    pub fn fold(&mut self, fact: &Fact<'_>, at: Timestamp) {
        match *fact {
            Fact::MarketAssigned { market, shard, code } => {
                let (next, _) = self.directory.next();
                assert_eq!(market, next, "law: markets are numbered in order");
                self.directory.insert(code, shard);
            }
            Fact::MarketOpened { market, code } => self.fold_market_opened(market, code),
            Fact::SiteCreated { market, site, rank, code } => {
                let market = self.market_mut(market);
                assert_eq!(u32::from(site.0), market.sites.next_number(), "law: sites are numbered in order");
                market.add_site(code, rank);
            }
            Fact::SkuCreated { market, sku, code } => {
                let market = self.market_mut(market);
                assert_eq!(sku.0, market.skus.insert(code), "law: SKUs are numbered in order");
                market.ledger.moved.note(sku);
                self.sku_count += 1;
            }
            Fact::KitDefined { market, sku, code, components } => self.fold_kit_defined(market, sku, code, components),
            Fact::Received { request, sku, site, quantity } => {
                self.fold_stock(request, (sku, site), quantity.cast_signed(), None, at);
            }
            Fact::Adjusted { request, sku, site, delta, reason } => {
                self.fold_stock(request, (sku, site), delta, Some(reason), at);
            }
            Fact::StockMoved { request, sku, from, to, quantity } => {
                let content = content::movement(sku, from, to, quantity);
                self.fold_movement(request, sku, (from, to, quantity), (content, to.site), at);
            }
            Fact::StockCounted { request, sku, site, expected, counted } => {
                let content = content::count(sku, site, expected, counted);
                let account = |bucket| Account { site, bucket };
                let (shelf, outside) = (account(Bucket::Available), account(Bucket::WriteOff));
                let (from, to) = if counted < expected { (shelf, outside) } else { (outside, shelf) };
                self.fold_movement(request, sku, (from, to, counted.abs_diff(expected)), (content, site), at);
                // What lies there now is known, and whoever counted it earlier tells nothing new.
                self.on_hand.counted(self.histories.position(), (request.market(), sku, site), 0);
            }
            Fact::CountReported { request, sku, site, as_of, on_hand, counted, short, excess } => {
                let content = content::reported_count(sku, site, as_of, counted);
                let place = (request.market(), sku, site);
                self.add_places(request.market(), sku, site);
                self.fold_count_reported(place, as_of, (on_hand, counted), (short, excess));
                self.remember(request, (content, sku, site), at);
            }
            Fact::OrderPutBack { order, draws, .. } => self.fold_put_back(order, draws, at),
            Fact::Placed(placed) => self.fold_placed(&placed, at),
            Fact::Confirmed { order, attempt, entered, draws } => {
                self.fold_confirmed(order, (attempt, entered), draws, at);
            }
            Fact::RetakeFailed { order, attempt, sku } => self.fold_retake_failed(order, attempt, sku, at),
            Fact::Cancelled { order } => self.fold_cancelled(order, at),
            Fact::Blocked { order } => self.fold_blocked(order, at),
            Fact::LinesCancelled { order, change, draws } => self.fold_lines_cancelled(order, change, draws, at),
            Fact::Edited { order, change, what } => self.fold_edited(order, change, what, at),
            Fact::Expired { order } => self.fold_expired(order),
            Fact::HandedOver { order, change, draws } => self.fold_handed_over(order, change, draws, at),
            Fact::Returned { order, change, site, draws } => self.fold_returned(order, (change, site), draws, at),
            Fact::PolicySet { market, sku, policy } => self.fold_policy_set(market, sku, policy),
            Fact::EffectsSet { market, effects } => self.market_mut(market).effects = effects,
            Fact::Extended { order, deadline, reason } => self.fold_extended(order, deadline, reason, at),
            Fact::ReservationsSet { market, reservations } => self.market_mut(market).reservations = reservations,
            Fact::ChannelCapSet { market, sku, channel, units_max } => {
                self.fold_channel_cap_set(market, (sku, channel), units_max);
            }
            Fact::VelocitySet { market, velocity } => self.fold_velocity_set(market, velocity, at),
            Fact::EffectReported { order, effect, attempt, report } => {
                self.fold_effect_reported(order, effect, (attempt, report), at);
            }
            Fact::Filled { order, draws } => self.fold_filled(order, draws, at),
            Fact::StockLevelChanged { market, sku, level, .. } => {
                self.market_mut(market).policies.change(sku, |rule| rule.level = level);
            }
            Fact::RetentionSet { market, retention } => self.fold_retention_set(market, retention),
            Fact::CursorMoved { sink, upto, attached } => {
                let before = self.cursors.set(sink, Cursor { upto, attached });
                assert!(before.is_none_or(|before| before.upto <= upto), "law: a cursor never goes back");
            }
            Fact::Held { order, owner, reason, note } => self.fold_held(order, (owner, reason, note), at),
            Fact::HoldLifted { order, owner, reason } => self.fold_hold_lifted(order, (owner, reason), at),
            Fact::PaymentStarted { order, attempt, method } => self.fold_payment_started(order, attempt, method, at),
            Fact::PaymentReported { order, attempt, method, report, draws, short } => {
                self.fold_payment_reported(order, (attempt, method, report), (draws, short), at);
            }
            Fact::RefundRequested { order, change, amount } => self.fold_refund_requested(order, change, amount, at),
            Fact::Delivered { order, change, lines } => self.fold_delivered(order, change, lines, at),
            Fact::Return { order, id, what } => self.fold_return(order, id, what, at),
            Fact::Retired { market, before } => self.fold_retired(market, before),
            Fact::Erased { whose } => self.fold_erased(whose),
            Fact::Closed { orders } => self.fold_closed(orders),
            Fact::Left { orders } => self.fold_left(orders),
        }
        if self.watched.on {
            self.note_market(fact);
        }
    }

    fn fold_market_opened(&mut self, market: MarketId, code: &str) {
        let number = market.number() as usize;
        if self.markets.len() <= number {
            self.markets.resize_with(number + 1, || None);
        }
        assert!(self.markets[number].is_none(), "law: market {market} is opened once");
        self.markets[number] = Some(Box::new(Market::new(code)));
    }

    fn fold_kit_defined(&mut self, market: MarketId, sku: SkuId, code: &str, components: &[Component]) {
        let market = self.market_mut(market);
        assert_eq!(sku.0, market.skus.insert(code), "law: SKUs are numbered in order");
        market.kits.insert(sku, components);
        market.ledger.moved.note(sku);
        self.sku_count += 1;
        self.kit_count += 1;
    }

    fn fold_stock(
        &mut self,
        request: RequestId,
        (sku, site): (SkuId, SiteId),
        units: i64,
        reason: Option<AdjustReason>,
        at: Timestamp,
    ) {
        let account = |bucket| Account { site, bucket };
        let outside = account(if reason.is_some() { Bucket::WriteOff } else { Bucket::Supplier });
        let (from, to) =
            if units < 0 { (account(Bucket::Available), outside) } else { (outside, account(Bucket::Available)) };
        let content = content::stock(sku, site, units, reason.map(|reason| reason as u8));
        self.fold_movement(request, sku, (from, to, units.unsigned_abs()), (content, site), at);
    }

    /// Moves units because a stock request said so, and remembers it with what is available at a site since.
    fn fold_movement(
        &mut self,
        request: RequestId,
        sku: SkuId,
        (from, to, units): (Account, Account, u64),
        (content, site): (u64, SiteId),
        at: Timestamp,
    ) {
        for (account, other) in [(from, to), (to, from)] {
            let stays = other.bucket.is_on_hand() && other.site == account.site;
            if account.bucket.is_on_hand() && !stays {
                let Self { markets, on_hand, histories, .. } = self;
                let id = request.market();
                note_on_hand(on_hand, histories.position(), market_of(markets, id), (id, sku, account.site));
            }
        }
        self.add_places(request.market(), sku, to.site);
        let market = self.market_mut(request.market());
        if to.bucket != Bucket::Available {
            market.ledger.transfer(sku, from, to, units);
        } else if from.bucket != Bucket::Available {
            market.land(sku, from, to.site, units);
        } else {
            let units = market.make_good(sku, from, to.site, units);
            market.ledger.transfer(sku, from, to, units);
            market.note_for_kits(sku);
        }
        self.remember(request, (content, sku, site), at);
    }

    /// From now on units of what a line names may lie at a site.
    fn add_places(&mut self, id: MarketId, sku: SkuId, site: SiteId) {
        self.place_count += market_of(&mut self.markets, id).add_places(sku, site);
    }

    /// Remembers a stock request with what is available at a site since.
    fn remember(&mut self, request: RequestId, (content, sku, site): (u64, SkuId, SiteId), at: Timestamp) {
        let market = self.market_mut(request.market());
        let available = market.ledger.available(sku, site);
        self.remember_request(request, Remembered { content, available }, at);
        self.list_fills(request.market());
    }

    fn fold_placed(&mut self, placed: &Placed<'_>, at: Timestamp) {
        let content = Content::from(placed).hash();
        let market = market_of(&mut self.markets, placed.order.market());
        market.newest_accepted = market.newest_accepted.max(placed.order.made_at());
        let to = if placed.confirmed { Bucket::Committed } else { Bucket::Reserved };
        for draw in placed.draws {
            let at_site = |bucket| Account { site: draw.site, bucket };
            let sku = placed.lines[usize::from(draw.line)].sku;
            if draw.site == SiteId::NOWHERE {
                let is_new = market.begin_waiting(sku, market.next_number(), draw.quantity.into());
                self.waiting_pairs += u64::from(is_new);
            } else {
                market.transfer(sku, at_site(Bucket::Available), at_site(to), draw.quantity.into());
            }
        }
        let has_ready = market.waiting.has_ready();
        let hold_ms = market.reservations.hold_ms(placed.hold_ms, placed.payment);
        let position = self.orders.insert(placed, content, market.next_number(), (at, hold_ms));
        market.numbers.give(position);
        if market.effects.check {
            self.orders.set_mark(position, Marks::UNCHECKED, true);
            self.orders.settle_state(position);
        }
        let record = self.orders.record(position);
        market.tally.add(record.state, self.orders.hash(record));
        if record.state.awaits_payment() {
            note_deadline(&mut self.deadlines, &self.orders, position);
        }
        let (counts, effects, is_counted) = (market.policies.counts(), market.effects, market.velocities.is_some());
        if !placed.details.is_empty() {
            self.fold_sealed(placed);
        }
        if has_ready {
            self.list_fills(placed.order.market());
        }
        if counts {
            self.count_placed(placed.order, position);
        }
        if is_counted {
            self.count_velocity(placed, at);
        }
        if effects.any() {
            self.want_placed(position, placed, effects, at);
        }
    }

    fn fold_extended(&mut self, order: OrderId, deadline: Timestamp, reason: ExtendReason, at: Timestamp) {
        let position = self.position_of(order);
        let record = self.orders.record(position);
        assert!(record.state.awaits_payment(), "law: only what is alive is extended, {order} is not");
        assert!(record.deadline <= deadline, "law: no reservation is made shorter, that of {order} would be");
        let is_later = record.deadline < deadline;
        self.orders.extend(position, deadline, reason);
        if is_later {
            note_deadline(&mut self.deadlines, &self.orders, position);
        }
        let what = match reason {
            ExtendReason::Activity => Happening::Extended,
            ExtendReason::PaymentStart => Happening::PaymentStarted,
        };
        self.note_whole(position, what, at, deadline.ms());
    }

    fn fold_blocked(&mut self, order: OrderId, at: Timestamp) {
        let position = self.orders.insert_blocked(order, at);
        let hash = self.orders.hash(self.orders.record(position));
        let market = self.market_mut(order.market());
        market.tally.add(State::Blocked, hash);
        let leaves_at = market.retention.leaves_at(order.made_at());
        self.keep_until(leaves_at, position);
    }

    pub(in crate::engine) fn market_mut(&mut self, market: MarketId) -> &mut Market {
        market_of(&mut self.markets, market)
    }
}

/// An order waits for its deadline. Entries of orders that have left do not become many more than orders are kept.
fn note_deadline(deadlines: &mut Deadlines, orders: &Orders, position: u32) {
    deadlines.insert(orders.record(position).deadline, position);
    if deadlines.len() > 2 * orders.len() + DEADLINES_STALE_MAX {
        deadlines.sweep(|at, position| orders.record(position).waits_until() == Some(at));
    }
}

/// What is on hand at a site of what a line names is about to change.
fn note_on_hand(on_hand: &mut OnHand, entry: Sequence, market: &Market, (id, sku, site): Place) {
    let mut note = |sku| on_hand.note(entry, (id, sku, site), || market.on_hand(sku, site));
    match market.kits.recipe(sku) {
        None => note(sku),
        Some(recipe) => recipe.iter().for_each(|part| note(part.sku)),
    }
}

/// The market a fact is about.
fn market_of(markets: &mut [Option<Box<Market>>], market: MarketId) -> &mut Market {
    let found = markets.get_mut(market.number() as usize).and_then(Option::as_deref_mut);
    found.expect("law: a fact is about an open market")
}
