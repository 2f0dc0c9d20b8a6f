//! One shard's key file: found or made, grown, and written slot by slot.
//!
//! ```text
//! make:   header for no slots, under another name ─► sync ─► rename
//! grow:   blank blocks behind the last ─► sync ─► first header ─► sync ─► second header ─► sync
//! write:  first copies ─► sync ─► second copies ─► sync
//! ```
//!
//! # Always true
//! - A file with its name has a sound header, and is at least as long as it says; longer when growing was broken off.
//! - It never gets shorter and is never copied to grow: no old bytes are left where nobody overwrites them.

use super::Fault;
use super::fault::Attempt;
use super::layout::{COPY_BYTES, Header, Key, PAIR_BYTES, Side, decode_slot, encode_slot, file_bytes, pairs};
use super::opening::Place;
use crate::base::limits::{LOG_BLOCK_BYTES, MIB};
use crate::base::{KeyName, ShardId};
use crate::wal::{Access, Disk, DiskFile};

/// What the key file of a shard is called.
pub(super) fn name(shard: ShardId) -> String {
    format!("shard-{:05}.keys", shard.0)
}

/// What it is called until it is whole.
pub(super) fn new_name(name: &str) -> String {
    format!("{name}.new")
}

pub(super) struct KeyFile<F> {
    pub(super) name: String,
    shard: ShardId,
    file: F,
}

impl<F: DiskFile> KeyFile<F> {
    /// Opens the file of this place, and changes nothing; `None` when there is none.
    pub(super) fn find<D: Disk<File = F>>(disk: &D, place: Place) -> Result<Option<(Self, Headers)>, Fault> {
        Self::find_for(disk, place, Access::Write)
    }

    /// The same, to be copied.
    pub(super) fn find_to_read<D: Disk<File = F>>(disk: &D, place: Place) -> Result<Option<(Self, Headers)>, Fault> {
        Self::find_for(disk, place, Access::Read)
    }

