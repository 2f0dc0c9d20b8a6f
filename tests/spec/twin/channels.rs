//! Caps of channels in the twin: what a channel sold is counted over all orders there ever were, each time anew.

use stockade::base::limits::CHANNEL_CAPS_MAX;
use stockade::base::{MarketId, OrderNumber, SkuId};
use stockade::engine::query::ChannelRow;
use stockade::engine::refusal::Field;
use stockade::engine::{Answer, Refusal};

use super::order::{Fate, Order, Unit};
use super::{Market, Twin, out_of_bounds};

/// A cap, and from which order on it counts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cap {
    units_max: u32,
    from: OrderNumber,
}

impl Twin {
    pub(super) fn set_channel_cap(
        &mut self,
        id: MarketId,
        (sku, channel): (SkuId, u16),
        units_max: Option<u32>,
    ) -> Result<Answer, Refusal> {
        if channel == 0 {
            return Err(out_of_bounds(Field::Channel, 1, u16::MAX.into()));
        }
        let all: usize = self.markets.values().map(|market| market.channel_caps.len()).sum();
        let market = self.market_mut(id)?;
        if !market.has_sku(sku) {
            return Err(Refusal::UnknownSku { sku });
        }
        let next = OrderNumber(market.placed().count() as u64 + 1);
        let before = market.channel_caps.get(&(sku, channel)).copied();
        match (before, units_max) {
            (None, None) => return Ok(Answer::Set { repeated: true }),
            (Some(cap), Some(units_max)) if cap.units_max == units_max => return Ok(Answer::Set { repeated: true }),
            (Some(cap), Some(units_max)) => market.channel_caps.insert((sku, channel), Cap { units_max, ..cap }),
            (Some(_), None) => market.channel_caps.remove(&(sku, channel)),
            (None, Some(_)) if all as u64 >= CHANNEL_CAPS_MAX => {
                return Err(out_of_bounds(Field::ChannelCaps, 0, CHANNEL_CAPS_MAX));
            }
            (None, Some(units_max)) => market.channel_caps.insert((sku, channel), Cap { units_max, from: next }),
        };
        Ok(Answer::Set { repeated: false })
    }

    /// Every SKU there is.
    pub(crate) fn skus(&self, market: MarketId) -> impl Iterator<Item = SkuId> {
        let market = &self.markets[&market];
        (1..).map(SkuId).take_while(|sku| market.has_sku(*sku))
    }

    pub(crate) fn channel_caps(&self, market: MarketId, sku: SkuId) -> Vec<ChannelRow> {
        let market = &self.markets[&market];
        let of_sku = market.channel_caps.iter().filter(|((of, _), _)| *of == sku);
        let row = |(&(_, channel), cap): (&(SkuId, u16), &Cap)| ChannelRow {
            channel,
            units_max: cap.units_max,
            held: market.sold_through(sku, channel, *cap),
        };
        of_sku.map(row).collect()
    }
}

impl Market {
    /// Whether a channel may sell so many units more.
    pub(super) fn check_channel(&self, channel: u16, sku: SkuId, units: u64) -> Result<(), Refusal> {
        let Some(cap) = self.channel_caps.get(&(sku, channel)) else { return Ok(()) };
        let max = u64::from(cap.units_max);
        let left = max.saturating_sub(self.sold_through(sku, channel, *cap));
        if units > left { Err(Refusal::ChannelCap { sku, max, left }) } else { Ok(()) }
    }

    /// Units reserved, owed, committed or handed over, whether they came back or not; in kits as well.
    fn sold_through(&self, sku: SkuId, channel: u16, cap: Cap) -> u64 {
        let counts = |order: &&Order| order.number >= cap.from && order.asked.channel == channel;
        let sold = |order: &Order| -> u64 {
            let lines = order.asked.lines.iter().zip(&order.lines);
            let of_line = |units: &[Unit]| {
                units.iter().filter(|unit| !matches!(unit.fate, Fate::Lapsed | Fate::Cancelled)).count() as u64
            };
            lines.map(|(line, units)| self.counts_as(line.sku, sku) * of_line(units)).sum()
        };
        self.placed().filter(counts).map(sold).sum()
    }
}
