//! Whoever says in a world whether orders are to be trusted, and a person for what it has doubts about.
//!
//! # Always true
//! - Asked again about an order it says the same, until a person has decided. People decide once it is calm.
//! - What it wrote may arrive late: after it said so otherwise, and after a person decided.

use std::collections::BTreeMap;

use stockade::adapters::{Job, News, Opinion, Verdict};
use stockade::base::OrderId;
use stockade::engine::query::{CheckState, OrderView};

use crate::rng::Rng;

#[derive(Debug, Default)]
pub(crate) struct Checker {
    said: BTreeMap<OrderId, Opinion>,
    /// What it writes until somebody heard it, and whether somebody of this life was told.
    letters: Vec<(OrderId, Opinion, bool)>,
}

impl Checker {
    pub(crate) fn carry_out(&mut self, rng: &mut Rng, is_calm: bool, job: &Job) -> Verdict {
        let order = job.order.order;
        let first = match rng.below(8) {
            0 => Opinion::Rejected,
            1 => Opinion::Review,
            _ => Opinion::Trusted,
        };
        let opinion = self.said.entry(order).or_insert(first);
        if is_calm && *opinion == Opinion::Review {
            *opinion = if rng.once_in(2) { Opinion::Trusted } else { Opinion::Rejected };
        }
        if rng.once_in(4) {
            self.letters.push((order, *opinion, false));
        }
        opinion.verdict()
    }

    pub(crate) fn news(&mut self, rng: &mut Rng) -> Option<News> {
        let waiting = self.letters.iter().enumerate().filter(|(_, (.., told))| !told);
        let waiting: Vec<usize> = waiting.map(|(at, _)| at).collect();
        let at = *(!waiting.is_empty()).then(|| rng.pick(&waiting))?;
        let (order, opinion, told) = &mut self.letters[at];
        *told = true;
        Some(News::Checked { order: *order, opinion: *opinion })
    }

    pub(crate) fn handle_settled(&mut self, order: OrderId, opinion: Opinion) {
        self.letters.retain(|letter| *letter != (order, opinion, true));
    }

    pub(crate) fn handle_crash(&mut self) {
        self.letters.iter_mut().for_each(|(.., told)| *told = false);
    }

    pub(crate) fn is_done(&self) -> bool {
        self.letters.is_empty()
    }

    /// Once nothing is wanted any more: every check is over, and whatever left because it was asked for was trusted.
    pub(crate) fn check(&self, view: &OrderView, has_left: bool) {
        assert!(!view.check.is_open(), "{} is being checked, and nobody is asked: {view:?}", view.order);
        let said = self.said.get(&view.order);
        let is_trusted = view.check == CheckState::NotNeeded || said == Some(&Opinion::Trusted);
        assert!(is_trusted || !has_left || view.closed, "{} left, and was {said:?}: {view:?}", view.order);
    }

    /// Orders that it trusted, and those that it, or a person, rejected.
    pub(crate) fn counts(&self) -> [u64; 2] {
        let count = |opinion| self.said.values().filter(|said| **said == opinion).count() as u64;
        [count(Opinion::Trusted), count(Opinion::Rejected)]
    }
}
