//! Stock requests that were carried out, so that a repeat changes nothing.
//!
//! # Always true
//! - A request is either remembered, or at or below the floor, or was never carried out. What is at or below the floor
//!   is refused: whether it was applied cannot be told any more.
//! - All markets of a shard together remember no more than [`REQUESTS_REMEMBERED_MAX`].
//! # Why so
//! Identifiers sort by the time they were made, so forgetting the smallest is forgetting the oldest, exactly. When
//! there are too many, the market that has most forgets some: one that floods its shard takes nothing from the others.

use std::collections::BTreeMap;

use super::Engine;
use super::market::Market;
use crate::base::limits::{REQUESTS_FORGOTTEN_MAX, REQUESTS_REMEMBERED_MAX, REQUESTS_REMEMBERED_MS};
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

    /// Remembers a request, and forgets some of what is too old.
    fn insert(&mut self, request: RequestId, remembered: Remembered, at: Timestamp) {
        self.remembered.insert(request, remembered);
        let oldest = RequestId::new(at.before_ms(REQUESTS_REMEMBERED_MS), MarketId::default(), 0);
        self.forget_below(oldest);
    }

    /// Forgets the oldest while they are smaller than this one, at most so many as one command may.
    fn forget_below(&mut self, request: RequestId) {
        for _ in 0..REQUESTS_FORGOTTEN_MAX {
            match self.remembered.first_entry() {
                Some(first) if *first.key() < request => self.floor = Some(first.remove_entry().0),
                Some(_) | None => break,
            }
        }
    }

    /// Forgets a sixteenth, at most so many as one command may, and at least one: who has much gives much, so that the
    /// search for whoever has most is rare.
    fn forget_some(&mut self) {
        for _ in 0..(self.len() / 16).clamp(1, REQUESTS_FORGOTTEN_MAX) {
            self.floor = self.remembered.pop_first().map(|(request, _)| request).or(self.floor);
        }
    }

    /// How many are remembered.
    pub(super) fn len(&self) -> usize {
        self.remembered.len()
    }

    /// Remembers what was remembered when an image was written; false for what is remembered already.
    pub(super) fn restore(&mut self, request: RequestId, remembered: Remembered) -> bool {
        self.remembered.insert(request, remembered).is_none()
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

impl Engine {
    /// Remembers a request of its market, and sees to it that the shard remembers no more than it may.
    pub(super) fn remember_request(&mut self, request: RequestId, remembered: Remembered, at: Timestamp) {
        let requests = &mut self.market_mut(request.market()).requests;
        let before = requests.len();
        requests.insert(request, remembered, at);
        let after = requests.len();
        self.request_count = self.request_count + after - before;
        bound(&mut self.markets, &mut self.request_count, REQUESTS_REMEMBERED_MAX);
    }
}

/// Lets whoever has most forget some, until all together are no more than `max`.
fn bound(markets: &mut [Option<Box<Market>>], count: &mut usize, max: usize) {
    while *count > max {
        let all = markets.iter_mut().flatten().map(|market| &mut market.requests);
        let most = all.max_by_key(|requests| requests.len()).expect("law: what is counted is somewhere");
        let before = most.len();
        most.forget_some();
        *count = *count + most.len() - before;
    }
}

#[cfg(test)]
mod tests {
    use super::super::Capacity;
    use super::*;
    use crate::base::ShardId;

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
    fn what_is_too_old_goes_a_bounded_number_at_a_time_and_is_refused_before() {
        let mut requests = Requests::default();
        let many = 2 * REQUESTS_FORGOTTEN_MAX as u64 + 3;
        (0..many).for_each(|random| requests.insert(request(1_000, random), KEPT, Timestamp::from_ms(1_000)));
        let later = Timestamp::from_ms(1_001 + REQUESTS_REMEMBERED_MS);
        assert!(requests.is_forgotten(request(1_000, many - 1), later));
        for left in [REQUESTS_FORGOTTEN_MAX + 3 + 1, 3 + 2, 3] {
            requests.insert(request(later.ms(), left as u64), KEPT, later);
            assert_eq!(requests.len(), left);
        }
    }

    #[test]
    fn when_there_are_too_many_the_market_that_has_most_forgets_its_oldest() {
        let mut markets: Vec<_> = (0..3).map(|_| Some(Box::new(Market::new("")))).collect();
        markets.push(None);
        let mut count = 0;
        for (market, many) in [(0, 10), (1, 200), (2, 30)] {
            let requests = &mut markets[market].as_mut().expect("made").requests;
            (0..many).for_each(|random| requests.insert(request(5_000, random), KEPT, Timestamp::from_ms(5_000)));
            count += many as usize;
        }
        let now = Timestamp::from_ms(5_000);
        for max in [240, 239, 230, 50, 40] {
            bound(&mut markets, &mut count, max);
            let lens: Vec<usize> = markets.iter().flatten().map(|market| market.requests.len()).collect();
            assert_eq!(lens.iter().sum::<usize>(), count);
            assert!(count <= max && count + 12 > max, "{count} of {max}: no more goes than must, and a sixteenth");
            let most = &markets[1].as_ref().expect("made").requests;
            let forgotten = 200 - most.len() as u64;
            assert_eq!(most.floor(), forgotten.checked_sub(1).map(|last| request(5_000, last)));
            assert!(!most.is_forgotten(request(5_000, forgotten), now));
            assert!(lens[0] == 10 && (lens[2] == 30 || lens[1].abs_diff(lens[2]) <= 2), "{lens:?}");
        }
    }

    #[test]
    fn a_shard_remembers_no_more_than_a_million_whosever_they_are() {
        let mut engine = Engine::new(ShardId::default(), 1, Capacity::UNBOUNDED);
        engine.markets = (0..2).map(|_| Some(Box::new(Market::new("")))).collect();
        let markets = [0, 1].map(|number| MarketId::new(number).expect("fits"));
        let now = Timestamp::from_ms(5_000);
        for random in 0..=REQUESTS_REMEMBERED_MAX as u64 {
            let market = markets[usize::from(random % 100 == 0)];
            engine.remember_request(RequestId::new(now, market, random), KEPT, now);
        }
        assert_eq!(engine.request_count, REQUESTS_REMEMBERED_MAX + 1 - REQUESTS_FORGOTTEN_MAX);
        assert_eq!(
            engine.market_mut(markets[1]).requests.len(),
            REQUESTS_REMEMBERED_MAX / 100 + 1,
            "has few, loses none"
        );
        let flooded = &engine.market_mut(markets[0]).requests;
        assert!(flooded.is_forgotten(RequestId::new(now, markets[0], 1), now));
    }
}
