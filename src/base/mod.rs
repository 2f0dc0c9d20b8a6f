//! Words that everything else uses: identifiers, quantities, money, time, and every limit.
//!
//! Nothing here decides anything. A type belongs here when at least two layers speak it.

pub mod limits;

mod codes;
mod distribution;
mod ids;
mod money;
mod time;

pub use codes::{CodeList, Codes};
pub use distribution::Distribution;
pub use ids::{
    ChangeId, CustomerKey, KeyName, MarketId, OrderId, OrderNumber, RequestId, Sequence, ShardId, SiteId, SkuId,
    TimedId,
};
pub use money::{Currency, CurrencyError, Price};
pub use time::Timestamp;
