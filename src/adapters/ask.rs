//! What a runner wants done, and what an adapter says to the shards.
//!
//! # Not here
//! - When: `runner`. How a request gets to a shard, and what is told comes back: `desk`.

use super::counterparty::{Job, News, Payment};
use crate::base::{CustomerKey, MarketId, OrderId};
use crate::engine::command::IdentityHashes;
use crate::engine::{Command, Effect, Query, Report};
use crate::wire::{Refused, Request};

/// What the thread around it is to do.
#[derive(Debug)]
pub enum Do {
    /// Ask a shard; what it tells comes back with this correlation.
    Ask {
        /// Which, counted from zero.
        shard: usize,
        /// Comes back with what is told.
        correlation: u64,
        /// What.
        ask: Ask,
    },
    /// Let the counterparty carry this out.
    CarryOut(Job),
    /// This need not be told again.
    Acknowledge(News),
    /// This is refused, and will be whenever it is told.
    Refuse(News, Refused),
}

/// A request of an adapter, owning what it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// A page of the wanted list.
    Wanted {
        /// Of which effect.
        effect: Effect,
        /// Behind this place.
        after: u64,
        /// At most so many.
        rows_max: u16,
    },
    /// An order as it is.
    Order(OrderId),
    /// What whoever placed an order placed lately.
    Velocity {
        /// Where.
        market: MarketId,
        /// Who.
        customer: CustomerKey,
        /// And by which hashes.
        hashes: IdentityHashes,
    },
    /// To take note of what came of an effect.
    Say {
        /// Whose.
        order: OrderId,
        /// Which.
        effect: Effect,
        /// The attempt that was carried out.
        attempt: u32,
        /// What came of it.
        say: Say,
    },
    /// To take note of what a counterparty told by itself.
    News(News),
}

/// What a shard is told of an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Say {
    /// What became of one attempt to pay.
    Payment(Payment),
    /// What became of the whole effect.
    Report(Report),
}

impl Ask {
    /// Hands the request on.
    pub fn with_request<T>(&self, with: impl FnOnce(&Request<'_>) -> T) -> T {
        match self {
            Self::Wanted { effect, after, rows_max } => with(&Request::Query(Query::Wanted {
                market: None,
                effect: *effect,
                aside: false,
                after: *after,
                rows_max: *rows_max,
            })),
            Self::Order(order) => with(&Request::Query(Query::Order { order: *order })),
            Self::Velocity { market, customer, hashes } => {
                with(&Request::Query(Query::Velocity { market: *market, customer: *customer, hashes: *hashes }))
            }
            Self::Say { order, effect, attempt, say } => with(&Request::Command(match *say {
                Say::Payment(payment) => payment.command(*order),
                Say::Report(report) => {
                    Command::ReportEffect { order: *order, effect: *effect, attempt: *attempt, report }
                }
            })),
            Self::News(News::Payment { order, payment }) => with(&Request::Command(payment.command(*order))),
            Self::News(News::HandedOver { order, change, lines }) => {
                with(&Request::Command(Command::HandOver { order: *order, change: *change, lines }))
            }
            Self::News(News::Checked { order, opinion }) => with(&Request::Command(opinion.command(*order))),
        }
    }
}
