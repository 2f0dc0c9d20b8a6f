//! Markets, sites, SKUs and orders through the command line.

use serde_json::json;

use crate::harness::Server;

fn stocked(units: u64) -> Server {
    let server = Server::start();
    server.run("sku create MUG PLATE").ok();
    server.run(&format!("stock receive MUG {units}")).ok();
    server
}

#[test]
fn creating_what_exists_says_so_and_keeps_its_number() {
    let server = Server::start();
    for (command, kind) in [("market create berlin", "market"), ("site create north --rank 2", "site")] {
        let first = server.run(&format!("{command} --json")).json();
        let again = server.run(&format!("{command} --json")).json();
        assert_eq!((&first["kind"], &first["existed"], &again["existed"]), (&json!(kind), &json!(false), &json!(true)));
        assert_eq!(first["number"], again["number"]);
    }
    assert!(server.run("sku create MUG").ok().contains("created: number 1"));
    assert!(server.run("sku create MUG").ok().contains("exists already: number 1"));
    assert!(server.run_words(&["sku", "create", " MUG"]).failed(1).contains("a code"));
}

#[test]
fn a_market_that_does_not_exist_is_refused_and_not_created() {
    let server = stocked(1);
    for _ in 0..2 {
        let error = server.run("stock get MUG --market berlin").failed(1);
        assert!(error.contains("stockade market create berlin"), "{error}");
    }
    server.run("market create berlin").ok();
    server.run("sku create MUG --market berlin").ok();
    server.run("stock receive MUG 5 --market berlin").ok();
    assert_eq!(server.stock("MUG --market berlin", "available"), 5);
    assert_eq!(server.stock("MUG", "available"), 1, "markets share nothing");
}

#[test]
fn an_identifier_of_another_market_is_refused_with_both_markets_named() {
    let server = stocked(10);
    server.run("market create berlin").ok();
    server.run("sku create PLATE MUG --market berlin").ok();
    let received = server.run("stock receive MUG 5 --market berlin --json").json();
    let request = received["request"].as_str().expect("an identifier");
    let placed = server.run("order place --line MUG=1@1 --market berlin --json").json();
    let id = placed["id"].as_str().expect("an identifier");
    for line in [
        format!("order place --line MUG=1@1 --id {id}"),
        format!("order get {id}"),
        format!("order confirm {id}"),
        format!("order cancel {id}"),
        format!("order cancel {id} --block"),
        format!("stock receive MUG 1 --request {request}"),
    ] {
        let error = server.run(&line).failed(2);
        assert!(error.contains("belongs to market number 2, and --market default is number 1"), "{line}: {error}");
    }
    assert_eq!(server.stock("MUG", "available"), 10);
    assert_eq!(server.run(&format!("order get {id} --market berlin --json")).json()["state"], "pending_payment");
}

#[test]
fn an_order_is_placed_shown_listed_confirmed_and_cancelled() {
    let server = stocked(10);
    let placed = server.run("order place --line MUG=2@12.50 --line MUG=1@0.07 --currency GBP --json").json();
    assert_eq!((&placed["number"], &placed["state"]), (&json!(1), &json!("pending_payment")));
    let id = placed["id"].as_str().expect("an identifier");
    let by_number = server.run("order get 1 --json").json();
    assert_eq!(by_number, server.run(&format!("order get {id} --json")).json());
    assert_eq!((&by_number["lines"][0]["sku"], &by_number["lines"][0]["price"]), (&json!("MUG"), &json!("12.50")));
    assert_eq!(by_number["lines"][1]["price_minor"], 7);
    assert!(server.run("order list").ok().contains(id));
    assert_eq!(server.run("order confirm 1 --json").json()["state"], "confirmed");
    assert_eq!(server.run("order confirm 1 --json").json()["repeated"], true);
    assert_eq!(server.run("order cancel 1 --line 0=1 --json").json()["moved"], 1);
    assert_eq!(server.run("order cancel 1 --json").json()["state"], "cancelled");
    assert_eq!(server.stock("MUG", "available"), 10);
    assert_eq!(server.run("order list").ok(), "no open orders\n");
}

