//! The read buffer of one stream: what has arrived and is not yet a whole frame.
//!
//! ```text
//! buffer  │ taken │ arrived, not yet looked at │ room │ reserved, not there yet │
//!         0     start                         end   len                       limit
//! ```
//!
//! # Always true
//! - It may grow as far as it has reserved bytes of the pool: for a frame whose header promises more than there is room
//!   for, or because reads filled it to the brim. What it reserved goes back when it is quiet, or dropped.
//! - It grows with what arrives, not with what is promised.
//! - Beyond its end are zeroes or what somebody else sent once; nobody looks there.
//! # Why so
//! A frame that has begun must be sure of its room, or a few hundred halves of frames would wait for each other. But
//! clearing the megabyte of every promised frame costs more than anything else about it, and whoever promises frames
//! and sends none would make the server do nothing else. For the same reason large buffers are used again as they are.

use std::sync::Arc;

use super::budget::Pool;
use crate::base::limits::{READ_BUFFER_BYTES_MAX, READ_BUFFER_FIRST_BYTES, SMALL_BUFFER_BYTES_MAX};

#[derive(Debug)]
pub(super) struct Input {
    pool: Arc<Pool>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Bytes of the pool: how far the buffer may grow beyond what everybody has.
    reserved: usize,
    /// Bytes of the frame that has begun, once its header says so.
    wanted: usize,
    /// The last time room was asked for there was none: the pool had nothing for the frame that has begun.
    starved: bool,
}

impl Input {
    pub(super) const fn new(pool: Arc<Pool>) -> Self {
        Self { pool, buffer: Vec::new(), start: 0, end: 0, reserved: 0, wanted: 0, starved: false }
    }

    /// What has arrived and was not taken.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// A frame of so many bytes has begun; there will be room for it, or [`Input::room`] says that there is none.
    pub(super) fn handle_wanted(&mut self, frame_bytes: usize) {
        self.wanted = frame_bytes;
    }

    /// The first `bytes` have been dealt with.
    pub(super) fn handle_taken(&mut self, bytes: usize) {
        self.start += bytes;
        (self.wanted, self.starved) = (0, false);
    }

    /// So many bytes were read into the room.
    pub(super) fn handle_read(&mut self, bytes: usize) {
        self.end += bytes;
    }

    /// Where the next bytes go. Empty when the pool has nothing to spare for the frame that has begun: ask again later.
    pub(super) fn room(&mut self) -> &mut [u8] {
        let brim = self.end == self.buffer.len() && !self.buffer.is_empty();
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.buffer.is_empty() {
            self.buffer.resize(READ_BUFFER_FIRST_BYTES, 0);
        }
        let wanted = self.wanted.max(self.end + 1);
        if wanted > self.limit() || (brim && self.buffer.len() == self.limit()) {
            self.reserve(wanted);
        }
        if brim && self.buffer.len() < self.limit() {
            self.grow();
        }
        self.starved = self.end == self.buffer.len();
        &mut self.buffer[self.end..]
    }

    /// How far the buffer may grow.
    const fn limit(&self) -> usize {
        READ_BUFFER_FIRST_BYTES + self.reserved
    }

    /// Twice as much as there is, and at least what is wanted, as far as the pool allows.
    fn reserve(&mut self, wanted: usize) {
        let generous = (self.buffer.len() * 2).max(wanted.next_power_of_two()).min(READ_BUFFER_BYTES_MAX);
        for bytes in [generous, wanted] {
            let more = bytes.saturating_sub(self.limit());
            if more > 0 && self.pool.take(more) {
                self.reserved += more;
                return;
            }
        }
    }

