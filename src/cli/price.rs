//! Prices as people write them: a decimal of the currency's major unit, read and written without a float.
//!
//! # Always true
//! - What has more decimals than the currency has is refused, never rounded; even when the rest are zeroes, because
//!   somebody who writes `5.00` of a currency without decimals may mean five hundred.
//! # Why so
//! The server only knows whole minor units. How many make a major unit is ISO 4217, of which only the exceptions from
//! two decimals are listed here.

use crate::base::{Currency, Price};

/// Decimals of a currency's major unit, by ISO 4217.
pub(super) const fn decimals(currency: Currency) -> u32 {
    match &currency.code() {
        b"BIF" | b"CLP" | b"DJF" | b"GNF" | b"ISK" | b"JPY" | b"KMF" | b"KRW" | b"PYG" | b"RWF" | b"UGX" | b"UYI"
        | b"VND" | b"VUV" | b"XAF" | b"XOF" | b"XPF" => 0,
        b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"LYD" | b"OMR" | b"TND" => 3,
        b"CLF" | b"UYW" => 4,
        _ => 2,
    }
}

/// What was wrong with a price, or another amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum PriceFault {
    #[error("the amount {text:?} is not a decimal number; write digits with a point, such as 12.50")]
    NotDecimal { text: String },
    #[error("the amount {text} has {given} decimals; {currency} has {allowed}")]
    TooFine { text: String, given: usize, currency: Currency, allowed: u32 },
    #[error("the amount {text} is too large")]
    TooLarge { text: String },
}

/// Reads a price in minor units.
pub(super) fn parse(text: &str, currency: Currency) -> Result<Price, PriceFault> {
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
        Some(_) => return Err(PriceFault::NotDecimal { text: text.to_owned() }),
        None => (text, ""),
    };
    let digits_only = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits_only(whole) || !digits_only(fraction) {
        return Err(PriceFault::NotDecimal { text: text.to_owned() });
    }
    let allowed = decimals(currency);
    let missing = u32::try_from(fraction.len()).ok().and_then(|given| allowed.checked_sub(given));
    let Some(missing) = missing else {
        return Err(PriceFault::TooFine { text: text.to_owned(), given: fraction.len(), currency, allowed });
    };
    let minor = format!("{whole}{fraction}").parse::<Price>().ok();
    let minor = minor.and_then(|minor| minor.checked_mul(10_u64.pow(missing)));
    minor.ok_or_else(|| PriceFault::TooLarge { text: text.to_owned() })
}

/// Writes minor units as a decimal of the major unit.
pub(super) fn text(minor: impl Into<u128>, currency: Currency) -> String {
    let (minor, decimals) = (minor.into(), decimals(currency));
    if decimals == 0 {
        return minor.to_string();
    }
    let scale = 10_u128.pow(decimals);
    format!("{}.{:0width$}", minor / scale, minor % scale, width = decimals as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn currency(code: &str) -> Currency {
        code.parse().expect("a currency")
    }

    #[test]
    fn a_price_is_exact_and_comes_back_as_it_was() {
        for (written, code, minor, back) in [
            ("12.50", "GBP", 1_250, "12.50"),
            ("12.5", "GBP", 1_250, "12.50"),
            ("12", "GBP", 1_200, "12.00"),
            ("0", "EUR", 0, "0.00"),
            ("0.07", "EUR", 7, "0.07"),
            ("1500", "JPY", 1_500, "1500"),
            ("1.234", "KWD", 1_234, "1.234"),
            ("0.29", "USD", 29, "0.29"),
        ] {
            assert_eq!(parse(written, currency(code)), Ok(minor), "{written} {code}");
            assert_eq!(text(minor, currency(code)), back);
        }
    }

    #[test]
    fn a_fraction_of_a_minor_unit_is_refused_and_says_how_many_decimals_there_are() {
        let fault = parse("1.005", currency("GBP")).expect_err("a fraction of a penny");
        assert_eq!(fault.to_string(), "the amount 1.005 has 3 decimals; GBP has 2");
        assert!(parse("5.00", currency("JPY")).expect_err("a fraction of a yen").to_string().contains("JPY has 0"));
    }

    #[test]
    fn anything_that_is_not_a_plain_decimal_is_refused() {
        for bad in ["", ".", "1.", ".5", "-1", "+1", "1e3", "1,50", "1.2.3", " 1", "£1", "99999999999999999999"] {
            assert!(parse(bad, currency("GBP")).is_err(), "{bad:?}");
        }
    }
}
