//! What readings are about: orders that were there before, none of which changes any more, and what each question about
//! them must bring.
//!
//! # Always true
//! - A page brings what is behind its cursor, without a gap; it may be short, and then says where to go on.
//! - Of the books it is known which placements they must hold and which they may.

use std::sync::atomic::{AtomicU64, Ordering};

use stockade::base::{ChangeId, CustomerKey, MarketId, OrderId, OrderNumber, SkuId, Timestamp};
use stockade::engine::order::State;
use stockade::engine::query::{Books, HistoryPage, HolderPage, OrderPage, OrderRow, OrderView, Query};
use stockade::engine::{Answer, Command, Happening, Line};
use stockade::wire::Reply;

use crate::chance::Chance;
use crate::drive::Goods;
use crate::exchange::{Ask, Exchange, describe};
use crate::failure::Failure;

/// Orders placed together.
const TOGETHER: usize = 4_096;
/// One of so many is confirmed.
const CONFIRMED: usize = 3;

/// An order of the book.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    pub(super) order: OrderId,
    number: OrderNumber,
    accepted_at: Timestamp,
    deadline: Timestamp,
    customer: u32,
    sku: u32,
    pub(super) is_confirmed: bool,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Book {
    market: MarketId,
    /// The first SKU.
    sku: SkuId,
    /// In order of their numbers.
    pub(super) orders: Vec<Known>,
    /// Positions by customer, and by SKU.
    of_customer: Vec<Vec<u32>>,
    of_sku: Vec<Vec<u32>>,
}

/// Placements of the checkouts, counted where their bounds are needed.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Sent, or about to be.
    pub(super) sent: AtomicU64,
    /// Answered with an acceptance.
    pub(super) accepted: AtomicU64,
}

/// A question, and what is needed to judge its answer.
#[derive(Debug, Clone, Copy)]
pub(super) enum Asked {
    OrdersOf {
        customer: u32,
        before: OrderNumber,
    },
    Holders {
        sku: u32,
        after: OrderNumber,
    },
    /// So many placements had been accepted when it was asked.
    Books {
        accepted: u64,
    },
    History {
        at: usize,
    },
    Order {
        at: usize,
    },
}

/// Kinds of questions, in the order in which they take turns.
pub(super) const KINDS: [&str; 5] = ["orders of a customer", "holders", "books", "history", "order"];

impl Known {
    const fn state(&self) -> State {
        if self.is_confirmed { State::Confirmed } else { State::PendingPayment }
    }

    const fn row(&self) -> OrderRow {
        OrderRow { order: self.order, number: self.number, state: self.state(), deadline: self.deadline }
    }
}

const fn customer_key(customer: u32) -> CustomerKey {
    // No customer of a checkout has such a key.
    CustomerKey((1 << 127) | (customer as u128 + 1))
}

impl Book {
    /// Places it: so many orders of so many customers, of as many SKUs from the first on.
    pub(super) async fn place(
        exchange: &mut Exchange,
        goods: Goods,
        orders: usize,
        (customers, skus): (u32, u32),
    ) -> Result<Self, Failure> {
        let (market, sku) = (goods.market, goods.sku);
        let mut book = Self {
            market,
            sku,
            orders: Vec::with_capacity(orders),
            of_customer: vec![Vec::new(); customers as usize],
            of_sku: vec![Vec::new(); skus as usize],
        };
        while book.orders.len() < orders {
            let first = book.orders.len();
            book.place_some(exchange, goods, first..orders.min(first + TOGETHER)).await?;
        }
        book.confirm_some(exchange).await?;
        Ok(book)
    }

