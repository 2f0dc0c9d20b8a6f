//! The naive twin: the same answers as the engine, by the slowest means that cannot be misread.
//!
//! Every unit of an order is an element of a list with a site and a fate. Nothing is ever counted along: what is
//! available, what a bucket holds, how many orders are in a state, all of it is worked out from the lists each time.
//!
//! ```text
//! available(sku, site) =   what was received and adjusted there
//!                        - units of orders pinned there that are reserved, committed or shipped
//!                        + units that were put back there
//!                        - what of that was set apart for those who wait
//! ```
//!
//! # Always true
//! - Written from the documents alone. Where it disagrees with the engine, the documents say who is wrong.
//! # Not here
//! - Speed, and quantities too large to keep unit by unit.

mod account;
mod books;
mod changes;
mod channels;
mod claims;
mod counting;
mod cursor;
mod details;
mod edits;
mod goods;
mod history;
mod holds;
mod kits;
mod order;
mod payments;
mod placing;
mod policy;
mod reservation;
mod retake;
mod retention;
mod returns;
mod tasks;
mod velocity;
mod waiting;
mod wanted;

use std::collections::{BTreeMap, BTreeSet};

use stockade::base::limits::{CODE_BYTES_MAX, LINES_MAX, MARKETS_MAX, SITES_MAX, SKUS_MAX};
use stockade::base::{MarketId, OrderId, RequestId, Sequence, ShardId, SiteId, SkuId, Timestamp};
use stockade::engine::ledger::Account;
use stockade::engine::order::State;
use stockade::engine::refusal::Field;
use stockade::engine::{
    Answer, Capacity, Command, DIRECTORY_SHARD, Effects, Granted, Refusal, Reservations, Retention,
};

use changes::out_of_bounds_lines;
use cursor::Story;
use edits::out_of_bounds_edit;
use goods::Request;
use kits::out_of_bounds_recipe;
use order::Record;
use payments::out_of_bounds_payment;
use placing::out_of_bounds_fields;
use policy::{Rule, out_of_bounds_policy};
use reservation::out_of_bounds_reservations;
use retention::out_of_bounds_retention;
use returns::out_of_bounds_return;
pub(crate) use tasks::Waited;
use velocity::out_of_bounds_velocity;
pub(crate) use wanted::Row;

/// What the twin answers: the answer, and what each line got when a placement came up short or is owed something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) answer: Answer,
    pub(crate) granted: Vec<Granted>,
}

impl From<Answer> for Told {
    fn from(answer: Answer) -> Self {
        Self { answer, granted: Vec::new() }
    }
}

/// What one shard should do.
#[derive(Debug, Clone)]
pub(crate) struct Twin {
    shard: ShardId,
    shards: u16,
    capacity: Capacity,
    /// Market 1 first.
    directory: Vec<(String, ShardId)>,
    markets: BTreeMap<MarketId, Market>,
    sinks: BTreeMap<String, Story>,
    /// The entry of the stream that tells what happens.
    position: Sequence,
    blocked_at: BTreeMap<OrderId, Timestamp>,
    /// When it was asked last.
    now: Timestamp,
}

#[derive(Debug, Clone)]
struct Market {
    code: String,
    /// Site 1 first.
    sites: Vec<Site>,
    /// SKU 1 first.
    skus: Vec<String>,
    /// What one of a kit takes.
    recipes: BTreeMap<SkuId, BTreeMap<SkuId, u64>>,
    /// Everything received, adjusted, moved and counted, and what arrived for those who wait.
    goods: Vec<Goods>,
    /// Where units of what ever lay.
    places: BTreeSet<(SkuId, SiteId)>,
    requests: BTreeMap<RequestId, Request>,
    /// Units that orders hold and that were not found.
    shortages: BTreeMap<(SkuId, SiteId), u64>,
    past: counting::Past,
    /// Every order and blocked identifier there ever was.
    orders: BTreeMap<OrderId, Record>,
    retention: Retention,
    retired_before: Timestamp,
    /// Orders that ended: in which state, and when their return window is over.
    ends: BTreeMap<OrderId, (State, Timestamp)>,
    closed: BTreeSet<OrderId>,
    /// When what is closed or blocked may leave.
    leaves_at: BTreeMap<OrderId, Timestamp>,
    gone: BTreeSet<OrderId>,
    policies: BTreeMap<SkuId, Rule>,
    effects: Effects,
    reservations: Reservations,
    channel_caps: BTreeMap<(SkuId, u16), channels::Cap>,
    counted: velocity::Counted,
}

