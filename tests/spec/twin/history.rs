//! What happened to orders, in the twin: everything is kept, and what is not shown is left out when somebody looks.

use stockade::base::limits::{HISTORY_ENTRIES_MAX, HISTORY_LAST_ENTRIES_MAX};
use stockade::base::{OrderId, Sequence, Timestamp};
use stockade::engine::order::State;
use stockade::engine::query::{HistoryPage, HistoryRow};
use stockade::engine::{
    Answer, AsideReason, Command, Draw, Edit, Effect, ExtendReason, Happening, PaymentReport, Refusal, Report,
};

use super::claims::Return;
use super::order::{Fate, Order, Record};
use super::returns::told_of_return;
use super::{Told, Twin};
use crate::rig::is_repeated;

/// A history tells larger numbers as this; only amounts of money that nobody has can be larger.
const TOLD_MAX: u64 = (1 << 48) - 1;

/// An order before something was asked of it.
pub(super) struct Before {
    state: State,
    cancelled: u64,
    /// By line.
    shipped: Vec<usize>,
    returns: Vec<Return>,
}

impl Before {
    fn is_unpaid(&self) -> bool {
        matches!(self.state, State::PendingPayment | State::PaymentFailed)
    }
}

impl Twin {
    /// What happens from here on is told in this entry of the stream.
    pub(crate) const fn stand_at(&mut self, position: Sequence) {
        self.position = position;
    }

    /// The order that a command is about.
    pub(super) fn before(&self, command: &Command<'_>) -> Option<Before> {
        let order = self.order(command.order()?).ok()?;
        let (cancelled, shipped) = (order.count(Fate::Cancelled), order.shipped());
        Some(Before { state: order.state(), cancelled, shipped, returns: order.returns.clone() })
    }

    /// Notes what came of a command.
    pub(super) fn note_told(&mut self, command: &Command<'_>, before: Option<Before>, told: &Told, now: Timestamp) {
        let Some(id) = command.order() else { return };
        if let Answer::Done { state: State::Blocked, repeated: false, .. } = told.answer {
            self.blocked_at.insert(id, now);
        }
        let Some(before) = before else { return };
        let position = self.position;
        let order = self.order_mut(id).expect("it was known before");
        let mut note = |what, line, value| order.note(what, (position, now), line, value);
        match (*command, told.answer) {
            (Command::Confirm { .. }, Answer::Done { moved, repeated: false, .. }) => {
                let is_late = before.state == State::Expired;
                note(if is_late { Happening::ConfirmedLate } else { Happening::Confirmed }, None, moved);
            }
            (Command::Confirm { .. }, Answer::RetakeFailed { sku, repeated: false }) => {
                note(Happening::RetakeFailed, None, sku.0.into());
            }
            (Command::Extend { reason, .. }, Answer::Extended { deadline, repeated: false }) => {
                let starts = reason == ExtendReason::PaymentStart;
                let what = if starts { Happening::PaymentStarted } else { Happening::Extended };
                note(what, None, deadline.ms());
            }
            (Command::Cancel { .. }, Answer::Done { moved, repeated: false, .. }) => {
                note(Happening::Cancelled, None, moved - before.cancelled);
            }
            (Command::CancelLines { lines, .. }, Answer::Done { moved, repeated: false, .. }) => {
                note(Happening::LinesCancelled, only(lines.iter().map(|line| line.line)), moved);
                order.note_covered(&before, (position, now));
            }
            (Command::EditOrder { edit, .. }, Answer::Done { repeated: false, .. }) => {
                order.note_edit(edit, (position, now));
                order.note_covered(&before, (position, now));
            }
            (Command::ReturnToStock { lines, .. }, Answer::Done { moved, repeated: false, .. }) => {
                note(Happening::Returned, only(lines.iter().map(|line| line.line)), moved);
            }
            (Command::ReportDelivered { lines, .. }, Answer::Done { moved, repeated: false, .. }) => {
                note(Happening::Delivered, only(lines.iter().map(|line| line.line)), moved);
            }
            (Command::Return { id, what, .. }, Answer::Return { moved, repeated: false, .. }) => {
                let (what, line, value) = told_of_return(&before.returns, id, what);
                note(what, line, value.unwrap_or(moved));
            }
            (Command::HandOver { .. }, Answer::Done { moved, excess, repeated: false, .. }) => {
                let shipped = order.shipped();
                let more = (0..).zip(shipped.iter().zip(&before.shipped)).filter(|(_, (after, before))| after > before);
                order.note(Happening::HandedOver, (position, now), only(more.map(|(line, _)| line)), moved);
                if excess > 0 {
                    order.note(Happening::HandedOverInExcess, (position, now), None, excess);
                }
            }
            (Command::ReportEffect { effect, attempt, report, .. }, Answer::Done { moved, repeated: false, .. }) => {
                note(reported(effect, report), None, attempt.into());
                if report == Report::Rejected {
                    note(Happening::Cancelled, None, moved);
                }
            }
            (Command::HoldOrder { reason, .. }, Answer::Done { repeated: false, .. }) => {
                note(Happening::Held, None, reason as u64);
            }
            (Command::LiftHold { reason, .. }, Answer::Done { repeated: false, .. }) => {
                note(Happening::HoldLifted, None, reason as u64);
            }
            (Command::StartPayment { method, .. }, Answer::Done { repeated: false, .. }) => {
                note(Happening::AttemptBegun, None, method as u64);
            }
            (Command::RequestRefund { amount, .. }, Answer::Done { repeated: false, .. }) => {
                note(Happening::RefundRequested, None, amount);
            }
            (Command::ReportPayment { report, .. }, answer) if !is_repeated(answer) => {
                let (what, value) = told_of_payment(report);
                note(what, None, value);
                match (before.state, answer) {
                    (_, Answer::RetakeFailed { sku, .. }) => note(Happening::RetakeFailed, None, sku.0.into()),
                    (_, Answer::Done { moved: 0, .. }) => {}
                    (State::Expired, Answer::Done { moved, .. }) => note(Happening::ChargedLate, None, moved),
                    (_, Answer::Done { state: State::Cancelled, moved, .. }) => {
                        note(Happening::Cancelled, None, moved);
                    }
                    (_, Answer::Done { moved, .. }) => note(Happening::Charged, None, moved),
                    (_, answer) => unreachable!("nothing that a report comes to: {answer:?}"),
                }
            }
            _ => {}
        }
    }

