//! Payments through the command line: attempts, what they come to, what goes back, and what is left to adapters.

use serde_json::{Value, json};

use crate::harness::{Server, run};

/// A shop that has placed an order of 25.00 GBP for two mugs, with eighteen left.
fn placed() -> Server {
    let server = Server::start();
    server.run("sku create MUG").ok();
    server.run("stock receive MUG 20").ok();
    place(&server);
    server
}

fn place(server: &Server) {
    server.run("order place --line MUG=2@12.50 --currency GBP").ok();
}

/// State, word for all payments, and of the last attempt what is to be done, of an order.
fn shown(server: &Server, order: u64) -> [String; 4] {
    let view = server.run(&format!("order get {order} --json")).json();
    let last = view["payments"].as_array().and_then(|payments| payments.last()).expect("an attempt");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    [&view["state"], &view["payment_label"], &last["next"], &last["next_amount"]].map(text)
}

#[test]
fn an_order_is_paid_by_another_method_taken_as_it_leaves_and_given_back_in_part() {
    let server = placed();
    let told = |what: &str| server.run(&format!("order payment 1 {what} --json")).json();
    assert_eq!(server.run("order get 1 --json").json()["payment_label"], "none");
    let begun = server.run("order pay 1 --method card --attempt 1 --json").json();
    assert_eq!((&begun["state"], &begun["attempt"]), (&json!("pending_payment"), &json!("1")));
    assert!(server.run("order pay 1 --method card --attempt 1").ok().contains("had begun before, nothing changed"));
    assert!(server.run("order pay 1 --method wallet --attempt 1").failed(1).contains("paying order 1: "));
    assert_eq!(shown(&server, 1), ["pending_payment", "pending", "nothing", ""]);

    let failed = told("--attempt 1 --failed insufficient-funds --retry other-method");
    assert_eq!((&failed["state"], &failed["repeated"]), (&json!("payment_failed"), &json!(false)));
    assert!(server.run("order list").ok().contains("payment_failed"));
    assert_eq!(server.run("market books --json").json()["orders"]["payment_failed"], 1);
    let text = server.run("order get 1").ok();
    assert!(text.contains("payment   failed\n") && text.contains(": insufficient_funds, retry other_method"), "{text}");

    assert!(server.run("order pay 1 --method wallet --attempt 2").ok().contains("is pending_payment: attempt 2"));
    told("--attempt 2 --processing");
    let paid = told("--attempt 2 --authorized 25");
    assert_eq!((&paid["state"], &paid["moved"], &paid["total"]), (&json!("confirmed"), &json!(2), &json!("25.00")));
    let again = told("--attempt 2 --authorised 25.00");
    assert_eq!((&again["moved"], &again["repeated"]), (&json!(0), &json!(true)));
    assert!(server.run("order pay 1 --method card").failed(1).contains("confirmed"));
    assert_eq!(shown(&server, 1), ["confirmed", "authorised", "nothing", ""]);

    server.run("order hand-over 1 --line 0=1").ok();
    assert_eq!(shown(&server, 1), ["fulfilling", "authorised", "capture", "12.50"]);
    told("--attempt 2 --captured 12.50");
    assert_eq!(shown(&server, 1), ["fulfilling", "partly_captured", "nothing", ""]);
    server.run("order hand-over 1").ok();
    assert_eq!(shown(&server, 1), ["completed", "partly_captured", "capture", "25.00"]);
    let text = server.run("order payment 1 --attempt 2 --captured 25.00").ok();
    assert!(text.contains("is completed: attempt 2 captured, 25.00 GBP in all\n"), "{text}");
    assert_eq!(shown(&server, 1), ["completed", "captured", "nothing", ""]);

    let asked = server.run("order refund 1 10.00 --change 5 --json").json();
    assert_eq!((&asked["amount_minor"], &asked["repeated"]), (&json!(1_000), &json!(false)));
    assert!(
        server.run("order refund 1 10.00 --change 5").ok().contains("10.00 GBP are to go back, as was asked before")
    );
    server.run("order refund 1 11.00 --change 5").failed(1);
    let refused = server.run("order refund 1 15.01").failed(1);
    assert!(refused.contains("order 1: 15.00 GBP of what was taken can still go back"), "{refused}");
    assert_eq!(shown(&server, 1), ["completed", "captured", "give_back", "10.00"]);
    told("--attempt 2 --refund-failed 10.00");
    assert_eq!(shown(&server, 1), ["completed", "captured", "nothing", ""]);
    server.run("order refund 1 10.00").ok();
    let payment = server.run("order get 1 --json").json()["payments"][1].clone();
    assert_eq!([&payment["refund_asked"], &payment["refund_failed_minor"]], [&json!("20.00"), &json!(1_000)]);
    told("--attempt 2 --refunded 10.00");
    assert_eq!(shown(&server, 1), ["completed", "partly_refunded", "nothing", ""]);

    told("--attempt 2 --disputed");
    assert_eq!(shown(&server, 1)[1], "in_dispute");
    assert!(server.run("order get 1").ok().contains("authorised, in dispute"));
    told("--attempt 2 --dispute-won");
    told("--attempt 2 --charged-back 15.00");
    assert_eq!(shown(&server, 1), ["completed", "refunded", "nothing", ""]);
    history_and_books(server);
}

