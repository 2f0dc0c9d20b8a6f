//! Replies written the way a shard writes them.

use crate::base::CodeList;
use crate::engine::Granted;
use crate::wire::{Reply, ReplyWriter, Tag};

/// Writes a reply the way a shard does.
pub(super) fn write(writer: &mut ReplyWriter, tag: Tag, reply: &Reply<'_>, granted: &[Granted]) {
    match reply {
        Reply::Answer(answer, _) => writer.answer(tag, answer, granted),
        Reply::Refused(refused) => writer.refuse(tag, refused),
        Reply::Stock { rows, .. } => writer.stock(tag, rows),
        Reply::Availability(units) => writer.availability(tag, units),
        Reply::SkuNumbers(numbers) => writer.sku_numbers(tag, numbers),
        Reply::Sites(sites) => writer.sites(tag, sites),
        Reply::Recipe(recipe) => writer.recipe(tag, recipe),
        Reply::Skus(rows) => {
            let numbers: Vec<_> = rows.iter().map(|row| row.sku).collect();
            let codes: CodeList = rows.iter().map(|row| row.code.as_str()).collect();
            writer.skus(tag, &numbers, codes.codes());
        }
        Reply::Order(view) => writer.order(tag, view),
        Reply::OpenOrders(page) => writer.open_orders(tag, page),
        Reply::HeldOrders(page) => writer.held_orders(tag, page),
        Reply::Tasks(page) => writer.tasks(tag, page),
        Reply::Waits(waits) => writer.waits(tag, waits),
        Reply::Velocity(view) => writer.velocity(tag, view),
        Reply::Holders(page) => writer.holders(tag, page),
        Reply::OrderHistory(page) => writer.order_history(tag, page),
        Reply::Books(at) => writer.books(tag, &at.books, at.stream, at.sequence),
        Reply::Status(status) => writer.status(tag, status),
        Reply::Policy(policy) => writer.policy(tag, policy),
        Reply::Effects(effects) => writer.effects(tag, *effects),
        Reply::Reservations(reservations) => writer.reservations(tag, *reservations),
        Reply::ChannelCaps(page) => writer.channel_caps(tag, page),
        Reply::Wanted(page) => writer.wanted(tag, page),
        Reply::Retention(view) => writer.retention(tag, view),
    }
}
