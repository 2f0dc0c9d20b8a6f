//! What both ends of a connection share: the protocol's name, the cryptography, certificates, sockets.
//!
//! # Always true
//! - No certificate is ever trusted without a file (or bytes) that says so, and no data travels before the handshake is
//!   over (0-RTT is off at both ends: early data can be replayed by whoever recorded it).
//! # Not here
//! - Who may connect, and how much memory a connection may use: `server`.
//! # Why so
//! `server` and `client` never import each other, and a cipher list kept in two places drifts apart.

mod crypto;
mod pem;
mod socket;

pub use crypto::{ALPN, provider};
pub use pem::{PemFault, certificates, private_key, roots};
pub use socket::bind;
