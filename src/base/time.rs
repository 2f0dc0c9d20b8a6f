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

    /// The moment that [`Timestamp::utc`] writes, with or without milliseconds; `None` for a text that is none, or for
    /// a moment before the epoch or after [`Timestamp::MAX`].
    #[must_use]
    pub fn from_utc(text: &str) -> Option<Self> {
        let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
        let (time, ms) = time.split_once('.').unwrap_or((time, "000"));
        let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
        let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
        let [ms] = numbers(ms, '.', [3])?;
        let is_time = hour < 24 && minute < 60 && second < 60;
        let days = (year >= 1_970 && (1..=12).contains(&month) && day > 0).then(|| days(year, month, day))?;
        let all = ((days * 24 + hour) * 60 + minute) * 60_000 + second * 1_000 + ms;
        let is_day = civil(days) == (year, month, day);
        (is_time && is_day && all <= Self::MAX.0).then(|| Self::from_ms(all))
    }

    /// The same, and nothing for the moment that means "none".
    #[must_use]
    pub fn utc_or_none(self) -> Option<String> {
        (self != Self::ZERO).then(|| self.utc())
    }
}

/// Numbers of so many digits with something between them.
fn numbers<const N: usize>(text: &str, between: char, digits: [usize; N]) -> Option<[u64; N]> {
    let (mut parts, mut numbers) = (text.split(between), [0; N]);
    for (number, digits) in numbers.iter_mut().zip(digits) {
        let part = parts.next().filter(|part| part.len() == digits && part.bytes().all(|it| it.is_ascii_digit()))?;
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(numbers)
}

/// A day counted from 1970-01-01, which is no later: the way back from [`civil`].
const fn days(year: u64, month: u64, day: u64) -> u64 {
    let (year, shifted_month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let (era, year_of_era) = (year / 400, year % 400);
    let day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
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
            assert_eq!(Timestamp::from_utc(text), Some(Timestamp::from_ms(ms)));
        }
        assert_eq!(Timestamp::ZERO.utc_or_none(), None);
    }

    #[test]
    fn what_is_no_moment_is_none() {
        assert_eq!(Timestamp::from_utc("1970-01-01T00:00:01Z"), Some(Timestamp::from_ms(1_000)));
        assert_eq!(Timestamp::from_utc("2025-02-29T00:00:00Z"), None, "no such day");
        for text in ["", "2025-01-01", "2025-01-01T00:00:00", "2025-13-01T00:00:00Z", "2025-01-01T24:00:00Z"] {
            assert_eq!(Timestamp::from_utc(text), None, "{text}");
        }
        for text in ["2025-1-01T00:00:00Z", "1969-12-31T00:00:00Z", "9999-01-01T00:00:00.1Z", "+025-01-01T00:00:00Z"] {
            assert_eq!(Timestamp::from_utc(text), None, "{text}");
        }
        for ms in [0, 1, 86_399_999, 1_709_164_800_000, 1_760_000_000_123, 253_402_300_799_999] {
            assert_eq!(Timestamp::from_utc(&Timestamp::from_ms(ms).utc()), Some(Timestamp::from_ms(ms)));
        }
    }
}
