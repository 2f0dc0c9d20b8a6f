//! Identifiers. The two that clients make (orders, stock requests) carry their time and their market.
//!
//! ```text
//!  127                80 79          60 59 58                          0
//! ┌─────────────────────┬──────────────┬──┬────────────────────────────┐
//! │ made at, 48 bit ms  │ market, 20   │ d│ random, 59                 │
//! └─────────────────────┴──────────────┴──┴────────────────────────────┘
//! ```
//!
//! `d` says that the random part was derived from somebody else's key (an HTTP `Idempotency-Key`) and not drawn.
//!
//! # Always true
//! - Comparing two identifiers as numbers compares the times they were made at first.
//! - A market is found in the identifier alone: any command on an order finds its shard without a lookup.

use core::fmt;

use super::Timestamp;

/// A pool of stock and its orders: a small number, 20 bits, given when the market is created.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct MarketId(u32);

impl MarketId {
    /// The largest number that fits an identifier.
    pub const MAX: Self = Self((1 << 20) - 1);

    /// `None` when `number` needs more than 20 bits.
    #[must_use]
    pub const fn new(number: u32) -> Option<Self> {
        if number <= Self::MAX.0 { Some(Self(number)) } else { None }
    }

    /// The number, below 2^20.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }
}

/// A stock keeping unit: a number inside its market, resolved once from its code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SkuId(pub u32);

/// A place that holds stock: a number inside its market.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SiteId(pub u16);

impl SiteId {
    /// Where units lie that an order is owed: nowhere yet. No site has this number.
    pub const NOWHERE: Self = Self(0);
}

/// A shard of the node, and the stream of the log that carries its facts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ShardId(pub u16);

/// A customer: 128 bits that mean nothing here; zero for guests.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct CustomerKey(pub u128);

/// Names a key under which details are sealed: never the key itself. The same slot is used again with the next
/// generation, and by then its key is another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyName {
    /// Where the key is kept: a number of its shard, from 0, without gaps.
    pub slot: u32,
    /// How many keys were there before it.
    pub generation: u32,
}

impl KeyName {
    /// The key that lies in its slot once this one is destroyed.
    #[must_use]
    pub const fn next(self) -> Self {
        Self { slot: self.slot, generation: self.generation.saturating_add(1) }
    }
}

/// Names one change of an order, or one attempt to pay it, so that a repeat is recognised. Chosen by the client.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ChangeId(pub u64);

impl ChangeId {
    /// The attempt to pay that whoever works off the wanted list makes by itself.
    pub const HANDED_OFF: Self = Self(1 << 63);
}

/// A short order number for people: 1, 2, 3, … within a market.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct OrderNumber(pub u64);

/// The position of an entry in one stream of the log: 1, 2, 3, … without a gap; 0 is before the first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Sequence(pub u64);

impl Sequence {
    /// The position after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// 128 bits made by a client: when, for which market, and 59 bits that make it unique.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimedId(u128);

const RANDOM_BITS: u32 = 59;
const DERIVED_BIT: u32 = 59;
const MARKET_SHIFT: u32 = 60;
const TIME_SHIFT: u32 = 80;

impl TimedId {
    /// Puts an identifier together; of `random` the low 59 bits are used.
    #[must_use]
    pub const fn new(made_at: Timestamp, market: MarketId, random: u64) -> Self {
        let random = (random & ((1 << RANDOM_BITS) - 1)) as u128;
        Self((made_at.ms() as u128) << TIME_SHIFT | (market.0 as u128) << MARKET_SHIFT | random)
    }

    /// Every 128-bit value is an identifier.
    #[must_use]
    pub const fn from_bits(bits: u128) -> Self {
        Self(bits)
    }

    /// The 128 bits.
    #[must_use]
    pub const fn bits(self) -> u128 {
        self.0
    }

    /// When the client made it, in log time as the server told it.
    #[must_use]
    pub const fn made_at(self) -> Timestamp {
        Timestamp::from_ms((self.0 >> TIME_SHIFT) as u64)
    }

    /// The market it belongs to.
    #[must_use]
    pub const fn market(self) -> MarketId {
        MarketId((self.0 >> MARKET_SHIFT) as u32 & MarketId::MAX.0)
    }

    /// Whether the random part was derived from another key.
    #[must_use]
    pub const fn is_derived(self) -> bool {
        self.0 >> DERIVED_BIT & 1 == 1
    }
}

macro_rules! timed {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub TimedId);

        impl $name {
            /// Puts an identifier together; of `random` the low 59 bits are used.
            #[must_use]
            pub const fn new(made_at: Timestamp, market: MarketId, random: u64) -> Self {
                Self(TimedId::new(made_at, market, random))
            }

            /// Every 128-bit value is an identifier.
            #[must_use]
            pub const fn from_bits(bits: u128) -> Self {
                Self(TimedId::from_bits(bits))
            }

            /// The 128 bits.
            #[must_use]
            pub const fn bits(self) -> u128 {
                self.0.bits()
            }

            /// When the client made it.
            #[must_use]
            pub const fn made_at(self) -> Timestamp {
                self.0.made_at()
            }

            /// The market it belongs to.
            #[must_use]
            pub const fn market(self) -> MarketId {
                self.0.market()
            }
        }

        /// 32 hexadecimal digits.
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:032x}", self.bits())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        /// 32 hexadecimal digits, nothing else.
        impl core::str::FromStr for $name {
            type Err = TimedIdError;

            fn from_str(text: &str) -> Result<Self, TimedIdError> {
                if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                    return Err(TimedIdError);
                }
                u128::from_str_radix(text, 16).map(Self::from_bits).map_err(|_| TimedIdError)
            }
        }
    };
}

timed! {
    /// An order, and the idempotency key of its placement.
    OrderId
}
timed! {
    /// A stock command (receive, adjust): remembered, so that a repeat changes nothing.
    RequestId
}

/// What was wrong with the text of an identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an identifier is exactly 32 hexadecimal digits")]
pub struct TimedIdError;

macro_rules! numbered {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    )*};
}
numbered!(MarketId, SkuId, SiteId, ShardId, ChangeId, OrderNumber, Sequence);

impl fmt::Debug for CustomerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.slot, self.generation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_gives_back_its_parts() {
        let market = MarketId::new(0xF_FFFF).expect("20 bits fit");
        let id = OrderId::new(Timestamp::from_ms(0xABCD_EF01_2345), market, u64::MAX);
        assert_eq!(id.made_at().ms(), 0xABCD_EF01_2345);
        assert_eq!(id.market(), market);
        assert!(!id.0.is_derived(), "random bits never reach the derived flag");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(MarketId::new(1 << 20), None);
    }

    #[test]
    fn identifiers_sort_by_the_time_they_were_made() {
        let market = |number| MarketId::new(number).expect("fits");
        let early = RequestId::new(Timestamp::from_ms(1), market(9), u64::MAX);
        let late = RequestId::new(Timestamp::from_ms(2), market(0), 0);
        assert!(early < late);
    }

    #[test]
    fn the_text_of_an_identifier_is_32_digits_and_nothing_else() {
        for bad in ["", "1", "+0000000000000000000000000000001", "0x000000000000000000000000000001", "é"] {
            assert_eq!(bad.parse::<OrderId>(), Err(TimedIdError), "{bad}");
        }
    }
}
