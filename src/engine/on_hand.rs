//! What was on hand, and when: so much of the past as a count needs that is told "as of" an event.
//!
//! ```text
//! place (market, SKU, site):   floor │ before the change in entry 7 │ in entry 12 │ … │ ◄ what is on hand now
//!                              counted as of entry 9: what was there before the change in entry 12
//! ```
//!
//! Kept is what was there *before* each change, so a place that nothing happens to takes no memory, and what was there
//! after an entry is found at the first change behind it.
//!
//! # Always true
//! - Every change behind a floor is kept: behind that of its place, and behind that of the shard.
//! - One change a place and entry: a moment is the end of an entry.
//! - A count is the truth of its moment: what was kept of its place up to then is forgotten, and what is kept of later
//!   moments is corrected by what the count found. So an older count that comes later is recognised, and the same
//!   difference is never corrected twice.
//! # Not here
//! - What follows from a count: `decide::count`, `shortage`.
//! # Why so
//! Reserving, paying and cancelling move nothing in the building: they note nothing and pay nothing. What is noted is
//! noted by whoever brings goods in or out.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::base::limits::{MARKET_UNITS_MAX, ON_HAND_CHANGES_MAX, ON_HAND_PLACE_CHANGES_MAX};
use crate::base::{MarketId, Sequence, SiteId, SkuId};

/// A SKU at a site.
pub(super) type Place = (MarketId, SkuId, SiteId);

/// Units on hand before a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Change {
    /// The entry that changed it.
    pub(super) entry: Sequence,
    pub(super) before: u64,
}

/// What is kept of one place.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// Nothing before the end of this entry is known of it; zero for no other than the shard's floor.
    pub(super) floor: Sequence,
    /// Oldest first, all behind the floor.
    pub(super) changes: VecDeque<Change>,
}

/// What was on hand in one shard.
#[derive(Debug)]
pub(super) struct OnHand {
    places: BTreeMap<Place, Kept>,
    /// Every change and every floor of a place, oldest first: what is forgotten next.
    ages: BTreeSet<(Sequence, Place)>,
    floor: Sequence,
    /// Noted last, each where its numbers lead: most changes of an entry are of places that it changed before. No part
    /// of the state.
    noted: [(Sequence, Place); NOTED],
}

const NOTED: usize = 64;

impl Default for OnHand {
    fn default() -> Self {
        Self {
            places: BTreeMap::new(),
            ages: BTreeSet::new(),
            floor: Sequence(0),
            noted: [(Sequence(0), Place::default()); NOTED],
        }
    }
}

impl OnHand {
    /// So many units are on hand `before` something that happens in this entry changes that.
    #[inline]
    pub(super) fn note(&mut self, entry: Sequence, place: Place, before: impl FnOnce() -> u64) {
        let noted = &mut self.noted[(place.1.0 ^ u32::from(place.2.0) << 3) as usize % NOTED];
        if *noted != (entry, place) {
            *noted = (entry, place);
            self.note_first(entry, place, before());
        }
    }

    fn note_first(&mut self, entry: Sequence, place: Place, before: u64) {
        let last = |kept: &Kept| kept.changes.back().map_or(kept.floor, |last| last.entry);
        if entry <= self.places.get(&place).map_or(Sequence(0), last) {
            return;
        }
        let kept = self.places.entry(place).or_default();
        kept.changes.push_back(Change { entry, before });
        let (len, oldest) = (kept.changes.len(), kept.changes[0].entry);
        self.ages.insert((entry, place));
        if len > ON_HAND_PLACE_CHANGES_MAX {
            self.raise(place, oldest);
        }
        self.forget_what_is_too_much(ON_HAND_CHANGES_MAX);
    }

