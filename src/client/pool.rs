//! The client itself: a pool of connections, each with its batcher, and one clock for all of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::clock::{ServerClock, random};
use super::connect::{Connector, status_frame};
use super::connection::Slot;
use super::lane::Lane;
use super::response::Settled;
use super::retry::Backoff;
use super::{ClientError, ClientOptions, FrameStream, QueryReply, Response, frames};
use crate::base::{ChangeId, MarketId, OrderId, RequestId, Timestamp};
use crate::engine::{Command, Query};
use crate::wire::{Reply, Request, Status, decode_replies};

/// A client of one server. Clones are the same client.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

struct Shared {
    clock: Arc<ServerClock>,
    slots: Vec<Arc<Slot>>,
    lanes: Vec<Arc<Lane>>,
    /// Where the next request goes.
    turn: AtomicUsize,
    deadline: Duration,
    /// Ended when the last clone of the client is dropped.
    _tasks: JoinSet<()>,
}

impl Client {
    /// Connects, and returns once every connection is up.
    ///
    /// # Errors
    /// What stood in the way of the first connection that could not be made; each is tried once.
    pub async fn connect(options: ClientOptions) -> Result<Self, ClientError> {
        let connector = Arc::new(Connector::new(&options)?);
        let clock = Arc::new(ServerClock::new());
        let slot = |_| Arc::new(Slot::new(Arc::clone(&connector), Arc::clone(&clock)));
        let slots: Vec<_> = (0..options.connections.max(1)).map(slot).collect();
        for slot in &slots {
            slot.connection().await?;
        }
        let lane = |slot: &Arc<Slot>| Arc::new(Lane::new(Arc::clone(slot)));
        let lanes: Vec<_> = slots.iter().map(lane).collect();
        let tasks = lanes.iter().map(|lane| Arc::clone(lane).run()).collect();
        let (turn, deadline) = (AtomicUsize::new(0), options.deadline);
        Ok(Self { shared: Arc::new(Shared { clock, slots, lanes, turn, deadline, _tasks: tasks }) })
    }

    /// The newest log time the server told, on any connection. Turns back only when a server that was started again is
    /// behind the one before it.
    #[must_use]
    pub fn log_time(&self) -> Timestamp {
        self.shared.clock.told()
    }

    /// An identifier for a new order: made from the server's log time, never from this machine's clock.
    #[must_use]
    pub fn new_order_id(&self, market: MarketId) -> OrderId {
        self.shared.clock.new_order_id(market)
    }

    /// An identifier for a stock command.
    #[must_use]
    pub fn new_request_id(&self, market: MarketId) -> RequestId {
        self.shared.clock.new_request_id(market)
    }

    /// An identifier for a change of quantities, or for an attempt to confirm.
    #[must_use]
    pub fn new_change_id(&self) -> ChangeId {
        ChangeId(random())
    }

    /// How many connections there are to choose from.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.slots.len()
    }

    /// Submits a command and waits for what became of it. Whatever is submitted while another request of the same
    /// connection is in flight travels with the next frame.
    ///
    /// # Errors
    /// There is no answer: see [`ClientError`]. Refusals are answers.
    pub async fn submit(&self, command: &Command<'_>) -> Result<Response, ClientError> {
        match self.ask(&Request::Command(*command)).await? {
            Settled::Command(response) => Ok(response),
            Settled::Query(_) => unreachable!("law: the batcher gives commands what answers commands"),
        }
    }

    /// Asks a query.
    ///
    /// # Errors
    /// There is no answer: see [`ClientError`]. Refusals are answers.
    pub async fn query(&self, query: &Query<'_>) -> Result<QueryReply, ClientError> {
        match self.ask(&Request::Query(*query)).await? {
            Settled::Query(reply) => Ok(reply),
            Settled::Command(_) => unreachable!("law: the batcher gives queries what answers queries"),
        }
    }

    async fn ask(&self, request: &Request<'_>) -> Result<Settled, ClientError> {
        let shared = &*self.shared;
        let turn = shared.turn.fetch_add(1, Ordering::Relaxed) % shared.lanes.len();
        shared.lanes[turn].submit(request, shared.deadline).await
    }

    /// Asks the server about itself.
    ///
    /// # Errors
    /// There is no answer: see [`ClientError`].
    pub async fn status(&self) -> Result<Status, ClientError> {
        let until = Instant::now() + self.shared.deadline;
        let mut backoff = Backoff::new();
        loop {
            match self.status_once().await {
                Err(fault) if fault.is_passing() && Instant::now() < until => {
                    tokio::time::sleep(backoff.pause(random())).await;
                }
                outcome => return outcome,
            }
        }
    }

    /// A stream of its own for one question.
    async fn status_once(&self) -> Result<Status, ClientError> {
        let slot = &self.shared.slots[0];
        let mut stream = slot.open_stream().await?;
        stream.send(status_frame()).await?;
        stream.finish();
        let mut status = None;
        while let Some(whole) = stream.recv().await? {
            for frame in frames(whole) {
                let decoded = decode_replies(frame, |_, _, reply| {
                    if let Reply::Status(told) = reply {
                        status = Some(*told);
                    }
                });
                decoded.map_err(|error| slot.protocol(error.to_string()))?;
            }
        }
        status.ok_or_else(|| slot.protocol("a status request that was not answered with one".into()))
    }

    /// A stream of whole frames on one of the connections, which is made anew if it was lost.
    ///
    /// # Errors
    /// There is no such connection, or it could not be made.
    pub async fn open_stream(&self, connection: usize) -> Result<FrameStream, ClientError> {
        let connections = self.connections();
        let slot = self.shared.slots.get(connection);
        slot.ok_or(ClientError::NoSuchConnection { connection, connections })?.open_stream().await
    }
}
