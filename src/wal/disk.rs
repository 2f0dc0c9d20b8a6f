//! The disk as the log sees it: one flat directory of files, every failure possible.
//!
//! The real one is `FileDisk`; a simulation brings its own, which forgets, tears and flips what was not synced.
//!
//! # Always true
//! - A write is promised only after `sync` of its file (or, for a file opened [`Access::Durable`], by its own
//!   return); a name is promised only after `sync_dir`.

use std::io;

use super::SyncMethod;

/// What a file is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Reading only.
    Read,
    /// Reading and writing; durable after `sync`.
    Write,
    /// Writing only, in whole aligned blocks; durable when the write returns.
    Durable,
}

impl From<SyncMethod> for Access {
    fn from(method: SyncMethod) -> Self {
        match method {
            SyncMethod::Fdatasync => Self::Write,
            SyncMethod::DirectDsync => Self::Durable,
        }
    }
}

/// One directory.
pub trait Disk: Clone + Send + Sync + 'static {
    /// An open file.
    type File: DiskFile;
    /// Keeps others out while it lives.
    type Lock: Send + 'static;

    /// How people call the directory.
    fn describe(&self) -> String;
    /// Makes the directory, with its parents, if need be.
    fn create_dir(&self) -> io::Result<()>;
    /// The names in the directory, in any order. A directory that does not exist is `NotFound`.
    fn list(&self) -> io::Result<Vec<String>>;
    /// Opens a file that exists.
    fn open(&self, name: &str, access: Access) -> io::Result<Self::File>;
    /// Makes an empty file, or empties the one there is.
    fn create(&self, name: &str) -> io::Result<Self::File>;
    /// Renames a file over whatever has the new name.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Makes names durable.
    fn sync_dir(&self) -> io::Result<()>;
    /// Bytes that may still be written.
    fn free_bytes(&self) -> io::Result<u64>;
    /// `None` when somebody else holds it. Readers share, and leave no trace; a writer is alone.
    fn lock(&self, exclusive: bool) -> io::Result<Option<Self::Lock>>;
    /// Randomness comes from here too, so that one seed makes one world.
    fn random(&self) -> io::Result<u128>;
    /// Fills `into` with it.
    fn fill_random(&self, into: &mut [u8]) -> io::Result<()> {
        for bytes in into.chunks_mut(16) {
            bytes.copy_from_slice(&self.random()?.to_le_bytes()[..bytes.len()]);
        }
        Ok(())
    }
}

/// One open file.
pub trait DiskFile: Send + 'static {
    /// Bytes of the file.
    fn size(&self) -> io::Result<u64>;
    /// Takes the room for `bytes` bytes from the disk.
    fn allocate(&self, bytes: u64) -> io::Result<()>;
    /// Writes all of `bytes`.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Fills `into`; shorter only at the end of the file.
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Makes every write so far durable.
    fn sync(&self) -> io::Result<()>;
    /// Makes the next read come from the device and not from a cache that may hold what never reached it.
    fn forget_cached(&self) -> io::Result<()>;
}
