//! What is true of the whole state after every fact, computed again from nothing and compared.
//!
//! Of what has left, only what `Gone` counts is known; what should be true of it is checked of its sums.
//!
//! The state keeps sums so that no command has to walk; here everything is walked, so that no sum can drift unseen.

use std::collections::{BTreeMap, BTreeSet};

use super::Engine;
use super::books::Tally;
use super::effect::{EFFECTS, Effect};
use super::history::Past;
use super::keys::Used;
use super::ledger::{BUCKETS, Balances, Bucket};
use super::marks::Marks;
use super::order::State;
use super::orders::{Phase, Record};
use super::policy::{CustomerId, Policy};
use crate::base::limits::{HISTORY_ENTRIES_MAX, HOLDS_PER_ORDER_MAX};
use crate::base::{CustomerKey, KeyName, MarketId, OrderNumber, SiteId, SkuId, Timestamp};

/// Units that orders say lie in a bucket, per market, SKU and site.
type Held = BTreeMap<(MarketId, SkuId, SiteId), [i64; BUCKETS]>;

impl Engine {
    /// Checks every law of the state.
    ///
    /// # Errors
    /// The first law that does not hold, in words, with what it was broken by.
    pub fn check_invariants(&self) -> Result<(), String> {
        let mut held = Held::new();
        let mut tallies = BTreeMap::<MarketId, Tally>::new();
        let (mut lines, mut details, mut handed_off, mut open) = (0, 0, 0, [0; EFFECTS]);
        let mut users = BTreeMap::<KeyName, Vec<(MarketId, CustomerKey)>>::new();
        for (position, record) in self.orders.records() {
            self.check_order(position, record)?;
            let mark = self.wants.mark(position);
            handed_off += u64::from(mark.iter().any(Option::is_some));
            for (open, want) in open.iter_mut().zip(mark) {
                *open += u64::from(want.is_some_and(|want| want.is_open()));
            }
            let is_unchecked = mark[Effect::Check.index()].is_some_and(|want| want.is_open());
            law(is_unchecked == record.marks.has(Marks::UNCHECKED), || {
                format!("{} is unchecked, or not", record.order)
            })?;
            self.check_history(position, record)?;
            self.check_account(position, record)?;
            self.check_returns(position, record)?;
            self.check_tasks(position, record)?;
            self.wants.check(position).map_err(|broken| format!("of order {} {broken}", record.order))?;
            self.collect_held(record, &mut held);
            // What is closed is counted with what is gone; an identifier that is blocked goes there when it leaves.
            if record.phase == Phase::Whole || record.state == State::Blocked {
                let tally = tallies.entry(record.order.market()).or_default();
                tally.add(record.state, self.orders.hash(record));
            }
            lines += self.orders.lines(record).len() as u64;
            details += self.orders.extra(record).map_or(0, |extra| extra.details.len() as u64);
            if let Some(key) = self.orders.key(record) {
                users.entry(key).or_default().push((record.order.market(), record.customer));
            }
        }
        law(lines == self.orders.line_count(), || format!("line count {} is {lines}", self.orders.line_count()))?;
        self.check_keys(&users)?;
        law(details == self.orders.details_bytes(), || {
            format!("details {} are {details}", self.orders.details_bytes())
        })?;
        law(handed_off == self.wants.kept(), || format!("{} orders handed off are {handed_off}", self.wants.kept()))?;
        for (effect, open) in Effect::ALL.into_iter().zip(open) {
            let listed: u64 = self.wants.counts(effect).iter().sum();
            law(listed == open, || format!("{open} {} are open, {listed} are listed", effect.name()))?;
        }
        let (mut skus, mut kits) = (0, 0);
        for (number, _) in self.open_markets() {
            skus += self.market(number).map_or(0, |market| market.skus.len() as u64);
            self.check_market(number, &held, tallies.get(&number).copied().unwrap_or_default())?;
            self.check_counts(number)?;
            kits += self.check_kits(number)?;
            self.check_shortages(number)?;
        }
        self.on_hand.check()?;
        self.check_holds()?;
        self.check_money()?;
        self.check_lying()?;
        self.check_task_lists()?;
        self.check_ends()?;
        law(kits == self.kit_count, || format!("kit count {} is {kits}", self.kit_count))?;
        let markets = self.markets.iter().flatten();
        let customers: u64 = markets.map(|market| market.policies.customers()).sum();
        let pairs: u64 = self.markets.iter().flatten().map(|market| market.waiting.pairs()).sum();
        law(pairs == self.waiting_pairs, || format!("{} that wait are {pairs}", self.waiting_pairs))?;
        law(customers == self.customer_counts, || format!("{} customers are {customers}", self.customer_counts))?;
        let policies: u64 = self.markets.iter().flatten().map(|market| market.policies.len() as u64).sum();
        law(policies == self.policy_count, || format!("{} policies are {policies}", self.policy_count))?;
        let caps: u64 = self.markets.iter().flatten().map(|market| market.policies.caps().len() as u64).sum();
        law(caps == self.channel_cap_count, || format!("{} caps of channels are {caps}", self.channel_cap_count))?;
        self.check_velocity()?;
        let places: usize = self.markets.iter().flatten().map(|market| market.ledger.place_count()).sum();
        law(places as u64 == self.place_count, || format!("{} places are {places}", self.place_count))?;
        let requests: usize = self.markets.iter().flatten().map(|market| market.requests.len()).sum();
        law(requests == self.request_count, || format!("{} requests are {requests}", self.request_count))?;
        law(skus == self.sku_count, || format!("SKU count {} is {skus}", self.sku_count))
    }

