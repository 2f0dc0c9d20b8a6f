//! The courier turn by turn, with a sink that says what the test says.

use super::*;
use crate::base::limits::{ADAPTER_FAILURES_MAX, CURSOR_MOVE_MS};
use crate::base::{MarketId, OrderId};
use crate::engine::order::State;
use crate::engine::{Answer, Fact};
use crate::feed::Position;
use crate::wal::ReplayedEntry;
use crate::wire::{Refused, encode_fact};

const DONE: Told = Told::Answer(Answer::Done { state: State::Confirmed, moved: 0, excess: 0, repeated: false });

struct Bench {
    courier: Courier,
    now_ms: u64,
    out: Vec<(u16, Position, Position)>,
    moves: Vec<(u16, u64, u64)>,
}

impl Bench {
    fn new() -> Self {
        let courier = Courier::new(&[Sequence(0), Sequence(0)], 7);
        Self { courier, now_ms: 0, out: Vec::new(), moves: Vec::new() }
    }

    /// One fact of this shard.
    fn happens(&mut self, shard: u16, sequence: u64) {
        let order = OrderId::new(Timestamp::ZERO, MarketId::new(1).expect("fits"), sequence);
        let mut bytes = Vec::new();
        encode_fact(&Fact::Expired { order }, &mut bytes);
        let (stream, sequence, log_time) = (ShardId(shard), Sequence(sequence), Timestamp::from_ms(sequence));
        self.courier.feed().handle_entry(&ReplayedEntry { stream, sequence, log_time, bytes: &bytes }).expect("sound");
        self.turn();
    }

    fn turn(&mut self) {
        while let Some(errand) = self.courier.poll_errand(self.now_ms) {
            match errand {
                Errand::Deliver(batch) => {
                    let (first, last) = batch.positions();
                    self.out.push((batch.shard().0, first, last));
                }
                Errand::Move { shard, correlation, upto } => self.moves.push((shard.0, correlation, upto.0)),
            }
        }
    }

    fn wait(&mut self, ms: u64) {
        self.now_ms += ms;
        self.turn();
    }

    fn deliver(&mut self, shard: u16, delivery: Delivery) {
        self.courier.handle_delivery(ShardId(shard), delivery, self.now_ms);
        self.turn();
    }

    fn tell(&mut self, told: &Told) {
        let (_, correlation, _) = self.moves.remove(0);
        self.courier.handle_told(correlation, told, self.now_ms);
        self.turn();
    }
}

fn position(sequence: u64) -> Position {
    Position { sequence: Sequence(sequence), index: 0 }
}

#[test]
fn what_fails_is_delivered_again_and_holds_back_its_shard_and_no_other() {
    let mut bench = Bench::new();
    bench.happens(0, 1);
    bench.happens(0, 2);
    bench.happens(1, 1);
    assert_eq!(bench.out, [(0, position(1), position(1)), (1, position(1), position(1))]);
    bench.deliver(0, Delivery::Again);
    bench.deliver(1, Delivery::Taken);
    assert_eq!(bench.out.len(), 2, "not at once");
    bench.wait(100);
    assert_eq!(bench.out[2..], [(0, position(1), position(1))], "the same again, and 2 waits");
    bench.deliver(0, Delivery::Taken);
    assert_eq!(bench.out[3..], [(0, position(2), position(2))]);
    let counts = bench.courier.counts;
    assert_eq!((counts.facts, counts.deliveries, counts.failures), (2, 4, 1));
}

