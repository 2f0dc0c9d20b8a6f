//! Log time: milliseconds since the Unix epoch, as the node's monotonic log clock tells it.
//!
//! # Not here
//! - Reading a clock: `shard::clock`. Everything further in is handed a `Timestamp`.

use core::fmt;

/// A moment of log time, in milliseconds since 1970-01-01T00:00:00Z. 48 bits are enough until the year 10889.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The epoch; also "no deadline" where a field's document says so.
    pub const ZERO: Self = Self(0);
    /// The last moment an identifier can carry.
    pub const MAX: Self = Self((1 << 48) - 1);

    /// A moment `ms` milliseconds after the epoch, cut to [`Timestamp::MAX`].
    #[must_use]
    pub const fn from_ms(ms: u64) -> Self {
        if ms > Self::MAX.0 { Self::MAX } else { Self(ms) }
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn ms(self) -> u64 {
        self.0
    }

    /// `span_ms` later, cut to [`Timestamp::MAX`].
    #[must_use]
    pub const fn after_ms(self, span_ms: u64) -> Self {
        Self::from_ms(self.0.saturating_add(span_ms))
    }

    /// `span_ms` earlier, cut to the epoch.
    #[must_use]
    pub const fn before_ms(self, span_ms: u64) -> Self {
        Self(self.0.saturating_sub(span_ms))
    }

    /// Milliseconds from `earlier` to `self`; zero when `earlier` is later.
    #[must_use]
    pub const fn since_ms(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}ms", self.0)
    }
}
