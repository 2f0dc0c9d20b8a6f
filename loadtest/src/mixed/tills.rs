//! Tills: orders whose money a storefront takes itself, and tells what comes of it.
//!
//! ```text
//! of 10 orders    6 ─► authorised, handed over, captured
//!                 2 ─► declined, tried another way, captured, handed over
//!                 2 ─► the same, then a part asked back, more than is left refused, the part refunded
//! ```
//!
//! Every notice of a capture comes twice.
//!
//! # Always true
//! - Every answer is known beforehand, and so is all the money in the books.

use std::ops::Range;
use std::time::{Duration, Instant};

use stockade::base::{ChangeId, Currency, OrderId, Price, Timestamp};
use stockade::client::Client;
use stockade::engine::choices::PaymentMethod;
use stockade::engine::order::{Counters, State};
use stockade::engine::{Answer, Command, FailureReason, PaymentReport, Refusal, RetryClass};
use stockade::wire::{Refused, Reply};

use crate::books::{Ledger, Money};
use crate::chance::mix;
use crate::drive::Goods;
use crate::errors::Errors;
use crate::exchange::{Ask, Exchange, describe};
use crate::failure::Failure;
use crate::flash::precise;

/// How often in a second some customers come to the tills together.
const ROUNDS_PER_S: f64 = 10.0;

/// What becomes of the payment of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Captured,
    PaidOtherwise,
    PartlyRefunded,
}

impl Class {
    const fn of(n: u64) -> Self {
        match n % 10 {
            0..6 => Self::Captured,
            6..8 => Self::PaidOtherwise,
            _ => Self::PartlyRefunded,
        }
    }
}

/// What a command must be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    Done { state: State, moved: u64, repeated: bool },
    RefundTooMuch { left: u64 },
}

impl Expected {
    fn is(self, reply: &Reply<'_>) -> bool {
        match *reply {
            Reply::Answer(Answer::Done { state, moved, excess: 0, repeated }, _) => {
                self == Self::Done { state, moved, repeated }
            }
            Reply::Refused(Refused::Engine(Refusal::RefundTooMuch { left })) => self == Self::RefundTooMuch { left },
            _ => false,
        }
    }
}

/// Everything that is told of an order after it was placed, and what must be answered.
fn life(class: Class, (order, price, currency): (OrderId, Price, Currency)) -> Vec<(Command<'static>, Expected)> {
    use PaymentMethod::{Card, Wallet};
    use State::{Completed, Confirmed, PaymentFailed, PendingPayment};
    let (first, second) = (ChangeId(1), ChangeId(2));
    let done = |state, moved| Expected::Done { state, moved, repeated: false };
    let start = |attempt, method| (Command::StartPayment { order, attempt, method }, done(PendingPayment, 0));
    let report = |attempt, method, report| Command::ReportPayment { order, attempt, method, currency, report };
    let hand_over = (Command::HandOver { order, change: first, lines: &[] }, done(Completed, 1));
    if class == Class::PaidOtherwise {
        let failed = PaymentReport::Failed { reason: FailureReason::Declined, class: RetryClass::OtherMethod };
        return vec![
            start(first, Card),
            (report(first, Card, failed), done(PaymentFailed, 0)),
            start(second, Wallet),
            (report(second, Wallet, PaymentReport::Captured { total: price }), done(Confirmed, 1)),
            hand_over,
        ];
    }
    let captured = report(first, Card, PaymentReport::Captured { total: price });
    let again = Expected::Done { state: Completed, moved: 0, repeated: true };
    let mut life = vec![
        (report(first, Card, PaymentReport::authorised(price)), done(Confirmed, 1)),
        hand_over,
        (captured, done(Completed, 0)),
        (captured, again),
    ];
    if class == Class::PartlyRefunded {
        let part = part_of(price);
        let refund = |change, amount| Command::RequestRefund { order, change, amount };
        life.extend([
            (refund(second, part), done(Completed, part)),
            (refund(ChangeId(3), price), Expected::RefundTooMuch { left: price - part }),
            (report(first, Card, PaymentReport::Refunded { total: part }), done(Completed, 0)),
        ]);
    }
    life
}

/// What goes back of a price.
const fn part_of(price: Price) -> Price {
    price / 4
}

/// Orders that are paid at the tills.
pub(super) struct Tills {
    goods: Goods,
    count: u64,
    /// Orders that are placed together.
    together: u64,
    span: Duration,
    pub(super) ledger: Ledger,
    pub(super) errors: Errors,
}

