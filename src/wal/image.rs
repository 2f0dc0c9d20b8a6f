//! Images beside the log: what all entries up to a place between two segments came to, in parts nobody here looks into.
//!
//! ```text
//! image-0000000007.image    everything before segment 7
//! │ header, one block │ part │ part │ … │ end │
//! part: │ length u32 │ stream u16 │ kind u16 │ index u64 │ hash u128 │ bytes │
//! ```
//!
//! # Always true
//! - An image gets its name after it was synced and read back from the device; one that lies here under its name was
//!   whole once.
//! - A part is hashed together with its stream and its index: none is missing, moved or taken from elsewhere.
//! # Not here
//! - What a part means, and when images are made.

use std::ops::ControlFlow;

use super::backup::copy_bytes;
use super::directory::Identity;
use super::disk::{Access, Disk, DiskFile};
use super::fault::Attempt;
use super::fields::{put, u16_at, u32_at, u64_at, u128_at};
use super::frame::VERSION;
use super::sealed::{Joint, Sealed};
use super::segment::{check_version, is_sealed_block, seal_block};
use super::{Fault, StreamTail};
use crate::base::limits::{IMAGE_PART_BYTES_MAX, LOG_BLOCK_BYTES};
use crate::base::{Sequence, ShardId, Timestamp};

const MAGIC: [u8; 8] = *b"STKIMAGE";
const TAILS_AT: usize = 128;
const PREFIX: &str = "image-";
const SUFFIX: &str = ".image";
const PREPARING_SUFFIX: &str = ".preparing";
const PART_HEADER_BYTES: usize = 32;
const KIND_PART: u16 = 1;
const KIND_END: u16 = 2;

fn name(segment: u64) -> String {
    format!("{PREFIX}{segment:010}{SUFFIX}")
}

/// The segment in an image's name; `None` for any other file.
fn number_in(file: &str) -> Option<u64> {
    let number = file.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?.parse().ok()?;
    (name(number) == file).then_some(number)
}

/// The images there are, oldest first, each by the segment that follows it.
///
/// # Errors
/// [`Fault::Disk`].
pub fn images_on<D: Disk>(disk: &D) -> Result<Vec<u64>, Fault> {
    let names = match disk.list() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        names => names.attempt("list", &disk.describe())?,
    };
    let mut numbers: Vec<u64> = names.iter().filter_map(|name| number_in(name)).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// Removes images, and what was left of those that were not finished.
///
/// # Errors
/// [`Fault::Disk`].
pub fn remove_images_on<D: Disk>(disk: &D, segments: &[u64]) -> Result<(), Fault> {
    let names = disk.list().attempt("list", &disk.describe())?;
    let unfinished = |name: &String| name.starts_with(PREFIX) && name.ends_with(PREPARING_SUFFIX);
    let names = segments.iter().map(|segment| name(*segment)).chain(names.into_iter().filter(unfinished));
    for name in names {
        disk.remove(&name).attempt("remove", &name)?;
    }
    disk.sync_dir().attempt("sync", &disk.describe())
}

/// Copies the images that are sound and that `fits` wants into another directory of the same log; tells how many.
pub(super) fn copy_images<D: Disk>(
    from: &D,
    into: &D,
    identity: Identity,
    fits: impl Fn(&Joint) -> bool,
) -> Result<usize, Fault> {
    let mut copied = 0;
    for segment in images_on(from)? {
        let Some(image) = open_sound(from, segment, identity).filter(|image| fits(&image.joint)) else { continue };
        image.copy_to(into, &mut |_| {})?;
        copied += 1;
    }
    Ok(copied)
}

/// Opens an image and reads all of it; `None` when it is not sound.
pub(super) fn open_sound<D: Disk>(disk: &D, segment: u64, of: Identity) -> Option<ImageReader<D::File>> {
    let image = ImageReader::open_file(disk, &name(segment), of).ok()?;
    image.read(None, &mut |_, _| ControlFlow::Continue(())).is_ok().then_some(image)
}

/// Writes one image.
pub struct ImageWriter<D: Disk> {
    disk: D,
    file: D::File,
    temporary: String,
    segment: u64,
    /// Where the next part goes.
    offset: u64,
    parts: u64,
    buffer: Vec<u8>,
}

