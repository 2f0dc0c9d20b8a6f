//! Append, crash, open again: what comes back, and what a mark promises.

use super::*;

#[test]
fn interleaved_streams_come_back_in_order() {
    let disk = FakeDisk::default();
    let mut world = open(&disk);
    for turn in 0..5 {
        world.put(turn % 3, 40);
        world.put((turn + 1) % 3, 100);
        world.commit(0);
    }
    let again = open(&disk.crashed());
    let frames: Vec<_> = (0..5).flat_map(|turn| [(turn % 3, 40), ((turn + 1) % 3, 100)]).collect();
    assert_eq!(again.replayed, expected(&frames));
}

#[test]
fn a_log_recovers_is_appended_to_and_recovers_again_across_segments() {
    let disk = FakeDisk::default();
    let mut frames = Vec::new();
    for round in 0..4 {
        let mut world = open(&disk);
        assert_eq!(world.replayed, expected(&frames), "round {round}");
        assert_eq!(world.cut, None);
        for stream in [0, 1, 2, 1] {
            frames.push((stream, 3_000));
            world.frame(stream, 3_000);
        }
        world.writer.finish(0).expect("a clean end");
    }
    assert!(disk.world().files.contains_key(&segment_name(3)), "20 frames and more need three segments of 7");
    assert_eq!(open(&disk.crashed()).replayed, expected(&frames));
}

#[test]
fn a_segment_that_is_ended_early_is_sealed_and_the_log_goes_on_behind_it() {
    let disk = FakeDisk::default();
    let mut world = open(&disk);
    let mut frames = Vec::new();
    for stream in [0, 1, 2] {
        frames.push((stream, 40));
        world.frame(stream, 40);
        let before = world.writer.poll_deadline();
        assert!(before.is_some(), "nothing vouches for the frame yet");
        world.writer.handle_seal();
        world.commit(0);
        assert!(!world.writer.is_sealing());
        assert_eq!(world.writer.poll_deadline(), None, "the next segment's header does");
        // Whoever asks again for the end of a segment that holds nothing has it already.
        world.writer.handle_seal();
        world.commit(0);
        let end = Sealed::open_on(&disk).expect("sound").expect("a segment is sealed").end();
        assert_eq!(end.segment, u64::from(stream) + 2);
        assert_eq!(end.tails[usize::from(stream)].sequence, Sequence(1));
        assert_eq!(open(&disk.crashed()).replayed, expected(&frames));
    }
}

#[test]
fn the_end_of_a_segment_waits_for_what_is_gathered_and_for_a_segment_to_go_on_in() {
    let disk = FakeDisk::default();
    let mut world = open(&disk);
    world.frame(0, 40);
    world.put(0, 40);
    world.writer.handle_seal();
    while world.writer.poll_wanted().is_some_and(|(next, _)| next == 2) {
        assert_eq!(world.writer.commit(0).expect("sound"), Outcome::Done);
        assert!(world.writer.is_sealing(), "no segment is prepared");
        world.supply();
    }
    world.commit(0);
    assert!(!world.writer.is_sealing());
    assert_eq!(Sealed::open_on(&disk).expect("sound").expect("sealed").end().tails[0].sequence, Sequence(2));
}

#[test]
fn recovering_twice_changes_nothing() {
    let disk = FakeDisk::default();
    let mut world = open(&disk);
    world.frame(0, 9_000);
    world.frame(1, 10);
    drop(world);
    disk.change(&segment_name(1), |bytes| bytes[4096 + 12_288 + 100] ^= 1);
    let cut = open(&disk).cut.expect("the last frame is torn");
    assert_eq!((cut.offset, cut.frame), (16_384, 2));
    let before = disk.world().files[&segment_name(1)].clone();
    let again = open(&disk);
    assert_eq!(again.cut, None);
    assert!(before == disk.world().files[&segment_name(1)]);
}

#[test]
fn a_mark_moves_only_after_the_sync() {
    let disk = FakeDisk::default();
    let mut world = open(&disk);
    world.put(1, 10);
    world.put(1, 20);
    let marks = world.commit(0);
    assert_eq!(marks, [Mark { stream: ShardId(1), sequence: Sequence(2), bytes: 30 }]);
    assert_eq!(open(&disk.crashed()).replayed.len(), 2, "what was marked survives a power cut");
}

