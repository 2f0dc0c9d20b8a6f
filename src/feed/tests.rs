//! The feed turn by turn: what is told, what the cursor says, and when it moves.

use super::*;
use crate::base::limits::{CURSOR_MOVE_MS, FEED_BATCH_FACTS_MAX, FEED_BYTES_MAX};
use crate::base::{MarketId, OrderId, Sequence, ShardId, Timestamp};
use crate::engine::Fact;
use crate::wal::{ReplayedEntry, StreamTail};
use crate::wire::{FactScratch, encode_fact};

const SHARD: ShardId = ShardId(0);

fn order(number: u64) -> OrderId {
    OrderId::new(Timestamp::ZERO, MarketId::new(1).expect("fits"), number)
}

/// An entry of so many facts, a move of somebody's cursor before them if asked for.
fn entry(feed: &mut Feed, sequence: u64, facts: u64, has_cursor: bool) {
    let mut bytes = Vec::new();
    if has_cursor {
        encode_fact(&Fact::CursorMoved { sink: "it", upto: Sequence(1), attached: true }, &mut bytes);
    }
    (0..facts).for_each(|number| encode_fact(&Fact::Expired { order: order(number) }, &mut bytes));
    let (sequence, log_time) = (Sequence(sequence), Timestamp::from_ms(1_000 + sequence));
    let entry = ReplayedEntry { stream: SHARD, sequence, log_time, bytes: &bytes };
    feed.handle_entry(&entry).expect("sound facts");
}

fn told(batch: &Batch) -> Vec<(u64, u32)> {
    let mut positions = Vec::new();
    batch.read(&mut FactScratch::default(), |event| {
        let Position { sequence, index } = event.position();
        if let Event::Fact { at, fact, .. } = event {
            assert_eq!(at.ms(), 1_000 + sequence.0);
            assert!(matches!(fact, Fact::Expired { .. }));
        }
        positions.push((sequence.0, index));
    });
    positions
}

#[test]
fn facts_come_in_order_once_and_the_cursor_follows_what_was_taken() {
    let mut feed = Feed::new(&[Sequence(4)]);
    entry(&mut feed, 4, 3, false);
    entry(&mut feed, 5, 2, true);
    entry(&mut feed, 6, 1, false);
    let batch = feed.poll_batch(SHARD).expect("three facts");
    assert_eq!(told(&batch), [(5, 1), (5, 2), (6, 0)]);
    assert!(feed.poll_batch(SHARD).is_none(), "one at a time");
    assert_eq!(feed.poll_move(SHARD, 0), None, "nothing was taken");
    entry(&mut feed, 7, 1, false);
    assert_eq!(feed.poll_move(SHARD, 0), None);
    feed.handle_taken(SHARD);
    assert_eq!(feed.poll_move(SHARD, 0), Some(Sequence(6)), "7 waits");
    assert_eq!(feed.poll_move(SHARD, 0), None, "it was asked to");
    feed.handle_moved(SHARD, 10);
    feed.poll_batch(SHARD).expect("the fact of 7");
    feed.handle_taken(SHARD);
    assert_eq!(feed.poll_deadline(), Some(10 + CURSOR_MOVE_MS));
    assert_eq!(feed.poll_move(SHARD, 9 + CURSOR_MOVE_MS), None, "not so soon");
    assert_eq!(feed.poll_move(SHARD, 10 + CURSOR_MOVE_MS), Some(Sequence(7)));
    feed.handle_not_moved(SHARD, 2_000, 250);
    assert_eq!((feed.poll_move(SHARD, 2_249), feed.poll_move(SHARD, 2_250)), (None, Some(Sequence(7))));
}

