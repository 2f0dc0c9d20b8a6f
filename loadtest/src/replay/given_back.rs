//! Units that customers give back, and the money for them.
//!
//! ```text
//! cancellation ─► takes of the model, ─► not shipped: cancel ─► the money goes back by itself ─┐
//!   (a line)      order by order         shipped: return ─────► the money is asked back ──────┴─► told
//! ```
//!
//! # Always true
//! - What goes back of an order is what its lines cost, not what the cancellation says: `price_difference` says what
//!   that comes to.

use std::collections::BTreeMap;

use stockade::base::{ChangeId, Price};
use stockade::engine::choices::PaymentMethod;
use stockade::engine::command::{Command, LineQuantity};
use stockade::engine::{Answer, PaymentReport};
use stockade::wire::Reply;

use super::class::Class;
use super::model::Take;
use super::run::{ATTEMPT, Replaying};
use super::shop::Step;
use crate::exchange::{Ask, MAIN_SITE, describe};
use crate::failure::Failure;

/// Lines of the file name cancellations and returns; with this, the refund of what the lines together returned.
const REFUND: u64 = 1 << 62;

/// A cancellation line and where its units come from.
struct GivenBack {
    file_line: u64,
    wanted: u32,
    /// Of a unit, as the file says.
    listed: Option<Price>,
    takes: Vec<Take>,
    moved: u64,
    /// What those units cost when they were ordered.
    paid: Price,
}

/// What a line takes of one order.
struct Change {
    /// Which line of the phase.
    of: usize,
    order: usize,
    lines: Vec<LineQuantity>,
}

/// What goes back of one order.
struct Owed {
    file_line: u64,
    is_asked: bool,
    amount: Price,
}

impl Replaying<'_> {
    pub(super) async fn give_back(&mut self, phase: &[Step]) -> Result<(), Failure> {
        let mut given: Vec<GivenBack> = Vec::new();
        for step in phase {
            if let Step::Cancellation { line, customer, sku, quantity, price } = *step {
                let takes = self.model.cancel(customer, sku, quantity);
                given.push(GivenBack { file_line: line, wanted: quantity, listed: price, takes, moved: 0, paid: 0 });
            }
        }
        let owed = self.take_back(&mut given).await?;
        self.pay_back(&owed).await?;
        for line in &given {
            let found = u32::try_from(line.moved).unwrap_or(u32::MAX);
            self.sums.by_reason.count(Class::of_cancellation(line.wanted, found));
            if let Some(listed) = line.listed {
                self.sums.money.add_difference(line.paid, listed * line.moved);
            }
        }
        Ok(())
    }

    /// Cancels or returns; what is owed for that, by order.
    async fn take_back(&mut self, given: &mut [GivenBack]) -> Result<BTreeMap<usize, Owed>, Failure> {
        let changes: Vec<Change> = given.iter().enumerate().flat_map(by_order).collect();
        let command = |change: &Change| {
            let (purchase, id) = (&self.orders[change.order], ChangeId(given[change.of].file_line));
            // Not of the closure, but of the change.
            (purchase.order, purchase.is_shipped(), id)
        };
        let targets: Vec<_> = changes.iter().map(command).collect();
        let asks: Vec<Ask<'_>> = targets
            .iter()
            .zip(&changes)
            .map(|(&(order, is_shipped, change), Change { lines, .. })| {
                Ask::Command(match is_shipped {
                    true => Command::ReturnToStock { order, change, site: MAIN_SITE, lines },
                    false => Command::CancelLines { order, change, lines },
                })
            })
            .collect();
        let (sums, orders) = (&mut self.sums, &mut self.orders);
        let mut owed = BTreeMap::<usize, Owed>::new();
        self.exchange
            .ask(&asks, |position, reply, _| {
                let Change { of, order, lines } = &changes[position];
                let (line, purchase, is_asked) = (&mut given[*of], &mut orders[*order], targets[position].1);
                let moved = sums.take_given_back(purchase, lines, reply);
                if moved > 0 {
                    let amount = lines.iter().map(|line| purchase.cost(line.line, line.quantity)).sum::<Price>();
                    (line.moved, line.paid) = (line.moved + moved, line.paid + amount);
                    let file_line = line.file_line;
                    owed.entry(*order).or_insert(Owed { file_line, is_asked, amount: 0 }).amount += amount;
                }
            })
            .await?;
        owed.retain(|_, owed| owed.amount > 0);
        Ok(owed)
    }

    /// Asks for the money of what was returned; that of what was cancelled goes back by itself. Then tells that it did.
    async fn pay_back(&mut self, owed: &BTreeMap<usize, Owed>) -> Result<(), Failure> {
        let (currency, method, attempt) = (self.currency, PaymentMethod::Invoice, ATTEMPT);
        let mut asks = Vec::new();
        let mut of = Vec::new();
        for (at, Owed { file_line, is_asked, amount }) in owed {
            let (order, total) = (self.orders[*at].order, self.orders[*at].refunded + amount);
            if *is_asked {
                let change = ChangeId(REFUND | file_line);
                asks.push(Ask::Command(Command::RequestRefund { order, change, amount: *amount }));
                of.push((*at, *amount, *amount));
            }
            let report = PaymentReport::Refunded { total };
            asks.push(Ask::Command(Command::ReportPayment { order, attempt, method, currency, report }));
            of.push((*at, *amount, 0));
        }
        let (sums, orders) = (&mut self.sums, &mut self.orders);
        self.exchange
            .ask(&asks, |position, reply, _| {
                let (at, amount, expected) = of[position];
                let purchase = &mut orders[at];
                match reply {
                    Reply::Answer(Answer::Done { state, moved, excess: 0, repeated: false }, _)
                        if *moved == expected && purchase.state() == Some(*state) =>
                    {
                        let told = if expected == 0 { amount } else { 0 };
                        purchase.refunded += told;
                        sums.money.refunded += told;
                    }
                    other => sums
                        .errors
                        .add(|| format!("giving back {amount} of order {}: {}", purchase.order, describe(other))),
                }
            })
            .await
    }
}

/// What a cancellation takes as one change for each order.
fn by_order((of, given): (usize, &GivenBack)) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    for take in &given.takes {
        let line = LineQuantity { line: take.line, quantity: take.quantity };
        match changes.last_mut() {
            Some(change) if change.order == take.order => change.lines.push(line),
            Some(_) | None => changes.push(Change { of, order: take.order, lines: vec![line] }),
        }
    }
    changes
}
