//! Edits of orders, of the ingredients.

use super::Ingredients;
use crate::base::ChangeId;
use crate::engine::fact::{Change, Edited};
use crate::engine::{Command, Edit, Fact};

impl Ingredients {
    fn new_zone(&self) -> Option<u16> {
        self.yes(0).then_some(self.small(6))
    }

    pub(super) fn edit_command(&self) -> Command<'_> {
        let edit = Edit { zone: self.new_zone(), prices: &self.prices, remove: &self.quantities, add: &self.lines };
        Command::EditOrder { order: self.order(), change: ChangeId(self.word(5)), edit }
    }

    pub(super) fn edit_fact(&self, change: Change) -> Fact<'_> {
        let removed = &self.draws[..self.draws.len() / 2];
        let (zone, prices, lines) = (self.new_zone(), &self.prices, &self.lines);
        let what = Edited { zone, prices, removed, lines, draws: &self.draws };
        Fact::Edited { order: self.order(), change: Change { excess: 0, ..change }, what }
    }
}
