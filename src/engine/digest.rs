//! The digest: 128 bits that are equal for equal states, however they came about and wherever they lie in memory.
//!
//! A sum modulo 2^128 of the hashes of all parts, each with a tag of its kind, so no order of parts matters. It covers
//! everything a later decision can depend on; deadlines follow from orders and are not counted twice.
//!
//! # Not here
//! - The books, which are about units and orders alone and are kept up with every fact: `books`.

use std::collections::BTreeMap;

use xxhash_rust::xxh3::xxh3_128;

use super::Engine;
use super::channel::Cap;
use super::effect::Effect;
use super::history::Past;
use super::hold::Hold;
use super::keys::{Slot, Used};
use super::kits::Component;
use super::ledger::Balances;
use super::market::Market;
use super::marks::Marks;
use super::orders::{Details, Phase, Record};
use super::policy::Rule;
use super::task::TaskKind;
use super::velocity::{Slice, Velocities, Velocity};
use crate::base::{MarketId, SiteId, SkuId, Timestamp};

/// What a part of the state is.
#[derive(Clone, Copy)]
#[repr(u8)]
enum Part {
    Assigned,
    Market,
    Site,
    Sku,
    Balances,
    Request,
    Floor,
    Order,
    Change,
    Retention,
    Policy,
    Customer,
    Want,
    Cursor,
    Kit,
    ChannelCap,
    History,
    Key,
    OnHand,
    Short,
    Hold,
    Attempt,
    Money,
    Return,
    ReturnRow,
    Ending,
    Delivered,
    Task,
    Velocity,
    VelocityKey,
}

/// Room for an order of one line, so that most parts ask for memory once.
const PART_BYTES: usize = 512;

/// Bytes of one part.
struct Bytes(Vec<u8>);

impl Bytes {
    fn of(part: Part) -> Self {
        let mut bytes = Vec::with_capacity(PART_BYTES);
        bytes.push(part as u8);
        Self(bytes)
    }

    fn add(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        self.0.extend_from_slice(bytes);
        self
    }

    fn number(mut self, number: impl Into<u128>) -> Self {
        self.0.extend_from_slice(&number.into().to_le_bytes());
        self
    }

    fn hash(&self) -> u128 {
        xxh3_128(&self.0)
    }
}

impl Engine {
    /// The digest of the whole state. Walks everything: for tests, audits and comparisons, not for the hot path.
    #[must_use]
    pub fn digest(&self) -> u128 {
        let assigned = self.directory.iter().map(|(market, shard, name)| {
            Bytes::of(Part::Assigned).number(market.number()).number(shard.0).add(name.as_bytes()).hash()
        });
        let markets = self.open_markets().map(|(number, name)| {
            let market = self.market(number).expect("law: an open market is open");
            digest_market(number, name, market)
        });
        let orders = self.orders.records().map(|(position, record)| self.digest_order(position, record));
        let cursors = self.cursors.iter().map(|(sink, cursor)| {
            let bytes = Bytes::of(Part::Cursor).add(sink.as_bytes()).number(cursor.upto.0);
            bytes.number(u8::from(cursor.attached)).hash()
        });
        let on_hand = self.on_hand.iter().map(|((market, sku, site), kept)| {
            let bytes = Bytes::of(Part::OnHand).number(market.number()).number(sku.0).number(site.0);
            let bytes = bytes.number(self.on_hand.floor().0).number(kept.floor.0);
            kept.changes.iter().fold(bytes, |bytes, change| bytes.number(change.entry.0).number(change.before)).hash()
        });
        let places: BTreeMap<u32, u64> = self.keys.free().zip(0..).collect();
        let keys = (0..).zip(self.keys.slots()).map(|(slot, Slot { generation, used })| {
            let (tag, number) = match used {
                Used::Free => (0_u8, places.get(&slot).copied().unwrap_or_default()),
                Used::Worn => (1, 0),
                Used::By(users) => (2, u64::from(*users)),
            };
            Bytes::of(Part::Key).number(slot).number(*generation).number(tag).number(number).hash()
        });
        assigned.chain(cursors).chain(on_hand).chain(keys).chain(markets).chain(orders).fold(0, u128::wrapping_add)
    }

