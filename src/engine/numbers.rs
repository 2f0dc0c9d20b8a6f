//! Order numbers of a market, where each order lies, and what the orders of a chunk are about. Numbers only go up;
//! orders leave in any order.
//!
//! ```text
//! left for good │ chunk │ chunk │ nothing lives │ chunk │ ► next number
//!               └ base
//! ```
//!
//! # Always true
//! - A number is given once. What it named may leave; the number then names nothing.
//! - A chunk in which no order lives any more takes no memory but its pointer, and none in front of the first living
//!   one.

use core::cell::OnceCell;
use std::collections::VecDeque;

use super::sieve::{Sieve, Subject};
use crate::base::OrderNumber;

/// Numbers of one chunk.
const CHUNK: usize = 4_096;
/// Chunks that an image may ask for: sixty billion numbers between the oldest order and the newest.
const RESTORED_CHUNKS: usize = 1 << 24;
/// In place of a position: no order.
const NONE: u32 = u32::MAX;

/// Positions of orders by number.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    chunks: VecDeque<Option<Box<Chunk>>>,
    /// Chunks in front of these, all of them left.
    base: u64,
    /// Numbers given so far.
    given: u64,
}

#[derive(Debug)]
struct Chunk {
    positions: [u32; CHUNK],
    living: usize,
    /// Once all its numbers are given and somebody has asked about it; none if that would take too long.
    sieve: OnceCell<Option<Box<Sieve>>>,
}

impl Default for Chunk {
    fn default() -> Self {
        Self { positions: [NONE; CHUNK], living: 0, sieve: OnceCell::new() }
    }
}

impl Numbers {
    /// What an image needs beside the orders: numbers given, and chunks of them that have left.
    pub(super) const fn given(&self) -> (u64, u64) {
        (self.given, self.base)
    }

    /// As many numbers given, and no order kept of them. Orders follow with [`Numbers::restore`], in any order. `None`
    /// when no memory holds what lies between the oldest order and the newest.
    pub(super) fn restored((given, base): (u64, u64)) -> Option<Self> {
        let chunks = given.div_ceil(CHUNK as u64).checked_sub(base)?;
        let chunks = usize::try_from(chunks).ok().filter(|chunks| *chunks <= RESTORED_CHUNKS)?;
        let mut chunks: VecDeque<_> = (0..chunks).map(|_| None).collect();
        // The chunk that numbers are still given from is there.
        if !given.is_multiple_of(CHUNK as u64) && chunks.pop_back().is_some() {
            chunks.push_back(Some(Box::default()));
        }
        Some(Self { chunks, base, given })
    }

    /// The order with this number lies here. Says no to a number that was not given, or that another order has.
    pub(super) fn restore(&mut self, number: OrderNumber, position: u32) -> bool {
        let Some((chunk, at)) = self.find(number).filter(|_| number.0 <= self.given) else { return false };
        let Some(chunk) = self.chunks.get_mut(chunk) else { return false };
        let chunk = chunk.get_or_insert_default();
        let is_free = chunk.positions[at] == NONE;
        chunk.positions[at] = position;
        chunk.living += 1;
        is_free
    }

    /// Gives the memory in front of the first living order back.
    pub(super) fn forget_front(&mut self) {
        while self.chunks.front().is_some_and(Option::is_none) {
            self.chunks.pop_front();
            self.base += 1;
        }
    }

    /// The number that the next order gets.
    pub(super) const fn next(&self) -> OrderNumber {
        OrderNumber(self.given + 1)
    }

    /// Gives the next number to the order at this position.
    pub(super) fn give(&mut self, position: u32) {
        let at = (self.given % CHUNK as u64) as usize;
        if at == 0 {
            self.chunks.push_back(Some(Box::default()));
        }
        let last = self.chunks.back_mut().and_then(Option::as_mut).expect("law: a chunk stays until it is full");
        last.positions[at] = position;
        last.living += 1;
        self.given += 1;
    }

    /// Where the order with this number lies.
    pub(super) fn get(&self, number: OrderNumber) -> Option<u32> {
        let (chunk, at) = self.find(number)?;
        let position = self.chunks.get(chunk)?.as_ref()?.positions[at];
        (position != NONE).then_some(position)
    }

