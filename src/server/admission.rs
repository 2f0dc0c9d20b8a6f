//! What a request may cost: whose it is, and how large its answer can be at most.
//!
//! # Always true
//! - The figure is never below the answer's real size: it is counted before the shard has looked.

use crate::base::MarketId;
use crate::base::limits::{
    AVAILABILITY_SKUS_MAX, CODE_BYTES_MAX, CURRENCIES_MAX, DETAILS_BYTES_MAX, HELD_ROWS_MAX, HISTORY_ENTRIES_MAX,
    HOLD_NOTE_BYTES_MAX, HOLDS_PER_ORDER_MAX, KIT_COMPONENTS_MAX, LINES_MAX, ORDER_DRAWS_MAX, ORDER_WAITS_MAX,
    PAGE_ROWS_MAX, PAYMENT_ATTEMPTS_MAX, RETURN_ROWS_MAX, SITES_MAX, STOCK_ROWS_PER_RECORD_MAX, TASK_WORDS_BYTES_MAX,
};
use crate::engine::ledger::BUCKETS;
use crate::engine::{Command, Query};
use crate::wire::{MONEY_BYTES, PAYMENT_BYTES, RETURN_BYTES, ROW_BYTES, Request};

/// An answer without rows, and the head of one with them: the header of its frame and padding included.
const ANSWER_BYTES: usize = 128;
/// One row of a page: numbers and at most one code.
const CODE_ROW_BYTES: usize = 6 + CODE_BYTES_MAX;
const RECIPE_ROW_BYTES: usize = 8;
const NUMBER_ROW_BYTES: usize = 4;
const AVAILABILITY_ROW_BYTES: usize = 8;
const ORDER_ROW_BYTES: usize = 33;
const HOLDER_ROW_BYTES: usize = 57;
const CHANNEL_ROW_BYTES: usize = 14;
const HISTORY_ROW_BYTES: usize = 31;
const WANT_ROW_BYTES: usize = 59;
const STOCK_ROW_BYTES: usize = 14 + 8 * BUCKETS;
const LINE_BYTES: usize = 52;
const DRAW_BYTES: usize = 16;
const GRANTED_BYTES: usize = 8;
const HOLD_BYTES: usize = 13 + CODE_BYTES_MAX + HOLD_NOTE_BYTES_MAX;
const HELD_ROW_BYTES: usize = 33 + HOLD_BYTES;
const TASK_ROW_BYTES: usize = 55 + TASK_WORDS_BYTES_MAX;
/// Of the customer, and of three hashes.
const VELOCITY_COUNTS: usize = 4;
const VELOCITY_COUNT_BYTES: usize = 20;
const WAIT_ROW_BYTES: usize = 27 + TASK_WORDS_BYTES_MAX;
const ORDER_BYTES: usize = ANSWER_BYTES
    + LINES_MAX * LINE_BYTES
    + ORDER_DRAWS_MAX * DRAW_BYTES
    + DETAILS_BYTES_MAX
    + HOLDS_PER_ORDER_MAX * HOLD_BYTES
    + (1 + PAYMENT_ATTEMPTS_MAX) * PAYMENT_BYTES
    // A return and its first row, which says what was asked, take no more than one that says what came in.
    + RETURN_ROWS_MAX * ROW_BYTES[1];
const _: () = assert!(RETURN_BYTES + ROW_BYTES[0] <= ROW_BYTES[1]);
const BOOKS_BYTES: usize = 128 + CURRENCIES_MAX * MONEY_BYTES;
/// What the session answers itself: the status of the node, with its histograms.
pub(super) const STATUS_BYTES: usize = 16 * 1_024;
/// What the creation of a market answers.
pub(super) const MARKET_BYTES: usize = ANSWER_BYTES;
/// What a refusal answers.
pub(super) const REFUSED_BYTES: usize = ANSWER_BYTES;

/// No market has this number.
const NOBODYS_MARKET: MarketId = MarketId::new(0).expect("0 fits");

