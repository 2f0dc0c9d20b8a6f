//! Copying a log while it is written: what a copy holds, and that it is a log.

use super::*;

const FRAMES: [(u16, usize); 20] = [(1, 3_000); 20];

#[test]
fn a_backup_at_any_moment_holds_every_frame_and_goes_on_where_the_log_was() {
    let disk = FakeDisk::default();
    let mut world = open(&disk);
    for frames in 0..=FRAMES.len() {
        let copy = FakeDisk::default();
        let backed_up = backup_on(&disk, &copy, &mut |_| {}).expect("a sound log");
        assert_eq!(backed_up.tails[1].sequence.0, frames as u64);
        let mut other = open(&copy);
        assert_eq!((&other.replayed, &other.cut), (&expected(&FRAMES[..frames]), &None));
        other.frame(0, 10);
        drop(other);
        assert_eq!(open(&copy.crashed()).replayed.len(), frames + 1, "what goes on in the copy is durable");
        if let Some((stream, length)) = FRAMES.get(frames) {
            world.frame(*stream, *length);
        }
    }
}

/// What a copy of bytes would take along: a frame whose predecessor was not there yet when its place was read.
#[test]
fn a_frame_that_arrives_during_the_look_is_in_the_copy_with_all_before_it_or_not_at_all() {
    let disk = FakeDisk::default();
    let mut world = open(&disk);
    for (stream, length) in &FRAMES[..5] {
        world.frame(*stream, *length);
    }
    let frame = |number: usize| 4_096 * (1 + number)..4_096 * (2 + number);
    let torn = |frame: std::ops::Range<usize>, byte: u8| {
        let torn = disk.copy();
        torn.change(&segment_name(1), |bytes| bytes[frame].fill(byte));
        torn
    };
    for (seen, kept) in [(torn(frame(3), 0), 3), (torn(frame(1).start + 2_000..frame(1).end, 0), 1)] {
        assert!(matches!(try_open(&seen.copy(), &options()), Err(Fault::Damage { .. })), "as a copy of bytes");
        let copy = FakeDisk::default();
        backup_on(&seen, &copy, &mut |_| {}).expect("whole frames");
        let other = open(&copy);
        assert_eq!((other.replayed, other.cut), (expected(&FRAMES[..kept]), None));
    }
}

#[test]
fn a_backup_of_a_damaged_log_fails_and_leaves_no_log_behind() {
    let disk = FakeDisk::default();
    let mut world = open(&disk);
    for (stream, length) in FRAMES {
        world.frame(stream, length);
    }
    disk.change(&segment_name(1), |bytes| bytes[9_000] ^= 1);
    let copy = FakeDisk::default();
    let fault = backup_on(&disk, &copy, &mut |_| {}).expect_err("the first segment is sealed and damaged");
    assert!(matches!(&fault, Fault::Damage { file, .. } if *file == segment_name(1)), "{fault}");
    assert!(matches!(directory::read(&copy), Err(Fault::Damage { .. })), "its header is missing: nobody starts on it");
}

#[test]
fn a_backup_goes_into_a_directory_without_a_log_and_needs_one_to_copy() {
    let (disk, copy) = (FakeDisk::default(), FakeDisk::default());
    assert!(matches!(backup_on(&disk, &copy, &mut |_| {}), Err(Fault::NoLog { .. })));
    let _world = open(&disk);
    backup_on(&disk, &copy, &mut |_| {}).expect("an empty log");
    assert!(matches!(backup_on(&disk, &copy, &mut |_| {}), Err(Fault::NotEmpty { .. })));
}