    /// Units on hand at a place after an entry, when there are `now` today.
    ///
    /// # Errors
    /// The oldest entry of which that is known.
    pub(super) fn after(&self, entry: Sequence, place: Place, now: u64) -> Result<u64, Sequence> {
        let kept = self.places.get(&place);
        let floor = kept.map_or(self.floor, |kept| kept.floor.max(self.floor));
        if entry < floor {
            return Err(floor);
        }
        let behind = |kept: &Kept| {
            let at = kept.changes.partition_point(|change| change.entry <= entry);
            kept.changes.get(at).map(|change| change.before)
        };
        Ok(kept.and_then(behind).unwrap_or(now))
    }

    /// Somebody counted a place as of the end of this entry, and found so many units more or less than were known.
    pub(super) fn counted(&mut self, entry: Sequence, place: Place, difference: i64) {
        if entry > Sequence(0) {
            self.places.entry(place).or_default();
        }
        self.raise(place, entry);
        for change in self.places.get_mut(&place).into_iter().flat_map(|kept| &mut kept.changes) {
            // Units that were counted as missing and left all the same were there.
            change.before = change.before.saturating_add_signed(difference);
        }
        self.forget_what_is_too_much(ON_HAND_CHANGES_MAX);
    }

    /// Forgets what was before the end of this entry at a place that is kept.
    fn raise(&mut self, place: Place, floor: Sequence) {
        let Some(kept) = self.places.get_mut(&place).filter(|kept| kept.floor < floor) else { return };
        self.ages.remove(&(kept.floor, place));
        while let Some(change) = kept.changes.pop_front_if(|change| change.entry <= floor) {
            self.ages.remove(&(change.entry, place));
        }
        kept.floor = floor;
        self.ages.insert((floor, place));
    }

    fn forget_what_is_too_much(&mut self, ages_max: usize) {
        while self.ages.len() > ages_max
            && let Some((oldest, place)) = self.ages.pop_first()
        {
            self.floor = self.floor.max(oldest);
            let Some(kept) = self.places.get_mut(&place) else { continue };
            if kept.floor == oldest {
                kept.floor = Sequence(0);
            } else {
                kept.changes.pop_front();
            }
            if kept.changes.is_empty() && kept.floor == Sequence(0) {
                self.places.remove(&place);
            }
        }
    }

    /// Nothing before the end of this entry is known of any place.
    pub(super) const fn floor(&self) -> Sequence {
        self.floor
    }

