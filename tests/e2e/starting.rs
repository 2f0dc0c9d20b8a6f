//! What a node will not start on, each with its exit code and the name of what is in the way; and that it starts again
//! with all it had.

use std::path::Path;

use stockade::base::{ChangeId, MarketId, OrderId};
use stockade::client::{Client, QueryReply, Response};
use stockade::engine::{Answer, Books, Command, Query};
use stockade::node;

use crate::child::{Node, Settings};
use crate::harness::{line, place, stocked};
use crate::room::Room;

/// Says what must be in an error.
#[track_caller]
fn check_refused(settings: &Settings, code: i32, parts: &[&str]) {
    let (found, said) = Node::refused(settings);
    assert_eq!(found, code, "{said}");
    for part in parts {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn a_node_whose_port_is_taken_ends_and_names_the_address() {
    let (data, other) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    let node = Node::start(&Settings::new(data.path()));
    let settings = Settings { address: node.address, ..Settings::new(other.path()) };
    check_refused(&settings, 1, &[&node.address.to_string(), "choose another address"]);
    node.stop();
}

#[test]
fn a_data_directory_has_one_node_and_a_second_ends_with_its_own_exit_code() {
    let data = tempfile::tempdir().expect("a directory");
    let settings = Settings::new(data.path());
    let node = Node::start(&settings);
    let path = data.path().display().to_string();
    check_refused(&settings, 10, &[&path, "another process"]);
    let audit = node::audit(data.path(), &mut |_| {}).expect_err("in use");
    assert_eq!(audit.exit_code(), 10, "{audit}");
    node.stop();
    Node::start(&settings).stop();
}

#[test]
fn a_data_directory_that_cannot_be_written_is_named_with_what_the_system_said() {
    let data = tempfile::tempdir().expect("a directory");
    let file = data.path().join("file");
    std::fs::write(&file, "not a directory").expect("written");
    let below = file.join("data");
    check_refused(&Settings::new(&below), 1, &[&below.display().to_string(), "Not a directory"]);
    check_refused(&Settings::new(&file), 1, &[&file.display().to_string()]);
    let nowhere = Path::new("/proc/nowhere");
    check_refused(&Settings::new(nowhere), 1, &["/proc/nowhere"]);
}

#[test]
fn a_file_system_that_may_only_be_read_is_an_error_and_no_panic() {
    let Some(room) = Room::mounted("ro,size=1m") else { return };
    let settings = Settings { through: room.entrance(), ..Settings::new(&room.path().join("data")) };
    check_refused(&settings, 1, &[&room.path().display().to_string(), "Read-only"]);
    let settings = Settings { through: room.entrance(), ..Settings::new(room.path()) };
    check_refused(&settings, 1, &[&room.path().display().to_string(), "Read-only"]);
}

#[test]
fn half_a_certificate_pair_is_named_and_not_replaced() {
    let data = tempfile::tempdir().expect("a directory");
    let settings = Settings::new(data.path());
    Node::start(&settings).stop();
    let key = data.path().join("dev/key.pem");
    std::fs::remove_file(&key).expect("it was made");
    check_refused(&settings, 1, &["key.pem", "cert.pem"]);
    assert!(!key.exists());
}

/// Orders in sixteen markets: one confirmed, one waiting, one cancelled each.
async fn trade(client: &Client) -> Vec<(MarketId, OrderId)> {
    let mut orders = Vec::new();
    for number in 0..16 {
        let (market, sku) = stocked(client, &format!("market-{number}"), 10).await;
        let made = [(); 3].map(|()| client.new_order_id(market));
        for order in made {
            accepted(client, &place(order, &[line(sku, 2)])).await;
        }
        accepted(client, &Command::Confirm { order: made[0], attempt: ChangeId(1) }).await;
        accepted(client, &Command::Cancel { order: made[2], block: false }).await;
        orders.extend(made.map(|order| (market, order)));
    }
    orders
}

async fn accepted(client: &Client, command: &Command<'_>) -> Answer {
    match client.submit(command).await.expect("an answer") {
        Response::Answered { answer, .. } => answer,
        Response::Refused(why) => panic!("{command:?}: {why}"),
    }
}

/// Books of every market and views of every order.
async fn told(client: &Client, orders: &[(MarketId, OrderId)]) -> (Vec<Books>, Vec<QueryReply>) {
    let (mut books, mut views) = (Vec::new(), Vec::new());
    for (market, order) in orders {
        match client.query(&Query::Books { market: *market }).await.expect("books") {
            QueryReply::Books(found) => books.push(found.books),
            other => panic!("{other:?}"),
        }
        views.push(client.query(&Query::Order { order: *order }).await.expect("an order"));
    }
    (books, views)
}

async fn check_restarts(shards: u16) {
    let data = tempfile::tempdir().expect("a directory");
    let as_before = Settings::new(data.path());
    let node = Node::start(&Settings { shards: Some(shards), ..as_before.clone() });
    let client = node.client().await;
    let orders = trade(&client).await;
    let before = told(&client, &orders).await;
    drop(client);
    node.stop();

    check_refused(
        &Settings { shards: Some(shards + 1), ..as_before.clone() },
        2,
        &[&format!("{shards} shards"), &(shards + 1).to_string()],
    );
    let audit = node::audit(data.path(), &mut |_| {}).expect("a sound log");
    assert!(audit.ok && audit.shards == shards, "{audit:?}");
    assert_eq!(audit.orders, orders.len() as u64);

    let node = Node::start(&as_before);
    let client = node.client().await;
    assert_eq!(client.status().await.expect("a status").shards, shards);
    assert!(told(&client, &orders).await == before, "a stop and a start changed something");
    // Answered, so it is there even when the node is killed at once.
    let (_, confirmed) = orders[1];
    accepted(&client, &Command::Confirm { order: confirmed, attempt: ChangeId(1) }).await;
    let before = told(&client, &orders).await;
    drop(client);
    node.kill();

    let node = Node::start(&as_before);
    let client = node.client().await;
    assert!(told(&client, &orders).await == before, "a kill and a start changed something");
    drop(client);
    node.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_node_of_one_shard_is_the_same_after_a_stop_and_after_a_kill() {
    check_restarts(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_node_of_two_shards_is_the_same_after_a_stop_and_after_a_kill() {
    check_restarts(2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_node_of_eight_shards_is_the_same_after_a_stop_and_after_a_kill() {
    check_restarts(8).await;
}
