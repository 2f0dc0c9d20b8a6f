//! What a placement is made of, and a few units of one line of it.

use super::super::choices::{PaymentMethod, Take};
use crate::base::{Currency, CustomerKey, KeyName, OrderId, Price, SkuId};

/// A placement. Its content is every field but the key; the same identifier with other content is a conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// Made by the client; also the idempotency key.
    pub order: OrderId,
    /// Zero for guests.
    pub customer: CustomerKey,
    /// All or nothing, or what exists.
    pub take: Take,
    /// How long units stay reserved, in milliseconds from acceptance, at most
    /// [`HOLD_MS_MAX`](crate::base::limits::HOLD_MS_MAX); 0 for as long as the market gives the payment method.
    pub hold_ms: u32,
    /// Of every price of this order.
    pub currency: Currency,
    /// How the customer wants to pay.
    pub payment: PaymentMethod,
    /// Where the order comes from, as numbered by the shop.
    pub channel: u16,
    /// Where it goes to, as numbered by the shop.
    pub zone: u16,
    /// Optional tail for limits and fraud rules.
    pub hashes: Option<IdentityHashes>,
    /// 1 to [`LINES_MAX`](crate::base::limits::LINES_MAX). A SKU may appear on several lines.
    pub lines: &'a [Line],
    /// Opaque, up to [`DETAILS_BYTES_MAX`](crate::base::limits::DETAILS_BYTES_MAX). The engine gets them sealed, and
    /// [`SEAL_BYTES`](crate::base::limits::SEAL_BYTES) longer.
    pub details: &'a [u8],
    /// What they are sealed under. A client names none: its shard does.
    pub key: Option<KeyName>,
}

/// One line of a placement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// What.
    pub sku: SkuId,
    /// Units asked, 1 to [`LINE_QUANTITY_MAX`](crate::base::limits::LINE_QUANTITY_MAX).
    pub quantity: u32,
    /// Of one unit, 0 to [`UNIT_PRICE_MAX`](crate::base::limits::UNIT_PRICE_MAX).
    pub price: Price,
}

/// Some units of one line of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineQuantity {
    /// Position of the line in the placement, from 0.
    pub line: u16,
    /// Units, at least 1.
    pub quantity: u32,
}

/// 64-bit hashes by which limits recognise a person; zero where unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct IdentityHashes {
    /// Of the account.
    pub account: u64,
    /// Of the address.
    pub address: u64,
    /// Of the payment instrument.
    pub instrument: u64,
}
