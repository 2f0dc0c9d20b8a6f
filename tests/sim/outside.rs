//! A payment provider, a warehouse and a checker that remember whatever happens to the node, honour keys, and misbehave
//! otherwise.

use std::collections::BTreeMap;

use stockade::adapters::{Job, News, Payment, Verdict};
use stockade::base::{ChangeId, OrderId, Price};
use stockade::engine::order::State;
use stockade::engine::query::{OrderView, PaymentView};
use stockade::engine::{Effect, Effects, Engine, LineQuantity, Refusal};

use crate::checker::Checker;
use crate::life::shard_of;
use crate::provider::{Provider, pounds};
use crate::rng::Rng;

/// What the warehouse knows of an order. One parcel leaves after the other.
#[derive(Debug, Default)]
struct Parcels {
    attempt: u32,
    /// What the order is to get in all, by line.
    lines: Vec<LineQuantity>,
    /// What has left, by line.
    left: BTreeMap<u16, u32>,
    parcels: u64,
    /// What was in the last parcel, until somebody heard that it left.
    unheard: Vec<LineQuantity>,
    /// Some office of this life has been told that it left.
    told: bool,
    /// What the order knew of its money, and what had left it by whatever way, when it was asked for this.
    seen: Vec<PaymentView>,
    shipped: Vec<u32>,
    /// Nothing more was to leave once, for money was missing.
    was_stopped: bool,
    /// Parcels that left all the same, later.
    released_again: u64,
    last: Option<Left>,
}

/// What has left a warehouse of an order.
#[derive(Debug)]
pub(crate) struct Left {
    /// Units, by line.
    units: BTreeMap<u16, u32>,
    /// What the order knew of its money when it asked for the last of it.
    pub(crate) seen: Vec<PaymentView>,
}

impl Left {
    /// What that costs which is the customer's now: what left although it was cancelled is nobody's.
    pub(crate) fn cost(&self, view: &OrderView) -> Price {
        let line = |(line, units): (&u16, &u32)| {
            let line = &view.lines[usize::from(*line)];
            line.price * u64::from(line.shipped.min(*units))
        };
        self.units.iter().map(line).sum()
    }
}

impl Parcels {
    /// The next parcel leaves.
    fn leave(&mut self) {
        self.unheard = self.missing();
        self.unheard.iter().for_each(|line| *self.left.entry(line.line).or_default() += line.quantity);
        self.parcels += 1;
        // What left by another way already, an order asks for as well.
        let is_new = |(line, units): (&u16, &u32)| *units > self.shipped[usize::from(*line)];
        if self.left.iter().any(is_new) {
            self.released_again += u64::from(self.was_stopped);
            self.last = Some(Left { units: self.left.clone(), seen: self.seen.clone() });
        }
    }

    fn missing(&self) -> Vec<LineQuantity> {
        let missing = self.lines.iter().map(|line| {
            let left = self.left.get(&line.line).copied().unwrap_or_default();
            LineQuantity { line: line.line, quantity: line.quantity.saturating_sub(left) }
        });
        missing.filter(|line| line.quantity > 0).collect()
    }
}

#[derive(Default)]
pub(crate) struct Outside {
    pub(crate) provider: Provider,
    pub(crate) checker: Checker,
    parcels: BTreeMap<OrderId, Parcels>,
    /// What the provider writes to the adapter until somebody heard it, and whether somebody of this life was told.
    letters: Vec<(OrderId, Payment, bool)>,
}

/// Names the parcels of an order, from 1.
const PARCELS: u64 = 1 << 63;

impl Outside {
    /// Asked to carry a job out. Unless it is calm, the question or its answer may be lost, and the other side may say
    /// no to what it will do another day.
    pub(crate) fn carry_out(&mut self, rng: &mut Rng, is_calm: bool, effect: Effect, job: &Job) -> Verdict {
        let [lost, answer_lost, refused] = [6, 6, 40].map(|n| !is_calm && rng.once_in(n));
        if lost || refused {
            return if refused { Verdict::Refused } else { Verdict::Again };
        }
        let verdict = match effect {
            Effect::Release => self.instruct(job),
            Effect::Payment => self.pay(rng, job),
            Effect::Check => self.checker.carry_out(rng, is_calm, job),
        };
        if answer_lost { Verdict::Again } else { verdict }
    }

    fn pay(&mut self, rng: &mut Rng, job: &Job) -> Verdict {
        let mut told = Vec::new();
        self.provider.losses.look(&job.order);
        for seen in &job.order.payments {
            let reports = self.provider.carry_out(&job.order, seen).into_iter();
            let payment = |report| Payment { attempt: seen.attempt, method: seen.method, currency: pounds(), report };
            told.extend(reports.map(payment));
        }
        if rng.once_in(5) {
            self.letters.extend(told.iter().map(|payment| (job.order.order, *payment, false)));
        }
        Verdict::Payments(told)
    }

