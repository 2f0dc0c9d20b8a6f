//! The image of a shard: its whole state as bytes, in parts of bounded size, and back.
//!
//! ```text
//! part: │ item │ item │ item │ …      whole items, about a mebibyte of them
//! item: │ kind u8 │ fields, little-endian, then arrays │
//!
//! directory, cursors ► per market: market, sites, SKUs, kits, balances, stock requests, policies with counts,
//! caps, shortages, counts of velocity ► what was on hand ► keys ► orders, each with its tasks and its history
//! ```
//!
//! # Always true
//! - An engine read from an image has the same digest as the one it was written from, and goes on as that one would.
//! - Whatever follows from the rest is not written: sums, books of what is kept, queues, indexes.
//! - Reading refuses what does not fit together; it never panics on bytes.
//! # Not here
//! - Files, checksums, positions of the log: `wal::image`. Which image to take, when to make one: `shard::snapshot`.
//! # Why so
//! Fields are taken apart without `..`, so whoever adds one to the state is asked here what becomes of it.

mod read;
#[cfg(test)]
mod tests;
mod write;

/// Why parts make no state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the image does not fit together: {what}")]
pub struct ImageError {
    what: &'static str,
}

impl ImageError {
    const fn new(what: &'static str) -> Self {
        Self { what }
    }
}

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Item {
    Assigned = 1,
    Site = 3,
    Sku = 4,
    Request = 6,
    /// How many orders follow.
    Orders = 8,
    Customer = 10,
    Cursor = 11,
    /// With an oversell allowance and a level of stock; 9 had none.
    Policy = 13,
    /// Of ten buckets; 12 was that of nine, 5 that of six.
    Balances = 14,
    /// What a SKU is made of that came before.
    Kit = 16,
    /// What was on hand at a place, and when.
    OnHand = 17,
    /// What a place is short of.
    Short = 18,
    /// A slot of keys and its generation, or which of them is free next.
    Key = 19,
    /// What happened to the order before it, if something did.
    History = 21,
    ChannelCap = 22,
    /// How long reservations of a market last, if that was set; 20 said nothing of payment methods.
    Reservations = 26,
    /// Tasks of the order before it of which its state does not say since when, and what of a refund is open.
    Task = 33,
    /// When authorisations of the order before it end, of those of which somebody said.
    Ends = 34,
    /// With checks among the effects; 27 had none. With the money of closed orders, and counts of orders whose payment
    /// failed; 24 had neither, 2 none in review.
    Market = 29,
    /// With checks; those of 28 had none. With attempts to pay; those of 25 had none, those of 15 no holds, those of 7
    /// effects with attempts of 16 bits.
    /// Details stand behind the name of their key; those of an image without keys are refused.
    Order = 30,
    /// What of the order before it reached its customer, and what comes back; where there is either.
    Returns = 31,
    /// What a market counts of whoever places orders, and since when.
    Velocity = 35,
    /// What one key placed lately, those that were quiet longest first.
    VelocityKey = 36,
}

/// First byte of an item of keys: the next slot's generation follows.
const KEY_SLOT: u8 = 0;
/// First byte of an item of keys: which slot is free next.
const KEY_FREE: u8 = 1;
/// Length of the name of a key.
const KEY_NAME: usize = 8;
/// Bit beside the phase of an order: a payment of it has started.
const PAYMENT_STARTED: u8 = 0x80;
/// Bit beside the phase of an order: somebody said that it is paid, and nobody had told of any payment.
const SAID_PAID: u8 = 0x40;
/// Bit beside why an effect was set aside: nobody told what became of what was wanted before.
const UNTOLD: u8 = 0x80;
/// Bit beside the dispute of an attempt: its order was paid late without it.
const LET_GO: u8 = 4;

impl Item {
    const ALL: [Self; 23] = [
        Self::Assigned,
        Self::Market,
        Self::Site,
        Self::Sku,
        Self::Kit,
        Self::Balances,
        Self::Request,
        Self::Order,
        Self::Orders,
        Self::Returns,
        Self::Policy,
        Self::Customer,
        Self::Cursor,
        Self::Key,
        Self::Reservations,
        Self::History,
        Self::ChannelCap,
        Self::OnHand,
        Self::Short,
        Self::Task,
        Self::Ends,
        Self::Velocity,
        Self::VelocityKey,
    ];
}
