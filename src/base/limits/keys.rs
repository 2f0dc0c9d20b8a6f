//! Limits of the key files.

/// Bytes of a key.
pub const KEY_BYTES: usize = 32;
/// Memory of one slot in a shard's table of keys: the key, its generation, and whether it is there.
pub const KEY_TABLE_MEMORY_BYTES: u64 = 40;
/// Keys that are overwritten together, with two syncs for all of them.
pub const KEYS_OVERWRITTEN_AT_ONCE_MAX: usize = 4_096;
/// How long after one such batch the next one begins, unless it is full: orders that are closed one after the other
/// must not keep the disk syncing while the log wants it.
pub const KEYS_OVERWRITE_PAUSE_MS: u64 = 100;

const _: () = assert!(KEY_TABLE_MEMORY_BYTES < super::KEY_MEMORY_BYTES);
