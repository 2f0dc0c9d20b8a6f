//! A lane: one batcher, one connection, and the task that keeps them together through every outage.
//!
//! # Always true
//! - Bytes of requests kept are bounded, whether or not their callers still wait; callers beyond it wait their turn.
//! - While there is no connection nobody is told so before the caller's own deadline: unless it can never work.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::Instant;

use super::ClientError;
use super::batcher::{Batcher, NoAnswer, StrayReply, Waiter};
use super::clock::random;
use super::connection::Slot;
use super::response::Settled;
use super::retry::Backoff;
use super::stream::{FrameStream, frames};
use crate::base::limits::{CLIENT_PENDING_BYTES_MAX, FRAME_BYTES_MAX};
use crate::engine::{Command, Query};
use crate::wire::{Request, decode_replies};

pub(super) struct Lane {
    slot: Arc<Slot>,
    begin: Instant,
    batcher: Mutex<Batcher<Caller>>,
    /// Somebody submitted.
    submitted: Notify,
    /// One permit a byte.
    room: Arc<Semaphore>,
    /// What went wrong last, for callers whose time is up.
    trouble: Mutex<Option<ClientError>>,
}

type Outcome = Result<Settled, ClientError>;

struct Caller {
    answer: oneshot::Sender<Outcome>,
    address: SocketAddr,
    expires_ms: u64,
    /// Held for as long as the request is kept, which may be longer than its caller waits.
    _room: OwnedSemaphorePermit,
}

impl Waiter for Caller {
    fn deliver(self, outcome: Result<Settled, NoAnswer>) {
        let address = self.address;
        // A caller that has gone wants no answer.
        let _gone = self.answer.send(outcome.map_err(|why| match why {
            NoAnswer::TooLarge => ClientError::TooLarge { bytes_max: FRAME_BYTES_MAX },
            NoAnswer::OutcomeUnknown(refused) => ClientError::OutcomeUnknown { address, refused },
        }));
    }

    fn is_gone(&self) -> bool {
        self.answer.is_closed()
    }

    fn expires_ms(&self) -> u64 {
        self.expires_ms
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while it holds one; if something did, what it left is as good as before.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Lane {
    pub(super) fn new(slot: Arc<Slot>) -> Self {
        Self {
            slot,
            begin: Instant::now(),
            batcher: Mutex::new(Batcher::new()),
            submitted: Notify::new(),
            room: Arc::new(Semaphore::new(CLIENT_PENDING_BYTES_MAX)),
            trouble: Mutex::new(None),
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.begin.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Submits a request and waits for its answer, for at most `wait`.
    pub(super) async fn submit(&self, request: &Request<'_>, wait: Duration) -> Outcome {
        match tokio::time::timeout(wait, self.wait_for(request, wait)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(self.deadline_fault(wait)),
        }
    }

    async fn wait_for(&self, request: &Request<'_>, wait: Duration) -> Outcome {
        let room = Arc::clone(&self.room).acquire_many_owned(request_bytes(request)).await;
        let room = room.map_err(|_| ClientError::ClientClosed)?;
        let expires_ms = self.now_ms().saturating_add(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
        let (answer, answered) = oneshot::channel();
        let caller = Caller { answer, address: self.slot.address(), expires_ms, _room: room };
        lock(&self.batcher).handle_submit(request, caller);
        self.submitted.notify_one();
        answered.await.unwrap_or(Err(ClientError::ClientClosed))
    }

    fn deadline_fault(&self, wait: Duration) -> ClientError {
        let last = lock(&self.trouble).as_ref().map_or_else(|| "none".into(), ToString::to_string);
        let waited_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        ClientError::Deadline { address: self.slot.address(), waited_ms, last }
    }

    /// Keeps the lane going for as long as the client lives.
    pub(super) async fn run(self: Arc<Self>) {
        let mut backoff = Backoff::new();
        loop {
            while lock(&self.batcher).is_idle() {
                self.submitted.notified().await;
            }
            let fault = match self.slot.open_stream().await {
                Ok(stream) => self.drive(stream, &mut backoff).await,
                Err(fault) => fault,
            };
            self.handle_fault(fault);
            tokio::time::sleep(backoff.pause(random())).await;
        }
    }

    fn handle_fault(&self, fault: ClientError) {
        let mut batcher = lock(&self.batcher);
        batcher.handle_lost();
        if !fault.is_passing() {
            for caller in batcher.take_all() {
                let _gone = caller.answer.send(Err(fault.clone()));
            }
        }
        *lock(&self.trouble) = Some(fault);
    }

    /// Sends and receives until the stream ends; says why it did.
    async fn drive(&self, stream: FrameStream, backoff: &mut Backoff) -> ClientError {
        let (mut sender, mut receiver) = stream.split();
        loop {
            let frame = lock(&self.batcher).poll_frame(self.now_ms());
            if let Some(frame) = frame
                && let Err(fault) = sender.send(Bytes::from(frame)).await
            {
                return fault;
            }
            let resume = lock(&self.batcher).poll_deadline();
            tokio::select! {
                received = receiver.recv() => match received {
                    Ok(Some(whole)) => {
                        backoff.reset();
                        if let Err(reason) = self.handle_frames(whole) {
                            return ClientError::Protocol { address: self.slot.address(), reason };
                        }
                    }
                    Ok(None) => return self.slot.ended("the server ended the stream"),
                    Err(fault) => return fault,
                },
                () = self.submitted.notified() => {}
                () = self.until(resume), if resume.is_some() => {}
            }
        }
    }

    async fn until(&self, at_ms: Option<u64>) {
        tokio::time::sleep_until(self.begin + Duration::from_millis(at_ms.unwrap_or_default())).await;
    }

    fn handle_frames(&self, whole: &[u8]) -> Result<(), String> {
        let now_ms = self.now_ms();
        let mut batcher = lock(&self.batcher);
        for frame in frames(whole) {
            let mut stray: Option<StrayReply> = None;
            let decoded = decode_replies(frame, |correlation, index, reply| {
                if let Err(found) = batcher.handle_reply(correlation, index, reply, now_ms) {
                    stray.get_or_insert(found);
                }
            });
            decoded.map_err(|error| error.to_string())?;
            if let Some(stray) = stray {
                return Err(stray.to_string());
            }
        }
        Ok(())
    }
}

/// Roughly what a request takes until it is answered.
fn request_bytes(request: &Request<'_>) -> u32 {
    let variable = match request {
        Request::Command(Command::Place(place)) => size_of_val(place.lines) + place.details.len(),
        Request::Command(
            Command::CancelLines { lines, .. }
            | Command::HandOver { lines, .. }
            | Command::ReportDelivered { lines, .. }
            | Command::ReturnToStock { lines, .. },
        ) => size_of_val(*lines),
        Request::Command(Command::EditOrder { edit, .. }) => {
            size_of_val(edit.prices) + size_of_val(edit.remove) + size_of_val(edit.add)
        }
        Request::Command(Command::Return { what, .. }) => size_of_val(what.with_lines(&[]).1),
        Request::Query(Query::Stock { skus, .. }) => size_of_val(*skus),
        Request::Query(Query::ResolveSkus { codes, .. }) => codes.text().len() + size_of_val(codes.ends()),
        Request::Command(_) | Request::Query(_) => 0,
    };
    u32::try_from((256 + variable).min(CLIENT_PENDING_BYTES_MAX)).unwrap_or(u32::MAX)
}
