//! Orders over real connections: placed, confirmed, cancelled, repeated, refused.

use bytes::Bytes;
use stockade::base::{ChangeId, MarketId, OrderNumber, SkuId};
use stockade::client::{Client, QueryReply, Response, frames};
use stockade::engine::ledger::Bucket;
use stockade::engine::order::State;
use stockade::engine::refusal::Field;
use stockade::engine::{Answer, Command, Policy, Query, Refusal};
use stockade::wire::{FrameWriter, Refused, Reply, decode_replies};

use crate::harness::{World, line, numbered, place, stocked};

#[tokio::test]
async fn an_order_is_placed_confirmed_read_and_cancelled() {
    let world = World::new(1);
    let server = world.start().await;
    let client = server.client(&world).await;
    let (market, sku) = stocked(&client, "default", 10).await;
    let order = client.new_order_id(market);
    let lines = [line(sku, 3)];

    let placed = client.submit(&place(order, &lines)).await.expect("an answer");
    let Response::Answered { answer: Answer::Placed { number, state, short: false, .. }, .. } = placed else {
        panic!("{placed:?}")
    };
    assert_eq!((number, state), (OrderNumber(1), State::PendingPayment));

    let confirmed = client.submit(&Command::Confirm { order, attempt: ChangeId(1) }).await.expect("an answer");
    let done = |response: &Response| match response {
        Response::Answered { answer: Answer::Done { state, moved, .. }, .. } => (*state, *moved),
        other => panic!("{other:?}"),
    };
    assert_eq!(done(&confirmed), (State::Confirmed, 3));

    let QueryReply::Order(view) = client.query(&Query::Order { order }).await.expect("an answer") else { panic!() };
    assert_eq!((view.state, view.lines.len(), view.lines[0].committed), (State::Confirmed, 1, 3));

    let cancelled = client.submit(&Command::Cancel { order, block: false }).await.expect("an answer");
    assert_eq!(done(&cancelled), (State::Cancelled, 3));
    let stock = client.query(&Query::Stock { market, skus: &[sku] }).await.expect("an answer");
    let QueryReply::Stock(rows) = stock else { panic!("{stock:?}") };
    assert_eq!((rows.len(), rows[0].balance(Bucket::Available)), (1, 10));
    server.stop().await;
}

#[tokio::test]
async fn fifty_identical_submits_are_one_order_and_fifty_equal_answers() {
    let world = World::new(1);
    let server = world.start().await;
    let mut options = server.client_options(world.data.path());
    options.connections = 4;
    let client = Client::connect(options).await.expect("a connection");
    let (market, sku) = stocked(&client, "default", 10).await;
    let order = client.new_order_id(market);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let client = client.clone();
        tasks.spawn(async move { client.submit(&place(order, &[line(sku, 1)])).await.expect("an answer") });
    }
    let (mut first, mut seen) = (0, Vec::new());
    for response in tasks.join_all().await {
        let Response::Answered {
            answer: Answer::Placed { number, accepted_at, deadline, state, short, owed: false, repeated },
            ..
        } = response
        else {
            panic!("{response:?}")
        };
        first += usize::from(!repeated);
        seen.push((number, accepted_at, deadline, state, short));
    }
    assert_eq!((first, seen.len()), (1, 50));
    seen.dedup();
    assert_eq!(seen.len(), 1, "all answers are the first one");
    let QueryReply::Stock(rows) = client.query(&Query::Stock { market, skus: &[sku] }).await.expect("rows") else {
        panic!()
    };
    assert_eq!(rows[0].balance(Bucket::Reserved), 1);
    server.stop().await;
}

#[tokio::test]
async fn what_does_not_exist_is_refused_by_name() {
    let world = World::new(2);
    let server = world.start().await;
    let client = server.client(&world).await;
    let (market, sku) = stocked(&client, "default", 1).await;
    let nowhere = MarketId::new(77).expect("fits");
    let refusal = async |command: Command<'_>| match client.submit(&command).await.expect("an answer") {
        Response::Refused(why) => why,
        other => panic!("{other:?}"),
    };
    let lines = [line(sku, 1)];
    let in_nowhere = place(client.new_order_id(nowhere), &lines);
    assert_eq!(refusal(in_nowhere).await, Refused::Engine(Refusal::UnknownMarket));
    let lines = [line(SkuId(99), 1)];
    let of_nothing = place(client.new_order_id(market), &lines);
    assert_eq!(refusal(of_nothing).await, Refused::Engine(Refusal::UnknownSku { sku: SkuId(99) }));
    let order = client.new_order_id(market);
    let of_nobody = Command::Confirm { order, attempt: ChangeId(1) };
    assert_eq!(refusal(of_nobody).await, Refused::Engine(Refusal::UnknownOrder));
    server.stop().await;
}

