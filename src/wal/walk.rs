//! Walking along the frames of a segment: each is checked in itself, then against all that came before.
//!
//! # Always true
//! - A length is believed only after the header's checksum, and is bounded by what is left of the segment.
//! - Each body is hashed once and nothing is copied on the way to the replay.

use super::aligned::whole_blocks;
use super::disk::DiskFile;
use super::fields::is_zero;
use super::frame::{
    ENTRY_HEADER_BYTES, EntryHeader, FrameHeader, HEADER_BYTES, NotAHeader, VERSION, body_hash, entry_span,
};
use super::verdict::{Found, Later, Misfit};
use super::window::{Meter, Window};
use super::{Fault, ReplayedEntry, StreamTail};
use crate::base::limits::{LOG_BLOCK_BYTES, LOG_FRAME_BYTES_MAX};

const BLOCK: u64 = LOG_BLOCK_BYTES as u64;

/// A frame that is sound in itself.
pub(super) struct Sound<'a> {
    pub(super) header: FrameHeader,
    pub(super) body: &'a [u8],
    /// Bytes it takes in the segment.
    pub(super) span: u64,
}

impl<'a> Sound<'a> {
    pub(super) fn entries(&self) -> Entries<'a> {
        Entries { rest: self.body }
    }
}

/// Reads the frame at `offset` and checks it in itself: checksums, lengths, padding.
pub(super) fn frame_at<'w, F: DiskFile>(
    window: &'w mut Window<F>,
    offset: u64,
    meter: &mut Meter<'_>,
) -> Result<Result<Sound<'w>, Found>, Fault> {
    let room = window.size().saturating_sub(offset);
    if room < BLOCK {
        return Ok(Err(Found::NoRoom));
    }
    let header = match FrameHeader::decode(window.get(offset, LOG_BLOCK_BYTES, meter)?) {
        Ok(header) => header,
        Err(NotAHeader::OtherVersion(found)) => {
            return Err(Fault::OtherVersion { file: window.name().to_owned(), found, known: VERSION });
        }
        Err(NotAHeader::Broken) => {
            let blank = is_zero(window.get(offset, LOG_BLOCK_BYTES, meter)?);
            return Ok(Err(if blank { Found::Blank } else { Found::BrokenHeader }));
        }
    };
    let filled = HEADER_BYTES + header.body_bytes as usize;
    let span = whole_blocks(filled);
    if span as u64 > room || span > LOG_FRAME_BYTES_MAX {
        return Ok(Err(Found::Misfit(Misfit::Length)));
    }
    let bytes = window.get(offset, span, meter)?;
    if bytes.len() < span || body_hash(&bytes[HEADER_BYTES..filled]) != header.body_hash {
        return Ok(Err(Found::BrokenBody));
    }
    if !is_zero(&bytes[filled..]) {
        return Ok(Err(Found::Misfit(Misfit::Padding)));
    }
    Ok(Ok(Sound { header, body: &bytes[HEADER_BYTES..filled], span: span as u64 }))
}

/// Where a reader stands: what the next frame has to continue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Position {
    /// The last sound frame; zero before the first.
    pub(super) number: u64,
    pub(super) hash: u128,
    pub(super) durable_upto: u64,
    /// Whether that frame has no entries, or is vouched for by a segment's header: nothing would be lost with it.
    pub(super) vouched: bool,
    pub(super) tails: Vec<StreamTail>,
}

impl Position {
    /// Checks that a sound frame is the next one, and hands its entries on.
    pub(super) fn advance(
        &mut self,
        frame: &Sound<'_>,
        epoch: u64,
        replay: &mut dyn FnMut(ReplayedEntry<'_>),
    ) -> Result<(), Misfit> {
        self.check(&frame.header, epoch)?;
        let mut found = 0;
        for entry in frame.entries() {
            let entry = entry?;
            self.follow(&entry)?;
            found += 1;
            replay(entry);
        }
        if found != frame.header.entries {
            return Err(Misfit::Entries);
        }
        self.number = frame.header.number;
        self.hash = frame.header.hash();
        self.durable_upto = frame.header.durable_upto;
        self.vouched = found == 0;
        Ok(())
    }

    fn check(&self, header: &FrameHeader, epoch: u64) -> Result<(), Misfit> {
        if header.epoch != epoch {
            return Err(Misfit::Epoch);
        }
        if header.number != self.number + 1 {
            return Err(Misfit::Number);
        }
        if header.previous_hash != self.hash {
            return Err(Misfit::Chain);
        }
        if header.durable_upto >= header.number || header.durable_upto < self.durable_upto {
            return Err(Misfit::DurableUpto);
        }
        Ok(())
    }

    fn follow(&mut self, entry: &ReplayedEntry<'_>) -> Result<(), Misfit> {
        let tail = self.tails.get_mut(usize::from(entry.stream.0)).ok_or(Misfit::Entries)?;
        if entry.sequence != tail.sequence.next() {
            return Err(Misfit::Gap);
        }
        *tail = StreamTail { sequence: entry.sequence, log_time: entry.log_time };
        Ok(())
    }
}

/// The entries of a body, one after the other.
pub(super) struct Entries<'a> {
    rest: &'a [u8],
}

impl<'a> Entries<'a> {
    fn read(&mut self) -> Option<ReplayedEntry<'a>> {
        let header = EntryHeader::decode(self.rest)?;
        let length = header.length as usize;
        let (entry, rest) = self.rest.split_at_checked(entry_span(length))?;
        let (bytes, padding) = entry[ENTRY_HEADER_BYTES..].split_at(length);
        self.rest = rest;
        let EntryHeader { stream, sequence, log_time, .. } = header;
        is_zero(padding).then_some(ReplayedEntry { stream, sequence, log_time, bytes })
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<ReplayedEntry<'a>, Misfit>;

    fn next(&mut self) -> Option<Self::Item> {
        (!self.rest.is_empty()).then(|| self.read().ok_or(Misfit::Entries))
    }
}

/// Looks at everything from `offset` to the end of the segment: is any of it proof that `frame` was once durable?
pub(super) fn look_further<F: DiskFile>(
    window: &mut Window<F>,
    offset: u64,
    epoch: u64,
    frame: u64,
    meter: &mut Meter<'_>,
) -> Result<Later, Fault> {
    let mut later = Later::Zeroes;
    let mut at = offset;
    while at < window.size() {
        let bytes = window.get_much(at, meter)?;
        if bytes.is_empty() {
            break;
        }
        if !is_zero(bytes) {
            later = Later::Bytes;
            if bytes.chunks(LOG_BLOCK_BYTES).any(|block| is_proof(block, epoch, frame)) {
                return Ok(Later::Proof);
            }
        }
        at += bytes.len() as u64;
    }
    Ok(later)
}

/// A sound header is enough: whoever wrote it knew that `frame` was durable, whatever became of its own body.
fn is_proof(block: &[u8], epoch: u64, frame: u64) -> bool {
    FrameHeader::decode(block).is_ok_and(|header| header.epoch == epoch && header.durable_upto >= frame)
}
