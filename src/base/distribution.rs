//! Distributions that one thread counts while others read: durations and sizes in buckets, each an atomic counter.
//!
//! 32 buckets to each power of two, so a value is kept within one part in 32. Counting is one relaxed addition; nobody
//! waits for a reader.

use core::sync::atomic::{AtomicU64, Ordering};

use hdrhistogram::Histogram;

const STEP_BITS: u32 = 5;
const STEPS: u64 = 1 << STEP_BITS;
/// Values from 2^(POWERS + STEP_BITS - 1) on are counted in the last bucket: in microseconds, more than an hour.
const POWERS: u64 = 28;
const BUCKETS: usize = (POWERS * STEPS) as usize;

/// A distribution of whole numbers.
#[derive(Debug)]
pub struct Distribution {
    buckets: Box<[AtomicU64]>,
}

impl Default for Distribution {
    fn default() -> Self {
        Self { buckets: (0..BUCKETS).map(|_| AtomicU64::new(0)).collect() }
    }
}

impl Distribution {
    /// Counts `value` once.
    pub fn record(&self, value: u64) {
        self.record_n(value, 1);
    }

    /// Counts `value` `n` times.
    pub fn record_n(&self, value: u64, n: u64) {
        if let Some(bucket) = self.buckets.get(bucket_of(value).min(BUCKETS - 1)) {
            bucket.fetch_add(n, Ordering::Relaxed);
        }
    }

    /// A copy to compute with. Errs on the large side.
    #[must_use]
    pub fn histogram(&self) -> Histogram<u64> {
        let mut histogram = Histogram::new(2).expect("two significant digits are legal");
        for (index, bucket) in self.buckets.iter().enumerate() {
            let count = bucket.load(Ordering::Relaxed);
            if count > 0 {
                // A histogram that resizes itself refuses no value.
                let _resized = histogram.record_n(value_of(index), count);
            }
        }
        histogram
    }
}

fn bucket_of(value: u64) -> usize {
    if value < STEPS {
        return value as usize;
    }
    let power = value.ilog2() - STEP_BITS;
    ((u64::from(power) + 1) * STEPS + ((value >> power) - STEPS)) as usize
}

/// The largest value of a bucket.
fn value_of(index: usize) -> u64 {
    let index = index as u64;
    if index < STEPS {
        return index;
    }
    let power = index / STEPS - 1;
    ((STEPS + index % STEPS + 1) << power) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_kept_within_one_part_in_thirty_two() {
        for value in [0, 1, 31, 32, 33, 63, 64, 100, 1_000, 12_345, 1_000_000, 3_600_000_000] {
            let kept = value_of(bucket_of(value));
            assert!(kept >= value && kept - value <= value / 32, "{value} was kept as {kept}");
        }
        let distribution = Distribution::default();
        distribution.record_n(u64::MAX, 3);
        assert_eq!(distribution.histogram().len(), 3, "a value past the end is still counted");
    }
}
