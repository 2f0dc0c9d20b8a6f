//! What can go wrong for a client: what was attempted on what, and what to do about it.
//!
//! # Not here
//! - Refusals. They are answers: `Response::Refused`.

use std::io;
use std::net::SocketAddr;

use crate::quic::PemFault;
use crate::wire::Refused;

/// Why a request has no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ClientError {
    /// A PEM file could not be read.
    #[error("reading the {what} from {source_name}: {reason}")]
    Read {
        /// Which of the options.
        what: &'static str,
        /// Where it should be.
        source_name: String,
        /// What the system said.
        reason: String,
    },
    /// A PEM text holds something else, or is of a kind we do not speak.
    #[error("using the {what} from {source_name}: {reason}")]
    Pem {
        /// Which of the options.
        what: &'static str,
        /// Where it was.
        source_name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No socket.
    #[error("opening a UDP socket to reach {address}: {reason}")]
    Socket {
        /// The server.
        address: SocketAddr,
        /// What the system said.
        reason: String,
    },
    /// The server showed a certificate that nobody here vouches for, or that names somebody else.
    #[error(
        "the certificate of {address} does not fit: {reason}. It was checked against {ca} for the name {name}; \
         say which server and which certificate belong together with --connect ADDR --ca FILE"
    )]
    Certificate {
        /// The server.
        address: SocketAddr,
        /// What it was checked against.
        ca: String,
        /// The name it had to carry.
        name: String,
        /// What did not fit.
        reason: String,
    },
    /// The server wants to know who we are.
    #[error(
        "{address} takes only clients with a certificate of its tls.client_ca: {reason}; name yours with \
         --client-cert FILE --client-key FILE"
    )]
    Unauthorised {
        /// The server.
        address: SocketAddr,
        /// What it said.
        reason: String,
    },
    /// Nobody answers there.
    #[error("connecting to {address}: {reason}; is a server running there? Name another with --connect ADDR --ca FILE")]
    Unreachable {
        /// The server.
        address: SocketAddr,
        /// What happened.
        reason: String,
    },
    /// The server closed the connection and said why.
    #[error("{address} closed the connection with code {code}: {reason}")]
    Closed {
        /// The server.
        address: SocketAddr,
        /// The code, as `docs/WIRE-PROTOCOL.md` lists them.
        code: u64,
        /// The server's words.
        reason: String,
    },
    /// The connection was lost.
    #[error("the connection to {address} was lost: {reason}")]
    Lost {
        /// The server.
        address: SocketAddr,
        /// What happened.
        reason: String,
    },
    /// What the server sent makes no sense.
    #[error("{address} sent something that is not the protocol: {reason}")]
    Protocol {
        /// The server.
        address: SocketAddr,
        /// What did not fit.
        reason: String,
    },
    /// Time is up. Whether the request was carried out is not known; sent again under the same identifier it happens
    /// at most once.
    #[error(
        "no answer from {address} within {waited_ms} ms; whether it was carried out is unknown. Last trouble: {last}"
    )]
    Deadline {
        /// The server.
        address: SocketAddr,
        /// How long was tried.
        waited_ms: u64,
        /// What went wrong last.
        last: String,
    },
    /// The connection was lost before the answer came, and the request, sent again, was refused without being decided.
    /// Whether it was carried out the first time is not known; sent again under the same identifier it happens at most
    /// once.
    #[error(
        "the connection to {address} was lost before the answer came, and the request was refused when it was sent \
         again ({refused:?}); whether it was carried out is unknown. The same request, under the same identifier, may \
         be sent again"
    )]
    OutcomeUnknown {
        /// The server.
        address: SocketAddr,
        /// Why it was refused the last time.
        refused: Refused,
    },
    /// The request does not fit a frame.
    #[error("a request of more than {bytes_max} bytes does not fit a frame")]
    TooLarge {
        /// The most there may be.
        bytes_max: usize,
    },
    /// There is no such connection.
    #[error("connection {connection} of a client that has {connections}")]
    NoSuchConnection {
        /// As asked.
        connection: usize,
        /// As configured.
        connections: usize,
    },
    /// The client was dropped while somebody still waited.
    #[error("the client was closed")]
    ClientClosed,
}

impl ClientError {
    pub(super) fn read(what: &'static str, source: &super::PemSource, error: &io::Error) -> Self {
        Self::Read { what, source_name: source.to_string(), reason: error.to_string() }
    }

    pub(super) fn pem(what: &'static str, source: &super::PemSource, fault: &PemFault) -> Self {
        Self::Pem { what, source_name: source.to_string(), reason: fault.to_string() }
    }

    /// Whether the same request may have an answer if it is sent again on another connection.
    pub(super) const fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Lost { .. } | Self::Closed { .. } => true,
            Self::Read { .. }
            | Self::Pem { .. }
            | Self::Socket { .. }
            | Self::Certificate { .. }
            | Self::Unauthorised { .. }
            | Self::Protocol { .. }
            | Self::Deadline { .. }
            | Self::OutcomeUnknown { .. }
            | Self::TooLarge { .. }
            | Self::NoSuchConnection { .. }
            | Self::ClientClosed => false,
        }
    }
}
