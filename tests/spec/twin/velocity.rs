//! What whoever places orders placed lately, in the twin: a list of keys, each with all that was accepted of it.

use stockade::base::limits::{VELOCITY_KEYS_MAX, VELOCITY_WINDOW_MS_MAX, VELOCITY_WINDOW_MS_MIN};
use stockade::base::{Currency, CustomerKey, MarketId, Price, Timestamp};
use stockade::engine::command::IdentityHashes;
use stockade::engine::query::{VelocityCount, VelocityView};
use stockade::engine::refusal::Field;
use stockade::engine::{Answer, Place, Refusal, Velocity};

use super::order::Order;
use super::{Twin, out_of_bounds};

/// Slices before that of now that are told.
const SLICES: u64 = 16;

/// Kind and value: 0 is the customer, 1 to 3 are account, address and instrument.
type Key = (usize, u128);

/// What a market counts.
#[derive(Debug, Clone, Default)]
pub(super) struct Counted {
    setting: Velocity,
    since: Timestamp,
    /// Whoever was quiet longest comes first.
    keys: Vec<Known>,
    /// The newest order of every key that was forgotten for want of room.
    forgotten: Vec<Timestamp>,
}

/// A key that is counted.
#[derive(Debug, Clone)]
struct Known {
    key: Key,
    currency: Currency,
    /// Since it is counted without a break; not all that it was ever asked for.
    attempts: Vec<(Timestamp, Currency, Price)>,
    /// Whoever had been forgotten by then.
    forgotten_before: Vec<Timestamp>,
}

impl Known {
    fn last_at(&self) -> Timestamp {
        self.attempts.last().expect("who is counted placed something").0
    }
}

impl Twin {
    pub(super) fn set_velocity(&mut self, id: MarketId, setting: Velocity, now: Timestamp) -> Result<Answer, Refusal> {
        out_of_bounds_velocity(setting).into_iter().next().map_or(Ok(()), Err)?;
        let before = self.market(id)?.counted.setting;
        if before == setting {
            return Ok(Answer::Set { repeated: true });
        }
        let others = self.velocity_keys() - u64::from(before.keys_max);
        if setting.keys_max > before.keys_max && others + u64::from(setting.keys_max) > self.capacity.velocity_max {
            return Err(Refusal::AtCapacity);
        }
        let counted = &mut self.market_mut(id)?.counted;
        if before.window_ms == setting.window_ms {
            counted.setting = setting;
            counted.make_room(0);
        } else {
            *counted = Counted { setting, since: now, ..Counted::default() };
        }
        Ok(Answer::Set { repeated: false })
    }

    /// Keys that all markets together may count.
    pub(crate) fn velocity_keys(&self) -> u64 {
        self.markets.values().map(|market| u64::from(market.counted.setting.keys_max)).sum()
    }

    /// An order was accepted just now.
    pub(super) fn count_placed(&mut self, place: &Place<'_>, order: &Order, now: Timestamp) {
        let price = |(line, units): (&stockade::engine::Line, &Vec<_>)| line.price * units.len() as u64;
        let cost = place.lines.iter().zip(&order.lines).map(price).sum();
        let counted = &mut self.market_mut(place.order.market()).expect("it took an order").counted;
        if counted.setting != Velocity::default() {
            for key in keys(place.customer, place.hashes.unwrap_or_default()).into_iter().filter(|key| key.1 != 0) {
                counted.count(key, (now, place.currency, cost));
            }
        }
    }

    /// Forgets a customer. Tells whether anything was counted.
    pub(super) fn forget_counts(&mut self, market: MarketId, customer: CustomerKey) -> bool {
        let counted = &mut self.market_mut(market).expect("it was looked at").counted;
        let before = counted.keys.len();
        counted.keys.retain(|known| known.key != (0, customer.0));
        counted.keys.len() < before
    }

