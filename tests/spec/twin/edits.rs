//! Edits in the twin: everything is looked at on a copy of the order; when nothing speaks against it, the copy is the
//! order.

use std::collections::{BTreeMap, BTreeSet};

use stockade::base::limits::{
    CHANGES_MAX, LINE_QUANTITY_MAX, LINES_MAX, ORDER_DRAWS_MAX, ORDER_TOTAL_MAX, UNIT_PRICE_MAX,
};
use stockade::base::{ChangeId, OrderId, SiteId, SkuId};
use stockade::engine::choices::PaymentMethod;
use stockade::engine::order::State;
use stockade::engine::refusal::Field;
use stockade::engine::{Answer, Edit, Line, LinePrice, LineQuantity, Refusal};

use super::changes::out_of_bounds_lines;
use super::order::{Fate, Order, Record, Remembered, Unit};
use super::retake::illegal;
use super::{Market, Twin, out_of_bounds};

/// The content of an edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Edited {
    zone: Option<u16>,
    prices: Vec<LinePrice>,
    remove: Vec<LineQuantity>,
    add: Vec<Line>,
}

/// Where the units of an edit go.
struct Plan {
    /// Units of lines that are cancelled, by line and position.
    removed: Vec<(usize, usize)>,
    /// The site of every unit that only changes its line, for each added line.
    kept: Vec<Vec<SiteId>>,
    /// The site of every unit that is taken, for each added line.
    taken: Vec<Vec<SiteId>>,
    /// Sites in rank order: a line that is added draws on its sites in this order, whatever only changed to it.
    ranked: Vec<SiteId>,
}

impl Edited {
    fn of(edit: Edit<'_>) -> Self {
        let Edit { zone, prices, remove, add } = edit;
        Self { zone, prices: prices.to_vec(), remove: remove.to_vec(), add: add.to_vec() }
    }
}

impl Twin {
    pub(super) fn edit_order(&mut self, id: OrderId, change: ChangeId, edit: Edit<'_>) -> Result<Answer, Refusal> {
        out_of_bounds_edit(edit).into_iter().next().map_or(Ok(()), Err)?;
        let order = self.order(id)?;
        match order.changes.get(&change) {
            Some(Remembered::Edited { asked, moved }) if *asked == Edited::of(edit) => {
                return Ok(order.done(*moved, 0, true));
            }
            Some(_) => return Err(Refusal::Conflict),
            None if order.changes.len() == CHANGES_MAX => return Err(Refusal::TooManyChanges),
            None => {}
        }
        let priced = edit.prices.iter().map(|line| line.line);
        let mut named = priced.chain(edit.remove.iter().map(|line| line.line));
        if let Some(line) = named.find(|line| usize::from(*line) >= order.lines.len()) {
            return Err(Refusal::UnknownLine { line });
        }
        let was_unpaid = order.is_unpaid();
        if !was_unpaid && !matches!(order.state(), State::Confirmed | State::InReview | State::Fulfilling) {
            return Err(illegal(order.state()));
        }
        let market = self.market(id.market())?;
        market.check_added(order, edit.add)?;
        let mut after = order.clone();
        after.ask_otherwise(edit);
        after.check_prices(edit)?;
        order.check_units(edit.remove, can_be_removed)?;
        self.check_lines(edit.add.len() as u64)?;
        let mut plan = market.plan(order, edit);
        self.check_edit_policies(id, &after, edit, &plan)?;
        plan.taken = market.take_added(edit.add, &plan.kept)?;
        self.check_waiting_more(&plan.taken)?;
        let fate = if was_unpaid { Fate::Reserved } else { Fate::Committed };
        after.carry_out(&plan, fate);
        if after.draws() > ORDER_DRAWS_MAX {
            return Err(Refusal::TooManyDraws);
        }
        if after.is_unpaid() && after.is_covered() {
            after.turn(Fate::Reserved, Fate::Committed);
        }
        let count = |sites: &[Vec<SiteId>]| sites.iter().map(Vec::len).sum::<usize>();
        let moved = (count(&plan.taken) + plan.removed.len() - count(&plan.kept)) as u64;
        after.changes.insert(change, Remembered::Edited { asked: Edited::of(edit), moved });
        let answer = after.done(moved, 0, false);
        *self.order_mut(id)? = after;
        Ok(answer)
    }

    /// Whether so many lines more fit.
    fn check_lines(&self, more: u64) -> Result<(), Refusal> {
        let fits = more == 0 || self.lines() + more <= self.capacity.lines_max;
        if fits { Ok(()) } else { Err(Refusal::AtCapacity) }
    }

    /// Whether so many lines more may wait for what they are owed.
    fn check_waiting_more(&self, taken: &[Vec<SiteId>]) -> Result<(), Refusal> {
        let owed = taken.iter().filter(|line| line.contains(&SiteId::NOWHERE)).count() as u64;
        let fits = owed == 0 || self.waiting_pairs() + owed <= self.capacity.waiting_max;
        if fits { Ok(()) } else { Err(Refusal::AtCapacity) }
    }

