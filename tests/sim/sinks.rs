//! The sinks of one life of the node, and their receivers of all: real followers, feeds and couriers, moved by the
//! world instead of a thread.
//!
//! # Always true
//! - A receiver is told every fact of every shard, in order, with the bytes and the time that the shard appended; twice
//!   after a crash or a lost answer, never another one in the same position.
//! - It misses facts only where it was told a gap, and that only after the world let go of its cursor.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use stockade::adapters::{Courier, Delivery, Desk, Errand};
use stockade::base::{Sequence, ShardId, Timestamp};
use stockade::engine::{Command, Engine, Fact};
use stockade::feed::{Batch, Event, Position};
use stockade::shard::{HeldCursor, Inbox};
use stockade::wal::{Fault, Followed, Follower};
use stockade::wire::{FactReader, FactScratch, Request, encode_fact};

use crate::disk::SimDisk;
use crate::log::Appended;
use crate::rng::Rng;

const NAMES: [&str; 2] = ["erp", "mail"];
/// Segments that are kept for a sink before the world lets go of it.
const BEHIND_MAX: u64 = 3;

/// The sinks of this life, and what their receivers know.
pub(crate) struct Sinks {
    /// Whether there are any in this world.
    pub(crate) are_open: bool,
    sinks: Vec<Sink>,
    receivers: [Receiver; NAMES.len()],
    /// The log was not kept for a sink at some moment.
    let_go: bool,
}

struct Sink {
    courier: Courier,
    follower: Option<Follower<SimDisk>>,
    desk: Desk,
    /// With the receiver, or on the way there or back.
    out: Vec<Rc<Batch>>,
    /// Who has to be told nothing.
    side_desk: Desk,
}

/// What a receiver was told, by shard.
#[derive(Debug, Default)]
struct Receiver {
    facts: BTreeMap<(u16, Position), (Timestamp, Vec<u8>)>,
    gaps: Vec<(u16, Sequence, Sequence)>,
    told_twice: u64,
}

impl Receiver {
    fn take(&mut self, batch: &Batch) {
        let shard = batch.shard().0;
        batch.read(&mut FactScratch::default(), |event| match event {
            Event::Gap { after, upto } => self.gaps.push((shard, after, upto)),
            Event::Fact { position, at, fact } => {
                let mut bytes = Vec::new();
                encode_fact(&fact, &mut bytes);
                let newest = self.facts.range(..=(shard, LAST)).next_back().filter(|((of, _), _)| *of == shard);
                let is_new = newest.is_none_or(|((_, newest), _)| *newest < position);
                let before = self.facts.insert((shard, position), (at, bytes.clone()));
                match before {
                    Some(before) => assert_eq!(before, (at, bytes), "another fact in the same position {position:?}"),
                    None => assert!(is_new, "shard {shard}: {position:?} comes after a later one"),
                }
                self.told_twice += u64::from(!is_new);
            }
        });
    }

    fn is_missing(&self, shard: u16, sequence: Sequence) -> bool {
        self.gaps.iter().any(|(of, after, upto)| *of == shard && *after < sequence && sequence <= *upto)
    }
}

const LAST: Position = Position { sequence: Sequence(u64::MAX), index: u32::MAX };

impl Sinks {
    pub(crate) fn new(are_open: bool) -> Self {
        Self { are_open, sinks: Vec::new(), receivers: Default::default(), let_go: false }
    }

    /// A life begins: couriers know their cursors, as the shards do, and nothing else.
    pub(crate) fn begin_life(&mut self, engines: &[&Engine], inboxes: &[Inbox], rng: &mut Rng) {
        if !self.are_open {
            return;
        }
        let open = |name: &str| {
            let cursor = |engine: &&Engine| {
                engine.cursors().find(|(sink, _)| *sink == name).map_or(Sequence(0), |(_, cursor)| cursor.upto)
            };
            let cursors: Vec<Sequence> = engines.iter().map(cursor).collect();
            Sink {
                courier: Courier::new(&cursors, rng.next()),
                follower: None,
                desk: Desk::new(inboxes.to_vec()),
                out: Vec::new(),
                side_desk: Desk::new(inboxes.to_vec()),
            }
        };
        self.sinks = NAMES.into_iter().map(open).collect();
    }

    /// As a node does before anybody is answered.
    pub(crate) fn attach(&mut self, shards: u16) {
        for (sink, name) in self.sinks.iter_mut().zip(NAMES) {
            for shard in 0..usize::from(shards) {
                let command = Command::MoveCursor { sink: name, upto: Sequence(0) };
                sink.side_desk.submit(shard, 0, &Request::Command(command));
            }
        }
    }

    /// Lets go of cursors that hold too much of the log.
    pub(crate) fn detach(&mut self, cursors: &[HeldCursor], segment: u64) {
        for held in cursors.iter().filter(|held| segment - held.segment > BEHIND_MAX) {
            let command = Command::DetachCursor { sink: &held.sink, upto: held.upto };
            self.sinks[0].side_desk.submit(usize::from(held.shard.0), 0, &Request::Command(command));
            self.let_go = true;
        }
    }

    /// The log is kept for nobody this time.
    pub(crate) const fn let_go(&mut self) {
        self.let_go = true;
    }