/// What is told of that order afterwards, by the server and by its log.
fn history_and_books(server: Server) {
    let history = server.run("order history 1").ok();
    for (what, note) in [
        ("attempt_begun", "by card"),
        ("payment_failed", "insufficient_funds"),
        ("attempt_begun", "by wallet"),
        ("authorised", "2500 minor units in all"),
        ("captured", "1250 minor units in all"),
        ("refund_requested", "1000 minor units "),
        ("refund_failed", "1000 minor units in all"),
        ("charged_back", "1500 minor units in all"),
    ] {
        assert!(history.lines().any(|line| line.contains(what) && line.contains(note)), "{what} {note}: {history}");
    }
    let happened = server.run("order history 1 --json").json()["happened"].clone();
    let all = happened.as_array().expect("what happened").iter();
    let of = |what: &str| all.clone().find(|it| it["what"] == what).expect("it happened").clone();
    assert_eq!(of("attempt_begun")["method"], "card");
    assert_eq!(of("payment_failed")["failure_reason"], "insufficient_funds");
    assert_eq!(of("captured")["amount_minor"], 1_250);

    let money = json!({"authorised": "2500", "captured": "2500", "refunded": "1000", "charged_back": "1500"});
    assert_eq!(server.run("market books --json").json()["money"], json!({ "GBP": money }));
    let line = |text: &str| {
        let cells = text.lines().find(|line| line.starts_with("GBP")).expect("a line of money").split_whitespace();
        cells.map(str::to_owned).collect::<Vec<_>>()
    };
    let cells = ["GBP", "25.00", "25.00", "10.00", "15.00"];
    assert_eq!(line(&server.run("market books").ok()), cells);
    let dir = server.stop();
    assert_eq!(run(dir.path(), &["audit", "data", "--json"]).json()["markets"][0]["money"]["GBP"], money);
    assert_eq!(line(&run(dir.path(), &["audit", "data"]).ok()), cells);
    let dump = run(dir.path(), &["log", "dump", "data"]).ok();
    for told in [
        "payment 1 of ",
        " began: card",
        ": failed, insufficient_funds, retry other_method",
        ": captured, 1250 minor units in all",
        "1000 minor units of ",
        ", change 5",
        ": refund failed, 1000 minor units in all",
    ] {
        assert!(dump.contains(told), "{told}: {dump}");
    }
}

#[test]
fn who_pays_twice_gets_the_second_payment_back_and_who_gives_up_is_cancelled() {
    let server = placed();
    place(&server);
    server.run("order payment 1 --attempt 3 --captured 25.00 --method bank-transfer").ok();
    server.run("order payment 1 --attempt 4 --captured 25.00").ok();
    assert_eq!(shown(&server, 1), ["confirmed", "captured", "give_back", "25.00"]);
    let payments = server.run("order get 1 --json").json()["payments"].clone();
    assert_eq!([&payments[0]["method"], &payments[1]["method"]], ["bank_transfer", "unspecified"]);
    assert_eq!(payments[0]["next"], "nothing");
    let refused = server.run("order refund 1 25.01").failed(1);
    assert!(
        refused.contains("25.00 GBP of what was taken can still go back"),
        "the other half goes already: {refused}"
    );

    server.run("order payment 2 --attempt 1 --requires-action").ok();
    let never = server.run("order payment 2 --attempt 1 --failed suspected_fraud --retry never --json").json();
    assert_eq!((&never["state"], &never["moved"]), (&json!("cancelled"), &json!(2)));
    server.run("order payment 2 --attempt 2 --captured 25.00").ok();
    assert_eq!(shown(&server, 2), ["cancelled", "captured", "give_back", "25.00"]);
}

#[test]
fn a_payment_that_comes_late_takes_the_units_again_or_says_that_the_money_must_go_back() {
    let server = placed();
    let expired = |order: u64| {
        server.run(&format!("order place --line MUG={}@1 --currency GBP --hold 1ms", 9 * (order - 1))).ok();
        while server.run(&format!("order get {order} --json")).json()["state"] != "expired" {}
    };
    expired(2);
    assert!(server.run("order payment 2 --attempt 1 --captured 9").ok().contains("is confirmed: "));
    assert_eq!(server.stock("MUG", "available"), 9);
    server.run("stock receive MUG 9").ok();
    expired(3);
    server.run("stock adjust MUG -1 --reason lost").ok();
    let late = server.run("order payment 3 --attempt 1 --captured 18").failed(1);
    assert!(late.contains("order 3 was not confirmed: the payment is entered, but"), "{late}");
    assert!(late.contains("MUG is sold out meanwhile; the money must be given back"), "{late}");
    assert_eq!(shown(&server, 3), ["expired", "captured", "give_back", "18.00"]);
    let again = server.run("order payment 3 --attempt 1 --captured 18").ok();
    assert!(again.contains("is expired: attempt 1 captured, 18.00 GBP in all; this is nothing new"), "{again}");
}

