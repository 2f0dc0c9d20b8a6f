//! A payment provider, a warehouse and a checker that are not there: they honour keys, keep their books in a file, and
//! misbehave as told.
//!
//! # Always true
//! - What they did is in their file before anybody is told, so killing the process at any moment leaves what a real
//!   counterparty would remember.
//! - What becomes of an order follows from the seed and the order's identifier alone.
//! # Not here
//! - Power cuts: the file is written, not synced.

mod check;
mod fate;
mod ledger;
mod payment;
mod warehouse;

#[cfg(test)]
mod tests;

pub use check::SimulatedCheck;
pub use payment::SimulatedPayment;
pub use warehouse::SimulatedWarehouse;

use std::path::PathBuf;

use super::counterparty::Opinion;
use crate::base::OrderId;

/// Keep what becomes of an order here from what becomes of it there.
const OF_REJECTIONS: u64 = 1 << 40;
const OF_DOUBTS: u64 = 1 << 41;

/// How a simulated counterparty behaves. Shares are per thousand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behaviour {
    /// Where its books are.
    pub file: PathBuf,
    /// From being asked to the answer; a warehouse takes as long again to hand over.
    pub delay_ms: u64,
    /// Orders whose money is not to be had.
    pub declined: u16,
    /// Orders that are not to be trusted.
    pub rejected: u16,
    /// Of the others, those that a person is to decide about.
    pub doubted: u16,
    /// Orders within the market's window above which a person is to decide about the next of whoever placed them; 0
    /// for any number.
    pub doubted_above: u32,
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

    /// What a checker with this seed thinks of an order, when it rejects and doubts so many.
    #[must_use]
    pub const fn opinion(seed: u64, [rejected, doubted]: [u16; 2], order: OrderId) -> Opinion {
        if fate::has(seed, order, OF_REJECTIONS, rejected) {
            Opinion::Rejected
        } else if fate::has(seed, order, OF_DOUBTS, doubted) {
            Opinion::Review
        } else {
            Opinion::Trusted
        }
    }
}
