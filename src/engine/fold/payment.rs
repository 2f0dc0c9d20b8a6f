//! Folding what is told of payments, and what follows for their order in the same step.
//!
//! ```text
//! waits for its payment, and its attempts cover what is due ─► confirmed
//! waits for its payment, and this and every other attempt failed, this one for good ─► cancelled
//! expired, and its lapsed units were taken again (draws) ─► confirmed;  were not there (short) ─► stays expired
//! ```
//!
//! What goes back, is captured or let go then is not said here: it follows from the account (`steps`).

use super::super::Engine;
use super::super::attempt::Attempt;
use super::super::choices::PaymentMethod;
use super::super::content::ChangeKind;
use super::super::effect::Effect;
use super::super::fact::{Change, Draw};
use super::super::happening::Happening;
use super::super::ledger::Bucket;
use super::super::marks::Marks;
use super::super::orders::KeptChange;
use super::super::payment::PaymentReport;
use super::super::steps::{ask_refund, covered, note_refund, shortfall};
use super::market_of;
use crate::base::{ChangeId, OrderId, Price, SkuId, Timestamp};

impl Engine {
    pub(super) fn fold_payment_started(&mut self, order: OrderId, id: ChangeId, method: PaymentMethod, at: Timestamp) {
        self.change_order(order, at, |engine, position| {
            engine.set_attempt(position, Attempt::new(id, method), at);
            engine.note_whole(position, Happening::AttemptBegun, at, method as u64);
        });
    }

    pub(super) fn fold_payment_reported(
        &mut self,
        order: OrderId,
        (id, method, report): (ChangeId, PaymentMethod, PaymentReport),
        (draws, short): (&[Draw], Option<SkuId>),
        at: Timestamp,
    ) {
        self.change_order(order, at, |engine, position| {
            let attempt = engine.attempt(position, id).unwrap_or(Attempt::new(id, method)).told(report);
            let end = engine.accounts.ends.after(position, &attempt, report);
            engine.accounts.ends.set((position, id), end);
            if matches!(report, PaymentReport::Refunded { .. }) {
                engine.give_back(position, attempt, at);
            } else {
                engine.set_attempt(position, attempt, at);
            }
            let (what, value) = Happening::of_payment(report);
            engine.note_whole(position, what, at, value);
            if let Some(sku) = short {
                engine.note_whole(position, Happening::RetakeFailed, at, sku.0.into());
            } else if !draws.is_empty() {
                engine.let_go_of_others(position, id, at);
                engine.pin_again(position, draws);
                engine.note_whole(position, Happening::ChargedLate, at, super::change::units(draws));
            } else if engine.orders.record(position).state.awaits_payment() && !engine.confirm_if_paid(position, at) {
                let record = engine.orders.record(position);
                if report.is_final() && record.marks.has(Marks::PAYMENT_FAILED) {
                    let cancelled = engine.cancel_every_draw(position);
                    engine.note_whole(position, Happening::Cancelled, at, cancelled);
                }
            }
        });
        let position = self.position_of(order);
        self.review_account(position, at);
        if matches!(report, PaymentReport::DisputeWon | PaymentReport::ChargedBack { .. }) {
            self.note_settled(position, at);
        }
    }

    /// Money went back of an attempt, which is this now. What that takes of what was to stay, somebody asked for.
    fn give_back(&mut self, position: u32, attempt: Attempt, at: Timestamp) {
        let due = self.due(position, self.orders.record(position));
        let before = shortfall(self.accounts.of(position), due);
        self.set_attempt(position, attempt, at);
        let due = self.due(position, self.orders.record(position));
        if !due.is_unpaid {
            note_refund(self.accounts.of_mut(position), due, before);
        }
    }