/// The market whose shard decides; `None` for what only the directory decides.
pub(super) const fn market(request: &Request<'_>) -> Option<MarketId> {
    match request {
        Request::Command(command) => command.market(),
        Request::Query(query) => match query {
            Query::Market { .. } => None,
            Query::Stock { market, .. }
            | Query::Availability { market, .. }
            | Query::ResolveSkus { market, .. }
            | Query::Sites { market }
            | Query::Skus { market, .. }
            | Query::Recipe { market, .. }
            | Query::OrderByNumber { market, .. }
            | Query::OpenOrders { market, .. }
            | Query::CustomerOrders { market, .. }
            | Query::Holders { market, .. }
            | Query::HeldOrders { market, .. }
            | Query::Tasks { market, .. }
            | Query::Velocity { market, .. }
            | Query::Books { market }
            | Query::Policy { market, .. }
            | Query::Effects { market }
            | Query::Reservations { market }
            | Query::ChannelCaps { market, .. }
            | Query::Retention { market } => Some(*market),
            // From outside somebody's market must be named; nobody's is unknown.
            Query::Wanted { market: Some(market), .. } => Some(*market),
            Query::Wanted { market: None, .. } => Some(NOBODYS_MARKET),
            Query::Order { order } | Query::Waits { order } | Query::OrderHistory { order, .. } => Some(order.market()),
        },
    }
}

/// The most bytes its answer can have.
pub(super) fn answer_bytes_max(request: &Request<'_>) -> usize {
    match request {
        Request::Command(Command::Place(place)) => ANSWER_BYTES + GRANTED_BYTES * place.lines.len(),
        Request::Command(_) => ANSWER_BYTES,
        Request::Query(query) => ANSWER_BYTES + query_bytes(query),
    }
}

fn query_bytes(query: &Query<'_>) -> usize {
    match query {
        Query::Market { .. }
        | Query::Retention { .. }
        | Query::Policy { .. }
        | Query::Effects { .. }
        | Query::Reservations { .. } => 0,
        Query::Velocity { .. } => VELOCITY_COUNTS * VELOCITY_COUNT_BYTES,
        Query::Wanted { rows_max, .. } => PAGE_ROWS_MAX.min(usize::from(*rows_max)) * WANT_ROW_BYTES,
        Query::Stock { skus, .. } => STOCK_ROWS_PER_RECORD_MAX.min(skus.len() * SITES_MAX) * STOCK_ROW_BYTES,
        Query::Availability { skus, .. } => skus.len().min(AVAILABILITY_SKUS_MAX) * AVAILABILITY_ROW_BYTES,
        Query::ResolveSkus { codes, .. } => codes.len() * NUMBER_ROW_BYTES,
        Query::Sites { .. } => SITES_MAX * CODE_ROW_BYTES,
        Query::Skus { rows_max, .. } => PAGE_ROWS_MAX.min(usize::from(*rows_max)) * CODE_ROW_BYTES,
        Query::Recipe { .. } => KIT_COMPONENTS_MAX * RECIPE_ROW_BYTES,
        Query::OpenOrders { rows_max, .. } | Query::CustomerOrders { rows_max, .. } => {
            PAGE_ROWS_MAX.min(usize::from(*rows_max)) * ORDER_ROW_BYTES
        }
        Query::ChannelCaps { rows_max, .. } => PAGE_ROWS_MAX.min(usize::from(*rows_max)) * CHANNEL_ROW_BYTES,
        // Of the last order all of them.
        Query::HeldOrders { rows_max, .. } => {
            (HELD_ROWS_MAX.min(usize::from(*rows_max)) + HOLDS_PER_ORDER_MAX - 1) * HELD_ROW_BYTES
        }
        Query::Tasks { rows_max, .. } => PAGE_ROWS_MAX.min(usize::from(*rows_max)) * TASK_ROW_BYTES,
        Query::Waits { .. } => ORDER_WAITS_MAX * WAIT_ROW_BYTES,
        Query::Holders { rows_max, .. } => PAGE_ROWS_MAX.min(usize::from(*rows_max)) * HOLDER_ROW_BYTES,
        Query::Order { .. } | Query::OrderByNumber { .. } => ORDER_BYTES,
        Query::OrderHistory { rows_max, .. } => {
            (1 + HISTORY_ENTRIES_MAX).min(usize::from(*rows_max)) * HISTORY_ROW_BYTES
        }
        Query::Books { .. } => BOOKS_BYTES,
    }
}

#[cfg(test)]
mod tests;
