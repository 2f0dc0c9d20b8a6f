//! What a shard has drained from its inbox and not yet decided. The first submission may be decided in part.

use std::collections::VecDeque;

use super::lane::Admitted;
use crate::wire::{Request, Tag};

/// A drained submission and how many of its requests are done.
pub(super) struct Pending {
    pub(super) admitted: Admitted,
    pub(super) done: usize,
    /// Of those, put off: they are not answered yet.
    pub(super) put_off: usize,
    /// They had been put off before.
    pub(super) is_second_chance: bool,
}

impl Pending {
    pub(super) fn len(&self) -> usize {
        self.admitted.submission.batch.len()
    }

    fn left(&self) -> usize {
        self.len() - self.done
    }
}

#[derive(Default)]
pub(super) struct Backlog {
    pending: VecDeque<Pending>,
    requests: usize,
}

impl Backlog {
    pub(super) fn push(&mut self, admitted: Admitted, is_second_chance: bool) {
        let pending = Pending { admitted, done: 0, put_off: 0, is_second_chance };
        self.requests += pending.left();
        self.pending.push_back(pending);
    }

    /// Requests not yet decided.
    pub(super) const fn len(&self) -> usize {
        self.requests
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// Shows the next `count` requests, in order.
    pub(super) fn peek(&self, count: usize, mut show: impl FnMut(Tag, &Request<'_>)) {
        let mut left = count;
        for pending in &self.pending {
            let batch = &pending.admitted.submission.batch;
            let upto = pending.len().min(pending.done + left);
            (pending.done..upto).for_each(|index| show(batch.tag(index), &batch.request(index)));
            left -= upto - pending.done;
            if left == 0 {
                break;
            }
        }
    }

    /// The first submission; to be given back by [`Backlog::put_back`] unless all of it is done.
    pub(super) fn take_first(&mut self) -> Option<Pending> {
        let first = self.pending.pop_front()?;
        self.requests -= first.left();
        Some(first)
    }

    pub(super) fn put_back(&mut self, first: Pending) {
        self.requests += first.left();
        self.pending.push_front(first);
    }
}
