//! After how long something is tried again: twice as long each time, and half of it by chance.
//!
//! "Equal jitter" of Marc Brooker, "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015): whoever failed
//! together does not come back together.

use crate::base::limits::{ADAPTER_RETRY_MS, ADAPTER_RETRY_MS_MAX};

/// A seeded source of chance.
#[derive(Debug)]
pub(super) struct Chance(u64);

impl Chance {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Below `bound`, which is not zero. SplitMix64 (Steele, Lea, Flood, 2014).
    pub(super) const fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let n = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let n = (n ^ (n >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (n ^ (n >> 31)) % bound
    }
}

/// Milliseconds until the next try, after so many that failed (from 1).
pub(super) fn retry_ms(failed: u32, chance: &mut Chance) -> u64 {
    let doubled = ADAPTER_RETRY_MS << failed.saturating_sub(1).min(20);
    let half = doubled.min(ADAPTER_RETRY_MS_MAX) / 2;
    half + chance.below(half + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_double_up_to_a_bound_and_none_is_shorter_than_half() {
        let mut chance = Chance::new(7);
        for failed in 1..100 {
            let whole = (ADAPTER_RETRY_MS << (failed - 1).min(20)).min(ADAPTER_RETRY_MS_MAX);
            let drawn: Vec<u64> = (0..50).map(|_| retry_ms(failed, &mut chance)).collect();
            assert!(drawn.iter().all(|ms| (whole / 2..=whole).contains(ms)), "{failed}: {drawn:?}");
            assert!(drawn.iter().any(|ms| *ms != drawn[0]), "they do not come back together");
        }
    }
}
