//! The world does its worst to a small log: what nothing proves to have been durable may be cut, the rest is never
//! lost in silence.

use super::super::directory::{self, Identity};
use super::super::frame::{FrameHeader, HEADER_BYTES};
use super::super::recovery::recover;
use super::*;

const BLOCK: usize = 4096;
const FRAMES: [(u16, usize); 7] = [(0, 9_000), (1, 20), (2, 3_900), (0, 7_000), (1, 12_000), (1, 30), (2, 3_000)];

/// Two segments, stopped cleanly: the last frame vouches for the one before.
fn small_log() -> FakeDisk {
    let disk = FakeDisk::default();
    let mut world = open(&disk);
    for (stream, length) in FRAMES {
        world.frame(stream, length);
    }
    world.supply();
    world.writer.finish(0).expect("a clean end");
    drop(world);
    disk
}

#[test]
fn a_torn_frame_is_cut_whichever_of_its_blocks_landed() {
    let disk = FakeDisk::default();
    let mut world = open(&disk);
    world.frame(0, 5_000);
    world.frame(1, 9_000);
    drop(world);
    let (begin, blocks) = (3 * BLOCK, 3);
    for landed in 0..1_u32 << blocks {
        let torn = disk.copy();
        torn.change(&segment_name(1), |bytes| {
            for block in (0..blocks).filter(|block| landed >> block & 1 == 0) {
                bytes[begin + block * BLOCK..begin + (block + 1) * BLOCK].fill(0);
            }
        });
        let mut world = open(&torn);
        let whole = landed == (1 << blocks) - 1;
        assert_eq!(world.replayed, expected(&[(0, 5_000), (1, 9_000)][..1 + usize::from(whole)]), "{landed:03b}");
        assert_eq!(world.cut.is_some(), !whole && landed != 0, "{landed:03b}");
        world.frame(2, 10);
        world.frame(1, 9_000);
        drop(world);
        assert_eq!(open(&torn.crashed()).replayed.len(), 3 + usize::from(whole), "it goes on after the cut");
    }
}

#[test]
fn old_bytes_behind_a_cut_are_never_taken_for_new_ones() {
    let disk = FakeDisk::default();
    let interval = Options { durability: Durability::Interval { ms: 1_000 }, ..options() };
    let mut world = try_open(&disk, &interval).expect("opens");
    (0..4).for_each(|_| world.frame(0, 3_900));
    drop(world);
    // The first block of the second frame did not land, the third and the fourth frame did: nothing was synced.
    disk.change(&segment_name(1), |bytes| bytes[2 * BLOCK..3 * BLOCK].fill(0));
    let mut world = open(&disk);
    assert_eq!(world.replayed, expected(&[(0, 3_900)]));
    world.frame(1, 10);
    drop(world);
    let again = open(&disk.crashed());
    assert_eq!(again.replayed, expected(&[(0, 3_900), (1, 10)]));
    assert_eq!(again.cut, None);
}

#[test]
fn padding_that_is_not_zero_is_damage_even_in_the_last_frame() {
    let disk = FakeDisk::default();
    let mut world = open(&disk);
    world.frame(0, 10);
    drop(world);
    disk.change(&segment_name(1), |bytes| bytes[2 * BLOCK - 1] = 1);
    let fault = try_open(&disk, &options()).expect_err("damage");
    assert!(fault.to_string().contains("padding"), "{fault}");
}

#[test]
fn a_missing_segment_is_damage() {
    let disk = small_log();
    for (number, is_damage) in [(1, false), (2, true), (3, true)] {
        let other = disk.copy();
        other.remove(&segment_name(number)).expect("removes");
        match try_open(&other, &options()) {
            Err(fault) => assert!(is_damage && fault.exit_code() == 11, "{number}: {fault}"),
            // Without the first segment the log is a trimmed one: whoever has no image of before must refuse it.
            Ok(world) => assert!(!is_damage && world.replayed.len() < FRAMES.len(), "{number}"),
        }
    }
    disk.remove(directory::NAME).expect("removes");
    assert_eq!(try_open(&disk, &options()).err().map(|fault| fault.exit_code()), Some(11));
}

#[test]
fn a_flipped_bit_anywhere_is_never_silent() {
    let disk = small_log();
    let identity = directory::read(&disk).expect("sound");
    let all = expected(&FRAMES);
    for number in 1..=4 {
        let name = segment_name(number);
        for at in 0..SEGMENT as usize {
            let flip = |bytes: &mut Vec<u8>| bytes[at] ^= 1 << (at % 8);
            disk.change(&name, flip);
            match replay(&disk, identity) {
                Err(fault) => assert_eq!(fault.exit_code(), 11, "{name} at {at}: {fault}"),
                Ok((replayed, said)) => assert!(said && replayed == all, "{name} at {at}"),
            }
            disk.change(&name, flip);
        }
    }
    for at in 0..BLOCK {
        disk.change(directory::NAME, |bytes| bytes[at] ^= 1 << (at % 8));
        assert_eq!(directory::read(&disk).err().map(|fault| fault.exit_code()), Some(11), "at {at}");
        disk.change(directory::NAME, |bytes| bytes[at] ^= 1 << (at % 8));
    }
}

