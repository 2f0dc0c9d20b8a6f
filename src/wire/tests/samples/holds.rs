//! What orders are held for.

use super::Ingredients;
use crate::engine::HoldReason;
use crate::engine::query::{HeldPage, HeldRow, HoldView, OrderRow};

impl Ingredients {
    pub(super) fn hold_reason(&self) -> HoldReason {
        HoldReason::ALL[usize::from(self.pick) % HoldReason::ALL.len()]
    }

    /// As many as there are codes, which are their notes.
    pub(super) fn holds(&self) -> Vec<HoldView> {
        let (reason, since) = (self.hold_reason(), self.time(5));
        let hold = |note: &str| HoldView { owner: self.code.clone(), reason, note: note.to_owned(), since };
        self.codes.codes().iter().map(hold).collect()
    }

    pub(super) fn held_page(&self, order: OrderRow) -> HeldPage {
        let rows = self.holds().into_iter().map(|hold| HeldRow { order, hold }).collect();
        HeldPage { rows, next: self.yes(3).then_some(order.number).filter(|number| number.0 != 0) }
    }
}
