//! A return in the twin: all that was ever told of it, looked through from the beginning whenever somebody asks.
//!
//! ```text
//! told: asked, reported, came in, looked at ─► stage ─┬─► claims of each line ─► what may be asked, told, put back
//!                                                     └─► what lies ─► what nobody else may take
//! ```
//!
//! # Always true
//! - Nothing is kept but what was news when it was told. No stage, claim or unit is counted along.

use std::collections::BTreeSet;

use stockade::base::{ChangeId, SiteId, Timestamp};
use stockade::engine::query::{ReturnLineView, ReturnPieceView, ReturnView};
use stockade::engine::{
    DeclineReason, Disposition, LineQuantity, Refusal, ReturnKind, ReturnReason, ReturnReport, ReturnStage,
};

use super::order::{Fate, Kind, Order};

/// A return that is open ends by itself so long after something new was told of it.
const QUIET_MS_MAX: u64 = 30 * 24 * 3_600_000;

#[derive(Debug, Clone)]
pub(super) struct Return {
    pub(super) id: ChangeId,
    pub(super) kind: ReturnKind,
    pub(super) reason: ReturnReason,
    pub(super) lines: Vec<LineQuantity>,
    asked_at: Timestamp,
    /// What was news, oldest first.
    told: Vec<(Timestamp, Told)>,
}

/// What was told of a return since it was asked for.
#[derive(Debug, Clone)]
enum Told {
    Reported(ReturnReport),
    CameIn(SiteId, Vec<LineQuantity>),
    Became(SiteId, Disposition, Vec<LineQuantity>),
}

/// What a report means for a return.
pub(super) enum Heard {
    Moves,
    Repeats,
    No(Refusal),
}

impl Return {
    pub(super) fn new(
        id: ChangeId,
        (kind, reason): (ReturnKind, ReturnReason),
        lines: &[LineQuantity],
        asked_at: Timestamp,
    ) -> Self {
        Self { id, kind, reason, lines: lines.to_vec(), asked_at, told: Vec::new() }
    }

    pub(super) fn report(&mut self, report: ReturnReport, now: Timestamp) {
        self.told.push((now, Told::Reported(report)));
    }

    pub(super) fn came_in(&mut self, site: SiteId, lines: &[LineQuantity], now: Timestamp) {
        self.told.push((now, Told::CameIn(site, lines.to_vec())));
    }

    pub(super) fn became(&mut self, site: SiteId, disposition: Disposition, lines: &[LineQuantity], now: Timestamp) {
        self.told.push((now, Told::Became(site, disposition, lines.to_vec())));
    }

    /// What still lies stays where it is, and is its no more.
    pub(super) fn give_up(&mut self, now: Timestamp) {
        for (line, site) in self.places() {
            let lies = self.lying_at(line, site);
            let quantity = (self.became_at(line, site, Disposition::QualityHold) + lies) as u32;
            if lies > 0 {
                self.became(site, Disposition::QualityHold, &[LineQuantity { line, quantity }], now);
            }
        }
    }

    pub(super) const fn is_by_carrier(&self) -> bool {
        match self.kind {
            ReturnKind::CustomerReturn | ReturnKind::WrongItem => false,
            ReturnKind::Refused | ReturnKind::NotCollected | ReturnKind::CarrierReturn => true,
        }
    }

    pub(super) fn stage(&self) -> ReturnStage {
        let mut so_far = Self { told: Vec::new(), ..self.clone() };
        let mut stage = if self.is_by_carrier() { ReturnStage::Approved } else { ReturnStage::Requested };
        for told in &self.told {
            so_far.told.push(told.clone());
            stage = match told.1 {
                Told::Reported(report) => report.stage(),
                Told::CameIn(..) => ReturnStage::Received,
                Told::Became(..) if stage == ReturnStage::Received && so_far.is_done() => ReturnStage::Inspected,
                Told::Became(..) => stage,
            };
        }
        stage
    }

    /// Everything asked came in, and somebody looked at all of it.
    fn is_done(&self) -> bool {
        !self.lies() && self.lines.iter().all(|line| self.received(line.line) == u64::from(line.quantity))
    }

