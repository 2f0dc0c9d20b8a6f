//! What was promised of money, and what must be true of it once everything is quiet.
//!
//! # Always true
//! - What a shard took note of it never forgets: an attempt stays, and its totals grow.
//! - At the end, of every order that is there: what its provider took is what the order knows, and nobody keeps more
//!   than is due. Of what was paid and handed over whole that much is kept, but for what was asked back and what got
//!   lost at the provider: at most so much less.

use std::collections::{BTreeMap, BTreeSet};

use stockade::base::{ChangeId, MarketId, OrderId, Price};
use stockade::engine::order::State;
use stockade::engine::query::{LineView, OrderView, PaymentView};
use stockade::engine::{Engine, MoneySums, PaymentReport, Refusal, Stage, Step};

use crate::ask::Ask;
use crate::life::shard_of;
use crate::provider::{Provider, pounds};

#[derive(Debug, Default)]
pub(crate) struct Money {
    /// Captured, given back and taken back in all, as somebody was told that it was taken note of.
    totals: BTreeMap<(OrderId, ChangeId), [Price; 3]>,
    /// By order and change: money that was asked back, as far as nobody knows that it was not granted.
    refunds: BTreeMap<(OrderId, ChangeId), AskedBack>,
    /// Orders that were said to be paid, whatever the answer: it may have been refused once and carried out later, and
    /// nobody heard.
    confirmed: BTreeSet<(OrderId, ChangeId)>,
    started: BTreeSet<(OrderId, ChangeId)>,
}

/// What somebody asked back.
#[derive(Debug, Default)]
struct AskedBack {
    amount: Price,
    /// How often it was asked for, less the refusals that were heard.
    open: u32,
    is_granted: bool,
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
                let asked = self.refunds.entry((*order, *change)).or_default();
                (asked.amount, asked.open) = (*amount, asked.open + 1);
            }
            Ask::Confirm { order, attempt } => _ = self.confirmed.insert((*order, *attempt)),
            _ => {}
        }
    }

    /// What came of asking money back.
    pub(crate) fn hear_asked_back(&mut self, order: OrderId, change: ChangeId, is_granted: bool) {
        let asked = self.refunds.get_mut(&(order, change)).expect("it was asked back");
        asked.is_granted |= is_granted;
        asked.open -= u32::from(!is_granted);
    }

    /// What of an order's money may have been asked back.
    fn asked_back(&self, order: OrderId) -> Price {
        let all = self.refunds.range((order, ChangeId(0))..=(order, ChangeId(u64::MAX)));
        let may_be = all.filter(|(_, asked)| asked.is_granted || asked.open > 0);
        may_be.map(|(_, asked)| asked.amount).sum()
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
    pub(crate) fn check(&self, engines: &[&Engine], provider: &Provider, orders: &[OrderId]) -> Whole {
        let mut whole = Whole::default();
        for order in orders {
            let engine = engines[shard_of(order.market().number(), engines.len() as u16)];
            match engine.order(*order) {
                Ok(view) if !view.closed => self.check_order(&view, provider, &mut whole),
                // It is over, was never accepted, or is gone.
                Ok(_) | Err(Refusal::UnknownOrder) => {}
                Err(why) => panic!("{order}: {why:?}"),
            }
        }
        whole
    }

    fn check_order(&self, view: &OrderView, provider: &Provider, whole: &mut Whole) {
        let order = view.order;
        let is_over = matches!(view.state, State::Expired | State::Cancelled);
        let is_crossed = provider.crossed.contains(&order) && !is_over;
        for (attempt, account) in provider.accounts_of(order) {
            let known = view.payments.iter().find(|payment| payment.attempt == attempt);
            let known = known.unwrap_or_else(|| panic!("{order} knows nothing of attempt {attempt}: {account:?}"));
            let captured = if account.is_adopted { known.captured } else { account.captured };
            let refunded = if is_crossed { known.refunded } else { account.refunded };
            assert_eq!(
                [known.captured, known.refunded, known.charged_back],
                [captured, refunded, account.charged_back],
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
        let all = (order, ChangeId(0))..=(order, ChangeId(u64::MAX));
        let is_known =
            |(_, attempt): &(OrderId, ChangeId)| view.payments.iter().any(|payment| payment.attempt == *attempt);
        let was_paid = !view.payments.is_empty() && view.deadline.ms() > 0 && view.state == State::Completed;
        if was_paid && !is_crossed && self.confirmed.range(all).all(is_known) {
            let lost = provider.lost.get(&order).copied().unwrap_or_default();
            let least = due.saturating_sub(self.asked_back(order) + lost);
            assert!(kept >= least, "{order} was paid and handed over whole, {kept} is kept of {least}: {view:?}");
            whole.orders += 1;
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

/// How much there was to say something about.
#[derive(Debug, Default)]
pub(crate) struct Whole {
    /// Orders that were paid and handed over whole.
    pub(crate) orders: u64,
    /// Orders that were paid after an attempt had failed.
    pub(crate) paid_otherwise: u64,
}
