//! A count as of an event: what lay at a site when the counter had heard of everything up to an entry, and of nothing
//! behind it.
//!
//! ```text
//! counted ── less ──► what was on hand after that entry = difference ─► added to what is on hand now
//!
//! missing: available ─► arriving ─► what orders hold, who are put back ─► what was set aside ─► has left since
//! ```
//!
//! # Always true
//! - Movements since the event are neither lost nor counted twice, whichever comes first: the count or their notice.
//! - Whatever was counted, it is a fact. What had left since and yet was missing is its `excess`.
//! # Why so
//! What is for sale is lost first, for nobody was promised it. What was set aside comes last: somebody has looked at it
//! since it came in. Telling two customers that their units are there when one is not would be the dearer mistake.

use super::super::Engine;
use super::super::content;
use super::super::fact::Fact;
use super::super::ledger::Bucket;
use super::super::market::Market;
use super::super::refusal::{Field, Refusal};
use super::stock::{check_outside, check_request, land, stock};
use super::{Outcome, check_bounds};
use crate::base::limits::STOCK_UNITS_MAX;
use crate::base::{RequestId, Sequence, SiteId, SkuId, Timestamp};

impl Engine {
    pub(super) fn report_count<'s>(
        &self,
        request: RequestId,
        (sku, site): (SkuId, SiteId),
        (as_of, counted): (Sequence, u64),
        now: Timestamp,
    ) -> Outcome<'s> {
        check_bounds(Field::Quantity, counted, 0, STOCK_UNITS_MAX)?;
        let market = self.market(request.market())?;
        let content = content::reported_count(sku, site, as_of, counted);
        if let Some(before) = check_request(market, request, content, now)? {
            return Ok(before);
        }
        market.check_plain(sku)?;
        market.check_site(site)?;
        // Nobody has heard of the entry that is being filled.
        let position = self.histories.position();
        if as_of >= position {
            return Err(Refusal::EventFromFuture { newest: Sequence(position.0.saturating_sub(1)) });
        }
        let place = (request.market(), sku, site);
        let on_hand = self.on_hand.after(as_of, place, market.on_hand(sku, site));
        let on_hand = on_hand.map_err(|oldest| Refusal::EventForgotten { oldest })?;
        let Missing { available, short, excess } = Missing::of(market, (sku, site), on_hand.saturating_sub(counted));
        let after = if counted > on_hand { land(market, (sku, site), counted - on_hand)? } else { available };
        check_outside(market, (sku, site), Bucket::WriteOff, on_hand.cast_signed() - counted.cast_signed())?;
        self.check_places(market.places_missing(sku, site))?;
        Ok(stock(after, Fact::CountReported { request, sku, site, as_of, on_hand, counted, short, excess }))
    }
}

/// Where missing units are missed.
struct Missing {
    /// Units available at the site without them.
    available: u64,
    short: u64,
    excess: u64,
}

impl Missing {
    fn of(market: &Market, (sku, site): (SkuId, SiteId), mut units: u64) -> Self {
        let balances = market.ledger.balances(sku, site);
        let held = |bucket: Bucket| balances[bucket as usize].cast_unsigned();
        let mut take = |there: u64| {
            let taken = there.min(units);
            units -= taken;
            taken
        };
        let available = held(Bucket::Available) - take(held(Bucket::Available));
        take(held(Bucket::Arriving));
        let by_orders = held(Bucket::Reserved) + held(Bucket::Committed);
        let short = take(by_orders - market.shortages.units(sku, site));
        let aside = held(Bucket::QualityHold) - market.lying.units(sku, site);
        take(aside + held(Bucket::Damaged) + held(Bucket::Quarantine));
        Self { available, short, excess: units }
    }
}
