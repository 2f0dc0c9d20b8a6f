//! A disk in memory whose power fails in the middle of an operation that the test names. Of a block that was being
//! written every sector is then the old one, the new one, or rubbish, whoever else has bytes in it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::base::limits::LOG_BLOCK_BYTES;
use crate::wal::{Access, Disk, DiskFile};

const SECTOR_BYTES: usize = 512;

#[derive(Clone)]
pub(super) struct TornDisk(Arc<Mutex<World>>);

#[derive(Clone)]
struct World {
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    contents: Vec<Content>,
    dice: u64,
    operations_left: Option<u64>,
    off: bool,
}

#[derive(Clone, Default)]
struct Content {
    cached: Vec<u8>,
    durable: Vec<u8>,
    /// Blocks written since the last sync.
    dirty: BTreeSet<usize>,
}

impl World {
    fn roll(&mut self, below: u64) -> u64 {
        self.dice = self.dice.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(0x1405_7B7E_F767_814F);
        (self.dice >> 33) % below
    }

    /// `false`: this is the operation in the middle of which the power fails.
    fn begin(&mut self) -> io::Result<bool> {
        match (&mut self.operations_left, self.off) {
            (_, true) => Err(io::Error::other("the power is off")),
            (Some(0), false) => {
                self.off = true;
                Ok(false)
            }
            (Some(left), false) => {
                *left -= 1;
                Ok(true)
            }
            (None, false) => Ok(true),
        }
    }
}

fn outcome(goes_on: bool) -> io::Result<()> {
    if goes_on { Ok(()) } else { Err(io::Error::other("the power failed")) }
}

impl TornDisk {
    pub(super) fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(World {
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            contents: Vec::new(),
            dice: seed,
            operations_left: None,
            off: false,
        })))
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().expect("no test panics while it holds the world")
    }

    pub(super) fn fail_after(&self, operations: u64) {
        self.world().operations_left = Some(operations);
    }

    pub(super) fn is_off(&self) -> bool {
        self.world().off
    }

    /// What the machine finds when it starts again.
    pub(super) fn crash(&self) {
        let world = &mut *self.world();
        let names = if world.roll(2) == 0 { world.durable_names.clone() } else { world.names.clone() };
        (world.names, world.durable_names) = (names.clone(), names);
        // Sometimes all old, sometimes all new, else a mixture, with rubbish or without.
        let (new_in_ten, rubbish) = ([0, 5, 10][world.roll(3) as usize], world.roll(2) == 0);
        for at in 0..world.contents.len() {
            let mut content = std::mem::take(&mut world.contents[at]);
            let grown = content.cached.len() - content.durable.len();
            let kept = [0, grown, world.roll(grown as u64 + 1) as usize][world.roll(3) as usize];
            content.durable.resize(content.durable.len() + kept, 0);
            for sector in content.dirty.iter().flat_map(|block| (0..8).map(move |part| block * 8 + part)) {
                let start = (sector * SECTOR_BYTES).min(content.durable.len());
                let bytes = start..(start + SECTOR_BYTES).min(content.durable.len());
                if world.roll(10) < new_in_ten {
                    content.durable[bytes.clone()].copy_from_slice(&content.cached[bytes]);
                } else if rubbish && world.roll(2) == 0 {
                    content.durable[bytes].iter_mut().for_each(|byte| *byte = world.roll(256) as u8);
                }
            }
            content.dirty.clear();
            content.cached.clone_from(&content.durable);
            world.contents[at] = content;
        }
        (world.operations_left, world.off) = (None, false);
    }

    /// Whether these bytes stand anywhere on the disk, in a file with a name or without. A key begins on a multiple of
    /// eight.
    pub(super) fn holds(&self, wanted: &[u8]) -> bool {
        let holds = |content: &Content| content.durable.windows(wanted.len()).step_by(8).any(|bytes| bytes == wanted);
        self.world().contents.iter().any(holds)
    }

    pub(super) fn bytes(&self, name: &str) -> Vec<u8> {
        let world = self.world();
        world.contents[world.names[name]].cached.clone()
    }

    pub(super) fn change(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let world = &mut *self.world();
        let content = &mut world.contents[world.names[name]];
        change(&mut content.cached);
        content.durable.clone_from(&content.cached);
    }
}

pub(super) struct TornFile {
    disk: TornDisk,
    content: usize,
}

impl Disk for TornDisk {
    type File = TornFile;
    type Lock = ();

    fn describe(&self) -> String {
        "keys".to_owned()
    }

    fn create_dir(&self) -> io::Result<()> {
        Ok(())
    }

    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.world().names.keys().cloned().collect())
    }

    fn open(&self, name: &str, _: Access) -> io::Result<TornFile> {
        let content = *self.world().names.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(TornFile { disk: self.clone(), content })
    }

    fn create(&self, name: &str) -> io::Result<TornFile> {
        let world = &mut *self.world();
        let goes_on = world.begin()?;
        world.contents.push(Content::default());
        let content = world.contents.len() - 1;
        world.names.insert(name.to_owned(), content);
        outcome(goes_on).map(|()| TornFile { disk: self.clone(), content })
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let world = &mut *self.world();
        let goes_on = world.begin()?;
        let content = world.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        world.names.insert(to.to_owned(), content);
        outcome(goes_on)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        panic!("nobody removes {name}: its bytes would stay")
    }

    fn sync_dir(&self) -> io::Result<()> {
        let world = &mut *self.world();
        let goes_on = world.begin()?;
        if goes_on {
            world.durable_names = world.names.clone();
        }
        outcome(goes_on)
    }

    fn free_bytes(&self) -> io::Result<u64> {
        Ok(u64::MAX)
    }

    fn lock(&self, _: bool) -> io::Result<Option<()>> {
        Ok(Some(()))
    }

    fn random(&self) -> io::Result<u128> {
        let world = &mut *self.world();
        Ok((0..8).fold(0, |bits, _| bits << 16 | u128::from(world.roll(1 << 16))))
    }
}

impl DiskFile for TornFile {
    fn size(&self) -> io::Result<u64> {
        Ok(self.disk.world().contents[self.content].cached.len() as u64)
    }

    fn allocate(&self, _: u64) -> io::Result<()> {
        Ok(())
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let world = &mut *self.disk.world();
        let goes_on = world.begin()?;
        let content = &mut world.contents[self.content];
        let (start, end) = (offset as usize, offset as usize + bytes.len());
        content.cached.resize(end.max(content.cached.len()), 0);
        content.cached[start..end].copy_from_slice(bytes);
        content.dirty.extend(start / LOG_BLOCK_BYTES..end.div_ceil(LOG_BLOCK_BYTES));
        outcome(goes_on)
    }

    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        let world = self.disk.world();
        let cached = &world.contents[self.content].cached;
        let start = (offset as usize).min(cached.len());
        let count = into.len().min(cached.len() - start);
        into[..count].copy_from_slice(&cached[start..start + count]);
        Ok(count)
    }

    fn sync(&self) -> io::Result<()> {
        let world = &mut *self.disk.world();
        let goes_on = world.begin()?;
        if goes_on {
            let content = &mut world.contents[self.content];
            content.durable.clone_from(&content.cached);
            content.dirty.clear();
        }
        outcome(goes_on)
    }

    fn forget_cached(&self) -> io::Result<()> {
        Ok(())
    }
}
