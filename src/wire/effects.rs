//! Effects as records carry them: the same bytes in a request, in a reply and in a fact.

use super::layout::{Malformed, fixed};
use super::refused::Part;
use crate::engine::{AsideReason, Effect, Effects, Report};

fixed! {
    /// Which effects go on the wanted list.
    EffectsPart as ArchivedEffectsPart, 3 {
        payment: u8,
        release: u8,
        check: u8,
    }
    /// Which effect, and what became of it.
    ReportPart as ArchivedReportPart, 3 {
        effect: u8,
        report: u8,
        reason: u8,
    }
}

const DONE: u8 = 1;
const SET_ASIDE: u8 = 2;
const RESUMED: u8 = 3;
const REJECTED: u8 = 4;

impl From<Effects> for EffectsPart {
    fn from(effects: Effects) -> Self {
        let Effects { payment, release, check } = effects;
        Self { payment: u8::from(payment), release: u8::from(release), check: u8::from(check) }
    }
}

impl ArchivedEffectsPart {
    pub(super) fn read(&self) -> Result<Effects, Malformed> {
        Ok(Effects { payment: flag(self.payment)?, release: flag(self.release)?, check: flag(self.check)? })
    }
}

impl ReportPart {
    pub(super) const fn new(effect: Effect, report: Report) -> Self {
        let (report, reason) = match report {
            Report::Done => (DONE, 0),
            Report::SetAside(reason) => (SET_ASIDE, reason as u8),
            Report::Resumed => (RESUMED, 0),
            Report::Rejected => (REJECTED, 0),
        };
        Self { effect: effect as u8, report, reason }
    }
}

impl ArchivedReportPart {
    pub(super) fn read(&self) -> Result<(Effect, Report), Malformed> {
        let report = match (self.report, self.reason) {
            (DONE, 0) => Report::Done,
            (SET_ASIDE, reason) => Report::SetAside(AsideReason::from_byte(reason).ok_or(Malformed(Part::Report))?),
            (RESUMED, 0) => Report::Resumed,
            (REJECTED, 0) => Report::Rejected,
            _ => return Err(Malformed(Part::Report)),
        };
        let effect = effect(self.effect)?;
        if report.is_of(effect) { Ok((effect, report)) } else { Err(Malformed(Part::Report)) }
    }
}

/// An effect, when it is one.
pub(super) fn effect(byte: u8) -> Result<Effect, Malformed> {
    Effect::from_byte(byte).ok_or(Malformed(Part::Effect))
}

/// Yes or no.
pub(super) const fn flag(byte: u8) -> Result<bool, Malformed> {
    match byte {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Malformed(Part::Flags)),
    }
}
