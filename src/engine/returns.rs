//! Returns: which goods of each order are to come back, came back, and what became of them. Most orders have none.
//!
//! ```text
//! heads  │ return 0 │ return 1 │ …                        in the order in which they came
//! rows   │ 0, line 3, nowhere: asked │ 0, line 3, site 1: came in, became … │ 1, line 0, nowhere │ …
//! ```
//!
//! # Always true
//! - Per line: what returns by customers claim was delivered; what those by carriers claim was not; and all of it
//!   together with what was put back in one step was handed over ([`Standing::check`]).
//! - What lies with returns at a site is no more than its bucket `quality_hold` has there, and nobody else takes it.
//! - A return that is open has a moment at which it ends by itself, so no order is kept for ever.
//! # Not here
//! - The words, and which report does what in which stage: `return_`.
//! # Why so
//! What is claimed is added up when somebody asks: an order has few returns, and a sum that is kept can be wrong.

use std::collections::{BTreeMap, BTreeSet};

use super::Engine;
use super::market::Market;
use super::order::LineUnits;
use super::orders::Record;
use super::query::{ReturnLineView, ReturnPieceView, ReturnView};
use super::return_::{DISPOSITIONS, DeclineReason, Disposition, Kind, Reason, Stage};
use crate::base::limits::{RETURN_LINES_MAX, RETURN_ROWS_MAX, RETURNS_PER_ORDER_MAX};
use crate::base::{ChangeId, SiteId, SkuId, Timestamp};

/// One return.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Return {
    pub(super) id: ChangeId,
    /// Of what was asked, so that something else under the same number is recognised.
    pub(super) content: u64,
    /// When it ends by itself, while it is open; of one that is not, when it would have.
    pub(super) until: Timestamp,
    pub(super) kind: Kind,
    pub(super) reason: Reason,
    pub(super) stage: Stage,
    pub(super) declined: Option<DeclineReason>,
}

/// Units of one line of a return: those asked, at no site; or those that came in at one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    /// Which return of the order.
    pub(super) of: u8,
    pub(super) line: u16,
    pub(super) site: SiteId,
    pub(super) units: u32,
    /// Of those that came in, what became of them, by disposition.
    pub(super) became: [u32; DISPOSITIONS],
}

impl Row {
    const fn place(&self) -> (u8, u16, SiteId) {
        (self.of, self.line, self.site)
    }

    /// Whether it says what was asked.
    pub(super) fn is_asked(&self) -> bool {
        self.site == SiteId::NOWHERE
    }

    /// Units that something became of.
    pub(super) fn inspected(&self) -> u64 {
        self.became.iter().map(|units| u64::from(*units)).sum()
    }

    /// Units that came in and that nobody looked at yet.
    pub(super) fn lying(&self) -> u64 {
        if self.is_asked() { 0 } else { u64::from(self.units) - self.inspected() }
    }

    pub(super) const fn became(&self, disposition: Disposition) -> u32 {
        self.became[disposition as usize - 1]
    }

    pub(super) const fn became_mut(&mut self, disposition: Disposition) -> &mut u32 {
        &mut self.became[disposition as usize - 1]
    }
}

/// The returns of one order.
#[derive(Debug, Default)]
struct OfOrder {
    heads: Box<[Return]>,
    /// By return, line and site.
    rows: Box<[Row]>,
}

/// The returns of all orders.
#[derive(Debug, Default)]
pub(super) struct Returns {
    /// By position of the order.
    orders: BTreeMap<u32, OfOrder>,
    /// Open ones, by when they end by themselves.
    ends: BTreeSet<(Timestamp, u32, u8)>,
    /// Returns and rows of all orders together.
    len: u64,
}

impl Returns {
    /// Returns and rows of all orders together.
    pub(super) const fn len(&self) -> u64 {
        self.len
    }

    pub(super) fn of(&self, position: u32) -> &[Return] {
        self.orders.get(&position).map_or(&[], |order| &order.heads)
    }

