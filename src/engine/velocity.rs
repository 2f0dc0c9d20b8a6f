//! Velocity: how many orders, and for how much money, whoever is behind a key placed lately.
//!
//! ```text
//!            from ├──────────── window ────────────┤ now
//! ───┬────┬────┬──┴─┬────┬────┬────┬ … ┬────┬────┬─┴──┬───► log time
//!    │    │    │ 16 │ 15 │ 14 │    │   │  2 │  1 │  0 │      slices that are told
//! ```
//!
//! A customer is known by the key of the placement and by each of its hashes: every one of them is a key, and has
//! counts of its own.
//!
//! # Always true
//! - An order counts once, in the step that accepts it, whatever becomes of it: an attempt was made.
//! - What is told covers the whole window, and at most one slice more; what it covers is told with it.
//! - A market counts no more keys than it set. Whoever was quiet longest is forgotten for whoever is new, and then it
//!   is told of the new one that there may have been more.
//! - What is counted follows from the log alone: log time, and a most that a fact has set.
//! # Not here
//! - Limits: nothing is refused for what is counted here. What one customer may have of a SKU: `policy`.
//! # Why so
//! Slices make counting a step of constant cost, and two shards that fold the same log count the same. A window that
//! slides exactly would have to keep every order of every key. One slice more than the window has, instead of one
//! less, because a rule that asks for an hour must not be told of fifty-six minutes.

use std::collections::BTreeMap;

use hashbrown::HashMap;

use super::Engine;
use super::command::IdentityHashes;
use super::fact::Placed;
use super::policy::CustomerId;
use super::query::{VelocityCount, VelocityView};
use super::refusal::Refusal;
use crate::base::limits::VELOCITY_SLICES;
use crate::base::{Currency, CustomerKey, MarketId, Price, Timestamp};

/// Slices that are kept of a key.
const KEPT: u64 = VELOCITY_SLICES + 1;

/// What a market counts of whoever places orders. Both zero: nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Velocity {
    /// For how long an order counts, in milliseconds.
    pub window_ms: u32,
    /// Keys that are counted at most.
    pub keys_max: u32,
}

/// What was accepted of a key in one slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Slice {
    pub(super) orders: u32,
    /// Of them, those whose currency is not the key's.
    pub(super) other_currency: u32,
    /// What the others cost.
    pub(super) money: Price,
}

impl Slice {
    const fn and(self, other: Self) -> Self {
        Self {
            orders: self.orders.saturating_add(other.orders),
            other_currency: self.other_currency.saturating_add(other.other_currency),
            money: self.money.saturating_add(other.money),
        }
    }
}

/// The counts of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Counts {
    /// When its newest order was accepted.
    pub(super) last_at: Timestamp,
    /// Of its first order since it was quiet for all that is kept.
    pub(super) currency: Currency,
    /// When it began, keys had been forgotten whose newest orders were this old: it may have been one of them.
    pub(super) forgotten: Option<Timestamp>,
    /// By slice, counted from the first of 1970, modulo their number; the newest is that of `last_at`.
    slices: [Slice; KEPT as usize],
    /// Where it stands among those that were quiet.
    turn: u64,
}

impl Counts {
    fn new(currency: Currency, at: Timestamp, forgotten: Option<Timestamp>) -> Self {
        Self { last_at: at, currency, forgotten, slices: [Slice::default(); KEPT as usize], turn: 0 }
    }

    const fn slice_mut(&mut self, number: u64) -> &mut Slice {
        &mut self.slices[(number % KEPT) as usize]
    }

    /// Slices that are kept and not empty, oldest first, by number; `newest` is that of the newest order.
    fn slices(&self, newest: u64) -> impl Iterator<Item = (u64, Slice)> {
        let numbers = newest.saturating_sub(KEPT - 1)..=newest;
        numbers.map(|number| (number, self.slices[(number % KEPT) as usize])).filter(|(_, slice)| slice.orders > 0)
    }
}

/// What one market counts.
#[derive(Debug)]
pub(super) struct Velocities {
    pub(super) setting: Velocity,
    /// Orders accepted from here on are counted.
    pub(super) since: Timestamp,
    /// When the newest order of a key was accepted that was forgotten for another; no key of a later one was.
    pub(super) forgotten: Option<Timestamp>,
    keys: HashMap<CustomerId, Box<Counts>, foldhash::fast::RandomState>,
    /// By turn: whoever was quiet longest comes first.
    quiet: BTreeMap<u64, CustomerId>,
    turns: u64,
}

impl Velocities {
    pub(super) fn new(setting: Velocity, since: Timestamp) -> Self {
        let (keys, quiet) = (HashMap::default(), BTreeMap::new());
        Self { setting, since, forgotten: None, keys, quiet, turns: 0 }
    }

    pub(super) fn has(&self, customer: CustomerKey) -> bool {
        keys(customer, None).any(|key| self.keys.contains_key(&key))
    }

