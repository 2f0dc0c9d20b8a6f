//! Prices: decimal pounds in the file, whole pennies on the wire. Exact, never a float.

use stockade::base::Price;
use stockade::base::limits::UNIT_PRICE_MAX;

/// What the text of a price says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// So many pennies; zero is legal.
    Pennies(Price),
    /// Negative, a fraction of a penny, or more than a price may be.
    Impossible,
    /// Not a decimal number.
    NoNumber,
}

/// Reads `-?digits(.digits)?` as pounds.
pub(crate) fn read(text: &str) -> Reading {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (pounds, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(pounds) || !is_number(fraction) {
        return Reading::NoNumber;
    }
    let (pennies, below) = fraction.split_at(fraction.len().min(2));
    let is_whole = below.bytes().all(|digit| digit == b'0');
    let is_negative = digits.len() < text.len() && digits.bytes().any(|byte| (b'1'..=b'9').contains(&byte));
    match sum(pounds, pennies) {
        Some(price) if is_whole && !is_negative && price <= UNIT_PRICE_MAX => Reading::Pennies(price),
        Some(_) | None => Reading::Impossible,
    }
}

/// `None` when it does not fit 64 bits.
fn sum(pounds: &str, pennies: &str) -> Option<Price> {
    let pounds = pounds.parse::<u64>().ok()?;
    let pennies = format!("{pennies:0<2}").parse::<u64>().ok()?;
    pounds.checked_mul(100)?.checked_add(pennies)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_read_exactly_or_not_at_all() {
        for (text, reading) in [
            ("2.55", Reading::Pennies(255)),
            ("2.5", Reading::Pennies(250)),
            ("2", Reading::Pennies(200)),
            ("0.0", Reading::Pennies(0)),
            ("-0.0", Reading::Pennies(0)),
            ("0.29", Reading::Pennies(29)),
            ("13541.33", Reading::Pennies(1_354_133)),
            ("1.0100", Reading::Pennies(101)),
            ("10000000000", Reading::Pennies(1_000_000_000_000)),
            ("10000000000.01", Reading::Impossible),
            ("0.001", Reading::Impossible),
            ("2.555", Reading::Impossible),
            ("-11062.06", Reading::Impossible),
            ("99999999999999999999", Reading::Impossible),
            ("", Reading::NoNumber),
            (".", Reading::NoNumber),
            (".5", Reading::NoNumber),
            ("5.", Reading::NoNumber),
            ("--5", Reading::NoNumber),
            ("+5", Reading::NoNumber),
            ("1e3", Reading::NoNumber),
            ("2,50", Reading::NoNumber),
        ] {
            assert_eq!(read(text), reading, "{text:?}");
        }
    }
}
