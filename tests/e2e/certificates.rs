//! Who may talk to whom.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use stockade::client::{Client, ClientError, ClientIdentity, ClientOptions, PemSource};
use stockade::server::TlsOptions;

use crate::harness::World;

#[tokio::test]
async fn a_certificate_nobody_vouches_for_is_an_error_that_says_what_to_type() {
    let (world, other) = (World::new(1), World::new(1));
    let server = world.start().await;
    let stranger = other.start().await;
    let options = ClientOptions::local(server.address, other.data.path());
    let fault = Client::connect(options).await.map(drop).expect_err("the wrong certificate");
    assert!(matches!(fault, ClientError::Certificate { .. }), "{fault:?}");
    let text = fault.to_string();
    for part in ["--connect", "--ca", &server.address.to_string(), "cert.pem"] {
        assert!(text.contains(part), "{text}");
    }
    server.stop().await;
    stranger.stop().await;
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let world = World::new(1);
    let server = world.start().await;
    let mut options = ClientOptions::local(server.address, world.data.path());
    options.server_name = Some("shop.example".into());
    let fault = Client::connect(options).await.map(drop).expect_err("another name");
    assert!(matches!(&fault, ClientError::Certificate { name, .. } if name == "shop.example"), "{fault:?}");
    server.stop().await;
}

#[tokio::test]
async fn nobody_at_the_address_is_an_error_that_names_it() {
    let world = World::new(1);
    let server = world.start().await;
    let mut options = server.client_options(world.data.path());
    server.stop().await;
    options.connect_wait = std::time::Duration::from_millis(200);
    let address = options.address;
    let fault = Client::connect(options).await.map(drop).expect_err("nobody there");
    assert!(fault.to_string().contains(&address.to_string()), "{fault}");
}

/// An authority and what it signed.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("signed");
        Self { issuer }
    }

    fn sign(&self, dir: &Path, name: &str) -> (PathBuf, PathBuf) {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()]).expect("names");
        let cert = params.signed_by(&key, &self.issuer).expect("signed");
        let (cert_path, key_path) = (dir.join(format!("{name}.pem")), dir.join(format!("{name}.key")));
        std::fs::write(&cert_path, cert.pem()).expect("written");
        std::fs::write(&key_path, key.serialize_pem()).expect("written");
        (cert_path, key_path)
    }
}

#[tokio::test]
async fn with_a_client_ca_only_its_clients_get_in() {
    let world = World::new(1);
    let dir = world.data.path();
    let authority = Authority::new();
    let ca = dir.join("ca.pem");
    std::fs::write(&ca, authority.issuer.pem()).expect("written");
    let (cert, key) = authority.sign(dir, "server");
    let mut options = world.options(0);
    // Every address of this machine: not loopback, so all three are needed, and enough.
    options.address = SocketAddr::from(([0, 0, 0, 0], 0));
    options.tls = TlsOptions { cert: Some(cert), key: Some(key), client_ca: Some(ca.clone()) };
    let server = world.start_with(&options);
    let address = SocketAddr::from(([127, 0, 0, 1], server.address.port()));
    let trusting = ClientOptions { address, ca: PemSource::File(ca), ..ClientOptions::default() };

    let fault = Client::connect(trusting.clone()).await.map(drop).expect_err("no certificate shown");
    assert!(matches!(fault, ClientError::Unauthorised { .. }), "{fault:?}");

    let with = |(cert, key): (PathBuf, PathBuf)| {
        let identity = ClientIdentity { cert: PemSource::File(cert), key: PemSource::File(key) };
        ClientOptions { identity: Some(identity), ..trusting.clone() }
    };
    let fault =
        Client::connect(with(Authority::new().sign(dir, "stranger"))).await.map(drop).expect_err("another CA's");
    assert!(matches!(fault, ClientError::Unauthorised { .. }), "{fault:?}");

    let client = Client::connect(with(authority.sign(dir, "client"))).await.expect("let in");
    client.status().await.expect("a status");
    server.stop().await;
}
