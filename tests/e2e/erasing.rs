//! Details of customers in the files of a node: not to be found in any byte of them, and gone for good once erased.
//!
//! # Not here
//! - Power cuts in the middle of overwriting a key: `src/keys`. Who uses which key: `tests/spec`.

use std::fs;
use std::path::{Path, PathBuf};

use stockade::base::limits::KEY_BYTES;
use stockade::base::{CustomerKey, MarketId, OrderId, SkuId};
use stockade::client::{Client, QueryReply, Response};
use stockade::engine::{Answer, Command, Place, Query, Whose};
use stockade::{keys, wal};

use crate::child::{Node, Settings};
use crate::harness::{line, place, stocked};
use crate::snapshots::{Shop, files, settings};

/// Begins all details of this test; nothing else on the disk holds it.
const MARK: &str = "Ada Lovelace, St James's Square ";

fn customer(number: u128) -> CustomerKey {
    CustomerKey(number)
}

async fn buy(client: &Client, (market, sku): (MarketId, SkuId), customer: CustomerKey, details: &str) -> OrderId {
    let (order, lines) = (client.new_order_id(market), [line(sku, 1)]);
    let Command::Place(placement) = place(order, &lines) else { unreachable!() };
    let placement = Place { customer, details: details.as_bytes(), ..placement };
    let placed = client.submit(&Command::Place(placement)).await.expect("an answer");
    assert!(matches!(placed, Response::Answered { answer: Answer::Placed { .. }, .. }), "{placed:?}");
    order
}

/// What can be read of an order; `None` when it was erased.
async fn details(client: &Client, order: OrderId) -> Option<String> {
    let reply = client.query(&Query::Order { order }).await.expect("an answer");
    let QueryReply::Order(view) = reply else { panic!("{reply:?}") };
    assert!(!view.erased || view.details.is_empty());
    (!view.erased).then(|| String::from_utf8(view.details.clone()).expect("text"))
}

async fn erase(client: &Client, whose: Whose) -> (u32, bool) {
    match client.submit(&Command::Erase { whose }).await.expect("an answer") {
        Response::Answered { answer: Answer::Erased { orders, repeated }, .. } => (orders, repeated),
        other => panic!("{other:?}"),
    }
}

fn all_files(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).expect("a directory").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { all_files(&path) } else { vec![path] }).collect()
}

/// The first file in which these bytes stand.
fn found(dir: &Path, wanted: &[u8]) -> Option<PathBuf> {
    // A file may be removed while others are read: a segment that was trimmed.
    let holds = |path: &PathBuf| fs::read(path).is_ok_and(|bytes| contains(&bytes, wanted));
    all_files(dir).into_iter().find(holds)
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    let begins = |at: &usize| bytes[*at..].starts_with(wanted);
    let mut at = 0;
    while let Some(next) = bytes[at..].iter().position(|byte| *byte == wanted[0]).map(|next| at + next) {
        if begins(&next) {
            return true;
        }
        at = next + 1;
    }
    false
}

/// Generation and key of every slot of the first shard, read off both copies, which are the same. See `LOG-FORMAT.md`.
fn slots(data: &Path) -> Vec<(u32, Vec<u8>)> {
    let bytes = fs::read(data.join("keys/shard-00000.keys")).expect("readable");
    let (pairs, _) = bytes[8_192..].as_chunks::<8_192>();
    let mut slots = Vec::new();
    for pair in pairs {
        let (first, second) = pair.split_at(4_096);
        assert!(first == second, "nothing is being overwritten");
        slots.extend(first.chunks(64).map(|slot| {
            let generation = u32::from_le_bytes(slot[..4].try_into().expect("four bytes"));
            (generation, slot[16..16 + KEY_BYTES].to_vec())
        }));
    }
    slots
}

