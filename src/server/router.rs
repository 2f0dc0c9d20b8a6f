//! The router: where each record of a frame goes, and what is owed for it.
//!
//! # Always true
//! - What was admitted is settled once: when all answers of its submission are written, or when the session is dropped.
//!   What is turned away is settled down to its refusal at once, and whole when that is written.
//! - Refusals are counted before they are made, some of them ahead; what was not used goes back every turn.
//! - A batch is taken when there is a request to put in it and leaves with the submission: a stream that rests holds
//!   none.

use std::collections::VecDeque;
use std::sync::Arc;

use super::admission::{self, MARKET_BYTES, REFUSED_BYTES, STATUS_BYTES};
use super::budget::{Admission, Share};
use super::local::Local;
use super::rate::Rate;
use super::registry::{Homes, Registry};
use super::session::Wish;
use crate::base::limits::{AVAILABILITY_SKUS_MAX, IN_FLIGHT_FIRST_BYTES, RETRY_AFTER_MS};
use crate::base::{MarketId, ShardId, SkuId, Timestamp};
use crate::engine::refusal::Field;
use crate::engine::{Command, DIRECTORY_SHARD, Query, Refusal};
use crate::shard::{Board, LANES, Lane, Offer};
use crate::wire::{Batch, Intake, Refused, Request, RequestSink, Tag};

/// So many refusals made here are counted for together.
const REFUSALS_AHEAD: usize = 32;
const _: () = assert!(REFUSALS_AHEAD * REFUSED_BYTES <= IN_FLIGHT_FIRST_BYTES / 2, "whoever owes nothing is refused");

/// Where a session gets an empty batch for a shard: best one that was used before.
pub(super) type Spares = Box<dyn Fn(ShardId) -> Batch + Send>;

/// What time it is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Now {
    pub(super) log_time: Timestamp,
    pub(super) monotonic_ns: u64,
}

/// What a placement is held against before its shard hears of it.
#[derive(Clone)]
pub(super) struct Bounds {
    /// By shard.
    pub(super) boards: Arc<[Board]>,
    pub(super) rate: Arc<Rate>,
}

/// Where the records of a frame go.
pub(super) struct Router {
    pub(super) homes: Homes,
    pub(super) share: Arc<Share>,
    /// By shard, then by lane.
    roads: Vec<[Road; LANES]>,
    /// By shard.
    boards: Arc<[Board]>,
    rate: Arc<Rate>,
    /// As it was read last.
    pub(super) now: Now,
    /// Placements refused from a board.
    pub(super) sold_out: u64,
    spares: Spares,
    pub(super) wishes: VecDeque<Wish>,
    pub(super) wishes_open: usize,
    pub(super) local: Vec<(Tag, Local)>,
    /// Refusals that are counted for already: asking for each would cost a refusal more than everything else about it.
    refusals_ahead: usize,
    /// Counted for answers made here that were handed out and not yet written.
    unwritten_bytes: usize,
}

/// What goes to one lane of a shard, and what it owes.
#[derive(Default)]
struct Road {
    batch: Batch,
    answer_bytes: usize,
    owed: VecDeque<Debt>,
}

impl Road {
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
    pub(super) fn new(registry: Registry, share: Arc<Share>, bounds: Bounds, spares: Spares) -> Self {
        let Bounds { boards, rate } = bounds;
        Self {
            homes: Homes::new(registry),
            share,
            roads: boards.iter().map(|_| Default::default()).collect(),
            boards,
            rate,
            now: Now::default(),
            sold_out: 0,
            spares,
            wishes: VecDeque::new(),
            wishes_open: 0,
            local: Vec::new(),
            refusals_ahead: 0,
            unwritten_bytes: 0,
        }
    }

    fn road(&mut self, shard: ShardId, lane: Lane) -> &mut Road {
        &mut self.roads[usize::from(shard.0)][lane as usize]
    }

    /// Placements first: whatever is about them, from the same client, must not come before them.
    pub(super) fn poll_submission(&mut self) -> Option<(ShardId, Lane, Batch)> {
        for (shard, roads) in (0..).map(ShardId).zip(&mut self.roads) {
            for lane in [Lane::Orders, Lane::Urgent, Lane::Reads] {
                let road = &mut roads[lane as usize];
                if !road.batch.is_empty() {
                    let requests = road.batch.len() as u64;
                    road.owed.push_back(Debt { requests, answer_bytes: std::mem::take(&mut road.answer_bytes) });
                    return Some((shard, lane, std::mem::take(&mut road.batch)));
                }
            }
        }
        None
    }

    pub(super) fn handle_turned_away(&mut self, (shard, lane): (ShardId, Lane), batch: &Batch, why: Refused) {
        let debt = self.road(shard, lane).owed.pop_back().expect("law: what is turned away was submitted last");
        self.share.settle(debt.answer_bytes - batch.len() * REFUSED_BYTES);
        self.local.extend(batch.iter().map(|(tag, _)| (tag, Local::Refused(why))));
    }

