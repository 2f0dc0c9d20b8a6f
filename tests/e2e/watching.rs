//! The door for machines that watch: what it tells, what it refuses, and that its page is true.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use stockade::base::limits::{HTTP_CONNECTIONS_MAX, HTTP_HEAD_BYTES_MAX};

use crate::child::{Node, Settings, Simulated};
use crate::harness::{line, place, stocked};
use crate::webhooks::receiver::Receiver;

const PAGE: &str = include_str!("../../docs/METRICS.md");

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("the door is open");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a socket has a timeout");
    stream
}

/// Sends bytes and reads until the door closes.
fn ask(address: SocketAddr, request: &str) -> String {
    let mut stream = connect(address);
    stream.write_all(request.as_bytes()).expect("sent");
    let mut said = String::new();
    // The door may close without having read everything.
    let _reset = stream.read_to_string(&mut said);
    said
}

pub(crate) fn get(address: SocketAddr, path: &str) -> (u16, String) {
    let said = ask(address, &format!("GET {path} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n"));
    let (head, body) = said.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no head: {said:?}"));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    let length = format!("content-length: {}", body.len());
    assert!(head.contains(&length), "{head}");
    (status, body.to_owned())
}

/// Names and types of the families in a text of metrics.
fn families(text: &str) -> BTreeSet<(String, String)> {
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    types.filter_map(|line| line.split_once(' ')).map(|(name, kind)| (name.to_owned(), kind.to_owned())).collect()
}

pub(crate) fn value(text: &str, sample: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("{sample} is not told in:\n{text}")).parse().expect("a number")
}

#[tokio::test]
async fn metrics_tell_what_happened_and_their_page_names_each_of_them() {
    let dir = tempfile::tempdir().expect("a directory");
    let simulated = Some(Simulated { delay_ms: 0, declined: 0, rejected: 0, doubted: 0, lost: 0, repeated: 0 });
    let receiver = Receiver::start(dir.path()).await;
    let webhook = Some(receiver.webhook(1 << 30));
    let node = Node::start(&Settings { simulated, webhook, ..Settings::new(&dir.path().join("data")) });
    let client = node.client().await;
    let (market, sku) = stocked(&client, "default", 100).await;
    for _ in 0..20 {
        client.submit(&place(client.new_order_id(market), &[line(sku, 1)])).await.expect("an answer");
    }
    let (status, text) = get(node.watched, "/metrics");
    assert_eq!(status, 200);
    assert_eq!(value(&text, "stockade_orders{shard=\"0\"}"), 20.0);
    assert_eq!(value(&text, "stockade_ready"), 1.0);
    assert_eq!(value(&text, "stockade_connections"), 1.0);
    assert!(value(&text, "stockade_requests_total") >= 20.0);
    assert!(value(&text, "stockade_log_syncs_total") >= 1.0);
    let decided = value(&text, "stockade_decided_seconds_count{shard=\"0\",lane=\"orders\"}");
    assert!(decided >= 20.0);
    assert_eq!(value(&text, "stockade_decided_seconds_bucket{shard=\"0\",lane=\"orders\",le=\"+Inf\"}"), decided);

    let row = |line: &str| {
        let mut cells = line.strip_prefix("| `")?.split(" | ");
        Some((cells.next()?.trim_end_matches('`').to_owned(), cells.next()?.to_owned()))
    };
    let page: BTreeSet<(String, String)> =
        PAGE.lines().filter_map(row).filter(|(name, _)| name.starts_with("stockade_")).collect();
    assert_eq!(families(&text), page, "told by a node (left), in docs/METRICS.md (right)");
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (sample, value) = line.rsplit_once(' ').expect("a sample has a value");
        assert!(sample.starts_with("stockade_") && value.parse::<f64>().is_ok(), "{line}");
    }
    node.stop();
}

#[test]
fn health_says_whether_orders_are_answered() {
    let dir = tempfile::tempdir().expect("a directory");
    let node = Node::start(&Settings::new(dir.path()));
    assert_eq!(get(node.watched, "/livez"), (200, "orders are answered\n".to_owned()));
    assert_eq!(get(node.watched, "/readyz"), (200, "orders are answered\n".to_owned()));
    let (status, health) = get(node.watched, "/healthz");
    let health: serde_json::Value = serde_json::from_str(&health).expect("JSON");
    assert_eq!((status, &health["live"], &health["ready"]), (200, &true.into(), &true.into()));
    assert_eq!(get(node.watched, "/").0, 404);
    let refused =
        ask(node.watched, "POST /metrics HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello");
    assert!(refused.starts_with("HTTP/1.1 405 ") && refused.contains("allow: GET, HEAD"), "{refused}");
    node.stop();
}

/// A large head, no HTTP at all, and more connections than there are: each costs only itself.
#[test]
fn who_breaks_the_rules_of_http_harms_nobody_else() {
    let dir = tempfile::tempdir().expect("a directory");
    let node = Node::start(&Settings::new(dir.path()));
    let head = format!("GET /{} HTTP/1.1\r\n", "x".repeat(2 * HTTP_HEAD_BYTES_MAX));
    let large = ask(node.watched, &head);
    assert!(!large.starts_with("HTTP/1.1 200"), "{large}");
    let nonsense = ask(node.watched, "\0\u{1}\u{2} nonsense\r\n\r\n");
    assert!(!nonsense.starts_with("HTTP/1.1 200"), "{nonsense}");
    let silent: Vec<TcpStream> = (0..HTTP_CONNECTIONS_MAX).map(|_| connect(node.watched)).collect();
    // The next one is closed without a word, or is let in where one of the others was not yet.
    let turned_away = ask(node.watched, "GET /livez HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n");
    assert!(turned_away.is_empty(), "{turned_away}");
    drop(silent);
    let again = || ask(node.watched, "GET /livez HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n");
    while !again().starts_with("HTTP/1.1 200") {
        std::thread::yield_now();
    }
    node.stop();
}

#[test]
fn an_address_that_is_taken_is_refused_by_name() {
    let dir = tempfile::tempdir().expect("a directory");
    let node = Node::start(&Settings::new(dir.path()));
    let other = tempfile::tempdir().expect("a directory");
    let settings = Settings { watched: node.watched, ..Settings::new(other.path()) };
    let (code, said) = Node::refused(&settings);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("http_address") && said.contains(&node.watched.to_string()), "{said}");
}
