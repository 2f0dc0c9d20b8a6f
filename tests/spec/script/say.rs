//! From answers, refusals and readings to the words a script expects.

use stockade::base::{CustomerKey, OrderNumber, Sequence};
use stockade::engine::ledger::Bucket;
use stockade::engine::query::{HolderRow, LineView, StockRow, WantRow};
use stockade::engine::{Answer, Refusal, StockLevel};

use super::Script;
use super::ask::{effect, number, option};
use crate::rig::{Outcome, is_repeated};

impl Script {
    pub(super) fn say(&self, outcome: &Outcome) -> String {
        let told = match outcome {
            Ok(told) => told,
            Err(refusal) => return format!("no: {}", self.say_refusal(*refusal)),
        };
        let mut words = match told.answer {
            Answer::Numbered { number, .. } => format!("number={number}"),
            Answer::Stock { available, .. } => format!("available={available}"),
            Answer::Placed { number, state, .. } => format!("#{number} {}", state.name()),
            Answer::Done { state, moved, excess: 0, .. } => format!("{} moved={moved}", state.name()),
            Answer::Done { state, moved, excess, .. } => format!("{} moved={moved} excess={excess}", state.name()),
            Answer::Return { state, stage, moved, .. } => format!("{} {} moved={moved}", state.name(), stage.name()),
            Answer::Set { .. } => "set".to_owned(),
            Answer::Erased { orders, .. } => format!("erased orders={orders}"),
            Answer::Extended { deadline, .. } => format!("reserved for {} ms", deadline.since_ms(self.rig.now)),
            Answer::RetakeFailed { sku, .. } => format!("not_taken_again {}", self.name_of_sku(sku)),
        };
        if matches!(told.answer, Answer::Placed { short: true, .. }) {
            let taken: Vec<String> = told.granted.iter().map(|line| line.taken.to_string()).collect();
            words += &format!(" taken={}", taken.join(","));
        }
        if matches!(told.answer, Answer::Placed { owed: true, .. }) {
            words += &format!(" owed n={}", told.granted.iter().map(|line| line.owed).sum::<u32>());
        }
        if is_repeated(told.answer) {
            words += " again";
        }
        words
    }

    pub(super) fn say_refusal(&self, refusal: Refusal) -> String {
        match refusal {
            Refusal::UnknownMarket => "unknown_market".to_owned(),
            Refusal::UnknownSite => "unknown_site".to_owned(),
            Refusal::UnknownSku { sku } => format!("unknown_sku {}", self.name_of_sku(sku)),
            Refusal::UnknownOrder => "unknown_order".to_owned(),
            Refusal::UnknownLine { line } => format!("unknown_line {line}"),
            Refusal::SoldOut { sku, asked, available } => {
                format!("sold_out {} asked={asked} available={available}", self.name_of_sku(sku))
            }
            Refusal::Conflict => "conflict".to_owned(),
            Refusal::Blocked => "blocked".to_owned(),
            Refusal::IllegalState { state, .. } => format!("illegal {}", state.name()),
            Refusal::IdFromFuture { .. } => "id_from_future".to_owned(),
            Refusal::IdTooOld => "id_too_old".to_owned(),
            Refusal::AtCapacity => "at_capacity".to_owned(),
            Refusal::TooManyChanges => "too_many_changes".to_owned(),
            Refusal::OutOfBounds { field, .. } => format!("out_of_bounds {field:?}"),
            Refusal::NotAsExpected { on_hand } => format!("not_as_expected on_hand={on_hand}"),
            Refusal::EventForgotten { oldest } => format!("event_forgotten oldest={}", self.name_of_event(oldest)),
            Refusal::EventFromFuture { .. } => "event_from_future".to_owned(),
            Refusal::UnknownMovement => "unknown_movement".to_owned(),
            Refusal::NotAvailable { available } => format!("not_available available={available}"),
            Refusal::NotEnoughUnits { line, units } => format!("not_enough_units line={line} units={units}"),
            Refusal::OrderLimit { sku, min, max } => {
                format!("order_limit {} min={min} max={max}", self.name_of_sku(sku))
            }
            Refusal::ChannelCap { sku, max, left } => {
                format!("channel_cap {} max={max} left={left}", self.name_of_sku(sku))
            }
            Refusal::CustomerLimit { sku, max, left, daily } => {
                let daily = if daily { " daily" } else { "" };
                format!("customer_limit {} max={max} left={left}{daily}", self.name_of_sku(sku))
            }
            Refusal::IsKit { sku } => format!("is_kit {}", self.name_of_sku(sku)),
            Refusal::NotAKit { sku } => format!("not_a_kit {}", self.name_of_sku(sku)),
            Refusal::Closed { .. } => "closed".to_owned(),
            Refusal::Erased => "erased".to_owned(),
            Refusal::RefundTooMuch { left } => format!("refund_too_much left={left}"),
            Refusal::OtherCurrency { currency } => format!("other_currency {currency}"),
            Refusal::UnknownReturn => "unknown_return".to_owned(),
            Refusal::IllegalReturn { stage } => format!("illegal_return {}", stage.name()),
            Refusal::TooManyDraws => "too_many_draws".to_owned(),
        }
    }

