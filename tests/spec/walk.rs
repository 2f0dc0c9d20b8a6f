//! Random walks: made-up commands in a world so small that everything collides.
//!
//! A dozen order identifiers, three SKUs, a few sites and a handful of units: repeats, conflicts, sold out, expiry,
//! late payment and blocked identifiers happen in every walk. One seed is one walk. To see one again:
//!
//! ```text
//! STOCKADE_WALK_SEED=1234 cargo test --test spec walk -- --nocapture
//! ```

use stockade::base::{ChangeId, MarketId, OrderId, RequestId, Sequence, SiteId, SkuId};
use stockade::engine::choices::AdjustReason;
use stockade::engine::ledger::{Account, Bucket, on_hand};
use stockade::engine::{Capacity, Command, Component, ExtendReason, LineQuantity, PaymentReport, ReturnReport};

use crate::dice::Dice;
use crate::rig::{Outcome, Rig, START};

mod counting;
mod editing;
mod effects;
mod holding;
mod paying;
mod placing;
mod returning;
mod settings;

const SEED_VARIABLE: &str = "STOCKADE_WALK_SEED";

/// Orders of one market that a walk may name.
const ORDERS: u64 = 14;

/// In walks with seeds from here on something is delivered, and returned with a return.
const RETURNING: u64 = 3_000;

#[test]
fn a_thousand_random_walks_agree_with_the_twin() {
    walks(0..1_000, false);
}

#[test]
fn another_thousand_random_walks_agree_with_the_twin() {
    walks(1_000..2_000, false);
}

#[test]
fn walks_in_which_the_sweep_comes_after_the_command_agree_with_the_twin() {
    walks(2_000..2_400, true);
}

#[test]
fn walks_in_which_goods_come_back_agree_with_the_twin() {
    walks(RETURNING..RETURNING + 700, false);
}

#[test]
fn walks_in_which_goods_come_back_and_the_sweep_comes_late_agree_with_the_twin() {
    walks(RETURNING + 1_000..RETURNING + 1_200, true);
}

fn walks(seeds: std::ops::Range<u64>, sweeps_late: bool) {
    if let Ok(seed) = std::env::var(SEED_VARIABLE) {
        let seed = seed.parse().expect("a seed is a number");
        if seeds.contains(&seed) {
            Walk::new(seed, sweeps_late, true).run();
        }
        return;
    }
    let goods_come_back = seeds.start >= RETURNING;
    let mut reached = std::collections::BTreeSet::new();
    for seed in seeds {
        let walked = std::panic::catch_unwind(|| Walk::new(seed, sweeps_late, false).run());
        let walked = walked.unwrap_or_else(|_| {
            panic!("the walk with seed {seed} failed as said above: {SEED_VARIABLE}={seed} shows each step")
        });
        reached.extend(walked);
    }
    match (sweeps_late, goods_come_back) {
        (true, _) => {}
        (false, true) => returning::check_reached(&reached),
        (false, false) => {
            paying::check_reached(&reached);
            effects::check_reached(&reached);
            editing::check_reached(&reached);
        }
    }
}

struct Walk {
    rig: Rig,
    dice: Dice,
    /// For when authorisations end: thrown beside the others, which fall as they would without.
    ends: Dice,
    markets: Vec<MarketId>,
    baskets: std::collections::BTreeMap<OrderId, placing::Basket>,
    /// The last change of lines that was sent, to be sent again.
    lines: Vec<LineQuantity>,
    /// Sites of every market at the beginning.
    sites: u64,
    /// Kits of every market, numbered behind its other SKUs.
    kits: u64,
    steps: u64,
    /// Whether markets keep what is over for short times, and time goes by fast enough for that.
    forgets: bool,
    /// Whether policies are set.
    limits: bool,
    /// Whether effects are left to adapters.
    hands_off: bool,
    /// Whether more is sold than there is.
    owes: bool,
    /// Whether reservations may be made to last only so long, and often are.
    hurries: bool,
    /// Whether channels have caps.
    caps: bool,
    /// Whether orders are held.
    holds: bool,
    /// Whether somebody counts, and tells later.
    counts: bool,
    /// Whether markets count what was placed lately.
    counts_velocity: bool,
    /// Whether anybody tells of payments, what was told last, and what came of it and of checks, in words.
    pays: bool,
    reported: Option<(OrderId, ChangeId, PaymentReport)>,
    /// Whether orders are edited, and the last edit, to be sent again.
    edits: bool,
    edited: Option<editing::Sent>,
    /// Whether anything is delivered, and returned with a return; and what was told of one last.
    returns: bool,
    told_of_return: Option<(OrderId, ChangeId, ReturnReport)>,
    /// What came of payments, returns and edits, in words.
    reached: std::collections::BTreeSet<String>,
    loud: bool,
}

