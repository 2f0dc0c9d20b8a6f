//! Effects that are wanted, in the twin: after every step each order is looked at, and where it is not what it was,
//! something else is wanted.

use std::collections::BTreeMap;

use stockade::base::{ChangeId, MarketId, OrderId, Price, Sequence, Timestamp};
use stockade::engine::order::State;
use stockade::engine::query::{CheckState, PaymentView};
use stockade::engine::refusal::Field;
use stockade::engine::{Action, Answer, AsideReason, Effect, Effects, Happening, Refusal, Report, Stage, Step};

use super::account::price;
use super::order::{Fate, Order, Record, Unit};
use super::retake::illegal;
use super::{Twin, out_of_bounds};

/// What is known of one effect of one order that is handed off.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Want {
    wanted: u32,
    told: u32,
    aside: Option<AsideReason>,
    /// Whether something may have been done that nobody told of.
    is_untold: bool,
    since: Timestamp,
}

/// What decided so far what is wanted of an order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Seen {
    /// Whether it was looked at before.
    is_known: bool,
    is_expired: bool,
    /// What was to be done with its money, of each attempt of which something was; and what was taken of what was to be
    /// closed.
    steps: BTreeMap<ChangeId, (Step, Price)>,
    /// Units that are committed and there and not kept back, or left the building.
    firm: u64,
}

/// A row of the wanted list, for comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) order: OrderId,
    pub(crate) action: Action,
    pub(crate) attempt: u32,
    pub(crate) since: Timestamp,
    pub(crate) aside: Option<AsideReason>,
    pub(crate) state: State,
    pub(crate) amount: u64,
}

impl Want {
    /// What of an order that is placed now. Its check is wanted once, from the beginning.
    pub(super) fn handed_off(effects: Effects, now: Timestamp) -> [Option<Self>; 3] {
        let check = Self { wanted: 1, since: now, ..Self::default() };
        [effects.payment.then(Self::default), effects.release.then(Self::default), effects.check.then_some(check)]
    }

    const fn is_open(&self) -> bool {
        self.told < self.wanted
    }

    fn want(&mut self, since: Timestamp) {
        (self.wanted, self.aside, self.since) = (self.wanted + 1, None, since);
    }

    fn tell(&mut self, attempt: u32) {
        self.told = self.told.max(attempt);
        if !self.is_open() {
            (self.aside, self.is_untold, self.since) = (None, false, Timestamp::ZERO);
        }
    }
}

impl Twin {
    pub(super) fn set_effects(&mut self, market: MarketId, effects: Effects) -> Result<Answer, Refusal> {
        let market = self.market_mut(market)?;
        let repeated = market.effects == effects;
        market.effects = effects;
        Ok(Answer::Set { repeated })
    }

    pub(super) fn report_effect(
        &mut self,
        id: OrderId,
        effect: Effect,
        (attempt, report): (u32, Report),
        now: Timestamp,
    ) -> Result<Answer, Refusal> {
        let order = self.order_mut(id)?;
        let state = order.state();
        if effect != Effect::Check && matches!(report, Report::Rejected | Report::SetAside(AsideReason::Review)) {
            return Err(illegal(state));
        }
        let answer = |repeated| Answer::Done { state, moved: 0, excess: 0, repeated };
        let Some(want) = &mut order.handed_off[effect as usize - 1] else { return Ok(answer(true)) };
        if attempt > want.wanted || (attempt == 0 && want.wanted > 0) {
            return Err(out_of_bounds(Field::Attempt, 1.min(want.wanted).into(), want.wanted.into()));
        }
        match report {
            Report::Done if attempt > want.told => want.tell(attempt),
            Report::SetAside(reason) if want.is_open() && attempt == want.wanted && want.aside.is_none() => {
                (want.aside, want.since) = (Some(reason), now);
            }
            Report::Resumed if want.aside.is_some() => (want.aside, want.since) = (None, now),
            Report::Rejected if want.is_open() => {
                want.tell(attempt);
                let moved = order.cancel_what_is_left();
                return Ok(order.done(moved, 0, false));
            }
            _ => return Ok(answer(true)),
        }
        Ok(order.done(0, 0, false))
    }

