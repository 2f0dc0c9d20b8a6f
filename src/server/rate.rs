//! The operator's limit on placements a second, all connections together: what a shop behind the server can fulfil, or
//! what a contract allows.
//!
//! The generic cell rate algorithm (ITU-T I.371): one number, the moment at which everything admitted so far would have
//! been, had it come evenly. Whoever would move it too far ahead of now is refused.
//!
//! # Always true
//! - In any span at most the limit times the span is admitted, and what one burst may be on top.
//! - Refusing changes nothing: those who are refused take nothing from those who are not.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::base::limits::{RATE_BURST_MS, RETRY_AFTER_MS};

/// The limit; shared by every session.
#[derive(Debug)]
pub(super) struct Rate {
    /// Between two placements; zero for no limit.
    gap_ns: u64,
    /// When the next one would come, had all come evenly.
    next_ns: AtomicU64,
    /// Placements refused.
    refused: AtomicU64,
}

const BURST_NS: u64 = RATE_BURST_MS * 1_000_000;

impl Rate {
    /// `None` for no limit; never zero.
    pub(super) fn new(orders_per_second_max: Option<u32>) -> Self {
        let gap_ns = orders_per_second_max.map_or(0, |max| 1_000_000_000_u64.div_ceil(u64::from(max.max(1))));
        Self { gap_ns, next_ns: AtomicU64::new(0), refused: AtomicU64::new(0) }
    }

    /// Admits one placement, or says after how many milliseconds it is worth coming back.
    pub(super) fn admit(&self, now_ns: u64) -> Result<(), u32> {
        if self.gap_ns == 0 {
            return Ok(());
        }
        let then = |next_ns: u64| {
            let next_ns = next_ns.max(now_ns);
            (next_ns - now_ns <= BURST_NS).then_some(next_ns + self.gap_ns)
        };
        self.next_ns.fetch_update(Ordering::Relaxed, Ordering::Relaxed, then).map(|_| ()).map_err(|next_ns| {
            self.refused.fetch_add(1, Ordering::Relaxed);
            let wait_ms = next_ns.saturating_sub(now_ns + BURST_NS) / 1_000_000;
            u32::try_from(wait_ms).unwrap_or(u32::MAX).max(RETRY_AFTER_MS)
        })
    }

    pub(super) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Offers so many evenly over a second, from `begin_ns` on.
    fn offer(rate: &Rate, begin_ns: u64, offered: u64) -> u64 {
        (0..offered).filter(|n| rate.admit(begin_ns + n * 1_000_000_000 / offered).is_ok()).count() as u64
    }

    #[test]
    fn what_is_admitted_is_the_limit_however_much_is_offered() {
        for max in [1, 3, 999, 50_000, 1_000_000] {
            let rate = Rate::new(Some(max));
            let max = u64::from(max);
            let burst = max * RATE_BURST_MS / 1_000 + 1;
            for second in 1..=3 {
                let admitted = offer(&rate, second * 1_000_000_000, 10 * max);
                let most = if second == 1 { max + burst } else { max + 1 };
                assert!((max * 99 / 100..=most).contains(&admitted), "{max} a second: {admitted} in second {second}");
            }
        }
    }

    #[test]
    fn whoever_stays_below_the_limit_is_never_refused() {
        let rate = Rate::new(Some(1_000));
        assert_eq!((0..10).map(|second| offer(&rate, second * 1_000_000_000, 990)).sum::<u64>(), 9_900);
        assert_eq!(rate.refused(), 0);
    }

    #[test]
    fn without_a_limit_everybody_is_admitted() {
        let rate = Rate::new(None);
        assert!((0..1_000_000).all(|_| rate.admit(5).is_ok()));
    }

    #[test]
    fn a_burst_is_bounded_and_whoever_comes_after_it_is_told_when_to_come_back() {
        let rate = Rate::new(Some(100));
        let now_ns = 5_000_000_000;
        let admitted = (0..1_000).take_while(|_| rate.admit(now_ns).is_ok()).count() as u64;
        assert_eq!(admitted, 100 * RATE_BURST_MS / 1_000 + 1);
        assert_eq!(rate.admit(now_ns), Err(RETRY_AFTER_MS), "the next one has 10 ms to wait");
        assert_eq!(rate.admit(now_ns + 10_000_000), Ok(()));
    }
}
