//! Commands on the data of a server that is not running: audit, dump, salvage.

use std::fs;
use std::path::{Path, PathBuf};

use crate::harness::{Server, run};

/// The data of a server that has seen a little of everything.
fn lived() -> (tempfile::TempDir, serde_json::Value) {
    let server = Server::start();
    server.run("sku create MUG").ok();
    server.run("stock receive MUG 10").ok();
    server.run("order place --line MUG=3@1.50").ok();
    server.run("order confirm 1").ok();
    server.run("order place --line MUG=2@0").ok();
    let stock = server.run("stock get MUG --json").json();
    (server.stop(), stock)
}

fn first_segment(data: &Path) -> PathBuf {
    let files = fs::read_dir(data.join("log")).expect("a log").map(|entry| entry.expect("readable").path());
    let mut segments: Vec<_> = files.filter(|path| path.extension().is_some_and(|end| end != "header")).collect();
    segments.retain(|path| !path.ends_with("stockade.header") && fs::metadata(path).expect("there").len() > 8_192);
    segments.sort();
    segments.swap_remove(0)
}

#[test]
fn an_audit_agrees_with_what_the_server_said() {
    let (dir, stock) = lived();
    let audit = run(dir.path(), &["audit", "data", "--json"]).json();
    assert_eq!((&audit["ok"], &audit["orders"], &audit["drift"]), (&true.into(), &2.into(), &serde_json::json!([])));
    let units = audit["markets"][0]["units"].as_object().expect("units by bucket");
    assert!(units.contains_key("available"), "{units:?}");
    for (name, count) in units {
        assert_eq!(*count, stock["stock"][0][name], "{name}");
    }
    assert_eq!(audit["markets"][0]["orders"]["confirmed"], 2, "one of them cost nothing");
    let text = run(dir.path(), &["audit", "data"]).ok();
    assert!(text.contains("every counter agrees") && text.contains("market 1 default"), "{text}");
}

#[test]
fn a_dump_tells_every_fact() {
    let (dir, _) = lived();
    let dump = run(dir.path(), &["log", "dump", "data"]).ok();
    for says in
        ["segment ", "frame 1 ", "sku 1 created in market 1: MUG", "received 10 of sku 1", "placed ", "confirmed "]
    {
        assert!(dump.contains(says), "{says}: {dump}");
    }
}

#[test]
fn a_running_server_keeps_its_data_to_itself() {
    let server = Server::start();
    run(server.path(), &["audit", "data"]).failed(10);
    run(server.path(), &["log", "dump", "data"]).failed(10);
    run(server.path(), &["log", "salvage", "data", "new"]).failed(10);
}

#[test]
fn a_directory_without_a_log_is_named() {
    let dir = tempfile::tempdir().expect("a directory");
    for command in [&["audit", "data"][..], &["log", "dump", "data"], &["log", "salvage", "data", "new"]] {
        assert!(run(dir.path(), command).failed(2).contains("holds no log"), "{command:?}");
    }
}

#[test]
fn damage_stops_everything_until_the_loss_is_accepted() {
    let (dir, _) = lived();
    let segment = first_segment(&dir.path().join("data"));
    let mut bytes = fs::read(&segment).expect("readable");
    // The second block holds the first frame; behind it stand others that prove it was durable.
    bytes[4_096 + 64] ^= 0xFF;
    fs::write(&segment, bytes).expect("written");
    let error =
        run(dir.path(), &["serve", "--http-address", "none", "--address", "127.0.0.1:0", "--orders-max", "1000"])
            .failed(11);
    assert!(error.contains("damaged"), "{error}");
    run(dir.path(), &["audit", "data"]).failed(11);
    let dump = run(dir.path(), &["log", "dump", "data"]);
    assert!(dump.out.contains("UNREADABLE"), "{}", dump.out);
    assert!(dump.failed(11).contains("unreadable"));
    let error = run(dir.path(), &["log", "salvage", "data", "new"]).failed(2);
    assert!(error.contains("--accept-loss"), "{error}");
    let salvaged = run(dir.path(), &["log", "salvage", "--accept-loss", "data", "new"]).ok();
    assert!(salvaged.contains("unreadable:"), "{salvaged}");
    assert!(salvaged.ends_with("keys of customers' details were copied\n"), "{salvaged}");
}
