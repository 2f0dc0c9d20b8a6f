//! Refusals as numbers: one row a refusal, append-only. `docs/WIRE-PROTOCOL.md`, "Refusals", is the same table.
//!
//! A refusal is a number and up to four values: `small` (16 bits), `medium` (32), `first` and `second` (64). The state
//! of an order travels in the reply's head.
//!
//! # Always true
//! - A value that a refusal does not use is zero, and refused when it is not.

use super::layout::Malformed;
use super::payment::read_currency;
use super::refused::{Part, Refused};
use crate::base::{Sequence, SkuId, Timestamp};
use crate::engine::order::State;
use crate::engine::refusal::{Field, Legal};
use crate::engine::{Refusal, ReturnStage};

/// A refusal taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Parts {
    pub(super) number: u16,
    pub(super) state: u8,
    pub(super) small: u16,
    pub(super) medium: u32,
    pub(super) first: u64,
    pub(super) second: u64,
}

impl Refused {
    /// Its number: what a program compares.
    #[must_use]
    pub fn number(&self) -> u16 {
        to_parts(self).number
    }
}

const fn number(number: u16) -> Parts {
    Parts { number, state: 0, small: 0, medium: 0, first: 0, second: 0 }
}

/// Takes a refusal apart.
pub(super) fn to_parts(refused: &Refused) -> Parts {
    match *refused {
        Refused::Engine(refusal) => engine_to_parts(refusal),
        Refused::Malformed { field } => Parts { small: u16::from(field), ..number(64) },
        Refused::UnknownKind { kind } => Parts { small: u16::from(kind), ..number(65) },
        Refused::UnknownVersion { kind, version } => {
            Parts { small: u16::from(kind), medium: u32::from(version), ..number(66) }
        }
        Refused::Overloaded { retry_after_ms } => Parts { medium: retry_after_ms, ..number(67) },
        Refused::DeadlinePassed => number(68),
        Refused::DiskLow => number(69),
        Refused::ShuttingDown => number(70),
    }
}

fn engine_to_parts(refusal: Refusal) -> Parts {
    match refusal {
        Refusal::UnknownMarket => number(1),
        Refusal::UnknownSite => number(2),
        Refusal::UnknownSku { sku } => Parts { medium: sku.0, ..number(3) },
        Refusal::UnknownOrder => number(4),
        Refusal::UnknownLine { line } => Parts { small: line, ..number(5) },
        Refusal::SoldOut { sku, asked, available } => {
            Parts { medium: sku.0, first: asked, second: available, ..number(6) }
        }
        Refusal::Conflict => number(7),
        Refusal::Blocked => number(8),
        Refusal::IllegalState { state, legal } => Parts { state: state as u8, small: u16::from(legal.0), ..number(9) },
        Refusal::IdFromFuture { now } => Parts { first: now.ms(), ..number(10) },
        Refusal::IdTooOld => number(11),
        Refusal::AtCapacity => number(12),
        Refusal::TooManyChanges => number(13),
        Refusal::OutOfBounds { field, min, max } => {
            Parts { small: field as u16, first: min, second: max, ..number(14) }
        }
        Refusal::NotAvailable { available } => Parts { first: available, ..number(15) },
        Refusal::NotAsExpected { on_hand } => Parts { first: on_hand, ..number(21) },
        Refusal::UnknownMovement => number(22),
        Refusal::IsKit { sku } => Parts { medium: sku.0, ..number(23) },
        Refusal::NotAKit { sku } => Parts { medium: sku.0, ..number(24) },
        Refusal::EventForgotten { oldest } => Parts { first: oldest.0, ..number(25) },
        Refusal::EventFromFuture { newest } => Parts { first: newest.0, ..number(26) },
        Refusal::NotEnoughUnits { line, units } => Parts { small: line, first: units, ..number(16) },
        Refusal::TooManyDraws => number(17),
        Refusal::OrderLimit { sku, min, max } => Parts { medium: sku.0, first: min, second: max, ..number(19) },
        Refusal::ChannelCap { sku, max, left } => Parts { medium: sku.0, first: max, second: left, ..number(28) },
        Refusal::CustomerLimit { sku, max, left, daily } => {
            Parts { small: u16::from(daily), medium: sku.0, first: max, second: left, ..number(20) }
        }
        Refusal::Erased => number(27),
        Refusal::UnknownReturn => number(32),
        Refusal::IllegalReturn { stage } => Parts { small: u16::from(stage as u8), ..number(33) },
        Refusal::RefundTooMuch { left } => Parts { first: left, ..number(30) },
        Refusal::OtherCurrency { currency } => {
            let [a, b, c] = currency.code();
            Parts { medium: u32::from_le_bytes([a, b, c, 0]), ..number(31) }
        }
        Refusal::Closed { state } => Parts { state: state as u8, ..number(18) },
    }
}

