//! Receiving and correcting stock.

use super::super::Engine;
use super::super::answer::Answer;
use super::super::command::AdjustReason;
use super::super::content;
use super::super::fact::Fact;
use super::super::market::Market;
use super::super::refusal::{Field, Refusal};
use super::{Decision, Outcome, check_bounds, check_made_at};
use crate::base::limits::{STOCK_COMMAND_UNITS_MAX, STOCK_UNITS_MAX};
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
        market.check_sku(sku)?;
        market.check_site(site)?;
        let available = market.ledger.available(sku, site) + quantity;
        check_bounds(Field::Stock, available, 0, STOCK_UNITS_MAX)?;
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
        market.check_sku(sku)?;
        market.check_site(site)?;
        let available = market.ledger.available(sku, site);
        let Some(after) = available.checked_add_signed(delta) else { return Err(Refusal::NotAvailable { available }) };
        check_bounds(Field::Stock, after, 0, STOCK_UNITS_MAX)?;
        Ok(stock(after, Fact::Adjusted { request, sku, site, delta, reason }))
    }
}

/// The first answer if the request already happened; a refusal if it conflicts, or cannot be told from one that did.
fn check_request<'s>(
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

const fn stock(available: u64, fact: Fact<'_>) -> Decision<'_> {
    Decision::Happened { fact, answer: Answer::Stock { available, repeated: false } }
}
