//! How keeping keys fails.
//!
//! # Always true
//! - A file that is not what it should be is named, and nothing was written to it.
//! - After a failed write or sync of a running node no key counts as destroyed any more ([`Fault::Write`]).

use std::io;

use crate::base::{KeyName, ShardId};

/// Why a key file could not be opened or kept.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The log says that keys are in use, and there is no file of them.
    #[error(
        "{file} is missing, and {live} keys of it are in use: put it back, or let `stockade restore` make a data \
         directory without keys"
    )]
    Missing {
        /// The file.
        file: String,
        /// Keys that the log says are in use.
        live: u64,
    },
    /// Neither copy of its header can be read.
    #[error("{file} is no key file, or both copies of its header are damaged")]
    NotAKeyFile {
        /// The file.
        file: String,
    },
    /// Written by another version of the format.
    #[error("{file} has format version {found}; this program reads and writes version {known}")]
    OtherVersion {
        /// The file.
        file: String,
        /// Its version.
        found: u16,
        /// Ours.
        known: u16,
    },
    /// The keys of another log.
    #[error("{file} belongs to the log {found:032x} and not to this one, {expected:032x}")]
    OtherLog {
        /// The file.
        file: String,
        /// As its header says.
        found: u128,
        /// The log of this node.
        expected: u128,
    },
    /// The keys of another shard of the same log.
    #[error("{file} holds the keys of shard {found}")]
    OtherShard {
        /// The file.
        file: String,
        /// As its header says.
        found: ShardId,
    },
    /// Shorter than its header says.
    #[error("{file} has {found} bytes and should have {expected}: it was cut short")]
    CutShort {
        /// The file.
        file: String,
        /// Bytes it has.
        found: u64,
        /// Bytes its slots take.
        expected: u64,
    },
    /// Fewer slots than are in use.
    #[error("{file} cannot be limited to {slots} keys: key {in_use} is in use; keys_max must be larger")]
    TooFew {
        /// The file.
        file: String,
        /// Slots asked for, of this shard.
        slots: u32,
        /// The last key in use.
        in_use: KeyName,
    },
    /// Others than its owner may read it.
    #[error("{file} may be read by others (mode {mode:03o}): chmod 600 it")]
    Open {
        /// The file.
        file: String,
        /// Its permissions.
        mode: u32,
    },
    /// A copy is written only where no keys are.
    #[error("{file} is already there")]
    NotEmpty {
        /// The file.
        file: String,
    },
    /// Opening or copying failed; nothing depends on it yet.
    #[error("cannot {attempt} {file}: {source}")]
    Disk {
        /// A verb.
        attempt: &'static str,
        /// The file or directory.
        file: String,
        /// What the system said.
        source: io::Error,
    },
    /// A key could not be overwritten: what was erased is not known to be gone.
    #[error("dead keys cannot be overwritten any more, for it is not possible to {attempt} {file}: {source}")]
    Write {
        /// `write`, `sync` or `draw a key for`.
        attempt: &'static str,
        /// The file.
        file: String,
        /// What the system said.
        source: io::Error,
    },
}

impl Fault {
    /// The exit code of a process that ends because of it: 11 damage, 12 sync failed, 2 usage, 1 anything else.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::NotAKeyFile { .. } | Self::CutShort { .. } | Self::Missing { .. } => 11,
            Self::Write { .. } => 12,
            Self::OtherVersion { .. }
            | Self::OtherLog { .. }
            | Self::OtherShard { .. }
            | Self::TooFew { .. }
            | Self::Open { .. }
            | Self::NotEmpty { .. } => 2,
            Self::Disk { .. } => 1,
        }
    }
}

/// Says what was attempted on which file when the disk refuses.
pub(super) trait Attempt<T> {
    fn attempt(self, attempt: &'static str, file: &str) -> Result<T, Fault>;
    fn attempt_final(self, attempt: &'static str, file: &str) -> Result<T, Fault>;
}

impl<T> Attempt<T> for io::Result<T> {
    fn attempt(self, attempt: &'static str, file: &str) -> Result<T, Fault> {
        self.map_err(|source| Fault::Disk { attempt, file: file.to_owned(), source })
    }

    fn attempt_final(self, attempt: &'static str, file: &str) -> Result<T, Fault> {
        self.map_err(|source| Fault::Write { attempt, file: file.to_owned(), source })
    }
}
