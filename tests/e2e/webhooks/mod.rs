//! Webhooks in earnest: a node that is killed again and again, a receiver on a bad day, TLS between them; what the
//! receiver was told is held against the log. And receivers' own libraries look at the signatures.

pub(crate) mod receiver;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command as Process, Output};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stockade::client::Client;
use stockade::engine::{Command, Fact};
use stockade::wal;
use stockade::wire::{FactReader, FactScratch};

use crate::child::{Node, Settings};
use crate::harness::{line, place, stocked};
use crate::snapshots::{Shop, files};
use crate::watching;
use receiver::{Position, Receiver};

const HERE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/webhooks");
/// Longer than any run takes; only a feed that hangs gets there.
const PATIENCE: Duration = Duration::from_secs(120);

fn settings(dir: &Path, receiver: &Receiver, feed_behind_bytes: u64) -> Settings {
    Settings { webhook: Some(receiver.webhook(feed_behind_bytes)), ..Settings::new(&dir.join("data")) }
}

async fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "{what}: it never comes");
        tokio::task::yield_now().await;
    }
}

/// Places and cancels orders of two markets, which live in two shards.
async fn shop(client: &Client, orders: usize) {
    let mut markets = Vec::new();
    for name in ["default", "second"] {
        markets.push(stocked(client, name, 1_000).await);
    }
    for turn in 0..orders {
        let (market, sku) = markets[turn % 2];
        let (order, lines) = (client.new_order_id(market), [line(sku, 1)]);
        // A node that is killed answers nothing.
        let _placed = client.submit(&place(order, &lines)).await;
        if turn % 3 == 0 {
            let _cancelled = client.submit(&Command::Cancel { order, block: false }).await;
        }
    }
}

/// Hands out every fact in the log but those about cursors.
fn read_log(data: &Path, mut take: impl FnMut(Position, &Fact<'_>)) {
    let mut scratch = FactScratch::default();
    let mut take_entry = |entry: wal::ReplayedEntry<'_>| {
        let (mut reader, mut index) = (FactReader::new(entry.bytes, &mut scratch), 0);
        while let Some(fact) = reader.next() {
            let fact = fact.expect("a fact");
            if !matches!(fact, Fact::CursorMoved { .. }) {
                take((entry.stream.0.into(), entry.sequence.0, index), &fact);
            }
            index += 1;
        }
    };
    let log = wal::Reader::open(&data.join("log")).expect("nobody uses it");
    log.read(&mut take_entry, &mut |_| {}).expect("a sound log");
}

