//! Copies of a node's data that are made while it works, makes snapshots and trims its log.

use std::path::Path;

use stockade::wal::FileDisk;
use stockade::{keys, node, wal};

use crate::child::{Node, Settings};
use crate::snapshots::{Shop, files, settings};

#[tokio::test]
async fn a_copy_made_under_load_holds_whatever_was_answered_before_it_began() {
    let dir = tempfile::tempdir().expect("a directory");
    let data = dir.path();
    let node = Node::start(&settings(data));
    let client = node.client().await;
    let mut shop = Shop::open(&client).await;
    let is_trimmed = || !files(data, ".segment")[0].ends_with("log-0000000001.segment");
    for round in 0..3 {
        let copy = dir.path().join(format!("copy-{round}"));
        let told_before = shop.told.clone();
        let (from, into) = (data.to_owned(), copy.clone());
        let copying = std::thread::spawn(move || copy_with_keys(&from, &into));
        shop.work_until(&client, || copying.is_finished()).await;
        let copied = copying.join().expect("no panic").expect("a sound log");
        assert!(copied.image.is_some() || round == 0, "{copied:?}");

        let audit = node::audit(&copy, &mut |_| {}).expect("sound");
        assert!(audit.ok && audit.torn.is_none(), "{audit:?}");
        assert!(audit.orders >= told_before.len() as u64, "{} orders of {}", audit.orders, told_before.len());
        check_in_the_copy(&copy, &Shop { told: told_before, ..shop }).await;
        shop.work_until(&client, is_trimmed).await;
    }
    drop(client);
    node.stop();
}

/// The log first: a key that dies meanwhile is missing then, and its order is closed.
fn copy_with_keys(from: &Path, into: &Path) -> Result<wal::BackedUp, wal::Fault> {
    let copied = wal::backup(&from.join("log"), &into.join("log"), &mut |_| {})?;
    let log = (wal::node_of(&into.join("log"))?.expect("a log"), copied.tails.len() as u16);
    let [from, into] = [from, into].map(|data| FileDisk::new(&data.join("keys")));
    keys::copy_on(&from, &into, log, &mut |_| {}).expect("sound");
    Ok(copied)
}

/// A node that goes on from the copy answers as the first one did.
async fn check_in_the_copy(copy: &Path, shop: &Shop) {
    let node = Node::start(&Settings::new(copy));
    shop.check(&node.client().await).await;
    node.stop();
}
