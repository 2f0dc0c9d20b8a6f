//! Sound checksums in the wrong place: frames and headers that no torn write can leave behind.

use super::super::directory;
use super::super::fields::put;
use super::super::frame::{EntryHeader, FrameHeader};
use super::super::frame_buffer::{FrameBuffer, Place};
use super::super::segment::{FirstBlock, SegmentHeader, seal_block};
use super::*;

const BLOCK: usize = 4096;

/// A log of one frame, and where the second would have to stand.
fn one_frame() -> (FakeDisk, Place) {
    let disk = FakeDisk::default();
    let mut world = open(&disk);
    world.frame(0, 10);
    drop(world);
    let first = FrameHeader::decode(&disk.bytes(&segment_name(1))[BLOCK..]).expect("sound");
    (disk, Place { epoch: first.epoch, number: 2, previous_hash: first.hash(), durable_upto: 1 })
}

#[track_caller]
fn check(place: impl FnOnce(&mut Place), entry: impl FnOnce(&mut EntryHeader), complaint: Option<&str>) {
    let (disk, mut at) = one_frame();
    place(&mut at);
    let mut header =
        EntryHeader { sequence: Sequence(2), log_time: Timestamp::from_ms(1_002), length: 10, stream: ShardId(0) };
    entry(&mut header);
    let mut frame = FrameBuffer::new(BLOCK);
    frame.push(header, &bytes_of(0, 2, 10));
    frame.seal(at);
    disk.change(&segment_name(1), |bytes| put(bytes, 2 * BLOCK, frame.bytes()));
    match (try_open(&disk, &options()).map(|world| world.replayed.len()), complaint) {
        (Ok(entries), None) => assert_eq!(entries, 2),
        (Err(Fault::Damage { frame: 2, what, .. }), Some(complaint)) => assert!(what.contains(complaint), "{what}"),
        (other, _) => panic!("{complaint:?}: {other:?}"),
    }
}

#[test]
fn a_sound_frame_that_does_not_belong_is_damage_whatever_is_wrong_with_it() {
    check(|_| {}, |_| {}, None);
    check(|place| place.epoch ^= 1, |_| {}, Some("another epoch"));
    check(|place| place.number = 3, |_| {}, Some("another number"));
    check(|place| place.previous_hash ^= 1, |_| {}, Some("hash of the one before"));
    check(|place| place.durable_upto = 2, |_| {}, Some("vouches for itself"));
    check(|_| {}, |entry| entry.sequence = Sequence(3), Some("skips or repeats"));
    check(|_| {}, |entry| entry.sequence = Sequence(1), Some("skips or repeats"));
    check(|_| {}, |entry| entry.length = 30, Some("do not fill the body"));
    check(|_| {}, |entry| entry.length = 2, Some("do not fill the body"));
    check(|_| {}, |entry| entry.stream = ShardId(3), Some("do not fill the body"));
}

#[test]
fn a_length_past_the_end_of_the_segment_is_never_believed() {
    let (disk, place) = one_frame();
    let Place { epoch, number, previous_hash, durable_upto } = place;
    let (body_bytes, entries, body_hash) = (u32::MAX, 1, 0);
    let header = FrameHeader { epoch, number, previous_hash, durable_upto, body_bytes, entries, body_hash };
    disk.change(&segment_name(1), |bytes| put(bytes, 2 * BLOCK, &header.encode()));
    let fault = try_open(&disk, &options()).expect_err("damage");
    assert!(fault.to_string().contains("past the end"), "{fault}");
}

#[test]
fn a_segment_that_does_not_continue_the_one_before_is_damage() {
    let disk = FakeDisk::default();
    let mut world = open(&disk);
    (0..3).for_each(|_| world.frame(1, 9_000));
    drop(world);
    let name = segment_name(2);
    let change = |change: &dyn Fn(&mut SegmentHeader)| {
        let other = disk.copy();
        other.change(&name, |bytes| match SegmentHeader::decode("f", &bytes[..BLOCK]) {
            Ok(FirstBlock::Header(mut header)) => {
                change(&mut header);
                header.encode(&mut bytes[..BLOCK]);
            }
            other => panic!("{other:?}"),
        });
        try_open(&other, &options()).map(|world| world.replayed.len()).map_err(|fault| fault.exit_code())
    };
    assert_eq!(change(&|_| {}), Ok(3));
    assert_eq!(change(&|header| header.tails[1].sequence = Sequence(1)), Err(11));
    assert_eq!(change(&|header| header.previous_hash ^= 1), Err(11));
    assert_eq!(change(&|header| header.previous_frame += 1), Err(11));
    assert_eq!(change(&|header| header.previous_frame -= 1), Err(11));
    assert_eq!(change(&|header| header.identity.node ^= 1), Err(11));
    assert_eq!(change(&|header| header.number = 3), Err(11));
    assert_eq!(change(&|header| header.segment_bytes *= 2), Err(11));
    assert_eq!(change(&|header| header.epoch ^= 1), Err(11));
}

#[test]
fn a_lost_directory_header_is_not_a_new_log() {
    let (disk, _) = one_frame();
    disk.change(directory::NAME, |block| {
        put(block, 10, &9_u16.to_le_bytes());
        seal_block(block);
    });
    assert!(matches!(try_open(&disk, &options()), Err(Fault::OtherShards { found: 9, asked: 3, .. })));
    disk.remove(directory::NAME).expect("removes");
    assert!(matches!(try_open(&disk, &options()), Err(Fault::Damage { .. })));
}

#[test]
fn a_power_cut_within_an_interval_never_looks_like_damage() {
    let disk = FakeDisk::default();
    let interval = Options { durability: Durability::Interval { ms: 1_000 }, ..options() };
    let mut world = try_open(&disk, &interval).expect("opens");
    for turn in 0..12 {
        world.frame(turn % 3, 3_000);
        let after = open(&disk.crashed());
        assert!(after.replayed.len() <= usize::from(turn) + 1);
    }
    assert!(!open(&disk.crashed()).replayed.is_empty(), "a segment is durable before the next one begins");
}
