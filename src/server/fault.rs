//! What can go wrong with the door: each says what was attempted on what, and what to do.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::quic::PemFault;

/// Why the server could not start.
#[derive(Debug, thiserror::Error)]
pub enum ServerFault {
    /// An open address without mutual TLS.
    #[error(
        "refusing to listen on {address}: any address other than loopback needs tls.cert, tls.key and tls.client_ca \
         (until roles exist, whoever may connect may do everything)"
    )]
    NotLoopback {
        /// As configured.
        address: SocketAddr,
    },
    /// A certificate without its key, or the other way round.
    #[error("{given} is set and {missing} is not: set both, or neither to use the certificate made for loopback")]
    HalfIdentity {
        /// The setting that is there.
        given: &'static str,
        /// The setting that is not.
        missing: &'static str,
    },
    /// The certificate for loopback could not be made.
    #[error("making the certificate for loopback, {path}: {source}")]
    DevCertificate {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// One of the two files is missing.
    #[error("{present} is there and {missing} is not: put it back, or remove both to have a new pair made")]
    DevCertificateHalf {
        /// The file that is there.
        present: PathBuf,
        /// The file that is not.
        missing: PathBuf,
    },
    /// A file of a setting could not be read.
    #[error("reading {setting} from {path}: {source}")]
    Read {
        /// Which setting names it.
        setting: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file of a setting holds something else.
    #[error("{setting} = {path}: {fault}")]
    Pem {
        /// Which setting names it.
        setting: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fault: PemFault,
    },
    /// Certificate and key do not fit each other, or are of a kind we do not speak.
    #[error("using the certificate {cert} with the key {key}: {reason}")]
    Tls {
        /// The certificate.
        cert: PathBuf,
        /// The key.
        key: PathBuf,
        /// What the TLS library said.
        reason: String,
    },
    /// The port is taken, or the address is not ours.
    #[error(
        "listening on {address} (UDP): {source}; another server may be running there: choose another address with \
         --address"
    )]
    Bind {
        /// As configured.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The address for metrics and health could not be listened on.
    #[error(
        "listening on {address} for metrics and health: {source}; another server may be running there: choose another \
         http_address, or none"
    )]
    HttpBind {
        /// As configured.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}
