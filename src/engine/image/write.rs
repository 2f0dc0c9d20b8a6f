//! State to parts: what a snapshot writes. The other direction is `read`.
//!
//! # Always true
//! - Every field of the state is named here, written or said to follow from others.
//! - Items are written in an order in which each finds what it refers to: markets before what is in them.

use super::super::Engine;
use super::super::account::Accounts;
use super::super::attempt::Attempt;
use super::super::books::Tally;
use super::super::channel::Cap;
use super::super::cursor::Cursor;
use super::super::effect::Effects;
use super::super::ends::Ends;
use super::super::history::{Histories, Past};
use super::super::hold::{Hold, Holds};
use super::super::keys::{Keys, Slot};
use super::super::market::Market;
use super::super::marks::Marks;
use super::super::on_hand::{Change, Kept};
use super::super::order::Counters;
use super::super::orders::{Details, DrawRecord, Extra, KeptChange, LineRecord, Orders, Record};
use super::super::policy::{Count, CustomerId, Policy, Rule};
use super::super::requests::Remembered;
use super::super::reservation::Reservations;
use super::super::retention::{Gone, Retention};
use super::super::wanted::Mark;
use super::{Item, KEY_FREE, KEY_NAME, KEY_SLOT, PAYMENT_STARTED};
use super::{LET_GO, SAID_PAID, UNTOLD};
use crate::base::limits::IMAGE_PART_BYTES;
use crate::base::{MarketId, RequestId, SkuId};

mod returns;
mod velocity;

use returns::write_returns;
use velocity::write_velocities;

/// Where parts go, and what went wrong there.
type Sink<'s, E> = &'s mut dyn FnMut(&[u8]) -> Result<(), E>;

struct Writer<'s, E> {
    part: Vec<u8>,
    sink: Sink<'s, E>,
}

impl<E> Writer<'_, E> {
    /// Appends an item; hands the part on when it has grown to its size.
    fn item(&mut self, kind: Item, fields: impl FnOnce(&mut Fields<'_>)) -> Result<(), E> {
        self.part.push(kind as u8);
        fields(&mut Fields(&mut self.part));
        if self.part.len() >= IMAGE_PART_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), E> {
        if !self.part.is_empty() {
            (self.sink)(&self.part)?;
            self.part.clear();
        }
        Ok(())
    }
}

/// Fields of an item, one behind the other.
struct Fields<'p>(&'p mut Vec<u8>);

impl Fields<'_> {
    fn byte(&mut self, value: u8) -> &mut Self {
        self.0.push(value);
        self
    }

    fn u16(&mut self, value: u16) -> &mut Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    fn u32(&mut self, value: u32) -> &mut Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    fn u64(&mut self, value: u64) -> &mut Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    fn u128(&mut self, value: u128) -> &mut Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    /// Bytes behind their number.
    fn blob(&mut self, bytes: &[u8]) -> &mut Self {
        self.u16(count16(bytes.len())).bytes(bytes)
    }

    fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }
}

fn count16(count: usize) -> u16 {
    u16::try_from(count).expect("law: limits bound what an item holds to 16 bits")
}

