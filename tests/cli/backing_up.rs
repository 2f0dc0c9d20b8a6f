//! A copy of a running server's data, and the way back.

use serde_json::json;

use crate::harness::{Server, run};

#[test]
fn a_server_goes_on_from_a_copy_that_was_made_while_it_ran() {
    let server = Server::start();
    server.run("sku create MUG").ok();
    server.run("stock receive MUG 10").ok();
    server.run("order place --line MUG=3@1.50").ok();
    let copied = run(server.path(), &["backup", "data", "copy", "--json"]).json();
    assert_eq!(
        (&copied["did"], &copied["segments"], &copied["image_before_segment"]),
        (&json!("backup"), &json!(1), &json!(null))
    );
    server.run("order place --line MUG=2@1.50").ok();

    let audit = run(server.path(), &["audit", "copy", "--json"]).json();
    assert_eq!((&audit["ok"], &audit["orders"]), (&json!(true), &json!(1)));
    let again = run(server.path(), &["backup", "data", "copy"]).failed(2);
    assert!(again.contains("already holds a log"), "{again}");

    let dir = server.stop();
    let text = run(dir.path(), &["restore", "copy", "back"]).ok();
    assert!(text.contains("start it with `stockade serve --data back`"), "{text}");
    std::fs::rename(dir.path().join("data"), dir.path().join("lost")).expect("renamed");
    std::fs::rename(dir.path().join("back"), dir.path().join("data")).expect("renamed");
    let server = Server::start_in(dir);
    assert_eq!(server.stock("MUG", "available"), 7);
    assert_eq!(server.run("order place --line MUG=2@1.50 --json").json()["number"], 2, "what came later is gone");
    server.stop();
}

#[test]
fn keys_of_details_are_copied_when_somebody_says_so_and_every_copy_says_what_it_is_worth() {
    let server = Server::start();
    server.run("sku create MUG").ok();
    server.run("stock receive MUG 10").ok();
    server.run("order place --line MUG=3@1.50 --details Ada").ok();
    let text = run(server.path(), &["backup", "data", "copy"]).ok();
    assert!(text.contains("no details of customers can be read from it: it holds no keys\n"), "{text}");
    let keys = |data: &str| server.path().join(data).join("keys").exists();
    assert!(!keys("copy"));
    let text = run(server.path(), &["backup", "data", "whole", "--with-keys"]).ok();
    assert!(text.contains("whoever has it can read them, also those erased later"), "{text}");
    let report = run(server.path(), &["backup", "data", "third", "--with-keys", "--json"]).json();
    assert_eq!(report["keys"], json!("copied"));

    // With neither, the server is told apart from one that lost them.
    let text = run(server.path(), &["restore", "copy", "one"]).ok();
    assert!(text.contains("put those of the server into one/keys before it starts"), "{text}");
    let error = run(server.path(), &["serve", "--data", "one", "--address", "127.0.0.1:0", "--http-address", "none"]);
    let error = error.failed(11);
    assert!(error.contains(".keys is missing, and 1 keys of it are in use"), "{error}");
    let error = run(server.path(), &["restore", "copy", "two", "--keys", "copy/keys"]).failed(2);
    assert!(error.contains("copy/keys holds no keys of this log") && !server.path().join("two").exists(), "{error}");
    let report = run(server.path(), &["restore", "copy", "two", "--keys", "data/keys", "--json"]).json();
    assert_eq!(report["keys"], json!("copied"));
    let report = run(server.path(), &["restore", "whole", "three", "--json"]).json();
    assert_eq!(report["keys"], json!("copied"));
    let text = run(server.path(), &["restore", "whole", "four", "--without-keys"]).ok();
    assert!(text.contains("without the details of every order in it, for good"), "{text}");
    let both = ["restore", "whole", "five", "--without-keys", "--keys", "data/keys"];
    run(server.path(), &both).failed(2);

    let mut dir = server.stop();
    for (data, details) in [("two", json!("Ada")), ("three", json!("Ada")), ("four", json!(""))] {
        std::fs::rename(dir.path().join("data"), dir.path().join(format!("before-{data}"))).expect("renamed");
        std::fs::rename(dir.path().join(data), dir.path().join("data")).expect("renamed");
        let server = Server::start_in(dir);
        let view = server.run("order get 1 --json").json();
        assert_eq!(view["details"], details, "{view}");
        dir = server.stop();
    }
}

#[test]
fn a_snapshot_is_made_when_it_is_asked_for_and_a_start_begins_with_it() {
    let server = Server::start();
    server.run("sku create MUG").ok();
    server.run("stock receive MUG 10").ok();
    let made = run(server.path(), &["snapshot", "data", "--json"]).json();
    assert_eq!((&made["image_before_segment"], &made["nothing_new"]), (&json!(2), &json!(false)));
    let again = run(server.path(), &["snapshot", "data"]).ok();
    assert_eq!(again, "nothing was written since the image before segment 2\n");
    server.run("order place --line MUG=3@1.50").ok();
    assert!(run(server.path(), &["snapshot", "data"]).ok().starts_with("the image before segment 3 was made in "));
    let copied = run(server.path(), &["backup", "data", "copy", "--json"]).json();
    assert_eq!(copied["image_before_segment"], 3);
    let dir = server.kill();
    let server = Server::start_in(dir);
    assert_eq!(server.stock("MUG", "available"), 7);
    let audit = run(server.path(), &["audit", "copy", "--json"]).json();
    assert_eq!((&audit["ok"], &audit["image"]), (&json!(true), &json!(3)));
    let dir = server.stop();
    let error = run(dir.path(), &["snapshot", "data"]).failed(2);
    assert!(error.contains("no server runs on data"), "{error}");
    let error = run(dir.path(), &["snapshot", "nowhere"]).failed(2);
    assert!(error.contains("no server runs on nowhere"), "{error}");
}

#[test]
fn a_server_that_makes_no_snapshots_says_so_to_who_asks() {
    let server = Server::start_with(tempfile::tempdir().expect("a directory"), &["--snapshot-log-bytes", "0"]);
    let error = run(server.path(), &["snapshot", "data"]).failed(1);
    assert!(error.contains("takes no such wish up") && error.contains("snapshot_log_bytes 0"), "{error}");
    let left = std::fs::read_dir(server.path().join("data")).expect("it is there").flatten();
    let left: Vec<_> = left.filter(|entry| entry.file_name().to_string_lossy().starts_with("snapshot")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn what_cannot_be_copied_is_refused_by_name() {
    let server = Server::start();
    let error = run(server.path(), &["backup", "nowhere", "copy"]).failed(2);
    assert!(error.contains("nowhere") && error.contains("holds no log"), "{error}");
    let error = run(server.path(), &["backup", "data", "copy", "--bytes-per-second", "fast"]).failed(2);
    assert!(error.contains("--bytes-per-second fast") && error.contains("64KiB"), "{error}");
    let error = run(server.path(), &["restore", "data", "copy"]).failed(10);
    assert!(error.contains("another process"), "{error}");
    assert!(!server.path().join("copy").exists(), "nothing was begun");
}
