//! Edits, in the words of a script.

use stockade::base::ChangeId;
use stockade::engine::{Command, Edit, Line, LinePrice, LineQuantity};

use super::Script;
use super::ask::{line_quantity, number, option};
use crate::rig::Outcome;

impl Script {
    /// `edit o1 add mug*2@50 remove 0*1 price 1=450 zone 44 id=3`: each word says what follows it, in any order.
    pub(super) fn edit(&mut self, words: &[&str]) -> Outcome {
        let order = self.order_id(words[1], None);
        let change = ChangeId(option(words, "id").map_or(1, number));
        let (mut zone, mut prices, mut remove, mut add) = (None, Vec::new(), Vec::new(), Vec::new());
        let mut what = "nothing";
        for word in words[2..].iter().filter(|word| !word.starts_with("id=")) {
            match (*word, what) {
                ("add" | "remove" | "price" | "zone", _) => what = word,
                (word, "add") => add.push(self.asked(word)),
                (word, "remove") => remove.push(line_quantity(word).expect("LINE*UNITS")),
                (word, "price") => {
                    let (line, price) = word.split_once('=').expect("LINE=PRICE");
                    prices.push(LinePrice { line: number(line) as u16, price: number(price) });
                }
                (word, "zone") => zone = Some(number(word) as u16),
                (word, _) => panic!("add, remove, price or zone comes first: {word}"),
            }
        }
        let (prices, remove, add): (&[LinePrice], &[LineQuantity], &[Line]) = (&prices, &remove, &add);
        self.rig.submit(&Command::EditOrder { order, change, edit: Edit { zone, prices, remove, add } })
    }

    /// Where an order goes to.
    pub(super) fn look_at_zone(&mut self, name: &str) -> String {
        self.view(name).zone.to_string()
    }

    /// What a unit of each line costs.
    pub(super) fn look_at_prices(&mut self, name: &str) -> String {
        let prices: Vec<String> = self.view(name).lines.iter().map(|line| line.price.to_string()).collect();
        prices.join(" ")
    }
}