    /// What is counted of whoever places orders.
    fn check_velocity(&self) -> Result<(), String> {
        let keys: u64 = self.markets.iter().flatten().map(|market| u64::from(market.velocity().keys_max)).sum();
        law(keys == self.velocity_keys, || format!("room for {} keys is room for {keys}", self.velocity_keys))?;
        self.markets.iter().flatten().filter_map(|market| market.velocities.as_ref()).try_for_each(|it| it.check())
    }

    /// `users` are the orders that name each key.
    fn check_keys(&self, users: &BTreeMap<KeyName, Vec<(MarketId, CustomerKey)>>) -> Result<(), String> {
        for (key, users) in users.iter().filter(|(key, _)| !self.keys.is_live(**key)) {
            let slot = self.keys.slots().get(key.slot as usize);
            law(slot.is_some_and(|slot| key.generation < slot.generation), || {
                format!("{} orders name key {key}, which never was", users.len())
            })?;
        }
        let (mut live, mut customers, mut free) = (0, 0, 0);
        for (key, slot) in self.keys.names().zip(self.keys.slots()) {
            let Used::By(count) = slot.used else {
                free += usize::from(slot.used == Used::Free);
                law((slot.used == Used::Worn) == (key.generation == u32::MAX), || {
                    format!("key {key} is worn, or not")
                })?;
                continue;
            };
            live += 1;
            let named = users.get(&key).map_or(&[][..], Vec::as_slice);
            law(named.len() == count as usize && count > 0, || {
                format!("{} orders use key {key}, not {count}", named.len())
            })?;
            let (market, customer) = named[0];
            law(named.iter().all(|one| *one == named[0]), || format!("key {key} is of several customers"))?;
            if customer == CustomerKey::default() {
                law(count == 1, || format!("guests share key {key}"))?;
            } else {
                customers += 1;
                law(self.keys.of(market, customer) == Some(key), || {
                    format!("{customer:?} does not know of key {key}")
                })?;
            }
        }
        law(live == self.keys.live(), || format!("{live} keys live, not {}", self.keys.live()))?;
        law(customers == self.keys.customers(), || format!("{customers} have keys, not {}", self.keys.customers()))?;
        let queue: BTreeSet<u32> = self.keys.free().collect();
        let is_free = |slot: &u32| self.keys.slots().get(*slot as usize).is_some_and(|slot| slot.used == Used::Free);
        law(queue.len() == free && self.keys.free().len() == free && queue.iter().all(is_free), || {
            format!("{free} slots are free, not {queue:?}")
        })
    }