    /// Holds what is added against the policies of its SKUs, SKU by SKU.
    fn check_edit_policies(&self, id: OrderId, after: &Order, edit: Edit<'_>, plan: &Plan) -> Result<(), Refusal> {
        let (order, market) = (self.order(id)?, self.market(id.market())?);
        // Wherever they will lie, and however many: somebody has some.
        let mut after = after.clone();
        let some = vec![vec![SiteId::NOWHERE]; edit.add.len()];
        let plan = Plan {
            removed: plan.removed.clone(),
            kept: vec![Vec::new(); edit.add.len()],
            taken: some,
            ranked: Vec::new(),
        };
        after.carry_out(&plan, Fate::Committed);
        let removed = |counts: &dyn Fn(SkuId) -> u64| -> u64 {
            plan.removed.iter().map(|(line, _)| counts(order.asked.lines[*line].sku)).sum()
        };
        let added = |counts: &dyn Fn(SkuId) -> u64| -> u64 {
            edit.add.iter().map(|line| counts(line.sku) * u64::from(line.quantity)).sum()
        };
        let skus = edit.add.iter().flat_map(|line| market.parts(line.sku).into_keys().chain([line.sku]));
        let skus: BTreeSet<SkuId> = skus.collect();
        let mut more_counted = 0;
        for &sku in &skus {
            let policy = market.rule(sku).policy;
            let (min, max) = (u64::from(policy.order_min), u64::from(policy.order_max));
            let named = edit.add.iter().any(|line| line.sku == sku);
            let is_it = |line| u64::from(line == sku);
            let units = order.live(is_it) - removed(&is_it) + added(&is_it);
            if named && (units < min || (max > 0 && units > max)) {
                return Err(Refusal::OrderLimit { sku, min, max });
            }
            let counts = |line| market.counts_as(line, sku);
            let more = added(&counts).saturating_sub(removed(&counts));
            market.check_customer(sku, more, &order.asked, order.accepted_at)?;
            market.check_channel(order.asked.channel, sku, more)?;
            if more > 0 {
                let mut then = market.clone();
                then.orders.insert(id, Record::Order(Box::new(after.clone())));
                more_counted += then.counted(sku).difference(&market.counted(sku)).count() as u64;
            }
        }
        let fits = more_counted == 0 || self.customer_counts() + more_counted <= self.capacity.customers_max;
        if fits { Ok(()) } else { Err(Refusal::AtCapacity) }
    }
}

impl Market {
    fn check_added(&self, order: &Order, add: &[Line]) -> Result<(), Refusal> {
        if let Some(line) = add.iter().find(|line| !self.has_sku(line.sku)) {
            return Err(Refusal::UnknownSku { sku: line.sku });
        }
        let all: Vec<Line> = order.asked.lines.iter().chain(add).copied().collect();
        if all.len() > LINES_MAX {
            return Err(out_of_bounds(Field::Lines, 0, LINES_MAX as u64));
        }
        if add.is_empty() { Ok(()) } else { self.check_kit_lines(&all) }
    }

    /// Which units leave their lines, and which of them only change to another.
    fn plan(&self, order: &Order, edit: Edit<'_>) -> Plan {
        let mut removed = Vec::new();
        for line in edit.remove {
            let at = usize::from(line.line);
            let last_first = order.first_drawn(at, can_be_removed).into_iter().rev();
            removed.extend(last_first.take(line.quantity as usize).map(|unit| (at, unit)));
        }
        // What is owed lies nowhere: behind every site.
        let ranked = self.ranked_sites();
        let rank = |site: &SiteId| ranked.iter().position(|known| known == site).unwrap_or(usize::MAX);
        let mut free: BTreeMap<SkuId, Vec<SiteId>> = BTreeMap::new();
        for &(line, unit) in &removed {
            free.entry(order.asked.lines[line].sku).or_default().push(order.lines[line][unit].site);
        }
        free.values_mut().for_each(|sites| sites.sort_by_key(rank));
        let mut kept = Vec::new();
        for line in edit.add {
            let sites = free.entry(line.sku).or_default();
            let units = sites.len().min(line.quantity as usize);
            kept.push(sites.drain(..units).collect());
        }
        Plan { removed, kept, taken: vec![Vec::new(); edit.add.len()], ranked }
    }

    /// The site of every unit that is not kept, as a placement takes them: all or none.
    fn take_added(&self, add: &[Line], kept: &[Vec<SiteId>]) -> Result<Vec<Vec<SiteId>>, Refusal> {
        let beyond = |(line, kept): (&Line, &Vec<SiteId>)| (line.sku, line.quantity - kept.len() as u32);
        let wanted: Vec<(SkuId, u32)> = add.iter().zip(kept).map(beyond).collect();
        let sites = self.choose_sites(&wanted, true);
        let of_sku = |sku| wanted.iter().zip(&sites).filter(move |((its, _), _)| *its == sku);
        let asked = |sku| of_sku(sku).map(|((_, units), _)| u64::from(*units)).sum::<u64>();
        let given = |sku| of_sku(sku).map(|(_, sites)| sites.len() as u64).sum::<u64>();
        match wanted.iter().map(|(sku, _)| *sku).find(|sku| given(*sku) < asked(*sku)) {
            Some(sku) => Err(Refusal::SoldOut { sku, asked: asked(sku), available: given(sku) }),
            None => Ok(sites),
        }
    }
}

