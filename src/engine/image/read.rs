//! Parts to state: what recovery reads. The other direction is `write`.
//!
//! # Always true
//! - Whatever the bytes, the outcome is a state or an error, and no count is believed before it is checked.
//! # Not here
//! - Whether a state obeys every law: `invariants`. What is checked here is what reading itself rests on.

use super::super::Engine;
use super::super::books::Tally;
use super::super::choices::{PaymentMethod, Take};
use super::super::command::IdentityHashes;
use super::super::content::ChangeKind;
use super::super::cursor::Cursor;
use super::super::effect::{AsideReason, Effect, Effects};
use super::super::fact::Change;
use super::super::kits::Component;
use super::super::ledger::{Balances, Bucket};
use super::super::market::Market;
use super::super::marks::Marks;
use super::super::numbers::Numbers;
use super::super::order::{Counters, STATES, State};
use super::super::orders::{Details, DrawRecord, Extra, KeptChange, LineRecord, Parts, Phase, Record};
use super::super::requests::Remembered;
use super::super::retention::{Gone, Retention};
use super::super::wanted::{Mark, Want};
use super::{ImageError, Item, PAYMENT_STARTED, SAID_PAID, UNTOLD};
use crate::base::limits::{
    CHANGES_MAX, KIT_COMPONENTS_MAX, LINES_MAX, ORDER_DRAWS_MAX, SEAL_BYTES, SEALED_BYTES_MAX, SITES_MAX,
};
use crate::base::{
    ChangeId, Currency, CustomerKey, KeyName, MarketId, OrderId, OrderNumber, RequestId, Sequence, ShardId, SiteId,
    SkuId, Timestamp,
};

mod fields;
mod history;
mod holds;
mod payments;
mod returns;
mod rules;
mod tasks;
mod velocity;

use fields::{Fields, Read};

/// Orders for which the index takes its memory at once because an image says that they follow; for more it grows.
const INDEXED_AT_ONCE: u64 = 16_000_000;

/// Orders of one part.
#[derive(Default)]
struct ReadOrders {
    /// Of the order being read.
    parts: Parts,
    /// Read, and not in the index yet.
    restored: Vec<(OrderId, u32)>,
}

impl Engine {
    /// Takes one part of an image into an engine that began empty. Parts come in the order they were written; after
    /// the last, [`Engine::finish_image`].
    ///
    /// # Errors
    /// What does not fit together. The engine is of no use then.
    pub fn read_image_part(&mut self, part: &[u8]) -> Result<(), ImageError> {
        let (mut item, mut read) = (Fields { rest: part }, ReadOrders::default());
        while let Some((kind, rest)) = item.rest.split_first() {
            item.rest = rest;
            let known = Item::ALL.into_iter().find(|known| *known as u8 == *kind);
            match known.ok_or(ImageError::new("an item has an unknown kind"))? {
                Item::Assigned => self.read_assigned(&mut item)?,
                Item::Cursor => self.read_cursor(&mut item)?,
                Item::Key => self.read_key(&mut item)?,
                Item::Market => self.read_market(&mut item)?,
                Item::Site => self.read_site(&mut item)?,
                Item::Sku => self.read_sku(&mut item)?,
                Item::Kit => self.read_kit(&mut item)?,
                Item::Balances => self.read_balances(&mut item)?,
                Item::Request => self.read_request(&mut item)?,
                Item::Policy => self.read_policy(&mut item)?,
                Item::Customer => self.read_customer(&mut item)?,
                Item::Order => self.read_order(&mut item, &mut read)?,
                Item::History => self.read_history(&mut item, &read)?,
                Item::Returns => self.read_returns(&mut item, &read)?,
                Item::Task => self.read_tasks(&mut item, &read)?,
                Item::Ends => self.read_ends(&mut item, &read)?,
                Item::ChannelCap => self.read_channel_cap(&mut item)?,
                Item::OnHand => self.read_on_hand(&mut item)?,
                Item::Short => self.read_short(&mut item)?,
                Item::Reservations => self.read_reservations(&mut item)?,
                Item::Velocity => self.read_velocity(&mut item)?,
                Item::VelocityKey => self.read_velocity_key(&mut item)?,
                Item::Orders => self.orders.reserve_index(item.u64()?.min(INDEXED_AT_ONCE) as usize),
            }
        }
        self.orders.index_restored(&read.restored);
        Ok(())
    }