    /// Confirms an order that waits for its payment when its attempts cover what is due; says whether they do.
    pub(super) fn confirm_if_paid(&mut self, position: u32, at: Timestamp) -> bool {
        let attempts = self.accounts.of(position);
        if attempts.is_empty() {
            return false;
        }
        let due = self.due(position, self.orders.record(position)).due;
        let is_paid = due > 0 && covered(attempts) >= due.into();
        if is_paid {
            let units = self.confirm_every_draw(position);
            self.note_whole(position, Happening::Charged, at, units);
        }
        is_paid
    }

    /// The attempt that pays late for an order is the only one of it that counts.
    pub(super) fn let_go_of_others(&mut self, position: u32, id: ChangeId, at: Timestamp) {
        let record = self.orders.record(position);
        if id != ChangeId::HANDED_OFF && self.has_implicit_attempt(position, record) {
            self.set_attempt(position, Attempt::new(ChangeId::HANDED_OFF, record.payment), at);
        }
        self.accounts.let_go_of_others(position, id);
    }

    /// Enters what was paid elsewhere when an order with an account was confirmed.
    pub(super) fn enter_paid_elsewhere(&mut self, position: u32, (id, total): (ChangeId, Price), at: Timestamp) {
        let method = self.orders.record(position).payment;
        let attempt = self.attempt(position, id).unwrap_or(Attempt::new(id, method));
        self.set_attempt(position, attempt.told(PaymentReport::Captured { total }), at);
    }

    pub(super) fn fold_refund_requested(&mut self, order: OrderId, change: Change, amount: Price, at: Timestamp) {
        self.change_order(order, at, |engine, position| {
            let due = engine.due(position, engine.orders.record(position));
            ask_refund(engine.accounts.of_mut(position), due, amount);
            engine.orders.keep_change(position, KeptChange { kind: ChangeKind::Refund, change, moved: amount });
            engine.note_whole(position, Happening::RefundRequested, at, amount);
        });
        self.review_account(self.position_of(order), at);
    }

    /// Forgets what was paid of an order that is over; the market's money goes on to count it.
    pub(super) fn close_account(&mut self, position: u32) {
        let is_implicit = self.has_implicit_attempt(position, self.orders.record(position));
        if is_implicit {
            self.accounts.remove_implicit();
        }
        let (record, attempts) = (self.orders.record(position), self.accounts.of(position));
        if is_implicit || !attempts.is_empty() {
            market_of(&mut self.markets, record.order.market()).gone_money.add(record.currency, attempts);
            self.accounts.forget(position);
            self.orders.set_mark(position, Marks::PAYMENT_FAILED, false);
        }
    }

    /// Reserved to committed.
    pub(super) fn confirm_every_draw(&mut self, position: u32) -> u64 {
        self.move_every_draw(position, |units| {
            let moved = units.reserved;
            units.confirm();
            (moved, moved, Bucket::Reserved, Bucket::Committed)
        })
    }

    pub(in crate::engine) fn is_payment_handed_off(&self, position: u32) -> bool {
        !self.wants.is_empty() && self.wants.is_handed_off(position, Effect::Payment)
    }

    fn attempt(&self, position: u32, id: ChangeId) -> Option<Attempt> {
        self.accounts.of(position).iter().find(|known| known.id == id).copied()
    }

    /// An attempt is as told from here on; the market's money, and whether all were in vain, follow.
    fn set_attempt(&mut self, position: u32, attempt: Attempt, at: Timestamp) {
        let record = self.orders.record(position);
        let money = &mut market_of(&mut self.markets, record.order.market()).money;
        if let Some(known) = self.accounts.of(position).iter().find(|known| known.id == attempt.id) {
            money.remove(record.currency, core::slice::from_ref(known));
        }
        money.add(record.currency, core::slice::from_ref(&attempt));
        if attempt.id == ChangeId::HANDED_OFF && self.has_implicit_attempt(position, self.orders.record(position)) {
            self.accounts.remove_implicit();
        }
        self.accounts.set(position, attempt, at);
        let has_failed = self.has_failed(position);
        self.orders.set_mark(position, Marks::PAYMENT_FAILED, has_failed);
    }
}
