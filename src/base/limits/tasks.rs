//! Limits of what is told of orders that somebody has to look at, and of what an order waits for.

/// Bytes of the words of a task, or of what an order waits for: an owner, a reason, numbers, and what joins them.
pub const TASK_WORDS_BYTES_MAX: usize = super::CODE_BYTES_MAX + 64;
/// What one order is told to wait for; of lines that are owed something, those that do not fit are told together.
pub const ORDER_WAITS_MAX: usize = 64;
/// Memory the start-up check counts for each order: a task (80: its place in the list, and since when it is there) of
/// one order in sixteen.
pub const TASK_MEMORY_BYTES: u64 = 5;
