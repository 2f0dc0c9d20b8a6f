//! What a market counts of whoever places orders: setting it.

use super::super::Engine;
use super::super::answer::Answer;
use super::super::fact::Fact;
use super::super::refusal::{Field, Refusal};
use super::super::velocity::Velocity;
use super::{Decision, Outcome, check_bounds};
use crate::base::MarketId;
use crate::base::limits::{VELOCITY_KEYS_MAX, VELOCITY_WINDOW_MS_MAX, VELOCITY_WINDOW_MS_MIN};

impl Engine {
    pub(super) fn set_velocity<'s>(&self, market: MarketId, velocity: Velocity) -> Outcome<'s> {
        let Velocity { window_ms, keys_max } = velocity;
        if velocity != Velocity::default() {
            let [least, most] = [VELOCITY_WINDOW_MS_MIN, VELOCITY_WINDOW_MS_MAX].map(u64::from);
            check_bounds(Field::Velocity, window_ms.into(), least, most)?;
            check_bounds(Field::Velocity, keys_max.into(), 1, VELOCITY_KEYS_MAX.into())?;
        }
        let before = self.market(market)?.velocity();
        if before == velocity {
            return Ok(Decision::Repeated(Answer::Set { repeated: true }));
        }
        let all = self.velocity_keys - u64::from(before.keys_max) + u64::from(keys_max);
        if keys_max > before.keys_max && all > self.capacity.velocity_max {
            return Err(Refusal::AtCapacity);
        }
        let fact = Fact::VelocitySet { market, velocity };
        Ok(Decision::Happened { fact, answer: Answer::Set { repeated: false } })
    }
}