impl Tills {
    /// So many a second, for so many seconds.
    pub(super) fn new(goods: Goods, rate: f64, duration: f64) -> Self {
        let count = crate::progress::rounded(rate * duration);
        let together = crate::progress::rounded(rate / ROUNDS_PER_S).max(1);
        let goods = Goods { seed: mix(goods.seed), ..goods };
        let span = Duration::from_secs_f64(duration);
        Self { goods, count, together, span, ledger: Ledger::default(), errors: Errors::default() }
    }

    /// Orders, of them those that were paid another way after all, and those of which a part went back.
    pub(super) fn counts(&self) -> [u64; 3] {
        let of = |class| (0..self.count).filter(|n| Class::of(*n) == class).count() as u64;
        [self.count, of(Class::PaidOtherwise), of(Class::PartlyRefunded)]
    }

    /// Spreads them over the sale.
    pub(super) async fn run(&mut self, client: &Client, begin: Instant) -> Result<(), Failure> {
        let mut exchange = Exchange::open(client).await?;
        let mut first = 0;
        while first < self.count {
            let share = precise(first) / precise(self.count);
            tokio::time::sleep(self.span.mul_f64(share).saturating_sub(begin.elapsed())).await;
            let these = first..(first + self.together).min(self.count);
            first = these.end;
            self.serve(&mut exchange, these).await?;
        }
        let [count, _, refunded] = self.counts();
        let price = self.goods.cart()[0].price;
        let sum = |orders, amount| u128::from(orders) * u128::from(amount);
        self.ledger.money = Money::Exactly {
            authorised: sum(count, price),
            captured: sum(count, price),
            refunded: sum(refunded, part_of(price)),
        };
        Ok(())
    }

    async fn serve(&mut self, exchange: &mut Exchange, orders: Range<u64>) -> Result<(), Failure> {
        let (lines, made_at) = (self.goods.cart(), exchange.client().log_time());
        let places: Vec<_> =
            orders.clone().map(|n| Ask::Command(Command::Place(self.goods.place(n, made_at, &lines)))).collect();
        let errors = &mut self.errors;
        let placed = |_: usize, reply: &Reply<'_>, _: u64| {
            let is_placed = matches!(
                reply,
                Reply::Answer(Answer::Placed { state: State::PendingPayment, short: false, repeated: false, .. }, _)
            );
            if !is_placed {
                errors.add(|| format!("placing an order to be paid at a till: {}", describe(reply)));
            }
        };
        exchange.ask(&places, placed).await?;
        self.tell(exchange, orders, made_at).await
    }

    /// One step of all their lives after the other.
    async fn tell(&mut self, exchange: &mut Exchange, orders: Range<u64>, made_at: Timestamp) -> Result<(), Failure> {
        let (line, shipped) = (self.goods.cart()[0], Counters { shipped: 1, ..Counters::default() });
        let currency = self.goods.place(0, made_at, &[]).currency;
        let mut lives = Vec::new();
        for n in orders {
            let order = self.goods.order_id(n, made_at);
            self.ledger.add(order, State::Completed, &[shipped]);
            lives.push(life(Class::of(n), (order, line.price, currency)));
        }
        let steps = lives.iter().map(Vec::len).max().unwrap_or_default();
        for step in 0..steps {
            let these: Vec<_> = lives.iter().filter_map(|life| life.get(step)).collect();
            let asks: Vec<_> = these.iter().map(|(command, _)| Ask::Command(*command)).collect();
            let errors = &mut self.errors;
            let check = |at: usize, reply: &Reply<'_>, _: u64| {
                let (command, expected) = these[at];
                if !expected.is(reply) {
                    errors.add(|| format!("{command:?} was to be {expected:?}: {}", describe(reply)));
                }
            };
            exchange.ask(&asks, check).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_life_ends_with_the_goods_gone_and_the_money_there() {
        let order = OrderId::from_bits(1);
        let currency = Currency::new(*b"GBP").expect("pounds exist");
        for n in 0..10 {
            let life = life(Class::of(n), (order, 400, currency));
            let taken = life.iter().filter_map(|(command, _)| match command {
                Command::ReportPayment { report: PaymentReport::Captured { total }, .. } => Some(*total),
                _ => None,
            });
            assert_eq!(taken.max(), Some(400), "{life:?}");
            let (_, last) = life.last().expect("something is told");
            assert!(matches!(last, Expected::Done { state: State::Completed, .. }), "{life:?}");
        }
        assert_eq!([0, 6, 8].map(Class::of), [Class::Captured, Class::PaidOtherwise, Class::PartlyRefunded]);
    }
}