impl Walk {
    fn new(seed: u64, sweeps_late: bool, loud: bool) -> Self {
        let (mut dice, returns) = (Dice(seed), seed >= RETURNING);
        // A world in so many has room for so many at most; the others have room.
        let mut room = |one_in: u64, below: u64| if dice.once_in(one_in) { dice.below(below) } else { 1_000 };
        let mut rig = Rig::new(Capacity {
            orders_max: room(5, 10),
            details_bytes_max: room(5, 80),
            lines_max: room(8, 20),
            keys_max: room(4, 5),
            waiting_max: room(5, 6),
            holds_max: room(5, 5),
            payments_max: room(5, 12),
            returns_max: if returns { room(5, 12) } else { 1_000 },
            policies_max: room(5, 5),
            places_max: 2 + room(5, 8),
            skus_max: 12,
            kits_max: 6,
            velocity_max: if seed.is_multiple_of(6) { 6 } else { 1_000 },
            ..Capacity::UNBOUNDED
        });
        rig.sweeps_late = sweeps_late;
        let mut markets = vec![rig.open("default")];
        if dice.once_in(3) {
            markets.push(rig.open("second"));
        }
        let sites = if sweeps_late { 1 } else { 1 + dice.below(4) };
        for &market in &markets {
            for code in &["north", "south", "east"][..sites as usize - 1] {
                rig.submit(&Command::CreateSite { market, rank: dice.below(3) as u16, code })
                    .expect("a site is created");
            }
            for code in ["mug", "cup", "tea"] {
                rig.submit(&Command::CreateSku { market, code }).expect("a SKU is created");
            }
        }
        let kits = if dice.once_in(2) { 2 } else { 0 };
        for &market in markets.iter().take(if kits > 0 { 2 } else { 0 }) {
            for (code, recipe) in [("gift", [(1, 2), (2, 1)]), ("pair", [(1, 1), (3, 1)])] {
                let components = recipe.map(|(sku, units)| Component { sku: SkuId(sku), units });
                rig.submit(&Command::DefineKit { market, code, components: &components }).expect("a kit is defined");
            }
        }
        let steps = 50 + dice.below(151);
        let forgets = !sweeps_late && dice.once_in(2);
        let limits = dice.once_in(2);
        let hands_off = dice.once_in(2);
        let owes = dice.once_in(2);
        let hurries = dice.once_in(2);
        let caps = dice.once_in(2);
        let holds = dice.once_in(2);
        let counts = dice.once_in(2);
        let pays = dice.once_in(2);
        Self {
            rig,
            dice,
            markets,
            baskets: Default::default(),
            lines: Vec::new(),
            sites,
            kits,
            steps,
            forgets,
            limits,
            hands_off,
            owes,
            hurries,
            caps,
            holds,
            counts,
            counts_velocity: seed.is_multiple_of(3),
            pays,
            reported: None,
            edits: seed.is_multiple_of(3),
            edited: None,
            ends: Dice(!seed),
            returns,
            told_of_return: None,
            reached: Default::default(),
            loud,
        }
    }

    /// Says what came of everything about payments, checks, returns and edits.
    fn run(mut self) -> std::collections::BTreeSet<String> {
        for market in self.markets.clone() {
            (1..=3).for_each(|sku| self.set_allowance(market, SkuId(sku)));
        }
        for step in 0..self.steps {
            let pause = self.dice.pick(&[0, 0, 0, 1, 5, 20, 20, 100, 300]);
            self.rig.wait(if self.dice.once_in(150) { 12 * 3_600_000 } else { pause });
            if self.forgets && self.dice.once_in(8) {
                self.rig.wait(self.dice.pick(&[300, 1_000, 20_000, 61_000]));
            }
            self.rig.one_entry = self.dice.once_in(4);
            self.rig.fills_late = !self.rig.sweeps_late && self.dice.once_in(4);
            self.step();
            if self.dice.once_in(25) {
                self.rig.go_through_image();
            }
            self.rig.check_books();
            if step % 16 == 0 {
                self.rig.check_everything();
            }
        }
        self.rig.fills_late = false;
        self.rig.sweep();
        if self.pays {
            self.bring_money_to_rest();
        }
        self.rig.check_everything();
        self.rig.check_replica();
        let ended = self.rig.ended.iter().map(|stage| format!("by itself: {}", stage.name()));
        self.reached.extend(ended);
        self.reached
    }

