//! Memory in chunks: arrays that grow without ever moving what they hold, and take back what is given back.
//!
//! ```text
//! Pool   one element after the other, by position      orders
//! Runs   a few neighbours at a time, by first position  lines and draws of an order
//! Table  by number, holes allowed                       balances of SKUs
//! ```
//!
//! # Always true
//! - A position that was given back is used again before anything grows, and the order in which positions are used
//!   again follows from the order of calls alone.
//! - A chunk of runs in which nothing lives any more is used again for runs of any length.
//! # Why so
//! A `Vec` of ten million orders doubles by copying all of them and then holds twice what it needs. These grow by one
//! chunk at a time: no command pays for a copy, and memory is what is used.

use super::huge_pages::{array_with_capacity, touched_array};

/// Elements of one chunk of a [`Pool`] that there is one of: large enough for huge pages.
pub(super) const LARGE: usize = 65_536;
/// Elements of one chunk of a [`Pool`] that few orders need.
pub(super) const SMALL: usize = 4_096;
/// Elements of one chunk of [`Runs`].
const RUNS_CHUNK: usize = 262_144;
/// Longer runs have memory of their own, from the allocator: they are few, and of every length.
const SHORT_RUN: usize = 16;
/// Free runs of an earlier life that one allocation looks past.
const STALE_RUNS: usize = 8;
/// Elements of one chunk of a [`Table`] that there is one of.
const TABLE_CHUNK: usize = 1_024;
/// Elements of one piece of a [`Stack`].
const STACK_PIECE: usize = 4_096;

/// Last in, first out; grows and shrinks by pieces.
#[derive(Debug)]
struct Stack<T> {
    full: Vec<Vec<T>>,
    open: Vec<T>,
}

impl<T> Default for Stack<T> {
    fn default() -> Self {
        Self { full: Vec::new(), open: Vec::new() }
    }
}

impl<T> Stack<T> {
    fn push(&mut self, element: T) {
        if self.open.len() == STACK_PIECE {
            self.full.push(core::mem::replace(&mut self.open, Vec::with_capacity(STACK_PIECE)));
        }
        self.open.push(element);
    }

    fn pop(&mut self) -> Option<T> {
        if self.open.is_empty() {
            self.open = self.full.pop()?;
        }
        self.open.pop()
    }

    const fn len(&self) -> usize {
        self.full.len() * STACK_PIECE + self.open.len()
    }
}

/// A growing array; elements are found by the position they were put at.
#[derive(Debug)]
pub(super) struct Pool<T, const CHUNK: usize> {
    chunks: Vec<Vec<T>>,
    /// Chunks that are ready to be used.
    spare: Vec<Vec<T>>,
    /// Positions up to which there are elements, given back or not.
    end: usize,
    free: Stack<u32>,
}

impl<T, const CHUNK: usize> Default for Pool<T, CHUNK> {
    fn default() -> Self {
        Self { chunks: Vec::new(), spare: Vec::new(), end: 0, free: Stack::default() }
    }
}

impl<T, const CHUNK: usize> Pool<T, CHUNK> {
    /// How many elements there are; those given back do not count.
    pub(super) const fn len(&self) -> usize {
        self.end - self.free.len()
    }

    /// Elements for which memory is used.
    pub(super) const fn end(&self) -> usize {
        self.end
    }

    /// Takes the memory for so many more elements now.
    pub(super) fn reserve(&mut self, elements: usize) {
        self.spare.resize_with(elements.div_ceil(CHUNK), || touched_array(CHUNK));
    }

    /// Puts an element where one was given back, or at the end; gives its position.
    pub(super) fn put(&mut self, element: T) -> u32 {
        if let Some(position) = self.free.pop() {
            self[position as usize] = element;
            return position;
        }
        if self.end.is_multiple_of(CHUNK) {
            self.chunks.push(self.spare.pop().unwrap_or_else(|| array_with_capacity(CHUNK)));
        }
        self.chunks[self.end / CHUNK].push(element);
        self.end += 1;
        u32::try_from(self.end - 1).expect("law: capacity bounds positions to 32 bits")
    }

