//! Snapshots: the state at a place between two segments of the log, kept as an image beside it.
//!
//! ```text
//! image before segment 5 ─┐
//! segment 5, 6 (sealed) ──┴─ fold, one shard after the other ─► image before segment 7 ─► trim below the older image
//!                                                               └─ attached cursors ─────────┘
//! start: newest image that can be read ─► entries of the log behind it
//! ```
//!
//! # Always true
//! - The live shards take no part: what is folded is the log, by the same `fold`.
//! - One shard is in memory at a time.
//! - Where no image can be read, the log from its first entry is the state; where it has been trimmed, nothing is
//!   guessed.
//! # Not here
//! - When a snapshot is made, and how fast: whoever calls.

use std::ops::ControlFlow;

use super::recover::{RecoverError, Recovery};
use crate::base::{Sequence, ShardId};
use crate::engine::{Capacity, Cursor, ImageError};
use crate::wal::{
    Disk, Fault, ImageReader, ImageWriter, Joint, Sealed, StreamTail, images_on, remove_images_on, trim_on,
};

/// Why there is no new snapshot, or an image is of no use.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotFault {
    /// The disk, or what lies on it.
    #[error(transparent)]
    Log(#[from] Fault),
    /// The log holds what is no fact.
    #[error(transparent)]
    Recover(#[from] RecoverError),
    /// The bytes of an image are sound and make no state.
    #[error("{file}: {source}")]
    Image {
        /// The file.
        file: String,
        /// What does not fit.
        source: ImageError,
    },
    /// The beginning of the log is not there, and no image holds it.
    #[error("the log begins at segment {segment} and no image that can be read holds what came before")]
    Beginning {
        /// The oldest segment.
        segment: u64,
    },
}

/// A snapshot that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// What it is the state at.
    pub joint: Joint,
    /// Bytes of the image.
    pub bytes: u64,
    /// The attached cursors in it.
    pub cursors: Vec<HeldCursor>,
}

/// A cursor for which the log is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldCursor {
    /// In which shard.
    pub shard: ShardId,
    /// Whose.
    pub sink: String,
    /// The last entry that its sink has taken.
    pub upto: Sequence,
    /// The oldest segment that it needs.
    pub segment: u64,
}

