//! Questions, answered from the state. They change nothing, and still wait for what they saw to be durable.

use super::facts::Facts;
use super::sealing::Sealing;
use crate::base::{CodeList, Timestamp};
use crate::engine::{Answer, Engine, Query, Refusal};
use crate::wire::{Refused, ReplyWriter, Tag};

/// Writes the answer to `query` as of log time `now`, or why there is none.
pub(super) fn answer_query(
    engine: &Engine,
    (facts, sealing): (&Facts, &mut Sealing),
    query: &Query<'_>,
    (tag, now): (Tag, Timestamp),
    writer: &mut ReplyWriter,
) {
    if let Err(refusal) = try_answer(engine, (facts, sealing), query, (tag, now), writer) {
        writer.refuse(tag, &Refused::Engine(refusal));
    }
}

fn try_answer(
    engine: &Engine,
    (facts, sealing): (&Facts, &mut Sealing),
    query: &Query<'_>,
    (tag, now): (Tag, Timestamp),
    writer: &mut ReplyWriter,
) -> Result<(), Refusal> {
    match *query {
        Query::Market { code } => {
            let market = engine.directory().market(code).ok_or(Refusal::UnknownMarket)?;
            writer.answer(tag, &Answer::Numbered { number: market.number(), repeated: true }, &[]);
        }
        Query::Stock { market, skus } => writer.stock(tag, &engine.stock(market, skus)?),
        Query::Availability { market, skus } => writer.availability(tag, &engine.availability(market, skus)?),
        Query::ResolveSkus { market, codes } => {
            let codes: Vec<&str> = codes.iter().collect();
            writer.sku_numbers(tag, &engine.resolve_skus(market, &codes)?);
        }
        Query::Sites { market } => writer.sites(tag, &engine.sites(market)?),
        Query::Skus { market, after, rows_max } => {
            let rows = engine.skus(market, after, rows_max)?;
            let numbers: Vec<_> = rows.iter().map(|(sku, _)| *sku).collect();
            let codes: CodeList = rows.iter().map(|(_, code)| code.as_str()).collect();
            writer.skus(tag, &numbers, codes.codes());
        }
        Query::Recipe { market, sku } => writer.recipe(tag, &engine.recipe(market, sku)?),
        Query::Order { order } => {
            let mut view = engine.order(order)?;
            sealing.open(&mut view);
            writer.order(tag, &view);
        }
        Query::OrderByNumber { market, number } => {
            let mut view = engine.order_by_number(market, number)?;
            sealing.open(&mut view);
            writer.order(tag, &view);
        }
        Query::OpenOrders { market, after, rows_max } => {
            writer.open_orders(tag, &engine.open_orders(market, after, rows_max)?);
        }
        Query::CustomerOrders { market, customer, before, rows_max } => {
            writer.open_orders(tag, &engine.customer_orders(market, customer, before, rows_max)?);
        }
        Query::Holders { market, sku, after, rows_max } => {
            writer.holders(tag, &engine.holders(market, sku, after, rows_max)?);
        }
        Query::HeldOrders { market, after, rows_max } => {
            writer.held_orders(tag, &engine.held_orders(market, after, rows_max)?);
        }
        Query::Tasks { market, kind, after, rows_max } => {
            writer.tasks(tag, &engine.tasks(market, kind, after, rows_max, now)?);
        }
        Query::Waits { order } => writer.waits(tag, &engine.waits(order, now)?),
        Query::OrderHistory { order, after, rows_max } => {
            writer.order_history(tag, &engine.order_history(order, after, rows_max)?);
        }
        Query::Policy { market, sku } => writer.policy(tag, &engine.policy(market, sku)?),
        Query::Retention { market } => writer.retention(tag, &engine.retention(market)?),
        Query::Velocity { market, customer, hashes } => {
            writer.velocity(tag, &engine.velocity(market, customer, hashes, now)?);
        }
        Query::ChannelCaps { market, sku, after, rows_max } => {
            writer.channel_caps(tag, &engine.channel_caps(market, sku, after, rows_max)?);
        }
        Query::Reservations { market } => writer.reservations(tag, engine.reservations(market)?),
        Query::Effects { market } => writer.effects(tag, engine.effects(market)?),
        Query::Wanted { market, effect, aside, after, rows_max } => {
            writer.wanted(tag, &engine.wanted(market, (effect, aside), after, rows_max)?);
        }
        Query::Books { market } => writer.books(tag, &engine.books(market)?, facts.stream(), facts.position()),
    }
    Ok(())
}