    /// Lets couriers work, up to these marks. While it is calm, receivers take what they are told.
    pub(crate) fn step(
        &mut self,
        rng: &mut Rng,
        (now_ms, is_calm): (u64, bool),
        (disk, marks): (&SimDisk, &[Sequence]),
    ) -> Result<(), Fault> {
        for (sink, receiver) in self.sinks.iter_mut().zip(&mut self.receivers) {
            if is_calm || !rng.once_in(3) {
                sink.read(rng, disk, marks)?;
            }
            sink.step(rng, (now_ms, is_calm), receiver);
        }
        for (sink, name) in self.sinks.iter_mut().zip(NAMES) {
            sink.carry_out(name, now_ms);
        }
        Ok(())
    }

    /// Everything durable was read and taken, and cursors rest.
    pub(crate) fn are_done(&mut self, marks: &[Sequence]) -> bool {
        self.sinks.iter_mut().all(|sink| sink.courier.is_idle() && sink.courier.feed().read() == marks)
    }

    /// Holds what receivers were told against what shards appended. Says how many facts were told, how many of them
    /// twice, and how many gaps.
    pub(crate) fn check(&self, history: &[Vec<Appended>]) -> [u64; 3] {
        if !self.are_open {
            return [0; 3];
        }
        for receiver in &self.receivers {
            assert!(self.let_go || receiver.gaps.is_empty(), "a gap was told: {:?}", receiver.gaps);
            let mut found = 0;
            for (shard, entries) in (0..).zip(history) {
                for (sequence, entry) in (1..).map(Sequence).zip(entries) {
                    found += check_entry(receiver, shard, sequence, entry);
                }
            }
            assert_eq!(found, receiver.facts.len(), "a receiver was told what never became durable");
        }
        let sum = |pick: fn(&Receiver) -> u64| self.receivers.iter().map(pick).sum();
        [sum(|it| it.facts.len() as u64), sum(|it| it.told_twice), sum(|it| it.gaps.len() as u64)]
    }
}

/// Says how many facts of an entry a receiver was told, and that it missed none without being told.
fn check_entry(receiver: &Receiver, shard: u16, sequence: Sequence, (at, bytes): &Appended) -> usize {
    let (mut scratch, mut found) = (FactScratch::default(), 0);
    let mut facts = FactReader::new(bytes, &mut scratch);
    let mut index = 0;
    while let Some(fact) = facts.next() {
        let fact = fact.expect("shards append facts");
        let told = receiver.facts.get(&(shard, Position { sequence, index }));
        index += 1;
        let mut appended = Vec::new();
        encode_fact(&fact, &mut appended);
        match told {
            Some(told) => {
                assert!(!matches!(fact, Fact::CursorMoved { .. }), "cursors are nobody's business");
                assert_eq!(*told, (*at, appended), "shard {shard} entry {}: told otherwise", sequence.0);
                found += 1;
            }
            None => {
                let is_left_out = matches!(fact, Fact::CursorMoved { .. }) || receiver.is_missing(shard, sequence);
                assert!(is_left_out, "shard {shard} entry {}: {fact:?} was never told", sequence.0);
            }
        }
    }
    found
}

impl Sink {
    fn read(&mut self, rng: &mut Rng, disk: &SimDisk, marks: &[Sequence]) -> Result<(), Fault> {
        let durable = |stream: ShardId| marks[usize::from(stream.0)];
        for _ in 0..rng.between(1, 6) {
            let feed = self.courier.feed();
            let follower = match &mut self.follower {
                Some(follower) => follower,
                none => {
                    let follower = Follower::open_on(disk, &feed.read())?;
                    feed.handle_begun(follower.tails());
                    none.insert(follower)
                }
            };
            let segment = follower.segment();
            let followed = follower.step(&durable, &mut |entry| feed.handle_entry(&entry).expect("sound facts"))?;
            if follower.segment() != segment {
                feed.handle_segment();
            }
            match followed {
                Followed::Read => {}
                Followed::UpToDate => break,
                Followed::Trimmed => self.follower = None,
            }
        }
        Ok(())
    }

    fn step(&mut self, rng: &mut Rng, (now_ms, is_calm): (u64, bool), receiver: &mut Receiver) {
        let cx = &mut Context::from_waker(Waker::noop());
        while let Poll::Ready((correlation, told)) = self.desk.poll_told(cx) {
            self.courier.handle_told(correlation, &told, now_ms);
        }
        while self.side_desk.poll_told(cx).is_ready() {}
        let answers = if is_calm { self.out.len() } else { rng.below(3).min(self.out.len() as u64) as usize };
        for _ in 0..answers {
            let batch = self.out.swap_remove(rng.below(self.out.len() as u64) as usize);
            let is_lost = [(); 2].map(|()| !is_calm && rng.once_in(6));
            if !is_lost[0] {
                receiver.take(&batch);
            }
            let delivery = if is_lost.contains(&true) { Delivery::Again } else { Delivery::Taken };
            self.courier.handle_delivery(batch.shard(), delivery, now_ms);
        }
    }

    fn carry_out(&mut self, name: &str, now_ms: u64) {
        while let Some(errand) = self.courier.poll_errand(now_ms) {
            match errand {
                Errand::Deliver(batch) => self.out.push(batch),
                Errand::Move { shard, correlation, upto } => {
                    let request = Request::Command(Command::MoveCursor { sink: name, upto });
                    self.desk.submit(usize::from(shard.0), correlation, &request);
                }
            }
        }
    }
}
