//! Recovery: reads the whole log, asks the verdict table about the first place without a sound frame, and says what
//! is to be done. Changes nothing; `repair` does.
//!
//! # Always true
//! - A segment whose header is sound seals the one before: its last frame is named there, with its hash.
//! - What is cut or thrown away is named in the outcome, and so in the report of the start.

use super::aligned::AlignedBuffer;
use super::directory::Identity;
use super::disk::{Access, Disk, DiskFile};
use super::fault::Attempt;
use super::segment::{self, FirstBlock, SegmentHeader};
use super::verdict::{Found, Later, Observation, Verdict, verdict};
use super::walk::{Position, frame_at, look_further};
use super::window::{Meter, Window};
use super::{Fault, Progress, ReplayedEntry, StreamTail};
use crate::base::limits::{LOG_BLOCK_BYTES, LOG_SEGMENT_BYTES_MIN, LOG_SEGMENTS_AHEAD, MIB};

/// A torn tail that nobody was ever told is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// The file.
    pub file: String,
    /// Where the first frame that is not sound begins.
    pub offset: u64,
    /// The number it would have had.
    pub frame: u64,
}

/// What recovery found.
#[derive(Debug)]
pub(super) struct Recovered {
    pub(super) position: Position,
    /// The segment to go on in, and where; `None` in a directory without any.
    pub(super) active: Option<Active>,
    pub(super) cut: Option<Cut>,
    /// Where each stream stood before the first segment there is: zeroes unless the log was trimmed.
    pub(super) trimmed: Vec<StreamTail>,
    /// Segments full of zeroes, next ones first.
    pub(super) prepared: Vec<u64>,
    /// Files that hold nothing and cannot be used as they are.
    pub(super) discard: Vec<String>,
}

#[derive(Debug, Clone)]
pub(super) struct Active {
    pub(super) header: SegmentHeader,
    pub(super) offset: u64,
}

/// Makes the next reads come from the device: what a process that died had written but not synced may sit in the
/// cache, and may never have reached the disk.
pub(super) fn settle<D: Disk>(disk: &D) -> Result<(), Fault> {
    for number in segments(disk)?.into_iter().rev().take(LOG_SEGMENTS_AHEAD + 1) {
        let name = segment::name(number);
        let file = disk.open(&name, Access::Write).attempt("open", &name)?;
        file.sync().attempt("sync", &name)?;
        file.forget_cached().attempt("read past the cache", &name)?;
    }
    Ok(())
}

