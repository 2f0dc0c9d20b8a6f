//! When snapshots are made: a thread of the lowest priority that looks once a second how far the log has grown, and
//! whether somebody asked for one.
//!
//! # Always true
//! - It never waits for anybody but itself, and nobody waits for it: a snapshot that fails is reported, and tried again
//!   later.
//! - With the disk low none is begun: it would take what is left. What is kept of the log for sinks alone goes then.
//! # Not here
//! - How a snapshot is made, what is kept and what is trimmed: `shard::snapshot`.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::{Context, Waker};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::NodeFault;
use super::snapshot_wish::SnapshotWish;
use crate::adapters::Desk;
use crate::base::limits::{SNAPSHOT_LOOK_MS, SNAPSHOT_RETRY_MS, SNAPSHOT_SEAL_MS_MAX, SNAPSHOT_WISH_LOOK_MS};
use crate::engine::Command;
use crate::shard::{HeldCursor, Inbox, Snapshot, SnapshotFault, make_snapshot_on, tidy_up_on};
use crate::wal::{Disk, Fault, FileDisk, Handle, Sealed, images_on};
use crate::wire::Request;

/// What an operator may choose.
#[derive(Debug, Clone)]
pub(super) struct SnapshotOptions {
    /// The log's directory.
    pub(super) dir: PathBuf,
    /// A snapshot is made when so many bytes of the log have been sealed since the last one.
    pub(super) log_bytes: u64,
    /// Bytes of one segment.
    pub(super) segment_bytes: u64,
    /// Read and written in a second, at most.
    pub(super) bytes_per_second: u64,
    /// Free bytes on the disk below which none is begun.
    pub(super) low_water_bytes: u64,
    /// Bytes of the log that are kept for a sink that does not take them.
    pub(super) feed_behind_bytes: u64,
    /// Where somebody asks for one.
    pub(super) wish: SnapshotWish,
}