/// The entries, and whether anything was said to be cut or thrown away.
fn replay(disk: &FakeDisk, identity: Identity) -> Result<(Vec<Owned>, bool), Fault> {
    let mut replayed = Vec::new();
    let mut take = |entry: ReplayedEntry<'_>| {
        replayed.push((entry.stream.0, entry.sequence.0, entry.log_time.ms(), entry.bytes.to_vec()));
    };
    let recovered = recover(disk, identity, &mut take, &mut |_| {})?;
    Ok((replayed, recovered.cut.is_some() || !recovered.discard.is_empty()))
}

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ mixed >> 31) % below as u64) as usize
    }

    fn corrupt(&mut self, bytes: &mut Vec<u8>) {
        if bytes.len() < SEGMENT as usize {
            return;
        }
        let at = self.roll(bytes.len());
        let sector = at / 512 * 512;
        match self.roll(7) {
            0 => bytes[at] ^= 1 << self.roll(8),
            1 => bytes[sector..sector + 512].fill(0),
            2 => bytes[at / BLOCK * BLOCK..][..BLOCK].fill(0),
            3 => {
                let length = self.roll(bytes.len() - sector);
                bytes[sector..sector + length / 512 * 512].fill(0);
            }
            4 => (0..64).for_each(|step| bytes[sector + step] = self.roll(256) as u8),
            5 => {
                let from = self.roll(bytes.len() / BLOCK) * BLOCK;
                bytes.copy_within(from..from + BLOCK, at / BLOCK * BLOCK);
            }
            _ => bytes.truncate(at),
        }
    }
}

/// A frame of the sound log, with the entries there are up to its end.
struct Mark {
    file: String,
    at: usize,
    head: Vec<u8>,
    /// What its presence proves to have been durable.
    proves: u64,
}

/// Everything in the sound log that proves something, and how many entries there are up to each frame.
fn proofs(disk: &FakeDisk) -> (Vec<Mark>, Vec<usize>) {
    let (mut marks, mut upto) = (Vec::new(), vec![0]);
    for number in 1..=2 {
        let (file, bytes) = (segment_name(number), disk.bytes(&segment_name(number)));
        let before = upto.len() as u64 - 1;
        marks.push(Mark { file: file.clone(), at: 0, head: bytes[..BLOCK].to_vec(), proves: before });
        let mut at = BLOCK;
        while let Ok(header) = FrameHeader::decode(&bytes[at.min(bytes.len())..]) {
            let head = bytes[at..at + HEADER_BYTES].to_vec();
            marks.push(Mark { file: file.clone(), at, head, proves: header.durable_upto });
            upto.push(upto[upto.len() - 1] + header.entries as usize);
            at += (HEADER_BYTES + header.body_bytes as usize).next_multiple_of(BLOCK);
        }
    }
    (marks, upto)
}

#[test]
fn a_hundred_thousand_corruptions_never_panic_and_never_lose_what_was_proven_durable() {
    let disk = small_log();
    let identity = directory::read(&disk).expect("sound");
    let (marks, upto) = proofs(&disk);
    assert_eq!(upto.last(), Some(&FRAMES.len()));
    let all = expected(&FRAMES);
    let sound: Vec<_> = (1..=4).map(|number| (segment_name(number), disk.bytes(&segment_name(number)))).collect();
    let mut dice = Dice(0x5EED);
    let mut verdicts = [0_usize; 2];
    for turn in 0..100_000 {
        let mut touched = Vec::new();
        for _ in 0..=dice.roll(2) {
            let (name, _) = &sound[[0, 1, 1, 1, 2, 3][dice.roll(6)]];
            disk.world().files.get_mut(name).map(|file| dice.corrupt(&mut file.cached)).expect("exists");
            touched.push(name.clone());
        }
        let outcome = replay(&disk, identity);
        verdicts[usize::from(outcome.is_ok())] += 1;
        if let Ok((replayed, _)) = outcome {
            let stands =
                |mark: &&Mark| disk.bytes(&mark.file).get(mark.at..mark.at + mark.head.len()) == Some(&mark.head);
            let proven = marks.iter().filter(stands).map(|mark| mark.proves).max().unwrap_or(0);
            assert!(replayed.len() >= upto[proven as usize], "turn {turn} lost what frame {proven} proves");
            assert_eq!(replayed, all[..replayed.len()], "turn {turn} invented something");
        }
        for (name, bytes) in sound.iter().filter(|(name, _)| touched.contains(name)) {
            disk.world().files.get_mut(name).map(|file| file.cached.clone_from(bytes)).expect("exists");
        }
    }
    assert!(verdicts.iter().all(|count| *count > 10_000), "both outcomes are common: {verdicts:?}");
}

