//! The markets of a node that has just been recovered: the first one is made, and every assigned one is open.
//!
//! # Always true
//! - Every open market stands in the directory with the same number, shard and name: after a salvage that lost entries
//!   of the directory its next market could otherwise get a number that is taken, and with it somebody else's orders.
//! - After [`settle`] every market of the directory is open in its shard, whenever the node died before.

use std::collections::HashMap;

use super::NodeFault;
use super::appender::Appender;
use crate::base::ShardId;
use crate::engine::{Command, DIRECTORY_SHARD, Engine};
use crate::server::Registry;

/// The market every node begins with.
pub(super) const FIRST_MARKET: &str = "default";

/// Open markets that do not stand in the directory as they are: where, and what is wrong, in words.
pub(super) fn strays(engines: &[Engine]) -> Vec<(ShardId, String)> {
    let directory = engines[usize::from(DIRECTORY_SHARD.0)].directory();
    let assigned: HashMap<_, _> = directory.iter().map(|(market, shard, name)| (market, (shard, name))).collect();
    let mut found = Vec::new();
    for (shard, engine) in (0..).map(ShardId).zip(engines) {
        for (market, name) in engine.open_markets() {
            let number = market.number();
            let broken = match assigned.get(&market) {
                Some(known) if *known == (shard, name) => continue,
                Some((ShardId(other), known)) => {
                    format!("market {number} {name} is open, but the directory has {known} there, in shard {other}")
                }
                None => format!("market {number} {name} is open, but the directory has no such number"),
            };
            found.push((shard, broken));
        }
    }
    found
}

/// Makes the first market, opens what is assigned and not open, and gives the registry of all of them.
///
/// # Errors
/// [`NodeFault::Market`] names the first of the [`strays`].
pub(super) fn settle(appender: &mut Appender<'_>) -> Result<Registry, NodeFault> {
    if let Some((ShardId(shard), broken)) = strays(appender.engines).into_iter().next() {
        return Err(NodeFault::Market { shard, broken });
    }
    appender.submit(DIRECTORY_SHARD, &Command::AssignMarket { code: FIRST_MARKET });
    let directory = appender.engines[usize::from(DIRECTORY_SHARD.0)].directory();
    let markets: Vec<_> = directory.iter().map(|(market, shard, name)| (market, shard, name.to_owned())).collect();
    let registry = Registry::new();
    for (market, shard, name) in markets {
        appender.submit(shard, &Command::OpenMarket { market, code: &name });
        registry.insert(market, shard);
    }
    Ok(registry)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{MarketId, Timestamp};
    use crate::engine::{Capacity, Scratch};

    fn engines() -> Vec<Engine> {
        (0..2).map(|shard| Engine::new(ShardId(shard), 2, Capacity::default())).collect()
    }

    fn submit(engine: &mut Engine, command: &Command<'_>) {
        engine.submit(command, Timestamp::ZERO, &mut Scratch::default(), &mut |_| {}).expect("accepted");
    }

    #[test]
    fn an_open_market_stands_in_the_directory_with_its_number_shard_and_name() {
        let mut engines = engines();
        let [one, two] = [1, 2].map(|number| MarketId::new(number).expect("fits"));
        for code in ["shoes", "hats"] {
            submit(&mut engines[0], &Command::AssignMarket { code });
        }
        assert!(strays(&engines).is_empty(), "assigned and not open yet is how a crash may leave it");
        submit(&mut engines[0], &Command::OpenMarket { market: one, code: "shoes" });
        submit(&mut engines[1], &Command::OpenMarket { market: two, code: "hats" });
        assert!(strays(&engines).is_empty());
    }

    #[test]
    fn a_market_that_the_directory_lost_is_named() {
        let mut engines = engines();
        submit(&mut engines[0], &Command::AssignMarket { code: "shoes" });
        let [one, two] = [1, 2].map(|number| MarketId::new(number).expect("fits"));
        submit(&mut engines[1], &Command::OpenMarket { market: one, code: "hats" });
        submit(&mut engines[1], &Command::OpenMarket { market: two, code: "coats" });
        let found = strays(&engines);
        let broken = [
            "market 1 hats is open, but the directory has shoes there, in shard 0",
            "market 2 coats is open, but the directory has no such number",
        ];
        assert_eq!(found, broken.map(|broken| (ShardId(1), broken.to_owned())));
    }
}
