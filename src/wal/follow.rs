//! Following a log that is being written: entry by entry, as soon as they are durable, from wherever a reader has got.
//!
//! ```text
//! segment 7 │ segment 8 │ segment 9 (being written)
//!             └─ begins here, behind `from` ───────► up to what is durable, then waits for more
//! ```
//!
//! # Always true
//! - Nothing is handed out that is not durable: of every entry the stream's mark has passed it.
//! - Entries of a stream come in order and without a gap; where the log was trimmed, the reader is told.
//! - The log is only read, and neither locked nor slowed: no word goes to whoever writes it.
//! # Not here
//! - What is kept for whom: cursors, in the engine's state, which trimming looks at.
//! # Why so
//! A reader may look at a block while it is being written. What it then sees is no sound frame, or a whole one that is
//! not durable yet; in both cases it forgets what it saw and looks again later.

use std::io::ErrorKind;

use super::directory::{self, Identity};
use super::disk::{Access, Disk, DiskFile};
use super::fault::Attempt;
use super::recovery::{Used, begin, check_joint, open_segments, segments, split};
use super::segment::{self, FirstBlock, SegmentHeader};
use super::walk::{Position, frame_at};
use super::window::{Meter, Window};
use super::{Fault, Progress, ReplayedEntry, StreamTail};
use crate::base::limits::{FOLLOW_LOOKS_MAX, LOG_BLOCK_BYTES};
use crate::base::{Sequence, ShardId};

/// A reader that keeps up with a log.
pub struct Follower<D: Disk> {
    disk: D,
    identity: Identity,
    /// The segment being read; `None` before the first was begun.
    segment: Option<Open<D::File>>,
    position: Position,
    /// Looks in a row at a place where something durable has to be and nothing whole was found.
    vain: u32,
}

struct Open<F> {
    header: SegmentHeader,
    window: Window<F>,
    offset: u64,
}

/// What a step of a [`Follower`] came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Followed {
    /// The entries of a frame were handed out, or a segment was begun: go on.
    Read,
    /// Everything durable has been read, or cannot be seen yet.
    UpToDate,
    /// What comes next was trimmed: begin anew, where the log begins now.
    Trimmed,
}

impl<D: Disk> Follower<D> {
    /// Begins with the newest segment in which everything behind `from`, by stream, can be found; or with the oldest.
    /// Entries up to `from` may be handed out again; [`Follower::tails`] says where it stands.
    ///
    /// # Errors
    /// [`Fault::NoLog`], [`Fault::Damage`] of a header, [`Fault::Disk`].
    pub fn open_on(disk: &D, from: &[Sequence]) -> Result<Self, Fault> {
        let identity = directory::read(disk)?;
        let (mut used, _unused) = split(identity, open_segments(disk)?)?;
        let holds = |used: &Used| used.header.tails.iter().zip(from).all(|(tail, from)| tail.sequence <= *from);
        let at = used.iter().rposition(holds).unwrap_or(0);
        let fresh = vec![StreamTail::default(); usize::from(identity.shards)];
        let fresh = Position { number: 0, hash: 0, durable_upto: 0, vouched: true, tails: fresh };
        let mut follower = Self { disk: disk.clone(), identity, segment: None, position: fresh, vain: 0 };
        if !used.is_empty() {
            let first = used.swap_remove(at);
            follower.position = begin(&first);
            follower.segment = Some(Open::new(disk, first)?);
        }
        Ok(follower)
    }

    /// The last entry of each stream that was handed out, or lies before the place where it began.
    #[must_use]
    pub fn tails(&self) -> &[StreamTail] {
        &self.position.tails
    }

    /// The segment being read; zero before the first was begun.
    #[must_use]
    pub fn segment(&self) -> u64 {
        self.segment.as_ref().map_or(0, |open| open.header.number)
    }

