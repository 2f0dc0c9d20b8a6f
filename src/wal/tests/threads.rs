//! The threads around the machines, on a real directory: wiring only.

use std::sync::mpsc;

use super::*;

fn real(dir: &std::path::Path) -> Options {
    Options { segment_bytes: 1 << 20, low_water_bytes: 0, ..Options::new(dir, 2) }
}

fn start(options: &Options) -> (Handle, Running, Vec<StreamTail>) {
    let opened = Log::open(options, &mut |_| {}, &mut |_| {}).expect("opens");
    let tails = opened.tails.clone();
    let (handle, running) = opened.start(Box::new(|fault| panic!("{fault}"))).expect("starts");
    (handle, running, tails)
}

fn entry(stream: u16, sequence: u64, length: usize, notify: Vec<Arc<dyn Notify>>) -> Entry {
    let bytes = bytes_of(stream, sequence, length);
    Entry {
        stream: ShardId(stream),
        sequence: Sequence(sequence),
        log_time: Timestamp::from_ms(sequence),
        bytes,
        notify,
    }
}

/// Appends, giving way while the queue is full.
fn append(handle: &Handle, mut entry: Entry) {
    while let Err(back) = handle.append(entry) {
        entry = back;
        std::thread::yield_now();
    }
}

struct Call(mpsc::Sender<()>);

impl Notify for Call {
    fn durable(&self) {
        self.0.send(()).expect("the test waits");
    }
}

fn call() -> (mpsc::Receiver<()>, Vec<Arc<dyn Notify>>) {
    let (sender, receiver) = mpsc::channel();
    (receiver, vec![Arc::new(Call(sender))])
}

#[test]
fn every_entry_of_two_appending_threads_is_marked_woken_for_and_recovered() {
    const EACH: u64 = 3_000;
    let dir = tempfile::tempdir().expect("a directory");
    for method in [SyncMethod::Fdatasync, SyncMethod::DirectDsync] {
        let path = dir.path().join(method.to_string());
        let options = Options { sync_method: Some(method), ..real(&path) };
        let (handle, running, _) = start(&options);
        let bell = Arc::new(Bell::default());
        std::thread::scope(|scope| {
            for stream in 0..2 {
                let (handle, bell) = (&handle, &bell);
                scope.spawn(move || {
                    for sequence in 1..=EACH {
                        let notify: Vec<Arc<dyn Notify>> = vec![Arc::<Bell>::clone(bell)];
                        append(handle, entry(stream, sequence, 700, notify));
                    }
                });
            }
        });
        running.stop();
        assert_eq!(bell.rung() as u64, 2 * EACH);
        let stats = handle.stats();
        assert_eq!((stats.entries, stats.entry_bytes, stats.method), (2 * EACH, 2 * EACH * 700, Some(method)));
        for stream in [ShardId(0), ShardId(1)] {
            assert_eq!((handle.durable(stream), handle.pending_bytes(stream)), (Sequence(EACH), 0));
        }
        assert!(handle.append(entry(0, EACH + 1, 1, Vec::new())).is_err(), "a stopped log takes nothing");
        let (_, _running, tails) = start(&options);
        assert!(tails.iter().all(|tail| tail.sequence == Sequence(EACH)), "{tails:?}");
    }
}

#[test]
fn a_lone_entry_wakes_the_sleeping_thread_every_time() {
    let dir = tempfile::tempdir().expect("a directory");
    let (handle, _running, _) = start(&Options { sync_method: Some(SyncMethod::Fdatasync), ..real(dir.path()) });
    for sequence in 1..=300 {
        let (woken, notify) = call();
        append(&handle, entry(0, sequence, 100, notify));
        woken.recv().expect("woken");
        assert_eq!(handle.durable(ShardId(0)), Sequence(sequence), "the mark moves before the waker is called");
    }
    assert!(handle.take_spare().capacity() > 0, "buffers come back");
}

#[test]
fn a_failed_sync_is_told_once_and_nothing_is_acknowledged_afterwards() {
    let disk = FakeDisk::default();
    let opened = Log::open_on(disk.clone(), &options(), &mut |_| {}, &mut |_| {}).expect("opens");
    disk.world().fail_syncs = true;
    let (told, fault) = mpsc::channel();
    let (handle, running) = opened.start(Box::new(move |fault| told.send(fault).expect("waits"))).expect("starts");
    let (bell, notify) = bell();
    handle.append(entry(0, 1, 10, notify)).expect("taken");
    assert_eq!(fault.recv().expect("told").exit_code(), 12);
    assert!(handle.failed());
    assert!(handle.append(entry(0, 2, 10, Vec::new())).is_err());
    running.stop();
    assert_eq!((handle.durable(ShardId(0)), bell.rung()), (Sequence(0), 0));
}

