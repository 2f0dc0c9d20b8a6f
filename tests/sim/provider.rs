//! A payment provider that remembers whatever happens to the node, and everybody who uses it: adapters, storefronts
//! that take money themselves, customers with second thoughts and their banks.
//!
//! ```text
//! pay, carry out, happen ─► account of an attempt ─► letters: late, twice and in any order ─► storefront ─► shard
//! ```
//!
//! # Always true
//! - Of each account `captured <= authorised`, `refunded <= captured` and `charged_back <= captured`.
//! - What is taken of an order because it said so is never more than the order costs, and what got lost of it.

use std::collections::BTreeMap;

use stockade::adapters::Payment;
use stockade::base::{ChangeId, Currency, OrderId, Price};
use stockade::engine::choices::PaymentMethod;
use stockade::engine::query::{OrderView, PaymentView};
use stockade::engine::{FailureReason, PaymentReport, RetryClass, Stage, Step};

use crate::losses::{How, Losses};
use crate::rng::Rng;

/// What a provider knows of one attempt. Amounts are totals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) authorised: Price,
    pub(crate) captured: Price,
    pub(crate) refunded: Price,
    pub(crate) charged_back: Price,
    has_failed: bool,
    /// Nothing more is taken.
    is_closed: bool,
    /// The customer's bank was asked whether it may take it back; once.
    dispute: Option<bool>,
    /// To go back, and did not.
    refund_failed: Price,
    /// Somebody else took what is captured: nobody knows here how much that is in all.
    pub(crate) is_adopted: bool,
}

impl Account {
    const fn is_untouched(&self) -> bool {
        self.authorised == 0 && self.captured == 0 && !self.has_failed && !self.is_closed
    }

    /// What was captured and has not gone back in one way or the other.
    const fn kept(&self) -> Price {
        self.captured.saturating_sub(self.refunded + self.charged_back)
    }

    /// What may still be taken.
    pub(crate) const fn room(&self) -> Price {
        if self.is_closed { 0 } else { self.authorised - self.captured }
    }

    /// With what the order says somebody else took of it.
    fn with(mut self, seen: &PaymentView) -> Self {
        self.is_adopted |= seen.captured > self.captured;
        self.captured = self.captured.max(seen.captured);
        self.authorised = self.authorised.max(seen.authorised).max(self.captured);
        self
    }
}

/// Something a provider writes to its storefront.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Letter {
    pub(crate) order: OrderId,
    pub(crate) payment: Payment,
}

#[derive(Debug, Default)]
pub(crate) struct Provider {
    accounts: BTreeMap<(OrderId, ChangeId), (PaymentMethod, Account)>,
    /// Written and not yet told.
    pub(crate) letters: Vec<Letter>,
    /// Of each order, what was taken because it said so.
    taken: BTreeMap<OrderId, Price>,
    pub(crate) losses: Losses,
    /// Nothing happens to money in this world that nobody asked for.
    pub(crate) is_quiet: bool,
    /// Orders of which somebody heard lately, and those of which an attempt failed.
    recent: [Vec<OrderId>; 2],
    /// How much of everything happened.
    pub(crate) counts: Counts,
}

/// Orders that a storefront has in mind.
const RECENT: usize = 20;

/// What happened at a provider.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Counts {
    pub(crate) paid: u64,
    pub(crate) given_back: u64,
    pub(crate) failed: u64,
    pub(crate) charged_back: u64,
    pub(crate) captured_in_parts: u64,
    pub(crate) failed_refunds: u64,
    /// Times that somebody paid an order once more that had been paid for.
    pub(crate) paid_again: u64,
}

pub(crate) fn pounds() -> Currency {
    Currency::new(*b"GBP").expect("three letters")
}

impl Provider {
    fn change(&mut self, order: OrderId, attempt: ChangeId, (method, now): (PaymentMethod, Account)) {
        let Account { authorised, captured, refunded, charged_back, .. } = now;
        let is_conserved = captured <= authorised && refunded <= captured && charged_back <= captured;
        assert!(is_conserved, "a provider invents money for {order}, attempt {attempt}: {now:?}");
        let before =
            self.accounts.insert((order, attempt), (method, now)).map(|(_, before)| before).unwrap_or_default();
        let counts = &mut self.counts;
        counts.paid += u64::from(before.captured == 0 && captured > 0);
        counts.captured_in_parts += u64::from(before.captured > 0 && captured > before.captured);
        counts.given_back += u64::from(refunded > before.refunded);
        counts.charged_back += u64::from(charged_back > before.charged_back);
        counts.failed += u64::from(now.has_failed && !before.has_failed);
        let [heard, failed] = &mut self.recent;
        heard.push(order);
        failed.extend((now.has_failed && !before.has_failed).then_some(order));
    }

