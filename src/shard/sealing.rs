//! Details of a shard on their way: sealed before they are decided about, opened for who reads; and erasures that wait.
//!
//! ```text
//! erase ─► fact folded, key dead ─► entry durable ─► destroy ─ ─► overwritten ─► answered
//!               keep, take_dead        handle_durable            poll_answer
//! ```
//!
//! # Always true
//! - The engine is shown as many bytes as there will be, and nothing of what is in them. A placement that it refuses is
//!   never sealed: refusing stays cheap.
//! - A key is handed over to be destroyed once the fact it died of is durable, and not before: until then a crash
//!   brings it back.
//! - An erasure is answered once every key that had died until then is overwritten: also a repeated one, whose key may
//!   be on its way.
//! - Sealing and opening use the same memory over and over.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Waker;

use super::batcher::Moment;
use super::facts::Facts;
use super::lane::Lane;
use super::outbox::Outbox;
use super::sealer::Sealer;
use crate::base::limits::{DETAILS_BYTES_MAX, ERASURES_WAITING_MAX, RETRY_AFTER_MS, SEAL_BYTES, SEALED_BYTES_MAX};
use crate::base::{KeyName, Sequence};
use crate::engine::query::OrderView;
use crate::engine::{Answer, Command, Decision, Engine, Place, Refusal, Scratch};
use crate::wire::{Refused, Request, Tag};

/// An erasure that is decided.
pub(super) struct Erasure {
    pub(super) outbox: Arc<Outbox>,
    pub(super) tag: Tag,
    pub(super) lane: Lane,
    pub(super) answer: Answer,
    /// Where its fact will be found, or the last one before it.
    position: Sequence,
    /// How many keys had died until then.
    died: u64,
}

pub(super) struct Sealing {
    sealer: Box<dyn Sealer>,
    bytes: Vec<u8>,
    /// Keys that are dead, and where the facts are that say so.
    dead: VecDeque<(Sequence, KeyName)>,
    /// Keys that died, ever.
    died: u64,
    erasures: VecDeque<Erasure>,
}

/// What the engine is shown in place of details.
static BLANK: [u8; SEALED_BYTES_MAX] = [0; SEALED_BYTES_MAX];

/// Takes the details out of a placement and leaves as many bytes as they will be once they are sealed, under the key
/// that the engine says. Those that are longer than they may be stay, to be refused.
#[inline]
pub(super) fn take_details<'b>(engine: &Engine, request: &mut Request<'b>) -> &'b [u8] {
    match request {
        Request::Command(Command::Place(place)) if !place.details.is_empty() => blank(engine, place),
        Request::Command(_) | Request::Query(_) => &[],
    }
}

#[cold]
fn blank<'b>(engine: &Engine, place: &mut Place<'b>) -> &'b [u8] {
    let details = place.details;
    if details.len() > DETAILS_BYTES_MAX {
        return &[];
    }
    place.key = engine.key_for(place);
    place.details = &BLANK[..details.len() + if place.key.is_some() { SEAL_BYTES } else { 0 }];
    details
}

impl Sealing {
    pub(super) fn new(sealer: Box<dyn Sealer>, waker: Waker) -> Self {
        let mut sealer = sealer;
        sealer.watch(waker);
        let (dead, erasures) = (VecDeque::new(), VecDeque::new());
        Self { sealer, bytes: Vec::with_capacity(SEALED_BYTES_MAX), dead, died: 0, erasures }
    }

    /// Whether no more erasures may wait.
    pub(super) fn is_full(&self) -> bool {
        self.erasures.len() >= ERASURES_WAITING_MAX
    }

    /// Keeps an erasure until it can be answered. `position` is where its fact will be found, or the one before it.
    pub(super) fn keep(
        &mut self,
        engine: &mut Engine,
        position: Sequence,
        (outbox, lane): (Arc<Outbox>, Lane),
        (tag, answer): (Tag, Answer),
    ) {
        self.take_dead(engine, position);
        self.erasures.push_back(Erasure { outbox, tag, lane, answer, position, died: self.died });
    }

    /// Takes note of keys that died: for good once `position` is durable.
    pub(super) fn take_dead(&mut self, engine: &mut Engine, position: Sequence) {
        engine.take_dead_keys(|key| {
            self.dead.push_back((position, key));
            self.died += 1;
        });
    }

    /// Hands over every key whose death is durable.
    pub(super) fn handle_durable(&mut self, mark: Sequence) {
        while let Some((_, key)) = self.dead.pop_front_if(|(position, _)| *position <= mark) {
            self.sealer.destroy(key);
        }
    }

    /// The next erasure that may be answered.
    pub(super) fn poll_answer(&mut self, mark: Sequence) -> Option<Erasure> {
        self.erasures.pop_front_if(|first| is_over(first, mark, self.sealer.as_ref()))
    }

    /// Whether there is a key to hand over, or an erasure to answer.
    pub(super) fn has_work(&self, mark: Sequence) -> bool {
        self.dead.front().is_some_and(|(position, _)| *position <= mark)
            || self.erasures.front().is_some_and(|first| is_over(first, mark, self.sealer.as_ref()))
    }

    /// Whether it waits for the mark to move.
    pub(super) fn waits(&self) -> bool {
        !self.dead.is_empty() || !self.erasures.is_empty()
    }

    /// Decides a placement whose details were taken out of it by [`take_details`].
    pub(super) fn submit(
        &mut self,
        (engine, scratch, facts): (&mut Engine, &mut Scratch, &mut Facts),
        (place, details): (Place<'_>, &[u8]),
        moment: Moment,
    ) -> Result<Answer, Refused> {
        let otherwise = match engine.decide(&Command::Place(place), moment.now, scratch) {
            Ok(Decision::Repeated(answer)) => return Ok(answer),
            Ok(Decision::Happened { .. }) | Err(Refusal::SoldOut { .. }) if moment.disk_low => {
                return Err(Refused::DiskLow);
            }
            // The key is being made.
            Ok(Decision::Happened { .. }) => Refused::Overloaded { retry_after_ms: RETRY_AFTER_MS },
            // It was accepted before, perhaps with these details; if the key is lost, nobody can say.
            Err(Refusal::Conflict) if place.key.is_some() => Refusal::Erased.into(),
            Err(refusal) => return Err(refusal.into()),
        };
        self.bytes.clear();
        if !place.key.is_some_and(|key| self.sealer.seal(key, place.order, details, &mut self.bytes)) {
            return Err(otherwise);
        }
        let sealed = Command::Place(Place { details: &self.bytes, ..place });
        let answer = engine.submit(&sealed, moment.now, scratch, &mut |fact| facts.add(fact))?;
        Ok(answer)
    }

    /// Puts the details of an order in place of what they were sealed to.
    pub(super) fn open(&mut self, view: &mut OrderView) {
        let Some(key) = view.key.take() else { return };
        self.bytes.clear();
        view.erased = !self.sealer.open(key, view.order, &view.details, &mut self.bytes);
        view.details.clear();
        view.details.extend_from_slice(&self.bytes);
    }
}

/// Whether an erasure is durable, and every key overwritten that had died until then.
fn is_over(erasure: &Erasure, mark: Sequence, sealer: &dyn Sealer) -> bool {
    erasure.position <= mark && erasure.died <= sealer.destroyed()
}