    async fn place_some(
        &mut self,
        exchange: &mut Exchange,
        goods: Goods,
        these: std::ops::Range<usize>,
    ) -> Result<(), Failure> {
        let made_at = exchange.client().log_time();
        let (customers, skus) = (self.of_customer.len(), self.of_sku.len());
        let line = |n: usize| [Line { sku: SkuId(self.sku.0 + (n % skus) as u32), ..goods.cart()[0] }];
        let lines: Vec<[Line; 1]> = these.clone().map(line).collect();
        let place = |(n, lines)| {
            let place = goods.place(n as u64, made_at, lines);
            Ask::Command(Command::Place(stockade::engine::Place {
                customer: customer_key((n % customers) as u32),
                ..place
            }))
        };
        let asks: Vec<_> = these.clone().zip(lines.iter().map(<[Line; 1]>::as_slice)).map(place).collect();
        let (mut placed, mut wrong) = (Vec::with_capacity(asks.len()), None);
        let take = |at: usize, reply: &Reply<'_>, _: u64| match *reply {
            Reply::Answer(
                Answer::Placed { number, accepted_at, deadline, state: State::PendingPayment, repeated: false, .. },
                _,
            ) => {
                let n = these.start + at;
                let (customer, sku) = ((n % customers) as u32, (n % skus) as u32);
                let order = goods.order_id(n as u64, made_at);
                placed.push(Known { order, number, accepted_at, deadline, customer, sku, is_confirmed: false });
            }
            ref other => wrong = Some(describe(other)),
        };
        exchange.ask(&asks, take).await?;
        if let Some(answer) = wrong {
            return Err(Failure::Unexpected { attempt: "an order of the book".into(), answer });
        }
        placed.sort_by_key(|known| known.number);
        for known in placed {
            let at = u32::try_from(self.orders.len()).expect("law: a book is bounded");
            self.of_customer[known.customer as usize].push(at);
            self.of_sku[known.sku as usize].push(at);
            self.orders.push(known);
        }
        Ok(())
    }

    async fn confirm_some(&mut self, exchange: &mut Exchange) -> Result<(), Failure> {
        let confirm = |known: &mut Known| {
            known.is_confirmed = true;
            Ask::Command(Command::Confirm { order: known.order, attempt: ChangeId(1) })
        };
        let asks: Vec<_> = self.orders.iter_mut().step_by(CONFIRMED).map(confirm).collect();
        let mut wrong = None;
        let take = |_: usize, reply: &Reply<'_>, _: u64| {
            if !matches!(reply, Reply::Answer(Answer::Done { state: State::Confirmed, moved: 1, .. }, _)) {
                wrong = Some(describe(reply));
            }
        };
        exchange.ask(&asks, take).await?;
        wrong.map_or(Ok(()), |answer| Err(Failure::Unexpected { attempt: "confirming the book".into(), answer }))
    }

    /// The next question of a kind: half the pages from the beginning, half from somewhere in the middle.
    pub(super) fn ask(&self, kind: usize, chance: &mut Chance, seen: &Seen) -> Asked {
        let at = (chance.draw() % self.orders.len() as u64) as usize;
        let known = &self.orders[at];
        let begins = chance.draw().is_multiple_of(2);
        let from = if begins { OrderNumber(0) } else { known.number };
        match kind {
            0 => Asked::OrdersOf { customer: known.customer, before: from },
            1 => Asked::Holders { sku: known.sku, after: from },
            2 => Asked::Books { accepted: seen.accepted.load(Ordering::SeqCst) },
            3 => Asked::History { at },
            _ => Asked::Order { at },
        }
    }

    pub(super) fn query(&self, asked: Asked, rows_max: u16) -> Query<'static> {
        let market = self.market;
        match asked {
            Asked::OrdersOf { customer, before } => {
                Query::CustomerOrders { market, customer: customer_key(customer), before, rows_max }
            }
            Asked::Holders { sku, after } => Query::Holders { market, sku: SkuId(self.sku.0 + sku), after, rows_max },
            Asked::Books { .. } => Query::Books { market },
            Asked::History { at } => Query::OrderHistory { order: self.orders[at].order, after: 0, rows_max },
            Asked::Order { at } => Query::Order { order: self.orders[at].order },
        }
    }

    /// Looks whether an answer is what is known, and how many rows it has.
    pub(super) fn check(&self, asked: Asked, reply: &Reply<'_>, rows_max: u16, seen: &Seen) -> Result<u64, String> {
        match (asked, reply) {
            (Asked::OrdersOf { customer, before }, Reply::OpenOrders(page)) => {
                self.check_orders_of(customer, before, page, rows_max)
            }
            (Asked::Holders { sku, after }, Reply::Holders(page)) => self.check_holders(sku, after, page, rows_max),
            (Asked::Books { accepted }, Reply::Books(at)) => {
                self.check_books(accepted, &at.books, seen.sent.load(Ordering::SeqCst))
            }
            (Asked::History { at }, Reply::OrderHistory(page)) => check_history(&self.orders[at], page),
            (Asked::Order { at }, Reply::Order(view)) => self.check_view(&self.orders[at], view),
            (_, other) => Err(describe(other)),
        }
    }

    fn check_orders_of(
        &self,
        customer: u32,
        before: OrderNumber,
        page: &OrderPage,
        rows_max: u16,
    ) -> Result<u64, String> {
        let all = self.of_customer[customer as usize].iter().rev().map(|at| self.orders[*at as usize].row());
        let mut expected = all.filter(|row| before.0 == 0 || row.number < before);
        for row in &page.rows {
            same(expected.next().as_ref(), Some(row))?;
        }
        let missing = expected.next();
        let goes_on = |next: OrderNumber| missing.is_none_or(|row| row.number < next);
        check_end(page.rows.len(), rows_max, page.next.map_or(missing.is_none(), goes_on))
    }

    fn check_holders(&self, sku: u32, after: OrderNumber, page: &HolderPage, rows_max: u16) -> Result<u64, String> {
        let all = self.of_sku[sku as usize].iter().map(|at| &self.orders[*at as usize]);
        let mut expected = all.filter(|known| known.number > after);
        for row in &page.rows {
            let known = expected.next();
            same(known.map(Known::row).as_ref(), Some(&row.order))?;
            let is_confirmed = known.is_some_and(|known| known.is_confirmed);
            let units = (0, u64::from(!is_confirmed), u64::from(is_confirmed));
            same(Some(&units), Some(&(row.owed, row.reserved, row.committed)))?;
        }
        let missing = expected.next();
        let goes_on = |next: OrderNumber| missing.is_none_or(|known| known.number > next);
        check_end(page.rows.len(), rows_max, page.next.map_or(missing.is_none(), goes_on))
    }

    fn check_books(&self, accepted: u64, books: &Books, sent: u64) -> Result<u64, String> {
        let (orders, units) = (books.orders.iter().sum::<u64>(), books.units.iter().sum::<i64>());
        let (least, most) = (self.orders.len() as u64 + accepted, self.orders.len() as u64 + sent);
        if (least..=most).contains(&orders) && units == 0 && books.owed == 0 {
            return Ok(1);
        }
        Err(format!("books of {orders} orders, {least} to {most} are there, their units sum to {units}: {books:?}"))
    }

    fn check_view(&self, known: &Known, view: &OrderView) -> Result<u64, String> {
        let row = OrderRow { order: view.order, number: view.number, state: view.state, deadline: view.deadline };
        same(Some(&known.row()), Some(&row))?;
        same(Some(&customer_key(known.customer)), Some(&view.customer))?;
        let units = view.lines.iter().map(|line| (line.sku.0, line.taken)).collect::<Vec<_>>();
        same(Some(&vec![(self.sku.0 + known.sku, 1)]), Some(&units))?;
        Ok(1)
    }
}

