//! The batch machine: submissions in, entries and replies out. No clock, no thread, no disk.
//!
//! ```text
//! handle_submission ─► backlogs ─► handle_turn: sweep what is due │ look ahead, decide, fold (in groups)
//!                      of lanes         │ replies                 │ facts
//!                                       ▼                         ▼
//!                                  handle_turn_end: put, tagged   poll_append: the entry and whom to wake
//! ```
//!
//! # Always true
//! - Every turn, with or without requests, first does what is to be done by itself, some of it: `due`.
//! - Who comes up short while due reservations are unswept is decided after all of them have been, in a later turn;
//!   so is whoever reads.
//! - A request whose deadline has passed costs nothing but its answer.
//! - Every lane gets its share of every turn; what one leaves is the others'.
//! - A turn is bounded in requests (a reading counts as many), in bytes of facts and in bytes of replies; the rest
//!   waits for the next one.
//!
//! # Why so
//! A group is looked up before it is decided, so that its cache misses overlap; a group larger than the cache would be
//! forgotten before its turn.

use std::sync::Arc;

use super::answers::{Answers, End, Visit};
use super::backlog::{Backlog, Pending};
use super::board::{Board, Change, Posting};
use super::facts::{Facts, Sealed};
use super::inbox::Submission;
use super::lane::{Admitted, LANES, Lane};
use super::queries::answer_query;
use super::sealing::{Erasure, Sealing, take_details};
use super::second_chance::SecondChances;
use crate::base::limits::{
    ID_AHEAD_MS_MAX, LOOK_AHEAD_COMMANDS_MAX, READING_WORTH_COMMANDS, RETRY_AFTER_MS, TURN_BYTES_MAX,
    TURN_COMMANDS_MAX, TURN_REPLY_BYTES_MAX,
};
use crate::base::{OrderId, Sequence, Timestamp};
use crate::engine::{Answer, Command, Decision, Draw, Engine, Query, Refusal, Scratch};
use crate::wire::{Batch, Refused, Request, Tag};

mod due;

/// The world as a turn finds it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    /// Log time.
    pub(super) now: Timestamp,
    /// In the time that deadlines of requests are told in.
    pub(super) monotonic_ms: u64,
    /// Placements are refused.
    pub(super) disk_low: bool,
    /// The mark.
    pub(super) durable: Sequence,
    /// Submissions the orders lane has taken in, ever; read after the urgent lane was drained.
    pub(super) orders_pushed: u64,
}

pub(super) struct Batcher {
    engine: Engine,
    scratch: Scratch,
    /// By lane.
    backlogs: [Backlog; LANES],
    second_chances: SecondChances,
    facts: Facts,
    answers: Answers,
    sealing: Sealing,
    turn: Turn,
    /// Submissions that are decided, and how many of their requests were answered.
    done: Vec<(Admitted, usize)>,
    /// Orders of the retirement under way.
    retired: Vec<OrderId>,
    /// Draws of the order that is being filled, or put back.
    filled: Vec<Draw>,
}

/// What this turn has come to so far.
#[derive(Debug, Clone, Copy, Default)]
struct Turn {
    now: Timestamp,
    requests: usize,
    /// Requests, dear ones counted as many.
    work: usize,
    /// As much as the lane under way may bring it to.
    work_max: usize,
    reply_bytes: usize,
    /// Nothing more may happen in it.
    ended: bool,
}

impl Batcher {
    /// `facts` continues the stream that `engine` was recovered from.
    pub(super) fn new(mut engine: Engine, facts: Facts, sealing: Sealing) -> Self {
        engine.watch_keys();
        Self {
            engine,
            scratch: Scratch::default(),
            backlogs: Default::default(),
            second_chances: SecondChances::default(),
            facts,
            answers: Answers::default(),
            sealing,
            turn: Turn::default(),
            done: Vec::new(),
            retired: Vec::new(),
            filled: Vec::new(),
        }
    }

    pub(super) const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Puts everything on the board that the engine was recovered with. `now` is log time: nothing was accepted later.
    pub(super) fn fill_board(&mut self, board: &Board, now: Timestamp) {
        self.engine.watch_for_sale(now.after_ms(ID_AHEAD_MS_MAX));
        let mut posting = Posting { changes: Vec::new(), due_at: self.engine.next_deadline() };
        self.engine.take_for_sale(&mut |for_sale| posting.changes.push(Change::new(for_sale, now)));
        board.publish(&posting);
    }

