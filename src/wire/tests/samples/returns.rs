//! Deliveries and returns of orders, of the ingredients: every report there is, and returns in every stage.

use super::Ingredients;
use crate::base::{ChangeId, SiteId};
use crate::engine::fact::Change;
use crate::engine::query::{ReturnLineView, ReturnPieceView, ReturnView};
use crate::engine::{
    Command, DeclineReason, Disposition, Fact, ReturnCommand, ReturnFact, ReturnKind, ReturnReason, ReturnReport,
    ReturnStage,
};

impl Ingredients {
    pub(super) fn return_stage(&self, at: usize) -> ReturnStage {
        ReturnStage::ALL[(usize::from(self.pick) + at) % ReturnStage::ALL.len()]
    }

    fn kind(&self, at: usize) -> ReturnKind {
        ReturnKind::ALL[(usize::from(self.pick) + at) % ReturnKind::ALL.len()]
    }

    fn return_reason(&self, at: usize) -> ReturnReason {
        ReturnReason::ALL[(usize::from(self.pick) + at) % ReturnReason::ALL.len()]
    }

    fn declined(&self, at: usize) -> DeclineReason {
        DeclineReason::ALL[(usize::from(self.pick) + at) % DeclineReason::ALL.len()]
    }

    fn disposition(&self) -> Disposition {
        Disposition::ALL[usize::from(self.pick) % Disposition::ALL.len()]
    }

    fn return_reports(&self) -> [ReturnReport; 8] {
        [
            ReturnReport::Approved,
            ReturnReport::Declined { reason: self.declined(0) },
            ReturnReport::LabelSent,
            ReturnReport::InTransit,
            ReturnReport::Lost,
            ReturnReport::Cancelled,
            ReturnReport::Expired,
            ReturnReport::Closed,
        ]
    }

    /// What a client says of deliveries and returns: with every report.
    pub(super) fn return_commands(&self) -> impl Iterator<Item = Command<'_>> {
        let (order, id, site) = (self.order(), ChangeId(self.word(5)), SiteId(self.small(3)));
        let lines = self.quantities.as_slice();
        let whats = [
            ReturnCommand::Request { kind: self.kind(0), reason: self.return_reason(0), lines },
            ReturnCommand::Receive { site, lines },
            ReturnCommand::Inspect { site, disposition: self.disposition(), lines },
        ];
        let whats = whats.into_iter().chain(self.return_reports().into_iter().map(ReturnCommand::Report));
        let returns = whats.map(move |what| Command::Return { order, id, what });
        [Command::ReportDelivered { order, change: id, lines }].into_iter().chain(returns)
    }

    /// What is kept of them: with every report.
    pub(super) fn return_facts(&self) -> impl Iterator<Item = Fact<'_>> {
        let (order, id, site) = (self.order(), ChangeId(self.word(5)), SiteId(self.small(3)));
        let (lines, draws) = (self.quantities.as_slice(), self.draws.as_slice());
        let change = Change { id, content: self.word(6), excess: 0 };
        let whats = [
            ReturnFact::Requested { kind: self.kind(1), reason: self.return_reason(1), lines },
            ReturnFact::Received { site, draws },
            ReturnFact::Inspected { site, disposition: self.disposition(), draws },
        ];
        let whats = whats.into_iter().chain(self.return_reports().into_iter().map(ReturnFact::Told));
        let returns = whats.map(move |what| Fact::Return { order, id, what });
        [Fact::Delivered { order, change, lines }].into_iter().chain(returns)
    }

    /// As many returns as there are SKUs, with lines and with what came in of them.
    pub(super) fn returns(&self) -> Vec<ReturnView> {
        (0..self.skus.len()).map(|at| self.return_view(at)).collect()
    }

    fn return_view(&self, at: usize) -> ReturnView {
        let piece = |row: usize| ReturnPieceView {
            line: self.small(row),
            site: SiteId(self.small(row + 1)),
            received: self.medium(row + 2),
            became: core::array::from_fn(|of| self.medium(row + of)),
        };
        ReturnView {
            id: ChangeId(self.word(at)),
            kind: self.kind(at),
            reason: self.return_reason(at),
            stage: self.return_stage(at),
            declined: (at % 2 == 1).then(|| self.declined(at)),
            until: self.time(at),
            lines: (0..=at % 3).map(|row| ReturnLineView { line: self.small(row), asked: self.medium(row) }).collect(),
            pieces: (0..at % 4).map(piece).collect(),
        }
    }
}