#[test]
fn salvage_of_a_sound_log_drops_nothing() {
    let (disk, into) = (small_log(), FakeDisk::default());
    let salvaged = salvage_on(&disk, &into, false).expect("nothing is lost");
    assert_eq!(salvaged, Salvaged { kept: FRAMES.len() as u64, dropped: Vec::new(), unreadable: Vec::new() });
    let mut world = open(&into);
    let mut back = expected(&FRAMES);
    assert_eq!(world.replayed, back);
    world.frame(0, 10);
    drop(world);
    back.push((0, 3, 1_003, bytes_of(0, 3, 10)));
    assert_eq!(open(&into).replayed, back);
    assert!(matches!(salvage_on(&disk, &into, true), Err(Fault::NotEmpty { .. })));
}

#[test]
fn salvage_lists_what_it_drops_and_asks_first() {
    let disk = small_log();
    // The body of frame 2, the first entry of stream 1.
    disk.change(&segment_name(1), |bytes| bytes[4 * BLOCK + 110] ^= 1);
    let into = FakeDisk::default();
    let refused = salvage_on(&disk, &into, false).expect_err("a loss is not accepted by itself");
    assert!(matches!(refused, Fault::LossNotAccepted { entries: 3, regions: 1 }), "{refused}");
    assert!(into.world().files.is_empty());
    let before = disk.copy();
    let salvaged = salvage_on(&disk, &into, true).expect("salvages");
    assert!(before.world().files == disk.world().files, "the damaged log is only read");
    let dropped = Dropped { stream: ShardId(1), first: Sequence(1), last: Sequence(3), readable: 2 };
    let region = Region { file: segment_name(1), offset: 4 * BLOCK as u64, bytes: BLOCK as u64 };
    assert_eq!(salvaged, Salvaged { kept: 4, dropped: vec![dropped], unreadable: vec![region] });
    let kept: Vec<_> = expected(&FRAMES).into_iter().filter(|(stream, ..)| *stream != 1).collect();
    assert_eq!(open(&into).replayed, kept);
}

#[test]
fn salvage_reads_past_a_lost_segment_header() {
    let disk = small_log();
    disk.change(&segment_name(1), |bytes| bytes[..BLOCK].fill(0));
    let into = FakeDisk::default();
    let salvaged = salvage_on(&disk, &into, true).expect("salvages");
    assert_eq!((salvaged.kept, salvaged.dropped.len()), (FRAMES.len() as u64, 0));
    assert_eq!(open(&into).replayed, expected(&FRAMES));
}

#[test]
fn a_reader_sees_what_recovery_sees_and_changes_nothing() {
    let disk = small_log();
    let before = disk.copy();
    let reader = Reader::open_on(disk.clone()).expect("free");
    let mut entries = 0;
    let report = reader.read(&mut |_| entries += 1, &mut |_| {}).expect("sound");
    assert_eq!((entries, report.torn), (FRAMES.len(), None));
    let mut items = Vec::new();
    reader.dump(&mut |item| items.push(format!("{item:?}"))).expect("readable");
    assert_eq!(items.iter().filter(|item| item.starts_with("Entry")).count(), FRAMES.len());
    assert!(try_open(&disk, &options()).is_err_and(|fault| fault.exit_code() == 10), "it is in use");
    drop(reader);
    assert!(before.world().files == disk.world().files);
}

#[test]
fn trimming_keeps_one_gapless_log_and_what_is_still_needed() {
    let disk = small_log();
    assert_eq!(trim_on(&disk, u64::MAX, &[Sequence(0); 3]).expect("trims"), 0);
    assert_eq!(trim_on(&disk, 1, &[Sequence(u64::MAX); 3]).expect("trims"), 0, "an image goes on there");
    assert_eq!(trim_on(&disk, u64::MAX, &[Sequence(u64::MAX); 3]).expect("trims"), 1, "the one in use stays");
    let world = open(&disk);
    let mut back = expected(&FRAMES);
    let rest = back.split_off(FRAMES.len() - world.replayed.len());
    assert_eq!(world.replayed, rest);
    assert!(!rest.is_empty() && !back.is_empty());
    drop(world);
    let into = FakeDisk::default();
    salvage_on(&disk, &into, false).expect("a trimmed log is a sound one");
    assert_eq!(open(&into).replayed, rest);
}
