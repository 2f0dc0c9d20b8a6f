//! Folding what the wanted list is of: orders put on it as they change, taken off as the world reports.
//!
//! # Always true
//! - Whatever an adapter may have been told before is followed by what is true now, if anything is to be done: nobody
//!   knows whether it was carried out, and money that was let go or given back in vain counts for no late order.

use super::super::Engine;
use super::super::effect::{Action, Effect, Effects, Report};
use super::super::fact::Placed;
use super::super::happening::Happening;
use super::super::marks::Marks;
use super::super::order::{Counters, to_hand_over};
use super::super::steps::Steps;
use super::market_of;
use crate::base::{OrderId, Price, SiteId, Timestamp};

impl Engine {
    /// Puts a new order on the list. Not to be called where no effect is wanted.
    #[inline(never)]
    pub(super) fn want_placed(&mut self, position: u32, placed: &Placed<'_>, effects: Effects, at: Timestamp) {
        let first = if placed.confirmed {
            // Of what is owed a warehouse has nothing to hand over yet, and of what nobody checked neither.
            let is_there = placed.draws.iter().any(|draw| draw.site != SiteId::NOWHERE);
            (is_there && !effects.check).then_some(Effect::Release)
        } else {
            Some(Effect::Payment)
        };
        self.wants.hand_off(position, effects, [first, effects.check.then_some(Effect::Check)], at);
        if effects.payment && !placed.confirmed {
            self.accounts.add_implicit();
            market_of(&mut self.markets, placed.order.market()).money.know(placed.currency);
        }
    }

    /// Units that a warehouse has to know of, or that left it; `None` if this order's release is not handed off. While
    /// an order is stopped, for so much `missing` too, it has to know of nothing that has not left.
    fn firm_units(&self, position: u32, missing: Price) -> Option<u64> {
        if !self.wants.is_handed_off(position, Effect::Release) {
            return None;
        }
        let record = self.orders.record(position);
        let draws = self.orders.draws(record).iter().filter(|draw| !draw.is_owed());
        let is_stopped = record.is_held() || missing > 0;
        let firm = |units: Counters| to_hand_over(units.committed, units.shipped, is_stopped);
        Some(draws.map(|draw| u64::from(firm(draw.units))).sum())
    }

    /// Looks at what is to become of the money of an order that is about to change, and gives its firm units.
    #[inline(never)]
    pub(super) fn look_at_wants(&mut self, position: u32) -> Option<u64> {
        self.outlook_before = self.outlook(position, self.orders.record(position));
        self.firm_units(position, self.outlook_before.missing)
    }

    /// Wants what follows from a change of an order that was [looked at](Engine::look_at_wants) before it.
    pub(super) fn want_changed(&mut self, position: u32, firm_before: Option<u64>, at: Timestamp) {
        if self.wants.is_empty() {
            return;
        }
        let after = self.outlook(position, self.orders.record(position));
        if self.is_payment_handed_off(position) {
            self.want_steps(position, &after.steps, at);
        }
        if firm_before.is_some() && firm_before != self.firm_units(position, after.missing) {
            self.want(position, Effect::Release, Action::Release, at);
        }
    }

    /// Wants what is to be done with the money of an order, if that is something else than before; and when nothing is,
    /// that somebody looks what became of what nobody told of.
    fn want_steps(&mut self, position: u32, steps: &Steps, at: Timestamp) {
        let before = &self.outlook_before.steps;
        if steps.are_those(before) {
            return;
        }
        if steps.leave_untold(before, self.accounts.of(position)) {
            self.wants.note_untold(position, Effect::Payment);
        }
        let is_untold = self.wants.get(position, Effect::Payment).is_some_and(|want| want.is_untold);
        if steps.any() || is_untold {
            self.want(position, Effect::Payment, steps.action(), at);
        } else if self.wants.settle(position, Effect::Payment) {
            self.note_settled(position, at);
        }
    }

    /// Wants something else of an effect than before, if it is handed off, and notes that.
    fn want(&mut self, position: u32, effect: Effect, action: Action, at: Timestamp) {
        let Some(attempt) = self.wants.want(position, effect, at) else { return };
        let what = match action {
            Action::Release => Happening::ReleaseWanted,
            Action::Charge => Happening::ChargeWanted,
            Action::Capture => Happening::CaptureWanted,
            Action::Close => Happening::CloseWanted,
            Action::GiveBack => Happening::GiveBackWanted,
            Action::Look => Happening::LookWanted,
            Action::Check => panic!("law: a check is wanted when its order is placed, and never again"),
        };
        self.note_whole(position, what, at, attempt.into());
    }

    pub(super) fn fold_effect_reported(
        &mut self,
        order: OrderId,
        effect: Effect,
        (attempt, report): (u32, Report),
        at: Timestamp,
    ) {
        let position = self.position_of(order);
        self.note_whole(position, Happening::of_report(effect, report), at, attempt.into());
        match report {
            Report::Done if effect == Effect::Check => self.end_check(order, (attempt, report), at),
            Report::Rejected => self.end_check(order, (attempt, report), at),
            Report::Done => self.wants.tell(position, effect, attempt),
            Report::SetAside(reason) => self.wants.set_aside(position, effect, Some(reason), at),
            Report::Resumed => self.wants.set_aside(position, effect, None, at),
        }
        if matches!(report, Report::SetAside(_)) {
            self.settle_tasks(position, at);
        } else {
            self.review_tasks(position, at);
        }
        self.note_settled(position, at);
    }

    /// Somebody said whether an order is to be trusted: what held it is gone, or all of it that has not left.
    fn end_check(&mut self, order: OrderId, (attempt, report): (u32, Report), at: Timestamp) {
        self.change_order(order, at, |engine, position| {
            engine.wants.tell(position, Effect::Check, attempt);
            engine.orders.set_mark(position, Marks::UNCHECKED, false);
            if report == Report::Rejected {
                let cancelled = engine.cancel_every_draw(position);
                engine.note_whole(position, Happening::Cancelled, at, cancelled);
            }
        });
    }

    /// Nobody needs to know any more whether an order is to be trusted: it is over.
    #[inline]
    pub(super) fn drop_check(&mut self, position: u32) {
        if self.orders.record(position).marks.has(Marks::UNCHECKED) {
            self.wants.settle(position, Effect::Check);
            self.orders.set_mark(position, Marks::UNCHECKED, false);
        }
    }

    /// Its closing may have come and waited for this. One that is still to come stands where it was entered.
    pub(super) fn note_settled(&mut self, position: u32, at: Timestamp) {
        let record = self.orders.record(position);
        let closes_at = record.closes_at;
        let is_awaited = self.wants.is_open(position) || self.is_disputed(position) || self.returns.is_open(position);
        if !record.state.is_open() && closes_at <= at && !is_awaited {
            self.closings.insert(closes_at, position);
        }
    }
}