    pub(super) fn into_engine(self) -> Engine {
        self.engine
    }

    /// Whether it has enough of a lane for a turn.
    pub(super) const fn is_full(&self, lane: Lane) -> bool {
        self.backlogs[lane as usize].len() >= TURN_COMMANDS_MAX
    }

    /// Whether anything is left to decide or to append.
    pub(super) fn has_work(&self, now: Timestamp, mark: Sequence) -> bool {
        !self.backlogs.iter().all(Backlog::is_empty)
            || !self.second_chances.is_empty()
            || self.facts.has_sealed()
            || self.sealing.has_work(mark)
            || self.engine.has_due(now)
            || self.engine.has_put_backs()
            || self.engine.has_fills()
            || self.engine.has_retirements(now)
            || self.engine.has_stock_levels()
    }

    pub(super) fn handle_submission(&mut self, admitted: Admitted) {
        let lane = admitted.submission.lane;
        self.backlogs[lane as usize].push(admitted, false);
        if lane == Lane::Orders {
            self.second_chances.handle_taken();
            self.take_second_chances();
        }
    }

    fn take_second_chances(&mut self) {
        while let Some(admitted) = self.second_chances.poll_ready() {
            self.backlogs[Lane::Orders as usize].push(admitted, true);
        }
    }

    pub(super) const fn facts(&mut self) -> &mut Facts {
        &mut self.facts
    }

    /// Expires what is due, then decides what it may of the backlog.
    pub(super) fn handle_turn(&mut self, moment: Moment) {
        self.turn = Turn { now: moment.now, ..Turn::default() };
        self.answers.begin_turn();
        self.engine.stand_at(self.facts.next_position());
        self.answer_erasures(moment);
        self.sweep(moment.now);
        self.put_back(moment.now);
        self.fill(moment.now);
        self.retire(moment.now);
        self.tell_stock_levels(moment.now);
        for lane in Lane::ALL {
            self.decide_lane(lane, lane.share(), moment);
        }
        for lane in Lane::ALL {
            self.decide_lane(lane, TURN_COMMANDS_MAX, moment);
        }
        self.take_second_chances();
    }

    /// Decides so much of a lane at most.
    fn decide_lane(&mut self, lane: Lane, work: usize, moment: Moment) {
        self.turn.work_max = TURN_COMMANDS_MAX.min(self.turn.work + work);
        while !self.backlogs[lane as usize].is_empty() && self.turn_has_room() {
            let group = LOOK_AHEAD_COMMANDS_MAX.min(self.turn.work_max - self.turn.work);
            self.touch_group(lane, group, moment);
            self.decide_group(lane, group, moment);
        }
    }

    /// Has keys overwritten that are dead for good, and answers whoever waited for it.
    fn answer_erasures(&mut self, moment: Moment) {
        self.sealing.handle_durable(moment.durable);
        while let Some(Erasure { outbox, tag, lane, answer, .. }) = self.sealing.poll_answer(moment.durable) {
            let place = self.answers.visit(&outbox, moment.now);
            let visit = self.answers.at(place);
            visit.writer.answer(tag, &answer, &[]);
            visit.replies[lane as usize] += 1;
        }
    }

    /// Whether there are dead keys, or erasures, that wait for the mark to move.
    pub(super) fn waits_for_mark(&self) -> bool {
        self.sealing.waits()
    }

    /// Whether the mark has moved past one of them.
    pub(super) fn has_durable(&self, mark: Sequence) -> bool {
        self.sealing.has_work(mark)
    }

    /// Puts the replies and seals the entry. `durable` is the mark, read after the turn; tells how many requests the
    /// turn decided.
    pub(super) fn handle_turn_end(&mut self, decided_ns: u64, durable: Sequence) -> usize {
        let now = self.turn.now;
        self.sealing.take_dead(&mut self.engine, self.facts.position());
        let posting = self.facts.posting();
        self.engine.take_for_sale(&mut |for_sale| posting.changes.push(Change::new(for_sale, now)));
        posting.due_at = self.engine.next_deadline();
        let end = End { position: self.facts.position(), durable, decided_ns };
        let waiting = self.answers.finish(&end, self.facts.notify());
        self.facts.finish(now, waiting, decided_ns);
        self.turn.requests
    }

