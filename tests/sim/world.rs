//! One world: clients, shards, a log and a disk, every choice drawn from one seed.

use std::sync::atomic::Ordering;

use stockade::base::limits::IDS_KEPT_MS_MIN;
use stockade::base::{MarketId, Sequence, SiteId, SkuId};
use stockade::engine::order::State;
use stockade::engine::{Answer, Command, Component, Effects, Policy, Reservations, Retention, ReturnStage};
use stockade::shard::{FakeKeys, Lane, Next, Shard, Submission};
use stockade::wal::{Fault, Options, SyncMethod};
use stockade::wire::{Refused, Reply, ReplyHeader, Request, Tag, decode_replies};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::ask::{Ask, Outcome};
use crate::customers::Customers;
use crate::disk::SimDisk;
use crate::life::{Before, Life, SimReadings, shard_of};
use crate::offices::Offices;
use crate::promises::Promises;
use crate::report::Report;
use crate::rng::Rng;
use crate::sinks::Sinks;

mod end;
mod mishaps;
mod paying;

const EVENTS_MIN: u64 = 2_000;
const CLIENTS: usize = 4;
const SKUS: u32 = 5;
const BEGIN_MS: u64 = 1_700_000_000_000;

struct Op {
    ask: Ask,
    client: usize,
    outcome: Option<Outcome>,
}

pub(crate) struct World {
    rng: Rng,
    disk: SimDisk,
    options: Options,
    readings: SimReadings,
    life: Option<Life>,
    customers: Customers,
    ops: Vec<Op>,
    unanswered: Vec<usize>,
    promises: Promises,
    offices: Offices,
    sinks: Sinks,
    has_broken_image: bool,
    /// Nothing outside goes wrong any more.
    is_calm: bool,
    report: Report,
    /// By shard. They outlive a crash, but for what was only handed over.
    keys: Vec<FakeKeys>,
}

/// The power failed.
struct Crashed;

impl From<Fault> for Crashed {
    fn from(_: Fault) -> Self {
        Self
    }
}

/// Runs the world of this seed to its end. With `syncs_lie` the disk forgets what it said it had synced.
pub(crate) fn run(seed: u64, syncs_lie: bool) -> Report {
    let mut world = World::new(seed, syncs_lie);
    world.set_up();
    let crashes = world.rng.between(3, 5);
    let events = EVENTS_MIN + world.rng.below(400);
    for crash in 0..crashes {
        let upto = events * (crash + 1) / (crashes + 1);
        world.live_until(upto);
        world.crash_somehow();
    }
    world.live_until(events);
    world.settle();
    world.hand_everything_off();
    world.check_end();
    world.report
}

impl World {
    fn new(seed: u64, syncs_lie: bool) -> Self {
        let mut rng = Rng::new(seed);
        let shards = rng.between(1, 3) as u16;
        let mut options = Options::new("nowhere", shards);
        options.segment_bytes = *rng.pick(&[32, 48, 64, 128]) * 1024;
        options.sync_method = Some(*rng.pick(&[SyncMethod::Fdatasync, SyncMethod::DirectDsync]));
        let readings = SimReadings::default();
        readings.wall_ms.store(BEGIN_MS, Ordering::Relaxed);
        let promises = Promises::new(rng.once_in(2));
        let markets = (1..=u32::from(shards) * 2).map(|number| MarketId::new(number).expect("small")).collect();
        let mut world = Self {
            disk: SimDisk::new(rng.next(), syncs_lie),
            customers: Customers::new(markets, SKUS),
            rng,
            options,
            readings,
            life: None,
            ops: Vec::new(),
            unanswered: Vec::new(),
            promises,
            offices: Offices::new(seed % 2 == 1),
            sinks: Sinks::new(seed / 2 % 2 == 1),
            has_broken_image: false,
            is_calm: false,
            report: Report::default(),
            keys: (0..shards).map(|shard| FakeKeys::new(shard.into())).collect(),
        };
        world.keys.iter().for_each(FakeKeys::hold);
        let streams = usize::from(shards);
        world.begin_life(&Before {
            history: vec![Vec::new(); streams],
            marks: vec![Sequence(0); streams],
            fold_afresh: false,
        });
        world
    }