#[derive(Debug, Clone)]
struct Site {
    code: String,
    rank: u16,
}

/// Units that went from one place to another by themselves, and not as units of an order.
#[derive(Debug, Clone, Copy)]
struct Goods {
    sku: SkuId,
    units: i64,
    from: Account,
    to: Account,
}

impl Twin {
    pub(crate) fn new(shard: ShardId, shards: u16, capacity: Capacity) -> Self {
        Self {
            shard,
            shards,
            capacity,
            directory: Vec::new(),
            markets: BTreeMap::new(),
            sinks: BTreeMap::new(),
            position: Sequence(0),
            blocked_at: BTreeMap::new(),
            now: Timestamp::ZERO,
        }
    }

    pub(crate) const fn shard(&self) -> ShardId {
        self.shard
    }

    pub(crate) const fn shards(&self) -> u16 {
        self.shards
    }

    pub(crate) const fn capacity(&self) -> Capacity {
        self.capacity
    }

    /// Does what is asked, or says why not. Everything due must have been swept.
    pub(crate) fn submit(&mut self, command: &Command<'_>, now: Timestamp) -> Result<Told, Refusal> {
        self.now = now;
        let (before, order) = (self.shelves(), self.before(command));
        let told = self.carry_out(command, now);
        self.settle_after(command);
        // Units that somebody says lie elsewhere are where they were said to lie.
        if command.order().is_some() {
            self.set_apart(&before);
        }
        if let Ok(told) = &told {
            self.note_told(command, order, told, now);
        }
        self.note_ends(now);
        told
    }

    fn carry_out(&mut self, command: &Command<'_>, now: Timestamp) -> Result<Told, Refusal> {
        match *command {
            Command::AssignMarket { code } => self.assign_market(code).map(Told::from),
            Command::OpenMarket { market, code } => self.open_market(market, code).map(Told::from),
            Command::MoveCursor { sink, upto } => self.move_cursor(sink, upto).map(Told::from),
            Command::DetachCursor { sink, upto } => self.detach_cursor(sink, upto).map(Told::from),
            Command::CreateSite { market, rank, code } => self.create_site(market, rank, code).map(Told::from),
            Command::CreateSku { market, code } => self.create_sku(market, code).map(Told::from),
            Command::DefineKit { market, code, components } => {
                self.define_kit(market, code, components).map(Told::from)
            }
            Command::SetPolicy { market, sku, policy } => self.set_policy(market, sku, policy).map(Told::from),
            Command::SetEffects { market, effects } => self.set_effects(market, effects).map(Told::from),
            Command::ReportEffect { order, effect, attempt, report } => {
                self.report_effect(order, effect, (attempt, report), now).map(Told::from)
            }
            Command::Extend { order, until, reason } => self.extend(order, until, reason, now).map(Told::from),
            Command::SetReservations { market, reservations } => {
                self.set_reservations(market, reservations).map(Told::from)
            }
            Command::SetChannelCap { market, sku, channel, units_max } => {
                self.set_channel_cap(market, (sku, channel), units_max).map(Told::from)
            }
            Command::SetVelocity { market, velocity } => self.set_velocity(market, velocity, now).map(Told::from),
            Command::HoldOrder { order, owner, reason, note } => {
                self.hold_order(order, (owner, reason), note, now).map(Told::from)
            }
            Command::LiftHold { order, owner, reason } => self.lift_hold(order, owner, reason).map(Told::from),
            Command::StartPayment { order, attempt, method } => {
                self.start_payment(order, attempt, method).map(Told::from)
            }
            Command::ReportPayment { order, attempt, method, currency, report } => {
                self.report_payment(order, (attempt, method), currency, report).map(Told::from)
            }
            Command::RequestRefund { order, change, amount } => {
                self.request_refund(order, change, amount).map(Told::from)
            }
            Command::SetRetention { market, retention } => self.set_retention(market, retention).map(Told::from),
            Command::Erase { whose } => self.erase(whose).map(Told::from),
            Command::Receive { request, sku, site, quantity } => {
                self.receive(request, sku, site, quantity, now).map(Told::from)
            }
            Command::Adjust { request, sku, site, delta, reason } => {
                self.adjust(request, sku, site, delta, reason, now).map(Told::from)
            }
            Command::MoveStock { request, sku, from, to, quantity } => {
                self.move_stock(request, sku, (from, to), quantity, now).map(Told::from)
            }
            Command::CountStock { request, sku, site, expected, counted } => {
                self.count_stock(request, (sku, site), (expected, counted), now).map(Told::from)
            }
            Command::ReportCount { request, sku, site, as_of, counted } => {
                self.report_count(request, (sku, site), (as_of, counted), now).map(Told::from)
            }
            Command::Place(ref place) => self.place(place, now),
            Command::Confirm { order, attempt } => self.confirm(order, attempt).map(Told::from),
            Command::Cancel { order, block } => self.cancel(order, block, now).map(Told::from),
            Command::CancelLines { order, change, lines } => self.cancel_lines(order, change, lines).map(Told::from),
            Command::EditOrder { order, change, edit } => self.edit_order(order, change, edit).map(Told::from),
            Command::HandOver { order, change, lines } => self.hand_over(order, change, lines).map(Told::from),
            Command::ReturnToStock { order, change, site, lines } => {
                self.return_to_stock(order, change, site, lines).map(Told::from)
            }
            Command::ReportDelivered { order, change, lines } => {
                self.report_delivered(order, change, lines).map(Told::from)
            }
            Command::Return { order, id, what } => self.do_return(order, id, what, now).map(Told::from),
        }
    }