    /// Whether everything decided so far is durable, with the mark at `mark`.
    pub(super) fn is_durable(&self, mark: Sequence) -> bool {
        !self.facts.has_sealed() && self.facts.position() <= mark
    }

    /// The next entry for the log, in order of positions. Ask until there is none.
    pub(super) fn poll_append(&mut self) -> Option<Sealed> {
        self.facts.poll_sealed()
    }

    /// A submission of which every request has been decided, and how many were answered.
    pub(super) fn poll_done(&mut self) -> Option<(Admitted, usize)> {
        self.done.pop()
    }

    /// When there is something to do although nobody submits anything.
    pub(super) fn poll_deadline(&self) -> Option<Timestamp> {
        self.engine.next_deadline().into_iter().chain(self.engine.next_retirement_at()).min()
    }

    /// Goes on in another entry when this one has no room for a further step.
    fn make_room(&mut self, now: Timestamp) {
        if self.facts.is_full() {
            self.facts.cut(now);
            self.engine.stand_at(self.facts.next_position());
        }
    }

    fn turn_has_room(&self) -> bool {
        !self.turn.ended
            && self.turn.work < self.turn.work_max
            && self.facts.turn_bytes() < TURN_BYTES_MAX
            && self.turn.reply_bytes < TURN_REPLY_BYTES_MAX
    }

    fn touch_group(&self, lane: Lane, group: usize, moment: Moment) {
        self.backlogs[lane as usize].peek(group, |tag, request| {
            if let Request::Command(command) = request
                && !is_dead(tag, moment)
            {
                self.engine.touch(command);
            }
        });
    }

    fn decide_group(&mut self, lane: Lane, group: usize, moment: Moment) {
        let upto = self.turn.requests + group;
        while self.turn.requests < upto && self.turn_has_room() {
            let Some(mut first) = self.backlogs[lane as usize].take_first() else { return };
            self.decide_first(&mut first, upto, moment);
            if first.done == first.len() {
                self.done.push((first.admitted, first.done - first.put_off));
            } else {
                self.backlogs[lane as usize].put_back(first);
            }
        }
    }

    /// Decides requests of one submission until the turn has had its share.
    fn decide_first(&mut self, first: &mut Pending, upto: usize, moment: Moment) {
        let Pending { admitted: Admitted { submission, at_ns }, done, put_off, is_second_chance } = first;
        let place = self.answers.visit(&submission.outbox, moment.now);
        let mut later = Batch::default();
        while *done < submission.batch.len() && self.turn.requests < upto && self.turn_has_room() {
            let (tag, mut request) = (submission.batch.tag(*done), submission.batch.request(*done));
            let details = take_details(&self.engine, &mut request);
            if must_wait(&mut self.engine, &mut self.scratch, &mut self.facts, (tag, &request), moment) {
                self.turn.ended = true;
                break;
            }
            let visit = self.answers.at(place);
            let before = visit.writer.bytes();
            let Self { engine, scratch, facts, sealing, .. } = self;
            let core = Core { engine, scratch, facts, sealing };
            let outcome = decide_request(core, visit, (tag, &request, details), submission.lane, moment);
            let is_known = outcome != Outcome::Unknown;
            if !is_known && submission.lane == Lane::Urgent && !*is_second_chance && self.second_chances.has_room() {
                later.push(tag, &request);
                *put_off += 1;
            } else {
                if !is_known {
                    refuse_unknown(visit, tag, *is_second_chance || submission.lane != Lane::Urgent);
                }
                visit.replies[submission.lane as usize] += u32::from(outcome != Outcome::Later);
            }
            self.turn.reply_bytes += visit.writer.bytes() - before;
            self.make_room(moment.now);
            self.turn.requests += 1;
            self.turn.work += work_of(&request);
            // Books name the entry they are true at: nothing may follow in it, if it has begun.
            self.turn.ended |= self.facts.has_begun() && matches!(request, Request::Query(Query::Books { .. }));
            *done += 1;
        }
        if !later.is_empty() {
            let submission = Submission { batch: later, outbox: Arc::clone(&submission.outbox), lane: submission.lane };
            self.second_chances.put_off(moment.orders_pushed, Admitted { submission, at_ns: *at_ns });
        }
    }
}