    fn instruct(&mut self, job: &Job) -> Verdict {
        let attempt = job.want.attempt;
        let lines = job.order.to_hand_over().map(|(line, quantity)| LineQuantity { line, quantity });
        let known = self.parcels.entry(job.want.order).or_default();
        if known.attempt < attempt {
            (known.attempt, known.lines) = (attempt, lines.collect());
            known.seen.clone_from(&job.order.payments);
            known.shipped = job.order.lines.iter().map(|line| line.shipped).collect();
            known.was_stopped |= job.order.missing > 0;
        }
        Verdict::Done
    }

    /// What one of them tells by itself, if anything happens now.
    pub(crate) fn news(&mut self, rng: &mut Rng, is_calm: bool, effect: Effect) -> Option<News> {
        if !is_calm && !rng.once_in(3) {
            return None;
        }
        if effect == Effect::Check {
            return self.checker.news(rng);
        }
        if effect == Effect::Payment {
            let waiting = self.letters.iter().enumerate().filter(|(_, (.., told))| !told);
            let waiting: Vec<usize> = waiting.map(|(at, _)| at).collect();
            let at = *(!waiting.is_empty()).then(|| rng.pick(&waiting))?;
            let (order, payment, told) = &mut self.letters[at];
            *told = true;
            return Some(News::Payment { order: *order, payment: *payment });
        }
        let ready = |known: &Parcels| match known.unheard.is_empty() {
            true => !known.missing().is_empty(),
            false => !known.told,
        };
        let waiting: Vec<OrderId> =
            self.parcels.iter().filter(|(_, known)| ready(known)).map(|(order, _)| *order).collect();
        let order = *(!waiting.is_empty()).then(|| rng.pick(&waiting))?;
        let known = self.parcels.get_mut(&order).expect("it waits");
        if known.unheard.is_empty() {
            known.leave();
        }
        known.told = true;
        Some(News::HandedOver { order, change: ChangeId(PARCELS | known.parcels), lines: known.unheard.clone() })
    }

    /// What was told is durable, or refused for good.
    pub(crate) fn handle_settled(&mut self, news: &News) {
        match news {
            News::HandedOver { order, change, .. } => {
                let known = self.parcels.get_mut(order).expect("it left");
                if *change == ChangeId(PARCELS | known.parcels) {
                    known.unheard.clear();
                    known.told = false;
                }
            }
            News::Payment { order, payment } => {
                let heard = (*order, *payment, true);
                self.letters.retain(|letter| *letter != heard);
            }
            News::Checked { order, opinion } => self.checker.handle_settled(*order, *opinion),
        }
    }

    /// The node that was told is gone.
    pub(crate) fn handle_crash(&mut self) {
        self.parcels.values_mut().for_each(|known| known.told = false);
        self.letters.iter_mut().for_each(|(.., told)| *told = false);
        self.checker.handle_crash();
    }

    /// Nobody waits to be heard.
    pub(crate) fn is_done(&self) -> bool {
        self.letters.is_empty()
            && self.checker.is_done()
            && self.parcels.values().all(|known| known.unheard.is_empty() && known.missing().is_empty())
    }

    /// Once nothing is wanted any more: what is sold the warehouse knows of.
    pub(crate) fn check(&self, engines: &[&Engine], orders: &[OrderId]) {
        for order in orders {
            let engine = engines[shard_of(order.market().number(), engines.len() as u16)];
            let Effects { release, .. } = engine.effects(order.market()).expect("the market is open");
            let view = match engine.order(*order) {
                Ok(view) => view,
                // It was never accepted, or it is gone.
                Err(Refusal::UnknownOrder) => continue,
                Err(why) => panic!("{order}: {why:?}"),
            };
            let is_sold =
                matches!(view.state, State::Confirmed | State::InReview | State::Fulfilling | State::Completed);
            // Of what is held nothing but what had left before.
            let firm: u64 = view.to_hand_over().map(|(_, units)| u64::from(units)).sum();
            let known = self.parcels.get(order);
            self.checker.check(&view, self.left(*order).is_some());
            assert!(
                !release || !is_sold || firm == 0 || known.is_some(),
                "{order} is sold and the warehouse never heard of it"
            );
            if let Some(known) = known.filter(|_| !view.closed) {
                let told: u64 = known.lines.iter().map(|line| u64::from(line.quantity)).sum();
                assert_eq!(told, firm, "{order}: units that the warehouse is to hand over in all");
            }
        }
    }

    /// What left a warehouse of an order because it was asked for.
    pub(crate) fn left(&self, order: OrderId) -> Option<&Left> {
        self.parcels.get(&order)?.last.as_ref()
    }

    /// Orders that were paid, then were so no longer, and of which something left after that.
    pub(crate) fn released_again(&self) -> u64 {
        self.parcels.values().map(|known| known.released_again).sum()
    }

    /// Parcels that left.
    pub(crate) fn parcels(&self) -> u64 {
        self.parcels.values().map(|known| known.parcels).sum()
    }
}
