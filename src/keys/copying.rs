//! Key files of a backup: copied if somebody asks for it, and otherwise left out so that a start knows it.
//!
//! # Always true
//! - Of a key that is in use at both ends of the copying one sound copy at least arrives: it is overwritten by nobody
//!   meanwhile, and what is written beside it changes none of its bytes.
//! - A file gets its name once it is synced; nothing is written over.
//! # Why so
//! To be copied after the log: keys that die between the two are then missing, which is what erasing means. The other
//! way round, an order of that moment would have a key in the log and none in the file.

use zeroize::Zeroizing;

use super::Fault;
use super::fault::Attempt;
use super::file::{self, KeyFile};
use super::opening::Place;
use crate::base::ShardId;
use crate::base::limits::MIB;
use crate::wal::{Disk, DiskFile};

/// What was copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Copied {
    /// Files there were.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Copies the key files of a log. A shard without one has never been given details; its copy has none either.
///
/// # Errors
/// Faults of what is copied, and [`Fault::NotEmpty`].
pub fn copy_on<D: Disk>(
    from: &D,
    into: &D,
    (node, shards): (u128, u16),
    pace: &mut dyn FnMut(u64),
) -> Result<Copied, Fault> {
    let mut copied = Copied::default();
    for shard in (0..shards).map(ShardId) {
        if let Some((source, _)) = KeyFile::find_to_read(from, Place { node, shard })? {
            copied.bytes += copy(&source, into, pace)?;
            copied.files += 1;
        }
    }
    Ok(copied)
}

/// Looks whether the key files there are belong to this log, and tells how many there are.
///
/// # Errors
/// Faults of what is there.
pub fn check_on<D: Disk>(disk: &D, (node, shards): (u128, u16)) -> Result<u64, Fault> {
    let mut files = 0;
    for shard in (0..shards).map(ShardId) {
        files += u64::from(KeyFile::find_to_read(disk, Place { node, shard })?.is_some());
    }
    Ok(files)
}

/// Makes files without keys: what was sealed stays closed, and a start finds that to be so on purpose.
///
/// # Errors
/// [`Fault::NotEmpty`], [`Fault::Disk`].
pub fn leave_out_on<D: Disk>(into: &D, (node, shards): (u128, u16)) -> Result<(), Fault> {
    for shard in (0..shards).map(ShardId) {
        check_absent(into, &file::name(shard))?;
        KeyFile::create(into, Place { node, shard })?;
    }
    Ok(())
}

fn copy<D: Disk>(source: &KeyFile<D::File>, into: &D, pace: &mut dyn FnMut(u64)) -> Result<u64, Fault> {
    let name = &source.name;
    into.create_dir().attempt("make", &into.describe())?;
    check_absent(into, name)?;
    let new_name = file::new_name(name);
    let copy = into.create(&new_name).attempt("make", &new_name)?;
    let (mut at, mut bytes) = (0, Zeroizing::new(vec![0; MIB]));
    loop {
        let read = source.read_bytes(&mut bytes, at)?;
        if read == 0 {
            break;
        }
        copy.write_at(&bytes[..read], at).attempt("write", &new_name)?;
        at += read as u64;
        pace(read as u64);
    }
    copy.sync().attempt("sync", &new_name)?;
    into.rename(&new_name, name).attempt("rename", &new_name)?;
    into.sync_dir().attempt("sync", &into.describe())?;
    Ok(at)
}

fn check_absent<D: Disk>(disk: &D, name: &str) -> Result<(), Fault> {
    let names = match disk.list() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        names => names.attempt("list", &disk.describe())?,
    };
    match names.iter().any(|other| other == name) {
        true => Err(Fault::NotEmpty { file: name.to_owned() }),
        false => Ok(()),
    }
}
