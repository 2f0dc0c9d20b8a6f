//! Request frames: a client writes them with [`FrameWriter`], a server reads them with [`FrameDecoder`].
//!
//! ```text
//! client: begin(correlation) ─ push ─ push ─ finish ─► bytes ─► server: decode ─► sink.request | sink.status |
//!                                                               ▲     │       sink.refused
//!                                                               └ Pause ◄─ the sink takes no more for now
//! ```
//!
//! # Always true
//! - Replies find their request by correlation and index: the n-th record pushed has index n, from 0.
//! - A frame never passes [`FRAME_BYTES_MAX`] bytes or [`FRAME_COMMANDS_MAX`] records: a push that would is refused and
//!   leaves the frame as it was.

use super::frame::{FrameError, REQUEST_HEADER_BYTES, RequestHeader, check_records, close_frame, open_requests};
use super::layout::split_record;
use super::refused::Refused;
use super::request_decode::{Decoded, Scratch, decode_request};
use super::request_encode::{PushError, encode_command, encode_query, encode_status};
use crate::base::limits::{FRAME_BYTES_MAX, FRAME_COMMANDS_MAX};
use crate::engine::{Command, Query};

/// Whose request something is, and until when it is worth deciding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tag {
    /// Of the frame.
    pub correlation: u64,
    /// Of the record in its frame, from 0.
    pub index: u16,
    /// In milliseconds of whatever clock `now_ms` was read from; 0 for never.
    pub expires_at_ms: u64,
}

/// What a shard can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request<'a> {
    /// To change something.
    Command(Command<'a>),
    /// To look at something.
    Query(Query<'a>),
}

/// What a sink says to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intake {
    /// It has it.
    Taken,
    /// Not now: the same record is to come again later, and those behind it after it.
    Later,
}

/// Where the decoding of a frame goes on: with the record the sink did not take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pause {
    tag: Tag,
    /// Of the record in its frame.
    offset: usize,
}

/// Where the records of a decoded frame go.
pub trait RequestSink {
    /// A sound command or query. It borrows from the frame: copy what is needed later ([`Batch`](super::Batch) does).
    fn request(&mut self, tag: Tag, request: &Request<'_>) -> Intake;
    /// Somebody asks for the server's status.
    fn status(&mut self, tag: Tag) -> Intake;
    /// A record that is not one.
    fn refused(&mut self, tag: Tag, why: Refused) -> Intake;
}

/// Decodes request frames; keeps its memory from frame to frame.
#[derive(Debug, Default)]
pub struct FrameDecoder {
    scratch: Scratch,
}

impl FrameDecoder {
    /// Decodes a whole frame, which [`RequestHeader::parse`] found to be `header.length` bytes long, record by record,
    /// up to one that the sink does not take now.
    ///
    /// # Errors
    /// A frame whose records do not add up to it. Nothing has reached the sink then; close the connection.
    pub fn decode(
        &mut self,
        header: &RequestHeader,
        frame: &[u8],
        now_ms: u64,
        sink: &mut impl RequestSink,
    ) -> Result<Option<Pause>, FrameError> {
        check_records(frame, header.length, REQUEST_HEADER_BYTES, header.count)?;
        let tag = Tag { correlation: header.correlation, index: 0, expires_at_ms: expiry(header, now_ms) };
        Ok(self.resume(Pause { tag, offset: REQUEST_HEADER_BYTES }, frame, sink))
    }

    /// Goes on with a frame that [`FrameDecoder::decode`] began, from the record that was not taken.
    pub fn resume(&mut self, pause: Pause, frame: &[u8], sink: &mut impl RequestSink) -> Option<Pause> {
        let Pause { mut tag, offset } = pause;
        let mut rest = frame.get(offset..).unwrap_or_default();
        while let Some((record, behind)) = split_record(rest) {
            let intake = match decode_request(record, &mut self.scratch) {
                Ok(Decoded::Command(command)) => sink.request(tag, &Request::Command(command)),
                Ok(Decoded::Query(query)) => sink.request(tag, &Request::Query(query)),
                Ok(Decoded::Status) => sink.status(tag),
                Err(why) => sink.refused(tag, why),
            };
            if intake == Intake::Later {
                return Some(Pause { tag, offset: frame.len() - rest.len() });
            }
            tag.index = tag.index.wrapping_add(1);
            rest = behind;
        }
        None
    }
}

const fn expiry(header: &RequestHeader, now_ms: u64) -> u64 {
    match header.deadline_ms {
        0 => 0,
        deadline_ms => now_ms.saturating_add(deadline_ms as u64),
    }
}

/// Writes request frames into one buffer.
#[derive(Debug, Default)]
pub struct FrameWriter {
    buffer: Vec<u8>,
    count: u16,
}

impl FrameWriter {
    /// Writes into `buffer`, whose content is forgotten and whose memory is kept.
    #[must_use]
    pub fn new(mut buffer: Vec<u8>) -> Self {
        buffer.clear();
        Self { buffer, count: 0 }
    }

    /// Begins a frame; forgets one that was not finished.
    pub fn begin(&mut self, correlation: u64, deadline_ms: u32) {
        self.buffer.clear();
        self.count = 0;
        open_requests(&mut self.buffer, correlation, deadline_ms);
    }

    /// Appends a command and tells its index.
    ///
    /// # Errors
    /// [`PushError`]; the frame is as it was.
    pub fn push(&mut self, command: &Command<'_>) -> Result<u16, PushError> {
        self.append(|out| encode_command(command, out))
    }

    /// Appends a query and tells its index.
    ///
    /// # Errors
    /// [`PushError`]; the frame is as it was.
    pub fn push_query(&mut self, query: &Query<'_>) -> Result<u16, PushError> {
        self.append(|out| encode_query(query, out))
    }

    /// Appends the question for the server's status and tells its index.
    ///
    /// # Errors
    /// [`PushError::FrameFull`]; the frame is as it was.
    pub fn push_status(&mut self) -> Result<u16, PushError> {
        self.append(|out| {
            encode_status(out);
            Ok(())
        })
    }

    fn append(&mut self, encode: impl FnOnce(&mut Vec<u8>) -> Result<(), PushError>) -> Result<u16, PushError> {
        let index = self.count;
        if usize::from(index) >= FRAME_COMMANDS_MAX {
            return Err(PushError::FrameFull);
        }
        let start = self.buffer.len();
        let encoded = encode(&mut self.buffer);
        if encoded.is_ok() && self.buffer.len() <= FRAME_BYTES_MAX {
            self.count += 1;
            return Ok(index);
        }
        self.buffer.truncate(start);
        Err(encoded.err().unwrap_or(PushError::FrameFull))
    }

    /// Records so far.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.count as usize
    }

    /// Whether nothing was pushed since `begin`.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Bytes so far, header included.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.buffer.len()
    }

    /// Completes the frame and hands it out. [`FrameWriter::begin`] starts the next one.
    pub fn finish(&mut self) -> &[u8] {
        close_frame(&mut self.buffer, 0, self.count);
        &self.buffer
    }

    /// Completes the frame and hands out the buffer itself.
    #[must_use]
    pub fn into_frame(mut self) -> Vec<u8> {
        close_frame(&mut self.buffer, 0, self.count);
        self.buffer
    }
}
