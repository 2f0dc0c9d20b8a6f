//! A copy of a log that somebody may be writing meanwhile: the newest image, and every frame since.
//!
//! ```text
//! image of segment 7 │ segment 7 │ segment 8 │ segment 9 (being written)
//! └──────────────── copied whole ────────────┘ └ up to the last whole frame that was there when it was looked at
//! ```
//!
//! # Always true
//! - The log that is copied is only read, and not locked: what was appended before the copy began is in it.
//! - Everything needed is opened before anything is copied, so trimming takes nothing away from a copy under way.
//! - The copy is synced and read back, every checksum; its header comes last. One that was broken off is no log.
//! # Why so
//! A segment that is being written is read from front to back while frames arrive, so a copy of its bytes could hold a
//! frame and not the one before. Its frames are walked first, and only what the walk vouches for is copied.

use std::path::Path;

use super::aligned::AlignedBuffer;
use super::directory::{self, Identity};
use super::disk::{Access, Disk, DiskFile};
use super::fault::Attempt;
use super::image::{self, ImageReader, images_on};
use super::recovery::{Used, begin, end_of_frames, open_segments, recover, split};
use super::{Fault, FileDisk, StreamTail};
use crate::base::limits::{BACKUP_LOOKS_MAX, LOG_BLOCK_BYTES, MIB};

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackedUp {
    /// The segment behind the image that was copied; `None` when the log is whole from its first segment on.
    pub image: Option<u64>,
    /// Segments of the log.
    pub segments: u64,
    /// Bytes that were copied.
    pub bytes: u64,
    /// Where each stream ends.
    pub tails: Vec<StreamTail>,
}

/// Copies the log in `dir`, whether or not somebody writes it, into `new_dir`, which must hold no log. `pace` is told
/// every number of bytes copied, and may sleep.
///
/// # Errors
/// [`Fault::NoLog`], [`Fault::NotEmpty`], [`Fault::InUse`] of `new_dir`, [`Fault::Damage`] of what is copied.
pub fn backup(dir: &Path, new_dir: &Path, pace: &mut dyn FnMut(u64)) -> Result<BackedUp, Fault> {
    backup_on(&FileDisk::new(dir), &FileDisk::new(new_dir), pace)
}

/// As [`backup`], of a log that nobody else may be writing. Nothing is changed there: a medium that can only be read
/// will do.
///
/// # Errors
/// As [`backup`], and [`Fault::InUse`] of `dir`.
pub fn restore(dir: &Path, new_dir: &Path, pace: &mut dyn FnMut(u64)) -> Result<BackedUp, Fault> {
    let from = FileDisk::new(dir);
    // An empty directory has nothing to lock.
    directory::read(&from)?;
    let _lock = directory::lock(&from, false)?;
    backup_on(&from, &FileDisk::new(new_dir), pace)
}

/// As [`backup`], on disks of any make.
///
/// # Errors
/// As [`backup`].
pub fn backup_on<D: Disk>(from: &D, into: &D, pace: &mut dyn FnMut(u64)) -> Result<BackedUp, Fault> {
    let identity = directory::read(from)?;
    let source = Source::open(from, identity)?;
    into.create_dir().attempt("make", &into.describe())?;
    let _lock = directory::lock(into, true)?;
    if !matches!(directory::read(into), Err(Fault::NoLog { .. })) {
        return Err(Fault::NotEmpty { directory: into.describe() });
    }
    let mut bytes = 0;
    let mut counted = |more: u64| {
        bytes += more;
        pace(more);
    };
    if let Some(image) = &source.image {
        image.copy_to(into, &mut counted)?;
    }
    for segment in &source.segments {
        segment.copy_to(into, &mut counted)?;
    }
    into.sync_dir().attempt("sync", &into.describe())?;
    let tails = check(into, identity)?;
    directory::create(into, identity)?;
    let image = source.image.map(|image| image.joint().segment);
    Ok(BackedUp { image, segments: source.segments.len() as u64, bytes, tails })
}

/// Everything that is copied, opened.
struct Source<D: Disk> {
    image: Option<ImageReader<D::File>>,
    segments: Vec<Segment<D::File>>,
}

struct Segment<F> {
    name: String,
    file: F,
    /// Bytes of the file, and those of them that are copied; the rest is zeroes.
    size: u64,
    copied: u64,
}

