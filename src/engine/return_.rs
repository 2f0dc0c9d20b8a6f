//! The words of returns: why goods come back, how far that has come, and what becomes of them.
//!
//! ```text
//!             ┌► DECLINED
//! REQUESTED ──┴► APPROVED ─► LABEL_SENT ─► IN_TRANSIT ─► RECEIVED ─► INSPECTED ─► CLOSED
//!     └──────────────┴────────────┴► CANCELLED,  └► LOST ──┘
//!                                    EXPIRED
//! ```
//!
//! # Always true
//! - Stages go by rank, so a notice that comes twice, late or after a later one changes nothing ([`Stage::told`]).
//! - What came in, and what became of it, is told in totals: those only grow.
//! # Not here
//! - Which returns an order has, and what they claim of its units: `returns`.
//! # Why so
//! Somebody who decides has to know whether it holds, so a decision that does not is refused. A carrier's notice is not
//! asked for and comes whenever it likes: refusing it would only make it come again.

use super::command::LineQuantity;
use super::fact::Draw;
use crate::base::SiteId;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $variant:ident = $number:literal = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum $name {
            $($(#[$of])* $variant = $number,)*
        }

        impl $name {
            /// Each of them, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The one with this number; `None` for a number that names nothing.
            #[must_use]
            pub fn from_byte(byte: u8) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| *one as u8 == byte)
            }

            /// The word for people and for JSON.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }
    };
}

words! {
    /// How goods came to come back.
    Kind {
        /// The customer wants to send something back.
        CustomerReturn = 1 = "customer_return",
        /// The customer did not take it from the carrier.
        Refused = 2 = "refused",
        /// Nobody fetched it.
        NotCollected = 3 = "not_collected",
        /// The carrier brings it back, for whatever reason.
        CarrierReturn = 4 = "carrier_return",
        /// The customer got something else, or something came in that nobody had announced.
        WrongItem = 5 = "wrong_item",
    }
}

words! {
    /// Why somebody sends something back.
    Reason {
        /// Nobody says.
        Unspecified = 0 = "unspecified",
        /// It is not wanted any more.
        ChangedMind = 1 = "changed_mind",
        /// The size is not right.
        DoesNotFit = 2 = "does_not_fit",
        /// It does not work.
        Defective = 3 = "defective",
        /// It broke on its way.
        DamagedInTransit = 4 = "damaged_in_transit",
        /// It is not what the shop said it is.
        NotAsDescribed = 5 = "not_as_described",
        /// It is something else.
        WrongItemSent = 6 = "wrong_item_sent",
        /// It came too late.
        ArrivedLate = 7 = "arrived_late",
        /// It was ordered twice.
        OrderedTwice = 8 = "ordered_twice",
        /// Anything else.
        Other = 9 = "other",
    }
}

words! {
    /// Why a return is not agreed to.
    DeclineReason {
        /// Nobody says.
        Unspecified = 0 = "unspecified",
        /// It was asked for too late.
        TooLate = 1 = "too_late",
        /// The shop takes nothing of the kind back.
        NotReturnable = 2 = "not_returnable",
        /// It was used.
        Used = 3 = "used",
        /// Something of it is missing.
        Incomplete = 4 = "incomplete",
        /// The shop did not sell it.
        NotOurs = 5 = "not_ours",
        /// Anything else.
        Other = 6 = "other",
    }
}

words! {
    /// What becomes of a unit that came back.
    Disposition {
        /// It is for sale again, and first of all whose who waits for it.
        Restock = 1 = "restock",
        /// It stays set aside, and is the return's no more.
        QualityHold = 2 = "quality_hold",
        /// It is damaged, and stays.
        Damaged = 3 = "damaged",
        /// It is thrown away.
        Dispose = 4 = "dispose",
        /// The customer gets it back.
        BackToCustomer = 5 = "back_to_customer",
        /// The supplier gets it back.
        BackToSupplier = 6 = "back_to_supplier",
    }
}

words! {
    /// How far a return has come. The first seven by rank.
    Stage {
        /// Somebody asks for it.
        Requested = 1 = "requested",
        /// The shop agrees.
        Approved = 2 = "approved",
        /// The customer has what it is sent with.
        LabelSent = 3 = "label_sent",
        /// It is on its way.
        InTransit = 4 = "in_transit",
        /// Something of it came in.
        Received = 5 = "received",
        /// All of it came in and was looked at.
        Inspected = 6 = "inspected",
        /// Nothing more is to come of it.
        Closed = 7 = "closed",
        /// The shop does not agree.
        Declined = 8 = "declined",
        /// Whoever asked for it wants it no more.
        Cancelled = 9 = "cancelled",
        /// Nothing was sent in time.
        Expired = 10 = "expired",
        /// It did not arrive.
        Lost = 11 = "lost",
    }
}

/// How many dispositions there are.
pub const DISPOSITIONS: usize = 6;