#[test]
fn amounts_are_read_in_the_currency_of_the_order_and_no_other_is_taken() {
    let server = placed();
    for (line, code, says) in [
        ("order payment 1 --attempt 1 --captured 5.001", 2, "--captured 5.001: the amount 5.001 has 3 decimals; GBP"),
        ("order payment 1 --attempt 1 --captured five", 2, "not a decimal number"),
        ("order payment 1 --attempt 1 --captured 5 --currency pounds", 2, "three upper-case"),
        ("order payment 1 --attempt 1 --captured 5 --currency EUR", 1, "paid in GBP and in nothing else"),
        ("order payment 1 --attempt 1 --captured 0", 1, "an amount in minor units must be 1 to"),
        ("order payment 9 --attempt 1 --voided", 1, "no order number 9"),
        ("order payment 1 --attempt 1 --failed broke --retry now", 2, "insufficient_funds"),
        ("order refund 1 5.001", 2, "AMOUNT 5.001: the amount 5.001 has 3 decimals; GBP has 2"),
        ("order refund 1 0.01", 1, "pending_payment"),
        ("order refund first 1", 2, "names no order"),
    ] {
        let error = server.run(line).failed(code);
        assert!(error.contains(says), "{line}: {error}");
    }
    assert_eq!(server.run("order get 1 --json").json()["payments"], json!([]), "nothing was told");
    let drawn = server.run("order pay 1 --method invoice --json").json()["attempt"].clone();
    let drawn = drawn.as_str().expect("text");
    server.run(&format!("order payment 1 --attempt {drawn} --captured 25 --currency GBP")).ok();
    assert_eq!(shown(&server, 1), ["confirmed", "captured", "nothing", ""]);
}

#[test]
fn what_was_told_takes_from_the_wanted_list_what_is_done_and_puts_on_it_what_is_next() {
    let server = placed();
    server.run("market effects --payment true").ok();
    (0..2).for_each(|_| place(&server));
    let wanted = || {
        let list = server.run("wanted list payment --json").json();
        let row = |row: &Value| format!("{} {} {}", row["order"], row["action"], row["amount"]).replace('"', "");
        list["rows"].as_array().expect("rows").iter().map(row).collect::<Vec<_>>()
    };
    let told = |what: &str| server.run(&format!("order payment {what}")).ok();
    assert_eq!(wanted(), ["2 charge 25.00", "3 charge 25.00"]);
    let text = server.run("order get 2").ok();
    assert!(text.lines().any(|line| line.starts_with("adapters ") && line.ends_with("charge 25.00")), "{text}");
    assert_eq!(shown(&server, 2), ["pending_payment", "pending", "charge", "25.00"]);

    told("2 --attempt adapters --authorised 25.00");
    assert_eq!(wanted(), ["3 charge 25.00"]);
    server.run("order hand-over 2").ok();
    assert_eq!(wanted(), ["3 charge 25.00", "2 capture 25.00"]);
    told("2 --attempt adapters --captured 20.00");
    assert_eq!(wanted(), ["3 charge 25.00", "2 capture 5.00"]);
    told("2 --attempt adapters --captured 25.00");
    server.run("order refund 2 10.00").ok();
    assert_eq!(wanted(), ["3 charge 25.00", "2 give_back 10.00"]);
    told("2 --attempt adapters --refunded 10.00");
    assert_eq!(wanted(), ["3 charge 25.00"]);

    // Another attempt pays for it, so the one that adapters were asked for is to be ended.
    told("3 --attempt 7 --authorised 25.00");
    assert_eq!(wanted(), ["3 close 0.00"]);
    told("3 --attempt adapters --voided");
    assert_eq!(server.run("wanted list payment").ok(), "no payment is wanted\n");

    place(&server);
    told("4 --attempt adapters --failed declined --retry other_method");
    assert_eq!((shown(&server, 4)[0].as_str(), wanted().len()), ("payment_failed", 0));
    server.run("order pay 4 --method wallet --attempt 8").ok();
    assert_eq!(wanted(), ["4 charge 25.00"]);
    server.run("order cancel 4").ok();
    assert_eq!(wanted(), ["4 close 0.00"]);
    let history = server.run("order history 4").ok();
    assert!(history.contains("charge_wanted") && history.contains("close_wanted"), "{history}");
}
