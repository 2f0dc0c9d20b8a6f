//! When to try again: pauses with full jitter, and a budget that keeps retries from becoming the load.
//!
//! # Always true
//! - Retries are at most a tenth of what was answered, plus what was saved up: a server in trouble is not asked eleven
//!   times for one order.
//! # Why so
//! Full jitter (a pause drawn evenly between nothing and a doubling bound) spreads the clients of one outage over the
//! whole pause; drawing around a middle keeps them in step.

use std::time::Duration;

use crate::base::limits::{RECONNECT_FIRST_MS, RECONNECT_MS_MAX, RETRIES_SAVED_MAX};

/// Pauses between attempts of one thing.
#[derive(Debug, Clone)]
pub(super) struct Backoff {
    bound_ms: u64,
}

impl Backoff {
    pub(super) const fn new() -> Self {
        Self { bound_ms: RECONNECT_FIRST_MS }
    }

    /// The next pause; `random` is any 64 bits.
    pub(super) fn pause(&mut self, random: u64) -> Duration {
        let bound = self.bound_ms;
        self.bound_ms = (bound * 2).min(RECONNECT_MS_MAX);
        Duration::from_millis(random % (bound + 1))
    }

    /// It worked: the next trouble begins with a short pause again.
    pub(super) fn reset(&mut self) {
        *self = Self::new();
    }
}

const TENTHS: u64 = 10;

/// Retries that may be spent, in tenths.
#[derive(Debug, Clone)]
pub(super) struct Budget {
    tenths: u64,
}

impl Budget {
    /// Full: a client that has just begun may meet a server that has just begun.
    pub(super) const fn new() -> Self {
        Self { tenths: RETRIES_SAVED_MAX * TENTHS }
    }

    /// A request was answered.
    pub(super) fn handle_answered(&mut self) {
        self.tenths = (self.tenths + 1).min(RETRIES_SAVED_MAX * TENTHS);
    }

    /// Whether one more retry may be made; it is paid for.
    pub(super) fn take(&mut self) -> bool {
        let affordable = self.tenths >= TENTHS;
        if affordable {
            self.tenths -= TENTHS;
        }
        affordable
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_are_drawn_below_a_doubling_bound() {
        let mut backoff = Backoff::new();
        let longest = (0..20).map(|_| backoff.pause(u64::MAX - u64::MAX % 4_004_001)).max();
        assert!(longest <= Some(Duration::from_millis(RECONNECT_MS_MAX)));
        assert_eq!(backoff.bound_ms, RECONNECT_MS_MAX);
        backoff.reset();
        assert!(backoff.pause(12_345) <= Duration::from_millis(RECONNECT_FIRST_MS));
    }

    #[test]
    fn a_spent_budget_allows_one_retry_for_ten_answers() {
        let mut budget = Budget::new();
        for _ in 0..RETRIES_SAVED_MAX {
            assert!(budget.take());
        }
        assert!(!budget.take());
        for _ in 0..9 {
            budget.handle_answered();
        }
        assert!(!budget.take());
        budget.handle_answered();
        assert!(budget.take());
    }
}