    /// Completes an engine whose image has been read.
    ///
    /// # Errors
    /// What does not fit together. The engine is of no use then.
    pub fn finish_image(&mut self) -> Result<(), ImageError> {
        if !self.keys.are_restored() {
            return Err(ImageError::new("a key is neither free nor used"));
        }
        self.markets.iter_mut().flatten().for_each(|market| market.numbers.forget_front());
        self.list_restored_wants();
        self.list_restored_fills();
        Ok(())
    }

    /// Puts wants on their lists again, in the order in which they came there.
    fn list_restored_wants(&mut self) {
        if self.wants.is_empty() {
            return;
        }
        let wanted = self.orders.records().filter(|(position, _)| self.wants.is_open(*position));
        let mut order: Vec<_> = wanted
            .map(|(position, record)| {
                let open = self.wants.mark(position).into_iter().flatten().filter(Want::is_open);
                (open.map(|want| want.since).min(), record.order, position)
            })
            .collect();
        order.sort_unstable();
        let order: Vec<u32> = order.into_iter().map(|(_, _, position)| position).collect();
        self.wants.list_restored(&order);
    }

    fn read_assigned(&mut self, item: &mut Fields<'_>) -> Read<()> {
        let shard = ShardId(item.u16()?);
        let name = item.text()?;
        if self.directory.market(name).is_some() || !self.directory.has_shard(shard) {
            return Err(ImageError::new("the directory names a market twice, or a shard there is not"));
        }
        self.directory.insert(name, shard);
        Ok(())
    }

    fn read_cursor(&mut self, item: &mut Fields<'_>) -> Read<()> {
        let sink = item.text()?;
        if self.cursors.is_full() || self.cursors.get(sink).is_some() {
            return Err(ImageError::new("a sink has two cursors, or there are too many"));
        }
        self.cursors.set(sink, Cursor { upto: Sequence(item.u64()?), attached: item.flag()? });
        Ok(())
    }

    fn read_market(&mut self, item: &mut Fields<'_>) -> Read<()> {
        let number = item.market()?.number() as usize;
        if self.markets.len() <= number {
            self.markets.resize_with(number + 1, || None);
        }
        if self.markets[number].is_some() {
            return Err(ImageError::new("a market comes twice"));
        }
        let mut market = Market::new(item.text()?);
        market.retention = Retention { return_window_ms: item.u64()?, ids_kept_ms: item.u64()? };
        market.retired_before = item.time()?;
        let given = (item.u64()?, item.u64()?);
        market.numbers = Numbers::restored(given).ok_or(ImageError::new("order numbers lie too far apart"))?;
        let (customer_units, hash) = (item.u64()?, item.u128()?);
        let mut orders = [0; STATES];
        for count in &mut orders {
            *count = item.u64()?;
        }
        market.gone = Gone { tally: Tally { orders, hash }, customer_units };
        market.tally = market.gone.tally;
        let floor = item.u128()?;
        market.requests.set_floor((floor != 0).then(|| RequestId::from_bits(floor)));
        market.effects = Effects { payment: item.flag()?, release: item.flag()?, check: item.flag()? };
        payments::read_gone_money(item, &mut market)?;
        self.markets[number] = Some(Box::new(market));
        Ok(())
    }

    fn open_market_mut(&mut self, market: MarketId) -> Read<&mut Market> {
        let open = self.markets.get_mut(market.number() as usize).and_then(Option::as_deref_mut);
        open.ok_or(ImageError::new("something belongs to a market that is not there"))
    }