    /// The first order with a number after this one, looking at no more than `looks` places; and the number up to which
    /// that was looked. `None` when no number after it has been given.
    pub(super) fn after(&self, number: OrderNumber, looks: &mut usize) -> Option<(OrderNumber, Option<u32>)> {
        let mut number = number.0.max(self.base * CHUNK as u64);
        while *looks > 0 && number < self.given {
            *looks -= 1;
            let (chunk, at) = self.find(OrderNumber(number + 1))?;
            match &self.chunks[chunk] {
                None => number = (number / CHUNK as u64 + 1) * CHUNK as u64,
                Some(chunk) if chunk.positions[at] == NONE => number += 1,
                Some(chunk) => return Some((OrderNumber(number + 1), Some(chunk.positions[at]))),
            }
        }
        (number < self.given).then_some((OrderNumber(number), None))
    }

    /// The first order with a number after this one that may be about something, looking at no more than `looks`
    /// places, or a chunk's more when nobody has asked about it before; and the number up to which that was looked.
    /// `None` when no number after it has been given. `subjects` tells what the order at a position is about.
    pub(super) fn after_about<S: Iterator<Item = Subject>>(
        &self,
        number: OrderNumber,
        about: Subject,
        looks: &mut usize,
        subjects: impl Fn(u32) -> S,
    ) -> Option<(OrderNumber, Option<u32>)> {
        let mut number = number.0.max(self.base * CHUNK as u64);
        while *looks > 0 && number < self.given {
            *looks -= 1;
            let (chunk, at) = self.find(OrderNumber(number + 1))?;
            match self.chunk_about(chunk, about, looks, &subjects) {
                None => number = (number / CHUNK as u64 + 1) * CHUNK as u64,
                Some(chunk) => {
                    number += 1;
                    if chunk.positions[at] != NONE {
                        return Some((OrderNumber(number), Some(chunk.positions[at])));
                    }
                }
            }
        }
        (number < self.given).then_some((OrderNumber(number), None))
    }

    /// The same the other way: the last order with a number before this one. `None` when there is none before it.
    pub(super) fn before_about<S: Iterator<Item = Subject>>(
        &self,
        number: OrderNumber,
        about: Subject,
        looks: &mut usize,
        subjects: impl Fn(u32) -> S,
    ) -> Option<(OrderNumber, Option<u32>)> {
        let first = self.base * CHUNK as u64 + 1;
        let mut number = number.0.min(self.given + 1);
        while *looks > 0 && number > first {
            *looks -= 1;
            let (chunk, at) = self.find(OrderNumber(number - 1))?;
            match self.chunk_about(chunk, about, looks, &subjects) {
                None => number -= at as u64 + 1,
                Some(chunk) => {
                    number -= 1;
                    if chunk.positions[at] != NONE {
                        return Some((OrderNumber(number), Some(chunk.positions[at])));
                    }
                }
            }
        }
        (number > first).then_some((OrderNumber(number), None))
    }

    /// A chunk, if an order of it may be about something.
    fn chunk_about<S: Iterator<Item = Subject>>(
        &self,
        index: usize,
        about: Subject,
        looks: &mut usize,
        subjects: &impl Fn(u32) -> S,
    ) -> Option<&Chunk> {
        let chunk = self.chunks[index].as_deref()?;
        let is_full = (self.base + index as u64 + 1) * CHUNK as u64 <= self.given;
        if !is_full {
            return Some(chunk);
        }
        let sieve = chunk.sieve.get_or_init(|| {
            *looks = looks.saturating_sub(CHUNK);
            let living = chunk.positions.iter().filter(|position| **position != NONE);
            Sieve::of(living.flat_map(|position| subjects(*position)))
        });
        sieve.as_ref().is_none_or(|sieve| sieve.may_hold(about)).then_some(chunk)
    }

    /// The order with this number leaves.
    pub(super) fn leave(&mut self, number: OrderNumber) {
        let (chunk, at) = self.find(number).expect("law: who leaves has a number");
        let place = self.chunks.get_mut(chunk).expect("law: a living order's chunk is there");
        let held = place.as_mut().expect("law: a living order's chunk is there");
        held.positions[at] = NONE;
        held.living -= 1;
        // The chunk that numbers are still given from stays.
        let is_full = (self.base + chunk as u64 + 1) * CHUNK as u64 <= self.given;
        if held.living == 0 && is_full {
            *place = None;
        }
        self.forget_front();
    }

