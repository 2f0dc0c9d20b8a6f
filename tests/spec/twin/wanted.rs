//! Effects that are wanted, in the twin: after every step each order is looked at, and where it is not what it was,
//! something else is wanted.

use stockade::base::{ChangeId, MarketId, OrderId, Sequence, Timestamp};
use stockade::engine::order::State;
use stockade::engine::refusal::Field;
use stockade::engine::{Action, Answer, AsideReason, Command, Effect, Effects, Happening, Refusal, Report};

use super::order::{Fate, Order, Record, Remembered, Unit};
use super::{Told, Twin, out_of_bounds};

/// What is known of one effect of one order that is handed off.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Want {
    wanted: u32,
    told: u32,
    aside: Option<AsideReason>,
    since: Timestamp,
}

/// What decided so far what is wanted of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Seen {
    payment: Payment,
    /// The adapter's money came late and in vain.
    in_vain: bool,
    /// Units that are committed and there and not kept back, or left the building.
    firm: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Payment {
    #[default]
    New,
    Pending,
    Expired,
    Paid,
    Cancelled,
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
    pub(super) fn handed_off(effects: Effects) -> [Option<Self>; 2] {
        [effects.payment.then(Self::default), effects.release.then(Self::default)]
    }

    const fn is_open(&self) -> bool {
        self.told < self.wanted
    }

    fn want(&mut self, since: Timestamp) {
        *self = Self { wanted: self.wanted + 1, told: self.told, aside: None, since };
    }

    fn tell(&mut self, attempt: u32) {
        self.told = self.told.max(attempt);
        if !self.is_open() {
            (self.aside, self.since) = (None, Timestamp::ZERO);
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
            _ => return Ok(answer(true)),
        }
        Ok(answer(false))
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

    /// The adapter's own confirmation is what its charge was for.
    pub(super) fn note_paid(&mut self, command: &Command<'_>, told: &Result<Told, Refusal>) {
        if let Command::Confirm { order, attempt: ChangeId::HANDED_OFF } = *command
            && let Ok(Told { answer: Answer::Done { repeated: false, .. }, .. }) = told
        {
            let order = self.order_mut(order).expect("it was just confirmed");
            if let Some(want) = &mut order.handed_off[0] {
                want.tell(want.wanted);
                let wished = order.history.iter().rposition(|row| row.what == Happening::GiveBackWanted);
                order.history.remove(wished.expect("what is not wanted at all was noted just now"));
            }
        }
    }

    /// What is wanted of a market's orders, or was set aside, by identifier.
    pub(crate) fn wanted(&self, market: MarketId, effect: Effect, aside: bool) -> Vec<Row> {
        let market = &self.markets[&market];
        let mut rows = Vec::new();
        for (id, record) in &market.orders {
            let Record::Order(order) = record else { continue };
            let Some(want) = order.handed_off[effect as usize - 1] else { continue };
            if want.is_open() && want.aside.is_some() == aside {
                let action = order.action(effect);
                let Want { wanted: attempt, since, aside, .. } = want;
                let (state, amount) = (order.state(), order.amount(action));
                rows.push(Row { order: *id, action, attempt, since, aside, state, amount });
            }
        }
        rows
    }
}

impl Order {
    pub(super) fn is_wanted(&self) -> bool {
        self.handed_off.iter().flatten().any(Want::is_open)
    }

    fn note_wants(&mut self, position: Sequence, now: Timestamp) {
        let payment = match self.state() {
            State::PendingPayment => Payment::Pending,
            State::Expired => Payment::Expired,
            State::Cancelled => Payment::Cancelled,
            _ => Payment::Paid,
        };
        let in_vain = matches!(self.changes.get(&ChangeId::HANDED_OFF), Some(Remembered::RetakeFailed { .. }));
        let firm = self.units().filter(|unit| self.is_firm(unit)).count() as u64;
        let seen = Seen { payment, in_vain, firm };
        let before = std::mem::replace(&mut self.seen, seen);
        let since = if payment == Payment::Expired && before.payment != payment { self.deadline } else { now };
        let is_new = before.payment == Payment::New && payment == Payment::Paid;
        if (before.payment != payment && !is_new) || before.in_vain != in_vain {
            let what = match payment {
                Payment::Expired if !in_vain => Happening::CloseWanted,
                _ => Happening::GiveBackWanted,
            };
            self.want(0, what, (position, since), before.payment);
        }
        if before.firm != seen.firm {
            self.want(1, Happening::ReleaseWanted, (position, since), before.payment);
        }
    }

    /// Wants something else of an effect, if it is handed off. What is wanted with the placement is not told apart.
    fn want(&mut self, effect: usize, what: Happening, (position, since): (Sequence, Timestamp), before: Payment) {
        if let Some(want) = &mut self.handed_off[effect] {
            want.want(since);
            let attempt = want.wanted;
            if before != Payment::New {
                self.note(what, (position, since), None, attempt.into());
            }
        }
    }

    /// Whether a warehouse has to know of a unit.
    fn is_firm(&self, unit: &Unit) -> bool {
        unit.fate == Fate::Shipped || unit.can_leave() && !self.is_held()
    }

    fn action(&self, effect: Effect) -> Action {
        match (effect, self.seen.payment) {
            (Effect::Release, _) => Action::Release,
            (Effect::Payment, Payment::Pending) => Action::Charge,
            (Effect::Payment, Payment::Expired) if !self.seen.in_vain => Action::Close,
            (Effect::Payment, _) => Action::GiveBack,
        }
    }

    fn amount(&self, action: Action) -> u64 {
        let counts = |unit: &Unit| match action {
            Action::Charge => unit.fate == Fate::Reserved,
            Action::Close => unit.fate == Fate::Lapsed,
            Action::GiveBack => true,
            Action::Release => self.is_firm(unit),
        };
        let units = |line: usize| self.lines[line].iter().filter(|unit| counts(unit)).count() as u64;
        self.asked.lines.iter().enumerate().map(|(at, line)| line.price * units(at)).sum()
    }
}
