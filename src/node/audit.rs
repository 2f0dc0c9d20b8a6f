//! The audit: folds a whole log offline, computes every counter again from nothing, and says what drifted.
//!
//! # Not here
//! - A running node: it keeps the directory to itself, and tells its books to whoever asks.

use std::path::Path;

use serde::{Serialize, Serializer};

use super::NodeFault;
use super::config::LOG_DIR;
use crate::base::ShardId;
use crate::engine::ledger::Bucket;
use crate::engine::order::State;
use crate::engine::{Books, Capacity, Engine, MoneySums};
use crate::shard::recover_on;
use crate::wal::{FileDisk, Progress, Reader};

/// What an audit found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Audit {
    /// Every law held in every shard.
    pub ok: bool,
    /// Shards of the directory.
    pub shards: u16,
    /// The segment of the log before which an image was read instead of facts.
    pub image: Option<u64>,
    /// Facts folded, behind the image.
    pub facts: u64,
    /// Orders kept, blocked identifiers included.
    pub orders: u64,
    /// Per shard, 32 hexadecimal digits: equal for equal states.
    pub digests: Vec<String>,
    /// Per stream, the last entry.
    pub sequences: Vec<u64>,
    /// The torn tail the next start will cut, in words.
    pub torn: Option<String>,
    /// Laws that do not hold.
    pub drift: Vec<Drift>,
    /// The books of every market, in order of their numbers.
    pub markets: Vec<MarketAudit>,
}

/// A law that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Drift {
    /// Where.
    pub shard: u16,
    /// Which law, and what broke it.
    pub broken: String,
}

/// The books of one market, as a client can ask for them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MarketAudit {
    /// Its number.
    pub market: u32,
    /// Its name.
    pub name: String,
    /// The stream its facts are in.
    pub stream: u16,
    /// The entry of that stream at which the books are true.
    pub sequence: u64,
    /// Units per bucket; in JSON an object.
    #[serde(serialize_with = "as_object")]
    pub units: Vec<(&'static str, i64)>,
    /// Units that orders are owed; in no bucket.
    pub owed: u64,
    /// Orders per state; in JSON an object.
    #[serde(serialize_with = "as_object")]
    pub orders: Vec<(&'static str, u64)>,
    /// 32 hexadecimal digits.
    pub orders_hash: String,
    /// Money of all orders ever; in JSON an object by currency.
    #[serde(serialize_with = "as_object")]
    pub money: Vec<(String, MoneyAudit)>,
}

/// Money of one currency, in minor units; as text, for it may be wider than what a reader of JSON counts with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MoneyAudit {
    /// Set aside, what was taken of it included.
    pub authorised: String,
    /// Taken.
    pub captured: String,
    /// Given back.
    pub refunded: String,
    /// Taken back by banks.
    pub charged_back: String,
}

impl From<&MoneySums> for MoneyAudit {
    fn from(sums: &MoneySums) -> Self {
        let [authorised, captured, refunded, charged_back] = sums.parts().map(|sum| sum.to_string());
        Self { authorised, captured, refunded, charged_back }
    }
}

/// Audits the log of a data directory.
///
/// # Errors
/// A log that is damaged or in use, or holds what is no fact. Drift is no error: it is what an audit is for.
pub fn audit(data: &Path, progress: &mut dyn FnMut(Progress)) -> Result<Audit, NodeFault> {
    let dir = data.join(LOG_DIR);
    let reader = Reader::open(&dir)?;
    let (mut recovery, image) = recover_on(&FileDisk::new(&dir), reader.shards(), Capacity::UNBOUNDED, 0)?;
    let report = reader.read(&mut |entry| recovery.handle_entry(entry), progress)?;
    NodeFault::check_joint(&report.trimmed, &report.tails, image.as_ref())?;
    let facts = recovery.facts();
    let (engines, _) = recovery.finish()?;
    let broken = |(shard, engine): (u16, &Engine)| Some(Drift { shard, broken: engine.check_invariants().err()? });
    let strays = super::markets::strays(&engines).into_iter().map(|(shard, broken)| Drift { shard: shard.0, broken });
    let drift: Vec<_> = (0..).zip(&engines).filter_map(broken).chain(strays).collect();
    let sequences: Vec<_> = report.tails.iter().map(|tail| tail.sequence.0).collect();
    let of_shard = |(shard, engine)| markets(ShardId(shard), engine, sequences[usize::from(shard)]);
    let mut markets: Vec<_> = (0..).zip(&engines).flat_map(of_shard).collect();
    markets.sort_by_key(|market| market.market);
    Ok(Audit {
        ok: drift.is_empty(),
        shards: reader.shards(),
        image: image.map(|joint| joint.segment),
        facts,
        orders: engines.iter().map(Engine::orders).sum(),
        digests: engines.iter().map(|engine| format!("{:032x}", engine.digest())).collect(),
        torn: report.torn.map(|cut| format!("{} at {}: frame {}", cut.file, cut.offset, cut.frame)),
        sequences,
        drift,
        markets,
    })
}

fn as_object<S: Serializer, N: Serialize, T: Serialize>(pairs: &[(N, T)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(name, count)| (name, count)))
}

fn markets(stream: ShardId, engine: &Engine, sequence: u64) -> Vec<MarketAudit> {
    let audited = |(market, name): (crate::base::MarketId, &str)| {
        let Books { units, owed, orders, orders_hash, money } =
            engine.books(market).expect("law: an open market has books");
        MarketAudit {
            market: market.number(),
            name: name.to_owned(),
            stream: stream.0,
            sequence,
            units: Bucket::ALL.iter().map(|bucket| (bucket.name(), units[*bucket as usize])).collect(),
            owed,
            orders: State::ALL.iter().map(|state| (state.name(), orders[*state as usize])).collect(),
            orders_hash: format!("{orders_hash:032x}"),
            money: money.iter().map(|(currency, sums)| (currency.to_string(), sums.into())).collect(),
        }
    };
    engine.open_markets().map(audited).collect()
}
