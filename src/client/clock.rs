//! The server's log time as a client knows it, and the identifiers made from it.
//!
//! # Always true
//! - What [`ServerClock::now`] says turns back only with a greeting, and is at most [`CLIENT_AHEAD_MS_MAX`] ahead of
//!   the server's log time, which takes identifiers up to [`ID_AHEAD_MS_MAX`] ahead.
//! - This machine's wall clock is never read: it may be an hour off without any order being refused.
//! # Why so
//! Between two frames time goes on by this machine's monotonic clock. Log time may run at half speed while the server's
//! clock is being corrected, so beyond a second's lead only half of what passed is counted.
//!
//! A greeting is believed even when it is older: a server that was started again may have been restored from a backup,
//! and refuses identifiers made ahead of its own log time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::base::limits::CLIENT_AHEAD_MS_MAX;
use crate::base::{MarketId, OrderId, RequestId, Timestamp};

/// The newest log time a server told, carried on by the monotonic clock.
#[derive(Debug)]
pub(super) struct ServerClock {
    begin: Instant,
    /// The newest log time told since the last greeting.
    told_ms: AtomicU64,
    /// When, in milliseconds since `begin`. Written before `told_ms` and read after it: whoever mixes two tellings
    /// counts too little time, never too much.
    told_at_ms: AtomicU64,
}

impl ServerClock {
    pub(super) fn new() -> Self {
        Self { begin: Instant::now(), told_ms: AtomicU64::new(0), told_at_ms: AtomicU64::new(0) }
    }

    fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.begin.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// A frame of the server told its log time.
    pub(super) fn handle_log_time(&self, log_time: Timestamp) {
        if log_time.ms() > self.told_ms.load(Ordering::Relaxed) {
            self.told_at_ms.fetch_max(self.elapsed_ms(), Ordering::Release);
            self.told_ms.fetch_max(log_time.ms(), Ordering::Release);
        }
    }

    /// A server greeted on a fresh connection: its log time counts, even if another told a newer one before.
    pub(super) fn handle_greeting(&self, log_time: Timestamp) {
        self.told_at_ms.fetch_max(self.elapsed_ms(), Ordering::Release);
        self.told_ms.store(log_time.ms(), Ordering::Release);
    }

    /// The newest log time told, and nothing added.
    pub(super) fn told(&self) -> Timestamp {
        Timestamp::from_ms(self.told_ms.load(Ordering::Acquire))
    }

    /// Log time as far as can be known here.
    pub(super) fn now(&self) -> Timestamp {
        let told = self.told_ms.load(Ordering::Acquire);
        let told_at = self.told_at_ms.load(Ordering::Acquire);
        Timestamp::from_ms(told + carried_on(self.elapsed_ms().saturating_sub(told_at)))
    }

    pub(super) fn new_order_id(&self, market: MarketId) -> OrderId {
        OrderId::new(self.now(), market, random())
    }

    pub(super) fn new_request_id(&self, market: MarketId) -> RequestId {
        RequestId::new(self.now(), market, random())
    }
}

/// 64 bits that nobody can reckon from others that they have seen: identifiers of orders are in links and mails. A
/// million of one millisecond hold two alike with a chance of one in a million.
pub(super) fn random() -> u64 {
    rand::random()
}

/// How much log time is counted for `elapsed` milliseconds without a word from the server.
fn carried_on(elapsed: u64) -> u64 {
    elapsed.min(elapsed / 2 + CLIENT_AHEAD_MS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_carried_on_never_leads_log_time_by_more_than_allowed() {
        for elapsed in [0, 1, 999, 2_000, 2_001, 60_000, 3_600_000] {
            let slowest_log_time = elapsed / 2;
            assert!(carried_on(elapsed) <= slowest_log_time + CLIENT_AHEAD_MS_MAX, "{elapsed}");
        }
        assert_eq!(carried_on(1_500), 1_500, "a short silence costs nothing");
    }

    #[test]
    fn an_older_word_from_the_server_is_ignored() {
        let clock = ServerClock::new();
        clock.handle_log_time(Timestamp::from_ms(5_000));
        clock.handle_log_time(Timestamp::from_ms(4_000));
        assert_eq!(clock.told(), Timestamp::from_ms(5_000));
        assert!(clock.now() >= Timestamp::from_ms(5_000));
    }

    #[test]
    fn a_greeting_is_believed_even_when_it_is_older() {
        let clock = ServerClock::new();
        clock.handle_greeting(Timestamp::from_ms(5_000_000));
        clock.handle_greeting(Timestamp::from_ms(4_000));
        assert_eq!(clock.told(), Timestamp::from_ms(4_000));
        let id = clock.new_request_id(MarketId::new(3).expect("fits"));
        assert!(id.made_at() < Timestamp::from_ms(5_000_000), "{id:?}");
        clock.handle_log_time(Timestamp::from_ms(4_500));
        assert_eq!(clock.told(), Timestamp::from_ms(4_500), "and log time goes on from there");
    }

    #[test]
    fn a_million_identifiers_of_many_threads_differ_and_sort_by_time() {
        let clock = ServerClock::new();
        let market = MarketId::new(3).expect("fits");
        let make = || (0..125_000).map(|_| clock.new_order_id(market)).collect::<Vec<_>>();
        let of_threads = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(make)).collect();
            threads.into_iter().map(|thread| thread.join().expect("it ends")).collect::<Vec<_>>()
        });
        for ids in &of_threads {
            assert!(ids.iter().all(|id| id.market() == market));
            assert!(ids.is_sorted_by_key(|id| id.made_at()), "each thread sees time go on");
        }
        let random = |id: &OrderId| id.bits() as u64 & RANDOM_BITS;
        for bit in 0..59 {
            let set = of_threads.iter().flatten().filter(|id| random(id) >> bit & 1 == 1).count();
            assert!(set.abs_diff(500_000) < 5_000, "bit {bit} is set in {set} of a million");
        }
        let mut seen: Vec<u128> = of_threads.iter().flatten().map(|id| id.bits()).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 1_000_000);
    }

    /// What a counter mixed by SplitMix64 (Steele, Lea and Flood, 2014) would tell: its mixing can be undone, so one
    /// identifier, and a guess at the few bits that are not in it, gives all that follow.
    #[test]
    fn one_identifier_does_not_tell_the_next() {
        const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
        let mix = |mut word: u64| {
            word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            word ^ (word >> 31)
        };
        let unmix = |mut word: u64| {
            word = (word ^ (word >> 31) ^ (word >> 62)).wrapping_mul(0x3196_42B2_D24D_8EC3);
            word = (word ^ (word >> 27) ^ (word >> 54)).wrapping_mul(0x96DE_1B17_3F11_9089);
            word ^ (word >> 30) ^ (word >> 60)
        };
        assert_eq!(unmix(mix(12_345)), 12_345);
        let foretold = |seen: u64, next: u64| {
            let guesses = (0..32_u64).map(|high| high << 59 | seen);
            guesses.into_iter().any(|state| mix(unmix(state).wrapping_add(GOLDEN)) & RANDOM_BITS == next)
        };
        assert!(foretold(mix(7) & RANDOM_BITS, mix(7_u64.wrapping_add(GOLDEN)) & RANDOM_BITS), "the attack works");
        let (clock, market) = (ServerClock::new(), MarketId::new(3).expect("fits"));
        let made: Vec<u64> = (0..1_000).map(|_| clock.new_order_id(market).bits() as u64 & RANDOM_BITS).collect();
        assert!(!made.windows(2).any(|pair| foretold(pair[0], pair[1])));
    }

    const RANDOM_BITS: u64 = (1 << 59) - 1;
}
