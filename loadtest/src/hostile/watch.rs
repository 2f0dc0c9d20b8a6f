//! What is looked at while attackers are at work: the server's memory, and whether somebody new gets in.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use serde::Serialize;
use stockade::client::{Client, ClientOptions};
use stockade::wire::Status;

use crate::exchange::Exchange;
use crate::failure::Failure;

const LOOK_EVERY: Duration = Duration::from_millis(50);
const KNOCK_EVERY: Duration = Duration::from_millis(500);

/// The server's memory and its connections, at their most.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Peak {
    pub(super) rss_bytes: u64,
    pub(super) connections: u64,
}

/// Honest clients that come while attackers are there.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Newcomers {
    pub(crate) tried: u64,
    /// Turned away, or not let in within the time a client waits.
    pub(crate) failed: u64,
    /// Until the first answer.
    pub(crate) slowest_ms: f64,
}

/// Both, growing.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) peak: RefCell<Peak>,
    pub(super) newcomers: RefCell<Newcomers>,
}

impl Seen {
    fn take(&self, status: &Status) {
        let mut peak = self.peak.borrow_mut();
        peak.rss_bytes = peak.rss_bytes.max(status.rss_bytes);
        peak.connections = peak.connections.max(status.connections);
    }

    /// Looks at the server until it is dropped.
    pub(super) async fn watch(&self, exchange: &mut Exchange) -> Failure {
        loop {
            match exchange.status().await {
                Ok(status) => self.take(&status),
                Err(failure) => return failure,
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Connects as an honest client, now and then, until it is dropped.
    pub(super) async fn knock(&self, options: &ClientOptions) -> Failure {
        loop {
            tokio::time::sleep(KNOCK_EVERY).await;
            let begin = Instant::now();
            let came = Client::connect(options.clone()).await;
            let mut newcomers = self.newcomers.borrow_mut();
            newcomers.tried += 1;
            newcomers.failed += u64::from(came.is_err());
            newcomers.slowest_ms = newcomers.slowest_ms.max(begin.elapsed().as_secs_f64() * 1e3);
        }
    }
}
