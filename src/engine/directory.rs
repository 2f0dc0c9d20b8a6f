//! The directory of markets: name, number, shard. It lives in shard 0 and nowhere else.
//!
//! # Always true
//! - Numbers are given in order from 1 and never again.
//! - A new market goes to the shard with the fewest; of equals, to the one with the lowest number.

use super::catalog::Catalog;
use crate::base::{MarketId, ShardId};

/// Markets of the node.
#[derive(Debug)]
pub struct Directory {
    names: Catalog,
    /// By number less one.
    shards: Vec<ShardId>,
    /// Markets per shard.
    load: Vec<u32>,
}

impl Directory {
    pub(super) fn new(shards: u16) -> Self {
        Self { names: Catalog::default(), shards: Vec::new(), load: vec![0; usize::from(shards)] }
    }

    /// How many markets there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.names.len() == 0
    }

    /// The number of a name.
    #[must_use]
    pub fn market(&self, name: &str) -> Option<MarketId> {
        self.names.number(name).and_then(MarketId::new)
    }

    /// Every market: number, shard, name, in order of the numbers.
    pub fn iter(&self) -> impl Iterator<Item = (MarketId, ShardId, &str)> {
        self.names.iter().zip(&self.shards).map(|((number, name), shard)| (market_id(number), *shard, name))
    }

    /// Whether the node has this shard.
    pub(super) fn has_shard(&self, shard: ShardId) -> bool {
        usize::from(shard.0) < self.load.len()
    }

    /// Where the next market goes, and its number.
    pub(super) fn next(&self) -> (MarketId, ShardId) {
        (market_id(self.names.next_number()), fewest_markets(&self.load))
    }

    pub(super) fn insert(&mut self, name: &str, shard: ShardId) {
        self.names.insert(name);
        self.shards.push(shard);
        self.load[usize::from(shard.0)] += 1;
    }
}

/// The shard that gets the next market; `load` counts the markets of each. Who opens a market asks the same of the same
/// markets, and so learns where the directory put it.
#[must_use]
pub fn fewest_markets(load: &[u32]) -> ShardId {
    let fewest = (0..).zip(load).min_by_key(|(_, load)| **load);
    let (shard, _) = fewest.expect("law: a node has at least one shard");
    ShardId(shard)
}

fn market_id(number: u32) -> MarketId {
    MarketId::new(number).expect("law: MARKETS_MAX keeps numbers below 2^20")
}