#[test]
fn a_full_disk_makes_the_log_low_and_room_makes_it_well_again() {
    let disk = FakeDisk::default();
    let options = Options { low_water_bytes: 1_000, ..options() };
    let opened = Log::open_on(disk.clone(), &options, &mut |_| {}, &mut |_| {}).expect("opens");
    disk.world().free = 1_500;
    let (handle, running) = opened.start(Box::new(|fault| panic!("{fault}"))).expect("starts");
    until(|| handle.disk_low());
    let (woken, notify) = call();
    handle.append(entry(0, 1, 10, notify)).expect("taken");
    woken.recv().expect("urgent commands go on");
    disk.world().free = u64::MAX;
    until(|| !handle.disk_low());
    running.stop();
}

/// Waits for another thread, which says so in its own time.
fn until(holds: impl Fn() -> bool) {
    while !holds() {
        std::thread::yield_now();
    }
}

#[test]
fn without_a_log_marks_and_wakers_come_all_the_same_and_no_file_is_made() {
    let dir = tempfile::tempdir().expect("a directory");
    let (handle, running, _) = start(&Options { durability: Durability::Memory, ..real(dir.path()) });
    let (woken, notify) = call();
    append(&handle, entry(1, 1, 100, notify));
    woken.recv().expect("woken");
    assert_eq!(handle.durable(ShardId(1)), Sequence(1));
    running.stop();
    assert_eq!(std::fs::read_dir(dir.path()).expect("readable").count(), 0);
}

#[test]
fn a_second_process_is_refused_until_the_first_has_stopped() {
    let dir = tempfile::tempdir().expect("a directory");
    let options = Options { sync_method: Some(SyncMethod::Fdatasync), ..real(dir.path()) };
    let (_, running, _) = start(&options);
    let again = Log::open(&options, &mut |_| {}, &mut |_| {}).err().expect("refused");
    assert_eq!(again.exit_code(), 10);
    assert_eq!(Reader::open(dir.path()).err().map(|fault| fault.exit_code()), Some(10));
    running.stop();
    assert!(Reader::open(dir.path()).is_ok());
}

/// Object stores forget empty files, and some media cannot be written.
#[test]
fn reading_a_log_changes_nothing_in_its_directory_and_needs_no_lock_that_a_copy_lost() {
    let dir = tempfile::tempdir().expect("a directory");
    let (log, into) = (dir.path().join("log"), |name: &str| dir.path().join(name));
    let (handle, running, _) = start(&Options { sync_method: Some(SyncMethod::Fdatasync), ..real(&log) });
    let (woken, notify) = call();
    append(&handle, entry(1, 1, 100, notify));
    woken.recv().expect("woken");
    let busy = |fault: Fault| matches!(fault, Fault::InUse { .. });
    assert!(restore(&log, &into("early"), &mut |_| {}).is_err_and(busy));
    assert!(salvage(&log, &into("early"), true).is_err_and(busy));
    running.stop();
    std::fs::remove_file(log.join("LOCK")).expect("it was locked");
    let names = || {
        let mut names: Vec<_> = std::fs::read_dir(&log).expect("readable").flatten().map(|f| f.file_name()).collect();
        names.sort();
        names
    };
    let before = names();
    let read = Reader::open(&log).expect("nobody holds it").read(&mut |_| {}, &mut |_| {}).expect("sound");
    let restored = restore(&log, &into("restored"), &mut |_| {}).expect("sound");
    let salvaged = salvage(&log, &into("salvaged"), false).expect("sound");
    assert_eq!((read.tails[1].sequence, restored.tails[1].sequence), (Sequence(1), Sequence(1)));
    assert_eq!(salvaged.kept, 1);
    assert_eq!(names(), before);
}

#[test]
fn the_probe_chooses_a_method_and_leaves_nothing_behind() {
    let dir = tempfile::tempdir().expect("a directory");
    let (handle, running, _) = start(&real(dir.path()));
    let stats = handle.stats();
    assert_eq!(stats.method, stats.probe.map(|report| report.choice()));
    running.stop();
    let names: Vec<_> = std::fs::read_dir(dir.path()).expect("readable").flatten().map(|f| f.file_name()).collect();
    assert!(!names.iter().any(|name| name.to_string_lossy().contains("probe")), "{names:?}");
}
