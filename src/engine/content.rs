//! The content of a request: what has to be equal for a repeat to be a repeat.
//!
//! # Always true
//! - The content of a placement can be computed from its fact alone, so recovery and audit find the same.
//! - Two different contents never have the same bytes: every variable part is preceded by its length.
//! - Of details only this counts, whether there are any: a hash of them would let whoever guesses right know it, also
//!   after they were erased. What was sealed is compared by itself, while it can be.

use xxhash_rust::const_xxh3;
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use super::choices::{PaymentMethod, Take};
use super::command::{Edit, IdentityHashes, Line, LinePrice, LineQuantity, Place};
use super::fact::Placed;
use super::ledger::Account;
use crate::base::{Currency, CustomerKey, Price, Sequence, SiteId, SkuId};

const HEAD: usize = 64;
const LINE: usize = 16;

/// What counts as the content of a placement; its identifier is what it is compared under.
pub(super) struct Content<'a> {
    customer: CustomerKey,
    take: Take,
    hold_ms: u32,
    currency: Currency,
    payment: PaymentMethod,
    channel: u16,
    zone: u16,
    hashes: Option<IdentityHashes>,
    lines: &'a [Line],
    has_details: bool,
}

impl<'a> From<&Place<'a>> for Content<'a> {
    fn from(place: &Place<'a>) -> Self {
        let Place { customer, take, hold_ms, currency, payment, channel, zone, hashes, lines, .. } = *place;
        let has_details = !place.details.is_empty();
        Self { customer, take, hold_ms, currency, payment, channel, zone, hashes, lines, has_details }
    }
}

impl<'a> From<&Placed<'a>> for Content<'a> {
    fn from(placed: &Placed<'a>) -> Self {
        let Placed { customer, take, hold_ms, currency, payment, channel, zone, hashes, lines, .. } = *placed;
        let has_details = !placed.details.is_empty();
        Self { customer, take, hold_ms, currency, payment, channel, zone, hashes, lines, has_details }
    }
}

impl Content<'_> {
    /// 128 bits that are equal for equal contents.
    pub(super) fn hash(&self) -> u128 {
        let len = HEAD + self.lines.len() * LINE;
        let mut short = [0; HEAD + 4 * LINE];
        if len <= short.len() {
            self.write(&mut short[..len]);
            xxh3_128(&short[..len])
        } else {
            let mut long = vec![0; len];
            self.write(&mut long);
            xxh3_128(&long)
        }
    }

    fn write(&self, bytes: &mut [u8]) {
        let IdentityHashes { account, address, instrument } = self.hashes.unwrap_or_default();
        bytes[..16].copy_from_slice(&self.customer.0.to_le_bytes());
        bytes[16..20].copy_from_slice(&self.hold_ms.to_le_bytes());
        bytes[20..23].copy_from_slice(&self.currency.code());
        bytes[23] = self.take as u8;
        bytes[24] = self.payment as u8;
        bytes[25] = u8::from(self.hashes.is_some());
        bytes[26..28].copy_from_slice(&self.channel.to_le_bytes());
        bytes[28..30].copy_from_slice(&self.zone.to_le_bytes());
        bytes[30] = u8::from(self.has_details);
        bytes[32..40].copy_from_slice(&(self.lines.len() as u64).to_le_bytes());
        bytes[40..48].copy_from_slice(&account.to_le_bytes());
        bytes[48..56].copy_from_slice(&address.to_le_bytes());
        bytes[56..64].copy_from_slice(&instrument.to_le_bytes());
        for (bytes, line) in bytes[HEAD..].as_chunks_mut::<LINE>().0.iter_mut().zip(self.lines) {
            bytes[..4].copy_from_slice(&line.sku.0.to_le_bytes());
            bytes[4..8].copy_from_slice(&line.quantity.to_le_bytes());
            bytes[8..].copy_from_slice(&line.price.to_le_bytes());
        }
    }
}

/// What kind of change a change identifier stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum ChangeKind {
    CancelLines = 1,
    HandOver = 2,
    Return = 3,
    Confirm = 4,
    Refund = 5,
    Delivered = 6,
    /// A return as it was asked for; kept with it, and not among the changes.
    Asked = 7,
    Edit = 8,
}

impl ChangeKind {
    /// The kind with this number.
    pub(super) const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::CancelLines),
            2 => Some(Self::HandOver),
            3 => Some(Self::Return),
            4 => Some(Self::Confirm),
            5 => Some(Self::Refund),
            6 => Some(Self::Delivered),
            8 => Some(Self::Edit),
            _ => None,
        }
    }
}

/// Bytes of a change, and of each of its lines.
const CHANGE_HEAD: usize = 3;
const CHANGE_LINE: usize = 6;

/// The content of a confirmation: of no site, and without lines.
pub(super) const CONFIRM: u64 = const_xxh3::xxh3_64(&[ChangeKind::Confirm as u8, 0, 0]);

