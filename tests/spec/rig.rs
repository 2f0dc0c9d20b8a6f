//! The engine on the bench: every command goes to the engine and to the twin, and everything is compared.
//!
//! A third party watches: a replica that never decides and only folds the facts, as recovery does.
//!
//! # Not here
//! - What to ask: `script`, `walk`.

use std::collections::{BTreeMap, BTreeSet};

use stockade::base::limits::{AVAILABILITY_SKUS_MAX, LINES_MAX, PAGE_ROWS_MAX, REQUESTS_REMEMBERED_MS};
use stockade::base::{MarketId, OrderId, OrderNumber, Sequence, ShardId, SkuId, Timestamp};
use stockade::engine::ledger::{BUCKETS, Bucket};
use stockade::engine::order::State;
use stockade::engine::query::{DrawView, OrderView, WantRow};
use stockade::engine::{
    Answer, Capacity, Command, Effect, Engine, Fact, Kept, Refusal, ReturnCommand, ReturnFact, ReturnStage, Scratch,
    StockLevel, TASKS,
};
use stockade::shard::FakeKeys;

use crate::twin::{Row, Told, Twin, every_field_out_of_bounds};

mod channels;
mod following;
mod history;
mod pages;
mod returns;
mod sealing;
mod velocity;

/// What came of a command.
pub(crate) type Outcome = Result<Told, Refusal>;

/// Log time at which every test begins.
pub(crate) const START: Timestamp = Timestamp::from_ms(1_760_000_000_000);

/// The one market that most tests need.
pub(crate) const MARKET: MarketId = MarketId::new(1).expect("1 fits");

const AVAILABLE: usize = Bucket::Available as usize;

pub(crate) struct Rig {
    pub(crate) engine: Engine,
    replica: Engine,
    pub(crate) twin: Twin,
    scratch: Scratch,
    keys: FakeKeys,
    pub(crate) now: Timestamp,
    /// The entry of the stream that tells what happens next: every step is one.
    pub(crate) position: Sequence,
    /// Let what is asked happen in the entry in which something happened before.
    pub(crate) one_entry: bool,
    /// Leave it to the engine to notice, command by command, what is dead though no sweep has come by.
    pub(crate) sweeps_late: bool,
    /// Leave what arrived where it is, and who holds what was not found, as a shard does between two turns.
    pub(crate) fills_late: bool,
    /// Every stock level that was told, oldest first, with the units for sale.
    pub(crate) levels: Vec<(MarketId, SkuId, StockLevel, u64)>,
    /// What became of every return that ended by itself.
    pub(crate) ended: Vec<ReturnStage>,
    /// Every order that was put back, oldest first.
    pub(crate) put_back: Vec<OrderId>,
    /// Units for sale of every SKU as they were told last: what stands on the board.
    for_sale: BTreeMap<(MarketId, SkuId), u64>,
}

impl Rig {
    /// Shard 0 of a node with one shard.
    pub(crate) fn new(capacity: Capacity) -> Self {
        Self::of_shard(ShardId(0), 1, capacity)
    }

    pub(crate) fn of_shard(shard: ShardId, shards: u16, capacity: Capacity) -> Self {
        let mut engine = Engine::new(shard, shards, capacity);
        engine.watch_for_sale(START);
        engine.watch_keys();
        Self {
            engine,
            // Folding asks for no limit: the same facts make the same state whatever a node is set to.
            replica: Engine::new(shard, shards, Capacity::UNBOUNDED),
            twin: Twin::new(shard, shards, capacity),
            scratch: Scratch::default(),
            keys: FakeKeys::new(1),
            now: START,
            position: Sequence(0),
            one_entry: false,
            sweeps_late: false,
            fills_late: false,
            levels: Vec::new(),
            ended: Vec::new(),
            put_back: Vec::new(),
            for_sale: BTreeMap::new(),
        }
    }

    /// Opens a market as the node does: a number from the directory, then the market itself.
    pub(crate) fn open(&mut self, code: &str) -> MarketId {
        let assigned = self.submit(&Command::AssignMarket { code }).expect("the directory has room");
        let Answer::Numbered { number, .. } = assigned.answer else { panic!("{assigned:?}") };
        let market = MarketId::new(number).expect("the directory gives numbers that fit");
        self.submit(&Command::OpenMarket { market, code }).expect("a market opens");
        market
    }