/// Folds the sealed part of the log over the newest image and keeps what comes of it as the next one. `pace` is told
/// every number of bytes read or written; it may sleep, and ends the work with [`ControlFlow::Break`]. `None` when
/// nothing was sealed since the newest image, or when it was told to end.
///
/// # Errors
/// [`SnapshotFault`]. What is there already stays as it was.
pub fn make_snapshot_on<D: Disk>(
    disk: &D,
    pace: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> Result<Option<Snapshot>, SnapshotFault> {
    let Some(sealed) = Sealed::open_on(disk)? else { return Ok(None) };
    let (begin, end) = (sealed.begin(), sealed.end());
    let mut stopped = false;
    let (base, bad) = newest_readable(disk, |image| match image.read(None, &mut |_, part| pace(part.len() as u64)) {
        Ok(flow) => {
            stopped |= flow.is_break();
            ControlFlow::Continue(())
        }
        Err(fault) => ControlFlow::Break(fault.into()),
    })?;
    if stopped {
        return Ok(None);
    }
    let from = match &base {
        Some(image) if image.joint().segment >= end.segment => return Ok(None),
        Some(image) => image.joint().segment,
        None if begin.segment != 1 => return Err(SnapshotFault::Beginning { segment: begin.segment }),
        None if end.segment == 1 => return Ok(None),
        None => 1,
    };
    let mut writer = ImageWriter::create_on(disk, &sealed)?;
    let mut cursors = Vec::new();
    for stream in (0..sealed.shards()).map(ShardId) {
        let mut recovery = Recovery::of_stream(sealed.shards(), stream);
        if let Some(image) = &base
            && load(image, &mut recovery, Some(stream), pace)?.is_break()
        {
            return Ok(None);
        }
        if sealed.read(from, &mut |entry| recovery.handle_entry(entry), pace)?.is_break() {
            return Ok(None);
        }
        let (engines, _) = recovery.finish()?;
        let engine = &engines[usize::from(stream.0)];
        let attached = engine.cursors().filter(|(_, cursor)| cursor.attached);
        cursors.extend(attached.map(|(sink, Cursor { upto, .. })| {
            let segment = sealed.segment_behind(stream, upto);
            HeldCursor { shard: stream, sink: sink.to_owned(), upto, segment }
        }));
        engine.write_image(&mut |part| {
            stopped |= pace(part.len() as u64).is_break();
            if stopped { Ok(()) } else { writer.put(stream, part) }
        })?;
        if stopped {
            return Ok(None);
        }
    }
    let Some(bytes) = writer.finish(pace)? else { return Ok(None) };
    // One that could not be read may have been of the same place: the new one lies there now.
    let bad: Vec<u64> = bad.into_iter().filter(|segment| *segment != end.segment).collect();
    remove_images_on(disk, &bad)?;
    Ok(Some(Snapshot { joint: end, bytes, cursors }))
}

/// Removes images but for the newest and the one before it that can be read, and the segments of the log that the
/// latter holds and none of these cursors needs. Says how many segments went. `pace` as for [`make_snapshot_on`]; what
/// it ends is tidied up next time.
///
/// # Errors
/// [`Fault`].
pub fn tidy_up_on<D: Disk>(
    disk: &D,
    cursors: &[HeldCursor],
    pace: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> Result<usize, Fault> {
    let mut images = images_on(disk)?;
    images.pop();
    // The newest was read back when it was made. The older one is read again before the log rests on it.
    while let Some(segment) = images.pop() {
        let mut flow = ControlFlow::Continue(());
        let read = ImageReader::open_on(disk, segment).and_then(|image| {
            flow = image.read(None, &mut |_, part| pace(part.len() as u64))?;
            Ok(image)
        });
        if flow.is_break() {
            return Ok(0);
        }
        match read {
            Ok(image) => {
                remove_images_on(disk, &images)?;
                let mut upto: Vec<_> = image.joint().tails.iter().map(|tail| tail.sequence).collect();
                for cursor in cursors {
                    let upto = &mut upto[usize::from(cursor.shard.0)];
                    *upto = (*upto).min(cursor.upto);
                }
                return trim_on(disk, image.joint().segment, &upto);
            }
            Err(fault @ Fault::Damage { .. }) => {
                tracing::warn!(%fault, "an image cannot be read; removing it");
                remove_images_on(disk, &[segment])?;
            }
            Err(fault) => return Err(fault),
        }
    }
    Ok(0)
}

/// Recovery that begins with the newest image that can be read, and the place it stands at then. Images that cannot be
/// read are reported and passed over.
///
/// # Errors
/// [`Fault`] when the directory cannot be read.
pub fn recover_on<D: Disk>(
    disk: &D,
    shards: u16,
    capacity: Capacity,
    reserve: u64,
) -> Result<(Recovery, Option<Joint>), Fault> {
    let fresh = || {
        let mut recovery = Recovery::new(shards, capacity);
        recovery.reserve(reserve);
        recovery
    };
    let mut recovery = fresh();
    let mut at_once = |_| ControlFlow::Continue(());
    let (used, _bad) = newest_readable(disk, |image| match load(image, &mut recovery, None, &mut at_once) {
        Ok(_never_ended) => ControlFlow::Continue(()),
        Err(fault) => {
            recovery = fresh();
            ControlFlow::Break(fault)
        }
    })?;
    Ok((recovery, used.map(|image| image.joint().clone())))
}

/// An image, if one can be read, and those that cannot and are newer.
type Readable<D> = (Option<ImageReader<<D as Disk>::File>>, Vec<u64>);

/// The newest image that opens and that `check` lets through, and those passed over for it.
fn newest_readable<D: Disk>(
    disk: &D,
    mut check: impl FnMut(&ImageReader<D::File>) -> ControlFlow<SnapshotFault>,
) -> Result<Readable<D>, Fault> {
    let mut bad = Vec::new();
    for segment in images_on(disk)?.into_iter().rev() {
        let opened = ImageReader::open_on(disk, segment).map_err(SnapshotFault::from);
        let fault = match opened.map(|image| (check(&image), image)) {
            Ok((ControlFlow::Continue(()), image)) => return Ok((Some(image), bad)),
            Ok((ControlFlow::Break(fault), _)) | Err(fault) => fault,
        };
        tracing::warn!(%fault, "an image cannot be read; taking the one before it");
        bad.push(segment);
    }
    Ok((None, bad))
}

/// Loads an image, or what it holds of one stream. Breaks when `pace` does.
fn load<F: crate::wal::DiskFile>(
    image: &ImageReader<F>,
    recovery: &mut Recovery,
    only: Option<ShardId>,
    pace: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, SnapshotFault> {
    let mut misfit = None;
    let flow = image.read(only, &mut |stream, part| {
        if misfit.is_none() {
            misfit = recovery.handle_image_part(stream, part).err();
        }
        pace(part.len() as u64)
    })?;
    if flow.is_break() {
        return Ok(flow);
    }
    let finished = misfit.map_or_else(|| recovery.finish_image(&image.joint().tails), Err);
    finished.map_err(|source| SnapshotFault::Image { file: image.name().to_owned(), source })?;
    Ok(flow)
}

/// Whether the log goes on where an image, or nothing, ends: the stream and the last entry that is missing, if not.
#[must_use]
pub fn missing_beginning(trimmed: &[StreamTail], image: Option<&Joint>) -> Option<(usize, u64)> {
    let held = |stream: usize| image.and_then(|joint| joint.tails.get(stream)).map_or(0, |tail| tail.sequence.0);
    let stream = (0..trimmed.len()).find(|stream| trimmed[*stream].sequence.0 > held(*stream))?;
    Some((stream, trimmed[stream].sequence.0))
}
