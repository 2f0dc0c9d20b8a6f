//! What a client gets back: an answer, a refusal, or what it asked to see.
//!
//! Answers borrow their few varying bytes from the frame, because there are millions of them; what queries bring is
//! owned.

use super::layout::get;
use super::refused::Refused;
use super::reply_records::ArchivedGrantedV2;
use super::status::Status;
use crate::base::{Sequence, ShardId, SkuId};
use crate::engine::query::{
    ChannelPage, HeldPage, HistoryPage, HolderPage, OrderPage, OrderView, OrderWaits, RetentionView, SiteRow, StockRow,
    TaskPage, VelocityView, WantPage,
};
use crate::engine::{Answer, Books, Component, Effects, Granted, Policy, Reservations};

/// One reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply<'a> {
    /// A command was carried out. What each line got is empty unless the answer says `short` or `owed`.
    Answer(Answer, Grants<'a>),
    /// A request was refused.
    Refused(Refused),
    /// Stock rows; with `more`, another reply of the same correlation and index goes on.
    Stock {
        /// In the order asked.
        rows: Vec<StockRow>,
        /// Not the last part.
        more: bool,
    },
    /// Units for sale of each SKU, in the order asked.
    Availability(Vec<u64>),
    /// Numbers of SKU codes, in the order asked.
    SkuNumbers(Vec<Option<SkuId>>),
    /// The sites of a market.
    Sites(Vec<SiteRow>),
    /// A page of SKUs.
    Skus(Vec<SkuRow>),
    /// What a kit is made of; nothing of a SKU that is none.
    Recipe(Vec<Component>),
    /// An order.
    Order(Box<OrderView>),
    /// A page of open orders, or of a customer's.
    OpenOrders(OrderPage),
    /// A page of orders that are held.
    HeldOrders(HeldPage),
    /// A page of orders that somebody has to look at.
    Tasks(TaskPage),
    /// Everything that an order waits for.
    Waits(OrderWaits),
    /// A page of who holds units of a SKU.
    Holders(HolderPage),
    /// A page of what happened to an order.
    OrderHistory(HistoryPage),
    /// The books of a market.
    Books(Box<BooksAt>),
    /// What may be sold of a SKU.
    Policy(Policy),
    /// How long reservations of a market last.
    Reservations(Reservations),
    /// What somebody placed lately.
    Velocity(VelocityView),
    /// Caps of channels.
    ChannelCaps(ChannelPage),
    /// How long a market keeps what is over.
    Retention(RetentionView),
    /// Effects that are wanted, or set aside.
    Wanted(WantPage),
    /// Which effects go on the wanted list.
    Effects(Effects),
    /// The server's status.
    Status(Box<Status>),
}

/// A SKU and its code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkuRow {
    /// Its number.
    pub sku: SkuId,
    /// Its code.
    pub code: String,
}

/// The books of a market and the position of the log at which they are true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BooksAt {
    /// The stream that carries the market's facts.
    pub stream: ShardId,
    /// The last entry that counts.
    pub sequence: Sequence,
    /// The books.
    pub books: Books,
}

/// Bytes of what one line got.
pub(super) const GRANT_BYTES: usize = size_of::<ArchivedGrantedV2>();

/// What each line got, as it lies in the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Grants<'a> {
    pub(super) bytes: &'a [u8],
}

impl<'a> Grants<'a> {
    /// How many lines.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.bytes.len() / GRANT_BYTES
    }

    /// Whether nothing was told: every line got what it asked.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Of each line, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Granted> + use<'a> {
        let granted = |line: &ArchivedGrantedV2| Granted { taken: line.taken.to_native(), owed: line.owed.to_native() };
        self.bytes.chunks_exact(GRANT_BYTES).map(move |line| get(line).map(granted).unwrap_or_default())
    }
}
