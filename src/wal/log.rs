//! Opening the log, starting and stopping its threads.
//!
//! ```text
//! lock ► header ► settle ► recover ► repair ► probe ► Opened ── start ──► Handle + Running
//! ```

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use crossbeam_utils::sync::Parker;

use super::disk::{Disk, DiskFile};
use super::fault::Attempt;
use super::handle::{About, Shared};
use super::keeper::{Keeper, Port};
use super::prepare::{Order, prepare};
use super::recovery::{Recovered, recover, repair, settle};
use super::tail::{OpenSegment, Tail};
use super::thread::{LogThread, announce};
use super::{
    Cut, Durability, Fault, FileDisk, Handle, Options, Progress, ReplayedEntry, StreamTail, SyncMethod, Writer,
    directory, prepare as segments, probe, segment,
};
use crate::base::limits::LOG_SEGMENTS_AHEAD;

/// The way in.
#[derive(Debug)]
pub struct Log;

impl Log {
    /// Opens, or makes, the log in `options.dir`, hands every entry to `replay` in order and leaves the log ready to
    /// append. With `Durability::Memory` the directory is not touched.
    ///
    /// # Errors
    /// Any [`Fault`]. Nothing on the disk was changed unless the whole log was sound up to a torn tail.
    pub fn open(
        options: &Options,
        replay: &mut dyn FnMut(ReplayedEntry<'_>),
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Opened, Fault> {
        Self::open_on(FileDisk::new(&options.dir), options, replay, progress)
    }

    /// As [`Log::open`], on a disk of any make; `options.dir` is not used.
    ///
    /// # Errors
    /// As [`Log::open`].
    pub fn open_on<D: Disk>(
        disk: D,
        options: &Options,
        replay: &mut dyn FnMut(ReplayedEntry<'_>),
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Opened<D>, Fault> {
        options.check()?;
        announce(options.durability);
        if options.durability == Durability::Memory {
            return Ok(Opened::in_memory(disk, options));
        }
        disk.create_dir().attempt("make", &disk.describe())?;
        let lock = directory::lock(&disk, true)?;
        let identity = directory::open(&disk, options.shards)?;
        settle(&disk)?;
        let recovered = recover(&disk, identity, replay, progress)?;
        if let Some(cut) = &recovered.cut {
            tracing::warn!(file = %cut.file, offset = cut.offset, frame = cut.frame, "cut a torn tail");
        }
        for file in &recovered.discard {
            tracing::warn!(%file, "removed a segment that was never begun and is not full of zeroes");
        }
        repair(&disk, &recovered)?;
        Builder { disk, options: options.clone(), identity, lock, recovered }.build()
    }
}

/// A log that is open and not yet running.
pub struct Opened<D: Disk = FileDisk> {
    /// The last entry of each stream, by stream.
    pub tails: Vec<StreamTail>,
    /// Where each stream stood before the first entry there is: zeroes unless the log was trimmed.
    pub trimmed: Vec<StreamTail>,
    /// The torn tail that was cut, if there was one.
    pub cut: Option<Cut>,
    disk: D,
    options: Options,
    writer: Writer<D>,
    about: About,
    lock: Option<D::Lock>,
}

struct Builder<D: Disk> {
    disk: D,
    options: Options,
    identity: directory::Identity,
    lock: D::Lock,
    recovered: Recovered,
}

impl<D: Disk> Builder<D> {
    fn build(mut self) -> Result<Opened<D>, Fault> {
        let probe = match (self.options.sync_method, self.options.durability) {
            (None, Durability::Sync) => probe::probe(&self.disk)?,
            (Some(_), _) | (None, Durability::Interval { .. } | Durability::Memory) => None,
        };
        let method = match self.options.durability {
            // A direct write is durable when it returns: an interval would mean nothing.
            Durability::Interval { .. } => SyncMethod::Fdatasync,
            Durability::Sync | Durability::Memory => {
                self.options.sync_method.or(probe.map(|report| report.choice())).unwrap_or(SyncMethod::Fdatasync)
            }
        };
        let tail = self.tail(method)?;
        let Recovered { position, cut, trimmed, .. } = self.recovered;
        let (mode, frame_bytes_max) = (self.options.durability, self.options.frame_bytes_max());
        let mut writer = Writer::new(Some(tail), mode, frame_bytes_max, position.tails.clone(), position.vouched);
        // What was just replayed is protected before anything rests on it.
        writer.finish(0)?;
        let about = About { method: Some(method), mode, probe };
        let (tails, lock) = (position.tails, Some(self.lock));
        Ok(Opened { tails, trimmed, cut, disk: self.disk, options: self.options, writer, about, lock })
    }

    fn tail(&mut self, method: SyncMethod) -> Result<Tail<D::File>, Fault> {
        let mut ready = self.ready(method)?;
        let position = &self.recovered.position;
        let Some(active) = self.recovered.active.take() else {
            let first = match ready.pop_front() {
                Some(prepared) => prepared,
                None => self.first_segment(method)?,
            };
            return Tail::begin(self.identity, method, first, position, ready);
        };
        let header = active.header;
        let opened = segments::open(&self.disk, header.number, header.segment_bytes, method)?;
        let (name, number) = (segment::name(header.number), header.number);
        let (segment_bytes, epoch) = (header.segment_bytes, header.epoch);
        let segment = OpenSegment { file: opened.file, name, number, epoch, segment_bytes, offset: active.offset };
        Ok(Tail::new(self.identity, method, segment, position.number, position.hash, ready))
    }

    /// Prepared segments from an earlier run, as long as they have the size asked for; the others are made anew.
    fn ready(&self, method: SyncMethod) -> Result<VecDeque<segments::Prepared<D::File>>, Fault> {
        let mut ready = VecDeque::with_capacity(LOG_SEGMENTS_AHEAD);
        let (mut usable, mut misfits) = (true, Vec::new());
        for number in self.recovered.prepared.iter().copied() {
            let prepared = segments::open(&self.disk, number, self.options.segment_bytes, method)?;
            let name = segment::name(number);
            let size = prepared.file.size().attempt("measure", &name)?;
            usable &= size == self.options.segment_bytes && self.follows(number, ready.len());
            if usable {
                ready.push_back(prepared);
            } else {
                misfits.push(name);
            }
        }
        // From the last on, one by one: a power cut between two removals never leaves a hole.
        for name in misfits.into_iter().rev() {
            self.disk.remove(&name).attempt("remove", &name)?;
            self.disk.sync_dir().attempt("sync", &self.disk.describe())?;
        }
        Ok(ready)
    }

    fn follows(&self, number: u64, ready: usize) -> bool {
        let active = self.recovered.active.as_ref().map_or(0, |active| active.header.number);
        number == active + 1 + ready as u64
    }

    /// The first segment of a new log is waited for; low water is not asked, for there is nothing to protect yet.
    fn first_segment(&self, method: SyncMethod) -> Result<segments::Prepared<D::File>, Fault> {
        let order = Order { number: 1, segment_bytes: self.options.segment_bytes, method, low_water_bytes: 0 };
        let prepared = prepare(&self.disk, order, &mut || ControlFlow::Continue(()))?;
        Ok(prepared.expect("a preparation that is never told to break off runs to its end"))
    }
}

impl<D: Disk> Opened<D> {
    fn in_memory(disk: D, options: &Options) -> Self {
        let tails = vec![StreamTail::default(); usize::from(options.shards)];
        let mode = options.durability;
        Self {
            writer: Writer::new(None, mode, 0, tails.clone(), true),
            about: About { method: None, mode, probe: None },
            trimmed: tails.clone(),
            cut: None,
            tails,
            disk,
            options: options.clone(),
            lock: None,
        }
    }

    /// The machine alone, for whoever brings its own thread and clock. The lock lives as long as the second part.
    pub fn into_writer(self) -> (Writer<D>, Option<D::Lock>) {
        (self.writer, self.lock)
    }

    /// Starts the log's threads. `on_failure` is called at most once, from the log's thread, when a write or a sync
    /// has failed.
    ///
    /// # Errors
    /// [`Fault::Disk`] when the system has no thread to give.
    pub fn start(self, on_failure: Box<dyn FnOnce(Fault) + Send>) -> Result<(Handle, Running), Fault> {
        let (parker, keeper_parker) = (Parker::new(), Parker::new());
        let entry_bytes_max = self.options.entry_bytes_max();
        let shared = Arc::new(Shared::new(&self.tails, entry_bytes_max, self.about, parker.unparker().clone()));
        let port = Arc::new(Port::new(keeper_parker.unparker().clone()));
        let mut running = Running { shared: Arc::clone(&shared), log: None, keeper: None, _lock: self.lock.map(boxed) };
        if let (Some(method), Some((number, upto))) = (self.about.method, self.writer.poll_wanted()) {
            let Options { segment_bytes, low_water_bytes, .. } = self.options;
            // Known before the first placement; from here on the keeper looks.
            shared.set_disk_low(self.disk.free_bytes().is_ok_and(|free| free < low_water_bytes));
            let order = Order { number, segment_bytes, method, low_water_bytes };
            port.want(upto);
            let (shared, port) = (Arc::clone(&shared), Arc::clone(&port));
            let keeper = Keeper { disk: self.disk, shared, port, parker: keeper_parker, order };
            running.keeper = Some(spawn("log-keeper", move || keeper.run())?);
        }
        let thread =
            LogThread { writer: self.writer, shared: Arc::clone(&shared), port, parker, begun: Instant::now() };
        running.log = Some(spawn("log", move || thread.run(on_failure))?);
        Ok((Handle::new(shared), running))
    }
}

fn boxed<L: Send + 'static>(lock: L) -> Box<dyn Send> {
    Box::new(lock)
}

fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, Fault> {
    thread::Builder::new().name(name.to_owned()).spawn(body).attempt("start the thread", name)
}

/// The log's threads. Dropping it stops them as [`Running::stop`] does.
pub struct Running {
    shared: Arc<Shared>,
    log: Option<JoinHandle<()>>,
    keeper: Option<JoinHandle<()>>,
    _lock: Option<Box<dyn Send>>,
}

impl Running {
    /// Makes durable whatever was appended, vouches for it, and ends the threads. The directory is free afterwards.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shared.close();
        for thread in [self.log.take(), self.keeper.take()].into_iter().flatten() {
            if thread.join().is_err() {
                tracing::error!("a thread of the log has panicked");
            }
        }
    }
}
