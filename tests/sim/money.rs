//! What was promised of money, and what must be true of it once everything is quiet.
//!
//! # Always true
//! - What a shard took note of it never forgets: an attempt stays, and its totals grow.
//! - At the end, of every order that is there: what its provider took and what is set aside there is what the order
//!   knows, and nobody keeps more than is due.
//! - Of an order that was paid, or says that it is, all that is due is there, set aside, or said to be missing; but for
//!   what was asked back.
//! - Goods that left a warehouse by an adapter are paid, but for what was asked back and what was lost when nobody knew
//!   it yet.
//! # Not here
//! - Orders that somebody confirmed by hand when nobody had told of a payment: of their money nobody counts anything.

use std::collections::{BTreeMap, BTreeSet};

use stockade::base::{ChangeId, MarketId, OrderId, Price};
use stockade::engine::order::State;
use stockade::engine::query::{LineView, OrderView, PaymentView};
use stockade::engine::{Engine, MoneySums, PaymentReport, Refusal, Stage, Step};

use crate::ask::Ask;
use crate::life::shard_of;
use crate::outside::Outside;
use crate::provider::pounds;

#[derive(Debug, Default)]
pub(crate) struct Money {
    /// Captured, given back and taken back in all, as somebody was told that it was taken note of.
    totals: BTreeMap<(OrderId, ChangeId), [Price; 3]>,
    /// By order and change: money that was asked back, and what came of that.
    refunds: BTreeMap<(OrderId, ChangeId), (Price, Asked)>,
    /// By order and attempt: that it is paid, which somebody said by hand.
    confirms: BTreeMap<(OrderId, ChangeId), Asked>,
    started: BTreeSet<(OrderId, ChangeId)>,
    /// Orders that somebody asked to be edited.
    edited: BTreeSet<OrderId>,
}

/// What became of something that was asked, maybe more than once: refused once it may be carried out later, and nobody
/// hear.
#[derive(Debug, Default)]
struct Asked {
    /// How often it was asked, less the refusals that were heard.
    open: u32,
    is_granted: bool,
}

impl Asked {
    const fn hear(&mut self, is_granted: bool) {
        self.is_granted |= is_granted;
        self.open -= !is_granted as u32;
    }

    const fn may_be(&self) -> bool {
        self.is_granted || self.open > 0
    }
}

impl Money {
    pub(crate) fn hear(&mut self, order: OrderId, attempt: ChangeId, report: PaymentReport) {
        let totals = self.totals.entry((order, attempt)).or_default();
        let told = match report {
            PaymentReport::Captured { .. } => Some(0),
            PaymentReport::Refunded { .. } => Some(1),
            PaymentReport::ChargedBack { .. } => Some(2),
            _ => None,
        };
        if let (Some(at), Some(total)) = (told, report.total()) {
            totals[at] = totals[at].max(total);
        }
    }

    /// Somebody asks for something that changes what is kept of an order.
    pub(crate) fn note(&mut self, ask: &Ask) {
        match ask {
            Ask::RequestRefund { order, change, amount } => {
                let (of, asked) = self.refunds.entry((*order, *change)).or_default();
                (*of, asked.open) = (*amount, asked.open + 1);
            }
            Ask::Confirm { order, attempt } => self.confirms.entry((*order, *attempt)).or_default().open += 1,
            Ask::Edit { order, .. } => {
                self.edited.insert(*order);
            }
            _ => {}
        }
    }

    /// What came of that.
    pub(crate) fn hear_asked(&mut self, ask: &Ask, is_granted: bool) {
        match ask {
            Ask::RequestRefund { order, change, .. } => {
                self.refunds.get_mut(&(*order, *change)).expect("it was asked back").1.hear(is_granted);
            }
            Ask::Confirm { order, attempt } => {
                self.confirms.get_mut(&(*order, *attempt)).expect("it was asked").hear(is_granted);
            }
            _ => {}
        }
    }