#[test]
fn a_dead_sink_is_left_alone_and_asked_by_one_probe() {
    let mut bench = Bench::new();
    bench.happens(0, 1);
    bench.happens(1, 1);
    for failed in 1..=u64::from(ADAPTER_FAILURES_MAX) {
        let (shard, ..) = bench.out.pop().expect("something is out");
        bench.deliver(shard, Delivery::Again);
        assert_eq!(bench.courier.counts.failures, failed);
        if failed < u64::from(ADAPTER_FAILURES_MAX) {
            bench.wait(60_000);
        }
    }
    assert!(bench.courier.is_breaker_open());
    let other = bench.out.drain(..).next();
    let probe_ms = bench.courier.poll_deadline(bench.now_ms).expect("it is probed") - bench.now_ms;
    bench.wait(probe_ms - 1);
    assert_eq!(bench.out, [], "left alone");
    bench.wait(60_000);
    assert_eq!(bench.out.len(), 1, "one probe, and nobody else");
    bench.wait(60_000);
    assert_eq!(bench.out.len(), 1);
    let (shard, ..) = bench.out[0];
    assert!(other.is_none_or(|(other, ..)| other != shard));
    bench.deliver(shard, Delivery::Taken);
    bench.turn();
    assert!(!bench.courier.is_breaker_open());
    bench.deliver(1 - shard, Delivery::Taken);
    assert_eq!((bench.courier.held(), bench.courier.counts.facts), (0, 2));
}

#[test]
fn cursors_follow_what_was_taken_and_are_asked_for_again_while_a_shard_has_no_room() {
    let mut bench = Bench::new();
    bench.happens(0, 1);
    bench.deliver(0, Delivery::Taken);
    assert!(matches!(bench.moves[..], [(0, _, 1)]));
    bench.tell(&Told::Refused(Refused::Overloaded { retry_after_ms: 30 }));
    bench.wait(29);
    assert!(bench.moves.is_empty());
    bench.wait(1);
    assert!(matches!(bench.moves[..], [(0, _, 1)]));
    bench.tell(&DONE);
    bench.happens(0, 2);
    bench.deliver(0, Delivery::Taken);
    assert!(bench.moves.is_empty() && !bench.courier.is_idle());
    assert_eq!(bench.courier.poll_deadline(bench.now_ms), Some(bench.now_ms + CURSOR_MOVE_MS));
    bench.wait(CURSOR_MOVE_MS);
    assert!(matches!(bench.moves[..], [(0, _, 2)]));
    bench.tell(&DONE);
    assert!(bench.courier.is_idle());
    assert_eq!(bench.courier.counts.moves, 2);
}

#[test]
fn at_the_end_cursors_move_to_what_was_taken_and_nothing_more_is_handed_out() {
    let mut bench = Bench::new();
    bench.happens(0, 1);
    bench.deliver(0, Delivery::Taken);
    bench.tell(&DONE);
    bench.happens(0, 2);
    bench.deliver(0, Delivery::Taken);
    bench.happens(0, 3);
    bench.happens(1, 1);
    bench.happens(0, 4);
    bench.deliver(1, Delivery::Again);
    assert!(bench.moves.is_empty(), "the cursor was moved less than a second ago");
    bench.courier.handle_ending(bench.now_ms);
    bench.turn();
    assert!(matches!(bench.moves[..], [(0, _, 2)]));
    bench.deliver(0, Delivery::Taken);
    assert!(!bench.courier.has_ended());
    bench.tell(&DONE);
    assert!(matches!(bench.moves[..], [(0, _, 3)]), "what was out has been taken meanwhile");
    bench.tell(&Told::Refused(Refused::Overloaded { retry_after_ms: 30 }));
    assert!(bench.moves.is_empty() && !bench.courier.has_ended());
    assert_eq!(
        bench.courier.poll_deadline(bench.now_ms),
        Some(bench.now_ms + 30),
        "a shard without room is not pestered"
    );
    let out = bench.out.len();
    bench.wait(30);
    bench.tell(&DONE);
    bench.wait(60_000);
    assert!(bench.courier.has_ended());
    assert_eq!(bench.out.len(), out, "what the sink did not take, it is told after the next start");
}

/// A thread that asks when to wake must not be told "now" for a shard that has nothing.
#[test]
fn a_shard_without_news_is_no_reason_to_wake_while_another_is_under_way() {
    let mut bench = Bench::new();
    bench.happens(0, 1);
    bench.happens(0, 2);
    assert_eq!(bench.courier.poll_deadline(bench.now_ms), None);
}
