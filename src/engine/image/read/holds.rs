//! What orders are held for, read back.

use super::super::super::catalog::check_code;
use super::super::super::choices::HoldReason;
use super::super::super::hold::{Hold, check_note};
use super::super::super::marks::Marks;
use super::super::super::order::State;
use super::super::super::orders::{Phase, Record};
use super::super::ImageError;
use super::{Fields, Read};
use crate::base::OrderNumber;
use crate::base::limits::HOLDS_PER_ORDER_MAX;

/// The holds of an order. One that is over has none, and what its state says of them is so.
pub(super) fn read_holds(item: &mut Fields<'_>, record: &mut Record) -> Read<Vec<Hold>> {
    let wrong = ImageError::new("an order is held that cannot be, or twice for one reason, or for none there is");
    let mut holds = Vec::<Hold>::new();
    for _ in 0..item.count(HOLDS_PER_ORDER_MAX)? {
        let (owner, reason) = (item.text()?, HoldReason::from_byte(item.byte()?).ok_or(wrong)?);
        let (note, since) = (item.text()?, item.time()?);
        let is_new = !holds.iter().any(|hold| hold.is(owner, reason));
        if check_code(owner).is_err() || check_note(note).is_err() || !is_new {
            return Err(wrong);
        }
        holds.push(Hold { owner: owner.into(), reason, note: note.into(), since });
    }
    record.marks.set(Marks::HELD, !holds.is_empty());
    let may_be = record.phase == Phase::Whole && record.number != OrderNumber(0) && record.state.may_be_held();
    let is_told = (record.state == State::InReview) == (record.is_held() && record.state.plain() == State::Confirmed);
    if (record.has_holds() && !may_be) || !is_told {
        return Err(wrong);
    }
    Ok(holds)
}