    pub(crate) fn velocity(
        &self,
        market: MarketId,
        customer: CustomerKey,
        hashes: IdentityHashes,
        now: Timestamp,
    ) -> VelocityView {
        let counted = &self.markets[&market].counted;
        if counted.setting == Velocity::default() {
            return VelocityView { from: now, upto: now, ..VelocityView::default() };
        }
        let [customer, account, address, instrument] = keys(customer, hashes).map(|key| counted.told(key, now));
        let from = counted.from(now);
        VelocityView { velocity: counted.setting, from, upto: now, customer, account, address, instrument }
    }
}

impl Counted {
    fn slice(&self, at: Timestamp) -> u64 {
        at.ms() / u64::from(self.setting.window_ms).div_ceil(SLICES)
    }

    fn from(&self, now: Timestamp) -> Timestamp {
        let first = (self.slice(now).saturating_sub(SLICES)) * u64::from(self.setting.window_ms).div_ceil(SLICES);
        self.since.max(Timestamp::from_ms(first))
    }

    fn is_told(&self, at: Timestamp, now: Timestamp) -> bool {
        self.slice(at) + SLICES >= self.slice(now)
    }

    fn count(&mut self, key: Key, (at, currency, cost): (Timestamp, Currency, Price)) {
        let known = self.keys.iter().position(|known| known.key == key).map(|place| self.keys.remove(place));
        let mut known = known.unwrap_or_else(|| {
            let forgotten_before = self.forgotten.clone();
            self.make_room(1);
            Known { key, currency, attempts: Vec::new(), forgotten_before }
        });
        if !known.attempts.iter().any(|(earlier, ..)| self.is_told(*earlier, at)) {
            known.currency = currency;
        }
        known.attempts.push((at, currency, cost));
        self.keys.push(known);
    }

    fn make_room(&mut self, more: usize) {
        while self.keys.len() + more > self.setting.keys_max as usize {
            self.forgotten.push(self.keys.remove(0).last_at());
        }
    }

    fn told(&self, key: Key, now: Timestamp) -> VelocityCount {
        if key.1 == 0 {
            return VelocityCount::default();
        }
        let known = self.keys.iter().find(|known| known.key == key);
        let forgotten = known.map_or(&self.forgotten, |known| &known.forgotten_before);
        let incomplete = forgotten.iter().any(|at| *at >= self.from(now));
        let attempts = known.map(|known| known.attempts.as_slice()).unwrap_or_default();
        let told: Vec<_> = attempts.iter().filter(|(at, ..)| self.is_told(*at, now)).collect();
        let Some(known) = known.filter(|_| !told.is_empty()) else {
            return VelocityCount { incomplete, ..VelocityCount::default() };
        };
        let own: Vec<_> = told.iter().filter(|(_, currency, _)| *currency == known.currency).collect();
        VelocityCount {
            orders: told.len() as u32,
            other_currency: (told.len() - own.len()) as u32,
            money: own.iter().map(|(.., cost)| *cost).sum(),
            currency: Some(known.currency),
            incomplete,
        }
    }
}

fn keys(customer: CustomerKey, hashes: IdentityHashes) -> [Key; 4] {
    let IdentityHashes { account, address, instrument } = hashes;
    [(0, customer.0), (1, account.into()), (2, address.into()), (3, instrument.into())]
}

/// Every part of it that is outside its bounds.
pub(super) fn out_of_bounds_velocity(Velocity { window_ms, keys_max }: Velocity) -> Vec<Refusal> {
    if (window_ms, keys_max) == (0, 0) {
        return Vec::new();
    }
    let windows = VELOCITY_WINDOW_MS_MIN..=VELOCITY_WINDOW_MS_MAX;
    let wrong = |min: u32, max: u32| out_of_bounds(Field::Velocity, min.into(), max.into());
    let window = (!windows.contains(&window_ms)).then(|| wrong(*windows.start(), *windows.end()));
    let keys = !(1..=VELOCITY_KEYS_MAX).contains(&keys_max);
    window.into_iter().chain(keys.then(|| wrong(1, VELOCITY_KEYS_MAX))).collect()
}
