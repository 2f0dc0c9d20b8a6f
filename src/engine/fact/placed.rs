//! What facts about orders are made of: an accepted placement, units at a site, the identity of a change.

use super::super::choices::{PaymentMethod, Take};
use super::super::command::{IdentityHashes, Line, LinePrice};
use crate::base::{ChangeId, Currency, CustomerKey, KeyName, OrderId, SiteId};

/// An accepted placement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed<'a> {
    /// Identifier.
    pub order: OrderId,
    /// Zero for guests.
    pub customer: CustomerKey,
    /// As asked.
    pub take: Take,
    /// Length of the reservation in milliseconds, as asked: 0 for that of the method in the market at that time.
    pub hold_ms: u32,
    /// Of every price.
    pub currency: Currency,
    /// As asked.
    pub payment: PaymentMethod,
    /// As asked.
    pub channel: u16,
    /// As asked.
    pub zone: u16,
    /// Whether the order needed no payment and is confirmed at once.
    pub confirmed: bool,
    /// As asked.
    pub hashes: Option<IdentityHashes>,
    /// As asked, in order.
    pub lines: &'a [Line],
    /// Where the units were taken, lines in order, sites in rank order, what is owed last. Their sum per line is what
    /// was taken.
    pub draws: &'a [Draw],
    /// As given, and sealed.
    pub details: &'a [u8],
    /// What they are sealed under, where there are any.
    pub key: Option<KeyName>,
}

/// What an order that was changed as a whole came to have, and to have no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edited<'a> {
    /// As asked.
    pub zone: Option<u16>,
    /// As asked.
    pub prices: &'a [LinePrice],
    /// Units that are the order's no more, lines in order.
    pub removed: &'a [Draw],
    /// New lines, as asked, in order. The first stands behind the last that the order had.
    pub lines: &'a [Line],
    /// Where their units were taken, as of a placement; lines are those of the order. Units of a SKU and site that are
    /// among those removed too, as far as they go, have not moved.
    pub draws: &'a [Draw],
}

/// Units of one line at one site, or owed: then at [`SiteId::NOWHERE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Draw {
    /// Position of the line in the placement, from 0.
    pub line: u16,
    /// The site they were taken at.
    pub site: SiteId,
    /// How many, at least 1. Of a kit, whole kits: so many times its recipe lies, or lay, at the site.
    pub quantity: u32,
}

/// The identity of a change of quantities, kept with its first result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// Chosen by the client.
    pub id: ChangeId,
    /// Of what was asked, so that another content under the same identity is recognised.
    pub content: u64,
    /// Units asked for that could not be moved.
    pub excess: u64,
}