impl<D: Disk> ImageWriter<D> {
    /// Begins the image of everything before the end of the sealed part.
    ///
    /// # Errors
    /// [`Fault::Disk`].
    pub fn create_on(disk: &D, sealed: &Sealed<D>) -> Result<Self, Fault> {
        let Joint { segment, tails } = sealed.end();
        let temporary = format!("{PREFIX}{segment:010}{PREPARING_SUFFIX}");
        let file = disk.create(&temporary).attempt("make", &temporary)?;
        let mut block = vec![0; LOG_BLOCK_BYTES];
        encode_header(sealed.identity(), segment, &tails, &mut block);
        file.write_at(&block, 0).attempt("write", &temporary)?;
        let (offset, parts, buffer) = (LOG_BLOCK_BYTES as u64, 0, Vec::new());
        Ok(Self { disk: disk.clone(), file, temporary, segment, offset, parts, buffer })
    }

    /// Appends a part of a stream.
    ///
    /// # Errors
    /// [`Fault::Disk`].
    pub fn put(&mut self, stream: ShardId, part: &[u8]) -> Result<(), Fault> {
        assert!(part.len() <= IMAGE_PART_BYTES_MAX, "law: parts are bounded");
        self.append(KIND_PART, stream, part)
    }

    /// Completes the image: syncs it, reads it back from the device, gives it its name. Says how many bytes it has;
    /// `None` when `pace`, which is told every number of bytes that is read, ends the reading.
    ///
    /// # Errors
    /// [`Fault::Disk`]; [`Fault::Damage`] when what is read back is not what was written.
    pub fn finish(mut self, pace: &mut dyn FnMut(u64) -> ControlFlow<()>) -> Result<Option<u64>, Fault> {
        self.append(KIND_END, ShardId(0), &[])?;
        self.file.sync().attempt("sync", &self.temporary)?;
        self.file.forget_cached().attempt("read past the cache", &self.temporary)?;
        let read = ImageReader::open_file(&self.disk, &self.temporary, super::directory::read(&self.disk)?)?;
        if read.joint.segment != self.segment {
            return Err(damage(&self.temporary, 0, "what was written is not what is read back"));
        }
        if read.read(None, &mut |_, part| pace(part.len() as u64))?.is_break() {
            return Ok(None);
        }
        let name = name(self.segment);
        self.disk.rename(&self.temporary, &name).attempt("rename", &name)?;
        self.disk.sync_dir().attempt("sync", &self.disk.describe())?;
        Ok(Some(self.offset))
    }

    fn append(&mut self, kind: u16, stream: ShardId, part: &[u8]) -> Result<(), Fault> {
        let length = u32::try_from(part.len()).expect("law: parts are bounded");
        self.buffer.clear();
        self.buffer.extend(length.to_le_bytes());
        self.buffer.extend(stream.0.to_le_bytes());
        self.buffer.extend(kind.to_le_bytes());
        self.buffer.extend(self.parts.to_le_bytes());
        self.buffer.extend(part_hash(&self.buffer, part).to_le_bytes());
        self.buffer.extend_from_slice(part);
        self.file.write_at(&self.buffer, self.offset).attempt("write", &self.temporary)?;
        self.offset += self.buffer.len() as u64;
        self.parts += 1;
        Ok(())
    }
}

/// Takes a part of a stream; ends the reading with [`ControlFlow::Break`].
pub type TakePart<'t> = &'t mut dyn FnMut(ShardId, &[u8]) -> ControlFlow<()>;

/// Reads one image.
pub struct ImageReader<F> {
    file: F,
    name: String,
    identity: Identity,
    joint: Joint,
}

impl<F: DiskFile> ImageReader<F> {
    /// Opens the image before a segment.
    ///
    /// # Errors
    /// Any [`Fault`].
    pub fn open_on<D: Disk<File = F>>(disk: &D, segment: u64) -> Result<Self, Fault> {
        let name = name(segment);
        let read = Self::open_file(disk, &name, super::directory::read(disk)?)?;
        if read.joint.segment == segment {
            Ok(read)
        } else {
            Err(damage(&name, 0, "its header is that of another image"))
        }
    }

