//! Where a client connects, whom it trusts, and how long it tries.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::base::limits::{CLIENT_CONNECTIONS_DEFAULT, CLIENT_DEADLINE_MS_DEFAULT, HANDSHAKE_MS_MAX};

/// The options of a client. `..ClientOptions::default()` fills in the rest: a server on this machine that was started
/// without arguments in this directory.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// The server.
    pub address: SocketAddr,
    /// The name its certificate must carry; `None` for the address itself.
    pub server_name: Option<String>,
    /// Whose certificates are believed, and nobody else's.
    pub ca: PemSource,
    /// Who the client is, for servers that ask.
    pub identity: Option<ClientIdentity>,
    /// How many connections.
    pub connections: usize,
    /// How long it tries on behalf of one request, reconnecting and resending as needed.
    pub deadline: Duration,
    /// How long one attempt to connect may take.
    pub connect_wait: Duration,
}

/// PEM text, or the file it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PemSource {
    /// In a file, read when the client connects first.
    File(PathBuf),
    /// In memory.
    Text(Vec<u8>),
}

/// A certificate a client shows and the key behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientIdentity {
    /// The certificate and those that vouch for it.
    pub cert: PemSource,
    /// The private key.
    pub key: PemSource,
}

impl ClientOptions {
    /// Where a server on this machine listens unless told otherwise.
    pub const ADDRESS_DEFAULT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 7733);

    /// For a server on this machine that made its own certificate in this data directory.
    #[must_use]
    pub fn local(address: SocketAddr, data: &Path) -> Self {
        Self { address, ca: PemSource::File(data.join("dev").join("cert.pem")), ..Self::default() }
    }

    /// The name the server's certificate must carry.
    #[must_use]
    pub fn expected_name(&self) -> String {
        self.server_name.clone().unwrap_or_else(|| self.address.ip().to_string())
    }
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            address: Self::ADDRESS_DEFAULT,
            server_name: None,
            ca: PemSource::File("data/dev/cert.pem".into()),
            identity: None,
            connections: CLIENT_CONNECTIONS_DEFAULT,
            deadline: Duration::from_millis(CLIENT_DEADLINE_MS_DEFAULT),
            connect_wait: Duration::from_millis(HANDSHAKE_MS_MAX),
        }
    }
}

impl std::fmt::Display for PemSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Text(_) => f.write_str("(given in memory)"),
        }
    }
}