#[test]
fn a_large_entry_is_cut_and_the_cursor_waits_for_its_last_fact() {
    let mut feed = Feed::new(&[Sequence(0)]);
    let facts = FEED_BATCH_FACTS_MAX as u64 + 5;
    entry(&mut feed, 1, facts, false);
    let first = feed.poll_batch(SHARD).expect("the first part");
    assert_eq!((first.len(), first.facts()), (FEED_BATCH_FACTS_MAX, FEED_BATCH_FACTS_MAX));
    feed.handle_taken(SHARD);
    assert_eq!(feed.poll_move(SHARD, 0), None, "not all of the entry was taken");
    let rest = feed.poll_batch(SHARD).expect("the rest");
    assert_eq!(told(&rest), (0..5).map(|at| (1, FEED_BATCH_FACTS_MAX as u32 + at)).collect::<Vec<_>>());
    feed.handle_taken(SHARD);
    assert_eq!(feed.poll_move(SHARD, 0), Some(Sequence(1)));
}

#[test]
fn what_was_trimmed_is_told_as_a_gap_in_its_place() {
    let mut feed = Feed::new(&[Sequence(3)]);
    entry(&mut feed, 4, 1, false);
    let tail = |sequence| [StreamTail { sequence: Sequence(sequence), log_time: Timestamp::ZERO }];
    feed.handle_begun(&tail(4));
    feed.handle_begun(&tail(9));
    entry(&mut feed, 9, 1, false);
    entry(&mut feed, 10, 1, false);
    let batch = feed.poll_batch(SHARD).expect("a fact, a gap, a fact");
    let mut events = Vec::new();
    batch.read(&mut FactScratch::default(), |event| {
        events.push(match event {
            Event::Gap { after, upto } => (after.0, upto.0),
            Event::Fact { position, .. } => (position.sequence.0, position.sequence.0),
        });
    });
    assert_eq!(events, [(4, 4), (4, 9), (10, 10)]);
    assert_eq!(batch.facts(), 2);
    feed.handle_taken(SHARD);
    assert_eq!(feed.poll_move(SHARD, 0), Some(Sequence(10)));
}

#[test]
fn an_idle_node_falls_silent_and_a_cursor_left_in_an_old_segment_follows_once() {
    let mut feed = Feed::new(&[Sequence(0)]);
    for sequence in 1..4 {
        entry(&mut feed, sequence, 0, true);
    }
    assert_eq!((feed.poll_move(SHARD, 0), feed.poll_deadline()), (None, None), "nothing was worth telling");
    assert!(feed.poll_batch(SHARD).is_none());
    feed.handle_segment();
    assert_eq!(feed.poll_move(SHARD, 0), Some(Sequence(3)));
    feed.handle_moved(SHARD, 0);
    entry(&mut feed, 4, 0, true);
    assert_eq!(feed.poll_move(SHARD, 10_000), None);
}

/// It is read again and again, as whatever cannot be read: each time its sound facts would be told once more.
#[test]
fn of_an_entry_that_holds_what_is_no_fact_nothing_is_taken() {
    let mut feed = Feed::new(&[Sequence(0)]);
    entry(&mut feed, 1, 1, false);
    let mut bytes = Vec::new();
    encode_fact(&Fact::Expired { order: order(1) }, &mut bytes);
    bytes.extend([0xff; 24]);
    let entry = ReplayedEntry { stream: SHARD, sequence: Sequence(2), log_time: Timestamp::ZERO, bytes: &bytes };
    for _ in 0..3 {
        assert!(feed.handle_entry(&entry).is_err());
    }
    assert_eq!((feed.held(), feed.read()), (1, vec![Sequence(1)]));
    assert_eq!(told(&feed.poll_batch(SHARD).expect("the fact of 1")), [(1, 0)]);
}

#[test]
fn it_holds_a_bounded_number_of_bytes() {
    let mut feed = Feed::new(&[Sequence(0)]);
    let mut sequence = 0;
    while feed.has_room() {
        sequence += 1;
        entry(&mut feed, sequence, 500, false);
    }
    // A fact takes 24 bytes, and what is known of it a few more.
    let held = feed.held();
    assert!(held * 24 < FEED_BYTES_MAX && held * 100 > FEED_BYTES_MAX, "{held}");
    while feed.poll_batch(SHARD).is_some() {
        feed.handle_taken(SHARD);
    }
    assert_eq!((feed.held(), feed.oldest()), (0, None));
    assert_eq!(feed.poll_move(SHARD, 0), Some(Sequence(sequence)));
}
