//! The overwriter on its thread and on a real file.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::{Wake, Waker};

use super::*;
use crate::wal::FileDisk;

struct Call(Mutex<Sender<()>>);

impl Wake for Call {
    fn wake(self: Arc<Self>) {
        let _nobody_waits = self.0.lock().expect("no test panics here").send(());
    }
}

#[test]
fn a_destroyed_key_is_gone_from_the_file_once_it_is_counted_and_the_shard_is_woken() {
    let dir = tempfile::tempdir().expect("a directory");
    let disk = FileDisk::new(dir.path());
    let places = [0, 1].map(|shard| Place { shard: ShardId(shard), ..PLACE });
    let opened = places.map(|place| open_on(&disk, place, 300, std::iter::empty()).map_err(|f| f.to_string()));
    let opened: Result<Vec<_>, _> = opened.into_iter().collect();
    let (mut keyrings, running) = start(opened.expect("made"), |fault| panic!("{fault}")).expect("a thread");
    let (call, woken) = channel();
    keyrings[1].watch(Waker::from(Arc::new(Call(Mutex::new(call)))));
    let names: Vec<_> = (0..300).step_by(3).map(|slot| KeyName { slot, generation: 0 }).collect();
    let dead: Vec<_> = names.iter().map(|name| keyrings[1].key(*name)).collect();
    let kept = keyrings[0].key(names[5]);
    names.iter().for_each(|name| keyrings[1].destroy(*name));
    let mut out = Vec::new();
    assert!(!keyrings[1].open(names[0], order(0), &[0; 20], &mut out), "it is dead at once");
    while keyrings[1].destroyed() < names.len() as u64 {
        woken.recv().expect("the thread runs");
    }
    let bytes = |shard| std::fs::read(dir.path().join(format!("shard-0000{shard}.keys"))).expect("a file");
    let holds = |shard, key: &Key| bytes(shard).windows(32).any(|window| window == **key);
    assert!(dead.iter().all(|key| !holds(1, key)));
    assert!(holds(0, &kept), "another shard's keys are not touched");
    assert!(names.iter().all(|name| keyrings[1].seal(name.next(), order(0), b"Ada", &mut out)));
    // What is handed over when the shard stops is overwritten before the thread ends.
    let last = keyrings[0].key(names[0]);
    keyrings[0].destroy(names[0]);
    drop(keyrings);
    running.stop();
    assert!(!holds(0, &last));
}

#[test]
fn after_a_failed_write_nothing_counts_as_destroyed_and_the_node_is_told() {
    let disk = TornDisk::new(8);
    let opened = open_on(&disk, PLACE, 10, std::iter::empty()).unwrap_or_else(|fault| panic!("{fault}"));
    disk.fail_after(3);
    let (tell, told) = channel();
    let (mut keyrings, running) =
        start(vec![opened], move |fault| tell.send(fault).expect("the test listens")).expect("a thread");
    (0..4).for_each(|slot| keyrings[0].destroy(KeyName { slot, generation: 0 }));
    let fault = told.recv().expect("it is told");
    assert!(matches!(&fault, Fault::Write { file, .. } if file == FILE) && fault.exit_code() == 12, "{fault}");
    assert_eq!(keyrings[0].destroyed(), 0);
    keyrings[0].destroy(KeyName { slot: 5, generation: 0 });
    assert!(!keyrings[0].seal(KeyName { slot: 0, generation: 1 }, order(0), b"", &mut Vec::new()));
    drop(keyrings);
    running.stop();
}

#[test]
fn a_node_that_keeps_nothing_has_keys_all_the_same() {
    let mut keyring = Keyring::in_memory(3).expect("randomness");
    let (name, mut sealed, mut opened) = (KeyName { slot: 2, generation: 0 }, Vec::new(), Vec::new());
    assert!(keyring.seal(name, order(1), b"Ada", &mut sealed) && keyring.open(name, order(1), &sealed, &mut opened));
    keyring.destroy(name);
    assert_eq!(keyring.destroyed(), 1);
    assert!(!keyring.open(name, order(1), &sealed, &mut opened) && opened == b"Ada");
    assert!(keyring.seal(name.next(), order(1), b"Ada", &mut sealed));
    assert!(!keyring.seal(KeyName { slot: 3, generation: 0 }, order(1), b"", &mut sealed));
}
