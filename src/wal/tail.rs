//! The end of the log on the disk: where the next frame goes, and the change from one segment to the next.
//!
//! ```text
//! append ──► room? ──yes──► write ──► (sync) ──► durable
//!              │no
//!              ▼
//!            next segment prepared? ──yes──► sync, write its header, sync ──► write …
//!              │no
//!              ▼
//!            starved: nothing happened, ask again once a segment is prepared
//! ```
//!
//! # Always true
//! - Frames go from front to back, each onto zeroes, each carrying the hash of the one before.
//! - A segment's header is written only after every frame before it is durable.

use std::collections::VecDeque;

use super::aligned::AlignedBuffer;
use super::directory::Identity;
use super::disk::DiskFile;
use super::fault::Attempt;
use super::frame_buffer::{FrameBuffer, Place};
use super::prepare::Prepared;
use super::segment::{self, SegmentHeader};
use super::walk::Position;
use super::{Fault, StreamTail, SyncMethod};
use crate::base::limits::{LOG_BLOCK_BYTES, LOG_SEGMENTS_AHEAD};

pub(super) struct Tail<F> {
    identity: Identity,
    method: SyncMethod,
    segment: OpenSegment<F>,
    number: u64,
    hash: u128,
    durable_upto: u64,
    ready: VecDeque<Prepared<F>>,
    header_block: AlignedBuffer,
}

/// The segment being written.
pub(super) struct OpenSegment<F> {
    pub(super) file: F,
    pub(super) name: String,
    pub(super) number: u64,
    pub(super) epoch: u64,
    pub(super) segment_bytes: u64,
    pub(super) offset: u64,
}

/// Whether there was anywhere to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    Taken,
    Starved,
}

impl<F: DiskFile> Tail<F> {
    /// Goes on after frame `number`, all of which is durable.
    pub(super) fn new(
        identity: Identity,
        method: SyncMethod,
        segment: OpenSegment<F>,
        number: u64,
        hash: u128,
        ready: VecDeque<Prepared<F>>,
    ) -> Self {
        let header_block = AlignedBuffer::new(LOG_BLOCK_BYTES);
        Self { identity, method, segment, number, hash, durable_upto: number, ready, header_block }
    }

    /// Begins the first segment of a new log, after `position`: the header only.
    pub(super) fn begin(
        identity: Identity,
        method: SyncMethod,
        prepared: Prepared<F>,
        position: &Position,
        ready: VecDeque<Prepared<F>>,
    ) -> Result<Self, Fault> {
        let segment = OpenSegment::from(prepared);
        let mut tail = Self::new(identity, method, segment, position.number, position.hash, ready);
        tail.write_header(&position.tails)?;
        Ok(tail)
    }

    pub(super) fn handle_prepared(&mut self, prepared: Prepared<F>) {
        let expected = self.segment.number + 1 + self.ready.len() as u64;
        assert!(prepared.number == expected, "segments are prepared in the order of their numbers");
        self.ready.push_back(prepared);
    }

    /// The last segment that ought to be prepared by now.
    pub(super) fn wanted_upto(&self) -> u64 {
        self.segment.number + LOG_SEGMENTS_AHEAD as u64
    }

    pub(super) fn next_to_prepare(&self) -> u64 {
        self.segment.number + 1 + self.ready.len() as u64
    }

    /// The number of the segment being written.
    pub(super) const fn segment(&self) -> u64 {
        self.segment.number
    }

    pub(super) fn is_all_durable(&self) -> bool {
        self.durable_upto == self.number
    }

    /// Writes the frame; durable only if the method is direct, otherwise after [`Tail::sync`].
    pub(super) fn write(&mut self, frame: &mut FrameBuffer, tails: &[StreamTail]) -> Result<Room, Fault> {
        let span = frame.span() as u64;
        if self.segment.room() < span && self.switch(tails)? == Room::Starved {
            return Ok(Room::Starved);
        }
        assert!(self.segment.room() >= span, "a fresh segment has room for the largest frame");
        let header = frame.seal(Place {
            epoch: self.segment.epoch,
            number: self.number + 1,
            previous_hash: self.hash,
            durable_upto: self.durable_upto,
        });
        let segment = &mut self.segment;
        segment.file.write_at(frame.bytes(), segment.offset).attempt_final("write", &segment.name)?;
        segment.offset += span;
        self.number = header.number;
        self.hash = header.hash();
        if self.method == SyncMethod::DirectDsync {
            self.durable_upto = self.number;
        }
        Ok(Room::Taken)
    }

    /// Makes everything written so far durable.
    pub(super) fn sync(&mut self) -> Result<(), Fault> {
        if !self.is_all_durable() {
            self.segment.file.sync().attempt_final("sync", &self.segment.name)?;
            self.durable_upto = self.number;
        }
        Ok(())
    }

    /// Ends the segment being written and begins the next one; one that holds no frame stays.
    pub(super) fn seal(&mut self, tails: &[StreamTail]) -> Result<Room, Fault> {
        if self.segment.offset == LOG_BLOCK_BYTES as u64 { Ok(Room::Taken) } else { self.switch(tails) }
    }

    fn switch(&mut self, tails: &[StreamTail]) -> Result<Room, Fault> {
        if self.ready.is_empty() {
            return Ok(Room::Starved);
        }
        self.sync()?;
        if let Some(next) = self.ready.pop_front() {
            self.segment = OpenSegment::from(next);
            self.write_header(tails)?;
        }
        Ok(Room::Taken)
    }

    fn write_header(&mut self, tails: &[StreamTail]) -> Result<(), Fault> {
        let segment = &self.segment;
        let header = SegmentHeader {
            identity: self.identity,
            number: segment.number,
            epoch: segment.epoch,
            segment_bytes: segment.segment_bytes,
            previous_frame: self.number,
            previous_hash: self.hash,
            tails: tails.to_vec(),
        };
        header.encode(self.header_block.all_mut());
        segment.file.write_at(self.header_block.bytes(LOG_BLOCK_BYTES), 0).attempt_final("write", &segment.name)?;
        if self.method == SyncMethod::Fdatasync {
            segment.file.sync().attempt_final("sync", &segment.name)?;
        }
        Ok(())
    }
}

impl<F> OpenSegment<F> {
    fn room(&self) -> u64 {
        self.segment_bytes - self.offset
    }
}

impl<F> From<Prepared<F>> for OpenSegment<F> {
    fn from(prepared: Prepared<F>) -> Self {
        Self {
            name: segment::name(prepared.number),
            file: prepared.file,
            number: prepared.number,
            epoch: prepared.epoch,
            segment_bytes: prepared.segment_bytes,
            offset: LOG_BLOCK_BYTES as u64,
        }
    }
}
