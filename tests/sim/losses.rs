//! What went of the money that orders count on and nobody here wanted to go, and whether they had heard of it when
//! their goods left, or when they wanted something given back.
//!
//! # Always true
//! - What ran out or was taken back by a bank excuses nothing once its order has heard of it: nothing more leaves then
//!   before it is paid again.
//! - What was given back at the provider's own desk counts as asked for, and is not asked to be paid again. So does
//!   what was given back as an order wanted that had not heard yet what it lost of its other money: at most so much.

use std::collections::BTreeMap;

use stockade::base::{ChangeId, OrderId, Price};
use stockade::engine::Stage;
use stockade::engine::query::{OrderView, PaymentView};

/// How it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// It was set aside, and ran out.
    RanOut,
    /// A bank took it back, with what it took before so much.
    TakenBack { total: Price },
    /// At the provider's own desk, by whoever sits there.
    GivenAway,
}

#[derive(Debug)]
struct Loss {
    attempt: ChangeId,
    how: How,
    amount: Price,
}

impl Loss {
    /// Whether an order that knew so much of its payments counted on it still. What was given away it has forgone.
    fn is_unheard(&self, seen: &[PaymentView]) -> bool {
        let known = seen.iter().find(|payment| payment.attempt == self.attempt);
        match self.how {
            How::RanOut => known.is_none_or(|known| !matches!(known.stage, Stage::Voided | Stage::Expired)),
            How::TakenBack { total } => known.is_none_or(|known| known.charged_back < total),
            How::GivenAway => false,
        }
    }
}

/// So much was given back as an order wanted that knew so much of its payments.
#[derive(Debug)]
struct GivenBack {
    attempt: ChangeId,
    total: Price,
    amount: Price,
    seen: Vec<PaymentView>,
    /// How many losses there were when the order had surely heard of it.
    until: Option<usize>,
}

#[derive(Debug, Default)]
pub(crate) struct Losses {
    /// In the order in which they came about.
    of: BTreeMap<OrderId, Vec<Loss>>,
    given_back: BTreeMap<OrderId, Vec<GivenBack>>,
}

impl Losses {
    pub(crate) fn note(&mut self, order: OrderId, attempt: ChangeId, how: How, amount: Price) {
        self.of.entry(order).or_default().push(Loss { attempt, how, amount });
    }

    fn sum(&self, order: OrderId, is_meant: impl Fn(&Loss) -> bool) -> Price {
        self.of.get(&order).into_iter().flatten().filter(|loss| is_meant(loss)).map(|loss| loss.amount).sum()
    }

    pub(crate) fn all(&self, order: OrderId) -> Price {
        self.sum(order, |_| true)
    }

    /// Something is given back as an order wants, in all so much now.
    pub(crate) fn note_given_back(&mut self, view: &OrderView, attempt: ChangeId, (amount, total): (Price, Price)) {
        let given_back = GivenBack { attempt, total, amount, seen: view.payments.clone(), until: None };
        self.given_back.entry(view.order).or_default().push(given_back);
    }

    /// Somebody looked at an order.
    pub(crate) fn look(&mut self, view: &OrderView) {
        let losses = self.of.get(&view.order).map_or(0, Vec::len);
        for it in self.given_back.get_mut(&view.order).into_iter().flatten().filter(|it| it.until.is_none()) {
            let is_heard = |seen: &PaymentView| seen.attempt == it.attempt && seen.refunded >= it.total;
            it.until = view.payments.iter().any(is_heard).then_some(losses);
        }
    }

    /// What an order takes as asked for although nobody asked.
    pub(crate) fn forgone(&self, order: OrderId) -> Price {
        let losses = self.of.get(&order).map_or(&[][..], Vec::as_slice);
        let crossed = |it: &GivenBack| {
            let until = &losses[..it.until.unwrap_or(losses.len())];
            let unheard = until.iter().filter(|loss| loss.is_unheard(&it.seen));
            unheard.map(|loss| loss.amount).sum::<Price>().min(it.amount)
        };
        let crossed: Price = self.given_back.get(&order).into_iter().flatten().map(crossed).sum();
        crossed + self.sum(order, |loss| loss.how == How::GivenAway)
    }

    /// What else went of the money on which an order counted that knew so much of its payments.
    pub(crate) fn unheard(&self, order: OrderId, seen: &[PaymentView]) -> Price {
        self.sum(order, |loss| loss.is_unheard(seen))
    }
}
