//! Opening the log.

use super::disk::Disk;
use super::{Durability, Fault, FileDisk, Handle, Options, Progress, ReplayedEntry, StreamTail};

/// The way in.
#[derive(Debug)]
pub struct Log;

impl Log {
    /// Opens, or makes, the log in `options.dir`, hands every entry to `replay` in order and leaves the log ready to
    /// append.
    ///
    /// # Errors
    /// Any [`Fault`]; nothing was changed on the disk unless a torn tail was cut.
    pub fn open(
        options: &Options,
        replay: &mut dyn FnMut(ReplayedEntry<'_>),
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Opened, Fault> {
        let _ = (options, replay, progress);
        Err(Fault::Failed)
    }
}

/// A log that is open and not yet running.
#[derive(Debug)]
pub struct Opened<D: Disk = FileDisk> {
    /// The last entry of each stream, by stream.
    pub tails: Vec<StreamTail>,
    _disk: D,
    _durability: Durability,
}

impl<D: Disk> Opened<D> {
    /// Starts the log's thread. `on_failure` is called once, from that thread, when a write or a sync has failed.
    pub fn start(self, on_failure: Box<dyn FnOnce(Fault) + Send>) -> Result<(Handle, Running), Fault> {
        let _ = on_failure;
        Err(Fault::Failed)
    }
}

/// The log's threads. Dropping it stops them as [`Running::stop`] does.
#[derive(Debug)]
pub struct Running;

impl Running {
    /// Makes durable whatever was appended, vouches for it, and ends the threads.
    pub fn stop(self) {}
}
