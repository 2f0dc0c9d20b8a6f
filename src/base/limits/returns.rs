//! Limits of goods that come back.

/// Returns of one order.
pub const RETURNS_PER_ORDER_MAX: usize = 16;
/// Lines of one return, 1 to this many.
pub const RETURN_LINES_MAX: usize = 64;
/// Rows of the returns of one order: their lines, each once more for each site at which it came in.
pub const RETURN_ROWS_MAX: usize = 1_024;
/// A return of which nothing new was told for so long ends by itself: 30 days.
pub const RETURN_QUIET_MS_MAX: u64 = 30 * 24 * 3_600 * 1_000;
/// Returns and rows of all orders of a node together, unless set.
pub const RETURNS_DEFAULT: u64 = 50_000;
/// Memory the start-up check counts for one of these: itself (36), when it ends (24), and its part of what its order
/// has, as if each had one return of one line (37); and what the allocator rounds up.
pub const RETURN_MEMORY_BYTES: u64 = 112;
