//! A session without sockets: bytes in, submissions and refusals out.

use super::super::budget::Pool;
use super::super::rate::Rate;
use super::super::registry::Homes;
use super::*;
use crate::base::limits::{CODE_BYTES_MAX, IN_FLIGHT_FIRST_BYTES, READ_BUFFER_FIRST_BYTES};
use crate::base::{ChangeId, Currency, CustomerKey, MarketId, OrderId, SkuId, Timestamp};
use crate::engine::choices::{PaymentMethod, Take};
use crate::engine::{Command, Line, Place, Query, Refusal};
use crate::shard::Board;
use std::sync::Mutex;

use crate::wire::FrameWriter;

const FRAME_WAIT: Duration = Duration::from_secs(10);

fn market(number: u32) -> MarketId {
    MarketId::new(number).expect("fits")
}

fn bounds(shards: usize) -> Bounds {
    limited(shards, None)
}

fn limited(shards: usize, orders_per_second_max: Option<u32>) -> Bounds {
    let boards = (0..shards).map(|_| Board::default()).collect();
    Bounds { boards, rate: Arc::new(Rate::new(orders_per_second_max)) }
}

fn fresh() -> Spares {
    Box::new(|_| Batch::default())
}

/// Market 1 lives in shard 0, market 2 in shard 1.
fn session() -> Session {
    let registry = Registry::new();
    registry.insert(market(1), ShardId(0));
    registry.insert(market(2), ShardId(1));
    Session::new(registry, Share::new(Pool::new(1 << 30)), bounds(2), fresh(), FRAME_WAIT)
}

fn confirm(of: u32) -> Command<'static> {
    let order = OrderId::new(Timestamp::from_ms(5), market(of), 9);
    Command::Confirm { order, attempt: ChangeId(1) }
}

fn placement(number: u64) -> (OrderId, Command<'static>) {
    const LINES: &[Line] = &[Line { sku: SkuId(1), quantity: 1, price: 1 }];
    let order = OrderId::new(Timestamp::from_ms(5), market(1), number);
    let place = Place {
        order,
        customer: CustomerKey(0),
        take: Take::AllOrNothing,
        hold_ms: 1,
        currency: Currency::new(*b"EUR").expect("three letters"),
        payment: PaymentMethod::Card,
        channel: 0,
        zone: 0,
        hashes: None,
        lines: LINES,
        details: &[],
        key: None,
    };
    (order, Command::Place(place))
}

