//! What does a durable frame cost, and how fast is a log read back?
//!
//! Run it on the disk in question: `TMPDIR=/the/disk cargo bench --no-default-features --bench wal`.

use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use stockade::base::{Sequence, ShardId, Timestamp};
use stockade::wal::{Durability, Entry, Handle, Log, Notify, Options, Reader, SyncMethod};

const ENTRY_BYTES: usize = 64 << 10;
const LOG_BYTES: u64 = 128 << 20;

struct Call(Sender<()>);

impl Notify for Call {
    fn durable(&self) {
        let _nobody_waits = self.0.send(());
    }
}

fn options(dir: &std::path::Path, method: SyncMethod) -> Options {
    Options { segment_bytes: 64 << 20, sync_method: Some(method), low_water_bytes: 0, ..Options::new(dir, 1) }
}

fn entry(handle: &Handle, sequence: u64, notify: Vec<Arc<dyn Notify>>) -> Entry {
    let mut bytes = handle.take_spare();
    bytes.resize(ENTRY_BYTES, 0x5A);
    let (stream, log_time) = (ShardId(0), Timestamp::from_ms(sequence));
    Entry { stream, sequence: Sequence(sequence), log_time, bytes, notify }
}

/// Appends and gives way while the log is full.
fn append(handle: &Handle, mut entry: Entry) {
    while let Err(back) = handle.append(entry) {
        entry = back;
        std::thread::yield_now();
    }
}

/// One entry of 64 KiB at a time, waited for: hashing and copying cost about 20 us, waking a thread twice some more;
/// the rest is the device. Expect the device's own sync time (see the probe) plus less than 100 us.
fn append_and_sync(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("append+sync 64 KiB");
    group.throughput(Throughput::Bytes(ENTRY_BYTES as u64)).sample_size(20).measurement_time(Duration::from_secs(4));
    for method in [SyncMethod::Fdatasync, SyncMethod::DirectDsync] {
        let dir = tempfile::tempdir().expect("a directory");
        let opened = Log::open(&options(dir.path(), method), &mut |_| {}, &mut |_| {}).expect("opens");
        let (handle, running) = opened.start(Box::new(|fault| panic!("{fault}"))).expect("starts");
        let (call, woken) = mpsc::channel();
        let waker: Arc<dyn Notify> = Arc::new(Call(call));
        let mut sequence = 0;
        group.bench_function(method.to_string(), |bencher| {
            bencher.iter(|| {
                sequence += 1;
                append(&handle, entry(&handle, sequence, vec![Arc::clone(&waker)]));
                woken.recv().expect("the log runs");
            });
        });
        running.stop();
    }
    group.finish();
}

/// Reading back: one pass of XXH3 over memory that a read call filled. Expect well over 1 GB/s out of the page cache
/// on any core of this decade; out of a cold disk, the disk.
fn recover(criterion: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a directory");
    let quick =
        Options { durability: Durability::Interval { ms: 1_000 }, ..options(dir.path(), SyncMethod::Fdatasync) };
    let opened = Log::open(&quick, &mut |_| {}, &mut |_| {}).expect("opens");
    let (handle, running) = opened.start(Box::new(|fault| panic!("{fault}"))).expect("starts");
    (1..=LOG_BYTES / ENTRY_BYTES as u64).for_each(|sequence| append(&handle, entry(&handle, sequence, Vec::new())));
    running.stop();
    let reader = Reader::open(dir.path()).expect("free");
    let mut group = criterion.benchmark_group("recovery");
    group.throughput(Throughput::Bytes(LOG_BYTES)).sample_size(10).measurement_time(Duration::from_secs(4));
    group.bench_function("64 KiB entries", |bencher| {
        bencher.iter_batched(
            || 0_u64,
            |mut bytes| {
                reader.read(&mut |entry| bytes += entry.bytes.len() as u64, &mut |_| {}).expect("sound");
                assert_eq!(bytes, LOG_BYTES);
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

criterion_group!(benches, append_and_sync, recover);
criterion_main!(benches);
