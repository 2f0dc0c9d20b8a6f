//! The batcher: what callers submit while one frame is in flight becomes the next frame. A pure machine.
//!
//! ```text
//! handle_submit ─► waiting ─ poll_frame ─► in flight ─ handle_reply ─► caller
//!                   ▲   ▲                   │      │
//!                   │   └── handle_lost ────┘      │ overloaded, and a retry can be afforded
//!                   └────── paused until due ◄─────┘
//! ```
//!
//! # Always true
//! - A request that was answered is never sent again: a refused order whose caller was told so must not be placed.
//! - A request is sent again with the identifiers it had.
//! - A reply is believed only when its request is in flight, open and of its kind.
//! - Nobody whose command may have been accepted by a connection that was lost is told that it changed nothing, unless
//!   the engine said so, which would have known it again.
//! # Why so
//! No timer: an idle client sends at once, a busy one sends larger frames. After a lost connection everything open is
//! sent again without asking the budget; connecting has its own pauses.

use std::collections::VecDeque;

use super::response::{QueryReply, Response, Settled};
use super::retry::Budget;
use crate::base::limits::{FRAME_BYTES_MAX, FRAME_COMMANDS_MAX, RECONNECT_FIRST_MS};
use crate::engine::query::StockRow;
use crate::wire::{Batch, FrameWriter, PushError, Refused, Reply, Request, Tag};

/// Somebody who waits for an answer.
pub(super) trait Waiter {
    /// The answer, or why there will be none.
    fn deliver(self, outcome: Result<Settled, NoAnswer>);
    /// Whether nobody listens any more.
    fn is_gone(&self) -> bool;
    /// When it will have given up.
    fn expires_ms(&self) -> u64;
}

/// Why somebody gets no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoAnswer {
    /// The request fits no frame.
    TooLarge,
    /// It may have been accepted before a connection was lost; sent again it was refused without being decided.
    OutcomeUnknown(Refused),
}

/// What was wrong with a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum StrayReply {
    #[error("a reply to frame {correlation}, which is not in flight")]
    Frame { correlation: u64 },
    #[error("a reply to request {index}, which is not open")]
    Request { index: u16 },
    #[error("a reply to request {index} that answers something else")]
    Kind { index: u16 },
}

pub(super) struct Batcher<W> {
    waiting: VecDeque<Group<W>>,
    flight: Option<Flight<W>>,
    paused: Group<W>,
    resume_ms: Option<u64>,
    budget: Budget,
    correlation: u64,
}

/// Requests and who waits for them, side by side. Nobody waits for what was answered: it is never written again.
struct Group<W> {
    batch: Batch,
    waiters: Vec<Option<Open<W>>>,
}

/// Somebody whose request has no answer yet.
struct Open<W> {
    waiter: W,
    /// It was in flight when a connection was lost: the server may have accepted it.
    is_doubtful: bool,
}

impl<W: Waiter> Open<W> {
    /// Tells what the server said. Only the engine knows a request again: any other refusal says nothing of the first
    /// sending.
    fn settle(self, settled: Settled) {
        self.waiter.deliver(match settled {
            Settled::Command(Response::Refused(why)) if self.is_doubtful && !matches!(why, Refused::Engine(_)) => {
                Err(NoAnswer::OutcomeUnknown(why))
            }
            settled => Ok(settled),
        });
    }
}

impl<W> Default for Group<W> {
    fn default() -> Self {
        Self { batch: Batch::default(), waiters: Vec::new() }
    }
}

impl<W> Group<W> {
    fn push(&mut self, request: &Request<'_>, open: Open<W>) {
        self.batch.push(Tag::default(), request);
        self.waiters.push(Some(open));
    }

    const fn is_empty(&self) -> bool {
        self.waiters.is_empty()
    }

    /// Without those whom nobody listens for any more, and without the bytes of what was answered.
    fn retain_listening(&mut self)
    where
        W: Waiter,
    {
        let all = std::mem::take(self);
        for (position, open) in all.waiters.into_iter().enumerate() {
            let Some(open) = open.filter(|open| !open.waiter.is_gone()) else { continue };
            let request = all.batch.request(position);
            self.push(&request, open);
        }
    }

    /// Roughly a frame's worth: more goes into another group.
    const fn is_full(&self) -> bool {
        self.waiters.len() >= FRAME_COMMANDS_MAX || self.batch.bytes() >= FRAME_BYTES_MAX
    }
}

struct Flight<W> {
    group: Group<W>,
    correlation: u64,
    /// Position in the group, by index in the frame.
    positions: Vec<usize>,
    /// Stock rows of a reply that goes on, by index.
    parts: Vec<(u16, Vec<StockRow>)>,
    open: usize,
}

impl<W: Waiter> Batcher<W> {
    pub(super) fn new() -> Self {
        Self {
            waiting: VecDeque::new(),
            flight: None,
            paused: Group::default(),
            resume_ms: None,
            budget: Budget::new(),
            correlation: 0,
        }
    }

    /// Another request.
    pub(super) fn handle_submit(&mut self, request: &Request<'_>, waiter: W) {
        let open = Open { waiter, is_doubtful: false };
        match self.waiting.back_mut() {
            Some(group) if !group.is_full() => group.push(request, open),
            _ => {
                let mut group = Group::default();
                group.push(request, open);
                self.waiting.push_back(group);
            }
        }
    }

