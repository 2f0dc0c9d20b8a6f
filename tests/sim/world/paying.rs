//! What storefronts do about money: customers pay there, letters of the provider come and are told, and where no
//! adapter does it, what an order wants done with its money is done.

use stockade::adapters::Payment;
use stockade::base::{OrderId, Price};
use stockade::engine::query::{OrderView, PaymentView};
use stockade::engine::{LineQuantity, Step};
use stockade::shard::Shard;

use super::World;
use crate::ask::Ask;
use crate::life::shard_of;
use crate::provider::{Letter, Provider};

/// Nobody tries to pay an order more often: far less than an order keeps.
const TRIES_MAX: usize = 5;

impl World {
    pub(super) const fn provider(&mut self) -> &mut Provider {
        &mut self.offices.outside.provider
    }

    /// Whether this is to be asked. A payment that begins may go on at the storefront, told beforehand or not; or is
    /// left to an adapter.
    pub(super) fn begin_payment(&mut self, ask: &Ask) -> bool {
        let Ask::StartPayment { order, .. } = *ask else { return true };
        let cost = self.promises.cost(order, &self.customers.prices);
        // Some pay in two parts, some too much.
        let amount = |cost: Price| *self.rng.pick(&[cost, cost, cost, cost.div_ceil(2), cost + 1]);
        let amount = cost.map(amount);
        self.begin_payment_of(ask, amount)
    }

    /// The same, of so much; unless nobody knows how much that is.
    fn begin_payment_of(&mut self, ask: &Ask, amount: Option<Price>) -> bool {
        let Ask::StartPayment { order, attempt, method } = *ask else { return true };
        if self.provider().accounts_of(order).count() >= TRIES_MAX {
            return false;
        }
        let is_left = self.customers.paid_by_adapter.contains(&order.market()) && self.rng.once_in(2);
        let Some(amount) = amount.filter(|_| !is_left) else { return true };
        self.offices.outside.provider.pay(&mut self.rng, (order, attempt, method), amount);
        !self.rng.once_in(3)
    }

    pub(super) fn move_money(&mut self) {
        if self.rng.once_in(3) {
            self.offices.outside.provider.happen(&mut self.rng);
        }
        let provider = &self.offices.outside.provider;
        let (heard, failed) = (provider.some_order(&mut self.rng, false), provider.some_order(&mut self.rng, true));
        if let Some(order) = heard {
            match self.rng.below(16) {
                0..4 => self.ask(Ask::Look { order }),
                4..6 => self.ask_back(order),
                6 => self.pay_again(order),
                _ => {}
            }
        }
        if let Some(order) = failed.filter(|_| self.rng.once_in(8)) {
            self.pay_again(order);
        }
        for _ in 0..self.rng.below(3) {
            let waiting = self.provider().letters.len() as u64;
            if waiting > 0 {
                let (at, is_kept) = (self.rng.below(waiting) as usize, self.rng.once_in(3));
                let letters = &mut self.provider().letters;
                let letter = if is_kept { letters[at] } else { letters.swap_remove(at) };
                self.tell(letter);
            }
        }
    }

    /// Another try, of a customer who failed, or who forgot that it went well.
    fn pay_again(&mut self, order: OrderId) {
        let again = self.customers.start_payment(&mut self.rng, order);
        if self.begin_payment(&again) {
            self.ask(again);
        }
    }

    /// Something for a scratch.
    fn ask_back(&mut self, order: OrderId) {
        if let Some(cost) = self.promises.cost(order, &self.customers.prices) {
            let (change, amount) = (self.customers.change(), self.rng.between(1, cost.div_ceil(3)));
            self.ask(Ask::RequestRefund { order, change, amount });
        }
    }

    fn tell(&mut self, Letter { order, payment }: Letter) {
        let Payment { attempt, method, currency, report } = payment;
        self.ask(Ask::ReportPayment { order, attempt, method, currency, report });
    }

    /// Somebody looked at an order. What they saw may be old by now.
    pub(super) fn work_off(&mut self, view: &OrderView) {
        self.provider().losses.look(view);
        if !self.customers.paid_by_adapter.contains(&view.order.market()) {
            self.offices.outside.provider.work_off(&mut self.rng, self.is_calm, view);
        }
        if view.missing > 0 && !view.state.awaits_payment() && !self.is_calm {
            self.make_good(view);
        }
    }

    /// What was paid of an order is not there any more: somebody pays again, or does without.
    fn make_good(&mut self, view: &OrderView) {
        let order = view.order;
        match self.rng.below(8) {
            0..4 => {
                let again = self.customers.start_payment(&mut self.rng, order);
                if self.begin_payment_of(&again, Some(view.missing)) {
                    self.ask(again);
                }
                self.provider().counts.paid_again += 1;
            }
            4 => self.ask(Ask::Cancel { order, block: false }),
            5 => {
                let change = self.customers.change();
                let open = (0..).zip(&view.lines).filter(|(_, line)| line.committed + line.owed > 0);
                let lines = open.map(|(line, it)| LineQuantity { line, quantity: it.committed + it.owed });
                self.ask(Ask::CancelLines { order, change, lines: lines.take(1).collect() });
            }
            _ => {}
        }
    }

    /// Letters that were not told yet, steps that are to be done yet.
    pub(super) fn has_money_under_way(&self) -> bool {
        !self.offices.outside.provider.letters.is_empty() || !self.with_steps().is_empty()
    }

    /// Orders with whose money something is to be done.
    pub(super) fn with_steps(&self) -> Vec<OrderView> {
        let life = self.life.as_ref().expect("a life has begun");
        let engines: Vec<_> = life.shards.iter().map(Shard::engine).collect();
        let view = |order: &OrderId| {
            let view = engines[shard_of(order.market().number(), self.options.shards)].order(*order).ok()?;
            let is_open = |it: &PaymentView| it.step != Step::Nothing;
            (!view.closed && view.payments.iter().any(is_open)).then_some(view)
        };
        self.customers.orders.iter().filter_map(view).collect()
    }

    /// Tells what was not told yet; once everything else is quiet, looks at every order with whose money something is
    /// to be done.
    pub(super) fn finish_money(&mut self, is_quiet: bool) {
        let letters = std::mem::take(&mut self.provider().letters);
        let is_told = letters.is_empty();
        letters.into_iter().for_each(|letter| self.tell(letter));
        if is_quiet && is_told {
            let looks: Vec<_> = self.with_steps().iter().map(|view| Ask::Look { order: view.order }).collect();
            looks.into_iter().for_each(|look| self.ask(look));
        }
    }
}