    fn read_site(&mut self, item: &mut Fields<'_>) -> Read<()> {
        let market = self.open_market_mut(item.market()?)?;
        let (rank, code) = (item.u16()?, item.text()?);
        if market.sites.number(code).is_some() || market.sites.len() >= SITES_MAX {
            return Err(ImageError::new("a market has a site twice, or too many"));
        }
        market.add_site(code, rank);
        Ok(())
    }

    fn read_sku(&mut self, item: &mut Fields<'_>) -> Read<()> {
        let market = self.open_market_mut(item.market()?)?;
        let code = item.text()?;
        if market.skus.number(code).is_some() {
            return Err(ImageError::new("a market has a SKU twice"));
        }
        market.skus.insert(code);
        self.sku_count += 1;
        Ok(())
    }

    fn read_kit(&mut self, item: &mut Fields<'_>) -> Read<()> {
        let market = self.open_market_mut(item.market()?)?;
        let (kit, mut recipe) = (SkuId(item.u32()?), Vec::new());
        for _ in 0..item.count(KIT_COMPONENTS_MAX)? {
            recipe.push(Component { sku: SkuId(item.u32()?), units: item.u32()? });
        }
        let is_plain = |sku| market.check_plain(sku).is_ok();
        if !is_plain(kit) || !recipe.iter().all(|part| is_plain(part.sku)) || !market.kits.may_add(kit, &recipe) {
            return Err(ImageError::new("a kit is no SKU, or comes twice, or is made of what it cannot be"));
        }
        market.kits.insert(kit, &recipe);
        self.kit_count += 1;
        Ok(())
    }

    fn read_balances(&mut self, item: &mut Fields<'_>) -> Read<()> {
        let market = self.open_market_mut(item.market()?)?;
        let (sku, site) = (SkuId(item.u32()?), SiteId(item.u16()?));
        if market.check_plain(sku).is_err() || market.check_site(site).is_err() {
            return Err(ImageError::new("a balance names a SKU or a site that is not there, or a kit"));
        }
        let mut balances = Balances::default();
        for units in &mut balances {
            *units = item.u64()?.cast_signed();
        }
        let restored = market.ledger.restore(sku, site, balances);
        self.place_count += 1;
        restored.ok_or(ImageError::new("a balance is negative, or comes twice"))
    }

    fn read_request(&mut self, item: &mut Fields<'_>) -> Read<()> {
        let request = RequestId::from_bits(item.u128()?);
        let remembered = Remembered { content: item.u64()?, available: item.u64()? };
        let is_new = self.open_market_mut(request.market())?.requests.restore(request, remembered);
        self.request_count += usize::from(is_new);
        Ok(())
    }

    fn read_order(&mut self, item: &mut Fields<'_>, read: &mut ReadOrders) -> Read<()> {
        let mut record = read_record(item)?;
        read_parts(item, &mut read.parts)?;
        let mark = read_mark(item, &record)?;
        let is_unchecked = mark[Effect::Check.index()].is_some_and(|want| want.is_open());
        record.marks.set(Marks::UNCHECKED, is_unchecked);
        let holds = holds::read_holds(item, &mut record)?;
        let attempts = payments::read_attempts(item, &record)?;
        let (order, state, phase) = (record.order, record.state, record.phase);
        let (number, deadline, closes_at) = (record.number, record.deadline, record.closes_at);
        self.restore_key(&record, read.parts.extra.as_ref())?;
        let position = self.orders.restore(record, &mut read.parts);
        read.restored.push((order, position));
        if mark.iter().any(Option::is_some) {
            self.wants.restore(position, mark);
        }
        let hash = self.orders.hash(self.orders.record(position));
        self.restore_waiting(position)?;
        let market = self.open_market_mut(order.market())?;
        if number != OrderNumber(0) && !market.numbers.restore(number, position) {
            return Err(ImageError::new("an order number was never given, or is given twice"));
        }
        if phase == Phase::Whole || state == State::Blocked {
            market.tally.add(state, hash);
        }
        for hold in holds {
            self.holds.add((position, self.orders.record(position)), hold);
        }
        self.restore_attempts(position, &attempts)?;
        self.restore_said_tasks(position)?;
        match (phase, state) {
            (Phase::Whole, State::PendingPayment | State::PaymentFailed) => self.deadlines.insert(deadline, position),
            (Phase::Whole, _) if closes_at > Timestamp::ZERO => self.closings.insert(closes_at, position),
            (Phase::Tombstone, _) => self.leavings.insert(closes_at, position),
            (Phase::Whole | Phase::Vacant, _) => {}
        }
        Ok(())
    }
}

