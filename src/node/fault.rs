//! What can go wrong with a node, and the exit code of each.

use std::path::PathBuf;

use crate::keys;
use crate::server::ServerFault;
use crate::shard::{RecoverError, missing_beginning};
use crate::wal::{self, Joint, StreamTail};

/// Why a node did not start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum NodeFault {
    /// The log.
    #[error(transparent)]
    Log(#[from] wal::Fault),
    /// The keys of details.
    #[error(transparent)]
    Keys(#[from] keys::Fault),
    /// The door.
    #[error(transparent)]
    Server(#[from] ServerFault),
    /// The log is sound and holds what is no fact.
    #[error(transparent)]
    Recover(#[from] RecoverError),
    /// The beginning of the log is not there.
    #[error(
        "stream {stream} of the log begins after entry {after} and no image that can be read holds what came before: \
         put the missing segments or images back"
    )]
    Beginning {
        /// The stream.
        stream: usize,
        /// The last entry that is missing.
        after: u64,
    },
    /// The end of the log is not there.
    #[error(
        "stream {stream} of the log ends with entry {log} and the image beside it holds entries up to {image}: put the \
         missing segments back"
    )]
    Ahead {
        /// The stream.
        stream: usize,
        /// The last entry of the log.
        log: u64,
        /// The last entry that the image holds.
        image: u64,
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
    /// Too many sinks.
    #[error("there is no room for the cursors of sink {sink}: {max} others are remembered; use one of their names")]
    Sinks {
        /// Its name.
        sink: String,
        /// The most.
        max: usize,
    },
    /// A webhook that cannot begin.
    #[error("the webhook {sink}: {why}")]
    Webhook {
        /// Its name.
        sink: String,
        /// What is wrong.
        why: String,
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
    /// Looks whether a log goes on where the image that was read ends, or begins with its first entry; and whether it
    /// goes as far as the image.
    pub(super) fn check_joint(trimmed: &[StreamTail], tails: &[StreamTail], image: Option<&Joint>) -> Result<(), Self> {
        if let Some((stream, after)) = missing_beginning(trimmed, image) {
            return Err(Self::Beginning { stream, after });
        }
        let held = image.into_iter().flat_map(|joint| &joint.tails).map(|tail| tail.sequence.0);
        let ahead = tails.iter().map(|tail| tail.sequence.0).zip(held).enumerate().find(|(_, (log, held))| held > log);
        match ahead {
            Some((stream, (log, image))) => Err(Self::Ahead { stream, log, image }),
            None => Ok(()),
        }
    }

    /// The exit code of a process that ends with this: 2 usage, 10 in use, 11 damage, 12 sync failed, 1 anything else.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Log(fault) => fault.exit_code(),
            Self::Keys(fault) => fault.exit_code(),
            Self::Recover(_) | Self::Beginning { .. } | Self::Ahead { .. } | Self::Market { .. } => 11,
            Self::Memory { .. } | Self::OrdersMax { .. } | Self::Sinks { .. } | Self::Webhook { .. } => 2,
            Self::Server(ServerFault::NotLoopback { .. } | ServerFault::HalfIdentity { .. }) => 2,
            Self::Server(_) | Self::Data { .. } | Self::System { .. } => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Sequence, Timestamp};

    fn tails<const N: usize>(sequences: [u64; N]) -> Vec<StreamTail> {
        let tail = |sequence| StreamTail { sequence: Sequence(sequence), log_time: Timestamp::ZERO };
        sequences.map(tail).to_vec()
    }

    #[test]
    fn a_log_begins_where_the_image_ends_or_before_and_goes_as_far() {
        let image = Joint { segment: 4, tails: tails([7, 9]) };
        let check = |trimmed, log, image| NodeFault::check_joint(&tails(trimmed), &tails(log), image);
        for (trimmed, log) in [([0, 0], [7, 9]), ([7, 9], [7, 9]), ([3, 9], [70, 9])] {
            assert!(check(trimmed, log, Some(&image)).is_ok(), "{trimmed:?} {log:?}");
        }
        assert!(check([0, 0], [5, 5], None).is_ok());
        let missing = check([0, 10], [20, 20], Some(&image)).expect_err("entry 10 is nowhere");
        assert!(matches!(missing, NodeFault::Beginning { stream: 1, after: 10 }), "{missing}");
        assert!(matches!(check([1, 0], [5, 5], None), Err(NodeFault::Beginning { stream: 0, after: 1 })));
        let ahead = check([0, 0], [7, 8], Some(&image)).expect_err("the log lost entry 9");
        assert!(matches!(ahead, NodeFault::Ahead { stream: 1, log: 8, image: 9 }), "{ahead}");
        assert_eq!((missing.exit_code(), ahead.exit_code()), (11, 11));
    }
}