    /// Which slice a moment is in, counted from the first of 1970.
    fn slice(&self, at: Timestamp) -> u64 {
        at.ms() / self.slice_ms()
    }

    fn slice_ms(&self) -> u64 {
        u64::from(self.setting.window_ms).div_ceil(VELOCITY_SLICES)
    }

    /// Goes on with room for so many keys.
    fn set_keys_max(&mut self, keys_max: u32) {
        self.setting.keys_max = keys_max;
        self.make_room(0);
    }

    /// An order was accepted.
    fn count(&mut self, key: CustomerId, (currency, total): (Currency, Price), at: Timestamp) {
        // Whoever makes room now is not this one.
        let (number, slice_ms, forgotten) = (self.slice(at), self.slice_ms(), self.forgotten);
        if !self.keys.contains_key(&key) {
            self.make_room(1);
        }
        let counts = self.keys.entry(key).or_insert_with(|| Box::new(Counts::new(currency, at, forgotten)));
        self.quiet.remove(&counts.turn);
        self.turns += 1;
        counts.turn = self.turns;
        self.quiet.insert(counts.turn, key);
        let newest = counts.last_at.ms() / slice_ms;
        for passed in number.saturating_sub(KEPT - 1).max(newest + 1)..=number {
            *counts.slice_mut(passed) = Slice::default();
        }
        if counts.slices(number).next().is_none() {
            counts.currency = currency;
        }
        counts.last_at = at;
        let is_other = counts.currency != currency;
        let more = Slice { orders: 1, other_currency: is_other.into(), money: if is_other { 0 } else { total } };
        let slice = counts.slice_mut(number);
        *slice = slice.and(more);
    }

    /// Forgets whoever was quiet longest, until there is room for so many more.
    fn make_room(&mut self, more: usize) {
        while self.keys.len() + more > self.setting.keys_max as usize {
            let (_, key) = self.quiet.pop_first().expect("law: every key that is counted has its turn");
            let counts = self.keys.remove(&key).expect("law: who has a turn is counted");
            self.forgotten = Some(counts.last_at);
        }
    }

    /// Forgets a key for good.
    fn forget(&mut self, key: CustomerId) {
        if let Some(counts) = self.keys.remove(&key) {
            self.quiet.remove(&counts.turn);
        }
    }

    /// From when on what is told counts.
    fn from(&self, now: Timestamp) -> Timestamp {
        let oldest = self.slice(now).saturating_sub(VELOCITY_SLICES);
        Timestamp::from_ms(oldest * self.slice_ms()).max(self.since)
    }

    fn told(&self, key: CustomerId, now: Timestamp) -> VelocityCount {
        let counts = self.keys.get(&key);
        let forgotten = counts.map_or(self.forgotten, |counts| counts.forgotten);
        let incomplete = forgotten.is_some_and(|forgotten| forgotten >= self.from(now));
        let nothing = VelocityCount { incomplete, ..VelocityCount::default() };
        let Some(counts) = counts else { return nothing };
        let oldest = self.slice(now).saturating_sub(VELOCITY_SLICES);
        let told = counts.slices(self.slice(counts.last_at)).filter(|(number, _)| *number >= oldest);
        let Slice { orders, other_currency, money } = told.fold(Slice::default(), |sum, (_, slice)| sum.and(slice));
        if orders == 0 {
            return nothing;
        }
        VelocityCount { orders, other_currency, money, currency: Some(counts.currency), incomplete }
    }

