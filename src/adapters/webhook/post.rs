//! One HTTP exchange with the receiver: connections are kept and used again, redirects are not followed.

use std::cell::RefCell;
use std::io;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::task::spawn_local;
use tokio_rustls::TlsConnector;

use crate::base::limits::WEBHOOK_ANSWER_BYTES_MAX;
use crate::quic;

/// Whom messages go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    uri: Uri,
    host: String,
    port: u16,
    is_encrypted: bool,
}

impl Target {
    /// Reads a URL.
    ///
    /// # Errors
    /// In words, what is wrong and what is allowed: `https`, or `http` to this machine.
    pub fn parse(text: &str) -> Result<Self, String> {
        let uri: Uri = text.parse().map_err(|why| format!("it is no URL: {why}"))?;
        let authority = uri.authority().ok_or("it names no host; write https://HOST/PATH")?;
        if authority.as_str().contains('@') {
            return Err("it holds a password; messages are signed instead".to_owned());
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let is_encrypted = match uri.scheme_str() {
            Some("https") => true,
            Some("http") if is_this_machine(&host) => false,
            Some("http") => return Err("http is for receivers on this machine; use https".to_owned()),
            _ => return Err("it must begin with https://, or with http:// for this machine".to_owned()),
        };
        let port = authority.port_u16().unwrap_or(if is_encrypted { 443 } else { 80 });
        Ok(Self { host, port, is_encrypted, uri })
    }

    /// Path and query.
    fn path(&self) -> &str {
        self.uri.path_and_query().map_or("/", |path| path.as_str())
    }

    fn authority(&self) -> &str {
        self.uri.authority().map_or("", |authority| authority.as_str())
    }
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

/// Why a message was not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum PostFault {
    #[error("no connection: {0}")]
    Connect(#[from] io::Error),
    #[error("the connection broke: {0}")]
    Http(#[from] hyper::Error),
    #[error("it answered {0}")]
    Status(hyper::StatusCode),
    #[error("it took too long")]
    Late,
}

type Sender = SendRequest<Full<Bytes>>;

/// The way to the receiver.
pub(super) struct Post {
    target: Target,
    tls: Option<TlsConnector>,
    /// Connections that wait for the next message.
    idle: RefCell<Vec<Sender>>,
}

impl Post {
    /// `ca` is what to trust instead of what the system trusts.
    ///
    /// # Errors
    /// A file that cannot be read or holds no certificate; a system that trusts nobody.
    pub(super) fn new(target: Target, ca: Option<&Path>) -> io::Result<Self> {
        let tls = if target.is_encrypted { Some(TlsConnector::from(Arc::new(tls(ca)?))) } else { None };
        Ok(Self { target, tls, idle: RefCell::default() })
    }

    /// Posts a body with these headers; done when the receiver has answered with any 2xx.
    pub(super) async fn send(&self, headers: &[(&str, String)], body: Bytes) -> Result<(), PostFault> {
        let mut sender = self.sender().await?;
        let mut request = Request::post(self.target.path());
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        request = request.header("host", self.target.authority()).header("content-type", "application/json");
        request = request.header("user-agent", concat!("stockade/", env!("CARGO_PKG_VERSION")));
        let request = request.body(Full::new(body)).expect("law: names of sinks make sound headers");
        let answer = sender.send_request(request).await?;
        let status = answer.status();
        if read_to_end(answer).await && !sender.is_closed() {
            self.idle.borrow_mut().push(sender);
        }
        if status.is_success() { Ok(()) } else { Err(PostFault::Status(status)) }
    }

    /// A connection that waited, if one still lives, or a new one.
    async fn sender(&self) -> Result<Sender, PostFault> {
        while let Some(mut sender) = self.take_idle() {
            if sender.ready().await.is_ok() {
                return Ok(sender);
            }
        }
        let stream = TcpStream::connect((self.target.host.as_str(), self.target.port)).await?;
        stream.set_nodelay(true)?;
        let Some(tls) = &self.tls else { return begin(TokioIo::new(stream)).await };
        let name = ServerName::try_from(self.target.host.clone()).map_err(io::Error::other)?;
        begin(TokioIo::new(tls.connect(name, stream).await?)).await
    }

    fn take_idle(&self) -> Option<Sender> {
        self.idle.borrow_mut().pop()
    }
}

async fn begin<I>(stream: I) -> Result<Sender, PostFault>
where
    I: hyper::rt::Read + hyper::rt::Write + Unpin + 'static,
{
    let (sender, connection) = handshake(stream).await?;
    spawn_local(async move {
        // Whoever sends on it learns how it ended.
        let _ended = connection.await;
    });
    Ok(sender)
}

/// Reads an answer of a bounded length; a connection with a longer one is of no use any more.
async fn read_to_end(answer: Response<hyper::body::Incoming>) -> bool {
    Limited::new(answer.into_body(), WEBHOOK_ANSWER_BYTES_MAX).collect().await.is_ok()
}

fn tls(ca: Option<&Path>) -> io::Result<ClientConfig> {
    let roots = match ca {
        Some(path) => {
            let named = |why: &dyn std::fmt::Display| io::Error::other(format!("{}: {why}", path.display()));
            let text = std::fs::read(path).map_err(|why| named(&why))?;
            quic::roots(&text).map_err(|why| named(&why))?
        }
        None => trusted_by_the_system()?,
    };
    let builder = ClientConfig::builder_with_provider(quic::provider());
    let builder = builder.with_safe_default_protocol_versions().map_err(io::Error::other)?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

fn trusted_by_the_system() -> io::Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    let (added, _unfit) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let nobody = "this system trusts no certificate authority; name one with --webhook-ca FILE";
    if added == 0 { Err(io::Error::other(nobody)) } else { Ok(roots) }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use tokio::task::LocalSet;

    use super::*;

    /// Answers each request of one connection after the other with these bytes. Says how many connections there were.
    fn receive(listener: &TcpListener, answers: Vec<Vec<u8>>) -> usize {
        let (mut connections, mut answers) = (0, answers.into_iter());
        while answers.len() > 0 {
            let (mut stream, _) = listener.accept().expect("a connection");
            connections += 1;
            let mut request = vec![0; 4_096];
            while stream.read(&mut request).is_ok_and(|read| read > 0) {
                let Some(answer) = answers.next() else { return connections };
                if stream.write_all(&answer).is_err() || !answer.starts_with(b"HTTP/1.1 204") {
                    break;
                }
            }
        }
        connections
    }

    #[test]
    fn whatever_a_receiver_answers_is_taken_or_not_and_its_connection_used_again_or_not() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let listening = LocalSet::new().block_on(&runtime, async {
            let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
            let url = format!("http://{}/", listener.local_addr().expect("bound"));
            let taken = b"HTTP/1.1 204 No Content\r\n\r\n".to_vec();
            let mut endless = b"HTTP/1.1 200 OK\r\ncontent-length: 999999999\r\n\r\n".to_vec();
            endless.resize(endless.len() + 2 * WEBHOOK_ANSWER_BYTES_MAX, b'x');
            let refused = b"HTTP/1.1 500 Oh No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_vec();
            let answers = vec![taken.clone(), taken.clone(), endless, b"what?\r\n\r\n".to_vec(), refused, taken];
            let listening = std::thread::spawn(move || receive(&listener, answers));
            let post = Post::new(Target::parse(&url).expect("this machine"), None).expect("no certificates needed");
            let send = async || post.send(&[("webhook-id", "1".to_owned())], Bytes::from_static(b"{}")).await;
            assert!(send().await.is_ok() && send().await.is_ok(), "on one connection");
            assert!(send().await.is_ok(), "taken, although its answer is of no use");
            assert!(post.idle.borrow().is_empty(), "nobody waits for the end of an endless answer");
            assert!(matches!(send().await, Err(PostFault::Http(_))), "that was no HTTP");
            assert!(matches!(send().await, Err(PostFault::Status(status)) if status == 500));
            assert!(send().await.is_ok());
            listening
        });
        // The last connection has ended with whoever drove it.
        assert_eq!(listening.join().expect("no panic"), 4);
    }

    #[test]
    fn a_receiver_that_is_not_there_is_no_connection() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        LocalSet::new().block_on(&runtime, async {
            let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
            let url = format!("http://{}/", listener.local_addr().expect("bound"));
            drop(listener);
            let post = Post::new(Target::parse(&url).expect("this machine"), None).expect("no certificates needed");
            let sent = post.send(&[], Bytes::new()).await;
            assert!(matches!(sent, Err(PostFault::Connect(_))), "{sent:?}");
        });
    }

    #[test]
    fn a_receiver_elsewhere_is_reached_encrypted_or_not_at_all() {
        let target = Target::parse("https://erp.example.org/hooks?from=stockade").expect("sound");
        assert_eq!((target.host.as_str(), target.port, target.is_encrypted), ("erp.example.org", 443, true));
        assert_eq!(target.path(), "/hooks?from=stockade");
        let local = Target::parse("http://[::1]:9000").expect("this machine");
        assert_eq!((local.host.as_str(), local.port, local.is_encrypted), ("::1", 9_000, false));
        for (text, why) in [
            ("http://erp.example.org/", "http is for receivers on this machine; use https"),
            ("ftp://localhost/", "it must begin with https://, or with http:// for this machine"),
            ("https://me:secret@erp.example.org/", "it holds a password; messages are signed instead"),
            ("/hooks", "it names no host; write https://HOST/PATH"),
            ("https://", "it is no URL"),
        ] {
            let refused = Target::parse(text).expect_err(text);
            assert!(refused.starts_with(why), "{text}: {refused}");
        }
    }
}
