//! What clients were promised, written down outside the server, and what must therefore be true.

use std::collections::{BTreeMap, BTreeSet};

use stockade::base::{ChangeId, CustomerKey, MarketId, OrderId, OrderNumber, Price, RequestId, Timestamp};
use stockade::engine::ledger::Bucket;
use stockade::engine::order::State;
use stockade::engine::query::{OrderView, PaymentView};
use stockade::engine::{Answer, Engine, Refusal, Stage, Whose};
use stockade::wire::Refused;

use crate::ask::{Ask, Outcome, Placement, customer_of, detail_of};
use crate::customers::STERN;
use crate::life::shard_of;
use crate::money::Money;
use crate::returning::Returning;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Accepted {
    number: OrderNumber,
    accepted_at: Timestamp,
    deadline: Timestamp,
    /// Units taken of each line.
    taken: Vec<u32>,
}

#[derive(Default)]
pub(crate) struct Promises {
    pub(crate) accepted: BTreeMap<OrderId, Accepted>,
    /// Those whose own client was answered. Others were only seen, and what their client hears next may be older.
    answered: BTreeSet<OrderId>,
    numbers: BTreeMap<(MarketId, OrderNumber), OrderId>,
    /// First results of changes of quantities: units moved and units in excess.
    changes: BTreeMap<(OrderId, ChangeId), (u64, u64)>,
    /// First results of stock requests.
    stock: BTreeMap<RequestId, u64>,
    /// Units that must be in a bucket once everything is answered.
    expected: BTreeMap<(MarketId, u8), i64>,
    /// What is over leaves soon in this world. An answer that was lost may then never be learnt.
    pub(crate) forgetful: bool,
    /// Some of what customers order are kits.
    pub(crate) sells_kits: bool,
    /// Somebody counts stock and finds what nobody can know.
    pub(crate) counts: bool,
    /// Whom somebody ever asked to be erased.
    erasing: BTreeSet<(MarketId, CustomerKey, Option<OrderId>)>,
    /// Orders of which somebody was told that they had been accepted and then erased.
    accepted_and_erased: BTreeSet<OrderId>,
    /// Orders whose details were said to be erased.
    erased: BTreeSet<OrderId>,
    /// Holds that were said to be there, of owners who lift none.
    held: BTreeSet<(OrderId, u8)>,
    /// Identifiers that were refused as too old: never accepted from then on.
    too_old: BTreeSet<OrderId>,
    pub(crate) money: Money,
    returning: Returning,
}

impl Promises {
    pub(crate) fn new(forgetful: bool) -> Self {
        Self { forgetful, ..Self::default() }
    }

