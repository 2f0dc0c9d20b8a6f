//! Opening a key file at start: what the log says is in use is kept, everything else is overwritten.
//!
//! ```text
//!                        file: the key of this name in …
//! log: the slot is …     both copies      one copy             neither
//! in use                 taken            taken, other mended  lost, overwritten
//! free                   overwritten with a fresh key of the name it is to have
//! ```
//!
//! # Always true
//! - Whatever is refused is refused before anything is written.
//! - Copies are mended before anything is overwritten. A power cut damages copies of one side only, so that mending
//!   writes no block whose twin is damaged, and overwriting begins with two sound copies of every key in use.
//! - What is overwritten is on the disk before a key of it is given out.
//! # Why so
//! A key that was destroyed just before a power cut may be there still; one that was never used, and one that was used
//! by an order of a log that has since been put back to an older state, look the same. So none of them is kept.

use zeroize::Zeroizing;

use super::Fault;
use super::fault::Attempt;
use super::file::{self, Headers, KeyFile};
use super::layout::{BLOCK_SLOTS, Header, Key, PAIR_BYTES, Side, pairs};
use super::table::Table;
use crate::base::limits::{LOG_BLOCK_BYTES, MIB};
use crate::base::{KeyName, ShardId};
use crate::wal::Disk;

/// Whose keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The log's name of itself, drawn at first start.
    pub node: u128,
    /// The shard.
    pub shard: ShardId,
}

/// What the log says of one slot. A slot that nobody speaks of is free, and was never used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// The key that is in use, or is to be used next.
    pub name: KeyName,
    /// Whether it is in use.
    pub in_use: bool,
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Found {
    /// Keys in use that are there.
    pub in_use: u64,
    /// Keys in use that are not: what was sealed under them stays closed.
    pub lost: u64,
    /// Keys of which one copy was damaged.
    pub mended: u64,
}

/// A key file that is sound, with its keys in memory.
pub struct Opened<D: Disk> {
    pub(super) disk: D,
    pub(super) file: KeyFile<D::File>,
    pub(super) table: Table,
    /// What was found.
    pub found: Found,
    /// Names of the lost ones.
    pub lost: Vec<KeyName>,
}

/// Opens the keys of one shard, or makes them.
///
/// # Errors
/// Every [`Fault`] but [`Fault::Write`].
pub fn open_on<D: Disk>(
    disk: &D,
    place: Place,
    slots: u32,
    expected: impl Iterator<Item = Expected>,
) -> Result<Opened<D>, Fault> {
    let mut table = Table::new(slots);
    let (mut marks, mut live) = (vec![Mark::Free; slots as usize], 0);
    let mut beyond = None;
    for Expected { name, in_use } in expected {
        live += u64::from(in_use);
        match marks.get_mut(name.slot as usize) {
            Some(mark) => {
                table.expect(name);
                *mark = if in_use { Mark::Sought } else { Mark::Free };
            }
            None if in_use => beyond = beyond.max(Some(name)),
            None => {}
        }
    }
    if let Some(in_use) = beyond {
        return Err(Fault::TooFew { file: file::name(place.shard), slots, in_use });
    }
    let (file, headers) = match KeyFile::find(disk, place)? {
        Some(found) => found,
        None if live > 0 => return Err(Fault::Missing { file: file::name(place.shard), live }),
        None => KeyFile::create(disk, place)?,
    };
    let mut opening = Opening { disk, file, table, marks, lost: Vec::new() };
    let found = opening.run(headers)?;
    let Opening { file, table, lost, .. } = opening;
    Ok(Opened { disk: disk.clone(), file, table, found, lost })
}

/// What is known of a slot while the file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Free,
    Sought,
    Whole,
    /// This copy is damaged, the other is not.
    Torn(Side),
    Lost,
}

impl Mark {
    /// Whether the slot holds a key in use.
    const fn is_kept(self) -> bool {
        matches!(self, Self::Whole | Self::Torn(_))
    }
}

struct Opening<'d, D: Disk> {
    disk: &'d D,
    file: KeyFile<D::File>,
    table: Table,
    marks: Vec<Mark>,
    lost: Vec<KeyName>,
}

