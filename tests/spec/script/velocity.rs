//! What a market counts of whoever places orders.
//!
//! ```text
//! velocity window=160s keys=10           -> set
//! velocity customer=7 instrument=5       -> customer orders=2 money=300 GBP others=1 | instrument orders=0 incomplete
//! velocity                               -> window=160000 keys=10 covers=165000
//! ```

use stockade::base::CustomerKey;
use stockade::engine::query::VelocityCount;
use stockade::engine::{Command, Velocity};

use super::ask::{hashes, number, option};
use super::{Script, span_ms};

impl Script {
    pub(super) fn velocity(&mut self, words: &[&str]) -> String {
        if let Some(window) = option(words, "window") {
            let keys_max = option(words, "keys").map_or(0, number) as u32;
            let velocity = Velocity { window_ms: span_ms(window) as u32, keys_max };
            let outcome = self.rig.submit(&Command::SetVelocity { market: self.market, velocity });
            return self.say(&outcome);
        }
        let customer = CustomerKey(option(words, "customer").map_or(0, number).into());
        let hashes = hashes(words).unwrap_or_default();
        let view = self.rig.engine.velocity(self.market, customer, hashes, self.rig.now).expect("the market is open");
        let counts = ["customer", "account", "address", "instrument"].into_iter().zip(view.counts());
        let told = counts.filter(|(name, _)| option(words, name).is_some()).map(|(name, count)| say(name, count));
        let told: Vec<String> = told.collect();
        if !told.is_empty() {
            return told.join(" | ");
        }
        let Velocity { window_ms, keys_max } = view.velocity;
        format!("window={window_ms} keys={keys_max} covers={}", view.upto.since_ms(view.from))
    }
}

fn say(name: &str, count: &VelocityCount) -> String {
    let VelocityCount { orders, other_currency, money, currency, incomplete } = *count;
    let currency = currency.map_or(String::new(), |currency| format!(" money={money} {currency}"));
    let others = if other_currency > 0 { format!(" others={other_currency}") } else { String::new() };
    format!("{name} orders={orders}{currency}{others}{}", if incomplete { " incomplete" } else { "" })
}
