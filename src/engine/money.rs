//! The money of a market: what was set aside, taken, given back and taken back, by currency, of all orders ever.
//!
//! # Always true
//! - Each is the sum over the attempts of the market's orders; what closed orders had is counted on.
//! - `captured <= authorised`, `refunded <= captured`, `charged_back <= captured`.

use super::attempt::Attempt;
use crate::base::Currency;

/// Sums of amounts in minor units of one currency. As wide as a million orders of the largest total need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MoneySums {
    /// Set aside, what was taken of it included.
    pub authorised: u128,
    /// Taken.
    pub captured: u128,
    /// Given back.
    pub refunded: u128,
    /// Taken back by banks.
    pub charged_back: u128,
}

impl MoneySums {
    /// The four sums, in the order of their names above.
    #[must_use]
    pub const fn parts(&self) -> [u128; 4] {
        [self.authorised, self.captured, self.refunded, self.charged_back]
    }

    /// Sums from their parts.
    #[must_use]
    pub const fn from_parts([authorised, captured, refunded, charged_back]: [u128; 4]) -> Self {
        Self { authorised, captured, refunded, charged_back }
    }

    fn of(attempts: &[Attempt]) -> Self {
        let sum = |amount: fn(&Attempt) -> u64| attempts.iter().map(|attempt| u128::from(amount(attempt))).sum();
        Self {
            authorised: sum(|attempt| attempt.authorised),
            captured: sum(|attempt| attempt.captured),
            refunded: sum(|attempt| attempt.refunded),
            charged_back: sum(|attempt| attempt.charged_back),
        }
    }

    fn each(&mut self, other: &Self, change: impl Fn(u128, u128) -> u128) {
        let (own, other) = (self.parts(), other.parts());
        *self = Self::from_parts(core::array::from_fn(|part| change(own[part], other[part])));
    }
}

/// The sums of each currency that an order was paid in, or is to be, by currency: a market knows few.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Money(Vec<(Currency, MoneySums)>);

impl Money {
    pub(super) fn add(&mut self, currency: Currency, attempts: &[Attempt]) {
        self.add_sums(currency, &MoneySums::of(attempts));
    }

    pub(super) fn add_sums(&mut self, currency: Currency, sums: &MoneySums) {
        self.of(currency).each(sums, |own, other| own + other);
    }

    pub(super) fn remove(&mut self, currency: Currency, attempts: &[Attempt]) {
        self.of(currency).each(&MoneySums::of(attempts), |own, other| own - other);
    }

    /// From here on the currency is one of the market's.
    pub(super) fn know(&mut self, currency: Currency) {
        self.of(currency);
    }

    fn of(&mut self, currency: Currency) -> &mut MoneySums {
        let place = self.place(currency).unwrap_or_else(|place| {
            self.0.insert(place, (currency, MoneySums::default()));
            place
        });
        &mut self.0[place].1
    }

    fn place(&self, currency: Currency) -> Result<usize, usize> {
        self.0.binary_search_by_key(&currency, |(known, _)| *known)
    }

    /// By currency.
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = (Currency, &MoneySums)> {
        self.0.iter().map(|(currency, sums)| (*currency, sums))
    }

    pub(super) fn knows(&self, currency: Currency) -> bool {
        self.place(currency).is_ok()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