    /// Notes what is wanted now; called after everything that may change an order.
    pub(super) fn note_wants(&mut self, now: Timestamp) {
        let position = self.position;
        for market in self.markets.values_mut() {
            for record in market.orders.values_mut() {
                if let Record::Order(order) = record {
                    order.note_wants(position, now);
                }
            }
        }
    }

    /// What a warehouse is to hand over in all, line by line; of what is closed nothing.
    pub(crate) fn to_hand_over(&self, id: OrderId) -> Vec<(u16, u32)> {
        let Ok(order) = self.order(id) else { return Vec::new() };
        let firm = |units: &Vec<Unit>| units.iter().filter(|unit| order.is_firm(unit)).count() as u32;
        (0..).zip(order.lines.iter().map(firm)).filter(|(_, units)| *units > 0).collect()
    }

    /// What is wanted of a market's orders, or was set aside, by identifier.
    pub(crate) fn wanted(&self, market: MarketId, effect: Effect, aside: bool) -> Vec<Row> {
        let market = &self.markets[&market];
        let mut rows = Vec::new();
        for (id, record) in &market.orders {
            let Record::Order(order) = record else { continue };
            let Some(want) = order.handed_off[effect as usize - 1] else { continue };
            if want.is_open() && want.aside.is_some() == aside {
                let Want { wanted: attempt, since, aside, .. } = want;
                let (state, (action, amount)) = (order.state(), order.action(effect));
                rows.push(Row { order: *id, action, attempt, since, aside, state, amount });
            }
        }
        rows
    }
}

impl Order {
    /// Since when an effect is set aside, if it is.
    pub(super) fn aside_since(&self, effect: Effect) -> Option<Timestamp> {
        self.handed_off[effect as usize - 1].filter(|want| want.aside.is_some()).map(|want| want.since)
    }

    pub(super) fn is_open_effect(&self, effect: Effect) -> bool {
        self.handed_off[effect as usize - 1].is_some_and(|want| want.is_open())
    }

    /// Since when an adapter is asked for it, if one is.
    pub(super) fn wanted_since(&self, effect: Effect) -> Option<Timestamp> {
        let want = self.handed_off[effect as usize - 1].filter(|want| want.is_open() && want.aside.is_none());
        want.map(|want| want.since)
    }

    pub(super) fn is_wanted(&self) -> bool {
        self.handed_off.iter().flatten().any(Want::is_open)
    }

    /// How far its check has come.
    pub(super) fn check_state(&self) -> CheckState {
        match self.handed_off[2] {
            None => CheckState::NotNeeded,
            Some(want) if !want.is_open() => CheckState::Over,
            Some(want) if want.aside.is_some() => CheckState::InReview,
            Some(_) => CheckState::Pending,
        }
    }

    /// Nobody is asked any more whether it is to be trusted.
    pub(super) fn drop_check(&mut self) {
        self.handed_off[2].iter_mut().for_each(|want| want.tell(want.wanted));
    }

    fn note_wants(&mut self, position: Sequence, now: Timestamp) {
        let payments = self.payments();
        let to_do = payments.iter().filter(|payment| payment.step != Step::Nothing);
        let taken = |payment: &PaymentView| if payment.step == Step::Close { payment.captured } else { 0 };
        let steps = to_do.map(|payment| (payment.attempt, (payment.step, taken(payment)))).collect();
        let firm = self.units().filter(|unit| self.is_firm(unit)).count() as u64;
        let is_expired = self.state() == State::Expired;
        let seen = Seen { is_known: true, is_expired, steps, firm };
        let before = std::mem::replace(&mut self.seen, seen);
        let since = if is_expired && !before.is_expired { self.deadline } else { now };
        let is_told = before.is_known.then_some((position, since));
        if before.steps != self.seen.steps {
            let is_untold = before.steps.iter().any(|(attempt, (step, _))| {
                let payment = payments.iter().find(|payment| payment.attempt == *attempt).expect("attempts stay");
                !is_done(*step, payment) && !is_answered_by(*step, payment.step)
            });
            self.handed_off[0].iter_mut().for_each(|want| want.is_untold |= is_untold);
            let is_to_look = self.handed_off[0].is_some_and(|want| want.is_untold);
            if self.seen.steps.is_empty() && !is_to_look {
                self.handed_off[0].iter_mut().for_each(|want| want.tell(want.wanted));
            } else {
                self.want(Effect::Payment, since, is_told);
            }
        }
        if before.firm != firm {
            self.want(Effect::Release, since, is_told);
        }
    }

