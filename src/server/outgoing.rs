//! Reply frames of one stream on their way out, and what each of them settles once it is gone.
//!
//! ```text
//! push ─► │ half written │ waits │ waits │
//!          handle_written ─► Gone: settle what it answers
//! ```
//!
//! # Always true
//! - What a buffer answers is told once, with its last byte: until then its bytes are held here, so they are owed.
//! # Why so
//! Settling a reply when it is taken from its shard would let a client that does not read ask for ever more of them.

use std::collections::VecDeque;

use crate::base::ShardId;
use crate::shard::LANES;

/// What a buffer answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answers {
    /// So many requests of a shard, by lane.
    Shard(ShardId, [u64; LANES]),
    /// What the session answered itself, counted at so many bytes.
    Local(usize),
}

/// A buffer that was written to its end.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Gone {
    pub(super) answers: Answers,
    pub(super) buffer: Vec<u8>,
}

#[derive(Debug, Default)]
pub(super) struct Outgoing {
    buffers: VecDeque<Gone>,
    /// Bytes of the first buffer that are gone.
    written: usize,
}

impl Outgoing {
    pub(super) fn push(&mut self, answers: Answers, buffer: Vec<u8>) {
        self.buffers.push_back(Gone { answers, buffer });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.buffers.is_empty()
    }

    /// What is to be written next.
    pub(super) fn rest(&self) -> Option<&[u8]> {
        self.buffers.front().map(|first| &first.buffer[self.written..])
    }

    /// So many bytes of it were written; the buffer, if they were its last.
    pub(super) fn handle_written(&mut self, bytes: usize) -> Option<Gone> {
        self.written += bytes;
        let first = self.buffers.front().expect("law: only what waits is written");
        if self.written < first.buffer.len() {
            return None;
        }
        self.written = 0;
        self.buffers.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_settles_with_its_last_byte_and_not_before() {
        let mut outgoing = Outgoing::default();
        let (first, second) = (Answers::Shard(ShardId(3), [0, 2, 0]), Answers::Local(7));
        outgoing.push(first, vec![1, 2, 3]);
        outgoing.push(second, vec![4]);
        assert_eq!((outgoing.handle_written(2), outgoing.rest()), (None, Some(&[3][..])));
        assert_eq!(outgoing.handle_written(1), Some(Gone { answers: first, buffer: vec![1, 2, 3] }));
        assert_eq!(outgoing.rest(), Some(&[4][..]));
        assert_eq!(outgoing.handle_written(1), Some(Gone { answers: second, buffer: vec![4] }));
        assert!(outgoing.is_empty() && outgoing.rest().is_none());
    }
}