impl Kind {
    /// Whether it is of goods that did not reach the customer. Nobody asks for such a return: it begins approved.
    #[must_use]
    pub const fn is_by_carrier(self) -> bool {
        match self {
            Self::Refused | Self::NotCollected | Self::CarrierReturn => true,
            Self::CustomerReturn | Self::WrongItem => false,
        }
    }

    /// The stage in which a return of it begins.
    #[must_use]
    pub const fn first_stage(self) -> Stage {
        if self.is_by_carrier() { Stage::Approved } else { Stage::Requested }
    }
}

/// What somebody tells of a return that moves no goods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReturnReport {
    /// The shop agrees.
    Approved,
    /// The shop does not.
    Declined {
        /// Why.
        reason: DeclineReason,
    },
    /// The customer has what it is sent with.
    LabelSent,
    /// It is on its way.
    InTransit,
    /// It will not arrive.
    Lost,
    /// Whoever asked for it wants it no more.
    Cancelled,
    /// Nothing was sent in time.
    Expired,
    /// What has not come in will not, and everything that has was looked at.
    Closed,
}

impl ReturnReport {
    /// The stage it tells of.
    #[must_use]
    pub const fn stage(self) -> Stage {
        match self {
            Self::Approved => Stage::Approved,
            Self::Declined { .. } => Stage::Declined,
            Self::LabelSent => Stage::LabelSent,
            Self::InTransit => Stage::InTransit,
            Self::Lost => Stage::Lost,
            Self::Cancelled => Stage::Cancelled,
            Self::Expired => Stage::Expired,
            Self::Closed => Stage::Closed,
        }
    }

    /// The report that tells of this stage; `None` where goods have to come in, or somebody to look at them.
    #[must_use]
    pub const fn of(stage: Stage, declined: Option<DeclineReason>) -> Option<Self> {
        match (stage, declined) {
            (Stage::Declined, Some(reason)) => Some(Self::Declined { reason }),
            (Stage::Approved, None) => Some(Self::Approved),
            (Stage::LabelSent, None) => Some(Self::LabelSent),
            (Stage::InTransit, None) => Some(Self::InTransit),
            (Stage::Lost, None) => Some(Self::Lost),
            (Stage::Cancelled, None) => Some(Self::Cancelled),
            (Stage::Expired, None) => Some(Self::Expired),
            (Stage::Closed, None) => Some(Self::Closed),
            _ => None,
        }
    }

    /// Why it was declined, if it was.
    #[must_use]
    pub const fn declined(self) -> Option<DeclineReason> {
        if let Self::Declined { reason } = self { Some(reason) } else { None }
    }

    /// Whether somebody decides it, and has to know whether it holds.
    const fn is_decision(self) -> bool {
        match self {
            Self::Approved | Self::Declined { .. } | Self::Cancelled | Self::Closed => true,
            Self::LabelSent | Self::InTransit | Self::Lost | Self::Expired => false,
        }
    }
}

/// What a report does to a return.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    /// It moves to the stage that is told of.
    Moves,
    /// That was so before, or tells nothing any more.
    Repeats,
    /// Somebody decides what the stage does not allow.
    Refused,
}

impl Stage {
    /// What a report does in this stage; `lies` says whether something came in that nobody looked at yet.
    pub(super) fn told(self, report: ReturnReport, lies: bool) -> Heard {
        let is_heard = match report {
            ReturnReport::Approved | ReturnReport::Declined { .. } => self == Self::Requested,
            ReturnReport::LabelSent => self < Self::LabelSent,
            ReturnReport::InTransit | ReturnReport::Cancelled | ReturnReport::Expired => self < Self::InTransit,
            ReturnReport::Lost => self < Self::Received,
            ReturnReport::Closed => self == Self::Inspected || self == Self::Received && !lies,
        };
        if is_heard {
            Heard::Moves
        } else if !report.is_decision() || self.is_past(report.stage()) {
            Heard::Repeats
        } else {
            Heard::Refused
        }
    }

    /// Whether a return that is here was there, or is.
    fn is_past(self, stage: Self) -> bool {
        let is_agreed = self <= Self::Closed || self == Self::Lost;
        self == stage || stage == Self::Approved && is_agreed && self > stage
    }

    /// Whether something is to come of it: its order is not closed meanwhile.
    #[must_use]
    pub const fn is_open(self) -> bool {
        match self {
            Self::Requested | Self::Approved | Self::LabelSent | Self::InTransit | Self::Received => true,
            Self::Inspected | Self::Closed | Self::Declined | Self::Cancelled | Self::Expired | Self::Lost => false,
        }
    }

    /// Whether goods may come in for it.
    pub(super) const fn may_receive(self) -> bool {
        self.is_open() || matches!(self, Self::Inspected | Self::Lost)
    }

