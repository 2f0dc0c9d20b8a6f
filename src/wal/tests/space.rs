//! A disk that fills up: what was prepared ahead is still there, and nothing fails.

use super::*;

#[test]
fn without_a_prepared_segment_the_writer_waits_and_loses_nothing() {
    let disk = FakeDisk::default();
    let mut world = open(&disk);
    let max = options().entry_bytes_max();
    world.put(0, max);
    assert_eq!(world.writer.commit(0).expect("room"), Outcome::Done);
    world.put(0, max);
    assert_eq!(world.writer.commit(0).expect("no fault"), Outcome::Starved);
    assert_eq!(world.writer.commit(0).expect("no fault"), Outcome::Starved);
    world.supply();
    assert_eq!(world.writer.commit(0).expect("room"), Outcome::Done);
    assert_eq!(open(&disk.crashed()).replayed.len(), 2);
}

#[test]
fn what_an_interval_acknowledged_is_synced_while_the_writer_waits_for_room() {
    let disk = FakeDisk::default();
    let interval = Options { durability: Durability::Interval { ms: 50 }, ..options() };
    let mut world = try_open(&disk, &interval).expect("opens");
    let max = interval.entry_bytes_max();
    world.put(0, max);
    assert_eq!(world.writer.commit(0).expect("room"), Outcome::Done);
    world.put(0, max);
    assert_eq!(world.writer.commit(49).expect("no fault"), Outcome::Starved);
    assert_eq!(open(&disk.crashed()).replayed.len(), 0, "the interval is not over");
    assert_eq!(world.writer.commit(50).expect("no fault"), Outcome::Starved);
    assert_eq!(open(&disk.crashed()).replayed.len(), 1);
}

#[test]
fn a_full_disk_is_said_before_anything_is_written() {
    let disk = FakeDisk::default();
    let order = Order { number: 2, segment_bytes: SEGMENT, method: SyncMethod::Fdatasync, low_water_bytes: 1 };
    disk.world().free = SEGMENT;
    let fault = prepare(&disk, order, &mut || ControlFlow::Continue(())).err().expect("no room");
    assert!(fault.is_full_disk(), "{fault}");
    assert!(disk.world().files.is_empty());
    disk.world().free = SEGMENT + 1;
    assert!(prepare(&disk, order, &mut || ControlFlow::Continue(())).is_ok());
}

#[test]
fn a_preparation_that_is_broken_off_leaves_nothing() {
    let disk = FakeDisk::default();
    let order = Order { number: 2, segment_bytes: SEGMENT, method: SyncMethod::Fdatasync, low_water_bytes: 0 };
    assert!(matches!(prepare(&disk, order, &mut || ControlFlow::Break(())), Ok(None)));
    assert!(disk.world().files.is_empty());
}

#[test]
fn prepared_segments_of_another_size_go_from_the_last_on_so_that_no_power_cut_leaves_a_hole() {
    let disk = FakeDisk::default();
    let mut world = open(&disk);
    world.frame(0, 10);
    drop(world);
    for number in [2, 3] {
        let order = Order { number, segment_bytes: SEGMENT, method: SyncMethod::Fdatasync, low_water_bytes: 0 };
        assert!(matches!(prepare(&disk, order, &mut || ControlFlow::Continue(())), Ok(Some(_))));
    }
    disk.world().removed.clear();
    let larger = Options { segment_bytes: 2 * SEGMENT, ..options() };
    let world = try_open(&disk, &larger).expect("it opens");
    assert_eq!(world.replayed, expected(&[(0, 10)]));
    let durably = String::new;
    let first = disk.world().removed[..4].to_vec();
    assert_eq!(first, [segment_name(3), durably(), segment_name(2), durably()]);
}

#[test]
fn a_half_prepared_segment_is_removed_at_the_next_start() {
    let disk = FakeDisk::default();
    drop(open(&disk));
    let name = segment::preparing_name(2);
    drop(disk.create(&name).expect("creates"));
    drop(open(&disk));
    assert!(!disk.world().files.contains_key(&name));
}

#[test]
fn a_log_opens_on_a_full_disk_without_measuring_it_and_leaves_nothing_there() {
    let disk = FakeDisk::default();
    let mut world = open(&disk);
    world.frame(0, 10);
    drop(world);
    let full = disk.crashed();
    full.world().free = 0;
    let measures = Options { sync_method: None, ..options() };
    let world = try_open(&full, &measures).expect("it opens");
    assert_eq!(world.replayed, expected(&[(0, 10)]));
    assert!(!full.world().files.contains_key("probe.tmp"));
}
