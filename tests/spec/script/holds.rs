//! Holds and checks, in the words of a script.

use stockade::base::OrderNumber;
use stockade::engine::query::{HeldRow, HoldView};
use stockade::engine::{Command, HoldReason};

use super::Script;
use super::ask::{number, option};
use crate::rig::{Outcome, START};

impl Script {
    /// `hold o1 desk:fraud note=call`, with `note_bytes=201` for a note that says nothing; `lift o1 desk:fraud`.
    pub(super) fn hold(&mut self, words: &[&str]) -> Outcome {
        let order = self.order_id(words[1], None);
        let (owner, reason) = words[2].split_once(':').expect("OWNER:REASON");
        let known = HoldReason::ALL.into_iter().find(|known| known.name() == reason);
        let reason = known.unwrap_or_else(|| panic!("no such reason: {reason}"));
        if words[0] == "lift" {
            return self.rig.submit(&Command::LiftHold { order, owner, reason });
        }
        let empty = "x".repeat(option(words, "note_bytes").map_or(0, number) as usize);
        let note = option(words, "note").unwrap_or(&empty);
        self.rig.submit(&Command::HoldOrder { order, owner, reason, note })
    }

    pub(super) fn look_at_holds(&mut self, name: &str) -> String {
        let id = self.order_id(name, None);
        let Ok(view) = self.rig.engine.order(id) else { return "no: unknown_order".to_owned() };
        let hold = |hold: &HoldView| {
            let note = if hold.note.is_empty() { String::new() } else { format!(" note={}", hold.note) };
            format!("{}:{}{note} since={}", hold.owner, hold.reason.name(), hold.since.since_ms(START))
        };
        let holds: Vec<String> = view.holds.iter().map(hold).collect();
        if holds.is_empty() { "nothing".to_owned() } else { holds.join(" | ") }
    }

    pub(super) fn look_at_check(&mut self, name: &str) -> String {
        let id = self.order_id(name, None);
        let view = self.rig.engine.order(id).expect("the order is known");
        view.check.name().to_owned()
    }

    /// What a warehouse is told: `0*2`, two units of line 0, what has left included.
    pub(super) fn look_at_what_is_to_be_handed_over(&mut self, name: &str) -> String {
        let id = self.order_id(name, None);
        let view = self.rig.engine.order(id).expect("the order is known");
        let units: Vec<String> = view.to_hand_over().map(|(line, units)| format!("{line}*{units}")).collect();
        if units.is_empty() { "nothing".to_owned() } else { units.join(" ") }
    }

    /// `held after=1 rows=2`: a row for each hold.
    pub(super) fn look_at_held_orders(&mut self, words: &[&str]) -> String {
        let after = OrderNumber(option(words, "after").map_or(0, number));
        let rows_max = option(words, "rows").map_or(100, number) as u16;
        let page = match self.rig.engine.held_orders(self.market, after, rows_max) {
            Ok(page) => page,
            Err(refusal) => return format!("no: {}", self.say_refusal(refusal)),
        };
        let row = |HeldRow { order, hold }: &HeldRow| {
            let name = self.name_of_order(order.order);
            format!("{name} {} {}:{}", order.state.name(), hold.owner, hold.reason.name())
        };
        let rows = page.rows.iter().map(row);
        let next = page.next.map(|number| format!("next={number}"));
        let words: Vec<String> = rows.chain(next).collect();
        if words.is_empty() { "nothing".to_owned() } else { words.join(" | ") }
    }
}
