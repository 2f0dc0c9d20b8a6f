//! Numbers as people write them: counts, sizes in bytes, lengths of time.
//!
//! ```text
//! count   4000000   4_000_000
//! bytes   4096   64KiB   256 MiB   1GiB
//! time    250ms   10s   15m   2h   31d
//! ```
//!
//! # Always true
//! - Whole numbers only, and a length of time always has its unit: `30` could be seconds or minutes.

/// What [`count`] takes, for error messages.
pub(super) const COUNT: &str = "a whole number such as 4000000 or 4_000_000";
/// What [`bytes`] takes.
pub(super) const BYTES: &str = "a size such as 4096, 64KiB, 256MiB or 1GiB";
/// What [`span_ms`] takes.
pub(super) const SPAN: &str = "a length of time such as 250ms, 10s, 15m, 2h or 31d";

/// A count; `_` may stand between digits.
pub(super) fn count(text: &str) -> Option<u64> {
    let plain = text.strip_suffix('_').is_none() && !text.starts_with('_');
    let digits: String = text.chars().filter(|char| *char != '_').collect();
    let sound = plain && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if sound { digits.parse().ok() } else { None }
}

/// A size in bytes.
pub(super) fn bytes(text: &str) -> Option<u64> {
    let (number, unit) = split(text)?;
    let scale = match unit {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1_u64 << 40,
        _ => return None,
    };
    number.checked_mul(scale)
}

/// A length of time in milliseconds.
pub(super) fn span_ms(text: &str) -> Option<u64> {
    let (number, unit) = split(text)?;
    let scale = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(scale)
}

fn split(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|char: char| !char.is_ascii_digit() && char != '_').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    Some((count(number)?, unit.trim_start()))
}

/// A size for people, to one decimal.
pub(super) fn bytes_text(bytes: u64) -> String {
    const UNITS: [(&str, u32); 4] = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];
    for (unit, shift) in UNITS {
        if bytes >> shift > 0 {
            let tenths = (u128::from(bytes) * 10) >> shift;
            return format!("{}.{} {unit}", tenths / 10, tenths % 10);
        }
    }
    format!("{bytes} B")
}

/// A length of time for people, in its two largest units.
pub(super) fn span_text(ms: u64) -> String {
    let (seconds, minutes, hours, days) = (ms / 1_000, ms / 60_000, ms / 3_600_000, ms / 86_400_000);
    match () {
        () if days > 0 => format!("{days} d {} h", hours % 24),
        () if hours > 0 => format!("{hours} h {} min", minutes % 60),
        () if minutes > 0 => format!("{minutes} min {} s", seconds % 60),
        () if seconds > 0 => format!("{seconds} s"),
        () => format!("{ms} ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_people_write_them() {
        assert_eq!((count("4_000_000"), count("0")), (Some(4_000_000), Some(0)));
        assert_eq!((bytes("4096"), bytes("256 MiB"), bytes("1GiB")), (Some(4_096), Some(256 << 20), Some(1 << 30)));
        assert_eq!((span_ms("250ms"), span_ms("15m"), span_ms("31d")), (Some(250), Some(900_000), Some(2_678_400_000)));
    }

    #[test]
    fn what_could_mean_two_things_is_refused() {
        for bad in ["", "_1", "1_", "-1", "+1", "1.5", "0x10", "1 000", "99999999999999999999999"] {
            assert_eq!(count(bad), None, "{bad:?}");
        }
        for bad in ["", "MiB", "1M", "1mb", "1.5GiB", "999999999TiB"] {
            assert_eq!(bytes(bad), None, "{bad:?}");
        }
        for bad in ["", "30", "1.5s", "s", "10 seconds", "-1s"] {
            assert_eq!(span_ms(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn sizes_and_times_are_told_in_their_largest_units() {
        assert_eq!((bytes_text(512), bytes_text(1_536)), ("512 B".into(), "1.5 KiB".into()));
        assert_eq!((span_text(42), span_text(61_000)), ("42 ms".into(), "1 min 1 s".into()));
        assert_eq!(span_text(90_000_000), "1 d 1 h");
    }
}
