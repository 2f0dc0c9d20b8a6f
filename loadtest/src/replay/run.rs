//! The replay itself: the steps of a shop sent to a server, its answers held against the model.
//!
//! Steps of one kind that follow each other are one phase: all of them are sent, frames pipelined, and all answers
//! awaited before the next phase begins. What depends on each other (an order and its payment, an order and what
//! cancels it) is thus never in flight together, whatever lane the server puts it in.
//!
//! # Always true
//! - The class of a line follows from the server's answer; the model only says whether the answer is right.
//! # Not here
//! - What cancellations do: `given_back`.

use std::time::Instant;

use stockade::base::{ChangeId, Currency, CurrencyError, MarketId, SkuId};
use stockade::engine::choices::Take as TakeMode;
use stockade::engine::choices::{AdjustReason, PaymentMethod};
use stockade::engine::command::{Command, Line, Place};
use stockade::engine::order::State;
use stockade::engine::{Answer, PaymentReport};
use stockade::wire::Reply;

use super::class::Class;
use super::model::{Model, stock_of};
use super::purchase::Purchase;
use super::shop::{Basket, Shop, SkuIndex, Step};
use super::sums::ReplaySums;
use crate::books::{Ledger, Money};
use crate::exchange::{Ask, Exchange, MAIN_SITE, describe};
use crate::failure::Failure;
use crate::latency;
use crate::progress::Progress;
use crate::report::{ReplayMoney, ReplayUnits};

/// Orders of one phase at most: what is kept of their commands stays small.
const PHASE_ORDERS_MAX: usize = 1_024;
const HOLD_MS: u32 = 3_600_000;
/// Every order is paid once.
pub(super) const ATTEMPT: ChangeId = ChangeId(1);
/// And handed over once; lines of the file, which name other changes, are counted from 1.
const HAND_OVER: ChangeId = ChangeId(0);

/// A replay under way.
pub(super) struct Replaying<'a> {
    shop: &'a Shop,
    pub(super) model: Model,
    pub(super) exchange: &'a mut Exchange,
    market: MarketId,
    skus: Vec<SkuId>,
    pub(super) currency: Currency,
    pub(super) orders: Vec<Purchase>,
    /// Orders before this one have left the building, if anything was left of them.
    shipped_upto: usize,
    pub(super) sums: ReplaySums,
}

impl<'a> Replaying<'a> {
    /// Creates the shop's SKUs and receives their stock.
    pub(super) async fn prepare(
        shop: &'a Shop,
        short_percent: u8,
        market: MarketId,
        exchange: &'a mut Exchange,
    ) -> Result<Self, Failure> {
        let skus = exchange.create_skus(market, shop.skus.iter().map(String::as_str)).await?;
        let stock: Vec<u64> = shop.demand.iter().map(|&demand| stock_of(demand, short_percent)).collect();
        exchange.receive_stock(market, skus.iter().copied().zip(stock.iter().copied())).await?;
        let units =
            ReplayUnits { asked: shop.demand.iter().sum(), received: stock.iter().sum(), ..ReplayUnits::default() };
        let sums = ReplaySums::new(shop.settled.clone(), units);
        let pounds: Result<Currency, CurrencyError> = "GBP".parse();
        let currency = pounds.expect("law: three upper-case letters");
        let model = Model::new(shop, short_percent);
        Ok(Self { shop, model, exchange, market, skus, currency, orders: Vec::new(), shipped_upto: 0, sums })
    }

    /// Every step, in the order of the file.
    pub(super) async fn run(&mut self, progress: &mut Progress) -> Result<(), Failure> {
        let begin = Instant::now();
        let shop = self.shop;
        for phase in phases(&shop.steps) {
            match &phase[0] {
                Step::Order(_) => self.place_and_pay(phase).await?,
                Step::Cancellation { .. } => self.give_back(phase).await?,
                Step::WriteOff { .. } => self.write_off(phase).await?,
                Step::EndOfDay => self.ship().await?,
            }
            progress.show(self.orders.len() as u64, &self.sums.latencies);
        }
        self.sums.elapsed_s = begin.elapsed().as_secs_f64();
        Ok(())
    }

    /// The books as they must be.
    pub(super) fn ledger(&self) -> Ledger {
        let mut ledger = Ledger::default();
        ledger.receive(self.sums.units.received + self.sums.units.written_off);
        ledger.write_off(self.sums.units.written_off);
        self.orders.iter().for_each(|purchase| purchase.enter(&mut ledger));
        let ReplayMoney { captured, refunded, .. } = self.sums.money;
        let (captured, refunded) = (captured.into(), refunded.into());
        ledger.money = Money::Exactly { authorised: captured, captured, refunded };
        ledger
    }

    async fn place_and_pay(&mut self, phase: &[Step]) -> Result<(), Failure> {
        let first = self.orders.len();
        let baskets: Vec<&Basket> = phase
            .iter()
            .filter_map(|step| match step {
                Step::Order(basket) => Some(basket),
                Step::Cancellation { .. } | Step::WriteOff { .. } | Step::EndOfDay => None,
            })
            .collect();
        let expected: Vec<Vec<u32>> = baskets.iter().map(|basket| self.model.place(basket)).collect();
        let lines: Vec<Vec<Line>> = baskets.iter().map(|basket| self.lines(basket)).collect();
        for basket in &baskets {
            let order = self.exchange.client().new_order_id(self.market);
            self.orders.push(Purchase::new(order, basket.lines.iter().map(|line| line.price).collect()));
        }
        let places = baskets.iter().zip(&lines).zip(&self.orders[first..]);
        let asks: Vec<Ask<'_>> = places.map(|((basket, lines), it)| self.place(it, basket, lines)).collect();
        let (sums, orders) = (&mut self.sums, &mut self.orders);
        self.exchange
            .ask(&asks, |at, reply, nanoseconds| {
                latency::record(&mut sums.latencies, nanoseconds, 1);
                sums.take_placed(baskets[at], &expected[at], &mut orders[first + at], reply);
            })
            .await?;
        self.pay(first).await
    }

