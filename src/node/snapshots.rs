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
use super::snapshot_wish::SnapshotWishes;
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
    pub(super) wishes: SnapshotWishes,
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
    fn is_told(&self) -> bool {
        *self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

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
        let system = |source| NodeFault::System { what: "the snapshots", source };
        options.wishes.open().map_err(system)?;
        let run = move || {
            run(&options, (&log, &mut Desk::new(inboxes)), &told);
            options.wishes.close();
        };
        let thread = std::thread::Builder::new().name("snapshots".to_owned()).spawn(run);
        let thread = thread.map_err(system)?;
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
        let wishes = options.wishes.take_up();
        if pause > 0 && wishes.is_empty() {
            continue;
        }
        let is_wished = !wishes.is_empty();
        // What is left of a full disk is not spent on ends of segments.
        let is_low = is_low(&disk, options);
        if is_wished && !is_low && !seal(log, stop) {
            SnapshotWishes::settle(&wishes, Some("the log did not begin another segment in time"));
            continue;
        }
        let looked = if is_low { look_low(&disk, stop, options) } else { look(&disk, options, is_wished, desk, stop) };
        if stop.is_told() {
            // In the middle of it, or not: whoever waits learns that the server is gone, and the next one makes it.
            return;
        }
        SnapshotWishes::settle(
            &wishes,
            match &looked {
                Ok(()) if is_low => Some("the disk is low"),
                Ok(()) => None,
                Err(_) => Some("it failed; the server's log says why"),
            },
        );
        pause = SNAPSHOT_LOOK_MS;
        if let Err(fault) = looked {
            tracing::warn!(%fault, "no snapshot was made; the log stays as it is, and this is tried again");
            pause = SNAPSHOT_RETRY_MS;
        }
    }
}

/// As low as priorities go.
const LOWEST_PRIORITY: i32 = 19;

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

fn is_low(disk: &FileDisk, options: &SnapshotOptions) -> bool {
    disk.free_bytes().is_ok_and(|free| free < options.low_water_bytes)
}

/// Waits after so many bytes as long as the bandwidth wants; breaks off when the node stops.
fn pace<'s>(stop: &'s Stop, options: &SnapshotOptions) -> impl FnMut(u64) -> ControlFlow<()> + use<'s> {
    let (begun, mut done, bytes_per_second) = (Instant::now(), 0, options.bytes_per_second as f64);
    move |bytes: u64| {
        done += bytes;
        let due = Duration::from_secs_f64(done as f64 / bytes_per_second);
        let go_on = stop.sleep(due.saturating_sub(begun.elapsed()));
        if go_on { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}

/// Makes a snapshot if the log has grown far enough, or somebody wishes it.
fn look(
    disk: &FileDisk,
    options: &SnapshotOptions,
    is_wished: bool,
    desk: &mut Desk,
    stop: &Stop,
) -> Result<(), SnapshotFault> {
    if !is_wished && !is_wanted(disk, options)? {
        return Ok(());
    }
    let (begun, mut pace) = (Instant::now(), pace(stop, options));
    let Some(made) = make_snapshot_on(disk, &mut pace)? else { return Ok(()) };
    // Ended in the middle, this is done after the next one.
    let trimmed = tidy_up_on(disk, &made.cursors, &mut pace)?;
    let (segment, bytes, seconds) = (made.joint.segment, made.bytes, begun.elapsed().as_secs_f64());
    tracing::info!(segment, bytes, seconds, trimmed, "made a snapshot of everything before the segment");
    detach(&made, options, desk);
    Ok(())
}

/// With the disk low none is begun.
fn look_low(disk: &FileDisk, stop: &Stop, options: &SnapshotOptions) -> Result<(), SnapshotFault> {
    Ok(make_room(disk, &mut pace(stop, options))?)
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
