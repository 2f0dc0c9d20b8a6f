//! Payment and whole cancellation in the twin, with the take that comes after expiry.

use std::collections::BTreeSet;

use stockade::base::limits::{CHANGES_MAX, ID_AHEAD_MS_MAX, ORDER_DRAWS_MAX};
use stockade::base::{ChangeId, OrderId, SiteId, SkuId, Timestamp};
use stockade::engine::order::State;
use stockade::engine::{Answer, Refusal};

use super::Twin;
use super::account::Said;
use super::order::{Fate, Order, Record, Remembered};
use super::placing::check_draws;

impl Twin {
    pub(super) fn confirm(&mut self, id: OrderId, attempt: ChangeId) -> Result<Answer, Refusal> {
        let order = self.order_mut(id)?;
        match order.changes.get(&attempt) {
            Some(&Remembered::RetakeFailed { sku }) => return Ok(Answer::RetakeFailed { sku, repeated: true }),
            Some(Remembered::Done { .. } | Remembered::Refund { .. } | Remembered::Edited { .. }) => {
                return Err(Refusal::Conflict);
            }
            None => {}
        }
        match order.state() {
            State::PendingPayment | State::PaymentFailed => {
                let before = order.clone();
                let moved = order.turn(Fate::Reserved, Fate::Committed);
                self.finish_confirming(id, (attempt, false), before, moved)
            }
            State::Confirmed | State::InReview | State::Fulfilling | State::Completed => {
                let moved = order.count(Fate::Committed) + order.count(Fate::Shipped);
                Ok(order.done(moved, 0, true))
            }
            State::Expired => self.confirm_late(id, attempt),
            State::Cancelled => Err(illegal(State::Cancelled)),
            State::Blocked => unreachable!("a blocked identifier is no order"),
        }
    }

    fn confirm_late(&mut self, id: OrderId, attempt: ChangeId) -> Result<Answer, Refusal> {
        let before = self.order(id)?.clone();
        // What was told of it is on its way back.
        if before.covered_by(attempt) > 0 {
            return Err(Refusal::Conflict);
        }
        match self.take_again(id)? {
            Ok(moved) => self.finish_confirming(id, (attempt, true), before, moved),
            Err(sku) => {
                let order = self.order_mut(id)?;
                if order.changes.len() == CHANGES_MAX {
                    return Err(Refusal::TooManyChanges);
                }
                order.changes.insert(attempt, Remembered::RetakeFailed { sku });
                Ok(Answer::RetakeFailed { sku, repeated: false })
            }
        }
    }

    /// Enters what was paid for these units; where that is refused, nothing happened.
    fn finish_confirming(
        &mut self,
        id: OrderId,
        (attempt, is_late): (ChangeId, bool),
        before: Order,
        moved: u64,
    ) -> Result<Answer, Refusal> {
        let entered = self.enter_paid_elsewhere(id, attempt, is_late);
        let order = self.order_mut(id)?;
        if let Err(refusal) = entered {
            *order = before;
            return Err(refusal);
        }
        if is_late {
            order.said.push(Said::PaidLate(attempt));
        }
        Ok(order.done(moved, 0, false))
    }

    /// All lapsed units again, from the shelf, or none: how many, or the SKU that came up short.
    pub(super) fn take_again(&mut self, id: OrderId) -> Result<Result<u64, SkuId>, Refusal> {
        let market = self.market(id.market())?;
        let order = self.order(id)?;
        let lapsed =
            |units: &Vec<_>| units.iter().filter(|unit: &&super::order::Unit| unit.fate == Fate::Lapsed).count();
        let wanted: Vec<(SkuId, u32)> =
            order.asked.lines.iter().zip(&order.lines).map(|(line, units)| (line.sku, lapsed(units) as u32)).collect();
        let too_many = |sku: &&SkuId| {
            let units = wanted.iter().map(|&(its, units)| market.counts_as(its, **sku) * u64::from(units)).sum();
            market.check_customer(**sku, units, &order.asked, order.accepted_at).is_err()
                || market.check_channel(order.asked.channel, **sku, units).is_err()
        };
        let skus = wanted.iter().flat_map(|&(sku, _)| market.parts(sku).into_keys().chain([sku]));
        let skus: BTreeSet<SkuId> = skus.collect();
        let sites = market.choose_sites(&wanted, false);
        let is_too_wide = check_draws(&sites).is_err() || order.places_with(&sites) > ORDER_DRAWS_MAX;
        let last = wanted.iter().rev().find(|(_, units)| *units > 0).map(|(sku, _)| *sku);
        let failed = first_short(&wanted, &sites).or_else(|| skus.iter().find(too_many).copied());
        if let Some(sku) = failed.or_else(|| last.filter(|_| is_too_wide)) {
            return Ok(Err(sku));
        }
        let order = self.order_mut(id)?;
        for (at, sites) in sites.iter().enumerate() {
            order.draw_on(at, sites);
            let lapsed = order.lines[at].iter_mut().filter(|unit| unit.fate == Fate::Lapsed);
            for (unit, site) in lapsed.zip(sites) {
                unit.site = *site;
                unit.fate = Fate::Committed;
            }
        }
        Ok(Ok(wanted.iter().map(|&(_, units)| u64::from(units)).sum()))
    }

