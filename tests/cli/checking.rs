//! Orders that wait until somebody says whether they are to be trusted: the simulated checker, and people.

use serde_json::{Value, json};

use crate::harness::Server;

/// A shop that delivers against cash, so that nothing but its check holds an order back.
fn checked(flags: &[&str]) -> Server {
    let adapters = ["--check", "simulated", "--warehouse", "simulated", "--simulated-delay", "1ms"];
    let server = Server::start_with(tempfile::tempdir().expect("a directory"), &[&adapters, flags].concat());
    server.run("sku create MUG").ok();
    server.run("stock receive MUG 10").ok();
    let set = server.run("market effects --check true --release true").ok();
    assert!(set.contains("for orders placed from now on: release and check"), "{set}");
    server
}

fn place(server: &Server) -> Value {
    let place = "order place --line MUG=2@12.50 --currency GBP --payment cash-on-delivery --json";
    server.run(place).json()["state"].clone()
}

fn wait_for(server: &Server, order: u64, key: &str, value: &str) {
    while server.run(&format!("order get {order} --json")).json()[key] != value {}
}

fn books(server: Server) -> Vec<String> {
    let dir = server.stop();
    let text = std::fs::read_to_string(dir.path().join("data/simulated-check.log")).expect("books");
    let line = |line: &str| {
        line.split(' ').enumerate().filter(|(at, _)| *at != 1).map(|(_, word)| word).collect::<Vec<_>>().join(" ")
    };
    text.lines().map(line).collect()
}

#[test]
fn a_person_decides_about_what_a_checker_has_doubts_about() {
    let server = checked(&["--simulated-doubted", "1000"]);
    for order in [1, 2] {
        assert_eq!(place(&server), "in_review");
        wait_for(&server, order, "check", "in_review");
    }
    let shown = server.run("order get 1").ok();
    assert!(shown.contains("\ncheck     in_review\n") && !shown.contains("missing"), "{shown}");
    assert_eq!(server.run("wanted list check").ok(), "no check is wanted\n");
    let aside = server.run("wanted list check --aside --json").json();
    let rows = aside["rows"].as_array().expect("rows");
    let seen: Vec<_> = rows.iter().map(|row| (&row["order"], &row["action"], &row["reason"], &row["amount"])).collect();
    assert_eq!(seen.len(), 2);
    for (row, order) in seen.iter().zip([1, 2]) {
        assert_eq!(*row, (&json!(order), &json!("check"), &json!("review"), &json!("25.00")));
    }
    assert_eq!(server.stock("MUG", "committed"), 4, "what is held is sold");

    let accepted = server.run("order accept 1").ok();
    assert!(accepted.contains("is confirmed: done"), "{accepted}");
    wait_for(&server, 1, "state", "completed");
    let rejected = server.run("order reject 2 --json").json();
    assert_eq!((&rejected["state"], &rejected["moved"]), (&json!("cancelled"), &json!(2)));
    assert_eq!((server.stock("MUG", "available"), server.stock("MUG", "customer")), (8, 2));
    for (command, said) in [
        ("order accept 2", "order 2 was not accepted: its check is over, and it is cancelled"),
        ("order reject 1", "order 1 was not rejected: its check is over, and it is completed"),
    ] {
        let error = server.run(command).failed(1);
        assert!(error.contains(said), "{error}");
    }
    assert_eq!(server.run("order get 1 --json").json()["check"], "over");
    let history = server.run("order history 1").ok();
    for (what, note) in [("check_in_review", "attempt 1"), ("check_accepted", "attempt 1")] {
        assert!(history.lines().any(|line| line.contains(what) && line.contains(note)), "{history}");
    }
    assert!(server.run("order history 2").ok().contains("check_rejected"));
    assert_eq!(books(server), ["review 2500 GBP", "review 2500 GBP"]);
}

