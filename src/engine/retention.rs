//! How long a market keeps what is over, and what of it stays when it has left.
//!
//! ```text
//!            return window                 until the identifier is old enough
//! ended ──────────────────────► tombstone ────────────────────────────────────► gone: `IdTooOld`
//! ```
//!
//! # Always true
//! - An identifier is known, or was made before `retired_before` and is refused, or was never accepted. So nothing is
//!   accepted twice although nothing is kept for ever.
//! - `retired_before` never goes back, and no order leaves that is not older than it.
//! # Not here
//! - When something is closed and leaves: `retire` decides, `fold::retention` does it.
//! # Why so
//! The moment is moved in whole steps and only when something leaves: a market without orders writes nothing.

use super::books::Tally;
use super::order::State;
use crate::base::Timestamp;
use crate::base::limits::{IDS_KEPT_MS_DEFAULT, RETIRED_STEP_MS, RETURN_WINDOW_MS_DEFAULT};

/// How long a market keeps what is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Milliseconds from the end of an order (completed, cancelled or expired) to its closing: as long can goods come
    /// back and a late payment be taken. Holds for orders that end from now on.
    pub return_window_ms: u64,
    /// Milliseconds from the making of an identifier for which it is known, at least; after that an order that is
    /// closed leaves, and its identifier is refused.
    pub ids_kept_ms: u64,
}

impl Default for Retention {
    fn default() -> Self {
        Self { return_window_ms: RETURN_WINDOW_MS_DEFAULT, ids_kept_ms: IDS_KEPT_MS_DEFAULT }
    }
}

impl Retention {
    /// Identifiers made before this moment need not be kept any more at `now`.
    pub(super) const fn floor(&self, now: Timestamp) -> Timestamp {
        let floor = now.before_ms(self.ids_kept_ms).ms();
        Timestamp::from_ms(floor - floor % RETIRED_STEP_MS)
    }

    /// From when on an identifier made at this moment lies below the floor.
    pub(super) const fn leaves_at(&self, made_at: Timestamp) -> Timestamp {
        let step = made_at.ms() - made_at.ms() % RETIRED_STEP_MS;
        Timestamp::from_ms(step).after_ms(RETIRED_STEP_MS).after_ms(self.ids_kept_ms)
    }
}

/// What is still counted of orders of which a tombstone is left, or nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Gone {
    pub(super) tally: Tally,
    /// Units that are with customers for good.
    pub(super) customer_units: u64,
}

impl Gone {
    pub(super) const fn add(&mut self, state: State, hash: u128, customer_units: u64) {
        self.tally.add(state, hash);
        self.customer_units += customer_units;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_lies_below_the_floor_exactly_from_when_it_may_leave() {
        let retention = Retention { return_window_ms: 0, ids_kept_ms: 60_000 };
        for made_at in [1_000_000, 1_000_001, 1_000_999, 1_001_000] {
            let made_at = Timestamp::from_ms(made_at);
            let leaves_at = retention.leaves_at(made_at);
            assert!(made_at < retention.floor(leaves_at), "{made_at:?} at {leaves_at:?}");
            assert!(made_at >= retention.floor(leaves_at.before_ms(1)), "{made_at:?} just before {leaves_at:?}");
            assert!(leaves_at.since_ms(made_at) > retention.ids_kept_ms);
        }
    }
}
