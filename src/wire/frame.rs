//! Frames: what travels on a stream. A header says how long it is, whose it is, and how many records follow.
//!
//! ```text
//! request  │ length u32 │ version u8 │ kind u8 │ count u16 │ correlation u64 │ deadline ms u32 │ zero u32 │ records …
//! reply    │ length u32 │ version u8 │ kind u8 │ count u16 │ log time ms u64 │ records …
//! ```
//!
//! # Always true
//! - The length counts the header. A frame is judged whole: when it is bad, none of its records is looked at.
//! - A bad frame is the end of the connection, with a numbered code; a bad record is only refused.

use super::layout::{fixed, get, put, split_record};
use crate::base::Timestamp;
use crate::base::limits::{FRAME_BYTES_MAX, FRAME_COMMANDS_MAX};

/// The version of frames: another value is refused by name.
pub const PROTOCOL_VERSION: u8 = 1;
/// Bytes of a request frame's header.
pub const REQUEST_HEADER_BYTES: usize = size_of::<ArchivedRequestHead>();
/// Bytes of a reply frame's header.
pub const REPLY_HEADER_BYTES: usize = size_of::<ArchivedReplyHead>();

const KIND_REQUESTS: u8 = 1;
const KIND_REPLIES: u8 = 2;
const KIND_HELLO: u8 = 3;

fixed! {
    /// Header of a request frame.
    RequestHead as ArchivedRequestHead, 24 {
        length: u32,
        version: u8,
        kind: u8,
        count: u16,
        correlation: u64,
        deadline_ms: u32,
        zero: u32,
    }
    /// Header of a reply frame.
    ReplyHead as ArchivedReplyHead, 16 {
        length: u32,
        version: u8,
        kind: u8,
        count: u16,
        log_time: u64,
    }
}

/// Why a connection was closed: the QUIC application error code. Append-only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum CloseCode {
    /// Nobody has anything more to say.
    Done = 0,
    /// A frame says it is longer than it may be.
    FrameTooLong = 1,
    /// A frame says it is shorter than its header, or ended before its length.
    FrameTooShort = 2,
    /// A frame of another protocol version.
    UnknownVersion = 3,
    /// A frame of a kind that does not travel in this direction.
    UnknownFrameKind = 4,
    /// A record without length, or whose length runs past the end of its frame.
    RecordLength = 5,
    /// The frame holds more or fewer records than its header says, or none.
    RecordCount = 6,
    /// More commands than a frame may hold.
    TooManyCommands = 7,
    /// A reserved field of the header is not zero.
    Reserved = 8,
    /// A frame was not complete in time.
    FrameTimeout = 9,
    /// The server is stopping.
    ShuttingDown = 10,
    /// The server has as many connections as it may have.
    TooManyConnections = 11,
    /// A reply that cannot be read (sent by clients).
    UnreadableReply = 12,
    /// The peer did something on a stream that the protocol does not know.
    UnexpectedStream = 13,
    /// The server failed; its log says why.
    Internal = 14,
    /// The client did not read its replies in time.
    ReplyTimeout = 15,
    /// The client sent too many pieces of streams that cannot be read, because what stands before them is missing.
    TooManyGaps = 16,
}

impl CloseCode {
    /// The number on the wire.
    #[must_use]
    pub const fn number(self) -> u32 {
        self as u32
    }
}

