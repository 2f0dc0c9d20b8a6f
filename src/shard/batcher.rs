//! The batch machine: submissions in, entries and replies out. No clock, no thread, no disk.
//!
//! ```text
//! handle_submission ─► backlog ─► handle_turn: sweep what is due │ look ahead, decide, fold (in groups)
//!                                      │ replies                 │ facts
//!                                      ▼                         ▼
//!                                 handle_turn_end: put, tagged   poll_append: the entry and whom to wake
//! ```
//!
//! # Always true
//! - Every turn, with or without requests, first expires what is due, bounded by [`EXPIRIES_PER_TURN_MAX`], and retires
//!   what is over, bounded by [`RETIREMENTS_PER_TURN_MAX`].
//! - Who comes up short while due reservations are unswept is decided after all of them have been, in a later turn;
//!   so is whoever reads.
//! - A request whose deadline has passed costs nothing but its answer.
//! - A turn is bounded in requests (a reading counts as many), in bytes of facts and in bytes of replies; the rest
//!   waits for the next one.
//!
//! # Why so
//! A group is looked up before it is decided, so that its cache misses overlap; a group larger than the cache would be
//! forgotten before its turn.

use super::answers::{Answers, End, Visit};
use super::backlog::{Backlog, Pending};
use super::board::{Board, Change, Posting};
use super::facts::{Facts, Sealed};
use super::lane::Admitted;
use super::queries::answer_query;
use crate::base::limits::{
    EXPIRIES_PER_TURN_MAX, ID_AHEAD_MS_MAX, LOOK_AHEAD_COMMANDS_MAX, READING_WORTH_COMMANDS, RETIREMENTS_PER_TURN_MAX,
    TURN_BYTES_MAX, TURN_COMMANDS_MAX, TURN_REPLY_BYTES_MAX,
};
use crate::base::{OrderId, Sequence, Timestamp};
use crate::engine::{Answer, Command, Decision, Engine, Query, Refusal, Scratch};
use crate::wire::{Refused, Request, Tag};

/// The world as a turn finds it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    /// Log time.
    pub(super) now: Timestamp,
    /// In the time that deadlines of requests are told in.
    pub(super) monotonic_ms: u64,
    /// Placements are refused.
    pub(super) disk_low: bool,
}

pub(super) struct Batcher {
    engine: Engine,
    scratch: Scratch,
    backlog: Backlog,
    facts: Facts,
    answers: Answers,
    turn: Turn,
    /// Submissions that are decided.
    done: Vec<Admitted>,
    /// Orders of the retirement under way.
    retired: Vec<OrderId>,
}

/// What this turn has come to so far.
#[derive(Debug, Clone, Copy, Default)]
struct Turn {
    now: Timestamp,
    requests: usize,
    /// Requests, dear ones counted as many.
    work: usize,
    reply_bytes: usize,
    /// Nothing more may happen in it.
    ended: bool,
}

