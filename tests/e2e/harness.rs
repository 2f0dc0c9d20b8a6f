//! A node put together for one test: a log in a temporary directory, its shards, and the server on a free port.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use quinn::crypto::rustls::QuicClientConfig;
use quinn::{ClientConfig, Connection, ConnectionError, Endpoint};
use stockade::base::{Currency, CustomerKey, MarketId, OrderId, SiteId, SkuId, Timestamp};
use stockade::client::{Client, ClientOptions, Response};
use stockade::engine::choices::{PaymentMethod, Take};
use stockade::engine::{Answer, Capacity, Command, Line, Place};
use stockade::server::{NodeParts, Registry, Server, ServerOptions, StatusSource, Traffic};
use stockade::shard::{FakeKeys, LogClock, Recovery, Shard, ShardHandle};
use stockade::wal::{self, Log, SyncMethod};
use stockade::wire::Status;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A data directory that outlives its servers.
pub(crate) struct World {
    pub(crate) data: TempDir,
    pub(crate) shards: u16,
}

/// A server over it.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) ca: Vec<u8>,
    pub(crate) traffic: Traffic,
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
    shards: Vec<ShardHandle>,
    log: wal::Running,
}

struct NoStatus;

impl StatusSource for NoStatus {
    fn status(&self) -> Status {
        Status::default()
    }
}

impl World {
    pub(crate) fn new(shards: u16) -> Self {
        Self { data: tempfile::tempdir().expect("a directory"), shards }
    }

    pub(crate) fn options(&self, port: u16) -> ServerOptions {
        ServerOptions::new(SocketAddr::from(([127, 0, 0, 1], port)), self.data.path())
    }

    pub(crate) async fn start(&self) -> Running {
        self.start_with(&self.options(0))
    }

    /// Recovers the log, starts the shards, opens the door.
    pub(crate) fn start_with(&self, options: &ServerOptions) -> Running {
        self.start_by(options, LogClock::new)
    }

    /// The same, with a clock that is made from the last log time of the log.
    pub(crate) fn start_by(&self, options: &ServerOptions, clock: impl FnOnce(Timestamp) -> LogClock) -> Running {
        let mut log_options = wal::Options::new(self.data.path().join("log"), self.shards);
        log_options.segment_bytes = 8 << 20;
        log_options.low_water_bytes = 0;
        log_options.sync_method = Some(SyncMethod::Fdatasync);
        let mut recovery = Recovery::new(self.shards, Capacity::default());
        let opened =
            Log::open(&log_options, &mut |entry| recovery.handle_entry(entry), &mut |_| {}).expect("a sound log");
        let (engines, last) = recovery.finish().expect("facts");
        let tails = opened.tails.clone();
        let (log, log_running) = opened.start(Box::new(|fault| panic!("{fault}"))).expect("a log");
        let clock = clock(last);
        let registry = Registry::new();
        for (market, shard, _) in engines[0].directory().iter() {
            registry.insert(market, shard);
        }
        let entry_bytes_max = log_options.entry_bytes_max();
        let shards: Vec<_> = (0..)
            .map(stockade::base::ShardId)
            .zip(engines)
            .zip(&tails)
            .map(|((stream, engine), tail)| {
                let log = Arc::new(log.clone());
                let keys = Box::new(FakeKeys::new(stream.0.into()));
                let _lost = keys.recover(engine.key_names());
                Shard::new(engine, stream, tail.sequence, entry_bytes_max, log, clock.clone(), keys)
                    .start()
                    .expect("a thread")
            })
            .collect();
        let inboxes = shards.iter().map(ShardHandle::inbox).collect();
        let parts = NodeParts { registry, inboxes, clock, status: Arc::new(NoStatus) };
        let server = Server::bind(options, parts).expect("a server");
        let (address, traffic) = (server.local_addr(), server.traffic());
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(server.run(async { stopped.await.unwrap_or_default() }));
        let ca = std::fs::read(self.data.path().join("dev/cert.pem")).unwrap_or_default();
        Running { address, ca, traffic, stop, served, shards, log: log_running }
    }
}

impl Running {
    pub(crate) fn client_options(&self, data: &Path) -> ClientOptions {
        ClientOptions { connect_wait: Duration::from_secs(5), ..ClientOptions::local(self.address, data) }
    }

    pub(crate) async fn client(&self, world: &World) -> Client {
        Client::connect(self.client_options(world.data.path())).await.expect("a connection")
    }

    /// Replies that sessions took from the shards so far.
    pub(crate) fn replies_taken(&self) -> u64 {
        self.shards.iter().map(|shard| shard.inbox().stats().stages.answered_us.len()).sum()
    }

    /// Drains the server, then stops the shards and the log.
    pub(crate) async fn stop(self) {
        self.stop.send(()).expect("the server still runs");
        self.served.await.expect("the server ended well");
        for shard in self.shards {
            let _engine = shard.stop();
        }
        self.log.stop();
    }

    /// A connection without our client's manners.
    pub(crate) async fn raw(&self) -> (Endpoint, Connection) {
        let mut tls = rustls::ClientConfig::builder_with_provider(stockade::quic::provider())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .expect("versions")
            .with_root_certificates(stockade::quic::roots(&self.ca).expect("a certificate"))
            .with_no_client_auth();
        tls.alpn_protocols = vec![stockade::quic::ALPN.to_vec()];
        let mut endpoint = Endpoint::client(([127, 0, 0, 1], 0).into()).expect("a socket");
        let config = QuicClientConfig::try_from(tls).expect("a suite for QUIC");
        endpoint.set_default_client_config(ClientConfig::new(Arc::new(config)));
        let connection = endpoint.connect(self.address, "localhost").expect("an attempt").await.expect("a connection");
        (endpoint, connection)
    }
}

/// The code the server closed a connection with.
pub(crate) async fn close_code(connection: &Connection) -> u64 {
    match connection.closed().await {
        ConnectionError::ApplicationClosed(close) => close.error_code.into_inner(),
        other => panic!("{other}"),
    }
}

/// A market with one SKU and so many units of it.
pub(crate) async fn stocked(client: &Client, market: &str, units: u64) -> (MarketId, SkuId) {
    let market = MarketId::new(numbered(client, &Command::AssignMarket { code: market }).await).expect("fits");
    let sku = SkuId(numbered(client, &Command::CreateSku { market, code: "mug" }).await);
    let request = client.new_request_id(market);
    let receive = Command::Receive { request, sku, site: SiteId(1), quantity: units };
    let response = client.submit(&receive).await.expect("an answer");
    assert!(matches!(response, Response::Answered { answer: Answer::Stock { .. }, .. }), "{response:?}");
    (market, sku)
}

pub(crate) async fn numbered(client: &Client, command: &Command<'_>) -> u32 {
    match client.submit(command).await.expect("an answer") {
        Response::Answered { answer: Answer::Numbered { number, .. }, .. } => number,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn line(sku: SkuId, quantity: u32) -> Line {
    Line { sku, quantity, price: 1_250 }
}

/// An order for an hour.
pub(crate) fn place<'a>(order: OrderId, lines: &'a [Line]) -> Command<'a> {
    Command::Place(Place {
        order,
        customer: CustomerKey(7),
        take: Take::AllOrNothing,
        hold_ms: 3_600_000,
        currency: Currency::new(*b"GBP").expect("a currency"),
        payment: PaymentMethod::Card,
        channel: 1,
        zone: 44,
        hashes: None,
        lines,
        details: b"",
        key: None,
    })
}
