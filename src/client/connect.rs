//! Making one connection: the client's half of the handshake, then the server's greeting.
//!
//! # Not here
//! - When to try again: `retry`. What travels afterwards: `stream`, `lane`.

use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use quinn::congestion::CubicConfig;
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{
    ClientConfig, Connection, ConnectionError, Endpoint, EndpointConfig, TokioRuntime, TransportConfig, VarInt,
};

use super::clock::ServerClock;
use super::stream::FrameStream;
use super::{ClientError, ClientIdentity, ClientOptions, PemSource};
use crate::base::Timestamp;
use crate::base::limits::{
    FIRST_FLIGHT_BYTES, FIRST_FRAME_BYTES_MAX, FIRST_ROUND_TRIP_MS, IDLE_MS_MAX, IN_FLIGHT_BYTES, KEEP_ALIVE_MS,
};
use crate::quic::{self, PemFault};
use crate::wire::{FrameWriter, decode_hello};

/// Makes connections to one server.
pub(super) struct Connector {
    endpoint: Endpoint,
    address: SocketAddr,
    name: String,
    ca: String,
    wait: Duration,
}

impl Connector {
    /// Opens the socket and reads the certificates.
    pub(super) fn new(options: &ClientOptions) -> Result<Self, ClientError> {
        let config = configure(options)?;
        let local: SocketAddr = match options.address {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let socket_fault =
            |error: std::io::Error| ClientError::Socket { address: options.address, reason: error.to_string() };
        let socket = quic::bind(local).map_err(socket_fault)?;
        let mut endpoint =
            Endpoint::new(EndpointConfig::default(), None, socket, Arc::new(TokioRuntime)).map_err(socket_fault)?;
        endpoint.set_default_client_config(config);
        Ok(Self {
            endpoint,
            address: options.address,
            name: options.expected_name(),
            ca: options.ca.to_string(),
            wait: options.connect_wait,
        })
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// One attempt: the handshake, the greeting and a first question, within the time allowed.
    pub(super) async fn connect(&self, clock: &Arc<ServerClock>) -> Result<Connection, ClientError> {
        let attempt = async {
            let unreachable = |reason: String| ClientError::Unreachable { address: self.address, reason };
            let connecting =
                self.endpoint.connect(self.address, &self.name).map_err(|error| unreachable(error.to_string()))?;
            let connection = connecting.await.map_err(|error| self.connecting_fault(&error))?;
            clock.handle_greeting(self.greeting(&connection).await?);
            self.prove(&connection, clock).await?;
            Ok(connection)
        };
        match tokio::time::timeout(self.wait, attempt).await {
            Ok(result) => result,
            Err(_) => Err(ClientError::Unreachable {
                address: self.address,
                reason: format!("nobody answered within {} ms", self.wait.as_millis()),
            }),
        }
    }

    /// The first stream the server opens carries one frame: its log time.
    async fn greeting(&self, connection: &Connection) -> Result<Timestamp, ClientError> {
        let mut stream = connection.accept_uni().await.map_err(|error| self.connecting_fault(&error))?;
        let protocol = |reason: String| ClientError::Protocol { address: self.address, reason };
        let frame = stream.read_to_end(FIRST_FRAME_BYTES_MAX).await.map_err(|error| match error {
            quinn::ReadToEndError::Read(quinn::ReadError::ConnectionLost(lost)) => self.connecting_fault(&lost),
            other => protocol(format!("its greeting: {other}")),
        })?;
        decode_hello(&frame).map(|hello| hello.log_time).map_err(|error| protocol(error.to_string()))
    }

    /// A small first frame, answered, so that the server widens the connection before anybody sends a large one.
    async fn prove(&self, connection: &Connection, clock: &Arc<ServerClock>) -> Result<(), ClientError> {
        let (send, receive) = connection.open_bi().await.map_err(|error| self.connecting_fault(&error))?;
        let mut stream = FrameStream::new(send, receive, self.address, Arc::clone(clock));
        stream.send(status_frame()).await?;
        stream.finish();
        while stream.recv().await?.is_some() {}
        Ok(())
    }

    /// What a failed handshake means to the person who typed the address.
    fn connecting_fault(&self, error: &ConnectionError) -> ClientError {
        match error {
            ConnectionError::TransportError(fault) if is_alert(fault.code.into()) => ClientError::Certificate {
                address: self.address,
                ca: self.ca.clone(),
                name: self.name.clone(),
                reason: fault.reason.clone(),
            },
            ConnectionError::ConnectionClosed(close) if is_alert(close.error_code.into()) => {
                ClientError::Unauthorised { address: self.address, reason: close.to_string() }
            }
            other => match lost(self.address, other) {
                ClientError::Lost { address, reason } => ClientError::Unreachable { address, reason },
                fault => fault,
            },
        }
    }
}

/// A frame that asks for the server's status.
pub(super) fn status_frame() -> Bytes {
    let mut writer = FrameWriter::new(Vec::new());
    writer.begin(0, 0);
    let pushed = writer.push_status();
    pushed.expect("law: an empty frame has room for a question");
    Bytes::from(writer.into_frame())
}

/// TLS alerts travel as QUIC errors 0x100 to 0x1ff.
const fn is_alert(code: u64) -> bool {
    code >> 8 == 1
}

/// What the end of a connection that worked means.
pub(super) fn lost(address: SocketAddr, error: &ConnectionError) -> ClientError {
    match error {
        ConnectionError::ApplicationClosed(close) => ClientError::Closed {
            address,
            code: close.error_code.into_inner(),
            reason: String::from_utf8_lossy(&close.reason).into_owned(),
        },
        ConnectionError::ConnectionClosed(close) if is_alert(close.error_code.into()) => {
            ClientError::Unauthorised { address, reason: close.to_string() }
        }
        other => ClientError::Lost { address, reason: other.to_string() },
    }
}

fn configure(options: &ClientOptions) -> Result<ClientConfig, ClientError> {
    let roots = load("certificate to trust", &options.ca, quic::roots)?;
    let unusable = |reason: String| ClientError::Pem {
        what: "client certificate",
        source_name: options.identity.as_ref().map_or_else(String::new, |identity| identity.cert.to_string()),
        reason,
    };
    let builder = rustls::ClientConfig::builder_with_provider(quic::provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|error| unusable(error.to_string()))?
        .with_root_certificates(roots);
    let mut tls = match &options.identity {
        None => builder.with_no_client_auth(),
        Some(ClientIdentity { cert, key }) => {
            let certificates = load("client certificate", cert, quic::certificates)?;
            let key = load("client key", key, quic::private_key)?;
            builder.with_client_auth_cert(certificates, key).map_err(|error| unusable(error.to_string()))?
        }
    };
    tls.alpn_protocols = vec![quic::ALPN.to_vec()];
    tls.enable_early_data = false;
    let tls = QuicClientConfig::try_from(tls).map_err(|error| unusable(error.to_string()))?;
    let mut config = ClientConfig::new(Arc::new(tls));
    config.transport_config(Arc::new(transport()));
    Ok(config)
}

/// The server opens one stream, its greeting; everything else the client opens itself.
fn transport() -> TransportConfig {
    let mut congestion = CubicConfig::default();
    congestion.initial_window(FIRST_FLIGHT_BYTES);
    let mut transport = TransportConfig::default();
    transport
        .max_concurrent_bidi_streams(VarInt::from_u32(0))
        .max_concurrent_uni_streams(VarInt::from_u32(1))
        .receive_window(VarInt::try_from(IN_FLIGHT_BYTES as u64).unwrap_or(VarInt::MAX))
        .datagram_receive_buffer_size(None)
        .max_idle_timeout(Some(VarInt::from_u32(IDLE_MS_MAX).into()))
        .keep_alive_interval(Some(Duration::from_millis(KEEP_ALIVE_MS)))
        .initial_rtt(Duration::from_millis(FIRST_ROUND_TRIP_MS))
        .congestion_controller_factory(Arc::new(congestion));
    transport
}

fn load<T>(
    what: &'static str,
    source: &PemSource,
    parse: impl FnOnce(&[u8]) -> Result<T, PemFault>,
) -> Result<T, ClientError> {
    let read;
    let text = match source {
        PemSource::Text(text) => text,
        PemSource::File(path) => {
            read = fs::read(path).map_err(|error| ClientError::read(what, source, &error))?;
            &read
        }
    };
    parse(text).map_err(|fault| ClientError::pem(what, source, &fault))
}
