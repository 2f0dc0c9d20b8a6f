//! A webhook: facts as JSON, signed, posted to a receiver in the order in which they happened, at least once.
//!
//! # Always true
//! - A message is followed by the next of its shard only once the receiver has answered it with a 2xx.
//! - What is read here is durable; nothing here slows a shard.
//! # Not here
//! - Which facts, and from where on: `feed`. When to try again: `courier`.

mod contents;
mod drive;
mod event;
mod post;
mod signature;

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

use tokio::sync::Notify;
use tokio::task::LocalSet;

use super::stats::SinkStats;
use crate::base::Sequence;
use crate::base::limits::WEBHOOK_SECRETS_MAX;
use crate::shard::{Inbox, LogClock};
use crate::wal::{FileDisk, Handle};
use drive::Drive;
use post::Post;

pub use post::Target;
pub use signature::Secret;

/// A webhook as an operator describes it.
#[derive(Debug, Clone)]
pub struct WebhookOptions {
    /// Names its cursor, and is part of every message's identifier.
    pub name: String,
    /// Whom messages go to.
    pub target: Target,
    /// A file with a secret a line; messages are signed with each.
    pub secret_file: PathBuf,
    /// What to trust instead of what the system trusts.
    pub ca: Option<PathBuf>,
}

impl WebhookOptions {
    /// Looks whether a webhook could begin, before anything else does.
    ///
    /// # Errors
    /// As [`Webhook::start`].
    pub fn check(&self) -> io::Result<()> {
        self.secrets()?;
        Post::new(self.target.clone(), self.ca.as_deref()).map(drop)
    }

    fn secrets(&self) -> io::Result<Vec<Secret>> {
        let named = |why: String| io::Error::other(format!("{}: {why}", self.secret_file.display()));
        let text = fs::read_to_string(&self.secret_file).map_err(|why| named(why.to_string()))?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let secrets: Vec<_> = lines.map(Secret::parse).collect::<Result<_, _>>().map_err(named)?;
        if (1..=WEBHOOK_SECRETS_MAX).contains(&secrets.len()) {
            return Ok(secrets);
        }
        let what = format!("it must hold 1 to {WEBHOOK_SECRETS_MAX} secrets, one a line, not {}", secrets.len());
        Err(named(what))
    }
}

/// Where a webhook's facts come from, and where its cursors are kept.
pub struct Source {
    /// The log on the disk.
    pub disk: FileDisk,
    /// Where it is durable.
    pub log: Handle,
    /// Every shard's.
    pub inboxes: Vec<Inbox>,
    /// The webhook's cursors, by shard.
    pub cursors: Vec<Sequence>,
    /// For its lag.
    pub clock: LogClock,
}

/// A webhook on its thread. Dropping it ends it: what is under way has a moment to be taken, or will be sent again.
pub struct Webhook {
    name: String,
    stop: Arc<Notify>,
    stats: Arc<SinkStats>,
    thread: Option<JoinHandle<()>>,
}

impl Webhook {
    /// Begins behind its cursors.
    ///
    /// # Errors
    /// Secrets or certificates that cannot be read or are none; a system without a thread to give.
    pub fn start(options: WebhookOptions, source: Source) -> io::Result<Self> {
        let (stop, stats) = (Arc::<Notify>::default(), Arc::<SinkStats>::default());
        let secrets = options.secrets()?;
        let post = Post::new(options.target, options.ca.as_deref())?;
        let name = options.name.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = {
            let (stop, stats) = (Arc::clone(&stop), Arc::clone(&stats));
            Builder::new().name(format!("sink-{name}")).spawn(move || {
                // The kernel may refuse: then shoppers wait a little for whoever keeps the books.
                let _refused = rustix::process::nice(PRIORITY);
                let drive = Drive::new(options.name, (post, secrets), source, stats);
                LocalSet::new().block_on(&runtime, drive.run(&stop));
                // A name that is being looked up must not hold the stop: that is a thread which nothing can end.
                runtime.shutdown_background();
            })?
        };
        Ok(Self { name, stop, stats, thread: Some(thread) })
    }

    /// For labels.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is doing.
    #[must_use]
    pub fn stats(&self) -> Arc<SinkStats> {
        Arc::clone(&self.stats)
    }
}

/// Low, so that during a peak the lag grows and not the time until orders are answered.
const PRIORITY: i32 = 10;

impl Drop for Webhook {
    fn drop(&mut self) {
        self.stop.notify_one();
        if let Some(thread) = self.thread.take() {
            // A thread that found a law broken has said so already.
            let _ended = thread.join();
        }
    }
}
