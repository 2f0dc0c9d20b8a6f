//! What a walk brings back: what a customer, a shop, a carrier and a warehouse would tell of returns, in any order,
//! twice, too much of it, and when nobody tells anything for too long.

use std::collections::BTreeSet;

use stockade::base::{ChangeId, OrderId, SiteId};
use stockade::engine::query::{OrderView, ReturnView};
use stockade::engine::{
    Answer, Command, DeclineReason, Disposition, LineQuantity, Refusal, ReturnCommand, ReturnKind, ReturnReason,
    ReturnReport,
};

use super::Walk;
use crate::rig::is_repeated;

const REPORTS: [ReturnReport; 15] = [
    ReturnReport::Approved,
    ReturnReport::Approved,
    ReturnReport::Approved,
    ReturnReport::Approved,
    ReturnReport::Declined { reason: DeclineReason::Used },
    ReturnReport::Declined { reason: DeclineReason::TooLate },
    ReturnReport::LabelSent,
    ReturnReport::InTransit,
    ReturnReport::InTransit,
    ReturnReport::Lost,
    ReturnReport::Cancelled,
    ReturnReport::Cancelled,
    ReturnReport::Expired,
    ReturnReport::Closed,
    ReturnReport::Closed,
];

impl Walk {
    /// Some order is paid for and leaves, and as a rule somebody tells that it arrived.
    pub(super) fn send_out(&mut self) {
        let market = self.dice.pick(&self.markets.clone());
        let mut known = self.rig.twin.order_ids(market);
        known.retain(|id| self.rig.engine.order(*id).is_ok_and(|view| view.state.is_open() && view.number.0 > 0));
        if known.is_empty() {
            return;
        }
        let (order, attempt, change) = (self.dice.pick(&known), self.change(), ChangeId(self.dice.below(1 << 32)));
        self.submit(&Command::Confirm { order, attempt });
        self.submit(&Command::HandOver { order, change, lines: &[] });
        match self.rig.engine.order(order) {
            Ok(view) if !view.lines.is_empty() && !self.dice.once_in(3) => self.deliver(&view),
            _ => {}
        }
    }

    pub(super) fn bring_back(&mut self) {
        let Some(view) = self.returner() else { return };
        match self.dice.below(22) {
            0..4 => self.deliver(&view),
            4..9 => self.request_return(&view),
            9..12 => self.report_return(&view),
            12..16 => self.receive_return(&view),
            16..21 => self.inspect_return(&view),
            _ => self.wait_for_an_end(),
        }
    }

    /// Most often an order of which something was handed over, and then most often the same.
    fn returner(&mut self) -> Option<OrderView> {
        let market = self.dice.pick(&self.markets.clone());
        let mut known: Vec<OrderView> =
            self.rig.twin.order_ids(market).into_iter().filter_map(|id| self.rig.engine.order(id).ok()).collect();
        known.retain(|view| !view.lines.is_empty());
        if !self.dice.once_in(20) {
            known.retain(|view| view.lines.iter().any(|line| line.shipped > 0));
        }
        match known.first() {
            None => None,
            Some(first) if self.dice.once_in(2) => Some(first.clone()),
            Some(_) => Some(known[self.dice.below(known.len() as u64) as usize].clone()),
        }
    }

    fn deliver(&mut self, view: &OrderView) {
        let (change, lines) = (self.change(), self.lines_of(view));
        let lines = if self.dice.once_in(5) { self.some_lines() } else { lines };
        self.submit_return("deliver", &Command::ReportDelivered { order: view.order, change, lines: &lines });
    }

    /// One or two lines of an order, with a unit or some.
    fn lines_of(&mut self, view: &OrderView) -> Vec<LineQuantity> {
        let first = self.dice.below(view.lines.len() as u64) as u16;
        let count = if self.dice.once_in(3) { 2 } else { 1 };
        let line = |at: u16| (first + at) % (view.lines.len() as u16 + u16::from(self.steps.is_multiple_of(7)));
        let mut lines: Vec<LineQuantity> = (0..count).map(|at| LineQuantity { line: line(at), quantity: 1 }).collect();
        lines.iter_mut().for_each(|line| line.quantity += self.dice.below(2) as u32);
        lines
    }

