//! What a turn does by itself, before anybody is heard.
//!
//! # Always true
//! - Every turn, with or without requests, first expires what is due, bounded by [`EXPIRIES_PER_TURN_MAX`]. Unless more
//!   is due, it puts back who holds what was not found ([`PUT_BACKS_PER_TURN_MAX`]), and gives what arrived to who
//!   waits for it ([`FILLS_PER_TURN_MAX`]). It retires what is over ([`RETIREMENTS_PER_TURN_MAX`]), and tells of stock
//!   that came to be scarce ([`STOCK_LEVELS_PER_TURN_MAX`]).

use super::Batcher;
use crate::base::Timestamp;
use crate::base::limits::{
    EXPIRIES_PER_TURN_MAX, FILLS_PER_TURN_MAX, PAGE_SCAN_MAX, PUT_BACKS_PER_TURN_MAX, RETIREMENTS_PER_TURN_MAX,
    STOCK_LEVELS_PER_TURN_MAX, TURN_BYTES_MAX,
};

impl Batcher {
    /// Expires what is due, some of it.
    pub(super) fn sweep(&mut self, now: Timestamp) {
        for _ in 0..EXPIRIES_PER_TURN_MAX {
            let Some(fact) = self.engine.next_due(now) else { break };
            self.engine.fold(&fact, now);
            self.facts.add(&fact);
            self.make_room(now);
        }
    }

    /// Puts orders back whose units were not found, some of them; not while a sweep is unfinished, because what the
    /// dead hold is missed first.
    pub(super) fn put_back(&mut self, now: Timestamp) {
        if self.engine.next_due(now).is_some() {
            return;
        }
        let mut looks = PAGE_SCAN_MAX;
        for _ in 0..PUT_BACKS_PER_TURN_MAX {
            if self.facts.turn_bytes() >= TURN_BYTES_MAX {
                break;
            }
            let Some(fact) = self.engine.next_put_back(&mut looks, &mut self.filled) else { break };
            self.engine.fold(&fact, now);
            self.facts.add(&fact);
            self.make_room(now);
        }
    }

    /// Gives what arrived to those who wait for it, some of them; not while a sweep is unfinished, because who is dead
    /// gets nothing.
    pub(super) fn fill(&mut self, now: Timestamp) {
        if self.engine.next_due(now).is_some() {
            return;
        }
        for _ in 0..FILLS_PER_TURN_MAX {
            if self.facts.turn_bytes() >= TURN_BYTES_MAX {
                break;
            }
            let Some(fact) = self.engine.next_fill(&mut self.filled) else { break };
            self.engine.fold(&fact, now);
            self.facts.add(&fact);
            self.make_room(now);
        }
    }

    /// Tells of SKUs that came to be scarce, or are no more; some of them.
    pub(super) fn tell_stock_levels(&mut self, now: Timestamp) {
        for _ in 0..STOCK_LEVELS_PER_TURN_MAX {
            let Some(fact) = self.engine.next_stock_level() else { break };
            self.engine.fold(&fact, now);
            self.facts.add(&fact);
            self.make_room(now);
        }
    }

    /// Closes what is over and lets leave what is old enough, some of it.
    pub(super) fn retire(&mut self, now: Timestamp) {
        for _ in 0..RETIREMENTS_PER_TURN_MAX {
            let Some(fact) = self.engine.next_retirement(now, &mut self.retired) else { break };
            self.engine.fold(&fact, now);
            self.facts.add(&fact);
            self.make_room(now);
        }
    }
}