    pub(super) fn rows(&self, position: u32) -> &[Row] {
        self.orders.get(&position).map_or(&[], |order| &order.rows)
    }

    /// A return of an order and which of its returns it is.
    pub(super) fn find(&self, position: u32, id: ChangeId) -> Option<(u8, &Return)> {
        (0..).zip(self.of(position)).find(|(_, known)| known.id == id)
    }

    /// Rows of one return of an order.
    pub(super) fn rows_of(&self, position: u32, of: u8) -> impl Iterator<Item = &Row> {
        self.rows(position).iter().filter(move |row| row.of == of)
    }

    pub(super) fn row(&self, position: u32, place: (u8, u16, SiteId)) -> Option<&Row> {
        let rows = self.rows(position);
        rows.get(rows.binary_search_by_key(&place, Row::place).ok()?)
    }

    /// Whether nothing lies and all that was asked came in, once something became of so many more.
    pub(super) fn is_done_without(&self, position: u32, of: u8, inspected: u64) -> bool {
        let (mut asked, mut came, mut lies) = (0, 0, 0);
        for row in self.rows_of(position, of) {
            let sum = if row.is_asked() { &mut asked } else { &mut came };
            *sum += u64::from(row.units);
            lies += row.lying();
        }
        asked == came && lies == inspected
    }

    /// Whether something is to come of any return of an order.
    #[inline]
    pub(super) fn is_open(&self, position: u32) -> bool {
        !self.ends.is_empty() && self.of(position).iter().any(|known| known.stage.is_open())
    }

    /// One return more, and the rows of what was asked.
    pub(super) fn add(&mut self, position: u32, new: Return, asked: impl Iterator<Item = (u16, u32)>) {
        let of = u8::try_from(self.of(position).len()).expect("law: an order has a bounded number of returns");
        let row = |(line, units)| Row { of, line, site: SiteId::NOWHERE, units, became: [0; DISPOSITIONS] };
        let mut rows: Vec<_> = self.rows(position).iter().copied().chain(asked.map(row)).collect();
        rows.sort_by_key(Row::place);
        let heads = [self.of(position), &[new]].concat();
        self.restore(position, heads.into(), rows.into());
    }

    /// Puts returns and rows in the place of those an order had.
    pub(super) fn restore(&mut self, position: u32, heads: Box<[Return]>, rows: Box<[Row]>) {
        self.forget(position);
        if heads.is_empty() {
            return;
        }
        for (of, known) in (0..).zip(&heads).filter(|(_, known)| known.stage.is_open()) {
            self.ends.insert((known.until, position, of));
        }
        self.len += (heads.len() + rows.len()) as u64;
        self.orders.insert(position, OfOrder { heads, rows });
    }

    fn head_mut(&mut self, position: u32, of: u8) -> &mut Return {
        let order = self.orders.get_mut(&position);
        let heads = &mut order.expect("law: a fact about a return follows its beginning").heads;
        &mut heads[usize::from(of)]
    }

    /// A return is at this stage from here on.
    pub(super) fn set_stage(&mut self, position: u32, of: u8, stage: Stage, until: Timestamp) {
        let known = self.head_mut(position, of);
        let before = std::mem::replace(&mut known.until, until);
        known.stage = stage;
        self.ends.remove(&(before, position, of));
        if stage.is_open() {
            self.ends.insert((until, position, of));
        }
    }

    pub(super) fn set_declined(&mut self, position: u32, of: u8, reason: DeclineReason) {
        self.head_mut(position, of).declined = Some(reason);
    }

    /// Changes a row, which comes to be if there is none.
    pub(super) fn change_row(&mut self, position: u32, place: (u8, u16, SiteId), change: impl FnOnce(&mut Row)) {
        let order = self.orders.get_mut(&position).expect("law: a row is of a return that began");
        let at = order.rows.partition_point(|row| row.place() < place);
        if order.rows.get(at).is_none_or(|row| row.place() != place) {
            let (of, line, site) = place;
            let (before, behind) = order.rows.split_at(at);
            let new = Row { of, line, site, units: 0, became: [0; DISPOSITIONS] };
            order.rows = [before, &[new], behind].concat().into();
            self.len += 1;
        }
        change(&mut order.rows[at]);
    }