    fn lines(&self, basket: &Basket) -> Vec<Line> {
        let line = |line: &super::shop::BasketLine| Line {
            sku: self.skus[line.sku],
            quantity: line.quantity,
            price: line.price,
        };
        basket.lines.iter().map(line).collect()
    }

    fn place<'b>(&self, purchase: &Purchase, basket: &'b Basket, lines: &'b [Line]) -> Ask<'b> {
        Ask::Command(Command::Place(Place {
            order: purchase.order,
            customer: basket.customer,
            take: TakeMode::WhatExists,
            hold_ms: HOLD_MS,
            currency: self.currency,
            payment: PaymentMethod::Invoice,
            channel: 0,
            zone: 0,
            hashes: None,
            lines,
            details: &basket.country,
            key: None,
        }))
    }

    /// Pays the orders from `first` on that wait for it; what is left of some costs nothing, and is confirmed.
    async fn pay(&mut self, first: usize) -> Result<(), Failure> {
        let waiting: Vec<usize> =
            (first..self.orders.len()).filter(|&at| self.orders[at].state() == Some(State::PendingPayment)).collect();
        let (currency, method) = (self.currency, PaymentMethod::Invoice);
        let command = |&at: &usize| {
            let (order, attempt) = (self.orders[at].order, ATTEMPT);
            Ask::Command(match self.orders[at].paid() {
                0 => Command::Confirm { order, attempt },
                total => {
                    let report = PaymentReport::Captured { total };
                    Command::ReportPayment { order, attempt, method, currency, report }
                }
            })
        };
        let asks: Vec<Ask<'_>> = waiting.iter().map(command).collect();
        let (sums, orders) = (&mut self.sums, &mut self.orders);
        self.exchange
            .ask(&asks, |position, reply, _| {
                let purchase = &mut orders[waiting[position]];
                let taken = purchase.taken();
                match reply {
                    Reply::Answer(Answer::Done { state: State::Confirmed, moved, excess: 0, repeated: false }, _)
                        if *moved == taken =>
                    {
                        purchase.confirm();
                        sums.money.captured += purchase.paid();
                    }
                    other => sums
                        .errors
                        .add(|| format!("paying order {} of {taken} units: {}", purchase.order, describe(other))),
                }
            })
            .await
    }

    /// What was ordered and not cancelled leaves the building.
    async fn ship(&mut self) -> Result<(), Failure> {
        let ready: Vec<usize> =
            (self.shipped_upto..self.orders.len()).filter(|&at| self.orders[at].committed() > 0).collect();
        self.shipped_upto = self.orders.len();
        let command = |&at: &usize| {
            Ask::Command(Command::HandOver { order: self.orders[at].order, change: HAND_OVER, lines: &[] })
        };
        let asks: Vec<Ask<'_>> = ready.iter().map(command).collect();
        let (sums, orders) = (&mut self.sums, &mut self.orders);
        self.exchange
            .ask(&asks, |position, reply, _| {
                let purchase = &mut orders[ready[position]];
                let units = purchase.committed();
                match reply {
                    Reply::Answer(Answer::Done { state: State::Completed, moved, excess: 0, repeated: false }, _)
                        if *moved == units =>
                    {
                        purchase.ship();
                        sums.units.shipped += units;
                    }
                    other => sums
                        .errors
                        .add(|| format!("handing over {units} units of {}: {}", purchase.order, describe(other))),
                }
            })
            .await
    }

    /// Receives what is thrown away, then throws it away: it was never for sale.
    async fn write_off(&mut self, phase: &[Step]) -> Result<(), Failure> {
        let lost: Vec<(SkuIndex, u32)> = phase
            .iter()
            .filter_map(|step| match step {
                Step::WriteOff { sku, quantity } => Some((*sku, *quantity)),
                Step::Order(_) | Step::Cancellation { .. } | Step::EndOfDay => None,
            })
            .collect();
        let received = lost.iter().map(|(sku, quantity)| (self.skus[*sku], u64::from(*quantity)));
        self.exchange.receive_stock(self.market, received).await?;
        let asks: Vec<Ask<'_>> = lost.iter().map(|(sku, quantity)| self.adjust(*sku, *quantity)).collect();
        let sums = &mut self.sums;
        self.exchange
            .ask(&asks, |position, reply, _| {
                sums.by_reason.count(Class::WriteOff);
                match reply {
                    Reply::Answer(Answer::Stock { repeated: false, .. }, _) => {
                        sums.units.written_off += u64::from(lost[position].1);
                    }
                    other => sums.errors.add(|| format!("writing off {} units: {}", lost[position].1, describe(other))),
                }
            })
            .await
    }

    fn adjust(&self, sku: SkuIndex, quantity: u32) -> Ask<'static> {
        let request = self.exchange.client().new_request_id(self.market);
        let (sku, delta) = (self.skus[sku], -i64::from(quantity));
        Ask::Command(Command::Adjust { request, sku, site: MAIN_SITE, delta, reason: AdjustReason::Other })
    }
}

/// Steps of one kind that follow each other.
fn phases(steps: &[Step]) -> impl Iterator<Item = &[Step]> {
    steps
        .chunk_by(|one, next| std::mem::discriminant(one) == std::mem::discriminant(next))
        .flat_map(|phase| phase.chunks(PHASE_ORDERS_MAX))
}
