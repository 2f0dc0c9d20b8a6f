//! What the pages tell people to type works as it stands there.

use crate::harness::Server;

/// The lines of the first block of commands behind a heading that begin with the program's name, without it.
fn commands<'p>(page: &'p str, heading: &str) -> Vec<&'p str> {
    let (_, behind) = page.split_once(heading).expect("the heading is there");
    let block = behind.split("```").nth(1).expect("a block behind it");
    // What follows two spaces explains the command.
    let command = |line: &'p str| line.strip_prefix("stockade ").map(|rest| rest.split("  ").next().unwrap_or(rest));
    block.lines().filter_map(command).collect()
}

#[test]
fn the_readmes_minute_works_as_it_stands_there() {
    let server = Server::start();
    let commands = commands(include_str!("../../README.md"), "## Sixty seconds");
    assert!(commands.len() > 8, "{commands:?}");
    for command in commands {
        server.run(command).ok();
    }
    assert_eq!(server.stock("LANTERN", "available"), 8, "ten, two handed over, one back, one damaged");
}

#[test]
fn the_manuals_commands_for_skus_markets_and_adapters_work_as_they_stand_there() {
    let manual = include_str!("../../docs/OPERATIONS.md");
    let server = Server::start();
    server.run("sku create MUG").ok();
    server.run("stock receive MUG 40").ok();
    let headings = [
        "## Where stock lies",
        "## What may be sold of a SKU",
        "## How long orders are kept",
        "## How long reservations last",
    ];
    for heading in headings {
        for command in commands(manual, heading) {
            // The entry of an example; here the shop has not come so far.
            let newest = server.run("market books --json").json()["sequence"].to_string();
            server.run(&command.replace("1204", &newest)).ok();
        }
    }
    server.run("order place --line MUG=1@4.50").ok();
    for command in commands(manual, "## Keeping an order from the warehouse") {
        // Its order is an example; here it is the first one.
        server.run(&command.replace("17", "1")).ok();
    }
    server.run("order place --line MUG=2@12.50").ok();
    for command in commands(manual, "## Payments") {
        server.run(&command.replace("17", "2")).ok();
    }
    server.run("market effects --check true").ok();
    for _ in [3, 4] {
        server.run("order place --line MUG=1@12.50 --payment cash-on-delivery").ok();
    }
    for command in commands(manual, "## Checking orders") {
        server.run(&command.replace("17", "3").replace("18", "4")).ok();
    }
    let state = |order: u32| server.run(&format!("order get {order} --json")).json()["state"].clone();
    assert_eq!([state(3), state(4)], ["confirmed", "cancelled"]);
    server.run("market effects --check false").ok();
    assert_eq!(server.run("order get 2 --json").json()["payment_label"], "partly_refunded");
    for command in commands(include_str!("../../docs/RETURNS.md"), "## On the command line") {
        server.run(&command.replace("17", "2")).ok();
    }
    assert_eq!(server.run("order get 2 --json").json()["returns"][0]["stage"], "closed");
    assert_eq!(server.stock("MUG", "damaged"), 1);
    server.run("sku create MUG-BLUE").ok();
    server.run("stock receive MUG-BLUE 9").ok();
    server.run("order place --line MUG=2@12.50 --line MUG-BLUE=1@9.99").ok();
    for command in commands(include_str!("../../docs/EDITS.md"), "## On the command line") {
        server.run(&command.replace("17", "5")).ok();
    }
    let edited = server.run("order get 5 --json").json();
    assert_eq!((&edited["lines"][1]["price"], edited["lines"].as_array().map(Vec::len)), (&"4.50".into(), Some(3)));
    for command in commands(manual, "## What somebody has to look at") {
        // Its order is an example; here it is the first one.
        server.run(&command.replace("1042", "1")).ok();
    }
    for command in commands(manual, "## What is left to adapters") {
        // Its order is an example; there is none here.
        if !command.contains("1042") {
            server.run(command).ok();
        }
    }
}

#[test]
fn the_hand_off_can_be_tried_out_as_its_page_says() {
    let commands = commands(include_str!("../../docs/ADAPTERS.md"), "## Trying it out");
    let flags = commands[0].strip_prefix("serve ").expect("the server comes first");
    let flags: Vec<&str> = flags.split_whitespace().collect();
    let server = Server::start_with(tempfile::tempdir().expect("a directory"), &flags);
    for command in &commands[1..] {
        server.run(command).ok();
    }
    let state = || server.run("order get 1 --json").json()["state"].clone();
    while !["completed", "cancelled"].iter().any(|end| state() == *end) {}
}

#[test]
fn a_webhooks_secret_is_made_as_its_page_says() {
    let page = include_str!("../../docs/WEBHOOKS.md");
    let (_, behind) = page.split_once("## Switching it on").expect("the heading is there");
    let block = behind.split("```").nth(1).expect("a block behind it");
    let make = block.lines().find(|line| line.contains("whsec_")).expect("a line that makes one");
    let dir = tempfile::tempdir().expect("a directory");
    let made = std::process::Command::new("sh").args(["-c", make]).current_dir(dir.path()).status();
    assert!(made.expect("a shell").success());
    assert!(commands(page, "## Switching it on")[0].contains("--webhook-secret-file webhook-secret"));
    // Nobody listens there: the shop goes on.
    let flags = ["--webhook-url", "http://127.0.0.1:9/", "--webhook-secret-file", "webhook-secret"];
    let server = Server::start_with(dir, &flags);
    server.run("sku create LANTERN").ok();
}
