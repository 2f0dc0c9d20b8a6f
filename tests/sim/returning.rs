//! Goods that come back in simulated worlds: what is told of them, and what must be so whatever was lost.

use std::collections::BTreeMap;

use stockade::base::{ChangeId, OrderId, SiteId};
use stockade::engine::ledger::Bucket;
use stockade::engine::query::OrderView;
use stockade::engine::{
    Answer, DeclineReason, Disposition, LineQuantity, ReturnCommand, ReturnKind, ReturnReason, ReturnReport,
    ReturnStage,
};

use crate::rng::Rng;

/// One step of a return, owned.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Request { kind: ReturnKind, lines: Vec<LineQuantity> },
    Report(ReturnReport),
    Receive { site: SiteId, lines: Vec<LineQuantity> },
    Inspect { site: SiteId, disposition: Disposition, lines: Vec<LineQuantity> },
}

impl Step {
    /// Some step; nothing leaves for good where nobody could say afterwards how much did.
    pub(crate) fn some(rng: &mut Rng, lines: Vec<LineQuantity>, leaves: bool) -> Self {
        let site = SiteId(rng.between(1, 2) as u16);
        let stays = [Disposition::Restock, Disposition::QualityHold, Disposition::Damaged, Disposition::BackToCustomer];
        match rng.below(10) {
            0..3 => Self::Request { kind: *rng.pick(ReturnKind::ALL), lines },
            3 => Self::Report(*rng.pick(&[
                ReturnReport::Approved,
                ReturnReport::Declined { reason: DeclineReason::Other },
                ReturnReport::LabelSent,
                ReturnReport::InTransit,
                ReturnReport::Lost,
                ReturnReport::Cancelled,
                ReturnReport::Expired,
                ReturnReport::Closed,
            ])),
            4..7 => Self::Receive { site, lines },
            _ if leaves => Self::Inspect { site, disposition: *rng.pick(Disposition::ALL), lines },
            _ => Self::Inspect { site, disposition: *rng.pick(&stays), lines },
        }
    }

    pub(crate) fn command(&self) -> ReturnCommand<'_> {
        match *self {
            Self::Request { kind, ref lines } => {
                ReturnCommand::Request { kind, reason: ReturnReason::Unspecified, lines }
            }
            Self::Report(report) => ReturnCommand::Report(report),
            Self::Receive { site, ref lines } => ReturnCommand::Receive { site, lines },
            Self::Inspect { site, disposition, ref lines } => ReturnCommand::Inspect { site, disposition, lines },
        }
    }

    /// Whether the same again is never refused, once it was carried out.
    pub(crate) const fn is_kept(&self) -> bool {
        !matches!(self, Self::Report(_))
    }
}

/// Of which line, at which site, and what became of it; 0 for what came in.
type Total = (u16, u16, u8);

/// What clients were told of goods that come back.
#[derive(Default)]
pub(crate) struct Returning {
    totals: BTreeMap<(OrderId, ChangeId, Total), u32>,
}

impl Returning {
    /// A step was answered. Tells which buckets hold how many units more since then.
    pub(crate) fn hear(&mut self, order: OrderId, id: ChangeId, step: &Step, answer: &Answer) -> Vec<(Bucket, i64)> {
        let Answer::Return { .. } = answer else { panic!("a return was answered {answer:?}") };
        let (site, became, lines, moved) = match step {
            Step::Request { .. } | Step::Report(_) => return Vec::new(),
            Step::Receive { site, lines } => (site, 0, lines, (Bucket::Customer, -1)),
            Step::Inspect { site, disposition, lines } => {
                let moved = match disposition {
                    Disposition::Dispose => (Bucket::WriteOff, 1),
                    Disposition::BackToSupplier => (Bucket::Supplier, 1),
                    Disposition::BackToCustomer => (Bucket::Customer, 1),
                    // Inside: nobody counts it.
                    _ => (Bucket::Damaged, 0),
                };
                (site, *disposition as u8, lines, moved)
            }
        };
        let mut all = Vec::new();
        for told in lines {
            let total = self.totals.entry((order, id, (told.line, site.0, became))).or_default();
            let more = told.quantity.saturating_sub(*total);
            *total += more;
            all.push((moved.0, moved.1 * i64::from(more)));
        }
        all
    }

    /// What was answered is there, and no unit is claimed twice.
    pub(crate) fn check(&self, view: &OrderView) {
        check_claims(view);
        if view.closed {
            return;
        }
        let of_order =
            (view.order, ChangeId(0), (0, 0, 0))..=(view.order, ChangeId(u64::MAX), (u16::MAX, u16::MAX, u8::MAX));
        for ((_, id, (line, site, became)), total) in self.totals.range(of_order) {
            let known = view.returns.iter().find(|known| known.id == *id);
            let known = known.unwrap_or_else(|| panic!("return {id} of {} was answered, and is lost", view.order));
            let piece = known.pieces.iter().find(|piece| (piece.line, piece.site.0) == (*line, *site));
            let kept = piece.map_or(0, |piece| match became {
                0 => piece.received,
                became => piece.became[usize::from(*became) - 1],
            });
            assert!(kept >= *total, "{total} of return {id} of {} were answered, {kept} are kept", view.order);
        }
    }
}

/// Reckoned from what an order tells, and from nothing else.
fn check_claims(view: &OrderView) {
    for (line, units) in (0..).zip(&view.lines) {
        let [mut by_customers, mut by_carriers, mut came_back] = [0_i64; 3];
        for known in &view.returns {
            let asked: i64 = known.lines.iter().filter(|it| it.line == line).map(|it| i64::from(it.asked)).sum();
            let pieces = || known.pieces.iter().filter(move |piece| piece.line == line);
            let received: i64 = pieces().map(|piece| i64::from(piece.received)).sum();
            let again: i64 =
                pieces().map(|piece| i64::from(piece.became[Disposition::BackToCustomer as usize - 1])).sum();
            let inspected = |piece: &stockade::engine::query::ReturnPieceView| {
                piece.became.iter().map(|units| u64::from(*units)).sum::<u64>() <= u64::from(piece.received)
            };
            assert!(received <= asked && pieces().all(inspected), "{known:?} of {}", view.order);
            let claimed = match known.stage {
                ReturnStage::Declined | ReturnStage::Cancelled | ReturnStage::Expired => 0,
                ReturnStage::Closed => received - again,
                _ => asked - again,
            };
            let is_carriers =
                matches!(known.kind, ReturnKind::Refused | ReturnKind::NotCollected | ReturnKind::CarrierReturn);
            *if is_carriers { &mut by_carriers } else { &mut by_customers } += claimed;
            came_back += received - again;
        }
        let [shipped, delivered, returned] = [units.shipped, units.delivered, units.returned].map(i64::from);
        let put_back = returned - came_back;
        let holds = by_customers <= delivered
            && by_carriers <= shipped - delivered
            && put_back >= 0
            && by_customers + by_carriers + put_back <= shipped;
        assert!(holds, "more comes back of line {line} of {} than left: {units:?}, {:?}", view.order, view.returns);
    }
}
