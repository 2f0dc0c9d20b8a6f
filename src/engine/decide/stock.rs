//! Receiving and correcting stock.

use super::super::Engine;
use super::super::answer::Answer;
use super::super::choices::AdjustReason;
use super::super::content;
use super::super::fact::Fact;
use super::super::ledger::{Account, Bucket};
use super::super::market::Market;
use super::super::refusal::{Field, Refusal};
use super::{Decision, Outcome, check_bounds, check_made_at};
use crate::base::limits::{MARKET_UNITS_MAX, STOCK_COMMAND_UNITS_MAX, STOCK_UNITS_MAX};
use crate::base::{RequestId, SiteId, SkuId, Timestamp};

impl Engine {
    pub(super) fn receive<'s>(
        &self,
        request: RequestId,
        sku: SkuId,
        site: SiteId,
        quantity: u64,
        now: Timestamp,
    ) -> Outcome<'s> {
        check_bounds(Field::Quantity, quantity, 1, STOCK_COMMAND_UNITS_MAX)?;
        let market = self.market(request.market())?;
        let content = content::stock(sku, site, quantity.cast_signed(), None);
        if let Some(before) = check_request(market, request, content, now)? {
            return Ok(before);
        }
        market.check_plain(sku)?;
        market.check_site(site)?;
        let available = land(market, (sku, site), quantity)?;
        check_outside(market, (sku, site), Bucket::Supplier, -quantity.cast_signed())?;
        self.check_places(market.places_missing(sku, site))?;
        Ok(stock(available, Fact::Received { request, sku, site, quantity }))
    }

    pub(super) fn adjust<'s>(
        &self,
        request: RequestId,
        (sku, site): (SkuId, SiteId),
        delta: i64,
        reason: AdjustReason,
        now: Timestamp,
    ) -> Outcome<'s> {
        check_bounds(Field::Quantity, delta.unsigned_abs(), 1, STOCK_COMMAND_UNITS_MAX)?;
        let market = self.market(request.market())?;
        let content = content::stock(sku, site, delta, Some(reason as u8));
        if let Some(before) = check_request(market, request, content, now)? {
            return Ok(before);
        }
        market.check_plain(sku)?;
        market.check_site(site)?;
        let after = change(market, (sku, site), delta)?;
        check_outside(market, (sku, site), Bucket::WriteOff, -delta)?;
        self.check_places(market.places_missing(sku, site))?;
        Ok(stock(after, Fact::Adjusted { request, sku, site, delta, reason }))
    }

    pub(super) fn move_stock<'s>(
        &self,
        request: RequestId,
        sku: SkuId,
        (from, to): (Account, Account),
        quantity: u64,
        now: Timestamp,
    ) -> Outcome<'s> {
        check_bounds(Field::Quantity, quantity, 1, STOCK_COMMAND_UNITS_MAX)?;
        let market = self.market(request.market())?;
        let content = content::movement(sku, from, to, quantity);
        if let Some(before) = check_request(market, request, content, now)? {
            return Ok(before);
        }
        market.check_plain(sku)?;
        market.check_site(from.site)?;
        market.check_site(to.site)?;
        let leaves = !to.bucket.is_on_hand();
        let is_known = from.bucket.may_be_emptied() && to.bucket.may_be_filled();
        if !is_known || from == to || leaves && from.site != to.site {
            return Err(Refusal::UnknownMovement);
        }
        let held = |account: Account| market.ledger.balances(sku, account.site)[account.bucket as usize];
        let available = market.may_take(sku, from);
        if quantity > available {
            return Err(Refusal::NotAvailable { available });
        }
        if !leaves {
            let beside = if to.bucket == Bucket::Available { market.ledger.arriving(sku, to.site) } else { 0 };
            check_bounds(Field::Stock, held(to).cast_unsigned() + beside + quantity, 0, STOCK_UNITS_MAX)?;
        } else {
            check_outside(market, (sku, to.site), to.bucket, quantity.cast_signed())?;
        }
        self.check_places(market.places_missing(sku, to.site))?;
        let mut after = market.ledger.available(sku, to.site);
        if to.bucket == Bucket::Available {
            after = if from.bucket == Bucket::Available {
                after + quantity.saturating_sub(market.shortages.units(sku, to.site))
            } else {
                land(market, (sku, to.site), quantity)?
            };
        } else if from == (Account { bucket: Bucket::Available, ..to }) {
            after -= quantity;
        }
        Ok(stock(after, Fact::StockMoved { request, sku, from, to, quantity }))
    }

    pub(super) fn count_stock<'s>(
        &self,
        request: RequestId,
        (sku, site): (SkuId, SiteId),
        (expected, counted): (u64, u64),
        now: Timestamp,
    ) -> Outcome<'s> {
        check_bounds(Field::Quantity, counted, 0, STOCK_UNITS_MAX)?;
        let market = self.market(request.market())?;
        let content = content::count(sku, site, expected, counted);
        if let Some(before) = check_request(market, request, content, now)? {
            return Ok(before);
        }
        market.check_plain(sku)?;
        market.check_site(site)?;
        let on_hand = market.on_hand(sku, site);
        if on_hand != expected {
            return Err(Refusal::NotAsExpected { on_hand });
        }
        let delta = counted.cast_signed() - expected.cast_signed();
        let after = change(market, (sku, site), delta)?;
        check_outside(market, (sku, site), Bucket::WriteOff, -delta)?;
        self.check_places(market.places_missing(sku, site))?;
        Ok(stock(after, Fact::StockCounted { request, sku, site, expected, counted }))
    }
}

