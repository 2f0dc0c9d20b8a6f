//! A node that makes snapshots while it works, is killed in the middle of them, and forgets no answer.
//!
//! # Not here
//! - Every moment of a crash, and what it leaves of an image: the simulator.

use std::fs;
use std::path::{Path, PathBuf};

use stockade::base::{MarketId, OrderId, SkuId};
use stockade::client::{Client, Response};
use stockade::engine::{Answer, Command, Line, Place, Retention};
use stockade::{node, wal};

use crate::child::{Node, Settings};
use crate::harness::{line, place, stocked};

const DETAILS: &[u8] = &[7; 4_096];
/// More orders than any wait here takes; a snapshot that never comes fails the test instead of hanging it.
const ORDERS_MAX: usize = 20_000;

pub(crate) fn settings(data: &Path) -> Settings {
    Settings { snapshot_log_bytes: 1, ..Settings::new(data) }
}

/// Files of the log's directory whose names end like this, in order.
pub(crate) fn files(data: &Path, suffix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(data.join("log")).expect("the directory is there");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.to_string_lossy().ends_with(suffix));
    paths.sort();
    paths
}

/// What a shop remembers of its orders: the identifier and the number it was told.
pub(crate) struct Shop {
    pub(crate) market: MarketId,
    pub(crate) sku: SkuId,
    pub(crate) told: Vec<(OrderId, u64)>,
}

impl Shop {
    /// In a market where what is cancelled is closed at once, and its details are gone.
    pub(crate) async fn open(client: &Client) -> Self {
        let (market, sku) = stocked(client, "default", 5).await;
        let retention = Retention { return_window_ms: 0, ids_kept_ms: 86_400_000 };
        client.submit(&Command::SetRetention { market, retention }).await.expect("an answer");
        Self { market, sku, told: Vec::new() }
    }

    fn placement<'a>(&self, order: OrderId, lines: &'a [Line]) -> Command<'a> {
        let Command::Place(placement) = place(order, lines) else { unreachable!() };
        assert_eq!(order.market(), self.market);
        Command::Place(Place { details: DETAILS, ..placement })
    }

    /// Places orders and cancels them, until the directory looks as wanted.
    pub(crate) async fn work_until(&mut self, client: &Client, mut is_wanted: impl FnMut() -> bool) {
        let lines = [line(self.sku, 1)];
        while !is_wanted() {
            assert!(self.told.len() < ORDERS_MAX, "no snapshot came");
            let order = client.new_order_id(self.market);
            let placed = client.submit(&self.placement(order, &lines)).await.expect("an answer");
            let Response::Answered { answer: Answer::Placed { number, repeated: false, .. }, .. } = placed else {
                panic!("{placed:?}")
            };
            self.told.push((order, number.0));
            client.submit(&Command::Cancel { order, block: false }).await.expect("an answer");
        }
    }

    /// Every order that was accepted still is, under the number that was told.
    pub(crate) async fn check(&self, client: &Client) {
        let lines = [line(self.sku, 1)];
        for (order, told) in &self.told {
            let again = client.submit(&self.placement(*order, &lines)).await.expect("an answer");
            let Response::Answered { answer: Answer::Placed { number, repeated: true, .. }, .. } = again else {
                panic!("{order}: {again:?}")
            };
            assert_eq!(number.0, *told);
        }
    }
}

#[tokio::test]
async fn a_node_killed_in_the_middle_of_snapshots_forgets_no_answer_and_its_log_stays_short() {
    let dir = tempfile::tempdir().expect("a directory");
    let data = dir.path();
    let node = Node::start(&settings(data));
    let client = node.client().await;
    let mut shop = Shop::open(&client).await;
    let newest = || files(data, ".image").last().cloned();
    shop.work_until(&client, || newest().is_some()).await;
    node.kill();

    for life in 0..3 {
        let node = Node::start(&settings(data));
        let client = node.client().await;
        shop.check(&client).await;
        let before = newest();
        // In the middle of making one, or right after it has its name.
        let in_the_middle = || !files(data, ".preparing").iter().all(|path| path.to_string_lossy().contains("log-"));
        shop.work_until(&client, || if life == 1 { in_the_middle() } else { newest() != before }).await;
        node.kill();
    }

    let node = Node::start(&settings(data));
    let client = node.client().await;
    shop.check(&client).await;
    let is_trimmed = || !files(data, ".segment")[0].ends_with("log-0000000001.segment");
    shop.work_until(&client, is_trimmed).await;
    drop(client);
    node.stop();
    // A third one when the node was stopped right after it was made.
    assert!((2..=3).contains(&files(data, ".image").len()), "{:?}", files(data, ".image"));

    // The audit begins with an image, and with the older one when the newer is damaged.
    let whole = node::audit(data, &mut |_| {}).expect("sound");
    assert!(whole.ok && whole.image.is_some(), "{:?}", whole.drift);
    let newest = newest().expect("an image");
    let mut bytes = fs::read(&newest).expect("readable");
    *bytes.last_mut().expect("bytes") ^= 1;
    fs::write(&newest, bytes).expect("writable");
    let from_older = node::audit(data, &mut |_| {}).expect("sound");
    assert!(from_older.ok && from_older.image < whole.image, "{:?}", from_older.image);
    assert_eq!((from_older.digests, from_older.sequences), (whole.digests.clone(), whole.sequences));

    // A salvage brings the images along, those that are sound.
    let copy = dir.path().join("salvaged");
    wal::salvage(&data.join("log"), &copy.join("log"), false).expect("nothing is lost");
    let salvaged = node::audit(&copy, &mut |_| {}).expect("sound");
    assert_eq!((salvaged.image, salvaged.digests), (from_older.image, whole.digests.clone()));

    // Without any image what was trimmed is missing, and nothing is guessed.
    files(data, ".image").iter().for_each(|image| fs::remove_file(image).expect("removable"));
    let (code, said) = Node::refused(&settings(data));
    assert_eq!(code, 11, "{said}");
    assert!(said.contains("no image that can be read holds what came before"), "{said}");
}
