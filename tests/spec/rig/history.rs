//! What happened to an order, compared with the twin's.

use stockade::base::OrderId;
use stockade::engine::query::HistoryPage;

use super::Rig;

impl Rig {
    pub(super) fn check_history(&self, id: OrderId) {
        let (found, expected) = (self.history(id), self.twin.history(id).expect("the order is known"));
        assert_eq!(found, expected, "what happened to {id}: engine (left), twin (right)");
    }

    /// All of it, page by page, as one page.
    pub(crate) fn history(&self, id: OrderId) -> HistoryPage {
        let mut all: Option<HistoryPage> = None;
        let mut next = Some(0);
        while let Some(after) = next {
            let page = self.engine.order_history(id, after, 3).expect("the order is known");
            assert!(page.next.is_none_or(|next| next > after), "the page after {after} goes on after {:?}", page.next);
            next = page.next;
            match &mut all {
                None => all = Some(page),
                Some(all) => all.rows.extend(page.rows),
            }
        }
        let all = all.expect("one page at least");
        HistoryPage { next: None, ..all }
    }
}
