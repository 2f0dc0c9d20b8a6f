//! A disk in memory for the tests of this module: it can be copied, corrupted, filled up, cut off, and it forgets what
//! was not synced.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use super::disk::{Access, Disk, DiskFile};

#[derive(Clone, Default)]
pub(super) struct FakeDisk {
    world: Arc<Mutex<World>>,
}

#[derive(Clone)]
pub(super) struct World {
    pub(super) files: BTreeMap<String, Content>,
    /// Without a name any more, for whoever holds them open.
    unlinked: BTreeMap<String, Content>,
    /// What became of names, in order: those removed, and an empty one for each time names were made durable.
    pub(super) removed: Vec<String>,
    pub(super) free: u64,
    pub(super) fail_writes: bool,
    pub(super) fail_syncs: bool,
    pub(super) locked: bool,
    pub(super) random: u128,
}

impl Default for World {
    fn default() -> Self {
        let files = BTreeMap::new();
        Self {
            files,
            unlinked: BTreeMap::new(),
            removed: Vec::new(),
            free: u64::MAX,
            fail_writes: false,
            fail_syncs: false,
            locked: false,
            random: 1,
        }
    }
}

#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) cached: Vec<u8>,
    pub(super) durable: Vec<u8>,
}

impl FakeDisk {
    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().expect("no test panics while it holds the world")
    }

    /// Another disk with the same content, nobody using it.
    pub(super) fn copy(&self) -> Self {
        let mut world = self.world().clone();
        (world.locked, world.fail_syncs, world.fail_writes, world.free) = (false, false, false, u64::MAX);
        Self { world: Arc::new(Mutex::new(world)) }
    }

    /// A copy after a power cut: what was not synced is gone.
    pub(super) fn crashed(&self) -> Self {
        let copy = self.copy();
        copy.world().files.values_mut().for_each(|file| file.cached.clone_from(&file.durable));
        copy
    }

    pub(super) fn bytes(&self, name: &str) -> Vec<u8> {
        self.world().files[name].cached.clone()
    }

    /// Changes a file behind the log's back.
    pub(super) fn change(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut world = self.world();
        let file = world.files.get_mut(name).expect("the file exists");
        change(&mut file.cached);
        file.durable.clone_from(&file.cached);
    }
}

pub(super) struct FakeFile {
    disk: FakeDisk,
    name: Mutex<String>,
    access: Access,
}

pub(super) struct FakeLock(FakeDisk);

impl Drop for FakeLock {
    fn drop(&mut self) {
        self.0.world().locked = false;
    }
}

impl Disk for FakeDisk {
    type File = FakeFile;
    type Lock = FakeLock;

    fn describe(&self) -> String {
        "fake".to_owned()
    }

    fn create_dir(&self) -> io::Result<()> {
        Ok(())
    }

    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.world().files.keys().cloned().collect())
    }

    fn open(&self, name: &str, access: Access) -> io::Result<FakeFile> {
        match self.world().files.contains_key(name) {
            true => Ok(FakeFile { disk: self.clone(), name: Mutex::new(name.to_owned()), access }),
            false => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn create(&self, name: &str) -> io::Result<FakeFile> {
        self.world().files.insert(name.to_owned(), Content::default());
        self.open(name, Access::Write)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut world = self.world();
        let file = world.files.remove(from).ok_or(io::ErrorKind::NotFound)?;
        world.files.insert(to.to_owned(), file);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut world = self.world();
        world.removed.push(name.to_owned());
        let file = world.files.remove(name).ok_or(io::ErrorKind::NotFound)?;
        world.unlinked.insert(name.to_owned(), file);
        Ok(())
    }

    fn sync_dir(&self) -> io::Result<()> {
        self.world().removed.push(String::new());
        Ok(())
    }

    fn free_bytes(&self) -> io::Result<u64> {
        Ok(self.world().free)
    }

    fn lock(&self, _exclusive: bool) -> io::Result<Option<FakeLock>> {
        let mut world = self.world();
        if world.locked {
            return Ok(None);
        }
        world.locked = true;
        Ok(Some(FakeLock(self.clone())))
    }

    fn random(&self) -> io::Result<u128> {
        let mut world = self.world();
        world.random = world.random.wrapping_mul(0x2360_ED05_1FC6_5DA4_4385_DF64_9FCC_F645).wrapping_add(1442);
        Ok(world.random >> 32)
    }
}

impl FakeFile {
    fn with<T>(&self, body: impl FnOnce(&mut Content) -> T) -> T {
        let name = self.name.lock().expect("no test panics here").clone();
        let World { files, unlinked, .. } = &mut *self.disk.world();
        let file = files.get_mut(&name).or_else(|| unlinked.get_mut(&name).filter(|_| self.access == Access::Read));
        body(file.expect("an open file is removed only under a reader"))
    }
}

impl DiskFile for FakeFile {
    fn size(&self) -> io::Result<u64> {
        Ok(self.with(|file| file.cached.len() as u64))
    }

    fn allocate(&self, bytes: u64) -> io::Result<()> {
        let mut world = self.disk.world();
        if world.free < bytes {
            return Err(io::ErrorKind::StorageFull.into());
        }
        world.free -= if world.free == u64::MAX { 0 } else { bytes };
        Ok(())
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        assert!(self.access != Access::Read, "a file opened for reading is not written");
        if self.disk.world().fail_writes {
            return Err(io::Error::other("the test said so"));
        }
        let (start, end) = (offset as usize, offset as usize + bytes.len());
        self.with(|file| {
            file.cached.resize(file.cached.len().max(end), 0);
            file.cached[start..end].copy_from_slice(bytes);
            if self.access == Access::Durable {
                file.durable.clone_from(&file.cached);
            }
        });
        Ok(())
    }

    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        Ok(self.with(|file| {
            let rest = file.cached.get(offset as usize..).unwrap_or_default();
            let length = rest.len().min(into.len());
            into[..length].copy_from_slice(&rest[..length]);
            length
        }))
    }

    fn sync(&self) -> io::Result<()> {
        if self.disk.world().fail_syncs {
            return Err(io::Error::other("the test said so"));
        }
        self.with(|file| file.durable.clone_from(&file.cached));
        Ok(())
    }

    fn forget_cached(&self) -> io::Result<()> {
        Ok(())
    }
}