    /// Changes every row of a return.
    pub(super) fn change_rows(&mut self, position: u32, of: u8, change: impl FnMut(&mut Row)) {
        let rows = self.orders.get_mut(&position).into_iter().flat_map(|order| &mut order.rows);
        rows.filter(|row| row.of == of).for_each(change);
    }

    /// Forgets the returns of an order.
    pub(super) fn forget(&mut self, position: u32) {
        let Some(OfOrder { heads, rows }) = self.orders.remove(&position) else { return };
        self.len -= (heads.len() + rows.len()) as u64;
        for (of, known) in (0..).zip(heads) {
            self.ends.remove(&(known.until, position, of));
        }
    }

    /// When the first return ends by itself.
    pub(super) fn next_end(&self) -> Option<Timestamp> {
        self.ends.first().map(|(until, ..)| *until)
    }

    /// The first return that has ended by itself.
    pub(super) fn ended(&self, now: Timestamp) -> Option<(u32, &Return)> {
        let (until, position, of) = self.ends.first()?;
        (*until <= now).then(|| (*position, &self.of(*position)[usize::from(*of)]))
    }
}

/// Units at a site that lie with returns, by SKU and site: part of `quality_hold`, and to be taken by no one else.
#[derive(Debug, Default)]
pub(super) struct Lying(BTreeMap<(SkuId, SiteId), u64>);

impl Lying {
    pub(super) fn units(&self, sku: SkuId, site: SiteId) -> u64 {
        if self.0.is_empty() { 0 } else { self.0.get(&(sku, site)).copied().unwrap_or_default() }
    }

    fn add(&mut self, sku: SkuId, site: SiteId, units: u64) {
        *self.0.entry((sku, site)).or_default() += units;
    }

    fn take(&mut self, sku: SkuId, site: SiteId, units: u64) {
        let left = self.units(sku, site).checked_sub(units).expect("law: what is looked at lies there");
        if left == 0 {
            self.0.remove(&(sku, site));
        } else {
            self.0.insert((sku, site), left);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = ((SkuId, SiteId), u64)> {
        self.0.iter().map(|(place, units)| (*place, *units))
    }
}

impl Market {
    /// Units of what a line names lie with a return at a site from here on: of a kit, those of its components.
    pub(super) fn lie(&mut self, sku: SkuId, site: SiteId, units: u64) {
        let Self { kits, lying, .. } = self;
        match kits.recipe(sku) {
            None => lying.add(sku, site, units),
            Some(recipe) => recipe.iter().for_each(|part| lying.add(part.sku, site, units * u64::from(part.units))),
        }
    }

    /// Whether at least as much is set aside at a site as lies there with returns: of a kit, of each component.
    pub(super) fn lies_set_aside(&self, sku: SkuId, site: SiteId) -> bool {
        let is_there = |sku| self.lying.units(sku, site) <= self.set_aside(sku, site);
        self.kits.recipe(sku).map_or(is_there(sku), |recipe| recipe.iter().all(|part| is_there(part.sku)))
    }

    /// Something became of them.
    pub(super) fn lie_no_more(&mut self, sku: SkuId, site: SiteId, units: u64) {
        let Self { kits, lying, .. } = self;
        match kits.recipe(sku) {
            None => lying.take(sku, site, units),
            Some(recipe) => recipe.iter().for_each(|part| lying.take(part.sku, site, units * u64::from(part.units))),
        }
    }
}

/// How the units of one line stand: what left, and what of it is claimed.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Standing {
    pub(super) shipped: u64,
    pub(super) delivered: u64,
    /// Back in stock in one step, without a return.
    pub(super) put_back: u64,
    pub(super) by_customers: u64,
    pub(super) by_carriers: u64,
}

impl Standing {
    fn unclaimed(&self) -> u64 {
        self.shipped - self.put_back - self.by_customers - self.by_carriers
    }

