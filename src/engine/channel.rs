//! Channel caps: how many units of a SKU are sold through one channel.
//!
//! ```text
//! left of a cap = units_max - held, never below zero
//! held          = owed + reserved + committed + shipped, of orders of the channel since the cap was set
//! ```
//!
//! # Always true
//! - Units are counted in the same step as they are taken, and given back in the same step as they are: what was
//!   cancelled or has lapsed is not counted, what was handed over is, and stays so when it comes back.
//! - A cap counts orders accepted from the moment it was set. Another number goes on counting; without a cap nothing is
//!   counted, and the next one begins anew.
//! - Channel 0 is none, and has no cap.
//! # Not here
//! - Whether an order may be placed: `decide::policy`. When counts move: `fold::policy`.
//! # Why so
//! A cap is a share of what there is, not stock of its own: nothing is set aside for a channel, so nothing lies there
//! unsold, and another channel is not sold out when one has used up its cap.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Included};

use super::Engine;
use super::query::{ChannelPage, ChannelRow};
use super::read::check_page;
use super::refusal::Refusal;
use crate::base::{MarketId, OrderNumber, SkuId};

/// A cap and what counts against it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cap {
    pub(super) units_max: u32,
    /// Orders from this number on count.
    pub(super) from: OrderNumber,
    pub(super) held: u64,
}

impl Cap {
    pub(super) fn left(&self) -> u64 {
        u64::from(self.units_max).saturating_sub(self.held)
    }
}

/// The caps of a market.
#[derive(Debug, Default)]
pub(super) struct ChannelCaps {
    caps: BTreeMap<(SkuId, u16), Cap>,
}

impl ChannelCaps {
    pub(super) fn len(&self) -> usize {
        self.caps.len()
    }

    pub(super) fn get(&self, sku: SkuId, channel: u16) -> Option<&Cap> {
        self.caps.get(&(sku, channel))
    }

    /// Every cap, by SKU and channel.
    pub(super) fn iter(&self) -> impl Iterator<Item = ((SkuId, u16), &Cap)> {
        self.caps.iter().map(|(key, cap)| (*key, cap))
    }

    /// Sets a cap, or that there is none; `next` is the number of the next order.
    pub(super) fn set(&mut self, (sku, channel): (SkuId, u16), units_max: Option<u32>, next: OrderNumber) {
        let Some(units_max) = units_max else {
            self.caps.remove(&(sku, channel));
            return;
        };
        let cap = self.caps.entry((sku, channel)).or_insert(Cap { units_max, from: next, held: 0 });
        cap.units_max = units_max;
    }

    /// Puts a cap back where there is none yet; `None` when there is.
    pub(super) fn restore(&mut self, sku: SkuId, channel: u16, cap: Cap) -> Option<()> {
        self.caps.insert((sku, channel), cap).is_none().then_some(())
    }

    /// Counts units of an order that moved into or out of what its channel holds.
    pub(super) fn move_units(&mut self, sku: SkuId, channel: u16, order: OrderNumber, (before, after): (u64, u64)) {
        if let Some(cap) = self.caps.get_mut(&(sku, channel)).filter(|cap| order >= cap.from) {
            cap.held = (cap.held + after).checked_sub(before).expect("law: what is given back was counted");
        }
    }
}

impl Engine {
    /// Caps of a SKU by channel, channels after `after`.
    ///
    /// # Errors
    /// Unknown market or SKU; more rows asked than a page has.
    pub fn channel_caps(
        &self,
        market: MarketId,
        sku: SkuId,
        after: u16,
        rows_max: u16,
    ) -> Result<ChannelPage, Refusal> {
        check_page(rows_max)?;
        let market = self.market(market)?;
        market.check_sku(sku)?;
        let behind = (Excluded((sku, after)), Included((sku, u16::MAX)));
        let mut behind = market.policies.caps().caps.range(behind).peekable();
        let row = |(&(_, channel), cap): (&(SkuId, u16), &Cap)| ChannelRow {
            channel,
            units_max: cap.units_max,
            held: cap.held,
        };
        let rows: Vec<_> = behind.by_ref().take(usize::from(rows_max)).map(row).collect();
        let next = if behind.peek().is_some() { Some(rows.last().map_or(after, |row| row.channel)) } else { None };
        Ok(ChannelPage { rows, next })
    }
}
