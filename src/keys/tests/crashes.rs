//! The power fails in the middle of every single operation of a life, and again in the middle of every operation of
//! the start after it.

use super::*;

/// A life of a node: keys are used, destroyed, used again, the file grows. Gives back the ledger, and how far it got.
fn live(disk: &TornDisk) -> Ledger {
    let mut ledger = Ledger::default();
    for (slots, used) in [(70, 0..40), (70, 40..60), (200, 100..150)] {
        let mut world = match World::open(disk, ledger, slots) {
            Ok(world) => world,
            Err((_, ledger)) => return ledger,
        };
        used.clone().for_each(|slot| world.employ(slot));
        for killed in [used.clone().step_by(7), (used.start + 1..used.end).step_by(50)] {
            killed.clone().for_each(|slot| world.kill(slot));
            if world.overwrite().is_err() {
                return world.ledger;
            }
            killed.step_by(2).for_each(|slot| world.employ(slot));
        }
        // Handed over when the node stops, and never overwritten by it.
        used.skip(3).step_by(9).for_each(|slot| {
            if world.ledger.slots[slot as usize].sealed.is_some() {
                world.kill(slot);
            }
        });
        ledger = world.ledger;
    }
    ledger
}

fn check_after_crash(disk: &TornDisk, ledger: &Ledger, at: u64) {
    for (key, acknowledged) in &ledger.dead {
        assert!(!acknowledged || !disk.holds(&**key), "operation {at}: a key that was acknowledged as gone is there");
    }
}

fn start(disk: &TornDisk, ledger: Ledger, at: u64) -> World {
    let slots = ledger.slots.len().max(1) as u32;
    let mut world = World::open(disk, ledger, slots)
        .unwrap_or_else(|(fault, _)| panic!("operation {at}: it does not start again: {fault}"));
    world.check();
    world
}

/// Operations of a life in which nothing fails.
fn operations() -> u64 {
    let complete = |operations: &u64| {
        let disk = TornDisk::new(1);
        disk.fail_after(*operations);
        live(&disk);
        !disk.is_off()
    };
    (0..10_000).find(complete).expect("a life ends")
}

#[test]
fn a_power_cut_at_any_moment_loses_no_key_in_use_and_brings_none_back() {
    let all = operations();
    assert!(all > 80, "only {all} operations");
    for at in 0..=all {
        for seed in 0..4 {
            let disk = TornDisk::new(seed << 20 | at);
            disk.fail_after(at);
            let ledger = live(&disk);
            disk.crash();
            check_after_crash(&disk, &ledger, at);
            let mut world = start(&disk, ledger, at);
            // And goes on.
            let in_use = (0..).zip(&world.ledger.slots).filter(|(_, slot)| slot.sealed.is_some());
            let in_use: Vec<u32> = in_use.map(|(slot, _)| slot).collect();
            in_use.iter().step_by(3).for_each(|slot| world.kill(*slot));
            world.overwrite().expect("the disk is sound");
            disk.crash();
            check_after_crash(&disk, &world.ledger, at);
            start(&disk, world.ledger, at);
        }
    }
}

#[test]
fn a_power_cut_in_the_start_after_a_power_cut_loses_nothing_either() {
    for at in 0..=operations() {
        for second in 0..u64::MAX {
            let disk = TornDisk::new(second << 20 | at);
            disk.fail_after(at);
            let ledger = live(&disk);
            disk.crash();
            disk.fail_after(second);
            let slots = ledger.slots.len().max(1) as u32;
            let ledger = match World::open(&disk, ledger, slots) {
                Ok(world) => world.ledger,
                Err((_, ledger)) => ledger,
            };
            let complete = !disk.is_off();
            disk.crash();
            check_after_crash(&disk, &ledger, at);
            start(&disk, ledger, at);
            if complete {
                break;
            }
        }
    }
}

#[test]
fn a_key_of_which_one_copy_is_damaged_is_mended_from_the_other() {
    let disk = TornDisk::new(5);
    let mut world = World::open(&disk, Ledger::default(), 70).unwrap_or_else(|(fault, _)| panic!("{fault}"));
    (0..70).for_each(|slot| world.employ(slot));
    let sound = disk.bytes(FILE);
    for block in 0..6 {
        disk.change(FILE, |bytes| bytes[4_096 * block..4_096 * (block + 1)].fill(0xEE));
        let mut again = start(&disk, world.ledger.clone(), 0);
        let keys = [0, 0, 64, 64, 6, 6][block];
        assert_eq!((again.found.mended, disk.bytes(FILE) == sound), (keys, true), "block {block}");
        again.check();
        disk.change(FILE, |bytes| bytes.clone_from(&sound));
    }
    disk.change(FILE, |bytes| bytes[4_096 * 2..4_096 * 4].fill(0xEE));
    let lost = World::open(&disk, world.ledger, 70).unwrap_or_else(|(fault, _)| panic!("{fault}"));
    assert_eq!((lost.found.in_use, lost.found.lost), (6, 64), "both copies are gone");
}
