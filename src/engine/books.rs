//! The books of a market: what must agree between the server, its log and whoever kept count outside.
//!
//! The hash of an order is XXH3-128 (seed 0) of, little-endian: identifier (16 bytes), state (1), then per line taken,
//! reserved, lapsed, committed, shipped, cancelled (4 each); what is taken and none of the others is owed. The books
//! hold the sum of all of them modulo 2^128, so neither order of arrival nor the place of an order in memory matters,
//! and one order is replaced by subtracting its old hash and adding the new one.
//!
//! # Not here
//! - The digest, which covers the whole state: `digest`.

use xxhash_rust::xxh3::xxh3_128;

use super::order::{LineUnits, STATES, State};
use crate::base::OrderId;

/// Bytes of the hashed form before its lines.
const HEAD: usize = 17;
/// Bytes of one line in the hashed form.
const LINE: usize = 24;

/// Orders of a market: how many in each state, and the sum of their hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Tally {
    pub(super) orders: [u64; STATES],
    pub(super) hash: u128,
}

impl Tally {
    pub(super) const fn add(&mut self, state: State, hash: u128) {
        self.orders[state as usize] += 1;
        self.hash = self.hash.wrapping_add(hash);
    }

    /// Both together.
    pub(super) fn plus(mut self, other: &Self) -> Self {
        self.orders.iter_mut().zip(other.orders).for_each(|(sum, count)| *sum += count);
        self.hash = self.hash.wrapping_add(other.hash);
        self
    }

    pub(super) const fn remove(&mut self, state: State, hash: u128) {
        self.orders[state as usize] -= 1;
        self.hash = self.hash.wrapping_sub(hash);
    }
}

/// The hash of one order, from the counters of its lines in order.
pub fn order_hash(order: OrderId, state: State, lines: impl ExactSizeIterator<Item = LineUnits>) -> u128 {
    let len = HEAD + lines.len() * LINE;
    let mut short = [0; HEAD + 4 * LINE];
    if len <= short.len() {
        write(&mut short[..len], order, state, lines);
        xxh3_128(&short[..len])
    } else {
        let mut long = vec![0; len];
        write(&mut long, order, state, lines);
        xxh3_128(&long)
    }
}

fn write(bytes: &mut [u8], order: OrderId, state: State, lines: impl Iterator<Item = LineUnits>) {
    bytes[..16].copy_from_slice(&order.bits().to_le_bytes());
    bytes[16] = state as u8;
    for (bytes, line) in bytes[HEAD..].as_chunks_mut::<LINE>().0.iter_mut().zip(lines) {
        let taken = u32::try_from(line.taken()).expect("law: a line takes at most what was asked");
        let words = [taken, line.reserved, line.lapsed, line.committed, line.shipped, line.cancelled];
        for (bytes, word) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(words) {
            *bytes = word.to_le_bytes();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_an_order_has_the_documented_layout() {
        let order = OrderId::from_bits(0x0102_0304_0506_0708_090A_0B0C_0D0E_0F10);
        let line = LineUnits { owed: 7, reserved: 1, lapsed: 2, committed: 3, shipped: 4, cancelled: 5, returned: 6 };
        for count in [0, 1, 4, 5, 2_048] {
            let mut bytes = order.bits().to_le_bytes().to_vec();
            bytes.push(2);
            for _ in 0..count {
                for word in [22_u32, 1, 2, 3, 4, 5] {
                    bytes.extend(word.to_le_bytes());
                }
            }
            let lines = vec![line; count];
            assert_eq!(order_hash(order, State::Confirmed, lines.into_iter()), xxh3_128(&bytes), "{count} lines");
        }
    }
}