    fn assign_market(&mut self, code: &str) -> Result<Answer, Refusal> {
        if self.shard != DIRECTORY_SHARD {
            return Err(Refusal::UnknownMarket);
        }
        check_code(code)?;
        if let Some(at) = self.directory.iter().position(|(known, _)| known == code) {
            return Ok(numbered(at + 1, true));
        }
        if self.directory.len() == MARKETS_MAX {
            return Err(out_of_bounds(Field::Markets, 0, MARKETS_MAX as u64));
        }
        let markets_of = |shard: u16| self.directory.iter().filter(|(_, its)| its.0 == shard).count();
        let emptiest = (0..self.shards).min_by_key(|&shard| (markets_of(shard), shard)).expect("a node has a shard");
        self.directory.push((code.to_owned(), ShardId(emptiest)));
        Ok(numbered(self.directory.len(), false))
    }

    fn open_market(&mut self, market: MarketId, code: &str) -> Result<Answer, Refusal> {
        check_code(code)?;
        if let Some(open) = self.markets.get(&market) {
            let same = open.code == code;
            return if same { Ok(numbered(market.number() as usize, true)) } else { Err(Refusal::Conflict) };
        }
        let main = Site { code: "main".to_owned(), rank: 0 };
        let fresh = Market {
            code: code.to_owned(),
            sites: vec![main],
            skus: Vec::new(),
            recipes: BTreeMap::new(),
            goods: Vec::new(),
            places: BTreeSet::new(),
            requests: BTreeMap::new(),
            shortages: BTreeMap::new(),
            past: counting::Past::default(),
            orders: BTreeMap::new(),
            retention: Retention { return_window_ms: 30 * 24 * 3_600_000, ids_kept_ms: 7 * 24 * 3_600_000 },
            retired_before: Timestamp::ZERO,
            ends: BTreeMap::new(),
            closed: BTreeSet::new(),
            leaves_at: BTreeMap::new(),
            gone: BTreeSet::new(),
            policies: BTreeMap::new(),
            effects: Effects::default(),
            channel_caps: BTreeMap::new(),
            counted: velocity::Counted::default(),
            reservations: Reservations {
                activity_ms_max: 31 * 86_400_000,
                payment_ms_max: 31 * 86_400_000,
                unpaid_ms: [15 * 60_000, 15 * 60_000, 15 * 60_000, 3 * 86_400_000, 7 * 86_400_000],
            },
        };
        self.markets.insert(market, fresh);
        Ok(numbered(market.number() as usize, false))
    }

    fn create_site(&mut self, market: MarketId, rank: u16, code: &str) -> Result<Answer, Refusal> {
        check_code(code)?;
        let market = self.market_mut(market)?;
        if let Some(at) = market.sites.iter().position(|site| site.code == code) {
            return Ok(numbered(at + 1, true));
        }
        if market.sites.len() == SITES_MAX {
            return Err(out_of_bounds(Field::Sites, 0, SITES_MAX as u64));
        }
        market.sites.push(Site { code: code.to_owned(), rank });
        Ok(numbered(market.sites.len(), false))
    }