    /// Hands out the entries of the next frame, if there is one and all of it is durable.
    ///
    /// # Errors
    /// [`Fault::Damage`] when what is durable cannot be found whole, however often one looks; [`Fault::Disk`].
    pub fn step(
        &mut self,
        durable: &dyn Fn(ShardId) -> Sequence,
        take: &mut dyn FnMut(ReplayedEntry<'_>),
    ) -> Result<Followed, Fault> {
        let mut streams = (0..).map(ShardId).zip(&self.position.tails);
        if streams.all(|(stream, tail)| tail.sequence >= durable(stream)) {
            return Ok(Followed::UpToDate);
        }
        let followed = match self.read_frame(durable, take)? {
            // What was read ahead may be older than what is there by now.
            Followed::UpToDate => match self.read_frame(durable, take)? {
                Followed::UpToDate => self.begin_next()?,
                read => read,
            },
            read => read,
        };
        self.vain = if followed == Followed::UpToDate { self.vain + 1 } else { 0 };
        if self.vain > FOLLOW_LOOKS_MAX {
            return Err(self.damage("what was told to be durable is not there"));
        }
        Ok(followed)
    }

    fn read_frame(
        &mut self,
        durable: &dyn Fn(ShardId) -> Sequence,
        take: &mut dyn FnMut(ReplayedEntry<'_>),
    ) -> Result<Followed, Fault> {
        let Some(open) = &mut self.segment else { return Ok(Followed::UpToDate) };
        let mut nobody = |_: Progress| {};
        let progress = Progress { read_bytes: 0, total_bytes: 0 };
        let mut meter = Meter { progress, report: &mut nobody };
        let is_passed = |entry: &ReplayedEntry<'_>| entry.sequence <= durable(entry.stream);
        match frame_at(&mut open.window, open.offset, &mut meter)? {
            Ok(frame) if frame.entries().filter_map(Result::ok).all(|entry| is_passed(&entry)) => {
                let span = frame.span;
                if let Err(misfit) = self.position.advance(&frame, open.header.epoch, take) {
                    return Err(self.damage(&format!("a frame does not belong here: {misfit:?}")));
                }
                open.offset += span;
                Ok(Followed::Read)
            }
            Ok(_) | Err(_) => {
                open.window.forget();
                Ok(Followed::UpToDate)
            }
        }
    }

    /// Goes on to the next segment, if the one being read has been left behind.
    fn begin_next(&mut self) -> Result<Followed, Fault> {
        let number = self.segment() + 1;
        let name = segment::name(number);
        let opened = self.disk.open(&name, Access::Read);
        if opened.as_ref().is_err_and(|why| why.kind() == ErrorKind::NotFound) {
            let is_trimmed = segments(&self.disk)?.first().is_some_and(|first| *first > number);
            return Ok(if is_trimmed { Followed::Trimmed } else { Followed::UpToDate });
        }
        let file = opened.attempt("open", &name)?;
        let mut block = vec![0; LOG_BLOCK_BYTES];
        let read = file.read_at(&mut block, 0).attempt("read", &name)?;
        let FirstBlock::Header(header) = SegmentHeader::decode(&name, &block[..read])? else {
            return Ok(Followed::UpToDate);
        };
        if header.identity != self.identity || header.number != number {
            return Err(self.damage("the segment behind it belongs elsewhere"));
        }
        // The last frames of this one can be there before they can be seen here.
        if header.previous_frame != self.position.number {
            return Ok(Followed::UpToDate);
        }
        let next = Used { name, header };
        check_joint(&next, &self.position)?;
        self.position = begin(&next);
        self.segment = Some(Open::new(&self.disk, next)?);
        Ok(Followed::Read)
    }

    fn damage(&self, what: &str) -> Fault {
        let (file, offset) = match &self.segment {
            Some(open) => (segment::name(open.header.number), open.offset),
            None => (segment::name(1), 0),
        };
        Fault::Damage { file, offset, frame: self.position.number + 1, what: what.to_owned() }
    }
}

impl<F: DiskFile> Open<F> {
    fn new<D: Disk<File = F>>(disk: &D, Used { name, header }: Used) -> Result<Self, Fault> {
        let file = disk.open(&name, Access::Read).attempt("open", &name)?;
        let window = Window::narrow(file, &name, header.segment_bytes);
        Ok(Self { header, window, offset: LOG_BLOCK_BYTES as u64 })
    }
}