/// The numbers of all segments there are, in order.
pub(super) fn segments<D: Disk>(disk: &D) -> Result<Vec<u64>, Fault> {
    let names = disk.list().attempt("list", &disk.describe())?;
    let mut numbers: Vec<u64> = names.iter().filter_map(|name| segment::number_in(name)).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// Reads everything.
pub(super) fn recover<D: Disk>(
    disk: &D,
    identity: Identity,
    replay: &mut dyn FnMut(ReplayedEntry<'_>),
    report: &mut dyn FnMut(Progress),
) -> Result<Recovered, Fault> {
    let files = open_segments(disk)?;
    let total_bytes = files.iter().map(|file| file.size).sum();
    let mut meter = Meter { progress: Progress { read_bytes: 0, total_bytes }, report };
    let (used, unused) = split(identity, files)?;
    let mut recovered = walk(disk, identity, (&used, used.len()), replay, &mut meter)?;
    for file in unused {
        file.judge_unused(disk, &mut recovered, &mut meter)?;
    }
    let names = disk.list().attempt("list", &disk.describe())?;
    recovered.discard.extend(names.into_iter().filter(|name| segment::is_preparing(name)));
    Ok(recovered)
}

/// Every segment there is, in order, with its first block.
pub(super) fn open_segments<D: Disk>(disk: &D) -> Result<Vec<SegmentFile>, Fault> {
    segments(disk)?.into_iter().map(|number| SegmentFile::open(disk, number)).collect()
}

/// A segment and its first block.
pub(super) struct SegmentFile {
    number: u64,
    name: String,
    size: u64,
    first: FirstBlock,
}

impl SegmentFile {
    fn open<D: Disk>(disk: &D, number: u64) -> Result<Self, Fault> {
        let name = segment::name(number);
        let file = disk.open(&name, Access::Read).attempt("open", &name)?;
        let size = file.size().attempt("measure", &name)?;
        let mut block = vec![0; LOG_BLOCK_BYTES];
        let read = file.read_at(&mut block, 0).attempt("read", &name)?;
        let first = SegmentHeader::decode(&name, &block[..read])?;
        Ok(Self { number, name, size, first })
    }

    /// A segment after the last used one: zeroes are kept; a header that was torn before any frame is thrown away.
    ///
    /// A segment is filled and synced before it gets its name, so no crash leaves one shorter than any segment may be.
    fn judge_unused<D: Disk>(&self, disk: &D, into: &mut Recovered, meter: &mut Meter<'_>) -> Result<(), Fault> {
        if self.size < LOG_SEGMENT_BYTES_MIN {
            return Err(damage(&self.name, 0, 0, "the file is shorter than any segment"));
        }
        let file = disk.open(&self.name, Access::Read).attempt("open", &self.name)?;
        let mut window = Window::new(file, &self.name, self.size);
        let rest = look_further(&mut window, LOG_BLOCK_BYTES as u64, 0, u64::MAX, meter)?;
        match (&self.first, rest) {
            (FirstBlock::Blank, Later::Zeroes) => into.prepared.push(self.number),
            (FirstBlock::Broken, Later::Zeroes) => into.discard.push(self.name.clone()),
            _ => return Err(damage(&self.name, 0, 0, "its header is gone, yet there are bytes after it")),
        }
        Ok(())
    }
}

/// Used segments and those after them. A used one after an unused one, a missing number, another node: damage.
pub(super) fn split(identity: Identity, files: Vec<SegmentFile>) -> Result<(Vec<Used>, Vec<SegmentFile>), Fault> {
    let (mut used, mut unused): (Vec<Used>, Vec<SegmentFile>) = (Vec::new(), Vec::new());
    let first = files.first().map_or(0, |file| file.number);
    for (expected, file) in (first..).zip(files) {
        if file.number != expected {
            return Err(damage(&segment::name(expected), 0, 0, "the segment is missing, yet there are later ones"));
        }
        match file.first {
            FirstBlock::Header(header) => {
                if let Some(before) = unused.first() {
                    return Err(damage(&before.name, 0, 0, "its header is gone, yet there is a later segment"));
                }
                check_header(&file.name, file.number, file.size, identity, &header)?;
                used.push(Used { name: file.name, header });
            }
            FirstBlock::Blank | FirstBlock::Broken => unused.push(file),
        }
    }
    match unused.first() {
        Some(first) if used.is_empty() && first.number != 1 => {
            Err(damage(&first.name, 0, 0, "every segment before it is missing"))
        }
        Some(_) | None => Ok((used, unused)),
    }
}

/// A segment with a sound header.
pub(super) struct Used {
    pub(super) name: String,
    pub(super) header: SegmentHeader,
}

fn check_header(file: &str, number: u64, size: u64, identity: Identity, header: &SegmentHeader) -> Result<(), Fault> {
    if header.identity != identity {
        return Err(damage(file, 0, 0, "it belongs to another log"));
    }
    if header.number != number {
        return Err(damage(file, 0, 0, "its header is that of another segment"));
    }
    if header.segment_bytes != size {
        return Err(damage(file, 0, 0, "the file is not as long as its header says"));
    }
    Ok(())
}

/// Reads the first `upto` of these segments; those behind them only seal what comes before.
pub(super) fn walk<D: Disk>(
    disk: &D,
    identity: Identity,
    (used, upto): (&[Used], usize),
    replay: &mut dyn FnMut(ReplayedEntry<'_>),
    meter: &mut Meter<'_>,
) -> Result<Recovered, Fault> {
    let mut position = begin_of_log(identity, used.first())?;
    let trimmed = position.tails.clone();
    let (mut active, mut cut) = (None, None);
    for (index, segment) in used.iter().enumerate().take(upto) {
        let next = used.get(index + 1).map(|next| &next.header);
        check_joint(segment, &position)?;
        let file = disk.open(&segment.name, Access::Read).attempt("open", &segment.name)?;
        let mut reader = SegmentReader {
            window: Window::new(file, &segment.name, segment.header.segment_bytes),
            epoch: segment.header.epoch,
            offset: LOG_BLOCK_BYTES as u64,
            next,
        };
        // The header, durable before any frame here, vouches for all that came before.
        position.vouched = true;
        let found = reader.read_frames(&mut position, replay, meter)?;
        cut = reader.judge(found, &position, meter)?;
        active = Some(Active { header: segment.header.clone(), offset: reader.offset });
    }
    Ok(Recovered { position, active, cut, trimmed, prepared: Vec::new(), discard: Vec::new() })
}

/// The first segment may be any: those before it were trimmed, and its header says where the streams stood.
fn begin_of_log(identity: Identity, first: Option<&Used>) -> Result<Position, Fault> {
    let empty = vec![StreamTail::default(); usize::from(identity.shards)];
    let fresh = Position { number: 0, hash: 0, durable_upto: 0, vouched: true, tails: empty };
    let Some(first) = first else { return Ok(fresh) };
    let begun = begin(first);
    if first.header.number == 1 && begun != fresh {
        return Err(damage(&first.name, 0, 0, "the first segment continues something"));
    }
    Ok(begun)
}

/// Where a segment begins, as its header says.
pub(super) fn begin(Used { header, .. }: &Used) -> Position {
    let (number, hash, tails) = (header.previous_frame, header.previous_hash, header.tails.clone());
    Position { number, hash, tails, durable_upto: number, vouched: true }
}

/// Where the frames of the newest segment end as far as they are whole. What is behind that is not looked at: somebody
/// may be writing it.
pub(super) fn end_of_frames<F: DiskFile>(file: F, used: &Used, mut position: Position) -> Result<u64, Fault> {
    let mut reader = SegmentReader {
        window: Window::new(file, &used.name, used.header.segment_bytes),
        epoch: used.header.epoch,
        offset: LOG_BLOCK_BYTES as u64,
        next: None,
    };
    let mut nobody = |_: Progress| {};
    let progress = Progress { read_bytes: 0, total_bytes: used.header.segment_bytes };
    reader.read_frames(&mut position, &mut |_| {}, &mut Meter { progress, report: &mut nobody })?;
    Ok(reader.offset)
}

pub(super) fn check_joint(segment: &Used, position: &Position) -> Result<(), Fault> {
    let header = &segment.header;
    if header.previous_frame != position.number || header.previous_hash != position.hash {
        return Err(damage(&segment.name, 0, 0, "it does not continue the segment before"));
    }
    if header.tails != position.tails {
        return Err(damage(&segment.name, 0, 0, "its streams do not continue those of the segment before"));
    }
    Ok(())
}

struct SegmentReader<'a, F> {
    window: Window<F>,
    epoch: u64,
    offset: u64,
    /// The header that seals this segment.
    next: Option<&'a SegmentHeader>,
}

impl<F: DiskFile> SegmentReader<'_, F> {
    /// Up to the first place without a sound frame, or the last frame of a sealed segment: `None`.
    fn read_frames(
        &mut self,
        position: &mut Position,
        replay: &mut dyn FnMut(ReplayedEntry<'_>),
        meter: &mut Meter<'_>,
    ) -> Result<Option<Found>, Fault> {
        while self.next.is_none_or(|next| position.number < next.previous_frame) {
            let frame = match frame_at(&mut self.window, self.offset, meter)? {
                Ok(frame) => frame,
                Err(found) => return Ok(Some(found)),
            };
            if let Err(misfit) = position.advance(&frame, self.epoch, replay) {
                return Ok(Some(Found::Misfit(misfit)));
            }
            self.offset += frame.span;
        }
        Ok(None)
    }

    /// Asks the table. `Some` is a tail to be cut.
    fn judge(
        &mut self,
        found: Option<Found>,
        position: &Position,
        meter: &mut Meter<'_>,
    ) -> Result<Option<Cut>, Fault> {
        let frame = position.number + 1;
        let later = look_further(&mut self.window, self.offset, self.epoch, frame, meter)?;
        let found = match (found, later) {
            (Some(found), _) => found,
            (None, Later::Zeroes) => return Ok(None),
            (None, Later::Bytes | Later::Proof) => Found::Trailing,
        };
        let file = self.window.name();
        match verdict(Observation { newest: self.next.is_none(), found, later }) {
            Verdict::End => Ok(None),
            Verdict::Cut => Ok(Some(Cut { file: file.to_owned(), offset: self.offset, frame })),
            Verdict::Damage(what) => Err(damage(file, self.offset, frame, what)),
        }
    }
}

fn damage(file: &str, offset: u64, frame: u64, what: &str) -> Fault {
    Fault::Damage { file: file.to_owned(), offset, frame, what: what.to_owned() }
}

/// Removes what holds nothing and overwrites a cut tail with zeroes, so that its bytes are never taken for new ones.
pub(super) fn repair<D: Disk>(disk: &D, recovered: &Recovered) -> Result<(), Fault> {
    for name in &recovered.discard {
        disk.remove(name).attempt("remove", name)?;
    }
    if !recovered.discard.is_empty() {
        disk.sync_dir().attempt("sync", &disk.describe())?;
    }
    match &recovered.cut {
        Some(cut) => blank(disk, &cut.file, cut.offset),
        None => Ok(()),
    }
}

fn blank<D: Disk>(disk: &D, name: &str, from: u64) -> Result<(), Fault> {
    let file = disk.open(name, Access::Write).attempt("open", name)?;
    let size = file.size().attempt("measure", name)?;
    let zeroes = AlignedBuffer::for_steps(size.saturating_sub(from));
    let mut at = from;
    while at < size {
        let length = usize::try_from(size - at).unwrap_or(MIB).min(MIB);
        file.write_at(zeroes.bytes(length), at).attempt("blank", name)?;
        at += length as u64;
    }
    file.sync().attempt("sync", name)
}
