//! Which time the identifiers of an import carry. The same file must always get the same, or its lines would be
//! received twice.
//!
//! ```text
//! receipt beside the file ──────────────────────────────► its time   (or, after 24 h: done, or cannot be told)
//! no receipt ─ asked the server for each hour of the day ─► the hour in which this file was begun
//!                                                        └► the present hour
//! ```
//!
//! # Always true
//! - A file with a receipt is never received under another time, unless `--again` says so or nothing was ever received
//!   in that market (another server, or its data was removed).
//! # Why so
//! A request identifier is its time and a hash of the file and the line. Without a receipt the time is rounded to the
//! hour, so a copy of the file somewhere else finds it by trying the hours the server remembers. Trying changes
//! nothing: the first line's identifier with SKU 0 is answered `Conflict` if it was carried out and `UnknownSku` if
//! not.

use super::connection::{MarketConnection, unexpected};
use super::fault::CliFault;
use super::import_file::ImportLine;
use super::import_receipt::Receipt;
use crate::base::limits::REQUESTS_REMEMBERED_MS;
use crate::base::{MarketId, RequestId, SiteId, SkuId, Timestamp};
use crate::client::{QueryReply, Response};
use crate::engine::ledger::Bucket;
use crate::engine::{Command, Query, Refusal};
use crate::wire::Refused;

const HOUR_MS: u64 = 3_600_000;

/// What to do with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decided {
    /// Receive its lines under this time; those that were received before change nothing.
    Receive(Timestamp),
    /// It was imported at this time, all of it; the server no longer remembers, and nothing is sent.
    Finished(Timestamp),
    /// An import begun at this time was broken off; which lines were received cannot be told any more.
    Untold(Timestamp),
}

/// The identifier of a line.
pub(super) fn request_id(made_at: Timestamp, market: MarketId, hash: u128, line: &ImportLine) -> RequestId {
    let mut bytes = [0; 24];
    bytes[..16].copy_from_slice(&hash.to_le_bytes());
    bytes[16..].copy_from_slice(&line.number.to_le_bytes());
    RequestId::new(made_at, market, xxhash_rust::xxh3::xxh3_64(&bytes))
}

/// What a receipt says, `now` being log time.
fn by_receipt(receipt: &Receipt, now: Timestamp) -> Decided {
    let at = receipt.at();
    match (at >= now.before_ms(REQUESTS_REMEMBERED_MS), receipt.finished) {
        (true, _) => Decided::Receive(at),
        (false, true) => Decided::Finished(at),
        (false, false) => Decided::Untold(at),
    }
}

/// Hours that the server still remembers, the present one first.
fn hours(now: Timestamp) -> impl Iterator<Item = Timestamp> {
    let present = now.ms() - now.ms() % HOUR_MS;
    let oldest = now.before_ms(REQUESTS_REMEMBERED_MS);
    (0..)
        .map_while(move |back| present.checked_sub(back * HOUR_MS))
        .map(Timestamp::from_ms)
        .take_while(move |at| *at >= oldest)
}

/// Decides which time the identifiers carry.
pub(super) async fn decide(
    connection: &MarketConnection,
    (hash, first): (u128, &ImportLine),
    receipt: Option<&Receipt>,
    again: bool,
) -> Result<Decided, CliFault> {
    let now = connection.client.log_time();
    if again {
        return Ok(Decided::Receive(now));
    }
    if was_ever_received(connection).await? {
        if let Some(receipt) = receipt {
            return Ok(by_receipt(receipt, now));
        }
        for hour in hours(now) {
            if was_carried_out(connection, request_id(hour, connection.market, hash, first)).await? {
                return Ok(Decided::Receive(hour));
            }
        }
    }
    Ok(Decided::Receive(hours(now).next().unwrap_or(now)))
}

async fn was_ever_received(connection: &MarketConnection) -> Result<bool, CliFault> {
    match connection.query("the books", &Query::Books { market: connection.market }).await? {
        QueryReply::Books(books) => Ok(books.books.units[Bucket::Supplier as usize] != 0),
        other => Err(unexpected("the books", &other)),
    }
}

/// See the letter: no SKU has the number 0, so this receives nothing.
async fn was_carried_out(connection: &MarketConnection, request: RequestId) -> Result<bool, CliFault> {
    let probe = Command::Receive { request, sku: SkuId(0), site: SiteId(1), quantity: 1 };
    match connection.client.submit(&probe).await? {
        Response::Refused(Refused::Engine(Refusal::Conflict)) => Ok(true),
        Response::Refused(Refused::Engine(Refusal::UnknownSku { .. } | Refusal::IdTooOld)) => Ok(false),
        Response::Refused(why) => Err(CliFault::refused("asking whether the file was imported before", &why)),
        Response::Answered { answer, .. } => Err(unexpected("a refusal", &answer)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_000 * HOUR_MS + 1_800_000);

    #[test]
    fn the_hours_tried_are_those_the_server_remembers() {
        let tried: Vec<_> = hours(NOW).collect();
        assert_eq!(tried.first(), Some(&Timestamp::from_ms(1_000 * HOUR_MS)));
        assert_eq!(tried.len(), 24);
        assert!(tried.iter().all(|at| *at >= NOW.before_ms(REQUESTS_REMEMBERED_MS) && *at <= NOW));
        assert_eq!(hours(Timestamp::from_ms(5)).count(), 1, "nothing lies before the first hour");
    }

    #[test]
    fn a_receipt_is_followed_for_a_day_and_never_lets_a_file_in_twice() {
        let receipt = |hours_ago: u64, finished| {
            let made_at = NOW.before_ms(hours_ago * HOUR_MS);
            Receipt { finished, ..Receipt::new(7, "default", (made_at, made_at), 3) }
        };
        let at = |hours_ago: u64| NOW.before_ms(hours_ago * HOUR_MS);
        assert_eq!(by_receipt(&receipt(23, true), NOW), Decided::Receive(at(23)));
        assert_eq!(by_receipt(&receipt(23, false), NOW), Decided::Receive(at(23)));
        assert_eq!(by_receipt(&receipt(25, true), NOW), Decided::Finished(at(25)));
        assert_eq!(by_receipt(&receipt(25, false), NOW), Decided::Untold(at(25)));
    }

    #[test]
    fn the_identifier_of_a_line_depends_on_the_file_and_its_place_in_it() {
        let line = |number| ImportLine { number, sku: "MUG".into(), site: "main".into(), quantity: 1 };
        let market = MarketId::new(1).expect("fits");
        let id = |hash, number| request_id(NOW, market, hash, &line(number));
        assert_eq!(id(7, 2), id(7, 2));
        assert_ne!(id(7, 2), id(7, 3));
        assert_ne!(id(7, 2), id(8, 2));
        assert_eq!((id(7, 2).made_at(), id(7, 2).market()), (NOW, market));
    }
}