#[test]
fn the_same_identifier_places_one_order_and_another_content_is_a_conflict() {
    let server = stocked(10);
    let id = server.run("order place --line MUG=1@0 --json").json()["id"].as_str().expect("an identifier").to_owned();
    let again = server.run(&format!("order place --line MUG=1@0 --id {id} --json")).json();
    assert_eq!((&again["number"], &again["repeated"]), (&json!(1), &json!(true)));
    assert!(server.run(&format!("order place --line MUG=2@0 --id {id}")).failed(1).contains("other content"));
    assert_eq!(server.stock("MUG", "available"), 9);
}

#[test]
fn sold_out_names_the_sku_and_taking_what_exists_says_what_was_taken() {
    let server = stocked(3);
    let error = server.run("order place --line MUG=5@0").failed(1);
    assert!(error.contains("MUG has 3 available, 5 asked"), "{error}");
    let placed = server.run("order place --line MUG=5@1 --line PLATE=1@1 --take-what-exists --json").json();
    assert_eq!((&placed["short"], &placed["lines"][0]["taken"]), (&json!(true), &json!(3)));
    assert_eq!(placed["lines"][1]["taken"], 0);
}

#[test]
fn an_order_is_closed_after_its_return_window_which_can_be_shown_and_set() {
    let server = stocked(3);
    let shown = server.run("market retention --json").json();
    assert_eq!((&shown["return_window_ms"], &shown["ids_kept_ms"]), (&json!(2_592_000_000_u64), &json!(604_800_000)));
    assert!(server.run("market retention --ids-kept 30s").failed(1).contains("identifiers are kept"));
    assert!(server.run("market retention --ids-kept 30").failed(2).contains("250ms, 10s, 15m"));
    let set = server.run("market retention --return-window 0ms").ok();
    assert!(set.contains("7 d 0 h"), "{set}");
    server.run("order place --line MUG=1@0").ok();
    assert_eq!(server.run("order get 1 --json").json()["closed"], false);
    server.run("order cancel 1").ok();
    // The window is over at once; the shard closes in its next turn.
    assert!(server.run("order get 1").ok().contains("cancelled, closed"));
    assert!(server.run("order confirm 1").failed(1).contains("return window is over"));
    assert_eq!(server.stock("MUG", "available"), 3);
}

#[test]
fn what_may_be_sold_of_a_sku_is_shown_and_set_rule_by_rule() {
    let server = stocked(10);
    assert!(server.run("sku policy MUG").ok().contains("no rule"));
    let set = server.run("sku policy MUG --safety-stock 4 --order-max 3").ok();
    assert!(set.contains("4 units are never for sale") && set.contains("at most 3 units an order"), "{set}");
    let both = server.run("sku policy MUG --customer-day-max 2 --day-begins 330 --json").json();
    let told = ["safety_stock", "order_max", "customer_day_max", "day_begins_min"].map(|key| both[key].clone());
    assert_eq!(told, [4, 3, 2, 330].map(|value| json!(value)));
    assert!(server.run("order place --line MUG=7@1").failed(1).contains("0 to 3 units an order"));
    server.run("sku policy MUG --order-max 0").ok();
    assert!(server.run("order place --line MUG=3@1").failed(1).contains("2 units of SKU 1 a day"));
    server.run("sku policy MUG --customer-day-max 0").ok();
    assert!(server.run("order place --line MUG=7@1").failed(1).contains("6 available"));
    assert!(server.run("sku policy MUG --day-begins 1440").failed(1).contains("0 to 1439"));
    assert!(server.run("sku policy CUP").failed(1).contains("stockade sku create CUP"));
}

#[test]
fn what_is_sold_before_it_is_there_is_owed_and_goes_to_who_waits() {
    let server = stocked(2);
    assert!(server.run("order place --line MUG=3@1").failed(1).contains("2 available"));
    let set = server.run("sku policy MUG --oversell-max 4 --low-stock 2").ok();
    assert!(set.contains("4 units may be sold before they are there"), "{set}");
    let placed = server.run("order place --line MUG=5@1").ok();
    assert!(placed.contains("5 of 5 MUG, 3 of them as soon as they come in"), "{placed}");
    let json = server.run("stock get MUG --json").json();
    assert_eq!((&json["stock"][0]["owed"], &json["stock"][0]["reserved"]), (&json!(3), &json!(2)));
    server.run("order confirm 1").ok();
    server.run("stock receive MUG 4").ok();
    let line = server.run("order get 1 --json").json()["lines"][0].clone();
    assert_eq!((&line["owed"], &line["committed"]), (&json!(0), &json!(5)), "filled at once");
    assert_eq!(server.stock("MUG", "available"), 1, "the rest is for sale");
}

