//! A receiver as a shop would write one, on a bad day: it answers errors, breaks off, and answers what it never kept.
//!
//! It checks every signature by hand, keeps messages before it answers 2xx, and passes over what it knows.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::child::Webhook;

/// 32 bytes, in base64.
const KEY: &str = "c3RvY2thZGUtd2ViaG9vay10ZXN0LXNlY3JldC0hIQ==";

/// Where an event stands: shard, entry, index.
pub(crate) type Position = (u64, u64, u64);

/// A message as it came.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) timestamp: String,
    pub(crate) signature: String,
    pub(crate) body: String,
}

#[derive(Default)]
struct Known {
    events: BTreeMap<Position, Value>,
    messages: Vec<Message>,
    told_twice: u64,
}

/// What it knows, for the test and for its tasks.
#[derive(Default)]
struct Shared {
    known: Mutex<Known>,
    is_bad_day: AtomicBool,
    is_down: AtomicBool,
    requests: AtomicU64,
}

/// A receiver that listens.
pub(crate) struct Receiver {
    url: String,
    pub(crate) secret_file: PathBuf,
    ca: PathBuf,
    shared: Arc<Shared>,
}

impl Receiver {
    /// Listens with a certificate of its own. Its files lie in `dir`.
    pub(crate) async fn start(dir: &Path) -> Self {
        let (secret_file, ca) = (dir.join("webhook-secret"), dir.join("webhook-ca.pem"));
        std::fs::write(&secret_file, format!("whsec_{KEY}\n")).expect("writable");
        let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        std::fs::write(&ca, certified.cert.pem()).expect("writable");
        let key = PrivateKeyDer::try_from(certified.signing_key.serialize_der()).expect("a key");
        let tls = ServerConfig::builder_with_provider(stockade::quic::provider())
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certified.cert.der().clone()], key)
            .expect("they fit");
        let shared = Arc::<Shared>::default();
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let listener = TcpListener::bind(address).await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        tokio::spawn(accept(listener, TlsAcceptor::from(Arc::new(tls)), Arc::clone(&shared)));
        Self { url: format!("https://localhost:{port}/stock?shop=1"), secret_file, ca, shared }
    }

    /// What a node is told of it.
    pub(crate) fn webhook(&self, feed_behind_bytes: u64) -> Webhook {
        let (url, secret_file, ca) = (self.url.clone(), self.secret_file.clone(), self.ca.clone());
        Webhook { url, secret_file, ca, feed_behind_bytes }
    }

    /// Every third request or so goes wrong.
    pub(crate) fn has_a_bad_day(&self, it_has: bool) {
        self.shared.is_bad_day.store(it_has, Ordering::Relaxed);
    }

    /// Takes nothing at all.
    pub(crate) fn is_down(&self, it_is: bool) {
        self.shared.is_down.store(it_is, Ordering::Relaxed);
    }

    pub(crate) fn requests(&self) -> u64 {
        self.shared.requests.load(Ordering::Relaxed)
    }

    pub(crate) fn events(&self) -> BTreeMap<Position, Value> {
        self.shared.known.lock().expect("no task panics").events.clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.shared.known.lock().expect("no task panics").events.len()
    }

    pub(crate) fn told_twice(&self) -> u64 {
        self.shared.known.lock().expect("no task panics").told_twice
    }

    pub(crate) fn messages(&self) -> Vec<Message> {
        self.shared.known.lock().expect("no task panics").messages.clone()
    }
}

async fn accept(listener: TcpListener, tls: TlsAcceptor, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (tls, shared) = (tls.clone(), Arc::clone(&shared));
        tokio::spawn(async move {
            let Ok(stream) = tls.accept(stream).await else { return };
            let answer = service_fn(move |request| answer(request, Arc::clone(&shared)));
            let mut http = hyper::server::conn::http1::Builder::new();
            // A node that was killed, or a connection that is broken off here.
            let _ended = http.keep_alive(true).serve_connection(TokioIo::new(stream), answer).await;
        });
    }
}

/// What goes wrong with a request.
#[derive(Debug)]
struct BrokenOff;

impl std::fmt::Display for BrokenOff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("broken off")
    }
}

impl std::error::Error for BrokenOff {}

async fn answer(request: Request<Incoming>, shared: Arc<Shared>) -> Result<Response<Empty<Bytes>>, BrokenOff> {
    let number = shared.requests.fetch_add(1, Ordering::Relaxed);
    let answered = |status| {
        let mut response = Response::new(Empty::new());
        *response.status_mut() = status;
        Ok(response)
    };
    if shared.is_down.load(Ordering::Relaxed) {
        return answered(StatusCode::BAD_GATEWAY);
    }
    let trouble = if shared.is_bad_day.load(Ordering::Relaxed) { number % 9 } else { 9 };
    match trouble {
        0 => return answered(StatusCode::SERVICE_UNAVAILABLE),
        1 => return answered(StatusCode::FOUND),
        2 => return Err(BrokenOff),
        _ => {}
    }
    assert_eq!((request.method().as_str(), request.uri().to_string().as_str()), ("POST", "/stock?shop=1"));
    assert_eq!(request.headers()["content-type"], "application/json");
    let header = |name: &str| request.headers()[name].to_str().expect("text").to_owned();
    let (id, timestamp, signature) = (header("webhook-id"), header("webhook-timestamp"), header("webhook-signature"));
    let body = request.into_body().collect().await.map_err(|_| BrokenOff)?.to_bytes();
    let message = Message { id, timestamp, signature, body: String::from_utf8(body.to_vec()).expect("JSON is UTF-8") };
    check_signature(&message);
    keep(&mut shared.known.lock().expect("no task panics"), message);
    if trouble == 3 { Err(BrokenOff) } else { answered(StatusCode::NO_CONTENT) }
}

fn check_signature(Message { id, timestamp, signature, body }: &Message) {
    let key = hmac::Key::new(hmac::HMAC_SHA256, &STANDARD.decode(KEY).expect("base64"));
    let sum = STANDARD.decode(signature.strip_prefix("v1,").expect("version 1")).expect("base64");
    hmac::verify(&key, format!("{id}.{timestamp}.{body}").as_bytes(), &sum).expect("it is signed");
}

fn keep(known: &mut Known, message: Message) {
    let told: Value = serde_json::from_str(&message.body).expect("JSON");
    assert_eq!(told["type"], "stockade.events");
    let shard = told["data"]["shard"].as_u64().expect("a number");
    for event in told["data"]["events"].as_array().expect("a list") {
        let position = event["position"].as_str().and_then(|position| position.split_once('.')).expect("entry.index");
        let position = (shard, position.0.parse().expect("a number"), position.1.parse().expect("a number"));
        let newest = known.events.range((shard, 0, 0)..(shard + 1, 0, 0)).next_back().map(|(newest, _)| *newest);
        match known.events.get(&position) {
            Some(before) => {
                assert_eq!(before, event, "another event in the same position");
                known.told_twice += 1;
            }
            None => {
                assert!(newest.is_none_or(|newest| newest < position), "{position:?} after {newest:?}");
                known.events.insert(position, event.clone());
            }
        }
    }
    known.messages.push(message);
}