impl Engine {
    /// Puts an order in line for what it is owed.
    fn restore_waiting(&mut self, position: u32) -> Read<()> {
        let record = self.orders.record(position);
        let market = self.markets.get_mut(record.order.market().number() as usize).and_then(Option::as_deref_mut);
        let market = market.ok_or(ImageError::new("an order belongs to a market that is not there"))?;
        let pairs = market.waiting.pairs();
        let lines = self.orders.lines(record);
        for draw in self.orders.draws(record).iter().filter(|draw| draw.is_owed() && draw.units.held() > 0) {
            let sku = lines[usize::from(draw.line)].sku;
            let is_open = record.phase == Phase::Whole && record.state.is_open() && record.number != OrderNumber(0);
            if !is_open || market.check_sku(sku).is_err() {
                return Err(ImageError::new("something waits that is no open order, or for nothing"));
            }
            let units = draw.units.held().into();
            market.waiting.join(sku, record.number, units, market.kits.is_kit(sku));
        }
        self.waiting_pairs += market.waiting.pairs() - pairs;
        Ok(())
    }

    /// Finds what had arrived for those who wait, and what is missing.
    fn list_restored_fills(&mut self) {
        for number in 0..self.markets.len() as u32 {
            let Some((id, market)) = MarketId::new(number).zip(self.markets[number as usize].as_deref_mut()) else {
                continue;
            };
            for sku in market.waiting.skus() {
                let mut places = market.ledger.places(sku);
                let has_arrived = places.any(|(_, balances)| balances[Bucket::Arriving as usize] > 0);
                if has_arrived || market.kits.is_kit(sku) {
                    market.waiting.note_arrival(sku);
                }
            }
            self.list_shortages(id);
            self.list_fills(id);
        }
    }
}

fn read_record(item: &mut Fields<'_>) -> Read<Record> {
    let (order, customer, content) = (OrderId::from_bits(item.u128()?), CustomerKey(item.u128()?), item.u128()?);
    let (accepted_at, deadline, closes_at) = (item.time()?, item.time()?, item.time()?);
    let number = OrderNumber(item.u64()?);
    let wrong = ImageError::new("an order has a currency, a method or a state there is not");
    let currency = Currency::new(item.bytes()?).map_err(|_| wrong)?;
    let (take, payment) = (Take::from_byte(item.byte()?), PaymentMethod::from_byte(item.byte()?));
    let (channel, zone) = (item.u16()?, item.u16()?);
    let (state, phase) = (State::from_byte(item.byte()?), item.byte()?);
    let (payment_started, said_paid) = (phase & PAYMENT_STARTED != 0, phase & SAID_PAID != 0);
    let phase = Phase::from_byte(phase & !(PAYMENT_STARTED | SAID_PAID));
    let (Some(take), Some(payment), Some(state), Some(phase)) = (take, payment, state, phase) else {
        return Err(wrong);
    };
    let mut marks = Marks::NONE;
    marks.set(Marks::PAYMENT_STARTED, payment_started);
    marks.set(Marks::SAID_PAID, said_paid);
    Ok(Record {
        customer,
        content,
        accepted_at,
        deadline,
        closes_at,
        number,
        currency,
        take,
        payment,
        channel,
        zone,
        state,
        phase,
        marks,
        ..Record::empty(order)
    })
}

