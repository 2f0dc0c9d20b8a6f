//! Preparing a segment: taking its room and filling it with zeroes ahead of time.
//!
//! # Why so
//! Writing into blocks that were written before changes no metadata, so a sync costs one write and not a journal
//! commit besides; and a disk that fills up is noticed while a whole segment is still free.

use std::ops::ControlFlow;

use super::aligned::AlignedBuffer;
use super::disk::{Access, Disk, DiskFile};
use super::fault::Attempt;
use super::{Fault, SyncMethod, segment};
use crate::base::limits::MIB;

/// A segment full of zeroes, open for appending.
#[derive(Debug)]
pub struct Prepared<F> {
    pub(super) number: u64,
    pub(super) file: F,
    pub(super) segment_bytes: u64,
    pub(super) epoch: u64,
}

/// What to prepare.
#[derive(Debug, Clone, Copy)]
pub struct Order {
    /// The segment's number.
    pub number: u64,
    /// Its size.
    pub segment_bytes: u64,
    /// How it will be written.
    pub method: SyncMethod,
    /// Free bytes that must remain.
    pub low_water_bytes: u64,
}

/// Makes the segment, durable under its name. `breathe` is called after each synced MiB or so: it may rest, so that
/// the log's own syncs are not held up, or break off.
///
/// # Errors
/// [`Fault::Disk`]; `is_full_disk` when there is no room. Nothing is left behind that a later try could trip over.
pub fn prepare<D: Disk>(
    disk: &D,
    order: Order,
    breathe: &mut dyn FnMut() -> ControlFlow<()>,
) -> Result<Option<Prepared<D::File>>, Fault> {
    let (name, preparing) = (segment::name(order.number), segment::preparing_name(order.number));
    check_room(disk, order, &preparing)?;
    let filled = fill(disk, order, &preparing, breathe);
    match filled {
        Ok(ControlFlow::Continue(())) => {}
        Ok(ControlFlow::Break(())) => {
            disk.remove(&preparing).attempt("remove", &preparing)?;
            return Ok(None);
        }
        Err(fault) => {
            // The first fault is the one to report; a file that stays is removed at the next start.
            let _also_failed = disk.remove(&preparing);
            return Err(fault);
        }
    }
    disk.rename(&preparing, &name).attempt("rename", &preparing)?;
    disk.sync_dir().attempt("sync", &disk.describe())?;
    open(disk, order.number, order.segment_bytes, order.method).map(Some)
}

/// Opens a prepared segment for appending and draws its epoch.
pub(super) fn open<D: Disk>(
    disk: &D,
    number: u64,
    segment_bytes: u64,
    method: SyncMethod,
) -> Result<Prepared<D::File>, Fault> {
    let name = segment::name(number);
    let file = disk.open(&name, Access::from(method)).attempt("open", &name)?;
    let epoch = disk.random().attempt("draw the epoch of", &name)? as u64;
    Ok(Prepared { number, file, segment_bytes, epoch })
}

fn check_room<D: Disk>(disk: &D, order: Order, name: &str) -> Result<(), Fault> {
    let free = disk.free_bytes().attempt("measure the room for", name)?;
    if free < order.segment_bytes.saturating_add(order.low_water_bytes) {
        return Err(std::io::Error::from(std::io::ErrorKind::StorageFull)).attempt("make", name);
    }
    Ok(())
}

fn fill<D: Disk>(
    disk: &D,
    order: Order,
    name: &str,
    breathe: &mut dyn FnMut() -> ControlFlow<()>,
) -> Result<ControlFlow<()>, Fault> {
    let file = disk.create(name).attempt("create", name)?;
    file.allocate(order.segment_bytes).attempt("take room for", name)?;
    let zeroes = AlignedBuffer::for_steps(order.segment_bytes);
    let mut at = 0;
    while at < order.segment_bytes {
        let length = usize::try_from(order.segment_bytes - at).unwrap_or(MIB).min(MIB);
        file.write_at(zeroes.bytes(length), at).attempt("prefill", name)?;
        file.sync().attempt("sync", name)?;
        at += length as u64;
        if breathe().is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}
