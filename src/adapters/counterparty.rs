//! The other side: what an adapter needs of a payment provider, a warehouse, or whoever checks orders.

use std::future::Future;
use std::pin::Pin;

use tokio::sync::mpsc;

use crate::base::{ChangeId, Currency, OrderId};
use crate::engine::choices::PaymentMethod;

use crate::engine::query::{CheckState, OrderView, VelocityView, WantRow};
use crate::engine::{Action, AsideReason, Command, Effect, LineQuantity, PaymentReport, Report, Step};

/// Something to be carried out.
#[derive(Debug, Clone)]
pub struct Job {
    /// What is wanted, of which order.
    pub want: WantRow,
    /// The order as it is, looked up just before.
    pub order: Box<OrderView>,
    /// Of an order to be checked: what whoever placed it placed lately, looked up after it. `None` of an order that
    /// names nobody.
    pub velocity: Option<VelocityView>,
}

impl Job {
    /// Whether something is to be done with the order's money, or somebody is to look what became of it.
    pub(super) fn is_of_money(&self) -> bool {
        self.want.action == Action::Look || self.order.payments.iter().any(|payment| payment.step != Step::Nothing)
    }

    /// Whether a checker is to say something of it: nobody did yet, and it did not end meanwhile.
    pub(super) fn is_to_be_checked(&self) -> bool {
        self.order.check == CheckState::Pending
    }
}

/// What is told of one attempt to pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payment {
    /// Which.
    pub attempt: ChangeId,
    /// How it pays, should nobody know it yet.
    pub method: PaymentMethod,
    /// In which currency.
    pub currency: Currency,
    /// What there is to tell.
    pub report: PaymentReport,
}

impl Payment {
    /// As it is told of an order.
    pub(super) const fn command(self, order: OrderId) -> Command<'static> {
        let Self { attempt, method, currency, report } = self;
        Command::ReportPayment { order, attempt, method, currency, report }
    }
}

/// What a checker thinks of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opinion {
    /// It is to be trusted.
    Trusted,
    /// It is not.
    Rejected,
    /// A person is to decide.
    Review,
}

impl Opinion {
    /// As a verdict on a job.
    #[must_use]
    pub const fn verdict(self) -> Verdict {
        match self {
            Self::Trusted => Verdict::Done,
            Self::Rejected => Verdict::Rejected,
            Self::Review => Verdict::Review,
        }
    }

    /// As it is told of an order: each is checked once, by the first attempt.
    pub(super) const fn command(self, order: OrderId) -> Command<'static> {
        let report = match self {
            Self::Trusted => Report::Done,
            Self::Rejected => Report::Rejected,
            Self::Review => Report::SetAside(AsideReason::Review),
        };
        Command::ReportEffect { order, effect: Effect::Check, attempt: 1, report }
    }
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Every step was carried out, as far as it ever will be, and attempts without one were looked at; this is to be
    /// told of the attempts, in this order.
    Payments(Vec<Payment>),
    /// Brought about, or never to be. Of a check: the order is to be trusted.
    Done,
    /// Of a check: the order is not to be trusted.
    Rejected,
    /// Of a check: a person is to decide.
    Review,
    /// Nobody knows. To be asked again under the same key.
    Again,
    /// The other side says no and will say it again.
    Refused,
}

/// What a counterparty tells on its own account; told again until it is acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// Something became of money.
    Payment {
        /// Whose.
        order: OrderId,
        /// What.
        payment: Payment,
    },
    /// Goods left the building.
    HandedOver {
        /// Whose.
        order: OrderId,
        /// Names the parcel.
        change: ChangeId,
        /// What was in it.
        lines: Vec<LineQuantity>,
    },
    /// Somebody said whether an order is to be trusted.
    Checked {
        /// Which.
        order: OrderId,
        /// What.
        opinion: Opinion,
    },
}

impl News {
    /// Whose it is.
    #[must_use]
    pub const fn order(&self) -> OrderId {
        match self {
            Self::Payment { order, .. } | Self::HandedOver { order, .. } | Self::Checked { order, .. } => *order,
        }
    }
}

/// A future that stays on its thread.
pub type Promise<'c> = Pin<Box<dyn Future<Output = Verdict> + 'c>>;

/// Whoever can bring one kind of effect about. Lives on the adapter's thread.
///
/// Must honour keys: asked twice it answers the same and does nothing twice. For a release the key is order and attempt
/// of the effect, and of two attempts the later one holds, in whatever order they come. For money it is the order and
/// the attempt to pay, and totals say what is to be reached, so that whoever asks twice asks for nothing more. Of an
/// attempt without a step it says what the order does not know: an answer may have been lost, and its step be gone. For
/// a check it is the order.
pub trait Counterparty {
    /// For labels.
    fn name(&self) -> &'static str;

    /// What it brings about.
    fn effect(&self) -> Effect;

    /// Carries a job out. May be dropped at any moment.
    fn carry_out(&self, job: Job) -> Promise<'_>;

    /// Where its news comes from; asked once, on the adapter's thread. Bounded: a counterparty waits there.
    fn news(&self) -> mpsc::Receiver<News>;

    /// What was told is durable and need not be told again.
    fn handle_acknowledged(&self, news: &News);

    /// What was told is refused and would be again: the order is over, or has no room for another change. It need not
    /// be told again either, and is not kept by any shard.
    fn handle_refused(&self, news: &News);
}