    /// An order of which somebody heard lately; or one of which an attempt failed.
    pub(crate) fn some_order(&self, rng: &mut Rng, has_failed: bool) -> Option<OrderId> {
        let all = &self.recent[usize::from(has_failed)];
        (!all.is_empty()).then(|| *rng.pick(&all[all.len().saturating_sub(RECENT)..]))
    }

    fn write(&mut self, order: OrderId, (attempt, method): (ChangeId, PaymentMethod), report: PaymentReport) {
        let payment = Payment { attempt, method, currency: pounds(), report };
        self.letters.push(Letter { order, payment });
    }

    pub(crate) fn account(&self, order: OrderId, attempt: ChangeId) -> Option<&Account> {
        self.accounts.get(&(order, attempt)).map(|(_, account)| account)
    }

    pub(crate) fn accounts_of(&self, order: OrderId) -> impl Iterator<Item = (ChangeId, &Account)> {
        let all = self.accounts.range((order, ChangeId(0))..=(order, ChangeId(u64::MAX)));
        all.map(|((_, attempt), (_, account))| (*attempt, account))
    }

    /// A customer pays at the storefront, or tries to.
    pub(crate) fn pay(
        &mut self,
        rng: &mut Rng,
        (order, attempt, method): (OrderId, ChangeId, PaymentMethod),
        amount: Price,
    ) {
        if !self.account(order, attempt).is_none_or(Account::is_untouched) {
            return;
        }
        let whose = (attempt, method);
        for report in [PaymentReport::RequiresAction, PaymentReport::Processing] {
            if rng.once_in(3) {
                self.write(order, whose, report);
            }
        }
        let mut now = Account::default();
        if rng.once_in(3) {
            let reason =
                *rng.pick(&[FailureReason::Declined, FailureReason::InsufficientFunds, FailureReason::Cancelled]);
            let class =
                *rng.pick(&[RetryClass::Now, RetryClass::OtherMethod, RetryClass::OtherMethod, RetryClass::Never]);
            now.has_failed = true;
            self.write(order, whose, PaymentReport::Failed { reason, class });
        } else {
            now.authorised = amount;
            if method == PaymentMethod::Card {
                self.write(order, whose, set_aside(order, amount));
            } else {
                now.captured = amount;
                self.write(order, whose, PaymentReport::Captured { total: amount });
            }
        }
        self.change(order, attempt, (method, now));
    }

    /// Something happens to money that nobody here asked for.
    pub(crate) fn happen(&mut self, rng: &mut Rng) {
        if self.is_quiet || self.accounts.is_empty() {
            return;
        }
        let which = rng.below(self.accounts.len() as u64) as usize;
        let (&(order, attempt), &(method, mut now)) = self.accounts.iter().nth(which).expect("it was counted");
        let part = |rng: &mut Rng, whole: Price| if rng.once_in(2) { whole } else { rng.between(1, whole) };
        let mut lost = None;
        let report = match rng.below(8) {
            0 if now.room() > 0 => {
                lost = Some((How::RanOut, now.room()));
                now.is_closed = true;
                PaymentReport::Expired
            }
            1 | 2 if now.room() > 0 && method == PaymentMethod::Card => {
                now.captured += part(rng, now.room());
                self.write(order, (attempt, method), set_aside(order, now.authorised));
                PaymentReport::Captured { total: now.captured }
            }
            3 if now.kept() > 0 && now.dispute.is_none() => {
                now.dispute = Some(true);
                PaymentReport::Disputed
            }
            4 if now.dispute == Some(true) => {
                now.dispute = Some(false);
                PaymentReport::DisputeWon
            }
            5 if now.dispute == Some(true) => {
                now.dispute = Some(false);
                // A bank does not care for what went back already.
                let amount = part(rng, now.captured - now.charged_back);
                now.charged_back += amount;
                lost = Some((How::TakenBack { total: now.charged_back }, amount));
                PaymentReport::ChargedBack { total: now.charged_back }
            }
            6 if now.kept() > 0 && rng.once_in(3) => {
                let amount = part(rng, now.kept());
                now.refunded += amount;
                lost = Some((How::GivenAway, amount));
                PaymentReport::Refunded { total: now.refunded }
            }
            _ => return,
        };
        self.write(order, (attempt, method), report);
        self.change(order, attempt, (method, now));
        if let Some((how, amount)) = lost {
            self.losses.note(order, attempt, how, amount);
        }
    }

