//! The router: where each record of a frame goes, and what is owed for it.
//!
//! # Always true
//! - What was admitted is settled once: when all answers of its submission are written, when it was turned away, or
//!   when the session is dropped.
//! - A batch is taken when there is a request to put in it and leaves with the submission: a stream that rests holds
//!   none.

use std::collections::VecDeque;
use std::sync::Arc;

use super::admission::{self, MARKET_BYTES, STATUS_BYTES};
use super::budget::Share;
use super::local::Local;
use super::registry::{Homes, Registry};
use super::session::Wish;
use crate::base::limits::{AVAILABILITY_SKUS_MAX, RETRY_AFTER_MS};
use crate::base::{MarketId, ShardId, SkuId, Timestamp};
use crate::engine::refusal::Field;
use crate::engine::{Command, DIRECTORY_SHARD, Query, Refusal};
use crate::shard::{Board, Offer};
use crate::wire::{Batch, Refused, Request, RequestSink, Tag};

/// Where a session gets an empty batch for a shard: best one that was used before.
pub(super) type Spares = Box<dyn Fn(ShardId) -> Batch + Send>;

/// Where the records of a frame go.
pub(super) struct Router {
    pub(super) homes: Homes,
    pub(super) share: Arc<Share>,
    lanes: Vec<Lane>,
    /// By shard.
    boards: Arc<[Board]>,
    /// Log time, as it was read last.
    pub(super) now: Timestamp,
    /// Placements refused from a board.
    pub(super) sold_out: u64,
    spares: Spares,
    pub(super) wishes: VecDeque<Wish>,
    pub(super) wishes_open: usize,
    pub(super) local: Vec<(Tag, Local)>,
    /// Counted for answers made here that were handed out and not yet written.
    unwritten_bytes: usize,
}

/// What goes to one shard, and what it owes.
#[derive(Default)]
pub(super) struct Lane {
    batch: Batch,
    answer_bytes: usize,
    owed: VecDeque<Debt>,
}

impl Lane {
    fn is_settled(&self) -> bool {
        self.batch.is_empty() && self.owed.is_empty()
    }

    fn owed_bytes(&self) -> usize {
        self.answer_bytes + self.owed.iter().map(|debt| debt.answer_bytes).sum::<usize>()
    }
}

/// One submission: its answers come in any order, so its bytes are settled when all of that many are written.
struct Debt {
    requests: u64,
    answer_bytes: usize,
}

impl Router {
    pub(super) fn new(boards: Arc<[Board]>, registry: Registry, share: Arc<Share>, spares: Spares) -> Self {
        Self {
            homes: Homes::new(registry),
            share,
            lanes: boards.iter().map(|_| Lane::default()).collect(),
            boards,
            now: Timestamp::ZERO,
            sold_out: 0,
            spares,
            wishes: VecDeque::new(),
            wishes_open: 0,
            local: Vec::new(),
            unwritten_bytes: 0,
        }
    }

    fn lane(&mut self, shard: ShardId) -> &mut Lane {
        &mut self.lanes[usize::from(shard.0)]
    }

    pub(super) fn poll_submission(&mut self) -> Option<(ShardId, Batch)> {
        let (shard, lane) = (0..).zip(&mut self.lanes).find(|(_, lane)| !lane.batch.is_empty())?;
        let requests = lane.batch.len() as u64;
        lane.owed.push_back(Debt { requests, answer_bytes: std::mem::take(&mut lane.answer_bytes) });
        Some((ShardId(shard), std::mem::take(&mut lane.batch)))
    }

    pub(super) fn handle_turned_away(&mut self, shard: ShardId, batch: &Batch, why: Refused) {
        let debt = self.lane(shard).owed.pop_back().expect("law: what is turned away was submitted last");
        self.share.settle(debt.answer_bytes);
        self.local.extend(batch.iter().map(|(tag, _)| (tag, Local::Refused(why))));
    }

    pub(super) fn handle_replies(&mut self, shard: ShardId, requests: u64) {
        let share = Arc::clone(&self.share);
        let owed = &mut self.lane(shard).owed;
        let mut left = requests;
        while left > 0 {
            let debt = owed.front_mut().expect("law: a shard answers each request once");
            let paid = debt.requests.min(left);
            debt.requests -= paid;
            left -= paid;
            if debt.requests == 0 {
                share.settle(debt.answer_bytes);
                owed.pop_front();
            }
        }
    }

