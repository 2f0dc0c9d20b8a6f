//! Errors of a run: all counted, the first ones kept in words.

/// How many are kept in words.
const KEPT_MAX: usize = 20;

/// Things that must not happen and did.
#[derive(Debug, Default)]
pub(crate) struct Errors {
    count: u64,
    kept: Vec<String>,
}

impl Errors {
    /// Counts one; the words are only made when they are kept.
    pub(crate) fn add(&mut self, words: impl FnOnce() -> String) {
        self.count += 1;
        if self.kept.len() < KEPT_MAX {
            self.kept.push(words());
        }
    }

    pub(crate) const fn count(&self) -> u64 {
        self.count
    }

    pub(crate) fn kept(&self) -> &[String] {
        &self.kept
    }
}