fn check_history(known: &Known, page: &HistoryPage) -> Result<u64, String> {
    let told = page.rows.iter().map(|row| (row.place, row.what, row.value)).collect::<Vec<_>>();
    let mut expected = vec![(1, Happening::Placed, 1)];
    expected.extend(known.is_confirmed.then_some((2, Happening::Confirmed, 1)));
    same(Some(&expected), Some(&told))?;
    same(Some(&known.accepted_at), page.rows.first().map(|row| &row.at))?;
    let follows = page.rows.windows(2).all(|pair| pair[0].at <= pair[1].at && pair[1].position.0 > 0);
    if follows && page.next.is_none() && page.not_shown == 0 && !page.closed {
        return Ok(told.len() as u64);
    }
    Err(format!("a history that cannot be: {page:?}"))
}

fn same<T: PartialEq + std::fmt::Debug>(expected: Option<&T>, found: Option<&T>) -> Result<(), String> {
    if expected == found { Ok(()) } else { Err(format!("{found:?}, where {expected:?} is known")) }
}

/// A page is no longer than asked, and says where to go on whenever something is missing, and nowhere beyond it.
fn check_end(rows: usize, rows_max: u16, goes_on: bool) -> Result<u64, String> {
    if rows <= usize::from(rows_max) && goes_on {
        return Ok(rows as u64);
    }
    Err(format!("a page of {rows} rows that passes over an order, or goes on too long"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book() -> Book {
        let market = MarketId::new(3).expect("fits");
        let at = Timestamp::from_ms(1_000);
        let known = |n: u64| Known {
            order: OrderId::new(at, market, n),
            number: OrderNumber(n + 1),
            accepted_at: at,
            deadline: Timestamp::from_ms(9_000),
            customer: (n % 2) as u32,
            sku: (n % 3) as u32,
            is_confirmed: n.is_multiple_of(3),
        };
        let of = |of: u32, step: u32| (0..12).filter(|n| n % step == of).collect();
        Book {
            market,
            sku: SkuId(5),
            orders: (0..12).map(known).collect(),
            of_customer: (0..2).map(|customer| of(customer, 2)).collect(),
            of_sku: (0..3).map(|sku| of(sku, 3)).collect(),
        }
    }

    fn page(book: &Book, numbers: &[u64], next: Option<u64>) -> Reply<'static> {
        let rows = numbers.iter().map(|number| book.orders[*number as usize - 1].row()).collect();
        Reply::OpenOrders(OrderPage { rows, next: next.map(OrderNumber) })
    }

    #[test]
    fn a_page_without_a_gap_is_right_and_any_other_is_not() {
        let (book, seen) = (book(), Seen::default());
        let asked = Asked::OrdersOf { customer: 1, before: OrderNumber(9) };
        let check = |numbers: &[u64], next| book.check(asked, &page(&book, numbers, next), 4, &seen);
        assert_eq!(check(&[8, 6, 4, 2], None), Ok(4));
        assert_eq!(check(&[8, 6], Some(6)), Ok(2), "short, and goes on");
        assert_eq!(check(&[], Some(9)), Ok(0), "empty, and goes on");
        for (numbers, next, why) in [
            (&[8, 4, 2][..], None, "one is passed over"),
            (&[8, 6], None, "it ends too early"),
            (&[8, 6], Some(4), "it goes on behind one that is missing"),
            (&[10, 8, 6, 4], Some(4), "not behind the cursor"),
            (&[8, 7], Some(7), "somebody else's"),
        ] {
            assert!(check(numbers, next).is_err(), "{why}");
        }
        assert!(book.check(asked, &page(&book, &[8, 6], Some(6)), 1, &seen).is_err(), "longer than asked");
    }

    #[test]
    fn the_books_hold_what_was_accepted_and_no_more_than_was_sent() {
        let (book, seen) = (book(), Seen::default());
        seen.sent.store(5, Ordering::SeqCst);
        let books = |orders: u64| {
            let mut books = Books {
                units: Default::default(),
                owed: 0,
                orders: Default::default(),
                orders_hash: 0,
                money: Vec::new(),
            };
            books.orders[State::Confirmed as usize] = orders;
            books
        };
        for (orders, holds) in [(13, false), (14, true), (17, true), (18, false)] {
            assert_eq!(book.check_books(2, &books(orders), 5).is_ok(), holds, "{orders} orders");
        }
        let mut drifted = books(14);
        drifted.units[0] = 1;
        assert!(book.check_books(2, &drifted, 5).is_err());
    }
}