#[tokio::test]
async fn markets_spread_over_the_shards_and_their_creation_repeats() {
    let world = World::new(2);
    let server = world.start().await;
    let client = server.client(&world).await;
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..12 {
        let client = client.clone();
        tasks.spawn(
            async move { numbered(&client, &Command::AssignMarket { code: &format!("shop-{}", task % 4) }).await },
        );
    }
    let mut numbers = tasks.join_all().await;
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers, [1, 2, 3, 4]);
    let mut streams = Vec::new();
    for number in numbers {
        let market = MarketId::new(number).expect("fits");
        let QueryReply::Books(books) = client.query(&Query::Books { market }).await.expect("books") else { panic!() };
        streams.push(books.stream.0);
    }
    streams.sort_unstable();
    assert_eq!(streams, [0, 0, 1, 1]);
    server.stop().await;
}

#[tokio::test]
async fn a_stream_of_one_frame_gets_its_replies_and_then_the_end() {
    let world = World::new(1);
    let server = world.start().await;
    let client = server.client(&world).await;
    let (market, sku) = stocked(&client, "default", 5).await;
    let mut stream = client.open_stream(0).await.expect("a stream");
    let mut writer = FrameWriter::default();
    writer.begin(42, 0);
    for _ in 0..3 {
        writer.push(&place(client.new_order_id(market), &[line(sku, 2)])).expect("fits");
    }
    writer.push_status().expect("fits");
    stream.send(Bytes::from(writer.into_frame())).await.expect("sent");
    stream.finish();
    let (mut placed, mut refused, mut others) = (Vec::new(), Vec::new(), Vec::new());
    while let Some(whole) = stream.recv().await.expect("replies") {
        for frame in frames(whole) {
            decode_replies(frame, |correlation, index, reply| {
                assert_eq!(correlation, 42);
                match reply {
                    Reply::Answer(Answer::Placed { .. }, _) => placed.push(index),
                    Reply::Refused(Refused::Engine(Refusal::SoldOut { available: 1, .. })) => refused.push(index),
                    _ => others.push(index),
                }
            })
            .expect("sound frames");
        }
    }
    assert_eq!((placed, refused, others), (vec![0, 1], vec![2], vec![3]));
    server.stop().await;
}

#[tokio::test]
async fn many_frames_in_flight_are_all_answered_once() {
    const FRAMES: u64 = 2_000;
    let world = World::new(2);
    let server = world.start().await;
    let client = server.client(&world).await;
    let (market, sku) = stocked(&client, "default", 1_000_000).await;
    let (mut sender, mut receiver) = client.open_stream(0).await.expect("a stream").split();
    let mut prepared: Vec<Bytes> = (0..FRAMES)
        .map(|correlation| {
            let mut writer = FrameWriter::default();
            writer.begin(correlation, 0);
            for _ in 0..=correlation % 50 {
                writer.push(&place(client.new_order_id(market), &[line(sku, 1)])).expect("fits");
            }
            Bytes::from(writer.into_frame())
        })
        .collect();
    let mut open: Vec<u64> = (0..FRAMES).map(|correlation| correlation % 50 + 1).collect();
    let sending = tokio::spawn(async move {
        for frames in prepared.chunks_mut(100) {
            sender.send_all(frames).await.expect("sent");
        }
        sender
    });
    let mut left: u64 = open.iter().sum();
    while left > 0 {
        let whole = receiver.recv().await.expect("replies").expect("the stream goes on");
        for frame in frames(whole) {
            decode_replies(frame, |correlation, _, reply| {
                assert!(matches!(reply, Reply::Answer(Answer::Placed { repeated: false, .. }, _)), "{reply:?}");
                open[usize::try_from(correlation).expect("small")] -= 1;
                left -= 1;
            })
            .expect("sound frames");
        }
    }
    assert!(open.iter().all(|left| *left == 0));
    drop(sending.await.expect("sent"));
    server.stop().await;
}

