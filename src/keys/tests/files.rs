//! Files that are not what they should be, and what a start makes of a log that says something else.

use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::wal::FileDisk;

fn open(disk: &TornDisk, ledger: &Ledger, slots: u32) -> World {
    World::open(disk, ledger.clone(), slots).unwrap_or_else(|(fault, _)| panic!("{fault}"))
}

fn refused(disk: &TornDisk, ledger: &Ledger, slots: u32) -> String {
    let before = disk.list_bytes();
    let (fault, _) = World::open(disk, ledger.clone(), slots).err().expect("it is refused");
    assert!(disk.list_bytes() == before, "something was written: {fault}");
    fault.to_string()
}

impl TornDisk {
    fn list_bytes(&self) -> Vec<(String, Vec<u8>)> {
        let names = crate::wal::Disk::list(self).expect("names");
        names.into_iter().map(|name| (name.clone(), self.bytes(&name))).collect()
    }
}

/// Sixty slots, of which the first ten are in use.
fn sixty() -> (TornDisk, Ledger) {
    let disk = TornDisk::new(3);
    let mut world = open(&disk, &Ledger::default(), 60);
    (0..10).for_each(|slot| world.employ(slot));
    (disk, world.ledger)
}

#[test]
fn a_file_that_is_none_of_ours_is_refused_by_name_and_left_as_it_is() {
    let (disk, ledger) = sixty();
    let sound = disk.bytes(FILE);
    let check = |change: &dyn Fn(&mut Vec<u8>), said: &str| {
        disk.change(FILE, |bytes| change(bytes));
        assert_eq!(refused(&disk, &ledger, 60), said);
        disk.change(FILE, |bytes| bytes.clone_from(&sound));
    };
    let none = "shard-00002.keys is no key file, or both copies of its header are damaged";
    check(&|bytes| bytes.clear(), none);
    check(&|bytes| *bytes = b"# my notes\n".repeat(2_000), none);
    check(&|bytes| bytes[..8_192].fill(0), none);
    let short = "shard-00002.keys has 16383 bytes and should have 16384: it was cut short";
    check(&|bytes| bytes.truncate(16_383), short);
    let version = "shard-00002.keys has format version 9; this program reads and writes version 0";
    check(&|bytes| reseal(bytes, |header| header[8] = 9), version);
    let log = "shard-00002.keys belongs to the log 00000000000000000000000000005eee and not to this one, \
               00000000000000000000000000005eed";
    check(&|bytes| reseal(bytes, |header| header[16] = 0xEE), log);
    check(&|bytes| reseal(bytes, |header| header[10] = 1), "shard-00002.keys holds the keys of shard 1");
    open(&disk, &ledger, 60).check();
}

fn reseal(bytes: &mut [u8], change: impl Fn(&mut [u8])) {
    for header in bytes[..8_192].chunks_mut(4_096) {
        change(header);
        let checksum = crc32c::crc32c(&header[..4_092]);
        header[4_092..].copy_from_slice(&checksum.to_le_bytes());
    }
}

#[test]
fn keys_in_use_without_a_file_are_refused_unless_it_was_left_out_on_purpose() {
    let (_, ledger) = sixty();
    let disk = TornDisk::new(4);
    let said = refused(&disk, &ledger, 60);
    assert!(said.starts_with("shard-00002.keys is missing, and 10 keys of it are in use"), "{said}");
    leave_out_on(&disk, (PLACE.node, 3)).expect("nothing is there");
    assert!(matches!(leave_out_on(&disk, (PLACE.node, 3)), Err(Fault::NotEmpty { .. })));
    let mut world = open(&disk, &ledger, 60);
    assert_eq!(world.found, Found { in_use: 0, lost: 10, mended: 0 });
    let (name, mut out) = (ledger.name(3), Vec::new());
    assert!(!world.keyring.seal(name, order(3), b"", &mut out), "a lost key is not made anew under its name");
    let sealed = ledger.slots[3].sealed.as_ref().expect("in use");
    assert!(!world.keyring.open(name, order(3), sealed, &mut out) && out.is_empty());
    world.keyring.destroy(name);
    world.overwrite().expect("a sound disk");
    assert!(world.keyring.seal(name.next(), order(3), b"", &mut out), "the slot serves again");
}