    fn begin_life(&mut self, before: &Before) {
        let Self { disk, options, readings, promises, keys, .. } = self;
        let life = Life::begin(disk, options, readings, CLIENTS, before, promises, keys);
        let life = life.unwrap_or_else(|fault| panic!("an answered log cannot be opened: {fault}"));
        self.offices.begin_life(&life.inboxes, &mut self.rng);
        let engines: Vec<_> = life.shards.iter().map(Shard::engine).collect();
        self.sinks.begin_life(&engines, &life.inboxes, &mut self.rng);
        self.life = Some(life);
    }

    fn life(&mut self) -> &mut Life {
        self.life.as_mut().expect("a life has begun")
    }

    fn set_up(&mut self) {
        self.sinks.attach(self.options.shards);
        for market in self.customers.markets.clone() {
            self.ask(Ask::OpenMarket { market });
        }
        self.settle();
        for market in self.customers.markets.clone() {
            self.ask(Ask::CreateSite { market });
            for number in 1..=SKUS {
                self.ask(Ask::CreateSku { market, code: format!("sku-{number}") });
            }
        }
        self.settle();
        self.promises.sells_kits = self.rng.once_in(2);
        self.promises.counts = self.rng.once_in(2);
        self.customers.may_leave = !self.promises.forgetful && !self.promises.sells_kits;
        self.provider().is_quiet = self.rng.once_in(3);
        if self.promises.sells_kits {
            self.define_kits();
        }
        for market in self.customers.markets.clone() {
            for number in 1..=SKUS {
                let now = self.life().clock.now();
                let site = SiteId(1 + (number % 2) as u16);
                let ask = self.customers.receive(&mut self.rng, now, market, SkuId(number), site);
                self.ask(ask);
            }
            if self.offices.are_open {
                let [payment, release] = [(); 2].map(|()| !self.rng.once_in(3));
                self.customers.paid_by_adapter.extend(payment.then_some(market));
                let check = self.rng.once_in(3);
                self.ask(Ask::SetEffects { market, effects: Effects { payment, release, check } });
            }
            if self.rng.once_in(2) {
                let customer_max = self.rng.between(2, 20) as u32;
                let policy = Policy { safety_stock: self.rng.below(4), customer_max, ..Policy::default() };
                self.ask(Ask::SetPolicy { market, sku: SkuId(1), policy });
            }
            if self.rng.once_in(2) {
                let oversell_max = self.rng.between(1, 30);
                let policy = Policy { oversell_max, low_stock: self.rng.below(6), ..Policy::default() };
                self.ask(Ask::SetPolicy { market, sku: SkuId(2), policy });
            }
            if self.rng.once_in(2) {
                let [activity_ms_max, payment_ms_max] = [(); 2].map(|()| *self.rng.pick(&[0, 500, 4_000]));
                let unpaid_ms = [(); 5].map(|()| *self.rng.pick(&[40, 700, 9_000]));
                let reservations = Reservations { activity_ms_max, payment_ms_max, unpaid_ms };
                self.ask(Ask::SetReservations { market, reservations });
            }
            if self.rng.once_in(2) {
                let (sku, channel) = (SkuId(self.rng.between(1, 3) as u32), self.rng.between(1, 3) as u16);
                let units_max = Some(self.rng.between(1, 20) as u32);
                self.ask(Ask::SetChannelCap { market, sku, channel, units_max });
            }
            if self.promises.forgetful {
                let return_window_ms = *self.rng.pick(&[0, 100, 5_000]);
                let retention = Retention { return_window_ms, ids_kept_ms: IDS_KEPT_MS_MIN };
                self.ask(Ask::SetRetention { market, retention });
            }
        }
        self.settle();
    }

    fn define_kits(&mut self) {
        let recipes: [&[(u32, u32)]; 2] = [&[(1, 2), (2, 1)], &[(2, 1), (3, 3), (4, 1)]];
        self.customers.kits = recipes.len() as u32;
        for market in self.customers.markets.clone() {
            for (number, recipe) in recipes.into_iter().enumerate() {
                let component = |&(sku, units): &(u32, u32)| Component { sku: SkuId(sku), units };
                let components = recipe.iter().map(component).collect();
                self.ask(Ask::DefineKit { market, code: format!("kit-{number}"), components });
            }
        }
        self.settle();
    }

