//! A session: what one stream asks, split by shard, and what it is still owed. A pure machine; `stream` moves its
//! bytes.
//!
//! ```text
//! bytes ─► input ─► frames ─► records ─┬─► batch of a lane  ─► poll_submission ─► inbox ──┐
//!                                      ├─► another shard's  ─►       "                    │ handle_replies
//!                                      ├─► market to create ─► poll_wish                  │
//!                                      └─► settled here     ─► poll_local                 │
//!            stops reading while its connection is owed too much ◄── owed until written ──┘
//! ```
//!
//! # Always true
//! - It never waits for one request before it looks at the next, until the connection is owed too much: then even the
//!   rest of a frame waits. Everything one read brought for a lane of a shard is one submission.
//! - Every request is answered exactly once: by its shard, by the creation of its market, or here.
//! - Whatever the bytes, the outcome is requests, refusals or a numbered end of the connection.
//! # Not here
//! - Sockets and clocks: `stream`. What an answer may cost: `admission`. The connection's share of memory: `budget`.

use std::sync::Arc;
use std::time::Duration;

use super::admission::{MARKET_BYTES, REFUSED_BYTES};
use super::budget::{Share, Windows};
use super::input::Input;
use super::local::Local;
use super::registry::Registry;
use super::router::{Bounds, Now, Router, Spares};
use crate::base::ShardId;
use crate::base::limits::{
    FIRST_FRAME_BYTES_MAX, FRAME_BYTES_MAX, POOL_RETRY_MS, POOL_RETRY_MS_MAX, READ_BUFFER_QUIET_MS,
};
use crate::engine::Answer;
use crate::shard::{LANES, Lane};
use crate::wire::{Batch, CloseCode, FrameDecoder, FrameError, Pause, Refused, RequestHeader, Tag};

/// Why a session ends its connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Closing {
    pub(super) code: CloseCode,
    pub(super) reason: String,
}

impl From<FrameError> for Closing {
    fn from(error: FrameError) -> Self {
        Self { code: error.close_code(), reason: error.to_string() }
    }
}

/// What became of the frame at the front of the input.
enum Front {
    /// All of its records were taken.
    Whole,
    /// Some were; the others wait until the connection is owed less.
    Paused,
    /// More bytes are needed.
    Incomplete,
}

/// A market somebody asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wish {
    pub(super) tag: Tag,
    pub(super) code: String,
}

pub(super) struct Session {
    input: Input,
    decoder: FrameDecoder,
    /// Where the frame at the front goes on, when only some of its records could be taken.
    pause: Option<Pause>,
    router: Router,
    frame_wait_ms: u64,
    /// The client will send nothing more.
    ended: bool,
    /// Nothing more is taken in: the server is stopping.
    draining: bool,
    /// Frames wait in the input until the connection is owed less.
    held: bool,
    /// Nothing is read until replies have been written.
    blocked: bool,
    /// Since when the frame at the front has been incomplete.
    frame_since_ms: Option<u64>,
    last_read_ms: u64,
    /// After how long it looks again whether the pool, or the connection's share, has room.
    retry_ms: u64,
    windows: Option<Windows>,
}

impl Session {
    pub(super) fn new(
        registry: Registry,
        share: Arc<Share>,
        bounds: Bounds,
        spares: Spares,
        frame_wait: Duration,
    ) -> Self {
        Self {
            input: Input::new(Arc::clone(share.pool())),
            decoder: FrameDecoder::default(),
            pause: None,
            router: Router::new(registry, share, bounds, spares),
            frame_wait_ms: u64::try_from(frame_wait.as_millis()).unwrap_or(u64::MAX),
            ended: false,
            draining: false,
            held: false,
            blocked: false,
            frame_since_ms: None,
            last_read_ms: 0,
            retry_ms: POOL_RETRY_MS,
            windows: None,
        }
    }

    /// Where the next bytes of the stream go; empty while nothing may be read.
    pub(super) fn room(&mut self) -> &mut [u8] {
        if self.ended || self.draining || self.held { &mut [] } else { self.input.room() }
    }

