//! What is left to adapters: shown, worked off by the simulated ones, seen to by hand.

use serde_json::json;

use crate::harness::{Server, run};

fn left_to_adapters(flags: &[&str]) -> Server {
    let server = Server::start_with(tempfile::tempdir().expect("a directory"), flags);
    server.run("sku create MUG").ok();
    server.run("stock receive MUG 10").ok();
    assert!(server.run("market effects").ok().contains("wants of adapters, for orders placed from now on: nothing"));
    let set = server.run("market effects --payment true --release true --json").json();
    assert_eq!(set, json!({"market": "default", "payment": true, "release": true, "check": false}));
    server
}

#[test]
fn what_is_wanted_is_listed_until_somebody_says_that_it_is_done() {
    let server = left_to_adapters(&[]);
    server.run("order place --line MUG=2@12.50 --currency GBP").ok();
    let wanted = server.run("wanted list payment --json").json();
    let row = &wanted["rows"][0];
    assert_eq!((&row["order"], &row["action"], &row["attempt"]), (&json!(1), &json!("charge"), &json!(1)));
    assert_eq!((&row["amount"], &row["state"]), (&json!("25.00"), &json!("pending_payment")));
    assert_eq!(server.run("wanted list release").ok(), "no release is wanted\n");
    assert_eq!(server.run("wanted list payment --aside").ok(), "no payment is set aside\n");
    assert_eq!(server.run("wanted retry payment --json").json()["resumed"], 0);

    server.run("order cancel 1").ok();
    let table = server.run("wanted list payment").ok();
    assert!(table.contains("close") && !table.contains("charge"), "{table}");
    assert!(server.run("wanted done payment 1 --attempt 3").failed(1).contains("1 to 2"));
    server.run("wanted done payment 1 --attempt 1").ok();
    assert!(server.run("wanted list payment").ok().contains("close"), "the attempt before says nothing of this one");
    server.run("wanted done payment 1 --attempt 2").ok();
    assert_eq!(server.run("wanted list payment").ok(), "no payment is wanted\n");
    server.stop();
}

#[test]
fn simulated_adapters_take_an_order_to_its_end() {
    let flags = ["--payment", "simulated", "--warehouse", "simulated", "--simulated-delay", "1ms"];
    let server = left_to_adapters(&flags);
    server.run("order place --line MUG=2@12.50 --currency GBP --payment card").ok();
    while server.run("order get 1 --json").json()["payment_label"] != "captured" {}
    assert_eq!(server.stock("MUG", "customer"), 2);
    let dir = server.stop();
    let books = |of: &str| std::fs::read_to_string(dir.path().join(format!("data/simulated-{of}.log"))).expect("books");
    let first_words = |of: &str| -> Vec<String> {
        books(of).lines().map(|line| line.split(' ').next().expect("a word").into()).collect()
    };
    assert_eq!(first_words("payment"), ["authorised", "captured"]);
    assert!(books("payment").lines().all(|line| line.ends_with(" 2500 GBP")));
    assert_eq!(first_words("warehouse")[..2], ["told", "handed_over"]);
}

#[test]
fn an_order_that_is_held_waits_for_its_warehouse_until_the_last_hold_is_lifted() {
    let server = left_to_adapters(&["--warehouse", "simulated", "--simulated-delay", "1ms"]);
    server.run("market effects --payment false").ok();
    server.run("order place --line MUG=2@12.50 --currency GBP").ok();
    assert_eq!(server.run("order held").ok(), "no order of default is held\n");
    let held = server.run("order hold 1 --for fraud --by risk --note two-names --json").json();
    assert_eq!(
        (&held["state"], &held["held"], &held["repeated"]),
        (&json!("pending_payment"), &json!(true), &json!(false))
    );
    server.run("order hold 1 --for delivery-date").ok();
    let said = server.run("order hold 1 --for fraud --by risk").failed(1);
    assert!(said.contains("holding order 1"), "another note is another hold of the same name: {said}");
    assert!(server.run("order hold 1 --for weather").failed(2).contains("fraud"));

    assert_eq!(server.run("order confirm 1 --json").json()["state"], "in_review");
    assert_eq!(server.run("wanted list release").ok(), "no release is wanted\n");
    let listed = server.run("order held --limit 1 --json").json();
    assert_eq!(listed["holds"].as_array().map(Vec::len), Some(2), "those of one order stay together");
    let shown = server.run("order get 1 --json").json();
    let (first, second) = (&shown["holds"][0], &shown["holds"][1]);
    assert_eq!(
        (&first["owner"], &first["reason"], &first["note"]),
        (&json!("risk"), &json!("fraud"), &json!("two-names"))
    );
    assert_eq!(
        (&second["owner"], &second["reason"], &second["note"]),
        (&json!("staff"), &json!("delivery_date"), &json!(""))
    );
    assert!(server.run("order get 1").ok().contains("two-names"));

    assert!(server.run("order lift 1 --for fraud").ok().contains("not held, as before by staff for fraud"));
    assert!(server.run("order lift 1 --for delivery-date").ok().contains("is in_review: not held any more by staff"));
    assert_eq!(server.stock("MUG", "committed"), 2);
    server.run("order lift 1 --for fraud --by risk").ok();
    while server.run("order get 1 --json").json()["state"] != "completed" {}
    let history = server.run("order history 1").ok();
    assert!(history.contains("hold_lifted") && history.contains("for fraud"), "{history}");
    let dir = server.stop();
    let told = std::fs::read_to_string(dir.path().join("data/simulated-warehouse.log")).expect("books");
    assert!(told.starts_with("told "), "{told}");
}

#[test]
fn who_works_a_list_off_must_be_somebody_there_is() {
    let dir = tempfile::tempdir().expect("a directory");
    for (flags, said) in [
        (["--payment", "stripe"], "simulated or none"),
        (["--simulated-delay", "6s"], "at most 5s"),
        (["--simulated-lost", "1001"], "1000"),
    ] {
        let error = run(dir.path(), &["serve", flags[0], flags[1]]).failed(2);
        assert!(error.contains(said) && error.contains(flags[1]), "{error}");
    }
}