    /// A client was told this, and perhaps something before.
    pub(crate) fn hear(&mut self, ask: &Ask, outcome: &Outcome, before: Option<&Outcome>) {
        self.money.hear_asked(ask, matches!(outcome, Outcome::Answered(..)));
        match (ask, outcome) {
            (Ask::Place(placement), Outcome::Answered(answer, taken)) => self.hear_placed(placement, answer, taken),
            (Ask::Place(Placement { order, .. }), Outcome::Refused(refused))
                if self.forgetful && *refused == Refused::Engine(Refusal::IdTooOld) =>
            {
                self.too_old.insert(*order);
            }
            (Ask::Erase { known, .. }, Outcome::Answered(..)) => self.erased.extend(known),
            (Ask::Place(placement), Outcome::Refused(Refused::Engine(why))) => {
                let is_erased = *why == Refusal::Erased && self.may_be_erased(placement.order);
                // It was accepted, and its client never hears more of it.
                self.accepted_and_erased.extend(is_erased.then_some(placement.order));
                assert!(
                    is_erased || !self.answered.contains(&placement.order),
                    "the accepted order {} was answered, and is now refused: {why:?}",
                    placement.order
                );
            }
            (Ask::Receive { request, quantity, .. }, Outcome::Answered(Answer::Stock { available, .. }, _)) => {
                self.hear_stock(*request, *available, Bucket::Supplier, -quantity.cast_signed());
            }
            (Ask::Adjust { request, delta, .. }, Outcome::Answered(Answer::Stock { available, .. }, _)) => {
                self.hear_stock(*request, *available, Bucket::WriteOff, -delta);
            }
            (Ask::Move { request, .. }, Outcome::Answered(Answer::Stock { available, .. }, _)) => {
                self.hear_stock(*request, *available, Bucket::WriteOff, 0);
            }
            (Ask::Count { request, .. }, Outcome::Answered(Answer::Stock { available, .. }, _)) => {
                self.hear_stock(*request, *available, Bucket::WriteOff, 0);
            }
            (Ask::Extend { order, .. }, Outcome::Answered(Answer::Extended { deadline, .. }, _)) => {
                self.hear_extended(*order, *deadline);
            }
            (Ask::Hold { order, owner: STERN, reason }, Outcome::Answered(..)) => {
                self.held.insert((*order, *reason as u8));
            }
            (Ask::CancelLines { order, change, .. }, Outcome::Answered(answer, _)) => {
                self.hear_change(*order, *change, answer, 0);
            }
            (Ask::Edit { order, change, .. }, Outcome::Answered(answer, _)) => {
                self.hear_change(*order, *change, answer, 0);
            }
            (Ask::HandOver { order, change, .. }, Outcome::Answered(answer, _)) => {
                self.hear_change(*order, *change, answer, 1);
            }
            (Ask::Return { order, change, .. }, Outcome::Answered(answer, _)) => {
                self.hear_change(*order, *change, answer, -1);
            }
            (Ask::Delivered { order, change, .. }, Outcome::Answered(answer, _)) => {
                self.hear_change(*order, *change, answer, 0);
            }
            (Ask::ComeBack { order, id, step }, Outcome::Answered(answer, _)) => {
                for (bucket, units) in self.returning.hear(*order, *id, step, answer) {
                    *self.expected.entry((order.market(), bucket as u8)).or_default() += units;
                }
            }
            (Ask::RequestRefund { order, change, amount }, Outcome::Answered(answer, _)) => {
                self.hear_change(*order, *change, answer, 0);
                let is_all = matches!(answer, Answer::Done { moved, .. } if moved == amount);
                assert!(is_all, "of {order} {amount} was asked back, and answered {answer:?}");
            }
            (Ask::StartPayment { order, attempt, .. }, Outcome::Answered(..)) => {
                self.money.hear_started(*order, *attempt);
            }
            (Ask::ReportPayment { order, attempt, report, .. }, Outcome::Answered(..)) => {
                self.money.hear(*order, *attempt, *report);
            }
            (
                Ask::CancelLines { .. }
                | Ask::Edit { .. }
                | Ask::HandOver { .. }
                | Ask::Return { .. }
                | Ask::RequestRefund { .. }
                | Ask::Delivered { .. }
                | Ask::ComeBack { .. }
                | Ask::StartPayment { .. }
                | Ask::ReportPayment { .. },
                Outcome::Refused(Refused::Engine(Refusal::Closed { .. } | Refusal::UnknownOrder)),
            ) if self.forgetful => {}
            (ask, Outcome::Refused(Refused::Engine(why))) => {
                assert!(!self.has_first_result(ask, before), "{ask:?} was answered, and is now refused: {why:?}");
            }
            _ => {}
        }
    }

    fn has_first_result(&self, ask: &Ask, before: Option<&Outcome>) -> bool {
        match ask {
            Ask::Receive { request, .. }
            | Ask::Adjust { request, .. }
            | Ask::Move { request, .. }
            | Ask::Count { request, .. } => self.stock.contains_key(request),
            Ask::CancelLines { order, change, .. }
            | Ask::Edit { order, change, .. }
            | Ask::HandOver { order, change, .. }
            | Ask::RequestRefund { order, change, .. }
            | Ask::Delivered { order, change, .. }
            | Ask::Return { order, change, .. } => self.changes.contains_key(&(*order, *change)),
            // Several clients have the same number for a return, and hear of it in whatever order.
            Ask::ComeBack { step, .. } => step.is_kept() && matches!(before, Some(Outcome::Answered(..))),
            Ask::StartPayment { order, attempt, .. } => self.money.has_started(*order, *attempt),
            _ => false,
        }
    }

    fn hear_placed(&mut self, placement: &Placement, answer: &Answer, taken: &[u32]) {
        let Answer::Placed { number, accepted_at, deadline, short, .. } = *answer else {
            panic!("a placement was answered {answer:?}");
        };
        assert!(!self.too_old.contains(&placement.order), "{} was too old, and is accepted", placement.order);
        self.answered.insert(placement.order);
        let taken = if short { taken.to_vec() } else { placement.lines.iter().map(|line| line.quantity).collect() };
        self.accept(placement.order, &Accepted { number, accepted_at, deadline, taken });
    }