    /// Units that a return of this kind may be about.
    pub(super) fn may_return(&self, kind: Kind) -> u64 {
        let of_kind = if kind.is_by_carrier() { self.may_deliver() } else { self.delivered - self.by_customers };
        of_kind.min(self.unclaimed())
    }

    /// Units that may be put back in one step.
    pub(super) fn may_put_back(&self) -> u64 {
        self.unclaimed()
    }

    /// Units that may be told to have reached the customer.
    pub(super) fn may_deliver(&self) -> u64 {
        self.shipped - self.delivered - self.by_carriers
    }

    /// Whether no unit is claimed twice.
    fn check(&self) -> bool {
        self.by_customers <= self.delivered
            && self.delivered + self.by_carriers <= self.shipped
            && self.put_back + self.by_customers + self.by_carriers <= self.shipped
    }
}

impl Engine {
    /// How the units of each line of an order stand.
    pub(super) fn standings(&self, position: u32, record: &Record) -> Vec<Standing> {
        let line = |(line, units): (&super::orders::LineRecord, LineUnits)| Standing {
            shipped: units.shipped.into(),
            delivered: line.delivered.into(),
            put_back: units.returned.into(),
            ..Standing::default()
        };
        let mut all: Vec<_> = self.orders.lines(record).iter().zip(self.orders.line_units(record)).map(line).collect();
        let heads = self.returns.of(position);
        for row in self.returns.rows(position) {
            let Return { kind, stage, .. } = heads[usize::from(row.of)];
            let standing = &mut all[usize::from(row.line)];
            let claimed = if kind.is_by_carrier() { &mut standing.by_carriers } else { &mut standing.by_customers };
            let counts_asked = match stage {
                Stage::Declined | Stage::Cancelled | Stage::Expired | Stage::Closed => false,
                Stage::Requested
                | Stage::Approved
                | Stage::LabelSent
                | Stage::InTransit
                | Stage::Received
                | Stage::Inspected
                | Stage::Lost => true,
            };
            if row.is_asked() {
                *claimed += if counts_asked { u64::from(row.units) } else { 0 };
                continue;
            }
            let (came, again) = (u64::from(row.units), u64::from(row.became(Disposition::BackToCustomer)));
            // What was asked is counted already, but of a return that waits for nothing more. It stands before this.
            *claimed = *claimed + if counts_asked { 0 } else { came } - again;
            standing.put_back -= came - again;
        }
        all
    }

    /// What must be so of the returns of an order.
    pub(super) fn check_returns(&self, position: u32, record: &Record) -> Result<(), String> {
        let (heads, rows) = (self.returns.of(position), self.returns.rows(position));
        let fail = |what: &str| Err(format!("of the returns of {} {what}: {heads:?}, {rows:?}", record.order));
        if heads.len() > RETURNS_PER_ORDER_MAX || rows.len() > RETURN_ROWS_MAX {
            return fail("there are too many");
        }
        if !rows.is_sorted_by(|one, other| one.place() < other.place()) {
            return fail("the rows are in disorder");
        }
        let lines = usize::from(record.lines.len);
        for (of, head) in (0..).zip(heads) {
            let of_it = || rows.iter().filter(move |row| row.of == of);
            let asked = of_it().filter(|row| row.is_asked()).count();
            if asked == 0 || asked > RETURN_LINES_MAX || of_it().any(|row| usize::from(row.line) >= lines) {
                return fail("one is of no lines, or too many, or of one there is not");
            }
            let (mut is_whole, mut lies, mut came) = (true, false, false);
            for row in of_it().filter(|row| row.is_asked()) {
                let at_sites = || of_it().filter(|other| other.line == row.line && !other.is_asked());
                let received: u64 = at_sites().map(|row| u64::from(row.units)).sum();
                if received > u64::from(row.units) {
                    return fail("more came in than was asked");
                }
                is_whole &= received == u64::from(row.units);
                came |= received > 0;
            }
            for row in of_it().filter(|row| !row.is_asked()) {
                let asked = of_it().any(|other| other.is_asked() && other.line == row.line);
                if !asked || row.units == 0 || row.inspected() > u64::from(row.units) {
                    return fail("more became of a row than came in, or nothing was asked of it");
                }
                lies |= row.lying() > 0;
            }
            let fits = match head.stage {
                Stage::Received => came && (lies || !is_whole),
                Stage::Inspected => came && is_whole && !lies,
                Stage::Closed => came && !lies,
                Stage::Requested
                | Stage::Approved
                | Stage::LabelSent
                | Stage::InTransit
                | Stage::Declined
                | Stage::Cancelled
                | Stage::Expired
                | Stage::Lost => !came,
            };
            if !fits || head.declined.is_some() != (head.stage == Stage::Declined) {
                return fail("the stage says something else than its rows");
            }
            if head.stage.is_open() != self.returns.ends.contains(&(head.until, position, of)) {
                return fail("one is open and does not end by itself, or the other way");
            }
        }
        let is_sound = |standing: &Standing| standing.check();
        if self.standings(position, record).iter().all(is_sound) { Ok(()) } else { fail("a unit is claimed twice") }
    }

