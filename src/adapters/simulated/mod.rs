//! A payment provider and a warehouse that are not there: they honour keys, keep their books in a file, and misbehave
//! as told.
//!
//! # Always true
//! - What they did is in their file before anybody is told, so killing the process at any moment leaves what a real
//!   counterparty would remember.
//! - What becomes of an order follows from the seed and the order's identifier alone.
//! # Not here
//! - Power cuts: the file is written, not synced.

mod fate;
mod ledger;
mod payment;
mod warehouse;

#[cfg(test)]
mod tests;

pub use payment::SimulatedPayment;
pub use warehouse::SimulatedWarehouse;

use std::path::PathBuf;

use crate::base::OrderId;

/// How a simulated counterparty behaves. Shares are per thousand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behaviour {
    /// Where its books are.
    pub file: PathBuf,
    /// From being asked to the answer; a warehouse takes as long again to hand over.
    pub delay_ms: u64,
    /// Orders whose money is not to be had.
    pub declined: u16,
    /// Questions, or their answers, that get lost on the way.
    pub lost: u16,
    /// Answers that come once more by another way.
    pub repeated: u16,
    /// Of its chances.
    pub seed: u64,
}

impl Behaviour {
    /// Whether the money of an order is not to be had: what load generators expect of a provider with this seed.
    #[must_use]
    pub const fn declines(seed: u64, declined: u16, order: OrderId) -> bool {
        fate::has(seed, order, 0, declined)
    }
}
