//! Second chances: urgent commands on orders that are not known yet.
//!
//! A client may place an order and cancel it in one breath, and the urgent lane is faster. A command on an unknown
//! order therefore goes, once, behind every placement that was submitted before it.
//!
//! # Always true
//! - A command is put off once at most, and answered once.
//! - No more than [`PUT_OFF_REQUESTS_MAX`] wait here; the next one is told to come back.

use std::collections::VecDeque;

use super::lane::Admitted;
use crate::base::limits::PUT_OFF_REQUESTS_MAX;

#[derive(Default)]
pub(super) struct SecondChances {
    /// Each with how many submissions the orders lane has seen before it.
    waiting: VecDeque<(u64, Admitted)>,
    requests: usize,
    /// Submissions of the orders lane taken so far.
    taken: u64,
}

impl SecondChances {
    /// Whether one more request may be put off.
    pub(super) const fn has_room(&self) -> bool {
        self.requests < PUT_OFF_REQUESTS_MAX
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Puts off until so many submissions of the orders lane have been taken.
    pub(super) fn put_off(&mut self, after: u64, admitted: Admitted) {
        self.requests += admitted.submission.batch.len();
        self.waiting.push_back((after, admitted));
    }

    /// One more submission of the orders lane was taken.
    pub(super) const fn handle_taken(&mut self) {
        self.taken += 1;
    }

    /// The next whose turn has come: behind whatever of the orders lane was taken before.
    pub(super) fn poll_ready(&mut self) -> Option<Admitted> {
        let (after, _) = self.waiting.front()?;
        if *after > self.taken {
            return None;
        }
        let (_, admitted) = self.waiting.pop_front()?;
        self.requests -= admitted.submission.batch.len();
        Some(admitted)
    }
}