/// Nobody knows the order of a command: not after every placement before it was decided, or not yet and too many others
/// wait to be asked again.
fn refuse_unknown(visit: &mut Visit, tag: Tag, is_final: bool) {
    let unknown = Refused::Engine(Refusal::UnknownOrder);
    let come_back = Refused::Overloaded { retry_after_ms: RETRY_AFTER_MS };
    visit.writer.refuse(tag, if is_final { &unknown } else { &come_back });
}

/// Whether a request has to wait for the end of a sweep that this turn has only begun: a reading that would show what
/// is dead, a command that would come up short of it. The order's own expiry is never waited for.
fn must_wait(
    engine: &mut Engine,
    scratch: &mut Scratch,
    facts: &mut Facts,
    (tag, request): (Tag, &Request<'_>),
    moment: Moment,
) -> bool {
    if !engine.has_due(moment.now) || is_dead(tag, moment) {
        return false;
    }
    match request {
        Request::Query(_) => engine.next_due(moment.now).is_some(),
        Request::Command(command) => engine.settle(command, moment.now, scratch, &mut |fact| facts.add(fact)),
    }
}

/// How many commands a request counts as: a reading walks over up to a page of records.
const fn work_of(request: &Request<'_>) -> usize {
    match request {
        Request::Command(_) => 1,
        Request::Query(_) => READING_WORTH_COMMANDS,
    }
}

const fn is_dead(tag: Tag, moment: Moment) -> bool {
    tag.expires_at_ms != 0 && tag.expires_at_ms <= moment.monotonic_ms
}

/// What decides.
struct Core<'c> {
    engine: &'c mut Engine,
    scratch: &'c mut Scratch,
    facts: &'c mut Facts,
    sealing: &'c mut Sealing,
}

/// What came of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// Its answer is written.
    Answered,
    /// Its answer is written later, by itself.
    Later,
    /// It is a command on an order that is not known: nothing is written.
    Unknown,
}

/// Decides a request and writes what comes of it. `details` were taken out of it.
fn decide_request(
    Core { engine, scratch, facts, sealing }: Core<'_>,
    visit: &mut Visit,
    (tag, request, details): (Tag, &Request<'_>, &[u8]),
    lane: Lane,
    moment: Moment,
) -> Outcome {
    let writer = &mut visit.writer;
    if is_dead(tag, moment) {
        writer.refuse(tag, &Refused::DeadlinePassed);
        return Outcome::Answered;
    }
    let outcome = match request {
        Request::Query(query) => {
            answer_query(engine, (facts, sealing), (query, moment.now), tag, writer);
            return Outcome::Answered;
        }
        Request::Command(Command::Place(place)) if !details.is_empty() => {
            sealing.submit((engine, scratch, facts), (*place, details), moment)
        }
        Request::Command(Command::Erase { .. }) if sealing.is_full() => {
            Err(Refused::Overloaded { retry_after_ms: RETRY_AFTER_MS })
        }
        Request::Command(command @ Command::Place(_)) if moment.disk_low => {
            repeat_placement(engine, command, scratch, moment.now)
        }
        Request::Command(command) => match engine.submit(command, moment.now, scratch, &mut |fact| facts.add(fact)) {
            Ok(answer @ Answer::Erased { .. }) => {
                sealing.keep(engine, facts.position(), (visit.outbox(), lane), (tag, answer));
                return Outcome::Later;
            }
            Ok(answer) => {
                writer.answer(tag, &answer, scratch.granted());
                return Outcome::Answered;
            }
            Err(Refusal::UnknownOrder) => return Outcome::Unknown,
            Err(refusal) => Err(refusal.into()),
        },
    };
    match outcome {
        Ok(answer) => writer.answer(tag, &answer, scratch.granted()),
        Err(refused) => writer.refuse(tag, &refused),
    }
    Outcome::Answered
}

/// With the disk low nothing new is placed, but what was accepted is still accepted, and still says so.
fn repeat_placement(
    engine: &Engine,
    command: &Command<'_>,
    scratch: &mut Scratch,
    now: Timestamp,
) -> Result<Answer, Refused> {
    match engine.decide(command, now, scratch) {
        Ok(Decision::Repeated(answer)) => Ok(answer),
        Ok(Decision::Happened { .. }) | Err(Refusal::SoldOut { .. }) => Err(Refused::DiskLow),
        Err(refusal) => Err(refusal.into()),
    }
}
