//! Replies as a caller keeps them: owned, and known to fit what was asked.

use crate::base::{MarketId, SkuId};
use crate::engine::query::{
    ChannelPage, HeldPage, HistoryPage, HolderPage, OrderPage, OrderView, OrderWaits, RetentionView, SiteRow, StockRow,
    TaskPage, VelocityView, WantPage,
};
use crate::engine::{Answer, Component, Effects, Granted, Policy, Query, Reservations};
use crate::wire::{BooksAt, Refused, Reply, Request, SkuRow};

/// What became of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Response {
    /// It was carried out, or had been before.
    Answered {
        /// What became of it.
        answer: Answer,
        /// What each line got; empty unless the answer says `short` or `owed`.
        granted: Vec<Granted>,
    },
    /// It was refused and changed nothing, whenever it was sent.
    Refused(Refused),
}

/// The answer to a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueryReply {
    /// To `Query::Market`.
    Market(MarketId),
    /// To `Query::Stock`.
    Stock(Vec<StockRow>),
    /// To `Query::Availability`, in the order asked.
    Availability(Vec<u64>),
    /// To `Query::ResolveSkus`, in the order asked.
    SkuNumbers(Vec<Option<SkuId>>),
    /// To `Query::Sites`.
    Sites(Vec<SiteRow>),
    /// To `Query::Skus`.
    Skus(Vec<SkuRow>),
    /// To `Query::Recipe`; empty of a SKU that is no kit.
    Recipe(Vec<Component>),
    /// To `Query::Order` and `Query::OrderByNumber`.
    Order(Box<OrderView>),
    /// To `Query::OpenOrders`.
    OpenOrders(OrderPage),
    /// To `Query::CustomerOrders`.
    CustomerOrders(OrderPage),
    /// To `Query::HeldOrders`.
    HeldOrders(HeldPage),
    /// To `Query::Tasks`.
    Tasks(TaskPage),
    /// To `Query::Waits`.
    Waits(OrderWaits),
    /// To `Query::Holders`.
    Holders(HolderPage),
    /// To `Query::OrderHistory`.
    OrderHistory(HistoryPage),
    /// To `Query::Books`.
    Books(Box<BooksAt>),
    /// To `Query::Policy`.
    Policy(Policy),
    /// To `Query::Reservations`.
    Reservations(Reservations),
    /// To `Query::Velocity`.
    Velocity(VelocityView),
    /// To `Query::ChannelCaps`.
    ChannelCaps(ChannelPage),
    /// To `Query::Retention`.
    Retention(RetentionView),
    /// To `Query::Wanted`.
    Wanted(WantPage),
    /// To `Query::Effects`.
    Effects(Effects),
    /// The query was refused.
    Refused(Refused),
}

/// A reply to a command or to a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Settled {
    Command(Response),
    Query(QueryReply),
}

impl Settled {
    /// The reply as the answer to `request`; `None` when it answers something else. Stock rows of earlier parts come
    /// first.
    pub(super) fn of(request: &Request<'_>, reply: Reply<'_>, mut stock: Vec<StockRow>) -> Option<Self> {
        let query = match (request, reply) {
            (Request::Command(_), Reply::Answer(answer, grants)) => {
                return Some(Self::Command(Response::Answered { answer, granted: grants.iter().collect() }));
            }
            (Request::Command(_), Reply::Refused(why)) => return Some(Self::Command(Response::Refused(why))),
            (Request::Query(_), Reply::Refused(why)) => QueryReply::Refused(why),
            (Request::Query(Query::Market { .. }), Reply::Answer(Answer::Numbered { number, .. }, _)) => {
                QueryReply::Market(MarketId::new(number)?)
            }
            (Request::Query(Query::Stock { .. }), Reply::Stock { rows, .. }) => {
                stock.extend(rows);
                QueryReply::Stock(stock)
            }
            (Request::Query(Query::ResolveSkus { codes, .. }), Reply::SkuNumbers(numbers))
                if numbers.len() == codes.len() =>
            {
                QueryReply::SkuNumbers(numbers)
            }
            (Request::Query(Query::Availability { skus, .. }), Reply::Availability(units))
                if units.len() == skus.len() =>
            {
                QueryReply::Availability(units)
            }
            (Request::Query(Query::Sites { .. }), Reply::Sites(rows)) => QueryReply::Sites(rows),
            (Request::Query(Query::Recipe { .. }), Reply::Recipe(recipe)) => QueryReply::Recipe(recipe),
            (Request::Query(Query::Skus { .. }), Reply::Skus(rows)) => QueryReply::Skus(rows),
            (Request::Query(Query::Order { order }), Reply::Order(view)) if view.order == *order => {
                QueryReply::Order(view)
            }
            (Request::Query(Query::OrderByNumber { number, .. }), Reply::Order(view)) if view.number == *number => {
                QueryReply::Order(view)
            }
            (Request::Query(Query::OpenOrders { .. }), Reply::OpenOrders(page)) => QueryReply::OpenOrders(page),
            (Request::Query(Query::CustomerOrders { .. }), Reply::OpenOrders(page)) => QueryReply::CustomerOrders(page),
            (Request::Query(Query::HeldOrders { .. }), Reply::HeldOrders(page)) => QueryReply::HeldOrders(page),
            (Request::Query(Query::Tasks { .. }), Reply::Tasks(page)) => QueryReply::Tasks(page),
            (Request::Query(Query::Waits { .. }), Reply::Waits(waits)) => QueryReply::Waits(waits),
            (Request::Query(Query::Holders { .. }), Reply::Holders(page)) => QueryReply::Holders(page),
            (Request::Query(Query::OrderHistory { .. }), Reply::OrderHistory(page)) => QueryReply::OrderHistory(page),
            (Request::Query(Query::Books { .. }), Reply::Books(books)) => QueryReply::Books(books),
            (Request::Query(Query::Policy { .. }), Reply::Policy(policy)) => QueryReply::Policy(policy),
            (Request::Query(Query::Reservations { .. }), Reply::Reservations(reservations)) => {
                QueryReply::Reservations(reservations)
            }
            (Request::Query(Query::Velocity { .. }), Reply::Velocity(view)) => QueryReply::Velocity(view),
            (Request::Query(Query::ChannelCaps { .. }), Reply::ChannelCaps(page)) => QueryReply::ChannelCaps(page),
            (Request::Query(Query::Retention { .. }), Reply::Retention(view)) => QueryReply::Retention(view),
            (Request::Query(Query::Wanted { .. }), Reply::Wanted(page)) => QueryReply::Wanted(page),
            (Request::Query(Query::Effects { .. }), Reply::Effects(effects)) => QueryReply::Effects(effects),
            (Request::Command(_) | Request::Query(_), _) => return None,
        };
        Some(Self::Query(query))
    }
}
