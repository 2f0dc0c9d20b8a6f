//! `stock import`: a file is received once, whoever imports it how often from where.

use std::fs;

use serde_json::json;

use crate::harness::Server;

const FILE: &str = "sku,site,quantity\nMUG,main,100\nPLATE,main,24\nMUG,main,5\n";

fn with_file(text: &str) -> Server {
    let server = Server::start();
    fs::write(server.path().join("stock.csv"), text).expect("written");
    server
}

#[test]
fn a_file_is_received_and_the_same_file_again_changes_nothing_and_says_so() {
    let server = with_file(FILE);
    let first = server.run("stock import stock.csv --json").json();
    assert_eq!((&first["received"], &first["units"], &first["skus_created"]), (&json!(3), &json!(129), &json!(2)));
    let again = server.run("stock import stock.csv").ok();
    assert!(again.contains("nothing changed") && again.contains("--again"), "{again}");
    assert_eq!(server.stock("MUG", "available"), 105);
    assert_eq!(server.stock("PLATE", "available"), 24);
}

#[test]
fn a_copy_without_its_receipt_is_recognised_by_the_server() {
    let server = with_file(FILE);
    server.run("stock import stock.csv").ok();
    fs::copy(server.path().join("stock.csv"), server.path().join("copy.csv")).expect("copied");
    let copy = server.run("stock import copy.csv --json").json();
    assert_eq!((&copy["received"], &copy["repeated"]), (&json!(0), &json!(3)));
    assert_eq!(server.stock("MUG", "available"), 105);
}

#[test]
fn after_a_restart_the_file_is_still_known() {
    let server = with_file(FILE);
    server.run("stock import stock.csv").ok();
    let server = Server::start_in(server.kill());
    assert!(server.run("stock import stock.csv").ok().contains("nothing changed"));
    assert_eq!(server.stock("MUG", "available"), 105);
}

#[test]
fn a_file_imported_more_than_a_day_ago_is_not_sent_and_one_broken_off_then_says_what_to_do() {
    let server = with_file(FILE);
    server.run("stock import stock.csv").ok();
    let path = server.path().join("stock.csv.imported");
    let mut receipts: serde_json::Value = serde_json::from_slice(&fs::read(&path).expect("a receipt")).expect("JSON");
    receipts[0]["made_at_ms"] = json!(1_000);
    fs::write(&path, receipts.to_string()).expect("written");
    assert!(server.run("stock import stock.csv").ok().contains("nothing changed"));
    receipts[0]["finished"] = json!(false);
    fs::write(&path, receipts.to_string()).expect("written");
    let error = server.run("stock import stock.csv").failed(1);
    assert!(error.contains("broken off") && error.contains("--again"), "{error}");
    assert_eq!(server.stock("MUG", "available"), 105);
}

#[test]
fn a_receipt_for_another_server_does_not_keep_a_new_one_empty() {
    let server = with_file(FILE);
    server.run("stock import stock.csv").ok();
    let fresh = Server::start();
    for name in ["stock.csv", "stock.csv.imported"] {
        fs::copy(server.path().join(name), fresh.path().join(name)).expect("copied");
    }
    assert_eq!(fresh.run("stock import stock.csv --json").json()["received"], 3);
    assert_eq!(fresh.stock("MUG", "available"), 105);
}

#[test]
fn another_delivery_with_the_same_content_is_received_when_told_so() {
    let server = with_file(FILE);
    server.run("stock import stock.csv").ok();
    assert_eq!(server.run("stock import stock.csv --again --json").json()["received"], 3);
    assert!(server.run("stock import stock.csv").ok().contains("nothing changed"));
    assert_eq!(server.stock("MUG", "available"), 210);
}

#[test]
fn wrong_lines_are_all_listed_and_nothing_is_received() {
    let server = with_file("sku,site,quantity\nMUG,main,100\nMUG,north,3\nPLATE,main,none\nMUG\n");
    let error = server.run("stock import stock.csv").failed(1);
    for says in ["3 lines", "line 3: market default has no site north", "line 4:", "line 5:", "nothing was received"] {
        assert!(error.contains(says), "{says}: {error}");
    }
    assert!(server.run("stock get MUG").failed(1).contains("sku create MUG"), "not even the SKU was created");
    let skipped = server.run("stock import stock.csv --skip-bad --json").json();
    assert_eq!((&skipped["received"], &skipped["skipped"][0]["line"]), (&json!(1), &json!(3)));
    assert_eq!(server.stock("MUG", "available"), 100);
}

#[test]
fn a_large_file_goes_in_whole() {
    let mut text = "sku,site,quantity\n".to_owned();
    (0..20_000).for_each(|line| text += &format!("SKU-{},main,{}\n", line % 3_000, line % 7 + 1));
    let server = with_file(&text);
    let report = server.run("stock import stock.csv --json").json();
    assert_eq!((&report["received"], &report["skus_created"]), (&json!(20_000), &json!(3_000)));
    assert_eq!(server.run("stock import stock.csv --json").json()["repeated"], 20_000);
}

#[test]
fn a_file_that_is_missing_or_of_another_kind_is_named() {
    let server = with_file("code;units\n");
    assert!(server.run("stock import stock.csv").failed(1).contains("sku,site,quantity"));
    assert!(server.run("stock import none.csv").failed(1).contains("none.csv"));
}