/// Why a frame is bad. The connection ends with [`FrameError::close_code`] and this text as the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Longer than it may be.
    #[error("a frame says it has {length} bytes; at most {max} are allowed here")]
    TooLong {
        /// As sent.
        length: u32,
        /// The most allowed.
        max: u32,
    },
    /// Shorter than its header, or cut off.
    #[error("a frame says it has {length} bytes, {held} are there and the header alone takes {header}")]
    TooShort {
        /// As sent.
        length: u32,
        /// As held.
        held: u32,
        /// Of the header.
        header: u32,
    },
    /// Another protocol version.
    #[error("a frame of protocol version {found}; this side speaks version {PROTOCOL_VERSION}")]
    UnknownVersion {
        /// As sent.
        found: u8,
    },
    /// A kind that does not travel in this direction.
    #[error("a frame of kind {found} where kind {expected} belongs")]
    UnknownKind {
        /// As sent.
        found: u8,
        /// What belongs here.
        expected: u8,
    },
    /// A record without length or past the end.
    #[error("record {index} has no length or runs past the end of its frame")]
    RecordLength {
        /// Which record, from 0.
        index: u32,
    },
    /// The count lies.
    #[error("a frame says it holds {said} records and holds {found} (at least one is needed)")]
    RecordCount {
        /// As sent.
        said: u32,
        /// As counted, at least.
        found: u32,
    },
    /// Too many commands.
    #[error("a frame of {count} commands; at most {FRAME_COMMANDS_MAX} are allowed")]
    TooManyCommands {
        /// As sent.
        count: u32,
    },
    /// A reserved field is not zero.
    #[error("the last four bytes of a request frame's header must be zero")]
    Reserved,
    /// A reply record makes no sense; only clients see this.
    #[error("reply {index} of a frame (kind {kind}) cannot be read: part {part}")]
    UnreadableReply {
        /// Which record, from 0.
        index: u32,
        /// Its kind.
        kind: u8,
        /// Which part of it (`wire::Part`).
        part: u8,
    },
}

impl FrameError {
    /// The number to close the connection with.
    #[must_use]
    pub const fn close_code(&self) -> CloseCode {
        match self {
            Self::TooLong { .. } => CloseCode::FrameTooLong,
            Self::TooShort { .. } => CloseCode::FrameTooShort,
            Self::UnknownVersion { .. } => CloseCode::UnknownVersion,
            Self::UnknownKind { .. } => CloseCode::UnknownFrameKind,
            Self::RecordLength { .. } => CloseCode::RecordLength,
            Self::RecordCount { .. } => CloseCode::RecordCount,
            Self::TooManyCommands { .. } => CloseCode::TooManyCommands,
            Self::Reserved => CloseCode::Reserved,
            Self::UnreadableReply { .. } => CloseCode::UnreadableReply,
        }
    }
}

/// A request frame's header, checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestHeader {
    /// Bytes of the whole frame.
    pub length: usize,
    /// How many records follow.
    pub count: usize,
    /// Chosen by the client; every reply carries it.
    pub correlation: u64,
    /// Milliseconds the client still waits; 0 for no deadline.
    pub deadline_ms: u32,
}

impl RequestHeader {
    /// Reads the header at the front of what a stream brought so far. `None`: more bytes are needed.
    ///
    /// # Errors
    /// A header that no frame of at most `length_max` bytes can have.
    pub fn parse(bytes: &[u8], length_max: usize) -> Result<Option<Self>, FrameError> {
        let Some(head) = get::<ArchivedRequestHead>(bytes) else { return Ok(None) };
        let length = check_head(head.length.to_native(), head.version, length_max, REQUEST_HEADER_BYTES)?;
        if head.kind != KIND_REQUESTS {
            return Err(FrameError::UnknownKind { found: head.kind, expected: KIND_REQUESTS });
        }
        if head.zero != 0 {
            return Err(FrameError::Reserved);
        }
        let count = usize::from(head.count.to_native());
        if count > FRAME_COMMANDS_MAX {
            return Err(FrameError::TooManyCommands { count: u32::from(head.count.to_native()) });
        }
        check_some(count)?;
        Ok(Some(Self {
            length,
            count,
            correlation: head.correlation.to_native(),
            deadline_ms: head.deadline_ms.to_native(),
        }))
    }
}

/// What a frame from the server holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplyFrameKind {
    /// Replies.
    Replies,
    /// The greeting of a new connection.
    Hello,
}