    /// What the units cost that an order was answered to have.
    pub(crate) fn cost(&self, order: OrderId, prices: &BTreeMap<OrderId, Vec<Price>>) -> Option<Price> {
        let taken = &self.accepted.get(&order)?.taken;
        let cost = taken.iter().zip(prices.get(&order)?).map(|(units, price)| u64::from(*units) * price).sum();
        Some(cost).filter(|cost| *cost > 0)
    }

    /// Somebody is about to be erased. Tells which orders of theirs are known.
    pub(crate) fn note_erasing(&mut self, whose: Whose) -> Vec<OrderId> {
        let (market, customer, guest) = match whose {
            Whose::Customer { market, customer } => (market, customer, None),
            Whose::Guest { order } => (order.market(), CustomerKey(0), Some(order)),
        };
        self.erasing.insert((market, customer, guest));
        let is_theirs = |order: &&OrderId| {
            order.market() == market && customer_of(**order) == customer && guest.is_none_or(|guest| guest == **order)
        };
        self.answered.iter().filter(is_theirs).copied().collect()
    }

    fn may_be_erased(&self, order: OrderId) -> bool {
        let (market, customer) = (order.market(), customer_of(order));
        let guest = (customer == CustomerKey(0)).then_some(order);
        self.erasing.contains(&(market, customer, guest))
    }

    /// Somebody looked at an order: what was seen must stay.
    pub(crate) fn hear_seen(&mut self, view: &OrderView) {
        let is_its_own = view.details.iter().all(|byte| *byte == detail_of(view.order));
        assert!(is_its_own, "the details of {} are not those it was given", view.order);
        assert!(!view.erased || self.may_be_erased(view.order), "nobody asked for {} to be erased", view.order);
        if view.state != State::Blocked && !view.closed {
            self.accept(view.order, &accepted(view));
        }
    }

    fn accept(&mut self, order: OrderId, accepted: &Accepted) {
        let holder = *self.numbers.entry((order.market(), accepted.number)).or_insert(order);
        assert_eq!(holder, order, "order number {} was given twice", accepted.number);
        let first = self.accepted.entry(order).or_insert_with(|| accepted.clone());
        // Answers overtake each other, and some were made before the reservation was extended.
        first.deadline = first.deadline.max(accepted.deadline);
        let deadline = first.deadline;
        let told = Accepted { deadline, taken: first.lines_of(accepted), ..accepted.clone() };
        first.taken.truncate(told.taken.len());
        assert_eq!(*first, told, "order {order} was answered, and is now answered otherwise");
    }

    /// An extended reservation stays extended, if its acceptance was ever told.
    fn hear_extended(&mut self, order: OrderId, until: Timestamp) {
        if let Some(accepted) = self.accepted.get_mut(&order) {
            accepted.deadline = accepted.deadline.max(until);
        }
    }

    fn hear_stock(&mut self, request: RequestId, available: u64, outside: Bucket, units: i64) {
        if let Some(first) = self.stock.insert(request, available) {
            assert_eq!(first, available, "stock request {request} was answered, and is now answered otherwise");
            return;
        }
        *self.expected.entry((request.market(), outside as u8)).or_default() += units;
    }

    fn hear_change(&mut self, order: OrderId, change: ChangeId, answer: &Answer, to_customer: i64) {
        let Answer::Done { moved, excess, .. } = *answer else { panic!("a change was answered {answer:?}") };
        if let Some(first) = self.changes.insert((order, change), (moved, excess)) {
            assert_eq!(
                first,
                (moved, excess),
                "change {change} of {order} was answered, and is now answered otherwise"
            );
            return;
        }
        let customer = self.expected.entry((order.market(), Bucket::Customer as u8)).or_default();
        *customer += to_customer * moved.cast_signed();
    }