    /// So many bytes were put into the room. Takes every whole frame apart.
    pub(super) fn handle_read(&mut self, bytes: usize, now_ms: u64) -> Result<(), Closing> {
        self.input.handle_read(bytes);
        self.last_read_ms = now_ms;
        self.handle_room(now_ms)
    }

    /// The client has said everything it wanted.
    pub(super) fn handle_end(&mut self) -> Result<(), Closing> {
        self.ended = true;
        if self.input.is_empty() || self.held {
            return Ok(());
        }
        Err(Closing { code: CloseCode::FrameTooShort, reason: "the stream ended inside a frame".into() })
    }

    /// The server is stopping: what was taken in is still answered.
    pub(super) fn handle_drain(&mut self) {
        self.draining = true;
        self.frame_since_ms = None;
    }

    /// What time it is, as far as requests are refused here; to be told before anything is read.
    pub(super) const fn handle_now(&mut self, now: Now) {
        self.router.now = now;
    }

    /// Placements refused since the last call because a board said so.
    pub(super) fn take_sold_out(&mut self) -> u64 {
        std::mem::take(&mut self.router.sold_out)
    }

    /// Looks at the frames that wait, as far as the connection may be owed more.
    pub(super) fn handle_room(&mut self, now_ms: u64) -> Result<(), Closing> {
        if self.draining {
            return Ok(());
        }
        let mut frames = 0;
        self.held = loop {
            if !self.router.share.has_room() {
                break !self.input.is_empty();
            }
            match self.take_frame(now_ms)? {
                Front::Whole => frames += 1,
                Front::Paused => break true,
                Front::Incomplete => break false,
            }
        };
        self.measure_frame(frames > 0, now_ms);
        match self.ended && !self.held && !self.input.is_empty() {
            true => self.handle_end(),
            false => Ok(()),
        }
    }

    /// Takes the frame at the front apart, if it is whole, as far as the connection may be owed more.
    fn take_frame(&mut self, now_ms: u64) -> Result<Front, Closing> {
        let length_max = if self.router.share.is_proven() { FRAME_BYTES_MAX } else { FIRST_FRAME_BYTES_MAX };
        let bytes = self.input.bytes();
        let Some(header) = RequestHeader::parse(bytes, length_max)? else { return Ok(Front::Incomplete) };
        let Some(frame) = bytes.get(..header.length) else {
            self.input.handle_wanted(header.length);
            return Ok(Front::Incomplete);
        };
        self.pause = match self.pause {
            Some(pause) => self.decoder.resume(pause, frame, &mut self.router),
            None => self.decoder.decode(&header, frame, now_ms, &mut self.router)?,
        };
        if let Some(windows) = self.router.share.handle_sound_frame() {
            self.windows = Some(windows);
        }
        if self.pause.is_some() {
            return Ok(Front::Paused);
        }
        self.input.handle_taken(header.length);
        Ok(Front::Whole)
    }

    /// Whether frames wait until the connection is owed less.
    pub(super) const fn is_held(&self) -> bool {
        self.held
    }

    /// Replies wait to be written, so that nothing is read; or do so no longer.
    pub(super) fn handle_blocked(&mut self, blocked: bool, now_ms: u64) {
        self.blocked = blocked;
        self.measure_frame(false, now_ms);
    }

    /// The time a frame may take begins with its first byte, and anew when it had to wait for us.
    fn measure_frame(&mut self, completed: bool, now_ms: u64) {
        let ours = self.held || self.blocked || self.draining || self.input.is_starved();
        let incomplete = !ours && !self.input.is_empty();
        self.frame_since_ms = match self.frame_since_ms {
            Some(since) if incomplete && !completed => Some(since),
            _ => incomplete.then_some(now_ms),
        };
    }

    /// What is to be handed to a shard. Drain it after every `handle_read` and `handle_room`.
    pub(super) fn poll_submission(&mut self) -> Option<(ShardId, Lane, Batch)> {
        self.router.poll_submission()
    }