#[test]
fn what_happened_to_an_order_is_told_page_by_page() {
    let server = Server::start();
    server.run("sku create MUG").ok();
    server.run("stock receive MUG 9").ok();
    server.run("order place --line MUG=3@9.99").ok();
    server.run("order extend 1 20m --reason payment-start").ok();
    server.run("order confirm 1").ok();
    server.run("order hand-over 1 --line 0=2").ok();
    let text = server.run("order history 1").ok();
    let told: Vec<&str> = text.lines().skip(1).filter_map(|line| line.split_whitespace().nth(2)).collect();
    assert_eq!(told, ["placed", "payment_started", "confirmed", "handed_over"], "{text}");
    let history = server.run("order history 1 --after 1 --limit 2 --json").json();
    let happened = &history["happened"];
    assert_eq!([&happened[0]["place"], &happened[1]["units"], &history["next"]], [2, 3, 3]);
    assert!(happened[0]["reserved_until"].is_string() && happened[1]["reserved_until"].is_null());
    assert_eq!((&happened[1]["line"], &history["closed"]), (&serde_json::Value::Null, &serde_json::Value::Bool(false)));
    assert!(happened[1]["sequence"].as_u64() > happened[0]["sequence"].as_u64(), "{history}");
    let more = server.run("order history 1 --limit 3").ok();
    assert!(more.contains("more: stockade order history 1 --after 3 --limit 3"), "{more}");
    server.run("order history 2").failed(1);
}

#[test]
fn the_orders_of_a_customer_and_the_holders_of_a_sku_are_listed_page_by_page() {
    let server = stocked(9);
    let key = "0000000000000000000000000000002a";
    for _ in 0..3 {
        server.run(&format!("order place --line MUG=2@1 --customer {key}")).ok();
    }
    server.run("order place --line MUG=1@1").ok();
    server.run("order cancel 2").ok();
    let list = server.run(&format!("order list --customer {key} --json")).json();
    let told: Vec<_> = list["orders"].as_array().expect("orders").iter().map(|row| row["number"].clone()).collect();
    assert_eq!(told, [3, 2, 1].map(|number| json!(number)), "newest first, cancelled ones too");
    let page = server.run(&format!("order list --customer {key} --limit 1")).ok();
    assert!(page.contains(&format!("more: stockade order list --customer {key} --before 3 --limit 1")), "{page}");
    let holders = server.run("stock holders MUG --json").json();
    let told = holders["orders"].as_array().expect("orders").iter();
    let told: Vec<_> = told.map(|row| (row["number"].clone(), row["reserved"].clone())).collect();
    assert_eq!(told, [(1, 2), (3, 2), (4, 1)].map(|(number, units)| (json!(number), json!(units))));
    assert!(server.run("stock holders MUG --limit 2").ok().contains("more: stockade stock holders MUG --after 3"));
    let guests = "order list --customer 00000000000000000000000000000000";
    let error = server.run(guests).failed(1);
    assert!(error.contains("the key of a customer"), "{error}");
    assert!(server.run("order list --customer 2a").failed(2).contains("32 hexadecimal digits"));
}

#[test]
fn a_blocked_identifier_is_never_placed() {
    let server = stocked(3);
    let made = server.run("order place --line MUG=1@0 --json").json();
    // The same moment and market, another order.
    let id = made["id"].as_str().expect("an identifier").chars().rev().collect::<String>();
    let id: String = made["id"].as_str().expect("an identifier")[..24].chars().chain(id.chars().take(8)).collect();
    assert_eq!(server.run(&format!("order cancel {id} --block --json")).json()["state"], "blocked");
    assert!(server.run(&format!("order place --line MUG=1@0 --id {id}")).failed(1).contains("blocked"));
}

