//! What an operator may choose about the door, and what of it is refused at start.
//!
//! # Always true
//! - Beyond loopback nobody connects without a certificate of `tls.client_ca`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::{DevCertificate, ServerFault};
use crate::base::limits::{
    CONNECTIONS_DEFAULT, DRAIN_MS_MAX, FRAME_MS_MAX, HANDSHAKE_BYTES_MAX, HANDSHAKE_MS_MAX, HANDSHAKES_MAX,
    IDLE_MS_MAX, IN_FLIGHT_FIRST_BYTES, INCOMING_BYTES_TOTAL_MAX, NETWORK_POOL_BYTES_DEFAULT, READ_BUFFER_FIRST_BYTES,
    REPLY_MS_MAX, SEND_WINDOW_FIRST_BYTES, STREAMS_MAX, WINDOW_FIRST_BYTES,
};

/// Where the server listens, who it says it is and what it may use.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// Where it listens (UDP). Port 0 takes a free one.
    pub address: SocketAddr,
    /// Where the certificate of a server on loopback is made when `tls` names none.
    pub data_dir: PathBuf,
    /// Certificates.
    pub tls: TlsOptions,
    /// Connections served at once.
    pub connections_max: usize,
    /// Placements admitted in a second, all connections together; `None` for as many as come.
    pub orders_per_second_max: Option<u32>,
    /// Bytes all connections together may take beyond what each has anyway.
    pub pool_bytes: usize,
    /// How long it waits for whom.
    pub waits: Waits,
}

/// The files of `tls.cert`, `tls.key` and `tls.client_ca`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsOptions {
    /// The server's certificate and those that vouch for it, PEM.
    pub cert: Option<PathBuf>,
    /// Its private key, PEM.
    pub key: Option<PathBuf>,
    /// Whose clients may connect, PEM. Any certificate it signed may do everything.
    pub client_ca: Option<PathBuf>,
}

/// How long the server waits before it gives up on a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waits {
    /// For a handshake.
    pub handshake: Duration,
    /// For the rest of a frame that has begun.
    pub frame: Duration,
    /// For a client to read its replies.
    pub reply: Duration,
    /// For anything at all.
    pub idle: Duration,
    /// At a stop, for requests under way.
    pub drain: Duration,
}

impl Default for Waits {
    fn default() -> Self {
        Self {
            handshake: Duration::from_millis(HANDSHAKE_MS_MAX),
            frame: Duration::from_millis(FRAME_MS_MAX),
            reply: Duration::from_millis(REPLY_MS_MAX),
            idle: Duration::from_millis(IDLE_MS_MAX.into()),
            drain: Duration::from_millis(DRAIN_MS_MAX),
        }
    }
}

/// The files a server really starts with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) cert: PathBuf,
    pub(super) key: PathBuf,
    pub(super) client_ca: Option<PathBuf>,
}

impl ServerOptions {
    /// The defaults for an address and a data directory.
    #[must_use]
    pub fn new(address: SocketAddr, data_dir: impl Into<PathBuf>) -> Self {
        Self {
            address,
            data_dir: data_dir.into(),
            tls: TlsOptions::default(),
            connections_max: CONNECTIONS_DEFAULT,
            orders_per_second_max: None,
            pool_bytes: NETWORK_POOL_BYTES_DEFAULT,
            waits: Waits::default(),
        }
    }

    /// The most memory the door may take at its worst moment: every connection open, every window full.
    #[must_use]
    pub const fn memory_bytes_max(&self) -> u64 {
        let connection = WINDOW_FIRST_BYTES
            + SEND_WINDOW_FIRST_BYTES
            + IN_FLIGHT_FIRST_BYTES
            + STREAMS_MAX as usize * READ_BUFFER_FIRST_BYTES;
        let handshakes = HANDSHAKES_MAX * HANDSHAKE_BYTES_MAX + INCOMING_BYTES_TOTAL_MAX;
        connection as u64 * self.connections_max as u64 + self.pool_bytes as u64 + handshakes as u64
    }

    /// Which certificate the server shows and whose clients it lets in.
    pub(super) fn identity(&self) -> Result<Identity, ServerFault> {
        let TlsOptions { cert, key, client_ca } = self.tls.clone();
        let loopback = self.address.ip().is_loopback();
        match (cert, key, client_ca) {
            (Some(cert), Some(key), Some(client_ca)) => Ok(Identity { cert, key, client_ca: Some(client_ca) }),
            _ if !loopback => Err(ServerFault::NotLoopback { address: self.address }),
            (Some(cert), Some(key), None) => Ok(Identity { cert, key, client_ca: None }),
            (None, None, client_ca) => {
                let made = DevCertificate::load_or_make(&self.data_dir)?;
                Ok(Identity { cert: made.cert, key: made.key, client_ca })
            }
            (Some(_), None, _) => Err(ServerFault::HalfIdentity { given: "tls.cert", missing: "tls.key" }),
            (None, Some(_), _) => Err(ServerFault::HalfIdentity { given: "tls.key", missing: "tls.cert" }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(address: &str) -> ServerOptions {
        ServerOptions::new(address.parse().expect("an address"), "unused")
    }

    #[test]
    fn beyond_loopback_all_three_files_are_demanded_by_name() {
        let mut open = options("0.0.0.0:7733");
        let text = open.identity().expect_err("no certificates").to_string();
        for name in ["tls.cert", "tls.key", "tls.client_ca", "0.0.0.0:7733"] {
            assert!(text.contains(name), "{text}");
        }
        open.tls = TlsOptions { cert: Some("c".into()), key: Some("k".into()), client_ca: None };
        assert!(open.identity().is_err(), "anybody could connect");
        open.tls.client_ca = Some("a".into());
        assert!(open.identity().is_ok());
    }

    #[test]
    fn a_certificate_without_its_key_is_refused_even_on_loopback() {
        let mut local = options("127.0.0.1:0");
        local.tls.cert = Some("c".into());
        assert!(local.identity().expect_err("half").to_string().contains("tls.key"));
    }

    #[test]
    fn the_worst_case_counts_every_connection_and_the_pool() {
        let one = ServerOptions { connections_max: 1, pool_bytes: 0, ..options("127.0.0.1:0") };
        let two = ServerOptions { connections_max: 2, pool_bytes: 7, ..one.clone() };
        let connection = two.memory_bytes_max() - one.memory_bytes_max() - 7;
        assert!(connection >= (WINDOW_FIRST_BYTES + STREAMS_MAX as usize * READ_BUFFER_FIRST_BYTES) as u64);
    }
}
