//! Caps of channels, compared with the twin's.

use stockade::base::{MarketId, SkuId};
use stockade::engine::query::ChannelRow;

use super::Rig;

impl Rig {
    /// Every cap of every SKU with what is held of it.
    pub(super) fn check_channels(&self, market: MarketId) {
        for sku in self.twin.skus(market) {
            let (found, expected) = (self.channel_caps(market, sku), self.twin.channel_caps(market, sku));
            assert_eq!(found, expected, "caps of {sku} in market {market}: engine (left), twin (right)");
        }
    }

    /// All of them, page by page.
    pub(crate) fn channel_caps(&self, market: MarketId, sku: SkuId) -> Vec<ChannelRow> {
        let (mut rows, mut after) = (Vec::new(), 0);
        loop {
            let page = self.engine.channel_caps(market, sku, after, 2).expect("the SKU is known");
            rows.extend(page.rows);
            match page.next {
                Some(next) if next > after => after = next,
                Some(next) => panic!("the page after {after} goes on after {next}"),
                None => return rows,
            }
        }
    }
}
