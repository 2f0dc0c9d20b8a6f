//! Memory in chunks: tables and runs that grow without ever moving what they hold.
//!
//! A `Vec` of ten million orders doubles by copying all of them, and holds twice what it needs right after. These grow
//! by one chunk at a time, so that no command ever pays for a copy and memory is what is used.
//!
//! # Not here
//! - Freeing an order: retention will hand runs back.

/// Elements of one chunk.
const CHUNK: usize = 4_096;

/// A growing array whose elements never move. Holes read as absent until something is written behind them.
#[derive(Debug)]
pub(super) struct Table<T> {
    chunks: Vec<Option<Box<[T]>>>,
    len: usize,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { chunks: Vec::new(), len: 0 }
    }
}

impl<T: Default + Clone> Table<T> {
    /// One past the highest element ever written.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// The element, if its chunk was ever written to.
    pub(super) fn get(&self, index: usize) -> Option<&T> {
        self.chunks.get(index / CHUNK)?.as_ref()?.get(index % CHUNK)
    }

    /// The element, made if need be.
    pub(super) fn get_or_grow(&mut self, index: usize) -> &mut T {
        let chunk = index / CHUNK;
        if chunk >= self.chunks.len() {
            self.chunks.resize_with(chunk + 1, || None);
        }
        self.len = self.len.max(index + 1);
        &mut self.chunks[chunk].get_or_insert_with(|| vec![T::default(); CHUNK].into_boxed_slice())[index % CHUNK]
    }
}
