//! Reading a log that is not in use: for `audit` and `log dump`. Changes nothing.

use std::path::Path;

use super::disk::Disk;
use super::recovery::recover;
use super::sweep::{Seen, sweep};
use super::{Cut, Fault, FileDisk, Progress, ReplayedEntry, StreamTail, directory};

/// A log held open for reading; readers share it, a node that starts meanwhile is refused.
pub struct Reader<D: Disk = FileDisk> {
    disk: D,
    identity: directory::Identity,
    _lock: D::Lock,
}

/// Where reading ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadReport {
    /// The last entry of each stream.
    pub tails: Vec<StreamTail>,
    /// Where each stream stood before the first entry there is.
    pub trimmed: Vec<StreamTail>,
    /// The torn tail that the next start will cut.
    pub torn: Option<Cut>,
}

/// One thing in the log, as `log dump` prints it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item<'a> {
    /// A segment begins.
    Segment {
        /// The file.
        file: &'a str,
        /// Whether its header is sound.
        sound: bool,
    },
    /// A frame that is sound in itself.
    Frame {
        /// The file.
        file: &'a str,
        /// Where in the file.
        offset: u64,
        /// Its number.
        number: u64,
        /// The last frame known durable when it was written.
        durable_upto: u64,
        /// Entries in it; none in a frame that only vouches.
        entries: u32,
    },
    /// An entry of the frame before.
    Entry(ReplayedEntry<'a>),
    /// Bytes that are no frame.
    Unreadable(Region),
}

/// Bytes of a file that hold no sound frame although they are not the empty end of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// The file.
    pub file: String,
    /// Where they begin.
    pub offset: u64,
    /// How many.
    pub bytes: u64,
}

impl Reader {
    /// Opens the log in `dir`.
    ///
    /// # Errors
    /// [`Fault::NoLog`], [`Fault::InUse`] while a node runs, [`Fault::OtherVersion`].
    pub fn open(dir: &Path) -> Result<Self, Fault> {
        Self::open_on(FileDisk::new(dir))
    }
}

impl<D: Disk> Reader<D> {
    /// As [`Reader::open`], on a disk of any make.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn open_on(disk: D) -> Result<Self, Fault> {
        let identity = directory::read(&disk)?;
        let lock = directory::lock(&disk, false)?;
        Ok(Self { disk, identity, _lock: lock })
    }

    /// Streams of the log.
    #[must_use]
    pub fn shards(&self) -> u16 {
        self.identity.shards
    }

    /// Hands over every entry, as recovery would.
    ///
    /// # Errors
    /// [`Fault::Damage`] as recovery would say it.
    pub fn read(
        &self,
        replay: &mut dyn FnMut(ReplayedEntry<'_>),
        progress: &mut dyn FnMut(Progress),
    ) -> Result<ReadReport, Fault> {
        let recovered = recover(&self.disk, self.identity, replay, progress)?;
        Ok(ReadReport { tails: recovered.position.tails, trimmed: recovered.trimmed, torn: recovered.cut })
    }

    /// Hands over whatever there is, sound or not, in the order of the files.
    ///
    /// # Errors
    /// [`Fault::Disk`] when the disk does not answer.
    pub fn dump(&self, visit: &mut dyn FnMut(Item<'_>)) -> Result<(), Fault> {
        sweep(&self.disk, &mut |seen| match seen {
            Seen::Segment { file, header } => visit(Item::Segment { file, sound: header.is_some() }),
            Seen::Unreadable(region) => visit(Item::Unreadable(region)),
            Seen::Frame { file, offset, frame } => {
                let (number, durable_upto) = (frame.header.number, frame.header.durable_upto);
                visit(Item::Frame { file, offset, number, durable_upto, entries: frame.header.entries });
                frame.entries().map_while(Result::ok).for_each(|entry| visit(Item::Entry(entry)));
            }
        })
    }
}