    /// What of an order's money may have been asked back.
    fn asked_back(&self, order: OrderId) -> Price {
        let all = self.refunds.range((order, ChangeId(0))..=(order, ChangeId(u64::MAX)));
        all.map(|(_, refund)| refund).filter(|(_, asked)| asked.may_be()).map(|(amount, _)| amount).sum()
    }

    /// Whether somebody may have confirmed an order by hand before anybody told of a payment: nobody counts then. Where
    /// something was told, and where adapters see to the payment, that is entered as an attempt.
    fn may_be_said_paid(&self, view: &OrderView) -> bool {
        let all = self.confirms.range((view.order, ChangeId(0))..=(view.order, ChangeId(u64::MAX)));
        let is_known = |id| view.payments.iter().any(|payment| payment.attempt == id);
        let mut may_be = all.filter(|(_, asked)| asked.may_be()).map(|((_, attempt), _)| *attempt).peekable();
        !is_known(ChangeId::HANDED_OFF) && may_be.peek().is_some() && !may_be.any(is_known)
    }

    pub(crate) fn hear_started(&mut self, order: OrderId, attempt: ChangeId) {
        self.totals.entry((order, attempt)).or_default();
        self.started.insert((order, attempt));
    }

    /// Whether somebody was told that it began, by the answer to that.
    pub(crate) fn has_started(&self, order: OrderId, attempt: ChangeId) -> bool {
        self.started.contains(&(order, attempt))
    }

    /// What somebody was told of an order's money is there.
    pub(crate) fn check_kept(&self, view: &OrderView) {
        if view.closed {
            return;
        }
        let all = (view.order, ChangeId(0))..=(view.order, ChangeId(u64::MAX));
        for ((order, attempt), told) in self.totals.range(all) {
            let known = view.payments.iter().find(|payment| payment.attempt == *attempt);
            let known = known.unwrap_or_else(|| panic!("{order}: the answered attempt {attempt} is lost"));
            let kept = [known.captured, known.refunded, known.charged_back];
            let is_kept = kept.iter().zip(told).all(|(kept, told)| kept >= told);
            assert!(is_kept, "{order}: of attempt {attempt} {told:?} was answered, and {kept:?} is left");
        }
    }

    /// Once nothing is under way any more.
    pub(crate) fn check(&self, engines: &[&Engine], outside: &Outside, orders: &[OrderId]) -> Whole {
        let mut whole = Whole::default();
        for order in orders {
            let engine = engines[shard_of(order.market().number(), engines.len() as u16)];
            match engine.order(*order) {
                Ok(view) if !view.closed => self.check_order(&view, outside, &mut whole),
                // It is over, was never accepted, or is gone.
                Ok(_) | Err(Refusal::UnknownOrder) => {}
                Err(why) => panic!("{order}: {why:?}"),
            }
        }
        whole
    }

