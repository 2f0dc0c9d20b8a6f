//! Tasks, and what orders wait for, in the words of a script.

use stockade::engine::query::{TaskRow, WaitRow};
use stockade::engine::{TaskKind, TaskPlace};

use super::Script;
use super::ask::{number, option};
use crate::rig::START;

impl Script {
    /// `tasks kind=held rows=2`, and `tasks rows=2 next` for the page behind the one that was looked at last:
    /// `o1 held since=0 desk:fraud | next`.
    pub(super) fn look_at_tasks(&mut self, words: &[&str]) -> String {
        let kind = option(words, "kind").map(|name| {
            let known = TaskKind::ALL.into_iter().find(|kind| kind.name() == name);
            known.unwrap_or_else(|| panic!("no such kind: {name}"))
        });
        let after = if words.contains(&"next") { self.next_task } else { None };
        let rows_max = option(words, "rows").map_or(100, number) as u16;
        let page = match self.rig.engine.tasks(self.market, kind, after, rows_max, self.rig.now) {
            Ok(page) => page,
            Err(refusal) => return format!("no: {}", self.say_refusal(refusal)),
        };
        self.next_task = page.next;
        let row = |row: &TaskRow| {
            let name = self.name_of_order(row.order.order);
            let amount = if row.amount > 0 { format!(" amount={}", row.amount) } else { String::new() };
            format!("{name} {} since={}{amount} ({})", row.kind.name(), row.since.since_ms(START), row.words)
        };
        let rows = page.rows.iter().map(row).chain(page.next.map(|_: TaskPlace| "next".to_owned()));
        let rows: Vec<String> = rows.collect();
        if rows.is_empty() { "nothing".to_owned() } else { rows.join(" | ") }
    }

    /// `waits o1`: `payment until=900000 amount=200 (card is to be paid) | …`.
    pub(super) fn look_at_waits(&mut self, name: &str) -> String {
        let id = self.order_id(name, None);
        let Ok(waits) = self.rig.engine.waits(id, self.rig.now) else { return "no: unknown_order".to_owned() };
        let row = |row: &WaitRow| {
            let moment = |name: &str, at: stockade::base::Timestamp| {
                if at.ms() > 0 { format!(" {name}={}", at.since_ms(START)) } else { String::new() }
            };
            let amount = if row.amount > 0 { format!(" amount={}", row.amount) } else { String::new() };
            let (since, until) = (moment("since", row.since), moment("until", row.until));
            format!("{}{since}{until}{amount} ({})", row.what.name(), row.words)
        };
        let rows: Vec<String> = waits.rows.iter().map(row).collect();
        if rows.is_empty() { "nothing".to_owned() } else { rows.join(" | ") }
    }
}
