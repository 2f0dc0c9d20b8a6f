//! What a walk leaves to adapters, and what they tell.

use stockade::engine::{Action, AsideReason, Command, Effect, Effects, Report};

use super::Walk;

impl Walk {
    pub(super) fn set_effects(&mut self) {
        let (market, dice) = (self.market(), &mut self.dice);
        let effects = Effects { payment: !dice.once_in(3), release: !dice.once_in(3) };
        self.submit(&Command::SetEffects { market, effects });
    }

    /// Reports what is wanted, or anything.
    pub(super) fn report_effect(&mut self) {
        let effect = self.dice.pick(&Effect::ALL);
        let report = self.dice.pick(&[
            Report::Done,
            Report::Done,
            Report::SetAside(AsideReason::Refused),
            Report::SetAside(AsideReason::TriesUsedUp),
            Report::Resumed,
        ]);
        let market = self.dice.pick(&self.markets.clone());
        let wanted = self.rig.twin.wanted(market, effect, report == Report::Resumed);
        let (order, attempt) = match wanted.is_empty() || self.dice.once_in(4) {
            true => (self.order(), self.dice.below(4) as u32),
            false => {
                let row = wanted[self.dice.below(wanted.len() as u64) as usize];
                if row.action == Action::Look {
                    self.reached.insert(format!("look: {report:?}"));
                }
                (row.order, row.attempt)
            }
        };
        self.submit(&Command::ReportEffect { order, effect, attempt, report });
    }
}
