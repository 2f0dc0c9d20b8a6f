//! One command from beginning to end, and what is due before it.
//!
//! ```text
//! submit ─► the order's own expiry, if its deadline passed unswept
//!        ─► decide ── came up short while others are due? ─► sweep them all, decide again
//!        ─► fold
//! ```
//!
//! # Always true
//! - Every fact is folded first and then handed to the log, in the order it happened.
//! # Why so
//! A reservation is dead at its deadline even before the fact that says so: otherwise the answer would depend on when a
//! sweeper happened to run. So a command never meets a reservation that should be dead.

use core::hint::black_box;

use super::Engine;
use super::answer::Answer;
use super::command::Command;
use super::decide::{Decision, Scratch};
use super::fact::Fact;
use super::refusal::Refusal;
use crate::base::{OrderId, SiteId, Timestamp};

impl Engine {
    /// Decides a command and folds what happens; hands every fact to `log` once it is folded.
    ///
    /// # Errors
    /// A [`Refusal`] is a business answer. Expiries that were due may have been logged all the same.
    pub fn submit(
        &mut self,
        command: &Command<'_>,
        now: Timestamp,
        scratch: &mut Scratch,
        log: &mut impl FnMut(&Fact<'_>),
    ) -> Result<Answer, Refusal> {
        if self.has_due(now) && self.settle(command, now, scratch, log) {
            while let Some(fact) = self.next_due(now) {
                self.fold(&fact, now);
                log(&fact);
            }
        }
        match self.decide(command, now, scratch)? {
            Decision::Happened { fact, answer } => {
                self.fold(&fact, now);
                log(&fact);
                Ok(answer)
            }
            Decision::Repeated(answer) => Ok(answer),
        }
    }

    /// Expires the command's own order if its deadline has passed. Tells whether the command has to wait until
    /// everything due is swept, because units would be missing or wrongly told.
    ///
    /// Only needed while [`Engine::has_due`]. Whoever bounds its turns asks this first and sweeps in turns of its own;
    /// [`Engine::submit`] sweeps all at once.
    pub fn settle(
        &mut self,
        command: &Command<'_>,
        now: Timestamp,
        scratch: &mut Scratch,
        log: &mut impl FnMut(&Fact<'_>),
    ) -> bool {
        if let Some(fact) = command.order().and_then(|order| self.overdue(order, now)) {
            self.fold(&fact, now);
            log(&fact);
        }
        // Its own entry may have been the only one.
        let due = self.next_due(now).is_some();
        due && (tells_stock(command) || comes_up_short(&self.decide(command, now, scratch)))
    }

    /// The expiry of this very order, if its deadline passed and no sweep has come by.
    fn overdue(&self, order: OrderId, now: Timestamp) -> Option<Fact<'static>> {
        let record = self.orders.record(self.orders.find(order)?);
        let is_overdue = record.state.awaits_payment() && record.deadline <= now;
        is_overdue.then_some(Fact::Expired { order })
    }

    /// The next expiry that is due at `now`. Fold it, then ask again: until it is folded the answer stays the same.
    pub fn next_due(&mut self, now: Timestamp) -> Option<Fact<'static>> {
        while let Some((deadline, position)) = self.deadlines.first_due(now) {
            let record = self.orders.record(position);
            if record.waits_until() == Some(deadline) {
                return Some(Fact::Expired { order: record.order });
            }
            self.deadlines.drop_first();
        }
        None
    }

    /// Whether [`Engine::next_due`] may give something at `now`. Says yes too often rather than too rarely.
    #[must_use]
    pub fn has_due(&self, now: Timestamp) -> bool {
        self.next_deadline().is_some_and(|deadline| deadline <= now)
    }