impl<D: Disk> Opening<'_, D> {
    fn run(&mut self, headers: Headers) -> Result<Found, Fault> {
        let header = self.file.settle(headers, self.table.slots())?;
        self.read(&header)?;
        let mended = self.mend()?;
        self.draw()?;
        self.overwrite(&header)?;
        let in_use = self.marks.iter().filter(|mark| mark.is_kept()).count() as u64;
        Ok(Found { in_use, lost: self.lost.len() as u64, mended })
    }

    fn read(&mut self, header: &Header) -> Result<(), Fault> {
        let mut bytes = Zeroizing::new(vec![0; MIB]);
        let at_once = (MIB / PAIR_BYTES) as u32;
        let end = pairs(header.slots.min(self.table.slots()));
        for first in (0..end).step_by(at_once as usize) {
            let count = at_once.min(end - first) as usize;
            let bytes = &mut bytes[..count * PAIR_BYTES];
            self.file.read_pairs(first, bytes)?;
            let (whole, _) = bytes.as_chunks::<PAIR_BYTES>();
            for (pair, number) in whole.iter().zip(first..) {
                self.take(pair, number);
            }
        }
        Ok(())
    }

    fn take(&mut self, pair: &[u8; PAIR_BYTES], number: u32) {
        for slot in slots_of(number, self.table.slots()) {
            let mark = &mut self.marks[slot as usize];
            if *mark != Mark::Sought {
                continue;
            }
            let name = self.table.name(slot);
            let [first, second] = Side::BOTH.map(|side| self.file.key_in(pair, side, name));
            let key = match (first, second) {
                (Some(first), Some(second)) if first == second => {
                    *mark = Mark::Whole;
                    first
                }
                // Two sound copies of one name that differ: the first was written first.
                (Some(first), _) => {
                    *mark = Mark::Torn(Side::Second);
                    first
                }
                (None, Some(second)) => {
                    *mark = Mark::Torn(Side::First);
                    second
                }
                (None, None) => {
                    *mark = Mark::Lost;
                    continue;
                }
            };
            self.table.put(name, &key);
        }
    }

    fn mend(&mut self) -> Result<u64, Fault> {
        let mut mended = 0;
        for side in Side::BOTH {
            let before = mended;
            for (slot, _) in (0..).zip(&self.marks).filter(|(_, mark)| **mark == Mark::Torn(side)) {
                let name = self.table.name(slot);
                let key = Key::new(*self.table.key(name).expect("law: the other copy was taken"));
                self.file.write_slot(side, name, &key).attempt("write", &self.file.name)?;
                mended += 1;
            }
            if mended > before {
                self.file.sync()?;
            }
        }
        Ok(mended)
    }

    /// Draws the keys of all slots that hold none in use. What a lost one was called is not given out again.
    fn draw(&mut self) -> Result<(), Fault> {
        for (slot, mark) in (0..).zip(&self.marks) {
            let mut name = self.table.name(slot);
            match mark {
                Mark::Whole | Mark::Torn(_) => continue,
                Mark::Free => {}
                // Nobody looked where the file was too short for it.
                Mark::Lost | Mark::Sought => {
                    self.lost.push(name);
                    name = name.next();
                }
            }
            let key = draw(self.disk).attempt("draw a key for", &self.file.name)?;
            self.table.put(name, &key);
        }
        Ok(())
    }

    /// Writes every block that holds anything but keys in use. Slots beyond the table are made blank.
    fn overwrite(&mut self, header: &Header) -> Result<(), Fault> {
        let all = self.file.pairs(header)?;
        let is_kept = |slot: u32| self.marks.get(slot as usize).is_some_and(|mark| mark.is_kept());
        let mut block = Zeroizing::new(vec![0; LOG_BLOCK_BYTES]);
        for side in Side::BOTH {
            for pair in 0..all {
                let mut slots = slots_of(pair, u32::MAX);
                if slots.clone().all(is_kept) {
                    continue;
                }
                block.fill(0);
                slots.by_ref().filter(|slot| *slot < self.table.slots()).for_each(|slot| {
                    let name = self.table.name(slot);
                    let key = Key::new(*self.table.key(name).expect("law: every slot was given a key"));
                    self.file.put_slot(&mut block, name, &key);
                });
                self.file.write_block(side, pair, &block)?;
            }
            self.file.sync()?;
        }
        Ok(())
    }
}

fn slots_of(pair: u32, slots: u32) -> std::ops::Range<u32> {
    let first = pair.saturating_mul(BLOCK_SLOTS);
    first..first.saturating_add(BLOCK_SLOTS).min(slots)
}

/// A key nobody has seen.
pub(super) fn draw<D: Disk>(disk: &D) -> std::io::Result<Key> {
    let mut key = Key::default();
    disk.fill_random(&mut *key)?;
    Ok(key)
}
