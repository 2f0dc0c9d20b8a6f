//! Salvage: copies what is sound from a damaged log into a new directory and says what that leaves out.
//!
//! # Always true
//! - The damaged log is only read.
//! - Of each stream, what is kept is everything up to its first missing entry. What comes after a hole is sound and
//!   yet dropped, for folding it over the hole would be a guess.
//! - Nothing is written unless nothing is lost or the loss was accepted.
//! - Images that are sound and of kept entries alone come along.

use std::ops::ControlFlow;
use std::path::Path;

use super::directory::{self, Identity};
use super::disk::Disk;
use super::fault::Attempt;
use super::prepare::{Order, Prepared, prepare};
use super::reader::Region;
use super::segment::SegmentHeader;
use super::sweep::{Seen, sweep};
use super::tail::Tail;
use super::walk::Position;
use super::writer::{Outcome, Writer};
use super::{Durability, Entry, Fault, FileDisk, Options, ReplayedEntry, StreamTail, SyncMethod, image, segment};
use crate::base::limits::{LOG_SEGMENT_BYTES_DEFAULT, SHARDS_MAX};
use crate::base::{Sequence, ShardId};

/// Entries of one stream that the new log does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dropped {
    /// The stream.
    pub stream: ShardId,
    /// The first that is missing.
    pub first: Sequence,
    /// The last one known of; an unreadable region may have held more.
    pub last: Sequence,
    /// How many of them could be read and were dropped because they come after a hole.
    pub readable: u64,
}

/// What a salvage did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Salvaged {
    /// Entries in the new log.
    pub kept: u64,
    /// By stream.
    pub dropped: Vec<Dropped>,
    /// Where nothing could be read.
    pub unreadable: Vec<Region>,
}

/// Copies the sound part of the log in `dir` into `new_dir`, which must hold no log.
///
/// # Errors
/// [`Fault::LossNotAccepted`] when something would be lost and `accept_loss` is false; [`Fault::InUse`],
/// [`Fault::NoLog`], [`Fault::NotEmpty`].
pub fn salvage(dir: &Path, new_dir: &Path, accept_loss: bool) -> Result<Salvaged, Fault> {
    salvage_on(&FileDisk::new(dir), &FileDisk::new(new_dir), accept_loss)
}

/// As [`salvage`], on disks of any make.
///
/// # Errors
/// As [`salvage`].
pub fn salvage_on<D: Disk>(from: &D, into: &D, accept_loss: bool) -> Result<Salvaged, Fault> {
    let names = match from.list() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        names => names.attempt("list", &from.describe())?,
    };
    if !names.iter().any(|name| segment::number_in(name).is_some()) {
        return Err(Fault::NoLog { directory: from.describe() });
    }
    let _from_lock = directory::lock(from, false)?;
    let survey = Survey::of(from)?;
    let (dropped, entries) = survey.dropped();
    let regions = survey.unreadable.len();
    if !accept_loss && (entries > 0 || regions > 0) {
        return Err(Fault::LossNotAccepted { entries, regions });
    }
    into.create_dir().attempt("make", &into.describe())?;
    let _into_lock = directory::lock(into, true)?;
    if !matches!(directory::read(into), Err(Fault::NoLog { .. })) {
        return Err(Fault::NotEmpty { directory: into.describe() });
    }
    let kept = copy(from, into, &survey)?;
    Ok(Salvaged { kept, dropped, unreadable: survey.unreadable })
}

/// One stream, as far as the sweep came across it.
#[derive(Debug, Clone, Copy, Default)]
struct Found {
    begun: bool,
    /// Where the stream stood before the first entry that is kept.
    base: StreamTail,
    kept_upto: Sequence,
    known_upto: Sequence,
    readable_after: u64,
}