    /// Twice as much as there is; once that is much, all that is reserved.
    fn grow(&mut self) {
        let doubled = self.limit().min(2 * self.buffer.len());
        if doubled <= SMALL_BUFFER_BYTES_MAX {
            self.buffer.resize(doubled, 0);
            return;
        }
        let mut larger = match self.limit() {
            READ_BUFFER_BYTES_MAX => self.pool.take_spare(),
            bytes => vec![0; bytes],
        };
        larger[..self.end].copy_from_slice(&self.buffer[..self.end]);
        self.buffer = larger;
    }

    /// Whether a frame has begun of which nothing more can be read for want of room.
    pub(super) const fn is_starved(&self) -> bool {
        self.starved
    }

    /// Whether it holds memory of the pool without need.
    pub(super) const fn is_idle(&self) -> bool {
        self.is_empty() && self.buffer.len() > READ_BUFFER_FIRST_BYTES
    }

    /// Gives everything back. To be called when it is empty.
    pub(super) fn release(&mut self) {
        self.pool.give_back(std::mem::take(&mut self.reserved));
        let buffer = std::mem::take(&mut self.buffer);
        if buffer.len() == READ_BUFFER_BYTES_MAX {
            self.pool.keep_spare(buffer);
        }
        (self.start, self.end, self.wanted, self.starved) = (0, 0, 0, false);
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        self.release();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrive(input: &mut Input, bytes: &[u8]) {
        let room = input.room();
        room[..bytes.len()].copy_from_slice(bytes);
        input.handle_read(bytes.len());
    }

    #[test]
    fn what_was_not_taken_moves_to_the_front() {
        let mut input = Input::new(Pool::new(0));
        arrive(&mut input, b"frame one, frame t");
        input.handle_taken(11);
        arrive(&mut input, b"wo");
        assert_eq!(input.bytes(), b"frame two");
    }

    #[test]
    fn a_large_frame_reserves_its_room_at_once_takes_it_as_it_comes_and_gives_it_back() {
        let pool = Pool::new(100_000);
        let mut input = Input::new(Arc::clone(&pool));
        arrive(&mut input, &[1; 8]);
        input.handle_wanted(50_000);
        assert!(!input.room().is_empty());
        assert_eq!(pool.free(), 100_000 + READ_BUFFER_FIRST_BYTES - 65_536, "what is promised is sure to find room");
        assert_eq!(input.buffer.len(), READ_BUFFER_FIRST_BYTES, "and costs nothing before it comes");
        let mut arrived = 8;
        while arrived < 50_000 {
            let room = input.room();
            let bytes = room.len().min(50_000 - arrived);
            room[..bytes].fill(2);
            input.handle_read(bytes);
            arrived += bytes;
            assert!(input.buffer.len() <= READ_BUFFER_FIRST_BYTES.max(2 * arrived));
        }
        assert!(input.bytes()[..8] == [1; 8] && input.bytes()[8..].iter().all(|byte| *byte == 2));
        input.handle_taken(50_000);
        assert!(input.is_idle());
        input.release();
        assert_eq!(pool.free(), 100_000);
    }

    #[test]
    fn without_a_pool_a_large_frame_waits_and_small_ones_do_not() {
        let pool = Pool::new(0);
        let mut input = Input::new(Arc::clone(&pool));
        arrive(&mut input, &[1; READ_BUFFER_FIRST_BYTES]);
        input.handle_wanted(50_000);
        assert!(input.room().is_empty(), "there is no room, and nothing was lost");
        assert_eq!(input.bytes().len(), READ_BUFFER_FIRST_BYTES);
        pool.give_back(60_000);
        assert!(!input.room().is_empty());
        drop(input);
        assert_eq!(pool.free(), 60_000);
    }

    #[test]
    fn a_read_to_the_brim_makes_the_next_one_larger() {
        let mut input = Input::new(Pool::new(10_000_000));
        for _ in 0..20 {
            let all = input.room().len();
            input.handle_read(all);
            input.handle_taken(all);
        }
        assert_eq!(input.room().len(), READ_BUFFER_BYTES_MAX, "and there is an end to it");
    }
}