impl Engine {
    /// Writes the whole state, part by part. A part has at most
    /// [`IMAGE_PART_BYTES_MAX`](crate::base::limits::IMAGE_PART_BYTES_MAX) bytes.
    ///
    /// # Errors
    /// The first that `sink` gives; nothing more is handed to it then.
    pub fn write_image<E>(&self, sink: &mut dyn FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        let Self {
            // Known to whoever reads it back.
            shard: _,
            capacity: _,
            // Follow from SKUs, policies, requests and orders.
            sku_count: _,
            kit_count: _,
            place_count: _,
            policy_count: _,
            customer_counts: _,
            channel_cap_count: _,
            velocity_keys: _,
            request_count: _,
            waiting_pairs: _,
            filling: _,
            short_markets: _,
            deadlines: _,
            closings: _,
            leavings: _,
            // No part of the state.
            watched: _,
            crossed: _,
            held: _,
            outlook_before: _,
            keys,
            // Written with their orders.
            wants,
            holds,
            accounts,
            returns,
            histories,
            tasks,
            directory,
            cursors,
            markets: _,
            on_hand,
            orders,
        } = self;
        let mut to = Writer { part: Vec::with_capacity(IMAGE_PART_BYTES), sink };
        for (_, shard, name) in directory.iter() {
            to.item(Item::Assigned, |item| {
                item.u16(shard.0).blob(name.as_bytes());
            })?;
        }
        for (sink, Cursor { upto, attached }) in cursors.iter() {
            to.item(Item::Cursor, |item| {
                item.blob(sink.as_bytes()).u64(upto.0).byte(u8::from(attached));
            })?;
        }
        for (number, _) in self.open_markets() {
            write_market(&mut to, number, self.market(number).expect("law: an open market is open"))?;
        }
        for ((market, sku, site), Kept { floor, changes }) in on_hand.iter() {
            to.item(Item::OnHand, |item| {
                item.u64(on_hand.floor().0).u32(market.number()).u32(sku.0).u16(site.0).u64(floor.0);
                item.u16(count16(changes.len()));
                changes.iter().for_each(|Change { entry, before }| {
                    item.u64(entry.0).u64(*before);
                });
            })?;
        }
        write_keys(&mut to, keys)?;
        to.item(Item::Orders, |item| {
            item.u64(orders.len() as u64);
        })?;
        for (position, record) in orders.records() {
            write_order(&mut to, (orders, holds, accounts), wants.mark(position), (position, record))?;
            write_returns(&mut to, (orders, returns), (position, record))?;
            write_ends(&mut to, &accounts.ends, (position, record))?;
            let (since, open_refund) = (self.unsaid_tasks(position, record), tasks.open_refund(position));
            if !since.is_empty() || open_refund.is_some() {
                to.item(Item::Task, |item| {
                    item.u128(record.order.bits()).u16(count16(since.len()));
                    for (kind, since) in since {
                        item.byte(kind as u8).u64(since.ms());
                    }
                    item.u128(open_refund.unwrap_or_default());
                })?;
            }
            if !record.history.is_none() {
                write_history(&mut to, histories, (position, record))?;
            }
        }
        to.flush()
    }
}

fn write_market<E>(to: &mut Writer<'_, E>, number: MarketId, market: &Market) -> Result<(), E> {
    let Market {
        code,
        sites,
        ranks,
        // Follow from sites, and from orders with what is gone.
        ranked: _,
        tally: _,
        waiting: _,
        skus,
        kits,
        ledger,
        requests,
        numbers,
        retention: Retention { return_window_ms, ids_kept_ms },
        retired_before,
        gone: Gone { tally: Tally { orders, hash }, customer_units },
        // Follows from attempts with what is gone.
        money: _,
        gone_money,
        policies,
        effects: Effects { payment, release, check },
        reservations,
        shortages,
        velocities,
        // Follows from returns.
        lying: _,
        // No part of the state.
        newest_accepted: _,
    } = market;
    to.item(Item::Market, |item| {
        item.u32(number.number()).blob(code.as_bytes()).u64(*return_window_ms).u64(*ids_kept_ms);
        let (given, left) = numbers.given();
        item.u64(retired_before.ms()).u64(given).u64(left).u64(*customer_units).u128(*hash);
        orders.iter().for_each(|count| {
            item.u64(*count);
        });
        item.u128(requests.floor().map_or(0, RequestId::bits));
        item.byte(u8::from(*payment)).byte(u8::from(*release)).byte(u8::from(*check)).u16(count16(gone_money.len()));
        for (currency, sums) in gone_money.iter() {
            item.bytes(&currency.code());
            sums.parts().into_iter().for_each(|sum| {
                item.u128(sum);
            });
        }
    })?;
    if *reservations != Reservations::default() {
        let Reservations { activity_ms_max, payment_ms_max, unpaid_ms } = *reservations;
        to.item(Item::Reservations, |item| {
            item.u32(number.number()).u32(activity_ms_max).u32(payment_ms_max);
            unpaid_ms.iter().for_each(|ms| {
                item.u32(*ms);
            });
        })?;
    }
    for ((_, code), rank) in sites.iter().zip(ranks).skip(1) {
        to.item(Item::Site, |item| {
            item.u32(number.number()).u16(*rank).blob(code.as_bytes());
        })?;
    }
    for (_, code) in skus.iter() {
        to.item(Item::Sku, |item| {
            item.u32(number.number()).blob(code.as_bytes());
        })?;
    }
    for (sku, recipe) in kits.iter() {
        to.item(Item::Kit, |item| {
            item.u32(number.number()).u32(sku.0).u16(count16(recipe.len()));
            recipe.iter().for_each(|part| {
                item.u32(part.sku.0).u32(part.units);
            });
        })?;
    }
    for (sku, _) in skus.iter() {
        for (site, balances) in ledger.places(SkuId(sku)) {
            to.item(Item::Balances, |item| {
                item.u32(number.number()).u32(sku).u16(site.0);
                balances.iter().for_each(|units| {
                    item.u64(units.cast_unsigned());
                });
            })?;
        }
    }
    for (request, Remembered { content, available }) in requests.iter() {
        to.item(Item::Request, |item| {
            item.u128(request.bits()).u64(content).u64(available);
        })?;
    }
    policies.iter().try_for_each(|(sku, rule)| write_rule(to, number, sku, rule))?;
    for ((sku, channel), Cap { units_max, from, held }) in policies.caps().iter() {
        to.item(Item::ChannelCap, |item| {
            item.u32(number.number()).u32(sku.0).u16(channel).u32(*units_max).u64(from.0).u64(*held);
        })?;
    }
    for (sku, site, units) in shortages.iter() {
        to.item(Item::Short, |item| {
            item.u32(number.number()).u32(sku.0).u16(site.0).u64(units);
        })?;
    }
    velocities.as_ref().map_or(Ok(()), |velocities| write_velocities(to, number, velocities))
}

