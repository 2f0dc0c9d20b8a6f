//! A list of positions in the order in which they came, each found by its place.
//!
//! # Always true
//! - A place is given once, and its low half is never zero: a mark keeps it, and zero there says that it has none.
//! - Pieces in which nothing lives are given back, so a list takes memory for what lives and for little more.
//! # Not here
//! - Whether what lies at a place still holds: the marks of orders say that (`wanted`).

use std::collections::VecDeque;

/// Places of one piece of a list.
const PIECE: u64 = 4_096;

/// Positions in the order they came; each is found by its place, and pieces without a living one are given back.
#[derive(Debug, Default)]
pub(super) struct List {
    /// Full ones.
    pieces: VecDeque<Piece>,
    /// The number of the first of them.
    first: u64,
    /// The one that is being filled.
    tail: Piece,
    /// The place that is given next.
    end: u64,
    pub(super) live: u64,
}

#[derive(Debug, Default)]
struct Piece {
    /// Empty once it is full and no place of it lives any more.
    positions: Vec<u32>,
    live: u32,
}

/// What lies at a place whose low half would be zero.
const NOBODY: u32 = u32::MAX;

impl List {
    #[inline]
    pub(super) fn push(&mut self, position: u32) -> u64 {
        if self.end.is_multiple_of(PIECE) {
            self.begin_piece();
        }
        self.tail.positions.push(position);
        self.tail.live += 1;
        self.live += 1;
        self.end += 1;
        self.end - 1
    }

    #[cold]
    fn begin_piece(&mut self) {
        let next = Piece { positions: Vec::with_capacity(PIECE as usize), live: 0 };
        let mut full = std::mem::replace(&mut self.tail, next);
        if self.end > 0 {
            if full.live == 0 {
                full.positions = Vec::new();
            }
            self.pieces.push_back(full);
            self.give_back();
        }
        if self.end as u32 == 0 {
            self.tail.positions.push(NOBODY);
            self.end += 1;
        }
    }

    /// Forgets pieces at the front in which nothing lives.
    fn give_back(&mut self) {
        while self.pieces.front().is_some_and(|piece| piece.live == 0) {
            self.pieces.pop_front();
            self.first += 1;
        }
    }

    /// The whole place of which this is the low half.
    pub(super) fn place(&self, listed: u32) -> u64 {
        let begin = self.first * PIECE;
        begin + u64::from(listed.wrapping_sub(begin as u32))
    }

    pub(super) fn at(&self, place: u64) -> Option<u32> {
        let number = usize::try_from((place / PIECE).checked_sub(self.first)?).ok()?;
        let piece = if number == self.pieces.len() { &self.tail } else { self.pieces.get(number)? };
        piece.positions.get((place % PIECE) as usize).copied()
    }

    pub(super) fn remove(&mut self, listed: u32) {
        self.live -= 1;
        let number = (self.place(listed) / PIECE - self.first) as usize;
        let Some(piece) = self.pieces.get_mut(number) else {
            self.tail.live -= 1;
            return;
        };
        piece.live -= 1;
        if piece.live == 0 {
            piece.positions = Vec::new();
            self.give_back();
        }
    }

    /// Places behind `after` with what lies there. Pieces that were given back are one place each.
    pub(super) fn behind(&self, after: u64) -> impl Iterator<Item = (u64, Option<u32>)> {
        let mut place = after.saturating_add(1).max(self.first * PIECE);
        core::iter::from_fn(move || {
            if place >= self.end {
                return None;
            }
            let position = self.at(place);
            let found = if position.is_some() { place } else { place - place % PIECE + PIECE - 1 };
            place = found + 1;
            Some((found, position.filter(|position| *position != NOBODY)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_gives_its_memory_back_and_its_places_stay() {
        let mut list = List::default();
        let places: Vec<u64> = (0..3 * PIECE as u32).map(|position| list.push(position)).collect();
        assert_eq!((places[0], list.pieces.len()), (1, 3), "place 0 is nobody's");
        for place in &places[..2 * PIECE as usize] {
            list.remove(*place as u32);
        }
        assert_eq!((list.first, list.pieces.len(), list.live), (2, 1, PIECE));
        let rest: Vec<_> = list.behind(0).filter_map(|(place, position)| position.map(|it| (place, it))).collect();
        assert_eq!(rest.len(), PIECE as usize + 1, "the stale place of a piece that is kept is for its mark to tell");
        let last = *places.last().expect("many");
        assert_eq!(list.at(list.place(last as u32)), Some(3 * PIECE as u32 - 1));
    }

    #[test]
    fn low_halves_of_places_are_never_zero_and_find_their_way_back() {
        let tail = Piece { positions: vec![NOBODY; PIECE as usize - 2], live: 0 };
        let mut list = List { first: (1 << 32) / PIECE - 1, end: (1 << 32) - 2, tail, ..List::default() };
        let places: Vec<u64> = (0..4).map(|position| list.push(position)).collect();
        assert_eq!(places, [(1 << 32) - 2, (1 << 32) - 1, (1 << 32) + 1, (1 << 32) + 2]);
        for (position, place) in (0..).zip(places) {
            assert_eq!(list.at(list.place(place as u32)), Some(position));
        }
    }
}