    fn check_order(&self, position: u32, record: &Record) -> Result<(), String> {
        let order = record.order;
        law(self.orders.find(order) == Some(position), || format!("order {order} is not found by its identifier"))?;
        if record.state == State::Blocked {
            let is_empty = record.number.0 == 0 && record.lines.len == 0 && record.phase == Phase::Tombstone;
            return law(is_empty, || format!("blocked {order} holds something"));
        }
        let market = self.market(order.market()).map_err(|_| format!("order {order} has no market"))?;
        law(market.numbers.get(record.number) == Some(position), || format!("number of {order} names another order"))?;
        law((record.closes_at == Timestamp::ZERO) == record.state.is_open(), || {
            format!("order {order} is {:?} and closes at {:?}", record.state, record.closes_at)
        })?;
        if record.phase != Phase::Whole {
            return self.check_tombstone(position, record);
        }
        let (totals, is_held) = (self.orders.totals(record), record.is_held());
        law(record.state == record.told(totals.state()), || {
            format!("order {order} is {:?}, held: {is_held}, but holds {totals:?}", record.state)
        })?;
        let draws = self.orders.draws(record);
        law(draws.is_sorted_by_key(|draw| draw.line), || format!("draws of {order} are not in line order"))?;
        for (line, units) in self.orders.lines(record).iter().zip(self.orders.line_units(record)) {
            law(units.taken() == u64::from(line.taken), || {
                format!("a line of {order} took {} has {units:?}", line.taken)
            })?;
            law(line.taken <= line.asked, || format!("a line of {order} took {} of {}", line.taken, line.asked))?;
            let in_line = market.waiting.behind(line.sku, OrderNumber(record.number.0 - 1)).next();
            law(units.owed == 0 || in_line.is_some_and(|(number, _)| number == record.number), || {
                format!("order {order} is owed {} units and stands in no line", units.owed)
            })?;
            law(units.returned <= units.shipped, || format!("a line of {order} got back more than it shipped"))?;
        }
        Ok(())
    }

    fn check_tombstone(&self, position: u32, record: &Record) -> Result<(), String> {
        let (order, lines) = (record.order, self.orders.lines(record));
        let is_bare = self.orders.draws(record).is_empty()
            && self.orders.extra(record).is_none()
            && self.orders.changes(position).is_empty()
            && record.history.is_none()
            && !record.is_held()
            && self.accounts.of(position).is_empty()
            && self.returns.of(position).is_empty()
            && lines.iter().all(|line| line.delivered == 0)
            && self.wants.mark(position).iter().all(Option::is_none);
        law(is_bare, || format!("closed {order} still holds draws, details, changes, a history or wants"))?;
        law(lines.is_empty() || lines.iter().any(|line| line.taken < line.asked), || {
            format!("closed {order} got all it asked and still holds its lines")
        })
    }

    /// What is held is marked so, may be held, and for few reasons, all different.
    fn check_holds(&self) -> Result<(), String> {
        let mut held = 0;
        for (market, number, position, holds) in self.holds.iter() {
            let record = self.orders.record(position);
            let is_it = (record.order.market(), record.number) == (market, number) && record.phase == Phase::Whole;
            let may_be = record.has_holds() && record.state.may_be_held();
            let is_bounded = !holds.is_empty() && holds.len() <= HOLDS_PER_ORDER_MAX;
            law(is_it && may_be && is_bounded, || format!("order {number} of market {market} is held by {holds:?}"))?;
            let names: BTreeSet<_> = holds.iter().map(|hold| (&hold.owner, hold.reason)).collect();
            law(names.len() == holds.len(), || format!("order {number} of market {market} is held twice: {holds:?}"))?;
            held += holds.len() as u64;
        }
        law(held == self.holds.len(), || format!("{} holds are {held}", self.holds.len()))?;
        let marked = self.orders.records().filter(|(_, record)| record.has_holds()).count();
        law(marked == self.holds.iter().count(), || format!("{marked} orders are marked as held"))
    }

    /// What happened to an order is told in the order in which it happened, and nothing of it before its placement.
    fn check_history(&self, position: u32, record: &Record) -> Result<(), String> {
        let order = record.order;
        law(record.history.is_none() || record.phase == Phase::Whole, || format!("{order} is over and has a history"))?;
        let (mut later, mut entries) = (None::<Past>, 0);
        for past in self.histories.back(record.history, position) {
            entries += 1;
            let follows = later.is_none_or(|later| {
                let is_numbered = past.ordinal < later.ordinal || later.ordinal == u16::MAX;
                is_numbered && past.age > later.age && past.at <= later.at && past.position <= later.position
            });
            law(follows && past.at >= record.accepted_at, || format!("{past:?} of {order} is followed by {later:?}"))?;
            later = Some(past);
        }
        law(entries <= HISTORY_ENTRIES_MAX, || format!("{entries} entries are kept of {order}"))
    }

