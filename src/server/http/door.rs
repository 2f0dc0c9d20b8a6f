//! The listener and its few connections.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, oneshot};

use super::super::ServerFault;
use crate::base::limits::{
    HTTP_ACCEPT_PAUSE_MS, HTTP_CONNECTION_MS_MAX, HTTP_CONNECTIONS_MAX, HTTP_HEAD_BYTES_MAX, HTTP_HEAD_MS_MAX,
};

/// Whoever knows what is told.
pub trait HttpSource: Send + Sync + 'static {
    /// All metrics, in the text format of Prometheus.
    fn metrics(&self) -> String;
    /// How the node is.
    fn health(&self) -> Health;
}

/// How the node is.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Health {
    /// The process does what it should; if not, it should be started again.
    pub live: bool,
    /// Orders are answered.
    pub ready: bool,
    /// Why, in words.
    pub reason: &'static str,
}

/// The thread behind the door. Dropping it closes the door.
pub struct HttpDoor {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl HttpDoor {
    /// Listens, and answers from a thread of its own.
    ///
    /// # Errors
    /// [`ServerFault::HttpBind`] with the address.
    pub fn start(address: SocketAddr, source: Arc<dyn HttpSource>) -> Result<Self, ServerFault> {
        let fault = |error| ServerFault::HttpBind { address, source: error };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(fault)?;
        let listener = runtime.block_on(TcpListener::bind(address)).map_err(fault)?;
        let bound = listener.local_addr().map_err(fault)?;
        let (stop, stopped) = oneshot::channel();
        let body = move || runtime.block_on(serve(listener, &source, stopped));
        let thread = std::thread::Builder::new().name("http".to_owned()).spawn(body).map_err(fault)?;
        tracing::info!(address = %bound, "metrics and health over HTTP");
        Ok(Self { address: bound, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for HttpDoor {
    fn drop(&mut self) {
        drop(self.stop.take());
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread of the door for metrics has panicked");
        }
    }
}

async fn serve(listener: TcpListener, source: &Arc<dyn HttpSource>, mut stopped: oneshot::Receiver<()>) {
    let slots = Arc::new(Semaphore::new(HTTP_CONNECTIONS_MAX));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = &mut stopped => return,
        };
        let Ok((stream, _)) = accepted else {
            // Out of sockets, most likely: asking again at once would spin.
            tokio::time::sleep(Duration::from_millis(HTTP_ACCEPT_PAUSE_MS)).await;
            continue;
        };
        let Ok(slot) = Arc::clone(&slots).try_acquire_owned() else { continue };
        let source = Arc::clone(source);
        tokio::spawn(async move {
            let life = Duration::from_millis(HTTP_CONNECTION_MS_MAX);
            // Whatever a peer does wrong ends its own connection only.
            let _ended = tokio::time::timeout(life, converse(stream, source)).await;
            drop(slot);
        });
    }
}

async fn converse(stream: TcpStream, source: Arc<dyn HttpSource>) -> Result<(), hyper::Error> {
    let service = service_fn(move |request: Request<Incoming>| {
        let response = answer(request.method(), request.uri().path(), source.as_ref());
        async move { Ok::<_, Infallible>(response) }
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(HTTP_HEAD_MS_MAX))
        .max_buf_size(HTTP_HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .await
}

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// What Prometheus asks for.
const EXPOSITION: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

fn answer(method: &Method, path: &str, source: &dyn HttpSource) -> Response<Full<Bytes>> {
    if !matches!(*method, Method::GET | Method::HEAD) {
        let mut refused = response(StatusCode::METHOD_NOT_ALLOWED, TEXT, "only GET and HEAD\n".to_owned());
        refused.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return refused;
    }
    let status = |good: bool| if good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    match path {
        "/metrics" => response(StatusCode::OK, EXPOSITION, source.metrics()),
        "/livez" => {
            let Health { live, reason, .. } = source.health();
            response(status(live), TEXT, format!("{reason}\n"))
        }
        "/readyz" => {
            let Health { ready, reason, .. } = source.health();
            response(status(ready), TEXT, format!("{reason}\n"))
        }
        "/healthz" => {
            let health = source.health();
            let body = serde_json::to_string(&health).expect("law: two flags and a sentence are JSON");
            response(status(health.live && health.ready), JSON, body)
        }
        _ => response(StatusCode::NOT_FOUND, TEXT, "there are /metrics, /livez, /readyz and /healthz\n".to_owned()),
    }
}

fn response(status: StatusCode, kind: HeaderValue, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