    fn digest_order(&self, position: u32, record: &Record) -> u128 {
        let head = [
            record.customer.0,
            record.content,
            record.accepted_at.ms().into(),
            record.deadline.ms().into(),
            record.number.0.into(),
            u128::from(record.state as u8) << 8
                | u128::from(record.take as u8) << 16
                | u128::from(record.channel) << 32,
            u128::from(record.payment as u8)
                | u128::from(record.zone) << 16
                | u128::from(record.marks.has(Marks::PAYMENT_STARTED)) << 32
                | u128::from(record.marks.has(Marks::SAID_PAID)) << 33,
            // When a tombstone leaves follows from its identifier and its market.
            if record.phase == Phase::Whole { record.closes_at.ms().into() } else { u128::MAX },
        ];
        let mut bytes = head.into_iter().fold(Bytes::of(Part::Order).number(record.order.bits()), Bytes::number);
        bytes = bytes.add(&record.currency.code());
        for line in self.orders.lines(record) {
            bytes = bytes.number(line.price).number(line.sku.0).number(line.asked).number(line.taken);
        }
        for draw in self.orders.draws(record) {
            let units = draw.units;
            let counters =
                [units.reserved, units.lapsed, units.committed, units.shipped, units.cancelled, units.returned];
            bytes = counters.into_iter().fold(bytes.number(draw.line).number(draw.site.0), Bytes::number);
        }
        if let Some(extra) = self.orders.extra(record) {
            let hashes = extra.hashes.map(|hashes| [hashes.account, hashes.address, hashes.instrument]);
            bytes = hashes.into_iter().flatten().fold(bytes, Bytes::number);
            if let Details::Sealed { key, bytes: sealed } = &extra.details {
                bytes = bytes.number(key.slot).number(key.generation).add(sealed);
            }
        }
        let changes = self.orders.changes(position).iter().map(|kept| {
            let change = Bytes::of(Part::Change).number(record.order.bits()).number(kept.change.id.0);
            change.number(kept.change.content).number(kept.change.excess).number(kept.moved).hash()
        });
        let wants = Effect::ALL.into_iter().filter_map(|effect| {
            let want = self.wants.get(position, effect)?;
            let aside = want.aside.map_or(0, |reason| reason as u8) | if want.is_untold { 0x80 } else { 0 };
            let bytes = Bytes::of(Part::Want).number(record.order.bits()).number(effect as u8);
            Some(bytes.number(want.wanted).number(want.told).number(aside).number(want.since.ms()).hash())
        });
        let holds = self.holds.of(record).iter().map(|Hold { owner, reason, note, since }| {
            let bytes = Bytes::of(Part::Hold).number(record.order.bits()).add(owner.as_bytes());
            bytes.number(*reason as u8).add(note.as_bytes()).number(since.ms()).hash()
        });
        let attempts = self.accounts.of(position).iter().zip(0_u8..).map(|(attempt, place)| {
            let bytes = Bytes::of(Part::Attempt).number(record.order.bits()).number(place).number(attempt.id.0);
            let amounts = [attempt.authorised, attempt.captured, attempt.refunded, attempt.refund_asked];
            let bytes = amounts
                .into_iter()
                .fold(bytes, Bytes::number)
                .number(attempt.charged_back)
                .number(attempt.refund_failed);
            let (reason, class) = attempt.failure.map_or((0, 0), |(reason, class)| (reason as u8, class as u8));
            let words = [attempt.method as u8, attempt.stage as u8, reason, class, attempt.dispute as u8];
            words.into_iter().fold(bytes, Bytes::number).hash()
        });
        let order = record.order.bits();
        let ends = self.accounts.ends.of(position);
        let ends = ends.map(|(id, end)| Bytes::of(Part::Ending).number(order).number(id.0).number(end.ms()).hash());
        let delivered = (0_u16..).zip(self.orders.lines(record)).filter(|(_, line)| line.delivered > 0);
        let delivered = delivered
            .map(|(line, known)| Bytes::of(Part::Delivered).number(order).number(line).number(known.delivered).hash());
        let heads = (0_u8..).zip(self.returns.of(position)).map(|(of, head)| {
            let bytes = Bytes::of(Part::Return).number(order).number(of).number(head.id.0).number(head.content);
            let declined = head.declined.map_or(0, |reason| reason as u8 + 1);
            let words = [head.kind as u8, head.reason as u8, head.stage as u8, declined];
            words.into_iter().fold(bytes.number(head.until.ms()), Bytes::number).hash()
        });
        let rows = self.returns.rows(position).iter().map(|row| {
            let bytes = Bytes::of(Part::ReturnRow).number(order).number(row.of).number(row.line).number(row.site.0);
            row.became.into_iter().fold(bytes.number(row.units), Bytes::number).hash()
        });
        let returns = delivered.chain(heads).chain(rows).fold(0, u128::wrapping_add);
        let tasks = TaskKind::ALL.into_iter().filter_map(|kind| {
            let bytes = Bytes::of(Part::Task).number(record.order.bits()).number(kind as u8);
            Some(bytes.number(self.tasks.since(position, kind)?.ms()).hash())
        });
        let refund = self.tasks.open_refund(position);
        let refund =
            refund.map(|open| Bytes::of(Part::Task).number(record.order.bits()).number(0_u8).number(open).hash());
        let history = (!record.history.is_none()).then(|| self.digest_history(position, record));
        let parts =
            changes.chain(wants).chain(holds).chain(attempts).chain(ends).chain(tasks).chain(refund).chain(history);
        parts.fold(bytes.hash().wrapping_add(returns), u128::wrapping_add)
    }