    fn move_cursor(&mut self) {
        let (sink, upto) = (["erp", "mail", "search"][self.dice.below(3) as usize], Sequence(self.dice.below(50)));
        let command = if self.dice.once_in(3) {
            Command::DetachCursor { sink, upto }
        } else {
            Command::MoveCursor { sink, upto }
        };
        self.submit(&command);
    }

    fn step(&mut self) {
        if self.forgets && self.dice.once_in(20) {
            self.set_retention();
        }
        if self.limits && self.dice.once_in(10) {
            self.set_policy();
        }
        if self.dice.once_in(12) {
            let (market, sku) = (self.dice.pick(&self.markets.clone()), SkuId(1 + self.dice.below(3) as u32));
            self.set_allowance(market, sku);
        }
        if self.hands_off && self.dice.once_in(12) {
            self.set_effects();
        }
        if self.hands_off && self.dice.once_in(3) {
            self.report_effect();
        }
        if self.hurries && self.dice.once_in(15) {
            self.set_reservations();
        }
        if self.counts_velocity && self.dice.once_in(20) {
            self.set_velocity();
        }
        if self.caps && self.dice.once_in(8) {
            self.set_channel_cap();
        }
        if self.hurries && self.dice.once_in(6) {
            self.extend();
        }
        if self.dice.once_in(25) {
            self.move_cursor();
        }
        if self.dice.once_in(15) {
            self.erase();
        }
        if self.holds && self.dice.once_in(3) {
            self.hold_or_lift();
        }
        if self.pays && !self.dice.once_in(3) {
            self.pay();
        }
        if self.returns {
            if self.dice.once_in(4) {
                self.send_out();
            }
            (0..1 + self.dice.below(2)).for_each(|_| self.bring_back());
        }
        if self.edits && self.dice.once_in(2) {
            self.edit();
        }
        if self.counts && self.dice.once_in(9) {
            self.report_count();
        }
        match self.dice.below(100) {
            0..2 => self.create(),
            2..14 => self.bring(),
            14..44 => self.place(),
            44..55 => self.confirm(),
            55..58 => self.extend(),
            58..66 => self.cancel(),
            66..78 => self.cancel_lines(),
            78..90 => self.hand_over(),
            90..98 => self.return_to_stock(),
            _ => {
                self.rig.sweep();
            }
        }
    }

    fn submit(&mut self, command: &Command<'_>) {
        let _compared_inside = self.ask(command);
    }

    fn ask(&mut self, command: &Command<'_>) -> Outcome {
        let checked = self.checked(command);
        let outcome = self.rig.submit(command);
        self.note_check(command, checked, &outcome);
        if self.loud {
            eprintln!("{:?} {command:?}\n    -> {outcome:?}", self.rig.now);
        }
        outcome
    }

    /// When the sweep comes late there is one site: units that are dead but not swept are passed over while other sites
    /// have enough, so which site gives them depends on the sweep.
    fn create(&mut self) {
        if self.rig.sweeps_late {
            return;
        }
        let market = self.market();
        let rank = self.dice.below(4) as u16;
        match self.dice.below(8) {
            6 | 7 => {
                let components: Vec<Component> = (0..1 + self.dice.below(2))
                    .map(|_| Component { sku: self.sku(), units: self.dice.pick(&[1, 1, 2, 3, 0]) })
                    .collect();
                let code = self.dice.pick(&["gift", "set", "mug"]);
                self.submit(&Command::DefineKit { market, code, components: &components });
            }
            0..3 => self.submit(&Command::CreateSite {
                market,
                rank,
                code: ["main", "north", "south"][usize::from(rank % 3)],
            }),
            3 => self.submit(&Command::CreateSku { market, code: "mug" }),
            4 => self.submit(&Command::CreateSite { market, rank, code: " east" }),
            _ => self.submit(&Command::AssignMarket { code: "second" }),
        }
    }

    fn extend(&mut self) {
        let order = self.order();
        let ms = self.dice.pick(&[0, 1, 50, 500, 20_000, 31 * 24 * 3_600_000, u64::MAX >> 20]);
        let until = self.rig.now.after_ms(ms);
        let reason = self.dice.pick(&[ExtendReason::Activity, ExtendReason::Activity, ExtendReason::PaymentStart]);
        self.submit(&Command::Extend { order, until, reason });
    }