    /// Everything kept, by place.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Place, &Kept)> {
        self.places.iter().map(|(place, kept)| (*place, kept))
    }

    /// What was kept when an image was written, with the floor of the shard; `None` when that cannot be.
    pub(super) fn restore(&mut self, floor: Sequence, place: Place, kept: Kept) -> Option<()> {
        let entries = || kept.changes.iter().map(|change| change.entry);
        let is_sorted = kept.changes.iter().is_sorted_by(|one, other| one.entry < other.entry);
        let is_something = kept.floor > Sequence(0) || !kept.changes.is_empty();
        let is_behind = entries().next().is_none_or(|first| first > kept.floor);
        let is_bounded = kept.changes.iter().all(|change| change.before <= MARKET_UNITS_MAX);
        if !is_sorted || !is_bounded || !is_something || !is_behind || self.places.contains_key(&place) {
            return None;
        }
        let floors = Some(kept.floor).filter(|floor| *floor > Sequence(0));
        let ages: Vec<_> = floors.into_iter().chain(entries()).map(|entry| (entry, place)).collect();
        self.ages.extend(ages);
        self.floor = floor;
        self.places.insert(place, kept);
        (self.ages.len() <= ON_HAND_CHANGES_MAX).then_some(())
    }

    /// Looks whether what is forgotten next names everything that is kept, once.
    pub(super) fn check(&self) -> Result<(), String> {
        let of_place = |(place, kept): (&Place, &Kept)| {
            let floor = (kept.floor > Sequence(0)).then_some((kept.floor, *place));
            floor.into_iter().chain(kept.changes.iter().map(|change| (change.entry, *place))).collect::<Vec<_>>()
        };
        let ages: BTreeSet<_> = self.places.iter().flat_map(of_place).collect();
        if ages == self.ages { Ok(()) } else { Err("what was on hand is not forgotten by age".to_owned()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(sku: u32) -> Place {
        (MarketId::default(), SkuId(sku), SiteId(1))
    }

    fn noted(changes: &[(u64, u64)]) -> OnHand {
        let mut on_hand = OnHand::default();
        for (entry, before) in changes {
            on_hand.note(Sequence(*entry), place(1), || *before);
        }
        on_hand
    }

    #[test]
    fn what_was_there_after_an_entry_is_what_was_there_before_the_next_change() {
        let on_hand = noted(&[(3, 0), (7, 10), (7, 99), (12, 8)]);
        let after = |entry| on_hand.after(Sequence(entry), place(1), 5);
        assert_eq!([0, 2, 3, 6, 7, 11, 12, 90].map(after), [0, 0, 10, 10, 8, 8, 5, 5].map(Ok));
        assert_eq!(on_hand.after(Sequence(0), place(2), 4), Ok(4), "nothing ever happened there");
    }

    #[test]
    fn a_count_is_the_truth_of_its_moment_and_corrects_what_came_after() {
        let mut on_hand = noted(&[(3, 0), (7, 10), (12, 8)]);
        on_hand.counted(Sequence(8), place(1), -3);
        let after = |entry| on_hand.after(Sequence(entry), place(1), 2);
        assert_eq!([7, 8, 11, 12].map(after), [Err(Sequence(8)), Ok(5), Ok(5), Ok(2)]);
        assert_eq!(on_hand.check(), Ok(()));
        on_hand.counted(Sequence(8), place(1), -9);
        assert_eq!(on_hand.after(Sequence(8), place(1), 0), Ok(0), "never less than nothing");
    }

    #[test]
    fn a_place_forgets_its_oldest_and_a_shard_too() {
        let most = ON_HAND_PLACE_CHANGES_MAX as u64;
        let changes: Vec<_> = (1..=most + 2).map(|entry| (entry, entry)).collect();
        let mut on_hand = noted(&changes);
        assert_eq!(on_hand.after(Sequence(1), place(1), 0), Err(Sequence(2)));
        assert_eq!(on_hand.after(Sequence(2), place(1), 0), Ok(3));
        on_hand.note(Sequence(1), place(2), || 7);
        assert_eq!(on_hand.after(Sequence(0), place(2), 0), Ok(7), "a busy place leaves the others theirs");
        on_hand.forget_what_is_too_much(2);
        assert_eq!((on_hand.floor(), on_hand.places.len(), on_hand.ages.len()), (Sequence(most), 1, 2));
        assert_eq!(on_hand.after(Sequence(9), place(3), 0), Err(Sequence(most)), "of whatever place");
        assert_eq!(on_hand.check(), Ok(()));
    }

    #[test]
    fn what_was_kept_is_restored_as_it_was_and_nothing_that_cannot_be() {
        let mut on_hand = noted(&[(3, 0), (7, 10), (12, 8)]);
        on_hand.counted(Sequence(5), place(1), 0);
        let mut restored = OnHand::default();
        for (place, Kept { floor, changes }) in on_hand.iter() {
            let kept = Kept { floor: *floor, changes: changes.clone() };
            assert_eq!(restored.restore(Sequence(2), place, kept), Some(()));
        }
        assert_eq!(restored.after(Sequence(5), place(1), 1), Ok(10));
        assert_eq!((restored.check(), restored.floor()), (Ok(()), Sequence(2)));
        let change = |entry| Change { entry: Sequence(entry), before: 1 };
        for (floor, changes) in [(0, vec![]), (5, vec![change(5)]), (0, vec![change(4), change(4)])] {
            let kept = Kept { floor: Sequence(floor), changes: changes.into() };
            assert_eq!(restored.restore(Sequence(2), place(9), kept), None);
        }
        let again = Kept { floor: Sequence(1), changes: VecDeque::new() };
        assert_eq!(restored.restore(Sequence(2), place(1), again), None, "twice");
    }
}