    /// What becomes of a return that stayed here for too long.
    pub(super) const fn left_alone(self) -> Option<ReturnReport> {
        match self {
            Self::Requested | Self::Approved | Self::LabelSent => Some(ReturnReport::Expired),
            Self::InTransit => Some(ReturnReport::Lost),
            Self::Received => Some(ReturnReport::Closed),
            Self::Inspected | Self::Closed | Self::Declined | Self::Cancelled | Self::Expired | Self::Lost => None,
        }
    }
}

/// What is asked of a return.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReturnCommand<'a> {
    /// Goods are to come back, or come. Never more of a line, all its returns together, than was delivered; of those
    /// that a carrier brings back, than was handed over and not delivered.
    Request {
        /// How that came.
        kind: Kind,
        /// Why.
        reason: Reason,
        /// Which lines, and how many units of each. A line may be named once.
        lines: &'a [LineQuantity],
    },
    /// Something is told of it that moves no goods. A decision that its stage does not allow is refused; a notice that
    /// tells nothing any more changes nothing.
    Report(ReturnReport),
    /// Goods came in: customer to quality hold.
    Receive {
        /// Where they lie.
        site: SiteId,
        /// Which lines, and how many units of each came in there with this return, in all.
        lines: &'a [LineQuantity],
    },
    /// Somebody looked at goods that came in, and says what becomes of them.
    Inspect {
        /// Where they lay.
        site: SiteId,
        /// What becomes of them.
        disposition: Disposition,
        /// Which lines, and of how many units of each that came in there this became, in all.
        lines: &'a [LineQuantity],
    },
}

impl<'a> ReturnCommand<'a> {
    /// The same of other lines, and those it was of; of a report, none.
    pub(crate) const fn with_lines<'b>(self, others: &'b [LineQuantity]) -> (ReturnCommand<'b>, &'a [LineQuantity]) {
        match self {
            Self::Request { kind, reason, lines } => (ReturnCommand::Request { kind, reason, lines: others }, lines),
            Self::Report(report) => (ReturnCommand::Report(report), &[]),
            Self::Receive { site, lines } => (ReturnCommand::Receive { site, lines: others }, lines),
            Self::Inspect { site, disposition, lines } => {
                (ReturnCommand::Inspect { site, disposition, lines: others }, lines)
            }
        }
    }
}

/// What happened to a return.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReturnFact<'a> {
    /// It began.
    Requested {
        /// How.
        kind: Kind,
        /// Why.
        reason: Reason,
        /// As asked.
        lines: &'a [LineQuantity],
    },
    /// It came to the stage that was told of; or time has told. What lay there and nobody had looked at when it was
    /// closed stays set aside.
    Told(ReturnReport),
    /// Customer to quality hold at `site`.
    Received {
        /// Where they lie now.
        site: SiteId,
        /// From which draws they had been handed over, how many.
        draws: &'a [Draw],
    },
    /// Out of quality hold at `site`, but for what stays there.
    Inspected {
        /// Where they lay.
        site: SiteId,
        /// What became of them.
        disposition: Disposition,
        /// Which lines, how many; of those that go back to the customer, from which draws they had been handed over,
        /// of all others as drawn on `site`.
        draws: &'a [Draw],
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORTS: [ReturnReport; 8] = [
        ReturnReport::Approved,
        ReturnReport::Declined { reason: DeclineReason::Used },
        ReturnReport::Cancelled,
        ReturnReport::Closed,
        ReturnReport::LabelSent,
        ReturnReport::InTransit,
        ReturnReport::Lost,
        ReturnReport::Expired,
    ];

    /// The tables of `docs/RETURNS.md`: M moves, r repeats, - is refused.
    #[test]
    fn each_report_does_in_each_stage_what_the_page_says() {
        // requested approved label_sent in_transit received inspected closed declined cancelled expired lost
        let table = [
            "Mrrrrrr---r",
            "M------r---",
            "MMM-----r--",
            "----MMr----",
            "MMrrrrrrrrr",
            "MMMrrrrrrrr",
            "MMMMrrrrrrr",
            "MMMrrrrrrrr",
        ];
        for (report, row) in REPORTS.into_iter().zip(table) {
            let told: String = Stage::ALL
                .iter()
                .map(|stage| match stage.told(report, false) {
                    Heard::Moves => 'M',
                    Heard::Repeats => 'r',
                    Heard::Refused => '-',
                })
                .collect();
            assert_eq!(told, row, "{report:?}");
        }
        assert_eq!(Stage::Received.told(ReturnReport::Closed, true), Heard::Refused);
    }

    #[test]
    fn every_number_names_what_has_it() {
        assert!(Kind::ALL.iter().all(|kind| Kind::from_byte(*kind as u8) == Some(*kind)));
        assert!(Stage::ALL.iter().all(|stage| Stage::from_byte(*stage as u8) == Some(*stage)));
        assert_eq!((Stage::from_byte(0), Stage::from_byte(12), Disposition::ALL.len()), (None, None, DISPOSITIONS));
    }
}
