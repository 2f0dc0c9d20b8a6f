//! Faults: what the world did to the log, saying what was attempted on what.
//!
//! # Always true
//! - A fault is never retried here. One that happens while the node runs ([`Fault::Write`]) is final.
//! - Damage names the file, the byte, the frame and what is wrong there; nothing was changed on the disk.

use std::io;

/// Why the log could not be opened, read or kept.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// Another process holds the directory.
    #[error("{directory}: another process uses this directory")]
    InUse {
        /// The directory.
        directory: String,
    },
    /// Bytes that were once durable are gone or changed.
    #[error("{file} is damaged at byte {offset}, frame {frame}: {what}")]
    Damage {
        /// The file in the log's directory.
        file: String,
        /// Where in the file.
        offset: u64,
        /// The frame expected there; 0 when it is not a frame.
        frame: u64,
        /// What is wrong.
        what: String,
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
    /// The number of shards is fixed at first start.
    #[error("{directory} was made for {found} shards and cannot be opened with {asked}")]
    OtherShards {
        /// The directory.
        directory: String,
        /// The number in its header.
        found: u16,
        /// The number asked for.
        asked: u16,
    },
    /// The directory holds no log.
    #[error("{directory} holds no log")]
    NoLog {
        /// The directory.
        directory: String,
    },
    /// Copies are written only into a directory without a log.
    #[error("{directory} already holds a log")]
    NotEmpty {
        /// The directory.
        directory: String,
    },
    /// Salvage would drop something and was not told to accept that.
    #[error(
        "salvage would lose {entries} entries that are known of and {regions} unreadable regions; accept the loss \
         to go on"
    )]
    LossNotAccepted {
        /// Entries that would be dropped.
        entries: u64,
        /// Regions that cannot be read and may have held more.
        regions: usize,
    },
    /// An option out of its range.
    #[error("{option} is {given}; it must be {range}")]
    Option {
        /// Its name.
        option: &'static str,
        /// What was given.
        given: u64,
        /// What is allowed.
        range: &'static str,
    },
    /// Opening, reading or preparing failed; nothing acknowledged depends on it.
    #[error("cannot {attempt} {file}: {source}")]
    Disk {
        /// A verb.
        attempt: &'static str,
        /// The file or directory.
        file: String,
        /// What the system said.
        source: io::Error,
    },
    /// A write or a sync of the log failed: nothing after it can be acknowledged by this process.
    #[error("the log can keep nothing more, for it cannot {attempt} {file}: {source}")]
    Write {
        /// `write` or `sync`.
        attempt: &'static str,
        /// The file.
        file: String,
        /// What the system said.
        source: io::Error,
    },
    /// Asked to write after [`Fault::Write`].
    #[error("the log failed earlier and keeps nothing more")]
    Failed,
}

impl Fault {
    /// The exit code of a process that ends because of it.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::InUse { .. } => 10,
            Self::Damage { .. } => 11,
            Self::Write { .. } | Self::Failed => 12,
            Self::OtherVersion { .. }
            | Self::OtherShards { .. }
            | Self::NoLog { .. }
            | Self::NotEmpty { .. }
            | Self::LossNotAccepted { .. }
            | Self::Option { .. } => 2,
            Self::Disk { .. } => 1,
        }
    }

    /// Whether the disk had no room for it.
    #[must_use]
    pub fn is_full_disk(&self) -> bool {
        match self {
            Self::Disk { source, .. } | Self::Write { source, .. } => {
                matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
            }
            _ => false,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_end_of_the_process_has_its_own_exit_code() {
        let directory = || "d".to_owned();
        let damage = Fault::Damage { file: directory(), offset: 0, frame: 1, what: directory() };
        let write = Fault::Write { attempt: "sync", file: directory(), source: io::ErrorKind::Other.into() };
        assert_eq!(Fault::InUse { directory: directory() }.exit_code(), 10);
        assert_eq!(damage.exit_code(), 11);
        assert_eq!(write.exit_code(), 12);
        assert_eq!(Fault::Failed.exit_code(), 12);
    }
}
