//! What can go wrong with a node, and the exit code of each.

use std::path::PathBuf;

use crate::server::ServerFault;
use crate::shard::RecoverError;
use crate::wal::{self, StreamTail};

/// Why a node did not start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum NodeFault {
    /// The log.
    #[error(transparent)]
    Log(#[from] wal::Fault),
    /// The door.
    #[error(transparent)]
    Server(#[from] ServerFault),
    /// The log is sound and holds what is no fact.
    #[error(transparent)]
    Recover(#[from] RecoverError),
    /// The beginning of the log is not there.
    #[error(
        "stream {stream} of the log begins after entry {after} and nothing holds what came before: put the missing \
         segments back, or salvage what follows a backup"
    )]
    Beginning {
        /// The stream.
        stream: usize,
        /// The last entry that is missing.
        after: u64,
    },
    /// Markets and their directory do not agree.
    #[error("the log is damaged: in shard {shard}, {broken}; restore a backup that holds the whole directory")]
    Market {
        /// The shard of the market.
        shard: u16,
        /// Which market, and what the directory says.
        broken: String,
    },
    /// The configured limits do not fit the memory.
    #[error(
        "the limits may need {needed} MiB of memory and {available} MiB are available: lower orders_max \
         ({orders_max}), lines_max, details_bytes_max or skus_max"
    )]
    Memory {
        /// MiB at the worst moment.
        needed: u64,
        /// MiB there are.
        available: u64,
        /// As configured.
        orders_max: u64,
    },
    /// More orders than a shard can number.
    #[error("orders_max = {given} is too much: at most {max} orders fit one shard")]
    OrdersMax {
        /// As configured, of one shard.
        given: u64,
        /// The most.
        max: u64,
    },
    /// The data directory.
    #[error("making the data directory {path}: {source}")]
    Data {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The system refused a thread, a runtime or a signal handler.
    #[error("starting {what}: {source}")]
    System {
        /// What was started.
        what: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
}

impl NodeFault {
    /// Looks whether a log begins with its first entry: until there are snapshots, nothing else holds the rest.
    pub(super) fn check_beginning(trimmed: &[StreamTail]) -> Result<(), Self> {
        match trimmed.iter().position(|tail| tail.sequence.0 > 0) {
            Some(stream) => Err(Self::Beginning { stream, after: trimmed[stream].sequence.0 }),
            None => Ok(()),
        }
    }

    /// The exit code of a process that ends with this: 2 usage, 10 in use, 11 damage, 12 sync failed, 1 anything else.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Log(fault) => fault.exit_code(),
            Self::Recover(_) | Self::Beginning { .. } | Self::Market { .. } => 11,
            Self::Memory { .. } | Self::OrdersMax { .. } => 2,
            Self::Server(ServerFault::NotLoopback { .. } | ServerFault::HalfIdentity { .. }) => 2,
            Self::Server(_) | Self::Data { .. } | Self::System { .. } => 1,
        }
    }
}
