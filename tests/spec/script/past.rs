//! What happened to an order, in the words of a script.

use stockade::base::{SkuId, Timestamp};
use stockade::engine::choices::PaymentMethod;
use stockade::engine::query::HistoryRow;
use stockade::engine::{FailureReason, HoldReason, Value};

use super::Script;
use super::ask::{number, option};
use crate::rig::START;

impl Script {
    /// `history o1 after=1 rows=2 times`: what happened, each with its line, its number and, when asked for, its time.
    pub(super) fn look_at_history(&mut self, words: &[&str]) -> String {
        let id = self.order_id(words[1], None);
        let after = option(words, "after").map_or(0, number) as u32;
        let rows_max = option(words, "rows").map_or(100, number) as u16;
        let page = match self.rig.engine.order_history(id, after, rows_max) {
            Ok(page) => page,
            Err(refusal) => return format!("no: {}", self.say_refusal(refusal)),
        };
        let rows = page.rows.iter().map(|row| self.say_row(row, words.contains(&"times")));
        let next = page.next.map(|place| format!("next={place}"));
        let not_shown = (page.not_shown > 0).then(|| format!("not_shown={}", page.not_shown));
        let closed = page.closed.then(|| "closed".to_owned());
        let words: Vec<String> = rows.chain(next).chain(not_shown).chain(closed).collect();
        if words.is_empty() { "nothing".to_owned() } else { words.join(" | ") }
    }

    fn say_row(&self, row: &HistoryRow, with_times: bool) -> String {
        let mut words = row.what.name().to_owned();
        if let Some(line) = row.line {
            words += &format!(" {line}");
        }
        match row.what.value() {
            Value::Nothing => {}
            Value::Units => words += &format!(" n={}", row.value),
            Value::Deadline => words += &format!(" until={}", Timestamp::from_ms(row.value).since_ms(START)),
            Value::Sku => words += &format!(" {}", self.name_of_sku(SkuId(row.value as u32))),
            Value::HoldReason => {
                let reason = HoldReason::from_byte(row.value as u8).expect("a reason has a number");
                words += &format!(" {}", reason.name());
            }
            Value::Amount => words += &format!(" amount={}", row.value),
            Value::Method => {
                let method = PaymentMethod::from_byte(row.value as u8).expect("a method has a number");
                words += &format!(" {}", method.name());
            }
            Value::FailureReason => {
                let reason = FailureReason::from_byte(row.value as u8).expect("a reason has a number");
                words += &format!(" {}", reason.name());
            }
            Value::Lines => words += &format!(" lines={}", row.value),
            Value::Zone => words += &format!(" zone={}", row.value),
            Value::Return => words += &format!(" nth={}", row.value),
            Value::Attempt => words += &format!(" attempt={}", row.value),
        }
        if with_times {
            words += &format!(" at={}", row.at.since_ms(START));
        }
        words
    }
}