    fn name_of_event(&self, event: Sequence) -> String {
        let known = self.events.iter().find(|(_, known)| **known == event);
        known.map_or_else(|| format!("#{event}"), |(name, _)| name.clone())
    }

    /// Readings: `stock`, `for_sale`, `levels`, `order`, `draws`, `details`, `wanted`, `history`, `holds`, `held`,
    /// `check`, `to_hand_over`, `payments`, `label`, `missing`, `zone`, `prices`, `money`, `returns`, `tasks`,
    /// `waits`, `open` and what its name says.
    pub(super) fn look(&mut self, words: &[&str]) -> String {
        match words[0] {
            "stock" => self.look_at_stock(words),
            "for_sale" => self.look_at_what_is_for_sale(words[1]),
            "levels" => self.look_at_levels(),
            "order" => self.look_at_order(words[1]),
            "draws" => self.look_at_draws(words[1]),
            "details" => self.look_at_details(words[1]),
            "wanted" => self.look_at_wanted(words),
            "history" => self.look_at_history(words),
            "orders_of" => self.look_at_customer(words),
            "holders" => self.look_at_holders(words),
            "holds" => self.look_at_holds(words[1]),
            "held" => self.look_at_held_orders(words),
            "check" => self.look_at_check(words[1]),
            "to_hand_over" => self.look_at_what_is_to_be_handed_over(words[1]),
            "payments" => self.look_at_payments(words[1]),
            "label" => self.look_at_label(words[1]),
            "missing" => self.look_at_what_is_missing(words[1]),
            "zone" => self.look_at_zone(words[1]),
            "prices" => self.look_at_prices(words[1]),
            "money" => self.look_at_money(),
            "returns" => self.look_at_returns(words[1]),
            "tasks" => self.look_at_tasks(words),
            "waits" => self.look_at_waits(words[1]),
            _ => self.look_at_page(words),
        }
    }

    fn look_at_stock(&mut self, words: &[&str]) -> String {
        let sku = self.sku(words[1]);
        let mut rows = self.rig.engine.stock(self.market, &[sku]).expect("the SKU exists");
        if let Some(name) = option(words, "at") {
            let site = self.site(Some(name));
            rows.retain(|row: &StockRow| row.site == site);
        }
        let sum = |bucket| rows.iter().map(|row| row.balance(bucket)).sum::<i64>();
        // What came from the supplier is the sum of the others.
        let buckets = Bucket::ALL.into_iter().filter(|bucket| *bucket != Bucket::Supplier);
        let owed = rows.first().map_or(0, |row| row.owed).cast_signed();
        list(buckets.map(|bucket| (bucket.name(), sum(bucket))).chain([("owed", owed)]))
    }

    fn look_at_what_is_for_sale(&mut self, name: &str) -> String {
        let sku = self.sku(name);
        let told = self.rig.engine.availability(self.market, &[sku]).expect("the SKU exists");
        format!("for_sale={}", told[0])
    }

    /// What was told since the last look, in the order in which it was told.
    fn look_at_levels(&mut self) -> String {
        let told = std::mem::take(&mut self.rig.levels);
        let say = |(_, sku, level, for_sale): &(_, _, StockLevel, u64)| {
            format!("{} {} for_sale={for_sale}", self.name_of_sku(*sku), level.name())
        };
        let told: Vec<String> = told.iter().map(say).collect();
        if told.is_empty() { "nothing".to_owned() } else { told.join(" | ") }
    }

    fn look_at_order(&mut self, name: &str) -> String {
        let id = self.order_id(name, None);
        let Ok(view) = self.rig.engine.order(id) else { return "no: unknown_order".to_owned() };
        let line = |line: &LineView| {
            let counters = [
                ("owed", i64::from(line.owed)),
                ("reserved", i64::from(line.reserved)),
                ("lapsed", i64::from(line.lapsed)),
                ("committed", i64::from(line.committed)),
                ("shipped", i64::from(line.shipped)),
                ("cancelled", i64::from(line.cancelled)),
                ("returned", i64::from(line.returned)),
                ("delivered", i64::from(line.delivered)),
            ];
            format!("{} {}", self.name_of_sku(line.sku), list(counters))
        };
        if view.closed {
            return format!("{} closed", view.state.name());
        }
        let lines: Vec<String> = view.lines.iter().map(line).collect();
        format!("{} {}", view.state.name(), lines.join(" | "))
    }

