//! Placing an order: every check, then one plan for all its units.
//!
//! The checks run in one order and the order is part of the contract: bounds, market, identity, time, SKUs, capacity,
//! policies, stock. Bounds come first so that nothing large is hashed or looked up for a record that cannot be
//! accepted.

use super::super::Engine;
use super::super::answer::{Answer, Granted};
use super::super::choices::{PaymentMethod, Take};
use super::super::command::{Line, Place};
use super::super::content::Content;
use super::super::fact::{Draw, Fact, Placed};
use super::super::market::Market;
use super::super::order::State;
use super::super::orders::DrawRecord;
use super::super::refusal::{Field, Refusal};
use super::super::routing::{Beyond, Shortfall, Want};
use super::{Decision, Outcome, Scratch, check_bounds, check_made_at, check_not_retired};
use crate::base::limits::{
    DETAILS_BYTES_MAX, DRAWS_MAX, HOLD_MS_MAX, KIT_LINES_MAX, LINE_QUANTITY_MAX, LINES_MAX, ORDER_TOTAL_MAX,
    SEAL_BYTES, UNIT_PRICE_MAX,
};
use crate::base::{MarketId, OrderId, SiteId, SkuId, Timestamp};

impl Engine {
    pub(super) fn place<'s>(&self, place: &Place<'s>, now: Timestamp, scratch: &'s mut Scratch) -> Outcome<'s> {
        let total = place.check()?;
        let market = self.market(place.order.market())?;
        if let Some(position) = self.orders.find(place.order) {
            return self.repeat(position, place, market, scratch);
        }
        check_made_at(place.order.0, now)?;
        check_not_retired(place.order, market)?;
        place.lines.iter().try_for_each(|line| market.check_sku(line.sku))?;
        check_kit_lines(market, place.lines.iter().map(|line| line.sku))?;
        self.check_capacity(place)?;
        if !market.policies.is_empty() {
            self.check_policies(market, place, now, &mut scratch.sums)?;
        }
        let Grant { short, owed } = plan(market, place, scratch)?;
        let fits = self.orders.draw_count() + scratch.plan.draws().len() as u64 <= self.capacity.draws_max;
        if !fits || (owed && !self.may_wait(scratch.plan.draws())) {
            return Err(Refusal::AtCapacity);
        }
        let confirmed = total == 0 || place.payment == PaymentMethod::CashOnDelivery;
        if market.effects.payment && !confirmed {
            self.check_payment(market, place.currency)?;
        }
        let hold_ms = market.reservations.hold_ms(place.hold_ms, place.payment);
        let draws = scratch.plan.draws();
        let answer = Answer::Placed {
            number: market.next_number(),
            accepted_at: now,
            deadline: if confirmed { Timestamp::ZERO } else { now.after_ms(hold_ms.into()) },
            state: if confirmed { State::Confirmed.with_holds(market.effects.check) } else { State::PendingPayment },
            short,
            owed,
            repeated: false,
        };
        let Place { order, customer, take, hold_ms, currency, payment, channel, zone, hashes, lines, details, key } =
            *place;
        let fact = Fact::Placed(Placed {
            order,
            customer,
            take,
            hold_ms,
            currency,
            payment,
            channel,
            zone,
            confirmed,
            hashes,
            lines,
            draws,
            details,
            key: key.filter(|_| !details.is_empty()),
        });
        Ok(Decision::Happened { fact, answer })
    }

    /// The first answer again, if the content is the same.
    fn repeat<'s>(&self, position: u32, place: &Place<'_>, market: &Market, scratch: &mut Scratch) -> Outcome<'s> {
        let record = self.orders.record(position);
        if record.state == State::Blocked {
            return Err(Refusal::Blocked);
        }
        if record.content != Content::from(place).hash() {
            return Err(Refusal::Conflict);
        }
        self.check_details(position, place)?;
        // What edits added, the placement knew nothing of.
        let lines = self.orders.lines(record);
        let lines = &lines[..lines.len().min(place.lines.len())];
        let short = lines.iter().any(|line| line.taken < line.asked);
        // A tombstone is owed nothing, and has no draws that say so.
        let is_owed = |draw: &DrawRecord| draw.is_owed() && draw.units.held() > 0;
        let mut placed = self.orders.draws(record).iter().filter(|draw| usize::from(draw.line) < lines.len());
        let owed = market.waiting.pairs() > 0 && placed.any(is_owed);
        scratch.granted.clear();
        if owed {
            let units = self.orders.line_units(record).take(lines.len());
            scratch.granted.extend(units.map(|units| Granted { taken: units.taken() as u32, owed: units.owed }));
        } else if short {
            scratch.granted.extend(lines.iter().map(|line| Granted { taken: line.taken, owed: 0 }));
        }
        Ok(Decision::Repeated(Answer::Placed {
            number: record.number,
            accepted_at: record.accepted_at,
            deadline: record.deadline,
            state: record.state,
            short,
            owed,
            repeated: true,
        }))
    }

    fn check_capacity(&self, place: &Place<'_>) -> Result<(), Refusal> {
        let lines = self.orders.line_count() + place.lines.len() as u64;
        let details = self.orders.details_bytes() + place.details.len() as u64;
        self.check_orders()?;
        if lines > self.capacity.lines_max || details > self.capacity.details_bytes_max {
            return Err(Refusal::AtCapacity);
        }
        if place.details.is_empty() { Ok(()) } else { self.check_key(place) }
    }

    /// Whether what is owed of these draws can be waited for. Lines of one SKU count as if they were of several.
    pub(super) fn may_wait(&self, draws: &[Draw]) -> bool {
        let owed = draws.iter().filter(|draw| draw.site == SiteId::NOWHERE).count();
        self.waiting_pairs + owed as u64 <= self.capacity.waiting_max
    }

    pub(super) const fn check_orders(&self) -> Result<(), Refusal> {
        if self.orders.len() as u64 >= self.capacity.orders_max { Err(Refusal::AtCapacity) } else { Ok(()) }
    }

    /// Reads once what deciding about a placement will look up.
    pub(in crate::engine) fn touch_place(&self, order: OrderId, lines: &[Line]) -> u64 {
        self.orders.touch(order) ^ self.touch_stock(order.market(), lines)
    }

    /// Reads once the stock that lines draw on first.
    pub(in crate::engine) fn touch_stock(&self, market: MarketId, lines: &[Line]) -> u64 {
        let Ok(market) = self.market(market) else { return 0 };
        let site = market.ranked[0];
        let known = lines.iter().filter(|line| market.check_sku(line.sku).is_ok());
        known.fold(0, |sum, line| sum ^ market.ledger.available(line.sku, site))
    }
}

