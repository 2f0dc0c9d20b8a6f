//! The other side: what an adapter needs of a payment provider or a warehouse.

use std::future::Future;
use std::pin::Pin;

use tokio::sync::mpsc;

use crate::base::{ChangeId, OrderId};
use crate::engine::query::{OrderView, WantRow};
use crate::engine::{Effect, LineQuantity};

/// Something to be carried out.
#[derive(Debug, Clone)]
pub struct Job {
    /// What is wanted, of which order. Order and attempt make the key under which to ask.
    pub want: WantRow,
    /// The order as it is; only looked up for a release.
    pub order: Option<Box<OrderView>>,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The money is taken: confirm the order.
    Paid,
    /// The money is not to be had: cancel the order.
    Declined,
    /// Brought about, or never to be.
    Done,
    /// Nobody knows. To be asked again under the same key.
    Again,
    /// The other side says no and will say it again.
    Refused,
}

/// What a counterparty tells on its own account; told again until it is acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// The money of an order is taken, said once more.
    Paid {
        /// Whose.
        order: OrderId,
    },
    /// Goods left the building.
    HandedOver {
        /// Whose.
        order: OrderId,
        /// Names the parcel.
        change: ChangeId,
        /// What was in it.
        lines: Vec<LineQuantity>,
    },
}

impl News {
    /// Whose it is.
    #[must_use]
    pub const fn order(&self) -> OrderId {
        match self {
            Self::Paid { order } | Self::HandedOver { order, .. } => *order,
        }
    }
}

/// A future that stays on its thread.
pub type Promise<'c> = Pin<Box<dyn Future<Output = Verdict> + 'c>>;

/// Whoever can bring one kind of effect about. Lives on the adapter's thread.
///
/// Must honour keys: asked twice for the same order and attempt it answers the same and does nothing twice, and of two
/// attempts for one order the later one holds, in whatever order they come.
pub trait Counterparty {
    /// For labels.
    fn name(&self) -> &'static str;

    /// What it brings about.
    fn effect(&self) -> Effect;

    /// Carries a job out. May be dropped at any moment.
    fn carry_out(&self, job: Job) -> Promise<'_>;

    /// Where its news comes from; asked once, on the adapter's thread. Bounded: a counterparty waits there.
    fn news(&self) -> mpsc::Receiver<News>;

    /// What was told is durable and need not be told again.
    fn handle_acknowledged(&self, news: &News);

    /// What was told is refused and would be again: the order is over, or has no room for another change. It need not
    /// be told again either, and is not kept by any shard.
    fn handle_refused(&self, news: &News);
}