#[tokio::test]
async fn what_is_sold_out_is_refused_at_the_door_and_what_was_accepted_is_repeated() {
    let world = World::new(1);
    let server = world.start().await;
    let client = server.client(&world).await;
    let (market, sku) = stocked(&client, "default", 1).await;
    let (accepted, lines) = (client.new_order_id(market), [line(sku, 1)]);
    let placed = client.submit(&place(accepted, &lines)).await.expect("an answer");
    assert!(matches!(placed, Response::Answered { .. }), "{placed:?}");
    let sold_out = Response::Refused(Refused::Engine(Refusal::SoldOut { sku, asked: 1, available: 0 }));
    // The start forgot how new the newest identifier was, and an identifier may be two seconds ahead of its time.
    while server.traffic.sold_out() == 0 {
        let order = client.new_order_id(market);
        assert_eq!(client.submit(&place(order, &lines)).await.expect("an answer"), sold_out);
    }
    let again = client.submit(&place(accepted, &lines)).await.expect("an answer");
    assert!(matches!(again, Response::Answered { answer: Answer::Placed { repeated: true, .. }, .. }), "{again:?}");
    let before = server.traffic.sold_out();
    client.submit(&Command::Cancel { order: accepted, block: false }).await.expect("an answer");
    let order = client.new_order_id(market);
    let placed = client.submit(&place(order, &lines)).await.expect("an answer");
    assert!(matches!(placed, Response::Answered { .. }), "the unit is for sale again: {placed:?}");
    assert_eq!(server.traffic.sold_out(), before);
    server.stop().await;
}

#[tokio::test]
async fn the_availability_of_ten_thousand_skus_is_one_answer_that_no_shard_gives() {
    let world = World::new(1);
    let server = world.start().await;
    let client = server.client(&world).await;
    let (market, sku) = stocked(&client, "default", 7).await;
    let mut skus = vec![sku];
    for number in 1..40 {
        let code = format!("more-{number}");
        skus.push(SkuId(numbered(&client, &Command::CreateSku { market, code: &code }).await));
    }
    let answers = server.replies_taken();
    let many: Vec<SkuId> = skus.iter().copied().cycle().take(10_000).collect();
    let told = client.query(&Query::Availability { market, skus: &many }).await.expect("an answer");
    let expected = (0..10_000).map(|at| if at % 40 == 0 { 7 } else { 0 }).collect();
    assert_eq!(told, QueryReply::Availability(expected));
    let ask = async |skus: &[SkuId]| client.query(&Query::Availability { market, skus }).await.expect("an answer");
    let unknown = Refusal::UnknownSku { sku: SkuId(41) };
    assert_eq!(ask(&[sku, SkuId(41)]).await, QueryReply::Refused(Refused::Engine(unknown)));
    let too_many = Refusal::OutOfBounds { field: Field::Rows, min: 0, max: 10_000 };
    assert_eq!(ask(&vec![sku; 10_001]).await, QueryReply::Refused(Refused::Engine(too_many)));
    assert_eq!(server.replies_taken(), answers, "the shard was not asked");
    server.stop().await;
}

/// A hundred tabs of one shopper.
#[tokio::test]
async fn a_hundred_parallel_orders_of_one_customer_get_as_many_units_as_one_customer_may_have() {
    let world = World::new(1);
    let server = world.start().await;
    let mut options = server.client_options(world.data.path());
    options.connections = 10;
    let client = Client::connect(options).await.expect("connections");
    let (market, sku) = stocked(&client, "default", 1_000).await;
    let policy = Policy { customer_max: 2, ..Policy::default() };
    let set = client.submit(&Command::SetPolicy { market, sku, policy }).await.expect("an answer");
    assert_eq!(set, Response::Answered { answer: Answer::Set { repeated: false }, granted: Vec::new() });
    assert_eq!(client.query(&Query::Policy { market, sku }).await.expect("an answer"), QueryReply::Policy(policy));
    let lines = [line(sku, 1)];
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let (client, order) = (client.clone(), client.new_order_id(market));
        asking.spawn(async move { client.submit(&place(order, &lines)).await.expect("an answer") });
    }
    let answers = asking.join_all().await;
    let accepted = answers.iter().filter(|answer| matches!(answer, Response::Answered { .. })).count();
    let limit = Refusal::CustomerLimit { sku, max: 2, left: 0, daily: false };
    let refused = answers.iter().filter(|answer| **answer == Response::Refused(Refused::Engine(limit))).count();
    assert_eq!((accepted, refused), (2, 98));
    drop(client);
    server.stop().await;
    let server = world.start().await;
    let client = server.client(&world).await;
    let again = client.submit(&place(client.new_order_id(market), &lines)).await.expect("an answer");
    assert_eq!(again, Response::Refused(Refused::Engine(limit)), "what was counted is counted after a start");
    server.stop().await;
}
