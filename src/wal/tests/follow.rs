//! Following a log while it is written: everything durable, in order, once; and nothing that is not.

use std::cell::RefCell;

use super::*;

/// A reader beside the log, and everything it was handed.
struct Reader {
    follower: Follower<FakeDisk>,
    read: Vec<Owned>,
}

impl Reader {
    fn open(disk: &FakeDisk, from: [u64; 3]) -> Self {
        let follower = Follower::open_on(disk, &from.map(Sequence)).expect("a sound log");
        Self { follower, read: Vec::new() }
    }

    /// Reads until there is nothing more, with these marks.
    fn try_read(&mut self, durable: [u64; 3]) -> Result<Followed, Fault> {
        let marks = |stream: ShardId| Sequence(durable[usize::from(stream.0)]);
        loop {
            let followed = self.follower.step(&marks, &mut |entry| {
                let ReplayedEntry { stream, sequence, log_time, bytes } = entry;
                self.read.push((stream.0, sequence.0, log_time.ms(), bytes.to_vec()));
            })?;
            if followed != Followed::Read {
                return Ok(followed);
            }
        }
    }

    fn read(&mut self, durable: [u64; 3]) -> Followed {
        self.try_read(durable).expect("a sound log")
    }
}

#[test]
fn a_reader_keeps_up_with_a_log_that_goes_from_segment_to_segment() {
    let disk = FakeDisk::default();
    let mut world = open(&disk);
    let (mut reader, mut durable, mut frames) = (Reader::open(&disk, [0; 3]), [0; 3], Vec::new());
    assert_eq!(reader.read(durable), Followed::UpToDate, "no segment was begun yet");
    for round in 0..60_usize {
        for entry in 0..=round % 3 {
            let (stream, length) = ((round + entry) as u16 % 3, 1 + round * 97 % 5_000);
            world.put(stream, length);
            frames.push((stream, length));
        }
        for mark in world.commit(round as u64 * 40) {
            durable[usize::from(mark.stream.0)] = mark.sequence.0;
        }
        if round % 4 != 1 {
            assert_eq!(reader.read(durable), Followed::UpToDate);
            assert_eq!(reader.read, expected(&frames), "round {round}");
        }
    }
    assert!(reader.follower.segment() > 3, "the log went on in later segments");
}

#[test]
fn nothing_is_handed_out_before_its_mark_has_passed() {
    let disk = FakeDisk::default();
    let mut world = open(&disk);
    let mut reader = Reader::open(&disk, [0; 3]);
    world.frame(0, 100);
    world.put(0, 50);
    world.put(1, 60);
    world.commit(0);
    for durable in [[0; 3], [1, 0, 0], [2, 0, 0], [1, 1, 0]] {
        assert_eq!(reader.read(durable), Followed::UpToDate);
        assert_eq!(reader.read.len(), usize::from(durable != [0; 3]), "{durable:?}");
    }
    reader.read([2, 1, 0]);
    assert_eq!(reader.read, expected(&[(0, 100), (0, 50), (1, 60)]));
}

#[test]
fn a_reader_begins_with_the_segment_that_holds_what_it_lacks() {
    let (disk, mut durable) = (FakeDisk::default(), [0; 3]);
    let mut world = open(&disk);
    for number in 0..24 {
        world.frame(number % 2, 3_000);
        durable[usize::from(number % 2)] += 1;
    }
    let mut reader = Reader::open(&disk, [12, 10, 0]);
    let begun = reader.follower.segment();
    reader.read(durable);
    assert!(begun > 1, "what it has need not be read");
    let first = |stream| reader.read.iter().find(|(of, ..)| *of == stream).map_or(u64::MAX, |(_, first, ..)| *first);
    assert!(first(1) <= 11 && reader.read.last().is_some_and(|(_, last, ..)| *last == 12), "{}", first(1));
}

#[test]
fn where_the_log_was_trimmed_a_reader_is_told_and_begins_at_the_oldest_entry() {
    let disk = FakeDisk::default();
    let mut world = open(&disk);
    world.frame(0, 3_000);
    let mut reader = Reader::open(&disk, [0; 3]);
    assert_eq!(reader.read([1, 0, 0]), Followed::UpToDate);
    for _ in 1..30 {
        world.frame(0, 3_000);
    }
    let removed = trim_on(&disk, u64::MAX, &[Sequence(20), Sequence(0), Sequence(0)]).expect("segments go");
    assert!(removed > 1);
    assert_eq!(reader.read([30, 0, 0]), Followed::Trimmed);
    let mut anew = Reader::open(&disk, [reader.read.len() as u64, 0, 0]);
    let trimmed = anew.follower.tails()[0].sequence.0;
    assert_eq!(anew.read([30, 0, 0]), Followed::UpToDate);
    let sequences: Vec<u64> = anew.read.iter().map(|(_, sequence, ..)| *sequence).collect();
    assert_eq!(sequences, (trimmed + 1..=30).collect::<Vec<_>>());
    assert!((8..=20).contains(&trimmed), "{trimmed}");
}

#[test]
fn what_was_durable_and_is_not_there_is_damage_and_names_the_place() {
    let disk = FakeDisk::default();
    let mut world = open(&disk);
    world.frame(0, 100);
    world.frame(0, 100);
    disk.change(&segment_name(1), |bytes| bytes[2 * 4_096 + 90] ^= 1);
    let reader = RefCell::new(Reader::open(&disk, [0; 3]));
    let look = || reader.borrow_mut().try_read([2, 0, 0]);
    let fault = (0..=crate::base::limits::FOLLOW_LOOKS_MAX).find_map(|_| look().err()).expect("it is found out");
    assert!(matches!(&fault, Fault::Damage { offset: 8_192, frame: 2, .. }), "{fault}");
    assert_eq!(reader.borrow().read, expected(&[(0, 100)]));
}