    fn create_sku(&mut self, market: MarketId, code: &str) -> Result<Answer, Refusal> {
        check_code(code)?;
        let has_room = self.sku_total() < self.capacity.skus_max;
        let market = self.market_mut(market)?;
        if let Some(at) = market.skus.iter().position(|sku| sku == code) {
            return Ok(numbered(at + 1, true));
        }
        if market.skus.len() == SKUS_MAX {
            return Err(out_of_bounds(Field::Skus, 0, SKUS_MAX as u64));
        }
        if !has_room {
            return Err(Refusal::AtCapacity);
        }
        market.skus.push(code.to_owned());
        Ok(numbered(market.skus.len(), false))
    }

    /// Number, shard and name of every market, in order of their numbers.
    pub(crate) fn directory(&self) -> impl Iterator<Item = (MarketId, ShardId, &str)> {
        let number = |at: usize| MarketId::new(at as u32 + 1).expect("few markets");
        self.directory.iter().enumerate().map(move |(at, (code, shard))| (number(at), *shard, code.as_str()))
    }

    pub(crate) fn markets(&self) -> Vec<MarketId> {
        self.markets.keys().copied().collect()
    }

    fn sku_total(&self) -> u64 {
        self.markets.values().map(|market| market.skus.len() as u64).sum()
    }

    pub(crate) fn sku_count(&self, market: MarketId) -> u32 {
        self.markets[&market].skus.len() as u32
    }

    fn market(&self, market: MarketId) -> Result<&Market, Refusal> {
        self.markets.get(&market).ok_or(Refusal::UnknownMarket)
    }

    fn market_mut(&mut self, market: MarketId) -> Result<&mut Market, Refusal> {
        self.markets.get_mut(&market).ok_or(Refusal::UnknownMarket)
    }
}

impl Market {
    fn has_sku(&self, sku: SkuId) -> bool {
        sku.0 >= 1 && sku.0 as usize <= self.skus.len()
    }

    fn has_site(&self, site: SiteId) -> bool {
        site.0 >= 1 && usize::from(site.0) <= self.sites.len()
    }

    /// The sites in the order in which they give their units.
    fn ranked_sites(&self) -> Vec<SiteId> {
        let mut ranked: Vec<(u16, u16)> =
            self.sites.iter().enumerate().map(|(at, site)| (site.rank, at as u16 + 1)).collect();
        ranked.sort_unstable();
        ranked.into_iter().map(|(_, number)| SiteId(number)).collect()
    }
}

/// Every field of a command on an order that is outside its bounds. Which of several is named is the engine's choice.
pub(crate) fn every_field_out_of_bounds(command: &Command<'_>, now: Timestamp) -> Vec<Refusal> {
    match *command {
        Command::Place(ref place) => out_of_bounds_fields(place),
        Command::SetPolicy { policy, .. } => out_of_bounds_policy(policy),
        Command::DefineKit { components, .. } => out_of_bounds_recipe(components),
        Command::SetRetention { retention, .. } => out_of_bounds_retention(retention),
        Command::SetVelocity { velocity, .. } => out_of_bounds_velocity(velocity),
        Command::SetReservations { reservations, .. } => out_of_bounds_reservations(reservations),
        Command::HandOver { lines, .. } => out_of_bounds_lines(lines, 0..=LINES_MAX),
        Command::CancelLines { lines, .. }
        | Command::ReturnToStock { lines, .. }
        | Command::ReportDelivered { lines, .. } => out_of_bounds_lines(lines, 1..=LINES_MAX),
        Command::Return { what, .. } => out_of_bounds_return(what),
        Command::EditOrder { edit, .. } => out_of_bounds_edit(edit),
        _ => out_of_bounds_payment(command, now).into_iter().collect(),
    }
}

fn check_code(code: &str) -> Result<(), Refusal> {
    let fits = (1..=CODE_BYTES_MAX).contains(&code.len());
    let plain = !code.chars().any(char::is_control) && code.trim() == code;
    if fits && plain { Ok(()) } else { Err(out_of_bounds(Field::Code, 1, CODE_BYTES_MAX as u64)) }
}

fn numbered(number: usize, repeated: bool) -> Answer {
    Answer::Numbered { number: number as u32, repeated }
}

const fn out_of_bounds(field: Field, min: u64, max: u64) -> Refusal {
    Refusal::OutOfBounds { field, min, max }
}