    fn collect_held(&self, record: &Record, held: &mut Held) {
        let (lines, id) = (self.orders.lines(record), record.order.market());
        let market = self.market(id).ok();
        for draw in self.orders.draws(record) {
            let sku = lines[usize::from(draw.line)].sku;
            // What is owed is counted as arriving nowhere: no site has it.
            if draw.is_owed() {
                let units = held.entry((id, sku, draw.site)).or_default();
                units[Bucket::Arriving as usize] += i64::from(draw.units.held());
                continue;
            }
            for part in market.and_then(|market| market.kits.recipe(sku)).iter().flat_map(|recipe| recipe.iter()) {
                let (units, each) = (held.entry((id, part.sku, draw.site)).or_default(), i64::from(part.units));
                units[Bucket::Reserved as usize] += each * i64::from(draw.units.reserved);
                units[Bucket::Committed as usize] += each * i64::from(draw.units.committed);
                units[Bucket::Customer as usize] += each * i64::from(draw.units.shipped - draw.units.returned);
            }
            if market.is_some_and(|market| market.kits.is_kit(sku)) {
                continue;
            }
            let units = held.entry((id, sku, draw.site)).or_default();
            units[Bucket::Reserved as usize] += i64::from(draw.units.reserved);
            units[Bucket::Committed as usize] += i64::from(draw.units.committed);
            units[Bucket::Customer as usize] += i64::from(draw.units.shipped - draw.units.returned);
        }
    }

    /// What orders that are kept hold is counted; what is counted beyond that was held by orders that left.
    fn check_counts(&self, number: MarketId) -> Result<(), String> {
        let market = self.market(number).map_err(|_| format!("market {number} is not open"))?;
        let (mut customers, mut holds) = (0, BTreeMap::<(SkuId, CustomerId), u64>::new());
        let mut sold = BTreeMap::<(SkuId, u16), u64>::new();
        for (sku, rule) in market.policies.iter() {
            customers += rule.customers() as u64;
            law(rule.policy != Policy::default(), || {
                format!("the policy of SKU {sku} of market {number} says nothing")
            })?;
            law(rule.policy.counts() || rule.customers() == 0, || format!("SKU {sku} counts without a limit"))?;
        }
        law(customers == market.policies.customers(), || {
            format!("{} customers of market {number} are {customers}", market.policies.customers())
        })?;
        if !market.policies.counts() {
            return Ok(());
        }
        for (_, record) in self.orders.records().filter(|(_, record)| record.order.market() == number) {
            let hashes = self.orders.extra(record).and_then(|extra| extra.hashes);
            for (line, units) in self.orders.lines(record).iter().zip(self.orders.line_units(record)) {
                let parts = market.kits.recipe(line.sku).into_iter().flat_map(|recipe| recipe.iter());
                let parts = parts.map(|part| (part.sku, u64::from(part.units)));
                for (sku, each) in core::iter::once((line.sku, 1)).chain(parts) {
                    let cap = market.policies.caps().get(sku, record.channel);
                    if cap.is_some_and(|cap| record.number >= cap.from) {
                        *sold.entry((sku, record.channel)).or_default() += each * units.sold();
                    }
                    let Some(rule) = market.policies.rule(sku) else { continue };
                    if rule.policy.customer_max > 0 && record.number >= rule.held_from {
                        let units = each * rule.policy.counted(&units);
                        for key in rule.policy.keys(record.customer, hashes) {
                            *holds.entry((sku, key)).or_default() += units;
                        }
                    }
                }
            }
        }
        for ((sku, channel), units) in sold {
            let counted = market.policies.caps().get(sku, channel).map_or(0, |cap| cap.held);
            law(counted >= units, || format!("channel {channel} sold {units} of SKU {sku}, {counted} are counted"))?;
        }
        for ((sku, customer), units) in holds {
            let counted = market.policies.rule(sku).map_or(0, |rule| rule.count(customer).held);
            law(counted >= units, || format!("{customer:?} holds {units} units of SKU {sku}, {counted} are counted"))?;
        }
        Ok(())
    }

    /// Kits have no units of their own and are made of plain SKUs, which know them. Tells how many there are.
    fn check_kits(&self, number: MarketId) -> Result<u64, String> {
        let market = self.market(number).map_err(|_| format!("market {number} is not open"))?;
        let (mut kits, mut parts) = (0, 0);
        for (kit, recipe) in market.kits.iter() {
            (kits, parts) = (kits + 1, parts + recipe.len());
            let is_bare = market.ledger.places(kit).next().is_none();
            let policy = market.policy(kit);
            law(is_bare, || format!("kit {kit} of market {number} has units"))?;
            law(policy.safety_stock == 0 && policy.oversell_max == 0, || {
                format!("kit {kit} is kept back, or oversold")
            })?;
            law(recipe.is_sorted_by(|one, other| one.sku < other.sku), || format!("kit {kit} is in disorder"))?;
            for part in recipe {
                let is_plain = market.check_plain(part.sku).is_ok() && part.units > 0;
                let is_known = market.kits.of_component(part.sku).any(|known| known == kit);
                law(is_plain && is_known, || format!("kit {kit} of market {number} is not made of {part:?}"))?;
            }
        }
        let skus = (1..).map(SkuId).take(market.skus.len());
        let known: usize = skus.map(|sku| market.kits.of_component(sku).count()).sum();
        law((kits, parts) == (market.kits.len() as u64, known), || {
            format!("{kits} kits of {parts} parts in market {number} are {}, of {known}", market.kits.len())
        })?;
        Ok(kits)
    }