#[test]
fn a_failed_sync_is_final() {
    for fail_writes in [false, true] {
        let disk = FakeDisk::default();
        let mut world = open(&disk);
        world.frame(0, 10);
        world.supply();
        disk.world().fail_syncs = !fail_writes;
        disk.world().fail_writes = fail_writes;
        world.put(0, 10);
        assert!(matches!(world.try_commit(0), Err(Fault::Write { .. })));
        assert!(world.writer.committed().marks.is_empty());
        disk.world().fail_syncs = false;
        disk.world().fail_writes = false;
        assert!(!world.writer.wants_entry());
        assert!(matches!(world.writer.commit(1), Err(Fault::Failed)), "it does not come back to life");
        assert!(world.writer.committed().marks.is_empty());
    }
}

#[test]
fn an_entry_without_bytes_passes_its_wakers_behind_what_is_pending() {
    let disk = FakeDisk::default();
    let mut world = open(&disk);
    world.put(0, 10);
    let (_bell, notify) = bell();
    let waker = |notify| Entry {
        stream: ShardId(0),
        sequence: Sequence(1),
        log_time: Timestamp::ZERO,
        bytes: Vec::new(),
        notify,
    };
    world.writer.handle_entry(waker(notify));
    assert_eq!(world.commit(0).len(), 1);
    assert_eq!(world.writer.committed().notify.drain(..).count(), 1);
    let before = disk.bytes(&segment_name(1));
    world.writer.handle_entry(waker(bell().1));
    assert!(world.commit(0).is_empty(), "no mark moves");
    assert_eq!(world.writer.committed().notify.drain(..).count(), 1);
    assert!(before == disk.bytes(&segment_name(1)), "wakers alone write nothing");
}

#[test]
fn an_entry_that_does_not_fit_the_frame_is_in_the_next_one() {
    let disk = FakeDisk::default();
    let mut world = open(&disk);
    let max = options().entry_bytes_max();
    world.put(0, max);
    assert!(world.writer.wants_entry());
    world.put(0, max);
    assert!(!world.writer.wants_entry(), "one is held, no more are taken");
    assert_eq!(world.commit(0)[0].sequence, Sequence(1));
    assert!(world.writer.wants_entry());
    assert_eq!(world.commit(0)[0].sequence, Sequence(2));
    assert_eq!(open(&disk.crashed()).replayed, expected(&[(0, max), (0, max)]));
}

#[test]
fn a_quiet_log_vouches_for_its_last_frame_once() {
    let disk = FakeDisk::default();
    let mut world = open(&disk);
    world.frame(0, 10);
    assert_eq!(world.writer.poll_deadline(), Some(100));
    world.commit(99);
    assert_eq!(world.writer.poll_deadline(), Some(100));
    world.commit(100);
    assert_eq!(world.writer.poll_deadline(), None);
    drop(world);
    disk.change(&segment_name(1), |bytes| bytes[4096 + 90] ^= 1);
    let fault = try_open(&disk, &options()).expect_err("the last entry of a quiet log is never lost in silence");
    assert!(matches!(fault, Fault::Damage { frame: 1, offset: 4096, .. }), "{fault}");
}

#[test]
fn an_interval_acknowledges_after_the_write_and_syncs_when_it_is_over() {
    let disk = FakeDisk::default();
    let interval = Options { durability: Durability::Interval { ms: 50 }, ..options() };
    let mut world = try_open(&disk, &interval).expect("opens");
    world.put(0, 10);
    assert_eq!(world.commit(0).len(), 1);
    assert_eq!(open(&disk.crashed()).replayed.len(), 0, "a power cut now loses it");
    assert_eq!(world.writer.poll_deadline(), Some(50));
    world.put(0, 10);
    world.commit(50);
    assert_eq!(open(&disk.crashed()).replayed.len(), 2);
    world.put(0, 10);
    world.commit(60);
    world.commit(110);
    assert_eq!(open(&disk.crashed()).replayed.len(), 3);
}

#[test]
fn a_second_opener_is_refused() {
    let disk = FakeDisk::default();
    let _first = open(&disk);
    let fault = try_open(&disk, &options()).expect_err("refused");
    assert_eq!(fault.exit_code(), 10);
}

#[test]
fn another_number_of_shards_is_refused_naming_both() {
    let disk = FakeDisk::default();
    drop(open(&disk));
    let fault = try_open(&disk, &Options { shards: 5, ..options() }).expect_err("refused");
    let text = fault.to_string();
    assert!(text.contains('3') && text.contains('5'), "{text}");
}

#[test]
fn another_version_of_the_format_is_refused_by_name() {
    let disk = FakeDisk::default();
    drop(open(&disk));
    for name in [directory::NAME.to_owned(), segment_name(1)] {
        let other = disk.copy();
        other.change(&name, |block| {
            block[8] = 7;
            segment::seal_block(&mut block[..4096]);
        });
        let fault = try_open(&other, &options()).expect_err("refused");
        assert!(matches!(fault, Fault::OtherVersion { found: 7, known: 0, .. }), "{fault}");
    }
}