fn frame(correlation: u64, commands: &[Command<'_>]) -> Vec<u8> {
    let mut writer = FrameWriter::default();
    writer.begin(correlation, 500);
    for command in commands {
        writer.push(command).expect("fits");
    }
    writer.into_frame()
}

fn read(session: &mut Session, bytes: &[u8], now_ms: u64) -> Result<(), Closing> {
    let mut rest = bytes;
    while !rest.is_empty() {
        let room = session.room();
        assert!(!room.is_empty(), "it reads on");
        let taken = room.len().min(rest.len());
        room[..taken].copy_from_slice(&rest[..taken]);
        session.handle_read(taken, now_ms)?;
        rest = &rest[taken..];
    }
    Ok(())
}

fn submissions(session: &mut Session) -> Vec<(u16, Vec<(u64, u16)>)> {
    std::iter::from_fn(|| session.poll_submission())
        .map(|(shard, _, batch)| (shard.0, batch.iter().map(|(tag, _)| (tag.correlation, tag.index)).collect()))
        .collect()
}

#[test]
fn one_read_is_one_submission_for_each_shard_however_many_frames_it_brought() {
    let mut session = session();
    let mut bytes = frame(7, &[confirm(1), confirm(2), confirm(1)]);
    bytes.extend(frame(8, &[confirm(2)]));
    read(&mut session, &bytes, 0).expect("sound");
    assert_eq!(submissions(&mut session), [(0, vec![(7, 0), (7, 2)]), (1, vec![(7, 1), (8, 0)])]);
    assert!(!session.is_settled());
    session.handle_replies(ShardId(0), [1, 0, 0]);
    session.handle_replies(ShardId(1), [2, 0, 0]);
    assert!(!session.is_settled(), "one answer is missing");
    session.handle_replies(ShardId(0), [1, 0, 0]);
    assert!(session.is_settled() && session.router.share.in_flight() == 0);
}

#[test]
fn every_lane_is_a_submission_of_its_own_and_placements_come_first() {
    let mut session = session();
    let (order, place) = placement(9);
    let mut writer = FrameWriter::default();
    writer.begin(7, 0);
    writer.push_query(&Query::Sites { market: market(1) }).expect("fits");
    writer.push(&confirm(1)).expect("fits");
    writer.push(&place).expect("fits");
    writer.push(&Command::Cancel { order, block: false }).expect("fits");
    read(&mut session, &writer.into_frame(), 0).expect("sound");
    let lanes: Vec<(Lane, usize)> =
        std::iter::from_fn(|| session.poll_submission()).map(|(_, lane, batch)| (lane, batch.len())).collect();
    assert_eq!(lanes, [(Lane::Orders, 1), (Lane::Urgent, 2), (Lane::Reads, 1)]);
    let owed = session.router.share.in_flight();
    session.handle_replies(ShardId(0), [2, 0, 0]);
    let urgent = owed - session.router.share.in_flight();
    session.handle_replies(ShardId(0), [0, 0, 1]);
    let read = owed - urgent - session.router.share.in_flight();
    assert!(read > 50 * urgent, "each answer settles what was counted for it: {urgent}, {read}");
    session.handle_replies(ShardId(0), [0, 1, 0]);
    assert!(session.is_settled() && session.router.share.in_flight() == 0);
}

#[test]
fn placements_beyond_the_operators_limit_are_told_to_come_back_and_nothing_else_is() {
    let registry = Registry::new();
    registry.insert(market(1), ShardId(0));
    let mut session = Session::new(registry, Share::new(Pool::new(1 << 30)), limited(1, Some(10)), fresh(), FRAME_WAIT);
    session.handle_now(Now { log_time: Timestamp::from_ms(5), monotonic_ns: 1_000_000_000 });
    let mut commands: Vec<_> = (0..5).map(|number| placement(number).1).collect();
    commands.push(confirm(1));
    read(&mut session, &frame(7, &commands), 0).expect("sound");
    let taken: Vec<_> =
        std::iter::from_fn(|| session.poll_submission()).map(|(_, lane, batch)| (lane, batch.len())).collect();
    assert_eq!(taken, [(Lane::Orders, 2), (Lane::Urgent, 1)], "a burst of a tenth of a second, and one");
    let local = session.poll_local();
    assert!(local.iter().all(|(_, local)| matches!(local, Local::Refused(Refused::Overloaded { .. }))), "{local:?}");
    assert_eq!(local.len(), 3);
}

#[test]
fn a_spare_batch_is_taken_for_the_first_request_and_none_is_held_at_rest() {
    let taken = Arc::new(Mutex::new(Vec::new()));
    let (registry, log) = (Registry::new(), Arc::clone(&taken));
    registry.insert(market(1), ShardId(0));
    registry.insert(market(2), ShardId(1));
    let spares = Box::new(move |shard: ShardId| {
        log.lock().expect("one thread").push(shard.0);
        Batch::default()
    });
    let mut session = Session::new(registry, Share::new(Pool::new(1 << 30)), bounds(2), spares, FRAME_WAIT);
    assert_eq!(*taken.lock().expect("one thread"), [] as [u16; 0], "nobody has asked anything");
    read(&mut session, &frame(7, &[confirm(2), confirm(2), confirm(2)]), 0).expect("sound");
    let (shard, lane, batch) = session.poll_submission().expect("one");
    assert_eq!(*taken.lock().expect("one thread"), [1], "one for all three, and no other in its place");
    session.handle_turned_away((shard, lane), &batch, Refused::Overloaded { retry_after_ms: 70 });
    read(&mut session, &frame(8, &[confirm(1)]), 0).expect("sound");
    assert_eq!(submissions(&mut session).len(), 1);
    assert_eq!(*taken.lock().expect("one thread"), [1, 0]);
}

#[test]
fn frames_in_any_pieces_are_the_same_frames() {
    let mut bytes = frame(1, &[confirm(1)]);
    bytes.extend(frame(2, &[confirm(1), confirm(1)]));
    for piece in [1, 3, 23, 24, 25, bytes.len()] {
        let mut session = session();
        let mut found = Vec::new();
        for part in bytes.chunks(piece) {
            read(&mut session, part, 0).expect("sound");
            found.extend(submissions(&mut session).into_iter().flat_map(|(_, tags)| tags));
        }
        assert_eq!(found, [(1, 0), (2, 0), (2, 1)], "in pieces of {piece}");
    }
}

#[test]
fn a_deadline_is_told_in_the_nodes_own_time() {
    let mut session = session();
    read(&mut session, &frame(1, &[confirm(1)]), 1_000).expect("sound");
    let (_, _, batch) = session.poll_submission().expect("one");
    assert_eq!(batch.tag(0).expires_at_ms, 1_500);
}

#[test]
fn an_unknown_market_is_refused_here_and_known_once_it_exists() {
    let mut session = session();
    read(&mut session, &frame(1, &[confirm(3)]), 0).expect("sound");
    assert!(session.poll_submission().is_none());
    let unknown = Local::Refused(Refused::Engine(Refusal::UnknownMarket));
    assert_eq!(session.poll_local().into_iter().map(|(_, local)| local).collect::<Vec<_>>(), [unknown]);
    session.router.homes = Homes::new(Registry::new());
    assert!(session.is_settled());
}

#[test]
fn what_a_full_inbox_gives_back_is_answered_overloaded() {
    let mut session = session();
    read(&mut session, &frame(1, &[confirm(1), confirm(1)]), 0).expect("sound");
    let (shard, lane, batch) = session.poll_submission().expect("one");
    session.handle_turned_away((shard, lane), &batch, Refused::Overloaded { retry_after_ms: 70 });
    let local = session.poll_local();
    let overloaded = Local::Refused(Refused::Overloaded { retry_after_ms: 70 });
    assert_eq!(
        local.iter().map(|(tag, local)| (tag.index, local)).collect::<Vec<_>>(),
        [(0, &overloaded), (1, &overloaded)]
    );
    assert_eq!(session.router.share.in_flight(), 2 * REFUSED_BYTES, "owed until they are written");
    session.handle_local_written(2 * REFUSED_BYTES);
    assert!(session.is_settled() && session.router.share.in_flight() == 0);
}

#[test]
fn refusals_made_here_are_owed_as_well_and_nobody_has_more_of_them_made_than_are_taken() {
    let share = Share::new(Pool::new(0));
    let mut session = Session::new(Registry::new(), Arc::clone(&share), bounds(1), fresh(), FRAME_WAIT);
    let (mut refused, mut drained) = (0, 0);
    for _ in 0..100 {
        if session.room().is_empty() {
            drained += 1;
            while session.is_held() {
                let local = session.poll_local();
                assert!(!local.is_empty(), "held, and nothing is on its way");
                refused += local.len();
                assert_eq!(share.in_flight(), local.len() * REFUSED_BYTES);
                session.handle_local_written(local.len() * REFUSED_BYTES);
                session.handle_room(0).expect("sound");
            }
        }
        read(&mut session, &frame(1, &[confirm(3); 61]), 0).expect("sound");
        assert!(share.in_flight() <= IN_FLIGHT_FIRST_BYTES);
    }
    let rest = session.poll_local();
    session.handle_local_written(rest.len() * REFUSED_BYTES);
    assert!(drained > 10, "{drained} times it took nothing more");
    assert_eq!((refused + rest.len(), share.in_flight()), (6_100, 0));
    assert!(session.is_settled());
    // What was counted ahead and never used goes back as well when it ends.
    read(&mut session, &frame(1, &[confirm(3)]), 0).expect("sound");
    assert!(share.in_flight() > 0);
    drop(session);
    assert_eq!(share.in_flight(), 0);
}

#[test]
fn a_connection_that_is_owed_much_is_not_read_until_it_is_owed_less() {
    let mut session = session();
    let mut frames = 0;
    while !session.room().is_empty() {
        read(&mut session, &frame(frames, &[confirm(1); 64]), 0).expect("sound");
        frames += 1;
        assert!(frames < 100_000, "it stops at some time");
    }
    // Every answer is counted at more than its header.
    assert!(frames as usize * 64 * 16 < IN_FLIGHT_FIRST_BYTES + crate::base::limits::IN_FLIGHT_BYTES);
    assert!(session.poll_deadline(70).is_some_and(|at| at > 70), "it looks again by itself");
    let taken = submissions(&mut session).iter().map(|(_, tags)| tags.len() as u64).sum();
    session.handle_replies(ShardId(0), [taken, 0, 0]);
    session.handle_room(0).expect("sound");
    assert!(!session.room().is_empty());
    let rest: usize = submissions(&mut session).iter().map(|(_, tags)| tags.len()).sum();
    assert_eq!(taken + rest as u64, frames * 64, "nothing that was read is lost");
}

#[test]
fn an_answer_that_may_be_huge_waits_while_others_are_owed_and_is_refused_when_waiting_does_not_help() {
    let mut session = session();
    session.router.share = Share::new(Pool::new(0));
    let skus = [SkuId(1); 1_000];
    let mut writer = FrameWriter::default();
    writer.begin(1, 0);
    writer.push(&confirm(1)).expect("fits");
    writer.push_query(&Query::Stock { market: market(1), skus: &skus }).expect("fits");
    read(&mut session, &writer.into_frame(), 0).expect("sound");
    assert_eq!(submissions(&mut session), [(0, vec![(1, 0)])]);
    assert!(session.is_held() && session.poll_local().is_empty() && session.room().is_empty());
    session.handle_replies(ShardId(0), [1, 0, 0]);
    session.handle_room(0).expect("sound");
    assert!(!session.is_held(), "nothing is owed, and the pool is empty");
    assert!(matches!(session.poll_local()[..], [(_, Local::Refused(Refused::Overloaded { .. }))]));
}

#[test]
fn a_frame_that_asks_for_more_than_may_be_owed_is_answered_in_parts_and_nothing_of_it_twice() {
    let registry = Registry::new();
    registry.insert(market(1), ShardId(0));
    let mut session =
        Session::new(registry, Share::new(Pool::new(100_000)), limited(1, Some(10_000)), fresh(), FRAME_WAIT);
    session.handle_now(Now { log_time: Timestamp::from_ms(5), monotonic_ns: 1_000_000_000 });
    let commands: Vec<_> = (0..300).map(|number| placement(number).1).collect();
    read(&mut session, &frame(7, &commands[..200]), 0).expect("sound");
    let mut found = Vec::new();
    let mut bytes = frame(8, &commands);
    for _ in 0..100 {
        let tags: Vec<_> = submissions(&mut session).into_iter().flat_map(|(_, tags)| tags).collect();
        assert!(session.router.share.in_flight() <= IN_FLIGHT_FIRST_BYTES);
        session.handle_replies(ShardId(0), [0, tags.len() as u64, 0]);
        found.extend(tags);
        session.handle_room(0).expect("sound");
        if !bytes.is_empty() && !session.room().is_empty() {
            read(&mut session, &std::mem::take(&mut bytes), 0).expect("sound");
        }
    }
    let all: Vec<_> = (0..200).map(|index| (7, index)).chain((0..300).map(|index| (8, index))).collect();
    assert_eq!(found, all);
    assert!(session.poll_local().is_empty(), "none was refused, and none counted twice against the operator's limit");
}

#[test]
fn a_frame_that_stays_incomplete_ends_the_connection_and_one_that_waits_for_us_does_not() {
    let mut session = session();
    let bytes = frame(1, &[confirm(1)]);
    read(&mut session, &bytes[..30], 1_000).expect("a beginning");
    assert_eq!(session.poll_deadline(1_000), Some(11_000));
    read(&mut session, &bytes[30..40], 9_000).expect("a little more does not buy time");
    session.handle_timeout(10_999).expect("not yet");
    session.handle_blocked(true, 10_999);
    session.handle_timeout(20_000).expect("while replies wait to be written it is not the client's fault");
    session.handle_blocked(false, 20_000);
    session.handle_timeout(29_999).expect("not yet");
    let closing = session.handle_timeout(30_000).expect_err("time is up");
    assert_eq!(closing.code, CloseCode::FrameTimeout);
}

#[test]
fn a_frame_that_waits_for_the_pool_is_not_the_clients_fault_and_is_once_there_is_room() {
    let pool = Pool::new(0);
    let registry = Registry::new();
    registry.insert(market(1), ShardId(0));
    let mut session = Session::new(registry, Share::new(Arc::clone(&pool)), bounds(1), fresh(), FRAME_WAIT);
    read(&mut session, &frame(1, &[confirm(1)]), 0).expect("sound");
    let mut large = frame(2, &[confirm(1)]);
    large[..4].copy_from_slice(&u32::try_from(FRAME_BYTES_MAX).expect("fits").to_le_bytes());
    large.resize(READ_BUFFER_FIRST_BYTES, 0);
    read(&mut session, &large, 1_000).expect("a beginning");
    assert!(session.room().is_empty(), "the pool has nothing to spare");
    assert_eq!(session.poll_deadline(1_000), Some(1_000 + POOL_RETRY_MS), "it looks again soon");
    session.handle_timeout(60_000).expect("it waits for us");
    pool.give_back(2 * FRAME_BYTES_MAX);
    assert!(!session.room().is_empty());
    assert_eq!(session.poll_deadline(60_000), Some(70_000), "from now on it waits for the client");
    assert_eq!(session.handle_timeout(70_000).expect_err("time is up").code, CloseCode::FrameTimeout);
}

#[test]
fn whoever_waits_for_the_pool_looks_less_and_less_often_and_soon_again_once_there_was_room() {
    let pool = Pool::new(0);
    let mut session = Session::new(Registry::new(), Share::new(Arc::clone(&pool)), bounds(1), fresh(), FRAME_WAIT);
    let mut large = frame(1, &[confirm(1)]);
    large[..4].copy_from_slice(&u32::try_from(FIRST_FRAME_BYTES_MAX).expect("fits").to_le_bytes());
    large.resize(READ_BUFFER_FIRST_BYTES, 0);
    read(&mut session, &large, 0).expect("a beginning");
    let mut waits = Vec::new();
    for _ in 0..8 {
        assert!(session.room().is_empty());
        waits.push(session.poll_deadline(1_000).expect("it looks again") - 1_000);
        session.handle_timeout(1_000).expect("it waits for us");
    }
    assert_eq!(waits, [5, 10, 20, 40, 80, 160, 320, 320]);
    pool.give_back(FIRST_FRAME_BYTES_MAX);
    assert!(!session.room().is_empty());
    session.poll_deadline(1_000);
    assert_eq!(session.retry_ms, POOL_RETRY_MS);
}

#[test]
fn the_first_frame_is_small_and_later_ones_need_not_be() {
    let mut session = session();
    let long = |length: usize| {
        let mut bytes = frame(1, &[confirm(1)]);
        bytes[..4].copy_from_slice(&u32::try_from(length).expect("fits").to_le_bytes());
        bytes
    };
    let closing = read(&mut session, &long(FIRST_FRAME_BYTES_MAX + 1), 0).expect_err("too long for a first one");
    assert_eq!(closing.code, CloseCode::FrameTooLong);
    let mut session = self::session();
    read(&mut session, &frame(1, &[confirm(1)]), 0).expect("sound");
    assert!(session.poll_windows().is_some(), "the windows are widened once");
    read(&mut session, &long(FRAME_BYTES_MAX), 0).expect("a large frame has begun");
    assert!(!session.room().is_empty() && session.poll_windows().is_none());
    let closing = read(&mut self::session(), &long(FRAME_BYTES_MAX + 1), 0).expect_err("never so long");
    assert_eq!(closing.code, CloseCode::FrameTooLong);
}

#[test]
fn the_end_comes_after_the_last_answer_and_never_inside_a_frame() {
    let mut session = session();
    read(&mut session, &frame(1, &[confirm(1)]), 0).expect("sound");
    session.handle_end().expect("between two frames");
    assert!(!session.is_over());
    assert_eq!(submissions(&mut session).len(), 1);
    session.handle_replies(ShardId(0), [1, 0, 0]);
    assert!(session.is_over());
    let mut torn = self::session();
    read(&mut torn, &frame(1, &[confirm(1)])[..30], 0).expect("a beginning");
    assert_eq!(torn.handle_end().expect_err("inside").code, CloseCode::FrameTooShort);
}

#[test]
fn a_market_is_wished_for_and_answered_once() {
    let mut session = session();
    let code = "x".repeat(CODE_BYTES_MAX);
    read(&mut session, &frame(3, &[Command::AssignMarket { code: &code }]), 0).expect("sound");
    let wish = session.poll_wish().expect("one");
    assert_eq!((wish.code, wish.tag.correlation), (code, 3));
    assert!(session.has_wishes() && !session.is_settled() && session.poll_wish().is_none());
    let answer = Answer::Numbered { number: 4, repeated: false };
    session.handle_market(wish.tag, Ok(answer));
    assert_eq!(session.poll_local(), [(wish.tag, Local::Answered(answer))]);
    assert_eq!(session.router.share.in_flight(), MARKET_BYTES, "owed until it is written");
    session.handle_local_written(MARKET_BYTES);
    assert!(session.is_settled() && session.router.share.in_flight() == 0);
}

#[test]
fn a_session_that_is_dropped_owes_nothing_any_more() {
    let share = Share::new(Pool::new(1 << 30));
    let registry = Registry::new();
    registry.insert(market(1), ShardId(0));
    let mut session = Session::new(registry, Arc::clone(&share), bounds(1), fresh(), FRAME_WAIT);
    let commands = [confirm(1), Command::AssignMarket { code: "m" }];
    read(&mut session, &frame(1, &commands), 0).expect("sound");
    assert_eq!(submissions(&mut session).len(), 1);
    read(&mut session, &frame(2, &commands), 0).expect("sound");
    session.handle_market(Tag::default(), Ok(Answer::Numbered { number: 4, repeated: false }));
    assert_eq!(session.poll_local().len(), 1, "taken and never written");
    assert!(share.in_flight() > 0);
    drop(session);
    assert_eq!(share.in_flight(), 0);
}
