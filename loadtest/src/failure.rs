//! What can end a run before its result: what was attempted, on what.
//!
//! # Not here
//! - Wrong answers and books that differ. They are results: the run goes on, reports them, and exits non-zero.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use stockade::client::ClientError;
use stockade::wire::{FrameError, PushError};

use crate::replay::FileError;

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error("the server sent a frame that cannot be read: {0}")]
    Frame(#[from] FrameError),
    #[error("a request does not fit a frame: {0}")]
    Request(#[from] PushError),
    #[error("{attempt}: {answer}")]
    Unexpected { attempt: String, answer: String },
    #[error("the server ended the stream with {open} requests unanswered")]
    Unanswered { open: u64 },
    #[error("no answer came for {} s, with {open} orders waiting for theirs", waited.as_secs())]
    Stuck { waited: Duration, open: u64 },
    #[error("{attempt} {path}: {source}", path = path.display())]
    Io { attempt: &'static str, path: PathBuf, source: io::Error },
    #[error("the server this run started {what}; it said:\n{said}")]
    Child { what: String, said: String },
    #[error("{0}")]
    Usage(&'static str),
}

impl Failure {
    pub(crate) fn io(attempt: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { attempt, path, source }
    }
}