#[test]
fn what_a_checker_rejects_is_cancelled_and_what_it_trusts_goes_out() {
    let server = checked(&["--simulated-rejected", "1000"]);
    place(&server);
    wait_for(&server, 1, "state", "cancelled");
    assert_eq!(server.stock("MUG", "available"), 10);
    assert_eq!(books(server), ["rejected 2500 GBP"]);

    let server = checked(&[]);
    place(&server);
    wait_for(&server, 1, "state", "completed");
    assert_eq!(books(server), ["trusted 2500 GBP"]);
}

const SEVEN: &str = "00000000000000000000000000000007";
const EIGHT: &str = "00000000000000000000000000000008";

#[test]
fn a_checker_doubts_the_order_of_whoever_placed_too_many_lately() {
    let server = checked(&["--simulated-doubted-above", "2"]);
    let shown = server.run("market velocity").ok();
    assert!(shown.contains("market default counts nothing of whoever places orders"), "{shown}");
    assert!(server.run("market velocity --keys 5").failed(2).contains("give it a --window"));
    assert!(server.run("market velocity --window 59s").failed(2).contains("must be 1m to 31d, or 0"));
    let set = server.run("market velocity --window 24h").ok();
    assert!(set.contains("counts what was placed within 1 d 0 h, of 10000 keys"), "{set}");
    let error = server.run("market velocity --keys 20001").failed(1);
    assert!(error.contains("as much of something"), "{error}");

    let place = "order place --line MUG=1@12.50 --currency GBP --payment cash-on-delivery --json --customer";
    for order in [1, 2] {
        server.run(&format!("{place} {SEVEN}")).ok();
        wait_for(&server, order, "state", "completed");
    }
    server.run(&format!("{place} {SEVEN}")).ok();
    wait_for(&server, 3, "check", "in_review");
    server.run(&format!("{place} {EIGHT}")).ok();
    wait_for(&server, 4, "state", "completed");

    let shown = server.run(&format!("market velocity --customer {SEVEN} --instrument 9")).ok();
    assert!(shown.contains("  customer    3 orders, 3750 GBP in minor units\n  instrument  0 orders\n"), "{shown}");
    let shown = server.run(&format!("market velocity --customer {EIGHT} --json")).json();
    assert_eq!(
        shown["counts"],
        json!([{
            "key": "customer", "orders": 1, "other_currency": 0, "money": 1250, "currency": "GBP", "incomplete": false
        }])
    );
    let over = server.run("market velocity --window 0").ok();
    assert!(over.contains("counts nothing"), "{over}");
    assert_eq!(books(server), ["trusted 1250 GBP", "trusted 1250 GBP", "review 1250 GBP", "trusted 1250 GBP"]);
}

#[test]
fn a_check_that_nobody_works_off_is_listed_tried_again_and_settled_by_hand() {
    let server = Server::start();
    server.run("sku create MUG").ok();
    server.run("stock receive MUG 10").ok();
    server.run("order place --line MUG=1@12.50").ok();
    let error = server.run("order accept 1").failed(1);
    assert!(error.contains("order 1 was not accepted: nobody is to check it"), "{error}");
    let shown = server.run("order get 1").ok();
    assert!(shown.contains("\nmissing   12.50\n") && !shown.contains("check"), "{shown}");
    let shown = server.run("order get 1 --json").json();
    assert_eq!(
        (&shown["check"], &shown["missing"], &shown["missing_minor"]),
        (&json!("not_needed"), &json!("12.50"), &json!(1250))
    );

    let set = server.run("market effects --check true --json").json();
    assert_eq!(set, json!({"market": "default", "payment": false, "release": false, "check": true}));
    assert_eq!(place(&server), "in_review");
    let listed = server.run("wanted list check").ok();
    assert!(listed.contains("in_review") && listed.contains("25.00"), "{listed}");
    assert_eq!(server.run("wanted retry check --json").json()["resumed"], 0);
    assert!(server.run("wanted done check 2 --attempt 2").failed(1).contains("1 to 1"));
    assert_eq!(server.run("wanted done check 2 --attempt 1 --json").json()["state"], "confirmed");
    assert!(server.run("order accept somebody").failed(2).contains("names no order"));
    assert!(server.run("order accept 9").failed(1).contains("no order number 9"));
    server.stop();
}
