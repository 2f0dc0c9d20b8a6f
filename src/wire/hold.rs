//! Holds in records: asked for, as facts of the log, and as orders and rows tell of them.
//!
//! # Always true
//! - Words follow what is fixed, an owner before its note; those of several rows follow the last row.

use super::layout::{Body, Malformed, RecordHead, fixed, put};
use super::refused::Part;
use crate::base::{OrderId, Timestamp};
use crate::engine::HoldReason;
use crate::engine::query::HoldView;

fixed! {
    /// An order is to be held, or is. Then: owner, note.
    HoldV1 as ArchivedHoldV1, 25 {
        head: RecordHead,
        order: u128,
        reason: u8,
        owner_len: u16,
        note_len: u16,
    }
    /// A hold is to be lifted, or is. Then: owner.
    LiftV1 as ArchivedLiftV1, 23 {
        head: RecordHead,
        order: u128,
        reason: u8,
        owner_len: u16,
    }
    /// A hold of an order that is told of.
    HoldPart as ArchivedHoldPart, 13 {
        since: u64,
        reason: u8,
        owner_len: u16,
        note_len: u16,
    }
}

/// Bytes of a hold's record with these words.
pub(super) const fn hold_bytes(owner: &str, note: &str) -> usize {
    size_of::<ArchivedHoldV1>() + owner.len() + note.len()
}

/// Bytes of the record that lifts a hold of this owner.
pub(super) const fn lift_bytes(owner: &str) -> usize {
    size_of::<ArchivedLiftV1>() + owner.len()
}

/// Bytes that a hold adds to what tells of it.
pub(super) fn part_bytes(hold: &HoldView) -> usize {
    size_of::<ArchivedHoldPart>() + hold.owner.len() + hold.note.len()
}

/// A word's length: the head of its record said that it fits.
fn len16(word: &str) -> u16 {
    u16::try_from(word.len()).expect("law: the words of a hold fit its record")
}

/// Appends a hold; `head` counts [`hold_bytes`], which a record can hold.
pub(super) fn put_hold(
    head: RecordHead,
    (order, reason): (OrderId, HoldReason),
    (owner, note): (&str, &str),
    out: &mut Vec<u8>,
) {
    let (order, reason) = (order.bits(), reason as u8);
    put(out, &HoldV1 { head, order, reason, owner_len: len16(owner), note_len: len16(note) });
    out.extend_from_slice(owner.as_bytes());
    out.extend_from_slice(note.as_bytes());
}

/// Appends the lifting of a hold; `head` counts [`lift_bytes`], which a record can hold.
pub(super) fn put_lift(head: RecordHead, (order, reason): (OrderId, HoldReason), owner: &str, out: &mut Vec<u8>) {
    put(out, &LiftV1 { head, order: order.bits(), reason: reason as u8, owner_len: len16(owner) });
    out.extend_from_slice(owner.as_bytes());
}

/// A hold of a record: order, owner, reason and note.
pub(super) fn read_hold(record: &[u8]) -> Result<(OrderId, &str, HoldReason, &str), Malformed> {
    let (fixed, mut body) = Body::of::<ArchivedHoldV1>(record)?;
    let owner = body.text(usize::from(fixed.owner_len.to_native()))?;
    let note = body.text(usize::from(fixed.note_len.to_native()))?;
    body.end()?;
    Ok((OrderId::from_bits(fixed.order.to_native()), owner, read_reason(fixed.reason)?, note))
}

/// A hold that a record lifts: order, owner and reason.
pub(super) fn read_lift(record: &[u8]) -> Result<(OrderId, &str, HoldReason), Malformed> {
    let (fixed, mut body) = Body::of::<ArchivedLiftV1>(record)?;
    let owner = body.text(usize::from(fixed.owner_len.to_native()))?;
    body.end()?;
    Ok((OrderId::from_bits(fixed.order.to_native()), owner, read_reason(fixed.reason)?))
}

impl From<&HoldView> for HoldPart {
    fn from(hold: &HoldView) -> Self {
        let (since, reason) = (hold.since.ms(), hold.reason as u8);
        Self { since, reason, owner_len: len16(&hold.owner), note_len: len16(&hold.note) }
    }
}

/// Appends the words of holds whose parts were appended before.
pub(super) fn put_words<'h>(holds: impl Iterator<Item = &'h HoldView>, out: &mut Vec<u8>) {
    for hold in holds {
        out.extend_from_slice(hold.owner.as_bytes());
        out.extend_from_slice(hold.note.as_bytes());
    }
}

impl ArchivedHoldPart {
    /// The hold, whose words come next in the body.
    pub(super) fn read(&self, body: &mut Body<'_>) -> Result<HoldView, Malformed> {
        let owner = body.text(usize::from(self.owner_len.to_native()))?.to_owned();
        let note = body.text(usize::from(self.note_len.to_native()))?.to_owned();
        let since = Timestamp::from_ms(self.since.to_native());
        Ok(HoldView { owner, reason: read_reason(self.reason)?, note, since })
    }
}

fn read_reason(reason: u8) -> Result<HoldReason, Malformed> {
    HoldReason::from_byte(reason).ok_or(Malformed(Part::HoldReason))
}
