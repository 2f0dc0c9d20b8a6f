//! The board: what is for sale, for everybody who wants to know without asking the shard. One atomic word a SKU.
//!
//! ```text
//! shard ─ changes of a turn ─► on its way with the turn's entry ─ durable ─► words ◄─ read by any session, any time
//!
//! word   0                unknown: no such SKU, or not durable yet
//!        units x 2        that many, at least one
//!        moment x 2 + 1   sold out; an identifier made after that moment was never accepted
//! ```
//!
//! # Always true
//! - What stands here is durable, and stands here before any answer of the same turn leaves.
//! - A placement refused here would have been refused by its shard, and no acceptance of it was ever answered.
//! - Readers never wait, for each other or for anybody.
//! # Why so
//! In a flash sale nearly every request is for what is sold out. Its refusal must not queue behind a payment. The hard
//! case is the repeat of an accepted order after the rest was sold: it must get its acceptance again. Its identifier
//! tells it apart: whatever was accepted before a SKU sold out has an identifier no newer than the newest accepted
//! until then, and none is accepted afterwards while it stays sold out.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use crate::base::limits::{BOARD_FIRST_CHUNK_SKUS, BOARD_MARKETS, ID_AHEAD_MS_MAX, SKUS_MAX};
use crate::base::{MarketId, SkuId, Timestamp};
use crate::engine::choices::Take;
use crate::engine::{ForSale, Place, Refusal};

/// Chunks double, so few hold any number of SKUs and none ever moves.
const CHUNKS: usize = (SKUS_MAX / BOARD_FIRST_CHUNK_SKUS).ilog2() as usize + 1;

/// The board of one shard. Clones are the same board.
#[derive(Debug, Clone)]
pub struct Board(Arc<Markets>);

#[derive(Debug)]
struct Markets {
    /// By number.
    markets: Box<[OnceLock<Box<Words>>]>,
    /// From this log time on a reservation is dead that the words still count.
    due_at: AtomicU64,
}

/// The words of one market.
#[derive(Debug, Default)]
struct Words {
    chunks: [OnceLock<Box<[AtomicU64]>>; CHUNKS],
}

/// What a word says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// So many units are for sale, at least one.
    Units(u64),
    /// None are; an identifier made after this moment cannot have been accepted.
    SoldOut {
        /// In log time.
        newest_accepted: Timestamp,
    },
}

impl Offer {
    const fn into_word(self) -> u64 {
        match self {
            Self::Units(units) => units << 1,
            Self::SoldOut { newest_accepted } => newest_accepted.ms() << 1 | 1,
        }
    }

    const fn from_word(word: u64) -> Option<Self> {
        match (word, word & 1) {
            (0, _) => None,
            (_, 0) => Some(Self::Units(word >> 1)),
            _ => Some(Self::SoldOut { newest_accepted: Timestamp::from_ms(word >> 1) }),
        }
    }

    /// Units for sale.
    #[must_use]
    pub const fn units(self) -> u64 {
        match self {
            Self::Units(units) => units,
            Self::SoldOut { .. } => 0,
        }
    }
}

/// A word to be written once the turn it belongs to is durable.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Change {
    market: MarketId,
    sku: SkuId,
    word: u64,
}

impl Change {
    /// `now` is the log time of the turn, which is the last that may have accepted anything of it.
    pub(crate) fn new(for_sale: ForSale, now: Timestamp) -> Self {
        let ForSale { market, sku, units, newest_accepted } = for_sale;
        let newest_accepted = newest_accepted.min(now.after_ms(ID_AHEAD_MS_MAX));
        let offer = if units == 0 { Offer::SoldOut { newest_accepted } } else { Offer::Units(units) };
        Self { market, sku, word: offer.into_word() }
    }
}

/// What the board is told when a turn is durable.
#[derive(Debug, Default)]
pub(crate) struct Posting {
    pub(super) changes: Vec<Change>,
    /// When the first reservation is dead that the turn left; `None` when there is none.
    pub(super) due_at: Option<Timestamp>,
}

impl Default for Board {
    fn default() -> Self {
        let markets = (0..BOARD_MARKETS).map(|_| OnceLock::new()).collect();
        Self(Arc::new(Markets { markets, due_at: AtomicU64::new(u64::MAX) }))
    }
}