#[test]
fn what_makes_no_sense_is_a_usage_error_that_says_what_is_allowed() {
    let server = stocked(3);
    for (line, says) in [
        ("order place --line MUG", "SKU=QTY@PRICE"),
        ("order place --line MUG=1", "@0 when it is free"),
        ("order place --line MUG=1@1.005 --currency GBP", "GBP has 2"),
        ("order place --line MUG=1@1.5 --currency JPY", "JPY has 0"),
        ("order place --line MUG=1@0 --currency pounds", "three upper-case"),
        ("order place --line MUG=1@0 --hold 15", "250ms, 10s, 15m"),
        ("order place --line MUG=1@0 --hold 32d", "at most 31d"),
        ("order get first", "32 hexadecimal digits"),
        ("order cancel 1 --line one=1", "lines count from 0"),
        ("stock receive MUG 1 --request 12", "32 hexadecimal digits"),
    ] {
        let error = server.run(line).failed(2);
        assert!(error.contains(says), "{line}: {error}");
    }
}

#[test]
fn a_suggested_command_names_server_and_market_and_works_when_it_is_copied() {
    let server = Server::start();
    server.run_words(&["market", "create", "new york"]).ok();
    let here = format!("--connect {} --market 'new york'", server.address);
    let run = |words: &[&str]| server.run_words(&[words, &["--market", "new york"]].concat());
    let error = run(&["stock", "receive", "blue mug", "5"]).failed(1);
    assert!(error.contains(&format!("stockade sku create 'blue mug' {here}")), "{error}");
    run(&["sku", "create", "blue mug"]).ok();
    let error = run(&["stock", "receive", "blue mug", "5", "--site", "the attic"]).failed(1);
    assert!(error.contains(&format!("stockade site create 'the attic' {here}")), "{error}");
    run(&["stock", "receive", "blue mug", "5"]).ok();
    for number in 1..=2 {
        let placed = run(&["order", "place", "--line", "blue mug=1@1"]).ok();
        assert!(placed.contains(&format!("stockade order confirm {number} {here}")), "{placed}");
    }
    let list = run(&["order", "list", "--limit", "1"]).ok();
    assert!(list.contains(&format!("more: stockade order list --after 1 --limit 1 {here}")), "{list}");
}

#[test]
fn what_does_not_exist_is_named_with_the_command_that_creates_it() {
    let server = stocked(3);
    for (line, says) in [
        ("stock get CUP SAUCER", "stockade sku create CUP SAUCER"),
        ("stock receive MUG 1 --site north", "stockade site create north"),
        ("order place --line CUP=1@0", "stockade sku create CUP"),
        ("order get 99", "no order number 99 in market default"),
        ("order confirm 99", "no order number 99 in market default"),
        ("stock receive MUG 0", "must be 1 to"),
    ] {
        let error = server.run(line).failed(1);
        assert!(error.contains(says), "{line}: {error}");
    }
}

#[test]
fn goods_are_handed_over_come_back_and_are_corrected() {
    let server = stocked(10);
    server.run("order place --line MUG=4@2.50").ok();
    server.run("order confirm 1").ok();
    let parcel = server.run("order hand-over 1 --line 0=3 --change 7 --json").json();
    assert_eq!((&parcel["state"], &parcel["moved"], &parcel["excess"]), (&json!("fulfilling"), &json!(3), &json!(0)));
    assert_eq!(server.run("order hand-over 1 --line 0=3 --change 7 --json").json()["repeated"], true);
    let rest = server.run("order hand-over 1 --json").json();
    assert_eq!((&rest["state"], &rest["moved"]), (&json!("completed"), &json!(1)));
    let twice = server.run("order hand-over 1 --line 0=2").ok();
    assert!(twice.contains("2 units more were told than the order accounts for"), "{twice}");

    server.run("site create outlet --rank 5").ok();
    let back = server.run("order return 1 --line 0=1 --site outlet --json").json();
    assert_eq!((&back["moved"], &back["excess"]), (&json!(1), &json!(0)));
    assert_eq!((server.stock("MUG", "available"), server.stock("MUG", "customer")), (7, 3));
    let gone = server.run("stock adjust MUG -2 --reason damaged --json").json();
    assert_eq!((&gone["change"], &gone["available"], &gone["repeated"]), (&json!(-2), &json!(4), &json!(false)));
    let request = gone["request"].as_str().expect("an identifier");
    let again = server.run(&format!("stock adjust MUG -2 --reason damaged --request {request}")).ok();
    assert!(again.contains("nothing changed"), "{again}");
    assert!(server.run("stock adjust MUG -50 --reason lost").failed(1).contains("available"));
    assert!(server.run("stock adjust MUG 3").failed(2).contains("--reason"));

    let books = server.run("market books --json").json();
    let units = |bucket: &str| books["units"][bucket].as_i64().expect("units");
    assert_eq!([units("available"), units("customer"), units("write_off"), units("supplier")], [5, 3, 2, -10]);
    assert_eq!(books["orders"]["completed"], 1);
    assert!(server.run("market books").ok().contains("orders hash"));
}