    /// The element at a position, if there is one.
    pub(super) fn get(&self, position: usize) -> Option<&T> {
        self.chunks.get(position / CHUNK)?.get(position % CHUNK)
    }

    /// Gives a position back; `vacant` stays there until it is used again.
    pub(super) fn give_back(&mut self, position: u32, vacant: T) {
        self[position as usize] = vacant;
        self.free.push(position);
    }

    /// Every element by position, what stays at positions given back included.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.chunks.iter().flatten()
    }
}

impl<T, const CHUNK: usize> core::ops::Index<usize> for Pool<T, CHUNK> {
    type Output = T;

    fn index(&self, position: usize) -> &T {
        &self.chunks[position / CHUNK][position % CHUNK]
    }
}

impl<T, const CHUNK: usize> core::ops::IndexMut<usize> for Pool<T, CHUNK> {
    fn index_mut(&mut self, position: usize) -> &mut T {
        &mut self.chunks[position / CHUNK][position % CHUNK]
    }
}

/// Where a run lies. Without a gap at its end: every order has two of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(C, packed(2))]
pub(super) struct Run {
    start: u32,
    /// How many elements.
    pub(super) len: u16,
}

impl Run {
    /// No element.
    pub(super) const EMPTY: Self = Self { start: 0, len: 0 };
}

/// A growing array of short runs of neighbours.
#[derive(Debug)]
pub(super) struct Runs<T> {
    chunks: Vec<Chunk<T>>,
    /// The chunk that new runs are appended to.
    open: usize,
    /// Chunks without a living run.
    empty: Vec<usize>,
    /// Memory that is ready to be used.
    spare: Vec<Vec<T>>,
    /// Short runs that were given back, by length: first position, and the life of the chunk it belongs to.
    free: [Stack<(u32, u32)>; SHORT_RUN + 1],
    long: Pool<Box<[T]>, SMALL>,
}

/// A chunk of short runs.
#[derive(Debug)]
struct Chunk<T> {
    elements: Vec<T>,
    /// Elements of runs that were not given back.
    living: usize,
    /// How often it was emptied. Free runs of an earlier life are none.
    life: u32,
}

impl<T> Default for Runs<T> {
    fn default() -> Self {
        Self {
            chunks: Vec::new(),
            open: 0,
            empty: Vec::new(),
            spare: Vec::new(),
            free: Default::default(),
            long: Pool::default(),
        }
    }
}

impl<T: Copy> Runs<T> {
    /// Takes the memory for so many more elements now.
    pub(super) fn reserve(&mut self, elements: usize) {
        self.spare.resize_with(elements.div_ceil(RUNS_CHUNK), || touched_array(RUNS_CHUNK));
    }

