//! What may be wrong with a record of the log, and where.

use super::refused::Part;

/// Why a record of the log is not a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Without length, or past the end of its entry.
    #[error("the record at byte {at} of the entry has no length or runs past its end")]
    Length {
        /// Where it begins.
        at: usize,
    },
    /// A kind that this version does not know.
    #[error("the record at byte {at} of the entry has the unknown kind {kind}; was it written by a newer version?")]
    UnknownKind {
        /// Where it begins.
        at: usize,
        /// As found.
        kind: u8,
    },
    /// A version that this version does not know.
    #[error(
        "the record at byte {at} of the entry (kind {kind}) has version {version}; this program reads version {reads}"
    )]
    UnknownVersion {
        /// Where it begins.
        at: usize,
        /// As found.
        kind: u8,
        /// As found.
        version: u8,
        /// The one that this program reads.
        reads: u8,
    },
    /// A part that is not as it must be.
    #[error("the record at byte {at} of the entry (kind {kind}) is malformed: {}", part.rule())]
    Malformed {
        /// Where it begins.
        at: usize,
        /// Its kind.
        kind: u8,
        /// Which part.
        part: Part,
    },
}