    /// Which chunk of those kept, and where in it.
    fn find(&self, number: OrderNumber) -> Option<(usize, usize)> {
        let index = number.0.checked_sub(1)?;
        let chunk = (index / CHUNK as u64).checked_sub(self.base)?;
        Some((usize::try_from(chunk).ok()?, (index % CHUNK as u64) as usize))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::SkuId;

    #[test]
    fn numbers_name_their_order_until_it_leaves() {
        let mut numbers = Numbers::default();
        (0..10_000).for_each(|position| numbers.give(position));
        assert_eq!(numbers.next(), OrderNumber(10_001));
        assert_eq!(numbers.get(OrderNumber(0)), None);
        assert_eq!(numbers.get(OrderNumber(10_001)), None);
        numbers.leave(OrderNumber(77));
        assert_eq!(numbers.get(OrderNumber(77)), None);
        assert_eq!(numbers.get(OrderNumber(78)), Some(77));
    }

    #[test]
    fn what_left_takes_no_memory_and_an_old_order_keeps_only_its_chunk() {
        let mut numbers = Numbers::default();
        (0..40 * CHUNK as u32).for_each(|position| numbers.give(position));
        let kept = OrderNumber(3 * CHUNK as u64 + 5);
        (1..=39 * CHUNK as u64).map(OrderNumber).filter(|n| *n != kept).for_each(|number| numbers.leave(number));
        assert_eq!(numbers.chunks.iter().flatten().count(), 2, "the old order's chunk and the last one");
        assert_eq!(numbers.base, 3);
        assert_eq!(numbers.get(kept), Some(3 * CHUNK as u32 + 4));
        numbers.leave(kept);
        assert_eq!(numbers.chunks.len(), 1);
        assert_eq!(numbers.next(), OrderNumber(40 * CHUNK as u64 + 1));
    }

    #[test]
    fn a_walk_for_something_finds_it_in_both_directions_and_passes_over_the_rest() {
        let mut numbers = Numbers::default();
        (0..20 * CHUNK as u32 + 9).for_each(|position| numbers.give(position));
        let wanted = |position: u32| position == 5 || position.is_multiple_of(30_000);
        let (about, other) = (Subject::sku(SkuId(7)), Subject::sku(SkuId(8)));
        let subjects = |position| std::iter::once(if wanted(position) { about } else { other });
        let walk = |up: bool| {
            let (mut found, mut at, mut pages) = (Vec::new(), OrderNumber(if up { 0 } else { u64::MAX }), 0);
            loop {
                let mut looks = 1_000;
                let next = match up {
                    true => numbers.after_about(at, about, &mut looks, subjects),
                    false => numbers.before_about(at, about, &mut looks, subjects),
                };
                let Some((reached, position)) = next else { return (found, pages) };
                assert!(reached != at && (reached > at) == up, "a walk that does not move would never end");
                found.extend(position.filter(|position| wanted(*position)));
                (at, pages) = (reached, pages + usize::from(looks == 0));
            }
        };
        let (found, pages) = walk(true);
        assert_eq!(found, [0, 5, 30_000, 60_000]);
        assert!(pages >= 20, "{pages}: whoever asks first makes each sieve, one a page");
        let (found, pages) = walk(false);
        assert_eq!(found, [60_000, 30_000, 5, 0]);
        assert!(pages <= 3, "{pages}: three chunks are looked through, the others passed over");
    }

    #[test]
    fn a_walk_finds_every_order_in_bounded_steps() {
        let mut numbers = Numbers::default();
        (0..20 * CHUNK as u32).for_each(|position| numbers.give(position));
        let stays = |number: u64| number == 5 || number.is_multiple_of(7_000);
        (1..=20 * CHUNK as u64).filter(|n| !stays(*n)).for_each(|number| numbers.leave(OrderNumber(number)));
        let (mut found, mut at) = (Vec::new(), OrderNumber(0));
        loop {
            let mut looks = 100;
            let Some((upto, position)) = numbers.after(at, &mut looks) else { break };
            found.extend(position.map(|_| upto.0));
            assert!(upto > at, "a walk that does not move would never end");
            at = upto;
        }
        assert_eq!(found, (1..=20 * CHUNK as u64).filter(|n| stays(*n)).collect::<Vec<_>>());
        assert_eq!(numbers.after(OrderNumber(u64::MAX), &mut 5), None);
    }
}