    /// As a client reads them.
    fn look_at_details(&mut self, name: &str) -> String {
        let id = self.order_id(name, None);
        let view = self.rig.engine.order(id).map(|view| self.rig.opened(view)).expect("the order exists");
        match (view.erased, view.details.is_empty()) {
            (true, _) => "erased".to_owned(),
            (false, true) => "nothing".to_owned(),
            (false, false) => String::from_utf8(view.details).expect("scripts give text"),
        }
    }

    fn look_at_draws(&mut self, name: &str) -> String {
        let id = self.order_id(name, None);
        let view = self.rig.engine.order(id).expect("the order exists");
        let held = view.draws.iter().filter(|draw| draw.reserved + draw.committed + draw.shipped > 0);
        let draws: Vec<String> = held
            .map(|draw| {
                let counters = [
                    ("reserved", i64::from(draw.reserved)),
                    ("committed", i64::from(draw.committed)),
                    ("shipped", i64::from(draw.shipped)),
                ];
                format!("{}@{} {}", draw.line, self.name_of_site(draw.site), list(counters))
            })
            .collect();
        if draws.is_empty() { "nothing".to_owned() } else { draws.join(" | ") }
    }

    /// In the order in which adapters see them.
    fn look_at_wanted(&mut self, words: &[&str]) -> String {
        let list = (effect(words[1]), words.contains(&"aside"));
        let page = self.rig.engine.wanted(Some(self.market), list, 0, 100).expect("the market is open");
        let row = |row: &WantRow| {
            let reason = row.aside.map_or(String::new(), |reason| format!(" {}", reason.name()));
            let name = self.name_of_order(row.order);
            format!("{name} {} {} amount={}{reason}", row.action.name(), row.attempt, row.amount)
        };
        let rows: Vec<String> = page.rows.iter().map(row).collect();
        if rows.is_empty() { "nothing".to_owned() } else { rows.join(" | ") }
    }

    fn look_at_customer(&mut self, words: &[&str]) -> String {
        let customer = CustomerKey(number(words[1]).into());
        let before = OrderNumber(option(words, "before").map_or(0, number));
        let rows_max = option(words, "rows").map_or(100, number) as u16;
        let page = match self.rig.engine.customer_orders(self.market, customer, before, rows_max) {
            Ok(page) => page,
            Err(refusal) => return format!("no: {}", self.say_refusal(refusal)),
        };
        let rows = page.rows.iter().map(|row| format!("{} {}", self.name_of_order(row.order), row.state.name()));
        let next = page.next.map(|number| format!("next={number}"));
        let words: Vec<String> = rows.chain(next).collect();
        if words.is_empty() { "nothing".to_owned() } else { words.join(" | ") }
    }

    fn look_at_holders(&mut self, words: &[&str]) -> String {
        let (sku, rows_max) = (self.sku(words[1]), option(words, "rows").map_or(100, number) as u16);
        let after = OrderNumber(option(words, "after").map_or(0, number));
        let page = match self.rig.engine.holders(self.market, sku, after, rows_max) {
            Ok(page) => page,
            Err(refusal) => return format!("no: {}", self.say_refusal(refusal)),
        };
        let row = |row: &HolderRow| {
            let counters = [("owed", row.owed), ("reserved", row.reserved), ("committed", row.committed)];
            let counters = counters.map(|(name, units)| (name, units.cast_signed()));
            format!("{} {}", self.name_of_order(row.order.order), list(counters))
        };
        let rows = page.rows.iter().map(row);
        let next = page.next.map(|number| format!("next={number}"));
        let words: Vec<String> = rows.chain(next).collect();
        if words.is_empty() { "nothing".to_owned() } else { words.join(" | ") }
    }

    fn look_at_page(&mut self, words: &[&str]) -> String {
        let after = OrderNumber(option(words, "after").map_or(0, number));
        let rows_max = option(words, "rows").map_or(100, number) as u16;
        let page = match self.rig.engine.open_orders(self.market, after, rows_max) {
            Ok(page) => page,
            Err(refusal) => return format!("no: {}", self.say_refusal(refusal)),
        };
        let rows = page.rows.iter().map(|row| format!("{}#{}", self.name_of_order(row.order), row.number));
        let next = page.next.map(|number| format!("next={number}"));
        let words: Vec<String> = rows.chain(next).collect();
        if words.is_empty() { "nothing".to_owned() } else { words.join(" ") }
    }
}

/// `available=3 reserved=2`: what is not zero.
fn list<'n>(counters: impl IntoIterator<Item = (&'n str, i64)>) -> String {
    let shown = counters.into_iter().filter(|(_, units)| *units != 0);
    let shown: Vec<String> = shown.map(|(name, units)| format!("{name}={units}")).collect();
    if shown.is_empty() { "nothing".to_owned() } else { shown.join(" ") }
}