/// The first answer if the request already happened; a refusal if it conflicts, or cannot be told from one that did.
pub(super) fn check_request<'s>(
    market: &Market,
    request: RequestId,
    content: u64,
    now: Timestamp,
) -> Result<Option<Decision<'s>>, Refusal> {
    if let Some(before) = market.requests.get(request) {
        return if before.content == content {
            Ok(Some(Decision::Repeated(Answer::Stock { available: before.available, repeated: true })))
        } else {
            Err(Refusal::Conflict)
        };
    }
    check_made_at(request.0, now)?;
    if market.requests.is_forgotten(request, now) { Err(Refusal::IdTooOld) } else { Ok(None) }
}

/// What is available at a site once so many units came to be free there. Refused when more would lie there than may.
pub(super) fn land(market: &Market, (sku, site): (SkuId, SiteId), quantity: u64) -> Result<u64, Refusal> {
    let available = market.ledger.available(sku, site);
    // What arrives may be available a moment later.
    check_bounds(Field::Stock, available + market.ledger.arriving(sku, site) + quantity, 0, STOCK_UNITS_MAX)?;
    let free = quantity.saturating_sub(market.shortages.units(sku, site));
    Ok(if market.landing(sku) == Bucket::Available { available + free } else { available })
}

/// What is available at a site once it was corrected, either way.
fn change(market: &Market, (sku, site): (SkuId, SiteId), delta: i64) -> Result<u64, Refusal> {
    if delta > 0 {
        return land(market, (sku, site), delta.unsigned_abs());
    }
    let available = market.ledger.available(sku, site);
    available.checked_add_signed(delta).ok_or(Refusal::NotAvailable { available })
}

/// Looks whether the balance of an outside account, and the market's sum of it, stay far from the end of 64 bits.
/// Inside accounts hold only what came through these.
pub(super) fn check_outside(
    market: &Market,
    (sku, site): (SkuId, SiteId),
    bucket: Bucket,
    change: i64,
) -> Result<(), Refusal> {
    let balances = [market.ledger.balances(sku, site), market.ledger.totals()];
    balances.into_iter().try_for_each(|balances| {
        check_bounds(Field::Stock, (balances[bucket as usize] + change).unsigned_abs(), 0, MARKET_UNITS_MAX)
    })
}

pub(super) const fn stock(available: u64, fact: Fact<'_>) -> Decision<'_> {
    Decision::Happened { fact, answer: Answer::Stock { available, repeated: false } }
}

#[cfg(test)]
mod tests {
    use super::super::super::{Capacity, Command, Scratch};
    use super::*;
    use crate::base::{MarketId, ShardId};

    #[test]
    fn a_market_that_received_all_it_may_refuses_one_unit_more() {
        let market = MarketId::new(1).expect("fits");
        let at = Timestamp::from_ms(1_000_000);
        let mut engine = Engine::new(ShardId(0), 1, Capacity::default());
        engine.fold(&Fact::MarketOpened { market, code: "m" }, at);
        let site = SiteId(1);
        for number in 1..=1_001 {
            let (sku, request) = (SkuId(number), RequestId::new(at, market, number.into()));
            engine.fold(&Fact::SkuCreated { market, sku, code: &format!("sku-{number}") }, at);
            if number <= 1_000 {
                engine.fold(&Fact::Received { request, sku, site, quantity: STOCK_UNITS_MAX }, at);
            }
        }
        let receive = Command::Receive { request: RequestId::new(at, market, 0), sku: SkuId(1_001), site, quantity: 1 };
        let refused = Refusal::OutOfBounds { field: Field::Stock, min: 0, max: MARKET_UNITS_MAX };
        assert_eq!(engine.decide(&receive, at, &mut Scratch::default()), Err(refused));
    }
}