    /// What happened to an order. After how much more of it gives way is about other orders, and not counted here.
    fn digest_history(&self, position: u32, record: &Record) -> u128 {
        let bytes = Bytes::of(Part::History).number(record.order.bits());
        let add = |bytes: Bytes, past: Past| {
            let Past { what, position, at, line, value, ordinal, age: _ } = past;
            let bytes = bytes.number(what as u8).number(position.0).number(at.ms()).number(line);
            bytes.number(value).number(ordinal)
        };
        self.histories.back(record.history, position).fold(bytes, add).hash()
    }
}

fn digest_market(number: MarketId, name: &str, market: &Market) -> u128 {
    let part = |part| Bytes::of(part).number(number.number());
    let sites = market.sites.iter().zip(&market.ranks);
    let sites =
        sites.map(|((site, code), rank)| part(Part::Site).number(site).number(*rank).add(code.as_bytes()).hash());
    let skus = market.skus.iter().map(|(sku, code)| part(Part::Sku).number(sku).add(code.as_bytes()).hash());
    let requests = market.requests.iter().map(|(request, kept)| {
        part(Part::Request).number(request.bits()).number(kept.content).number(kept.available).hash()
    });
    let Market { retention, gone, reservations, .. } = market;
    let kept = [
        retention.return_window_ms.into(),
        retention.ids_kept_ms.into(),
        market.retired_before.ms().into(),
        market.next_number().0.into(),
        gone.customer_units.into(),
        gone.tally.hash,
        u128::from(market.effects.payment)
            | u128::from(market.effects.release) << 1
            | u128::from(market.effects.check) << 2,
        u128::from(reservations.activity_ms_max) | u128::from(reservations.payment_ms_max) << 32,
    ];
    let unpaid = reservations.unpaid_ms.iter().map(|ms| u128::from(*ms));
    let orders = gone.tally.orders.iter().map(|count| u128::from(*count));
    let kept = kept.into_iter().chain(unpaid).chain(orders).fold(part(Part::Retention), Bytes::number).hash();
    let floor = market.requests.floor().map(|floor| part(Part::Floor).number(floor.bits()).hash());
    let itself = part(Part::Market).add(name.as_bytes()).hash();
    let balances = market.skus.iter().map(|(sku, _)| digest_balances(number, SkuId(sku), market));
    let rules = market.policies.iter().map(|(sku, rule)| digest_rule(number, sku, rule));
    let kits = market.kits.iter().map(|(sku, recipe)| {
        let add = |bytes: Bytes, part: &Component| bytes.number(part.sku.0).number(part.units);
        recipe.iter().fold(part(Part::Kit).number(sku.0), add).hash()
    });
    let caps = market.policies.caps().iter().map(|((sku, channel), Cap { units_max, from, held })| {
        let bytes = part(Part::ChannelCap).number(sku.0).number(channel);
        bytes.number(*units_max).number(from.0).number(*held).hash()
    });
    let shortages = market
        .shortages
        .iter()
        .map(|(sku, site, units)| part(Part::Short).number(sku.0).number(site.0).number(units).hash());
    let itself = shortages.fold(itself, u128::wrapping_add);
    let money = market.gone_money.iter().map(|(currency, sums)| {
        sums.parts().into_iter().fold(part(Part::Money).add(&currency.code()), Bytes::number).hash()
    });
    let itself = money.fold(itself, u128::wrapping_add);
    let itself =
        market.velocities.as_ref().map_or(0, |counted| digest_velocities(number, counted)).wrapping_add(itself);
    let parts = sites.chain(skus).chain(kits).chain(requests).chain(floor).chain(balances).chain(rules).chain(caps);
    parts.fold(itself.wrapping_add(kept), u128::wrapping_add)
}