    fn live_until(&mut self, upto: u64) {
        while self.report.events < upto {
            self.report.events += 1;
            if self.event().is_err() {
                self.crash();
            }
        }
    }

    fn event(&mut self) -> Result<(), Crashed> {
        if self.offices.are_open && self.rng.once_in(4) {
            self.step_offices(false);
        }
        if self.sinks.are_open && self.rng.once_in(4) {
            self.step_sinks(false)?;
        }
        if self.rng.once_in(8) {
            self.rng.pick(&self.keys).overwrite();
        }
        match self.rng.below(100) {
            0..30 => self.ask_something(),
            30..40 => self.ask_again(),
            40..60 => self.turn(),
            60..75 => {
                self.commit()?;
            }
            75..80 => {
                if self.rng.once_in(20) {
                    self.life().committer.writer.handle_seal();
                }
                self.life().committer.prepare_one()?;
            }
            80..92 => self.listen(10),
            92..99 => self.pass_time(),
            _ => self.something_rare()?,
        }
        Ok(())
    }

    // ---- clients ----------------------------------------------------------------------------------------------------

    fn ask_something(&mut self) {
        let now = self.life().clock.now();
        if self.promises.counts {
            // What counters have heard of: now and then more than has happened in the shard they ask.
            let marks = self.life().committer.log.state().marks.clone();
            self.customers.count_upto = marks.iter().map(|mark| mark.0).max().unwrap_or_default();
        }
        for _ in 0..self.rng.between(1, 4) {
            let ask = self.customers.ask(&mut self.rng, now);
            if self.begin_payment(&ask) {
                self.ask(ask);
            }
        }
        self.move_money();
    }

    fn ask(&mut self, mut ask: Ask) {
        if let Ask::Erase { whose, known } = &mut ask {
            *known = self.promises.note_erasing(*whose);
        }
        let op = self.ops.len();
        self.ops.push(Op { ask, client: self.rng.below(CLIENTS as u64) as usize, outcome: None });
        self.unanswered.push(op);
        self.submit(op);
    }

    /// Resends some of what was never answered, or what was answered long ago.
    fn ask_again(&mut self) {
        for _ in 0..self.rng.between(1, 3) {
            let from_all = self.unanswered.is_empty() || self.rng.once_in(4);
            let op = if from_all {
                self.rng.below(self.ops.len() as u64) as usize
            } else {
                *self.rng.pick(&self.unanswered)
            };
            self.submit(op);
        }
    }

    fn submit(&mut self, op: usize) {
        let Op { ask, client, .. } = &self.ops[op];
        self.promises.money.note(ask);
        let (shard, client) = (shard_of(ask.market().number(), self.options.shards), *client);
        let expires_soon = self.rng.once_in(20);
        let life = self.life.as_mut().expect("a life has begun");
        let expires_at_ms = if expires_soon { life.clock.monotonic_ms() + 2 } else { 0 };
        // As a session does it: the board first, then the shard.
        if let Request::Command(Command::Place(place)) = ask.request()
            && let Some(refusal) = life.inboxes[shard].board().refuse(&place, life.clock.now())
        {
            self.report.refused_by_board += 1;
            return self.hear_reply(op, &Reply::Refused(Refused::Engine(refusal)));
        }
        let mut batch = life.inboxes[shard].take_spare_batch();
        batch.push(Tag { correlation: op as u64, index: 0, expires_at_ms }, &ask.request());
        let outbox = life.connections[client][shard].outbox.clone();
        let lane = Lane::of(&ask.request());
        // A full inbox is one more way for a request to stay unanswered.
        let _shed = life.inboxes[shard].submit(Submission { lane, batch, outbox });
    }

    /// Takes what has been answered. One chunk in `lost_one_in` never reaches its client.
    fn listen(&mut self, lost_one_in: u64) {
        let life = self.life.as_mut().expect("a life has begun");
        let mut frames = Vec::new();
        for connection in life.connections.iter_mut().flatten() {
            while let Some(chunk) = connection.take() {
                if !self.rng.once_in(lost_one_in) {
                    frames.push(chunk);
                }
            }
        }
        frames.iter().for_each(|chunk| self.hear(chunk));
    }

