//! Starting, what is said then, status, stopping, and what may not be started.

use crate::harness::{Ended, Server, program, run};

#[test]
fn what_a_server_says_to_try_next_works_when_it_is_copied() {
    let server = Server::start();
    let commands: Vec<_> = server.said.iter().filter(|line| line.starts_with("  ")).collect();
    assert!(commands.len() >= 5, "{:?}", server.said);
    for command in commands {
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", command]).current_dir(server.path());
        Ended::of(shell.output().expect("a shell")).ok();
    }
    assert_eq!(server.stock("MUG-BLUE", "available"), 98);
    assert_eq!(server.stock("MUG-BLUE", "committed"), 2, "the order that was placed was confirmed");
}

#[test]
fn status_is_a_table_for_people_and_json_for_programs() {
    let server = Server::start();
    server.run("sku create MUG").ok();
    let status = server.run("status --json").json();
    assert_eq!(status["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!((&status["shards"], &status["orders_max"]), (&2.into(), &10_000.into()));
    assert!(status["syncs"].as_u64() > Some(0) && status["log_bytes"].as_u64() > Some(0), "{status}");
    assert!(status["stages"]["durable_us"]["p99"].is_u64(), "{status}");
    let table = server.run("status").ok();
    assert!(table.contains("durability") && table.contains("of 10000"), "{table}");
}

#[test]
fn what_was_answered_is_there_after_a_stop_and_after_a_kill() {
    let server = Server::start();
    server.run("sku create MUG").ok();
    server.run("stock receive MUG 10").ok();
    let server = Server::start_in(server.stop());
    assert_eq!(server.stock("MUG", "available"), 10);
    server.run("order place --line MUG=3@0").ok();
    let server = Server::start_in(server.kill());
    assert_eq!(server.stock("MUG", "available"), 7);
}

#[test]
fn a_server_in_memory_says_that_nothing_is_kept_and_leaves_a_log_alone() {
    let empty = tempfile::tempdir().expect("a directory");
    let server = Server::start_with(empty, &["--durability", "memory"]);
    assert!(server.said.last().expect("lines").contains("nothing is kept"), "{:?}", server.said);
    let again = Server::start_with(server.stop(), &["--durability", "memory"]);
    drop(again);
    let dir = Server::start().stop();
    let error =
        run(dir.path(), &["serve", "--http-address", "none", "--address", "127.0.0.1:0", "--durability", "memory"])
            .failed(2);
    assert!(error.contains("data/log holds a log"), "{error}");
}

#[test]
fn a_second_server_on_the_same_data_is_refused_with_its_own_exit_code() {
    let server = Server::start();
    let error =
        run(server.path(), &["serve", "--http-address", "none", "--address", "127.0.0.1:0", "--orders-max", "1000"])
            .failed(10);
    assert!(error.contains("another process"), "{error}");
}

#[test]
fn a_port_that_is_taken_is_named() {
    let server = Server::start();
    let elsewhere = tempfile::tempdir().expect("a directory");
    let error = run(
        elsewhere.path(),
        &["serve", "--http-address", "none", "--address", &server.address, "--orders-max", "1000"],
    )
    .failed(1);
    assert!(error.contains(&server.address), "{error}");
}

#[test]
fn beyond_loopback_a_server_without_certificates_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let error = run(dir.path(), &["serve", "--http-address", "none", "--address", "0.0.0.0:0", "--orders-max", "1000"])
        .failed(2);
    assert!(error.contains("tls.cert") && error.contains("tls.client_ca"), "{error}");
}

#[test]
fn a_data_directory_that_cannot_be_made_is_named() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("data"), "a file").expect("written");
    let error =
        run(dir.path(), &["serve", "--http-address", "none", "--address", "127.0.0.1:0", "--orders-max", "1000"])
            .failed(1);
    assert!(error.contains("data"), "{error}");
}

#[test]
fn a_client_without_a_server_is_told_where_it_looked_and_what_to_do() {
    let dir = tempfile::tempdir().expect("a directory");
    let error = run(dir.path(), &["status"]).failed(2);
    assert!(error.contains("data/dev/cert.pem") && error.contains("--connect ADDR --ca FILE"), "{error}");
    let server = Server::start();
    let address = server.address.clone();
    let dir = server.stop();
    let error = run(dir.path(), &["status", "--connect", &address, "--deadline", "1s"]).failed(1);
    assert!(error.contains(&address), "{error}");
}

#[test]
fn a_certificate_of_another_server_is_not_trusted() {
    let (server, other) = (Server::start(), Server::start());
    let ca = other.path().join("data/dev/cert.pem");
    let ended = program(server.path()).args(["status", "--connect", &server.address, "--ca"]).arg(&ca).output();
    let error = Ended::of(ended.expect("the program runs")).failed(1);
    assert!(error.contains("certificate") && error.contains("--ca FILE"), "{error}");
}

#[test]
fn a_status_tells_of_images_and_sinks() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("secret"), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n").expect("written");
    // Nobody listens there.
    let server = Server::start_with(
        dir,
        &["--webhook-url", "http://127.0.0.1:9/", "--webhook-secret-file", "secret", "--snapshot-log-bytes", "0"],
    );
    server.run("sku create MUG").ok();
    while server.run("status --json").json()["sink_lag_ms"] == 0 {}
    let status = server.run("status --json").json();
    assert_eq!((&status["sinks"], &status["images"]), (&1.into(), &0.into()));
    let table = server.run("status").ok();
    assert!(table.contains("images       none yet") && table.contains("sinks        1, "), "{table}");
}