impl<D: Disk> Source<D> {
    /// A log that goes on may lose a segment, or begin two, between one file and the next: then it is looked at again.
    fn open(disk: &D, identity: Identity) -> Result<Self, Fault> {
        let mut looks = 1;
        loop {
            match Self::look(disk, identity) {
                Err(_changed) if looks < BACKUP_LOOKS_MAX => looks += 1,
                outcome => return outcome,
            }
        }
    }

    fn look(disk: &D, identity: Identity) -> Result<Self, Fault> {
        let images = images_on(disk)?.into_iter().rev();
        let image = images.filter_map(|segment| image::open_sound(disk, segment, identity)).next();
        let (used, _unused) = split(identity, open_segments(disk)?)?;
        let first = image.as_ref().map_or(1, |image| image.joint().segment);
        let wanted = used.iter().position(|used| used.header.number == first).map(|at| &used[at..]);
        let Some(wanted) = wanted.filter(|wanted| !wanted.is_empty()) else {
            // Nothing was ever written, or nothing that is there says what came before.
            return match used.first() {
                None if image.is_none() => Ok(Self { image: None, segments: Vec::new() }),
                Some(_) | None => Err(missing(first)),
            };
        };
        let segments = wanted.iter().enumerate().map(|(at, used)| Segment::open(disk, used, at + 1 == wanted.len()));
        Ok(Self { image, segments: segments.collect::<Result<_, _>>()? })
    }
}

impl<F: DiskFile> Segment<F> {
    fn open<D: Disk<File = F>>(disk: &D, used: &Used, is_last: bool) -> Result<Self, Fault> {
        let name = used.name.clone();
        let open = || disk.open(&name, Access::Read).attempt("open", &name);
        let size = used.header.segment_bytes;
        let copied = if is_last { end_of_frames(open()?, used, begin(used))? } else { size };
        Ok(Self { file: open()?, name, size, copied })
    }

    /// Zeroes are written and not only allotted: the node that goes on here must not pay for them.
    fn copy_to<D: Disk<File = F>>(&self, into: &D, pace: &mut dyn FnMut(u64)) -> Result<(), Fault> {
        let file = into.create(&self.name).attempt("make", &self.name)?;
        file.allocate(self.size).attempt("take the room for", &self.name)?;
        copy_bytes(&self.file, &file, (&self.name, self.copied), pace)?;
        let (zeroes, mut at) = (AlignedBuffer::for_steps(self.size.saturating_sub(self.copied)), self.copied);
        while at < self.size {
            let length = usize::try_from(self.size - at).unwrap_or(MIB).min(MIB);
            file.write_at(zeroes.bytes(length), at).attempt("write", &self.name)?;
            at += length as u64;
            pace(length as u64);
        }
        file.sync().attempt("sync", &self.name)?;
        file.forget_cached().attempt("read past the cache", &self.name)
    }
}

/// Copies the first `upto` bytes of a file, or as many as there are.
pub(super) fn copy_bytes<F: DiskFile>(
    from: &F,
    into: &F,
    (name, upto): (&str, u64),
    pace: &mut dyn FnMut(u64),
) -> Result<(), Fault> {
    let (mut at, mut bytes) = (0, AlignedBuffer::for_steps(upto));
    while at < upto {
        let wanted = usize::try_from(upto - at).unwrap_or(MIB).min(MIB);
        let read = from.read_at(&mut bytes.all_mut()[..wanted], at).attempt("read", name)?;
        if read == 0 {
            break;
        }
        into.write_at(bytes.bytes(read), at).attempt("write", name)?;
        at += read as u64;
        pace(read as u64);
    }
    Ok(())
}

/// Reads the copy as a start would. Nothing may be torn there.
fn check<D: Disk>(disk: &D, identity: Identity) -> Result<Vec<StreamTail>, Fault> {
    let found = recover(disk, identity, &mut |_| {}, &mut |_| {})?;
    if let Some(cut) = found.cut {
        let what = "the copy does not end with a whole frame".to_owned();
        return Err(Fault::Damage { file: cut.file, offset: cut.offset, frame: cut.frame, what });
    }
    for segment in images_on(disk)? {
        image::open_sound(disk, segment, identity).ok_or_else(|| missing(segment))?;
    }
    Ok(found.position.tails)
}

fn missing(segment: u64) -> Fault {
    let what = format!("neither an image that can be read nor segment {segment} says what came before it");
    Fault::Damage { file: super::segment::name(segment), offset: LOG_BLOCK_BYTES as u64, frame: 0, what }
}