    /// Whether there is anything to send, now or later.
    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.flight.is_none() && self.paused.is_empty()
    }

    /// The next frame to send, when none is in flight and somebody waits.
    pub(super) fn poll_frame(&mut self, now_ms: u64) -> Option<Vec<u8>> {
        self.resume(now_ms);
        while self.flight.is_none() {
            let group = self.waiting.pop_front()?;
            let (flight, frame, rest) = self.take_off(group, now_ms);
            if !rest.is_empty() {
                self.waiting.push_front(rest);
            }
            if flight.open > 0 {
                self.flight = Some(flight);
                return Some(frame);
            }
        }
        None
    }

    /// Writes as much of a group as fits a frame.
    fn take_off(&mut self, mut group: Group<W>, now_ms: u64) -> (Flight<W>, Vec<u8>, Group<W>) {
        self.correlation += 1;
        let mut writer = FrameWriter::new(Vec::new());
        let expiries = group.waiters.iter().flatten().map(|open| open.waiter.expires_ms());
        let latest = expiries.max().unwrap_or(now_ms);
        let left_ms = u32::try_from(latest.saturating_sub(now_ms)).unwrap_or(u32::MAX).max(1);
        writer.begin(self.correlation, left_ms);
        let (mut positions, mut rest) = (Vec::with_capacity(group.waiters.len()), Group::default());
        for position in 0..group.waiters.len() {
            let Some(open) = group.waiters[position].take().filter(|open| !open.waiter.is_gone()) else { continue };
            let request = group.batch.request(position);
            match write(&mut writer, &request) {
                Ok(_) => {
                    positions.push(position);
                    group.waiters[position] = Some(open);
                }
                Err(PushError::FrameFull) => rest.push(&request, open),
                Err(PushError::TooLarge | PushError::NotForClients) => open.waiter.deliver(Err(NoAnswer::TooLarge)),
            }
        }
        let open = positions.len();
        let flight = Flight { group, correlation: self.correlation, positions, parts: Vec::new(), open };
        (flight, writer.into_frame(), rest)
    }

    /// The server replied to a request of the frame in flight.
    pub(super) fn handle_reply(
        &mut self,
        correlation: u64,
        index: u16,
        reply: Reply<'_>,
        now_ms: u64,
    ) -> Result<(), StrayReply> {
        let stray = StrayReply::Frame { correlation };
        let flight = self.flight.as_mut().filter(|flight| flight.correlation == correlation).ok_or(stray)?;
        let position = flight.positions.get(usize::from(index)).copied();
        let position = position.ok_or(StrayReply::Request { index })?;
        if let Reply::Stock { rows, more: true } = reply {
            flight.parts.push((index, rows));
            return Ok(());
        }
        let request = flight.group.batch.request(position);
        let open = flight.group.waiters[position].take().ok_or(StrayReply::Request { index })?;
        let settled = Settled::of(&request, reply, take_parts(&mut flight.parts, index));
        let settled = settled.ok_or(StrayReply::Kind { index })?;
        flight.open -= 1;
        let landed = flight.open == 0;
        let expires_ms = open.waiter.expires_ms();
        match pause_ms(&settled).filter(|pause| now_ms + pause < expires_ms && self.budget.take()) {
            Some(pause) => {
                self.paused.push(&request, open);
                self.resume_ms = Some(self.resume_ms.unwrap_or(0).max(now_ms + pause));
            }
            None => {
                self.budget.handle_answered();
                open.settle(settled);
            }
        }
        if landed {
            self.flight = None;
        }
        Ok(())
    }

    /// The connection is gone, or none could be made: everything open is sent again, before what came later. Whoever
    /// gave up meanwhile is forgotten: an outage may be long.
    pub(super) fn handle_lost(&mut self) {
        if let Some(Flight { mut group, .. }) = self.flight.take() {
            group.waiters.iter_mut().flatten().for_each(|open| open.is_doubtful = true);
            self.waiting.push_front(group);
        }
        self.paused.retain_listening();
        self.waiting.iter_mut().for_each(Group::retain_listening);
        self.waiting.retain(|group| !group.is_empty());
    }

    /// There will never be a connection: everybody who waits is sent away.
    pub(super) fn take_all(&mut self) -> impl Iterator<Item = W> + use<W> {
        let flight = self.flight.take().map(|flight| flight.group);
        let paused = std::mem::take(&mut self.paused);
        self.resume_ms = None;
        let groups = flight.into_iter().chain([paused]).chain(std::mem::take(&mut self.waiting));
        groups.flat_map(|group| group.waiters).flatten().map(|open| open.waiter)
    }

    /// When `poll_frame` may have something although nobody submitted.
    pub(super) const fn poll_deadline(&self) -> Option<u64> {
        self.resume_ms
    }

    fn resume(&mut self, now_ms: u64) {
        if self.resume_ms.is_some_and(|at| now_ms >= at) {
            self.resume_ms = None;
            self.waiting.push_front(std::mem::take(&mut self.paused));
        }
    }
}

fn write(writer: &mut FrameWriter, request: &Request<'_>) -> Result<u16, PushError> {
    match request {
        Request::Command(command) => writer.push(command),
        Request::Query(query) => writer.push_query(query),
    }
}

fn take_parts(parts: &mut Vec<(u16, Vec<StockRow>)>, index: u16) -> Vec<StockRow> {
    parts.extract_if(.., |(of, _)| *of == index).flat_map(|(_, rows)| rows).collect()
}

/// How long to wait before the same request may fare better; `None` for answers.
fn pause_ms(settled: &Settled) -> Option<u64> {
    match settled {
        Settled::Command(Response::Refused(why)) | Settled::Query(QueryReply::Refused(why)) => match why {
            Refused::Overloaded { retry_after_ms } => Some(u64::from(*retry_after_ms)),
            Refused::ShuttingDown => Some(RECONNECT_FIRST_MS),
            _ => None,
        },
        Settled::Command(Response::Answered { .. }) | Settled::Query(_) => None,
    }
}

#[cfg(test)]
mod tests;
