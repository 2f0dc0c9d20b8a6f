//! A disk in memory that keeps its word and no more: what was not synced may be there after a crash, or half of it, or
//! none of it, sector by sector; names that were not synced may be undone.
//!
//! The power can be told to fail in the middle of a coming operation. From then on every operation fails until the
//! crash is over.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use stockade::wal::{Access, Disk, DiskFile};

use crate::rng::Rng;

const SECTOR: usize = 512;

#[derive(Clone)]
pub(crate) struct SimDisk {
    world: Arc<Mutex<World>>,
}

pub(crate) struct World {
    names: BTreeMap<String, usize>,
    /// Changes of names since the last sync of the directory, with the names before.
    undo: Vec<BTreeMap<String, usize>>,
    contents: Vec<Content>,
    rng: Rng,
    locked: bool,
    /// Syncs do nothing and say that they did.
    syncs_lie: bool,
    operations_left: Option<u64>,
    off: bool,
    /// Bytes read or written, but for heads.
    moved: u64,
}

/// Reads and writes up to here are of heads.
const HEAD_BYTES_MAX: usize = 4_096;

#[derive(Default)]
struct Content {
    cached: Vec<u8>,
    durable: Vec<u8>,
    unsynced: Vec<(usize, Vec<u8>)>,
}

impl Content {
    fn sync(&mut self) {
        self.durable.resize(self.cached.len(), 0);
        for (offset, bytes) in self.unsynced.drain(..) {
            self.durable[offset..offset + bytes.len()].copy_from_slice(&bytes);
        }
    }

    /// Every sector of every unsynced write arrives or does not.
    fn crash(&mut self, rng: &mut Rng) {
        // Sometimes all is lost, sometimes nothing, mostly something.
        let kept_in_ten = *rng.pick(&[0, 1, 5, 9, 10]);
        if !self.unsynced.is_empty() || rng.once_in(2) {
            self.durable.resize(self.cached.len(), 0);
        }
        for (offset, bytes) in std::mem::take(&mut self.unsynced) {
            let mut at = 0;
            while at < bytes.len() {
                let end = bytes.len().min((offset + at) / SECTOR * SECTOR + SECTOR - offset);
                if rng.below(10) < kept_in_ten {
                    self.durable[offset + at..offset + end].copy_from_slice(&bytes[at..end]);
                }
                at = end;
            }
        }
        self.cached.clone_from(&self.durable);
    }
}

impl SimDisk {
    pub(crate) fn new(seed: u64, syncs_lie: bool) -> Self {
        let world = World {
            names: BTreeMap::new(),
            undo: Vec::new(),
            contents: Vec::new(),
            rng: Rng::new(seed),
            locked: false,
            syncs_lie,
            operations_left: None,
            off: false,
            moved: 0,
        };
        Self { world: Arc::new(Mutex::new(world)) }
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().expect("the simulation has one thread")
    }

    /// The power fails in the middle of the operation after so many more.
    pub(crate) fn fail_after(&self, operations: u64) {
        self.world().operations_left = Some(operations);
    }

    /// Whether the power has failed.
    pub(crate) fn is_off(&self) -> bool {
        self.world().off
    }

    /// Bytes read and written so far, but for heads.
    pub(crate) fn moved(&self) -> u64 {
        self.world().moved
    }

    /// Flips a bit of the newest image, if there is another one; says whether it did.
    pub(crate) fn break_newest_image(&self) -> bool {
        let mut guard = self.world();
        let world = &mut *guard;
        let images: Vec<_> = world.names.iter().filter(|(name, _)| name.ends_with(".image")).collect();
        let [.., _, (_, content)] = images.as_slice() else { return false };
        let content = &mut world.contents[**content];
        let at = world.rng.below(content.durable.len() as u64) as usize;
        content.durable[at] ^= 1;
        content.cached.clone_from(&content.durable);
        true
    }

    /// What the machine finds when it starts again.
    pub(crate) fn crash(&self) {
        let mut guard = self.world();
        let world = &mut *guard;
        for content in &mut world.contents {
            content.crash(&mut world.rng);
        }
        let undone = world.rng.below(world.undo.len() as u64 + 1) as usize;
        if undone > 0 {
            world.names = world.undo[world.undo.len() - undone].clone();
        }
        world.undo.clear();
        (world.locked, world.operations_left, world.off) = (false, None, false);
    }
}

impl World {
    fn count(&mut self, bytes: usize) {
        self.moved += if bytes > HEAD_BYTES_MAX { bytes as u64 } else { 0 };
    }

