//! What is over, in the twin: nothing is ever thrown away, it is only marked as closed or gone.

use std::collections::BTreeSet;

use stockade::base::limits::{IDS_KEPT_MS_MAX, IDS_KEPT_MS_MIN, RETIRED_STEP_MS, RETURN_WINDOW_MS_MAX};
use stockade::base::{MarketId, OrderId, Timestamp};
use stockade::engine::order::State;
use stockade::engine::refusal::Field;
use stockade::engine::{Answer, Refusal, Retention};

use super::order::Record;
use super::{Market, Twin, out_of_bounds};

impl Twin {
    pub(super) fn set_retention(&mut self, market: MarketId, retention: Retention) -> Result<Answer, Refusal> {
        out_of_bounds_retention(retention).into_iter().next().map_or(Ok(()), Err)?;
        let market = self.market_mut(market)?;
        let repeated = market.retention == retention;
        market.retention = retention;
        Ok(Answer::Set { repeated })
    }

    /// Closes every order whose return window is over and lets leave what is old enough: which were closed, which left.
    pub(crate) fn retire(&mut self, now: Timestamp) -> (BTreeSet<OrderId>, BTreeSet<OrderId>) {
        let (mut closed, mut left) = (BTreeSet::new(), BTreeSet::new());
        for market in self.markets.values_mut() {
            let due = |(id, (_, closes_at)): (&OrderId, &(State, Timestamp))| (*closes_at <= now).then_some(*id);
            let over: Vec<OrderId> = market
                .ends
                .iter()
                .filter_map(due)
                .filter(|id| !market.closed.contains(id) && !market.is_wanted(id))
                .collect();
            let old = market.leaves_at.iter().filter(|(_, at)| **at <= now).map(|(id, _)| *id);
            let old: Vec<OrderId> = old.filter(|id| !market.gone.contains(id)).collect();
            let floor = now.before_ms(market.retention.ids_kept_ms).ms() / RETIRED_STEP_MS * RETIRED_STEP_MS;
            let floor = Timestamp::from_ms(floor);
            // What is refused already need not be refused again: the moment moves for those that are not.
            let first = |id: &OrderId| id.made_at() < floor && id.made_at() >= market.retired_before;
            if over.iter().chain(&old).any(first) {
                market.retired_before = floor;
            }
            for id in over {
                market.closed.insert(id);
                closed.insert(id);
                if let Some(Record::Order(order)) = market.orders.get_mut(&id) {
                    order.holds.clear();
                }
                if id.made_at() < market.retired_before {
                    market.gone.insert(id);
                } else {
                    market.keep_until_old(id);
                }
            }
            for id in old {
                if id.made_at() < market.retired_before {
                    market.gone.insert(id);
                    left.insert(id);
                } else {
                    market.keep_until_old(id);
                }
            }
        }
        (closed, left)
    }

    /// Notes when every order ended that has ended; called after everything that may end one.
    pub(super) fn note_ends(&mut self, now: Timestamp) {
        self.drop_holds();
        self.note_wants(now);
        self.note_tasks(now);
        for market in self.markets.values_mut() {
            let window = market.retention.return_window_ms;
            for (id, record) in &market.orders {
                let Record::Order(order) = record else { continue };
                let state = order.state();
                if state.is_open() {
                    market.ends.remove(id);
                } else if market.ends.get(id).is_none_or(|(before, _)| *before != state) {
                    let ended_at = if state == State::Expired { order.deadline } else { now };
                    market.ends.insert(*id, (state, ended_at.after_ms(window)));
                }
            }
        }
    }
}

/// Every field of a retention that is outside its bounds.
pub(super) fn out_of_bounds_retention(retention: Retention) -> Vec<Refusal> {
    let mut wrong = Vec::new();
    if retention.return_window_ms > RETURN_WINDOW_MS_MAX {
        wrong.push(out_of_bounds(Field::ReturnWindow, 0, RETURN_WINDOW_MS_MAX));
    }
    if !(IDS_KEPT_MS_MIN..=IDS_KEPT_MS_MAX).contains(&retention.ids_kept_ms) {
        wrong.push(out_of_bounds(Field::IdsKept, IDS_KEPT_MS_MIN, IDS_KEPT_MS_MAX));
    }
    wrong
}

impl Market {
    /// What an identifier stands for, unless it is gone.
    pub(super) fn known(&self, id: OrderId) -> Option<&Record> {
        self.orders.get(&id).filter(|_| !self.gone.contains(&id))
    }

    /// Whether something is still to be brought about outside, a dispute to end, or something to come of a return.
    fn is_wanted(&self, id: &OrderId) -> bool {
        match self.orders.get(id) {
            Some(Record::Order(order)) => order.is_wanted() || order.is_disputed() || order.has_open_return(),
            Some(Record::Blocked) | None => false,
        }
    }

    pub(super) fn check_not_closed(&self, id: OrderId) -> Result<(), Refusal> {
        match self.known(id) {
            Some(Record::Order(order)) if self.closed.contains(&id) => Err(Refusal::Closed { state: order.state() }),
            _ => Ok(()),
        }
    }

    pub(super) fn check_not_retired(&self, id: OrderId) -> Result<(), Refusal> {
        if id.made_at() < self.retired_before { Err(Refusal::IdTooOld) } else { Ok(()) }
    }

    pub(super) fn keep_until_old(&mut self, id: OrderId) {
        let step = id.made_at().ms() / RETIRED_STEP_MS + 1;
        let leaves_at = Timestamp::from_ms(step * RETIRED_STEP_MS).after_ms(self.retention.ids_kept_ms);
        self.leaves_at.insert(id, leaves_at);
    }
}
