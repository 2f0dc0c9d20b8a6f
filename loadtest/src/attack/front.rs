//! Where attackers come from: one socket, and connections made over it by plain QUIC.

use std::cell::RefCell;
use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use quinn::crypto::ClientConfig as Handshake;
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{ClientConfig, Connection, Endpoint, EndpointConfig, TokioRuntime, TransportConfig, VarInt};
use stockade::quic;
use stockade::wire::FrameWriter;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;

use super::counts::Counts;
use super::forge::Forger;
use crate::arguments::ChildAttack;

/// Attackers that knock at once; more would only wait for each other.
const KNOCKING_MAX: usize = 128;
/// Says so often that it is still there, as a server wants to hear.
const KEEP_ALIVE: Duration = Duration::from_secs(8);
/// Before somebody who was turned away comes again.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// How attackers keep the rules of QUIC.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manner {
    /// Bytes of a stream that the server may send before somebody reads.
    window_bytes: u32,
    /// Whether packets are rewritten on their way out.
    forged: bool,
}

impl Manner {
    pub(super) const PLAIN: Self = Self { window_bytes: 1 << 20, forged: false };
    /// Nobody will read: what may arrive is as little as makes a connection.
    pub(super) const DEAF: Self = Self { window_bytes: 16 << 10, forged: false };
    /// Streams full of holes.
    pub(super) const FORGED: Self = Self { window_bytes: 1 << 20, forged: true };
}

/// A way in.
pub(super) struct Front {
    endpoint: Endpoint,
    address: SocketAddr,
    name: String,
    counts: RefCell<Counts>,
    knocking: Semaphore,
    met: Notify,
    over: Duration,
}

impl Front {
    pub(super) fn open(options: &ChildAttack, manner: Manner) -> Result<Self, String> {
        let local: SocketAddr = match options.address {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let socket = quic::bind(local).map_err(|error| error.to_string())?;
        let mut endpoint = Endpoint::new(EndpointConfig::default(), None, socket, Arc::new(TokioRuntime))
            .map_err(|error| error.to_string())?;
        let tls = Arc::new(tls(options)?);
        let handshake: Arc<dyn Handshake> = if manner.forged { Arc::new(Forger::new(tls)) } else { tls };
        let mut config = ClientConfig::new(handshake);
        config.transport_config(Arc::new(transport(manner)));
        endpoint.set_default_client_config(config);
        Ok(Self {
            endpoint,
            address: options.address,
            name: options.name.clone(),
            counts: RefCell::default(),
            knocking: Semaphore::new(KNOCKING_MAX),
            met: Notify::new(),
            over: Duration::from_millis(options.over_ms),
        })
    }

    /// One attempt.
    pub(super) async fn connect(&self) -> Option<Connection> {
        let _turn = self.knocking.acquire().await.ok()?;
        let outcome = match self.endpoint.connect(self.address, &self.name) {
            Ok(connecting) => connecting.await,
            Err(_) => return None,
        };
        let met = match outcome {
            Ok(connection) => {
                self.counts.borrow_mut().opened += 1;
                Some(connection)
            }
            Err(error) => {
                self.counts.borrow_mut().count_unmet(&error);
                None
            }
        };
        self.met.notify_one();
        met
    }

    /// So many attackers, each coming again when it is thrown out. All come at once and begin one after the other.
    /// Never ends.
    pub(super) async fn crowd<A: AsyncFn(usize, &Connection) + 'static>(self: &Rc<Self>, count: u32, act: A) {
        let (mut crowd, act) = (JoinSet::new(), Rc::new(act));
        for at in 0..count as usize {
            let (front, act) = (Rc::clone(self), Rc::clone(&act));
            let mut patience = self.over * u32::try_from(at).unwrap_or(u32::MAX) / count;
            crowd.spawn_local(async move {
                loop {
                    if let Some(connection) = front.connect().await {
                        // Only the first time.
                        let patience = std::mem::take(&mut patience);
                        let act = async {
                            tokio::time::sleep(patience).await;
                            act(at, &connection).await;
                        };
                        tokio::select! {
                            () = act => { let _over = connection.closed().await; }
                            _ = connection.closed() => {}
                        }
                        if let Some(why) = connection.close_reason() {
                            front.counts.borrow_mut().count_ended(&why);
                        }
                    }
                    tokio::time::sleep(AGAIN_AFTER).await;
                }
            });
        }
        while let Some(ended) = crowd.join_next().await {
            if let Err(error) = ended
                && error.is_panic()
            {
                std::panic::resume_unwind(error.into_panic());
            }
        }
    }

    /// Until so many have come, or were turned away.
    pub(super) async fn wait_for(&self, count: u32) {
        loop {
            let Counts { opened, refused, failed, .. } = self.counts();
            if opened + refused + failed >= u64::from(count) {
                return;
            }
            self.met.notified().await;
        }
    }

    pub(super) fn count_stream(&self) {
        self.counts.borrow_mut().streams += 1;
    }

    pub(super) fn count_sent(&self, bytes: usize) {
        self.counts.borrow_mut().sent_bytes += bytes as u64;
    }

    pub(super) fn counts(&self) -> Counts {
        self.counts.borrow().clone()
    }

    /// Everybody leaves.
    pub(super) fn close(&self) {
        self.endpoint.close(VarInt::from_u32(0), b"");
    }

    /// Until the server has been told.
    pub(super) async fn wait_idle(&self) {
        self.endpoint.wait_idle().await;
    }
}

/// One sound frame, of one cheap question.
pub(super) fn sound_frame() -> Vec<u8> {
    let mut writer = FrameWriter::default();
    writer.begin(0, 0);
    let pushed = writer.push_status();
    pushed.expect("law: an empty frame has room for a question");
    writer.into_frame()
}

fn tls(options: &ChildAttack) -> Result<QuicClientConfig, String> {
    let read = |path: &std::path::Path| fs::read(path).map_err(|error| format!("{}: {error}", path.display()));
    let roots = quic::roots(&read(&options.ca)?).map_err(|fault| fault.to_string())?;
    let builder = rustls::ClientConfig::builder_with_provider(quic::provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots);
    let mut tls = match (&options.cert, &options.key) {
        (Some(cert), Some(key)) => {
            let cert = quic::certificates(&read(cert)?).map_err(|fault| fault.to_string())?;
            let key = quic::private_key(&read(key)?).map_err(|fault| fault.to_string())?;
            builder.with_client_auth_cert(cert, key).map_err(|error| error.to_string())?
        }
        _ => builder.with_no_client_auth(),
    };
    tls.alpn_protocols = vec![quic::ALPN.to_vec()];
    QuicClientConfig::try_from(tls).map_err(|error| error.to_string())
}

fn transport(manner: Manner) -> TransportConfig {
    let mut transport = TransportConfig::default();
    transport
        .stream_receive_window(VarInt::from_u32(manner.window_bytes))
        .receive_window(VarInt::from_u32(manner.window_bytes))
        .keep_alive_interval(Some(KEEP_ALIVE));
    transport
}
