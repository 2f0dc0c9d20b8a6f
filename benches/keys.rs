//! What does it cost to seal the details of an order, and to open them? What does a start cost that overwrites every
//! key that is not in use?
//!
//! The start depends on the disk: `TMPDIR=/the/disk cargo bench --bench keys`.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use stockade::base::{KeyName, OrderId, ShardId};
use stockade::keys::{Keyring, Place, open_on};
use stockade::wal::FileDisk;

const DETAILS: [u8; 200] = [0x41; 200];
const NAME: KeyName = KeyName { slot: 7, generation: 0 };
const ORDER: OrderId = OrderId::from_bits(0x0190_0000_0000_0001_2345_6789_abcd_ef01);

/// A key is derived each time: four blocks of SHA-256, a key schedule, and 13 blocks of AES each way. Expect one to
/// two microseconds.
fn seal_and_open(criterion: &mut Criterion) {
    let mut keyring = Keyring::in_memory(1_000).expect("the system has randomness");
    let (mut sealed, mut opened) = (Vec::with_capacity(1_024), Vec::with_capacity(1_024));
    let mut group = criterion.benchmark_group("details of 200 bytes");
    group.throughput(Throughput::Bytes(DETAILS.len() as u64));
    group.bench_function("seal", |bencher| {
        bencher.iter(|| {
            sealed.clear();
            assert!(keyring.seal(NAME, ORDER, &DETAILS, &mut sealed));
        });
    });
    group.bench_function("open", |bencher| {
        bencher.iter(|| {
            opened.clear();
            assert!(keyring.open(NAME, ORDER, &sealed, &mut opened));
        });
    });
    group.finish();
}

/// 128 bytes written, 32 drawn and twice 60 checked for each slot, and two syncs. Expect the disk's own time for 13 MB
/// and 0.1 s.
fn start(criterion: &mut Criterion) {
    const SLOTS: u32 = 100_000;
    let dir = tempfile::tempdir().expect("a directory");
    let (disk, place) = (FileDisk::new(dir.path()), Place { node: 1, shard: ShardId(0) });
    let mut group = criterion.benchmark_group("start with no key in use");
    group.throughput(Throughput::Elements(SLOTS.into())).sample_size(10);
    group.bench_function("100,000 slots", |bencher| {
        bencher.iter(|| assert!(open_on(&disk, place, SLOTS, std::iter::empty()).is_ok()));
    });
    group.finish();
}

criterion_group!(benches, seal_and_open, start);
criterion_main!(benches);
