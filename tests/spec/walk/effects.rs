//! What a walk leaves to adapters, and what they tell.

use std::collections::BTreeSet;

use stockade::base::OrderId;
use stockade::engine::order::State;
use stockade::engine::query::{CheckState, OrderView};
use stockade::engine::{Action, AsideReason, Command, Effect, Effects, LineQuantity, Report};

use super::Walk;
use crate::rig::Outcome;
use crate::twin::Row;

/// Whatever may be said of a check.
const VERDICTS: [Report; 6] = [
    Report::Done,
    Report::Rejected,
    Report::SetAside(AsideReason::Review),
    Report::SetAside(AsideReason::TriesUsedUp),
    Report::SetAside(AsideReason::Refused),
    Report::Resumed,
];

impl Walk {
    pub(super) fn set_effects(&mut self) {
        let (market, dice) = (self.market(), &mut self.dice);
        let effects = Effects { payment: !dice.once_in(3), release: !dice.once_in(3), check: dice.once_in(3) };
        self.submit(&Command::SetEffects { market, effects });
    }

    /// Reports what is wanted, or anything.
    pub(super) fn report_effect(&mut self) {
        let effect = self.dice.pick(&Effect::ALL);
        let is_check = effect == Effect::Check;
        // Checks stay open for long: much of what is said of them is that nobody knows.
        let mut report = match is_check || self.dice.once_in(20) {
            true if self.dice.once_in(3) => self.dice.pick(&VERDICTS[2..]),
            true => self.dice.pick(&VERDICTS),
            false => self.dice.pick(&[
                Report::Done,
                Report::Done,
                Report::SetAside(AsideReason::Refused),
                Report::SetAside(AsideReason::TriesUsedUp),
                Report::Resumed,
            ]),
        };
        let market = self.dice.pick(&self.markets.clone());
        let of_a_person = is_check && self.dice.once_in(2);
        let mut wanted = self.rig.twin.wanted(market, effect, of_a_person || report == Report::Resumed);
        let is_rare = |row: &Row| matches!(row.state, State::Fulfilling | State::PaymentFailed);
        if is_check && wanted.iter().any(is_rare) && !self.dice.once_in(3) {
            wanted.retain(is_rare);
            report = self.dice.pick(&VERDICTS[..2]);
            if self.dice.once_in(3) {
                return self.end_unchecked(wanted[0].order);
            }
        }
        let (order, attempt) = match wanted.is_empty() || self.dice.once_in(4) {
            true if is_check => {
                (self.a_known_order().unwrap_or_else(|| self.order()), self.dice.pick(&[1, 1, 1, 0, 2]))
            }
            true => (self.order(), self.dice.below(4) as u32),
            false => {
                let row = wanted[self.dice.below(wanted.len() as u64) as usize];
                if row.action == Action::Look {
                    self.reached.insert(format!("look: {report:?}"));
                }
                if is_check && row.state == State::InReview && self.dice.once_in(3) {
                    return self.hand_over_unchecked(row.order);
                }
                (row.order, row.attempt)
            }
        };
        self.submit(&Command::ReportEffect { order, effect, attempt, report });
    }

    /// A unit of an order leaves before anybody said whether it is to be trusted.
    fn hand_over_unchecked(&mut self, order: OrderId) {
        let change = self.change();
        self.submit(&Command::HandOver { order, change, lines: &[LineQuantity { line: 0, quantity: 1 }] });
    }

    /// The rest of an order leaves, or never will, before anybody said whether it is to be trusted.
    fn end_unchecked(&mut self, order: OrderId) {
        let change = self.change();
        let ends = [Command::HandOver { order, change, lines: &[] }, Command::Cancel { order, block: false }];
        let end = self.dice.pick(&ends);
        self.submit(&end);
    }

    /// The order that is asked about, where orders are checked.
    pub(super) fn checked(&self, command: &Command<'_>) -> Option<OrderView> {
        let order = command.order().filter(|_| self.hands_off)?;
        self.rig.twin.view(order).filter(|view| !view.closed)
    }

    /// Notes what became of a check, in words.
    pub(super) fn note_check(&mut self, command: &Command<'_>, before: Option<OrderView>, outcome: &Outcome) {
        let Some((before, after)) = before.zip(self.checked(command)).filter(|_| outcome.is_ok()) else { return };
        let turn = format!("{} to {}", before.state.name(), after.state.name());
        match *command {
            Command::ReportEffect { effect: Effect::Check, report, .. } => {
                self.reached.insert(format!("{} while {}", name(report), before.check.name()));
                if before.check.is_open() && !after.check.is_open() {
                    self.reached.insert(format!("{}: {turn}", name(report)));
                }
            }
            _ if before.check.is_open() && !after.check.is_open() => {
                self.reached.insert(format!("unchecked: {turn}"));
            }
            _ if before.check.is_open() && before.state != after.state => {
                self.reached.insert(format!("beside a check: {turn}"));
            }
            _ => {}
        }
    }
}

const fn name(report: Report) -> &'static str {
    match report {
        Report::Done => "trusted",
        Report::Rejected => "rejected",
        Report::Resumed => "resumed",
        Report::SetAside(reason) => reason.name(),
    }
}

/// What a thousand walks must have come by of checks.
pub(super) fn check_reached(reached: &BTreeSet<String>) {
    let states = [CheckState::NotNeeded, CheckState::Pending, CheckState::InReview, CheckState::Over];
    let each =
        VERDICTS.iter().flat_map(|report| states.map(|state| format!("{} while {}", name(*report), state.name())));
    let others = [
        "trusted: pending_payment to pending_payment",
        "trusted: in_review to confirmed",
        "trusted: in_review to in_review",
        "trusted: fulfilling to fulfilling",
        "trusted: expired to expired",
        "rejected: pending_payment to cancelled",
        "rejected: in_review to cancelled",
        "rejected: fulfilling to completed",
        "rejected: expired to cancelled",
        "unchecked: pending_payment to cancelled",
        "unchecked: in_review to cancelled",
        "unchecked: in_review to completed",
        "unchecked: fulfilling to completed",
        "unchecked: expired to cancelled",
        "beside a check: pending_payment to in_review",
        "beside a check: in_review to fulfilling",
        "beside a check: expired to in_review",
    ];
    let expected: BTreeSet<String> = each.chain(others.map(str::to_owned)).collect();
    let missed: Vec<&String> = expected.difference(reached).collect();
    assert!(missed.is_empty(), "no walk came by {missed:?}");
}