    /// A moment before which nothing is due; `None` when nothing waits.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.deadlines.next()
    }

    /// Reads once what deciding will look up, and changes nothing.
    ///
    /// A lookup in a table of ten million orders misses every cache. Touching a whole batch before its first decision
    /// lets the misses overlap, which the processor cannot do across decisions that depend on each other.
    pub fn touch(&self, command: &Command<'_>) {
        let read = match *command {
            Command::Place(place) => self.touch_place(place.order, place.lines),
            Command::Confirm { order, .. }
            | Command::Cancel { order, .. }
            | Command::CancelLines { order, .. }
            | Command::EditOrder { order, .. }
            | Command::HandOver { order, .. }
            | Command::Extend { order, .. }
            | Command::ReportEffect { order, .. }
            | Command::HoldOrder { order, .. }
            | Command::LiftHold { order, .. }
            | Command::StartPayment { order, .. }
            | Command::ReportPayment { order, .. }
            | Command::RequestRefund { order, .. }
            | Command::ReportDelivered { order, .. }
            | Command::Return { order, .. }
            | Command::ReturnToStock { order, .. } => self.orders.touch(order),
            Command::AssignMarket { .. }
            | Command::MoveCursor { .. }
            | Command::DetachCursor { .. }
            | Command::OpenMarket { .. }
            | Command::CreateSite { .. }
            | Command::CreateSku { .. }
            | Command::DefineKit { .. }
            | Command::SetPolicy { .. }
            | Command::SetEffects { .. }
            | Command::SetReservations { .. }
            | Command::SetChannelCap { .. }
            | Command::SetVelocity { .. }
            | Command::SetRetention { .. }
            | Command::Erase { .. }
            | Command::Receive { .. }
            | Command::Adjust { .. }
            | Command::MoveStock { .. }
            | Command::CountStock { .. }
            | Command::ReportCount { .. } => 0,
        };
        black_box(read);
    }

    /// The same for a fact that is about to be folded, but for its order, which is given back: see
    /// [`Engine::touch_orders`].
    pub fn touch_fact(&self, fact: &Fact<'_>) -> Option<OrderId> {
        match *fact {
            Fact::Placed(placed) => {
                black_box(self.touch_stock(placed.order.market(), placed.lines));
                Some(placed.order)
            }
            Fact::Confirmed { order, .. }
            | Fact::RetakeFailed { order, .. }
            | Fact::Cancelled { order }
            | Fact::Blocked { order }
            | Fact::LinesCancelled { order, .. }
            | Fact::Edited { order, .. }
            | Fact::Expired { order }
            | Fact::Filled { order, .. }
            | Fact::OrderPutBack { order, .. }
            | Fact::HandedOver { order, .. }
            | Fact::Extended { order, .. }
            | Fact::EffectReported { order, .. }
            | Fact::Held { order, .. }
            | Fact::HoldLifted { order, .. }
            | Fact::PaymentStarted { order, .. }
            | Fact::PaymentReported { order, .. }
            | Fact::RefundRequested { order, .. }
            | Fact::Delivered { order, .. }
            | Fact::Return { order, .. }
            | Fact::Returned { order, .. } => Some(order),
            Fact::MarketAssigned { .. }
            | Fact::MarketOpened { .. }
            | Fact::SiteCreated { .. }
            | Fact::SkuCreated { .. }
            | Fact::KitDefined { .. }
            | Fact::Received { .. }
            | Fact::Adjusted { .. }
            | Fact::StockMoved { .. }
            | Fact::StockCounted { .. }
            | Fact::CountReported { .. }
            | Fact::PolicySet { .. }
            | Fact::StockLevelChanged { .. }
            | Fact::EffectsSet { .. }
            | Fact::ReservationsSet { .. }
            | Fact::ChannelCapSet { .. }
            | Fact::VelocitySet { .. }
            | Fact::RetentionSet { .. }
            | Fact::Retired { .. }
            | Fact::CursorMoved { .. }
            | Fact::Erased { .. }
            | Fact::Closed { .. }
            | Fact::Left { .. } => None,
        }
    }

    /// Reads once where these orders are found. One after the other and with nothing between them: the processor
    /// overlaps only what lies within a few hundred instructions, and a record takes as many to decode.
    pub fn touch_orders(&self, orders: &[OrderId]) {
        black_box(orders.iter().fold(0, |sum, order| sum ^ self.orders.touch(*order)));
    }
}

/// Whether the answer tells units for sale, among them those of reservations that are dead and not swept.
const fn tells_stock(command: &Command<'_>) -> bool {
    matches!(
        command,
        Command::Receive { .. }
            | Command::Adjust { .. }
            | Command::MoveStock { .. }
            | Command::CountStock { .. }
            | Command::ReportCount { .. }
    )
}

/// Whether more units for sale would have changed what was decided.
fn comes_up_short(outcome: &Result<Decision<'_>, Refusal>) -> bool {
    match outcome {
        Ok(Decision::Happened { fact: Fact::Edited { what, .. }, .. }) => {
            what.draws.iter().any(|draw| draw.site == SiteId::NOWHERE)
        }
        Ok(Decision::Happened { answer, .. }) => {
            matches!(
                answer,
                Answer::Placed { short: true, .. } | Answer::Placed { owed: true, .. } | Answer::RetakeFailed { .. }
            )
        }
        Ok(Decision::Repeated(_)) => false,
        // What a dead reservation holds of a limit or a cap, or of what may be counted, is given back with it.
        Err(refusal) => matches!(
            refusal,
            Refusal::SoldOut { .. } | Refusal::CustomerLimit { .. } | Refusal::ChannelCap { .. } | Refusal::AtCapacity
        ),
    }
}