/// Looks whether an order may have so many lines that name kits.
pub(super) fn check_kit_lines(market: &Market, skus: impl Iterator<Item = SkuId>) -> Result<(), Refusal> {
    if market.kits.is_empty() {
        return Ok(());
    }
    let kits = skus.filter(|sku| market.kits.is_kit(*sku)).count();
    check_bounds(Field::KitLines, kits as u64, 0, KIT_LINES_MAX as u64)
}

/// How a planned order is not whole.
struct Grant {
    /// Some line gets fewer than it asked.
    short: bool,
    /// Some unit is not there.
    owed: bool,
}

/// Plans the units; fills `granted` when the order is not whole.
fn plan(market: &Market, place: &Place<'_>, scratch: &mut Scratch) -> Result<Grant, Refusal> {
    let wants = (0..).zip(place.lines).map(|(line, &Line { sku, quantity, .. })| Want { line, sku, quantity });
    let shortfall = scratch.plan.make(market, wants, Beyond::Allowance);
    let draws = scratch.plan.draws();
    scratch.granted.clear();
    if draws.len() > DRAWS_MAX {
        return Err(Refusal::TooManyDraws);
    }
    if let Some(shortfall) = shortfall
        && (draws.is_empty() || place.take == Take::AllOrNothing)
    {
        return Err(sold_out(shortfall));
    }
    // Without a policy there is no allowance.
    let owed = !market.policies.is_empty() && draws.iter().any(|draw| draw.site == SiteId::NOWHERE);
    let grant = Grant { short: shortfall.is_some(), owed };
    if grant.short || grant.owed {
        scratch.granted.resize(place.lines.len(), Granted::default());
        for draw in draws {
            let granted = &mut scratch.granted[usize::from(draw.line)];
            granted.taken += draw.quantity;
            granted.owed += if draw.site == SiteId::NOWHERE { draw.quantity } else { 0 };
        }
    }
    Ok(grant)
}

pub(super) const fn sold_out(Shortfall { sku, asked, available, .. }: Shortfall) -> Refusal {
    Refusal::SoldOut { sku, asked, available }
}

impl Place<'_> {
    /// Checks every bound that needs no state, and gives the total in minor units.
    ///
    /// # Errors
    /// [`Refusal::OutOfBounds`], of the first field that is.
    pub fn check(&self) -> Result<u64, Refusal> {
        check_bounds(Field::Lines, self.lines.len() as u64, 1, LINES_MAX as u64)?;
        check_bounds(Field::Reservation, self.hold_ms.into(), 0, HOLD_MS_MAX.into())?;
        let sealed = if self.key.is_some() { SEAL_BYTES } else { 0 };
        let details = self.details.len().saturating_sub(sealed);
        check_bounds(Field::Details, details as u64, 0, DETAILS_BYTES_MAX as u64)?;
        let mut total = 0_u128;
        for line in self.lines {
            check_bounds(Field::Quantity, line.quantity.into(), 1, LINE_QUANTITY_MAX.into())?;
            check_bounds(Field::Price, line.price, 0, UNIT_PRICE_MAX)?;
            total += u128::from(line.price) * u128::from(line.quantity);
        }
        let out_of_bounds = Refusal::OutOfBounds { field: Field::Total, min: 0, max: ORDER_TOTAL_MAX };
        u64::try_from(total).ok().filter(|total| *total <= ORDER_TOTAL_MAX).ok_or(out_of_bounds)
    }
}
