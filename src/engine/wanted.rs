//! The wanted list: effects on money and goods that the state asks the world for, and what the world was told of them.
//!
//! ```text
//!            wanted: 1, 2, 3, …  an attempt more each time that what is wanted changes
//! effect ──┤                                                  open while told < wanted
//!            told:   1, 2, …     the last attempt that was reported done
//!
//! payment    while an attempt of the order's account has a step to be done: charge, capture, give back, close; and
//!            once more when none has any, and nobody told that the last ones were done: look
//! release    whenever the units to be handed over are not those that the warehouse was told
//!            (of what is held, or paid for no longer: those that have left)
//! check      once, when the order is placed, until somebody says that it is to be trusted or not; it is held till then
//! ```
//!
//! # Always true
//! - What is wanted follows from the order's state; the list only says in which order to look. After a crash nothing
//!   wanted is forgotten, and nothing reported done is wanted again.
//! - An attempt is an instruction that replaces all before it: whoever carries one out need not know the others.
//! - An effect is on one list at most: wanted, or set aside because it was tried in vain.
//! # Not here
//! - Who carries effects out: `adapters`. Which change of an order wants what: `fold::wanted`.
//! # Why so
//! A list entry is a position and nothing else; whether it still holds is looked up in the order's mark. So taking an
//! order off the list costs nothing, and memory is given back a piece at a time.

mod list;

use list::List;

use super::Engine;
use super::effect::{Action, AsideReason, EFFECTS, Effect, Effects};
use super::order::{LineUnits, to_hand_over};
use super::orders::{LineRecord, Record};
use super::pool::Table;
use super::query::{CheckState, WantPage, WantRow};
use super::refusal::Refusal;
use super::steps::{steps, to_price};
use crate::base::limits::PAGE_SCAN_MAX;
use crate::base::{MarketId, Price, Timestamp};

/// What is known of one effect of one order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Want {
    /// The last attempt that was wanted; 0 for none yet.
    pub(super) wanted: u32,
    /// The last attempt that was reported done.
    pub(super) told: u32,
    pub(super) aside: Option<AsideReason>,
    /// Something that was wanted is so no longer, and nobody told whether it was done: whoever carries out the newest
    /// attempt looks.
    pub(super) is_untold: bool,
    /// Since when it is wanted, or set aside; zero while it is not open.
    pub(super) since: Timestamp,
    /// The low half of its place on a list; 0 for none.
    listed: u32,
}

impl Want {
    const NONE: Self = Self { wanted: 0, told: 0, aside: None, is_untold: false, since: Timestamp::ZERO, listed: 0 };

    pub(super) const fn is_open(&self) -> bool {
        self.told < self.wanted
    }

    /// Whether nothing is left of what was open.
    const fn is_over(&self) -> bool {
        self.aside.is_none() && !self.is_untold && self.listed == 0 && self.since.ms() == 0
    }

    /// Takes its place from the list it is on.
    fn leave(&mut self, lists: &mut [List; 2]) {
        if self.listed != 0 {
            lists[usize::from(self.aside.is_some())].remove(self.listed);
            self.listed = 0;
        }
    }

    pub(super) const fn restored(
        (wanted, told): (u32, u32),
        aside: Option<AsideReason>,
        is_untold: bool,
        since: Timestamp,
    ) -> Self {
        Self { wanted, told, aside, is_untold, since, listed: 0 }
    }
}

/// What is known of the effects of one order; `None` for those that are not handed off.
pub(super) type Mark = [Option<Want>; EFFECTS];

/// The marks of all orders that are handed off, and the lists of those of which something is wanted.
#[derive(Debug, Default)]
pub(super) struct Wants {
    marks: Table<Mark>,
    /// By effect; first the wanted ones, then those set aside.
    lists: [[List; 2]; EFFECTS],
    /// Orders with a mark.
    kept: u64,
}

impl Wants {
    pub(super) const fn is_empty(&self) -> bool {
        self.kept == 0
    }

    pub(super) fn mark(&self, position: u32) -> Mark {
        self.marks.get(position as usize).copied().unwrap_or_default()
    }

    pub(super) fn is_handed_off(&self, position: u32, effect: Effect) -> bool {
        self.marks.get(position as usize).is_some_and(|mark| mark[effect.index()].is_some())
    }

    pub(super) fn get(&self, position: u32, effect: Effect) -> Option<Want> {
        self.mark(position)[effect.index()]
    }

    /// Whether anything is wanted of this order.
    pub(super) fn is_open(&self, position: u32) -> bool {
        !self.is_empty() && self.mark(position).iter().flatten().any(Want::is_open)
    }

    /// Effects that are wanted, and those set aside.
    pub(super) fn counts(&self, effect: Effect) -> [u64; 2] {
        let [wanted, aside] = &self.lists[effect.index()];
        [wanted.live, aside.live]
    }