    fn bring(&mut self) {
        let made_at = match self.dice.below(20) {
            0 => self.rig.now.before_ms(24 * 3_600_000 + self.dice.below(2)),
            1 => self.rig.now.after_ms(2_000 + self.dice.below(2)),
            2..8 => self.rig.now,
            _ => START,
        };
        let requests = if self.owes { 60 } else { 12 };
        let request = RequestId::new(made_at, self.market(), self.dice.below(requests));
        let (sku, site) = (self.sku(), self.site());
        let units = 1 + self.dice.below(5);
        if self.dice.once_in(3) {
            let [from, to] = [(); 2].map(|()| self.account());
            self.submit(&Command::MoveStock { request, sku, from, to, quantity: units });
        } else if self.dice.once_in(4) {
            let rows = self.rig.engine.stock(request.market(), &[sku]).unwrap_or_default();
            let row = rows.iter().find(|row| row.site == site);
            let on_hand = row.map_or(0, |row| on_hand(&row.balances));
            let expected = if self.dice.once_in(5) { on_hand + 1 } else { on_hand };
            let counted = (on_hand + self.dice.below(5)).saturating_sub(2);
            self.submit(&Command::CountStock { request, sku, site, expected, counted });
        } else if self.dice.once_in(3) {
            let delta = if self.dice.once_in(3) { units.cast_signed() } else { -units.cast_signed() };
            self.submit(&Command::Adjust { request, sku, site, delta, reason: AdjustReason::Count });
        } else {
            self.submit(&Command::Receive { request, sku, site, quantity: units });
        }
    }

    fn account(&mut self) -> Account {
        let bucket = if self.dice.once_in(2) {
            Bucket::Available
        } else {
            Bucket::ALL[self.dice.below(Bucket::ALL.len() as u64) as usize]
        };
        Account { site: self.site(), bucket }
    }

    fn confirm(&mut self) {
        let (order, mut attempt) = (self.order(), self.change());
        if self.hands_off && self.dice.once_in(2) {
            attempt = ChangeId::HANDED_OFF;
        }
        self.submit(&Command::Confirm { order, attempt });
    }

    fn cancel(&mut self) {
        let (order, block) = (self.order(), self.dice.once_in(3));
        self.submit(&Command::Cancel { order, block });
    }

    fn cancel_lines(&mut self) {
        let (order, change, lines) = (self.order(), self.change(), self.some_lines());
        self.submit(&Command::CancelLines { order, change, lines: &lines });
    }

    fn hand_over(&mut self) {
        let (order, change) = (self.order(), self.change());
        let lines = if self.dice.once_in(3) { Vec::new() } else { self.some_lines() };
        self.submit(&Command::HandOver { order, change, lines: &lines });
    }

    fn return_to_stock(&mut self) {
        let (order, change, site, lines) = (self.order(), self.change(), self.site(), self.some_lines());
        self.submit(&Command::ReturnToStock { order, change, site, lines: &lines });
    }

    /// One to three lines, now and then those of the change before.
    fn some_lines(&mut self) -> Vec<LineQuantity> {
        if !self.dice.once_in(4) {
            let count = 1 + self.dice.below(2) + self.dice.below(2);
            let first = self.dice.below(3) as u16;
            let line = |at: u64| first + at as u16;
            self.lines =
                (0..count).map(|at| LineQuantity { line: line(at), quantity: 1 + self.dice.below(2) as u32 }).collect();
            if self.dice.once_in(30) {
                self.lines[0].quantity = 0;
            }
            if self.dice.once_in(30) {
                self.lines.push(self.lines[0]);
            }
        }
        self.lines.clone()
    }

    /// Later identifiers are made later: at the beginning some are from the future. Where things are forgotten, new
    /// ones go on being made.
    fn order(&mut self) -> OrderId {
        let number = self.dice.below(ORDERS);
        let age_ms = self.rig.now.since_ms(START);
        let round = if self.forgets && self.dice.once_in(2) { age_ms / 30_000 } else { 0 };
        OrderId::new(START.after_ms(round * 30_000 + number * 250), self.market(), number)
    }

    fn market(&mut self) -> MarketId {
        if self.dice.once_in(100) { MarketId::MAX } else { self.dice.pick(&self.markets.clone()) }
    }

    fn sku(&mut self) -> SkuId {
        if self.dice.once_in(60) {
            return SkuId(self.dice.pick(&[0, 4, 9]));
        }
        SkuId(1 + self.dice.below(3 + self.kits) as u32)
    }

    fn site(&mut self) -> SiteId {
        SiteId(if self.dice.once_in(40) { self.dice.below(6) } else { 1 + self.dice.below(self.sites) } as u16)
    }

    fn change(&mut self) -> ChangeId {
        ChangeId(self.dice.below(12))
    }
}
