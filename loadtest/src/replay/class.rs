//! What became of a line: the eleven classes, and the count of each.

use serde::{Serialize, Serializer, ser::SerializeMap};

/// Every line of a file ends in exactly one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Every unit asked was taken.
    Reserved,
    /// Some were.
    PartlyReserved,
    /// None was.
    SoldOut,
    /// The code names no goods, or the invoice adjusts the shop's accounts.
    NoGoods,
    /// A negative quantity outside a cancellation.
    WriteOff,
    /// The price cannot be written in whole pennies.
    BadPrice,
    /// Every unit was found in earlier orders of the customer.
    CancellationMatched,
    /// Some were.
    CancellationPartlyMatched,
    /// None was.
    CancellationUnmatched,
    /// Nobody knows whose order it cancels.
    CancellationGuest,
    /// The line cannot be read.
    Malformed,
}

impl Class {
    pub(crate) const ALL: [Self; 11] = [
        Self::Reserved,
        Self::PartlyReserved,
        Self::SoldOut,
        Self::NoGoods,
        Self::WriteOff,
        Self::BadPrice,
        Self::CancellationMatched,
        Self::CancellationPartlyMatched,
        Self::CancellationUnmatched,
        Self::CancellationGuest,
        Self::Malformed,
    ];

    /// The key in `by_reason`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Reserved => "reserved",
            Self::PartlyReserved => "partly_reserved",
            Self::SoldOut => "sold_out",
            Self::NoGoods => "no_goods",
            Self::WriteOff => "write_off",
            Self::BadPrice => "bad_price",
            Self::CancellationMatched => "cancellation_matched",
            Self::CancellationPartlyMatched => "cancellation_partly_matched",
            Self::CancellationUnmatched => "cancellation_unmatched",
            Self::CancellationGuest => "cancellation_guest",
            Self::Malformed => "malformed",
        }
    }

    /// Of an order line.
    pub(crate) const fn of_order_line(asked: u32, taken: u32) -> Self {
        match taken {
            0 => Self::SoldOut,
            _ if taken == asked => Self::Reserved,
            _ => Self::PartlyReserved,
        }
    }

    /// Of a cancellation line of a known customer.
    pub(crate) const fn of_cancellation(wanted: u32, found: u32) -> Self {
        match found {
            0 => Self::CancellationUnmatched,
            _ if found == wanted => Self::CancellationMatched,
            _ => Self::CancellationPartlyMatched,
        }
    }
}

/// Lines per class.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ByReason([u64; Class::ALL.len()]);

impl ByReason {
    pub(crate) fn count(&mut self, class: Class) {
        self.0[class as usize] += 1;
    }

    pub(crate) const fn of(&self, class: Class) -> u64 {
        self.0[class as usize]
    }

    pub(crate) fn lines(&self) -> u64 {
        self.0.iter().sum()
    }
}

/// An object of all eleven classes, those without a line included.
impl Serialize for ByReason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(Class::ALL.len()))?;
        for class in Class::ALL {
            map.serialize_entry(class.name(), &self.of(class))?;
        }
        map.end()
    }
}