    /// Every acceptance that left is in the recovered state of its shard, as it was answered.
    pub(crate) fn check_kept(&self, engines: &[Engine]) {
        for (order, promised) in &self.accepted {
            let engine = &engines[shard_of(order.market().number(), engines.len() as u16)];
            let found = engine.order(*order);
            if self.forgetful && found == Err(Refusal::UnknownOrder) {
                let retention = engine.retention(order.market()).expect("the market is open");
                assert!(order.made_at() < retention.retired_before, "{order} is gone and would be accepted again");
                continue;
            }
            let view = found.unwrap_or_else(|why| panic!("the answered acceptance of {order} is lost: {why:?}"));
            self.check_held(&view);
            self.returning.check(&view);
            self.money.check_kept(&view);
            let is_gone = view.details.is_empty() || !self.erased.contains(order);
            assert!(is_gone, "the erased details of {order} can be read again");
            let kept = if view.closed {
                Accepted { taken: promised.taken.clone(), ..accepted(&view) }
            } else {
                Accepted { taken: promised.lines_of(&accepted(&view)), ..accepted(&view) }
            };
            assert!(kept.deadline >= promised.deadline, "{order} was to be reserved for longer");
            let kept = Accepted { deadline: promised.deadline, ..kept };
            assert_eq!(kept, *promised, "the answered acceptance of {order} has changed");
        }
    }

    /// What nobody lifts is there until the order is over, and the order says so.
    fn check_held(&self, view: &OrderView) {
        let is_over = view.closed || matches!(view.state, State::Cancelled | State::Completed);
        let stern = view.holds.iter().filter(|hold| hold.owner == STERN).map(|hold| (view.order, hold.reason as u8));
        let there: BTreeSet<_> = stern.collect();
        let of_order = (view.order, 0)..=(view.order, u8::MAX);
        let is_kept = self.held.range(of_order).all(|hold| there.contains(hold));
        assert!(is_over || is_kept, "{} was held, and is let go: {:?}", view.order, view.holds);
        assert!(!is_over || view.holds.is_empty(), "{} is over and held", view.order);
        let is_vain = |payment: &PaymentView| {
            payment.captured == 0 && matches!(payment.stage, Stage::Failed | Stage::Voided | Stage::Expired)
        };
        let has_failed = !view.payments.is_empty() && view.payments.iter().all(is_vain);
        let is_held = !view.holds.is_empty() || view.check.is_open();
        let told = view.state.plain().with_holds(is_held).with_failed(has_failed);
        assert_eq!(
            view.state, told,
            "{} says otherwise than its holds {:?}, its check {:?} and its payments {:?}",
            view.order, view.holds, view.check, view.payments
        );
    }

    /// Once everything is answered, the books are exactly what the clients were told.
    pub(crate) fn check_books(&self, engine: &Engine, market: MarketId) {
        let books = engine.books(market).expect("the market is open");
        for bucket in [Bucket::Supplier, Bucket::WriteOff, Bucket::Customer] {
            // A change moves kits, and the books hold what is in them.
            if (self.forgetful || self.sells_kits) && bucket == Bucket::Customer {
                continue;
            }
            if self.counts && bucket == Bucket::WriteOff {
                continue;
            }
            let expected = self.expected.get(&(market, bucket as u8)).copied().unwrap_or(0);
            assert_eq!(books.units[bucket as usize], expected, "units of market {market} in {}", bucket.name());
        }
        assert_eq!(books.units.iter().sum::<i64>(), 0, "units are conserved");
        assert!(!engine.has_fills(), "what arrived was given to who waits");
        assert!(!engine.has_put_backs(), "whoever held what was not found was put back");
        let orders: u64 = State::ALL.iter().map(|state| books.orders[*state as usize]).sum();
        let blocked = books.orders[State::Blocked as usize];
        let is_here = |order: &&OrderId| order.market() == market;
        let known: BTreeSet<_> = self.accepted.keys().chain(&self.accepted_and_erased).filter(is_here).collect();
        let accepted = known.len() as u64;
        let is_of = |order: &&OrderId| order.market() == market && !known.contains(order);
        let unknowable = self.too_old.iter().filter(is_of).count() as u64;
        let told = accepted..=accepted + unknowable;
        assert!(told.contains(&(orders - blocked)), "orders of market {market}: none twice, none invented");
    }
}

impl Accepted {
    /// What another answer tells of the same lines. Edits put lines behind those that were placed.
    fn lines_of(&self, other: &Self) -> Vec<u32> {
        other.taken[..other.taken.len().min(self.taken.len())].to_vec()
    }
}

fn accepted(view: &OrderView) -> Accepted {
    Accepted {
        number: view.number,
        accepted_at: view.accepted_at,
        deadline: view.deadline,
        taken: view.lines.iter().map(|line| line.taken).collect(),
    }
}
