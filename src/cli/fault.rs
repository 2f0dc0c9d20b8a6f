//! Why a command ended without doing what it was asked, and the exit code that says so.
//!
//! ```text
//!  0  done           10  the data directory is in use
//!  1  anything else  11  the log is damaged, or the audit found drift
//!  2  usage          12  the log could not be synced
//! ```

use std::io;
use std::path::PathBuf;

use super::config::ConfigFault;
use crate::client::ClientError;
use crate::wire::Refused;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum CliFault {
    /// The command line says something that makes no sense.
    #[error("{0}")]
    Usage(String),
    /// The configuration does.
    #[error(transparent)]
    Config(#[from] ConfigFault),
    /// The server gave no answer.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The server said no.
    #[error("{what}: {why}")]
    Refused {
        /// What was asked, in words.
        what: String,
        /// The server's words.
        why: String,
    },
    /// Part of what was asked was done.
    #[error("{0}")]
    Partly(String),
    /// A file could not be used.
    #[error("cannot {attempt} {path}: {source}")]
    File {
        /// A verb.
        attempt: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Something that a thread, a runtime or a terminal needs is missing.
    #[error("cannot {attempt}: {source}")]
    System {
        /// A verb and its object.
        attempt: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A data directory could not be read.
    #[error(transparent)]
    Log(#[from] crate::wal::Fault),
    /// Keys of details could not be copied.
    #[error(transparent)]
    Keys(#[from] crate::keys::Fault),
    /// A snapshot was asked for.
    #[error(transparent)]
    Wish(#[from] crate::node::WishFault),
    /// The server, or the audit, ended.
    #[error("{message}")]
    Node {
        /// What happened.
        message: String,
        /// As the node says.
        exit_code: u8,
    },
    /// Frames are sound and facts in them are not.
    #[error("{0} facts could not be read; they are marked UNREADABLE above")]
    UnreadableFacts(usize),
    /// The audit found counters that do not agree with the facts.
    #[error("the audit found {0} differences; see the list above")]
    Drift(usize),
}

impl CliFault {
    pub(super) fn refused(what: impl Into<String>, why: &Refused) -> Self {
        Self::Refused { what: what.into(), why: why.to_string() }
    }

    pub(super) fn usage(text: impl Into<String>) -> Self {
        Self::Usage(text.into())
    }

    /// The exit code of the process.
    pub(super) fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::Config(_) => 2,
            Self::Client(_)
            | Self::Refused { .. }
            | Self::Partly(_)
            | Self::File { .. }
            | Self::System { .. }
            | Self::Wish(_) => 1,
            Self::Log(fault) => fault.exit_code(),
            Self::Keys(fault) => fault.exit_code(),
            Self::Node { exit_code, .. } => *exit_code,
            Self::UnreadableFacts(_) | Self::Drift(_) => 11,
        }
    }
}

/// A file of the user's that could not be used.
pub(super) fn file(attempt: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> CliFault {
    let path = path.into();
    move |source| CliFault::File { attempt, path, source }
}