    pub(super) fn note_expired(&mut self, id: OrderId, units: u64) {
        let position = self.position;
        let order = self.order_mut(id).expect("it is due");
        order.note(Happening::Expired, (position, order.deadline), None, units);
    }

    pub(super) fn note_filled(&mut self, draws: &[(OrderId, Draw)], now: Timestamp) {
        let Some((id, _)) = draws.first() else { return };
        let position = self.position;
        let units = draws.iter().map(|(_, draw)| u64::from(draw.quantity)).sum();
        let line = only(draws.iter().map(|(_, draw)| draw.line));
        self.order_mut(*id).expect("it waits").note(Happening::Filled, (position, now), line, units);
    }

    pub(super) fn note_put_back(&mut self, id: OrderId, draws: &[Draw], now: Timestamp) {
        let position = self.position;
        let units = draws.iter().map(|draw| u64::from(draw.quantity)).sum();
        let line = only(draws.iter().map(|draw| draw.line));
        self.order_mut(id).expect("it is open").note(Happening::PutBack, (position, now), line, units);
    }

    /// All that is told of an order, on one page.
    pub(crate) fn history(&self, id: OrderId) -> Result<HistoryPage, Refusal> {
        let market = self.market(id.market())?;
        let (closed, shard) = (market.closed.contains(&id), self.shard);
        let first = |what, at, line, value| HistoryRow { place: 1, position: Sequence(0), at, what, line, value };
        let page = |not_shown, rows| HistoryPage { shard, closed, not_shown, rows, next: None };
        let order = match market.known(id).ok_or(Refusal::UnknownOrder)? {
            Record::Blocked => return Ok(page(0, vec![first(Happening::Blocked, self.blocked_at[&id], None, 0)])),
            Record::Order(order) => order,
        };
        let free = order.deadline == Timestamp::ZERO;
        let what = if free { Happening::PlacedConfirmed } else { Happening::Placed };
        if closed {
            return Ok(page(0, vec![first(what, order.accepted_at, None, 0)]));
        }
        let placed = &order.lines[..order.placed.lines.len()];
        let (line, units) = ((placed.len() == 1).then_some(0), placed.iter().map(Vec::len).sum::<usize>());
        let mut rows = vec![first(what, order.accepted_at, line, units as u64)];
        let end = order.history.len();
        let of_the_first = HISTORY_ENTRIES_MAX - HISTORY_LAST_ENTRIES_MAX;
        let is_shown =
            |at: usize| end <= HISTORY_ENTRIES_MAX || at < of_the_first || at >= end - HISTORY_LAST_ENTRIES_MAX;
        let shown = (0..end).filter(|at| is_shown(*at));
        rows.extend(shown.map(|at| HistoryRow { place: at as u32 + 2, ..order.history[at] }));
        Ok(page((end + 1 - rows.len()) as u32, rows))
    }
}