    /// Enters an order of which these effects are wanted first, as far as they are handed off. Whoever had its position
    /// before left no mark.
    pub(super) fn hand_off(&mut self, position: u32, effects: Effects, first: [Option<Effect>; 2], at: Timestamp) {
        let mark = self.marks.get_or_grow(position as usize);
        if effects.payment {
            mark[Effect::Payment.index()] = Some(Want::NONE);
        }
        if effects.release {
            mark[Effect::Release.index()] = Some(Want::NONE);
        }
        if effects.check {
            mark[Effect::Check.index()] = Some(Want::NONE);
        }
        for first in first.into_iter().flatten() {
            if let Some(want) = &mut mark[first.index()] {
                let listed = self.lists[first.index()][0].push(position) as u32;
                (want.wanted, want.since, want.listed) = (1, at, listed);
            }
        }
        self.kept += 1;
    }

    /// A mark as it was; [`Wants::list_restored`] follows.
    pub(super) fn restore(&mut self, position: u32, mark: Mark) {
        *self.marks.get_or_grow(position as usize) = mark;
        self.kept += 1;
    }

    pub(super) fn list_restored(&mut self, order: &[u32]) {
        for position in order {
            for effect in Effect::ALL {
                if let Some((want, lists)) = self.slot(*position, effect).filter(|(want, _)| want.is_open()) {
                    want.listed = lists[usize::from(want.aside.is_some())].push(*position) as u32;
                }
            }
        }
    }

    /// Wants something else than before, if this order's effect is handed off; tells the attempt.
    pub(super) fn want(&mut self, position: u32, effect: Effect, at: Timestamp) -> Option<u32> {
        let (want, lists) = self.slot(position, effect)?;
        want.leave(lists);
        // Nothing lives to see the last of them.
        want.wanted = want.wanted.saturating_add(1);
        (want.aside, want.since) = (None, at);
        want.listed = lists[0].push(position) as u32;
        Some(want.wanted)
    }

    /// Nobody told what became of something that is not wanted any more.
    pub(super) fn note_untold(&mut self, position: u32, effect: Effect) {
        if let Some((want, _)) = self.slot(position, effect) {
            want.is_untold = true;
        }
    }

    /// Up to this attempt nothing more is to be done.
    pub(super) fn tell(&mut self, position: u32, effect: Effect, attempt: u32) {
        if let Some((want, lists)) = self.slot(position, effect) {
            assert!(attempt <= want.wanted, "law: only what was wanted is reported");
            want.told = want.told.max(attempt);
            if !want.is_open() {
                want.leave(lists);
                (want.aside, want.is_untold, want.since) = (None, false, Timestamp::ZERO);
            }
        }
    }

    /// Nothing more is to be done for what was wanted last; says whether anything was.
    pub(super) fn settle(&mut self, position: u32, effect: Effect) -> bool {
        let Some((want, lists)) = self.slot(position, effect).filter(|(want, _)| want.is_open()) else { return false };
        want.leave(lists);
        (want.told, want.aside, want.is_untold, want.since) = (want.wanted, None, false, Timestamp::ZERO);
        true
    }

    /// Moves an effect to the list of those set aside, or back.
    pub(super) fn set_aside(&mut self, position: u32, effect: Effect, aside: Option<AsideReason>, at: Timestamp) {
        if let Some((want, lists)) = self.slot(position, effect).filter(|(want, _)| want.is_open()) {
            want.leave(lists);
            (want.aside, want.since) = (aside, at);
            want.listed = lists[usize::from(aside.is_some())].push(position) as u32;
        }
    }

    /// Forgets an order of which nothing is wanted.
    pub(super) fn forget(&mut self, position: u32) {
        if let Some(mark) = self.marks.get_mut(position as usize).filter(|mark| mark.iter().any(Option::is_some)) {
            *mark = Mark::default();
            self.kept -= 1;
        }
    }

    /// What is known of an effect that is handed off, and its two lists.
    fn slot(&mut self, position: u32, effect: Effect) -> Option<(&mut Want, &mut [List; 2])> {
        let want = self.marks.get_mut(position as usize)?[effect.index()].as_mut()?;
        Some((want, &mut self.lists[effect.index()]))
    }

    /// What lies behind `after` on a list: place and position of each. Looks at a bounded number of places; where it
    /// stopped looking is told last.
    fn behind(&self, effect: Effect, is_aside: bool, after: u64) -> impl Iterator<Item = (u64, Option<u32>)> {
        let list = &self.lists[effect.index()][usize::from(is_aside)];
        list.behind(after).map(move |(place, position)| {
            let want = position.and_then(|position| self.get(position, effect));
            let holds = want.is_some_and(|want| want.listed == place as u32 && want.aside.is_some() == is_aside);
            (place, position.filter(|_| holds))
        })
    }

