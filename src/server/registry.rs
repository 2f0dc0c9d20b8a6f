//! Which shard a market lives in. Sessions look once and remember; the server writes when a market is created.
//!
//! # Always true
//! - A market that is here can be used: its shard has opened it, durably. While the server runs it never moves.
//! # Why so
//! A dashmap: sharded locks, not lock-free. It is read once per session and market, so nothing faster is needed.

use std::sync::Arc;

use dashmap::DashMap;

use crate::base::{MarketId, ShardId};

/// The markets of the node. Clones are the same registry.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    markets: Arc<DashMap<MarketId, ShardId>>,
}

impl Registry {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A market can be used from now on. Called by the node for the markets it found in the log.
    pub fn insert(&self, market: MarketId, shard: ShardId) {
        self.markets.insert(market, shard);
    }

    /// Where a market lives.
    #[must_use]
    pub fn shard(&self, market: MarketId) -> Option<ShardId> {
        self.markets.get(&market).map(|entry| *entry)
    }

    /// How many markets there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.markets.len()
    }

    /// Adds up how many markets each shard has; `load` is indexed by shard.
    pub(super) fn count_into(&self, load: &mut [u32]) {
        for entry in self.markets.iter() {
            load[usize::from(entry.value().0)] += 1;
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.markets.is_empty()
    }
}

/// What one session remembers of the registry.
#[derive(Debug)]
pub(super) struct Homes {
    registry: Registry,
    last: Option<(MarketId, ShardId)>,
    /// By market number; markets are few and numbered from 1.
    known: Vec<Option<ShardId>>,
}

impl Homes {
    pub(super) const fn new(registry: Registry) -> Self {
        Self { registry, last: None, known: Vec::new() }
    }

    /// Where a market lives; one that does not exist is looked up every time, as it may come to be.
    pub(super) fn shard(&mut self, market: MarketId) -> Option<ShardId> {
        match self.last {
            Some((last, shard)) if last == market => Some(shard),
            _ => {
                let shard = self.look_up(market)?;
                self.last = Some((market, shard));
                Some(shard)
            }
        }
    }

    fn look_up(&mut self, market: MarketId) -> Option<ShardId> {
        let place = market.number() as usize;
        if let Some(Some(shard)) = self.known.get(place) {
            return Some(*shard);
        }
        let shard = self.registry.shard(market)?;
        if self.known.len() <= place {
            self.known.resize(place + 1, None);
        }
        self.known[place] = Some(shard);
        Some(shard)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_remembers_what_it_found_and_asks_again_for_what_it_did_not() {
        let registry = Registry::new();
        let mut homes = Homes::new(registry.clone());
        let market = |number| MarketId::new(number).expect("fits");
        assert_eq!(homes.shard(market(3)), None);
        registry.insert(market(3), ShardId(2));
        registry.insert(market(4), ShardId(1));
        for _ in 0..2 {
            assert_eq!(homes.shard(market(3)), Some(ShardId(2)));
            assert_eq!(homes.shard(market(4)), Some(ShardId(1)));
        }
        assert_eq!(homes.shard(MarketId::MAX), None, "a number nobody has costs no memory");
        assert_eq!(homes.known.len(), 5);
    }
}
