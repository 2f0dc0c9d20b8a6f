//! Cursors: how far sinks have taken the facts of this shard.
//!
//! A cursor is part of the state because the log is trimmed below it: what a sink has not taken is kept for it, as long
//! as its cursor is attached.
//!
//! # Always true
//! - A cursor never goes back.
//! - One that is detached keeps its place and holds nothing.
//! # Not here
//! - Who takes facts, and when it says so: `feed`. What is trimmed: `shard::snapshot`.

use std::collections::BTreeMap;

use super::Engine;
use crate::base::Sequence;
use crate::base::limits::CURSORS_MAX;

/// How far a sink has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The last entry of this shard's stream of which it has taken every fact.
    pub upto: Sequence,
    /// Whether the log is kept for it.
    pub attached: bool,
}

/// The cursors of a shard, at most [`CURSORS_MAX`].
#[derive(Debug, Default)]
pub(super) struct Cursors {
    by_sink: BTreeMap<Box<str>, Cursor>,
}

impl Cursors {
    pub(super) fn get(&self, sink: &str) -> Option<Cursor> {
        self.by_sink.get(sink).copied()
    }

    /// In order of the names.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, Cursor)> {
        self.by_sink.iter().map(|(sink, cursor)| (&**sink, *cursor))
    }

    pub(super) fn is_full(&self) -> bool {
        self.by_sink.len() >= CURSORS_MAX
    }

    /// The cursor as it was before, if there was one.
    pub(super) fn set(&mut self, sink: &str, cursor: Cursor) -> Option<Cursor> {
        if let Some(known) = self.by_sink.get_mut(sink) {
            return Some(std::mem::replace(known, cursor));
        }
        self.by_sink.insert(sink.into(), cursor)
    }
}

impl Engine {
    /// Every cursor of this shard, in order of the sinks' names.
    pub fn cursors(&self) -> impl Iterator<Item = (&str, Cursor)> {
        self.cursors.iter()
    }
}
