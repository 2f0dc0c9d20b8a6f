//! Log time for people: `2026-11-22T13:45:00.123Z`.
//!
//! The calendar is computed by Howard Hinnant's `civil_from_days` ("chrono-Compatible Low-Level Date Algorithms").

use crate::base::Timestamp;

const DAY_MS: u64 = 86_400_000;

/// The moment in UTC, to the millisecond.
pub(super) fn utc(at: Timestamp) -> String {
    let (year, month, day) = civil(at.ms() / DAY_MS);
    let ms = at.ms() % DAY_MS;
    let (hour, minute, second) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1_000 % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", ms % 1_000)
}

/// The same, and nothing for the moment that means "none".
pub(super) fn utc_or_none(at: Timestamp) -> Option<String> {
    (at != Timestamp::ZERO).then(|| utc(at))
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
            assert_eq!(utc(Timestamp::from_ms(ms)), text);
        }
        assert_eq!(utc_or_none(Timestamp::ZERO), None);
    }
}
