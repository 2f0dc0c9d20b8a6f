//! Sieves: which runs of order numbers may hold an order of a customer, or of a SKU.
//!
//! ```text
//! chunk of numbers │ sieve │   of a customer ─► three bits ─► all set? look at its orders : pass over all of them
//! ```
//!
//! # Always true
//! - Whatever was noted is found. What was not is passed over nearly always: where every order is of another customer
//!   and one SKU, one chunk in two hundred is looked at in vain.
//! # Not here
//! - When a chunk gets its sieve: `numbers`. Who asks: `find`.
//! # Why so
//! Questions of service staff are rare beside placements, so their index costs placements nothing: a chunk whose
//! numbers are all given gets its sieve from whoever first asks about it, two bytes an order. It is a filter of Bloom
//! (Space/Time Trade-offs in Hash Coding with Allowable Errors, 1970) with three hashes. Nothing is ever taken out of
//! it; it is no part of the state and goes with its chunk.

use crate::base::limits::SIEVE_SUBJECTS_MAX;
use crate::base::{CustomerKey, SkuId};

const BITS: usize = 1 << 16;

/// What the orders of a chunk are about.
#[derive(Debug)]
pub(super) struct Sieve {
    words: [u64; BITS / 64],
}

/// Something an order is about, mixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Subject(u64);

impl Subject {
    pub(super) const fn customer(customer: CustomerKey) -> Self {
        Self(mix(customer.0 as u64 ^ ((customer.0 >> 64) as u64).rotate_left(29)))
    }

    pub(super) const fn sku(sku: SkuId) -> Self {
        // Apart from the customers: their keys are often small numbers too.
        Self(mix(sku.0 as u64 | 1 << 63))
    }

    /// Places of its bits.
    const fn bits(self) -> [usize; 3] {
        [(self.0 >> 48) as usize, (self.0 >> 32) as usize % BITS, (self.0 >> 16) as usize % BITS]
    }
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
const fn mix(key: u64) -> u64 {
    let key = (key ^ (key >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let key = (key ^ (key >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    key ^ (key >> 31)
}

impl Sieve {
    /// A sieve of all these; none where they are so many that making it would take too long.
    pub(super) fn of(subjects: impl Iterator<Item = Subject>) -> Option<Box<Self>> {
        let mut sieve = Box::new(Self { words: [0; BITS / 64] });
        for (noted, subject) in subjects.enumerate() {
            if noted == SIEVE_SUBJECTS_MAX {
                return None;
            }
            for bit in subject.bits() {
                sieve.words[bit / 64] |= 1 << (bit % 64);
            }
        }
        Some(sieve)
    }

    /// Whether it may have been noted.
    pub(super) fn may_hold(&self, subject: Subject) -> bool {
        subject.bits().into_iter().all(|bit| self.words[bit / 64] >> (bit % 64) & 1 == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_noted_is_found_and_hardly_anything_else() {
        let customer = |number: u32| Subject::customer(CustomerKey(number.into()));
        let subjects = (0..4_096_u32).flat_map(|number| [customer(number), Subject::sku(SkuId(number % 50))]);
        let sieve = Sieve::of(subjects).expect("not too many");
        assert!((0..4_096).all(|number| sieve.may_hold(customer(number))));
        assert!((0..50).all(|number| sieve.may_hold(Subject::sku(SkuId(number)))));
        let strangers = (4_096..104_096).filter(|number| sieve.may_hold(customer(*number))).count();
        assert!(strangers < 1_000, "{strangers} of 100,000 strangers");
        let others = (50..100_050).filter(|number| sieve.may_hold(Subject::sku(SkuId(*number)))).count();
        assert!(others < 1_000, "{others} of 100,000 other SKUs");
    }

    #[test]
    fn a_chunk_about_too_much_has_no_sieve() {
        let subjects = |count: usize| (0..count as u32).map(|number| Subject::sku(SkuId(number)));
        assert!(Sieve::of(subjects(SIEVE_SUBJECTS_MAX)).is_some());
        assert!(Sieve::of(subjects(SIEVE_SUBJECTS_MAX + 1)).is_none());
    }
}