/// Who uses which follows from orders.
fn write_keys<E>(to: &mut Writer<'_, E>, keys: &Keys) -> Result<(), E> {
    for Slot { generation, used: _ } in keys.slots() {
        to.item(Item::Key, |item| {
            item.byte(KEY_SLOT).u32(*generation);
        })?;
    }
    for slot in keys.free() {
        to.item(Item::Key, |item| {
            item.byte(KEY_FREE).u32(slot);
        })?;
    }
    Ok(())
}

fn write_rule<E>(to: &mut Writer<'_, E>, market: MarketId, sku: SkuId, rule: &Rule) -> Result<(), E> {
    let Policy {
        safety_stock,
        order_min,
        order_max,
        customer_max,
        customer_day_max,
        by_hashes,
        day_begins_min,
        oversell_max,
        low_stock,
        returns_give_back,
    } = rule.policy;
    to.item(Item::Policy, |item| {
        item.u32(market.number()).u32(sku.0).u64(safety_stock).u32(order_min).u32(order_max).u32(customer_max);
        item.u32(customer_day_max).byte(u8::from(by_hashes)).u16(day_begins_min);
        item.u64(oversell_max).u64(low_stock).byte(u8::from(returns_give_back)).byte(rule.level as u8);
        item.u64(rule.held_from.0).u64(rule.day_from.0).u64(rule.day);
    })?;
    for (CustomerId { kind, key }, Count { held, today }) in rule.sorted() {
        to.item(Item::Customer, |item| {
            item.u32(market.number()).u32(sku.0).byte(kind).u128(key).u64(held).u64(today);
        })?;
    }
    Ok(())
}