#[test]
fn a_reservation_is_extended_and_never_shortened() {
    let server = stocked(1);
    let placed = server.run("order place --line MUG=1@2.50 --hold 10s --json").json();
    let longer = server.run("order extend 1 2h --json").json();
    assert_eq!(longer["repeated"], false);
    assert!(longer["reserved_until"].as_str() > placed["reserved_until"].as_str(), "{longer} {placed}");
    assert!(server.run("order extend 1 1m").ok().contains("as before"));
    assert!(server.run("order extend 1 soon").failed(2).contains("250ms, 10s, 15m"));
    server.run("order confirm 1").ok();
    assert!(server.run("order extend 1 3h").failed(1).contains("confirmed"));
}

#[test]
fn a_channel_sells_as_many_units_as_its_cap_says() {
    let server = stocked(9);
    assert!(server.run("sku channels MUG").ok().contains("no channel has a cap"));
    let set = server.run("sku channel-cap MUG 3 2 --json").json();
    assert_eq!([&set["channels"][0]["channel"], &set["channels"][0]["left"]], [3, 2]);
    server.run("sku channel-cap MUG 4 7").ok();
    server.run("order place --line MUG=2@2.50 --channel 3").ok();
    assert!(server.run("order place --line MUG=1@2.50 --channel 3").failed(1).contains("0 are left"));
    server.run("order place --line MUG=1@2.50").ok();
    let listed = server.run("sku channels MUG --limit 1 --json").json();
    assert_eq!([&listed["channels"][0]["held"], &listed["channels"][0]["units_max"], &listed["next"]], [2, 2, 3]);
    assert!(server.run("sku channels MUG --after 3").ok().contains('7'));
    assert!(server.run("sku channel-cap MUG 3 none").ok().contains("no channel has a cap"));
    server.run("order place --line MUG=1@2.50 --channel 3").ok();
    assert!(server.run("sku channel-cap MUG 3 few").failed(2).contains("or none"));
    server.run("sku channel-cap MUG 0 1").failed(2);
}

#[test]
fn a_market_says_how_long_activity_and_a_payment_keep_a_reservation() {
    let server = stocked(2);
    assert!(server.run("market reservations").ok().contains("until 31 d 0 h after"));
    let set = server.run("market reservations --activity-max 1h --payment-max 2h --json").json();
    assert_eq!([&set["activity_ms_max"], &set["payment_ms_max"]], [3_600_000, 7_200_000]);
    let set = server.run("market reservations --activity-max 30m --json").json();
    assert_eq!([&set["activity_ms_max"], &set["payment_ms_max"]], [1_800_000, 7_200_000]);
    assert!(server.run("market reservations --payment-max 32d").failed(2).contains("at most 31 d"));
    server.run("order place --line MUG=1@2.50 --hold 10s").ok();
    let until = |text: &str| server.run(text).json()["reserved_until"].as_str().expect("a time").to_owned();
    let through_activity = until("order extend 1 5h --json");
    let for_a_payment = until("order extend 1 5h --reason payment-start --json");
    assert!(for_a_payment > through_activity, "{for_a_payment} {through_activity}");
    assert!(server.run("order extend 1 9h --reason payment-start").ok().contains("as before"));
    assert_eq!(set["unpaid_ms"]["bank_transfer"], 259_200_000);
    let set = server.run("market reservations --unpaid bank-transfer=24h --unpaid card=90s --json").json();
    assert_eq!([&set["unpaid_ms"]["bank_transfer"], &set["unpaid_ms"]["card"]], [86_400_000, 90_000]);
    assert_eq!(set["activity_ms_max"], 1_800_000, "what is not named stays");
    assert!(server.run("market reservations").ok().contains("bank_transfer 1 d 0 h"));
    for wrong in ["cash-on-delivery=1h", "card", "card=soon", "card=0s", "card=32d"] {
        server.run(&format!("market reservations --unpaid {wrong}")).failed(2);
    }
    let placed = server.run("order place --line MUG=1@4.50 --payment bank-transfer --json").json();
    let (from, until) = (&placed["accepted_at"], &placed["reserved_until"]);
    let time = |text: &serde_json::Value| text.as_str().expect("a time")[10..].to_owned();
    assert!(time(from) == time(until) && from != until, "a day later: {from}, {until}");
}

