//! The cryptography of both ends: TLS 1.3 by aws-lc-rs, AES-128-GCM first.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{self, cipher_suite};

/// The protocol's name in the handshake. Changes with every incompatible change of the frames.
pub const ALPN: &[u8] = b"stockade/0";

/// The provider both ends are built with, named explicitly so that no other one can be installed for the process.
///
/// AES-128-GCM comes first: it is the fastest on every machine with AES instructions, and QUIC's first packets need it
/// anyway.
#[must_use]
pub fn provider() -> Arc<CryptoProvider> {
    let cipher_suites = vec![
        cipher_suite::TLS13_AES_128_GCM_SHA256,
        cipher_suite::TLS13_AES_256_GCM_SHA384,
        cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
    ];
    Arc::new(CryptoProvider { cipher_suites, ..aws_lc_rs::default_provider() })
}