    /// Looks whether lists and marks say the same of one order.
    pub(super) fn check(&self, position: u32) -> Result<(), String> {
        for effect in Effect::ALL {
            let Some(want) = self.get(position, effect) else { continue };
            let list = &self.lists[effect.index()][usize::from(want.aside.is_some())];
            let is_listed = want.listed != 0 && list.at(list.place(want.listed)) == Some(position);
            let holds = want.told <= want.wanted && want.is_open() == is_listed && (want.is_open() || want.is_over());
            if !holds {
                return Err(format!("{} is {want:?}, listed {is_listed}", effect.name()));
            }
        }
        Ok(())
    }

    /// How far the check of an order has come.
    pub(super) fn check_state(&self, position: u32) -> CheckState {
        match self.get(position, Effect::Check) {
            None => CheckState::NotNeeded,
            Some(want) if !want.is_open() => CheckState::Over,
            Some(want) if want.aside.is_some() => CheckState::InReview,
            Some(_) => CheckState::Pending,
        }
    }

    /// Orders with a mark.
    pub(super) const fn kept(&self) -> u64 {
        self.kept
    }
}

impl Engine {
    /// Effects that are wanted of a market's orders, or of all of the shard, in the order they came to be wanted; or
    /// those that were set aside. Looks at a bounded number of them, so a page may be short and still go on.
    ///
    /// # Errors
    /// Unknown market; more rows asked than a page has.
    pub fn wanted(
        &self,
        market: Option<MarketId>,
        (effect, is_aside): (Effect, bool),
        after: u64,
        rows_max: u16,
    ) -> Result<WantPage, Refusal> {
        super::read::check_page(rows_max)?;
        market.map_or(Ok(()), |market| self.market(market).map(|_| ()))?;
        let mut page = WantPage { rows: Vec::new(), next: None };
        let mut last = after;
        for (looks, (place, position)) in self.wants.behind(effect, is_aside, after).enumerate() {
            if looks == PAGE_SCAN_MAX || page.rows.len() == usize::from(rows_max) {
                page.next = Some(last);
                break;
            }
            last = place;
            let Some(position) = position else { continue };
            let record = self.orders.record(position);
            if market.is_none_or(|market| market == record.order.market()) {
                page.rows.extend(self.want_row(position, record, effect, place));
            }
        }
        Ok(page)
    }

    fn want_row(&self, position: u32, record: &Record, effect: Effect, place: u64) -> Option<WantRow> {
        let want = self.wants.get(position, effect)?;
        let (action, amount) = self.action(position, effect);
        Some(WantRow {
            place,
            order: record.order,
            number: record.number,
            action,
            attempt: want.wanted,
            since: want.since,
            aside: want.aside,
            state: record.state,
            amount,
            currency: record.currency,
            payment: record.payment,
        })
    }

    /// What is wanted of an effect in one word, and what it is about in minor units. Of a payment the first of: charge,
    /// give back, capture, close, look; of a release what the units of the instruction cost, in all; of a check what
    /// the order costs.
    pub(super) fn action(&self, position: u32, effect: Effect) -> (Action, Price) {
        let record = self.orders.record(position);
        match effect {
            Effect::Payment => self.payment_action(position, record),
            Effect::Check => (Action::Check, self.due(position, record).cost),
            Effect::Release => {
                let is_stopped = self.is_stopped(position, record);
                let cost = |(line, units): (&LineRecord, LineUnits)| {
                    line.price * u64::from(to_hand_over(units.committed, units.shipped, is_stopped))
                };
                let lines = self.orders.lines(record).iter().zip(self.orders.line_units(record));
                (Action::Release, lines.map(cost).sum())
            }
        }
    }

    fn payment_action(&self, position: u32, record: &Record) -> (Action, Price) {
        self.with_attempts(position, record, |attempts| {
            let steps = steps(attempts, self.due(position, record));
            let action = steps.action();
            let same = attempts.iter().zip(steps.iter()).filter(|(_, step)| Action::of_step(*step) == Some(action));
            let amount = same.map(|(attempt, step)| u128::from(attempt.amount_of(step))).sum();
            (action, to_price(amount))
        })
    }

    /// Effects of this kind that are wanted of all orders of the shard, and those set aside.
    #[must_use]
    pub fn want_counts(&self, effect: Effect) -> [u64; 2] {
        self.wants.counts(effect)
    }

    /// Which effects of orders placed from now on go on the wanted list.
    ///
    /// # Errors
    /// Unknown market.
    pub fn effects(&self, market: MarketId) -> Result<Effects, Refusal> {
        self.market(market).map(|market| market.effects)
    }
}