fn digest_rule(number: MarketId, sku: SkuId, rule: &Rule) -> u128 {
    let part = |part| Bytes::of(part).number(number.number()).number(sku.0);
    let policy = rule.policy;
    let numbers = [
        policy.safety_stock,
        policy.order_min.into(),
        policy.order_max.into(),
        policy.customer_max.into(),
        policy.customer_day_max.into(),
        policy.by_hashes.into(),
        policy.day_begins_min.into(),
        policy.oversell_max,
        policy.low_stock,
        policy.returns_give_back.into(),
        rule.level as u64,
        rule.held_from.0,
        rule.day_from.0,
        rule.day,
    ];
    let itself = numbers.into_iter().fold(part(Part::Policy), Bytes::number).hash();
    let customers = rule.sorted().into_iter().map(|(customer, count)| {
        let bytes = part(Part::Customer).number(customer.kind).number(customer.key);
        bytes.number(count.held).number(count.today).hash()
    });
    customers.fold(itself, u128::wrapping_add)
}

fn digest_velocities(number: MarketId, counted: &Velocities) -> u128 {
    let moment = |at: Option<Timestamp>| at.map_or(0, |at| u128::from(at.ms()) + 1);
    let Velocity { window_ms, keys_max } = counted.setting;
    let itself = Bytes::of(Part::Velocity).number(number.number()).number(window_ms).number(keys_max);
    let itself = itself.number(counted.since.ms()).number(moment(counted.forgotten)).hash();
    // Whoever was quiet longest is forgotten first: their order counts too.
    let keys = counted.iter().zip(0_u64..).map(|((key, counts), place)| {
        let bytes = Bytes::of(Part::VelocityKey).number(number.number()).number(place).number(key.kind).number(key.key);
        let bytes = bytes.number(counts.last_at.ms()).add(&counts.currency.code()).number(moment(counts.forgotten));
        let add = |bytes: Bytes, (number, slice): (u64, Slice)| {
            bytes.number(number).number(slice.orders).number(slice.other_currency).number(slice.money)
        };
        counted.slices_of(counts).fold(bytes, add).hash()
    });
    keys.fold(itself, u128::wrapping_add)
}

fn digest_balances(number: MarketId, sku: SkuId, market: &Market) -> u128 {
    // Also where nothing lies: a place is counted from when it is made.
    let at_place = |(site, balances): (SiteId, &Balances)| {
        let bytes = Bytes::of(Part::Balances).number(number.number()).number(sku.0).number(site.0);
        balances.iter().map(|units| units.cast_unsigned()).fold(bytes, Bytes::number).hash()
    };
    market.ledger.places(sku).map(at_place).fold(0, u128::wrapping_add)
}