/// What there is, found by reading everything once.
struct Survey {
    identity: Option<Identity>,
    /// The header of the first segment there is, if it is sound.
    first: Option<SegmentHeader>,
    first_seen: bool,
    /// The largest there is: every entry fits one like it.
    segment_bytes: Option<u64>,
    streams: Vec<Found>,
    unreadable: Vec<Region>,
}

impl Survey {
    fn of<D: Disk>(disk: &D) -> Result<Self, Fault> {
        let mut survey = Self {
            identity: directory::read(disk).ok(),
            first: None,
            first_seen: false,
            segment_bytes: None,
            streams: vec![Found::default(); usize::from(SHARDS_MAX)],
            unreadable: Vec::new(),
        };
        let from_start = super::recovery::segments(disk)?.first() == Some(&1);
        survey.streams.iter_mut().for_each(|stream| stream.begun = from_start);
        sweep(disk, &mut |seen| match seen {
            Seen::Segment { header, .. } => survey.see_header(header),
            Seen::Frame { frame, .. } => frame.entries().map_while(Result::ok).for_each(|entry| survey.see(&entry)),
            Seen::Unreadable(region) => survey.unreadable.push(region),
        })?;
        Ok(survey)
    }

    fn see_header(&mut self, header: Option<&SegmentHeader>) {
        let is_first = !std::mem::replace(&mut self.first_seen, true);
        let Some(header) = header else { return };
        self.identity.get_or_insert(header.identity);
        self.segment_bytes = self.segment_bytes.max(Some(header.segment_bytes));
        for (stream, tail) in self.streams.iter_mut().zip(&header.tails) {
            if is_first {
                *stream = Found { begun: true, base: *tail, kept_upto: tail.sequence, ..Found::default() };
            }
            stream.known_upto = stream.known_upto.max(tail.sequence);
        }
        if is_first {
            self.first = Some(header.clone());
        }
    }

    fn see(&mut self, entry: &ReplayedEntry<'_>) {
        let Some(stream) = self.streams.get_mut(usize::from(entry.stream.0)) else { return };
        if !stream.begun {
            // The log was trimmed and the header that says up to where is gone: the stream begins where it begins.
            let before = Sequence(entry.sequence.0.saturating_sub(1));
            let base = StreamTail { sequence: before, log_time: entry.log_time };
            *stream = Found { begun: true, base, kept_upto: before, ..*stream };
        }
        stream.known_upto = stream.known_upto.max(entry.sequence);
        if entry.sequence == stream.kept_upto.next() {
            stream.kept_upto = entry.sequence;
        } else if entry.sequence > stream.kept_upto {
            stream.readable_after += 1;
        }
    }

    fn dropped(&self) -> (Vec<Dropped>, u64) {
        let mut dropped = Vec::new();
        for (index, stream) in self.streams.iter().enumerate() {
            if stream.known_upto > stream.kept_upto {
                let (first, last, readable) = (stream.kept_upto.next(), stream.known_upto, stream.readable_after);
                dropped.push(Dropped { stream: ShardId(index as u16), first, last, readable });
            }
        }
        let entries = dropped.iter().map(|dropped| dropped.last.0 - dropped.first.0 + 1).sum();
        (dropped, entries)
    }

    fn keeps(&self, entry: &ReplayedEntry<'_>, shards: u16) -> bool {
        let within = |stream: &Found| entry.sequence > stream.base.sequence && entry.sequence <= stream.kept_upto;
        entry.stream.0 < shards && self.streams.get(usize::from(entry.stream.0)).is_some_and(within)
    }
}

