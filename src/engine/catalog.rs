//! Codes and their numbers: 1, 2, 3, … in the order they were created. Sites and SKUs of a market are two of these.
//!
//! # Always true
//! - A code keeps its number for ever; two codes never share one. Codes compare byte by byte: case matters.

use core::hash::BuildHasher;

use hashbrown::HashTable;

use super::pool::{Pool, SMALL};
use super::refusal::{Field, Refusal};
use crate::base::limits::CODE_BYTES_MAX;

/// Codes of one kind in one market.
#[derive(Debug, Default)]
pub(super) struct Catalog {
    codes: Pool<Box<str>, SMALL>,
    numbers: HashTable<u32>,
    hasher: foldhash::fast::RandomState,
}

impl Catalog {
    /// How many codes there are; also the highest number.
    pub(super) const fn len(&self) -> usize {
        self.codes.len()
    }

    /// The number of a code.
    pub(super) fn number(&self, code: &str) -> Option<u32> {
        self.numbers.find(self.hasher.hash_one(code), |number| self.at(*number) == code).copied()
    }

    /// The code of a number.
    pub(super) fn code(&self, number: u32) -> Option<&str> {
        self.codes.get((number as usize).checked_sub(1)?).map(AsRef::as_ref)
    }

    /// The number the next code will get.
    pub(super) fn next_number(&self) -> u32 {
        u32::try_from(self.codes.len() + 1).expect("law: limits bound a catalog")
    }

    /// Adds a code that is not in it.
    pub(super) fn insert(&mut self, code: &str) -> u32 {
        let number = self.next_number();
        self.codes.put(code.into());
        let (codes, hasher) = (&self.codes, &self.hasher);
        let hash_of = |number: &u32| hasher.hash_one(codes[*number as usize - 1].as_ref());
        self.numbers.insert_unique(hasher.hash_one(code), number, hash_of);
        number
    }

    /// Every code with its number, in order of the numbers.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &str)> {
        (1..).zip(self.codes.iter().map(AsRef::as_ref))
    }

    fn at(&self, number: u32) -> &str {
        &self.codes[number as usize - 1]
    }
}

/// Looks whether a code may be one.
///
/// # Errors
/// [`Refusal::OutOfBounds`] unless it has 1 to [`CODE_BYTES_MAX`] bytes, no control character and no space at its ends.
pub(super) fn check_code(code: &str) -> Result<(), Refusal> {
    let sound = (1..=CODE_BYTES_MAX).contains(&code.len())
        && !code.chars().any(char::is_control)
        && code.trim().len() == code.len();
    if sound { Ok(()) } else { Err(Refusal::OutOfBounds { field: Field::Code, min: 1, max: CODE_BYTES_MAX as u64 }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_keeps_its_number_and_case_matters() {
        let mut catalog = Catalog::default();
        let numbers: Vec<_> = ["85123A", "85123a", "é"].iter().map(|code| catalog.insert(code)).collect();
        assert_eq!(numbers, [1, 2, 3]);
        assert_eq!((catalog.number("85123a"), catalog.number("85123")), (Some(2), None));
        assert_eq!((catalog.code(3), catalog.code(4), catalog.code(0)), (Some("é"), None, None));
    }

    #[test]
    fn a_code_has_bytes_and_no_space_at_its_ends() {
        for bad in ["", " a", "a ", "a\n", "\u{7f}", &"x".repeat(CODE_BYTES_MAX + 1)] {
            assert!(check_code(bad).is_err(), "{bad:?}");
        }
        for good in ["a", "a b", "ÄÖ", &"x".repeat(CODE_BYTES_MAX)] {
            assert_eq!(check_code(good), Ok(()), "{good:?}");
        }
    }
}
