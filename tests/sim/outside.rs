//! A payment provider and a warehouse that remember whatever happens to the node, honour keys, and misbehave otherwise.

use std::collections::{BTreeMap, BTreeSet};

use stockade::adapters::{Job, News, Verdict};
use stockade::base::{ChangeId, OrderId};
use stockade::engine::order::State;
use stockade::engine::query::OrderView;
use stockade::engine::{Action, Effect, Effects, Engine, LineQuantity, Refusal};

use crate::life::shard_of;
use crate::rng::Rng;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Money {
    Taken,
    Declined,
    Closed,
    GivenBack,
}

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
}

impl Parcels {
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
    money: BTreeMap<OrderId, Money>,
    parcels: BTreeMap<OrderId, Parcels>,
    /// Payments to be told once more.
    repeated: BTreeSet<OrderId>,
}

/// Names the parcels of an order, from 1.
const PARCELS: u64 = 1 << 63;

impl Outside {
    /// Asked to carry a job out. Unless it is calm, the question or its answer may be lost, and the other side may say
    /// no to what it will do another day.
    pub(crate) fn carry_out(&mut self, rng: &mut Rng, is_calm: bool, job: &Job) -> Verdict {
        let [lost, answer_lost, refused] = [6, 6, 40].map(|n| !is_calm && rng.once_in(n));
        if lost || refused {
            return if refused { Verdict::Refused } else { Verdict::Again };
        }
        let verdict = match job.want.action {
            Action::Release => self.instruct(job.want.order, job.want.attempt, job.order.as_deref()),
            Action::Charge | Action::Close | Action::GiveBack => self.pay(job.want.order, job.want.action),
        };
        if verdict == Verdict::Paid && rng.once_in(5) {
            self.repeated.insert(job.want.order);
        }
        if answer_lost { Verdict::Again } else { verdict }
    }

    fn pay(&mut self, order: OrderId, action: Action) -> Verdict {
        let known = self.money.get(&order).copied();
        let is_poor = order.bits().is_multiple_of(10);
        let (now, verdict) = match (action, known) {
            (Action::Charge, None) if is_poor => (Money::Declined, Verdict::Declined),
            (Action::Charge, None) | (Action::Charge | Action::Close, Some(Money::Taken)) => {
                (Money::Taken, Verdict::Paid)
            }
            (Action::Charge, Some(known)) => (known, Verdict::Declined),
            (_, None) => (Money::Closed, Verdict::Done),
            (_, Some(Money::Taken)) => (Money::GivenBack, Verdict::Done),
            (_, Some(known)) => (known, Verdict::Done),
        };
        self.money.insert(order, now);
        verdict
    }

    fn instruct(&mut self, order: OrderId, attempt: u32, view: Option<&OrderView>) -> Verdict {
        let view = view.expect("a release comes with its order");
        let lines = view.to_hand_over().map(|(line, quantity)| LineQuantity { line, quantity });
        let known = self.parcels.entry(order).or_default();
        if known.attempt < attempt {
            (known.attempt, known.lines) = (attempt, lines.collect());
        }
        Verdict::Done
    }

    /// What one of them tells by itself, if anything happens now.
    pub(crate) fn news(&mut self, rng: &mut Rng, is_calm: bool, effect: Effect) -> Option<News> {
        if !is_calm && !rng.once_in(3) {
            return None;
        }
        if effect == Effect::Payment {
            return self.repeated.pop_first().map(|order| News::Paid { order });
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
            known.unheard = known.missing();
            known.unheard.iter().for_each(|line| *known.left.entry(line.line).or_default() += line.quantity);
            known.parcels += 1;
        }
        known.told = true;
        Some(News::HandedOver { order, change: ChangeId(PARCELS | known.parcels), lines: known.unheard.clone() })
    }

    /// What was told is durable, or refused for good.
    pub(crate) fn handle_settled(&mut self, news: &News) {
        if let News::HandedOver { order, change, .. } = news {
            let known = self.parcels.get_mut(order).expect("it left");
            if *change == ChangeId(PARCELS | known.parcels) {
                known.unheard.clear();
                known.told = false;
            }
        }
    }

    /// The node that was told is gone.
    pub(crate) fn handle_crash(&mut self) {
        self.parcels.values_mut().for_each(|known| known.told = false);
    }

    /// Nobody waits to be heard.
    pub(crate) fn is_done(&self) -> bool {
        self.repeated.is_empty()
            && self.parcels.values().all(|known| known.unheard.is_empty() && known.missing().is_empty())
    }

    /// Once nothing is wanted any more: who keeps money has sold something, and what is sold the warehouse knows of.
    pub(crate) fn check(&self, engines: &[&Engine], orders: &[OrderId]) {
        for order in orders {
            let engine = engines[shard_of(order.market().number(), engines.len() as u16)];
            let Effects { payment, release } = engine.effects(order.market()).expect("the market is open");
            let money = self.money.get(order);
            let view = match engine.order(*order) {
                Ok(view) => view,
                // It was never accepted, or it is gone.
                Err(Refusal::UnknownOrder) => continue,
                Err(why) => panic!("{order}: {why:?}"),
            };
            let is_sold =
                matches!(view.state, State::Confirmed | State::InReview | State::Fulfilling | State::Completed);
            let was_to_be_paid = view.deadline.ms() > 0 && view.state != State::Blocked;
            if payment {
                let keeps = money == Some(&Money::Taken);
                assert_eq!(keeps, is_sold && was_to_be_paid, "{order}: money is {money:?}, {:?}", view.state);
            } else {
                assert_eq!(money, None, "{order}: nobody asked for money");
            }
            // Of what is held nothing but what had left before.
            let firm: u64 = view.to_hand_over().map(|(_, units)| u64::from(units)).sum();
            let known = self.parcels.get(order);
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

    /// Money taken and given back, parcels that left.
    pub(crate) fn counts(&self) -> [u64; 3] {
        let with = |wanted| self.money.values().filter(|money| **money == wanted).count() as u64;
        let left = self.parcels.values().map(|known| known.parcels).sum();
        [with(Money::Taken) + with(Money::GivenBack), with(Money::GivenBack), left]
    }
}
