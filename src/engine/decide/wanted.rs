//! What the wanted list is of, and what is told of its effects.

use super::super::Engine;
use super::super::answer::Answer;
use super::super::effect::{Effect, Effects, Report};
use super::super::fact::Fact;
use super::super::order::State;
use super::super::orders::Record;
use super::super::refusal::Field;
use super::{Decision, Outcome, check_bounds, illegal};
use crate::base::{MarketId, OrderId};

impl Engine {
    pub(super) fn set_effects<'s>(&self, market: MarketId, effects: Effects) -> Outcome<'s> {
        if self.market(market)?.effects == effects {
            return Ok(Decision::Repeated(Answer::Set { repeated: true }));
        }
        let fact = Fact::EffectsSet { market, effects };
        Ok(Decision::Happened { fact, answer: Answer::Set { repeated: false } })
    }

    pub(super) fn report_effect<'s>(
        &self,
        order: OrderId,
        effect: Effect,
        attempt: u32,
        report: Report,
    ) -> Outcome<'s> {
        let (position, record) = self.placed_order(order)?;
        let answer = |repeated| Answer::Done { state: record.state, moved: 0, excess: 0, repeated };
        if !report.is_of(effect) {
            return Err(illegal(record.state));
        }
        let Some(want) = self.wants.get(position, effect) else { return Ok(Decision::Repeated(answer(true))) };
        check_bounds(Field::Attempt, attempt.into(), 1.min(want.wanted).into(), want.wanted.into())?;
        let is_news = match report {
            Report::Done => attempt > want.told,
            Report::SetAside(_) => want.is_open() && attempt == want.wanted && want.aside.is_none(),
            Report::Resumed => want.aside.is_some(),
            Report::Rejected => want.is_open() && attempt == want.wanted,
        };
        if !is_news {
            return Ok(Decision::Repeated(answer(true)));
        }
        let fact = Fact::EffectReported { order, effect, attempt, report };
        Ok(Decision::Happened { fact, answer: self.once_reported(record, (effect, report)) })
    }

    /// The answer to a report that is news: of a check the order's state follows from it.
    fn once_reported(&self, record: &Record, (effect, report): (Effect, Report)) -> Answer {
        let (mut state, mut moved) = (record.state, 0);
        if report == Report::Rejected {
            let totals = self.orders.totals(record);
            (moved, state) = (totals.cancellable(), totals.state_after_cancelling(totals.cancellable()));
        } else if effect == Effect::Check && report == Report::Done && !record.has_holds() {
            state = if state == State::InReview { State::Confirmed } else { state };
        }
        Answer::Done { state, moved, excess: 0, repeated: false }
    }
}
