//! Limits of customer details and of the keys under which they are sealed.

use super::{KIB, RECORD_BYTES_MAX};

/// Bytes of customer details of one order, as they are given.
pub const DETAILS_BYTES_MAX: usize = 4 * KIB;
/// Bytes that sealing adds to details: the tag by which a change of them is noticed.
pub const SEAL_BYTES: usize = 16;
/// Bytes of the sealed details of one order.
pub const SEALED_BYTES_MAX: usize = DETAILS_BYTES_MAX + SEAL_BYTES;
/// Bytes of sealed details a node keeps, unless set.
pub const DETAILS_BYTES_DEFAULT: u64 = 128 << 20;
/// Keys a node keeps, unless set: one for each customer with details that are kept, and one for each such order of a
/// guest. Past it orders with details that need another are refused `AtCapacity`.
pub const KEYS_DEFAULT: u64 = 250_000;
/// Memory the start-up check counts for one key: the key itself, who uses it, and what finds it by its customer.
pub const KEY_MEMORY_BYTES: u64 = 160;
/// Erasures of one shard whose keys are not overwritten yet; one more is answered `Overloaded`.
pub const ERASURES_WAITING_MAX: usize = 1_024;

const _: () = assert!(SEALED_BYTES_MAX <= u16::MAX as usize, "sealed details are counted in 16 bits");
const _: () = assert!(SEALED_BYTES_MAX < RECORD_BYTES_MAX);