/// The content of a change of quantities.
pub(super) fn change(kind: ChangeKind, site: SiteId, lines: &[LineQuantity]) -> u64 {
    let len = CHANGE_HEAD + lines.len() * CHANGE_LINE;
    let mut short = [0; CHANGE_HEAD + 8 * CHANGE_LINE];
    let mut long = Vec::new();
    let bytes = short.get_mut(..len).unwrap_or_else(|| {
        long.resize(len, 0);
        &mut long
    });
    bytes[0] = kind as u8;
    bytes[1..CHANGE_HEAD].copy_from_slice(&site.0.to_le_bytes());
    for (bytes, LineQuantity { line, quantity }) in
        bytes[CHANGE_HEAD..].as_chunks_mut::<CHANGE_LINE>().0.iter_mut().zip(lines)
    {
        bytes[..2].copy_from_slice(&line.to_le_bytes());
        bytes[2..].copy_from_slice(&quantity.to_le_bytes());
    }
    xxh3_64(bytes)
}

/// The content of an edit.
pub(super) fn edit(edit: Edit<'_>) -> u64 {
    let Edit { zone, prices, remove, add } = edit;
    let mut bytes = vec![ChangeKind::Edit as u8, u8::from(zone.is_some())];
    bytes.extend(zone.unwrap_or_default().to_le_bytes());
    bytes.extend([prices.len(), remove.len(), add.len()].into_iter().flat_map(|len| (len as u64).to_le_bytes()));
    for LinePrice { line, price } in prices {
        bytes.extend(line.to_le_bytes());
        bytes.extend(price.to_le_bytes());
    }
    for LineQuantity { line, quantity } in remove {
        bytes.extend(line.to_le_bytes());
        bytes.extend(quantity.to_le_bytes());
    }
    for Line { sku, quantity, price } in add {
        bytes.extend(sku.0.to_le_bytes());
        bytes.extend(quantity.to_le_bytes());
        bytes.extend(price.to_le_bytes());
    }
    xxh3_64(&bytes)
}

/// The content of a refund.
pub(super) fn refund(amount: Price) -> u64 {
    let mut bytes = [0; 9];
    bytes[0] = ChangeKind::Refund as u8;
    bytes[1..].copy_from_slice(&amount.to_le_bytes());
    xxh3_64(&bytes)
}

/// The content of a stock request: `units` is signed, a receipt has no reason.
pub(super) fn stock(sku: SkuId, site: SiteId, units: i64, reason: Option<u8>) -> u64 {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&sku.0.to_le_bytes());
    bytes[4..6].copy_from_slice(&site.0.to_le_bytes());
    bytes[6] = reason.map_or(0, |reason| reason + 1);
    bytes[8..].copy_from_slice(&units.to_le_bytes());
    xxh3_64(&bytes)
}

/// The content of a movement. Longer than that of any other stock request, so never the same bytes.
pub(super) fn movement(sku: SkuId, from: Account, to: Account, quantity: u64) -> u64 {
    let mut bytes = [0; 18];
    bytes[..4].copy_from_slice(&sku.0.to_le_bytes());
    for (at, account) in [(4, from), (7, to)] {
        bytes[at..at + 2].copy_from_slice(&account.site.0.to_le_bytes());
        bytes[at + 2] = account.bucket as u8;
    }
    bytes[10..].copy_from_slice(&quantity.to_le_bytes());
    xxh3_64(&bytes)
}

/// The content of a count as of an event. One byte longer than that of any other stock request.
pub(super) fn reported_count(sku: SkuId, site: SiteId, as_of: Sequence, counted: u64) -> u64 {
    let mut bytes = [0; 23];
    bytes[..4].copy_from_slice(&sku.0.to_le_bytes());
    bytes[4..6].copy_from_slice(&site.0.to_le_bytes());
    bytes[6..14].copy_from_slice(&as_of.0.to_le_bytes());
    bytes[14..22].copy_from_slice(&counted.to_le_bytes());
    xxh3_64(&bytes)
}

/// The content of a count.
pub(super) fn count(sku: SkuId, site: SiteId, expected: u64, counted: u64) -> u64 {
    let mut bytes = [0; 22];
    bytes[..4].copy_from_slice(&sku.0.to_le_bytes());
    bytes[4..6].copy_from_slice(&site.0.to_le_bytes());
    bytes[6..14].copy_from_slice(&expected.to_le_bytes());
    bytes[14..].copy_from_slice(&counted.to_le_bytes());
    xxh3_64(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_confirmation_is_the_change_of_no_line() {
        assert_eq!(CONFIRM, change(ChangeKind::Confirm, SiteId(0), &[]));
    }

    #[test]
    fn a_change_of_many_lines_is_hashed_like_one_of_few() {
        for count in [0, 1, 8, 9, 20] {
            let lines: Vec<_> = (0..count).map(|line| LineQuantity { line, quantity: 7 }).collect();
            let mut bytes = vec![ChangeKind::HandOver as u8, 2, 1];
            for LineQuantity { line, quantity } in &lines {
                bytes.extend([&line.to_le_bytes()[..], &quantity.to_le_bytes()[..]].concat());
            }
            assert_eq!(change(ChangeKind::HandOver, SiteId(0x102), &lines), xxh3_64(&bytes), "{count} lines");
        }
    }
}
