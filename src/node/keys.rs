//! The keys of a node that has just been recovered: opened by what the log says, and one keyring handed to each shard.
//!
//! # Always true
//! - Keys are opened after the whole log is folded and before anything is decided: what the log does not use is
//!   overwritten, and nothing that is decided meanwhile can use it.
//! - Whoever's key is lost is erased, by a fact: the state never goes on naming a key that is not there.
//! # Why so
//! A lost key stays lost, and its customer orders again. Without the fact every order of theirs would be sealed under a
//! name without a key.

use std::path::Path;
use std::task::Waker;

use super::appender::Appender;
use super::config::LOG_DIR;
use super::{Config, NodeFault};
use crate::base::{KeyName, OrderId, ShardId};
use crate::engine::{Command, Engine};
use crate::keys::{self, Expected, Keyring, Opened, Place, Running};
use crate::shard::Sealer;
use crate::wal::{self, Durability, FileDisk};

/// The keys of every shard.
pub(super) enum NodeKeys {
    /// In files.
    Kept(Vec<Opened<FileDisk>>),
    /// Nothing is kept on a disk.
    Memory(Vec<Keyring>),
}

/// Opens the keys that these engines name.
///
/// # Errors
/// Faults of the files, and of the system.
pub(super) fn open(config: &Config, engines: &[Engine]) -> Result<NodeKeys, NodeFault> {
    let keys_max = config.capacity(engines.len() as u16).keys_max;
    // A limit that was lowered bounds how many are used; the slots there are stay.
    let slots = |engine: &Engine| u32::try_from(keys_max.max(engine.key_uses().count() as u64)).unwrap_or(u32::MAX);
    if config.durability == Durability::Memory {
        let keyrings = engines.iter().map(|engine| Keyring::in_memory(slots(engine)));
        let keyrings = keyrings.collect::<Result<_, _>>();
        return keyrings.map(NodeKeys::Memory).map_err(|source| NodeFault::System { what: "drawing keys", source });
    }
    let dir = config.keys_dir();
    keys::check_private(&dir, engines.len() as u16)?;
    let node = node(&config.data.join(LOG_DIR))?;
    let mut all = Vec::new();
    for (shard, engine) in (0..).map(ShardId).zip(engines) {
        let expected = engine.key_uses().map(|(name, in_use)| Expected { name, in_use });
        let opened = keys::open_on(&FileDisk::new(&dir), Place { node, shard }, slots(engine), expected)?;
        let keys::Found { in_use, lost, mended } = opened.found;
        if mended > 0 {
            tracing::warn!(%shard, mended, "one copy of these keys was damaged, and is mended from the other");
        }
        if lost > 0 {
            tracing::warn!(%shard, lost, in_use, "keys are lost: the details that were sealed under them are erased");
        }
        all.push(opened);
    }
    Ok(NodeKeys::Kept(all))
}

fn node(log_dir: &Path) -> Result<u128, NodeFault> {
    let node = wal::node_of(log_dir)?;
    node.ok_or_else(|| wal::Fault::NoLog { directory: log_dir.display().to_string() }.into())
}

/// What shards are given, in their order, and the thread behind it, if there is a file.
pub(super) struct Started {
    pub(super) sealers: Vec<Box<dyn Sealer>>,
    pub(super) running: Option<Running>,
}

impl NodeKeys {
    /// Erases whoever's keys are lost.
    pub(super) fn erase_lost(&self, appender: &mut Appender<'_>) {
        let Self::Kept(opened) = self else { return };
        for (shard, opened) in (0..).map(ShardId).zip(opened) {
            let whose = appender.engines[usize::from(shard.0)].whose_keys(&opened.lost);
            let commands = whose.into_iter().map(|whose| Command::Erase { whose });
            appender.submit_all(shard, commands);
        }
    }

    /// One for each shard, and the thread behind them. `failed` is told when a key could not be destroyed.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub(super) fn start(self, failed: impl FnOnce(keys::Fault) + Send + 'static) -> Result<Started, NodeFault> {
        let (keyrings, running) = match self {
            Self::Memory(keyrings) => (keyrings, None),
            Self::Kept(opened) => {
                let started = keys::start(opened, failed);
                let (keyrings, running) = started.map_err(|source| NodeFault::System { what: "the keys", source })?;
                (keyrings, Some(running))
            }
        };
        let sealer = |keyring| Box::new(ShardKeys(keyring)) as Box<dyn Sealer>;
        Ok(Started { sealers: keyrings.into_iter().map(sealer).collect(), running })
    }
}

/// What a shard asks of a keyring.
struct ShardKeys(Keyring);

impl Sealer for ShardKeys {
    fn seal(&mut self, key: KeyName, order: OrderId, details: &[u8], out: &mut Vec<u8>) -> bool {
        self.0.seal(key, order, details, out)
    }

    fn open(&mut self, key: KeyName, order: OrderId, sealed: &[u8], out: &mut Vec<u8>) -> bool {
        self.0.open(key, order, sealed, out)
    }

    fn destroy(&mut self, key: KeyName) {
        self.0.destroy(key);
    }

    fn destroyed(&self) -> u64 {
        self.0.destroyed()
    }

    fn watch(&mut self, waker: Waker) {
        self.0.watch(waker);
    }
}
