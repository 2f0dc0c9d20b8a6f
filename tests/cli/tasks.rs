//! Who has to be looked at, and why an order goes no further: asked of a real server.

use serde_json::{Value, json};

use crate::harness::Server;

fn shop() -> Server {
    let server = Server::start();
    server.run("sku create MUG").ok();
    server.run("stock receive MUG 10").ok();
    server.run("market effects --payment true").ok();
    server
}

fn kinds(tasks: &Value) -> Vec<(u64, String)> {
    let row =
        |task: &Value| (task["number"].as_u64().expect("a number"), task["kind"].as_str().expect("a word").into());
    tasks["tasks"].as_array().expect("rows").iter().map(row).collect()
}

#[test]
fn an_authorisation_that_ends_within_a_day_is_told_with_what_may_help() {
    let server = shop();
    server.run("order place --line MUG=2@12.50 --currency GBP").ok();
    let told = |what: &str| server.run(&format!("order payment 1 --attempt 4 --authorised {what}"));
    assert!(told("25 --until tomorrow").failed(2).contains("2026-11-22T13:45:00Z"));
    assert!(server.run("order payment 1 --attempt 4 --captured 25 --until 7d").failed(2).contains("cannot be used"));
    assert!(told("25 --until 401d").failed(1).contains("at which an authorisation ends"));
    assert!(told("25 --until 23h").ok().contains("attempt 4 authorised, 25.00 GBP in all, until 2"));
    let tasks = server.run("tasks --json").json();
    assert_eq!(kinds(&tasks), [(1, "authorisation_ends".to_owned())]);
    let task = &tasks["tasks"][0];
    assert_eq!((&task["amount"], &task["commands"]), (&json!("25.00"), &json!(["report_payment", "cancel"])));
    let table = server.run("tasks").ok();
    assert!(table.contains("order payment --authorised --until | order cancel"), "{table}");
    let view = server.run("order get 1 --json").json();
    let (payments, waits) = (view["payments"].as_array().expect("attempts"), &view["waits"][0]);
    let until = payments.iter().find_map(|payment| payment["until"].as_str()).expect("an end");
    assert_eq!((&waits["what"], &waits["until"]), (&json!("authorisation_ends"), &json!(until)));
    assert!(server.run("order get 1").ok().contains(until));
    assert!(task["words"].as_str().is_some_and(|words| words == format!("attempt 4 until {until}")), "{task}");
    told("25 --until 7d").ok();
    assert_eq!(server.run("tasks").ok(), "no order of default has to be looked at\n");
    let again = server.run(&format!("order payment 1 --attempt 4 --authorised 25 --until {until} --json")).json();
    assert_eq!(again["repeated"], true, "an earlier end is nothing new");
    server.stop();
}

#[test]
fn a_task_is_listed_with_what_may_help_until_its_cause_is_gone() {
    let server = shop();
    assert_eq!(server.run("tasks").ok(), "no order of default has to be looked at\n");
    server.run("order place --line MUG=2@12.50 --currency GBP").ok();
    let waits = server.run("order get 1 --json").json()["waits"].clone();
    let words: Vec<_> = waits.as_array().expect("rows").iter().map(|wait| wait["what"].clone()).collect();
    assert_eq!(words, [json!("payment"), json!("attempt"), json!("payment_wanted")]);
    assert_eq!((&waits[0]["amount"], &waits[0]["amount_minor"]), (&json!("25.00"), &json!(2500)));
    assert!(waits[0]["until"].is_string() && waits[1]["since"].is_null(), "{waits}");

    server.run("order hold 1 --for fraud --by risk").ok();
    let tasks = server.run("tasks --json").json();
    let task = &tasks["tasks"][0];
    assert_eq!(kinds(&tasks), [(1, "held".to_owned())]);
    assert_eq!((&task["words"], &task["amount"]), (&json!("fraud by risk"), &Value::Null));
    assert_eq!(task["commands"], json!(["lift_hold", "cancel"]));
    let table = server.run("tasks").ok();
    assert!(table.contains("order lift | order cancel") && table.contains("fraud by risk"), "{table}");
    let shown = server.run("order get 1").ok();
    assert!(shown.contains("waits for") && shown.contains("payment_wanted"), "{shown}");

    server.run("order place --line MUG=1@4 --currency GBP").ok();
    server.run("order hold 2 --for address").ok();
    let first = server.run("tasks --limit 1 --json").json();
    let next = first["next"].as_str().expect("there is more");
    let second = server.run(&format!("tasks --limit 1 --after {next} --json")).json();
    assert_eq!((kinds(&first), kinds(&second)), (vec![(1, "held".into())], vec![(2, "held".into())]));
    assert_eq!(second["next"], Value::Null);
    assert!(server.run("tasks --limit 1").ok().contains(&format!("stockade tasks --after {next} --limit 1")));
    assert!(server.run("tasks --after yesterday").failed(2).contains("the place that the page before told"));
    assert!(server.run("tasks --kind lost").failed(2).contains("put_back"), "what there is is said");

    server.run("order lift 1 --for fraud --by risk").ok();
    server.run("order lift 2 --for address").ok();
    assert_eq!(server.run("tasks").ok(), "no order of default has to be looked at\n");
    server.stop();
}

#[test]
fn tasks_are_the_same_after_a_restart() {
    let server = shop();
    server.run("order place --line MUG=2@12.50 --currency GBP").ok();
    server.run("order payment 1 --attempt adapters --authorised 25").ok();
    server.run("order payment 1 --attempt adapters --expired").ok();
    server.run("order hold 1 --for fraud").ok();
    let before = server.run("tasks --json").json();
    assert_eq!(kinds(&before), [(1, "unpaid".to_owned()), (1, "held".to_owned())]);
    assert_eq!(before["tasks"][0]["amount"], "25.00");
    let server = Server::start_with(server.stop(), &[]);
    assert_eq!(server.run("tasks --json").json(), before);
    assert_eq!(kinds(&server.run("tasks --kind unpaid --json").json()), [(1, "unpaid".to_owned())]);
    server.run("order cancel 1").ok();
    assert_eq!(kinds(&server.run("tasks --json").json()), []);
    server.stop();
}