fn read_parts(item: &mut Fields<'_>, parts: &mut Parts) -> Read<()> {
    let (lines, draws) = (item.count(LINES_MAX)?, item.count(ORDER_DRAWS_MAX)?);
    parts.lines.clear();
    parts.draws.clear();
    parts.changes.clear();
    parts.extra = None;
    for _ in 0..lines {
        let (price, sku, asked, taken) = (item.u64()?, SkuId(item.u32()?), item.u32()?, item.u32()?);
        parts.lines.push(LineRecord { price, sku, asked, taken, delivered: 0 });
    }
    for _ in 0..draws {
        let (line, site) = (item.u16()?, SiteId(item.u16()?));
        if usize::from(line) >= lines || parts.draws.last().is_some_and(|last: &DrawRecord| last.line > line) {
            return Err(ImageError::new("a draw is of no line, or out of order"));
        }
        let (reserved, lapsed, committed) = (item.u32()?, item.u32()?, item.u32()?);
        let (shipped, cancelled, returned) = (item.u32()?, item.u32()?, item.u32()?);
        let units = Counters { reserved, lapsed, committed, shipped, cancelled, returned };
        parts.draws.push(DrawRecord { line, site, units });
    }
    check_units(parts)?;
    if item.flag()? {
        let hashes = if item.flag()? {
            Some(IdentityHashes { account: item.u64()?, address: item.u64()?, instrument: item.u64()? })
        } else {
            None
        };
        parts.extra = Some(Extra { hashes, details: read_details(item)? });
    }
    for _ in 0..item.count(CHANGES_MAX)? {
        let kind = ChangeKind::from_byte(item.byte()?).ok_or(ImageError::new("a change has a kind there is not"))?;
        let change = Change { id: ChangeId(item.u64()?), content: item.u64()?, excess: item.u64()? };
        parts.changes.push(KeptChange { kind, change, moved: item.u64()? });
    }
    Ok(())
}

fn read_details(item: &mut Fields<'_>) -> Read<Details> {
    let mut blob = Fields { rest: item.blob()? };
    if blob.rest.is_empty() {
        return Ok(Details::None);
    }
    let (key, bytes) = (KeyName { slot: blob.u32()?, generation: blob.u32()? }, blob.rest);
    if bytes.len() <= SEAL_BYTES || bytes.len() > SEALED_BYTES_MAX {
        return Err(ImageError::new("sealed details are shorter, or longer, than they may be"));
    }
    Ok(Details::Sealed { key, bytes: bytes.into() })
}

/// What is wanted of an order. A tombstone wants nothing.
fn read_mark(item: &mut Fields<'_>, record: &Record) -> Read<Mark> {
    let mut mark = Mark::default();
    for slot in &mut mark {
        if item.flag()? {
            let (counts, aside) = ((item.u32()?, item.u32()?), item.byte()?);
            let (is_untold, aside) = (aside & UNTOLD != 0, AsideReason::from_byte(aside & !UNTOLD));
            *slot = Some(Want::restored(counts, aside, is_untold, item.time()?));
        }
    }
    let holds = |want: &Want| want.told <= want.wanted && (want.is_open() || (want.aside.is_none() && !want.is_untold));
    if mark.iter().flatten().any(|want| record.phase != Phase::Whole || !holds(want)) {
        return Err(ImageError::new("something is wanted of an order that cannot be"));
    }
    Ok(mark)
}

/// Draws hold what their lines took, where there are draws at all.
fn check_units(parts: &Parts) -> Read<()> {
    let mut draws = parts.draws.iter().peekable();
    for (number, line) in (0..).zip(&parts.lines) {
        let mut taken = 0;
        while let Some(draw) = draws.next_if(|draw| draw.line == number) {
            taken += draw.units.taken();
            if draw.units.returned > draw.units.shipped {
                return Err(ImageError::new("more came back than was handed over"));
            }
        }
        if !parts.draws.is_empty() && taken != u64::from(line.taken) {
            return Err(ImageError::new("draws do not hold what their line took"));
        }
    }
    Ok(())
}
