//! The thread that overwrites dead keys, for all shards of a node.
//!
//! ```text
//! wait for a name ─► take what else has come ─► draw keys ─► KeyFile::overwrite ─► hand them over, wake
//! ```
//!
//! # Always true
//! - A key is handed over only after both its copies are on the disk, and in the order of the names.
//! - What waits here is at most one name for each slot: a slot whose key is not handed over is in no use.
//! - The first failure is the last thing it does: it tells whoever runs the node, and hands over nothing more.
//! # Why so
//! Two syncs serve as many keys as have died meanwhile, as the log's do for entries. Unlike there nobody is in a hurry
//! as a rule: keys die when orders are closed, all day long, on the disk that the log is on. So batches that are not
//! full keep a distance. A key that dies alone, as in an erasure, waits for nothing.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::Waker;
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use super::Fault;
use super::fault::Attempt;
use super::file::KeyFile;
use super::keyring::{Keyring, Source};
use super::layout::Key;
use super::opening::{Opened, draw};
use crate::base::KeyName;
use crate::base::limits::{KEYS_OVERWRITE_PAUSE_MS, KEYS_OVERWRITTEN_AT_ONCE_MAX};
use crate::wal::Disk;

/// What a keyring asks for.
pub(super) enum Job {
    /// To have whatever lies there overwritten with a key of this name.
    Overwrite { shard: usize, name: KeyName },
    /// To be woken whenever that has been done.
    Watch { shard: usize, waker: Waker },
}

/// A key that is on the disk.
pub(super) struct Fresh {
    pub(super) name: KeyName,
    pub(super) key: Key,
}

/// One shard, as the overwriter sees it.
struct Desk<D: Disk> {
    disk: D,
    file: KeyFile<D::File>,
    keyring: Sender<Fresh>,
    destroyed: Arc<AtomicU64>,
    waker: Option<Waker>,
    /// Being overwritten.
    batch: Vec<(KeyName, Key)>,
}

/// All of them.
pub(super) struct Overwriter<D: Disk> {
    desks: Vec<Desk<D>>,
    jobs: Receiver<Job>,
}

impl<D: Disk> Overwriter<D> {
    /// One keyring for each file, in their order.
    pub(super) fn new(opened: Vec<Opened<D>>) -> (Self, Vec<Keyring>) {
        let (sender, jobs) = channel();
        let (mut desks, mut keyrings) = (Vec::new(), Vec::new());
        for (shard, Opened { disk, file, table, .. }) in opened.into_iter().enumerate() {
            let ((keyring, fresh), destroyed) = (channel(), Arc::<AtomicU64>::default());
            let source = Source::Thread { jobs: sender.clone(), fresh, shard };
            keyrings.push(Keyring::new(table, source, Arc::clone(&destroyed)));
            desks.push(Desk { disk, file, keyring, destroyed, waker: None, batch: Vec::new() });
        }
        (Self { desks, jobs }, keyrings)
    }

    fn run(mut self) -> Result<(), Fault> {
        let mut rests_until = Instant::now();
        while let Ok(job) = self.jobs.recv() {
            // Woken early it is a little early, once.
            std::thread::park_timeout(rests_until.saturating_duration_since(Instant::now()));
            let taken = self.turn(job)?;
            let pause = if taken < KEYS_OVERWRITTEN_AT_ONCE_MAX { KEYS_OVERWRITE_PAUSE_MS } else { 0 };
            rests_until = Instant::now() + Duration::from_millis(pause);
        }
        Ok(())
    }

    /// Does what has been asked for up to now. Nothing has been when `false`.
    #[cfg(test)]
    pub(super) fn turn_if_asked(&mut self) -> Result<bool, Fault> {
        match self.jobs.try_recv() {
            Ok(job) => self.turn(job).map(|_| true),
            Err(_) => Ok(false),
        }
    }

    /// Does what has been asked for, and tells how much that was.
    fn turn(&mut self, first: Job) -> Result<usize, Fault> {
        let mut taken = 0;
        let mut next = Some(first);
        while let Some(job) = next {
            match job {
                Job::Overwrite { shard, name } => self.desks[shard].take(name)?,
                Job::Watch { shard, waker } => self.desks[shard].waker = Some(waker),
            }
            taken += 1;
            next = if taken < KEYS_OVERWRITTEN_AT_ONCE_MAX { self.jobs.try_recv().ok() } else { None };
        }
        self.desks.iter_mut().filter(|desk| !desk.batch.is_empty()).try_for_each(Desk::overwrite)?;
        Ok(taken)
    }
}

impl<D: Disk> Desk<D> {
    fn take(&mut self, name: KeyName) -> Result<(), Fault> {
        let key = draw(&self.disk).attempt_final("draw a key for", &self.file.name)?;
        self.batch.push((name, key));
        Ok(())
    }

    fn overwrite(&mut self) -> Result<(), Fault> {
        self.file.overwrite(&self.batch)?;
        let count = self.batch.len() as u64;
        for (name, key) in self.batch.drain(..) {
            // A shard that has stopped needs no key any more.
            let _stopped = self.keyring.send(Fresh { name, key });
        }
        self.destroyed.fetch_add(count, Ordering::Release);
        self.waker.iter().for_each(Waker::wake_by_ref);
        Ok(())
    }
}

/// The thread, until every keyring is dropped.
#[derive(Debug)]
pub struct Running {
    thread: JoinHandle<()>,
}

impl Running {
    /// Waits until everything that keyrings handed over is overwritten. To be called once they are dropped.
    ///
    /// # Panics
    /// When the thread has panicked.
    pub fn stop(self) {
        self.thread.join().expect("the keys' thread found a law broken");
    }
}

/// Starts the thread; tells `failed` when a key could not be overwritten.
///
/// # Errors
/// When the system has no thread to give.
pub fn start<D: Disk>(
    opened: Vec<Opened<D>>,
    failed: impl FnOnce(Fault) + Send + 'static,
) -> io::Result<(Vec<Keyring>, Running)> {
    let (overwriter, keyrings) = Overwriter::new(opened);
    let body = move || {
        if let Err(fault) = overwriter.run() {
            failed(fault);
        }
    };
    let thread = Builder::new().name("keys".to_owned()).spawn(body)?;
    Ok((keyrings, Running { thread }))
}