    pub(super) fn poll_local(&mut self) -> Vec<(Tag, Local)> {
        self.unwritten_bytes += local_bytes(&self.local);
        std::mem::take(&mut self.local)
    }

    pub(super) fn handle_local_written(&mut self, answer_bytes: usize) {
        self.unwritten_bytes -= answer_bytes;
        self.share.settle(answer_bytes);
    }

    pub(super) fn is_settled(&self) -> bool {
        self.wishes_open == 0 && self.local.is_empty() && self.lanes.iter().all(Lane::is_settled)
    }

    fn refuse(&mut self, tag: Tag, why: Refused) {
        self.local.push((tag, Local::Refused(why)));
    }

    /// Reads units for sale off the board. What does not stand there does not exist.
    fn availability(&mut self, tag: Tag, shard: ShardId, market: MarketId, skus: &[SkuId]) {
        if skus.len() > AVAILABILITY_SKUS_MAX {
            let (field, max) = (Field::Rows, AVAILABILITY_SKUS_MAX as u64);
            return self.refuse(tag, Refused::Engine(Refusal::OutOfBounds { field, min: 0, max }));
        }
        let answer_bytes = admission::answer_bytes_max(&Request::Query(Query::Availability { market, skus }));
        if !self.admit(tag, answer_bytes) {
            return;
        }
        let board = &self.boards[usize::from(shard.0)];
        let units = |sku: &SkuId| board.offer(market, *sku).map(Offer::units).ok_or(Refusal::UnknownSku { sku: *sku });
        match skus.iter().map(units).collect() {
            Ok(units) => self.local.push((tag, Local::Availability { units, answer_bytes })),
            Err(refusal) => {
                self.share.settle(answer_bytes);
                self.refuse(tag, Refused::Engine(refusal));
            }
        }
    }

    fn admit(&mut self, tag: Tag, answer_bytes: usize) -> bool {
        let admitted = self.share.admit(answer_bytes);
        if !admitted {
            self.refuse(tag, Refused::Overloaded { retry_after_ms: RETRY_AFTER_MS });
        }
        admitted
    }
}

impl RequestSink for Router {
    fn request(&mut self, tag: Tag, request: &Request<'_>) {
        if let Request::Command(Command::AssignMarket { code }) = request {
            if self.admit(tag, MARKET_BYTES) {
                self.wishes_open += 1;
                self.wishes.push_back(Wish { tag, code: (*code).to_owned() });
            }
            return;
        }
        let shard = match request {
            Request::Query(Query::Market { .. }) => Some(DIRECTORY_SHARD),
            _ => admission::market(request).and_then(|market| self.homes.shard(market)),
        };
        let Some(shard) = shard else { return self.refuse(tag, Refused::Engine(Refusal::UnknownMarket)) };
        let board = &self.boards[usize::from(shard.0)];
        match request {
            Request::Command(Command::Place(place)) => {
                if let Some(refusal) = board.refuse(place, self.now) {
                    self.sold_out += 1;
                    return self.refuse(tag, Refused::Engine(refusal));
                }
            }
            Request::Query(Query::Availability { market, skus }) => {
                return self.availability(tag, shard, *market, skus);
            }
            _ => {}
        }
        let answer_bytes = admission::answer_bytes_max(request);
        if self.admit(tag, answer_bytes) {
            let lane = &mut self.lanes[usize::from(shard.0)];
            if lane.batch.is_empty() {
                lane.batch = (self.spares)(shard);
            }
            lane.answer_bytes += answer_bytes;
            lane.batch.push(tag, request);
        }
    }

    fn status(&mut self, tag: Tag) {
        if self.admit(tag, STATUS_BYTES) {
            self.local.push((tag, Local::Status));
        }
    }

    fn refused(&mut self, tag: Tag, why: Refused) {
        self.refuse(tag, why);
    }
}

impl Drop for Router {
    /// A stream that ends early leaves answers behind that nobody will take.
    fn drop(&mut self) {
        let owed: usize = self.lanes.iter().map(Lane::owed_bytes).sum();
        let local = local_bytes(&self.local) + self.unwritten_bytes;
        self.share.settle(owed + self.wishes_open * MARKET_BYTES + local);
    }
}

fn local_bytes(local: &[(Tag, Local)]) -> usize {
    local.iter().map(|(_, local)| local.answer_bytes()).sum()
}