    /// A place is short of what orders hold there, of nothing else, and has nothing to give meanwhile.
    fn check_shortages(&self, number: MarketId) -> Result<(), String> {
        let market = self.market(number).map_err(|_| format!("market {number} is not open"))?;
        for (sku, site, units) in market.shortages.iter() {
            let balances = market.ledger.balances(sku, site);
            let held = balances[Bucket::Reserved as usize] + balances[Bucket::Committed as usize];
            let free = balances[Bucket::Available as usize] + balances[Bucket::Arriving as usize];
            law(units > 0 && units <= held.cast_unsigned() && free == 0, || {
                format!("SKU {sku} at site {site} is short of {units}, orders hold {held}, {free} are free")
            })?;
        }
        law(market.shortages.is_seen_to(), || format!("nobody sees to what market {number} is short of"))
    }

    /// Who waits is owed what the line says, and nothing is for sale from the shelf meanwhile.
    fn check_waiting(&self, number: MarketId, sku: SkuId, held: &Held) -> Result<(), String> {
        let market = self.market(number).map_err(|_| format!("market {number} is not open"))?;
        let nowhere = held.get(&(number, sku, SiteId::NOWHERE)).map_or(0, |units| units[Bucket::Arriving as usize]);
        let owed = market.waiting.owed(sku);
        law(owed == nowhere.unsigned_abs(), || {
            format!("orders are owed {nowhere} of SKU {sku}, {owed} are waited for")
        })?;
        let in_line: u64 = market.waiting.behind(sku, OrderNumber(0)).map(|(_, units)| units).sum();
        law(owed == in_line, || format!("{owed} of SKU {sku} are waited for, the line says {in_line}"))?;
        let arriving = market.ledger.places(sku).map(|(_, balances)| balances[Bucket::Arriving as usize]).sum::<i64>();
        law(arriving == 0 || owed > 0, || format!("{arriving} of SKU {sku} arrive for nobody"))?;
        let on_the_shelf = market.on_the_shelf(sku);
        law(owed == 0 || on_the_shelf == 0, || format!("{on_the_shelf} of SKU {sku} are for sale past who waits"))
    }

    fn check_market(&self, number: MarketId, held: &Held, tally: Tally) -> Result<(), String> {
        let market = self.market(number).map_err(|_| format!("market {number} is not open"))?;
        let tally = tally.plus(&market.gone.tally);
        law(market.tally == tally, || format!("books of market {number}: {:?} should be {tally:?}", market.tally))?;
        let (mut totals, mut gone_with_customers) = (Balances::default(), 0_u64);
        for sku in (1..).map(SkuId).take(market.skus.len()) {
            self.check_waiting(number, sku, held)?;
            let mut sum = 0;
            for site in &market.ranked {
                let balances = market.ledger.balances(sku, *site);
                let expected = held.get(&(number, sku, *site)).copied().unwrap_or_default();
                let with_customers = balances[Bucket::Customer as usize] - expected[Bucket::Customer as usize];
                gone_with_customers += u64::try_from(with_customers).map_err(|_| {
                    format!("customer of SKU {sku} at site {site} is {with_customers} less than orders say")
                })?;
                for bucket in [Bucket::Reserved, Bucket::Committed] {
                    let (has, should) = (balances[bucket as usize], expected[bucket as usize]);
                    law(has == should, || {
                        format!("{} of SKU {sku} at site {site} is {has}, orders say {should}", bucket.name())
                    })?;
                }
                law(balances[Bucket::Available as usize] >= 0, || format!("SKU {sku} at site {site} is oversold"))?;
                sum += balances.iter().sum::<i64>();
                totals.iter_mut().zip(balances).for_each(|(total, units)| *total += units);
            }
            law(sum == 0, || format!("units of SKU {sku} of market {number} do not add up: {sum} too many"))?;
        }
        law(gone_with_customers == market.gone.customer_units, || {
            format!("{gone_with_customers} units are with customers of gone orders, not {}", market.gone.customer_units)
        })?;
        law(totals == market.ledger.totals(), || format!("totals of market {number} drifted from {totals:?}"))
    }
}

fn law(holds: bool, broken: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(broken()) }
}
