//! Limits of velocity: what is counted of whoever places orders.

/// The shortest window in which a market counts.
pub const VELOCITY_WINDOW_MS_MIN: u32 = 60 * 1_000;
/// The longest: 31 days.
pub const VELOCITY_WINDOW_MS_MAX: u32 = 31 * 24 * 3_600 * 1_000;
/// Slices of a window. One more is counted, so that what is told covers all of it.
pub const VELOCITY_SLICES: u64 = 16;
/// Keys of customers that one market counts, 1 to this many.
pub const VELOCITY_KEYS_MAX: u32 = 1_000_000;
/// Keys of customers that a market counts when it is told to count, and not how many.
pub const VELOCITY_KEYS_DEFAULT: u32 = 10_000;
/// Keys of customers that all markets of a node count together, unless set.
pub const VELOCITY_DEFAULT: u64 = 20_000;
/// Memory the start-up check counts for one of these: its slices (272) and what else is known of it (80), where it is
/// found in a table that is half full (112), its place in the tree that tells who was quiet longest (80), and what the
/// allocator rounds up.
pub const VELOCITY_MEMORY_BYTES: u64 = 560;
