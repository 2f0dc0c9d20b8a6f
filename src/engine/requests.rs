//! Stock requests that were carried out, so that a repeat changes nothing.
//!
//! # Always true
//! - A request is either remembered, or at or below the floor, or was never carried out. What is at or below the floor
//!   is refused: whether it was applied cannot be told any more.
//! # Why so
//! Identifiers sort by the time they were made, so forgetting the smallest is forgetting the oldest, exactly.

use std::collections::BTreeMap;

use crate::base::limits::{REQUESTS_REMEMBERED_MAX, REQUESTS_REMEMBERED_MS};
use crate::base::{MarketId, RequestId, Timestamp};

/// The requests of one market.
#[derive(Debug, Default)]
pub(super) struct Requests {
    remembered: BTreeMap<RequestId, Remembered>,
    floor: Option<RequestId>,
}

/// What is kept of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Remembered {
    /// Hash of what was asked.
    pub(super) content: u64,
    /// Units available right after it.
    pub(super) available: u64,
}

impl Requests {
    /// What is remembered of a request.
    pub(super) fn get(&self, request: RequestId) -> Option<Remembered> {
        self.remembered.get(&request).copied()
    }

    /// Whether a request is so old that it may have been forgotten.
    pub(super) fn is_forgotten(&self, request: RequestId, now: Timestamp) -> bool {
        request.made_at() < now.before_ms(REQUESTS_REMEMBERED_MS) || self.floor.is_some_and(|floor| request <= floor)
    }

    /// Remembers a request, and forgets what is too old or too much.
    pub(super) fn insert(&mut self, request: RequestId, remembered: Remembered, at: Timestamp) {
        self.remembered.insert(request, remembered);
        let oldest = RequestId::new(at.before_ms(REQUESTS_REMEMBERED_MS), MarketId::default(), 0);
        while let Some(first) = self.remembered.first_entry() {
            if *first.key() >= oldest && self.remembered.len() <= REQUESTS_REMEMBERED_MAX {
                break;
            }
            self.floor = self.remembered.pop_first().map(|(request, _)| request);
        }
    }

    /// Remembers what was remembered when an image was written.
    pub(super) fn restore(&mut self, request: RequestId, remembered: Remembered) {
        self.remembered.insert(request, remembered);
    }

    /// The floor as it was when an image was written.
    pub(super) const fn set_floor(&mut self, floor: Option<RequestId>) {
        self.floor = floor;
    }

    /// Everything remembered, oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (RequestId, Remembered)> {
        self.remembered.iter().map(|(request, remembered)| (*request, *remembered))
    }

    /// The newest request that was forgotten.
    pub(super) const fn floor(&self) -> Option<RequestId> {
        self.floor
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEPT: Remembered = Remembered { content: 1, available: 2 };

    fn request(ms: u64, random: u64) -> RequestId {
        RequestId::new(Timestamp::from_ms(ms), MarketId::default(), random)
    }

    #[test]
    fn a_request_is_remembered_for_a_day_and_refused_after() {
        let mut requests = Requests::default();
        requests.insert(request(1_000, 0), KEPT, Timestamp::from_ms(1_000));
        let day_later = Timestamp::from_ms(1_000 + REQUESTS_REMEMBERED_MS);
        assert!(!requests.is_forgotten(request(1_000, 0), day_later));
        assert!(requests.is_forgotten(request(1_000, 0), day_later.after_ms(1)));
        requests.insert(request(day_later.ms(), 0), KEPT, day_later.after_ms(1));
        assert_eq!(requests.get(request(1_000, 0)), None);
        assert_eq!(requests.floor(), Some(request(1_000, 0)));
    }

    #[test]
    fn past_a_million_the_oldest_is_forgotten_and_refused() {
        let mut requests = Requests::default();
        let now = Timestamp::from_ms(5_000);
        for random in 0..=REQUESTS_REMEMBERED_MAX as u64 {
            requests.insert(request(5_000, random), KEPT, now);
        }
        assert_eq!(requests.iter().count(), REQUESTS_REMEMBERED_MAX);
        assert!(requests.is_forgotten(request(5_000, 0), now));
        assert!(!requests.is_forgotten(request(5_000, 1), now));
    }
}
