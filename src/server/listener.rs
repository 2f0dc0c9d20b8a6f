//! The server: a socket, and a task for every connection that comes through it.
//!
//! # Why so
//! It runs on a current-thread runtime (quinn issue 1433: with several threads, small packets cost three times the
//! datagrams). More cores mean more endpoints on sockets of their own; everything behind `accept` is ready for that.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use quinn::{Endpoint, EndpointConfig, Incoming, TokioRuntime};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::budget::Pool;
use super::connection::{close, serve};
use super::market::Creations;
use super::rate::Rate;
use super::status::Counters;
use super::wiring::Wiring;
use super::{Registry, ServerFault, ServerOptions, StatusSource, transport};
use crate::base::limits::{HANDSHAKES_MAX, HANDSHAKES_UNPROVEN_MAX};
use crate::quic;
use crate::shard::{Inbox, LogClock};
use crate::wire::CloseCode;

/// What the server needs of the node.
pub struct NodeParts {
    /// Every market of the node's directory, each open in its shard.
    pub registry: Registry,
    /// The doors of all shards, by shard.
    pub inboxes: Vec<Inbox>,
    /// The node's log time.
    pub clock: LogClock,
    /// Answers status requests.
    pub status: Arc<dyn StatusSource>,
}

/// What comes through the door, counted.
#[derive(Clone)]
pub struct Traffic(Arc<Wiring>);

impl Traffic {
    /// Connections open now.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.0.counters.connections.load(Ordering::Relaxed)
    }

    /// Placements refused without their shard since the start, because what they asked for is sold out.
    #[must_use]
    pub fn sold_out(&self) -> u64 {
        self.0.counters.sold_out.load(Ordering::Relaxed)
    }

    /// Placements refused since the start because they were more than the operator allows in a second.
    #[must_use]
    pub fn over_rate(&self) -> u64 {
        self.0.rate.refused()
    }

    /// Requests admitted since the start.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.0.counters.requests.load(Ordering::Relaxed)
    }
}

/// A server that listens.
pub struct Server {
    endpoint: Endpoint,
    address: SocketAddr,
    connections_max: usize,
    wiring: Arc<Wiring>,
    creating: std::pin::Pin<Box<dyn Future<Output = ()> + Send>>,
    handshakes: Arc<AtomicUsize>,
}

impl Server {
    /// Opens the socket and reads (or makes) the certificates. To be called inside the runtime it will run on.
    ///
    /// # Errors
    /// Any [`ServerFault`]; nothing was answered yet.
    pub fn bind(options: &ServerOptions, node: NodeParts) -> Result<Self, ServerFault> {
        let config = transport::config(options)?;
        let fault = |source| ServerFault::Bind { address: options.address, source };
        let socket = quic::bind(options.address).map_err(fault)?;
        let endpoint =
            Endpoint::new(EndpointConfig::default(), Some(config), socket, Arc::new(TokioRuntime)).map_err(fault)?;
        let address = endpoint.local_addr().map_err(fault)?;
        let inboxes: Arc<[Inbox]> = node.inboxes.into();
        let (creations, creating) = Creations::new(node.registry.clone(), Arc::clone(&inboxes));
        let wiring = Wiring {
            registry: node.registry,
            boards: inboxes.iter().map(Inbox::board).collect(),
            inboxes,
            clock: node.clock,
            status: node.status,
            counters: Counters::default(),
            creations,
            pool: Pool::new(options.pool_bytes),
            rate: Arc::new(Rate::new(options.orders_per_second_max)),
            waits: options.waits,
        };
        tracing::info!(%address, memory_bytes_max = options.memory_bytes_max(), "listening");
        Ok(Self {
            endpoint,
            address,
            connections_max: options.connections_max,
            wiring: Arc::new(wiring),
            creating: Box::pin(creating),
            handshakes: Arc::default(),
        })
    }

    /// Where it listens.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Its counts.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        Traffic(Arc::clone(&self.wiring))
    }

    /// Serves until `shutdown` is over; then takes nothing more in, answers what is under way and closes every
    /// connection. The shards must go on until this returns.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let (stop, stopping) = watch::channel(false);
        let mut creating = JoinSet::new();
        let mut connections = JoinSet::new();
        let mut shutdown = pin!(shutdown);
        let Self { endpoint, connections_max, wiring, creating: task, handshakes, .. } = self;
        creating.spawn(task);
        let door = Door { connections_max, wiring, handshakes, stopping };
        loop {
            tokio::select! {
                incoming = endpoint.accept() => match incoming {
                    Some(incoming) => door.admit(incoming, &mut connections),
                    None => break,
                },
                Some(_) = connections.join_next() => {}
                () = &mut shutdown => break,
            }
        }
        endpoint.set_server_config(None);
        stop.send_replace(true);
        while connections.join_next().await.is_some() {}
        endpoint.close(CloseCode::ShuttingDown.number().into(), b"the server is stopping");
        // A peer that has gone does not keep us: its connections end by themselves.
        let _gone = tokio::time::timeout(door.wiring.waits.drain, endpoint.wait_idle()).await;
    }
}

/// Who may come in.
struct Door {
    connections_max: usize,
    wiring: Arc<Wiring>,
    handshakes: Arc<AtomicUsize>,
    stopping: watch::Receiver<bool>,
}

impl Door {
    /// Looks at a peer's first packet. Nothing of TLS has happened yet.
    fn admit(&self, incoming: Incoming, connections: &mut JoinSet<()>) {
        let under_way = self.handshakes.load(Ordering::Relaxed);
        if under_way >= HANDSHAKES_MAX {
            incoming.refuse();
        } else if under_way >= HANDSHAKES_UNPROVEN_MAX && !incoming.remote_address_validated() {
            // Whoever has not proven an address may prove it: `may_retry` holds.
            let _proven = incoming.retry();
        } else {
            let handshake = Counted::new(&self.handshakes);
            let (wiring, stopping) = (Arc::clone(&self.wiring), self.stopping.clone());
            connections.spawn(meet(incoming, handshake, wiring, stopping, self.connections_max as u64));
        }
    }
}

/// The handshake, then the connection.
async fn meet(
    incoming: Incoming,
    handshake: Counted,
    wiring: Arc<Wiring>,
    stopping: watch::Receiver<bool>,
    connections_max: u64,
) {
    let peer = incoming.remote_address();
    let Ok(connecting) = incoming.accept() else { return };
    let connection = match tokio::time::timeout(wiring.waits.handshake, connecting).await {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) => return tracing::debug!(%peer, %error, "a handshake failed"),
        Err(_) => return tracing::debug!(%peer, "a handshake took too long"),
    };
    drop(handshake);
    let open = wiring.counters.connections.fetch_add(1, Ordering::Relaxed);
    if open < connections_max {
        serve(connection, Arc::clone(&wiring), stopping).await;
    } else {
        close(&connection, CloseCode::TooManyConnections, "the server has as many connections as it may have");
    }
    wiring.counters.connections.fetch_sub(1, Ordering::Relaxed);
}

/// Counts itself while it lives.
struct Counted {
    count: Arc<AtomicUsize>,
}

impl Counted {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self { count: Arc::clone(count) }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}
