//! What went of the money that orders count on, and whether they had heard of it when their goods left.
//!
//! # Always true
//! - What ran out or was taken back by a bank excuses nothing once its order has heard of it: no more goods leave then
//!   before it is paid again.
//! # Why so
//! An order cannot know what nobody told it yet, and what it said once somebody may carry out late. When one payment
//! is lost while another is on its way back or let go because of it, the order counts on the other one until it hears
//! what came of that. That much may leave unpaid; all else that leaves is paid.

use std::collections::BTreeMap;

use stockade::base::{ChangeId, OrderId, Price};
use stockade::engine::Stage;
use stockade::engine::query::PaymentView;

/// How it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// It was set aside, and ran out.
    RanOut,
    /// A bank took it back, with what it took before so much.
    TakenBack { total: Price },
    /// At the provider's own desk, by whoever sits there: it counts as asked for.
    GivenAway,
    /// As the order wanted, when that is what it was told last.
    GivenBack,
    /// As the order wanted.
    LetGo,
    /// The same, and the order had not heard that it was set aside. That notice may still come.
    LetGoUnheard,
}

#[derive(Debug)]
struct Loss {
    attempt: ChangeId,
    how: How,
    amount: Price,
}

impl Loss {
    /// Nobody asked for it.
    const fn is_mishap(&self) -> bool {
        matches!(self.how, How::RanOut | How::TakenBack { .. })
    }

    /// Whether an order of which this is shown has heard of it.
    fn is_told(&self, seen: &[PaymentView]) -> bool {
        let known = seen.iter().find(|payment| payment.attempt == self.attempt);
        known.is_some_and(|known| match self.how {
            How::TakenBack { total } => known.charged_back >= total,
            How::RanOut | How::LetGo | How::LetGoUnheard => matches!(known.stage, Stage::Voided | Stage::Expired),
            How::GivenAway | How::GivenBack => known.refunded > 0,
        })
    }
}

#[derive(Debug, Default)]
pub(crate) struct Losses {
    of: BTreeMap<OrderId, Vec<Loss>>,
}

impl Losses {
    pub(crate) fn note(&mut self, order: OrderId, attempt: ChangeId, (how, amount): (How, Price)) {
        if amount > 0 {
            self.of.entry(order).or_default().push(Loss { attempt, how, amount });
        }
    }

    fn sum(&self, order: OrderId, is_of: impl Fn(&Loss) -> bool) -> Price {
        self.of.get(&order).into_iter().flatten().filter(|loss| is_of(loss)).map(|loss| loss.amount).sum()
    }

    /// What went although nobody wanted it to.
    pub(crate) fn mishaps(&self, order: OrderId) -> Price {
        self.sum(order, |loss| loss.is_mishap() || loss.how == How::GivenAway)
    }

    /// What an order does not ask to be paid again.
    ///
    /// Of what was given back as it wanted that is as much as was lost besides: it wanted that no more when it heard
    /// so, and somebody had given it back already.
    pub(crate) fn forgone(&self, order: OrderId) -> Price {
        let mishaps = self.sum(order, Loss::is_mishap);
        self.sum(order, |loss| loss.how == How::GivenAway)
            + self.sum(order, |loss| loss.how == How::GivenBack).min(mishaps)
    }

    /// What may have gone of the money of goods that left by an instruction that knew of so much.
    pub(crate) fn unheard(&self, order: OrderId, seen: &[PaymentView]) -> Price {
        let mishaps = self.sum(order, Loss::is_mishap);
        let unheard = |loss: &Loss| !loss.is_told(seen);
        let let_go = self.sum(order, |loss| loss.how == How::LetGo && unheard(loss)).min(mishaps);
        let_go + self.sum(order, |loss| unheard(loss) && (loss.is_mishap() || loss.how == How::LetGoUnheard))
    }
}
