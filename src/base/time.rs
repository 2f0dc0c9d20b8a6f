//! Log time: milliseconds since the Unix epoch, as the node's monotonic log clock tells it.
//!
//! # Not here
//! - Reading a clock: `shard::clock`. Everything further in is handed a `Timestamp`.

use core::fmt;

const DAY_MS: u64 = 86_400_000;

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

    /// The moment in UTC, to the millisecond, as RFC 3339 writes it: `2026-11-22T13:45:00.123Z`.
    ///
    /// The calendar is computed by Howard Hinnant's `civil_from_days` ("chrono-Compatible Low-Level Date Algorithms").
    #[must_use]
    pub fn utc(self) -> String {
        let (year, month, day) = civil(self.0 / DAY_MS);
        let ms = self.0 % DAY_MS;
        let (hour, minute, second) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1_000 % 60);
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", ms % 1_000)
    }

    /// The same, and nothing for the moment that means "none".
    #[must_use]
    pub fn utc_or_none(self) -> Option<String> {
        (self != Self::ZERO).then(|| self.utc())
    }
}

/// Year, month and day of a day counted from 1970-01-01.
const fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}ms", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_in_utc() {
        for (ms, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_709_164_799_999, "2024-02-28T23:59:59.999Z"),
            (1_709_251_200_000, "2024-03-01T00:00:00.000Z"),
            (1_767_225_599_000, "2025-12-31T23:59:59.000Z"),
        ] {
            assert_eq!(Timestamp::from_ms(ms).utc(), text);
        }
        assert_eq!(Timestamp::ZERO.utc_or_none(), None);
    }
}