    pub(super) fn is_open(&self) -> bool {
        use ReturnStage::{Approved, InTransit, LabelSent, Received, Requested};
        [Requested, Approved, LabelSent, InTransit, Received].contains(&self.stage())
    }

    /// Why it was declined, if it was.
    fn declined(&self) -> Option<DeclineReason> {
        self.told.iter().find_map(|(_, told)| match told {
            Told::Reported(ReturnReport::Declined { reason }) => Some(*reason),
            _ => None,
        })
    }

    /// When it ends by itself; zero of one that is not open.
    pub(super) fn until(&self) -> Timestamp {
        let last = self.told.last().map_or(self.asked_at, |(at, _)| *at);
        if self.is_open() { last.after_ms(QUIET_MS_MAX) } else { Timestamp::ZERO }
    }

    pub(super) fn asked(&self, line: u16) -> u64 {
        self.lines.iter().filter(|asked| asked.line == line).map(|asked| u64::from(asked.quantity)).sum()
    }

    /// Units of a line that came in at a site: the most that was ever told.
    pub(super) fn received_at(&self, line: u16, site: SiteId) -> u64 {
        let totals = self.told.iter().filter_map(|(_, told)| match told {
            Told::CameIn(at, lines) if *at == site => Some(lines),
            _ => None,
        });
        most(totals, line)
    }

    /// Of these, the units that became something.
    pub(super) fn became_at(&self, line: u16, site: SiteId, disposition: Disposition) -> u64 {
        let totals = self.told.iter().filter_map(|(_, told)| match told {
            Told::Became(at, what, lines) if *at == site && *what == disposition => Some(lines),
            _ => None,
        });
        most(totals, line)
    }

    /// Of these, the units that nobody has looked at.
    pub(super) fn lying_at(&self, line: u16, site: SiteId) -> u64 {
        let gone: u64 = Disposition::ALL.iter().map(|what| self.became_at(line, site, *what)).sum();
        self.received_at(line, site) - gone
    }

    /// Where anything came in, by line and site.
    pub(super) fn places(&self) -> BTreeSet<(u16, SiteId)> {
        let came_in = self.told.iter().filter_map(|(_, told)| match told {
            Told::CameIn(site, lines) => Some((*site, lines)),
            _ => None,
        });
        came_in.flat_map(|(site, lines)| lines.iter().map(move |line| (line.line, site))).collect()
    }

    pub(super) fn received(&self, line: u16) -> u64 {
        self.sites_of(line).into_iter().map(|site| self.received_at(line, site)).sum()
    }

    fn sent_back(&self, line: u16) -> u64 {
        self.sites_of(line).into_iter().map(|site| self.became_at(line, site, Disposition::BackToCustomer)).sum()
    }

    fn sites_of(&self, line: u16) -> BTreeSet<SiteId> {
        self.places().into_iter().filter(|(of, _)| *of == line).map(|(_, site)| site).collect()
    }

    pub(super) fn lies(&self) -> bool {
        self.places().into_iter().any(|(line, site)| self.lying_at(line, site) > 0)
    }

    /// Units of a line that it keeps from every other return.
    fn claim(&self, line: u16) -> u64 {
        match self.stage() {
            ReturnStage::Declined | ReturnStage::Cancelled | ReturnStage::Expired => 0,
            ReturnStage::Closed => self.received(line) - self.sent_back(line),
            ReturnStage::Requested
            | ReturnStage::Approved
            | ReturnStage::LabelSent
            | ReturnStage::InTransit
            | ReturnStage::Received
            | ReturnStage::Inspected
            | ReturnStage::Lost => self.asked(line) - self.sent_back(line),
        }
    }

    /// A line of it, and once more for each site at which it came in.
    pub(super) fn rows(&self) -> u64 {
        (self.lines.len() + self.places().len()) as u64
    }

