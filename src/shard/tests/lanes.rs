//! Lanes: who waits for whom, for how long, and what becomes of a command that overtook its placement.

use hdrhistogram::Histogram;

use super::*;
use crate::base::limits::{LANE_BYTES_MAX, LANE_WAIT_MS_MAX, PUT_OFF_REQUESTS_MAX, RETRY_AFTER_MS, RETRY_AFTER_MS_MAX};

fn confirm(number: u64) -> Request<'static> {
    Request::Command(Command::Confirm { order: order(number), attempt: ChangeId(1) })
}

const UNKNOWN: Told = Told::Refused(Refused::Engine(Refusal::UnknownOrder));

impl Bench {
    /// As a session does it: each request in its lane, placements first.
    fn send(&self, requests: &[Request<'_>]) {
        for lane in [Lane::Orders, Lane::Urgent, Lane::Reads] {
            let batch: Vec<Request<'_>> =
                requests.iter().filter(|request| Lane::of(request) == lane).copied().collect();
            if !batch.is_empty() {
                self.submit_in(lane, &batch, 0);
            }
        }
    }

    /// Answered since the last call, by lane.
    fn answered(&mut self) -> [u64; 3] {
        let before = self.replies.taken_requests();
        self.told();
        let after = self.replies.taken_requests();
        std::array::from_fn(|lane| after[lane] - before[lane])
    }
}

#[test]
fn every_lane_gets_its_share_of_a_turn_and_what_one_leaves_is_the_others() {
    let mut bench = Bench::new(100_000);
    bench.answered();
    let many = TURN_COMMANDS_MAX as u64;
    let places: Vec<_> = (0..many).map(|number| place(number, 60_000)).collect();
    bench.submit(&places);
    bench.run();
    bench.answered();
    let later: Vec<_> = (many..2 * many).map(|number| place(number, 60_000)).collect();
    let confirms: Vec<_> = (0..many).map(confirm).collect();
    bench.send(&[later.as_slice(), &confirms, &[look(1); 20]].concat());
    bench.shard.turn();
    while bench.log.settle_one() {}
    assert_eq!(bench.answered(), [many / 2, many * 3 / 8, 1], "urgent, orders, reads");
    bench.shard.turn();
    while bench.log.settle_one() {}
    assert_eq!(bench.answered(), [many / 2, many * 3 / 8, 1]);
    bench.shard.turn();
    while bench.log.settle_one() {}
    let [urgent, orders, reads] = bench.answered();
    assert_eq!((urgent, orders), (0, many / 4), "the orders lane had the turn to itself");
    assert!(reads > 1, "and then the reads: {reads}");
}

#[test]
fn a_payment_result_does_not_wait_behind_the_flood() {
    let mut bench = Bench::new(100_000);
    bench.submit(&[place(0, 60_000)]);
    bench.run();
    bench.answered();
    for turn in 1..=20_u64 {
        let first = turn * TURN_COMMANDS_MAX as u64;
        let flood: Vec<_> = (first..first + TURN_COMMANDS_MAX as u64).map(|number| place(number, 60_000)).collect();
        bench.send(&flood);
    }
    bench.send(&[confirm(0)]);
    bench.shard.turn();
    while bench.log.settle_one() {}
    assert_eq!(bench.answered()[0], 1, "the first turn answers it");
}

#[test]
fn a_command_that_overtook_its_placement_is_decided_behind_it() {
    let mut bench = Bench::new(100_000);
    let last = 3 * TURN_COMMANDS_MAX as u64;
    let flood: Vec<_> = (0..=last).map(|number| place(number, 60_000)).collect();
    // Most of it waits in the lane while the first turn meets the confirm.
    flood.chunks(500).for_each(|some| bench.send(some));
    bench.send(&[confirm(last)]);
    bench.run();
    let done =
        bench.told().into_iter().filter(|told| matches!(told, Told::Answer(Answer::Done { moved: 1, .. }))).count();
    assert_eq!((done, bench.replies.taken_requests()[0]), (1, 1));
    let view = bench.shard.engine().order(order(last)).expect("placed");
    assert_eq!(view.state, State::Confirmed);
}

#[test]
fn a_command_on_an_order_that_nobody_placed_is_answered_once() {
    let mut bench = Bench::new(5);
    let cancel = Request::Command(Command::Cancel { order: order(8), block: false });
    bench.send(&[confirm(7), place(1, 60_000), cancel]);
    bench.run();
    let told = bench.told();
    assert_eq!(told.iter().filter(|told| **told == UNKNOWN).count(), 2, "{told:?}");
    assert_eq!((told.len(), bench.replies.taken_requests()), (3, [2, 4, 0]));
    assert!(matches!(bench.shard.turn(), Next::Idle(_)), "nothing is left of it");
    let decided = &bench.inbox.stats().stages.decided_us;
    assert_eq!(decided.each_ref().map(Histogram::len), [2, 4, 0], "and counted once");
}

#[test]
fn no_more_commands_are_put_off_than_there_is_room_for() {
    let mut bench = Bench::new(5);
    let many: Vec<_> = (0..PUT_OFF_REQUESTS_MAX as u64 + 9).map(confirm).collect();
    // A placement that is never taken keeps all of them waiting.
    bench.send(&[place(1 << 40, 60_000)]);
    for some in many.chunks(1_000) {
        bench.send(some);
    }
    let mut batcher_turns = 0;
    while bench.told().is_empty() {
        bench.shard.turn();
        while bench.log.settle_one() {}
        batcher_turns += 1;
        assert!(batcher_turns < 100, "somebody is answered");
    }
    bench.run();
    bench.told();
    assert_eq!(bench.replies.taken_requests()[0], many.len() as u64, "everybody is answered");
}

#[test]
fn a_lane_whose_first_has_waited_too_long_turns_newcomers_away_and_says_for_how_long() {
    let mut bench = Bench::new(100_000);
    bench.send(&[place(1, 60_000)]);
    let wait_ms = LANE_WAIT_MS_MAX[Lane::Orders as usize];
    bench.pass(wait_ms);
    bench.send(&[place(2, 60_000)]);
    bench.pass(1);
    let after_ms = u32::try_from(wait_ms).expect("small") + 1;
    assert_eq!(bench.submit_as(1, &place(3, 60_000)), Some(after_ms));
    assert_eq!(bench.submit_as(1, &confirm(1)), None, "another lane has nothing to do with it");
    bench.pass(100_000);
    assert_eq!(bench.submit_as(1, &place(3, 60_000)), Some(RETRY_AFTER_MS_MAX));
    assert_eq!(bench.inbox.stats().lanes.map(|lane| lane.turned_away), [0, 2, 0]);
    bench.run();
    assert_eq!(bench.submit_as(1, &place(3, 60_000)), None, "an empty lane takes everybody");
}

#[test]
fn a_lane_that_is_full_in_bytes_turns_newcomers_away_and_asks_them_back_soon() {
    let bench = Bench::new(5);
    let many = vec![look(1); 1_000];
    let mut taken = 0;
    while bench.inbox.stats().lanes[Lane::Reads as usize].turned_away == 0 {
        let mut batch = bench.inbox.take_spare_batch();
        many.iter().for_each(|request| batch.push(Tag::default(), request));
        let submission = Submission { lane: Lane::Reads, batch, outbox: Arc::clone(&bench.outbox) };
        match bench.inbox.submit(submission) {
            Ok(()) => taken += 1,
            Err(away) => assert_eq!((away.submission.batch.len(), away.retry_after_ms), (1_000, RETRY_AFTER_MS)),
        }
    }
    let stats = bench.inbox.stats().lanes[Lane::Reads as usize];
    assert_eq!(stats.waiting_submissions, taken);
    assert!(stats.waiting_bytes <= LANE_BYTES_MAX[Lane::Reads as usize], "{}", stats.waiting_bytes);
}
