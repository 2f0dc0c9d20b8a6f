//! Holding an order back from the warehouse, and letting it go.

use super::super::Engine;
use super::super::answer::Answer;
use super::super::catalog::check_code;
use super::super::choices::HoldReason;
use super::super::fact::Fact;
use super::super::hold::check_note;
use super::super::marks::Marks;
use super::super::order::State;
use super::super::refusal::{Field, Refusal};
use super::{Decision, Outcome, illegal};
use crate::base::OrderId;
use crate::base::limits::HOLDS_PER_ORDER_MAX;

impl Engine {
    pub(super) fn hold_order<'s>(
        &self,
        order: OrderId,
        (owner, reason): (&'s str, HoldReason),
        note: &'s str,
    ) -> Outcome<'s> {
        check_code(owner)?;
        check_note(note)?;
        let (_, record) = self.placed_order(order)?;
        if !record.state.may_be_held() {
            return Err(illegal(record.state));
        }
        let holds = self.holds.of(record);
        if let Some(held) = holds.iter().find(|hold| hold.is(owner, reason)) {
            let is_same = *held.note == *note;
            return if is_same { Ok(Decision::Repeated(held_as(record.state, true))) } else { Err(Refusal::Conflict) };
        }
        if holds.len() >= HOLDS_PER_ORDER_MAX {
            return Err(Refusal::OutOfBounds { field: Field::Holds, min: 0, max: HOLDS_PER_ORDER_MAX as u64 });
        }
        if self.holds.len() >= self.capacity.holds_max {
            return Err(Refusal::AtCapacity);
        }
        let answer = held_as(record.state.with_holds(true), false);
        Ok(Decision::Happened { fact: Fact::Held { order, owner, reason, note }, answer })
    }

    pub(super) fn lift_hold<'s>(&self, order: OrderId, owner: &'s str, reason: HoldReason) -> Outcome<'s> {
        check_code(owner)?;
        let (_, record) = self.placed_order(order)?;
        let holds = self.holds.of(record);
        if !holds.iter().any(|hold| hold.is(owner, reason)) {
            return Ok(Decision::Repeated(held_as(record.state, true)));
        }
        let is_last = holds.len() == 1 && !record.marks.has(Marks::UNCHECKED);
        let state =
            if is_last { record.state.plain().with_failed(record.state == State::PaymentFailed) } else { record.state };
        Ok(Decision::Happened { fact: Fact::HoldLifted { order, owner, reason }, answer: held_as(state, false) })
    }
}

const fn held_as(state: State, repeated: bool) -> Answer {
    Answer::Done { state, moved: 0, excess: 0, repeated }
}
