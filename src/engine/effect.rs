//! The words of the hand-off: effects, what is wanted of them, and what is reported back.
//!
//! # Not here
//! - Which order wants what since when: `wanted`. Who carries it out: `adapters`.

use super::payment::Step;

/// Something that has to be brought about outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Effect {
    /// Money is taken, or given back.
    Payment = 1,
    /// A warehouse knows what to hand over.
    Release = 2,
    /// Somebody says whether an order is to be trusted.
    Check = 3,
}

/// How many effects there are.
pub(super) const EFFECTS: usize = 3;

impl Effect {
    /// Every effect, in the order of their numbers.
    pub const ALL: [Self; EFFECTS] = [Self::Payment, Self::Release, Self::Check];

    /// The effect with this number; `None` for a number that names nothing.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Payment),
            2 => Some(Self::Release),
            3 => Some(Self::Check),
            _ => None,
        }
    }

    /// The word for people and for labels.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Release => "release",
            Self::Check => "check",
        }
    }

    pub(super) const fn index(self) -> usize {
        self as usize - 1
    }
}

/// Which effects of a market's orders go on the wanted list; of the others the storefront takes care itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Effects {
    /// Charging, capturing, closing and giving back.
    pub payment: bool,
    /// Telling the warehouse.
    pub release: bool,
    /// Checking whether an order is to be trusted; it is held until then.
    pub check: bool,
}

impl Effects {
    pub(super) const fn any(self) -> bool {
        self.payment || self.release || self.check
    }
}

/// What is wanted of an effect right now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Action {
    /// Set the money aside, or take it where the method knows no setting aside.
    Charge = 1,
    /// See to it that nothing more is taken, and let go what is set aside.
    Close = 2,
    /// Money that was taken goes back.
    GiveBack = 3,
    /// Tell the warehouse which units to hand over; none takes the whole order back.
    Release = 4,
    /// Take more of what is set aside.
    Capture = 5,
    /// See what became of what was wanted before: nothing is to be done any more, and nobody told whether it was.
    Look = 6,
    /// Say whether the order is to be trusted.
    Check = 7,
}

impl Action {
    /// What a step of an attempt to pay is called on the wanted list.
    pub(super) const fn of_step(step: Step) -> Option<Self> {
        match step {
            Step::Nothing => None,
            Step::Charge { .. } => Some(Self::Charge),
            Step::Capture { .. } => Some(Self::Capture),
            Step::GiveBack { .. } => Some(Self::GiveBack),
            Step::Close => Some(Self::Close),
        }
    }

    /// The action with this number; `None` for a number that names nothing.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Charge),
            2 => Some(Self::Close),
            3 => Some(Self::GiveBack),
            4 => Some(Self::Release),
            5 => Some(Self::Capture),
            6 => Some(Self::Look),
            7 => Some(Self::Check),
            _ => None,
        }
    }

    /// The word for people and for JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Charge => "charge",
            Self::Close => "close",
            Self::GiveBack => "give_back",
            Self::Release => "release",
            Self::Capture => "capture",
            Self::Look => "look",
            Self::Check => "check",
        }
    }
}

/// Why an effect is not tried any more until somebody says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum AsideReason {
    /// As often as an adapter tries.
    TriesUsedUp = 1,
    /// The other side said no, and would say it again.
    Refused = 2,
    /// Of a check: a person is to decide.
    Review = 3,
}

impl AsideReason {
    /// The reason with this number; `None` for a number that names nothing.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::TriesUsedUp),
            2 => Some(Self::Refused),
            3 => Some(Self::Review),
            _ => None,
        }
    }

    /// The word for people and for JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TriesUsedUp => "tries_used_up",
            Self::Refused => "refused",
            Self::Review => "review",
        }
    }
}

/// What became of an effect that was wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Report {
    /// It was brought about, or found to be so, or found never to be: nothing more is to be done for this attempt. Of a
    /// check: the order is to be trusted.
    Done,
    /// It was tried in vain: a dead letter.
    SetAside(AsideReason),
    /// It is to be tried again after all.
    Resumed,
    /// Of a check: the order is not to be trusted, and is cancelled.
    Rejected,
}

impl Report {
    /// Whether it may be told of this effect.
    #[must_use]
    pub const fn is_of(self, effect: Effect) -> bool {
        match self {
            Self::Rejected | Self::SetAside(AsideReason::Review) => matches!(effect, Effect::Check),
            Self::Done | Self::SetAside(AsideReason::TriesUsedUp | AsideReason::Refused) | Self::Resumed => true,
        }
    }
}
