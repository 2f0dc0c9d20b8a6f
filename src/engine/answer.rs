//! Answers: what became of a command that was not refused.

use super::order::State;
use super::return_::Stage;
use crate::base::{OrderNumber, SkuId, Timestamp};

/// What one line of a placement got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Granted {
    /// Units taken, those that are owed included.
    pub taken: u32,
    /// Units of these that are not there yet.
    pub owed: u32,
}

/// What became of a command. `repeated` says that it had already happened and this is its first answer again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// A market, a site or a SKU has this number.
    Numbered {
        /// The number.
        number: u32,
        /// It existed before.
        repeated: bool,
    },
    /// A setting of a market is as asked.
    Set {
        /// It was before.
        repeated: bool,
    },
    /// Stock was received or adjusted.
    Stock {
        /// Units available of that SKU at that site right after it happened first.
        available: u64,
        /// It had happened before.
        repeated: bool,
    },
    /// The order was accepted. What each line got is in [`Scratch::granted`](super::Scratch::granted), filled only when
    /// `short` or `owed`.
    Placed {
        /// For people.
        number: OrderNumber,
        /// Log time of acceptance.
        accepted_at: Timestamp,
        /// When the reservation ends; zero when the order needed no payment.
        deadline: Timestamp,
        /// Its state now.
        state: State,
        /// Some line got fewer units than asked.
        short: bool,
        /// Some of what a line got is not there yet: now, also when the answer is a repeat.
        owed: bool,
        /// It had been accepted before.
        repeated: bool,
    },
    /// A command on an order was carried out.
    Done {
        /// Its state now.
        state: State,
        /// A confirm: units the payment covers, as they are now. A cancel: units of the order cancelled in all. Any
        /// other: units it moved when it happened first.
        moved: u64,
        /// Units it was asked to move and could not account for (hand-over only).
        excess: u64,
        /// It had happened before.
        repeated: bool,
    },
    /// A command on a return was carried out.
    Return {
        /// The order's state now.
        state: State,
        /// The return's stage now.
        stage: Stage,
        /// Units asked; or that are new: came in, or were looked at.
        moved: u64,
        /// It had happened before, or tells nothing new.
        repeated: bool,
    },
    /// A reservation lasts until then.
    Extended {
        /// When it ends now.
        deadline: Timestamp,
        /// It lasted as long before.
        repeated: bool,
    },
    /// Nobody can read somebody's details any more.
    Erased {
        /// Orders whose details could be read until now.
        orders: u32,
        /// There were none.
        repeated: bool,
    },
    /// Payment came after expiry and the units could not be taken again. A fact, once per attempt: refund.
    RetakeFailed {
        /// The first SKU that came up short.
        sku: SkuId,
        /// This attempt had failed before.
        repeated: bool,
    },
}
