//! How long a market keeps what is over: checked here, done by the sweeps of `retire`.

use super::super::Engine;
use super::super::answer::Answer;
use super::super::fact::Fact;
use super::super::refusal::Field;
use super::super::retention::Retention;
use super::{Decision, Outcome, check_bounds};
use crate::base::MarketId;
use crate::base::limits::{IDS_KEPT_MS_MAX, IDS_KEPT_MS_MIN, RETURN_WINDOW_MS_MAX};

impl Engine {
    pub(super) fn set_retention<'s>(&self, market: MarketId, retention: Retention) -> Outcome<'s> {
        check_bounds(Field::ReturnWindow, retention.return_window_ms, 0, RETURN_WINDOW_MS_MAX)?;
        check_bounds(Field::IdsKept, retention.ids_kept_ms, IDS_KEPT_MS_MIN, IDS_KEPT_MS_MAX)?;
        if self.market(market)?.retention == retention {
            return Ok(Decision::Repeated(Answer::Set { repeated: true }));
        }
        let fact = Fact::RetentionSet { market, retention };
        Ok(Decision::Happened { fact, answer: Answer::Set { repeated: false } })
    }
}
