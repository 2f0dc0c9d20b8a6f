//! The directory's own header: whose log this is, and for how many shards. Written once, at first start.

use super::aligned::AlignedBuffer;
use super::disk::{Access, Disk, DiskFile};
use super::fault::Attempt;
use super::fields::{put, u16_at, u128_at};
use super::frame::VERSION;
use super::segment::{check_version, is_sealed_block, seal_block};
use super::{Fault, segment};
use crate::base::limits::LOG_BLOCK_BYTES;

pub(super) const NAME: &str = "stockade.header";
const NEW_NAME: &str = "stockade.header.new";
const MAGIC: [u8; 8] = *b"STOCKADE";

/// What every file of one log has in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    /// Drawn at first start: a file of another node is never taken for ours.
    pub(super) node: u128,
    pub(super) shards: u16,
}

/// Keeps others out of the directory while the lock lives.
pub(super) fn lock<D: Disk>(disk: &D, exclusive: bool) -> Result<D::Lock, Fault> {
    let directory = disk.describe();
    match disk.lock(exclusive).attempt("lock", &directory)? {
        Some(lock) => Ok(lock),
        None => Err(Fault::InUse { directory }),
    }
}

/// Looks whether somebody holds the log; one that does not exist is free.
///
/// # Errors
/// [`Fault::InUse`].
pub fn check_free<D: Disk>(disk: &D) -> Result<(), Fault> {
    match read(disk) {
        Err(Fault::NoLog { .. }) => Ok(()),
        _ => lock(disk, true).map(drop),
    }
}

/// Reads the header, or writes one if the directory holds no log yet.
pub(super) fn open<D: Disk>(disk: &D, shards: u16) -> Result<Identity, Fault> {
    let found = match read(disk) {
        Err(Fault::NoLog { .. }) => {
            let node = disk.random().attempt("draw the name of", NAME)?;
            return create(disk, Identity { node, shards });
        }
        other => other?,
    };
    if found.shards == shards {
        Ok(found)
    } else {
        Err(Fault::OtherShards { directory: disk.describe(), found: found.shards, asked: shards })
    }
}

/// Reads the header.
///
/// # Errors
/// [`Fault::NoLog`] when there is neither a header nor a segment; [`Fault::Damage`] when only segments are there.
pub(super) fn read<D: Disk>(disk: &D) -> Result<Identity, Fault> {
    let directory = disk.describe();
    let names = match disk.list() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(Fault::NoLog { directory }),
        names => names.attempt("list", &directory)?,
    };
    if names.iter().any(|name| name == NAME) {
        return read_block(disk);
    }
    match names.iter().any(|name| segment::number_in(name).is_some()) {
        true => Err(damage("it is missing, yet there are segments")),
        false => Err(Fault::NoLog { directory }),
    }
}

/// For how many shards the log in `dir` was made; `None` where there is none yet.
///
/// # Errors
/// [`Fault::Damage`] and [`Fault::OtherVersion`] of the header.
pub fn shards_of(dir: &std::path::Path) -> Result<Option<u16>, Fault> {
    match read(&super::FileDisk::new(dir)) {
        Ok(identity) => Ok(Some(identity.shards)),
        Err(Fault::NoLog { .. }) => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// What the log in `dir` calls itself, drawn at first start; `None` where there is none yet.
///
/// # Errors
/// As [`shards_of`].
pub fn node_of(dir: &std::path::Path) -> Result<Option<u128>, Fault> {
    match read(&super::FileDisk::new(dir)) {
        Ok(identity) => Ok(Some(identity.node)),
        Err(Fault::NoLog { .. }) => Ok(None),
        Err(fault) => Err(fault),
    }
}

fn read_block<D: Disk>(disk: &D) -> Result<Identity, Fault> {
    let file = disk.open(NAME, Access::Read).attempt("open", NAME)?;
    let mut block = vec![0; LOG_BLOCK_BYTES];
    let read = file.read_at(&mut block, 0).attempt("read", NAME)?;
    if !is_sealed_block(&block[..read], MAGIC) {
        return Err(damage("its checksum does not match"));
    }
    check_version(NAME, &block)?;
    Ok(Identity { shards: u16_at(&block, 10), node: u128_at(&block, 16) })
}

fn damage(what: &str) -> Fault {
    Fault::Damage { file: NAME.to_owned(), offset: 0, frame: 0, what: what.to_owned() }
}

/// Writes the header under another name first: it is there whole, or not at all.
pub(super) fn create<D: Disk>(disk: &D, identity: Identity) -> Result<Identity, Fault> {
    let mut buffer = AlignedBuffer::new(LOG_BLOCK_BYTES);
    let block = buffer.all_mut();
    put(block, 0, &MAGIC);
    put(block, 8, &VERSION.to_le_bytes());
    put(block, 10, &identity.shards.to_le_bytes());
    put(block, 16, &identity.node.to_le_bytes());
    seal_block(block);
    let file = disk.create(NEW_NAME).attempt("create", NEW_NAME)?;
    file.write_at(block, 0).attempt("write", NEW_NAME)?;
    file.sync().attempt("sync", NEW_NAME)?;
    disk.rename(NEW_NAME, NAME).attempt("rename", NEW_NAME)?;
    disk.sync_dir().attempt("sync", &disk.describe())?;
    Ok(identity)
}