#[tokio::test]
async fn no_byte_on_the_disk_tells_details_and_what_is_erased_has_no_key_any_more() {
    let dir = tempfile::tempdir().expect("a directory");
    let data = &dir.path().join("data");
    let node = Node::start(&settings(data));
    let client = node.client().await;
    let goods = stocked(&client, "default", 100).await;
    let text = |whose: &str| format!("{MARK}{whose}");
    let mut of_seven = Vec::new();
    for number in 0..3 {
        of_seven.push(buy(&client, goods, customer(7), &text(&format!("seven, {number}"))).await);
    }
    let of_eight = buy(&client, goods, customer(8), &text("eight")).await;
    let of_guests = [buy(&client, goods, customer(0), &text("guest")).await, {
        buy(&client, goods, customer(0), &text("another guest")).await
    }];
    let plain = buy(&client, goods, customer(7), "").await;
    // Until all of it has come into an image.
    let mut shop = Shop::open(&client).await;
    shop.work_until(&client, || files(data, ".image").len() >= 2).await;
    assert_eq!(details(&client, of_seven[2]).await, Some(text("seven, 2")));
    assert_eq!(details(&client, of_guests[0]).await, Some(text("guest")));
    assert_eq!(details(&client, plain).await.as_deref(), Some(""));
    assert_eq!(found(dir.path(), MARK.as_bytes()), None);

    // Three orders of one customer lose one key; a guest's order has its own.
    let before = slots(data);
    let seven = Whose::Customer { market: goods.0, customer: customer(7) };
    assert_eq!(erase(&client, seven).await, (3, false));
    assert_eq!(erase(&client, Whose::Guest { order: of_guests[0] }).await, (1, false));
    let after = slots(data);
    let gone: Vec<_> = before.iter().zip(&after).filter(|(before, after)| before != after).collect();
    assert_eq!(gone.len(), 2, "of all slots");
    let dead: Vec<_> = gone.iter().map(|((_, key), _)| key.clone()).collect();
    assert!(gone.iter().all(|((was, _), (is, _))| *is == was + 1));
    assert!(dead.iter().all(|key| found(dir.path(), key).is_none()), "the answer came too early");
    assert_eq!(erase(&client, seven).await, (0, true));
    for order in [of_seven[0], of_seven[2], of_guests[0]] {
        assert_eq!(details(&client, order).await, None);
    }
    assert_eq!(details(&client, of_eight).await, Some(text("eight")));
    // The same customer comes back, and is somebody new.
    let again = buy(&client, goods, customer(7), &text("seven again")).await;
    assert_eq!(details(&client, again).await, Some(text("seven again")));
    drop(client);
    node.kill();

    let node = Node::start(&settings(data));
    let client = node.client().await;
    assert_eq!(details(&client, of_seven[1]).await, None);
    assert_eq!(details(&client, again).await, Some(text("seven again")));
    assert_eq!(details(&client, of_guests[1]).await, Some(text("another guest")));
    drop(client);
    node.stop();
    assert_eq!(found(dir.path(), MARK.as_bytes()), None);
    assert!(dead.iter().all(|key| found(dir.path(), key).is_none()));
}

#[tokio::test]
async fn a_log_without_its_keys_is_refused_and_goes_on_without_details_when_that_is_meant() {
    let dir = tempfile::tempdir().expect("a directory");
    let [data, copy, with_keys] = ["data", "copy", "with-keys"].map(|name| dir.path().join(name));
    let node = Node::start(&Settings::new(&data));
    let client = node.client().await;
    let goods = stocked(&client, "default", 100).await;
    let of_seven = buy(&client, goods, customer(7), "seven").await;
    let of_guest = buy(&client, goods, customer(0), "guest").await;
    for into in [&copy, &with_keys] {
        wal::backup(&data.join("log"), &into.join("log"), &mut |_| {}).expect("sound");
    }
    let log = (wal::node_of(&data.join("log")).expect("sound").expect("a log"), 1);
    let disk = |data: &Path| wal::FileDisk::new(&data.join("keys"));
    keys::copy_on(&disk(&data), &disk(&with_keys), log, &mut |_| {}).expect("sound");
    // Erased after the copy: with the server's own keys that stays so, with the copied ones it does not.
    erase(&client, Whose::Guest { order: of_guest }).await;
    drop(client);
    node.stop();

    let (code, said) = Node::refused(&Settings::new(&copy));
    assert_eq!(code, 11, "{said}");
    assert!(said.contains("shard-00000.keys is missing, and 2 keys of it are in use"), "{said}");
    let node = Node::start(&Settings::new(&with_keys));
    let client = node.client().await;
    assert_eq!(details(&client, of_seven).await.as_deref(), Some("seven"));
    assert_eq!(details(&client, of_guest).await.as_deref(), Some("guest"), "as SECURITY.md warns");
    drop(client);
    node.stop();
    // The server's own keys.
    keys::copy_on(&disk(&data), &disk(&copy), log, &mut |_| {}).expect("sound");
    let node = Node::start(&Settings::new(&copy));
    let client = node.client().await;
    assert_eq!(details(&client, of_seven).await.as_deref(), Some("seven"));
    assert_eq!(details(&client, of_guest).await, None);
    drop(client);
    node.stop();
    // None, on purpose: whoever had details comes back as somebody new.
    fs::remove_dir_all(copy.join("keys")).expect("removable");
    keys::leave_out_on(&disk(&copy), log).expect("nothing is there");
    for life in 0..2 {
        let node = Node::start(&Settings::new(&copy));
        let client = node.client().await;
        assert_eq!(details(&client, of_seven).await, None);
        let seven = Whose::Customer { market: goods.0, customer: customer(7) };
        assert_eq!(erase(&client, seven).await, (life, life == 0), "the start has erased what is lost");
        let again = buy(&client, goods, customer(7), "seven again").await;
        assert_eq!(details(&client, again).await.as_deref(), Some("seven again"));
        drop(client);
        node.stop();
    }
}