fn write_order<E>(
    to: &mut Writer<'_, E>,
    (orders, holds, accounts): (&Orders, &Holds, &Accounts),
    mark: Mark,
    (position, record): (u32, &Record),
) -> Result<(), E> {
    let Record {
        order,
        customer,
        content,
        accepted_at,
        deadline,
        closes_at,
        number,
        lines: _,
        draws: _,
        extra: _,
        // Written behind it.
        history: _,
        currency,
        take,
        payment,
        channel,
        zone,
        state,
        phase,
        // That it is held, or that its payments failed, follows from its holds and attempts; the rest from its tasks.
        marks,
    } = record;
    let extra = orders.extra(record);
    to.item(Item::Order, |item| {
        item.u128(order.bits()).u128(customer.0).u128(*content);
        item.u64(accepted_at.ms()).u64(deadline.ms()).u64(closes_at.ms()).u64(number.0);
        currency.code().into_iter().for_each(|letter| {
            item.byte(letter);
        });
        item.byte(*take as u8).byte(*payment as u8).u16(*channel).u16(*zone).byte(*state as u8);
        let said_paid = if marks.has(Marks::SAID_PAID) { SAID_PAID } else { 0 };
        item.byte(*phase as u8 | if marks.has(Marks::PAYMENT_STARTED) { PAYMENT_STARTED } else { 0 } | said_paid);
        write_lines(item, orders.lines(record), orders.draws(record));
        item.byte(u8::from(extra.is_some()));
        if let Some(Extra { hashes, details }) = extra {
            item.byte(u8::from(hashes.is_some()));
            if let Some(hashes) = hashes {
                item.u64(hashes.account).u64(hashes.address).u64(hashes.instrument);
            }
            match details {
                Details::None => item.u16(0),
                Details::Sealed { key, bytes } => {
                    item.u16(count16(KEY_NAME + bytes.len())).u32(key.slot).u32(key.generation).bytes(bytes)
                }
            };
        }
        write_changes(item, orders.changes(position));
        for want in mark {
            item.byte(u8::from(want.is_some()));
            if let Some(want) = want {
                let aside = want.aside.map_or(0, |reason| reason as u8) | if want.is_untold { UNTOLD } else { 0 };
                item.u32(want.wanted).u32(want.told).byte(aside);
                item.u64(want.since.ms());
            }
        }
        let holds = holds.of(record);
        item.u16(count16(holds.len()));
        for Hold { owner, reason, note, since } in holds {
            item.blob(owner.as_bytes()).byte(*reason as u8).blob(note.as_bytes()).u64(since.ms());
        }
        write_attempts(item, accounts.of(position));
    })
}

fn write_attempts(item: &mut Fields<'_>, attempts: &[Attempt]) {
    item.u16(count16(attempts.len()));
    for attempt in attempts {
        let Attempt {
            id,
            authorised,
            captured,
            refunded,
            refund_asked,
            refund_failed,
            charged_back,
            method,
            stage,
            failure,
            dispute,
            is_let_go,
        } = *attempt;
        item.u64(id.0).u64(authorised).u64(captured).u64(refunded).u64(refund_asked).u64(refund_failed);
        item.u64(charged_back);
        let (reason, class) = failure.map_or((0, 0), |(reason, class)| (reason as u8, class as u8));
        item.byte(method as u8).byte(stage as u8).byte(reason).byte(class);
        item.byte(dispute as u8 | if is_let_go { LET_GO } else { 0 });
    }
}

fn write_ends<E>(to: &mut Writer<'_, E>, ends: &Ends, (position, record): (u32, &Record)) -> Result<(), E> {
    let count = ends.of(position).count();
    if count == 0 {
        return Ok(());
    }
    to.item(Item::Ends, |item| {
        item.u128(record.order.bits()).u16(count16(count));
        ends.of(position).for_each(|(id, end)| {
            item.u64(id.0).u64(end.ms());
        });
    })
}

fn write_history<E>(
    to: &mut Writer<'_, E>,
    histories: &Histories,
    (position, record): (u32, &Record),
) -> Result<(), E> {
    let mut entries: Vec<Past> = histories.back(record.history, position).collect();
    entries.reverse();
    to.item(Item::History, |item| {
        item.u128(record.order.bits()).u16(count16(entries.len()));
        for Past { what, position, at, line, value, ordinal, age } in entries {
            item.byte(what as u8).u64(position.0).u64(at.ms()).u16(line).u64(value).u16(ordinal).u32(age);
        }
    })
}

fn write_lines(item: &mut Fields<'_>, lines: &[LineRecord], draws: &[DrawRecord]) {
    item.u16(count16(lines.len())).u16(count16(draws.len()));
    // What reached the customer is written behind the order.
    for LineRecord { price, sku, asked, taken, delivered: _ } in lines {
        item.u64(*price).u32(sku.0).u32(*asked).u32(*taken);
    }
    for DrawRecord { line, site, units } in draws {
        let Counters { reserved, lapsed, committed, shipped, cancelled, returned } = *units;
        item.u16(*line).u16(site.0).u32(reserved).u32(lapsed).u32(committed);
        item.u32(shipped).u32(cancelled).u32(returned);
    }
}

fn write_changes(item: &mut Fields<'_>, changes: &[KeptChange]) {
    item.u16(count16(changes.len()));
    for KeptChange { kind, change, moved } in changes {
        item.byte(*kind as u8).u64(change.id.0).u64(change.content).u64(change.excess).u64(*moved);
    }
}