/// A reply frame's header, checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplyHeader {
    /// Bytes of the whole frame.
    pub length: usize,
    /// What it holds.
    pub kind: ReplyFrameKind,
    /// How many records follow.
    pub count: usize,
    /// Log time when the frame was written.
    pub log_time: Timestamp,
}

impl ReplyHeader {
    /// Reads the header at the front of what a stream brought so far. `None`: more bytes are needed.
    ///
    /// # Errors
    /// A header that no frame of the server can have.
    pub fn parse(bytes: &[u8]) -> Result<Option<Self>, FrameError> {
        let Some(head) = get::<ArchivedReplyHead>(bytes) else { return Ok(None) };
        let length = check_head(head.length.to_native(), head.version, FRAME_BYTES_MAX, REPLY_HEADER_BYTES)?;
        let kind = match head.kind {
            KIND_REPLIES => ReplyFrameKind::Replies,
            KIND_HELLO => ReplyFrameKind::Hello,
            found => return Err(FrameError::UnknownKind { found, expected: KIND_REPLIES }),
        };
        let count = usize::from(head.count.to_native());
        check_some(count)?;
        Ok(Some(Self { length, kind, count, log_time: Timestamp::from_ms(head.log_time.to_native()) }))
    }
}

fn check_head(length: u32, version: u8, max: usize, header: usize) -> Result<usize, FrameError> {
    if version != PROTOCOL_VERSION {
        return Err(FrameError::UnknownVersion { found: version });
    }
    let bytes = length as usize;
    if bytes > max {
        return Err(FrameError::TooLong { length, max: narrow(max) });
    }
    if bytes < header {
        return Err(FrameError::TooShort { length, held: length, header: narrow(header) });
    }
    Ok(bytes)
}

const fn check_some(count: usize) -> Result<(), FrameError> {
    if count == 0 { Err(FrameError::RecordCount { said: 0, found: 0 }) } else { Ok(()) }
}

/// Walks the records of a whole frame and checks that their lengths and their number agree with its header.
pub(super) fn check_records(frame: &[u8], length: usize, header: usize, count: usize) -> Result<&[u8], FrameError> {
    if frame.len() != length {
        return Err(FrameError::TooShort { length: narrow(length), held: narrow(frame.len()), header: narrow(header) });
    }
    let records = frame.get(header..).unwrap_or_default();
    let mut rest = records;
    let mut found = 0;
    while !rest.is_empty() {
        let Some((_, behind)) = split_record(rest) else {
            return Err(FrameError::RecordLength { index: narrow(found) });
        };
        rest = behind;
        found += 1;
    }
    if found != count {
        return Err(FrameError::RecordCount { said: narrow(count), found: narrow(found) });
    }
    Ok(records)
}

fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Appends the header of a request frame whose length and count are not known yet.
pub(super) fn open_requests(out: &mut Vec<u8>, correlation: u64, deadline_ms: u32) {
    let (version, kind) = (PROTOCOL_VERSION, KIND_REQUESTS);
    put(out, &RequestHead { length: 0, version, kind, count: 0, correlation, deadline_ms, zero: 0 });
}

/// Appends the header of a reply frame whose length and count are not known yet.
pub(super) fn open_replies(out: &mut Vec<u8>, kind: ReplyFrameKind, log_time: Timestamp) {
    let kind = match kind {
        ReplyFrameKind::Replies => KIND_REPLIES,
        ReplyFrameKind::Hello => KIND_HELLO,
    };
    put(out, &ReplyHead { length: 0, version: PROTOCOL_VERSION, kind, count: 0, log_time: log_time.ms() });
}

/// Writes length and count into the frame that began at `start`.
pub(super) fn close_frame(out: &mut [u8], start: usize, count: u16) {
    let length = narrow(out.len() - start);
    out[start..start + 4].copy_from_slice(&length.to_le_bytes());
    out[start + 6..start + 8].copy_from_slice(&count.to_le_bytes());
}