    /// Every key with its counts, whoever was quiet longest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (CustomerId, &Counts)> {
        self.quiet.values().filter_map(|key| Some((*key, self.keys.get(key)?.as_ref())))
    }

    /// The slices of a key, oldest first, by number.
    pub(super) fn slices_of<'c>(&self, counts: &'c Counts) -> impl Iterator<Item = (u64, Slice)> + use<'c> {
        counts.slices(self.slice(counts.last_at))
    }

    /// Puts a key back behind all that are there; `None` when it is, or cannot be.
    pub(super) fn restore(
        &mut self,
        key: CustomerId,
        (currency, last_at, forgotten): (Currency, Timestamp, Option<Timestamp>),
        slices: &[(u64, Slice)],
    ) -> Option<()> {
        let is_last = self.iter_back().is_none_or(|(_, before)| before.last_at <= last_at);
        let newest = self.slice(last_at);
        let are_kept =
            slices.iter().all(|(number, slice)| *number <= newest && newest - number < KEPT && slice.orders > 0);
        let are_sorted = slices.is_sorted_by(|(one, _), (other, _)| one < other);
        let ends = slices.last().is_some_and(|(number, _)| *number == newest);
        let has_room = self.keys.len() < self.setting.keys_max as usize;
        if !is_last || !are_kept || !are_sorted || !ends || !has_room || self.keys.contains_key(&key) {
            return None;
        }
        let mut counts = Counts::new(currency, last_at, forgotten);
        self.turns += 1;
        counts.turn = self.turns;
        slices.iter().for_each(|(number, slice)| *counts.slice_mut(*number) = *slice);
        self.quiet.insert(counts.turn, key);
        self.keys.insert(key, Box::new(counts));
        Some(())
    }

    fn iter_back(&self) -> Option<(CustomerId, &Counts)> {
        let (_, key) = self.quiet.last_key_value()?;
        Some((*key, self.keys.get(key)?.as_ref()))
    }

    /// Checks what is always true of it.
    pub(super) fn check(&self) -> Result<(), String> {
        let Velocity { keys_max, .. } = self.setting;
        if self.keys.len() > keys_max as usize || self.keys.len() != self.quiet.len() {
            return Err(format!("{} keys of {keys_max}, {} quiet, are counted", self.keys.len(), self.quiet.len()));
        }
        let mut before = self.forgotten.unwrap_or_default();
        for ((turn, key), (same, counts)) in self.quiet.iter().zip(self.iter()) {
            let is_counted =
                self.slices_of(counts).last().is_some_and(|(number, _)| number == self.slice(counts.last_at));
            if *key != same || counts.turn != *turn || counts.last_at < before.max(self.since) || !is_counted {
                return Err(format!("{key:?} was quiet for longer than it seems, or counts nothing"));
            }
            before = counts.last_at;
        }
        Ok(())
    }
}

/// Every key by which whoever places an order is counted.
fn keys(customer: CustomerKey, hashes: Option<IdentityHashes>) -> impl Iterator<Item = CustomerId> {
    let all = all_keys(customer, hashes.unwrap_or_default());
    all.into_iter().filter(|id| id.key != 0)
}

fn all_keys(customer: CustomerKey, hashes: IdentityHashes) -> [CustomerId; 4] {
    let IdentityHashes { account, address, instrument } = hashes;
    let all = [customer.0, account.into(), address.into(), instrument.into()];
    core::array::from_fn(|kind| CustomerId { kind: kind as u8, key: all[kind] })
}

/// What the units cost that an order got, or is owed.
fn total(placed: &Placed<'_>) -> Price {
    let cost = |line: u16, units: u32| u128::from(placed.lines[usize::from(line)].price) * u128::from(units);
    let total: u128 = placed.draws.iter().map(|draw| cost(draw.line, draw.quantity)).sum();
    Price::try_from(total).unwrap_or(Price::MAX)
}

impl Engine {
    /// Counts an order that was accepted, where its market counts.
    #[inline(never)]
    pub(super) fn count_velocity(&mut self, placed: &Placed<'_>, at: Timestamp) {
        let market = self.market_mut(placed.order.market());
        let Some(velocities) = &mut market.velocities else { return };
        let money = (placed.currency, total(placed));
        keys(placed.customer, placed.hashes).for_each(|key| velocities.count(key, money, at));
    }

    pub(super) fn fold_velocity_set(&mut self, id: MarketId, setting: Velocity, at: Timestamp) {
        let market = self.market_mut(id);
        let before = market.velocity();
        let goes_on = before.window_ms == setting.window_ms;
        if setting == Velocity::default() {
            market.velocities = None;
        } else if let Some(velocities) = market.velocities.as_mut().filter(|_| goes_on) {
            velocities.set_keys_max(setting.keys_max);
        } else {
            // Slices of another length begin elsewhere: what was counted fits none of them.
            market.velocities = Some(Box::new(Velocities::new(setting, at)));
        }
        self.velocity_keys = self.velocity_keys + u64::from(setting.keys_max) - u64::from(before.keys_max);
    }

    /// Forgets what a customer placed.
    pub(super) fn forget_velocity(&mut self, market: MarketId, customer: CustomerKey) {
        if let Some(velocities) = &mut self.market_mut(market).velocities {
            keys(customer, None).for_each(|key| velocities.forget(key));
        }
    }

    /// What these keys placed lately, as of log time `now`. Zero stands for no key.
    ///
    /// # Errors
    /// Unknown market.
    pub fn velocity(
        &self,
        market: MarketId,
        customer: CustomerKey,
        hashes: IdentityHashes,
        now: Timestamp,
    ) -> Result<VelocityView, Refusal> {
        let Some(velocities) = &self.market(market)?.velocities else {
            return Ok(VelocityView { from: now, upto: now, ..VelocityView::default() });
        };
        let told = |id: CustomerId| if id.key == 0 { VelocityCount::default() } else { velocities.told(id, now) };
        let [customer, account, address, instrument] = all_keys(customer, hashes).map(told);
        let (velocity, from) = (velocities.setting, velocities.from(now));
        Ok(VelocityView { velocity, from, upto: now, customer, account, address, instrument })
    }
}
