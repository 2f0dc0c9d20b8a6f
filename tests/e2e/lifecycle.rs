//! Starting, stopping, starting again.

use std::time::Duration;

use stockade::client::{Client, ClientError, Response};
use stockade::engine::{Answer, Command};
use stockade::server::{ServerFault, ServerOptions};

use crate::harness::{World, line, place, stocked};

#[tokio::test]
async fn a_client_reconnects_and_resends_to_a_server_that_came_back() {
    let world = World::new(2);
    let server = world.start().await;
    let client = server.client(&world).await;
    let (market, sku) = stocked(&client, "default", 10).await;
    let first = client.new_order_id(market);
    let placed = client.submit(&place(first, &[line(sku, 1)])).await.expect("an answer");
    let port = server.address.port();
    server.stop().await;

    // Submitted while nobody is there.
    let second = client.new_order_id(market);
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.submit(&place(second, &[line(sku, 1)])).await }
    });
    tokio::task::yield_now().await;
    let server = world.start_with(&world.options(port));
    let response = waiting.await.expect("no panic").expect("an answer after the server came back");
    assert!(
        matches!(response, Response::Answered { answer: Answer::Placed { repeated: false, .. }, .. }),
        "{response:?}"
    );

    let again = client.submit(&place(first, &[line(sku, 1)])).await.expect("an answer");
    let accepted = |response: &Response| match response {
        Response::Answered { answer: Answer::Placed { number, accepted_at, repeated, .. }, .. } => {
            (*number, *accepted_at, *repeated)
        }
        other => panic!("{other:?}"),
    };
    let ((number, at, false), (number_again, at_again, true)) = (accepted(&placed), accepted(&again)) else {
        panic!("the second answer repeats the first")
    };
    assert_eq!((number, at), (number_again, at_again));
    server.stop().await;
}

#[tokio::test]
async fn a_stop_answers_what_is_under_way_and_closes_with_a_number() {
    let world = World::new(1);
    let server = world.start().await;
    let client = server.client(&world).await;
    let (market, sku) = stocked(&client, "default", 1_000).await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let client = client.clone();
        tasks.spawn(async move {
            let order = client.new_order_id(market);
            client.submit(&place(order, &[line(sku, 1)])).await
        });
    }
    let first = tasks.join_next().await.expect("a task").expect("no panic");
    assert!(first.is_ok(), "{first:?}");
    let (_endpoint, connection) = server.raw().await;
    let closed = tokio::spawn(async move { crate::harness::close_code(&connection).await });
    server.stop().await;
    assert_eq!(closed.await.expect("no panic"), u64::from(stockade::wire::CloseCode::ShuttingDown.number()));
    tasks.abort_all();
}

#[tokio::test]
async fn a_client_without_a_server_gives_up_at_its_deadline_and_says_what_went_wrong() {
    let world = World::new(1);
    let server = world.start().await;
    let mut options = server.client_options(world.data.path());
    options.deadline = Duration::from_millis(300);
    options.connect_wait = Duration::from_millis(100);
    let client = Client::connect(options).await.expect("a connection");
    server.stop().await;
    let fault = client.submit(&Command::AssignMarket { code: "late" }).await.expect_err("nobody is there");
    assert!(fault.to_string().contains("no answer from"), "{fault}");
    assert!(fault.to_string().contains("300 ms"), "{fault}");
}

#[tokio::test]
async fn one_connection_too_many_is_told_so_by_number_and_may_come_when_another_goes() {
    let world = World::new(1);
    let mut options = world.options(0);
    options.connections_max = 1;
    let server = world.start_with(&options);
    let first = server.client(&world).await;
    let fault = Client::connect(server.client_options(world.data.path())).await.map(drop).expect_err("no room");
    let full = u64::from(stockade::wire::CloseCode::TooManyConnections.number());
    assert!(matches!(fault, ClientError::Closed { code, .. } if code == full), "{fault:?}");
    drop(first);
    let second = loop {
        // The server learns of the first one's end with its last packet.
        match Client::connect(server.client_options(world.data.path())).await {
            Ok(client) => break client,
            Err(ClientError::Closed { code, .. }) if code == full => tokio::task::yield_now().await,
            Err(fault) => panic!("{fault}"),
        }
    };
    second.status().await.expect("a status");
    server.stop().await;
}

#[tokio::test]
async fn a_port_that_is_taken_is_an_error_that_names_it() {
    let world = World::new(1);
    let server = world.start().await;
    let fault = bind_error(&ServerOptions::new(server.address, world.data.path()));
    assert!(matches!(fault, ServerFault::Bind { .. }), "{fault:?}");
    assert!(fault.to_string().contains(&server.address.to_string()), "{fault}");
    server.stop().await;
}

fn bind_error(options: &ServerOptions) -> ServerFault {
    use stockade::base::Timestamp;
    use stockade::server::{NodeParts, Registry, Server, StatusSource};
    use stockade::shard::LogClock;
    struct Nothing;
    impl StatusSource for Nothing {
        fn status(&self) -> stockade::wire::Status {
            stockade::wire::Status::default()
        }
    }
    let clock = LogClock::new(Timestamp::ZERO);
    let parts =
        NodeParts { registry: Registry::new(), inboxes: Vec::new(), clock, status: std::sync::Arc::new(Nothing) };
    Server::bind(options, parts).map(drop).expect_err("the port is taken")
}