    pub(super) fn cancel(&mut self, id: OrderId, block: bool, now: Timestamp) -> Result<Answer, Refusal> {
        let room = self.check_room(0, 0);
        let market = self.market_mut(id.market())?;
        let blocked = |repeated| Answer::Done { state: State::Blocked, moved: 0, excess: 0, repeated };
        market.check_not_closed(id)?;
        match market.known(id) {
            Some(Record::Order(_)) => {}
            Some(Record::Blocked) => return Ok(blocked(true)),
            None if block => {
                if id.made_at() > now.after_ms(ID_AHEAD_MS_MAX) {
                    return Err(Refusal::IdFromFuture { now });
                }
                market.check_not_retired(id)?;
                room?;
                market.orders.insert(id, Record::Blocked);
                market.keep_until_old(id);
                return Ok(blocked(false));
            }
            None => return Err(Refusal::UnknownOrder),
        }
        let order = self.order_mut(id)?;
        match order.state() {
            State::Completed if order.count(Fate::Cancelled) == 0 => Err(illegal(State::Completed)),
            State::Completed | State::Cancelled => Ok(order.done(order.count(Fate::Cancelled), 0, true)),
            _ => {
                order.cancel_what_is_left();
                Ok(order.done(order.count(Fate::Cancelled), 0, false))
            }
        }
    }

    pub(super) fn order(&self, id: OrderId) -> Result<&Order, Refusal> {
        let market = self.market(id.market())?;
        market.check_not_closed(id)?;
        match market.known(id) {
            Some(Record::Order(order)) => Ok(order),
            Some(Record::Blocked) | None => Err(Refusal::UnknownOrder),
        }
    }

    pub(super) fn order_mut(&mut self, id: OrderId) -> Result<&mut Order, Refusal> {
        self.order(id)?;
        match self.market_mut(id.market())?.orders.get_mut(&id) {
            Some(Record::Order(order)) => Ok(order),
            Some(Record::Blocked) | None => Err(Refusal::UnknownOrder),
        }
    }
}

impl Order {
    /// The places it draws on when it takes units at these sites as well.
    fn places_with(&self, sites: &[Vec<SiteId>]) -> usize {
        let places = |(at, sites): (usize, &Vec<SiteId>)| {
            let before = self.lines[at].iter().map(|unit| unit.site).chain(self.drew_on[at].iter().copied());
            before.chain(sites.iter().copied()).collect::<BTreeSet<SiteId>>().len()
        };
        sites.iter().enumerate().map(places).sum()
    }
}

/// The first SKU, in line order, of which all lines together get less than they want.
fn first_short(wanted: &[(SkuId, u32)], sites: &[Vec<SiteId>]) -> Option<SkuId> {
    let short = wanted.iter().zip(sites).filter(|((_, units), sites)| sites.len() < *units as usize);
    let short: BTreeSet<SkuId> = short.map(|((sku, _), _)| *sku).collect();
    wanted.iter().filter(|(_, units)| *units > 0).map(|(sku, _)| *sku).find(|sku| short.contains(sku))
}

pub(super) const fn illegal(state: State) -> Refusal {
    Refusal::IllegalState { state, legal: state.legal() }
}
