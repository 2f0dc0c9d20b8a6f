//! Money as whole minor units of a named currency. No fraction of a minor unit exists anywhere in Stockade.

use core::fmt;

/// An amount in minor units (pennies, cents) of the order's currency. Zero is legal.
pub type Price = u64;

/// An ISO 4217 alphabetic code: three upper-case ASCII letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

/// What was wrong with a currency code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a currency is three upper-case ASCII letters (ISO 4217), such as GBP")]
pub struct CurrencyError;

impl Currency {
    /// Checks that `code` is three upper-case ASCII letters.
    ///
    /// # Errors
    /// [`CurrencyError`] otherwise; whether ISO 4217 lists the code is not checked.
    pub const fn new(code: [u8; 3]) -> Result<Self, CurrencyError> {
        if code[0].is_ascii_uppercase() && code[1].is_ascii_uppercase() && code[2].is_ascii_uppercase() {
            Ok(Self(code))
        } else {
            Err(CurrencyError)
        }
    }

    /// The three letters.
    #[must_use]
    pub const fn code(self) -> [u8; 3] {
        self.0
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|letter| write!(f, "{}", char::from(*letter)))
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl core::str::FromStr for Currency {
    type Err = CurrencyError;

    fn from_str(text: &str) -> Result<Self, CurrencyError> {
        <[u8; 3]>::try_from(text.as_bytes()).map_err(|_| CurrencyError).and_then(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_currency_is_three_upper_case_letters() {
        assert_eq!("GBP".parse::<Currency>().map(Currency::code), Ok(*b"GBP"));
        for bad in ["", "GB", "gbp", "GBPX", "G1P", "£££"] {
            assert_eq!(bad.parse::<Currency>(), Err(CurrencyError), "{bad}");
        }
    }
}