/// Puts a refusal together.
pub(super) fn from_parts(parts: &Parts) -> Result<Refused, Malformed> {
    let Parts { number: code, state, small, medium, first, second } = *parts;
    let byte = u8::try_from(small).map_err(|_| Malformed(Part::Value));
    let refused = match code {
        1 => Refusal::UnknownMarket.into(),
        2 => Refusal::UnknownSite.into(),
        3 => Refusal::UnknownSku { sku: SkuId(medium) }.into(),
        4 => Refusal::UnknownOrder.into(),
        5 => Refusal::UnknownLine { line: small }.into(),
        6 => Refusal::SoldOut { sku: SkuId(medium), asked: first, available: second }.into(),
        7 => Refusal::Conflict.into(),
        8 => Refusal::Blocked.into(),
        9 => {
            let state = State::from_byte(state).ok_or(Malformed(Part::State))?;
            Refusal::IllegalState { state, legal: Legal(byte?) }.into()
        }
        10 => Refusal::IdFromFuture { now: Timestamp::from_ms(first) }.into(),
        11 => Refusal::IdTooOld.into(),
        12 => Refusal::AtCapacity.into(),
        13 => Refusal::TooManyChanges.into(),
        14 => Refusal::OutOfBounds { field: field(small)?, min: first, max: second }.into(),
        15 => Refusal::NotAvailable { available: first }.into(),
        16 => Refusal::NotEnoughUnits { line: small, units: first }.into(),
        17 => Refusal::TooManyDraws.into(),
        18 => Refusal::Closed { state: State::from_byte(state).ok_or(Malformed(Part::State))? }.into(),
        19 => Refusal::OrderLimit { sku: SkuId(medium), min: first, max: second }.into(),
        20 => Refusal::CustomerLimit { sku: SkuId(medium), max: first, left: second, daily: small == 1 }.into(),
        21 => Refusal::NotAsExpected { on_hand: first }.into(),
        22 => Refusal::UnknownMovement.into(),
        23 => Refusal::IsKit { sku: SkuId(medium) }.into(),
        24 => Refusal::NotAKit { sku: SkuId(medium) }.into(),
        25 => Refusal::EventForgotten { oldest: Sequence(first) }.into(),
        26 => Refusal::EventFromFuture { newest: Sequence(first) }.into(),
        27 => Refusal::Erased.into(),
        28 => Refusal::ChannelCap { sku: SkuId(medium), max: first, left: second }.into(),
        30 => Refusal::RefundTooMuch { left: first }.into(),
        32 => Refusal::UnknownReturn.into(),
        33 => Refusal::IllegalReturn { stage: ReturnStage::from_byte(byte?).ok_or(Malformed(Part::Return))? }.into(),
        31 => {
            let [a, b, c, _] = medium.to_le_bytes();
            Refusal::OtherCurrency { currency: read_currency([a, b, c])? }.into()
        }
        64 => Refused::Malformed { field: byte? },
        65 => Refused::UnknownKind { kind: byte? },
        66 => {
            let version = u8::try_from(medium).map_err(|_| Malformed(Part::Value))?;
            Refused::UnknownVersion { kind: byte?, version }
        }
        67 => Refused::Overloaded { retry_after_ms: medium },
        68 => Refused::DeadlinePassed,
        69 => Refused::DiskLow,
        70 => Refused::ShuttingDown,
        _ => return Err(Malformed(Part::Number)),
    };
    // What this refusal does not use must have been zero: it comes apart into exactly what it was made of.
    if to_parts(&refused) == *parts { Ok(refused) } else { Err(Malformed(Part::Value)) }
}

fn field(number: u16) -> Result<Field, Malformed> {
    Field::ALL.iter().copied().find(|field| *field as u16 == number).ok_or(Malformed(Part::Value))
}