    /// Asks both, compares the answers.
    pub(crate) fn submit(&mut self, command: &Command<'_>) -> Outcome {
        // A late sweep belongs to a step that nobody but the engine knows.
        if !self.one_entry && !self.sweeps_late {
            self.stand_at(self.position.next());
        }
        // What is available is part of the answer to a stock command, and the engine sweeps for those only in need.
        let is_about_stock = matches!(
            command,
            Command::Receive { .. }
                | Command::Adjust { .. }
                | Command::MoveStock { .. }
                | Command::CountStock { .. }
                | Command::ReportCount { .. }
        );
        if self.sweeps_late && !is_about_stock {
            self.twin.sweep(self.now);
        } else {
            self.sweep();
        }
        let expected = self.twin.submit(command, self.now);
        let outcome = self.engine_alone(command);
        if !self.is_a_choice(command, &outcome) {
            assert_eq!(outcome, expected, "engine (left), twin (right) at {:?}: {}", self.now, brief(command));
        }
        self.follow_up();
        outcome
    }

    /// What happens from here on is told in this entry of the stream.
    fn stand_at(&mut self, position: Sequence) {
        self.position = position;
        self.engine.stand_at(position);
        self.replica.stand_at(position);
        self.twin.stand_at(position);
    }

    /// Whether the documents leave it to the engine which of several answers it gives, and this is one of them.
    fn is_a_choice(&self, command: &Command<'_>, outcome: &Outcome) -> bool {
        match (command, outcome) {
            (_, Err(refusal @ Refusal::OutOfBounds { .. })) => {
                every_field_out_of_bounds(command, self.now).contains(refusal)
            }
            // Past the time for which requests are remembered, a known one may still be known or be refused.
            (
                Command::Receive { request, .. }
                | Command::Adjust { request, .. }
                | Command::MoveStock { request, .. }
                | Command::CountStock { request, .. }
                | Command::ReportCount { request, .. },
                Err(Refusal::IdTooOld),
            ) => request.made_at() < self.now.before_ms(REQUESTS_REMEMBERED_MS),
            // A line that no order can have may be refused before the order is looked up.
            (
                Command::CancelLines { lines, .. }
                | Command::HandOver { lines, .. }
                | Command::ReturnToStock { lines, .. }
                | Command::ReportDelivered { lines, .. }
                | Command::Return {
                    what:
                        ReturnCommand::Request { lines, .. }
                        | ReturnCommand::Receive { lines, .. }
                        | ReturnCommand::Inspect { lines, .. },
                    ..
                },
                Err(Refusal::UnknownLine { line }),
            ) => usize::from(*line) >= LINES_MAX && lines.iter().any(|named| named.line == *line),
            (Command::EditOrder { edit, .. }, Err(Refusal::UnknownLine { line })) => {
                let mut named = edit.prices.iter().map(|it| it.line).chain(edit.remove.iter().map(|it| it.line));
                usize::from(*line) >= LINES_MAX && named.any(|named| named == *line)
            }
            _ => false,
        }
    }