    fn hear(&mut self, chunk: &[u8]) {
        self.report.trace = xxh3_64_with_seed(chunk, self.report.trace);
        let mut rest = chunk;
        while !rest.is_empty() {
            let header = ReplyHeader::parse(rest).expect("a sound header").expect("a whole header");
            let (frame, behind) = rest.split_at(header.length);
            decode_replies(frame, |correlation, _, reply| self.hear_reply(correlation as usize, &reply))
                .expect("a sound frame");
            rest = behind;
        }
    }

    fn hear_reply(&mut self, op: usize, reply: &Reply<'_>) {
        let outcome = match reply {
            Reply::Answer(answer, grants) => {
                self.report.owed += u64::from(matches!(answer, Answer::Placed { owed: true, .. }));
                if let (Answer::Placed { state: State::Confirmed, repeated: false, .. }, Ask::Place(placement)) =
                    (answer, &self.ops[op].ask)
                {
                    self.customers.note_confirmed(&mut self.rng, placement.order);
                }
                let came = matches!(answer, Answer::Return { stage: ReturnStage::Received, moved: 1.., .. });
                self.report.came_back += u64::from(came);
                let is_edit = matches!(self.ops[op].ask, Ask::Edit { .. });
                self.report.edited += u64::from(is_edit && matches!(answer, Answer::Done { repeated: false, .. }));
                self.report.erased += u64::from(matches!(answer, Answer::Erased { repeated: false, .. }));
                Outcome::Answered(*answer, grants.iter().map(|line| line.taken).collect())
            }
            Reply::Order(view) => {
                self.promises.hear_seen(view);
                self.work_off(view);
                Outcome::Seen
            }
            Reply::Refused(Refused::DeadlinePassed | Refused::DiskLow) => return,
            Reply::Refused(why) => Outcome::Refused(*why),
            other => panic!("nobody asked for {other:?}"),
        };
        self.promises.hear(&self.ops[op].ask, &outcome, self.ops[op].outcome.as_ref());
        if self.ops[op].outcome.replace(outcome).is_none() {
            // Asked in this order, so sorted.
            if let Ok(at) = self.unanswered.binary_search(&op) {
                self.unanswered.remove(at);
            }
        }
    }

    // ---- the node and its machine -----------------------------------------------------------------------------------

    fn turn(&mut self) {
        let shard = self.rng.below(u64::from(self.options.shards)) as usize;
        for _ in 0..self.rng.between(1, 3) {
            if self.life().shards[shard].turn() != Next::Again {
                break;
            }
        }
    }

    fn commit(&mut self) -> Result<bool, Crashed> {
        let now_ms = self.readings.monotonic_ns.load(Ordering::Relaxed) / 1_000_000;
        let unheard = self.rng.once_in(200);
        let life = self.life();
        let done = life.committer.commit(now_ms)?;
        if unheard {
            // Durable, and nobody was told.
            return Err(Crashed);
        }
        life.committer.publish();
        Ok(done)
    }

    fn step_offices(&mut self, is_calm: bool) {
        let now_ms = self.readings.monotonic_ns.load(Ordering::Relaxed) / 1_000_000;
        self.offices.step(&mut self.rng, now_ms, is_calm, &mut self.promises);
    }

    fn step_sinks(&mut self, is_calm: bool) -> Result<(), Crashed> {
        let now_ms = self.readings.monotonic_ns.load(Ordering::Relaxed) / 1_000_000;
        let marks = self.life().committer.log.state().marks.clone();
        match self.sinks.step(&mut self.rng, (now_ms, is_calm), (&self.disk, &marks)) {
            Err(_power_failed) if self.disk.is_off() => Err(Crashed),
            stepped => {
                stepped.unwrap_or_else(|fault| panic!("a healthy log cannot be followed: {fault}"));
                Ok(())
            }
        }
    }

    fn pass_time(&mut self) {
        let ms = if self.rng.once_in(10) { self.rng.between(1_000, 90_000) } else { self.rng.between(1, 60) };
        self.pass_ms(ms);
    }

    fn pass_ms(&self, ms: u64) {
        self.readings.monotonic_ns.fetch_add(ms * 1_000_000, Ordering::Relaxed);
        self.readings.wall_ms.fetch_add(ms, Ordering::Relaxed);
    }
}