    /// A number that is new, or the same as asked before, or nearly.
    fn request_return(&mut self, view: &OrderView) {
        let ids = if self.dice.once_in(3) { 40 } else { 5 };
        let id = ChangeId(self.dice.below(ids));
        let kind = self.dice.pick(ReturnKind::ALL);
        let reason = self.dice.pick(&[ReturnReason::Defective, ReturnReason::Unspecified]);
        let mut asked = (kind, reason, self.lines_of(view));
        if let Some(known) = view.returns.iter().find(|known| known.id == id) {
            let lines = known.lines.iter().map(|line| LineQuantity { line: line.line, quantity: line.asked });
            asked = (known.kind, known.reason, lines.collect());
            match self.dice.below(6) {
                0 => asked.0 = kind,
                1 => asked.1 = ReturnReason::ArrivedLate,
                2 => asked.2.reverse(),
                3 => asked.2[0].quantity += 1,
                _ => {}
            }
        }
        if self.dice.once_in(40) {
            asked.2 = self.some_lines();
        }
        let (kind, reason, lines) = asked;
        self.about(view.order, id, "request", ReturnCommand::Request { kind, reason, lines: &lines });
    }

    /// One of the returns of an order, or one that nobody asked for.
    fn a_return(&mut self, view: &OrderView) -> Option<ReturnView> {
        let open: Vec<&ReturnView> = view.returns.iter().filter(|it| it.stage.is_open()).collect();
        if view.returns.is_empty() || self.dice.once_in(30) {
            return None;
        }
        let some = if open.is_empty() || self.dice.once_in(4) { view.returns.iter().collect() } else { open };
        Some(some[self.dice.below(some.len() as u64) as usize].clone())
    }

    /// Now and then the report before once more.
    fn report_return(&mut self, view: &OrderView) {
        if let Some((order, id, report)) = self.told_of_return
            && self.dice.once_in(6)
        {
            return self.about(order, id, report.stage().name(), ReturnCommand::Report(report));
        }
        let id = self.a_return(view).map_or(ChangeId(self.dice.below(99)), |it| it.id);
        let report = self.dice.pick(&REPORTS);
        self.told_of_return = Some((view.order, id, report));
        self.about(view.order, id, report.stage().name(), ReturnCommand::Report(report));
    }

    fn receive_return(&mut self, view: &OrderView) {
        let (known, site) = (self.a_return(view), self.site());
        let (id, lines) = match known {
            None => (ChangeId(self.dice.below(99)), self.some_lines()),
            Some(_) if self.dice.once_in(12) => (ChangeId(self.dice.below(5)), self.some_lines()),
            Some(it) => (it.id, self.totals(it.lines.iter().map(|line| (line.line, received(&it, line.line, site))))),
        };
        self.about(view.order, id, "receive", ReturnCommand::Receive { site, lines: &lines });
    }

    fn inspect_return(&mut self, view: &OrderView) {
        let disposition = self.dice.pick(Disposition::ALL);
        let (known, mut site) = (self.a_return(view), self.site());
        let pieces = known.iter().flat_map(|it| &it.pieces);
        if let Some(piece) = pieces.last().filter(|_| !self.dice.once_in(4)) {
            site = piece.site;
        }
        if self.dice.once_in(25) {
            site = SiteId(9);
        }
        let (id, lines) = match known {
            None => (ChangeId(self.dice.below(99)), self.some_lines()),
            Some(_) if self.dice.once_in(12) => (ChangeId(self.dice.below(5)), self.some_lines()),
            Some(it) => {
                let pieces = it.pieces.iter().filter(|piece| piece.site == site);
                let became = |piece: &stockade::engine::query::ReturnPieceView| {
                    (piece.line, piece.became[disposition as usize - 1])
                };
                let lines = self.totals(pieces.map(became));
                (it.id, if lines.is_empty() { self.some_lines() } else { lines })
            }
        };
        self.about(view.order, id, "inspect", ReturnCommand::Inspect { site, disposition, lines: &lines });
    }

