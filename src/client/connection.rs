//! One place of the pool: a connection that is made when it is first needed and again when it was lost.

use std::net::SocketAddr;
use std::sync::Arc;

use quinn::Connection;
use tokio::sync::Mutex;

use super::ClientError;
use super::clock::ServerClock;
use super::connect::{Connector, lost};
use super::stream::FrameStream;

pub(super) struct Slot {
    connector: Arc<Connector>,
    clock: Arc<ServerClock>,
    /// Held while connecting, so that callers of one outage make one attempt together.
    current: Mutex<Option<Connection>>,
}

impl Slot {
    pub(super) fn new(connector: Arc<Connector>, clock: Arc<ServerClock>) -> Self {
        Self { connector, clock, current: Mutex::new(None) }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.connector.address()
    }

    pub(super) fn protocol(&self, reason: String) -> ClientError {
        ClientError::Protocol { address: self.address(), reason }
    }

    /// The server ended a stream it should not have.
    pub(super) fn ended(&self, reason: &str) -> ClientError {
        ClientError::Lost { address: self.address(), reason: reason.to_owned() }
    }

    /// The connection, made if there is none that lives. One attempt.
    pub(super) async fn connection(&self) -> Result<Connection, ClientError> {
        let mut current = self.current.lock().await;
        match &*current {
            Some(connection) if connection.close_reason().is_none() => Ok(connection.clone()),
            _ => {
                let connection = self.connector.connect(&self.clock).await?;
                *current = Some(connection.clone());
                Ok(connection)
            }
        }
    }

    /// A new stream on it. Waits while the server allows no more of them.
    pub(super) async fn open_stream(&self) -> Result<FrameStream, ClientError> {
        let address = self.connector.address();
        let connection = self.connection().await?;
        let (send, receive) = connection.open_bi().await.map_err(|error| lost(address, &error))?;
        Ok(FrameStream::new(send, receive, address, Arc::clone(&self.clock)))
    }
}