    /// Elements for which memory is used, long runs excepted.
    pub(super) fn end(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.elements.len()).sum()
    }

    /// Adds a run: where one of its length was given back, else behind the last one.
    pub(super) fn put(&mut self, elements: impl ExactSizeIterator<Item = T>) -> Run {
        let len = u16::try_from(elements.len()).expect("law: limits bound a run");
        if usize::from(len) > SHORT_RUN {
            return Run { start: self.long.put(elements.collect()), len };
        }
        if let Some(start) = self.take_free(len) {
            let at = start as usize;
            let chunk = &mut self.chunks[at / RUNS_CHUNK];
            chunk.living += usize::from(len);
            chunk.elements[at % RUNS_CHUNK..].iter_mut().zip(elements).for_each(|(to, from)| *to = from);
            return Run { start, len };
        }
        self.append(len, elements)
    }

    /// Gives the memory of a run back.
    pub(super) fn give_back(&mut self, run: Run) {
        let len = usize::from(run.len);
        if len > SHORT_RUN {
            return self.long.give_back(run.start, Box::default());
        }
        if len == 0 {
            return;
        }
        let number = run.start as usize / RUNS_CHUNK;
        let chunk = &mut self.chunks[number];
        chunk.living -= len;
        if chunk.living > 0 {
            return self.free[len].push((run.start, chunk.life));
        }
        chunk.elements.clear();
        chunk.life = chunk.life.wrapping_add(1);
        if number != self.open {
            self.empty.push(number);
        }
    }

    /// The elements of a run.
    pub(super) fn get(&self, run: Run) -> &[T] {
        let (start, len) = (run.start as usize, usize::from(run.len));
        match len {
            0 => &[],
            1..=SHORT_RUN => &self.chunks[start / RUNS_CHUNK].elements[start % RUNS_CHUNK..][..len],
            _ => &self.long[start],
        }
    }

    /// The elements of a run.
    pub(super) fn get_mut(&mut self, run: Run) -> &mut [T] {
        let (start, len) = (run.start as usize, usize::from(run.len));
        match len {
            0 => &mut [],
            1..=SHORT_RUN => &mut self.chunks[start / RUNS_CHUNK].elements[start % RUNS_CHUNK..][..len],
            _ => &mut self.long[start],
        }
    }

    fn take_free(&mut self, len: u16) -> Option<u32> {
        for _ in 0..STALE_RUNS {
            let (start, life) = self.free[usize::from(len)].pop()?;
            if self.chunks[start as usize / RUNS_CHUNK].life == life {
                return Some(start);
            }
        }
        None
    }

    fn append(&mut self, len: u16, elements: impl ExactSizeIterator<Item = T>) -> Run {
        if self.chunks.get(self.open).is_none_or(|chunk| chunk.elements.len() + usize::from(len) > RUNS_CHUNK) {
            self.open_chunk();
        }
        let chunk = &mut self.chunks[self.open];
        let start = self.open * RUNS_CHUNK + chunk.elements.len();
        chunk.elements.extend(elements);
        chunk.living += usize::from(len);
        Run { start: u32::try_from(start).expect("law: capacity bounds lines and draws"), len }
    }

    fn open_chunk(&mut self) {
        self.open = self.empty.pop().unwrap_or_else(|| {
            let elements = self.spare.pop().unwrap_or_else(|| array_with_capacity(RUNS_CHUNK));
            self.chunks.push(Chunk { elements, living: 0, life: 0 });
            self.chunks.len() - 1
        });
    }
}

/// A growing array by number; what was never written reads as absent or as the default.
#[derive(Debug)]
pub(super) struct Table<T, const CHUNK: usize = TABLE_CHUNK> {
    chunks: Vec<Option<Box<[T]>>>,
}

impl<T, const CHUNK: usize> Default for Table<T, CHUNK> {
    fn default() -> Self {
        Self { chunks: Vec::new() }
    }
}

impl<T: Default, const CHUNK: usize> Table<T, CHUNK> {
    /// The element, if its neighbourhood was ever written to.
    pub(super) fn get(&self, number: usize) -> Option<&T> {
        self.chunks.get(number / CHUNK)?.as_ref()?.get(number % CHUNK)
    }

    /// The element, to be changed, if its neighbourhood was ever written to.
    pub(super) fn get_mut(&mut self, number: usize) -> Option<&mut T> {
        self.chunks.get_mut(number / CHUNK)?.as_mut()?.get_mut(number % CHUNK)
    }

    /// The element, made if need be.
    #[inline]
    pub(super) fn get_or_grow(&mut self, number: usize) -> &mut T {
        let chunk = number / CHUNK;
        if !self.chunks.get(chunk).is_some_and(Option::is_some) {
            self.make_chunk(chunk);
        }
        let elements = self.chunks[chunk].as_mut().expect("law: it was just made, if it was not there");
        &mut elements[number % CHUNK]
    }