    /// Wants something else of an effect, if it is handed off. What is wanted with the placement is not told apart.
    fn want(&mut self, effect: Effect, since: Timestamp, is_told: Option<(Sequence, Timestamp)>) {
        let (action, _) = self.action(effect);
        if let Some(want) = &mut self.handed_off[effect as usize - 1] {
            want.want(since);
            let attempt = want.wanted;
            let what = match action {
                Action::Charge => Happening::ChargeWanted,
                Action::Capture => Happening::CaptureWanted,
                Action::GiveBack => Happening::GiveBackWanted,
                Action::Close => Happening::CloseWanted,
                Action::Release => Happening::ReleaseWanted,
                Action::Look => Happening::LookWanted,
                Action::Check => unreachable!("it is wanted once, with the placement"),
            };
            if let Some(told) = is_told {
                self.note(what, told, None, attempt.into());
            }
        }
    }

    /// Whether a warehouse has to know of a unit.
    fn is_firm(&self, unit: &Unit) -> bool {
        unit.fate == Fate::Shipped || unit.can_leave() && !self.is_held() && self.missing() == 0
    }

    /// What is wanted of an effect in one word, and about how much money that is.
    pub(super) fn action(&self, effect: Effect) -> (Action, u64) {
        if effect == Effect::Release {
            return (Action::Release, price(self.cost(|unit| self.is_firm(unit))));
        }
        if effect == Effect::Check {
            return (Action::Check, price(self.cost(|_| true)));
        }
        // Charging goes before giving back, that before taking more, that before ending; looking is what is left.
        let (mut charge, mut give_back, mut capture) = (0, 0, 0);
        let payments = self.payments();
        let is_to_look = payments.iter().all(|payment| payment.step == Step::Nothing);
        for payment in payments {
            match payment.step {
                Step::Charge { amount } => charge += u128::from(amount),
                Step::GiveBack { total } => give_back += u128::from(total - payment.refunded),
                Step::Capture { total } => capture += u128::from(total - payment.captured),
                Step::Close | Step::Nothing => {}
            }
        }
        let in_turn = [(Action::Charge, charge), (Action::GiveBack, give_back), (Action::Capture, capture)];
        let otherwise = if is_to_look { Action::Look } else { Action::Close };
        let first = in_turn.into_iter().find(|(_, amount)| *amount > 0).unwrap_or((otherwise, 0));
        (first.0, first.1.try_into().unwrap_or(u64::MAX))
    }
}

/// Whether somebody told that what was to be done with an attempt was done.
fn is_done(step: Step, payment: &PaymentView) -> bool {
    match step {
        Step::Nothing => true,
        Step::Charge { amount } => match payment.stage {
            Stage::Created => false,
            Stage::Authorised => payment.authorised >= amount,
            Stage::RequiresAction | Stage::Processing | Stage::Failed | Stage::Voided | Stage::Expired => true,
        },
        Step::Capture { total } => payment.captured >= total,
        Step::GiveBack { total } => payment.refunded >= total,
        Step::Close => matches!(payment.stage, Stage::Failed | Stage::Voided | Stage::Expired),
    }
}

/// Whether the answer to one step says what became of another.
fn is_answered_by(step: Step, now: Step) -> bool {
    let is_taking = matches!(step, Step::Charge { .. } | Step::Capture { .. });
    step.name() == now.name() || is_taking && now == Step::Close
}