/// Writes the new log. Its header comes last: a salvage that was broken off is not taken for a log.
fn copy<D: Disk>(from: &D, into: &D, survey: &Survey) -> Result<u64, Fault> {
    let Some(identity) = survey.identity else { return Err(Fault::NoLog { directory: from.describe() }) };
    let mut target = Target::begin(into, identity, survey)?;
    let mut copied = Ok(());
    sweep(from, &mut |seen| {
        if let Seen::Frame { frame, .. } = seen {
            for entry in frame.entries().map_while(Result::ok) {
                if copied.is_ok() && survey.keeps(&entry, identity.shards) {
                    copied = target.take(&entry);
                }
            }
        }
    })?;
    copied?;
    target.flush()?;
    target.writer.finish(0)?;
    let holds = |(stream, tail): (usize, &StreamTail)| {
        survey.streams.get(stream).is_some_and(|found| tail.sequence <= found.kept_upto.max(found.base.sequence))
    };
    // An image of entries that are not kept would be ahead of the new log.
    image::copy_images(from, into, identity, |joint| joint.tails.iter().enumerate().all(holds))?;
    directory::create(into, identity)?;
    Ok(target.kept)
}

struct Target<'a, D: Disk> {
    disk: &'a D,
    segment_bytes: u64,
    next: Vec<Sequence>,
    writer: Writer<D>,
    kept: u64,
}

impl<'a, D: Disk> Target<'a, D> {
    fn begin(disk: &'a D, identity: Identity, survey: &Survey) -> Result<Self, Fault> {
        let segment_bytes = survey.segment_bytes.unwrap_or(LOG_SEGMENT_BYTES_DEFAULT);
        let tails: Vec<_> = survey.streams.iter().take(identity.shards.into()).map(|stream| stream.base).collect();
        let is_trimmed = tails.iter().any(|tail| *tail != StreamTail::default());
        let (number, hash) = survey.first.as_ref().map_or((0, 0), |first| (first.previous_frame, first.previous_hash));
        // Only the first segment of a whole log has number 1.
        let segment = survey.first.as_ref().map_or(1 + u64::from(is_trimmed), |first| first.number);
        let position = Position { number, hash, durable_upto: number, vouched: true, tails: tails.clone() };
        let first = prepared(disk, segment, segment_bytes)?;
        let tail = Tail::begin(identity, SyncMethod::Fdatasync, first, &position, Default::default())?;
        let frame_bytes_max = Options { segment_bytes, ..Options::new("", identity.shards) }.frame_bytes_max();
        let next = tails.iter().map(|tail| tail.sequence.next()).collect();
        let writer = Writer::new(Some(tail), Durability::Sync, frame_bytes_max, tails, true);
        Ok(Self { disk, segment_bytes, next, writer, kept: 0 })
    }

    /// An entry seen twice is taken once.
    fn take(&mut self, entry: &ReplayedEntry<'_>) -> Result<(), Fault> {
        let Some(next) = self.next.get_mut(usize::from(entry.stream.0)) else { return Ok(()) };
        if entry.sequence != *next {
            return Ok(());
        }
        *next = next.next();
        self.kept += 1;
        let ReplayedEntry { stream, sequence, log_time, bytes } = *entry;
        self.writer.handle_entry(Entry { stream, sequence, log_time, bytes: bytes.to_vec(), notify: Vec::new() });
        while self.writer.poll_emptied().is_some() {}
        if self.writer.wants_entry() { Ok(()) } else { self.flush() }
    }

    fn flush(&mut self) -> Result<(), Fault> {
        loop {
            match (self.writer.commit(0)?, self.writer.poll_wanted()) {
                (Outcome::Idle, _) => return Ok(()),
                (Outcome::Starved, Some((number, _))) => {
                    self.writer.handle_prepared(prepared(self.disk, number, self.segment_bytes)?);
                }
                (Outcome::Done | Outcome::Starved, _) => {}
            }
        }
    }
}

fn prepared<D: Disk>(disk: &D, number: u64, segment_bytes: u64) -> Result<Prepared<D::File>, Fault> {
    let order = Order { number, segment_bytes, method: SyncMethod::Fdatasync, low_water_bytes: 0 };
    let prepared = prepare(disk, order, &mut || ControlFlow::Continue(()))?;
    Ok(prepared.expect("a preparation that is never told to break off runs to its end"))
}