    fn find_for<D: Disk<File = F>>(disk: &D, place: Place, access: Access) -> Result<Option<(Self, Headers)>, Fault> {
        let name = name(place.shard);
        let file = match disk.open(&name, access) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            file => file.attempt("open", &name)?,
        };
        let found = Self { name, shard: place.shard, file };
        let headers = found.headers()?;
        found.check(&headers.newest, place)?;
        Ok(Some((found, headers)))
    }

    /// Makes a file without slots: under its name it is there whole, or not at all.
    pub(super) fn create<D: Disk<File = F>>(disk: &D, place: Place) -> Result<(Self, Headers), Fault> {
        let name = name(place.shard);
        let new_name = new_name(&name);
        disk.create_dir().attempt("make", &disk.describe())?;
        let newest = Header { node: place.node, shard: place.shard, edition: 1, slots: 0 };
        let file = disk.create(&new_name).attempt("make", &new_name)?;
        for side in Side::BOTH {
            file.write_at(&newest.encode(), side.header_at()).attempt("write", &new_name)?;
        }
        file.sync().attempt("sync", &new_name)?;
        disk.rename(&new_name, &name).attempt("rename", &new_name)?;
        disk.sync_dir().attempt("sync", &disk.describe())?;
        let file = disk.open(&name, Access::Write).attempt("open", &name)?;
        Ok((Self { name, shard: place.shard, file }, Headers { newest, stale: None }))
    }

    fn headers(&self) -> Result<Headers, Fault> {
        let read = |side: Side| {
            let mut block = vec![0; LOG_BLOCK_BYTES];
            let length = self.file.read_at(&mut block, side.header_at()).attempt("read", &self.name)?;
            Header::decode(&self.name, &block[..length])
        };
        let (newest, stale) = match (read(Side::First)?, read(Side::Second)?) {
            (Some(first), Some(second)) if first == second => (first, None),
            (Some(first), Some(second)) if first.edition < second.edition => (second, Some(Side::First)),
            (Some(first), _) => (first, Some(Side::Second)),
            (None, Some(second)) => (second, Some(Side::First)),
            (None, None) => return Err(Fault::NotAKeyFile { file: self.name.clone() }),
        };
        Ok(Headers { newest, stale })
    }

    fn check(&self, header: &Header, place: Place) -> Result<(), Fault> {
        let file = || self.name.clone();
        if header.node != place.node {
            return Err(Fault::OtherLog { file: file(), found: header.node, expected: place.node });
        }
        if header.shard != place.shard {
            return Err(Fault::OtherShard { file: file(), found: header.shard });
        }
        let (found, expected) = (self.file.size().attempt("look at", &self.name)?, file_bytes(header.slots));
        if found < expected {
            return Err(Fault::CutShort { file: file(), found, expected });
        }
        Ok(())
    }

    /// Makes the two headers equal again after a torn write, and the file as long as `slots` slots need.
    pub(super) fn settle(&self, headers: Headers, slots: u32) -> Result<Header, Fault> {
        let mut header = headers.newest;
        if let Some(side) = headers.stale {
            self.write_header(&header, side)?;
        }
        if slots <= header.slots {
            return Ok(header);
        }
        let (mut at, end) = (file_bytes(header.slots), file_bytes(slots));
        let zeroes = vec![0; MIB];
        while at < end {
            let length = usize::try_from(end - at).unwrap_or(MIB).min(MIB);
            self.file.write_at(&zeroes[..length], at).attempt("make room in", &self.name)?;
            at += length as u64;
        }
        self.sync()?;
        (header.slots, header.edition) = (slots, header.edition.wrapping_add(1));
        Side::BOTH.into_iter().try_for_each(|side| self.write_header(&header, side))?;
        Ok(header)
    }

    fn write_header(&self, header: &Header, side: Side) -> Result<(), Fault> {
        self.file.write_at(&header.encode(), side.header_at()).attempt("write", &self.name)?;
        self.sync()
    }

    /// Reads the file as it is; zero bytes at its end.
    pub(super) fn read_bytes(&self, into: &mut [u8], at: u64) -> Result<usize, Fault> {
        self.file.read_at(into, at).attempt("read", &self.name)
    }

    /// Reads both copies of so many slots as `into` has room for, from the pair of blocks `pair` on.
    pub(super) fn read_pairs(&self, pair: u32, into: &mut [u8]) -> Result<(), Fault> {
        let read = self.file.read_at(into, Side::First.block_at(pair)).attempt("read", &self.name)?;
        // The length was looked at before.
        into[read..].fill(0);
        Ok(())
    }

    /// The key in one copy of a slot of a pair that was read; `None` when the copy is not sound or of another name.
    pub(super) fn key_in(&self, pair: &[u8; PAIR_BYTES], side: Side, name: KeyName) -> Option<Key> {
        let at = (side.slot_at(name.slot) - Side::First.block_at(0)) as usize % PAIR_BYTES;
        let (generation, key) = decode_slot(&pair[at..at + COPY_BYTES], self.shard, name.slot)?;
        (generation == name.generation).then_some(key)
    }

    pub(super) fn write_block(&self, side: Side, pair: u32, block: &[u8]) -> Result<(), Fault> {
        self.file.write_at(block, side.block_at(pair)).attempt("write", &self.name)
    }

    /// Puts one copy of a slot into the block that is to be written.
    pub(super) fn put_slot(&self, block: &mut [u8], name: KeyName, key: &Key) {
        let at = Side::First.slot_at(name.slot) as usize % LOG_BLOCK_BYTES;
        encode_slot(&mut block[at..at + COPY_BYTES], self.shard, name, key);
    }

    pub(super) fn write_slot(&self, side: Side, name: KeyName, key: &Key) -> std::io::Result<()> {
        let mut copy = zeroize::Zeroizing::new([0; COPY_BYTES]);
        encode_slot(&mut *copy, self.shard, name, key);
        self.file.write_at(&*copy, side.slot_at(name.slot))
    }

    /// Puts these keys where others were, and returns once nothing of those is left.
    ///
    /// # Errors
    /// [`Fault::Write`]: some of them may still be there.
    pub(super) fn overwrite(&self, keys: &[(KeyName, Key)]) -> Result<(), Fault> {
        for side in Side::BOTH {
            for (name, key) in keys {
                self.write_slot(side, *name, key).attempt_final("write", &self.name)?;
            }
            self.file.sync().attempt_final("sync", &self.name)?;
        }
        Ok(())
    }

    pub(super) fn sync(&self) -> Result<(), Fault> {
        self.file.sync().attempt("sync", &self.name)
    }

    /// Pairs of blocks that the file has, whatever its header says: one that was left half-grown may hold keys too.
    pub(super) fn pairs(&self, header: &Header) -> Result<u32, Fault> {
        let size = self.file.size().attempt("look at", &self.name)?;
        let whole = size.saturating_sub(file_bytes(0)) / PAIR_BYTES as u64;
        Ok(u32::try_from(whole).unwrap_or(u32::MAX).max(pairs(header.slots)))
    }
}

/// The two headers of a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Headers {
    pub(super) newest: Header,
    /// The one that is torn, or older.
    stale: Option<Side>,
}