    /// Every element of every neighbourhood that was ever written to, by number.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &T)> {
        (0..).step_by(CHUNK).zip(&self.chunks).flat_map(|(first, chunk)| (first..).zip(chunk.iter().flatten()))
    }

    #[cold]
    fn make_chunk(&mut self, chunk: usize) {
        if chunk >= self.chunks.len() {
            self.chunks.resize_with(chunk + 1, || None);
        }
        self.chunks[chunk] = Some(core::iter::repeat_with(T::default).take(CHUNK).collect());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_gives_back_what_was_put_across_chunks() {
        let mut pool = Pool::<_, SMALL>::default();
        for number in 0..3 * SMALL as u32 + 5 {
            assert_eq!(pool.put(number), number);
        }
        assert_eq!(pool.len(), 3 * SMALL + 5);
        assert!(pool.iter().copied().eq(0..3 * SMALL as u32 + 5));
    }

    #[test]
    fn a_position_given_back_is_used_before_the_pool_grows() {
        let mut pool = Pool::<_, SMALL>::default();
        let positions: Vec<u32> = (0..10_000).map(|number| pool.put(number)).collect();
        positions.iter().for_each(|position| pool.give_back(*position, u32::MAX));
        assert_eq!(pool.len(), 0);
        let again: std::collections::BTreeSet<u32> = (0..10_000).map(|number| pool.put(number)).collect();
        assert_eq!((again.len(), pool.len(), pool.end()), (10_000, 10_000, 10_000));
    }

    #[test]
    fn runs_of_any_length_never_touch_each_other() {
        let mut runs = Runs::default();
        let lengths = [1, 2_048, 0, 7, 60_000, 16, 17, 60_000, 3, 1];
        let placed: Vec<_> =
            lengths.iter().enumerate().map(|(i, len)| (i, runs.put(vec![i; *len].into_iter()))).collect();
        for (i, run) in placed {
            assert_eq!(runs.get(run), vec![i; lengths[i]], "run {i}");
        }
    }

    /// A model: every living run holds its own number and nothing else's, whatever was given back before.
    #[test]
    fn runs_given_back_are_used_again_and_never_twice_at_once() {
        let mut runs = Runs::default();
        let mut living: Vec<(u64, usize, Run)> = Vec::new();
        let mut dice = 7_u64;
        let mut highest = 0;
        for number in 0..400_000_u64 {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let len = [1, 1, 1, 2, 3, 5, 16, 20][(dice >> 61) as usize];
            living.push((number, len, runs.put(vec![number; len].into_iter())));
            while living.len() > 2_000 {
                let (number, len, run) = living.swap_remove((dice >> 20) as usize % living.len());
                assert_eq!(runs.get(run), vec![number; len], "run {number}");
                runs.give_back(run);
            }
            highest = highest.max(runs.end());
        }
        assert!(living.iter().all(|(number, len, run)| runs.get(*run) == vec![*number; *len]));
        assert!(highest < 40_000, "2,000 runs of 3.6 elements on average took {highest} elements");
    }

    #[test]
    fn a_chunk_without_a_living_run_serves_runs_of_another_length() {
        let mut runs = Runs::default();
        for len in [1, 2, 3, 5, 16, 1] {
            let placed: Vec<Run> = (0..3 * RUNS_CHUNK / len).map(|_| runs.put(vec![len; len].into_iter())).collect();
            placed.iter().for_each(|run| assert_eq!(runs.get(*run), vec![len; len]));
            placed.into_iter().for_each(|run| runs.give_back(run));
        }
        assert!(runs.chunks.len() <= 5, "{} chunks for what needs three", runs.chunks.len());
    }

    #[test]
    fn a_table_holds_memory_only_where_it_was_written() {
        let mut table = Table::<_>::default();
        *table.get_or_grow(5 * TABLE_CHUNK) = 9;
        assert_eq!(table.get(5 * TABLE_CHUNK), Some(&9));
        assert_eq!(table.get(4 * TABLE_CHUNK), None);
        assert_eq!(table.chunks.iter().flatten().count(), 1);
    }
}