/// What a receiver is to be told of a fact that a shop brings about.
fn type_of(fact: &Fact<'_>) -> &'static str {
    match fact {
        Fact::Placed(_) => "order.placed",
        Fact::Cancelled { .. } => "order.cancelled",
        Fact::Received { .. } => "stock.received",
        Fact::SkuCreated { .. } => "sku.created",
        Fact::MarketAssigned { .. } => "market.assigned",
        Fact::MarketOpened { .. } => "market.opened",
        other => panic!("nobody asked for {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn however_often_it_is_killed_a_receiver_is_told_everything_in_order() {
    let dir = tempfile::tempdir().expect("a directory");
    let receiver = Receiver::start(dir.path()).await;
    receiver.has_a_bad_day(true);
    let settings = Settings { shards: Some(2), ..settings(dir.path(), &receiver, 1 << 30) };
    for life in 0..5_usize {
        let node = Node::start(&settings);
        let client = node.client().await;
        let (shopping, known) = (shop(&client, 120), receiver.count());
        tokio::pin!(shopping);
        // In the middle of it, each time further on; once after it.
        let is_told = wait_until("some events", || receiver.count() > known + 20 * life);
        tokio::select! {
            () = &mut shopping => {}
            () = is_told => {}
        }
        node.kill();
    }
    let node = Node::start(&settings);
    shop(&node.client().await, 30).await;
    let twice = receiver.told_twice();
    receiver.has_a_bad_day(false);
    // The first facts of a log, which opened the first market, happened before there was a sink.
    let mut told = 0;
    wait_until("everything", || {
        let before = std::mem::replace(&mut told, receiver.count());
        let lag = watched(&node, "stockade_sink_lag_seconds");
        before == told && lag == 0.0 && watched(&node, "stockade_sink_held") == 0.0
    })
    .await;
    node.stop();
    let mut logged = BTreeMap::new();
    read_log(&settings.data, |position, fact| _ = logged.insert(position, type_of(fact)));
    let events = receiver.events();
    let first = events.keys().map(|(shard, ..)| *shard).collect::<std::collections::BTreeSet<_>>();
    assert_eq!(first.len(), 2, "both shards have news");
    for (position, word) in &logged {
        let event = events.get(position);
        let is_older = *position < (position.0, 3, 0) && matches!(*word, "market.assigned" | "market.opened");
        assert!(event.is_some() || is_older, "{word} at {position:?} was never told");
        assert!(event.is_none_or(|event| event["type"] == **word), "{position:?}: {word} was told as {event:?}");
    }
    assert!(events.keys().all(|position| logged.contains_key(position)), "something was told that is not in the log");
    assert!(twice > 0, "a bad day and five kills, and nothing was told twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_stop_in_order_nothing_is_told_again() {
    let dir = tempfile::tempdir().expect("a directory");
    let receiver = Receiver::start(dir.path()).await;
    let settings = Settings { shards: Some(2), ..settings(dir.path(), &receiver, 1 << 30) };
    for life in 1..=3 {
        let node = Node::start(&settings);
        let known = receiver.count();
        shop(&node.client().await, 20).await;
        wait_until("some events", || receiver.count() > known).await;
        // In the second after a cursor was moved, while more is with the receiver.
        node.stop();
        assert!(receiver.count() > known, "life {life}");
    }
    assert_eq!(receiver.told_twice(), 0);
}

/// A number that the node tells machines that watch it.
fn watched(node: &Node, name: &str) -> f64 {
    let (_, text) = watching::get(node.watched, "/metrics");
    watching::value(&text, &format!("{name}{{sink=\"webhook\"}}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_is_kept_for_a_receiver_that_is_down_but_not_for_ever_and_it_is_told_what_it_missed() {
    let dir = tempfile::tempdir().expect("a directory");
    let receiver = Receiver::start(dir.path()).await;
    receiver.is_down(true);
    let patient = Settings { snapshot_log_bytes: 1 << 20, ..settings(dir.path(), &receiver, 1 << 30) };
    let settings = Settings { webhook: Some(receiver.webhook(6 << 20)), ..patient.clone() };
    let node = Node::start(&patient);
    let client = node.client().await;
    let mut shop = Shop::open(&client).await;
    let images = || files(&settings.data, ".image").len();
    let oldest = || files(&settings.data, ".segment").first().cloned().expect("a segment");
    let first = oldest();
    shop.work_until(&client, || images() > 1).await;
    assert_eq!(oldest(), first, "two images, and the log is kept for the sink");
    assert!(receiver.requests() > 0 && receiver.count() == 0);
    node.stop();

    let node = Node::start(&settings);
    let client = node.client().await;
    // Past what the node had read ahead when the receiver did not answer.
    shop.work_until(&client, || oldest() >= settings.data.join("log/log-0000000025.segment")).await;
    assert!(watched(&node, "stockade_sink_lag_seconds") > 0.0);

    receiver.is_down(false);
    let is_told = || receiver.events().values().any(|event| event["type"] == "feed.gap");
    wait_until("the gap", is_told).await;
    let order = client.new_order_id(shop.market);
    client.submit(&place(order, &[line(shop.sku, 1)])).await.expect("an answer");
    let last = || receiver.events().last_key_value().map(|(_, event)| event.clone()).unwrap_or_default();
    wait_until("the newest order", || last()["order"] == order.to_string()).await;
    node.stop();
    let events = receiver.events();
    // More than one where the log was trimmed again before the sink's new place in it was in an image.
    let gaps = events.values().filter(|event| event["type"] == "feed.gap");
    let gaps: Vec<_> = gaps.map(|gap| (gap["after"].as_u64(), gap["upto"].as_u64())).collect();
    let is_told = |entry: u64| gaps.iter().any(|(after, upto)| *after < Some(entry) && Some(entry) <= *upto);
    assert!(!gaps.is_empty());
    read_log(&settings.data, |position, fact| {
        assert!(is_told(position.1) || events.contains_key(&position), "{fact:?} at {position:?} is missing");
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_the_disk_low_the_log_is_kept_for_no_receiver() {
    let dir = tempfile::tempdir().expect("a directory");
    let receiver = Receiver::start(dir.path()).await;
    receiver.is_down(true);
    let patient = Settings { snapshot_log_bytes: 1 << 20, ..settings(dir.path(), &receiver, 1 << 30) };
    let node = Node::start(&patient);
    let client = node.client().await;
    let oldest = || files(&patient.data, ".segment").first().cloned().expect("a segment");
    let first = oldest();
    let mut shop = Shop::open(&client).await;
    shop.work_until(&client, || files(&patient.data, ".image").len() > 1).await;
    assert_eq!(oldest(), first, "two images, and the log is kept for the sink");
    node.stop();
    let node = Node::start(&Settings { low_water_bytes: 1 << 60, ..patient.clone() });
    wait_until("room", || oldest() != first).await;
    receiver.is_down(false);
    wait_until("a gap or what is left", || receiver.count() > 0).await;
    node.stop();
}

fn run(command: &mut Process) -> Result<String, String> {
    match command.output() {
        Ok(Output { status, stdout, .. }) if status.success() => Ok(String::from_utf8_lossy(&stdout).into_owned()),
        Ok(Output { stderr, .. }) => Err(String::from_utf8_lossy(&stderr).into_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// The libraries in directories of their own below `target`, and how each is run.
fn verifiers() -> Result<[Process; 2], String> {
    let room = Path::new(env!("CARGO_TARGET_TMPDIR")).join("webhook-verifiers");
    let python = room.join("python/bin/python");
    if !python.exists() {
        run(Process::new("python3").args(["-m", "venv"]).arg(room.join("python")))?;
    }
    let requirements = Path::new(HERE).join("requirements.txt");
    let pip = ["-m", "pip", "install", "--quiet", "--retries", "1", "--timeout", "15", "--requirement"];
    run(Process::new(&python).args(pip).arg(requirements))?;
    let node: PathBuf = room.join("node");
    std::fs::create_dir_all(&node).map_err(|why| why.to_string())?;
    for file in ["package.json", "verify.mjs"] {
        std::fs::copy(Path::new(HERE).join(file), node.join(file)).map_err(|why| why.to_string())?;
    }
    let npm = ["install", "--silent", "--no-audit", "--no-fund", "--fetch-retries=1", "--fetch-timeout=15000"];
    run(Process::new("npm").args(npm).current_dir(&node))?;
    let mut by = [Process::new(python), Process::new("node")];
    by[0].arg(Path::new(HERE).join("verify.py"));
    by[1].arg(node.join("verify.mjs"));
    Ok(by)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_libraries_that_receivers_use_accept_our_signatures_and_nothing_else() {
    let verifiers = match verifiers() {
        Ok(verifiers) => verifiers,
        Err(why) => {
            let text =
                format!("\n*** NOT RUN: standardwebhooks cannot be installed here for Python and Node ***\n{why}\n");
            // Past the capture of the test harness, on purpose.
            std::io::stderr().write_all(text.as_bytes()).expect("standard error is open");
            return;
        }
    };
    let dir = tempfile::tempdir().expect("a directory");
    let receiver = Receiver::start(dir.path()).await;
    let node = Node::start(&settings(dir.path(), &receiver, 1 << 30));
    shop(&node.client().await, 20).await;
    wait_until("some messages", || receiver.count() > 20).await;
    node.stop();
    let messages = receiver.messages();
    let recorded: Vec<Value> = messages
        .iter()
        .map(|it| {
            let headers = json!({
                "webhook-id": it.id, "webhook-timestamp": it.timestamp, "webhook-signature": it.signature,
            });
            json!({ "headers": headers, "body": it.body })
        })
        .collect();
    let file = dir.path().join("messages.json");
    std::fs::write(&file, Value::from(recorded).to_string()).expect("writable");
    let secret = std::fs::read_to_string(&receiver.secret_file).expect("readable");
    for mut verifier in verifiers {
        let said = run(verifier.arg(secret.trim()).arg(&file)).unwrap_or_else(|why| panic!("{why}"));
        assert_eq!(said.trim(), format!("{} verified", messages.len()));
    }
}