    /// Some of these lines, each with a total that is nothing new, a little more, or too much.
    fn totals(&mut self, known: impl Iterator<Item = (u16, u32)>) -> Vec<LineQuantity> {
        let known: Vec<(u16, u32)> = known.collect();
        let mut lines = Vec::new();
        for (line, units) in known {
            let more = self.dice.pick(&[0, 1, 1, 1, 2, 3]);
            if lines.is_empty() || self.dice.once_in(2) {
                lines.push(LineQuantity { line, quantity: (units + more).max(1) });
            }
        }
        lines
    }

    /// Days go by, as a rule until just before the next return ends by itself, or just then.
    fn wait_for_an_end(&mut self) {
        if !self.forgets {
            return;
        }
        let end = self.rig.twin.next_end().map_or(0, |end| end.since_ms(self.rig.now));
        let span = self.dice.pick(&[end, end, end, end + 1, end.saturating_sub(1), end / 2]);
        self.rig.wait(span);
        self.rig.sweep();
    }

    fn about(&mut self, order: OrderId, id: ChangeId, what: &str, command: ReturnCommand<'_>) {
        self.submit_return(what, &Command::Return { order, id, what: command });
    }

    /// Asks, and notes in words what came of it.
    fn submit_return(&mut self, what: &str, command: &Command<'_>) {
        let outcome = self.ask(command);
        let came = match outcome.as_ref().map(|told| told.answer) {
            Err(&Refusal::OutOfBounds { field, .. }) => format!("no {field:?}"),
            Err(refusal) => format!("{refusal:?}").split(' ').next().unwrap_or_default().to_owned(),
            Ok(answer) if is_repeated(answer) => "again".to_owned(),
            Ok(Answer::Return { stage, .. }) => stage.name().to_owned(),
            Ok(_) => "done".to_owned(),
        };
        self.reached.insert(format!("{what}: {came}"));
    }
}

fn received(it: &ReturnView, line: u16, site: SiteId) -> u32 {
    it.pieces.iter().find(|piece| piece.line == line && piece.site == site).map_or(0, |piece| piece.received)
}

/// What a thousand walks must have come by, or they prove less than they say.
pub(super) fn check_reached(reached: &BTreeSet<String>) {
    let expected = [
        "deliver: again",
        "deliver: done",
        "deliver: no Line",
        "deliver: no Quantity",
        "deliver: Conflict",
        "deliver: NotEnoughUnits",
        "deliver: UnknownLine",
        "by itself: closed",
        "by itself: expired",
        "by itself: lost",
        "request: again",
        "request: approved",
        "request: requested",
        "request: AtCapacity",
        "request: Closed",
        "request: Conflict",
        "request: NotEnoughUnits",
        "request: UnknownLine",
        "approved: again",
        "approved: approved",
        "approved: IllegalReturn",
        "approved: UnknownReturn",
        "declined: again",
        "declined: declined",
        "declined: Conflict",
        "declined: IllegalReturn",
        "label_sent: again",
        "label_sent: label_sent",
        "in_transit: again",
        "in_transit: in_transit",
        "lost: again",
        "lost: lost",
        "cancelled: again",
        "cancelled: cancelled",
        "cancelled: IllegalReturn",
        "expired: again",
        "expired: expired",
        "closed: again",
        "closed: closed",
        "closed: IllegalReturn",
        "receive: again",
        "receive: received",
        "receive: AtCapacity",
        "receive: IllegalReturn",
        "receive: NotEnoughUnits",
        "receive: UnknownLine",
        "receive: UnknownReturn",
        "receive: UnknownSite",
        "inspect: again",
        "inspect: inspected",
        "inspect: received",
        "inspect: NotEnoughUnits",
        "inspect: UnknownLine",
        "inspect: UnknownReturn",
        "inspect: UnknownSite",
    ];
    let missed: Vec<&str> = expected.into_iter().filter(|came| !reached.contains(*came)).collect();
    assert!(missed.is_empty(), "no walk came by {missed:?}");
}