/// The thread. Dropping it ends it.
pub(super) struct Snapshots {
    stop: Arc<Stop>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Stop {
    told: Mutex<bool>,
    changed: Condvar,
}

impl Stop {
    /// Sleeps, but not past a stop. Says whether to go on.
    fn sleep(&self, span: Duration) -> bool {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(told, span, |told| !*told);
        !*waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

impl Snapshots {
    pub(super) fn start(options: SnapshotOptions, log: Handle, inboxes: Vec<Inbox>) -> Result<Self, NodeFault> {
        let stop = Arc::<Stop>::default();
        let told = Arc::clone(&stop);
        // What is left of a wish to a node that is gone is nobody's.
        options.wish.forget();
        let run = move || run(&options, (&log, &mut Desk::new(inboxes)), &told);
        let thread = std::thread::Builder::new().name("snapshots".to_owned()).spawn(run);
        let thread = thread.map_err(|source| NodeFault::System { what: "the snapshots", source })?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Snapshots {
    fn drop(&mut self) {
        *self.stop.told.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.stop.changed.notify_all();
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread of the snapshots has panicked");
        }
    }
}

fn run(options: &SnapshotOptions, (log, desk): (&Handle, &mut Desk), stop: &Stop) {
    // The kernel may refuse: the bandwidth is bounded all the same.
    let _refused = rustix::process::nice(LOWEST_PRIORITY);
    let disk = FileDisk::new(&options.dir);
    let mut pause = SNAPSHOT_LOOK_MS;
    while stop.sleep(Duration::from_millis(pause.min(SNAPSHOT_LOOK_MS))) {
        pause = pause.saturating_sub(SNAPSHOT_LOOK_MS);
        let is_wish = options.wish.take_up();
        if pause > 0 && !is_wish {
            continue;
        }
        if is_wish && !seal(log, stop) {
            options.wish.settle(Some("the log did not begin another segment; the disk may be low"));
            continue;
        }
        let looked = look(&disk, options, is_wish, desk, stop);
        if is_wish {
            options.wish.settle(match &looked {
                Ok(Looked::DiskLow) => Some("the disk is low"),
                Ok(Looked::Done) => None,
                Err(_) => Some("it failed; the server's log says why"),
            });
        }
        pause = SNAPSHOT_LOOK_MS;
        if let Err(fault) = looked {
            tracing::warn!(%fault, "no snapshot was made; the log stays as it is, and this is tried again");
            pause = SNAPSHOT_RETRY_MS;
        }
    }
}

/// Ends the segment being written: a snapshot is of everything before the segment that is. `false` when that takes too
/// long.
fn seal(log: &Handle, stop: &Stop) -> bool {
    let (ticket, begun) = (log.seal(), Instant::now());
    while !log.is_sealed(ticket) {
        let is_late = begun.elapsed() > Duration::from_millis(SNAPSHOT_SEAL_MS_MAX);
        if is_late || log.failed() || !stop.sleep(Duration::from_millis(SNAPSHOT_WISH_LOOK_MS)) {
            return false;
        }
    }
    true
}

/// What came of a look.
enum Looked {
    /// A snapshot was made, or none was to be made.
    Done,
    /// None was begun.
    DiskLow,
}

/// As low as priorities go.
const LOWEST_PRIORITY: i32 = 19;

/// Makes a snapshot if the log has grown far enough, or somebody wishes it.
fn look(
    disk: &FileDisk,
    options: &SnapshotOptions,
    is_wish: bool,
    desk: &mut Desk,
    stop: &Stop,
) -> Result<Looked, SnapshotFault> {
    let (begun, mut done) = (Instant::now(), 0);
    let mut pace = |bytes: u64| {
        done += bytes;
        let due = Duration::from_secs_f64(done as f64 / options.bytes_per_second as f64);
        let go_on = stop.sleep(due.saturating_sub(begun.elapsed()));
        if go_on { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    if disk.free_bytes().is_ok_and(|free| free < options.low_water_bytes) {
        make_room(disk, &mut pace)?;
        return Ok(Looked::DiskLow);
    }
    if !is_wish && !is_wanted(disk, options)? {
        return Ok(Looked::Done);
    }
    let Some(made) = make_snapshot_on(disk, &mut pace)? else { return Ok(Looked::Done) };
    // Ended in the middle, this is done after the next one.
    let trimmed = tidy_up_on(disk, &made.cursors, &mut pace)?;
    let (segment, bytes, seconds) = (made.joint.segment, made.bytes, begun.elapsed().as_secs_f64());
    tracing::info!(segment, bytes, seconds, trimmed, "made a snapshot of everything before the segment");
    detach(&made, options, desk);
    Ok(Looked::Done)
}

/// With the disk low the log is kept for no sink: orders matter more, and a sink is told what it misses.
fn make_room(disk: &FileDisk, pace: &mut dyn FnMut(u64) -> ControlFlow<()>) -> Result<(), Fault> {
    let (images, sealed) = (images_on(disk)?, Sealed::open_on(disk)?);
    let &[.., older, _newest] = &*images else { return Ok(()) };
    if sealed.is_some_and(|sealed| sealed.begin().segment < older) {
        let trimmed = tidy_up_on(disk, &[], pace)?;
        tracing::warn!(trimmed, "the disk is low: segments that were kept for a sink are gone");
    }
    Ok(())
}

/// Lets go of cursors that hold too much of the log: a sink that takes nothing must not fill the disk.
fn detach(made: &Snapshot, options: &SnapshotOptions, desk: &mut Desk) {
    for HeldCursor { shard, sink, upto, segment } in &made.cursors {
        let behind = (made.joint.segment - segment).saturating_mul(options.segment_bytes);
        if behind > options.feed_behind_bytes {
            tracing::warn!(sink, shard = shard.0, behind, "the log is no longer kept for a sink that does not take it");
            // A shard that has no room for this now is asked again after the next snapshot.
            let request = Request::Command(Command::DetachCursor { sink, upto: *upto });
            desk.submit(usize::from(shard.0), 0, &request);
        }
    }
    while desk.poll_told(&mut Context::from_waker(Waker::noop())).is_ready() {}
}

fn is_wanted(disk: &FileDisk, options: &SnapshotOptions) -> Result<bool, SnapshotFault> {
    let Some(sealed) = Sealed::open_on(disk)? else { return Ok(false) };
    let newest = images_on(disk)?.last().copied().unwrap_or(1);
    let grown = sealed.end().segment.saturating_sub(newest).saturating_mul(options.segment_bytes);
    Ok(grown > 0 && grown >= options.log_bytes)
}