    /// Counts an operation. `false`: this is the one in the middle of which the power fails.
    fn begin(&mut self) -> io::Result<bool> {
        if self.off {
            return Err(io::Error::other("the power is off"));
        }
        match &mut self.operations_left {
            Some(0) => {
                self.off = true;
                Ok(false)
            }
            Some(left) => {
                *left -= 1;
                Ok(true)
            }
            None => Ok(true),
        }
    }

    fn change_names(&mut self, change: impl FnOnce(&mut BTreeMap<String, usize>)) -> io::Result<()> {
        let goes_on = self.begin()?;
        self.undo.push(self.names.clone());
        change(&mut self.names);
        if goes_on { Ok(()) } else { Err(power_failed()) }
    }
}

fn power_failed() -> io::Error {
    io::Error::other("the power failed")
}

pub(crate) struct SimFile {
    disk: SimDisk,
    content: usize,
    access: Access,
}

pub(crate) struct SimLock(SimDisk);

impl Drop for SimLock {
    fn drop(&mut self) {
        self.0.world().locked = false;
    }
}

impl Disk for SimDisk {
    type File = SimFile;
    type Lock = SimLock;

    fn describe(&self) -> String {
        "simulated disk".to_owned()
    }

    fn create_dir(&self) -> io::Result<()> {
        Ok(())
    }

    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.world().names.keys().cloned().collect())
    }

    fn open(&self, name: &str, access: Access) -> io::Result<SimFile> {
        let content = *self.world().names.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(SimFile { disk: self.clone(), content, access })
    }

    fn create(&self, name: &str) -> io::Result<SimFile> {
        let content = {
            let mut world = self.world();
            let content = world.contents.len();
            world.contents.push(Content::default());
            world.change_names(|names| {
                names.insert(name.to_owned(), content);
            })?;
            content
        };
        Ok(SimFile { disk: self.clone(), content, access: Access::Write })
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut world = self.world();
        let content = *world.names.get(from).ok_or(io::ErrorKind::NotFound)?;
        world.change_names(|names| {
            names.remove(from);
            names.insert(to.to_owned(), content);
        })
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut world = self.world();
        if !world.names.contains_key(name) {
            return Err(io::ErrorKind::NotFound.into());
        }
        world.change_names(|names| {
            names.remove(name);
        })
    }

    fn sync_dir(&self) -> io::Result<()> {
        let mut world = self.world();
        if !world.begin()? {
            return Err(power_failed());
        }
        if !world.syncs_lie {
            world.undo.clear();
        }
        Ok(())
    }

    fn free_bytes(&self) -> io::Result<u64> {
        Ok(u64::MAX)
    }

    fn lock(&self, _exclusive: bool) -> io::Result<Option<SimLock>> {
        let mut world = self.world();
        if world.locked {
            return Ok(None);
        }
        world.locked = true;
        Ok(Some(SimLock(self.clone())))
    }

    fn random(&self) -> io::Result<u128> {
        let rng = &mut self.world().rng;
        Ok(u128::from(rng.next()) << 64 | u128::from(rng.next()))
    }
}

impl DiskFile for SimFile {
    fn size(&self) -> io::Result<u64> {
        Ok(self.disk.world().contents[self.content].cached.len() as u64)
    }

    fn allocate(&self, bytes: u64) -> io::Result<()> {
        let mut world = self.disk.world();
        if !world.begin()? {
            return Err(power_failed());
        }
        let cached = &mut world.contents[self.content].cached;
        cached.resize((bytes as usize).max(cached.len()), 0);
        Ok(())
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut world = self.disk.world();
        let goes_on = world.begin()?;
        let durable = self.access == Access::Durable && goes_on && !world.syncs_lie;
        world.count(bytes.len());
        let content = &mut world.contents[self.content];
        let offset = offset as usize;
        let end = offset + bytes.len();
        content.cached.resize(end.max(content.cached.len()), 0);
        content.cached[offset..end].copy_from_slice(bytes);
        content.unsynced.push((offset, bytes.to_vec()));
        if durable {
            content.sync();
        }
        if goes_on { Ok(()) } else { Err(power_failed()) }
    }

    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut world = self.disk.world();
        let cached = &world.contents[self.content].cached;
        let start = (offset as usize).min(cached.len());
        let count = into.len().min(cached.len() - start);
        into[..count].copy_from_slice(&cached[start..start + count]);
        world.count(count);
        Ok(count)
    }

    fn sync(&self) -> io::Result<()> {
        let mut world = self.disk.world();
        if !world.begin()? {
            return Err(power_failed());
        }
        if !world.syncs_lie {
            world.contents[self.content].sync();
        }
        Ok(())
    }

    fn forget_cached(&self) -> io::Result<()> {
        Ok(())
    }
}
