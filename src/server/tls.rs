//! The server's half of the handshake: TLS 1.3, no early data, no resumption, clients checked when a CA is named.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use quinn::crypto::rustls::QuicServerConfig;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{ConfigBuilder, ServerConfig, WantsVerifier};

use super::ServerFault;
use super::options::Identity;
use crate::quic::{self, PemFault};

/// What quinn needs of TLS.
///
/// Built by hand: quinn's own constructor would accept early data, which whoever recorded it can send again.
pub(super) fn handshake(identity: &Identity) -> Result<QuicServerConfig, ServerFault> {
    let fault = |reason: String| ServerFault::Tls { cert: identity.cert.clone(), key: identity.key.clone(), reason };
    let certificates = load("tls.cert", &identity.cert, quic::certificates)?;
    let key = load("tls.key", &identity.key, quic::private_key)?;
    let builder = ServerConfig::builder_with_provider(quic::provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|error| fault(error.to_string()))?;
    let mut config = check_clients(builder, identity)?
        .with_single_cert(certificates, key)
        .map_err(|error| fault(error.to_string()))?;
    config.alpn_protocols = vec![quic::ALPN.to_vec()];
    config.max_early_data_size = 0;
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.ignore_client_order = true;
    QuicServerConfig::try_from(config).map_err(|error| fault(error.to_string()))
}

type WithClients = ConfigBuilder<ServerConfig, rustls::server::WantsServerCert>;

fn check_clients(
    builder: ConfigBuilder<ServerConfig, WantsVerifier>,
    identity: &Identity,
) -> Result<WithClients, ServerFault> {
    let Some(path) = &identity.client_ca else { return Ok(builder.with_no_client_auth()) };
    let roots = Arc::new(load("tls.client_ca", path, quic::roots)?);
    let verifier = WebPkiClientVerifier::builder_with_provider(roots, quic::provider()).build().map_err(|error| {
        ServerFault::Tls { cert: path.clone(), key: identity.key.clone(), reason: error.to_string() }
    })?;
    tracing::warn!(
        client_ca = %path.display(),
        "ANY certificate this CA signed may do EVERYTHING here: until roles exist, give it to nobody else"
    );
    Ok(builder.with_client_cert_verifier(verifier))
}

fn load<T>(
    setting: &'static str,
    path: &Path,
    parse: impl FnOnce(&[u8]) -> Result<T, PemFault>,
) -> Result<T, ServerFault> {
    let text = fs::read(path).map_err(|source| ServerFault::Read { setting, path: path.to_path_buf(), source })?;
    parse(&text).map_err(|fault| ServerFault::Pem { setting, path: path.to_path_buf(), fault })
}
