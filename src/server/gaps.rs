//! Gaps: pieces of streams that came and cannot be read, because what stands before them is missing.
//!
//! ```text
//! frame of a stream came ─► its task wakes ─► something to read:  bytes are counted
//!                                        └──► nothing:            now and then frames are held against those bytes
//! ```
//!
//! # Always true
//! - Whoever loses packets is not taken for somebody who sends gaps: what was lost comes again, and is read.
//! # Not here
//! - Closing the connection: `stream`.
//! # Why so
//! QUIC keeps each piece in a place of its own until it can be read, up to 1,024 of every stream, and puts them
//! together anew whenever they hold more memory than they have bytes. Bytes alone in frames of their own cost many
//! times their window, and the network's thread so much time that everybody else waits for seconds. Windows do not
//! bound that, quinn has no setting for it, and tells of it only how many frames came.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::base::limits::{STREAM_FRAME_BYTES_MEAN_MIN, STREAM_FRAMES_UNREAD_MAX};

/// So many tasks wake for nothing before somebody asks quinn for its counts: replies wake them as well.
const LOOK_EVERY: u32 = 8;

/// Of one connection; its streams share it.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    read_bytes: AtomicU64,
    wakes_for_nothing: AtomicU32,
}

impl Gaps {
    /// So many bytes were read of some stream.
    pub(super) fn handle_read(&self, bytes: usize) {
        self.read_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// A stream had nothing to read; whether it is time to look at how many frames came.
    pub(super) fn handle_nothing(&self) -> bool {
        (self.wakes_for_nothing.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(LOOK_EVERY)
    }

    /// Whether so many frames of streams are too many for what could be read of them.
    pub(super) fn are_too_many(&self, stream_frames: u64) -> bool {
        let earned = self.read_bytes.load(Ordering::Relaxed) / STREAM_FRAME_BYTES_MEAN_MIN;
        stream_frames > STREAM_FRAMES_UNREAD_MAX + earned
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_that_bring_nothing_to_read_are_too_many_at_some_time() {
        let gaps = Gaps::default();
        assert!(!gaps.are_too_many(STREAM_FRAMES_UNREAD_MAX));
        assert!(gaps.are_too_many(STREAM_FRAMES_UNREAD_MAX + 1));
    }

    #[test]
    fn the_smallest_sound_frames_pay_for_themselves_though_each_comes_twice() {
        let gaps = Gaps::default();
        for frames in 1..100_000 {
            gaps.handle_read(crate::wire::REQUEST_HEADER_BYTES);
            assert!(!gaps.are_too_many(2 * frames));
        }
    }

    #[test]
    fn not_every_wake_asks_quinn() {
        let gaps = Gaps::default();
        let looks = (0..100).filter(|_| gaps.handle_nothing()).count();
        assert_eq!(looks, 12);
    }
}