impl Batcher {
    /// `facts` continues the stream that `engine` was recovered from.
    pub(super) fn new(engine: Engine, facts: Facts) -> Self {
        Self {
            engine,
            scratch: Scratch::default(),
            backlog: Backlog::default(),
            facts,
            answers: Answers::default(),
            turn: Turn::default(),
            done: Vec::new(),
            retired: Vec::new(),
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

    /// Whether it has enough for a turn.
    pub(super) const fn is_full(&self) -> bool {
        self.backlog.len() >= TURN_COMMANDS_MAX
    }

    /// Whether anything is left to decide or to append.
    pub(super) fn has_work(&self, now: Timestamp) -> bool {
        !self.backlog.is_empty()
            || self.facts.has_sealed()
            || self.engine.has_due(now)
            || self.engine.has_retirements(now)
    }

    pub(super) fn handle_submission(&mut self, admitted: Admitted) {
        self.backlog.push(admitted);
    }

    pub(super) const fn facts(&mut self) -> &mut Facts {
        &mut self.facts
    }

    /// Expires what is due, then decides what it may of the backlog.
    pub(super) fn handle_turn(&mut self, moment: Moment) {
        self.turn = Turn { now: moment.now, ..Turn::default() };
        self.answers.begin_turn();
        self.sweep(moment.now);
        self.retire(moment.now);
        while !self.backlog.is_empty() && self.turn_has_room() {
            let group = LOOK_AHEAD_COMMANDS_MAX.min(TURN_COMMANDS_MAX - self.turn.work);
            self.touch_group(group, moment);
            self.decide_group(group, moment);
        }
    }

    /// Puts the replies and seals the entry. `durable` is the mark, read after the turn; tells how many requests the
    /// turn decided.
    pub(super) fn handle_turn_end(&mut self, decided_ns: u64, durable: Sequence) -> usize {
        let now = self.turn.now;
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

    /// A submission of which every request has been decided.
    pub(super) fn poll_done(&mut self) -> Option<Admitted> {
        self.done.pop()
    }

    /// When there is something to do although nobody submits anything.
    pub(super) fn poll_deadline(&self) -> Option<Timestamp> {
        self.engine.next_deadline().into_iter().chain(self.engine.next_retirement_at()).min()
    }

    fn turn_has_room(&self) -> bool {
        !self.turn.ended
            && self.turn.work < TURN_COMMANDS_MAX
            && self.facts.turn_bytes() < TURN_BYTES_MAX
            && self.turn.reply_bytes < TURN_REPLY_BYTES_MAX
    }

    fn sweep(&mut self, now: Timestamp) {
        for _ in 0..EXPIRIES_PER_TURN_MAX {
            let Some(fact) = self.engine.next_due(now) else { break };
            self.engine.fold(&fact, now);
            self.facts.add(&fact, now);
        }
    }

    /// Closes what is over and lets leave what is old enough, some of it.
    fn retire(&mut self, now: Timestamp) {
        for _ in 0..RETIREMENTS_PER_TURN_MAX {
            let Some(fact) = self.engine.next_retirement(now, &mut self.retired) else { break };
            self.engine.fold(&fact, now);
            self.facts.add(&fact, now);
        }
    }

    fn touch_group(&self, group: usize, moment: Moment) {
        for (tag, request) in self.backlog.peek(group) {
            if let Request::Command(command) = request
                && !is_dead(tag, moment)
            {
                self.engine.touch(&command);
            }
        }
    }

    fn decide_group(&mut self, group: usize, moment: Moment) {
        let upto = self.turn.requests + group;
        while self.turn.requests < upto && self.turn_has_room() {
            let Some(mut first) = self.backlog.take_first() else { return };
            self.decide_first(&mut first, upto, moment);
            if first.done == first.len() {
                self.done.push(first.admitted);
            } else {
                self.backlog.put_back(first);
            }
        }
    }

    /// Decides requests of one submission until the turn has had its share.
    fn decide_first(&mut self, first: &mut Pending, upto: usize, moment: Moment) {
        let submission = &first.admitted.submission;
        let place = self.answers.visit(&submission.outbox, moment.now);
        while self.turn.requests < upto && self.turn_has_room() {
            let Some((tag, request)) = submission.batch.get(first.done) else { return };
            if must_wait(&mut self.engine, &mut self.scratch, &mut self.facts, (tag, request), moment) {
                self.turn.ended = true;
                return;
            }
            let visit = self.answers.at(place);
            let before = visit.writer.bytes();
            decide_request(&mut self.engine, &mut self.scratch, &mut self.facts, visit, (tag, request), moment);
            visit.replies += 1;
            self.turn.reply_bytes += visit.writer.bytes() - before;
            self.turn.requests += 1;
            self.turn.work += work_of(request);
            // Books name the entry they are true at: nothing may follow in it, if it has begun.
            self.turn.ended |= self.facts.has_begun() && matches!(request, Request::Query(Query::Books { .. }));
            first.done += 1;
        }
    }
}

/// Whether a request has to wait for the end of a sweep that this turn has only begun: a reading that would show what
/// is dead, a command that would come up short of it. The order's own expiry is never waited for.
fn must_wait(
    engine: &mut Engine,
    scratch: &mut Scratch,
    facts: &mut Facts,
    (tag, request): (Tag, Request<'_>),
    moment: Moment,
) -> bool {
    if !engine.has_due(moment.now) || is_dead(tag, moment) {
        return false;
    }
    match request {
        Request::Query(_) => engine.next_due(moment.now).is_some(),
        Request::Command(command) => {
            engine.settle(&command, moment.now, scratch, &mut |fact| facts.add(fact, moment.now))
        }
    }
}

/// How many commands a request counts as: a reading walks over up to a page of records.
const fn work_of(request: Request<'_>) -> usize {
    match request {
        Request::Command(_) => 1,
        Request::Query(_) => READING_WORTH_COMMANDS,
    }
}

const fn is_dead(tag: Tag, moment: Moment) -> bool {
    tag.expires_at_ms != 0 && tag.expires_at_ms <= moment.monotonic_ms
}

fn decide_request(
    engine: &mut Engine,
    scratch: &mut Scratch,
    facts: &mut Facts,
    visit: &mut Visit,
    (tag, request): (Tag, Request<'_>),
    moment: Moment,
) {
    let writer = &mut visit.writer;
    if is_dead(tag, moment) {
        return writer.refuse(tag, &Refused::DeadlinePassed);
    }
    let outcome = match request {
        Request::Query(query) => return answer_query(engine, facts, &query, tag, writer),
        Request::Command(command @ Command::Place(_)) if moment.disk_low => {
            repeat_placement(engine, &command, scratch, moment.now)
        }
        Request::Command(command) => {
            engine.submit(&command, moment.now, scratch, &mut |fact| facts.add(fact, moment.now)).map_err(Refused::from)
        }
    };
    match outcome {
        Ok(answer) => writer.answer(tag, &answer, scratch.taken()),
        Err(refused) => writer.refuse(tag, &refused),
    }
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