    /// Does with an attempt what its order wants of it; what there is to say of that.
    pub(crate) fn carry_out(&mut self, view: &OrderView, seen: &PaymentView) -> Vec<PaymentReport> {
        let (order, attempt) = (view.order, seen.attempt);
        let mut now = self.account(order, attempt).copied().unwrap_or_default().with(seen);
        match seen.step {
            Step::Charge { amount } if now.is_untouched() => {
                if order.bits().is_multiple_of(10) && attempt == ChangeId::HANDED_OFF {
                    now.has_failed = true;
                } else {
                    now.authorised = amount;
                    now.captured = if seen.method == PaymentMethod::Card { 0 } else { amount };
                }
            }
            Step::Capture { total } if total > now.captured && !now.is_closed => {
                let total = total.min(now.authorised);
                self.take(view, total - now.captured);
                now.captured = total;
            }
            Step::GiveBack { total } => {
                let more = total.min(now.captured - now.charged_back).saturating_sub(now.refunded);
                now.refunded += more;
                self.losses.note_given_back(view, attempt, (more, now.refunded));
            }
            Step::Close if now.captured == seen.captured && !now.has_failed && !now.is_closed => {
                now.is_closed = true;
            }
            Step::Charge { .. } | Step::Capture { .. } | Step::Close | Step::Nothing => {}
        }
        self.change(order, attempt, (seen.method, now));
        reports(order, &now, seen)
    }

    /// Money is taken because an order said so, at most what it costs; what got lost of it is taken once more.
    fn take(&mut self, view: &OrderView, amount: Price) {
        let cost: Price = view.lines.iter().map(|line| line.price * u64::from(line.taken)).sum();
        let most = cost + self.losses.all(view.order);
        let taken = self.taken.entry(view.order).or_default();
        *taken += amount;
        assert!(*taken <= most, "{}: {taken} are taken by and by of an order for {most}", view.order);
    }

    /// A storefront does itself what an order wants, and writes down what came of it. Unless it is calm, giving back
    /// may fail.
    pub(crate) fn work_off(&mut self, rng: &mut Rng, is_calm: bool, view: &OrderView) {
        for seen in view.payments.iter().filter(|seen| seen.step != Step::Nothing) {
            let whose = (seen.attempt, seen.method);
            if let Step::GiveBack { total } = seen.step
                && !is_calm
                && rng.once_in(4)
            {
                self.fail_refund(view.order, whose, total);
                continue;
            }
            for report in self.carry_out(view, seen) {
                self.write(view.order, whose, report);
            }
        }
    }

    /// What was to go back by now does not, and never will unless it is asked for again.
    fn fail_refund(&mut self, order: OrderId, whose: (ChangeId, PaymentMethod), total: Price) {
        let Some((_, account)) = self.accounts.get_mut(&(order, whose.0)) else { return };
        account.refund_failed += total.saturating_sub(account.refunded);
        let total = account.refund_failed;
        self.counts.failed_refunds += u64::from(total > 0);
        if total > 0 {
            self.write(order, whose, PaymentReport::RefundFailed { total });
        }
    }

    /// Banks decide what they were asked.
    pub(crate) fn end_disputes(&mut self) {
        let mut over = Vec::new();
        for ((order, attempt), (method, account)) in &mut self.accounts {
            if account.dispute == Some(true) {
                account.dispute = Some(false);
                over.push((*order, (*attempt, *method)));
            }
        }
        over.into_iter().for_each(|(order, whose)| self.write(order, whose, PaymentReport::DisputeWon));
    }
}

/// So much is set aside, for half a day from when the order was made.
const fn set_aside(order: OrderId, total: Price) -> PaymentReport {
    PaymentReport::Authorised { total, until: order.made_at().after_ms(12 * 3_600_000) }
}

/// What there is to say of an attempt once its order's wish was carried out.
fn reports(order: OrderId, now: &Account, seen: &PaymentView) -> Vec<PaymentReport> {
    let Account { authorised, captured, refunded, charged_back, has_failed, is_closed, .. } = *now;
    let is_begun = matches!(seen.stage, Stage::Created | Stage::RequiresAction | Stage::Processing);
    let may_end = is_begun || seen.stage == Stage::Authorised && seen.authorised > seen.captured;
    let is_set_aside = authorised > captured && !is_closed;
    let is_taken = captured > seen.captured;
    // Of some another method may be tried.
    let class = if order.bits().is_multiple_of(20) { RetryClass::OtherMethod } else { RetryClass::Never };
    let told = match seen.step {
        Step::GiveBack { .. } => [false, false, false, charged_back > 0, refunded > 0, false],
        // Whoever has nothing to be done hears what they do not know.
        Step::Nothing => [
            has_failed && is_begun,
            is_set_aside && authorised > seen.authorised,
            is_taken,
            charged_back > seen.charged_back,
            refunded > seen.refunded,
            is_closed && may_end,
        ],
        _ if has_failed => [true, false, false, false, false, false],
        _ if is_closed && !is_taken => [false, false, false, false, false, true],
        _ => [false, is_set_aside, is_taken, false, false, false],
    };
    let all = [
        PaymentReport::Failed { reason: FailureReason::Declined, class },
        set_aside(order, authorised),
        PaymentReport::Captured { total: captured },
        PaymentReport::ChargedBack { total: charged_back },
        PaymentReport::Refunded { total: refunded },
        PaymentReport::Voided,
    ];
    told.into_iter().zip(all).filter(|(is_told, _)| *is_told).map(|(_, report)| report).collect()
}