impl Order {
    /// Lines, prices and the zone as they are from now on; the new lines have no unit yet.
    fn ask_otherwise(&mut self, edit: Edit<'_>) {
        self.asked.zone = edit.zone.unwrap_or(self.asked.zone);
        for line in edit.prices {
            self.asked.lines[usize::from(line.line)].price = line.price;
        }
        for line in edit.add {
            self.asked.lines.push(*line);
            self.lines.push(Vec::new());
            self.drew_on.push(Vec::new());
        }
    }

    /// Asked of an order that has its new lines and prices already.
    fn check_prices(&self, edit: Edit<'_>) -> Result<(), Refusal> {
        let mut prices = edit.prices.iter().map(|line| line.price).chain(edit.add.iter().map(|line| line.price));
        if self.cost_nothing() && prices.any(|price| price > 0) {
            return Err(out_of_bounds(Field::Price, 0, 0));
        }
        let total = |line: &Line| u128::from(line.price) * u128::from(line.quantity);
        if self.asked.lines.iter().map(total).sum::<u128>() > u128::from(ORDER_TOTAL_MAX) {
            return Err(out_of_bounds(Field::Total, 0, ORDER_TOTAL_MAX));
        }
        Ok(())
    }

    /// Whether it needed no payment because there was none to make.
    fn cost_nothing(&self) -> bool {
        self.deadline.ms() == 0 && self.asked.payment != PaymentMethod::CashOnDelivery
    }

    /// Units that count, each as often as its line says.
    fn live(&self, counts: impl Fn(SkuId) -> u64) -> u64 {
        let lives = |unit: &&Unit| !matches!(unit.fate, Fate::Lapsed | Fate::Cancelled);
        let of_line = |(line, units): (&Line, &Vec<Unit>)| counts(line.sku) * units.iter().filter(lives).count() as u64;
        self.asked.lines.iter().zip(&self.lines).map(of_line).sum()
    }

    /// Takes units out of lines and gives units to the last ones.
    fn carry_out(&mut self, plan: &Plan, fate: Fate) {
        for &(line, unit) in &plan.removed {
            self.lines[line][unit].fate = Fate::Cancelled;
        }
        let first = self.lines.len() - plan.kept.len();
        for (at, (kept, taken)) in plan.kept.iter().zip(&plan.taken).enumerate() {
            let sites: Vec<SiteId> = kept.iter().chain(taken).copied().collect();
            let unit = |site: &SiteId| Unit { site: *site, fate, returned_to: None };
            self.lines[first + at] = sites.iter().map(unit).collect();
            let in_turn: Vec<SiteId> = plan.ranked.iter().filter(|site| sites.contains(site)).copied().collect();
            self.draw_on(first + at, &in_turn);
        }
    }

    fn draws(&self) -> usize {
        let places = |(units, drew_on): (&Vec<Unit>, &Vec<SiteId>)| {
            units.iter().map(|unit| unit.site).chain(drew_on.iter().copied()).collect::<BTreeSet<SiteId>>().len()
        };
        self.lines.iter().zip(&self.drew_on).map(places).sum()
    }
}

/// What was handed over is no more to be removed.
fn can_be_removed(unit: &Unit) -> bool {
    matches!(unit.fate, Fate::Reserved | Fate::Committed)
}

/// Everything about an edit that is outside its bounds.
pub(super) fn out_of_bounds_edit(edit: Edit<'_>) -> Vec<Refusal> {
    let Edit { zone, prices, remove, add } = edit;
    let mut wrong = Vec::new();
    let mut check = |is_wrong: bool, field, min, max| {
        if is_wrong {
            wrong.push(out_of_bounds(field, min, max));
        }
    };
    let asks_nothing = zone.is_none() && prices.is_empty() && remove.is_empty() && add.is_empty();
    let has_too_many = [prices.len(), remove.len(), add.len()].into_iter().any(|rows| rows > LINES_MAX);
    check(asks_nothing, Field::Lines, 1, LINES_MAX as u64);
    check(has_too_many, Field::Lines, 0, LINES_MAX as u64);
    let quantities = 1..=LINE_QUANTITY_MAX;
    let has_wrong = add.iter().any(|line| !quantities.contains(&line.quantity));
    check(has_wrong, Field::Quantity, 1, u64::from(LINE_QUANTITY_MAX));
    let mut all_prices = prices.iter().map(|line| line.price).chain(add.iter().map(|line| line.price));
    check(all_prices.any(|price| price > UNIT_PRICE_MAX), Field::Price, 0, UNIT_PRICE_MAX);
    let mut named = BTreeSet::new();
    check(prices.iter().any(|line| !named.insert(line.line)), Field::Line, 0, 1);
    wrong.extend(out_of_bounds_lines(remove, 0..=LINES_MAX));
    wrong
}