#[test]
fn stock_is_moved_and_counted_and_says_what_was_wrong() {
    let server = Server::start();
    server.run("site create north --rank 1").ok();
    server.run("sku create MUG").ok();
    server.run("stock receive MUG 10").ok();
    let moved = server.run("stock move MUG 4 --to north").ok();
    assert!(moved.starts_with("4 of MUG moved from main to north: 4 available (request "), "{moved}");
    let held = server.run("stock move MUG 2 --to main:quality_hold --json").json();
    assert_eq!((&held["available"], &held["repeated"]), (&4.into(), &false.into()));
    let again =
        format!("stock move MUG 2 --to main:quality_hold --request {}", held["request"].as_str().expect("text"));
    assert!(server.run(&again).ok().contains("carried out before; nothing changed"));
    let refused = server.run("stock move MUG 1 --to main:committed").failed(1);
    assert!(refused.contains("main:committed"), "{refused}");
    let refused = server.run("stock move MUG 5 --to main:damaged").failed(1);
    assert!(refused.contains("only 4 units are available"), "{refused}");
    let refused = server.run("stock count MUG 5 --expected 7").failed(1);
    assert!(refused.contains("6 units are on hand, not what the count expected"), "{refused}");
    let counted = server.run("stock count MUG 5").ok();
    assert!(counted.starts_with("5 of MUG on hand at main, 6 before: 3 available (request "), "{counted}");
    let rows = server.run("stock get MUG --json").json()["stock"].clone();
    let main = rows.as_array().and_then(|rows| rows.iter().find(|row| row["site"] == "main")).expect("main");
    assert_eq!((&main["quality_hold"], &main["on_hand"], &main["write_off"]), (&2.into(), &5.into(), &1.into()));
}

#[test]
fn a_count_as_of_an_event_is_right_whatever_has_come_in_since() {
    let server = stocked(10);
    let then = server.run("market books --json").json()["sequence"].to_string();
    server.run("stock receive MUG 5").ok();
    server.run(&format!("stock count MUG 9 --as-of {then}")).ok();
    assert_eq!(server.stock("MUG", "available"), 14, "one was missing then, and five came since");
    let refused = server.run(&format!("stock count MUG 9 --as-of {then}000")).failed(1);
    assert!(refused.contains("no such event has happened; the newest one"), "{refused}");
}

#[test]
fn the_details_of_a_customer_are_erased_and_their_orders_stay() {
    let server = stocked(10);
    let ada = "00000000000000000000000000000007";
    let place = |rest: &str| server.run(&format!("order place --line MUG=1@1 --details Ada {rest}")).ok();
    place(&format!("--customer {ada}"));
    place(&format!("--customer {ada}"));
    place("");
    assert_eq!(server.run("order get 1 --json").json()["details"], json!("Ada"));
    let said = server.run(&format!("erase --customer {ada}")).ok();
    assert!(said.contains("are erased: of 2 orders, which stay"), "{said}");
    let again = server.run(&format!("erase --customer {ada} --json")).json();
    assert_eq!((&again["orders"], &again["repeated"]), (&json!(0), &json!(true)));
    let shown = server.run("order get 1 --json").json();
    assert_eq!((&shown["details"], &shown["details_erased"]), (&json!(""), &json!(true)));
    assert!(server.run("order get 2").ok().contains("details   erased"));
    assert!(!server.run("order get 3").ok().contains("erased"));
    assert!(server.run("erase --order 1").failed(1).contains("the key of a customer must be 0 to 0"));
    assert!(server.run("erase --order 3").ok().contains("of one order, which stays"));
    assert_eq!(server.run("order get 3 --json").json()["details_erased"], json!(true));
    server.run("erase").failed(2);
    server.run(&format!("erase --order 3 --customer {ada}")).failed(2);
    server.run("erase --customer 7").failed(2);
}