    fn open_file<D: Disk<File = F>>(disk: &D, name: &str, of: Identity) -> Result<Self, Fault> {
        let file = disk.open(name, Access::Read).attempt("open", name)?;
        let mut block = vec![0; LOG_BLOCK_BYTES];
        let read = file.read_at(&mut block, 0).attempt("read", name)?;
        if read < LOG_BLOCK_BYTES || !is_sealed_block(&block, MAGIC) {
            return Err(damage(name, 0, "its header is not sound"));
        }
        check_version(name, &block)?;
        let identity = Identity { node: u128_at(&block, 16), shards: u16_at(&block, 10) };
        if identity != of {
            return Err(damage(name, 0, "it belongs to another log"));
        }
        let tail = |stream: u16| {
            let at = TAILS_AT + 16 * usize::from(stream);
            StreamTail { sequence: Sequence(u64_at(&block, at)), log_time: Timestamp::from_ms(u64_at(&block, at + 8)) }
        };
        let joint = Joint { segment: u64_at(&block, 32), tails: (0..identity.shards).map(tail).collect() };
        Ok(Self { file, name: name.to_owned(), identity, joint })
    }

    /// How the file is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is the image of: everything before this.
    #[must_use]
    pub const fn joint(&self) -> &Joint {
        &self.joint
    }

    /// Copies it into another directory, to be read from the device from then on.
    pub(super) fn copy_to<D: Disk<File = F>>(&self, into: &D, pace: &mut dyn FnMut(u64)) -> Result<(), Fault> {
        let file = into.create(&self.name).attempt("make", &self.name)?;
        copy_bytes(&self.file, &file, (&self.name, u64::MAX), pace)?;
        file.sync().attempt("sync", &self.name)?;
        file.forget_cached().attempt("read past the cache", &self.name)
    }

    /// Streams it holds.
    #[must_use]
    pub const fn shards(&self) -> u16 {
        self.identity.shards
    }

    /// Hands out every part, in the order written, up to the end, which must be there; or those of one stream, and
    /// leaves the others unread. Breaks when `take` does.
    ///
    /// # Errors
    /// [`Fault::Damage`] at the first part that is not sound.
    pub fn read(&self, only: Option<ShardId>, take: TakePart<'_>) -> Result<ControlFlow<()>, Fault> {
        let (mut at, mut index) = (LOG_BLOCK_BYTES as u64, 0);
        let (mut head, mut part) = ([0; PART_HEADER_BYTES], Vec::new());
        loop {
            let read = self.file.read_at(&mut head, at).attempt("read", &self.name)?;
            let length = u32_at(&head, 0) as usize;
            if read < PART_HEADER_BYTES || length > IMAGE_PART_BYTES_MAX || u64_at(&head, 8) != index {
                return Err(damage(&self.name, at, "a part is missing"));
            }
            let (stream, kind) = (ShardId(u16_at(&head, 4)), u16_at(&head, 6));
            let next = at + (PART_HEADER_BYTES + length) as u64;
            if kind == KIND_PART && only.is_some_and(|only| only != stream) {
                (at, index) = (next, index + 1);
                continue;
            }
            part.resize(length, 0);
            let read = self.file.read_at(&mut part, at + PART_HEADER_BYTES as u64).attempt("read", &self.name)?;
            if read < length || part_hash(&head[..16], &part) != u128_at(&head, 16) {
                return Err(damage(&self.name, at, "a part is not as it was written"));
            }
            match kind {
                KIND_PART if stream.0 < self.identity.shards => {
                    if take(stream, &part).is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
                KIND_END => return Ok(ControlFlow::Continue(())),
                _ => return Err(damage(&self.name, at, "a part is of an unknown kind or stream")),
            }
            (at, index) = (next, index + 1);
        }
    }
}

fn part_hash(head: &[u8], part: &[u8]) -> u128 {
    let mut hash = xxhash_rust::xxh3::Xxh3::new();
    hash.update(head);
    hash.update(part);
    hash.digest128()
}

fn encode_header(identity: Identity, segment: u64, tails: &[StreamTail], block: &mut [u8]) {
    put(block, 0, &MAGIC);
    put(block, 8, &VERSION.to_le_bytes());
    put(block, 10, &identity.shards.to_le_bytes());
    put(block, 16, &identity.node.to_le_bytes());
    put(block, 32, &segment.to_le_bytes());
    for (stream, tail) in tails.iter().enumerate() {
        put(block, TAILS_AT + 16 * stream, &tail.sequence.0.to_le_bytes());
        put(block, TAILS_AT + 16 * stream + 8, &tail.log_time.ms().to_le_bytes());
    }
    seal_block(block);
}

fn damage(file: &str, offset: u64, what: &str) -> Fault {
    Fault::Damage { file: file.to_owned(), offset, frame: 0, what: what.to_owned() }
}