impl Order {
    /// Its place follows when somebody looks.
    pub(super) fn note(
        &mut self,
        what: Happening,
        (position, at): (Sequence, Timestamp),
        line: Option<u16>,
        value: u64,
    ) {
        let value = value.min(TOLD_MAX);
        self.history.push(HistoryRow { place: 0, position, at, what, line, value });
    }

    fn note_edit(&mut self, edit: Edit<'_>, when: (Sequence, Timestamp)) {
        let Edit { zone, prices, remove, add } = edit;
        let units = |all: &mut dyn Iterator<Item = u32>| all.map(u64::from).sum::<u64>();
        if !remove.is_empty() {
            let removed = units(&mut remove.iter().map(|line| line.quantity));
            self.note(Happening::LinesCancelled, when, only(remove.iter().map(|line| line.line)), removed);
        }
        if !add.is_empty() {
            let first = (self.lines.len() - add.len()) as u16;
            let line = only((first..).take(add.len()));
            self.note(Happening::LinesAdded, when, line, units(&mut add.iter().map(|line| line.quantity)));
        }
        if !prices.is_empty() {
            self.note(Happening::Repriced, when, None, prices.len() as u64);
        }
        if let Some(zone) = zone {
            self.note(Happening::Rezoned, when, None, zone.into());
        }
    }

    /// What is left of it was paid for already.
    fn note_covered(&mut self, before: &Before, when: (Sequence, Timestamp)) {
        if before.is_unpaid() && matches!(self.state(), State::Confirmed | State::InReview) {
            self.note(Happening::Charged, when, None, self.count(Fate::Committed));
        }
    }

    fn shipped(&self) -> Vec<usize> {
        let shipped = |units: &Vec<super::order::Unit>| units.iter().filter(|unit| unit.fate == Fate::Shipped).count();
        self.lines.iter().map(shipped).collect()
    }
}

/// The line that all of these are, if it is one.
pub(super) fn only(mut lines: impl Iterator<Item = u16>) -> Option<u16> {
    let first = lines.next()?;
    lines.all(|line| line == first).then_some(first)
}

const fn reported(effect: Effect, report: Report) -> Happening {
    match (effect, report) {
        (Effect::Payment, Report::Done) => Happening::PaymentDone,
        (Effect::Payment, Report::SetAside(AsideReason::TriesUsedUp)) => Happening::PaymentTriesUsedUp,
        (Effect::Payment, Report::SetAside(AsideReason::Refused)) => Happening::PaymentRefused,
        (Effect::Payment, Report::Resumed) => Happening::PaymentResumed,
        (Effect::Release, Report::Done) => Happening::ReleaseDone,
        (Effect::Release, Report::SetAside(AsideReason::TriesUsedUp)) => Happening::ReleaseTriesUsedUp,
        (Effect::Release, Report::SetAside(AsideReason::Refused)) => Happening::ReleaseRefused,
        (Effect::Release, Report::Resumed) => Happening::ReleaseResumed,
        (Effect::Check, Report::Done) => Happening::CheckAccepted,
        (Effect::Check, Report::SetAside(_)) => Happening::CheckInReview,
        (Effect::Check, Report::Resumed) => Happening::CheckResumed,
        (Effect::Check, Report::Rejected) => Happening::CheckRejected,
        (_, Report::SetAside(AsideReason::Review) | Report::Rejected) => panic!("only a check comes to that"),
    }
}

/// What a history says of a report, and the number beside it.
const fn told_of_payment(report: PaymentReport) -> (Happening, u64) {
    match report {
        PaymentReport::RequiresAction => (Happening::PaymentAction, 0),
        PaymentReport::Processing => (Happening::PaymentProcessing, 0),
        PaymentReport::Authorised { total, .. } => (Happening::Authorised, total),
        PaymentReport::Captured { total } => (Happening::Captured, total),
        PaymentReport::Failed { reason, .. } => (Happening::PaymentFailed, reason as u64),
        PaymentReport::Voided => (Happening::Voided, 0),
        PaymentReport::Expired => (Happening::AuthorisationExpired, 0),
        PaymentReport::Refunded { total } => (Happening::Refunded, total),
        PaymentReport::RefundFailed { total } => (Happening::RefundFailed, total),
        PaymentReport::Disputed => (Happening::Disputed, 0),
        PaymentReport::DisputeWon => (Happening::DisputeWon, 0),
        PaymentReport::ChargedBack { total } => (Happening::ChargedBack, total),
    }
}