    pub(super) fn handle_replies(&mut self, shard: ShardId, requests: [u64; LANES]) {
        let share = Arc::clone(&self.share);
        for lane in Lane::ALL {
            let owed = &mut self.road(shard, lane).owed;
            let mut left = requests[lane as usize];
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
    }

    pub(super) fn poll_local(&mut self) -> Vec<(Tag, Local)> {
        self.give_back_ahead();
        self.unwritten_bytes += local_bytes(&self.local);
        std::mem::take(&mut self.local)
    }

    fn give_back_ahead(&mut self) {
        let ahead = std::mem::take(&mut self.refusals_ahead);
        if ahead > 0 {
            self.share.settle(ahead * REFUSED_BYTES);
        }
    }

    pub(super) fn handle_local_written(&mut self, answer_bytes: usize) {
        self.unwritten_bytes -= answer_bytes;
        self.share.settle(answer_bytes);
    }

    pub(super) fn is_settled(&self) -> bool {
        self.wishes_open == 0 && self.local.is_empty() && self.roads.iter().flatten().all(Road::is_settled)
    }

    /// Refuses here, unless so much is owed already that even that has to wait.
    fn refuse(&mut self, tag: Tag, why: Refused) -> Intake {
        if self.refusals_ahead == 0 {
            if self.share.admit(REFUSALS_AHEAD * REFUSED_BYTES) != Admission::In {
                return Intake::Later;
            }
            self.refusals_ahead = REFUSALS_AHEAD;
        }
        self.refusals_ahead -= 1;
        self.local.push((tag, Local::Refused(why)));
        Intake::Taken
    }

    /// Refuses here what was let in already.
    fn refuse_admitted(&mut self, tag: Tag, answer_bytes: usize, why: Refused) {
        self.share.settle(answer_bytes - REFUSED_BYTES);
        self.local.push((tag, Local::Refused(why)));
    }

    /// Reads units for sale off the board. What does not stand there does not exist.
    fn availability(&mut self, tag: Tag, shard: ShardId, market: MarketId, skus: &[SkuId]) -> Intake {
        if skus.len() > AVAILABILITY_SKUS_MAX {
            let (field, max) = (Field::Rows, AVAILABILITY_SKUS_MAX as u64);
            return self.refuse(tag, Refused::Engine(Refusal::OutOfBounds { field, min: 0, max }));
        }
        let answer_bytes = admission::answer_bytes_max(&Request::Query(Query::Availability { market, skus }));
        match self.share.admit(answer_bytes) {
            Admission::In => {}
            outcome => return self.turn_away(tag, outcome),
        }
        let board = &self.boards[usize::from(shard.0)];
        let units = |sku: &SkuId| board.offer(market, *sku).map(Offer::units).ok_or(Refusal::UnknownSku { sku: *sku });
        match skus.iter().map(units).collect() {
            Ok(units) => self.local.push((tag, Local::Availability { units, answer_bytes })),
            Err(refusal) => self.refuse_admitted(tag, answer_bytes, Refused::Engine(refusal)),
        }
        Intake::Taken
    }

    /// What is not let in: waits until less is owed, or is refused because waiting would not help.
    fn turn_away(&mut self, tag: Tag, outcome: Admission) -> Intake {
        if outcome == Admission::Later {
            return Intake::Later;
        }
        self.refuse(tag, Refused::Overloaded { retry_after_ms: RETRY_AFTER_MS })
    }
}

impl RequestSink for Router {
    fn request(&mut self, tag: Tag, request: &Request<'_>) -> Intake {
        if let Request::Command(Command::AssignMarket { code }) = request {
            return match self.share.admit(MARKET_BYTES) {
                Admission::In => {
                    self.wishes_open += 1;
                    self.wishes.push_back(Wish { tag, code: (*code).to_owned() });
                    Intake::Taken
                }
                outcome => self.turn_away(tag, outcome),
            };
        }
        let shard = match request {
            Request::Query(Query::Market { .. }) => Some(DIRECTORY_SHARD),
            _ => admission::market(request).and_then(|market| self.homes.shard(market)),
        };
        let Some(shard) = shard else { return self.refuse(tag, Refused::Engine(Refusal::UnknownMarket)) };
        let board = &self.boards[usize::from(shard.0)];
        match request {
            Request::Command(Command::Place(place)) => {
                if let Some(refusal) = board.refuse(place, self.now.log_time) {
                    let intake = self.refuse(tag, Refused::Engine(refusal));
                    self.sold_out += u64::from(intake == Intake::Taken);
                    return intake;
                }
            }
            Request::Query(Query::Availability { market, skus }) => {
                return self.availability(tag, shard, *market, skus);
            }
            _ => {}
        }
        let answer_bytes = admission::answer_bytes_max(request);
        match self.share.admit(answer_bytes) {
            Admission::In => {}
            outcome => return self.turn_away(tag, outcome),
        }
        // After everything that may make it come again: what comes again must not count twice.
        if let Request::Command(Command::Place(_)) = request
            && let Err(retry_after_ms) = self.rate.admit(self.now.monotonic_ns)
        {
            self.refuse_admitted(tag, answer_bytes, Refused::Overloaded { retry_after_ms });
            return Intake::Taken;
        }
        let road = &mut self.roads[usize::from(shard.0)][Lane::of(request) as usize];
        if road.batch.is_empty() {
            road.batch = (self.spares)(shard);
        }
        road.answer_bytes += answer_bytes;
        road.batch.push(tag, request);
        Intake::Taken
    }

    fn status(&mut self, tag: Tag) -> Intake {
        match self.share.admit(STATUS_BYTES) {
            Admission::In => {
                self.local.push((tag, Local::Status));
                Intake::Taken
            }
            outcome => self.turn_away(tag, outcome),
        }
    }

    fn refused(&mut self, tag: Tag, why: Refused) -> Intake {
        self.refuse(tag, why)
    }
}

impl Drop for Router {
    /// A stream that ends early leaves answers behind that nobody will take.
    fn drop(&mut self) {
        self.give_back_ahead();
        let owed: usize = self.roads.iter().flatten().map(Road::owed_bytes).sum();
        let local = local_bytes(&self.local) + self.unwritten_bytes;
        self.share.settle(owed + self.wishes_open * MARKET_BYTES + local);
    }
}

fn local_bytes(local: &[(Tag, Local)]) -> usize {
    local.iter().map(|(_, local)| local.answer_bytes()).sum()
}