    /// Asks the engine, without the twin. The replica folds what the engine logs.
    pub(crate) fn engine_alone(&mut self, command: &Command<'_>) -> Outcome {
        let Self { engine, replica, scratch, keys, now, .. } = self;
        let mut buffer = Vec::new();
        let command = &sealing::sealed(engine, keys, command, &mut buffer);
        let mut facts = 0;
        let mut log = |fact: &Fact<'_>| {
            facts += usize::from(!matches!(fact, Fact::Expired { .. }));
            replica.touch_fact(fact);
            replica.fold(fact, *now);
        };
        engine.touch(command);
        let outcome = engine.submit(command, *now, scratch, &mut log);
        let happened = outcome.is_ok_and(|answer| !is_repeated(answer));
        assert_eq!(facts, usize::from(happened), "one fact when something happens, else none: {}", brief(command));
        let tells = matches!(outcome, Ok(Answer::Placed { short, owed, .. }) if short || owed);
        let granted = if tells { scratch.granted().to_vec() } else { Vec::new() };
        self.destroy_keys();
        outcome.map(|answer| Told { answer, granted })
    }

    /// Lets everything lapse that is due; says which orders.
    pub(crate) fn sweep(&mut self) -> Vec<OrderId> {
        let mut swept = BTreeSet::new();
        let due = self.twin.due(self.now);
        assert!(due.is_empty() || self.engine.has_due(self.now), "{due:?} are due at {:?}", self.now);
        while let Some(fact) = self.engine.next_due(self.now) {
            self.engine.fold(&fact, self.now);
            self.replica.fold(&fact, self.now);
            let Fact::Expired { order } = fact else { panic!("not an expiry: {fact:?}") };
            assert!(swept.insert(order), "{order} expired twice");
        }
        let expected: BTreeSet<OrderId> = self.twin.sweep(self.now).into_iter().collect();
        if !self.sweeps_late {
            assert_eq!(swept, expected, "swept by the engine (left) and by the twin (right) at {:?}", self.now);
        }
        self.retire();
        self.destroy_keys();
        self.follow_up();
        swept.into_iter().collect()
    }

    /// Ends returns that nobody moves, closes what is over and lets leave what is old enough.
    fn retire(&mut self) {
        let (mut closed, mut left, mut ended) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let mut orders = Vec::new();
        let could = self.engine.has_retirements(self.now);
        while let Some(fact) = self.engine.next_retirement(self.now, &mut orders) {
            assert!(could, "{fact:?} came without being announced");
            self.engine.fold(&fact, self.now);
            self.replica.fold(&fact, self.now);
            match fact {
                Fact::Closed { orders } => {
                    orders.iter().for_each(|id| assert!(closed.insert(*id), "{id} closed twice"));
                }
                Fact::Left { orders } => {
                    orders.iter().for_each(|id| assert!(left.insert(*id), "{id} left twice"));
                }
                Fact::Return { order, id, what: ReturnFact::Told(report) } => {
                    assert!(ended.insert((order, id, report.stage())), "{id:?} of {order} ended twice");
                }
                Fact::Retired { .. } => {}
                other => panic!("not a retirement: {other:?}"),
            }
        }
        self.ended.extend(ended.iter().map(|(_, _, stage)| *stage));
        let (now, expected) = (self.now, self.twin.end_returns(self.now));
        assert_eq!(ended, expected, "returns ended by engine (left), twin (right) at {now:?}");
        assert_eq!((closed, left), self.twin.retire(now), "retired by engine (left), twin (right) at {now:?}");
    }

    pub(crate) fn wait(&mut self, span_ms: u64) {
        self.now = self.now.after_ms(span_ms);
        self.engine.handle_time(self.now);
    }

    /// Whether the engine still has to notice something that the twin knows.
    fn is_unswept(&self) -> bool {
        self.sweeps_late && self.engine.has_due(self.now)
    }

    /// Compares everything there is, and looks whether it makes sense.
    pub(crate) fn check_everything(&self) {
        if self.is_unswept() {
            return;
        }
        self.check_counts();
        for market in self.twin.markets() {
            self.check_stock(market);
            self.check_pages(market);
            self.check_wanted(market);
            let (told, expected) = (self.engine.reservations(market), self.twin.reservations(market));
            assert_eq!(told, Ok(expected), "reservations of market {market}: engine (left), twin (right)");
            self.check_channels(market);
            self.check_velocity(market);
            self.check_returns(market);
            for order in self.twin.order_ids(market) {
                self.check_order(order);
            }
        }
        self.check_laws();
    }

    /// Books, invariants and replay: what is cheap enough to be looked at after every step.
    pub(crate) fn check_books(&self) {
        if self.is_unswept() {
            return;
        }
        for market in self.twin.markets() {
            let books = self.engine.books(market).expect("the market is open");
            assert_eq!(books, self.twin.books(market), "books of market {market}: engine (left), twin (right)");
        }
        self.check_laws();
    }

    pub(crate) fn check_laws(&self) {
        self.engine.check_invariants().expect("the invariants hold");
        assert_eq!(self.engine.digest(), self.replica.digest(), "folding the facts again gives the same state");
    }

    /// What is read from the image of the engine is the engine: same digest, same laws, and it goes on in its place.
    pub(crate) fn go_through_image(&mut self) {
        let digest = self.engine.digest();
        let mut parts = Vec::new();
        let kept: Result<(), ()> = self.engine.write_image(&mut |part| {
            parts.push(part.to_vec());
            Ok(())
        });
        kept.expect("a vector takes every part");
        let mut read = Engine::new(self.twin.shard(), self.twin.shards(), self.twin.capacity());
        parts.iter().for_each(|part| read.read_image_part(part).expect("a part fits"));
        read.finish_image().expect("everything fits");
        assert_eq!(read.digest(), digest, "the image of the engine is another state");
        read.check_invariants().expect("the invariants hold after an image was read");
        read.watch_for_sale(self.now);
        read.handle_time(self.now);
        read.stand_at(self.position);
        read.watch_keys();
        self.engine = read;
    }

    /// The replica passes the same tests at the end of a walk.
    pub(crate) fn check_replica(&mut self) {
        self.go_through_image();
        self.check_everything();
        self.replica.check_invariants().expect("the invariants hold after replay");
        std::mem::swap(&mut self.engine, &mut self.replica);
        self.engine.watch_for_sale(self.now);
        self.engine.handle_time(self.now);
        self.engine.watch_keys();
        self.check_everything();
    }

    fn check_counts(&self) {
        assert_eq!(self.engine.orders(), self.twin.orders(), "orders kept");
        assert_eq!(self.engine.cursors().collect::<Vec<_>>(), self.twin.cursors(), "how far sinks have got");
        assert_eq!(self.engine.kept(Kept::DetailsBytes), self.twin.details_bytes(), "bytes of details kept");
        assert_eq!(self.engine.kept(Kept::Keys), self.twin.keys_live(), "keys that are used");
        assert_eq!(self.engine.kept(Kept::Holds), self.twin.holds(), "holds of all orders");
        assert_eq!(self.engine.kept(Kept::Payments), self.twin.payments(), "attempts to pay of all orders");
        assert_eq!(self.engine.kept(Kept::Returns), self.twin.returns_kept(), "returns of all orders, and their rows");
        assert_eq!(self.engine.kept(Kept::Velocity), self.twin.velocity_keys(), "keys that markets may count");
        assert_eq!(self.engine.kept(Kept::Places), self.twin.places(), "places where units ever lay");
        let mut tasks = [0; TASKS];
        let all = self.twin.markets().into_iter().flat_map(|market| self.twin.tasks(market, self.now));
        all.for_each(|(kind, ..)| tasks[kind as usize - 1] += 1);
        assert_eq!(self.engine.task_counts(), tasks, "tasks of all kinds");
        let (engine, twin) = (self.engine.next_deadline(), self.twin.next_deadline());
        match (engine, twin) {
            (Some(wake), Some(deadline)) => {
                assert!(wake <= deadline, "sleeps past a deadline: {wake:?} > {deadline:?}");
            }
            (None, Some(deadline)) => panic!("would sleep past {deadline:?}"),
            (_, None) => {}
        }
        self.check_wake();
    }

    fn check_stock(&self, market: MarketId) {
        let skus: Vec<SkuId> = (1..=self.twin.sku_count(market)).map(SkuId).collect();
        let pages = skus.chunks(PAGE_ROWS_MAX).map(|page| self.engine.stock(market, page).expect("the SKUs exist"));
        let mut rows = BTreeMap::new();
        for row in pages.flatten().filter(|row| row.balances != [0; BUCKETS]) {
            assert_eq!(row.owed, self.twin.owed(market, row.sku), "owed of SKU {}", row.sku);
            let twice = rows.insert((row.sku, row.site), row.balances);
            assert_eq!(twice, None, "SKU {} at site {} is listed twice", row.sku, row.site);
        }
        for page in skus.chunks(AVAILABILITY_SKUS_MAX) {
            let for_sale = |sku: &SkuId| {
                if !self.twin.recipe(market, *sku).is_empty() {
                    return self.twin.for_sale(market, *sku);
                }
                let available = rows.iter().filter(|((of, _), _)| of == sku).map(|(_, of)| of[AVAILABLE]).sum::<i64>();
                let policy = self.twin.policy(market, *sku);
                let oversell_left = policy.oversell_max.saturating_sub(self.twin.owed(market, *sku));
                available.cast_unsigned().saturating_sub(policy.safety_stock) + oversell_left
            };
            let told = self.engine.availability(market, page).expect("the SKUs exist");
            for (sku, units) in page.iter().zip(&told) {
                let on_the_board = self.for_sale.get(&(market, *sku));
                assert!(
                    on_the_board.is_none_or(|told| told == units),
                    "SKU {sku} has {units}, told was {on_the_board:?}"
                );
            }
            assert_eq!(told, page.iter().map(for_sale).collect::<Vec<_>>());
        }
        let mut expected = self.twin.balances(market);
        expected.retain(|_, balances| *balances != [0; BUCKETS]);
        assert_eq!(rows, expected, "stock of market {market}: engine (left), twin (right)");
        for sku in &skus {
            assert_eq!(self.engine.recipe(market, *sku), Ok(self.twin.recipe(market, *sku)), "recipe of SKU {sku}");
            assert_eq!(self.engine.policy(market, *sku), Ok(self.twin.policy(market, *sku)), "policy of SKU {sku}");
        }
        let books = self.engine.books(market).expect("the market is open");
        assert_eq!(books, self.twin.books(market), "books of market {market}: engine (left), twin (right)");
        for balances in rows.values() {
            assert!(balances[AVAILABLE] >= 0, "oversold");
        }
    }

    fn check_order(&self, id: OrderId) {
        let view = self.engine.order(id).expect("the order is known");
        let Some(expected) = self.twin.view(id) else {
            assert!(self.twin.is_blocked(id), "{id} is neither an order nor blocked");
            assert_eq!((view.state, view.number, view.lines.len()), (State::Blocked, OrderNumber(0), 0));
            return self.check_history(id);
        };
        let (told, firm): (Vec<_>, _) = (view.to_hand_over().collect(), self.twin.to_hand_over(id));
        assert_eq!(told, firm, "what a warehouse is told of {id}: engine (left), twin (right)");
        assert_eq!(plain(self.opened(view)), expected, "order {id}: engine (left), twin (right)");
        let found = self.engine.order_by_number(id.market(), expected.number).expect("numbers lead to orders");
        assert_eq!(found.order, id, "order number {}", expected.number);
        self.check_history(id);
    }

    /// The directory names the same markets, on the same shards.
    pub(crate) fn check_directory(&self) {
        let engine: Vec<_> = self.engine.directory().iter().collect();
        let twin: Vec<_> = self.twin.directory().collect();
        assert_eq!(engine, twin, "directory: engine (left), twin (right)");
        let replica: Vec<_> = self.replica.directory().iter().collect();
        assert_eq!(replica, twin, "directory: replica (left), twin (right)");
    }

    /// Both lists of both effects, page by page; the twin keeps them by identifier.
    fn check_wanted(&self, market: MarketId) {
        for (effect, aside) in Effect::ALL.into_iter().flat_map(|effect| [(effect, false), (effect, true)]) {
            let (mut rows, mut after) = (Vec::new(), Some(0));
            while let Some(place) = after {
                let page = self.engine.wanted(Some(market), (effect, aside), place, 3).expect("the market is open");
                rows.extend(page.rows.iter().map(|row| {
                    let WantRow { order, action, attempt, since, aside, state, amount, .. } = *row;
                    Row { order, action, attempt, since, aside, state, amount }
                }));
                after = page.next;
            }
            rows.sort_by_key(|row| row.order);
            assert_eq!(rows, self.twin.wanted(market, effect, aside), "{effect:?}: engine (left), twin (right)");
        }
    }
}

/// Whether an answer says that it had been given before.
pub(crate) const fn is_repeated(answer: Answer) -> bool {
    match answer {
        Answer::Numbered { repeated, .. }
        | Answer::Stock { repeated, .. }
        | Answer::Placed { repeated, .. }
        | Answer::Done { repeated, .. }
        | Answer::Extended { repeated, .. }
        | Answer::Erased { repeated, .. }
        | Answer::RetakeFailed { repeated, .. }
        | Answer::Return { repeated, .. }
        | Answer::Set { repeated } => repeated,
    }
}

/// The beginning of a command: orders of 2,048 lines tell nobody anything.
fn brief(command: &Command<'_>) -> String {
    format!("{command:?}").chars().take(800).collect()
}

/// Room for so many orders, and for everything else.
pub(crate) fn room_for(orders_max: u64) -> Capacity {
    Capacity { orders_max, ..Capacity::default() }
}

/// A view without the draws that hold nothing any more: whether those are listed is the engine's own business.
fn plain(mut view: OrderView) -> OrderView {
    view.draws.retain(|draw: &DrawView| draw.reserved + draw.committed + draw.shipped > 0);
    view
}