impl Board {
    /// What is for sale of a SKU; `None` when it is not known here.
    #[must_use]
    pub fn offer(&self, market: MarketId, sku: SkuId) -> Option<Offer> {
        let words = self.0.markets.get(market.number() as usize)?.get()?;
        let (chunk, place) = chunk_of(sku)?;
        Offer::from_word(words.chunks.get(chunk)?.get()?[place].load(Ordering::Acquire))
    }

    /// The refusal of a placement that cannot be accepted and never was. `None` sends it to its shard.
    ///
    /// `now` is log time, read no later than the words are.
    #[must_use]
    pub fn refuse(&self, place: &Place<'_>, now: Timestamp) -> Option<Refusal> {
        let made_at = place.order.made_at();
        let is_due = now.ms() >= self.0.due_at.load(Ordering::Acquire);
        // A derived identifier says nothing about when it was made. What is from the future or out of bounds the shard
        // refuses, and says why.
        let is_theirs = place.order.0.is_derived() || made_at > now.after_ms(ID_AHEAD_MS_MAX);
        if is_due || is_theirs || place.check().is_err() {
            return None;
        }
        let mut first = None;
        for line in place.lines {
            let is_out = match self.offer(place.order.market(), line.sku)? {
                Offer::Units(_) => false,
                Offer::SoldOut { newest_accepted } => made_at > newest_accepted,
            };
            match (is_out, place.take) {
                (true, _) => first = first.or(Some(line.sku)),
                (false, Take::WhatExists) => return None,
                (false, Take::AllOrNothing) => {}
            }
        }
        let sku = first?;
        let asked = place.lines.iter().filter(|line| line.sku == sku).map(|line| u64::from(line.quantity)).sum();
        Some(Refusal::SoldOut { sku, asked, available: 0 })
    }

    /// Writes what has become durable.
    pub(crate) fn publish(&self, posting: &Posting) {
        // The moment after the words: whoever sees the new one sees what a sweep has freed.
        for change in &posting.changes {
            self.0.word(change.market, change.sku).store(change.word, Ordering::Release);
        }
        self.set_due_at(posting.due_at);
    }

    /// From this log time on, what is sold out may be so only because nobody has swept yet.
    pub(super) fn set_due_at(&self, deadline: Option<Timestamp>) {
        self.0.due_at.store(deadline.map_or(u64::MAX, Timestamp::ms), Ordering::Release);
    }
}

impl Markets {
    fn word(&self, market: MarketId, sku: SkuId) -> &AtomicU64 {
        let words = self.markets[market.number() as usize].get_or_init(Box::default);
        let (chunk, place) = chunk_of(sku).expect("law: SKUs are numbered from 1 to SKUS_MAX");
        &words.chunks[chunk].get_or_init(|| (0..BOARD_FIRST_CHUNK_SKUS << chunk).map(|_| AtomicU64::new(0)).collect())
            [place]
    }
}

/// The chunk of a SKU and its place there.
const fn chunk_of(sku: SkuId) -> Option<(usize, usize)> {
    if sku.0 == 0 || sku.0 as usize > SKUS_MAX {
        return None;
    }
    let at = sku.0 as usize - 1 + BOARD_FIRST_CHUNK_SKUS;
    let chunk = (at / BOARD_FIRST_CHUNK_SKUS).ilog2() as usize;
    Some((chunk, at - (BOARD_FIRST_CHUNK_SKUS << chunk)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sku_has_a_word_of_its_own() {
        let mut expected = (0, 0);
        for number in 1..=100_000 {
            assert_eq!(chunk_of(SkuId(number)), Some(expected), "SKU {number}");
            expected.1 += 1;
            if expected.1 == BOARD_FIRST_CHUNK_SKUS << expected.0 {
                expected = (expected.0 + 1, 0);
            }
        }
        let (chunk, place) = chunk_of(SkuId(u32::try_from(SKUS_MAX).expect("fits"))).expect("the last one");
        assert!(chunk < CHUNKS && place < BOARD_FIRST_CHUNK_SKUS << chunk);
        assert_eq!((chunk_of(SkuId(0)), chunk_of(SkuId(u32::MAX))), (None, None));
    }

    #[test]
    fn a_word_says_what_was_put_into_it() {
        for offer in [Offer::Units(1), Offer::Units(1 << 60), Offer::SoldOut { newest_accepted: Timestamp::ZERO }] {
            assert_eq!(Offer::from_word(offer.into_word()), Some(offer));
        }
        assert_eq!(Offer::from_word(0), None);
    }
}