    /// What lies with returns is what their rows say, and all of it is there. Sums over all orders.
    pub(super) fn check_lying(&self) -> Result<(), String> {
        let (mut lying, mut len, mut open) = (BTreeMap::new(), 0, 0);
        for (position, record) in self.orders.records() {
            let (heads, rows) = (self.returns.of(position), self.returns.rows(position));
            len += (heads.len() + rows.len()) as u64;
            open += heads.iter().filter(|head| head.stage.is_open()).count();
            let lines = self.orders.lines(record);
            let Ok(market) = self.market(record.order.market()) else { continue };
            for row in rows.iter().filter(|row| row.lying() > 0) {
                let sku = lines[usize::from(row.line)].sku;
                let parts = market.kits.recipe(sku).map_or(vec![(sku, 1)], |recipe| {
                    recipe.iter().map(|part| (part.sku, u64::from(part.units))).collect()
                });
                for (sku, each) in parts {
                    let place = (record.order.market(), (sku, row.site));
                    *lying.entry(place).or_insert(0) += each * row.lying();
                }
            }
        }
        let known = self.open_markets().flat_map(|(id, _)| {
            let market = self.market(id).ok();
            market
                .into_iter()
                .flat_map(move |market| market.lying.iter().map(move |(place, units)| ((id, place), units)))
        });
        if !known.eq(lying.iter().map(|(place, units)| (*place, *units))) {
            return Err(format!("{lying:?} lie with returns, and something else is known"));
        }
        for ((id, (sku, site)), units) in &lying {
            let held = self.market(*id).map_or(0, |market| market.set_aside(*sku, *site));
            if held < *units {
                return Err(format!(
                    "{units} of SKU {sku} lie with returns at site {site}, {held} are set aside there"
                ));
            }
        }
        let is_counted = len == self.returns.len() && open == self.returns.ends.len();
        if is_counted { Ok(()) } else { Err(format!("{len} returns and rows, {open} open, are counted otherwise")) }
    }

    /// The returns of an order, for whoever looks at it.
    pub(super) fn return_views(&self, position: u32) -> Vec<ReturnView> {
        let view = |(of, head): (u8, &Return)| {
            let rows = || self.returns.rows_of(position, of);
            let asked = rows().filter(|row| row.is_asked());
            let pieces = rows().filter(|row| !row.is_asked());
            let piece =
                |row: &Row| ReturnPieceView { line: row.line, site: row.site, received: row.units, became: row.became };
            ReturnView {
                id: head.id,
                kind: head.kind,
                reason: head.reason,
                stage: head.stage,
                declined: head.declined,
                until: if head.stage.is_open() { head.until } else { Timestamp::ZERO },
                lines: asked.map(|row| ReturnLineView { line: row.line, asked: row.units }).collect(),
                pieces: pieces.map(piece).collect(),
            }
        };
        (0..).zip(self.returns.of(position)).map(view).collect()
    }
}
