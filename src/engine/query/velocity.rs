//! What is told of whoever places orders: how many, for how much, lately.

use super::super::velocity::Velocity;
use crate::base::{Currency, Price, Timestamp};

/// What the keys of somebody placed lately.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct VelocityView {
    /// What the market counts.
    pub velocity: Velocity,
    /// Every order accepted from here on is counted: the window, and at most a slice more; less when the market has
    /// counted for less.
    pub from: Timestamp,
    /// Up to here.
    pub upto: Timestamp,
    /// Of the customer's key.
    pub customer: VelocityCount,
    /// Of the hash of the account.
    pub account: VelocityCount,
    /// Of the hash of the address.
    pub address: VelocityCount,
    /// Of the hash of the instrument.
    pub instrument: VelocityCount,
}

impl VelocityView {
    /// The four, in the order of their names above.
    #[must_use]
    pub const fn counts(&self) -> [&VelocityCount; 4] {
        [&self.customer, &self.account, &self.address, &self.instrument]
    }

    /// Orders of whichever key placed most.
    #[must_use]
    pub fn orders_most(&self) -> u32 {
        self.counts().map(|count| count.orders).into_iter().max().unwrap_or_default()
    }
}

/// What one key placed lately. Nothing of a key that was not asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct VelocityCount {
    /// Orders that were accepted.
    pub orders: u32,
    /// Of them, those in another currency than the first: what they cost is in no sum.
    pub other_currency: u32,
    /// What the others cost, in minor units.
    pub money: Price,
    /// Of the money; `None` when there are no orders.
    pub currency: Option<Currency>,
    /// There may have been more: the key was forgotten since, for want of room, or may have been.
    pub incomplete: bool,
}