#[test]
fn fewer_slots_than_are_in_use_are_refused_and_unused_ones_beyond_hold_nothing_any_more() {
    let (disk, mut ledger) = sixty();
    assert_eq!(
        refused(&disk, &ledger, 9),
        "shard-00002.keys cannot be limited to 9 keys: key 9.0 is in use; keys_max must be larger"
    );
    // The tenth died, and the node with it, before it was overwritten.
    let dead = open(&disk, &ledger, 60).keyring.key(ledger.name(9));
    ledger.slots[9] = Slot { generation: 1, sealed: None };
    assert!(disk.holds(&*dead));
    let mut world = open(&disk, &ledger, 9);
    assert!(!disk.holds(&*dead) && world.found.in_use == 9);
    assert!(!world.keyring.seal(KeyName { slot: 9, generation: 1 }, order(9), b"", &mut Vec::new()));
    assert_eq!(disk.bytes(FILE).len(), 16_384, "a file gets no shorter");
    open(&disk, &ledger, 60).check();
}

#[test]
fn a_start_redraws_every_key_that_is_not_in_use() {
    let (disk, ledger) = sixty();
    let keys = |world: &World| (0..60).map(|slot| world.keyring.key(ledger.name(slot))).collect::<Vec<_>>();
    let [first, second] = [(); 2].map(|()| keys(&open(&disk, &ledger, 60)));
    assert_eq!(first[..10], second[..10]);
    assert!(first[10..].iter().zip(&second[10..]).all(|(first, second)| first != second));
    assert!(first[10..].iter().all(|key| !disk.holds(&**key)));
}

/// The log was put back to an older state, and the keys were not; or the other way round.
#[test]
fn a_key_file_newer_or_older_than_the_log_opens_what_it_can() {
    let (disk, older) = sixty();
    let old_keys = disk.bytes(FILE);
    let mut world = open(&disk, &older, 60);
    (0..5).for_each(|slot| world.kill(slot));
    world.overwrite().expect("a sound disk");
    (0..3).for_each(|slot| world.employ(slot));
    let newer = world.ledger.clone();
    let found = open(&disk, &newer, 60).found;
    assert_eq!((found.in_use, found.lost), (8, 0));
    let new_keys = disk.bytes(FILE);
    let abandoned = open(&disk, &newer, 60).keyring.key(newer.name(0));
    let world = open(&disk, &older, 60);
    assert_eq!((world.found.in_use, world.found.lost), (5, 5), "five were erased after this state of the log");
    assert!(!disk.holds(&*abandoned), "and what was used since is gone as well");
    disk.change(FILE, |bytes| bytes.clone_from(&old_keys));
    assert_eq!(open(&disk, &newer, 60).found, Found { in_use: 5, lost: 3, mended: 0 });
    disk.change(FILE, |bytes| bytes.clone_from(&new_keys));
    open(&disk, &newer, 60).keyring.key(newer.name(0));
}

#[test]
fn copied_files_are_sound_and_only_what_was_there_is_copied() {
    let (disk, ledger) = sixty();
    let into = TornDisk::new(9);
    let log = (PLACE.node, 4);
    let copied = copy_on(&disk, &into, log, &mut |_| {}).expect("sound");
    assert_eq!(copied, Copied { files: 1, bytes: 16_384 });
    into.crash();
    open(&into, &ledger, 60).check();
    assert!(matches!(copy_on(&disk, &into, log, &mut |_| {}), Err(Fault::NotEmpty { .. })));
    let other = (PLACE.node + 1, 4);
    assert!(matches!(copy_on(&disk, &TornDisk::new(1), other, &mut |_| {}), Err(Fault::OtherLog { .. })));
}

#[test]
fn a_key_file_is_its_owner_s_alone() {
    let dir = tempfile::tempdir().expect("a directory");
    let disk = FileDisk::new(&dir.path().join("keys"));
    open_on(&disk, PLACE, 10, std::iter::empty()).map(|_| ()).expect("made");
    let path = dir.path().join("keys").join(FILE);
    let mode = |path: &std::path::Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    check_private(&dir.path().join("keys"), 4).expect("nobody else's");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).expect("ours");
    let fault = check_private(&dir.path().join("keys"), 4).expect_err("the group may read it");
    assert!(matches!(&fault, Fault::Open { mode: 0o640, .. }), "{fault}");
    assert!(fault.to_string().ends_with("may be read by others (mode 640): chmod 600 it"), "{fault}");
}