    fn check_order(&self, view: &OrderView, outside: &Outside, whole: &mut Whole) {
        let (order, provider) = (view.order, &outside.provider);
        for (attempt, account) in provider.accounts_of(order) {
            let known = view.payments.iter().find(|payment| payment.attempt == attempt);
            let known = known.unwrap_or_else(|| panic!("{order} knows nothing of attempt {attempt}: {account:?}"));
            let captured = if account.is_adopted { known.captured } else { account.captured };
            assert_eq!(
                [known.captured, known.refunded, known.charged_back, room(known)],
                [captured, account.refunded, account.charged_back, account.room()],
                "{order}: attempt {attempt}: what the order knows, and what its provider did: {account:?} {view:?}"
            );
            let is_let_go = account.room() == 0 || view.state.is_open();
            assert!(is_let_go, "{order}: money stays set aside for nothing: {account:?} {view:?}");
        }
        let steps = view.payments.iter().filter(|payment| payment.step != Step::Nothing);
        assert_eq!(steps.count(), 0, "{order}: something is to be done yet: {view:?}");
        let sum = |of: fn(&PaymentView) -> Price| view.payments.iter().map(of).sum::<Price>();
        let kept = sum(|it| it.captured).saturating_sub(sum(|it| it.refunded) + sum(|it| it.charged_back));
        let sold = |line: &LineView| line.price * u64::from(line.owed + line.reserved + line.committed + line.shipped);
        let due: Price = view.lines.iter().map(sold).sum();
        assert!(kept <= due, "{order}: {kept} is kept of {due} that are due: {view:?}");
        let is_counted = !view.payments.is_empty() && !self.may_be_said_paid(view);
        if is_counted && view.deadline.ms() > 0 && !view.state.awaits_payment() {
            // What was given back by an outdated step counts as asked for. Where that happened more than once, what got
            // lost meanwhile is not told apart step by step.
            let asked = self.asked_back(order);
            let is_overtaken = sum(|it| it.refund_asked) > asked;
            let lost = if is_overtaken { provider.losses.all(order) } else { 0 };
            // So does what was on its way back when an edit made more due: all that went back without being asked.
            let unasked = (sum(|it| it.refund_asked) - sum(|it| it.refund_failed)).saturating_sub(asked);
            let by_edits = if self.edited.contains(&order) { unasked } else { 0 };
            let forgone = asked + lost.max(provider.losses.forgone(order)).max(by_edits);
            let (set_aside, missing) = (sum(room), view.missing);
            let all = kept + set_aside + missing;
            assert!(
                all + forgone >= due && (all <= due || missing == 0),
                "{order}: of {due} {kept} is kept, {set_aside} set aside and {missing} missing: {view:?}"
            );
            if let Some(left) = outside.left(order).filter(|left| !left.seen.is_empty()) {
                let (cost, unheard) = (left.cost(view), provider.losses.unheard(order, &left.seen));
                assert!(
                    kept + forgone + unheard >= cost,
                    "{order}: for {cost} left, {kept} is kept of that and {unheard} got lost later: {view:?}, {left:?}"
                );
            }
            whole.orders += u64::from(view.state == State::Completed && missing == 0);
            whole.missing += u64::from(missing > 0);
        }
        let has_failed = view.payments.iter().any(|payment| payment.stage == Stage::Failed);
        whole.paid_otherwise += u64::from(has_failed && kept > 0);
    }

    /// The books of a market hold what all its orders hold, unless some of them are gone.
    pub(crate) fn check_books(engine: &Engine, market: MarketId, orders: &[OrderId]) {
        let books = engine.books(market).expect("the market is open");
        let mut sums = [0_u128; 4];
        let views =
            orders.iter().filter(|order| order.market() == market).filter_map(|order| engine.order(*order).ok());
        for payment in views.flat_map(|view| view.payments) {
            let parts = [payment.authorised, payment.captured, payment.refunded, payment.charged_back];
            sums.iter_mut().zip(parts).for_each(|(sum, part)| *sum += u128::from(part));
        }
        let told = books.money.iter().find(|(currency, _)| *currency == pounds()).map(|(_, sums)| *sums);
        assert_eq!(told.unwrap_or_default(), MoneySums::from_parts(sums), "money of market {market}");
        assert!(books.money.len() <= 1, "{:?}", books.money);
    }
}

/// What may still be taken of an attempt, as its order knows.
const fn room(known: &PaymentView) -> Price {
    if matches!(known.stage, Stage::Authorised) { known.authorised - known.captured } else { 0 }
}

/// How much there was to say something about.
#[derive(Debug, Default)]
pub(crate) struct Whole {
    /// Orders that were paid and handed over whole.
    pub(crate) orders: u64,
    /// Orders that were paid once, and are so no longer.
    pub(crate) missing: u64,
    /// Orders that were paid after an attempt had failed.
    pub(crate) paid_otherwise: u64,
}