    /// The two tables of the page.
    pub(super) fn hears(&self, report: ReturnReport) -> Heard {
        use ReturnStage::{
            Approved, Cancelled, Closed, Declined, InTransit, Inspected, LabelSent, Lost, Received, Requested,
        };
        let stage = self.stage();
        let (is_heard, is_repeat) = match report {
            ReturnReport::Approved => {
                let past = [Approved, LabelSent, InTransit, Received, Inspected, Closed, Lost];
                (stage == Requested, past.contains(&stage))
            }
            ReturnReport::Declined { reason } if stage == Declined && self.declined() != Some(reason) => {
                return Heard::No(Refusal::Conflict);
            }
            ReturnReport::Declined { .. } => (stage == Requested, stage == Declined),
            ReturnReport::Cancelled => ([Requested, Approved, LabelSent].contains(&stage), stage == Cancelled),
            ReturnReport::Closed => (stage == Inspected || stage == Received && !self.lies(), stage == Closed),
            ReturnReport::LabelSent => ([Requested, Approved].contains(&stage), true),
            ReturnReport::InTransit | ReturnReport::Expired => {
                ([Requested, Approved, LabelSent].contains(&stage), true)
            }
            ReturnReport::Lost => ([Requested, Approved, LabelSent, InTransit].contains(&stage), true),
        };
        match (is_heard, is_repeat) {
            (true, _) => Heard::Moves,
            (false, true) => Heard::Repeats,
            (false, false) => Heard::No(Refusal::IllegalReturn { stage }),
        }
    }

    /// What becomes of it when nobody has told anything new for too long.
    pub(super) fn end(&self) -> ReturnReport {
        match self.stage() {
            ReturnStage::InTransit => ReturnReport::Lost,
            ReturnStage::Received => ReturnReport::Closed,
            _ => ReturnReport::Expired,
        }
    }

    pub(super) fn view(&self) -> ReturnView {
        let piece = |(line, site)| ReturnPieceView {
            line,
            site,
            received: self.received_at(line, site) as u32,
            became: std::array::from_fn(|at| self.became_at(line, site, Disposition::ALL[at]) as u32),
        };
        let mut lines: Vec<ReturnLineView> =
            self.lines.iter().map(|line| ReturnLineView { line: line.line, asked: line.quantity }).collect();
        lines.sort_by_key(|line| line.line);
        ReturnView {
            id: self.id,
            kind: self.kind,
            reason: self.reason,
            stage: self.stage(),
            declined: self.declined(),
            until: self.until(),
            lines,
            pieces: self.places().into_iter().map(piece).collect(),
        }
    }
}

/// The most that these tell of a line.
fn most<'l>(totals: impl Iterator<Item = &'l Vec<LineQuantity>>, line: u16) -> u64 {
    let of_line = totals.flatten().filter(|told| told.line == line);
    of_line.map(|told| u64::from(told.quantity)).max().unwrap_or(0)
}

/// Units of one line of an order, in the words of the page.
impl Order {
    fn handed_over(&self, line: u16) -> u64 {
        self.lines[usize::from(line)].iter().filter(|unit| unit.fate == Fate::Shipped).count() as u64
    }

    pub(super) fn delivered(&self, line: u16) -> u64 {
        self.changed(Kind::Deliver, line)
    }

    fn put_back(&self, line: u16) -> u64 {
        self.changed(Kind::ReturnToStock, line)
    }

    fn by(&self, carriers: bool, line: u16) -> u64 {
        self.returns.iter().filter(|known| known.is_by_carrier() == carriers).map(|known| known.claim(line)).sum()
    }

    /// How many more may be told to have been delivered.
    pub(super) fn may_be_delivered(&self, line: u16) -> u64 {
        self.handed_over(line) - self.by(true, line) - self.delivered(line)
    }

    /// How many no return claims, and nobody put back.
    pub(super) fn unclaimed(&self, line: u16) -> u64 {
        self.handed_over(line) - self.by(false, line) - self.by(true, line) - self.put_back(line)
    }

    /// How many may be asked by a return that is new.
    pub(super) fn may_be_asked(&self, by_carrier: bool, line: u16) -> u64 {
        let of_kind = if by_carrier {
            self.handed_over(line) - self.delivered(line) - self.by(true, line)
        } else {
            self.delivered(line) - self.by(false, line)
        };
        of_kind.min(self.unclaimed(line))
    }

    pub(super) fn has_open_return(&self) -> bool {
        self.returns.iter().any(Return::is_open)
    }

    pub(super) fn return_rows(&self) -> u64 {
        self.returns.iter().map(Return::rows).sum()
    }
}