    /// The shard would not take it: every request of it is refused.
    pub(super) fn handle_turned_away(&mut self, from: (ShardId, Lane), batch: &Batch, why: Refused) {
        self.router.handle_turned_away(from, batch, why);
    }

    /// The answers of a shard to so many requests of each lane were written.
    pub(super) fn handle_replies(&mut self, shard: ShardId, requests: [u64; LANES]) {
        self.router.handle_replies(shard, requests);
    }

    /// Whether markets are being created for it.
    pub(super) const fn has_wishes(&self) -> bool {
        self.router.wishes_open > 0
    }

    /// A market to create.
    pub(super) fn poll_wish(&mut self) -> Option<Wish> {
        self.router.wishes.pop_front()
    }

    /// What became of it.
    pub(super) fn handle_market(&mut self, tag: Tag, outcome: Result<Answer, Refused>) {
        self.router.wishes_open -= 1;
        const { assert!(MARKET_BYTES == REFUSED_BYTES, "either answer owes the same") };
        self.router.local.push((tag, outcome.map_or_else(Local::Refused, Local::Answered)));
    }

    /// Answers made here, to be written as reply records. Empty when there are none.
    pub(super) fn poll_local(&mut self) -> Vec<(Tag, Local)> {
        self.router.poll_local()
    }

    /// Answers made here, of so many [`Local::answer_bytes`], were written.
    pub(super) fn handle_local_written(&mut self, answer_bytes: usize) {
        self.router.handle_local_written(answer_bytes);
    }

    /// So many bytes of answers went out.
    pub(super) fn handle_written(&mut self, bytes: usize) {
        if let Some(windows) = self.router.share.handle_written(bytes) {
            self.windows = Some(windows);
        }
    }

    /// The connection has earned more: its windows may be wider.
    pub(super) fn poll_windows(&mut self) -> Option<Windows> {
        self.windows.take()
    }

    /// When `handle_timeout` is to be called, if nothing else happens.
    pub(super) fn poll_deadline(&mut self, now_ms: u64) -> Option<u64> {
        // Only the last attempt to read told whether the pool has room for the frame.
        self.measure_frame(false, now_ms);
        if !self.lacks_room() {
            self.retry_ms = POOL_RETRY_MS;
        }
        let retry = self.lacks_room().then(|| now_ms + self.retry_ms);
        let frame = self.frame_since_ms.map(|since| since + self.frame_wait_ms);
        let quiet = self.input.is_idle().then(|| self.last_read_ms + READ_BUFFER_QUIET_MS);
        [retry, frame, quiet].into_iter().flatten().min()
    }

    const fn lacks_room(&self) -> bool {
        self.held || self.input.is_starved()
    }

    /// Time has passed.
    pub(super) fn handle_timeout(&mut self, now_ms: u64) -> Result<(), Closing> {
        if self.frame_since_ms.is_some_and(|since| now_ms >= since + self.frame_wait_ms) {
            let reason = format!("a frame was not complete within {} ms", self.frame_wait_ms);
            return Err(Closing { code: CloseCode::FrameTimeout, reason });
        }
        if self.input.is_idle() && now_ms >= self.last_read_ms + READ_BUFFER_QUIET_MS {
            self.input.release();
        }
        // Thousands that wait for what a few hold must not keep the network's thread busy with looking.
        if self.lacks_room() {
            self.retry_ms = (2 * self.retry_ms).min(POOL_RETRY_MS_MAX);
        }
        if self.held { self.handle_room(now_ms) } else { Ok(()) }
    }

    /// Whether every request taken in has been answered.
    pub(super) fn is_settled(&self) -> bool {
        self.router.is_settled()
    }

    /// Whether the stream has nothing more to come, in either direction.
    pub(super) fn is_over(&self) -> bool {
        let silent = self.draining || (self.ended && self.input.is_empty());
        silent && self.is_settled()
    }
}

#[cfg(test)]
mod tests;
