//! Memory in chunks: arrays that grow without ever moving what they hold.
//!
//! ```text
//! Pool   one element after the other, by position      orders, order numbers
//! Runs   a few neighbours at a time, by first position  lines and draws of an order
//! Table  by number, holes allowed                       balances of SKUs
//! ```
//!
//! # Not here
//! - Taking memory back. Orders leave when retention is built; until then everything stays.
//! # Why so
//! A `Vec` of ten million orders doubles by copying all of them and then holds twice what it needs. These grow by one
//! chunk at a time: no command pays for a copy, and memory is what is used.

use super::huge_pages::{array_with_capacity, touched_array};
use crate::base::limits;

/// Elements of one chunk of a [`Pool`] that there is one of: large enough for huge pages.
pub(super) const LARGE: usize = 65_536;
/// Elements of one chunk of a [`Pool`] that every market has.
pub(super) const SMALL: usize = 4_096;
/// Elements of one chunk of [`Runs`]. A run never spans chunks, so it also bounds a run.
const RUNS_CHUNK: usize = 262_144;
/// Elements of one chunk of a [`Table`]: smaller, because a site may stock few of many SKUs.
const TABLE_CHUNK: usize = 1_024;

const _: () = assert!(RUNS_CHUNK >= limits::LINES_MAX && RUNS_CHUNK >= 2 * limits::DRAWS_MAX);

/// A growing array; elements are found by the position they were pushed at.
#[derive(Debug)]
pub(super) struct Pool<T, const CHUNK: usize> {
    chunks: Vec<Vec<T>>,
    /// Chunks that are ready to be used.
    spare: Vec<Vec<T>>,
    len: usize,
}

impl<T, const CHUNK: usize> Default for Pool<T, CHUNK> {
    fn default() -> Self {
        Self { chunks: Vec::new(), spare: Vec::new(), len: 0 }
    }
}

impl<T, const CHUNK: usize> Pool<T, CHUNK> {
    /// How many elements there are.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Takes the memory for so many more elements now.
    pub(super) fn reserve(&mut self, elements: usize) {
        self.spare.resize_with(elements.div_ceil(CHUNK), || touched_array(CHUNK));
    }

    /// Adds an element and gives its position.
    pub(super) fn push(&mut self, element: T) -> usize {
        if self.len.is_multiple_of(CHUNK) {
            self.chunks.push(self.spare.pop().unwrap_or_else(|| array_with_capacity(CHUNK)));
        }
        self.chunks[self.len / CHUNK].push(element);
        self.len += 1;
        self.len - 1
    }

    /// The element at a position, if there is one.
    pub(super) fn get(&self, position: usize) -> Option<&T> {
        self.chunks.get(position / CHUNK)?.get(position % CHUNK)
    }

    /// The elements in the order they were pushed.
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

/// Where a run lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Run {
    start: u32,
    /// How many elements.
    pub(super) len: u16,
}

/// A growing array of short runs of neighbours.
#[derive(Debug)]
pub(super) struct Runs<T> {
    chunks: Vec<Vec<T>>,
    /// Chunks that are ready to be used.
    spare: Vec<Vec<T>>,
}

impl<T> Default for Runs<T> {
    fn default() -> Self {
        Self { chunks: Vec::new(), spare: Vec::new() }
    }
}

impl<T> Runs<T> {
    /// Takes the memory for so many more elements now.
    pub(super) fn reserve(&mut self, elements: usize) {
        self.spare.resize_with(elements.div_ceil(RUNS_CHUNK), || touched_array(RUNS_CHUNK));
    }

    /// Adds a run. What does not fit the last chunk opens a new one.
    pub(super) fn push(&mut self, elements: impl ExactSizeIterator<Item = T>) -> Run {
        let len = elements.len();
        if self.chunks.last().is_none_or(|chunk| chunk.len() + len > RUNS_CHUNK) {
            self.chunks.push(self.spare.pop().unwrap_or_else(|| array_with_capacity(RUNS_CHUNK)));
        }
        let chunk = self.chunks.len() - 1;
        let start = chunk * RUNS_CHUNK + self.chunks[chunk].len();
        self.chunks[chunk].extend(elements);
        Run {
            start: u32::try_from(start).expect("law: capacity bounds lines and draws"),
            len: u16::try_from(len).expect("law: limits bound a run"),
        }
    }

    /// The elements of a run.
    pub(super) fn get(&self, run: Run) -> &[T] {
        if run.len == 0 {
            return &[];
        }
        let start = run.start as usize;
        &self.chunks[start / RUNS_CHUNK][start % RUNS_CHUNK..][..usize::from(run.len)]
    }

    /// The elements of a run.
    pub(super) fn get_mut(&mut self, run: Run) -> &mut [T] {
        if run.len == 0 {
            return &mut [];
        }
        let start = run.start as usize;
        &mut self.chunks[start / RUNS_CHUNK][start % RUNS_CHUNK..][..usize::from(run.len)]
    }
}

/// A growing array by number; what was never written reads as absent or as the default.
#[derive(Debug)]
pub(super) struct Table<T> {
    chunks: Vec<Option<Box<[T]>>>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { chunks: Vec::new() }
    }
}

impl<T: Default + Clone> Table<T> {
    /// The element, if its neighbourhood was ever written to.
    pub(super) fn get(&self, number: usize) -> Option<&T> {
        self.chunks.get(number / TABLE_CHUNK)?.as_ref()?.get(number % TABLE_CHUNK)
    }

    /// The element, made if need be.
    pub(super) fn get_or_grow(&mut self, number: usize) -> &mut T {
        let chunk = number / TABLE_CHUNK;
        if chunk >= self.chunks.len() {
            self.chunks.resize_with(chunk + 1, || None);
        }
        let made = || vec![T::default(); TABLE_CHUNK].into_boxed_slice();
        &mut self.chunks[chunk].get_or_insert_with(made)[number % TABLE_CHUNK]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_gives_back_what_was_pushed_across_chunks() {
        let mut pool = Pool::<_, SMALL>::default();
        for number in 0..3 * SMALL + 5 {
            assert_eq!(pool.push(number), number);
        }
        assert_eq!(pool.len(), 3 * SMALL + 5);
        assert!(pool.iter().copied().eq(0..3 * SMALL + 5));
        assert_eq!(pool.get(3 * SMALL + 5), None);
    }

    #[test]
    fn runs_of_any_length_never_touch_each_other() {
        let mut runs = Runs::default();
        let lengths = [1, 2_048, 0, 7, 60_000, 60_000, 60_000, 60_000, 60_000, 3, 1];
        let placed: Vec<_> =
            lengths.iter().enumerate().map(|(i, len)| (i, runs.push(vec![i; *len].into_iter()))).collect();
        for (i, run) in placed {
            assert_eq!(runs.get(run), vec![i; lengths[i]], "run {i}");
        }
    }

    #[test]
    fn a_table_holds_memory_only_where_it_was_written() {
        let mut table = Table::default();
        *table.get_or_grow(5 * TABLE_CHUNK) = 9;
        assert_eq!(table.get(5 * TABLE_CHUNK), Some(&9));
        assert_eq!(table.get(4 * TABLE_CHUNK), None);
        assert_eq!(table.chunks.iter().flatten().count(), 1);
    }
}
